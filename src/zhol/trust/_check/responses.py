"""What must happen when a lever is moved at a corridor, its destination, its origin or a leg: rows, and a reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from zhol.trust._check.bench import Bench
from zhol.trust._check.finding import Finding, change, ratio
from zhol.trust._check.seen import Seen

Array = np.ndarray
Outcome = Callable[[Bench, Seen], Array]
NOISE = 1e-6  # log change that counts as none


@dataclass(frozen=True)
class Claim:
    """One consequence of a run: an outcome, the way it must go, when it is looked at, and how surely."""

    id: str
    statement: str
    measured: str
    outcome: Outcome
    way: str  # up | down | not_up | not_down
    when: str = "all"  # all months after the step | first month of it | last month
    needed: float = 1.0


@dataclass(frozen=True)
class Trial:
    """Levers that are moved in one run, and what is claimed of it."""

    group: str
    levers: Mapping[str, float]
    claims: tuple[Claim, ...]
    partner: bool = False
    moved: str = ""  # the levers in words


def judge(bench: Bench, base: Seen, trial: Trial) -> list[Finding]:
    """Run a trial and judge its claims against the baseline."""
    run = bench.run(trial.levers, partner=trial.partner)
    return [finding(bench, base, run, claim, trial.group, trial.moved) for claim in trial.claims]


def finding(bench: Bench, base: Seen, run: Seen, claim: Claim, group: str, moved: str) -> Finding:
    """Log change of an outcome between two runs, against its bound."""
    new, old = claim.outcome(bench, run), claim.outcome(bench, base)
    first = bench.after
    if claim.when == "all":
        value = change(new[:, first:].sum(axis=1), old[:, first:].sum(axis=1))
    else:
        at = first if claim.when == "first" else -1
        value = change(new[:, at], old[:, at])
    months = {"all": "all months since", "first": "in its first month", "last": "in the last month"}[claim.when]
    low, high = {
        "up": (NOISE, np.inf),
        "not_down": (-NOISE, np.inf),
        "down": (-np.inf, -NOISE),
        "not_up": (-np.inf, NOISE),
    }[claim.way]
    return Finding(
        claim.id, group, claim.statement, f"{moved}: log change of {claim.measured}, {months}.", value,
        low=low, high=high, needed=claim.needed, unit="log change", paths={"": change(new, old)},
    )  # fmt: skip


def arrived(bench: Bench, seen: Seen) -> Array:
    """People of the corridor who got through without papers, (D, T): set out − dead − given up."""
    given_up = seen.flow("corridor", "interceptions") * (1.0 - bench.values()["retry"])[:, None]
    return np.maximum(seen.entry("corridor", "passage") - seen.flow("corridor", "deaths_on_road") - given_up, 0.0)


def _at(scope: str, kind: str, *names: str) -> Outcome:
    """Outcome by its kind: flow, entry, status or irregular."""
    if kind == "flow":
        return lambda _, s: s.flow(scope, names[0])
    if kind == "entry":
        return lambda _, s: s.entry(scope, *names)
    return (lambda _, s: s.status(scope, *names)) if kind == "status" else (lambda _, s: s.irregular(scope))


def _per(part: Outcome, whole: Outcome) -> Outcome:
    return lambda b, s: ratio(part(b, s), whole(b, s))


_SET_OUT = _at("corridor", "entry", "passage")
_ATTEMPTS = _at("corridor", "flow", "attempts")
_PRICE: Outcome = lambda _, s: ratio(s.revenue.sum(axis=-1), s.volume.sum(axis=-1))  # noqa: E731
_LEG: Outcome = lambda _, s: s.leg_volume  # noqa: E731
_RETURNS = _per(_at("destination", "flow", "returns"), _at("destination", "status"))
_OTHERS_TO: Outcome = lambda b, s: s.entry("origin") - s.entry("corridor")  # noqa: E731
_REFUSED = _per(
    _at("destination", "flow", "refused"),
    lambda _, s: s.flow("destination", "refused") + s.flow("destination", "recognised"),
)

ROADS, STATUS, CHOICE, EXITS, ACCOUNTS = (
    "Roads and the market for passage", "Statuses", "Choice and deflection", "Exits", "Accounts of people",
)  # fmt: skip

TRIALS = (
    Trial(ROADS, {"interception": 1.0}, (
        Claim("interception_attempts", "More interception on a leg raises attempts per person who sets out.",
              "attempts per person who sets out in the corridor", _per(_ATTEMPTS, _SET_OUT), "up"),
        Claim("interception_success", "More interception on a leg lowers the share who get through.",
              "people who get through per person who sets out", _per(arrived, _SET_OUT), "down"),
        Claim("interception_arrivals", "More interception never brings more people through on that corridor.",
              "people who get through", arrived, "not_up"),
        Claim("interception_cost", "More interception mostly raises what each arrival has paid.",
              "payments for passage per person who gets through",
              _per(lambda _, s: s.revenue.sum(axis=-1), arrived), "up", needed=0.7),
    ), moved="Hazard of interception on the busiest leg of the corridor times e"),
    Trial(ROADS, {"danger": 1.5}, (
        Claim("danger_arrivals", "A more dangerous leg never raises arrivals over the roads that use it.",
              "people who set out over roads that use the leg", _LEG, "not_up"),
        Claim("danger_deaths", "A more dangerous leg raises deaths per attempt, unless people turn to safer roads.",
              "deaths per attempt in the corridor", _per(_at("corridor", "flow", "deaths_on_road"), _ATTEMPTS), "up",
              needed=0.7),
    ), moved="Hazard of death on the busiest leg times e^1.5"),
    Trial(ROADS, {"passage_price": 1.0}, (
        Claim("price_passage", "A dearer leg lowers passage over the roads that use it.",
              "people who set out over roads that use the leg", _LEG, "down"),
        Claim("price_paid",
              "A dearer leg raises the mean price paid in most corridors; turning to a cheaper road may lower it.",
              "price of passage", _PRICE, "up", needed=0.5),
    ), moved="Base price of the busiest leg times e"),
    Trial(ROADS, {"retry": 1.0}, (
        Claim("retry_attempts", "A readier second try raises attempts per person who sets out.",
              "attempts per person who sets out", _per(_ATTEMPTS, _SET_OUT), "up"),
    ), moved="Odds of trying again after an interception times e"),
    Trial(STATUS, {"regularisation": 4.0}, (
        Claim("regularisation_irregular", "A regularisation lowers the irregular stock at once.",
              "people in an irregular status at the destination", _at("destination", "irregular"), "down", "first"),
        Claim("regularisation_workers", "A regularisation raises the number of workers at once.",
              "workers at the destination", _at("destination", "status", "worker"), "up", "first"),
    ), moved="Hazard of regularisation at the destination times e⁴"),
    Trial(STATUS, {"recognition": 1.0}, (
        Claim("recognition_share", "Readier recognition lowers the share of claims that are refused.",
              "refusals per decision at the destination", _REFUSED, "down"),
        Claim("recognition_refused", "Readier recognition lowers the number refused, unless it draws more claims.",
              "claims refused at the destination", _at("destination", "flow", "refused"), "not_up", "first",
              needed=0.7),
        Claim("recognition_protected", "Readier recognition raises the number who are protected.",
              "people protected at the destination", _at("destination", "status", "protected"), "up", "last"),
    ), moved="Odds of recognition at the destination times e"),
    Trial(STATUS, {"decision_speed": 1.0}, (
        Claim("decision_pending", "Faster decisions lower the number who wait.",
              "pending claims at the destination", _at("destination", "status", "pending"), "down", "last"),
    ), moved="Hazard of a decision at the destination times e"),
    Trial(STATUS, {"overstay": 1.0}, (
        Claim("overstay_stock", "More overstaying raises the number of overstayers.",
              "overstayers at the destination", _at("destination", "status", "overstayer"), "up", "last"),
    ), moved="Hazard of overstaying at the destination times e"),
    Trial(STATUS, {"breach": 1.0}, (
        Claim("breach_irregular", "More breaches of permits raise the irregular stock.",
              "people in an irregular status at the destination", _at("destination", "irregular"), "up", "last"),
    ), moved="Hazard that a permit expires or its terms are broken times e"),
    Trial(STATUS, {"unauthorised_work": 1.0}, (
        Claim("unauthorised_stock", "More visitors who take work raise the number who work without the right.",
              "people who work without the right at the destination", _at("destination", "status", "unauthorised"),
              "up", "last"),
    ), moved="Hazard that a visitor takes work without the right times e"),
    Trial(STATUS, {"naturalisation": 1.5}, (
        Claim("naturalised_residents", "Readier naturalisation lowers the number counted as residents.",
              "residents at the destination", _at("destination", "status", "resident"), "down", "last"),
    ), moved="Hazard of naturalisation times e^1.5"),
    Trial(CHOICE, {"cost_visit": 2.0, "cost_work": 2.0}, (
        Claim("reentry_entries", "Dearer entry lowers entries by the channels that became dearer.",
              "visits and entries to work at the destination", _at("destination", "entry", "visit", "work"), "down"),
        Claim("reentry_returns", "Dearer re-entry keeps people in: fewer go home per person present.",
              "returns per person at the destination", _RETURNS, "down", "first"),
    ), moved="Costs of visits and of work permits at the destination times e²"),
    Trial(CHOICE, {"open_visit": -8.0}, (
        Claim("closed_channel", "Closing a channel all but stops it.",
              "visits in the corridor", _at("corridor", "entry", "visit"), "down"),
        Claim("closed_others", "Closing a channel shifts people to the other channels of the corridor.",
              "entries of the corridor by other channels",
              _at("corridor", "entry", "settle", "work", "asylum", "passage"), "up", "first"),
        Claim("closed_total", "Closing a channel never raises entries in the corridor as a whole.",
              "entries of the corridor by all channels", _at("corridor", "entry"), "not_up"),
        Claim("closed_elsewhere", "Closing a channel sends people to other destinations, too.",
              "entries from the origin to other destinations", _OTHERS_TO, "up", "first"),
        Claim("closed_departures", "Closing a channel never makes more people leave the origin.",
              "departures from the origin", _at("origin", "entry"), "not_up", "first"),
    ), partner=True, moved="Odds of a visit in the corridor times e⁻⁸"),
    Trial(CHOICE, {"conflict": 2.0}, (
        Claim("conflict_departures", "More conflict at the origin never lowers departures.",
              "departures from the origin", _at("origin", "entry"), "not_down", "first"),
    ), moved="Intensity of conflict at the origin times e²"),
    Trial(CHOICE, {"income_origin": -0.5}, (
        Claim("poorer_origin", "A poorer origin sends more people.",
              "departures from the origin", _at("origin", "entry"), "up", "first", needed=0.8),
    ), moved="Income at the origin times e^−0.5"),
    Trial(CHOICE, {"demand_labour": 0.5}, (
        Claim("labour_demand", "More demand for labour draws more workers.",
              "entries to work at the destination", _at("destination", "entry", "work"), "up"),
        Claim("unfilled", "More demand for labour leaves more places empty at once.",
              "places that stand empty at the destination", lambda _, s: s.unfilled, "up", "first"),
    ), moved="Demand for migrant labour at the destination times e^0.5"),
    Trial(EXITS, {"detection": 1.0, "removability": 1.0}, (
        Claim("removals_up", "More detection and removal raises removals at once.",
              "removals from the destination", _at("destination", "flow", "removals"), "up", "first"),
        Claim("removal_stock", "More removal lowers the irregular stock.",
              "people in an irregular status at the destination", _at("destination", "irregular"), "down", "last"),
    ), moved="Hazard of detection and odds of removal at the destination times e"),
    Trial(EXITS, {"return_irregular": 0.7}, (
        Claim("voluntary_return", "Easier return lowers the irregular stock.",
              "people in an irregular status at the destination", _at("destination", "irregular"), "down", "last"),
    ), moved="Hazard of voluntary return from an irregular status times 2"),
    Trial(EXITS, {"onward": 1.5}, (
        Claim("onward_stock", "Readier onward movement lowers the irregular stock that is left behind.",
              "people in an irregular status at the destination", _at("destination", "irregular"), "down", "first"),
    ), moved="Hazard of moving on from the destination times e^1.5"),
)  # fmt: skip
