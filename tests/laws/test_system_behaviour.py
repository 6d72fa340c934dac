"""How the moving system must behave, on one pack in which everything happens."""

from dataclasses import replace

import numpy as np
import pytest
from random_packs import Pack, model, whole
from system_runs import DRIVERS, END, START, by_origin, inputs_of, quick_compilation, run_engine, vectors_with

from zhol.system import Action, Effect
from zhol.system.instruments import compile_actions, month_range
from zhol.system.names import FLOWS, LEVERS, PASSAGE, WORK

STATES = ("people", "home")
ACCOUNTS = (*STATES, "entries", "flows", "volume", "revenue", "transit", "unfilled_demand", "protection_gap")


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


@pytest.fixture(scope="module")
def pack():
    return whole()


@pytest.fixture(scope="module")
def system(pack):
    return model(pack)


@pytest.fixture(scope="module")
def base(system):
    return acted(system)


@pytest.fixture(scope="module")
def near(system):
    """Draws of the parameters near the centre of the prior, where every channel carries people."""
    return 0.3 * vectors_with(system, draws=2)


def acted(system, *actions, **options):
    """A run in which every lever is part of the compiled month, so that all these tests compile it once."""
    return run_engine(system, actions, levers=tuple(LEVERS), **options)


def same(one, two):
    for name in ACCOUNTS:
        np.testing.assert_array_equal(one[name], two[name], err_msg=name)


def moved(lever, size, sd=0.0):
    return Effect(lever, ((1.0, size, sd),))


def at(system, *pair):
    return system.corridors.index(pair)


def of_origin(system, place):
    return [c for c, (o, _) in enumerate(system.corridors) if o == place]


def shares(arrays, members):
    """Share of each corridor among those of its origin, by draw and month."""
    gone = arrays["entries"][:, :, members].sum(axis=-1)
    return gone / gone.sum(axis=-1, keepdims=True)


# --- draws and seeds


def test_another_seed_gives_other_numbers(system, base):
    assert not np.array_equal(acted(system, seed=2)["people"], base["people"])


def test_a_longer_run_of_draws_begins_with_the_shorter_one(system):
    """Parameters, drivers and effects of the first draws do not depend on how many follow."""
    from zhol.system.driver_paths import driver_paths
    from zhol.system.parameters import prior_draws

    act = Action("act", "RUS", path=(("2010-02", 1.0),), effects=(Effect("detection", ((0.5, 1.0, 0.3), (0.5, 0, 1))),))
    months = month_range(START, END)
    few, more = (compile_actions([act], system, months, n, 1).effect["detection"] for n in (7, 90))
    np.testing.assert_array_equal(more[:7], few)
    few, more = (prior_draws(system.layout, system.keys(), n, 1) for n in (7, 90))
    np.testing.assert_array_equal(more[:7], few)
    paths = [driver_paths(system.region, system.places, start="2010-01", end="2020-12", draws=n) for n in (7, 90)]
    for name in DRIVERS:
        few, more = (getattr(p, name) for p in paths)
        np.testing.assert_array_equal(more[:7], few, err_msg=name)


def test_draws_of_a_place_do_not_depend_on_the_other_places(pack, system):
    smaller = model(
        Pack(
            {k: v for k, v in pack.places.items() if k != "TUR"},
            {k: v for k, v in pack.stocks.items() if "TUR" not in k},
        )
    )
    from zhol.system.parameters import prior_draws

    def named(m):
        columns = prior_draws(m.layout, m.keys(), 5, 1).T
        names = [(n, k) for n, s in m.layout.slices().items() for k in m.keys()[shape_of(n)][: s.stop - s.start]]
        return dict(zip(names, columns, strict=True))

    all_, fewer = named(system), named(smaller)
    shared = set(all_) & set(fewer)
    assert len(shared) > 80
    for key in shared:
        np.testing.assert_array_equal(all_[key], fewer[key])


def shape_of(name):
    from zhol.system.parameters import parameter_table

    return parameter_table()[name].shape


def test_the_draws_of_an_effect_depend_on_its_names_alone(system):
    """Common random numbers: the same instrument has the same strength whatever else a scenario holds."""
    fence = Action("fence", "KAZ", path=(("2010-02", 1.0),), effects=(moved("interception", 0.5, 0.4),))
    other = Action("a", "RUS", path=(("2010-02", 1.0),), effects=(moved("interception", 0.5, 0.4),))
    months = month_range(START, END)
    alone = compile_actions([fence], system, months, 50, 3)
    beside = compile_actions([other, fence], system, months, 50, 3)
    swapped = compile_actions([fence, other], system, months, 50, 3)
    k = list(beside.actor).index(system.places.index("KAZ"))
    np.testing.assert_array_equal(beside.effect["interception"][:, k], alone.effect["interception"][:, 0])
    np.testing.assert_array_equal(beside.effect["interception"], swapped.effect["interception"])
    assert not np.array_equal(beside.effect["interception"][:, 1 - k], alone.effect["interception"][:, 0])


