"""Roads against every chain there is, and what must hold on any network."""

from itertools import pairwise, permutations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from roads_worlds import shuffled, world

import zhol
from zhol.roads import lay
from zhol.roads.network import Costs, Leg, cheapest_roads, network

CODES = ("AAA", "BBB", "CCC", "DDD", "EEE", "FFF")
MODES = ("land", "sea", "air")


def leg_lists(most=14):
    # Few lengths, so that equally dear roads are common.
    leg = st.tuples(st.sampled_from(CODES), st.sampled_from(CODES), st.sampled_from(MODES), st.sampled_from([1, 2, 3]))
    return st.lists(leg.filter(lambda x: x[0] != x[1]), max_size=most)


COSTS = st.builds(
    lambda sea, air, border: Costs({"land": 1.0, "sea": sea, "air": air}, border),
    st.sampled_from([1.0, 1.5]),
    st.sampled_from([1.0, 2.0]),
    st.sampled_from([0.0, 0.5]),
)


def every_road(net, origin, destination):
    """All chains that pass no place twice, by trying every order of every set of places between."""
    by_pair = {}
    for i, leg in enumerate(net.legs):
        by_pair.setdefault((leg.origin, leg.destination), []).append(i)
    between = [c for c in CODES if c not in (origin, destination)]
    found = []
    for size in range(len(between) + 1):
        for middle in permutations(between, size):
            chains = [()]
            stops = (origin, *middle, destination)
            for pair in pairwise(stops):
                chains = [(*chain, i) for chain in chains for i in by_pair.get(pair, [])]
            found += chains
    return found


def dearness(net, costs, road):
    return round(sum(costs.of(net.legs[i]) for i in road), 6)


@settings(max_examples=60, deadline=None)
@given(leg_lists(), COSTS, st.integers(1, 6))
def test_the_cheapest_of_all_chains(rows, costs, k):
    net = network([Leg(*row) for row in rows], costs)
    everything = every_road(net, "AAA", "BBB")
    found = cheapest_roads(net, "AAA", "BBB", k)
    ranked = sorted((dearness(net, costs, road), len(road)) for road in everything)
    assert [(dearness(net, costs, road), len(road)) for road in found] == ranked[:k]
    assert len(set(found)) == len(found)
    assert set(found) <= set(everything)


@settings(max_examples=40, deadline=None)
@given(leg_lists(), st.randoms(use_true_random=False))
def test_order_of_rows_never_matters(rows, random):
    rows = list({r[:3]: r for r in rows}.values())  # one length a leg
    mixed = random.sample(rows, len(rows))
    nets = [network([Leg(*row) for row in some], Costs(dict.fromkeys(MODES, 1.0))) for some in (rows, mixed)]
    assert nets[0] == nets[1]
    assert cheapest_roads(nets[0], "AAA", "BBB", 4) == cheapest_roads(nets[1], "AAA", "BBB", 4)


@settings(max_examples=40, deadline=None)
@given(leg_lists(), COSTS, st.data())
def test_a_closed_leg_is_never_used_and_makes_nothing_cheaper(rows, costs, data):
    whole = network([Leg(*row) for row in rows], costs)
    if not whole.legs:
        return
    closed = data.draw(st.sampled_from(whole.legs))
    cut = network([Leg(*row) for row in rows], costs, [(closed.origin, closed.destination)])
    before, after = (cheapest_roads(net, "AAA", "BBB", 3) for net in (whole, cut))
    for road in after:
        pairs = {frozenset((cut.legs[i].origin, cut.legs[i].destination)) for i in road}
        assert frozenset((closed.origin, closed.destination)) not in pairs
    assert len(after) <= len(before)
    for old, new in zip(before, after, strict=False):
        assert dearness(whole, costs, old) <= dearness(cut, costs, new) + 1e-9


def test_a_leg_listed_one_way_is_usable_both_ways_and_one_listed_twice_keeps_its_lengths():
    net = network([Leg("AAA", "BBB", "land", 5.0)], Costs({"land": 1.0}))
    assert {(x.origin, x.destination, x.length_km) for x in net.legs} == {("AAA", "BBB", 5.0), ("BBB", "AAA", 5.0)}
    both = network([Leg("AAA", "BBB", "land", 5.0), Leg("BBB", "AAA", "land", 7.0)], Costs({"land": 1.0}))
    assert {x.length_km for x in both.legs} == {5.0, 7.0}


