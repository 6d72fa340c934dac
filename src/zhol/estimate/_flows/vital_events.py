"""Births and deaths by birthplace and residence, never more than there are people."""

from __future__ import annotations

import numpy as np

from zhol.estimate._flows.scaling import Array, fit_margins


def feasible_events(start: Array, end: Array, births: Array, deaths: Array) -> tuple[Array, Array]:
    """Events that the residents can bear: more deaths than residents at the start were newborns', and so on.

    Births and deaths are cut by the same number, so that natural growth stays.
    """
    before, after = start.sum(1), end.sum(1)
    early = np.maximum(deaths - before, 0.0)
    deaths, births = deaths - early, np.maximum(births - early, 0.0)
    late = np.maximum(births - after, 0.0)
    return births - late, np.maximum(deaths - late, 0.0)


def birth_table(end: Array, births: Array, method: str, spread_all: bool) -> Array:
    """Newborn by birthplace and residence, shape of ``end``.

    Parameters
    ----------
    end : array, shape (draw, birthplace, residence)
        Residents at the end, newborn among them.
    births : array, shape (draw, residence)
        Births by residence.
    method : str
        ``native``: newborn live where they were born; ``proportion``: spread like the residents of the place.
    spread_all : bool
        Where natives are fewer than births: true spreads all of them like the residents, false only those in excess
        over the other residents.
    """
    share = _shares(end)
    if method == "proportion":
        return share * births[:, None, :]
    native = np.diagonal(end, axis1=1, axis2=2)
    places = np.arange(end.shape[1])
    short = births > native
    table = np.zeros_like(end)
    if spread_all:
        table[:, places, places] = np.where(short, 0.0, births)
        return table + share * np.where(short, births, 0.0)[:, None, :]
    table[:, places, places] = np.minimum(births, native)
    others = end.copy()
    others[:, places, places] = 0.0
    return np.minimum(table + _shares(others) * np.maximum(births - native, 0.0)[:, None, :], end)


def death_table(start: Array, end: Array, births: Array, deaths: Array, method: str) -> tuple[Array, Array]:
    """Deaths by birthplace and residence, and for each draw whether the accounts allowed the method exactly.

    ``proportion``: the same death rate for all who live in a place. ``accounting``: as many deaths of each birthplace
    as the change of its people and the births there imply, or the nearest number between none and all of
    them; where no table has these sums, the deaths of that draw are in proportion.
    """
    table = _shares(start) * deaths[:, None, :]
    if method == "proportion":
        return table, np.ones(len(start), dtype=bool)
    people, total = start.sum(2), deaths.sum(1)
    implied = people + births - end.sum(2)
    possible = np.clip(implied, 0.0, people)
    possible *= np.divide(total, possible.sum(1), out=np.zeros_like(total), where=possible.sum(1) > 0)[:, None]
    as_implied = np.isclose(possible, implied, rtol=1e-9, atol=1e-9 * total.max(initial=1.0)).all(1)
    some = np.flatnonzero((possible.sum(1) > 0) & (possible <= people * (1 + 1e-9)).all(1))
    fitted = fit_margins(start[some], possible[some], deaths[some])
    some, tables = some[fitted.met], fitted.tables[fitted.met]
    table[some] = _within(tables, start[some], deaths[some])
    exact = np.zeros_like(as_implied)
    exact[some] = (tables <= start[some] * (1 + 1e-9)).all((1, 2))
    return table, as_implied & exact


def _within(table: Array, stock: Array, deaths: Array) -> Array:
    """No cell above its people; what is cut goes to the others who live there, as many as are left."""
    table = np.minimum(table, stock)
    left = stock - table
    short, room = np.maximum(deaths - table.sum(1), 0.0), left.sum(1)
    share = np.divide(short, room, out=np.zeros_like(room), where=room > 0)
    return table + left * np.minimum(share, 1.0)[:, None, :]


def _shares(stock: Array) -> Array:
    total = stock.sum(1, keepdims=True)
    return np.divide(stock, total, out=np.zeros_like(stock), where=total > 0)
