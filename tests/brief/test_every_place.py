"""What holds for the brief of every place: numbers, words, warnings, a page that stands alone.

One file, because one worker then composes the 26 briefs once.
"""

import re

import pytest
from brief_pages import content, page, places, read

from zhol.brief.quantities import SMALLEST_CELL

# A digit may stand in a quantity, a date, a mark that leads to a source, the number of a section, the list of sources
# (titles and addresses in their own words), the style sheet, or a chart (whose figures stand in the table under it).
FREE_ELEMENTS = {"time", "style", "svg"}
FREE_CLASSES = {"q", "marks", "ref", "secno", "sources"}


def free(stack) -> bool:
    return any(name in FREE_ELEMENTS or FREE_CLASSES & set(given.get("class", "").split()) for name, given in stack)


@pytest.mark.parametrize("place", places())
def test_no_digit_stands_outside_a_quantity_a_date_or_a_mark(place):
    loose = [text.strip() for text, stack in read(place).texts if re.search(r"\d", text) and not free(stack)]
    assert loose == []


@pytest.mark.parametrize("place", places())
def test_every_quantity_has_an_interval_or_a_reason(place):
    numbers = [given for name, given in read(place).elements if name == "data"]
    assert len(numbers) > 100
    for given in numbers:
        assert given.get("class") == "q"
        low, high, value = (given[f"{key}"] for key in ("data-low", "data-high", "value"))
        if low and high:
            assert float(low) <= float(high)
            assert not value or float(low) <= float(value) <= float(high)
            assert "data-why" not in given
        else:
            assert len(given["data-why"]) > 10, given
        assert given["data-source"], given


@pytest.mark.parametrize("place", places())
def test_every_source_and_reason_that_a_number_names_is_in_the_list(place):
    elements = read(place).elements
    ids = [given["id"] for _, given in elements if "id" in given]
    assert len(ids) == len(set(ids))
    for name, given in elements:
        if name == "data":
            assert {f"source-{number}" for number in given["data-source"].split()} <= set(ids)
        if name == "a" and given["href"].startswith("#"):
            assert given["href"][1:] in ids


@pytest.mark.parametrize("place", places())
def test_no_count_of_people_below_ten_is_shown(place):
    for name, given_ in read(place).elements:
        if name == "data" and given_["data-unit"].startswith("person") and given_["value"]:
            assert not 0 <= float(given_["value"]) < SMALLEST_CELL, given_


@pytest.mark.parametrize("place", places())
def test_people_and_stays_are_irregular_outside_titles(place):
    for text, stack in read(place).texts:
        inside = {name for name, _ in stack} | {c for _, given_ in stack for c in given_.get("class", "").split()}
        if not inside & {"cite", "sources", "style"}:
            assert not re.search(r"illegal", text, re.IGNORECASE), text


WARNINGS = (
    "Detections measure policing as well as migration.",
    "Most causal studies come from the United States-Mexico border and the EU; "
    "transfer to Central Asia is an assumption.",
    "Official counts of the same thing differ by a factor of two to ten.",
)


@pytest.mark.parametrize("place", places())
def test_every_brief_prints_the_warnings_and_its_purpose(place):
    words = " ".join(text for text, _ in read(place).texts)
    for warning in WARNINGS:
        assert warning in words
    assert "comparing policies and bodies, never finding people" in words


@pytest.mark.parametrize("place", places())
def test_the_page_is_well_formed_and_asks_for_nothing(place):
    reader = read(place)
    assert reader.faults == []
    names = {name for name, _ in reader.elements}
    assert not names & {"script", "link", "iframe", "img", "object", "embed", "audio", "video", "form"}
    for name, given in reader.elements:
        for key in ("src", "srcset", "action", "background", "xlink:href"):
            assert key not in given, (name, given)
        assert not given.get("href", "#").startswith(("http", "//", "file", "data"))
        assert not any(key.startswith("on") for key in given)
    addresses = re.findall(r"url\(([^)]{0,40})", page(place))
    assert addresses and all(a.startswith(("data:font/woff2", "#")) for a in addresses)
    assert "@import" not in page(place)


@pytest.mark.parametrize("place", places())
def test_no_chart_is_empty_and_all_are_set_in_the_shipped_font(place):
    figures = [block for s in content(place)["sections"] for block in s["blocks"] if block["is"] == "figure"]
    assert figures
    for figure in figures:
        assert len(re.findall(r"<path |<line |<rect ", figure["svg"])) > 5
        texts = re.findall(r"<text [^>]*>([^<]+)</text>", figure["svg"])
        assert len(texts) >= 4
        assert set(re.findall(r'font-family="([^"]+)"', figure["svg"])) == {"DejaVu Sans"}
        assert not re.search(r"NaN|undefined|null|Infinity", figure["svg"])


def test_every_letter_of_every_page_is_in_the_font_that_it_carries():
    from fontTools.ttLib import TTFont

    from zhol.core.fonts import font_folder

    drawn = set(TTFont(font_folder() / "DejaVuSans.woff2").getBestCmap())
    bold = set(TTFont(font_folder() / "DejaVuSans-Bold.woff2").getBestCmap())
    assert drawn == bold
    for place in places():
        letters = {c for text, stack in read(place).texts if not any(n == "style" for n, _ in stack) for c in text}
        assert {c for c in letters if ord(c) >= 32 and ord(c) not in drawn} == set(), place
