"""Frontex: detections of irregular border-crossing by route and nationality; detections, not persons."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.blocks import add_up
from zhol.publishers.plan import Plan
from zhol.publishers.source_files import COUNT, TEXT, read

# OOO unknown, STL stateless; OOS, unidentified Sub-Saharan, is outside the region and so rest of the world.
_UNKNOWN = ["OOO", "STL"]


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``detections``: year, route and origin; months added up, zeros left out by the publisher stay absent."""
    cells = read(
        root,
        "frontex_ibc/frontex_detections_monthly.csv",
        {"month": TEXT, "route": TEXT, "nationality": TEXT, "n": COUNT},
    ).select(
        "route",
        year=pl.col("month").str.slice(0, 4).cast(pl.Int64),
        origin=plan.place("nationality", _UNKNOWN),
        detections="n",
    )
    added = add_up(cells, plan, ["year", "route"], ["origin"], ["detections"])
    detections = added.with_columns(source_id=pl.lit("FRONTEX"), status=pl.lit("computed"))
    return {"detections": detections.select("year", "route", "origin", "detections", "source_id", "status")}
