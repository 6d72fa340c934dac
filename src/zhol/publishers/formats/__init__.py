"""One file a publisher's format: how to ask for it, and how to turn it into a tidy table."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from zhol.core.errors import ZholError

if TYPE_CHECKING:
    import polars as pl

    from zhol.publishers.catalogue import Dataset

# Downloads an address to a file of this name and of this kind, and gives its path.
Get = Callable[[str, str, str], Path]

NAMES = ("undesa", "unhcr", "worldbank", "eurostat", "frontex")


class Reading(NamedTuple):
    """A tidy table, and what its reader must know."""

    table: pl.DataFrame
    notes: tuple[str, ...] = ()


class Format(Protocol):
    """What each module of this folder offers."""

    def fetch(self, dataset: Dataset, get: Get) -> list[Path]:
        """Download what the dataset consists of."""
        ...

    def read(self, paths: Sequence[Path], dataset: Dataset) -> Reading:
        """Turn the publisher's files into the tidy table."""
        ...


def load(name: str) -> Format:
    """Module of a format, by its name in the catalogue.

    Examples
    --------
    >>> load("frontex").__name__
    'zhol.publishers.formats.frontex'
    """
    if name not in NAMES:
        raise ZholError("unknown format", found=name, expected=", ".join(NAMES))
    return cast(Format, importlib.import_module(f"zhol.publishers.formats.{name}"))
