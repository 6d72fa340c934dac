"""The parts of a brief, one file each, in reading order.

A part is a function ``section(region, place)`` that gives a ``Section``, or None when the pack has nothing for the
place; ``without`` is the line that the limits then print. A new part is a new file and a new row here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from zhol.brief.content import Section
from zhol.brief.sections import (
    asylum,
    elsewhere,
    flows,
    how_many,
    key_figures,
    map_of_corridors,
    place_roles,
    population,
    projection,
    recommendations,
    remittances,
    rival_sources,
    stocks,
    the_system,
    together,
    treaties,
    trust,
    unknowns,
    waiting,
)

if TYPE_CHECKING:
    from zhol.region.load import Region


class Part(NamedTuple):
    """One registered part of the brief."""

    key: str
    compose: Callable[[Region, str], Section | None]
    without: str


NOT_ASKED = (
    "Not computed for this place: what policies do, together and elsewhere, and what waiting costs. That is asked of "
    "the countries that the pack is about and of those where many of their people live, where the system’s numbers "
    "can be believed."
)

SECTIONS = (
    Part("key-figures", key_figures.section, "No stocks of people born elsewhere for this place."),
    Part(
        "map",
        map_of_corridors.section,
        "No corridor of this place is large enough to draw, or the pack has no coordinates for it.",
    ),
    Part("roles", place_roles.section, "Roles cannot be read: the pack has no stocks or no legs."),
    Part("stocks", stocks.section, "No stocks over time for this place."),
    Part(
        "flows",
        flows.section,
        "Flows cannot be estimated: no two stocks of one revision with residents, births, deaths.",
    ),
    Part("rival-sources", rival_sources.section, "No quantity of this place has rival sources in the pack."),
    Part("how-many", how_many.section, "No quantity of this place has figures enough to reconcile."),
    Part("asylum", asylum.section, "No asylum figures for this place."),
    Part("remittances", remittances.section, "No remittances for this place."),
    Part("population", population.section, "No population outlook for this place."),
    Part("treaties", treaties.section, "No bodies or treaties that cover this place's corridors."),
    Part(
        "the-system", the_system.section, "The system cannot be run: the pack lacks corridors, populations or incomes."
    ),
    Part(
        "projection",
        projection.section,
        "No projection: the system cannot be run, or has hardly anybody of this place in an irregular status.",
    ),
    Part("trust", trust.section, "Nothing on how far to trust the system, because it cannot be run."),
    Part("recommendations", recommendations.section, NOT_ASKED),
    Part("together", together.section, NOT_ASKED),
    Part("elsewhere", elsewhere.section, NOT_ASKED),
    Part("waiting", waiting.section, NOT_ASKED),
    Part("unknowns", unknowns.section, NOT_ASKED),
)
