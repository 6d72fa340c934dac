"""``zhol data``: list, show, query, build and pull the tables of a region pack."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from zhol.cli import output
from zhol.cli.output import CsvOption, JsonOption

if TYPE_CHECKING:
    import polars as pl

    from zhol.publishers.download import Progress
    from zhol.region.load import Region

app = typer.Typer(no_args_is_help=True)

RegionOption = Annotated[str, typer.Option("--region", help="Name of a shipped pack, or the folder of one's own.")]
RecalledOption = Annotated[bool, typer.Option("--recalled", help="Show rows known from memory only as well.")]


@app.command("list")
def list_tables(
    region: RegionOption = "central_asia",
    recalled: RecalledOption = False,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """List the tables of a region: rows, first and last year, columns, sources.

    Python: zhol.load(…).tables
    """
    import polars as pl

    loaded = _load(region, recalled)
    output.emit(
        pl.DataFrame([_about(loaded, name) for name in loaded.tables], infer_schema_length=None),
        json=json,
        csv=csv,
        title=f"Tables of {loaded.title}",
    )


@app.command("show")
def show(
    table: Annotated[str, typer.Argument(help="Name of a table, as `zhol data list` gives it.")],
    row: Annotated[
        int | None, typer.Option("--row", help="Only this row (the first is 0), with its sources in full.")
    ] = None,
    region: RegionOption = "central_asia",
    recalled: RecalledOption = False,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Show a table, or where one row of it comes from.

    Python: zhol.load(…).table(name), zhol.load(…).provenance(name, row)
    """
    loaded = _load(region, recalled)
    if row is not None:
        output.emit(_papers_of(loaded, table, row), json=json, csv=csv, title=f"{table}, row {row}")
        return
    output.emit(loaded.table(table), json=json, csv=csv, title=f"{table} ({loaded.title})")


@app.command("sql")
def sql(
    query: Annotated[str, typer.Argument(help="One SELECT over the tables, in DuckDB's SQL.")],
    region: RegionOption = "central_asia",
    recalled: RecalledOption = False,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Answer a SELECT over the tables; nothing else can be read or changed.

    Python: zhol.load(…).sql(query)
    """
    output.emit(_load(region, recalled).sql(query), json=json, csv=csv)


@app.command("build")
def build(
    source: Annotated[Path, typer.Option("--from", help="Folder with one folder of source files a publisher.")],
    region: Annotated[str, typer.Option("--region", help="Name of the pack to build.")] = "central_asia",
    into: Annotated[
        Path | None, typer.Option("--into", help="Folder to write to; without it the tables of the pack itself.")
    ] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Build a region's tables from the publishers' files, all or none; what `zhol data pull` fetched fits.

    Python: zhol.publishers.build.build
    """
    import polars as pl

    from zhol.publishers.build import build as write
    from zhol.region.load import find

    out = into if into is not None else find(region)
    with output.progress(f"building {region}"):
        rows = write(source, out, region)
    output.emit(
        pl.DataFrame({"table": list(rows), "rows": list(rows.values())}), json=json, csv=csv, title=f"Written to {out}"
    )


@app.command("pull")
def pull(
    source: Annotated[
        str | None, typer.Argument(help="A publisher (all its datasets) or one dataset; without it, the list of them.")
    ] = None,
    files: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Read this file, already downloaded, or all of a folder; may be given again."),
    ] = None,
    into: Annotated[Path, typer.Option("--into", help="Folder of source files to write to.")] = Path("data"),
    sha256: Annotated[str | None, typer.Option("--sha256", help="Checksum that the file must have.")] = None,
    json: JsonOption = False,
    csv: CsvOption = False,
) -> None:
    """Fetch a publisher's figures, from its own address, as tables that `zhol data build --from` reads.

    Python: zhol.publishers.pull.pull
    """
    if source is None:
        known = _catalogue()
        short = known if json or csv else known.select("source", "id", "title", "licence")
        output.emit(short, json=json, csv=csv, title="What can be pulled (--json and --csv say more)")
        return
    from zhol.publishers.pull import pull as fetch
    from zhol.publishers.pull import summary

    with _bar() as progress:
        pulled = fetch(source, into, files=files or (), sha256=sha256, progress=progress)
    output.emit(
        summary(pulled), json=json, csv=csv, title=f"Pulled from {', '.join({p.dataset.publisher for p in pulled})}"
    )
    for one in pulled:
        for text in (*one.notes, f"licence: {one.dataset.licence}. {one.dataset.licence_note}"):
            output.note(f"{one.dataset.id}: {text}")


def _load(region: str, recalled: bool) -> Region:
    import zhol

    with output.progress("reading the pack"):
        return zhol.load(region, recalled=recalled)


def _about(region: Region, name: str) -> dict[str, Any]:
    frame = region.table(name)
    years = frame["year"] if "year" in frame.columns and frame.height else None
    ids = set(frame["source_id"].drop_nulls().str.split(";").explode()) if "source_id" in frame.columns else set()
    return {
        "table": name,
        "rows": frame.height,
        "first_year": None if years is None else years.min(),
        "last_year": None if years is None else years.max(),
        "sources": len(ids),
        "columns": ", ".join(frame.columns),
    }


def _papers_of(region: Region, table: str, row: int) -> pl.DataFrame:
    """A row and its sources as pairs of field and value."""
    import polars as pl

    found = region.provenance(table, row)
    pairs = [("file", f"{found['file']}, line {found['line']}"), *found["row"].items()]
    for source in found["sources"]:
        pairs += [
            (f"source {source['source_id']}: {key}", value) for key, value in source.items() if key != "source_id"
        ]
    kept = [(field, str(value)) for field, value in pairs if value is not None]
    return pl.DataFrame(kept, schema={"field": pl.String, "value": pl.String}, orient="row")


def _catalogue() -> pl.DataFrame:
    import polars as pl

    from zhol.publishers.catalogue import catalogue

    fields = ("source", "id", "title", "publisher", "licence", "licence_note", "endpoint", "file", "citation")
    return pl.DataFrame([{field: getattr(d, field) for field in fields} for d in catalogue()])


@contextmanager
def _bar(after: float = 2.0) -> Iterator[Progress | None]:
    """A progress bar that shows itself on a terminal once the work has lasted two seconds; else nothing."""
    if output.is_quiet() or not sys.stderr.isatty():
        yield None
        return
    from rich import progress as rich
    from rich.console import Console

    columns = (rich.TextColumn("{task.description}"), rich.BarColumn(), rich.DownloadColumn())
    bar = rich.Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=None)
    began = time.monotonic()

    def show(name: str, done: int, total: int | None) -> None:
        if time.monotonic() - began >= after:
            bar.update(task, description=name, completed=done, total=total)
            bar.start()  # does nothing if it runs

    try:
        yield show
    finally:
        bar.stop()
