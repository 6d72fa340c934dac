"""Intervals of several lists: the equations that define them, and populations of known size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import chi2

import zhol
from zhol.estimate._multiple_systems.bootstrap import bca_ends, leave_one_out, read_off
from zhol.estimate._multiple_systems.design import design, main_terms
from zhol.estimate._multiple_systems.profile import Curve


def simulate(size: int, chances: list[list[float]], shares: list[float], seed: int) -> dict[str, Any]:
    """Persons in classes, each class with its chances of being on each list; those on no list are dropped."""
    rng = np.random.default_rng(seed)
    kind = rng.choice(len(shares), size, p=shares)
    on = (rng.random((size, len(chances[0]))) < np.array(chances)[kind]).astype(int)
    return {f"L{j}": on[on.any(1), j] for j in range(on.shape[1])}


def multinomial(table: dict[str, list[int]], population: float) -> float:
    """Log-likelihood of N for independent lists, maximised in closed form: each list holds n_j of N."""
    counts = np.array(table["n"], dtype=float)
    value = gammaln(population + 1) - gammaln(population - counts.sum() + 1)
    for name in table:
        if name != "n":
            share = float(np.array(table[name]) @ counts) / population
            value += population * (share * np.log(share) + (1 - share) * np.log1p(-share))
    return float(value)


@settings(max_examples=15)
@given(st.lists(st.integers(3, 200), min_size=7, max_size=7), st.sampled_from([0.8, 0.95, 0.99]), st.floats(0.1, 1.0))
def test_profile_ends_satisfy_the_deviance_equation(cells: list[int], level: float, thin: float) -> None:
    cells = [max(2, round(c * thin ** (i > 2))) for i, c in enumerate(cells)]
    on = [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 0), (1, 0, 1), (0, 1, 1), (1, 1, 1)]
    table = {name: [o[j] for o in on] for j, name in enumerate("ABC")} | {"n": cells}
    est = zhol.estimate.lists(table, count="n", model="main", interval="profile", level=level, opinions=False)
    best = minimize(lambda x: -multinomial(table, sum(cells) + np.exp(x[0])), [3.0], method="Nelder-Mead",
                    options={"xatol": 1e-9, "fatol": 1e-12})  # fmt: skip
    drop = chi2.ppf(level, 1)
    if np.exp(best.x[0]) < 0.1:  # highest at the edge: nobody missing
        return
    assert est.details["profile"]["population"] == pytest.approx(sum(cells) + np.exp(best.x[0]), rel=1e-6)
    for end in (est.low, est.high):
        if np.isfinite(end) and end > sum(cells):
            assert 2 * (-best.fun - multinomial(table, end)) == pytest.approx(drop, abs=1e-5)


def test_profile_curve_against_closed_form() -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(20, 15).astype(float)
    model = design(4, main_terms(4))
    curve = Curve(model, counts, np.ones(5, dtype=bool), np.ones(15, dtype=bool))
    masks = np.arange(1, 16)
    table = {f"L{j}": list(masks >> j & 1) for j in range(4)} | {"n": list(counts)}
    unseen = np.array([0.5, 7.0, 40.0, 900.0])
    theirs = [multinomial(table, counts.sum() + u) for u in unseen]
    assert np.diff(curve(unseen)) == pytest.approx(np.diff(theirs), abs=1e-8)


def test_quantiles_of_the_eighth_kind_with_infinities() -> None:
    values = np.sort(np.random.default_rng(0).normal(size=37))
    for share in (0.0, 0.01, 0.3, 0.5, 0.975, 1.0):
        assert read_off(values, share) == pytest.approx(np.quantile(values, share, method="median_unbiased"))
    values[-5:] = np.inf
    assert read_off(values, 0.5) == pytest.approx(
        np.quantile(values[:-5], 0.5 * 37.3333 / 32.3333, method="median_unbiased"), rel=0.05
    )
    assert read_off(values, 0.975) == np.inf


def test_bca_without_bias_and_acceleration_is_the_percentile_interval() -> None:
    values = np.sort(np.random.default_rng(1).normal(size=1000))
    low, high, bias, shares = bca_ends(values, float(np.median(values)), 0.0, 0.9)
    assert bias == pytest.approx(0, abs=1e-12)
    assert shares == pytest.approx((0.05, 0.95))
    assert (low, high) == (read_off(values, 0.05), read_off(values, 0.95))


def test_jackknife_leaves_one_case_out_of_each_history() -> None:
    tables, weights = leave_one_out(np.array([3.0, 0.0, 5.0]))
    assert tables.tolist() == [[2.0, 0.0, 5.0], [3.0, 0.0, 4.0]]
    assert weights.tolist() == [3.0, 5.0]


@pytest.mark.parametrize("interval", ["wald", "profile", "bca"])
def test_recovers_a_population_of_independent_lists(interval: str) -> None:
    table = simulate(4000, [[0.3, 0.2, 0.25, 0.1]], [1.0], 5)
    est = zhol.estimate.lists(table, model="main", interval=interval, replicates=300, opinions=False)
    assert est.population == pytest.approx(4000, rel=0.05)
    assert est.low < 4000 < est.high
    assert est.high - est.low < 700


def test_wider_level_wider_interval_and_same_seed_same_answer() -> None:
    table = simulate(1500, [[0.3, 0.2, 0.25]], [1.0], 9)
    for interval in ("wald", "profile", "bca"):
        ask = {"interval": interval, "replicates": 200, "opinions": False}
        narrow, wide = (zhol.estimate.lists(table, level=level, **ask) for level in (0.8, 0.95))
        assert wide.low < narrow.low < narrow.population < narrow.high < wide.high
        again = zhol.estimate.lists(table, level=0.95, **ask)
        assert (again.low, again.high) == (wide.low, wide.high)
    other = zhol.estimate.lists(table, interval="bca", replicates=200, seed=2, opinions=False)
    assert (other.low, other.high) != (wide.low, wide.high)


def test_nobody_missing_is_flagged_and_one_sided() -> None:
    """All cases of B are on A too: n01 = 0, and n1 n2 / m is the number on A."""
    est = zhol.estimate.lists({"A": [1, 1], "B": [1, 0], "n": [20, 40]}, count="n", opinions=False)
    assert est.population == est.low == 60
    assert 60 < est.high < 70
    assert any("nobody is missing" in w for w in est.warnings)


def test_replicates_without_overlap_leave_the_upper_end_open() -> None:
    est = zhol.estimate.lists({"A": [1, 1, 0], "B": [1, 0, 1], "n": [1, 9, 9]}, count="n", opinions=False)
    assert est.population == pytest.approx(100)
    assert est.high == np.inf
    assert est.details["bootstrap"]["unbounded"] > 250
    assert any("set no upper bound" in w for w in est.warnings)
    assert "no bound" in est.summary()
    assert est.to_dict()["high"] is None
