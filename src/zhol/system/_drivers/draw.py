"""Draws of the drivers: one score a place for population, walks for income, blocks of the past for conflict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.draws import generator
from zhol.system._drivers.growth import kept
from zhol.system._drivers.settings import setting

if TYPE_CHECKING:
    from zhol.system._drivers.conflict import Conflict
    from zhol.system._drivers.income import Income
    from zhol.system._drivers.population import People

# Rows of this many years are drawn whatever the last month is, so that a longer run keeps the draws of a shorter one.
_YEARS = 150


def population_draws(
    central: np.ndarray, people: People, places: list[str], draws: int, seed: int, dtype: Any
) -> np.ndarray:
    """Paths, (D, T, P): a normal score a place and draw times the log spread on its side."""
    scores = [generator(seed, "drivers", "population", p).standard_normal(draws) for p in places]
    score = np.stack(scores, axis=1).astype(dtype)[:, None, :]
    first = _first((people.up > 0) | (people.down > 0))
    factor = np.maximum(score, 0) * people.up[first:].astype(dtype)
    factor += np.minimum(score, 0) * people.down[first:].astype(dtype)
    return _joined(central, first, np.exp(factor, out=factor))


def income_draws(
    central: list[np.ndarray], income: Income, times: np.ndarray, places: list[str], draws: int, seed: int, dtype: Any
) -> list[np.ndarray]:
    """Paths, (D, T, P): a common walk and one of each place around doubtful trends, yearly steps joined by lines."""
    base, growth = int(income.last.min()), income.growth
    years = max(int(np.ceil(times[-1])) - base + 1, 1)
    common = _steps(growth.doubt_centre, growth.common, draws, years, seed, "income")
    walk = np.zeros((draws, years + 1, len(places)), dtype=dtype)
    for i, place in enumerate(places):
        late = int(income.last[i]) - base  # years of the walk in which this place still has figures
        keep = np.concatenate([np.zeros(late), kept(int(income.last[i]), years)])[:years]
        own = _steps(growth.doubt_rate[i] * keep, growth.own[i], draws, years, seed, "income", place)
        walk[:, 1 + late :, i] = np.cumsum((common + own)[:, late:], axis=1)
    at = np.clip(times - (base + 0.5), 0.0, years)
    first = _first(at > 0)
    left = np.minimum(at[first:].astype(int), years - 1)
    rise = np.diff(walk, axis=1)[:, left]
    rise *= (at[first:] - left).astype(dtype)[:, None]
    rise += walk[:, left]
    factor = np.exp(rise, out=rise)
    return [_joined(path, first, factor) for path in central]


def _steps(drift: Any, sd: float, draws: int, years: int, seed: int, *names: str) -> np.ndarray:
    """Steps of a walk, (D, years), around a drift that is drawn once."""
    normal = generator(seed, "drivers", *names).standard_normal((draws, max(_YEARS, years) + 1))
    return drift * normal[:, :1] + sd * normal[:, 1 : years + 1]


def _first(changed: np.ndarray) -> int:
    """Index of the first month in which anything is drawn; the number of months if there is none."""
    months = np.flatnonzero(changed.reshape(len(changed), -1).any(axis=1))
    return int(months[0]) if len(months) else len(changed)


def _joined(central: np.ndarray, first: int, factor: np.ndarray) -> np.ndarray:
    """Draws that are the central path before `first`, and a factor of it from there."""
    out = np.empty((len(factor), *central.shape), dtype=factor.dtype)
    out[:, :first] = central[:first]
    np.multiply(factor, central[first:], out=out[:, first:])
    return out


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
        phase = generator(seed, "drivers", "conflict", place, "phase").integers(block, size=(draws, 1))
        begin = generator(seed, "drivers", "conflict", place).integers(len(history), size=(draws, _YEARS // block))
        since = since + phase  # blocks of different draws do not end together
        part = np.minimum(since // block, begin.shape[1] - 1)
        first = np.take_along_axis(begin, part, axis=1)
        past = history[(first + since % block) % len(history)]  # the end of the history joins its beginning
        kept = conflict.keep[rows, i]
        out[:, rows, i] = np.expm1(kept * conflict.recent[i] + (1 - kept) * past)
    return out
