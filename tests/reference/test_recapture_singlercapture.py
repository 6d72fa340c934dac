"""zhol against singleRcapture 1.1.0 on its documented data, and against numbers printed in its paper."""

import json

import numpy as np
import polars as pl
import pytest
from shared_data import shared

from zhol.estimate import counts

# The R package stops when the log-likelihood moves by less than 1e-8: so far its digits can be trusted.
NUMBER, LOG_LIKELIHOOD = 1e-5, 1e-6


def data(name):
    for ending in (".csv", ".csv.gz"):
        path = shared("cases", "estimation") / f"{name}{ending}"
        if path.exists():
            return pl.read_csv(path)
    raise AssertionError(name)


def cases():
    return json.loads(shared("cases", "estimation", "singlercapture_analytic.json").read_text())["cases"]


def test_every_converged_case_is_reproduced():
    done = 0
    for case in cases():
        if case["reference_quality"] != "ok":
            continue
        est = counts(case["formula"], data(case["data"]), model=case["model"])
        assert est.details["gradient"] < 1e-6
        assert est.population == pytest.approx(case["N"], rel=NUMBER)
        assert est.se == pytest.approx(case["se"], rel=NUMBER)
        assert est.details["variance"] == pytest.approx(case["variance"], rel=NUMBER)
        assert est.details["loglik"] == pytest.approx(case["logLik"], abs=LOG_LIKELIHOOD)
        assert est.details["aic"] == pytest.approx(case["aic"], rel=NUMBER)
        assert est.details["bic"] == pytest.approx(case["bic"], rel=NUMBER)
        assert est.details["n_observed"] == case["n_observed"]
        assert est.details["df_residual"] == case["df_residual"]
        assert list(est.details["coefficients"]) == list(case["coefficients"])
        for name, value in case["coefficients"].items():
            assert est.details["coefficients"][name] == pytest.approx(value, rel=NUMBER)
            assert est.details["std_errors"][name] == pytest.approx(case["std_errors"][name], rel=NUMBER)
        for ours, theirs in (("normal", "normal"), ("log_normal", "logNormal")):
            bounds = case["ci"][theirs]
            assert est.details["intervals"][ours] == pytest.approx(
                (bounds["lowerBound"], bounds["upperBound"]), rel=NUMBER
            )
        assert (est.low, est.high) == est.details["intervals"]["log_normal"]
        if case["deviance"]:  # the package gives 0 for zelterman
            assert est.details["deviance"] == pytest.approx(case["deviance"], rel=NUMBER)
        done += 1
    assert done >= 5


# Chlebicki & Beręsewicz (2025), arXiv:2411.11032, section 4: population and log-normal bounds by stratum.
STRATA_OF_PAPER = {
    ("gender", "female"): (398, 3811.0924, 2189.0439, 6902.140),
    ("gender", "male"): (1482, 8879.2613, 6090.7752, 13354.889),
    ("age", "<40yrs"): (1769, 10506.8994, 7359.4140, 15426.465),
    ("age", ">40yrs"): (111, 2183.4543, 872.0130, 5754.881),
    ("nation", "American and Australia"): (173, 708.3688, 504.6086, 1037.331),
    ("nation", "Asia"): (284, 2742.3147, 1755.2548, 4391.590),
    ("nation", "North Africa"): (1023, 3055.2033, 2697.4900, 3489.333),
    ("nation", "Rest of Africa"): (243, 2058.1533, 1318.7466, 3305.786),
    ("nation", "Surinam"): (64, 2386.4544, 505.2460, 12288.008),
    ("nation", "Turkey"): (93, 1739.8592, 638.0497, 5068.959),
}


def test_strata_of_the_paper():
    est = counts("capture ~ gender + age + nation", data("netherlandsimmigrant"))
    assert est.table.height == len(STRATA_OF_PAPER)
    for row in est.table.to_dicts():
        observed, size, low, high = STRATA_OF_PAPER[row["stratum"], row["level"]]
        assert row["observed"] == observed
        assert (row["population"], row["low"], row["high"]) == pytest.approx((size, low, high), rel=1e-6)
    # strata of one covariate add up to the total
    sums = est.table.group_by("stratum").agg(pl.col("population").sum())["population"].to_numpy()
    assert sums == pytest.approx(np.full(3, est.population), rel=1e-12)


