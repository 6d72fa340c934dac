"""A run: every draw of the accounts, as tables, arrays and pictures, and on disk."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.system.names import CHANNELS, FLOWS, IRREGULAR, STATUSES

if TYPE_CHECKING:
    import xarray as xr

    from zhol.system.model import Model

_FORMAT = 1
_UNITS = {
    "exposure": "person-months",
    "remittances": "USD million",
    "public_cost": "USD million",
    "revenue": "USD million",
    "price": "USD",
    "unfilled_demand": "places",
    "quota_unmet": "persons",
}
_WITHIN = ("origin", "destination")
# Dimensions of each kind of array after draw and time.
_DIMS = {
    "people": ("corridor", "status"),
    "entries": ("corridor", "channel"),
    "flows": ("corridor", "account"),
    "protection_gap": ("corridor",),
    "volume": ("corridor", "road"),
    "revenue": ("corridor", "road"),
    "transit": ("place",),
    "unfilled_demand": ("destination",),
    "home": ("origin",),
}
_STOCKS = ("stock", "irregular_stock", "protection_gap", "home", "unfilled_demand")


@dataclass(frozen=True)
class Run:
    """Result of a simulation; frozen.

    Parameters
    ----------
    arrays : mapping of str to array
        (draw, time, corridor, ...); see ``to_xarray`` for a labelled view.
    time : tuple of str
        Periods: years (``2030``) or months (``2030-06``). Stocks are counts at the end of the period.
    places, corridors, roads : labels
    meta : mapping
        Pack, scenario, seed, parameters, notes.

    Examples
    --------
    >>> import zhol
    >>> run = zhol.system.Model(zhol.load("central_asia")).simulate(end="2000-12", draws=2)
    >>> run.table("stock", by=["status"]).height
    10
    """

    arrays: Mapping[str, np.ndarray]
    time: tuple[str, ...]
    places: tuple[str, ...]
    corridors: tuple[tuple[str, str], ...]
    roads: tuple[tuple[str, ...], ...]
    meta: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Names that ``table``, ``draws`` and ``plot`` take."""
        return (
            "stock",
            "irregular_stock",
            "entries",
            *FLOWS,
            "protection_gap",
            "volume",
            "revenue",
            "price",
            "transit",
            "unfilled_demand",
            "home",
        )

    @property
    def n_draws(self) -> int:
        """Number of draws."""
        return int(self.arrays["people"].shape[0])

    def unit(self, name: str) -> str:
        """Unit of an outcome."""
        return _UNITS.get(name, "persons")

    def _labels(self) -> dict[str, Any]:
        return {
            "corridor": [f"{o}>{d}" for o, d in self.corridors],
            "origin": list(self.places),
            "destination": list(self.places),
            "place": list(self.places),
            "status": list(STATUSES),
            "channel": list(CHANNELS),
            "account": list(FLOWS),
            "road": list(range(self.arrays["volume"].shape[-1])),
        }

    def _raw(self, name: str) -> tuple[np.ndarray, tuple[str, ...], dict[str, list[Any]]]:
        """Array (draw, time, ...) of an outcome, its further dimensions and their labels."""
        labels = self._labels()
        if name == "stock":
            return self.arrays["people"], _DIMS["people"], labels
        if name == "irregular_stock":
            return self.arrays["people"][..., 5:], _DIMS["people"], {**labels, "status": list(IRREGULAR)}
        if name in FLOWS:
            return self.arrays["flows"][..., FLOWS.index(name)], ("corridor",), labels
        if name == "revenue":
            return self.arrays["revenue"] / 1e6, _DIMS["revenue"], labels
        if name in _DIMS and name not in ("people", "flows"):
            return self.arrays[name], _DIMS[name], labels
        raise ZholError("unknown outcome", found=name, expected=", ".join(self.outcomes))

    def draws(
        self, name: str, by: Sequence[str] = (), where: Mapping[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, list[Any]]]:
        """Every draw of an outcome, summed over all that ``by`` does not name.

        Parameters
        ----------
        name : str
            One of ``outcomes``.
        by : sequence of str
            Among ``origin``, ``destination``, ``corridor``, ``status``, ``channel``, ``road``, ``place``.
        where : mapping, optional
            Labels to keep, such as ``{"destination": "KAZ", "origin": ["UZB", "KGZ"]}``.

        Returns
        -------
        array (draw, time, \\*by), mapping of each dimension to its labels

        Raises
        ------
        ZholError
            An unknown outcome, dimension or label.
        """
        if name == "price":
            revenue, labels = self.draws("revenue", by, where)
            volume, _ = self.draws("volume", by, where)
            with np.errstate(invalid="ignore", divide="ignore"):
                return np.where(volume > 0, revenue * 1e6 / volume, np.nan), labels
        array, dims, labels = self._raw(name)
        array = array.astype(np.float64, copy=False)
        for dim, keep in (where or {}).items():
            array, labels = self._keep(array, dims, labels, dim, keep)
        return self._sum(array, dims, labels, [by] if isinstance(by, str) else list(by))

    def _keep(
        self, array: np.ndarray, dims: tuple[str, ...], labels: dict[str, list[Any]], dim: str, keep: Any
    ) -> tuple[np.ndarray, dict[str, list[Any]]]:
        wanted, named = {keep} if isinstance(keep, str | int) else set(keep), dim
        if dim in _WITHIN and "corridor" in dims:
            unknown = wanted - set(self.places)
            place = 0 if dim == "origin" else 1
            mask = np.array([label.split(">")[place] in wanted for label in labels["corridor"]], dtype=bool)
            dim = "corridor"
        elif dim in dims:
            unknown = wanted - set(labels[dim])
            mask = np.array([label in wanted for label in labels[dim]], dtype=bool)
        else:
            raise ZholError("this outcome has no such dimension", found=dim, expected=", ".join(("time", *dims)))
        if unknown:
            raise ZholError(f"unknown {named}", found=", ".join(map(str, sorted(unknown, key=str))))
        kept = [label for label, m in zip(labels[dim], mask, strict=True) if m]
        return np.compress(mask, array, axis=2 + dims.index(dim)), {**labels, dim: kept}

    def _sum(
        self, array: np.ndarray, dims: tuple[str, ...], labels: dict[str, list[Any]], by: list[str]
    ) -> tuple[np.ndarray, dict[str, list[Any]]]:
        if len(set(by)) < len(by):
            raise ZholError("a dimension is named twice", found=", ".join(by))
        allowed = set(dims) | (set(_WITHIN) if "corridor" in dims else set())
        for dim in by:
            if dim not in allowed:
                raise ZholError("this outcome has no such dimension", found=dim, expected=", ".join(sorted(allowed)))
        left = list(dims)
        for dim in dims:
            if dim not in by and not (dim == "corridor" and set(by) & set(_WITHIN)):
                array = array.sum(axis=2 + left.index(dim))
                left.remove(dim)
        asked = [d for d in by if d in _WITHIN] if "corridor" in dims else []
        if "corridor" in left and asked:
            array, left, labels = _spread(array, left, labels, asked, self.corridors_of(labels))
        order = [0, 1, *(2 + left.index(d) for d in by)]
        return array.transpose(order), {d: labels[d] for d in by}

    @staticmethod
    def corridors_of(labels: Mapping[str, list[Any]]) -> list[tuple[str, str]]:
        """Corridors as pairs, from their labels."""
        return [tuple(label.split(">")) for label in labels["corridor"]]  # type: ignore[misc]

    def table(
        self, name: str, by: Sequence[str] = (), *, where: Mapping[str, Any] | None = None, level: float = 0.8
    ) -> pl.DataFrame:
        """Median and interval of an outcome by period and ``by``.

        Returns
        -------
        polars.DataFrame
            ``time``, the columns of ``by``, ``median``, ``low``, ``high``, ``unit``.
        """
        if not 0.0 < level < 1.0:
            raise ZholError("level of an interval", found=level, expected="a number between 0 and 1")
        array, labels = self.draws(name, by, where)
        tail = (1.0 - level) / 2.0
        if array.shape[0] == 1:
            low = middle = high = array[0]
        else:
            low, middle, high = np.quantile(array, [tail, 0.5, 1.0 - tail], axis=0)
        shape = middle.shape
        columns: dict[str, Any] = {"time": np.repeat(list(self.time), int(np.prod(shape[1:])))}
        inner = int(np.prod(shape[1:]))
        for axis, (dim, values) in enumerate(labels.items(), start=1):
            after = int(np.prod(shape[axis + 1 :]))
            before = inner // max(after * len(values), 1) if values else 0
            columns[dim] = np.tile(np.repeat(values, after), shape[0] * before).tolist()
        columns |= {"median": middle.ravel(), "low": low.ravel(), "high": high.ravel()}
        return pl.DataFrame(columns).with_columns(pl.lit(self.unit(name)).alias("unit"))

    def to_xarray(self) -> xr.Dataset:
        """Labelled arrays, dims ``draw, time, origin, destination, status|channel|road``; NaN without a corridor."""
        import xarray as xr

        coords = {k: v for k, v in self._labels().items() if k not in ("corridor", "account")}
        coords |= {"draw": np.arange(self.n_draws), "time": list(self.time)}
        o = [self.places.index(a) for a, _ in self.corridors]
        d = [self.places.index(b) for _, b in self.corridors]
        size = len(self.places)
        data = {}
        for name in self.outcomes:
            if name == "price":
                continue
            array, dims, _ = self._raw(name)
            if "corridor" in dims:
                full = np.full((*array.shape[:2], size, size, *array.shape[3:]), np.nan, dtype=array.dtype)
                full[:, :, o, d] = array
                dims = ("origin", "destination", *dims[1:])
                array = full
            if name == "irregular_stock":  # a part of `stock`: its sum, so that the statuses keep one set of labels
                array, dims = array.sum(axis=-1), dims[:-1]
            data[name] = (("draw", "time", *dims), array, {"unit": self.unit(name)})
        return xr.Dataset(data, coords=coords, attrs={k: str(v) for k, v in self.meta.items()})

    def plot(
        self, name: str, by: Sequence[str] = (), *, where: Mapping[str, Any] | None = None, title: str = ""
    ) -> Any:
        """Fan chart of an outcome over time with 50 and 80 % intervals; one panel for each member of ``by``.

        Returns
        -------
        altair.Chart
        """
        from zhol.system.pictures import fan_of

        return fan_of(self, name, by, where, title)

    def save(self, path: str | Path) -> Path:
        """Write the run to one file (``.npz``); nothing half-written is left behind."""
        target = Path(path)
        target = target if target.suffix == ".npz" else target.with_name(target.name + ".npz")
        head = {
            "format": _FORMAT,
            "time": self.time,
            "places": self.places,
            "corridors": self.corridors,
            "roads": self.roads,
            "meta": self.meta,
        }
        if not target.parent.is_dir():
            raise ZholError("no such folder", file=target.parent)
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        try:
            with temporary.open("wb") as file:
                np.savez_compressed(file, head=np.array(json.dumps(head, default=str)), **self.arrays)  # type: ignore[arg-type]
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        return target


