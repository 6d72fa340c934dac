"""Values with exact first and second derivatives: so every model's score and information follow from its formula."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = Any  # a NumPy array, or the number 0.0 where a derivative is zero everywhere


def _is_zero(a: Array) -> bool:
    return isinstance(a, float) and a == 0.0


def _times(a: Array, b: Array) -> Array:
    return 0.0 if _is_zero(a) or _is_zero(b) else a * b


def _plus(a: Array, b: Array) -> Array:
    if _is_zero(a):
        return b
    return a if _is_zero(b) else a + b


class Jet:
    """A value ``v``, its gradient ``g`` (list over parameters) and Hessian ``h`` (upper triangle by rows, or None)."""

    __slots__ = ("g", "h", "v")

    def __init__(self, v: Array, g: list[Array], h: list[Array] | None) -> None:
        self.v, self.g, self.h = v, g, h

    def chain(self, f: Array, f1: Array, f2: Array | Callable[[], Array]) -> Jet:
        """Apply a function of one variable, given its value and first two derivatives."""
        g = [_times(f1, gi) for gi in self.g]
        if self.h is None:
            return Jet(f, g, None)
        second = f2() if callable(f2) else f2
        h = [
            _plus(_times(f1, hij), _times(second, _times(self.g[i], self.g[j])))
            for hij, (i, j) in zip(self.h, pairs(len(g)), strict=True)
        ]
        return Jet(f, g, h)

    def __add__(self, other: Jet | float) -> Jet:
        if not isinstance(other, Jet):
            return Jet(self.v + other, self.g, self.h)
        h = None if self.h is None or other.h is None else [_plus(a, b) for a, b in zip(self.h, other.h, strict=True)]
        return Jet(self.v + other.v, [_plus(a, b) for a, b in zip(self.g, other.g, strict=True)], h)

    def __neg__(self) -> Jet:
        return Jet(-self.v, [-a for a in self.g], None if self.h is None else [-a for a in self.h])

    def __sub__(self, other: Jet) -> Jet:
        return self + (-other)

    def __mul__(self, other: Jet) -> Jet:
        g = [_plus(_times(a, other.v), _times(self.v, b)) for a, b in zip(self.g, other.g, strict=True)]
        if self.h is None or other.h is None:
            return Jet(self.v * other.v, g, None)
        h = []
        for n, (i, j) in enumerate(pairs(len(g))):
            cross = _plus(_times(self.g[i], other.g[j]), _times(self.g[j], other.g[i]))
            h.append(_plus(cross, _plus(_times(self.h[n], other.v), _times(self.v, other.h[n]))))
        return Jet(self.v * other.v, g, h)

    def exp(self) -> Jet:
        e = np.exp(self.v)
        return self.chain(e, e, e)

    def log(self, value: Array | None = None) -> Jet:
        """Logarithm; ``value`` may give it where a more accurate formula is known."""
        inverse = 1.0 / self.v
        return self.chain(np.log(self.v) if value is None else value, inverse, lambda: -inverse * inverse)

    def log1mexp(self) -> Jet:
        """log(1 − e^s) of a negative s, without loss of digits near zero."""
        with np.errstate(over="ignore", divide="ignore"):  # far from zero the slope is 0, at zero it is infinite
            first = -1.0 / np.expm1(-self.v)
            value = np.log(-np.expm1(self.v))
        return self.chain(value, first, lambda: first - first * first)


def pairs(k: int) -> list[tuple[int, int]]:
    """Upper triangle of a k × k matrix, by rows."""
    return [(i, j) for i in range(k) for j in range(i, k)]


def log_sum(a: Jet, b: Jet) -> Jet:
    """log(e^a + e^b)."""
    value = np.logaddexp(a.v, b.v)
    p, q = np.exp(a.v - value), np.exp(b.v - value)
    g = [_plus(_times(p, x), _times(q, y)) for x, y in zip(a.g, b.g, strict=True)]
    if a.h is None or b.h is None:
        return Jet(value, g, None)
    gap = [_plus(x, _times(-1.0, y)) for x, y in zip(a.g, b.g, strict=True)]
    h = []
    for n, (i, j) in enumerate(pairs(len(g))):
        straight = _plus(_times(p, a.h[n]), _times(q, b.h[n]))
        h.append(_plus(straight, _times(p * q, _times(gap[i], gap[j]))))
    return Jet(value, g, h)


def choose(mask: np.ndarray, a: Jet, b: Jet) -> Jet:
    """``a`` where ``mask`` holds, else ``b``."""

    def pick(x: Array, y: Array) -> Array:
        return 0.0 if _is_zero(x) and _is_zero(y) else np.where(mask, x, y)

    h = None if a.h is None or b.h is None else [pick(x, y) for x, y in zip(a.h, b.h, strict=True)]
    return Jet(np.where(mask, a.v, b.v), [pick(x, y) for x, y in zip(a.g, b.g, strict=True)], h)
