"""A bar for what takes longer than a reader's patience; silent when quiet or without a terminal."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from zhol.cli.output import is_quiet

PATIENCE = 2.0  # seconds


@contextmanager
def waiting(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error once something has run for two seconds.

    Yields
    ------
    callable
        To be told (done, total); until it is, the bar only says that work goes on.

    Examples
    --------
    >>> with waiting("Counting") as tell:
    ...     tell(1, 2)
    """
    if is_quiet() or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.progress import BarColumn, MofNCompleteColumn

    with _shown(text, BarColumn(), MofNCompleteColumn()) as (bar, task):
        yield lambda done, total: bar.update(task, completed=done, total=total)


@contextmanager
def telling(text: str) -> Iterator[Callable[[str], None]]:
    """Show what is going on, in words, once something has run for two seconds.

    Yields
    ------
    callable
        To be told what is being done now.

    Examples
    --------
    >>> with telling("Fitting") as tell:
    ...     tell("search 1")
    """
    if is_quiet() or not sys.stderr.isatty():
        yield lambda words: None
        return
    with _shown(text) as (bar, task):
        yield lambda words: bar.update(task, description=f"{text}: {words}")


@contextmanager
def _shown(text: str, *columns: Any) -> Iterator[tuple[Any, Any]]:
    """A line of progress that appears after two seconds and leaves nothing behind."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    bar = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), *columns, TimeElapsedColumn(),
        console=Console(stderr=True), transient=True,
    )  # fmt: skip
    task = bar.add_task(text, total=None)
    timer = threading.Timer(PATIENCE, bar.start)
    timer.daemon = True
    timer.start()
    try:
        yield bar, task
    finally:
        timer.cancel()
        bar.stop()
