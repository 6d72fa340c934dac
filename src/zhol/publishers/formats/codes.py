"""From a publisher's way to name a country (M49 number, two letters, a name) to its ISO 3166 alpha-3 code.

Outside ISO 3166 the tidy tables use: ``XKX`` Kosovo, ``XCX`` Channel Islands, ``STL`` stateless, ``OOO`` other or
unknown, ``OOS`` unspecified sub-Saharan.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from functools import cache
from pathlib import Path

from zhol.region.iso3166 import countries


def _rows() -> list[dict[str, str]]:
    with Path(__file__).with_name("codes.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def names() -> dict[str, str]:
    """English name by alpha-3 code.

    Examples
    --------
    >>> names()["KAZ"]
    'Kazakhstan'
    """
    return {code: country.name for code, country in countries().items()}


@cache
def by_m49() -> dict[int, str]:
    """Alpha-3 code by M49 number, which ISO 3166 shares.

    Examples
    --------
    >>> by_m49()[398]
    'KAZ'
    """
    return {int(country.m49): code for code, country in countries().items()} | {830: "XCX"}


@cache
def by_alpha2() -> dict[str, str]:
    """Alpha-3 code by two letters, with Eurostat's own EL, UK and XK.

    Examples
    --------
    >>> by_alpha2()["EL"], by_alpha2()["GR"], by_alpha2()["NA"]
    ('GRC', 'GRC', 'NAM')
    """
    pairs = ((two, row["alpha3"]) for row in _rows() for two in row["alpha2"].split(";") if len(two) == 2)
    return dict(pairs)


def plain(name: str) -> str:
    """Name without accents, stars, footnote digits, case and punctuation, to compare with.

    Examples
    --------
    >>> plain("  Côte d'Ivoire* "), plain("Kosovo (1)")
    ('cote divoire', 'kosovo')
    """
    letters = (
        unicodedata.normalize("NFKD", re.sub("['’`]", "", name.replace("ı", "i"))).encode("ascii", "ignore").decode()
    )
    words = re.sub(r"[^a-z]+", " ", letters.casefold().replace("&", " and ")).split()
    return " ".join("saint" if word == "st" else word for word in words)


@cache
def _by_name() -> dict[str, str]:
    table: dict[str, str] = {}
    short: dict[str, set[str]] = {}
    for code, name in names().items():
        table[plain(name)] = code
        short.setdefault(plain(re.sub(r"\(.*?\)", "", name)), set()).add(code)
    # "Iran" for "Iran (Islamic Republic of)", but not "Korea" for either of them.
    for name, codes in short.items():
        if len(codes) == 1:
            table.setdefault(name, next(iter(codes)))
    for row in _rows():
        for name in filter(None, row["other_names"].split(";")):
            table[plain(name)] = row["alpha3"]
    return table


def code_of_name(name: str) -> str | None:
    """Alpha-3 code of an English name as publishers spell it; None if it is not known.

    Examples
    --------
    >>> code_of_name("Turkey"), code_of_name("Türkiye"), code_of_name("Kosovo*"), code_of_name("Ruritania")
    ('TUR', 'TUR', 'XKX', None)
    """
    table = _by_name()
    return table.get(plain(name)) or table.get(plain(re.sub(r"\(.*?\)", "", name)))
