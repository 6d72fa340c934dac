"""UCDP: deaths in state-based conflict by the country where they happened."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.blocks import add_up
from zhol.publishers.plan import Plan
from zhol.publishers.source_files import COUNT, TEXT, WHOLE, read


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``conflict``: best, low and high count of deaths a year.

    Only years that come from the UCDP event data are kept; before 1989 the copy holds another series (PRIO), and the
    two do not join.
    """
    columns = {"iso3": TEXT, "year": WHOLE, "low": COUNT, "best": COUNT, "high": COUNT, "source": TEXT}
    cells = (
        read(root, "conflict_ucdp/battle_deaths_country_year.csv", columns)
        .filter(pl.col("source").str.starts_with("UCDP"), pl.col("year") >= plan.first_year)
        .with_columns(place=plan.place("iso3"))
    )
    added = add_up(cells, plan, ["year"], ["place"], ["best", "low", "high"])
    low, high = pl.min_horizontal("best", "low", "high"), pl.max_horizontal("best", "low", "high")
    mended = (pl.col("low") != low) | (pl.col("high") != high)
    block = pl.col("status") == "computed"
    conflict = added.select(
        "place",
        "year",
        "best",
        low=low,
        high=high,
        unit=pl.lit("deaths"),
        source_id=pl.lit("UCDP"),
        status=pl.when(mended).then(pl.lit("computed")).otherwise("status"),
        note=pl.when(block)
        .then(pl.format("sum of {} states, bounds summed too", "cells"))
        .when(mended)
        .then(pl.format("published bounds {} and {} do not contain the best count; widened to it", "low", "high")),
    )
    return {"conflict": conflict.sort("place", "year")}
