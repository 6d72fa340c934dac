"""The schema is data: it must hold together, and every column must be in the vocabulary in three languages."""

import pytest
import yaml

import zhol
from zhol.region import iso3166
from zhol.region.schema import HERE, table, tables
from zhol.region.vocabulary import LANGUAGES, describe, terms

# The tables that other rooms and users rely on, with their keys (the handbook names them).
PROMISED = {
    "places": "place",
    "sources": "source_id",
    "stocks": "year origin destination persons",
    "population": "place year",
    "economy": "place year",
    "remittances": "year sender receiver",
    "asylum": "year origin destination applications recognised rejected",
    "refugees": "year origin destination",
    "conflict": "place year",
    "distances": "origin destination distance_km contiguous colonial_tie",
    "visas": "origin destination",
    "figures": "low high grade definition quantity",
    "events": "event_id",
    "bodies": "body",
    "memberships": "body place",
    "functions": "strength since until",
    "agreements": "strength in_force ended",
    "legs": "origin destination mode length_km",
}


@pytest.mark.parametrize("name", PROMISED)
def test_promised_tables_and_columns(name):
    assert set(PROMISED[name].split()) <= set(table(name).names)


@pytest.mark.parametrize("name", tables())
def test_rules_speak_of_columns_that_are_there(name):
    schema = tables()[name]
    spoken = [*schema.key, *schema.apart, *schema.interval, *schema.order, *schema.any_of, *schema.parts]
    spoken += [part for parts in schema.parts.values() for part in parts]
    assert set(spoken) <= set(schema.names)
    assert "source_id" in schema.names
    assert "status" in schema.names
    for column in schema.columns:
        if column.refers:
            other, there = column.refers.split(".")
            assert there in table(other).names


@pytest.mark.parametrize("name", tables())
def test_units_are_given_for_words_that_the_deciding_column_may_hold(name):
    units = tables()[name].units
    if units is not None:
        deciding = tables()[name].column(units.by)
        assert set(units.rows) == set(deciding.of)


def test_every_word_is_described_in_three_languages():
    for term in terms().values():
        for language in LANGUAGES:
            assert len(describe(term.name, language)) > 3


def test_no_word_is_left_over():
    used = {c.name for t in tables().values() for c in t.columns}
    assert {t.name for t in terms().values() if t.kind != "term"} == used


def test_words_of_the_field_are_there():
    wanted = "origin destination transit stock flow residence citizenship hazard draw corridor leg road passage"
    assert set(wanted.split()) <= set(terms())


@pytest.mark.parametrize(("word", "language"), [("origin", "de"), ("people", "en")])
def test_unknown_words_and_languages(word, language):
    with pytest.raises(zhol.ZholError):
        describe(word, language)


def test_an_unknown_key_in_the_schema_is_an_error():
    document = yaml.safe_load((HERE / "tables.yaml").read_text(encoding="utf-8"))
    assert set(document) == {"limits", "beside", "kinds", "every", "tables"}


def test_iso_3166():
    countries = iso3166.countries()
    assert len(countries) == len({c.m49 for c in countries.values()}) == 249
    assert all(len(c.alpha3) == 3 and c.alpha3.isupper() and len(c.m49) == 3 and c.name for c in countries.values())
    known = {"KAZ": "398", "RUS": "643", "AFG": "004", "NAM": "516", "SSD": "728", "GBR": "826", "BES": "535"}
    assert {code: countries[code].m49 for code in known} == known


def test_blocks_take_no_code_of_a_country():
    assert not set(iso3166.blocks()) & set(iso3166.countries())
    for code, block in iso3166.blocks().items():
        assert block.kind in table("places").column("kind").of
        assert iso3166.is_user_assigned(code)


@pytest.mark.parametrize("code", ["AAA", "AAZ", "QMA", "QZZ", "XAA", "XZZ", "ZZA", "ZZZ"])
def test_codes_that_iso_leaves_to_users(code):
    assert iso3166.is_user_assigned(code)
    assert not iso3166.is_country(code)


@pytest.mark.parametrize("code", ["ABA", "QLZ", "WZZ", "ZYZ", "", "XA", "XAAA", "xaa", "X1A"])
def test_codes_that_nobody_may_take(code):
    assert not iso3166.is_user_assigned(code)
