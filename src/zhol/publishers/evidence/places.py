"""Turn corridors and countries as the files write them into place codes of the pack."""

from __future__ import annotations

import csv
import re
from functools import cache
from pathlib import Path

from zhol.core.errors import ZholError
from zhol.publishers.evidence import rules

PLACES = Path(__file__).parents[2] / "packs" / "central_asia" / "places.csv"
# The Union is the two blocks together.
UNION = ("XEU", "XBA")
UNION_NOTE = "the European Union as such; the blocks also hold EFTA and the United Kingdom, which it does not bind"


def place(written: str, *, file: str, row: int, column: str) -> tuple[str, str]:
    """Code of a place and what the reader must know about it.

    Raises
    ------
    ZholError
        If the place is in no rule.

    Examples
    --------
    >>> place("POL", file="figures.csv", row=2, column="corridor")
    ('XEU', 'Poland only, one country of the block')
    """
    if written in _kinds():
        return written, ""
    for rule in rules.rows("places"):
        if rule["written"] == written:
            return rule["code"], rule["note"]
    raise ZholError("unknown place", file=file, row=row, column=column, found=written, hint="add it to places.csv")


@cache
def _rows() -> tuple[dict[str, str], ...]:
    with PLACES.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _kinds() -> dict[str, str]:
    return {row["place"]: row["kind"] for row in _rows()}


@cache
def members() -> dict[str, tuple[str, ...]]:
    """Countries of each country and block of the pack; a country is its own only member.

    Examples
    --------
    >>> members()["KAZ"], members()["XBA"]
    (('KAZ',), ('EST', 'LTU', 'LVA'))
    """
    own = {row["place"]: (row["place"],) for row in _rows() if row["kind"] == "country"}
    return own | {row["place"]: tuple(row["members"].split(";")) for row in _rows() if row["kind"] == "block"}


def corridor(text: str, country_is: str, other: str, file: str, row: int) -> tuple[str, str, str]:
    """Origin, destination and note of a corridor ``A-B`` or of one country.

    For a single country ``country_is`` says which end it is and ``other`` is the code of the other end.

    Examples
    --------
    >>> corridor("KAZ", "destination", "WLD", "figures.csv", 2)
    ('WLD', 'KAZ', '')
    """
    bracket = re.search(r"\s*\((.+)\)$", text)
    ends = re.sub(r"\s*\(.+\)$", "", text).split("-")
    codes = [place(end, file=file, row=row, column="corridor_or_country") for end in ends]
    notes = [bracket[1] if bracket else "", *(note for _, note in codes)]
    if len(codes) == 2:
        origin, destination = codes[0][0], codes[1][0]
    elif country_is == "origin":
        origin, destination = codes[0][0], other
    else:
        origin, destination = other, codes[0][0]
    return origin, destination, "; ".join(n for n in notes if n)
