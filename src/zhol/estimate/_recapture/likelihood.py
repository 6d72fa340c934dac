"""Log-likelihood of one unit, and what it stands for in the population, for every model, with derivatives.

Notation: p0, p1, q = P(0), P(1), P(Y ≥ 2) of the base distribution; ω the share of inflated single captures;
π the chance of a single capture in the hurdle models.
"""

from __future__ import annotations

import numpy as np

from zhol.estimate._recapture.base_counts import Base, base
from zhol.estimate._recapture.jets import Jet, choose, log_sum
from zhol.estimate._recapture.links import chance_logs
from zhol.estimate._recapture.models import Model

Links = tuple[str, ...]
_PAIR_DIVISOR = {1: 2.0, 2: 3.0}  # P(2)/P(1) = λ/2 and P(3)/P(2) = λ/3 of the Poisson


def log_likelihood(model: Model, links: Links, eta: list[np.ndarray], y: np.ndarray, second: bool = True) -> Jet:
    """Log-probability of each count given that it is in the model's data; 0 for counts outside.

    Parameters
    ----------
    model : Model
        Row of the registry.
    links : tuple of str
        Link of each parameter.
    eta : list of array (..., units or 1)
        Linear predictor of each parameter.
    y : array (units,)
        Counts.
    second : bool
        Whether second derivatives are wanted.

    Returns
    -------
    Jet
        Value, gradient and Hessian in the linear predictors.
    """
    inside = (y >= model.first) & (y <= (model.last or np.inf))
    if model.family == "pair":
        jet = _pair_logistic(model, eta[0], y, second)
    else:
        b, up, down = _pieces(model, links, eta, second)
        jet = _KINDS[model.inflation](b, up, down, y, model)
    return jet if bool(inside.all()) else choose(inside, jet, _nothing(jet, y))


def _pieces(model: Model, links: Links, eta: list[np.ndarray], second: bool) -> tuple[Base, Jet | None, Jet | None]:
    k = len(model.parameters)
    signs = tuple(-1.0 if link == "neglog" else 1.0 for link in links)
    b = base(model.family, eta, signs, k, second)
    if model.inflation == "none":
        return b, None, None
    up, down = chance_logs(links[-1], eta[-1], k - 1, k, second)
    return b, up, down


def _truncated(b: Base, up: Jet | None, down: Jet | None, y: np.ndarray, model: Model) -> Jet:
    left_out = b.log_q_jet() if model.truncation else (-b.h).log1mexp()
    return b.log_p(y) - left_out


def _oizt(b: Base, up: Jet | None, down: Jet | None, y: np.ndarray, model: Model) -> Jet:
    assert up is not None and down is not None
    seen = (-b.h).log1mexp()
    single = log_sum(up, down + (b.log_p1() - seen))
    return choose(y == 1, single, down + (b.log_p(y) - seen))


def _ztoi(b: Base, up: Jet | None, down: Jet | None, y: np.ndarray, model: Model) -> Jet:
    assert up is not None and down is not None
    seen = (down - b.h).log1mexp()
    return choose(y == 1, log_sum(up, down + b.log_p1()), down + b.log_p(y)) - seen


def _zt_hurdle(b: Base, up: Jet | None, down: Jet | None, y: np.ndarray, model: Model) -> Jet:
    assert up is not None and down is not None
    return choose(y == 1, up, down + (b.log_p(np.maximum(y, 2)) - b.log_q_jet()))


def _hurdle_zt(b: Base, up: Jet | None, down: Jet | None, y: np.ndarray, model: Model) -> Jet:
    assert up is not None and down is not None
    seen = log_sum(b.log_q_jet(), up - b.h)
    return choose(y == 1, up + b.log_p1().log1mexp(), down + b.log_p(y)) - seen


_KINDS = {"none": _truncated, "oizt": _oizt, "ztoi": _ztoi, "ztHurdle": _zt_hurdle, "Hurdlezt": _hurdle_zt}


def _pair_logistic(model: Model, eta: np.ndarray, y: np.ndarray, second: bool) -> Jet:
    """Logistic regression of the larger of two neighbouring counts; λ = 2e^η (or 3e^η)."""
    higher = (y > model.first).astype(float)
    p = 1.0 / (1.0 + np.exp(-np.clip(eta, -700, 700)))
    value = higher * eta - np.logaddexp(0.0, eta)
    return Jet(value, [higher - p], [-p * (1.0 - p) + 0.0 * higher] if second else None)


def _nothing(like: Jet, y: np.ndarray) -> Jet:
    zero = np.zeros(len(y))
    return Jet(zero, [zero] * len(like.g), None if like.h is None else [zero] * len(like.h))


def weight_in_population(model: Model, links: Links, eta: list[np.ndarray], y: np.ndarray) -> Jet:
    """Members of the population that a unit seen ``y`` times stands for, with gradient.

    Horvitz–Thompson: 1/P(seen). In the zero-one-truncated models single captures stand for themselves and the others
    for (1 − p1)/q; in Chao's for themselves and their share of the estimated unseen.
    """
    if model.family == "pair":
        return _pair_weight(model, eta[0], y)
    b, up, down = _pieces(model, links, eta, False)
    if model.inflation == "ztoi":
        assert down is not None
        log_weight = -(down - b.h).log1mexp()
    elif model.inflation == "Hurdlezt":
        assert up is not None
        log_weight = b.log_p1().log1mexp() - log_sum(b.log_q_jet(), up - b.h)
    elif model.inflation == "ztHurdle" or model.truncation:
        log_weight = b.log_p1().log1mexp() - b.log_q_jet()
    else:
        log_weight = -(-b.h).log1mexp()
    weight = log_weight.exp()
    if model.truncation:
        itself = _nothing(weight, y) + 1.0
        return choose(y > 1, weight, itself)
    return weight


def _pair_weight(model: Model, eta: np.ndarray, y: np.ndarray) -> Jet:
    rate = _PAIR_DIVISOR[model.first] * np.exp(np.clip(eta, -700, 700))
    if model.name == "zelterman":
        seen = -np.expm1(-rate)
        return Jet(1.0 / seen, [-rate * np.exp(-rate) / seen**2], None)
    inside = (y >= model.first) & (y <= (model.last or 0))
    if model.first == 1:
        ratio = 1.0 / (rate + rate**2 / 2)
        slope = -rate * (1.0 + rate) * ratio**2
    else:
        ratio = 1.0 / (rate**2 / 2 + rate**3 / 6)
        slope = -rate * (rate + rate**2 / 2) * ratio**2
    return Jet(1.0 + inside * ratio, [inside * slope], None)
