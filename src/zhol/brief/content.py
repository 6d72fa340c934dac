"""What a brief is made of, whatever it is printed on: sections of paragraphs, tables, figures and numbers.

Digits reach a reader in three ways only: as a ``Quantity`` (with interval and source), as a date (``When``), or as the
title of a source. ``text`` refuses a digit in plain words, so that no number can slip in without its source.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from typing import Literal

from zhol.core.errors import ZholError
from zhol.core.quantity import Quantity

Style = Literal["full", "value", "exact", "whole", "signed"]


@dataclass(frozen=True)
class Number:
    """A quantity as shown: ``full`` with its interval, ``value`` rounded alone, ``exact`` to the last digit.

    ``whole`` is a percentage without decimals; ``signed`` a change, with its interval and a plus where it is one.
    """

    quantity: Quantity
    style: Style = "full"
    quiet: bool = False  # no marks beside it: its source or reason stands with the words around it


@dataclass(frozen=True)
class When:
    """A year, a span of years or a date."""

    shown: str


@dataclass(frozen=True)
class Strong:
    """Words set in bold."""

    words: str


@dataclass(frozen=True)
class Title:
    """Title of a law, a treaty or a source, in its own words."""

    words: str


@dataclass(frozen=True)
class Sign:
    """A sign in a table, and the words it stands for."""

    glyph: str
    words: str


@dataclass(frozen=True)
class Marks:
    """Numbers of sources, where they stand for a whole sentence and not for one number."""

    sources: tuple[str, ...]


Inline = str | Number | When | Strong | Title | Sign | Marks
Text = tuple[Inline, ...]


@dataclass(frozen=True)
class Paragraph:
    """Running text; ``lead`` says the section's finding, ``note`` is small."""

    content: Text
    kind: Literal["text", "lead", "note"] = "text"


@dataclass(frozen=True)
class Bullets:
    """A list of short statements; warnings stand in a box."""

    items: tuple[Text, ...]
    kind: Literal["text", "warning"] = "text"


@dataclass(frozen=True)
class Column:
    """Head of a table column."""

    title: Text
    number: bool = False
    width: float = 1.0  # share of the table, used by the PDF


@dataclass(frozen=True)
class Table:
    """A table; the first column names the row."""

    title: Text
    columns: tuple[Column, ...]
    rows: tuple[tuple[Text, ...], ...]
    note: Text = ()


@dataclass(frozen=True)
class Figure:
    """A chart with the table of the figures it shows: what has no row there is not in the chart."""

    title: Text
    svg: str
    alt: str
    data: Table
    note: Text = ()


@dataclass(frozen=True)
class Card:
    """One key figure."""

    label: Text
    number: Number
    unit: str
    note: Text = ()


@dataclass(frozen=True)
class Cards:
    """The box of key figures."""

    items: tuple[Card, ...]


Block = Paragraph | Bullets | Table | Figure | Cards


@dataclass(frozen=True)
class Section:
    """A part of the brief under one heading."""

    key: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Brief:
    """A whole brief, not yet numbered."""

    place: str
    name: str
    title: str
    subtitle: str
    purpose: str
    as_of: When
    region: str
    sections: tuple[Section, ...]
    missing: tuple[str, ...] = field(default=())


# A date, a span of years or a year, then any other numeral with its separators.
_NUMERAL = re.compile(
    r"(?P<when>\b\d{4}-\d{2}(?:-\d{2})?\b|\b(?:1[89]|20|21)\d\d(?:[–/-](?:(?:1[89]|20|21)\d\d|\d\d))?\b)"
    r"|(?P<number>\d+(?:[,.\s]\d{3})*(?:\.\d+)?)"
)


IN_WORDS = "a number inside the words of the source, which give no interval"


def year(value: int) -> When:
    """A year as a reader sees it."""
    return When(str(value))


def years(first: int, last: int) -> When:
    """A span of years, or one year."""
    return When(str(first) if first == last else f"{first}–{last}")


def text(template: str, **parts: Inline | Quantity | Text) -> Text:
    """Fill a sentence; plain words may hold no digit.

    Examples
    --------
    >>> text("In {when}, many came.", when=year(2020))
    ('In ', When(shown='2020'), ', many came.')
    """
    content: list[Inline] = []
    for words, name, _, _ in string.Formatter().parse(template):
        if re.search(r"\d", words):
            raise ZholError("a number stands in plain words", found=words, expected="a quantity or a date")
        content.append(words)
        if name is None:
            continue
        part = parts[name]
        if isinstance(part, tuple):
            content.extend(part)
        elif isinstance(part, Quantity):
            content.append(Number(part, quiet=not part.sources))
        elif isinstance(part, str):
            content.extend(plain(part))
        else:
            content.append(part)
    return tuple(piece for piece in content if piece != "")


def plain(words: str, sources: tuple[str, ...] = (), why: str = IN_WORDS) -> Text:
    """Words of a pack or a publisher: years become dates, other numerals quantities without an interval.

    Examples
    --------
    >>> plain("from 2014 on")
    ('from ', When(shown='2014'), ' on')
    """
    content: list[Inline] = []
    at = 0
    for match in _NUMERAL.finditer(words):
        content.append(words[at : match.start()])
        at = match.end()
        if match["when"]:
            content.append(When(match["when"]))
            continue
        value = float(re.sub(r"[,\s]", "", match["number"]))
        quantity = Quantity(value, None, None, "", sources, no_interval=why)
        content.append(Number(quantity, "exact", quiet=True))
    content.append(words[at:])
    return tuple(piece for piece in content if piece != "")
