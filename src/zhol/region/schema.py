"""The tables of a region pack as data: which columns, of what kind, with which bounds and keys.

Nothing is decided here: `tables.yaml` says which tables there are, `vocabulary.csv` what each column is.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict

from zhol.core.errors import ZholError
from zhol.region.vocabulary import terms

HERE = Path(__file__).parent

# How each kind of column is held once read. A date known to the month only stays text: "2008-05" is not a day.
TYPES: Mapping[str, pl.DataType] = MappingProxyType(
    {
        "text": pl.String(),
        "id": pl.String(),
        "sources": pl.String(),
        "place": pl.String(),
        "places": pl.String(),
        "iso": pl.String(),
        "choice": pl.String(),
        "when": pl.String(),
        "year": pl.Int64(),
        "count": pl.Int64(),
        "number": pl.Float64(),
        "bool": pl.Boolean(),
        "date": pl.Date(),
    }
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Column(_Strict):
    """One column of one table: what the vocabulary says of it and what the table adds."""

    name: str
    kind: str
    unit: str
    about: str
    need: Literal["filled", "present", "optional"]
    of: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    refers: str = ""
    min: float | None = None
    max: float | None = None
    says: str = ""

    @property
    def type(self) -> pl.DataType:
        """The polars type it is held in."""
        return TYPES[self.kind]

    @property
    def expected(self) -> str:
        """What a cell should hold, for an error or a handbook."""
        return " | ".join(self.of) or self.says


class UnitRule(_Strict):
    """Which units and which values go with one word of the deciding column."""

    unit: tuple[str, ...] = ()
    min: float
    max: float


class Units(_Strict):
    """Unit and bounds of ``value``, ``low`` and ``high``, decided by another column."""

    by: str
    rows: dict[str, UnitRule]


class OnlyIf(_Strict):
    """A flag that may be true only where another column is filled and a word is none of those listed."""

    flag: str
    filled: str
    column: str
    never: tuple[str, ...]


class Table(_Strict):
    """One table: its columns in order and the rules over whole rows."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    required: bool = False
    apart: tuple[str, ...] = ()
    interval: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    parts: dict[str, tuple[str, ...]] = {}
    any_of: tuple[str, ...] = ()
    units: Units | None = None
    only_if: OnlyIf | None = None

    @property
    def names(self) -> list[str]:
        """Column names in the order of the schema."""
        return [c.name for c in self.columns]

    def column(self, name: str) -> Column:
        """One column by name."""
        return next(c for c in self.columns if c.name == name)

    def types(self) -> dict[str, pl.DataType]:
        """Polars type of every column, for an empty or a new frame."""
        return {c.name: c.type for c in self.columns}


class Limits(_Strict):
    """How large a pack's files may be."""

    rows: int
    bytes: int
    cell: int
    columns: int
    manifest: int


@cache
def _document() -> dict[str, Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with (HERE / "tables.yaml").open(encoding="utf-8") as file:
        return dict(yaml.load(file, Loader=loader))


@cache
def limits() -> Limits:
    """How large a pack's files may be."""
    return Limits(**_document()["limits"])


@cache
def tables() -> Mapping[str, Table]:
    """All tables a pack may hold, by name.

    Examples
    --------
    >>> tables()["stocks"].key
    ('year', 'origin', 'destination', 'revision')
    >>> tables()["stocks"].column("persons").expected
    'a whole number from 0 to 10 billion'
    """
    document = _document()
    return MappingProxyType(
        {name: _table(name, dict(given), document["every"]) for name, given in document["tables"].items()}
    )


def table(name: str) -> Table:
    """One table's schema.

    Raises
    ------
    ZholError
        If no table has this name.

    Examples
    --------
    >>> table("legs").names[:3]
    ['origin', 'destination', 'mode']
    """
    if not isinstance(name, str) or name not in tables():
        raise ZholError("unknown table", found=str(name), expected=f"one of {', '.join(tables())}")
    return tables()[name]


def _table(name: str, given: dict[str, Any], every: dict[str, Any]) -> Table:
    columns = {**given.pop("columns")}
    if given.get("units", {}).get("by") == "unit":  # then its words are all the units there are
        columns["unit"] = {**columns["unit"], "of": tuple(given["units"]["rows"])}
    for common, rule in every.items():
        columns[common] = {**rule, **columns.get(common, {})}
    # A source is known by its own id; in every other table the column holds ids of sources.
    kinds = {"source_id": "id"} if name == "sources" else {}
    return Table(name=name, columns=tuple(_column(c, rule, kinds.get(c)) for c, rule in columns.items()), **given)


def _column(name: str, rule: dict[str, Any], kind: str | None) -> Column:
    term = terms()[name]
    kind = kind or term.kind
    whole = {**_document()["kinds"][kind], **rule}
    if "min" in rule or "max" in rule:
        what = "a whole number" if kind == "count" else "a number"
        whole["says"] = f"{what} from {whole['min']:,.15g} to {whole['max']:,.15g}"
    return Column(**whole, name=name, kind=kind, unit=term.unit, about=term.description)


@cache
def beside() -> Mapping[str, tuple[str, ...]]:
    """What may lie in a pack beside its tables: names of files and of folders."""
    return MappingProxyType({what: tuple(names) for what, names in _document()["beside"].items()})
