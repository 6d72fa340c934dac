"""What is expected of the system's results where no figure speaks of them: ratios of stocks, as rows of a file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml

from zhol.core.errors import ZholError
from zhol.system.names import STATUSES

if TYPE_CHECKING:
    from zhol.system.model import Model

Array = Any
FILE = "expectations.yaml"
_KEYS = {"by", "of", "beside", "without", "median", "sd", "basis", "meaning"}
_FLOOR = 10.0  # persons on both sides of a ratio, so that an empty corridor is no surprise


@dataclass(frozen=True)
class Expectation:
    """A ratio of stocks with its log-normal prior.

    Parameters
    ----------
    name, meaning, basis : str
    by : {"destination", "corridor"}
        What the stocks are added up over, or nothing.
    of, beside : tuple of int
        Statuses of the upper and the lower side of the ratio.
    without : str
        ``labour_figure``: not where some figure counts workers, citizens or entries; else empty.
    median, sd : float
        Of the ratio, and standard deviation of its log.
    """

    name: str
    by: str
    of: tuple[int, ...]
    beside: tuple[int, ...]
    without: str
    median: float
    sd: float
    basis: str
    meaning: str


@cache
def expectation_table() -> Mapping[str, Expectation]:
    """Every expectation by name, as ``packs/shared/expectations.yaml`` gives it.

    Examples
    --------
    >>> expectation_table()["irregular_share"].by
    'destination'
    """
    file = resources.files("zhol") / "packs" / "shared" / FILE
    rows = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {name: _read(name, row) for name, row in rows.items()}


def _read(name: str, row: Mapping[str, Any]) -> Expectation:
    unknown = set(row) - _KEYS
    if unknown:
        raise ZholError(f"unknown key of expectation {name}", file=FILE, found=", ".join(sorted(unknown)))
    missing = _KEYS - {"without"} - set(row)
    if missing:
        raise ZholError(f"expectation {name} lacks keys", file=FILE, found=", ".join(sorted(missing)))
    if row["by"] not in ("destination", "corridor") or row.get("without", "") not in ("", "labour_figure"):
        found = f"{row['by']}, {row.get('without', '')}"
        raise ZholError(f"expectation {name}", file=FILE, found=found, expected="by destination or corridor")
    if not (0 < row["median"] < math.inf and 0 < row["sd"] < math.inf):
        raise ZholError(
            f"expectation {name}", file=FILE, found=f"{row['median']}, {row['sd']}", expected="numbers above 0"
        )
    sides = []
    for side in ("of", "beside"):
        for status in row[side]:
            if status not in STATUSES:
                raise ZholError(
                    f"expectation {name}: unknown status", file=FILE, found=status, expected=", ".join(STATUSES)
                )
        sides.append(tuple(STATUSES.index(status) for status in row[side]))
    return Expectation(
        name=name,
        by=row["by"],
        of=sides[0],
        beside=sides[1],
        without=row.get("without", ""),
        median=float(row["median"]),
        sd=float(row["sd"]),
        basis=row["basis"],
        meaning=row["meaning"],
    )


def expected_of(model: Model) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names of the ratios of a model, such as ``irregular_share KAZ``, their log medians and log widths."""
    names, medians, widths = [], [], []
    for e, members in _members(model):
        keys = [">".join(model.corridors[i]) if e.by == "corridor" else model.places[i] for i in members]
        names += [f"{e.name} {key}" for key in keys]
        medians += [np.log(e.median)] * len(members)
        widths += [e.sd] * len(members)
    return names, np.array(medians), np.array(widths)


def log_ratios(model: Model, people: Array, xp: Any) -> Array:
    """Log of every ratio for people (C, 10) of one month, in the order of :func:`expected_of`."""
    parts = [xp.zeros(0, people.dtype)]
    at = np.eye(len(model.places))[[model.places.index(d) for _, d in model.corridors]]
    for e, members in _members(model):
        upper, lower = (sum(people[:, s] for s in side) for side in (e.of, e.beside))
        if e.by == "destination":
            upper, lower = upper @ at, lower @ at  # (corridors,) to (places,)
        parts.append(xp.log((upper[members] + _FLOOR * e.median) / (lower[members] + _FLOOR)))
    return xp.concatenate(parts)


def _members(model: Model) -> list[tuple[Expectation, np.ndarray]]:
    """Destinations or corridors that each expectation speaks of."""
    out = []
    for e in expectation_table().values():
        if e.by == "destination":
            some = sorted({model.places.index(d) for _, d in model.corridors})
        else:
            cited = set(model.labour) if e.without == "labour_figure" else set()
            some = [i for i in range(len(model.corridors)) if i not in cited]
        out.append((e, np.array(some, dtype=int)))
    return out
