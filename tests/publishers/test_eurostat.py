"""Eurostat's SDMX-CSV (codes, labels, both) and SDMX-ML."""

from pathlib import Path

import polars as pl
import pytest
from publisher_files import FILES, dataset, read, records
from shared_data import shared

from zhol.core.errors import ZholError
from zhol.publishers.formats import eurostat

STRUCTURE = FILES / "eurostat_structure.xml"
HEAD = "DATAFLOW,LAST UPDATE,freq,reason,apprehen,citizen,sex,age,unit,geo,TIME_PERIOD,OBS_VALUE,OBS_FLAG,CONF_STATUS"
LINE = "ESTAT:MIGR_EIPRE(1.0),01/01/26,A,TOTAL,TOTAL,UZ,T,TOTAL,PER,PL,2023,105,,"


def test_codes_become_names_and_missing_stays_missing():
    table, notes = read("eurostat_migr_eipre", FILES / "eurostat_eipre.csv")
    assert table.columns == ["year", "citizen", "citizen_iso3", "geo", "geo_iso3", "n"]
    assert table.rows() == [
        (2023, "Kosovo*", "XKX", "Poland", "POL", 20),
        (2023, "Namibia", "NAM", "United Kingdom", "GBR", 0),
        (2023, "Stateless", None, "Poland", "POL", 15),
        (2023, "Uzbekistan", "UZB", "Austria", "AUT", None),
        (2023, "Uzbekistan", "UZB", "Greece", "GRC", 5),
        (2023, "Uzbekistan", "UZB", "Poland", "POL", 105),
        (2023, "Uzbekistan", "UZB", "Switzerland", "CHE", None),
    ]
    assert notes == ()


def test_a_file_with_labels_only():
    table, _ = read("eurostat_migr_eirtn", FILES / "eurostat_eirtn_labels.csv")
    assert records(table, "citizen", "citizen_iso3", "geo_iso3", "n") == [
        ("Kosovo*", "XKX", "DEU", 60),
        ("Uzbekistan", "UZB", "DEU", 75),
    ]


def test_a_file_with_codes_and_labels_keeps_the_union_apart():
    table, _ = read("eurostat_migr_asyappctza", FILES / "eurostat_asyappctza.csv")
    assert table.rows() == [(2024, "STL", "POL", 10), (2024, "UZB", "EU27", 35), (2024, "UZB", "POL", 30)]


def test_totals_by_country():
    table, _ = read("eurostat_migr_eirfs", FILES / "eurostat_eirfs.csv")
    assert table.rows() == [(2023, "Poland", 2000)]


@pytest.mark.parametrize("files", [(STRUCTURE, FILES / "eurostat_eirtn.xml"), (FILES / "eurostat_eirtn.xml",)])
def test_sdmx_ml_with_and_without_its_structure(files):
    table, _ = read("eurostat_migr_eirtn", *files)
    assert table.rows() == [
        (2022, "Kazakhstan", "KAZ", "Greece", "GRC", None),
        (2022, "Uzbekistan", "UZB", "Germany", "DEU", 70),
        (2023, "Kazakhstan", "KAZ", "Greece", "GRC", 0),
        (2023, "Uzbekistan", "UZB", "Germany", "DEU", 75),
    ]


def asked(name: str, tmp_path: Path, structure: Path = STRUCTURE) -> list[str]:
    addresses: list[str] = []

    def get(url: str, name: str, kind: str) -> Path:
        addresses.append(url)
        return structure

    eurostat.fetch(dataset(name), get)
    return addresses


def test_the_key_follows_the_order_of_the_structure(tmp_path):
    base = "https://ec.europa.eu/eurostat/api/dissemination/sdmx/2.1"
    assert asked("eurostat_migr_eirtn", tmp_path) == [
        f"{base}/datastructure/ESTAT/MIGR_EIRTN/latest?references=descendants",
        f"{base}/data/MIGR_EIRTN/A..THRD.T.TOTAL.PER.?format=SDMX-CSV",
    ]


def test_a_code_is_found_by_its_label(tmp_path):
    other = tmp_path / "structure.xml"
    text = STRUCTURE.read_text(encoding="utf-8")
    other.write_text(text.replace('Code id="THRD"', 'Code id="NEU"'), encoding="utf-8")
    assert "A..NEU.T.TOTAL.PER." in asked("eurostat_migr_eirtn", tmp_path, other)[1]


def test_a_new_dimension_must_be_decided_by_a_person(tmp_path):
    with pytest.raises(ZholError) as error:
        asked("eurostat_migr_asyappctza", tmp_path)
    assert str(error.value) == (
        f"{STRUCTURE.name}: eurostat_migr_asyappctza has a new dimension 'c_dest'; "
        "the catalogue must say which of its codes"
    )


