"""Worlds so small that their course can be written down: the moving system must follow it."""

import numpy as np
import pytest
from random_packs import Pack, Place, model
from scipy.linalg import expm
from system_runs import quick_compilation, run_engine, vectors_with

from zhol.system import Effect
from zhol.system.names import FLOWS, STATUSES
from zhol.system.parameters import parameter_table

# Drivers are held at their first figures, those of 2010, so all of these months are alike.
MONTHS = {"start": "2006-01", "end": "2008-12"}
RESIDENT, WORKER, VISITOR, PROTECTED, PENDING, CLANDESTINE, OVERSTAYER, UNAUTHORISED, BREACH, REFUSED = range(10)
IRREGULAR = (CLANDESTINE, OVERSTAYER, UNAUTHORISED, BREACH, REFUSED)


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


@pytest.fixture(scope="module")
def system():
    """One corridor with one road, out of so many people that those who leave are not missed."""
    return model(
        Pack(
            {"KGZ": Place(5e9, 0.0, 4_000.0, deaths=0.006), "RUS": Place(100e6, 0.0, 20_000.0, deaths=0.012)},
            {("KGZ", "RUS"): 1e6},
            (("KGZ", "RUS", "land", 3_000.0),),
            {("KGZ", "RUS"): "visa_free"},
            refugees={("KGZ", "RUS"): (5_000, 2_000)},
        )
    )


def flow(arrays, name):
    return arrays["flows"][0, :, 0, FLOWS.index(name)]


def hazards(system, p, regime=1):
    """Generator of the ten statuses, (from, to), with the loss of exits on the diagonal; costs are as at the start."""
    odds = np.exp(system.world("2006-01").recognition_log_odds[0] + p["recognition_shift"])
    q = odds / (1 + odds)
    moves = {
        (WORKER, RESIDENT): p["settle_in"][regime],
        (WORKER, BREACH): p["breach"][regime],
        (VISITOR, WORKER): p["permit"][regime],
        (VISITOR, OVERSTAYER): p["overstay"][regime],
        (VISITOR, UNAUTHORISED): p["unauthorised_work"][regime],
        (UNAUTHORISED, OVERSTAYER): p["overstay"][regime],
        (PROTECTED, RESIDENT): p["settle_protected"],
        (PENDING, PROTECTED): p["decision"] * q,
        (PENDING, REFUSED): p["decision"] * (1 - q),
        (CLANDESTINE, PENDING): p["claim"] * q,
        **{(s, WORKER): p["regularisation"] for s in IRREGULAR},
    }
    by_place = np.exp(
        p["return_origin"][system.places.index("KGZ")] + p["return_destination"][system.places.index("RUS")]
    )
    returns = [p["return_resident"] * by_place, p["return_worker"][regime], p["return_visitor"][regime],
               p["return_protected"], p["return_pending"], *[p["return_irregular"]] * 5]  # fmt: skip
    leave = np.array(returns) + p["mortality"] * 0.012 / 12
    leave[RESIDENT] += p["naturalisation"]
    leave[[PENDING, *IRREGULAR]] += p["onward"]
    leave[list(IRREGULAR)] += p["detection"] * p["removability"]
    matrix = -np.diag(leave)
    for (a, b), h in moves.items():
        matrix[a, b] += h
        matrix[a, a] -= h
    return matrix


def natural(system, vectors):
    return {name: value[0] for name, value in system.layout.values(vectors).items()}


