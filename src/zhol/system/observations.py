"""The figures that the system is fitted to, each tied to the corridors, statuses and months that it measures."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.system.names import STATUSES
from zhol.system.observation_map import ACCOUNTS, ObservationMap, Series, observation_map
from zhol.system.observed_rows import Row, observed_rows
from zhol.system.stock_revisions import Revisions, revisions_of

if TYPE_CHECKING:
    from zhol.region.load import Region

Array = np.ndarray
SCHEMA: dict[str, Any] = {
    "observation": pl.Int64,
    "series": pl.String,
    "kind": pl.String,
    "measure": pl.String,
    "accounts": pl.String,
    "origin": pl.String,
    "destination": pl.String,
    "month_start": pl.String,
    "month_end": pl.String,
    "value": pl.Float64,
    "log_sd": pl.Float64,
    "df": pl.Float64,
    "persistence": pl.Float64,
    "bias_group": pl.String,
    "bias_sd": pl.Float64,
    "trend_group": pl.String,
    "trend_years": pl.Float64,
    "trend_sd": pl.Float64,
    "event": pl.String,
    "table": pl.String,
    "rows": pl.List(pl.Int64),
    "label": pl.String,
    "source_id": pl.String,
    "note": pl.String,
}


@dataclass(frozen=True, eq=False)
class Observations:
    """Observations as a table, and as a sparse sum over the model's corridors, statuses and accounts.

    Parameters
    ----------
    table : polars.DataFrame
        One row an observation, in the order of ``observation``: series, kind, measure (``stock``: sum at the end of
        ``month_end``; ``stock_mean``: its mean over the months; ``flow``: sum of accounts over the months;
        ``remittances``: USD million over the months), accounts (joined by ``+``), month_start and month_end
        ("YYYY-MM", both included), value, log_sd and df (Student error of the log), persistence (correlation of that
        error over five years within a cell; 0 where each figure stands alone), bias_group with bias_sd (normal prior
        of a log factor the group shares; "" for none), trend_group with trend_years (years before recording was
        complete) and trend_sd (prior of the yearly log step), event (must take place in the run to be compared),
        table, rows (indices into ``region.table(table)``), label, source_id, note.
    obs_index, corridor_index, status_index, account_index : ndarray of int, shape (term,)
        One entry a term of the sums; ``status_index`` is -1 where an account is summed, ``account_index`` -1 where a
        stock is.
    weight : ndarray of float, shape (term,)
        Weight of the term.
    corridors : tuple of (str, str)
        What ``corridor_index`` counts.
    accounts : tuple of str
        What ``account_index`` counts.
    notes : tuple of str
        What was left out or taken on trust.
    """

    table: pl.DataFrame
    obs_index: Array
    corridor_index: Array
    status_index: Array
    account_index: Array
    weight: Array
    corridors: tuple[tuple[str, str], ...]
    accounts: tuple[str, ...] = ACCOUNTS
    notes: tuple[str, ...] = ()

    @property
    def bias_groups(self) -> dict[str, float]:
        """Prior standard deviation of each group's bias, by name."""
        return _groups(self.table, "bias")

    @property
    def trend_groups(self) -> dict[str, float]:
        """Prior standard deviation of each group's yearly log step of recording, by name."""
        return _groups(self.table, "trend")

    def months(self, start: str) -> tuple[Array, Array]:
        """First and last month of each observation, counted from ``start`` ("YYYY-MM") as 0; both included."""
        origin = month_number(start)
        first = [month_number(m) - origin for m in self.table["month_start"]]
        return np.array(first, dtype=int), np.array(
            [month_number(m) - origin for m in self.table["month_end"]], dtype=int
        )


