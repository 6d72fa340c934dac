"""Results of long runs, kept in the user's cache under a fingerprint of everything that they come from."""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

if TYPE_CHECKING:
    from zhol.region.load import Region

CODE = ("system", "roads", "policy", "region", "core")  # rooms whose code the results come from
OWN = ("model_runs.py", "policy_runs.py")  # and files of this one
KEPT = {"outlook": 2, "policy": 40}  # files of a kind; older ones are thrown away
Arrays = Mapping[str, np.ndarray]
_BROKEN = (ValueError, KeyError, OSError, EOFError, BadZipFile, zlib.error)


def fingerprint(region: Region, *more: Any) -> str:
    """Fingerprint of the tables of a pack, its maps and posterior, the shared data, the code, and whatever is added.

    Examples
    --------
    >>> import zhol
    >>> region = zhol.load("central_asia")
    >>> fingerprint(region, "a") == fingerprint(region, "a"), fingerprint(region, "a") == fingerprint(region, "b")
    (True, False)
    """
    whole = hashlib.sha256(region.digest.encode())
    for path in sorted(p for p in region.path.rglob("*") if p.is_file() and p.suffix in (".yaml", ".npz")):
        whole.update(path.name.encode() + path.read_bytes())
    whole.update(_of_the_program().encode())
    whole.update(json.dumps(more, sort_keys=True, default=str).encode())
    return whole.hexdigest()[:24]


@lru_cache(maxsize=1)
def _of_the_program() -> str:
    from importlib.metadata import version

    whole, root = hashlib.sha256(), Path(str(resources.files("zhol")))
    folders = [root / name for name in CODE] + [root / "packs" / "shared"]
    files = [p for f in folders for p in f.rglob("*") if p.suffix in (".py", ".yaml", ".csv")]
    for path in sorted([*files, *(root / "brief" / name for name in OWN)]):
        whole.update(path.name.encode() + path.read_bytes())
    for library in ("jax", "numpy"):
        whole.update(version(library).encode())
    return whole.hexdigest()


def folder() -> Path:
    """Where results are kept: beside the compiled code of the system."""
    base = os.environ.get("ZHOL_CACHE") or os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "zhol" / "runs"


def stored(kind: str, key: str, make: Callable[[], tuple[Arrays, Any]]) -> tuple[Arrays, Any]:
    """What was kept under a key, or else what ``make`` gives, which is then kept.

    A file that cannot be read is made again; a folder that cannot be written is no error.

    Parameters
    ----------
    kind : str
        A name of ``KEPT``.
    key : str
        A fingerprint.
    make : callable
        Gives arrays by name and what JSON can hold.
    """
    path = folder() / f"{kind}_{key}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files if name != "head"}, json.loads(str(file["head"]))
        os.utime(path)
        return found
    except _BROKEN:
        pass
    arrays, head = make()
    _write(path, arrays, head, KEPT[kind])
    # Read back as it will be read: what is shown must not depend on whether it was kept.
    return {name: np.asarray(a) for name, a in arrays.items()}, json.loads(json.dumps(head))


def _write(path: Path, arrays: Arrays, head: Any, kept: int) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            np.savez(file, head=np.array(json.dumps(head)), **arrays)  # type: ignore[arg-type]
        temporary.replace(path)
        same = sorted(path.parent.glob(f"{path.name.split('_')[0]}_*.npz"), key=lambda p: p.stat().st_mtime)
        for old in same[:-kept]:
            old.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
