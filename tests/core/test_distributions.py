"""Uncertain numbers: what goes in as an interval comes out as one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from zhol.core.distributions import distribution, stratified
from zhol.core.errors import ZholError
from zhol.core.quantity import Quantity

TAILS = np.array([0.025, 0.5, 0.975])
U = np.linspace(0.001, 0.999, 999)


@given(st.floats(0.01, 1e6), st.floats(1e-3, 0.9), st.floats(1e-3, 5), st.sampled_from(["real", "positive"]))
def test_a_triple_keeps_its_median_and_its_ends(value, below, above, scale):
    low, high = value * (1 - below), value * (1 + above)
    spec = distribution((value, low, high), scale=scale)
    assert spec.ppf(TAILS) == pytest.approx([low, value, high], rel=1e-6)
    assert (np.diff(spec.ppf(U)) > 0).all()
    if scale == "positive":
        assert spec.ppf(np.array([1e-9]))[0] >= 0


@given(st.floats(0.02, 0.98), st.floats(0.01, 0.95), st.floats(0.01, 0.95))
def test_a_share_stays_a_share(value, below, above):
    low, high = value * (1 - below), value + (1 - value) * above
    spec = distribution((value, low, high), scale="share")
    assert spec.ppf(TAILS) == pytest.approx([low, value, high], rel=1e-6)
    ends = spec.ppf(np.array([1e-9, 1 - 1e-9]))
    assert (ends >= 0).all()
    assert (ends <= 1).all()


def test_a_symmetric_triple_is_the_normal_and_a_geometric_one_the_lognormal():
    assert distribution((10, 8, 12)).ppf(U) == pytest.approx(stats.norm(10, 2 / stats.norm.ppf(0.975)).ppf(U), rel=1e-9)
    geometric = distribution((10, 5, 20), scale="positive")
    assert geometric.ppf(U) == pytest.approx(
        stats.lognorm(np.log(2) / stats.norm.ppf(0.975), scale=10).ppf(U), rel=1e-9
    )


@pytest.mark.parametrize(
    ("given_as", "same_as"),
    [
        ({"distribution": "normal", "mean": 3, "sd": 2}, stats.norm(3, 2)),
        ({"distribution": "normal", "low": 1, "high": 5}, stats.norm(3, 2 / stats.norm.ppf(0.975))),
        ({"dist": "lognormal", "median": 3, "sd": 0.5}, stats.lognorm(0.5, scale=3)),
        ({"distribution": "lognormal", "low": 1, "high": 9}, stats.lognorm(np.log(3) / stats.norm.ppf(0.975), scale=3)),
        ({"distribution": "beta", "a": 2, "b": 5}, stats.beta(2, 5)),
        ({"distribution": "beta", "mean": 0.2, "sd": 0.1}, stats.beta(3, 12)),
        ({"distribution": "pert", "low": 1, "mode": 2, "high": 5}, stats.beta(2, 4, loc=1, scale=4)),
        ({"distribution": "triangular", "low": 1, "mode": 2, "high": 5}, stats.triang(0.25, loc=1, scale=4)),
        ({"distribution": "uniform", "low": 1, "high": 5}, stats.uniform(1, 4)),
        ("uniform(1, 5)", stats.uniform(1, 4)),
        ("pert(1, 2, 5)", stats.beta(2, 4, loc=1, scale=4)),
        ((1, 5), stats.uniform(1, 4)),
        (stats.gamma(3), stats.gamma(3)),
        (Quantity(None, 1, 5, "persons", (), "published range"), stats.uniform(1, 4)),
        (Quantity(2, 1, 5, "persons", (), "spread of rival sources"), stats.beta(2, 4, loc=1, scale=4)),
        (Quantity(3, 1, 5, "persons", (), "80% credible"), stats.norm(3, 2 / stats.norm.ppf(0.9))),
    ],
)
def test_named_distributions_are_scipys(given_as, same_as):
    assert distribution(given_as).ppf(U) == pytest.approx(same_as.ppf(U), rel=1e-7)


def test_beta_from_an_interval_has_that_interval():
    spec = distribution({"distribution": "beta", "low": 0.02, "high": 0.11, "level": 0.9})
    assert spec.interval(0.9) == pytest.approx((0.02, 0.11), rel=1e-6)


def test_text_pair_draws_and_bare_numbers():
    assert distribution("0.2 (0.1 to 0.3)").interval() == pytest.approx((0.1, 0.3))
    draws = np.random.default_rng(1).normal(size=4000)
    assert distribution(draws).median == pytest.approx(np.median(draws))
    assert distribution(7).fixed
    assert distribution(Quantity(7, None, None, "persons", (), "", "one source, none given")).no_interval


def test_stratified_draws_settle_quantiles():
    spec = distribution((100, 80, 130), scale="positive")
    assert np.median(spec.draw(np.random.default_rng(3), 2000)) == pytest.approx(100, rel=2e-3)
    assert sorted((stratified(np.random.default_rng(1), 50) * 50).astype(int)) == list(range(50))


@pytest.mark.parametrize(
    ("bad", "scale", "message"),
    [
        ((1, 2, 3), "real", "rate: interval does not contain the value; found (2.0, 1.0, 3.0)"),
        ((3, 1), "real", "rate: interval upside down; found (3.0, 1.0), expected low <= high"),
        ((1, 2, 3, 4), "real", "rate cannot be read; found (1.0, 2.0, 3.0, 4.0), expected (value, low, high)"),
        (float("nan"), "real", "rate is missing or infinite; found nan, expected a finite number"),
        ("many", "real", "rate is not a number; found 'many', expected 0.02, or 0.02, 0.01, 0.04"),
        (None, "real", "rate is not a number; expected a number, (value, low, high) or a distribution"),
        (True, "real", "rate is not a number; found True, expected a number, (value, low, high) or a distribution"),
        (1.4, "share", "rate is out of range; found 1.4, expected a share from 0 to 1"),
        (-1, "positive", "rate is out of range; found -1.0, expected 0 or more"),
        (
            {"distribution": "cauchy", "low": 1},
            "real",
            "rate: unknown distribution; found 'cauchy', "
            "expected fixed, interval, normal, lognormal, beta, pert, triangular, uniform",
        ),
        ({"distribution": "uniform", "low": 1}, "real", "rate: uniform needs high; found 'low', expected low, high"),
        ({"distribution": "pert", "sd": 1}, "real", "rate: unknown entry; found 'sd', expected low, mode, high, value"),
        (
            {"distribution": "lognormal", "low": 0, "high": 2},
            "real",
            "rate: a lognormal has no interval down to 0; expected low above zero",
        ),
        (
            {"distribution": "beta", "mean": 0.5, "sd": 0.6},
            "real",
            "rate: no beta distribution has these numbers; found (0.5, 0.6)",
        ),
    ],
)
def test_messages(bad, scale, message):
    with pytest.raises(ZholError) as error:
        distribution(bad, name="rate", scale=scale)
    assert str(error.value) == message
