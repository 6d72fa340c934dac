"""Rules of the builder on tiny files in the publishers' layout: what is added up, missing, remarked."""

from pathlib import Path

import polars as pl
import pytest

from zhol.publishers import cepii, eurostat, frontex, knomad, passport_index, ucdp, undesa_stock, unhcr, world_bank, wpp
from zhol.publishers.build import _remarked
from zhol.publishers.plan import Plan

PLACES = pl.DataFrame(
    {
        "place": ["KAZ", "UZB", "XEU", "XRW", "XUN"],
        "kind": ["country", "country", "block", "rest", "unknown"],
        "members": [None, None, "DEU;FRA", None, None],
    }
)
PLAN = Plan(
    folder=Path("tiny"),
    places=PLACES,
    code_of={"KAZ": "KAZ", "UZB": "UZB", "DEU": "XEU", "FRA": "XEU"},
    members={"XEU": ["DEU", "FRA"]},
    rest="XRW",
    unknown="XUN",
    options={"first_year": 1990, "least_share_of_block": 0.95, "distance_weights_year": 2005},
)


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.strip().replace(" ", "") + "\n", encoding="utf-8")


def stocks(root: Path, old: str, new: str) -> dict[tuple, dict]:
    head = "year,orig,dest,total,male,female,basis\n"
    write(root, "undesa_ims/ims_bilateral_rev2020.csv", head + old)
    write(root, "undesa_ims/ims_bilateral_rev2024.csv", head + new)
    frame = undesa_stock.tables(root, PLAN)["stocks"]
    return {(r["year"], r["origin"], r["destination"], r["revision"]): r for r in frame.to_dicts()}


def test_both_revisions_stand_side_by_side_and_equal_cells_are_marked(tmp_path):
    found = stocks(
        tmp_path,
        "2020,UZB,KAZ,10,4,6,BR\n2020,KAZ,UZB,7,3,4,B\n2015,UZB,KAZ,5,2,3,BR",
        "2020,UZB,KAZ,12,5,7,BR\n2020,KAZ,UZB,7,3,4,B\n2024,UZB,KAZ,9,4,5,BR",
    )
    assert [found[2020, "UZB", "KAZ", r]["persons"] for r in (2020, 2024)] == [10, 12]
    assert [found[2020, "UZB", "KAZ", r]["source_id"] for r in (2020, 2024)] == ["UNDESA2020", "UNDESA2024"]
    assert found[2020, "UZB", "KAZ", 2020]["same_in_both"] is False
    assert found[2020, "KAZ", "UZB", 2024]["same_in_both"] is True
    assert found[2015, "UZB", "KAZ", 2020]["same_in_both"] is None
    assert found[2024, "UZB", "KAZ", 2024]["same_in_both"] is None


def test_a_block_is_the_sum_of_its_cells_and_keeps_nothing_that_stays_inside(tmp_path):
    found = stocks(
        tmp_path,
        "2020,DEU,KAZ,10,4,6,B\n2020,FRA,KAZ,1,1,0,BR\n2020,DEU,FRA,99,50,49,B\n2020,JPN,PER,5,2,3,B\n2020,OOO,KAZ,8,4,4,B",
        "2020,KAZ,DEU,3,1,2,C",
    )
    row = found[2020, "XEU", "KAZ", 2020]
    assert (row["persons"], row["men"], row["women"], row["cells"], row["basis"]) == (11, 5, 6, 2, "B;BR")
    assert row["status"] == "computed"
    assert (2020, "XEU", "XEU", 2020) not in found and (2020, "XRW", "XRW", 2020) not in found
    assert (found[2020, "XUN", "KAZ", 2020]["persons"], found[2020, "XUN", "KAZ", 2020]["status"]) == (8, "published")
    assert found[2020, "KAZ", "XEU", 2024]["status"] == "computed"  # one member is still not the block's own figure


def test_missing_pairs_stay_missing_and_a_published_zero_stays_zero(tmp_path):
    found = stocks(tmp_path, "2020,UZB,KAZ,0,0,0,B", "2020,KAZ,UZB,1,0,1,B")
    assert set(found) == {(2020, "UZB", "KAZ", 2020), (2020, "KAZ", "UZB", 2024)}
    assert found[2020, "UZB", "KAZ", 2020]["persons"] == 0


