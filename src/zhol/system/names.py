"""The names of the moving system: statuses, channels of entry, regimes of entry, levers, accounts."""

from __future__ import annotations

from typing import NamedTuple

STATUSES = (
    "resident",
    "worker",
    "visitor",
    "protected",
    "pending",
    "clandestine",
    "overstayer",
    "unauthorised",
    "breach",
    "refused",
)
RESIDENT, WORKER, VISITOR, PROTECTED, PENDING, CLANDESTINE, OVERSTAYER, UNAUTHORISED, BREACH, REFUSED = range(10)
REGULAR = STATUSES[:5]
IRREGULAR = STATUSES[5:]

CHANNELS = ("settle", "work", "visit", "asylum", "passage")
SETTLE, WORK, VISIT, ASYLUM, PASSAGE = range(5)
# The status that each channel leads to.
ENTERS_AS = (RESIDENT, WORKER, VISITOR, PENDING, CLANDESTINE)

REGIMES = ("treaty", "visa_free", "visa")
TREATY, VISA_FREE, VISA = range(3)


class Lever(NamedTuple):
    """A named parameter that an instrument may multiply: whom it touches, and what it is."""

    side: str  # destination | origin | leg | place
    meaning: str


LEVERS = {
    "open_settle": Lever("destination", "odds of settlement"),
    "open_work": Lever("destination", "odds of entry to work"),
    "open_visit": Lever("destination", "odds of entry to visit"),
    "open_asylum": Lever("destination", "odds of entry to ask for protection"),
    "open_passage": Lever("destination", "willingness to go by clandestine passage"),
    "departures": Lever("origin", "hazard of leaving, by every channel"),
    "cost_settle": Lever("destination", "cost of settlement"),
    "cost_work": Lever("destination", "fees, waiting and bribes of the work channel"),
    "cost_visit": Lever("destination", "fees and waiting of the visit channel"),
    "passage_price": Lever("leg", "base price of passage over the leg"),
    "capacity": Lever("leg", "capacity of the market for passage over the leg"),
    "interception": Lever("leg", "hazard of interception on the leg"),
    "danger": Lever("leg", "hazard of death on the leg"),
    "retry": Lever("destination", "odds of trying again after an interception"),
    "quota_work": Lever("destination", "places in the work channel"),
    "overstay": Lever("destination", "hazard of overstaying"),
    "unauthorised_work": Lever("destination", "hazard of a visitor taking work without the right"),
    "breach": Lever("destination", "hazard of a permit expiring or its terms being broken"),
    "regularisation": Lever("destination", "hazard of an irregular stay becoming regular work"),
    "recognition": Lever("destination", "odds that a claim for protection is recognised"),
    "decision_speed": Lever("destination", "hazard of a decision on a pending claim"),
    "settle_in": Lever("destination", "hazard of a worker becoming a resident"),
    "naturalisation": Lever("destination", "hazard of a resident becoming a citizen"),
    "return_regular": Lever("destination", "hazard of voluntary return of people in a regular status"),
    "return_irregular": Lever("destination", "hazard of voluntary return of people in an irregular status"),
    "detection": Lever("destination", "hazard of being detected in an irregular status"),
    "removability": Lever("destination", "share of the detected that can be removed"),
    "onward": Lever("destination", "hazard of moving on to another destination"),
    "exploitation": Lever("destination", "exposure to exploitation of people without the right to work"),
    "income_origin": Lever("origin", "income at the origin"),
    "conflict": Lever("origin", "intensity of conflict at the origin"),
    "demand_labour": Lever("destination", "demand for migrant labour"),
    "leakage": Lever("place", "share of the intensity of instruments lost to corruption"),
    "remittance_rate": Lever("destination", "share of income sent home"),
}

# Per corridor and period; a stock is the count at the end of the period, a flow the sum over it.
STOCKS = ("protection_gap",)
FLOWS = (
    "attempts",
    "interceptions",
    "stranded",
    "irregular_inflow",
    "returns",
    "removals",
    "detections",
    "onward",
    "regularised",
    "recognised",
    "refused",
    "naturalised",
    "deaths_on_road",
    "deaths",
    "exposure",
    "remittances",
    "quota_unmet",
    "public_cost",
)
