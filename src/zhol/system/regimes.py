"""Regimes of entry by corridor and month: right to work by treaty, no visa, visa; each with its source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.system._drivers import statements
from zhol.system._drivers.statements import ALWAYS, NEVER, REGIMES, Pair, Says
from zhol.system.instruments import month_number, month_range

if TYPE_CHECKING:
    from zhol.region.load import Region

_DEFAULT = Says(ALWAYS, NEVER, "visa", "default", "", "", "no rule in the pack: a visa is assumed")
_COLUMNS = {
    "origin": pl.String, "destination": pl.String, "since": pl.String, "regime": pl.String, "basis": pl.String,
    "says": pl.String, "source_id": pl.String, "status": pl.String,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class RegimePaths:
    """Regimes by month and corridor.

    Attributes
    ----------
    months : list of str
    corridors : list of (origin, destination)
    index : array (T, C) of int: 0 treaty, 1 visa_free, 2 visa
    table : polars.DataFrame
        One row a corridor and spell: origin, destination, since, regime, basis (``law``, ``passport_index``,
        ``held_backwards``, ``default``), says, source_id, status.
    sources : polars.DataFrame
        The sources named in the table: source_id, title, publisher, url, published.
    notes : tuple of str
    """

    months: list[str]
    corridors: list[Pair]
    index: np.ndarray
    table: pl.DataFrame
    sources: pl.DataFrame
    notes: tuple[str, ...]


def regime_paths(
    region: Region,
    corridors: Sequence[Pair],
    start: str = "2000-01",
    end: str = "2040-12",
    policies_until: str | None = None,
) -> RegimePaths:
    """Regime of entry of every corridor and month.

    The last rule known holds until the next. A treaty that gives the right to work goes before all else while it is in
    force. Before the first rule, and after an agreement ends, the next visa list is held backwards; before an agreement
    or a dated change the contrary of it holds.

    Parameters
    ----------
    region : Region
        Any valid pack; without rows of visas and agreements every corridor needs a visa.
    corridors : sequence of (origin, destination)
        In the order of the last axis.
    start, end : str
        First and last month, both included.
    policies_until : str, optional
        Rules that start or end after this month are not applied.

    Returns
    -------
    RegimePaths

    Raises
    ------
    ZholError
        A place that is not in the pack; a rule of the pack's ``regimes.yaml`` that cannot be applied.

    Examples
    --------
    >>> import zhol
    >>> paths = regime_paths(zhol.load("central_asia"), [("KGZ", "RUS"), ("AFG", "KAZ")], "2015-07", "2015-08")
    >>> paths.index.tolist()
    [[1, 2], [0, 2]]
    """
    pairs, months = [(str(o), str(d)) for o, d in corridors], month_range(start, end)
    known = set(region.places["place"])
    for code in {code for pair in pairs for code in pair}:
        if code not in known:
            raise ZholError("place is not in this pack", found=code, expected="codes of places.csv")
    first, last = month_number(start), month_number(end)
    cut = last if policies_until is None else min(month_number(policies_until), last)
    treaties, agreed = statements.treaties(region), statements.visa_agreements(region)
    changed, listed = statements.changes(region), statements.lists(region)
    index, rows = np.empty((len(months), len(pairs)), dtype=np.int64), []
    for c, pair in enumerate(pairs):
        entry = _timeline([said for told in (agreed, changed, listed) for said in told.get(pair, [])])
        spells = _within(_overlaid(entry, treaties.get(pair, [])), first, cut)
        for begin, said in spells:
            index[max(begin - first, 0) :, c] = REGIMES.index(said.regime)
            rows.append((*pair, _text(max(begin, first)), said.regime, said.basis, said.says, said.source, said.status))
    table = pl.DataFrame(rows, schema=_COLUMNS, orient="row")
    return RegimePaths(months, pairs, index, table, _sources(region, table), _notes(table, policies_until))


def regime_table(
    region: Region,
    corridors: Sequence[Pair],
    start: str = "2000-01",
    end: str = "2040-12",
    policies_until: str | None = None,
) -> pl.DataFrame:
    """The rules behind the regimes, one row a corridor and spell, with basis and sources.

    Examples
    --------
    >>> import zhol
    >>> table = regime_table(zhol.load("central_asia"), [("KGZ", "RUS")])
    >>> table.select("since", "regime", "basis").rows()[-1]
    ('2015-08', 'treaty', 'law')
    """
    return regime_paths(region, corridors, start, end, policies_until).table


Spells = list[tuple[int, Says]]


def _timeline(known: list[Says]) -> Spells:
    """Entry without treaties: each spell by its first month, the latest rule on top."""
    if not known:
        return [(ALWAYS, _DEFAULT)]
    ordered = sorted(known, key=lambda s: (s.since, s.basis == "passport_index"))
    moments = sorted({ALWAYS, *(s.since for s in known), *(s.until for s in known if s.until < NEVER)})
    return [(moment, _at(moment, ordered)) for moment in moments]


def _at(moment: int, known: list[Says]) -> Says:
    """What holds from this month on: the latest rule, unless it has ended; then an older law, then what comes next."""
    past = [s for s in known if s.since <= moment]
    if past and moment < past[-1].until:
        return past[-1]
    alive = [s for s in past if s.basis == "law" and moment < s.until]
    if alive:
        return alive[-1]
    coming = next((s for s in known if s.since > moment), None)
    if coming is None:
        ended = past[-1]
        return Says(moment, NEVER, "visa", "law", ended.source, ended.status, f"{ended.says} has ended")
    if coming.basis == "passport_index":
        return Says(moment, coming.since, coming.regime, "held_backwards", coming.source, coming.status, coming.says)
    contrary = "visa" if coming.regime == "visa_free" else "visa_free"
    return Says(
        moment, coming.since, contrary, "held_backwards", coming.source, coming.status, f"before: {coming.says}"
    )


def _overlaid(entry: Spells, treaties: list[Says]) -> Spells:
    """The timeline with treaties on top while they are in force."""
    moments = sorted(
        {m for m, _ in entry} | {t.since for t in treaties} | {t.until for t in treaties if t.until < NEVER}
    )
    out: Spells = []
    for moment in moments:
        below = [said for begin, said in entry if begin <= moment][-1]
        above = [t for t in treaties if t.since <= moment < t.until]
        out.append((moment, above[-1] if above else below))
    return out


def _within(spells: Spells, first: int, cut: int) -> Spells:
    """Spells that touch the months from `first` on and begin by `cut`; what goes on as before is one spell."""
    begun = [(begin, said) for begin, said in spells if begin <= min(first, cut)][-1:]
    later = [(begin, said) for begin, said in spells if first < begin <= cut]
    out: Spells = []
    for begin, said in begun + later:
        if not out or _kind(out[-1][1]) != _kind(said):
            out.append((begin, said))
    return out


def _kind(said: Says) -> tuple[str, str, str]:
    """Spells alike in this are one: lists that repeat themselves, and the same law."""
    return said.regime, said.basis, said.says if said.basis == "law" else ""


def _text(month: int) -> str:
    return f"{month // 12:04d}-{month % 12 + 1:02d}"


def _sources(region: Region, table: pl.DataFrame) -> pl.DataFrame:
    """The sources a table names: those of the pack, and those of its rules."""
    ids = sorted({i for cell in table["source_id"].unique() for i in cell.split(";") if i})
    columns = ["source_id", "title", "publisher", "url", "published"]
    here = region.sources.filter(pl.col("source_id").is_in(ids)).select(pl.col(columns).cast(pl.String))
    own, path = statements.extra(region)
    written = [
        (i, *(own["sources"][i].get(c) or None for c in columns[1:])) for i in ids if i in own.get("sources", {})
    ]
    found = pl.concat([here, pl.DataFrame(written, schema=dict.fromkeys(columns, pl.String), orient="row")])
    lost = sorted(set(ids) - set(found["source_id"]))
    if lost:
        raise ZholError(
            "source of a rule is not written down", file=path, found=lost[0], expected="an id under sources"
        )
    return found.sort("source_id")


def _notes(table: pl.DataFrame, policies_until: str | None) -> tuple[str, ...]:
    notes = []
    none = table.filter(pl.col("basis") == "default").height
    if none:
        notes.append(f"regimes: no rule for {none} corridors, a visa is assumed")
    held = table.filter(pl.col("basis") == "held_backwards").select("origin", "destination").n_unique()
    if held:
        notes.append(f"regimes: the first known rule is held backwards on {held} corridors")
    if policies_until is not None:
        notes.append(f"regimes: no change after {policies_until} is applied")
    return tuple(notes)
