"""``zhol estimate``: every verb on every kind of file, results as the Python functions give them, one-line mistakes."""

import json

import numpy as np
import polars as pl
import pytest
from openpyxl import Workbook

import zhol
from zhol.cli import main
from zhol.cli.waiting import waiting
from zhol.estimate.tabulation import tabulate


@pytest.fixture
def run(capsys):
    def call(*arguments):
        with pytest.raises(SystemExit) as leave:
            main(["estimate", *map(str, arguments)])
        said = capsys.readouterr()
        return leave.value.code, said.out, said.err

    return call


def cells():
    rng = np.random.default_rng(2)
    size = np.maximum(2, np.exp(rng.normal(6, 1.5, 60)).round()).astype(int)
    met = rng.binomial(size, 0.03)
    mean = size**0.7 * (0.005 + met / size) ** 0.6
    return pl.DataFrame(
        {"country": [f"C{i % 20:02d}" for i in range(60)], "year": [2020 + i // 20 for i in range(60)],
         "m": rng.poisson(mean), "n": met, "N": size}
    )  # fmt: skip


def write(frame, path):
    match path.suffix:
        case ".csv":
            frame.write_csv(path)
        case ".parquet":
            frame.write_parquet(path)
        case ".xlsx":
            book = Workbook()
            for row in [frame.columns, *frame.iter_rows()]:
                book.active.append(list(row))
            book.save(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".xlsx"])
def test_registers_on_every_kind_of_file(run, tmp_path, suffix):
    path = write(cells(), tmp_path / f"cells{suffix}")
    code, out, _ = run("registers", path, "--by", "year", "--json")
    assert code == 0
    said, want = json.loads(out), zhol.estimate.registers(cells(), by="year")
    assert said["population"] == pytest.approx(want.population)
    assert [r["year"] for r in said["table"]] == [2020, 2021, 2022]
    assert said["warnings"] == list(want.warnings)


def test_registers_bootstrap_options(run, tmp_path):
    path = write(cells(), tmp_path / "cells.csv")
    options = ["--interval", "bootstrap", "--replicates", 40, "--seed", 3, "--cluster", "country", "--gamma", "0.005"]
    code, out, _ = run("registers", path, "--model", "negbin", "--by", "country,year", *options, "--jobs", 2, "--json")
    want = zhol.estimate.registers(
        cells(), model="negbin", by=["country", "year"], interval="bootstrap", replicates=40, seed=3,
        cluster="country", gamma=0.005,
    )  # fmt: skip
    said = json.loads(out)
    assert code == 0
    assert (said["low"], said["high"]) == pytest.approx((want.low, want.high))
    assert "draws" not in said["details"]
    assert len(said["table"]) == 60


def test_table_for_readers_csv_for_programs(run, tmp_path):
    path = write(cells(), tmp_path / "cells.csv")
    code, out, _ = run("registers", path, "--by", "year")
    assert code == 0
    assert out.startswith("Irregular residents by Poisson model of registers: ")
    assert "95% interval" in out
    assert "population" in out
    code, out, _ = run("registers", path, "--by", "year", "--csv")
    assert pl.read_csv(out.encode())["year"].to_list() == [2020, 2021, 2022]


@pytest.mark.parametrize("suffix", [".svg", ".png"])
def test_plot(run, tmp_path, suffix):
    path, chart = write(cells(), tmp_path / "cells.csv"), tmp_path / f"out{suffix}"
    code, _, err = run("registers", path, "--by", "year", "--plot", chart)
    assert code == 0
    assert f"chart: {chart}" in err
    start = chart.read_bytes()[:4]
    assert start in (b"<svg", b"\x89PNG")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cells.csv", chart.name]
    if suffix == ".svg":
        assert "2021" in chart.read_text(encoding="utf-8")


