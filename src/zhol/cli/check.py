"""``zhol check``: behaviours that must hold of a pack's model, and comparison with a saved version."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhol.cli import output

if TYPE_CHECKING:
    import polars as pl

    from zhol.system.model import Model
    from zhol.trust.behaviours import CheckReport


def command(
    pack: Annotated[str, typer.Argument(help="Name of a shipped pack, or a folder.")] = "central_asia",
    size: Annotated[
        str, typer.Option("--size", help="small: 8 draws beside 2 corridors, six years; full: 24 beside 8, ten years.")
    ] = "small",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the draws.")] = 1,
    start: Annotated[
        str | None, typer.Option("--start", help="First month, YYYY-MM; 2000-01 or the first the pack allows.")
    ] = None,
    prior: Annotated[
        bool, typer.Option("--prior", help="Draw from the prior even if a posterior ships with the pack.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Write the report with its pictures there.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option("--save", metavar="FILE", help="Check nothing: save this version for comparisons.")
    ] = None,
    against: Annotated[
        Path | None, typer.Option("--against", metavar="FILE", help="Check nothing: compare with a saved version.")
    ] = None,
    scenarios: Annotated[
        int, typer.Option("--scenarios", min=1, help="Random scenarios of --save and --against.")
    ] = 1000,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Behaviours that must hold of a model, failures first; ends with code 1 if one fails.

    Python: zhol.trust.check, zhol.trust.save_version, zhol.trust.compare_versions
    """
    import zhol
    from zhol.core.errors import ZholError

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    if save and against:
        raise ZholError("choose one of --save and --against")
    model = zhol.system.Model(zhol.load(pack))
    parameters = "prior" if prior else None
    if save or against:
        _versions(model, save, against, scenarios, parameters, report, json=json, csv=csv)
        return
    from zhol.cli.waiting import waiting

    with waiting("Checking") as tell:
        found = zhol.trust.check(model, size, seed, start=start, parameters=parameters, progress=tell)
    if report is not None:
        for file in found.write(report):
            output.note(f"written: {file}")
    output.emit(found.table if json or csv else _shown(found), json=json, csv=csv, title="Behaviours, failures first")
    output.note(found.summary())
    if not found.passed:
        raise typer.Exit(1)


def _shown(found: CheckReport) -> pl.DataFrame:
    import polars as pl

    rows = found.table.sort(pl.col("passed").fill_null(True), maintain_order=True)
    return rows.select("statement", "worst", "bound", "holds_in", "passed")


def _versions(
    model: Model,
    save: Path | None,
    against: Path | None,
    scenarios: int,
    parameters: str | None,
    report: Path | None,
    *,
    json: bool,
    csv: bool,
) -> None:
    """Save this version, or compare it with a saved one."""
    import zhol
    from zhol.cli.waiting import waiting

    if save is not None:
        with waiting("Scenarios") as tell:
            file = zhol.trust.save_version(model, save, scenarios, parameters=parameters, progress=tell)
        if json:
            print(json_module.dumps({"written": str(file), "scenarios": scenarios}))
        output.note(f"written: {file}")
        return
    assert against is not None
    with waiting("Scenarios") as tell:
        found = zhol.trust.compare_versions(model, against, scenarios, parameters=parameters, progress=tell)
    if report is not None:
        for file in found.write(report):
            output.note(f"written: {file}")
    output.emit(found.table, json=json, csv=csv, title="Outcomes, the most moved first", limit=20)
    output.note(found.summary())
