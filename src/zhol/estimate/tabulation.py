"""Frequency tables without persons: records in, inside their owner's house; protected counts out, nothing kept."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.disclosure import personal_columns
from zhol.core.errors import ZholError
from zhol.core.frames import to_polars
from zhol.core.small_cells import THRESHOLD, Table, margins, round_controlled, suppress

if TYPE_CHECKING:
    import duckdb

_MOST_LISTS = 12
_REST = "other"
_STREAMED = (".csv", ".parquet", ".csv.gz", ".tsv")
# A key is a made-up name for a unit. These columns name the person or paper itself, whatever they are called as a key.
_NOT_A_KEY = re.compile(
    r"name|surname|patronym|phone|mobile|msisdn|imsi|imei|mail|address|birth|passport|national|identity|iin|inn\b|snils"
    r"|pinfl|ssn|document|visa|permit|licen[cs]e|фио|имя|фамили|паспорт|телефон|face|photo|finger|biometric|account",
    re.IGNORECASE,
)
_MADE_UP = re.compile(r"(?:hash|pseudonym|key|token)$", re.IGNORECASE)
# What key values look like when they are no keys: an address, a telephone, a name, a passport.
_LOOKS = {
    "e-mail addresses": r"^[^@\s]+@[^@\s]+\.[a-z]{2,}$",
    "telephone numbers": r"^(\+|00)[0-9][0-9 ()-]{7,}$|^8?[ (-]*[0-9]{3}[ )-]+[0-9]{3}[ -][0-9]{2}[ -]?[0-9]{2}$",
    "names": r"^[\p{L}'’-]{2,}[ ,]+[\p{L}'’. -]{2,}$",
    "passport numbers": r"^[A-Z]{1,2} ?[0-9]{7,8}$",
    "national identity numbers": r"^[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])[0-9]{6}$",
}
# Words that make a column one about persons, unless a word beside them says that it is about something else.
_DIRECT = re.compile(
    r"\b(?:names?|fullname|firstname|lastname|surname|forename|patronymic|alias|nickname|phones?|tel|telephone|mobile"
    r"|cellphone|whatsapp|telegram|viber|passport|iin|inn|snils|pinfl|ssn|email|mail|address|dob|birthdate|birthday"
    r"|fingerprint|photo|face|imei|imsi|msisdn|фио|имя|фамилия|отчество|телефон|паспорт|адрес|аты)\b"
)
_OTHERWISE = re.compile(
    r"\b(?:country|region|list|source|agency|office|port|oblast|body|category|nationality|language)\b"
)
_ORIGIN = re.compile(r"national|citizen|origin|country|ethnic", re.IGNORECASE)
_AGE = re.compile(r"^age|_age|age_|возраст", re.IGNORECASE)


@dataclass(frozen=True)
class Tabulation:
    """Protected counts of units.

    Parameters
    ----------
    table : polars.DataFrame
        One row a combination; column ``n`` is null where a count may not be shown. The input of ``counts`` (drop the
        nulls) or ``lists``.
    margins : polars.DataFrame
        Sums over categories, protected together with the table.
    kind : str
        ``captures`` or ``lists``.
    notes : tuple of str
        What was merged, blanked or left out.
    """

    table: pl.DataFrame
    margins: pl.DataFrame
    kind: str
    notes: tuple[str, ...]

    def summary(self) -> str:
        """What it is and what was done to it."""
        shown = self.table["n"].drop_nulls()
        head = f"{self.kind}: {self.table.height:,} cells, {self.table.height - shown.len():,} of them blank"
        return "\n".join([head, *self.notes])


def tabulate(
    data: Any,
    key: str,
    by: str | Sequence[str] | None = None,
    *,
    lists: str | None = None,
    threshold: int = THRESHOLD,
    method: str = "suppress",
    base: int | None = None,
    captures: str = "captures",
) -> Tabulation:
    """Count records per unit, or the lists in which units stand, and give back protected counts only.

    The file is read once, as a stream; nothing is copied to disk and the key leaves the function nowhere: not in the
    table, not in a message.

    Parameters
    ----------
    data : path (CSV, Parquet, XLSX) or frame
        De-identified records, one row an event (an apprehension, a visit, a line of a list).
    key : str
        Column with an opaque key of the unit: needed to see who stands there twice. Columns that name a person,
        paper, telephone or exact place are refused, and so is a key whose values look like one.
    by : str or list of str, optional
        Columns of categories (up to three, two with lists). Rare categories are merged into "other".
    lists : str, optional
        Column that says from which list a record comes. Then overlaps of lists are counted instead of captures.
    threshold : int
        Smallest count shown, and the least uncertainty about a smaller one.
    method : str
        ``suppress`` or ``round`` (to multiples of ``base`` that add up).
    base : int, optional
        Of the rounding; by default the threshold.
    captures : str
        Name of the column that counts records per unit.

    Returns
    -------
    Tabulation

    Raises
    ------
    ZholError
        A column about persons, a missing column, a key that is none, too few units to show anything.

    Examples
    --------
    >>> records = {"case_key": [f"u{i}" for i in range(60)] + [f"u{i}" for i in range(20)]}
    >>> tabulate(records, "case_key").table.rows()
    [('1', 40), ('2', 20)]
    """
    columns = [by] if isinstance(by, str) else list(by or [])
    if not (isinstance(threshold, int) and threshold >= THRESHOLD):
        raise ZholError("threshold below the smallest allowed", found=threshold, expected=f"{THRESHOLD} or more")
    if method not in ("suppress", "round"):
        raise ZholError("unknown way to protect cells", found=method, expected="suppress, round")
    connection = _connect()
    try:
        present = _open(connection, data)
        _refuse(present, key, columns, lists, captures)
        _opaque(connection, key)
        notes: list[str] = []
        if lists is None:
            units, order = _captures(connection, key, columns, captures), [captures, *columns]
        else:
            units, order = _overlaps(connection, key, columns, lists)
        _left_out(connection, key, threshold, notes)
        _inconsistent(connection, key, columns, threshold, notes)
    finally:
        connection.close()
    if units.height == 0 or int(units["n"].sum()) < threshold:
        raise ZholError(f"fewer than {threshold} units: nothing may be shown")
    _children(units, columns)
    units = _merge(units, columns, captures if lists is None else None, threshold, notes)
    if lists is None:
        labels, table = margins(units, order, "n", deepest=1)
        labels, table, inner = _sorted(labels, table, captures, len(order))
    else:
        labels, table, inner = _overlap_margins(units, order, columns)
    return _protected(labels, table, inner, threshold, method, base, "captures" if lists is None else "lists", notes)


def _connect() -> duckdb.DuckDBPyConnection:
    """A database in memory that may not write anything anywhere."""
    import duckdb

    connection = duckdb.connect(":memory:")
    for setting in ("temp_directory = ''", "preserve_insertion_order = false"):
        connection.execute(f"SET {setting}")
    return connection


def _open(connection: duckdb.DuckDBPyConnection, data: Any) -> list[str]:
    """Make the records a view; the file is not copied. Returns its columns."""
    if isinstance(data, str | Path) and str(data).lower().endswith(_STREAMED):
        path = Path(data)
        if not path.is_file():
            raise ZholError("no such file", file=path, hint="check the path")
        text = str(path).replace("'", "''")
        parquet = path.suffix.lower() == ".parquet"
        reader = f"read_parquet('{text}')" if parquet else f"read_csv('{text}', all_varchar = true, header = true)"
        try:
            connection.execute(f"CREATE VIEW records AS SELECT * FROM {reader}")
            found = connection.execute("DESCRIBE records").fetchall()
        except Exception as error:
            reason = str(error).strip().splitlines()[0]
            raise ZholError("cannot be read as a table", file=path, found=reason.split(": ", 1)[0]) from None
        return [str(row[0]) for row in found]
    frame = to_polars(data, name="records")
    connection.register("records", frame)
    return frame.columns


def _refuse(present: list[str], key: str, by: list[str], lists: str | None, captures: str) -> None:
    """Refuse columns about persons, and columns that are not there."""
    named = [c for c in present if c != key and (personal_columns([c]) or _about_persons(c))]
    if named:
        raise ZholError(
            "column holds data about individual persons",
            column=named[0],
            expected="records without names, documents, telephones, addresses",
            hint="remove the column before tabulating",
        )
    if _NOT_A_KEY.search(key) and not _MADE_UP.search(key):
        raise ZholError("the key must be made up, not a name or a document", column=key, expected="an opaque key")
    for column in [key, *by, *([lists] if lists else [])]:
        if column not in present:
            raise ZholError(f"records have no column {column!r}", found=", ".join(present))
    wanted = [key, *by, *([lists] if lists else [])]
    if len(set(wanted)) < len(wanted):
        raise ZholError("a column is named twice", found=", ".join(wanted))
    most = 3 if lists is None else 2
    if len(by) > most:
        raise ZholError("too many kinds of categories", found=len(by), expected=f"{most} at most")
    if captures in by or "n" in by:
        raise ZholError("a category has the name of a result", found=captures if captures in by else "n")


def _about_persons(column: str) -> bool:
    words = " ".join(re.findall(r"[^\W\d_]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", column).lower()))
    return bool(_DIRECT.search(words)) and not _OTHERWISE.search(words)


def _opaque(connection: duckdb.DuckDBPyConnection, key: str) -> None:
    """Refuse a key most of whose values look like a name, a telephone, a document. Shows none of them."""
    tests = ", ".join(f"avg(regexp_full_match(k, '{_quoted(p)}', 'i')::INT)" for p in _LOOKS.values())
    sample = f"SELECT trim({_name(key)}::VARCHAR) AS k FROM records WHERE {_name(key)} IS NOT NULL LIMIT 2000"
    row = connection.execute(f"SELECT {tests} FROM ({sample})").fetchall()[0]
    for kind, share in zip(_LOOKS, row, strict=True):
        if share is not None and share > 0.5:
            raise ZholError(f"the key looks like {kind}", column=key, expected="an opaque key, such as a keyed hash")


def _name(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _category(column: str) -> str:
    """A category as text; empty is "not stated"."""
    return f"coalesce(nullif(trim({_name(column)}::VARCHAR), ''), 'not stated')"


def _captures(connection: duckdb.DuckDBPyConnection, key: str, by: list[str], captures: str) -> pl.DataFrame:
    """Units by number of records and categories."""
    inner = ", ".join([f"count(*) AS {_name(captures)}", *(f"min({_category(c)}) AS {_name(c)}" for c in by)])
    outer = ", ".join(_name(c) for c in [captures, *by])
    return _ask(
        connection,
        f"SELECT {outer}, count(*) AS n FROM (SELECT {inner} FROM records WHERE {_present(key)} GROUP BY {_name(key)}) "
        f"GROUP BY {outer} ORDER BY {outer}",
    )


def _overlaps(
    connection: duckdb.DuckDBPyConnection, key: str, by: list[str], lists: str
) -> tuple[pl.DataFrame, list[str]]:
    """Units by the lists in which they stand, and by categories."""
    found = connection.execute(
        f"SELECT DISTINCT {_category(lists)} AS l FROM records WHERE {_present(key)} ORDER BY l LIMIT {_MOST_LISTS + 1}"
    ).fetchall()
    names = [str(r[0]) for r in found]
    if len(names) > _MOST_LISTS:
        raise ZholError("too many lists", column=lists, found=f"more than {_MOST_LISTS}", hint="merge some")
    if len(names) < 2:
        raise ZholError("one list has no overlaps", column=lists, expected="two or more lists")
    clash = sorted(set(names) & {*by, "n"})
    if clash:
        raise ZholError("a list has the name of a column", found=clash[0])
    flags = [f"max(({_category(lists)} = '{_quoted(v)}')::INT) AS {_name(v)}" for v in names]
    inner = ", ".join([*flags, *(f"min({_category(c)}) AS {_name(c)}" for c in by)])
    outer = ", ".join(_name(c) for c in [*names, *by])
    frame = _ask(
        connection,
        f"SELECT {outer}, count(*) AS n FROM (SELECT {inner} FROM records WHERE {_present(key)} GROUP BY {_name(key)}) "
        f"GROUP BY {outer} ORDER BY {outer}",
    )
    return frame, names


def _ask(connection: duckdb.DuckDBPyConnection, query: str) -> pl.DataFrame:
    try:
        answer = connection.execute(query)
        names = [str(d[0]) for d in answer.description or []]
        return pl.DataFrame(answer.fetchall(), schema=names, orient="row", infer_schema_length=None)
    except Exception as error:
        kind = type(error).__name__
        hint = "too little memory: split the file by a category" if "Memory" in kind else None
        raise ZholError("the records cannot be counted", found=kind, hint=hint) from None


def _present(key: str) -> str:
    return f"{_name(key)} IS NOT NULL AND trim({_name(key)}::VARCHAR) <> ''"


def _left_out(connection: duckdb.DuckDBPyConnection, key: str, threshold: int, notes: list[str]) -> None:
    count = int(connection.execute(f"SELECT count(*) FROM records WHERE NOT ({_present(key)})").fetchall()[0][0])
    if count:
        notes.append(f"records without a key are left out: {_few(count, threshold)}")


def _inconsistent(
    connection: duckdb.DuckDBPyConnection, key: str, by: list[str], threshold: int, notes: list[str]
) -> None:
    """Units whose records disagree on a category."""
    for column in by:
        query = (
            f"SELECT count(*) FROM (SELECT 1 FROM records WHERE {_present(key)} GROUP BY {_name(key)} "
            f"HAVING min({_category(column)}) <> max({_category(column)}))"
        )
        count = int(connection.execute(query).fetchall()[0][0])
        if count:
            notes.append(
                f"units whose records disagree on {column}: {_few(count, threshold)}; the first in order of letters "
                "counts"
            )


def _few(count: int, threshold: int) -> str:
    return f"{count:,}" if count >= threshold else f"fewer than {threshold}"


def _children(units: pl.DataFrame, by: list[str]) -> None:
    """Children are counted as totals only, never by nationality."""
    origins, ages = [c for c in by if _ORIGIN.search(c)], [c for c in by if _AGE.search(c)]
    if not (origins and ages):
        return
    for column in ages:
        if any(_is_child(str(v)) for v in units[column].unique()):
            raise ZholError(
                "children may not be crossed with nationality",
                column=column,
                hint="count adults only, or leave one of the two out",
            )


def _is_child(age: str) -> bool:
    if re.search(r"child|minor|infant|under ?18|<\s*18", age, re.IGNORECASE):
        return True
    numbers = [int(v) for v in re.findall(r"\d+", age)]
    return bool(numbers) and max(numbers) < 18 and not re.search(r"\+|over|>|older", age)


def _merge(units: pl.DataFrame, by: list[str], captures: str | None, threshold: int, notes: list[str]) -> pl.DataFrame:
    """Merge what is rare: that a category or a number of captures occurs at all can point at somebody."""
    for column in by:
        totals = units.group_by(column).agg(pl.col("n").sum())
        rare = totals.filter(pl.col("n") < threshold)[column].to_list()
        if rare and not (len(rare) == 1 and rare[0] == _REST):
            units = units.with_columns(
                pl.when(pl.col(column).is_in(rare)).then(pl.lit(_REST)).otherwise(column).alias(column)
            )
            notes.append(f"{column}: categories of fewer than {threshold} units are merged into {_REST!r}")
    if captures is not None:
        units = _top(units, captures, threshold, notes)
    keys = [c for c in units.columns if c != "n"]
    return units.group_by(keys, maintain_order=True).agg(pl.col("n").sum())


def _top(units: pl.DataFrame, captures: str, threshold: int, notes: list[str]) -> pl.DataFrame:
    """Merge the highest numbers of captures until they hold enough units: 5 and 6 become "4+"."""
    totals = units.group_by(captures).agg(pl.col("n").sum()).sort(captures, descending=True)
    held, first = 0, None
    for value, count in totals.iter_rows():
        if held == 0 and count >= threshold:
            break
        held, first = held + count, value
        if held >= threshold:
            break
    column = pl.col(captures).cast(pl.String)
    if first is not None:
        column = pl.when(pl.col(captures) >= first).then(pl.lit(f"{first}+")).otherwise(column)
        notes.append(f"{first} and more {captures} are merged into '{first}+'")
    return units.with_columns(column.alias(captures))


def _sorted(labels: pl.DataFrame, table: Table, captures: str, dimensions: int) -> tuple[pl.DataFrame, Table, int]:
    """Inner cells in order of captures (as numbers), margins after them."""
    inner = len(table.inner)
    number = pl.col(captures).str.strip_chars("+").cast(pl.Int64, strict=False)
    keys = labels.head(inner).with_row_index("_row").sort(number, *labels.columns[1:dimensions])["_row"].to_numpy()
    order = np.concatenate([keys, np.arange(inner, labels.height)])
    return labels[order.tolist()], Table(table.rows[order][:, keys], table.inner[keys]), inner


def _overlap_margins(units: pl.DataFrame, names: list[str], by: list[str]) -> tuple[pl.DataFrame, Table, int]:
    """Every pattern of lists but the one that nobody can see, by category, and the size of every list."""
    patterns = [p for p in np.ndindex(*(2,) * len(names)) if any(p)][::-1]
    groups = units.select(by).unique().sort(by).rows() if by else [()]
    keys = [(*p, *g) for g in groups for p in patterns]
    if len(keys) > 5000:
        raise ZholError("too many cells to protect", found=f"{len(keys):,}", hint="use fewer lists or categories")
    known = {tuple(r[:-1]): int(r[-1]) for r in units.select(*names, *by, "n").iter_rows()}
    inner = np.array([known.get(k, 0) for k in keys], dtype=np.int64)
    shown = np.array([k[: len(names)] for k in keys])
    rows, labels = [np.eye(len(keys), dtype=np.int64)], [(*map(str, k),) for k in keys]
    group = [k[len(names) :] for k in keys]
    for g in [*(groups if by else []), None]:
        inside = np.array([g is None or x == g for x in group])
        for i in (None, *range(len(names))):
            member = inside & (shown[:, i] == 1 if i is not None else True)
            rows.append(member.astype(np.int64)[None, :])
            labels.append((*("1" if j == i else "all" for j in range(len(names))), *(g or ("all",) * len(by))))
    frame = pl.DataFrame(labels, schema=dict.fromkeys([*names, *by], pl.String), orient="row")
    return frame, Table(np.concatenate(rows), inner), len(keys)


def _protected(
    labels: pl.DataFrame,
    table: Table,
    inner: int,
    threshold: int,
    method: str,
    base: int | None,
    kind: str,
    notes: list[str],
) -> Tabulation:
    """Blank or round, then split cells from margins."""
    if method == "suppress":
        shown, blank = table.values, suppress(table, threshold)
        cells, sums = int(blank[:inner].sum()), int(blank[inner:].sum())
        notes.append(
            f"blank: counts below {threshold}, none included, and what would give them away "
            f"({cells:,} of {inner:,} cells, {sums:,} of {len(blank) - inner:,} sums)"
        )
    else:
        shown = round_controlled(table, base or threshold)
        blank = shown < threshold
        notes.append(f"rounded to multiples of {base or threshold} that add up; smaller ones are blank")
    values = [None if b else int(v) for b, v in zip(blank, shown, strict=True)]
    whole = labels.with_columns(pl.Series("n", values, dtype=pl.Int64))
    body = whole.head(inner)
    if kind == "lists":
        body = body.with_columns(pl.col(c).cast(pl.Int64) for c in _flags(body))
    return Tabulation(body, whole.slice(inner), kind, tuple(notes))


def _flags(cells: pl.DataFrame) -> list[str]:
    return [c for c in cells.columns if c != "n" and set(cells[c].unique()) <= {"0", "1"}]
