"""What can be pulled: the datasets of ``catalogue.yaml``, read and checked."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from zhol.core.errors import ZholError

FILE = Path(__file__).with_name("catalogue.yaml")


@dataclass(frozen=True)
class Dataset:
    """One dataset of a publisher: where it is, under which licence, how it is read and where the tidy table goes."""

    id: str
    source: str
    publisher: str
    title: str
    format: str
    endpoint: str
    page: str
    file: str
    licence: str
    licence_note: str
    attribution: str
    citation: str
    max_mb: int
    sha256: str | None = None
    options: dict[str, Any] = field(default_factory=dict, hash=False)


@cache
def catalogue(file: Path = FILE) -> tuple[Dataset, ...]:
    """All datasets, in the order of the file.

    Raises
    ------
    ZholError
        If an entry lacks a field, has one too many, or an id stands twice.

    Examples
    --------
    >>> [d.id for d in catalogue() if d.source == "undesa"]
    ['undesa_ims_2024', 'undesa_ims_2020']
    """
    import yaml

    entries = yaml.safe_load(file.read_text(encoding="utf-8"))["datasets"]
    datasets = tuple(_dataset(entry, file) for entry in entries)
    ids = [d.id for d in datasets]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise ZholError(f"dataset {twice[0]} stands twice", file=file)
    return datasets


def _dataset(entry: dict[str, Any], file: Path) -> Dataset:
    allowed = {f.name for f in fields(Dataset)}
    needed = allowed - {"sha256", "options"}
    name = entry.get("id", "?")
    for key in entry:
        if key not in allowed:
            raise ZholError(f"dataset {name}: unknown field {key!r}", file=file, expected=", ".join(sorted(allowed)))
    for key in sorted(needed):
        if entry.get(key) in (None, ""):
            raise ZholError(f"dataset {name}: field {key!r} is missing", file=file)
    target = PurePosixPath(entry["file"])
    if target.is_absolute() or ".." in target.parts or len(target.parts) != 2:
        raise ZholError(f"dataset {name}: bad file", file=file, found=entry["file"], expected="folder/file.csv")
    if not str(entry["endpoint"]).startswith(("https://", "http://127.0.0.1:")):
        raise ZholError(
            f"dataset {name}: bad endpoint", file=file, found=entry["endpoint"], expected="an https address"
        )
    return Dataset(**entry)


def find(source: str, *, file: Path = FILE) -> tuple[Dataset, ...]:
    """Datasets of a publisher's short name, or the one with this id.

    Raises
    ------
    ZholError
        If there is none, naming the nearest.

    Examples
    --------
    >>> len(find("unhcr")), find("frontex_detections")[0].publisher[:7]
    (3, 'Frontex')
    """
    datasets = catalogue(file)
    found = tuple(d for d in datasets if source in (d.source, d.id))
    if found:
        return found
    known = [*dict.fromkeys(d.source for d in datasets), *(d.id for d in datasets)]
    near = difflib.get_close_matches(source, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`zhol data pull` without a source lists them all"
    raise ZholError(
        "unknown source", found=source, expected=", ".join(dict.fromkeys(d.source for d in datasets)), hint=hint
    )