def test_a_later_revision_needs_no_new_code(tmp_path):
    write(
        tmp_path, "undesa_ims/ims_bilateral_rev2028.csv", "year,orig,dest,total,male,female,basis\n2028,UZB,KAZ,4,2,2,B"
    )
    found = stocks(tmp_path, "2020,UZB,KAZ,1,0,1,B", "2020,UZB,KAZ,1,0,1,B")
    assert found[2028, "UZB", "KAZ", 2028]["source_id"] == "UNDESA2028"


def test_namibia_is_not_a_missing_code(tmp_path):
    write(
        tmp_path,
        "remittance_matrix/bilateral_remittances_2018.csv",
        "sender_iso3,receiver_iso3,usd_million\nKAZ,NA,2.5",
    )
    frame = knomad.tables(tmp_path, PLAN)["remittances"]
    assert frame.select("sender", "receiver", "value").rows() == [("KAZ", "XRW", 2.5)]


VITAL = "iso3,year,population,births_k,deaths_k,net_migration_k\n"
PROJECTION = "iso3,year,popM,popF,pop_80l,pop_80u,pop_95l,pop_95u\n"
AGES = "iso3,year,sex,age_group,pop_k\n"


def people(root: Path, vital: str = "", projection: str = "", ages: str = "") -> pl.DataFrame:
    write(root, "un_wpp2024/wpp2024_population_vital_1950_2023.csv", VITAL + vital)
    write(root, "un_wpp2024/wpp2024_population_projection_2024_2060.csv", PROJECTION + projection)
    write(root, "un_wpp2024/wpp2019_population_broad_age_sex_1950_2020.csv", AGES + ages)
    return wpp.tables(root, PLAN)["population"]


def test_thousands_become_exact_persons_and_world_is_not_a_place(tmp_path):
    frame = people(tmp_path, "KAZ,2000,15236253,222.054,149.778,-108.307\nWLD,2000,,1,1,1\nKAZ,1989,1,1,1,1")
    assert dict(frame.select("variable", "value").iter_rows()) == {
        "persons": 15236253,
        "births": 222054,
        "deaths": 149778,
        "net_migration": -108307,
    }


def test_a_projection_has_two_intervals_and_a_block_adds_bounds(tmp_path):
    frame = people(tmp_path, projection="DEU,2030,1,2,2.5,3.5,2,4\nFRA,2030,10,10,19,21,18,23\nKAZ,2030,5,5,9,11,8,12")
    rows = {(r["place"], r["level"]): r for r in frame.to_dicts()}
    assert [rows["KAZ", level][k] for level in (80, 95) for k in ("value", "low", "high")] == [
        *(10000, 9000, 11000),
        *(10000, 8000, 12000),
    ]
    assert [rows["XEU", 95][k] for k in ("value", "low", "high", "status")] == [23000, 20000, 27000, "computed"]
    assert "rather too wide" in rows["XEU", 95]["note"] and rows["KAZ", 80]["note"].startswith("on 31 December")


def test_working_age_is_15_to_64_over_all(tmp_path):
    ages = [("0-14", 30), ("15-24", 20), ("25-44", 25), ("45-64", 15), ("65+", 10)]
    rows = "\n".join(f"KAZ,2020,{sex},{age},{n}" for sex in "FM" for age, n in ages)
    frame = people(tmp_path, ages=rows)
    assert frame.select("value", "source_id", "unit").rows() == [(0.6, "WPP2019", "share")]


def test_a_block_mean_is_weighted_and_needs_nearly_all_its_people(tmp_path):
    people(tmp_path, "DEU,2000,90,,,\nFRA,2000,10,,,\nDEU,2001,90,,,\nFRA,2001,10,,,\nKAZ,2000,5,,,")
    head = (
        "iso3,year,gdp_pc_ppp_2021,gdp_usd,unemployment_pct,remittances_received_usd,remittances_paid_usd,"
        "remittances_pct_gdp\n"
    )
    write(
        tmp_path,
        "world_bank_wdi/wdi_country_year.csv",
        head + "DEU,2000,10,100,5,7,,\nFRA,2000,20,50,5,8,2,\nDEU,2001,10,100,5,,,\nKAZ,2000,3,9,6,0,1,0",
    )
    frame = world_bank.tables(tmp_path, PLAN)["economy"]
    values = {(r["place"], r["year"], r["variable"]): r["value"] for r in frame.to_dicts()}
    assert values["XEU", 2000, "gdp_pc_ppp"] == 11  # 90 people at 10, 10 people at 20
    assert values["XEU", 2000, "gdp_usd"] == 150 and values["XEU", 2000, "remittances_received"] == 15
    assert ("XEU", 2000, "remittances_paid") not in values  # France alone is 10 % of the block
    assert ("XEU", 2001, "gdp_usd") not in values  # Germany alone is 90 %
    assert ("XEU", 2000, "unemployment") not in values
    assert values["KAZ", 2000, "remittances_received"] == 0


