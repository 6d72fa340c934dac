"""The moving system on packs that lack something: one clear line, or zeros that are right, and never no number."""

from dataclasses import replace

import numpy as np
import pytest
from random_packs import Pack, Place, model, rows_of, whole, written
from system_runs import quick_compilation

import zhol
from zhol.system import Action, Effect, Model, load_run

SHORT = {"start": "2010-01", "end": "2010-12", "every": "month", "draws": 2, "parameters": "prior"}
HERE, THERE = Place(5e6), Place(50e6, income=20_000.0)


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


@pytest.fixture(scope="module")
def system():
    return model(whole())


def finite(run):
    """Every table is there; nothing in it is not a number, but prices where nobody went."""
    for name in run.outcomes:
        table = run.table(name)
        assert table.height == len(run.time)
        assert name == "price" or np.isfinite(table["median"].to_numpy()).all(), name
    for array in run.arrays.values():
        assert np.isfinite(array).all()
        assert (array >= 0).all()


def test_one_place_alone_has_homes_and_nothing_else():
    run = model(Pack({"KGZ": HERE})).simulate(**SHORT)
    finite(run)
    assert run.corridors == ()
    assert run.draws("stock")[0].sum() == 0
    grows = run.draws("home")[0]
    # Population grows 1 % a year from the middle of 2010 on; the share of working age stands still.
    np.testing.assert_allclose(grows[:, 11] / grows[:, 10], 1.01 ** (1 / 12), rtol=1e-5)
    assert run.table("stock", by=["origin", "destination"]).height == 0
    assert run.to_xarray()["stock"].sizes["origin"] == 1


def test_places_without_corridors_between_them():
    run = model(Pack({"KGZ": HERE, "RUS": THERE}, {("KGZ", "RUS"): 999.0})).simulate(**SHORT)  # below the minimum
    finite(run)
    assert run.corridors == ()


def test_corridors_without_any_road_have_no_passage():
    run = model(Pack({"KGZ": HERE, "RUS": THERE}, {("KGZ", "RUS"): 50_000.0})).simulate(**SHORT)
    finite(run)
    for name in ("volume", "attempts", "deaths_on_road", "transit"):
        assert run.draws(name)[0].sum() == 0
    assert run.draws("entries", where={"channel": "passage"})[0].sum() == 0
    assert (run.draws("entries")[0] > 0).all()
    assert np.isnan(run.draws("price")[0]).all()


@pytest.mark.parametrize("empty", ["KGZ", "RUS"])
def test_nobody_leaves_a_place_where_nobody_lives(empty):
    places = {"KGZ": HERE, "RUS": THERE, "KAZ": THERE}
    places[empty] = replace(places[empty], persons=0.0)
    stocks = {("KGZ", "RUS"): 50_000.0, ("RUS", "KGZ"): 3_000.0, ("KAZ", "RUS"): 9_000.0}
    run = model(Pack(places, stocks, (("KGZ", "RUS", "land", 3_000.0),))).simulate(**SHORT)
    finite(run)
    assert run.draws("entries", where={"origin": empty})[0][:, 0].sum() == 0
    assert (run.draws("entries", where={"origin": "KAZ"})[0] > 0).all()


def drop(rows, table, **key):
    rows[table] = [r for r in rows[table] if any(r[k] != v for k, v in key.items())]
    return rows


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ({"table": "population", "place": "KGZ", "variable": "persons"},
         "population.csv, column place: place KGZ has no population; expected rows of persons for every place"),
        ({"table": "economy", "place": "KGZ", "variable": "gdp_pc_ppp"},
         "economy.csv, column place: place KGZ has no income (gdp_pc_ppp); expected rows of gdp_pc_ppp"),
    ],
)  # fmt: skip
def test_a_missing_driver_is_one_line(key, line):
    rows = drop(rows_of(whole()), **key)
    with written(rows) as folder:
        system = Model(zhol.load(folder))
    with pytest.raises(zhol.ZholError) as error:
        system.simulate(**SHORT)
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