def test_counts(run, tmp_path):
    table = pl.DataFrame({"captures": [1, 2, 3, 4, 5, 6], "persons": [1645, 183, 37, 13, 1, 1]})
    path = write(table, tmp_path / "list.csv")
    want = zhol.estimate.counts("captures ~ 1", table, weights="persons")
    for arguments in ((path, "captures ~ 1"), ("captures ~ 1", path), (path, "--formula", "captures ~ 1")):
        code, out, _ = run("counts", *arguments, "--weights", "persons", "--json")
        assert code == 0
        assert json.loads(out)["population"] == pytest.approx(want.population)
    code, out, _ = run(
        "counts", path, "captures ~ 1", "--weights", "persons", "--model", "oiztpoisson", "--also", "omega ~ 1"
    )
    assert code == 0
    assert "oiztpoisson" in out


def test_lists(run, tmp_path):
    table = pl.DataFrame({"A": [1, 1, 0], "B": [1, 0, 1], "n": [20, 40, 30]})
    path = write(table, tmp_path / "lists.parquet")
    code, out, _ = run("lists", path, "--lists", "A,B", "--count", "n", "--interval", "profile", "--json")
    assert code == 0
    assert json.loads(out)["population"] == pytest.approx(150)
    code, again, _ = run("lists", path, "--interval", "profile", "--json")
    assert json.loads(again)["population"] == pytest.approx(150)


def test_residual_from_options_files_and_tables(run, tmp_path):
    arrivals = write(pl.DataFrame({"year": [2015, 2018], "arrivals": [300, 200]}), tmp_path / "legal.csv")
    options = ["--census", "1000, 950, 1060", "--emigration", "0.02, 0.01, 0.04", "--year", 2020]
    missed = ["--undercount", "legal=0.02", "--undercount", "irregular=0.1, 0.05, 0.2"]
    code, out, _ = run("residual", *options, *missed, "--legal", arrivals, "--json")
    want = zhol.estimate.residual(
        (1000, 950, 1060), {2015: 300, 2018: 200}, emigration=(0.02, 0.01, 0.04), year=2020,
        undercount={"legal": 0.02, "irregular": (0.1, 0.05, 0.2)},
    )  # fmt: skip
    assert code == 0
    assert json.loads(out)["population"] == pytest.approx(want.population)
    rows = pl.DataFrame(
        {
            "input": ["census", "legal", "legal", "emigration", "undercount_legal", "undercount irregular"],
            "value": [1000.0, 300.0, 200.0, 0.02, 0.02, 0.1],
            "low": [950.0, None, None, 0.01, None, 0.05],
            "high": [1060.0, None, None, 0.04, None, 0.2],
            "year": [None, 2015, 2018, None, None, None],
        }
    )
    code, again, _ = run("residual", write(rows, tmp_path / "inputs.xlsx"), "--year", 2020, "--json")
    assert code == 0
    assert json.loads(again)["population"] == pytest.approx(want.population)


def test_multiplier_from_options_and_tables(run, tmp_path):
    code, out, _ = run("multiplier", "--benchmark", 1000, "--proportion", "0.2, 0.15, 0.25", "--json")
    assert code == 0
    assert json.loads(out)["population"] == pytest.approx(5000, rel=0.01)
    table = pl.DataFrame({"label": ["a", "b"], "benchmark": [1000, 500], "yes": [30, 20], "of": [150, 200]})
    code, out, _ = run("multiplier", write(table, tmp_path / "b.csv"), "--json")
    assert [r["label"] for r in json.loads(out)["table"]] == ["a", "b"]
    code, two, _ = run(
        "multiplier", "--benchmark", 1000, "--proportion", 0.2, "--benchmark", 500, "--proportion", 0.1, "--json"
    )
    assert len(json.loads(two)["table"]) == 2


def test_reconcile_a_file(run, tmp_path):
    rows = pl.DataFrame(
        {"figure_id": ["a", "b"], "quantity": ["q", "q"], "concept": ["irregular_stock"] * 2,
         "date_start": ["2010-01-01", "2011-01-01"], "date_end": ["2010-12-31", "2011-12-31"],
         "value": [300000.0, 500000.0], "low": [None, None], "high": [None, None], "unit": ["persons"] * 2,
         "grade": ["C", "D"], "source_id": ["s1", "s2"], "definition": ["police", "press"]},
        schema_overrides={"low": pl.Float64, "high": pl.Float64},
    )  # fmt: skip
    path = write(rows, tmp_path / "figures.csv")
    code, out, _ = run("reconcile", "q", path, "--draws", 20, "--chains", 1, "--no-sensitivity", "--json")
    assert code == 0
    assert 150_000 < json.loads(out)["population"] < 900_000


