"""Latent classes with a Dirichlet-process prior (Manrique-Vallier 2016), many chains at once.

Cases fall into classes; within a class the lists are independent, each with its own probability of holding a case.
The classes' shares follow a stick-breaking prior cut at ``CLASSES``, its concentration α a Gamma(¼, ¼); the
probabilities are uniform; the population has the prior 1/N. One sweep is

1. Metropolis moves on shares and probabilities, with the classes of the cases and the number on no list integrated
   out (the likelihood of the observed cases is then a product of p(history) / (1 − p(no list))). One move shifts a
   class along the ridge on which fewer captures and more members are told apart only by repeated captures: without
   it the number on no list moves by steps of its own square root and the chain needs days.
2. Manrique-Vallier's Gibbs step: classes of the cases, number on no list and their classes, probabilities, shares, α.

The posterior has several modes on real tables, so each chain warms up on a random part of the cases that grows to
all of them: with few cases the chain moves freely, and it does not get caught where it started.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhol.estimate._multiple_systems.design import Array, Counts, Flags, Ints

CLASSES = 10
SHAPE = RATE = 0.25
CHAINS = 32
WARM_UP = 1000
SWEEPS = 1000
SMALL = 1e-12
SCALES = (0.1, 0.4, 1.2)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Draws of the number on no list.

    Attributes
    ----------
    unseen : array (sweeps, chains)
    classes : array (sweeps, chains)
        Number of classes with at least one case.
    split_r : float
        Split R-hat of the log population (1 means that the chains agree).
    """

    unseen: Array
    classes: Array
    split_r: float


@dataclass(eq=False)
class State:
    """Parameters of all chains: ``capture`` (chains, lists, classes), ``log_share`` (chains, classes), ``alpha``."""

    capture: Array
    log_share: Array
    alpha: Array

    def copy(self) -> State:
        """Independent copy."""
        return State(self.capture.copy(), self.log_share.copy(), self.alpha.copy())


def sample(
    counts: Array,
    k: int,
    rng: np.random.Generator,
    chains: int = CHAINS,
    warm_up: int = WARM_UP,
    sweeps: int = SWEEPS,
) -> Posterior:
    """Posterior of the number on no list, from counts by history (2^k − 1,)."""
    seen = np.flatnonzero(counts)
    lists = ((seen[:, None] + 1) >> np.arange(k) & 1).astype(float)
    cases = counts[seen].astype(np.int64)
    sampler = Sampler(lists, rng)
    state = draw_prior(chains, k, rng)
    shape = (chains, seen.size)
    unseen, classes = np.zeros((sweeps, chains)), np.zeros((sweeps, chains))
    for sweep in range(-warm_up, sweeps):
        part = min(1.0, 0.05 * 20.0 ** ((sweep + warm_up) / max(1.0, 0.8 * warm_up)))
        shown = np.broadcast_to(cases, shape) if part >= 1.0 else rng.binomial(cases, part, size=shape)
        state, hidden, occupied = sampler.sweep(state, shown)
        if sweep >= 0:
            unseen[sweep], classes[sweep] = hidden, occupied
    return Posterior(unseen, classes, split_r(np.log(cases.sum() + unseen)))


def draw_prior(chains: int, k: int, rng: np.random.Generator) -> State:
    """Starting values; α at one, the rest from the prior given it."""
    share = _break(np.ones((chains, CLASSES - 1)), np.ones((chains, CLASSES - 1)), rng)
    return State(rng.uniform(0.0, 0.5, size=(chains, k, CLASSES)), share, np.ones(chains))


def split_r(draws: Array) -> float:
    """Split R-hat (Gelman and others 2013) of draws (sweeps, chains)."""
    half = draws.shape[0] // 2
    parts = np.concatenate([draws[:half], draws[half : 2 * half]], axis=1)
    within = parts.var(0, ddof=1).mean()
    between = half * parts.mean(0).var(ddof=1)
    return float(np.sqrt((half - 1) / half + between / (half * within))) if within > 0 else float("inf")


