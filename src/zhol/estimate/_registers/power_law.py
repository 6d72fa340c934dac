"""Fits of the power-law count model of registers, many weightings of the data at once.

The model is E(m) = N^alpha (gamma + n/N)^beta with alpha and beta linear in covariates. Every replicate of a
bootstrap is one row of every array, so a thousand refits cost a few matrix products an iteration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, expit, gammaln, polygamma, xlogy

Array = NDArray[np.float64]

THETA_BOUNDS = (1e-3, 1e7)
_CHUNK = 4_000_000  # numbers in one (replicates, rows) array


@dataclass(frozen=True)
class Problem:
    """What a fit needs: counts, sizes, designs and how gamma is treated.

    ``y`` has shape (rows,) or, where every replicate has its own counts, (replicates, rows).
    ``gamma`` is a fixed offset, or None when it is estimated within ``gamma_bounds``.
    """

    y: Array
    log_size: Array
    ratio: Array
    alpha: Array
    beta: Array
    gamma: float | None = None
    gamma_bounds: tuple[float, float] = (1e-10, 0.5)
    negbin: bool = False
    constrained: bool = False
    products: dict[str, Array] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, int]:
        """Numbers of alpha and of beta coefficients."""
        return self.alpha.shape[1], self.beta.shape[1]

    @property
    def size(self) -> int:
        """Number of parameters: alpha, beta, log gamma if estimated, log theta if negative binomial."""
        return sum(self.shape) + (self.gamma is None) + self.negbin

    def bounds(self) -> tuple[Array, Array]:
        """Lowest and highest value of each parameter."""
        low, high = np.full(self.size, -np.inf), np.full(self.size, np.inf)
        if self.gamma is None:
            low[sum(self.shape)], high[sum(self.shape)] = np.log(self.gamma_bounds)
        if self.negbin:
            low[-1], high[-1] = np.log(THETA_BOUNDS)
        return low, high

    def pairs(self, left: str, right: str) -> Array:
        """Row-wise outer products of two designs, shape (rows, columns of both)."""
        key = left + right
        if key not in self.products:
            a, b = getattr(self, left), getattr(self, right)
            self.products[key] = (a[:, :, None] * b[:, None, :]).reshape(len(a), -1)
        return self.products[key]


@dataclass(frozen=True)
class Mean:
    """The mean and its derivatives on the log scale; arrays of shape (replicates, rows)."""

    mu: Array
    log_mu: Array
    alpha: Array
    beta: Array
    d_alpha: Array
    d_beta: Array
    d_gamma: Array
    dd_alpha: Array
    dd_beta: Array
    dd_gamma: Array
    d_beta_gamma: Array


def evaluate(problem: Problem, params: Array) -> Mean:
    """Mean of every row under every replicate's parameters, shape (replicates, parameters)."""
    pa, pb = problem.shape
    eta, zeta = params[:, :pa] @ problem.alpha.T, params[:, pa : pa + pb] @ problem.beta.T
    one, zero = np.ones_like(eta), np.zeros_like(eta)
    if problem.constrained:
        alpha, beta = expit(eta), np.exp(np.minimum(zeta, 30))
        slope_a, slope_b = alpha * (1 - alpha), beta
        curve_a, curve_b = slope_a * (1 - 2 * alpha), beta
    else:
        alpha, beta, slope_a, slope_b, curve_a, curve_b = eta, zeta, one, one, zero, zero
    gamma = np.exp(params[:, pa + pb, None]) if problem.gamma is None else problem.gamma
    log_rate = np.broadcast_to(np.log(gamma + problem.ratio), eta.shape)
    share = gamma / (gamma + problem.ratio)
    log_mu = np.clip(alpha * problem.log_size + beta * log_rate, -300, 50)
    return Mean(
        mu=np.exp(log_mu),
        log_mu=log_mu,
        alpha=alpha,
        beta=beta,
        d_alpha=slope_a * problem.log_size,
        d_beta=slope_b * log_rate,
        d_gamma=beta * share,
        dd_alpha=curve_a * problem.log_size,
        dd_beta=curve_b * log_rate,
        dd_gamma=beta * share * (1 - share),
        d_beta_gamma=slope_b * share,
    )


def log_likelihood(problem: Problem, params: Array, weights: Array) -> Array:
    """Weighted log-likelihood with all its constants, one number a replicate."""
    mean = evaluate(problem, params)
    y = problem.y
    if not problem.negbin:
        terms = xlogy(y, 1.0) + y * mean.log_mu - mean.mu
        return np.asarray((weights * (terms - gammaln(y + 1))).sum(axis=1))
    theta = np.exp(params[:, -1:])
    terms = theta * (np.log(theta) - np.log(theta + mean.mu)) + y * (mean.log_mu - np.log(theta + mean.mu))
    return np.asarray((weights * (terms - gammaln(y + 1))).sum(axis=1)) + _over_counts(
        problem, weights, lambda k, t: gammaln(k + t) - gammaln(t), theta
    )


