"""The table ``functions``: what each body does, how far it goes, since when and until when."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from zhol.publishers.evidence import rules
from zhol.publishers.evidence.citations import Citations
from zhol.publishers.evidence.periods import moment
from zhol.publishers.evidence.reading import coded, note, own, records
from zhol.region import schema

FILE = "functions.csv"
SCHEMA = schema.table("functions").types()


def functions(source_dir: Path, citations: Citations) -> pl.DataFrame:
    """Functions of bodies with their strength.

    The strength of each row is coded in ``function_strengths.csv`` from the evidence text: ``practised`` needs
    something done, ``in_force`` a binding text in force, ``signed`` a signed text whose entry into force was not
    read, ``declared`` the rest. ``until`` is the body's end unless the evidence gives an earlier one.
    """
    ends = {raw["body"]: raw["ended"] for raw in records(source_dir, "evidence", "bodies.csv")}
    raw = records(source_dir, "evidence", FILE)
    return pl.DataFrame([_row(i, row, ends, citations) for i, row in enumerate(raw, start=2)], schema=SCHEMA)


def _row(line: int, raw: dict[str, str], ends: dict[str, str], citations: Citations) -> dict[str, Any]:
    since, untold = moment(raw["since"])
    strength = coded("function_strengths", "function_id", "strength", raw["id"], file=FILE, row=line, column="id")
    until = rules.lookup("function_strengths", "function_id", "until")[raw["id"]] or ends.get(raw["body"], "")
    checked = f"checked against: {raw['checked_against']}" if raw["checked_against"] else ""
    return {
        "body": coded("bodies", "written", "body", raw["body"], file=FILE, row=line, column="body"),
        "function_code": raw["function_code"],
        "function": raw["function"],
        "strength": strength,
        "since": since or None,
        "until": until or None,
        "evidence": own(raw["evidence"]),
        "source_id": citations.cite(raw["source"]),
        "status": coded("statuses", "written", "status", raw["status"], file=FILE, row=line, column="status"),
        "note": note(rules.lookup("function_strengths", "function_id", "why")[raw["id"]], untold, checked),
    }
