"""Backtests: fit to a date, predict what came after, and stand beside what anybody could have said."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.trust.baselines import BASELINES
from zhol.trust.scores import central_interval, coverage, crps

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.fit import Fit

_HINDCAST_YEARS = 7  # how far before the cut the earlier fit ends that tells how the model's own error grows
_LEVELS = (0.5, 0.8)
FOCUS = ("KAZ", "KGZ", "TJK", "TKM", "UZB")


@dataclass(frozen=True)
class Backtest:
    """Predictions of held-out figures beside the figures, and beside three yardsticks.

    Attributes
    ----------
    figures : polars.DataFrame
        One row a held-out figure: series, kind, origin, destination, label, month_end, value, predicted, 50 and 80 %
        intervals, log error, whether the series was seen before the cut, and the yardsticks' answers and errors.
    scores : polars.DataFrame
        By kind and seen: number of figures, median and mean absolute log error, coverage, and those of the yardsticks.
    discrepancy : mapping of kind to float
        Yearly log error of the model itself, found by an earlier fit inside the fitted period.
    meta : mapping
    """

    figures: pl.DataFrame
    scores: pl.DataFrame
    discrepancy: Mapping[str, float]
    meta: Mapping[str, Any] = field(default_factory=dict)

    def misses(self, count: int = 10) -> pl.DataFrame:
        """Figures farthest outside their 80 % interval, or farthest off, first."""
        return self.figures.sort(pl.col("log_error").abs(), descending=True).head(count)

    def of(
        self,
        *,
        series: str | None = None,
        origin: str | None = None,
        destination: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> pl.DataFrame:
        """Held-out figures of one series, place or time."""
        rows = self.figures
        for name, value in (("series", series), ("origin", origin), ("destination", destination)):
            if value is not None:
                rows = rows.filter(pl.col(name) == value)
        if since:
            rows = rows.filter(pl.col("month_end") >= since)
        return rows.filter(pl.col("month_end") <= until) if until else rows

    def stocks_by_horizon(self) -> pl.DataFrame:
        """Stocks of corridors that touch the five states: median error and coverage by year of the figure."""
        five = pl.col("origin").is_in(FOCUS) | pl.col("destination").is_in(FOCUS)
        rows = self.figures.filter((pl.col("kind") == "un_stock") & five)
        return (
            rows.group_by(pl.col("month_end").str.slice(0, 4).alias("year"))
            .agg(
                pl.len().alias("figures"),
                pl.col("log_error").abs().median().alias("median_error"),
                pl.col("inside_80").mean().alias("coverage_80"),
                *[pl.col(f"error {name}").abs().median().alias(name) for name in BASELINES],
            )
            .sort("year")
        )

    def summary(self) -> str:
        """The backtest in a few lines, misses first."""
        worst = self.misses(3)
        lines = [
            f"Fitted to {self.meta['cut']}, {self.figures.height} figures held out; drivers {self.meta['drivers']}."
        ]
        lines += [
            f"Missed: {r['label']} {r['month_end']}: {r['value']:,.0f} against {r['predicted']:,.0f} "
            f"({r['low_80']:,.0f} to {r['high_80']:,.0f})"
            for r in worst.iter_rows(named=True)
        ]
        for r in self.scores.iter_rows(named=True):
            lines.append(
                f"{r['kind']}{'' if r['seen'] else ' (not seen before)'}: {r['figures']} figures, median error "
                f"{r['median_error']:.2f}, 80% intervals hold {r['coverage_80']:.0%}; no change {r['no change']:.2f}"
            )
        return "\n".join(lines)

    def save(self, path: str | Path) -> Path:
        """Write the backtest as JSON, numbers to six digits; nothing half-written is left behind."""
        target = Path(path)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        body = {"figures": self.figures.to_dicts(), "discrepancy": dict(self.discrepancy), "meta": dict(self.meta)}
        try:
            temporary.write_text(json.dumps(_short(body), separators=(",", ":"), default=str), encoding="utf-8")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return target


def _short(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if np.isfinite(value) else None
    if isinstance(value, Mapping):
        return {k: _short(v) for k, v in value.items()}
    return [_short(v) for v in value] if isinstance(value, list | tuple) else value


def load_backtest(path: str | Path) -> Backtest:
    """Read a backtest that ``Backtest.save`` wrote."""
    file = Path(path)
    if not file.exists():
        raise ZholError("no such backtest", file=str(file))
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        figures = pl.DataFrame(body["figures"], infer_schema_length=None).with_columns(
            pl.col(n, f"error {n}").cast(pl.Float64).fill_null(float("nan")) for n in BASELINES
        )
        return Backtest(figures, _scores(figures), body["discrepancy"], body["meta"])
    except (ValueError, KeyError) as error:
        raise ZholError("not a backtest", file=str(file)) from error


def backtest(
    region: Region,
    cut: str = "2014-12",
    *,
    drivers: str = "observed",
    draws: int = 200,
    seed: int = 1,
    fit: Fit | None = None,
    hindcast: Fit | None = None,
    progress: Any = None,
) -> Backtest:
    """Fit to ``cut``, predict every later figure.

    Parameters
    ----------
    region : Region
    cut : str
        Last month that the fit may see.
    drivers : {"observed", "projected"}
        Populations, incomes and conflicts after the cut as they came (the test is of the system), or as they could be
        projected then (the test is of the forecast).
    draws, seed : int
    fit, hindcast : Fit, optional
        Fits to the cut and to seven years before it, if they are there already; else they are made (minutes).

    Returns
    -------
    Backtest

    Raises
    ------
    ZholError
        No figure lies after the cut.
    """
    from zhol.system.calibration import calibrate
    from zhol.system.likelihood import build_problem
    from zhol.system.model import Model
    from zhol.system.prediction import predictive_draws

    if drivers not in ("observed", "projected"):
        raise ZholError("unknown drivers", found=drivers, expected="observed or projected")
    earlier = f"{int(cut[:4]) - _HINDCAST_YEARS}{cut[4:]}"
    fit = fit or calibrate(region, until=cut, seed=seed, progress=progress)
    hindcast = hindcast or calibrate(region, until=earlier, seed=seed, starts=1, progress=progress)
    growth = own_error(Model(region, policies_until=cut), _with_errors(hindcast, fit), earlier, cut, draws, seed)
    model = Model(region, policies_until=cut)
    problem = build_problem(model, drivers_until=cut if drivers == "projected" else None)
    after = np.array([m > cut for m in problem.obs.table["month_end"]]) & (problem.errors["used"] > 0)
    if not after.any():
        raise ZholError("no figure lies after the cut", found=cut)
    sample = predictive_draws(problem, fit, draws=draws, seed=seed, cut=cut, discrepancy=growth)["figure"]
    figures = _figures(problem.obs.table, after, sample, cut)
    meta = {
        "cut": cut,
        "drivers": drivers,
        "pack": region.name,
        "draws": draws,
        "seed": seed,
        "notes": list(problem.obs.notes),
    }
    return Backtest(figures, _scores(figures), growth, meta)


def _with_errors(hindcast: Fit, fit: Fit) -> Fit:
    """The earlier fit with the later one's model of errors, which rests on more figures."""
    from dataclasses import replace

    places = {name: i for i, name in enumerate(fit.names)}
    sample = np.array(hindcast.sample)
    rows = np.arange(len(sample)) % len(fit.sample)
    for i, name in enumerate(hindcast.names):
        if name.startswith(("persistence ", "further error ", "momentum")) and name in places:
            sample[:, i] = fit.sample[rows, places[name]]
    return replace(hindcast, sample=sample)


