"""What roads cost people, and what an intensity adds: the system's parameters and the instrument's effects, by draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.errors import ZholError
from zhol.policy._bound.network import Problem
from zhol.policy._bound.travellers import Travellers
from zhol.policy.instruments import Instrument
from zhol.roads.layout import lay, legs_of
from zhol.roads.network import MODES, Leg, network
from zhol.system.driver_paths import driver_paths
from zhol.system.simulate import parameter_vectors

if TYPE_CHECKING:
    from zhol.system.model import Model

Array = Any
LEVERS = ("passage_price", "interception", "danger")
_CENTS = 100.0
_USED = (
    "beta_cost", "nest", "channel_nest", "passage_loss", "danger_value", "interception", "danger", "price_error",
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Ground:
    """What all draws share: legs, pairs of countries, travellers and prices of their roads.

    Parameters
    ----------
    places : list of str
    tail, head, pair, mode : (A,) arrays of int
        Of each leg.
    pairs : list of (origin, destination)
        Neighbouring places, each direction for itself.
    km : (A,) array
        Generalised kilometres of each leg.
    travellers : Travellers
    length, log_price, log_price_sd : (D,) arrays
        Of the cheapest road of each demand: generalised kilometres, and the law of prices.
    income : (places,) array
        USD a head and year.
    """

    places: list[str]
    tail: Array
    head: Array
    pair: Array
    mode: Array
    pairs: list[tuple[str, str]]
    km: Array
    travellers: Travellers
    length: Array
    log_price: Array
    log_price_sd: Array
    income: Array


@dataclass(frozen=True, eq=False)
class Draw:
    """A problem of one draw, and what is counted beside it.

    Parameters
    ----------
    problem : Problem
    price, price_rise : (O, A) arrays
        USD of each leg, and what a level adds.
    death, death_rise : (A,) arrays
        Hazard of death on each leg, and what a level adds.
    """

    problem: Problem
    price: Array
    price_rise: Array
    death: Array
    death_rise: Array


def ground(model: Model, travellers: Travellers, year: int) -> tuple[Ground, tuple[str, ...]]:
    """Lay the legs and price the cheapest road of each demand; a demand without a road is left out, and said so.

    Raises
    ------
    ZholError
        If the pack has no legs, or no demand has a road.
    """
    legs = legs_of(model.region, set(model.places))
    if not legs:
        raise ZholError("the pack has no legs between places", file="legs.csv", expected="at least one")
    asked = sorted(set(travellers.pairs))
    roads = lay(model.region, corridors=asked, k=1)
    costs = roads.settings.costs()
    net = network(legs, costs)
    index = np.array([asked.index(pair) for pair in travellers.pairs])
    chosen, kept, notes = _with_roads(travellers, roads.exists[index, 0])
    index = index[kept]
    at = {place: i for i, place in enumerate(model.places)}
    pairs = sorted({(leg.origin, leg.destination) for leg in net.legs})
    number = {pair: i for i, pair in enumerate(pairs)}
    own = np.array([costs.of(Leg(*row[1:])) for row in roads.legs.iter_rows()])
    paths = driver_paths(model.region, model.places, start=f"{year}-01", end=f"{year}-12")
    return Ground(
        places=list(model.places),
        tail=np.array([at[leg.origin] for leg in net.legs]),
        head=np.array([at[leg.destination] for leg in net.legs]),
        pair=np.array([number[leg.origin, leg.destination] for leg in net.legs]),
        mode=np.array([MODES.index(leg.mode) for leg in net.legs]),
        pairs=pairs,
        km=np.array([costs.of(leg) for leg in net.legs]),
        travellers=chosen,
        length=roads.uses[index, 0] @ own,
        log_price=roads.log_price_mean[index, 0],
        log_price_sd=roads.log_price_sd[index, 0],
        income=paths.income_usd.mean(axis=0),
    ), notes


def _with_roads(travellers: Travellers, road: Array) -> tuple[Travellers, Array, tuple[str, ...]]:
    """Demands that have people and a road, which ones they are, and how many people had none."""
    mean = travellers.persons.mean(axis=0)
    kept = road & (mean > 0)
    if not kept.any():
        raise ZholError("nobody travels over any road", file="demand", expected="persons above 0 on a pair with a road")
    chosen = Travellers(
        [p for p, keep in zip(travellers.pairs, kept, strict=True) if keep],
        travellers.persons[:, kept],
        None if travellers.reservation is None else travellers.reservation[kept],
        travellers.source,
    )
    lost = float(mean[~road].sum())
    return chosen, kept, (f"{lost:,.0f} persons have no road in the pack and are left out.",) if lost >= 1 else ()


def caps_of(found: Ground, actors: Sequence[str], levels: int) -> Array:
    """Most levels on each pair: what one country can do, for each of its two countries that acts."""
    return np.array([levels * sum(place in actors for place in pair) for pair in found.pairs])


def effects_of(one: Instrument, draws: int, seed: int) -> dict[str, Array]:
    """Log change of each lever at intensity 1, by draw; the mean alone without draws.

    Raises
    ------
    ZholError
        If the instrument acts on no leg.
    """
    found = {e.lever: e for e in one.system_effects() if e.lever in LEVERS}
    if not found:
        words = f"one that moves {', '.join(LEVERS[:-1])} or {LEVERS[-1]}"
        raise ZholError("the instrument does not act on roads", found=one.id, expected=words)
    count = max(draws, 1)
    drawn = {n: e.draws(count, seed, one.id) if draws else np.array([e.mean]) for n, e in found.items()}
    return {name: drawn.get(name, np.zeros(count)) for name in LEVERS}


def problems(
    model: Model, found: Ground, one: Instrument, *, levels: int, whole: bool, draws: int, seed: int, parameters: Any
) -> Iterator[Draw]:
    """One draw after the other, with nobody acting yet (caps of 0)."""
    vectors, _ = parameter_vectors(model, parameters, draws, seed)
    values, effects = model.layout.values(vectors), effects_of(one, draws, seed)
    for d in range(len(vectors)):
        parameter = {name: values[name][d] for name in _USED}
        yield _draw(found, parameter, {n: np.expm1(e[d]) / levels for n, e in effects.items()}, d, whole)


def _draw(found: Ground, p: dict[str, Array], effect: dict[str, Array], d: int, whole: bool) -> Draw:
    travellers = found.travellers
    at = {place: i for i, place in enumerate(found.places)}
    starts = np.array([at[o] for o, _ in travellers.pairs])
    origins, origin = np.unique(starts, return_inverse=True)
    persons = travellers.persons[min(d, len(travellers.persons) - 1)]
    rate = _dollars_per_km(found, persons, p["price_error"], origin, len(origins))
    # Years of income for which one in e gives up: the system's response of a small channel to its cost.
    patience = p["nest"] * p["channel_nest"] / p["beta_cost"]
    stopped = patience if travellers.reservation is None else 0.0  # an interception ends the journey
    income = found.income[origins][:, None]
    loss, value = income * (p["passage_loss"] + stopped), income * p["danger_value"]
    hazard, death = p["interception"][found.mode], p["danger"][found.mode]
    price = rate[:, None] * found.km
    price_rise = price * effect["passage_price"]
    base = price + loss * hazard + value * death
    rise = price_rise + loss * hazard * effect["interception"] + value * death * effect["danger"]
    problem = Problem(
        places=len(found.places),
        tail=found.tail,
        head=found.head,
        pair=found.pair,
        caps=np.zeros(len(found.pairs), dtype=np.int64),
        origins=origins,
        base=np.round(base * _CENTS).astype(np.int64),
        rise=np.maximum(np.round(rise * _CENTS), 0).astype(np.int64),
        origin=origin,
        destination=np.array([at[e] for _, e in travellers.pairs]),
        persons=persons,
        spread=_CENTS * patience * found.income[starts],
        whole=whole,
    )
    return Draw(_with_room(problem, travellers), price, price_rise, death, death * effect["danger"])


def _dollars_per_km(found: Ground, persons: Array, error: float, origin: Array, count: int) -> Array:
    """Price of a generalised kilometre at each origin, (O,): what its travellers' cheapest roads cost on average."""
    price = np.exp(found.log_price + error * found.log_price_sd)
    weight = persons + 1e-9 * max(persons.max(), 1.0)
    return np.bincount(origin, weight * price, count) / np.bincount(origin, weight * found.length, count)


def _with_room(problem: Problem, travellers: Travellers) -> Problem:
    """Reservation prices as room for rises; who cannot pay today's price does not travel."""
    if travellers.reservation is None:
        return problem
    room = np.floor(travellers.reservation * _CENTS + 1e-6).astype(np.int64) - problem.today.cost
    return replace(problem, room=np.maximum(room, 0), persons=np.where(room >= 0, problem.persons, 0.0))
