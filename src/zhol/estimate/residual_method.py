"""Counted foreign-born less surviving legal residents: the residual method, with every input a distribution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.distributions import Distribution, distribution, stratified
from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.core.frames import need_columns, to_polars
from zhol.core.quantity import plain_number
from zhol.core.result import Estimate

Array = NDArray[np.float64]

_SPECIFICATION = {"distribution", "dist", "kind", "family", "value", "mean", "median", "mode", "low", "high"}
_COLUMNS = (
    "input",
    "value",
    "low",
    "high",
    "share",
    "share_total",
    "width_alone",
    "width_if_known",
    "at_low",
    "at_high",
)
_CITES = (
    "Warren, R. and Passel, J. S. (1987). A count of the uncountable: estimates of undocumented aliens counted in the "
    "1980 United States Census. Demography 24(3), 375–393.",
    "Van Hook, J., Morse, A., Capps, R. and Gelatt, J. (2021). Uncertainty about the size of the unauthorized "
    "foreign-born population in the United States. Demography 58(6), 2315–2336.",
    "Saltelli, A. et al. (2010). Variance based sensitivity analysis of model output. Computer Physics Communications "
    "181(2), 259–270 (shares of variance).",
)


@dataclass(frozen=True)
class _Inputs:
    """Named groups of uncertain numbers, and where the cohorts stand in time."""

    names: tuple[str, ...]
    specs: dict[str, tuple[Distribution, ...]]
    durations: dict[str, NDArray[np.intp]]
    exposure: NDArray[np.intp]
    years: tuple[int, ...] | None


@dataclass(frozen=True)
class ResidualEstimate(Estimate):
    """Result of :func:`residual`; its chart shows what each input would move from one of its ends to the other."""

    def _plot_rows(self) -> pl.DataFrame:
        rows = [{"label": "all inputs uncertain", "value": self.population, "low": self.low, "high": self.high}]
        for row in self.table.sort("width_alone", descending=True).iter_rows(named=True):
            if row["width_alone"] > 0:
                ends = sorted(max(row[k], 0.0) for k in ("at_low", "at_high"))
                label = f"only {row['input'].replace('_', ' of ')}"
                middle = min(max(self.details["central"], ends[0]), ends[1])
                rows.append({"label": label, "value": middle, "low": ends[0], "high": ends[1]})
        return pl.DataFrame(rows)


def residual(
    census: Any,
    legal: Any,
    emigration: Any = 0.0,
    mortality: Any = 0.0,
    undercount: Any = 0.0,
    *,
    year: int | None = None,
    years: float = 1,
    correlation: float = 1.0,
    draws: int = 20_000,
    seed: int = 1,
    level: float = 0.95,
) -> ResidualEstimate:
    """Irregular residents: the foreign-born whom a census counted, less the legal residents who are still there.

        U = (C − (1 − c_L)·L) / (1 − c_U),    L = Σ_a A_a Π_t (1 − e_t)(1 − q_t)

    C is the count, A_a the legal arrivals of year a, e and q the yearly risks of leaving and of dying, c_L and c_U the
    shares of legal and of irregular residents whom the count missed. With one c for both this is C/(1 − c) − L.

    Parameters
    ----------
    census : uncertain number
        Foreign-born counted (persons). Any form that ``zhol.core.distributions.distribution`` reads: a number,
        (value, low, high), a mapping, a ``Quantity``, a frozen SciPy distribution, draws.
    legal : uncertain number, mapping of year to one, or table
        Legal residents in one figure, or arrivals by year: ``{2015: 40_000, 2016: (42_000, 40_000, 45_000)}`` or a
        table with columns ``year`` and ``arrivals`` (or ``value``), with ``low`` and ``high`` if uncertain.
    emigration, mortality : uncertain number or mapping of years of stay to one
        Yearly risk to leave, to die (shares, 0 to 1). ``{0: (0.04, 0.02, 0.07), 5: (0.01, 0.005, 0.02)}`` holds the
        first from arrival and the second from the fifth year on.
    undercount : uncertain number or {"legal": …, "irregular": …}
        Share that the count missed; one number holds for both.
    year : int, optional
        Year of the count; by default the last year of arrivals.
    years : float
        With one legal figure: years since it was true, over which the risks act (whole years).
    correlation : float
        Of the errors of one input's parts (years of arrival, years of stay): 1 if a source that is too low is too low
        throughout, 0 if its errors are unrelated and cancel out. The honest default is 1.
    draws, seed : int
        Of the simulation.
    level : float
        Coverage of the intervals, in and out.

    Returns
    -------
    ResidualEstimate
        ``population`` is the median of the draws, ``low`` and ``high`` their quantiles. ``table`` has a row an input:
        ``value``, ``low``, ``high`` of the input, ``share`` (of the variance, first order), ``share_total`` (with
        interactions), ``width_alone`` (of the interval if only this input were uncertain), ``width_if_known`` (if
        this one were known), ``at_low``, ``at_high`` (the estimate with this input at its ends).
        ``details``: ``draws``, ``components`` (counted and corrected, legal), ``cohorts``, ``central``, ``negative``.

    Raises
    ------
    ZholError
        Unreadable input, risk above 1, cohort after the count, or more legal residents than people in most draws.

    References
    ----------
    Warren and Passel (1987), Demography 24(3); Van Hook, Morse, Capps and Gelatt (2021), Demography 58(6), who find
    that uncertain emigration drives most of the width; Saltelli et al. (2010) for the shares of variance.

    Examples
    --------
    >>> arrivals = {y: 50_000 for y in range(2000, 2020)}
    >>> est = residual((900_000, 880_000, 920_000), arrivals, emigration=(0.02, 0.01, 0.04), mortality=0.005,
    ...                undercount=(0.05, 0.02, 0.1), year=2020)
    >>> est.table.sort("share", descending=True)["input"][0]
    'emigration'
    """
    if draws < 1000:
        raise ZholError("too few draws", found=draws, expected="1,000 or more")
    if not 0 < level < 1:
        raise ZholError("level is not a coverage", found=level, expected="a number between 0 and 1, such as 0.95")
    if not 0 <= correlation <= 1:
        raise ZholError("correlation is out of range", found=correlation, expected="a number from 0 to 1")
    inputs = _read(census, legal, emigration, mortality, undercount, year, years, level)
    first, second = (_uniforms(inputs, draws, seed, stream, correlation) for stream in ("a", "b"))
    parts = _model(inputs, first)
    values = parts["irregular"]
    negative = float((values < 0).mean())
    if negative > 0.5:
        raise ZholError(
            "more legal residents than people counted",
            found=f"{plain_number(float(np.median(parts['legal'])))} legal, "
            f"{plain_number(float(np.median(parts['present'])))} present",
            hint="emigration too low, undercount too low, or counts of different groups",
        )
    table = _sources_of_width(inputs, first, second, values, level)
    notes = _notes(inputs, table, negative, isinstance(inputs.years, tuple))
    return _result(inputs, parts, table, notes, negative, level)


def _read(
    census: Any,
    legal: Any,
    emigration: Any,
    mortality: Any,
    undercount: Any,
    year: int | None,
    years: float,
    level: float,
) -> _Inputs:
    """All inputs as distributions, in a fixed order."""
    cohorts, arrival = _legal(legal, level)
    exposure = _exposure(arrival, year, years)
    specs = {"census": (distribution(census, name="census", scale="positive", level=level),), "legal": cohorts}
    durations = {}
    for name, given in (("emigration", emigration), ("mortality", mortality)):
        specs[name], durations[name] = _by_duration(given, name, level)
    specs |= _undercount(undercount, level)
    return _Inputs(tuple(specs), specs, durations, exposure, arrival)


def _legal(legal: Any, level: float) -> tuple[tuple[Distribution, ...], tuple[int, ...] | None]:
    """Legal residents in one figure, or arrivals by year."""
    if isinstance(legal, Mapping) and not set(map(str, legal)) & (_SPECIFICATION | {"year"}):
        given = {_year(k): v for k, v in legal.items()}
    elif _is_table(legal):
        given = _cohort_rows(to_polars(legal, name="legal"))
    else:
        return (distribution(legal, name="legal", scale="positive", level=level),), None
    if not given:
        raise ZholError("legal has no arrivals", expected="a number for every year of arrival")
    order = sorted(given)
    return (
        tuple(distribution(given[y], name=f"legal arrivals of {y}", scale="positive", level=level) for y in order),
        tuple(order),
    )


def _is_table(given: Any) -> bool:
    if isinstance(given, str):
        return Path(given).suffix.lower() in (".csv", ".parquet", ".xlsx", ".xls")
    if isinstance(given, Mapping):
        return "year" in given
    if isinstance(given, list):
        return bool(given) and all(isinstance(row, Mapping) for row in given)
    return isinstance(given, Path) or (hasattr(given, "columns") and not hasattr(given, "ppf"))


def _cohort_rows(frame: pl.DataFrame) -> dict[int, Any]:
    value = "arrivals" if "arrivals" in frame.columns else "value"
    need_columns(frame, ["year", value], name="legal")
    rows: dict[int, Any] = {}
    for row in frame.iter_rows(named=True):
        at = _year(row["year"])
        if at in rows:
            raise ZholError("legal has a year twice", column="year", found=at, expected="one row a year of arrival")
        spec = {k: row.get(k) for k in ("low", "high", "distribution", "level")} | {"value": row[value]}
        missing = spec["low"] is None and spec["high"] is None
        rows[at] = row[value] if missing and spec["distribution"] is None else spec
    return rows


def _year(given: Any) -> int:
    try:
        value = float(given)
    except (TypeError, ValueError):
        raise ZholError("not a year of arrival", found=given, expected="a year such as 2015") from None
    if value != int(value) or not 1800 <= value <= 2200:
        raise ZholError("not a year of arrival", found=given, expected="a year such as 2015")
    return int(value)


def _exposure(arrival: tuple[int, ...] | None, year: int | None, years: float) -> NDArray[np.intp]:
    """Whole years that each cohort has been exposed to leaving and dying."""
    if arrival is None:
        if years < 0 or years != int(years):
            raise ZholError("years is not a whole number of years", found=years, expected="0, 1, 2, …")
        return np.array([int(years)])
    count = max(arrival) if year is None else year
    late = [a for a in arrival if a > count]
    if late:
        raise ZholError("legal residents arrive after the count", found=late[0], expected=f"{count} or earlier")
    return count - np.array(arrival)


def _by_duration(given: Any, name: str, level: float) -> tuple[tuple[Distribution, ...], NDArray[np.intp]]:
    """Risks and the year of stay from which each holds."""
    if not (isinstance(given, Mapping) and not set(map(str, given)) & _SPECIFICATION):
        return (distribution(given, name=name, scale="share", level=level),), np.array([0])
    try:
        starts = sorted(int(k) for k in given)
    except (TypeError, ValueError):
        raise ZholError(
            f"{name} by years of stay cannot be read",
            found=", ".join(map(str, given)),
            expected="whole years: 0, 5, 10",
        ) from None
    if not starts or starts[0] != 0:
        raise ZholError(f"{name} by years of stay must start at 0", found=starts[:1], expected="a rate from arrival on")
    filled = {int(k): v for k, v in given.items()}
    specs = tuple(distribution(filled[s], name=f"{name} from year {s}", scale="share", level=level) for s in starts)
    return specs, np.array(starts)


def _undercount(given: Any, level: float) -> dict[str, tuple[Distribution, ...]]:
    if isinstance(given, Mapping) and not set(map(str, given)) & _SPECIFICATION:
        unknown = set(given) - {"legal", "irregular"}
        if unknown:
            raise ZholError(
                "undercount: unknown entry", found=sorted(map(str, unknown))[0], expected="legal, irregular"
            )
        return {
            f"undercount_{who}": (
                distribution(given.get(who, 0.0), name=f"undercount of {who}", scale="share", level=level),
            )
            for who in ("legal", "irregular")
        }
    return {"undercount": (distribution(given, name="undercount", scale="share", level=level),)}


def _uniforms(inputs: _Inputs, draws: int, seed: int, stream: str, correlation: float) -> dict[str, Array]:
    """Probabilities of every input's parts, shape (parts, draws), tied by a normal copula."""
    from scipy.special import ndtr, ndtri

    out = {}
    for name in inputs.names:
        rng = generator(seed, "residual", stream, name)
        common = ndtri(stratified(rng, draws))
        own = np.stack([ndtri(stratified(rng, draws)) for _ in inputs.specs[name]])
        out[name] = np.clip(ndtr(np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own), 1e-12, 1 - 1e-12)
    return out


