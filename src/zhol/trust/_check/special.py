"""Behaviours that need more than one lever moved once: market, leakage, anticipation, deflection, networks, quotas."""

from __future__ import annotations

import numpy as np

from zhol.system.instruments import Action, Effect
from zhol.system.parameters import parameter_table
from zhol.trust._check.bench import Bench
from zhol.trust._check.finding import Finding, change, ratio
from zhol.trust._check.responses import ACCOUNTS, CHOICE, NOISE, ROADS
from zhol.trust._check.seen import Seen

Array = np.ndarray
INSTRUMENTS = "Instruments"
_QUARTER = (0.1, 0.5)  # of the order of a quarter


def leakage(bench: Bench, base: Seen, tight: Seen) -> list[Finding]:
    """Corruption that lets nothing through, and some."""
    levers = {"open_visit": -1.5}
    none = bench.run({**levers, "leakage": 80.0})
    some = bench.run({**levers, "leakage": 1.0})
    effect = [change(s.entry("destination", "visit"), base.entry("destination", "visit")) for s in (tight, some)]
    at = bench.after
    return [
        Finding(
            "leakage_whole",
            INSTRUMENTS,
            "A leakage of 1 equals no instrument.",
            "Odds of leakage times e⁸⁰ with a tighter visa: months in which any bit differs from the baseline.",
            np.array([float((none.prints != base.prints).sum())]),
            high=0.0,
            unit="months",
        ),
        Finding(
            "leakage_some",
            INSTRUMENTS,
            "More leakage weakens an instrument and never turns it round.",
            "Effect on visits in the first month with leakage odds times e, as a share of the effect without.",
            ratio(effect[1][:, at], effect[0][:, at]),
            low=0.0,
            high=1.0,
            unit="share",
        ),
    ]


def dose(bench: Bench, base: Seen, tight: Seen) -> Finding:
    """Half the intensity lies between none and all."""
    half = bench.run({"open_visit": -1.5}, path=bench.step(0.5))
    both = [change(s.entry("destination", "visit"), base.entry("destination", "visit")) for s in (half, tight)]
    return Finding(
        "dose",
        INSTRUMENTS,
        "Half the intensity has an effect between none and the whole.",
        "Effect of a tighter visa on visits at half intensity as a share of the effect at full intensity; the share "
        "farthest from a half in any month.",
        _farthest(ratio(both[0], both[1])[:, bench.after :], 0.5),
        low=0.0,
        high=1.0,
        unit="share",
    )


def _farthest(values: Array, middle: float) -> Array:
    filled = np.where(np.isnan(values), middle, values)
    at = np.abs(filled - middle).argmax(axis=1)
    out = filled[np.arange(len(filled)), at]
    return np.where(np.isnan(values).all(axis=1), np.nan, out)


def anticipation(bench: Bench, base: Seen) -> list[Finding]:
    """A restriction that is announced half a year before it comes."""
    known, comes = bench.after + 6, bench.after + 12
    case = bench.cases[0]
    action = Action(
        "announced restriction",
        case.destination,
        case.origin,
        path=((bench.months[comes], 1.0),),
        effects=(Effect("open_visit", ((1.0, -2.0, 0.0),)), Effect("open_work", ((1.0, -2.0, 0.0),))),
        announced=bench.months[known],
        anticipation=Effect("departures", ((1.0, 0.4, 0.0),), side="destination"),
    )
    run = bench.run(actions=[action])
    here = bench.cell == 0
    moved = change(run.entry("corridor"), base.entry("corridor"))[here]
    how = "A restriction announced six months ahead on the first corridor: "
    return [
        Finding(
            "anticipation",
            INSTRUMENTS,
            "An announced restriction raises departures before its date.",
            f"{how}log change of entries between announcement and start.",
            change(run.entry("corridor")[here, known:comes].sum(1), base.entry("corridor")[here, known:comes].sum(1)),
            low=NOISE,
            unit="log change",
            paths={"": moved},
        ),
        Finding(
            "anticipation_after",
            INSTRUMENTS,
            "An announced restriction lowers entries once it is there.",
            f"{how}log change of entries in its first month.",
            moved[:, comes],
            high=-NOISE,
            unit="log change",
        ),
        Finding(
            "causality",
            INSTRUMENTS,
            "Nothing happens before anybody knows of it.",
            f"{how}months before the announcement in which any bit differs from the baseline.",
            np.array([float((run.prints != base.prints)[:, :known].sum())]),
            high=0.0,
            unit="months",
        ),
    ]