def own_error(model: Any, fit: Fit, cut: str, until: str, draws: int, seed: int) -> dict[str, float]:
    """Yearly log error of the model by kind of series: what an earlier fit misses beyond its own intervals.

    Everything used lies within the period that the later fit may see.
    """
    from zhol.system.likelihood import build_problem
    from zhol.system.prediction import predictive_draws

    problem = build_problem(model, until=until)
    log_sample = np.log(predictive_draws(problem, fit, draws=draws, seed=seed, cut=cut)["figure"])
    from zhol.system.instruments import month_number

    ahead = (np.array([month_number(m) for m in problem.obs.table["month_end"]]) - month_number(cut)) / 12.0
    miss = problem.errors["log_value"] - np.median(log_sample, axis=0)
    low, high = np.quantile(log_sample, [0.16, 0.84], axis=0)
    kinds, out = np.array(problem.obs.table["kind"].to_list()), {}
    for kind in sorted({str(k) for k in kinds}):
        here = (kinds == kind) & (ahead > 0) & (problem.errors["used"] > 0)
        if here.sum() < 3:
            continue
        # Medians, for a few wild figures must not widen every other.
        typical = 2.198 * np.median(miss[here] ** 2)  # median of a squared normal is 0.4549 of its variance
        claimed = np.median(((high - low)[here] / 2.0) ** 2)
        out[kind] = float(np.sqrt(max(typical - claimed, 0.0) / np.median(ahead[here])))
    return out


