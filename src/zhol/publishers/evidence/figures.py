"""The table ``figures``: every published estimate or count, with its definition, method and grade."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.publishers.evidence import rules
from zhol.publishers.evidence.citations import Citations
from zhol.publishers.evidence.labour import labour_figures
from zhol.publishers.evidence.periods import period
from zhol.publishers.evidence.places import corridor
from zhol.publishers.evidence.reading import coded, note, number, own, records
from zhol.region import schema

FILE = "figures.csv"
SCHEMA = schema.table("figures").types()


def figures(source_dir: Path, citations: Citations) -> pl.DataFrame:
    """Figures of the evidence file, then those of the list of labour figures that it does not hold already.

    Parameters
    ----------
    source_dir : Path
        Folder with ``evidence/figures.csv`` and ``data/labour_migration_cited``.
    citations : Citations
        Takes up the sources.

    Returns
    -------
    polars.DataFrame
        Columns of the table ``figures``; a number of the same place, time, meaning and publisher stands once.
    """
    read = [_row(i, raw, citations) for i, raw in enumerate(_resolved(records(source_dir, "evidence", FILE)), start=2)]
    return pl.DataFrame(_merged(read, labour_figures(source_dir, citations)), schema=SCHEMA)


def _resolved(raw: list[dict[str, str]]) -> list[dict[str, str]]:
    """Rows where "same" is replaced by what stands above it."""
    above: dict[str, str] = {}
    for row in raw:
        for column in ("source", "url", "method"):
            row[column] = above[column] if row[column] == "same" else row[column]
        above = row
    edits: dict[str, dict[str, str]] = {}
    for edit in rules.rows("figure_edits"):
        edits.setdefault(edit["figure_id"], {})[edit["column"]] = edit["text"]
    return [{**row, "edits": edits.get(row["id"], {})} for row in raw]  # type: ignore[dict-item]


def _row(line: int, raw: dict[str, Any], citations: Citations) -> dict[str, Any]:
    """One figure in the pack's columns."""
    edits = raw["edits"]
    method = edits.get("method", raw["method"])
    rule = _concept(raw["conflict_group"], raw["indicator"], line)
    origin, destination, told = corridor(raw["corridor_or_country"], rule["country_is"], rule["other"], FILE, line)
    when = period(edits.get("date", raw["date"]))
    value, low, high = (number(edits.get(c, raw[r])) for c, r in (("value", "point"), ("low", "low"), ("high", "high")))
    return {
        "figure_id": raw["id"],
        "quantity": raw["conflict_group"],
        "indicator": own(raw["indicator"]),
        "origin": edits.get("origin", origin),
        "destination": edits.get("destination", destination),
        "date_start": when.start or None,
        "date_end": when.end or None,
        "value": value,
        "low": low,
        "high": high,
        "unit": rule["unit"] or coded("units", "written", "unit", raw["unit"], file=FILE, row=line, column="unit"),
        "definition": own(raw["definition"] or raw["indicator"]),
        "concept": rule["concept"],
        "method": method or "none given",
        "grade": grade(method, file=FILE, line=line),
        "rounded": edits.get("rounded") == "true" or is_rounded(value, low, high, raw["unit"], raw["note"]),
        "source_id": citations.cite(raw["source"], raw["url"]),
        "status": coded("statuses", "written", "status", raw["status"], file=FILE, row=line, column="status"),
        "note": note(interval_reason(value, low, high), own(raw["note"]), when.note, told, *_reasons(raw["id"])),
    }


def _concept(quantity: str, indicator: str, line: int) -> dict[str, str]:
    for rule in rules.rows("figure_concepts"):
        if (rule["quantity"], rule["indicator"]) == (quantity, indicator):
            return rule
    raise ZholError(
        "indicator without a rule", file=FILE, row=line, column="indicator", found=f"{quantity}: {indicator}",
        hint="add it to figure_concepts.csv",
    )  # fmt: skip


def _reasons(figure_id: str) -> list[str]:
    return [e["why"] for e in rules.rows("figure_edits") if e["figure_id"] == figure_id]


def grade(method: str, *, file: str, line: int) -> str:
    """Grade A to D that goes with a method; no method is D."""
    return coded("grades", "method", "grade", method or "none given", file=file, row=line, column="method")


def interval_reason(value: float | None, low: float | None, high: float | None) -> str:
    """Why a row has no interval or no central value; empty if it has all three.

    Examples
    --------
    >>> interval_reason(5.0, None, None)
    'no interval: the source prints one number'
    >>> interval_reason(None, 1.0, 2.0)
    'no central value: the source prints a range'
    """
    if value is not None:
        return "" if low is not None and high is not None else "no interval: the source prints one number"
    if low is not None and high is not None:
        return "no central value: the source prints a range"
    return (
        "no interval: the source prints a lower bound only"
        if low is not None
        else ("no interval: the source prints an upper bound only")
    )


def is_rounded(value: float | None, low: float | None, high: float | None, unit: str, said: str = "") -> bool:
    """Whether a number looks rounded: its last two digits are noughts, or the compiler says so.

    Examples
    --------
    >>> is_rounded(2000000, None, None, "persons"), is_rounded(164586, None, None, "persons")
    (True, False)
    """
    numbers = [n for n in (value, low, high) if n is not None]
    return "rounded" in said or (unit != "%" and all(n >= 100 and n % 100 == 0 for n in numbers))


def _merged(read: list[dict[str, Any]], labour: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add the second list to the first; the same number is kept once and names both sources."""
    kept = list(read)
    for row in labour:
        twin = next((k for k in read if _same(k, row)), None)
        if twin is None:
            kept.append(row)
            continue
        twin["source_id"] = ";".join(dict.fromkeys([*twin["source_id"].split(";"), *row["source_id"].split(";")]))
        twin["rounded"] = row["rounded"]
        own = (row["note"] or "").removeprefix(interval_reason(row["value"], None, None)).lstrip("; ")
        twin["note"] = note(twin["note"] or "", own, f"also {row['figure_id']} of the labour list")
    return kept


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Same number, meaning, place and overlapping time; a group and one of its parts count as the same place."""
    if (one["value"], one["concept"], one["destination"]) != (other["value"], other["concept"], other["destination"]):
        return False
    groups = {"WLD", "XCI", "XCA"}
    if one["origin"] != other["origin"] and not {one["origin"], other["origin"]} <= groups:
        return False
    return bool(one["date_start"] and one["date_start"] <= other["date_end"] and other["date_start"] <= one["date_end"])
