"""Gravity against a plain dummy-variable fit, on simulated truth, on separated and collinear data; counterfactuals."""

import json

import numpy as np
import polars as pl
import pytest

import zhol
from zhol.core.errors import ZholError
from zhol.estimate._gravity.identification import inflation, within
from zhol.estimate.gravity_model import covariates, gravity

PLACES = list("ABCDEFGH")
BETA = {"log(distance_km)": -0.8, "contiguous": 0.5, "log1p(diaspora)": 0.4}


def world(seed=1, periods=(2005, 2010, 2015), places=PLACES, size=6.0, noise=True):
    """A simulated panel: covariates and flows with the coefficients of BETA."""
    chance = np.random.default_rng(seed)
    n = len(places)
    spot = chance.normal(0, 1000, (n, 2))
    far = np.hypot(*(spot[:, None] - spot[None]).transpose(2, 0, 1)) + 50
    near = chance.random((n, n)) < 0.3
    rows = []
    for period in periods:
        out, come = chance.normal(0, 1, n), chance.normal(0, 1, n)
        for i, o in enumerate(places):
            for j, d in enumerate(places):
                if i != j:
                    held = float(np.round(np.exp(chance.normal(5, 1.5))))
                    line = {"distance_km": far[i, j], "contiguous": float(near[i, j]), "diaspora": held}
                    mean = np.exp(
                        size + out[i] + come[j] - 0.8 * np.log(far[i, j]) + 0.5 * near[i, j] + 0.4 * np.log1p(held)
                    )
                    persons = float(chance.poisson(mean)) if noise else mean
                    rows.append({"origin": o, "destination": d, "period": period, "persons": persons, **line})
    table = pl.DataFrame(rows)
    return table.select("origin", "destination", "period", "persons"), table.drop("persons")


def dummies(flows, table, terms):
    """The same model by Newton's method on a full set of dummies, slowly and plainly; with its clustered covariance."""
    both = table.join(flows, on=["origin", "destination", "period"]).sort("origin", "destination", "period")
    x = [t(both) for t in terms]
    for side in ("origin", "destination"):
        key = both.select(pl.concat_str(side, "period", separator=" "))[:, 0].to_numpy()
        first = {k.split(" ")[1]: k for k in sorted(set(key), reverse=True)} if side == "destination" else {}
        x += [(key == k).astype(float) for k in sorted(set(key)) if k not in first.values()]
    x, y = np.column_stack(x), both["persons"].to_numpy()
    eta = np.log(y + y.mean())
    for _ in range(100):
        mu = np.exp(eta)
        beta = np.linalg.solve(x.T @ (mu[:, None] * x), x.T @ (mu * eta + y - mu))
        eta = x @ beta
    mu = np.exp(eta)
    bread = np.linalg.inv(x.T @ (mu[:, None] * x))
    pair = np.unique(both.select(pl.concat_str("origin", "destination"))[:, 0].to_numpy(), return_inverse=True)[1]
    score = np.zeros((pair.max() + 1, x.shape[1]))
    np.add.at(score, pair, x * (y - mu)[:, None])
    groups, rows = pair.max() + 1, len(y)
    # pyfixest counts one effect as redundant, where there is one a period: a little wider, never narrower.
    redundant = both["period"].n_unique() - 1
    factor = groups / (groups - 1) * (rows - 1) / (rows - x.shape[1] - redundant)
    covariance = factor * bread @ score.T @ score @ bread
    k = len(terms)
    return beta[:k], covariance[:k, :k], pl.Series(mu), both


TERMS = [
    lambda t: np.log(t["distance_km"].to_numpy()),
    lambda t: t["contiguous"].to_numpy(),
    lambda t: np.log1p(t["diaspora"].to_numpy()),
]


def test_same_as_a_plain_fit_on_dummies():
    flows, table = world()
    found = gravity(flows, table)
    beta, covariance, mu, _ = dummies(flows, table, TERMS)
    assert found.terms == tuple(BETA)
    assert found.beta == pytest.approx(beta, rel=1e-7, abs=1e-9)
    assert found.covariance == pytest.approx(covariance, rel=1e-5, abs=1e-12)
    fitted = found.predict().sort("origin", "destination", "period")["fitted"].to_numpy()
    assert fitted == pytest.approx(mu.to_numpy(), rel=1e-6)
    row = found.coefficients.row(0, named=True)
    assert row["high"] - row["value"] == pytest.approx(1.959964 * row["se"], rel=1e-6)


