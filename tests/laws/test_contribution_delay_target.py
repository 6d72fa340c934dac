"""Laws of contributions (Shapley), of the cost of delay and of targets."""

from itertools import permutations

import numpy as np
import polars as pl
import pytest
from policy_runs import WINDOW, interior, model, scenario
from system_runs import quick_compilation

from zhol.policy.contributions import _index, _ranks, _shapley, contribution
from zhol.policy.delays import delay
from zhol.policy.paired import merged, pair
from zhol.policy.targets import target
from zhol.system.instruments import compile_actions, multipliers


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


def brute(values, n):
    """Shapley value as its definition says: the mean over all orders of what each adds."""
    out = np.zeros((values.shape[1], n))
    orders = list(permutations(range(n)))
    for order in orders:
        came = 0
        for i in order:
            out[:, i] += (values[came | 1 << i] - values[came]) / len(orders)
            came |= 1 << i
    return out


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_shapley_values_are_the_mean_over_all_orders_and_add_up(n):
    values = np.random.default_rng(n).normal(size=(2**n, 4))
    found = _shapley(values, n)
    assert np.allclose(found, brute(values, n), atol=1e-12)
    assert np.allclose(found.sum(axis=1), values[-1] - values[0], atol=1e-12)


def test_interactions_vanish_without_any_and_find_a_pair():
    weights = np.array([1.0, 2.0, 4.0])
    bits = np.arange(8)[:, None] >> np.arange(3) & 1
    apart = (bits @ weights)[:, None]
    assert np.allclose(_index(apart, 3), 0.0)
    pair_only = apart + (bits[:, [0]] & bits[:, [2]]) * 10.0
    assert np.allclose(_index(pair_only, 3)[0], [[0, 0, 10], [0, 0, 0], [10, 0, 0]])


def test_random_orders_are_orders_and_come_with_their_reverse():
    ranks = _ranks(5, 7, 4, seed=3)
    assert ranks.shape == (4, 5, 7) and np.array_equal(np.sort(ranks), np.broadcast_to(np.arange(7), ranks.shape))
    assert np.array_equal(ranks[1], 6 - ranks[0]) and np.array_equal(ranks, _ranks(5, 7, 4, seed=3))


def test_contributions_add_up_exactly_and_by_random_orders(monkeypatch):
    exact = contribution(interior(), model(), draws=16, **WINDOW)
    assert exact.exact and exact.instruments == ("employer_liability", "interior_task_forces", "regularisation")
    monkeypatch.setattr("zhol.policy.contributions.MOST_EXACT", 0)
    drawn = contribution(interior(), model(), draws=16, orders=12, **WINDOW)
    assert not drawn.exact and "random orders" in drawn.warnings[0]
    for name in ("irregular_stock", "deaths_on_road", "remittances"):
        for found in (exact, drawn):
            assert np.allclose(found.shares[name].sum(axis=1), found.effect[name], rtol=1e-9, atol=1e-9)
        assert np.array_equal(exact.effect[name], drawn.effect[name])
        spread = np.abs(exact.shares[name]).max()
        assert np.abs(exact.shares[name].mean(axis=0) - drawn.shares[name].mean(axis=0)).max() < 0.1 * spread
    means = exact.table.filter(pl.col("outcome") == "exposure")
    assert means.filter(pl.col("instrument") != "together")["mean"].sum() == pytest.approx(
        means.filter(pl.col("instrument") == "together")["mean"].item()
    )
    assert exact.pairs.height == len(exact.outcomes) * 3


def test_fewer_rows_of_hooks_multiply_the_same_levers():
    from zhol.policy import package

    months = [f"20{y}-{m:02d}" for y in (10, 11) for m in range(1, 13)]
    plan = package("protect_and_regularise", "KAZ", "2010-06", region="central_asia")
    actions = [a for a in plan.actions() if {a.actor, a.partner} - {None} <= set(model().places)]
    hooks = compile_actions(actions, model(), months, 3, 7)
    few = merged(hooks)
    assert few.intensity.shape[1] < hooks.intensity.shape[1] and few.levers == hooks.levers
    leakage = np.random.default_rng(1).uniform(0.05, 0.6, len(model().places))
    for t in (0, 6, 23):
        both = [
            multipliers(h.levers, h.intensity[t], h.actor, {n: e[1] for n, e in h.effect.items()}, h.mask, leakage, np)
            for h in (hooks, few)
        ]
        for name in both[0]:
            assert np.allclose(both[0][name], both[1][name], rtol=1e-12)


