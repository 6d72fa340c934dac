"""Builds a region pack's tables from the shared source folder: one command for a new revision of any source."""

from __future__ import annotations

import importlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.publishers.plan import Plan, read_plan
from zhol.publishers.sources import sources, statistics
from zhol.region import schema
from zhol.region.validate import check_pack

# One file a publisher; each has `tables(root, plan)`.
ADAPTERS = (
    "undesa_stock",
    "wpp",
    "world_bank",
    "knomad",
    "unhcr",
    "ucdp",
    "cepii",
    "passport_index",
    "frontex",
    "missing_migrants",
    "eurostat",
    "vdem",
)

# Tables made from the evidence folder, not from publishers' files.
CITED = ("figures", "events", "bodies", "memberships", "functions", "agreements", "agreement_parties", "legs")


def build(source_dir: str | Path, out: str | Path, region: str = "central_asia") -> dict[str, int]:
    """Read the source files and write the pack's tables.

    Parameters
    ----------
    source_dir : path
        Folder with ``data/`` and ``evidence/``, or the data folder itself. Without an evidence folder beside it, the
        cited figures, events, bodies and agreements stay as the pack has them.
    out : path
        Folder to write to. The region's hand-written inputs are copied there if it is not the pack's own folder.
    region : str
        Name of the pack whose ``places.csv`` and ``build.yaml`` say what to build.

    Returns
    -------
    dict
        Table name to number of rows, in the order written.

    Raises
    ------
    ZholError
        If a source file is missing, lacks a column or holds a cell that cannot be used. Then nothing is written.

    Notes
    -----
    The same inputs give the same bytes. The whole pack is written to a temporary folder and checked before it is moved.
    """
    plan = read_plan(region)
    data, evidence = _roots(Path(source_dir))
    tables: dict[str, pl.DataFrame] = {}
    for name in ADAPTERS:
        tables |= importlib.import_module(f"zhol.publishers.{name}").tables(data, plan)
    described = None
    if plan.options.get("evidence"):
        cited, described = _evidence(evidence, plan)
        tables |= cited
    for remark in plan.options.get("remarks", []):
        tables[remark["table"]] = _remarked(tables, remark, plan)
    tables = {n: f for n, f in tables.items() if n in schema.tables()}
    tables["sources"] = sources({**tables, "places": plan.places}, described)
    _write(tables, plan, Path(out))
    return {name: frame.height for name, frame in tables.items()}


def _evidence(folder: Path | None, plan: Plan) -> tuple[dict[str, pl.DataFrame], pl.DataFrame]:
    """Cited figures and what goes with them, and their sources; without the folder, as the pack has them now."""
    if folder is not None:
        from zhol.publishers import evidence

        return evidence.tables(folder), evidence.sources(folder)
    names = [name for name in CITED if (plan.folder / f"{name}.csv").is_file()]
    kept = {n: pl.read_csv(plan.folder / f"{n}.csv", infer_schema=False, null_values=[""]) for n in [*names, "sources"]}
    described = kept.pop("sources")
    return kept, described.filter(~pl.col("source_id").is_in(statistics()["source_id"].to_list()))


def _roots(source_dir: Path) -> tuple[Path, Path | None]:
    """The data folder and, if there, the evidence folder beside it."""
    if not source_dir.is_dir():
        raise ZholError("no such folder", found=str(source_dir), expected="the folder that holds data/ and evidence/")
    data = source_dir / "data" if (source_dir / "data").is_dir() else source_dir
    if not (data / "undesa_ims").is_dir():
        raise ZholError(
            "folder holds no source files",
            found=source_dir.name,
            expected="data/undesa_ims and its neighbours below it",
        )
    evidence = data.parent / "evidence"
    return data, evidence if evidence.is_dir() else None


def _remarked(tables: dict[str, pl.DataFrame], remark: dict[str, Any], plan: Plan) -> pl.DataFrame:
    """Set a note on the rows that a remark of build.yaml names, or leave those rows out."""
    frame = tables.get(remark["table"])
    unknown = [c for c in remark["where"] if frame is None or c not in frame.columns]
    if frame is None or unknown:
        found = remark["table"] if frame is None else unknown[0]
        raise ZholError("remark names no such table or column", file="build.yaml", found=found)
    if "note" not in frame.columns:
        frame = frame.with_columns(note=pl.lit(None, pl.String))
    rows = pl.all_horizontal(_matches(column, wanted) for column, wanted in remark["where"].items())
    if remark.get("drop"):
        return frame.filter(~rows)
    note = pl.concat_str("note", pl.lit(" ".join(remark["note"].split())), separator="; ", ignore_nulls=True)
    return frame.with_columns(note=pl.when(rows).then(note).otherwise("note"))


def _matches(column: str, wanted: Any) -> pl.Expr:
    """One value, a list of values, or a mapping with `from` and `to` (either may be left out)."""
    if isinstance(wanted, dict):
        low, high = wanted.get("from"), wanted.get("to")
        return pl.col(column).is_between(
            pl.col(column).min() if low is None else low, pl.col(column).max() if high is None else high
        )
    values = wanted if isinstance(wanted, list) else [wanted]
    return pl.any_horizontal(pl.col(column) == value for value in values).fill_null(False)


def _write(tables: dict[str, pl.DataFrame], plan: Plan, out: Path) -> None:
    """Write a whole pack beside the target, check it as a reader would, then move file by file.

    So nothing is ever half a file, and what does not load is not written.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".building-") as folder:
            temporary = Path(folder)
            by_hand = _written_by_hand(plan.folder)
            for path in by_hand:
                shutil.copyfile(path, temporary / path.name)
            for name, frame in tables.items():
                (temporary / f"{name}.csv").write_bytes(_csv(frame))
            check_pack(temporary)
            kept = {path.name for path in by_hand} if out.resolve() == plan.folder.resolve() else set()
            for path in sorted(temporary.iterdir()):
                if path.name not in kept:
                    path.replace(out / path.name)
    except OSError as error:
        raise ZholError("cannot write there", file=out, found=error.strerror, hint="choose another folder") from error


def _written_by_hand(folder: Path) -> list[Path]:
    """Files of a pack that the command does not make: places.csv, region.yaml, build.yaml, README and the like."""
    found = (path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    return sorted(path for path in found if path.suffix != ".csv" or path.name == "places.csv")


def _csv(frame: pl.DataFrame) -> bytes:
    """CSV with whole numbers written as whole numbers and true/false in lower case."""
    floats = [c for c, t in frame.schema.items() if t == pl.Float64]
    whole = {
        c: pl.when(pl.col(c) == pl.col(c).round(0))
        .then(pl.col(c).cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(pl.col(c).cast(pl.String))
        for c in floats
    }
    return frame.with_columns(**whole).write_csv(line_terminator="\n").encode("utf-8")
