"""Batched fits, existence and choice of model against slow and plain versions of the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import poisson

from zhol.estimate._multiple_systems.design import design, main_terms, pairs_design
from zhol.estimate._multiple_systems.existence import Unseen, check, supported, two_list_identified
from zhol.estimate._multiple_systems.model_formula import read_formula
from zhol.estimate._multiple_systems.newton import fit
from zhol.estimate._multiple_systems.rules import rule_for
from zhol.estimate._multiple_systems.search import rank
from zhol.estimate._multiple_systems.stepwise import fit_given, select
from zhol.estimate._multiple_systems.table import Histories
from zhol.estimate._multiple_systems.wald import deviance


def random_table(rng: np.random.Generator, k: int, size: float) -> np.ndarray:
    """Cases by history with some dependence, every list with a case."""
    model = pairs_design(k)
    effects = np.concatenate([[np.log(size)], rng.normal(-1.5, 0.7, k), rng.normal(0, 0.6, len(model.terms) - k - 1)])
    while True:
        table = rng.poisson(np.exp(model.matrix @ effects)).astype(float)
        if (table @ model.matrix[:, 1 : k + 1] > 0).all():
            return table


def random_model(rng: np.random.Generator, k: int) -> np.ndarray:
    active = rng.random(len(pairs_design(k).terms)) < rng.choice([0.2, 0.5, 0.9])
    active[: k + 1] = True
    return active


def plain_maximum(matrix: np.ndarray, counts: np.ndarray) -> float:
    """Largest Poisson log-likelihood without factorials, by a general optimiser."""
    start = np.linalg.lstsq(matrix, np.log(counts + 0.5), rcond=None)[0]

    def value(b: np.ndarray) -> tuple[float, np.ndarray]:
        mu = np.exp(np.clip(matrix @ b, -700, 50))
        return mu.sum() - counts @ (matrix @ b), matrix.T @ (mu - counts)

    return -minimize(value, start, jac=True, method="BFGS", options={"gtol": 1e-8, "maxiter": 3000}).fun


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(3, 5))
def test_maximum_against_a_general_optimiser(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    model, table, active = pairs_design(k), random_table(rng, k, 60), random_model(rng, k)
    finite, keep = supported(model, table[None], active[None])
    fits = fit(model, table[None], finite, keep)
    seen = keep[0]
    mu = fits.mu[0, seen]
    ours = (table[seen] * np.log(np.maximum(mu, 1e-300))).sum() - mu.sum()
    assert ours >= plain_maximum(model.matrix[np.ix_(seen, finite[0])], table[seen]) - 1e-6
    if fits.positive[0]:  # the margins of the fitted table are the observed ones
        assert mu @ model.matrix[np.ix_(seen, finite[0])] == pytest.approx(
            table[seen] @ model.matrix[np.ix_(seen, finite[0])], rel=1e-7
        )


def test_batch_equals_one_by_one() -> None:
    rng = np.random.default_rng(4)
    model = pairs_design(4)
    tables = np.array([random_table(rng, 4, 80) for _ in range(60)])
    active = np.array([random_model(rng, 4) for _ in range(60)])
    together = fit_given(model, tables, active).fits
    for i in range(60):
        alone = fit_given(model, tables[i : i + 1], active[i : i + 1]).fits
        assert alone.positive[0] == together.positive[i]
        if alone.positive[0]:
            assert alone.unseen[0] == pytest.approx(together.unseen[i], rel=1e-8)


def ray_exists(matrix: np.ndarray, seen: np.ndarray) -> bool:
    """Is there a direction that leaves the seen cells alone and pushes some other down? By its extreme rays."""
    cells, terms = matrix.shape
    for rows in itertools.combinations(range(cells), terms - 1):
        _, size, right = np.linalg.svd(matrix[list(rows)])
        if terms > 1 and size[-1] < 1e-9:
            continue
        for d in (right[-1], -right[-1]):
            push = matrix @ d
            if (push < 1e-9).all() and (np.abs(push[seen]) < 1e-9).all() and (push < -1e-9).any():
                return True
    return False


@settings(max_examples=120)
@given(st.integers(0, 100_000))
def test_existence_by_programme_by_rays_and_by_certificate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model, active = pairs_design(3), random_model(rng, 3)
    table = rng.poisson(rng.choice([0.4, 1.0, 3.0]), 7).astype(float)
    if not (table @ model.matrix[:, 1:4] > 0).all():
        return
    finite, keep = supported(model, table[None], active[None])
    found = check(model, table, finite[0], keep[0])
    matrix = model.matrix[np.ix_(keep[0], finite[0])]
    assert found.identified == (np.linalg.matrix_rank(matrix) == matrix.shape[1])
    assert found.identified == two_list_identified(model, table[None], active[None])[0]
    if not found.identified:
        return
    assert found.exists == (not ray_exists(matrix, table[keep[0]] > 0))
    assert found.exists == fit(model, table[None], finite, keep).positive[0]


@settings(max_examples=60)
@given(st.integers(0, 100_000))
def test_what_becomes_of_the_unseen(seed: int) -> None:
    """The likelihood with the intercept held far down or far up reaches its supremum there, or does not."""
    rng = np.random.default_rng(seed)
    model, active = pairs_design(3), random_model(rng, 3)
    table = rng.poisson(1.0, 7).astype(float)
    finite, keep = supported(model, table[None], active[None])
    if not table.any() or not finite[0, 1:4].all():
        return
    found = check(model, table, finite[0], keep[0])
    matrix, seen = model.matrix[np.ix_(keep[0], finite[0])], table[keep[0]]

    def held(intercept: float) -> float:
        """Supremum over the other effects."""
        rest = matrix[:, 1:]
        value = lambda b: (  # noqa: E731
            np.exp(np.clip(intercept + rest @ b, -700, 60)).sum() - seen @ (intercept + rest @ b),
            rest.T @ (np.exp(np.clip(intercept + rest @ b, -700, 60)) - seen),
        )
        start = np.linalg.lstsq(rest, np.log(seen + 0.3) - intercept, rcond=None)[0]
        return -minimize(value, start, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 5000}).fun

    best = max(held(a) for a in (-12.0, -6.0, -3.0, -1.0, 0.0, 1.0, 2.0, 3.0, 5.0, 8.0, 12.0))
    low, high = held(-12.0) > best - 1e-3, held(12.0) > best - 1e-3
    fate = {(True, True): Unseen.OPEN, (True, False): Unseen.ZERO, (False, True): Unseen.INFINITE}
    assert found.unseen is fate.get((low, high), Unseen.FINITE)


def plain_stepwise(table: np.ndarray, k: int, threshold: float) -> set[int]:
    """Chan, Silverman and Vincent's rule, one candidate at a time, every candidate checked by linear programme."""
    model = pairs_design(k)
    active = np.zeros(len(model.terms), dtype=bool)
    active[: k + 1] = True
    while True:
        mu = fit_given(model, table[None], active[None]).fits.mu[0]
        p = {}
        for j in np.flatnonzero(~active):
            trial = active.copy()
            trial[j] = True
            finite, keep = supported(model, table[None], trial[None])
            if not check(model, table, finite[0], keep[0]).sound:
                continue
            seen, expected = table @ model.matrix[:, j], mu @ model.matrix[:, j]
            p[j] = min(poisson.cdf(seen, expected), poisson.sf(seen - 1, expected))
        best = min(p, key=lambda j: (p[j], j), default=None)
        if best is None or p[best] >= threshold:
            return {model.terms[j] for j in np.flatnonzero(active)}
        active[best] = True


