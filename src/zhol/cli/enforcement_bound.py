"""``zhol bound``: the most that an enforcement budget can do once people re-route."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from zhol.cli import output

if TYPE_CHECKING:
    import polars as pl

    from zhol.policy.enforcement import EnforcementBound


def command(
    actors: Annotated[
        list[str], typer.Argument(metavar="PLACE…", help="Who enforces, as one: codes of places, or a group; WLD: all.")
    ],
    budget: Annotated[
        float, typer.Option(help="Units of national intensity; 1 is intensity 1 towards one neighbour, one way.")
    ] = 1.0,
    region: Annotated[str, typer.Option(help="Name of a shipped pack, or a folder.")] = "central_asia",
    demand: Annotated[
        Path | None,
        typer.Option(help="Table with origin, destination, persons and perhaps reservation; else the moving system's."),
    ] = None,
    instrument: Annotated[str, typer.Option(help="What intensity 1 is; see `zhol instruments list`.")] = (
        "border_officers"
    ),
    levels: Annotated[int, typer.Option(help="Steps of intensity between 0 and 1; 0: any intensity.")] = 10,
    year: Annotated[int | None, typer.Option(help="Year of travellers and incomes; the last one with stocks.")] = None,
    draws: Annotated[int, typer.Option(help="Draws behind the intervals; 0: the centre alone.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 1,
    time_limit: Annotated[float, typer.Option(help="Seconds for one budget of one draw.")] = 20.0,
    show: Annotated[Literal["table", "curve", "displacement"], typer.Option(help="Which table is printed.")] = "table",
    plot: Annotated[Path | None, typer.Option(help="Write the curve over budgets as an SVG file.")] = None,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Bound on what enforcement keeps from passage, where people go instead, and at what price; no place on the ground.

    Python: zhol.policy.enforcement_bound
    """
    import zhol
    from zhol.core.errors import ZholError
    from zhol.policy.enforcement import enforcement_bound

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    with output.progress("Searching for the best use of the budget"):
        found = enforcement_bound(zhol.load(region), actors, budget, demand, instrument=instrument, year=year,
                                  levels=levels or None, draws=draws, seed=seed, time_limit=time_limit)  # fmt: skip
    if plot is not None:
        _draw(found, plot)
    if json:
        print(json_module.dumps(found.to_dict(), ensure_ascii=False, indent=1))
        return
    output.emit(_shown(getattr(found, show), csv), csv=csv, title=f"Enforcement bound, {show}")
    if not csv:
        output.note(found.summary())


def _draw(found: EnforcementBound, path: Path) -> None:
    from zhol.core.charts import to_svg
    from zhol.core.errors import ZholError

    if not path.parent.is_dir():
        raise ZholError("no such folder", file=path, hint="make it first")
    path.write_text(to_svg(found.plot()), encoding="utf-8")


def _shown(table: pl.DataFrame, whole: bool) -> pl.DataFrame:
    """All columns for a file; for a screen those that fit, never a number without its interval."""
    import polars as pl

    if whole:
        return table
    if "share_of_full" in table.columns:
        table = table.select("budget", pl.selectors.starts_with("bound_share", "rerouted_share"))
    return table.drop("meaning", "name", strict=False).with_columns(pl.selectors.float().round_sig_figs(4))
