"""Calibration: the mode from several starts, Laplace's approximation, and draws from there by a walk or by NUTS."""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.draws import generator
from zhol.core.errors import ZholError, ZholWarning
from zhol.system.fit import Fit, load_fit
from zhol.system.instruments import month_number
from zhol.system.walk import walk_draws

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.likelihood import Problem
    from zhol.system.model import Model

_GAIN = 0.05  # log units that the search may leave on the table: Newton's decrement at its end
_GRADIENT = 0.01
_MOST = (350, 150)  # steps of the first round of the search and of each later one
_ROUNDS = 8  # more than it ever needed, so that a stop is a failure and is said
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
    begin: Fit | None = None,
    progress: Any = None,
) -> Fit:
    """Fit the system to the figures of its pack.

    Parameters
    ----------
    region : Region or Model
    until : str, optional
        Only figures whose period ends by this month; rules that began later are not applied either.
    method : {"laplace", "nuts"}
        ``laplace``: around the mode, by a random walk scaled by the expected curvature there (:mod:`zhol.system.walk`).
        ``nuts``: Hamiltonian Monte Carlo in
        coordinates scaled by Laplace's covariance.
    seed : int
    starts : int
        Searches for the mode: the first from the prior's centre, the others from draws of the prior.
    draws, warmup, chains : int
        Draws kept; for ``nuts`` warm-up and chains.
    begin : Fit, optional
        An earlier fit from whose mode the first search starts: a few figures more need few steps.
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
        begin=begin,
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
    begin: Fit | None = None,
    progress: Any = None,
) -> Fit:
    """Fit a problem that is already built; see :func:`calibrate`."""
    tell = progress or (lambda text: None)
    modes = _modes(problem, seed, starts, begin, tell)
    best = min(modes, key=lambda m: m["value"])
    tell(f"mode found: {best['value']:.1f}; curvature of {problem.size} parameters")
    covariance = _covariance(problem, best["vector"])
    factor = np.linalg.cholesky(covariance)
    diagnostics: dict[str, Any] = {
        "starts": [{k: m[k] for k in ("value", "gain", "steps", "converged")} for m in modes],
        "spread_of_modes": float(np.ptp([m["value"] for m in modes])),
    }
    if method == "nuts":
        tell("sampling")
        sample, found = _nuts(problem, best["vector"], factor, seed, draws, warmup, chains)
        diagnostics |= found
    else:
        tell(f"{draws} draws")
        sample, diagnostics["walk"] = walk_draws(problem, best["vector"], factor, draws, seed)
    if not best["converged"]:
        warnings.warn(
            ZholWarning(f"the search for the mode stopped {best['gain']:.2g} log units from it"), stacklevel=2
        )
    return Fit.of(
        problem, best["vector"], covariance, sample, until=until, method=method, seed=seed, diagnostics=diagnostics
    )


def _modes(problem: Problem, seed: int, starts: int, begin: Fit | None, tell: Any) -> list[dict[str, Any]]:
    import jax
    from scipy.optimize import minimize

    from zhol.system.engine import use_cache
    from zhol.system.likelihood import objective

    use_cache()
    with jax.enable_x64(True):
        slope = jax.jit(jax.value_and_grad(lambda v: objective(problem, v)))
        slope(np.zeros(problem.size))

    def search(number: int) -> dict[str, Any]:
        at = np.zeros(problem.size) if begin is None else _carried(problem, begin)
        if number:
            at = 0.5 * generator(seed, "start", str(number)).standard_normal(problem.size)
        steps = 0
        for turn in range(_ROUNDS):
            # First as it is, to come near; then in coordinates scaled by the curvature there, in which every direction
            # is about equally steep. Far from the mode that curvature leads astray.
            near = turn or (begin is not None and not number)
            scale = np.linalg.cholesky(_covariance(problem, at)) if near else np.eye(problem.size)
            centre = at

            def call(x: np.ndarray, centre: np.ndarray = centre, scale: np.ndarray = scale) -> tuple[float, np.ndarray]:
                with jax.enable_x64(True):
                    value, gradient = slope(centre + scale @ x)
                value, gradient = float(value), scale.T @ np.asarray(gradient)
                return (value, gradient) if np.isfinite(value) and np.isfinite(gradient).all() else (1e12, 0.0 * x)

            options: Any = {"maxiter": _MOST[bool(turn)], "maxcor": 40, "ftol": 0.0, "gtol": _GRADIENT}
            done = minimize(call, np.zeros(problem.size), jac=True, method="L-BFGS-B", options=options)
            at, steps = centre + scale @ done.x, steps + int(done.nit)
            gain = 0.5 * float(done.jac @ done.jac)  # in these coordinates the curvature is about 1
            tell(f"search {number + 1}, round {turn + 1}: {done.fun:.2f} after {steps} steps, to gain {gain:.2g}")
            if near and gain <= _GAIN:
                break
        return {
            "vector": at,
            "value": float(done.fun),
            "gain": gain,
            "steps": steps,
            "converged": bool(gain <= _GAIN),
        }

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(search, range(starts)))
    if not any(np.isfinite(m["value"]) and m["value"] < 1e11 for m in found):
        raise ZholError("no mode found: the model gives no finite predictions at any start")
    return found


def _carried(problem: Problem, begin: Fit) -> np.ndarray:
    """Mode of an earlier fit under the names of this problem; what it does not know starts at the prior's centre."""
    known = dict(zip(begin.names, begin.mode, strict=True))
    n = problem.model.layout.size
    rest = [known.get(name, 0.0) for name in problem.names[n:]]
    return np.concatenate([begin.vectors(problem.model, 0, 1)[0], rest])


