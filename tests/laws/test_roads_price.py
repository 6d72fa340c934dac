"""The law of prices against draws from its prior weighted by the likelihood, and against the cited rows."""

import numpy as np
import polars as pl
import pytest
from roads_worlds import world

import zhol
from zhol.core.draws import generator
from zhol.roads import lay
from zhol.roads.layout import IN_USE
from zhol.roads.price import fit_prices, no_points
from zhol.roads.settings import settings


def points(rows):
    """(km, air, price, source)."""
    table = [
        {"figures": "F", "origin": "A", "destination": "B", "mode": "any", "km": k, "air": a, "price": p, "sources": s}
        for k, a, p, s in rows
    ]
    return pl.DataFrame(table, schema=no_points().schema)


ROWS = [(500.0, 0.0, 300.0, "x"), (4000.0, 0.0, 5000.0, "y"), (3000.0, 1.0, 9000.0, "z"), (1500.0, 0.0, 1500.0, "w")]


def test_posterior_is_prior_times_likelihood():
    prior, chance = settings().price, generator(1, "test")
    law = fit_prices(points(ROWS), prior)
    n = 2_000_000
    variance = prior.error.weight * prior.error.sd**2 / chance.chisquare(prior.error.weight, n)
    terms = np.stack(
        [
            t.mean + t.sd / prior.error.sd * np.sqrt(variance) * chance.standard_normal(n)
            for t in (prior.level, prior.slope, prior.air)
        ]
    )
    log = np.zeros(n)
    for km, air, price, _ in ROWS:
        apart = np.log(price) - terms[0] - terms[1] * np.log(km / 1000) - terms[2] * air
        log += -0.5 * np.log(variance) - apart**2 / (2 * variance)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    assert 1 / (weight**2).sum() > 3000  # enough draws count
    np.testing.assert_allclose(terms @ weight, law.mean, atol=0.04)
    expected = law.weight * law.variance / (law.weight - 2)
    assert variance @ weight == pytest.approx(expected, rel=0.06)


def test_many_prices_bring_back_the_law_they_came_from():
    chance = generator(2, "test")
    km, air = chance.uniform(200, 6000, 4000), chance.integers(0, 2, 4000)
    price = np.exp(6.0 + 1.3 * np.log(km / 1000) + 0.5 * air + 0.4 * chance.standard_normal(4000))
    law = fit_prices(
        points([(k, a, p, str(i)) for i, (k, a, p) in enumerate(zip(km, air, price, strict=True))]), settings().price
    )
    np.testing.assert_allclose(law.mean, [6.0, 1.3, 0.5], atol=0.03)
    assert np.sqrt(law.variance) == pytest.approx(0.4, rel=0.05)


def test_prices_of_one_source_count_less():
    alone = fit_prices(points(ROWS), settings().price)
    together = fit_prices(points([(*row[:3], "x") for row in ROWS]), settings().price)
    km, air = np.array([2000.0]), np.array([0.0])
    assert together.weight == pytest.approx(settings().price.error.weight + 4 / (1 + 3 * settings().price.shared.value))
    assert together.predict(km, air)[1] > alone.predict(km, air)[1] * 0.95
    assert together.weight < alone.weight


def test_interval_is_that_of_the_draws():
    law = fit_prices(points(ROWS), settings().price)
    km, air = np.array([1000.0, 5000.0]), np.array([0.0, 0.5])
    own = generator(3, "test").standard_normal((200_000, 2))
    drawn = np.exp(law.draw(km, air, own, seed=3))
    middle, low, high = law.interval(km, air, 0.8)
    np.testing.assert_allclose(np.quantile(drawn, [0.1, 0.5, 0.9], axis=0), [low, middle, high], rtol=0.02)
    mean, sd = law.predict(km, air)
    np.testing.assert_allclose(np.log(drawn).mean(axis=0), mean, atol=0.01)
    np.testing.assert_allclose(np.log(drawn).std(axis=0), sd, rtol=0.03)


def test_a_pack_without_prices_has_the_prior_and_says_so():
    roads = lay(world(["AAA", "BBB"], [("AAA", "BBB", "land", 1000.0)], [("AAA", "BBB", 5000)]), k=1)
    row = roads.table.row(0, named=True)
    assert row["basis"] == "prior only"
    assert row["price_high"] / row["price_low"] > 30
    assert roads.law.points.is_empty()


def test_a_price_of_a_corridor_pulls_its_road():
    places, legs, stocks = ["AAA", "BBB"], [("AAA", "BBB", "land", 1000.0)], [("AAA", "BBB", 5000)]
    roads = lay(world(places, legs, stocks, prices=[("F1", "AAA", "BBB", 9000.0, "S")]), k=1)
    row = roads.table.row(0, named=True)
    assert 2000 < row["price_median"] < 9000
    assert row["basis"] == "law of prices; the corridor itself has a cited price"
    assert row["sources"] == "S"


def test_prices_that_lead_nowhere_or_are_in_another_unit_are_left_out():
    prices = [("F1", "AAA", "CCC", 9000.0, "S"), ("F2", "AAA", "AAA", 100.0, "S")]
    roads = lay(
        world(["AAA", "BBB", "CCC"], [("AAA", "BBB", "land", 1000.0)], prices=prices), corridors=[("AAA", "BBB")]
    )
    assert roads.law.points.is_empty()


def test_the_shipped_pack_uses_every_cited_price_with_its_source():
    region = zhol.load("central_asia")
    roads = lay(region)
    cited = region.table("figures").filter(pl.col("quantity") == "smuggling_price")
    used = {name for names in roads.law.points["figures"].to_list() for name in names.split(";")}
    assert used == set(cited["figure_id"])
    known = set(region.sources["source_id"])
    assert {s for row in roads.table["sources"].to_list() for s in row.split(";")} <= known
    assert (roads.table["price_high"] / roads.table["price_low"]).min() > 4  # wide, since few prices are known
    points = roads.law.points
    inside = 0
    for row in points.to_dicts():
        _, low, high = roads.law.interval(np.array([row["km"]]), np.array([row["air"]]), 0.8)
        inside += bool(low[0] <= row["price"] <= high[0])
    assert inside >= 0.7 * points.height


def test_the_base_is_half_the_price_of_a_road_in_use():
    roads = lay(zhol.load("central_asia"), corridors=[("AFG", "XEU")])
    np.testing.assert_allclose(2 * np.exp(roads.log_price_mean[0]), roads.table["price_median"].to_numpy())
    assert pytest.approx(np.log(2)) == IN_USE


def test_evidence_named_in_the_judgements_exists():
    from importlib.resources import files

    shared = files("zhol.packs").joinpath("shared")
    known = pl.read_csv(str(shared.joinpath("evidence.csv")))["evidence_id"].to_list()
    assert set(settings().exponent.evidence) <= set(known)
    figures = zhol.load("central_asia").table("figures")["figure_id"].to_list()
    assert set(settings().cost_per_km["air"].figures) <= set(figures)
