"""Country codes: every way in which a publisher names a country leads to one ISO code."""

import csv

import pytest
from shared_data import shared

from zhol.publishers.formats.codes import by_alpha2, by_m49, code_of_name, names


def test_every_country_of_iso_3166_has_two_letters_of_its_own():
    letters = by_alpha2()
    assert set(names()) == set(letters.values()) - {"XKX"}
    assert len({two for two, three in letters.items() if two not in ("EL", "UK")}) == 250


def test_codes_agree_with_an_independent_table():
    # IOM's table was made by others; ours was typed from the standard. Taiwan stands there without an M49 number.
    with shared("data", "country_codes", "iom_countrynames.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        if row["iso2"] and len(row["iso2"]) == 2 and row["iso3"] in names():
            assert by_alpha2()[row["iso2"]] == row["iso3"], row
        if row["m49"] and row["iso3"] in names():
            assert by_m49()[int(float(row["m49"]))] == row["iso3"], row


def test_names_of_an_independent_table_are_understood():
    with shared("data", "country_codes", "iom_countrynames.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["iso3"] in names() and row["m49"]]
    wrong = {row["name"]: code_of_name(row["name"]) for row in rows if code_of_name(row["name"]) != row["iso3"]}
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Korea, Republic of", "KOR"),
        ("Korea (Democratic People's Republic of)", "PRK"),
        ("Congo", "COG"),
        ("Congo, the Democratic Republic of the", "COD"),
        ("Cote d'Ivoire", "CIV"),
        ("Côte d’Ivoire", "CIV"),
        ("Gambia, The", "GMB"),
        ("Myanmar/Burma", "MMR"),
        ("Palestine*", "PSE"),
        ("Federated States of Micronesia", "FSM"),
        ("St. Vincent and the Grenadines", "VCT"),
        ("  TÜRKİYE ", "TUR"),
        ("Stateless", "STL"),
        ("Korea", None),
        ("Virgin Islands", None),
        ("Asia", None),
        ("", None),
    ],
)
def test_spellings(name, code):
    assert code_of_name(name) == code


def test_names_in_eurostats_files_are_understood():
    for name in ("found_illegally_present_by_citizen", "returned_following_order_by_citizen"):
        path = shared("data", "eurostat_enforcement", f"eurostat_{name}.csv")
        with path.open(encoding="utf-8") as file:
            pairs = {(r["citizen"], r["citizen_iso3"]) for r in csv.DictReader(file) if r["citizen_iso3"]}
        assert {(n, c, code_of_name(n)) for n, c in pairs if code_of_name(n) != c} == set()
