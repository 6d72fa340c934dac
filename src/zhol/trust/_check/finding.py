"""One behaviour: what is claimed, how it was measured, what was found in each draw, and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

Array = np.ndarray
_TINY = 1e-9  # persons: below this there is nothing to compare


@dataclass(frozen=True)
class Finding:
    """A behaviour as found in every cell (a draw of the parameters beside one corridor).

    Attributes
    ----------
    id, group, statement, measured : str
        ``measured`` says in words how ``values`` came about.
    values : (D,) array
        NaN where a cell has nothing to measure (no road, no claims, ...).
    low, high : float
        It holds in a cell where the value lies between them.
    needed : float
        Share of the cells in which it must hold; 1 is all of them.
    paths : mapping of name to (D, T) array
        Courses over time for the pictures.
    """

    id: str
    group: str
    statement: str
    measured: str
    values: Array
    low: float = -np.inf
    high: float = np.inf
    needed: float = 1.0
    unit: str = ""
    paths: dict[str, Array] = field(default_factory=dict)

    @property
    def cells(self) -> Array:
        """The values that could be measured."""
        return np.asarray(self.values)[~np.isnan(self.values)]

    @property
    def holds(self) -> float:
        """Share of the measured cells in which it holds; NaN if none could be measured."""
        if not self.cells.size:
            return float("nan")
        return float(np.mean((self.cells >= self.low) & (self.cells <= self.high)))

    @property
    def passed(self) -> bool | None:
        """Whether it holds in as many cells as needed; None where the pack has nothing to measure it on."""
        return None if np.isnan(self.holds) else bool(self.holds >= self.needed)

    @property
    def worst(self) -> float:
        """The value farthest on the wrong side, or closest to it."""
        if not self.cells.size:
            return float("nan")
        inside = np.minimum(self.cells - self.low, self.high - self.cells)
        return float(self.cells[np.argmin(inside)])

    @property
    def bound(self) -> str:
        """The bound in words."""
        if np.isinf(self.low):
            return f"at most {self.high:.3g}"
        if np.isinf(self.high):
            return f"at least {self.low:.3g}"
        return f"{self.low:.3g}" if self.low == self.high else f"{self.low:.3g} to {self.high:.3g}"

    def row(self) -> dict[str, Any]:
        """As a row of the report's table."""
        middle = float(np.median(self.cells)) if self.cells.size else float("nan")
        return {
            "id": self.id,
            "group": self.group,
            "statement": self.statement,
            "measured": self.measured,
            "worst": self.worst,
            "median": middle,
            "bound": self.bound,
            "unit": self.unit,
            "holds_in": self.holds,
            "needed": self.needed,
            "cells": int(self.cells.size),
            "passed": self.passed,
        }


def change(new: Array, old: Array) -> Array:
    """Log ratio of two counts; NaN where both are next to nothing."""
    both = (np.abs(new) < _TINY) & (np.abs(old) < _TINY)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(both, np.nan, np.log(np.maximum(new, 0.0) + _TINY) - np.log(np.maximum(old, 0.0) + _TINY))


def ratio(part: Array, whole: Array) -> Array:
    """Share; NaN where there is nothing of the whole."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(whole) < _TINY, np.nan, part / whole)
