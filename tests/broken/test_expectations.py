"""A mistake in the file of expected ratios gets one line."""

import math

import pytest

from zhol.core.errors import ZholError
from zhol.system.expectations import _read

GOOD = {
    "by": "destination", "of": ["clandestine"], "beside": ["resident"], "median": 0.1, "sd": 1.0, "basis": "none",
    "meaning": "m",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"width": 1}, "unknown key of expectation e"),
        ({"by": "month"}, "expected by destination or corridor"),
        ({"without": "figures"}, "expected by destination or corridor"),
        ({"median": 0.0}, "expected numbers above 0"),
        ({"sd": math.nan}, "expected numbers above 0"),
        ({"of": ["tourist"]}, "unknown status"),
        ({"sd": None}, "lacks keys"),
    ],
)
def test_each_mistake_is_one_line(change, said):
    row = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    with pytest.raises(ZholError) as caught:
        _read("e", row)
    assert said in str(caught.value) and "expectations.yaml" in str(caught.value) and "\n" not in str(caught.value)


def test_the_good_row_is_read():
    assert _read("e", GOOD).of == (5,)
