"""The parameters of the system: priors as rows, unconstrained vectors for fitting, named values for the month."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

from zhol.core.draws import generator
from zhol.core.errors import ZholError

Array = Any
_SCALES = ("identity", "log", "logit")
_SHAPES = ("scalar", "regime", "mode", "place", "corridor", "labour_corridor", "asylum_corridor")
_KEYS = {"shape", "scale", "median", "sd", "upper", "unit", "basis", "evidence", "meaning"}


@dataclass(frozen=True)
class Parameter:
    """One parameter of the system with its prior.

    Parameters
    ----------
    name, meaning, basis, unit : str
    shape : str
        What it is indexed by: scalar, regime, mode, place, corridor, labour_corridor or asylum_corridor.
    scale : str
        Scale on which the prior is normal: identity, log or logit (between 0 and ``upper``).
    median : tuple of float
        Prior median, on the natural scale.
    sd : float
        Prior standard deviation on the scale.
    """

    name: str
    shape: str
    scale: str
    median: tuple[float, ...]
    sd: float
    upper: float
    basis: str
    evidence: tuple[str, ...]
    meaning: str
    unit: str

    def centre(self) -> np.ndarray:
        """Prior mean on the scale where the prior is normal."""
        m = np.array(self.median)
        if self.scale == "log":
            return np.log(m)
        if self.scale == "logit":
            return np.log(m / (self.upper - m))
        return m

    def value(self, scaled: Array, xp: Any = np) -> Array:
        """Natural value of a number on the scale of the prior."""
        if self.scale == "log":
            return xp.exp(scaled)
        if self.scale == "logit":
            return self.upper / (1.0 + xp.exp(-scaled))
        return scaled


@cache
def parameter_table() -> Mapping[str, Parameter]:
    """Every parameter of the system by name, as ``packs/shared/system.yaml`` gives it.

    Examples
    --------
    >>> from zhol.system.parameters import parameter_table
    >>> parameter_table()["beta_wage"].sd
    0.2
    """
    file = resources.files("zhol") / "packs" / "shared" / "system.yaml"
    rows = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {name: _read(name, row) for name, row in rows.items()}


def _read(name: str, row: Mapping[str, Any]) -> Parameter:
    unknown = set(row) - _KEYS
    if unknown:
        raise ZholError(f"unknown key of parameter {name}", file="system.yaml", found=", ".join(sorted(unknown)))
    shape, scale = row.get("shape", "scalar"), row["scale"]
    if shape not in _SHAPES or scale not in _SCALES:
        raise ZholError(f"unknown shape or scale of parameter {name}", file="system.yaml", found=f"{shape}, {scale}")
    median = row["median"]
    return Parameter(
        name=name,
        shape=shape,
        scale=scale,
        median=tuple(float(m) for m in median) if isinstance(median, list) else (float(median),),
        sd=float(row["sd"]),
        upper=float(row.get("upper", 1.0)),
        basis=row["basis"],
        evidence=tuple(row.get("evidence", ())),
        meaning=row["meaning"],
        unit=row.get("unit", ""),
    )


@dataclass(frozen=True)
class Layout:
    """Where each parameter lies in the unconstrained vector, whose prior is standard normal everywhere.

    Parameters
    ----------
    sizes : mapping of str to int
        Number of members of each shape in a model; the shapes are those of ``Parameter``.
    """

    sizes: Mapping[str, int]

    def slices(self) -> dict[str, slice]:
        """Part of the vector that belongs to each free parameter."""
        parts, start = {}, 0
        for name, parameter in parameter_table().items():
            if parameter.sd > 0:
                parts[name] = slice(start, start + self.sizes[parameter.shape])
                start = parts[name].stop
        return parts

    @property
    def size(self) -> int:
        """Length of the unconstrained vector."""
        return sum(self.sizes[p.shape] for p in parameter_table().values() if p.sd > 0)

    def names(self) -> list[str]:
        """Name of each entry of the vector, such as ``level[3]``."""
        out = []
        for name, part in self.slices().items():
            length = part.stop - part.start
            shape = parameter_table()[name].shape
            out += [name] if shape == "scalar" else [f"{name}[{i}]" for i in range(length)]
        return out

    def values(self, vector: Array, xp: Any = np) -> dict[str, Array]:
        """Natural values by name from an unconstrained vector (last axis), scalars without an axis.

        Works with NumPy and JAX (``xp``), for one vector or a stack of them.
        """
        parts, out = self.slices(), {}
        for name, parameter in parameter_table().items():
            centre = xp.asarray(parameter.centre())
            if name in parts:
                scaled = centre + parameter.sd * vector[..., parts[name]]
            else:
                scaled = xp.broadcast_to(centre, (*vector.shape[:-1], self.sizes[parameter.shape]))
            value = parameter.value(scaled, xp)
            out[name] = value[..., 0] if parameter.shape == "scalar" else value
        return out


def stable_key(name: str, key: str) -> tuple[str, str]:
    """Names of the stream of one member of a parameter."""
    return (name, key)


def prior_draws(layout: Layout, keys: Mapping[str, list[str]], draws: int, seed: int) -> np.ndarray:
    """Draws of the unconstrained vector from the prior.

    Each member has its own stream, named by what it is and not by where it stands, so that neither the order of
    places in a pack nor the presence of others changes its draws.

    Returns
    -------
    numpy.ndarray
        Shape (draws, layout.size).
    """
    out = np.empty((draws, layout.size))
    for name, part in layout.slices().items():
        shape = parameter_table()[name].shape
        for column, key in zip(range(part.start, part.stop), keys[shape], strict=True):
            out[:, column] = generator(seed, "parameter", *stable_key(name, key)).standard_normal(draws)
    return out


def logit(p: float) -> float:
    """Log odds of a probability."""
    return math.log(p / (1.0 - p))
