"""A pack once loaded: types, recalled rows, provenance, digest, and nothing that can be changed."""

import dataclasses
import datetime
import pickle
import shutil
from pathlib import Path

import polars as pl
import pytest

import zhol
from zhol.region.schema import tables

WHOLE = Path(__file__).parents[1] / "broken" / "packs" / "whole"


@pytest.fixture(scope="module")
def region():
    return zhol.load(WHOLE)


def test_every_table_has_the_types_of_the_schema(region):
    for name, schema in tables().items():
        assert dict(region.table(name).schema) == schema.types()


def test_cells_come_back_as_they_were_written(region):
    stocks = region.table("stocks").row(0, named=True)
    assert (stocks["year"], stocks["persons"], stocks["men"], stocks["women"]) == (2015, 100, 60, None)
    assert region.table("visas")["date"].to_list() == [datetime.date(2024, 2, 29)]
    assert region.table("distances").row(0)[2:4] == (1000.25, True)
    assert region.table("figures")["definition"].to_list() == ["as published, in words"]
    assert region.table("population")["value"].to_list() == [1000.0, 1100.5, 1100.5, -10.0]


def test_tables_round_trip_through_csv(region, tmp_path):
    """What a table writes as CSV is read back as the same table."""
    copy = shutil.copytree(WHOLE, tmp_path / "copy")
    whole = zhol.load(WHOLE, recalled=True)
    for name in whole.tables:
        whole.table(name).write_csv(copy / f"{name}.csv")
    again = zhol.load(copy, recalled=True)
    for name in whole.tables:
        assert again.table(name).equals(whole.table(name), null_equal=True)


def test_missing_is_missing_and_never_zero(region):
    asylum = region.table("asylum").row(0, named=True)
    assert asylum["applications"] is None
    assert asylum["recognised"] == 1


def test_rows_from_memory_are_off_by_default(region):
    assert region.table("stocks")["status"].to_list() == ["published", "published", "computed"]
    assert region.sql("select count(*) from stocks").item() == 3
    with_memory = zhol.load(WHOLE, recalled=True)
    assert with_memory.table("stocks").height == 4
    assert with_memory.sql("select count(*) from stocks").item() == 4


def test_a_table_the_pack_does_not_hold_is_empty(region):
    assert "refugees" not in region.tables
    assert region.table("refugees").shape == (0, len(tables()["refugees"].names))
    assert region.sql("select count(*) from refugees").item() == 0


def test_provenance_by_index_and_by_key(region):
    by_key = region.provenance("stocks", {"year": 2020, "origin": "XUN", "destination": "KAZ", "revision": 2024})
    assert by_key == region.provenance("stocks", 2)
    assert [s["source_id"] for s in by_key["sources"]] == ["S1", "S2"]
    assert (by_key["file"], by_key["line"], by_key["status"]) == ("stocks.csv", 4, "computed")
    assert by_key["row"]["persons"] == 30


def test_provenance_names_the_line_of_the_file_though_rows_are_hidden(tmp_path):
    copy = shutil.copytree(WHOLE, tmp_path / "copy")
    lines = (WHOLE / "stocks.csv").read_text().splitlines()
    lines[1] = lines[1].replace("published", "recalled")
    (copy / "stocks.csv").write_text("\n".join(lines) + "\n")
    first = zhol.load(copy).provenance("stocks", 0)
    assert first["row"]["year"] == 2020
    assert lines[first["line"] - 1].startswith("2020,UZB,KAZ")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (3, "stocks has no such row; found 3, expected 0 to 2"),
        (-1, "stocks has no such row; found -1, expected 0 to 2"),
        (True, "row is neither an index nor key values; found True, expected a whole number or a mapping"),
        ("0", "row is neither an index nor key values; found '0', expected a whole number or a mapping"),
        ({"year": 2020}, "2 rows of stocks fit; found {'year': 2020}, expected values that fit one row"),
        ({"year": 1999}, "0 rows of stocks fit; found {'year': 1999}, expected values that fit one row"),
        ({}, "3 rows of stocks fit; found {}, expected values that fit one row"),
        ({"year": "many"}, "stocks cannot be searched for these values; found {'year': 'many'}"),
    ],
)
def test_rows_that_cannot_be_picked(region, row, message):
    with pytest.raises(zhol.ZholError) as raised:
        region.provenance("stocks", row)
    assert str(raised.value) == message


def test_unknown_column_in_key_values(region):
    with pytest.raises(zhol.ZholError, match=r"^stocks has no column 'yaer'; expected year, origin"):
        region.provenance("stocks", {"yaer": 2020})


def test_every_row_has_a_source(region):
    for name in region.tables:
        for row in range(region.table(name).height):
            assert region.provenance(name, row)["sources"]


def test_digest_is_of_the_data(region, tmp_path):
    copy = shutil.copytree(WHOLE, tmp_path / "other name")
    assert zhol.load(copy).digest == region.digest
    stocks = copy / "stocks.csv"
    stocks.write_text(stocks.read_text().replace(",100,", ",101,"))
    assert zhol.load(copy).digest != region.digest


def test_a_region_cannot_be_changed(region):
    with pytest.raises(dataclasses.FrozenInstanceError):
        region.digest = "other"
    frame = region.table("stocks")
    frame[0, "persons"] = 0
    assert region.table("stocks")[0, "persons"] == 100


def test_a_region_travels_to_another_process(region):
    there = pickle.loads(pickle.dumps(region))
    assert there.digest == region.digest
    assert there.table("stocks").equals(region.table("stocks"))


def test_repr_is_short(region):
    assert repr(region) == "Region('small', 6 places, 12 tables, 26 rows)"
    assert (region.name, region.title, region.focus) == ("small", "A small pack", ("KAZ",))


def test_path_as_text_or_path_and_links_inside_the_pack(tmp_path):
    copy = shutil.copytree(WHOLE, tmp_path / "copy")
    (copy / "scenarios").mkdir()
    (copy / "stocks.csv").rename(copy / "scenarios" / "stocks.csv")
    (copy / "stocks.csv").symlink_to("scenarios/stocks.csv")
    (copy / ".hidden").write_text("")
    assert zhol.load(str(copy)).table("stocks").height == 3


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
def test_windows_line_ends_and_a_missing_last_line_end(ends, tmp_path):
    copy = shutil.copytree(WHOLE, tmp_path / "copy")
    text = (WHOLE / "stocks.csv").read_text().rstrip("\n").replace("\n", ends)
    (copy / "stocks.csv").write_bytes(text.encode())
    assert zhol.load(copy).table("stocks").equals(zhol.load(WHOLE).table("stocks"))


def test_header_alone_is_an_empty_table(tmp_path):
    copy = shutil.copytree(WHOLE, tmp_path / "copy")
    header = (WHOLE / "stocks.csv").read_text().splitlines()[0]
    for end in ("", "\n", "\r\n"):
        (copy / "stocks.csv").write_bytes((header + end).encode())
        assert zhol.load(copy).table("stocks").height == 0


def test_quoted_commas_quotes_and_line_ends(tmp_path):
    copy = shutil.copytree(WHOLE, tmp_path / "copy")
    note = 'two\nlines, a comma and a "quote"'
    pl.DataFrame(
        {
            "origin": ["UZB"],
            "destination": ["KAZ"],
            "mode": ["land"],
            "length_km": [5],
            "basis": [note],
            "source_id": ["S1"],
            "status": ["published"],
        }
    ).write_csv(copy / "legs.csv")
    assert zhol.load(copy).table("legs")["basis"].to_list() == [note]
