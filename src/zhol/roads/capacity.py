"""What the business of passage can carry, and how it comes back after a disruption."""

from __future__ import annotations

from typing import Any

Array = Any  # NumPy or JAX: whatever is given comes back


def market_price(base: Array, volume: Array, capacity: Array, exponent: Array) -> Array:
    """Price of a passage: base (1 + (volume / capacity)^exponent).

    Parameters
    ----------
    base : array
        Price where nobody else travels, US dollars.
    volume, capacity : array
        Persons a month; at ``volume = capacity`` the price is twice the base. Capacity above 0.
    exponent : float or array
        How fast congestion makes passage dear.

    Examples
    --------
    >>> market_price(1000.0, 50.0, 50.0, 0.3), market_price(1000.0, 0.0, 50.0, 0.3)
    (2000.0, 1000.0)
    """
    return base * (1.0 + (volume / capacity) ** exponent)


def recover(capacity_fraction: Array, half_life: Array, dt: Array) -> Array:
    """Share of its capacity that a road has after ``dt``, when a disruption has ended.

    Half of what is missing comes back in each half-life.

    Parameters
    ----------
    capacity_fraction : float or array
        Share left now, 0 to 1.
    half_life, dt : float or array
        In the same unit of time.

    Examples
    --------
    >>> recover(0.2, half_life=6.0, dt=6.0), recover(0.2, half_life=6.0, dt=12.0)
    (0.6, 0.8)
    """
    return 1.0 - (1.0 - capacity_fraction) * 0.5 ** (dt / half_life)
