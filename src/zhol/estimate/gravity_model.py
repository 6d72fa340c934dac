"""Gravity of migration: which flows income, distance, ties, networks and visas go with; priors; counterfactuals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.errors import ZholError
from zhol.core.quantity import plain_number
from zhol.core.result import json_ready
from zhol.estimate._gravity import counterfactual as what_if
from zhol.estimate._gravity import identification, poisson, priors, second_step
from zhol.estimate._gravity.counterfactual import Counterfactual
from zhol.estimate._gravity.panel import KEYS, complete, join, one_period, read_covariates, read_flows
from zhol.estimate._gravity.priors import Priors
from zhol.estimate._gravity.sources import covariates, world_covariates
from zhol.estimate._gravity.terms import EFFECTS, WORDS, Formula, design, needed, read_formula

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

__all__ = ["Counterfactual", "Gravity", "Priors", "covariates", "gravity", "world_covariates"]

Array = NDArray[np.float64]
# No counted flows are explained that well.
MADE = 0.9999
CITES = (
    "Santos Silva and Tenreyro (2006), Review of Economics and Statistics 88(4), 641–658",
    "Beine, Bertoli and Fernández-Huertas Moraga (2016), The World Economy 39(4), 496–512",
    "Correia, Guimarães and Zylkin (2019), Verifying the existence of maximum likelihood estimates, arXiv 1903.01633",
    "Anderson and van Wincoop (2003), American Economic Review 93(1), 170–192",
)


@dataclass(frozen=True, eq=False)
class Gravity:
    """A fitted gravity model.

    Parameters
    ----------
    coefficients : polars.DataFrame
        term, step (``pair``: Poisson fit with effects of origins and destinations; ``origin``, ``destination``: those
        effects explained by what the places are), value, low, high, se, p, inflation, words. Elasticities for logs,
        log points for yes and no.
    effects : polars.DataFrame
        side, place, period, effect; comparable within a side and period only.
    identification : polars.DataFrame
        scope (all pairs, or a block of places), term, share_within, inflation, identified, condition, pairs.
    alternatives : polars.DataFrame
        The same model without terms that a block cannot tell apart: model, term, value, low, high.
    fit : mapping
        pairs, used, separated, clusters, deviance_explained, correlation, condition, seconds.
    warnings : tuple of str
        What a reader must know.
    """

    coefficients: pl.DataFrame
    effects: pl.DataFrame
    identification: pl.DataFrame
    alternatives: pl.DataFrame
    fit: Mapping[str, Any]
    formula: str
    level: float = 0.95
    warnings: tuple[str, ...] = ()
    cites: tuple[str, ...] = CITES
    panel: pl.DataFrame = field(default_factory=pl.DataFrame, repr=False)
    fitted: Array = field(default_factory=lambda: np.empty(0), repr=False)
    beta: Array = field(default_factory=lambda: np.empty(0), repr=False)
    covariance: Array = field(default_factory=lambda: np.empty((0, 0)), repr=False)
    terms: tuple[str, ...] = ()
    formula_terms: str = ""
    held: tuple[str, ...] = EFFECTS

    def __getitem__(self, term: str) -> float:
        rows = self.coefficients.filter(pl.col("term") == term)
        if rows.is_empty():
            raise KeyError(f"no term {term!r}; there are {', '.join(self.coefficients['term'])}")
        return float(rows["value"][0])

    def summary(self) -> str:
        """Coefficients with their intervals, what is not identified, warnings, papers."""
        fit = self.fit
        lines = [
            f"Gravity of {fit['used']:,} flows ({fit['periods']} periods, {fit['places']} places), "
            f"deviance explained {fit['deviance_explained']:.1%}",
            f"Formula: {self.formula}",
        ]
        for row in self.coefficients.iter_rows(named=True):
            side = "" if row["step"] == "pair" else f", effects of each {row['step']}"
            lines.append(
                f"{row['term']}{side}: {row['value']:.3f} ({self.level:.0%} interval {row['low']:.3f} to "
                f"{row['high']:.3f}), p {row['p']:.3g}"
            )
        return "\n".join(lines + [f"Warning: {w}" for w in self.warnings] + [f"Method: {c}" for c in self.cites])

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        names = ("coefficients", "effects", "identification", "alternatives")
        tables = {name: json_ready(getattr(self, name)) for name in names}
        rest = {"formula": self.formula, "level": self.level, "fit": json_ready(dict(self.fit))}
        return {**tables, **rest, "warnings": list(self.warnings), "cites": list(self.cites)}

    def to_pandas(self) -> pd.DataFrame:
        """The coefficients as a pandas frame."""
        return self.coefficients.to_pandas()

    def plot(self) -> alt.Chart | alt.LayerChart:
        """Interval chart of the coefficients."""
        from zhol.core import charts

        side = pl.when(pl.col("step") == "pair").then(pl.lit("")).otherwise(pl.lit(", ") + pl.col("step"))
        label = (pl.coalesce("words", "term") + side).alias("label")
        rows = self.coefficients.select(label, "value", "low", "high")
        return charts.interval(rows, unit="elasticity or log points", title="Gravity: what flows go with")

    def predict(self, change: Any = None, *, where: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """Fitted flows, or flows under other covariates with the effects of places as they are.

        Parameters
        ----------
        change, where
            As in ``counterfactual``.

        Returns
        -------
        polars.DataFrame
            origin, destination, period, persons (observed), fitted.
        """
        fitted = self.fitted
        if change is not None:
            shift = self._shift(what_if.changed(self.panel, change, where), "none", self.beta[None], [])
            fitted = fitted * np.exp(shift[0])
        return self.panel.select(*KEYS, "persons").with_columns(fitted=pl.Series(fitted))

    def counterfactual(
        self,
        change: Any,
        *,
        where: Mapping[str, Any] | None = None,
        hold: str = "both",
        draws: int = 100,
        seed: int = 1,
    ) -> Counterfactual:
        """Flows under other covariates, the effects of places solved anew so that totals hold.

        Parameters
        ----------
        change : mapping, frame or callable
            New values of columns (numbers or polars expressions), a table of them by origin and destination (and
            period), or a function from the panel to the changed panel.
        where : mapping, optional
            Pairs that a mapping means, such as ``{"origin": "UZB", "destination": ["RUS", "KAZ"]}``.
        hold : str
            ``both`` (people leaving every origin and entering every destination as before: structural gravity),
            ``origins`` (as many leave, destinations may grow: how people choose between destinations),
            ``destinations``, or ``none`` (no resistance).
        draws : int
            Draws of the coefficients for the interval.
        seed : int
            Seed of the draws.

        Returns
        -------
        Counterfactual
            ``.table`` with before, after, low, high; no change gives exactly the fitted flows.

        Raises
        ------
        ZholError
            If a column is not in the panel, no pair is meant, or ``hold`` is unknown.
        """
        warnings: list[str] = []
        new = what_if.changed(self.panel, change, where)
        shift = self._shift(new, hold, what_if.coefficient_draws(self.beta, self.covariance, draws, seed), warnings)
        after, moved = what_if.resettle(self.panel, self.fitted, shift, hold)
        ends = np.quantile(after[1:], [(1 - self.level) / 2, (1 + self.level) / 2], axis=0) if len(after) > 1 else after
        columns = {"before": self.fitted, "after": after[0]}
        columns |= {"low": np.minimum(ends[0], after[0]), "high": np.maximum(ends[-1], after[0])}
        table = self.panel.select(*KEYS).with_columns(pl.Series(k, v) for k, v in columns.items())
        table = table.with_columns(change=pl.col("after") - pl.col("before"))
        schema = {"side": pl.String, "place": pl.String, "period": pl.String, "change": pl.Float64}
        resistance = pl.concat(moved) if moved else pl.DataFrame(schema=schema)
        return Counterfactual(table, resistance, hold, self.level, tuple(warnings))

    def priors(self, corridors: Any = None, *, period: Any = None, most: int = 300, inflate: float = 1.0) -> Priors:
        """The coefficients as a joint normal prior of the system's β_w, β_n and α.

        Parameters
        ----------
        corridors : sequence of (origin, destination), optional
            Corridors that need an α; the largest ``most`` if not given.
        period : optional
            Period whose flows the α describe; the last.
        inflate : float
            Factor on all standard deviations, for a user who trusts the flows less than their fit.

        Returns
        -------
        Priors
            α of a corridor is log(fitted flow / people at the origin) less the terms of β_w and β_n.
        """
        network = None
        if priors.NETWORK in self.terms:
            k = self.terms.index(priors.NETWORK)
            network = (float(self.beta[k]), float(self.covariance[k, k]))
        places = self.coefficients.filter(pl.col("step") != "pair")
        income = priors.income_effect(places)
        return priors.make(self.panel, self.fitted, network, income, period, corridors, most, inflate)

    def _shift(self, new: pl.DataFrame, hold: str, betas: Array, warnings: list[str]) -> Array:
        """Change of the linear part for every set of coefficients: (draw, row)."""
        names, before = design(self.panel, self.formula_terms)
        _, after = design(new, self.formula_terms)
        at = [names.index(t) for t in self.terms]
        shift = betas @ (after - before)[:, at].T
        for side, column, term in second_step.place_columns(self.panel):
            moved = (new[column] != self.panel[column]).fill_null(False).any()
            rows = self.coefficients.filter((pl.col("term") == term) & (pl.col("step") == side))
            if not moved or rows.is_empty():
                continue
            if hold == "both" or hold == f"{side}s":
                warnings.append(f"{column} acts through the total of each {side}, which is held: it changes nothing.")
                continue
            size = second_step._log(new[column].to_numpy(), term) - second_step._log(
                self.panel[column].to_numpy(), term
            )
            shift = shift + rows["value"][0] * np.nan_to_num(size)
            warnings.append(f"The interval leaves out the error of the second step ({term}).")
        return shift


def gravity(
    flows: Any,
    covariates: Any,
    formula: str | None = None,
    *,
    cluster: str | Sequence[str] | None = "pair",
    absent: str = "leave_out",
    alternatives: bool = True,
    blocks: Mapping[str, Sequence[str]] | None = None,
    level: float = 0.95,
) -> Gravity:
    """Poisson gravity model of flows with effects of every origin and destination in every period.

    Parameters
    ----------
    flows : result of ``zhol.estimate.flows``, mapping of period to such results, or table
        origin, destination, persons and, in a panel, period.
    covariates : table
        origin, destination, period if they change, and any of distance_km, contiguous, common_language, colonial_tie,
        common_coloniser, diaspora, diaspora_missing, visa_required; income_origin, income_destination, population_*,
        conflict_* for the second step. ``covariates(region)`` and ``world_covariates(folder)`` of this module make it.
    formula : str, optional
        Such as ``"persons ~ log(distance_km) + contiguous | origin_period + destination_period"``; every known term
        that has a column if not given. Fixed effects: origin_period, destination_period, pair, origin, destination,
        period.
    cluster : str, sequence of str or None
        ``pair``, ``origin``, ``destination`` or several of them (errors may depend within each); None for robust
        errors only.
    absent : str
        What a pair with covariates and no flow is: ``leave_out`` (not estimated) or ``zero``.
    alternatives : bool
        Estimate again without the terms that a block cannot tell apart.
    blocks : mapping of name to places, optional
        Groups of places inside which identification is checked; the former USSR if not given.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Gravity

    Raises
    ------
    ZholError
        If columns are missing, flows are negative, missing or not numbers, or the model cannot be estimated.

    Notes
    -----
    What only belongs to an origin or a destination (income, population, conflict, and so the income gap) is absorbed
    by the fixed effects; the second step explains those effects by it. Formulas and when to distrust:
    ``docs/explanation/gravity.md``.

    Examples
    --------
    >>> places = "ABCDEF"
    >>> pairs = [(o, d) for o in places for d in places if o != d]
    >>> far = {(o, d): 1 + (7 * ord(o) * ord(d)) % 11 + abs(ord(o) - ord(d)) for o, d in pairs}
    >>> table = {"origin": [o for o, _ in pairs], "destination": [d for _, d in pairs]}
    >>> flows = {**table, "persons": [1000 / far[p] for p in pairs]}
    >>> found = gravity(flows, {**table, "distance_km": [far[p] for p in pairs]})
    >>> round(found["log(distance_km)"], 6)
    -1.0
    """
    if not 0 < level < 1:
        raise ZholError("level is not between 0 and 1", found=level)
    warnings: list[str] = []
    table = read_covariates(covariates)
    panel = join(one_period(read_flows(flows), table), table, absent, warnings)
    asked = read_formula(formula, panel.columns)
    columns = needed(asked.terms)
    missing = [c for c in columns if c not in panel.columns]
    if missing:
        raise ZholError(
            f"covariates have no column {missing[0]!r}", found=", ".join(panel.columns), expected=missing[0]
        )
    panel = complete(panel, columns, warnings)
    if not panel["persons"].sum() > 0:
        raise ZholError("nobody moved", found="flows of the complete pairs are all zero")
    names, values = design(panel, asked.terms)
    model = _estimate(panel, names, values, asked, cluster)
    _say_lost(panel, names, values, model, asked, warnings)
    return _result(panel, names, values, model, asked, cluster, alternatives, blocks, level, warnings)


def _codes(panel: pl.DataFrame, name: str) -> Array:
    parts = {
        "pair": ("origin", "destination"),
        "origin_period": ("origin", "period"),
        "destination_period": ("destination", "period"),
    }.get(name, (name,))
    for part in parts:
        if part not in KEYS:
            raise ZholError("unknown group", found=name, expected="pair, origin, destination or period")
    key = panel.select(pl.concat_str(parts, separator="\t").alias("key"))
    return key["key"].rank("dense").cast(pl.Int64).to_numpy() - 1  # type: ignore[return-value]


def _estimate(
    panel: pl.DataFrame, names: list[str], values: Array, asked: Formula, cluster: str | Sequence[str] | None
) -> poisson.Fit:
    places = pl.concat([panel["origin"], panel["destination"]]).n_unique()
    if places < 3 or panel.height <= values.shape[1] + 2:
        raise ZholError("too few places for gravity", found=f"{places} places, {panel.height} flows")
    groups = {name: _codes(panel, name) for name in asked.effects}
    by = [cluster] if isinstance(cluster, str) else list(cluster or [])
    # One flow a pair: a cluster is a row, and robust errors say the same.
    by = [] if by == ["pair"] and panel["period"].n_unique() == 1 else by
    return poisson.fit(panel["persons"].to_numpy(), values, groups, [_codes(panel, b) for b in by])


def _say_lost(
    panel: pl.DataFrame, names: list[str], values: Array, model: poisson.Fit, asked: Formula, warnings: list[str]
) -> None:
    groups = [_codes(panel, name) for name in asked.effects]
    for lost in identification.why_dropped(names, model.kept, values, groups, model.used):
        warnings.append(f"{lost.term} {lost.reason}, so it is not estimated.")
    gone = int((~model.used).sum())
    if gone:
        persons = panel["persons"].to_numpy()[~model.used].sum()
        warnings.append(
            f"{gone:,} flows are separated (the model fits them as exactly zero, they say nothing about the terms): "
            f"left out, {plain_number(float(persons))} persons."
        )
    columns = panel.columns
    if "diaspora" in needed(asked.terms):
        warnings.append("Flows estimated from stocks contain the diaspora by construction: its elasticity is no cause.")
    if "visa_required" in columns and panel["period"].n_unique() > 1 and "visa_required" in needed(asked.terms):
        rules = panel.group_by("origin", "destination").agg(pl.col("visa_required").n_unique())["visa_required"]
        if rules.max() == 1:
            warnings.append(
                "Visa rules are those of one date for all periods: rules follow flows as well as lead them."
            )


def _result(
    panel: pl.DataFrame,
    names: list[str],
    values: Array,
    model: poisson.Fit,
    asked: Formula,
    cluster: str | Sequence[str] | None,
    alternatives: bool,
    blocks: Mapping[str, Sequence[str]] | None,
    level: float,
    warnings: list[str],
) -> Gravity:
    kept = [names[i] for i in model.kept]
    index = values[:, model.kept] @ model.beta
    structural = asked.effects == EFFECTS
    fitted = poisson.settle(panel, index, model.used) if structural else model.fitted
    factors, condition = identification.inflation(model.information)
    rows: list[dict[str, Any]] = [
        {"term": t, "step": "pair", "value": float(b), "se": float(s), "inflation": float(f)}
        for t, b, s, f in zip(kept, model.beta, np.sqrt(np.diag(model.covariance)), factors, strict=True)
    ]
    effects = pl.DataFrame(schema={"side": pl.String, "place": pl.String, "period": pl.String, "effect": pl.Float64})
    if structural:
        effects = second_step.effects(panel, fitted, index)
        more, _, notes = second_step.explain(panel, effects)
        rows += more
        warnings += notes
        if more:
            warnings.append("Terms of origins and destinations describe their effects; they are not causal.")
    identified, confused = _identify(panel, kept, values[:, model.kept], fitted, factors, condition, blocks, warnings)
    others = _alternatives(panel, names, values, asked, cluster, confused, level) if alternatives and confused else None
    facts = _facts(panel, model, fitted, condition)
    if facts["deviance_explained"] > MADE:
        warnings.append("The model gives the flows back almost exactly: they were made from these covariates.")
    return Gravity(
        coefficients=_table(rows, level),
        effects=effects,
        identification=identified,
        alternatives=_table([], level).select("term", "value", "low", "high") if others is None else others,
        fit=MappingProxyType(facts),
        formula=asked.text(),
        level=level,
        warnings=tuple(warnings),
        panel=panel,
        fitted=fitted,
        beta=model.beta,
        covariance=model.covariance,
        terms=tuple(kept),
        formula_terms=asked.terms,
        held=asked.effects,
    )


def _table(rows: list[dict[str, Any]], level: float) -> pl.DataFrame:
    """Coefficients with normal intervals and p-values."""
    from scipy.special import ndtr, ndtri

    schema = {"term": pl.String, "step": pl.String, "value": pl.Float64, "se": pl.Float64, "inflation": pl.Float64}
    table = pl.DataFrame(rows, schema=schema)
    reach = float(ndtri((1 + level) / 2))
    value, se = table["value"].to_numpy(), table["se"].to_numpy()
    ratio = np.divide(value, se, out=np.full(len(value), np.nan), where=se > 0)
    words = [WORDS.get(_plain(t), None) for t in table["term"]]
    return table.with_columns(
        low=pl.col("value") - reach * pl.col("se"),
        high=pl.col("value") + reach * pl.col("se"),
        p=pl.Series(2 * ndtr(-np.abs(ratio)), dtype=pl.Float64),
        words=pl.Series(words, dtype=pl.String),
    ).select("term", "step", "value", "low", "high", "se", "p", "inflation", "words")


def _plain(term: str) -> str:
    return term.replace("_origin", "").replace("_destination", "")


def _identify(
    panel: pl.DataFrame,
    names: list[str],
    values: Array,
    fitted: Array,
    factors: Array,
    condition: float,
    blocks: Mapping[str, Sequence[str]] | None,
    warnings: list[str],
) -> tuple[pl.DataFrame, list[str]]:
    """Variance inflation over all pairs and inside blocks; the terms that a block cannot tell apart."""
    whole = pl.DataFrame(
        {
            "scope": ["all pairs"] * len(names),
            "term": names,
            "share_within": [None] * len(names),
            "inflation": factors,
            "identified": factors < identification.ALARM,
            "condition": [condition] * len(names),
            "pairs": [int((fitted > 0).sum())] * len(names),
            "rests_on": [None] * len(names),
        },
        schema_overrides={"share_within": pl.Float64, "rests_on": pl.Int64},
    )
    parts, confused = [whole], []
    for name, places in (blocks if blocks is not None else {"former USSR": identification.FORMER_USSR}).items():
        inside = identification.inside_block(panel, names, values, fitted, list(places))
        if inside is None:
            continue
        parts.append(inside.select(pl.lit(name).alias("scope"), *whole.columns[1:]))
        confused += _say_block(name, inside, warnings)
    for term in whole.filter(~pl.col("identified"))["term"]:
        warnings.append(f"{term} moves with the other terms (variance inflation above {identification.ALARM:g}).")
    return pl.concat(parts), list(dict.fromkeys(confused))


def _say_block(name: str, inside: pl.DataFrame, warnings: list[str]) -> list[str]:
    absorbed = inside.filter(pl.col("share_within") <= 1e-8)["term"].to_list()
    tangled = inside.filter((pl.col("share_within") > 1e-8) & ~pl.col("identified"))["term"].to_list()
    pairs = f"{inside['pairs'][0]:,} flows"
    if absorbed:
        warnings.append(
            f"Inside the {name} ({pairs}) {', '.join(absorbed)} cannot be told from the effects of origins and "
            "destinations: what the model says of them comes from elsewhere in the world."
        )
    if tangled:
        warnings.append(f"Inside the {name} ({pairs}) {', '.join(tangled)} move together and cannot be told apart.")
    for row in inside.filter(pl.col("identified"), pl.col("rests_on") <= identification.FEW).iter_rows(named=True):
        warnings.append(f"Inside the {name} {row['term']} rests on {row['rests_on']} pairs of places.")
    return [t for t in absorbed + tangled if t in identification.SHARED_PAST]


def _alternatives(
    panel: pl.DataFrame,
    names: list[str],
    values: Array,
    asked: Formula,
    cluster: str | Sequence[str] | None,
    confused: list[str],
    level: float,
) -> pl.DataFrame:
    """The model again without each group of terms that a block cannot tell apart, and without all of them."""
    groups = [g for g in (["colonial_tie", "common_coloniser"], ["common_language"]) if set(g) & set(names)]
    groups = [g for g in groups if set(g) & set(confused)] or [[t] for t in confused]
    if len(groups) == 1 and {"colonial_tie", "common_language"} <= set(names):
        groups = [["colonial_tie", "common_coloniser"], ["common_language"]]
    choices = [*groups, [t for g in groups for t in g]] if len(groups) > 1 else groups
    found = []
    for gone in choices:
        left = [i for i, n in enumerate(names) if n not in gone]
        if not left:
            continue
        model = _estimate(panel, [names[i] for i in left], values[:, left], asked, cluster)
        rows = [
            {"term": names[left[k]], "step": "pair", "value": float(b), "se": float(s), "inflation": None}
            for k, b, s in zip(model.kept, model.beta, np.sqrt(np.diag(model.covariance)), strict=True)
        ]
        without = ", ".join(t for t in gone if t in names)
        found.append(
            _table(rows, level).select(pl.lit(f"without {without}").alias("model"), "term", "value", "low", "high")
        )
    return pl.concat(found)


def _facts(panel: pl.DataFrame, model: poisson.Fit, fitted: Array, condition: float) -> dict[str, Any]:
    persons = panel["persons"].to_numpy()
    both = (persons > 0) & (fitted > 0)
    logs = np.corrcoef(np.log(persons[both]), np.log(fitted[both]))[0, 1] if both.sum() > 2 else np.nan
    return {
        "flows": panel.height,
        "used": int(model.used.sum()),
        "separated": int((~model.used).sum()),
        "zeros": int((persons == 0).sum()),
        "periods": panel["period"].n_unique(),
        "places": pl.concat([panel["origin"], panel["destination"]]).n_unique(),
        "clusters": model.clusters,
        "deviance_explained": 1 - model.deviance / model.null_deviance,
        "log_correlation": float(logs),
        "condition": condition,
    }
