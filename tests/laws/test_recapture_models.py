"""What must hold of every model of ``counts``, against formulas written again from the papers, plainly."""

import itertools

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, ndtr

from zhol.estimate._recapture.jets import pairs
from zhol.estimate._recapture.likelihood import log_likelihood, weight_in_population
from zhol.estimate.recapture import MODELS

RATE, CHANCE = ("log", "neglog"), ("logit", "cloglog", "probit")
INVERSE = {
    "log": np.exp,
    "neglog": lambda x: np.exp(-x),
    "logit": expit,
    "cloglog": lambda x: -np.expm1(-np.exp(x)),
    "probit": ndtr,
}
ALL = [
    (m, links)
    for m in MODELS.values()
    for links in itertools.product(*[RATE if p in ("lambda", "alpha") else CHANCE for p in m.parameters])
    if not (m.family == "pair" and links != ("log",))
]
IDS = [f"{m.name}-{'-'.join(links)}" for m, links in ALL]


def plain_base(family, values):
    if family == "poisson":
        return stats.poisson(values["lambda"])
    alpha = 1.0 if family == "geometric" else values["alpha"]
    return stats.nbinom(1 / alpha, 1 / (1 + alpha * values["lambda"]))


def plain(model, values, y):
    """Chance of y captures given that the unit is in the model's data, and the chance of being seen at all."""
    if model.family == "pair":
        rate = (model.first + 1) * values["lambda"]
        both = stats.poisson.pmf(model.first, rate) + stats.poisson.pmf(model.last, rate)
        return stats.poisson.pmf(y, rate) / both, 1 - np.exp(-rate)
    base = plain_base(model.family, values)
    p, p0, p1 = base.pmf(y), base.pmf(0), base.pmf(1)
    if model.truncation:
        return p / (1 - p0 - p1), None
    single = y == 1
    match model.inflation:
        case "none":
            return p / (1 - p0), 1 - p0
        case "oizt":
            w = values["omega"]
            return w * single + (1 - w) * p / (1 - p0), 1 - p0
        case "ztoi":
            w = values["omega"]
            seen = 1 - (1 - w) * p0
            return (w * single + (1 - w) * p) / seen, seen
        case "ztHurdle":
            chance = np.where(single, values["pi"], (1 - values["pi"]) * p / (1 - p0 - p1))
            return chance, 1 - p0 / (1 - p1)
        case "Hurdlezt":
            unseen = (1 - values["pi"]) * p0 / (1 - p1)
            return np.where(single, values["pi"], (1 - values["pi"]) * p / (1 - p1)) / (1 - unseen), 1 - unseen
    raise AssertionError(model)


def random_predictors(model, seed):
    rng = np.random.default_rng(seed)
    return [rng.normal(-0.4, 0.6, 5) for _ in model.parameters]


@pytest.mark.parametrize(("model", "links"), ALL, ids=IDS)
def test_chances_are_those_of_the_papers_and_sum_to_one(model, links):
    eta = [e[:1] for e in random_predictors(model, 1)]
    y = np.arange(model.first, (model.last or 600) + 1)
    ours = np.exp(log_likelihood(model, links, eta, y.astype(float), False).v)
    values = {p: INVERSE[k](e[0]) for p, k, e in zip(model.parameters, links, eta, strict=True)}
    theirs, seen = plain(model, values, y)
    assert ours == pytest.approx(theirs, rel=1e-9, abs=1e-14)
    assert ours.sum() == pytest.approx(1, abs=1e-10)
    if model.name == "zelterman" or (seen is not None and model.family != "pair"):
        weight = weight_in_population(model, links, eta, np.array([1.0])).v
        assert weight == pytest.approx(1 / seen, rel=1e-9)


@pytest.mark.parametrize(("model", "links"), ALL, ids=IDS)
def test_derivatives_are_those_of_differences(model, links):
    y, step = np.array([1.0, 2.0, 3.0, 4.0, 9.0]), 1e-5
    eta = random_predictors(model, 2)
    exact, weight = log_likelihood(model, links, eta, y), weight_in_population(model, links, eta, y)
    order = pairs(len(eta))
    for a in range(len(eta)):
        up, down = ([e + s * step * (i == a) for i, e in enumerate(eta)] for s in (1, -1))
        high, low = log_likelihood(model, links, up, y), log_likelihood(model, links, down, y)
        assert np.broadcast_to(exact.g[a], 5) == pytest.approx((high.v - low.v) / (2 * step), abs=1e-7)
        for b in range(len(eta)):
            second = exact.h[order.index((min(a, b), max(a, b)))]
            numeric = (np.asarray(high.g[b]) - np.asarray(low.g[b])) / (2 * step)
            assert np.broadcast_to(second, 5) == pytest.approx(np.broadcast_to(numeric, 5), abs=1e-7)
        slope = (weight_in_population(model, links, up, y).v - weight_in_population(model, links, down, y).v) / (
            2 * step
        )
        assert np.broadcast_to(weight.g[a], 5) == pytest.approx(np.broadcast_to(slope, 5), rel=1e-6, abs=1e-6)


def test_negative_binomial_becomes_poisson_without_losing_digits():
    y, eta = np.array([1.0, 2.0, 5.0]), np.full(3, -3.0)
    for kind in ("zt", "zot"):
        poisson = log_likelihood(MODELS[kind + "poisson"], ("log",), [eta], y)
        small = log_likelihood(MODELS[kind + "negbin"], ("log", "log"), [eta, np.full(3, -30.0)], y)
        assert small.v == pytest.approx(poisson.v, abs=1e-11)
        assert np.broadcast_to(small.g[0], 3) == pytest.approx(np.broadcast_to(poisson.g[0], 3), abs=1e-10)


def test_small_rates_keep_their_digits():
    """log(1 − e^−λ − λe^−λ) at λ = 1e-8, where the plain formula has no digit left: its series is λ²/2 − λ³/3."""
    rate = 1e-8
    ours = log_likelihood(MODELS["zotpoisson"], ("log",), [np.array([np.log(rate)])], np.array([2.0])).v
    series = 2 * np.log(rate) - rate - np.log(2) - np.log(rate**2 / 2 - rate**3 / 3)
    assert ours == pytest.approx(series, abs=1e-14)


def test_registry_is_complete():
    assert len(MODELS) == 21 and len({m.name for m in MODELS.values()}) == 21
    assert all(m.cites for m in MODELS.values())
    assert {m.likelihood_class for m in MODELS.values()} == {
        "counts of 1 and more",
        "counts of 2 and more",
        "counts 1 and 2",
        "counts 2 and 3",
    }


def test_the_page_tells_of_every_model():
    from pathlib import Path

    page = (Path(__file__).resolve().parents[2] / "docs" / "explanation" / "one-list.md").read_text()
    assert [m.name for m in MODELS.values() if f"`{m.name}`" not in page] == []
