"""The enforcement bound on packs: closed form on one road, displacement on two, and what the result must not hold."""

import json
import math
from functools import partial
from importlib import resources

import numpy as np
import polars as pl
import pytest
import random_packs as made
import yaml

import zhol
from zhol.policy import enforcement
from zhol.roads import lay
from zhol.roads.settings import settings as road_settings

# The priors: who goes where must not change with the posterior that a pack ships.
enforcement_bound = partial(enforcement.enforcement_bound, parameters="prior")
PEOPLE = {
    "origin": ["AFG", "AFG", "UZB", "KGZ", "PAK", "TJK", "CHN"],
    "destination": ["XEU", "RUS", "XEU", "TUR", "RUS", "XEU", "XEU"],
    "persons": [20_000.0, 4_000.0, 3_000.0, 1_000.0, 2_000.0, 1_500.0, 900.0],
}


@pytest.fixture(scope="module")
def model():
    return zhol.system.Model(zhol.load("central_asia"))


@pytest.fixture(scope="module")
def trio(model):
    return enforcement_bound(model, ["UZB", "KAZ", "TKM"], 4, PEOPLE, draws=6, year=2024)


def shared(name):
    return yaml.safe_load((resources.files("zhol.packs") / "shared" / name).read_text(encoding="utf-8"))


def line():
    """TJK - KGZ - KAZ and no other road."""
    pack = made.whole()
    return made.load(made.Pack(pack.places, pack.stocks, pack.legs[:2], pack.visas, pack.claims, pack.refugees))


def test_one_road_by_hand():
    """On one road nobody re-routes: everything follows from the medians of the priors and the means of the effects."""
    region, people = line(), {"origin": ["TJK"], "destination": ["KAZ"], "persons": [1000.0]}
    found = enforcement_bound(region, "KAZ", 1, people, draws=0, year=2013, parameters="prior", gap=1e-8)
    prior = {name: row["median"] for name, row in shared("system.yaml").items()}
    effect = {
        e["lever"]: sum(p["weight"] * p["mean"] for p in e["distribution"])
        for e in shared("instruments/border_officers.yaml")["effects"]
    }
    roads = lay(region, corridors=[("TJK", "KAZ")], k=1)
    border = road_settings().border_km.value
    price = math.exp(roads.log_price_mean[0, 0]) * (600.0 + border) / (1500.0 + 2 * border)  # the leg from KGZ
    place = made.whole().places["TJK"]
    income = place.income * 1.02**3 * place.prices
    patience = prior["nest"] * prior["channel_nest"] / prior["beta_cost"]
    rise = (
        price * math.expm1(effect["passage_price"])
        + income * (prior["passage_loss"] + patience) * prior["interception"][0] * math.expm1(effect["interception"])
        + income * prior["danger_value"] * prior["danger"][0] * math.expm1(effect["danger"])
    )
    assert found.outcome("bound")[0] == pytest.approx(-1000 * math.expm1(-rise / (patience * income)), rel=2e-3)
    assert found.outcome("rerouted")[0] == 0 and found.outcome("spent")[0] == 1
    gained = found.outcome("price_after")[0] - found.outcome("price_before")[0]
    assert gained == pytest.approx(price * math.expm1(effect["passage_price"]), rel=1e-6)


def test_reservation_prices_stop_all_or_nobody():
    region = line()
    people = {"origin": ["TJK"] * 2, "destination": ["KAZ"] * 2, "persons": [300.0, 50.0]}
    rich = enforcement_bound(region, "KAZ", 2, {**people, "reservation": [1e6, 1.0]}, draws=0, year=2013)
    assert rich.outcome("passages")[0] == 300 and rich.outcome("bound")[0] == 0  # 50 could not pay today
    today = rich.outcome("price_before")[0]
    steps = [enforcement_bound(region, "KAZ", 2, {**people, "reservation": [today * f, 1.0]}, draws=0, year=2013)
             .outcome("bound")[0] for f in (1.2, 1.5, 2.0, 3.0)]  # fmt: skip
    assert set(steps) <= {0.0, 300.0} and steps == sorted(steps, reverse=True) and steps[-1] == 0


def test_everything_spent_is_kept_within_what_is_known(trio):
    table = {row["outcome"]: row for row in trio.table.filter(pl.col("actors") == "together").to_dicts()}
    assert trio.proven and table["gap"]["high"] < 0.1
    assert table["passages"]["value"] == sum(PEOPLE["persons"])
    assert 0 < table["bound"]["high"] <= table["in_reach"]["high"] <= table["passages"]["value"]
    assert table["spent"]["high"] <= 4 and table["price_after"]["value"] > 0
    for row in trio.table.to_dicts():
        assert row["low"] <= row["value"] <= row["high"], row
        assert row["unit"] and row["meaning"]


def test_together_does_at_least_what_the_best_alone_does(trio):
    bound = {r["actors"]: r for r in trio.table.filter(pl.col("outcome") == "bound").to_dicts()}
    assert set(bound) == {"together", "KAZ", "TKM", "UZB"}
    for member in trio.actors:
        assert all(bound["together"][c] >= bound[member][c] - 1e-9 for c in ("value", "low", "high"))
    assert trio.outcome("gain_over_best_member")[1] >= 0


