"""Observations: every one goes back to its rows, adds up what its definition says, and hangs on no order."""

import shutil
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import zhol
from zhol.system.names import STATUSES
from zhol.system.observation_map import observation_map, value_columns
from zhol.system.observations import month_number, observations

WHOLE = Path(__file__).parents[1] / "broken" / "packs" / "whole"


@cache
def region():
    return zhol.load("central_asia")


@cache
def corridors():
    stocks = region().table("stocks").filter(pl.col("persons") >= 1000, pl.col("origin") != "XUN")
    pairs = stocks.filter(pl.col("origin") != pl.col("destination")).select("origin", "destination").unique()
    return tuple(pairs.sort("origin", "destination").rows())


@cache
def places():
    return tuple(sorted({place for pair in corridors() for place in pair}))


@cache
def whole():
    return observations(region(), corridors(), places())


def pack(tmp_path, chart=None, **tables):
    """The smallest pack, with tables and a map of one's own."""
    folder = Path(shutil.copytree(WHOLE, tmp_path / "pack"))
    for name, text in tables.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    if chart is not None:
        (folder / "observations.yaml").write_text(chart, encoding="utf-8")
    return zhol.load(folder)


def terms(obs):
    """What each observation adds up, by name."""
    where = zip(obs.obs_index, obs.corridor_index, obs.status_index, obs.account_index, obs.weight, strict=True)
    named = {}
    for i, c, s, a, w in where:
        what = STATUSES[s] if s >= 0 else obs.accounts[a]
        named.setdefault(int(i), set()).add((*obs.corridors[c], what, float(w)))
    return named


def test_every_observation_goes_back_to_its_rows():
    """The value is what the rows print, in the series' unit, added up where the map says so."""
    chart = observation_map(region()).series
    for row in whole().table.iter_rows(named=True):
        series, table = chart[row["series"]], region().table(row["table"])
        printed = table[row["rows"]]
        numbers = printed.select(pl.sum_horizontal(value_columns(series)).cast(pl.Float64)).to_series()
        if printed[value_columns(series)[0]].null_count():
            numbers = (printed["low"] * printed["high"]).sqrt()
        total = numbers.sum() if series.add_rows else numbers[0]
        assert row["value"] == pytest.approx(total * series.scale), row["label"]
        assert set(row["source_id"].split(";")) == {s for r in printed["source_id"] for s in r.split(";")}


def test_nothing_depends_on_the_order_of_corridors_and_places():
    shuffled = observations(region(), corridors()[::-1], places()[::-1])
    assert shuffled.table.equals(whole().table)
    assert terms(shuffled) == terms(whole())


def test_the_order_of_rows_in_the_pack_does_not_matter(tmp_path):
    head = "year,origin,destination,revision,persons,source_id,status\n"
    rows = [f"{y},{o},{d},{r},{n},S1,published\n" for y, o, d, r, n in [
        (2010, "UZB", "KAZ", 2020, 5), (2010, "UZB", "KAZ", 2024, 5), (2015, "KAZ", "UZB", 2020, 7),
        (2015, "KAZ", "UZB", 2024, 9), (2015, "UZB", "KAZ", 2024, 11),
    ]]  # fmt: skip
    pairs, both = [("KAZ", "UZB"), ("UZB", "KAZ")], ["KAZ", "UZB"]
    (tmp_path / "a").mkdir(), (tmp_path / "b").mkdir()
    one = observations(pack(tmp_path / "a", stocks=head + "".join(rows)), pairs, both)
    two = observations(pack(tmp_path / "b", stocks=head + "".join(rows[::-1])), pairs, both)
    assert one.table.drop("rows").equals(two.table.drop("rows")) and terms(one) == terms(two)
    # the number that both revisions print is one observation without a bias of either
    assert one.table.height == 4
    same = one.table.filter(pl.col("value") == 5)
    assert same["label"].to_list() == ["UZB>KAZ 2010 (2020, 2024)"] and same["bias_group"].to_list() == [""]
    # the revisions differ for UZB as a destination, not for KAZ
    biased = one.table.filter(pl.col("bias_group") != "")["bias_group"].to_list()
    assert sorted(biased) == ["UN2020:UZB", "UN2024:UZB"]


