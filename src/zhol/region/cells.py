"""One column at a time: from text to its type, or the first cell that is wrong and why."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from zhol.core.errors import ZholError
from zhol.region.iso3166 import is_country
from zhol.region.schema import Column

# Digits are 0 to 9 only: \d would let in the digits of every script, which no reader of numbers understands.
_NUMBER = r"-?(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_WHOLE = r"-?[0-9]{1,18}"
_WHEN = r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?"
_DAY = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_ID = r"[^\s,;\"']{1,80}"
_NO_NUMBER = {"nan", "inf", "+inf", "-inf", "infinity", "-infinity"}
_MISSING_WORDS = {"na", "n/a", "null", "none", "-", "–", "—", ".", "..", "...", "…", "missing", "unknown", "нет"}


class Known(NamedTuple):
    """What the other tables of the pack know: kind of every place, ids of sources."""

    places: dict[str, str]
    sources: frozenset[str]


def typed(cells: pl.Series, column: Column, file: Path, known: Known) -> pl.Series:
    """Check one column of text and give it its type.

    Raises
    ------
    ZholError
        For the first wrong cell: file, row, column, what was found, what was expected.
    """
    _refuse_missing(cells, column, file)
    check = _CHECKS[column.kind]
    unique = cells.drop_nulls().unique(maintain_order=True)
    bad = [value for value in _suspects(unique, column) if check(value, column, known) is not None]
    if bad:
        row = int(cells.is_in(bad).fill_null(False).arg_true()[0])
        reason, expected = check(cells[row], column, known) or ("wrong", column.expected)
        where: dict[str, Any] = {"file": file, "row": row + 2, "column": column.name}
        raise ZholError(reason, found=cells[row], expected=expected, **where)
    return _cast(cells, column)


def _refuse_missing(cells: pl.Series, column: Column, file: Path) -> None:
    if column.need != "filled":
        return
    empty = cells.is_null() | (cells.str.strip_chars() == "")
    if empty.any():
        reason = "source is missing" if column.name == "source_id" else "cell is empty"
        row = int(empty.arg_true()[0])
        raise ZholError(reason, file=file, row=row + 2, column=column.name, expected=column.expected)


def _suspects(unique: pl.Series, column: Column) -> list[str]:
    """Values that must be looked at one by one: for numbers only those that a quick look does not clear."""
    if column.kind not in ("number", "count") or unique.is_empty():
        return unique.to_list()
    pattern = _NUMBER if column.kind == "number" else _WHOLE
    numbers = unique.cast(pl.Float64, strict=False)
    low = -math.inf if column.min is None else column.min
    high = math.inf if column.max is None else column.max
    clear = unique.str.contains(f"^(?:{pattern})$") & numbers.is_between(low, high)
    return unique.filter(~clear.fill_null(False)).to_list()


def _cast(cells: pl.Series, column: Column) -> pl.Series:
    match column.kind:
        case "bool":
            return pl.Series(cells.name, (cells == "true"), dtype=pl.Boolean)
        case "date":
            return cells.str.to_date("%Y-%m-%d")
        case _:
            return cells.cast(column.type)


# Each check gives None for a good value, or what is wrong with it and what should stand there.
Verdict = tuple[str, str] | None


def _text(value: str, column: Column, known: Known) -> Verdict:
    if column.of and value not in column.of:
        return {"status": "unknown status", "unit": "wrong unit"}.get(column.name, "unknown word"), column.expected
    return None if value.strip() else ("cell holds only spaces", "text, or nothing")


def _id(value: str, column: Column, known: Known) -> Verdict:
    return None if re.fullmatch(_ID, value) else ("not an id", column.expected)


def _sources(value: str, column: Column, known: Known) -> Verdict:
    unknown = [part for part in value.split(";") if part not in known.sources]
    return ("unknown source", "an id of sources.csv") if unknown else None


def _place(value: str, column: Column, known: Known) -> Verdict:
    if value not in known.places:
        reason = "place is not in this pack" if is_country(value) else "unknown place code"
        return reason, column.expected
    if column.places and known.places[value] not in column.places:
        kind = known.places[value]
        return f"a place of kind {kind} cannot stand here", f"a place of kind {', '.join(column.places)}"
    return None


def _places(value: str, column: Column, known: Known) -> Verdict:
    verdicts = (_place(part, column, known) for part in value.split(";"))
    return next((v for v in verdicts if v is not None), None)


def _iso(value: str, column: Column, known: Known) -> Verdict:
    unknown = [part for part in value.split(";") if not is_country(part)]
    return ("unknown ISO 3166 code", column.expected) if unknown else None


def _year(value: str, column: Column, known: Known) -> Verdict:
    if not re.fullmatch(_WHOLE, value):
        return "not a year", column.expected
    assert column.min is not None and column.max is not None
    return None if column.min <= int(value) <= column.max else ("year out of range", column.expected)


def _when(value: str, column: Column, known: Known) -> Verdict:
    padded = value + "-01-01"[len(value) - 4 :] if re.fullmatch(_WHEN, value) else ""
    return None if _is_day(padded) else ("not a date", column.expected)


def _date(value: str, column: Column, known: Known) -> Verdict:
    return None if re.fullmatch(_DAY, value) and _is_day(value) else ("not a date", column.expected)


def _is_day(value: str) -> bool:
    try:
        return 1800 <= date.fromisoformat(value).year <= 2150
    except ValueError:
        return False


def _bool(value: str, column: Column, known: Known) -> Verdict:
    return None if value in ("true", "false") else ("not true or false", column.expected)


def _number(value: str, column: Column, known: Known) -> Verdict:
    whole = column.kind == "count"
    if not re.fullmatch(_NUMBER, value):
        return _no_number(value), column.expected
    number = float(value)
    if not math.isfinite(number):
        return "implausible number", column.expected
    if column.min is not None and number < column.min:
        what = f" of {column.unit}" if column.unit else ""
        return ("number too small" if column.min else f"negative number{what}"), column.expected
    if column.max is not None and number > column.max:
        what = f" of {column.unit}" if column.unit else ""
        return f"implausible number{what}", column.expected
    return ("not a whole number", column.expected) if whole and not re.fullmatch(_WHOLE, value) else None


def _no_number(value: str) -> str:
    bare = value.strip().lower()
    if bare in _NO_NUMBER:
        return "not a finite number (leave the cell empty where there is none)"
    if bare in _MISSING_WORDS:
        return "a word for missing (leave the cell empty)"
    if re.fullmatch(r"-?[0-9\s'’]*[0-9],[0-9]+", value):
        return "number with a comma (decimals take a point, thousands take nothing)"
    if re.fullmatch(r"-?[0-9][0-9\s'’,.]*", value):
        return "number with separators (thousands take nothing)"
    return "text in a column of numbers"


_CHECKS: dict[str, Callable[[str, Column, Known], Verdict]] = {
    "text": _text,
    "id": _id,
    "choice": _text,
    "sources": _sources,
    "place": _place,
    "places": _places,
    "iso": _iso,
    "year": _year,
    "when": _when,
    "date": _date,
    "bool": _bool,
    "number": _number,
    "count": _number,
}