def test_curve_starts_at_nothing_and_never_falls(trio):
    curve = trio.curve
    assert curve["budget"][0] == 0 and curve["share_of_full"][-1] == 1
    assert (curve.row(0, named=True)["bound_high"], curve.row(0, named=True)["rerouted_high"]) == (0, 0)
    for column in ("bound", "bound_low", "bound_high"):
        assert curve[column].is_sorted()
    at = curve.filter(pl.col("budget") == 4).row(0, named=True)
    assert at["bound"] == trio.outcome("bound")[0]


def test_people_are_moved_to_others_and_none_is_lost(model, trio):
    arrivals = trio.displacement.filter(pl.col("role") == "arrival")
    assert arrivals["change"].max() <= 0  # a destination gains nobody: roads change, destinations do not
    one = enforcement_bound(model, "TKM", 6, PEOPLE, draws=0, year=2024)
    went = {r["place"]: r["change"] for r in one.displacement.filter(pl.col("role") == "transit").to_dicts()}
    assert went["TKM"] < 0 < max(went.values()) <= one.outcome("rerouted")[0]
    direct = one.outcome("direct_before")[0], one.outcome("direct_after")[0]
    assert 0 < direct[1] <= direct[0] + one.outcome("rerouted")[0]
    lost = -one.displacement.filter(pl.col("role") == "arrival")["change"].sum()
    assert lost == pytest.approx(one.outcome("reached")[0], abs=10 * one.displacement.height)


def test_order_of_actors_and_rows_does_not_matter(model, trio):
    turned = {name: values[::-1] for name, values in PEOPLE.items()}
    other = enforcement_bound(model, ("TKM", "KAZ", "UZB", "KAZ"), 4, pl.DataFrame(turned), draws=6, year=2024)
    assert other.table.equals(trio.table) and other.curve.equals(trio.curve)
    assert other.displacement.equals(trio.displacement)


def test_a_group_acts_as_its_members(model):
    group = enforcement_bound(model, "XEE", 2, PEOPLE, draws=0, year=2024, alone=False)
    assert group.actors == ("ARM", "BLR", "KAZ", "KGZ", "RUS")
    every = enforcement_bound(model, "WLD", 2, PEOPLE, draws=0, year=2024, alone=False)
    assert every.outcome("bound")[0] >= group.outcome("bound")[0]


def test_draws_share_their_numbers_with_the_centre_of_nothing(model):
    same = [enforcement_bound(model, "KAZ", 1, PEOPLE, draws=3, seed=s, year=2024) for s in (1, 1, 2)]
    assert same[0].table.equals(same[1].table) and not same[0].table.equals(same[2].table)


def test_nothing_tells_where_to_act(trio):
    """No pair of places and no order of places by what should be done there; intensity only as one total."""
    text = json.dumps(trio.to_dict())
    pairs = {f"{a}{sign}{b}" for a, b in (("AFG", "TKM"), ("UZB", "KAZ"), ("KAZ", "RUS")) for sign in (">", "-", ",")}
    assert not any(pair in text for pair in pairs)
    for table in (trio.table, trio.curve, trio.displacement):
        assert not {"origin", "destination", "leg", "level", "intensity"} & set(table.columns)
    assert "spent" not in trio.displacement.columns
    held = {name: value for name, value in vars(trio).items() if isinstance(value, np.ndarray)}
    assert held == {}


def test_few_people_are_not_told_apart(model):
    few = {**PEOPLE, "persons": [n / 5_000 for n in PEOPLE["persons"]]}
    found = enforcement_bound(model, "KAZ", 2, few, draws=0, year=2024)
    numbers = found.displacement.select(pl.selectors.float()).fill_null(0.0).to_numpy()
    assert ((numbers == 0) | (abs(numbers) >= 10)).all()


def test_summary_says_what_it_is_and_is_not(trio):
    text = trio.summary()
    assert "Kept from passage, at most" in text and "proven: nothing does more" in text
    assert "Together rather than the best alone" in text
    for word in ("transfer to Central Asia is an assumption", "access to asylum", "Real enforcement does less"):
        assert word in text


def test_plot_is_drawn(trio):
    from zhol.core.charts import to_svg

    assert "kept from passage, at most" in to_svg(trio.plot())


def test_travellers_of_the_moving_system():
    small = made.model(made.whole())
    found = enforcement_bound(small, "KAZ", 1, draws=2, year=2012)
    run = small.simulate(start="2010-01", end="2012-12", draws=2, seed=1)
    array, _ = run.draws("entries", where={"channel": "passage"})
    assert found.outcome("passages")[0] == pytest.approx(np.median(array[:, -1]), rel=0.02)
    assert "moving system" in found.source


def test_people_without_a_road_are_said(model):
    region = line()
    people = {"origin": ["TJK", "TUR"], "destination": ["KAZ", "KAZ"], "persons": [100.0, 70.0]}
    found = enforcement_bound(region, "KAZ", 1, people, draws=0, year=2013)
    assert found.outcome("passages")[0] == 100
    assert "70 persons have no road in the pack and are left out." in found.warnings
