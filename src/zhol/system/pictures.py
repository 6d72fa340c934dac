"""Pictures of a run: fans over time, one a member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.core.errors import ZholError

if TYPE_CHECKING:
    from zhol.system.run import Run

_MOST_PANELS = 12
_LEVELS = (50, 80)


def fan_rows(run: Run, name: str, where: Mapping[str, Any] | None, since: str | None = None) -> pl.DataFrame:
    """Rows of a fan chart: year, value, low, high, level, for 50 and 80 %.

    Examples
    --------
    >>> import zhol
    >>> run = zhol.system.Model(zhol.load("central_asia")).simulate(end="2001-12", draws=2)
    >>> fan_rows(run, "irregular_stock", {"destination": "KAZ"})["level"].to_list()
    [50, 50, 80, 80]
    """
    tables = []
    for level in _LEVELS:
        table = run.table(name, where=where, level=level / 100)
        # Months keep their place within the year.
        year = pl.col("time").str.slice(0, 4).str.to_integer() + (
            (pl.col("time").str.slice(5, 2).str.to_integer(strict=False).fill_null(1) - 1) / 12
        )
        whole = all(len(t) == 4 for t in run.time)
        table = table.with_columns((year.cast(pl.Int64) if whole else year).alias("year"))
        tables.append(
            table.select("year", pl.col("median").alias("value"), "low", "high", pl.lit(level).alias("level"))
        )
    rows = pl.concat(tables)
    return rows.filter(pl.col("year") >= int(since[:4])) if since else rows


def fan_of(run: Run, name: str, by: Sequence[str], where: Mapping[str, Any] | None, title: str) -> Any:
    """Fan chart of an outcome; a column of them where ``by`` names a dimension.

    Raises
    ------
    ZholError
        More than twelve panels would be drawn.
    """
    from zhol.core.charts import fan, fan_spec, to_altair

    unit = run.unit(name)
    words = title or name.replace("_", " ").capitalize()
    if not by:
        return fan(fan_rows(run, name, where), unit=unit, title=words)
    _, labels = run.draws(name, by, where)
    members: list[dict[str, Any]] = [{}]
    for dim, values in labels.items():
        members = [{**m, dim: v} for m in members for v in values]
    if len(members) > _MOST_PANELS:
        raise ZholError(
            "too many panels for one picture",
            found=len(members),
            expected=f"at most {_MOST_PANELS}",
            hint="choose some with where",
        )
    if len(members) == 1:
        return fan(fan_rows(run, name, {**(where or {}), **members[0]}), unit=unit, title=words)
    panels: list[dict[str, Any]] = [
        fan_spec(
            fan_rows(run, name, {**(where or {}), **member}),
            unit=unit,
            title=f"{words}: {', '.join(map(str, member.values()))}",
            height=150,
        )
        for member in members
    ]
    config = panels[0]["config"]
    return to_altair({"config": config, "vconcat": [{k: v for k, v in p.items() if k != "config"} for p in panels]})