def bookkeeping(bench: Bench, base: Seen) -> list[Finding]:
    """Levers that only weigh what is counted."""
    run = bench.run({"exploitation": 0.5, "remittance_rate": 0.5}, path=bench.step(), partner=False)
    leak = bench.values()["leakage"][np.arange(bench.cells), _places(bench)]
    wanted = 0.5 * (1.0 - leak)
    off = [
        np.abs(np.log(ratio(run.flow("destination", n), base.flow("destination", n))) - wanted[:, None])
        for n in ("exposure", "remittances")
    ]
    return [
        Finding(
            "weights_move_nobody",
            ACCOUNTS,
            "Weights of accounts move nobody.",
            "Exposure to exploitation and the share sent home raised: largest log change of any stock there.",
            np.abs(change(run.people["destination"], base.people["destination"])).max(
                axis=(1, 2), initial=0.0, where=base.people["destination"] > NOISE
            ),
            high=NOISE,
            unit="log change",
        ),
        Finding(
            "weights_in_proportion",
            ACCOUNTS,
            "An account moves in proportion to its weight.",
            "The same run: distance of the log change of exposure and of remittances from that of their weights.",
            np.maximum(off[0], off[1])[:, bench.after :].max(axis=1),
            high=1e-9,
            unit="log change",
        ),
    ]


def _places(bench: Bench) -> Array:
    return np.array([bench.model.places.index(case.destination) for case in bench.cases])[bench.cell]


def reverse_flow(bench: Bench) -> Finding:
    """The same dearer re-entry with and without people minding it."""
    part = bench.model.layout.slices()["reentry"]
    calm = bench.vectors.copy()
    calm[:, part] = -20.0 / parameter_table()["reentry"].sd  # e^-20 of the prior median: nobody minds
    levers = {"cost_visit": 2.0, "cost_work": 2.0}
    with_, without = bench.run(levers), bench.run(levers, vectors=calm)
    none_with, none_without = bench.run(), bench.run(vectors=calm)
    stock = [s.status("destination", "worker", "visitor") for s in (with_, none_with, without, none_without)]
    kept = change(stock[0], stock[1]) - change(stock[2], stock[3])
    return Finding(
        "reverse_flow",
        CHOICE,
        "Dearer re-entry leaves more people in the country than if nobody minded re-entry.",
        "Costs of visits and permits times e²: log change of workers and visitors at the destination, less the same "
        "change where re-entry does not matter for return; last month.",
        kept[:, -1],
        low=0.0,
        unit="log change",
        paths={"with the reverse flow": change(stock[0], stock[1]), "without": change(stock[2], stock[3])},
    )


def deflection(bench: Bench, base: Seen) -> list[Finding]:
    """A corridor is shut in every channel."""
    channels = ("settle", "work", "visit", "asylum", "passage")
    run = bench.run({f"open_{c}": -8.0 for c in channels}, partner=True)
    at = bench.after
    lost = (base.entry("corridor") - run.entry("corridor"))[:, at]
    gained = ((run.entry("origin") - run.entry("corridor")) - (base.entry("origin") - base.entry("corridor")))[:, at]
    share = ratio(gained, lost)
    return [
        Finding(
            "deflection",
            CHOICE,
            "People turned away go elsewhere, and never more of them than were turned away.",
            "One corridor shut in every channel: people gained by all other destinations of the origin for each person "
            "lost, in the first month.",
            share,
            low=0.0,
            high=1.0,
            unit="share",
        ),
        Finding(
            "deflection_quarter",
            CHOICE,
            "A deflection of the order of a quarter is among what the model holds possible.",
            f"The same: cells with a deflection between {_QUARTER[0]} and {_QUARTER[1]}; as many as needed, not all.",
            share,
            low=_QUARTER[0],
            high=_QUARTER[1],
            needed=0.1,
            unit="share",
        ),
    ]


def networks(bench: Bench, base: Seen) -> list[Finding]:
    """A diaspora that grew draws more people after the cause is gone."""
    until = bench.after + 24
    run = bench.run({"open_settle": 2.0}, partner=True, path=bench.step(until=until))
    share = [ratio(s.entry("corridor"), s.entry("origin")) for s in (run, base)]
    trace = change(share[0], share[1])
    world = bench.world()
    more = np.array(world.stock_log, dtype=float)
    more[[case.corridor for case in bench.cases]] += np.log(2.0)
    larger = bench.run(world=world._replace(stock_log=more))
    first = [ratio(s.entry("corridor"), s.entry("origin"))[:, 0] for s in (larger, base)]
    return [
        Finding(
            "network_trace",
            CHOICE,
            "A diaspora that has grown goes on drawing people after the cause is gone.",
            "Settlement eased for two years and then as before: log change of the corridor's share of departures in "
            "the month after.",
            trace[:, until],
            low=-1e-5,
            unit="log change",
            paths={"": trace},
        ),
        Finding(
            "network_size",
            CHOICE,
            "A bigger diaspora attracts.",
            "First stock of the corridor doubled: log change of its share of departures in the first month.",
            change(first[0], first[1]),
            low=NOISE,
            unit="log change",
        ),
    ]


