"""`zhol region`: make a new region pack, or check one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhol.cli import output

if TYPE_CHECKING:
    import polars as pl

app = typer.Typer(no_args_is_help=True)


@app.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Name of the pack: small letters, digits, underscores.")],
    into: Annotated[Path, typer.Option("--into", help="Folder to make it in.")] = Path(),
) -> None:
    """Write a template pack that loads, with a README that explains every column."""
    from zhol.region.template import new as write

    made = write(name, into)
    print(made)
    output.note(f"Read {made / 'README.md'}, replace the example rows, then run `zhol region check {made}`.")


@app.command("check")
def check(
    path: Annotated[str, typer.Argument(help="Folder of a pack, or the name of one that ships with zhol.")],
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Read every row of a pack; say what it holds, or the first thing wrong with it."""
    import polars as pl

    from zhol.region.load import load

    with output.progress("reading the pack"):
        region = load(path, recalled=True)
    rows = [_counts(name, region.table(name)) for name in region.tables]
    output.emit(pl.DataFrame(rows), json=json, csv=csv, title=f"{region.name}: every row holds")


def _counts(name: str, table: pl.DataFrame) -> dict[str, str | int]:
    recalled = int((table["status"] == "recalled").sum())
    return {"table": name, "rows": table.height, "recalled": recalled, "columns": table.width}
