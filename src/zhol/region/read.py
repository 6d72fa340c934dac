"""From a file to cells of text: everything that can be wrong with a file before its cells are looked at."""

from __future__ import annotations

import csv
import difflib
import hashlib
import io
import re
from pathlib import Path
from typing import NamedTuple

import polars as pl

from zhol.core.disclosure import refuse_personal
from zhol.core.errors import ZholError
from zhol.region.schema import Table, limits

# First bytes of files that are no text, whatever their name says.
_BINARY = {
    b"PK\x03\x04": "a zip or Excel file",
    b"\x1f\x8b": "a gzip file",
    b"PAR1": "a Parquet file",
    b"%PDF": "a PDF",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"SQLite format 3": "a database",
    b"7z\xbc\xaf": "a 7z file",
}
_CHUNK = 1 << 20

# In a table that has no such column, a name can only be a person's.
PERSONAL_HERE = ("name", "names")


class Raw(NamedTuple):
    """Cells of one table as text, and the digest of the file they came from."""

    frame: pl.DataFrame
    digest: str


def read_table(path: Path, table: Table) -> Raw:
    """Read one CSV file into text cells; empty cells become missing.

    Raises
    ------
    ZholError
        If the file is too large, empty, not UTF-8 text, not comma-separated, has a wrong header or uneven rows.
    """
    data = read_bytes(path, limits().bytes, limits().rows)
    text = decode(data, path)
    header = _header(text, path, table)
    frame = _cells(data, text, header, path)
    absent = [pl.lit(None, pl.String).alias(name) for name in table.names if name not in header]
    return Raw(frame.with_columns(absent).select(table.names), hashlib.sha256(data).hexdigest())


def read_bytes(path: Path, most_bytes: int, most_rows: int) -> bytes:
    """Read a regular file in pieces and stop as soon as it is larger than a pack's file may be."""
    if not path.is_file():
        raise ZholError("not a regular file", file=path)
    pieces, size, rows = [], 0, 0
    try:
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                size, rows = size + len(piece), rows + piece.count(b"\n")
                if rows > most_rows:
                    raise ZholError("too many rows", file=path, expected=f"at most {most_rows:,}")
                if size > most_bytes:
                    raise ZholError("file is too large", file=path, expected=f"at most {most_bytes:,} bytes")
                pieces.append(piece)
    except OSError as error:
        raise ZholError("file cannot be read", file=path, hint=error.strerror) from None
    return b"".join(pieces)


def decode(data: bytes, path: Path) -> str:
    """Text of a file that must be plain UTF-8 without a byte order mark."""
    if not data.strip():
        raise ZholError("file is empty", file=path)
    for magic, what in _BINARY.items():
        if data.startswith(magic):
            raise ZholError("not a text file", file=path, found=what, expected="UTF-8 text")
    if data.startswith(b"\xef\xbb\xbf"):
        raise ZholError("starts with a byte order mark", file=path, hint="save it as plain UTF-8 without BOM")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ZholError("wrong encoding", file=path, found="UTF-16", expected="UTF-8", hint="save it as UTF-8")
    if (nul := data.find(b"\0")) >= 0:
        row = data.count(b"\n", 0, nul) + 1
        raise ZholError("not a text file", file=path, row=row, found="a zero byte", expected="UTF-8 text")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        found = f"byte 0x{data[error.start]:02x}"
        raise ZholError(
            "wrong encoding", file=path, row=row, found=found, expected="UTF-8", hint="save it as UTF-8"
        ) from None
    if "\r" in text and "\n" not in text:
        raise ZholError("rows end in bare carriage returns", file=path, hint="save it with Unix or Windows line ends")
    return text


