"""The legs of a pack as a network, and the cheapest roads over it."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from zhol.core.errors import ZholError

MODES = ("land", "sea", "air")
_GRAM = 1000  # costs are compared in thousandths of a km, as whole numbers, so that no rounding decides


class Leg(NamedTuple):
    """One way between two places without a third between them."""

    origin: str
    destination: str
    mode: str
    length_km: float


class Costs(NamedTuple):
    """What a leg costs, in kilometres by land: length times the factor of its mode, and a border."""

    factors: Mapping[str, float]
    border: float = 0.0

    def of(self, leg: Leg) -> float:
        """Generalised cost of one leg."""
        return leg.length_km * self.factors[leg.mode] + self.border


@dataclass(frozen=True)
class Network:
    """Legs in one fixed order, with what each costs.

    Parameters
    ----------
    legs : tuple of Leg
        Sorted; several modes between the same two places are several legs.
    costs : tuple of int
        Generalised cost of each leg with a tie-breaker in the low bits: no two sets of legs cost the same.
    out : mapping of str to tuple of int
        Legs that leave a place.
    """

    legs: tuple[Leg, ...]
    costs: tuple[int, ...]
    out: Mapping[str, tuple[int, ...]]


def network(rows: Iterable[Leg], costs: Costs, without: Collection[tuple[str, str]] = ()) -> Network:
    """Build a network; a leg listed one way only is usable both ways.

    Parameters
    ----------
    rows : iterable of Leg
        In any order.
    costs : Costs
        What a leg costs.
    without : collection of (origin, destination)
        Pairs without a leg, in both directions and by every mode.

    Raises
    ------
    ZholError
        If a pair to leave out has no leg.

    Examples
    --------
    >>> net = network([Leg("KAZ", "RUS", "land", 2271.0)], Costs({"land": 1.0}))
    >>> [leg.origin for leg in net.legs]
    ['KAZ', 'RUS']
    """
    known: dict[tuple[str, str, str], float] = {}
    for leg in rows:
        key = (leg.origin, leg.destination, leg.mode)
        known[key] = min(float(leg.length_km), known.get(key, float("inf")))
    for (o, d, mode), km in list(known.items()):
        known.setdefault((d, o, mode), km)
    pairs = {(o, d) for o, d, _ in known}
    for o, d in without:
        if (o, d) not in pairs:
            raise ZholError("no such leg to leave out", found=f"{o}>{d}", expected="a pair of the table legs")
    gone = {pair for o, d in without for pair in ((o, d), (d, o))}
    legs = tuple(Leg(*key, km) for key, km in sorted(known.items()) if key[:2] not in gone and key[0] != key[1])
    out: dict[str, list[int]] = {}
    for i, leg in enumerate(legs):
        out.setdefault(leg.origin, []).append(i)
    return Network(legs, _costs(legs, costs), {place: tuple(found) for place, found in out.items()})


def _costs(legs: tuple[Leg, ...], costs: Costs) -> tuple[int, ...]:
    """Whole numbers: first the cost, then the number of legs, then which legs (a bit each)."""
    bits, room = len(legs), len(legs).bit_length() + 1
    return tuple(
        (round(costs.of(leg) * _GRAM) << (bits + room)) + (1 << bits) + (1 << (bits - 1 - i))
        for i, leg in enumerate(legs)
    )


def abroad_by_air(net: Network, origin: str) -> frozenset[int]:
    """Legs by air that do not start at the origin: who has no papers for the destination boards at home or not at all.

    A pack lists the flights that a source names for people of one country or region. Chained behind each other they
    would carry everybody over their hubs, Europeans to America by way of Central Asia.
    """
    return frozenset(i for i, leg in enumerate(net.legs) if leg.mode == "air" and leg.origin != origin)


def cheapest_roads(
    net: Network, origin: str, destination: str, k: int, never: frozenset[int] = frozenset()
) -> list[tuple[int, ...]]:
    """The k cheapest roads that pass no place twice, cheapest first, each as leg numbers (Yen 1971).

    Among equally dear roads the one with fewer legs comes first; legs in ``never`` are not used.

    Examples
    --------
    >>> rows = [Leg("AFG", "IRN", "land", 1621.0), Leg("IRN", "TUR", "land", 1698.0), Leg("AFG", "TUR", "air", 3500.0)]
    >>> net = network(rows, Costs({"land": 1.0, "air": 1.0}))
    >>> [[net.legs[i].mode for i in road] for road in cheapest_roads(net, "AFG", "TUR", 3)]
    [['land', 'land'], ['air']]
    """
    first = _cheapest(net, origin, destination, frozenset(), never)
    if first is None or k < 1:
        return []
    found = [first]
    waiting: list[tuple[int, tuple[int, ...]]] = []
    seen = {first}
    while len(found) < k:
        last = found[-1]
        passed: set[str] = set()
        for at in range(len(last)):
            stem = last[:at]
            spur = net.legs[last[at]].origin
            closed = never | {road[at] for road in found if len(road) > at and road[:at] == stem}
            tail = _cheapest(net, spur, destination, frozenset(passed), closed)
            passed.add(spur)
            if tail is not None and stem + tail not in seen:
                seen.add(stem + tail)
                heapq.heappush(waiting, (sum(net.costs[i] for i in stem + tail), stem + tail))
        if not waiting:
            break
        found.append(heapq.heappop(waiting)[1])
    return found


def _cheapest(
    net: Network, origin: str, destination: str, passed: frozenset[str], closed: frozenset[int]
) -> tuple[int, ...] | None:
    """Dijkstra's road that avoids places passed and legs closed; none if there is none."""
    best, done = {origin: 0}, set(passed)
    by: dict[str, int] = {}
    queue = [(0, origin)]
    while queue:
        cost, place = heapq.heappop(queue)
        if place in done:
            continue
        if place == destination:
            road: list[int] = []
            while place != origin:
                road.append(by[place])
                place = net.legs[by[place]].origin
            return tuple(reversed(road))
        done.add(place)
        for i in net.out.get(place, ()):
            end, total = net.legs[i].destination, cost + net.costs[i]
            if i not in closed and end not in done and total < best.get(end, total + 1):
                best[end], by[end] = total, i
                heapq.heappush(queue, (total, end))
    return None
