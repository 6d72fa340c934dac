"""The same two stocks by six published methods: how far they disagree."""

from __future__ import annotations

from typing import Any

import polars as pl

from zhol.estimate.flows_from_stocks import flows

__all__ = ["METHODS", "flow_methods"]

# The six methods that Abel and Cohen (2019, 2022) publish, by the names of their columns.
METHODS: dict[str, dict[str, Any]] = {
    "sd_drop_neg": {"method": "difference", "decrease": "zero"},
    "sd_rev_neg": {"method": "difference", "decrease": "return"},
    "mig_rate": {"method": "rates"},
    "da_min_open": {"closed": False},
    "da_min_closed": {"closed": True},
    "da_pb_closed": {"method": "pseudo_bayes"},
}
WORDS = {
    "sd_drop_neg": "growth of stocks; a fall is no flow",
    "sd_rev_neg": "growth of stocks; a fall is return",
    "mig_rate": "share of the world's migrants",
    "da_min_open": "account with an outside, fewest moves",
    "da_min_closed": "closed account, fewest moves",
    "da_pb_closed": "closed account, some return and transit",
}


def flow_methods(stock_start: Any, stock_end: Any, **choices: Any) -> pl.DataFrame:
    """Flows by each of the six methods that Abel and Cohen publish.

    Parameters
    ----------
    stock_start, stock_end
        As in ``zhol.estimate.flows``.
    **choices
        births, deaths, population, places, missing, as there.

    Returns
    -------
    polars.DataFrame
        method, in_words, origin, destination, persons.

    References
    ----------
    Abel and Cohen (2019), Scientific Data 6, 82; (2022), Scientific Data 9, 173.

    Examples
    --------
    >>> table = flow_methods([[1000, 100], [50, 500]], [[980, 120], [50, 500]])
    >>> table.filter(pl.col("origin") == "1").select("method", pl.col("persons").round(1)).rows()[:3]
    [('sd_drop_neg', 20.0), ('sd_rev_neg', 20.0), ('mig_rate', 26.7)]
    """
    parts = []
    for name, method in METHODS.items():
        table = flows(stock_start, stock_end, **{**choices, **method}).table
        keys = [pl.lit(name).alias("method"), pl.lit(WORDS[name]).alias("in_words")]
        parts.append(table.select(*keys, "origin", "destination", "persons"))
    return pl.concat(parts)
