"""The multiplier method: closed forms, delta against simulation, and several benchmarks together."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from zhol.estimate.multiplier_method import multiplier


@given(st.floats(1, 1e6), st.floats(0.001, 1))
def test_plain_numbers_divide(benchmark, share):
    est = multiplier(benchmark, share, draws=1000)
    assert est.population == pytest.approx(benchmark / share, rel=1e-9)
    assert any("bare number" in w for w in est.warnings)


def test_a_factor_multiplies():
    assert multiplier(1000, 4, draws=1000).population == pytest.approx(4000)
    assert multiplier(1000, 0.5, kind="factor", draws=1000).population == pytest.approx(500)


def test_lognormal_inputs_have_a_closed_form():
    est = multiplier({"distribution": "lognormal", "median": 1000, "sd": 0.1}, stats.lognorm(0.2, scale=0.05))
    reach = 1.96 * np.hypot(0.1, 0.2)
    assert (est.low, est.population, est.high) == pytest.approx(
        (20_000 * np.exp(-reach), 20_000, 20_000 * np.exp(reach)), rel=0.02
    )
    row = est.table.row(0, named=True)
    assert (row["delta_low"], row["delta_high"]) == pytest.approx((est.low, est.high), rel=0.03)


def test_a_survey_is_jeffreys_beta_on_effective_answers():
    est = multiplier(1200, {"yes": 45, "of": 300, "design_effect": 2})
    beta = stats.beta(22.5 + 0.5, 127.5 + 0.5)
    assert (est.high, est.low) == pytest.approx(tuple(1200 / beta.ppf([0.025, 0.975])), rel=0.01)
    plain = multiplier(1200, {"yes": 45, "of": 300})
    assert plain.high - plain.low < est.high - est.low


def test_benchmarks_that_agree_share_one_answer():
    est = multiplier([1000, 2000], [(0.2, 0.16, 0.25), (0.4, 0.32, 0.5)], labels=["clinic", "card"])
    single = multiplier(1000, (0.2, 0.16, 0.25))
    assert est.population == pytest.approx(5000, rel=0.01)
    assert est.high - est.low < single.high - single.low
    assert est.table["weight"].to_list() == pytest.approx([0.5, 0.5], abs=0.05)
    assert est.details["heterogeneity"]["p_value"] > 0.5
    assert est.table["label"].to_list() == ["clinic", "card"]


def test_benchmarks_that_disagree_are_said_and_widen():
    shares = [(0.2, 0.15, 0.25), (0.1, 0.08, 0.13), (0.25, 0.2, 0.3)]
    est = multiplier([1000, 2000, 500], shares, labels=["a", "b", "c"])
    fixed = multiplier([1000, 2000, 500], shares, combine="fixed")
    assert est.high / est.low > 3 * fixed.high / fixed.low
    assert any("disagree by more than their errors" in w for w in est.warnings)
    assert est.details["heterogeneity"]["i_squared"] > 0.9
    span = multiplier([1000, 2000, 500], shares, combine="median")
    assert (span.low, span.high) == pytest.approx((span.table["low"].min(), span.table["high"].max()))


def test_two_that_disagree_reach_over_both():
    est = multiplier([1000, 2000], [(0.2, 0.19, 0.21), (0.1, 0.095, 0.105)])
    assert est.low <= est.table["population"].min()
    assert est.high >= est.table["population"].max()


def test_paule_mandel_and_modified_knapp_hartung_by_hand():
    """Three equally precise benchmarks: tau² is the sample variance less the error variance."""
    sd = 0.1
    logs = np.log([4000, 5000, 8000])
    shares = [stats.lognorm(sd, scale=1000 / np.exp(v)) for v in logs]
    est = multiplier([1000, 1000, 1000], shares, draws=100_000)
    assert est.details["heterogeneity"]["tau"] == pytest.approx(np.sqrt(logs.var(ddof=1) - sd**2), rel=0.02)
    reach = stats.t.ppf(0.975, 2) * logs.std(ddof=1) / np.sqrt(3)
    assert est.population == pytest.approx(np.exp(logs.mean()), rel=0.01)
    assert np.log(est.high / est.low) == pytest.approx(2 * reach, rel=0.03)


def test_a_table_of_benchmarks():
    table = pl.DataFrame(
        {
            "label": ["clinic", "card"],
            "benchmark": [100, 200],
            "proportion": [0.1, None],
            "proportion_low": [0.05, None],
            "proportion_high": [0.2, None],
            "yes": [None, 30],
            "of": [None, 100],
        }
    )
    est = multiplier(table)
    apart = [multiplier(100, (0.1, 0.05, 0.2)), multiplier(200, {"yes": 30, "of": 100})]
    assert est.table["population"].to_list() == pytest.approx([a.population for a in apart], rel=0.01)


def test_intervals_cover_when_the_survey_is_random():
    rng, size, share, hits = np.random.default_rng(8), 8000, 0.15, 0
    for _ in range(200):
        est = multiplier(int(rng.binomial(size, share)), {"yes": int(rng.binomial(300, share)), "of": 300}, draws=2000)
        hits += est.low <= size <= est.high
    assert 0.90 <= hits / 200 <= 0.99
