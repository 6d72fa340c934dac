"""``zhol roads``: candidate roads between places, what passage costs, and a map of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhol.cli.output import CsvOption, JsonOption, emit, note, progress

if TYPE_CHECKING:
    import polars as pl

    from zhol.region.load import Region
    from zhol.roads import Market, Roads


def command(
    region: Annotated[str, typer.Argument(help="Name of a shipped pack, or a folder.")] = "central_asia",
    origin: Annotated[str | None, typer.Option("--from", help="Only the roads from this place.")] = None,
    destination: Annotated[str | None, typer.Option("--to", help="Only the roads to this place.")] = None,
    k: Annotated[int, typer.Option("--roads", "-k", help="Roads of each corridor, the cheapest.", min=1, max=20)] = 3,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", help="Close the legs of a pair, both ways: TUR-XEU. May be repeated."),
    ] = None,
    persons: Annotated[
        float | None,
        typer.Option("--persons", help="People a year on each corridor chosen: prints the market for passage.", min=0),
    ] = None,
    draws: Annotated[int, typer.Option("--draws", help="Draws of the market.", min=2, max=100_000)] = 500,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draws of the market.")] = 1,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="Draw the roads: a file ending in .svg or .png.")
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Candidate roads between places: chains of countries, never finer; length, price of passage and its basis.

    Python: zhol.roads.lay, zhol.roads.market
    """
    from zhol.region.load import load
    from zhol.roads import lay
    from zhol.roads.picture import select_roads

    pack = load(region)
    with progress("Laying the roads"):
        one = [(origin, destination)] if origin is not None and destination is not None else None
        roads = lay(pack, corridors=one, k=k, without_legs=[_pair(text) for text in without or []])
        chosen = select_roads(roads, origin, destination)
    if map_file is not None:
        typer.echo(str(_draw(pack, roads, map_file, origin, destination)))
        return
    if persons is not None:
        _show_market(_market(roads, chosen, persons, draws, seed), json, csv)
        return
    emit(
        chosen if json else _flat(chosen, csv), json=json, csv=csv, title="Roads, by cost (80 % interval of the price)"
    )
    if not (json or csv):
        note("Prices are a law fitted to few cited prices. A road is a candidate, not an observation.")


def _pair(text: str) -> tuple[str, str]:
    from zhol.core.errors import ZholError

    parts = text.replace(">", "-").split("-")
    if len(parts) != 2:
        raise ZholError("--without", found=text, expected="two places with a hyphen, such as TUR-XEU")
    return parts[0], parts[1]


def _flat(table: pl.DataFrame, whole: bool) -> pl.DataFrame:
    """Legs as text for a CSV file; the columns that a reader needs for a screen."""
    import polars as pl

    if whole:
        return table.with_columns(pl.col("legs").cast(pl.List(pl.String)).list.join(";"))
    shown = pl.col("modes").str.replace_all(">", ", ")
    return table.select("road", "places", shown, "length_km", "price_median", "price_low", "price_high", "basis")


def _market(roads: Roads, chosen: pl.DataFrame, persons: float, draws: int, seed: int) -> Market:
    import polars as pl

    from zhol.roads import market

    pairs = chosen.select("origin", "destination").unique(maintain_order=True)
    return market(roads, pairs.with_columns(persons=pl.lit(float(persons))), draws=draws, seed=seed)


def _show_market(found: Market, json: bool, csv: bool) -> None:
    import json as json_module

    if json and not csv:
        print(json_module.dumps(found.to_dict(), ensure_ascii=False, indent=1))
        return
    short = ["road", "places", *(f"{a}{end}" for a in ("price", "persons", "revenue") for end in ("", "_low", "_high"))]
    emit(found.table if csv else found.table.select(short), json=json, csv=csv, title="Market for passage, a year")
    if not csv:
        print(found.summary())


def _draw(pack: Region, roads: Roads, out: Path, origin: str | None, destination: str | None) -> Path:
    from zhol.core.charts import to_png, to_svg
    from zhol.core.errors import ZholError
    from zhol.core.files import replace_file
    from zhol.roads.picture import map_spec

    if out.suffix.lower() not in {".svg", ".png"}:
        raise ZholError("unknown kind of picture", file=out, found=out.suffix, expected=".svg or .png")
    with progress("Drawing"):
        spec = map_spec(roads, pack, origin=origin, destination=destination)
        content = to_png(spec) if out.suffix.lower() == ".png" else to_svg(spec).encode("utf-8")
    return replace_file(out.parent, out.name, content)
