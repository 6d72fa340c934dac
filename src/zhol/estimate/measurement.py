"""How a published figure relates to the truth: definition, bias of its source, error by grade.

The same description serves the reconciliation of rival figures and the calibration of the system.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import polars as pl
import yaml

from zhol.core.errors import ZholError
from zhol.core.frames import need_columns

NEEDS = ["figure_id", "concept", "date_start", "date_end", "value", "low", "high", "unit", "grade", "source_id"]


@dataclass(frozen=True)
class Relation:
    """How a concept stands to the target: ``same``, ``superset``, ``subset`` or ``overlapping``, and why."""

    kind: str
    sign: int
    scale: float
    reason: str = ""


@dataclass(frozen=True)
class Observations:
    """Figures as arrays, one entry a figure, logs of persons.

    Parameters
    ----------
    table : polars.DataFrame
        The rows used, in the order of the arrays.
    log_value : ndarray, shape (figure,)
        Log of the value; of the geometric middle where only a range was published; of the bound where only one end.
    range_sd : ndarray, shape (figure,)
        Half the width of a published range in logs over 1.96: what the publisher admits not to know.
    bound : ndarray of int, shape (figure,)
        0 a value, 1 "more than", -1 "at most".
    time : ndarray, shape (figure,)
        Middle of the period that the figure is for, in years.
    parts : ndarray of bool, shape (figure, part)
        Which parts (countries of origin) the figure adds up.
    concept, source, grade : ndarray of int, shape (figure,)
        Indices into the names.
    """

    table: pl.DataFrame
    log_value: np.ndarray
    range_sd: np.ndarray
    bound: np.ndarray
    time: np.ndarray
    parts: np.ndarray
    concept: np.ndarray
    source: np.ndarray
    grade: np.ndarray
    part_names: tuple[str, ...]
    concept_names: tuple[str, ...]
    source_names: tuple[str, ...]
    grade_names: tuple[str, ...]
    source_grade: np.ndarray


@lru_cache(maxsize=1)
def scales() -> dict[str, Any]:
    """Prior scales of the measurement model, as they stand in ``packs/shared/measurement.yaml``.

    Examples
    --------
    >>> sorted(scales()["grades"])
    ['A', 'B', 'C', 'D']
    """
    text = files("zhol.packs").joinpath("shared", "measurement.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def relation(kind: str, scale: float | None = None, reason: str = "") -> Relation:
    """A relation by its name, with the default scale unless another is given.

    Examples
    --------
    >>> relation("superset").sign
    1
    """
    known = scales()["relations"]
    if kind not in known:
        raise ZholError("unknown relation of a definition", found=kind, expected=" | ".join(known))
    own = known[kind]
    return Relation(kind, int(own["sign"]), float(own["scale"] if scale is None else scale), reason)


def observe(figures: pl.DataFrame, parts: dict[str, tuple[str, ...]], source: str = "source_id") -> Observations:
    """Turn rows of the table ``figures`` into arrays.

    Parameters
    ----------
    figures : polars.DataFrame
        Rows of one quantity, in the pack's schema.
    parts : dict
        For each code that may stand as ``origin``: the parts that it adds up, for example
        ``{"UZB": ("UZB",), "XCA": ("UZB", "TJK", "KGZ")}``.
    source : str
        Column that names the institution whose bias the figures share.

    Returns
    -------
    Observations

    Raises
    ------
    ZholError
        If a column is missing, or a figure has neither value nor range, or is not positive.
    """
    need_columns(figures, [*NEEDS, source], name="figures")
    names = tuple(sorted({p for codes in parts.values() for p in codes}))
    triples = [_ends(row) for row in figures.iter_rows(named=True)]
    grades = figures["grade"].fill_null("D").str.slice(0, 1).to_list()
    known = tuple(sorted(scales()["grades"]))
    for row, grade in enumerate(grades):
        if grade not in known:
            raise ZholError("unknown grade", row=row + 2, column="grade", found=grade, expected=" | ".join(known))
    origins = figures["origin"].to_list() if "origin" in figures.columns else [None] * figures.height
    mask = np.array([[n in parts.get(o or "", names) for n in names] for o in origins], dtype=bool)
    concepts, concept = _index(figures["concept"].to_list())
    sources, institution = _index(figures[source].to_list())
    grade_index = np.array([known.index(g) for g in grades])
    # A source with several figures has the best grade that it ever earned.
    source_grade = np.array([grade_index[institution == s].min() for s in range(len(sources))])
    return Observations(
        table=figures,
        log_value=np.array([t[0] for t in triples]),
        range_sd=np.array([t[1] for t in triples]),
        bound=np.array([t[2] for t in triples]),
        time=np.array([_middle(row) for row in figures.iter_rows(named=True)]),
        parts=mask,
        concept=concept,
        source=institution,
        grade=grade_index,
        part_names=names,
        concept_names=concepts,
        source_names=sources,
        grade_names=known,
        source_grade=source_grade,
    )


def _index(values: list[str]) -> tuple[tuple[str, ...], np.ndarray]:
    names = tuple(dict.fromkeys(values))
    return names, np.array([names.index(v) for v in values], dtype=int)


def _ends(row: dict[str, Any]) -> tuple[float, float, int]:
    """Log value, log sd of the published range, and whether it is a bound."""
    value, low, high = row["value"], row["low"], row["high"]
    for column in ("value", "low", "high"):
        if row[column] is not None and not (np.isfinite(row[column]) and row[column] > 0):
            raise ZholError(f"figure {row['figure_id']} is not a positive number", column=column, found=row[column])
    width = 0.0 if low is None or high is None else float(np.log(high / low) / (2 * 1.96))
    if value is not None:
        return float(np.log(value)), width, 0
    if low is not None and high is not None:
        return float(np.log(low * high) / 2), width, 0
    if low is not None:
        return float(np.log(low)), 0.0, 1
    if high is not None:
        return float(np.log(high)), 0.0, -1
    raise ZholError(f"figure {row['figure_id']} has neither value nor range")


def _middle(row: dict[str, Any]) -> float:
    ends = [d for d in (row["date_start"], row["date_end"]) if d is not None]
    if not ends:
        raise ZholError(f"figure {row['figure_id']} has no date")
    return float(np.mean([_year(d) for d in ends]))


def _year(day: Any) -> float:
    if isinstance(day, str):
        day = dt.date.fromisoformat(day)
    return float(day.year + (day.timetuple().tm_yday - 0.5) / 366)
