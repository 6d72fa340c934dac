"""The World Bank's JSON: a head and rows."""

import json

import polars as pl
import pytest
from publisher_files import FILES, dataset, read, records
from shared_data import shared

from zhol.core.errors import ZholError


def test_indicators_side_by_side():
    table, notes = read("worldbank_wdi", FILES / "worldbank_gdp.json", FILES / "worldbank_remittances.json")
    columns = ("iso3", "year", "gdp_usd", "remittances_received_usd", "remittances_pct_gdp", "unemployment_pct")
    assert records(table, *columns) == [
        ("NAM", 2022, None, 12.0, None, None),
        ("TJK", 2022, 2000.0, 998.0, 49.9, None),
        ("XKX", 2022, 500.5, None, None, None),
    ]
    assert len(notes) == 1
    assert "birth_rate" in notes[0]


def test_the_layout_is_that_of_the_source_folder():
    table, _ = read("worldbank_wdi", FILES / "worldbank_gdp.json")
    header = (
        shared("data", "world_bank_wdi", "wdi_country_year.csv").open(encoding="utf-8").readline().strip().split(",")
    )
    assert table.columns == header


def test_the_api_says_no(tmp_path):
    with pytest.raises(ZholError) as error:
        read("worldbank_wdi", FILES / "worldbank_error.json")
    assert str(error.value) == (
        "worldbank_error.json: the World Bank answers with an error; found 'The provided parameter value is not valid'"
    )


def spoilt(tmp_path, change) -> str:
    answer = json.loads((FILES / "worldbank_gdp.json").read_text(encoding="utf-8"))
    answer = change(answer) or answer
    (tmp_path / "wb.json").write_text(answer if isinstance(answer, str) else json.dumps(answer), encoding="utf-8")
    with pytest.raises(ZholError) as error:
        read("worldbank_wdi", tmp_path / "wb.json")
    return str(error.value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda a: [a[0], None], "wb.json: no rows in the answer"),
        (lambda a: {"rows": []}, "wb.json: not an answer of the World Bank API; expected a list of a head and rows"),
        (lambda a: json.dumps(a)[:-30], "wb.json: the JSON is damaged or cut short; download it again"),
        (lambda a: "<html></html>", "wb.json: wrong kind of file; found 'a web page', expected JSON"),
        (lambda a: a[0].update(pages=2), "wb.json: pages of gdp_usd are missing; found '1 of 2'"),
        (lambda a: a[1][1].pop("indicator") and None, "wb.json: a row does not name its indicator"),
        (
            lambda a: a[1][1].update(value="much"),
            "wb.json, row 1, column value: not a number; found 'much', expected a number, or '..' for none",
        ),
        (
            lambda a: a[1][1].update(date="2022Q1"),
            "wb.json, column date: not a year; found '2022Q1', expected annual figures",
        ),
        (
            lambda a: a[1].append({**a[1][1], "value": 2001}),
            "wb.json: two different figures for iso3 TJK, year 2022, column gdp_usd",
        ),
        (
            lambda a: [a[0], a[1][:1]],
            "wb.json: no figures of countries in the file; is it the file of this dataset, and whole?",
        ),
    ],
)
def test_broken_answers(tmp_path, change, line):
    assert spoilt(tmp_path, change) == line


def test_an_indicator_that_nobody_asked_for(tmp_path):
    def change(answer) -> None:
        for row in answer[1]:
            row["indicator"]["id"] = "SP.POP.TOTL"

    assert spoilt(tmp_path, change).startswith(
        "wb.json: unknown indicator; found 'SP.POP.TOTL', expected SP.DYN.CBRT.IN"
    )


def test_a_new_base_year_does_not_slip_in(tmp_path):
    def change(answer) -> None:
        for row in answer[1]:
            row["indicator"] = {
                "id": "NY.GDP.PCAP.PP.KD",
                "value": "GDP per capita, PPP (constant 2025 international $)",
            }

    line = spoilt(tmp_path, change)
    assert line.startswith(
        "wb.json: gdp_pc_ppp_2021 has another definition now; found 'GDP per capita, PPP (constant 2025"
    )


def test_real_figures_come_through_unchanged(tmp_path):
    source = pl.read_csv(shared("data", "world_bank_wdi", "wdi_country_year.csv"), infer_schema_length=None)
    source = source.filter(pl.col("iso3").is_in(["TJK", "KAZ", "TKM", "CHI", "XKX"]))
    indicators = dataset("worldbank_wdi").options["indicators"]
    for column, indicator in indicators.items():
        rows = [
            {
                "indicator": {"id": indicator, "value": "constant 2021 international $"},
                "country": {"id": "??"},
                "countryiso3code": row["iso3"],
                "date": str(row["year"]),
                "value": row[column],
            }
            for row in source.iter_rows(named=True)
        ]
        (tmp_path / f"{column}.json").write_text(json.dumps([{"page": 1, "pages": 1}, rows]), encoding="utf-8")
    table, notes = read("worldbank_wdi", *sorted(tmp_path.iterdir()))
    figures = [*indicators]
    expected = source.filter(pl.any_horizontal(pl.col(figures).is_not_null())).sort("iso3", "year")
    assert table.select("iso3", "year", *figures).equals(
        expected.select("iso3", "year", *(pl.col(f).cast(pl.Float64) for f in figures))
    )
    both = table.join(expected, on=["iso3", "year"], suffix="_theirs").drop_nulls("remittances_pct_gdp_theirs")
    assert both.height > 50
    # They rounded to three decimals; half of the last one, and what binary fractions add.
    assert (both["remittances_pct_gdp"] - both["remittances_pct_gdp_theirs"]).abs().max() <= 0.0011
    assert notes == ()
