"""Cited figures and events: no row lost, every number as published, every row with a source, codes and dates known."""

import csv
from datetime import date

import polars as pl
import pytest
from shared_data import shared

from zhol.core.errors import ZholError
from zhol.publishers import evidence
from zhol.publishers.evidence import rules
from zhol.publishers.evidence.citations import Citations
from zhol.publishers.evidence.periods import period
from zhol.publishers.evidence.places import members, place
from zhol.region import schema

LABOUR = "labour_migration_cited_figures.csv"
GROUPS = {"WLD", "XCA", "XCI", "XEE", "XCS", "XVF", "XRW", "XUN"}


@pytest.fixture(scope="module")
def tables():
    return evidence.tables(shared("evidence").parent)


@pytest.fixture(scope="module")
def figures(tables):
    return tables["figures"]


def raw(*parts):
    with shared(*parts).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("written", "start", "end"),
    [
        ("2008", "2008-01-01", "2008-12-31"),
        ("2016-02", "2016-02-01", "2016-02-29"),
        ("2014-09-23", "2014-09-23", "2014-09-23"),
        ("2025-H1", "2025-01-01", "2025-06-30"),
        ("2024-Q1", "2024-01-01", "2024-03-31"),
        ("2023-Q4", "2023-10-01", "2023-12-31"),
        ("FY2024", "2023-10-01", "2024-09-30"),
        ("c. 2017", "2017-01-01", "2017-12-31"),
        ("before 2016", "", "2015-12-31"),
        ("2015 (Jan-Oct)", "2015-01-01", "2015-10-31"),
        ("2022 (10 months)", "2022-01-01", "2022-10-31"),
        ("2015 (5.5 months)", "2015-01-01", "2015-06-15"),
        ("2014 (9 months)", "2014-01-01", "2014-09-30"),
        ("2023 (part year)", "2023-01-01", "2023-12-31"),
        ("2008-2017", "2008-01-01", "2017-12-31"),
        ("2014/15", "2014-01-01", "2015-12-31"),
        ("2020/22", "2020-01-01", "2022-12-31"),
        ("2014-01/02", "2014-01-01", "2014-02-28"),
        ("2021-10/2023-10", "2021-10-01", "2023-10-31"),
        ("2022-09-21/10-04", "2022-09-21", "2022-10-04"),
        ("1992-05/1997-06", "1992-05-01", "1997-06-30"),
        ("2022-02-24/2022", "2022-02-24", "2022-12-31"),
        ("2020-03/2021-06-05", "2020-03-01", "2021-06-05"),
        ("late 1980s-1996", "", "1996-12-31"),
    ],
)
def test_dates_as_sources_write_them(written, start, end):
    read = period(written)
    assert (read.start, read.end) == (start, end)


@pytest.mark.parametrize("written", ["", "spring", "2014-13-40x", "2014-03-05/09", "2014 or 2015", "2019-Q9"])
def test_a_date_that_cannot_be_read_stays_empty_with_a_note(written):
    read = period(written)
    assert (read.start, read.end) == ("", "")
    assert read.note


def test_no_row_of_the_figures_is_lost(figures):
    ids = set(figures["figure_id"])
    assert {row["id"] for row in raw("evidence", "figures.csv")} <= ids
    notes = " ".join(figures["note"].drop_nulls())
    kept, merged, left_out = 0, 0, 0
    for order, row in enumerate(raw("data", "labour_migration_cited", LABOUR), start=1):
        name = f"L{order:03d}"
        if row["indicator"] == "controlled_persons_register":
            left_out += 1
            assert name not in ids
        elif name in ids:
            kept += 1
            assert f"also {name} " not in notes
        else:
            merged += 1
            assert f"also {name} of the labour list" in notes
    assert kept + merged + left_out == 171
    assert left_out == 2
    assert figures["figure_id"].is_duplicated().sum() == 0


def test_numbers_are_those_of_the_file(figures):
    # F083: its lower bound is recalled, not read, so it is left out.
    left_out = {("F083", "low")}
    rows = {row["figure_id"]: row for row in figures.iter_rows(named=True)}
    for row in raw("evidence", "figures.csv"):
        for column, written in (("value", "point"), ("low", "low"), ("high", "high")):
            expected = float(row[written]) if row[written] and (row["id"], column) not in left_out else None
            assert rows[row["id"]][column] == expected, (row["id"], column)
    for order, row in enumerate(raw("data", "labour_migration_cited", LABOUR), start=1):
        if f"L{order:03d}" in rows:
            mine = rows[f"L{order:03d}"]
            assert mine["value"] == float(row["value"])
            assert (mine["date_start"], mine["date_end"]) == (row["period_start"], row["period_end"])
            assert mine["rounded"] == (row["is_rounded"] == "1")