def test_stepwise_against_the_plain_rule() -> None:
    rng = np.random.default_rng(11)
    for k, size in ((3, 60), (4, 60), (4, 15), (5, 60), (5, 25)):
        tables = np.array([random_table(rng, k, size) for _ in range(6)])
        model = pairs_design(k)
        chosen = select(model, tables, 0.1)
        for i, table in enumerate(tables):
            found = {model.terms[j] for j in np.flatnonzero(chosen.active[i])}
            assert found == plain_stepwise(table, k, 0.1)


def test_search_finds_the_best_of_all_models() -> None:
    rng = np.random.default_rng(3)
    model = pairs_design(4)
    pairs = (np.arange(64)[:, None] >> np.arange(6) & 1).astype(bool)
    active = np.concatenate([np.ones((64, 5), dtype=bool), pairs], axis=1)
    for size in (200, 60, 20, 20, 10):
        table = random_table(rng, 4, size)
        chosen = fit_given(model, np.repeat(table[None], 64, axis=0), active)
        sound = [check(model, table, chosen.finite[i], chosen.keep[i]).sound for i in range(64)]
        for penalty in (2.0, float(np.log(table.sum()))):
            value = np.where(sound, deviance(table[None], chosen.fits.mu) + penalty * active.sum(1), np.inf)
            found = rank(model, table, penalty)
            assert found.exhaustive
            best = np.sort(value)[: len(found.value)]
            assert found.value[np.isfinite(best)] == pytest.approx(best[np.isfinite(best)], abs=1e-5)


def test_larger_effects_than_pairs() -> None:
    """A three-list effect among four lists, against the closed form of a decomposable model: A, B, C apart from D."""
    names = ("A", "B", "C", "D")
    rng = np.random.default_rng(8)
    table = rng.poisson(30, 15).astype(float)
    terms = read_formula("A*B*C + D", names)
    model = design(4, terms)
    fits = fit_given(model, table[None], np.ones((1, len(terms)), dtype=bool)).fits
    masks = np.arange(1, 16)
    either, fourth = (masks & 7) > 0, (masks & 8) > 0
    expected = table[either].sum() * table[fourth].sum() / table[either & fourth].sum()
    assert table.sum() + fits.unseen[0] == pytest.approx(expected, rel=1e-9)


def test_population_of_many_tables_equals_each_alone() -> None:
    """Replicates with empty lists, empty overlaps and no bound, together and alone."""
    rng = np.random.default_rng(5)
    tables = rng.poisson(0.9, (40, 15)).astype(float)
    tables = tables[tables.sum(1) > 0]
    histories = Histories(("A", "B", "C", "D"), tables.sum(0))
    for name in ("main", "stepwise", "all", "Mth Chao", "A*B + C*D"):
        rule = rule_for(name, histories, 0.02)
        together = rule.populations(tables)
        alone = np.array([rule.populations(t[None])[0] for t in tables])
        assert np.array_equal(np.isinf(together), np.isinf(alone))
        finite = np.isfinite(together)
        assert together[finite] == pytest.approx(alone[finite], rel=1e-6)
        assert (together >= tables.sum(1) - 1e-6).all()
        assert (together[finite] < 1e6).all()


def test_main_effects_need_no_more_than_overlap() -> None:
    assert main_terms(3) == (0, 1, 2, 4)
