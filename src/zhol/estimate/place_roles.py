"""Roles of places: how much each is origin, transit and destination, read from figures and never typed in."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.core.result import json_ready

if TYPE_CHECKING:
    import altair as alt

    from zhol.region.load import Region

ROLES = ("origin", "transit", "destination")
ABROAD = ("citizens_present", "citizens_abroad", "labour_migrants_stock")
# From this share of readings on, a role is firmly supported; below one minus it, firmly denied.
FIRM = 0.75
Vector = np.ndarray


@dataclass(frozen=True)
class Roles:
    """Roles of every place of a region in one year.

    Parameters
    ----------
    table : polars.DataFrame
        One row a place: ``origin``, ``transit``, ``destination`` (shares; the median over readings and roads, so the
        three need not add to one), each with ``_low`` and ``_high`` (5th and 95th percentile) and ``_support`` (share
        of the readings and roads in which the place has the role), ``role`` (the roles that at least half of them
        support), ``seed_role``, ``agrees`` (true; false where a role is firmly supported or firmly denied against the
        paper; null where the readings are divided or the paper names no role), ``persons`` (largest reading).
    detail : polars.DataFrame
        One row a place and measure: the persons behind each share.
    year : int
        Year asked for.
    threshold : float
        Share from which a place is said to have a role.
    warnings : tuple of str
        What a reader must know.
    """

    table: pl.DataFrame
    detail: pl.DataFrame
    year: int
    threshold: float
    warnings: tuple[str, ...] = ()

    def summary(self) -> str:
        """Where the figures agree with the groups of the pack's seed paper, and where not, in a few lines."""
        said = self.table.filter(pl.col("seed_role") != "none")
        lines = [f"Roles in {self.year}: {said.height} places whose role the 2009 paper names"]
        for verdict, words in ((True, "agree"), (False, "disagree"), (None, "cannot be told apart")):
            match = pl.col("agrees").is_null() if verdict is None else pl.col("agrees").eq(verdict)
            names = said.filter(match)["place"].to_list()
            lines.append(f"{words}: {', '.join(names) if names else 'none'}")
        return "\n".join(lines + [f"Warning: {w}" for w in self.warnings])

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        fields = {"year": self.year, "threshold": self.threshold, "warnings": list(self.warnings)}
        return {**fields, "table": json_ready(self.table), "detail": json_ready(self.detail)}

    def plot(self) -> alt.Chart | alt.LayerChart:
        """Interval chart of one role after the other for the places of the region."""
        from zhol.core import charts

        rows = [
            pl.DataFrame(
                {
                    "label": self.table["name"] + f", {role}",
                    "value": self.table[role],
                    "low": self.table[f"{role}_low"],
                    "high": self.table[f"{role}_high"],
                }
            )
            for role in ROLES
        ]
        return charts.interval(pl.concat(rows).sort("label"), unit="share", title=f"Roles in {self.year}")


