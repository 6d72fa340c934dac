"""Number the sources and reasons in the order a reader meets them, and turn a brief into plain values.

Both printers (page and PDF) read the same plain values, so they cannot say different things.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from zhol.brief.content import (
    Brief,
    Bullets,
    Cards,
    Column,
    Figure,
    Inline,
    Marks,
    Number,
    Paragraph,
    Section,
    Sign,
    Strong,
    Table,
    Text,
    Title,
    When,
    plain,
)
from zhol.brief.words import number_text
from zhol.core.charts.theme import WIDTH
from zhol.core.errors import ZholError
from zhol.core.result import json_ready

if TYPE_CHECKING:
    from zhol.region.load import Region

Plain = dict[str, Any]
PACK = "this pack"


def resolve(brief: Brief, region: Region) -> Plain:
    """The brief as dictionaries, lists, texts and numbers only.

    Raises
    ------
    ZholError
        If a number names a source that the pack does not have.
    """
    return _Resolver(region).brief(brief)


class _Resolver:
    """Holds the numbering while one brief is walked."""

    def __init__(self, region: Region) -> None:
        self._known = {row["source_id"]: row for row in region.sources.to_dicts()}
        # What is counted from the pack itself (places, treaties, cited figures) has the pack as its source.
        self._known[PACK] = {
            "title": region.title,
            "publisher": f"zhol region pack {region.name}",
            "published": region.manifest.version,
        }
        self._known |= _of_policy(region)
        self._numbers: dict[str, int] = {}
        self._letters: dict[str, str] = {}
        # Tables behind charts come last: the page has them, the PDF does not, so neither do its sources.
        self._waiting: list[tuple[Plain, Table]] = []

    def brief(self, brief: Brief) -> Plain:
        sections = [self._section(i + 1, s) for i, s in enumerate(brief.sections)]
        printed = len(self._numbers)
        for drawn, data in self._waiting:
            drawn["data"] = self._table(data)
        return {
            "place": brief.place,
            "name": brief.name,
            "title": brief.title,
            "subtitle": brief.subtitle,
            "purpose": brief.purpose,
            "as_of": brief.as_of.shown,
            "region": brief.region,
            "sections": sections,
            "reasons": [{"letter": letter, "text": why} for why, letter in self._letters.items()],
            "sources": [{**self._source(s, n), "printed": n <= printed} for s, n in self._numbers.items()],
        }

    def _section(self, number: int, section: Section) -> Plain:
        blocks = [self._block(f"{section.key}-{i}", block) for i, block in enumerate(section.blocks)]
        return {"number": number, "key": section.key, "title": section.title, "blocks": blocks}

    def _block(self, key: str, block: Any) -> Plain:
        match block:
            case Paragraph(content, kind):
                return {"is": "paragraph", "kind": kind, "content": self._text(content)}
            case Bullets(items, kind):
                return {"is": "bullets", "kind": kind, "items": [self._text(item) for item in items]}
            case Cards(items):
                return {"is": "cards", "items": [self._card(card) for card in items]}
            case Table():
                return {"is": "table", "key": key, **self._table(block)}
            case Figure():
                return self._figure(key, block)
        raise TypeError(f"no block of a brief: {type(block).__name__}")

    def _card(self, card: Any) -> Plain:
        return {
            "label": self._text(card.label),
            "number": self._inline(card.number),
            "unit": card.unit,
            "note": self._text(card.note),
        }

    def _figure(self, key: str, figure: Figure) -> Plain:
        title = self._text(figure.title)
        drawn: Plain = {
            "is": "figure",
            "key": key,
            "title": title,
            "share": _share(figure.svg),
            "svg": figure.svg.replace('"clip', f'"{key}-clip').replace("#clip", f"#{key}-clip"),
            "alt": figure.alt,
            "marks": self._marks_of(figure.data),
            "note": self._text(figure.note),
        }
        self._waiting.append((drawn, figure.data))
        return drawn

    def _table(self, table: Table) -> Plain:
        title = self._text(table.title)
        columns = list(zip(*table.rows, strict=True)) if table.rows else [()] * len(table.columns)
        heads, lifted = [], []
        for column, cells in zip(table.columns, columns, strict=True):
            marks = self._common_marks(cells)
            lifted.append(marks is not None)
            heads.append(self._head(column, marks))
        rows = [[self._cell(cell, hide=up) for cell, up in zip(row, lifted, strict=True)] for row in table.rows]
        return {"title": title, "columns": heads, "rows": rows, "note": self._text(table.note)}

    def _head(self, column: Column, marks: Plain | None) -> Plain:
        return {
            "title": self._text(column.title),
            "number": column.number,
            "width": column.width,
            "marks": marks or {"refs": [], "letters": []},
        }

    def _cell(self, cell: Text, *, hide: bool) -> list[Plain]:
        content = self._text(cell)
        if hide:
            for piece in content:
                piece["shown_marks"] = False
        return content

    def _common_marks(self, cells: tuple[Text, ...] | list[Any]) -> Plain | None:
        """Marks of a column whose numbers share their sources; they then stand once, at its head."""
        numbers = [p.quantity for cell in cells for p in cell if isinstance(p, Number) and not p.quiet]
        if len(numbers) < 2 or len({q.sources for q in numbers}) != 1:
            return None
        reasons = dict.fromkeys(q.no_interval for q in numbers if _without(q) and q.no_interval)
        return {**self._marks(numbers[0].sources, None), "letters": [self._letter(r) for r in reasons]}

    def _marks_of(self, table: Table) -> Plain:
        """All sources and reasons of a table's numbers: the line under a figure."""
        refs: list[int] = []
        letters: list[str] = []
        for row in table.rows:
            for cell in row:
                for piece in cell:
                    if isinstance(piece, Number):
                        own = self._marks(piece.quantity.sources or (PACK,), _reason(piece))
                        refs += [r for r in own["refs"] if r not in refs]
                        letters += [x for x in own["letters"] if x not in letters]
        return {"refs": sorted(refs), "letters": sorted(letters)}

    def _text(self, content: Text) -> list[Plain]:
        return [self._inline(piece) for piece in content]

    def _inline(self, piece: Inline) -> Plain:
        match piece:
            case str():
                if any(letter.isdigit() for letter in piece):
                    raise ZholError("a number stands in plain words", found=piece, expected="a quantity or a date")
                return {"is": "text", "text": piece}
            case When(shown):
                return {"is": "when", "text": shown}
            case Strong(words):
                return {"is": "strong", "text": words}
            case Title(words):
                return {"is": "title", "content": self._text(plain(words))}
            case Sign(glyph, words):
                return {"is": "sign", "text": glyph, "words": words}
            case Marks(sources):
                return {"is": "marks", **self._marks(sources, None)}
            case Number():
                return self._number(piece)
        raise TypeError(f"no piece of a text: {type(piece).__name__}")

    def _number(self, number: Number) -> Plain:
        quantity = number.quantity
        shown, interval = number_text(quantity, number.style)
        return {
            "is": "number",
            "text": shown,
            "interval": interval,
            "value": json_ready(quantity.value),
            "low": json_ready(quantity.low),
            "high": json_ready(quantity.high),
            "unit": quantity.unit,
            "kind": quantity.interval,
            "why": quantity.no_interval if _without(quantity) else None,
            "shown_marks": not number.quiet,
            **self._marks(quantity.sources or (PACK,), _reason(number)),
        }

    def _marks(self, sources: tuple[str, ...], reason: str | None) -> Plain:
        letters = [] if reason is None else [self._letter(reason)]
        return {"refs": sorted({self._source_number(s) for s in sources}), "letters": letters}

    def _source_number(self, source: str) -> int:
        if source not in self._known:
            raise ZholError("a number of the brief names an unknown source", found=source, expected="a row of sources")
        return self._numbers.setdefault(source, len(self._numbers) + 1)

    def _letter(self, reason: str) -> str:
        number, alphabet = len(self._letters), "abcdefghijklmnopqrstuvwxyz"
        # a to z, then aa, ab, ...
        fresh = alphabet[number % 26] if number < 26 else alphabet[number // 26 - 1] + alphabet[number % 26]
        return self._letters.setdefault(reason, fresh)

    def _source(self, name: str, number: int) -> Plain:
        row = self._known[name]
        keep = ("title", "publisher", "url", "published")
        source = {k: str(row.get(k) or "") for k in keep}
        if source["publisher"].lower() in source["title"].lower():
            source["publisher"] = ""
        return {"number": number, "id": name, **source}


def _of_policy(region: Region) -> dict[str, Plain]:
    """Runs of the system, and the studies behind the effects of instruments, as sources."""
    from zhol.brief.policy_runs import RUNS, studies

    runs = {
        "title": "Runs of the system under scenarios, all with the same draws",
        "publisher": f"zhol region pack {region.name}",
        "published": region.manifest.version,
    }
    return {RUNS: runs, **studies()}


def _share(svg: str) -> float:
    """Width of a chart as a share of the text's, so that letters have one size in all charts."""
    match = re.search(r'<svg[^>]* width="([\d.]+)"', svg)
    return min(float(match[1]) / (WIDTH + 4), 1.0) if match else 1.0


def _without(quantity: Any) -> bool:
    return quantity.low is None or quantity.high is None


def _reason(number: Number) -> str | None:
    return number.quantity.no_interval if _without(number.quantity) else None
