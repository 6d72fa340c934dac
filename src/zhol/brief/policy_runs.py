"""Runs of policy that the sections share: ready-made packages with a place as the one that acts, reduced to totals."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.brief.content import Marks, Number, Text, text
from zhol.brief.model_runs import LEVEL, SEED, Outlook, outlook, since
from zhol.brief.quantities import SMALLEST_BASE, is_people
from zhol.brief.stored import fingerprint, stored
from zhol.brief.telling import say
from zhol.core.quantity import Quantity

if TYPE_CHECKING:
    from zhol.policy.outcomes import Outcome, Scope
    from zhol.policy.paired import Paired
    from zhol.policy.scenario import Scenario
    from zhol.region.load import Region
    from zhol.system.run import Run

START, END = "2024", "2040"
DRAWS, FEWER = 40, 16  # of every package; of the shares of its instruments, which need many more runs
RUNS = "runs of the system"  # the source of what comes out of the model
BASE = "present policies"
RECOMMENDATIONS = ("r1_borders", "r2_interior", "r3_networks", "r4_diplomacy", "r5_root_causes")
TOGETHER = ("control_only", "protect_and_regularise", "cooperate")
WAITS = "protect_and_regularise"  # the package that waits, and whose instruments are told apart
YEARS = (2, 5, 10)
REFUSALS, TENTH = "refusals up by a tenth", math.log(1.1) / math.log(2.0)  # full intensity doubles refusals
MOVED = ("r1_borders", "protect_and_regularise", "control_only")  # whose substitution effects are told
CONTROL = ("irregular_stock", "irregular_inflow", "irregular_elsewhere", "attempts", "smuggling_revenue", "removals")
PROTECTION = ("exposure", "protection_gap", "deaths_on_road", "removals_in_need", "refused", "regularised")
ECONOMY = ("passage_price", "remittances")
OUTCOMES = (*CONTROL, *PROTECTION, *ECONOMY)
PARTS = ("irregular_stock", "irregular_inflow", "regularised")  # outcomes of which shares are told, all in the place
MAIN = 0.1  # share of the region's people abroad from which another country's policy is asked about too
SPEAK = 0.5  # of the prior's width: below it figures have narrowed an outcome
DIVIDED = (0.1, 0.9)  # shares of draws between which a verdict by outcomes is called uncertain
SURE = 0.9  # share of draws from which better or worse is said without a chance
SMALLEST = 0.05  # percent: a smaller change is none
CHANCE = "a share of draws, which has no interval of its own"
PAIRED = "80% interval over draws: parameters, effects of instruments and drivers, the same on both sides"
NONE, FEW = "no change", "too few"


@dataclass(frozen=True)
class Floor:
    """A rights floor that a package breaks, puts at risk, or about which the draws are divided."""

    title: str
    verdict: str  # breaks | at risk | divided
    place: str
    why: str
    share: float | None  # of draws; None if the instruments themselves say so


@dataclass(frozen=True, eq=False)
class Judged:
    """Packages with one place as the one that acts, beside present policies.

    Only corridors that start or end at the place are counted.

    Attributes
    ----------
    place, begins : str
        Who acts, and the first year of action.
    scenarios : mapping of package to Scenario
    names : tuple of str
        Present policies first, then every package, the package that waits begun later, and refusals up by a tenth.
    at_end, person_years : mapping of outcome to (scenario, draw) array
        Totals of the window; stocks at its end, or as person-years over it.
    units : mapping of outcome to unit
    floors : mapping of package to its floors
    moved : polars.DataFrame
        Substitution effects.
    abroad : mapping of place to (scenario, draw) array
        People in an irregular status at the end, elsewhere.
    entries : mapping of channel to (scenario, draw) array
        People who come to the place over the window; "at the end": without papers in its last year.
    parts : polars.DataFrame
        What each instrument of one package contributes to what it changes.
    prior : frozenset of str
        Outcomes that no figure has narrowed.
    draws : int
    """

    place: str
    begins: str
    scenarios: Mapping[str, Scenario]
    names: tuple[str, ...]
    at_end: Mapping[str, np.ndarray]
    person_years: Mapping[str, np.ndarray]
    units: Mapping[str, str]
    floors: Mapping[str, tuple[Floor, ...]]
    moved: pl.DataFrame
    abroad: Mapping[str, np.ndarray]
    entries: Mapping[str, np.ndarray]
    parts: pl.DataFrame
    prior: frozenset[str]
    fitted: tuple[int, int] | None = field(default=None)  # parameters that figures speak of, and all; None: all prior

    @property
    def draws(self) -> int:
        """Number of draws."""
        return len(next(iter(self.at_end.values()))[0])

    def pair(self, name: str, outcome: str, *, years: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Draws of an outcome under a package, and under present policies."""
        values = (self.person_years if years else self.at_end)[outcome]
        return values[self.names.index(name)], values[0]

    def change(self, name: str, outcome: str) -> Text:
        """Change beside present policies in percent, with its interval, as a cell."""
        return relative(*self.pair(name, outcome), self.units[outcome], self.sources(name))

    def better(self, name: str, outcome: str) -> Text:
        """Share of draws in which it is better, as a cell."""
        good, bad = self.shares(name, outcome)
        return (chance(good),) if good or bad else ("–",)

    def shares(self, name: str, outcome: str) -> tuple[float, float]:
        """Shares of draws in which a package is better and worse in an outcome."""
        from zhol.policy.outcomes import all_outcomes
        from zhol.policy.outcomes import outcome as one_of

        after, base = self.pair(name, outcome)
        known = np.isfinite(after) & np.isfinite(base)
        gap = np.where(known, after - base, 0.0) * (1.0 if one_of(outcome).direction == "more" else -1.0)
        gap = np.where(np.abs(gap) > all_outcomes().tolerance * np.abs(np.where(known, base, 0.0)), gap, 0.0)
        return float((gap > 0).mean()), float((gap < 0).mean())

    def lawful(self, name: str) -> bool:
        """Whether a package breaks no rights floor."""
        return not any(f.verdict == "breaks" for f in self.floors.get(name, ()))

    def lawful_first(self, names: Sequence[str]) -> list[str]:
        """The same packages in the same order, those that are not lawful last."""
        return sorted(names, key=lambda n: not self.lawful(n))

    def sources(self, name: str) -> tuple[str, ...]:
        """The runs, and the rows of evidence on which the effects of a package rest."""
        return (RUNS, *evidence_of(self.scenarios[name].instruments))

    def rests_on(self, name: str) -> Text:
        """The line of sources under a table of a package."""
        found = self.sources(name)
        if len(found) == 1:
            return text("From runs of the system{run}; no measured effect stands behind it.", run=Marks((RUNS,)))
        return text("From runs of the system{run} and effects from studies{rows}.", run=Marks((RUNS,)),
                    rows=Marks(found[1:]))  # fmt: skip