def test_robust_errors_where_every_pair_stands_once():
    flows, table = world(periods=(2015,))
    found = gravity(flows, table)
    beta, covariance, _, _ = dummies(flows, table, TERMS)
    assert found.beta == pytest.approx(beta, rel=1e-6, abs=1e-8)
    assert found.covariance == pytest.approx(covariance, rel=0.05)  # HC1 and CR1 differ by n / (n - 1)


def test_exact_flows_give_the_exact_truth():
    flows, table = world(noise=False)
    found = gravity(flows, table)
    assert dict(zip(found.terms, found.beta, strict=True)) == pytest.approx(BETA, abs=1e-6)
    said = "The model gives the flows back almost exactly: they were made from these covariates."
    assert said in found.warnings and said not in gravity(*world()).warnings


def test_intervals_hold_the_truth():
    inside = 0
    for seed in range(20):
        flows, table = world(seed, places=list("ABCDEFGHIJKL"), periods=(2010, 2015), size=4)
        rows = gravity(flows, table).coefficients
        truth = rows["term"].replace_strict(BETA, return_dtype=pl.Float64)
        inside += int(((rows["low"] <= truth) & (truth <= rows["high"])).sum())
    assert inside >= 48  # of 60; the binomial chance of fewer at 90% real coverage is below one in fifty


def test_order_of_rows_names_and_units_do_not_matter():
    flows, table = world()
    found = gravity(flows, table)
    turned = gravity(flows.sample(fraction=1, shuffle=True, seed=3), table.sample(fraction=1, shuffle=True, seed=4))
    assert turned.beta == pytest.approx(found.beta, rel=1e-8)
    tenfold = gravity(flows.with_columns(pl.col("persons") * 1000), table)
    assert tenfold.beta == pytest.approx(found.beta, rel=1e-7, abs=1e-9)
    assert tenfold.covariance == pytest.approx(found.covariance, rel=1e-5, abs=1e-12)
    assert tenfold.fitted == pytest.approx(1000 * found.fitted, rel=1e-7)
    miles = gravity(flows, table.with_columns(pl.col("distance_km") / 1.609))
    assert miles.beta == pytest.approx(found.beta, rel=1e-7, abs=1e-9)


def test_formula_and_frames_may_be_written_otherwise():
    flows, table = world()
    found = gravity(flows, table)
    for formula in (
        "persons ~ log(distance_km) + contiguous + log1p(diaspora) | origin^period + destination^period",
        "log(distance_km) + contiguous + log1p(diaspora)",
    ):
        assert gravity(flows.to_pandas(), table.to_dicts(), formula).beta == pytest.approx(found.beta, rel=1e-9)
    other = flows.rename({"origin": "orig", "destination": "dest", "period": "year0", "persons": "flow"})
    assert gravity(other, table).beta == pytest.approx(found.beta, rel=1e-9)


def test_weaker_effects_are_allowed():
    flows, table = world()
    found = gravity(flows, table, "log(distance_km) | origin + destination + period")
    assert found["log(distance_km)"] < 0 and found.effects.is_empty()
    pair = gravity(flows, table, "log1p(diaspora) | origin_period + destination_period + pair")
    assert pair["log1p(diaspora)"] == pytest.approx(0.4, abs=0.1)


def test_zeros_are_zeros_whether_written_or_not():
    flows, table = world(size=2.5)
    assert (flows["persons"] == 0).any()
    whole = gravity(flows, table)
    sparse = gravity(flows.filter(pl.col("persons") > 0), table, absent="zero")
    assert sparse.beta == pytest.approx(whole.beta, rel=1e-8)
    left_out = gravity(flows.filter(pl.col("persons") > 0), table)
    assert left_out.fit["flows"] < whole.fit["flows"]


def test_separated_flows_are_found_and_named():
    """Nobody moves where the tie is one (the example by which ppmlhdfe explains separation): no finite estimate."""
    flows, table = world()
    tied = (pl.col("origin") == "A") & pl.col("destination").is_in(["B", "C"])
    table = table.with_columns(colonial_tie=tied.cast(pl.Float64))
    flows = flows.with_columns(pl.when(tied).then(0.0).otherwise("persons").alias("persons"))
    found = gravity(flows, table)
    assert "colonial_tie" not in found.terms
    assert "colonial_tie differs only where all flows are zero (separated), so it is not estimated." in found.warnings
    assert found.fit["separated"] == 6
    assert found.predict().filter(tied)["fitted"].to_list() == [0.0] * 6
    without = gravity(flows.filter(~tied), table.filter(~tied).drop("colonial_tie"))
    assert found.beta == pytest.approx(without.beta, rel=1e-7)


