"""IOM Missing Migrants Project: the dead and missing, by origin and route; minimum counts."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.blocks import add_up
from zhol.publishers.plan import Plan
from zhol.publishers.source_files import COUNT, TEXT, WHOLE, read


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``deaths``: year, origin and route. Origin unknown and several origins in one incident are one place."""
    columns = {"year": WHOLE, "origin": TEXT, "route": TEXT, "incidents": COUNT, "dead_missing": COUNT}
    cells = read(root, "iom_missing_migrants/mmp_year_origin_route.csv", columns)
    cells = cells.with_columns(origin=plan.place("origin", ["UNK", "MIXED"]))
    deaths = add_up(cells, plan, ["year", "route"], ["origin"], ["incidents", "dead_missing"]).with_columns(
        source_id=pl.lit("IOM_MMP"), status=pl.lit("computed")
    )
    columns_out = ["year", "origin", "route", "incidents", "dead_missing", "source_id", "status"]
    return {"deaths": deaths.select(columns_out).sort("year", "origin", "route")}