def _middle(inputs: _Inputs) -> dict[str, Array]:
    return {name: np.full((len(inputs.specs[name]), 1), 0.5) for name in inputs.names}


def _model(inputs: _Inputs, uniforms: dict[str, Array]) -> dict[str, Array]:
    """The residual and its parts for every draw."""
    x = {
        name: np.stack([spec.ppf(u) for spec, u in zip(inputs.specs[name], uniforms[name], strict=True)])
        for name in inputs.names
    }
    for name in inputs.names:
        top = np.inf if name in ("census", "legal") else 1.0
        x[name] = np.clip(x[name], 0.0, top)
    cohorts = x["legal"] * _survival(inputs, x)
    legal = cohorts.sum(axis=0)
    missed_legal = x.get("undercount", x.get("undercount_legal"))
    missed = x.get("undercount", x.get("undercount_irregular"))
    assert missed_legal is not None and missed is not None
    counted = np.maximum(1 - missed[0], 1e-9)
    irregular = (x["census"][0] - (1 - missed_legal[0]) * legal) / counted
    return {"irregular": irregular, "legal": legal, "present": irregular + legal, "cohorts": cohorts}


def _survival(inputs: _Inputs, x: dict[str, Array]) -> Array:
    """Share of each cohort still present, shape (cohorts, draws)."""
    longest = int(inputs.exposure.max(initial=0))
    stay = np.ones((longest + 1, x["emigration"].shape[1]))
    for t in range(longest):
        factor = 1.0
        for name in ("emigration", "mortality"):
            factor = factor * (1 - x[name][np.searchsorted(inputs.durations[name], t, side="right") - 1])
        stay[t + 1] = stay[t] * factor
    return stay[inputs.exposure]


