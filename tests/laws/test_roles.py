"""Roles on worlds small enough to know the answer."""

from dataclasses import dataclass

import polars as pl
import pytest

import zhol
from zhol.core.errors import ZholError
from zhol.estimate import roles


@dataclass
class World:
    """What `roles` reads of a region."""

    frames: dict[str, pl.DataFrame]

    @property
    def places(self):
        return self.frames["places"]

    @property
    def tables(self):
        return tuple(self.frames)

    def table(self, name):
        return self.frames[name]


def world(stocks, legs, said=("origin", "transit", "destination"), codes=("UZB", "KAZ", "RUS")):
    places = pl.DataFrame({"place": codes, "name": codes, "kind": ["country"] * len(codes), "seed_role": said})
    rows = [(2020, o, d, 2024, n) for o, d, n in stocks]
    return World(
        {
            "places": places,
            "stocks": pl.DataFrame(rows, schema=["year", "origin", "destination", "revision", "persons"], orient="row"),
            "legs": pl.DataFrame(legs, schema=["origin", "destination", "mode", "length_km"], orient="row"),
        }
    )


LINE = [("UZB", "KAZ", "land", 1000.0), ("KAZ", "RUS", "land", 1000.0)]


def by_place(found):
    return {row["place"]: row for row in found.table.to_dicts()}


def test_a_line_of_three_has_one_role_each():
    found = roles(world([("UZB", "RUS", 100_000)], LINE))
    rows = by_place(found)
    assert [rows[p]["role"] for p in ("UZB", "KAZ", "RUS")] == ["origin", "transit", "destination"]
    assert all(rows[p]["agrees"] is True for p in rows)
    assert rows["KAZ"]["transit"] == rows["KAZ"]["transit_low"] == rows["KAZ"]["transit_high"] == 1.0
    assert rows["KAZ"]["persons"] == 100_000


def test_without_a_leg_or_by_air_nobody_passes():
    cut = by_place(roles(world([("UZB", "RUS", 100_000)], LINE[:1])))
    assert "KAZ" not in cut  # nobody left, came or passed: no reading, not a zero
    air = by_place(roles(world([("UZB", "RUS", 100_000)], [(o, d, "air", km) for o, d, _, km in LINE])))
    assert "KAZ" not in air


def test_a_direct_leg_takes_the_road_away():
    found = by_place(roles(world([("UZB", "RUS", 100_000)], [*LINE, ("UZB", "RUS", "land", 500.0)])))
    assert found.get("KAZ", {"transit": 0.0})["transit"] == 0.0


def test_order_of_places_is_irrelevant_to_who_left_and_came_and_seed_repeats():
    stocks = [("UZB", "RUS", 100), ("KAZ", "RUS", 50), ("RUS", "KAZ", 25)]
    one = by_place(roles(world(stocks, LINE)))
    other = by_place(roles(world(stocks, LINE, said=("destination", "transit", "origin"), codes=("RUS", "KAZ", "UZB"))))
    for place in one:
        assert [one[place][r] for r in ("origin", "transit", "destination")] == [
            other[place][r] for r in ("origin", "transit", "destination")
        ]
    again = roles(world(stocks, LINE), seed=1).table
    assert again.equals(roles(world(stocks, LINE), seed=1).table)


def test_a_paper_against_the_figures_is_said_to_disagree():
    found = roles(world([("UZB", "RUS", 100_000)], LINE, said=("destination", "transit", "none")))
    rows = by_place(found)
    assert rows["UZB"]["agrees"] is False
    assert rows["RUS"]["agrees"] is None
    assert "disagree: UZB" in found.summary()


def test_missing_tables_and_years_are_one_line():
    with pytest.raises(ZholError, match=r"^roles need the table 'legs'"):
        bare = world([("UZB", "RUS", 1)], LINE)
        del bare.frames["legs"]
        roles(bare)
    with pytest.raises(ZholError, match=r"^no stock at or before the year asked for; found 1980$"):
        roles(world([("UZB", "RUS", 1)], LINE), 1980)


def test_the_region_has_a_reading_of_every_rival_revision():
    found = roles(zhol.load("central_asia"), 2020, draws=5)
    measures = set(found.detail["measure"])
    assert {"stock 2020, revision 2020", "stock 2020, revision 2024"} <= measures
    shares = found.table.select("origin", "transit", "destination").to_numpy()
    assert ((shares >= 0) & (shares <= 1)).all()
    for role in ("origin", "transit", "destination"):
        assert (found.table[f"{role}_low"] <= found.table[role]).all()
        assert (found.table[role] <= found.table[f"{role}_high"]).all()


def test_roles_of_the_region_are_read_from_flows_with_probabilities():
    region = zhol.load("central_asia")
    found, flows, stocks = (roles(region, 2020, draws=20, basis=b) for b in ("all", "flows", "stocks"))
    drawn = found.detail.filter(pl.col("measure").str.starts_with("flows 2015 to 2020"))
    assert drawn["measure"].n_unique() == 6  # three methods on two revisions
    assert set(found.detail["basis"]) == {"flows", "stocks"} and set(flows.detail["basis"]) == {"flows"}
    russia = drawn.filter(pl.col("place") == "RUS")
    assert (russia["came_low"] < russia["came"]).all() and (russia["came"] < russia["came_high"]).all()
    for role in ("origin", "transit", "destination"):
        chance = found.table[f"{role}_support"]
        assert chance.is_between(0, 1).all() and 0.0 < chance.mean() < 1.0
        assert found.table[f"{role}_flows"].to_list() == pytest.approx(flows.table[f"{role}_support"].to_list())
        assert flows.table[f"{role}_stocks"].null_count() == flows.table.height
        assert stocks.table[f"{role}_support"].to_list() == stocks.table[f"{role}_stocks"].to_list()
    assert "Read from: stock 2020" in found.summary()
    assert any("seasonal" in w for w in flows.warnings) and not any("seasonal" in w for w in stocks.warnings)


def test_without_residents_the_growth_of_stocks_stands_for_flows():
    one = world([("UZB", "RUS", 100)], LINE)
    earlier = one.frames["stocks"].with_columns(year=pl.lit(2015, pl.Int64), persons=pl.lit(60, pl.Int64))
    one.frames["stocks"] = pl.concat([one.frames["stocks"], earlier])
    found = roles(one, basis="flows")
    assert found.measures == ("growth 2015 to 2020, revision 2024",)
    assert by_place(found)["RUS"]["persons"] == 40
    with pytest.raises(ZholError, match=r"^unknown basis; found 'air', expected all or flows or stocks$"):
        roles(one, basis="air")
