"""Laws that any flows from stocks obey: accounts close, nothing is negative, names and units do not matter."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhol import estimate
from zhol.core import jobs
from zhol.estimate._flows import closing, many_draws, missing, scaling, stock_draws
from zhol.estimate.proportional_fitting import fit_parts, net_matrix, parts_of_blocks, parts_of_stripes

FEW = settings(max_examples=25, deadline=None)
METHODS = [
    {},
    {"stayers": False},
    {"closed": False},
    {"closed": False, "open_weights": "other"},
    {"method": "pseudo_bayes"},
    {"births_method": "proportion", "balance": "after"},
    {"deaths_method": "accounting"},
    {"birth_non_negative": False},
]


@st.composite
def worlds(draw, zeros=True):
    """Two stocks with births and deaths, from tidy to absurd."""
    size = draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    spread = draw(st.sampled_from([0.3, 1.5, 3.0]))
    start = np.exp(rng.normal(4, spread, (size, size))).round()
    start[np.arange(size), np.arange(size)] *= 20
    end = (start * np.exp(rng.normal(0, 0.3, start.shape))).round()
    if zeros and draw(st.booleans()):
        start[rng.random(start.shape) < 0.4] = 0
        end[rng.random(start.shape) < 0.4] = 0
        start[0, 0], end[0, 0] = start[0, 0] + 1, end[0, 0] + 1  # somebody lives somewhere
    rate = draw(st.sampled_from([0.0, 0.05, 0.5, 3.0]))
    births, deaths = (np.round(rate * rng.random(size) * start.sum(0)) for _ in range(2))
    return start + 0.0, end + 0.0, births, deaths


def _flows(world, **choices):
    start, end, births, deaths = world
    return estimate.flows(start, end, births=births, deaths=deaths, **choices)


@pytest.mark.parametrize("choices", METHODS, ids=str)
@given(world=worlds())
@FEW
def test_no_cell_is_negative_and_the_account_of_every_place_closes(choices, world):
    found = _flows(world, **choices)
    account = found.imbalance
    size = max(account["start_used"].sum(), account["end_used"].sum(), 1.0)
    assert found.matrix.min() >= 0 and found.by_birthplace.min() >= 0
    assert np.isfinite(found.matrix).all()
    np.testing.assert_allclose(found.by_birthplace.sum(2), found.matrix, rtol=1e-9, atol=1e-9 * size)
    if not any("give way" in w for w in found.warnings):
        assert account["gap"].abs().max() <= 1e-9 * size
    assert abs(account["net"].sum()) <= 1e-9 * size


@pytest.mark.parametrize("stayers", [True, False])
@given(world=worlds())
@FEW
def test_margins_of_every_birthplace_are_its_matched_stocks(stayers, world):
    found = _flows(world, stayers=stayers)
    cube, matched = found.by_birthplace, found.matched
    size = matched.start.sum()
    np.testing.assert_allclose(cube.sum(1).T, matched.start[0], rtol=1e-9, atol=1e-12 * size)
    np.testing.assert_allclose(cube.sum(0).T, matched.end[0], rtol=1e-9, atol=1e-12 * size)
    if stayers:  # as many as the stocks allow
        stay = np.diagonal(cube, axis1=0, axis2=1)
        np.testing.assert_allclose(stay, np.minimum(matched.start[0], matched.end[0]), rtol=1e-9)


@given(world=worlds(), order=st.randoms(use_true_random=False))
@FEW
def test_order_of_places_is_irrelevant(world, order):
    start, end, births, deaths = world
    turn = list(range(len(start)))
    order.shuffle(turn)
    names = np.array([f"place {i}" for i in range(len(start))])
    one = _flows(world, places=list(names), draws=4, stock_error=0.2)
    turned = (start[np.ix_(turn, turn)], end[np.ix_(turn, turn)], births[turn], deaths[turn])
    other = _flows(turned, places=list(names[turn]), draws=4, stock_error=0.2)
    back = np.argsort(turn)
    size = 1e-9 * max(one.matrix.max(), 1.0)
    np.testing.assert_allclose(other.matrix[np.ix_(back, back)], one.matrix, rtol=1e-7, atol=size)
    np.testing.assert_allclose(other.draws[:, back][:, :, back], one.draws, rtol=1e-4, atol=1e3 * size)


@pytest.mark.parametrize("choices", [*METHODS, {"method": "difference"}, {"method": "rates"}], ids=str)
@given(world=worlds())
@FEW
def test_doubling_stocks_doubles_flows(choices, world):
    one, two = _flows(world, **choices), _flows(tuple(2 * part for part in world), **choices)
    np.testing.assert_allclose(two.matrix, 2 * one.matrix, rtol=1e-9, atol=1e-9 * max(one.matrix.max(), 1.0))


@given(world=worlds())
@FEW
def test_equal_stocks_mean_no_moves(world):
    start = world[0]
    assert estimate.flows(start, start).total == 0.0
    assert estimate.flows(start, start, method="difference").total == 0.0


@given(world=worlds(zeros=False))
@FEW
def test_equal_stocks_with_births_where_people_die_mean_no_moves(world):
    """Births of a place equal to its deaths, and natives alone: nothing but vital events happens."""
    natives = np.diag(np.diag(world[0]))
    events = 0.1 * np.diag(natives)
    assert estimate.flows(natives, natives, births=events, deaths=events).total <= 1e-9 * natives.sum()


@given(world=worlds(), factor=st.floats(0.1, 5))
@FEW
def test_seed_is_used_and_its_scale_is_not(world, factor):
    start, end, _, _ = world
    seed = np.random.default_rng(1).gamma(0.5, 1.0, start.shape) + 0.05
    for stayers in (True, False):
        one = estimate.flows(start, end, seed_matrix=seed, stayers=stayers)
        two = estimate.flows(start, end, seed_matrix=seed * factor, stayers=stayers)
        plain = estimate.flows(start, end, stayers=stayers)
        size = 1e-8 * max(plain.matrix.max(), 1.0)
        np.testing.assert_allclose(one.matrix, two.matrix, rtol=1e-6, atol=size)
        np.testing.assert_allclose(one.matrix.sum(0), plain.matrix.sum(0), rtol=1e-7, atol=size)
        np.testing.assert_allclose(one.matrix.sum(1), plain.matrix.sum(1), rtol=1e-7, atol=size)


def test_seed_decides_who_goes_where():
    """Two origins of the same people and two destinations: a seed with empty cells leaves one way only."""
    start = np.zeros((4, 4))
    start[0] = [0, 0, 50, 50]
    end = np.zeros((4, 4))
    end[0] = [50, 50, 0, 0]
    seed = np.ones((4, 4))
    seed[2, 1] = seed[3, 0] = 0
    found = estimate.flows(start, end, seed_matrix=seed)
    assert found.matrix[2].tolist() == [50, 0, 0, 0]
    assert found.matrix[3].tolist() == [0, 50, 0, 0]
    cube = np.repeat(seed[:, :, None], 4, axis=2)
    np.testing.assert_allclose(estimate.flows(start, end, seed_matrix=cube).matrix, found.matrix, atol=1e-9)


@pytest.mark.parametrize("stayers", [True, False])
@given(world=worlds(), share=st.sampled_from([0.1, 0.5, 0.9]))
@FEW
def test_zeros_of_a_seed_that_contradict_the_stocks_still_leave_the_margins_met(stayers, world, share):
    start, end, _, _ = world
    rng = np.random.default_rng(7)
    seed = rng.gamma(0.5, 1.0, start.shape) * (rng.random(start.shape) < share)
    seed[0, 1] = 1.0
    found = estimate.flows(start, end, seed_matrix=seed, stayers=stayers)
    cube, matched = found.by_birthplace, found.matched
    size = matched.start.sum()
    np.testing.assert_allclose(cube.sum(1).T, matched.start[0], rtol=1e-9, atol=1e-9 * size)
    np.testing.assert_allclose(cube.sum(0).T, matched.end[0], rtol=1e-9, atol=1e-9 * size)


@given(world=worlds())
@FEW
def test_cells_of_an_open_account_give_by_the_pattern_and_no_more_than_they_hold(world):
    """Against filling up in rounds: each round spreads what is left over the cells that are not empty yet."""
    held, pattern = world[0], world[1]
    total = 0.7 * held.sum(1)
    taken, left = np.zeros_like(held), total.copy()
    for weight in (*[pattern] * len(held), *[held] * len(held)):
        free = np.where(held - taken > 1e-12 * held, weight, 0.0)
        size = free.sum(1, keepdims=True)
        taken = np.minimum(taken + np.divide(free, size, out=np.zeros_like(free), where=size > 0) * left[:, None], held)
        left = np.maximum(total - taken.sum(1), 0.0)
    found = closing._taken(pattern[None], held[None].copy(), total[None])[0]
    np.testing.assert_allclose(found.sum(1), total, rtol=1e-9)
    np.testing.assert_allclose(found, taken, rtol=1e-6, atol=1e-6 * max(total.max(), 1.0))


def test_open_account_carries_what_is_outside():
    start, end = np.diag([100.0, 200.0]), np.diag([90.0, 230.0])
    account = estimate.flows(start, end, closed=False).imbalance
    assert account["leaving"].to_list() == [10.0, 0.0]
    assert account["entering"].to_list() == [0.0, 30.0]


def test_missing_is_not_zero_and_is_uncertain():
    rng = np.random.default_rng(3)
    effects = np.exp(rng.normal(5, 1, (2, 6)))
    stock = np.outer(effects[0], effects[1]) / 100
    stock[np.arange(6), np.arange(6)] = 1e6
    gap = stock.copy()
    gap[0, 1] = np.nan
    end = stock * 1.1
    end[np.arange(6), np.arange(6)] = 1e6
    full, filled = estimate.flows(stock, end), estimate.flows(gap, end)
    np.testing.assert_allclose(filled.matrix, full.matrix, rtol=1e-6, atol=1e-3)  # the stocks are multiplicative
    assert any("not estimated" in w for w in filled.warnings)
    wide = estimate.flows(gap, end, draws=30, stock_error=0.0)
    assert wide.draws.std(0).max() > 1
    sure = estimate.flows(stock, end, draws=5, stock_error=0.0)
    assert (sure.high - sure.low)[~np.eye(6, dtype=bool)].max() < 1e-3  # draws are in single precision


def _listed(rng, size=12):
    """A multiplicative world in which each pair has a misfit of its own, and small pairs are not listed."""
    effects = np.exp(rng.normal(5, 1, (2, size)))
    stock = np.outer(effects[0], effects[1]) / 100 * np.exp(rng.normal(0, 1.5, (size, size)))
    stock[np.arange(size), np.arange(size)] = 1e6
    listed = np.where((stock < np.median(stock)) & ~np.eye(size, dtype=bool), np.nan, stock)
    return stock, listed


def test_carried_pairs_are_nobody_in_the_estimate_and_somebody_in_draws():
    stock, listed = _listed(np.random.default_rng(4))
    end = listed * 1.05
    end[np.arange(12), np.arange(12)] = 1e6
    gaps = np.isnan(listed)
    unstated = np.full(12, 500.0)
    choices = {"missing": "carried", "unstated": (unstated, unstated), "stock_error": 0.0}
    found = estimate.flows(listed, end, draws=40, **choices)
    none = estimate.flows(listed, end, missing="zero", unstated=(unstated, unstated))
    np.testing.assert_allclose(found.matrix, none.matrix)
    assert found.not_estimated.height == gaps.sum()
    assert found.not_estimated["start_at_most"].to_list() == [500.0] * gaps.sum()
    assert any("not zero" in w for w in found.warnings)
    assert found.draws.std(0)[gaps].max() > 1 > none.moves[gaps].max() * 0
    assert (found.high >= found.matrix).all() and (found.low <= found.matrix).all()
    assert estimate.flows(stock, stock, missing="carried").not_estimated.is_empty()


def test_a_pair_with_a_figure_at_one_date_grows_like_its_places():
    stock, _ = _listed(np.random.default_rng(6))
    start, end = stock.copy(), 1.5 * stock
    start[2, 3] = end[4, 5] = np.nan
    for how in ("carried", "expected"):
        first, second = missing.fill_pair(start, end, how)
        assert first.stock[2, 3] == pytest.approx(stock[2, 3], rel=1e-6)
        assert second.stock[4, 5] == pytest.approx(1.5 * stock[4, 5], rel=1e-6)
    assert estimate.flows(start, end, missing="carried").not_estimated.is_empty()


@given(world=worlds())
@FEW
def test_nobody_stays_nobody_in_every_draw(world):
    start = world[0]
    law = stock_draws.ErrorLaw(np.array([]), np.array([0.8]), 2.0, 0.3, 0.5)
    places = [str(i) for i in range(len(start))]
    empty = (start == 0) & ~np.eye(len(start), dtype=bool)
    for draw in range(5):
        errors = stock_draws.standard_errors(places, law, 1, draw, (0, 1))[0]
        drawn = stock_draws.perturb(start, law, np.ones(len(start)), stock_draws.no_gaps(len(start)), errors, errors)
        assert (drawn[empty] == 0).all() and (drawn >= 0).all()
        if np.diag(start).any():
            np.testing.assert_allclose(drawn.sum(0), start.sum(0))


def test_natives_follow_from_residents():
    foreign = pl.DataFrame({"birthplace": ["A", "B"], "residence": ["B", "A"], "persons": [100, 50]})
    later = foreign.with_columns(persons=pl.Series([120, 50]))
    found = estimate.flows(foreign, later, population=({"A": 1000, "B": 500}, {"A": 980, "B": 520}))
    assert found.moves[0, 1] == pytest.approx(20)


def test_flows_by_birthplace_have_intervals_that_add_up():
    rng = np.random.default_rng(1)
    start = np.exp(rng.normal(6, 1, (4, 4))) + np.diag(np.full(4, 1e5))
    end = start * np.exp(rng.normal(0, 0.1, (4, 4)))
    table = estimate.flows(start, end, draws=20, stock_error=0.1, birthplace=True).table
    assert (table["low"] <= table["persons"]).all() and (table["persons"] <= table["high"]).all()
    sums = table.group_by("origin", "destination").agg(pl.col("persons").sum())
    plain = estimate.flows(start, end).table
    both = plain.join(sums, on=["origin", "destination"], how="left").with_columns(pl.col("persons_right").fill_null(0))
    np.testing.assert_allclose(both["persons"], both["persons_right"], rtol=1e-9, atol=1e-6)


def test_draws_are_common_and_wider_errors_are_wider():
    rng = np.random.default_rng(0)
    start = np.exp(rng.normal(8, 1, (6, 6))) + np.diag(np.full(6, 1e6))
    end = start * np.exp(rng.normal(0, 0.05, (6, 6)))
    small, again, large = (estimate.flows(start, end, draws=60, stock_error=e) for e in (0.05, 0.05, 0.3))
    assert np.array_equal(small.draws, again.draws)
    assert (large.high - large.low).sum() > 2 * (small.high - small.low).sum()
    assert (small.low <= small.matrix).all() and (small.matrix <= small.high).all()
    more = estimate.flows(start, end, draws=80, stock_error=0.05)
    assert np.array_equal(more.draws[:60], small.draws)


def test_end_of_one_period_is_the_start_of_the_next():
    law = stock_draws.ErrorLaw(np.array([]), np.array([0.3]), 4.0, 0.3, 0.6)
    first = stock_draws.standard_errors("ABCD", law, 1, 0, (0, 1))
    second = stock_draws.standard_errors("ABCD", law, 1, 0, (1, 2))
    np.testing.assert_array_equal(first[1], second[0])


def test_stock_error_finds_the_law_it_was_drawn_from():
    rng = np.random.default_rng(5)
    rows = [(y, f"o{o}", f"d{d}") for y in range(1990, 2025, 5) for o in range(40) for d in range(12)]
    truth = np.exp(rng.normal(9, 2.5, len(rows)))
    errors = 0.2 * rng.standard_t(4, (2, len(rows)))
    table = pl.DataFrame(rows, schema=["year", "origin", "destination"], orient="row")
    one, two = (table.with_columns(persons=pl.Series(truth * np.exp(e))) for e in errors)
    found = estimate.stock_error(one, two)
    assert found.by_size["scale"].to_list() == pytest.approx([0.22] * 4, rel=0.15)  # near t of 4: a sum of two is wider
    assert found.shared < 0.05 and found.persistence < 0.15  # none; heavy tails change a little more than normal ones
    same = pl.concat([one, table.with_columns(year=pl.col("year") + 100, persons=pl.lit(5.0))])
    also = pl.concat([two, table.with_columns(year=pl.col("year") + 100, persons=pl.lit(5.0))])
    assert estimate.stock_error(same, also).by_size["scale"].to_list() == found.by_size["scale"].to_list()


def test_errors_that_shift_every_year_of_a_destination_alike_are_found_to_last():
    rng = np.random.default_rng(8)
    rows = [(y, f"o{o}", f"d{d}") for y in range(1990, 2025, 5) for o in range(40) for d in range(6)]
    table = pl.DataFrame(rows, schema=["year", "origin", "destination"], orient="row")
    lasting = {(o, d): rng.normal(0, 0.5) for o in range(40) for d in range(6)}
    gap = [lasting[int(o[1:]), int(d[1:])] if int(d[1:]) < 3 else rng.normal(0, 0.5) for _, o, d in rows]
    gap = np.array(gap) + rng.normal(0, 0.02, len(gap))
    one = table.with_columns(persons=pl.lit(5000.0))
    two = table.with_columns(persons=pl.Series(5000 * np.exp(gap)))
    found = estimate.stock_error(one, two)
    known = dict(zip(found.by_destination["destination"], found.by_destination["persistence"], strict=True))
    assert min(known[f"d{k}"] for k in range(3)) > 0.98 and max(known[f"d{k}"] for k in range(3, 6)) < 0.5
    law = found.law(("d5", "x", "d0"))
    assert law.persistence.tolist() == [known["d5"], found.persistence, known["d0"]]


def test_pairs_that_one_publication_lacks_say_what_unlisted_pairs_hold():
    stock, _ = _listed(np.random.default_rng(9))
    names = [f"p{i:02}" for i in range(12)]
    off = [(i, j) for i in range(12) for j in range(12) if i != j]
    full = pl.DataFrame(
        {
            "origin": [names[i] for i, _ in off],
            "destination": [names[j] for _, j in off],
            "persons": [stock[i, j] for i, j in off],
        }
    )
    small = pl.col("persons") < full["persons"].quantile(0.3)
    changed = pl.when(pl.int_range(pl.len()) % 2 == 0).then(1.2).otherwise(0.9)
    other = full.filter(~small).with_columns(pl.col("persons") * changed)
    absent = estimate.stock_error(full, other).absent
    assert len(absent) == full.filter(small).height
    assert list(absent) == sorted(absent) and np.median(absent) < 0  # they are the small ones


def test_a_cluster_gives_the_same_draws():
    from distributed import LocalCluster

    rng = np.random.default_rng(2)
    start = np.exp(rng.normal(8, 1, (5, 5)))
    end = start * np.exp(rng.normal(0, 0.1, (5, 5)))
    here = estimate.flows(start, end, draws=6, stock_error=0.2)
    with LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None, host="127.0.0.1", protocol="tcp"
    ) as cluster:
        there = estimate.flows(start, end, draws=6, stock_error=0.2, cluster=cluster.scheduler_address)
        assert jobs.run(abs, [-1, 2, -3], cluster=cluster.scheduler_address) == [1, 2, 3]
    np.testing.assert_array_equal(there.draws, here.draws)


def test_parts_are_all_draws_once():
    job = many_draws.Job(tuple("AB"), *(np.ones((2, 2)),) * 2, *(np.zeros(2),) * 2, None, None, None, None, 1)
    bounds = [(a, b) for _, a, b in many_draws.parts(job, 7)]
    assert bounds[0][0] == 0 and bounds[-1][1] == 7


@given(st.integers(0, 10**6))
@FEW
def test_newton_fit_is_the_limit_of_plain_sweeps(number):
    rng = np.random.default_rng(number)
    seed = rng.gamma(0.7, 10, (1, 5, 4)) + 1e-3
    target = rng.gamma(0.7, 10, (5, 4)) + 1e-3
    rows, columns = target.sum(1)[None], target.sum(0)[None]
    found = scaling.fit_margins(seed, rows, columns)
    plain = seed[0].copy()
    for _ in range(3000):
        plain *= (rows[0] / plain.sum(1))[:, None]
        plain *= columns[0] / plain.sum(0)
    assert found.met.all()
    np.testing.assert_allclose(found.tables[0], plain, rtol=1e-6)


def test_parts_of_a_table():
    truth = np.random.default_rng(1).gamma(1.0, 10, (5, 5))
    for parts in (parts_of_blocks([2, 3]), parts_of_stripes(5, [2, 3]), parts_of_stripes(5, [2, 3], by_row=False)):
        totals = np.bincount(parts.ravel(), weights=truth.ravel())
        found = fit_parts(totals, parts, truth.sum(1), truth.sum(0))
        np.testing.assert_allclose(np.bincount(parts.ravel(), weights=found.ravel()), totals, rtol=1e-9)
        np.testing.assert_allclose(found.sum(1), truth.sum(1), rtol=1e-9)


@pytest.mark.parametrize("distance", ["entropy", "quadratic", "absolute"])
@given(st.integers(0, 10**6))
@FEW
def test_net_migration_is_met_and_a_prior_that_has_it_is_kept(distance, number):
    rng = np.random.default_rng(number)
    prior = rng.gamma(0.5, 100, (5, 5)) + 0.01
    net = rng.normal(0, 200, 5)
    net -= net.mean()
    found = net_matrix(net, prior, distance)
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(0) - found.sum(1), net, atol=1e-6)
    np.fill_diagonal(prior, 0.0)
    np.testing.assert_allclose(net_matrix(prior.sum(0) - prior.sum(1), prior, distance), prior, atol=1e-6)
