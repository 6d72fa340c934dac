"""The evidence on instruments: its table, and the numbers that the files of the instruments take from it.

Run ``python -m zhol.publishers.evidence.effects FOLDER`` with the folder that holds ``evidence/`` after a change of
evidence, of ``effects.yaml`` or of a derivation in an instrument's file.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from zhol.core.errors import ZholError
from zhol.publishers.evidence import rules as written
from zhol.publishers.evidence.arithmetic import evaluate, names_in
from zhol.publishers.evidence.reading import coded, note, own, plain, records

FILE = "evidence.csv"
COLUMNS = {
    "evidence_id": pl.String(), "instrument": pl.String(), "recommendations": pl.String(), "outcome": pl.String(),
    "effect_type": pl.String(), "value": pl.Float64(), "low": pl.Float64(), "high": pl.Float64(), "said": pl.String(),
    "unit": pl.String(), "sign": pl.String(), "setting": pl.String(), "years": pl.String(), "method": pl.String(),
    "citation": pl.String(), "doi": pl.String(), "read_at": pl.String(), "grade": pl.String(), "status": pl.String(),
    "note": pl.String(),
}  # fmt: skip
SHARED = Path(__file__).parents[2] / "packs" / "shared"
_Z90 = 3.29  # width of a 90 % interval in standard deviations
_DIRECTION = {"+": 1.0, "-": -1.0}


def evidence_table(source_dir: str | Path) -> pl.DataFrame:
    """The table of effects that studies and records found: one row an effect, with citation, grade and status.

    Parameters
    ----------
    source_dir : path
        Folder that holds ``evidence/``.

    Returns
    -------
    polars.DataFrame
        ``sign`` is that on irregularity (raises, lowers, none, mixed, deflects, other, unknown). A number that is not
        one stands in ``said``.

    Raises
    ------
    ZholError
        If the file is missing or holds a word for which there is no rule.
    """
    rows: list[dict[str, Any]] = []
    for line, raw in enumerate(records(Path(source_dir), "evidence", FILE), start=2):
        rows.append(_row(line, raw, rows))
    return pl.DataFrame(rows, schema=COLUMNS)


def _row(line: int, raw: Mapping[str, str], above: list[dict[str, Any]]) -> dict[str, Any]:
    sign, told = (
        coded("effect_signs", "written", c, raw["sign_on_irregularity"], file=FILE, row=line,
              column="sign_on_irregularity")
        for c in ("sign", "told")
    )  # fmt: skip
    value, low, high = (_number(raw[c]) for c in ("effect", "lower", "upper"))
    said = [f"{c}: {raw[c]}" for c, v in (("lower", low), ("upper", high)) if raw[c] and v is None]
    status = "no_estimate" if raw["status"] == "no_estimate_found" else coded(
        "statuses", "written", "status", raw["status"], file=FILE, row=line, column="status"
    )  # fmt: skip
    return {
        "evidence_id": raw["id"],
        "instrument": own(raw["instrument"]),
        "recommendations": raw["seed_rec"],
        "outcome": own(raw["outcome"]),
        "effect_type": raw["effect_type"],
        "value": value,
        "low": None if low is None or high is None else min(low, high),
        "high": None if low is None or high is None else max(low, high),
        "said": note(own(raw["effect"]) if value is None else "", *said),
        "unit": own(raw["unit"]) or None,
        "sign": sign,
        "setting": raw["setting"],
        "years": raw["years"] or None,
        "method": raw["method"] or None,
        "citation": _citation(raw["citation"], above),
        "doi": raw["doi_seen"] or None,
        "read_at": above[-1]["read_at"] if raw["where_read"] == "same" else _said(raw["where_read"]),
        "grade": raw["grade"],
        "status": status,
        "note": note(own(_said(raw["caveat"])), told),
    }


def _said(text: str) -> str:
    """A compiler's shorthand in words (``effect_wording.csv``)."""
    return written.lookup("effect_wording", "written", "words").get(text, text)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else None


def _citation(text: str, above: list[dict[str, Any]]) -> str:
    """A citation in full: "as above" is replaced by the row above that names the same author and year."""
    if not text.endswith("as above"):
        return plain(_said(text))
    author, year = text.split()[0].strip(",."), re.search(r"\((\d{4})", text)
    for row in reversed(above):
        if author in row["citation"] and year is not None and year[1] in row["citation"]:
            return str(row["citation"])
    raise ZholError("a citation refers to none above it", file=FILE, column="citation", found=text)


def fill(raw: Mapping[str, Any], evidence: pl.DataFrame, rules: Mapping[str, Any]) -> dict[str, Any]:
    """An instrument's file with its numbers: mean and spread of each part of each effect, and its rows of evidence.

    Parameters
    ----------
    raw : mapping
        The file as read; numbers it may hold already are made anew from the derivations.
    evidence : polars.DataFrame
        As from `evidence_table`.
    rules : mapping
        ``packs/shared/effects.yaml``.

    Raises
    ------
    ZholError
        If a derivation names a row that is not in the table or has no number.
    """
    rows = {row["evidence_id"]: row for row in evidence.to_dicts()}
    filled = dict(raw)
    filled["effects"] = [_effect(effect, rows, rules, str(raw["id"])) for effect in raw["effects"]]
    uses = {i: "effect" for e in filled["effects"] for part in e["distribution"] for i in part.get("evidence", [])}
    uses |= {i: "speed" for i in raw["speed"].get("evidence", []) if i not in uses}
    uses |= {row["id"]: row["use"] for row in raw.get("evidence", []) if row["id"] not in uses}
    filled["evidence"] = [_cited(i, uses[i], rows, str(raw["id"])) for i in sorted(uses)]
    return filled


