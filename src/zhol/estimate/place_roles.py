"""Roles of places: how much each is origin, transit and destination, read from figures and never typed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.core.result import json_ready
from zhol.estimate._roles.readings import Reading, readings
from zhol.estimate._roles.roads import Habits, passing

if TYPE_CHECKING:
    import altair as alt

    from zhol.region.load import Region

ROLES = ("origin", "transit", "destination")
BASES = ("all", "flows", "stocks")
# From this share of readings on, a role is firmly supported; below one minus it, firmly denied.
FIRM = 0.75
Vector = np.ndarray


@dataclass(frozen=True)
class Roles:
    """Roles of every place of a region in one year.

    Parameters
    ----------
    table : polars.DataFrame
        One row a place: ``origin``, ``transit``, ``destination`` (shares; the median over readings, draws and roads, so
        the three need not add to one), each with ``_low`` and ``_high`` (5th and 95th percentile), ``_support``
        (probability that the place has the role: share of readings, draws and roads in which it does), ``_flows`` and
        ``_stocks`` (the same by what is read), ``role`` (the roles that at least half support), ``seed_role``,
        ``agrees`` (true; false where a role is firmly supported or firmly denied against the paper; null where the
        readings are divided or the paper names no role), ``persons`` (largest reading).
    detail : polars.DataFrame
        One row a place and measure, with its ``basis`` (flows or stocks): the persons behind each share, with their 5th
        and 95th percentile.
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
    basis: str = "all"

    @property
    def measures(self) -> tuple[str, ...]:
        """What the roles are read from, in words."""
        return tuple(self.detail["measure"].unique(maintain_order=True).to_list())

    def summary(self) -> str:
        """Where the figures agree with the groups of the pack's seed paper, and where not, in a few lines."""
        said = self.table.filter(pl.col("seed_role") != "none")
        lines = [f"Roles in {self.year}: {said.height} places whose role the 2009 paper names"]
        lines.append(f"Read from: {'; '.join(self.measures)}")
        for verdict, words in ((True, "agree"), (False, "disagree"), (None, "cannot be told apart")):
            match = pl.col("agrees").is_null() if verdict is None else pl.col("agrees").eq(verdict)
            names = said.filter(match)["place"].to_list()
            lines.append(f"{words}: {', '.join(names) if names else 'none'}")
        return "\n".join(lines + [f"Warning: {w}" for w in self.warnings])

    def to_dict(self) -> dict[str, Any]:
        """Plain Python values only, ready for JSON."""
        fields = {"year": self.year, "threshold": self.threshold, "basis": self.basis, "warnings": list(self.warnings)}
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
    basis: str = "all",
    threshold: float = 0.2,
    detour: float = 1.5,
    road_noise: float = 0.25,
    longest: tuple[float, float] = (3000.0, 7000.0),
    sea: float = 2.0,
    draws: int = 50,
    seed: int = 1,
) -> Roles:
    """How much each place is origin, transit and destination, with the spread over rival sources.

    Every source gives its own reading. Flows: those estimated from the last five years of each UN revision by three
    methods, each drawn over the errors of the stocks (never across two revisions), and the asylum applications of the
    year. Stocks: the migrant stock of each revision, and cited counts of citizens and workers abroad. A reading counts
    the people who left a place, the people who came, and the people whose road leads through it. Roads run over the
    pack's land and sea legs by length; because nobody knows which road people take, leg lengths are drawn with noise.

    Parameters
    ----------
    region : Region
        A loaded pack with ``stocks`` and ``legs`` (``population``, ``figures``, ``asylum`` and ``distances`` are used
        where present; without ``population`` the growth of stocks stands for flows).
    year : int
        Each source is read at its last year not after this one.
    basis : str
        ``all``, or only what is read from ``flows`` or from ``stocks``.
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
        Number of draws of the roads and of the flows.
    seed : int
        Seed of the draws.

    Returns
    -------
    Roles
        Shares and probabilities of the three roles.

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
    if basis not in BASES:
        raise ZholError("unknown basis", found=basis, expected=" or ".join(BASES))
    found = readings(region, year, codes, basis, draws, seed)
    if not found:
        raise ZholError("no stock at or before the year asked for", found=year)
    roads = passing(region, codes, Habits(detour, road_noise, longest, sea), draws, seed)
    detail, shares = [], []
    for reading in found:
        people = _people(reading.drawn, roads)
        detail.append(_detail_rows(codes, reading, people))
        shares.append(_shares(people))
    bases = np.repeat([r.basis for r in found], draws)
    return _assemble(places, year, threshold, basis, (np.concatenate(shares), bases), pl.concat(detail))


def _people(flow: Vector, roads: Vector) -> Vector:
    """People who left, passed and came; shape (draw, 3, place)."""
    left, came = flow.sum(axis=2), flow.sum(axis=1)
    one = len(flow) == 1
    through = np.einsum("dopq,op->dq" if one else "dopq,dop->dq", roads, flow[0] if one else flow, optimize=True)
    return np.stack([np.broadcast_to(left, through.shape), through, np.broadcast_to(came, through.shape)], axis=1)


def _shares(people: Vector) -> Vector:
    """Shares of the three roles; shape (draw, role, place), NaN where nobody was counted."""
    total = people.sum(axis=1, keepdims=True)
    return np.divide(people, total, out=np.full_like(people, np.nan), where=total > 0)


def _detail_rows(codes: list[str], reading: Reading, people: Vector) -> pl.DataFrame:
    columns: dict[str, Any] = {
        "place": codes,
        "basis": [reading.basis] * len(codes),
        "measure": [reading.name] * len(codes),
    }
    low, middle, high = np.percentile(people, [5, 50, 95], axis=0)
    middle[0], middle[2] = reading.persons.sum(axis=1), reading.persons.sum(axis=0)
    for i, word in enumerate(("left", "passed", "came")):
        ends = {f"{word}_low": np.minimum(low[i], middle[i]), f"{word}_high": np.maximum(high[i], middle[i])}
        columns |= {word: middle[i], **ends}
    return pl.DataFrame(columns)


def _assemble(
    places: pl.DataFrame, year: int, threshold: float, basis: str, read: tuple[Vector, Vector], detail: pl.DataFrame
) -> Roles:
    shares, bases = read
    seen = np.isfinite(shares).any(axis=(0, 1))
    filled = np.where(seen, shares, 0.0)
    low, middle, high = np.nanpercentile(filled, [5, 50, 95], axis=0)
    has = np.where(np.isnan(filled), np.nan, filled >= threshold)
    people = detail.group_by("place").agg(persons=(pl.col("left") + pl.col("passed") + pl.col("came")).max())
    table = places.select("place", "name", seed_role=pl.col("seed_role").fill_null("none"))
    support = {"support": _mean(has), **{b: _mean(has[bases == b]) for b in BASES[1:]}}
    for i, role in enumerate(ROLES):
        columns = {role: middle, f"{role}_low": low, f"{role}_high": high}
        columns |= {f"{role}_{name}": values for name, values in support.items()}
        table = table.with_columns(*(pl.Series(name, values[i]).fill_nan(None) for name, values in columns.items()))
    table = table.filter(pl.Series(seen)).join(people, on="place", how="left")
    verdicts = [_verdict(row) for row in table.iter_rows(named=True)]
    table = table.with_columns(
        pl.Series("role", [v[0] for v in verdicts], dtype=pl.String),
        pl.Series("agrees", [v[1] for v in verdicts], dtype=pl.Boolean),
    )
    return Roles(table, detail, year, threshold, _warnings(detail), basis)


def _mean(has: Vector) -> Vector:
    """Mean over draws of what is known; NaN where nothing is."""
    known = np.isfinite(has)
    count = known.sum(axis=0)
    total = np.where(known, has, 0.0).sum(axis=0)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def _warnings(detail: pl.DataFrame) -> tuple[str, ...]:
    words = [
        "Stocks of people born elsewhere include births before 1991 and say little about labour migration.",
        "Transit is potential: who would pass overland by the shortest roads; nobody counts it.",
    ]
    if detail["measure"].str.starts_with("flows").any():
        words.insert(1, "Flows are estimated from the same stocks; seasonal workers are in none of them.")
    return tuple(words)


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
