"""Lays the roads of a pack: candidate roads per corridor, their legs, prices and capacities."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.roads.cited import cited_prices, cited_revenue
from zhol.roads.network import Leg, Network, abroad_by_air, cheapest_roads, network
from zhol.roads.price import PriceLaw, fit_prices
from zhol.roads.settings import Settings, settings

if TYPE_CHECKING:
    from zhol.region.load import Region

Vector = np.ndarray
Pair = tuple[str, str]
_KINDS = ("country", "block", "rest")
_MINIMUM = 1000.0  # persons: a corridor is a pair that holds as many in some revision
LEVEL = 0.8
IN_USE = np.log(
    2.0
)  # log of price over base where volume is capacity, which is where the cited prices are taken to hold


@dataclass(frozen=True, eq=False, repr=False)
class Roads:
    """Candidate roads of C corridors, k each, over L legs. A road is a chain of countries, never finer.

    Parameters
    ----------
    corridors : list of (origin, destination)
    legs : polars.DataFrame
        Legs that some road uses, in a fixed order: leg, origin, destination, mode, length_km.
    table : polars.DataFrame
        One row a road: origin, destination, road (0 the cheapest), places (``AFG>IRN>TUR``), legs, modes, length_km,
        price_median, price_low, price_high (US dollars, 80 % of the prior, for a road used at its capacity), basis,
        sources.
    exists : (C, k) bool array
    uses : (C, k, L) array of 0 and 1
    length_km, air_share : (C, k) arrays
        0 where there is no road.
    last_transit : (C, k) object array
        Place before the destination; empty where the road is direct or is none.
    log_price_mean, log_price_sd, log_capacity_mean, log_capacity_sd : (C, k) arrays
        Priors, US dollars and persons a month; NaN where there is no road. The price is the base: where nobody else
        travels, half of what the table says.
    law : PriceLaw
        Where the prices come from.
    cited_revenue : polars.DataFrame
        What the pack cites for the revenue of the business: figure_id, indicator, origin, destination, value, low,
        high, unit, source_id, year. For comparison only; nothing is fitted to it.
    settings : Settings
        The judgements used.
    """

    corridors: list[Pair]
    legs: pl.DataFrame
    table: pl.DataFrame
    exists: Vector
    uses: Vector
    length_km: Vector
    air_share: Vector
    last_transit: Vector
    log_price_mean: Vector
    log_price_sd: Vector
    log_capacity_mean: Vector
    log_capacity_sd: Vector
    law: PriceLaw
    cited_revenue: pl.DataFrame
    settings: Settings

    def __repr__(self) -> str:
        return f"Roads({len(self.corridors)} corridors, {int(self.exists.sum())} roads, {self.legs.height} legs)"


def lay(
    region: Region,
    corridors: Sequence[Pair] | None = None,
    k: int = 3,
    without_legs: Iterable[Pair] = (),
) -> Roads:
    """Candidate roads of each corridor: the k cheapest chains of countries that pass none twice.

    Parameters
    ----------
    region : Region
        Any valid pack; without a table of legs no corridor has a road.
    corridors : sequence of (origin, destination), optional
        In the order wanted; if not given, the pairs that hold at least 1,000 persons in some revision, sorted.
    k : int
        Roads per corridor, at most 20.
    without_legs : iterable of (origin, destination)
        Pairs whose legs are closed, in both directions and by every mode.

    Returns
    -------
    Roads

    Raises
    ------
    ZholError
        If a place is unknown, a corridor is listed twice or leads nowhere, or a leg to leave out does not exist.

    Notes
    -----
    Roads by Yen (1971). A leg by air is taken only from the origin itself. Cost is length times a factor of the mode,
    and a border as so many kilometres (`roads.yaml`); equally dear roads are told apart by their number of legs and
    then by the sorted order of legs, so that the order of rows in the pack never matters. Two roads may pass the same
    countries by different modes.

    Examples
    --------
    >>> import zhol
    >>> roads = lay(zhol.load("central_asia"), corridors=[("AFG", "XEU")], k=1)
    >>> roads.table["places"].to_list()
    ['AFG>IRN>TUR>XEU']
    """
    if isinstance(k, bool) or not isinstance(k, int) or not 1 <= k <= 20:
        raise ZholError("number of roads per corridor", found=k, expected="a whole number from 1 to 20")
    chosen = settings()
    places = region.table("places").filter(pl.col("kind").is_in(_KINDS))["place"].to_list()
    pairs = _default(region, set(places)) if corridors is None else _checked(corridors, set(places))
    rows = legs_of(region, set(places))
    net = network(rows, chosen.costs(), _closed(without_legs, set(places)))
    found = [cheapest_roads(net, o, d, k, abroad_by_air(net, o)) for o, d in pairs]
    law = fit_prices(cited_prices(region, rows, chosen.costs()), chosen.price)
    return _roads(region, pairs, net, found, k, law, chosen)


def legs_of(region: Region, places: set[str]) -> list[Leg]:
    """The legs of a pack between places that people can live in."""
    if "legs" not in region.tables:
        return []
    table = region.table("legs").select("origin", "destination", "mode", "length_km").drop_nulls()
    return [Leg(*row) for row in table.iter_rows() if row[0] in places and row[1] in places]


def _default(region: Region, places: set[str]) -> list[Pair]:
    if "stocks" not in region.tables:
        return []
    rows = region.table("stocks").filter(pl.col("persons") >= _MINIMUM).select("origin", "destination").unique()
    return sorted((o, d) for o, d in rows.iter_rows() if o in places and d in places and o != d)


def _checked(corridors: Iterable[Any], places: set[str]) -> list[Pair]:
    pairs: list[Pair] = []
    for given in corridors:
        pair = _pair(given, places)
        if pair[0] == pair[1]:
            raise ZholError("a corridor leads from a place to another", found=">".join(pair))
        pairs.append(pair)
    seen: set[Pair] = set()
    for pair in pairs:
        if pair in seen:
            raise ZholError("a corridor is listed twice", found=">".join(pair))
        seen.add(pair)
    return pairs


def _closed(without: Iterable[Any], places: set[str]) -> list[Pair]:
    return [_pair(given, places) for given in without]


def _pair(given: Any, places: set[str]) -> Pair:
    if isinstance(given, str) or not hasattr(given, "__len__") or len(given) != 2:
        raise ZholError("not a pair of places", found=given, expected="(origin, destination)")
    for place in given:
        if place not in places:
            raise ZholError("unknown place", found=place, expected=f"one of {', '.join(sorted(places))}")
    return str(given[0]), str(given[1])


def _roads(
    region: Region,
    pairs: list[Pair],
    net: Network,
    found: list[list[tuple[int, ...]]],
    k: int,
    law: PriceLaw,
    chosen: Settings,
) -> Roads:
    used = sorted({leg for roads in found for road in roads for leg in road})
    column = {leg: i for i, leg in enumerate(used)}
    shape = (len(pairs), k)
    exists, uses = np.zeros(shape, dtype=bool), np.zeros((*shape, len(used)))
    length, air = np.zeros(shape), np.zeros(shape)
    last = np.full(shape, "", dtype=object)
    for c, roads in enumerate(found):
        for r, road in enumerate(roads):
            legs = [net.legs[i] for i in road]
            exists[c, r] = True
            uses[c, r, [column[i] for i in road]] = 1.0
            length[c, r] = sum(leg.length_km for leg in legs)
            air[c, r] = sum(leg.length_km for leg in legs if leg.mode == "air") / length[c, r]
            last[c, r] = legs[-1].origin if len(legs) > 1 else ""
    km = np.where(exists, length, 1000.0)
    mean, sd = law.predict(km, air)
    capacity = np.log(chosen.capacity.share_of_stock * _stock(region, pairs, chosen.capacity.least_stock))
    return Roads(
        corridors=pairs,
        legs=_leg_table(net, used),
        table=_road_table(pairs, net, found, column, (km, air), law),
        exists=exists,
        uses=uses,
        length_km=length,
        air_share=air,
        last_transit=last,
        log_price_mean=np.where(exists, mean - IN_USE, np.nan),
        log_price_sd=np.where(exists, sd, np.nan),
        log_capacity_mean=np.where(exists, capacity[:, None], np.nan),
        log_capacity_sd=np.where(exists, chosen.capacity.log_sd, np.nan),
        law=law,
        cited_revenue=cited_revenue(region),
        settings=chosen,
    )


def _stock(region: Region, pairs: list[Pair], least: float) -> Vector:
    """Largest stock of each corridor in any year and revision, at least ``least``; (C,)."""
    known: dict[Pair, float] = {}
    if "stocks" in region.tables:
        rows = region.table("stocks").group_by("origin", "destination").agg(pl.col("persons").max())
        known = {(o, d): float(n or 0) for o, d, n in rows.iter_rows()}
    return np.array([max(known.get(pair, 0.0), least) for pair in pairs], dtype=float)


def _leg_table(net: Network, used: list[int]) -> pl.DataFrame:
    schema = {"origin": pl.String, "destination": pl.String, "mode": pl.String, "length_km": pl.Float64}
    return pl.DataFrame([net.legs[i] for i in used], schema=schema, orient="row").with_row_index("leg")


def _road_table(
    pairs: list[Pair],
    net: Network,
    found: list[list[tuple[int, ...]]],
    column: dict[int, int],
    made_of: tuple[Vector, Vector],
    law: PriceLaw,
) -> pl.DataFrame:
    km, air = made_of
    median, low, high = law.interval(km, air, LEVEL)
    cited = {(p["origin"], p["destination"]): (p["figures"], p["sources"]) for p in law.points.to_dicts()}
    carried = ";".join(sorted({s for p in law.points["sources"].to_list() for s in p.split(";")}))
    rows = []
    for c, (o, d) in enumerate(pairs):
        for r, road in enumerate(found[c]):
            legs = [net.legs[i] for i in road]
            rows.append(
                {
                    "origin": o,
                    "destination": d,
                    "road": r,
                    "places": ">".join([o, *(leg.destination for leg in legs)]),
                    "legs": [column[i] for i in road],
                    "modes": ">".join(leg.mode for leg in legs),
                    "length_km": sum(leg.length_km for leg in legs),
                    "price_median": float(median[c, r]),
                    "price_low": float(low[c, r]),
                    "price_high": float(high[c, r]),
                    "basis": _basis((o, d) in cited, law.points.height),
                    "sources": carried,
                }
            )
    number = dict.fromkeys(("length_km", "price_median", "price_low", "price_high"), pl.Float64)
    text = dict.fromkeys(("origin", "destination", "places", "modes", "basis", "sources"), pl.String)
    schema: dict[str, Any] = {**text, **number, "road": pl.Int64, "legs": pl.List(pl.Int64)}
    order = ["origin", "destination", "road", "places", "legs", "modes", *number, "basis", "sources"]
    return pl.DataFrame(rows, schema={name: schema[name] for name in order}, orient="row")


def _basis(cited: bool, points: int) -> str:
    """Where the price of a road comes from, in words."""
    if cited:
        return "law of prices; the corridor itself has a cited price"
    return f"law of prices, carried over from {points} cited prices of other corridors" if points else "prior only"