def _over_counts(problem: Problem, weights: Array, function: Callable[[Array, Array], Array], theta: Array) -> Array:
    """Weighted sum over rows of a function of (count, theta); counts repeat, so each is computed once."""
    if problem.y.ndim == 2:
        return np.asarray((weights * function(problem.y, theta)).sum(axis=1))
    counts, place = np.unique(problem.y, return_inverse=True)
    if "counts" not in problem.products:
        indicator = np.zeros((len(problem.y), len(counts)))
        indicator[np.arange(len(problem.y)), place] = 1
        problem.products["counts"] = indicator
    return np.asarray(((weights @ problem.products["counts"]) * function(counts, theta)).sum(axis=1))


def _outer(problem: Problem, left: str, right: str, weights: Array) -> Array:
    """Sum over rows of weights times the product of two designs, shape (replicates, columns, columns)."""
    a, b = getattr(problem, left).shape[1], getattr(problem, right).shape[1]
    return np.asarray((weights @ problem.pairs(left, right)).reshape(-1, a, b))


def _information(problem: Problem, mean: Mean, curvature: Array, slope: Array | float) -> Array:
    """Negative second derivatives for alpha, beta and log gamma.

    ``curvature`` is minus the second derivative of a row's log-likelihood by the log mean, ``slope`` the first
    (zero gives the expected information).
    """
    pa, pb = problem.shape
    p = pa + pb + (problem.gamma is None)
    info = np.zeros((len(mean.mu), p, p))
    a, b, g = slice(0, pa), slice(pa, pa + pb), pa + pb
    info[:, a, a] = _outer(problem, "alpha", "alpha", curvature * mean.d_alpha**2 - slope * mean.dd_alpha)
    info[:, a, b] = _outer(problem, "alpha", "beta", curvature * mean.d_alpha * mean.d_beta)
    info[:, b, b] = _outer(problem, "beta", "beta", curvature * mean.d_beta**2 - slope * mean.dd_beta)
    if problem.gamma is None:
        info[:, a, g] = (curvature * mean.d_alpha * mean.d_gamma) @ problem.alpha
        info[:, b, g] = (curvature * mean.d_beta * mean.d_gamma - slope * mean.d_beta_gamma) @ problem.beta
        info[:, g, g] = (curvature * mean.d_gamma**2 - slope * mean.dd_gamma).sum(axis=1)
    upper = np.triu(info)
    return np.asarray(upper + np.swapaxes(np.triu(info, 1), 1, 2))


def derivatives(problem: Problem, params: Array, weights: Array) -> tuple[Array, Array, Array]:
    """Gradient, observed information and the expected information's diagonal of every replicate."""
    mean = evaluate(problem, params)
    y, mu = problem.y, mean.mu
    if problem.negbin:
        theta = np.exp(params[:, -1:])
        slope = weights * (y - mu) * theta / (theta + mu)
        curvature = weights * mu * theta * (theta + y) / (theta + mu) ** 2
        expected = weights * mu * theta / (theta + mu)
    else:
        slope, curvature = weights * (y - mu), weights * mu
        expected = curvature
    parts = [(slope * mean.d_alpha) @ problem.alpha, (slope * mean.d_beta) @ problem.beta]
    if problem.gamma is None:
        parts.append((slope * mean.d_gamma).sum(axis=1, keepdims=True))
    info = _information(problem, mean, curvature, slope)
    scale = np.diagonal(_information(problem, mean, expected, 0.0), axis1=1, axis2=2)
    if problem.negbin:
        first, second, cross = _theta_derivatives(problem, mean, weights, theta)
        parts.append(first[:, None])
        info = _border(info, second, cross)
        scale = np.concatenate([scale, np.maximum(np.abs(second), 1e-8)[:, None]], axis=1)
    return np.concatenate(parts, axis=1), info, scale