def test_a_place_that_nobody_leaves_is_separated():
    flows, table = world()
    idle = pl.col("origin") == "A"
    found = gravity(flows.with_columns(pl.when(idle).then(0.0).otherwise("persons").alias("persons")), table)
    assert found.fit["separated"] == 21
    without = gravity(flows.filter(~idle), table)
    assert found.beta == pytest.approx(without.beta, rel=1e-7)


@pytest.mark.parametrize(
    ("column", "reason"),
    [
        (pl.col("contiguous") * 2, "colonial_tie is collinear with contiguous, so it is not estimated."),
        (
            (pl.col("origin") == "A").cast(pl.Float64) + (pl.col("destination") == "B").cast(pl.Float64),
            "colonial_tie is absorbed by the fixed effects, so it is not estimated.",
        ),
        (pl.lit(1.0), "colonial_tie is the same for all pairs, so it is not estimated."),
    ],
)
def test_collinear_terms_are_named(column, reason):
    flows, table = world()
    found = gravity(flows, table.with_columns(colonial_tie=column))
    assert reason in found.warnings
    assert found.beta == pytest.approx(gravity(flows, table).beta, rel=1e-6)


def test_no_change_no_difference():
    flows, table = world()
    found = gravity(flows, table)
    for hold in ("both", "origins", "destinations", "none"):
        same = found.counterfactual({"contiguous": pl.col("contiguous")}, hold=hold)
        assert (same.table["after"] == same.table["before"]).all() and (same.table["change"] == 0).all()
        assert (same.table["low"] == same.table["high"]).all()


def test_totals_that_are_held_hold():
    flows, table = world()
    found = gravity(flows, table)
    moved = {
        h: found.counterfactual({"contiguous": 1.0}, where={"origin": "A"}, hold=h) for h in ("both", "origins", "none")
    }
    for hold, sides in (("both", ("origin", "destination")), ("origins", ("origin",))):
        for side in sides:
            totals = moved[hold].table.group_by(side, "period").agg(pl.col("before", "after").sum())
            assert totals["after"].to_numpy() == pytest.approx(totals["before"].to_numpy(), rel=1e-9)
    observed = found.predict().group_by("origin", "period").agg(pl.col("persons", "fitted").sum())
    assert observed["fitted"].to_numpy() == pytest.approx(observed["persons"].to_numpy(), rel=1e-9)
    none = found.predict({"contiguous": 1.0}, where={"origin": "A"})
    assert moved["none"].table["after"].to_numpy() == pytest.approx(none["fitted"].to_numpy())
    others = moved["origins"].table.filter(pl.col("origin") != "A")
    assert (others["change"].abs() < 1e-9).all()
    table_ = moved["both"].table
    assert ((table_["low"] <= table_["after"]) & (table_["after"] <= table_["high"])).all()


def test_resistance_is_structural_gravitys():
    """Anderson and van Wincoop's system solved by brute force: effects such that all totals hold under new costs."""
    flows, table = world(periods=(2015,))
    found = gravity(flows, table)
    nearer = pl.when((pl.col("origin") == "A") & (pl.col("destination") == "B")).then(50.0).otherwise("distance_km")
    after = found.counterfactual({"distance_km": nearer}, draws=0)
    n = len(PLACES)
    cost, before = np.zeros((n, n)), np.zeros((n, n))
    for row, mu in zip(found.panel.iter_rows(named=True), found.fitted, strict=True):
        i, j = PLACES.index(row["origin"]), PLACES.index(row["destination"])
        far = 50.0 if (i, j) == (0, 1) else row["distance_km"]
        cost[i, j] = np.exp(found.beta @ [np.log(far), row["contiguous"], np.log1p(row["diaspora"])])
        before[i, j] = mu
    out, come, inward = before.sum(1), before.sum(0), np.ones(n)
    for _ in range(5000):
        outward = 1 / (cost @ (come * inward))
        inward = 1 / (cost.T @ (out * outward))
    expected = out[:, None] * outward[:, None] * cost * come * inward
    for row in after.table.iter_rows(named=True):
        i, j = PLACES.index(row["origin"]), PLACES.index(row["destination"])
        assert row["after"] == pytest.approx(expected[i, j], rel=1e-8)
    pair = after.table.filter(pl.col("origin") == "A", pl.col("destination") == "B")
    assert pair["change"][0] > 0
    assert after.resistance.filter(pl.col("side") == "origin", pl.col("place") == "A")["change"][0] < 0


