"""Country codes: ISO 3166-1 alpha-3, and the user-assigned codes that blocks and groups may take."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

HERE = Path(__file__).parent

# Ranges that ISO 3166-1 leaves to its users: AAA-AAZ, QMA-QZZ, XAA-XZZ, ZZA-ZZZ.
_USER = re.compile(r"AA[A-Z]|Q[M-Z][A-Z]|X[A-Z]{2}|ZZ[A-Z]")


class Country(NamedTuple):
    """An entry of ISO 3166-1: alpha-3 code, M49 number as text of three digits, English short name."""

    alpha3: str
    m49: str
    name: str


class Block(NamedTuple):
    """A code of ours that is no entry of ISO 3166-1: its kind of place and its name."""

    code: str
    kind: str
    name: str


@cache
def countries() -> Mapping[str, Country]:
    """The 249 entries of ISO 3166-1 by alpha-3 code.

    Examples
    --------
    >>> len(countries()), countries()["KAZ"].m49
    (249, '398')
    """
    return MappingProxyType({row[0]: Country(*row) for row in _rows("iso3166.csv")})


@cache
def blocks() -> Mapping[str, Block]:
    """Blocks, groups and other codes of ours, by code.

    Examples
    --------
    >>> blocks()["XBA"].kind
    'block'
    """
    return MappingProxyType({row[0]: Block(*row) for row in _rows("blocks.csv")})


def is_country(code: str) -> bool:
    """True for an ISO 3166-1 alpha-3 code, and for a code of ours that stands for a country.

    Examples
    --------
    >>> is_country("KAZ"), is_country("XKX"), is_country("XEU"), is_country("KAX")
    (True, True, False, False)
    """
    return code in countries() or (code in blocks() and blocks()[code].kind == "country")


def is_user_assigned(code: str) -> bool:
    """True for a code that a block or group may take: one of ours, or of the ranges that ISO leaves free.

    Examples
    --------
    >>> is_user_assigned("XEU"), is_user_assigned("ZZZ"), is_user_assigned("KAZ")
    (True, True, False)
    """
    return code in blocks() or _USER.fullmatch(code) is not None


def _rows(name: str) -> list[list[str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]
