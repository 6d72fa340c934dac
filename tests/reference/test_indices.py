"""Migration indices against migest's stored answers, published examples and formulas written out in full."""

import json

import numpy as np
import polars as pl
import pytest
from tests.shared_data import shared

from zhol.estimate.migration_indices import indices

# Plane and Mulligan (1997): the two systems of three regions that R's migration.indices documents, with its answers.
FIRST = np.array([[0, 1, 1], [2, 0, 2], [3, 3, 0.0]])
SECOND = np.array([[0, 2, 2], [3, 0, 5], [2, 2, 0.0]])
PUBLISHED = [
    (FIRST, "gini_total", 0.2666667),
    (SECOND, "gini_total", 0.225),
    (FIRST, "gini_orig_standardized", 0.0),
    (SECOND, "gini_orig_standardized", 0.1111111),
    (FIRST, "gini_dest_standardized", 0.25),
    (SECOND, "gini_dest_standardized", 0.2222222),
    (FIRST, "mwg_orig", 0.0),
    (SECOND, "mwg_orig", 0.02083333),
    (FIRST, "mwg_dest", 0.1222222),
    (SECOND, "mwg_dest", 0.05238095),
    (FIRST, "mwg_mean", 0.06111111),
    (SECOND, "mwg_mean", 0.03660714),
    (FIRST, "acv_in", 0.3333333),
    (SECOND, "acv_out", 0.125),
    (FIRST, "acv", 0.3333333),
    (SECOND, "acv", 0.375),
]


def cases():
    return json.loads(shared("cases", "estimation", "migest_index.json").read_text())["cases"]


def korea(year):
    table = pl.read_csv(shared("cases", "estimation", "korea_gravity_2years.csv.gz"), null_values="NA")
    one = table.filter(pl.col("year") == year)
    people = one.group_by("dest").agg(pl.col("dest_pop").first() * 1e6)
    return one, dict(people.iter_rows())


def expected(case):
    columns = case["output"]["columns"]
    return dict(zip(columns["measure"], columns["value"], strict=True))


def test_every_stored_case_is_compared():
    assert {c["fun"] for c in cases()} == {"index_intensity", "index_age"}


@pytest.mark.parametrize("number", range(2))
def test_intensity_is_migests(number):
    case = [c for c in cases() if c["fun"] == "index_intensity"][number]
    table, people = korea(case["inputs"]["year"])
    found = indices(table, people)
    for measure, value in expected(case).items():
        assert found[measure] == pytest.approx(value, rel=1e-7)  # the README's tolerance; same arithmetic


def test_age_profile_is_migests():
    for case in (c for c in cases() if c["fun"] == "index_age"):
        columns = case["inputs"]["d"]["columns"]
        counted = {k: columns[k] for k in ("age", "migrants", "population")}
        for given in (columns, counted):
            found = indices(ages=given)
            for measure, value in expected(case).items():
                assert found[measure] == pytest.approx(value, rel=1e-7)


@pytest.mark.parametrize(("flows", "measure", "value"), PUBLISHED)
def test_documented_examples(flows, measure, value):
    assert indices(flows)[measure] == pytest.approx(value, abs=5e-7)  # printed to seven digits


@pytest.mark.parametrize("year", [2012, 2020])
def test_korea_against_formulas_written_out(year):
    table, people = korea(year)
    found = indices(table, people, distance=table.rename({"dist_cent": "distance"}))
    names = sorted(people)
    index = {p: i for i, p in enumerate(names)}
    n = len(names)
    m, km = np.zeros((n, n)), np.zeros((n, n))
    for row in table.iter_rows(named=True):
        i, j = index[row["orig"]], index[row["dest"]]
        if i != j:
            m[i, j], km[i, j] = row["flow"], row["dist_cent"]
    p = np.array([people[x] for x in names])
    total = m.sum()
    cells = [m[i, j] for i in range(n) for j in range(n) if i != j]
    gini = sum(abs(a - b) for a in cells for b in cells) / (2 * (n * (n - 1) - 1) * total)
    net = m.sum(0) - m.sum(1)
    out = 0.0
    for i in range(n):
        row = [m[i, j] for j in range(n) if j != i]
        out += sum(abs(a - b) for a in row for b in row) / (2 * (n - 2) * sum(row)) * sum(row) / total
    assert found["gini_total"] == pytest.approx(gini, rel=1e-12)
    assert found["gini_out"] == pytest.approx(out, rel=1e-12)
    assert found["effectiveness"] == pytest.approx(100 * abs(net).sum() / (2 * total))
    assert found["anmr"] == pytest.approx(50 * abs(net).sum() / p.sum())
    assert found["anmr"] == pytest.approx(found["cmp"] * found["effectiveness"] / 100)
    pairs = [(i, j) for i in range(n) for j in range(n) if i != j]
    shares = sum(m[i, j] / (total * p[i] * p[j] / p.sum() ** 2) for i, j in pairs)
    assert found["preference"] == pytest.approx(shares)
    assert found["velocity"] == pytest.approx(sum(m[i, j] * p.sum() / (p[i] * p[j]) for i, j in pairs))
    assert found["cv_cells"] == pytest.approx(np.std(cells) / np.mean(cells))
    assert found["mean"] == pytest.approx((m * km).sum() / total)
    assert found["decay"] == pytest.approx(dummy_poisson(m, km)[-1], rel=1e-7)
    fitted = np.exp(dummy_poisson(m, None, fitted=True))
    assert found["inequality_sim"] == pytest.approx(0.5 * abs(np.array(cells) - fitted).sum() / total, rel=1e-7)


def dummy_poisson(m, km, fitted=False):
    """Poisson regression on a full set of dummies by Newton's method, slowly and plainly."""
    n = len(m)
    rows = []
    for i in range(n):
        for j in range(n):
            if i != j:
                x = np.zeros(2 * n - 1)
                x[i] = 1
                if j:
                    x[n + j - 1] = 1
                rows.append([*x, np.log(km[i, j])] if km is not None else x)
    x = np.array(rows)
    y = np.array([m[i, j] for i in range(n) for j in range(n) if i != j])
    eta = np.log(y + y.mean())
    for _ in range(60):
        mu = np.exp(eta)
        beta = np.linalg.solve(x.T @ (mu[:, None] * x), x.T @ (mu * eta + y - mu))
        eta = x @ beta
    return eta if fitted else beta
