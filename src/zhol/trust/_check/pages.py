"""The report of a check as a page that asks for nothing from anywhere, and the same in Markdown."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhol.core.files import replace_file

if TYPE_CHECKING:
    from zhol.trust._check.finding import Finding
    from zhol.trust.behaviours import CheckReport

_STYLE = """
body{font:15px/1.5 "DejaVu Sans",sans-serif;color:#1F2933;max-width:60rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.6rem;margin:0}h2{font-size:1.15rem;margin:2.2rem 0 .4rem}p.meta{color:#5F6B76;margin:.3rem 0 1rem}
table{border-collapse:collapse;width:100%;font-size:.85rem}
th,td{text-align:left;vertical-align:top;padding:.45rem .5rem;
border-bottom:1px solid #E3E7EB}th{color:#5F6B76;font-weight:400}td.n{text-align:right;white-space:nowrap}
small{color:#5F6B76;display:block}.yes{color:#00715A}.no{color:#B34700;font-weight:700}.none{color:#5F6B76}
figure{margin:1rem 0}figcaption{color:#5F6B76;font-size:.85rem}svg{max-width:100%;height:auto}
"""
_WORDS = {True: "holds", False: "FAILS", None: "not measured"}
_CLASS = {True: "yes", False: "no", None: "none"}
_COURSES = "Course of a few answers: median and 80 % of the cells, by year of the run; instruments act after the first."
_ANSWERS = (
    "By how much each outcome moves: median and 80 % of the cells; what moves by a factor of 50 is in the table only."
)


def write_pages(report: CheckReport, folder: Path) -> list[Path]:
    """Write ``behaviours.html``, ``behaviours.md`` and the pictures into a folder."""
    from zhol.core.charts import to_png, to_svg
    from zhol.trust._check import pictures

    specs: dict[str, Any] = {"courses": pictures.courses(report)}
    for group in _groups(report):
        specs[_slug(group)] = pictures.answers(report, group)
    specs = {name: spec for name, spec in specs.items() if spec is not None}
    files = {f"behaviours-{name}.png": to_png(spec) for name, spec in specs.items()}
    drawn = {name: to_svg(spec) for name, spec in specs.items()}
    files["behaviours.html"] = _html(report, drawn).encode("utf-8")
    files["behaviours.md"] = _markdown(report, list(specs)).encode("utf-8")
    return [replace_file(folder, name, content) for name, content in files.items()]


def about(report: CheckReport) -> str:
    """What was run, in one sentence."""
    m = report.meta
    return (
        f"Pack {m['pack']}, size {m['size']}: {m['draws']} draws of the parameters ({m['parameters']}) beside "
        f"{len(m['corridors'])} corridors ({', '.join(m['corridors'])}), {m['start']} to {m['end']}, {m['runs']} runs, "
        f"seed {m['seed']}."
    )


def _groups(report: CheckReport) -> list[str]:
    return list(dict.fromkeys(f.group for f in report.findings))


def _slug(text: str) -> str:
    return re.sub(r"[^a-z]+", "-", text.lower()).strip("-")


def _html(report: CheckReport, drawn: dict[str, str]) -> str:
    from zhol.core.fonts import web_font

    fonts = "".join(
        f'@font-face{{font-family:"DejaVu Sans";font-weight:{w};src:url(data:font/woff2;base64,{web_font(s)}) '
        f'format("woff2")}}'
        for s, w in (("regular", 400), ("bold", 700))
    )
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Behaviours that must hold</title>'
        f"<style>{fonts}{_STYLE}</style></head><body><main><h1>Behaviours that must hold</h1>",
        f'<p class="meta">{escape(about(report))}</p>',
        *(f"<p>{escape(line)}</p>" for line in report.summary().splitlines()),
    ]
    if "courses" in drawn:
        parts.append(_figure(drawn["courses"], _COURSES))
    for group in _groups(report):
        parts.append(f"<h2>{escape(group)}</h2>")
        if _slug(group) in drawn:
            parts.append(_figure(drawn[_slug(group)], _ANSWERS))
        parts.append(
            "<table><thead><tr><th>Behaviour</th><th></th><th>Worst</th><th>Bound</th><th>Holds in</th></tr></thead>"
        )
        parts += [_html_row(f) for f in report.findings if f.group == group]
        parts.append("</table>")
    return "".join(parts) + "</main></body></html>\n"


def _figure(svg: str, words: str) -> str:
    return f'<figure role="img" aria-label="{escape(words)}">{svg}<figcaption>{escape(words)}</figcaption></figure>'


def _html_row(found: Finding) -> str:
    return (
        f"<tr><td>{escape(found.statement)}<small>{escape(found.measured)}</small></td>"
        f'<td class="{_CLASS[found.passed]}">{_WORDS[found.passed]}</td><td class="n">{_number(found.worst)}</td>'
        f'<td class="n">{escape(found.bound)}</td><td class="n">{_share(found)}</td></tr>'
    )


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.3g}"


def _share(found: Finding) -> str:
    if found.passed is None:
        return "–"
    needed = "all needed" if found.needed == 1.0 else f"{found.needed:.0%} needed"
    return f"{found.holds:.0%} of {found.cells.size} ({needed})"


def _markdown(report: CheckReport, pictures: list[str]) -> str:
    lines = ["# Behaviours that must hold", "", about(report), "", *(f"{x}\n" for x in report.summary().splitlines())]
    if "courses" in pictures:
        lines += [f"![{_COURSES}](behaviours-courses.png)", ""]
    for group in _groups(report):
        lines += [f"## {group}", ""]
        if _slug(group) in pictures:
            lines += [f"![{_ANSWERS}](behaviours-{_slug(group)}.png)", ""]
        lines += ["| behaviour | how measured | | worst | bound | holds in |", "|---|---|---|---|---|---|"]
        for f in report.findings:
            if f.group == group:
                cells = (f.statement, f.measured, _WORDS[f.passed], _number(f.worst), f.bound, _share(f))
                lines.append("| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |")
        lines.append("")
    return "\n".join(lines)