def _theta_derivatives(problem: Problem, mean: Mean, weights: Array, theta: Array) -> tuple[Array, Array, Array]:
    """First derivative, minus the second, and minus the mixed ones, all by log theta."""
    y, mu, t = problem.y, mean.mu, theta[:, 0]
    plain = weights * (np.log(theta) + 1 - np.log(theta + mu) - (y + theta) / (theta + mu))
    first = t * (_over_counts(problem, weights, lambda k, s: digamma(k + s) - digamma(s), theta) + plain.sum(axis=1))
    rest = weights * (1 / theta - 2 / (theta + mu) + (y + theta) / (theta + mu) ** 2)
    bend = _over_counts(problem, weights, lambda k, s: polygamma(1, k + s) - polygamma(1, s), theta)
    second = -(first + t**2 * (bend + rest.sum(axis=1)))
    mixed = -weights * (y - mu) * theta * mu / (theta + mu) ** 2
    cross = [(mixed * mean.d_alpha) @ problem.alpha, (mixed * mean.d_beta) @ problem.beta]
    if problem.gamma is None:
        cross.append((mixed * mean.d_gamma).sum(axis=1, keepdims=True))
    return first, second, np.concatenate(cross, axis=1)


def _border(info: Array, corner: Array, edge: Array) -> Array:
    """Add one parameter to a stack of information matrices."""
    p = info.shape[1]
    out = np.zeros((len(info), p + 1, p + 1))
    out[:, :p, :p], out[:, p, p], out[:, :p, p], out[:, p, :p] = info, corner, edge, edge
    return out


@dataclass(frozen=True)
class Fits:
    """Many fits: parameters (replicates, parameters), log-likelihoods, scaled gradients, whether each converged."""

    params: Array
    log_likelihood: Array
    decrement: Array
    converged: NDArray[np.bool_]


def fit(problem: Problem, start: Array, weights: Array, *, steps: int = 100, tolerance: float = 1e-10) -> Fits:
    """Maximise every replicate's weighted likelihood by a damped Newton method.

    Parameters
    ----------
    problem : Problem
    start : array, shape (replicates, parameters)
    weights : array, shape (replicates, rows)
    steps : int
        Most iterations.
    tolerance : float
        A replicate has converged when a Newton step promises less than this gain in log-likelihood.

    Returns
    -------
    Fits
    """
    low, high = problem.bounds()
    params = np.clip(np.array(start, dtype=float), low, high)
    value = log_likelihood(problem, params, weights)
    damping = np.full(len(params), 1e-3)
    gain = np.full(len(params), np.inf)
    open_ = np.ones(len(params), dtype=bool)
    for _ in range(steps):
        rows = np.flatnonzero(open_)
        if rows.size == 0:
            break
        part = _rows(problem, rows)
        step, gain[rows] = _step(part, params[rows], weights[rows], damping[rows], low, high)
        trial = np.clip(params[rows] + step, low, high)
        if problem.gamma is None:
            # Beta and gamma trade off along a bent ridge: a step for the others at the new gamma comes back to it.
            back, _ = _step(part, trial, weights[rows], np.zeros(rows.size), low, high, hold=sum(problem.shape))
            trial = np.clip(trial + back, low, high)
        new = log_likelihood(part, trial, weights[rows])
        better = new > value[rows]
        params[rows[better]], value[rows[better]] = trial[better], new[better]
        damping[rows] = np.where(better, damping[rows] / 10, damping[rows] * 10)
        # Where no step improves any more the replicate is as high as rounding lets it climb.
        open_[rows] = (gain[rows] > tolerance) & (damping[rows] < 1e12)
    return Fits(params, value, gain, gain <= np.maximum(tolerance, 1e-9) * 1e3)


def _rows(problem: Problem, rows: NDArray[np.intp]) -> Problem:
    """The same problem for some replicates only."""
    if problem.y.ndim == 1:
        return problem
    return Problem(**{**problem.__dict__, "y": problem.y[rows]})


def _step(
    problem: Problem,
    params: Array,
    weights: Array,
    damping: Array,
    low: Array,
    high: Array,
    hold: int | None = None,
) -> tuple[Array, Array]:
    """One damped Newton step, uphill even where the likelihood is not concave, and the gain that it promises."""
    gradient, info, scale = derivatives(problem, params, weights)
    held = ((params <= low + 1e-12) & (gradient < 0)) | ((params >= high - 1e-12) & (gradient > 0))
    if hold is not None:
        held[:, hold] = True
    gradient = np.where(held, 0.0, gradient)
    free = ~held
    info = info * (free[:, :, None] & free[:, None, :])
    root = 1 / np.sqrt(np.maximum(scale, 1e-10))
    info = info * root[:, :, None] * root[:, None, :]
    idx = np.arange(info.shape[1])
    info[:, idx, idx] += held
    values, vectors = np.linalg.eigh(np.where(np.isfinite(info), info, 0.0))
    along = np.einsum("rij,ri->rj", vectors, np.nan_to_num(gradient * root))
    firm = np.maximum(np.abs(values), 1e-9)
    gain = 0.5 * (along**2 / firm).sum(axis=1)
    step = np.einsum("rij,rj->ri", vectors, along / (firm + damping[:, None])) * root
    return np.clip(step, -5, 5), gain


