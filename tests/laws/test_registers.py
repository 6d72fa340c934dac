"""``registers``: what must hold whatever the data, and where the answer is known."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import nbinom, poisson

from zhol.estimate._registers import power_law
from zhol.estimate.register_ratio import registers


def simulated(seed, rows=80, alpha=0.7, beta=0.6, gamma=0.005, theta=None):
    rng = np.random.default_rng(seed)
    size = np.maximum(1, np.exp(rng.normal(5.5, 1.8, rows)).round())
    met = np.minimum(size, rng.poisson(size * np.exp(rng.normal(-4, 1, rows))))
    mean = size**alpha * (gamma + met / size) ** beta
    if theta is not None:
        mean = mean * rng.gamma(theta, 1 / theta, rows)
    return pl.DataFrame(
        {
            "country": [f"c{i // 2:02d}" for i in range(rows)],
            "year": [2023 + i % 2 for i in range(rows)],
            "m": rng.poisson(mean),
            "n": met.astype(int),
            "N": size.astype(int),
        }
    )


def plain_log_likelihood(params, data, negbin):
    """Written once more, from SciPy's distributions."""
    m, n, size = (data[c].to_numpy().astype(float) for c in ("m", "n", "N"))
    mean = size ** params[0] * (np.exp(params[2]) + n / size) ** params[1]
    if not negbin:
        return poisson.logpmf(m, mean).sum()
    theta = np.exp(params[3])
    return nbinom.logpmf(m, theta, theta / (theta + mean)).sum()


@pytest.mark.parametrize("negbin", [False, True])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_maximum_agrees_with_a_general_optimiser(seed, negbin):
    data = simulated(seed, theta=1.5 if negbin else None)
    est = registers(data, model="negbin" if negbin else "poisson")
    start = [0.7, 0.6, np.log(0.005), 0.0][: 3 + negbin]
    best = minimize(
        lambda p: -plain_log_likelihood(p, data, negbin), start, method="Nelder-Mead", options={"maxiter": 4000}
    )
    assert est.details["loglik"] >= -best.fun - 1e-6
    assert est.details["loglik"] == pytest.approx(-best.fun, abs=1e-3)
    assert est.details["largest_gradient"] < 1e-4


@pytest.mark.parametrize(("negbin", "constrained"), [(False, False), (True, False), (False, True), (True, True)])
def test_derivatives_are_those_of_the_likelihood(negbin, constrained):
    data = simulated(4, rows=30)
    m, n, size = (data[c].to_numpy().astype(float) for c in ("m", "n", "N"))
    covariate = np.column_stack([np.ones(30), np.arange(30) % 2])
    problem = power_law.Problem(
        m, np.log(size), n / size, covariate, covariate, None, negbin=negbin, constrained=constrained
    )
    at = np.array([[0.6, 0.1, -0.4, 0.2, -5.0, 0.3][: problem.size]])
    weights = np.random.default_rng(1).exponential(size=(1, 30))
    gradient, info, _ = power_law.derivatives(problem, at, weights)

    def value(step):
        return power_law.log_likelihood(problem, at + step[None, :], weights)[0]

    eye, h = np.eye(problem.size), 1e-4
    for i in range(problem.size):
        assert gradient[0, i] == pytest.approx((value(h * eye[i]) - value(-h * eye[i])) / (2 * h), rel=1e-5, abs=1e-4)
        for j in range(problem.size):
            a, b = h * eye[i], h * eye[j]
            second = (value(a + b) - value(a - b) - value(b - a) + value(-a - b)) / (4 * h * h)
            assert -info[0, i, j] == pytest.approx(second, rel=1e-3, abs=1e-2)


@given(st.integers(0, 10_000), st.sampled_from(["poisson", "negbin"]))
@settings(max_examples=15)
def test_parts_add_up_and_order_does_not_matter(seed, model):
    data = simulated(seed, rows=40)
    est = registers(data, model=model, by=["country", "year"])
    assert est.table["population"].sum() == pytest.approx(est.population, rel=1e-9)
    assert est.table["observed"].sum() == data["m"].sum()
    assert (est.table["low"] <= est.table["population"] + 1e-9).all()
    assert (est.table["high"] >= est.table["population"] - 1e-9).all()
    assert est.low <= est.population <= est.high
    other = registers(data.sample(fraction=1, shuffle=True, seed=seed), model=model)
    # Where theta runs off to the Poisson the likelihood is flat, and rounding decides where the climb stops.
    assert other.population == pytest.approx(est.population, rel=1e-4)


def test_zero_police_counts_are_data():
    data = simulated(5)
    assert (data["n"] == 0).any()
    for gamma in ("estimate", 0.005, None, 0):
        est = registers(data, gamma=gamma)
        assert np.isfinite([est.population, est.low, est.high]).all()
    assert any("gamma was estimated instead" in w for w in registers(data, gamma=None).warnings)


def test_no_offset_where_no_count_is_zero():
    data = simulated(6).with_columns(n=pl.col("n") + 1, N=pl.col("N") + 1)
    est = registers(data, gamma=None)
    assert est.details["gamma"] == 0
    assert not any("gamma" in w for w in est.warnings)


