"""``zhol frontier``: mixes of instruments that no lawful other beats, within a budget."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhol.cli import output
from zhol.cli.compare import (
    ActorOption,
    LevelOption,
    ParametersOption,
    RegionOption,
    SeedOption,
    SinceOption,
    say,
)

if TYPE_CHECKING:
    import polars as pl

    from zhol.policy.tradeoff_frontier import Frontier

ClusterOption = Annotated[
    str | None,
    typer.Option("--cluster", help="Dask scheduler that makes the runs, tcp://host:port; else this machine."),
]
WindowStart = Annotated[
    str | None, typer.Option("--start", help="First year of the window; the year before anybody acts if not given.")
]
WindowEnd = Annotated[
    str | None, typer.Option("--end", help="Last year of the window; ten years after the first start if not given.")
]


def command(
    options: Annotated[
        list[str],
        typer.Argument(help="What may be used, each at most as strongly as there: YAML files, packages, instruments."),
    ],
    budget: Annotated[
        float | None,
        typer.Option("--budget", help="Of strength (1: one instrument in full from first to last), or of --cost."),
    ] = None,
    cost: Annotated[
        list[str] | None, typer.Option("--cost", help="Cost of an option in full, NAME=NUMBER; once for each of them.")
    ] = None,
    objectives: Annotated[
        str | None,
        typer.Option("--objectives", "-o", help="Two outcomes or more, with commas; control needs protection."),
    ] = None,
    delays: Annotated[
        str, typer.Option("--delays", help="Years after its own start at which an option may begin, with commas.")
    ] = "0,3,6",
    step: Annotated[float, typer.Option("--step", help="Between strengths that are tried.")] = 0.05,
    runs: Annotated[int, typer.Option("--runs", help="Most runs of the search.", min=1)] = 50_000,
    draws: Annotated[
        int, typer.Option("--draws", "-n", help="Draws of everything uncertain for each mix.", min=2)
    ] = 32,
    quantile: Annotated[
        float, typer.Option("--quantile", help="Share of draws in which an objective must hold; 0.5 is the median.")
    ] = 0.8,
    points: Annotated[int, typer.Option("--points", help="Most points of the frontier that are shown.", min=2)] = 40,
    region: RegionOption = "central_asia",
    actor: ActorOption = None,
    since: SinceOption = None,
    start: WindowStart = None,
    end: WindowEnd = None,
    seed: SeedOption = 1,
    level: LevelOption = 0.8,
    parameters: ParametersOption = None,
    cluster: ClusterOption = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the mixes across the objectives: a file in .svg or .png.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", help="Folder for the knees as scenarios in YAML, to be compared.")
    ] = None,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Mixes of instruments, strengths and starts that no lawful other beats: every trade-off, no single score.

    Python: zhol.policy.frontier
    """
    from zhol.cli.simulate import fit_of
    from zhol.cli.waiting import waiting
    from zhol.core.errors import ZholError
    from zhol.policy.tradeoff_frontier import OBJECTIVES, frontier
    from zhol.region.load import load

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    output.check_picture(plot)
    with waiting("Searching mixes") as tell:
        found = frontier(
            [_option(words, region) for words in options],
            load(region),
            budget=budget,
            objectives=listed(objectives) or OBJECTIVES,
            delays=[_whole(d) for d in listed(delays)],
            costs=_costs(cost or []) or None,
            step=step,
            actor=actor,
            since=since,
            runs=runs,
            draws=draws,
            quantile=quantile,
            points=points,
            start=start,
            end=end,
            seed=seed,
            level=level,
            parameters=fit_of(parameters),
            cluster=cluster,
            progress=tell,
        )
    if plot is not None:
        output.note(f"drawn in {output.write_picture(found.plot(), plot)}")
    if save is not None:
        _save(found, save)
    if json:
        import json as json_module

        print(json_module.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    elif csv:
        print(found.table.write_csv(), end="")
    else:
        print(found.summary().split("\nWarning: ")[0])
        output.emit(_readable(found), title="Mixes that no lawful other beats, beside present policies")
        if found.unlawful.height:
            output.note(f"{found.unlawful.height} mixes that break a rights floor are left out; --json has them")
        say(found.warnings)


def listed(words: str | None) -> list[str]:
    """What stands between commas."""
    return [w.strip() for w in (words or "").split(",") if w.strip()]


def _option(words: str, region: str) -> Any:
    """A scenario from its file; names of packages and instruments stay names."""
    from zhol.policy.scenario import Scenario

    return Scenario.load(words) if words.endswith((".yaml", ".yml")) else words


def _whole(words: str) -> int:
    from zhol.core.errors import ZholError

    if not words.isdigit():
        raise ZholError("a delay is a whole number of years", found=words, expected="such as 0,3,6")
    return int(words)


def _costs(pairs: list[str]) -> dict[str, float]:
    from zhol.core.errors import ZholError

    out: dict[str, float] = {}
    for pair in pairs:
        name, _, number = pair.partition("=")
        try:
            out[name.strip()] = float(number)
        except ValueError as error:
            raise ZholError("not a cost", found=pair, expected="such as patents=2.5") from error
    return out


def _save(found: Frontier, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for point in found.knees["point"].to_list():
        found.scenario(point).to_yaml(folder / f"point_{point}.yaml")
    output.note(f"{found.knees.height} knees kept in {folder}")


def _readable(found: Frontier) -> pl.DataFrame:
    """What is done and what it brings, a row a point."""
    import polars as pl

    from zhol.policy.outcomes import worded

    rows = []
    for row in found.table.to_dicts():
        done = [f"{o.name} {row[o.name]:.0%} from {row[f'{o.name}_from']}" for o in found.space.options if row[o.name]]
        cells = {
            f"{one.id} ({unit})": "{} ({} to {})".format(
                *(worded(row[f"{one.id}{end}"], unit, signed=True) for end in ("", "_low", "_high"))
            )
            for one, unit in zip(found.objectives, found.units, strict=True)
        }
        rows.append({"point": f"{row['point']}{', knee' if row['knee'] else ''}", "done": "; ".join(done) or "nothing",
                     "budget": row["budget"], **cells})  # fmt: skip
    return pl.DataFrame(rows)
