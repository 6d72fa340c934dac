"""Second opinions: what other models make of the same counts, one row each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.core.quantity import plain_number
from zhol.estimate._multiple_systems import decomposable, latent_class
from zhol.estimate._multiple_systems.design import Ints
from zhol.estimate._multiple_systems.labels import list_order, relabel
from zhol.estimate._multiple_systems.registry import Model, find
from zhol.estimate._multiple_systems.table import Histories

DISAGREE = 1.5  # ratio of the highest to the lowest opinion from which on a warning is given
APART = 1.1  # split R-hat from which on chains of the latent-class model count as apart
SILENT = 0.05  # weight of the complete graph, which knows nothing of the unseen, from which on it is told
SECOND = ("stepwise", "best_bic", "best_aic", "average", "latent_class")


@dataclass(frozen=True)
class Opinion:
    """What one model says.

    Attributes
    ----------
    row : Model
    population, low, high, se : float
    interval : str
        Kind of the interval.
    formula : str
        The chosen log-linear model, if it is one.
    aic, bic : float
        NaN for models without them.
    warnings : tuple of str
    details : mapping
    """

    row: Model
    population: float
    low: float
    high: float
    se: float
    interval: str
    formula: str = ""
    aic: float = float("nan")
    bic: float = float("nan")
    warnings: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)


def average_opinion(histories: Histories, level: float, seed: int) -> Opinion:
    """Madigan and York's average over decomposable graphs."""
    rng = generator(seed, "lists", "average")
    order = list_order(histories.counts, histories.k)
    result = decomposable.average(relabel(histories.counts, histories.k, order), histories.k, rng)
    observed, tail = histories.observed, 0.5 - level / 2.0
    middle, low, high = (observed + decomposable.quantile(result, q) for q in (0.5, tail, 1.0 - tail))
    mean = float(result.weight @ result.unseen)
    spread = float(np.sqrt(result.weight @ (result.unseen - mean) ** 2))
    warnings: tuple[str, ...] = ()
    if not result.exhaustive:
        warnings = (
            f"decomposable average: from random walks over the graphs ({len(result.graphs):,} met); "
            "with more than six lists there are too many to visit all",
        )
    complete = float(result.graph_weight[result.graphs.all(1)].sum())
    if complete > SILENT:
        warnings += (
            f"decomposable average: {complete:.0%} of the posterior lies on the graph in which every list depends on "
            "every other, under which the counts say nothing of who is on none",
        )
    details = {
        "posterior": pl.DataFrame({"population": observed + result.unseen, "weight": result.weight}),
        "graphs": _graph_table(histories, order, result),
        "mean": observed + mean,
        "exhaustive": result.exhaustive,
    }
    row = find("average")
    assert row is not None
    return Opinion(row, middle, low, high, spread, "posterior", warnings=warnings, details=details)


def _graph_table(histories: Histories, order: Ints, result: decomposable.Average, most: int = 10) -> pl.DataFrame:
    places = [sorted((order[i], order[j])) for i in range(histories.k) for j in range(i + 1, histories.k)]
    pairs = [f"{histories.names[a]}:{histories.names[b]}" for a, b in places]
    return pl.DataFrame(
        {
            "graph": [
                " + ".join(p for p, on in zip(pairs, g, strict=True) if on) or "independent"
                for g in result.graphs[:most]
            ],
            "weight": result.graph_weight[:most],
            "population": histories.observed + result.graph_mean[:most],
        }
    )


def latent_opinion(histories: Histories, level: float, seed: int, effort: int = 1) -> Opinion:
    """Manrique-Vallier's latent classes; ``effort`` multiplies the number of sweeps."""
    rng = generator(seed, "lists", "latent_class")
    sweeps = latent_class.SWEEPS * effort
    counts = relabel(histories.counts, histories.k, list_order(histories.counts, histories.k))
    result = latent_class.sample(counts, histories.k, rng, warm_up=latent_class.WARM_UP * effort, sweeps=sweeps)
    draws = histories.observed + result.unseen
    tail = 0.5 - level / 2.0
    low, middle, high = (float(q) for q in np.quantile(draws, [tail, 0.5, 1.0 - tail]))
    warnings: tuple[str, ...] = ()
    if result.split_r > APART:
        warnings = (
            f"latent classes: the chains have not all met (split R-hat {result.split_r:.2f}); "
            "the data fit several class structures, take the interval as rough",
        )
    details = {
        "draws": draws.ravel(),
        "chain_medians": np.median(draws, axis=0),
        "split_r": result.split_r,
        "classes": float(result.classes.mean()),
        "mean": float(draws.mean()),
    }
    row = find("latent_class")
    assert row is not None
    return Opinion(row, middle, low, high, float(draws.std()), "posterior", warnings=warnings, details=details)


def opinion_table(opinions: list[tuple[Opinion | ZholError, str, bool]]) -> pl.DataFrame:
    """One row an opinion; a model that could not answer keeps its row and says why."""
    rows = [{"model": title, **_said(opinion), "chosen": chosen} for opinion, title, chosen in opinions]
    kinds = dict.fromkeys(("population", "low", "high", "se", "aic", "bic"), pl.Float64)
    texts = dict.fromkeys(("model", "interval", "formula", "note"), pl.String)
    order = ("model", "population", "low", "high", "se", "interval", "formula", "aic", "bic", "chosen", "note")
    schema = {**kinds, **texts, "chosen": pl.Boolean}
    return pl.DataFrame(rows, schema={name: schema[name] for name in order})


def _said(opinion: Opinion | ZholError) -> dict[str, float | str | None]:
    if isinstance(opinion, ZholError):
        return {"note": str(opinion)}
    numbers = {name: _number(getattr(opinion, name)) for name in ("population", "low", "high", "se", "aic", "bic")}
    return {**numbers, "interval": opinion.interval, "formula": opinion.formula or None}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def disagreement(table: pl.DataFrame) -> tuple[str, ...]:
    """Warning when the opinions lie far apart."""
    rows = table.filter(pl.col("population").is_finite()).sort("population")
    if rows.height < 2:
        return ()
    least, most = rows.row(0, named=True), rows.row(-1, named=True)
    ratio = most["population"] / least["population"]
    if ratio < DISAGREE:
        return ()
    said = ", ".join(f"{r['model']} {plain_number(r['population'])}" for r in rows.iter_rows(named=True))
    low, high = rows["low"].min(), rows["high"].max()
    top = plain_number(high) if high is not None and np.isfinite(high) else "no bound"  # type: ignore[arg-type]
    return (
        f"the models disagree by a factor of {ratio:.1f} ({said}); one interval alone misleads, "
        f"together they reach from {plain_number(low)} to {top}",  # type: ignore[arg-type]
    )