def evidence_of(instruments: Sequence[str]) -> tuple[str, ...]:
    """Studies that the effects of instruments rest on, each by its first row of evidence; recalled rows left out."""
    from zhol.policy.instruments import instrument, recalled_rows

    rows = {i for name in instruments for e in instrument(name).effects for i in e.evidence} - recalled_rows()
    return tuple(sorted({next(k for k, s in studies().items() if i in s["rows"]) for i in rows}))


@lru_cache(maxsize=1)
def studies() -> dict[str, dict[str, Any]]:
    """Studies as sources: title, address, and their rows of evidence; known by the first of these rows."""
    from zhol.policy.instruments import evidence

    found: dict[str, dict[str, Any]] = {}
    keys: dict[str, str] = {}
    for row in evidence().sort("evidence_id").to_dicts():
        key = keys.setdefault(row["citation"] or row["evidence_id"], row["evidence_id"])
        one = found.setdefault(key, {"title": row["citation"] or "", "url": "", "rows": []})
        one["rows"].append(row["evidence_id"])
        one["url"] = one["url"] or (f"https://doi.org/{row['doi']}" if row["doi"] else "")
    for one in found.values():
        rows = "row" if len(one["rows"]) == 1 else "rows"
        one["publisher"] = f"Evidence of this package, {rows} {', '.join(one['rows'])}"
    return found