def test_two_scenarios_differ_only_from_the_month_in_which_one_acts(system, base):
    act = Action("late", "RUS", path=(("2011-03", 1.0),), effects=(moved("detection", 1.0), moved("open_work", -1.0)))
    with_ = acted(system, act)
    before = month_range(START, END).index("2011-03")
    for name in ACCOUNTS:
        np.testing.assert_array_equal(with_[name][:, :before], base[name][:, :before], err_msg=name)
    assert not np.array_equal(with_["people"][:, before], base["people"][:, before])


@pytest.mark.parametrize(
    "idle",
    [
        (),
        (Action("rest", "KAZ", path=(("2010-03", 0.0),), effects=(moved("detection", 1.0),)),),
        (Action("later", "KAZ", path=(("2030-03", 1.0),), effects=(moved("detection", 1.0),)),),
        (Action("nothing", "KAZ", path=(("2010-03", 1.0),), effects=(moved("detection", 0.0),)),),
        (Action("no path", "KAZ", effects=(moved("detection", 1.0),)),),
        (
            Action(
                "awaited", "KAZ", path=(("2011-01", 0.0),), announced="2010-03", anticipation=moved("departures", 1.0)
            ),
        ),
    ],
    ids=lambda actions: actions[0].name if actions else "none",
)
def test_no_instrument_no_difference(system, base, idle):
    same(acted(system, *idle), base)


# --- time and size


def test_half_months_change_annual_flows_by_less_than_two_per_cent(system, base):
    finer = acted(system, substeps=2)
    for name in ("entries", "flows", "volume", "transit"):
        years = (a[name].reshape(2, 2, 12, *a[name].shape[2:]).sum(axis=2) for a in (base, finer))
        np.testing.assert_allclose(*years, rtol=0.02, atol=0.1, err_msg=name)
    np.testing.assert_allclose(base["people"].sum(axis=-1), finer["people"].sum(axis=-1), rtol=0.02)


def test_twice_the_people_twice_the_counts(pack):
    """With the scale of networks, quotas and the capacity of roads doubled too; conflict is deaths a head."""
    import jax

    from zhol.system.engine import Inputs, one_draw
    from zhol.system.step import Policy

    policy = Policy(np.zeros(0, np.int32), {}, {})
    run = jax.jit(lambda world, p, inputs: one_draw(world, p, policy, inputs, (), 1, 1)[0])
    results = []
    for factor in (1.0, 2.0):
        scaled = model(replace(pack, cited=()).scaled(factor), quotas={("TJK", "RUS"): 20.0 * factor})
        p = {name: value[0] for name, value in scaled.layout.values(vectors_with(scaled)).items()}
        p["network_scale"] = p["network_scale"] * factor
        drivers, regimes = inputs_of(scaled, START, "2010-06")
        with jax.enable_x64(True):
            given = Inputs(drivers, regimes, np.zeros((len(regimes), 0)))
            results.append({k: np.asarray(v) for k, v in run(scaled.world(START), p, given).items()})
    once, twice = results
    assert (once["flows"][..., FLOWS.index("quota_unmet")] > 0).any()
    for name in ACCOUNTS:
        np.testing.assert_allclose(twice[name], 2.0 * once[name], rtol=1e-6, atol=1e-6, err_msg=name)


# --- quotas


def test_an_infinite_quota_is_none(pack, base):
    for size in (np.inf, 1e12):
        same(acted(model(pack, quotas=dict.fromkeys(sorted({*pack.stocks, *pack.cited}), size))), base)


def test_a_quota_holds_and_turns_people_to_other_channels(pack, system, near):
    c, most = at(system, "TJK", "RUS"), 100.0
    free, held = (acted(m, vectors=near) for m in (system, model(pack, quotas={("TJK", "RUS"): most})))
    assert (free["entries"][:, :, c, WORK] > 5 * most).all()
    np.testing.assert_allclose(held["entries"][:, :, c, WORK], most, rtol=1e-12)
    irregular, unmet = (held["flows"][:, :, c, FLOWS.index(n)] for n in ("irregular_inflow", "quota_unmet"))
    assert (unmet > 0).all()
    # Those who find no place choose among the other channels, in the proportions of those who chose them anyway.
    others = [k for k in range(5) if k != WORK]
    parts = [a["entries"][:, 0, c][:, others] for a in (free, held)]
    parts = [p / p.sum(axis=-1, keepdims=True) for p in parts]
    np.testing.assert_allclose(parts[1], parts[0], rtol=0.03)  # prices answer within the month
    assert (irregular[:, -1] > free["flows"][:, -1, c, FLOWS.index("irregular_inflow")]).all()


