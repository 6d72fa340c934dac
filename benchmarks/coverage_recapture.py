"""Coverage of ``zhol.estimate.counts``: simulated populations, 500 lists each, where the model holds and where not.

Run: python benchmarks/coverage_recapture.py [repetitions]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.estimate import counts
from zhol.estimate._recapture.cells import build_sample
from zhol.estimate._recapture.fit import fit_sample, refit_many
from zhol.estimate._recapture.intervals import log_normal_interval, population_variance
from zhol.estimate._recapture.models import find_model
from zhol.estimate._recapture.score import score

LEVEL = 0.95


@dataclass(frozen=True)
class Design:
    """A population: size, how it is captured, and the model that is asked."""

    name: str
    model: str
    size: int
    capture: Callable[[np.random.Generator, int], dict[str, np.ndarray]]
    formula: str = "n ~ 1"
    holds: bool = True


Capture = Callable[[np.random.Generator, int], dict[str, np.ndarray]]


def poisson(rate: float) -> Capture:
    return lambda rng, size: {"n": rng.poisson(rate, size)}


def gamma_poisson(rate: float, alpha: float) -> Capture:
    return lambda rng, size: {"n": rng.poisson(rate * rng.gamma(1 / alpha, alpha, size))}


def stay_single(rate: float, share: float, alpha: float = 0.0) -> Capture:
    """Some of those who are seen leave after it (the inflation of oizt models)."""

    def draw(rng: np.random.Generator, size: int) -> dict[str, np.ndarray]:
        n = (gamma_poisson(rate, alpha) if alpha else poisson(rate))(rng, size)["n"]
        return {"n": np.where((n > 0) & (rng.random(size) < share), 1, n)}

    return draw


def forced_single(rate: float, share: float, alpha: float = 0.0) -> Capture:
    """Some are captured exactly once, come what may (the inflation of ztoi models)."""

    def draw(rng: np.random.Generator, size: int) -> dict[str, np.ndarray]:
        n = (gamma_poisson(rate, alpha) if alpha else poisson(rate))(rng, size)["n"]
        return {"n": np.where(rng.random(size) < share, 1, n)}

    return draw


def two_groups(low: float, high: float) -> Capture:
    def draw(rng: np.random.Generator, size: int) -> dict[str, np.ndarray]:
        group = rng.integers(0, 2, size)
        return {"n": rng.poisson(np.where(group == 1, high, low)), "group": group}

    return draw


DESIGNS = [
    Design("Poisson, λ 0.8", "ztpoisson", 1000, poisson(0.8)),
    Design("Poisson, two groups, group known", "ztpoisson", 2000, two_groups(0.4, 1.2), "n ~ group"),
    Design("geometric, mean 0.7", "ztgeom", 1000, gamma_poisson(0.7, 1.0)),
    Design("negative binomial, mean 1.5, α 0.5", "ztnegbin", 5000, gamma_poisson(1.5, 0.5)),
    Design("Poisson, λ 0.8", "chao", 1000, poisson(0.8)),
    Design("Poisson, λ 0.8", "zelterman", 1000, poisson(0.8)),
    Design("Poisson, 30% leave after one capture", "oiztpoisson", 2000, stay_single(1.0, 0.3)),
    Design("geometric, 20% leave after one capture", "oiztgeom", 3000, stay_single(1.5, 0.2, 1.0)),
    Design("geometric, 20% captured exactly once", "zotgeom", 3000, forced_single(1.5, 0.2, 1.0)),
    Design("Poisson, 20% captured exactly once", "ztoipoisson", 2000, forced_single(1.0, 0.2)),
    Design("Poisson, 20% captured exactly once", "zotpoisson", 2000, forced_single(1.0, 0.2)),
    Design("Poisson, 20% captured exactly once", "oichao", 2000, forced_single(1.0, 0.2)),
    Design("heterogeneous: geometric, mean 0.7", "ztpoisson", 1000, gamma_poisson(0.7, 1.0), holds=False),
    Design("heterogeneous: geometric, mean 0.7", "chao", 1000, gamma_poisson(0.7, 1.0), holds=False),
    Design("heterogeneous: geometric, mean 0.7", "zelterman", 1000, gamma_poisson(0.7, 1.0), holds=False),
    Design("two groups, group unknown", "ztpoisson", 2000, two_groups(0.4, 1.2), holds=False),
    Design("Poisson, 30% leave after one capture", "ztpoisson", 2000, stay_single(1.0, 0.3), holds=False),
    Design("Poisson, 30% leave after one capture", "chao", 2000, stay_single(1.0, 0.3), holds=False),
    Design("Poisson, λ 0.8", "ztgeom", 1000, poisson(0.8), holds=False),
]


def simulate(design: Design, repetitions: int) -> tuple[pl.DataFrame, np.ndarray, np.ndarray]:
    """Distinct rows of all lists, the frequency of each row in each list, and the number seen."""
    rng = generator(7, "coverage", design.name, design.model)
    frames = []
    for i in range(repetitions):
        drawn = design.capture(rng, design.size)
        frames.append(pl.DataFrame(drawn).filter(pl.col("n") > 0).group_by(pl.all()).len().with_columns(run=i))
    stack = pl.concat(frames)
    keys = [c for c in stack.columns if c not in ("len", "run")]
    rows = stack.select(keys).unique().sort(keys)
    where = stack.join(rows.with_row_index("cell"), on=keys)
    w = np.zeros((repetitions, rows.height))
    w[where["run"].to_numpy(), where["cell"].to_numpy()] = where["len"].to_numpy()
    return rows, w, w.sum(axis=1)


def intervals(design: Design, rows: pl.DataFrame, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """Estimate and log-normal interval of each list; those without interior maximum one by one, as a user would."""
    sample = build_sample(design.formula, rows, find_model(design.model))
    shaped = np.zeros((len(w), len(sample.y)))
    np.add.at(shaped, (slice(None), sample.cell_of_row), w)
    pooled = rows.with_columns(w=w.sum(axis=0))
    start = fit_sample(build_sample(design.formula, pooled, find_model(design.model), weights="w"))
    refits = refit_many(sample, shaped, start.beta, tolerance=1e-8)
    _, _, hessian = score(sample, shaped, refits.beta)
    plain = np.flatnonzero(refits.settled)
    total, bounds = np.full(len(w), np.nan), np.full((len(w), 2), np.nan)
    size, variance = population_variance(
        sample, shaped[plain], refits.beta[plain], np.linalg.inv(-hessian[plain]), None, "reference"
    )
    for i, s, v in zip(plain, size, variance, strict=True):
        total[i], bounds[i] = s, log_normal_interval(float(s), float(v), float(w[i].sum()), LEVEL)
    others = np.flatnonzero(~refits.settled)
    for i in others:
        est = counts(design.formula, rows.with_columns(w=w[i]), model=design.model, weights="w")
        total[i], bounds[i] = est.population, (est.low, est.high)
    return total, bounds, len(others)


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(f"{repetitions} lists a design; nominal coverage {LEVEL:.0%}\n")
    print("| population | model asked | N | seen | median estimate / N | coverage | low end above N | s |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for holds in (True, False):
        for design in (d for d in DESIGNS if d.holds == holds):
            begin = time.perf_counter()
            rows, w, seen = simulate(design, repetitions)
            total, bounds, _ = intervals(design, rows, w)
            cover = np.mean((bounds[:, 0] <= design.size) & (design.size <= bounds[:, 1]))
            print(
                f"| {design.name} | {design.model} | {design.size} | {seen.mean() / design.size:.0%} "
                f"| {np.median(total) / design.size:.2f} | {cover:.1%} | {np.mean(bounds[:, 0] > design.size):.1%} "
                f"| {time.perf_counter() - begin:.1f} |"
            )
        if holds:
            print("| **where the model does not hold** | | | | | | | |")


if __name__ == "__main__":
    main()
