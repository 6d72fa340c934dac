"""Instruments as data: every one asked for is there, every number follows from a row, doubt shows."""

import math
import re

import numpy as np
import pytest
import yaml
from shared_data import shared

from zhol.core.errors import ZholError
from zhol.policy import instruments as room
from zhol.policy.instruments import evidence, instrument, instruments, quantile, read_instrument, recalled_rows, rules
from zhol.publishers.evidence import effects
from zhol.system.names import LEVERS
from zhol.system.parameters import parameter_table

ALL = list(instruments().values())
EFFECTS = [(one, e) for one in ALL for e in one.effects]
NAMES = [f"{one.id}-{e.lever}" for one, e in EFFECTS]

# What the 2009 document asks for, passage by passage, and what its critics answer.
ASKED = {
    "visa requirement": "visa_requirement", "visa refusal": "visa_refusals", "carrier sanctions": "carrier_sanctions",
    "physical border control": "border_barriers", "electronic border control": "border_surveillance",
    "human border control": "border_officers", "technical assistance": "technical_assistance",
    "readmission": "readmission", "task forces": "interior_task_forces", "employer liability": "employer_liability",
    "fines": "worker_fines", "detention": "worker_detention", "corruption": "anti_corruption",
    "traffickers": "trafficker_liability", "joint operations": "joint_operations",
    "quotas by employers": "employer_quota", "universal treaty": "universal_treaty",
    "prevention": "prevention_information", "disruption": "network_disruption", "bargains": "bilateral_bargain",
    "UN convention": "un_convention", "asylum mechanism": "regional_asylum_mechanism", "jobs": "origin_jobs",
    "conflict prevention": "conflict_prevention", "minorities": "rights_of_minorities",
    "women and children": "rights_of_women_and_children", "democracy": "democratic_consolidation",
    "regularisation": "regularisation", "patents": "patents", "free movement": "free_movement",
    "seasonal schemes": "seasonal_scheme", "safe access to asylum": "safe_access_asylum",
}  # fmt: skip

# Which way a lever moves irregularity, where that is plain.
DIRECTION = {
    "open_passage": 1, "overstay": 1, "unauthorised_work": 1, "breach": 1, "retry": 1, "capacity": 1, "departures": 1,
    "cost_work": 1, "open_work": -1, "regularisation": -1, "return_irregular": -1, "interception": -1, "detection": -1,
    "removability": -1, "onward": -1, "return_regular": -1, "quota_work": -1,
}  # fmt: skip


@pytest.mark.parametrize("name", ASKED.values(), ids=ASKED.keys())
def test_every_instrument_asked_for_is_there(name):
    assert instrument(name).effects


def test_recommendations_and_tools_are_covered():
    assert {one.seed.recommendation for one in ALL} == {"R1", "R2", "R3", "R4", "R5", "L", "P"}
    assert {one.seed.tool for one in ALL} - {None} == {1, 2, 3, 4, 5, 6}


def test_passages_covered():
    said = {p for one in ALL for p in one.seed.passages}
    assert {"M15", "M17", "M18", "M19", "M20", "M21"} <= said


@pytest.mark.parametrize("one", ALL, ids=lambda one: one.id)
def test_evidence_exists_and_is_cited_as_in_the_table(one):
    rows = {row["evidence_id"]: row for row in evidence().to_dicts()}
    for cited in one.evidence:
        row = rows[cited.id]
        assert (cited.citation, cited.grade, cited.status) == (row["citation"], row["grade"], row["status"])
    used = {i for e in one.effects for i in e.evidence} | set(one.speed.evidence)
    assert used <= {c.id for c in one.evidence}
    assert not isinstance(one.cost, str) or one.cost == "not known"
    if not isinstance(one.cost, str):
        assert one.cost.source in rows


@pytest.mark.parametrize(("one", "e"), EFFECTS, ids=NAMES)
def test_units_and_levers_fit(one, e):
    assert e.lever in LEVERS and e.unit == "log change at intensity 1"
    assert math.isclose(sum(p.weight for p in e.distribution), 1.0)
    assert all(abs(p.mean) < 6 for p in e.distribution), "a factor of 400 is no effect of policy"
    leg_side = ("leg", "place")
    assert e.side is None or (e.side in leg_side) == (LEVERS[e.lever].side in leg_side)