def test_a_merged_figure_names_both_sources(figures):
    merged = figures.filter(pl.col("note").str.contains("of the labour list"))
    assert merged.height > 30
    pages = {row["source_id"]: row["url"] for row in evidence.sources(shared("evidence").parent).iter_rows(named=True)}
    listed = raw("data", "labour_migration_cited", LABOUR)
    for row in merged.iter_rows(named=True):
        order = int(row["note"].split("also L")[1][:3])
        assert row["value"] == float(listed[order - 1]["value"])
        assert row["destination"] == place(listed[order - 1]["destination"], file="", row=0, column="")[0]
        cited = {pages[i] for i in row["source_id"].split(";")}
        written = listed[order - 1]["source_url"]
        assert written in cited or None in cited, row["figure_id"]


def test_every_figure_says_what_it_counts_how_and_why_no_interval(figures):
    concepts, grades = set(rules.lookup("concepts", "concept", "measures")), rules.lookup("grades", "method", "grade")
    units = set(rules.lookup("units", "written", "unit").values())
    for row in figures.iter_rows(named=True):
        where = row["figure_id"]
        assert row["concept"] in concepts and row["unit"] in units, where
        assert row["method"] != "same" and row["grade"] == grades[row["method"]], where
        assert row["definition"] and row["source_id"], where
        numbers = [row[c] for c in ("low", "value", "high") if row[c] is not None]
        assert numbers and numbers == sorted(numbers), where
        if len(numbers) < 3:
            assert row["note"].startswith(("no interval: ", "no central value: ")), where


def test_definitions_of_one_quantity_are_kept_apart(figures):
    rival = figures.filter(pl.col("quantity") == "KZ_irregular_stock")
    assert set(rival["figure_id"]) == {"F001", "F003", "F004", "F005", "F006", "F007", "F008", "F009"}
    stock = rival.filter(pl.col("concept") == "irregular_stock")
    assert dict(zip(stock["figure_id"], stock["value"], strict=True)) == {"F001": 2_000_000.0, "F003": 300_000.0}
    assert rival["concept"].n_unique() == 7


def test_places_and_dates_of_every_row_are_known(tables):
    known = set(members()) | GROUPS
    for name in ("figures", "events"):
        for row in tables[name].iter_rows(named=True):
            assert {row["origin"], row["destination"]} <= known
            start, end = (date.fromisoformat(row[c]) if row[c] else None for c in ("date_start", "date_end"))
            assert end is not None and (start is None or start <= end)
    open_ended = tables["figures"].filter(pl.col("date_start").is_null())["figure_id"].to_list()
    assert open_ended == ["F066", "F146"]


@pytest.mark.parametrize(
    ("figure", "origin", "destination"),
    [
        ("F001", "WLD", "KAZ"),
        ("F010", "XCI", "KAZ"),
        ("F022", "RUS", "KAZ"),
        ("F032", "XVF", "RUS"),
        ("F033", "UZB", "RUS"),
        ("F064", "UZB", "WLD"),
        ("F079", "XCA", "RUS"),
        ("F102", "WLD", "XCS"),
        ("F107", "AFG", "XEU"),
        ("F115", "RUS", "TJK"),
        ("F123", "WLD", "TJK"),
        ("F137", "XCA", "USA"),
        ("F140", "KGZ", "XEU"),
        ("F142", "WLD", "XCA"),
        ("F145", "TJK", "WLD"),
        ("F160", "WLD", "UZB"),
    ],
)
def test_ends_of_a_corridor(figures, figure, origin, destination):
    row = figures.row(by_predicate=pl.col("figure_id") == figure, named=True)
    assert (row["origin"], row["destination"]) == (origin, destination)


def test_nothing_finer_than_a_first_order_unit_and_no_coerced_data(figures):
    part = figures.filter(pl.col("figure_id").is_in(["F009", "F018"]))
    assert part["note"].str.contains("oblast|first-order unit").all()
    text = " ".join(str(v) for row in figures.iter_rows() for v in row).lower()
    assert "controlled" not in text
    assert "illegal" not in text


