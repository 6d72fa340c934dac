"""The posterior that ships with a pack, and whether it still belongs to the pack's data."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from zhol.system.fit import Fit, data_hash, load_fit

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.model import Model

SHIPPED = Path("fitted") / "system.npz"


def shipped(model: Model) -> Fit | None:
    """The fit in the pack's ``fitted`` folder if it was made from these data with these priors, else None.

    A posterior of other data is not used: a changed figure must not go on speaking through an old fit.
    """
    path = shipped_path(model.region)
    if not path.exists():
        return None
    fit = _read(path, path.stat().st_mtime_ns)
    return fit if fit.meta.get("hash") == data_hash(model.region) else None


def shipped_path(region: Region) -> Path:
    """Where the posterior of a pack lies."""
    return region.path / SHIPPED


@lru_cache(maxsize=4)
def _read(path: Path, changed: int) -> Fit:
    return load_fit(path)
