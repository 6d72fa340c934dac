"""``zhol compare``: scenarios beside each other under the same draws."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhol.cli import output

if TYPE_CHECKING:
    import polars as pl

    from zhol.policy.comparison import Comparison

_NOTES = 8  # remarks that a reader takes in; JSON holds them all

ActorOption = Annotated[
    str | None, typer.Option("--actor", help="Country that acts in ready-made packages, if not Kazakhstan.")
]
SinceOption = Annotated[
    str | None, typer.Option("--from", help="Month from which ready-made packages act, if not 2027-01.")
]
RegionOption = Annotated[str, typer.Option("--region", "-r", help="Name of a shipped pack, or a folder.")]
StartOption = Annotated[str, typer.Option("--start", help="First year of the window.")]
EndOption = Annotated[str, typer.Option("--end", help="Last year of the window.")]
SeedOption = Annotated[int, typer.Option("--seed", help="Seed of every draw, the same for all scenarios.")]
LevelOption = Annotated[float, typer.Option("--level", help="Share of the draws inside low and high.")]
ParametersOption = Annotated[
    str | None,
    typer.Option("--parameters", "-p", help="A fit of `zhol calibrate`, or `prior`; the shipped fit if not given."),
]


def command(
    scenarios: Annotated[
        list[str], typer.Argument(help="YAML files, or names of `zhol instruments list --packages` and --history.")
    ],
    base: Annotated[
        str | None, typer.Option("--base", help="What all are compared with; present policies if not given.")
    ] = None,
    region: RegionOption = "central_asia",
    actor: ActorOption = None,
    since: SinceOption = None,
    start: StartOption = "2020",
    end: EndOption = "2039",
    draws: Annotated[int, typer.Option("--draws", "-n", help="Draws of everything uncertain.", min=2)] = 200,
    seed: SeedOption = 1,
    outcomes: Annotated[
        str | None, typer.Option("--outcomes", "-o", help="Some outcomes only, with commas; control needs protection.")
    ] = None,
    by: Annotated[
        str | None, typer.Option("--by", "-b", help="With commas: corridor, destination, origin, status, year.")
    ] = None,
    substitution: Annotated[
        bool, typer.Option("--substitution", help="Print what moves to other countries, statuses and times instead.")
    ] = False,
    contribution: Annotated[
        bool, typer.Option("--contribution", help="Print what each instrument of one scenario contributes instead.")
    ] = False,
    level: LevelOption = 0.8,
    parameters: ParametersOption = None,
    plot: Annotated[Path | None, typer.Option("--plot", help="Draw every outcome: a file in .svg or .png.")] = None,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Compare scenarios with a base: differences with intervals, rights floors, what moves elsewhere. No single score.

    Python: zhol.policy.compare, zhol.policy.contribution
    """
    from zhol.cli.simulate import fit_of
    from zhol.cli.waiting import waiting
    from zhol.core.errors import ZholError
    from zhol.policy.comparison import compare
    from zhol.region.load import load

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    if sum((substitution, contribution, by is not None)) > 1:
        raise ZholError("choose one of --by, --substitution and --contribution")
    output.check_picture(plot)
    pack = load(region)
    plans = [plan_of(words, region, actor, since) for words in scenarios]
    first = None if base is None else plan_of(base, region, actor, since)
    wanted = None if outcomes is None else [o.strip() for o in outcomes.split(",") if o.strip()]
    settings: dict[str, Any] = {"draws": draws, "seed": seed, "start": start, "end": end, "outcomes": wanted}
    settings |= {"level": level, "parameters": fit_of(parameters)}
    if contribution:
        _contribution(plans, first, pack, settings, json, csv)
        return
    with waiting("Comparing") as tell:
        total = (len(plans) + 1) * 1000
        found = compare(
            [first, *plans],
            pack,
            **settings,
            progress=lambda name, done, of: tell(1000 * _place(name, plans) + 1000 * done // of, total),
        )
    if plot is not None:
        output.note(f"drawn in {output.write_picture(found.plot(), plot)}")
    if by is not None:
        table = found.by([d.strip() for d in by.split(",") if d.strip()])
        output.emit(table, json=json, csv=csv, title=f"Differences from {found.names[0]} by {by}")
    elif substitution:
        output.emit(found.substitution().table, json=json, csv=csv, title="What moves instead")
    elif json:
        import json as json_module

        print(json_module.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    elif csv:
        print(found.table.write_csv(), end="")
    else:
        _show(found)
    if not (json or csv):
        say(found.warnings)


def plan_of(words: str, region: str, actor: str | None, since: str | None) -> Any:
    """A scenario by its file or name; packages with the actor and month that were asked for."""
    from zhol.cli.simulate import scenario_of
    from zhol.policy.ready_made import package, packages

    if words in packages()["package"].to_list():
        return package(words, actor, since, region=region)
    return scenario_of(words, region)


def say(warnings: tuple[str, ...]) -> None:
    """The first remarks under a result, on standard error."""
    for text in warnings[:_NOTES]:
        output.note(text)
    if len(warnings) > _NOTES:
        output.note(f"{len(warnings) - _NOTES} more remarks on drivers; --json prints them all")


def spread(row: dict[str, Any], middle: str, low: str, high: str) -> str:
    """A number with its interval in words."""
    from zhol.policy.outcomes import worded

    ends = [worded(row[name], row["unit"]) for name in (middle, low, high)]
    return f"{ends[0]} ({ends[1]} to {ends[2]})" if ends[0] else ""


def _place(name: str, plans: list[Any]) -> int:
    names = [str(getattr(p, "name", "")) for p in plans]
    return names.index(name) + 1 if name in names else 0


def _show(found: Comparison) -> None:
    """Standing of all scenarios, then one table for each."""
    output.emit(found.standing, title="Rights floors and dominance: no scenario gets a single number")
    import polars as pl

    for name in found.names[1:]:
        own = found.table.filter(pl.col("scenario") == name)
        title = f"{name} ({own['verdict'][0]}) beside {found.names[0]}, {found.level:.0%} intervals"
        output.emit(_readable(own), title=title)


def _readable(table: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    rows = [
        {
            "family": r["family"],
            "outcome": r["title"],
            "base": spread(r, "base", "base_low", "base_high"),
            "difference": spread(r, "difference", "low", "high"),
            "unit": r["unit"],
            "better": f"{r['better']}{', contested' if r['contested'] else ''}",
            "better in": f"{r['probability_better']:.0%}",
            "worse in": f"{r['probability_worse']:.0%}",
        }
        for r in table.to_dicts()
    ]
    return pl.DataFrame(rows)


def _contribution(plans: list[Any], first: Any, pack: Any, settings: dict[str, Any], json: bool, csv: bool) -> None:
    from zhol.cli.waiting import waiting
    from zhol.core.errors import ZholError
    from zhol.policy.contributions import contribution

    if len(plans) != 1:
        raise ZholError("contributions are of one scenario", found=len(plans), expected="1")
    with waiting("Running combinations of instruments") as tell:
        found = contribution(plans[0], pack, base=first, **settings, progress=tell)
    title = f"What each instrument of {plans[0].name} contributes (means add up)"
    output.emit(found.table, json=json, csv=csv, title=title)
    if not (json or csv):
        say(found.warnings)
