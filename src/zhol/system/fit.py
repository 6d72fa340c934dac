"""A fitted posterior of the system: its mode, widths and draws; what the data identify; on disk."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.system.parameters import Layout, parameter_table, prior_draws

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.likelihood import Problem
    from zhol.system.model import Model

WELL_IDENTIFIED = 0.5  # posterior over prior width below which the data, and not the prior, speak


def data_hash(region: Region) -> str:
    """Fingerprint of the data and priors that a posterior belongs to: the pack's tables and maps, the priors."""
    shared = resources.files("zhol") / "packs" / "shared"
    priors = b"".join((shared / name).read_bytes() for name in ("system.yaml", "expectations.yaml"))
    maps = [region.path / name for name in ("observations.yaml", "regimes.yaml", "roads.yaml")]
    rules = b"".join(path.read_bytes() for path in maps if path.exists())
    return hashlib.sha256(region.digest.encode() + priors + rules).hexdigest()[:16]


@dataclass(frozen=True)
class Fit:
    """A posterior of the system.

    Attributes
    ----------
    names : tuple of str
        Entries of the fitted vector: parameters, then biases, trends and further errors of series.
    mode, sd : (n,) arrays
        Mode and posterior standard deviation; the prior is standard normal for every entry.
    sample : (draws, n) array
    figures : polars.DataFrame
        Every figure beside what the fit says of it: value, fitted, residual in standard deviations.
    identified : polars.DataFrame
        Every parameter: prior and posterior median and interval, ratio of widths, whether the data speak.
    meta : mapping
        Pack, hash of its data, until, method, seed, diagnostics.
    """

    names: tuple[str, ...]
    keys: Mapping[str, list[str]]
    mode: np.ndarray
    sd: np.ndarray
    sample: np.ndarray
    figures: pl.DataFrame
    meta: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, problem: Problem, mode: np.ndarray, covariance: np.ndarray, sample: np.ndarray, **meta: Any) -> Fit:
        """Put a fitted vector under its names."""
        model = problem.model
        head = {
            "pack": model.region.name,
            "hash": data_hash(model.region),
            "figures": problem.obs.table.height,
            "notes": list(problem.obs.notes),
            **meta,
        }
        return cls(
            tuple(problem.names),
            model.keys(),
            mode,
            np.sqrt(np.diag(covariance)),
            sample,
            figures_beside_fit(problem, mode),
            head,
        )

    @property
    def origin(self) -> str:
        """Where draws come from, in words."""
        until = f" to {self.meta['until']}" if self.meta.get("until") else ""
        return f"posterior ({self.meta.get('method', 'laplace')}, figures{until})"

    @property
    def layout(self) -> Layout:
        """Where each parameter lies in the vector."""
        return Layout({shape: len(members) for shape, members in self.keys.items()})

    @property
    def identified(self) -> pl.DataFrame:
        """What the data say of each parameter: ratio of posterior to prior width; below 0.5 the data speak."""
        rows, table = [], parameter_table()
        for name, part in self.layout.slices().items():
            parameter, centre = table[name], np.broadcast_to(table[name].centre(), part.stop - part.start)
            for j, key in enumerate(self.keys[parameter.shape]):
                i = part.start + j

                def natural(z: float, c: float = float(centre[j]), parameter: Any = parameter) -> float:
                    return float(parameter.value(np.asarray(c + parameter.sd * z)))

                rows.append(
                    {
                        "parameter": name,
                        "member": key,
                        "prior": natural(0.0),
                        "prior_low": natural(-1.2816),
                        "prior_high": natural(1.2816),
                        "median": natural(self.mode[i]),
                        "low": natural(self.mode[i] - 1.2816 * self.sd[i]),
                        "high": natural(self.mode[i] + 1.2816 * self.sd[i]),
                        "ratio": float(self.sd[i]),
                        "well_identified": bool(self.sd[i] < WELL_IDENTIFIED),
                        "basis": parameter.basis,
                        "meaning": parameter.meaning,
                    }
                )
        return pl.DataFrame(rows)

    def vectors(self, model: Model, draws: int, seed: int) -> np.ndarray:
        """Draws of the parameters of a model, (max(draws, 1), parameters); 0 draws give the mode.

        Members that the fit does not have (a corridor of another pack) keep their prior; the draws of the fit are
        repeated where more are asked for than it holds.
        """
        n = self.layout.size
        rows = self.sample[np.arange(draws) % len(self.sample), :n] if draws else self.mode[None, :n]
        if model.keys() == self.keys:
            return np.array(rows, dtype=float)
        out = prior_draws(model.layout, model.keys(), draws, seed) if draws else np.zeros((1, model.layout.size))
        here, there = self.layout.slices(), model.layout.slices()
        for name, part in there.items():
            shape = parameter_table()[name].shape
            known = {key: here[name].start + i for i, key in enumerate(self.keys[shape])}
            for column, key in zip(range(part.start, part.stop), model.keys()[shape], strict=True):
                if key in known:
                    out[:, column] = rows[:, known[key]]
        return out

    def save(self, path: str | Path) -> Path:
        """Write the fit to one ``.npz`` file, thinned to single precision; nothing half-written is left behind."""
        target = Path(path)
        target = target if target.suffix == ".npz" else target.with_name(target.name + ".npz")
        head = {"names": self.names, "keys": self.keys, "meta": self.meta, "figures": self.figures.to_dicts()}
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                np.savez_compressed(
                    file,
                    head=np.array(json.dumps(head, default=str)),
                    mode=self.mode,
                    sd=self.sd,
                    sample=self.sample.astype(np.float16),
                )
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return target

    def summary(self) -> str:
        """The fit in a few lines of plain text."""
        table = self.identified
        good = int(table["well_identified"].sum())
        worst = self.figures.sort(pl.col("standardised").abs(), descending=True).head(5)
        lines = [
            f"{self.origin}: {self.meta.get('figures')} figures, {table.height} parameters, {good} well identified by "
            f"them (posterior width below {WELL_IDENTIFIED:g} of the prior's)",
            "Farthest figures: "
            + "; ".join(
                f"{r['label']} ({r['value']:,.0f}, fitted {r['fitted']:,.0f})" for r in worst.iter_rows(named=True)
            ),
        ]
        return "\n".join(lines)


