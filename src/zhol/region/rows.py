"""Whole rows at a time: intervals, units, dates in order, keys that stand once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.region.schema import Table, UnitRule


def check_rows(frame: pl.DataFrame, table: Table, file: Path, places: dict[str, str]) -> None:
    """Hold a typed table to its row rules.

    Raises
    ------
    ZholError
        For the first row that breaks one.
    """
    _apart(frame, table, file, places)
    _interval(frame, table, file)
    _order(frame, table, file)
    _at_most(frame, table, file)
    _any_of(frame, table, file)
    _units(frame, table, file)
    _key(frame, table, file)


def _first(frame: pl.DataFrame, broken: pl.Expr) -> tuple[int, dict[str, Any]] | None:
    """Index and cells of the first row where the expression is true."""
    hits = frame.select(broken.fill_null(False).alias("broken"))["broken"].arg_true()
    return (int(hits[0]), frame.row(int(hits[0]), named=True)) if len(hits) else None


def _apart(frame: pl.DataFrame, table: Table, file: Path, places: dict[str, str]) -> None:
    """Only a block or the rest of the world holds corridors of its own inside."""
    if not table.apart:
        return
    one, other = table.apart
    countries = [code for code, kind in places.items() if kind == "country"]
    hit = _first(frame, (pl.col(one) == pl.col(other)) & pl.col(one).is_in(countries))
    if hit:
        reason = f"{one} and {other} are the same country"
        raise ZholError(reason, file=file, row=hit[0] + 2, column=other, found=hit[1][other])


def _interval(frame: pl.DataFrame, table: Table, file: Path) -> None:
    if not table.interval:
        return
    low, value, high = table.interval
    hit = _first(frame, pl.col(low) > pl.col(high))
    if hit:
        expected = f"at most {high} {_plain(hit[1][high])}"
        raise ZholError(
            "interval upside down", file=file, row=hit[0] + 2, column=low, found=hit[1][low], expected=expected
        )
    hit = _first(frame, (pl.col(value) < pl.col(low)) | (pl.col(value) > pl.col(high)))
    if hit:
        ends = " and ".join(
            f"at {side} {_plain(hit[1][end])}"
            for side, end in (("least", low), ("most", high))
            if hit[1][end] is not None
        )
        raise ZholError(
            "interval does not contain the value",
            file=file,
            row=hit[0] + 2,
            column=value,
            found=hit[1][value],
            expected=ends,
        )


def _order(frame: pl.DataFrame, table: Table, file: Path) -> None:
    """Dates known to different precision are compared as far as both are known."""
    if not table.order:
        return
    first, last = table.order
    width = pl.min_horizontal(pl.col(first).str.len_chars(), pl.col(last).str.len_chars())
    hit = _first(frame, pl.col(last).str.slice(0, width) < pl.col(first).str.slice(0, width))
    if hit:
        expected = f"not before {first} {hit[1][first]}"
        raise ZholError(
            "ends before it starts", file=file, row=hit[0] + 2, column=last, found=hit[1][last], expected=expected
        )


def _at_most(frame: pl.DataFrame, table: Table, file: Path) -> None:
    for part, whole in table.at_most.items():
        hit = _first(frame, pl.col(part) > pl.col(whole))
        if hit:
            expected = f"at most {whole} {_plain(hit[1][whole])}"
            raise ZholError(
                f"more {part} than {whole}",
                file=file,
                row=hit[0] + 2,
                column=part,
                found=hit[1][part],
                expected=expected,
            )


def _any_of(frame: pl.DataFrame, table: Table, file: Path) -> None:
    if not table.any_of:
        return
    hit = _first(frame, pl.all_horizontal(pl.col(c).is_null() for c in table.any_of))
    if hit:
        raise ZholError("row holds no number", file=file, row=hit[0] + 2, expected=f"one of {', '.join(table.any_of)}")


def _units(frame: pl.DataFrame, table: Table, file: Path) -> None:
    if table.units is None:
        return
    for word, rule in table.units.rows.items():
        chosen = pl.col(table.units.by) == word
        hit = _first(frame, chosen & ~pl.col("unit").is_in(list(rule.unit)))
        if hit:
            raise ZholError(
                f"wrong unit for {word}",
                file=file,
                row=hit[0] + 2,
                column="unit",
                found=hit[1]["unit"],
                expected=" | ".join(rule.unit),
            )
        _bounds(frame, chosen, word, rule, table, file)


def _bounds(frame: pl.DataFrame, chosen: pl.Expr, word: str, rule: UnitRule, table: Table, file: Path) -> None:
    for column in table.interval:
        hit = _first(frame, chosen & ~pl.col(column).is_between(rule.min, rule.max))
        if hit:
            found = hit[1][column]
            reason = "negative number of" if found < 0 <= rule.min else "implausible number of"
            expected = f"a number from {rule.min:.15g} to {rule.max:.15g}"
            raise ZholError(
                f"{reason} {word}", file=file, row=hit[0] + 2, column=column, found=found, expected=expected
            )


def _key(frame: pl.DataFrame, table: Table, file: Path) -> None:
    key = list(table.key)
    repeated = ~frame.select(pl.struct(key).is_first_distinct().alias("first"))["first"]
    if not repeated.any():
        return
    second = int(repeated.arg_true()[0])
    values = frame.row(second, named=True)
    same = pl.all_horizontal(pl.col(c).eq_missing(pl.lit(values[c], dtype=frame.schema[c])) for c in key)
    first = int(frame.select(same.alias("same"))["same"].arg_true()[0])
    found = ", ".join("empty" if values[c] is None else str(values[c]) for c in key)
    raise ZholError(
        "duplicate key",
        file=file,
        row=second + 2,
        column=", ".join(key),
        found=found,
        expected=f"each key once; it stands in row {first + 2} too",
    )


def _plain(number: float) -> str:
    return f"{number:.15g}"
