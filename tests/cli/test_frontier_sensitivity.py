"""``zhol frontier`` and ``zhol sensitivity`` on a small pack: on the screen, as JSON and CSV, as pictures."""

import io
import json

import polars as pl
import pytest
import random_packs
import typer
from policy_runs import interior, unlawful
from system_runs import quick_compilation
from typer.testing import CliRunner

from zhol.cli import frontier, sensitivity
from zhol.core.errors import ZholError
from zhol.policy import Scenario

app = typer.Typer()
for name, module in (("frontier", frontier), ("sensitivity", sensitivity)):
    app.command(name)(module.command)

MIXES = [
    "frontier",
    "interior.yaml",
    "detention.yaml",
    "-o",
    "irregular_stock,exposure,unfilled_demand",
    "--draws",
    "8",
]
MIXES += ["--delays", "0", "--step", "0.5", "--runs", "1600"]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenarios")
    interior().only("regularisation", "interior_task_forces").to_yaml(folder / "interior.yaml")
    unlawful().only("worker_detention").to_yaml(folder / "detention.yaml")
    pack = folder / "pack"
    pack.mkdir()
    random_packs.write(random_packs.rows_of(random_packs.whole()), pack)
    with quick_compilation():
        yield folder


def call(files, *words):
    names = [str(files / w) if str(w).endswith((".yaml", ".png", "knees")) else w for w in words]
    done = CliRunner().invoke(app, [*names, "--region", str(files / "pack"), "--start", "2010", "--end", "2013"])
    if isinstance(done.exception, ZholError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def test_frontier_on_the_screen_and_kept(files):
    shown = call(files, *MIXES, "--plot", "mixes.png", "--save", "knees")
    assert "Not lawful and left out" in shown and "persons" in shown and "%" in shown and "score" not in shown
    assert (files / "mixes.png").read_bytes().startswith(b"\x89PNG")
    kept = [Scenario.load(f) for f in (files / "knees").iterdir()]
    assert all(one.measures for one in kept)


def test_frontier_for_programs(files):
    found = json.loads(call(files, *MIXES, "--budget", "1", "--json"))
    assert {"table", "unlawful", "knees", "held", "warnings"} <= set(found)
    assert all(row["budget"] <= 1 + 1e-9 and row["worker_detention"] < 1 for row in found["table"])
    table = pl.read_csv(io.StringIO(call(files, *MIXES, "--budget", "1", "--csv")))
    assert table.height == len(found["table"])
    costs = [w for n in ("regularisation", "interior_task_forces", "worker_detention") for w in ("--cost", f"{n}=10")]
    dear = pl.read_csv(io.StringIO(call(files, *MIXES, "--budget", "5", *costs, "--csv")))
    assert (dear["budget"] <= 5 + 1e-9).all() and dear["budget"].max() > 1


def test_sensitivity_on_the_screen_and_for_programs(files):
    shown = call(files, "sensitivity", "--method", "morris", "--runs", "300", "-o", "exposure", "--plot", "inputs.png")
    assert "morris" in shown and "rests on" in shown
    assert (files / "inputs.png").read_bytes().startswith(b"\x89PNG")
    ask = ["sensitivity", "interior.yaml", "--base", "present", "-o", "exposure,irregular_stock", "--method", "morris"]
    found = json.loads(call(files, *ask, "--runs", "400", "--json"))
    assert found["what"].endswith("beside present policies") and found["runs"] <= 400
    assert {row["outcome"] for row in found["table"]} == {"exposure", "irregular_stock"}
    sobol = call(files, "sensitivity", "--runs", "600", "--keep", "2", "-o", "exposure", "--csv")
    table = pl.read_csv(io.StringIO(sobol))
    assert table.filter(pl.col("factor").str.starts_with("everything else")).height == 1
    assert {"first", "total_low", "total_high", "prior_only"} <= set(table.columns)


def test_what_knowing_is_worth(files):
    ask = ["sensitivity", "interior.yaml", "detention.yaml", "--worth", "--base", "present", "--runs", "900"]
    found = json.loads(call(files, *ask, "--rule", "probability", "--json"))
    assert found["recommended"] in ("present policies", "interior") and found["draws"] <= 300
    whole = found["everything"][0]
    assert all(row["value"] <= whole + 1e-9 or row["low"] <= whole for row in found["table"])
    verdicts = {row["scenario"]: row["verdict"] for row in found["choices"]}
    assert verdicts["unlawful"] == "not lawful" and verdicts["interior"] == "lawful"
    shown = call(files, *ask)
    assert "to find out" in shown and "Not lawful, never recommended" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([*MIXES, "--json", "--csv"], "choose one of --json and --csv"),
        ([*MIXES, "--plot", "mixes.gif"], "mixes.gif: unknown kind of picture"),
        ([*MIXES, "--delays", "0,soon"], "a delay is a whole number of years; found 'soon'"),
        ([*MIXES, "--cost", "patents"], "not a cost; found 'patents'"),
        (["frontier", "seasonal_scheme"], "measure 1: seasonal_scheme needs a partner"),
        (["frontier", "visas"], "neither an instrument nor a package; found 'visas'"),
        (["frontier", "nothing.yaml"], "no such scenario"),
        (["sensitivity", "interior.yaml", "detention.yaml"], "sensitivity is of one scenario; found 2"),
        (["sensitivity", "nothing"], "no such scenario"),
        (["sensitivity", "--group", "roads"], "not a group; found 'roads'"),
        (["sensitivity", "--group", "roads=nothing", "--runs", "300"], "group roads: no such uncertain input"),
        (["sensitivity", "--runs", "10"], "too few runs"),
        (["sensitivity", "interior.yaml", "--worth", "-o", "exposure,attempts"], "a choice is made by one outcome"),
    ],
)
def test_mistakes(files, words, said):
    with pytest.raises(ZholError) as error:
        call(files, *words)
    assert str(error.value).startswith(said) and "\n" not in str(error.value)
