"""The commands for gravity and indices, before they are hung under ``zhol estimate``."""

import json

import numpy as np
import polars as pl
import pytest
import typer
from typer.testing import CliRunner

import zhol
from zhol.cli import flow_models
from zhol.core.errors import ZholError
from zhol.estimate.gravity_model import covariates

app = typer.Typer()
app.command("gravity")(flow_models.gravity)
app.command("indices")(flow_models.indices)
run = CliRunner().invoke


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    base = tmp_path_factory.mktemp("flows")
    table = covariates(zhol.load("central_asia"), [2015])
    mean = (8 - 0.6 * table["distance_km"].log() + 0.4 * (table["diaspora"] + 1).log()).exp().to_numpy()
    persons = np.random.default_rng(1).poisson(mean)
    table.select("origin", "destination", "period", persons=pl.Series(persons)).write_csv(base / "flows.csv")
    table.write_csv(base / "covariates.csv")
    people = table.select(place="origin", population="population_origin").unique().drop_nulls()
    people.write_csv(base / "people.csv")
    table.select("origin", "destination", "distance_km").write_csv(base / "far.csv")
    pl.DataFrame({"age": range(80), "mi": [0.02 + 0.1 / (1 + (a - 24) ** 2 / 40) for a in range(80)]}).write_csv(
        base / "ages.csv"
    )
    return base


def test_gravity_from_a_pack_and_from_a_file_agree(folder):
    first = run(app, ["gravity", str(folder / "flows.csv"), "--region", "central_asia", "--csv"])
    second = run(app, ["gravity", str(folder / "flows.csv"), "--covariates", str(folder / "covariates.csv"), "--csv"])
    assert first.exit_code == 0, first.exception
    assert first.stdout == second.stdout and first.stdout.startswith("term,step,value,low,high,se,p")
    shown = run(app, ["gravity", str(folder / "flows.csv"), "--region", "central_asia"])
    assert "log(distance_km)" in shown.stdout and "Inside the former USSR" in shown.stderr
    told = run(app, ["gravity", str(folder / "flows.csv"), "--region", "central_asia", "--identification", "--json"])
    assert any(r["scope"] == "former USSR" and not r["identified"] for r in json.loads(told.stdout))
    whole = run(app, ["gravity", str(folder / "flows.csv"), "--region", "central_asia", "--json"])
    assert json.loads(whole.stdout)["fit"]["periods"] == 1


def test_indices_of_flows_and_ages(folder):
    picture = folder / "indices.svg"
    words = ["--population", str(folder / "people.csv"), "--distance", str(folder / "far.csv"), "--plot", str(picture)]
    flows = pl.read_csv(folder / "flows.csv")
    known = pl.read_csv(folder / "people.csv")["place"].to_list()
    kept = flows.filter(pl.col("origin").is_in(known) & pl.col("destination").is_in(known))
    kept.write_csv(folder / "kept.csv")
    shown = run(app, ["indices", str(folder / "kept.csv"), *words])
    assert shown.exit_code == 0, shown.exception
    assert "gini_total" in shown.stdout and "decay" in shown.stdout and picture.read_text().startswith("<svg")
    places = run(app, ["indices", str(folder / "kept.csv"), "--by-place", "--csv"])
    assert places.stdout.startswith("period,place,leaving,entering")
    aged = run(app, ["indices", "--ages", str(folder / "ages.csv"), "--age-model", "--json"])
    assert {r["measure"] for r in json.loads(aged.stdout)} >= {"gmr", "murc", "peaking"}


def test_one_line(folder):
    flows = str(folder / "flows.csv")
    for words, line in (
        (["gravity", flows], "gravity needs covariates from one place; found 'none', expected --covariates"),
        (
            ["gravity", flows, "--region", "central_asia", "--world", "."],
            "gravity needs covariates from one place; found",
        ),
        (["gravity", str(folder / "people.csv"), "--region", "central_asia"], "people.csv: flows have no period"),
        (["indices"], "indices need flows or ages"),
        (["indices", flows, "--plot", "x.bmp"], "x.bmp: unknown kind of picture; found '.bmp'"),
    ):
        found = run(app, words)
        assert isinstance(found.exception, ZholError) and str(found.exception).startswith(line)
