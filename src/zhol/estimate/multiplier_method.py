"""A counted benchmark over the share of the hidden population that it covers: the multiplier method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import chi2, norm
from scipy.stats import t as student

from zhol.core.distributions import Distribution, distribution
from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.core.frames import to_polars
from zhol.core.quantity import plain_number
from zhol.core.result import Estimate

Array = NDArray[np.float64]

_KINDS = ("auto", "proportion", "factor")
_COMBINE = ("random", "fixed", "median")
_SURVEY = {"yes", "of", "design_effect"}
_CITES = (
    "UNAIDS/WHO Working Group on Global HIV/AIDS and STI Surveillance (2010). Guidelines on estimating the size of "
    "populations most at risk to HIV. Geneva: World Health Organization.",
    "Fearon, E. et al. (2017). Sample size calculations for population size estimation studies using multiplier "
    "methods with respondent-driven sampling surveys. JMIR Public Health and Surveillance 3(3), e59.",
    "Röver, C., Knapp, G. and Friede, T. (2015). Hartung-Knapp-Sidik-Jonkman approach and its modification for "
    "random-effects meta-analysis with few studies. BMC Medical Research Methodology 15, 99.",
)


@dataclass(frozen=True)
class _Pair:
    """One benchmark with its multiplier, as distributions."""

    label: str
    benchmark: Distribution
    multiplier: Distribution
    proportion: bool


def multiplier(
    benchmark: Any,
    multiplier: Any = None,
    *,
    labels: list[str] | None = None,
    kind: str = "auto",
    combine: str = "random",
    draws: int = 20_000,
    seed: int = 1,
    level: float = 0.95,
) -> Estimate:
    """Population from a count of some of its members and the share that they are: N = benchmark / proportion.

    The benchmark is a count (who used a service, received a document, was given an object); the proportion is the
    share of the population, from a survey of it, that is in the count. A multiplier above 1 multiplies instead.

    Parameters
    ----------
    benchmark : uncertain number, list of them, or table
        Persons counted. A list gives several benchmarks, each with its own multiplier. A table has columns
        ``benchmark`` and ``proportion`` or ``multiplier``, each with ``_low`` and ``_high`` if uncertain, or
        ``yes``, ``of`` and ``design_effect`` of a survey; and ``label``.
    multiplier : uncertain number, {"yes": …, "of": …}, or list
        Share (up to 1) or factor (above 1). ``{"yes": 45, "of": 300, "design_effect": 2}`` is a survey in which 45 of
        300 were in the count, worth 150 independent answers.
    labels : list of str, optional
        Names of the benchmarks.
    kind : str
        ``proportion``, ``factor``, or ``auto``: by whether the multiplier is above 1.
    combine : str
        Several estimates into one: ``random`` (they may differ by more than their errors), ``fixed`` (they may not),
        ``median`` (with the span of all intervals).
    draws, seed : int
        Of the simulation.
    level : float
        Coverage, in and out.

    Returns
    -------
    Estimate
        ``table`` has a row a benchmark: ``population``, ``low``, ``high`` (simulated), ``delta_low``, ``delta_high``
        (delta method on logs), ``weight`` (in the combination), ``away`` (standard deviations from the combination).
        ``details``: ``heterogeneity`` (Q, its p-value, I², tau), ``draws``.

    Raises
    ------
    ZholError
        Unreadable input, a proportion of zero, lists of different lengths.

    Notes
    -----
    Combination is on logs: Paule and Mandel's variance between benchmarks; with three or more the modified
    Knapp-Hartung interval (t with k − 1 degrees of freedom, never narrower than without the modification); with two a
    normal interval that reaches over both estimates.

    References
    ----------
    UNAIDS/WHO (2010); Fearon et al. (2017), JMIR Public Health and Surveillance 3(3): small proportions make the
    estimate very uncertain; Paule and Mandel (1982), Journal of Research of the NBS 87(5); Röver et al. (2015).

    Examples
    --------
    >>> est = multiplier(1200, {"yes": 45, "of": 300, "design_effect": 2})
    >>> est.summary().splitlines()[0]
    'Population by the multiplier method: 7,959 persons (95% interval 5,619 to 12 thousand)'
    """
    _check(kind, combine, draws, level)
    pairs = _pairs(benchmark, multiplier, labels, kind, level)
    simulated = np.stack([_simulate(p, i, draws, seed) for i, p in enumerate(pairs)])
    tails = [0.5 - level / 2, 0.5, 0.5 + level / 2]
    quantiles = np.quantile(simulated, tails, axis=1)
    errors = np.array([_log_error(p, level) for p in pairs])
    notes = _notes(pairs, quantiles)
    if len(pairs) == 1:
        whole, weights, hetero = (quantiles[1, 0], quantiles[0, 0], quantiles[2, 0]), np.ones(1), None
        se = float(simulated[0].std(ddof=1))
    else:
        whole, weights, hetero, se = _combine(quantiles, errors, combine, level)
        notes += _disagreement(pairs, quantiles[1], errors, whole[0], hetero)
    table = _table(pairs, quantiles, errors, weights, whole[0], level)
    details = {"heterogeneity": hetero, "combine": combine if len(pairs) > 1 else None, "draws": simulated}
    return Estimate(
        float(whole[0]), float(whole[1]), float(whole[2]), se, table, tuple(notes),
        "Population by the multiplier method", level, "persons", MappingProxyType(details), _CITES,
    )  # fmt: skip


def _check(kind: str, combine: str, draws: int, level: float) -> None:
    if kind not in _KINDS:
        raise ZholError("unknown kind of multiplier", found=kind, expected=", ".join(_KINDS))
    if combine not in _COMBINE:
        raise ZholError("unknown way to combine", found=combine, expected=", ".join(_COMBINE))
    if draws < 1000:
        raise ZholError("too few draws", found=draws, expected="1,000 or more")
    if not 0 < level < 1:
        raise ZholError("level is not a coverage", found=level, expected="a number between 0 and 1, such as 0.95")


def _pairs(benchmark: Any, multiplier: Any, labels: list[str] | None, kind: str, level: float) -> list[_Pair]:
    """Every benchmark with its multiplier."""
    if multiplier is None:
        benchmarks, multipliers, named = _from_table(benchmark)
        labels = labels or named
    elif isinstance(multiplier, list) and not _triple(multiplier, benchmark):
        benchmarks = benchmark if isinstance(benchmark, list) else [benchmark] * len(multiplier)
        multipliers = multiplier
    elif isinstance(benchmark, list) and not _triple(benchmark, multiplier):
        benchmarks, multipliers = benchmark, [multiplier] * len(benchmark)
    else:
        benchmarks, multipliers = [benchmark], [multiplier]
    if len(benchmarks) != len(multipliers):
        raise ZholError("benchmarks and multipliers do not match", found=f"{len(benchmarks)} and {len(multipliers)}")
    if not benchmarks:
        raise ZholError("no benchmark given", expected="one or more counts")
    names = labels or [f"benchmark {i + 1}" for i in range(len(benchmarks))]
    if len(names) != len(benchmarks):
        raise ZholError("labels do not match", found=len(names), expected=f"{len(benchmarks)}, one a benchmark")
    return [_pair(str(n), b, m, kind, level) for n, b, m in zip(names, benchmarks, multipliers, strict=True)]


def _triple(given: list[Any], other: Any) -> bool:
    """Whether a list of three numbers is (value, low, high) of one number rather than three numbers."""
    return len(given) == 3 and not isinstance(other, list) and all(isinstance(v, int | float) for v in given)


def _pair(label: str, benchmark: Any, multiplier: Any, kind: str, level: float) -> _Pair:
    counted = distribution(benchmark, name=f"benchmark of {label}", scale="positive", level=level)
    if counted.median <= 0:
        raise ZholError(f"benchmark of {label} is zero", found=counted.median, expected="somebody counted")
    if isinstance(multiplier, Mapping) and set(multiplier) & _SURVEY:
        if kind == "factor":
            raise ZholError(
                "a survey gives a proportion, not a factor", found=dict(multiplier), expected="kind proportion"
            )
        return _Pair(label, counted, _survey(multiplier, label), True)
    name = f"multiplier of {label}"
    middle = distribution(multiplier, name=name, scale="positive", level=level).median
    proportion = middle <= 1 if kind == "auto" else kind == "proportion"
    if middle <= 0:
        raise ZholError(f"{name} is zero", found=middle, expected="a share above 0, up to 1, or a factor above 1")
    return _Pair(
        label,
        counted,
        distribution(multiplier, name=name, scale="share" if proportion else "positive", level=level),
        proportion,
    )


def _survey(given: Mapping[str, Any], label: str) -> Distribution:
    """Share from a survey: Jeffreys' beta on answers divided by the design effect."""
    unknown = set(given) - _SURVEY
    if unknown or not {"yes", "of"} <= set(given):
        raise ZholError(f"survey of {label} cannot be read", found=", ".join(given), expected="yes, of, design_effect")
    yes, of, effect = (float(given.get(k, 1) or 0) for k in ("yes", "of", "design_effect"))
    if not (0 <= yes <= of and of > 0):
        raise ZholError(f"survey of {label} cannot be", found=f"{yes:g} of {of:g}", expected="0 <= yes <= of")
    if effect < 1:
        raise ZholError(f"design effect of {label} is below 1", found=effect, expected="1 or more")
    if yes == 0:
        raise ZholError(f"nobody in the survey of {label} was in the count", found=f"0 of {of:g}", expected="some")
    return distribution(
        {"distribution": "beta", "a": yes / effect + 0.5, "b": (of - yes) / effect + 0.5}, name=f"survey of {label}"
    )


