"""Rights floors: hard constraints on policy. A scenario that breaks one is not lawful, whatever else it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zhol.core.errors import ZholError
from zhol.policy.instruments import instrument
from zhol.policy.places import places_of
from zhol.policy.scenario import Scenario, month_text
from zhol.system.instruments import Action, month_number

if TYPE_CHECKING:
    from zhol.system.run import Run

# A file of floors without one of these is refused: floors can be added, never dropped.
ALWAYS = (
    "non_refoulement", "access_to_asylum", "collective_expulsion", "detention_last_resort", "children",
    "non_discrimination", "fair_hearing", "right_to_leave",
)  # fmt: skip

_ROUNDING = 1e-4  # paths jump within a month by less than this


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Row):
    """Where a floor comes from; ``row`` names a row of the pack's bodies, agreements or events."""

    title: str
    row: str | None = None
    status: Literal["read_primary", "read_secondary", "recalled"]


class OutcomeTest(_Row):
    """When a run is held to break a floor: an outcome is worse than the base in more than ``probability`` of draws."""

    measure: Literal["removals_in_need", "recognised_share", "claims_share"]
    what: str
    worse: Literal["up", "down"]
    tolerance: float = Field(ge=0, le=0.25)
    probability: float = Field(gt=0, le=0.9)


class Floor(_Row):
    """One rights floor."""

    id: str
    title: str
    text: str
    sources: tuple[Source, ...] = Field(min_length=1)
    outcomes: tuple[OutcomeTest, ...] = ()


class Floors(_Row):
    """All floors and the thresholds of their tests."""

    unit: str
    in_need: float = Field(gt=0, le=0.5)
    fewest: int = Field(ge=1, le=1000)
    companion: float = Field(gt=0, le=1)
    floors: tuple[Floor, ...]

    def __getitem__(self, name: str) -> Floor:
        return next(f for f in self.floors if f.id == name)


@dataclass(frozen=True)
class Broken:
    """A floor that is broken or at risk.

    Attributes
    ----------
    floor, title : str
    verdict : {"breaks", "at risk"}
    found_by : {"instrument", "outcome"}
        Declared by the instrument, or seen in the run.
    place : str
        Who breaks it.
    what : str
        The instrument, or the outcome.
    since : str
        First month, for an instrument.
    probability : float or None
        Share of draws, for an outcome.
    why : str
    """

    floor: str
    title: str
    verdict: str
    found_by: str
    place: str
    what: str
    since: str
    probability: float | None
    why: str


def read_floors(text: str, file: str = "rights_floors.yaml") -> Floors:
    """Floors from the text of their file.

    Raises
    ------
    ZholError
        If a floor that always holds is missing, or a threshold would switch it off.
    """
    try:
        found = Floors.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        raise ZholError(first["msg"].lower(), file=file, column=".".join(map(str, first["loc"]))) from error
    missing = [name for name in ALWAYS if name not in {f.id for f in found.floors}]
    if missing:
        raise ZholError("rights floors cannot be left out", file=file, found=", ".join(missing))
    return found


@cache
def floors() -> Floors:
    """The floors that ship with zhol.

    Examples
    --------
    >>> floors()["non_refoulement"].title
    'Nobody is returned to danger'
    """
    folder = resources.files("zhol") / "packs" / "shared"
    return read_floors((folder / "rights_floors.yaml").read_text(encoding="utf-8"))


def refuse_weights(weights: Mapping[str, Any], file: str | None = None) -> None:
    """Raise if somebody gives a rights floor a weight: floors are not traded against anything.

    Examples
    --------
    >>> refuse_weights({"irregular_stock": 1.0})

    Raises
    ------
    ZholError
        If a floor is among the names.
    """
    known = {f.id for f in floors().floors}
    for name in weights:
        if name in known:
            raise ZholError("a rights floor has no weight and cannot be set to zero", file=file, found=name,
                            hint="leave it out: it always holds")  # fmt: skip


def judge(subject: Scenario | Run, base: Run | None = None) -> list[Broken]:
    """Rights floors that a scenario or a run breaks or puts at risk.

    Parameters
    ----------
    subject : Scenario or Run
        A scenario is judged by what its instruments declare; a run by its outcomes beside the base.
    base : Run, optional
        The run without the scenario, under the same draws; needed for a run.

    Returns
    -------
    list of Broken
        Empty if none. `lawful` says whether any is broken outright.

    Raises
    ------
    ZholError
        If a run comes without a base of the same draws and months.

    Examples
    --------
    >>> from zhol.policy.scenario import Scenario
    >>> hard = Scenario("hard", measures=[
    ...     {"instrument": "asylum_restriction", "actor": "KAZ", "from": "2027-01", "ramp_months": 0}])
    >>> [(b.floor, b.verdict) for b in judge(hard)]
    [('access_to_asylum', 'breaks'), ('non_refoulement', 'breaks')]
    >>> lawful(judge(hard)), lawful(judge(hard.scaled(0.1)))
    (False, True)
    """
    if isinstance(subject, Scenario):
        return list(dict.fromkeys(_declared(subject)))
    if base is None:
        raise ZholError("a run is judged beside a base", hint="give the run without the scenario, same draws and seed")
    if subject.n_draws != base.n_draws or subject.time != base.time:
        raise ZholError("run and base differ in draws or months", hint="simulate both with the same settings")
    return _seen(subject, base)


def lawful(broken: Iterable[Broken]) -> bool:
    """Whether no floor is broken outright."""
    return not any(b.verdict == "breaks" for b in broken)


