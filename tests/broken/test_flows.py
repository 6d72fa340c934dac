"""Bad stocks, births and options end in one clear line."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from zhol import ZholError, estimate
from zhol.core import jobs
from zhol.estimate.proportional_fitting import fit_parts, fit_two_way, net_matrix

PLACES = ["A", "B"]
NUMBER = "expected a number of persons"
NO_LAW = "stock_error is neither a StockError nor a standard deviation of log stocks"
NO_BIRTHPLACE = "differences and rates give no flows by birthplace; use method='demographic'"
NEGATIVE_SEED = "seed_matrix has a negative cell; found 'born in A, living in A', expected persons"
GOOD = pd.DataFrame([[100.0, 10.0], [5.0, 50.0]], index=PLACES, columns=PLACES)


def _with(row, column, value):
    frame = GOOD.astype(object)
    frame.iloc[row, column] = value
    return frame


BAD = [
    (np.ones((2, 3)), "stock_start is not square; found '2 x 3', expected a row and a column a place"),
    (GOOD.loc[["A"]], "stock_start is not square; found '1 x 2', expected a row and a column a place"),
    (np.ones((1, 1)), "stock_start has too few places; found '1', expected two or more"),
    (
        pl.DataFrame({"birthplace": [], "residence": [], "persons": []}),
        "stock_start is empty; found '0 rows, 3 columns', expected some rows",
    ),
    (_with(0, 1, -3.0), "stock_start has a negative cell; found 'born in A, living in B', expected persons"),
    (_with(1, 0, np.inf), "stock_start has an infinite cell; found 'born in B, living in A'"),
    (_with(1, 0, "many"), "stock_start has a cell that is not a number; found 'many', expected a number of persons"),
    (_with(1, 1, np.nan), "stock_start has no natives for a place; found 'B'; give population="),
    (GOOD * 0, "stock_start has no people; expected persons above zero"),
    (GOOD.set_axis(["A", "C"]), "rows and columns of stock_start name different places; found 'B'; name both alike"),
    (GOOD.set_axis(["A", "A"]).set_axis(["A", "A"], axis=1), "stock_start names a place twice; found 'A'"),
    ("nowhere.csv", "nowhere.csv: no such file; check the path"),
]


@pytest.mark.parametrize(("stock", "line"), BAD, ids=[line for _, line in BAD])
def test_bad_stocks(stock, line):
    with pytest.raises(ZholError) as caught:
        estimate.flows(stock, GOOD)
    assert str(caught.value) == line
    assert "\n" not in str(caught.value)


OPTIONS = [
    ({"births": {"A": 1.0}}, "births lack a place; found 'B', expected 2 places"),
    ({"births": {"A": 1.0, "B": 1.0, "C": 1.0}}, "births name an unknown place; found 'C'"),
    ({"deaths": {"A": 1.0, "B": -1.0}}, "deaths have a negative number for a place; found 'B'"),
    ({"deaths": {"A": float("nan"), "B": 1.0}}, "deaths have no number for a place; found 'A'"),
    ({"births": {"A": "few", "B": 1.0}}, f"births has a cell that is not a number; found 'few', {NUMBER}"),
    ({"births": np.ones(3)}, "births do not fit the stocks; found '3 numbers', expected 2"),
    ({"method": "magic"}, "unknown method; found 'magic', expected demographic or difference or rates or pseudo_bayes"),
    ({"births_method": "x"}, "unknown births_method; found 'x', expected native or proportion"),
    ({"draws": -1}, "draws is not a whole number of 0 or more; found -1"),
    ({"weight": 2.0}, "weight is not between 0 and 1; found 2.0, expected for example 0.87"),
    ({"level": 1.0}, "level is not between 0 and 1; found 1.0, expected for example 0.95"),
    ({"draws": 2, "stock_error": -1.0}, f"{NO_LAW}; found -1.0"),
    ({"seed_matrix": -np.ones((2, 2))}, NEGATIVE_SEED),
    ({"method": "difference", "birthplace": True}, NO_BIRTHPLACE),
]


@pytest.mark.parametrize(("options", "line"), OPTIONS, ids=[line for _, line in OPTIONS])
def test_bad_options(options, line):
    with pytest.raises(ZholError) as caught:
        estimate.flows(GOOD, GOOD * 1.1, **options)
    assert str(caught.value) == line


def test_places_of_the_two_stocks_must_be_the_same():
    other = pd.DataFrame(np.ones((2, 2)), index=["A", "X"], columns=["A", "X"])
    with pytest.raises(
        ZholError, match=r"^stock_end has an unknown place; found 'X'; both stocks need the same places$"
    ):
        estimate.flows(GOOD, other)


def test_gaps_can_be_refused():
    frame = GOOD.copy()
    frame.iloc[0, 1] = np.nan
    with pytest.raises(
        ZholError, match=r"^stock_start has cells that were not estimated; found '1 cells'; missing='expected'$"
    ):
        estimate.flows(frame, GOOD, missing="error")


@pytest.mark.parametrize("stock", [np.ones((2, 2)), [[0.0, 0.0], [5.0, 50.0]], [[1.0, 1.0], [1.0, 1.0 + 1e-15]]])
def test_singular_stock_has_no_operator(stock):
    ones = pd.DataFrame(stock, index=PLACES, columns=PLACES)
    with pytest.raises(ZholError, match=r"^stock_start has no inverse; use rates='dennett' or method='demographic'$"):
        estimate.flows(ones, GOOD, method="rates", rates="rogers_von_rabenau")


def test_rival_stocks_that_hardly_differ():
    table = pl.DataFrame({"year": [2020], "origin": ["A"], "destination": ["B"], "persons": [5.0]})
    with pytest.raises(
        ZholError, match=r"^too few cells differ between the two publications; found 0, expected 10 or more$"
    ):
        estimate.stock_error(table, table)
    with pytest.raises(ZholError, match=r"^stock_error needs a region pack or two tables; found 'int'$"):
        estimate.stock_error(3)


def test_totals_that_contradict_each_other():
    with pytest.raises(ZholError, match=r"^totals of rows and columns differ; found '3 and 4'$"):
        fit_two_way([1, 2], [2, 2])
    with pytest.raises(ZholError, match=r"^zeros of the seed contradict the totals; give a seed without these zeros$"):
        fit_two_way([1, 2], [2, 1], [[1, 0], [0, 1]])
    with pytest.raises(ZholError, match=r"^net migration does not sum to zero; found 1.0, expected 0$"):
        net_matrix([1, 0], np.ones((2, 2)))
    with pytest.raises(ZholError, match=r"^parts do not fit their totals; found '1 totals', expected a total a part$"):
        fit_parts([1], [[0, 1], [1, 0]])
    for distance in ("entropy", "quadratic", "absolute"):
        with pytest.raises(ZholError, match=r"^no flows over the"):
            net_matrix([5, -5, 0], np.ones((3, 3)), distance, allowed=np.zeros((3, 3), dtype=bool))


def test_no_cluster_there():
    with pytest.raises(
        ZholError, match=r"^the cluster does not answer; found 'tcp://127.0.0.1:1', expected tcp://host:port$"
    ):
        jobs.run(abs, [1], cluster="tcp://127.0.0.1:1", patience="1s")