def _header(text: str, path: Path, table: Table) -> list[str]:
    line = text.partition("\n")[0].rstrip("\r")
    names = _split(line, path)
    _refuse_other_separators(line, path, table)
    if len(names) > limits().columns:
        raise ZholError("too many columns", file=path, row=1, expected=f"at most {limits().columns}")
    for place, name in enumerate(names, start=1):
        if not name.strip() or not name.isprintable() or len(name) > 60:
            reason = "column without a name" if not name.strip() else "column name cannot be shown"
            raise ZholError(reason, file=path, row=1, hint=f"it is column {place}")
    refuse_personal([n for n in names if n not in table.names], file=str(path), also=PERSONAL_HERE)
    for name in names:
        if names.count(name) > 1:
            raise ZholError("column stands twice", file=path, row=1, column=name)
    for name in names:
        if name not in table.names:
            raise _unknown_column(name, path, table)
    for column in table.columns:
        if column.need != "optional" and column.name not in names:
            raise ZholError("column is missing", file=path, row=1, column=column.name, expected=column.expected)
    return names


def _split(line: str, path: Path) -> list[str]:
    try:
        return next(csv.reader([line], strict=True), [""])
    except csv.Error as error:
        raise ZholError("header cannot be read", file=path, row=1, hint=str(error)) from None


def _refuse_other_separators(line: str, path: Path, table: Table) -> None:
    for separator, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
        known = [c for c in line.split(separator) if c.strip().strip('"') in table.names]
        if separator in line and len(known) >= line.count(",") + 1:
            raise ZholError(f"columns are separated by {word}", file=path, row=1, expected="commas")


def _unknown_column(name: str, path: Path, table: Table) -> ZholError:
    close = difflib.get_close_matches(name.strip().lower(), table.names, n=1)
    hint = f"did you mean {close[0]!r}?" if close else "remove it, or put what it says into note"
    return ZholError("unknown column", file=path, row=1, column=name, hint=hint)


def _cells(data: bytes, text: str, header: list[str], path: Path) -> pl.DataFrame:
    """Every cell as text. The fast reader first; only a file it refuses is gone through row by row."""
    import pyarrow as pa
    from pyarrow import csv as arrow

    start = data.find(b"\n") + 1
    if start == 0 or start == len(data):
        return pl.DataFrame(schema=dict.fromkeys(header, pl.String))
    try:
        table = arrow.read_csv(
            pa.py_buffer(memoryview(data)[start:]),
            read_options=arrow.ReadOptions(column_names=header, block_size=len(data) + 1),
            parse_options=arrow.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=arrow.ConvertOptions(
                column_types=dict.fromkeys(header, pa.string()), null_values=[""], strings_can_be_null=True
            ),
        )
    except pa.ArrowInvalid as error:
        raise _uneven(text, len(header), path, str(error)) from None
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    _refuse_blank(frame, path)
    _refuse_long(frame, path)
    return frame


def _uneven(text: str, width: int, path: Path, reason: str) -> ZholError:
    row = 0
    try:
        for row, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), start=1):
            if not cells:
                return ZholError("row is blank", file=path, row=row, hint="remove it")
            if len(cells) != width:
                hint = "a decimal comma, or text with a comma that is not in quotes?" if len(cells) > width else None
                found, expected = f"{len(cells)} cells", f"{width} as in the header"
                return ZholError("uneven row", file=path, row=row, found=found, expected=expected, hint=hint)
    except csv.Error as error:
        return ZholError("row cannot be read", file=path, row=row + 1, hint=str(error))
    return ZholError("cannot be read as CSV", file=path, hint=re.sub(r"^CSV parse error: ", "", reason))


def _refuse_blank(frame: pl.DataFrame, path: Path) -> None:
    blank = frame.select(pl.all_horizontal(pl.all().is_null()).alias("blank"))["blank"]
    if blank.any():
        raise ZholError("row is blank", file=path, row=int(blank.arg_true()[0]) + 2, hint="remove it")


def _refuse_long(frame: pl.DataFrame, path: Path) -> None:
    most = limits().cell
    for name in frame.columns:
        long = frame[name].str.len_bytes() > most
        if long.any():
            row = int(long.fill_null(False).arg_true()[0])
            found = f"{frame[name][row][:20]}… ({len(frame[name][row]):,} characters)"
            raise ZholError("cell is too long", file=path, row=row + 2, column=name, found=found)
