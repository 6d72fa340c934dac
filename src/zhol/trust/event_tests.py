"""Dated events put to the system: what it would have said, in three columns, beside what came."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.trust.scores import central_interval

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.trust._events.cells import Asked
    from zhol.trust._events.measures import Case
    from zhol.trust._events.runs import Bench, Effects, Stage

Array = np.ndarray
Progress = Callable[[str], None]
_LEVELS = (0.5, 0.8)
_UNITS = {"change": "log points", "level": "persons", "share": "share"}
_WORDS = {"neutral": "neutral priors", "held_out": "evidence of others", "fitted": "fitted to it"}
_FORMAT = 1


@dataclass(frozen=True)
class EventTest:
    """Dated events: predicted beside observed, misses first.

    Attributes
    ----------
    table : polars.DataFrame
        One row a measure and column (``neutral``, ``held_out``, ``fitted``): event, measure, title, unit (``log
        points`` are a hundred times the log), compare, observed with the 80 % interval of its own error, predicted
        (median) with 50 and 80 % intervals of the number as it would be printed, 80 % interval of the model's own
        number (``model_low_80``), whether the sign is right and in which share of the draws, whether the observed
        number lies inside, ``effect`` (with the event less without), ``without`` (what the run without the event
        shows), ``effective_draws``, ``rows`` it rests on, ``why`` the error. Measures missed by ``held_out`` come
        first.
    studies : polars.DataFrame
        The same of studies of other places.
    meta : mapping
        Pack, parameters, draws, seed.
    """

    table: pl.DataFrame
    studies: pl.DataFrame
    meta: Mapping[str, Any] = field(default_factory=dict)

    def of(self, event: str) -> pl.DataFrame:
        """Rows of one event or study.

        Raises
        ------
        ZholError
            If it was not tested.
        """
        rows = pl.concat([self.table, self.studies]).filter(pl.col("event") == event)
        if not rows.height:
            names = sorted({*self.table["event"], *self.studies["event"]})
            raise ZholError("this event was not tested", found=event, expected=", ".join(names))
        return rows

    def misses(self, column: str = "held_out") -> pl.DataFrame:
        """Measures whose observed number lies outside the 80 % interval of a column, farthest first."""
        rows = self.table.filter((pl.col("column") == column) & ~pl.col("inside_80"))
        return rows.sort("distance", descending=True)

    @property
    def counts(self) -> pl.DataFrame:
        """By column: measures, and how many have the right sign and lie inside the 50 and 80 % intervals."""
        rows = self.table.filter(pl.col("observed").is_not_null())
        return rows.group_by("column", maintain_order=True).agg(
            pl.len().alias("measures"),
            pl.col("sign_right").sum().alias("sign_right"),
            pl.col("sign_right").count().alias("with_sign"),
            pl.col("inside_50").sum().alias("inside_50"),
            pl.col("inside_80").sum().alias("inside_80"),
        ).sort(pl.col("column").replace_strict({c: i for i, c in enumerate(_WORDS)}, default=9))  # fmt: skip

    def side_by_side(self) -> pl.DataFrame:
        """One row a measure in words: observed, and each column as median with its 80 % interval; misses first."""
        rows: dict[tuple[str, str], dict[str, str]] = {}
        for r in self.table.iter_rows(named=True):
            row = rows.setdefault((r["event"], r["measure"]), {"event": r["event"], "measure": r["title"]})
            row["unit"] = r["unit"]
            row["observed"] = _say(r["observed"], r["unit"])
            row[_WORDS[r["column"]]] = _interval(r)
        wanted = ["event", "measure", "unit", "observed", *_WORDS.values()]
        return pl.DataFrame([{c: row.get(c, "–") for c in wanted} for row in rows.values()], schema=wanted)

    def summary(self) -> str:
        """The test in a few lines, misses first."""
        lines = [f"Dated events of {self.meta['pack']}; parameters: {self.meta['parameters']}."]
        for r in self.misses().iter_rows(named=True):
            lines.append(
                f"Missed: {r['title']}: {_say(r['observed'], r['unit'])} {r['unit']}, predicted {_interval(r)}"
            )
        for r in self.counts.iter_rows(named=True):
            lines.append(
                f"{_WORDS[r['column']]}: {r['measures']} measures, sign right in {r['sign_right']} of "
                f"{r['with_sign']}, inside the 80% interval {r['inside_80']}, inside the 50% interval {r['inside_50']}"
            )
        for r in self.studies.iter_rows(named=True):
            verdict = "possible" if r["inside_80"] else "outside the 80% interval"
            lines.append(f"{r['title']}: {_say(r['observed'], r['unit'])} {r['unit']}, {verdict} ({_interval(r)})")
        return "\n".join(lines)

    def save(self, path: str | Path) -> Path:
        """Write the test as JSON; nothing half-written is left behind."""
        target = Path(path)
        body = {"format": _FORMAT, "meta": dict(self.meta), "table": self.table.to_dicts(),
                "studies": self.studies.to_dicts()}  # fmt: skip
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            temporary.write_text(json.dumps(body, indent=0, default=str, allow_nan=False), encoding="utf-8")
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return target


def load_events(path: str | Path) -> EventTest:
    """Read a test of events that ``EventTest.save`` wrote.

    Raises
    ------
    ZholError
        No such file, or one that is not a test of events.
    """
    file = Path(path)
    if not file.exists():
        raise ZholError("no such test of events", file=str(file), expected="a file written by EventTest.save")
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        return EventTest(_frame(body["table"]), _frame(body["studies"]), body["meta"])
    except (ValueError, KeyError, TypeError, pl.exceptions.PolarsError) as error:
        raise ZholError("not a test of events", file=str(file), expected="a file written by EventTest.save") from error


def events(
    region: Region,
    fit: Any = None,
    *,
    draws: int = 200,
    seed: int = 1,
    only: Sequence[str] | None = None,
    start: str = "2000-01",
    progress: Progress | None = None,
) -> EventTest:
    """Put the dated events of a pack to the system, and what studies of other places found.

    Every event is run as its scenario says and once without it, with the same draws, on a model whose regimes of entry
    know nothing from the month of the event on. Its effects are taken three times: ``neutral`` (normal around zero, sd
    0.3 on the log scale: what the structure alone says), ``held_out`` (from the evidence, without rows that come from
    the event itself) and ``fitted`` (the held-out draws moved by the event's own figures).

    Parameters
    ----------
    region : Region
        A pack with ``event_measures.yaml`` and ``scenarios``.
    fit : optional
        Parameters as in ``Model.simulate``: None is the posterior shipped with the pack, else the prior.
    draws : int
        At least 8; the normal update of the third column needs many more than an event has effects.
    seed : int
    only : sequence of str, optional
        Names of events or studies; all by default.
    start : str
        First month of every run; posteriors are fitted from 2000-01.
    progress : callable (text), optional

    Returns
    -------
    EventTest

    Raises
    ------
    ZholError
        No such file, a mistake in it, an unknown name, or too few draws.

    Notes
    -----
    ``docs/explanation/events.md`` says what is compared and what cannot be.

    Examples
    --------
    >>> import zhol
    >>> zhol.trust.events(zhol.load("central_asia"), draws=2)
    Traceback (most recent call last):
    zhol.core.errors.ZholError: too few draws for a test of events; found 2, expected 8 or more, better 200
    """
    from zhol.trust._events.measures import cases
    from zhol.trust._events.runs import make_stage

    if draws < 8:
        raise ZholError("too few draws for a test of events", found=draws, expected="8 or more, better 200")
    chosen = cases(region, None if only is None else tuple(only))
    stage = make_stage(region, chosen, fit, draws, seed, start)
    rows: list[dict[str, Any]] = []
    for case in chosen:
        if progress:
            progress(f"event {case.name}")
        rows += _test(stage, case, draws, seed)
    frame = _frame(rows)
    studies = [c.name for c in chosen if c.study]
    meta = {"pack": region.name, "parameters": stage.origin, "draws": draws, "seed": seed, "data": region.digest[:16]}
    return EventTest(
        _misses_first(frame.filter(~pl.col("event").is_in(studies))),
        frame.filter(pl.col("event").is_in(studies)),
        meta,
    )


def _test(stage: Stage, case: Case, draws: int, seed: int) -> list[dict[str, Any]]:
    """Rows of one event or study."""
    from zhol.trust._events.cells import asked
    from zhol.trust._events.runs import effects_of

    wanted = [asked(stage.model, stage.obs, m) for m in case.measures]
    bench = stage.bench(case, max(a.last for a in wanted))
    without = _Reading(wanted, bench.read(None, _points(wanted)))
    rows: list[dict[str, Any]] = []
    held: tuple[Effects, _Reading] | None = None
    for column in case.columns:
        known: float | None = None
        if column == "fitted":
            actions = case.scenario.actions(stage.model, effects="held_out")
            fitted = _fitted(case, bench, wanted, actions, held, without, seed)
            if fitted is None:
                continue
            effects, known = fitted
        else:
            actions = case.scenario.actions(stage.model, effects=column)
            effects = effects_of(actions, draws, seed)
        seen = _run(bench, wanted, actions, effects)
        held = (effects, seen) if column == "held_out" else held
        rows += [_row(case, column, a, seen, without, known, seed) for a in wanted]
    return rows


class _Reading:
    """What one run says of every measure."""

    def __init__(self, wanted: Sequence[Asked], read: Sequence[Array]) -> None:
        self.points: dict[str, tuple[list[Array], list[Array]]] = {}
        at = 0
        for a in wanted:
            middle, end = at + len(a.treated), at + len(a.treated) + len(a.against)
            self.points[a.measure.id] = (list(read[at:middle]), list(read[middle:end]))
            at = end

    def value(self, a: Asked) -> Array:
        """The number of the measure as this run shows it, (draw,)."""
        from zhol.trust._events.cells import value

        return value(a.measure, *self.points[a.measure.id])


def _points(wanted: Sequence[Asked]) -> list[Any]:
    return [p for a in wanted for p in (*a.treated, *a.against)]


def _run(bench: Bench, wanted: Sequence[Asked], actions: Any, effects: Effects) -> _Reading:
    from zhol.trust._events.runs import hooks_of

    def hooks(rows: Array) -> Any:
        return hooks_of(actions, bench.model, bench.months, {key: e[rows] for key, e in effects.items()})

    return _Reading(wanted, bench.read(hooks, _points(wanted)))


def _effect(a: Asked, seen: _Reading, without: _Reading) -> Array:
    """The measure with the event less without it; of a share: the gain of one beside the loss of the other."""
    if a.measure.kind != "share":
        return seen.value(a) - without.value(a)
    (gain, loss), (gain_0, loss_0) = seen.points[a.measure.id], without.points[a.measure.id]
    lost = loss_0[1] - loss[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(lost > 0.01 * loss_0[1], (gain[1] - gain_0[1]) / lost, np.nan)


def _predicted(a: Asked, seen: _Reading, without: _Reading) -> Array:
    """The model's own number, (draw,)."""
    return _effect(a, seen, without) if a.measure.compare == "effect" else seen.value(a)


def _fitted(
    case: Case,
    bench: Bench,
    wanted: Sequence[Asked],
    actions: Any,
    held: tuple[Effects, _Reading] | None,
    without: _Reading,
    seed: int,
) -> tuple[Effects, float] | None:
    """Held-out effects moved by the event's own figures, and how many of the held-out draws the figures leave."""
    from zhol.trust._events.fitting import effective_draws, fit_effects

    used = [a for a in wanted if a.measure.fit and a.observed is not None and a.measure.kind != "share"]
    if held is None or not used:
        return None
    effects, first = held
    keys = list(effects)
    observed = np.array([_scaled(a, np.array(a.observed)) for a in used], dtype=float)
    error = np.array([a.error for a in used])

    def said(reading: _Reading) -> Array:
        # A count is fitted on the log scale, where its error lives; there the run as it is must do.
        return np.stack([_scaled(a, reading.value(a) if a.measure.kind == "level" else _predicted(a, reading, without))
                         for a in used], axis=1)  # fmt: skip

    waiting = [first]  # the first run is made already

    def run(matrix: Array) -> Array:
        if waiting:
            return said(waiting.pop())
        return said(_run(bench, wanted, actions, dict(zip(keys, matrix.T, strict=True))))

    known = effective_draws(said(first), observed, error)
    matrix = fit_effects(np.stack([effects[k] for k in keys], axis=1), run, observed, error, seed, case.name)
    return dict(zip(keys, matrix.T, strict=True)), known


def _scaled(a: Asked, values: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(values) if a.measure.kind == "level" else values


def _row(
    case: Case, column: str, a: Asked, seen: _Reading, without: _Reading, known: float | None, seed: int
) -> dict[str, Any]:
    """One row of the table."""
    m, scale = a.measure, 100.0 if a.measure.kind == "change" else 1.0
    own, effect, before = _predicted(a, seen, without), _effect(a, seen, without), without.value(a)
    fine = np.isfinite(own)
    own = own[fine]
    score = generator(seed, "event error", case.name, m.id).standard_normal(len(fine))[fine]
    printed = own * np.exp(a.error * score) if m.kind == "level" else own + a.error * score
    row: dict[str, Any] = {"event": case.name, "measure": m.id, "title": m.title, "column": column,
                           "unit": _UNITS[m.kind], "compare": m.compare, "draws": len(own)}  # fmt: skip
    row |= _observed(a, scale)
    row["predicted"] = _middle(own, scale)
    for level in _LEVELS:
        name = f"{level:.0%}".rstrip("%")
        low, high = _ends(printed, level, scale)
        row |= {f"low_{name}": low, f"high_{name}": high}
        row[f"inside_{name}"] = None if row["observed"] is None or low is None else low <= row["observed"] <= high
    row["model_low_80"], row["model_high_80"] = _ends(own, 0.8, scale)
    row |= _sign(a, own)
    row["distance"] = _distance(row)
    row["effect"], row["without"] = _middle(effect, scale), _middle(before, scale)
    row |= {"effective_draws": known, "rows": ";".join(m.rows), "why": m.why}
    return row


def _observed(a: Asked, scale: float) -> dict[str, float | None]:
    if a.observed is None:
        return {"observed": None, "observed_low_80": None, "observed_high_80": None}
    reach = 1.2815515594600038 * a.error
    if a.measure.kind == "level":
        low, high = a.observed * np.exp(-reach), a.observed * np.exp(reach)
    else:
        low, high = a.observed - reach, a.observed + reach
    return {
        "observed": float(a.observed * scale),
        "observed_low_80": float(low * scale),
        "observed_high_80": float(high * scale),
    }


def _sign(a: Asked, own: Array) -> dict[str, Any]:
    """Whether the model's number has the sign of the observed one: in the median, and in which share of the draws."""
    if not a.observed or not len(own):
        return {"sign_right": None, "sign_share": None}
    right = np.sign(own) == np.sign(a.observed)
    return {"sign_right": bool(np.sign(np.median(own)) == np.sign(a.observed)), "sign_share": float(right.mean())}


def _distance(row: Mapping[str, Any]) -> float | None:
    """How far the observed number lies from the median, in half widths of the 80 % interval on its side."""
    if row["observed"] is None or row["low_80"] is None:
        return None
    middle = (row["low_80"] + row["high_80"]) / 2.0
    half = max((row["high_80"] - row["low_80"]) / 2.0, 1e-12)
    return float(abs(row["observed"] - middle) / half)


def _middle(values: Array, scale: float) -> float | None:
    values = values[np.isfinite(values)]
    return float(np.median(values) * scale) if len(values) else None


def _ends(values: Array, level: float, scale: float) -> tuple[Any, Any]:
    if not len(values):
        return None, None
    low, high = central_interval(values[:, None], level)
    return float(low[0] * scale), float(high[0] * scale)


_SCHEMA: dict[str, Any] = {
    "event": pl.String, "measure": pl.String, "title": pl.String, "column": pl.String, "unit": pl.String,
    "compare": pl.String, "draws": pl.Int64, "observed": pl.Float64, "observed_low_80": pl.Float64,
    "observed_high_80": pl.Float64, "predicted": pl.Float64, "low_50": pl.Float64, "high_50": pl.Float64,
    "inside_50": pl.Boolean, "low_80": pl.Float64, "high_80": pl.Float64, "inside_80": pl.Boolean,
    "model_low_80": pl.Float64, "model_high_80": pl.Float64, "sign_right": pl.Boolean, "sign_share": pl.Float64,
    "distance": pl.Float64, "effect": pl.Float64, "without": pl.Float64, "effective_draws": pl.Float64,
    "rows": pl.String, "why": pl.String,
}  # fmt: skip


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=_SCHEMA, orient="row")


def _misses_first(table: pl.DataFrame) -> pl.DataFrame:
    """Measures by how far the held-out column misses them, its columns together."""
    far, inside = pl.col("distance").fill_null(-1.0), pl.col("inside_80").fill_null(True)
    held = table.filter(pl.col("column") == "held_out")
    order = held.select("event", "measure", far.alias("_far"), inside.alias("_in"))
    place = {c: i for i, c in enumerate(_WORDS)}
    ranked = table.join(order, on=["event", "measure"], how="left", maintain_order="left")
    ranked = ranked.with_columns(pl.col("column").replace_strict(place, default=9).alias("_column"))
    ranked = ranked.sort(["_in", "_far", "event", "measure", "_column"], descending=[False, True, False, False, False])
    return ranked.select(*_SCHEMA)


def _say(value: float | None, unit: str) -> str:
    if value is None:
        return "none"
    if unit == "share":
        return f"{value:.2f}"
    return f"{value:,.0f}" if unit == "persons" else f"{value:+.0f}"


def _interval(row: Mapping[str, Any]) -> str:
    middle, low, high = (_say(row[k], row["unit"]) for k in ("predicted", "low_80", "high_80"))
    return "none" if row["low_80"] is None else f"{middle} ({low} to {high})"
