"""``zhol target``: what it would take to reach a value of an outcome."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from zhol.cli import output
from zhol.cli.compare import (
    ActorOption,
    LevelOption,
    ParametersOption,
    RegionOption,
    SeedOption,
    SinceOption,
    StartOption,
    plan_of,
    say,
)


def command(
    scenario: Annotated[
        str, typer.Argument(help="The instruments that may be used, each at most as strongly as here: file or package.")
    ],
    outcome: Annotated[str, typer.Option("--outcome", "-o", help="An outcome, such as irregular_stock.")],
    value: Annotated[float, typer.Option("--value", "-v", help="Value to reach, in the unit of the outcome.")],
    year: Annotated[int, typer.Option("--year", "-y", help="Year in which it must be reached.")],
    probability: Annotated[
        float, typer.Option("--probability", help="Share of the draws in which it must be reached.")
    ] = 0.8,
    relative: Annotated[
        bool, typer.Option("--relative", help="The value is a share of present policies: 0.7 is 30 % less.")
    ] = False,
    only: Annotated[str | None, typer.Option("--only", help="Some of its instruments only, with commas.")] = None,
    region: RegionOption = "central_asia",
    actor: ActorOption = None,
    since: SinceOption = None,
    start: StartOption = "2020",
    draws: Annotated[int, typer.Option("--draws", "-n", help="Draws of everything uncertain.", min=2)] = 48,
    seed: SeedOption = 1,
    level: LevelOption = 0.8,
    parameters: ParametersOption = None,
    save: Annotated[Path | None, typer.Option("--save", help="Write the package found as a YAML file.")] = None,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """The least lawful package that reaches a target with a stated probability, or why none in range does.

    Python: zhol.policy.target
    """
    from zhol.cli.simulate import fit_of
    from zhol.cli.waiting import telling
    from zhol.core.errors import ZholError
    from zhol.policy.targets import target
    from zhol.region.load import load

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    pack = load(region)
    plan = plan_of(scenario, region, actor, since)
    if only is not None:
        plan = plan.only(*(n.strip() for n in only.split(",") if n.strip()))
    with telling("Searching") as tell:
        found = target(
            outcome,
            value,
            year,
            plan,
            pack,
            probability=probability,
            relative=relative,
            draws=draws,
            seed=seed,
            start=start,
            level=level,
            parameters=fit_of(parameters),
            progress=tell,
        )
    if save is not None and found.package is not None:
        found.package.to_yaml(save)
        output.note(f"package kept in {save}")
    if json:
        import json as json_module

        print(json_module.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    elif csv:
        print(found.tried.write_csv(), end="")
    else:
        print(found.summary())
        say(found.warnings)
