"""The coding rules of the evidence tables as small CSV files, read as they stand."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """All rows of one rule file.

    Parameters
    ----------
    name : str
        Name of the file without ``.csv``.

    Returns
    -------
    tuple of dict
        One mapping of column to text a row.

    Examples
    --------
    >>> rows("statuses")[1]["status"]
    'read_primary'
    """
    with (HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def lookup(name: str, key: str, value: str) -> dict[str, str]:
    """One column of a rule file by another.

    Examples
    --------
    >>> lookup("statuses", "written", "status")["recalled_to_be_verified"]
    'recalled'
    """
    return {row[key]: row[value] for row in rows(name)}
