"""``zhol roles``: how much each place is origin, transit and destination."""

from __future__ import annotations

from typing import Annotated

import typer

from zhol.cli.output import CsvOption, JsonOption, emit, note, progress


def command(
    region: Annotated[str, typer.Option(help="Name of a shipped pack, or a folder.")] = "central_asia",
    year: Annotated[int, typer.Option(help="Each source is read at its last year not after this one.")] = 2020,
    threshold: Annotated[float, typer.Option(help="Share from which a place is said to have a role.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Seed of the draws of the roads.")] = 1,
    detail: Annotated[bool, typer.Option("--detail", help="Print the persons behind each share instead.")] = False,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Roles of every place: shares with the lowest and highest reading over rival sources and roads.

    Python: zhol.estimate.roles
    """
    import zhol

    with progress("Reading the roles"):
        found = zhol.estimate.roles(zhol.load(region), year, threshold=threshold, seed=seed)
    emit(found.detail if detail else found.table, json=json, csv=csv, title=f"Roles in {year}")
    if not (json or csv):
        note(found.summary())