def test_united_nations_stocks_against_a_count_of_distinct_cells():
    """One observation for each number of each cell, however many revisions print it; none of 1990 and 1995."""
    pairs = pl.DataFrame(corridors(), schema=["origin", "destination"], orient="row")
    cells = region().table("stocks").filter(pl.col("year") >= 2000, pl.col("persons") > 0).join(
        pairs, on=["origin", "destination"]
    )  # fmt: skip
    distinct = cells.select("year", "origin", "destination", "persons").unique()
    used = whole().table.filter(pl.col("series") == "un_stock")
    assert used.height == distinct.height and used["value"].sum() == distinct["persons"].sum()
    assert set(used["month_end"].str.slice(5)) == {"06"}
    in_both = used.filter(pl.col("rows").list.len() == 2)
    assert in_both.height > 500 and set(in_both["bias_group"]) == {""}
    uzbek = used.filter(pl.col("origin") == "UZB", pl.col("destination") == "RUS").sort("month_end", "label")
    assert uzbek["bias_group"].to_list() == ["", ""] + 3 * ["UN2020:RUS", "UN2024:RUS"] + ["UN2024:RUS"]


def test_no_figure_is_used_twice():
    table = whole().table.filter(pl.col("table") == "figures")
    used = table["label"].to_list()
    assert len(used) == len(set(used))


def test_every_count_of_people_is_used_or_left_out_with_a_reason():
    """No figure disappears in silence: an unused one is named, or its concept is."""
    chart = observation_map(region())
    used = set(whole().table.filter(pl.col("table") == "figures")["label"])
    people = ("persons", "persons a year", "USD million", "entries", "patents", "permits", "registrations")
    counts = region().table("figures").filter(pl.col("unit").is_in(people))
    for row in counts.filter(~pl.col("figure_id").is_in(used)).iter_rows(named=True):
        assert row["figure_id"] in chart.left_out.figures or row["concept"] in chart.left_out.concepts, row
    assert not used & set(chart.left_out.figures)
    assert set(chart.left_out.figures) <= set(region().table("figures")["figure_id"])
    assert set(chart.left_out.concepts) <= set(region().table("figures")["concept"])


def test_sums_against_brute_force():
    """Predictions of an arbitrary state by the sparse sum and by loops over names."""
    obs = whole()
    people = np.random.default_rng(1).uniform(0, 100, (len(corridors()), len(STATUSES)))
    stock = obs.status_index >= 0
    said = np.zeros(obs.table.height)
    np.add.at(
        said, obs.obs_index[stock], obs.weight[stock] * people[obs.corridor_index[stock], obs.status_index[stock]]
    )

    def count(origins, destination, statuses):
        hit = [i for i, (o, d) in enumerate(corridors()) if d == destination and (origins is None or o in origins)]
        return people[np.ix_(hit, [STATUSES.index(s) for s in statuses])].sum()

    at = {label: i for i, label in enumerate(obs.table["label"])}
    irregular = ["clandestine", "overstayer", "unauthorised", "breach", "refused"]
    assert said[at["F030"]] == pytest.approx(count(None, "RUS", irregular))
    assert said[at["F031"]] == pytest.approx(count(None, "RUS", [s for s in irregular if s != "unauthorised"]))
    five = ["KAZ", "KGZ", "TJK", "UZB", "TKM"]
    assert said[at["F004"]] == pytest.approx(count(five, "KAZ", ["worker", *irregular[:4]]))
    present = ["worker", "visitor", "pending", *irregular[1:]]
    assert said[at["F055"]] == pytest.approx(count(["TJK"], "RUS", present))


def test_flows_add_up_accounts_and_returns_run_backwards():
    obs = whole()
    named, at = terms(obs), {label: i for i, label in enumerate(obs.table["label"])}
    assert named[at["L026"]] == {("TJK", "KAZ", "entries:work", 1.0), ("TJK", "KAZ", "entries:visit", 1.0)}
    assert {(o, a) for o, _, a, _ in named[at["L151"]]} == {("TJK", "returns"), ("TJK", "removals")}
    assert {d for _, d, _, _ in named[at["L151"]]} == {d for o, d in corridors() if o == "TJK"}
    sent = named[at["KGZ>WLD 2010"]]
    assert {(o, a) for o, _, a, _ in sent} == {("KGZ", "remittances")} and ("KGZ", "RUS", "remittances", 1.0) in sent


def test_remittances_are_millions_with_a_trend_to_2009_and_doubt_in_2022():
    table = whole().table.filter(pl.col("series") == "remittances")
    by = dict(zip(table["label"], table.iter_rows(named=True), strict=True))
    printed = region().table("economy").filter(
        pl.col("place") == "TJK", pl.col("variable") == "remittances_received", pl.col("year") == 2013
    )  # fmt: skip
    assert by["TJK>WLD 2013"]["value"] == pytest.approx(printed["value"].item() / 1e6)
    assert [by[f"TJK>WLD {y}"]["trend_years"] for y in (2004, 2008, 2009, 2010)] == [5, 1, 0, 0]
    assert by["UZB>WLD 2022"]["log_sd"] > 3 * by["UZB>WLD 2021"]["log_sd"]
    assert "transit" in by["UZB>WLD 2022"]["note"]