class Sampler:
    """Sweeps over all chains for one set of observed histories ``lists`` (histories, lists)."""

    def __init__(self, lists: Array, rng: np.random.Generator) -> None:
        self.lists, self.rng = lists, rng

    def sweep(self, state: State, cases: Counts) -> tuple[State, Array, Array]:
        """One sweep; returns the new state, the number on no list and the number of classes in use."""
        state = self.ridge(state, cases)
        state = self.stretch(state, cases, several=bool(self.rng.integers(2)))
        state = self.swap(state)
        return self.gibbs(state, cases)

    # -- likelihood with classes and the number on no list integrated out -------------------------------------------

    def logs(self, state: State) -> tuple[Array, Array]:
        """Log joint probability of class and history (chains, histories, classes), and of class and no list."""
        on, off = np.log(state.capture), np.log1p(-state.capture)
        none = off.sum(1) + state.log_share
        return self.lists @ (on - off) + none[:, None, :], none

    def likelihood(self, state: State, cases: Counts) -> Array:
        """Log-likelihood of the observed cases, given that they are on some list (chains,)."""
        joint, none = self.logs(state)
        top = joint.max(2)
        history = top + np.log(np.exp(joint - top[:, :, None]).sum(2))
        missed = np.exp(none).sum(1)
        return np.asarray((history * cases).sum(1) - cases.sum(1) * np.log(np.maximum(1.0 - missed, 1e-300)))

    # -- Metropolis moves --------------------------------------------------------------------------------------------

    def ridge(self, state: State, cases: Counts) -> State:
        """Make one class easier or harder to list, and smaller or larger so that as many of it are seen."""
        chains = state.alpha.size
        shift = np.repeat(self._step(chains)[:, None], self.lists.shape[1], axis=1)
        return self._shift(state, cases, shift)

    def stretch(self, state: State, cases: Counts, *, several: bool) -> State:
        """Change one class's share alone, or one of its probabilities with the share that keeps as many seen."""
        chains, k = state.alpha.size, self.lists.shape[1]
        if several:
            return self._shift(state, cases, np.eye(k)[self.rng.integers(k, size=chains)] * self._step(chains)[:, None])
        pick = self.rng.integers(CLASSES, size=chains)
        factor = self._step(chains)
        share, jacobian = _rescale(state.log_share, pick, factor)
        return self._accept(state, State(state.capture, share, state.alpha), cases, jacobian)

    def swap(self, state: State) -> State:
        """Exchange two neighbouring classes: the likelihood stays, the prior of the shares does not."""
        chains = state.alpha.size
        rows, pick = np.arange(chains), self.rng.integers(CLASSES - 1, size=chains)
        order = np.tile(np.arange(CLASSES), (chains, 1))
        order[rows, pick], order[rows, pick + 1] = pick + 1, pick
        share = np.take_along_axis(state.log_share, order, axis=1)
        gain = share_prior(share, state.alpha) - share_prior(state.log_share, state.alpha)
        taken = np.log(self.rng.random(chains)) < gain
        capture = np.take_along_axis(state.capture, order[:, None, :], axis=2)
        return _choose(taken, State(capture, share, state.alpha), state)

    def _step(self, chains: int) -> Array:
        return np.asarray(self.rng.normal(0.0, self.rng.choice(SCALES), size=chains))

    def _shift(self, state: State, cases: Counts, shift: Array) -> State:
        """Move one class's capture log-odds by ``shift`` (chains, lists) and hold its seen share."""
        rows = np.arange(state.alpha.size)
        pick = self.rng.integers(CLASSES, size=rows.size)
        old = state.capture[rows, :, pick]
        odds = np.log(old) - np.log1p(-old) + shift
        new = np.clip(1.0 / (1.0 + np.exp(-odds)), SMALL, 1 - SMALL)
        factor = np.log(-np.expm1(np.log1p(-old).sum(1))) - np.log(-np.expm1(np.log1p(-new).sum(1)))
        jacobian = (np.log(new) + np.log1p(-new) - np.log(old) - np.log1p(-old)).sum(1)
        capture = state.capture.copy()
        capture[rows, :, pick] = new
        share, more = _rescale(state.log_share, pick, factor)
        return self._accept(state, State(capture, share, state.alpha), cases, jacobian + more)

    def _accept(self, state: State, trial: State, cases: Counts, jacobian: Array) -> State:
        gain = self.likelihood(trial, cases) - self.likelihood(state, cases) + jacobian
        gain += share_prior(trial.log_share, state.alpha) - share_prior(state.log_share, state.alpha)
        return _choose(np.log(self.rng.random(gain.size)) < gain, trial, state)

    # -- Gibbs step --------------------------------------------------------------------------------------------------

    def gibbs(self, state: State, cases: Counts) -> tuple[State, Array, Array]:
        """Classes, number on no list, probabilities, shares and α in turn."""
        rng, (joint, none) = self.rng, self.logs(state)
        member = np.exp(joint - joint.max(2, keepdims=True))
        seen = rng.multinomial(cases, member / member.sum(2, keepdims=True))
        missed = np.exp(none)
        never = missed.sum(1)
        total = np.maximum(cases.sum(1), 1)
        hidden = rng.negative_binomial(total, np.clip(1.0 - never, 1e-9, 1.0))
        absent = rng.multinomial(hidden, missed / never[:, None])
        size = seen.sum(1) + absent
        listed = np.matmul(seen.transpose(0, 2, 1), self.lists).transpose(0, 2, 1)
        capture = np.clip(rng.beta(1.0 + listed, 1.0 + size[:, None, :] - listed), SMALL, 1 - SMALL)
        after = size[:, ::-1].cumsum(1)[:, ::-1]
        share = _break(1.0 + size[:, :-1], state.alpha[:, None] + after[:, 1:], rng)
        alpha = rng.gamma(SHAPE + CLASSES - 1.0, 1.0 / (RATE - share[:, -1]))
        return State(capture, share, alpha), hidden, (size > 0).sum(1)


