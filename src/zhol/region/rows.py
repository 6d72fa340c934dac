"""Whole rows at a time: intervals, units, dates in order, keys that stand once.

Each rule is a small function that finds the first row that breaks it, or nothing; one tail makes the error.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from zhol.core.errors import ZholError
from zhol.region.schema import Table, UnitRule


class Finding(NamedTuple):
    """A row that breaks a rule: its index, the column at fault, and what should stand there."""

    row: int
    column: str | None
    reason: str
    found: object
    expected: str


def check_rows(frame: pl.DataFrame, table: Table, file: Path, places: dict[str, str]) -> None:
    """Hold a typed table to its row rules.

    Raises
    ------
    ZholError
        For the first rule that is broken, at the first row that breaks it.
    """
    for finding in _findings(frame, table, places):
        raise ZholError(
            finding.reason,
            file=file,
            row=finding.row + 2,
            column=finding.column,
            found=finding.found,
            expected=finding.expected,
        )


def _findings(frame: pl.DataFrame, table: Table, places: dict[str, str]) -> Iterator[Finding]:
    yield from _apart(frame, table, places)
    yield from _units(frame, table)
    for rule in (_interval, _order, _parts, _any_of, _only_if, _key):
        yield from rule(frame, table)


def _first(frame: pl.DataFrame, broken: pl.Expr) -> tuple[int, dict[str, Any]] | None:
    """Index and cells of the first row where the expression is true."""
    hits = frame.select(broken.fill_null(False).alias("broken"))["broken"].arg_true()
    return (int(hits[0]), frame.row(int(hits[0]), named=True)) if len(hits) else None


def _apart(frame: pl.DataFrame, table: Table, places: dict[str, str]) -> Iterator[Finding]:
    """Only a block or the rest of the world holds corridors of its own inside."""
    if not table.apart:
        return
    one, other = table.apart
    countries = [code for code, kind in places.items() if kind == "country"]
    if hit := _first(frame, (pl.col(one) == pl.col(other)) & pl.col(one).is_in(countries)):
        row, cells = hit
        yield Finding(row, other, f"{one} and {other} are the same country", cells[other], "two places")


def _units(frame: pl.DataFrame, table: Table) -> Iterator[Finding]:
    if table.units is None:
        return
    for word, rule in table.units.rows.items():
        chosen = pl.col(table.units.by) == word
        if rule.unit and (hit := _first(frame, chosen & ~pl.col("unit").is_in(list(rule.unit)))):
            row, cells = hit
            yield Finding(row, "unit", f"wrong unit for {word}", cells["unit"], " | ".join(rule.unit))
        yield from _bounds(frame, chosen, word, rule, table)


def _bounds(frame: pl.DataFrame, chosen: pl.Expr, word: str, rule: UnitRule, table: Table) -> Iterator[Finding]:
    for column in table.interval:
        if hit := _first(frame, chosen & ~pl.col(column).is_between(rule.min, rule.max)):
            found = hit[1][column]
            reason = "negative" if found < 0 <= rule.min else "implausible"
            expected = f"a number from {rule.min:,.15g} to {rule.max:,.15g}"
            yield Finding(hit[0], column, f"{reason} number of {word}", _plain(found), expected)


def _interval(frame: pl.DataFrame, table: Table) -> Iterator[Finding]:
    if not table.interval:
        return
    low, value, high = table.interval
    if hit := _first(frame, pl.col(low) > pl.col(high)):
        row, cells = hit
        yield Finding(row, low, "interval upside down", _plain(cells[low]), f"at most {high} {_plain(cells[high])}")
    if hit := _first(frame, (pl.col(value) < pl.col(low)) | (pl.col(value) > pl.col(high))):
        row, cells = hit
        sides = (("at least", cells[low]), ("at most", cells[high]))
        expected = " and ".join(f"{side} {_plain(end)}" for side, end in sides if end is not None)
        yield Finding(row, value, "interval does not contain the value", _plain(cells[value]), expected)


def _order(frame: pl.DataFrame, table: Table) -> Iterator[Finding]:
    """Dates known to different precision are compared as far as both are known."""
    if not table.order:
        return
    first, last = table.order
    width = pl.min_horizontal(pl.col(first).str.len_chars(), pl.col(last).str.len_chars())
    if hit := _first(frame, pl.col(last).str.slice(0, width) < pl.col(first).str.slice(0, width)):
        row, cells = hit
        yield Finding(row, last, "ends before it starts", cells[last], f"not before {first} {cells[first]}")


def _parts(frame: pl.DataFrame, table: Table) -> Iterator[Finding]:
    """A part is at most the whole, and so are all parts together; publishers round each, so 1 each is let pass."""
    for whole, parts in table.parts.items():
        for part in parts:
            if hit := _first(frame, pl.col(part) > pl.col(whole)):
                row, cells = hit
                yield Finding(row, part, f"more {part} than {whole}", cells[part], f"at most {cells[whole]}")
        total = pl.sum_horizontal(parts)
        if hit := _first(frame, total > pl.col(whole) + len(parts)):
            row, cells = hit
            together = sum(cells[part] or 0 for part in parts)
            yield Finding(row, whole, f"less than {' and '.join(parts)} together", cells[whole], f"at least {together}")


def _any_of(frame: pl.DataFrame, table: Table) -> Iterator[Finding]:
    if not table.any_of:
        return
    if hit := _first(frame, pl.all_horizontal(pl.col(c).is_null() for c in table.any_of)):
        yield Finding(hit[0], None, "row holds no number", None, f"one of {', '.join(table.any_of)}")


def _only_if(frame: pl.DataFrame, table: Table) -> Iterator[Finding]:
    """Observers, signatories and rows without a date of joining are no members."""
    if (rule := table.only_if) is None:
        return
    if hit := _first(frame, pl.col(rule.flag) & pl.col(rule.filled).is_null()):
        yield Finding(hit[0], rule.flag, f"{rule.flag} is true without {rule.filled}", "true", "false")
    if hit := _first(frame, pl.col(rule.flag) & pl.col(rule.column).is_in(list(rule.never))):
        yield Finding(hit[0], rule.flag, f"{hit[1][rule.column]} counted in {rule.flag}", "true", "false")


def _key(frame: pl.DataFrame, table: Table) -> Iterator[Finding]:
    key = list(table.key)
    repeated = ~frame.select(pl.struct(key).is_first_distinct().alias("first"))["first"]
    if not repeated.any():
        return
    second = int(repeated.arg_true()[0])
    values = frame.row(second, named=True)
    same = [pl.col(c).eq_missing(pl.lit(values[c], dtype=frame.schema[c])) for c in key]
    hit = _first(frame, pl.all_horizontal(same))
    assert hit is not None
    found = ", ".join("empty" if values[c] is None else str(_plain(values[c])) for c in key)
    yield Finding(second, ", ".join(key), "duplicate key", found, f"each key once; row {hit[0] + 2} has it too")


def _plain(number: Any) -> Any:
    """A whole number without its decimal point, so that an error shows what the file shows."""
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) < 1e15 else number
