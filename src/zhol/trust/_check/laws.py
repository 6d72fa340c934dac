"""The laws of the specification: conservation, no instrument no difference, scale, time step, order, quotas, legs."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING

import numpy as np

from zhol.core.errors import ZholError
from zhol.system.names import CHANNELS, FLOWS
from zhol.trust._check.bench import Bench, spare_legs
from zhol.trust._check.finding import Finding, change, ratio
from zhol.trust._check.half_months import run_half_months
from zhol.trust._check.seen import Seen

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.model import Model

Array = np.ndarray
GROUP = "Laws of the accounts"
_ROUNDING = 1e-9
_ENOUGH = 10.0  # persons (or dollars, in millions) a year: smaller yearly flows are not compared
_PEOPLE = ("people", "home", "entries", "flows", "volume", "protection_gap", "transit", "unfilled_demand")


def kept_in_every_run(bench: Bench) -> list[Finding]:
    """Conservation and no negative number, over all runs that were made for the other behaviours."""
    lost = np.max([s.lost for s in bench.seen], axis=0)
    low = np.min([s.lowest for s in bench.seen], axis=0)
    runs = f"over all {len(bench.seen)} runs of this check, instruments of every kind among them"
    return [
        Finding(
            "conserved",
            GROUP,
            "People are neither made nor lost.",
            "Largest error in any month of: people of an origin, at home and abroad, = those before + growth at home − "
            f"deaths, on the road too, − those who became citizens; relative to the people of the origin, {runs}.",
            lost,
            high=1e-6,
        ),
        Finding(
            "not_negative",
            GROUP,
            "No stock and no flow is ever negative, or not a number.",
            f"Smallest value of any stock, flow, price or place count, relative to the largest of its kind, {runs}.",
            low,
            low=0.0,
        ),
    ]


def no_instrument(bench: Bench, base: Seen) -> Finding:
    """Nothing switched on, nothing changed: to the last bit."""
    effects = {"open_visit": -2.0, "interception": 1.0, "regularisation": 2.0, "departures": 0.5, "capacity": -1.0}
    runs = [
        bench.run(effects, path=bench.step(0.0)),  # effects that are never switched on
        bench.run(dict.fromkeys(effects, 0.0)),  # switched on, without effect
        bench.run(),  # the same again
    ]
    months = [float((s.prints != base.prints).sum()) for s in runs]
    return Finding(
        "no_instrument",
        GROUP,
        "No instrument, no difference: not in the last bit.",
        "Months in which any bit of people, entries or flows differs from the baseline: instruments at intensity zero, "
        "instruments with effect zero, and the same run twice.",
        np.array(months),
        high=0.0,
        unit="months",
    )


def doubling(bench: Bench, rows: Array, half: dict[str, Array]) -> Finding:
    """Twice the people, twice every count."""
    twice = run_half_months(bench, rows, 2.0)
    worst = np.zeros(len(rows))
    for name in _PEOPLE:
        a, b = (x[name].reshape(len(rows), -1) for x in (half, twice))
        if a.shape[1]:
            scale = np.maximum(2 * np.abs(a) + 1e-6 * np.abs(a).max(), 1e-12)
            worst = np.maximum(worst, (np.abs(b - 2 * a) / scale).max(axis=1))
    return Finding(
        "doubling",
        GROUP,
        "Twice the people give twice every count.",
        "Populations, first stocks, the sizes by which networks are measured, capacities of roads and quotas doubled: "
        "largest relative distance of any count from twice the one before.",
        worst,
        high=1e-6,
    )


def halving(bench: Bench, rows: Array, half: dict[str, Array]) -> list[Finding]:
    """Two steps a month instead of one, and whether the draws describe a world that a month can follow."""
    whole = bench.raw(rows=rows)
    gone = _by_year(whole["entries"].sum(axis=-1) @ bench.world().at_origin)
    there = whole["home"][:, : 12 * gone.shape[1]].reshape(len(rows), -1, 12, gone.shape[-1]).mean(axis=2)
    turnover = np.nan_to_num(ratio(gone, there)).max(axis=(1, 2))
    worst = np.zeros(len(rows))
    for name in ("entries", "flows"):
        one, two = (_by_year(x[name].sum(axis=2)) for x in (whole, half))
        apart = np.where(one > _ENOUGH, np.abs(two - one) / np.maximum(one, 1e-12), 0.0)
        worst = np.maximum(worst, apart.reshape(len(rows), -1).max(axis=1))
    law = Finding(
        "half_months",
        GROUP,
        "Splitting a month in two changes yearly flows by less than 2 %.",
        f"Largest relative change of any yearly flow of the whole system (entries by {len(CHANNELS)} channels and "
        f"{len(FLOWS)} accounts; those of at least {_ENOUGH:g} persons or USD million), in draws in which no origin "
        "sends away in a year more people than live there.",
        np.where(turnover <= 1.0, worst, np.nan),
        high=0.02,
    )
    plausible = Finding(
        "turnover",
        "Choice and deflection",
        "No origin sends away in a year more people than live there.",
        "Departures of a year over working-age people at home, the largest of any origin and year of the baseline. The "
        "prior is wide, so not every draw must keep to it.",
        turnover,
        high=1.0,
        needed=0.7,
        unit="share",
    )
    return [law, plausible]


def _by_year(array: Array) -> Array:
    years = array.shape[1] // 12
    return array[:, : 12 * years].reshape(len(array), years, 12, *array.shape[2:]).sum(axis=2)


def quota_without_end(bench: Bench, base: Seen) -> Finding:
    """A quota that never binds is no quota."""
    world = bench.world()
    large = world._replace(quota=np.full(len(bench.model.corridors), 1e15))
    none = world._replace(quota=np.full(len(bench.model.corridors), np.inf))
    first, second = bench.run(world=large), bench.run(world=none)
    return Finding(
        "quota_infinite",
        GROUP,
        "A quota at infinity equals no quota.",
        "Months in which any bit differs between 10¹⁵ places a month in every corridor and no quota.",
        np.array([float((first.prints != second.prints).sum())]),
        high=0.0,
        unit="months",
    )


def order_of_rows(bench: Bench, rows: Array) -> Finding:
    """The rows of every table of the pack turned round."""
    from zhol.system.driver_paths import driver_paths
    from zhol.system.regimes import regime_paths
    from zhol.trust._check.bench import DRIVERS

    model = bench.model
    other = remade(model, turned_round(model.region))
    if other.corridors != model.corridors:
        value = np.array([np.inf])
    else:
        ends = (bench.months[0], bench.months[-1])
        paths = driver_paths(other.region, other.places, start=ends[0], end=ends[1], draws=0)
        regimes = regime_paths(other.region, other.corridors, *ends, policies_until=other.policies_until)
        one = bench.raw(rows=rows)
        two = bench.raw(
            rows=rows,
            world=spare_legs(other.world(bench.start), bench.members("leg")),
            drivers={n: np.asarray(getattr(paths, n)) for n in DRIVERS},
            regimes=np.asarray(regimes.index),
        )
        value = np.max(
            [
                np.abs(one[n] - two[n]).reshape(len(rows), -1).max(axis=1) / np.maximum(np.abs(one[n]).max(), 1.0)
                for n in ("people", "entries", "flows", "home")
            ],
            axis=0,
        )
    return Finding(
        "order",
        GROUP,
        "Results do not depend on the order of rows and places in the pack.",
        "The rows of every table in reverse order, the model made anew: largest difference of any count, relative to "
        "the largest of its kind.",
        value,
        high=_ROUNDING,
    )


def turned_round(region: Region) -> Region:
    """The same pack with the rows of every table in reverse order."""
    frames = {name: frame.reverse() for name, frame in region._frames.items()}
    return dataclasses.replace(region, _frames=frames, _shown={})


def remade(model: Model, region: Region | None = None, without: tuple[tuple[str, str], ...] = ()) -> Model:
    """A model with the same choices, from another region or without some legs."""
    return type(model)(
        region or model.region,
        minimum=model.minimum,
        without_legs=(*model.without_legs, *without),
        policies_until=model.policies_until,
        quotas=model.quotas,
    )


def leg_removed(bench: Bench, base: Seen) -> list[Finding]:
    """The leg that most people of a corridor use is taken out of the pack."""
    cells = bench.cells
    still, passage, all_ways = (np.full(cells, np.nan) for _ in range(3))
    for k, case in enumerate(bench.cases):
        here = bench.cell == k
        if case.leg is None:
            continue
        try:
            other = remade(bench.model, without=(case.leg,))
            world = spare_legs(other.world(bench.start), bench.members("leg"))
        except (ZholError, ValueError):  # the leg is the last, or more new legs than there is room for
            continue
        found = bench.run(world=world)
        still[here] = float(_roads_over(other, case.leg))
        new, old = found.entry("origin", "passage").sum(axis=1), base.entry("origin", "passage").sum(axis=1)
        passage[here] = change(new, old)[here]
        all_ways[here] = change(found.entry("origin")[:, 0], base.entry("origin")[:, 0])[here]
    how = "The leg that most people of the corridor pass is taken out in both directions and the model made anew: "
    return [
        Finding(
            "leg_gone",
            GROUP,
            "No road leads over a leg that was removed.",
            f"{how}roads that still pass it.",
            still,
            high=0.0,
            unit="roads",
        ),
        Finding(
            "leg_reroutes",
            GROUP,
            "Removing a leg reroutes or stops people without papers, and never multiplies them.",
            f"{how}log change of those who set out by passage from the origin, all months together.",
            passage,
            high=1e-3,
            unit="log change",
        ),
        Finding(
            "leg_departures",
            GROUP,
            "Removing a leg does not make more people leave.",
            f"{how}log change of all departures from the origin, first month.",
            all_ways,
            high=1e-6,
            unit="log change",
        ),
    ]


def _roads_over(model: Model, leg: tuple[str, str]) -> int:
    steps = {f"{leg[0]}>{leg[1]}", f"{leg[1]}>{leg[0]}"}
    roads = model.roads.table["places"].to_list() if model.roads.table.height else []
    return sum(any(">".join(pair) in steps for pair in itertools.pairwise(p.split(">"))) for p in roads)


def shares_of_others(bench: Bench, base: Seen) -> Finding:
    """A tighter visa on one corridor."""
    tight = bench.run({"open_visit": -1.5, "cost_visit": 0.7}, partner=True)
    least = np.full(bench.cells, np.nan)
    for k, case in enumerate(bench.cases):
        here = bench.cell == k
        others = [
            i for i, p in enumerate(bench.model.places) if p != case.destination and (case.origin, p) in _pairs(bench)
        ]
        if others:
            new, old = (ratio(s.by_destination, s.by_destination.sum(axis=-1, keepdims=True)) for s in (tight, base))
            year = slice(bench.after, bench.after + 12)
            least[here] = (new - old)[here][:, year][..., others].min(axis=(1, 2))
    return Finding(
        "visa_others",
        "Choice and deflection",
        "A tighter visa on one corridor never lowers the share of another in its first year.",
        "Odds of a visit times e^−1.5, its cost doubled: smallest change, in any month of the first year, of the share "
        "of any other destination among the departures of the origin. Later the people whom dearer re-entry keeps in "
        "may draw others after them.",
        least,
        low=-1e-9,
        unit="share",
    )


def _pairs(bench: Bench) -> set[tuple[str, str]]:
    return set(bench.model.corridors)
