"""What to build: the places of a region pack, who belongs to which block, and the remarks to set on rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from zhol.core.errors import ZholError

_PACKS = Path(__file__).parents[1] / "packs"


@dataclass(frozen=True)
class Plan:
    """Places of one region and how source codes become them.

    Parameters
    ----------
    folder : Path
        The pack's folder, with ``places.csv`` and ``build.yaml`` (both written by hand).
    places : polars.DataFrame
        The places table.
    code_of : dict
        ISO alpha-3 code to place: countries to themselves, members of a block to the block.
    members : dict
        Block to its member codes.
    rest, unknown : str or None
        Codes of the two places that have no members: everywhere else, and origin not stated.
    options : dict
        What ``build.yaml`` says.
    """

    folder: Path
    places: pl.DataFrame
    code_of: dict[str, str]
    members: dict[str, list[str]]
    rest: str | None
    unknown: str | None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def countries(self) -> list[str]:
        """Places whose figures are the publisher's own, not sums."""
        return self.places.filter(pl.col("kind") == "country")["place"].to_list()

    @property
    def first_year(self) -> int:
        """First year of the pack."""
        return int(self.options["first_year"])

    def place(self, column: str, unknown: Iterable[str] = ()) -> pl.Expr:
        """Expression: the place that a column's code belongs to; any other code is the rest of the world."""
        known: dict[str, str | None] = {**self.code_of, **dict.fromkeys(unknown, self.unknown)}
        return pl.col(column).replace_strict(known, default=self.rest, return_dtype=pl.String)

    def single(self, *columns: str) -> pl.Expr:
        """Expression: every one of the columns holds a country or the unknown, so one cell is a published figure."""
        return pl.all_horizontal(pl.col(c).is_in([*self.countries, self.unknown or ""]) for c in columns)


def read_plan(region: str) -> Plan:
    """Read a pack's hand-written inputs.

    Raises
    ------
    ZholError
        If the pack does not exist or a country stands in two blocks.

    Examples
    --------
    >>> read_plan("central_asia").code_of["EST"]
    'XBA'
    """
    folder = _PACKS / region
    if region not in _known():
        raise ZholError("no such region to build", found=region, expected=" or ".join(_known()))
    if not (folder / "places.csv").is_file():
        raise ZholError("a region is built from its places", file=folder / "places.csv", hint="write this table first")
    places = pl.read_csv(folder / "places.csv", infer_schema=False, null_values=[""])
    options = yaml.safe_load((folder / "build.yaml").read_text(encoding="utf-8"))
    code_of = {p: p for p in places.filter(pl.col("kind") == "country")["place"]}
    members: dict[str, list[str]] = {}
    for place, listed in places.filter(pl.col("kind") == "block").select("place", "members").iter_rows():
        members[place] = listed.split(";")
        for code in members[place]:
            if code in code_of:
                raise ZholError(
                    "country stands in two places", file=folder / "places.csv", column="members", found=code
                )
            code_of[code] = place
    return Plan(folder, places, code_of, members, _only(places, "rest"), _only(places, "unknown"), options)


def _known() -> list[str]:
    return sorted(path.parent.name for path in _PACKS.glob("*/build.yaml"))


def _only(places: pl.DataFrame, kind: str) -> str | None:
    found = places.filter(pl.col("kind") == kind)["place"].to_list()
    return found[0] if found else None