def load_fit(path: str | Path) -> Fit:
    """Read a fit that ``Fit.save`` wrote.

    Raises
    ------
    ZholError
        No such file, or one that is not a fit.
    """
    file = Path(path)
    if not file.exists():
        raise ZholError("no such fit", file=str(file), expected="a file written by Fit.save")
    try:
        with np.load(file, allow_pickle=False) as stored:
            head = json.loads(str(stored["head"]))
            return Fit(
                tuple(head["names"]),
                head["keys"],
                stored["mode"],
                stored["sd"],
                stored["sample"].astype(float),
                pl.DataFrame(head["figures"], infer_schema_length=None),
                head["meta"],
            )
    except (ValueError, KeyError, OSError, EOFError) as error:
        raise ZholError("not a fit", file=str(file), expected="a file written by Fit.save") from error


def figures_beside_fit(problem: Problem, vector: np.ndarray) -> pl.DataFrame:
    """Every figure beside what a vector says of it, bias included."""
    import jax
    import jax.numpy as jnp

    from zhol.system.likelihood import innovations, log_predictions, split_vector

    with jax.enable_x64(True):
        v = jnp.asarray(vector)
        residual, scale = (np.asarray(a) for a in innovations(problem, v))
        bias, trend = (np.asarray(a) for a in split_vector(problem, v))
        e = problem.errors
        mean = np.asarray(log_predictions(problem, v)) + bias[e["bias"]] * e["bias_sd"]
        mean = mean - trend[e["trend"]] * e["trend_sd"]
    columns = ("series", "kind", "origin", "destination", "month_start", "month_end", "value", "label", "source_id")
    return problem.obs.table.select(columns).with_columns(
        pl.Series("fitted", np.exp(mean)), pl.Series("standardised", (residual / scale)[: len(mean)])
    )
