"""A new pack to start from: it loads as it stands, and its README explains every column."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from zhol.core.errors import ZholError
from zhol.region.load import shipped
from zhol.region.schema import HERE, Table, tables

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")


def new(name: str, folder: str | Path = ".") -> Path:
    """Write a template pack into ``folder/name``.

    Parameters
    ----------
    name : str
        Small letters, digits and underscores.
    folder : str or Path
        An existing folder.

    Returns
    -------
    Path
        The new pack.

    Raises
    ------
    ZholError
        If the name will not do, the folder is not there, or something of that name is there already.

    Examples
    --------
    >>> import tempfile, zhol
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     zhol.load(new("my_region", folder)).places["place"].to_list()
    ['KAZ', 'UZB', 'XRW']
    """
    target = _target(name, Path(folder))
    temporary = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder))
    try:
        for file, text in _files(name).items():
            (temporary / file).write_text(text, encoding="utf-8", newline="")
        temporary.chmod(0o755)
        _rename(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _target(name: str, folder: Path) -> Path:
    if not _NAME.fullmatch(name):
        expected = "small letters, digits and underscores, first a letter, at most 40"
        raise ZholError("not a name for a pack", found=name, expected=expected)
    if name in shipped():
        raise ZholError("a pack of this name ships with zhol", found=name, hint="choose another name")
    if not folder.is_dir():
        raise ZholError("no such folder", found=str(folder))
    if not os.access(folder, os.W_OK):
        raise ZholError("folder cannot be written to", found=str(folder))
    target = folder / name
    if target.exists() or target.is_symlink():
        raise ZholError("already there", found=str(target), hint="nothing was changed; choose another name")
    return target


def _rename(temporary: Path, target: Path) -> None:
    """Put the finished folder in place; a pack that turned up meanwhile stays as it is."""
    try:
        temporary.rename(target)
    except OSError as error:
        raise ZholError("pack cannot be put in place", found=str(target), hint=error.strerror) from None


def _files(name: str) -> dict[str, str]:
    examples = _examples()["tables"]
    files = {"region.yaml": _manifest(name), "README.md": _readme(name, list(examples))}
    return files | {f"{t}.csv": _csv(tables()[t], rows) for t, rows in examples.items()}


@cache
def _examples() -> dict[str, Any]:
    with (HERE / "template.yaml").open(encoding="utf-8") as file:
        return dict(yaml.safe_load(file))


def _manifest(name: str) -> str:
    return (
        f"name: {name}\n"
        f"title: {name.replace('_', ' ').capitalize()}\n"
        "description: What the region is and why these places.\n"
        "focus: [KAZ]  # the countries the pack is about, as in places.csv\n"
        "licence: none stated yet\n"
        'version: "0.1"\n'
    )


def _csv(table: Table, rows: list[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, table.names, lineterminator="\n", restval="")
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, "note": _examples()["note"]})
    return text.getvalue()


def _readme(name: str, made: list[str]) -> str:
    """Every table and column of the schema, so that the pack explains itself."""
    lines = [
        f"# Region pack `{name}`",
        "",
        "Start from these files: replace every row whose note says EXAMPLE. Example rows are `recalled`, so they load",
        f"and count nowhere. Check with `zhol region check {name}`.",
        "",
        "UTF-8, commas, decimal points. An empty cell is missing, never zero. Every row has a `source_id` of",
        "`sources.csv` and a `status`. Aggregates only: a table about persons is refused. Places are countries or",
        "blocks, never finer.",
        "",
        f"In this template: {', '.join(f'`{t}`' for t in made)}. Other tables may be added under the names below.",
    ]
    for table in tables().values():
        lines += ["", f"## `{table.name}.csv`", "", f"{_rules(table)}", ""]
        lines += ["| column | must be there | holds | unit | meaning |", "|---|---|---|---|---|"]
        lines += [_line(table, c.name) for c in table.columns]
    return "\n".join(lines) + "\n"


def _rules(table: Table) -> str:
    says = ["Required." if table.required else "Optional.", f"One row for each {', '.join(table.key)}."]
    if table.apart:
        says.append(f"{table.apart[0]} and {table.apart[1]} are different countries.")
    if table.interval:
        says.append(f"{' ≤ '.join(table.interval)} wherever they are given.")
    if table.order:
        says.append(f"{table.order[1]} is not before {table.order[0]}.")
    for whole, parts in table.parts.items():
        says.append(f"{' and '.join(parts)} together are at most {whole}.")
    if (rule := table.only_if) is not None:
        says.append(f"{rule.flag} is true only where {rule.filled} is known, and never for {', '.join(rule.never)}.")
    if table.any_of:
        says.append(f"At least one of {', '.join(table.any_of)}.")
    if table.units:
        units = "; ".join(f"{word}: {' or '.join(rule.unit)}" for word, rule in table.units.rows.items() if rule.unit)
        says.append(f"Unit by {table.units.by}: {units}." if units else "")
    return " ".join(filter(None, says))


def _line(table: Table, name: str) -> str:
    column = table.column(name)
    need = {"filled": "yes, no empty cell", "present": "yes", "optional": "no"}[column.need]
    cells = [f"`{name}`", need, column.expected, column.unit, column.about]
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"
