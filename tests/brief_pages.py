"""Briefs composed once for all tests of one worker, and a reader of pages that knows what every digit stands in."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser

import zhol
from zhol.brief.compose import compose
from zhol.brief.html import render_html
from zhol.brief.resolve import resolve

VOID = {"meta", "link", "br", "img", "hr", "input", "path", "rect", "line", "circle"}


@cache
def region():
    return zhol.load("central_asia")


def places() -> list[str]:
    kinds = region().places.to_dicts()
    return [row["place"] for row in kinds if row["kind"] in {"country", "block"}]


@cache
def content(place: str) -> dict:
    return resolve(compose(region(), place), region())


@cache
def page(place: str) -> str:
    return render_html(content(place))


class Page(HTMLParser):
    """Reads a page into pieces of text, each with the elements it stands in (outermost first)."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict]] = []
        self.texts: list[tuple[str, list[tuple[str, dict]]]] = []
        self.elements: list[tuple[str, dict]] = []
        self.faults: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{name}> is never closed" for name, _ in self.open]

    def handle_starttag(self, name, attributes):
        given = {key: value or "" for key, value in attributes}
        if len(given) != len(attributes):
            self.faults.append(f"<{name}> has an attribute twice")
        self.elements.append((name, given))
        if name not in VOID:
            self.open.append((name, given))

    def handle_startendtag(self, name, attributes):
        self.elements.append((name, {key: value or "" for key, value in attributes}))

    def handle_endtag(self, name):
        if name in VOID:
            return
        if not self.open or self.open[-1][0] != name:
            self.faults.append(f"</{name}> closes {self.open[-1][0] if self.open else 'nothing'}")
            return
        self.open.pop()

    def handle_data(self, data):
        self.texts.append((data, list(self.open)))


@cache
def read(place: str) -> Page:
    return Page(page(place))