def test_events_keep_their_before_after_and_value(tables):
    events = {row["event_id"]: row for row in tables["events"].iter_rows(named=True)}
    file = raw("evidence", "events.csv")
    assert list(events) == [row["id"] for row in file]
    for row in file:
        mine = events[row["id"]]
        assert mine["validation_value"] == int(row["validation_value_1to5"])
        assert (mine["before"] or "", mine["kind"]) == (row["before"].replace("illegal", "irregular"), row["type"])
        assert mine["date_start"][:4] == row["date"][:4]
    recalled = {i for i, row in events.items() if row["status"] == "recalled"}
    assert recalled == {row["id"] for row in file if row["status"] == "recalled_to_be_verified"}


def test_every_row_names_sources_that_are_described(tables):
    described = evidence.sources(shared("evidence").parent)
    assert described["source_id"].is_duplicated().sum() == 0
    assert described.filter(pl.col("title").is_null() | pl.col("publisher").is_null()).height == 0
    known = set(described["source_id"]) | {"CEPII", "SEED2009"}
    for name, frame in tables.items():
        assert frame["source_id"].null_count() == 0, name
        cited = set(frame["source_id"].str.split(";").explode())
        assert cited <= known, (name, cited - known)
        assert frame["status"].is_in(["published", "computed", "read_primary", "read_secondary", "recalled"]).all()
        assert frame.columns == schema.table(name).names


def test_addresses_are_public_or_absent():
    urls = evidence.sources(shared("evidence").parent)["url"].drop_nulls()
    assert urls.str.contains(r"^https?://[^\s]+\.[^\s]+$").all()


def test_the_same_files_give_the_same_tables(tables):
    again = evidence.tables(shared("evidence").parent)
    assert all(again[name].equals(frame) for name, frame in tables.items())


def test_the_shipped_tables_are_the_built_ones(tables):
    from importlib.resources import files

    from zhol.publishers.build import _csv

    for name, frame in tables.items():
        assert files("zhol.packs").joinpath("central_asia", f"{name}.csv").read_bytes() == _csv(frame), name


@pytest.mark.parametrize(
    ("text", "url", "expected"),
    [
        ("FMS via Ferghana", "https://enews.fergananews.com/news.php?id=2744", 1),
        ("TASS 28 Jun 2012 (a; b); MEA brief", "", 2),
        ("24.kg", "https://24.kg/english/78295 ; https://24.kg/english/1", 2),
        ("cis-legislation.com rgn=4153, rgn=26267", "", 2),
        ("memory", "", 1),
    ],
)
def test_each_source_of_a_citation_is_one_row(text, url, expected):
    citations = Citations()
    assert len(citations.cite(text, url).split(";")) == expected
    assert citations.frame().height == expected


def write(folder, name, header, row):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, row])


HEADER = (
    "id,conflict_group,indicator,corridor_or_country,date,low,high,point,unit,definition,method,source,url,status,note"
)
ROW = [
    "F1",
    "KZ_irregular_stock",
    "irregular stock",
    "KAZ",
    "2008",
    "",
    "",
    "5",
    "persons",
    "d",
    "survey",
    "Levada",
    "",
]


@pytest.mark.parametrize(
    ("column", "word", "message"),
    [
        (10, "tarot", "figures.csv, row 2, column method: word without a rule in grades.csv; found 'tarot'"),
        (8, "souls", "figures.csv, row 2, column unit: word without a rule in units.csv; found 'souls'"),
        (3, "XQX", "figures.csv, row 2, column corridor_or_country: unknown place; found 'XQX'"),
        (2, "mood", "figures.csv, row 2, column indicator: indicator without a rule; found 'KZ_irregular_stock: mood'"),
    ],
)
def test_a_word_without_a_rule_names_its_cell(tmp_path, column, word, message):
    from zhol.publishers.evidence.figures import figures

    row = [*ROW, "read_primary_now", ""]
    row[column] = word
    write(tmp_path, "evidence/figures.csv", HEADER.split(","), row)
    with pytest.raises(ZholError) as error:
        figures(tmp_path, Citations())
    assert str(error.value).startswith(message)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(ZholError, match=r"^figures\.csv: source file is missing; expected evidence/figures\.csv"):
        evidence.tables(tmp_path)