def test_scenarios_that_never_act_need_no_room():
    paired = pair([None, interior().scaled(0.0)], model(), draws=2, **WINDOW)
    assert paired.room == 0 and paired.levers == () and paired.run(1).n_draws == 2


def test_strength_one_is_the_scenario_and_strength_zero_the_base():
    paired = pair([None, interior()], model(), draws=16, **WINDOW)
    stock = lambda run: {"v": run.draws("irregular_stock")[0]}  # noqa: E731
    many = paired.many(1, np.array([[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [0.5, 0.5, 0.5]]), stock)["v"]
    assert np.array_equal(many[0], stock(paired.run(0))["v"]) and np.array_equal(many[1], stock(paired.run(1))["v"])
    half = pair([None, interior().scaled(0.5)], model(), draws=16, **WINDOW)
    assert np.allclose(many[2], stock(half.run(1))["v"], rtol=1e-4)


def test_no_delay_costs_nothing_and_a_longer_one_of_a_helpful_package_more():
    found = delay(interior(), (0, 1, 2), model(), draws=16, **WINDOW)
    assert all(not found.cost[o.id][0].any() for o in found.outcomes)
    lost = found.cost["irregular_stock"]
    assert (np.diff(lost, axis=0) > 0).all(axis=0).mean() > 0.9
    for one in found.outcomes:
        sign = 1.0 if one.direction == "less" else -1.0
        gap = sign * (found.effect[one.id] - found.effect[one.id][0])
        told = found.cost[one.id] != 0  # a loss that is lost in the rounding of a large total is called none
        assert np.allclose(found.cost[one.id][told], gap[told])
        assert np.abs(gap[~told]).max(initial=0.0) <= 0.005 * np.abs(found.effect[one.id]).max()
    assert found.units["irregular_stock"] == "person-years" and found.verdict == "lawful"


def test_a_target_within_reach_is_met_by_less_than_everything():
    found = target("irregular_stock", 0.6, 2013, interior(), model(), relative=True, draws=16, start="2010")
    assert found.verdict == "reached" and found.probability >= 0.8 and 0 < found.cost < 3
    assert found.package is not None and "total strength" in found.cost_unit
    cheaper = found.tried.filter(
        (pl.col("cost") < found.cost - 1e-9) & (pl.col("probability") >= 0.8) & pl.col("lawful")
    )
    assert cheaper.is_empty()
    again = pair([None, found.package], model(), draws=16, **WINDOW)
    reached = (
        again.run(1).draws("irregular_stock", where={"destination": "KAZ"})[0][:, -1]
        <= 0.6 * (again.run(0).draws("irregular_stock", where={"destination": "KAZ"})[0][:, -1])
    )
    assert reached.mean() == pytest.approx(found.probability, abs=1 / 16)
    # Dear regularisation: something else, or less of it.
    costs = {"employer_liability": 1.0, "interior_task_forces": 1.0, "regularisation": 50.0}
    dear = target("irregular_stock", 0.6, 2013, interior(), model(), relative=True, draws=16, start="2010", costs=costs)
    assert dear.strengths["regularisation"] <= found.strengths["regularisation"] and dear.cost_unit == "cost as given"


def test_a_target_out_of_range_is_shown_to_be_so():
    found = target("irregular_stock", 0.0, 2013, interior(), model(), draws=16, start="2010")
    assert found.verdict == "out of reach" and found.package is None and found.bound < 0.8
    assert "Out of reach" in found.summary() and found.to_dict()["package"] is None


def test_what_present_policies_reach_needs_nothing():
    found = target("recognised", 0.9999, 2013, interior(), model(), relative=True, draws=16, start="2010")
    assert found.verdict == "reached" and found.cost == 0 and found.package is not None and not found.package.measures


def test_a_target_that_only_unlawful_packages_reach_is_not_offered():
    hard = scenario("hard", {"instrument": "removal_campaign"})  # lawful up to one half
    paired = pair([None, hard], model(), draws=16, start="2010", end="2013")
    removed = paired.many(1, np.array([[0.0], [0.5], [1.0]]), lambda run: {
        "v": run.draws("removals", where={"destination": "KAZ"})[0][:, 1]})["v"]  # fmt: skip
    half, full = (np.quantile(removed[i] / removed[0], 0.2) for i in (1, 2))
    assert half < full
    found = target(
        "removals", (half + full) / 2, 2011, hard, model(), relative=True, draws=16, start="2010", end="2013"
    )
    assert found.verdict == "only unlawful" and found.package is None and found.strengths["removal_campaign"] <= 0.5
    assert found.tried.filter(pl.col("probability") >= 0.8)["lawful"].sum() == 0
