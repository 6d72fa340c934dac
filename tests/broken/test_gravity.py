"""Bad input to gravity: one line that says what, where and what to do."""

import pytest

from zhol.core.errors import ZholError
from zhol.estimate.gravity_model import gravity, world_covariates

PAIRS = [(o, d) for o in "ABCDE" for d in "ABCDE" if o != d]
KEYS = {"origin": [o for o, _ in PAIRS], "destination": [d for _, d in PAIRS]}
FAR = [float(100 + 37 * (ord(o) * ord(d) % 13) + abs(ord(o) - ord(d))) for o, d in PAIRS]
FLOWS = {**KEYS, "persons": [float(5 + (3 * i) % 17) for i in range(len(PAIRS))]}
TABLE = {**KEYS, "distance_km": FAR}


def first(values, new):
    return [new, *values[1:]]


@pytest.mark.parametrize(
    ("flows", "table", "options", "line"),
    [
        ({"origin": ["A"], "persons": [1]}, TABLE, {}, "flows has no column 'destination'; found 'origin, persons'"),
        (FLOWS, {"origin": ["A"], "distance_km": [1]}, {}, "covariates has no column 'destination'"),
        (
            FLOWS,
            {**KEYS, "weather": FAR},
            {},
            "covariates hold no known term; found 'origin, destination, weather, period, persons'",
        ),
        (FLOWS, TABLE, {"formula": "log(gdp)"}, "covariates have no column 'gdp'"),
        (
            {**FLOWS, "persons": first(FLOWS["persons"], -5.0)},
            TABLE,
            {},
            "row 2, column persons: a flow is negative; found -5.0",
        ),
        (
            {**FLOWS, "persons": first(FLOWS["persons"], float("nan"))},
            TABLE,
            {},
            "row 2, column persons: a flow is missing; leave the row out, or write 0 for none",
        ),
        ({**FLOWS, "persons": first(FLOWS["persons"], None)}, TABLE, {}, "row 2, column persons: a flow is missing"),
        ({**FLOWS, "persons": ["many"] * 20}, TABLE, {}, "column persons: flows are not numbers; found 'many'"),
        ({**FLOWS, "persons": [0.0] * 20}, TABLE, {}, "column persons: nobody moved; found 'flows are all zero'"),
        ({"origin": [], "destination": [], "persons": []}, TABLE, {}, "flows is empty; found '0 rows, 3 columns'"),
        (FLOWS, {**TABLE, "distance_km": []}, {}, "covariates is not a table; found 'dict'"),
        ({"origin": ["A"], "destination": ["A"], "persons": [4]}, TABLE, {}, "flows hold one place; expected moves"),
        (
            {"origin": ["A", "B"], "destination": ["B", "A"], "persons": [4, 5]},
            TABLE,
            {},
            "too few places for gravity; found '2 places, 2 flows'",
        ),
        (
            {**FLOWS, "origin": first(KEYS["origin"], None)},
            TABLE,
            {},
            "row 2, column origin: flows: a place has no name",
        ),
        (
            {k: [*v, v[0]] for k, v in FLOWS.items()},
            TABLE,
            {},
            "flows hold a pair twice; found 'A to B'",
        ),
        (FLOWS, {k: [*v, v[0]] for k, v in TABLE.items()}, {}, "covariates hold a pair twice; found 'A to B'"),
        (
            {**FLOWS, "origin": [f"x{o}" for o in KEYS["origin"]]},
            TABLE,
            {},
            "flows and covariates share no pair; expected the same codes of places and periods in both",
        ),
        (FLOWS, {**TABLE, "distance_km": ["far"] * 20}, {}, "column distance_km: covariate is text, not a number"),
        (FLOWS, {**TABLE, "distance_km": first(FAR, 0.0)}, {}, "log(distance_km) is not finite; found 'A to B'"),
        (FLOWS, {**TABLE, "distance_km": [None] * 20}, {}, "no pair has every covariate; found 'distance_km'"),
        (FLOWS, {**KEYS, "contiguous": [1.0] * 20}, {}, "the fixed effects absorb every term; use terms that differ"),
        (
            FLOWS,
            TABLE,
            {"formula": "people ~ log(distance_km)"},
            "left side of the formula is not persons; found 'people'",
        ),
        (FLOWS, TABLE, {"formula": "persons ~ "}, "formula has no terms; found 'persons ~ '"),
        (FLOWS, TABLE, {"formula": "log(distance_km) | village"}, "unknown fixed effect; found 'village'"),
        (FLOWS, TABLE, {"formula": "log(distance_km"}, "formula cannot be read; found 'log(distance_km'"),
        (FLOWS, TABLE, {"cluster": "village"}, "unknown group; found 'village'"),
        (FLOWS, TABLE, {"absent": "maybe"}, "absent is unknown; found 'maybe', expected leave_out or zero"),
        (FLOWS, TABLE, {"level": 95}, "level is not between 0 and 1; found 95"),
    ],
)
def test_one_line(flows, table, options, line):
    with pytest.raises(ZholError) as error:
        gravity(flows, table, **options)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("change", "options", "line"),
    [
        ({"weather": 1.0}, {}, "panel has no column 'weather'"),
        ({"distance_km": "near"}, {}, "column distance_km: new value is not a number; found 'near'"),
        ({"distance_km": 0.0}, {}, "log(distance_km) is not finite; found 'A to B'; log needs numbers above 0"),
        ({"distance_km": 5.0}, {"where": {"origin": "Z"}}, "no pair is meant by where; found {'origin': 'Z'}"),
        ({"distance_km": 5.0}, {"where": {"village": "Z"}}, "panel has no column 'village'"),
        ({"distance_km": 5.0}, {"hold": "breath"}, "hold is unknown; found 'breath', expected both, origins"),
        (lambda panel: panel.head(3), {}, "change does not give the panel back; expected a polars frame"),
    ],
)
def test_one_line_of_counterfactual(change, options, line):
    found = gravity(FLOWS, TABLE)
    with pytest.raises(ZholError) as error:
        found.counterfactual(change, **options)
    assert str(error.value).startswith(line)


def test_priors_of_unknown_period_and_corridor():
    found = gravity(FLOWS, TABLE)
    with pytest.raises(ZholError, match="no such period; found '1950', expected 0"):
        found.priors(period=1950)
    with pytest.raises(ZholError, match="none of the corridors has a fitted flow"):
        found.priors([("A", "Z")])


def test_folder_without_the_files(tmp_path):
    with pytest.raises(ZholError, match=r"^dist_cepii.csv: no such file; pull the publishers' data first"):
        world_covariates(tmp_path)


def test_unknown_term():
    with pytest.raises(KeyError, match=r"no term 'gdp'; there are log\(distance_km\)"):
        gravity(FLOWS, TABLE)["gdp"]
