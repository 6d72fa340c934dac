"""Laws of the frontier of trade-offs, on one small pack whose every mix can be tried."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from policy_runs import interior, model, scenario, unlawful
from system_runs import quick_compilation

from zhol.policy._frontier.evaluation import bench_of, evaluate, paired_of
from zhol.policy._frontier.knees import knees, not_dominated, scaled, spread_out, steepness
from zhol.policy._frontier.options import options_of, space_of
from zhol.policy._frontier.search import robust
from zhol.policy.outcomes import chosen, totals
from zhol.policy.paired import pair
from zhol.policy.rights import judge, lawful
from zhol.policy.tradeoff_frontier import frontier

WINDOW = {"start": "2010", "end": "2013"}
OBJECTIVES = ("irregular_stock", "exposure", "unfilled_demand")
DRAWS = 8


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


def options():
    """Three options, one of which breaks rights floors above some strength; the same compiled month everywhere."""
    return [interior().only("regularisation", "interior_task_forces"), unlawful().only("worker_detention")]


@cache
def found(budget=1.0, step=0.5, delays=(0,), runs=1600, seed=1, quantile=0.8):
    return frontier(options(), model(), budget=budget, objectives=OBJECTIVES, delays=delays, step=step, runs=runs,
                    draws=DRAWS, population=12, points=30, seed=seed, quantile=quantile, **WINDOW)  # fmt: skip


@cache
def bench(delays=(0, 1)):
    own = options_of(options(), None, None, "central_asia")
    months = [f"{y}-{m:02d}" for y in range(2010, 2014) for m in range(1, 13)]
    space = space_of(own, delays, months, None, None, 0.5)
    paired = paired_of(space, model(), draws=DRAWS, seed=1, **WINDOW)
    return bench_of(space, ("KAZ",), chosen(list(OBJECTIVES)), paired)


def signed(table, columns="_robust"):
    return table.select([f"{o.id}{columns}" for o in chosen(list(OBJECTIVES))]).to_numpy()


def test_no_point_beats_another_and_each_is_lawful_and_within_the_budget():
    for one in (found(), found(delays=(0, 1), runs=480)):  # every mix, and a search
        values = signed(one.table)
        assert not_dominated(values).all() and len(values) > 3
        assert (one.table["budget"] <= 1.0 + 1e-9).all()
        for point in one.table["point"]:
            plan = one.scenario(point)
            assert lawful(judge(plan)) and (not plan.measures or min(m.start for m in plan.measures) >= "2011-01")
    every, some = (" ".join(o.warnings) for o in (found(), found(delays=(0, 1), runs=480)))
    assert "every mix in steps of 0.5 of strength was tried" in every and "shows what it found" in some


def test_rights_floors_are_constraints_and_the_unlawful_stands_apart():
    one = found(budget=None)
    assert (one.table["worker_detention"] < 1.0).all()
    assert one.unlawful.height and (one.unlawful["floors_broken"] != "").all()
    full = one.unlawful.filter(pl.col("worker_detention") == 1.0)
    assert full.height and "detention_last_resort" in full["floors_broken"][0]
    assert "Not lawful" in one.summary()


def test_every_mix_is_as_good_as_comparing_it_by_itself():
    b = bench()
    strength, late = np.array([[0.5, 1.0, 0.0], [0.0, 0.5, 0.5]]), np.array([[0, 1, 0], [0, 0, 1]])
    gaps = evaluate(b, strength, late).gaps
    plans = [b.space.scenario(x, d, "mix") for x, d in zip(strength, late, strict=True)]
    alone = pair([None, *plans], model(), draws=DRAWS, **WINDOW)
    base = alone.run(0)
    for i in range(2):
        run = alone.run(i + 1)
        for k, one in enumerate(b.outcomes):
            gap = totals(run, one, b.scope) - totals(base, one, b.scope)
            assert np.allclose(gaps[i][:, k], gap, rtol=2e-3, atol=2e-4 * np.abs(b.before[:, k]).max())


def test_the_frontier_is_that_of_brute_force():
    one, b = found(), bench((0,))
    space = replace(b.space, budget=1.0)
    strength, late = space.every()
    tried = evaluate(b, strength, late)
    fair = np.array([not x for x in tried.broken])
    values = robust(tried.gaps, 0.8)[fair]
    best = values[not_dominated(np.round(values, 3))]
    for row in signed(one.table):
        assert np.abs(best - row).max(axis=1).min() <= 1e-4 * np.abs(values).max()
    for row in best:  # nothing better is missing
        assert (signed(one.table) <= row + 1e-4 * np.abs(values).max(axis=0)).all(axis=1).any()


def test_more_budget_never_takes_anything_away():
    last = None
    for budget in (0.5, 1.0, 2.0, None):
        values = signed(found(budget=budget).table)
        if last is not None:
            slack = 1e-5 * np.abs(last).max(axis=0)
            assert all((values <= row + slack).all(axis=1).any() for row in last)
        last = values


def test_a_search_finds_what_trying_everything_finds():
    searched, every = found(delays=(0, 1), runs=480), found(delays=(0, 1), runs=DRAWS * 200)
    assert searched.tried < every.tried == len(replace(bench().space, budget=1.0).every()[0])
    span = np.ptp(signed(every.table), axis=0)
    best = signed(every.table)
    for row in signed(searched.table):  # nothing found is far from the exact frontier, and nothing beats it
        assert not ((row < best - 1e-4 * span).all(axis=1)).any()
        assert (np.abs(best - row) / span).max(axis=1).min() < 0.25


def test_the_same_seed_gives_the_same_and_the_order_of_options_is_none():
    one = found(delays=(0, 1), runs=480)
    again = frontier(options()[::-1], model(), budget=1.0, objectives=OBJECTIVES[::-1], delays=(0, 1), step=0.5,
                     runs=480, draws=DRAWS, population=12, points=30, **WINDOW)  # fmt: skip
    assert again.table.equals(one.table) and again.unlawful.equals(one.unlawful) and again.words(1) == one.words(1)


def test_nothing_done_changes_nothing_bitwise_whoever_stands_beside():
    b = bench()
    strength = np.array([[0.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.0, 0.0, 0.0]])
    runs = b.runs(strength, np.ones_like(strength, dtype=int))
    for name, array in b.base.arrays.items():
        assert np.array_equal(runs[0].arrays[name], array) and np.array_equal(runs[2].arrays[name], array)
    gaps = evaluate(b, strength, np.ones_like(strength, dtype=int)).gaps
    assert not gaps[0].any() and gaps[1].any()


def test_an_option_of_no_intensity_changes_nothing():
    idle = scenario("idle", {"instrument": "patents", "intensity": 0.0})
    settings = {"budget": 1.0, "objectives": OBJECTIVES, "delays": (0,), "step": 0.5, "draws": DRAWS, **WINDOW}
    one = frontier([*options(), idle], model(), runs=1600, points=30, **settings)
    assert np.allclose(signed(one.table), signed(found().table))
    assert one.table["budget"].equals(found().table["budget"])


def test_quantiles_are_ordered_and_what_is_not_finite_is_the_worst():
    gaps = np.random.default_rng(1).normal(size=(5, 40, 3))
    careful = [robust(gaps, q) for q in (0.1, 0.5, 0.8, 0.95)]
    assert all((a <= b).all() for a, b in pairwise(careful))
    gaps[0, 3, 1] = np.nan
    assert (robust(gaps, 0.8) >= careful[2] - 1e-12).all()
    tried = evaluate(bench(), np.eye(3), np.zeros((3, 3), dtype=int)).gaps
    assert (robust(tried, 0.5) <= robust(tried, 0.9)).all()


def test_intervals_come_from_draws_that_had_no_part_in_the_choice():
    one = found()
    for o in chosen(list(OBJECTIVES)):
        assert (one.table[f"{o.id}_low"] <= one.table[o.id]).all()
        assert (one.table[o.id] <= one.table[f"{o.id}_high"]).all()
    assert 0.0 < one.held < 1.0 and f"{one.held:.0%} of others" in one.summary()
    assert one.runs == (one.tried + 1) * DRAWS + (one.table.height + one.unlawful.height + 1) * 2 * DRAWS


def test_a_knee_is_found_where_there_is_one_and_said_in_words():
    x = np.linspace(0.0, 1.0, 21)
    bent = scaled(np.column_stack([x, np.where(x <= 0.2, 1 - 4 * x, (1 - x) / 4)]))  # four to one on either side
    assert [round(float(x[i]), 2) for i in knees(bent)] == [0.2]
    assert knees(scaled(np.column_stack([x, 1 - x]))) == []
    assert steepness(bent)[0][4] == pytest.approx(4.0) and set(spread_out(bent, 5, [4])) >= {0, 4, 20}
    one = found(budget=None)
    for point in range(1, len(one.strengths) + 1):
        words = one.words(point)
        if np.isfinite(one.ratio[point - 1]):
            assert f"to point {one.next_point[point - 1] + 1}, brings" in words
    assert (one.ratio[one.table["knee"].to_numpy()] >= 1.2).all()


def test_progress_and_a_cluster_change_no_number():
    from distributed import LocalCluster

    heard = []
    b = bench()
    strength, late = b.space.decode(np.random.default_rng(2).random((40, b.space.size)))
    here = evaluate(b, strength, late, tell=lambda done, of: heard.append((done, of)))
    assert heard[-1] == (40, 40) and heard == sorted(heard)
    with LocalCluster(n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None, host="127.0.0.1",
                      protocol="tcp") as cluster:  # fmt: skip
        there = evaluate(b, strength, late, cluster=cluster.scheduler_address)
    assert np.array_equal(here.gaps, there.gaps) and here.broken == there.broken


def test_designs_keep_within_the_budget_and_apart():
    both = scenario("both", {"instrument": "visa_requirement", "partner": "KGZ"})
    free = scenario("free", {"instrument": "free_movement", "partner": "KGZ"})
    own = options_of([both, free, interior()], None, None, "central_asia")
    months = [f"{y}-{m:02d}" for y in range(2010, 2014) for m in range(1, 13)]
    space = space_of(own, (0, 1), months, 0.7, None)
    names = [o.name for o in own]
    assert [(names[i], names[j]) for i, j in space.apart] == [("free_movement", "visa_requirement")]
    strength, late = space.decode(np.random.default_rng(3).random((300, space.size)))
    assert (space.spent(strength, late) <= 0.7 + 1e-9).all() and (strength >= 0).all()
    i, j = space.apart[0]
    assert not (strength[:, i] * strength[:, j]).any()
    twice = space.decode(space.encode(strength, late))
    assert np.array_equal(twice[0], strength) and np.array_equal(twice[1], late)
    for x, d in zip(strength[:20], late[:20], strict=True):
        space.scenario(x, d, "allowed")
