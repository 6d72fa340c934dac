"""Small steps that every format shares: numbers from text, and one row a key."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.core.errors import ZholError

# What publishers write where there is no figure. Missing stays missing, never zero.
MISSING = ("", "-", "–", "..", "...", ":", "n/a", "na", "nan", "null", "none", "x")


def number(column: str) -> pl.Expr:
    """Text of a column as a number: blanks and thin blanks between digits dropped, the marks of ``MISSING`` missing.

    A text that is neither stays a null too; `bad_numbers` finds it.

    Examples
    --------
    >>> pl.DataFrame({"n": ["1 204", "..", "7.5"]}).select(number("n"))["n"].to_list()
    [1204.0, None, 7.5]
    """
    text = pl.col(column).cast(pl.String).str.strip_chars()
    digits = text.str.replace_all(r"[\s\u00a0\u2009\u202f]", "")
    cell = pl.when(text.str.to_lowercase().is_in(MISSING)).then(None).otherwise(digits)
    return cell.cast(pl.Float64, strict=False).alias(column)


def no_bad_numbers(frame: pl.DataFrame, column: str, *, file: Path, first_row: int, title: str | None = None) -> None:
    """Raise if a cell is neither a number, nor empty, nor one of the marks of ``MISSING``; or is negative or endless.

    Parameters
    ----------
    frame : polars.DataFrame
        As read, before any row is dropped.
    column : str
        The text column.
    file : Path
        For the error.
    first_row : int
        Row of the file, counted from 1, where the frame begins; a column ``row`` of the frame counts instead, if there.
    title : str, optional
        Name of the column in the file.
    """
    text = pl.col(column).cast(pl.String).str.strip_chars()
    value = number(column)
    wrong = text.is_not_null() & ~text.str.to_lowercase().is_in(MISSING) & (value.is_null() | ~value.is_finite())
    bad = (frame if "row" in frame.columns else frame.with_row_index("row", first_row)).filter(wrong)
    if bad.height:
        raise ZholError(
            "not a number",
            file=file,
            row=int(bad["row"][0]),
            column=title or column,
            found=bad[column][0],
            expected="a number, or '..' for none",
        )


def counts(column: str) -> pl.Expr:
    """A column of whole numbers as integers, with nulls where nothing was published."""
    return pl.col(column).round(0).cast(pl.Int64, strict=False)


def no_negatives(frame: pl.DataFrame, columns: list[str], *, file: Path) -> None:
    """Raise if a count of persons is negative."""
    for column in columns:
        bad = frame.filter(pl.col(column) < 0)
        if bad.height:
            raise ZholError("negative count", file=file, column=column, found=bad[column][0], expected="0 or more")


def one_row_a_key(frame: pl.DataFrame, key: list[str], *, file: Path) -> pl.DataFrame:
    """Drop rows said twice with the same figures; raise if one key has two different figures."""
    distinct = frame.unique(maintain_order=True)
    twice = distinct.filter(pl.struct(key).is_duplicated())
    if twice.height:
        where = ", ".join(f"{k} {twice[k][0]}" for k in key)
        raise ZholError(f"two different figures for {where}", file=file)
    return distinct


def some_rows(frame: pl.DataFrame, *, file: Path, what: str) -> pl.DataFrame:
    """The frame, or an error if nothing is left of it."""
    if frame.height == 0:
        raise ZholError(f"no {what} in the file", file=file, hint="is it the file of this dataset, and whole?")
    return frame