def richer_destination(bench: Bench, base: Seen) -> Finding:
    """Incomes at the destination rise after the first year; one destination at a time."""
    value = np.full(bench.cells, np.nan)
    for place in dict.fromkeys(case.destination for case in bench.cases):
        here = np.array([case.destination == place for case in bench.cases])[bench.cell]
        gain = np.ones((len(bench.months), len(bench.model.places)))
        gain[bench.after :, bench.model.places.index(place)] = 1.5
        drivers = {n: a * gain if n.startswith("income") else a for n, a in bench.drivers.items()}
        run = bench.run(drivers=drivers)
        value[here] = change(run.entry("destination")[:, bench.after], base.entry("destination")[:, bench.after])[here]
    return Finding(
        "richer_destination",
        CHOICE,
        "A richer destination attracts.",
        "Incomes at the destination half as high again: log change of entries in the first month. The prior of "
        "the response to wages reaches a little below zero, so not every draw must show it.",
        value,
        low=NOISE,
        needed=0.8,
        unit="log change",
    )


def quotas(bench: Bench, base: Seen) -> list[Finding]:
    """Places in the work channel: half of those who come now, then a quarter."""
    seen = []
    for part in (0.5, 0.25):
        quota = np.full(len(bench.model.corridors), np.inf)
        for k, case in enumerate(bench.cases):
            came = base.entry("corridor", "work")[bench.cell == k, bench.after :]
            quota[case.corridor] = part * float(np.median(came))
        seen.append(bench.run(world=bench.world()._replace(quota=quota)))
    at = slice(bench.after, None)
    wide, tight = (s.flow("corridor", "quota_unmet")[:, at].sum(1) for s in seen)
    wanted = [s.entry("corridor", "work")[:, at].sum(1) for s in seen]
    binds = tight > 1e-3 * wanted[1]
    unmet = np.where(binds, change(tight, wide), np.nan)
    share = [
        ratio(s.irregular("corridor"), s.status("corridor", "worker", "visitor") + s.irregular("corridor"))
        for s in seen
    ]
    how = "Places for half, then for a quarter, of those who come to work in the corridor: "
    return [
        Finding(
            "quota_unmet",
            CHOICE,
            "A tighter quota leaves more people without a place.",
            f"{how}log change of people who found none.",
            unmet,
            low=NOISE,
            unit="log change",
        ),
        Finding(
            "quota_irregular",
            CHOICE,
            "A tighter quota turns work into irregular work.",
            f"{how}change of the share in an irregular status among those who live from work there, last month.",
            np.where(binds, (share[1] - share[0])[:, -1], np.nan),
            low=0.0,
            needed=0.9,
            unit="share",
            paths={"": share[1] - share[0]},
        ),
    ]


def treaty(bench: Bench) -> Finding:
    """Right to work by treaty against a visa, in the corridors looked at."""
    seen = []
    for regime in (0, 2):
        regimes = bench.regimes.copy()
        regimes[bench.after :, [case.corridor for case in bench.cases]] = regime
        seen.append(bench.run(regimes=regimes))
    share = [ratio(s.irregular("corridor"), s.status("corridor")) for s in seen]
    return Finding(
        "treaty",
        CHOICE,
        "A right to work by treaty mostly lowers the irregular share of those present.",
        "The corridor under a treaty against the corridor under visas: difference of the share in an irregular status "
        "in the last month. Not in every draw: the prior lets hazards under a treaty exceed those under a visa.",
        (share[0] - share[1])[:, -1],
        high=0.0,
        needed=0.7,
        unit="share",
        paths={"": share[0] - share[1]},
    )