def test_a_hole_in_a_driver_is_one_line():
    rows = rows_of(whole())
    later = [{**r, "year": 2020} for r in rows["economy"] if r["year"] == 2013]
    rows["economy"] = [*rows["economy"], *later]
    with written(rows) as folder:
        system = Model(zhol.load(folder))
    with pytest.raises(zhol.ZholError, match=r"^economy.csv, column year: .* has no figure for 2014 to 2019"):
        system.simulate(**SHORT)


def test_a_pack_of_groups_only_has_no_places():
    rows = {name: rows_of(whole())[name] for name in ("sources", "places")}
    for row in rows["places"]:
        row["kind"] = "group"
    for row, code in zip(rows["places"], ("XCA", "XCI", "XEE", "XCS", "XVF"), strict=True):
        row["place"] = code
    with written(rows) as folder, pytest.raises(zhol.ZholError):
        Model(zhol.load(folder))


LINES = [
    ({"every": "week"}, "unknown interval; found 'week', expected year or month"),
    ({"start": "2010"}, "not a month; found '2010', expected YYYY-MM, such as 2024-07"),
    ({"start": "2010-13"}, "not a month; found '2010-13', expected YYYY-MM, such as 2024-07"),
    ({"end": "2009-12"}, "the end lies before the start; found '2010-01 to 2009-12'"),
    ({"draws": -1}, "draws cannot be negative, and a month has at least one step; found '-1, 1'"),
    ({"draws": 2.5}, "draws and steps are whole numbers; found '2.5, 1'"),
    ({"substeps": 0}, "draws cannot be negative, and a month has at least one step; found '2, 0'"),
    ({"precision": "half"}, "unknown precision; found 'half', expected single or double"),
    ({"parameters": {"beta_wages": 1.0}}, "unknown parameter; found 'beta_wages', expected beta_wage, "),
    ({"parameters": np.zeros((2, 3))}, "parameters of another model; found '(2, 3)', expected (draws, "),
    ({"parameters": "posterior"}, "unknown parameters; found 'posterior', expected "),
    ({"parameters": {"retry": 1.5}}, "parameter retry out of its range; found 1.5, expected numbers between 0 and 1"),
    ({"parameters": {"onward": -1.0}}, "parameter onward out of its range; found -1.0, expected numbers above 0"),
    ({"parameters": {"beta_wage": float("nan")}}, "parameter beta_wage out of its range; found nan"),
    ({"parameters": {"level": [1.0, 2.0]}}, "parameter level has 5 members; found '(2,)'"),
    ({"scenario": 3}, "not a scenario; found 'int', expected None, actions, or a policy.Scenario"),
    ({"levers": ("wall",)}, "unknown lever; found 'wall', expected open_settle, "),
    ({"scenario": Action("a", "USA", path=(("2010-01", 1.0),))}, "unknown place in a scenario; found 'USA'"),
    ({"scenario": Action("a", "KAZ", "USA", path=(("2010-01", 1.0),))}, "unknown place in a scenario; found 'USA'"),
]


@pytest.mark.parametrize(("options", "line"), LINES, ids=lambda x: next(iter(x)) if isinstance(x, dict) else "")
def test_wrong_options_are_one_line(system, options, line):
    with pytest.raises(zhol.ZholError) as error:
        system.simulate(**{**SHORT, **options})
    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "line"),
    [
        (lambda: Effect("wall", ((1.0, 0.0, 0.0),)), "unknown lever; found 'wall', expected open_settle, "),
        (lambda: Effect("retry", ()), "weights and standard deviations cannot be negative"),
        (lambda: Effect("retry", ((1.0, 0.0, -1.0),)), "weights and standard deviations cannot be negative"),
        (lambda: Effect("retry", ((0.0, 0.0, 1.0),)), "weights of a mixture add up to nothing"),
        (lambda: Effect("retry", ((1.0, float("nan"), 1.0),)), "an effect is made of finite numbers"),
        (lambda: Effect("retry", ((1.0, 0.0, 1.0),), "leg"), "lever retry cannot be moved from this side; found 'leg'"),
        (lambda: Effect("capacity", ((1.0, 0.0, 1.0),), "origin"), "lever capacity cannot be moved from this side"),
        (lambda: Effect("retry", ((1.0, 0.0, 1.0),), "north"), "lever retry cannot be moved from this side"),
        (lambda: Action("a", "KAZ", path=(("2010-01", 1.5),)), "intensity of a outside 0 to 1; found '1.5'"),
        (lambda: Action("a", "KAZ", path=(("2010-01", float("nan")),)), "intensity of a outside 0 to 1; found 'nan'"),
        (lambda: Action("a", "KAZ", path=(("2010-05", 1), ("2010-01", 0))), "the path of a runs back in time"),
        (lambda: Action("a", "KAZ", path=(("May 2010", 1.0),)), "not a month; found 'May 2010'"),
        (lambda: Action("a", "KAZ", path=(("2010-05", 1.0),), announced="2010"), "not a month; found '2010'"),
    ],
)
def test_wrong_actions_are_one_line(make, line):
    with pytest.raises(zhol.ZholError) as error:
        make()
    assert str(error.value).startswith(line)


