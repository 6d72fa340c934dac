"""Bodies, memberships and functions: who is a member is decided as the evidence says, and other lists are compared."""

import csv
from itertools import pairwise

import polars as pl
import pytest
from shared_data import shared

from zhol.publishers import evidence
from zhol.publishers.evidence import rules

COW = {"cis": "CIS", "csto": "CSTO", "eaec": "EurAsEC", "cica": "CICA", "eco": "ECO", "osce": "OSCE", "sco": "SCO"}
COW["iomig"] = "IOM"


@pytest.fixture(scope="module")
def tables():
    return evidence.tables(shared("evidence").parent)


@pytest.fixture(scope="module")
def members(tables):
    return tables["memberships"]


def raw(*parts):
    with shared(*parts).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_no_row_is_lost(tables, members):
    file = raw("evidence", "bodies.csv")
    # One row says that no state is party to a convention; four rows of the European Union stand for two blocks each.
    placeholder, union = 1, sum(row["country"] == "EU" for row in file)
    assert union == 4
    assert members.height == len(file) - placeholder + union
    assert tables["bodies"].height == len({row["body"] for row in file}) == 25
    assert set(members["body"]) == set(tables["bodies"]["body"]) - {"ILO_C189"}


def test_observers_signatories_and_rows_without_a_year_are_not_members(members):
    inside = members.filter(pl.col("is_member"))
    assert inside["joined"].null_count() == 0
    outside = ["observer", "signatory", "partner", "associate", "office", "participant", "chair"]
    assert inside.filter(pl.col("role").is_in(outside)).height == 0
    assert (
        inside.filter(pl.col("standing").str.contains("observer|signatory only|not ratified|never ratified")).height
        == 0
    )
    for row in raw("evidence", "bodies.csv"):
        if row["join"] and row["standing"] in ("full member", "member", "party", "participating state"):
            body = rules.lookup("bodies", "written", "body")[row["body"]]
            found = inside.filter((pl.col("body") == body) & (pl.col("place") == row["country"].replace("EU", "XEU")))
            assert found.height >= 1, row["id"]


@pytest.mark.parametrize(
    ("body", "place", "year", "inside"),
    [
        ("CSTO", "UZB", 1995, True),
        ("CSTO", "UZB", 2003, False),
        ("CSTO", "UZB", 2010, True),
        ("CSTO", "UZB", 2015, False),
        ("CSTO", "ARM", 2020, True),
        ("CSTO", "ARM", 2025, False),
        ("EurAsEC", "UZB", 2007, True),
        ("EurAsEC", "UZB", 2012, False),
        ("EurAsEC", "KAZ", 2016, False),
        ("EurAsEC", "ARM", 2010, False),
        ("EAEU", "KGZ", 2020, True),
        ("EAEU", "MDA", 2020, False),
        ("SCO", "IND", 2010, False),
        ("SCO", "IND", 2020, True),
        ("SCO", "BLR", 2020, False),
        ("CIS", "UKR", 2000, False),
        ("CIS", "TKM", 1995, False),
        ("CIS", "GEO", 2005, True),
        ("CIS", "GEO", 2010, False),
        ("CICA", "TKM", 2020, False),
        ("OSCE", "MNG", 2010, False),
        ("OSCE", "MNG", 2015, True),
        ("Almaty_Process", "KAZ", 2015, False),
        ("UNHCR", "KAZ", 2015, False),
        ("1951_Refugee_Convention", "KAZ", 2010, True),
        ("UN_Smuggling_Protocol", "UZB", 2020, False),
        ("UN_Trafficking_Protocol", "XEU", 2010, True),
        ("UN_Trafficking_Protocol", "XBA", 2010, True),
        ("ICRMW", "ARM", 2020, False),
    ],
)
def test_who_was_a_member_when(members, body, place, year, inside):
    rows = members.filter((pl.col("body") == body) & (pl.col("place") == place) & pl.col("is_member"))
    now = [r["joined"][:4] <= str(year) <= (r["left"] or "9999")[:4] for r in rows.iter_rows(named=True)]
    assert any(now) == inside


