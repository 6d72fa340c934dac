"""The shipped pack gives the publishers' exact figures: read again with the csv module and plain Python, and compared.

Figures that publishers or the shared folder's README files state in words stand here as numbers; everything else is
recomputed from the shared files without the builder.
"""

import csv
from collections import defaultdict
from decimal import Decimal
from functools import cache

import pytest
from shared_data import shared

import zhol
from zhol.publishers.build import build
from zhol.region.load import PACKS, Region

with (PACKS / "central_asia" / "places.csv").open(encoding="utf-8", newline="") as file:
    PLACES = list(csv.DictReader(file))
COUNTRIES = {row["place"] for row in PLACES if row["kind"] == "country"}
MEMBERS = {row["place"]: set(row["members"].split(";")) for row in PLACES if row["kind"] == "block"}
HOME = {c: c for c in COUNTRIES} | {m: block for block, members in MEMBERS.items() for m in members}


@cache
def pack() -> Region:
    return zhol.load("central_asia")


def raw(*parts: str) -> list[dict[str, str]]:
    with shared("data", *parts).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def home(code: str, unknown: tuple[str, ...] = ()) -> str:
    return "XUN" if code in unknown else HOME.get(code, "XRW")


def one(query: str):
    frame = pack().sql(query)
    assert frame.shape == (1, 1), query
    return frame.item()


def total(query: str) -> int:
    return int(one(query))


def test_the_command_builds_what_is_shipped_and_always_the_same_bytes(tmp_path):
    built = build(shared("data").parent, tmp_path / "one")
    build(shared("data").parent, tmp_path / "two")
    assert {"stocks", "population", "sources"} <= set(built)
    for name in built:
        first = (tmp_path / "one" / f"{name}.csv").read_bytes()
        assert first == (tmp_path / "two" / f"{name}.csv").read_bytes(), name
        assert first == (PACKS / "central_asia" / f"{name}.csv").read_bytes(), (
            f"{name}.csv in the package is not current"
        )
    assert zhol.load(tmp_path / "one").table("stocks").height == built["stocks"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "two"]  # nothing left lying about


def test_the_pack_is_small_and_every_row_has_a_source_and_a_status():
    assert sum(path.stat().st_size for path in (PACKS / "central_asia").iterdir()) < 6_000_000
    for name in pack().tables:
        frame = pack().table(name)
        assert frame["source_id"].null_count() == 0, name
        assert name == "sources" or frame["status"].null_count() == 0, name


@pytest.mark.parametrize("revision", [2020, 2024])
def test_every_stock_is_the_publishers_cell_or_the_sum_of_its_cells(revision):
    persons, cells, inside = defaultdict(int), defaultdict(int), defaultdict(int)
    for row in raw("undesa_ims", f"ims_bilateral_rev{revision}.csv"):
        key = (int(row["year"]), home(row["orig"], ("OOO",)), home(row["dest"]))
        if key[1] == key[2]:
            inside[key[0]] += int(row["total"])
            continue
        persons[key] += int(row["total"])
        cells[key] += 1
    frame = pack().table("stocks")
    frame = frame.filter(frame["revision"] == revision)
    found = {(r["year"], r["origin"], r["destination"]): r for r in frame.to_dicts()}
    assert {k: r["persons"] for k, r in found.items()} == dict(persons)
    assert {k: r["cells"] for k, r in found.items()} == dict(cells)
    published = {k for k, r in found.items() if r["status"] == "published"}
    assert published == {k for k in found if k[2] in COUNTRIES and (k[1] in COUNTRIES or k[1] == "XUN")}
    world = {2020: (2020, 280_598_105), 2024: (2024, 304_021_813)}[revision]  # as the UN published them
    kept = sum(r["persons"] for k, r in found.items() if k[0] == world[0])
    assert kept + inside[world[0]] == world[1]


STOCKS_2020 = {
    ("UZB", "KAZ"): (296_511, 689_957),
    ("KGZ", "KAZ"): (7_085, 93_946),
    ("TJK", "KAZ"): (16_644, 26_306),
    ("RUS", "KAZ"): (2_476_018, 579_845),
    ("UZB", "RUS"): (1_146_175, 871_154),
}


@pytest.mark.parametrize("pair", STOCKS_2020)
def test_rival_revisions_of_named_corridors(pair):
    query = f"select persons from stocks where year=2020 and origin='{pair[0]}' and destination='{pair[1]}'"
    assert tuple(one(f"{query} and revision={r}") for r in (2020, 2024)) == STOCKS_2020[pair]


def test_no_central_asian_stock_in_the_emirates_is_invented():
    five = "('KAZ','KGZ','TJK','UZB','TKM')"
    assert total(f"select count(*) from stocks where destination='ARE' and origin in {five}") == 0


