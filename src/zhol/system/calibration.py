"""Calibration: the mode from several starts, Laplace's approximation, and NUTS from there."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.draws import generator
from zhol.core.errors import ZholError, ZholWarning
from zhol.system.fit import Fit, load_fit
from zhol.system.instruments import month_number

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.likelihood import Problem
    from zhol.system.model import Model

_GRADIENT = 0.02  # largest gradient at the mode, in units of the log posterior a posterior standard deviation
_MOST = 300  # steps of one round of the search
_ROUNDS = 6  # more than it ever needed, so that a stop is a failure and is said
_TRIES = 3
_WIDTH = 12  # columns of the Jacobian at once


def calibrate(
    region: Region | Model,
    *,
    until: str | None = None,
    method: str = "laplace",
    seed: int = 1,
    starts: int = _TRIES,
    draws: int = 500,
    warmup: int = 200,
    chains: int = 2,
    progress: Any = None,
) -> Fit:
    """Fit the system to the figures of its pack.

    Parameters
    ----------
    region : Region or Model
    until : str, optional
        Only figures whose period ends by this month; rules that began later are not applied either.
    method : {"laplace", "nuts"}
        ``laplace``: normal around the mode, with the expected curvature. ``nuts``: Hamiltonian Monte Carlo in
        coordinates scaled by Laplace's covariance.
    seed : int
    starts : int
        Searches for the mode: the first from the prior's centre, the others from draws of the prior.
    draws, warmup, chains : int
        Draws kept; for ``nuts`` warm-up and chains.
    progress : callable (text), optional

    Returns
    -------
    Fit

    Raises
    ------
    ZholError
        No figures to fit to, an unknown method, or no mode found.

    References
    ----------
    Tierney, L., Kadane, J. B. (1986). Accurate approximations for posterior moments and marginal densities. JASA 81.
    Hoffman, M. D., Gelman, A. (2014). The No-U-Turn sampler. JMLR 15.
    """
    from zhol.system.likelihood import build_problem
    from zhol.system.model import Model

    if method not in ("laplace", "nuts"):
        raise ZholError("unknown method of calibration", found=method, expected="laplace or nuts")
    model = region if isinstance(region, Model) else Model(region, policies_until=until)
    if until is not None:
        month_number(until)
    problem = build_problem(model, until=until)
    if not problem.obs.table.height:
        raise ZholError("no figures to fit the system to", file="observations.yaml", hint="check the dates and places")
    return fit_problem(
        problem,
        until=until,
        method=method,
        seed=seed,
        starts=starts,
        draws=draws,
        warmup=warmup,
        chains=chains,
        progress=progress,
    )


def fit_problem(
    problem: Problem,
    *,
    until: str | None = None,
    method: str = "laplace",
    seed: int = 1,
    starts: int = _TRIES,
    draws: int = 500,
    warmup: int = 200,
    chains: int = 2,
    progress: Any = None,
) -> Fit:
    """Fit a problem that is already built; see :func:`calibrate`."""
    tell = progress or (lambda text: None)
    modes = _modes(problem, seed, starts, tell)
    best = min(modes, key=lambda m: m["value"])
    tell(f"mode found: {best['value']:.1f}; curvature of {problem.size} parameters")
    covariance = _covariance(problem, best["vector"])
    factor = np.linalg.cholesky(covariance)
    sample = best["vector"] + generator(seed, "posterior").standard_normal((draws, problem.size)) @ factor.T
    diagnostics: dict[str, Any] = {
        "starts": [{k: m[k] for k in ("value", "gradient", "steps", "converged")} for m in modes],
        "spread_of_modes": float(np.ptp([m["value"] for m in modes])),
    }
    if method == "nuts":
        tell("sampling")
        sample, found = _nuts(problem, best["vector"], factor, seed, draws, warmup, chains)
        diagnostics |= found
    if not best["converged"]:
        warnings.warn(
            ZholWarning(f"the search for the mode stopped at a gradient of {best['gradient']:.2g}"), stacklevel=2
        )
    return Fit.of(
        problem, best["vector"], covariance, sample, until=until, method=method, seed=seed, diagnostics=diagnostics
    )


def _modes(problem: Problem, seed: int, starts: int, tell: Any) -> list[dict[str, Any]]:
    import jax
    from scipy.optimize import minimize

    from zhol.system.engine import use_cache
    from zhol.system.likelihood import objective

    use_cache()
    with jax.enable_x64(True):
        slope = jax.jit(jax.value_and_grad(lambda v: objective(problem, v)))
        slope(np.zeros(problem.size))

    def search(number: int) -> dict[str, Any]:
        at = np.zeros(problem.size)
        if number:
            at = 0.5 * generator(seed, "start", str(number)).standard_normal(problem.size)
        steps = 0
        for turn in range(_ROUNDS):
            # In coordinates scaled by the curvature here every direction is about equally steep.
            scale = np.linalg.cholesky(_covariance(problem, at, check=False))
            centre = at

            def call(x: np.ndarray, centre: np.ndarray = centre, scale: np.ndarray = scale) -> tuple[float, np.ndarray]:
                with jax.enable_x64(True):
                    value, gradient = slope(centre + scale @ x)
                value, gradient = float(value), scale.T @ np.asarray(gradient)
                return (value, gradient) if np.isfinite(value) and np.isfinite(gradient).all() else (1e12, 0.0 * x)

            options = {"maxiter": _MOST, "maxcor": 40, "ftol": 0.0, "gtol": _GRADIENT}
            done = minimize(call, np.zeros(problem.size), jac=True, method="L-BFGS-B", options=options)
            at, steps = centre + scale @ done.x, steps + int(done.nit)
            steepest = float(np.abs(done.jac).max())
            tell(f"search {number + 1}, round {turn + 1}: {done.fun:.2f} after {steps} steps, gradient {steepest:.2g}")
            if turn and steepest <= _GRADIENT:
                break
        return {
            "vector": at,
            "value": float(done.fun),
            "gradient": steepest,
            "steps": steps,
            "converged": bool(steepest <= _GRADIENT),
        }

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(search, range(starts)))
    if not any(np.isfinite(m["value"]) and m["value"] < 1e11 for m in found):
        raise ZholError("no mode found: the model gives no finite predictions at any start")
    return found


def jacobian(problem: Problem, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of the scaled residuals, (figures, parameters), and the expected weight of each, (figures,)."""
    import jax
    import jax.numpy as jnp

    from zhol.system.likelihood import innovations

    with jax.enable_x64(True):
        _, scale = innovations(problem, jnp.asarray(vector))
        scale = jax.lax.stop_gradient(scale)

        def scaled(v: Any) -> Any:
            return innovations(problem, v)[0] / scale

        push = jax.jit(jax.vmap(lambda v, t: jax.jvp(scaled, (v,), (t,))[1], in_axes=(None, 0)))
        size, identity = problem.size, np.eye(problem.size)
        rows = np.pad(identity, ((0, -size % _WIDTH), (0, 0)))
        blocks = [rows[i : i + _WIDTH] for i in range(0, size, _WIDTH)]
        push(vector, blocks[0])

        def column(block: np.ndarray) -> np.ndarray:
            with jax.enable_x64(True):
                return np.asarray(push(vector, block))

        with ThreadPoolExecutor(2) as pool:
            columns = np.concatenate(list(pool.map(column, blocks)))[:size]
    df = problem.errors["df"]
    return columns.T, problem.errors["used"] * (df + 1.0) / (df + 3.0)


