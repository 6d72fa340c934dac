"""What the data say of the parameters: predictions of every figure and the log posterior, in JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np

from zhol.system import step
from zhol.system.driver_paths import driver_paths
from zhol.system.engine import begin, growth_of
from zhol.system.expectations import expected_of, log_ratios
from zhol.system.instruments import month_number, month_range
from zhol.system.names import CHANNELS, FLOWS
from zhol.system.observations import Observations, observations
from zhol.system.regimes import regime_paths
from zhol.system.step import Month, Policy, State

if TYPE_CHECKING:
    from zhol.system.model import Model

Array = Any
_DRIVERS = ("working_age", "income_ppp", "income_usd", "employment", "conflict", "death_rate")
_LEAST = 1e-3  # persons: the log of a prediction of nobody
# What the model leaves out of each kind of series: prior of a further log error, median and log-sd; ours, wide.
_EXTRA = (0.1, 1.0)
# Errors of figures that follow each other in a cell persist; the map says how far where rival revisions tell. Prior sd
# of the log odds. A free scale was tried and fell to nothing: two or three points a corridor can always be met.
_PERSISTENCE_SD = 1.5
_NORMAL = 1e4  # degrees of freedom: as good as normal
# Growth that the model does not tell, from one figure of a cell to the next: the share of it that goes on after five
# years. Publishers draw smooth lines between censuses, each in its own way. Prior sd of the log odds of that share,
# common to all, and of each destination.
_MOMENTUM = (1.0, 1.0)
_PERSISTENCE = 0.3  # prior median of what is left after five years where no revisions tell: 0.79 after one


@dataclass(frozen=True)
class Problem:
    """A model beside its observations.

    The vector that is fitted holds the model's parameters, the biases and the recording trends of groups of series (all
    with a standard normal prior), and for each kind of series the log of a further error that the model leaves.
    """

    model: Model
    obs: Observations
    months: list[str]
    rows: Month
    world: Any
    cells: dict[str, np.ndarray]
    terms: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]

    @property
    def df(self) -> np.ndarray:
        """Degrees of freedom of what the posterior weighs: every figure, then every expectation, which is normal."""
        return np.concatenate([self.errors["df"], np.full(len(expected_of(self.model)[0]), _NORMAL)])

    @property
    def used(self) -> np.ndarray:
        """1 for what the posterior weighs, 0 for figures of events that the run does not hold."""
        return np.concatenate([self.errors["used"], np.ones(len(expected_of(self.model)[0]))])

    @property
    def names(self) -> list[str]:
        """Name of every entry of the fitted vector."""
        kinds = sorted(set(self.obs.table["kind"]))
        return [
            *self.model.layout.names(),
            *[f"bias {g}" for g in self.obs.bias_groups],
            *[f"trend {g}" for g in self.obs.trend_groups],
            *[f"further error {k}" for k in kinds],
            *[f"persistence {k}" for k in kinds],
            "momentum",
            *[f"momentum {d}" for d in self.errors["moving"]],
        ]

    @property
    def size(self) -> int:
        """Length of the fitted vector."""
        return len(self.names)


def build_problem(
    model: Model,
    *,
    start: str = "2000-01",
    until: str | None = None,
    last: str | None = None,
    obs: Observations | None = None,
    drivers_until: str | None = None,
) -> Problem:
    """Tie a model to the figures of its pack.

    Parameters
    ----------
    until : str, optional
        Only figures whose period ends by this month.
    last : str, optional
        Month to which the system is run; that of the last figure by default.
    drivers_until : str, optional
        Drivers are projected from this month on, not observed.
    """
    if obs is None:
        obs = observations(model.region, model.corridors, model.places, until=until, since=start)
    first, final = obs.months(start)
    end_number = month_number(start) + (int(final.max()) if len(final) else 11)
    if last is not None:
        end_number = max(end_number, month_number(last))
    end = f"{end_number // 12:04d}-{end_number % 12 + 1:02d}"
    months = month_range(start, end)
    paths = driver_paths(model.region, model.places, start=start, end=end, draws=0, seed=1, until=drivers_until)
    regimes = np.asarray(
        regime_paths(model.region, model.corridors, start, end, policies_until=model.policies_until).index
    )
    with jax.enable_x64(True):
        drivers = {n: jnp.asarray(getattr(paths, n), jnp.float64) for n in _DRIVERS}
        rows = Month(
            drivers,
            growth_of(drivers["working_age"]),
            jax.nn.one_hot(regimes, 3, dtype=jnp.float64),
            jnp.zeros((len(months), 0)),
        )
    return Problem(model, obs, months, rows, model.world(start), *_index(obs, first, final), _errors(obs))


def _index(
    obs: Observations, first: np.ndarray, final: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Cells of the system that some figure speaks of, and the sums of them that each figure measures."""
    cells: dict[tuple[int, int, int], int] = {}
    where = np.empty(len(obs.obs_index), dtype=np.int32)
    for i, (c, s, a) in enumerate(zip(obs.corridor_index, obs.status_index, obs.account_index, strict=True)):
        if s >= 0:
            key = (0, int(c), int(s))
        else:
            name = obs.accounts[int(a)]
            head, _, channel = name.partition(":")
            key = (1, int(c), CHANNELS.index(channel)) if head == "entries" else (2, int(c), FLOWS.index(name))
        where[i] = cells.setdefault(key, len(cells))
    keys = np.array(list(cells), dtype=np.int32).reshape(-1, 3)
    order = np.argsort(keys[:, 0], kind="stable")
    place = np.empty(len(order), dtype=np.int32)
    place[order] = np.arange(len(order))
    keys = keys[order]
    measure = np.array(obs.table["measure"].to_list())[obs.obs_index]
    divisor = np.where(measure == "stock_mean", (final - first + 1)[obs.obs_index], 1.0)
    terms = {
        "cell": place[where],
        "first": first[obs.obs_index],
        "final": final[obs.obs_index],
        "point": measure == "stock",
        "weight": obs.weight / divisor,
        "obs": obs.obs_index,
    }
    return {name: keys[keys[:, 0] == i, 1:] for i, name in enumerate(("people", "entries", "flows"))}, terms