def chance(share: float) -> Number:
    """A share of draws."""
    return Number(Quantity(100 * share, None, None, "%", (RUNS,), no_interval=CHANCE), "whole", quiet=True)


def relative(after: np.ndarray, base: np.ndarray, unit: str, sources: tuple[str, ...]) -> Text:
    """Change in percent, draw by draw; nothing where the base is too small for a rate."""
    known = np.isfinite(after) & np.isfinite(base) & (base > 0)
    if known.mean() < 0.5 or (is_people(unit) and np.median(base[known]) < SMALLEST_BASE):
        return (FEW,)
    return percent(100.0 * (after[known] / base[known] - 1.0), sources)


def percent(values: np.ndarray, sources: tuple[str, ...]) -> Text:
    """A change in percent with its interval."""
    low, middle, high = (float(v) for v in np.quantile(values, [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2]))
    if max(abs(low), abs(high)) < SMALLEST:
        return (NONE,)
    return (Number(Quantity(middle, low, high, "%", sources, PAIRED), "signed", quiet=True),)


@lru_cache(maxsize=8)
def judged(region: Region, place: str) -> Judged | None:
    """The packages with a place as the one that acts; None where they are not asked about or cannot be believed."""
    from zhol.brief.sections.credible import credible
    from zhol.brief.sections.the_system import main_side

    view = outlook(region)
    if view is None or not _asked(view, region, place):
        return None
    if not credible(view, region, place).irregular(main_side(view, place)):
        return None
    scenarios = scenarios_of(region, place)
    key = fingerprint(region, region.recalled, place, DRAWS, FEWER, SEED, START, END, view.fit is None)
    arrays, head = stored("policy", key, lambda: _made(region, place, scenarios))
    return read_back(arrays, head, scenarios, view)


def scenarios_of(region: Region, place: str) -> dict[str, Scenario]:
    """The ready-made packages with a place as the one that acts, the one that waits, and refusals up by a tenth."""
    from zhol.policy.ready_made import package
    from zhol.policy.scenario import Measure, Scenario

    path = str(region.path)
    found = {name: package(name, place, region=path) for name in (*RECOMMENDATIONS, *TOGETHER)}
    for wait in YEARS:
        found[waiting(wait)] = replace(found[WAITS].shifted(12 * wait), name=waiting(wait))
    first = min(m.start for m in found[WAITS].measures)
    refused = Measure("visa_refusals", place, first, intensity=TENTH, ramp_months=0)
    return {**found, REFUSALS: Scenario(REFUSALS, measures=(refused,), region=path)}


def waiting(wait: int) -> str:
    """Name of the package begun so many years later."""
    return f"{WAITS}, {wait} years later"


def _asked(view: Outlook, region: Region, place: str) -> bool:
    """Countries that the pack is about, and those where many of their people live."""
    inside = [p for p in region.focus if p in view.model.places]
    if place in inside:
        return True
    kinds = dict(region.places.select("place", "kind").iter_rows())
    if kinds.get(place) != "country" or place not in view.model.places or not inside:
        return False
    abroad, labels = view.run.draws("stock", ("destination",), {"origin": inside})
    middle = np.median(abroad[:, view.at(view.now)], axis=0)
    return place in labels["destination"] and middle[labels["destination"].index(place)] >= MAIN * middle.sum()


def _made(region: Region, place: str, scenarios: Mapping[str, Scenario]) -> tuple[dict[str, np.ndarray], Any]:
    """Run everything on the coarse model; one run is held at a time beside the base."""
    from zhol.policy._uncertain.coarse import coarse_model
    from zhol.policy.contributions import contribution
    from zhol.policy.paired import pair

    model, _ = coarse_model(region)
    paired = pair([None, *scenarios.values()], model, start=START, end=END, draws=DRAWS, seed=SEED)
    arrays, head = reduced(place, (BASE, *scenarios), _runs(paired), paired, region.focus)
    say("what each instrument adds")
    shares = contribution(
        scenarios[WAITS],
        model,
        outcomes=PARTS,
        draws=FEWER,
        seed=SEED,
        start=START,
        end=END,
        orders=2,
        interactions=False,
        exact=1,
        level=LEVEL,
    )
    for one, values in shares.shares.items():
        arrays[f"share {one}"], arrays[f"whole {one}"] = values, shares.effect[one]
    return arrays, {**head, "instruments": list(shares.instruments)}


