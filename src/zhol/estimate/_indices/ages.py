"""Age profile of migration: level, peak and slopes, and the Rogers–Castro model schedule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from zhol.core.errors import ZholError

Array = NDArray[np.float64]
NAMES = ("a1", "alpha1", "a2", "alpha2", "mu2", "lambda2", "c")


def profile(age: Array, rate: Array, youngest: float = 5, oldest: float = 65, breadth: int = 5) -> dict[str, float]:
    """Measures of an age profile of migration intensities by single years of age, in order of age.

    ``peak_breadth`` and ``peak_share`` count the window of positions from the number ``peak_age - breadth`` to
    ``peak_age + breadth`` of the list, as the reference program does: with ages from 0 that window is one year too
    young. ``peak_breadth_centred`` and ``peak_share_centred`` are centred on the peak.

    Examples
    --------
    >>> age = np.arange(0.0, 101)
    >>> rate = 0.02 + 0.1 * np.exp(-0.5 * ((age - 25) / 5) ** 2)
    >>> found = profile(age, rate)
    >>> found["peak_age"], found["murc"], found["mdrc"], round(found["gmr"], 2)
    (25.0, 20.0, 31.0, 3.27)
    """
    inside = np.flatnonzero((age >= youngest) & (age <= oldest))
    if len(inside) < 3:
        raise ZholError("too few ages for a profile", found=len(inside), expected=f"ages {youngest:g} to {oldest:g}")
    top = int(inside[np.argmax(rate[inside])])
    up, down = _steepest(age, rate, inside, top)
    total, peak = float(rate.sum()), float(age[top])
    first = max(int(peak) - breadth - 1, 0)
    wide = float(rate[first : int(peak) + breadth].sum())
    centred = float(rate[np.abs(age - peak) <= breadth].sum())
    return {
        "gmr": total,
        "peak_mi": 100.0 * float(rate[top]),
        "peak_age": peak,
        "peak_breadth": 100.0 * wide,
        "peak_share": 100.0 * wide / total,
        "murc": up,
        "mdrc": down,
        "asymmetry": up / down,
        "peak_breadth_centred": 100.0 * centred,
        "peak_share_centred": 100.0 * centred / total,
    }


def _steepest(age: Array, rate: Array, inside: NDArray[np.intp], top: int) -> tuple[float, float]:
    """Ages at the end of the steepest rise before the peak and of the steepest fall after it."""
    step = np.diff(rate)
    before = [i for i in inside[1:] if i <= top]
    after = [i for i in inside if i > top]
    up = float(age[max(before, key=lambda i: step[i - 1])]) if before else float("nan")
    down = float(age[min(after, key=lambda i: step[i - 1])]) if after else float("nan")
    return up, down


def rogers_castro(age: Array, parameters: dict[str, float]) -> Array:
    """Model migration schedule of Rogers and Castro (1981) with seven parameters.

    Examples
    --------
    >>> found = rogers_castro(np.array([0.0, 20.0]), dict(zip(NAMES, (0.02, 0.1, 0.06, 0.1, 20, 0.4, 0.003))))
    >>> found.round(4).tolist()
    [0.023, 0.0278]
    """
    p = parameters
    gap = age - p["mu2"]
    labour = p["a2"] * np.exp(-p["alpha2"] * gap - np.exp(np.clip(-p["lambda2"] * gap, None, 700)))
    return p["a1"] * np.exp(-p["alpha1"] * age) + labour + p["c"]


def fit_rogers_castro(age: Array, rate: Array) -> tuple[dict[str, float], float]:
    """Parameters by least squares from several starts, and the mean absolute percentage error of the fit.

    Ages without movers (too young for the question asked) must be left out by the caller. Area under the schedule is
    set to one for the fit, as Rogers and Castro do, and given back afterwards.
    """
    from scipy.optimize import least_squares

    level = rate.mean() or 1.0
    scaled = rate / level

    def residuals(free: Array) -> Array:
        return rogers_castro(age, dict(zip(NAMES, np.exp(free), strict=True))) - scaled

    best = None
    for peak in (18.0, 22.0, 27.0):
        for slope in (0.2, 0.5):
            start = np.log([1.0, 0.1, 3.0, 0.1, peak, slope, 0.2])
            low = np.log([1e-8, 1e-4, 1e-6, 1e-3, 5.0, 1e-2, 1e-10])
            high = np.log([1e2, 5.0, 1e3, 5.0, 60.0, 10.0, 1e2])
            found = least_squares(residuals, start, bounds=(low, high), xtol=1e-12, ftol=1e-12, max_nfev=2000)
            if best is None or found.cost < best.cost:
                best = found
    assert best is not None
    fitted = dict(zip(NAMES, (float(v) for v in np.exp(best.x)), strict=True))
    error = float(100 * np.abs(residuals(best.x)).sum() / scaled.sum())
    return {k: float(v * level) if k in ("a1", "a2", "c") else v for k, v in fitted.items()}, error


def schedule_measures(parameters: dict[str, float]) -> dict[str, float]:
    """Peaking, dependency, asymmetry and regularity of a schedule (Rogers and Castro 1981)."""
    p = parameters
    return {
        "peaking": p["mu2"],
        "child_dependency": p["a1"] / p["a2"],
        "labor_dependency": p["a2"] / p["a1"],
        "labor_asymmetry": p["lambda2"] / p["alpha2"],
        "regularity": p["alpha1"] / p["alpha2"],
    }
