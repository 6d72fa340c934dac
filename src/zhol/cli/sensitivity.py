"""``zhol sensitivity``: which uncertain input decides an outcome, and what knowing it would be worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from zhol.cli import output
from zhol.cli.compare import (
    ActorOption,
    ParametersOption,
    RegionOption,
    SeedOption,
    SinceOption,
    plan_of,
    say,
)
from zhol.cli.frontier import ClusterOption, WindowEnd, WindowStart, listed

if TYPE_CHECKING:
    import polars as pl

    from zhol.policy.global_sensitivity import Sensitivity
    from zhol.policy.information_value import InformationValue

_WORTH = 1000  # draws behind a value of information, unless told


def command(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(help="None: present policies. One: a YAML file or package. With --worth: those to choose from."),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", help="Ask about the difference to this one; `present` is present policies.")
    ] = None,
    worth: Annotated[
        bool, typer.Option("--worth", help="What knowing each input would be worth to a choice between the scenarios.")
    ] = False,
    outcomes: Annotated[
        str | None, typer.Option("--outcomes", "-o", help="Outcomes, with commas; one with --worth (exposure if none).")
    ] = None,
    method: Annotated[
        Literal["sobol", "morris"], typer.Option("--method", help="Shares of variance, or effects one at a time.")
    ] = "sobol",
    runs: Annotated[
        int | None, typer.Option("--runs", help="Most runs: 20,000 if not given, with --worth 1,000 for each scenario.")
    ] = None,
    keep: Annotated[
        int, typer.Option("--keep", help="Inputs that stand alone at least, by a screening; 0 is all of them.", min=0)
    ] = 12,
    group: Annotated[
        list[str] | None, typer.Option("--group", help="Inputs that vary as one, NAME=INPUT,INPUT; may be repeated.")
    ] = None,
    scale: Annotated[
        Literal["rank", "log", "natural"], typer.Option("--scale", help="Of the outcome; ranks resist extreme draws.")
    ] = "rank",
    rule: Annotated[
        Literal["expected", "probability"],
        typer.Option("--rule", help="With --worth: choose by what is expected, or by how likely it is to be better."),
    ] = "expected",
    region: RegionOption = "central_asia",
    actor: ActorOption = None,
    since: SinceOption = None,
    start: WindowStart = None,
    end: WindowEnd = None,
    seed: SeedOption = 1,
    level: Annotated[
        float, typer.Option("--level", help="Coverage of the intervals, which are about the runs.")
    ] = 0.95,
    parameters: ParametersOption = None,
    cluster: ClusterOption = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Draw the inputs of the first outcome: a file in .svg or .png.")
    ] = None,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Which uncertain parameter, effect or driver decides an outcome; with --worth, what knowing it would be worth.

    Python: zhol.policy.sensitivity, zhol.policy.value_of_information
    """
    from zhol.cli.simulate import fit_of
    from zhol.cli.waiting import waiting
    from zhol.core.errors import ZholError
    from zhol.region.load import load

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    output.check_picture(plot)
    names = scenarios or []
    if not worth and len(names) > 1:
        raise ZholError("sensitivity is of one scenario", found=len(names), hint="--base, or --worth for a choice")
    plans = [_plan(words, region, actor, since) for words in names]
    common: dict[str, Any] = {"groups": _groups(group or []), "start": start, "end": end, "seed": seed, "level": level}
    common |= {"parameters": fit_of(parameters), "cluster": cluster}
    beside = None if base is None else _plan(base, region, actor, since) or "present policies"
    if worth:
        found: Any = _worth(plans, load(region), beside, listed(outcomes), runs, rule, common)
    else:
        from zhol.policy.global_sensitivity import OUTCOMES, sensitivity

        with waiting("Varying inputs") as tell:
            found = sensitivity(plans[0] if plans else None, load(region), outcome=listed(outcomes) or OUTCOMES,
                                method=method, runs=20_000 if runs is None else runs, base=beside, keep=keep or None,
                                scale=scale, progress=lambda step, done, of: tell(done, of), **common)  # fmt: skip
    if plot is not None:
        output.note(f"drawn in {output.write_picture(found.plot(), plot)}")
    if json:
        import json as json_module

        print(json_module.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    elif csv:
        print(found.table.write_csv(), end="")
    else:
        print(found.summary().split("\nWarning: ")[0])
        output.emit(_choice(found) if worth else _indices(found), title="Every input, the most important first")
        say(found.warnings)


def _worth(
    plans: list[Any],
    pack: Any,
    beside: Any,
    outcomes: list[str],
    runs: int | None,
    rule: str,
    common: dict[str, Any],
) -> InformationValue:
    from zhol.cli.waiting import waiting
    from zhol.core.errors import ZholError
    from zhol.policy.information_value import value_of_information

    if len(outcomes) > 1:
        raise ZholError("a choice is made by one outcome", found=", ".join(outcomes))
    first = None if isinstance(beside, str) else beside
    every = [first, *plans] if beside is not None or len(plans) == 1 else plans
    draws = _WORTH if runs is None else runs // max(len(every), 1)
    with waiting("Running scenarios") as tell:
        return value_of_information(
            every, pack, outcome=(outcomes or ["exposure"])[0], rule=rule, draws=draws, progress=tell, **common
        )


def _plan(words: str, region: str, actor: str | None, since: str | None) -> Any:
    """A scenario by its file or name; None for present policies."""
    return None if words in ("present", "present policies") else plan_of(words, region, actor, since)


def _groups(pairs: list[str]) -> dict[str, list[str]] | None:
    from zhol.core.errors import ZholError

    out = {}
    for pair in pairs:
        name, _, members = pair.partition("=")
        if not name.strip() or not listed(members):
            raise ZholError("not a group", found=pair, expected="such as corridors=labour_corridor,asylum_corridor")
        out[name.strip()] = listed(members)
    return out or None


def _indices(found: Sensitivity) -> pl.DataFrame:
    import polars as pl

    keys = ("total", "first") if found.method == "sobol" else ("size", "mean_effect")
    rows = []
    for r in found.table.to_dicts():
        row = {"outcome": r["outcome"], "input": r["factor"]}
        for key in keys:
            ends = f" ({r[f'{key}_low']:.2f} to {r[f'{key}_high']:.2f})" if f"{key}_low" in r else ""
            row[key.replace("_", " ")] = f"{r[key]:.2f}{ends}"
        rests = "prior only" if r["prior_only"] else r["basis"]
        rows.append({**row, "rests on": rests, "meaning": r["meaning"]})
    return pl.DataFrame(rows)


def _choice(found: InformationValue) -> pl.DataFrame:
    import polars as pl

    from zhol.core.quantity import plain_number

    rows = [
        {
            "to find out": r["study"],
            f"worth ({found.unit})": "{} ({} to {})".format(*(plain_number(r[k]) for k in ("value", "low", "high"))),
            "of knowing all": f"{r['share']:.0%}",
            "changes the choice in": f"{r['changes']:.0%}",
            "rests on": "prior only" if r["prior_only"] else r["basis"],
        }
        for r in found.table.to_dicts()
    ]
    return pl.DataFrame(rows)