# --- roads


def test_a_corridor_without_a_road_has_no_clandestine_passage(system, base):
    c = at(system, "TJK", "TUR")
    assert not system.roads.exists[c].any()
    assert (base["entries"][:, :, c, PASSAGE] == 0).all()
    assert (base["volume"][:, :, c] == 0).all()


def test_without_a_leg_people_take_another_road_or_none_and_are_never_more(pack, system, base):
    for leg in (("KGZ", "KAZ"),):
        cut = model(pack, without_legs=[leg])
        assert cut.corridors == system.corridors
        arrays = acted(cut)
        for c, pair in enumerate(cut.corridors):
            used = cut.roads.table.filter(
                (cut.roads.table["origin"] == pair[0]) & (cut.roads.table["destination"] == pair[1])
            )
            for places in used["places"]:
                assert ">".join(leg) not in places and ">".join(reversed(leg)) not in places
            if not used.height:
                assert (arrays["volume"][:, :, c] == 0).all()
        # At the start the same people leave every origin, fewer of them without papers.
        first = [by_origin(system, a["entries"][:, 0].sum(axis=-1)) for a in (base, arrays)]
        np.testing.assert_allclose(first[1], first[0], rtol=1e-9)
        hidden = [by_origin(system, a["entries"][:, :, :, PASSAGE]) for a in (base, arrays)]
        assert (hidden[1] <= hidden[0] * 1.001).all()


def test_a_leg_that_becomes_dearer_sends_people_over_the_other_roads(system, base):
    """TJK to RUS goes by air or over KGZ and KAZ."""
    c = at(system, "TJK", "RUS")
    assert int(system.roads.exists[c].sum()) > 1
    leg = (
        system.roads.table.filter(
            (system.roads.table["origin"] == "TJK") & (system.roads.table["destination"] == "RUS")
        )
        .sort("road")["places"][0]
        .split(">")
    )
    act = Action("toll", leg[1], leg[0], path=(("2010-01", 1.0),), effects=(moved("passage_price", 2.0),))
    tolled = acted(system, act)
    part = [a["volume"][:, 0, c, 0] / a["volume"][:, 0, c].sum(axis=-1) for a in (base, tolled)]
    assert (part[1] < part[0]).all()
    assert (tolled["volume"][:, 0, c].sum(axis=-1) < base["volume"][:, 0, c].sum(axis=-1)).all()


# --- deflection


@pytest.mark.parametrize("pair", [("TJK", "RUS"), ("KGZ", "KAZ")])
def test_a_tighter_visa_never_lowers_the_share_of_the_other_corridors(system, base, pair):
    origin, destination = pair
    visa = Action("visa", destination, origin, path=(("2010-01", 1.0),), effects=(
        moved("open_visit", -1.5), moved("open_work", -1.0), moved("cost_visit", 1.0)))  # fmt: skip
    tight = acted(system, visa)
    members = of_origin(system, origin)
    others = [i for i, c in enumerate(members) if c != at(system, *pair)]
    before, after = (shares(a, members)[..., others] for a in (base, tight))
    assert (after >= before - 1e-12).all()
    # Elsewhere nothing happens at once, and never more than through the return of people.
    elsewhere = [c for c in range(len(system.corridors)) if c not in members]
    np.testing.assert_allclose(tight["entries"][:, 0, elsewhere], base["entries"][:, 0, elsewhere], rtol=1e-9)


# --- each lever does what its name says, in the first month in which it acts