def _errors(obs: Observations) -> dict[str, np.ndarray]:
    """Errors of the figures as arrays: scales, degrees of freedom, groups, and the figure before in the same cell."""
    t = obs.table
    biases, trends = list(obs.bias_groups), list(obs.trend_groups)
    kinds = sorted(set(t["kind"]))
    before, gap = np.full(t.height, -1, dtype=np.int32), np.zeros(t.height)
    latest: dict[tuple[Any, ...], tuple[int, int]] = {}
    ends = [month_number(m) for m in t["month_end"]]
    labels = [str(label).split("(")[-1] for label in t["label"]]
    for i in sorted(range(t.height), key=lambda j: ends[j]):
        revision = labels[i] if t["persistence"][i] > 0 and t["bias_group"][i] else "both"
        key = (t["series"][i], t["origin"][i], t["destination"][i], revision)
        found = latest.get(key) or latest.get((*key[:3], "both"))
        if found is not None and ends[i] > found[1]:
            before[i], gap[i] = found[0], (ends[i] - found[1]) / 60.0
        latest[key] = (i, ends[i])
    second = np.where(before >= 0, before[before], -1)
    moving = sorted({d for d, k, p in zip(t["destination"], t["series"], t["persistence"], strict=True) if p > 0})
    at = {d: i for i, d in enumerate(moving)}
    own = [at[d] if p > 0 else len(at) for d, p in zip(t["destination"], t["persistence"], strict=True)]
    return {
        "second": second,
        "stride": np.where(second >= 0, gap / np.maximum(gap[before], 1e-9), 0.0),
        "moving": np.array(moving, dtype=str),
        "own": np.array(own, dtype=np.int32),
        "log_value": np.log(t["value"].to_numpy()),
        "log_sd": t["log_sd"].to_numpy(),
        "df": t["df"].to_numpy(),
        "bias": np.array([biases.index(g) if g else len(biases) for g in t["bias_group"]], dtype=np.int32),
        "bias_sd": t["bias_sd"].to_numpy(),
        "trend": np.array([trends.index(g) if g else len(trends) for g in t["trend_group"]], dtype=np.int32),
        "trend_sd": t["trend_sd"].to_numpy() * t["trend_years"].to_numpy(),
        "kind": np.array([kinds.index(k) for k in t["kind"]], dtype=np.int32),
        "before": before,
        "gap": gap,
        "five_years": np.where(t["persistence"].to_numpy() > 0, t["persistence"].to_numpy(), _PERSISTENCE),
        # A figure of an event speaks only of a run in which the event takes place.
        "used": np.array([0.0 if event else 1.0 for event in t["event"]]),
    }


def log_predictions(problem: Problem, vector: Array) -> Array:
    """Log of what the model says of every figure, biases not included, (figures,)."""
    return _course(problem, vector)[0]


