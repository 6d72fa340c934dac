"""Scenarios: what they expand to, how they change, what history ships, and that runs feel nothing of nothing."""

from dataclasses import FrozenInstanceError

import pytest
import yaml

from zhol.core.errors import ZholError
from zhol.policy.instruments import evidence, instruments
from zhol.policy.ready_made import history, package, packages
from zhol.policy.scenario import Measure, Scenario
from zhol.region.load import load


def one(**more):
    return {"instrument": "patents", "actor": "KAZ", "from": "2027-01", **more}


def test_groups_expand_to_their_members_without_pairs_of_one_place():
    free = Scenario(
        "s", measures=[{"instrument": "free_movement", "actor": "XEE", "partner": "XCA", "from": "2027-01"}]
    )
    pairs = {(a.actor, a.partner) for a in free.actions()}
    members = {"XEE": {"ARM", "BLR", "KAZ", "KGZ", "RUS"}, "XCA": {"KAZ", "KGZ", "TJK", "UZB", "TKM"}}
    assert pairs == {(a, b) for a in members["XEE"] for b in members["XCA"] if a != b}


def test_everybody_is_no_partner():
    assert [a.partner for a in Scenario("s", measures=[one(partner="WLD")]).actions()] == [None]


@pytest.mark.parametrize(
    ("more", "points"),
    [
        ({"ramp_months": 0}, (("2027-01", 1.0),)),
        ({"ramp_months": 4, "intensity": 0.8}, (("2027-01", 0.0), ("2027-05", 0.8))),
        ({"ramp_months": 0, "to": "2027-03"}, (("2027-01", 1.0), ("2027-03", 1.0), ("2027-04", 0.0))),
        ({"ramp_months": 10, "to": "2027-06"}, (("2027-01", 0.0), ("2027-06", 0.5), ("2027-07", 0.0))),
        ({"to": 2027}, (("2027-01", 0.0), ("2027-07", 1.0), ("2027-12", 1.0), ("2028-01", 0.0))),
    ],
)
def test_paths(more, points):
    assert Scenario("s", measures=[one(**more)]).actions()[0].path == points


def test_intensity_month_by_month():
    action = Scenario("s", measures=[one(ramp_months=2, to="2027-04", intensity=0.6)]).actions()[0]
    months = ["2026-12", "2027-01", "2027-02", "2027-03", "2027-04", "2027-05", "2040-01"]
    assert action.intensity(months).tolist() == pytest.approx([0, 0, 0.3, 0.6, 0.6, 0, 0], abs=1e-5)


def test_shift_scale_without_only_plus():
    s = Scenario("s", measures=[one(intensity=0.5, to="2030-12", announced="2026-06"),
                                {"instrument": "anti_corruption", "actor": "KAZ", "from": "2027-01"}])  # fmt: skip
    moved = s.shifted(24).measures[0]
    assert (moved.start, moved.end, moved.announced) == ("2029-01", "2032-12", "2028-06")
    assert s.shifted(24).shifted(-24) == s
    assert [m.intensity for m in s.scaled(0.5).measures] == [0.25, 0.5]
    assert s.without("patents").instruments == ("anti_corruption",) and s.only("patents").instruments == ("patents",)
    assert s.only("patents").plus(s.without("patents")).measures == s.measures
    assert [m.intensity for m in s.with_intensities([0.1, 0.2]).measures] == [0.1, 0.2]
    with pytest.raises(ZholError, match=r"intensity outside 0 to 1; found 1\.5"):
        s.scaled(1.5)
    with pytest.raises(
        ZholError, match="scenario s does not use this instrument; found 'fines', expected patents, anti"
    ):
        s.without("fines")


def test_frozen_and_round_trip(tmp_path):
    s = Scenario("s", "what it is", [one(partner="UZB"), {"instrument": "visa_refusals", "actor": "XEU",
                 "path": [["2026-01", 0.0], ["2027-01", 0.8]]}])  # fmt: skip
    with pytest.raises(FrozenInstanceError):
        s.name = "t"
    s.to_yaml(tmp_path / "s.yaml")
    again = Scenario.load(tmp_path / "s.yaml")
    assert again.measures == s.measures and again.description == s.description
    assert Scenario.from_yaml(again.to_yaml()).to_yaml() == s.to_yaml()


def test_measures_may_be_given_as_objects():
    assert Scenario("s", measures=[Measure("patents", "KAZ", "2027-01")]) == Scenario("s", measures=[one()])