def _from_table(given: Any) -> tuple[list[Any], list[Any], list[str] | None]:
    """Benchmarks, multipliers and labels from the rows of a table."""
    if not (isinstance(given, str | Path | list | Mapping) or hasattr(given, "columns")):
        raise ZholError("no multiplier given", expected="a share, a factor, a survey, or a table with both")
    frame = to_polars(given, name="benchmarks")
    share = next((c for c in ("proportion", "multiplier", "factor") if c in frame.columns), None)
    survey = {"yes", "of"} <= set(frame.columns)
    if "benchmark" not in frame.columns or not (share or survey):
        raise ZholError(
            "table of benchmarks lacks a column",
            found=", ".join(frame.columns),
            expected="benchmark, and proportion or yes, of",
        )
    benchmarks, multipliers = [], []
    for row in frame.iter_rows(named=True):
        benchmarks.append(_cell(row, "benchmark"))
        asked = survey and row.get("yes") is not None
        multipliers.append({k: row[k] for k in _SURVEY if row.get(k) is not None} if asked else _cell(row, str(share)))
    labels = [str(v) for v in frame["label"]] if "label" in frame.columns else None
    return benchmarks, multipliers, labels


def _cell(row: dict[str, Any], name: str) -> Any:
    low, high = row.get(f"{name}_low"), row.get(f"{name}_high")
    return row[name] if low is None and high is None else {"value": row[name], "low": low, "high": high}


