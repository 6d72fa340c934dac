"""Flows between places from two stocks of people by birthplace and residence, with births and deaths between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.estimate._flows import accounts, many_draws, missing, stocks_input
from zhol.estimate._flows.accounts import Account, Plan
from zhol.estimate._flows.result import Flows, mirrored
from zhol.estimate._flows.scaling import Array
from zhol.estimate._flows.stock_draws import ErrorLaw, Gaps
from zhol.estimate.rival_stocks import StockError
from zhol.estimate.rival_stocks import stock_error as fit_stock_error

__all__ = ["Flows", "flows"]

CHOICES = {
    "method": ("demographic", "difference", "rates", "pseudo_bayes"),
    "births_method": ("native", "proportion"),
    "deaths_method": ("proportion", "accounting"),
    "balance": ("before", "after"),
    "open_weights": ("own", "other"),
    "decrease": ("return", "zero"),
    "rates": ("dennett", "rogers_von_rabenau"),
    "missing": ("expected", "carried", "zero", "error"),
}
MOST_CELLS = 60_000_000  # of draws by birthplace, a quarter of a gigabyte
PAPERS = {
    "demographic": (
        "Abel (2013), Demographic Research 28(18), 505–546",
        "Abel and Sander (2014), Science 343(6178), 1520–1522",
        "Abel and Cohen (2019), Scientific Data 6, 82",
    ),
    "difference": ("Beine, Bertoli and Fernández-Huertas Moraga (2016), The World Economy 39(4), 496–512",),
    "dennett": ("Dennett (2016), in Global Dynamics: Approaches from Complexity Science, 125–142",),
    "rogers_von_rabenau": ("Rogers and von Rabenau (1971), Demography 8(2), 185–194",),
    "pseudo_bayes": (
        "Azose and Raftery (2019), PNAS 116(1), 116–122",
        "Abel and Cohen (2022), Scientific Data 9, 173",
    ),
}


def flows(
    stock_start: Any,
    stock_end: Any,
    *,
    births: Any = None,
    deaths: Any = None,
    method: str = "demographic",
    closed: bool = True,
    births_method: str = "native",
    deaths_method: str = "proportion",
    seed_matrix: Any = None,
    draws: int = 0,
    stock_error: StockError | float | None = None,
    seed: int = 1,
    stayers: bool = True,
    missing: str = "expected",
    population: tuple[Any, Any] | None = None,
    unstated: tuple[Any, Any] | None = None,
    weight: float = 0.87,
    balance: str = "before",
    birth_non_negative: bool = True,
    open_weights: str = "own",
    whole_persons: bool = False,
    decrease: str = "return",
    include_native_born: bool = False,
    rates: str = "dennett",
    total: float | None = None,
    birthplace: bool = False,
    level: float = 0.95,
    places: Sequence[str] | None = None,
    lags: tuple[int, int] = (0, 1),
    cluster: str | None = None,
) -> Flows:
    """Flows between places that turn one stock into the next.

    A flow is the number of people who live in one place at the start and in another at the end. Nobody counts that;
    the accounts give the fewest moves that two stocks, births and deaths imply (``stayers``), or the moves that follow
    if the two residences of a person were independent (``stayers=False``), or a mixture of both (``pseudo_bayes``).

    Parameters
    ----------
    stock_start, stock_end : square table or array, or tidy table
        Persons by birthplace (rows) and residence (columns), natives on the diagonal: pandas with named rows, any table
        whose first column names the birthplace, a file, an array (with ``places``), or a tidy table with birthplace,
        residence, persons. NaN, or no row in a tidy table: not estimated, which is not zero.
    births, deaths : mapping, series, table or array, optional
        Persons a place over the period; zero where not given.
    method : str
        ``demographic``, ``pseudo_bayes``, ``difference`` (growth of stocks) or ``rates``.
    closed : bool
        True: nobody leaves the system; birthplace totals of the two stocks meet half-way and every place keeps its
        residents. False: differences go to and come from outside (in ``imbalance``).
    births_method : str
        ``native``: newborn stay where they were born; ``proportion``: spread like the residents of the place.
    deaths_method : str
        ``proportion``: one death rate for all residents of a place; ``accounting``: deaths of each birthplace as the
        change of its people implies, where that is possible.
    seed_matrix : square table or array, or array (origin, destination, birthplace), optional
        Prior pattern of the moves, for example a power of distance; used under every assumption on stayers.
    draws : int
        Draws of the stocks' errors for the intervals; 0 gives none.
    stock_error : StockError, float, optional
        Law of the errors, from ``zhol.estimate.stock_error``; a number is a standard deviation of log stocks. None:
        fitted to the rival UN revisions of the Central Asia pack.
    seed : int
        Seed of the draws.
    stayers : bool
        As many people stay as the stocks allow.
    missing : str
        Cells not estimated at either date: ``expected`` (birthplace effect times residence effect, right where gaps are
        chance; the draws carry the misfit of this model on known cells), ``carried`` (nobody in the estimate, right
        where gaps are small stocks that were not listed; draws fill them, and ``not_estimated`` bounds them), ``zero``,
        or ``error``. A cell estimated at one date only is the other date's times the growth of its effects.
    population : tuple of two, optional
        Residents of each place at the start and the end (mapping, series, table): natives are then residents less
        foreign-born, whatever stands on the diagonal.
    unstated : tuple of two, optional
        People of each residence whose birthplace is not stated, at the start and the end: cells not estimated share
        them and hold no more, and those left over are spread like the known ones.
    weight : float
        Weight of the fewest moves in ``pseudo_bayes``; the rest goes to independence.
    balance : str
        In a closed account the world's natives are scaled to let the world grow by births less deaths: ``before`` or
        ``after`` vital events are taken off.
    birth_non_negative : bool
        Where natives are fewer than births: true spreads all births of the place over its residents, false only those
        that the natives cannot bear.
    open_weights : str
        Who leaves and comes in an open account: ``own`` (leavers like the residents at the start, comers like those at
        the end) or ``other`` (the other way round).
    whole_persons : bool
        Balance the world in whole persons, as the R package migest does; then doubling stocks does not double flows.
    decrease, include_native_born : str, bool
        For ``difference``: a falling stock is people who ``return`` or ``zero``; keep natives on the diagonal.
    rates, total : str, float
        For ``rates``: ``dennett`` (moves of the world ``total``; if None, the sum over places of the absolute change of
        residents that births and deaths leave unexplained) or ``rogers_von_rabenau``.
    birthplace : bool
        Rows of ``table`` by birthplace too (rows above zero only).
    level : float
        Coverage of the intervals.
    places : sequence of str, optional
        Names of the places, for arrays.
    lags : tuple of int
        Which of a series of times, five years apart, the two stocks are, so that draws of periods share their stocks.
    cluster : str, optional
        Address of a Dask scheduler that makes the draws.

    Returns
    -------
    Flows
        With ``table``, ``matrix``, ``by_birthplace``, ``imbalance``, ``draws``, ``warnings``.

    Raises
    ------
    ZholError
        If the stocks are not square tables of the same two or more places, a figure is negative or no number, or births
        or deaths lack a place.

    References
    ----------
    Abel (2013), Demographic Research 28(18), 505–546; Abel (2018), International Migration Review 52(3), 809–852;
    Abel and Cohen (2019), Scientific Data 6, 82; Azose and Raftery (2019), PNAS 116(1), 116–122.

    Examples
    --------
    >>> import pandas as pd
    >>> start = pd.DataFrame([[1000, 100], [50, 500]], index=["A", "B"], columns=["A", "B"])
    >>> end = pd.DataFrame([[980, 120], [50, 500]], index=["A", "B"], columns=["A", "B"])
    >>> flows(start, end).table.select("origin", "destination", "persons").rows()
    [('A', 'B', 20.0), ('B', 'A', 0.0)]
    """
    plan = Plan(
        method, closed, births_method, deaths_method, stayers, balance, birth_non_negative, open_weights, whole_persons,
        weight, decrease, include_native_born, rates, total,
    )  # fmt: skip
    _check(plan, missing, draws, level, seed)
    names, start, end, gaps, notes = _stocks(stock_start, stock_end, missing, (population, unstated), places)
    bounds = _not_estimated(names, gaps)
    born, died = (stocks_input.read_events(d, n, names) for d, n in ((births, "births"), (deaths, "deaths")))
    if seed_matrix is not None:
        plan = replace(plan, seed_matrix=_seed(seed_matrix, names))
    vectors = (start[None], end[None], born[None], died[None])
    account = None
    if method in ("demographic", "pseudo_bayes"):
        account = accounts.make_account(*vectors, plan)
        notes += _notes_on_account(names, account, plan, born, died)
    matrix = _point(account, vectors, plan, notes)
    drawn = job = None
    if draws:
        law, width, absent = _law(stock_error, names)
        if missing == "carried" and len(absent):
            gaps = (gaps[0]._replace(misfit=absent), gaps[1]._replace(misfit=absent))
        job = many_draws.Job(names, start, end, born, died, plan, law, width, gaps, seed, lags)
        drawn = many_draws.run(job, draws, cluster)
    found = _result(names, matrix, account, (start, end, born, died), drawn, plan, notes, level, seed)
    found = replace(found, not_estimated=bounds)
    return replace(found, table=_table_by_birthplace(found, job, draws)) if birthplace else found


def _check(plan: Plan, missing: str, draws: int, level: float, seed: int) -> None:
    for name, allowed in CHOICES.items():
        value = missing if name == "missing" else getattr(plan, name)
        if value not in allowed:
            raise ZholError(f"unknown {name}", found=value, expected=" or ".join(allowed))
    for name, number, least in (("draws", draws, 0), ("seed", seed, 0)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < least:
            raise ZholError(f"{name} is not a whole number of {least} or more", found=number)
    if not 0 < level < 1:
        raise ZholError("level is not between 0 and 1", found=level, expected="for example 0.95")
    if not 0 <= plan.weight <= 1:
        raise ZholError("weight is not between 0 and 1", found=plan.weight, expected="for example 0.87")
    if plan.total is not None and not (np.isfinite(plan.total) and plan.total >= 0):
        raise ZholError("total is not a number of moves", found=plan.total)


def _stocks(
    stock_start: Any,
    stock_end: Any,
    how: str,
    people: tuple[tuple[Any, Any] | None, tuple[Any, Any] | None],
    places: Sequence[str] | None,
) -> tuple[tuple[str, ...], Array, Array, tuple[Gaps, Gaps], list[str]]:
    names, start = stocks_input.read_stock(stock_start, "stock_start", places)
    others, end = stocks_input.read_stock(stock_end, "stock_end", places)
    end = stocks_input.align(names, others, end, "stock_end")
    notes: list[str] = []
    population, unstated = people
    for stock, title in ((start, "stock_start"), (end, "stock_end")):
        if population is not None:
            np.fill_diagonal(stock, 0.0)
        _need_natives(names, stock, title)
        if how == "error" and np.isnan(stock).any():
            cells = f"{int(np.isnan(stock).sum())} cells"
            raise ZholError(f"{title} has cells that were not estimated", found=cells, hint="missing='expected'")
    nameless = None
    if unstated is not None:
        first, last = (stocks_input.read_events(u, "unstated", names) for u in unstated)
        nameless = (first, last)
    empty = (np.isnan(start), np.isnan(end))
    filled = missing.fill_pair(start, end, how, nameless)
    notes += _notes_on_gaps(filled, empty, how)
    done = [f.stock for f in filled]
    if population is not None:
        titles = ("stock_start", "stock_end")
        done = [_with_natives(names, *part, notes) for part in zip(done, population, titles, strict=True)]
    return names, done[0], done[1], (filled[0].gaps, filled[1].gaps), notes


def _need_natives(names: tuple[str, ...], stock: Array, title: str) -> None:
    absent = np.flatnonzero(np.isnan(np.diag(stock)))
    if len(absent):
        raise ZholError(f"{title} has no natives for a place", found=names[absent[0]], hint="give population=")


def _notes_on_gaps(filled: tuple[missing.Filled, ...], empty: tuple[Array, Array], how: str) -> list[str]:
    """What became of cells that nobody estimated."""
    notes = []
    never = int((empty[0] & empty[1]).sum())
    if how == "zero":
        for title, gaps in zip(("stock_start", "stock_end"), empty, strict=True):
            if gaps.any():
                notes.append(f"{title}: {int(gaps.sum())} cells that were not estimated are taken as zero")
        return notes
    for title, found in zip(("stock_start", "stock_end"), filled, strict=True):
        if cells := int(found.gaps.once.sum()):
            notes.append(f"{title}: {cells} cells that were not estimated are taken from the other date")
    if never and how == "carried":
        notes.append(
            f"{never} cells that were not estimated are nobody in the estimate, which is not zero: draws fill them, "
            "and not_estimated says with how many at most"
        )
    elif never:
        people, misfit = (f.stock[f.gaps.never].sum() for f in filled), filled[0].gaps.misfit
        factor = np.exp(1.4826 * np.median(np.abs(misfit)))
        span = " and ".join(f"{n:,.0f}" for n in people)
        notes.append(
            f"{never} cells that were not estimated are filled with {span} persons by birthplace and residence "
            f"effects; such a cell is off by a factor of {factor:.1f} or more in one case of three"
        )
    return notes


def _not_estimated(names: tuple[str, ...], gaps: tuple[Gaps, Gaps]) -> pl.DataFrame:
    """Pairs estimated at neither date, and the most people there can be, where those of no birthplace are known."""
    born, lives = np.nonzero(gaps[0].never)
    most = [[None] * len(born) if g.most is None else g.most[lives].tolist() for g in gaps]
    who = np.array(names, dtype=object)
    columns = {
        "birthplace": who[born].tolist(),
        "residence": who[lives].tolist(),
        "start_at_most": most[0],
        "end_at_most": most[1],
    }
    kinds = {"birthplace": pl.String, "residence": pl.String, "start_at_most": pl.Float64, "end_at_most": pl.Float64}
    return pl.DataFrame(columns, schema=kinds)


def _with_natives(names: tuple[str, ...], stock: Array, residents: Any, title: str, notes: list[str]) -> Array:
    people = stocks_input.read_events(residents, "population", names)
    foreign = stock.sum(0)
    over = np.flatnonzero(foreign > people)
    if len(over):
        notes.append(
            f"{title}: more foreign-born than residents in {names[over[0]]} and {len(over) - 1} others, scaled"
        )
        stock = stock * np.where(foreign > people, people / np.maximum(foreign, 1e-300), 1.0)[None, :]
    np.fill_diagonal(stock, np.maximum(people - stock.sum(0), 0.0))
    return stock


def _seed(data: Any, names: tuple[str, ...]) -> Array:
    if isinstance(data, np.ndarray) and data.ndim == 3:
        seed = np.array(data, dtype=float)
        if seed.shape != (len(names),) * 3:
            raise ZholError(
                "seed_matrix does not fit the stocks", found=str(seed.shape), expected=f"{len(names)} cubed"
            )
    else:
        others, table = stocks_input.read_stock(data, "seed_matrix", names if isinstance(data, np.ndarray) else None)
        seed = stocks_input.align(names, others, table, "seed_matrix")
    if not np.isfinite(seed).all() or (seed < 0).any():
        raise ZholError("seed_matrix has a cell that is negative or no number", expected="numbers of zero or more")
    return seed


def _point(account: Account | None, vectors: tuple[Array, Array, Array, Array], plan: Plan, notes: list[str]) -> Array:
    """The flows of the given stocks, and notes on what their method did."""
    if account is None:
        if plan.method == "difference":
            notes.append("differences of stocks know no births, deaths or return beyond the fall of a stock")
            return accounts.matrices(*vectors, plan)[0]
        return _rates(vectors, plan, notes)
    if plan.seed_matrix is not None and plan.seed_matrix.ndim == 3:
        cube, met = accounts.mixed_cube(account.matched, plan)
        matrix: Array = cube.sum(2)
    else:
        parts = accounts.flow_parts(account.matched, plan)
        met = all(bool(p.met[0]) for _, p in parts)
        matrix = sum((w * p.matrices()[0] for w, p in parts), np.zeros((1, 1)))
    if not met:
        notes.append("zeros of seed_matrix contradict the stocks: as few moves as the stocks need were allowed there")
    return matrix


def _rates(vectors: tuple[Array, Array, Array, Array], plan: Plan, notes: list[str]) -> Array:
    matrix: Array = accounts.matrices(*vectors, plan)[0]
    if (matrix < 0).any():
        notes.append("Rogers and von Rabenau's operator gives negative flows: an answer of arithmetic, not of people")
    return matrix


def _law(error: StockError | float | None, names: tuple[str, ...]) -> tuple[ErrorLaw, Array, Array]:
    """Law of the errors, width of each residence, and log misfits of pairs that a publication lacks."""
    if error is None:
        from zhol.region.load import load

        error = fit_stock_error(load("central_asia"))
    if isinstance(error, StockError):
        return error.law(names), error.widths(names), np.array(error.absent)
    if isinstance(error, bool) or not isinstance(error, int | float) or not 0 <= error < 5:
        raise ZholError("stock_error is neither a StockError nor a standard deviation of log stocks", found=error)
    return ErrorLaw(np.array([]), np.array([float(error)]), np.inf, 0.0, 0.0), np.ones(len(names)), np.array([])


def _notes_on_account(names: tuple[str, ...], account: Account, plan: Plan, births: Array, deaths: Array) -> list[str]:
    notes = []
    cut = np.flatnonzero((np.abs(account.births[0] - births) > 1e-9) | (np.abs(account.deaths[0] - deaths) > 1e-9))
    if len(cut):
        notes.append(
            f"more births or deaths than residents in {len(cut)} places ({names[cut[0]]}): the excess died young"
        )
    if not account.accounted.all():
        notes.append("the stocks imply impossible deaths for some birthplaces: the nearest possible number is taken")
    if account.matched.opened.any():
        notes.append("some cells without people must have some, or birthplaces and residents contradict each other")
    if not account.matched.met.all():
        notes.append("the two stocks contradict each other: the residents of some places give way, see imbalance")
    return notes


def _result(
    names: tuple[str, ...],
    matrix: Array,
    account: Account | None,
    given: tuple[Array, Array, Array, Array],
    drawn: Array | None,
    plan: Plan,
    notes: list[str],
    level: float,
    seed: int,
) -> Flows:
    low = high = None
    if drawn is not None:
        low, high, note = _interval(matrix, drawn, level)
        notes = [*notes, *note]
    title = {
        "demographic": f"Flows by demographic accounting, {'fewest moves' if plan.stayers else 'independence'}",
        "pseudo_bayes": f"Flows by demographic accounting, pseudo-Bayes mixture ({plan.weight:g} on the fewest moves)",
        "difference": f"Flows by differences of stocks, a fall is {plan.decrease}",
        "rates": f"Flows by rates, {plan.rates.replace('_', ' ')}",
    }[plan.method]
    papers = PAPERS[plan.rates if plan.method == "rates" else plan.method]
    return Flows(
        names, _table(names, matrix, low, high), matrix, _imbalance(names, matrix, account, given), low, high, drawn,
        tuple(dict.fromkeys(notes)), title, level, "persons", MappingProxyType(_details(plan, drawn, seed)), papers,
        account.matched if account is not None else None, plan,
    )  # fmt: skip


def _details(plan: Plan, drawn: Array | None, seed: int) -> dict[str, Any]:
    return {
        "method": plan.method,
        "closed": plan.closed,
        "stayers": plan.stayers,
        "births_method": plan.births_method,
        "deaths_method": plan.deaths_method,
        "seeded": plan.seed_matrix is not None,
        "draws": 0 if drawn is None else len(drawn),
        "seed": seed,
    }


def _interval(matrix: Array, drawn: Array, level: float) -> tuple[Array, Array, list[str]]:
    """Ends of the interval of every flow, and what the reader must know.

    The given stocks have errors already, and errors make moves; draws put errors on top. So the interval holds both the
    percentiles of the draws and their mirror image in the estimate (the basic bootstrap), which takes that much off.
    """
    low, high = mirrored(matrix, np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0))
    note = ["intervals hold errors of the stocks, not of the method, of population, births or deaths"]
    off = ~np.eye(len(matrix), dtype=bool)
    total = float(matrix[off].sum())
    more = float(drawn[:, off].sum(1, dtype=float).mean()) - total
    if more > 0.05 * total > 0:
        note.append(
            f"errors in stocks make moves: those of the draws add {more / total:.0%} to all moves, so that the moves "
            "of the given stocks are likely too many too"
        )
    return low, high, note


def _table(names: tuple[str, ...], matrix: Array, low: Array | None, high: Array | None) -> pl.DataFrame:
    off = ~np.eye(len(names), dtype=bool)
    who = np.array(names, dtype=object)
    o, d = np.nonzero(off)
    none = [None] * len(o)
    columns = {
        "origin": who[o].tolist(),
        "destination": who[d].tolist(),
        "persons": matrix[off],
        "low": none if low is None else low[off],
        "high": none if high is None else high[off],
    }
    return pl.DataFrame(columns, schema_overrides={"persons": pl.Float64, "low": pl.Float64, "high": pl.Float64})


def _table_by_birthplace(result: Flows, job: many_draws.Job | None, draws: int) -> pl.DataFrame:
    """Moves by origin, destination and birthplace: those that the given stocks or a draw put above zero."""
    if result.matched is None:
        raise ZholError("differences and rates give no flows by birthplace", hint="use method='demographic'")
    cube, ends = result.by_birthplace, None
    shown = cube > 0
    if job is not None:
        if len(cube) ** 3 * draws > MOST_CELLS:
            hint = f"at most {MOST_CELLS:,} cells: fewer draws, or draws=0"
            raise ZholError(
                "too many flows by birthplace for intervals", found=f"{len(cube) ** 3 * draws:,}", hint=hint
            )
        drawn = many_draws.run_cubes(job, draws)
        ends = np.quantile(drawn, [(1 - result.level) / 2, (1 + result.level) / 2], axis=0)
        shown |= ends[1] > 0
    o, d, b = np.nonzero(shown & ~np.eye(len(cube), dtype=bool)[:, :, None])
    who = pl.Series(list(result.places))
    columns = {
        "origin": who.gather(o.tolist()),
        "destination": who.gather(d.tolist()),
        "birthplace": who.gather(b.tolist()),
        "persons": cube[o, d, b],
    }
    table = pl.DataFrame(columns)
    if ends is None:
        return table.with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64))
    low, high = (end[o, d, b] for end in mirrored(cube, ends))
    return table.with_columns(low=pl.Series(low), high=pl.Series(high))


def _imbalance(
    names: tuple[str, ...], matrix: Array, account: Account | None, given: tuple[Array, Array, Array, Array]
) -> pl.DataFrame:
    start, end, births, deaths = given
    moves = matrix - np.diag(np.diag(matrix))
    net = moves.sum(0) - moves.sum(1)
    used = (start.sum(0), end.sum(0))
    left = came = np.zeros(len(names))
    if account is not None:
        used, births, deaths = (account.start_used[0], account.end_used[0]), account.births[0], account.deaths[0]
        if account.matched.left is not None and account.matched.came is not None:
            left, came = account.matched.left[0].sum(0), account.matched.came[0].sum(0)
    gap = used[1] - (used[0] + births - deaths + net + came - left)
    columns = {
        "place": list(names), "start": start.sum(0), "end": end.sum(0), "start_used": used[0], "end_used": used[1],
        "births": births, "deaths": deaths, "entering": came, "leaving": left, "net": net, "gap": gap,
    }  # fmt: skip
    return pl.DataFrame(columns)