def test_equal_cells_are_marked_in_both_revisions():
    frames = [
        {(r["year"], r["orig"], r["dest"]): r["total"] for r in raw("undesa_ims", f"ims_bilateral_rev{n}.csv")}
        for n in (2020, 2024)
    ]
    for row in pack().table("stocks").to_dicts():
        if row["status"] != "published" or row["origin"] == "XUN":
            continue
        old, new = (f.get((str(row["year"]), row["origin"], row["destination"])) for f in frames)
        expected = None if old is None or new is None else old == new
        assert row["same_in_both"] is expected, row


def test_people_births_deaths_and_migration_are_exact():
    expected = defaultdict(Decimal)
    for row in raw("un_wpp2024", "wpp2024_population_vital_1950_2023.csv"):
        if row["iso3"] == "WLD" or int(row["year"]) < 1990:
            continue
        key = (home(row["iso3"]), int(row["year"]))
        for variable, column, scale in (
            ("persons", "population", 1),
            ("births", "births_k", 1000),
            ("deaths", "deaths_k", 1000),
            ("net_migration", "net_migration_k", 1000),
        ):
            if row[column]:
                expected[*key, variable] += Decimal(row[column]) * scale
    frame = pack().sql("select * from population where year <= 2023 and variable <> 'working_age_share'")
    found = {(r["place"], r["year"], r["variable"]): r["value"] for r in frame.to_dicts()}
    assert found == {k: float(v) for k, v in expected.items()}


def test_projection_runs_to_2060_with_both_intervals():
    frame = pack().sql("select * from population where variable='persons' and level is not null")
    places = len(COUNTRIES) + 3
    assert frame.height == places * 2 * (2060 - 2024 + 1)
    wide = frame.pivot("level", index=["place", "year"], values=["low", "high", "value"], aggregate_function="first")
    assert (wide["low_95.0"] <= wide["low_80.0"]).all() and (wide["high_80.0"] <= wide["high_95.0"]).all()
    assert (wide["low_80.0"] <= wide["value_80.0"]).all() and (wide["value_80.0"] <= wide["high_80.0"]).all()
    row = next(
        r
        for r in raw("un_wpp2024", "wpp2024_population_projection_2024_2060.csv")
        if (r["iso3"], r["year"]) == ("KAZ", "2060")
    )
    exact = [float(Decimal(row[c]) * 1000) for c in ("pop_95l", "pop_95u")]
    query = "select {} from population where place='KAZ' and year=2060 and level=95"
    assert [one(query.format(c)) for c in ("low", "high")] == pytest.approx(exact, abs=0.5)


def test_working_age_share_of_the_older_revision():
    ages = defaultdict(float)
    for row in raw("un_wpp2024", "wpp2019_population_broad_age_sex_1950_2020.csv"):
        if (row["iso3"], row["year"]) == ("UZB", "2020"):
            ages[row["age_group"]] += float(row["pop_k"])
    share = 1 - (ages["0-14"] + ages["65+"]) / sum(ages.values())
    query = "select value from population where place='UZB' and year=2020 and variable='working_age_share'"
    assert one(query) == pytest.approx(share, abs=1e-6)


def test_economy_of_countries_is_exact_and_the_zeros_that_cannot_be_are_gone():
    columns = {
        "gdp_pc_ppp": "gdp_pc_ppp_2021",
        "gdp_usd": "gdp_usd",
        "unemployment": "unemployment_pct",
        "remittances_received": "remittances_received_usd",
        "remittances_paid": "remittances_paid_usd",
        "remittances_share_gdp": "remittances_pct_gdp",
    }
    expected = {
        (row["iso3"], int(row["year"]), variable): float(row[column])
        for row in raw("world_bank_wdi", "wdi_country_year.csv")
        for variable, column in columns.items()
        if row["iso3"] in COUNTRIES and row[column]
    }
    zeros = {k for k, v in expected.items() if v == 0 and k[0] in {"TKM", "IRN", "AFG"} and "remittances" in k[2]}
    found = {
        (r["place"], r["year"], r["variable"]): r["value"]
        for r in pack().table("economy").to_dicts()
        if r["place"] in COUNTRIES
    }
    assert found == {k: v for k, v in expected.items() if k not in zeros}
    assert len(zeros) == 2 * (19 + 19 + 3)
    share = "select value from economy where year=2022 and variable='remittances_share_gdp' and place='{}'"
    assert [round(one(share.format(c)), 1) for c in ("TJK", "KGZ", "UZB", "KAZ")] == [49.9, 26.6, 17.2, 0.2]


