"""Several lists against Rcapture 1.4-4 (R 4.2.2) on every stored case.

Abundance, standard error and information criteria agree to 1e-6, except where an overlap is empty: Rcapture leaves
its cells in, glm stops on the way to minus infinity, and the standard error is good to 5e-5 only.
The multinomial profile interval agrees to 1e-6: Rcapture's is found with a root finder of that tolerance.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from multiple_systems_data import counts, rows
from shared_data import shared

import zhol
from zhol.estimate._multiple_systems.design import pairs_design
from zhol.estimate._multiple_systems.search import rank
from zhol.estimate._multiple_systems.stepwise import fit_given

NAMES = {
    "M0": "M0",
    "Mt": "main",
    "Mh Chao (LB)": "Mh Chao",
    "Mh Poisson2": "Mh Poisson",
    "Mh Darroch": "Mh Darroch",
    "Mh Gamma3.5": "Mh Gamma",
    "Mth Chao (LB)": "Mth Chao",
    "Mth Poisson2": "Mth Poisson",
    "Mth Darroch": "Mth Darroch",
    "Mth Gamma3.5": "Mth Gamma",
}


def case(name: str) -> dict[str, Any]:
    stored = json.loads(shared("cases", "estimation", "rcapture_loglinear.json").read_text(encoding="utf-8"))
    return next(c for c in stored["cases"] if c["id"] == name)


def ask(**settings: Any) -> zhol.core.result.Estimate:
    records, names = rows("Western")
    return zhol.estimate.lists(records, names, "n", opinions=False, **settings)


@pytest.mark.parametrize("theirs", NAMES)
def test_closed_population_models(theirs: str) -> None:
    stored = case("Western_closedp.t")
    expected = stored["results"][stored["models"].index(theirs)]
    est = ask(model=NAMES[theirs], interval="wald")
    assert est.population == pytest.approx(expected["abundance"], rel=1e-6)
    assert est.se == pytest.approx(expected["stderr"], rel=1e-6)
    assert est.details["deviance"] == pytest.approx(expected["deviance"], rel=1e-8)
    assert est.details["df"] == expected["df"]
    assert est.details["aic"] == pytest.approx(expected["AIC"], rel=1e-8)
    assert est.details["bic"] == pytest.approx(expected["BIC"], rel=1e-8)


def pairs_of(label: str) -> list[tuple[str, str]]:
    """``[15,2,3,4]`` holds the effect of lists A and E."""
    parts = label.strip("[]").split(",")
    return [("ABCDE"[int(p[0]) - 1], "ABCDE"[int(p[1]) - 1]) for p in parts if len(p) == 2]


def test_best_model_by_bic() -> None:
    stored = case("Western_closedpMS.t")["best"]
    est = ask(model="best_bic", interval="wald")
    assert est.population == pytest.approx(stored["abundance"], rel=1e-6)
    assert est.se == pytest.approx(stored["stderr"], rel=1e-6)
    assert est.details["bic"] == pytest.approx(stored["BIC"], rel=1e-8)
    assert est.details["exhaustive"]


@pytest.mark.parametrize("place", range(10))
def test_ten_best_models(place: int) -> None:
    stored = case("Western_closedpMS.t")["top10"][place]
    est = ask(model=pairs_of(stored["model"]), interval="wald")
    empty = bool(est.details["empty_overlaps"])
    assert est.population == pytest.approx(stored["abundance"], rel=1e-6)
    assert est.se == pytest.approx(stored["stderr"], rel=5e-5 if empty else 1e-6)
    assert est.details["bic"] == pytest.approx(stored["BIC"], rel=1e-8)
    found = ask(model="best_bic", interval="wald").details["models"].row(place, named=True)
    assert found["population"] == pytest.approx(est.population, rel=1e-8)


def test_all_thousand_models_rank_as_stored() -> None:
    """Every one of the 1,024 two-list models, fitted in one batch: the ten best are Rcapture's ten best."""
    table, k = counts("Western")
    model = pairs_design(k)
    pairs = (np.arange(1024)[:, None] >> np.arange(10) & 1).astype(bool)
    active = np.concatenate([np.ones((1024, k + 1), dtype=bool), pairs], axis=1)
    fits = fit_given(model, np.repeat(table[None], 1024, axis=0), active).fits
    seen = table > 0
    fit = 2 * (table[seen] * np.log(table[seen] / fits.mu[:, seen])).sum(1) - 2 * (table - fits.mu).sum(1)
    order = np.argsort(fit + np.log(345) * active.sum(1))[:10]
    stored = [m["abundance"] for m in case("Western_closedpMS.t")["top10"]]
    assert 345 + fits.unseen[order] == pytest.approx(stored, rel=1e-6)
    assert (rank(model, table, float(np.log(345))).pairs == pairs[order]).all()


def test_multinomial_profile_interval() -> None:
    stored = case("Western_closedpMS.t")["best_multinomial_ci"]
    est = ask(model="best_bic", interval="profile")
    assert est.details["profile"]["population"] == pytest.approx(stored["abundance"], rel=1e-6)
    assert est.low == pytest.approx(stored["infCL"], rel=1e-6)
    assert est.high == pytest.approx(stored["supCL"], rel=1e-6)
