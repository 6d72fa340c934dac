"""``zhol compare``, ``zhol delay`` and ``zhol target`` on a small pack: on the screen, as JSON and CSV, as pictures."""

import io
import json

import polars as pl
import pytest
import random_packs
import typer
from policy_runs import interior, unlawful, visas
from system_runs import quick_compilation
from typer.testing import CliRunner

from zhol.cli import compare, delay, target
from zhol.core.errors import ZholError
from zhol.policy import Scenario

app = typer.Typer()
for name, module in (("compare", compare), ("delay", delay), ("target", target)):
    app.command(name)(module.command)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenarios")
    for one in (visas(), interior(), unlawful()):
        one.to_yaml(folder / f"{one.name}.yaml")
    pack = folder / "pack"
    pack.mkdir()
    random_packs.write(random_packs.rows_of(random_packs.whole()), pack)
    with quick_compilation():
        yield folder


def call(files, verb, *words, code=0):
    names = [str(files / w) if str(w).endswith((".yaml", ".png")) else w for w in words]
    window = ["--start", "2010"] + (["--end", "2013"] if verb != "target" else [])
    done = CliRunner().invoke(app, [verb, *names, "--region", str(files / "pack"), "--draws", "16", *window])
    assert done.exit_code == code, done.output
    return done.stdout


def test_compare_on_the_screen_puts_rights_first_and_gives_no_score(files):
    shown = call(files, "compare", "unlawful.yaml", "visas.yaml", "--plot", "all.png")
    assert shown.index("not lawful") < shown.index("beside present policies")
    assert "no scenario gets a single number" in shown and "contested" in shown and "Deaths on the road" in shown
    assert (files / "all.png").read_bytes().startswith(b"\x89PNG")


def test_compare_for_programs(files):
    found = json.loads(call(files, "compare", "visas.yaml", "--json"))
    assert {"standing", "table", "rights", "substitution", "warnings", "notes"} <= set(found)
    assert all(row["low"] <= row["difference"] <= row["high"] for row in found["table"])
    by = pl.read_csv(io.StringIO(call(files, "compare", "visas.yaml", "--by", "destination,year", "--csv")))
    assert {"destination", "year", "low", "high"} <= set(by.columns)
    moved = pl.read_csv(io.StringIO(call(files, "compare", "visas.yaml", "--substitution", "--csv")))
    assert {"other_country", "other_road", "other_status", "other_time", "fewer_returns"} <= set(moved["effect"])
    shares = pl.read_csv(io.StringIO(call(files, "compare", "interior.yaml", "--contribution", "--csv")))
    assert shares.columns[:3] == ["outcome", "instrument", "mean"]


def test_compare_with_another_base_and_a_package(files):
    found = json.loads(call(files, "compare", "visas.yaml", "--base", "interior.yaml", "--json"))
    assert found["base"] == "interior"
    package = json.loads(
        call(files, "compare", "tool1_anti_corruption", "--actor", "KGZ", "--from", "2011-01", "--json")
    )
    assert package["acting"] == ["KGZ"]


def test_delay(files):
    found = pl.read_csv(io.StringIO(call(files, "delay", "interior.yaml", "--years", "2", "--csv")))
    assert found["years"].unique().sort().to_list() == [0, 1, 2]
    shown = call(files, "delay", "interior.yaml", "--years", "1", "--plot", "cost.png")
    assert "cost of waiting" in shown and (files / "cost.png").exists()


def test_target(files):
    ask = ["target", "interior.yaml", "--outcome", "irregular_stock", "--year", "2013", "--only", "regularisation"]
    found = json.loads(call(files, *ask, "--value", "0.8", "--relative", "--save", "least.yaml", "--json"))
    assert found["verdict"] == "reached" and found["cost_unit"].startswith("total strength")
    kept = Scenario.load(files / "least.yaml")
    assert kept.measures[0].intensity == pytest.approx(found["strengths"]["regularisation"])
    assert "Out of reach" in call(files, *ask, "--value", "0")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["compare", "visas.yaml", "--json", "--csv"], "choose one of --json and --csv"),
        (["compare", "visas.yaml", "--by", "year", "--substitution"], "choose one of --by, --substitution"),
        (["compare", "visas.yaml", "--by", "month"], "unknown dimension; found 'month'"),
        (["compare", "visas.yaml", "interior.yaml", "--contribution"], "contributions are of one scenario"),
        (["compare", "nothing"], "no such scenario"),
    ],
)
def test_mistakes(files, words, said):
    names = [str(files / w) if w.endswith(".yaml") else w for w in words]
    more = ["--region", str(files / "pack"), "--draws", "16", "--start", "2010", "--end", "2013"]
    done = CliRunner().invoke(app, [*names, *more])
    assert isinstance(done.exception, ZholError) and str(done.exception).startswith(said)
