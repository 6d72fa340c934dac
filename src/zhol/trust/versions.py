"""Two versions of the model over many random scenarios: which outcomes moved, by how much, and where most."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.system.instruments import month_range
from zhol.trust._versions.outcomes import outcome_names, outcomes
from zhol.trust._versions.scenarios import Batch, as_json, batches, from_json, hooks_of, words

if TYPE_CHECKING:
    from zhol.system.model import Model

Array = np.ndarray
Progress = Callable[[int, int], None]
_FORMAT = 1
_LEVELS = (0.1, 0.5, 0.9)
_FLOOR = 1.0  # persons (or USD million): smaller outcomes are compared as if they were this large
_ROUNDING = 1e-4  # log change below which an outcome has not moved


@dataclass(frozen=True)
class VersionReport:
    """Outcomes of random scenarios under the present model against a saved one; frozen.

    Attributes
    ----------
    table : polars.DataFrame
        One row an outcome, the most moved first: ``outcome``, ``median`` and ``largest`` absolute log change over the
        scenarios, ``moved`` (share of the scenarios in which it moved by more than rounding), ``baseline`` (log change
        under present policies) and ``turned`` (share of the scenarios whose effect on it changed its sign).
    worst : polars.DataFrame
        The scenarios in which some outcome moved most: ``scenario``, ``outcome``, ``saved``, ``present``, ``change``.
    missing, new : tuple of str
        Outcomes that only the saved or only the present version has.
    meta : mapping
    """

    table: pl.DataFrame
    worst: pl.DataFrame
    missing: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def same(self) -> bool:
        """True if no outcome moved by more than rounding in any scenario, and none came or went."""
        largest = self.table["largest"].max() if self.table.height else 0.0
        return not self.missing and not self.new and float(largest or 0.0) <= _ROUNDING  # type: ignore[arg-type]

    def summary(self) -> str:
        """The comparison in a few lines."""
        m = self.meta
        moved = self.table.filter(pl.col("largest") > _ROUNDING)
        lines = [
            f"{m['scenarios']} scenarios of {m['draws']} draws, {m['start']} to {m['end']}: {moved.height} of "
            f"{self.table.height} outcomes moved"
        ]
        for r in moved.head(5).iter_rows(named=True):
            lines.append(
                f"{r['outcome']}: by a factor of {np.exp(r['median']):.4g} in the median, "
                f"{np.exp(r['largest']):.4g} at most; effects turned in {r['turned']:.0%} of the scenarios"
            )
        for words_, names in (("gone", self.missing), ("new", self.new)):
            if names:
                lines.append(f"{words_}: {', '.join(names)}")
        return "\n".join(lines)

    def write(self, folder: str | Path) -> list[Path]:
        """Write the two tables as CSV and the summary with a picture as Markdown."""
        from zhol.trust._versions.pages import write_pages

        return write_pages(self, Path(folder))


def save_version(
    model: Model,
    path: str | Path,
    scenarios: int = 1000,
    *,
    draws: int = 2,
    start: str = "2000-01",
    end: str = "2030-12",
    seed: int = 1,
    parameters: Any = None,
    precision: str = "single",
    progress: Progress | None = None,
) -> Path:
    """Save what the model says under many random scenarios, for later versions to be compared with.

    A scenario moves one to four levers, each by one actor toward one partner or all, from a random month, by a random
    amount. They are drawn by the seed and the places of the pack alone.

    Parameters
    ----------
    model : Model
    path : str or Path
        File to write (``.npz``); appears only when whole.
    scenarios, draws : int
        Scenarios, and draws of the parameters under each (the same for all).
    start, end : str
        First and last month; flows are those of the last twelve months.
    seed : int
    parameters : optional
        As in ``Model.simulate``.
    precision : {"single", "double"}
    progress : callable (done, all), optional

    Returns
    -------
    Path

    Examples
    --------
    >>> import zhol
    >>> model = zhol.system.Model(zhol.load("central_asia"))
    >>> zhol.trust.save_version(model, "v.npz", scenarios=0)
    Traceback (most recent call last):
    zhol.core.errors.ZholError: too few scenarios or draws; found '0, 2', expected 1 or more of each
    """
    from zhol.core.files import replace_file

    if scenarios < 1 or draws < 1:
        raise ZholError("too few scenarios or draws", found=f"{scenarios}, {draws}", expected="1 or more of each")
    months = month_range(start, end)
    many = batches(model.places, months, scenarios, seed, _at_once(draws))
    options = {"draws": draws, "start": start, "end": end, "seed": seed, "precision": precision}
    found = _run(model, many, options, parameters, progress)
    head = {
        "format": _FORMAT,
        "pack": model.region.name,
        "digest": model.region.digest,
        "options": {**options, "parameters": found.origin},
        "outcomes": found.names,
        "batches": as_json(many),
    }
    arrays = {n: getattr(found, n).astype(np.float32) for n in ("values", "effects", "baseline")}
    text = io.BytesIO()
    np.savez_compressed(text, head=np.array(json.dumps(head)), **arrays)  # type: ignore[arg-type]
    return replace_file(Path(path).parent, Path(path).name, text.getvalue())


def compare_versions(
    model: Model,
    saved: str | Path,
    scenarios: int | None = None,
    *,
    parameters: Any = None,
    progress: Progress | None = None,
) -> VersionReport:
    """Compare the present model with a saved version of itself, scenario by scenario.

    Parameters
    ----------
    model : Model
    saved : str or Path
        File of ``save_version``.
    scenarios : int, optional
        The first so many of the saved scenarios; all if not given.
    parameters : optional
        As in ``Model.simulate``; those of the saved version are not kept, only their origin in words.
    progress : callable (done, all), optional

    Returns
    -------
    VersionReport

    Raises
    ------
    ZholError
        No such file, or one that is not a saved version.
    """
    body = _read(Path(saved))
    options = body["options"]
    size = _at_once(options["draws"])
    many = from_json(body["batches"])
    kept = sum(len(b.scenarios) for b in many) if scenarios is None else scenarios
    many = [b for i, b in enumerate(many) if i * size < kept]
    found = _run(model, many, options, parameters, progress)
    old = {k: np.asarray(body[k], dtype=float) for k in ("values", "effects", "baseline")}
    shared = [n for n in found.names if n in body["outcomes"]]
    now, then = [found.names.index(n) for n in shared], [body["outcomes"].index(n) for n in shared]
    count = min(kept, len(found.values), len(old["values"]))
    new_values, old_values = found.values[:count, now], old["values"][:count, then]
    moved = _log_change(new_values[..., 1], old_values[..., 1])
    turned = _turned(found.effects[:count, now], old["effects"][:count, then])
    base = _log_change(found.baseline[now, 1], old["baseline"][then, 1])
    meta = {
        "pack": model.region.name, "scenarios": count, **options, "parameters_now": found.origin,
        "same_data": body["digest"] == model.region.digest,
    }  # fmt: skip
    return VersionReport(
        _table(shared, moved, turned, base),
        _worst(many, shared, moved, new_values, old_values),
        tuple(n for n in body["outcomes"] if n not in shared),
        tuple(n for n in found.names if n not in shared),
        meta,
    )


@dataclass(frozen=True)
class _Outcomes:
    """Quantiles of the outcomes: (scenarios, outcomes, 3), baseline (outcomes, 3); median effects, log."""

    names: list[str]
    values: Array
    effects: Array
    baseline: Array
    origin: str


def _run(
    model: Model, many: list[Batch], options: Mapping[str, Any], parameters: Any, progress: Progress | None
) -> _Outcomes:
    """Run every batch through one compiled month; scenarios lie side by side as draws with effects of their own."""
    from zhol.system.driver_paths import driver_paths
    from zhol.system.regimes import regime_paths
    from zhol.system.simulate import parameter_vectors, run_engine
    from zhol.trust._check.bench import DRIVERS

    draws, start, end = options["draws"], options["start"], options["end"]
    months = month_range(start, end)
    vectors, origin = parameter_vectors(model, parameters, draws, options["seed"])
    paths = driver_paths(model.region, model.places, start=start, end=end, draws=0)
    regimes = np.asarray(
        regime_paths(model.region, model.corridors, start, end, policies_until=model.policies_until).index
    )
    drivers = {n: np.asarray(getattr(paths, n)) for n in DRIVERS}
    period = 12 if len(months) % 12 == 0 else 1
    size = _at_once(draws)
    model.world(start)

    def measured(batch: Batch) -> Array:
        filled = Batch(batch.slots, batch.scenarios + ((),) * (size - len(batch.scenarios)))
        hooks = hooks_of(filled, model, months, draws)
        arrays = run_engine(
            model, np.tile(vectors, (size, 1)), hooks, drivers, regimes, start, months=period,
            precision=options["precision"], levers=hooks.levers,
        )  # fmt: skip
        found = outcomes(arrays, model, max(12 // period, 1)).reshape(size, draws, -1)
        return found[: len(batch.scenarios)]

    base = measured(Batch(many[0].slots, ((),)))[0]
    values, effects, total = [], [], sum(len(b.scenarios) for b in many)
    for batch in many:
        drawn = measured(batch)
        values.append(np.quantile(drawn, _LEVELS, axis=1).transpose(1, 2, 0))
        effects.append(np.median(_log_change(drawn, base[None]), axis=1))
        if progress:
            progress(sum(len(v) for v in values), total)
    low = _as_saved(np.quantile(base, _LEVELS, axis=0).T)
    return _Outcomes(
        outcome_names(model), _as_saved(np.concatenate(values)), _as_saved(np.concatenate(effects)), low, origin
    )


def _as_saved(array: Array) -> Array:
    """In the precision of the file, so that a version compared with itself has not moved at all."""
    return array.astype(np.float32).astype(float)


def _at_once(draws: int) -> int:
    """Scenarios of a batch: about 32 rows of the engine, whatever the number asked for."""
    return max(32 // draws, 1)


def _log_change(new: Array, old: Array) -> Array:
    return np.log(np.maximum(new, _FLOOR)) - np.log(np.maximum(old, _FLOOR))


def _turned(new: Array, old: Array) -> Array:
    """Effects that point the other way now; small ones on either side do not count."""
    both = (np.abs(new) > 0.01) & (np.abs(old) > 0.01)
    return both & (np.sign(new) != np.sign(old))


def _table(names: list[str], moved: Array, turned: Array, base: Array) -> pl.DataFrame:
    size = np.abs(moved)
    return pl.DataFrame(
        {
            "outcome": names,
            "median": np.median(size, axis=0),
            "largest": size.max(axis=0),
            "moved": (size > _ROUNDING).mean(axis=0),
            "baseline": base,
            "turned": turned.mean(axis=0),
        }
    ).sort("largest", descending=True, maintain_order=True)


def _worst(many: list[Batch], names: list[str], moved: Array, new: Array, old: Array) -> pl.DataFrame:
    """The twenty scenarios that moved most, each with its most moved outcome."""
    told = [words(b, steps) or "nothing" for b in many for steps in b.scenarios]
    size = np.abs(moved)
    rows = []
    for i in np.argsort(-size.max(axis=1), kind="stable")[:20]:
        j = int(size[i].argmax())
        rows.append(
            {
                "scenario": told[i],
                "outcome": names[j],
                "saved": float(old[i, j, 1]),
                "present": float(new[i, j, 1]),
                "change": float(moved[i, j]),
            }
        )
    return pl.DataFrame(rows)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise ZholError("no such saved version", file=path, expected="a file written by save_version")
    try:
        with np.load(path, allow_pickle=False) as stored:
            body = {name: stored[name] for name in ("values", "effects", "baseline")}
            body |= json.loads(str(stored["head"]))
        if body["format"] == _FORMAT and body["batches"] and body["options"]["draws"] > 0:
            return body
    except (ValueError, KeyError, TypeError, OSError, EOFError, zipfile.BadZipFile):
        pass
    raise ZholError("not a saved version", file=path, expected="a file written by save_version")
