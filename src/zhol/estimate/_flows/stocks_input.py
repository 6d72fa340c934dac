"""Whatever the user holds, as arrays over one sorted or given list of places; every mistake is one line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.core.frames import to_polars
from zhol.estimate._flows.scaling import Array

_BIRTH = ("birthplace", "birth", "pob", "origin")
_LIVE = ("residence", "por", "destination")
_PEOPLE = ("persons", "population", "stock", "value")
_PLACE = ("place", "region", "residence", "name", "code", "country")


def read_stock(data: Any, name: str, places: Sequence[str] | None) -> tuple[tuple[str, ...], Array]:
    """Places and square array (birthplace, residence); NaN where a cell was not estimated."""
    if isinstance(data, tuple) and len(data) == 2 and isinstance(data[0], np.ndarray):
        data, places = data[0], [str(p) for p in data[1]]
    if isinstance(data, np.ndarray | list) and not _is_records(data):
        names, stock = _from_array(data, name, places)
    else:
        names, stock = _from_frame(data, name)
    _check_stock(names, stock, name)
    return names, stock


def _is_records(data: Any) -> bool:
    return isinstance(data, list) and bool(data) and isinstance(data[0], Mapping)


def _from_array(data: Any, name: str, places: Sequence[str] | None) -> tuple[tuple[str, ...], Array]:
    try:
        stock = np.array(data, dtype=float)
    except (TypeError, ValueError) as error:
        raise ZholError(f"{name} has cells that are not numbers", expected="numbers") from error
    _need_square(stock.shape, name)
    names = tuple(str(i + 1) for i in range(len(stock))) if places is None else tuple(str(p) for p in places)
    if len(names) != len(stock):
        raise ZholError(f"places do not fit {name}", found=f"{len(names)} names", expected=f"{len(stock)}")
    return names, stock


def _need_square(shape: tuple[int, ...], name: str) -> None:
    if len(shape) != 2 or shape[0] != shape[1]:
        raise ZholError(
            f"{name} is not square", found=" x ".join(map(str, shape)), expected="a row and a column a place"
        )


def _from_frame(data: Any, name: str) -> tuple[tuple[str, ...], Array]:
    if type(data).__module__.split(".")[0] == "pandas":
        names_of_rows = [str(v) for v in data.index]
        tidy = all(_one_of([str(c) for c in data.columns], kind) for kind in (_BIRTH, _LIVE, _PEOPLE))
        numbered = names_of_rows == [str(i) for i in range(len(data))]
        if not tidy and (not numbered or set(names_of_rows) == {str(c) for c in data.columns}):
            return _from_named(names_of_rows, [str(c) for c in data.columns], _numbers(data.to_numpy(), name), name)
        data = data.copy()
        data.columns = [str(c) for c in data.columns]
    frame = to_polars(data, name=name)
    columns = frame.columns
    birth, live, people = (_one_of(columns, kind) for kind in (_BIRTH, _LIVE, _PEOPLE))
    if birth and live and people:
        return _from_tidy(frame, birth, live, people, name)
    rows = [str(v) for v in frame[columns[0]].to_list()]
    if frame[columns[0]].dtype.is_numeric() and len(columns) == frame.height:
        return _from_named(list(columns), list(columns), _numbers(frame.to_numpy(), name), name)
    return _from_named(rows, columns[1:], _numbers(frame.drop(columns[0]).to_numpy(), name), name)


def _one_of(columns: list[str], wanted: tuple[str, ...]) -> str | None:
    return next((w for w in wanted if w in columns), None)


def _numbers(cells: Array, name: str) -> Array:
    try:
        return np.array(cells, dtype=float)
    except (TypeError, ValueError) as error:
        bad = next(str(v) for v in np.ravel(cells) if not _is_number(v))
        raise ZholError(f"{name} has a cell that is not a number", found=bad, expected="a number of persons") from error


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return value is None
    return True


def _from_named(rows: list[str], columns: list[str], cells: Array, name: str) -> tuple[tuple[str, ...], Array]:
    _need_square(cells.shape, name)
    _need_unique(rows, name)
    if unknown := sorted(set(columns) ^ set(rows)):
        raise ZholError(f"rows and columns of {name} name different places", found=unknown[0], hint="name both alike")
    order = [columns.index(place) for place in rows]
    return tuple(rows), cells[:, order]


def _need_unique(places: list[str], name: str) -> None:
    if len(set(places)) < len(places):
        twice = next(p for p in places if places.count(p) > 1)
        raise ZholError(f"{name} names a place twice", found=twice)


def _from_tidy(frame: pl.DataFrame, birth: str, live: str, people: str, name: str) -> tuple[tuple[str, ...], Array]:
    births, lives = (frame[c].cast(pl.String).to_list() for c in (birth, live))
    for side, column in ((births, birth), (lives, live)):
        if None in side:
            raise ZholError(f"{name} has a row without a place", row=side.index(None) + 2, column=column)
    places = tuple(sorted({*births, *lives}))
    index = {place: i for i, place in enumerate(places)}
    stock = np.full((len(places), len(places)), np.nan)
    values = _numbers(frame[people].to_numpy(), name)
    seen: set[tuple[str, str]] = set()
    for row, (b, r, value) in enumerate(zip(births, lives, values, strict=True)):
        if (b, r) in seen:
            raise ZholError(f"{name} has a corridor twice", row=row + 2, found=f"{b} living in {r}")
        seen.add((b, r))
        stock[index[b], index[r]] = value
    return places, stock


def _check_stock(places: tuple[str, ...], stock: Array, name: str) -> None:
    if len(places) < 2:
        raise ZholError(f"{name} has too few places", found=f"{len(places)}", expected="two or more")
    _need_unique(list(places), name)
    if np.isinf(stock).any():
        raise ZholError(f"{name} has an infinite cell", found=_where(places, np.isinf(stock)))
    if (stock < 0).any():
        raise ZholError(f"{name} has a negative cell", found=_where(places, stock < 0), expected="persons")
    if np.isnan(stock).all():
        raise ZholError(f"{name} has no figure at all", expected="persons")
    if not np.nansum(stock) > 0:
        raise ZholError(f"{name} has no people", expected="persons above zero")


def _where(places: tuple[str, ...], mask: Array) -> str:
    b, r = np.argwhere(mask)[0]
    return f"born in {places[b]}, living in {places[r]}"


def align(places: tuple[str, ...], others: tuple[str, ...], stock: Array, name: str) -> Array:
    """A stock in the order of other places; the two must name the same ones."""
    if unknown := sorted(set(others) - set(places)):
        raise ZholError(f"{name} has an unknown place", found=unknown[0], hint="both stocks need the same places")
    if lost := sorted(set(places) - set(others)):
        raise ZholError(f"{name} lacks a place", found=lost[0], hint="both stocks need the same places")
    order = [others.index(p) for p in places]
    return stock[np.ix_(order, order)]


def read_events(data: Any, name: str, places: tuple[str, ...]) -> Array:
    """Persons a place (births, deaths, residents) as a vector; none given means zero."""
    if data is None:
        return np.zeros(len(places))
    if isinstance(data, str | Path) or not isinstance(data, np.ndarray | list) or _is_records(data):
        by_place = _by_place(data, name)
        if lost := [p for p in places if p not in by_place]:
            raise ZholError(f"{name} lack a place", found=lost[0], expected=f"{len(places)} places")
        if unknown := sorted(set(by_place) - set(places)):
            raise ZholError(f"{name} name an unknown place", found=unknown[0])
        values = _numbers(np.array([by_place[p] for p in places], dtype=object), name)
    else:
        values = _numbers(np.asarray(data), name)
    if values.shape != (len(places),):
        raise ZholError(f"{name} do not fit the stocks", found=f"{values.size} numbers", expected=f"{len(places)}")
    for wrong, word in ((~np.isfinite(values), "no number for"), (values < 0, "a negative number for")):
        if wrong.any():
            raise ZholError(f"{name} have {word} a place", found=places[int(np.flatnonzero(wrong)[0])])
    return values


def _by_place(data: Any, name: str) -> dict[str, Any]:
    if isinstance(data, Mapping) and not any(isinstance(v, list | tuple | np.ndarray) for v in data.values()):
        return {str(k): v for k, v in data.items()}
    if type(data).__name__ == "Series" and hasattr(data, "index"):
        return {str(k): v for k, v in data.items()}
    frame = to_polars(data, name=name)
    if frame.width < 2:
        raise ZholError(f"{name} need two columns", found=", ".join(frame.columns), expected="place and persons")
    place = _one_of(frame.columns, _PLACE) or frame.columns[0]
    value = _one_of(frame.columns, (name, *_PEOPLE)) or next(c for c in frame.columns if c != place)
    keys = [str(v) for v in frame[place].to_list()]
    if len(set(keys)) < len(keys):
        raise ZholError(f"{name} name a place twice", found=next(k for k in keys if keys.count(k) > 1))
    return dict(zip(keys, frame[value].to_list(), strict=True))