def test_arrays_and_tables_say_the_same():
    legs = [("AAA", "BBB", "land", 400.0), ("BBB", "CCC", "land", 400.0), ("AAA", "CCC", "air", 700.0)]
    legs += [("AAA", "DDD", "land", 1.0), ("DDD", "EEE", "land", 1.0)]
    roads = lay(world(CODES, legs), corridors=[("AAA", "CCC"), ("AAA", "FFF"), ("CCC", "AAA")], k=3)
    assert roads.exists.tolist() == [[True, True, False], [False] * 3, [True, True, False]]
    assert roads.legs["leg"].to_list() == list(range(roads.legs.height))
    assert not {"DDD", "EEE"} & set(roads.legs["origin"])  # no road uses them
    for row in roads.table.to_dicts():
        c = roads.corridors.index((row["origin"], row["destination"]))
        r = row["road"]
        used = np.flatnonzero(roads.uses[c, r]).tolist()
        assert sorted(row["legs"]) == used
        chain = row["places"].split(">")
        assert [roads.legs["origin"][i] for i in row["legs"]] == chain[:-1]
        assert roads.length_km[c, r] == pytest.approx(sum(roads.legs["length_km"][i] for i in used))
        assert roads.last_transit[c, r] == (chain[-2] if len(chain) > 2 else "")
    assert np.isnan(roads.log_price_mean[~roads.exists]).all()
    assert np.isfinite(roads.log_price_mean[roads.exists]).all()
    assert roads.uses[~roads.exists].sum() == 0
    assert (roads.last_transit[~roads.exists] == "").all()


@pytest.mark.parametrize(
    ("places", "legs", "stocks", "shape"),
    [
        (["AAA"], (), (), (0, 3, 0)),
        (["AAA", "BBB"], (), [("AAA", "BBB", 5000)], (1, 3, 0)),
        (["AAA", "BBB"], [("AAA", "BBB", "land", 10.0)], (), (0, 3, 0)),
        (["AAA", "BBB"], [("AAA", "BBB", "land", 10.0)], [("AAA", "BBB", 999)], (0, 3, 0)),
        (["AAA", "BBB"], [("AAA", "BBB", "land", 10.0)], [("AAA", "BBB", 1000)], (1, 3, 1)),
    ],
)
def test_small_packs(places, legs, stocks, shape):
    roads = lay(world(places, legs, stocks))
    assert roads.uses.shape == shape
    assert roads.exists.sum() == roads.table.height
    assert roads.table.schema["price_low"] == pl.Float64


def test_capacity_goes_with_the_corridor():
    legs = [("AAA", "BBB", "land", 500.0)]
    one, two = (lay(world(["AAA", "BBB"], legs, [("AAA", "BBB", n)]), k=1) for n in (50_000, 100_000))
    assert np.exp(two.log_capacity_mean - one.log_capacity_mean) == pytest.approx(2.0)
    assert (one.log_capacity_sd >= 1.5).all()


@pytest.fixture(scope="module")
def region():
    return zhol.load("central_asia")


@pytest.fixture(scope="module")
def roads(region):
    return lay(region)


def test_the_pack_in_another_order(region, roads):
    other = lay(shuffled(region, 3))
    assert other.corridors == roads.corridors
    assert other.table.equals(roads.table)
    assert other.legs.equals(roads.legs)
    for name in ("exists", "uses", "length_km", "log_price_mean", "log_price_sd", "log_capacity_mean"):
        np.testing.assert_array_equal(getattr(other, name), getattr(roads, name))


def test_the_roads_of_the_paper_are_there(roads):
    """Over the Caspian from Azerbaijan; from Kazakhstan to Russia, Europe, the Baltic states, the USA, the Gulf."""
    pairs = ["AZE>KAZ", *(f"KAZ>{d}" for d in ("RUS", "XEU", "XBA", "USA", "ARE", "SAU", "TUR", "KOR"))]
    laid = lay(zhol.load("central_asia"), corridors=[tuple(p.split(">")) for p in pairs])
    assert laid.exists[:, 0].all()
    caspian = laid.table.filter(places="AZE>KAZ")
    assert caspian["modes"].to_list() == ["sea"]
    assert any(p.startswith("UZB>KAZ>RUS") for p in roads.table["places"].to_list())


def test_chains_of_countries_and_nothing_finer(region, roads):
    known = set(region.places.filter(pl.col("kind").is_in(["country", "block"]))["place"])
    stops = {stop for chain in roads.table["places"].to_list() for stop in chain.split(">")}
    assert stops <= known
    assert set(roads.legs["origin"]) | set(roads.legs["destination"]) <= known
    finer = {"lat", "lon", "latitude", "longitude", "city", "crossing", "point", "post", "region", "time", "hour"}
    assert not finer & (set(roads.table.columns) | set(roads.legs.columns))


def test_corridors_without_a_chain_have_no_road(roads):
    none = [pair for pair, some in zip(roads.corridors, roads.exists.any(axis=1), strict=True) if not some]
    assert none
    # The rest of the world has no legs; to America the pack knows flights from Central Asia only, boarded at home.
    assert all("XRW" in pair or pair[1] == "USA" for pair in none)
    assert not any(o in ("KAZ", "KGZ", "TJK", "TKM", "UZB") for o, d in none if d == "USA")


def test_nobody_changes_planes_in_a_third_country(roads):
    for road in roads.table.iter_rows(named=True):
        assert "air" not in road["modes"].split(">")[1:], road["places"]
