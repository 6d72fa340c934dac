"""The evidence tables of a pack: cited figures, events, bodies, memberships, functions, agreements and legs.

Each table has a file here; the rules by which text becomes codes are CSV files in ``rules/``, so that every judgement
can be read and disputed without reading code.
"""

from __future__ import annotations

from pathlib import Path

import polars as pl

from zhol.publishers import legs as _legs
from zhol.publishers.evidence.agreements import agreements
from zhol.publishers.evidence.bodies import bodies, memberships
from zhol.publishers.evidence.citations import Citations
from zhol.publishers.evidence.events import events
from zhol.publishers.evidence.figures import figures
from zhol.publishers.evidence.functions import functions

__all__ = ["sources", "tables"]


def tables(source_dir: str | Path) -> dict[str, pl.DataFrame]:
    """The eight evidence tables of the pack.

    Parameters
    ----------
    source_dir : path
        Folder that holds ``evidence/`` and ``data/``.

    Returns
    -------
    dict of str to polars.DataFrame
        ``figures``, ``events``, ``bodies``, ``memberships``, ``functions``, ``agreements``, ``agreement_parties``
        and ``legs``, in the pack's columns. The same files give the same tables.

    Raises
    ------
    ZholError
        If a file is missing or holds a word for which there is no rule.
    """
    return _read(Path(source_dir))[0]


def sources(source_dir: str | Path) -> pl.DataFrame:
    """One row for each distinct source that the evidence tables cite.

    Parameters
    ----------
    source_dir : path
        Folder that holds ``evidence/`` and ``data/``.
    """
    return pl.concat([_read(Path(source_dir))[1].frame(), _legs.sources()]).sort("source_id")


def _read(source_dir: Path) -> tuple[dict[str, pl.DataFrame], Citations]:
    root = source_dir.parent if source_dir.name == "evidence" else source_dir
    citations = Citations()
    found = {
        "figures": figures(root, citations),
        "events": events(root, citations),
        "bodies": bodies(root, citations),
        "memberships": memberships(root, citations),
        "functions": functions(root, citations),
    }
    found["agreements"], found["agreement_parties"] = agreements(root, citations)
    found["legs"] = _legs.legs(root)
    return found, citations
