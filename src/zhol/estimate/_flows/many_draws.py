"""Flows of many drawn stocks, in parts that run here or on a cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhol.core import jobs
from zhol.estimate._flows import accounts
from zhol.estimate._flows.scaling import Array
from zhol.estimate._flows.stock_draws import ErrorLaw, Gaps, gap_errors, perturb, standard_errors

_CELLS = 600_000  # cells of a batch, so that a part needs some tens of megabytes


@dataclass(frozen=True)
class Job:
    """What the draws of one period need; plain arrays, so that it travels."""

    places: tuple[str, ...]
    start: Array
    end: Array
    births: Array
    deaths: Array
    plan: accounts.Plan
    law: ErrorLaw
    width: Array
    gaps: tuple[Gaps, Gaps]
    seed: int
    lags: tuple[int, int] = (0, 1)


def run_part(task: tuple[Job, int, int]) -> Array:
    """Moves (draw, origin, destination) of some draws, single precision."""
    start, end, births, deaths = _drawn(*task)
    return accounts.matrices(start, end, births, deaths, task[0].plan).astype(np.float32)


def run_cubes(job: Job, draws: int) -> Array:
    """Flows (draw, origin, destination, birthplace) of all draws, single precision; for few places only."""
    cubes = []
    for one in range(draws):
        matched = accounts.make_account(*_drawn(job, one, one + 1), job.plan).matched
        cubes.append(accounts.mixed_cube(matched, job.plan)[0].astype(np.float32))
    return np.stack(cubes)


def _drawn(job: Job, first: int, last: int) -> tuple[Array, Array, Array, Array]:
    """Stocks and vital events of some draws."""
    stocks: tuple[list[Array], list[Array]] = ([], [])
    for draw in range(first, last):
        errors = standard_errors(job.places, job.law, job.seed, draw, job.lags)
        misfits = _misfits(job, draw)
        for k, stock in enumerate((job.start, job.end)):
            stocks[k].append(perturb(stock, job.law, job.width, job.gaps[k], errors[k], misfits[k]))
    start, end = (np.stack(s) for s in stocks)
    births, deaths = (np.broadcast_to(v, (last - first, len(v))).copy() for v in (job.births, job.deaths))
    return start, end, births, deaths


def _misfits(job: Job, draw: int) -> list[Array]:
    if not any(gaps.never.any() or gaps.once.any() for gaps in job.gaps):
        return [job.start, job.end]  # no gap looks at them
    return gap_errors(job.places, job.gaps[0].persistence, job.seed, draw, job.lags)


def parts(job: Job, draws: int) -> list[tuple[Job, int, int]]:
    """Tasks that together make all draws."""
    step = max(1, _CELLS // len(job.places) ** 2)
    return [(job, first, min(first + step, draws)) for first in range(0, draws, step)]


def run(job: Job, draws: int, cluster: str | None) -> Array:
    """All draws of one period, shape (draw, origin, destination)."""
    return np.concatenate(jobs.run(run_part, parts(job, draws), cluster=cluster))
