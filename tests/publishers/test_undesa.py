"""UN DESA's workbook: found by content, never by position; aggregates out, missing stays missing."""

import csv
from collections.abc import Callable
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from publisher_files import Rows, book, read, records, sheet
from shared_data import shared

from zhol.core.errors import ZholError

HEADER = 7  # of the small sheet of 2024, counted from 0


def broken(tmp_path: Path, change: Callable[[Rows], Rows], prefix: str = "undesa_2024") -> str:
    with pytest.raises(ZholError) as error:
        read("undesa_ims_2024", book(tmp_path / "ims.xlsx", prefix, change))
    return str(error.value)


def test_the_matrix_of_2024(tmp_path):
    table, notes = read("undesa_ims_2024", book(tmp_path / "ims.xlsx", "undesa_2024"))
    assert table.columns == ["year", "orig", "dest", "total", "male", "female", "basis"]
    assert table.rows() == [
        (2020, "IND", "SAU", 0, 0, 0, "RI"),
        (2020, "OOO", "KAZ", 5, 3, 2, "BR"),
        (2020, "UZB", "KAZ", 60, 30, 30, "BR"),
        (2020, "UZB", "RUS", 1204, 700, 504, "C"),
        (2020, "XCX", "RUS", 3, 1, 2, "BCR"),
        (2024, "IND", "SAU", 11, 9, 2, "RI"),
        (2024, "KGZ", "KAZ", 7, 4, 3, "BR"),
        (2024, "OOO", "KAZ", 6, 3, 3, "BR"),
        (2024, "UZB", "KAZ", 70, 40, 30, "BR"),
        (2024, "UZB", "RUS", 1300, 700, 600, "C"),
        (2024, "XCX", "RUS", 3, 1, 2, "BCR"),
    ]
    assert notes == ()


def test_the_order_of_columns_of_2020(tmp_path):
    table, _ = read("undesa_ims_2020", book(tmp_path / "ims.xlsx", "undesa_2020"))
    assert table.rows() == [(2020, "OOO", "KAZ", 10, 5, 5, "BR"), (2020, "UZB", "KAZ", 296, 156, 140, "BR")]


def test_what_is_not_available_has_no_row_and_is_no_zero(tmp_path):
    table, _ = read("undesa_ims_2024", book(tmp_path / "ims.xlsx", "undesa_2024"))
    assert not table.filter(pl.col("orig") == "TJK").height
    assert records(table.filter(pl.col("orig") == "KGZ"), "year") == [(2024,)]
    assert records(table.filter((pl.col("orig") == "IND") & (pl.col("year") == 2020)), "total") == [(0,)]


def test_one_sex_missing_stays_missing(tmp_path):
    def change(rows: Rows) -> Rows:
        rows[HEADER + 5][10] = ".."
        return rows

    table, _ = read("undesa_ims_2024", book(tmp_path / "ims.xlsx", "undesa_2024", change))
    row = table.filter((pl.col("orig") == "UZB") & (pl.col("dest") == "KAZ") & (pl.col("year") == 2024))
    assert records(row, "total", "male", "female") == [(70, None, 30)]


def test_a_total_that_is_not_the_sum_of_the_sexes_is_said(tmp_path):
    def change(rows: Rows) -> Rows:
        rows[HEADER + 5][8] = "75"
        return rows

    table, notes = read("undesa_ims_2024", book(tmp_path / "ims.xlsx", "undesa_2024", change))
    assert notes == ("in 1 of 11 rows men and women do not add up to the total of the publisher",)
    assert 75 in table["total"]


def test_rows_above_the_header_and_swapped_blocks_do_not_matter(tmp_path):
    def change(rows: Rows) -> Rows:
        rows = [[""] * 14] * 4 + rows
        # Men first, then women, then both: banners and figures move together.
        return [row[:7] + row[9:13] + row[7:9] + row[13:] for row in rows]

    plain, _ = read("undesa_ims_2024", book(tmp_path / "a.xlsx", "undesa_2024"))
    moved, _ = read("undesa_ims_2024", book(tmp_path / "b.xlsx", "undesa_2024", change))
    assert moved.equals(plain)


def test_a_row_said_twice_is_one_and_two_figures_are_an_error(tmp_path):
    table, _ = read("undesa_ims_2024", book(tmp_path / "a.xlsx", "undesa_2024", lambda rows: [*rows, rows[HEADER + 5]]))
    assert table.height == 11

    def change(rows: Rows) -> Rows:
        other = list(rows[HEADER + 5])
        other[8] = "71"
        return [*rows, other]

    line = broken(tmp_path, change)
    assert line == "ims.xlsx: two different figures for year 2024, orig UZB, dest KAZ"


def test_a_sheet_that_is_missing(tmp_path):
    made = openpyxl.Workbook()
    made.active.append(["Contents"])
    made.save(tmp_path / "ims.xlsx")
    with pytest.raises(ZholError) as error:
        read("undesa_ims_2024", tmp_path / "ims.xlsx")
    assert str(error.value) == (
        "ims.xlsx: no sheet has the expected header; found 'Sheet', expected a row with "
        "'location code of destination', 'location code of origin' and years"
    )


