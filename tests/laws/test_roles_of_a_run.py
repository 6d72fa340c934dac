"""Roles of places in a run: shares by hand, draws, thresholds, order of places."""

import numpy as np
import pytest

from zhol.core.errors import ZholError
from zhol.system import roles
from zhol.system.run import Run

PLACES, CORRIDORS = ("A", "B", "C", "D"), (("A", "B"), ("A", "C"), ("B", "C"))


def a_run(entries, stocks, transit, places=PLACES, corridors=CORRIDORS):
    """A run of one year with draws first: entries and stocks (draw, corridor), transit (draw, place)."""
    draws = len(entries)
    arrays = {
        "entries": np.array(entries, float)[:, None, :, None] * np.full(5, 0.2),
        "people": np.array(stocks, float)[:, None, :, None] * np.full(10, 0.1),
        "transit": np.array(transit, float).reshape(draws, 1, len(places)),
        "volume": np.zeros((draws, 1, len(corridors), 1)),
    }
    return Run(arrays, ("2020",), places, corridors, ((),) * len(corridors), {})


def test_shares_by_hand():
    # A sends 30 and 50; B gets 30, sends 20, and 50 pass through it; C gets 70. Nobody has to do with D.
    found = roles(a_run([[30, 50, 20]], [[10, 10, 80]], [[0, 50, 0, 0]]), 2020)
    assert found["place"].to_list() == ["A", "B", "C"]
    rows = {r["place"]: r for r in found.to_dicts()}
    assert [rows["B"][k] for k in ("left", "passed", "came")] == pytest.approx([20, 50, 30])
    assert [rows["B"][k] for k in ("origin", "transit", "destination")] == pytest.approx([0.2, 0.5, 0.3])
    assert [rows[p]["role"] for p in "ABC"] == ["origin", "origin_transit_destination", "destination"]


def test_stocks_are_another_reading():
    run = a_run([[30, 50, 20]], [[10, 10, 80]], [[0, 50, 0, 0]])
    rows = {r["place"]: r for r in roles(run, basis="stocks").to_dicts()}
    assert [rows["B"][k] for k in ("left", "passed", "came")] == pytest.approx([80, 50, 10])


def test_chances_are_shares_of_draws_and_decide_the_role():
    entries = [[10, 0, 90]] * 3 + [[90, 0, 10]]
    found = roles(a_run(entries, [[1, 1, 1]] * 4, [[0, 0, 0, 0]] * 4), "2020", threshold=0.5)
    b = found.filter(place="B").to_dicts()[0]
    assert (b["origin_support"], b["destination_support"]) == (0.75, 0.25)
    assert b["role"] == "origin"
    assert b["origin_low"] <= b["origin"] <= b["origin_high"]


def test_order_of_places_and_corridors_does_not_matter():
    one = roles(a_run([[30, 50, 20]], [[1, 1, 1]], [[0, 5, 0, 0]]))
    turned = a_run([[20, 30, 50]], [[1, 1, 1]], [[0, 5, 0, 0]], ("C", "B", "A", "D"), (("B", "C"), *CORRIDORS[:2]))
    assert roles(turned).sort("place").equals(one.sort("place"))


@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"year": 1999}, "no such period in the run; found '1999', expected 2020 to 2020"),
        ({"basis": "guess"}, "unknown basis; found 'guess', expected flows or stocks"),
    ],
)
def test_bad_input_is_one_line(options, line):
    with pytest.raises(ZholError) as error:
        roles(a_run([[1, 1, 1]], [[1, 1, 1]], [[0, 0, 0, 0]]), **options)
    assert str(error.value) == line
