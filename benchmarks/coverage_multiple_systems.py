"""Coverage of ``zhol.estimate.lists``: simulated populations, 500 each, where the model holds and where it does not.

Run: python benchmarks/coverage_multiple_systems.py [repetitions]
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from zhol.core.draws import generator
from zhol.estimate._multiple_systems import bootstrap, decomposable, latent_class, profile, wald
from zhol.estimate._multiple_systems.rules import Rule, rule_for
from zhol.estimate._multiple_systems.table import Histories

LEVEL, REPLICATES = 0.95, 200
Answer = tuple[np.ndarray, np.ndarray]  # estimates (tables,), ends (tables, 2)


@dataclass(frozen=True)
class Design:
    """A population of ``size`` with ``chances`` of each history (2^k, the empty one first), and what is asked."""

    name: str
    size: int
    chances: np.ndarray
    asked: tuple[tuple[str, str], ...]
    holds: frozenset[str] = field(default_factory=frozenset)

    @property
    def k(self) -> int:
        return int(np.log2(self.chances.size))


def independent(chances: list[float]) -> np.ndarray:
    """Chances of each history when every case is on list j with the same chance."""
    on = np.arange(2 ** len(chances))[:, None] >> np.arange(len(chances)) & 1
    return np.asarray(np.prod(np.where(on == 1, chances, 1 - np.array(chances)), axis=1))


def linked(chances: list[float], effects: dict[tuple[int, int], float]) -> np.ndarray:
    """Two-list effects (log odds ratios) on top; minus infinity for lists that exclude each other."""
    histories = np.arange(2 ** len(chances))
    weight = independent(chances)
    for (i, j), effect in effects.items():
        weight = weight * np.exp(np.where((histories >> i & 1) & (histories >> j & 1), effect, 0.0))
    return weight / weight.sum()


def classes(shares: list[float], chances: list[list[float]]) -> np.ndarray:
    """Several kinds of cases, lists independent within each."""
    return np.asarray(sum(s * independent(c) for s, c in zip(shares, chances, strict=True)))


ALL = (("main", "wald"), ("main", "profile"), ("main", "bca"))
STEP = (("stepwise", "wald"), ("stepwise", "profile"), ("stepwise", "bca"))
OTHERS = (("average", "posterior"), ("latent_class", "posterior"))
P4, P5 = [0.25, 0.2, 0.15, 0.1], [0.06, 0.05, 0.04, 0.03, 0.03]
TRUE = (("A*B + C + D", "wald"), ("A*B + C + D", "profile"), ("A*B + C + D", "bca"))
DESIGNS = [
    Design("independent, 4 lists, 2,000 persons", 2000, independent(P4), ALL + STEP + OTHERS,
           frozenset({"main", "stepwise", "average", "latent_class"})),
    Design("independent and sparse, 5 lists, 3,000 persons", 3000, independent(P5), ALL + STEP + OTHERS,
           frozenset({"main", "stepwise", "average", "latent_class"})),
    Design("two lists, 1,000 persons", 1000, independent([0.3, 0.2]), ALL, frozenset({"main"})),
    Design("A helps B (odds ratio 5), 4 lists, 3,000", 3000, linked(P4, {(0, 1): 1.6}), TRUE + STEP + OTHERS[:1],
           frozenset({"A*B + C + D", "stepwise", "average"})),
    Design("A excludes B (empty overlap), 4 lists, 3,000", 3000, linked(P4, {(0, 1): -np.inf}), TRUE + STEP,
           frozenset({"A*B + C + D", "stepwise"})),
    Design("all pairs linked (odds ratios 2), 4 lists, 20,000", 20000,
           linked(P4, {(i, j): 0.7 for i in range(4) for j in range(i)}),
           (("all", "wald"), ("all", "profile"), ("all", "bca"), *STEP[:1]), frozenset({"all"})),
    Design("A helps B (odds ratio 5), 4 lists, 3,000", 3000, linked(P4, {(0, 1): 1.6}), ALL),
    Design("weak links (odds ratio 1.5, two pairs), 4 lists, 2,000", 2000, linked(P4, {(0, 1): 0.4, (2, 3): 0.4}),
           STEP + OTHERS),
    Design("two kinds of cases (30% 4 times as easy), 4 lists, 5,000", 5000,
           classes([0.3, 0.7], [[0.4, 0.36, 0.32, 0.28], [0.1, 0.09, 0.08, 0.07]]),
           (("main", "wald"), *STEP, ("all", "wald"), ("Mth Chao", "wald"), ("Mth Darroch", "wald"), *OTHERS),
           frozenset({"latent_class"})),
    Design("two kinds of cases (30% at 0.5, 70% at 0.12), 5 lists, 3,000", 3000,
           classes([0.3, 0.7], [[0.5] * 5, [0.12] * 5]),
           (("stepwise", "wald"), ("stepwise", "bca"), ("Mth Chao", "wald"), *OTHERS), frozenset({"latent_class"})),
    Design("chances spread widely (logit sd 1.5), 4 lists, 5,000", 5000,
           classes([1 / 41] * 41, [[float(1 / (1 + np.exp(2.2 - 1.5 * z))) for _ in range(4)]
                                   for z in np.linspace(-2.2, 2.2, 41)]),
           (("main", "wald"), *STEP, ("Mth Chao", "wald"), ("Mth Darroch", "wald"), *OTHERS)),
]  # fmt: skip


def simulate(design: Design, repetitions: int) -> np.ndarray:
    """Tables (repetitions, 2^k − 1) in which every list has a case."""
    rng = generator(7, "coverage", design.name)
    tables = rng.multinomial(design.size, design.chances, size=2 * repetitions)[:, 1:].astype(float)
    on = (np.arange(1, 2**design.k)[:, None] >> np.arange(design.k) & 1).astype(float)
    return np.asarray(tables[((tables @ on) > 0).all(1)][:repetitions])


def log_linear(rule: Rule, tables: np.ndarray, interval: str) -> Answer:
    """Estimates and ends of all tables."""
    point = rule.populations(tables)
    ends = np.full((len(tables), 2), np.nan)
    chosen = rule.choose(tables)
    if interval == "bca":
        return point, bca(rule, tables, point)
    for i, counts in enumerate(tables):
        if not np.isfinite(point[i]):
            ends[i] = counts.sum(), np.inf
        elif interval == "wald":
            unseen, variance = chosen.fits.unseen[i], chosen.fits.variance[i]
            ends[i] = wald.interval(counts.sum(), unseen, variance, LEVEL)
        else:
            found = profile.profile(rule.design, counts, chosen.finite[i], chosen.keep[i], LEVEL)
            ends[i] = found.low, found.high
    return point, ends


def bca(rule: Rule, tables: np.ndarray, point: np.ndarray, block: int = 20) -> np.ndarray:
    """Bootstrap of many tables, a block at a time in one array."""
    rng = generator(7, "coverage", "bootstrap")
    ends = np.zeros((len(tables), 2))
    for begin in range(0, len(tables), block):
        part = tables[begin : begin + block]
        known = point[begin : begin + block]
        sizes = [None if rule.selects else float(p) for p in known]
        drawn = [bootstrap.resample(t, s, REPLICATES, rng) for t, s in zip(part, sizes, strict=True)]
        left = [bootstrap.leave_one_out(t) for t in part]
        answers = rule.populations(np.concatenate([*drawn, *(tables for tables, _ in left)]))
        jackknife = np.split(answers[REPLICATES * len(part) :], np.cumsum([len(w) for _, w in left])[:-1])
        for i, (_, weights) in enumerate(left):
            values = np.sort(answers[REPLICATES * i : REPLICATES * (i + 1)])
            speed = bootstrap.accelerate(jackknife[i], weights)
            ends[begin + i] = bootstrap.bca_ends(values, float(point[begin + i]), speed, LEVEL)[:2]
    return ends


def averaged(design: Design, tables: np.ndarray) -> Answer:
    rng = generator(7, "coverage", "average")
    shares = (0.5, 0.5 - LEVEL / 2, 0.5 + LEVEL / 2)
    found = [decomposable.average(t, design.k, rng) for t in tables]
    values = np.array(
        [[t.sum() + decomposable.quantile(f, s) for s in shares] for t, f in zip(tables, found, strict=True)]
    )
    return values[:, 0], values[:, 1:]


def latent(design: Design, tables: np.ndarray, chains: int = 4, warm_up: int = 500, sweeps: int = 400) -> Answer:
    """All tables as chains of one sampler."""
    rng = generator(7, "coverage", "latent")
    lists = (np.arange(1, 2**design.k)[:, None] >> np.arange(design.k) & 1).astype(float)
    cases = np.repeat(tables, chains, axis=0).astype(np.int64)
    sampler, state = latent_class.Sampler(lists, rng), latent_class.draw_prior(len(cases), design.k, rng)
    drawn = np.zeros((sweeps, len(cases)))
    for sweep in range(-warm_up, sweeps):
        part = min(1.0, 0.05 * 20.0 ** ((sweep + warm_up) / (0.8 * warm_up)))
        shown = cases if part >= 1.0 else rng.binomial(cases, part)
        state, hidden, _ = sampler.sweep(state, shown)
        if sweep >= 0:
            drawn[sweep] = hidden
    each = drawn.reshape(sweeps, len(tables), chains).transpose(1, 0, 2).reshape(len(tables), -1)
    low, middle, high = np.quantile(each, [0.5 - LEVEL / 2, 0.5, 0.5 + LEVEL / 2], axis=1) + tables.sum(1)
    return middle, np.column_stack([low, high])


def ask(design: Design, model: str, interval: str, tables: np.ndarray) -> Answer:
    special: dict[str, Callable[[Design, np.ndarray], Answer]] = {"average": averaged, "latent_class": latent}
    if model in special:
        return special[model](design, tables)
    histories = Histories(tuple("ABCDEFGH"[: design.k]), tables[0])
    rule = rule_for(model, histories, 0.02)
    assert isinstance(rule, Rule)
    return log_linear(rule, tables, interval)


def main() -> None:
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print("| population | asked | interval | holds | covers | median estimate / truth | median width / truth | s |")
    print("|---|---|---|---|--:|--:|--:|--:|")
    for design in DESIGNS:
        tables = simulate(design, repetitions)
        for model, interval in design.asked:
            begin = time.perf_counter()
            point, ends = ask(design, model, interval, tables)
            covered = np.mean((ends[:, 0] <= design.size) & (design.size <= ends[:, 1]))
            width = np.median(ends[:, 1] - ends[:, 0]) / design.size
            print(
                f"| {design.name} | {model} | {interval} | {'yes' if model in design.holds else 'no'} | "
                f"{covered:.1%} | {np.median(point) / design.size:.2f} | {width:.2f} | "
                f"{time.perf_counter() - begin:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
