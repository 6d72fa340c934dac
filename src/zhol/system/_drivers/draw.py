"""Draws of the drivers: one score a place for population, walks for income, blocks of the past for conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.draws import generator
from zhol.system._drivers.settings import setting

if TYPE_CHECKING:
    from zhol.system._drivers.conflict import Conflict
    from zhol.system._drivers.income import Income

# Rows of this many years are drawn whatever the last month is, so that a longer run keeps the draws of a shorter one.
_YEARS = 150


def population_factor(
    up: np.ndarray, down: np.ndarray, places: list[str], draws: int, seed: int, dtype: Any
) -> np.ndarray:
    """Factor on population, (D, T, P): a normal score a place and draw times the spread on its side."""
    score = np.stack([generator(seed, "drivers", "population", p).standard_normal(draws) for p in places], axis=1)
    score = score.astype(dtype)[:, None, :]
    factor = np.maximum(score, 0) * up.astype(dtype)
    factor += np.minimum(score, 0) * down.astype(dtype)
    return np.exp(factor, out=factor)


def income_factor(
    income: Income, times: np.ndarray, places: list[str], draws: int, seed: int, dtype: Any
) -> np.ndarray:
    """Factor on income, (D, T, P): a common walk and one of each place, yearly steps joined by lines."""
    base = int(income.last.min())
    years = max(int(np.ceil(times[-1])) - base + 1, 1)
    size = (draws, max(_YEARS, years))
    common = income.common * generator(seed, "drivers", "income").standard_normal(size)[:, :years]
    walk = np.empty((draws, years + 1, len(places)), dtype=dtype)
    walk[:, 0] = 0.0
    for i, place in enumerate(places):
        step = income.own[i] * generator(seed, "drivers", "income", place).standard_normal(size)[:, :years]
        ahead = base + 1 + np.arange(years) > income.last[i]
        walk[:, 1:, i] = np.cumsum((common + step) * ahead, axis=1)
    at = np.clip(times - (base + 0.5), 0.0, years)
    left = np.minimum(at.astype(int), years - 1)
    weight = (at - left).astype(dtype)[:, None]
    rise = np.diff(walk, axis=1)[:, left]
    rise *= weight
    rise += walk[:, left]
    return np.exp(rise, out=rise)


def conflict_draws(
    conflict: Conflict, months: np.ndarray, places: list[str], draws: int, seed: int, dtype: Any
) -> np.ndarray:
    """Rates, (D, T, P): what is left of the present plus blocks of years of the place's own history."""
    year, block = months // 12, int(setting("conflict_block_years"))
    out = np.empty((draws, len(months), len(places)), dtype=dtype)
    out[:] = conflict.monthly
    ahead = np.flatnonzero(year > max(int(conflict.last.min()), 0))
    if not len(ahead):
        return out
    for i, place in enumerate(places):
        history, rows = conflict.histories[i], np.flatnonzero(year > conflict.last[i])
        if not conflict.last[i] or not len(rows) or history.max() == 0:
            continue
        since = year[rows] - int(conflict.last[i]) - 1
        begin = generator(seed, "drivers", "conflict", place).integers(len(history), size=(draws, _YEARS // block))
        part = np.minimum(since // block, begin.shape[1] - 1)
        past = history[(begin[:, part] + since % block) % len(history)]  # the end of the history joins its beginning
        kept = conflict.keep[rows, i]
        out[:, rows, i] = np.expm1(kept * conflict.recent[i] + (1 - kept) * past)
    return out