@pytest.mark.parametrize(("one", "e"), EFFECTS, ids=NAMES)
def test_signs_match_the_evidence(one, e):
    """What raises irregularity moves levers that raise it, unless the row measures the opposite or says why not."""
    signs = dict(evidence().select("evidence_id", "sign").iter_rows())
    for part in e.distribution:
        if part.kind in ("theory", "definition", "none") or part.counter:
            continue
        direction = DIRECTION.get(e.lever)
        for i in part.evidence:
            if signs[i] not in ("raises", "lowers") or direction is None or part.mean == 0:
                continue
            expected = (1 if signs[i] == "raises" else -1) * (-1 if part.reversed else 1)
            assert np.sign(part.mean * direction) == expected, (i, part)


@pytest.mark.parametrize(("one", "e"), EFFECTS, ids=NAMES)
def test_a_row_that_found_nothing_moves_nothing(one, e):
    signs = dict(evidence().select("evidence_id", "sign").iter_rows())
    for part in e.distribution:
        if part.kind == "none":
            assert part.mean == 0 and part.sd < e.wide.sd / 2
            assert all(signs[i] in ("none", "other", "lowers", "mixed") for i in part.evidence)


def width(parts):
    return quantile(parts, 0.9) - quantile(parts, 0.1)


@pytest.mark.parametrize(("one", "e"), EFFECTS, ids=NAMES)
def test_removing_all_evidence_widens_the_interval(one, e):
    if not e.evidence:
        return
    assert width(e.parts(without=e.evidence)) > width(e.parts())
    assert e.parts(without=e.evidence) == tuple(e.parts(without=e.evidence, recalled=True))


@pytest.mark.parametrize(("one", "e"), EFFECTS, ids=NAMES)
def test_without_evidence_the_interval_holds_zero_and_is_wide(one, e):
    if e.no_evidence:
        parts = e.parts()
        assert quantile(parts, 0.1) < 0 < quantile(parts, 0.9)
        assert min(s for _, _, s in parts) >= rules()["wide"]["sd"]


@pytest.mark.parametrize(("one", "e"), EFFECTS, ids=NAMES)
def test_recalled_rows_are_off_and_never_the_only_support(one, e):
    recalled = recalled_rows()
    on = [p for p in e.distribution if not recalled & set(p.evidence)]
    assert on, "a recalled row is the only support"
    assert len(e.parts()) == len(on) and len(e.parts(recalled=True)) == len(e.distribution)


def test_rival_results_are_both_kept():
    parts = instrument("border_barriers").effect("open_passage").parts()
    assert [round(math.exp(m) - 1, 3) for _, m, _ in parts] == [-0.27, -0.008]
    assert [w for w, _, _ in parts] == [0.5, 0.5]


def test_visa_refusals_deflect_as_in_the_study():
    """Refusals +10 % raise irregular entries by 4 to 7 % (Czaika and Hobolth): intensity log(1.1) / log(2)."""
    _, mean, _ = instrument("visa_refusals").effect("open_passage").parts()[0]
    change = math.exp(mean * math.log(1.1) / math.log(2)) - 1
    assert 0.04 <= change <= 0.07


def test_arizona_a_quarter_of_leavers_went_to_a_neighbour():
    """The levers of return and onward movement together give the share of leavers that moved on (E046)."""
    bridge, one = rules()["bridge"], instrument("employer_liability")
    more = {
        lever: bridge[lever] * (math.exp(one.effect(lever).distribution[0].mean) - 1)
        for lever in ("return_irregular", "onward")
    }
    assert more["onward"] / sum(more.values()) == pytest.approx(0.25, abs=0.001)


def test_regularisation_gives_the_take_up_of_2006():
    bridge, part = rules()["bridge"], instrument("regularisation").effect("regularisation").distribution[0]
    hazard = bridge["regularisation"] * math.exp(part.mean * (1 - bridge["leakage"]))
    assert 1 - math.exp(-5 * hazard) == pytest.approx(0.55, abs=0.001)


def test_instruments_without_any_estimate_are_marked():
    for name in ("carrier_sanctions", "network_disruption"):
        one = instrument(name)
        assert "none found" in {c.use for c in one.evidence}
        assert "E031" in str(one.caveats) or "E042" in str(one.caveats)
    assert all(e.no_evidence for e in instrument("carrier_sanctions").effects)


