"""World Bank, Indicators API, version 2: JSON, one or more pages an indicator.

Seen in many programs that read it: an answer is a list of two, a head (page, pages, per_page, total) and the rows
(``indicator`` with id and value, ``country`` with a two-letter id, ``countryiso3code``, ``date``, ``value``). An
error is a list of one, with ``message``. Regions and income groups stand among the countries under codes that ISO
3166 does not have; some rows of the governance indicators leave ``countryiso3code`` empty, and then the two letters
tell.
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
from zhol.publishers.formats.codes import by_alpha2, names
from zhol.publishers.formats.tables import no_bad_numbers, number, one_row_a_key, some_rows

# The World Bank's own codes of economies: Kosovo and the Channel Islands.
OWN_CODES = {"XKX", "CHI"}
SHARE = "remittances_pct_gdp"


def fetch(dataset: Dataset, get: Get) -> list[Path]:
    """Download every indicator, page after page."""
    paths: list[Path] = []
    for column, indicator in dataset.options["indicators"].items():
        pages, page = 1, 1
        while page <= pages:
            question = {
                "format": "json",
                "per_page": dataset.options["page_size"],
                "date": f"{dataset.options['first_year']}:{datetime.now(UTC).year}",
                "page": page,
            }
            if column in dataset.options["databases"]:
                question["source"] = dataset.options["databases"][column]
            url = f"{dataset.endpoint}{indicator}?{urlencode(question, safe=':')}"
            paths.append(get(url, f"{column}_{page:02}.json", "json"))
            head, _ = _open(paths[-1])
            pages, page = int(head.get("pages") or 1), page + 1
    return paths


def read(paths: Sequence[Path], dataset: Dataset) -> Reading:
    """Read the answers as iso3, year and one column an indicator; remittances over GDP is computed here.

    Raises
    ------
    ZholError
        Not the API's JSON, its error, an unknown indicator, a page missing, text for a number, two figures for one key.
    """
    columns = {indicator: column for column, indicator in dataset.options["indicators"].items()}
    long: list[pl.DataFrame] = []
    pages: dict[str, list[tuple[int, Path]]] = {}
    for path in paths:
        head, rows = _open(path)
        if not rows:
            continue
        column = _column(path, rows, columns, dataset)
        pages.setdefault(column, []).append((int(head.get("pages") or 1), path))
        long.append(_rows(path, rows, column))
    if not long:
        raise ZholError("no rows in the answer", file=paths[0])
    for column, seen in pages.items():
        if len(seen) < max(n for n, _ in seen):
            raise ZholError(f"pages of {column} are missing", file=seen[0][1], found=f"{len(seen)} of {seen[0][0]}")
    table = one_row_a_key(pl.concat(long), ["iso3", "year", "column"], file=paths[0]).drop_nulls("value")
    some_rows(table, file=paths[0], what="figures of countries")
    wide = table.pivot("column", index=["iso3", "year"], values="value")
    missing = [column for column in columns.values() if column not in wide.columns]
    wide = wide.with_columns(pl.lit(None, pl.Float64).alias(column) for column in missing)
    share = (100 * pl.col("remittances_received_usd") / pl.col("gdp_usd")).round(3).alias(SHARE)
    wide = wide.with_columns(share).select("iso3", "year", *columns.values(), SHARE).sort("iso3", "year")
    return Reading(wide, (f"no figures of {', '.join(missing)}: left empty",) if missing else ())


def _open(path: Path) -> tuple[dict[str, Any], list[Any]]:
    check_kind(path, "json")
    try:
        answer = json.loads(path.read_text(encoding="utf-8-sig"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ZholError("the JSON is damaged or cut short", file=path, hint="download it again") from error
    if isinstance(answer, list) and answer and isinstance(answer[0], dict):
        message = answer[0].get("message")
        if message:
            raise ZholError("the World Bank answers with an error", file=path, found=str(message[0].get("value")))
        if len(answer) == 2 and isinstance(answer[1], list | None):
            return answer[0], answer[1] or []
    raise ZholError("not an answer of the World Bank API", file=path, expected="a list of a head and rows")


def _column(path: Path, rows: list[Any], columns: dict[str, str], dataset: Dataset) -> str:
    try:
        ids = {row["indicator"]["id"] for row in rows}
        title = str(rows[0]["indicator"]["value"])
    except (KeyError, TypeError) as error:
        raise ZholError("a row does not name its indicator", file=path) from error
    if len(ids) != 1 or not ids <= set(columns):
        raise ZholError("unknown indicator", file=path, found=", ".join(sorted(ids)), expected=", ".join(columns))
    column = columns[ids.pop()]
    says = dataset.options["title_says"].get(column)
    if says and says not in title:
        raise ZholError(f"{column} has another definition now", file=path, found=title, expected=f"a title with {says}")
    return column


def _rows(path: Path, rows: list[Any], column: str) -> pl.DataFrame:
    economies = set(names()) | OWN_CODES
    records = []
    for row in rows:
        code = row.get("countryiso3code") or by_alpha2().get(str((row.get("country") or {}).get("id")), "")
        if code in economies:
            value = row.get("value")
            records.append((code, str(row.get("date")), None if value is None else str(value)))
    frame = pl.DataFrame(records, schema={"iso3": pl.String, "year": pl.String, "value": pl.String}, orient="row")
    bad = frame.filter(~pl.col("year").str.contains(r"^\d{4}$"))
    if bad.height:
        raise ZholError("not a year", file=path, column="date", found=bad["year"][0], expected="annual figures")
    no_bad_numbers(frame, "value", file=path, first_row=1)
    return frame.select("iso3", pl.col("year").cast(pl.Int64), pl.lit(column).alias("column"), number("value"))
