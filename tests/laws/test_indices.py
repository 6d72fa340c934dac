"""What every index must obey, whatever the flows; intervals from draws; the model schedule."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhol.estimate._indices.ages import NAMES, fit_rogers_castro, rogers_castro
from zhol.estimate._indices.margins import fit_margins
from zhol.estimate._indices.reading import System
from zhol.estimate.migration_indices import FAMILIES, indices

SHARES = ["connectivity", "inequality_equal", "inequality_sim", "gini_total", "gini_out", "gini_in"]
systems = st.integers(4, 7).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, 10_000)))


def drawn(case, zeros=0.3):
    n, seed = case
    chance = np.random.default_rng(seed)
    flows = np.round(np.exp(chance.normal(4, 1.5, (n, n)))) * (chance.random((n, n)) > zeros)
    flows[0, 1] = flows[1, 0] = 5
    return flows, np.exp(chance.normal(12, 1, n))


@given(systems)
@settings(max_examples=25, deadline=None)
def test_order_and_size(case):
    flows, people = drawn(case)
    found = indices(flows, people)
    order = np.random.default_rng(case[1]).permutation(len(flows))
    turned = indices(flows[np.ix_(order, order)], people[order])
    larger = indices(3 * flows, 3 * people)
    for measure in [m for f in ("intensity", "impact", "connectivity") for m in FAMILIES[f] if m != "impact_relative"]:
        assert turned[measure] == pytest.approx(found[measure], rel=1e-6, abs=1e-9)
        if measure != "cv":  # the reference program's, which is no pure number
            assert larger[measure] == pytest.approx(found[measure], rel=1e-6, abs=1e-9)
    assert all(-1e-12 <= found[m] <= 1 + 1e-9 for m in SHARES)
    assert 0 <= found["effectiveness"] <= 100 + 1e-9
    assert found["anmr"] == pytest.approx(found["cmp"] * found["effectiveness"] / 100)


def test_ends_of_the_scales():
    even = indices(np.ones((5, 5)))
    assert [even[m] for m in SHARES] == pytest.approx([1, 0, 0, 0, 0, 0], abs=1e-9)
    assert even["effectiveness"] == 0
    one = np.zeros((5, 5))
    one[0, 1] = 7
    single = indices(one)
    assert single["gini_total"] == pytest.approx(1) and single["gini_out"] == pytest.approx(1)
    assert single["effectiveness"] == pytest.approx(100)


def test_diagonal_does_not_matter():
    flows, people = drawn((6, 3))
    stayers = flows + np.diag(people)
    pd.testing.assert_frame_equal(indices(flows, people).to_pandas(), indices(stayers, people).to_pandas())


def test_every_way_of_giving_flows_is_the_same():
    flows, people = drawn((5, 8))
    names = list("ABCDE")
    square = pd.DataFrame(flows, index=names, columns=names)
    off = [(o, d) for o in names for d in names if o != d]
    tidy = pl.DataFrame(
        {"orig": [o for o, _ in off], "dest": [d for _, d in off], "flow": [square.loc[p] for p in off]}
    )
    mapping = dict(zip(names, people, strict=True))
    first = indices(flows, people, places=names)
    for other in (indices(square, mapping), indices(tidy, pd.Series(mapping)), indices(tidy.to_pandas(), mapping)):
        assert first.table["value"].to_list() == pytest.approx(other.table["value"].to_list(), nan_ok=True)
    assert first.by_place["place"].to_list() == names


def test_periods_stand_apart():
    flows, people = drawn((5, 9))
    names = list("ABCDE")
    rows = [
        {"period": year, "origin": o, "destination": d, "persons": flows[i, j] * (1 + (year > 2015) * i)}
        for year in (2015, 2020)
        for i, o in enumerate(names)
        for j, d in enumerate(names)
    ]
    found = indices(rows, dict(zip(names, people, strict=True)))
    wide = found.wide()
    assert wide["period"].to_list() == ["2015", "2020"]
    assert wide["impact_relative"].mean() == pytest.approx(1)
    assert wide["cmp"][0] == pytest.approx(indices(flows, people)["cmp"])


def test_draws_make_intervals():
    flows, people = drawn((6, 4))
    chance = np.random.default_rng(1)
    draws = flows * np.exp(chance.normal(0, 0.3, (200, 6, 6)))

    class Result:
        places, moves = tuple("ABCDEF"), flows

    Result.draws = draws
    apart = np.exp(np.random.default_rng(2).normal(7, 1, (6, 6)))
    found = indices(Result(), dict(zip("ABCDEF", people, strict=True)), distance=apart + apart.T)
    totals = (draws * (1 - np.eye(6))).sum((1, 2)) / people.sum() * 100
    row = found.table.filter(pl.col("measure") == "cmp").row(0, named=True)
    assert (row["low"], row["high"]) == pytest.approx(tuple(np.quantile(totals, [0.025, 0.975])))
    known = found.table.filter(pl.col("value").is_not_null())
    assert (known["low"] <= known["value"]).all() and (known["value"] <= known["high"]).all()
    assert not found.warnings


@given(systems)
@settings(max_examples=15, deadline=None)
def test_fit_meets_totals_even_at_the_edge(case):
    flows, _ = drawn(case, zeros=0.6)
    flows *= 1 - np.eye(len(flows))
    fitted = fit_margins(1 - np.eye(len(flows)), flows.sum(1), flows.sum(0))
    assert fitted.sum(0) == pytest.approx(flows.sum(0), rel=1e-6, abs=1e-6 * flows.sum())
    assert fitted.sum(1) == pytest.approx(flows.sum(1), rel=1e-6, abs=1e-6 * flows.sum())
    assert (np.diag(fitted) == 0).all() and (fitted >= 0).all()


@given(st.floats(-2.5, 0.5), st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_decay_is_recovered(power, seed):
    chance = np.random.default_rng(seed)
    apart = np.exp(chance.normal(7, 1, (7, 7)))
    apart += apart.T
    flows = np.exp(chance.normal(3, 1, (7, 1)) + chance.normal(3, 1, (1, 7))) * apart**power
    assert indices(flows, distance=apart)["decay"] == pytest.approx(power, abs=1e-8)


def test_model_schedule_is_recovered():
    true = dict(zip(NAMES, (0.021, 0.099, 0.066, 0.096, 20.1, 0.37, 0.003), strict=True))
    age = np.arange(0.0, 90)
    fitted, error = fit_rogers_castro(age, rogers_castro(age, true))
    assert fitted == pytest.approx(true, rel=1e-4) and error < 1e-3
    found = indices(ages={"age": age, "mi": rogers_castro(age, true)}, age_model=True)
    assert found["labor_asymmetry"] == pytest.approx(0.37 / 0.096, rel=1e-3)
    assert found["peaking"] == pytest.approx(20.1, rel=1e-3)


def test_result_can_be_read_drawn_and_sent():
    flows, people = drawn((5, 1))
    found = indices(flows, people)
    assert found.summary().startswith("intensity: cmp")
    assert found.to_dict()["table"][0]["measure"] == "cmp"
    assert found.to_xarray().sizes["measure"] == found.table.height
    assert found.plot().to_dict()["title"]["text"] == "Migration indices"
    assert found["effectivness"] == found["effectiveness"]  # migest's spelling
    assert System(("a", "b"), np.ones((2, 2))).moves.tolist() == [[0, 1], [1, 0]]
