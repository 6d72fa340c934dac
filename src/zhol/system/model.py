"""A pack compiled into the arrays of the moving system."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.roads import lay
from zhol.system.names import LEVERS
from zhol.system.parameters import Layout
from zhol.system.world import World

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.run import Run

_MODES = ("land", "sea", "air")
_KINDS = ("country", "block", "rest")
# Judgements of the compiler, not figures about the world.
_FEW_CLAIMS = 100  # corridors with fewer claims in all years share one centre, far down
_NO_CLAIMS = -5.0
_PRIOR_DECISIONS = 20.0  # weight of the origin's mean beside the decisions of a corridor
_SMALLEST_ERROR = 0.05  # log error of a first stock on which both revisions agree
_LONE_ERROR = 0.3  # log error where there is one revision only


class Model:
    """The moving system of one pack: places, corridors, roads and the fixed arrays of a month.

    Parameters
    ----------
    region : Region
        Any valid pack.
    minimum : float
        Corridors are the pairs that hold at least this many people in some year, and those with a cited labour figure.
    without_legs : iterable of (origin, destination)
        Legs to leave out, in both directions: people take another road or none.
    policies_until : str, optional
        Month after which no change of an entry regime is applied: what was known then.
    quotas : mapping of (origin, destination) to float
        Places a month in the work channel; no quota where none is given.

    Attributes
    ----------
    places : list of str
    corridors : list of (origin, destination)
    roads : zhol.roads.Roads
    notes : tuple of str
        What was held, filled or left out on the way.

    Examples
    --------
    >>> import zhol
    >>> model = zhol.system.Model(zhol.load("central_asia"))
    >>> ("UZB", "KAZ") in model.corridors
    True
    """

    def __init__(
        self,
        region: Region,
        *,
        minimum: float = 1000.0,
        without_legs: Iterable[tuple[str, str]] = (),
        policies_until: str | None = None,
        quotas: Mapping[tuple[str, str], float] | None = None,
    ) -> None:
        self.region = region
        self.minimum = minimum
        self.without_legs = tuple(sorted((o, d) for o, d in without_legs))
        self.policies_until = policies_until
        self.quotas = dict(quotas or {})
        self.places = sorted(region.table("places").filter(pl.col("kind").is_in(_KINDS))["place"].to_list())
        if not self.places:
            raise ZholError("the pack has no places", file="places.csv", expected="at least one country or block")
        self._cited = _cited_pairs(region, set(self.places))
        self.corridors = corridors_of(region, self.places, minimum, self._cited)
        for pair, places in self.quotas.items():
            if not places >= 0:
                raise ZholError("a quota is a number of people a month", found=places, expected="0 or more")
            if pair not in self.corridors:
                raise ZholError("a quota for a corridor that the model does not have", found=">".join(pair))
        self.roads = lay(region, corridors=self.corridors, k=3, without_legs=self.without_legs)
        self.notes: tuple[str, ...] = ()
        self._worlds: dict[str, World] = {}
        claims = _claims(region)
        self._claimed = [i for i, pair in enumerate(self.corridors) if claims.get(pair, 0.0) >= _FEW_CLAIMS]
        self._labour = [i for i, pair in enumerate(self.corridors) if pair in self._cited]
        self.layout = Layout(
            {
                "scalar": 1,
                "regime": 3,
                "mode": 3,
                "place": len(self.places),
                "corridor": len(self.corridors),
                "labour_corridor": len(self._labour),
                "asylum_corridor": len(self._claimed),
            }
        )

    @property
    def labour(self) -> tuple[int, ...]:
        """Indices of the corridors of which some figure counts workers, citizens or entries."""
        return tuple(self._labour)

    def keys(self) -> dict[str, list[str]]:
        """Names of the members of each shape, which name their random streams."""
        pairs = [f"{o}>{d}" for o, d in self.corridors]
        return {
            "scalar": [""],
            "regime": ["treaty", "visa_free", "visa"],
            "mode": list(_MODES),
            "place": list(self.places),
            "corridor": pairs,
            "labour_corridor": [pairs[i] for i in self._labour],
            "asylum_corridor": [pairs[i] for i in self._claimed],
        }

    def members(self, side: str) -> int:
        """How many corridors, legs or places a lever of this side acts on."""
        if side == "leg":
            return int(self.roads.legs.height)
        return len(self.places) if side == "place" else len(self.corridors)

    def touches(self, side: str, actor: str, partner: str | None) -> np.ndarray:
        """0/1 array: the corridors, legs or places that an action by ``actor`` toward ``partner`` touches."""
        if side == "place":
            return np.array([float(p == actor) for p in self.places])
        if side == "leg":
            pairs = list(zip(self.roads.legs["origin"], self.roads.legs["destination"], strict=True))
            return np.array([float(d == actor and (partner is None or o == partner)) for o, d in pairs])
        if side == "origin":
            return np.array([float(o == actor and (partner is None or d == partner)) for o, d in self.corridors])
        return np.array([float(d == actor and (partner is None or o == partner)) for o, d in self.corridors])

    def world(self, start: str) -> World:
        """The fixed arrays, with first counts for the month ``start``."""
        if start not in self._worlds:
            self._worlds[start] = _compile(self, start)
        return self._worlds[start]

    def simulate(self, scenario: Any = None, **options: Any) -> Run:
        """Run the system; see :func:`zhol.system.simulate.simulate` for the options."""
        from zhol.system.simulate import simulate

        return simulate(self, scenario, **options)

    def __repr__(self) -> str:
        return (
            f"Model({self.region.name}: {len(self.places)} places, {len(self.corridors)} corridors, "
            f"{self.roads.legs.height} legs, {self.layout.size} parameters, {len(LEVERS)} levers)"
        )


def corridors_of(
    region: Region, places: list[str], minimum: float, cited: set[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Pairs that hold at least ``minimum`` people in some year, and pairs with a cited figure, in one fixed order."""
    found = set(cited)
    if "stocks" in region.tables:
        rows = region.table("stocks").filter(pl.col("persons") >= minimum).select("origin", "destination").unique()
        found |= set(rows.iter_rows())
    known = set(places)
    return sorted((o, d) for o, d in found if o != d and o in known and d in known)


