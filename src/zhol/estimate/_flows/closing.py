"""Make two stock tables one account: equal totals of the world, then equal totals of every birthplace."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zhol.estimate._flows.scaling import Array, fit_margins

_MOST = 0.9  # the largest part of a total that balancing may take away


class Matched(NamedTuple):
    """Start and end with equal birthplace totals; who left to and came from outside (draw, birthplace, residence)."""

    start: Array
    end: Array
    left: Array | None
    came: Array | None
    met: Array  # draws whose totals are all met
    opened: Array  # draws in which people stand in cells that were empty, because the totals need it


def balance_world(start: Array, end: Array, natural: Array, whole: bool = False) -> tuple[Array, Array]:
    """Scale the natives of both tables, half each, until the world grows by its natural growth alone.

    Natives, because they are the residual of population and foreign-born; where there are too few of them, whole
    tables are scaled.

    Parameters
    ----------
    start, end : array, shape (draw, birthplace, residence)
    natural : array, shape (draw,)
        Births less deaths of the world.
    whole : bool
        Round the scaled natives to whole persons and give the remainder to the largest place, as migest does.
    """
    gap = natural - (end.sum((1, 2)) - start.sum((1, 2)))
    if not gap.any():
        return start, end
    start, end = start.copy(), end.copy()
    places = np.arange(start.shape[1])
    natives = [t[:, places, places].sum(1) for t in (start, end)]
    wholes = [t.sum((1, 2)) for t in (start, end)]
    few = (-gap / 2 < -_MOST * natives[0]) | (gap / 2 < -_MOST * natives[1])
    few |= (natives[0] <= 0) | (natives[1] <= 0)
    base = [np.where(few, w, n) for w, n in zip(wholes, natives, strict=True)]
    factors = _factors(base[0], base[1], gap)
    for table, factor in zip((start, end), factors, strict=True):
        inner = np.where(few, factor, 1.0)[:, None, None]
        table *= inner
        table[:, places, places] *= np.where(few, 1.0, factor)[:, None]
        if whole:
            _round_natives(table)
    return start, end


def _round_natives(table: Array) -> None:
    """Whole natives with the same sum, in place; the remainder goes to the largest place."""
    places, draws = np.arange(table.shape[1]), np.arange(len(table))
    exact = table[:, places, places]
    rounded = np.round(exact)
    rounded[draws, exact.argmax(1)] += exact.sum(1) - rounded.sum(1)
    table[:, places, places] = np.maximum(rounded, 0.0)


def _factors(first: Array, second: Array, gap: Array) -> tuple[Array, Array]:
    """Factors of two totals that change their difference by the gap: half each, or as much as one can give."""
    take = np.clip(-gap / 2, -_MOST * first, None)  # what the first table gains
    give = gap + take  # what the second gains: second - first grows by the gap
    short = np.maximum(-_MOST * second - give, 0.0)
    take, give = take + short, give + short
    factors = [np.divide(b + x, b, out=np.ones_like(b), where=b > 0) for b, x in ((first, take), (second, give))]
    return factors[0], factors[1]


def match_closed(start: Array, end: Array) -> Matched:
    """Nobody leaves the system: birthplace totals meet half-way, residents of every place stay as many as they are.

    Abel and Sander (2014), supplement.
    """
    rows = (start.sum(2), end.sum(2))
    gap = rows[0] - rows[1]
    size = np.maximum(rows[0], rows[1])
    moving = (np.abs(gap) > 1e-14 * size).any(1)
    met, opened = np.ones(len(start), dtype=bool), np.zeros(len(start), dtype=bool)
    if moving.any():
        start, end = start.copy(), end.copy()
        middle = (rows[0] + rows[1])[moving] / 2
        for table, other in ((start, end), (end, start)):
            seed = _with_pattern(table[moving], other[moving], middle)
            residents = table[moving].sum(1)
            scale = middle.sum(1) / np.maximum(residents.sum(1), 1e-300)
            fitted = fit_margins(seed, middle, residents * scale[:, None], open_cells=True)
            table[moving] = fitted.tables
            met[moving] &= fitted.met & (np.abs(scale - 1) < 1e-9)
            opened[moving] |= fitted.opened
    return Matched(start, end, None, None, met, opened)


def _with_pattern(table: Array, other: Array, rows: Array) -> Array:
    """A birthplace without people in one table but with a total to meet takes the pattern of the other table."""
    empty = (table.sum(2) == 0) & (rows > 0)
    return np.where(empty[:, :, None], other, table) if empty.any() else table


def match_open(start: Array, end: Array, weights: str) -> Matched:
    """People leave to and come from outside: the larger birthplace total gives the surplus, cell by cell.

    Parameters
    ----------
    weights : str
        ``own``: leavers are spread like the residents at the start and comers like those at the end (Abel 2013), so no
        cell can fall below zero. ``other``: leavers like the end, comers like the start, as migest's ``open``; a cell
        gives no more than it holds, and the rest is taken from the other cells of its birthplace.
    """
    gap = start.sum(2) - end.sum(2)
    leaving, coming = np.maximum(gap, 0.0), np.maximum(-gap, 0.0)
    patterns = (start, end) if weights == "own" else (end, start)
    left = _taken(patterns[0], start, leaving)
    came = _taken(patterns[1], end, coming)
    sure = np.ones(len(start), dtype=bool)
    return Matched(start - left, end - came, left, came, sure, ~sure)


def _taken(pattern: Array, held: Array, total: Array) -> Array:
    """Spread each birthplace's total over residences by a pattern, no cell above what it holds.

    The level at which ``min(level * pattern, held)`` has the wanted sum is found by sorting cells by the level at which
    they are full; what even all cells of the pattern cannot give comes from the others.
    """
    if pattern is held:
        return held * np.divide(total, held.sum(2), out=np.zeros_like(total), where=total > 0)[:, :, None]
    shown = np.where(held > 0, pattern, 0.0)
    full_at = np.divide(held, shown, out=np.full_like(held, np.inf), where=shown > 0)
    order = np.argsort(full_at, axis=2, kind="stable")
    sorted_held, sorted_shown, levels = (np.take_along_axis(x, order, 2) for x in (held, shown, full_at))
    full = np.cumsum(sorted_held, axis=2) - sorted_held  # people of the cells that are full before this one is
    rest = np.cumsum(sorted_shown[:, :, ::-1], axis=2)[:, :, ::-1]
    level = np.divide(total[:, :, None] - full, rest, out=np.full_like(rest, np.inf), where=rest > 0)
    first = (level <= levels).argmax(2)[:, :, None]
    found = np.take_along_axis(level, first, 2)
    can = np.where(shown > 0, held, 0.0)
    taken = np.where(np.isfinite(found), np.minimum(np.where(shown > 0, found, 0.0) * shown, can), can)
    short, spare = np.maximum(total - taken.sum(2), 0.0), held - taken
    room = spare.sum(2)
    share = np.divide(short, room, out=np.zeros_like(room), where=room > 0)
    return np.minimum(taken + spare * share[:, :, None], held)
