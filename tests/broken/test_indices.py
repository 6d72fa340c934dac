"""Bad input to the indices: one line that says what, where and what to do."""

import numpy as np
import pytest

from zhol.core.errors import ZholError
from zhol.estimate.migration_indices import indices

GOOD = {"origin": ["A", "B"], "destination": ["B", "A"], "persons": [3, 4]}


@pytest.mark.parametrize(
    ("flows", "options", "line"),
    [
        (None, {}, "indices need flows or ages; expected flows, ages or both"),
        (
            {"origin": ["A"], "persons": [1]},
            {},
            "flows has no column 'destination'; found 'origin, persons', expected destination",
        ),
        ({**GOOD, "persons": [3, -4]}, {}, "flows hold a negative number; found -4.0, expected zero or more"),
        (
            {**GOOD, "persons": [3, None]},
            {},
            "flows hold a missing cell; expected a number or zero for every pair of places",
        ),
        (
            {**GOOD, "persons": [3, float("nan")]},
            {},
            "flows hold a missing cell; expected a number or zero for every pair of places",
        ),
        ({**GOOD, "persons": ["3", "many"]}, {}, "column persons: flows are not numbers; found '3'"),
        ({**GOOD, "persons": [0, 0]}, {}, "nobody moved between two places; found 'flows are all zero'"),
        ({**GOOD, "origin": ["A", None]}, {}, "row 3, column origin: flows: a place has no name"),
        (
            {"origin": ["A"], "destination": ["A"], "persons": [1]},
            {},
            "flows hold one place; found '1 place', expected two or more places",
        ),
        (
            {"origin": [], "destination": [], "persons": []},
            {},
            "flows is empty; found '0 rows, 3 columns', expected some rows",
        ),
        (np.ones((2, 3)), {}, "flows are not square; found 'shape (2, 3)', expected places by places"),
        (np.array([["a", "b"], ["c", "d"]]), {}, "flows are not numbers; found 'str32'"),
        (np.ones((2, 2)), {"places": ["A"]}, "places and flows differ in number; found 1, expected 2"),
        (GOOD, {"population": {"A": 10}}, "population lacks a place; found 'B', expected a number for every place"),
        (GOOD, {"population": {"A": 10, "B": 0}}, "population is not positive; found 'B 0.0'"),
        (GOOD, {"population": -1}, "population is not positive; found -1.0"),
        (
            GOOD,
            {"population": {"place": ["A", "A", "B"], "population": [1, 2, 3]}},
            "population holds a place twice; found 'A'",
        ),
        (
            GOOD,
            {"distance": {"origin": ["A"], "destination": ["B"], "distance": [10]}},
            "no distance above zero from B to A; found 'none'",
        ),
        (GOOD, {"distance": np.ones((3, 3))}, "distances and flows differ in shape; found '(3, 3)', expected (2, 2)"),
        (
            {**GOOD, "sex": ["men", "women"]},
            {},
            "column sex: flows hold several sexes; filter the table to one, such as total",
        ),
        (GOOD, {"level": 95}, "level is not between 0 and 1; found 95"),
        (None, {"ages": {"age": [1, 2]}}, "ages has no column 'migrants'; found 'age', expected migrants, population"),
        (
            None,
            {"ages": {"age": [1, 2], "mi": [0.1, -0.2]}},
            "row 3: intensity of an age is missing or negative; found -0.2",
        ),
        (
            None,
            {"ages": {"age": [7, 7], "mi": [0.1, 0.2]}},
            "column age: an age stands twice; expected one row for every year of age",
        ),
        (
            None,
            {"ages": {"age": [1, 2], "mi": [0.1, 0.2]}},
            "too few ages for a profile; found 0, expected ages 5 to 65",
        ),
        (
            None,
            {"ages": {"age": [1], "migrants": [1], "population": [0]}},
            "row 2, column population: an age has no population",
        ),
    ],
)
def test_one_line(flows, options, line):
    with pytest.raises(ZholError) as error:
        indices(flows, **options)
    assert str(error.value) == line


def test_unknown_measure():
    with pytest.raises(KeyError, match="no measure 'cmr'; there are effectiveness, connectivity"):
        indices(GOOD)["cmr"]