def market(bench: Bench, base: Seen) -> list[Finding]:
    """Capacity cut to a fifth for six months; the price follows its equation and the capacity comes back."""
    first, until = bench.after, bench.after + 6
    run = bench.run({"capacity": np.log(0.2)}, path=bench.step(until=until))
    leak = bench.values()["leakage"][np.arange(bench.cells), _places(bench)]
    cap_base, _ = implied_capacity(bench, base)
    cap, carries = implied_capacity(bench, run)
    low = np.exp(np.log(0.2) * (1.0 - leak))
    half = bench.values()["recovery"]
    # The price of a month is that of the capacity left by the month before.
    gone = np.arange(len(bench.months)) - until
    wanted = np.where(gone < 0, low[:, None], 1.0 - (1.0 - low[:, None]) * 0.5 ** (np.maximum(gone, 0) / half[:, None]))
    wanted[:, : first + 1] = 1.0
    error = np.where(carries, np.abs(cap - wanted), np.nan)[:, first:]
    none = np.isnan(error).all(axis=1)
    price = [ratio(s.revenue.sum(axis=-1), s.volume.sum(axis=-1)) for s in (run, base)]
    dearer = change(price[0], price[1])
    how = "Capacity of the business on the busiest leg cut to a fifth (less what leaks) for six months: "
    flat = np.where(np.isnan(cap_base), 0.0, np.abs(cap_base - 1.0)).max(axis=1)
    return [
        Finding(
            "price_equation",
            ROADS,
            "Prices follow the equation of the market.",
            "Price = base price × (1 + (volume ÷ capacity)^φ), solved for the capacity from volumes and prices of the "
            "baseline: largest distance from the whole capacity in any month.",
            np.where(none, np.nan, flat),
            high=1e-4,
            unit="share",
        ),
        Finding(
            "capacity_price",
            ROADS,
            "A cut in capacity raises the price.",
            f"{how}log change of the mean price, half a year later.",
            np.where(none, np.nan, dearer[:, until]),
            low=NOISE,
            unit="log change",
            needed=0.9,
            paths={"": dearer},
        ),
        Finding(
            "capacity_recovers",
            ROADS,
            "Capacity comes back with its half-life.",
            f"{how}largest distance, in any month, between the capacity that the price implies and the one that the "
            "half-life gives.",
            np.where(none, np.nan, np.nanmax(np.where(np.isnan(error), -1.0, error), axis=1)),
            high=1e-3,
            unit="share",
        ),
    ]


def implied_capacity(bench: Bench, seen: Seen) -> tuple[Array, Array]:
    """Capacity as a share of the undisturbed that price and volume imply, and where it can be told, both (D, T).

    Taken over the road that uses the leg and carries most; the volume that the market has noticed is remembered anew.
    """
    world, p = bench.world(), bench.values()
    cap, told = np.full(seen.leg_volume.shape, np.nan), np.zeros(seen.leg_volume.shape, dtype=bool)
    for d in range(bench.cells):
        case = bench.cases[bench.cell[d]]
        if case.leg is None:
            continue
        c = case.corridor
        legs = bench.model.touches("leg", case.leg[1], case.leg[0])
        over = (world.uses[c, :, : len(legs)] @ legs) > 0
        r = int(np.argmax(np.where(over, seen.volume[d].sum(axis=0), -1.0)))
        base = np.exp(world.log_price_mean[c, r] + p["price_error"][d] * world.log_price_sd[c, r])
        whole = np.exp(world.log_capacity_mean[c, r] + p["capacity_error"][d] * world.log_capacity_sd[c, r])
        tries = seen.volume[d, :, r] * _tries(bench, d, c, r)
        premium = ratio(seen.revenue[d, :, r], seen.volume[d, :, r]) / base - 1.0
        with np.errstate(invalid="ignore", divide="ignore"):
            first = whole * max(float(premium[0]), 0.0) ** (1.0 / p["congestion"][d])
            noticed = _remembered(tries, first, p["volume_memory"][d])
            cap[d] = noticed / whole / np.maximum(premium, 0.0) ** (1.0 / p["congestion"][d])
        told[d] = np.isfinite(cap[d]) & (premium > 1e-6) & (noticed > 1e-7 * whole)  # below, rounding tells nothing
        cap[d] = np.where(told[d], cap[d], np.nan)
    return cap, told


def _tries(bench: Bench, d: int, c: int, r: int) -> float:
    """Attempts per person who sets out over a road, undisturbed."""
    world, p = bench.world(), bench.values()
    hazard = world.uses[c, r] @ (world.leg_mode @ p["interception"][d])
    danger = world.uses[c, r] @ (world.leg_mode @ p["danger"][d])
    caught = np.exp(-danger) * -np.expm1(-hazard)
    return float(1.0 / (1.0 - caught * p["retry"][d]))


def _remembered(tries: Array, first: float, memory: float) -> Array:
    """Volume that the market has noticed before each month; at the start it is what the first price implies."""
    noticed, out = first, np.empty_like(tries)
    for t, flow in enumerate(tries):
        out[t] = noticed
        noticed += (flow - noticed) * -np.expm1(-1.0 / memory)
    return out
