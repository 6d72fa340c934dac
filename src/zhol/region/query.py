"""SQL over a pack's tables: one SELECT, in memory, with no way to a file or the network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.core.errors import ZholError

if TYPE_CHECKING:
    import duckdb

# More rows than any question about a region needs; a cross join by mistake stops here instead of eating the memory.
MOST_ROWS = 2_000_000

# In this order: once external access is off, the directory for spilling can no longer be taken away.
_LOCKED = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "memory_limit": "2GB",
    "temp_directory": "",
    "enable_external_access": False,
}


def run(query: str, tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Answer one SELECT over the given tables.

    Parameters
    ----------
    query : str
        SQL as DuckDB speaks it.
    tables : mapping of str to polars.DataFrame
        What the query may read.

    Returns
    -------
    polars.DataFrame
        Sums of whole numbers come as whole numbers.

    Raises
    ------
    ZholError
        If it is not one SELECT, names something that is not there, reaches for a file, or answers too many rows.

    Examples
    --------
    >>> run("select sum(n) as n from t", {"t": pl.DataFrame({"n": [1, 2]})}).item()
    3
    """
    import duckdb

    with duckdb.connect(":memory:") as connection:
        for name, frame in tables.items():
            connection.register(name, frame)
        for option, value in _LOCKED.items():
            connection.execute(f"SET {option} = {value!r}")
        connection.execute("SET lock_configuration = true")
        try:
            _refuse_other_statements(connection, query)
            return _collect(connection, query)
        except duckdb.Error as error:
            raise ZholError("query cannot be answered", hint=_reason(error)) from None


def _refuse_other_statements(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    import duckdb

    statements = connection.extract_statements(query)
    allowed = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)
    if len(statements) != 1 or statements[0].type not in allowed:
        found = statements[0].type.name if len(statements) == 1 else f"{len(statements)} statements"
        raise ZholError("only one SELECT can be asked", found=found, hint="the tables of a pack are read-only")


def _collect(connection: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    import pyarrow as pa

    reader = connection.sql(query).to_arrow_reader(100_000)
    batches, rows = [], 0
    for batch in reader:
        rows += batch.num_rows
        if rows > MOST_ROWS:
            raise ZholError("answer is too long", expected=f"at most {MOST_ROWS:,} rows", hint="add a LIMIT")
        batches.append(batch)
    names = reader.schema.names
    twice = [n for n in names if names.count(n) > 1]
    if twice:
        raise ZholError("two columns of the answer share a name", found=twice[0], hint="rename one with AS")
    frame = pl.from_arrow(pa.Table.from_batches(batches, reader.schema))
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns([_plain(frame[c]) for c in frame.columns])


def _plain(column: pl.Series) -> pl.Series:
    """Sums of whole numbers come from DuckDB as 38-digit decimals; nobody downstream wants those."""
    if not isinstance(column.dtype, pl.Decimal):
        return column
    whole = column.dtype.scale == 0
    try:
        return column.cast(pl.Int64 if whole else pl.Float64)
    except pl.exceptions.InvalidOperationError:
        return column.cast(pl.Float64)


def _reason(error: Any) -> str:
    return str(error).split("\nLINE ")[0].strip()
