"""Laws of estimates from one list: closed forms, recovery, and what must not matter."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from zhol.estimate import average_counts, compare_counts, counts
from zhol.estimate._recapture.cells import build_sample
from zhol.estimate._recapture.likelihood import log_likelihood, weight_in_population
from zhol.estimate._recapture.score import score
from zhol.estimate.recapture import MODELS

TABLES = st.lists(st.integers(1, 60), min_size=3, max_size=6)
CONSTANTS = {"lambda": 0.3, "alpha": -0.4, "omega": -1.0, "pi": -0.5}


def table(frequencies):
    return {"n": list(range(1, len(frequencies) + 1)), "units": frequencies}


def persons(seed=0, size=400, stay_single=0.4):
    """A simulated list in which four in ten of those seen are not seen again, whatever their rate."""
    rng = np.random.default_rng(seed)
    sex = rng.choice(["f", "m"], size)
    age = rng.normal(0, 1, size).round(1)
    n = rng.poisson(np.exp(-0.2 + 0.4 * (sex == "m") + 0.3 * age))
    n = np.where(rng.random(size) < stay_single, np.minimum(n, 1), n)
    return pl.DataFrame({"n": n, "sex": sex, "age": age}).filter(pl.col("n") > 0)


@given(TABLES)
def test_closed_forms(f):
    n = sum(f)
    f1, f2, f3 = f[:3]
    closed = {
        "chao": n + f1**2 / (2 * f2),
        "zelterman": n / (1 - np.exp(-2 * f2 / f1)),
        "oichao": n + 2 * f2**3 / (9 * f3**2),
    }
    for model, size in closed.items():
        assert counts("n ~ 1", table(f), model=model, weights="units").population == pytest.approx(size, rel=1e-9)
    mean = sum(k * x for k, x in enumerate(f, start=1)) / n
    geometric = counts("n ~ 1", table(f), model="ztgeom", weights="units")
    assert geometric.population == pytest.approx(n * mean / (mean - 1), rel=1e-9)
    poisson = counts("n ~ 1", table(f), weights="units")
    rate = np.exp(poisson.details["coefficients"]["(Intercept)"])
    assert rate / -np.expm1(-rate) == pytest.approx(mean, rel=1e-9)


@given(TABLES, st.randoms(use_true_random=False))
@settings(max_examples=15)
def test_weights_are_repeated_rows_in_any_order(f, shuffle):
    rows = [k for k, x in enumerate(f, start=1) for _ in range(x)]
    shuffle.shuffle(rows)
    for model in ("ztpoisson", "zotgeom", "oiztpoisson"):
        one = counts("n ~ 1", table(f), model=model, weights="units")
        other = counts("n ~ 1", {"n": rows}, model=model)
        assert (one.population, one.low, one.se) == pytest.approx((other.population, other.low, other.se), rel=1e-8)
        assert one.details["loglik"] == pytest.approx(other.details["loglik"], rel=1e-10)


def exact_table(model, size):
    """Expected frequencies of a population of ``size`` under the model; a third of the seen are single for zot."""
    links = tuple("log" if p in ("lambda", "alpha") else "logit" for p in model.parameters)
    eta = [np.array([CONSTANTS[p]]) for p in model.parameters]
    y = np.arange(1.0, 200)
    chance = np.exp(log_likelihood(model, links, eta, y, False).v)
    weight = float(np.ravel(weight_in_population(model, links, eta, np.array([2.0])).v)[0])
    if model.truncation:
        chance = np.where(y == 1, 0, chance)
        units = size / weight * chance
        units[0] = 0.3 * size
        return {"n": y, "units": units}, size + 0.3 * size
    return {"n": y, "units": size / weight * chance}, size


@pytest.mark.parametrize("name", [m.name for m in MODELS.values() if m.family != "pair"])
def test_expected_frequencies_give_back_population_and_parameters(name):
    model = MODELS[name.lower()]
    data, size = exact_table(model, 1000.0)
    est = counts("n ~ 1", data, model=name, weights="units")
    assert est.details["ending"] == "maximum" and est.details["gradient"] < 1e-6
    assert est.population == pytest.approx(size, rel=1e-5)
    assert list(est.details["coefficients"].values()) == pytest.approx(
        [CONSTANTS[p] for p in model.parameters], abs=1e-5
    )


@pytest.mark.parametrize("name", [m.name for m in MODELS.values() if "negbin" not in m.name])
def test_doubling_the_list_doubles_the_population(name):
    data = persons(1, 1500, 0.6)
    more = {"omega": "~ sex"} if "omega" in MODELS[name.lower()].parameters else None
    one = counts("n ~ sex + age", data, model=name, formulas=more)
    two = counts("n ~ sex + age", pl.concat([data, data]), model=name, formulas=more)
    assert one.details["ending"] == "maximum"
    assert two.population == pytest.approx(2 * one.population, rel=1e-7)
    assert two.se == pytest.approx(np.sqrt(2) * one.se, rel=1e-7)
    assert two.details["coefficients"] == pytest.approx(one.details["coefficients"], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "formulas"),
    [
        ("ztpoisson", None),
        ("ztnegbin", {"alpha": "~ sex"}),
        ("oiztgeom", {"omega": "~ age"}),
        ("ztoipoisson", {"omega": "~ sex"}),
        ("Hurdleztgeom", {"pi": "~ sex + age"}),
        ("ztHurdlenegbin", None),
    ],
)
def test_no_other_optimiser_climbs_higher(name, formulas):
    rng = np.random.default_rng(3)
    base = persons(3, 1500)
    data = base.with_columns(n=pl.Series(rng.negative_binomial(1.5, 1.5 / (1.5 + base["n"].to_numpy())) + 1))
    sample = build_sample("n ~ sex + age", data, MODELS[name.lower()], formulas=formulas)
    est = counts("n ~ sex + age", data, model=name, formulas=formulas)
    best = -np.inf
    for seed in range(4):
        start = np.random.default_rng(seed).normal(0, 0.3, len(sample.names))

        def minus(x):
            value, gradient, _ = score(sample, sample.w[None], x[None])
            return (-value[0], -gradient[0]) if np.isfinite(value[0]) else (1e10, np.zeros_like(x))

        best = max(best, -minimize(minus, start, jac=True, method="BFGS").fun)
    assert est.details["loglik"] >= best - 1e-6


def test_offset_is_a_covariate_with_coefficient_one():
    data = persons(5).with_columns(days=pl.lit(2.0).log())
    plain, shifted = counts("n ~ sex", data), counts("n ~ sex", data, offset="days")
    assert shifted.population == pytest.approx(plain.population, rel=1e-10)
    gap = plain.details["coefficients"]["(Intercept)"] - shifted.details["coefficients"]["(Intercept)"]
    assert gap == pytest.approx(np.log(2))


def test_other_links_turn_coefficients_not_populations():
    data = persons(6)
    log, minus = counts("n ~ age", data), counts("n ~ age", data, links={"lambda": "neglog"})
    assert (minus.population, minus.se) == pytest.approx((log.population, log.se), rel=1e-8)
    assert minus.details["coefficients"]["age"] == pytest.approx(-log.details["coefficients"]["age"])
    sizes = [
        counts("n ~ 1", data, model="ztoigeom", links={"omega": link}).population
        for link in ("logit", "cloglog", "probit")
    ]
    assert sizes == pytest.approx([sizes[0]] * 3, rel=1e-6)


def test_factors_without_intercept_are_the_same_model():
    data = persons(7)
    one, other = counts("n ~ sex", data), counts("n ~ 0 + sex", data)
    assert other.population == pytest.approx(one.population, rel=1e-9)
    assert list(other.details["coefficients"]) == ["sexf", "sexm"]
    assert list(one.details["coefficients"]) == ["(Intercept)", "sexm"]


def test_names_and_reference_levels_are_those_of_r():
    import pandas as pd

    data = persons(8).with_columns(old=pl.col("age") > 0, rate=pl.col("age").exp())
    wide = counts("n ~ sex * rate + old + log(rate) + I(rate^2)", data).details["coefficients"]
    assert list(wide) == ["(Intercept)", "sexm", "rate", "oldTRUE", "log(rate)", "I(rate^2)", "sexm:rate"]
    frame = data.to_pandas()
    frame["sex"] = pd.Categorical(frame["sex"], categories=["m", "f"])
    assert list(counts("n ~ sex", frame).details["coefficients"]) == ["(Intercept)", "sexf"]


def test_edge_is_the_smaller_model():
    """A list with fewer single captures than the Poisson has: the share of inflated ones is zero."""
    data = {"n": [1, 2, 3, 4], "units": [20, 60, 40, 10]}
    edge, plain = counts("n ~ 1", data, model="ztoipoisson", weights="units"), counts("n ~ 1", data, weights="units")
    assert edge.details["ending"] == "edge" and edge.details["fitted_model"] == "ztpoisson"
    assert (edge.population, edge.low, edge.high) == (plain.population, plain.low, plain.high)
    assert edge.warnings[0] == ("the likelihood of ztoipoisson is highest at omega = 0: this is the fit of ztpoisson")


def test_firth_of_logistic_regression_in_closed_form():
    """All ones under Chao's model: Firth's chance of a second capture is (0 + ½)/(n + 1)."""
    n = 80
    est = counts("n ~ 1", {"n": [1] * n}, model="chao")
    half = 0.5 / (n + 1)
    rate = 2 * half / (1 - half)
    assert est.population == pytest.approx(n + n / (rate + rate**2 / 2), rel=1e-4)


def test_penalised_fit_against_brute_force():
    """Jeffreys-penalised zero-truncated Poisson of all ones: maximise ℓ + ½ log information on a fine grid."""
    n = 50
    est = counts("n ~ 1", {"n": [1] * n})
    eta = np.linspace(-8, 0, 80001)
    rate = np.exp(eta)
    mean = rate / -np.expm1(-rate)
    objective = n * (eta - np.log(np.expm1(rate))) + 0.5 * np.log(n * mean * (1 + rate - mean))
    best = rate[np.argmax(objective)]
    assert est.population == pytest.approx(n / -np.expm1(-best), rel=1e-3)


def test_bootstraps_agree_with_the_analytic_error_where_the_model_holds():
    f = [3000, 1500, 500, 120, 25, 4]
    plain = counts("n ~ 1", table(f), weights="units")
    spread = {
        kind: counts("n ~ 1", table(f), weights="units", interval=kind, replicates=2000, seed=4)
        for kind in ("parametric", "semiparametric", "nonparametric")
    }
    for kind in ("parametric", "semiparametric"):
        assert spread[kind].se == pytest.approx(plain.se, rel=0.08)
        assert (spread[kind].low, spread[kind].high) == pytest.approx((plain.low, plain.high), rel=0.01)
    # resampling the seen alone leaves out the chance of being seen: only the delta part of the variance
    assert spread["nonparametric"].se < 0.95 * plain.se


def test_same_seed_same_draws():
    ask = {"formula": "n ~ sex", "data": persons(), "interval": "parametric", "replicates": 50}
    one, same, other = counts(**ask, seed=1), counts(**ask, seed=1), counts(**ask, seed=2)
    assert one.details["draws"] == same.details["draws"] != other.details["draws"]


def test_strata_add_up_and_may_cross():
    est = counts("n ~ sex", persons().with_columns(old=pl.col("age") > 0), strata="~ sex + sex:old")
    sums = dict(est.table.group_by("stratum").agg(pl.col("population").sum()).iter_rows())
    assert sums == pytest.approx({"sex": est.population, "sex:old": est.population})


def test_comparison_keeps_classes_apart_and_average_is_inside():
    first = counts("n ~ sex", persons())
    rows = first.compare("ztgeom", "zotpoisson", "zotgeom", "chao", "zelterman")
    best = rows.group_by("likelihood").agg(pl.col("delta_aic").min(), pl.col("akaike_weight").sum())
    assert best["delta_aic"].to_list() == [0.0] * 3 and best["akaike_weight"].to_list() == pytest.approx([1.0] * 3)
    second = first.refit("ztgeom")
    mean = average_counts(first, second)
    sizes = (first.population, second.population)
    assert min(sizes) <= mean.population <= max(sizes) and mean.low < mean.population < mean.high
    assert compare_counts(second, first).equals(compare_counts(first, second))


def test_variance_conventions_differ_only_where_said():
    for model in MODELS.values():
        if "negbin" in model.name:
            continue
        a, b = (counts("n ~ 1", persons(), model=model.name, variance=v) for v in ("reference", "theory"))
        other = model.name in ("zotgeom", "ztoigeom", "ztHurdlegeom")
        assert (a.se != b.se) == other
        assert any("general formula" in w for w in a.warnings) == (other and abs(b.se / a.se - 1) >= 0.05)


def test_result_goes_to_plain_values_and_pictures():
    import json

    est = counts("n ~ sex", persons())
    assert json.loads(json.dumps(est.to_dict()))["population"] == est.population
    assert "persons" in est.summary()
    assert est.plot().to_dict() and est.plot_rootogram().to_dict()
    frame = est.residuals("raw")
    assert frame.height == persons().height and abs(frame["residual"].mean()) < 0.05
    fitted = est.fitted_frequencies()
    assert fitted["fitted"].sum() == pytest.approx(fitted["observed"].sum())


@pytest.mark.parametrize("name", [m.name for m in MODELS.values()])
def test_any_small_list_gives_a_finite_flagged_answer_or_one_line(name):
    from zhol import ZholError

    rng = np.random.default_rng(len(name))
    for rate in (0.3, 3.0):
        n = rng.poisson(rate, 40)
        data = pl.DataFrame({"n": n[n > 0], "g": rng.choice(["a", "b", "c"], int((n > 0).sum()))})
        if data.height == 0:
            continue
        try:
            est = counts("n ~ g", data, model=name)
        except ZholError as error:
            assert "captured" in str(error)
            continue
        assert data.height - 1e-6 <= est.population < 1e9 and est.low <= est.population <= est.high
        assert np.isfinite(est.se) or est.high == np.inf
        assert est.details["ending"] == "maximum" or est.warnings
