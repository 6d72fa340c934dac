"""Readings of who left and who came: one matrix of persons for each source and way of counting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.estimate.flows_of_a_region import region_flows

if TYPE_CHECKING:
    from zhol.region.load import Region

ABROAD = ("citizens_present", "citizens_abroad", "labour_migrants_stock")
# Published ways to make flows from stocks, from the fewest moves to those with return and transit.
METHODS: dict[str, dict[str, Any]] = {
    "fewest moves": {"closed": True},
    "open account": {"closed": False},
    "some return and transit": {"method": "pseudo_bayes"},
}
YEARS = 5
Vector = np.ndarray


class Reading(NamedTuple):
    """Persons (draw, origin, destination) of one source; one draw where the source has no errors of its own."""

    name: str
    basis: str  # flows or stocks
    persons: Vector
    drawn: Vector


def readings(region: Region, year: int, codes: list[str], basis: str, draws: int, seed: int) -> list[Reading]:
    """All readings of a basis (``all``, ``flows`` or ``stocks``) with anybody in them."""
    found: list[Reading] = []
    stocks = region.table("stocks").filter(pl.col("year") <= year)
    for revision in stocks["revision"].unique().sort().to_list():
        own = stocks.filter(pl.col("revision") == revision)
        if basis != "flows":
            last = own.filter(pl.col("year") == own["year"].max())
            found.append(_one(f"stock {last['year'][0]}, revision {revision}", "stocks", last, "persons", codes))
        if basis != "stocks":
            found += _flows(region, own, revision, codes, draws, seed)
    if "figures" in region.tables and basis != "flows":
        cited = _cited(region.table("figures"), year)
        found.append(_one(f"cited counts abroad to {year}", "stocks", cited, "persons", codes))
    if "asylum" in region.tables and basis != "stocks":
        asylum = region.table("asylum").filter(pl.col("year") <= year, pl.col("applications").is_not_null())
        if asylum.height:
            latest = asylum.filter(pl.col("year") == asylum["year"].max())
            name = f"asylum applications {latest['year'][0]}"
            found.append(_one(name, "flows", latest, "applications", codes))
    return [reading for reading in found if reading.persons.sum() > 0]


def _one(name: str, basis: str, rows: pl.DataFrame, value: str, codes: list[str]) -> Reading:
    matrix = _matrix(rows, value, codes)
    return Reading(name, basis, matrix, matrix[None])


def _flows(region: Region, own: pl.DataFrame, revision: Any, codes: list[str], draws: int, seed: int) -> list[Reading]:
    """Flows of the last five years by each method; the growth of stocks where the pack has no accounts."""
    years = own["year"].unique().sort().to_list()
    ends = [y for y in years if y - YEARS in years]
    found = []
    for words, method in METHODS.items():
        try:
            flows = region_flows(
                region, ends[-1] - YEARS, ends[-1], revision=revision, draws=draws, seed=seed, **method
            )
        except (ZholError, IndexError):
            break  # no residents or vital events of these years, or no two stocks five years apart
        at = [flows.places.index(c) if c in flows.places else None for c in codes]
        drawn = flows.moves[None] if flows.draws is None else _both_ways(flows.moves, flows.draws)
        span = f"{ends[-1] - YEARS} to {ends[-1]}"
        found.append(
            Reading(
                f"flows {span}, {words}, revision {revision}",
                "flows",
                _placed(flows.moves[None], at)[0],
                _placed(drawn, at),
            )
        )
    return found or _growth(own, revision, years, codes)


def _both_ways(moves: Vector, draws: Vector) -> Vector:
    """Every other draw mirrored in the estimate: draws have the errors of stocks twice, mirrored ones have them off."""
    drawn = draws.astype(float)
    drawn[1::2] = np.maximum(2 * moves - drawn[1::2], 0.0)
    places = np.arange(len(moves))
    drawn[:, places, places] = 0.0
    return drawn


def _placed(drawn: Vector, at: list[int | None]) -> Vector:
    """The same for the places asked for, in their order; a place without flows has none."""
    size = len(at)
    wide = np.zeros((len(drawn), size, size))
    here = [i for i, k in enumerate(at) if k is not None]
    there = [k for k in at if k is not None]
    wide[:, np.array(here)[:, None], here] = drawn[:, np.array(there)[:, None], there]
    return wide


def _growth(own: pl.DataFrame, revision: Any, years: list[int], codes: list[str]) -> list[Reading]:
    """Growth of each stock over five years, decreases as none."""
    before = [y for y in years if y <= years[-1] - YEARS + 1]
    if not before:
        return []
    earlier = own.filter(pl.col("year") == before[-1]).select("origin", "destination", earlier="persons")
    last = own.filter(pl.col("year") == years[-1])
    pair = last.join(earlier, on=["origin", "destination"]).with_columns(
        growth=(pl.col("persons") - pl.col("earlier")).clip(lower_bound=0)
    )
    return [_one(f"growth {before[-1]} to {years[-1]}, revision {revision}", "flows", pair, "growth", codes)]


def _cited(figures: pl.DataFrame, year: int) -> pl.DataFrame:
    """Last cited count of citizens or workers abroad of every corridor in the ten years to the year asked for."""
    day = pl.coalesce("date_end", "date_start")
    middle = pl.coalesce(pl.col("value"), (pl.col("low") * pl.col("high")).sqrt())
    return (
        figures.filter(pl.col("concept").is_in(list(ABROAD)), pl.col("unit") == "persons")
        .with_columns(day=day, persons=middle.cast(pl.Float64))
        .filter(
            pl.col("day").str.slice(0, 4).str.to_integer().is_between(year - 10, year), pl.col("persons").is_not_null()
        )
        .sort("day", "figure_id")
        .group_by("origin", "destination", maintain_order=True)
        .last()
    )


def _matrix(rows: pl.DataFrame, value: str, codes: list[str]) -> Vector:
    index = {code: i for i, code in enumerate(codes)}
    matrix = np.zeros((len(codes), len(codes)))
    for origin, destination, persons in rows.select("origin", "destination", value).drop_nulls().iter_rows():
        if origin in index and destination in index and origin != destination:
            matrix[index[origin], index[destination]] += persons
    return matrix
