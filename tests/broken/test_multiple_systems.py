"""Tables of several lists that cannot be answered: one line each, and the line is the expectation."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import zhol
from zhol.core.errors import ZholError

NAN = float("nan")
TWO = {"A": [1, 1, 0], "B": [1, 0, 1], "n": [20, 40, 30]}
THREE = {"A": [1, 0, 0, 1], "B": [0, 1, 0, 1], "C": [0, 0, 1, 0], "n": [40, 30, 20, 6]}

TABLES: dict[str, tuple[dict[str, list[Any]], str]] = {
    "one list": (
        {"A": [1, 1], "n": [3, 4]},
        "one list cannot show how many are on none; found 'A', expected at least two lists; "
        "repeated captures on one list: use counts",
    ),
    "no overlap": (
        {"A": [1, 0], "B": [0, 1], "n": [30, 40]},
        "no case is on two lists, so the lists set no upper bound; found '70 cases, each on one list', "
        "expected some overlap; if the lists are independent the population is at least 896 at 95%",
    ),
    "twenty lists": (
        {**{f"L{j}": [1, 0] for j in range(20)}, "n": [1, 2]},
        "too many lists; found 20, expected at most 12; "
        "join lists of like bodies into one, or name the most telling ones in lists=",
    ),
    "negative": (
        {**TWO, "n": [20, -4, 30]},
        "row 3, column n: count is negative; found -4, expected a whole number, 0 or more",
    ),
    "not a number": (
        {**TWO, "n": [20, NAN, 30]},
        "row 3, column n: count is missing; found nan, expected a whole number, 0 or more",
    ),
    "null": (
        {**TWO, "n": [20, None, 30]},
        "row 3, column n: count is missing; found 'nothing', expected a whole number, 0 or more",
    ),
    "broken count": (
        {**TWO, "n": [20, 4.5, 30]},
        "row 3, column n: count is no whole number; found 4.5, expected a whole number, 0 or more",
    ),
    "counts as text": (
        {**TWO, "n": ["20", "40", "30"]},
        "row 2, column n: counts are text; found '20', expected whole numbers",
    ),
    "list as text": (
        {**TWO, "B": ["yes", "no", "yes"]},
        "row 2, column B: list holds text; found 'yes', expected 0 or 1",
    ),
    "neither 0 nor 1": (
        {**TWO, "A": [1, 2, 0]},
        "row 3, column A: list holds something else than 0 and 1; found 2, expected 0 or 1; "
        "name a column of counts in count=",
    ),
    "null in a list": (
        {**TWO, "A": [1, None, 0]},
        "row 3, column A: list holds something else than 0 and 1; found 'nothing', expected 0 or 1; "
        "name a column of counts in count=",
    ),
    "the unseen counted": (
        {"A": [1, 1, 0, 0], "B": [1, 0, 1, 0], "n": [20, 40, 30, 5]},
        "row 5: a case on no list cannot have been counted; found '0 on every list, n 5', "
        "expected a 1 on some list; remove the row; it is what is to be estimated",
    ),
    "no rows": ({"A": [], "B": [], "n": []}, "table is empty; found '0 rows, 3 columns', expected some rows"),
    "no cases": ({**TWO, "n": [0, 0, 0]}, "no cases: every count is zero; expected some cases"),
    "empty list": (
        {**TWO, "C": [0, 0, 0]},
        "column C: list has no cases; leave it out of lists=",
    ),
    "a list twice": (
        {"A": [1, 1, 0], "B": [1, 1, 0], "C": [1, 0, 1], "n": [20, 40, 30]},
        "lists A and B hold the same cases; found '60 on both, none on one alone'; "
        "a copy is no second source: leave one out of lists=",
    ),
    "persons": (
        {**TWO, "passport_no": [1, 2, 3]},
        "column passport_no: column holds data about individual persons; expected aggregates only; remove it; "
        "`zhol estimate tabulate` turns records into protected counts inside their owner's house",
    ),
}

ASKED: dict[str, tuple[dict[str, Any], str]] = {
    "count": ({"count": "m"}, "table has no column 'm'; found 'A, B, C, n', expected m"),
    "list": ({"lists": ["A", "X"]}, "table has no column 'X'; found 'A, B, C, n', expected A, X"),
    "twice": ({"lists": ["A", "A"]}, "list named twice; found 'A', expected each list once"),
    "count as list": (
        {"lists": ["A", "n"]},
        "the column of counts is named as a list; found 'n'; leave it out of lists=",
    ),
    "interval": ({"interval": "exact"}, "no such interval; found 'exact', expected wald, profile, bca"),
    "level": ({"level": 95}, "level is no share; found 95, expected between 0 and 1, as 0.95"),
    "replicates": (
        {"replicates": 5},
        "too few bootstrap replicates; found 5, expected a whole number, 20 or more",
    ),
    "seed": ({"seed": -1}, "seed is no whole number; found -1, expected 0 or more"),
    "threshold": ({"threshold": 2}, "threshold is no p-value; found 2, expected between 0 and 1, as 0.02"),
    "not identified": (
        {"model": "all"},
        "the model is not identified on these counts; found '~ A + B + C + A:B + A:C + B:C', "
        "expected three lists that overlap two by two; use a smaller model, as stepwise does",
    ),
    "no maximum": (
        {"model": "A*B + C"},
        "the counts set no upper bound under this model: its maximum-likelihood estimate does not exist; "
        "found '~ A + B + C + A:B', expected overlaps that the model needs; "
        "at 95% the population is at least 1,137; use a smaller model, as stepwise does",
    ),
    "largest effect": (
        {"model": "A*B*C"},
        "the model is not identified on these counts; found '~ A + B + C + A:B + A:C + B:C + A:B:C', "
        "expected fewer effects; use a smaller model, as stepwise does",
    ),
    "few lists": (
        {"model": "latent_class", "lists": ["A", "B"]},
        "model latent_class needs more lists; found 2, expected at least 3",
    ),
    "left out": (
        {"model": "~ A + B"},
        "formula leaves out list C; found '~ A + B'; add it to the formula, or leave it out of lists=",
    ),
    "unknown name": (
        {"model": "A + B + D"},
        "formula names something that is no list; found 'D', expected A, B, C",
    ),
    "cut short": ({"model": "A + B +"}, "formula ends too early; found 'A + B +', expected a list name"),
    "bracket": ({"model": "(A + B + C"}, "formula ends too early; found '(A + B + C', expected a list name"),
    "power": (
        {"model": "(A + B + C)^x"},
        "formula has a power that is no whole number; found 'x', expected as in (A + B)^2",
    ),
    "no intercept": (
        {"model": "0 + A + B + C"},
        "a model of lists needs its intercept; found '0 + A + B + C'; leave out 0",
    ),
    "two in a row": (
        {"model": "A B + C"},
        "formula cannot be read; found 'A B + C', expected list names joined by + * : ^ ( )",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_table_is_refused_in_one_line(name: str) -> None:
    table, line = TABLES[name]
    with pytest.raises(ZholError) as caught:
        zhol.estimate.lists(table, [c for c in table if c not in ("n", "passport_no")], "n")
    assert str(caught.value) == line


@pytest.mark.parametrize("name", ASKED)
def test_question_is_refused_in_one_line(name: str) -> None:
    asked, line = ASKED[name]
    with pytest.raises(ZholError) as caught:
        zhol.estimate.lists(pl.DataFrame(THREE), **{"count": "n", **asked})
    assert str(caught.value) == line


def test_unknown_model_is_told_the_names() -> None:
    with pytest.raises(ZholError, match=r"no such model; found 'log', expected main, stepwise, all, best_bic"):
        zhol.estimate.lists(THREE, count="n", model="log")


def test_person_on_no_list() -> None:
    with pytest.raises(ZholError) as caught:
        zhol.estimate.lists({"A": [1, 0, 1], "B": [1, 0, 0]})
    assert str(caught.value) == (
        "row 3: a case on no list cannot have been counted; found '0 on every list', expected a 1 on some list; "
        "remove the row; it is what is to be estimated"
    )


def test_count_column_that_was_not_named() -> None:
    with pytest.raises(ZholError, match=r"row 2, column n: list holds something else .* name a column of counts"):
        zhol.estimate.lists(TWO)