def share_prior(log_share: Array, alpha: Array) -> Array:
    """Log density of the shares under stick-breaking with concentration α, up to a function of α."""
    rest = np.logaddexp.accumulate(log_share[:, ::-1], axis=1)[:, ::-1]
    return np.asarray((alpha - 1.0) * log_share[:, -1] - rest[:, :-1].sum(1))


def _break(first: Array, second: Array, rng: np.random.Generator) -> Array:
    """Log shares from sticks broken at Beta(first, second); in logs, because a small α leaves almost nothing."""
    taken, left = _log_gamma(first, rng), _log_gamma(second, rng)
    whole = np.logaddexp(taken, left)
    nothing = np.zeros((first.shape[0], 1))
    return np.concatenate([nothing, np.cumsum(left - whole, axis=1)], axis=1) + np.concatenate(
        [taken - whole, nothing], axis=1
    )


def _log_gamma(shape: Array, rng: np.random.Generator) -> Array:
    """Log of Gamma(shape) draws that does not underflow at small shapes."""
    return np.asarray(np.log(rng.standard_gamma(shape + 1.0)) + np.log1p(-rng.random(shape.shape)) / shape)


def _rescale(log_share: Array, pick: Ints, factor: Array) -> tuple[Array, Array]:
    """Multiply one share by exp(factor) and normalise; returns the log Jacobian too."""
    rows = np.arange(pick.size)
    share = log_share.copy()
    share[rows, pick] += factor
    total = np.log1p(np.expm1(factor) * np.exp(log_share[rows, pick]))
    return share - total[:, None], factor - CLASSES * total


def _choose(taken: Flags, new: State, old: State) -> State:
    return State(
        np.where(taken[:, None, None], new.capture, old.capture),
        np.where(taken[:, None], new.log_share, old.log_share),
        old.alpha,
    )