def _sources_of_width(
    inputs: _Inputs, first: dict[str, Array], second: dict[str, Array], values: Array, level: float
) -> pl.DataFrame:
    """How much of the width each input makes: shares of variance, widths alone and without, values at its ends."""
    tails = np.array([0.5 - level / 2, 0.5 + level / 2])
    variance, middle = float(values.var()), _middle(inputs)
    other = _model(inputs, second)["irregular"]
    rows = []
    for name in inputs.names:
        specs = inputs.specs[name]
        if all(s.fixed for s in specs) and len(specs) == 1 and specs[0].median == 0 and name not in ("census", "legal"):
            continue
        swapped = _model(inputs, {**first, name: second[name]})["irregular"]
        alone = _model(inputs, {**_wide(middle, first), name: first[name]})["irregular"]
        known = _model(inputs, {**first, name: np.broadcast_to(middle[name], first[name].shape)})["irregular"]
        ends = [float(_model(inputs, {**middle, name: np.full_like(middle[name], t)})["irregular"][0]) for t in tails]
        # First order: what two draws that share only this input have in common (Janon et al. 2014).
        share = max(_correlation(other, swapped), 0.0)
        total = 0.5 * float(((values - swapped) ** 2).mean()) / variance if variance > 0 else 0.0
        low, value, high = _shown(inputs, name, tails)
        widths = _width(alone, tails), _width(known, tails)
        rows.append((name, value, low, high, min(share, total), min(total, 1.0), *widths, *ends))
    columns = [
        "input",
        "value",
        "low",
        "high",
        "share",
        "share_total",
        "width_alone",
        "width_if_known",
        "at_low",
        "at_high",
    ]
    return pl.DataFrame(rows, schema=columns, orient="row")


