"""A comparison of versions on disk: two tables, and a page in Markdown with a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zhol.core.files import replace_file

if TYPE_CHECKING:
    from zhol.trust.versions import VersionReport

_SHOWN = 20


def write_pages(report: VersionReport, folder: Path) -> list[Path]:
    """Write ``versions.md``, ``versions.png``, ``versions-outcomes.csv`` and ``versions-worst.csv``."""
    from zhol.core.charts import to_png

    files = {
        "versions-outcomes.csv": report.table.write_csv().encode("utf-8"),
        "versions-worst.csv": report.worst.write_csv().encode("utf-8"),
    }
    spec = picture(report)
    if spec is not None:
        files["versions.png"] = to_png(spec)
    files["versions.md"] = _markdown(report, spec is not None).encode("utf-8")
    return [replace_file(folder, name, content) for name, content in files.items()]


def picture(report: VersionReport) -> dict[str, Any] | None:
    """Specification of an interval chart: by how much the outcomes that moved most moved, median and largest."""
    from zhol.core.charts import interval_spec

    rows = [
        {
            "label": r["outcome"].replace("_", " "),
            "value": np.exp(r["median"]),
            "low": 1.0,
            "high": np.exp(r["largest"]),
        }
        for r in report.table.head(_SHOWN).iter_rows(named=True)
        if r["largest"] > 0
    ]
    return (
        interval_spec(rows, unit="factor of change: median, and largest of all scenarios", log=True) if rows else None
    )


def _markdown(report: VersionReport, drawn: bool) -> str:
    lines = ["# Present version against the saved one", "", *(f"{line}\n" for line in report.summary().splitlines())]
    if drawn:
        lines += ["![Change of the outcomes that moved most](versions.png)", ""]
    lines += ["## Scenarios that moved most", "", "| scenario | outcome | saved | present |", "|---|---|---|---|"]
    for r in report.worst.iter_rows(named=True):
        lines.append(f"| {r['scenario']} | {r['outcome']} | {r['saved']:.4g} | {r['present']:.4g} |")
    return "\n".join(lines) + "\n"
