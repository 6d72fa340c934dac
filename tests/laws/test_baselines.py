"""Yardsticks and scores of the backtest against hand calculations, closed forms and brute force."""

import math
from itertools import pairwise

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings
from scipy.stats import norm, t

from zhol.core.errors import ZholError
from zhol.trust.baselines import BASELINES, last_value_with_drift, linear_trend, no_change
from zhol.trust.scores import (
    absolute_log_error,
    central_interval,
    coverage,
    crps,
    interval_score,
    scorecard,
)

E2 = math.e**2


def test_no_change_by_hand():
    """Log steps 1 and -1 over 1 and 4 years: variance a year (1/1 + 1/4) / 2 = 0.625; four years ahead sd 1.58."""
    said = no_change([2000, 2001, 2005], [1, math.e, 1], [2005, 2009])
    assert said.value == pytest.approx([1, 1])
    assert said.log_sd == pytest.approx([0, math.sqrt(0.625 * 4)])
    assert said.df.tolist() == [2, 2] and said.points.tolist() == [3, 3]
    low, high = said.interval(0.8)
    assert high[1] == pytest.approx(math.exp(math.sqrt(2.5) * t.ppf(0.9, 2))) and low[1] == pytest.approx(1 / high[1])


def test_drift_by_hand():
    """From 0 to 4 over three years (logs 0, 1, 1, 4): drift 4/3; steps 1, 0, 3 miss it by -1/3, -4/3, 5/3."""
    said = last_value_with_drift([0, 1, 2, 3], np.exp([0, 1, 1, 4]), [5])
    assert np.log(said.value) == pytest.approx([4 + 2 * 4 / 3])
    variance = (1 / 9 + 16 / 9 + 25 / 9) / 2
    assert said.log_sd == pytest.approx([math.sqrt(variance * (2 + 4 / 3))])
    assert said.df.tolist() == [2]


def test_trend_by_hand():
    """Logs 0, 2, 1 in three Junes: slope 1/2, middle 1; the January between them is of another season."""
    said = linear_trend([2010.5, 2011.5, 2012.0, 2012.5], np.exp([0, 2, 9, 1]), [2013.5])
    assert np.log(said.value) == pytest.approx([2.0])
    assert said.log_sd == pytest.approx([math.sqrt(1.5 * (1 + 1 / 3 + 4 / 2))])  # squares left: 0.25 + 1 + 0.25
    assert said.df.tolist() == [1] and said.points.tolist() == [3]


def test_trend_agrees_with_polyfit_when_all_points_compare():
    rng = np.random.default_rng(1)
    times = np.sort(rng.uniform(0, 10, 9))
    logs = rng.normal(0, 1, 9)
    slope, level = np.polyfit(times, logs, 1)
    said = linear_trend(times, np.exp(logs), [12.0, 15.3], comparable=0.5)
    assert np.log(said.value) == pytest.approx(level + slope * np.array([12.0, 15.3]))


def test_trend_without_two_points_of_the_season_is_no_change():
    assert linear_trend([2010.0, 2011.5], [5, 80], [2012.0]).value == pytest.approx([5])  # the January
    assert linear_trend([2010.0, 2010.2], [5, 80], [2012.5]).value == pytest.approx([80])  # none: the last


def test_seasons_wrap_around_the_year():
    """End of December and start of January are one season."""
    assert linear_trend([2010.99, 2012.01], [1, E2], [2013.0], comparable=0.05).points.tolist() == [2]


@settings(max_examples=40, deadline=None)
@given(st.floats(-3, 3), st.floats(-0.5, 0.5), st.integers(2, 8), st.integers(1, 20))
def test_an_exact_exponential_is_continued(level, growth, points, ahead):
    times = np.arange(points, dtype=float)
    when = points - 1.0 + ahead
    for name in ("linear trend", "last value with drift"):
        said = BASELINES[name](times, np.exp(level + growth * times), [when])
        assert np.log(said.value) == pytest.approx([level + growth * when], abs=1e-9)


@pytest.mark.parametrize("name", BASELINES)
def test_order_and_unit_do_not_matter(name):
    times, values = np.array([0.0, 1, 2, 3]), np.array([3.0, 5, 4, 9])
    one = BASELINES[name](times, values, [6.0, 7.0])
    two = BASELINES[name](times[::-1], 1000 * values[::-1], [6.0, 7.0])
    assert two.value == pytest.approx(1000 * one.value) and two.log_sd == pytest.approx(one.log_sd)


@pytest.mark.parametrize("name", BASELINES)
def test_one_point_has_a_value_and_no_width(name):
    said = BASELINES[name]([2010.0], [7.0], [2015.0])
    assert said.value == pytest.approx([7]) and np.isnan(said.interval(0.5)).all()


