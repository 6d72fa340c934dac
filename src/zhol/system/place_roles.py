"""Roles of places in a run: how much each is origin, transit and destination, draw by draw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError

if TYPE_CHECKING:
    from zhol.system.run import Run

ROLES = ("origin", "transit", "destination")
BASES = ("flows", "stocks")


def roles(
    run: Run, year: int | str | None = None, *, basis: str = "flows", threshold: float = 0.2, level: float = 0.8
) -> pl.DataFrame:
    """How much each place is origin, transit and destination in a run.

    Flows: people who left a place in the period, people who came to it, and attempts at clandestine passage that led
    through it. Stocks: people from it who live elsewhere, people from elsewhere who live in it, and the same transit.

    Parameters
    ----------
    run : Run
    year : int or str, optional
        A period of the run; its last if not given.
    basis : {"flows", "stocks"}
    threshold : float
        Share from which a place has a role.
    level : float
        Share of the draws inside ``_low`` and ``_high``.

    Returns
    -------
    polars.DataFrame
        One row a place that anybody leaves, passes or comes to: ``place``, ``time``; ``origin``, ``transit``,
        ``destination`` (median share of the draws, so that the three need not add to one), each with ``_low``,
        ``_high`` and ``_support`` (share of the draws in which it reaches the threshold); ``role`` (roles that at
        least half of the draws support); ``left``, ``passed``, ``came`` (median persons).

    Raises
    ------
    ZholError
        An unknown period or basis.

    Examples
    --------
    >>> import zhol
    >>> run = zhol.system.Model(zhol.load("central_asia")).simulate(end="2001-12", draws=2, parameters="prior")
    >>> found = roles(run, 2001)
    >>> found.filter(pl.col("place") == "SAU")["destination"].item() > 0.5
    True
    """
    when = run.time[-1] if year is None else str(year)
    if when not in run.time:
        raise ZholError("no such period in the run", found=when, expected=f"{run.time[0]} to {run.time[-1]}")
    if basis not in BASES:
        raise ZholError("unknown basis", found=basis, expected=" or ".join(BASES))
    people = _people(run, run.time.index(when), basis)
    total = people.sum(axis=1, keepdims=True)
    shares = np.divide(people, total, out=np.full_like(people, np.nan), where=total > 0)
    seen = np.isfinite(shares).all(axis=(0, 1))
    tail = (1.0 - level) / 2.0
    shares = shares[:, :, seen]
    low, middle, high = np.quantile(shares, [tail, 0.5, 1.0 - tail], axis=0)
    support = (shares >= threshold).mean(axis=0)
    columns: dict[str, Any] = {"place": [p for p, s in zip(run.places, seen, strict=True) if s]}
    columns["time"] = [when] * len(columns["place"])
    for i, role in enumerate(ROLES):
        columns |= {role: middle[i], f"{role}_low": low[i], f"{role}_high": high[i], f"{role}_support": support[i]}
    has = [[r for r, s in zip(ROLES, column, strict=True) if s >= 0.5] for column in support.T]
    columns["role"] = pl.Series(["_".join(h) or "none" for h in has], dtype=pl.String)
    persons = np.median(people[:, :, seen], axis=0)
    return pl.DataFrame({**columns, **{n: persons[i] for i, n in enumerate(("left", "passed", "came"))}})


def _people(run: Run, at: int, basis: str) -> np.ndarray:
    """People who left, passed and came, (draw, 3, place)."""
    moved = run.arrays["entries" if basis == "flows" else "people"][:, at].sum(axis=-1).astype(float)
    left, came = (
        moved @ np.array([[float(pair[side] == p) for p in run.places] for pair in run.corridors]) for side in (0, 1)
    )
    return np.stack([left, run.arrays["transit"][:, at].astype(float), came], axis=1)