def test_without_entries_a_stock_decays_exponentially(system):
    vectors = vectors_with(system, level=-800.0)
    arrays = run_engine(system, vectors=vectors, **MONTHS)
    matrix, t = hazards(system, natural(system, vectors)), np.arange(1, 37)
    assert arrays["entries"].sum() == 0
    for status in (PROTECTED, PENDING):  # nobody comes into these
        rate = -matrix[status, status]
        inflow = 0 if status == PENDING else matrix[PENDING, PROTECTED]
        first = arrays["people_start"][0, 0, status]
        if not inflow:
            np.testing.assert_allclose(arrays["people"][0, :, 0, status], first * np.exp(-rate * t), rtol=1e-9)
        else:
            other, start = -matrix[PENDING, PENDING], arrays["people_start"][0, 0, PENDING]
            fed = inflow * start * (np.exp(-rate * t) - np.exp(-other * t)) / (other - rate)
            np.testing.assert_allclose(arrays["people"][0, :, 0, status], first * np.exp(-rate * t) + fed, rtol=1e-4)
    # Of those who leave a status, hazards tell the shares.
    left = flow(arrays, "recognised") + flow(arrays, "refused")
    np.testing.assert_allclose(flow(arrays, "recognised") / left, matrix[PENDING, PROTECTED] / 0.08, rtol=1e-9)


def steady(system, **options):
    """Constant entries: no network, no congestion, no costs that change."""
    vectors = vectors_with(system, beta_network=0.0, capacity_error=40.0, level=-6.0)
    return natural(system, vectors), run_engine(system, vectors=vectors, **MONTHS, **options)


def test_in_the_steady_state_a_stock_is_entries_over_hazard(system):
    p, arrays = steady(system)
    entries = arrays["entries"][0, :, 0]
    np.testing.assert_allclose(entries, entries[:1].repeat(36, axis=0), rtol=1e-4)
    assert entries[0, 2] > 100
    h = -hazards(system, p)[VISITOR, VISITOR]
    np.testing.assert_allclose(arrays["people"][0, -1, 0, VISITOR], entries[-1, 2] / h, rtol=1e-6)
    finer = steady(system, substeps=2)[1]
    np.testing.assert_allclose(finer["people"][0, -1, 0, VISITOR], arrays["people"][0, -1, 0, VISITOR], rtol=1e-6)


def test_ten_statuses_follow_the_exponential_of_their_matrix(system):
    """dN/dt = N M + e, solved exactly; the steps come to it with the square of their length."""
    p, arrays = steady(system)
    matrix = hazards(system, p)
    gain = np.zeros(10)
    for channel, status in enumerate((RESIDENT, WORKER, VISITOR, PENDING, CLANDESTINE)):
        gain[status] = arrays["entries"][0, 0, 0, channel]
    gain[CLANDESTINE] *= 1 - lost_on_the_way(arrays)
    whole = np.zeros((11, 11))
    whole[:10, :10], whole[10, :10] = matrix, gain
    errors = []
    for substeps in (1, 2):
        run = arrays if substeps == 1 else steady(system, substeps=substeps)[1]
        now = np.append(run["people_start"][0, 0], 1.0)
        expected = np.stack([(now @ expm(whole * t))[:10] for t in range(1, 37)])
        got = run["people"][0, :, 0]
        np.testing.assert_allclose(got, expected, rtol=1e-3, err_msg=f"{substeps} steps a month")
        errors.append(np.abs(got / expected - 1)[12])
    worst = errors[0] > 2e-5  # below that it is home that fills by a hundred thousandth
    assert worst.any()
    assert (errors[1][worst] < errors[0][worst] / 3).all(), dict(zip(STATUSES, zip(*errors, strict=True), strict=True))


def lost_on_the_way(arrays):
    """Share of those who set out who do not arrive: dead or gone home (a direct road strands nobody)."""
    set_out = arrays["volume"][0, 0, 0].sum()
    attempts, caught = flow(arrays, "attempts")[0], flow(arrays, "interceptions")[0]
    return 1 - (attempts - caught - flow(arrays, "deaths_on_road")[0]) / set_out


