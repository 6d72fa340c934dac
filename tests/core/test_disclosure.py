"""Small cells: nothing below ten is shown, and nothing below ten can be worked out."""

import itertools

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from zhol.core.disclosure import personal_columns, protect, rate
from zhol.core.errors import ZholError
from zhol.core.small_cells import Table, intervals, margins, round_controlled, suppress

LEAST = 10
SHAPES = [(2,), (5,), (2, 2), (3, 4), (2, 6), (2, 2, 2), (3, 2, 3)]


def skewed(seed, shape, size):
    """Many small cells, some none, a few large."""
    rng = np.random.default_rng(seed)
    return rng.poisson(rng.gamma(0.7, size / 0.7, shape))


def long(cells):
    by = [f"d{i}" for i in range(cells.ndim)]
    rows = [(*map(str, at), int(cells[at])) for at in np.ndindex(*cells.shape)]
    return pl.DataFrame(rows, schema=[*by, "n"], orient="row"), by


def outsider(shown, by, count="n", total="all"):
    """What can be worked out, written apart from the code under test: ends of every blank row by linear programming.

    Fractions are allowed to the outsider's tables, so the ends are at least as wide as the true ones for three-way
    tables and exact for one- and two-way ones, whose constraints are totally unimodular.
    """
    levels = [sorted(set(shown[c]) - {total}) for c in by]
    keys = list(itertools.product(*levels))
    equal, right, blank = [], [], []
    for row in shown.iter_rows(named=True):
        member = [float(all(row[c] in (total, k) for c, k in zip(by, key, strict=True))) for key in keys]
        if row[count] is None:
            blank.append(member)
        else:
            equal.append(member)
            right.append(row[count])
    ends = []
    for member in blank:
        low, high = (
            linprog(np.array(member) * sign, A_eq=equal or None, b_eq=right or None, bounds=(0, None))
            for sign in (1, -1)
        )
        ends.append((low.fun, np.inf if high.status == 3 else -high.fun))
    return ends


@given(st.integers(0, 10**6), st.sampled_from(SHAPES), st.sampled_from([3, 10, 25, 70]))
@settings(max_examples=30)
def test_no_small_count_can_be_recovered(seed, shape, size):
    table, by = long(skewed(seed, shape, size))
    shown = protect(table, by)
    assert shown["n"].drop_nulls().min() is None or shown["n"].drop_nulls().min() >= LEAST
    truth = margins(table, by, "n")[1]
    small = truth.values < LEAST
    blank = shown["n"].is_null().to_numpy()
    assert (blank | ~small).all()
    at = np.flatnonzero(blank)
    for row, (low, high) in zip(at, outsider(shown, by), strict=True):
        assert low - 1e-6 <= truth.values[row] <= high + 1e-6
        if small[row] and len(shape) < 3:
            assert high - low >= LEAST - 1e-6
    exact = intervals(truth.rows, np.where(blank, np.nan, truth.values.astype(float)), np.flatnonzero(small))
    assert ((exact[:, 1] - exact[:, 0]) >= LEAST).all()


@given(st.integers(0, 10**6), st.sampled_from([(2,), (3,), (2, 2)]), st.sampled_from([3, 6, 10]))
@settings(max_examples=25)
def test_audit_agrees_with_trying_every_table(seed, shape, size):
    table, by = long(skewed(seed, shape, size))
    truth = margins(table, by, "n")[1]
    blank = suppress(truth)
    published = np.where(blank, np.nan, truth.values.astype(float))
    if blank.all():
        return
    top = int(truth.values.max()) + 1
    fits = [
        truth.rows @ np.array(cells)
        for cells in itertools.product(range(min(top, 45)), repeat=len(truth.inner))
        if len(truth.inner) < 4 or sum(cells) <= top
    ]
    fits = np.array([f for f in fits if (f[~blank] == truth.values[~blank]).all()])
    ends = intervals(truth.rows, published)
    for (low, high), row in zip(ends, np.flatnonzero(blank), strict=True):
        if np.isfinite(high) and high < 44:
            assert (low, high) == (fits[:, row].min(), fits[:, row].max())


