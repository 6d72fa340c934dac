"""Summary indices of migration: intensity, impact, connectivity, distance and age profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.errors import ZholError
from zhol.core.frames import need_columns, to_polars
from zhol.core.quantity import plain_number
from zhol.core.result import json_ready
from zhol.estimate._indices import ages as age_measures
from zhol.estimate._indices import concentration
from zhol.estimate._indices import population as people_measures
from zhol.estimate._indices.distance import distances
from zhol.estimate._indices.reading import System, number, read_distance, read_population, read_systems

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd
    import xarray as xr

Array = NDArray[np.float64]

FAMILIES = {
    "intensity": ("cmp", "courgeau_k"),
    "impact": ("effectiveness", "anmr", "preference", "velocity", "impact_relative"),
    "connectivity": (
        "connectivity", "inequality_equal", "inequality_sim", "gini_total", "gini_orig_standardized",
        "gini_dest_standardized", "gini_out", "gini_in", "mwg_orig", "mwg_dest", "mwg_mean", "cv", "cv_cells", "acv",
        "acv_out", "acv_in",
    ),
    "distance": ("mean", "median", "decay"),
    "age": (
        "gmr", "peak_mi", "peak_age", "peak_breadth", "peak_share", "murc", "mdrc", "asymmetry",
        "peak_breadth_centred", "peak_share_centred", "peaking", "child_dependency", "labor_dependency",
        "labor_asymmetry", "regularity", "fit_error",
    ),
}  # fmt: skip
UNITS = {
    "cmp": "%", "effectiveness": "%", "anmr": "%", "peak_mi": "%", "peak_breadth": "%", "peak_share": "%",
    "peak_breadth_centred": "%", "peak_share_centred": "%", "fit_error": "%", "peak_age": "years", "murc": "years",
    "mdrc": "years", "peaking": "years", "mean": "distance", "median": "distance",
}  # fmt: skip
NOTES = {
    "cv": "as the reference program; grows with the flows: cv_cells is the coefficient of variation",
    "mwg_orig": "as the reference program (weights of the other side, divided by places): gini_out is the mean",
    "mwg_dest": "as the reference program (weights of the other side, divided by places): gini_in is the mean",
    "mwg_mean": "as the reference program: the mean of gini_out and gini_in is on the scale 0 to 1",
    "peak_breadth": "as the reference program (window by position): peak_breadth_centred is centred on the peak",
    "peak_share": "as the reference program (window by position): peak_share_centred is centred on the peak",
    "impact_relative": "anmr over the mean of the periods given",
}
ALSO = {"effectivness": "effectiveness", "mei": "effectiveness", "cmi": "cmp", "k": "courgeau_k"}
CITES = {
    "intensity": ("Courgeau (1973), Population 28(1), 95–129", "Courgeau, Muhidin and Bell (2012), Population 67"),
    "impact": (
        "Bell et al. (2002), J. R. Stat. Soc. A 165(3), 435–464",
        "Rees et al. (2017), Popul. Space Place 23(6)",
    ),
    "connectivity": (
        "Plane and Mulligan (1997), Demography 34(2), 251–262",
        "Rogers and Sweeney (1998), Professional Geographer 50(2), 232–242",
    ),
    "distance": ("Bell et al. (2002), J. R. Stat. Soc. A 165(3), 435–464",),
    "age": (
        "Bernard, Bell and Charles-Edwards (2014), Population Studies 68(2), 179–195",
        "Rogers and Castro (1981), IIASA RR-81-30",
    ),
}
SCHEMA = {
    "period": pl.String, "family": pl.String, "measure": pl.String, "value": pl.Float64, "low": pl.Float64,
    "high": pl.Float64, "unit": pl.String, "note": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Indices:
    """Summary indices of a migration system.

    Parameters
    ----------
    table : polars.DataFrame
        period, family, measure, value, low, high, unit, note; low and high are empty where no draws of the flows were
        given (counted flows have no interval).
    by_place : polars.DataFrame
        period, place, leaving, entering, net, effectiveness (%), net_rate (%, with population), gini_out, gini_in.
    warnings : tuple of str
        What a reader must know.

    Examples
    --------
    >>> found = indices(np.array([[0, 10, 5], [20, 0, 5], [5, 5, 0]]), 1000)
    >>> found["cmp"], found["effectiveness"]
    (5.0, 20.0)
    """

    table: pl.DataFrame
    by_place: pl.DataFrame
    level: float = 0.95
    warnings: tuple[str, ...] = ()
    cites: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def __getitem__(self, measure: str) -> float:
        name = ALSO.get(measure, measure)
        rows = self.table.filter(pl.col("measure") == name)
        if rows.is_empty():
            there = self.table["measure"].unique(maintain_order=True)
            raise KeyError(f"no measure {measure!r}; there are {', '.join(there)}")
        return float(rows["value"][-1])

    def wide(self) -> pl.DataFrame:
        """One row a period, one column a measure."""
        return self.table.pivot(on="measure", index="period", values="value")

    def summary(self) -> str:
        """The indices in a few lines of plain text."""
        lines = []
        for (period, family), rows in self.table.group_by("period", "family", maintain_order=True):
            head = family if period is None else f"{family}, {period}"
            lines.append(f"{head}: " + ", ".join(_said(r) for r in rows.iter_rows(named=True)))
        return "\n".join(lines + [f"Warning: {w}" for w in self.warnings] + [f"Method: {c}" for c in self.cites])

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        lists = {"warnings": list(self.warnings), "cites": list(self.cites), "level": self.level}
        tables = {"table": json_ready(self.table), "by_place": json_ready(self.by_place)}
        return {**tables, **lists, "details": json_ready(dict(self.details))}

    def to_pandas(self) -> pd.DataFrame:
        """The table as a pandas frame."""
        return self.table.to_pandas()

    def to_xarray(self) -> xr.Dataset:
        """Value, low and high along one dimension, ``measure`` (with the period before it where there are several)."""
        import xarray as xr

        name = pl.concat_str("period", "measure", separator=" ", ignore_nulls=True)
        names = self.table.select(name)[:, 0].to_list()
        data = {c: ("measure", self.table[c].to_numpy()) for c in ("value", "low", "high")}
        return xr.Dataset(data, coords={"measure": names})

    def plot(self, measures: tuple[str, ...] = ("gini_total", "gini_out", "gini_in", "inequality_sim")) -> alt.Chart:
        """Interval chart of measures of one scale (shares between 0 and 1 unless asked otherwise)."""
        from zhol.core import charts

        rows = self.table.filter(pl.col("measure").is_in(measures))
        if rows.is_empty():
            raise ZholError("none of these measures is in the table", found=", ".join(measures))
        label = pl.concat_str("measure", "period", separator=", ", ignore_nulls=True).alias("label")
        units = rows["unit"].unique().drop_nulls()
        unit = units[0] if len(units) == 1 and units[0] else "index"
        return charts.interval(rows.select(label, "value", "low", "high"), unit=unit, title="Migration indices")  # type: ignore[return-value]


def indices(
    flows: Any = None,
    population: Any = None,
    *,
    distance: Any = None,
    ages: Any = None,
    places: Any = None,
    age_model: bool = False,
    age_range: tuple[float, float] = (5, 65),
    breadth: int = 5,
    level: float = 0.95,
) -> Indices:
    """Summary indices of a system of flows, of its distances and of its age profile.

    Parameters
    ----------
    flows : result of ``zhol.estimate.flows``, array, square frame or tidy table, optional
        Tidy: origin, destination, persons and, if there are several, period. Persons who moved in the period. What
        stands on the diagonal (stayers, moves within a place) is left out. Drawn flows of a result give every index an
        interval.
    population : number, mapping, array or frame with place and population, optional
        People who could move, at the end of the period. A bare number gives intensity only.
    distance : array, square frame or table with origin, destination and distance, optional
        Any unit; gives the distance family.
    ages : frame with age and either mi (intensity) or migrants and population, optional
        By single years of age; gives the age family.
    places : sequence of str, optional
        Names of the rows of an array.
    age_model : bool
        Also fit the seven-parameter Rogers–Castro schedule and give its measures.
    age_range : tuple of float
        Youngest and oldest age at which the peak is sought.
    breadth : int
        Years on either side of the peak that count as its breadth.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Indices
        ``.table`` with one row a measure, ``.by_place``; ``found["cmp"]`` gives one value (of the last period).

    Raises
    ------
    ZholError
        If nothing is given, flows are negative, missing or not numbers, fewer than two places, a place has no people.

    Notes
    -----
    Formulas, papers and when to distrust a measure: ``docs/explanation/indices.md``. Measures keep the names that R's
    migest gives them and agree with it; where it departs from the paper it cites, the row has a note, and the measure
    of the paper stands beside it.

    Examples
    --------
    >>> table = {"origin": ["A", "B", "A"], "destination": ["B", "A", "C"], "persons": [30, 10, 10]}
    >>> found = indices(table, {"A": 500, "B": 300, "C": 200})
    >>> found["cmp"], round(found["courgeau_k"], 4), found["anmr"], found["connectivity"]
    (5.0, 2.2756, 3.0, 0.5)
    """
    if flows is None and ages is None:
        raise ZholError("indices need flows or ages", expected="flows, ages or both")
    if not 0 < level < 1:
        raise ZholError("level is not between 0 and 1", found=level)
    rows: list[dict[str, Any]] = []
    by_place: list[pl.DataFrame] = []
    warnings: list[str] = []
    if flows is not None:
        for system in read_systems(flows, places):
            rows += _system_rows(system, population, distance, level, warnings)
            by_place.append(_place_rows(system, population))
        _relative_impact(rows)
    details: dict[str, Any] = {}
    if ages is not None:
        rows += _age_rows(ages, age_model, age_range, breadth, details)
    table = pl.DataFrame(rows, schema=SCHEMA)
    families = table["family"].unique(maintain_order=True)
    cites = tuple(dict.fromkeys(c for f in families for c in CITES[f]))
    frame = pl.concat(by_place) if by_place else pl.DataFrame()
    return Indices(table, frame, level, tuple(dict.fromkeys(warnings)), cites, MappingProxyType(details))


def _system_rows(
    system: System, population: Any, distance: Any, level: float, warnings: list[str]
) -> list[dict[str, Any]]:
    stacked = system.stacked()
    moves = stacked * (1.0 - np.eye(len(system.places)))
    if not moves[0].sum() > 0:
        raise ZholError("nobody moved between two places", found="flows are all zero")
    found: dict[str, Array] = {}
    if population is not None:
        people, total = read_population(population, system)
        found |= people_measures.intensity(moves.sum((-1, -2)), total, len(system.places))
        if people is not None:
            found |= people_measures.impact(moves, people)
    found["effectiveness"] = people_measures.effectiveness(moves)
    found |= concentration.connectivity(moves)
    if distance is not None:
        apart = read_distance(distance, system)
        each = [distances(one, apart) for one in moves]
        found |= {name: np.array([e[name] for e in each]) for name in each[0]}
        if np.isnan(found["decay"][0]):
            warnings.append("The decay with distance is not identified by these places.")
    if system.draws is None:
        warnings.append("Flows came without draws, so the indices have no interval.")
    period = _label(system)
    order = [(f, m) for f in FAMILIES for m in FAMILIES[f] if m in found]
    return [_row(period, f, m, np.atleast_1d(found[m]), level) for f, m in order]


def _label(system: System) -> str | None:
    return None if system.period is None else str(system.period)


def _row(period: str | None, family: str, measure: str, values: Array, level: float) -> dict[str, Any]:
    low = high = None
    if len(values) > 1 and np.isfinite(values[1:]).any():
        ends = np.nanquantile(values[1:], [(1 - level) / 2, (1 + level) / 2])
        low, high = min(float(ends[0]), float(values[0])), max(float(ends[1]), float(values[0]))
    value = float(values[0])
    names = {"period": period, "family": family, "measure": measure}
    more = {"unit": UNITS.get(measure, ""), "note": NOTES.get(measure)}
    return {**names, "value": value if np.isfinite(value) else None, "low": low, "high": high, **more}


def _relative_impact(rows: list[dict[str, Any]]) -> None:
    """Where several periods are given: net migration of each against the mean of all."""
    found = [r for r in rows if r["measure"] == "anmr" and r["value"] is not None]
    if len(found) < 2:
        return
    mean = sum(r["value"] for r in found) / len(found)
    for row in found if mean > 0 else []:
        ratio = np.array([row["value"] / mean])
        rows.insert(rows.index(row) + 1, _row(row["period"], "impact", "impact_relative", ratio, 0.95))


def _place_rows(system: System, population: Any) -> pl.DataFrame:
    moves = system.moves
    leaving, entering = moves.sum(1), moves.sum(0)
    gini = concentration.by_place(moves)
    people = read_population(population, system)[0] if population is not None else None
    rate = 100 * (entering - leaving) / people if people is not None else np.full(len(leaving), np.nan)
    return pl.DataFrame(
        {
            "period": pl.Series([_label(system)] * len(leaving), dtype=pl.String),
            "place": list(system.places),
            "leaving": leaving,
            "entering": entering,
            "net": entering - leaving,
            "effectiveness": 100 * concentration.divide(entering - leaving, entering + leaving),
            "net_rate": rate,
            **gini,
        }
    ).with_columns(pl.col(pl.Float64).fill_nan(None))


def _age_rows(
    ages: Any, model: bool, span: tuple[float, float], breadth: int, details: dict[str, Any]
) -> list[dict[str, Any]]:
    age, rate = _age_profile(ages)
    found = age_measures.profile(age, rate, *span, breadth)
    if model:
        moved = rate > 0
        parameters, error = age_measures.fit_rogers_castro(age[moved], rate[moved])
        found |= age_measures.schedule_measures(parameters) | {"fit_error": error}
        details["rogers_castro"] = parameters
    return [_row(None, "age", m, np.array([found[m]]), 0.95) for m in FAMILIES["age"] if m in found]


def _age_profile(ages: Any) -> tuple[Array, Array]:
    table = to_polars(ages, name="ages")
    need_columns(table, ["age"], name="ages")
    age = number(table, "age", "ages").to_numpy()
    if "mi" in table.columns:
        rate = number(table, "mi", "ages").fill_null(np.nan).to_numpy()
    else:
        need_columns(table, ["migrants", "population"], name="ages")
        exposed = number(table, "population", "ages").fill_null(np.nan).to_numpy()
        if not (exposed > 0).all():
            raise ZholError("an age has no population", column="population", row=int(np.argmin(exposed > 0)) + 2)
        rate = number(table, "migrants", "ages").fill_null(np.nan).to_numpy() / exposed
    if not np.isfinite(rate).all() or (rate < 0).any():
        wrong = int(np.argmin(np.isfinite(rate) & (rate >= 0)))
        raise ZholError("intensity of an age is missing or negative", row=wrong + 2, found=float(rate[wrong]))
    if len(np.unique(age)) < len(age):
        raise ZholError("an age stands twice", column="age", expected="one row for every year of age")
    order = np.argsort(age)
    return age[order], rate[order]


def _said(row: dict[str, Any]) -> str:
    value = "not defined" if row["value"] is None else plain_number(row["value"])
    unit = " %" if row["unit"] == "%" else ""
    span = "" if row["low"] is None else f" ({plain_number(row['low'])} to {plain_number(row['high'])})"
    return f"{row['measure']} {value}{unit}{span}"
