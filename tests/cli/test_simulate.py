"""zhol simulate, calibrate, backtest: tables, files, what a reader is told, bad input in one line."""

import csv
import io
import json

import numpy as np
import pytest
from system_runs import quick_compilation

from zhol.cli import main

SHORT = ("--end", "2001-12", "--draws", "2", "--parameters", "prior")


@pytest.fixture(autouse=True)
def _quick():
    with quick_compilation():
        yield


def run(capsys, *arguments):
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    printed = capsys.readouterr()
    return left.value.code, printed.out, printed.err


def test_a_run_is_printed_kept_and_drawn(capsys, tmp_path):
    from zhol.system import load_run

    kept, drawn = tmp_path / "run.npz", tmp_path / "fans.svg"
    code, out, err = run(
        capsys, "simulate", *SHORT, "--by", "status", "--where", "destination=KAZ,KGZ", "--where", "origin=UZB",
        "--save", str(kept), "--plot", str(drawn), "--csv",
    )  # fmt: skip
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["time", "status", "median", "low", "high", "unit"]
    assert len(rows) == 2 * 5
    again = load_run(kept).table("irregular_stock", ["status"], where={"destination": ["KAZ", "KGZ"], "origin": "UZB"})
    assert [float(r["median"]) for r in rows] == pytest.approx(again["median"].to_list())
    assert drawn.read_text("utf-8").startswith("<svg")
    assert str(kept) in err and str(drawn) in err


def test_a_reader_is_told_that_a_prior_is_no_finding(capsys):
    code, out, err = run(capsys, "simulate", *SHORT, "--outcome", "entries", "--by", "channel")
    assert code == 0
    assert "present policies; 80% interval" in out
    assert "prior judgement only" in err
    assert "Note: " in err


def test_a_scenario_from_a_file_and_by_name(capsys, tmp_path):
    file = tmp_path / "visas.yaml"
    file.write_text(
        "name: visas\nregion: central_asia\nmeasures:\n"
        "- {instrument: visa_requirement, actor: KAZ, partner: UZB, from: 2000-03, intensity: 1.0, ramp_months: 0}\n"
    )
    options = (*SHORT, "--outcome", "entries", "--by", "channel", "--where", "corridor=UZB>KAZ", "--json")
    present = json.loads(run(capsys, "simulate", *options)[1])
    under = json.loads(run(capsys, "simulate", *options, "--scenario", str(file))[1])
    visits = [next(r for r in rows if (r["time"], r["channel"]) == ("2001", "visit")) for rows in (present, under)]
    assert visits[1]["median"] < visits[0]["median"]
    from zhol.cli.simulate import scenario_of

    assert scenario_of("r1_borders", "central_asia").name == "r1_borders"
    assert scenario_of("crackdown_russia_2024", "central_asia").events
    assert scenario_of(None, "central_asia") is None


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("simulate", "--where", "KAZ"), "not a choice of labels; found 'KAZ', expected such as destination=KAZ,RUS"),
        (("simulate", "--plot", "fan.gif"), "fan.gif: unknown kind of picture; found '.gif', expected .svg or .png"),
        (("simulate", "--scenario", "nosuch"), "no such scenario; found 'nosuch'; a YAML file, or a name of"),
        (("simulate", "--parameters", "nosuch.npz"), "nosuch.npz: no such fit; expected a file written by Fit.save"),
        (("simulate", "--json", "--csv"), "choose one of --json and --csv"),
        (("simulate", "atlantis"), "no such pack; found 'atlantis'"),
        (("simulate", *SHORT, "--income", "up"), "unknown path of income; found 'up', expected"),
        (("simulate", *SHORT[:2], "--start", "2000"), "not a month"),
        (("calibrate", "--method", "magic"), "unknown method of calibration; found 'magic', expected laplace or nuts"),
        (("calibrate", "--json", "--csv"), "choose one of --json and --csv"),
        (("backtest", "--drivers", "magic"), "unknown drivers; found 'magic', expected observed or projected"),
    ],
)
def test_bad_input_is_one_line_and_exit_2(capsys, monkeypatch, tmp_path, arguments, line):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert out == ""
    assert line in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def fit():
    """A fit whose numbers are made up: one figure, every parameter as wide as its prior but the first."""
    import polars as pl

    from zhol import load
    from zhol.system.fit import Fit
    from zhol.system.model import Model

    model = Model(load("central_asia"))
    size = model.layout.size
    row = {"series": "s", "kind": "k", "origin": "UZB", "destination": "KAZ", "month_start": "2014-01"}
    row |= {"month_end": "2014-12", "value": 100.0, "label": "made up", "source_id": "X"}
    figures = pl.DataFrame([{**row, "fitted": 110.0, "standardised": 0.5}])
    widths = np.r_[0.1, np.ones(size - 1)]
    names = tuple(model.layout.names())
    return Fit(names, model.keys(), np.zeros(size), widths, np.zeros((2, size)), figures, {"figures": 1})


