"""Rows of a pack's table that a series selects, each with its value, its places and the months it is for."""

from __future__ import annotations

import calendar
import datetime as dt
import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.estimate.measurement import scales
from zhol.system.observation_map import Override, Series, Values, value_columns

if TYPE_CHECKING:
    from zhol.region.load import Region

RANGE = 2 * 1.96  # a published range is read as 95 per cent of what its publisher holds possible


@dataclass(frozen=True)
class Row:
    """One row (or several added up): what it says, of whom, and when (months since year 0, both included)."""

    origin: str
    destination: str
    start: int
    end: int
    value: float
    rows: tuple[int, ...]
    label: str
    source_id: str
    note: str = ""
    range_sd: float = 0.0
    grade_sd: float | None = None
    revisions: tuple[int, ...] = ()
    overrides: tuple[Override, ...] = ()

    def joined(self, other: Row) -> Row:
        """The same number printed twice."""
        sources = ";".join(sorted({*self.source_id.split(";"), *other.source_id.split(";")}))
        revisions = tuple(sorted({*self.revisions, *other.revisions}))
        label = f"{self.label.split(' (')[0]} ({', '.join(map(str, revisions))})"
        return replace(self, rows=(*self.rows, *other.rows), source_id=sources, revisions=revisions, label=label)


def observed_rows(
    region: Region, name: str, series: Series, window: tuple[int, int | None]
) -> tuple[list[Row], list[str]]:
    """Rows of a series within the months of ``window``, and notes on what fell out.

    Rows that print no number, only one bound, no first day, zero, or less than ``at_least`` are no observations:
    the notes count them.
    """
    frame = _chosen(region.table(series.table).with_row_index("_index"), series)
    out: dict[str, int] = {}
    rows = []
    for record in frame.iter_rows(named=True):
        row, reason = _row(record, series, window)
        if row is None:
            out[reason] = out.get(reason, 0) + 1
        else:
            rows.append(row)
    if series.add_rows:
        rows = _added(rows)
    rows, small = [r for r in rows if r.value > 0 and r.value / series.scale >= series.at_least], len(rows)
    if small > len(rows):
        why = f"fewer than {series.at_least:,.0f}" if series.at_least else "zero"
        out[why] = small - len(rows)
    return rows, [f"{name}: {count} rows left out: {why}" for why, count in sorted(out.items())]


def _chosen(frame: pl.DataFrame, series: Series) -> pl.DataFrame:
    keep = pl.lit(True)
    for column, wanted in series.where.items():
        keep &= _matches(column, wanted)
    if series.without:
        keep &= ~pl.all_horizontal([_matches(c, w) for c, w in series.without.items()]).fill_null(False)
    return frame.filter(keep)


def _matches(column: str, wanted: Values) -> pl.Expr:
    if isinstance(wanted, dict):
        low, high = wanted.get("from", -math.inf), wanted.get("to", math.inf)
        return pl.col(column).is_between(low, high)
    return pl.col(column).is_in(wanted if isinstance(wanted, list) else [wanted])


def _fits(record: dict[str, Any], chosen: dict[str, Values]) -> bool:
    for column, wanted in chosen.items():
        value = record[column]
        if isinstance(wanted, dict):
            if value is None or not wanted.get("from", -math.inf) <= value <= wanted.get("to", math.inf):
                return False
        elif value not in (wanted if isinstance(wanted, list) else [wanted]):
            return False
    return True


def _row(record: dict[str, Any], series: Series, window: tuple[int, int | None]) -> tuple[Row | None, str]:
    value, range_sd = _value(record, series)
    if value is None:
        return None, "no number, or one bound only"
    span = _months(record, series.when)
    if span is None:
        return None, "no first day"
    start, end, closes = span
    if window[1] is not None and closes > window[1]:
        return None, "after the last month asked for"
    if start < window[0]:
        return None, "before the first month asked for"
    origin = series.origin or str(record[series.origin_column or "origin"])
    destination = series.destination or str(record[series.destination_column or "destination"])
    overrides = tuple(o for o in series.overrides if _fits(record, o.where))
    revision = record.get("revision")
    grade = record.get("grade")
    row = Row(
        *(origin, destination, start, end, value * series.scale),
        rows=(int(record["_index"]),),
        label=_label(record, origin, destination),
        source_id=str(record["source_id"]),
        note=str(record.get("note") or ""),
        range_sd=range_sd,
        grade_sd=float(scales()["grades"][grade]["error"]) if grade in scales()["grades"] else None,
        revisions=() if revision is None else (int(revision),),
        overrides=overrides,
    )
    return row, ""


def _label(record: dict[str, Any], origin: str, destination: str) -> str:
    if "figure_id" in record:
        return str(record["figure_id"])
    revision = record.get("revision")
    return f"{origin}>{destination} {record['year']}" + (f" ({revision})" if revision is not None else "")


def _value(record: dict[str, Any], series: Series) -> tuple[float | None, float]:
    """Value, and what a published range adds to its error; of a range alone the geometric middle."""
    cells = [record[column] for column in value_columns(series)]
    known = [float(cell) for cell in cells if cell is not None]
    low, high = (float(record.get(end) or 0) for end in ("low", "high"))
    ranged = series.value == "value" and 0 < low <= high
    spread = math.log(high / low) / RANGE if ranged else 0.0
    if known:
        return sum(known), spread
    return (math.sqrt(low * high), spread) if ranged else (None, 0.0)


def _months(record: dict[str, Any], when: str) -> tuple[int, int, int] | None:
    """First and last month of the model, and the month in which the period really closes."""
    if when == "period":
        return _period(record.get("date_start"), record.get("date_end"))
    january = int(record["year"]) * 12
    first, last = {"year": (0, 11), "mid_year": (5, 5), "end_year": (11, 11)}[when]
    return january + first, january + last, january + last


def _period(start: Any, end: Any) -> tuple[int, int, int] | None:
    if start is None or end is None:
        return None
    first, last = _day(start, opening=True), _day(end, opening=False)
    closes = last.year * 12 + last.month - 1
    opens = first.year * 12 + first.month - 1
    if first == last:  # one day: the nearer end of a month
        near = closes if last.day > 15 else closes - 1
        return near, near, closes
    whole = closes if last.day > 15 or closes == opens else closes - 1
    return opens, max(opens, whole), closes


def _day(value: Any, opening: bool) -> dt.date:
    """A date; a year or a month alone is its first or its last day."""
    if isinstance(value, dt.date):
        return value
    parts = [int(part) for part in str(value).split("-")]
    if len(parts) == 3:
        return dt.date(*parts)
    year, month = parts[0], parts[1] if len(parts) > 1 else (1 if opening else 12)
    if not 1 <= month <= 12:
        raise ZholError("not a date", found=value, expected="a date such as 2024-06-30, 2024-06 or 2024")
    return dt.date(year, month, 1 if opening else calendar.monthrange(year, month)[1])


def _added(rows: list[Row]) -> list[Row]:
    """Rows of the same corridor and months, added up."""
    kept: dict[tuple[str, str, int, int], Row] = {}
    for row in rows:
        key = (row.origin, row.destination, row.start, row.end)
        if key in kept:
            both = kept[key].joined(row)
            kept[key] = replace(both, value=kept[key].value + row.value, label=row.label)
        else:
            kept[key] = row
    return list(kept.values())
