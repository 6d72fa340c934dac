"""``zhol roles``: how much each place is origin, transit and destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zhol.cli.output import CsvOption, JsonOption, emit, note, progress

if TYPE_CHECKING:
    import polars as pl

WORDS = {"all": "flows and stocks", "flows": "flows", "stocks": "stocks"}


def command(
    region: Annotated[str, typer.Option(help="Name of a shipped pack, or a folder.")] = "central_asia",
    year: Annotated[int, typer.Option(help="Each source is read at its last year not after this one.")] = 2020,
    basis: Annotated[str, typer.Option(help="all, or only what is read from flows, or from stocks.")] = "all",
    threshold: Annotated[float, typer.Option(help="Share from which a place is said to have a role.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Seed of the draws of the roads and of the flows.")] = 1,
    detail: Annotated[bool, typer.Option("--detail", help="Print the persons behind each share instead.")] = False,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Roles of every place: shares and probabilities over rival sources, flows by method, and roads.

    Python: zhol.estimate.roles
    """
    import zhol

    with progress("Reading the roles"):
        found = zhol.estimate.roles(zhol.load(region), year, basis=basis, threshold=threshold, seed=seed)
    emit(
        found.detail if detail else _shown(found.table, json or csv),
        json=json,
        csv=csv,
        title=f"Roles in {year}, probabilities by {WORDS[found.basis]}",
    )
    if not (json or csv):
        note(found.summary())


def _shown(table: pl.DataFrame, whole: bool) -> pl.DataFrame:
    """All columns for a file; the label and the probabilities behind it for a screen."""
    import polars as pl

    if whole:
        return table
    chances = [pl.col(f"{role}_support").round(2).alias(role) for role in ("origin", "transit", "destination")]
    return table.select("place", "name", "role", *chances, "seed_role", "agrees", "persons")
