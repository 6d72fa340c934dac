"""Several lists against SparseMSE 2.0.1 (R 4.2.2) on every stored case.

Points and Wald ends agree to 1e-6: the stored numbers carry the rounding of R's glm, which stops when the deviance
changes by less than 1e-8. Coefficients agree to 1e-4: that is how far glm stops short of the maximum on the table
with six overlaps. Bootstrap quantiles are compared within their Monte-Carlo error; all else about the bootstrap is
compared exactly.
"""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from multiple_systems_data import counts, rows
from shared_data import shared

import zhol
from zhol.estimate._multiple_systems.design import pairs_design
from zhol.estimate._multiple_systems.existence import check, supported

MODELS = {"main": "main", "stepwise": "stepwise", "all_two_list": "all"}


def cases() -> list[dict[str, Any]]:
    return json.loads(shared("cases", "estimation", "sparsemse.json").read_text(encoding="utf-8"))["cases"]


def case(name: str) -> dict[str, Any]:
    return next(c for c in cases() if c["id"] == name)


def ask(name: str, **settings: Any) -> zhol.core.result.Estimate:
    data = case(name)["data"]
    records, names = rows(data)
    model = MODELS.get(name.removeprefix(data + "_"), "stepwise")
    return zhol.estimate.lists(records, names, "n", model=model, opinions=False, **settings)


FITTED = [
    "Artificial_3_main",
    "Artificial_3_stepwise",
    "Western_main",
    "Western_stepwise",
    "Western_all_two_list",
    "UKdat_5_main",
]
BOOTED = ["Artificial_3_bca", "Western_bca"]


@pytest.mark.parametrize("name", FITTED)
def test_point_and_wald_interval(name: str) -> None:
    expected = case(name)["estimate"]
    for level, low, high in ((0.95, "2.5%", "97.5%"), (0.8, "10%", "90%")):
        if low not in expected:
            continue
        est = ask(name, interval="wald", level=level)
        assert est.population == pytest.approx(expected["point est."], rel=1e-6)
        assert est.low == pytest.approx(expected[low], rel=1e-6)
        assert est.high == pytest.approx(expected[high], rel=1e-6)


@pytest.mark.parametrize("name", FITTED)
def test_coefficients_deviance_and_aic(name: str) -> None:
    expected, found = case(name)["fit"], ask(name, interval="wald").details
    finite = {k: v for k, v in found["coefficients"].items() if math.isfinite(v)}
    assert finite == pytest.approx(expected["coefficients"], abs=1e-4)
    assert found["deviance"] == pytest.approx(expected["deviance"], rel=1e-8)
    assert found["aic"] == pytest.approx(expected["aic"], rel=1e-8)


@pytest.mark.parametrize("name", FITTED)
def test_empty_overlaps_stand_at_minus_infinity(name: str) -> None:
    expected, found = case(name)["fit"], ask(name, interval="wald").details
    empty = {k for k, v in found["coefficients"].items() if v == -math.inf}
    assert empty == set(expected["empty_overlaps"])
    assert found["empty_overlaps"] == pytest.approx(expected["poisspempty"] or {}, rel=1e-6)


def test_every_stored_check_of_existence() -> None:
    """SparseMSE's code: 1 no maximum, 2 not identified, 3 both."""
    seen = 0
    for stored in cases():
        if "checkident" not in stored["id"]:
            continue
        table, k = counts(stored["data"])
        model = pairs_design(k)
        active = np.zeros((1, len(model.terms)), dtype=bool)
        active[0, : k + 1] = True
        pair = stored["id"].rsplit("_", 2)[1:]
        if stored["id"].endswith("all"):
            active[:] = True
        else:
            active[0, model.terms.index(sum(1 << (int(i) - 1) for i in pair))] = True
        finite, keep = supported(model, table[None], active)
        found = check(model, table, finite[0], keep[0])
        assert (not found.exists) + 2 * (not found.identified) == stored["ierr"], stored["id"]
        seen += 1
    assert seen == 11


def test_model_on_which_sparsemse_crashes_is_refused() -> None:
    assert "error" in case("Artificial_3_all_two_list")
    with pytest.raises(zhol.core.errors.ZholError, match="the model is not identified on these counts"):
        ask("Artificial_3_all_two_list")


@pytest.mark.parametrize("name", BOOTED)
def test_acceleration(name: str) -> None:
    """The jackknife has no chance in it."""
    est = ask(name, interval="bca", replicates=20)
    assert est.details["bootstrap"]["acceleration"] == pytest.approx(case(name)["ahat"], rel=1e-6)


@pytest.mark.parametrize("name", BOOTED)
def test_bootstrap_distribution(name: str) -> None:
    """Each stored quantile of 1,000 replicates has a share among ours within four standard errors of its own."""
    ours = ask(name, interval="bca", replicates=4000, seed=7).details["bootstrap"]["replicates"]
    for label, value in case(name)["boot_quantiles"].items():
        share = float(label.rstrip("%")) / 100
        spread = math.sqrt(share * (1 - share) * (1 / 1000 + 1 / 4000))
        # Tables repeat among the replicates of 96 cases: a stored quantile can be one of many equal values.
        below, upto = np.mean(ours < value * (1 - 1e-6)), np.mean(ours <= value * (1 + 1e-6))
        assert below - 4 * spread <= share <= upto + 4 * spread, label


@pytest.mark.parametrize("name", BOOTED)
def test_bca_interval_within_chance(name: str) -> None:
    """The stored upper ends lie between ours at shares four standard errors lower and higher."""
    stored = case(name)["bca"]
    for share in ("0.84", "0.9", "0.95", "0.975"):
        ends = [
            ask(name, interval="bca", replicates=1000, seed=seed, level=2 * float(share) - 1).high for seed in range(8)
        ]
        centre, spread = np.median(ends), np.std(np.log(ends), ddof=1)
        assert abs(math.log(stored[share] / centre)) < 4 * spread + 0.02, share
