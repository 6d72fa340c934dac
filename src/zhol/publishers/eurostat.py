"""Eurostat: people found to be irregularly present, and people returned to a third country, by citizenship."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.blocks import add_up
from zhol.publishers.plan import Plan
from zhol.publishers.source_files import COUNT, TEXT, WHOLE, read

_FILES = {
    "found_present": ("eurostat_found_illegally_present_by_citizen.csv", "EUROSTAT_EIPRE"),
    "returned": ("eurostat_returned_following_order_by_citizen.csv", "EUROSTAT_EIRTN"),
}
# Not a citizenship: a continent beside its countries would be counted twice.
_AGGREGATES = ["Asia"]


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``enforcement``: persons by year, origin, destination and measure."""
    parts = [_measure(root, plan, measure) for measure in _FILES]
    return {"enforcement": pl.concat(parts).sort("year", "origin", "destination", "measure")}


def _measure(root: Path, plan: Plan, measure: str) -> pl.DataFrame:
    name, source = _FILES[measure]
    columns = {"year": WHOLE, "citizen": TEXT, "citizen_iso3": TEXT, "geo_iso3": TEXT, "n": COUNT}
    frame = read(root, f"eurostat_enforcement/{name}", columns).filter(
        ~pl.col("citizen").is_in(_AGGREGATES), pl.col("n").is_not_null()
    )
    # A reporting country with nothing but zeros in a year did not report; its zeros are not figures.
    frame = frame.filter(pl.col("n").sum().over("year", "geo_iso3") > 0)
    cells = frame.select(
        "year",
        "geo_iso3",
        origin=pl.when(pl.col("citizen_iso3").is_null())
        .then(pl.lit(plan.unknown, pl.String))
        .otherwise(plan.place("citizen_iso3")),
        destination=plan.place("geo_iso3"),
        persons="n",
    ).filter(pl.col("destination").ne(plan.rest or ""))
    reporting = cells.group_by("year", "destination").agg(reporting=pl.col("geo_iso3").n_unique())
    added = add_up(cells, plan, ["year"], ["origin", "destination"], ["persons"])
    return (
        added.join(reporting, on=["year", "destination"])
        .select(
            "year",
            "origin",
            "destination",
            "persons",
            "cells",
            "reporting",
            measure=pl.lit(measure),
            source_id=pl.lit(source),
            status="status",
        )
        .select("year", "origin", "destination", "measure", "persons", "cells", "reporting", "source_id", "status")
    )
