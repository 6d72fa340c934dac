"""`pull`: from a publisher's public endpoint, or a file already downloaded, to a tidy table and its papers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zhol.core.errors import ZholError
from zhol.publishers.catalogue import FILE, Dataset, find
from zhol.publishers.download import Download, Limits, Progress, download, sha256_of
from zhol.publishers.formats import Reading, load

if TYPE_CHECKING:
    import polars as pl

PAPERS = "pulled.yaml"


@dataclass(frozen=True)
class Pulled:
    """What a pull brought.

    Parameters
    ----------
    dataset : Dataset
        Its entry in the catalogue.
    table : polars.DataFrame
        The tidy table, as written.
    path : Path
        Where it was written.
    files : tuple of Download
        What it was read from, each with address (or path), bytes, SHA-256 and time.
    changed : bool, optional
        Whether the tidy table differs from the one pulled before; None if there was none.
    notes : tuple of str
        What the reader must know.
    """

    dataset: Dataset
    table: pl.DataFrame
    path: Path
    files: tuple[Download, ...]
    changed: bool | None
    notes: tuple[str, ...]


def pull(
    source: str,
    into: str | Path = "data",
    *,
    files: Iterable[str | Path] = (),
    sha256: str | None = None,
    progress: Progress | None = None,
    limits: Limits | None = None,
    catalogue: Path = FILE,
) -> list[Pulled]:
    """Fetch a publisher's datasets and write them as tidy tables that ``zhol data build --from`` reads.

    Parameters
    ----------
    source : str
        Short name of a publisher (all its datasets) or the id of one dataset.
    into : path
        Folder of the tables, made if need be; if it holds a folder ``data``, that one.
    files : paths, optional
        Files already downloaded (or a folder of them), for one dataset; then nothing is asked of the network.
    sha256 : str, optional
        Checksum that the dataset's last download, or the file, must have.
    progress : callable, optional
        Called with (name of the file, bytes so far, bytes in all or None).
    limits : Limits, optional
        Patience of the downloads; the size comes from the catalogue.
    catalogue : Path, optional
        Another catalogue.

    Returns
    -------
    list of Pulled
        One a dataset, in the order of the catalogue. Beside each table ``pulled.yaml`` keeps address, time, SHA-256,
        licence, attribution and citation, and ``downloads/<id>/`` the publisher's files as they came.

    Raises
    ------
    ZholError
        Unknown source, offline, a failed or damaged download, a layout that is not the publisher's. What was pulled
        before stays as it was.

    Examples
    --------
    >>> pull("frontex", "data")  # doctest: +SKIP
    """
    datasets = find(source, file=catalogue)
    given = _given(files)
    if (given or sha256) and len(datasets) > 1:
        raise ZholError(
            f"{source} has several datasets", expected="one of " + ", ".join(d.id for d in datasets), found=source
        )
    root = _root(Path(into))
    return [_pull(d, root, given, sha256 or d.sha256, progress, limits or Limits()) for d in datasets]


def _given(files: Iterable[str | Path]) -> list[Path]:
    """Files named, and the files of folders named, in order of name."""
    paths: list[Path] = []
    for path in map(Path, files):
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
            if not inside:
                raise ZholError("the folder is empty", found=str(path))
            paths += inside
        elif path.is_file():
            paths.append(path)
        else:
            raise ZholError("no such file", file=path, hint="check the path given with --from")
    return paths


def _root(into: Path) -> Path:
    if into.exists() and not into.is_dir():
        raise ZholError("not a folder", file=into, hint="give a folder with --into")
    return into / "data" if (into / "data").is_dir() else into


def _pull(
    dataset: Dataset, root: Path, given: list[Path], sha256: str | None, progress: Progress | None, limits: Limits
) -> Pulled:
    target = root / dataset.file
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = tempfile.TemporaryDirectory(dir=target.parent, prefix=".pulling-")
    except OSError as error:
        raise ZholError("cannot write here", found=str(target.parent), hint=error.strerror) from error
    with temporary as name:
        work = Path(name)
        reading, came = _bring(dataset, work, given, sha256, progress, limits)
        before = sha256_of(target) if target.is_file() else None
        fresh = work / target.name
        fresh.write_bytes(reading.table.write_csv().encode())
        changed = None if before is None else before != sha256_of(fresh)
        pulled = Pulled(dataset, reading.table, target, came, changed, reading.notes)
        papers = work / PAPERS
        papers.write_text(_papers(pulled, sha256_of(fresh)), encoding="utf-8")
        _keep(work / "downloads", target.parent / "downloads" / dataset.id)
        # The table last: with it in place, all that belongs to it is.
        papers.replace(target.parent / PAPERS)
        fresh.replace(target)
    return pulled


def _bring(
    dataset: Dataset, work: Path, given: list[Path], sha256: str | None, progress: Progress | None, limits: Limits
) -> tuple[Reading, tuple[Download, ...]]:
    reader = load(dataset.format)
    came: list[Download] = []
    if given:
        came = [_local(path) for path in given]
        if sha256 is not None and sha256.lower() not in {c.sha256 for c in came}:
            raise ZholError("the file is not the expected one, its sha256 differs", file=given[0], found=came[0].sha256)
        return reader.read(given, dataset), tuple(came)
    advice = f"or download it with a browser from {dataset.page}, then `zhol data pull {dataset.id} --from FILE`"
    sized = replace(limits, max_bytes=dataset.max_mb * 1_000_000)
    folder = work / "downloads"
    folder.mkdir()

    def get(url: str, name: str, kind: str) -> Path:
        came.append(download(url, folder / name, kind=kind, limits=sized, progress=progress, advice=advice))
        return came[-1].path

    paths = reader.fetch(dataset, get)
    if sha256 is not None and came[-1].sha256 != sha256.lower():
        raise ZholError("the file is not the expected one, its sha256 differs", found=came[-1].sha256, file=paths[-1])
    return reader.read(paths, dataset), tuple(came)


def _local(path: Path) -> Download:
    return Download(path, path.name, path.stat().st_size, sha256_of(path), _now())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _keep(fresh: Path, kept: Path) -> None:
    """Put the new downloads where the old ones were."""
    if not fresh.is_dir():
        return
    kept.parent.mkdir(exist_ok=True)
    if kept.is_dir():
        old = Path(tempfile.mkdtemp(dir=fresh.parent))
        kept.replace(old / "old")
    fresh.replace(kept)


def _papers(pulled: Pulled, sha256: str) -> str:
    """The folder's ``pulled.yaml`` with this dataset's entry new."""
    import yaml

    old = pulled.path.parent / PAPERS
    entries: dict[str, Any] = {}
    if old.is_file():
        try:
            entries = yaml.safe_load(old.read_text(encoding="utf-8")) or {}
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ZholError("cannot be read", file=old, hint="remove it and pull again") from error
    dataset = asdict(pulled.dataset)
    for key in ("options", "format", "file", "sha256", "max_mb", "id", "source"):
        dataset.pop(key)
    entries[pulled.dataset.id] = {
        **dataset,
        "table": pulled.path.name,
        "rows": pulled.table.height,
        "sha256": sha256,
        "files": [
            {"name": f.path.name, "from": f.url, "bytes": f.size, "sha256": f.sha256, "retrieved": f.retrieved}
            for f in pulled.files
        ],
        "notes": list(pulled.notes),
    }
    head = "# Written by `zhol data pull`: what each table here was read from, when, and under which licence.\n"
    return head + yaml.safe_dump(dict(sorted(entries.items())), allow_unicode=True, sort_keys=False, width=120)


def summary(pulled: Sequence[Pulled]) -> pl.DataFrame:
    """One row a dataset: what came, where it went, and whether it differs from before."""
    import polars as pl

    words = {None: "new", True: "changed", False: "unchanged"}
    return pl.DataFrame(
        {
            "dataset": [p.dataset.id for p in pulled],
            "rows": [p.table.height for p in pulled],
            "state": [words[p.changed] for p in pulled],
            "table": [str(p.path) for p in pulled],
            "bytes": [sum(f.size for f in p.files) for p in pulled],
            "sha256": [p.files[-1].sha256 for p in pulled],
            "retrieved": [p.files[-1].retrieved for p in pulled],
            "licence": [p.dataset.licence for p in pulled],
        },
        schema_overrides={"rows": pl.Int64, "bytes": pl.Int64},
    )
