"""The counts before truncation: Poisson, geometric, negative binomial (variance λ(1 + αλ)).

All three are written with h = −log P(0) and m = P(1)/P(0): for the Poisson h = m = λ, else
h = log(1 + αλ)/α and m = λ/(1 + αλ). The geometric has α = 1. No gamma functions of 1/α appear, so that α → 0 is
the Poisson without loss of digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln

from zhol.estimate._recapture.jets import Jet, pairs


@dataclass
class Base:
    """h and m as jets; log q = log P(Y ≥ 2) to full accuracy; what log P(y) needs besides."""

    h: Jet
    m: Jet
    log_q: np.ndarray
    log_rate: np.ndarray
    u: np.ndarray | float
    alpha: np.ndarray | None
    k: int
    second: bool
    signs: tuple[float, ...]
    factorial_cancels: bool = False

    def log_p1(self) -> Jet:
        """log P(1)."""
        return self.m.log() - self.h

    def log_q_jet(self) -> Jet:
        """log P(Y ≥ 2)."""
        q = -((-self.h).exp() * (self.m + 1.0))
        q.v = np.exp(self.log_q)
        return q.log(self.log_q)

    def log_p(self, y: np.ndarray) -> Jet:
        """log P(y) for each count."""
        v = 1.0 / (1.0 + self.u)
        rest = self.u * v
        # the geometric is the case α = 1, where the rising product 1·2·…·y is y! itself
        orders = 0.0 if self.factorial_cancels else gammaln(y + 1.0)
        value = y * self.log_rate - y * np.log1p(self.u) - self.h.v - orders
        k, s = self.k, self.signs
        g: list[Any] = [0.0] * k
        h: list[Any] | None = [0.0] * len(pairs(k)) if self.second else None
        g[0] = s[0] * (y * v) - self.h.g[0]
        at = {p: n for n, p in enumerate(pairs(k))}
        if h is not None and self.h.h is not None:
            h[at[0, 0]] = -y * v * rest - self.h.h[at[0, 0]]
        if self.alpha is not None:
            t0, t1, t2 = rising_sums(y, self.alpha)
            value = value + t0
            g[1] = s[1] * (t1 - y * rest) - self.h.g[1]
            if h is not None and self.h.h is not None:
                h[at[0, 1]] = -s[0] * s[1] * y * v * rest - self.h.h[at[0, 1]]
                h[at[1, 1]] = t2 - y * v * rest - self.h.h[at[1, 1]]
        return Jet(value, g, h)


def base(family: str, eta: list[np.ndarray], signs: tuple[float, ...], k: int, second: bool) -> Base:
    """The base distribution at these linear predictors.

    Parameters
    ----------
    family : str
        ``poisson``, ``geometric`` or ``negbin``.
    eta : list of array
        Linear predictors of log λ (and log α), each before the sign of its link.
    signs : tuple of float
        +1 for the log link, −1 for the negative log link, for λ and α.
    k : int
        Number of parameters in the jets.
    second : bool
        Whether second derivatives are wanted.
    """
    log_rate = signs[0] * eta[0]
    rate = np.exp(np.clip(log_rate, -700, 700))
    zeros = len(pairs(k))
    at = {p: n for n, p in enumerate(pairs(k))}
    if family == "poisson":
        g: list[Any] = [0.0] * k
        g[0] = signs[0] * rate
        hess: list[Any] | None = None
        if second:
            hess = [0.0] * zeros
            hess[0] = rate
        one = Jet(rate, g, hess)
        return Base(one, one, _log_q(rate, rate, 0.0), log_rate, 0.0, None, k, second, signs)
    if family == "geometric":
        return _geometric(log_rate, rate, signs, k, second, zeros)
    return _negbin(log_rate, rate, signs[1] * eta[1], signs, k, second, at)


def _geometric(log_rate: np.ndarray, rate: np.ndarray, s: tuple[float, ...], k: int, second: bool, zeros: int) -> Base:
    v = 1.0 / (1.0 + rate)
    m = rate * v
    h_g: list[Any] = [0.0] * k
    m_g: list[Any] = [0.0] * k
    h_g[0], m_g[0] = s[0] * m, s[0] * m * v
    h_h: list[Any] | None = None
    m_h: list[Any] | None = None
    if second:
        h_h, m_h = [0.0] * zeros, [0.0] * zeros
        h_h[0], m_h[0] = m * v, m * v * (v - m)
    log_m = log_rate - np.log1p(rate)
    return Base(Jet(np.log1p(rate), h_g, h_h), Jet(m, m_g, m_h), 2.0 * log_m, log_rate, rate, None, k, second, s, True)


def _negbin(
    log_rate: np.ndarray,
    rate: np.ndarray,
    log_alpha: np.ndarray,
    s: tuple[float, ...],
    k: int,
    second: bool,
    at: dict[tuple[int, int], int],
) -> Base:
    alpha = np.exp(np.clip(log_alpha, -700, 700))
    u = np.exp(np.clip(log_rate + log_alpha, -700, 700))
    v = 1.0 / (1.0 + u)
    w = u * v
    m = rate * v
    h = _ratio(u) * rate
    gap = -_psi_ratio(u) * rate  # m − h, always negative
    h_g: list[Any] = [0.0] * k
    m_g: list[Any] = [0.0] * k
    h_g[0], h_g[1] = s[0] * m, s[1] * gap
    m_g[0], m_g[1] = s[0] * m * v, -s[1] * m * w
    h_h: list[Any] | None = None
    m_h: list[Any] | None = None
    if second:
        h_h, m_h = [0.0] * len(at), [0.0] * len(at)
        h_h[at[0, 0]], h_h[at[0, 1]], h_h[at[1, 1]] = m * v, -s[0] * s[1] * m * w, -m * w - gap
        m_h[at[0, 0]] = m * v * (v - w)
        m_h[at[0, 1]] = -2.0 * s[0] * s[1] * m * v * w
        m_h[at[1, 1]] = m * w * (w - v)
    log_q = _log_q(h, m, -gap)
    return Base(Jet(h, h_g, h_h), Jet(m, m_g, m_h), log_q, log_rate, u, alpha, k, second, s)


def _log_q(h: np.ndarray, m: np.ndarray, gap: np.ndarray | float) -> np.ndarray:
    """log(1 − e^−h (1 + m)), written as e^−h (e^h − 1 − h + (h − m)) where h is small."""
    small = np.minimum(h, 1.0)
    series = np.zeros_like(small)
    for n in range(18, 1, -1):  # e^x − 1 − x = x²/2 (1 + x/3 (1 + x/4 (…)))
        series = small / (n + 1) * (1.0 + series)
    tail = 0.5 * small * small * (1.0 + series)
    with np.errstate(over="ignore", divide="ignore"):
        near = np.log(tail + gap) - h
        far = np.log1p(-np.exp(-h) * (1.0 + m))
    return np.where(h < 1.0, near, far)


def _ratio(u: np.ndarray) -> np.ndarray:
    """log(1 + u)/u, 1 at u = 0."""
    tiny = u < 1e-300
    safe = np.where(tiny, 1.0, u)
    return np.where(tiny, 1.0, np.log1p(safe) / safe)


def _psi_ratio(u: np.ndarray) -> np.ndarray:
    """(log(1 + u) − u/(1 + u))/u, without loss of digits near u = 0 (where it is u/2)."""
    small = u < 0.05
    x = np.where(small, u, 0.0)
    series = np.zeros_like(x)
    for n in range(16, 0, -1):  # Σ (−1)^(n+1) n/(n+1) u^n
        series = x * ((-1.0) ** (n + 1) * n / (n + 1.0) + series)
    safe = np.where(small, 1.0, u)
    return np.where(small, series, np.log1p(safe) / safe - 1.0 / (1.0 + safe))


def rising_sums(y: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Σ_{0<j<y} of log(1 + jα) and of its first two derivatives in log α.

    ``alpha`` has either one column (one value for all counts) or one column a count.
    """
    top = int(np.max(y)) if np.size(y) else 1
    if alpha.shape[-1] == 1:
        j = np.arange(0, max(top, 1), dtype=float)
        x = j * alpha
        tables = [np.log1p(x), x / (1.0 + x), x / (1.0 + x) ** 2]
        index = np.asarray(y, dtype=np.int64) - 1
        return tuple(np.cumsum(t, axis=-1)[..., index] for t in tables)  # type: ignore[return-value]
    shape = np.broadcast_shapes(alpha.shape, np.shape(y))
    sums = [np.zeros(shape) for _ in range(3)]
    counts = np.broadcast_to(y, shape[-1:])
    for step in range(1, top):
        reach = counts > step
        x = step * alpha[..., reach]
        sums[0][..., reach] += np.log1p(x)
        sums[1][..., reach] += x / (1.0 + x)
        sums[2][..., reach] += x / (1.0 + x) ** 2
    return sums[0], sums[1], sums[2]
