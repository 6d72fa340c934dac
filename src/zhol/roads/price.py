"""The law of prices: what passage costs by length and mode, from the few prices that are cited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.roads.settings import Price

Vector = np.ndarray
TERMS = ("level", "slope", "air")


@dataclass(frozen=True)
class PriceLaw:
    """log price = level + slope log(km / 1000) + air share by air + error; posterior of its four numbers.

    Parameters
    ----------
    mean : (3,) array
        Posterior means of level, slope and air.
    spread : (3, 3) array
        Their covariance over the variance of the error.
    weight : float
        Degrees of freedom of the error's variance.
    variance : float
        Its scale: the predictive is Student t.
    points : polars.DataFrame
        The cited prices it was fitted to: figures, origin, destination, mode, km, air, price (USD), sources.
    """

    mean: Vector
    spread: Vector
    weight: float
    variance: float
    points: pl.DataFrame

    def predict(self, length_km: Vector, air_share: Vector) -> tuple[Vector, Vector]:
        """Mean and standard deviation of the log price of roads; same shape as given.

        Examples
        --------
        >>> from zhol.roads.settings import settings
        >>> law = fit_prices(no_points(), settings().price)
        >>> mean, sd = law.predict(np.array([1000.0]), np.array([0.0]))
        >>> float(mean[0]), bool(sd[0] > 1.5)
        (6.9, True)
        """
        x = design(length_km, air_share)
        scale = self.variance * (1.0 + np.einsum("...i,ij,...j->...", x, self.spread, x))
        return x @ self.mean, np.sqrt(scale * self.weight / (self.weight - 2.0))

    def interval(self, length_km: Vector, air_share: Vector, level: float = 0.8) -> tuple[Vector, Vector, Vector]:
        """Median, low and high price in US dollars, of the Student predictive."""
        from scipy.special import stdtrit

        x = design(length_km, air_share)
        scale = np.sqrt(self.variance * (1.0 + np.einsum("...i,ij,...j->...", x, self.spread, x)))
        middle, reach = x @ self.mean, float(stdtrit(self.weight, 0.5 + level / 2.0)) * scale
        return np.exp(middle), np.exp(middle - reach), np.exp(middle + reach)

    def draw(self, length_km: Vector, air_share: Vector, own: Vector, seed: int) -> Vector:
        """Log prices of roads, (draw, ...): one law a draw for all roads, and an error of its own for each road.

        ``own``: standard normal numbers, (draw, ...), the part of each road.
        """
        chance, draws = generator(seed, "roads", "law of prices"), len(own)
        sd = np.sqrt(self.variance * self.weight / chance.chisquare(self.weight, draws))
        law = self.mean + sd[:, None] * (chance.standard_normal((draws, 3)) @ np.linalg.cholesky(self.spread).T)
        centre = np.einsum("...i,di->d...", design(length_km, air_share), law)
        return centre + sd.reshape(-1, *([1] * (centre.ndim - 1))) * own


def design(length_km: Vector, air_share: Vector) -> Vector:
    """The three terms of the law for each road, (..., 3)."""
    km = np.asarray(length_km, dtype=float)
    return np.stack([np.ones_like(km), np.log(km / 1000.0), np.asarray(air_share, dtype=float)], axis=-1)


def fit_prices(points: pl.DataFrame, prior: Price) -> PriceLaw:
    """Conjugate regression: normal priors of the terms, inverse gamma of the error's variance.

    Parameters
    ----------
    points : polars.DataFrame
        With ``km``, ``air`` and ``price``; may be empty, then the law is the prior.
    prior : Price
        From `roads.yaml`.

    Notes
    -----
    Standard normal-inverse-gamma updating (for example Gelman and others 2013, section 14.8).
    Prices of one source err together: n of them, alike by ``shared``, count as n / (1 + (n - 1) shared) (Kish 1965).

    Examples
    --------
    >>> from zhol.roads.settings import settings
    >>> fit_prices(no_points(), settings().price).weight
    4.0
    """
    centre = np.array([getattr(prior, term).mean for term in TERMS])
    width = np.array([getattr(prior, term).sd for term in TERMS])
    weight, variance = float(prior.error.weight), prior.error.sd**2
    before = np.diag(variance / width**2)
    x = design(points["km"].to_numpy(), points["air"].to_numpy())
    y = np.log(points["price"].to_numpy().astype(float))
    alone = points.select(pl.len().over("sources"))["len"].to_numpy() - 1.0
    counts = 1.0 / (1.0 + alone * prior.shared.value)
    precision = before + (x.T * counts) @ x
    mean = np.linalg.solve(precision, before @ centre + (x.T * counts) @ y)
    apart = float(counts @ (y - x @ mean) ** 2 + (mean - centre) @ before @ (mean - centre))
    after = weight + float(counts.sum())
    return PriceLaw(mean, np.linalg.inv(precision), after, (weight * variance + apart) / after, points)


def no_points() -> pl.DataFrame:
    """A table of cited prices without rows."""
    text, number = pl.String, pl.Float64
    return pl.DataFrame(
        schema={
            "figures": text,
            "origin": text,
            "destination": text,
            "mode": text,
            "km": number,
            "air": number,
            "price": number,
            "sources": text,
        }
    )


def as_points(rows: Sequence[dict[str, Any]]) -> pl.DataFrame:
    """Prices as read, one a source, corridor and mode: the years of one source are no independent evidence."""
    if not rows:
        return no_points()
    table = pl.DataFrame(rows, schema_overrides=no_points().schema, infer_schema_length=None)
    joined = pl.col("figures").unique().sort().str.join(";")
    return (
        table.group_by("origin", "destination", "mode", "sources")
        .agg(joined, pl.col("km").first(), pl.col("air").first(), pl.col("price").log().mean().exp())
        .select(no_points().columns)
        .sort("figures", "origin", "destination", "mode", "sources")
    )
