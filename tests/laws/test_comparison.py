"""Laws of comparisons: common draws, rights before everything, dominance without a score, what moves instead."""

import numpy as np
import polars as pl
import pytest
from policy_runs import WINDOW, comparison, interior, model, scenario, unlawful, visas
from system_runs import quick_compilation

from zhol.policy.comparison import compare
from zhol.policy.outcomes import all_outcomes
from zhol.policy.paired import pair


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


def test_a_scenario_compared_with_itself_differs_by_nothing_in_any_draw():
    found = compare([visas(), visas()], model(), draws=16, **WINDOW)
    assert found.names == ("visas", "visas (2)")
    for name, array in found.runs[0].arrays.items():
        assert np.array_equal(array, found.runs[1].arrays[name])
    assert found.table.select(pl.sum_horizontal("difference", "low", "high").abs().sum()).item() == 0
    assert found.table.select("probability_better", "probability_worse").to_numpy().sum() == 0
    assert found.standing["dominated_by"].to_list() == ["", ""]


def test_doing_nothing_in_two_ways_is_the_same():
    paired = pair([None, visas().scaled(0.0), interior()], model(), draws=16, **WINDOW)
    first, second = paired.run(0), paired.run(1)
    assert all(np.array_equal(array, second.arrays[name]) for name, array in first.arrays.items())


def test_neither_the_order_nor_the_company_of_scenarios_changes_a_difference():
    beside = compare([None, unlawful(), interior()], model(), draws=16, **WINDOW)
    for one in all_outcomes().outcomes:
        assert np.array_equal(beside.difference("interior", one), comparison().difference("interior", one))


def test_before_it_begins_and_without_announcement_a_scenario_changes_nothing():
    early = comparison().by("year").filter(pl.col("year") == "2010")
    assert early["difference"].abs().sum() == 0 and early.height > 0


def test_parts_add_up_to_the_whole():
    run = comparison().runs[2]
    whole = run.draws("irregular_stock")[0]
    for part in ("destination", "origin", "corridor", "status"):
        assert np.allclose(run.draws("irregular_stock", [part])[0].sum(axis=2), whole)
    each = comparison().by(["year", "status"], ["irregular_stock", "protected"])
    assert set(each["status"]) == {"clandestine", "overstayer", "unauthorised", "breach", "refused", "protected"}
    assert each.columns[:4] == ["scenario", "outcome", "year", "status"]


def test_control_never_stands_without_protection():
    families = set(comparison().table["family"])
    assert {"control", "protection"} <= families
    for one in ({"irregular_stock"}, {"attempts", "remittances"}):
        with pytest.raises(Exception, match="outcomes of control are not shown without outcomes of protection"):
            compare([None, visas()], model(), outcomes=one, draws=16, **WINDOW)


def test_who_breaks_a_floor_stands_last_and_dominates_nobody():
    standing = comparison().standing
    assert standing["scenario"].to_list()[-1] == "unlawful" and standing["verdict"].to_list()[-1] == "not lawful"
    assert not any("unlawful" in names.split(", ") for names in standing["dominated_by"])
    first = compare([None, unlawful(), visas()], model(), draws=16, **WINDOW).standing
    assert first["scenario"].to_list() == ["present policies", "visas", "unlawful"]
    assert set(comparison().table.filter(pl.col("scenario") == "unlawful")["verdict"]) == {"not lawful"}
    assert "score" not in " ".join(standing.columns) and "rank" not in " ".join(standing.columns)


def test_dominance_is_what_its_definition_says():
    found = comparison()
    gaps, fair = found._gaps(found._objectives()), [s != "unlawful" for s in found.names]
    share = dict(zip(found.standing["scenario"], found.standing["not_dominated"], strict=True))
    for j, name in enumerate(found.names[:-1]):
        free = 0
        for d in range(gaps.shape[-1]):
            rivals = [i for i in range(len(fair)) if fair[i] and all(g >= 0 for g in gaps[i, j, :, d])]
            free += not any(any(g > 0 for g in gaps[i, j, :, d]) for i in rivals)
        assert share[name] == free / gaps.shape[-1]
    # A contested outcome counts on both sides: who differs on it cannot be dominated by it.
    assert {("removals", -1), ("removals", 1)} <= set(found._objectives())


def test_a_tighter_visa_moves_people_elsewhere_into_other_ways_and_keeps_them_from_returning():
    table = comparison().substitution().table.filter(pl.col("scenario") == "visas")

    def most(what):
        return table.filter(pl.col("what").str.starts_with(what))["probability"].item()

    assert most("fewer come by the ways that narrow") > 0.9
    assert most("more go to other countries") > 0.7
    assert most("of these, without papers") > 0.7
    assert most("fewer return, because those who are there go less") > 0.7
    elsewhere = comparison().substitution().elsewhere
    assert set(elsewhere["destination"]) == {"KGZ", "RUS", "TUR"}


def test_returns_split_exactly_into_fewer_people_and_fewer_going():
    base, run = comparison().runs[0], comparison().runs[1]
    parts = comparison().substitution().table.filter(pl.col("effect") == "fewer_returns")
    assert parts.height == 2 * 3
    from zhol.policy.substitution import _returns

    two = _returns(base, run, ["KAZ"], np.full(base.n_draws, np.nan))
    back = [r.draws("returns", where={"destination": "KAZ"})[0].sum(axis=1) for r in (base, run)]
    assert np.allclose(two[0][3] + two[1][3], back[0] - back[1], rtol=1e-6, atol=1e-6)


def test_an_announcement_brings_people_before_the_rule():
    said = scenario(
        "said", {"instrument": "visa_requirement", "partner": "KGZ", "from": "2012-01", "announced": "2011-01"}
    )
    found = compare([None, said], model(), draws=16, **WINDOW).substitution().table
    row = found.filter(pl.col("what") == "more come before it begins").to_dicts()[0]
    assert row["value"] != 0 and row["effect"] == "other_time"


def test_no_cell_of_fewer_than_ten_people_is_shown():
    cells = comparison().by(["corridor", "year"]).filter(pl.col("unit") == "persons")
    few = cells.filter(pl.col("base") < 10)
    assert 0 < few.height < cells.height
    for row in few.to_dicts():
        run = comparison().runs[comparison().names.index(row["scenario"])]
        one = all_outcomes().outcomes[row["outcome"]]
        where = {"corridor": row["corridor"], **({"status": list(one.status)} if one.status else {})}
        values = run.draws(one.account, ["corridor"], where)[0]
        assert np.median(values[:, list(run.time).index(row["year"])]) >= 10
