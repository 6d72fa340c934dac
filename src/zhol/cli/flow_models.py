"""``zhol estimate gravity`` and ``zhol estimate indices``: what flows go with, and how a system is summed up."""

from __future__ import annotations

import json as json_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhol.cli.output import CsvOption, JsonOption, emit, note
from zhol.cli.waiting import waiting

if TYPE_CHECKING:
    import polars as pl

Plot = Annotated[Path | None, typer.Option(help="Also write the chart here (.svg or .png).", metavar="FILE")]
Level = Annotated[float, typer.Option(help="Coverage of the intervals.")]


def gravity(
    flows: Annotated[Path, typer.Argument(help="CSV, Parquet or Excel: origin, destination, period, persons.")],
    covariates: Annotated[
        Path | None, typer.Option(help="Table of covariates by origin, destination and period.", metavar="FILE")
    ] = None,
    region: Annotated[str | None, typer.Option(help="Covariates of a shipped pack, or of a folder.")] = None,
    world: Annotated[
        Path | None, typer.Option(help="Folder with the publishers' files: covariates of the world.", metavar="DIR")
    ] = None,
    formula: Annotated[
        str | None, typer.Option(help='Such as "log(distance_km) + contiguous | origin_period + destination_period".')
    ] = None,
    cluster: Annotated[str, typer.Option(help="pair, origin, destination or several joined by +.")] = "pair",
    zeros: Annotated[bool, typer.Option("--zeros", help="A pair without a flow is zero, not unknown.")] = False,
    identification: Annotated[
        bool, typer.Option("--identification", help="Print what can be told apart instead of the coefficients.")
    ] = False,
    level: Level = 0.95,
    plot: Plot = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """What flows go with: income, distance, ties, networks, visas; with effects of every origin and destination.

    Python: zhol.estimate.gravity
    """
    import zhol

    with waiting("Estimating gravity"):
        found = zhol.estimate.gravity(
            _table(flows),
            _covariates(covariates, region, world, flows),
            formula,
            cluster=cluster.split("+"),
            absent="zero" if zeros else "leave_out",
            level=level,
        )
    _draw(found, plot)
    if json and not identification:
        print(json_module.dumps(found.to_dict(), ensure_ascii=False, indent=1))
        return
    emit(found.identification if identification else found.coefficients, json=json, csv=csv, title="Gravity")
    _warn(found.warnings, json or csv)


def indices(
    flows: Annotated[Path | None, typer.Argument(help="CSV, Parquet or Excel: origin, destination, persons.")] = None,
    population: Annotated[Path | None, typer.Option(help="Table of place and population.", metavar="FILE")] = None,
    distance: Annotated[
        Path | None, typer.Option(help="Table of origin, destination and distance.", metavar="FILE")
    ] = None,
    ages: Annotated[
        Path | None, typer.Option(help="Table of age and mi, or age, migrants and population.", metavar="FILE")
    ] = None,
    age_model: Annotated[bool, typer.Option("--age-model", help="Also fit the Rogers–Castro schedule.")] = False,
    by_place: Annotated[bool, typer.Option("--by-place", help="Print the measures of every place instead.")] = False,
    level: Level = 0.95,
    plot: Plot = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Summary indices of a migration system: intensity, impact, connectivity, distance, age profile.

    Python: zhol.estimate.indices
    """
    import zhol

    found = zhol.estimate.indices(
        _maybe(flows),
        _maybe(population),
        distance=_maybe(distance),
        ages=_maybe(ages),
        age_model=age_model,
        level=level,
    )
    _draw(found, plot)
    emit(found.by_place if by_place else found.table, json=json, csv=csv, title="Migration indices")
    _warn(found.warnings, json or csv)


def _maybe(path: Path | None) -> pl.DataFrame | None:
    return None if path is None else _table(path)


def _table(path: Path) -> pl.DataFrame:
    from zhol.core.frames import to_polars

    return to_polars(path)


def _covariates(file: Path | None, region: str | None, world: Path | None, flows: Path) -> pl.DataFrame:
    """Covariates from the one place that was named."""
    from zhol.core.errors import ZholError

    named = [name for name, value in (("--covariates", file), ("--region", region), ("--world", world)) if value]
    if len(named) != 1:
        raise ZholError(
            "gravity needs covariates from one place",
            found=" and ".join(named) or "none",
            expected="--covariates, --region or --world",
        )
    if file is not None:
        return _table(file)
    from zhol.estimate.gravity_model import covariates, world_covariates

    table = _table(flows)
    period = next((c for c in ("period", "year0", "year") if c in table.columns), None)
    if period is None:
        raise ZholError("flows have no period", file=flows, expected="a column period with the first year of each")
    periods = sorted({int(p) for p in table[period].drop_nulls()})
    if region is not None:
        from zhol.region.load import load

        return covariates(load(region), periods)
    return world_covariates(world or ".", periods)


def _draw(found: Any, plot: Path | None) -> None:
    if plot is None:
        return
    from zhol.core.charts import to_png, to_svg
    from zhol.core.errors import ZholError

    if plot.suffix not in (".svg", ".png"):
        raise ZholError("unknown kind of picture", file=plot, found=plot.suffix, expected=".svg or .png")
    chart = found.plot()
    content = to_svg(chart).encode("utf-8") if plot.suffix == ".svg" else to_png(chart)
    temporary = plot.with_name(plot.name + ".part")
    temporary.write_bytes(content)
    temporary.replace(plot)
    note(f"wrote {plot}")


def _warn(warnings: tuple[str, ...], machine: bool) -> None:
    for text in () if machine else warnings:
        note(f"Warning: {text}")
