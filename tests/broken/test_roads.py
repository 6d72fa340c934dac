"""Roads that cannot be laid, markets that cannot be: one line each."""

import polars as pl
import pytest
from roads_worlds import world

import zhol
from zhol.roads import disrupt, lay, market
from zhol.roads.picture import map_spec, select_roads

PLACES = ["AAA", "BBB", "CCC"]
LEGS = [("AAA", "BBB", "land", 900.0)]
PRICES = [("F1", "AAA", "BBB", 500.0, "S"), ("F2", "AAA", "BBB", 700.0, "S")]


def place(**more):
    return world(PLACES, LEGS, **more)


def said(call, *args, **options):
    with pytest.raises(zhol.ZholError) as caught:
        call(*args, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


LAYING = {
    "unknown place": ({"corridors": [("AAA", "ZZZ")]}, "unknown place; found 'ZZZ', expected one of AAA, BBB, CCC"),
    "to itself": ({"corridors": [("AAA", "AAA")]}, "a corridor leads from a place to another; found 'AAA>AAA'"),
    "twice": ({"corridors": [("AAA", "BBB")] * 2}, "a corridor is listed twice; found 'AAA>BBB'"),
    "no pair": ({"corridors": ["AB"]}, "not a pair of places; found 'AB', expected (origin, destination)"),
    "three": (
        {"corridors": [("AAA", "BBB", "CCC")]},
        "not a pair of places; found ('AAA', 'BBB', 'CCC'), expected (origin, destination)",
    ),
    "no roads": ({"k": 0}, "number of roads per corridor; found 0, expected a whole number from 1 to 20"),
    "half a road": ({"k": 1.5}, "number of roads per corridor; found 1.5, expected a whole number from 1 to 20"),
    "no such leg": (
        {"without_legs": [("AAA", "CCC")]},
        "no such leg to leave out; found 'AAA>CCC', expected a pair of the table legs",
    ),
    "leg of nowhere": (
        {"without_legs": [("AAA", "QQQ")]},
        "unknown place; found 'QQQ', expected one of AAA, BBB, CCC",
    ),
}


@pytest.mark.parametrize(("options", "line"), LAYING.values(), ids=LAYING)
def test_laying(options, line):
    assert said(lay, place(), **options) == line


def laid():
    return lay(place(), corridors=[("AAA", "BBB"), ("AAA", "CCC")])


ROW = {"origin": "AAA", "destination": "BBB", "persons": 100.0}
MARKETS = {
    "no rows": ([], {}, "volumes is empty; found '0 rows, 0 columns', expected some rows"),
    "no persons": (
        [{"origin": "AAA", "destination": "BBB"}],
        {},
        "volumes has no column 'persons'; found 'origin, destination', expected origin, destination, persons",
    ),
    "not laid": (
        [{**ROW, "origin": "CCC"}],
        {},
        "volumes has a corridor that was not laid; found 'CCC>BBB', expected a corridor of the roads",
    ),
    "no road": (
        [{**ROW, "destination": "CCC"}],
        {},
        "the corridor has no road; found 'AAA>CCC', expected a corridor with a road over the legs",
    ),
    "twice": ([ROW, ROW], {}, "volumes has a corridor twice; found 'AAA>BBB'"),
    "negative": (
        [{**ROW, "persons": -1.0}],
        {},
        "column persons: volumes has a number that cannot be; found -1.0, expected persons a year, from 0",
    ),
    "endless": (
        [{**ROW, "persons": float("inf")}],
        {},
        "column persons: volumes has a number that cannot be; found inf, expected persons a year, from 0",
    ),
    "words": (
        [{**ROW, "persons": "many"}],
        {},
        "column persons: volumes has a number that cannot be; found 'many', expected persons a year, from 0",
    ),
    "nothing": (
        [{**ROW, "persons": None}],
        {},
        "volumes has a row without a number; found 'AAA>BBB', expected persons, or an interval",
    ),
    "half an interval": (
        [{**ROW, "low": 5.0}],
        {},
        "volumes has half an interval; found 'AAA>BBB', expected both low and high, or neither",
    ),
    "upside down": (
        [{**ROW, "low": 500.0, "high": 50.0}],
        {},
        "volumes has an interval that cannot be; found 'AAA>BBB 500 100 50', expected 0 < low <= persons <= high",
    ),
    "road": ([{**ROW, "road": 2}], {}, "no such road; found 'AAA>BBB road 2', expected 0 to 0"),
    "draws": ([ROW], {"draws": 1}, "number of draws; found 1, expected a whole number from 2 to 100,000"),
    "level": ([ROW], {"level": 1.0}, "level of the intervals; found 1.0, expected above 0 and below 1"),
    "no capacity": (
        [ROW],
        {"capacity_left": 0.0},
        "share of capacity left; found 0.0, expected above 0 and at most 1",
    ),
    "shape": (
        [ROW],
        {"capacity_left": [0.5] * 7},
        "share of capacity left; found (7,), expected one number, or shape (2, 3)",
    ),
}


@pytest.mark.parametrize(("rows", "options", "line"), MARKETS.values(), ids=MARKETS)
def test_market(rows, options, line):
    assert said(market, laid(), rows, **options) == line


DISRUPTIONS = {
    "leg": ([("BBB", "AAA")], {}, "no road uses this leg; found 'BBB>AAA', expected a pair of roads.legs"),
    "no leg": ([], {}, "no leg to disrupt; expected at least one (origin, destination)"),
    "all": ([("AAA", "BBB")], {"cut": 1.0}, "share of capacity that is cut; found 1.0, expected above 0 and below 1"),
    "held": (
        [("AAA", "BBB")],
        {"held": 0},
        "months that it is held; found 0, expected a whole number from 1 to 600",
    ),
    "months": (
        [("AAA", "BBB")],
        {"months": 1e9},
        "months to follow; found 1000000000.0, expected a whole number from 1 to 600",
    ),
}


@pytest.mark.parametrize(("legs", "options", "line"), DISRUPTIONS.values(), ids=DISRUPTIONS)
def test_disruption(legs, options, line):
    assert said(disrupt, laid(), [ROW], legs, **options) == line


READINGS = {
    "key": (
        "readings: [{figure: F1, colour: red}]",
        "roads.yaml: unknown key 'readings.0.colour'; expected one of figure, mode, origin, destination, value, low, "
        "high, note",
    ),
    "top": ("reading: []", "roads.yaml: unknown key 'reading'; expected one of readings"),
    "missing": ("readings: [{mode: air}]", "roads.yaml: key 'readings.0.figure' is missing"),
    "mode": (
        "readings: [{figure: F1, mode: rail}]",
        "roads.yaml: key 'readings.0.mode' is wrong; found 'rail', expected 'land', 'air' or 'any'",
    ),
    "price": (
        "readings: [{figure: F1, value: -5}]",
        "roads.yaml: key 'readings.0.value' is wrong; found -5, expected greater than 0",
    ),
    "place": (
        "readings: [{figure: F1, destination: ZZZ}]",
        "roads.yaml: unknown place; found 'ZZZ', expected a code of places.csv",
    ),
    "figure": (
        "readings: [{figure: F9}]",
        "roads.yaml: no such figure; found 'F9', expected a figure_id of figures.csv",
    ),
    "list": (
        "[1, 2]",
        "roads.yaml: not a map of keys; found [1, 2], expected valid dictionary or instance of _Readings",
    ),
    "alias": ("readings: &a []\nx: *a", "roads.yaml: not valid YAML; aliases (*name) are not allowed"),
}


@pytest.mark.parametrize(("text", "line"), READINGS.values(), ids=READINGS)
def test_readings(tmp_path, text, line):
    (tmp_path / "roads.yaml").write_text(text, encoding="utf-8")
    assert said(lay, place(prices=PRICES, path=tmp_path)) == line


def test_a_figure_that_is_no_price(tmp_path):
    (tmp_path / "roads.yaml").write_text("readings: [{figure: F2}]", encoding="utf-8")
    region = place(prices=PRICES, path=tmp_path)
    is_second = pl.col("figure_id") == "F2"
    kind = pl.when(is_second).then(pl.lit("stock")).otherwise("quantity")
    region.frames["figures"] = region.frames["figures"].with_columns(quantity=kind)
    line = "roads.yaml: the figure is no price of passage; found 'F2', expected smuggling_price"
    assert said(lay, region) == line


def test_pictures():
    roads = laid()
    assert said(select_roads, roads, "BBB", None) == (
        "no such corridor; found 'BBB>*', expected a corridor of the roads"
    )
    assert said(select_roads, roads, "AAA", "CCC") == (
        "no road leads there; found 'AAA>CCC'; the pack has no chain of legs between these places"
    )
    found = disrupt(roads, [ROW], [("AAA", "BBB")], months=2, draws=5)
    assert said(found.plot, "fame").startswith("no such account of a disruption; found 'fame'")
    assert said(found.plot, road=4) == "no such road; found '4'"
    assert said(market(roads, [ROW], draws=5).plot, "fame").startswith("no such account of the market; found 'fame'")


def test_a_map_needs_places_with_coordinates():
    from zhol.core.charts.road_map import road_map_spec
    from zhol.region.frame import frame_of

    region = zhol.load("central_asia")
    nowhere = region.places.select("place", "name", lat=None, lon=None)
    legs = [{"origin": "KAZ", "destination": "RUS", "mode": "land", "value": 1}]
    line = "map of roads has no leg to draw; expected a leg between two places with coordinates"
    assert said(road_map_spec, legs, nowhere, frame=frame_of(region)) == line
    rail = [{**legs[0], "mode": "rail"}]
    line = "unknown mode of a leg; found 'rail', expected land, sea, air"
    assert said(road_map_spec, rail, region.places, frame=frame_of(region)) == line
    assert "svg" in zhol.core.charts.to_svg(map_spec(lay(region, corridors=[("AFG", "XEU")]), region))