@given(st.integers(0, 10**6), st.sampled_from(SHAPES), st.sampled_from([5, 20]), st.sampled_from([5, 10]))
@settings(max_examples=40)
def test_rounding_adds_up_and_stays_near(seed, shape, size, base):
    table, by = long(skewed(seed, shape, size))
    truth = margins(table, by, "n")[1]
    rounded = round_controlled(truth, base)
    assert (rounded % base == 0).all()
    assert (rounded == truth.rows @ rounded[: len(truth.inner)]).all()
    assert np.abs(rounded - truth.values).max() < base * (1 if len(shape) < 3 else 2)
    assert (rounded == round_controlled(truth, base)).all()


@given(st.integers(0, 10**6), st.sampled_from([(4,), (3, 3)]))
@settings(max_examples=15)
def test_rounded_tables_leave_every_cell_open(seed, shape):
    """An outsider who knows that every figure is less than ten from the truth."""
    table, by = long(skewed(seed, shape, 15))
    truth = margins(table, by, "n")[1]
    rounded = round_controlled(truth, 10)
    for row in np.flatnonzero(truth.values < LEAST):
        member = truth.rows[row].astype(float)
        upper = np.concatenate([truth.rows, -truth.rows])
        limit = np.concatenate([rounded + 9, -(rounded - 9)])
        low, high = (linprog(s * member, A_ub=upper, b_ub=limit, bounds=(0, None)) for s in (1, -1))
        assert -high.fun - low.fun >= 9 - 1e-6


def test_a_blank_alone_in_its_line_gets_company():
    shown = protect({"port": ["A", "B", "C"], "n": [4, 60, 25]}, ["port"])
    assert shown.rows() == [("A", None), ("B", 60), ("C", None), ("all", 89)]


def test_nobody_is_a_small_count_too():
    shown = protect({"port": ["A", "B"], "n": [0, 60]}, ["port"])
    assert shown["n"].to_list() == [None, None, 60]


def test_a_table_of_few_persons_shows_nothing():
    shown = protect({"port": ["A", "B"], "n": [3, 4]}, ["port"])
    assert shown["n"].null_count() == 3


def test_a_table_without_small_counts_shows_all():
    shown = protect({"port": ["A", "B"], "n": [30, 40]}, ["port"])
    assert shown["n"].to_list() == [30, 40, 70]
    assert protect({"port": ["A", "B"], "n": [33, 41]}, ["port"], method="round")["n"].to_list() == [30, 40, 70]


def test_a_category_called_like_the_total_is_kept_apart():
    shown = protect({"port": ["all", "B"], "n": [30, 40]}, ["port"])
    assert shown["port"].to_list() == ["B", "all", "(all)"]


def test_intervals_of_an_unbounded_cell():
    rows = np.array([[1, 0], [0, 1], [1, 1]])
    assert intervals(rows, np.array([np.nan, 5.0, np.nan])).tolist() == [[0, np.inf], [5, np.inf]]
    assert Table(rows, np.array([3, 5])).values.tolist() == [3, 5, 8]


def test_rates():
    assert rate(50, 200) == 0.25
    assert [rate(9, 200), rate(195, 200), rate(50, 99)] == [None, None, None]


@pytest.mark.parametrize(
    ("data", "by", "options", "message"),
    [
        (
            {"g": ["a"], "n": [-1]},
            ["g"],
            {},
            "row 2, column n: not a count; found -1, expected a whole number, 0 or more",
        ),
        (
            {"g": ["a"], "n": [1.5]},
            ["g"],
            {},
            "row 2, column n: not a count; found 1.5, expected a whole number, 0 or more",
        ),
        (
            {"g": ["a"], "n": ["x"]},
            ["g"],
            {},
            "column n: not numbers; found 'String', expected whole numbers, 0 or more",
        ),
        ({"g": ["a"], "n": [1]}, ["h"], {}, "data has no column 'h'; found 'g, n', expected h, n"),
        ({"g": ["a"], "n": [1]}, [], {}, "a protected table has one to four kinds of categories; found 0"),
        (
            {"g": ["a"], "n": [1]},
            ["g"],
            {"method": "noise"},
            "unknown way to protect cells; found 'noise', expected suppress, round",
        ),
    ],
)
def test_messages(data, by, options, message):
    with pytest.raises(ZholError) as error:
        protect(data, by, **options)
    assert str(error.value) == message


def test_personal_columns_are_known():
    assert personal_columns(["Passport No", "origin", "телефон", "persons", "case_number"]) == [
        "Passport No",
        "телефон",
        "case_number",
    ]