def roles(
    region: Region,
    year: int = 2020,
    *,
    threshold: float = 0.2,
    detour: float = 1.5,
    road_noise: float = 0.25,
    longest: tuple[float, float] = (3000.0, 7000.0),
    sea: float = 2.0,
    draws: int = 50,
    seed: int = 1,
) -> Roles:
    """How much each place is origin, transit and destination, with the spread over rival sources.

    Every source gives its own reading: the migrant stock of each UN revision, the growth of that stock over the five
    years before within one revision (never across two), and the asylum applications of the year. A reading counts the
    people who left a place, the people who came, and the people whose road leads through it. Roads run over the pack's
    land and sea legs by length; because nobody knows which road people take, leg lengths are drawn with noise.

    Parameters
    ----------
    region : Region
        A loaded pack with ``stocks`` and ``legs`` (``asylum`` and ``distances`` are used where present).
    year : int
        Each source is read at its last year not after this one.
    threshold : float
        Share from which a place has a role.
    detour : float
        A road longer than this many times the direct distance is taken by nobody (people fly instead).
    longest : tuple of float
        Kilometres between which the longest road that anyone takes overland is drawn: an assumption, made wide.
    road_noise : float
        Standard deviation of log leg length over draws: an assumption, made wide because no data say.
    sea : float
        How many times its length a sea leg counts for, because ferries wait: an assumption.
    draws : int
        Number of draws of the roads.
    seed : int
        Seed of the draws.

    Returns
    -------
    Roles
        Shares with the lowest and highest reading over sources and draws of the roads.

    Raises
    ------
    ZholError
        If the pack has no stocks or no legs, or no stock at or before ``year``.
    """
    for needed in ("stocks", "legs"):
        if needed not in region.tables:
            raise ZholError(f"roles need the table {needed!r}", found=", ".join(region.tables), expected=needed)
    places = region.places.filter(pl.col("kind").is_in(["country", "block"]))
    codes = places["place"].to_list()
    readings = _readings(region, year, codes)
    if not readings:
        raise ZholError("no stock at or before the year asked for", found=year)
    passing = _passing(region, codes, detour, road_noise, longest, sea, draws, seed)
    detail, shares = [], []
    for name, flow in readings.items():
        left, came = flow.sum(axis=1), flow.sum(axis=0)
        through = np.einsum("dopq,op->dq", passing, flow)  # draw, place passed
        detail.append(_detail_rows(codes, name, left, through, came))
        shares.append(_shares(left, through, came))
    return _assemble(places, year, threshold, np.concatenate(shares), pl.concat(detail))


def _readings(region: Region, year: int, codes: list[str]) -> dict[str, Vector]:
    """Origin-destination matrices of persons, one for each source and way of counting."""
    found: dict[str, Vector] = {}
    stocks = region.table("stocks").filter(pl.col("year") <= year)
    for revision in stocks["revision"].unique().sort().to_list():
        own = stocks.filter(pl.col("revision") == revision)
        years = own["year"].unique().sort().to_list()
        last = own.filter(pl.col("year") == years[-1])
        found[f"stock {years[-1]}, revision {revision}"] = _matrix(last, "persons", codes)
        before = [y for y in years if y <= years[-1] - 4]
        if before:
            pair = last.join(
                own.filter(pl.col("year") == before[-1]).select("origin", "destination", earlier="persons"),
                on=["origin", "destination"],
            ).with_columns(growth=(pl.col("persons") - pl.col("earlier")).clip(lower_bound=0))
            found[f"growth {before[-1]} to {years[-1]}, revision {revision}"] = _matrix(pair, "growth", codes)
    if "figures" in region.tables:
        cited = _cited(region.table("figures"), year)
        found[f"cited counts abroad to {year}"] = _matrix(cited, "persons", codes)
    if "asylum" in region.tables:
        asylum = region.table("asylum").filter(pl.col("year") <= year, pl.col("applications").is_not_null())
        if asylum.height:
            latest = asylum.filter(pl.col("year") == asylum["year"].max())
            found[f"asylum applications {latest['year'][0]}"] = _matrix(latest, "applications", codes)
    return {name: matrix for name, matrix in found.items() if matrix.sum() > 0}


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


def _passing(
    region: Region,
    codes: list[str],
    detour: float,
    noise: float,
    longest: tuple[float, float],
    sea: float,
    draws: int,
    seed: int,
) -> Vector:
    """1 where the shortest road from o to p leads through q; shape (draw, origin, destination, passed)."""
    from scipy.sparse.csgraph import shortest_path

    index = {code: i for i, code in enumerate(codes)}
    legs = region.table("legs").filter(pl.col("mode").is_in(["land", "sea"]), pl.col("length_km").is_not_null())
    size = len(codes)
    length = np.full((size, size), np.inf)
    felt = legs.with_columns(km=pl.col("length_km") * pl.when(pl.col("mode") == "sea").then(sea).otherwise(1.0))
    for origin, destination, km in felt.select("origin", "destination", "km").iter_rows():
        if origin in index and destination in index:
            o, d = index[origin], index[destination]
            length[o, d] = length[d, o] = min(km, length[o, d])
    direct = _direct(region, index, size)
    through = np.zeros((draws, size, size, size), dtype=np.float32)
    for k in range(draws):
        chance = generator(seed, "roads", str(k))
        wobble, limit = chance.normal(0.0, noise, (size, size)), chance.uniform(*longest)
        symmetric = np.triu(wobble, 1) + np.triu(wobble, 1).T
        graph = np.where(np.isfinite(length), length * np.exp(symmetric), 0.0)
        _, previous = shortest_path(graph, directed=False, return_predecessors=True)
        for o in range(size):
            for d in range(size):
                road = _road(previous, o, d)
                km = sum(length[a, b] for a, b in pairwise(road))
                if len(road) > 2 and km <= min(limit, detour * direct[o, d]):
                    through[k, o, d, road[1:-1]] = 1.0
    return through