def test_instruments_that_do_not_meet_may_contradict():
    visa = {"instrument": "visa_requirement", "actor": "KAZ", "partner": "UZB", "from": "2020-01", "to": "2024-12"}
    free = {"instrument": "free_movement", "actor": "KAZ", "partner": "UZB", "from": "2025-01"}
    assert len(Scenario("s", measures=[visa, free]).measures) == 2
    assert len(Scenario("s", measures=[visa, {**free, "partner": "TJK", "from": "2020-01"}]).measures) == 2


def test_announcement_brings_anticipation():
    visa = {"instrument": "visa_requirement", "actor": "KAZ", "partner": "UZB", "from": "2027-01"}
    assert Scenario("s", measures=[visa]).actions()[0].anticipation is None
    action = Scenario("s", measures=[{**visa, "announced": "2026-07"}]).actions()[0]
    assert action.anticipation is not None and action.anticipation.lever == "departures"
    assert action.awaited(["2026-06", "2026-07", "2026-12", "2027-01"]).tolist() == [0, 1, 1, 0]


def test_packages_are_there_and_whole():
    names = packages()["package"].to_list()
    assert len([n for n in names if n[0] == "r" and n[1].isdigit()]) == 5
    assert len([n for n in names if n.startswith("tool")]) == 6
    assert {"present_policies", "control_only", "protect_and_regularise", "cooperate"} <= set(names)
    assert package("present_policies").measures == ()


@pytest.mark.parametrize("actor", ["KAZ", "RUS", "UZB", "TUR"])
@pytest.mark.parametrize("name", packages()["package"].to_list())
def test_packages_hold_for_any_actor(name, actor):
    made = package(name, actor, "2028-01", intensity=0.5)
    assert all(m.start == "2028-01" and m.intensity <= 0.5 for m in made.measures)
    assert all(a.actor != a.partner for a in made.actions())
    assert Scenario.from_yaml(made.to_yaml()) == made


def test_package_errors():
    with pytest.raises(ZholError, match=r"unknown package; found 'coperate', .*did you mean 'cooperate'\?"):
        package("coperate")
    with pytest.raises(ZholError, match="unknown actor; found 'KAX'"):
        package("cooperate", "KAX")


HISTORY = history()
# Event of the backtest, the instrument that stands for it.
DATED = {
    "eaeu_kyrgyzstan_2015": "free_movement", "rule_90_180_russia_2014": "stay_limit",
    "amnesty_kazakhstan_2006": "regularisation", "patents_russia_2010": "patents", "patents_russia_2015": "patents",
    "entry_bans_russia_2013": "entry_bans", "covid_2020": "border_closure", "crackdown_russia_2024": "removal_campaign",
}  # fmt: skip


@pytest.mark.parametrize("name", DATED)
def test_dated_events_are_scenarios(name):
    scenario = HISTORY[name]
    assert DATED[name] in scenario.instruments and scenario.events and scenario.observed


@pytest.mark.parametrize("name", HISTORY)
def test_history_begins_with_its_event(name):
    scenario, events = HISTORY[name], load("central_asia", recalled=True).table("events")
    starts = dict(events.select("event_id", "date_start").iter_rows())
    first = {m.start for m in scenario.measures}
    assert any(str(starts[e])[:7] in first or str(starts[e])[:4] in {t[:4] for t in first} for e in scenario.events)


@pytest.mark.parametrize("name", HISTORY)
def test_own_evidence_is_left_out_when_held_out(name):
    """Held out, no part of an effect rests on a row of the event; rows of that setting and time are among them."""
    scenario = HISTORY[name]
    for i in scenario.instruments:
        for effect in instruments()[i].effects:
            kept = effect.parts(without=scenario.own_evidence)
            touched = set(effect.evidence) & set(scenario.own_evidence)
            assert (kept != effect.parts()) == bool(touched)
    assert all(e.components == ((1.0, 0.0, 0.3),) for a in scenario.using("neutral").actions() for e in a.effects)


def test_rows_from_the_events_are_declared():
    """Rows measured in an event are named as its own evidence."""
    settings = dict(evidence().select("evidence_id", "instrument").iter_rows())
    own = {i for s in HISTORY.values() for i in s.own_evidence}
    assert {i for i, what in settings.items() if "Crocus" in what or "EAEU accession" in what} <= own
    assert {"E054", "E055", "E062", "E064", "E072"} <= own


def test_files_of_history_say_what_the_scenarios_hold():
    from zhol.policy.ready_made import resources

    folder = resources.files("zhol") / "packs" / "central_asia" / "scenarios"
    for file in folder.iterdir():
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert len(raw["measures"]) == len(HISTORY[raw["name"]].measures)
        assert file.name == f"{raw['name']}.yaml"
