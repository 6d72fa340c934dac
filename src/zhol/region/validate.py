"""A pack as a whole: which files it may hold, and what its tables say about each other."""

from __future__ import annotations

import difflib
import hashlib
import os
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from zhol.core.disclosure import refuse_personal
from zhol.core.errors import ZholError
from zhol.region import iso3166
from zhol.region.cells import Known, typed
from zhol.region.manifest import Manifest, read_manifest
from zhol.region.read import PERSONAL_HERE, Raw, decode, read_bytes, read_table
from zhol.region.rows import check_rows
from zhol.region.schema import Table, beside, limits, tables


class Checked(NamedTuple):
    """A pack that holds: its manifest, its typed tables, and one digest of all it was read from."""

    manifest: Manifest
    tables: dict[str, pl.DataFrame]
    digest: str


def check_pack(root: Path) -> Checked:
    """Read and check every file of a pack.

    Raises
    ------
    ZholError
        For the first thing wrong, naming file, row and column.
    """
    files = _inventory(root)
    manifest, digest = _manifest(root)
    raw = {name: read_table(files[name], table) for name, table in tables().items() if name in files}
    known = _known(raw, files)
    frames: dict[str, pl.DataFrame] = {}
    for name in raw:  # places and sources come first: what is wrong there would look wrong everywhere else
        frames[name] = _typed(raw[name].frame, tables()[name], files[name], known)
        check_rows(frames[name], tables()[name], files[name], known.places)
        if name == "places":
            _check_places(frames[name], files[name])
    _check_manifest(manifest, root, known, set(raw))
    for name, frame in frames.items():
        _check_references(frame, tables()[name], files[name], frames)
    together = "".join(f"{name}={part.digest};" for name, part in sorted(raw.items()))
    return Checked(manifest, frames, hashlib.sha256((digest + together).encode()).hexdigest())


def _inventory(root: Path) -> dict[str, Path]:
    """Tables of the pack by name; any file that does not belong is refused."""
    if not root.is_dir():
        raise ZholError("no such pack", found=str(root), expected="a folder with region.yaml and tables")
    if not (root / "region.yaml").exists():
        raise ZholError("pack has no region.yaml", file=root, hint="`zhol region new NAME` makes one to start from")
    found: dict[str, Path] = {}
    for path in _listing(root):
        _refuse_links(path, root)
        if path.suffix == ".csv" and path.stem in tables():
            found[path.stem] = path
        elif path.name not in beside()["folders" if path.is_dir() else "files"]:
            raise _foreign(path)
    for name, table in tables().items():
        if table.required and name not in found:
            raise ZholError("required table is missing", file=root / f"{name}.csv")
    return found


def _listing(root: Path) -> list[Path]:
    """Files and folders of the pack; what a system keeps hidden there is no part of it."""
    try:
        paths = sorted(path for path in root.iterdir() if not path.name.startswith("."))
    except OSError as error:
        raise ZholError("folder cannot be read", file=root, hint=error.strerror) from None
    for path in paths:
        if not path.name.isprintable():
            raise ZholError("file name cannot be shown", found=path.name, hint="rename it")
    return paths


def _refuse_links(path: Path, root: Path) -> None:
    # realpath, because resolve() fails on a link that leads to itself.
    if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise ZholError("link leads out of the pack", file=path, hint="put the file itself there")


def _foreign(path: Path) -> ZholError:
    """Why a file does not belong; a table about persons gets that reason first."""
    if path.suffix.lower() == ".csv" and path.is_file():
        with path.open("rb") as file:
            header = file.readline(100_000).decode("utf-8", errors="replace")
        refuse_personal(
            header.strip().replace(";", ",").replace('"', "").split(","), file=str(path), also=PERSONAL_HERE
        )
        close = difflib.get_close_matches(path.stem.lower(), tables(), n=1)
        hint = f"did you mean {close[0]}.csv?" if close else None
        return ZholError("unknown table", file=path, expected=f"one of {', '.join(tables())}", hint=hint)
    return ZholError("file does not belong in a pack", file=path, hint="remove it")


def _manifest(root: Path) -> tuple[Manifest, str]:
    path = root / "region.yaml"
    data = read_bytes(path, limits().manifest, limits().rows)
    return read_manifest(decode(data, path), path), hashlib.sha256(data).hexdigest()


def _known(raw: dict[str, Raw], files: dict[str, Path]) -> Known:
    for name in ("places", "sources"):
        if raw[name].frame.is_empty():
            raise ZholError("table has no rows", file=files[name])
    places = raw["places"].frame
    return Known(
        dict(zip(places["place"], places["kind"], strict=True)),
        frozenset(raw["sources"].frame["source_id"].drop_nulls()),
    )


def _typed(frame: pl.DataFrame, table: Table, file: Path, known: Known) -> pl.DataFrame:
    # A place is checked against ISO 3166 where it is declared, and against that declaration everywhere else.
    return pl.DataFrame([typed(frame[c.name], c, file, known) for c in table.columns])


def _check_manifest(manifest: Manifest, root: Path, known: Known, present: set[str]) -> None:
    file = root / "region.yaml"
    for code in manifest.focus:
        if known.places.get(code) != "country":
            raise ZholError("focus names a place that is no country of places.csv", file=file, found=code)
    for name in manifest.tables or []:
        if name not in tables():
            raise ZholError("unknown table", file=file, found=name, expected=f"one of {', '.join(tables())}")
        if name not in present:
            raise ZholError(f"table {name!r} is named but not there", file=file, expected=f"{name}.csv")


def _check_places(places: pl.DataFrame, file: Path) -> None:
    """A country bears an ISO code, a block a code that ISO leaves free; no one is counted twice."""
    homes: dict[str, str] = {}
    countries = set(places.filter(pl.col("kind") == "country")["place"])
    for row, (code, kind, members) in enumerate(places.select("place", "kind", "members").iter_rows(), start=2):
        where: dict[str, Any] = {"file": file, "row": row}
        if kind == "country" and not iso3166.is_country(code):
            raise ZholError("unknown ISO 3166 code", column="place", found=code, expected="alpha-3 like KAZ", **where)
        if kind != "country" and not iso3166.is_user_assigned(code):
            expected = "a code that ISO 3166 leaves to users, XAA to XZZ"
            raise ZholError(f"not a code for a {kind}", column="place", found=code, expected=expected, **where)
        if kind == "block" and members is None:
            raise ZholError("block without members", column="members", expected="ISO 3166 codes joined by ;", **where)
        if kind == "country" and members is not None:
            raise ZholError("a country has no members", column="members", found=members, **where)
        for member in members.split(";") if kind == "block" else ():
            if member in countries or homes.setdefault(member, code) != code:
                raise ZholError("member is counted in another place too", column="members", found=member, **where)


def _check_references(frame: pl.DataFrame, table: Table, file: Path, frames: dict[str, pl.DataFrame]) -> None:
    for column in table.columns:
        if not column.refers:
            continue
        other, name = column.refers.split(".")
        there = frames[other][name].to_list() if other in frames else []
        stray = ~frame[column.name].is_in(there)
        if stray.any():
            row = int(stray.arg_true()[0])
            raise ZholError(
                f"not in {other}.csv",
                file=file,
                row=row + 2,
                column=column.name,
                found=frame[column.name][row],
                expected=f"a {name} of {other}.csv",
            )