def test_what_is_no_structure(tmp_path):
    other = tmp_path / "structure.xml"
    other.write_text("<?xml version='1.0'?><fault>SUBMITTED</fault>", encoding="utf-8")
    with pytest.raises(ZholError, match=r"structure\.xml: not the data structure of an SDMX table"):
        asked("eurostat_migr_eirtn", tmp_path, other)


def spoilt(tmp_path: Path, text: str, name: str = "table.csv") -> str:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(ZholError) as error:
        read("eurostat_migr_eipre", tmp_path / name)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("<html>Sorry</html>", "table.csv: wrong kind of file; found 'a web page', expected a CSV table or SDMX-ML"),
        ("", "table.csv: wrong kind of file; found 'nothing', expected a CSV table or SDMX-ML"),
        (f"{HEAD}\n{LINE.replace(',PL,', ',QQ,')}\n", "table.csv, column geo: unknown country code; found 'QQ'"),
        (f"{HEAD}\n{LINE.replace(',UZ,', ',QQ,')}\n", "table.csv, column citizen: unknown country code; found 'QQ'"),
        (
            f"{HEAD}\n{LINE}\n{LINE.replace(',105,', ',some,')}\n",
            "table.csv, row 3, column OBS_VALUE: not a number; found 'some', expected a number, or '..' for none",
        ),
        (
            f"{HEAD}\n{LINE.replace(',2023,', ',2023-Q1,')}\n",
            "table.csv, row 2, column TIME_PERIOD: not a year; found '2023-Q1', expected annual figures",
        ),
        (
            f"{HEAD}\n{LINE}\nESTAT:MIGR_EIPRE(1.0),01/01/26,A,TOT",
            "table.csv, row 3, column TIME_PERIOD: not a year; found 'nothing', expected annual figures",
        ),
        (
            f"{HEAD}\n{LINE}\n{LINE.replace(',105,', ',106,')}\n",
            "table.csv: two different figures for year 2023, citizen Uzbekistan, citizen_iso3 UZB, geo Poland, "
            "geo_iso3 POL",
        ),
        (
            f"{HEAD}\n{LINE.replace(',105,', ',-5,')}\n",
            "table.csv, column n: negative count; found -5, expected 0 or more",
        ),
        (
            f"{HEAD}\n{LINE.replace(',T,', ',M,')}\n",
            "table.csv: no row with the wanted sex; found 'M', expected T or Total",
        ),
        (
            f"{HEAD}\n{LINE.replace(',UZ,', ',TOTAL,')}\n",
            "table.csv: no figures of countries in the file; is it the file of this dataset, and whole?",
        ),
        ("year;n\n2023;4\n", "table.csv: column 'geo' is missing; found 'year;n'"),
        (
            f"{HEAD.replace('reason', 'reason,newdim')}\n{LINE.replace('A,TOTAL', 'A,TOTAL,X1')}\n"
            f"{LINE.replace('A,TOTAL', 'A,TOTAL,X2')}\n",
            "table.csv: a new dimension 'newdim'; found 'X1, X2', expected one code of it",
        ),
    ],
)
def test_broken_tables(tmp_path, text, line):
    assert spoilt(tmp_path, text) == line


def test_an_answer_that_comes_later(tmp_path):
    line = spoilt(tmp_path, "<?xml version='1.0'?><env><status>SUBMITTED</status></env>", "table.xml")
    assert line.startswith("table.xml: no table in the SDMX-ML; found ")
    assert line.endswith("Eurostat answers a large query later: ask again in some minutes")


def test_two_tables_are_one_too_many():
    with pytest.raises(ZholError, match="eurostat_migr_eipre is one table; found '2 files'"):
        read("eurostat_migr_eipre", FILES / "eurostat_eipre.csv", FILES / "eurostat_eirfs.csv")


def test_real_figures_come_through_unchanged(tmp_path):
    source = pl.read_csv(
        shared("data", "eurostat_enforcement", "eurostat_found_illegally_present_by_citizen.csv"),
        infer_schema_length=None,
    ).filter(pl.col("year") >= 2022)
    lines = [
        f'E,,Annual,Total,Total,"{citizen}",Total,Total,Person,{geo},{year},{"" if n is None else n},,'
        for year, citizen, geo, n in source.select("year", "citizen", "geo", "n").iter_rows()
    ]
    (tmp_path / "table.csv").write_text("\n".join([HEAD, *lines, ""]), encoding="utf-8")
    table, _ = read("eurostat_migr_eipre", tmp_path / "table.csv")
    assert table.height == source.height > 6000
    assert table.equals(source.select(table.columns).sort("year", "citizen", "citizen_iso3", "geo", "geo_iso3"))
    assert records(table.filter(year=2023, citizen_iso3="UZB"), "n") != []