def records():
    rng = np.random.default_rng(1)
    times = rng.poisson(0.8, 900)
    key = np.repeat([f"u{i:04d}" for i in range(900)], times)
    sex = np.repeat(rng.choice(["f", "m"], 900), times)
    return pl.DataFrame({"case_key": key, "sex": sex, "list": rng.choice(["a", "b"], len(key))})


def test_tabulate(run, tmp_path):
    path = write(records(), tmp_path / "records.csv")
    want = tabulate(records(), "case_key", ["sex"])
    code, out, err = run("tabulate", path, "--key", "case_key", "--by", "sex", "--csv")
    assert code == 0
    assert out == want.table.write_csv()
    code, out, err = run("tabulate", path, "--key", "case_key", "--by", "sex", "--out", tmp_path / "safe.csv")
    assert "blank: counts below 10" in err
    assert (tmp_path / "safe.csv").read_text(encoding="utf-8") == want.table.write_csv()
    code, out, _ = run("tabulate", path, "--key", "case_key", "--lists", "list", "--json")
    said = json.loads(out)
    assert said["kind"] == "lists"
    assert {"table", "margins", "notes"} <= set(said)
    code, out, _ = run("tabulate", path, "--key", "case_key", "--by", "sex", "--margins", "--csv")
    assert out == want.margins.write_csv()


def test_quiet_prints_results_only(run, tmp_path):
    path = write(records(), tmp_path / "records.csv")
    code, out, err = run("tabulate", path, "--key", "case_key", "--quiet")
    assert (code, err) == (0, "")
    assert "captures" in out
    run("tabulate", "--help")


MISTAKES = [
    (["registers", "nowhere.csv"], "zhol: nowhere.csv: no such file; check the path\n"),
    (
        ["registers", "cells.csv", "--gamma", "x"],
        "zhol: gamma is not an offset; found 'x', expected estimate, none, or a number from 0 to 1\n",
    ),
    (
        ["registers", "cells.csv", "--observed", "k"],
        "zhol: data has no column 'k'; found 'country, year, m, n, N', expected k, n, N\n",
    ),
    (["registers", "cells.csv", "--json", "--csv"], "zhol: choose one of --json and --csv\n"),
    (["registers", "cells.csv", "--plot", "out.pdf"], "zhol: out.pdf: a chart is written as .svg or .png\n"),
    (
        ["counts", "cells.csv"],
        "zhol: one file and one formula are needed; found 'cells.csv', expected data.csv \"captures ~ sex\"\n",
    ),
    (
        ["counts", "cells.csv", "m ~ 1", "--also", "omega"],
        "zhol: not a formula of a parameter; found 'omega', expected \"omega ~ sex\"\n",
    ),
    (["residual"], "zhol: no census given; expected --census, or a row 'census' of the table\n"),
    (
        ["residual", "--census", "10", "--legal", "many"],
        "zhol: legal is not a number; found 'many', expected 0.02, or 0.02, 0.01, 0.04\n",
    ),
    (["multiplier"], "zhol: no benchmark and multiplier given; expected --benchmark and --multiplier, or a table\n"),
    (
        ["multiplier", "--benchmark", "10", "--proportion", "0"],
        "zhol: multiplier of benchmark 1 is zero; found 0.0, expected a share above 0, up to 1, or a factor above 1\n",
    ),
    (
        ["tabulate", "records.csv", "--key", "unit"],
        "zhol: records have no column 'unit'; found 'case_key, sex, list'\n",
    ),
]


@pytest.mark.parametrize(("arguments", "line"), MISTAKES, ids=[" ".join(a) for a, _ in MISTAKES])
def test_a_mistake_is_one_line_and_code_2(run, tmp_path, monkeypatch, arguments, line):
    write(cells(), tmp_path / "cells.csv")
    write(records(), tmp_path / "records.csv")
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == (2, "", line)


def test_a_bar_tells_progress_on_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("zhol.cli.waiting.PATIENCE", 0.0)
    with waiting("Counting") as tell:
        tell(1, 2)
