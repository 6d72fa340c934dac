"""Which uncertain parameter, effect or driver decides the answer: Sobol's and Morris' indices on the whole system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.policy._uncertain.coarse import coarse_model, window
from zhol.policy._uncertain.indices import SCALES, global_indices
from zhol.policy._uncertain.inputs import Factor, grouped, joined
from zhol.policy._uncertain.system import Setting, acting_of, evaluate, setting_of
from zhol.policy.outcomes import Outcome
from zhol.policy.outcomes import outcome as outcome_of
from zhol.policy.paired import name_of
from zhol.system.instruments import actions_of

if TYPE_CHECKING:
    import altair as alt

    from zhol.region.load import Region
    from zhol.system.model import Model

OUTCOMES = ("irregular_stock", "deaths_on_road", "exposure", "protection_gap", "unfilled_demand")
KEEP = 12  # factors that stand alone after the screening
PRESENT = "present policies"
_PATHS = 20  # trajectories of a screening, at most
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Sensitivity:
    """What decides an answer; frozen.

    Attributes
    ----------
    table : polars.DataFrame
        A row an outcome and factor, largest first. Sobol: ``first`` (share of the variance that knowing the factor
        would take away) and ``total`` (share left while only the factor is unknown), with intervals. Morris:
        ``mean_effect``, ``size`` and ``spread`` of going from the 5 % to the 95 % quantile. ``basis`` and ``evidence``
        say what the width of the factor rests on; ``prior_only``, that nothing does.
    screening : polars.DataFrame
        Morris effects of every factor, by which those that stand alone were chosen; empty if all do.
    method, scale : str
    what : str
        What was asked: the scenario, and beside what.
    runs : int
        Runs of the system that were made.
    level : float
        Coverage of the intervals, which are about the number of runs, not about the world.
    warnings : tuple of str
    """

    table: pl.DataFrame
    screening: pl.DataFrame
    method: str
    scale: str
    what: str
    runs: int
    level: float
    warnings: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def prior_only(self) -> pl.DataFrame:
        """Share of each outcome's variance that goes with inputs that neither data nor evidence stand behind."""
        if self.method != "sobol":
            raise ZholError("shares of variance need Sobol's indices", found=self.method, expected="method='sobol'")
        alone = self.table.filter(pl.col("prior_only")).group_by("outcome", maintain_order=True)
        shares = alone.agg(pl.col("first").clip(0).sum().clip(0, 1).alias("share"))
        names = self.table.select("outcome").unique(maintain_order=True)
        return names.join(shares, on="outcome", how="left", maintain_order="left").fill_null(0.0)

    def summary(self) -> str:
        """What decides each outcome, in plain text."""
        key = "total" if self.method == "sobol" else "size"
        lines = [f"Sensitivity of {self.what}: {self.method}, {self.runs:,} runs, on the {self.scale} scale"]
        for (name,), rows in self.table.group_by("outcome", maintain_order=True):
            lines.append(f"{rows['title'][0]} ({name})")
            for row in rows.sort(key, descending=True).head(5).to_dicts():
                marked = " [prior only: no data, no evidence]" if row["prior_only"] else f" [{row['basis']}]"
                lines.append(f"  {row['factor']}: {key} {row[key]:.2f} ({row[f'{key}_low']:.2f} to "
                             f"{row[f'{key}_high']:.2f}){marked}")  # fmt: skip
        if self.method == "sobol":
            lines += [f"Prior alone decides at least {s:.0%} of {name}" for name, s in self.prior_only.iter_rows()]
        return "\n".join([*lines, *(f"Warning: {w}" for w in self.warnings)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        from zhol.core.result import json_ready

        found: dict[str, Any] = json_ready({
            "what": self.what, "method": self.method, "scale": self.scale, "runs": self.runs, "level": self.level,
            "table": self.table, "screening": self.screening, "warnings": list(self.warnings),
            "details": dict(self.details),
        })  # fmt: skip
        return found

    def plot(self, outcome: str | None = None, title: str = "", most: int = 15) -> alt.Chart | alt.LayerChart:
        """Interval chart of the largest indices of one outcome: first-order and total side by side."""
        from zhol.core import charts

        name = outcome or self.table["outcome"][0]
        rows = self.table.filter(pl.col("outcome") == name)
        if rows.is_empty():
            raise ZholError("no such outcome here", found=name, expected=", ".join(self.table["outcome"].unique()))
        kinds = (("total", "total"), ("first", "alone")) if self.method == "sobol" else (("size", "size"),)
        parts = [
            {"label": r["factor"], "value": r[key], "low": r[f"{key}_low"], "high": r[f"{key}_high"], "group": words}
            for r in rows.head(most).to_dicts() for key, words in kinds
        ]  # fmt: skip
        if len(kinds) == 1:
            parts = [{k: v for k, v in p.items() if k != "group"} for p in parts]
        unit = "share of variance" if self.method == "sobol" else f"change of the outcome, {self.scale} scale"
        return charts.interval(pl.DataFrame(parts), unit=unit, title=title or f"What decides: {rows['title'][0]}")


def sensitivity(
    scenario: Any = None,
    region_or_model: Region | Model | str = "central_asia",
    *,
    outcome: str | Sequence[str] = OUTCOMES,
    method: str = "sobol",
    runs: int = 20_000,
    base: Any = None,
    keep: int | None = KEEP,
    groups: Mapping[str, Sequence[str]] | None = None,
    scale: str = "rank",
    start: str | None = None,
    end: str | None = None,
    seed: int = 1,
    level: float = 0.95,
    acting: Sequence[str] | str | None = None,
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """Global sensitivity of outcomes to every uncertain input of the system.

    One factor is a named parameter of the system (those of places and corridors vary together), the effect of an
    instrument on a lever, or a driver. Sobol's indices are made in two steps: Morris' effects of all factors, then
    Sobol's of the largest and of everything else as one, so that what the screening missed would show there.

    Parameters
    ----------
    scenario : None, Scenario, or actions
        None is present policies.
    region_or_model : Region, Model or name of a pack
        A model is used as it is; from a region the coarse one is made, without the smallest corridors.
    outcome : str or sequence of str
        Names of `zhol.policy.outcomes`; all are taken from the same runs.
    method : {"sobol", "morris"}
    runs : int
        Most runs of the system, all steps together; with a base two runs make one evaluation.
    base : optional
        A scenario, or ``"present policies"``: then the difference of the scenario to it is asked about.
    keep : int, optional
        Factors that stand alone at least; None is all of them, without screening.
    groups : mapping of a name to names of factors, optional
        Factors that vary together as one, as ``{"corridors": ["pull_corridor", "labour_corridor"]}``.
    scale : {"rank", "log", "natural"}
        Under wide priors a few extreme draws hold nearly all the variance of the natural scale; ranks resist them.
    start, end : str, optional
        Years or months; else from the year before the first action to ten years after it.
    seed, level
        Seed of the design; coverage of the intervals.
    acting : optional
        Countries that outcomes "here" are counted for; else those that act, else those the pack is about.
    parameters, drivers
        As in ``Model.simulate``. Draws of a posterior keep what hangs together within a factor, not between factors.
    cluster : str, optional
        Dask scheduler, ``tcp://host:port``.
    progress : callable (step, done, all), optional

    Raises
    ------
    ZholError
        Unknown method, scale, outcome or group; too few runs; nothing uncertain.

    References
    ----------
    Saltelli, Annoni, Azzini, Campolongo, Ratto, Tarantola (2010), doi 10.1016/j.cpc.2009.09.018;
    Campolongo, Cariboni, Saltelli (2007), doi 10.1016/j.envsoft.2006.10.004.

    Examples
    --------
    >>> import zhol
    >>> visas = zhol.policy.package("r1_borders", "KAZ", "2026-01")
    >>> found = zhol.policy.sensitivity(visas, outcome="deaths_on_road", base="present policies",
    ...     runs=20_000)  # doctest: +SKIP
    >>> found.table.select("factor", "total", "basis")  # doctest: +SKIP
    """
    if scale not in SCALES:
        raise ZholError("unknown scale of the outcome", found=scale, expected=", ".join(SCALES))
    if method not in ("sobol", "morris"):
        raise ZholError("unknown method of sensitivity", found=method, expected="sobol or morris")
    wanted = [outcome_of(n) for n in ([outcome] if isinstance(outcome, str) else outcome)]
    model, said = coarse_model(region_or_model)
    worlds = [tuple(actions_of(scenario, model))]
    if base is not None:
        worlds.append(tuple(actions_of(None if isinstance(base, str) and base == PRESENT else base, model)))
    months = window([a for w in worlds for a in w], start, end)
    setting = setting_of(model, worlds, months, wanted, acting_of(worlds, acting, model), seed=seed,
                         parameters=parameters, drivers=drivers)  # fmt: skip
    factors = grouped(setting.inputs.factors, groups)
    if not factors:
        raise ZholError("nothing is uncertain here", hint="parameters, effects and drivers are all fixed")
    asked = _Asked(setting, scale, seed, level, cluster, progress)
    table, screening, made = asked.indices(factors, method, runs // len(worlds), keep)
    what = name_of(scenario) + ("" if base is None else f" beside {base if isinstance(base, str) else name_of(base)}")
    head = _head(table, factors, wanted)
    details = {"start": months[0], "end": months[-1], "parameters": setting.origin, "acting": setting.scope.acting,
               "factors": len(factors), "corridors": len(model.corridors), "notes": setting.notes}  # fmt: skip
    return Sensitivity(head, screening, method, scale, what, made * len(worlds), level,
                       _warnings(setting, said, asked.lost, months), details)  # fmt: skip


@dataclass
class _Asked:
    """The system as the function that indices are made of; remembers how many runs were not finite."""

    setting: Setting
    scale: str
    seed: int
    level: float
    cluster: str | None
    progress: Progress | None
    lost: int = 0

    def indices(
        self, factors: Sequence[Factor], method: str, runs: int, keep: int | None
    ) -> tuple[pl.DataFrame, pl.DataFrame, int]:
        """Table, screening and evaluations made."""
        if method == "morris" or keep is None or len(factors) <= keep + 1:
            table, made = self._table(factors, method, runs, method)
            return table, _none(), made
        paths = max(2, min(_PATHS, runs // 8 // (len(factors) + 1)))
        needed = paths * (len(factors) + 1) + 4 * (keep + 3)
        if runs < needed:
            raise ZholError("too few runs for a screening and Sobol's indices", found=runs,
                            expected=f"{needed} or more", hint="method='morris', or groups of inputs")  # fmt: skip
        screening, first = self._table(factors, "morris", paths * (len(factors) + 1), "screening")
        left = runs - first
        number = _alone(left, keep, len(factors))
        alone, rest = _largest(screening, factors, number)
        table, second = self._table([*alone, *([_rest(rest)] if rest else [])], "sobol", left, "sobol")
        return table, screening, first + second

    def _table(self, factors: Sequence[Factor], method: str, runs: int, step: str) -> tuple[pl.DataFrame, int]:
        made = [0]

        def function(unit: np.ndarray) -> np.ndarray:
            made[0] += len(unit)
            tell = None if self.progress is None else lambda done, of: self.progress(step, done, of)  # type: ignore[misc]
            inputs = self.setting.inputs.values(unit, factors)
            found = evaluate(self.setting, inputs, cluster=self.cluster, progress=tell)
            self.lost += int((~np.isfinite(found)).any(axis=(1, 2)).sum())
            values = found[:, 0] - found[:, 1] if found.shape[1] > 1 else found[:, 0]
            return np.asarray(values)

        table = global_indices(function, [f.name for f in factors], method=method, runs=runs, seed=self.seed,
                               level=self.level, scale=self.scale)  # fmt: skip
        ids = {i: o.id for i, o in enumerate(self.setting.outcomes)}
        return table.with_columns(pl.col("outcome").replace_strict(ids)), made[0]


def _none() -> pl.DataFrame:
    numbers = dict.fromkeys(("mean_effect", "size", "size_low", "size_high", "spread"), pl.Float64())
    return pl.DataFrame(schema={"outcome": pl.String(), "factor": pl.String(), **numbers})


def _alone(runs: int, keep: int, count: int) -> int:
    """How many factors stand alone: at least ``keep``, and as many more as the same number of points pays for."""
    base = 2 ** int(np.floor(np.log2(runs / (keep + 3))))
    return min(count, runs // base - 3)


def _largest(screening: pl.DataFrame, factors: Sequence[Factor], number: int) -> tuple[list[Factor], list[Factor]]:
    """Those largest in any outcome, each outcome on its own scale, and the rest."""
    sizes = screening.with_columns((pl.col("size") / pl.col("size").max().over("outcome")).fill_nan(0.0).alias("share"))
    order = sizes.group_by("factor").agg(pl.col("share").max()).sort("share", "factor", descending=[True, False])
    first = set(order["factor"].to_list()[:number])
    return [f for f in factors if f.name in first], [f for f in factors if f.name not in first]


def _rest(factors: Sequence[Factor]) -> Factor:
    return factors[0] if len(factors) == 1 else joined(f"everything else ({len(factors)})", factors)


def _head(table: pl.DataFrame, factors: Sequence[Factor], wanted: Sequence[Outcome]) -> pl.DataFrame:
    """The table with what each factor is and rests on."""
    known = {f.name: f for f in factors}
    rows = []
    for name in table["factor"].unique(maintain_order=True):
        f = known.get(name)
        rows.append({
            "factor": name, "kind": f.kind if f else "group", "basis": f.basis if f else "several",
            "evidence": f.evidence if f else "", "prior_only": f.prior_only if f else None,
            "meaning": f.meaning if f else "all that the screening found small, varied together",
        })  # fmt: skip
    told = pl.DataFrame(rows, schema_overrides={"prior_only": pl.Boolean}, infer_schema_length=None)
    titles = pl.DataFrame({"outcome": [o.id for o in wanted], "title": [o.title for o in wanted]})
    numbers = [c for c in table.columns if c not in ("outcome", "factor")]
    found = table.join(told, on="factor", maintain_order="left").join(titles, on="outcome", maintain_order="left")
    place = pl.col("outcome").replace_strict({o.id: i for i, o in enumerate(wanted)}, return_dtype=pl.Int64)
    found = found.sort(place, "total" if "total" in numbers else "size", descending=[False, True])
    return found.select("outcome", "title", "factor", "kind", *numbers, "basis", "prior_only", "evidence", "meaning")


def _warnings(setting: Setting, said: str, lost: int, months: Sequence[str]) -> tuple[str, ...]:
    out = [f"parameters: {setting.origin}; {months[0]} to {months[-1]}"]
    if said:
        out.append(said)
    if not setting.origin.startswith("prior"):
        out.append("parameters of different names are drawn apart: what the posterior says of them jointly is left out")
    if lost:
        out.append(f"{lost} runs were not finite and stand highest in rank")
    return (*out, "intervals tell how many runs were made; they are not about the world")
