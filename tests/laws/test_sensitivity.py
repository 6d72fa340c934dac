"""Laws of Sobol's and Morris' indices and of the value of information: closed forms, then the system itself."""

from functools import cache

import numpy as np
import polars as pl
import pytest
from policy_runs import interior, model, unlawful
from system_runs import quick_compilation

from zhol.policy._uncertain.evppi import partial_values, perfect_value
from zhol.policy._uncertain.indices import global_indices
from zhol.policy._uncertain.system import evaluate, setting_of
from zhol.policy.global_sensitivity import sensitivity
from zhol.policy.information_value import value_of_information
from zhol.policy.outcomes import chosen
from zhol.system.instruments import actions_of, month_range

WINDOW = {"start": "2010", "end": "2013"}


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


def ishigami(u):
    x = (2 * u - 1) * np.pi
    return np.sin(x[:, 0]) + 7 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0])


def test_indices_of_ishigami_s_function():
    """Closed form: Ishigami and Homma (1990)."""
    a, b, pi = 7.0, 0.1, np.pi
    whole = a**2 / 8 + b * pi**4 / 5 + b**2 * pi**8 / 18 + 0.5
    first = np.array([0.5 * (1 + b * pi**4 / 5) ** 2, a**2 / 8, 0.0]) / whole
    both = b**2 * pi**8 * (1 / 18 - 1 / 50) / whole  # of the first with the third
    total = first + np.array([both, 0.0, both])
    found = global_indices(ishigami, ["x", "y", "z"], runs=40_000, seed=3)
    assert np.allclose(found["first"], first, atol=0.03)
    assert np.allclose(found["total"], total, atol=0.03)
    assert (found["total_low"] <= total).all() and (found["total_high"] >= total - 0.01).all()


def test_morris_finds_slopes_and_what_does_nothing():
    slopes = np.array([3.0, -1.0, 0.0])
    found = global_indices(lambda u: u @ slopes, ["a", "b", "c"], method="morris", runs=200)
    assert np.allclose(found["size"], 0.9 * np.abs(slopes))  # from the 5 % to the 95 % quantile
    assert np.allclose(found["spread"], 0.0, atol=1e-9) and np.sign(found["mean_effect"]).to_list() == [1, -1, 0]


def test_ranks_do_not_hang_on_the_unit_or_on_an_extreme_draw():
    def curved(u):
        return np.exp(5 * u[:, 0]) + u[:, 1]

    one, other = (global_indices(f, ["a", "b"], runs=4000, scale="rank") for f in (curved, lambda u: curved(u) ** 3))
    assert np.allclose(one["total"], other["total"], atol=0.02)
    lost = global_indices(lambda u: np.where(u[:, 0] > 0.999, np.inf, curved(u)), ["a", "b"], runs=4000, scale="rank")
    assert np.allclose(one["total"], lost["total"], atol=0.02)


def test_what_knowing_is_worth_in_closed_form():
    """Two options, the second brings a normal sum: the value of one part is its sd times the density at nought."""
    a, b = np.random.default_rng(1).standard_normal((2, 20_000))
    gains = np.column_stack([np.zeros_like(a), 2 * a + b])
    table = partial_values(gains, {"a": a, "b": b, "neither": np.random.default_rng(2).standard_normal(20_000)})
    density = 1 / np.sqrt(2 * np.pi)
    assert np.allclose(table["value"], [2 * density, density, 0.0], atol=0.03)
    assert perfect_value(gains)[0] == pytest.approx(np.sqrt(5) * density, rel=0.03)
    assert (table["value"] <= perfect_value(gains)[0] + 0.02).all()
    sure = partial_values(gains + np.array([0.0, 100.0]), {"a": a})  # the choice is clear whatever a is
    assert sure["value"][0] == 0.0 and sure["changes"][0] == 0.0


@cache
def setting():
    worlds = [(), tuple(actions_of(interior(), model()))]
    return setting_of(model(), worlds, month_range("2010-01", "2013-12"), chosen(["exposure", "irregular_stock"]),
                      ("KAZ",), seed=1, bank=64, paths=16)  # fmt: skip


def test_rows_of_inputs_do_not_know_of_each_other(monkeypatch):
    rows = setting().inputs.bank[:40]
    whole = evaluate(setting(), rows)
    heard = []
    monkeypatch.setattr("zhol.policy._uncertain.system.BATCH", 16)
    parts = evaluate(setting(), rows[::-1], progress=lambda done, of: heard.append((done, of)))[::-1]
    assert np.allclose(whole, parts, rtol=1e-5) and heard == [(16, 40), (32, 40), (40, 40)]
    again = evaluate(setting(), np.repeat(rows[:1], 3, axis=0))
    assert np.array_equal(again[0], again[1]) and np.array_equal(again[0], again[2])


def test_an_effect_decides_nothing_where_its_instrument_is_not_used():
    found = sensitivity(interior(), model(), outcome=["exposure", "irregular_stock"], method="morris", runs=400,
                        base="present policies", **WINDOW)  # fmt: skip
    assert found.runs <= 400 and set(found.table["kind"]) >= {"parameter", "effect"}
    sizes = found.table.filter(pl.col("factor") == "regularisation: regularisation")["size"]
    assert (sizes > 0).all()
    idle = sensitivity(interior().scaled(0.0), model(), outcome=["exposure", "irregular_stock"], method="morris",
                       base="present policies", runs=400, **WINDOW)  # fmt: skip
    # A scenario that does nothing differs by nothing, whatever is uncertain.
    assert not idle.table["size"].to_numpy().any()


def test_the_same_seed_gives_the_same_and_the_rest_stands_as_one():
    both = [sensitivity(None, model(), outcome="exposure", runs=600, keep=2, **WINDOW) for _ in range(2)]
    assert both[0].table.equals(both[1].table) and both[0].screening.equals(both[1].screening)
    rest = both[0].table.filter(pl.col("kind") == "group")
    assert rest.height == 1 and rest["prior_only"][0] is None and both[0].runs <= 600
    assert both[0].screening.height == both[0].details["factors"]
    shares = both[0].prior_only
    assert shares["outcome"].to_list() == ["exposure"] and 0.0 <= shares["share"][0] <= 1.0
    assert "Sensitivity of present policies" in both[0].summary()


def test_no_unlawful_scenario_is_recommended_and_knowledge_is_worth_no_less_than_nothing():
    found = value_of_information([None, interior(), unlawful()], model(), outcome="exposure", draws=120,
                                 rule="probability", **WINDOW)  # fmt: skip
    verdicts = dict(found.choices.select("scenario", "verdict").iter_rows())
    assert verdicts["unlawful"] == "not lawful" and verdicts[found.recommended] == "lawful"
    assert (found.table["value"] >= 0).all() and found.everything[0] >= 0
    assert (found.table["low"] <= found.table["value"]).all() and "Not lawful" in found.summary()
    assert found.to_dict()["recommended"] == found.recommended
