"""From rows of a pack to quantities: value, interval or the reason why there is none, sources."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import polars as pl

from zhol.core.quantity import Quantity

SMALLEST_CELL = 10  # persons: no smaller count is shown
SMALLEST_BASE = 100  # persons: no rate on a smaller base is shown

ONE_COUNT = "one published figure; the publisher gives no interval"
SAME_IN_BOTH = "both revisions give the same figure, which is one observation and not two; no interval is published"
ONE_REVISION = "only one revision has this figure; the publisher gives no interval"
ONE_SIDE = "one side of a comparison of rival sources; the rival figure stands beside it"
MODELLED = "modelled by the publisher, who gives no interval"
SUMMED = "sum of published counts that have no interval"
COMPUTED = "arithmetic on published figures that have no interval"
COUNTED = "a count of rows of this pack, not an estimate"
BOUND = "only one bound was published"
RECALLED = "known from memory only and not verified"
LEVEL = "the level of an interval, which is chosen and not measured"

RIVALS = "spread of rival sources"


def sources_of(source_id: str | Iterable[str]) -> tuple[str, ...]:
    """Ids in a ``source_id`` cell, or in several, each once and in order.

    Examples
    --------
    >>> sources_of(["A;B", "B"])
    ('A', 'B')
    """
    cells = [source_id] if isinstance(source_id, str) else source_id
    return tuple(dict.fromkeys(i.strip() for cell in cells for i in cell.split(";") if i.strip()))


def row_quantity(row: Mapping[str, Any], *, column: str = "value", unit: str | None = None, why: str = "") -> Quantity:
    """Quantity of one row, with ``low`` and ``high`` where the table has them."""
    value, low, high = (_number(row.get(name)) for name in (column, "low", "high"))
    unit = unit or str(row.get("unit") or "persons")
    sources = sources_of(row["source_id"])
    recalled = row.get("status") == "recalled"
    reason = RECALLED if recalled else why or (MODELLED if "modelled" in str(row.get("note") or "") else ONE_COUNT)
    if low is not None and high is not None:
        interval = f"{row['level']:g}% prediction interval" if row.get("level") else "published range"
        interval = RECALLED if recalled else interval
        return Quantity(value, low, high, unit, sources, interval)
    if low is not None or high is not None:
        return Quantity(value, low, high, unit, sources, no_interval=BOUND)
    return persons(value, unit, sources, reason)


def persons(value: float | None, unit: str, sources: tuple[str, ...], why: str) -> Quantity:
    """A published count without interval; a small count of people is shown as "fewer than" only.

    Examples
    --------
    >>> persons(7, "persons", ("S",), ONE_COUNT).high
    9
    """
    if value is not None and value < SMALLEST_CELL and is_people(unit):
        return suppressed(unit, sources)
    return Quantity(value, None, None, unit, sources, no_interval=why)


def suppressed(unit: str, sources: tuple[str, ...]) -> Quantity:
    """A count of people below the smallest cell."""
    return Quantity(None, 0, SMALLEST_CELL - 1, unit, sources, "suppressed small count")


def is_people(unit: str) -> bool:
    """True for a unit that counts people, so that small cells must be protected.

    Examples
    --------
    >>> is_people("persons"), is_people("USD million")
    (True, False)
    """
    return unit.startswith("person") or unit in {"victims", "killed", "deaths", "births"}


def counted(number: int, unit: str = "") -> Quantity:
    """How many rows of the pack fit: a count, not an estimate."""
    return Quantity(number, None, None, unit, (), no_interval=COUNTED)


def computed(value: float, unit: str, sources: tuple[str, ...], why: str = COMPUTED) -> Quantity:
    """Arithmetic on figures without interval."""
    return Quantity(value, None, None, unit, sources, no_interval=why)


def rivals(rows: pl.DataFrame, column: str, unit: str) -> Quantity | None:
    """One figure from rows of rival sources of the same thing: the newest revision, inside the spread of all.

    Parameters
    ----------
    rows : frame with ``revision``, ``source_id`` and the column
        Rows of one corridor and year.
    """
    rows = rows.filter(pl.col(column).is_not_null()).sort("revision")
    if not rows.height:
        return None
    values, sources = rows[column].to_list(), sources_of(rows["source_id"].to_list())
    if len(values) == 1 or min(values) == max(values):
        return persons(values[-1], unit, sources, ONE_REVISION if len(values) == 1 else SAME_IN_BOTH)
    if values[-1] < SMALLEST_CELL or min(values) < SMALLEST_CELL:
        return suppressed(unit, sources) if max(values) < SMALLEST_CELL else _bounded(values, unit, sources)
    return Quantity(values[-1], min(values), max(values), unit, sources, RIVALS)


def share(part: float, whole: float, sources: tuple[str, ...], *, z: float = 1.959964) -> Quantity | None:
    """A percentage with its 95% Wilson (1927) interval; None on a base, or with a part, too small to show.

    Examples
    --------
    >>> q = share(20, 200, ("S",))
    >>> round(q.value, 1), round(q.low, 1), round(q.high, 1)
    (10.0, 6.6, 14.9)
    """
    # A rate with a small part would give away, with the counts beside it, the count that is not shown.
    if whole < SMALLEST_BASE or part > whole or min(part, whole - part) < SMALLEST_CELL:
        return None
    p, n = part / whole, whole
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Quantity(100 * p, 100 * min(low, p), 100 * max(high, p), "%", sources, "95% Wilson interval")


def _bounded(values: list[float], unit: str, sources: tuple[str, ...]) -> Quantity:
    """Spread whose lower end is too small to show."""
    value = values[-1] if values[-1] >= SMALLEST_CELL else None
    return Quantity(value, 0, max(values), unit, sources, RIVALS)


def _number(value: Any) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)
