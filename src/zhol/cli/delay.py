"""``zhol delay``: what waiting with a package costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhol.cli import output
from zhol.cli.compare import (
    ActorOption,
    EndOption,
    LevelOption,
    ParametersOption,
    RegionOption,
    SeedOption,
    SinceOption,
    StartOption,
    plan_of,
    say,
    spread,
)

if TYPE_CHECKING:
    import polars as pl


def command(
    scenario: Annotated[
        str, typer.Argument(help="A YAML file, or a name of `zhol instruments list --packages` and --history.")
    ],
    years: Annotated[int, typer.Option("--years", "-y", help="Longest delay, in years.", min=0)] = 10,
    every: Annotated[int, typer.Option("--every", help="Years from one delay to the next.", min=1)] = 1,
    region: RegionOption = "central_asia",
    actor: ActorOption = None,
    since: SinceOption = None,
    start: StartOption = "2020",
    end: EndOption = "2039",
    draws: Annotated[int, typer.Option("--draws", "-n", help="Draws of everything uncertain.", min=2)] = 100,
    seed: SeedOption = 1,
    outcomes: Annotated[
        str | None, typer.Option("--outcomes", "-o", help="Some outcomes only, with commas; control needs protection.")
    ] = None,
    level: LevelOption = 0.8,
    parameters: ParametersOption = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the cost in the first outcome: a file in .svg or .png.")
    ] = None,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """The same package begun later: what it still does in the window, and what waiting has cost.

    Python: zhol.policy.delay
    """
    from zhol.cli.simulate import fit_of
    from zhol.cli.waiting import waiting
    from zhol.policy.delays import delay
    from zhol.region.load import load

    output.check_picture(plot)
    pack = load(region)
    wanted = None if outcomes is None else [o.strip() for o in outcomes.split(",") if o.strip()]
    with waiting("Waiting") as tell:
        found = delay(
            plan_of(scenario, region, actor, since),
            range(0, years + 1, every),
            pack,
            outcomes=wanted,
            draws=draws,
            seed=seed,
            start=start,
            end=end,
            level=level,
            parameters=fit_of(parameters),
            progress=tell,
        )
    if plot is not None:
        output.note(f"drawn in {output.write_picture(found.plot(found.outcomes[0].id), plot)}")
    machine = json or csv
    title = f"{found.name} ({found.verdict}) begun later: cost of waiting beside beginning at once, more is worse"
    output.emit(found.table if machine else _readable(found.table), json=json, csv=csv, title=title)
    if not machine:
        say(found.warnings)


def _readable(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    rows = [
        {
            "outcome": f"{r['title']}{' (contested)' if r['contested'] else ''}",
            "years": r["years"],
            "effect of the package": spread(r, "effect", "effect_low", "effect_high"),
            "cost of waiting": spread(r, "cost", "cost_low", "cost_high"),
            "unit": r["unit"],
            "worse in": f"{r['probability_worse']:.0%}",
        }
        for r in table.to_dicts()
    ]
    return pl.DataFrame(rows)
