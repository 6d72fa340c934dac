"""zhol map: corridors and roles of a region as SVG or PNG."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zhol.cli.output import CsvOption, JsonOption


def command(
    out: Annotated[Path, typer.Argument(help="File to write, ending in .svg or .png.")] = Path("corridors.svg"),
    place: Annotated[str | None, typer.Option("--place", "-p", help="Only the corridors of this place.")] = None,
    year: Annotated[int | None, typer.Option("--year", "-y", help="Year of the stocks; the last shared one.")] = None,
    everywhere: Annotated[bool, typer.Option("--everywhere", help="Also corridors outside the pack's focus.")] = False,
    top: Annotated[int, typer.Option("--top", help="How many corridors, the largest.", min=1, max=400)] = 40,
    region: Annotated[str, typer.Option("--region", "-r", help="A shipped pack, or a folder.")] = "central_asia",
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Draw the corridors and roles of a region; with --json or --csv print the figures instead of drawing."""
    from zhol.brief.corridor_map import largest_corridors, write_map
    from zhol.cli import output
    from zhol.region.load import load

    pack = load(region)
    flows, when = largest_corridors(pack, year=year, place=place, everywhere=everywhere, top=top)
    if json or csv:
        output.emit(flows, json=json, csv=csv)
        return
    with output.progress("drawing"):
        written = write_map(pack, flows, out, year=when, focus=place)
    typer.echo(str(written))