def test_until_uses_no_figure_whose_period_ends_later():
    cut = observations(region(), corridors(), places(), until="2014-12")
    assert cut.table["month_end"].max() <= "2014-12"
    figures = region().table("figures")
    for rows in cut.table.filter(pl.col("table") == "figures")["rows"]:
        assert str(figures["date_end"][rows[0]])[:7] <= "2014-12"
    labels = set(whole().table.filter(pl.col("month_end") <= "2014-12")["label"])
    assert set(cut.table["label"]) <= labels
    # identical to the whole in all it keeps; the error of stocks is measured on the pack, not on the period
    kept = whole().table.join(cut.table.select("series", "label"), on=["series", "label"], how="semi")
    assert kept.drop("observation").equals(cut.table.drop("observation"))
    assert any("later revisions" in note for note in cut.notes)


CHART = """
series:
  seen:
    title: People
    kind: citizens
    table: figures
    measure: stock
    statuses: {worker: 1}
    log_sd: 0.1
"""
COLUMNS = "figure_id,quantity,indicator,origin,destination,date_start,date_end,value,low,high,unit"
HEAD = COLUMNS + ",source_id,status,definition,method\n"


@pytest.mark.parametrize(
    ("start", "end", "months", "measure"),
    [
        ("2013-10-18", "2013-10-18", ("2013-10", "2013-10"), "stock"),  # the nearer end of a month
        ("2016-01-12", "2016-01-12", ("2015-12", "2015-12"), "stock"),
        ("2015-12-01", "2015-12-31", ("2015-12", "2015-12"), "stock"),
        ("2008", "2008", ("2008-01", "2008-12"), "stock_mean"),
        ("2005-01-01", "2005-12-01", ("2005-01", "2005-11"), "stock_mean"),  # one day of December is no month
        ("2024-01", "2024-06", ("2024-01", "2024-06"), "stock_mean"),
    ],
)
def test_periods_by_hand(tmp_path, start, end, months, measure):
    figure = f"F1,q,i,UZB,KAZ,{start},{end},100,,,persons,S1,read_primary,people,count\n"
    obs = observations(pack(tmp_path, CHART, figures=HEAD + figure), [("UZB", "KAZ")], ["UZB", "KAZ"])
    assert obs.table.select("month_start", "month_end", "measure").rows() == [(*months, measure)]
    first, last = obs.months("2000-01")
    assert last[0] - first[0] == month_number(months[1]) - month_number(months[0])
    assert last[0] == (int(months[1][:4]) - 2000) * 12 + int(months[1][5:]) - 1


def test_ranges_bounds_zeros_and_foreign_corridors(tmp_path):
    """A range is its geometric middle and a wider error; a bound, a zero and another corridor are notes."""
    rows = [
        "F1,q,i,UZB,KAZ,2008,2008,,100,400,persons,S1,read_primary,people,count",
        "F2,q,i,UZB,KAZ,2009,2009,,100,,persons,S1,read_primary,people,count",
        "F3,q,i,UZB,KAZ,2010,2010,0,,,persons,S1,read_primary,people,count",
        "F4,q,i,KAZ,UZB,2010,2010,9,,,persons,S1,read_primary,people,count",
    ]
    obs = observations(pack(tmp_path, CHART, figures=HEAD + "\n".join(rows)), [("UZB", "KAZ")], ["UZB", "KAZ"])
    assert obs.table["value"].to_list() == pytest.approx([200])
    spread = np.log(4) / (2 * 1.96)
    assert obs.table["log_sd"].to_list() == pytest.approx([np.sqrt(0.1**2 + spread**2 + 1 / 200)])
    assert obs.notes == (
        "seen: 1 rows left out: no number, or one bound only",
        "seen: 1 rows left out: zero",
        "seen: 1 figures are of corridors that the model does not have",
        "error of migrant stocks is taken, not measured: the pack has one revision of the stocks only",
    )


def test_a_pack_without_a_map_has_its_migrant_stocks(tmp_path):
    obs = observations(pack(tmp_path), [("UZB", "KAZ")], ["UZB", "KAZ"])
    assert obs.table.select("series", "month_end", "value", "df").rows() == [
        ("un_stock", "2015-06", 100.0, 4.0),
        ("un_stock", "2020-06", 200.0, 4.0),
    ]
    assert terms(obs)[0] == {("UZB", "KAZ", "resident", 1.0), ("UZB", "KAZ", "protected", 1.0)}
    assert obs.notes[-1].startswith("the pack has no observations.yaml")


def test_no_corridor_no_observation():
    obs = observations(region(), [], [])
    assert obs.table.height == 0 and len(obs.weight) == 0 and obs.bias_groups == {}
