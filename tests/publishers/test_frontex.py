"""Frontex's workbook and the page that links it."""

import csv
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from publisher_files import FILES, Rows, book, dataset, read, records
from shared_data import shared

from zhol.core.errors import ZholError
from zhol.publishers.formats.codes import names
from zhol.publishers.formats.frontex import month_of, newest_link


def test_months_by_route_and_nationality(tmp_path):
    table, notes = read("frontex_detections", book(tmp_path / "ibc.xlsx", "frontex"))
    assert table.columns == ["month", "route", "type", "nationality", "n"]
    assert table.rows() == [
        ("2009-01", "Eastern Borders Route", "Land", "UZB", 3),
        ("2009-01", "Eastern Borders Route", "Land", "XKX", 1),
        ("2009-01", "Eastern Mediterranean Route", "Sea", "OOO", 2),
        ("2009-01", "Eastern Mediterranean Route", "Sea", "OOS", 1),
        ("2009-01", "Eastern Mediterranean Route", "Sea", "SYR", 11),
        ("2009-02", "Eastern Borders Route", "Land", "XKX", 2),
        ("2009-02", "Eastern Mediterranean Route", "Sea", "OOO", 7),
        ("2009-02", "Eastern Mediterranean Route", "Sea", "SYR", 12),
        ("2009-02", "Western Balkan Route", "Land", "COD", 5),
        ("2009-03", "Eastern Borders Route", "Land", "XKX", 4),
        ("2009-03", "Eastern Mediterranean Route", "Sea", "SYR", 13),
    ]
    assert notes == (
        "1 nationalities are not known and count as OOO: Ruritania",
        "1 cells are blank in the workbook (not reported); the tidy table has no row for them",
    )


def test_the_header_of_2018_with_dates_for_months(tmp_path):
    table, _ = read("frontex_detections", book(tmp_path / "ibc.xlsx", "frontex_2018"))
    assert table.rows() == [("2009-01", "Black Sea", "Sea", "IRN", 4), ("2009-02", "Black Sea", "Sea", "TUR", 6)]


def broken(tmp_path: Path, change) -> str:
    with pytest.raises(ZholError) as error:
        read("frontex_detections", book(tmp_path / "ibc.xlsx", "frontex", change))
    return str(error.value)


def test_broken_workbooks(tmp_path):
    def text(rows: Rows) -> Rows:
        rows[2][3] = "three"
        return rows

    assert broken(tmp_path, text) == (
        "ibc.xlsx, row 3, column 2009-01: not a number; found 'three', expected a number, or '..' for none"
    )

    def negative(rows: Rows) -> Rows:
        rows[2][3] = "-3"
        return rows

    assert broken(tmp_path, negative) == "ibc.xlsx, column n: negative count; found -3, expected 0 or more"
    assert broken(tmp_path, lambda rows: rows[2:]).startswith(
        "ibc.xlsx: no sheet has the expected header; found 'About, Detections of IBC', expected a row with Route"
    )
    assert broken(tmp_path, lambda rows: [row[:3] for row in rows]).startswith(
        "ibc.xlsx: no sheet has the expected header"
    )
    assert broken(tmp_path, lambda rows: rows[:2]) == (
        "ibc.xlsx: no detections in the file; is it the file of this dataset, and whole?"
    )


def test_the_newest_workbook_of_the_page():
    html = (FILES / "frontex_map.html").read_text(encoding="utf-8")
    link = newest_link(html, dataset("frontex_detections"))
    assert link == (
        "https://www.frontex.europa.eu/assets/Migratory_routes/2026/Monthly_detections_of_IBC_2026_09_02.xlsx"
    )


def test_a_page_without_a_link():
    with pytest.raises(ZholError, match=r"the page of the migratory map links no workbook; .*--from FILE"):
        newest_link("<html><a href='/map.pdf'>map</a></html>", dataset("frontex_detections"))


@pytest.mark.parametrize(
    ("title", "month"),
    [
        ("DEC2025", "2025-12"),
        ("June 2021", "2021-06"),
        ("abc2021", None),
        ("45000", None),
        ("Nationality", None),
        ("", None),
    ],
)
def test_titles_of_months(title, month):
    assert month_of(title) == month


def test_real_figures_come_through_unchanged(tmp_path):
    """Some routes, put into the workbook's layout with names for codes, come back as they are in the source file."""
    with shared("data", "frontex_ibc", "frontex_detections_monthly.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["route"] in ("Eastern Borders Route", "Black Sea Route")]
    words = names() | {
        "XKX": "Kosovo*",
        "OOS": "Unspecified sub-Saharan nationals",
        "OOO": "Unknown",
        "STL": "Stateless",
    }
    months = sorted({row["month"] for row in rows})
    wide: dict[tuple[str, str, str], dict[str, int]] = {}
    for row in rows:
        wide.setdefault((row["route"], row["type"], row["nationality"]), {})[row["month"]] = int(row["n"])
    made = openpyxl.Workbook(write_only=True)
    page = made.create_sheet("Detections_of_IBC")
    page.append([])
    page.append(["Route", "Border type or inland", "Nationality", *(_title(m) for m in months)])
    for (route, kind, code), cells in wide.items():
        page.append([route, kind, words[code], *(cells.get(m, 0) for m in months)])
    made.save(tmp_path / "ibc.xlsx")
    table, notes = read("frontex_detections", tmp_path / "ibc.xlsx")
    expected = pl.DataFrame(rows).with_columns(pl.col("n").cast(pl.Int64)).select(table.columns)
    assert table.equals(expected.sort("month", "route", "type", "nationality"))
    assert notes == ()
    assert records(table, "n") != []


def _title(month: str) -> str:
    year, number = month.split("-")
    return "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"[3 * int(number) - 3 : 3 * int(number)] + year
