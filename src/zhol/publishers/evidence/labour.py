"""Figures of the list of labour migrants cited from the press, in the columns of ``figures``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zhol.core.errors import ZholError
from zhol.publishers.evidence import rules
from zhol.publishers.evidence.citations import Citations
from zhol.publishers.evidence.places import place
from zhol.publishers.evidence.reading import coded, note, number, records

FILE = "labour_migration_cited_figures.csv"


def labour_figures(source_dir: Path, citations: Citations) -> list[dict[str, Any]]:
    """Rows of the labour list, less those that must not be used.

    The id of a row is ``L`` and its place in the list. Left out are the indicators of ``labour_excluded.csv``:
    the register of controlled persons of 2025 is coerced data.
    """
    excluded = rules.lookup("labour_excluded", "indicator", "why")
    raw = records(source_dir, "data", "labour_migration_cited", FILE)
    return [_row(i, row, citations) for i, row in enumerate(raw, start=1) if row["indicator"] not in excluded]


def _row(order: int, raw: dict[str, str], citations: Citations) -> dict[str, Any]:
    line = order + 1
    rule = _rule(raw, line)
    origin, told = place(raw["origin"], file=FILE, row=line, column="origin")
    destination, told_too = place(raw["destination"], file=FILE, row=line, column="destination")
    method = rules.lookup("labour_methods", "authority", "method").get(raw["authority_as_cited"], rule["method"])
    derived = raw["authority_as_cited"].startswith("derived")
    return {
        "figure_id": f"L{order:03d}",
        "quantity": rule["quantity"],
        "indicator": rule["words"],
        "origin": origin,
        "destination": destination,
        "date_start": raw["period_start"],
        "date_end": raw["period_end"],
        "value": number(raw["value"]),
        "low": None,
        "high": None,
        "unit": rule["unit"],
        "definition": rules.lookup("concepts", "concept", "measures")[rule["concept"]],
        "concept": rule["concept"],
        "method": method,
        "grade": coded("grades", "method", "grade", method, file=FILE, row=line, column="indicator"),
        "rounded": raw["is_rounded"] == "1",
        "source_id": citations.cite(raw["authority_as_cited"], raw["source_url"]),
        "status": "computed" if derived else "read_secondary",
        "note": note("no interval: the source prints one number", raw["note"], told, told_too, _derived(raw)),
    }


def _derived(raw: dict[str, str]) -> str:
    return raw["authority_as_cited"] if raw["authority_as_cited"].startswith("derived") else ""


def _rule(raw: dict[str, str], line: int) -> dict[str, str]:
    """The first rule whose indicator, origin and destination fit; a star fits every place."""
    for rule in rules.rows("labour_rules"):
        if rule["indicator"] == raw["indicator"] and all(
            rule[end] in ("*", raw[end]) for end in ("origin", "destination")
        ):
            return rule
    raise ZholError(
        "indicator without a rule", file=FILE, row=line, column="indicator", found=raw["indicator"],
        hint="add it to labour_rules.csv",
    )  # fmt: skip
