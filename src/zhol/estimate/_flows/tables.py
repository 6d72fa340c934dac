"""Flow tables of every birthplace from matched stocks, kept as factors: no array of N³ cells is made.

With the largest possible number of stayers, a place has either people of a birthplace to send or room to take some, so
that the diagonal is empty by itself and each birthplace's table of movers is the product of two vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zhol.estimate._flows.scaling import Array, fit_margins


@dataclass(frozen=True)
class Factors:
    """Flows ``left[b, o] * right[b, d] * seed[o, d] (+ stay[b, o] where o = d)``, arrays with a leading draw axis.

    Parameters
    ----------
    left, right : array, shape (draw, birthplace, place)
    stay : array, shape (draw, birthplace, place), or None
        People who are counted at the same place at both ends; None under plain independence.
    seed : array, shape (place, place), or None
    met : array, shape (draw,)
        False where zeros of the seed contradict the stocks, so that a trace of moves was allowed everywhere.
    """

    left: Array
    right: Array
    stay: Array | None
    seed: Array | None
    met: Array

    def matrices(self) -> Array:
        """Sum over birthplaces: shape (draw, origin, destination), stayers on the diagonal."""
        total: Array = self.left.transpose(0, 2, 1) @ self.right
        if self.seed is not None:
            total = total * self.seed
        if self.stay is not None:
            places = np.arange(total.shape[1])
            total[:, places, places] += self.stay.sum(1)
        return total

    def cube(self, draw: int = 0) -> Array:
        """Origin by destination by birthplace of one draw."""
        cube: Array = np.einsum("bo,bd->odb", self.left[draw], self.right[draw])
        if self.seed is not None:
            cube *= self.seed[:, :, None]
        if self.stay is not None:
            places = np.arange(cube.shape[0])
            cube[places, places, :] += self.stay[draw].T
        return cube


def fewest_moves(start: Array, end: Array, seed: Array | None = None) -> Factors:
    """Quasi-independence with as many stayers as the stocks allow (Abel 2013; Abel and Sander 2014)."""
    stay = np.minimum(start, end)
    return _spread(start - stay, end - stay, stay, seed)


def independent_moves(start: Array, end: Array, seed: Array | None = None) -> Factors:
    """Independence of where people of a birthplace lived and live (Azose and Raftery 2019): the most moves."""
    return _spread(start, end, None, seed)


def _spread(sent: Array, taken: Array, stay: Array | None, seed: Array | None) -> Factors:
    total = sent.sum(2)
    # Both sums are the same people; what rounding left between them is settled on the side of those who came.
    scale = np.divide(total, taken.sum(2), out=np.zeros_like(total), where=taken.sum(2) > 0)
    taken = taken * scale[:, :, None]
    met = np.ones(len(sent), dtype=bool)
    if seed is None:
        left = np.divide(sent, total[:, :, None], out=np.zeros_like(sent), where=total[:, :, None] > 0)
        return Factors(left, taken, stay, None, met)
    left, right, met = _fit_to_seed(sent, taken, seed)
    if not met.all():
        seed = seed + 1e-6 * max(float(seed.mean()), 1e-300)
        left, right, _ = _fit_to_seed(sent, taken, seed)
    return Factors(left, right, stay, seed, met)


_SWEEPS, _LOOK = 20_000, 200


def _fit_to_seed(sent: Array, taken: Array, seed: Array) -> tuple[Array, Array, Array]:
    """Proportional fitting of all birthplaces at once, on vectors: two products of matrices a sweep.

    Birthplaces that are done leave the sweeps; so do those whose error shrinks too slowly to be done in time, because
    zeros of the seed contradict their totals.
    """
    size = sent.shape[-1]
    rows, columns = sent.reshape(-1, size), taken.reshape(-1, size)
    left, right = np.zeros_like(rows), np.where(columns > 0, 1.0, 0.0)
    people = rows.sum(1)
    error = np.where(people > 0, np.inf, 0.0)
    before, active = error.copy(), np.flatnonzero(people > 0)
    with np.errstate(all="ignore"):  # contradicting totals drive factors to infinity; the error says so
        for sweep in range(_SWEEPS):
            want = rows[active]
            left[active] = _over(want, right[active] @ seed.T)
            reach = left[active] @ seed
            if sweep % 5 == 0:
                error[active] = np.abs(right[active] * reach - columns[active]).sum(1) / people[active]
                going = error[active] > 1e-13
                if sweep and sweep % _LOOK == 0:
                    going &= (error[active] < 0.8 * before[active]) | (error[active] < 1e-9)
                    before[active] = error[active]
                active, reach = active[going], reach[going]
                if not len(active):
                    break
            right[active] = _over(columns[active], reach)
    met = np.all(error.reshape(sent.shape[:2]) < 1e-9, axis=1)
    return left.reshape(sent.shape), right.reshape(sent.shape), met


def _over(top: Array, bottom: Array) -> Array:
    return np.divide(top, bottom, out=np.zeros_like(top), where=(bottom > 0) & (top > 0))


def cube_from_cube(start: Array, end: Array, seed: Array, stayers: bool) -> tuple[Array, Array]:
    """Flows (origin, destination, birthplace) of one draw from a seed of that shape, and whether totals were met."""
    stay = np.minimum(start, end) if stayers else np.zeros_like(start)
    sent, taken = start - stay, end - stay
    taken = taken * np.divide(sent.sum(1), taken.sum(1), out=np.zeros(len(sent)), where=taken.sum(1) > 0)[:, None]
    fitted = fit_margins(np.ascontiguousarray(seed.transpose(2, 0, 1)), sent, taken, open_cells=True)
    cube = fitted.tables.transpose(1, 2, 0).copy()
    places = np.arange(len(start))
    cube[places, places, :] += stay.T
    return cube, ~fitted.opened