def fit_in_chunks(
    problem: Problem,
    start: Array,
    weights: Array,
    *,
    jobs: int = 1,
    report: Callable[[int, int], None] | None = None,
) -> Fits:
    """`fit`, a bounded number of replicates at a time, on ``jobs`` threads; ``report(done, total)`` tells progress."""
    total, width = weights.shape
    # The same pieces on any number of threads, so that rounding is the same too.
    size = max(1, min(_CHUNK // max(width, 1), 125))
    pieces = [np.arange(at, min(at + size, total)) for at in range(0, total, size)]

    def one(rows: NDArray[np.intp]) -> Fits:
        return fit(_rows(problem, rows), start[rows], weights[rows])

    done: list[Fits] = []
    for piece in _spread(one, pieces, jobs):
        done.append(piece)
        if report is not None:
            report(sum(len(d.params) for d in done), total)
    return Fits(*(np.concatenate([getattr(d, name) for d in done]) for name in Fits.__dataclass_fields__))


def _spread(function: Callable[[NDArray[np.intp]], Fits], pieces: list[NDArray[np.intp]], jobs: int) -> Iterator[Fits]:
    """Results in order, computed on threads (NumPy lets go of the interpreter in its loops)."""
    if jobs <= 1 or len(pieces) < 2:
        yield from map(function, pieces)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(function, pieces)


def covariance(problem: Problem, params: Array) -> tuple[Array, Array, Array]:
    """Covariances of one fit's parameters (alpha, beta, log gamma, log theta): robust, plain sandwich, model-based.

    The robust one inflates every row's score by its leverage (HC3, MacKinnon & White 1985); the plain one does not
    (HC0); the model-based one is the inverse of the expected information of alpha, beta and gamma.
    For the negative binomial the sandwich takes the observed information and theta's score in.

    Parameters
    ----------
    problem : Problem
    params : array, shape (parameters,)

    Returns
    -------
    robust, plain : arrays, shape (parameters, parameters)
    model : array, shape (parameters without theta, same)
    """
    mean = evaluate(problem, params[None, :])
    mu, y = mean.mu[0], problem.y
    shrink = np.ones_like(mu)
    if problem.negbin:
        theta = float(np.exp(params[-1]))
        shrink = theta / (theta + mu)
    columns = [mean.d_alpha[0][:, None] * problem.alpha, mean.d_beta[0][:, None] * problem.beta]
    if problem.gamma is None:
        columns.append(mean.d_gamma[0][:, None])
    design = np.concatenate(columns, axis=1)
    weight = mu * shrink
    model = bread = np.linalg.pinv(design.T @ (design * weight[:, None]), hermitian=True)
    leverage = np.clip(weight * np.einsum("ij,jk,ik->i", design, model, design), 0, 1 - 1e-9)
    scores = design * ((y - mu) * shrink)[:, None]
    if problem.negbin:
        past = digamma(y + theta) - digamma(theta) + np.log(theta) + 1 - np.log(theta + mu)
        scores = np.column_stack([scores, theta * (past - (y + theta) / (theta + mu))])
        bread = np.linalg.pinv(derivatives(problem, params[None, :], np.ones((1, len(y))))[1][0], hermitian=True)
    inflated = scores / (1 - leverage)[:, None]
    return bread @ inflated.T @ inflated @ bread, bread @ scores.T @ scores @ bread, model


def leave_one_out(problem: Problem, params: Array, cluster: NDArray[np.intp], *, jobs: int = 1) -> tuple[Array, Array]:
    """Jackknife over clusters: refit without each one.

    Parameters
    ----------
    problem : Problem
    params : array, shape (parameters,)
    cluster : array of int from 0, shape (rows,)

    Returns
    -------
    covariance : array, shape (parameters, parameters)
    refits : array, shape (clusters, parameters)
    """
    count = int(cluster.max()) + 1
    kept = (cluster[None, :] != np.arange(count)[:, None]).astype(float)
    refits = fit_in_chunks(problem, np.tile(params, (count, 1)), kept, jobs=jobs).params
    away = refits - refits.mean(axis=0)
    return (count - 1) / count * away.T @ away, refits


def cluster_sandwich(problem: Problem, params: Array, cluster: NDArray[np.intp]) -> Array:
    """Plain sandwich whose scores are summed within clusters, shape (parameters, parameters)."""
    indicator = (cluster[None, :] == np.arange(int(cluster.max()) + 1)[:, None]).astype(float)
    scores, info, _ = derivatives(problem, np.tile(params, (len(indicator), 1)), indicator)
    bread = np.linalg.pinv(info.sum(axis=0), hermitian=True)
    return np.asarray(bread @ scores.T @ scores @ bread)
