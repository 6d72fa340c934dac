"""UN DESA, International Migrant Stock: the workbook by sex, destination and origin.

Seen in programs that read the real workbooks: the sheet ``Table 1`` holds the whole matrix. Its header (row 11,
under a banner row that names three blocks of columns: both sexes, males, females) has the index, the name, the
notes or coverage, the location code and the type of data of the destination, the name and location code of the
origin, then the years, three times over. In the 2020 revision the location code of the destination comes before the
type of data, in 2024 after it. So columns are found by their titles and blocks by the banner, never by position.
Location codes are M49; 900 and above are regions and groups, except 2003, "Others" among the origins. ".." marks a
figure that is not available. Type of data: letters B (foreign-born), C (foreign citizens), R (refugees added), I
(imputed).

What could not be seen: the wording of the banner in both revisions. It must hold "both sexes", "female" and "male".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from zhol.core.errors import ZholError
from zhol.publishers.catalogue import Dataset
from zhol.publishers.formats import Get, Reading
from zhol.publishers.formats.codes import by_m49
from zhol.publishers.formats.tables import counts, no_bad_numbers, no_negatives, number, one_row_a_key, some_rows
from zhol.publishers.formats.workbook import Sheet, find_sheet

DESTINATION, ORIGIN = "location code of destination", "location code of origin"
OTHERS, FIRST_AGGREGATE = 2003, 900
SEXES = {"total": "both sexes", "female": "female", "male": "male"}


def fetch(dataset: Dataset, get: Get) -> list[Path]:
    """Download the one workbook."""
    return [get(dataset.endpoint, Path(dataset.endpoint).name, "xlsx")]


def read(paths: Sequence[Path], dataset: Dataset) -> Reading:
    """Read Table 1 as year, orig, dest, total, male, female, basis.

    Raises
    ------
    ZholError
        No such sheet or header, another revision, a location code that M49 does not have, text for a number, two
        figures for one cell.
    """
    if len(paths) != 1:
        raise ZholError(f"{dataset.id} is one workbook", found=f"{len(paths)} files", expected="one file")
    path = paths[0]
    sheet = find_sheet(path, _is_header, expected=f"a row with {DESTINATION!r}, {ORIGIN!r} and years")
    blocks = _year_columns(sheet)
    revision = max(year for year, _ in blocks)
    if revision != dataset.options["revision"]:
        raise ZholError(
            "another revision", file=path, found=f"figures up to {revision}", expected=str(dataset.options["revision"])
        )
    table = _tidy(sheet, blocks)
    return Reading(table, _sexes_disagree(table))


def _is_header(row: list[str]) -> bool:
    lower = [cell.casefold() for cell in row]
    return DESTINATION in lower and ORIGIN in lower and any(_year(cell) for cell in row)


def _year(cell: str) -> int | None:
    text = cell.removesuffix(".0")
    return int(text) if text.isdigit() and 1950 <= int(text) <= 2100 else None


def _year_columns(sheet: Sheet) -> dict[tuple[int, str], int]:
    """Column of each (year, sex); a year belongs to the last banner at or left of it."""
    years = {i: year for i, cell in enumerate(sheet.titles()) if (year := _year(cell))}
    banner: dict[int, str] = {}
    for row in range(sheet.header - 1, -1, -1):
        for i, cell in enumerate(sheet.titles(row)):
            sex = next((s for s, words in SEXES.items() if words in cell.casefold()), None)
            if sex is not None and i >= min(years):
                banner[i] = sex
        if banner:
            break
    if sorted(banner.values()) != sorted(SEXES):
        raise ZholError(
            "the banner above the years does not name the sexes",
            file=sheet.file,
            row=sheet.header,
            found=", ".join(SEXES[sex] for sex in banner.values()) or "nothing",
            expected="both sexes, male and female",
        )
    columns = {(year, banner[max(b for b in banner if b <= i)]): i for i, year in years.items() if i >= min(banner)}
    for year, _ in tuple(columns):
        for sex in SEXES:
            if (year, sex) not in columns:
                raise ZholError(f"no column of {year} for {SEXES[sex]}", file=sheet.file, row=sheet.header + 1)
    return columns


def _tidy(sheet: Sheet, blocks: dict[tuple[int, str], int]) -> pl.DataFrame:
    titles = [title.casefold() for title in sheet.titles()]
    kind = next((i for i, t in enumerate(titles) if t.startswith(("type of data", "data type"))), None)
    if kind is None:
        raise ZholError("no column with the type of data", file=sheet.file, row=sheet.header + 1)
    first_row = sheet.header + 2
    body = sheet.body().with_row_index("row", first_row)
    body = body.with_columns(
        _code(body, str(titles.index(DESTINATION)), sheet, "dest"),
        _code(body, str(titles.index(ORIGIN)), sheet, "orig"),
        # "B R" and "R B" mean the same: letters in one order.
        pl.concat_str(
            [pl.when(_has(kind, letter)).then(pl.lit(letter)).otherwise(pl.lit("")) for letter in "BCRI"]
        ).alias("basis"),
    ).with_columns(pl.col("basis").replace("", None).replace("IR", "RI"))
    used = body.filter(pl.col("dest").is_not_null() & pl.col("orig").is_not_null())
    for (year, _), column in blocks.items():
        no_bad_numbers(
            used.select("row", str(column)), str(column), file=sheet.file, first_row=first_row, title=str(year)
        )
    parts = [
        used.select(
            pl.lit(year).alias("year"),
            "orig",
            "dest",
            *(number(str(blocks[year, sex])).alias(sex) for sex in ("total", "male", "female")),
            "basis",
        )
        for year in sorted({year for year, _ in blocks})
    ]
    table = pl.concat(parts).with_columns(counts("total"), counts("male"), counts("female"))
    table = table.filter(pl.any_horizontal(pl.col("total", "male", "female").is_not_null()))
    some_rows(table, file=sheet.file, what="pairs of countries")
    no_negatives(table, ["total", "male", "female"], file=sheet.file)
    return one_row_a_key(table, ["year", "orig", "dest"], file=sheet.file).sort("year", "orig", "dest")


def _has(column: int, letter: str) -> pl.Expr:
    return pl.col(str(column)).fill_null("").str.to_uppercase().str.contains(letter, literal=True)


def _code(body: pl.DataFrame, column: str, sheet: Sheet, name: str) -> pl.Series:
    """Alpha-3 codes of a column of M49 numbers; null for regions, groups, blank rows and footnotes."""
    known = by_m49() | ({OTHERS: "OOO"} if name == "orig" else {})
    codes: list[str | None] = []
    for row, cell in zip(body["row"], body[column], strict=True):
        text = "" if cell is None else cell.strip().removesuffix(".0")
        if not text.isdigit():
            codes.append(None)
            continue
        code = known.get(int(text))
        if code is None and int(text) < FIRST_AGGREGATE:
            raise ZholError(
                "unknown M49 code", file=sheet.file, row=row, column=sheet.titles()[int(column)], found=text
            )
        codes.append(code)
    return pl.Series(name, codes, dtype=pl.String)


def _sexes_disagree(table: pl.DataFrame) -> tuple[str, ...]:
    apart = table.filter((pl.col("male") + pl.col("female") - pl.col("total")).abs() > 1)
    if not apart.height:
        return ()
    return (f"in {apart.height:,} of {table.height:,} rows men and women do not add up to the total of the publisher",)
