"""Flows from stocks without accounts: differences of stocks, and rates."""

from __future__ import annotations

import numpy as np

from zhol.core.errors import ZholError
from zhol.estimate._flows.scaling import Array

_WORST = 1e13  # condition of a stock beyond which its inverse is noise


def differences(start: Array, end: Array, decrease: str, natives: bool) -> Array:
    """Growth of each stock as a flow; a fall is either a return home or nothing.

    Parameters
    ----------
    start, end : array, shape (draw, birthplace, residence)
    decrease : str
        ``return``: people went back to where they were born (Beine and Parsons 2015); ``zero``: no flow (Bertoli and
        Fernández-Huertas Moraga 2015).
    natives : bool
        Keep growth of the natives on the diagonal.

    Returns
    -------
    array, shape (draw, origin, destination)
    """
    change = end - start
    flow = np.maximum(change, 0.0)
    if decrease == "return":
        flow = flow + np.maximum(-change, 0.0).transpose(0, 2, 1)
    if not natives:
        _clear(flow)
    return flow


def dennett(start: Array, total: Array) -> Array:
    """Share of each stock in the world's migrants, times the world's moves (Dennett 2016).

    Parameters
    ----------
    start : array, shape (draw, birthplace, residence)
    total : array, shape (draw,)
        Moves of the world in the period.
    """
    stock = start.copy()
    _clear(stock)
    size = stock.sum((1, 2))
    flow: Array = stock * np.divide(total, size, out=np.zeros_like(size), where=size > 0)[:, None, None]
    return flow


def rogers_von_rabenau(start: Array, end: Array) -> Array:
    """Growth operator that turns the start into the end, times the people at risk; cells may be negative.

    Rogers and von Rabenau (1971), Demography 8(2), 185–194. Each row of the stocks is a birthplace whose people
    move by the same operator.
    """
    if not (np.linalg.cond(start) < _WORST).all():
        raise ZholError("stock_start has no inverse", hint="use rates='dennett' or method='demographic'")
    operator = np.linalg.solve(start, end)
    flow: Array = operator * start.sum(1)[:, :, None]  # residents of the origin
    _clear(flow)
    return flow


def _clear(flow: Array) -> None:
    places = np.arange(flow.shape[1])
    flow[:, places, places] = 0.0
