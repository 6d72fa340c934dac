"""``zhol calibrate``: fit the moving system to the figures of its pack."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhol.cli import output

if TYPE_CHECKING:
    import polars as pl

    from zhol.system.fit import Fit


def command(
    region: Annotated[str, typer.Argument(help="Name of a shipped pack, or a folder.")] = "central_asia",
    until: Annotated[
        str | None, typer.Option("--until", help="Use only figures and rules up to this month, YYYY-MM.")
    ] = None,
    method: Annotated[
        str, typer.Option("--method", help="laplace (minutes), or nuts, Hamiltonian Monte Carlo (hours).")
    ] = "laplace",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the searches and of the draws.")] = 1,
    starts: Annotated[int, typer.Option("--starts", help="Searches for the mode.", min=1)] = 3,
    draws: Annotated[int, typer.Option("--draws", help="Draws of the posterior that are kept.", min=2)] = 500,
    out: Annotated[Path, typer.Option("--out", help="File of the fit; `zhol simulate --parameters` takes it.")] = Path(
        "fit.npz"
    ),
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Fit nothing: show the posterior that ships with the pack.")
    ] = False,
    figures: Annotated[
        bool, typer.Option("--figures", help="Print each figure beside what the fit says of it, not the parameters.")
    ] = False,
    json: output.JsonOption = False,
    csv: output.CsvOption = False,
) -> None:
    """Fit the system to its pack's figures; print which parameters the figures speak of, and which are prior.

    Python: zhol.system.calibrate
    """
    from zhol.cli.waiting import telling
    from zhol.core.errors import ZholError
    from zhol.region.load import load

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    pack = load(region)
    if shipped:
        fit = shipped_fit(pack)
    else:
        from zhol.system.calibration import calibrate

        with telling("Fitting") as tell:
            fit = calibrate(pack, until=until, method=method, seed=seed, starts=starts, draws=draws, progress=tell)
        output.note(f"fit kept in {fit.save(out)}")
    table = fit.figures if figures else fit.identified
    output.emit(
        table if json or csv else _shown(fit, figures),
        json=json,
        csv=csv,
        title="Figures and fit, farthest first" if figures else "Parameters: prior and posterior, 80 % intervals",
        limit=60,
    )
    if not (json or csv):
        output.note(fit.summary())


def shipped_fit(pack: object) -> Fit:
    """The posterior that ships with a pack.

    Raises
    ------
    ZholError
        If there is none, or it was made from other data.
    """
    from typing import cast

    from zhol.core.errors import ZholError
    from zhol.region.load import Region
    from zhol.system.model import Model
    from zhol.system.posterior import shipped

    fit = shipped(Model(cast(Region, pack)))
    if fit is None:
        name = cast(Region, pack).name
        raise ZholError("no posterior ships with this pack that belongs to its data", found=name, hint="fit one")
    return fit


def _shown(fit: Fit, figures: bool) -> pl.DataFrame:
    """The columns that fit a screen, what the figures say most of first."""
    import polars as pl

    if figures:
        wanted = ("label", "origin", "destination", "month_end", "value", "fitted", "standardised")
        return fit.figures.sort(pl.col("standardised").abs(), descending=True).select(wanted)
    words = ("parameter", "member", "prior", "prior_low", "prior_high", "median", "low", "high", "ratio", "basis")
    return fit.identified.sort("ratio").select(words)
