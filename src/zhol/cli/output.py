"""How every verb shows a table, a note, or progress."""

from __future__ import annotations

import json as json_module
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import polars as pl

    from zhol.core.result import Estimate

_QUIET = False

# The two options that every verb with a table takes.
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")]


def set_quiet(quiet: bool) -> None:
    """Remember whether the user asked for results only."""
    global _QUIET
    _QUIET = quiet


def is_quiet() -> bool:
    """True if nothing but results may be printed."""
    return _QUIET


def note(text: str) -> None:
    """Say something that is not a result, on standard error, unless quiet."""
    if not _QUIET:
        print(text, file=sys.stderr)


def emit(
    table: pl.DataFrame, *, json: bool = False, csv: bool = False, title: str = "", limit: int | None = 200
) -> None:
    """Print a table: for a reader, or as JSON or CSV (whole) for a program.

    Parameters
    ----------
    table : polars.DataFrame
        What to print.
    json, csv : bool
        Machine formats; at most one.
    title : str
        Heading of the reader's table.
    limit : int, optional
        Rows shown to a reader; the rest is counted in a note.

    Raises
    ------
    ZholError
        If both machine formats are asked for.
    """
    from zhol.core.errors import ZholError
    from zhol.core.result import json_ready

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    if json:
        print(json_module.dumps(json_ready(table.to_dicts()), ensure_ascii=False, indent=1))
    elif csv:
        print(table.write_csv(), end="")
    else:
        _rich_table(table, title, limit)


def emit_estimate(estimate: Estimate, *, json: bool = False, csv: bool = False) -> None:
    """Print an estimate: the number with its interval and warnings, then its table."""
    from zhol.core.errors import ZholError

    if json and csv:
        raise ZholError("choose one of --json and --csv")
    if json:
        print(json_module.dumps(estimate.to_dict(), ensure_ascii=False, indent=1))
        return
    if csv:
        print(estimate.table.write_csv(), end="")
        return
    print(estimate.summary())
    if estimate.table.height:
        _rich_table(estimate.table, "", 200)


def _rich_table(table: pl.DataFrame, title: str, limit: int | None) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = table if limit is None else table.head(limit)
    grid = Table(title=title or None, title_justify="left", header_style="bold")
    for name, kind in table.schema.items():
        grid.add_column(name, justify="right" if kind.is_numeric() else "left", overflow="fold")
    for row in shown.iter_rows():
        grid.add_row(*(_cell(value) for value in row))
    # Without a terminal rich would cut the table at 80 columns; a file or a pipe takes what there is.
    console = Console(width=None if sys.stdout.isatty() else 4 * 80)
    console.print(grid)
    if shown.height < table.height:
        note(f"{table.height - shown.height:,} more rows; --json or --csv prints them all")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def write_picture(chart: Any, path: Path) -> Path:
    """Draw a chart into an SVG or PNG file, whole or not at all.

    Raises
    ------
    ZholError
        If the file's ending is neither, or it cannot be written.
    """
    from zhol.core.charts import to_png, to_svg
    from zhol.core.files import replace_file

    check_picture(path)
    content = to_png(chart) if path.suffix.lower() == ".png" else to_svg(chart).encode("utf-8")
    return replace_file(path.parent, path.name, content)


def check_picture(path: Path | None) -> None:
    """Refuse an ending that is no picture's, before the work is done."""
    from zhol.core.errors import ZholError

    if path is not None and path.suffix.lower() not in {".svg", ".png"}:
        raise ZholError("unknown kind of picture", file=path, found=path.suffix, expected=".svg or .png")


@contextmanager
def progress(text: str) -> Iterator[None]:
    """A spinner on a terminal while something longer runs; silent when quiet or without a terminal."""
    if _QUIET or not sys.stderr.isatty():
        yield
        return
    from rich.console import Console

    with Console(stderr=True).status(text):
        yield
