"""Sums over the members of a block: how many cells, and published or computed."""

from __future__ import annotations

import polars as pl

from zhol.publishers.plan import Plan


def total(column: str) -> pl.Expr:
    """Sum that stays missing when every cell is missing (a plain sum would say zero).

    Examples
    --------
    >>> pl.DataFrame({"a": [1, 1, 2], "n": [3, None, None]}).group_by("a").agg(total("n")).sort("a")["n"].to_list()
    [3, None]
    """
    return pl.when(pl.col(column).count() > 0).then(pl.col(column).sum()).otherwise(None).alias(column)


def add_up(cells: pl.DataFrame, plan: Plan, keys: list[str], ends: list[str], values: list[str]) -> pl.DataFrame:
    """Add the cells of member pairs up to the pack's places.

    Parameters
    ----------
    cells : polars.DataFrame
        One row a cell, its ``ends`` already places; ``parts`` (optional) tells how many published numbers it adds.
    plan : Plan
        The region.
    keys : list of str
        Key columns beside the ends.
    ends : list of str
        Columns that hold places. With two of them, what stays within one place is dropped.
    values : list of str
        Columns to add.

    Returns
    -------
    polars.DataFrame
        Keys, ends, values, ``cells`` and ``status``: ``published`` where one published number of countries
        stands there unchanged, otherwise ``computed``.
    """
    if "parts" not in cells.columns:
        cells = cells.with_columns(parts=1)
    rows = cells.filter(pl.all_horizontal(pl.col(e).is_not_null() for e in ends))
    if len(ends) == 2:
        rows = rows.filter(pl.col(ends[0]) != pl.col(ends[1]))
    added = rows.group_by(keys + ends).agg(*[total(v) for v in values], cells=pl.len(), parts=pl.col("parts").sum())
    untouched = (pl.col("parts") == 1) & plan.single(*ends)
    return (
        added.with_columns(status=pl.when(untouched).then(pl.lit("published")).otherwise(pl.lit("computed")))
        .drop("parts")
        .sort(keys + ends)
    )
