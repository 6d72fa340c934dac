"""Choice, price, capacity and revenue against their equations."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roads_worlds import world

import zhol
from zhol.roads import disrupt, lay, market, market_price, recover, road_shares
from zhol.roads.assign import balanced_shares
from zhol.roads.disruption import capacity_path
from zhol.roads.market import uncertain
from zhol.roads.volumes import read_volumes

COST = st.lists(st.floats(0, 50), min_size=3, max_size=3)
THERE = st.lists(st.booleans(), min_size=3, max_size=3)


@given(COST, THERE, st.floats(0.01, 20), st.floats(-40, 40))
def test_shares(cost, there, scale, more):
    cost, there = np.array(cost), np.array(there)
    share = road_shares(cost, there, scale)
    assert share.sum() == pytest.approx(1.0 if there.any() else 0.0)
    assert (share[~there] == 0).all()
    assert (share >= 0).all()
    np.testing.assert_allclose(road_shares(cost + more, there, scale), share, atol=1e-9)
    order = np.argsort(cost[there], kind="stable")
    assert (np.diff(share[there][order]) <= 1e-12).all()


def test_shares_are_odds_of_costs():
    share = road_shares(np.array([2.0, 5.0, 9.0]), np.array([True, True, True]), 1.5)
    assert np.log(share[0] / share[1]) == pytest.approx((5.0 - 2.0) / 1.5)
    assert np.log(share[1] / share[2]) == pytest.approx((9.0 - 5.0) / 1.5)


def test_the_same_on_jax_arrays():
    import jax
    import jax.numpy as jnp

    cost = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 0.0]])
    there = np.array([[True, True, True], [False, False, False]])
    found = jax.jit(road_shares)(jnp.asarray(cost), jnp.asarray(there), 0.7)
    np.testing.assert_allclose(found, road_shares(cost, there, 0.7), atol=1e-6)
    slope = jax.grad(lambda c: road_shares(c, jnp.asarray(there), 0.7)[0, 0])(jnp.asarray(cost))
    assert np.isfinite(slope).all()
    price = jax.jit(market_price)(jnp.array(100.0), jnp.array(20.0), jnp.array(10.0), 0.5)
    assert float(price) == pytest.approx(100 * (1 + 2**0.5), rel=1e-6)
    assert float(jax.jit(recover)(jnp.array(0.5), 3.0, 3.0)) == pytest.approx(0.75)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(10, 5000), min_size=3, max_size=3),
    st.lists(st.floats(0.1, 1000), min_size=3, max_size=3),
    THERE,
    st.floats(0, 1e5),
    st.floats(0.02, 3),
    st.floats(5, 5000),
)
def test_choice_and_price_agree(base, capacity, there, volume, exponent, scale):
    base, capacity, there = np.array([base]), np.array([capacity]), np.array([there])
    share = balanced_shares(base, np.array([[volume]]), capacity, exponent, there, scale)
    price = market_price(base, volume * share, capacity, exponent)
    assert share.sum() == pytest.approx(1.0 if there.any() else 0.0, abs=1e-9)
    # A balance: who chooses at these prices makes these prices. Roads that nobody takes tell nothing in logs.
    level = np.log(np.maximum(share, 1e-300)) + price / scale
    taken = there & (share > 1e-12)
    if taken.any():
        # Below that share what a road costs is rounded away against the level of the others.
        assert np.ptp(level[taken]) <= 1e-7 * (1 + np.abs(level[taken]).max())


def test_nobody_travels_at_the_base_price():
    share = balanced_shares(
        np.array([[5.0, 9.0]]), np.zeros((1, 1)), np.ones((1, 2)), 0.3, np.array([[True, True]]), 2.0
    )
    np.testing.assert_allclose(share, road_shares(np.array([[5.0, 9.0]]), np.array([[True, True]]), 2.0))


def test_a_crowd_spreads_over_roads():
    base, capacity, there = np.array([[100.0, 130.0]]), np.array([[5.0, 5.0]]), np.array([[True, True]])
    share = [balanced_shares(base, np.array([[q]]), capacity, 0.5, there, 10.0)[0, 0] for q in (0.0, 5.0, 50.0)]
    assert share[0] > share[1] > share[2] > 0.5


@given(st.floats(1, 1e4), st.floats(0, 1e5), st.floats(0.1, 1e4), st.floats(0.02, 3))
def test_price_equation(base, volume, capacity, exponent):
    price = market_price(base, volume, capacity, exponent)
    assert price >= base
    assert price == pytest.approx(base + base * (volume / capacity) ** exponent)
    assert market_price(base, capacity, capacity, exponent) == pytest.approx(2 * base)


@given(st.floats(0, 1), st.floats(0.1, 100), st.floats(0, 200), st.floats(0, 200))
def test_recovery(left, half_life, one, two):
    assert recover(left, half_life, half_life) == pytest.approx((1 + left) / 2)
    assert recover(recover(left, half_life, one), half_life, two) == pytest.approx(recover(left, half_life, one + two))
    assert left - 1e-12 <= recover(left, half_life, one) <= 1 + 1e-12


def test_path_of_a_disruption():
    path = capacity_path(0.6, held=3, months=9, half_life=np.array([2.0, 3.0]))
    assert path.shape == (10, 2)
    np.testing.assert_allclose(path[0], 1.0)
    np.testing.assert_allclose(path[1:4], 0.4)
    assert path[5, 0] == pytest.approx(0.7)
    assert path[6, 1] == pytest.approx(0.7)


LEGS = [("AAA", "BBB", "land", 900.0), ("BBB", "CCC", "land", 900.0), ("AAA", "DDD", "land", 1100.0)]
LEGS += [("DDD", "CCC", "land", 1100.0)]
PEOPLE = [{"origin": "AAA", "destination": "CCC", "persons": 6000.0}]


@pytest.fixture(scope="module")
def roads():
    stocks = [("AAA", "CCC", 80_000), ("AAA", "BBB", 20_000)]
    return lay(world(["AAA", "BBB", "CCC", "DDD"], LEGS, stocks), k=2)


def test_the_market_is_its_equations(roads):
    found = market(roads, PEOPLE, draws=200, seed=5)
    drawn = uncertain(roads, read_volumes(roads, PEOPLE, 200, 5, 0.8), 200, 5)
    price, people = found.draws["price"], found.draws["persons"]
    base, capacity = drawn.base[:, 0], drawn.capacity[:, 0]
    exponent, scale = drawn.exponent[:, 0], drawn.scale[:, 0]
    np.testing.assert_allclose(price, base * (1 + (people / 12 / capacity) ** exponent))
    np.testing.assert_allclose(found.draws["revenue"], price * people)
    np.testing.assert_allclose(people.sum(axis=1), 6000.0)
    np.testing.assert_allclose(people / 6000.0, road_shares(price, np.ones_like(price, bool), scale), atol=1e-6)


def test_table_and_total_are_quantiles_of_the_draws(roads):
    found = market(roads, PEOPLE, draws=300, level=0.5)
    for account in ("price", "persons", "revenue"):
        for end, at in (("_low", 0.25), ("", 0.5), ("_high", 0.75)):
            np.testing.assert_allclose(found.table[account + end], np.quantile(found.draws[account], at, axis=0))
    total = found.draws["revenue"].sum(axis=1)
    assert found.total["revenue"] == pytest.approx(tuple(np.quantile(total, [0.5, 0.25, 0.75])))


def test_the_same_draws_whatever_else_is_asked(roads):
    more = [*PEOPLE, {"origin": "AAA", "destination": "BBB", "persons": 100.0}]
    one, two = market(roads, PEOPLE, draws=50), market(roads, more, draws=50)
    both = two.table.with_row_index().filter(destination="CCC")["index"].to_list()
    np.testing.assert_allclose(two.draws["price"][:, both], one.draws["price"])
    again, other = market(roads, PEOPLE, draws=50), market(roads, PEOPLE, draws=50, seed=2)
    np.testing.assert_array_equal(again.draws["price"], one.draws["price"])
    assert not np.allclose(other.draws["price"], one.draws["price"])


def test_volumes_by_road_stay_on_their_road(roads):
    rows = [{**PEOPLE[0], "road": 1, "persons": 1200.0}]
    found = market(roads, rows, draws=50)
    assert found.table["persons"].to_list() == [0.0, 1200.0]
    assert found.table["revenue"][0] == 0.0
    assert found.table["price"][0] > 0


def test_an_interval_of_the_volume_widens_the_total(roads):
    sure = market(roads, PEOPLE, draws=400)
    unsure = market(roads, [{**PEOPLE[0], "low": 2000.0, "high": 18_000.0}], draws=400)
    low, high = np.quantile(unsure.draws["persons"].sum(axis=1), [0.1, 0.9])
    assert 1500 < low < 2700
    assert 13_000 < high < 24_000
    assert any("without an interval" in w for w in sure.warnings)
    assert not any("without an interval" in w for w in unsure.warnings)


def test_half_the_capacity_is_never_cheaper(roads):
    whole, half = market(roads, PEOPLE, draws=100), market(roads, PEOPLE, draws=100, capacity_left=0.5)
    spent = [m.draws["revenue"].sum(axis=1) for m in (whole, half)]
    assert (half.draws["price"].min(axis=1) >= whole.draws["price"].min(axis=1) - 1e-6).all()
    assert np.median(spent[1]) > np.median(spent[0])


def test_disruption_sends_people_over_the_other_road_and_passes(roads):
    found = disrupt(roads, PEOPLE, [("AAA", "BBB")], cut=0.9, held=6, months=400, draws=60)
    hit = found.table.filter(pl.col("hit"))
    other = found.table.filter(~pl.col("hit"))
    assert hit["places"].unique().to_list() == ["AAA>BBB>CCC"]
    assert hit["capacity"][0] == 1.0
    assert hit["capacity"][1] == pytest.approx(0.1)
    assert hit["persons"][1] < hit["persons"][0]
    assert other["persons"][1] > other["persons"][0]
    assert other["capacity"].unique().to_list() == [1.0]
    assert hit["ratio"][0] == 1.0
    assert hit["ratio"][1] > 1.0
    assert hit["price"][400] == pytest.approx(hit["price"][0], rel=0.02)
    together = found.table.group_by("month").agg(pl.col("price_low").min())
    assert together.height == 401


def test_what_the_world_earns_stands_beside_and_changes_nothing():
    region = zhol.load("central_asia")
    laid = lay(region, corridors=[("AFG", "XEU")])
    people = {"origin": ["AFG"], "destination": ["XEU"], "persons": [10_000]}
    found = market(laid, people, draws=50)
    assert found.cited["figure_id"].to_list() == ["F105", "F106"]
    text = found.summary()
    assert "Cited beside, not used: WLD 2009" in text
    assert text.count("Warning:") == 3
    from dataclasses import replace

    blind = market(replace(laid, cited_revenue=laid.cited_revenue.clear()), people, draws=50)
    np.testing.assert_array_equal(blind.draws["revenue"], found.draws["revenue"])
    assert found.to_dict()["table"][0]["price_low"] > 0
