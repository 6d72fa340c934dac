"""``zhol estimate``: hidden populations and rival figures, on CSV, Parquet and Excel files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhol.cli.flow_models import gravity, indices
from zhol.cli.flows import command as flows
from zhol.cli.output import CsvOption, JsonOption, emit, emit_estimate, note
from zhol.cli.waiting import waiting

if TYPE_CHECKING:
    from zhol.core.result import Estimate

app = typer.Typer(no_args_is_help=True)
app.command("flows")(flows)
app.command("gravity")(gravity)
app.command("indices")(indices)

Data = Annotated[str, typer.Argument(help="CSV, Parquet or Excel file.")]
Plot = Annotated[Path | None, typer.Option(help="Also write the interval chart here (.svg or .png).", metavar="FILE")]
Jobs = Annotated[int, typer.Option(help="Threads to use.", min=1)]
Seed = Annotated[int, typer.Option(help="Seed of everything random.")]
Level = Annotated[float, typer.Option(help="Coverage of the intervals.")]
Replicates = Annotated[int, typer.Option(help="Bootstrap replicates.")]
Draws = Annotated[int, typer.Option(help="Draws of the simulation.")]


@app.command()
def counts(
    inputs: Annotated[
        list[str], typer.Argument(help='File and formula, such as data.csv "captures ~ sex".', metavar="FILE FORMULA")
    ],
    formula: Annotated[str | None, typer.Option(help='"captures ~ covariates", if not given as argument.')] = None,
    model: Annotated[str, typer.Option(help="ztpoisson, ztgeom, ztnegbin, chao, zelterman, …")] = "ztpoisson",
    weights: Annotated[str | None, typer.Option(help="Column saying how many units a row stands for.")] = None,
    also: Annotated[
        list[str] | None, typer.Option("--also", help='Formula of a further parameter, such as "omega ~ sex".')
    ] = None,
    strata: Annotated[str | None, typer.Option(help="Totals to give apart, such as sex,age.")] = None,
    interval: Annotated[str, typer.Option(help="analytic, parametric, semiparametric, nonparametric.")] = "analytic",
    replicates: Replicates = 500,
    seed: Seed = 1,
    level: Level = 0.95,
    jobs: Jobs = 1,
    plot: Plot = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """One list in which persons may stand several times: how many stand there not at all.

    Python: zhol.estimate.counts
    """
    file, asked = _file_and_formula(inputs, formula)
    options = {"formulas": _formulas(also), "weights": weights, "strata": _several([strata] if strata else None)}
    settings = {"model": model, "interval": interval, "replicates": replicates, "seed": seed, "level": level}
    _run("counts", "Estimating", jobs, plot, json, csv, asked, _table(file), **settings, **_given(options))


@app.command()
def lists(
    data: Data,
    names: Annotated[
        list[str] | None, typer.Option("--lists", help="Columns that are lists, such as A,B,C; all but the count.")
    ] = None,
    count: Annotated[str | None, typer.Option(help="Column of counts; without it each row is one case.")] = None,
    model: Annotated[str, typer.Option(help='main, stepwise, all, average, latent_class, or "A*B + C".')] = "stepwise",
    interval: Annotated[str, typer.Option(help="bca, profile, wald.")] = "bca",
    replicates: Replicates = 1000,
    seed: Seed = 1,
    level: Level = 0.95,
    jobs: Jobs = 1,
    plot: Plot = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Several incomplete lists and their overlaps: how many stand in none.

    Python: zhol.estimate.lists
    """
    table, columns = _table(data), _several(names)
    if count is None and "n" in table.columns and "n" not in (columns or []):
        count = "n"
    settings = {"model": model, "interval": interval, "replicates": replicates, "seed": seed, "level": level}
    _run("lists", "Estimating", jobs, plot, json, csv, table, lists=columns, count=count, **settings)


