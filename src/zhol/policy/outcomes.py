"""Outcomes: what scenarios are compared on, and what is better for whom. One visible file, no weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zhol.core.errors import ZholError
from zhol.core.quantity import plain_number
from zhol.policy.instruments import nearest
from zhol.policy.rights import floors, refuse_weights

if TYPE_CHECKING:
    from zhol.system.run import Run

Side = Literal["less", "more"]
_PLACES = ("corridor", "origin", "destination")
FAMILIES = ("control", "protection", "economy")


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Better(_Row):
    """For whom less or more is better."""

    people: Side | None = None
    control: Side | None = None

    @model_validator(mode="after")
    def _for_somebody(self) -> Better:
        if self.people is None and self.control is None:
            raise ValueError("less or more must be better for somebody")
        return self


class Outcome(_Row):
    """One outcome.

    Examples
    --------
    >>> outcome("passage_price").contested, outcome("passage_price").direction
    (True, 'less')
    """

    id: str
    title: str
    family: Literal["control", "protection", "economy"]
    account: str
    measure: Literal["end", "sum", "mean", "price"]
    where: Literal["here", "elsewhere", "region", "in_need"]
    status: tuple[str, ...] = ()
    better: Better
    note: str = ""

    @property
    def direction(self) -> Side:
        """What is better in the outcome's own family: for control there, for people elsewhere."""
        own, other = self.better.people, self.better.control
        if self.family == "control":
            own, other = other, own
        return own or other or "less"

    @property
    def contested(self) -> bool:
        """Whether people and control want opposite things of it."""
        return None not in (self.better.people, self.better.control) and self.better.people != self.better.control

    @property
    def signs(self) -> tuple[int, ...]:
        """+1 where more is better, -1 where less is; both for a contested outcome."""
        return tuple(
            sorted({1 if side == "more" else -1 for side in (self.better.people, self.better.control) if side})
        )


