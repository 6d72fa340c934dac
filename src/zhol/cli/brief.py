"""zhol brief: write the brief of a place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    place: Annotated[str, typer.Argument(help="Code of a country or block of the pack, for example KAZ.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to.")] = Path("out"),
    region: Annotated[str, typer.Option("--region", "-r", help="A shipped pack, or a folder.")] = "central_asia",
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Also print the PDF.")] = True,
    recalled: Annotated[bool, typer.Option("--recalled", help="Use rows known from memory only as well.")] = False,
) -> None:
    """Write the brief of a place: one HTML and one PDF, each number with its source."""
    from zhol.brief.write import write_brief
    from zhol.cli.waiting import telling
    from zhol.region.load import load

    with telling(f"Writing the brief of {place}") as tell:
        files = write_brief(load(region, recalled=recalled), place, out, pdf=pdf, progress=tell)
    for file in files:
        if file is not None:
            typer.echo(str(file))
