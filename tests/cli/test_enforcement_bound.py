"""``zhol bound``: the tables on the screen and as files."""

import json

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from zhol.cli import enforcement_bound
from zhol.core.errors import ZholError

app = typer.Typer()
app.command("bound")(enforcement_bound.command)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    file = tmp_path_factory.mktemp("bound") / "demand.csv"
    table = {"origin": ["AFG", "UZB"], "destination": ["XEU", "RUS"], "persons": [5000, 800]}
    pl.DataFrame(table).write_csv(file)
    return file


def call(people, *more):
    return CliRunner().invoke(app, ["KAZ", "--budget", "2", "--demand", str(people), "--draws", "2", *more])


def test_json_holds_everything(people):
    done = call(people, "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)  # nothing else is on standard output
    assert found["actors"] == ["KAZ"] and found["proven"] is True
    assert {"table", "curve", "displacement", "warnings"} <= set(found)


@pytest.mark.parametrize("show", ["table", "curve", "displacement"])
def test_each_table(people, show, tmp_path):
    picture = tmp_path / "curve.svg"
    done = call(people, "--show", show, "--csv", "--plot", str(picture))
    assert done.exit_code == 0, done.output
    assert pl.read_csv(done.stdout.encode()).height > 0
    assert picture.read_text(encoding="utf-8").startswith("<svg")
    assert call(people, "--show", show).exit_code == 0


def test_one_machine_format(people):
    caught = call(people, "--json", "--csv").exception
    assert isinstance(caught, ZholError) and str(caught) == "choose one of --json and --csv"
