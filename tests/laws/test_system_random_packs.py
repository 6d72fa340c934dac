"""Laws of the moving system on packs that hypothesis makes: whatever a pack holds, people are neither made nor lost."""

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from random_packs import Pack, Place, model, packs, rows_of, written
from system_runs import END, START, by_origin, inputs_of, quick_compilation, run_engine, vectors_with

import zhol
from zhol.system import Action, Effect, Model, simulate
from zhol.system.instruments import compile_actions, month_range
from zhol.system.names import FLOWS

# Each example compiles a shape of its own: few of them, and none spent on making a failure smaller.
FEW = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": (Phase.explicit, Phase.generate)}
ACCOUNTS = ("people", "home", "entries", "flows", "volume", "revenue", "transit", "unfilled_demand", "protection_gap")
LEAVES = [FLOWS.index(name) for name in ("naturalised", "deaths_on_road", "deaths")]


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


def conserved(model, arrays):
    """At home, abroad, dead and naturalised, less growth at home: the same number in every month, for every origin."""
    home, abroad = arrays["home"], by_origin(model, arrays["people"].sum(axis=-1))
    gone = by_origin(model, arrays["flows"][..., LEAVES].sum(axis=-1)).cumsum(axis=1)
    count = home + abroad + gone - arrays["grown"].cumsum(axis=1)
    first = arrays["home_start"] + by_origin(model, arrays["people_start"].sum(axis=-1))
    np.testing.assert_allclose(count, np.broadcast_to(first[:, None], count.shape), rtol=1e-9, atol=1e-6)


def bounded(arrays):
    """Finite and not negative, all of it; nobody is intercepted or stranded who did not set out."""
    for name in ACCOUNTS:
        assert np.isfinite(arrays[name]).all(), name
        assert (arrays[name] >= 0).all(), name
    flow = {name: arrays["flows"][..., i] for i, name in enumerate(FLOWS)}
    set_out, little = arrays["volume"].sum(axis=-1), 1.0 + 1e-12
    assert (flow["stranded"] + flow["deaths_on_road"] <= set_out * little).all()
    assert (flow["interceptions"] <= flow["attempts"] * little).all()
    assert (flow["removals"] <= flow["detections"] * little).all()


def mixed(rows, order):
    """The same tables with their rows in another order."""
    return {name: [table[i % len(table)] for i in order.permutation(len(table))] for name, table in rows.items()}


def test_nobody_leaves_an_empty_home():
    """Everyone leaves a country whose working-age population halves every month, and nobody comes back."""
    system = model(
        Pack(
            {"AFG": Place(1e6, 0.01, 500.0), "IRN": Place(80e6, 0.01), "TUR": Place(80e6, 0.01)},
            {("AFG", "IRN"): 5e4, ("AFG", "TUR"): 2e4},
            (("AFG", "IRN", "land", 1_000.0), ("IRN", "TUR", "land", 2_000.0)),
            {("AFG", "IRN"): "visa_free"},
        )
    )
    never = dict.fromkeys(("return_resident", "return_irregular", "detection"), 1e-6)
    never |= dict.fromkeys(("return_visitor", "return_worker", "interception"), [1e-6] * 3)
    vectors, months = vectors_with(system, draws=2, level=6.0, **never), month_range(START, END)
    drivers, regimes = inputs_of(system, START, END)
    empties = system.places.index("AFG")
    drivers["working_age"][:, empties] *= 0.5 ** np.arange(len(months))
    none = compile_actions((), system, months, 2, 1)
    arrays = simulate.run_engine(system, vectors, none, drivers, regimes, START, months=1, precision="double")
    bounded(arrays)
    conserved(system, arrays)
    assert (arrays["home"][..., empties].min(axis=1) == 0).all()


@settings(max_examples=5, **FEW)
@given(packs(), st.integers(1, 2**31), st.data())
def test_laws_of_any_pack(pack, seed, data):
    rows = rows_of(pack)
    with written(rows) as folder:
        model = Model(zhol.load(folder))
    arrays = run_engine(model, seed=seed, draws=2, end="2010-12")
    conserved(model, arrays)
    bounded(arrays)

    again = run_engine(model, seed=seed, draws=2, end="2010-12")
    with written(mixed(rows, np.random.default_rng(seed))) as folder:
        other = Model(zhol.load(folder))
    reordered = run_engine(other, seed=seed, draws=2, end="2010-12")
    assert other.corridors == model.corridors
    actor = data.draw(st.sampled_from(model.places))
    effects = (Effect("detection", ((1.0, 1.0, 0.5),)), Effect("open_visit", ((1.0, -1.0, 0.5),)))
    never = Action("never", actor, path=(("2010-03", 0.0), ("2011-01", 0.0)), effects=effects)
    idle = run_engine(model, (never,), seed=seed, draws=2, end="2010-12")
    for name in ACCOUNTS:
        np.testing.assert_array_equal(arrays[name], again[name], err_msg=f"not the same twice: {name}")
        np.testing.assert_array_equal(arrays[name], reordered[name], err_msg=f"order of rows matters: {name}")
        np.testing.assert_array_equal(arrays[name], idle[name], err_msg=f"an instrument at rest acts: {name}")


@settings(max_examples=2, **FEW)
@given(packs(least=3), st.integers(1, 2**31), st.data())
def test_laws_under_instruments(pack, seed, data):
    """With one lever of each side moved as far as people may move it, up or down."""
    with written(rows_of(pack)) as folder:
        model = Model(zhol.load(folder))
    size = st.floats(-5.0, 5.0)
    levers = ("open_work", "departures", "interception", "capacity", "retry", "regularisation", "detection", "danger")
    effects = tuple(Effect(name, ((1.0, data.draw(size), 0.1),)) for name in levers)
    act = Action("much", data.draw(st.sampled_from(model.places)), path=(("2010-03", 1.0),), effects=effects)
    arrays = run_engine(model, (act,), seed=seed, draws=2, end="2010-12")
    conserved(model, arrays)
    bounded(arrays)
