"""Profile likelihood of the population size (Cormack 1992).

For a trial population N the cell "on no list" holds N − n cases, every cell is counted, and the table is one of a
multinomial with N draws. The log-likelihood, maximised over the other parameters, is a function of N alone; the
interval holds the N whose value lies within half a chi-square quantile of the top. Many trial values are fitted at
once, and the ends are found by cutting brackets into many pieces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Design, Flags
from zhol.estimate._multiple_systems.newton import fit

PIECES = 24
FAR = 1e7  # trial populations go up to this many times the observed number


@dataclass(frozen=True)
class Profile:
    """Interval from a profile likelihood.

    Attributes
    ----------
    population : float
        Where the profile is highest.
    low, high : float
        Ends; ``low`` is the observed number where the likelihood never falls far enough below, ``high`` infinite
        where it never does above.
    drop : float
        Fall of twice the log-likelihood that defines the ends.
    top : float
        Log-likelihood at the highest point, up to a constant of the table.
    """

    population: float
    low: float
    high: float
    drop: float
    top: float


class Curve:
    """Profile log-likelihood of one model on one table, for many numbers on no list at once."""

    def __init__(self, model: Design, counts: Array, finite: Flags, keep: Flags) -> None:
        self.model, self.counts, self.finite, self.keep = model, counts, finite, keep
        self.start: Array | None = None

    def __call__(self, unseen: Array) -> Array:
        """Log-likelihood at each number on no list, constants of the table left out."""
        from scipy.special import gammaln, xlogy

        rows = unseen.size
        fits = fit(
            self.model,
            np.repeat(self.counts[None], rows, 0),
            np.repeat(self.finite[None], rows, 0),
            np.repeat(self.keep[None], rows, 0),
            unseen=unseen,
            most_steps=60,
        )
        total = self.counts.sum() + unseen
        with np.errstate(divide="ignore", invalid="ignore"):
            seen = np.where(self.counts > 0, self.counts * np.log(fits.mu / total[:, None]), 0.0).sum(1)
        return np.asarray(
            gammaln(total + 1.0) - gammaln(unseen + 1.0) + seen + xlogy(unseen, fits.unseen) - xlogy(unseen, total)
        )


def profile(model: Design, counts: Array, finite: Flags, keep: Flags, level: float) -> Profile:
    """Profile-likelihood interval of one fitted model."""
    from scipy.special import chdtri

    curve, observed = Curve(model, counts, finite, keep), float(counts.sum())
    drop = float(chdtri(1, 1.0 - level))
    grid = np.concatenate([[0.0], np.geomspace(1e-2, FAR * observed, 4 * PIECES)])
    values = curve(grid)
    peak, top = _highest(curve, grid, values)
    floor = top - drop / 2.0
    low = 0.0 if values[0] >= floor else _cross(curve, grid, values, floor, peak, rising=True)
    high = np.inf if values[-1] >= floor else _cross(curve, grid, values, floor, peak, rising=False)
    return Profile(observed + peak, observed + low, observed + high, drop, top)


def _highest(curve: Curve, grid: Array, values: Array) -> tuple[float, float]:
    """Maximise over the number on no list by cutting ever shorter brackets; a parabola finishes."""
    best = int(np.argmax(values))
    if best in (0, grid.size - 1):
        return float(grid[best] if best == 0 else np.inf), float(values[best])
    left, right = grid[best - 1], grid[best + 1]
    while right - left > 2e-3 * max(1.0, right):
        points = np.linspace(left, right, PIECES)
        heights = curve(points)
        i = int(np.clip(np.argmax(heights), 1, PIECES - 2))
        left, right = points[i - 1], points[i + 1]
    points = np.linspace(left, right, 7)
    heights = curve(points)
    centre = points[3]
    a, b, _ = np.polyfit(points - centre, heights, 2)
    peak = float(np.clip(centre - b / (2 * a), left, right)) if a < 0 else float(centre)
    return peak, float(curve(np.array([peak]))[0])


def _cross(curve: Curve, grid: Array, values: Array, floor: float, peak: float, *, rising: bool) -> float:
    """Where the curve crosses the floor, below the peak (rising) or above it."""
    if rising:
        left = float(grid[(values < floor) & (grid < peak)].max())
        right = float(min(peak, grid[(values >= floor) & (grid > left)].min(initial=peak)))
    else:
        right = float(grid[(values < floor) & (grid > peak)].min())
        left = float(max(peak, grid[(values >= floor) & (grid < right)].max(initial=peak)))
    while right - left > 1e-10 * max(1.0, right):
        points = np.linspace(left, right, PIECES)
        above = curve(points) >= floor
        i = int(np.argmax(above == rising))  # first point past the crossing
        if i == 0:
            return float(points[0])
        left, right = points[i - 1], points[i]
    return 0.5 * (left + right)
