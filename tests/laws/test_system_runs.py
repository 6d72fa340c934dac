"""What a run holds: months and years agree, tables are sums of draws, and it comes back from disk as it went."""

import numpy as np
import pytest
from random_packs import model, whole
from system_runs import quick_compilation

from zhol.system import Action, Effect, load_run
from zhol.system.names import CHANNELS, FLOWS, IRREGULAR, STATUSES

SAME = {"draws": 3, "seed": 5, "parameters": "prior"}


@pytest.fixture(scope="module", autouse=True)
def quick():
    with quick_compilation():
        yield


@pytest.fixture(scope="module")
def system():
    return model(whole())


@pytest.fixture(scope="module")
def months(system):
    """18 months from April, by month."""
    return system.simulate(start="2010-04", end="2011-09", every="month", **SAME)


@pytest.fixture(scope="module")
def years(system):
    """The same by year."""
    return system.simulate(start="2010-04", end="2011-09", every="year", **SAME)


def test_time_is_labelled(months, years):
    assert months.time == tuple(f"2010-{m:02d}" for m in range(4, 13)) + tuple(f"2011-{m:02d}" for m in range(1, 10))
    assert years.time == ("2010", "2011")


def test_a_start_in_april_gives_part_years_that_are_sums_of_their_months(months, years):
    for name in ("entries", *FLOWS, "volume", "revenue", "transit"):
        monthly, yearly = months.draws(name)[0], years.draws(name)[0]
        np.testing.assert_allclose(yearly[:, 0], monthly[:, :9].sum(axis=1), rtol=1e-6, err_msg=name)
        np.testing.assert_allclose(yearly[:, 1], monthly[:, 9:].sum(axis=1), rtol=1e-6, err_msg=name)
    for name in ("stock", "irregular_stock", "protection_gap", "home"):
        np.testing.assert_array_equal(years.draws(name)[0], months.draws(name)[0][:, [8, 17]], err_msg=name)
    mean = months.draws("unfilled_demand")[0]
    np.testing.assert_allclose(
        years.draws("unfilled_demand")[0], np.stack([mean[:, :9].mean(axis=1), mean[:, 9:].mean(axis=1)], 1), rtol=1e-5
    )


def test_whole_years_are_sums_of_their_months(system):
    """The engine adds up whole years itself; from January on months of another run tell what they must be."""
    by_month = system.simulate(start="2010-01", end="2011-06", every="month", **SAME)
    by_year = system.simulate(start="2010-01", end="2011-12", every="year", **SAME)
    assert by_year.time == ("2010", "2011")
    for name in ("entries", *FLOWS, "revenue", "transit"):
        monthly, yearly = by_month.draws(name)[0], by_year.draws(name)[0]
        np.testing.assert_allclose(yearly[:, 0], monthly[:, :12].sum(axis=1), rtol=1e-4, err_msg=name)
    for name in ("stock", "protection_gap", "home"):
        np.testing.assert_allclose(by_year.draws(name)[0][:, 0], by_month.draws(name)[0][:, 11], rtol=1e-4)
    np.testing.assert_allclose(
        by_year.draws("unfilled_demand")[0][:, 0], by_month.draws("unfilled_demand")[0][:, :12].mean(axis=1), rtol=1e-3
    )


def test_tables_are_quantiles_of_draws_and_their_parts_add_up(months):
    array, labels = months.draws("stock", by=["destination", "status"])
    assert labels["status"] == list(STATUSES)
    assert labels["destination"] == ["KAZ", "KGZ", "RUS", "TUR"]
    table = months.table("stock", by=["destination", "status"], level=0.5)
    assert table.columns == ["time", "destination", "status", "median", "low", "high", "unit"]
    assert table.height == 18 * 4 * 10
    here = (table["time"] == "2010-06") & (table["destination"] == "RUS") & (table["status"] == "worker")
    row = table.filter(here).row(0, named=True)
    drawn = array[:, 2, labels["destination"].index("RUS"), 1]
    assert (row["median"], row["low"], row["high"]) == tuple(np.quantile(drawn, [0.5, 0.25, 0.75]))
    np.testing.assert_allclose(array.sum(axis=(2, 3)), months.draws("stock")[0])
    np.testing.assert_allclose(
        months.draws("irregular_stock", by=["status"])[0], months.draws("stock", by=["status"])[0][..., 5:]
    )
    np.testing.assert_array_equal(months.draws("stock", by="status")[0], months.draws("stock", by=["status"])[0])
    turned, _ = months.draws("stock", by=["status", "destination"])
    np.testing.assert_array_equal(turned, array.transpose(0, 1, 3, 2))


@pytest.mark.parametrize(
    ("name", "by"),
    [("entries", ["origin", "channel"]), ("volume", ["corridor", "road"]), ("transit", ["place"]), ("home", ["origin"]),
     ("unfilled_demand", ["destination"]), ("removals", ["corridor"]), ("removals", ["origin", "destination"]),
     ("stock", ["origin", "destination", "status"])],
)  # fmt: skip
def test_every_grouping_adds_up_to_the_whole(months, name, by):
    array, labels = months.draws(name, by=by)
    assert array.shape == (3, 18, *(len(labels[d]) for d in by))
    np.testing.assert_allclose(array.sum(axis=tuple(range(2, array.ndim))), months.draws(name)[0], rtol=1e-9)


