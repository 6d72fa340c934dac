"""The table ``events``: dated shocks, rules and agreements that should move a count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from zhol.publishers.evidence import rules
from zhol.publishers.evidence.citations import Citations
from zhol.publishers.evidence.periods import period
from zhol.publishers.evidence.reading import coded, note, own, records
from zhol.region import schema

FILE = "events.csv"
SCHEMA = schema.table("events").types()


def events(source_dir: Path, citations: Citations) -> pl.DataFrame:
    """Events with first and last day, origin and destination of the movement they touch.

    An event of several places carries a group's code and names the places in its note (``event_places.csv``).
    """
    raw = records(source_dir, "evidence", FILE)
    return pl.DataFrame([_row(i, row, citations) for i, row in enumerate(raw, start=2)], schema=SCHEMA)


def _row(line: int, raw: dict[str, str], citations: Citations) -> dict[str, Any]:
    when = period(raw["date"])
    where = raw["corridor"]
    origin = coded("event_places", "written", "origin", where, file=FILE, row=line, column="corridor")
    return {
        "event_id": raw["id"],
        "date_start": when.start or None,
        "date_end": when.end or None,
        "kind": raw["type"],
        "origin": origin,
        "destination": rules.lookup("event_places", "written", "destination")[where],
        "event": own(raw["event"]),
        "expected_direction": own(raw["expected_direction"]) or None,
        "before": own(raw["before"]) or None,
        "after": own(raw["after"]) or None,
        "validation_value": int(raw["validation_value_1to5"]),
        "source_id": citations.cite(raw["source"], raw["url"]),
        "status": coded("statuses", "written", "status", raw["status"], file=FILE, row=line, column="status"),
        "note": note(own(raw["note"]), when.note, rules.lookup("event_places", "written", "note")[where]),
    }
