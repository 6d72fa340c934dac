"""Rights floors: they always hold, nobody can weigh them away, and both declarations and outcomes are judged."""

import numpy as np
import pytest
import yaml

from zhol.core.errors import ZholError
from zhol.policy import rights
from zhol.policy.instruments import instruments
from zhol.policy.rights import broken_table, floors, judge, lawful, read_floors, refuse_weights
from zhol.policy.scenario import Scenario
from zhol.publishers.evidence.effects import SHARED
from zhol.region.load import load

TEXT = (SHARED / "rights_floors.yaml").read_text(encoding="utf-8")


def changed(edit):
    raw = yaml.safe_load(TEXT)
    edit(raw)
    return yaml.safe_dump(raw)


def test_every_floor_has_a_source_that_the_pack_knows():
    region = load("central_asia", recalled=True)
    known = {
        *region.table("bodies")["body"],
        *region.table("agreements")["agreement_id"],
        *region.table("events")["event_id"],
    }
    rows = [s.row for f in floors().floors for s in f.sources if s.row]
    assert rows and set(rows) <= known
    assert {f.id for f in floors().floors} >= set(rights.ALWAYS)


def test_every_floor_named_by_an_instrument_exists():
    known = {f.id for f in floors().floors}
    assert {b.floor for one in instruments().values() for b in one.rights.may_break} <= known


@pytest.mark.parametrize("floor", rights.ALWAYS)
def test_no_floor_can_be_left_out(floor):
    def drop(raw):
        raw["floors"] = [f for f in raw["floors"] if f["id"] != floor]

    with pytest.raises(ZholError, match=f"rights floors cannot be left out; found '{floor}'"):
        read_floors(changed(drop))


@pytest.mark.parametrize(
    ("key", "value"), [("probability", 1.0), ("probability", 0.0), ("tolerance", 1.0), ("weight", 0.0)]
)
def test_no_threshold_can_switch_a_floor_off(key, value):
    def weaken(raw):
        raw["floors"][0]["outcomes"][0][key] = value

    with pytest.raises(ZholError, match=r"^rights_floors\.yaml, column floors\.0\.outcomes\.0\."):
        read_floors(changed(weaken))


@pytest.mark.parametrize("key", ["weight", "enabled"])
def test_a_floor_takes_no_weight_and_no_switch(key):
    with pytest.raises(ZholError, match=f"column floors.0.{key}: extra inputs are not permitted"):
        read_floors(changed(lambda raw: raw["floors"][0].update({key: 0})))


@pytest.mark.parametrize("floor", rights.ALWAYS)
@pytest.mark.parametrize("weight", [0, 0.0, 1, 1e9])
def test_a_weight_on_a_floor_is_refused(floor, weight):
    with pytest.raises(ZholError, match="a rights floor has no weight and cannot be set to zero"):
        refuse_weights({"irregular_stock": 1.0, floor: weight})


def hard(**more):
    return {"instrument": "removal_campaign", "actor": "KAZ", "from": "2027-01", **more}


def test_strength_decides():
    assert not lawful(judge(Scenario("s", measures=[hard(intensity=0.6)])))
    assert lawful(judge(Scenario("s", measures=[hard(intensity=0.5)])))


def test_a_companion_keeps_removals_lawful_for_that_floor_only():
    with_access = Scenario(
        "s", measures=[hard(), {"instrument": "safe_access_asylum", "actor": "KAZ", "from": "2026-01"}]
    )
    found = {b.floor for b in judge(with_access) if b.verdict == "breaks"}
    assert found == {"collective_expulsion"}
    elsewhere = Scenario(
        "s", measures=[hard(), {"instrument": "safe_access_asylum", "actor": "UZB", "from": "2026-01"}]
    )
    assert "non_refoulement" in {b.floor for b in judge(elsewhere)}
    too_late = Scenario("s", measures=[hard(), {"instrument": "safe_access_asylum", "actor": "KAZ", "from": "2030-01"}])
    assert [b.since for b in judge(too_late) if b.floor == "non_refoulement"] == ["2027-03"]


def test_months_before_full_strength_are_lawful():
    found = judge(Scenario("s", measures=[hard(ramp_months=20)]))
    # Strictly above one half first in the eleventh month of twenty.
    assert {b.since for b in found} == {"2027-12"}


def test_detention_of_workers_is_never_a_last_resort():
    found = judge(Scenario("s", measures=[{"instrument": "worker_detention", "actor": "KAZ", "from": "2027-01"}]))
    assert {b.floor for b in found if b.verdict == "breaks"} == {"detention_last_resort", "children"}
    assert broken_table(found)["place"].to_list() == ["KAZ", "KAZ"]


class Outcomes:
    """A run of two destinations and two corridors, as far as `judge` looks at one."""

    time = ("2027", "2028")

    def __init__(self, recognised, refused, removals, claims, passage):
        self.values = {"recognised": recognised, "refused": refused, "removals": removals}
        self.entries = {"asylum": claims, "passage": passage}
        self.n_draws = 4

    def draws(self, name, by, where=None):
        where = dict(where or {})
        value = self.entries[where.pop("channel")] if name == "entries" else self.values[name]
        corridors = ["AFG>KAZ", "UZB>RUS"]
        value = np.array(value, dtype=float)
        for c, keep in enumerate(corridors):
            if "corridor" in where and keep not in where["corridor"]:
                value[c] = 0.0
        array = np.tile(value, (4, 2, 1))
        return array, {by[0]: corridors if by == ["corridor"] else ["KAZ", "RUS"]}


BASE = Outcomes([800, 10], [200, 990], [400, 4000], [1000, 1000], [1000, 9000])


def test_a_run_beside_itself_breaks_nothing():
    assert judge(BASE, BASE) == []


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        (([400, 10], [600, 990], [400, 4000], [1000, 1000], [1000, 9000]), {("access_to_asylum", "KAZ")}),
        (([800, 10], [200, 990], [900, 4000], [1000, 1000], [1000, 9000]), {("non_refoulement", "KAZ")}),
        # Removals of people hardly any of whom are recognised do not break this floor.
        (([800, 10], [200, 990], [400, 9000], [1000, 1000], [1000, 9000]), set()),
        (([800, 10], [200, 990], [400, 4000], [300, 1000], [1700, 9000]), {("access_to_asylum", "KAZ")}),
        # Fewer of everything, as when a war ends, is no denial of access.
        (([80, 10], [20, 990], [40, 4000], [100, 1000], [100, 9000]), set()),
    ],
)
def test_outcomes(run, expected):
    assert {(b.floor, b.place) for b in judge(Outcomes(*run), BASE)} == expected


def test_a_run_needs_a_base_like_it():
    with pytest.raises(ZholError, match="a run is judged beside a base"):
        judge(BASE)
    other = Outcomes([1, 1], [1, 1], [1, 1], [1, 1], [1, 1])
    other.n_draws = 9
    with pytest.raises(ZholError, match="run and base differ in draws or months"):
        judge(other, BASE)
