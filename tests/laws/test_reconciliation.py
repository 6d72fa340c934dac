"""Laws of the reconciliation, and its posterior against plain importance sampling written from the description."""

import numpy as np
import polars as pl
import pytest

from zhol.core.errors import ZholError
from zhol.estimate import reconcile
from zhol.estimate.measurement import observe, relation, scales


def figures(values, *, grades=None, concepts=None, sources=None, years=None, lows=None, highs=None):
    n = len(values)
    years = years or [2010] * n
    return pl.DataFrame(
        {
            "figure_id": [f"f{i}" for i in range(n)],
            "quantity": ["q"] * n,
            "concept": concepts or ["irregular_stock"] * n,
            "date_start": [f"{y}-01-01" for y in years],
            "date_end": [f"{y}-12-31" for y in years],
            "value": values,
            "low": lows or [None] * n,
            "high": highs or [None] * n,
            "unit": ["persons"] * n,
            "grade": grades or ["C"] * n,
            "source_id": sources or [f"s{i}" for i in range(n)],
            "definition": ["d"] * n,
        },
        schema_overrides={"value": pl.Float64, "low": pl.Float64, "high": pl.Float64},
    )


def run(frame, **options):
    return reconcile(frame, "q", **{"draws": 400, "chains": 1, "sensitivity": False, **options})


def importance_sampling(frame, relations, draws=400_000):
    """Posterior quantiles of one year's stock by weighting draws from the prior: no NumPyro, no JAX."""
    rng = np.random.default_rng(3)
    prior = scales()
    y = np.log(frame["value"].to_numpy())
    level = np.median(y) + prior["level"] * rng.standard_normal(draws)
    grades = sorted(prior["grades"])
    sd = {g: np.exp(prior["scale_sd"] * rng.standard_normal((draws, 2))) for g in grades}
    weight = np.zeros(draws)
    concepts = list(dict.fromkeys(frame["concept"]))
    shift = {}
    for c in concepts:
        r = relations[c]
        z = rng.standard_normal(draws)
        shift[c] = r.scale * (z if r.sign == 0 else r.sign * np.abs(z))
    nu = prior["tails"]
    for value, g, c in zip(y, frame["grade"], frame["concept"], strict=True):
        bias = prior["grades"][g]["bias"] * sd[g][:, 0] * rng.standard_t(nu, draws)
        error = prior["grades"][g]["error"] * sd[g][:, 1]
        z = (value - level - shift[c] - bias) / error
        weight += -(nu + 1) / 2 * np.log1p(z**2 / nu) - np.log(error)
    weight = np.exp(weight - weight.max())
    order = np.argsort(level)
    cumulative = np.cumsum(weight[order]) / weight.sum()
    return [float(level[order][np.searchsorted(cumulative, p)]) for p in (0.025, 0.5, 0.975)]


def test_posterior_agrees_with_importance_sampling():
    frame = figures([200_000.0, 300_000.0, 900_000.0], grades=["B", "C", "D"], concepts=["i", "i", "w"])
    relations = {"i": relation("same"), "w": relation("superset")}
    post = run(frame, relations={"i": "same", "w": "superset"}, draws=3000)
    expected = importance_sampling(frame, relations)
    ours = np.log([post.low, post.population, post.high])
    # Both are Monte Carlo: about 0.02 in the middle and 0.1 in the tails on the log scale.
    assert ours[1] == pytest.approx(expected[1], abs=0.05)
    assert ours[[0, 2]] == pytest.approx([expected[0], expected[2]], abs=0.2)


def test_definitions_pull_in_their_direction_and_scale_carries_through():
    frame = figures([400_000.0, 500_000.0], concepts=["a", "b"])
    above = run(frame, relations={"a": "superset", "b": "superset"})
    below = run(frame.with_columns(pl.col("value") * 10), relations={"a": "subset", "b": "subset"})
    assert above.population < 400_000 < 5_000_000 < below.population


def test_good_grades_pull_more_and_the_odd_source_is_named():
    mixed = run(figures([200_000.0, 2_000_000.0], grades=["A", "D"]))
    assert abs(np.log(mixed.population / 200_000)) < abs(np.log(mixed.population / 2_000_000))
    off = dict(zip(mixed.figures["figure_id"], mixed.figures["off"], strict=True))
    assert off["f1"] > 2 > off["f0"]
    assert mixed.sources.row(by_predicate=pl.col("source") == "s1", named=True)["probability_too_high"] > 0.8


def test_ranges_and_bounds_are_read_as_such():
    data = observe(
        figures([None, None, None, 5.0], lows=[100.0, 100.0, None, None], highs=[400.0, None, 400.0, None]),
        {"": ("all",)},
    )
    assert data.log_value[:3] == pytest.approx(np.log([200.0, 100.0, 400.0]))
    assert data.range_sd[0] == pytest.approx(np.log(4) / (2 * 1.96))
    assert data.bound.tolist() == [0, 1, -1, 0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"value": [-5.0, 1.0]},
            "column value: figure f0 is not a positive number; found -5.0",
        ),
        ({"grade": ["Z", "C"]}, "row 2, column grade: unknown grade; found 'Z', expected A | B | C | D"),
    ],
)
def test_bad_figures_are_one_line(change, message):
    frame = figures([300_000.0, 400_000.0]).with_columns(**{k: pl.Series(v) for k, v in change.items()})
    with pytest.raises(ZholError) as caught:
        run(frame)
    assert str(caught.value) == message


def test_unknown_quantity_relation_and_year_are_one_line():
    frame = figures([300_000.0, 400_000.0])
    with pytest.raises(ZholError, match="unknown quantity; found 'x', expected q"):
        reconcile(frame, "x")
    with pytest.raises(ZholError, match="unknown relation of a definition; found 'cousin'"):
        run(frame, relations={"irregular_stock": "cousin"})
    with pytest.raises(ZholError, match="no figure near the year asked for; found 1990, expected 2010 to 2010"):
        run(frame, year=1990)
