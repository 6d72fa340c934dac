"""Value of information: which study or figure would change the recommendation between scenarios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.core.quantity import plain_number
from zhol.policy._uncertain.coarse import coarse_model, window
from zhol.policy._uncertain.evppi import partial_values, perfect_value
from zhol.policy._uncertain.inputs import Factor, grouped
from zhol.policy._uncertain.system import Progress, Setting, acting_of, evaluate, setting_of
from zhol.policy.outcomes import Outcome, all_outcomes, unit_of
from zhol.policy.outcomes import outcome as outcome_of
from zhol.policy.paired import name_of
from zhol.policy.rights import Broken, judge, lawful
from zhol.policy.scenario import Scenario
from zhol.system.instruments import actions_of

if TYPE_CHECKING:
    import altair as alt

    from zhol.region.load import Region
    from zhol.system.model import Model

RULES = ("expected", "probability")
_JUDGED = 256  # draws by which outcomes are held against the rights floors
_STUDY = {
    "parameter": "a figure of: {meaning}",
    "effect": "a study of: {meaning}",
    "driver": "a better projection of: {meaning}",
    "group": "studies of: {meaning}",
}


@dataclass(frozen=True)
class InformationValue:
    """What knowing more would be worth to a choice; frozen.

    Attributes
    ----------
    table : polars.DataFrame
        A row an uncertain input, the most worthwhile first: ``study`` (what would have to be found out), ``value``
        (what knowing it exactly would add to the expected outcome, in ``unit``; of many entries together: at least so
        much) with ``low`` and ``high``, ``share`` of
        the value of knowing everything, ``changes`` (share of draws in which the recommendation would change),
        ``basis``, ``prior_only``, ``evidence``.
    choices : polars.DataFrame
        A row a scenario: ``verdict``, floors broken, ``expected`` (what it brings beside the first), ``recommended``.
    recommended : str
        The best lawful scenario by the rule, as things are known now.
    everything : tuple of float
        Value of knowing everything, and its interval.
    outcome, unit, rule : str
    draws : int
    level : float
    warnings : tuple of str
    """

    table: pl.DataFrame
    choices: pl.DataFrame
    recommended: str
    everything: tuple[float, float, float]
    outcome: str
    unit: str
    rule: str
    draws: int
    level: float
    warnings: tuple[str, ...]
    details: Mapping[str, Any] = field(default_factory=dict)

    def summary(self) -> str:
        """The recommendation and what would change it, in plain text."""
        value, low, high = (plain_number(v) for v in self.everything)
        lines = [
            f"By {self.outcome} ({self.rule}, rights floors kept): {self.recommended}",
            f"Knowing everything would be worth {value} {self.unit} ({low} to {high})",
        ]
        useful = self.table.filter(pl.col("value") > 0).head(6)
        for row in useful.to_dicts():
            marked = "; today prior only" if row["prior_only"] else ""
            worth, low, high = (plain_number(row[key]) for key in ("value", "low", "high"))
            changes = f"changes the choice in {row['changes']:.0%} of draws"
            lines.append(f"  {row['study']}: {worth} ({low} to {high}), {changes}{marked}")
        if useful.is_empty():
            lines.append("  no single study would change the recommendation")
        for row in self.choices.filter(pl.col("verdict") == "not lawful").to_dicts():
            lines.append(f"Not lawful, never recommended: {row['scenario']} (breaks {row['floors_broken']})")
        return "\n".join([*lines, *(f"Warning: {w}" for w in self.warnings)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        from zhol.core.result import json_ready

        found: dict[str, Any] = json_ready({
            "outcome": self.outcome, "rule": self.rule, "unit": self.unit, "recommended": self.recommended,
            "everything": list(self.everything), "choices": self.choices, "table": self.table, "draws": self.draws,
            "level": self.level, "warnings": list(self.warnings), "details": dict(self.details),
        })  # fmt: skip
        return found

    def plot(self, title: str = "", most: int = 12) -> alt.Chart | alt.LayerChart:
        """Interval chart of the most worthwhile inputs."""
        from zhol.core import charts

        rows = self.table.head(most).select(pl.col("factor").alias("label"), "value", "low", "high")
        return charts.interval(rows, unit=self.unit, title=title or f"Worth knowing before choosing by {self.outcome}")


def value_of_information(
    scenarios: Sequence[Any],
    region_or_model: Region | Model | str = "central_asia",
    *,
    outcome: str = "exposure",
    rule: str = "expected",
    draws: int = 1000,
    groups: Mapping[str, Sequence[str]] | None = None,
    start: str | None = None,
    end: str | None = None,
    seed: int = 1,
    level: float = 0.95,
    acting: Sequence[str] | str | None = None,
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
    cluster: str | None = None,
    progress: Progress | None = None,
) -> InformationValue:
    """What each uncertain input is worth knowing before a scenario is chosen.

    The choice is among the scenarios that keep the rights floors: an unlawful one is shown and never chosen. All run
    under the same draws of everything uncertain, drawn jointly; what each scenario brings is regressed on each input.

    Parameters
    ----------
    scenarios : sequence
        Two or more; None is present policies. What scenarios bring is counted beside the first.
    region_or_model : Region, Model or name of a pack
        As in `sensitivity`.
    outcome : str
        By what the choice is made: one of `zhol.policy.outcomes`, in the direction that is better there.
    rule : {"expected", "probability"}
        The best expected outcome; or the highest probability of being better than the first, which extreme draws do not
        decide.
    draws : int
        Draws of everything uncertain.
    groups, start, end, seed, level, acting, parameters, drivers, cluster
        As in `sensitivity`.
    progress : callable (done, all), optional

    Raises
    ------
    ZholError
        Fewer than two scenarios; fewer than two lawful ones; a contested outcome; an unknown rule.

    References
    ----------
    Strong, Oakley, Brennan (2014), doi 10.1177/0272989X13505910.

    Examples
    --------
    >>> import zhol
    >>> both = [None, zhol.policy.package("protect_and_regularise", "KAZ", "2026-01")]
    >>> zhol.policy.value_of_information(both, outcome="exposure", draws=1000)  # doctest: +SKIP
    """
    one = _outcome(outcome)
    if rule not in RULES:
        raise ZholError("unknown rule of choice", found=rule, expected=", ".join(RULES))
    if len(scenarios) < 2:
        raise ZholError("a choice needs two scenarios or more", found=len(scenarios))
    model, said = coarse_model(region_or_model)
    worlds = [tuple(actions_of(s, model)) for s in scenarios]
    months = window([a for w in worlds for a in w], start, end)
    setting = setting_of(model, worlds, months, [one], acting_of(worlds, acting, model), seed=seed,
                         bank=draws, parameters=parameters, drivers=drivers)  # fmt: skip
    found = evaluate(setting, setting.inputs.bank, cluster=cluster, progress=progress)[..., 0]
    good = np.isfinite(found).all(axis=1)
    broken, unit = _broken(setting, scenarios, good, one)
    fair = [i for i, b in enumerate(broken) if lawful(b)]
    gains = _gains(found[good], one, rule)
    names = _names(scenarios)
    if len(fair) < 2:
        raise ZholError("fewer than two scenarios keep the rights floors: there is nothing to choose",
                        found=", ".join(n for i, n in enumerate(names) if i not in fair))  # fmt: skip
    factors = grouped(setting.inputs.factors, groups)
    bank = setting.inputs.bank[good].astype(float)
    values = partial_values(gains[:, fair], {f.name: bank[:, f.columns] for f in factors}, seed=seed, level=level)
    everything = perfect_value(gains[:, fair], seed=seed, level=level)
    best = fair[int(np.argmax(gains[:, fair].mean(axis=0)))]
    choices = _choices(names, broken, gains, best, level)
    return InformationValue(
        table=_table(values, factors, everything[0]),
        choices=choices,
        recommended=names[best],
        everything=everything,
        outcome=one.id,
        unit="probability" if rule == "probability" else unit,
        rule=rule,
        draws=int(good.sum()),
        level=level,
        warnings=_warnings(setting, said, good, _heavy(gains[:, fair])),
        details={"start": months[0], "end": months[-1], "acting": setting.scope.acting, "notes": setting.notes},
    )


def _outcome(name: str) -> Outcome:
    one = outcome_of(name)
    if one.contested:
        raise ZholError("people and control want opposite things of this outcome: no choice is made by it", found=name)
    return one


def _names(scenarios: Sequence[Any]) -> list[str]:
    names: list[str] = []
    for one in scenarios:
        name, number = name_of(one), 2
        while name in names:
            name, number = f"{name_of(one)} ({number})", number + 1
        names.append(name)
    return names


def _broken(
    setting: Setting, scenarios: Sequence[Any], good: np.ndarray, one: Outcome
) -> tuple[list[list[Broken]], str]:
    """Rights floors that each scenario breaks, by its instruments and by its outcomes; and the unit of the outcome."""
    rows = setting.inputs.bank[np.flatnonzero(good)[:_JUDGED]]
    base, out = setting.run(0, rows), []
    for number, scenario in enumerate(scenarios):
        declared = judge(scenario) if isinstance(scenario, Scenario) else []
        out.append([*declared, *(judge(setting.run(number, rows), base) if number else [])])
    return out, unit_of(base, one)


def _gains(found: np.ndarray, one: Outcome, rule: str) -> np.ndarray:
    """What each scenario brings beside the first, (draws, scenarios), more is better."""
    sign = 1.0 if one.direction == "more" else -1.0
    gap = sign * (found - found[:, :1])
    if rule == "expected":
        return gap
    counts = np.where(np.abs(gap) > all_outcomes().tolerance * np.abs(found[:, :1]), np.sign(gap), 0.0)
    return np.asarray(0.5 + 0.5 * counts)


def _heavy(gains: np.ndarray) -> bool:
    """Whether a hundredth of the draws holds more than half of the variance of some scenario."""
    squares = np.sort((gains - gains.mean(axis=0)) ** 2, axis=0)[::-1]
    whole = squares.sum(axis=0)
    first = squares[: max(len(gains) // 100, 1)].sum(axis=0)
    return bool((first > 0.5 * np.where(whole > 0, whole, np.inf)).any())


def _choices(
    names: Sequence[str], broken: Sequence[Sequence[Broken]], gains: np.ndarray, best: int, level: float
) -> pl.DataFrame:
    error = NormalDist().inv_cdf(0.5 + level / 2.0) * gains.std(axis=0) / np.sqrt(len(gains))
    return pl.DataFrame([
        {
            "scenario": name,
            "verdict": "lawful" if lawful(b) else "not lawful",
            "floors_broken": ", ".join(sorted({x.floor for x in b if x.verdict == "breaks"})),
            "expected": float(gains[:, i].mean()),
            "low": float(gains[:, i].mean() - error[i]),
            "high": float(gains[:, i].mean() + error[i]),
            "recommended": i == best,
        }
        for i, (name, b) in enumerate(zip(names, broken, strict=True))
    ])  # fmt: skip


def _table(values: pl.DataFrame, factors: Sequence[Factor], everything: float) -> pl.DataFrame:
    told = pl.DataFrame(
        [
            {"factor": f.name, "study": _STUDY[f.kind].format(meaning=f.meaning), "basis": f.basis,
             "prior_only": f.prior_only, "evidence": f.evidence}
            for f in factors
        ],
        schema_overrides={"prior_only": pl.Boolean},
    )  # fmt: skip
    share = (pl.col("value") / everything).clip(0.0, 1.0) if everything > 0 else pl.lit(0.0)
    found = values.with_columns(share.alias("share")).join(told, on="factor", maintain_order="left")
    found = found.sort("value", descending=True, maintain_order=True)
    return found.select(
        "factor", "study", "value", "low", "high", "share", "changes", "basis", "prior_only", "evidence"
    )


def _warnings(setting: Setting, said: str, good: np.ndarray, heavy: bool) -> tuple[str, ...]:
    out = [f"parameters: {setting.origin}; {setting.months[0]} to {setting.months[-1]}"]
    if said:
        out.append(said)
    if not good.all():
        out.append(f"{(~good).sum()} of {len(good)} draws are not finite and left out")
    if len(setting.inputs.factors) and good.sum() < 500:
        out.append("fewer than 500 draws: groups of many inputs cannot be told from chance")
    if heavy:
        out.append("a few extreme draws hold most of the variance: rule='probability' is not decided by them")
    return (*out, "a single outcome is no reason to choose: look at compare for the others")
