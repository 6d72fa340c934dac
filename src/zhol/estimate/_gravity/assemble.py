"""Covariates of every pair and period from tables of distances, incomes, people, conflict, stocks and visas."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

# A requirement that has to be met before the journey counts as a visa; a block of states with both counts half.
VISA = {
    "visa_free": 0.0, "visa_on_arrival": 0.0, "eta": 0.0, "e_visa": 1.0, "visa_required": 1.0, "no_admission": 1.0,
    "mixed": 0.5,
}  # fmt: skip


def assemble(
    pairs: pl.DataFrame,
    periods: Sequence[int],
    *,
    length: int,
    economy: pl.DataFrame | None = None,
    people: pl.DataFrame | None = None,
    deaths: pl.DataFrame | None = None,
    stocks: pl.DataFrame | None = None,
    visas: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """One row a pair and period (named by its first year).

    Parameters
    ----------
    pairs : frame
        origin, destination and what does not change (distance_km, contiguous, ...).
    periods : sequence of int
        First years.
    length : int
        Years in a period.
    economy, people, deaths : frames with place, year, value
        Income per head (mean of the period), population (first year), deaths in conflict (mean a year; given as deaths
        per million people).
    stocks : frame with year, origin, destination, persons
        People of the origin who live at the destination at the start. A pair that is not estimated becomes 0 with
        ``diaspora_missing`` 1.
    visas : frame with origin, destination, year, visa_required
        The snapshot nearest to the end of the period.
    """
    first = pl.DataFrame({"period": list(periods)})
    table = pairs.filter(pl.col("origin") != pl.col("destination")).join(first, how="cross")
    means = {"income": economy, "deaths": deaths}
    monadic: dict[str, pl.DataFrame] = {
        name: _mean(frame, periods, length) for name, frame in means.items() if frame is not None
    }
    if people is not None:
        monadic["population"] = people.filter(pl.col("year").is_in(list(periods))).select(
            "place", pl.col("year").alias("period"), "value"
        )
    for side in ("origin", "destination"):
        for name, frame in monadic.items():
            named = frame.rename({"place": side, "value": f"{name}_{side}"})
            table = table.join(named, on=[side, "period"], how="left")
    table = _rates(table)
    if stocks is not None:
        table = _diaspora(table, stocks)
    if visas is not None:
        table = _nearest(table, visas, length)
    return table.sort("origin", "destination", "period")


def _mean(frame: pl.DataFrame, periods: Sequence[int], length: int) -> pl.DataFrame:
    """Mean of each place over the years of each period."""
    parts = [
        frame.filter(pl.col("year").is_between(p, p + length - 1), pl.col("value").is_not_null())
        .group_by("place")
        .agg(pl.col("value").mean())
        .with_columns(period=pl.lit(p, dtype=pl.Int64))
        for p in periods
    ]
    return pl.concat(parts).select("place", "period", "value")


def _rates(table: pl.DataFrame) -> pl.DataFrame:
    """Deaths per million; the gap of incomes for readers (the effects of places absorb it)."""
    for side in ("origin", "destination"):
        deaths, people = f"deaths_{side}", f"population_{side}"
        if deaths in table.columns and people in table.columns:
            table = table.with_columns((pl.col(deaths) * 1e6 / pl.col(people)).alias(f"conflict_{side}"))
        table = table.drop(deaths, strict=False)
    if "income_origin" in table.columns:
        table = table.with_columns(income_gap=(pl.col("income_destination") / pl.col("income_origin")).log())
    return table


def _diaspora(table: pl.DataFrame, stocks: pl.DataFrame) -> pl.DataFrame:
    held = stocks.group_by("origin", "destination", pl.col("year").alias("period")).agg(
        pl.col("persons").sum().alias("diaspora")
    )
    joined = table.join(held, on=["origin", "destination", "period"], how="left")
    return joined.with_columns(
        diaspora_missing=pl.col("diaspora").is_null().cast(pl.Float64), diaspora=pl.col("diaspora").fill_null(0.0)
    )


def _nearest(table: pl.DataFrame, visas: pl.DataFrame, length: int) -> pl.DataFrame:
    """The visa rule of the snapshot nearest to the end of each period."""
    years = visas["year"].unique().sort().to_list()
    chosen = [
        visas.filter(pl.col("year") == min(years, key=lambda y: (abs(y - p - length), y))).with_columns(
            period=pl.lit(p, dtype=pl.Int64)
        )
        for p in table["period"].unique().to_list()
    ]
    rules = pl.concat(chosen).unique(["origin", "destination", "period"], keep="last")
    return table.join(
        rules.select("origin", "destination", "period", "visa_required"),
        on=["origin", "destination", "period"],
        how="left",
    )
