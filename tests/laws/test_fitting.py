"""What a fit weighs: errors that go on in a cell, expected ratios; and parameters found again from made-up figures."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from random_packs import rows_of, whole, written
from system_runs import quick_compilation

import zhol
from zhol.core.draws import generator
from zhol.system.calibration import fit_problem
from zhol.system.expectations import expectation_table, expected_of, log_ratios
from zhol.system.likelihood import build_problem, error_model, innovations, log_predictions, objective, split_vector
from zhol.system.model import Model
from zhol.system.names import IRREGULAR, STATUSES

GROWTH = {2010: 1.0, 2011: 1.04, 2012: 1.09, 2013: 1.11}


@pytest.fixture(scope="module")
def system():
    """The pack in which everything happens, with four figures a cell."""
    rows = rows_of(whole())
    first = [row for row in rows["stocks"] if row["year"] == 2010]
    rows["stocks"] = [
        {**row, "year": year, "persons": round(row["persons"] * by)} for year, by in GROWTH.items() for row in first
    ]
    with written(rows) as folder:
        return Model(zhol.load(folder))


@pytest.fixture(scope="module")
def problem(system):
    return build_problem(system, start="2009-01")


@pytest.fixture(scope="module", autouse=True)
def doubles():
    import jax

    with jax.enable_x64(True), quick_compilation():
        yield


def some(problem, seed=1, size=0.3):
    return size * generator(seed, "some").standard_normal(problem.size)


def test_new_errors_are_what_is_left_of_level_and_growth(problem):
    v = some(problem)
    e, table = problem.errors, problem.obs.table
    bias, trend = (np.asarray(a) for a in split_vector(problem, v))
    mean = np.asarray(log_predictions(problem, v)) + bias[e["bias"]] * e["bias_sd"] - trend[e["trend"]] * e["trend_sd"]
    residual = np.log(table["value"].to_numpy()) - mean
    _, kept, goes_on = (np.asarray(a) for a in error_model(problem, v))
    step = [residual[i] - (kept[i] * residual[j] if j >= 0 else 0.0) for i, j in enumerate(e["before"])]
    wanted = [
        step[i] - (goes_on[i] * step[j] if j >= 0 and e["before"][j] >= 0 else 0.0) for i, j in enumerate(e["before"])
    ]
    found, scale = (np.asarray(a) for a in innovations(problem, v))
    assert (e["before"] >= 0).any() and (goes_on > 0).any()  # the pack has cells with three figures
    np.testing.assert_allclose(found[: len(wanted)], wanted, rtol=1e-8, atol=1e-10)
    assert (scale > 0).all()


def test_growth_goes_on_at_most_wholly_and_in_step_with_time(problem):
    for v in (some(problem, seed, 3.0) for seed in range(5)):
        _, kept, goes_on = (np.asarray(a) for a in error_model(problem, v))
        assert ((kept >= 0) & (kept <= 1)).all()
        assert ((goes_on >= 0) & (goes_on <= np.maximum(problem.errors["stride"], 1e-12) + 1e-12)).all()


def test_ratios_are_those_of_the_stocks(system):
    people = generator(3, "people").uniform(0.0, 5_000.0, (len(system.corridors), len(STATUSES)))
    names, median, width = expected_of(system)
    found = dict(zip(names, np.asarray(log_ratios(system, people, np)), strict=True))
    row = expectation_table()["irregular_share"]
    for place in {d for _, d in system.corridors}:
        here = [i for i, (_, d) in enumerate(system.corridors) if d == place]
        irregular = sum(people[i, STATUSES.index(s)] for i in here for s in IRREGULAR)
        beside = sum(people[i, s] for i in here for s in row.beside)
        wanted = np.log((irregular + 10 * row.median) / (beside + 10))
        assert found[f"irregular_share {place}"] == pytest.approx(wanted, rel=1e-9)
    cited = {">".join(system.corridors[i]) for i in system.labour}
    assert cited and not any(name.split()[1] in cited for name in names if name.startswith("labour_share"))
    assert (width > 0).all() and np.isfinite(median).all()


def test_an_expected_ratio_pulls_as_a_normal_prior_does(problem):
    v = some(problem)
    residual, scale = (np.asarray(a) for a in innovations(problem, v))
    n = problem.obs.table.height
    df, used = problem.errors["df"], problem.errors["used"]
    figures = used * (0.5 * (df + 1) * np.log1p((residual[:n] / scale[:n]) ** 2 / df) + np.log(scale[:n]))
    ratios = 0.5 * (residual[n:] / scale[n:]) ** 2 + np.log(scale[n:])
    wanted = figures.sum() + ratios.sum() + 0.5 * (v**2).sum()
    assert float(objective(problem, v)) == pytest.approx(wanted, rel=1e-3)


def test_known_parameters_are_found_again(problem):
    """Figures made from a known vector: the fit covers it, and the figures say more than the prior."""
    truth = some(problem, seed=5, size=0.7)
    rng = generator(6, "made up")
    mean = np.asarray(log_predictions(problem, truth))
    bias, _ = (np.asarray(a) for a in split_vector(problem, truth))
    mean = mean + bias[problem.errors["bias"]] * problem.errors["bias_sd"]
    exact = {**problem.errors, "log_sd": 0.1 * problem.errors["log_sd"]}
    scale, *_ = (np.asarray(a) for a in error_model(replace(problem, errors=exact), truth))
    value = np.exp(mean + scale * rng.standard_normal(len(mean)))
    made = replace(
        problem,
        obs=replace(problem.obs, table=problem.obs.table.with_columns(pl.Series("value", value))),
        errors={**exact, "log_value": np.log(value)},
    )
    fit = fit_problem(made, starts=1, draws=200, seed=1)
    assert fit.meta["diagnostics"]["starts"][0]["converged"]
    z = (fit.sample.mean(axis=0) - truth) / fit.sample.std(axis=0)
    assert np.mean(np.abs(z) < 2) > 0.85 and np.abs(z).max() < 5
    held = fit.sd < 0.7
    assert held.any()
    error = np.abs(fit.sample.mean(axis=0) - truth)[held]
    assert error.mean() < 0.8 * np.abs(truth[held]).mean()  # nearer than the prior's centre