def _simulate(pair: _Pair, index: int, draws: int, seed: int) -> Array:
    """Populations of one benchmark, shape (draws,)."""
    counted = np.maximum(pair.benchmark.draw(generator(seed, "multiplier", f"benchmark {index}"), draws), 0.0)
    share = pair.multiplier.draw(generator(seed, "multiplier", f"share {index}"), draws)
    if pair.proportion:
        return np.asarray(counted / np.clip(share, 1e-12, 1.0))
    return np.asarray(counted * np.maximum(share, 0.0))


def _log_error(pair: _Pair, level: float) -> float:
    """Standard error of log N by the delta method, from the quantiles of the two inputs."""
    wide = 2 * norm.ppf(0.5 + level / 2)
    variance = 0.0
    for spec in (pair.benchmark, pair.multiplier):
        low, high = spec.interval(level)
        variance += (np.log(max(high, 1e-300) / max(low, 1e-300)) / wide) ** 2
    return float(np.sqrt(variance))


def _combine(
    quantiles: Array, errors: Array, combine: str, level: float
) -> tuple[tuple[float, float, float], Array, dict[str, float], float]:
    """One estimate out of several, its interval, the weights and how far they disagree."""
    logs, k = np.log(quantiles[1]), len(errors)
    # A benchmark without any error would take all the weight; nothing is known to better than one in a thousand.
    within = np.maximum(errors, 1e-3) ** 2
    hetero = _heterogeneity(logs, within)
    if combine == "median":
        middle = float(np.median(quantiles[1]))
        se = float((quantiles[2].max() - quantiles[0].min()) / (2 * norm.ppf(0.5 + level / 2)))
        return (middle, float(quantiles[0].min()), float(quantiles[2].max())), np.full(k, 1 / k), hetero, se
    weights = 1 / (within + (hetero["tau"] ** 2 if combine == "random" else 0.0))
    centre = float((weights * logs).sum() / weights.sum())
    error = float(1 / np.sqrt(weights.sum()))
    if combine == "random" and k > 2:
        spread = float((weights * (logs - centre) ** 2).sum() / (k - 1))
        reach = float(student.ppf(0.5 + level / 2, k - 1)) * error * np.sqrt(max(1.0, spread))
    else:
        reach = float(norm.ppf(0.5 + level / 2)) * error
    low, high = np.exp(centre - reach), np.exp(centre + reach)
    if combine == "random" and k == 2:
        low, high = min(low, quantiles[1].min()), max(high, quantiles[1].max())
    return (
        (float(np.exp(centre)), float(low), float(high)),
        weights / weights.sum(),
        hetero,
        float(np.exp(centre) * error),
    )


