"""Where other lists of members (Correlates of War to 2014, compiled spells after it) differ from ours, in words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from zhol.publishers.evidence import rules
from zhol.publishers.evidence.reading import records

LAST_YEAR = 2014


def disagreements(source_dir: Path, rows: Iterable[dict[str, Any]]) -> dict[tuple[str, str], str]:
    """What other lists say otherwise about full membership, by body and place.

    Parameters
    ----------
    source_dir : Path
        Folder with ``data/regional_bodies``.
    rows : iterable of dict
        Rows of the table ``memberships``.

    Returns
    -------
    dict
        Only pairs whose first or last year differs by more than one, or that one side lacks.
    """
    ours: dict[tuple[str, str], set[int]] = {}
    first: dict[tuple[str, str], int] = {}
    for row in rows:
        if row["is_member"]:
            pair = (row["body"], row["place"])
            first[pair] = min(first.get(pair, 9999), int(row["joined"][:4]))
            ours.setdefault(pair, set()).update(_years(row["joined"], row["left"]))
    told = {}
    for pair, years in cow_years(source_dir).items():
        mine = ours.get(pair, set())
        if not mine or abs(min(mine) - min(years)) > 1 or abs(max(mine) - max(years)) > 1:
            told[pair] = f"COW IGO v3 has it full from {min(years)} to {max(years)}"
    for pair, since in spells(source_dir).items():
        if pair not in first or abs(first[pair] - int(since[:4])) > 1:
            text = f"a compiled list has it full from {since}"
            told[pair] = f"{told[pair]}; {text}" if pair in told else text
    return told


def _years(joined: str, left: str | None) -> range:
    """Years of a spell up to the last one that the Correlates of War list covers."""
    return range(int(joined[:4]), min(int(left[:4]) if left else LAST_YEAR, LAST_YEAR) + 1)


def cow_years(source_dir: Path) -> dict[tuple[str, str], set[int]]:
    """Years of full membership in the Correlates of War list, by body and place."""
    names = rules.lookup("cow_bodies", "igo", "body")
    years: dict[tuple[str, str], set[int]] = {}
    for row in records(source_dir, "data", "regional_bodies", "cow_igo_membership_selected_to2014.csv"):
        if row["igo"] in names and row["status"] == "full":
            years.setdefault((names[row["igo"]], row["iso3"]), set()).add(int(row["year"]))
    return years


def spells(source_dir: Path) -> dict[tuple[str, str], str]:
    """Start of full membership in the list of compiled spells, by body and place."""
    rows = records(source_dir, "data", "regional_bodies", "membership_spells_cited.csv")
    return {(row["body"], row["iso3"]): row["start"] for row in rows if row["status"] == "full"}
