"""The engine run on small packs, with the parts that a Run does not keep: the start and the growth at home."""

from contextlib import contextmanager

import numpy as np

START, END = "2010-01", "2011-12"
DRIVERS = ("working_age", "income_ppp", "income_usd", "employment", "conflict", "death_rate")


def run_engine(model, scenario=None, *, start=START, end=END, draws=2, seed=1, vectors=None, months=1, **options):
    """Arrays of the engine (draw, period, ...), in double precision, from the same steps as ``model.simulate``."""
    from zhol.system import simulate
    from zhol.system.instruments import actions_of, compile_actions, month_range

    months_named = month_range(start, end)
    if vectors is None:
        vectors, _ = simulate.parameter_vectors(model, "prior", draws, seed)
    hooks = compile_actions(actions_of(scenario, model), model, months_named, len(vectors), seed)
    drivers, regimes = inputs_of(model, start, end)
    options = {"precision": "double", **options}
    arrays = simulate.run_engine(model, vectors, hooks, drivers, regimes, start, months=months, **options)
    return {**arrays, "drivers": drivers, "regimes": regimes, "vectors": vectors, "hooks": hooks}


def inputs_of(model, start, end):
    """Central drivers and regimes of a pack."""
    from zhol.system.driver_paths import driver_paths
    from zhol.system.regimes import regime_paths

    paths = driver_paths(model.region, model.places, start=start, end=end)
    regimes = regime_paths(model.region, model.corridors, start, end, policies_until=model.policies_until)
    return {name: getattr(paths, name) for name in DRIVERS}, np.asarray(regimes.index)


def vectors_with(model, draws=1, seed=1, **values):
    """Vectors of parameters from the prior (its centre for one draw) with some of them set, on their natural scale."""
    from zhol.system.simulate import parameter_vectors

    return parameter_vectors(model, values or "prior", 0 if draws == 1 else draws, seed)[0]


def by_origin(model, array):
    """Sum the corridor axis (the last) by origin: (..., P)."""
    origin = np.array([[float(o == p) for p in model.places] for o, _ in model.corridors])
    return array @ origin.reshape(len(model.corridors), len(model.places))


@contextmanager
def quick_compilation():
    """Compile without optimisations: many shapes are compiled in these tests and each is run for milliseconds."""
    import jax

    name = "jax_disable_most_optimizations"
    before = jax.config.values[name]
    jax.config.update(name, True)
    try:
        yield
    finally:
        jax.config.update(name, before)
