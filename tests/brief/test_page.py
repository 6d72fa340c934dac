"""The page can be read without seeing the charts."""

import pytest
from brief_pages import read


@pytest.mark.parametrize("place", ["KAZ", "USA", "XBA"])
def test_a_reader_who_does_not_see_the_charts_gets_words_and_tables(place):
    elements = read(place).elements
    html = next(given for name, given in elements if name == "html")
    assert html["lang"] == "en"
    assert sum(name == "main" for name, _ in elements) == 1
    assert sum(name == "h1" for name, _ in elements) == 1
    charts = [given for name, given in elements if "chart" in given.get("class", "").split()]
    assert charts and all(given["role"] == "img" and len(given["aria-label"]) > 30 for given in charts)
    drawings = [given for name, given in elements if name == "svg"]
    assert len(drawings) == len(charts) and all(given["aria-hidden"] == "true" for given in drawings)
    tables = sum(name == "table" for name, _ in elements)
    assert tables == sum(name == "caption" for name, _ in elements)
    assert all(given.get("scope") in {"col", "row"} for name, given in elements if name == "th")