def _runs(paired: Paired) -> Iterator[Run]:
    for number, plan in enumerate(paired.plans):
        say(f"policies, {number + 1} of {len(paired.plans)}: {plan.name}")
        yield paired.run(number)


def reduced(
    place: str, names: Sequence[str], runs: Iterable[Run], paired: Any, focus: Sequence[str]
) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Totals of every run, its floors and what it moves, so that no run need be kept."""
    from zhol.policy.outcomes import outcome as one_of
    from zhol.policy.outcomes import scope_of, totals, unit_of

    each = iter(runs)
    base = next(each)
    scope = own_corridors(scope_of(base, (place,), focus), place)
    found: dict[str, list[np.ndarray]] = {}
    floors: dict[str, list[dict[str, Any]]] = {}
    moved: list[dict[str, Any]] = []
    for number, name in enumerate(names):
        run = base if number == 0 else next(each)
        for outcome in OUTCOMES:
            one = one_of(outcome)
            found.setdefault(f"end {outcome}", []).append(totals(run, one, scope))
            found.setdefault(f"years {outcome}", []).append(totals(run, one, scope, years=float(len(run.time))))
        for key, values in _elsewhere(run, place).items():
            found.setdefault(key, []).append(values)
        if name in (*RECOMMENDATIONS, *TOGETHER):
            floors[name] = [asdict(f) for f in _floors(run, base, place, paired.plans[number].scenario)]
        if name in MOVED:
            moved += _moved(run, base, scope, name, paired, number)
    arrays = {name: np.stack(values) for name, values in found.items()}
    units = {o: unit_of(base, one_of(o)) for o in OUTCOMES}
    return arrays, {"names": list(names), "place": place, "floors": floors, "moved": moved, "units": units}


def own_corridors(scope: Scope, place: str) -> Scope:
    """The scope with the corridors of one place alone: totals over all corridors rest on priors."""
    own = [tuple(c for c in cs if place in c.split(">")) for cs in (scope.corridors, scope.in_need)]
    return replace(scope, corridors=own[0], in_need=own[1])


def _elsewhere(run: Run, place: str) -> dict[str, np.ndarray]:
    """People in an irregular status elsewhere, at the end; who come here, by channel, and without papers at the end."""
    stock, labels = run.draws("irregular_stock", ["destination"])
    out = {f"in {p}": stock[:, -1, i] for i, p in enumerate(labels["destination"]) if p != place}
    if place not in labels["destination"]:
        return out
    entries, kinds = run.draws("entries", ["channel"], {"destination": place})
    come = {f"come {kind}": entries[:, :, i].sum(axis=1) for i, kind in enumerate(kinds["channel"])}
    return {**out, **come, "come at the end": entries[:, -1, kinds["channel"].index("passage")]}


def _floors(run: Run, base: Run, place: str, scenario: Any) -> list[Floor]:
    """Floors that the instruments or the outcomes of a package break; at the place itself also where draws differ."""
    from zhol.policy.rights import judge, outcome_shares

    out = [Floor(b.title, b.verdict, b.place, b.why, None) for b in judge(scenario)]
    actors = {place, *(a.actor for a in scenario.actions())}  # a country that does nothing breaks nothing
    for floor, test, where, share in outcome_shares(run, base):
        breaks = share > test.probability and where in actors
        if breaks or (where == place and share >= DIVIDED[0]):
            out.append(Floor(floor.title, "breaks" if breaks else "divided", where, test.what, share))
    return out


def _moved(run: Run, base: Run, scope: Scope, name: str, paired: Any, number: int) -> list[dict[str, Any]]:
    """Rows of the four substitution effects of one package."""
    from zhol.policy.comparison import Comparison
    from zhol.policy.outcomes import chosen
    from zhol.policy.substitution import span_of

    acts = [a.intensity(paired.months) for a in paired.plans[number].actions]
    years = len(base.time)
    two = Comparison((BASE, name), (base, run), chosen(None), scope, ((), ()), LEVEL, (),
                     ((0, years - 1), span_of(acts, years)))  # fmt: skip
    return two.substitution().table.to_dicts()


def read_back(arrays: Mapping[str, np.ndarray], head: Any, scenarios: Mapping[str, Scenario], view: Outlook) -> Judged:
    """The judgement, from what was kept of its runs: draws that stay finite in all of them."""
    names = tuple(head["names"])
    shared = [n for n in arrays if not n.startswith(("share ", "whole "))]
    good = np.ones(arrays[shared[0]].shape[1], dtype=bool)
    for name in shared:
        if "passage_price" not in name:  # where nobody passes there is no price
            good &= np.isfinite(arrays[name]).all(axis=0)

    def group(start: str) -> dict[str, np.ndarray]:
        return {n.removeprefix(start): arrays[n][:, good] for n in shared if n.startswith(start)}

    floors = {name: tuple(Floor(**f) for f in rows) for name, rows in head["floors"].items()}
    fitted = None
    if view.fit is not None:
        table = view.fit.identified
        fitted = (int(table["well_identified"].sum()), table.height)
    return Judged(
        head["place"],
        min(m.start for s in scenarios.values() for m in s.measures)[:4],
        scenarios,
        names,
        group("end "),
        group("years "),
        dict(head["units"]),
        floors,
        pl.DataFrame(head["moved"], infer_schema_length=None),
        group("in "),
        group("come "),
        _parts(arrays, head),
        prior_only(view, head["place"]),
        fitted,
    )


def _parts(arrays: Mapping[str, np.ndarray], head: Any) -> pl.DataFrame:
    """Shares of the instruments in what their package changes, in percent of present policies."""
    rows = []
    for name in arrays:
        if name.startswith("share "):
            outcome = name.removeprefix("share ")
            base = arrays[f"end {outcome}"][0][: len(arrays[name])]  # draws begin alike, however many there are
            columns = [*zip(head["instruments"], arrays[name].T, strict=True), ("together", arrays[f"whole {outcome}"])]
            for instrument, values in columns:
                known = np.isfinite(base) & np.isfinite(values) & (base > 0)
                if known.sum() > 1:
                    parts = 100.0 * values[known] / base[known]
                    low, high = (float(v) for v in np.quantile(parts, [0.5 - LEVEL / 2, 0.5 + LEVEL / 2]))
                    ends = {"mean": float(parts.mean()), "low": low, "high": high}
                    rows.append({"outcome": outcome, "instrument": instrument, **ends})
    text_type, number = pl.String(), pl.Float64()
    schema = {"outcome": text_type, "instrument": text_type, "mean": number, "low": number, "high": number}
    return pl.DataFrame(rows, schema=schema)


def prior_only(view: Outlook, place: str) -> frozenset[str]:
    """Outcomes of the place's corridors of which the fit is not much narrower than the prior."""
    from zhol.policy.outcomes import outcome as one_of
    from zhol.policy.outcomes import scope_of, totals

    if view.fit is None or view.prior is None:
        return frozenset(OUTCOMES)
    runs = [since(run, START) for run in (view.run, view.prior)]
    scope = own_corridors(scope_of(runs[0], (place,), ()), place)
    out = set()
    for name in OUTCOMES:
        widths = []
        for run in runs:
            values = totals(run, one_of(name), scope)
            values = np.log(np.maximum(values[np.isfinite(values)], 0.5))
            widths.append(float(np.diff(np.quantile(values, [0.1, 0.9]))[0]) if len(values) > 1 else math.inf)
        if not widths[0] < SPEAK * widths[1]:
            out.add(name)
    return frozenset(out)


def outcomes_of(names: Sequence[str]) -> tuple[Outcome, ...]:
    """Outcomes by name."""
    from zhol.policy.outcomes import outcome

    return tuple(outcome(name) for name in names)
