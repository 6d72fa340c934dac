"""Bad input to ``counts``: one exact line, or a flagged estimate; never another error."""

import numpy as np
import polars as pl
import pytest

from zhol import ZholError
from zhol.estimate import average_counts, compare_counts, counts

GOOD = {"n": [1, 1, 2, 3, 1, 2, 1, 1], "g": ["a", "b"] * 4, "x": [1.0, 2, 3, 4, 5, 6, 7, 8]}
NAMES = (
    "ztpoisson ztgeom ztnegbin zotpoisson zotgeom zotnegbin oiztpoisson oiztgeom oiztnegbin ztoipoisson ztoigeom "
    "ztoinegbin ztHurdlepoisson ztHurdlegeom ztHurdlenegbin Hurdleztpoisson Hurdleztgeom Hurdleztnegbin chao oichao "
    "zelterman"
)
WHOLE = "a whole number of captures, 1 or more"


def with_captures(*values):
    return {"n": list(values)}


CASES = [
    ("n ~ 1", with_captures(1, -2), {}, f"row 3, column n: negative number of captures; found -2, expected {WHOLE}"),
    (
        "n ~ 1",
        with_captures(1, 0),
        {},
        f"row 3, column n: a unit with no capture; found 0, expected {WHOLE}; "
        "who was never captured is not in a list: drop the row",
    ),
    (
        "n ~ 1",
        with_captures(1.5, 2),
        {},
        f"row 2, column n: captures that are not a whole number; found 1.5, expected {WHOLE}",
    ),
    (
        "n ~ 1",
        with_captures(1.0, float("nan")),
        {},
        f"row 3, column n: missing value; expected {WHOLE}; drop the row or fill it in",
    ),
    (
        "n ~ 1",
        with_captures(1, None),
        {},
        f"row 3, column n: missing value; expected {WHOLE}; drop the row or fill it in",
    ),
    ("n ~ 1", with_captures(1.0, float("inf")), {}, f"row 3, column n: infinite value; found inf, expected {WHOLE}"),
    ("n ~ 1", with_captures("1", "two"), {}, f"row 3, column n: not a number; found 'two', expected {WHOLE}"),
    ("n ~ 1", with_captures(True, True), {}, f"column n: not numbers; found 'Boolean', expected {WHOLE}"),
    ("n ~ 1", pl.DataFrame({"n": []}), {}, "data is empty; found '0 rows, 1 columns', expected some rows"),
    ("n ~ 1", 5, {}, "data is not a table; found 'int', expected a pandas, polars or Arrow table or a file"),
    ("n ~ 1", GOOD, {"model": "poisson"}, f"unknown model; found 'poisson'; models: {NAMES}"),
    ("n", GOOD, {}, "not a formula; found 'n', expected text such as \"capture ~ gender + age\""),
    ("n ~", GOOD, {}, "a side of the formula is empty; found 'n ~', expected text such as \"capture ~ 1\""),
    ("m ~ 1", GOOD, {}, "the formula names 'm', which the data lacks; found 'n, g, x'"),
    ("n ~ age", GOOD, {}, "the formula names 'age', which the data lacks; found 'n, g, x'"),
    ("n ~ n", GOOD, {}, "column n: the captures cannot explain themselves; found 'n ~ n'"),
    (
        "n ~ x",
        {**GOOD, "x": [1.0, None, 3, 4, 5, 6, 7, 8]},
        {},
        "row 3, column x: missing value; drop the row or fill it in",
    ),
    (
        "n ~ g",
        {**GOOD, "g": ["a", None, "a", "b", "a", "b", "a", "b"]},
        {},
        "row 3, column g: missing value; drop the row or fill it in",
    ),
    (
        "n ~ 1",
        {**GOOD, "w": [1, -2, 1, 1, 1, 1, 1, 1]},
        {"weights": "w"},
        "row 3, column w: negative weight; found -2, expected how many units the row stands for, 0 or more",
    ),
    ("n ~ 1", GOOD, {"weights": "w"}, "weights: data has no column 'w'; found 'n, g, x'"),
    ("n ~ 1", GOOD, {"weights": [1, 2]}, "weights: wrong length; found 2, expected 8, one a row"),
    ("n ~ 1", GOOD, {"weights": [0] * 8}, "column weights: all weights are zero; expected at least one unit"),
    (
        "n ~ 1",
        GOOD,
        {"offset": {"omega": "x"}},
        "offset of a parameter that the model lacks; found 'omega', expected lambda",
    ),
    ("n ~ 1", GOOD, {"formulas": {"omega": "~ g"}}, "ztpoisson takes no formula for 'omega'; expected none"),
    (
        "n ~ 1",
        GOOD,
        {"formulas": {"lambda": "~ g"}, "model": "oiztpoisson"},
        "oiztpoisson takes no formula for 'lambda'; expected omega; the formula of lambda is the first argument",
    ),
    ("n ~ 1", GOOD, {"links": {"lambda": "logit"}}, "unknown link of lambda; found 'logit', expected log or neglog"),
    (
        "n ~ 1",
        GOOD,
        {"interval": "bayes"},
        "unknown interval; found 'bayes', expected analytic or parametric or semiparametric or nonparametric",
    ),
    ("n ~ 1", GOOD, {"level": 95}, "level is not between 0 and 1; found 95, expected for example 0.95"),
    ("n ~ 1", GOOD, {"replicates": 0}, "replicates is not a whole number of 2 or more; found 0"),
    ("n ~ 1", GOOD, {"seed": 1.5}, "seed is not a whole number of 0 or more; found 1.5"),
    ("n ~ 1", GOOD, {"strata": "~ city"}, "strata: data has no column 'city'; found 'n, g, x'"),
    ("n ~ 1", GOOD, {"strata": {"a": [1, 2]}}, "stratum 'a' is not true or false for each row; expected 8 booleans"),
    (
        "n ~ 1",
        with_captures(1, 1, 1),
        {"model": "zotpoisson"},
        "no unit was captured 2 or more times; zotpoisson uses only these counts",
    ),
    (
        "n ~ 1",
        with_captures(4, 5),
        {"model": "chao"},
        "no unit was captured 1 or 2 times; chao uses only these counts",
    ),
    (
        "n ~ 1",
        with_captures(1, 1, 1),
        {"model": "oiztgeom"},
        "every unit was captured once: oiztgeom cannot be told from rarity; "
        "use ztpoisson or chao, which give a lower bound here",
    ),
]