def _cited_pairs(region: Region, places: set[str]) -> set[tuple[str, str]]:
    """Pairs for which some figure counts workers, citizens or entries."""
    if "figures" not in region.tables:
        return set()
    concepts = (
        "citizens_present",
        "citizens_abroad",
        "labour_migrants_stock",
        "departures_for_work",
        "entries_for_work",
    )
    rows = region.table("figures").filter(pl.col("concept").is_in(concepts)).select("origin", "destination").unique()
    return {(o, d) for o, d in rows.iter_rows() if o in places and d in places and o != d}


def _claims(region: Region) -> dict[tuple[str, str], float]:
    if "asylum" not in region.tables:
        return {}
    rows = region.table("asylum").group_by("origin", "destination").agg(pl.col("applications").sum())
    return {(o, d): float(n or 0) for o, d, n in rows.iter_rows()}


def _compile(model: Model, start: str) -> World:
    places, corridors, roads = model.places, model.corridors, model.roads
    at = {place: i for i, place in enumerate(places)}
    index = {pair: i for i, pair in enumerate(corridors)}
    size = len(corridors)
    origin = np.array([at[o] for o, _ in corridors], dtype=np.int32)
    destination = np.array([at[d] for _, d in corridors], dtype=np.int32)
    identity = np.eye(len(places))
    stock_log, stock_sd = first_stocks(model.region, corridors, int(start[:4]))
    protected, pending = _first_protected(model.region, index, int(start[:4]))
    uses = np.asarray(roads.uses, dtype=float)
    return World(
        origin=origin,
        destination=destination,
        at_origin=identity[origin],
        at_destination=identity[destination],
        labour_index=_own(size, model._labour),
        asylum_index=_own(size, model._claimed),
        asylum_offset=np.where(_own(size, model._claimed) < len(model._claimed), 0.0, _NO_CLAIMS),
        recognition_log_odds=recognition_record(model.region, corridors),
        exists=np.asarray(roads.exists, dtype=bool),
        uses=uses,
        leg_count=np.maximum(uses.sum(axis=-1), 1.0),
        leg_mode=np.array([[float(m == mode) for mode in _MODES] for m in roads.legs["mode"]]).reshape(-1, 3),
        has_road=np.asarray(roads.exists, dtype=bool).any(axis=-1),
        strand_to=_strand_to(corridors, roads.last_transit, index),
        through=_through(roads, at, corridors),
        log_price_mean=np.nan_to_num(np.asarray(roads.log_price_mean, dtype=float)),
        log_price_sd=np.nan_to_num(np.asarray(roads.log_price_sd, dtype=float)),
        log_capacity_mean=np.nan_to_num(np.asarray(roads.log_capacity_mean, dtype=float)),
        log_capacity_sd=np.nan_to_num(np.asarray(roads.log_capacity_sd, dtype=float)),
        quota=np.array([model.quotas.get(pair, np.inf) for pair in corridors]),
        stock_log=stock_log,
        stock_sd=stock_sd,
        protected=protected,
        pending=pending,
    )


