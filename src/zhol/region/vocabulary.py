"""The words of the project: one table that feeds the schema, the handbook, help texts and labels."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from zhol.core.errors import ZholError

LANGUAGES = ("en", "ru", "kk")


class Term(NamedTuple):
    """A word: the kind of column it names (or ``term``), its unit, and what it means in three languages."""

    name: str
    kind: str
    unit: str
    description: str
    description_ru: str
    description_kk: str


@cache
def terms() -> Mapping[str, Term]:
    """Every word of the vocabulary by name.

    Examples
    --------
    >>> terms()["persons"].unit
    'persons'
    """
    with (Path(__file__).parent / "vocabulary.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return MappingProxyType({row[0]: Term(*row) for row in rows[1:]})


def describe(name: str, language: str = "en") -> str:
    """What a word means.

    Parameters
    ----------
    name : str
        A column or term, such as ``corridor``.
    language : {'en', 'ru', 'kk'}
        Language of the answer.

    Raises
    ------
    ZholError
        If the word or the language is not known.

    Examples
    --------
    >>> describe("corridor")
    'A pair of origin and destination'
    >>> describe("origin", "kk").split()[0]
    'Адамдар'
    """
    if language not in LANGUAGES:
        raise ZholError("unknown language", found=language, expected=" | ".join(LANGUAGES))
    if name not in terms():
        raise ZholError("not in the vocabulary", found=name, hint="see vocabulary.csv")
    term = terms()[name]
    return {"en": term.description, "ru": term.description_ru, "kk": term.description_kk}[language]
