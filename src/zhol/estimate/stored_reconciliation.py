"""Posteriors of reconciled quantities that ship with a pack, used while figures, definitions, priors are the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.core.result import json_ready
from zhol.estimate.measurement import scales
from zhol.estimate.reconciliation import CITES, Reconciliation, choose, reconcile

if TYPE_CHECKING:
    from zhol.region.load import Region

FRAMES = ("table", "figures", "sources", "next_figure", "sensitivity")
KEPT_DRAWS = 200


def reconciled(region: Region, quantity: str) -> Reconciliation:
    """The stored posterior of a quantity if it was made from the same figures, definitions and priors; else a new one.

    Parameters
    ----------
    region : Region
        A pack with ``quantities.yaml``.
    quantity : str
        A name in that file.

    Returns
    -------
    Reconciliation
        With at most 200 draws a year if it was stored.
    """
    path = _path(region, quantity)
    if path.is_file():
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept.get("made_from") == fingerprint(region, quantity):
            return _thaw(kept)
    return reconcile(region, quantity)


def store(region: Region, quantity: str) -> Path:
    """Reconcile a quantity and keep the posterior in the folder ``fitted`` of the pack, with the hash of its data.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    ZholError
        If the pack's folder cannot be written.
    """
    post = reconcile(region, quantity, draws=1000)
    thin = post.draws[:: max(1, len(post.draws) // KEPT_DRAWS)][:KEPT_DRAWS]
    kept = {"made_from": fingerprint(region, quantity), **post.to_dict(), "draws": np.round(thin).tolist()}
    path = _path(region, quantity)
    try:
        path.parent.mkdir(exist_ok=True)
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(_rounded(kept), ensure_ascii=False, indent=1), encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise ZholError("cannot write the fitted posterior", file=path, found=error.strerror) from error
    return path


def fingerprint(region: Region, quantity: str) -> str:
    """Hash of the rows used, the definition and the prior scales: what decides the posterior."""
    used, definition = choose(region, quantity)
    parts = {"rows": used.to_dicts(), "definition": repr(definition), "priors": scales()}
    text = json.dumps(json_ready(parts), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _path(region: Region, quantity: str) -> Path:
    return Path(region.path) / "fitted" / f"reconciled_{quantity}.json"


def _rounded(value: Any) -> Any:
    """Six significant digits are more than any of these numbers deserves, and keep the file small."""
    if isinstance(value, float):
        return float(f"{value:.6g}")
    if isinstance(value, list):
        return [_rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: _rounded(v) for k, v in value.items()}
    return value


def _thaw(kept: dict[str, Any]) -> Reconciliation:
    frames = {name: pl.DataFrame(kept[name], infer_schema_length=None) for name in FRAMES}
    return Reconciliation(
        population=kept["population"],
        low=kept["low"],
        high=kept["high"],
        se=kept["se"],
        warnings=tuple(kept["warnings"]),
        title=kept["title"],
        level=kept["level"],
        unit=kept["unit"],
        details=kept["details"],
        cites=CITES,
        draws=np.array(kept["draws"]),
        **frames,
    )