@pytest.mark.parametrize(
    ("times", "values", "at", "line"),
    [
        (
            [],
            [],
            [1],
            "a series needs one time for each value; found '0 times and 0 values', expected 1 or more of each",
        ),
        ([1, 2], [1, 0], [3], "values of a series must be above zero; found 0.0; leave such points out"),
        ([1, 1], [1, 2], [3], "two points of a series share a time; found 1.0"),
        ([1, 2], [1, 2], [1.5], "a yardstick looks ahead only; found 1.5, expected 2 or later"),
    ],
)
@pytest.mark.parametrize("name", BASELINES)
def test_broken_series(name, times, values, at, line):
    with pytest.raises(ZholError) as caught:
        BASELINES[name](times, values, at)
    assert str(caught.value) == line


def test_errors_are_the_same_both_ways_and_nobody_is_half_a_person():
    assert absolute_log_error([2, 1], [1, 2]) == pytest.approx([math.log(2)] * 2)
    assert absolute_log_error([0], [1]) == pytest.approx([math.log(2)])


def test_interval_score_by_hand():
    """Width 2; at 50 per cent a miss of 0.5 costs 2 / 0.5 * 0.5 = 2 more."""
    assert interval_score([1, 1, 1], [3, 3, 3], [2, 0.5, 3.5], 0.5) == pytest.approx([2, 4, 4])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9), st.floats(-5, 5))
def test_crps_is_the_integral_of_its_definition(sample, truth):
    """Integral of (F(x) - [x >= y])^2 over the steps of the empirical distribution."""
    edges = np.sort([*sample, truth])
    area = 0.0
    for low, high in pairwise(edges):
        share = np.mean(np.array(sample) <= low)
        area += (share - (truth <= low)) ** 2 * (high - low)
    assert crps(np.array(sample)[:, None], [truth])[0] == pytest.approx(area, abs=1e-9)


def test_crps_and_coverage_of_normal_draws():
    """Closed form of the normal (Gneiting & Raftery 2007, section 4.2): at its centre 2 phi(0) - 1 / sqrt(pi)."""
    grid = norm.ppf((np.arange(4000) + 0.5) / 4000)[:, None]
    for truth in (0.0, 1.3):
        exact = truth * (2 * norm.cdf(truth) - 1) + 2 * norm.pdf(truth) - 1 / math.sqrt(math.pi)
        assert crps(grid, [truth])[0] == pytest.approx(exact, abs=1e-3)
    low, high = central_interval(grid, 0.8)
    assert (low[0], high[0]) == pytest.approx((norm.ppf(0.1), norm.ppf(0.9)), abs=1e-3)
    truths = norm.ppf((np.arange(1000) + 0.5) / 1000)
    assert coverage(np.full(1000, low[0]), np.full(1000, high[0]), truths) == pytest.approx(0.8, abs=2e-3)


def test_scorecard_by_hand():
    """Medians 100 and 400 for truths of 100 and 100: errors 0 and log 4."""
    draws = np.array([[50.0, 400.0], [100.0, 400.0], [200.0, 400.0]])
    card = scorecard(draws, [100.0, 100.0], by=["x", "y"])
    assert card["group"].to_list() == ["x", "y", "all"] and card["figures"].to_list() == [1, 1, 2]
    assert card["mean_error"].to_list() == pytest.approx([0, math.log(4), math.log(4) / 2])
    assert card["bias"].to_list() == card["mean_error"].to_list()
    assert card["coverage_50"].to_list() == [1.0, 0.0, 0.5]
    # x: three draws log 2 apart: mean distance 2/3 log 2, half the mean distance of two draws 4/9 log 2
    assert card["crps"].to_list()[0] == pytest.approx(math.log(2) * (2 / 3 - 4 / 9))
    # y: no width, a miss of log 4 at 2 / 0.2
    assert card["interval_score_80"].to_list()[1] == pytest.approx(10 * math.log(4))


def test_scorecard_of_nothing_is_nan_not_an_error():
    card = scorecard(np.ones((3, 0)), [])
    assert card["figures"].to_list() == [0] and math.isnan(card["crps"].item())


@pytest.mark.parametrize(
    ("draws", "observed", "line"),
    [
        ([[1.0, 2.0]], [1.0], "predictions and observations differ in number; found 2, expected 1"),
        ([[1.0]], [0.0], "observations must be above zero; found 0.0"),
        ([[math.nan]], [1.0], "a score needs every number; found '1 missing or infinite'"),
        ([1.0], [1.0], "draws must be a table, one row a draw; found 'shape (1,)'"),
    ],
)
def test_broken_scores(draws, observed, line):
    with pytest.raises(ZholError) as caught:
        scorecard(draws, observed)
    assert str(caught.value) == line