@app.command()
def registers(
    data: Data,
    observed: Annotated[str, typer.Option(help="Column of persons found to stay irregularly.")] = "m",
    auxiliary: Annotated[str, typer.Option(help="Column of persons met by the police.")] = "n",
    reference: Annotated[str, typer.Option(help="Column of registered persons.")] = "N",
    model: Annotated[str, typer.Option(help="poisson, negbin.")] = "poisson",
    by: Annotated[list[str] | None, typer.Option(help="Columns to report by, such as country or year,sex.")] = None,
    alpha: Annotated[str, typer.Option(help='Covariates of the exponent of size, such as "~ sex + C(year)".')] = "~ 1",
    beta: Annotated[str, typer.Option(help="Covariates of the exponent of detection.")] = "~ 1",
    gamma: Annotated[str, typer.Option(help="estimate, none, or a number.")] = "estimate",
    constrained: Annotated[bool, typer.Option("--constrained", help="Keep alpha in (0, 1) and beta above 0.")] = False,
    cluster: Annotated[str | None, typer.Option(help="Column whose rows belong together, such as country.")] = None,
    interval: Annotated[str, typer.Option(help="analytic, bootstrap, parametric.")] = "analytic",
    replicates: Replicates = 500,
    seed: Seed = 1,
    level: Level = 0.95,
    jobs: Jobs = 1,
    plot: Plot = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Registered, police and border-guard counts by country: how many live there unregistered.

    Python: zhol.estimate.registers
    """
    options = {"observed": observed, "auxiliary": auxiliary, "reference": reference, "model": model, "by": _several(by)}
    shape = {"alpha": alpha, "beta": beta, "gamma": _gamma(gamma), "constrained": constrained, "cluster": cluster}
    settings = {"interval": interval, "replicates": replicates, "seed": seed, "level": level}
    _run("registers", "Fitting replicates", jobs, plot, json, csv, _table(data), **options, **shape, **settings)


@app.command()
def residual(
    data: Annotated[
        str | None, typer.Argument(help="Table of inputs: columns input, value, low, high, distribution, year.")
    ] = None,
    census: Annotated[str | None, typer.Option(help='Foreign-born counted: "value, low, high".')] = None,
    legal: Annotated[
        str | None, typer.Option(help="Legal residents: numbers, or a file with year and arrivals.")
    ] = None,
    emigration: Annotated[str | None, typer.Option(help='Yearly risk to leave: "0.02, 0.01, 0.04".')] = None,
    mortality: Annotated[str | None, typer.Option(help="Yearly risk to die.")] = None,
    undercount: Annotated[
        list[str] | None, typer.Option(help='Share missed: "0.05, 0.02, 0.1", or "legal=…" and "irregular=…".')
    ] = None,
    year: Annotated[int | None, typer.Option(help="Year of the count.")] = None,
    years: Annotated[int, typer.Option(help="With one legal figure: years that the risks act on it.")] = 1,
    draws: Draws = 20_000,
    seed: Seed = 1,
    level: Level = 0.95,
    jobs: Jobs = 1,
    plot: Plot = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Counted foreign-born less surviving legal residents, and which input makes the width.

    Python: zhol.estimate.residual
    """
    from zhol.core.errors import ZholError

    given = _residual_rows(_table(data)) if data else {}
    given |= _given(
        {
            "census": census,
            "legal": _file_or_text(legal),
            "emigration": emigration,
            "mortality": mortality,
            "undercount": _undercount(undercount),
        }
    )
    for name in ("census", "legal"):
        if name not in given:
            raise ZholError(f"no {name} given", expected=f"--{name}, or a row {name!r} of the table")
    options = {"year": year, "years": years, "draws": draws, "seed": seed, "level": level}
    _run("residual", "Drawing", jobs, plot, json, csv, given.pop("census"), given.pop("legal"), **given, **options)


@app.command()
def multiplier(
    data: Annotated[
        str | None,
        typer.Argument(help="Table: label, benchmark, and proportion or multiplier with _low, _high; or yes, of."),
    ] = None,
    benchmark: Annotated[list[str] | None, typer.Option(help='Persons counted: "1200" or "1200, 1100, 1300".')] = None,
    multiplier: Annotated[
        list[str] | None, typer.Option("--multiplier", "--proportion", help="Share that they are, or factor above 1.")
    ] = None,
    combine: Annotated[str, typer.Option(help="random, fixed, median.")] = "random",
    kind: Annotated[str, typer.Option(help="auto, proportion, factor.")] = "auto",
    draws: Draws = 20_000,
    seed: Seed = 1,
    level: Level = 0.95,
    jobs: Jobs = 1,
    plot: Plot = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """A counted benchmark over the share of the population that it covers; several are combined and compared.

    Python: zhol.estimate.multiplier
    """
    from zhol.core.errors import ZholError

    options = {"combine": combine, "kind": kind, "draws": draws, "seed": seed, "level": level}
    if data is not None and (benchmark or multiplier):
        raise ZholError("give a table or --benchmark and --multiplier, not both", found=data)
    if data is not None:
        _run("multiplier", "Drawing", jobs, plot, json, csv, _table(data), **options)
        return
    if not benchmark or not multiplier:
        raise ZholError("no benchmark and multiplier given", expected="--benchmark and --multiplier, or a table")
    inputs = (benchmark[0], multiplier[0]) if len(benchmark) == len(multiplier) == 1 else (benchmark, multiplier)
    _run("multiplier", "Drawing", jobs, plot, json, csv, *inputs, **options)


@app.command()
def reconcile(
    quantity: Annotated[str, typer.Argument(help="Which quantity, such as KZ_irregular_stock.")],
    data: Annotated[str | None, typer.Argument(help="Table of figures; without it, those of the region.")] = None,
    region: Annotated[str, typer.Option(help="Name of a shipped pack, or a folder.")] = "central_asia",
    year: Annotated[int | None, typer.Option(help="Year of the headline; the last one with a figure.")] = None,
    draws: Annotated[int, typer.Option(help="Posterior draws a chain.")] = 500,
    chains: Annotated[int, typer.Option(help="Chains.", min=1)] = 4,
    sensitivity: Annotated[bool, typer.Option(help="Repeat with other priors.")] = True,
    seed: Seed = 1,
    level: Level = 0.95,
    jobs: Jobs = 1,
    plot: Plot = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Rival figures of one quantity: what they say together, and how far each source is off.

    Python: zhol.estimate.reconcile
    """
    _threads(jobs)
    import zhol

    figures = zhol.load(region) if data is None else _table(data)
    options = {"year": year, "draws": draws, "chains": chains, "sensitivity": sensitivity, "seed": seed, "level": level}
    _run("reconcile", "Sampling", jobs, plot, json, csv, figures, quantity=quantity, **options)


@app.command()
def tabulate(
    data: Data,
    key: Annotated[str, typer.Option(help="Column with an opaque key of the unit; it is counted, never shown.")],
    by: Annotated[list[str] | None, typer.Option(help="Columns of categories, such as sex,age_group.")] = None,
    source: Annotated[
        str | None, typer.Option("--lists", help="Column naming the list of a record: count overlaps instead.")
    ] = None,
    method: Annotated[str, typer.Option(help="suppress, round.")] = "suppress",
    threshold: Annotated[int, typer.Option(help="Smallest count shown, 10 or more.")] = 10,
    base: Annotated[int | None, typer.Option(help="Of the rounding; the threshold.")] = None,
    sums: Annotated[bool, typer.Option("--margins", help="Print the protected sums instead of the cells.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the cells to this CSV file.", metavar="FILE")] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """De-identified records into capture frequencies or list overlaps in which nobody can be picked out.

    Reads the file once, where it lies; keeps nothing. Python: zhol.estimate.tabulation.tabulate
    """
    from zhol.estimate.tabulation import tabulate as count

    with waiting("Counting records"):
        found = count(data, key, _several(by), lists=source, method=method, threshold=threshold, base=base)
    shown = found.margins if sums else found.table
    if out is not None:
        temporary = out.with_name(out.name + ".part")
        shown.write_csv(temporary)
        temporary.replace(out)
    if json:
        _print_json({"kind": found.kind, "table": found.table, "margins": found.margins, "notes": found.notes})
        return
    emit(shown, csv=csv, title="" if csv else f"Units by {found.kind}")
    if not csv:
        note(found.summary())


def _run(
    method: str, text: str, jobs: int, plot: Path | None, json: bool, csv: bool, *inputs: Any, **options: Any
) -> None:
    """Call an estimator, with progress and threads where it takes them, and show what it says."""
    _threads(jobs)
    import inspect

    import zhol

    function = getattr(zhol.estimate, method)
    takes = inspect.signature(function).parameters
    with waiting(text) as tell:
        extra = {"jobs": jobs, "progress": tell}
        estimate = function(*inputs, **options, **{k: v for k, v in extra.items() if k in takes})
    if plot is not None:
        _draw(estimate, plot)
    emit_estimate(estimate, json=json, csv=csv)


def _threads(jobs: int) -> None:
    """Threads of the linear algebra too; takes effect because NumPy is not loaded before."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, str(jobs))


def _draw(estimate: Estimate, path: Path) -> None:
    from zhol.core import charts
    from zhol.core.errors import ZholError

    if path.suffix.lower() not in (".svg", ".png"):
        raise ZholError("a chart is written as .svg or .png", file=path)
    chart = estimate.plot()
    content = charts.to_svg(chart).encode() if path.suffix.lower() == ".svg" else charts.to_png(chart)
    try:
        temporary = path.with_name(path.name + ".part")
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        raise ZholError("the chart cannot be written", file=path, found=error.strerror) from error
    note(f"chart: {path}")


def _print_json(content: dict[str, Any]) -> None:
    import json

    from zhol.core.result import json_ready

    print(json.dumps(json_ready(content), ensure_ascii=False, indent=1))


def _table(path: str) -> Any:
    """The file as a frame, so that its name is in every error."""
    from zhol.core.frames import to_polars

    return to_polars(path)


def _file_and_formula(inputs: list[str], formula: str | None) -> tuple[str, str]:
    """Which of the arguments is the file and which the formula: a formula has a tilde."""
    from zhol.core.errors import ZholError

    files = [a for a in inputs if "~" not in a or Path(a).is_file()]
    formulas = [a for a in inputs if a not in files] + ([formula] if formula else [])
    if len(files) != 1 or len(formulas) != 1:
        raise ZholError(
            "one file and one formula are needed", found=" ".join(inputs), expected='data.csv "captures ~ sex"'
        )
    return files[0], formulas[0]


def _formulas(given: list[str] | None) -> dict[str, str] | None:
    """``omega ~ sex`` as {"omega": "~ sex"}."""
    from zhol.core.errors import ZholError

    out = {}
    for text in given or []:
        name, tilde, right = text.replace("=", " ", 1).partition("~")
        if not tilde or not name.strip() or not right.strip():
            raise ZholError("not a formula of a parameter", found=text, expected='"omega ~ sex"')
        out[name.strip()] = f"~ {right.strip()}"
    return out or None


def _several(given: list[str] | None) -> list[str] | None:
    """Options given several times, or once with commas."""
    names = [part.strip() for text in given or [] for part in text.split(",") if part.strip()]
    return names or None


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in options.items() if v is not None}


def _gamma(text: str) -> float | str | None:
    from zhol.core.errors import ZholError

    word = text.strip().lower()
    if word in ("estimate", "none"):
        return None if word == "none" else word
    try:
        return float(word)
    except ValueError:
        raise ZholError(
            "gamma is not an offset", found=text, expected="estimate, none, or a number from 0 to 1"
        ) from None


def _file_or_text(given: str | None) -> Any:
    """A file of arrivals by year, or numbers as text."""
    if given is not None and Path(given).suffix.lower() in (".csv", ".parquet", ".xlsx", ".xls"):
        return _table(given)
    return given


def _undercount(given: list[str] | None) -> Any:
    if not given:
        return None
    if any("=" in text for text in given):
        return {name.strip(): value for name, _, value in (text.partition("=") for text in given)}
    return given[0]


def _residual_rows(frame: Any) -> dict[str, Any]:
    """Inputs of the residual method from the rows of a table; legal arrivals have a year each."""
    from zhol.core.errors import ZholError
    from zhol.core.frames import need_columns

    need_columns(frame, ["input", "value"], name="table of inputs")
    known = ("census", "legal", "emigration", "mortality", "undercount", "undercount_legal", "undercount_irregular")
    out: dict[str, Any] = {}
    for number, row in enumerate(frame.iter_rows(named=True), start=2):
        name = str(row["input"]).strip().lower().replace(" ", "_")
        if name not in known:
            raise ZholError("unknown input", row=number, column="input", found=row["input"], expected=", ".join(known))
        spec = {k: row.get(k) for k in ("value", "low", "high", "distribution", "level") if row.get(k) is not None}
        when = row.get("year")
        if name.startswith("undercount_"):
            out.setdefault("undercount", {})[name.removeprefix("undercount_")] = spec
        elif name in ("legal", "emigration", "mortality") and when is not None:
            out.setdefault(name, {})[int(when)] = spec
        elif name in out:
            raise ZholError("an input stands twice", row=number, column="input", found=row["input"])
        else:
            out[name] = spec
    return out
