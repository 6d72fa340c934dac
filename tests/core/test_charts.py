"""Charts: specifications that are true to their figures, in the shipped font, drawn offline."""

import io
import math
import re
from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhol.core import charts
from zhol.core.charts.placing import Box, place_labels
from zhol.core.charts.scales import spread, value_axis
from zhol.core.errors import ZholError
from zhol.core.fonts import FAMILY, font_folder, text_width
from zhol.core.world import Frame, shapes

ROWS = [
    {"label": "a number", "value": 5.0, "low": 2.0, "high": 9.0},
    {"label": "a range", "value": None, "low": 1.0, "high": 4.0},
    {"label": "a point", "value": 3.0, "low": None, "high": None},
    {"label": "no upper bound", "value": 6.0, "low": 2.0, "high": None},
]


def words(svg: str) -> list[str]:
    return re.findall(r"<text [^>]*>([^<]*)</text>", svg)


def test_an_interval_chart_writes_every_row_whatever_it_lacks():
    text = words(charts.to_svg(charts.interval(pl.DataFrame(ROWS), unit="persons", title="Title")))
    for expected in ("Title", "persons", "a number", "5 (2–9)", "1–4", "3", "6 (2 or more)", "no upper bound"):
        assert expected in text


def test_a_row_without_interval_is_a_hollow_dot():
    spec = charts.interval_spec(ROWS, unit="persons")
    hollow = [layer for layer in spec["layer"] if layer["mark"].get("filled") is False]
    assert [row["label"] for row in hollow[0]["data"]["values"]] == ["a point"]


@pytest.mark.parametrize(
    ("draw", "rows"),
    [
        (charts.interval, {"label": ["a"], "value": [1.0]}),
        (charts.lines, {"year": [1], "value": [1.0]}),
        (charts.fan, {"year": [1], "value": [1.0]}),
        (charts.dumbbell, {"label": ["a"], "value": [1.0]}),
    ],
)
def test_a_missing_column_is_one_line(draw, rows):
    with pytest.raises(ZholError, match="has no column"):
        draw(rows, unit="persons")


def test_the_text_is_set_in_the_shipped_font_and_not_dropped():
    # vl-convert leaves all text out, without a word, when it does not know the font: so ask the PDF what it embeds.
    import pypdf
    import vl_convert

    charts.to_svg(charts.interval_spec(ROWS, unit="persons"))  # registers the fonts
    pdf = vl_convert.vegalite_to_pdf(charts.interval_spec(ROWS, unit="persons"))
    page = pypdf.PdfReader(io.BytesIO(pdf)).pages[0]
    fonts = [str(f.get_object()["/BaseFont"]) for f in page["/Resources"]["/Font"].values()]
    assert fonts and all("DejaVuSans" in name for name in fonts)
    assert FAMILY == "DejaVu Sans"


def test_widths_are_those_of_the_font():
    from fontTools.ttLib import TTFont

    font = TTFont(font_folder() / "DejaVuSans.ttf")
    glyphs, advance = font.getBestCmap(), font["hmtx"]
    text = "Қазақстан → 1,234 (297–690 thousand)"
    true = sum(advance[glyphs[ord(c)]][0] for c in text) / font["head"].unitsPerEm * 11
    assert text_width(text, 11) == pytest.approx(true, rel=0.002)


def test_two_names_at_one_height_are_moved_apart_and_the_line_stays():
    rows = [{"year": y, "value": v, "series": s} for s, v in (("one", 100.0), ("two", 100.5)) for y in (2000, 2020)]
    spec = charts.lines_spec(rows, unit="persons", height=200)
    places = [row["place"] for row in spec["layer"][-1]["data"]["values"]]
    axis = value_axis([100.0, 100.5], "persons")
    assert abs(axis.position(places[0], 200) - axis.position(places[1], 200)) >= 13
    assert spec["layer"][0]["data"]["values"][0]["value"] == 100.0


@given(
    st.lists(st.floats(0, 500), min_size=1, max_size=12),
    st.floats(5, 30),
)
def test_spread_keeps_order_distance_and_edges(positions, gap):
    moved = spread(positions, gap, 0, 500)
    order = sorted(range(len(moved)), key=lambda i: positions[i])
    assert all(moved[b] - moved[a] >= gap - 1e-6 for a, b in pairwise(order))
    if gap * (len(moved) - 1) <= 500:
        assert min(moved) >= -1e-6
        assert max(moved) <= 500 + 1e-6


@given(st.lists(st.integers(-(10**9), 10**12).map(lambda n: n / 1000), min_size=1, max_size=6), st.booleans())
def test_an_axis_holds_its_values_and_its_ticks(values, log):
    axis = value_axis(values, "persons", log=log)
    slack = 1e-9 * (axis.high - axis.low)
    kept = [v for v in values if v > 0] if log else values
    assert all(axis.low - slack <= v <= axis.high + slack for v in [*kept, *axis.ticks])
    assert len(set(axis.labels)) == len(axis.labels)