def test_where_keeps_what_it_names(months):
    array, labels = months.draws("stock", by=["origin", "destination"])
    at = [labels["origin"].index("TJK"), labels["destination"].index("RUS")]
    for where in ({"origin": "TJK", "destination": "RUS"}, {"corridor": "TJK>RUS"}):
        np.testing.assert_allclose(months.draws("stock", where=where)[0], array[:, :, at[0], at[1]])
    both = months.draws("stock", by=["origin"], where={"origin": ["TJK", "KGZ"], "status": "worker"})
    assert both[1] == {"origin": ["KGZ", "TJK"]}
    by_status, names = months.draws("stock", by=["origin", "status"])
    np.testing.assert_allclose(both[0][:, :, 1], by_status[:, :, names["origin"].index("TJK"), 1])


def test_price_is_what_was_paid_over_who_went(months):
    price = months.draws("price", by=["corridor"])[0]
    revenue, volume = (months.draws(n, by=["corridor"])[0] for n in ("revenue", "volume"))
    went = volume > 0
    np.testing.assert_allclose(price[went], revenue[went] * 1e6 / volume[went])
    assert np.isnan(price[~went]).all()
    assert (~went).any()  # a corridor without a road has no price, rather than one of nought


def test_irregular_stock_grows_by_its_inflow_less_its_outflow(months):
    """Of the whole: inflow, less regularised, deaths, exits and claims: checked through the signs that must hold."""
    stock = months.draws("irregular_stock")[0]
    gained = np.diff(stock, axis=1)
    assert (gained <= months.draws("irregular_inflow")[0][:, 1:] * (1 + 1e-4) + 1e-3 * stock[:, 1:]).all()


def test_labelled_arrays(months):
    data = months.to_xarray()
    assert data["stock"].dims == ("draw", "time", "origin", "destination", "status")
    assert data["entries"].dims == ("draw", "time", "origin", "destination", "channel")
    assert data["volume"].dims == ("draw", "time", "origin", "destination", "road")
    assert data["removals"].dims == ("draw", "time", "origin", "destination")
    assert data["transit"].dims == ("draw", "time", "place")
    assert list(data["channel"].values) == list(CHANNELS)
    assert data["stock"].attrs["unit"] == "persons"
    np.testing.assert_allclose(
        data["stock"].sum(["origin", "destination", "status"]).values, months.draws("stock")[0], rtol=1e-5
    )
    np.testing.assert_allclose(
        data["irregular_stock"].sel(origin="TJK", destination="RUS").values,
        data["stock"].sel(origin="TJK", destination="RUS", status=list(IRREGULAR)).sum("status").values,
        rtol=1e-5,
    )
    assert np.isnan(data["stock"].sel(origin="TUR", destination="TJK").values).all()  # no such corridor


def test_a_run_comes_back_from_disk_as_it_went(months, tmp_path):
    path = months.save(tmp_path / "run")
    assert path == tmp_path / "run.npz"
    assert list(tmp_path.iterdir()) == [path]
    back = load_run(path)
    assert (back.time, back.places, back.corridors, back.roads) == (
        months.time, months.places, months.corridors, months.roads)  # fmt: skip
    assert set(back.arrays) == set(months.arrays)
    for name, array in months.arrays.items():
        np.testing.assert_array_equal(back.arrays[name], array)
    assert back.table("removals", by=["destination"]).equals(months.table("removals", by=["destination"]))
    assert back.meta["seed"] == 5
    assert back.meta["parameters"] == "prior"
    assert list(back.meta["notes"]) == list(months.meta["notes"])


def test_the_central_run_takes_everything_at_its_centre(system):
    act = Action(
        "act", "RUS", path=(("2010-05", 1.0),), effects=(Effect("detection", ((0.5, 1.0, 2.0), (0.5, 0.0, 1))),)
    )
    mean = Action("act", "RUS", path=(("2010-05", 1.0),), effects=(Effect("detection", ((1.0, 0.5, 0.0),)),))
    one, two = (system.simulate(a, start="2010-01", end="2011-12", draws=0, parameters="prior") for a in (act, mean))
    assert one.n_draws == 1
    for name, array in one.arrays.items():
        np.testing.assert_array_equal(array, two.arrays[name], err_msg=name)


def test_given_vectors_are_used_as_they_are(system):
    vectors, options = np.zeros((2, system.layout.size)), {"start": "2010-01", "end": "2011-12", "draws": 3}
    given = system.simulate(parameters=vectors, **options)
    set_ = system.simulate(parameters={"beta_wage": 0.4}, **options)
    assert (given.meta["parameters"], set_.meta["parameters"]) == ("given", "prior with beta_wage")
    assert not np.array_equal(given.arrays["people"], set_.arrays["people"])