def _covariance(problem: Problem, vector: np.ndarray, check: bool = True) -> np.ndarray:
    """Inverse of the expected curvature: Fisher information of Student errors and the prior's own.

    It is positive by construction, whereas the curvature that happens to be observed need not be.
    """
    slopes, weight = jacobian(problem, vector)
    n, b, r = problem.model.layout.size, len(problem.obs.bias_groups), len(problem.obs.trend_groups)
    information = slopes.T @ (weight[:, None] * slopes) + np.eye(problem.size)
    kinds, df = problem.errors["kind"], problem.errors["df"]
    for k in range(problem.size - n - b - r):  # scales: 2 df / (df + 3) a figure, for the part that is ours
        here = (kinds == k) & (problem.errors["used"] > 0)
        further = np.exp(2.0 * (np.log(0.1) + vector[n + b + r + k]))
        part = further / (problem.errors["log_sd"][here] ** 2 + further)
        information[n + b + r + k, n + b + r + k] += float(np.sum(2.0 * df[here] / (df[here] + 3.0) * part**2))
    covariance = np.linalg.inv(information)
    widths = np.sqrt(np.diag(covariance))
    if check and (not np.isfinite(widths).all() or widths.max() > 1.0 + 1e-6):
        raise ZholError("the curvature at the mode is not that of a posterior", found=f"width {widths.max():.3g}")
    return 0.5 * (covariance + covariance.T)


def _nuts(
    problem: Problem, mode: np.ndarray, factor: np.ndarray, seed: int, draws: int, warmup: int, chains: int
) -> tuple[np.ndarray, dict[str, Any]]:
    """Draws by NUTS in coordinates in which Laplace's approximation is a standard normal."""
    import jax
    import jax.numpy as jnp
    from numpyro.diagnostics import effective_sample_size, split_gelman_rubin
    from numpyro.infer import MCMC, NUTS

    from zhol.system.likelihood import objective

    each = -(-draws // chains)
    with jax.enable_x64(True):
        centre, lower = jnp.asarray(mode), jnp.asarray(factor)

        def potential(x: Any) -> Any:
            return objective(problem, centre + lower @ x)

        kernel = NUTS(potential_fn=potential, dense_mass=False, max_tree_depth=6, target_accept_prob=0.8)
        sampler = MCMC(
            kernel,
            num_warmup=warmup,
            num_samples=each,
            num_chains=chains,
            chain_method="sequential",
            progress_bar=False,
        )
        begin = 0.1 * generator(seed, "nuts").standard_normal((chains, problem.size))
        sampler.run(
            jax.random.PRNGKey(seed),
            init_params=jnp.asarray(begin[0] if chains == 1 else begin),
            extra_fields=("diverging", "num_steps"),
        )
        x = np.asarray(sampler.get_samples(group_by_chain=True))
        fields = sampler.get_extra_fields()
    sample = mode + x @ factor.T
    halves = split_gelman_rubin(sample) if each > 3 else np.full(problem.size, np.nan)
    sizes = effective_sample_size(sample) if each > 3 else np.full(problem.size, np.nan)
    found = {
        "largest_rhat": float(np.nanmax(halves)),
        "share_rhat_below_1.01": float(np.mean(halves <= 1.01)),
        "least_effective_size": float(np.nanmin(sizes)),
        "divergent": int(np.sum(fields["diverging"])),
        "steps_per_draw": float(np.mean(fields["num_steps"])),
    }
    return sample.reshape(-1, problem.size)[:draws], found


__all__ = ["Fit", "calibrate", "fit_problem", "jacobian", "load_fit"]
