"""`zhol instruments`: the instruments of policy, what each moves, by how much, and on what evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from zhol.cli import output

if TYPE_CHECKING:
    import polars as pl

    from zhol.policy.instruments import Instrument

app = typer.Typer(no_args_is_help=True)


@app.command("list")
def list_all(
    packages: Annotated[
        bool, typer.Option("--packages", help="List the ready-made packages of instruments instead.")
    ] = False,
    history: Annotated[
        bool, typer.Option("--history", help="List the dated events of the pack written as scenarios instead.")
    ] = False,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Every instrument: who uses it, what it moves, on which rows of evidence, which rights floors it breaks."""
    from zhol.core.errors import ZholError

    if packages and history:
        raise ZholError("choose one of --packages and --history")
    if packages:
        from zhol.policy.ready_made import packages as ready_made

        output.emit(ready_made(), json=json, csv=csv, title="Ready-made packages")
    elif history:
        output.emit(_history(), json=json, csv=csv, title="Dated events as scenarios")
    else:
        from zhol.policy.instruments import table

        output.emit(table(), json=json, csv=csv, title="Instruments of policy")


@app.command("show")
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="Id of an instrument, such as border_barriers.")],
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """One instrument: its effects with intervals, the evidence behind them, substitution, cost, rights, caveats."""
    from zhol.core.errors import ZholError
    from zhol.policy.instruments import effects_table, instrument

    one = instrument(name)
    if json and csv:
        raise ZholError("choose one of --json and --csv")
    if json:
        print(one.model_dump_json(indent=1))
        return
    if not csv:
        print(_words(one))
    output.emit(effects_table(one), csv=csv, title="Effects: factor on the lever at intensity 1, 80 % interval")
    if not csv:
        output.emit(_cited(one), title="Evidence")


def _history() -> pl.DataFrame:
    import polars as pl

    from zhol.policy.ready_made import history

    return pl.DataFrame(
        [
            {
                "scenario": name,
                "description": one.description,
                "instruments": ", ".join(one.instruments),
                "events": ", ".join(one.events),
                "own_evidence": ", ".join(one.own_evidence) or "none",
            }
            for name, one in history().items()
        ]
    )


def _words(one: Instrument) -> str:
    cost = one.cost if isinstance(one.cost, str) else f"{one.cost.value:,.0f} {one.cost.unit} ({one.cost.source})"
    seed = f"{one.seed.recommendation}, passages {', '.join(one.seed.passages)}"
    lines = [
        f"{one.title} ({one.id})",
        one.what,
        f"Intensity 1: {one.intensity_one}.",
        f"Asked for: {seed}. Actor: {one.actor}; partner: {one.partner}.",
        f"Instead: {one.substitution.text}",
        f"Speed: {one.speed.introduce_months} months to full strength, {one.speed.remove_months} to none; "
        f"{one.speed.note}.",
        f"Public cost: {cost}.",
        *(f"Rights floor {b.floor}: {b.verdict} above intensity {b.above}"
          f"{' unless with ' + ' or '.join(b.unless) if b.unless else ''}: {b.why}." for b in one.rights.may_break),
        *(f"Caveat: {text}" for text in one.caveats),
        f"Transfer: {one.transfer}",
        *([f"Contradicts: {', '.join(one.conflicts_with)}."] if one.conflicts_with else []),
    ]  # fmt: skip
    return "\n".join(lines)


def _cited(one: Instrument) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(
        [c.model_dump() for c in one.evidence], schema=["id", "use", "citation", "setting", "grade", "status"]
    )