def test_income_of_the_baltic_block_is_weighted_by_people():
    people = {
        r["iso3"]: int(r["population"])
        for r in raw("un_wpp2024", "wpp2024_population_vital_1950_2023.csv")
        if r["year"] == "2015" and r["iso3"] in MEMBERS["XBA"]
    }
    income = {
        r["iso3"]: float(r["gdp_pc_ppp_2021"])
        for r in raw("world_bank_wdi", "wdi_country_year.csv")
        if r["year"] == "2015" and r["iso3"] in MEMBERS["XBA"]
    }
    mean = sum(people[c] * income[c] for c in people) / sum(people.values())
    query = "select value from economy where place='XBA' and year=2015 and variable='gdp_pc_ppp'"
    assert one(query) == pytest.approx(mean, abs=0.05)


@pytest.mark.parametrize(
    ("sender", "receiver", "value"),
    [("RUS", "UZB", 2801), ("RUS", "KGZ", 2002), ("RUS", "TJK", 1626), ("RUS", "KAZ", 395), ("KAZ", "TJK", 128)],
)
def test_remittance_matrix(sender, receiver, value):
    query = f"select value from remittances where sender='{sender}' and receiver='{receiver}'"
    assert one(query) == value


def test_pairs_that_the_matrix_lacks_stay_absent():
    assert total("select count(*) from remittances where sender='KAZ' and receiver='UZB'") == 0
    assert one("select distinct status from remittances where sender='XEU'") == "computed"


FIRST, NEW = {"FI", "NA", "FA", "IN", "EO", "TA", "SP", "TP"}, {"N", "NR", "NA", "FA", "V", "SP"}


def test_every_asylum_number_is_the_sum_of_persons_heard_first():
    claims, decisions = defaultdict(int), defaultdict(lambda: [0, 0, 0, 0])
    for row in raw("unhcr_asylum", "unhcr_asylum_applications.csv"):
        if row["app_pc"] == "P" and row["dec_level"] in FIRST and row["app_type"] in NEW:
            claims[int(row["year"]), row["orig"], row["asylum"]] += int(row["applied"])
    for row in raw("unhcr_asylum", "unhcr_asylum_decisions.csv"):
        if row["dec_pc"] == "P" and row["dec_level"] in FIRST:
            for i, column in enumerate(("dec_recognized", "dec_other", "dec_rejected", "dec_closed")):
                decisions[int(row["year"]), row["orig"], row["asylum"]][i] += int(row[column])
    frame = pack().table("asylum")
    found = {(r["year"], r["origin"], r["destination"]): r for r in frame.to_dicts()}
    pairs = {k for k in {*claims, *decisions} if k[1] in COUNTRIES and k[2] in COUNTRIES and k[1] != k[2]}
    assert pairs == {k for k in found if k[1] in COUNTRIES and k[2] in COUNTRIES}
    for key in pairs:
        row = found[key]
        assert row["applications"] == claims.get(key), key
        numbers = [row[c] for c in ("recognised", "other_protection", "rejected", "closed")]
        assert numbers == decisions.get(key, [None] * 4), key
    # A block: Afghans in the EU, EFTA and United Kingdom, 2015.
    expected = sum(n for (y, o, d), n in claims.items() if (y, o) == (2015, "AFG") and d in MEMBERS["XEU"])
    assert found[2015, "AFG", "XEU"]["applications"] == expected


def test_refugees_and_their_two_traps():
    query = "select refugees from refugees where origin='{}' and destination='{}' and year={}"
    assert [one(query.format("XUN", "KAZ", year)) for year in (2023, 2024)] == [42_412, 65_511]
    assert one(query.format("UKR", "KAZ", 2025)) == 4_145
    assert one(query.format("AFG", "IRN", 2023)) == 3_752_317
    assert "artefact" in one("select note from refugees where origin='XUN' and destination='KAZ' and year=2023")
    assert "refugee-like" in one("select note from refugees where origin='AFG' and destination='IRN' and year=2023")


def test_conflict_deaths():
    query = "select {} from conflict where place='{}' and year={}"
    assert [one(query.format("best", "AFG", year)) for year in (2021, 2022)] == [35_787, 908]
    expected = {
        (r["iso3"], int(r["year"])): int(r["best"])
        for r in raw("conflict_ucdp", "battle_deaths_country_year.csv")
        if r["iso3"] in COUNTRIES and int(r["year"]) >= 1990
    }
    found = pack().table("conflict").filter(pack().table("conflict")["place"].is_in(sorted(COUNTRIES)))
    assert {(r["place"], r["year"]): r["best"] for r in found.to_dicts()} == expected
    assert [one(query.format("best", place, year)) for year in (2021, 2022) for place in ("KGZ", "TJK")] == [
        40,
        16,
        64,
        88,
    ]
    assert total("select count(*) from conflict where not (low <= best and best <= high)") == 0


