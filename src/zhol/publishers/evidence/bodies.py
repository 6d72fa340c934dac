"""The tables ``bodies`` and ``memberships``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from zhol.publishers.evidence import rules
from zhol.publishers.evidence.citations import Citations, first_ids
from zhol.publishers.evidence.other_lists import disagreements
from zhol.publishers.evidence.periods import moment
from zhol.publishers.evidence.places import UNION, UNION_NOTE, place
from zhol.publishers.evidence.reading import coded, note, records
from zhol.region import schema

FILE = "bodies.csv"
BODIES = schema.table("bodies").types()
MEMBERSHIPS = schema.table("memberships").types()
_STRENGTH = ["read_primary", "read_secondary", "computed", "recalled"]


def bodies(source_dir: Path, citations: Citations) -> pl.DataFrame:
    """One row a body, convention, process or programme; its sources are those of its membership rows."""
    groups: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for line, raw in enumerate(records(source_dir, "evidence", FILE), start=2):
        groups.setdefault(raw["body"], []).append((line, raw))
    return pl.DataFrame([_body(name, rows, citations) for name, rows in groups.items()], schema=BODIES)


def _body(name: str, rows: list[tuple[int, dict[str, str]]], citations: Citations) -> dict[str, Any]:
    line, raw = rows[0]
    word = {
        c: coded("bodies", "written", c, name, file=FILE, row=line, column="body") for c in ("body", "founded", "why")
    }
    statuses = [rules.lookup("statuses", "written", "status")[r["status"]] for _, r in rows]
    return {
        "body": word["body"],
        "name": raw["full_name"],
        "kind": raw["type"],
        "founded": word["founded"],
        "ended": moment(raw["ended"])[0] or None,
        "in_seed": raw["in_seed"] in ("yes", "cited"),
        "source_id": first_ids(citations.cite(r["source"]) for _, r in rows),
        "status": min(statuses, key=_STRENGTH.index),
        "note": note(word["why"]),
    }


def memberships(source_dir: Path, citations: Citations) -> pl.DataFrame:
    """Who belongs to which body, in what role and from when to when.

    ``is_member`` is true for full standing with a year of joining (``standings.csv``): observers, partners,
    signatories, offices, participants and rows without a year are not members. ``left`` is the end of
    participation: withdrawal, suspension or a freeze. A row of the European Union becomes one for each of its blocks.
    """
    raw = records(source_dir, "evidence", FILE)
    rows = [row for line, r in enumerate(raw, start=2) if r["country"] != "NONE" for row in _rows(line, r, citations)]
    told = disagreements(source_dir, rows)
    for row in rows:
        row["note"] = note(row["note"] or "", told.get((row["body"], row["place"]), ""))
    return pl.DataFrame(rows, schema=MEMBERSHIPS)


def _rows(line: int, raw: dict[str, str], citations: Citations) -> list[dict[str, Any]]:
    edits = {e["column"]: e["text"] for e in rules.rows("membership_edits") if e["membership_id"] == raw["id"]}
    why = [e["why"] for e in rules.rows("membership_edits") if e["membership_id"] == raw["id"]]
    standing = _standing(raw["standing"], line)
    joined, left = edits.get("joined", raw["join"]), raw["leave"] or standing["until"]
    is_member = standing["is_member"] == "true" and bool(joined)
    untold = "no year of joining: not counted as a member" if standing["is_member"] == "true" and not joined else ""
    checked = f"checked against: {raw['checked_against']}" if raw["checked_against"] else ""
    codes, told = (UNION, UNION_NOTE) if raw["country"] == "EU" else _place(raw["country"], line)
    status = coded("statuses", "written", "status", raw["status"], file=FILE, row=line, column="status")
    return [
        {
            "body": rules.lookup("bodies", "written", "body")[raw["body"]],
            "place": code,
            "role": standing["role"],
            "is_member": is_member,
            "joined": joined or None,
            "left": left or None,
            "standing": raw["standing"],
            "source_id": citations.cite(raw["source"]),
            "status": edits.get("status", status),
            "note": note(standing["why"], untold, raw["note"], told, *why, checked),
        }
        for code in codes
    ]


def _place(country: str, line: int) -> tuple[tuple[str, ...], str]:
    code, told = place(country, file=FILE, row=line, column="country")
    return (code,), told


def _standing(word: str, line: int) -> dict[str, str]:
    coded("standings", "standing", "role", word, file=FILE, row=line, column="standing")
    return next(rule for rule in rules.rows("standings") if rule["standing"] == word)
