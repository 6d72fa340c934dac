"""World Bank / KNOMAD bilateral remittance matrix: a model's split of what countries received."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.blocks import add_up
from zhol.publishers.plan import Plan
from zhol.publishers.source_files import NUMBER, TEXT, editions, read


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``remittances``: USD million by sending and receiving place (modelled, not observed)."""
    files = editions(root, "remittance_matrix/bilateral_remittances_*.csv")
    return {"remittances": pl.concat([_matrix(root, plan, year, name) for year, name in files.items()])}


def _matrix(root: Path, plan: Plan, year: str, name: str) -> pl.DataFrame:
    cells = read(root, name, {"sender_iso3": TEXT, "receiver_iso3": TEXT, "usd_million": NUMBER}).select(
        sender=plan.place("sender_iso3"), receiver=plan.place("receiver_iso3"), value="usd_million"
    )
    added = add_up(cells, plan, [], ["sender", "receiver"], ["value"])
    block = pl.col("status") == "computed"
    return added.select(
        pl.lit(int(year), dtype=pl.Int64).alias("year"),
        "sender",
        "receiver",
        pl.col("value").round(6),
        low=pl.lit(None, pl.Float64),
        high=pl.lit(None, pl.Float64),
        unit=pl.lit("USD million"),
        source_id=pl.lit(f"KNOMAD{year}"),
        status="status",
        note=pl.when(block).then(pl.format("modelled; sum of {} pairs", "cells")).otherwise(pl.lit("modelled")),
    )