def asylum(root: Path, applications: str, decisions: str = "") -> list[dict]:
    write(
        root,
        "unhcr_asylum/unhcr_asylum_applications.csv",
        "year,orig,asylum,procedure_type,app_type,dec_level,app_pc,applied\n" + applications,
    )
    write(
        root,
        "unhcr_asylum/unhcr_asylum_decisions.csv",
        "year,orig,asylum,procedure_type,dec_level,dec_pc,dec_recognized,dec_other,dec_rejected,dec_closed,dec_total\n"
        + decisions,
    )
    write(root, "unhcr_population/unhcr_population.csv", "year,orig,asylum,refugees,asylum_seekers\n2020,UZB,KAZ,1,0")
    return unhcr.tables(root, PLAN)["asylum"].to_dicts()


def test_asylum_counts_persons_heard_for_the_first_time_once(tmp_path):
    (row,) = asylum(
        tmp_path,
        "2020,UZB,KAZ,G,N,FI,P,10\n2020,UZB,KAZ,U,N,FI,P,3\n2020,UZB,KAZ,G,A,AR,P,8\n2020,UZB,KAZ,G,R,RA,P,2\n"
        "2020,UZB,KAZ,G,A,JR,P,4\n2020,UZB,KAZ,G,N,FI,C,6",
        "2020,UZB,KAZ,G,FI,P,1,2,3,4,10\n2020,UZB,KAZ,G,AR,P,50,50,50,50,200\n2020,UZB,KAZ,G,FI,C,9,9,9,9,36",
    )
    assert [row[c] for c in ("applications", "recognised", "other_protection", "rejected", "closed")] == [
        13,
        1,
        2,
        3,
        4,
    ]
    assert row["status"] == "computed"  # two authorities added up
    assert row["note"] == "a further 6 new claims are published as cases, not persons, and are not added"


def test_asylum_keeps_what_cannot_be_parted_and_says_so(tmp_path):
    (row,) = asylum(tmp_path, "2009,UZB,KAZ,J,NR,FA,P,12")
    assert (row["applications"], row["recognised"], row["status"]) == (12, None, "published")
    assert row["note"] == "includes repeat claims"


def test_asylum_by_cases_only_is_no_row(tmp_path):
    assert asylum(tmp_path, "2018,UZB,KAZ,G,N,FI,C,12") == []


def test_conflict_bounds_that_miss_the_best_count_are_widened_and_older_series_left_out(tmp_path):
    write(
        tmp_path,
        "conflict_ucdp/battle_deaths_country_year.csv",
        "iso3,year,low,best,high,source\nKAZ,2000,5,7,9,UCDPGED\nUZB,2000,5,7,6,UCDPGED\nKAZ,1991,1,1,1,PRIO",
    )
    rows = {r["place"]: r for r in ucdp.tables(tmp_path, PLAN)["conflict"].to_dicts()}
    assert [rows["KAZ"][k] for k in ("low", "best", "high", "status", "note")] == [5, 7, 9, "published", None]
    assert [rows["UZB"][k] for k in ("low", "best", "high", "status")] == [5, 7, 7, "computed"]
    assert rows["UZB"]["note"] == "published bounds 5 and 6 do not contain the best count; widened to it"


def test_distance_to_a_block_is_weighted_by_both_populations(tmp_path):
    people(tmp_path, "DEU,2005,30,,,\nFRA,2005,10,,,\nKAZ,2005,5,,,\nUZB,2005,5,,,")
    write(
        tmp_path,
        "cepii_geodist/dist_cepii.csv",
        "iso_o,iso_d,dist,contig,comlang_off,comlang_ethno,colony,comcol\nKAZ,DEU,100,0,0,0,0,0\nKAZ,FRA,200,0,1,0,0,0\n"
        "KAZ,UZB,77.5,1,0,0,0,1\nKAZ,JPN,9,0,0,0,0,0\nDEU,FRA,1,1,0,0,0,0",
    )
    rows = {(r["origin"], r["destination"]): r for r in cepii.tables(tmp_path, PLAN)["distances"].to_dicts()}
    assert set(rows) == {("KAZ", "XEU"), ("KAZ", "UZB")}
    assert rows["KAZ", "XEU"]["distance_km"] == 125 and rows["KAZ", "XEU"]["common_language_official"] is True
    assert (rows["KAZ", "UZB"]["distance_km"], rows["KAZ", "UZB"]["status"]) == (77.5, "published")


