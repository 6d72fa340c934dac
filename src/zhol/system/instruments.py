"""Instruments as the month sees them: dated paths of intensity that multiply named parameters."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.system.names import LEVERS

if TYPE_CHECKING:
    from zhol.system.model import Model

Array = Any


@dataclass(frozen=True)
class Effect:
    """Log-multiplier of one lever at intensity 1.

    Parameters
    ----------
    lever : str
        A name of ``zhol.system.names.LEVERS``.
    components : tuple of (weight, mean, sd)
        Mixture of normal distributions on the log scale; a standard deviation of 0 is a fixed number.
    side : str, optional
        Whom the effect touches, where it is not the side that the lever names.

    Examples
    --------
    >>> from zhol.system.instruments import Effect
    >>> Effect("interception", ((1.0, 0.5, 0.2),)).mean
    0.5
    """

    lever: str
    components: tuple[tuple[float, float, float], ...]
    side: str | None = None

    def __post_init__(self) -> None:
        if self.lever not in LEVERS:
            raise ZholError("unknown lever", found=self.lever, expected=", ".join(LEVERS))
        if not self.components or any(w < 0 or sd < 0 for w, _, sd in self.components):
            raise ZholError("weights and standard deviations cannot be negative", found=str(self.components))
        if not all(math.isfinite(x) for part in self.components for x in part):
            raise ZholError("an effect is made of finite numbers", found=str(self.components))
        if sum(w for w, _, _ in self.components) <= 0:
            raise ZholError("weights of a mixture add up to nothing", found=str(self.components))
        mine = LEVERS[self.lever].side
        if self.side is not None and self.side not in (
            (mine,) if mine in ("leg", "place") else ("origin", "destination")
        ):
            raise ZholError(f"lever {self.lever} cannot be moved from this side", found=self.side)

    @property
    def mean(self) -> float:
        """Mean of the mixture."""
        total = sum(w for w, _, _ in self.components)
        return sum(w * m for w, m, _ in self.components) / total

    @property
    def where(self) -> str:
        """The side that the effect touches."""
        return self.side or LEVERS[self.lever].side

    def draws(self, count: int, seed: int, owner: str) -> np.ndarray:
        """Draws of the log-multiplier; they depend on the seed and the names alone, not on how many there are."""
        pick = generator(seed, "effect", owner, self.lever, "component").random(count)
        score = generator(seed, "effect", owner, self.lever).standard_normal(count)
        weights = np.array([w for w, _, _ in self.components])
        which = np.searchsorted(np.cumsum(weights / weights.sum())[:-1], pick, side="right")
        means, sds = np.array([[m, s] for _, m, s in self.components]).T
        return means[which] + sds[which] * score


@dataclass(frozen=True)
class Action:
    """One instrument used by one actor, toward one partner or all, along a dated path of intensity.

    Parameters
    ----------
    name : str
        The instrument; draws of its effects depend on the seed, this name and the lever, so two scenarios share them.
    actor : str
        Place code.
    partner : str, optional
        Place code; None means every partner.
    path : tuple of (month, intensity)
        ``(("2025-01", 0.0), ("2026-01", 0.8))``: linear between points, 0 before the first, the last kept after.
    effects : tuple of Effect
    announced : str, optional
        Month from which people know that it comes; until the path begins ``anticipation`` acts in full.
    anticipation : Effect, optional

    Examples
    --------
    >>> from zhol.system.instruments import Action
    >>> Action("visas", "KAZ", path=(("2025-01", 0.0), ("2025-05", 1.0))).intensity(["2024-12", "2025-03", "2030-01"])
    array([0. , 0.5, 1. ])
    """

    name: str
    actor: str
    partner: str | None = None
    path: tuple[tuple[str, float], ...] = ()
    effects: tuple[Effect, ...] = ()
    announced: str | None = None
    anticipation: Effect | None = None

    def __post_init__(self) -> None:
        months = [month_number(m) for m, _ in self.path]
        if any(b < a for a, b in pairwise(months)):
            raise ZholError(f"the path of {self.name} runs back in time", found=str(self.path))
        for _, x in self.path:
            if not 0.0 <= x <= 1.0:
                raise ZholError(f"intensity of {self.name} outside 0 to 1", found=str(x), expected="0 to 1")
        if self.announced is not None:
            month_number(self.announced)

    def intensity(self, months: Sequence[str]) -> np.ndarray:
        """Intensity in each month, before leakage."""
        if not self.path:
            return np.zeros(len(months))
        at = np.array([month_number(m) for m in months], dtype=float)
        x, y = np.array([month_number(m) for m, _ in self.path], dtype=float), np.array([v for _, v in self.path])
        # Two points in one month are a jump: the later value holds from that month on.
        last = np.maximum(np.searchsorted(x, at, side="right") - 1, 0)
        after = np.minimum(last + 1, len(x) - 1)
        span = np.where(after > last, x[after] - x[last], 1.0)
        return np.where(at < x[0], 0.0, y[last] + (y[after] - y[last]) * (at - x[last]) / span)

    def awaited(self, months: Sequence[str]) -> np.ndarray:
        """1 in the months between announcement and start, else 0."""
        if self.announced is None or self.anticipation is None or not self.path:
            return np.zeros(len(months))
        at = np.array([month_number(m) for m in months])
        return ((at >= month_number(self.announced)) & (at < month_number(self.path[0][0]))).astype(float)


def month_number(month: str) -> int:
    """Months since the year 0 of a month such as ``2024-07``."""
    try:
        year, number = month.split("-")
        if len(year) == 4 and 1 <= int(number) <= 12:
            return int(year) * 12 + int(number) - 1
    except (ValueError, AttributeError):
        pass
    raise ZholError("not a month", found=str(month), expected="YYYY-MM, such as 2024-07")


def month_range(start: str, end: str) -> list[str]:
    """Every month from start to end, both included."""
    first, last = month_number(start), month_number(end)
    if last < first:
        raise ZholError("the end lies before the start", found=f"{start} to {end}")
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(first, last + 1)]


@dataclass(frozen=True)
class Hooks:
    """Actions as arrays: T months, K action-effects, D draws; masks say which corridors, legs or places each touches.

    Attributes
    ----------
    levers : tuple of str
        Levers that are touched; a static part of the compiled month.
    intensity : (T, K) array
    actor : (K,) array of place numbers, or -1
    effect : mapping of lever to (D, K) array of log-multipliers
    mask : mapping of lever to (K, members) array of 0 and 1
    """

    levers: tuple[str, ...]
    intensity: np.ndarray
    actor: np.ndarray
    effect: dict[str, np.ndarray]
    mask: dict[str, np.ndarray]


def actions_of(scenario: Any, model: Model) -> tuple[Action, ...]:
    """The actions of whatever is given as a scenario: None, actions, or an object with ``actions(model)``."""
    if scenario is None:
        return ()
    if hasattr(scenario, "actions"):
        return tuple(scenario.actions(model))
    if isinstance(scenario, Action):
        return (scenario,)
    if isinstance(scenario, Iterable):
        found = tuple(scenario)
        if all(isinstance(a, Action) for a in found):
            return found
    raise ZholError("not a scenario", found=type(scenario).__name__, expected="None, actions, or a policy.Scenario")


def compile_actions(actions: Sequence[Action], model: Model, months: Sequence[str], draws: int, seed: int) -> Hooks:
    """Turn actions into the arrays of the month; without draws every effect is at its mean.

    Actions that never act are left out, so they change nothing at all.
    """
    rows: list[tuple[np.ndarray, int, str, Effect, Action]] = []
    for action in sorted(actions, key=lambda a: (a.name, a.actor, a.partner or "", a.path)):
        for place in (action.actor, action.partner):
            if place is not None and place not in model.places:
                raise ZholError("unknown place in a scenario", found=place, expected="a place of the pack")
        parts = [(action.intensity(months), effect) for effect in action.effects]
        if action.anticipation is not None and any(x > 0.0 for _, x in action.path):  # nobody awaits nothing
            parts.append((action.awaited(months), action.anticipation))
        for path, effect in parts:
            if path.any() and any(m != 0.0 or s != 0.0 for _, m, s in effect.components):
                rows.append((path, model.places.index(action.actor), action.name, effect, action))
    levers = tuple(name for name in LEVERS if any(r[3].lever == name for r in rows))
    sizes = {name: np.zeros((max(draws, 1), len(rows))) for name in levers}
    mask = {name: np.zeros((len(rows), model.members(LEVERS[name].side))) for name in levers}
    for k, (_, _, owner, one, action) in enumerate(rows):
        sizes[one.lever][:, k] = one.draws(draws, seed, owner) if draws else one.mean
        mask[one.lever][k] = model.touches(one.where, action.actor, action.partner)
    intensity = np.stack([r[0] for r in rows], axis=1) if rows else np.zeros((len(months), 0))
    return Hooks(levers, intensity, np.array([r[1] for r in rows], dtype=np.int32), sizes, mask)


def log_multipliers(
    levers: tuple[str, ...],
    intensity: Array,
    actor: Array,
    effect: dict[str, Array],
    mask: dict[str, Array],
    leakage: Array,
    xp: Any,
) -> dict[str, Array]:
    """Log-multiplier of each touched lever this month: the sum of effect times intensity that arrives.

    Leakage is itself a lever: what moves it is not subject to it.
    """
    if not levers:
        return {}
    if "leakage" in levers:
        odds = leakage / (1.0 - leakage) * xp.exp((intensity * effect["leakage"]) @ mask["leakage"])
        leakage = odds / (1.0 + odds)
    arrives = intensity * (1.0 - leakage[actor])
    return {name: (arrives * effect[name]) @ mask[name] for name in levers if name != "leakage"}


def multipliers(
    levers: tuple[str, ...],
    intensity: Array,
    actor: Array,
    effect: dict[str, Array],
    mask: dict[str, Array],
    leakage: Array,
    xp: Any,
) -> dict[str, Array]:
    """Multiplier of each touched lever this month: exp(sum of effect times intensity that arrives)."""
    logs = log_multipliers(levers, intensity, actor, effect, mask, leakage, xp)
    return {name: xp.exp(log) for name, log in logs.items()}