class Outcomes(_Row):
    """All outcomes, as their file gives them."""

    tolerance: float = Field(ge=0, le=0.05)
    outcomes: Mapping[str, Outcome]
    not_modelled: tuple[str, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Scope:
    """Whom outcomes are counted for.

    Attributes
    ----------
    acting : tuple of str
        Countries that act in the scenarios.
    corridors : tuple of str
        Corridors (``AFG>TUR``) that start in, lead to or may pass through an acting country or one that the pack is
        about.
    in_need : tuple of str
        Corridors in which the base recognises most claims.
    """

    acting: tuple[str, ...]
    corridors: tuple[str, ...]
    in_need: tuple[str, ...] = ()


def read_outcomes(text: str, file: str = "weights.yaml") -> Outcomes:
    """Outcomes from the text of their file.

    Raises
    ------
    ZholError
        One line: a rights floor among them, an outcome with a weight, a family without outcomes.
    """
    raw = yaml.safe_load(text)
    if not isinstance(raw, dict) or not isinstance(raw.get("outcomes"), dict):
        raise ZholError("not a file of outcomes", file=file, expected="outcomes: {name: ...}")
    refuse_weights(raw["outcomes"], file)
    rows = {name: {"id": name, **(row or {})} for name, row in raw["outcomes"].items()}
    for name, row in rows.items():
        if "weight" in row:
            raise ZholError("outcomes have no weights", file=file, found=f"{name}: weight", hint="leave it out")
    try:
        found = Outcomes.model_validate({**raw, "outcomes": rows})
    except ValidationError as error:
        first = error.errors()[0]
        raise ZholError(first["msg"].lower(), file=file, column=".".join(map(str, first["loc"]))) from error
    missing = set(FAMILIES) - {o.family for o in found.outcomes.values()}
    if missing:
        raise ZholError("no family may be left out", file=file, found=", ".join(sorted(missing)))
    return found


@cache
def all_outcomes() -> Outcomes:
    """The outcomes that ship with zhol: ``packs/shared/weights.yaml``.

    Examples
    --------
    >>> sorted({o.family for o in all_outcomes().outcomes.values()})
    ['control', 'economy', 'protection']
    """
    file = resources.files("zhol") / "packs" / "shared" / "weights.yaml"
    return read_outcomes(file.read_text(encoding="utf-8"))


def outcome(name: str) -> Outcome:
    """One outcome by name.

    Raises
    ------
    ZholError
        If there is none of this name.
    """
    known = all_outcomes().outcomes
    if name not in known:
        close = nearest(name, known) or ""
        raise ZholError(
            "unknown outcome", found=name, expected=", ".join(known), hint=close if close.startswith("did") else None
        )
    return known[name]


def chosen(names: Sequence[str] | None) -> tuple[Outcome, ...]:
    """The outcomes of a table, in the order of the file; control never stands without protection.

    Raises
    ------
    ZholError
        If outcomes of control are asked for and none of protection.

    Examples
    --------
    >>> [o.id for o in chosen(["deaths_on_road", "attempts"])]
    ['attempts', 'deaths_on_road']
    """
    if names is None:
        return tuple(all_outcomes().outcomes.values())
    if isinstance(names, str):
        names = [names]
    wanted = {outcome(name).id for name in names}
    found = tuple(o for o in all_outcomes().outcomes.values() if o.id in wanted)
    families = {o.family for o in found}
    if "control" in families and "protection" not in families:
        protection = [o.id for o in all_outcomes().outcomes.values() if o.family == "protection"]
        raise ZholError("outcomes of control are not shown without outcomes of protection", found=", ".join(names),
                        hint=f"add one of {', '.join(protection)}")  # fmt: skip
    if not found:
        raise ZholError("no outcome to compare on", expected=", ".join(all_outcomes().outcomes))
    return found


def scope_of(base: Run, acting: Sequence[str], focus: Sequence[str]) -> Scope:
    """Scope of a comparison: who acts, the corridors that it is about, and those of people in need in the base."""
    near = {*acting, *focus}
    touched = [
        f"{o}>{d}"
        for (o, d), roads in zip(base.corridors, base.roads, strict=True)
        if {o, d} & near or any(near & set(road.split(">")) for road in roads)
    ]
    yes, labels = base.draws("recognised", by=["corridor"])
    no, _ = base.draws("refused", by=["corridor"])
    decided = yes.sum(axis=1) + no.sum(axis=1)
    share = np.divide(yes.sum(axis=1), decided, out=np.zeros_like(decided), where=decided > 0)
    needy = (np.median(share, axis=0) >= floors().in_need) & (np.median(decided, axis=0) >= floors().fewest)
    in_need = [c for c, n in zip(labels["corridor"], needy, strict=True) if n and c in touched]
    return Scope(tuple(acting), tuple(touched), tuple(in_need))


def series(
    run: Run, one: Outcome, scope: Scope, by: Sequence[str] = ()
) -> tuple[np.ndarray, Mapping[str, Sequence[Any]]]:
    """Every draw of an outcome by period: array (draw, time, \\*by) and the labels of ``by``.

    Raises
    ------
    ZholError
        If the outcome has no such dimension.
    """
    where = _where(one, scope)
    if next(iter(where.values())):
        return run.draws(one.account, by, where)
    # Nobody is counted: nobody acts, or there is no corridor of people in need.
    labels = {d: [] if d in _PLACES else values for d, values in run.draws(one.account, by)[1].items()}
    return np.zeros((run.n_draws, len(run.time), *(len(v) for v in labels.values()))), labels


def totals(run: Run, one: Outcome, scope: Scope, by: Sequence[str] = (), *, years: float = 0.0) -> np.ndarray:
    """Every draw of an outcome over the whole window: array (draw, \\*by).

    Parameters
    ----------
    years : float
        0: stocks are counted at the end of the window. Else stocks are the mean of the window times this many years:
        person-years.
    """
    if one.measure == "price":
        paid, volume = (run.draws(name, by, _where(one, scope))[0].sum(axis=1) for name in ("revenue", "volume"))
        return np.divide(paid * 1e6, volume, out=np.full_like(paid, np.nan), where=volume > 0)
    values, _ = series(run, one, scope, by)
    if years and one.measure in ("end", "mean"):
        return np.asarray(values.mean(axis=1) * years)
    if one.measure == "end":
        return np.asarray(values[:, -1])
    return np.asarray(values.sum(axis=1) if one.measure == "sum" else values.mean(axis=1))


def _where(one: Outcome, scope: Scope) -> dict[str, list[str]]:
    status = {"status": list(one.status)} if one.status else {}
    if one.where == "here":
        return {"destination": list(scope.acting), **status}
    if one.where == "in_need":
        return {"corridor": list(scope.in_need), **status}
    away = one.where == "elsewhere"
    return {"corridor": [c for c in scope.corridors if not (away and c.split(">")[1] in scope.acting)], **status}


def worded(value: float | None, unit: str = "persons", signed: bool = False) -> str:
    """A number as a reader wants it: whole where it counts, nothing where there is none.

    Examples
    --------
    >>> worded(0.0243), worded(-164586.2), worded(0.0243, "USD million"), worded(1200.4, signed=True)
    ('0', '-165 thousand', '0.0243', '+1,200')
    """
    if value is None or not math.isfinite(value):
        return ""
    whole = not unit.startswith("USD") and unit != "years"
    shown = float(round(value)) if whole and abs(value) < 1000 else float(value)
    return ("+" if signed and shown > 0 else "") + plain_number(shown)


def unit_of(run: Run, one: Outcome, years: float = 0.0) -> str:
    """Unit of an outcome."""
    unit = run.unit(one.account)
    return f"{unit.removesuffix('s')}-years" if years and one.measure in ("end", "mean") else unit
