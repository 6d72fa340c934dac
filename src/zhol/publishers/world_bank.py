"""World Bank WDI by country and year; for blocks only what a sum or a weighted mean can honestly say."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.plan import Plan
from zhol.publishers.source_files import NUMBER, TEXT, WHOLE, read
from zhol.publishers.wpp import people

# variable of the pack: column of the source, unit, how a block's number is made (None: none is made)
_VARIABLES = {
    "gdp_pc_ppp": ("gdp_pc_ppp_2021", "international dollars of 2021", "mean"),
    "gdp_usd": ("gdp_usd", "USD", "sum"),
    "unemployment": ("unemployment_pct", "%", None),
    "remittances_received": ("remittances_received_usd", "USD", "sum"),
    "remittances_paid": ("remittances_paid_usd", "USD", "sum"),
    "remittances_share_gdp": ("remittances_pct_gdp", "%", None),
}


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``economy``: income, unemployment and remittances by place and year."""
    columns = [source for source, _, _ in _VARIABLES.values()]
    frame = read(
        root, "world_bank_wdi/wdi_country_year.csv", {"iso3": TEXT, "year": WHOLE, **dict.fromkeys(columns, NUMBER)}
    )
    weights = people(root).with_columns(place=plan.place("code"))
    wide = weights.join(frame, left_on=["code", "year"], right_on=["iso3", "year"], how="left").filter(
        pl.col("year") >= plan.first_year, pl.col("place").is_not_null()
    )
    parts = [_countries(wide, plan, v, c, unit) for v, (c, unit, _) in _VARIABLES.items()]
    parts += [_blocks(wide, plan, v, c, unit, how) for v, (c, unit, how) in _VARIABLES.items() if how]
    columns = ["place", "year", "variable", "value", "low", "high", "unit", "source_id", "status", "note"]
    none = {"low": pl.lit(None, pl.Float64), "high": pl.lit(None, pl.Float64)}
    economy = pl.concat([p.with_columns(**none).select(columns) for p in parts])
    return {"economy": economy.sort("place", "variable", "year")}


def _countries(wide: pl.DataFrame, plan: Plan, variable: str, column: str, unit: str) -> pl.DataFrame:
    """The publisher's own figures; the share of GDP is received over GDP, so it is arithmetic."""
    computed = variable == "remittances_share_gdp"
    return wide.filter(pl.col("code").is_in(plan.countries), pl.col(column).is_not_null()).select(
        "place",
        "year",
        variable=pl.lit(variable),
        value=pl.col(column),
        unit=pl.lit(unit),
        source_id=pl.lit("WDI"),
        status=pl.lit("computed" if computed else "published"),
        note=pl.lit("remittances received over GDP" if computed else None, pl.String),
    )


def _blocks(wide: pl.DataFrame, plan: Plan, variable: str, column: str, unit: str, how: str) -> pl.DataFrame:
    """A sum or a mean over members, only where those with a figure hold nearly all of the block's people."""
    has = pl.col(column).is_not_null()
    weighted = (pl.col(column) * pl.col("people")).filter(has).sum() / pl.col("people").filter(has).sum()
    value = weighted.round(1) if how == "mean" else pl.col(column).filter(has).sum()
    words = "population-weighted mean" if how == "mean" else "sum"
    return (
        wide.filter(~pl.col("code").is_in(plan.countries))
        .group_by("place", "year")
        .agg(
            value=value,
            cells=has.sum(),
            held=pl.col("people").filter(has).sum() / pl.col("people").sum(),
        )
        .filter(pl.col("held") >= float(plan.options["least_share_of_block"]), pl.col("cells") > 0)
        .select(
            "place",
            "year",
            variable=pl.lit(variable),
            value=pl.col("value"),
            unit=pl.lit(unit),
            source_id=pl.lit("WDI;WPP2024" if how == "mean" else "WDI"),
            status=pl.lit("computed"),
            note=pl.format(
                words + " of {} places with {} % of the block's people",
                "cells",
                (pl.col("held") * 100).round(2),
            ),
        )
    )