def _figures(table: pl.DataFrame, after: np.ndarray, sample: np.ndarray, cut: str) -> pl.DataFrame:
    rows = []
    seen_before = table.filter(pl.col("month_end") <= cut)
    history = _histories(seen_before)
    for i in np.flatnonzero(after):
        one = table.row(int(i), named=True)
        draw, value = sample[:, i], one["value"]
        row = {k: one[k] for k in ("series", "kind", "origin", "destination", "label", "month_start", "month_end")}
        row |= {
            "value": value,
            "predicted": float(np.median(draw)),
            "crps": float(crps(np.log(draw[:, None]), np.log([value]))[0]),
        }
        for level in _LEVELS:
            low, high = (float(a[0]) for a in central_interval(draw[:, None], level))
            row |= {
                f"low_{level:.0%}".rstrip("%"): low,
                f"high_{level:.0%}".rstrip("%"): high,
                f"inside_{level:.0%}".rstrip("%"): bool(low <= value <= high),
            }
        row["log_error"] = float(np.log(row["predicted"] / value))
        past = history.get(_key(one), {})
        row["seen"] = bool(past)
        when = _time(one)
        for name, rule in BASELINES.items():
            said = float(rule(list(past), list(past.values()), [when]).value[0]) if past else float("nan")
            row[name] = said
            row[f"error {name}"] = float(np.log(said / value)) if past else float("nan")
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def _key(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """What makes one series: stocks of the two revisions are two, unless a figure stands in both."""
    revision = row["label"].split("(")[-1] if row["kind"] == "un_stock" else ""
    return row["series"], row["origin"], row["destination"], revision


def _time(row: Mapping[str, Any]) -> float:
    year, month = (int(x) for x in row["month_end"].split("-"))
    if row["month_start"] != row["month_end"]:
        first, start = (int(x) for x in row["month_start"].split("-"))
        return (year + (month - 0.5) / 12.0 + first + (start - 0.5) / 12.0) / 2.0
    return year + (month - 0.5) / 12.0


def _histories(table: pl.DataFrame) -> dict[tuple[str, str, str, str], dict[float, float]]:
    out: dict[tuple[str, str, str, str], dict[float, list[float]]] = {}
    for row in table.iter_rows(named=True):
        out.setdefault(_key(row), {}).setdefault(_time(row), []).append(row["value"])
        if row["kind"] == "un_stock" and ";" in row["source_id"]:  # stands in both revisions: history of either
            for revision in ("2020)", "2024)"):
                key = (*_key(row)[:3], revision)
                out.setdefault(key, {}).setdefault(_time(row), []).append(row["value"])
    return {k: {t: float(np.exp(np.mean(np.log(v)))) for t, v in sorted(p.items())} for k, p in out.items()}


def _scores(figures: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for (kind, seen), part in figures.sort("kind", "seen").group_by("kind", "seen", maintain_order=True):
        error = part["log_error"].abs()
        row: dict[str, Any] = {
            "kind": kind,
            "seen": seen,
            "figures": part.height,
            "median_error": error.median(),
            "mean_error": error.mean(),
            "crps": part["crps"].mean(),
        }
        for level in ("50", "80"):
            row[f"coverage_{level}"] = coverage(part[f"low_{level}"], part[f"high_{level}"], part["value"])
        for name in BASELINES:
            row[name] = part[f"error {name}"].abs().median() if seen else float("nan")
            row[f"mean {name}"] = part[f"error {name}"].abs().mean() if seen else float("nan")
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)
