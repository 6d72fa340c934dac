"""Small files in the publishers' own layouts; a workbook is kept as one CSV a sheet and made on the spot."""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl

from zhol.publishers.catalogue import Dataset, find
from zhol.publishers.formats import Reading, load

FILES = Path(__file__).parent / "publishers" / "files"
Rows = list[list[str]]


def sheet(name: str) -> Rows:
    """Rows of a sheet kept as text."""
    with (FILES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def book(path: Path, prefix: str, change: Callable[[Rows], Rows] | None = None) -> Path:
    """Write the workbook of all ``prefix.SHEET.csv``; ``change`` may spoil the last sheet, which holds the table."""
    names = sorted(FILES.glob(f"{prefix}.*.csv"))
    made = openpyxl.Workbook()
    made.remove(made.active)
    for number, name in enumerate(names, 1):
        rows = sheet(name.name)
        if change is not None and number == len(names):
            rows = change(rows)
        page = made.create_sheet(name.stem.split(".", 1)[1].replace("_", " "))
        for row in rows:
            page.append([_cell(cell) for cell in row])
    made.save(path)
    return path


def _cell(text: str) -> str | int | None:
    """Publishers keep numbers as numbers, and ".." and "1 204" as text."""
    if text == "":
        return None
    return int(text) if text.isdigit() else text


def dataset(name: str, **changes: object) -> Dataset:
    """An entry of the catalogue."""
    return dataclasses.replace(find(name)[0], **changes)


def read(name: str, *paths: Path) -> Reading:
    """Read files as the dataset of this id."""
    entry = dataset(name)
    return load(entry.format).read(list(paths), entry)


def records(table: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    """Rows of some columns."""
    return table.select(columns).rows()