def _effect(raw: Mapping[str, Any], rows: Mapping[str, Any], rules: Mapping[str, Any], owner: str) -> dict[str, Any]:
    effect = dict(raw)
    wide = {**rules["wide"], **raw.get("wide", {})}
    effect["wide"] = wide
    effect["distribution"] = [_part(part, wide, rows, rules, owner) for part in raw["distribution"]]
    return effect


def _part(raw: Mapping[str, Any], wide: Mapping[str, float], rows: Mapping[str, Any], rules: Mapping[str, Any],
          owner: str) -> dict[str, Any]:  # fmt: skip
    """One part of a mixture: a number, a sign, a finding of nothing, a definition, or theory."""
    ids = sorted({n[:4] for n in names_in(raw.get("derivation", ""))} & set(rows) | set(raw.get("evidence", [])))
    for i in ids:
        if i not in rows:
            raise ZholError("no such row of evidence", file=f"{owner}.yaml", found=i)
    kind, sign = raw["kind"], _DIRECTION.get(raw.get("sign", ""), 0.0)
    if kind == "number":
        mean, sd = _measured(raw, ids, rows, rules)
        sd = min(sd, rules["largest_share"] * wide["sd"])
    elif kind == "definition":
        mean, sd = evaluate(raw["derivation"], _values(rows, rules, "value")), raw.get("sd", rules["definition"]["sd"])
    else:  # sign, none, theory
        mean, sd = sign * rules[kind]["mean"], rules[kind]["sd"]
        if kind == "theory":
            sd = max(sd, wide["sd"])
    part = {"weight": raw.get("weight", 1.0), "mean": round(mean, 4), "sd": round(sd, 4), **raw}
    part.update(mean=round(mean, 4), sd=round(sd, 4))
    return part | ({"evidence": ids} if ids else {})


def _measured(
    raw: Mapping[str, Any], ids: list[str], rows: Mapping[str, Any], rules: Mapping[str, Any]
) -> tuple[float, float]:
    """Mean and standard deviation of an expression on rows of evidence."""
    text = raw["derivation"]
    mean = evaluate(text, _values(rows, rules, "value"))
    ends = [evaluate(text, _values(rows, rules, end)) for end in ("low", "high")]
    grade = max((rows[i]["grade"] for i in ids), default="C")
    near = any(word in rows[i]["setting"] for i in ids for word in rules["near"])
    transfer = raw.get("relative", rules["relative"]["near" if near else "far"][grade]) * abs(mean)
    study = abs(ends[1] - ends[0]) / _Z90
    return mean, float((study**2 + transfer**2 + rules["floor"][grade] ** 2) ** 0.5)


def _values(rows: Mapping[str, Any], rules: Mapping[str, Any], end: str) -> dict[str, float]:
    """Numbers that a derivation may name: E-rows (at one end of their interval, if they have one) and the bridge."""
    found = dict(rules["bridge"])
    for name, row in rows.items():
        number = row[end] if row[end] is not None else row["value"]
        if number is not None:
            found[name] = number
    return found


def _cited(evidence_id: str, use: str, rows: Mapping[str, Any], owner: str) -> dict[str, Any]:
    if evidence_id not in rows:
        raise ZholError("no such row of evidence", file=f"{owner}.yaml", found=evidence_id)
    row = rows[evidence_id]
    return {"id": evidence_id, "use": use, **{c: row[c] for c in ("citation", "setting", "grade", "status")}}


def text(filled: Mapping[str, Any]) -> str:
    """The file of an instrument as it is written."""
    return yaml.safe_dump(dict(filled), sort_keys=False, allow_unicode=True, width=118, default_flow_style=None)


def write(source_dir: str | Path, shared: str | Path = SHARED) -> dict[str, int]:
    """Write ``evidence.csv`` and the numbers of every instrument's file anew.

    Parameters
    ----------
    source_dir : path
        Folder that holds ``evidence/``.
    shared : path
        Folder of the shared pack, with ``effects.yaml`` and ``instruments/``.

    Returns
    -------
    dict
        Rows of evidence and files of instruments written.
    """
    shared = Path(shared)
    table = evidence_table(source_dir)
    rules = yaml.safe_load((shared / "effects.yaml").read_text(encoding="utf-8"))
    files = sorted((shared / "instruments").glob("*.yaml"))
    made = {f: text(fill(yaml.safe_load(f.read_text(encoding="utf-8")), table, rules)) for f in files}
    (shared / FILE).write_text(table.write_csv(), encoding="utf-8")
    for file, content in made.items():
        file.write_text(content, encoding="utf-8")
    return {"evidence": table.height, "instruments": len(made)}


if __name__ == "__main__":
    write(sys.argv[1])