def visas(root: Path, cells: str) -> dict[tuple, dict]:
    (root / "passport_index").mkdir(parents=True, exist_ok=True)
    (root / "passport_index/passport_index_2025-01-12.csv").write_text("passport,destination,requirement\n" + cells)
    (root / "passport_index/passport_index_snapshots_2019_2025_region.csv").write_text(
        "snapshot,passport,destination,requirement\n2019-12-17,KAZ,UZB,visa free\n"
    )
    return {
        (r["origin"], r["destination"], r["date"]): r for r in passport_index.tables(root, PLAN)["visas"].to_dicts()
    }


def test_visa_words_and_days(tmp_path):
    rows = visas(
        tmp_path, "KAZ,UZB,30\nUZB,KAZ,e-visa\nKAZ,DEU,90\nKAZ,FRA,60\nDEU,KAZ,30\nFRA,KAZ,visa required\nUZB,DEU,14\n"
    )
    day = "2025-01-12"
    assert [rows["KAZ", "UZB", day][k] for k in ("requirement", "days", "status")] == ["visa_free", 30, "published"]
    assert rows["KAZ", "UZB", "2019-12-17"]["days"] is None
    assert rows["UZB", "KAZ", day]["requirement"] == "e_visa"
    assert [rows["KAZ", "XEU", day][k] for k in ("requirement", "days")] == ["visa_free", None]  # days differ
    assert rows["XEU", "KAZ", day]["requirement"] == "mixed"
    assert rows["XEU", "KAZ", day]["note"] == "2 pairs: visa_free 1, visa_required 1"
    assert ("UZB", "XEU", day) not in rows  # one member of two says nothing of the block


def test_months_are_added_and_the_stateless_are_of_unknown_origin(tmp_path):
    write(
        tmp_path,
        "frontex_ibc/frontex_detections_monthly.csv",
        "month,route,type,nationality,n\n2020-01,West,Land,UZB,2\n2020-12,West,Sea,UZB,3\n2020-02,West,Sea,STL,4\n"
        "2020-02,West,Sea,OOO,1\n2020-02,West,Sea,OOS,6",
    )
    rows = frontex.tables(tmp_path, PLAN)["detections"].select("origin", "detections").rows()
    assert sorted(rows) == [("UZB", 5), ("XRW", 6), ("XUN", 5)]


def test_a_year_of_zeros_only_is_no_report(tmp_path):
    head = "year,citizen,citizen_iso3,geo,geo_iso3,n\n"
    found = "eurostat_enforcement/eurostat_found_illegally_present_by_citizen.csv"
    returned = "eurostat_enforcement/eurostat_returned_following_order_by_citizen.csv"
    write(
        tmp_path,
        found,
        head + "2020,Uzbekistan,UZB,Germany,DEU,5\n2020,Kazakhstan,KAZ,Germany,DEU,0\n2020,Uzbekistan,UZB,France,FRA,0",
    )
    write(
        tmp_path,
        returned,
        head + "2020,Asia,,Germany,DEU,90\n2020,Unknown,,Germany,DEU,5\n2020,Uzbekistan,UZB,Germany,DEU,",
    )
    frame = eurostat.tables(tmp_path, PLAN)["enforcement"]
    rows = {(r["measure"], r["origin"]): (r["persons"], r["cells"], r["reporting"]) for r in frame.to_dicts()}
    assert rows == {
        ("found_present", "UZB"): (5, 1, 1),
        ("found_present", "KAZ"): (0, 1, 1),
        ("returned", "XUN"): (5, 1, 1),
    }


@pytest.fixture
def table():
    return {"economy": pl.DataFrame({"place": ["A", "A", "B"], "year": [2004, 2005, 2005], "value": [1.0, 0.0, 0.0]})}


def test_a_remark_adds_a_note_or_leaves_rows_out(table):
    where = {"place": "A", "year": {"from": 2005}, "value": 0}
    noted = _remarked(table, {"table": "economy", "where": where, "note": "why"}, PLAN)
    assert noted["note"].to_list() == [None, "why", None]
    again = _remarked({"economy": noted}, {"table": "economy", "where": where, "note": "and so"}, PLAN)
    assert again["note"].to_list() == [None, "why; and so", None]
    left = _remarked(table, {"table": "economy", "where": where, "drop": True, "note": "no"}, PLAN)
    assert left.select("place", "year").rows() == [("A", 2004), ("B", 2005)]
