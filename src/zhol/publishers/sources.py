"""The sources table: rows for the statistics (a shared file) and for the cited figures, joined and sorted."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.core.errors import ZholError

COLUMNS = ["source_id", "title", "publisher", "url", "published", "retrieved", "licence", "attribution", "kind", "note"]
_STATISTICS = Path(__file__).parents[1] / "packs" / "shared" / "statistics_sources.csv"


def statistics() -> pl.DataFrame:
    """Sources of the statistics, whether a pack cites them or not."""
    return pl.read_csv(_STATISTICS, infer_schema=False, null_values=[""]).select(COLUMNS)


def cited(tables: dict[str, pl.DataFrame]) -> set[str]:
    """Every source id that some row names (several are joined by ``;``).

    Examples
    --------
    >>> sorted(cited({"t": pl.DataFrame({"source_id": ["B;A", "A"]})}))
    ['A', 'B']
    """
    named: set[str] = set()
    for frame in tables.values():
        if "source_id" in frame.columns:
            named.update(frame["source_id"].drop_nulls().str.split(";").explode().to_list())
    return named


def sources(tables: dict[str, pl.DataFrame], evidence: pl.DataFrame | None = None) -> pl.DataFrame:
    """Rows of ``sources`` for all that the tables cite, sorted by id.

    Parameters
    ----------
    tables : dict
        All tables of the pack.
    evidence : polars.DataFrame, optional
        Sources of the cited figures, in the same columns.

    Raises
    ------
    ZholError
        If a table cites a source that nobody describes, or two descriptions share an id.
    """
    known = statistics()
    if evidence is not None:
        rows = [
            pl.col(c).cast(pl.String) if c in evidence.columns else pl.lit(None, pl.String).alias(c) for c in COLUMNS
        ]
        known = pl.concat([known, evidence.select(rows)])
    twice = known.filter(pl.col("source_id").is_duplicated())
    if twice.height:
        raise ZholError("source described twice", file="sources.csv", column="source_id", found=twice["source_id"][0])
    named = cited(tables)
    missing = named - set(known["source_id"])
    if missing:
        raise ZholError("cited source is not described", file="sources.csv", column="source_id", found=min(missing))
    return known.filter(pl.col("source_id").is_in(sorted(named))).sort("source_id")
