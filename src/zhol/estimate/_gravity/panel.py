"""Flows and covariates joined into one panel; what is lost on the way is counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.core.frames import need_columns, to_polars

NO_PERIOD = "0"
KEYS = ("origin", "destination", "period")
_FLOW_NAMES = {"orig": "origin", "dest": "destination", "year0": "period", "year": "period", "flow": "persons"}


def read_flows(flows: Any) -> pl.DataFrame:
    """origin, destination, period, persons; one row a pair and period, moves within a place left out."""
    table = _table(flows)
    table = table.rename({a: b for a, b in _FLOW_NAMES.items() if a in table.columns and b not in table.columns})
    need_columns(table, ["origin", "destination", "persons"], name="flows")
    if "period" not in table.columns:
        table = table.with_columns(period=pl.lit(NO_PERIOD))
    _named(table, "flows")
    _counted(table["persons"])
    table = table.with_columns(pl.col("persons").cast(pl.Float64), pl.col("period").cast(pl.String))
    whole = table.group_by(KEYS, maintain_order=True).agg(pl.col("persons").sum())
    if whole.height < table.height and "birthplace" not in table.columns:
        twice = table.filter(table.select(KEYS).is_duplicated()).row(0, named=True)
        raise ZholError("flows hold a pair twice", found=f"{twice['origin']} to {twice['destination']}")
    moved = whole.filter(pl.col("origin") != pl.col("destination"))
    if moved.is_empty():
        raise ZholError("flows hold one place", expected="moves between two or more places")
    return moved


def _table(flows: Any) -> pl.DataFrame:
    """The table of a result of ``flows``, of several by period, or of whatever frame was given."""
    held = getattr(flows, "table", None)
    if isinstance(held, pl.DataFrame):
        return held
    if isinstance(flows, Mapping) and flows and all(isinstance(_held(v), pl.DataFrame) for v in flows.values()):
        parts = [_held(v).select("origin", "destination", "persons", period=pl.lit(str(k))) for k, v in flows.items()]
        return pl.concat(parts)
    return to_polars(flows, name="flows")


def _held(value: Any) -> Any:
    return getattr(value, "table", None)


def one_period(flows: pl.DataFrame, covariates: pl.DataFrame) -> pl.DataFrame:
    """Flows without a period take the one period of the covariates."""
    if "period" not in covariates.columns or flows["period"].unique().to_list() != [NO_PERIOD]:
        return flows
    periods = covariates["period"].unique()
    if len(periods) > 1:
        raise ZholError(
            "flows have no period, covariates have several",
            found=", ".join(periods.sort().head(6)),
            hint="give flows as {period: flows}, or covariates of one period",
        )
    return flows.with_columns(period=pl.lit(periods[0]))


def read_covariates(covariates: Any) -> pl.DataFrame:
    """The covariates of every pair, with the keys as text."""
    table = to_polars(covariates, name="covariates")
    names = {a: b for a, b in _FLOW_NAMES.items() if a in table.columns and b not in table.columns and b != "persons"}
    table = table.rename(names)
    need_columns(table, ["origin", "destination"], name="covariates")
    _named(table, "covariates")
    keys = [k for k in KEYS if k in table.columns]
    table = table.with_columns(pl.col(k).cast(pl.String) for k in keys)
    if table.select(keys).is_duplicated().any():
        twice = table.filter(table.select(keys).is_duplicated()).row(0, named=True)
        raise ZholError("covariates hold a pair twice", found=f"{twice['origin']} to {twice['destination']}")
    return table


def join(flows: pl.DataFrame, covariates: pl.DataFrame, absent: str, warnings: list[str]) -> pl.DataFrame:
    """One row a pair and period with flow and covariates, in a fixed order.

    ``absent`` says what a pair is that has covariates and no flow: ``leave_out`` (not estimated) or ``zero``.
    """
    if absent not in ("leave_out", "zero"):
        raise ZholError("absent is unknown", found=absent, expected="leave_out or zero")
    keys = [k for k in KEYS if k in covariates.columns]
    if "period" not in keys and absent == "zero":
        periods = flows.select("period").unique()
        covariates, keys = covariates.join(periods, how="cross"), list(KEYS)
    clash = [c for c in covariates.columns if c == "persons"]
    panel = covariates.drop(clash).join(flows, on=keys, how="left" if absent == "zero" else "inner")
    if absent == "zero":
        known = flows.select("period").unique()
        panel = panel.join(known, on="period", how="semi").with_columns(pl.col("persons").fill_null(0.0))
    panel = panel.filter(pl.col("origin") != pl.col("destination")).sort(KEYS)
    if panel.is_empty():
        raise ZholError("flows and covariates share no pair", expected="the same codes of places and periods in both")
    lost = flows.join(covariates, on=keys, how="anti")
    if lost.height:
        share = _sum(lost) / max(_sum(flows), 1e-300)
        warnings.append(f"{lost.height:,} flows ({share:.1%} of persons) have no covariates and are left out.")
    return panel


def complete(panel: pl.DataFrame, columns: list[str], warnings: list[str]) -> pl.DataFrame:
    """Rows in which every covariate is known; the warning names the covariates that cost most."""
    bad = {c: panel[c].is_null() | (panel[c].is_nan() if panel[c].dtype.is_float() else False) for c in columns}
    missing = {c: int(s.sum()) for c, s in bad.items() if s.any()}
    if not missing:
        return panel
    whole = panel.filter(~pl.any_horizontal(*[s.alias(c) for c, s in bad.items() if c in missing]))
    if whole.is_empty():
        raise ZholError("no pair has every covariate", found=", ".join(missing), expected="at least some complete rows")
    share = 1 - _sum(whole) / max(_sum(panel), 1e-300)
    worst = ", ".join(f"{c} {n:,}" for c, n in sorted(missing.items(), key=lambda x: -x[1])[:3])
    lost = f"{panel.height - whole.height:,} of {panel.height:,} pairs ({share:.1%} of persons)"
    warnings.append(f"{lost} lack a covariate ({worst}) and are left out.")
    return whole


def _sum(table: pl.DataFrame) -> float:
    return float(table["persons"].sum())


def _named(table: pl.DataFrame, what: str) -> None:
    for column in ("origin", "destination"):
        empty = table[column].is_null()
        if empty.any():
            raise ZholError(f"{what}: a place has no name", row=int(empty.arg_true()[0]) + 2, column=column)


def _counted(persons: pl.Series) -> None:
    if not persons.dtype.is_numeric():
        raise ZholError("flows are not numbers", column="persons", found=persons.drop_nulls()[0])
    unknown = persons.is_null() | (persons.is_nan() if persons.dtype.is_float() else False)
    if unknown.any():
        row = int(unknown.arg_true()[0]) + 2
        raise ZholError("a flow is missing", row=row, column="persons", hint="leave the row out, or write 0 for none")
    if (persons < 0).any():
        row = int((persons < 0).arg_true()[0])
        raise ZholError("a flow is negative", row=row + 2, column="persons", found=persons[row])
    if not persons.sum() > 0:
        raise ZholError("nobody moved", column="persons", found="flows are all zero")