@pytest.mark.parametrize(("formula", "data", "options", "line"), CASES, ids=[c[3][:40] for c in CASES])
def test_one_line(formula, data, options, line):
    with pytest.raises(ZholError) as caught:
        counts(formula, data, **options)
    assert str(caught.value) == line


def test_formula_that_cannot_be_read_is_one_line():
    for formula in ("n ~ g + * x", "n ~ log(z", "n ~ missing_function(x)"):
        with pytest.raises(ZholError) as caught:
            counts(formula, GOOD)
        assert "\n" not in str(caught.value) and "formula" in str(caught.value)


def test_text_that_is_clean_numbers_is_read():
    assert (
        counts("n ~ 1", with_captures("1", " 2", "1")).population == counts("n ~ 1", with_captures(1, 2, 1)).population
    )


@pytest.mark.parametrize("model", ["ztpoisson", "ztgeom", "chao", "zelterman"])
def test_all_ones_give_a_lower_bound(model):
    est = counts("n ~ 1", with_captures(*[1] * 100), model=model)
    assert est.high == np.inf and 100 < est.low < est.population < 1e6
    assert any("only a lower bound" in w for w in est.warnings)


def test_collinear_column_is_named_and_left_out():
    doubled = {**GOOD, "y": [2 * v for v in GOOD["x"]]}
    est = counts("n ~ x + y", doubled)
    assert est.warnings[0] == "y says nothing that other terms do not say: left out (collinear)"
    assert est.population == pytest.approx(counts("n ~ x", doubled).population, rel=1e-10)


def test_separated_level_is_penalised_and_said():
    data = {"n": [1, 2, 1, 3, 1, 1], "g": ["a", "a", "a", "a", "b", "b"], "w": [50, 20, 10, 5, 30, 10]}
    est = counts("n ~ g", data, weights="w")  # nobody of b was seen twice
    assert est.details["ending"] == "penalised" and 125 < est.population < 1e5 and est.low > 125
    assert "no interior maximum" in est.warnings[0]


def test_comparisons_refuse_what_cannot_be_compared():
    first = counts("n ~ 1", GOOD)
    with pytest.raises(ZholError, match=r"^a comparison needs two estimates or more; found 1$"):
        compare_counts(first)
    with pytest.raises(ZholError, match=r"^these estimates are of different data; compare models of one list$"):
        compare_counts(first, counts("n ~ 1", with_captures(1, 1, 2)))
    with pytest.raises(ZholError, match="likelihoods of different counts and cannot be weighted against each other"):
        average_counts(first, counts("n ~ 1", GOOD, model="zotgeom"))
    with pytest.raises(ZholError, match=r"^unknown criterion; found 'dic', expected aic or bic$"):
        average_counts(first, counts("n ~ 1", GOOD, model="ztgeom"), criterion="dic")
    with pytest.raises(ZholError, match=r"^unknown kind of residual; found 'working', expected raw or pearson$"):
        first.residuals("working")
