"""What a pack says that its dated events changed: ``event_measures.yaml``, each number by the row that holds it."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zhol.core.errors import ZholError
from zhol.policy.instruments import evidence
from zhol.policy.scenario import Scenario
from zhol.system.instruments import month_number

if TYPE_CHECKING:
    from zhol.region.load import Region

FILE = "event_measures.yaml"
COLUMNS = ("neutral", "held_out", "fitted")
Months = tuple[str, str]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Counts(_Part):
    """What the model adds up, where no series of the observations says it."""

    accounts: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    origins: tuple[str, ...]
    destination: str


class Said(_Part):
    """The row that gives a change itself."""

    evidence: str | None = None
    figure: str | None = None
    event: str | None = None
    percent: float | None = None
    per: float | None = None


class Measure(_Part):
    """One number that an event is said to have changed, and how the model says the same; see the head of the file."""

    id: str
    title: str
    kind: Literal["change", "level", "share"]
    compare: Literal["effect", "run"]
    series: str | None = None
    counts: Counts | None = None
    months: tuple[Months, ...] = ()
    treated: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    observed: Said | None = None
    error: Annotated[float, Field(gt=0)] | None = None
    why: str = ""
    fit: bool = True

    @property
    def rows(self) -> tuple[str, ...]:
        """Ids of the rows that it rests on."""
        said = self.observed
        own = () if said is None else tuple(i for i in (said.evidence, said.figure, said.event) if i)
        return (*self.treated, *self.against, *own)


class _Study(_Part):
    measures: tuple[dict[str, Any], ...] = ()
    scenario: str | None = None
    effects: Literal["evidence", "held_out"] = "evidence"
    asks: tuple[Measure, ...]


class _File(_Part):
    status: str
    events: dict[str, tuple[Measure, ...]]
    studies: dict[str, _Study] = {}


@dataclass(frozen=True)
class Case:
    """An event, or a study, ready to be put to the model.

    Attributes
    ----------
    name : str
    scenario : Scenario
    columns : tuple of str
        ``neutral``, ``held_out`` and ``fitted`` for an event; what a study is asked with.
    measures : tuple of Measure
    study : bool
    """

    name: str
    scenario: Scenario
    columns: tuple[str, ...]
    measures: tuple[Measure, ...]
    study: bool = False

    @property
    def first(self) -> int:
        """Month, as a number, in which the first instrument begins to act."""
        return min(m.span()[0] for m in self.scenario.measures)


def cases(region: Region, only: tuple[str, ...] | None = None) -> list[Case]:
    """Events of a pack, then the studies, in the order of the file.

    Raises
    ------
    ZholError
        No file, a mistake in it, an event without a scenario, or an unknown name in ``only``.
    """
    read = _read(region)
    history = _scenarios(region)
    out = [Case(name, _of(history, name), COLUMNS, measures) for name, measures in read.events.items()]
    for name, study in read.studies.items():
        if study.scenario:
            scenario = replace(_of(history, study.scenario), name=name)
        else:
            scenario = Scenario(name, measures=study.measures, region=_pack(region))  # type: ignore[arg-type]
        out.append(Case(name, scenario, (study.effects,), study.asks, study=True))
    names = [c.name for c in out]
    for name in only or ():
        if name not in names:
            raise ZholError("unknown event", file=FILE, found=name, expected=", ".join(names))
    return [c for c in out if only is None or c.name in only]


def _read(region: Region) -> _File:
    path = region.path / FILE
    if not path.is_file():
        raise ZholError("the pack does not say what its events changed", file=path, hint="write event_measures.yaml")
    try:
        return _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise ZholError("not valid YAML", file=FILE, hint=str(error).splitlines()[0]) from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(p) for p in first["loc"])
        raise ZholError(first["msg"].lower(), file=FILE, column=where) from error


def _pack(region: Region) -> str:
    """What a scenario calls this pack: its name where it ships, else its folder."""
    return region.name if region.path.parent.name == "packs" else str(region.path)


def _scenarios(region: Region) -> dict[str, Scenario]:
    folder = region.path / "scenarios"
    return {p.stem: Scenario.load(p) for p in sorted(folder.glob("*.yaml"))} if folder.is_dir() else {}


def _of(history: dict[str, Scenario], name: str) -> Scenario:
    if name not in history:
        raise ZholError("no scenario of this event", file=FILE, found=name, expected=", ".join(history) or "none")
    return history[name]


def stated(region: Region, measure: Measure) -> float | None:
    """The change that a row gives itself: a log, persons or a share by the kind of the measure; None if none does."""
    said = measure.observed
    if said is None:
        return None
    if said.evidence:
        row = _only(evidence(), "evidence_id", said.evidence)
        return _as(row["effect_type"], float(row["value"]), said.per, measure)
    if said.figure:
        row = _only(region.table("figures"), "figure_id", said.figure)
        return _as("pct_change" if row["unit"] == "%" else "level", float(row["value"]), None, measure)
    row = _only(region.table("events"), "event_id", str(said.event))
    text = f"{row['before'] or ''} {row['after'] or ''}"
    printed = [float(n) for n in re.findall(r"(-?\d+(?:\.\d+)?)%", text)]
    if said.percent not in printed:
        raise ZholError("the event does not print this number", file=FILE, found=said.percent, expected=text.strip())
    return _as("pct_change", float(said.percent or 0.0), None, measure)


def _as(kind: str, value: float, per: float | None, measure: Measure) -> float:
    """A number as a study or a statement prints it, on the scale of the measure."""
    change = {"pct_change": lambda: math.log1p(value / 100.0), "ratio": lambda: math.log(value),
              "pct_diff": lambda: value / 100.0, "elasticity": lambda: value * math.log(per or math.e)}  # fmt: skip
    if measure.kind == "change" and kind in change:
        return float(change[kind]())
    if (measure.kind, kind) in (("level", "level"), ("share", "share")):
        return value
    raise ZholError(f"a row of this kind cannot be a {measure.kind}", file=FILE, row=measure.id, found=kind)  # type: ignore[arg-type]


def _only(table: pl.DataFrame, column: str, wanted: str) -> dict[str, Any]:
    rows = table.filter(pl.col(column) == wanted)
    if rows.height != 1:
        raise ZholError("no such row", file=FILE, found=wanted)
    return rows.row(0, named=True)


def span(months: Months) -> tuple[int, int]:
    """First and last month as numbers."""
    return month_number(months[0]), month_number(months[1])