def _course(problem: Problem, vector: Array) -> tuple[Array, Array]:
    """Logs of what the model says of every figure, and of the expected ratios in the mean of the months."""
    p = problem.model.layout.values(vector[: problem.model.layout.size], jnp)
    world, rows = problem.world, problem.rows
    state, start = begin(world, p, jax.tree.map(lambda a: a[0], rows))
    none = Policy(jnp.zeros(0, jnp.int32), {}, {})
    cells = problem.cells

    def month(state: State, row: Month) -> tuple[State, Array]:
        state, out = step.month_step(world, p, start, none, (), state, row, 1.0, jnp)
        seen = [
            state.people[cells["people"][:, 0], cells["people"][:, 1]],
            out["entries"][cells["entries"][:, 0], cells["entries"][:, 1]],
            out["flows"][cells["flows"][:, 0], cells["flows"][:, 1]],
        ]
        return state, (jnp.concatenate(seen), log_ratios(problem.model, state.people, jnp))

    _, (seen, ratios) = jax.lax.scan(jax.checkpoint(month), state, rows)
    total = jnp.concatenate([jnp.zeros_like(seen[:1]), jnp.cumsum(seen, axis=0)])
    t = problem.terms
    over = total[t["final"] + 1, t["cell"]] - total[t["first"], t["cell"]]
    value = jnp.where(t["point"], seen[t["final"], t["cell"]], over) * t["weight"]
    figures = jnp.log(jax.ops.segment_sum(value, t["obs"], problem.obs.table.height) + _LEAST)
    return figures, ratios.mean(axis=0)


def split_vector(problem: Problem, vector: Array) -> tuple[Array, Array]:
    """Biases and trends out of the fitted vector, each with a last entry for figures without."""
    n, b, r = problem.model.layout.size, len(problem.obs.bias_groups), len(problem.obs.trend_groups)
    zero = jnp.zeros(1)
    return jnp.concatenate([vector[n : n + b], zero]), jnp.concatenate([vector[n + b : n + b + r], zero])


def error_model(problem: Problem, vector: Array, xp: Any = jnp) -> tuple[Array, Array, Array]:
    """Scale of what is new in every figure's error, the share it keeps of the error before it, and of the step before.

    The publisher's error persists within a cell, and so does its growth; what the model leaves out besides comes anew
    with every figure. All (..., figures).
    """
    e, n, b = problem.errors, problem.model.layout.size, len(problem.obs.bias_groups) + len(problem.obs.trend_groups)
    kinds, first = int(e["kind"].max()) + 1, n + b
    further = xp.log(_EXTRA[0]) + _EXTRA[1] * vector[..., first : first + kinds]
    odds = xp.log(e["five_years"] / (1.0 - e["five_years"]))
    odds = odds + _PERSISTENCE_SD * vector[..., first + kinds : first + 2 * kinds][..., e["kind"]]
    kept = xp.where(e["before"] >= 0, (1.0 / (1.0 + xp.exp(-odds))) ** e["gap"], 0.0)
    scale = xp.sqrt(e["log_sd"] ** 2 * (1.0 - kept**2) + xp.exp(2.0 * further[..., e["kind"]]))
    last = vector[..., first + 2 * kinds :]
    score = _MOMENTUM[0] * last[..., :1] + _MOMENTUM[1] * xp.concatenate([last[..., 1:], 0.0 * last[..., :1]], axis=-1)
    goes_on = (1.0 / (1.0 + xp.exp(-score[..., e["own"]]))) ** e["gap"] * e["stride"]
    return scale, kept, xp.where((e["second"] >= 0) & (e["own"] < len(e["moving"])), goes_on, 0.0)


def innovations(problem: Problem, vector: Array) -> tuple[Array, Array]:
    """Residuals and their scales: of every figure given the one before it in its cell, then of every expectation."""
    e = problem.errors
    bias, trend = split_vector(problem, vector)
    figures, ratios = _course(problem, vector)
    mean = figures + bias[e["bias"]] * e["bias_sd"] - trend[e["trend"]] * e["trend_sd"]
    residual = e["log_value"] - mean
    scale, kept, goes_on = error_model(problem, vector)
    before = jnp.where(e["before"] >= 0, residual[e["before"]], 0.0)
    new = residual - kept * before
    new = new - goes_on * jnp.where(e["second"] >= 0, new[e["before"]], 0.0)
    _, median, width = expected_of(problem.model)
    return jnp.concatenate([new, median - ratios]), jnp.concatenate([scale, jnp.asarray(width)])


def objective(problem: Problem, vector: Array) -> Array:
    """Minus the log posterior up to a constant: Student errors, expected ratios, standard normal priors."""
    residual, scale = innovations(problem, vector)
    df = problem.df
    fit = 0.5 * (df + 1.0) * jnp.log1p((residual / scale) ** 2 / df) + jnp.log(scale)
    return jnp.sum(fit * problem.used) + 0.5 * jnp.sum(vector**2)
