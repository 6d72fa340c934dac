"""UN World Population Prospects: people, births, deaths, migration, projection with its intervals, age."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.blocks import total
from zhol.publishers.plan import Plan
from zhol.publishers.source_files import COUNT, NUMBER, TEXT, WHOLE, read

_WORKING = ["15-24", "25-44", "45-64"]
_FLOWS = {"births": "births_k", "deaths": "deaths_k", "net_migration": "net_migration_k"}
_SUMMED = "sum of {} places"
_BOUNDS = "sum of {} places; bounds summed too, as if the errors of all members moved together: rather too wide"
_DAY = "on 31 December; the estimates are on 1 July"


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``population``: estimates to the last year of the revision, then the projection at two levels.

    The copy of the projection counts people on 31 December of its year, the estimates are on 1 July: the step from the
    last estimate to the first year of the projection is a year and a half.
    """
    parts = [_estimates(root, plan), _projection(root, plan), _working_age(root, plan)]
    columns = ["place", "year", "variable", "value", "low", "high", "level", "unit", "source_id", "status", "note"]
    frame = pl.concat([p.select(columns) for p in parts])
    return {"population": frame.sort("place", "variable", "year", "level", nulls_last=True)}


def people(root: Path) -> pl.DataFrame:
    """Population on 1 July by code and year (columns code, year, people): the weights of every mean over a block."""
    frame = read(root, "un_wpp2024/wpp2024_population_vital_1950_2023.csv", _vital_columns())
    return frame.filter(pl.col("population").is_not_null()).select(code="iso3", year="year", people="population")


def _vital_columns() -> dict[str, str]:
    return {"iso3": TEXT, "year": WHOLE, "population": COUNT, **dict.fromkeys(_FLOWS.values(), NUMBER)}


def _estimates(root: Path, plan: Plan) -> pl.DataFrame:
    frame = read(root, "un_wpp2024/wpp2024_population_vital_1950_2023.csv", _vital_columns())
    thousands = [(pl.col(c) * 1000).round(0).alias(v) for v, c in _FLOWS.items()]
    frame = frame.filter(pl.col("iso3") != "WLD", pl.col("year") >= plan.first_year).select(
        "year", plan.place("iso3").alias("place"), pl.col("population").cast(pl.Float64).alias("persons"), *thousands
    )
    long = frame.unpivot(index=["place", "year"], variable_name="variable", value_name="value").drop_nulls()
    return _labelled(
        long.group_by("place", "year", "variable").agg(total("value"), cells=pl.len()), plan, "WPP2024", _SUMMED
    ).with_columns(low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64), level=pl.lit(None, pl.Int64))


def _projection(root: Path, plan: Plan) -> pl.DataFrame:
    bounds = {80: ("pop_80l", "pop_80u"), 95: ("pop_95l", "pop_95u")}
    columns = ["popM", "popF", *[c for pair in bounds.values() for c in pair]]
    frame = read(
        root,
        "un_wpp2024/wpp2024_population_projection_2024_2060.csv",
        {"iso3": TEXT, "year": WHOLE, **dict.fromkeys(columns, NUMBER)},
    ).filter(pl.col("iso3") != "WLD")
    levels = [
        frame.select(
            "year",
            place=plan.place("iso3"),
            value=((pl.col("popM") + pl.col("popF")) * 1000).round(0),
            low=(pl.col(low) * 1000).round(0),
            high=(pl.col(high) * 1000).round(0),
            level=pl.lit(level, dtype=pl.Int64),
        )
        for level, (low, high) in bounds.items()
    ]
    added = (
        pl.concat(levels)
        .group_by("place", "year", "level")
        .agg(total("value"), total("low"), total("high"), cells=pl.len())
    )
    labelled = _labelled(added.with_columns(variable=pl.lit("persons")), plan, "WPP2024", _BOUNDS)
    return labelled.with_columns(note=pl.concat_str(pl.lit(_DAY), "note", separator="; ", ignore_nulls=True))


def _working_age(root: Path, plan: Plan) -> pl.DataFrame:
    frame = read(
        root,
        "un_wpp2024/wpp2019_population_broad_age_sex_1950_2020.csv",
        {"iso3": TEXT, "year": WHOLE, "age_group": TEXT, "pop_k": NUMBER},
    ).filter(pl.col("year") >= plan.first_year, pl.col("iso3") != "WLD")
    shares = (
        frame.with_columns(place=plan.place("iso3"))
        .group_by("place", "year")
        .agg(
            value=(pl.col("pop_k").filter(pl.col("age_group").is_in(_WORKING)).sum() / pl.col("pop_k").sum()).round(6),
            cells=pl.col("iso3").n_unique(),
        )
        .with_columns(variable=pl.lit("working_age_share"))
    )
    note = "people aged 15 to 64 over all ages, from broad age groups of the 2019 revision"
    return _labelled(shares, plan, "WPP2019", _SUMMED).with_columns(
        low=pl.lit(None, pl.Float64),
        high=pl.lit(None, pl.Float64),
        level=pl.lit(None, pl.Int64),
        unit=pl.lit("share"),
        status=pl.lit("computed"),
        note=pl.lit(note),
    )


def _labelled(frame: pl.DataFrame, plan: Plan, source: str, words: str) -> pl.DataFrame:
    """Unit, source, status and, for a block, how its number came about."""
    country = pl.col("place").is_in(plan.countries)
    return frame.filter(pl.col("place").is_not_null()).with_columns(
        unit=pl.lit("persons"),
        source_id=pl.lit(source),
        status=pl.when(country).then(pl.lit("published")).otherwise(pl.lit("computed")),
        note=pl.when(country).then(None).otherwise(pl.format(words, "cells")),
    )
