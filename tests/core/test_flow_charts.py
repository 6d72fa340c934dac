"""Pictures of flows: sizes are the numbers, nothing is lost unsaid, intervals are shown, letters are drawn."""

import re
from itertools import pairwise

import polars as pl
import pytest

import zhol
from zhol.core.charts import to_png, to_svg, world_frame
from zhol.core.charts.arcs import KNOWN, NO_INTERVAL, UNKNOWN, arcs_spec
from zhol.core.charts.chord import _slots, chord_spec
from zhol.core.charts.flow_shapes import REST, read_flows
from zhol.core.charts.sankey import sankey_spec
from zhol.core.charts.theme import CATEGORIES
from zhol.core.errors import ZholError

PLACES = ["KAZ", "KGZ", "TJK", "UZB", "RUS", "TUR", "CHN", "AZE"]
FLOWS = pl.DataFrame(
    [
        {"origin": o, "destination": d, "value": 100.0 * (i + 2) * (j + 1), "low": 40.0 * (i + 1)}
        for i, o in enumerate(PLACES)
        for j, d in enumerate(PLACES)
        if i != j
    ]
).with_columns(high=9 * pl.col("value"))
NAMES = {"AZE": "Әзербайжан", "RUS": "Россия"}
FRAME = world_frame(-5000, 5200, -2600, 2400, lon=66, lat=47)


def features(spec, layer):
    return [f["properties"] for f in spec["layer"][layer]["data"]["values"]]


def texts(spec):
    return [row["text"] for layer in spec["layer"] for row in layer["data"]["values"] if "text" in row]


def test_nothing_is_lost():
    drawn = read_flows(FLOWS, NAMES, 5, 0.01, "test")
    inside = {p for p in drawn.order if p != REST}
    touching = FLOWS.filter(pl.col("origin").is_in(inside) | pl.col("destination").is_in(inside))
    assert drawn.flows["value"].sum() + drawn.left_out == pytest.approx(touching["value"].sum())
    sums = drawn.flows.filter((pl.col("origin") == REST) | (pl.col("destination") == REST))
    assert sums["low"].is_null().all()  # an interval of a sum is not the sum of intervals


def test_ring_is_filled_by_the_numbers():
    drawn = read_flows(FLOWS, None, 6, 0.0, "test")
    slots, bands = _slots(drawn)
    assert len(slots) == 2 * drawn.flows.height
    turn = [(s.end - s.start) / v for (o, d, _), s in slots.items()
            for v in drawn.flows.filter(pl.col("origin") == o, pl.col("destination") == d)["value"]]  # fmt: skip
    assert turn == pytest.approx([turn[0]] * len(turn))
    for place, band in bands.items():
        own = sorted(s for (o, d, side), s in slots.items() if (o, d)[side] == place)
        assert own[0].start == pytest.approx(band.start) and own[-1].end == pytest.approx(band.end)
        assert all(a.end == pytest.approx(b.start) for a, b in pairwise(own))


def test_bars_of_both_sides_are_as_tall():
    spec = sankey_spec(FLOWS, unit="persons", places=NAMES)
    bars = [f["geometry"]["coordinates"][0] for f in spec["layer"][1]["data"]["values"]]
    left = sum(max(y for _, y in b) - min(y for _, y in b) for b in bars if b[0][0] < 350)
    right = sum(max(y for _, y in b) - min(y for _, y in b) for b in bars if b[0][0] > 350)
    assert left == pytest.approx(right, abs=0.2)
    assert min(y for b in bars for _, y in b) >= 0


@pytest.mark.parametrize("make", [chord_spec, sankey_spec])
def test_colours_labels_and_intervals(make):
    spec = make(FLOWS, unit="persons", places=NAMES, title="Ағындар", listed=4)
    fills = {f["fill"] for f in features(spec, 0)} | {f["fill"] for f in features(spec, 1)}
    assert fills <= {*CATEGORIES, "#9AA5AF"}
    said = texts(spec)
    assert "Әзербайжан" in said and "Россия" in said and REST in said
    assert any(re.search(r"\(.*–.*\)", t) for t in said)
    words = [f["tooltip"] for f in features(spec, 0)]
    assert all("→" in w and w.endswith("persons") for w in words)
    assert any("–" in w for w in words)
    svg = to_svg(spec)
    assert "Әзербайжан" in svg and svg == to_svg(spec)
    assert to_png(spec, scale=1)[:4] == b"\x89PNG"