def _correlation(a: Array, b: Array) -> float:
    spread = float(a.std() * b.std())
    return float(((a - a.mean()) * (b - b.mean())).mean()) / spread if spread > 0 else 0.0


def _wide(middle: dict[str, Array], like: dict[str, Array]) -> dict[str, Array]:
    return {name: np.broadcast_to(m, like[name].shape) for name, m in middle.items()}


def _width(values: Array, tails: Array) -> float:
    low, high = np.quantile(values, tails)
    return float(high - low)


def _shown(inputs: _Inputs, name: str, tails: Array) -> tuple[float, float, float]:
    """An input's interval and middle; sums over cohorts, means over years of stay."""
    read = np.array([[float(s.ppf(np.array([t]))[0]) for s in inputs.specs[name]] for t in (tails[0], 0.5, tails[1])])
    shown = read.sum(axis=1) if name == "legal" else read.mean(axis=1)
    return float(shown[0]), float(shown[1]), float(shown[2])


def _notes(inputs: _Inputs, table: pl.DataFrame, negative: float, cohorts: bool) -> list[str]:
    """What the reader must know."""
    notes = []
    bare = [name for name in inputs.names if all(s.fixed and s.median != 0 for s in inputs.specs[name])]
    if bare:
        are = "are bare numbers" if len(bare) > 1 else "is a bare number"
        notes.append(f"{', '.join(n.replace('_', ' of ') for n in bare)} {are}: that uncertainty is left out")
    absent = [n for n in ("emigration", "mortality", "undercount") if n in inputs.specs and _nil(inputs, n)]
    if absent:
        notes.append(f"no {' and no '.join(absent)} assumed")
    if not cohorts and not (_nil(inputs, "emigration") and _nil(inputs, "mortality")):
        span = int(inputs.exposure[0])
        notes.append(
            f"legal residents are one figure, to which the risks were applied for {span} year{'s' * (span != 1)}; "
            "arrivals by year say how long each cohort was exposed"
        )
    if negative > 0.001:
        notes.append(
            f"{negative:.1%} of draws are below zero: the inputs contradict each other there; low is cut at zero"
        )
    top = table.sort("share", descending=True).row(0, named=True)
    if top["share"] > 0.5:
        notes.append(f"{top['share']:.0%} of the variance comes from {top['input'].replace('_', ' of ')}")
    return notes


