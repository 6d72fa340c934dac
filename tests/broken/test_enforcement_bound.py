"""The enforcement bound asked for what cannot be: one exact line each."""

import pytest

import zhol
from zhol.core.errors import ZholError
from zhol.policy.enforcement import enforcement_bound

GOOD = {"origin": ["AFG"], "destination": ["XEU"], "persons": [100.0]}


@pytest.fixture(scope="module")
def model():
    return zhol.system.Model(zhol.load("central_asia"))


BROKEN = {
    "unknown actor": (
        {"actors": "KAX"},
        "unknown actor; found 'KAX', expected a place or group of central_asia; did you mean 'KAZ'?",
    ),
    "nobody": ({"actors": []}, "nobody acts; expected at least one country, block or group"),
    "negative budget": ({"budget": -1}, "budget of enforcement; found -1, expected a number of 0 or more"),
    "budget without end": (
        {"budget": float("inf")},
        "budget of enforcement; found inf, expected a number of 0 or more",
    ),
    "budget in words": ({"budget": "much"}, "budget of enforcement; found 'much', expected a number of 0 or more"),
    "half a level": (
        {"levels": 2.5},
        "levels of intensity; found 2.5, expected a whole number from 1 to 1000, or None",
    ),
    "one draw": ({"draws": 1}, "draws; found 1, expected 0, or 2 and more"),
    "no time": ({"time_limit": 0}, "gap and time limit; found '0.0001, 0', expected a share above 0, seconds above 0"),
    "unknown instrument": (
        {"instrument": "border_oficers"},
        "unknown instrument; found 'border_oficers'; did you mean 'border_officers'?",
    ),
    "instrument off the road": (
        {"instrument": "patents"},
        "the instrument does not act on roads; found 'patents', expected one that moves passage_price, interception "
        "or danger",
    ),
    "no column": (
        {"demand": {"origin": ["AFG"], "destination": ["XEU"]}},
        "demand has no column 'persons'; found 'origin, destination', expected origin, destination, persons",
    ),
    "unknown place": (
        {"demand": {**GOOD, "origin": ["AFX"]}},
        "row 2, column origin: unknown place; found 'AFX', expected a country or block of the pack",
    ),
    "to itself": (
        {"demand": {**GOOD, "destination": ["AFG"]}},
        "row 2: nobody travels from a place to itself; found 'AFG'",
    ),
    "negative persons": (
        {"demand": {**GOOD, "persons": [-5.0]}},
        "row 2, column persons: not a number of 0 or more; found -5.0",
    ),
    "missing reservation": (
        {"demand": {"origin": ["AFG"] * 2, "destination": ["XEU"] * 2, "persons": [1, 2], "reservation": [900, None]}},
        "row 3, column reservation: not a number of 0 or more",
    ),
    "words for persons": (
        {"demand": {**GOOD, "persons": ["many"]}},
        "column persons: not numbers; found 'String', expected 0 or more",
    ),
    "nobody travels": (
        {"demand": {**GOOD, "persons": [0.0]}},
        "demand: nobody travels over any road; expected persons above 0 on a pair with a road",
    ),
    "single persons": (
        {"demand": {**GOOD, "passport": ["N1"]}},
        "column passport: column holds data about individual persons; expected aggregates only; remove it; "
        "`zhol estimate tabulate` turns records into protected counts inside their owner's house",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_clear_line(model, name):
    change, line = BROKEN[name]
    options = {"actors": "KAZ", "budget": 1, "demand": GOOD, "draws": 0, "year": 2024, **change}
    with pytest.raises(ZholError) as caught:
        enforcement_bound(model, **options)
    assert str(caught.value) == line
