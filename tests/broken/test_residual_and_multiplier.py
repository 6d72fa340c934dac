"""``residual`` and ``multiplier``: bad input is one clear line."""

import pytest

from zhol.core.errors import ZholError
from zhol.estimate.multiplier_method import multiplier
from zhol.estimate.residual_method import residual

RESIDUAL = [
    (
        (1000, 2000),
        {},
        "more legal residents than people counted; found '2,000 legal, 1,000 present'; "
        "emigration too low, undercount too low, or counts of different groups",
    ),
    ((-5, 1), {}, "census is out of range; found -5.0, expected 0 or more"),
    ((float("nan"), 1), {}, "census is missing or infinite; found nan, expected a finite number"),
    ((1000, "many"), {}, "legal is not a number; found 'many', expected 0.02, or 0.02, 0.01, 0.04"),
    (((1000, 1100, 1200), 1), {}, "census: interval does not contain the value; found (1100.0, 1000.0, 1200.0)"),
    ((1000, 600), {"emigration": 1.2}, "emigration is out of range; found 1.2, expected a share from 0 to 1"),
    ((1000, 600), {"mortality": -0.1}, "mortality is out of range; found -0.1, expected a share from 0 to 1"),
    (
        (1000, 600),
        {"undercount": {"illegal": 0.1}},
        "undercount: unknown entry; found 'illegal', expected legal, irregular",
    ),
    ((1000, {}), {}, "legal has no arrivals; expected a number for every year of arrival"),
    ((1000, {2020: 10, "x": 4}), {}, "not a year of arrival; found 'x', expected a year such as 2015"),
    (
        (1000, {2020: 10}),
        {"year": 2010},
        "legal residents arrive after the count; found 2020, expected 2010 or earlier",
    ),
    (
        (1000, [{"year": 2019, "arrivals": 1}, {"year": 2019, "arrivals": 2}]),
        {},
        "column year: legal has a year twice; found 2019, expected one row a year of arrival",
    ),
    (
        (1000, {2019: 5}),
        {"emigration": {2: 0.1}},
        "emigration by years of stay must start at 0; found [2], expected a rate from arrival on",
    ),
    ((1000, 600), {"draws": 10}, "too few draws; found 10, expected 1,000 or more"),
    ((1000, 600), {"level": 95}, "level is not a coverage; found 95, expected a number between 0 and 1, such as 0.95"),
    ((1000, 600), {"correlation": 2}, "correlation is out of range; found 2, expected a number from 0 to 1"),
    ((1000, 600), {"years": 1.5}, "years is not a whole number of years; found 1.5, expected 0, 1, 2, …"),
]
MULTIPLIER = [
    (
        (1000, 0),
        {},
        "multiplier of benchmark 1 is zero; found 0.0, expected a share above 0, up to 1, or a factor above 1",
    ),
    ((1000, -0.2), {}, "multiplier of benchmark 1 is out of range; found -0.2, expected 0 or more"),
    (
        (1000, 1.5),
        {"kind": "proportion"},
        "multiplier of benchmark 1 is out of range; found 1.5, expected a share from 0 to 1",
    ),
    ((0, 0.2), {}, "benchmark of benchmark 1 is zero; found 0.0, expected somebody counted"),
    ((float("nan"), 0.2), {}, "benchmark of benchmark 1 is missing or infinite; found nan, expected a finite number"),
    ((1000,), {}, "no multiplier given; expected a share, a factor, a survey, or a table with both"),
    (([1, 2], [0.1]), {}, "benchmarks and multipliers do not match; found '2 and 1'"),
    (([], []), {}, "no benchmark given; expected one or more counts"),
    (
        (10, {"yes": 0, "of": 10}),
        {},
        "nobody in the survey of benchmark 1 was in the count; found '0 of 10', expected some",
    ),
    ((10, {"yes": 20, "of": 10}), {}, "survey of benchmark 1 cannot be; found '20 of 10', expected 0 <= yes <= of"),
    ((10, {"yes": 2}), {}, "survey of benchmark 1 cannot be read; found 'yes', expected yes, of, design_effect"),
    (
        (10, {"yes": 2, "of": 9, "design_effect": 0.5}),
        {},
        "design effect of benchmark 1 is below 1; found 0.5, expected 1 or more",
    ),
    ((10, 0.1), {"combine": "mean"}, "unknown way to combine; found 'mean', expected random, fixed, median"),
    ((10, 0.1), {"kind": "share"}, "unknown kind of multiplier; found 'share', expected auto, proportion, factor"),
    (
        ([{"benchmark": 5}],),
        {},
        "table of benchmarks lacks a column; found 'benchmark', expected benchmark, and proportion or yes, of",
    ),
    (([1, 2], [0.1, 0.2]), {"labels": ["a"]}, "labels do not match; found 1, expected 2, one a benchmark"),
]


@pytest.mark.parametrize(("inputs", "options", "message"), RESIDUAL)
def test_residual(inputs, options, message):
    with pytest.raises(ZholError) as error:
        residual(*inputs, **options)
    assert str(error.value) == message


@pytest.mark.parametrize(("inputs", "options", "message"), MULTIPLIER)
def test_multiplier(inputs, options, message):
    with pytest.raises(ZholError) as error:
        multiplier(*inputs, **options)
    assert str(error.value) == message