def test_change_may_come_as_table_or_function():
    flows, table = world()
    found = gravity(flows, table)
    first = found.counterfactual({"contiguous": 1.0}, where={"origin": "A", "destination": "B"}, draws=0)
    new = pl.DataFrame({"origin": ["A"], "destination": ["B"], "contiguous": [1.0]})
    tidy = found.counterfactual(new, draws=0)
    meant = (pl.col("origin") == "A") & (pl.col("destination") == "B")
    made = found.counterfactual(
        lambda p: p.with_columns(pl.when(meant).then(1.0).otherwise("contiguous").alias("contiguous")), draws=0
    )
    for other in (tidy, made):
        assert other.table["after"].to_list() == first.table["after"].to_list()


def with_places(flows, table, seed=5):
    """Incomes and people whose coefficients in the second step are known."""
    chance = np.random.default_rng(seed)
    keys = [(p, y) for p in PLACES for y in (2005, 2010, 2015)]
    income = {k: np.exp(chance.normal(9, 1)) for k in keys}
    people = {k: np.exp(chance.normal(16, 1)) for k in keys}
    rows = table.to_dicts()
    for row in rows:
        o, d = (row["origin"], row["period"]), (row["destination"], row["period"])
        row |= {"income_origin": income[o], "income_destination": income[d]}
        row |= {"population_origin": people[o], "population_destination": people[d]}
        row["income_gap"] = np.log(income[d] / income[o])
    new = pl.DataFrame(rows)
    gap = (-0.3 * pl.col("income_origin").log() + 0.6 * pl.col("income_destination").log()).exp()
    scale = gap * (pl.col("population_origin") * pl.col("population_destination")).log().mul(0.7).exp() / 1e8
    effect = new.with_columns(scale=scale)
    base = -0.8 * pl.col("distance_km").log() + 0.5 * pl.col("contiguous") + 0.4 * (pl.col("diaspora") + 1).log()
    persons = effect.with_columns(persons=pl.col("scale") * base.exp())
    return persons.select("origin", "destination", "period", "persons"), new


def test_second_step_recovers_what_places_do():
    flows, table = with_places(*world())
    found = gravity(flows, table)
    rows = {(r["step"], r["term"]): r["value"] for r in found.coefficients.iter_rows(named=True)}
    assert rows["origin", "log(income_origin)"] == pytest.approx(-0.3, abs=1e-5)
    assert rows["destination", "log(income_destination)"] == pytest.approx(0.6, abs=1e-5)
    assert rows["origin", "log(population_origin)"] == pytest.approx(0.7, abs=1e-5)
    richer = {"income_destination": pl.col("income_destination") * 2}
    held = found.counterfactual(richer, where={"destination": "A"}, draws=0)
    assert (held.table["change"] == 0).all()
    assert "income_destination acts through the total of each destination, which is held" in held.warnings[0]
    free = found.counterfactual(richer, where={"destination": "A"}, hold="none", draws=0)
    grown = free.table.filter(pl.col("destination") == "A")
    assert grown["after"].to_numpy() == pytest.approx(2**0.6 * grown["before"].to_numpy(), rel=1e-4)


def test_priors_are_a_distribution_tied_to_the_fit():
    flows, table = with_places(*world())
    noisy = flows.with_columns(
        pl.Series("persons", np.random.default_rng(2).poisson(flows["persons"].to_numpy()) + 0.0)
    )
    found = gravity(noisy, table)
    prior = found.priors(most=10)
    assert prior.names[:2] == ("beta_w", "beta_n") and len(prior.names) == 12
    assert np.linalg.eigvalsh(prior.covariance).min() > 0
    assert prior.beta("beta_n")[0] == found["log1p(diaspora)"]
    assert prior.beta("beta_w")[0] == pytest.approx(0.45, abs=0.05)  # the mean of 0.6 and 0.3
    assert prior.beta("beta_w")[1] > 0.1  # half their disagreement at least
    row = prior.corridors.row(0, named=True)
    own = found.predict().filter(pl.col("origin") == row["origin"], pl.col("destination") == row["destination"])
    cell = found.panel.filter(
        pl.col("origin") == row["origin"], pl.col("destination") == row["destination"], pl.col("period") == "2015"
    ).row(0, named=True)
    mu = own.filter(pl.col("period") == "2015")["fitted"][0]
    expected = np.log(mu / cell["population_origin"]) - prior.mean[0] * cell["income_gap"]
    expected -= prior.mean[1] * np.log1p(cell["diaspora"])
    assert row["mean"] == pytest.approx(expected)
    wide = found.priors(most=10, inflate=2)
    assert np.sqrt(np.diag(wide.covariance)) == pytest.approx(2 * np.sqrt(np.diag(prior.covariance)))
    one = found.priors([("A", "B")])
    assert one.names[-1] == "alpha:A>B" and one.period == "2015"
    json.dumps(one.to_dict())


