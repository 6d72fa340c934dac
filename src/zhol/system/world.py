"""The fixed arrays of a compiled pack: corridors, roads, legs, first counts."""

from __future__ import annotations

from typing import Any, NamedTuple

Array = Any


class World(NamedTuple):
    """What does not change from draw to draw or month to month; C corridors, P places, k roads, L legs.

    Attributes
    ----------
    origin, destination : (C,) int
    at_origin, at_destination : (C, P) 0/1
        Sums over corridors by place.
    labour_index : (C,) int
        Place of the corridor among those with a labour effect of their own; the last entry, always 0, for the others.
    asylum_index : (C,) int
        The same for claims.
    asylum_offset : (C,) float
        Centre of the log odds of a claim, from the pack's table of claims.
    recognition_log_odds : (C,) float
    exists : (C, k) bool;  uses : (C, k, L) 0/1;  leg_count : (C, k);  leg_mode : (L, 3) 0/1
    has_road : (C,) bool
    strand_to : (C, k) int
        Corridor in which people stranded on the road are counted; C where there is none (they go home).
    through : (C, k, P) 0/1
        Transit places of the road.
    log_price_mean, log_price_sd, log_capacity_mean, log_capacity_sd : (C, k)
    quota : (C,) persons a month, infinity without a quota
    stock_log, stock_sd : (C,)
        Log of the first stock of residents and its error.
    protected, pending : (C,) first counts
    """

    origin: Array
    destination: Array
    at_origin: Array
    at_destination: Array
    labour_index: Array
    asylum_index: Array
    asylum_offset: Array
    recognition_log_odds: Array
    exists: Array
    uses: Array
    leg_count: Array
    leg_mode: Array
    has_road: Array
    strand_to: Array
    through: Array
    log_price_mean: Array
    log_price_sd: Array
    log_capacity_mean: Array
    log_capacity_sd: Array
    quota: Array
    stock_log: Array
    stock_sd: Array
    protected: Array
    pending: Array

    def labour_effect(self, p: dict[str, Array], xp: Any) -> Array:
        """Labour effect of each corridor, 0 for those that have none of their own."""
        return _padded(p["labour_corridor"], xp)[self.labour_index]

    def asylum_effect(self, p: dict[str, Array], xp: Any) -> Array:
        """Log odds of a claim in each corridor: the centre and the corridor's own effect."""
        return self.asylum_offset + _padded(p["asylum_corridor"], xp)[self.asylum_index]

    def capacity(self, p: dict[str, Array], xp: Any) -> Array:
        """Persons a month that each undisturbed road carries before its price doubles."""
        return xp.exp(self.log_capacity_mean + p["capacity_error"] * self.log_capacity_sd)


def _padded(effects: Array, xp: Any) -> Array:
    return xp.concatenate([effects, xp.zeros(1, effects.dtype)])
