"""Legs: both directions, lengths of the publisher, and every road of the 2009 document as a chain of countries."""

import csv

import polars as pl
import pytest
from shared_data import shared

from zhol.publishers.evidence.places import members
from zhol.publishers.legs import legs

CENTRAL_ASIA = ["KAZ", "KGZ", "TJK", "UZB", "TKM"]
TRANSIT = ["PAK", "LKA", "AFG", "IND", "TJK", "KGZ", "UZB", "TKM", "CHN", "MNG", "AZE"]


@pytest.fixture(scope="module")
def table():
    return legs(shared("evidence").parent)


@pytest.fixture(scope="module")
def cepii():
    with shared("data", "cepii_geodist", "dist_cepii.csv").open(encoding="utf-8", newline="") as file:
        return {(r["iso_o"], r["iso_d"]): r for r in csv.DictReader(file)}


def reachable(table, start, modes=("land", "sea", "air"), without=()):
    """Places that a chain of legs reaches, breadth first."""
    beside = {}
    for origin, destination, mode in table.select("origin", "destination", "mode").iter_rows():
        if mode in modes and not {origin, destination} & set(without):
            beside.setdefault(origin, set()).add(destination)
    seen, edge = {start}, [start]
    while edge:
        edge = [p for place in edge for p in beside.get(place, ()) if p not in seen]
        seen.update(edge)
    return seen


def has(table, origin, destination, mode):
    return (origin, destination, mode) in set(table.select("origin", "destination", "mode").iter_rows())


def test_every_leg_runs_both_ways_with_one_length(table):
    lengths = {(r["origin"], r["destination"], r["mode"]): r["length_km"] for r in table.iter_rows(named=True)}
    assert len(lengths) == table.height
    assert all(lengths[b, a, mode] == km for (a, b, mode), km in lengths.items())


def test_legs_join_countries_and_blocks_only(table):
    assert set(table["origin"]) <= set(members())
    assert (table["origin"] != table["destination"]).all()
    assert set(table["mode"]) == {"land", "sea", "air"}


def test_land_legs_are_the_publishers_neighbours(table, cepii):
    places = members()
    for one in places:
        for other in places:
            pairs = [(a, b) for a in places[one] for b in places[other] if (a, b) in cepii]
            touching = one != other and any(cepii[p]["contig"] == "1" for p in pairs)
            assert has(table, one, other, "land") == touching, (one, other)


def test_lengths_are_the_publishers_between_capitals(table, cepii):
    places = members()
    for row in table.iter_rows(named=True):
        pairs = [(a, b) for a in places[row["origin"]] for b in places[row["destination"]] if (a, b) in cepii]
        if row["mode"] == "land":
            pairs = [p for p in pairs if cepii[p]["contig"] == "1"]
        assert row["length_km"] == min(float(cepii[p]["distcap"]) for p in pairs)
        assert "nearest capital" in row["basis"] or len(pairs) == 1


@pytest.mark.parametrize("destination", ["RUS", "XEU", "XBA", "USA"])
@pytest.mark.parametrize("origin", TRANSIT)
def test_kazakhstan_is_a_way_to_russia_europe_and_america(table, origin, destination):
    assert "KAZ" in reachable(table, origin)
    assert destination in reachable(table, "KAZ")


@pytest.mark.parametrize("origin", CENTRAL_ASIA)
@pytest.mark.parametrize("destination", ["ARE", "SAU", "TUR", "KOR", "RUS", "XEU", "XBA", "USA"])
def test_roads_from_central_asia(table, origin, destination):
    assert destination in reachable(table, origin)


def test_the_road_over_the_caspian(table):
    assert has(table, "AZE", "KAZ", "sea")
    by_sea_then_land = reachable(table.filter(~pl.col("origin").is_in(["GEO", "IRN", "TUR", "ARM"])), "KAZ", ("land",))
    assert {"RUS", "XEU", "XBA"} <= by_sea_then_land


def test_by_land_from_south_asia_china_and_mongolia(table):
    for origin in ("PAK", "AFG", "IND", "CHN", "MNG"):
        assert "KAZ" in reachable(table, origin, ("land",))
    # Sri Lanka is an island: the sea or the air.
    assert "KAZ" not in reachable(table, "LKA", ("land",))
    assert "KAZ" in reachable(table, "LKA", ("land", "sea"))


def test_to_the_gulf_turkey_and_korea_without_flying(table):
    for destination in ("ARE", "SAU", "TUR", "KOR"):
        assert destination in reachable(table, "UZB", ("land", "sea"))
    assert "XEU" in reachable(table, "TUR", ("sea",))


def test_all_places_hang_together(table):
    assert reachable(table, "KAZ") == set(members())
