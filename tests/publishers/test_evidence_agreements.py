"""Agreements and their parties: two lists merged without doubles, texts expanded, nothing bound that is not."""

import csv

import polars as pl
import pytest
from shared_data import shared

from zhol.publishers import evidence


@pytest.fixture(scope="module")
def tables():
    return evidence.tables(shared("evidence").parent)


def raw(*parts):
    with shared(*parts).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def agreement(tables, name):
    return tables["agreements"].row(by_predicate=pl.col("agreement_id") == name, named=True)


def sides(tables, name, role):
    rows = tables["agreement_parties"].filter((pl.col("agreement_id") == name) & (pl.col("role") == role))
    return {row["place"]: (row["since"], row["until"]) for row in rows.iter_rows(named=True)}


def test_no_agreement_is_lost_or_doubled(tables):
    ids = tables["agreements"]["agreement_id"].to_list()
    assert ids == [row["id"] for row in raw("evidence", "agreements.csv")]
    # All sixteen rows of the bilateral list are among them; each adds its source.
    pages = evidence.sources(shared("evidence").parent)
    titles = dict(zip(pages["source_id"], pages["title"], strict=True))
    for name, law in (("A014", "344-V"), ("A047", "289-V"), ("A015", "74-VI"), ("A016", "219-VI"), ("A048", "306-VI")):
        cited = [titles[i] for i in agreement(tables, name)["source_id"].split(";")]
        assert f"ZakonPravo (law of Kazakhstan): law {law}" in cited
    assert "ratified or approved 2015-08-02" in agreement(tables, "A014")["note"]
    assert "ratified or approved 2020-04-09" in agreement(tables, "A027")["note"]


@pytest.mark.parametrize(
    ("name", "strength"),
    [
        ("A001", "in_force"),
        ("A006", "declared"),
        ("A007", "in_force"),
        ("A009", "practised"),
        ("A018", "signed"),
        ("A026", "practised"),
        ("A041", "declared"),
        ("A066", "in_force"),
        ("A086", "declared"),
    ],
)
def test_strength_follows_from_the_grade(tables, name, strength):
    assert agreement(tables, name)["strength"] == strength


@pytest.mark.parametrize(
    ("name", "signed", "in_force", "ended"),
    [
        ("A002", "1994-04-15", None, None),
        ("A007", "2005-08-26", "2005-08-26", "2008"),
        ("A011", "2002-05-13", "2002-05-13", "2015-01-01"),
        ("A013", "1997-08-07", None, "2014-12-24"),
        ("A020", "2017-04-05", "2017", None),
        ("A028", None, None, None),
        ("A064", "2010-11-19", "2012-01-01", "2015-01-01"),
        ("A079", "2009-10-26", "2010", None),
    ],
)
def test_a_date_is_no_more_exact_than_it_is_known(tables, name, signed, in_force, ended):
    row = agreement(tables, name)
    assert (row["signed"], row["in_force"], row["ended"]) == (signed, in_force, ended)


def test_those_who_only_signed_are_not_parties(tables):
    assert set(sides(tables, "A003", "party")) == {"BLR", "KAZ", "KGZ", "MDA", "UKR"}
    assert set(sides(tables, "A003", "signatory")) == {"AZE", "ARM", "RUS", "TJK", "UZB"}
    assert sides(tables, "A003", "party")["KAZ"] == ("2008-01-11", None)
    assert set(sides(tables, "A045", "signatory")) == {"ARM"}
    assert set(sides(tables, "A046", "signatory")) == {"UZB"}
    assert sides(tables, "A046", "signatory")["UZB"][0] == "2001"
    assert sides(tables, "A010", "party") == {"KAZ": (None, None), "UKR": ("2012-03-01", None)}


def test_parties_with_years_of_their_own(tables):
    refugees = sides(tables, "A044", "party")
    assert len(refugees) == 16
    assert refugees["KAZ"] == ("1999", None)
    assert not {"UZB", "MNG", "PAK", "IND", "LKA", "ARE", "SAU"} & set(refugees)
    left = sides(tables, "A001", "party")
    assert left["GEO"] == ("1997", None)
    assert {c: until for c, (_, until) in left.items() if until} == {
        "TKM": "1999",
        "RUS": "2000",
        "KAZ": "2001",
        "UZB": "2001",
    }
    union = sides(tables, "A032", "party")
    assert union["RUS"] == ("2015-01-01", None)
    assert union["KGZ"] == ("2015-08-06", None)


def test_groups_stand_for_body_wide_agreements(tables):
    assert set(sides(tables, "A004", "party")) == {"XCI"}
    assert set(sides(tables, "A033", "party")) == {"XEE"}
    assert set(sides(tables, "A035", "party")) == {"XEU", "XBA", "RUS"}
    assert set(sides(tables, "A069", "party")) == {"CHN", "KAZ", "KGZ", "RUS", "TJK", "UZB"}


def test_a_declaration_binds_nobody_and_a_draft_has_no_parties(tables):
    declared = tables["agreements"].filter(pl.col("strength") == "declared")["agreement_id"]
    rows = tables["agreement_parties"].filter(pl.col("agreement_id").is_in(declared.to_list()))
    assert set(rows["role"]) == {"signatory"}
    grades = {row["id"]: row["grade"] for row in raw("evidence", "agreements.csv")}
    drafts = {name for name, grade in grades.items() if grade == "D"}
    assert drafts == set(tables["agreements"]["agreement_id"]) - set(tables["agreement_parties"]["agreement_id"])


def test_parties_repeat_the_agreements_row(tables):
    for row in tables["agreements"].iter_rows(named=True):
        places = {
            r["place"]
            for r in tables["agreement_parties"].iter_rows(named=True)
            if r["agreement_id"] == row["agreement_id"]
        }
        written = {*row["parties"].split(";"), *(row["signatories_only"] or "").split(";")} - {""}
        assert places in (written, set())