def test_the_numbers_under_an_axis_are_the_ticks():
    rows = [{"label": "a", "value": 1_250_000.0, "low": 400_000.0, "high": 2_600_000.0}]
    text = words(charts.to_svg(charts.interval_spec(rows, unit="persons")))
    assert [t for t in text if t in {"0", "1", "2", "million persons"}] == ["0", "1", "2", "million persons"]


def test_the_fan_widens_and_starts_where_the_estimates_end():
    rows = [{"year": y, "value": 10.0, "low": None, "high": None, "level": None} for y in (2020, 2023)]
    rows += [
        {"year": y, "value": 11.0, "low": 11 - w, "high": 11 + w, "level": level}
        for level, w in ((80, 1.0), (95, 2.0))
        for y in (2030, 2040)
    ]
    bands = [layer["data"]["values"] for layer in charts.fan_spec(rows, unit="persons")["layer"][:2]]
    assert bands[0][0] == bands[1][0] == {"year": 2023, "low": 10.0, "high": 10.0}
    assert bands[0][-1]["high"] - bands[0][-1]["low"] == 4.0  # the wider one is drawn first
    assert bands[1][-1]["high"] - bands[1][-1]["low"] == 2.0


def test_labels_cover_neither_each_other_nor_the_edge():
    boxes = [Box(50.0, 50.0, 40.0, 12.0)] * 6
    placed = place_labels(boxes, 300, 200)
    edges = [(x - 20, y - 6, x + 20, y + 6) for x, y in placed]
    for i, a in enumerate(edges):
        assert a[0] >= 0 and a[1] >= 0 and a[2] <= 300 and a[3] <= 200
        for b in edges[:i]:
            assert a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1]


FRAME = Frame(68, 45, -4700, 4900, -2900, 2500, 696)


def test_the_projection_keeps_areas():
    # Lambert's azimuthal projection: a cell of one degree has the same area wherever it lies.
    def area(lon: float, lat: float) -> float:
        x, y, _ = FRAME.plane(*np.array(_ring(lon, lat), float).T)
        return abs(sum(x[i - 1] * y[i] - x[i] * y[i - 1] for i in range(len(x)))) / 2

    radius = 6371.0
    for lon, lat in ((68, 45), (20, 60), (120, 25)):
        true = radius**2 * math.radians(1) * (math.sin(math.radians(lat + 1)) - math.sin(math.radians(lat)))
        assert area(lon, lat) == pytest.approx(true, rel=2e-3)


def _ring(lon: float, lat: float) -> list[tuple[float, float]]:
    return [(lon, lat), (lon + 1, lat), (lon + 1, lat + 1), (lon, lat + 1)]


def test_every_shape_lies_in_the_frame_and_neighbours_share_their_border():
    found = {c.m49: c for c in shapes(FRAME, 1.0)}
    for country in found.values():
        for ring in country.rings:
            assert all(-0.1 <= x <= FRAME.width + 0.1 and -0.1 <= y <= FRAME.height + 0.1 for x, y in ring)
    kazakh = {tuple(p) for ring in found["398"].rings for p in ring}
    uzbek = {tuple(p) for ring in found["860"].rings for p in ring}
    assert len(kazakh & uzbek) > 30


PLACES = [
    {"place": "A", "name": "Aland", "lat": 48.0, "lon": 66.0, "m49": "398", "class": "x"},
    {"place": "B", "name": "Beland", "lat": 41.0, "lon": 64.0, "m49": "860", "class": None},
    {"place": "C", "name": "Far", "lat": 38.0, "lon": -97.0, "m49": "840", "class": None},
    {"place": "D", "name": "Nowhere", "lat": None, "lon": None, "m49": "", "class": None},
]


def test_the_map_draws_each_corridor_once_as_wide_as_its_number():
    flows = [("A", "B", 1000.0), ("B", "A", 500.0), ("A", "C", 10.0), ("A", "D", 900.0), ("B", "C", 0.0)]
    rows = [{"origin": o, "destination": d, "value": v} for o, d, v in flows]
    spec = charts.corridors_spec(rows, PLACES, unit="persons", frame=FRAME, colours={"x": "#FFEEDD"}, focus="A")
    arcs = spec["layer"][1]["data"]["values"]
    assert [a["properties"]["fill"] for a in arcs] == ["#D55E00", "#0072B2", "#D55E00"]  # from A, to A, from A
    text = words(charts.to_svg(spec))
    assert {"Aland", "Beland", "Far", "x"} <= set(text)
    assert "Nowhere" not in text


def test_a_png_has_its_signature():
    assert charts.to_png(charts.interval_spec(ROWS, unit="persons"))[:8] == b"\x89PNG\r\n\x1a\n"
