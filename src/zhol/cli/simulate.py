"""``zhol simulate``: the migration system month by month, under present policies or a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhol.cli import output

if TYPE_CHECKING:
    import polars as pl

    from zhol.system.run import Run

_SCREEN = 60  # rows of a table that a reader takes in


def command(
    region: Annotated[str, typer.Argument(help="Name of a shipped pack, or a folder.")] = "central_asia",
    scenario: Annotated[
        str | None,
        typer.Option(
            "--scenario",
            "-s",
            help="A YAML file, a package of `zhol instruments list --packages`, or a piece of its --history; "
            "present policies if not given.",
        ),
    ] = None,
    start: Annotated[str, typer.Option("--start", help="First month, YYYY-MM.")] = "2000-01",
    end: Annotated[str, typer.Option("--end", help="Last month, YYYY-MM.")] = "2040-12",
    draws: Annotated[
        int, typer.Option("--draws", "-n", help="Draws; 0 is one run at the centre of everything.", min=0)
    ] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Seed of every draw.")] = 1,
    outcome: Annotated[
        str, typer.Option("--outcome", "-o", help="What to print: irregular_stock, stock, entries, irregular_inflow, …")
    ] = "irregular_stock",
    by: Annotated[
        str, typer.Option("--by", "-b", help="Dimensions, with commas: origin, destination, status, channel, road.")
    ] = "destination",
    where: Annotated[
        list[str] | None, typer.Option("--where", "-w", help="Keep only these: destination=KAZ,RUS. May be repeated.")
    ] = None,
    level: Annotated[float, typer.Option("--level", help="Share of the draws inside low and high.")] = 0.8,
    every: Annotated[str, typer.Option("--every", help="year or month.")] = "year",
    population: Annotated[
        str, typer.Option("--population", help="Projection of populations: medium, low or high.")
    ] = "medium",
    income: Annotated[str, typer.Option("--income", help="Path of incomes: trend, flat, low or high.")] = "trend",
    parameters: Annotated[
        str | None,
        typer.Option("--parameters", "-p", help="A fit of `zhol calibrate`, or `prior`; the shipped fit if not given."),
    ] = None,
    save: Annotated[Path | None, typer.Option("--save", help="Keep the whole run, all draws, in this file.")] = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw the outcome: a file in .svg or .png.")] = None,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Run the migration system of a pack and print an outcome with its interval.

    Python: zhol.system.Model(region).simulate(...).table(...)
    """  # fmt: skip
    from zhol.cli.waiting import waiting
    from zhol.core.errors import ZholError
    from zhol.region.load import load
    from zhol.system.model import Model

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    output.check_picture(plot)
    pack = load(region)
    dims, kept = [d.strip() for d in by.split(",") if d.strip()], _kept(where or [])
    model, plan = Model(pack), scenario_of(scenario, pack.name)
    with waiting("Simulating") as tell:
        run = model.simulate(
            plan,
            start=start,
            end=end,
            draws=draws,
            seed=seed,
            every=every,
            parameters=fit_of(parameters),
            drivers={"population": population, "income": income},
            progress=tell,
        )
    table = run.table(outcome, by=dims, where=kept, level=level)
    if save is not None:
        output.note(f"run kept in {run.save(save)}")
    if plot is not None:
        output.note(f"drawn in {output.write_picture(run.plot(outcome, by=dims, where=kept), plot)}")
    machine = json or csv
    title = f"{outcome}, {run.meta['scenario']}; {level:.0%} interval"
    output.emit(table if machine else _chosen_times(table), json=json, csv=csv, title=title)
    if not machine:
        _say(run)


def scenario_of(words: str | None, region: str) -> Any:
    """A scenario from a file, or by the name of a package or of a piece of history.

    Raises
    ------
    ZholError
        If it is neither.
    """
    from zhol.core.errors import ZholError
    from zhol.policy.ready_made import history, package, packages
    from zhol.policy.scenario import Scenario

    if words is None:
        return None
    if Path(words).suffix in {".yaml", ".yml"} or Path(words).is_file():
        return Scenario.load(words)
    if words in packages()["package"].to_list():
        return package(words, region=region)
    try:
        past = history(region)
    except ZholError:
        past = {}
    if words in past:
        return past[words]
    raise ZholError(
        "no such scenario", found=words, hint="a YAML file, or a name of `zhol instruments list --packages`"
    )


def fit_of(words: str | None) -> Any:
    """A fit from its file; ``prior`` and None stay as they are."""
    if words is None or words == "prior":
        return words
    from zhol.system.fit import load_fit

    return load_fit(words)


def _kept(pairs: list[str]) -> dict[str, Any]:
    """``destination=KAZ,RUS`` as labels to keep by dimension."""
    from zhol.core.errors import ZholError

    out: dict[str, Any] = {}
    for pair in pairs:
        dim, sign, labels = pair.partition("=")
        if not sign or not labels:
            raise ZholError("not a choice of labels", found=pair, expected="such as destination=KAZ,RUS")
        names = [name.strip() for name in labels.split(",")]
        out[dim.strip()] = [int(n) if dim == "road" and n.isdigit() else n for n in names]
    return out


def _chosen_times(table: pl.DataFrame) -> pl.DataFrame:
    """For a screen: every period if they are few, else the first, the last and each tenth year."""
    import polars as pl

    if table.height <= _SCREEN:
        return table
    times = table["time"].unique().sort().to_list()
    shown = [t for t in times if t[:4].endswith("0") and t[5:] in ("", "12")]
    output.note(f"{len(times)} periods from {times[0]} to {times[-1]}; --json or --csv prints them all")
    return table.filter(pl.col("time").is_in([times[0], *shown, times[-1]]))


def _say(run: Run) -> None:
    """What a reader must know of the numbers."""
    output.note(f"Parameters: {run.meta['parameters']}; {run.n_draws} draws, seed {run.meta['seed']}.")
    if str(run.meta["parameters"]).startswith("prior"):
        output.note("These numbers are prior judgement only: no fit to this pack's figures was used.")
    for text in run.meta["notes"]:
        output.note(f"Note: {text}")
