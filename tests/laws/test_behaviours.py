"""The check of a model's behaviours, and the comparison of versions: they pass what holds and catch what does not."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from random_packs import Pack, Place, model, rows_of, whole, write
from shared_data import ROOT
from system_runs import quick_compilation

import zhol
from zhol.core.errors import ZholError
from zhol.trust._check.bench import SIZES, make_bench
from zhol.trust._check.finding import Finding, change
from zhol.trust._check.responses import TRIALS, finding
from zhol.trust._check.seen import people_lost, smallest

SPECIFIED = {
    "conserved", "not_negative", "no_instrument", "doubling", "half_months", "visa_others", "quota_infinite",
    "leg_gone", "leg_reroutes", "order",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


@pytest.fixture(scope="module")
def system():
    return model(whole())


@pytest.fixture(scope="module")
def report(system):
    return zhol.trust.check(system, "small", seed=1)


@pytest.fixture(scope="module")
def bench(system, report):  # after the report, whose compiled month it shares
    return make_bench(system, SIZES["small"], 1)


# --- what holds


def test_every_behaviour_holds_on_the_whole_pack(report):
    assert report.passed, report.summary()
    assert {f.id for f in report.findings} >= SPECIFIED
    assert len({f.id for f in report.findings}) == len(report.findings) >= len(SPECIFIED) + 10
    measured = report.table.filter(report.table["passed"].is_not_null())
    assert set(measured["id"]) >= SPECIFIED
    assert measured.height > 55


def test_what_the_specification_asks_of_every_draw_is_asked_of_every_draw(report):
    assert all(report.finding(name).needed == 1.0 for name in SPECIFIED)
    assert report.finding("conserved").high == 1e-6
    assert report.finding("half_months").high == 0.02


def test_the_same_seed_finds_the_same(system, report, bench):
    again = [finding(bench, bench.run(), bench.run(t.levers, partner=t.partner), c, t.group, t.moved)
             for t in TRIALS[:2] for c in t.claims]  # fmt: skip
    for found in again:
        np.testing.assert_array_equal(found.values, report.finding(found.id).values)


# --- what does not hold is caught


def test_every_strict_claim_fails_when_the_world_is_turned_round(bench):
    """With baseline and instrument exchanged, all that must rise falls: a claim that still held would claim nothing."""
    base = bench.run()
    for trial in TRIALS:
        run = bench.run(trial.levers, partner=trial.partner)
        for claim in trial.claims:
            if claim.way in ("up", "down"):
                turned = finding(bench, run, base, claim, trial.group, trial.moved)
                assert turned.passed is not True, claim.id


def test_one_person_too_many_is_found(bench):
    rows = np.arange(16)
    arrays = bench.raw(rows=rows)
    at_origin = bench.world().at_origin
    assert people_lost(arrays, at_origin).max() < 1e-12
    more = {**arrays, "people": arrays["people"].copy()}
    more["people"][3, 20, 0, 5] += 1000.0
    lost = people_lost(more, at_origin)
    assert lost[3] > 1e-6 and np.delete(lost, 3).max() < 1e-12


def test_a_negative_or_missing_number_is_found(bench):
    arrays = bench.raw(rows=np.arange(16))
    assert (smallest(arrays) >= 0).all()
    arrays["flows"] = arrays["flows"].copy()
    arrays["flows"][1, 5, 0, 0] = -1e-3
    arrays["flows"][2, 5, 0, 0] = np.nan
    low = smallest(arrays)
    assert low[1] < 0 and low[2] == -np.inf and (np.delete(low, [1, 2]) >= 0).all()


def test_a_finding_says_whether_it_holds():
    values = np.array([0.1, 0.2, np.nan, -0.3])
    up = Finding("a", "g", "s", "m", values, low=0.0, needed=0.6)
    assert (up.holds, up.passed, up.worst, up.bound) == (2 / 3, True, -0.3, "at least 0")
    assert Finding("a", "g", "s", "m", values, low=0.0).passed is False
    bare = Finding("a", "g", "s", "m", np.full(3, np.nan), low=0.0)
    assert bare.passed is None and np.isnan(bare.worst)


def test_change_tells_nothing_from_next_to_nothing():
    got = change(np.array([2.0, 0.0, 1e-12, 1.0]), np.array([1.0, 0.0, 0.0, 0.0]))
    np.testing.assert_allclose(got[0], np.log(2.0))
    assert np.isnan(got[1]) and np.isnan(got[2]) and got[3] > 20


# --- other packs


def test_a_pack_without_roads_leaves_roads_unmeasured():
    pack = replace(whole(), legs=())
    found = zhol.trust.check(model(pack), "small", seed=2)
    assert found.passed, found.summary()
    bare = {f.id for f in found.findings if f.passed is None}
    assert bare >= {"interception_success", "capacity_recovers", "leg_gone"}
    assert not bare & (SPECIFIED - {"leg_gone", "leg_reroutes"})
    assert "Not measured" in found.summary()


def test_a_model_without_corridors_has_nothing_to_check():
    lonely = model(Pack({"KAZ": Place()}))
    with pytest.raises(ZholError, match=r"^a model without corridors has nothing to check; found 'made_up'$"):
        zhol.trust.check(lonely)


# --- the report


def test_the_report_is_one_page_that_asks_for_nothing(report, tmp_path):
    files = report.write(tmp_path / "new")
    names = {f.name for f in files}
    assert {"behaviours.html", "behaviours.md", "behaviours-courses.png"} <= names
    page = (tmp_path / "new" / "behaviours.html").read_text(encoding="utf-8")
    assert not re.search(r'(src|href)="https?:', page)
    words = page.replace("&#x27;", "'")
    for found in report.findings:
        assert found.statement in words
    assert all(f.read_bytes()[:4] == b"\x89PNG" for f in files if f.suffix == ".png")
    for name in re.findall(r"\]\(([^)]+\.png)\)", (tmp_path / "new" / "behaviours.md").read_text(encoding="utf-8")):
        assert name in names


def test_the_command_prints_the_table(tmp_path, capsys):
    from zhol.cli.check import command

    command(str(write(rows_of(whole()), tmp_path)), json=True)
    rows = json.loads(capsys.readouterr().out)
    assert {r["id"] for r in rows} >= SPECIFIED
    assert all(r["passed"] in (True, None) for r in rows)


def test_the_page_lists_every_behaviour(report):
    page = (ROOT / "docs" / "explanation" / "behaviours.md").read_text(encoding="utf-8")
    for found in report.findings:
        needed = "all" if found.needed == 1 else f"{found.needed:.0%}"
        line = next((x for x in page.splitlines() if x.startswith(f"| `{found.id}` |")), "")
        assert found.statement in line and line.endswith(f"| {needed} |"), found.id


# --- versions

RUN = {"draws": 2, "start": "2010-01", "end": "2012-12"}


@pytest.fixture(scope="module")
def saved(system, tmp_path_factory):
    return zhol.trust.save_version(system, tmp_path_factory.mktemp("versions") / "v.npz", 20, **RUN)


def test_a_version_is_the_same_as_itself(system, saved):
    found = zhol.trust.compare_versions(system, saved)
    assert found.same and found.meta["scenarios"] == 20 and found.meta["same_data"]
    assert (found.table["largest"] == 0).all() and not found.missing and not found.new


def test_the_scenarios_move_the_model(system, saved):
    """Else two versions would agree because nothing was tried."""
    with np.load(saved) as stored:
        effects = np.abs(stored["effects"])
    assert effects.shape[0] == 20
    assert (effects.max(axis=1) > 1e-3).mean() > 0.5


def test_a_changed_model_shows_where(system, saved, tmp_path):
    from zhol.system.simulate import parameter_vectors

    vectors, _ = parameter_vectors(system, "prior", 2, 1)
    part = system.layout.slices()["removability"]
    vectors[:, part] += 1.0
    found = zhol.trust.compare_versions(system, saved, parameters=vectors)
    assert not found.same
    change_of = dict(zip(found.table["outcome"], found.table["median"], strict=True))
    assert change_of["removals"] > 0.1 > 1e-3 > change_of["naturalised"]
    assert found.table["largest"].is_sorted(descending=True)
    sizes = found.worst["change"].abs()
    assert sizes.is_sorted(descending=True) and sizes[0] == pytest.approx(found.table["largest"][0])
    row = found.worst.row(0, named=True)
    assert np.log(row["present"] / row["saved"]) == pytest.approx(row["change"], rel=1e-3)
    names = {f.name for f in found.write(tmp_path)}
    assert names == {"versions.md", "versions.png", "versions-outcomes.csv", "versions-worst.csv"}


def test_fewer_scenarios_are_the_first_ones(system, saved):
    found = zhol.trust.compare_versions(system, saved, 5)
    assert found.same and found.meta["scenarios"] == 5


def test_files_that_are_no_versions(system, tmp_path):
    with pytest.raises(ZholError, match=r"^none\.npz: no such saved version; expected a file written by save_version$"):
        zhol.trust.compare_versions(system, tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_text("no")
    with pytest.raises(ZholError, match=r"^bad\.npz: not a saved version; expected a file written by save_version$"):
        zhol.trust.compare_versions(system, tmp_path / "bad.npz")