def _nil(inputs: _Inputs, name: str) -> bool:
    return all(s.fixed and s.median == 0 for s in inputs.specs[name])


def _result(
    inputs: _Inputs, parts: dict[str, Array], table: pl.DataFrame, notes: list[str], negative: float, level: float
) -> ResidualEstimate:
    tails = [0.5 - level / 2, 0.5, 0.5 + level / 2]
    values = parts["irregular"]
    low, middle, high = (float(q) for q in np.quantile(values, tails))
    names = {"present": "foreign-born, corrected for those missed", "legal": "legal residents still present",
             "irregular": "irregular residents"}  # fmt: skip
    components = pl.DataFrame(
        [(text, *(float(q) for q in np.quantile(parts[key], tails))) for key, text in names.items()],
        schema=["component", "low", "value", "high"],
        orient="row",
    ).select("component", "value", "low", "high")
    quantiles = np.quantile(parts["cohorts"], tails, axis=1)
    cohorts = None
    if inputs.years is not None:
        cohorts = pl.DataFrame(
            {"year": list(inputs.years), "value": quantiles[1], "low": quantiles[0], "high": quantiles[2]}
        )
    central = float(_model(inputs, _middle(inputs))["irregular"][0])
    details = {
        "central": central,
        "negative": negative,
        "components": components,
        "cohorts": cohorts,
        "inputs": {n: [s.text for s in inputs.specs[n]] for n in inputs.names},
        "draws": values,
    }
    return ResidualEstimate(
        max(middle, 0.0), max(low, 0.0), max(high, 0.0), float(values.std(ddof=1)), table, tuple(notes),
        "Irregular residents by the residual method", level, "persons", MappingProxyType(details), _CITES,
    )  # fmt: skip