def observations(
    region: Region,
    corridors: Sequence[tuple[str, str]],
    places: Sequence[str],
    until: str | None = None,
    since: str = "2000-01",
) -> Observations:
    """Choose the figures of a pack that the model can be compared with.

    Parameters
    ----------
    region : Region
        A pack; its ``observations.yaml`` says what each series measures, without one the shipped default for the
        stocks of the United Nations.
    corridors : sequence of (origin, destination)
        The model's corridors; figures of others are skipped with a note.
    places : sequence of str
        The model's places; groups such as WLD are expanded to these.
    until : str, optional
        "YYYY-MM": only figures whose period ends by then.
    since : str
        "YYYY-MM": only figures whose period begins by then or later.

    Returns
    -------
    Observations

    Raises
    ------
    ZholError
        If the map is wrong (file, key, what was found, what expected) or a month is no month.

    Examples
    --------
    >>> import zhol
    >>> obs = observations(zhol.load("central_asia"), [("UZB", "KAZ")], ["UZB", "KAZ"], until="2001-12")
    >>> stocks = obs.table.filter(obs.table["series"] == "un_stock")
    >>> stocks.select("label", "month_end", "value").rows()
    [('UZB>KAZ 2000 (2020)', '2000-06', 168223.0), ('UZB>KAZ 2000 (2024)', '2000-06', 439439.0)]
    """
    window = (month_number(since), month_number(until) if until is not None else None)
    chart = observation_map(region)
    index = {pair: i for i, pair in enumerate(corridors)}
    expand = _Expander(region, tuple(places), index)
    notes: list[str] = []
    revisions = revisions_of(region)
    built: list[tuple[dict[str, Any], list[tuple[int, int, int, float]]]] = []
    for name, series in sorted(chart.series.items()):
        rows, said = observed_rows(region, name, series, window)
        notes += said
        built += _observe(name, series, rows, expand, revisions, notes)
    built.sort(key=lambda one: _order(one[0]))
    notes += _general_notes(chart, revisions, until)
    return _assemble(built, tuple(corridors), notes)


def month_number(text: str) -> int:
    """Months since year 0 of "YYYY-MM".

    Examples
    --------
    >>> month_number("2001-01") - month_number("2000-12")
    1
    """
    try:
        date = dt.datetime.strptime(text, "%Y-%m")
    except (TypeError, ValueError):
        raise ZholError("not a month", found=text, expected="YYYY-MM such as 2014-12") from None
    return date.year * 12 + date.month - 1


def month_text(number: int) -> str:
    """The inverse of `month_number`.

    Examples
    --------
    >>> month_text(month_number("2014-12"))
    '2014-12'
    """
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


class _Expander:
    """Places that a code stands for, and the corridors between two codes."""

    def __init__(self, region: Region, places: tuple[str, ...], index: dict[tuple[str, str], int]) -> None:
        self.index = index
        table = region.places.filter(pl.col("kind") == "group")
        groups = dict(zip(table["place"], table["members"].fill_null(""), strict=True))
        self.members = {g: tuple(m.split(";")) if m else () for g, m in groups.items()}
        self.places = places

    def of(self, code: str) -> tuple[str, ...]:
        """WLD is every place of the model; a group its members; any other code itself."""
        if code == "WLD":
            return self.places
        return self.members.get(code, (code,))

    def pairs(self, origin: str, destination: str) -> tuple[list[int], int]:
        """Indices of the corridors in the model, and how many pairs there might be."""
        wanted = sorted({(o, d) for o in self.of(origin) for d in self.of(destination) if o != d})
        return [self.index[pair] for pair in wanted if pair in self.index], len(wanted)


def _observe(
    name: str, series: Series, rows: list[Row], expand: _Expander, revisions: Revisions, notes: list[str]
) -> list[tuple[dict[str, Any], list[tuple[int, int, int, float]]]]:
    """Records and sum terms of one series."""
    built, missing, empty = [], 0, set()
    for row in _once(rows, series):
        hit, possible = expand.pairs(row.origin, row.destination)
        if not hit:
            missing += 1
            empty |= {code for code in (row.origin, row.destination) if not expand.of(code)}
            continue
        record = _record(name, series, row, revisions)
        if possible > 1:
            record["note"] = _join(record["note"], f"adds up {len(hit)} corridors of the model")
        built.append((record, _terms(series, row, hit)))
    if missing:
        extra = f" (groups without members: {', '.join(sorted(empty))})" if empty else ""
        notes.append(f"{name}: {missing} figures are of corridors that the model does not have{extra}")
    return built


def _once(rows: list[Row], series: Series) -> list[Row]:
    """Cells that are the same number in both revisions were copied, not measured twice: one observation."""
    if series.table != "stocks":
        return rows
    kept: dict[tuple[str, str, int, float], Row] = {}
    for row in rows:
        key = (row.origin, row.destination, row.end, row.value)
        kept[key] = kept[key].joined(row) if key in kept else row
    return list(kept.values())


def _terms(series: Series, row: Row, corridors: list[int]) -> list[tuple[int, int, int, float]]:
    if series.measure == "stock":
        weights = next((o.statuses for o in row.overrides if o.statuses), series.statuses)
        return [(c, STATUSES.index(s), -1, w) for c in corridors for s, w in weights.items()]
    return [(c, -1, ACCOUNTS.index(a), 1.0) for c in corridors for a in series.accounts]


