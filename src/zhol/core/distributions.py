"""An uncertain number, however the user writes it: plain, with an interval, or with a named distribution."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zhol.core.errors import ZholError
from zhol.core.quantity import Quantity

Array = NDArray[np.float64]

_SCALES = ("real", "positive", "share")
_WORDS = ("distribution", "dist", "kind", "family")
_FAMILIES = {
    "fixed": ("value",),
    "interval": ("value", "low", "high"),
    "normal": ("mean", "sd", "low", "high", "value"),
    "lognormal": ("median", "sd", "low", "high", "value"),
    "beta": ("a", "b", "mean", "sd", "value", "low", "high"),
    "pert": ("low", "mode", "high", "value"),
    "triangular": ("low", "mode", "high", "value"),
    "uniform": ("low", "high", "value"),
}


_IN_TEXT: dict[str, tuple[str, ...]] = {
    "normal": ("mean", "sd"),
    "lognormal": ("median", "sd"),
    "beta": ("a", "b"),
    "uniform": ("low", "high"),
    "pert": ("low", "mode", "high"),
    "triangular": ("low", "mode", "high"),
    "interval": ("value", "low", "high"),
}


@dataclass(frozen=True)
class Distribution:
    """A distribution by its quantile function.

    Parameters
    ----------
    family : str
        ``fixed``, ``interval``, ``normal``, ``lognormal``, ``beta``, ``pert``, ``triangular``, ``uniform``, ``given``
        (somebody else's quantile function) or ``draws``.
    ppf : callable
        Quantiles: array of probabilities in (0, 1) to array of values.
    text : str
        How a reader would write it.
    no_interval : str, optional
        Why there is no uncertainty, where there is none.

    Examples
    --------
    >>> spec = distribution((0.02, 0.01, 0.04), scale="share")
    >>> spec.ppf(np.array([0.025, 0.5, 0.975])).round(3).tolist()
    [0.01, 0.02, 0.04]
    """

    family: str
    ppf: Callable[[Array], Array]
    text: str
    no_interval: str | None = None

    @property
    def fixed(self) -> bool:
        """Whether it is one number."""
        return self.family == "fixed"

    @property
    def median(self) -> float:
        """Its middle."""
        return float(self.ppf(np.array([0.5]))[0])

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Central interval at a level."""
        low, high = self.ppf(np.array([0.5 - level / 2, 0.5 + level / 2]))
        return float(low), float(high)

    def draw(self, rng: np.random.Generator, count: int) -> Array:
        """Stratified draws in random order, shape (count,)."""
        return self.ppf(stratified(rng, count))


def stratified(rng: np.random.Generator, count: int) -> Array:
    """Uniform numbers, one in each of ``count`` equal slices, in random order: quantiles settle far sooner.

    Examples
    --------
    >>> sorted((10 * stratified(np.random.default_rng(1), 10)).astype(int).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """
    return _open((rng.permutation(count) + rng.random(count)) / count)


def distribution(given: Any, *, name: str = "input", scale: str = "real", level: float = 0.95) -> Distribution:
    """Read an uncertain number.

    Parameters
    ----------
    given : number, (value, low, high), (low, high), mapping, text, Quantity, Distribution, array of draws, or an object
        with a ``ppf`` method such as a frozen SciPy distribution
        A triple is a middle value with a ``level`` interval: value is the median and low and high the quantiles of
        the distribution, however lopsided. A pair is everything between two ends, equally likely. A mapping names a
        ``distribution`` and its numbers, for example ``{"distribution": "pert", "low": 1, "mode": 2, "high": 5}``, or
        gives ``value``, ``low``, ``high``. Text is the same with commas: ``"0.02, 0.01, 0.04"``, ``"uniform(1, 5)"``.
    name : str
        What to call it in an error.
    scale : str
        ``real``, ``positive`` or ``share`` (0 to 1): where the number can be. Triples never leave it.
    level : float
        Coverage of low and high where the input does not say.

    Returns
    -------
    Distribution

    Raises
    ------
    ZholError
        If it cannot be read, is upside down, not finite, or outside its scale.

    Examples
    --------
    >>> distribution(12).fixed, distribution("uniform(1, 5)").median, distribution((100, 90, 120)).text
    (True, 3.0, '100 (90 to 120)')
    """
    if scale not in _SCALES:
        raise ZholError("unknown scale", found=scale, expected=", ".join(_SCALES))
    spec = _read(given, name, scale, level)
    _inside(spec, name, scale)
    return spec


def _read(given: Any, name: str, scale: str, level: float) -> Distribution:
    if isinstance(given, Distribution):
        return given
    if isinstance(given, Quantity):
        return _from_quantity(given, name, scale, level)
    if isinstance(given, str):
        return _from_text(given, name, scale, level)
    if isinstance(given, Mapping):
        return _from_mapping(given, name, scale, level)
    if hasattr(given, "ppf"):
        return Distribution("given", lambda u: np.asarray(given.ppf(u), dtype=float), "given distribution")
    if isinstance(given, np.ndarray) and given.ndim == 1 and given.size > 3:
        return _from_draws(given, name)
    if isinstance(given, tuple | list | np.ndarray):
        return _from_sequence([*given], name, scale, level)
    return fixed(_number(given, name))


def fixed(value: float, no_interval: str | None = None) -> Distribution:
    """One number without uncertainty.

    Examples
    --------
    >>> fixed(3).interval()
    (3.0, 3.0)
    """
    return Distribution("fixed", lambda u: np.full(np.shape(u), float(value)), f"{value:.10g}", no_interval)


def _from_sequence(given: list[Any], name: str, scale: str, level: float) -> Distribution:
    numbers = [_number(v, name) for v in given]
    if len(numbers) == 1:
        return fixed(numbers[0])
    if len(numbers) == 2:
        return _uniform(numbers[0], numbers[1], name)
    if len(numbers) == 3:
        return _interval(numbers[0], numbers[1], numbers[2], name, scale, level)
    raise ZholError(f"{name} cannot be read", found=tuple(numbers), expected="(value, low, high)")


def _from_quantity(given: Quantity, name: str, scale: str, level: float) -> Distribution:
    if given.low is None or given.high is None:
        if given.value is None:
            raise ZholError(f"{name} has neither a value nor an interval", expected="a number with its interval")
        return fixed(given.value, given.no_interval)
    if given.value is None:
        return _uniform(given.low, given.high, name)
    said = re.search(r"(\d+(?:\.\d+)?) ?%", given.interval)
    if said is None and re.search(r"range|spread|bound|minimum|maximum", given.interval, re.IGNORECASE):
        return _pert(given.low, given.value, given.high, name)
    return _interval(given.value, given.low, given.high, name, scale, float(said[1]) / 100 if said else level)


def _from_text(given: str, name: str, scale: str, level: float) -> Distribution:
    text = given.strip()
    call = re.fullmatch(r"([A-Za-z]+)\s*\((.*)\)", text)
    family, inside = (call[1].lower(), call[2]) if call else ("", text)
    inside = re.sub(r"\bto\b|[()–;|]", ",", inside)
    parts = [p.strip().replace(" ", "") for p in inside.split(",") if p.strip()]
    try:
        numbers = [float(p) for p in parts]
    except ValueError:
        raise ZholError(f"{name} is not a number", found=given, expected="0.02, or 0.02, 0.01, 0.04") from None
    if not family:
        return _from_sequence(numbers, name, scale, level)
    order = _IN_TEXT
    if family not in order or len(numbers) != len(order[family]):
        expected = "; ".join(f"{k}({', '.join(v)})" for k, v in order.items())
        raise ZholError(f"{name} cannot be read", found=given, expected=expected)
    return _from_mapping({"distribution": family, **dict(zip(order[family], numbers, strict=True))}, name, scale, level)


def _from_mapping(given: Mapping[str, Any], name: str, scale: str, level: float) -> Distribution:
    filled = {str(k).lower(): v for k, v in given.items() if v is not None and v != ""}
    word = next((w for w in _WORDS if w in filled), None)
    family = str(filled.pop(word)).strip().lower() if word else None
    level = _number(filled.pop("level", level), f"level of {name}")
    if not 0 < level < 1:
        raise ZholError(f"level of {name} is not a coverage", found=level, expected="a number between 0 and 1")
    family = family or ("interval" if {"low", "high"} <= set(filled) else "fixed")
    if family not in _FAMILIES:
        raise ZholError(f"{name}: unknown distribution", found=family, expected=", ".join(_FAMILIES))
    unknown = set(filled) - set(_FAMILIES[family])
    if unknown:
        raise ZholError(f"{name}: unknown entry", found=sorted(unknown)[0], expected=", ".join(_FAMILIES[family]))
    return _family(family, {k: _number(v, name) for k, v in filled.items()}, name, scale, level)


def _family(family: str, x: dict[str, float], name: str, scale: str, level: float) -> Distribution:
    """Build a named distribution from its numbers."""

    def need(*keys: str) -> list[float]:
        for key in keys:
            if key not in x:
                raise ZholError(
                    f"{name}: {family} needs {key}", found=", ".join(x) or "nothing", expected=", ".join(keys)
                )
        return [x[k] for k in keys]

    middle = next((x[k] for k in ("mode", "mean", "median", "value") if k in x), None)
    if family == "fixed":
        return fixed(need("value")[0])
    if family == "uniform":
        low, high = need("low", "high")
        return _uniform(low, high, name)
    if family == "interval":
        low, high = need("low", "high")
        return _interval(x["value"], low, high, name, scale, level) if "value" in x else _uniform(low, high, name)
    if family in ("pert", "triangular"):
        low, high = need("low", "high")
        middle = (low + high) / 2 if middle is None else middle
        return _pert(low, middle, high, name) if family == "pert" else _triangular(low, middle, high, name)
    if family == "beta":
        return _beta(x, name, level)
    if {"low", "high"} <= set(x):
        return _two_ends(family, x["low"], x["high"], name, level)
    key = "mean" if family == "normal" else "median"
    centre, sd = (middle if middle is not None else need(key)[0]), need("sd")[0]
    if sd < 0 or (family == "lognormal" and centre <= 0):
        raise ZholError(
            f"{name}: {family} cannot be", found=(centre, sd), expected="sd of 0 or more, a positive median"
        )
    return _normal(centre, sd) if family == "normal" else _lognormal(centre, sd)


def _two_ends(family: str, low: float, high: float, name: str, level: float) -> Distribution:
    """Normal or lognormal with these quantiles."""
    _ordered(low, high, name)
    wide = 2 * _z(level)
    if family == "normal":
        return _normal((low + high) / 2, (high - low) / wide)
    if low <= 0:
        raise ZholError(f"{name}: a lognormal has no interval down to {low:g}", expected="low above zero")
    return _lognormal(math.sqrt(low * high), math.log(high / low) / wide)


def _normal(mean: float, sd: float) -> Distribution:
    return Distribution("normal", lambda u: mean + sd * _normal_ppf(u), f"normal, mean {mean:.4g}, sd {sd:.4g}")


def _lognormal(median: float, sd: float) -> Distribution:
    text = f"lognormal, median {median:.4g}, sd of logs {sd:.4g}"
    return Distribution("lognormal", lambda u: median * np.exp(sd * _normal_ppf(u)), text)


def _uniform(low: float, high: float, name: str) -> Distribution:
    _ordered(low, high, name)
    if low == high:
        return fixed(low)
    return Distribution(
        "uniform", lambda u: low + (high - low) * np.asarray(u), f"anywhere from {low:.4g} to {high:.4g}"
    )


def _triangular(low: float, mode: float, high: float, name: str) -> Distribution:
    _ordered(low, high, name, mode)
    if low == high:
        return fixed(low)
    turn = (mode - low) / (high - low)

    def ppf(u: Array) -> Array:
        u = np.asarray(u, dtype=float)
        left = low + np.sqrt(np.maximum(u, 0) * (high - low) * (mode - low))
        right = high - np.sqrt(np.maximum(1 - u, 0) * (high - low) * (high - mode))
        return np.where(u < turn, left, right)

    return Distribution("triangular", ppf, f"triangular, {low:.4g} to {high:.4g}, mode {mode:.4g}")


def _pert(low: float, mode: float, high: float, name: str) -> Distribution:
    """Beta on [low, high] with mean (low + 4 mode + high) / 6."""
    _ordered(low, high, name, mode)
    if low == high:
        return fixed(low)
    a = 1 + 4 * (mode - low) / (high - low)
    quantile = _beta_ppf(a, 6 - a)
    return Distribution(
        "pert", lambda u: low + (high - low) * quantile(u), f"PERT, {low:.4g} to {high:.4g}, mode {mode:.4g}"
    )


def _beta(x: dict[str, float], name: str, level: float) -> Distribution:
    """Beta from its shapes, its mean and sd, or its interval."""
    if {"a", "b"} <= set(x):
        a, b = x["a"], x["b"]
    elif "sd" in x and ("mean" in x or "value" in x):
        mean, sd = x.get("mean", x.get("value", 0.0)), x["sd"]
        size = mean * (1 - mean) / sd**2 - 1 if sd > 0 else -1.0
        a, b = mean * size, (1 - mean) * size
    elif {"low", "high"} <= set(x):
        _ordered(x["low"], x["high"], name)
        a, b = _beta_from_interval(x["low"], x["high"], name, level)
    else:
        raise ZholError(f"{name}: beta needs a and b, mean and sd, or low and high", found=", ".join(x))
    if not (a > 0 and b > 0):
        raise ZholError(f"{name}: no beta distribution has these numbers", found=tuple(x.values()))
    return Distribution("beta", _beta_ppf(a, b), f"beta, a {a:.4g}, b {b:.4g}")


def _beta_from_interval(low: float, high: float, name: str, level: float) -> tuple[float, float]:
    """Shapes whose quantiles are the two ends."""
    if not 0 < low < high < 1:
        raise ZholError(
            f"{name}: a beta interval lies inside 0 and 1", found=(low, high), expected="0 < low < high < 1"
        )
    from scipy.optimize import least_squares

    tail = np.array([0.5 - level / 2, 0.5 + level / 2])
    centre = (low + high) / 2
    size = centre * (1 - centre) / ((high - low) / (2 * _z(level))) ** 2
    start = np.log(np.maximum([centre * size, (1 - centre) * size], 0.05))

    def misses(logs: Array) -> Array:
        return (_beta_ppf(*np.exp(logs))(tail) - np.array([low, high])) / (high - low)

    found = least_squares(misses, start, xtol=1e-12, ftol=1e-12)
    return float(np.exp(found.x[0])), float(np.exp(found.x[1]))


def _interval(value: float, low: float, high: float, name: str, scale: str, level: float) -> Distribution:
    """Median and two quantiles, kept exactly: a normal on the scale's own measure, bent where it is lopsided.

    On the measure (logs for positive numbers, logits for shares) the quantile function is
    v + s·(exp(k z) − 1)/k, which passes through low, value and high; k = 0 is the normal.
    """
    _ordered(low, high, name, value)
    text = f"{value:.10g} ({low:.10g} to {high:.10g})"
    if low == high:
        return fixed(value)
    floor, roof = {"real": (-math.inf, math.inf), "positive": (0.0, math.inf), "share": (0.0, 1.0)}[scale]
    if value in (low, high) or low <= floor or high >= roof:
        # No room for a tail on one side: the ends are bounds, the value the likeliest.
        return Distribution("interval", _pert(low, value, high, name).ppf, text)
    there, back = _MEASURES[scale]
    below, above = there(value) - there(low), there(high) - there(value)
    bend = math.log(above / below) / _z(level)

    def ppf(u: Array) -> Array:
        z = _normal_ppf(u)
        if abs(bend) < 1e-9:
            away = (above + below) / (2 * _z(level)) * z
        else:
            away = above * np.expm1(np.clip(bend * z, -700, 700)) / math.expm1(bend * _z(level))
        return np.asarray(back(there(value) + away))

    return Distribution("interval", ppf, text)


_MEASURES: dict[str, tuple[Callable[[float], float], Callable[[Array], Array]]] = {
    "real": (lambda x: x, lambda y: y),
    "positive": (math.log, lambda y: np.exp(np.clip(y, -700, 700))),
    "share": (lambda x: math.log(x / (1 - x)), lambda y: 1 / (1 + np.exp(-np.clip(y, -700, 700)))),
}


def _from_draws(given: Array, name: str) -> Distribution:
    values = np.asarray(given, dtype=float)
    if not np.isfinite(values).all():
        raise ZholError(
            f"{name}: draws are missing or infinite", found=int((~np.isfinite(values)).sum()), expected="none"
        )
    return Distribution("draws", lambda u: np.quantile(values, u), f"{values.size:,} draws")


def _number(given: Any, name: str) -> float:
    if isinstance(given, bool) or given is None:
        raise ZholError(
            f"{name} is not a number", found=given, expected="a number, (value, low, high) or a distribution"
        )
    try:
        value = float(given)
    except (TypeError, ValueError):
        raise ZholError(
            f"{name} is not a number", found=given, expected="a number, (value, low, high) or a distribution"
        ) from None
    if not math.isfinite(value):
        raise ZholError(f"{name} is missing or infinite", found=value, expected="a finite number")
    return value


def _ordered(low: float, high: float, name: str, value: float | None = None) -> None:
    if low > high:
        raise ZholError(f"{name}: interval upside down", found=(low, high), expected="low <= high")
    if value is not None and not low <= value <= high:
        raise ZholError(f"{name}: interval does not contain the value", found=(low, value, high))


def _inside(spec: Distribution, name: str, scale: str) -> None:
    """Refuse a distribution whose middle lies outside of where the number can be."""
    low, high = {"real": (-math.inf, math.inf), "positive": (0.0, math.inf), "share": (0.0, 1.0)}[scale]
    middle = spec.median
    if not low <= middle <= high:
        expected = "0 or more" if scale == "positive" else "a share from 0 to 1"
        raise ZholError(f"{name} is out of range", found=middle, expected=expected)


def _z(level: float) -> float:
    return float(_normal_ppf(np.array(0.5 + level / 2)))


def _open(u: Array) -> Array:
    return np.clip(u, 1e-12, 1 - 1e-12)


def _normal_ppf(u: Any) -> Array:
    from scipy.special import ndtri

    return np.asarray(ndtri(u))


def _beta_ppf(a: float, b: float) -> Callable[[Array], Array]:
    from scipy.special import betaincinv

    return lambda u: np.asarray(betaincinv(a, b, u))
