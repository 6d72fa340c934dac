"""Gravity on published world flows (test input only): signs that the literature agrees on, exact margins."""

import numpy as np
import polars as pl
import pytest
from tests.shared_data import shared

from zhol.estimate.gravity_model import gravity, world_covariates


@pytest.fixture(scope="module")
def world():
    file = shared("data", "abel_cohen_flows", "abel_cohen_flows_5yr.csv")
    flows = (
        pl.read_csv(file)
        .filter(pl.col("year0") == 2015)
        .select("orig", "dest", "year0", persons=pl.col("da_pb_closed").cast(pl.Float64))
        .drop_nulls()
    )
    table = world_covariates(shared("data", "cepii_geodist").parent, [2015])
    return gravity(flows, table, absent="zero", alternatives=False)


def test_panel_is_whole(world):
    assert world.fit["places"] == 193 and world.fit["flows"] == 193 * 192
    assert world.fit["deviance_explained"] > 0.8


def test_signs_are_those_of_the_literature(world):
    # Soto Nishimura and Czaika (2024), over a hundred studies: distance and networks have one direction throughout.
    rows = {r["term"]: r for r in world.coefficients.iter_rows(named=True)}
    assert rows["log(distance_km)"]["high"] < 0
    assert rows["log1p(diaspora)"]["low"] > 0


def test_former_soviet_union_is_said(world):
    row = world.identification.filter(pl.col("scope") == "former USSR", pl.col("term") == "colonial_tie")
    assert row["pairs"][0] == 210 and row["share_within"][0] < 1e-8
    assert any("Inside the former USSR (210 flows) colonial_tie" in w for w in world.warnings)


def test_totals_and_counterfactual(world):
    table = world.predict()
    for side in ("origin", "destination"):
        sums = table.group_by(side).agg(pl.col("persons", "fitted").sum())
        assert sums["fitted"].to_numpy() == pytest.approx(sums["persons"].to_numpy(), rel=1e-8, abs=1e-6)
    moved = world.counterfactual({"visa_required": 0.0}, where={"origin": "UZB", "destination": "KOR"}, draws=10)
    gap = moved.table.group_by("origin").agg(pl.col("change").sum())["change"].to_numpy()
    assert np.abs(gap).max() < 1e-3  # persons, of 80 million
