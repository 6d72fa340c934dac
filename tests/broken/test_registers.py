"""``registers``: bad input is one clear line; the message is the expectation."""

import numpy as np
import pandas as pd
import pytest

from zhol.core.errors import ZholError
from zhol.estimate.register_ratio import registers

GOOD = {
    "country": list("ABCDEF"),
    "m": [10, 2, 45, 8, 30, 1],
    "n": [17, 0, 90, 7, 41, 1],
    "N": [1089, 140, 9000, 700, 5200, 60],
}
CASES = [
    ({"m": [10, 2, -4, 8, 30, 1]}, {}, "row 4, column m: negative count; found -4, expected a whole number, 0 or more"),
    ({"n": [17, 0, 90, -7, 41, 1]}, {}, "row 5, column n: negative count; found -7, expected a number, 0 or more"),
    (
        {"m": [10, np.nan, 4, 8, 30, 1]},
        {},
        "row 3, column m: missing value; expected a whole number, 0 or more; drop the row or fill it in",
    ),
    (
        {"N": [10, None, 4, 8, 30, 1]},
        {},
        "row 3, column N: missing value; expected a number, 0 or more; drop the row or fill it in",
    ),
    (
        {"m": ["10", "many", "4", "8", "30", "1"]},
        {},
        "row 3, column m: not a number; found 'many', expected a whole number, 0 or more",
    ),
    (
        {"m": [1.5, 2, 3, 4, 5, 6]},
        {},
        "row 2, column m: not a whole number; found 1.5, expected a whole number, 0 or more",
    ),
    ({"N": [np.inf, 1, 3, 4, 5, 6]}, {}, "row 2, column N: infinite value; found inf, expected a number, 0 or more"),
    ({"m": [0] * 6}, {}, "column m: nothing was observed: every count is zero; expected some counts above zero"),
    (
        {"n": [0] * 6},
        {},
        "column n: every auxiliary count is zero, so detection cannot be told from size; "
        "expected some counts above zero",
    ),
    ({"N": [0] * 6}, {}, "column N: nobody is registered in any row; expected some counts above zero"),
    (
        {"N": [1] * 6},
        {},
        "this term cannot be told apart from the others; found '(Intercept):alpha'; "
        "drop it, or give data in which sizes and rates differ",
    ),
    (
        {"x": [1, 2, 3, 4, 5, 6], "y": [2, 4, 6, 8, 10, 12]},
        {"alpha": "~ x + y"},
        "this term cannot be told apart from the others; found 'y:alpha'; "
        "drop it, or give data in which sizes and rates differ",
    ),
    ({}, {"observed": "k"}, "data has no column 'k'; found 'country, m, n, N', expected k, n, N"),
    ({}, {"by": ["zone"]}, "data has no column 'zone'; found 'country, m, n, N', expected m, n, N, zone"),
    ({}, {"model": "zip"}, "unknown model; found 'zip', expected poisson or negbin"),
    ({}, {"interval": "bca"}, "unknown interval; found 'bca', expected analytic, bootstrap, parametric"),
    ({}, {"gamma": -1}, 'gamma is not an offset; found -1, expected "estimate", None or a number from 0 to 1'),
    ({}, {"level": 95}, "level is not a coverage; found 95, expected a number between 0 and 1, such as 0.95"),
    ({}, {"interval": "bootstrap", "replicates": 5}, "too few replicates; found 5, expected 20 or more"),
    ({}, {"formulas": {"gamma": "~ 1"}}, "the model has no such parameter; found 'gamma', expected alpha or beta"),
    ({}, {"alpha": "~ zone"}, "the formula names 'zone', which the data lacks; found 'country, m, n, N'"),
    (
        {"country": ["A", "A", "B", "B", "B", "B"]},
        {"cluster": "country"},
        "column country: too few clusters; found 2, expected 5 or more",
    ),
]


@pytest.mark.parametrize(("change", "options", "message"), CASES)
def test_message(change, options, message):
    with pytest.raises(ZholError) as error:
        registers({**GOOD, **change}, **options)
    assert str(error.value) == message


def test_no_rows():
    with pytest.raises(ZholError, match=r"^data is empty; found '0 rows, 4 columns', expected some rows$"):
        registers({k: [] for k in GOOD})


@pytest.mark.parametrize("rows", [2, 3])
def test_few_rows(rows):
    with pytest.raises(ZholError) as error:
        registers({k: v[:rows] for k, v in GOOD.items()})
    assert str(error.value) == f"too few rows; found {rows}, expected more than the 3 parameters to estimate"


def test_numbers_written_as_text_are_numbers():
    text = {**GOOD, "m": [str(v) for v in GOOD["m"]]}
    assert registers(text).population == registers(GOOD).population == registers(pd.DataFrame(GOOD)).population


def test_more_met_than_registered_is_a_warning():
    est = registers({**GOOD, "n": [17, 0, 90, 7, 41, 61]})
    assert est.warnings[0] == (
        "1 row has an auxiliary count above the reference population: n seems to cover persons whom N does not"
    )
