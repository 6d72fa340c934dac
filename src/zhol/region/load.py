"""Load a region pack: a folder of figures, checked, each row with its source."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.region.manifest import Manifest
from zhol.region.query import run
from zhol.region.schema import table as schema_of
from zhol.region.schema import tables as schemas
from zhol.region.validate import check_pack

PACKS = Path(__file__).parents[1] / "packs"


@dataclass(frozen=True, eq=False)
class Region:
    """A region: its places, sources and tables, read once and never changed.

    Parameters
    ----------
    manifest : Manifest
        What `region.yaml` says.
    path : Path
        Folder of the pack.
    digest : str
        SHA-256 over `region.yaml` and all tables: same digest, same data.
    recalled : bool
        Whether rows known from memory only are shown.

    Examples
    --------
    >>> region = load("central_asia")
    >>> region.table("stocks").columns[:3]
    ['year', 'origin', 'destination']
    >>> region.sql("select distinct revision from stocks order by 1")["revision"].to_list()
    [2020, 2024]
    >>> key = {"year": 2020, "origin": "UZB", "destination": "KAZ", "revision": 2024}
    >>> [source["source_id"] for source in region.provenance("stocks", key)["sources"]]
    ['UNDESA2024']
    """

    manifest: Manifest
    path: Path
    digest: str
    recalled: bool
    _frames: Mapping[str, pl.DataFrame] = field(repr=False)
    _shown: dict[str, pl.DataFrame] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Short name."""
        return self.manifest.name

    @property
    def title(self) -> str:
        """Title for readers."""
        return self.manifest.title

    @property
    def focus(self) -> tuple[str, ...]:
        """Codes of the countries the pack is about."""
        return tuple(self.manifest.focus)

    @property
    def places(self) -> pl.DataFrame:
        """The places, one a row."""
        return self.table("places")

    @property
    def sources(self) -> pl.DataFrame:
        """The sources, one a row."""
        return self.table("sources")

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the tables the pack holds, in the order of the schema."""
        return tuple(name for name in schemas() if name in self._frames)

    def __repr__(self) -> str:
        rows = sum(frame.height for frame in self._frames.values())
        return f"Region({self.name!r}, {self.places.height} places, {len(self.tables)} tables, {rows:,} rows)"

    def table(self, name: str) -> pl.DataFrame:
        """One table, typed; a table the pack does not hold is empty.

        Parameters
        ----------
        name : str
            For example ``stocks``.

        Returns
        -------
        polars.DataFrame
            Rows known from memory only are left out unless the region was loaded with ``recalled=True``.

        Raises
        ------
        ZholError
            If there is no such table in the schema of packs.
        """
        return self._numbered(name).drop("_row")

    def sql(self, query: str) -> pl.DataFrame:
        """Answer one SELECT over the tables (DuckDB); it can read nothing else.

        Raises
        ------
        ZholError
            If the query is no single SELECT or cannot be answered.
        """
        if not isinstance(query, str):
            raise ZholError("query is not text", found=type(query).__name__)
        return run(query, {name: self.table(name) for name in schemas()})

    def provenance(self, table: str, row: int | Mapping[str, Any]) -> dict[str, Any]:
        """Where one row comes from.

        Parameters
        ----------
        table : str
            Name of the table.
        row : int or mapping
            Index into ``.table(name)``, or values of columns that pick out exactly one row.

        Returns
        -------
        dict
            ``table``, ``file``, ``line`` (in the file, the header being line 1), ``row`` (its cells), ``sources``
            (rows of the sources table) and ``status``.

        Raises
        ------
        ZholError
            If no row, or more than one, fits.
        """
        frame = self._numbered(table)
        record = dict(frame.row(_index(frame, table, row), named=True))
        line = record.pop("_row") + 2
        everything = self._frames["sources"].drop("_row")
        ids = str(record["source_id"]).split(";")
        sources = [everything.row(by_predicate=pl.col("source_id") == i, named=True) for i in ids]
        file = f"{table}.csv"
        return {
            "table": table,
            "file": file,
            "line": line,
            "row": record,
            "sources": sources,
            "status": record["status"],
        }

    def _numbered(self, name: str) -> pl.DataFrame:
        """A table as shown, with the number each row has in its file."""
        schema = schema_of(name)
        if name not in self._frames:
            return pl.DataFrame(schema={"_row": pl.UInt32(), **schema.types()})
        if name not in self._shown:
            keep = self.recalled | (pl.col("status") != "recalled").fill_null(True)
            self._shown[name] = self._frames[name].filter(keep)
        return self._shown[name]


def load(name_or_path: str | Path, recalled: bool = False) -> Region:
    """Load a region pack and check every row of it.

    Parameters
    ----------
    name_or_path : str or Path
        Name of a pack that ships with zhol (``"central_asia"``), or the folder of one's own.
    recalled : bool
        Show rows known from memory only as well; they are checked either way.

    Returns
    -------
    Region

    Raises
    ------
    ZholError
        If there is no such pack, or for the first thing wrong in it: file, row, column, what was found, what expected.

    Examples
    --------
    >>> load("atlantis")
    Traceback (most recent call last):
    zhol.core.errors.ZholError: no such pack; found 'atlantis', expected central_asia or the folder of a pack
    """
    root = find(name_or_path)
    checked = check_pack(root)
    frames = {name: frame.with_row_index("_row") for name, frame in checked.tables.items()}
    return Region(checked.manifest, root, checked.digest, bool(recalled), frames)


def shipped() -> list[str]:
    """Names of the packs that ship with zhol.

    Examples
    --------
    >>> "central_asia" in shipped()
    True
    """
    return sorted(path.parent.name for path in PACKS.glob("*/region.yaml"))


def find(name_or_path: str | Path) -> Path:
    """Folder of a pack, by name or path.

    Raises
    ------
    ZholError
        If there is none.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, str) and name_or_path in shipped():
        return PACKS / name_or_path
    if text and "\0" not in text and Path(text).is_dir():
        return Path(text)
    expected = f"{' or '.join(itertools.chain(shipped(), ['the folder of a pack']))}"
    raise ZholError("no such pack", found=text, expected=expected)


def _index(frame: pl.DataFrame, table: str, row: int | Mapping[str, Any]) -> int:
    if isinstance(row, Mapping):
        return _match(frame, table, row)
    if isinstance(row, bool) or not isinstance(row, int):
        raise ZholError("row is neither an index nor key values", found=row, expected="a whole number or a mapping")
    if not 0 <= row < frame.height:
        raise ZholError(f"{table} has no such row", found=row, expected=f"0 to {frame.height - 1}")
    return row


def _match(frame: pl.DataFrame, table: str, wanted: Mapping[str, Any]) -> int:
    for column in wanted:
        if column not in frame.columns or column == "_row":
            raise ZholError(f"{table} has no column {column!r}", expected=", ".join(frame.columns[1:]))
    try:
        same = [pl.col(c).eq_missing(pl.lit(v, dtype=frame.schema[c])) for c, v in wanted.items()]
        hits = frame.select(pl.all_horizontal(same).alias("hit"))["hit"].arg_true() if same else range(frame.height)
    except (pl.exceptions.PolarsError, TypeError, ValueError):
        raise ZholError(f"{table} cannot be searched for these values", found=dict(wanted)) from None
    if len(hits) != 1:
        raise ZholError(f"{len(hits)} rows of {table} fit", found=dict(wanted), expected="values that fit one row")
    return int(hits[0])
