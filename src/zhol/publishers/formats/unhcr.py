"""UNHCR, Refugee Data Finder API, version 1: pages of JSON.

Seen in UNHCR's own R package, which is built from this API, and in other programs that read it: an answer is an
object with ``page``, ``maxPages`` and ``items``. An item of ``population`` has year, coo_iso, coa_iso (ISO alpha-3;
``UNK`` unknown, ``XXA`` stateless), refugees, asylum_seekers, returned_refugees, idps, returned_idps, stateless,
ooc, oip, hst; one of ``asylum-applications`` has procedure_type, app_type, dec_level, app_pc, applied; one of
``asylum-decisions`` has procedure_type, dec_level, dec_pc and dec_recognized, dec_other, dec_rejected, dec_closed,
dec_total. Numbers come as numbers or as text, and "-" means missing. ``coo_all`` and ``coa_all`` ask for one row a
pair; without ``cf_type=ISO`` the API counts in UNHCR's own country codes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import polars as pl

from zhol.core.errors import ZholError
from zhol.publishers.catalogue import Dataset
from zhol.publishers.download import check_kind
from zhol.publishers.formats import Get, Reading
from zhol.publishers.formats.tables import counts, no_bad_numbers, no_negatives, number, one_row_a_key, some_rows

PLACES = {"coo_iso": "orig", "coa_iso": "asylum"}
# For each table: the columns that, with year and places, make a row unique, and the figures.
TABLES: dict[str, tuple[list[str], list[str]]] = {
    "population": (
        [],
        [
            *("refugees", "asylum_seekers", "returned_refugees", "idps", "returned_idps"),
            *("stateless", "ooc", "oip", "hst"),
        ],
    ),
    "asylum_applications": (["procedure_type", "app_type", "dec_level", "app_pc"], ["applied"]),
    "asylum_decisions": (
        ["procedure_type", "dec_level", "dec_pc"],
        ["dec_recognized", "dec_other", "dec_rejected", "dec_closed", "dec_total"],
    ),
}
MOST_PAGES = 500


def fetch(dataset: Dataset, get: Get) -> list[Path]:
    """Download page after page, as many as the first one says."""
    question = {
        "limit": dataset.options["page_size"],
        "yearFrom": dataset.options["first_year"],
        "yearTo": datetime.now(UTC).year,
        "coo_all": "true",
        "coa_all": "true",
        "cf_type": "ISO",
    }
    paths: list[Path] = []
    pages = 1
    while len(paths) < pages:
        page = len(paths) + 1
        paths.append(get(f"{dataset.endpoint}?{urlencode({**question, 'page': page})}", f"page_{page:03}.json", "json"))
        if page == 1:
            pages = max(1, _pages(_open(paths[0])))
            if pages > MOST_PAGES:
                raise ZholError(f"{dataset.id} has too many pages", found=pages, expected=f"at most {MOST_PAGES}")
    return paths


def read(paths: Sequence[Path], dataset: Dataset) -> Reading:
    """Read the pages as year, orig, asylum, …, with the columns of the table.

    Raises
    ------
    ZholError
        Not the API's JSON, a page missing, a field missing, a row without its countries, text for a number, two
        figures for one key.
    """
    key, figures = TABLES[dataset.options["table"]]
    answers = [(path, _open(path)) for path in paths]
    _all_pages(answers)
    frames = [_page(path, answer["items"], key, figures) for path, answer in answers if answer["items"]]
    if not frames:
        raise ZholError("no rows in the answer", file=paths[0])
    table = pl.concat(frames)
    table = one_row_a_key(table, ["year", "orig", "asylum", *key], file=paths[0])
    return Reading(some_rows(table, file=paths[0], what="rows").sort("year", "asylum", "orig", *key))


def _open(path: Path) -> dict[str, Any]:
    check_kind(path, "json")
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ZholError("the JSON is damaged or cut short", file=path, hint="download it again") from error
    if not isinstance(answer, dict) or not isinstance(answer.get("items"), list):
        raise ZholError("not an answer of the UNHCR API", file=path, expected="an object with a list 'items'")
    return answer


def _pages(answer: dict[str, Any]) -> int:
    stated = str(answer.get("maxPages", 1))
    return int(stated) if stated.isdigit() else 1


def _all_pages(answers: list[tuple[Path, dict[str, Any]]]) -> None:
    """A table with a hole looks whole: better no table."""
    stated = max(_pages(answer) for _, answer in answers)
    if len(answers) < stated:
        raise ZholError(
            "pages are missing", found=f"{len(answers)} of {stated}", expected="all pages: give each with --from"
        )


def _page(path: Path, items: list[Any], key: list[str], figures: list[str]) -> pl.DataFrame:
    if not all(isinstance(item, dict) for item in items):
        raise ZholError("not an answer of the UNHCR API", file=path, expected="a list of objects")
    wanted = ["year", *PLACES, *key, *figures]
    for name in wanted:
        # A population type that did not exist yet may be left out of an item, a key never.
        if not any(name in item for item in items):
            raise ZholError(f"field {name!r} is missing", file=path, found=", ".join(items[0]))
    text = {name: [None if item.get(name) is None else str(item[name]) for item in items] for name in wanted}
    frame = pl.DataFrame(text, schema=dict.fromkeys(wanted, pl.String)).rename(PLACES)
    for place, field in (("orig", "coo_iso"), ("asylum", "coa_iso")):
        bad = frame.with_row_index().filter(~pl.col(place).fill_null("").str.contains(r"^[A-Z]{3}$"))
        if bad.height:
            raise ZholError(
                f"item {int(bad['index'][0]) + 1} does not name its country",
                file=path,
                column=field,
                found=bad[place][0],
                expected="an ISO alpha-3 code (ask with coo_all=true, coa_all=true, cf_type=ISO)",
            )
    for name in ["year", *figures]:
        no_bad_numbers(frame, name, file=path, first_row=1)
    frame = frame.with_columns(number(name) for name in ["year", *figures])
    frame = frame.with_columns(counts(name) for name in ["year", *figures])
    no_negatives(frame, figures, file=path)
    return frame.select("year", "orig", "asylum", *key, *figures)
