"""Pictures of a check: what each lever does, in how many draws, and the course of a few answers over time."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from zhol.trust._check.finding import Finding
    from zhol.trust.behaviours import CheckReport

_MOST = 50.0  # times: what moves by more is in the table only, and longer lines are cut there
_COURSES = (
    ("anticipation", "Entries, restriction announced"),
    ("capacity_price", "Price, capacity cut"),
    ("regularisation_irregular", "Irregular stock, regularisation"),
    ("removal_stock", "Irregular stock, more removal"),
    ("reentry_entries", "Entries, dearer entry"),
    ("network_trace", "Share of the corridor, settlement eased"),
)  # fmt: skip


def answers(report: CheckReport, group: str) -> dict[str, Any] | None:
    """Specification of an interval chart: the factor by which each outcome moves, median and 80 % of the cells."""
    from zhol.core.charts import interval_spec

    rows = [_factor(f) for f in report.findings if f.group == group and f.unit == "log change" and f.cells.size]
    # Laws of equality and channels that close altogether are told by the table.
    rows = [r for r in rows if (r["low"] < 0.999 or r["high"] > 1.001) and 1 / _MOST < r["value"] < _MOST]
    return interval_spec(rows, unit="times the baseline", log=True) if rows else None


def _factor(found: Finding) -> dict[str, Any]:
    low, middle, high = np.clip(np.exp(np.quantile(found.cells, [0.1, 0.5, 0.9])), 1.0 / _MOST, _MOST)
    return {"label": found.statement.rstrip("."), "value": float(middle), "low": float(low), "high": float(high)}


def courses(report: CheckReport) -> dict[str, Any] | None:
    """Specification of small multiples: change over time of a few outcomes, median and 80 % of the cells."""
    from zhol.core.charts import lines_spec

    rows = []
    names = {f.id: f for f in report.findings}
    for name, words in _COURSES:
        if name in names and names[name].cells.size:
            rows += _course(names[name], "\n".join(textwrap.wrap(words, 28)))
    if not rows:
        return None
    spec = lines_spec(rows, unit="% change from the baseline", height=150, per_row=3)
    _in_years(spec, max(r["year"] for r in rows))
    return spec


def _in_years(part: Any, last: int) -> None:
    """Months along the bottom are read as years."""
    if isinstance(part, dict):
        if part.get("field") == "year" and isinstance(part.get("axis"), dict):
            ticks = list(range(0, last + 1, 12))
            part["axis"] |= {"values": ticks, "labelExpr": "datum.value / 12", "title": "years"}
        for inner in part.values():
            _in_years(inner, last)
    elif isinstance(part, list):
        for inner in part:
            _in_years(inner, last)


def _course(found: Finding, words: str) -> list[dict[str, Any]]:
    """Months are numbered from the first of the run; the axis has whole numbers only."""
    (path,) = found.paths.values()
    seen = path[~np.isnan(path).all(axis=1)]
    low, middle, high = 100.0 * np.expm1(np.nanquantile(seen, [0.1, 0.5, 0.9], axis=0))
    months = range(path.shape[1])
    return [
        {"year": m, "value": float(v), "low": float(a), "high": float(b), "series": "change", "panel": words}
        for m, v, a, b in zip(months, middle, low, high, strict=True)
    ]
