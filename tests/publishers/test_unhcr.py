"""UNHCR's pages of JSON."""

import json
from pathlib import Path

import polars as pl
import pytest
from publisher_files import FILES, read, records
from shared_data import shared

from zhol.core.errors import ZholError

PAGES = (FILES / "unhcr_population_1.json", FILES / "unhcr_population_2.json")


def test_population():
    table, notes = read("unhcr_population", *PAGES)
    assert table.columns == [
        *("year", "orig", "asylum", "refugees", "asylum_seekers", "returned_refugees", "idps", "returned_idps"),
        *("stateless", "ooc", "oip", "hst"),
    ]
    assert records(table, "year", "orig", "asylum", "refugees", "asylum_seekers", "stateless", "oip") == [
        (2023, "NAM", "KAZ", 0, 5, 0, 0),
        (2024, "UNK", "KAZ", 42, None, 7, None),
        (2024, "UZB", "KAZ", 15, 5, None, None),
    ]
    assert notes == ()


def test_applications_keep_the_code_na_and_a_missing_figure():
    table, _ = read("unhcr_asylum_applications", FILES / "unhcr_asylum_applications.json")
    assert table.rows() == [
        (2024, "TJK", "POL", "G", "N", "FI", "P", 120),
        (2024, "TJK", "POL", "G", "NA", "FI", "C", None),
    ]


def test_decisions():
    table, _ = read("unhcr_asylum_decisions", FILES / "unhcr_asylum_decisions.json")
    assert table.columns[-5:] == ["dec_recognized", "dec_other", "dec_rejected", "dec_closed", "dec_total"]
    assert table.rows() == [(2024, "TJK", "POL", "G", "FI", "P", 5, 10, 40, None, 55)]


def spoilt(tmp_path: Path, change) -> str:
    answer = json.loads((FILES / "unhcr_asylum_decisions.json").read_text(encoding="utf-8"))
    answer = change(answer) or answer
    (tmp_path / "page.json").write_text(answer if isinstance(answer, str) else json.dumps(answer), encoding="utf-8")
    with pytest.raises(ZholError) as error:
        read("unhcr_asylum_decisions", tmp_path / "page.json")
    return str(error.value)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda a: a.update(items=[]), "page.json: no rows in the answer"),
        (
            lambda a: {"error": "quota"},
            "page.json: not an answer of the UNHCR API; expected an object with a list 'items'",
        ),
        (lambda a: [1, 2], "page.json: not an answer of the UNHCR API; expected an object with a list 'items'"),
        (lambda a: a.update(items=[1]), "page.json: not an answer of the UNHCR API; expected a list of objects"),
        (lambda a: json.dumps(a)[:-40], "page.json: the JSON is damaged or cut short; download it again"),
        (
            lambda a: "<html><body>Sorry</body></html>",
            "page.json: wrong kind of file; found 'a web page', expected JSON",
        ),
        (lambda a: "year,n\n", "page.json: wrong kind of file; found 'a CSV table', expected JSON"),
        (
            lambda a: a.update(maxPages=3),
            "pages are missing; found '1 of 3', expected all pages: give each with --from",
        ),
        (
            lambda a: a["items"][0].update(coo_iso="-"),
            "page.json, column coo_iso: item 1 does not name its country; found '-', expected an ISO alpha-3 code (ask "
            "with coo_all=true, coa_all=true, cf_type=ISO)",
        ),
        (
            lambda a: a["items"][0].update(dec_other="ten"),
            "page.json, row 1, column dec_other: not a number; found 'ten', expected a number, or '..' for none",
        ),
        (
            lambda a: a["items"][0].update(dec_other=-1),
            "page.json, column dec_other: negative count; found -1, expected 0 or more",
        ),
        (
            lambda a: a["items"].append({**a["items"][0], "dec_other": 11}),
            "page.json: two different figures for year 2024, orig TJK, asylum POL, procedure_type G, dec_level FI, "
            "dec_pc P",
        ),
    ],
)
def test_broken_answers(tmp_path, change, line):
    assert spoilt(tmp_path, change) == line


def test_a_field_that_is_missing(tmp_path):
    line = spoilt(tmp_path, lambda a: a["items"][0].pop("dec_pc") and None)
    assert line.startswith("page.json: field 'dec_pc' is missing; found 'year, coo_iso, coa_iso, procedure_type")


def test_real_figures_come_through_unchanged(tmp_path):
    source = pl.read_csv(
        shared("data", "unhcr_asylum", "unhcr_asylum_decisions.csv"), null_values=[""], infer_schema_length=None
    ).filter((pl.col("asylum") == "POL") & pl.col("orig").is_in(["TJK", "RUS", "UZB", "KAZ"]))
    items = source.rename({"orig": "coo_iso", "asylum": "coa_iso"}).to_dicts()
    half = len(items) // 2
    for number, part in enumerate((items[:half], items[half:]), 1):
        page = {"page": number, "maxPages": 2, "items": part}
        (tmp_path / f"page_{number}.json").write_text(json.dumps(page), encoding="utf-8")
    table, _ = read("unhcr_asylum_decisions", *sorted(tmp_path.iterdir()))
    assert table.equals(
        source.select(table.columns).sort("year", "asylum", "orig", "procedure_type", "dec_level", "dec_pc")
    )
