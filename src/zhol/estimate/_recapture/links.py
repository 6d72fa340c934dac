"""Links between the linear predictors and the parameters."""

from __future__ import annotations

import numpy as np

from zhol.core.errors import ZholError
from zhol.estimate._recapture.jets import Jet, pairs

RATE_LINKS = ("log", "neglog")
CHANCE_LINKS = ("logit", "cloglog", "probit")


def link_for(parameter: str, links: dict[str, str] | None) -> str:
    """The link of a parameter: given, or log for rates and logit for probabilities."""
    allowed = RATE_LINKS if parameter in ("lambda", "alpha") else CHANCE_LINKS
    link = (links or {}).get(parameter, allowed[0])
    if link not in allowed:
        raise ZholError(f"unknown link of {parameter}", found=link, expected=" or ".join(allowed))
    return link


def unit_jet(value: np.ndarray, index: int, k: int, second: bool, first: np.ndarray | float = 1.0) -> Jet:
    """The ``index``-th variable itself as a jet of ``k`` variables."""
    g: list[np.ndarray | float] = [0.0] * k
    g[index] = first if isinstance(first, np.ndarray) else np.float64(first)
    return Jet(value, g, [0.0] * len(pairs(k)) if second else None)


def chance_logs(link: str, eta: np.ndarray, index: int, k: int, second: bool) -> tuple[Jet, Jet]:
    """log ω and log(1 − ω) as jets of the linear predictors."""
    x = unit_jet(eta, index, k, second)
    if link == "logit":
        p = 1.0 / (1.0 + np.exp(-np.clip(eta, -700, 700)))
        up = x.chain(-np.logaddexp(0.0, -eta), 1.0 - p, lambda: -p * (1.0 - p))
        down = x.chain(-np.logaddexp(0.0, eta), -p, lambda: -p * (1.0 - p))
        return up, down
    if link == "cloglog":
        t = np.exp(np.minimum(eta, 300.0))
        down = x.chain(-t, -t, lambda: -t)
        return down.log1mexp(), down
    from scipy.special import log_ndtr

    above, below = log_ndtr(eta), log_ndtr(-eta)
    density = -0.5 * eta * eta - 0.5 * np.log(2 * np.pi)
    r, s = np.exp(density - above), np.exp(density - below)
    return x.chain(above, r, lambda: -r * (eta + r)), x.chain(below, -s, lambda: -s * (s - eta))


def chance(link: str, eta: np.ndarray) -> np.ndarray:
    """The probability itself.

    Examples
    --------
    >>> chance("logit", np.array([0.0]))
    array([0.5])
    """
    return np.exp(chance_logs(link, np.asarray(eta, float), 0, 1, False)[0].v)


def start_of(link: str, value: float) -> float:
    """Linear predictor at which the parameter has this value."""
    from scipy.special import ndtri

    table = {
        "log": lambda v: np.log(v),
        "neglog": lambda v: -np.log(v),
        "logit": lambda v: np.log(v / (1 - v)),
        "cloglog": lambda v: np.log(-np.log1p(-v)),
        "probit": lambda v: ndtri(v),
    }
    return float(table[link](value))