def test_bridge_follows_the_priors_of_the_system():
    table = parameter_table()
    regimes = ("treaty", "visa_free", "visa")
    bridge = dict(rules()["bridge"])
    assert bridge.pop("corridor") == pytest.approx(1 - 0.6 + 0.6 * table["nest"].median[0])
    for name, value in bridge.items():
        base = next((name.removesuffix(f"_{r}") for r in reversed(regimes) if name.endswith(f"_{r}")), name)
        place = 0 if base == name else regimes.index(name.removeprefix(f"{base}_"))
        assert table[base].median[place] == pytest.approx(value, rel=0.5), name


def test_conflicts_name_instruments_and_rights_name_companions():
    for one in ALL:
        named = {*one.conflicts_with, *(u for b in one.rights.may_break for u in b.unless)}
        assert named <= set(instruments())
        assert set(one.substitution.levers) <= set(LEVERS)


def test_files_follow_from_the_evidence():
    """Numbers and citations in every file are those that the table and the rules give."""
    table = effects.evidence_table(shared("evidence").parent)
    assert table.write_csv() == (effects.SHARED / "evidence.csv").read_text(encoding="utf-8")
    for file in sorted((effects.SHARED / "instruments").glob("*.yaml")):
        raw = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert effects.text(effects.fill(raw, table, dict(rules()))) == file.read_text(encoding="utf-8"), file.name


def test_evidence_table_keeps_every_row_and_number():
    import csv

    with shared("evidence", "evidence.csv").open(encoding="utf-8") as file:
        raw = list(csv.DictReader(file))
    rows = evidence().to_dicts()
    assert [r["evidence_id"] for r in rows] == [r["id"] for r in raw]
    for row, was in zip(rows, raw, strict=True):
        if re.fullmatch(r"-?\d+(\.\d+)?", was["effect"]):
            assert row["value"] == float(was["effect"])
        assert row["grade"] == was["grade"] and row["citation"]
        assert (row["status"] == "recalled") == was["status"].startswith("recalled")
    assert not [r for r in rows if "as above" in r["citation"]]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("lever: open_passage", "lever: open_gate"),
         "bad.yaml, column effects.0: value error, unknown lever open_gate"),
        (("title:", "titel:"), "bad.yaml, column title: field required"),
        (("unit: log change at intensity 1", "unit: percent"),
         "bad.yaml, column effects.0.unit: input should be 'log change at intensity 1'"),
        (("id: border_barriers", "id: border_walls"),
         "border_barriers.yaml: the id is not the name of the file; found 'border_walls'"),
    ],
)  # fmt: skip
def test_broken_files_say_where(change, line):
    text = (effects.SHARED / "instruments" / "border_barriers.yaml").read_text(encoding="utf-8")
    name = line.split(",")[0].split(":")[0]
    with pytest.raises(ZholError) as error:
        read_instrument(text.replace(*change, 1).replace("id: border_barriers", f"id: {name[:-5]}", 1), name)
    assert str(error.value) == line


def test_unknown_instrument_and_lever():
    with pytest.raises(ZholError, match=r"^unknown instrument; found 'patent'; did you mean 'patents'\?$"):
        instrument("patent")
    with pytest.raises(ZholError, match="patents does not move this lever; found 'danger', expected open_work, "):
        instrument("patents").effect("danger")


def test_choice_of_effects():
    one = instrument("removal_campaign")
    assert all(e.components == ((1.0, 0.0, 0.3),) for e in one.system_effects("neutral"))
    held = {e.lever: e for e in one.system_effects("held_out", ["E069", "E070", "E071"])}
    full = {e.lever: e for e in one.system_effects()}
    assert held["open_work"] != full["open_work"] and held["detection"] == full["detection"]
    assert held["removability"].components == ((1.0, 0.0, 0.7),)
    with pytest.raises(ZholError, match="unknown choice of effects; found 'fitted', expected evidence"):
        one.system_effects("fitted")


def test_mixture_quantiles_against_many_draws():
    parts = [(0.3, -1.0, 0.2), (0.7, 0.5, 0.4)]
    rng = np.random.default_rng(1)
    which = rng.random(400_000) < 0.3
    draws = np.where(which, rng.normal(-1.0, 0.2, 400_000), rng.normal(0.5, 0.4, 400_000))
    for q in (0.1, 0.5, 0.9):
        assert quantile(parts, q) == pytest.approx(np.quantile(draws, q), abs=0.01)
    assert room.quantile([(1.0, 0.4, 0.0)], 0.9) == pytest.approx(0.4)


def test_effects_table_has_an_interval_on_every_row():
    for one in ALL:
        table = room.effects_table(one)
        assert (table["low"] < table["median"]).all() and (table["median"] < table["high"]).all()