def load_run(path: str | Path) -> Run:
    """Read a run that ``Run.save`` wrote.

    Raises
    ------
    ZholError
        No such file, or one that is not a run.
    """
    file = Path(path)
    if not file.exists():
        raise ZholError("no such run", file=str(file), expected="a file written by Run.save")
    try:
        with np.load(file, allow_pickle=False) as stored:
            head = json.loads(str(stored["head"]))
            arrays = {name: stored[name] for name in stored.files if name != "head"}
        return Run(
            arrays,
            tuple(head["time"]),
            tuple(head["places"]),
            tuple((o, d) for o, d in head["corridors"]),
            tuple(tuple(r) for r in head["roads"]),
            head["meta"],
        )
    except (
        ValueError,
        KeyError,
        IndexError,
        TypeError,
        AttributeError,
        OSError,
        EOFError,
        BadZipFile,
        zlib.error,
    ) as error:
        raise ZholError("not a run", file=str(file), expected="a file written by Run.save") from error


def assemble(model: Model, arrays: Mapping[str, np.ndarray], months: Sequence[str], *, every: str, **meta: Any) -> Run:
    """Put the arrays of the engine under their labels; months are added up to years where the engine gave months."""
    periods = arrays["people"].shape[1]
    time = tuple(months) if every == "month" else tuple(dict.fromkeys(m[:4] for m in months))
    kept = {name: a for name, a in arrays.items() if name in _DIMS}
    if every == "year" and periods != len(time):
        kept = _to_years(kept, months)
    lengths = [sum(m[:4] == y for m in months) if every == "year" else 1 for y in time]
    kept["unfilled_demand"] = kept["unfilled_demand"] / np.array(lengths, dtype=float)[None, :, None]  # a mean
    table = model.roads.table
    roads: dict[tuple[str, str], list[str]] = {pair: [] for pair in model.corridors}
    for o, d, _, places in (
        table.sort("origin", "destination", "road").select("origin", "destination", "road", "places").iter_rows()
    ):
        roads[o, d].append(places)
    head = {"pack": model.region.name, "start": months[0], "end": months[-1], **meta}
    return Run(kept, time, tuple(model.places), tuple(model.corridors), tuple(tuple(r) for r in roads.values()), head)


