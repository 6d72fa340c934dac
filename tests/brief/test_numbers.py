"""Numbers: in order, true to their publisher, and refused where they stand bare."""

import re

import pytest
from brief_pages import content, read, region


def test_sources_are_numbered_in_the_order_a_reader_meets_them():
    numbers = [source["number"] for source in content("KAZ")["sources"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert content("KAZ")["sources"][0]["id"].startswith("UNDESA")


@pytest.mark.parametrize("place", ["KAZ", "RUS", "XEU"])
def test_a_chart_with_numbers_stands_on_a_table_with_intervals_or_reasons(place):
    figures = [block for s in content(place)["sections"] for block in s["blocks"] if block["is"] == "figure"]
    assert len(figures) > 5
    for figure in figures:
        numbers = [p for row in figure["data"]["rows"] for cell in row for p in cell if p["is"] == "number"]
        if re.search(r">[^<]*\d[^<]*</text>", figure["svg"]):
            assert numbers, figure["title"]
            assert all(n["why"] or (n["low"] is not None and n["high"] is not None) for n in numbers)
            assert figure["marks"]["refs"]
        if any(n["why"] for n in numbers):
            assert figure["marks"]["letters"]


def test_both_revisions_stand_as_the_publisher_printed_them():
    import polars as pl
    from shared_data import shared

    printed = {
        float(given["value"])
        for name, given in read("KAZ").elements
        if name == "data" and given["data-unit"] == "persons" and given["value"]
    }
    for revision in (2020, 2024):
        raw = pl.read_csv(shared("data", "undesa_ims", f"ims_bilateral_rev{revision}.csv"), infer_schema_length=None)
        cell = raw.filter(pl.col("year") == 2020, pl.col("orig") == "RUS", pl.col("dest") == "KAZ")
        assert cell["total"][0] in printed


def test_a_source_that_the_pack_lacks_is_an_error():
    from zhol.brief.content import Brief, Number, Paragraph, Section, When
    from zhol.brief.resolve import resolve
    from zhol.core.errors import ZholError
    from zhol.core.quantity import Quantity

    lost = Number(Quantity(1.0, None, None, "persons", ("NOWHERE",), no_interval="made for a test"))
    brief = Brief("KAZ", "K", "T", "S", "P", When("2026"), "R", (Section("a", "A", (Paragraph((lost,)),)),))
    with pytest.raises(ZholError, match=r"names an unknown source; found 'NOWHERE', expected a row of sources"):
        resolve(brief, region())


def test_a_sentence_with_a_bare_number_is_refused():
    from zhol.brief.content import text
    from zhol.core.errors import ZholError

    with pytest.raises(ZholError, match="a number stands in plain words"):
        text("About 5 people came.")
