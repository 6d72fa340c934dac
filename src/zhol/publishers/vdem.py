"""V-Dem: how democratic a country is, on two indices between 0 and 1."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.plan import Plan
from zhol.publishers.source_files import NUMBER, TEXT, WHOLE, read

_INDICES = {"electoral_democracy": "v2x_polyarchy", "liberal_democracy": "v2x_libdem"}


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``governance``: countries only; an index of a block would be a mean of opinions about unlike states."""
    columns = {"iso3": TEXT, "year": WHOLE, **dict.fromkeys(_INDICES.values(), NUMBER)}
    frame = read(root, "governance/vdem_indices_1989plus.csv", columns).filter(
        pl.col("year") >= plan.first_year, pl.col("iso3").is_in(plan.countries)
    )
    long = frame.select("year", place="iso3", **_INDICES).unpivot(
        index=["place", "year"], variable_name="variable", value_name="value"
    )
    governance = long.drop_nulls("value").with_columns(
        unit=pl.lit("index"), source_id=pl.lit("VDEM"), status=pl.lit("published")
    )
    return {"governance": governance.sort("place", "variable", "year")}