def test_quotas_are_for_corridors_of_the_model():
    with pytest.raises(zhol.ZholError, match=r"^a quota for a corridor that the model does not have; found 'RUS>TJK'"):
        model(whole(), quotas={("RUS", "TJK"): 10.0})
    for size in (-1.0, float("nan")):
        with pytest.raises(zhol.ZholError, match=r"^a quota is a number of people a month"):
            model(whole(), quotas={("TJK", "RUS"): size})


@pytest.fixture(scope="module")
def run():
    return model(Pack({"KGZ": HERE, "RUS": THERE}, {("KGZ", "RUS"): 50_000.0})).simulate(**SHORT)


@pytest.mark.parametrize(
    ("name", "options", "line"),
    [
        ("stocks", {}, "unknown outcome; found 'stocks', expected stock, irregular_stock, "),
        ("stock", {"by": ["channel"]}, "this outcome has no such dimension; found 'channel', expected corridor, "),
        ("home", {"by": ["destination"]}, "this outcome has no such dimension; found 'destination', expected origin"),
        ("stock", {"where": {"road": 0}}, "this outcome has no such dimension; found 'road'"),
        ("stock", {"where": {"origin": "USA"}}, "unknown origin; found 'USA'"),
        ("stock", {"where": {"status": ["worker", "tourist"]}}, "unknown status; found 'tourist'"),
        ("stock", {"by": ["status", "status"]}, "a dimension is named twice; found 'status, status'"),
        ("stock", {"level": 1.5}, "level of an interval; found 1.5, expected a number between 0 and 1"),
    ],
)
def test_wrong_questions_to_a_run_are_one_line(run, name, options, line):
    with pytest.raises(zhol.ZholError) as error:
        run.table(name, **options)
    assert str(error.value).startswith(line)


def test_files_that_are_no_runs(run, tmp_path):
    with pytest.raises(zhol.ZholError, match=r"^none.npz: no such run; expected a file written by Run.save"):
        load_run(tmp_path / "none.npz")
    for content in (b"", b"not a run", b"PK\x03\x04 broken"):
        (tmp_path / "bad.npz").write_bytes(content)
        with pytest.raises(zhol.ZholError, match=r"^bad.npz: not a run; expected a file written by Run.save"):
            load_run(tmp_path / "bad.npz")
    whole_file = run.save(tmp_path / "run").read_bytes()
    for size in (100, len(whole_file) // 2, len(whole_file) - 1):
        (tmp_path / "bad.npz").write_bytes(whole_file[:size])
        with pytest.raises(zhol.ZholError, match=r"^bad.npz: not a run"):
            load_run(tmp_path / "bad.npz")
    np.savez(tmp_path / "bad.npz", x=np.arange(3))
    with pytest.raises(zhol.ZholError, match=r"^bad.npz: not a run"):
        load_run(tmp_path / "bad.npz")
    with pytest.raises(zhol.ZholError, match=r"^missing: no such folder"):
        run.save(tmp_path / "missing" / "run")
