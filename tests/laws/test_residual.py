"""The residual method: closed forms, and the width that uncertain emigration makes."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from zhol.core.quantity import Quantity
from zhol.estimate.residual_method import residual


def shares(est):
    return dict(est.table.select("input", "share").iter_rows())


@given(st.floats(500, 5000), st.floats(0.01, 0.4), st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0, 0.3))
@settings(max_examples=20)
def test_plain_numbers_are_arithmetic(census, part, leave, die, missed):
    legal = part * census
    est = residual(census, legal, leave, die, missed, draws=1000)
    assert est.population == pytest.approx(census / (1 - missed) - legal * (1 - leave) * (1 - die), rel=1e-9)
    assert est.low == pytest.approx(est.high)


def test_different_undercounts():
    est = residual(1000, 600, undercount={"legal": 0.02, "irregular": 0.1}, draws=1000)
    assert est.population == pytest.approx((1000 - 0.98 * 600) / 0.9)
    same = residual(1000, 600, undercount={"legal": 0.05, "irregular": 0.05}, draws=1000)
    assert same.population == pytest.approx(residual(1000, 600, undercount=0.05, draws=1000).population)


def test_cohorts_survive_year_by_year():
    arrivals = {2010: 100, 2015: 200, 2020: 300}
    est = residual(1000, arrivals, emigration=0.03, mortality=0.01, year=2020, draws=1000)
    stay = 0.97 * 0.99
    assert est.population == pytest.approx(1000 - 100 * stay**10 - 200 * stay**5 - 300)
    assert est.details["cohorts"]["value"].to_list() == pytest.approx([100 * stay**10, 200 * stay**5, 300])
    table = pl.DataFrame({"year": [2010, 2015, 2020], "arrivals": [100, 200, 300]})
    for same in (table, table.to_pandas(), table.to_dicts(), table.to_dict(as_series=False)):
        again = residual(1000, same, emigration=0.03, mortality=0.01, year=2020, draws=1000)
        assert again.population == pytest.approx(est.population)


def test_risks_by_years_of_stay():
    est = residual(1000, {2010: 100}, emigration={0: 0.1, 3: 0.02}, year=2020, draws=1000)
    assert est.population == pytest.approx(1000 - 100 * 0.9**3 * 0.98**7)


def test_one_legal_figure_over_some_years():
    est = residual(1000, 600, emigration=0.1, years=3, draws=1000)
    assert est.population == pytest.approx(1000 - 600 * 0.9**3)
    assert any("applied for 3 years" in w for w in est.warnings)


def test_normal_inputs_add_their_variances():
    est = residual(stats.norm(1000, 30), stats.norm(600, 40), draws=40_000)
    assert est.se == pytest.approx(50, rel=0.02)
    assert (est.low, est.high) == pytest.approx((400 - 98, 400 + 98), rel=0.01)
    assert shares(est) == pytest.approx({"census": 0.36, "legal": 0.64}, abs=0.02)
    widths = dict(est.table.select("input", "width_alone").iter_rows())
    assert widths == pytest.approx({"census": 2 * 1.96 * 30, "legal": 2 * 1.96 * 40}, rel=0.02)
    known = dict(est.table.select("input", "width_if_known").iter_rows())
    assert known == pytest.approx({"census": 2 * 1.96 * 40, "legal": 2 * 1.96 * 30}, rel=0.02)


def test_errors_shared_by_all_cohorts_do_not_cancel():
    arrivals = dict.fromkeys(range(2001, 2017), (100, 80, 120))
    together = residual(4000, arrivals, year=2016, correlation=1, draws=20_000)
    apart = residual(4000, arrivals, year=2016, correlation=0, draws=20_000)
    assert together.se / apart.se == pytest.approx(4, rel=0.05)


def test_same_seed_same_answer_and_every_kind_of_input():
    inputs = (
        Quantity(1000, 950, 1060, "persons", (), "95% confidence"),
        {"value": 500, "low": 450, "high": 540},
        "0.02, 0.01, 0.04",
        {"distribution": "uniform", "low": 0.004, "high": 0.01},
        stats.beta(2, 38),
    )
    one = residual(*inputs, seed=5)
    assert one.table.equals(residual(*inputs, seed=5).table)
    assert residual(*inputs, seed=6).population == pytest.approx(one.population, rel=0.01)
    assert one.table["share"].min() >= 0
    assert (one.table["share"] <= one.table["share_total"] + 1e-12).all()


def test_contradicting_inputs_are_said():
    est = residual((1000, 900, 1100), (950, 800, 1100))
    assert est.low == 0
    assert any("of draws are below zero" in w for w in est.warnings)


# Round numbers of the size of the United States, ours and not the paper's: a million legal arrivals a year from 1980.
ROUND = {
    "census": (36.1e6, 35.9e6, 36.3e6),
    "legal": dict.fromkeys(range(1980, 2018), 1e6),
    "emigration": (0.01, 0.004, 0.02),
    "mortality": (0.008, 0.006, 0.010),
    "undercount": {"legal": (0.02, 0.0, 0.04), "irregular": (0.1, 0.05, 0.2)},
    "year": 2018,
}


def test_emigration_makes_the_width_that_van_hook_and_others_find():
    """Abstract of Demography 58(6): 50 % between 9.1 and 12.2 million, 95 % between 7.0 and 15.7, mostly emigration."""
    est = residual(**ROUND)
    published = np.array([7.0, 9.1, 12.2, 15.7])
    ours = np.quantile(est.details["draws"], [0.025, 0.25, 0.75, 0.975]) / 1e6
    assert ours == pytest.approx(published, rel=0.05)
    rows = {r["input"]: r for r in est.table.iter_rows(named=True)}
    assert rows["emigration"]["share"] > 0.75
    assert rows["emigration"]["width_if_known"] < 0.4 * (est.high - est.low)
    assert all(rows["emigration"]["share"] > 5 * r["share"] for n, r in rows.items() if n != "emigration")
    assert any("of the variance comes from emigration" in w for w in est.warnings)


def test_longer_stays_make_emigration_matter_more():
    recent = residual(**{**ROUND, "legal": dict.fromkeys(range(2010, 2018), 38e6 / 8)})
    assert shares(recent)["emigration"] < shares(residual(**ROUND))["emigration"]