def _direct(region: Region, index: dict[str, int], size: int) -> Vector:
    direct = np.full((size, size), np.inf)
    if "distances" in region.tables:
        pairs = region.table("distances").select("origin", "destination", "distance_km").drop_nulls()
        for origin, destination, km in pairs.iter_rows():
            if origin in index and destination in index:
                direct[index[origin], index[destination]] = km
    return direct


def _road(previous: Vector, origin: int, destination: int) -> list[int]:
    road = [destination]
    while road[-1] != origin:
        step = int(previous[origin, road[-1]])
        if step < 0:
            return []
        road.append(step)
    return road[::-1]


def _shares(left: Vector, through: Vector, came: Vector) -> Vector:
    """Shares of the three roles; shape (draw, role, place), NaN where nobody was counted."""
    stacked = np.stack(
        [np.broadcast_to(left, through.shape), through, np.broadcast_to(came, through.shape)], axis=1
    ).astype(float)
    total = stacked.sum(axis=1, keepdims=True)
    return np.divide(stacked, total, out=np.full_like(stacked, np.nan), where=total > 0)


def _detail_rows(codes: list[str], measure: str, left: Vector, through: Vector, came: Vector) -> pl.DataFrame:
    low, middle, high = np.percentile(through, [5, 50, 95], axis=0)
    return pl.DataFrame(
        {
            "place": codes,
            "measure": [measure] * len(codes),
            "left": left,
            "passed": middle,
            "passed_low": low,
            "passed_high": high,
            "came": came,
        }
    )


def _assemble(places: pl.DataFrame, year: int, threshold: float, shares: Vector, detail: pl.DataFrame) -> Roles:
    seen = np.isfinite(shares).any(axis=(0, 1))
    filled = np.where(seen, shares, 0.0)
    low, middle, high = np.nanpercentile(filled, [5, 50, 95], axis=0)
    support = np.nanmean(np.where(np.isnan(filled), np.nan, filled >= threshold), axis=0)
    people = detail.group_by("place").agg(persons=(pl.col("left") + pl.col("passed") + pl.col("came")).max())
    table = places.select("place", "name", seed_role=pl.col("seed_role").fill_null("none"))
    for i, role in enumerate(ROLES):
        columns = {role: middle, f"{role}_low": low, f"{role}_high": high, f"{role}_support": support}
        table = table.with_columns(*(pl.Series(name, values[i]) for name, values in columns.items()))
    table = table.filter(pl.Series(seen)).join(people, on="place", how="left")
    verdicts = [_verdict(row) for row in table.iter_rows(named=True)]
    table = table.with_columns(
        pl.Series("role", [v[0] for v in verdicts], dtype=pl.String),
        pl.Series("agrees", [v[1] for v in verdicts], dtype=pl.Boolean),
    )
    warnings = (
        "Stocks of people born elsewhere include births before 1991 and say little about labour migration.",
        "Transit is potential: who would pass overland by the shortest roads; nobody counts it.",
    )
    return Roles(table, detail, year, threshold, warnings)


def _verdict(row: dict[str, Any]) -> tuple[str, bool | None]:
    """The roles a place has, and whether they are those the seed paper gave it."""
    has = [role for role in ROLES if row[f"{role}_support"] >= 0.5]
    label = "_".join(has) or "none"
    if row["seed_role"] == "none":
        return label, None
    said = row["seed_role"].split("_")
    if has == [role for role in ROLES if role in said]:
        return label, True
    firm = [r for r in ROLES if row[f"{r}_support"] >= FIRM or row[f"{r}_support"] <= 1 - FIRM]
    against = any((role in said) != (role in has) for role in firm)
    return label, False if against else None