def test_distances_of_countries_are_the_publishers():
    expected = {
        (r["iso_o"], r["iso_d"]): (float(r["dist"]), r["contig"] == "1", r["colony"] == "1")
        for r in raw("cepii_geodist", "dist_cepii.csv")
        if r["iso_o"] in COUNTRIES and r["iso_d"] in COUNTRIES and r["iso_o"] != r["iso_d"]
    }
    found = {
        (r["origin"], r["destination"]): (r["distance_km"], r["contiguous"], r["colonial_tie"])
        for r in pack().table("distances").to_dicts()
        if r["origin"] in COUNTRIES and r["destination"] in COUNTRIES
    }
    assert found == expected
    # Russia's official language: shared with two of the five, as the publisher has it.
    query = "select destination from distances where origin='RUS' and common_language_official order by 1"
    shared_with = set(pack().sql(query)["destination"])
    assert shared_with & {"KAZ", "KGZ", "TJK", "UZB", "TKM"} == {"KAZ", "KGZ"}
    assert one("select contiguous from distances where origin='RUS' and destination='XEU'") is True


def test_visas_of_countries_are_the_publishers():
    found = {
        (str(r["date"]), r["origin"], r["destination"]): (r["requirement"], r["days"])
        for r in pack().table("visas").to_dicts()
        if r["origin"] in COUNTRIES and r["destination"] in COUNTRIES
    }
    for row in raw("passport_index", "passport_index_2025-01-12.csv"):
        key = ("2025-01-12", row["passport"], row["destination"])
        if {key[1], key[2]} <= COUNTRIES and key[1] != key[2]:
            text = row["requirement"]
            expected = ("visa_free", int(text)) if text.isdigit() else (text.replace(" ", "_").replace("-", "_"), None)
            assert found[key] == expected, key
    assert found["2025-01-12", "TJK", "KGZ"] == ("no_admission", None)
    assert len({k[0] for k in found}) == 6


def test_detections_as_frontex_published_them():
    year = "select sum(detections) from detections where year={}"
    assert [total(year.format(y)) for y in (2015, 2023, 2024, 2025)] == [1_822_102, 381_319, 240_021, 50_226]
    origin = "select sum(detections) from detections where origin='{}'"
    found = [total(origin.format(o)) for o in ("UZB", "TJK", "TKM", "KAZ", "KGZ", "AFG")]
    assert found == [190, 169, 101, 94, 80, 591_301]


def test_enforcement_by_block_adds_up_to_the_reporting_countries():
    expected = defaultdict(int)
    for row in raw("eurostat_enforcement", "eurostat_found_illegally_present_by_citizen.csv"):
        if row["citizen_iso3"] == "UZB" and row["n"] and row["geo_iso3"] != "MNE":
            expected[int(row["year"])] += int(row["n"])
    query = (
        "select year, sum(persons) as n from enforcement where origin='UZB' and measure='found_present' group by year"
    )
    assert dict(pack().sql(query).iter_rows()) == expected
    returned = "select sum(persons) from enforcement where measure='returned' and year=2023 and origin='{}'"
    montenegro = {
        r["citizen_iso3"]: int(r["n"])
        for r in raw("eurostat_enforcement", "eurostat_returned_following_order_by_citizen.csv")
        if r["geo_iso3"] == "MNE" and r["year"] == "2023" and r["n"]
    }
    stated = {"UZB": 2480, "TJK": 550, "KGZ": 630}
    assert {o: total(returned.format(o)) + montenegro.get(o, 0) for o in stated} == stated


def test_the_dead_and_missing():
    query = "select sum(dead_missing) from deaths where origin='{}'"
    assert [total(query.format(o)) for o in ("UZB", "KGZ", "KAZ")] == [53, 14, 1]
    everyone = sum(int(r["dead_missing"]) for r in raw("iom_missing_migrants", "mmp_year_origin_route.csv"))
    assert total("select sum(dead_missing) from deaths") == everyone


def test_without_the_evidence_the_cited_tables_stay_as_they_are(tmp_path):
    (tmp_path / "data").symlink_to(shared("data"))
    build(tmp_path / "data", tmp_path / "pack")
    for path in sorted((PACKS / "central_asia").glob("*.csv")):
        assert (tmp_path / "pack" / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("origin", ["AFG", "PAK", "GEO"])
def test_asylum_agrees_with_another_publisher(origin):
    """Eurostat counts first-time applicants of the same states, rounded to 5; some states give UNHCR cases only."""
    eurostat = defaultdict(int)
    for row in raw("eurostat_enforcement", "eurostat_first_time_asylum_applicants.csv"):
        if row["citizen_iso3"] == origin and row["geo_iso3"] in MEMBERS["XEU"]:
            eurostat[int(row["year"])] += int(row["n"])
    where = f"origin='{origin}' and destination='XEU' and year between 2011 and 2023"
    for year, applications in pack().sql(f"select year, applications from asylum where {where}").iter_rows():
        assert 0.75 < applications / eurostat[year] < 1.1, year
