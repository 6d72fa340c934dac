"""Read the compiled evidence files: rows of text, coded words, plain numbers, notes."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from pathlib import Path

from zhol.core.errors import ZholError
from zhol.publishers.evidence import rules


def records(source_dir: Path, *parts: str) -> list[dict[str, str]]:
    """Rows of one CSV file below the folder of source files, cells stripped.

    Raises
    ------
    ZholError
        If there is no such file.
    """
    path = Path(source_dir).joinpath(*parts)
    if not path.is_file():
        raise ZholError(
            "source file is missing", file=path, expected="/".join(parts), hint="give the folder that holds it"
        )
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [{k: (v or "").strip() for k, v in row.items() if k} for row in csv.DictReader(file)]


def coded(table: str, key: str, value: str, word: str, *, file: str, row: int, column: str) -> str:
    """Look a word up in a rule file; an unknown word is an error that names its cell.

    Raises
    ------
    ZholError
        If the rule file does not know the word.
    """
    known = rules.lookup(table, key, value)
    if word not in known:
        raise ZholError(
            f"word without a rule in {table}.csv",
            file=file,
            row=row,
            column=column,
            found=word,
            hint=f"add it to {table}.csv",
        )
    return known[word]


def number(text: str) -> float | None:
    """A plain number or nothing.

    Examples
    --------
    >>> number("49.6"), number("")
    (49.6, None)
    """
    return float(text) if text else None


def note(*parts: str) -> str | None:
    """Join what there is to say with semicolons, each thing once, in plain words.

    Examples
    --------
    >>> note("rounded", "", "rounded", "year inferred")
    'rounded; year inferred'
    """
    said: list[str] = []
    for part in map(plain, parts):
        if part and part not in said:
            said.append(part)
    return "; ".join(said) or None


def plain(text: str) -> str:
    """Text with the compiler's own shorthand put into words that a reader of the pack knows.

    Examples
    --------
    >>> plain("earlier reading kept, not re-read")
    'not checked a second time'
    """
    for rule in rules.rows("wording"):
        text = re.sub(rule["pattern"], rule["words"], text)
    return text.strip()


def own(text: str) -> str:
    """Plain text outside titles of laws: what sources call illegal is called irregular.

    Examples
    --------
    >>> own("foreigners working illegally")
    'foreigners working irregularly'
    """
    text = plain(text)
    for rule in rules.rows("wording_own"):
        text = re.sub(rule["pattern"], rule["words"], text)
    return text


def split_outside_brackets(text: str, mark: str = ";") -> list[str]:
    """Parts of a text between marks, where a mark inside brackets does not count.

    Examples
    --------
    >>> split_outside_brackets("TASS (a; b); MEA")
    ['TASS (a; b)', 'MEA']
    """
    parts, depth, start = [], 0, 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == mark and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def joined(items: Iterable[str]) -> str:
    """Ids or codes joined by semicolons, each once, in their order."""
    return ";".join(dict.fromkeys(items))
