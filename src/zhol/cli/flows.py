"""``zhol estimate flows``: from where to where, out of two stocks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhol.cli.output import CsvOption, JsonOption, emit, note, progress

if TYPE_CHECKING:
    import polars as pl


def command(
    region: Annotated[str, typer.Option(help="Name of a shipped pack, or a folder.")] = "central_asia",
    period: Annotated[str, typer.Option(help="Years of the two stocks, such as 2015-2020.")] = "2015-2020",
    world: Annotated[
        Path | None,
        typer.Option(help="All countries, from publishers' files in this folder, instead of a pack.", metavar="DIR"),
    ] = None,
    revision: Annotated[str, typer.Option(help="Revision of the stocks: 2020 or 2024.")] = "2020",
    method: Annotated[str, typer.Option(help="demographic, pseudo_bayes, difference or rates.")] = "demographic",
    opened: Annotated[bool, typer.Option("--open", help="Let people leave to and come from outside.")] = False,
    missing: Annotated[
        str | None,
        typer.Option(help="Pairs without a figure: carried, expected or zero. A pack: carried; the world: zero."),
    ] = None,
    sex: Annotated[str, typer.Option(help="total, men or women (with --world).")] = "total",
    origin: Annotated[str | None, typer.Option(help="Show this origin only.")] = None,
    destination: Annotated[str | None, typer.Option(help="Show this destination only.")] = None,
    methods: Annotated[bool, typer.Option("--methods", help="Six methods side by side, without intervals.")] = False,
    draws: Annotated[int, typer.Option(help="Draws of the stocks for the intervals; 0 gives none.")] = 100,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 1,
    cluster: Annotated[str | None, typer.Option(help="Dask scheduler that makes the draws, tcp://host:port.")] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Flows between places from two migrant stocks, births and deaths, with intervals from the errors of the stocks.

    Python: zhol.estimate.region_flows, zhol.estimate.world_flows, zhol.estimate.flows
    """
    import polars as pl

    import zhol
    from zhol.core.errors import ZholError

    start, end = _years(period)
    choices: dict[str, Any] = {"method": method, "closed": not opened, "draws": draws, "seed": seed, "cluster": cluster}
    with progress("Estimating flows"):
        if world is not None:
            if end - start != 5:
                raise ZholError("periods of the world are five years long", found=period, expected="such as 2015-2020")
            if methods:
                raise ZholError(
                    "six methods side by side are for a region", hint="zhol.estimate.flow_methods in Python"
                )
            several = zhol.estimate.world_flows(
                world, [start], sexes=[sex], revision=revision, missing=missing or "zero", **choices
            )
            found = several.results[(start, sex)]
        elif methods:
            table = zhol.estimate.region_methods(zhol.load(region), start, end, revision=revision)
            emit(_only(table, origin, destination), json=json, csv=csv, title=f"Flows by method, {period}, persons")
            return
        else:
            choices["missing"] = missing or "carried"
            found = zhol.estimate.region_flows(zhol.load(region), start, end, revision=revision, **choices)
    rows = _only(found.table, origin, destination)
    if not (json or csv):
        rows = rows.with_columns(pl.col("persons", "low", "high").round().cast(pl.Int64))
    emit(rows, json=json, csv=csv, title=f"{found.title}, {period}, persons", limit=40)
    if not (json or csv):
        note(found.summary())


def _only(table: pl.DataFrame, origin: str | None, destination: str | None) -> pl.DataFrame:
    """The rows asked for, largest first; an unknown place is a mistake, not an empty answer."""
    import polars as pl

    from zhol.core.errors import ZholError

    for column, place in (("origin", origin), ("destination", destination)):
        if place is None:
            continue
        if place not in table[column].to_list():
            raise ZholError("unknown place", found=place, expected=", ".join(table[column].unique().sort().head(8)))
        table = table.filter(pl.col(column) == place)
    if "method" in table.columns:
        return table.sort("origin", "destination", "persons")
    return table.sort("persons", descending=True)


def _years(period: str) -> tuple[int, int]:
    from zhol.core.errors import ZholError

    first, _, last = period.partition("-")
    if not (first.isdigit() and last.isdigit() and int(first) < int(last)):
        raise ZholError("period is not two years", found=period, expected="such as 2015-2020")
    return int(first), int(last)


flows = command