def test_one_inflated_geometric_of_the_paper():
    # The paper's fit stopped short of the maximum (N = 6699.953); ours is the maximum, so 1e-5 is its accuracy.
    est = counts(
        "capture ~ nation",
        data("netherlandsimmigrant"),
        model="ztoigeom",
        formulas={"omega": "~ gender + age"},
        links={"omega": "cloglog"},
    )
    assert est.details["loglik"] == pytest.approx(-829.5625, abs=1e-4)
    assert est.details["aic"] == pytest.approx(1677.125, abs=1e-3)
    assert est.details["bic"] == pytest.approx(1726.976, abs=1e-3)
    assert est.population == pytest.approx(6699.953, rel=1e-5)
    paper = {
        "(Intercept)": -1.2552,
        "nationAsia": -0.8193,
        "nationNorth Africa": 0.2057,
        "nationRest of Africa": -0.6692,
        "nationSurinam": -1.5205,
        "nationTurkey": -1.1888,
        "(Intercept):omega": -1.4577,
        "gendermale:omega": -0.8738,
        "age>40yrs:omega": 1.1745,
    }
    assert est.details["coefficients"] == pytest.approx(paper, abs=1.1e-4)


def test_goodness_of_fit_of_the_paper():
    # The package leaves counts beyond the largest observed out of the last cell: 50.06 and 34.31 there.
    found = counts("capture ~ gender + age + nation", data("netherlandsimmigrant")).goodness()
    assert found["chi2"] == pytest.approx(50.06, abs=0.05)
    assert found["g"] == pytest.approx(34.31, abs=0.05)


def test_residuals_of_the_paper():
    # Quartiles of the Pearson residuals, as printed in the paper.
    found = counts("capture ~ gender + age + nation", data("netherlandsimmigrant")).residuals("pearson")["residual"]
    printed = (-0.486442, -0.486442, -0.298080, -0.209444, 13.910844)
    assert np.quantile(found, [0, 0.25, 0.5, 0.75, 1]) == pytest.approx(printed, abs=1e-6)
    assert found.mean() == pytest.approx(0.002093, abs=1e-6)


# Point estimates and normal intervals that the package's own tests hold for the farm and the Dutch data.
@pytest.mark.parametrize(
    ("name", "formula", "model", "size", "low", "high"),
    [
        ("farmsubmission", "TOTAL_SUB ~ .", "ztpoisson", 18346, 17932, 18760),
        ("farmsubmission", "TOTAL_SUB ~ .", "chao", 21657, 20883, 22430),
        ("netherlandsimmigrant", "capture ~ .", "zelterman", 16188, 9983, 22394),
        ("netherlandsimmigrant", "capture ~ . - reason", "zelterman", 16129, 9973, 22285),
        ("netherlandsimmigrant", "capture ~ . - reason - nation", "zelterman", 10213, 8416, 12009),
        ("netherlandsimmigrant", "capture ~ gender", "zelterman", 9970, 8327, 11614),
        ("netherlandsimmigrant", "capture ~ .", "ztpoisson", 12691, 7185, 18198),
        ("netherlandsimmigrant", "capture ~ . - reason - nation", "ztpoisson", 7807, 6637, 8978),
        ("netherlandsimmigrant", "capture ~ gender", "ztpoisson", 7319, 6504, 8134),
    ],
)
def test_published_whole_numbers(name, formula, model, size, low, high):
    est = counts(formula, data(name), model=model)
    assert round(est.population) == size
    assert [round(x) for x in est.details["intervals"]["normal"]] == [low, high]


def test_models_that_diverge_there_end_here():
    """Negative binomials of the Dutch data, where the package goes to infinity: finite, flagged, one-sided."""
    for formula in ("capture ~ 1", "capture ~ gender + age"):
        est = counts(formula, data("netherlandsimmigrant"), model="ztnegbin")
        assert est.details["ending"] == "penalised"
        assert 7_000 < est.population < 1e6 and est.low > 1880 and np.isfinite(est.se)
        assert any("no interior maximum" in w for w in est.warnings)
        assert est.high == np.inf and any("only a lower bound" in w for w in est.warnings)


def test_covariate_bootstraps_stay_finite():
    """A third of the Dutch replicates lose their last recaptured person from Surinam: separated, and still finite."""
    for kind in ("parametric", "semiparametric", "nonparametric"):
        est = counts("capture ~ gender + age + nation", data("netherlandsimmigrant"), interval=kind, replicates=100)
        draws = np.array(est.details["draws"])
        assert np.isfinite(draws).all() and draws.max() < 1e5
        assert est.details["replicates_penalised"] > 10
        assert any("Jeffreys" in w for w in est.warnings)
        assert 1880 < est.low < est.population < est.high
