"""``zhol backtest``: fit to a date, predict what came after, and stand beside what anybody could have said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhol.cli import output

if TYPE_CHECKING:
    import polars as pl

    from zhol.region.load import Region
    from zhol.trust.backtesting import Backtest


def command(
    region: Annotated[str, typer.Argument(help="Name of a shipped pack, or a folder.")] = "central_asia",
    cut: Annotated[str, typer.Option("--cut", help="Last month that the fit may see, YYYY-MM.")] = "2014-12",
    drivers: Annotated[
        str,
        typer.Option("--drivers", help="observed: populations and incomes as they came; projected: as one could know."),
    ] = "observed",
    draws: Annotated[int, typer.Option("--draws", help="Draws of the predictions.", min=20)] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Seed of the fits and of the draws.")] = 1,
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Fit nothing: show the backtest that ships with the pack.")
    ] = False,
    scores: Annotated[
        bool, typer.Option("--scores", help="With --json or --csv: the scores, not the figures.")
    ] = False,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="DIR", help="Write a page, the tables and the backtest there.")
    ] = None,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Held-out figures against predictions and three yardsticks, misses first. Two fits: minutes.

    Python: zhol.trust.backtest
    """
    from zhol.core.errors import ZholError
    from zhol.region.load import load

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    pack = load(region)
    found = shipped_backtest(pack) if shipped else _made(pack, cut, drivers, draws, seed)
    if report is not None:
        from zhol.brief.backtest_report import write_backtest_report

        for file in write_backtest_report(pack, found, report):
            output.note(f"written: {file}")
    if json or csv:
        output.emit(found.scores if scores else found.figures, json=json, csv=csv)
        return
    output.emit(_misses(found), title="Farthest off")
    output.emit(_scores(found), title="By kind of series: absolute log errors, coverage, and the yardsticks' errors")
    output.note(found.summary())


def _made(pack: Region, cut: str, drivers: str, draws: int, seed: int) -> Backtest:
    from zhol.cli.waiting import telling
    from zhol.trust.backtesting import backtest

    with telling("Backtest") as tell:
        return backtest(pack, cut, drivers=drivers, draws=draws, seed=seed, progress=tell)


def shipped_backtest(pack: Region) -> Backtest:
    """The backtest that ships with a pack.

    Raises
    ------
    ZholError
        If there is none.
    """
    from zhol.brief.model_runs import backtest_of
    from zhol.core.errors import ZholError

    found = backtest_of(pack)
    if found is None:
        raise ZholError("no backtest ships with this pack", found=pack.name, hint="make one, without --shipped")
    return found


def _misses(found: Backtest) -> pl.DataFrame:
    return found.misses(10).select("label", "month_end", "value", "predicted", "low_80", "high_80", "log_error")


def _scores(found: Backtest) -> pl.DataFrame:
    words = ("kind", "seen", "figures", "median_error", "mean_error", "coverage_50", "coverage_80")
    return found.scores.select(*words, "no change", "linear trend", "last value with drift")
