"""Small counts and rates on small bases are not shown, and cannot be worked out."""

import pytest
from brief_pages import content, page
from hypothesis import given
from hypothesis import strategies as st

from zhol.brief.quantities import SMALLEST_BASE, SMALLEST_CELL, share
from zhol.brief.small_cells import WITHHELD, protect


def test_small_counts_are_named_as_such():
    assert "fewer than 10" in page("KAZ")


@given(st.lists(st.none() | st.integers(0, 400), min_size=1, max_size=8))
def test_the_total_never_gives_a_single_small_count_away(counts):
    shown = protect(counts)
    small = [i for i, c in enumerate(counts) if c is not None and c < SMALLEST_CELL]
    hidden = [i for i, s in enumerate(shown) if s == WITHHELD]
    known = [c for c in counts if c is not None]
    assert all(shown[i] == counts[i] for i in range(len(counts)) if i not in hidden)
    if len(small) == 1 and len(known) > 1:
        assert len(hidden) == 1
        assert counts[hidden[0]] == min(c for i, c in enumerate(counts) if c is not None and i not in small)
    else:
        assert not hidden


@given(st.integers(0, 2000), st.integers(0, 2000))
def test_a_rate_has_a_base_and_parts_that_may_be_shown_and_an_interval_round_it(part, rest):
    rate = share(part, part + rest, ("S",))
    if part + rest < SMALLEST_BASE or min(part, rest) < SMALLEST_CELL:
        assert rate is None
    else:
        assert 0 <= rate.low <= rate.value <= rate.high <= 100
        assert rate.value == pytest.approx(100 * part / (part + rest))


def test_the_interval_of_a_rate_is_wilsons():
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3: 81 of 263 gives 0.2553 to 0.3662.
    rate = share(81, 263, ("S",))
    assert (rate.low, rate.high) == pytest.approx((25.53, 36.62), abs=0.005)


def test_nothing_is_said_of_the_rates_of_a_small_base():
    cells = [
        cell
        for section in content("KAZ")["sections"]
        for block in section["blocks"]
        if block["is"] == "table" and block["columns"][-1]["title"][0].get("text") == "Recognition rate"
        for row in block["rows"]
        for cell in [row[-1]]
    ]
    assert any(piece.get("text") == "too few" for cell in cells for piece in cell)