SIGNS = {
    "open_settle": ("entries", 0, +1), "open_work": ("entries", 1, +1), "open_visit": ("entries", 2, +1),
    "open_asylum": ("entries", 3, +1), "open_passage": ("entries", 4, +1), "departures": ("entries", None, +1),
    "cost_settle": ("entries", 0, -1), "cost_work": ("entries", 1, -1), "cost_visit": ("entries", 2, -1),
    "passage_price": ("volume", None, -1), "interception": ("interceptions", "attempts", +1),
    "danger": ("deaths_on_road", "attempts", +1), "retry": ("attempts", "volume", +1),
    "quota_work": ("quota_unmet", None, -1),
    "overstay": ("people", 6, +1), "unauthorised_work": ("people", 7, +1), "breach": ("people", 8, +1),
    "regularisation": ("regularised", None, +1), "recognition": ("recognised", None, +1),
    "decision_speed": ("recognised", None, +1), "settle_in": ("people", 1, -1),
    "naturalisation": ("naturalised", None, +1), "return_regular": ("returns", None, +1),
    "return_irregular": ("returns", None, +1), "detection": ("removals", None, +1),
    "removability": ("removals", None, +1), "onward": ("onward", None, +1), "exploitation": ("exposure", None, +1),
    "income_origin": ("entries", None, -1), "conflict": ("entries", None, +1), "demand_labour": ("entries", 1, +1),
    "remittance_rate": ("remittances", None, +1),
}  # fmt: skip


def total(arrays, name, member=None, month=0):
    """Sum over corridors of an account in a month; of one status or channel, or per unit of another account."""
    if name in FLOWS:
        count = arrays["flows"][:, month, :, FLOWS.index(name)].sum(axis=1)
    else:
        array = arrays[name][:, month]
        count = array[..., member].sum(axis=1) if isinstance(member, int) else array.sum(axis=(1, 2))
    return count / total(arrays, member, None, month) if isinstance(member, str) else count


@pytest.fixture(scope="module")
def rationed(pack):
    return model(pack, quotas={("TJK", "RUS"): 20.0, ("KGZ", "RUS"): 20.0})


@pytest.fixture(scope="module")
def rationed_base(rationed, near):
    return acted(rationed, vectors=near)


@pytest.mark.parametrize("lever", SIGNS)
def test_every_lever_moves_what_it_names(rationed, rationed_base, near, lever):
    name, member, sign = SIGNS[lever]
    everywhere = [
        Action(f"{lever} {place}", place, path=(("2010-01", 1.0),), effects=(moved(lever, 0.3),))
        for place in rationed.places
    ]
    change = total(acted(rationed, *everywhere, vectors=near), name, member) - total(rationed_base, name, member)
    assert (sign * change > 0).all()


def test_no_lever_is_left_out():
    assert set(SIGNS) | {"capacity", "leakage"} == set(LEVERS)


def test_capacity_cut_makes_passage_dear_at_once_and_comes_back(system, near):
    """Capacity follows the instrument down within the month and comes back with the half-life."""
    cut = Action(
        "raid", "KAZ", path=(("2010-03", 1.0), ("2010-06", 1.0), ("2010-06", 0.0)), effects=(moved("capacity", -2.0),)
    )
    one, base = acted(system, cut, vectors=near), acted(system, vectors=near)
    c = at(system, "KGZ", "KAZ")
    price = [a["revenue"][0, :, c, 0] / a["volume"][0, :, c, 0] for a in (base, one)]
    gap = price[1] / price[0] - 1
    assert (gap[:3] == 0).all()  # the market of March carries what it carried; April pays
    assert (gap[3:6] > 0.02).all()
    assert (np.diff(gap[6:]) < 0).all()
    assert 0 < gap[-1] < gap[5] / 2


def test_leakage_weakens_the_other_instruments_of_the_same_place(system, base):
    raid = Action("raid", "RUS", path=(("2010-01", 1.0),), effects=(moved("detection", 1.0),))
    corrupt = Action("graft", "RUS", path=(("2010-01", 1.0),), effects=(moved("leakage", 2.0),))
    elsewhere = replace(corrupt, actor="KAZ")
    runs = [acted(system, *acts) for acts in ((raid,), (raid, corrupt), (raid, elsewhere))]
    none, plain, leaky, other = (total(r, "removals") for r in (base, *runs))
    assert (none < leaky).all()
    assert (leaky < plain).all()
    np.testing.assert_array_equal(other, plain)


def test_an_announced_restriction_brings_departures_forward(system, base):
    early = Effect("departures", ((1.0, 0.4, 0.0),), "destination")
    ban = Action("ban", "RUS", path=(("2010-06", 1.0),), effects=(moved("open_work", -1.0),), announced="2010-03",
                 anticipation=early)  # fmt: skip
    c = at(system, "TJK", "RUS")
    ratio = acted(system, ban)["entries"][:, :, c, WORK] / base["entries"][:, :, c, WORK]
    np.testing.assert_array_equal(ratio[:, :2], 1.0)
    assert (ratio[:, 2:5] > 1.05).all()
    assert (ratio[:, 5] < 1.0).all()