def _own(size: int, members: list[int]) -> np.ndarray:
    out = np.full(size, len(members), dtype=np.int32)
    out[members] = np.arange(len(members))
    return out


def first_stocks(region: Region, corridors: list[tuple[str, str]], year: int) -> tuple[np.ndarray, np.ndarray]:
    """Log of the stock of each corridor in a year, between the years given, and its error from rival revisions.

    Returns
    -------
    (C,) array of logs and (C,) array of log standard deviations; log 1 with a wide error where there is no stock.
    """
    logs, errors = np.zeros(len(corridors)), np.full(len(corridors), 1.0)
    if "stocks" not in region.tables:
        return logs, errors
    rows = region.table("stocks").filter(pl.col("persons") > 0)
    series: dict[tuple[str, str], dict[int, dict[int, float]]] = {}
    for o, d, revision, when, persons in rows.select(
        "origin", "destination", "revision", "year", "persons"
    ).iter_rows():
        series.setdefault((o, d), {}).setdefault(revision, {})[when] = np.log(persons)
    for i, pair in enumerate(corridors):
        values = []
        for points in series.get(pair, {}).values():
            years = sorted(points)
            if years[0] - 5 <= year <= years[-1] + 5:
                values.append(float(np.interp(year, years, [points[y] for y in years])))
        if values:
            logs[i] = float(np.mean(values))
            gap = float(np.ptp(values)) / 2.0
            errors[i] = max(gap, _SMALLEST_ERROR) if len(values) > 1 else _LONE_ERROR
    return logs, errors


def _first_protected(region: Region, index: dict[tuple[str, str], int], year: int) -> tuple[np.ndarray, np.ndarray]:
    protected, pending = np.zeros(len(index)), np.zeros(len(index))
    if "refugees" not in region.tables:
        return protected, pending
    rows = region.table("refugees").filter(pl.col("year") == year)
    for o, d, refugees, seekers in rows.select("origin", "destination", "refugees", "asylum_seekers").iter_rows():
        if (o, d) in index:
            protected[index[o, d]] += float(refugees or 0)
            pending[index[o, d]] += float(seekers or 0)
    return protected, pending


def recognition_record(region: Region, corridors: list[tuple[str, str]]) -> np.ndarray:
    """Log odds of recognition, (C,): a corridor's decisions, drawn to the mean of its origin, and that to all."""
    decided: dict[tuple[str, str], tuple[float, float]] = {}
    if "asylum" in region.tables:
        rows = (
            region.table("asylum")
            .group_by("origin", "destination")
            .agg(
                (pl.col("recognised").fill_null(0) + pl.col("other_protection").fill_null(0)).sum().alias("yes"),
                pl.col("rejected").fill_null(0).sum().alias("no"),
            )
        )
        decided = {(o, d): (float(yes), float(no)) for o, d, yes, no in rows.iter_rows()}
    total = [sum(v[i] for v in decided.values()) for i in (0, 1)]
    overall = (total[0] + 1.0) / (total[0] + total[1] + 2.0)
    by_origin: dict[str, float] = {}
    for place in {o for o, _ in decided}:
        yes, no = (sum(v[i] for (o, _), v in decided.items() if o == place) for i in (0, 1))
        by_origin[place] = (yes + _PRIOR_DECISIONS * overall) / (yes + no + _PRIOR_DECISIONS)
    out = np.zeros(len(corridors))
    for i, (o, d) in enumerate(corridors):
        yes, no = decided.get((o, d), (0.0, 0.0))
        share = (yes + _PRIOR_DECISIONS * by_origin.get(o, overall)) / (yes + no + _PRIOR_DECISIONS)
        share = min(max(share, 0.005), 0.995)
        out[i] = np.log(share / (1.0 - share))
    return out


def _strand_to(corridors: list[tuple[str, str]], last_transit: Any, index: dict[tuple[str, str], int]) -> np.ndarray:
    last = np.asarray(last_transit, dtype=object)
    out = np.full(last.shape, len(corridors), dtype=np.int32)
    for i, (o, _) in enumerate(corridors):
        for r in range(last.shape[1]):
            out[i, r] = index.get((o, last[i, r]), len(corridors))
    return out


def _through(roads: Any, at: dict[str, int], corridors: list[tuple[str, str]]) -> np.ndarray:
    out = np.zeros((*np.asarray(roads.exists).shape, len(at)))
    index = {pair: i for i, pair in enumerate(corridors)}
    for o, d, road, places in roads.table.select("origin", "destination", "road", "places").iter_rows():
        for place in str(places).split(">")[1:-1]:
            if place in at:
                out[index[o, d], road, at[place]] = 1.0
    return out