def test_attempts_are_a_geometric_series(system):
    for seed in (1, 2):
        vectors = vectors_with(system, draws=2, seed=seed)
        arrays = run_engine(system, vectors=vectors, **MONTHS)
        values = system.layout.values(vectors)
        for draw in range(2):
            through, death = np.exp(-values["interception"][draw, 0]), 1 - np.exp(-values["danger"][draw, 0])
            caught, again = (1 - death) * (1 - through), values["retry"][draw]
            tries = sum((caught * again) ** n for n in range(2_000))
            set_out = arrays["volume"][draw, :, 0].sum(axis=-1)
            account = {n: arrays["flows"][draw, :, 0, FLOWS.index(n)] for n in FLOWS}
            np.testing.assert_allclose(account["attempts"], set_out * tries, rtol=1e-9)
            np.testing.assert_allclose(account["interceptions"], set_out * tries * caught, rtol=1e-9)
            np.testing.assert_allclose(account["deaths_on_road"], set_out * tries * death, rtol=1e-9)


def test_the_market_asks_the_price_of_its_equation_and_remembers_volume(system):
    """Volume is read off the price; it must move as the memory of the market says."""
    vectors = 0.3 * vectors_with(system, draws=2, seed=3, level=-3.0)
    arrays, values = run_engine(system, vectors=vectors, **MONTHS), system.layout.values(vectors)
    roads = system.roads
    for draw in range(2):
        p = {name: value[draw] for name, value in values.items()}
        base = np.exp(roads.log_price_mean[0, 0] + p["price_error"] * roads.log_price_sd[0, 0])
        capacity = np.exp(roads.log_capacity_mean[0, 0] + p["capacity_error"] * roads.log_capacity_sd[0, 0])
        price = arrays["revenue"][draw, :, 0, 0] / arrays["volume"][draw, :, 0, 0]
        noticed = capacity * (price / base - 1) ** (1 / p["congestion"])
        attempts = arrays["flows"][draw, :, 0, FLOWS.index("attempts")]
        kept = np.exp(-1 / p["volume_memory"])
        np.testing.assert_allclose(noticed[1:], kept * noticed[:-1] + (1 - kept) * attempts[:-1], rtol=1e-6)


def test_parameters_lie_where_their_priors_say(system):
    zero = system.layout.values(np.zeros(system.layout.size))
    up = system.layout.values(np.ones(system.layout.size))
    for name, parameter in parameter_table().items():
        median = np.array(parameter.median)
        np.testing.assert_allclose(np.atleast_1d(zero[name]) - median, 0.0, atol=1e-9, err_msg=name)
        if parameter.scale == "log":
            np.testing.assert_allclose(up[name], zero[name] * np.exp(parameter.sd), rtol=1e-12)
        elif parameter.scale == "identity":
            np.testing.assert_allclose(up[name], zero[name] + parameter.sd, rtol=1e-12)
        else:
            odds = [v[name] / (parameter.upper - v[name]) for v in (zero, up)]
            np.testing.assert_allclose(odds[1], odds[0] * np.exp(parameter.sd), rtol=1e-12)
    given = {"beta_network": 0.5, "retry": 0.1, "beta_wage": -1.0, "work_regime": [0.1, 0.2, 0.3], "onward": 0.01}
    values = system.layout.values(vectors_with(system, **given)[0])
    for name, value in given.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-9)


def test_a_mixture_of_effects_has_its_moments():
    parts = ((0.5, -1.0, 0.2), (0.3, 0.5, 0.1), (0.2, 2.0, 0.0))
    effect, n = Effect("detection", parts), 40_000
    drawn = effect.draws(n, 1, "x")
    mean = sum(w * m for w, m, _ in parts)
    variance = sum(w * (s**2 + m**2) for w, m, s in parts) - mean**2
    assert effect.mean == pytest.approx(mean)
    assert drawn.mean() == pytest.approx(mean, abs=4 * np.sqrt(variance / n))
    assert drawn.var() == pytest.approx(variance, rel=0.03)
    assert np.mean(drawn == 2.0) == pytest.approx(0.2, abs=0.01)
