"""The table ``legs``: steps between two countries by land, sea or air, with their length. None is finer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from zhol.publishers.evidence import rules
from zhol.publishers.evidence.citations import COLUMNS, LICENCE
from zhol.publishers.evidence.places import members
from zhol.publishers.evidence.reading import records
from zhol.region import schema

CEPII = "CEPII"
SCHEMA = schema.table("legs").types()
_NOT_OPEN = "neighbours on the map about 2004: the leg does not say that the border is open"

Pair = tuple[str, str]


def legs(source_dir: Path) -> pl.DataFrame:
    """Legs in both directions.

    Land legs join countries that CEPII has as neighbours; sea and air legs stand in ``legs_sea.csv`` and
    ``legs_air.csv``. The length is the great-circle distance between capitals. A block stands for its members: it is
    a neighbour if one of them is, and its length is that of the nearest capital (of a neighbour, for a land leg).

    Parameters
    ----------
    source_dir : Path
        Folder with ``data/cepii_geodist``.

    Returns
    -------
    polars.DataFrame
        Columns of the table ``legs``, sorted by origin, destination and mode.
    """
    pairs = _cepii(source_dir)
    rows = [*_land(pairs), *_sea(pairs), *_air(pairs)]
    both = rows + [{**row, "origin": row["destination"], "destination": row["origin"]} for row in rows]
    return (
        pl.DataFrame(both, schema=SCHEMA)
        .unique(["origin", "destination", "mode"], keep="first")
        .sort("origin", "destination", "mode")
    )


def sources() -> pl.DataFrame:
    """Sources of the sea legs (the distances' own source is described with the statistics)."""
    rows = [
        {**row, "licence": LICENCE, "attribution": f"{row['publisher']}, {row['title']}"}
        for row in rules.rows("legs_sources")
    ]
    frame = pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String()))
    return frame.with_columns(pl.when(pl.all() == "").then(None).otherwise(pl.all()).name.keep())


def _cepii(source_dir: Path) -> dict[Pair, tuple[float, bool]]:
    """Distance between capitals and contiguity of each pair of countries."""
    wanted = {country for members in members().values() for country in members}
    return {
        (row["iso_o"], row["iso_d"]): (float(row["distcap"]), row["contig"] == "1")
        for row in records(source_dir, "data", "cepii_geodist", "dist_cepii.csv")
        if row["iso_o"] in wanted and row["iso_d"] in wanted and row["distcap"]
    }


def _land(pairs: dict[Pair, tuple[float, bool]]) -> Iterator[dict[str, Any]]:
    places = list(members())
    for i, one in enumerate(places):
        for other in places[i + 1 :]:
            length = _length(one, other, pairs, neighbours=True)
            if length is not None:
                yield _leg(one, other, "land", length, CEPII, _NOT_OPEN)


def _sea(pairs: dict[Pair, tuple[float, bool]]) -> Iterator[dict[str, Any]]:
    for row in rules.rows("legs_sea"):
        length = _length(row["one"], row["other"], pairs)
        if length is not None:
            yield _leg(row["one"], row["other"], "sea", length, f"{CEPII};{row['source']}", row["why"])


def _air(pairs: dict[Pair, tuple[float, bool]]) -> Iterator[dict[str, Any]]:
    for row in rules.rows("legs_air"):
        for origin in row["origins"].split():
            for destination in row["destinations"].split():
                length = _length(origin, destination, pairs)
                if length is not None:
                    yield _leg(origin, destination, "air", length, f"{CEPII};{row['source']}", row["why"])


def _length(one: str, other: str, pairs: dict[Pair, tuple[float, bool]], *, neighbours: bool = False) -> float | None:
    """Shortest distance between capitals of members, only among neighbours if asked; nothing if there is none."""
    found = [pairs[a, b] for a in members()[one] for b in members()[other] if (a, b) in pairs]
    lengths = [distance for distance, touching in found if touching or not neighbours]
    return min(lengths) if lengths else None


def _leg(one: str, other: str, mode: str, length: float, source: str, why: str) -> dict[str, Any]:
    block = any(len(members()[code]) > 1 for code in (one, other))
    basis = "CEPII distcap, nearest capital of the block" if block else "CEPII distcap"
    return {
        "origin": one, "destination": other, "mode": mode, "length_km": length, "basis": basis,
        "source_id": source, "status": "computed" if block or mode != "land" else "published", "note": why,
    }  # fmt: skip
