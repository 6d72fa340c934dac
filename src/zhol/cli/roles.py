"""``zhol roles``: how much each place is origin, transit and destination."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zhol.cli.output import CsvOption, JsonOption, emit, note, progress

if TYPE_CHECKING:
    import polars as pl

WORDS = {"all": "flows and stocks", "flows": "flows", "stocks": "stocks"}
DRAWS = 64  # of the moving system


def command(
    region: Annotated[str, typer.Option(help="Name of a shipped pack, or a folder.")] = "central_asia",
    year: Annotated[int, typer.Option(help="Each source is read at its last year not after this one.")] = 2020,
    basis: Annotated[str, typer.Option(help="all; only flows; only stocks; or model: the moving system.")] = "all",
    threshold: Annotated[float, typer.Option(help="Share from which a place is said to have a role.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Seed of the draws of the roads and of the flows.")] = 1,
    detail: Annotated[bool, typer.Option("--detail", help="Print the persons behind each share instead.")] = False,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Roles of every place: shares and probabilities over rival sources, flows by method, and roads.

    Python: zhol.estimate.roles, zhol.system.roles
    """
    import zhol

    if basis == "model":
        _by_the_system(region, year, threshold, seed, json, csv)
        return
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


def _by_the_system(region: str, year: int, threshold: float, seed: int, json: bool, csv: bool) -> None:
    """Roles in the moving system, beside what the paper said."""
    import polars as pl

    import zhol
    from zhol.cli.waiting import waiting

    pack = zhol.load(region)
    with waiting("Simulating") as tell:
        run = zhol.system.Model(pack).simulate(end=f"{year}-12", draws=DRAWS, seed=seed, progress=tell)
    said = pack.places.select("place", "name", pl.col("seed_role").fill_null("none"))
    table = zhol.system.roles(run, year, threshold=threshold).join(said, on="place", how="left")
    if not (json or csv):
        chances = [pl.col(f"{role}_support").round(2).alias(role) for role in ("origin", "transit", "destination")]
        table = table.select("place", "name", "role", *chances, "seed_role", "left", "passed", "came")
    emit(table, json=json, csv=csv, title=f"Roles in {year}, probabilities by the moving system")
    if not (json or csv):
        note(f"Parameters: {run.meta['parameters']}. Transit counts attempts at clandestine passage alone.")


def _shown(table: pl.DataFrame, whole: bool) -> pl.DataFrame:
    """All columns for a file; the label and the probabilities behind it for a screen."""
    import polars as pl

    if whole:
        return table
    chances = [pl.col(f"{role}_support").round(2).alias(role) for role in ("origin", "transit", "destination")]
    return table.select("place", "name", "role", *chances, "seed_role", "agrees", "persons")