def slopes(problem: Problem, vector: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Derivatives of the scaled residuals and of their log scales, both (figures, entries)."""
    import jax
    import jax.numpy as jnp

    from zhol.system.likelihood import innovations

    with jax.enable_x64(True):
        fixed = innovations(problem, jnp.asarray(vector))[1]

        def parts(v: Any) -> Any:
            residual, scale = innovations(problem, v)
            return residual / fixed, jnp.log(scale)

        push = jax.jit(jax.vmap(lambda v, t: jax.jvp(parts, (v,), (t,))[1], in_axes=(None, 0)))
        size = problem.size
        rows = np.pad(np.eye(size), ((0, -size % _WIDTH), (0, 0)))
        blocks = [rows[i : i + _WIDTH] for i in range(0, size, _WIDTH)]
        push(vector, blocks[0])

        def column(block: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            with jax.enable_x64(True):
                return tuple(np.asarray(a) for a in push(vector, block))  # type: ignore[return-value]

        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(column, blocks))
    return tuple(np.concatenate([f[i] for f in found])[:size].T for i in (0, 1))  # type: ignore[return-value]


def _covariance(problem: Problem, vector: np.ndarray) -> np.ndarray:
    """Inverse of the expected curvature: Fisher information of Student errors and the prior's own.

    It is positive by construction, whereas the curvature that happens to be observed need not be. For t with df degrees
    of freedom a location has the information (df + 1) / (df + 3), a log scale 2 df / (df + 3) (Lange et al. 1989).
    """
    location, scale = slopes(problem, vector)
    df, used = problem.df, problem.used
    information = location.T @ ((used * (df + 1.0) / (df + 3.0))[:, None] * location)
    information += scale.T @ ((used * 2.0 * df / (df + 3.0))[:, None] * scale) + np.eye(problem.size)
    covariance = np.linalg.inv(information)
    widths = np.sqrt(np.diag(covariance))
    if not np.isfinite(widths).all() or widths.max() > 1.0 + 1e-6:
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


__all__ = ["Fit", "calibrate", "fit_problem", "load_fit", "slopes"]
