"""Broken scenario files: one exact line each."""

import pytest

from zhol.core.errors import ZholError
from zhol.policy.scenario import Scenario

KEYS = "instrument, actor, partner, from, to, intensity, ramp_months, announced, path"


def measure(text):
    return f"{{name: x, measures: [{{{text}}}]}}"


BROKEN = {
    "unknown instrument": (
        measure("instrument: visa_requirment, actor: KAZ, from: 2027-01"),
        "measure 1: unknown instrument; found 'visa_requirment'; did you mean 'visa_requirement'?",
    ),
    "instrument like none": (
        measure("instrument: qqq, actor: KAZ, from: 2027-01"),
        "measure 1: unknown instrument; found 'qqq'; `zhol instruments list` names them all",
    ),
    "date before the data": (
        measure("instrument: patents, actor: KAZ, from: 1985-01"),
        "measure 1: a date before the data; found '1985-01', expected 1990-01 or later",
    ),
    "intensity 1.7": (
        measure("instrument: patents, actor: KAZ, from: 2027-01, intensity: 1.7"),
        "measure 1: intensity outside 0 to 1; found 1.7, expected 0 to 1",
    ),
    "intensity below zero in a path": (
        measure("instrument: patents, actor: KAZ, path: [[2027-01, -0.1]]"),
        "measure 1: intensity outside 0 to 1; found -0.1, expected 0 to 1",
    ),
    "intensity not a number": (
        measure("instrument: patents, actor: KAZ, from: 2027-01, intensity: high"),
        "measure 1: intensity is not a number; found 'high'",
    ),
    "conflict": (
        "{name: x, measures: [{instrument: visa_requirement, actor: KAZ, partner: KGZ, from: 2027-01},"
        " {instrument: free_movement, actor: KAZ, partner: KGZ, from: 2028-01}]}",
        "measures 1 and 2: visa_requirement and free_movement contradict each other, by KAZ toward KGZ at the same "
        "time; change actor, partner or dates, or leave one out",
    ),
    "conflict through a group": (
        "{name: x, measures: [{instrument: free_movement, actor: XEE, partner: XCA, from: 2027-01},"
        " {instrument: border_closure, actor: RUS, from: 2028-01}]}",
        "measures 1 and 2: free_movement and border_closure contradict each other, by RUS toward XCA at the same time; "
        "change actor, partner or dates, or leave one out",
    ),
    "the same twice": (
        "{name: x, measures: [{instrument: patents, actor: KAZ, from: 2027-01},"
        " {instrument: patents, actor: KAZ, partner: UZB, from: 2028-01}]}",
        "measures 1 and 2: the same instrument twice, by KAZ toward UZB at the same time; "
        "change actor, partner or dates, or leave one out",
    ),
    "unknown actor": (
        measure("instrument: patents, actor: KAX, from: 2027-01"),
        "measure 1: unknown actor; found 'KAX', expected a place or group of central_asia; did you mean 'KAZ'?",
    ),
    "unknown partner": (
        measure("instrument: patents, actor: KAZ, partner: Uzbekistan, from: 2027-01"),
        "measure 1: unknown partner; found 'Uzbekistan', expected a place or group of central_asia; "
        "did you mean 'UZB'?",
    ),
    "a group that cannot act": (
        measure("instrument: patents, actor: WLD, from: 2027-01"),
        "measure 1: unknown actor, a group without members in the pack; found 'WLD'; name the places",
    ),
    "end before start": (
        measure("instrument: patents, actor: KAZ, from: 2030-01, to: 2026-01"),
        "measure 1: the end lies before the start; found '2030-01 to 2026-01'",
    ),
    "path backwards": (
        measure("instrument: patents, actor: KAZ, path: [[2027-01, 0.2], [2026-01, 0.3]]"),
        "measure 1: the path runs back in time; found '2027-01, 2026-01'",
    ),
    "path and from": (
        measure("instrument: patents, actor: KAZ, from: 2027-01, path: [[2027-01, 0.2]]"),
        "measure 1: a path stands instead of from, to, intensity and ramp_months",
    ),
    "unknown key": (
        measure("instrument: patents, actor: KAZ, from: 2027-01, intensty: 0.2"),
        f"measure 1: unknown key; found 'intensty', expected {KEYS}; did you mean 'intensity'?",
    ),
    "unknown key of the scenario": (
        "{name: x, mesures: []}",
        "unknown key; found 'mesures', expected name, description, region, measures, events, observed, own_evidence; "
        "did you mean 'measures'?",
    ),
    "no partner": (
        measure("instrument: readmission, actor: KAZ, from: 2027-01"),
        "measure 1: readmission needs a partner; expected partner: a place or group",
    ),
    "a partner too many": (
        measure("instrument: anti_corruption, actor: KAZ, partner: UZB, from: 2027-01"),
        "measure 1: anti_corruption acts toward nobody in particular; found 'UZB'; leave partner out",
    ),
    "toward itself": (
        measure("instrument: patents, actor: KAZ, partner: KAZ, from: 2027-01"),
        "measure 1: actor and partner are the same; found 'KAZ'",
    ),
    "no month": (
        measure("instrument: patents, actor: KAZ, from: soon"),
        "measure 1: not a month; found 'soon', expected YYYY-MM, such as 2026-01",
    ),
    "month 13": (
        measure("instrument: patents, actor: KAZ, from: 2026-13"),
        "measure 1: not a month; found '2026-13', expected YYYY-MM, such as 2026-01",
    ),
    "no start": (measure("instrument: patents, actor: KAZ"), "measure 1: from is missing"),
    "no actor": (measure("instrument: patents, from: 2026-01"), "measure 1: actor is missing"),
    "announced too late": (
        measure("instrument: patents, actor: KAZ, from: 2026-01, announced: 2026-02"),
        "measure 1: announced after it starts; found '2026-02', expected 2026-01 or before",
    ),
    "ramp": (
        measure("instrument: patents, actor: KAZ, from: 2026-01, ramp_months: -3"),
        "measure 1: ramp_months is negative; found -3, expected 0 or more",
    ),
    "half a month": (
        measure("instrument: patents, actor: KAZ, from: 2026-01, ramp_months: 1.5"),
        "measure 1: ramp_months is not a whole number; found 1.5",
    ),
    "no name": ("{measures: []}", "the scenario has no name; expected name: ..."),
    "a list": ("[1]", "not a scenario; expected name and measures"),
    "measures no list": ("{name: x, measures: {a: 1}}", "measures is not a list; found {'a': 1}"),
    "unknown event": ("{name: x, events: [V999]}", "events: no such row; found 'V999'"),
    "unknown figure": ("{name: x, observed: [F9999]}", "observed: no such row; found 'F9999'"),
    "unknown evidence": ("{name: x, own_evidence: [E999]}", "own_evidence: no such row; found 'E999'"),
}


@pytest.mark.parametrize(("text", "line"), BROKEN.values(), ids=BROKEN.keys())
def test_one_clear_line(text, line):
    with pytest.raises(ZholError) as error:
        Scenario.from_yaml(text, "bad.yaml")
    assert str(error.value) == f"bad.yaml: {line}"


def test_no_yaml_and_no_file(tmp_path):
    with pytest.raises(ZholError, match=r"^bad\.yaml: not a YAML file; "):
        Scenario.from_yaml("a: [", "bad.yaml")
    with pytest.raises(ZholError, match=r"^no such scenario; found 'nowhere\.yaml'; give the path of a YAML file$"):
        Scenario.load("nowhere.yaml")