def _record(name: str, series: Series, row: Row, revisions: Revisions) -> dict[str, Any]:
    scale, df = revisions.scale(row.destination, row.value), revisions.df
    log_sd = next((o.log_sd for o in row.overrides if o.log_sd), series.log_sd)
    if log_sd == "revisions":
        log_sd = scale if scale is not None else series.otherwise
    elif log_sd == "grade":
        log_sd = row.grade_sd if row.grade_sd is not None else series.otherwise
    spread = math.sqrt(float(log_sd) ** 2 + row.range_sd**2 + 1 / max(row.value / series.scale, 1.0))
    bias, trend = _bias(series, row, revisions), series.trend
    years = max(0.0, trend.until - (row.end // 12)) if trend else 0.0
    return {
        "series": name,
        "kind": series.kind,
        "measure": "stock_mean" if series.measure == "stock" and row.start < row.end else series.measure,
        "accounts": "+".join(series.accounts),
        "origin": row.origin,
        "destination": row.destination,
        "month_start": month_text(row.start),
        "month_end": month_text(row.end),
        "value": row.value,
        "log_sd": spread,
        "df": df if series.df == "revisions" else float(series.df),
        "persistence": revisions.persistence if series.log_sd == "revisions" else 0.0,
        "bias_group": bias,
        "bias_sd": series.bias.sd if bias and series.bias else 0.0,
        "trend_group": _filled(trend.group, row) if trend and years else "",
        "trend_years": years,
        "trend_sd": trend.sd if trend and years else 0.0,
        "event": series.event or "",
        "table": series.table,
        "rows": sorted(row.rows),
        "label": row.label,
        "source_id": row.source_id,
        "note": _join(*(o.note for o in row.overrides), row.note),
    }


def _bias(series: Series, row: Row, revisions: Revisions) -> str:
    """Name of the group; none for a number that both revisions print, or where the revisions never differ."""
    if series.bias is None:
        return ""
    if series.bias.only == "rival_revisions" and (len(row.revisions) != 1 or row.destination not in revisions.rival):
        return ""
    return _filled(series.bias.group, row)


def _filled(template: str, row: Row) -> str:
    revision = row.revisions[0] if row.revisions else ""
    names = {"origin": row.origin, "destination": row.destination, "revision": str(revision)}
    for key, value in names.items():
        template = template.replace("{" + key + "}", value)
    return template


def _join(*notes: str | None) -> str:
    return "; ".join(note for note in notes if note)


def _order(record: dict[str, Any]) -> tuple[Any, ...]:
    keys = ("series", "month_end", "month_start", "origin", "destination", "value", "label")
    return tuple(record[key] for key in keys)


def _groups(table: pl.DataFrame, what: str) -> dict[str, float]:
    rows = table.filter(pl.col(f"{what}_group") != "").select(f"{what}_group", f"{what}_sd").unique()
    grouped = rows.group_by(f"{what}_group").agg(pl.col(f"{what}_sd").max()).sort(f"{what}_group")
    return dict(grouped.iter_rows())


def _general_notes(chart: ObservationMap, revisions: Revisions, until: str | None) -> list[str]:
    notes = list(revisions.notes)
    if not chart.own:
        notes.append("the pack has no observations.yaml: only migrant stocks are used, by the shipped default")
    if until is not None:
        notes.append(
            f"figures for periods to {until} are taken as known today: later revisions of them are used, for the "
            "numbers as they stood then are not in the pack"
        )
    return notes


def _assemble(
    built: list[tuple[dict[str, Any], list[tuple[int, int, int, float]]]],
    corridors: tuple[tuple[str, str], ...],
    notes: list[str],
) -> Observations:
    records = [{"observation": i, **record} for i, (record, _) in enumerate(built)]
    terms = [(i, *term) for i, (_, part) in enumerate(built) for term in part]
    sums = np.array([t[:4] for t in terms], dtype=int).reshape(-1, 4)
    weight = np.array([t[4] for t in terms], dtype=float)
    table = pl.DataFrame(records, schema=SCHEMA, orient="row")
    return Observations(
        table, sums[:, 0], sums[:, 1], sums[:, 2], sums[:, 3], weight, corridors, ACCOUNTS, tuple(notes)
    )
