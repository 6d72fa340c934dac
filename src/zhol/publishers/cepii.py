"""CEPII GeoDist: distance, border, language and colonial ties of pairs; static, about 2004."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.plan import Plan
from zhol.publishers.source_files import NUMBER, TEXT, WHOLE, read
from zhol.publishers.wpp import people

_TIES = {
    "contiguous": "contig",
    "common_language_official": "comlang_off",
    "common_language_ethnic": "comlang_ethno",
    "colonial_tie": "colony",
    "common_coloniser": "comcol",
}


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``distances``: the publisher's row for two countries, for a block what its members make of it.

    A block's distance is the mean over member pairs weighted by the product of their populations; it has a tie if
    any member has it. The rest of the world has no row: a mean distance to everywhere else says nothing.
    """
    frame = read(
        root,
        "cepii_geodist/dist_cepii.csv",
        {"iso_o": TEXT, "iso_d": TEXT, "dist": NUMBER, **dict.fromkeys(_TIES.values(), WHOLE)},
    ).with_columns(origin=plan.place("iso_o"), destination=plan.place("iso_d"))
    frame = frame.filter(
        pl.col("origin").ne(plan.rest or ""),
        pl.col("destination").ne(plan.rest or ""),
        pl.col("origin") != pl.col("destination"),
    )
    single = plan.single("origin", "destination")
    weight = people(root).filter(pl.col("year") == int(plan.options["distance_weights_year"])).drop("year")
    for end, code in (("people_o", "iso_o"), ("people_d", "iso_d")):
        frame = frame.join(weight.rename({"code": code, "people": end}), on=code, how="left")
    pair = pl.col("people_o") * pl.col("people_d")
    distances = (
        frame.group_by("origin", "destination")
        .agg(
            distance_km=((pl.col("dist") * pair).sum() / pair.sum()).round(2),
            alone=pl.col("dist").first(),
            pairs=pl.len(),
            **{name: pl.col(column).max() for name, column in _TIES.items()},
        )
        .select(
            "origin",
            "destination",
            distance_km=pl.when(single).then("alone").otherwise("distance_km"),
            **{name: pl.col(name).eq(1) for name in _TIES},
            source_id=pl.when(single).then(pl.lit("CEPII")).otherwise(pl.lit("CEPII;WPP2024")),
            status=pl.when(single).then(pl.lit("published")).otherwise(pl.lit("computed")),
            note=pl.when(~single).then(pl.format("population-weighted mean of {} pairs; a tie of any member", "pairs")),
        )
    )
    return {"distances": distances.sort("origin", "destination")}
