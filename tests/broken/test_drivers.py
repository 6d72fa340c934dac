"""Drivers and regimes that cannot be made: one line each, with the file, the place, the variable and the years."""

import shutil
from pathlib import Path

import pytest
import random_packs as made

import zhol
from zhol.system.driver_paths import driver_paths
from zhol.system.regimes import regime_paths

WHOLE = Path(__file__).parent / "packs" / "whole"


def rows(years=(2010, 2011, 2012, 2013)):
    pack = made.Pack({"KAZ": made.Place(), "TJK": made.Place()})
    tables = made.rows_of(pack)
    first = [r for r in tables["economy"] if r["year"] == 2010]
    tables["economy"] += [{**r, "year": y} for r in first for y in range(2014, max(years) + 1)]
    tables["economy"] = [r for r in tables["economy"] if r["year"] in years]
    return tables


def without(tables, table, **match):
    kept = [r for r in tables[table] if any(r[k] != v for k, v in match.items())]
    return {**tables, table: kept}


def changed(tables, table, value, **match):
    return {
        **tables,
        table: [{**r, "value": value} if all(r[k] == v for k, v in match.items()) else r for r in tables[table]],
    }


def refusal(tables, places=("KAZ", "TJK"), **options):
    with made.written(tables) as folder:
        region = zhol.load(folder)
    with pytest.raises(zhol.ZholError) as caught:
        driver_paths(region, list(places), "2010-01", "2020-12", **options)
    return str(caught.value)


CASES = {
    "no population": (
        without(rows(), "population", place="TJK", variable="persons"),
        "population.csv, column place: place TJK has no population; expected rows of persons for "
        "every place; add them, "
        "or take the place out of places.csv",
    ),
    "no income": (
        without(rows(), "economy", place="TJK", variable="gdp_pc_ppp"),
        "economy.csv, column place: place TJK has no income (gdp_pc_ppp); expected rows of "
        "gdp_pc_ppp for every place with people",
    ),
    "no age share": (
        without(without(rows(), "population", place="TJK", variable="working_age_share"), "population", place="KAZ",
                variable="working_age_share"),
        "population.csv, column variable: no working_age_share for any place; expected rows of "
        "working_age_share; one place "
        "with one year is enough to run",
    ),
    "hole of three years": (
        rows((2010, 2014, 2015)),
        "economy.csv, column year: gdp_pc_ppp of KAZ has no figure for 2011 to 2013; expected "
        "holes of at most 2 years; add "
        "the years or drop the earlier ones",
    ),
    "income of zero": (
        changed(rows(), "economy", 0, place="TJK", variable="gdp_pc_ppp", year=2011),
        "economy.csv, column value: gdp_pc_ppp of TJK in 2011 is not positive; found 0.0, expected "
        "a number above 0, or an "
        "empty cell",
    ),
    "product of zero where people live": (
        changed(rows(), "economy", 0, place="TJK", variable="gdp_usd", year=2012),
        "economy.csv, column value: gdp_usd of TJK in 2012 is not positive; found 0.0, expected a "
        "number above 0, or an "
        "empty cell",
    ),
    "nobody at work": (
        changed(rows(), "economy", 100, place="KAZ", variable="unemployment", year=2010),
        "economy.csv, column value: unemployment of KAZ in 2010 leaves nobody at work; found "
        "100.0, expected below 100 %",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_pack(case):
    tables, line = CASES[case]
    assert refusal(tables) == line


OPTIONS = {
    "path of income": ({"income": "boom"}, "unknown path of income; found 'boom', expected trend | flat | high | low"),
    "variant": ({"population": "most"}, "unknown variant of population; found 'most', expected low | medium | high"),
    "draws": ({"draws": -1}, "draws cannot be negative; found -1, expected 0 or more"),
    "place": ({"places": ["KAZ", "USA"]}, "place is not in this pack; found 'USA', expected codes of places.csv"),
    "no place": ({"places": []}, "no places to make drivers for; expected at least one code"),
    "month": ({"until": "2012-13"}, "not a month; found '2012-13', expected YYYY-MM, such as 2024-07"),
    "too early": (
        {"until": "2009-12"},
        "population.csv, column place: place KAZ has no population up to 2009; expected rows of "
        "persons for every place; "
        "add them, or take the place out of places.csv",
    ),
}


@pytest.mark.parametrize("case", OPTIONS)
def test_option(case):
    options, line = OPTIONS[case]
    assert refusal(rows(), **options) == line


RULES = {
    "not YAML": ("treaties: [", "regimes.yaml: cannot be read as YAML; while parsing a flow node"),
    "a list": ("- 1\n", "regimes.yaml: unknown part; found 'list', expected treaties, changes, sources"),
    "part": ("treaty: []\n", "regimes.yaml: unknown part; found 'treaty', expected treaties, changes, sources"),
    "agreement": (
        "treaties: [{agreement: A999}]\n",
        "regimes.yaml: no such agreement in this pack; found 'A999', expected an id of agreements.csv",
    ),
    "event": (
        "changes: [{event: V999, origin: KAZ, destination: UZB, regime: visa}]\n",
        "regimes.yaml: no such event in this pack; found 'V999', expected an id of events.csv",
    ),
    "regime": (
        "changes: [{since: '2012', origin: KAZ, destination: UZB, regime: open, sources: [S1]}]\n",
        "regimes.yaml: unknown regime; found 'open', expected treaty | visa_free | visa",
    ),
    "start": (
        "changes: [{origin: KAZ, destination: UZB, regime: visa, sources: [S1]}]\n",
        "regimes.yaml: a rule needs a start and a source; found {'origin': 'KAZ', 'destination': "
        "'UZB', 'regime': 'visa', '…, "
        "expected an event, or since and sources",
    ),
    "date": (
        "changes: [{since: soon, origin: KAZ, destination: UZB, regime: visa, sources: [S1]}]\n",
        "regimes.yaml: not a date; found 'soon', expected a date such as 2024-06-30, 2024-06 or 2024",
    ),
    "place": (
        "changes: [{since: '2012', origin: KAZ, destination: USA, regime: visa, sources: [S1]}]\n",
        "regimes.yaml: place is not in this pack; found 'USA', expected codes of places.csv",
    ),
    "source": (
        "changes: [{since: '2012', origin: KAZ, destination: UZB, regime: visa, sources: [NEWS]}]\n",
        "regimes.yaml: source of a rule is not written down; found 'NEWS', expected an id under sources",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", RULES)
def test_rule(case, tmp_path):
    text, line = RULES[case]
    folder = Path(shutil.copytree(WHOLE, tmp_path / "pack"))
    (folder / "regimes.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(zhol.ZholError) as caught:
        regime_paths(zhol.load(folder), [("KAZ", "UZB"), ("UZB", "KAZ")], "2010-01", "2013-12")
    assert str(caught.value).startswith(line) and "\n" not in str(caught.value)


def test_corridor_of_an_unknown_place():
    with pytest.raises(zhol.ZholError, match=r"^place is not in this pack; found 'MEX', expected codes of places.csv$"):
        regime_paths(zhol.load("central_asia"), [("KAZ", "MEX")])