def test_a_fit_is_kept_and_its_parameters_are_printed_the_identified_first(capsys, monkeypatch, tmp_path, fit):
    from zhol.system import calibration, load_fit

    asked = {}
    monkeypatch.setattr(calibration, "calibrate", lambda region, **options: asked.update(options) or fit)
    out_file = tmp_path / "mine.npz"
    code, out, err = run(capsys, "calibrate", "--until", "2014-12", "--starts", "1", "--out", str(out_file))
    assert code == 0
    assert (asked["until"], asked["starts"], asked["method"]) == ("2014-12", 1, "laplace")
    assert load_fit(out_file).sd == pytest.approx(fit.sd)
    first = next(line for line in out.splitlines() if fit.identified["parameter"][0] in line)
    assert "0.1" in first
    assert "1 figures" in err and "1 well identified" in err
    code, out, _ = run(capsys, "calibrate", "--out", str(out_file), "--figures", "--json")
    assert [r["fitted"] for r in json.loads(out)] == [110.0]


def test_without_a_posterior_or_a_backtest_shipped_is_refused(capsys, monkeypatch):
    from zhol.brief import model_runs
    from zhol.system import posterior

    monkeypatch.setattr(posterior, "shipped", lambda model: None)
    monkeypatch.setattr(model_runs, "backtest_of", lambda region: None)
    code, _, err = run(capsys, "calibrate", "--shipped")
    assert (code, err.startswith("zhol: no posterior ships with this pack")) == (2, True)
    code, _, err = run(capsys, "backtest", "--shipped")
    assert (code, err.startswith("zhol: no backtest ships with this pack")) == (2, True)


def test_a_backtest_prints_its_misses_first_and_writes_its_report(capsys, monkeypatch, tmp_path):
    from zhol.trust import backtesting

    def figure(predicted, value, label):
        row = {"series": "s", "kind": "citizens", "origin": "UZB", "destination": "KAZ", "label": label}
        row |= {"month_start": "2020-06", "month_end": "2020-06", "value": value, "predicted": predicted, "crps": 0.1}
        row |= {
            k: predicted * f
            for k, f in zip(("low_80", "low_50", "high_50", "high_80"), (0.8, 0.9, 1.1, 1.2), strict=True)
        }
        row |= {"inside_50": 0.9 * predicted <= value, "inside_80": 0.8 * predicted <= value <= 1.2 * predicted}
        row |= {"log_error": float(np.log(predicted / value)), "seen": True}
        for name in ("no change", "linear trend", "last value with drift"):
            row |= {name: 100.0, f"error {name}": 0.0}
        return row

    body = {"figures": [figure(100.0, 100.0, "right"), figure(500.0, 100.0, "wrong")], "discrepancy": {}}
    file = tmp_path / "backtest.json"
    file.write_text(json.dumps({**body, "meta": {"cut": "2014-12", "drivers": "observed"}}))
    made = backtesting.load_backtest(file)
    monkeypatch.setattr(backtesting, "backtest", lambda region, cut, **options: made)
    code, out, err = run(capsys, "backtest", "--report", str(tmp_path / "report"))
    assert code == 0
    assert out.index("wrong") < out.index("right") < out.index("citizens")
    assert "2 figures held out" in err
    assert {p.name for p in (tmp_path / "report").iterdir()} == {
        "backtest.html", "backtest.json", "figures.csv", "scores.csv",
    }  # fmt: skip
    scores = json.loads(run(capsys, "backtest", "--scores", "--json")[1])
    assert scores[0]["coverage_80"] == 0.5