def test_a_header_that_is_missing(tmp_path):
    line = broken(tmp_path, lambda rows: rows[:HEADER] + rows[HEADER + 1 :])
    assert line.startswith("ims.xlsx: no sheet has the expected header; found 'Contents, Table 1'")


def spoilt_cell(row: int, column: int, text: str) -> Callable[[Rows], Rows]:
    def change(rows: Rows) -> Rows:
        rows[row][column] = text
        return rows

    return change


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            spoilt_cell(HEADER + 5, 6, "861"),
            "ims.xlsx, row 13, column Location code of origin: unknown M49 code; found '861'",
        ),
        (
            spoilt_cell(HEADER + 5, 4, "9"),
            "ims.xlsx, row 13, column Location code of destination: unknown M49 code; found '9'",
        ),
        (
            spoilt_cell(HEADER + 5, 8, "many"),
            "ims.xlsx, row 13, column 2024: not a number; found 'many', expected a number, or '..' for none",
        ),
        (spoilt_cell(HEADER + 5, 8, "-70"), "ims.xlsx, column total: negative count; found -70, expected 0 or more"),
        (
            spoilt_cell(HEADER - 1, 11, "of which: young"),
            "ims.xlsx, row 7: the banner above the years does not name the sexes; found 'both sexes, male', "
            "expected both sexes, male and female",
        ),
        (spoilt_cell(HEADER, 12, "2025"), "ims.xlsx, row 8: no column of 2024 for female"),
        (spoilt_cell(HEADER, 3, "Kind"), "ims.xlsx, row 8: no column with the type of data"),
    ],
)
def test_spoilt_cells(tmp_path, change, line):
    assert broken(tmp_path, change) == line


def test_another_revision_is_not_taken_for_this_one(tmp_path):
    with pytest.raises(ZholError) as error:
        read("undesa_ims_2024", book(tmp_path / "ims.xlsx", "undesa_2020"))
    assert str(error.value) == "ims.xlsx: another revision; found 'figures up to 2020', expected 2024"


def test_a_table_of_regions_only_has_no_pairs(tmp_path):
    line = broken(tmp_path, lambda rows: rows[: HEADER + 3])
    assert line == "ims.xlsx: no pairs of countries in the file; is it the file of this dataset, and whole?"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (
            b"<!DOCTYPE html><html>403 Forbidden</html>",
            "ims.xlsx: wrong kind of file; found 'a web page', expected an Excel",
        ),
        (b"", "ims.xlsx: wrong kind of file; found 'nothing', expected an Excel workbook"),
        (b"PK\x03\x04 and then cut", "ims.xlsx: the workbook is damaged; download it again"),
    ],
)
def test_what_is_no_workbook(tmp_path, content, line):
    (tmp_path / "ims.xlsx").write_bytes(content)
    with pytest.raises(ZholError) as error:
        read("undesa_ims_2024", tmp_path / "ims.xlsx")
    assert str(error.value).startswith(line)


def test_a_workbook_cut_short(tmp_path):
    whole = book(tmp_path / "whole.xlsx", "undesa_2024").read_bytes()
    (tmp_path / "ims.xlsx").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ZholError, match="the workbook is damaged"):
        read("undesa_ims_2024", tmp_path / "ims.xlsx")


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr("zhol.publishers.formats.workbook.MOST_UNPACKED", 100)
    with pytest.raises(ZholError, match="too large once unpacked"):
        read("undesa_ims_2024", book(tmp_path / "ims.xlsx", "undesa_2024"))


def test_real_figures_come_through_unchanged(tmp_path):
    """The rows of some destinations, put into the workbook's layout, come back as they are in the source file."""
    wanted = {"KAZ", "RUS", "ARE"}
    with shared("data", "undesa_ims", "ims_bilateral_rev2024.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["dest"] in wanted]
    years = sorted({row["year"] for row in rows})
    from zhol.publishers.formats.codes import by_m49

    m49 = {code: number for number, code in by_m49().items()} | {"OOO": 2003}
    pairs: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
    for row in rows:
        pairs.setdefault((row["dest"], row["orig"], row["basis"]), {})[row["year"]] = row
    head = sheet("undesa_2024.Table_1.csv")
    made = openpyxl.Workbook(write_only=True)
    page = made.create_sheet("Table 1")
    page.append([None] * 7 + ["both sexes", *[None] * (len(years) - 1), "males", *[None] * (len(years) - 1), "females"])
    page.append([*head[HEADER][:7], *years, *years, *years])
    for (dest, orig, basis), cells in pairs.items():
        figures = [int(cells[y][sex]) for sex in ("total", "male", "female") for y in years]
        page.append([1, dest, None, " ".join(basis), m49[dest], orig, m49[orig], *figures])
    made.save(tmp_path / "ims.xlsx")
    table, notes = read("undesa_ims_2024", tmp_path / "ims.xlsx")
    expected = pl.DataFrame(rows, infer_schema_length=None).with_columns(
        pl.col("year", "total", "male", "female").cast(pl.Int64)
    )
    assert table.equals(expected.sort("year", "orig", "dest").select(table.columns))
    assert notes == ()
    assert records(table.filter(orig="UZB", dest="KAZ", year=2020), "total") == [(689_957,)]