def covered(members):
    """Years of membership to 2014 by body and place."""
    years = {}
    for row in members.filter(pl.col("is_member")).iter_rows(named=True):
        last = min(int((row["left"] or "2014")[:4]), 2014)
        years.setdefault((row["body"], row["place"]), set()).update(range(int(row["joined"][:4]), last + 1))
    return years


def test_disagreements_with_the_correlates_of_war_list_are_noted(members):
    ours, theirs = covered(members), {}
    for row in raw("data", "regional_bodies", "cow_igo_membership_selected_to2014.csv"):
        if row["igo"] in COW and row["status"] == "full":
            theirs.setdefault((COW[row["igo"]], row["iso3"]), set()).add(int(row["year"]))
    notes = {}
    for row in members.iter_rows(named=True):
        notes[row["body"], row["place"]] = notes.get((row["body"], row["place"]), "") + (row["note"] or "")
    differing = 0
    for pair, years in theirs.items():
        if pair not in notes:
            continue
        mine = ours.get(pair, set())
        if not mine or abs(min(mine) - min(years)) > 1 or abs(max(mine) - max(years)) > 1:
            differing += 1
            assert f"COW IGO v3 has it full from {min(years)} to {max(years)}" in notes[pair], pair
    assert differing >= 25


def test_the_compiled_spells_after_2014_agree_or_are_noted(members):
    inside = members.filter(pl.col("is_member"))
    for row in raw("data", "regional_bodies", "membership_spells_cited.csv"):
        rows = inside.filter((pl.col("body") == row["body"]) & (pl.col("place") == row["iso3"]))
        if row["status"] != "full":
            continue
        near = [abs(int(r["joined"][:4]) - int(row["start"][:4])) <= 1 for r in rows.iter_rows(named=True)]
        noted = any(
            f"compiled list has it full from {row['start']}" in (r["note"] or "") for r in rows.iter_rows(named=True)
        )
        assert any(near) or noted, row


def test_spells_of_one_place_do_not_overlap(members):
    inside = members.filter(pl.col("is_member")).sort("body", "place", "joined")
    for _, spells in inside.group_by("body", "place"):
        rows = spells.sort("joined").rows(named=True)
        for one, following in pairwise(rows):
            assert one["left"] and one["left"] <= following["joined"]


def test_recalled_rows_stay_recalled(members):
    file = raw("evidence", "bodies.csv")
    recalled = sum(row["status"] == "recalled_to_be_verified" for row in file)
    # B135 rests on memory alone, whatever its status says.
    assert members.filter(pl.col("status") == "recalled").height == recalled + 1
    only_memory = members.filter(pl.col("source_id") == "EV-from-memory")
    assert (only_memory["status"] == "recalled").all()


def test_functions_have_a_strength_and_end_with_their_body(tables):
    functions = tables["functions"]
    file = raw("evidence", "functions.csv")
    assert functions.height == len(file) == 97
    assert functions["function_code"].to_list() == [row["function_code"] for row in file]
    assert functions.filter(pl.col("body") == "EurAsEC")["until"].unique().to_list() == ["2015-01-01"]
    assert list(rules.lookup("function_strengths", "function_id", "strength")) == [row["id"] for row in file]
    later = functions.filter(pl.col("since").is_not_null() & pl.col("until").is_not_null())
    assert (later["since"].str.slice(0, 4) <= later["until"].str.slice(0, 4)).all()


@pytest.mark.parametrize(
    ("body", "code", "since", "strength"),
    [
        ("CSTO", "F01", "2008", "practised"),
        ("CIS", "F16", "2004-09-16", "declared"),
        ("CIS", "F12", "1998-03-06", "in_force"),
        ("CIS", "F06", "2019", "declared"),
        ("EAEU", "F01", "2017", "declared"),
        ("EAEU", "F05", "2015-01-01", "in_force"),
        ("SCO", "F10", "2015-07-10", "signed"),
        ("CICA", "F10", "2008", "declared"),
        ("Budapest_Process", "F04", "2013-04-19", "declared"),
        ("1951_Refugee_Convention", "F09", "1951-07-28", "in_force"),
    ],
)
def test_strength_follows_from_the_evidence(tables, body, code, since, strength):
    row = tables["functions"].filter(
        (pl.col("body") == body) & (pl.col("function_code") == code) & (pl.col("since") == since)
    )
    assert row["strength"].to_list() == [strength]