def _heterogeneity(logs: Array, within: Array) -> dict[str, float]:
    """Cochran's Q, its p-value, I² and Paule and Mandel's tau."""
    free = len(logs) - 1

    def q(between: float) -> float:
        weights = 1 / (within + between)
        centre = (weights * logs).sum() / weights.sum()
        return float((weights * (logs - centre) ** 2).sum())

    at_zero = q(0.0)
    between = 0.0
    if at_zero > free:
        top = float(logs.var(ddof=1)) * 10 + 1
        between = float(brentq(lambda b: q(b) - free, 0.0, top)) if q(top) < free else top
    return {
        "q": at_zero,
        "p_value": float(chi2.sf(at_zero, free)),
        "i_squared": max(0.0, 1 - free / at_zero) if at_zero > 0 else 0.0,
        "tau": float(np.sqrt(between)),
    }


def _notes(pairs: list[_Pair], quantiles: Array) -> list[str]:
    notes = []
    for i, pair in enumerate(pairs):
        middle = pair.multiplier.median
        if pair.multiplier.fixed:
            notes.append(f"the multiplier of {pair.label} is a bare number: its uncertainty is left out")
        if pair.proportion and middle < 0.1 and not pair.multiplier.fixed:
            notes.append(
                f"the share in {pair.label} is small ({middle:.1%}): the estimate then rests on few answers and its "
                "upper end is long"
            )
        if quantiles[2, i] > 10 * quantiles[0, i] > 0:
            notes.append(f"{pair.label} fixes the population to no better than a factor of ten")
        if not pair.proportion:
            notes.append(f"the multiplier of {pair.label} is above 1 and was taken as a factor")
    return notes


def _disagreement(
    pairs: list[_Pair], values: Array, errors: Array, whole: float, hetero: dict[str, float] | None
) -> list[str]:
    if hetero is None or hetero["p_value"] > 0.1:
        return []
    far = int(np.argmax(np.abs(np.log(values / whole)) / np.maximum(errors, 1e-3)))
    low, high = plain_number(float(values.min())), plain_number(float(values.max()))
    return [
        f"the benchmarks disagree by more than their errors ({low} to {high}, I² {hetero['i_squared']:.0%}): at least "
        f"one is biased; {pairs[far].label} stands furthest off"
    ]


def _table(
    pairs: list[_Pair], quantiles: Array, errors: Array, weights: Array, whole: float, level: float
) -> pl.DataFrame:
    """One row a benchmark."""
    reach = norm.ppf(0.5 + level / 2) * errors
    point = np.array([p.benchmark.median / p.multiplier.median ** (1 if p.proportion else -1) for p in pairs])
    return pl.DataFrame(
        {
            "label": [p.label for p in pairs],
            "benchmark": [p.benchmark.median for p in pairs],
            "multiplier": [p.multiplier.median for p in pairs],
            "population": quantiles[1],
            "low": quantiles[0],
            "high": quantiles[2],
            "delta_low": point * np.exp(-reach),
            "delta_high": point * np.exp(reach),
            "weight": weights,
            "away": np.log(quantiles[1] / whole) / np.maximum(errors, 1e-3),
        }
    )