def _to_years(arrays: Mapping[str, np.ndarray], months: Sequence[str]) -> dict[str, np.ndarray]:
    years = list(dict.fromkeys(m[:4] for m in months))
    which = np.array([years.index(m[:4]) for m in months])
    last = np.array([np.flatnonzero(which == y)[-1] for y in range(len(years))])
    out = {}
    for name, array in arrays.items():
        if name in ("people", "home", "protection_gap"):
            out[name] = array[:, last]
        else:
            out[name] = np.stack([array[:, which == y].sum(axis=1) for y in range(len(years))], axis=1)
    return out


def _spread(
    array: np.ndarray, left: list[str], labels: dict[str, list[Any]], asked: list[str], pairs: list[tuple[str, str]]
) -> tuple[np.ndarray, list[str], dict[str, list[Any]]]:
    """Replace the corridor axis by origin, destination or both, adding up."""
    axis = 2 + left.index("corridor")
    keys = [tuple(pair[0 if d == "origin" else 1] for d in asked) for pair in pairs]
    values = {d: sorted({k[i] for k in keys}) for i, d in enumerate(asked)}
    moved = np.moveaxis(array, axis, 0)
    shape = [len(values[d]) for d in asked]
    full = np.zeros((int(np.prod(shape)), *moved.shape[1:]))
    flat = [int(np.ravel_multi_index([values[d].index(v) for d, v in zip(asked, k, strict=True)], shape)) for k in keys]
    np.add.at(full, flat, moved)
    rest = [d for d in left if d != "corridor"]
    out = np.moveaxis(full.reshape(*shape, *moved.shape[1:]), range(len(asked)), range(2, 2 + len(asked)))
    return out, [*asked, *rest], {**labels, **values}
