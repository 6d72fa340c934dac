"""Fits to totals against R's migest 2.0.5 (stored answers; they stop at 1e-5, so 1e-4) and against other solvers."""

import json

import numpy as np
import pytest
from scipy.optimize import minimize
from shared_data import shared

from zhol.estimate.proportional_fitting import fit_three_way, fit_two_way, net_matrix


def _cases():
    found = json.loads(shared("cases", "estimation", "migest_ipf_net.json").read_text("utf-8"))["cases"]
    return {case["id"]: case for case in found}


@pytest.mark.parametrize("name", ["ipf2_willekens", "ipf2_willekens_tol1e-12", "cm2_willekens", "cm2_4x4"])
def test_two_way_fits_are_those_of_migest(name):
    case = _cases()[name]
    given, output = case["inputs"], case["output"]
    expected = (output.get("mu") or output["n"])["value"]
    found = fit_two_way(given["row_tot"], given["col_tot"], given["m"]["value"])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def _net_case():
    case = _cases()["net_matrix_ipf_tight"]
    prior = np.array(case["inputs"]["m"]["value"], float)
    return np.array(case["inputs"]["net_tot"], float), prior, np.array(case["output"]["n"]["value"])


def test_net_matrix_by_entropy_is_that_of_migest():
    net, prior, expected = _net_case()
    np.testing.assert_allclose(net_matrix(net, prior), expected, rtol=0, atol=1e-4)


def test_quadratic_net_matrix_has_the_least_distance():
    """A general solver (SLSQP) finds no nearer matrix; unlike migest's, ours stays near the prior at all."""
    net, prior, _ = _net_case()
    net = net * 6  # hard enough to drive cells to zero
    off = ~np.eye(4, dtype=bool)
    weight = np.maximum(prior, 0.1)[off]

    def spread(x):
        matrix = np.zeros((4, 4))
        matrix[off] = x
        return matrix

    def distance(x):
        return float(((x - prior[off]) ** 2 / weight).sum())

    rule = {"type": "eq", "fun": lambda x: (spread(x).sum(0) - spread(x).sum(1) - net)[:3]}
    best = minimize(
        distance, prior[off], bounds=[(0, None)] * 12, constraints=rule, options={"ftol": 1e-13, "maxiter": 900}
    )
    found = net_matrix(net, prior, "quadratic")
    assert found.min() == 0.0
    np.testing.assert_allclose(found.sum(0) - found.sum(1), net, atol=1e-8)
    assert distance(found[off]) == pytest.approx(best.fun, rel=1e-6)


def test_absolute_net_matrix_has_the_least_distance():
    """The least sum of absolute changes is half the change of net migration: one mover mends two places."""
    net, prior, _ = _net_case()
    missing = net - (prior.sum(0) - prior.sum(1))
    found = net_matrix(net, prior, "absolute")
    assert np.abs(found - prior).sum() == pytest.approx(np.abs(missing).sum() / 2)
    np.testing.assert_allclose(found.sum(0) - found.sum(1), net, atol=1e-9)


def test_three_way_fit_is_a_fit_for_every_type():
    rng = np.random.default_rng(4)
    truth, seed = rng.gamma(0.5, 100, (5, 5, 3)), rng.gamma(1.0, 1.0, (5, 5))
    cube = fit_three_way(truth.sum(1), truth.sum(0), seed)
    for k in range(3):
        np.testing.assert_allclose(
            cube[:, :, k], fit_two_way(truth[:, :, k].sum(1), truth[:, :, k].sum(0), seed), rtol=1e-8
        )
    all_three = fit_three_way(truth.sum(1), truth.sum(0), truth, truth.sum(2))
    np.testing.assert_allclose(all_three, truth, rtol=1e-9)