def test_small_flows_are_counted_in_words():
    said = texts(chord_spec(FLOWS, unit="persons", threshold=0.02))
    assert any(t.startswith("Not drawn: ") for t in said)
    assert not any(t.startswith("Not drawn: ") for t in texts(chord_spec(FLOWS, unit="persons", threshold=0)))


def test_arcs_say_how_well_they_are_known():
    places = zhol.load("central_asia").places
    rows = [("UZB", "RUS", 50.0, 40.0, 60.0), ("RUS", "UZB", 20.0, 5.0, 25.0), ("TJK", "RUS", 30.0, 0.0, 50.0)]
    columns = ["origin", "destination", "value", "low", "high"]
    flows = pl.DataFrame([*rows, ("KGZ", "RUS", 9.0, None, None)], schema=columns, orient="row")
    spec = arcs_spec(flows, places, unit="persons", frame=FRAME, title="Flows")
    by_words = {f["tooltip"].split(":")[0]: f["fill"] for f in features(spec, 1)}
    assert by_words == {
        "Uzbekistan → Russia": KNOWN[0][1],
        "Russia → Uzbekistan": KNOWN[1][1],
        "Tajikistan → Russia": UNKNOWN[0],
        "Kyrgyzstan → Russia": NO_INTERVAL[0],
    }
    said = texts(spec)
    assert "1 Uzbekistan → Russia" in [re.sub(" +", " ", t) for t in said]
    assert any("no endorsement" in t for t in said) and "no interval" in said
    assert "<svg" in to_svg(spec)
    persons = arcs_spec(flows.rename({"value": "persons"}), places, unit="persons", frame=FRAME, top=1)
    assert len(features(persons, 1)) == 1


@pytest.mark.parametrize(
    ("call", "line"),
    [
        (lambda: chord_spec({"origin": ["A"]}, unit="p"), "chord diagram has no column 'destination'; found 'origin'"),
        (
            lambda: chord_spec(FLOWS.with_columns(value=0.0), unit="p"),
            "chord diagram has no flow to draw; expected a value",
        ),
        (
            lambda: sankey_spec(FLOWS, unit="p", top=9),
            "too many colours to tell apart; found 9, expected 1 to 6 places",
        ),
        (lambda: sankey_spec(FLOWS.head(0), unit="p"), "Sankey diagram is empty; found '0 rows, 5 columns'"),
        (
            lambda: arcs_spec(
                FLOWS, {"place": ["USA"], "name": ["U"], "lat": [40.0], "lon": [-100.0]}, unit="p", frame=FRAME
            ),
            "arc map has no flow to draw; expected flows between two places inside the frame",
        ),
        (
            lambda: arcs_spec(FLOWS, {"place": ["KAZ"], "name": ["K"]}, unit="p", frame=FRAME),
            "places of the map has no column 'lat'; found 'place, name'",
        ),
    ],
)
def test_one_line(call, line):
    with pytest.raises(ZholError) as error:
        call()
    assert str(error.value).startswith(line)


def test_long_names_are_listed_under_one_another():
    long = {p: f"{p} of the long and official name" for p in PLACES}
    for names, columns in ((NAMES, 2), (long, 1)):
        spec = chord_spec(FLOWS, unit="persons", places=names)
        rows = [r for layer in spec["layer"] for r in layer["data"]["values"] if " → " in str(r.get("text"))]
        assert len({r["x"] for r in rows}) == columns


def test_png_stands_on_white_paper_and_svg_on_none():
    import zlib

    from zhol.core.charts import matrix_spec

    spec = matrix_spec([{"row": "a", "column": "b", "level": "x"}], levels=["x"])
    assert 'fill="white"' not in to_svg(spec)[:300]
    png = to_png(spec, scale=1)
    at = png.index(b"IDAT")
    size = int.from_bytes(png[at - 4 : at], "big")
    first = zlib.decompressobj().decompress(png[at + 4 : at + 4 + size])[1:5]
    assert first == b"\xff\xff\xff\xff"  # first pixel: white and solid
    assert to_png({**spec, "background": "red"}, scale=1) != png
