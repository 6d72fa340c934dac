"""Any frame in (pandas, polars, Arrow, a file, a list of rows), polars inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from zhol.core.errors import ZholError


def to_polars(data: Any, *, name: str = "data") -> pl.DataFrame:
    """Turn whatever the user holds into a polars frame.

    Parameters
    ----------
    data : pandas, polars, pyarrow or other frame that Narwhals knows, mapping of columns, list of records, or a path
        Paths may end in ``.csv``, ``.csv.gz``, ``.parquet``, ``.xlsx`` or ``.xls``.
    name : str
        What to call it in an error.

    Returns
    -------
    polars.DataFrame

    Raises
    ------
    ZholError
        If nothing can be made of it, it has no rows or no columns.

    Examples
    --------
    >>> to_polars({"n": [1, 2]}).shape
    (2, 1)
    """
    frame = _read(Path(data)) if isinstance(data, str | Path) else _convert(data, name)
    if frame.width == 0 or frame.height == 0:
        raise ZholError(f"{name} is empty", found=f"{frame.height} rows, {frame.width} columns", expected="some rows")
    return frame


def _convert(data: Any, name: str) -> pl.DataFrame:
    if isinstance(data, pl.DataFrame):
        return data
    if isinstance(data, pl.LazyFrame):
        return data.collect()
    try:
        if isinstance(data, dict | list):
            # Not strict: whole numbers beside NaN are a column of numbers, not an error.
            return pl.DataFrame(data, strict=False, infer_schema_length=None)
        import narwhals as nw

        return _keep_categories(nw.from_native(data, eager_only=True).to_polars(), data)
    except Exception as error:
        raise ZholError(
            f"{name} is not a table", found=type(data).__name__, expected="a pandas, polars or Arrow table or a file"
        ) from error


def _keep_categories(frame: pl.DataFrame, data: Any) -> pl.DataFrame:
    """Years that pandas holds as categories stay categories; on the way here they become numbers."""
    kinds: Any = getattr(data, "dtypes", None)
    for name, kind in kinds.items() if hasattr(kinds, "items") else ():
        if str(kind) == "category" and frame[name].dtype.is_numeric():
            values = [None if v is None or v != v else str(v) for v in data[name].astype(object)]
            frame = frame.with_columns(pl.Series(name, values, dtype=pl.Enum([str(v) for v in kind.categories])))
    return frame


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise ZholError("no such file", file=path, hint="check the path")
    try:
        match path.with_suffix("").suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower():
            case ".csv":
                return pl.read_csv(path, infer_schema_length=None, encoding="utf8")
            case ".parquet":
                return pl.read_parquet(path)
            case ".xlsx" | ".xls":
                return pl.read_excel(path)
    except Exception as error:
        reason = str(error).strip().splitlines()
        raise ZholError("cannot be read as a table", file=path, found=reason[0] if reason else "") from error
    raise ZholError("unknown kind of file", file=path, found=path.suffix, expected=".csv, .parquet or .xlsx")


def need_columns(frame: pl.DataFrame, columns: list[str], *, name: str = "data") -> None:
    """Raise a one-line error, naming what is there, if a column is missing.

    Examples
    --------
    >>> need_columns(pl.DataFrame({"n": [1]}), ["n"])
    """
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise ZholError(
            f"{name} has no column {missing[0]!r}", found=", ".join(frame.columns), expected=", ".join(columns)
        )
