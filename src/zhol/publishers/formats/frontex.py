"""Frontex, monthly detections of illegal border-crossing: the workbook linked from the migratory map.

Seen in programs that read the real workbooks: the sheet ``Detections_of_IBC`` has a blank row, then a header with
Route, "Border type or inland" (BorderLocation in 2018), Nationality (NationalityLong in 2018) and one column a
month, titled JAN2009, FEB2009, … (in 2018 a date); nationalities are English names, "Kosovo*" with its star. The
name of the file changes every month, so its address is read from the page of the map. Header and months are found
by what they say, so that a renamed sheet or a further row above does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import polars as pl

from zhol.core.errors import ZholError
from zhol.publishers.catalogue import Dataset
from zhol.publishers.formats import Get, Reading
from zhol.publishers.formats.codes import code_of_name
from zhol.publishers.formats.tables import counts, no_bad_numbers, no_negatives, number, some_rows
from zhol.publishers.formats.workbook import find_sheet

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
OTHER = "OOO"


def fetch(dataset: Dataset, get: Get) -> list[Path]:
    """Read the page of the map for the newest workbook, and download that."""
    page = get(dataset.endpoint, "migratory_map.html", "html")
    url = newest_link(page.read_text(encoding="utf-8", errors="replace"), dataset)
    return [get(url, Path(urlsplit(url).path).name, "xlsx")]


def newest_link(html: str, dataset: Dataset) -> str:
    """Address of the workbook with the latest date in its name, on the publisher's own host.

    Raises
    ------
    ZholError
        If the page links none.
    """
    pattern = re.compile(rf"""["']([^"'\s<>]*{dataset.options["link"]})""", re.IGNORECASE)
    host = urlsplit(dataset.endpoint).hostname
    links = {urljoin(dataset.endpoint, link.replace("&amp;", "&")) for link in pattern.findall(html)}
    own = [link for link in links if urlsplit(link).hostname == host]
    if not own:
        raise ZholError(
            "the page of the migratory map links no workbook",
            found=dataset.endpoint,
            hint=f"download it with a browser from there, then `zhol data pull {dataset.id} --from FILE`",
        )
    return max(own, key=lambda link: re.sub(r"\D", "", Path(urlsplit(link).path).name))


def read(paths: Sequence[Path], dataset: Dataset) -> Reading:
    """Read the workbook as month, route, type, nationality, n.

    Months without detections have no row, as in the layout. A nationality that is not known goes to ``OOO`` (other or
    unknown), so that totals stay whole, and is named in a note.

    Raises
    ------
    ZholError
        No such header, no months, text for a number.
    """
    books = [path for path in paths if path.suffix.lower() != ".html"]
    if len(books) != 1:
        raise ZholError(f"{dataset.id} is one workbook", found=f"{len(books)} files", expected="one file")
    sheet = find_sheet(books[0], _is_header, expected="a row with Route, Border type, Nationality and months")
    titles = [title.casefold() for title in sheet.titles()]
    months = {i: month for i, title in enumerate(titles) if (month := month_of(title))}
    route, kind, nation = (str(_first(titles, word)) for word in ("route", "border", "national"))
    body = sheet.body()
    for i, month in months.items():
        no_bad_numbers(body.select(str(i)), str(i), file=sheet.file, first_row=sheet.header + 2, title=month)
    codes, unknown = _codes(body[nation])
    long = (
        body.with_columns(pl.Series("nationality", codes), *(number(str(i)) for i in months))
        # A total at the foot, a footnote or a blank row names no route or no nationality.
        .filter(pl.col(route).is_not_null() & pl.col("nationality").is_not_null())
        .select(
            pl.col(route).str.strip_chars().alias("route"),
            pl.col(kind).str.strip_chars().alias("type"),
            "nationality",
            *map(str, months),
        )
        .unpivot(index=["route", "type", "nationality"], variable_name="column", value_name="n")
        .with_columns(
            pl.col("column").replace_strict({str(i): m for i, m in months.items()}).alias("month"), counts("n")
        )
    )
    blank = int(long["n"].null_count())
    no_negatives(long, ["n"], file=sheet.file)
    keys = ["month", "route", "type", "nationality"]
    table = long.drop_nulls("n").group_by(keys).agg(pl.col("n").sum()).filter(pl.col("n") > 0).sort(keys)
    some_rows(table, file=sheet.file, what="detections")
    return Reading(table, tuple(_notes(unknown, blank)))


def _is_header(row: list[str]) -> bool:
    lower = [cell.casefold() for cell in row]
    return (
        "route" in lower
        and any("border" in cell for cell in lower)
        and any(cell.startswith("national") for cell in lower)
        and any(month_of(cell) for cell in lower)
    )


def _first(titles: list[str], word: str) -> int:
    return next(i for i, title in enumerate(titles) if title.startswith(word))


def month_of(title: str) -> str | None:
    """Month of a column's title, as YYYY-MM; None if it is not one.

    Examples
    --------
    >>> month_of("JAN2009"), month_of("Sep 2024"), month_of("2009-01-01 00:00:00"), month_of("39814"), month_of("Route")
    ('2009-01', '2024-09', '2009-01', '2009-01', None)
    """
    text = title.strip().casefold()
    if match := re.fullmatch(r"([a-z]{3})[a-z]*[\s\-_.]*(\d{4})", text):
        return f"{match[2]}-{MONTHS.index(match[1]) + 1:02}" if match[1] in MONTHS else None
    if match := re.fullmatch(r"(\d{4})-(\d{2})(-\d{2}.*)?", text):
        return f"{match[1]}-{match[2]}"
    if re.fullmatch(r"\d{5}", text):
        # A spreadsheet counts days from the end of 1899.
        day = date(1899, 12, 30) + timedelta(days=int(text))
        return day.strftime("%Y-%m") if day.day == 1 and 1990 <= day.year <= 2100 else None
    return None


def _codes(column: pl.Series) -> tuple[list[str | None], list[str]]:
    codes: list[str | None] = []
    unknown: dict[str, None] = {}
    for name in column:
        if name is None or not name.strip():
            codes.append(None)
            continue
        code = code_of_name(name)
        if code is None:
            unknown[name.strip()] = None
        codes.append(code or OTHER)
    return codes, list(unknown)


def _notes(unknown: list[str], blank: int) -> list[str]:
    notes = []
    if unknown:
        named = ", ".join(unknown[:5]) + (", …" if len(unknown) > 5 else "")
        notes.append(f"{len(unknown)} nationalities are not known and count as {OTHER}: {named}")
    if blank:
        notes.append(f"{blank:,} cells are blank in the workbook (not reported); the tidy table has no row for them")
    return notes