def broken_table(broken: Iterable[Broken]) -> pl.DataFrame:
    """The floors broken or at risk, one row each."""
    types = {name: pl.Float64() if name == "probability" else pl.String() for name in Broken.__dataclass_fields__}
    return pl.DataFrame([asdict(b) for b in broken], schema=types)


def _declared(scenario: Scenario) -> Iterable[Broken]:
    """What instruments declare, for each actor, unless the instrument that keeps them lawful goes with them."""
    places = places_of(scenario.region)
    actions = scenario.actions()
    for m in scenario.measures:
        for breach in instrument(m.instrument).rights.may_break:
            for actor in places.expand(m.actor):
                own = next((a for a in actions if a.name == m.instrument and a.actor == actor and
                            a.path == m.points()), None)  # fmt: skip
                since = None if own is None else _first_month(own, breach.above, breach.unless, actions)
                if since is not None:
                    title = floors()[breach.floor].title
                    yield Broken(breach.floor, title, breach.verdict, "instrument", actor, m.instrument, since, None,
                                 breach.why)  # fmt: skip


def _first_month(own: Action, above: float, unless: tuple[str, ...], actions: list[Action]) -> str | None:
    """First month in which an action is stronger than allowed and nobody keeps it lawful."""
    first = month_number(own.path[0][0])
    months = [month_text(n) for n in range(first, month_number(own.path[-1][0]) + 2)]
    strong = own.intensity(months) > above + _ROUNDING
    for other in actions:
        whole = other.partner is None or other.partner == own.partner
        if other.name in unless and other.actor == own.actor and whole:
            strong &= other.intensity(months) < floors().companion
    return months[int(np.argmax(strong))] if strong.any() else None


def outcome_shares(run: Run, base: Run) -> list[tuple[Floor, OutcomeTest, str, float]]:
    """Each test of a floor by outcomes: the destination, and the share of draws in which a run is worse than its base.

    A run is held to break the floor where the share is above the test's ``probability``; between, draws are divided.
    """
    out = []
    for floor in floors().floors:
        for test in floor.outcomes:
            values, before, labels = _MEASURES[test.measure](run, base)
            worse = values > before * (1 + test.tolerance) if test.worse == "up" else values < before * (
                1 - test.tolerance
            )  # fmt: skip
            out += [(floor, test, place, float(s)) for place, s in zip(labels, worse.mean(axis=0), strict=True)]
    return out


def _seen(run: Run, base: Run) -> list[Broken]:
    """What the outcomes of a run show beside its base, destination by destination."""
    return [
        Broken(floor.id, floor.title, "breaks", "outcome", place, test.measure, "", share, test.what)
        for floor, test, place, share in outcome_shares(run, base)
        if share > test.probability
    ]


def _whole(run: Run, name: str, by: str, where: Mapping[str, Any] | None = None) -> tuple[np.ndarray, list[str]]:
    """An outcome summed over all months: (draw, place), and the places."""
    array, labels = run.draws(name, by=[by], where=where)
    return array.sum(axis=1), [str(x) for x in labels[by]]


def _kept(values: np.ndarray, before: np.ndarray, labels: list[str], counts: np.ndarray) -> tuple[Any, Any, list[str]]:
    """Only places where the base counts enough people to judge."""
    enough = np.median(counts, axis=0) >= floors().fewest
    return values[:, enough], before[:, enough], [x for x, e in zip(labels, enough, strict=True) if e]


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def _recognised_share(run: Run, base: Run) -> tuple[Any, Any, list[str]]:
    """Recognised among decided claims, by destination, in corridors weighed as the base decides.

    Held to one composition: fewer claims from a corridor that is mostly recognised, because its people need to flee
    less, lower the share of a destination and refuse nobody.
    """
    counts = []
    for one in (run, base):
        yes, corridors = _whole(one, "recognised", "corridor")
        no, _ = _whole(one, "refused", "corridor")
        counts.append((yes, yes + no))
    decided = counts[1][1]
    before = _ratio(counts[1][0], decided)
    now = np.where(counts[0][1] > 0, _ratio(*counts[0]), before)
    ends = [corridor.split(">")[1] for corridor in corridors]
    labels = sorted(set(ends))
    at = np.array([[float(end == place) for place in labels] for end in ends])
    whole = decided @ at
    return _kept(_ratio((now * decided) @ at, whole), _ratio((before * decided) @ at, whole), labels, whole)


def _claims_share(run: Run, base: Run) -> tuple[Any, Any, list[str]]:
    """Claims among claims and clandestine passage, by destination."""
    both = []
    for one in (run, base):
        claims, labels = _whole(one, "entries", "destination", {"channel": "asylum"})
        passage, _ = _whole(one, "entries", "destination", {"channel": "passage"})
        both.append((_ratio(claims, claims + passage), claims))
    return _kept(both[0][0], both[1][0], labels, both[1][1])


def _removals_in_need(run: Run, base: Run) -> tuple[Any, Any, list[str]]:
    """Removals in corridors where the base recognises most claims, by destination."""
    yes, corridors = _whole(base, "recognised", "corridor")
    no, _ = _whole(base, "refused", "corridor")
    share = np.median(_ratio(yes, yes + no), axis=0)
    decided = np.median(yes + no, axis=0) >= floors().fewest
    needy = [c for c, s, d in zip(corridors, share, decided, strict=True) if d and s >= floors().in_need]
    if not needy:
        return np.zeros((run.n_draws, 0)), np.zeros((run.n_draws, 0)), []
    values, labels = _whole(run, "removals", "destination", {"corridor": needy})
    before, _ = _whole(base, "removals", "destination", {"corridor": needy})
    return _kept(values, before, labels, before)


_MEASURES = {
    "recognised_share": _recognised_share,
    "claims_share": _claims_share,
    "removals_in_need": _removals_in_need,
}
