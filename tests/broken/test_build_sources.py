"""Source files that cannot be used: one line each, naming file, row and column, and nothing written."""

from pathlib import Path

import polars as pl
import pytest
from shared_data import shared

from zhol.core.errors import ZholError
from zhol.publishers import passport_index, undesa_stock
from zhol.publishers.build import build
from zhol.publishers.plan import read_plan
from zhol.publishers.source_files import COUNT, NUMBER, TEXT, read
from zhol.publishers.sources import sources

HEAD = "year,orig,dest,total,male,female,basis\n"
STOCK = "ims_bilateral_rev2020.csv"

BROKEN = {
    "text among numbers": (
        HEAD + "2020,UZB,KAZ,10,4,6,B\n2020,UZB,RUS,many,4,6,B\n",
        f"{STOCK}, row 3, column total: cell cannot be used; found 'many', expected a whole number of at least 0",
    ),
    "negative persons": (
        HEAD + "2020,UZB,KAZ,-10,4,6,B\n",
        f"{STOCK}, row 2, column total: cell cannot be used; found '-10', expected a whole number of at least 0",
    ),
    "decimal comma": (
        HEAD + '2020,UZB,KAZ,"10,5",4,6,B\n',
        f"{STOCK}, row 2, column total: cell cannot be used; found '10,5', expected a whole number of at least 0",
    ),
    "year in words": (
        HEAD + "mid-2020,UZB,KAZ,10,4,6,B\n",
        f"{STOCK}, row 2, column year: cell cannot be used; found 'mid-2020', expected a whole number",
    ),
    "column missing": (
        "year,orig,dest,total,male,basis\n2020,UZB,KAZ,10,4,B\n",
        f"{STOCK}, column female: source file lacks a column; found 'year, orig, dest, total, male, basis', "
        "expected year, orig, dest, total, male, female, basis",
    ),
    "semicolons": (
        "year;orig;dest;total\n2020;UZB;KAZ;10\n",
        f"{STOCK}, column year: source file lacks a column; found 'year;orig;dest;total', "
        "expected year, orig, dest, total, male, female, basis",
    ),
}


def put(root: Path, text: str | bytes) -> Path:
    folder = root / "undesa_ims"
    folder.mkdir(parents=True)
    data = text.encode("utf-8") if isinstance(text, str) else text
    (folder / STOCK).write_bytes(data)
    return root


@pytest.mark.parametrize("case", BROKEN)
def test_one_line_says_where_and_what(tmp_path, case):
    text, message = BROKEN[case]
    with pytest.raises(ZholError) as error:
        undesa_stock.tables(put(tmp_path, text), read_plan("central_asia"))
    assert str(error.value) == message


NOT_TEXT = {
    "empty": (b"", f"{STOCK}: source file is empty"),
    "utf-16": (b"\xff\xfe" + HEAD.encode("utf-16-le"), f"{STOCK}, row 1: source file is not UTF-8; found b'\\xff'"),
    "cut letter": (HEAD.encode() + b"2020,\xd0,KAZ\n", f"{STOCK}, row 2: source file is not UTF-8; found b'\\xd0'"),
    "ragged": (
        HEAD.encode() + b"2020,UZB,KAZ,1,1,0,B,8,9\n",
        f"{STOCK}: source file cannot be read as CSV; found ",  # the rest is the reader's own word
    ),
}


@pytest.mark.parametrize("case", NOT_TEXT)
def test_what_is_no_utf8_table_is_said_to_be_none(tmp_path, case):
    data, message = NOT_TEXT[case]
    with pytest.raises(ZholError) as error:
        undesa_stock.tables(put(tmp_path, data), read_plan("central_asia"))
    assert str(error.value).startswith(message) and "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ZholError) as error:
        read(tmp_path, "un_wpp2024/people.csv", {"iso3": TEXT})
    assert str(error.value) == (
        "people.csv: source file not found; it belongs at un_wpp2024/people.csv below the data folder"
    )


@pytest.mark.parametrize("cell", ["inf", "NaN", "1e999"])
def test_numbers_must_be_finite(tmp_path, cell):
    (tmp_path / "a.csv").write_text(f"iso3,value\nKAZ,1.5\nUZB,{cell}\n")
    with pytest.raises(ZholError) as error:
        read(tmp_path, "a.csv", {"value": NUMBER})
    assert str(error.value) == f"a.csv, row 3, column value: cell cannot be used; found '{cell}', expected a number"


def test_an_empty_cell_is_missing_and_not_an_error(tmp_path):
    (tmp_path / "a.csv").write_text("iso3,n\nKAZ,\nUZB,0\n")
    assert read(tmp_path, "a.csv", {"n": COUNT})["n"].to_list() == [None, 0]


def test_an_unknown_visa_word(tmp_path):
    folder = tmp_path / "passport_index"
    folder.mkdir()
    (folder / "passport_index_2025-01-12.csv").write_text("passport,destination,requirement\nKAZ,UZB,ask nicely\n")
    (folder / "passport_index_snapshots_2019_2025_region.csv").write_text("snapshot,passport,destination,requirement\n")
    with pytest.raises(ZholError, match="unknown visa requirement; found 'ask nicely', expected visa free, "):
        passport_index.tables(tmp_path, read_plan("central_asia"))


def test_an_unknown_region_and_a_wrong_folder(tmp_path):
    with pytest.raises(ZholError) as error:
        build(tmp_path, tmp_path / "out", region="../central_asia")
    assert str(error.value).startswith("no such region to build; found '../central_asia', expected central_asia")
    with pytest.raises(ZholError) as error:
        build(tmp_path / "nowhere", tmp_path / "out")
    assert "no such folder" in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(ZholError, match=r"folder holds no source files; found '.*', expected data/undesa_ims"):
        build(tmp_path, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_source_that_nobody_describes():
    with pytest.raises(ZholError) as error:
        sources({"stocks": pl.DataFrame({"source_id": ["WPP2024;NOBODY"]})})
    assert str(error.value) == "sources.csv, column source_id: cited source is not described; found 'NOBODY'"


def test_nothing_is_written_when_one_of_many_files_is_broken(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    for folder in shared("data").iterdir():
        if folder.is_dir() and folder.name != "governance":
            (data / folder.name).symlink_to(folder)
    out = tmp_path / "out"
    with pytest.raises(ZholError, match=r"^vdem_indices_1989plus\.csv: source file not found; "):
        build(tmp_path, out)
    assert not out.exists()


def test_a_target_that_is_a_file(tmp_path):
    out = tmp_path / "out"
    out.write_text("mine")
    with pytest.raises(ZholError, match=r"^out: cannot write there; "):
        build(shared("data"), out)
    assert out.read_text() == "mine" and [p.name for p in tmp_path.iterdir()] == ["out"]
