"""Passport Index: what a passport needs for a short visit (never the right to work), at six dates."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.core.errors import ZholError
from zhol.publishers.plan import Plan
from zhol.publishers.source_files import TEXT, editions, read

_EARLIER = "passport_index/passport_index_snapshots_2019_2025_region.csv"
_WORDS = {
    "visa free": "visa_free",
    "visa on arrival": "visa_on_arrival",
    "eta": "eta",
    "EVW": "eta",  # the electronic visa waiver of the United Kingdom, one cell of 2021
    "e-visa": "e_visa",
    "visa required": "visa_required",
    "no admission": "no_admission",
    "covid ban": "covid_ban",
}


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``visas``: requirement and days by passport, destination and date.

    A block has a requirement where all its members agree, otherwise ``mixed``, with the count of each in the note.
    """
    columns = {"passport": TEXT, "destination": TEXT, "requirement": TEXT}
    files = editions(root, "passport_index/passport_index_*.csv")
    whole = [read(root, name, columns).select(pl.lit(date).alias("snapshot"), *columns) for date, name in files.items()]
    earlier = read(root, _EARLIER, {"snapshot": TEXT, **columns})
    cells = pl.concat([*whole, earlier]).unique(
        ["snapshot", "passport", "destination"], keep="first", maintain_order=True
    )
    cells = cells.select(
        date="snapshot",
        origin=plan.place("passport"),
        target=plan.place("destination"),
        requirement="requirement",
    ).filter(
        pl.col("origin") != pl.col("target"),
        pl.col("origin").ne(plan.rest or "") & pl.col("target").ne(plan.rest or ""),
    )
    cells = _requirements(cells.rename({"target": "destination"}))
    return {"visas": _blocks(cells, plan)}


def _requirements(cells: pl.DataFrame) -> pl.DataFrame:
    """Split the publisher's cell into a requirement and a number of days."""
    days = pl.col("requirement").str.extract(r"^(\d+)$").cast(pl.Int64)
    known = pl.col("requirement").replace_strict(_WORDS, default=None, return_dtype=pl.String)
    split = cells.with_columns(
        found="requirement",
        days=days,
        requirement=pl.when(days.is_not_null()).then(pl.lit("visa_free")).otherwise(known),
    )
    strange = split.filter(pl.col("requirement").is_null())
    if strange.height:
        raise ZholError(
            "unknown visa requirement",
            file=_EARLIER,
            column="requirement",
            found=strange["found"][0],
            expected=", ".join(_WORDS),
        )
    return split.drop("found")


def _blocks(cells: pl.DataFrame, plan: Plan) -> pl.DataFrame:
    size = pl.col("origin").replace_strict(
        {b: len(m) for b, m in plan.members.items()}, default=1, return_dtype=pl.Int64
    ) * pl.col("destination").replace_strict(
        {b: len(m) for b, m in plan.members.items()}, default=1, return_dtype=pl.Int64
    )
    counts = (
        cells.group_by("origin", "destination", "date", "requirement")
        .len()
        .sort("len", "requirement", descending=[True, False])
    )
    told = counts.group_by("origin", "destination", "date").agg(
        told=pl.format("{} {}", "requirement", "len").str.join(", ")
    )
    agreed = pl.col("requirement").n_unique() == 1
    single = plan.single("origin", "destination")
    visas = (
        cells.group_by("origin", "destination", "date")
        .agg(
            requirement=pl.when(agreed).then(pl.col("requirement").first()).otherwise(pl.lit("mixed")),
            days=pl.when(agreed & (pl.col("days").n_unique() == 1)).then(pl.col("days").first()),
            cells=pl.len(),
        )
        .filter(pl.col("cells") == size)
        .join(told, on=["origin", "destination", "date"])
    )
    return visas.select(
        "origin",
        "destination",
        "date",
        "requirement",
        "days",
        source_id=pl.lit("PASSPORT_INDEX"),
        status=pl.when(single).then(pl.lit("published")).otherwise(pl.lit("computed")),
        note=pl.when(~single).then(pl.format("{} pairs: {}", "cells", "told")),
    ).sort("origin", "destination", "date")