def test_rows_without_registered_are_said():
    data = simulated(7)
    more = pl.concat([data, data.head(2).with_columns(m=pl.Series([3, 4]), N=pl.lit(0, pl.Int64))])
    est = registers(more)
    assert est.population == pytest.approx(registers(data).population, rel=1e-9)
    assert "left out: 2 rows have no reference population (N = 0); 7 observed there are in no estimate" in est.warnings


def test_constrained_agrees_inside():
    data = simulated(8)
    free, held = registers(data), registers(data, constrained=True)
    assert held.details["loglik"] == pytest.approx(free.details["loglik"], abs=1e-6)
    assert held.population == pytest.approx(free.population, rel=1e-4)


@pytest.mark.parametrize("interval", ["bootstrap", "parametric"])
def test_bootstrap_repeats_under_its_seed_on_any_number_of_threads(interval):
    data = simulated(9)
    options = {"interval": interval, "replicates": 60, "by": "year"}
    one = registers(data, seed=3, **options)
    assert registers(data, seed=3, jobs=2, **options).table.equals(one.table)
    assert not registers(data, seed=4, **options).table.equals(one.table)
    assert one.low < one.population < one.high


def test_bootstrap_takes_countries_as_clusters_and_tells_progress():
    data, seen = simulated(10), []
    est = registers(data, interval="bootstrap", replicates=50, progress=lambda done, total: seen.append((done, total)))
    assert est.details["interval"] == "weighted bootstrap over 40 clusters of country, 50 replicates"
    assert seen[-1] == (50, 50)


def test_random_weights_reproduce_the_sandwich():
    """Without the stretch, the bootstrap's spread is that of the plain sandwich (large sample)."""
    data = simulated(11, rows=400).drop("country")
    est = registers(data, interval="bootstrap", replicates=400, gamma=0.005)
    low, high = est.details["percentile"]
    m, n, size = (data[c].to_numpy().astype(float) for c in ("m", "n", "N"))
    one = np.ones((400, 1))
    problem = power_law.Problem(m, np.log(size), n / size, one, one, 0.005)
    params = est.details["coefficients"]["estimate"].to_numpy()
    plain = power_law.covariance(problem, params)[1]
    powers = size ** params[0]
    se = (powers * np.log(size)).sum() * np.sqrt(plain[0, 0]) / powers.sum()
    assert np.log(high / low) == pytest.approx(2 * 1.96 * se, rel=0.2)


def test_jackknife_by_cluster_is_leaving_countries_out():
    data = simulated(12, rows=40)
    est = registers(data, cluster="country", gamma=0.005)
    name, without, _ = est.details["influence"].row(0)
    rest = data.filter(pl.col("country") != name)
    again = registers(rest, gamma=0.005).details["coefficients"]["estimate"][0]
    assert without == pytest.approx((data["N"].to_numpy().astype(float) ** again).sum(), rel=1e-6)
    assert est.details["interval"] == "log-normal, jackknife over 20 clusters of country"


def test_no_overdispersion_makes_the_negative_binomial_the_poisson():
    data = simulated(13)
    both = [registers(data, model=m) for m in ("poisson", "negbin")]
    if both[1].details["theta"] > 1e5:
        assert both[0].population == pytest.approx(both[1].population, rel=1e-2)
        assert any("is the Poisson here" in w for w in both[1].warnings)
    assert both[1].details["loglik"] >= both[0].details["loglik"] - 1e-4


def test_larger_exponent_larger_population():
    data = simulated(14)
    low = registers(data.with_columns(m=(pl.col("m") / 3).ceil().cast(pl.Int64)), gamma=0.005)
    assert low.population < registers(data, gamma=0.005).population


def test_groups_are_those_of_alphas_covariates():
    est = registers(simulated(15), alpha="~ C(year)")
    assert est.table["year"].to_list() == [2023, 2024]
    assert registers(simulated(15)).table["group"].to_list() == ["all"]


def test_data_that_hold_nothing_give_no_upper_end():
    data = pl.DataFrame({"m": [2, 2, 3, 2, 2, 3], "n": [1, 2, 3, 4, 5, 6], "N": [10, 20, 30, 40, 50, 60]})
    est = registers(data.with_columns(n=pl.col("N") // 10))
    assert est.high == np.inf
    assert any("no upper end" in w for w in est.warnings)


def test_years_as_categories_of_pandas_are_categories():
    data = simulated(16)
    numbers = data.to_pandas()
    est = registers(numbers.assign(year=numbers["year"].astype("category")), alpha="~ year")
    assert est.details["loglik"] == pytest.approx(registers(data, alpha="~ C(year)").details["loglik"], abs=1e-8)
    assert est.table["year"].to_list() == ["2023", "2024"]


def test_a_total_over_years_is_said_to_be_one():
    warnings = registers(simulated(17), by="year").warnings
    assert warnings[0] == (
        "the total adds 2 values of year up, which is not how many there were at any one time; by='year' says that"
    )


def test_a_packed_file(tmp_path):
    import gzip

    data = simulated(18)
    (tmp_path / "cells.csv.gz").write_bytes(gzip.compress(data.write_csv().encode()))
    assert registers(tmp_path / "cells.csv.gz").population == registers(data).population
