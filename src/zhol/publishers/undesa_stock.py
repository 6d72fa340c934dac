"""UN DESA International Migrant Stock: every revision there is, side by side and never subtracted."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers.blocks import add_up
from zhol.publishers.plan import Plan
from zhol.publishers.source_files import COUNT, TEXT, WHOLE, editions, read

_COLUMNS = {"year": WHOLE, "orig": TEXT, "dest": TEXT, "total": COUNT, "male": COUNT, "female": COUNT, "basis": TEXT}
_KEY = ["year", "origin", "destination"]


def tables(root: Path, plan: Plan) -> dict[str, pl.DataFrame]:
    """Table ``stocks``: persons by year, origin, destination and revision.

    ``same_in_both`` says whether the other revision (with more than two: every other) has exactly the same number of
    persons; it is empty where no other revision has such a cell.
    """
    files = editions(root, "undesa_ims/ims_bilateral_rev*.csv")
    rivals = pl.concat([_revision(root, plan, int(revision), name) for revision, name in files.items()])
    same = pl.when(pl.len().over(_KEY) > 1).then(pl.col("persons").n_unique().over(_KEY) == 1)
    stocks = rivals.with_columns(same_in_both=same, source_id=pl.format("UNDESA{}", "revision")).sort(*_KEY, "revision")
    columns = [*_KEY, "revision", "persons", "men", "women", "basis", "cells", "same_in_both", "source_id", "status"]
    return {"stocks": stocks.select(columns)}


def _revision(root: Path, plan: Plan, revision: int, name: str) -> pl.DataFrame:
    cells = read(root, name, _COLUMNS).select(
        "year",
        "basis",
        origin=plan.place("orig", unknown=["OOO"]),
        destination=plan.place("dest"),
        persons="total",
        men="male",
        women="female",
    )
    basis = cells.group_by(_KEY).agg(pl.col("basis").unique().sort().str.join(";"))
    added = add_up(cells, plan, ["year"], ["origin", "destination"], ["persons", "men", "women"])
    return added.join(basis, on=_KEY, how="left").with_columns(revision=pl.lit(revision, dtype=pl.Int64))
