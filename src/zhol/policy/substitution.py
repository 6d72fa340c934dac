"""What a policy moves instead of stopping: other countries and roads, other statuses, other times, fewer returns.

The four substitution effects of de Haas (2011): spatial, categorical, intertemporal, reverse flow. Each is a difference
of the same draw under two scenarios, summed over the window.

References
----------
de Haas H. (2011) The determinants of international migration. IMI Working Paper 32, University of Oxford.
Czaika M., de Haas H. (2017) The effect of visas on migration processes. International Migration Review 51(4):893-926.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.system.names import PASSAGE

if TYPE_CHECKING:
    from zhol.policy.comparison import Comparison
    from zhol.system.run import Run

EFFECTS = ("direct", "other_country", "other_road", "other_status", "other_time", "fewer_returns")
_ELSEWHERE = {
    "scenario": pl.String,
    "destination": pl.String,
    "value": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "unit": pl.String,
}
_SMALLEST = 1e-3  # a fall smaller than this share of the base is none: nothing to take shares of


@dataclass(frozen=True)
class Substitution:
    """Substitution effects of each scenario; frozen.

    Attributes
    ----------
    table : polars.DataFrame
        ``scenario``, ``effect``, ``what``, ``value``, ``low``, ``high``, ``unit``, ``probability`` (share of draws in
        which it is above zero), and ``per_100`` with its interval: for every 100 people who no longer come by the ways
        that the scenario narrows, or for every 100 who no longer pass through the acting countries.
    elsewhere : polars.DataFrame
        Change of entries by scenario and destination outside the acting countries.
    """

    table: pl.DataFrame
    elsewhere: pl.DataFrame

    def summary(self) -> str:
        """The effects in plain text, one line each."""
        from zhol.policy.outcomes import worded

        lines = []
        for row in self.table.to_dicts():
            share = ""
            if row["per_100"] is not None:
                ends = f"{row['per_100_low']:.0f} to {row['per_100_high']:.0f}"
                share = f"; {row['per_100']:.0f} for every 100 ({ends})"
            middle, low, high = (worded(row[n], row["unit"]) for n in ("value", "low", "high"))
            lines.append(f"{row['scenario']}, {row['what']}: {middle} {row['unit']} ({low} to {high}){share}")
        return "\n".join(lines)


def substitution(comparison: Comparison) -> Substitution:
    """Substitution effects of every scenario of a comparison beside its base."""
    base, level = comparison.runs[0], comparison.level
    rows, where = [], []
    for number, name in enumerate(comparison.names[1:], start=1):
        run = comparison.runs[number]
        for effect, what, unit, values, of in _effects(base, run, comparison.scope.acting, comparison.spans[number]):
            rows.append({"scenario": name, "effect": effect, "what": what, **_row(values, of, level), "unit": unit})
        where += [{"scenario": name, **row} for row in _elsewhere(base, run, comparison.scope.acting, level)]
    shares = {f"per_100{end}": pl.Float64 for end in ("", "_low", "_high")}
    return Substitution(
        pl.DataFrame(rows, schema_overrides=shares),
        pl.DataFrame(where, schema=_ELSEWHERE),
    )


Found = tuple[str, str, str, np.ndarray, np.ndarray | None]


def _effects(base: Run, run: Run, acting: Sequence[str], span: tuple[int, int]) -> list[Found]:
    here = [p in acting for p in base.places]
    entries = [_entries(r, acting) for r in (base, run)]
    gap = entries[1] - entries[0]  # (draw, year, here or elsewhere, channel)
    by_channel = gap[:, :, 0].sum(axis=1)
    lost = np.maximum(-by_channel, 0.0).sum(axis=-1)
    floor = _SMALLEST * entries[0][:, :, 0].sum(axis=(1, 2))
    of = np.where(lost > floor, lost, np.nan)
    found: list[Found] = [("direct", "fewer come by the ways that narrow", "persons", lost, None)]
    found.append(("other_country", "more go to other countries", "persons", gap[:, :, 1].sum(axis=(1, 2)), of))
    found.append(_road(base, run, here))
    gained = np.maximum(by_channel, 0.0)
    found.append(("other_status", "more come by other ways", "persons", gained.sum(axis=-1), of))
    found.append(("other_status", "of these, without papers", "persons", gained[:, PASSAGE], of))
    inflow = [r.draws("irregular_inflow", ["destination"], {"destination": list(acting)})[0] for r in (base, run)]
    found.append(("other_status", "more become irregular, whatever way they came", "persons",
                  (inflow[1] - inflow[0]).sum(axis=(1, 2)), of))  # fmt: skip
    found += _times(gap[:, :, 0].sum(axis=-1), [e[:, :, 0].sum(axis=-1) for e in entries], span, of)
    return found + _returns(base, run, acting, of)


def _entries(run: Run, acting: Sequence[str]) -> np.ndarray:
    """Entries (draw, year, here or elsewhere, channel)."""
    values, labels = run.draws("entries", ["destination", "channel"])
    here = np.array([d in acting for d in labels["destination"]], dtype=bool)
    return np.stack([values[:, :, here].sum(axis=2), values[:, :, ~here].sum(axis=2)], axis=2)


def _road(base: Run, run: Run, here: Sequence[bool]) -> Found:
    gap = (run.draws("transit", ["place"])[0] - base.draws("transit", ["place"])[0]).sum(axis=1)
    mine = np.asarray(here)
    lost, before = -gap[:, mine].sum(axis=-1), base.draws("transit", ["place"])[0][:, :, mine].sum(axis=(1, 2))
    of = np.where(lost > np.maximum(_SMALLEST * before, 1e-9), lost, np.nan)
    return "other_road", "more pass through other countries", "passages", gap[:, ~mine].sum(axis=-1), of


def _times(gap: np.ndarray, entries: Sequence[np.ndarray], span: tuple[int, int], of: np.ndarray) -> list[Found]:
    """Entries moved before the first year in which the scenario acts or after the last, and their mean date."""
    first, last = span
    at = np.arange(gap.shape[1], dtype=float)
    dates = [(e * at).sum(axis=1) / np.maximum(e.sum(axis=1), 1e-9) for e in entries]
    found: list[Found] = [("other_time", "the mean date of coming moves", "years", dates[1] - dates[0], None)]
    if first > 0:
        found.append(("other_time", "more come before it begins", "persons", gap[:, :first].sum(axis=1), of))
    if last < gap.shape[1] - 1:
        found.append(("other_time", "more come after it has ended", "persons", gap[:, last + 1 :].sum(axis=1), of))
    return found


def _returns(base: Run, run: Run, acting: Sequence[str], of: np.ndarray) -> list[Found]:
    """Returns that do not happen: exactly those because fewer are there, and those because fewer of them go."""
    stays, goes = [], []
    for r in (base, run):
        stock, _ = r.draws("stock", ["corridor"], {"destination": list(acting)})
        back, _ = r.draws("returns", ["corridor"], {"destination": list(acting)})
        stays.append(0.5 * (stock + np.concatenate([stock[:, :1], stock[:, :-1]], axis=1)))
        goes.append(back)
    rates = [np.divide(g, s, out=np.zeros_like(g), where=s > 0) for g, s in zip(goes, stays, strict=True)]
    fewer = (rates[0] * (stays[0] - stays[1])).sum(axis=(1, 2))
    slower = ((rates[0] - rates[1]) * stays[1]).sum(axis=(1, 2))
    return [
        ("fewer_returns", "fewer return, because those who are there go less", "persons", slower, of),
        ("fewer_returns", "fewer return, because fewer are there", "persons", fewer, of),
    ]


def _elsewhere(base: Run, run: Run, acting: Sequence[str], level: float) -> list[dict[str, Any]]:
    before, labels = base.draws("entries", ["destination"])
    after, _ = run.draws("entries", ["destination"])
    rows = []
    for i, place in enumerate(labels["destination"]):
        if place not in acting:
            gap = (after[:, :, i] - before[:, :, i]).sum(axis=1)
            rows.append({"destination": place, **_quantiles(gap, level), "unit": "persons"})
    return rows


def _row(values: np.ndarray, of: np.ndarray | None, level: float) -> dict[str, Any]:
    row = {**_quantiles(values, level), "probability": float((values > 0).mean())}
    share = np.full_like(values, np.nan) if of is None else 100.0 * values / of
    # Shares of nothing are no shares: they are given where most draws have something to take them of.
    known = np.isfinite(share).mean() > 0.5
    ends = _quantiles(share[np.isfinite(share)], level) if known else dict.fromkeys(("value", "low", "high"))
    return row | {"per_100": ends["value"], "per_100_low": ends["low"], "per_100_high": ends["high"]}


def _quantiles(values: np.ndarray, level: float) -> dict[str, Any]:
    middle, low, high = np.quantile(values, [0.5, (1 - level) / 2, (1 + level) / 2])
    return {"value": float(middle), "low": float(low), "high": float(high)}


def span_of(paths: Sequence[np.ndarray], years: int) -> tuple[int, int]:
    """First and last year, counted from 0, in which any of the intensities (months,) is above zero."""
    acts = np.zeros(years * 12, dtype=bool)
    for path in paths:
        acts |= path > 0
    at = np.flatnonzero(acts)
    return (int(at[0]) // 12, int(at[-1]) // 12) if len(at) else (0, years - 1)