def test_former_ussr_cannot_tell_colony_from_russia():
    """In the pack's own covariates the colonial tie inside the former USSR is the same as having Russia at one end."""
    table = covariates(zhol.load("central_asia"), [2010, 2015]).filter(
        pl.col("income_origin").is_not_null() & pl.col("income_destination").is_not_null()
    )
    chance = np.random.default_rng(3)
    mean = (8 - 0.6 * table["distance_km"].log() + 0.4 * (table["diaspora"] + 1).log()).exp().to_numpy()
    flows = table.select("origin", "destination", "period").with_columns(persons=pl.Series(chance.poisson(mean) + 0.0))
    found = gravity(flows, table)
    inside = found.identification.filter(pl.col("scope") == "former USSR", pl.col("term") == "colonial_tie")
    assert inside["share_within"][0] < 1e-8 and not inside["identified"][0]
    assert any(w.startswith("Inside the former USSR") and "colonial_tie" in w for w in found.warnings)
    assert set(found.alternatives["model"].unique()) >= {
        "without colonial_tie, common_coloniser",
        "without common_language",
        "without colonial_tie, common_coloniser, common_language",
    }
    assert gravity(flows, table, alternatives=False).alternatives.is_empty()


def test_two_terms_that_move_together_raise_the_alarm():
    flows, table = world()
    chance = np.random.default_rng(1)
    twin = table["contiguous"].to_numpy() + chance.normal(0, 0.02, table.height)
    found = gravity(flows, table.with_columns(colonial_tie=pl.Series(twin)))
    assert any(w.startswith("colonial_tie moves with the other terms") for w in found.warnings)
    factors, _ = inflation(np.diag([4.0, 9.0]))
    assert factors.tolist() == [1.0, 1.0]


def test_within_is_least_squares_on_dummies():
    chance = np.random.default_rng(1)
    a, b = np.repeat(np.arange(5), 6), np.tile(np.arange(6), 5)
    keep = chance.random(30) < 0.8
    a, b, x, w = a[keep], b[keep], chance.normal(size=(keep.sum(), 2)), chance.random(keep.sum()) + 0.1
    full = np.column_stack([a[:, None] == np.arange(5), b[:, None] == np.arange(6)]).astype(float)
    root = np.sqrt(w)[:, None]
    left = x - full @ np.linalg.lstsq(full * root, x * root, rcond=None)[0]
    assert within(x, [a, b], w) == pytest.approx(left, abs=1e-9)


def test_result_can_be_read_drawn_and_sent():
    flows, table = with_places(*world())
    found = gravity(flows, table)
    assert "log(distance_km): -0.8" in found.summary() and "Method: Santos Silva" in found.summary()
    json.dumps(found.to_dict())
    assert found.plot().to_dict()["title"]["text"] == "Gravity: what flows go with"
    assert found.to_pandas().shape[0] == found.coefficients.height
    moved = found.counterfactual({"contiguous": 1.0}, where={"origin": ["A", "B"]}, draws=20)
    assert moved.summary().startswith("Moves ")
    json.dumps(moved.to_dict())
    assert moved.plot().to_dict()["title"]["text"] == "Flows after the change"
    again = found.counterfactual({"contiguous": 1.0}, where={"origin": ["A", "B"]}, draws=20)
    assert moved.table.equals(again.table)


def test_results_of_flows_are_taken_as_they_are():
    """A flows result has no period: it takes the one of the covariates; several come as a mapping."""
    region = zhol.load("central_asia")
    made = {start: zhol.estimate.region_flows(region, start, start + 5) for start in (2010, 2015)}
    one = gravity(made[2015], covariates(region, [2015]), alternatives=False)
    assert one.fit["periods"] == 1 and one.panel["period"][0] == "2015"
    both = gravity(made, covariates(region, [2010, 2015]), alternatives=False)
    assert both.fit["periods"] == 2
    assert both.panel["persons"].sum() == pytest.approx(
        sum(f.table.join(both.panel, on=["origin", "destination"], how="semi")["persons"].sum() for f in made.values()),
        rel=0.05,
    )
    with pytest.raises(ZholError, match="flows have no period, covariates have several; found '2010, 2015'"):
        gravity(made[2015], covariates(region, [2010, 2015]))
    drawn = zhol.estimate.region_flows(region, 2015, 2020, draws=20)
    found = zhol.estimate.indices(drawn)
    assert found.table["low"].is_not_null().all() and not found.warnings
