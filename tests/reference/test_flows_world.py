"""Flows of the world against the estimates that Abel and Cohen published of the same stocks, method by method.

Theirs rest on the stocks of revision 2020, as ours, but on births, deaths and residents of WPP 2019; ours on WPP 2024.
So flows that use stocks alone must agree closely, accounts with an outside nearly, and closed accounts, which must meet
the net migration of every country, only once they are given the net migration of the older edition. The bounds stand a
little below what was measured (docs/explanation/flows-from-stocks.md).
"""

import numpy as np
import polars as pl
import pytest
from shared_data import shared

from zhol import estimate, load
from zhol.estimate._flows.world import read_world
from zhol.estimate.methods_side_by_side import METHODS

YEARS = (1990, 1995, 2000, 2005, 2010, 2015)
BOUNDS = {"sd_drop_neg": 0.999, "sd_rev_neg": 0.999, "mig_rate": 0.999, "da_min_open": 0.99}
CLOSED = {"da_min_closed": (0.87, 0.985), "da_pb_closed": (0.95, 0.99)}


@pytest.fixture(scope="module")
def periods():
    shared("data", "undesa_ims", "ims_bilateral_rev2020.csv")
    return {p.first: p for p in read_world(shared("data"), list(YEARS))}


@pytest.fixture(scope="module")
def published():
    return pl.read_csv(shared("data", "abel_cohen_flows", "abel_cohen_flows_5yr.csv"))


def _theirs(published, period, method):
    index = {place: i for i, place in enumerate(period.places)}
    table = np.zeros((len(index), len(index)))
    rows = published.filter(pl.col("year0") == period.first).select("orig", "dest", method).drop_nulls()
    for origin, destination, persons in rows.iter_rows():
        if origin in index and destination in index:
            table[index[origin], index[destination]] = persons
    return table


def _ours(period, method, **events):
    given = {k: v for k, v in period.arguments().items() if k != "unstated"}
    return estimate.flows(period.start, period.end, missing="zero", **{**given, **events}, **METHODS[method])


def _log_correlation(one, other):
    both = (one >= 1) & (other >= 1)
    return np.corrcoef(np.log(one[both]), np.log(other[both]))[0, 1]


def _older_events(period, theirs):
    """Births and deaths that leave every place the net migration of the published flows."""
    net = theirs.sum(0) - theirs.sum(1)
    natural = period.residents[1] - period.residents[0] - net
    gap = natural - (period.births - period.deaths)
    return {"births": period.births + np.maximum(gap, 0), "deaths": period.deaths + np.maximum(-gap, 0)}


@pytest.mark.parametrize("year", YEARS)
def test_flows_agree_with_the_published_ones(periods, published, year):
    for method, least in BOUNDS.items():
        theirs = _theirs(published, periods[year], method)
        assert _log_correlation(theirs, _ours(periods[year], method).moves) > least, method


@pytest.mark.parametrize("year", YEARS)
def test_closed_accounts_disagree_because_of_the_edition_of_wpp(periods, published, year):
    for method, (as_is, with_theirs) in CLOSED.items():
        theirs = _theirs(published, periods[year], method)
        assert _log_correlation(theirs, _ours(periods[year], method).moves) > as_is
        same_net = _ours(periods[year], method, **_older_events(periods[year], theirs))
        assert _log_correlation(theirs, same_net.moves) > with_theirs


def test_from_uzbekistan_to_russia_by_method(periods, published):
    """Nobody, 7 thousand, 75, 163, 274 or 395 thousand, by method: the same order, and nearly the same numbers."""
    period = periods[2015]
    here, there = period.places.index("UZB"), period.places.index("RUS")
    ours, theirs = [], []
    for method in METHODS:
        table = _theirs(published, period, method)
        events = _older_events(period, table) if method in CLOSED else {}
        ours.append(_ours(period, method, **events).moves[here, there])
        theirs.append(table[here, there])
    assert sorted(theirs) == pytest.approx([0, 6643, 75436, 163268, 274489, 395453], abs=1)
    closed = [list(METHODS).index(m) for m in CLOSED]
    assert [ours[k] for k in closed] == pytest.approx([theirs[k] for k in closed], rel=0.01)
    assert ours[:2] == [0, 6643]
    assert 60e3 < ours[3] < 80e3  # open: residents and vital events of WPP 2024


def test_the_pack_gives_the_published_order_and_closed_accounts_follow_the_edition_of_residents(periods, published):
    table = estimate.region_methods(load("central_asia"), 2015, 2020, revision=2020)
    row = table.filter(pl.col("origin") == "UZB", pl.col("destination") == "RUS").sort("persons")
    order = published.filter(pl.col("year0") == 2015, pl.col("orig") == "UZB", pl.col("dest") == "RUS")
    theirs = {m: (order[m][0] or 0) for m in METHODS if m != "da_min_closed"}
    assert [m for m in row["method"] if m in theirs] == sorted(theirs, key=theirs.__getitem__)
    period = periods[2015]
    world = _ours(period, "da_min_closed").moves[period.places.index("UZB"), period.places.index("RUS")]
    assert row.filter(method="da_min_closed")["persons"][0] == pytest.approx(world, rel=0.1)


def test_draws_of_the_world_are_intervals(periods):
    world = estimate.world_flows(shared("data"), (2015,), sexes=("women",), draws=8)
    table = world.table
    assert (table["low"] <= table["persons"]).all() and (table["persons"] <= table["high"]).all()
    wide = table.filter(pl.col("origin") == "UZB", pl.col("destination") == "KAZ")
    assert wide["high"][0] > 2 * wide["persons"][0]  # the two revisions differ there by a factor of two
    assert "2015 to 2020, women" in world.summary()
    assert world.error.persistence > 0
