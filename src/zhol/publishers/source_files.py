"""Reads one file of the shared source folder: the columns asked for, typed, or one clear line about what is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from zhol.core.errors import ZholError

TEXT, WHOLE, COUNT, NUMBER = "text", "a whole number", "a whole number of at least 0", "a number"
_TYPES = {TEXT: pl.String(), WHOLE: pl.Int64(), COUNT: pl.Int64(), NUMBER: pl.Float64()}


def read(root: Path, name: str, columns: dict[str, str]) -> pl.DataFrame:
    """Read columns of a CSV file; empty cells are missing, and ``NA`` is Namibia, not missing.

    Parameters
    ----------
    root : Path
        Folder that holds one folder a publisher.
    name : str
        Path of the file below ``root``.
    columns : dict
        Column name to kind: ``TEXT``, ``WHOLE``, ``COUNT`` or ``NUMBER``.

    Raises
    ------
    ZholError
        If the file is missing, is empty, lacks a column or holds something that is not of the kind (with its row).

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "a.csv").write_text("year,persons\\n2020,12\\n")
    >>> read(folder, "a.csv", {"persons": COUNT})["persons"].to_list()
    [12]
    """
    path = root / name
    if not path.is_file():
        raise ZholError("source file not found", file=path, hint=f"it belongs at {name} below the data folder")
    frame = _cells(path)
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise ZholError(
            "source file lacks a column",
            file=path,
            column=missing[0],
            found=", ".join(frame.columns),
            expected=", ".join(columns),
        )
    return frame.select(_typed(frame, column, kind, path) for column, kind in columns.items())


def _cells(path: Path) -> pl.DataFrame:
    """Every cell as text. The encoding is checked first: the reader would take another one for odd column names."""
    data = path.read_bytes()
    if not data.strip():
        raise ZholError("source file is empty", file=path)
    try:
        data.decode("utf-8")
        return pl.read_csv(data, infer_schema=False, null_values=[""])
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        raise ZholError("source file is not UTF-8", file=path, row=row, found=data[error.start : error.end]) from error
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ZholError("source file cannot be read as CSV", file=path, found=reason) from error


def editions(root: Path, name: str) -> dict[str, str]:
    """Files whose name differs only in a year or date, newest last: ``*`` in ``name`` stands for it.

    Raises
    ------
    ZholError
        If there is none.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> (folder / "a_2020.csv").touch()
    >>> editions(folder, "a_*.csv")
    {'2020': 'a_2020.csv'}
    """
    before, after = name.split("*")
    found = sorted(path.relative_to(root).as_posix() for path in root.glob(name))
    dated = {path.removeprefix(before).removesuffix(after): path for path in found}
    dated = {edition: path for edition, path in dated.items() if re.fullmatch(r"\d{4}(-\d{2}-\d{2})?", edition)}
    if not dated:
        raise ZholError("source file not found", file=root / name, hint=f"it belongs at {name} below the data folder")
    return dated


def _typed(frame: pl.DataFrame, column: str, kind: str, path: Path) -> pl.Series:
    """The column cast to its kind; the first cell that will not go is named."""
    text = frame[column]
    if kind == TEXT:
        return text
    number = text.cast(_TYPES[kind], strict=False)
    bad = number.is_null() & text.is_not_null()
    if kind == NUMBER:
        bad = bad | (number.is_not_null() & ~number.is_finite().fill_null(True))
    if kind == COUNT:
        bad = bad | (number < 0).fill_null(False)
    if bad.any():
        row = int(bad.arg_true()[0])
        raise ZholError("cell cannot be used", file=path, row=row + 2, column=column, found=text[row], expected=kind)
    return number
