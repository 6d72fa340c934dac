"""Who can act: the places and groups of a pack, and the first month of its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from zhol.core.errors import ZholError
from zhol.region.load import load

if TYPE_CHECKING:
    from zhol.region.load import Region

EVERYBODY = "WLD"
_ACT = ("country", "block", "rest")


@dataclass(frozen=True)
class Places:
    """Places of a pack by what they can do.

    Attributes
    ----------
    region : str
    actors : tuple of str
        Places that can act.
    members : mapping of group to its members that can act
    focus : tuple of str
        Places that the pack is about.
    first_month : str
        First month of the data.
    events, figures : frozenset of str
        Ids of the rows of these tables.
    """

    region: str
    actors: tuple[str, ...]
    members: Mapping[str, tuple[str, ...]]
    focus: tuple[str, ...]
    first_month: str
    events: frozenset[str]
    figures: frozenset[str]

    def expand(self, code: str, known: set[str] | None = None) -> tuple[str, ...]:
        """The places behind a code: itself, or the members of the group (that a model knows)."""
        return tuple(p for p in self.members.get(code, (code,)) if known is None or p in known)

    def partners(self, code: str | None, known: set[str] | None = None) -> tuple[str | None, ...]:
        """The same for a partner; nobody in particular is everybody."""
        return (None,) if code is None or code == EVERYBODY else self.expand(code, known)

    def need(self, code: str, message: str, file: str | None = None, acts: bool = False) -> None:
        """Raise if a code names no place or group, or nobody who can act.

        Raises
        ------
        ZholError
            One line.
        """
        if code not in self.actors and code not in self.members:
            close = _closest(code, (*self.actors, *self.members))
            raise ZholError(message, file=file, found=code, expected=f"a place or group of {self.region}",
                            hint=f"did you mean '{close}'?" if close else None)  # fmt: skip
        if not self.expand(code) and (acts or code != EVERYBODY):
            raise ZholError(f"{message}, a group without members in the pack", file=file, found=code,
                            hint="name the places")  # fmt: skip


def places_of(region: str | Region) -> Places:
    """Places of a pack, by its name, folder or as loaded.

    Examples
    --------
    >>> places_of("central_asia").expand("XEE")
    ('ARM', 'BLR', 'KAZ', 'KGZ', 'RUS')
    """
    return _named(region) if isinstance(region, str) else _places(region)


@lru_cache(maxsize=8)
def _named(region: str) -> Places:
    # Rows known from memory may be named beside a piece of history; they carry their status with them.
    return _places(load(region, recalled=True))


def _places(region: Region) -> Places:
    table = region.table("places")
    actors = tuple(table.filter(pl.col("kind").is_in(_ACT))["place"])
    groups = table.filter(pl.col("kind") == "group").select("place", "members").iter_rows()
    members = {group: tuple(p for p in (text or "").split(";") if p in actors) for group, text in groups}
    years = region.table("stocks")["year"].to_list() if "stocks" in region.tables else [1900]
    return Places(
        region=region.name,
        actors=actors,
        members=members,
        focus=tuple(region.manifest.focus),
        first_month=f"{min(years):04d}-01",
        events=_ids(region, "events", "event_id"),
        figures=_ids(region, "figures", "figure_id"),
    )


def _ids(region: Region, table: str, column: str) -> frozenset[str]:
    return frozenset(region.table(table)[column]) if table in region.tables else frozenset()


def _closest(code: str, known: tuple[str, ...]) -> str | None:
    """The known code that shares most letters in their places; at least two."""
    shared = {k: sum(a == b for a, b in zip(k, code.upper(), strict=False)) for k in known}
    best = max(shared, key=lambda k: shared[k], default=None)
    return best if best is not None and shared[best] >= 2 else None
