"""Instruments as data: what each does, to whom, by how much, how sure we are, and what it may break.

One YAML file an instrument in ``packs/shared/instruments``; numbers in them follow from rows of
``packs/shared/evidence.csv`` by the rules of ``packs/shared/effects.yaml``.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any, Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from zhol.core.errors import ZholError
from zhol.system.instruments import Effect as SystemEffect
from zhol.system.names import LEVERS

UNIT = "log change at intensity 1"
EFFECTS = ("evidence", "neutral", "held_out")
Side = Literal["destination", "origin", "leg", "place"]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Seed(_Row):
    """Where the 2009 document asks for it: passages M01 to M25; recommendation R1 to R5, labour L, protection P."""

    passages: tuple[str, ...]
    recommendation: Literal["R1", "R2", "R3", "R4", "R5", "L", "P"]
    tool: int | None = Field(None, ge=1, le=6)


class Part(_Row):
    """One component of an effect's mixture of normal distributions.

    ``kind``: a ``number`` from rows of evidence; the ``sign`` of a row without a number; ``none``, a study that found
    next to nothing; a ``definition`` of what intensity 1 means; or ``theory``, which nobody has measured.
    """

    weight: float = Field(gt=0, le=1)
    mean: float
    sd: float = Field(ge=0)
    kind: Literal["number", "sign", "none", "definition", "theory"]
    sign: Literal["+", "-"] | None = None
    derivation: str | None = None
    relative: float | None = None
    evidence: tuple[str, ...] = ()
    why: str | None = None
    reversed: bool = False
    counter: str | None = None

    @model_validator(mode="after")
    def _rests_on_something(self) -> Part:
        if self.kind in ("number", "sign", "none") and not self.evidence:
            raise ValueError(f"a part of kind {self.kind} needs rows of evidence")
        if self.kind in ("theory", "definition") and not self.why:
            raise ValueError(f"a part of kind {self.kind} needs a reason")
        return self


class Normal(_Row):
    """A normal distribution on the log scale."""

    mean: float
    sd: float = Field(gt=0)


class Effect(_Row):
    """What an instrument does to one lever: a mixture of parts, and the prior that is left if none is believed."""

    lever: str
    side: Side | None = None
    unit: Literal["log change at intensity 1"]
    no_evidence: bool = False
    definition: bool = False
    wide: Normal
    distribution: tuple[Part, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known_lever(self) -> Effect:
        if self.lever not in LEVERS:
            raise ValueError(f"unknown lever {self.lever}")
        if self.no_evidence == any(p.evidence for p in self.distribution) and not self.definition:
            raise ValueError(f"{self.lever}: no_evidence must say whether any part rests on a row")
        return self

    def parts(self, without: Iterable[str] = (), recalled: bool = False) -> tuple[tuple[float, float, float], ...]:
        """The mixture as (weight, mean, sd), without parts that rest on given rows, or on recalled ones.

        If nothing is left that rests on evidence, definition or theory, the wide prior is.
        """
        barred = set(without) | (set() if recalled else recalled_rows())
        kept = [p for p in self.distribution if not barred & set(p.evidence)]
        if not kept:
            return ((1.0, self.wide.mean, self.wide.sd),)
        total = sum(p.weight for p in kept)
        return tuple((p.weight / total, p.mean, p.sd) for p in kept)

    @property
    def evidence(self) -> tuple[str, ...]:
        """Rows that the effect rests on."""
        return tuple(sorted({i for p in self.distribution for i in p.evidence}))


class Anticipation(_Row):
    """What an announced restriction does to departures before it starts."""

    lever: str
    side: Side | None = None
    no_evidence: bool = False
    why: str


class Substitution(_Row):
    """Where people go instead."""

    text: str
    levers: tuple[str, ...] = ()


class Speed(_Row):
    """Months until it acts in full, and until it stops acting."""

    introduce_months: int = Field(ge=0)
    remove_months: int = Field(ge=0)
    evidence: tuple[str, ...] = ()
    note: str


class Cost(_Row):
    """Public cost with its unit and the row that says so; negative is revenue."""

    value: float
    unit: str
    source: str


class Breach(_Row):
    """A rights floor that the instrument breaks or puts at risk above an intensity, unless another one goes with it."""

    floor: str
    verdict: Literal["breaks", "at risk"]
    above: float = Field(ge=0, lt=1)
    unless: tuple[str, ...] = ()
    why: str


class Rights(_Row):
    """Rights floors at stake."""

    may_break: tuple[Breach, ...] = ()


class Cited(_Row):
    """A row of evidence as the instrument uses it: for an effect, for its speed, as a check, or as context."""

    id: str
    use: Literal["effect", "speed", "check", "context", "none found"]
    citation: str
    setting: str
    grade: Literal["A", "B", "C", "N"]
    status: Literal["read_primary", "read_secondary", "computed", "recalled", "no_estimate"]


class Instrument(_Row):
    """One instrument of policy.

    Examples
    --------
    >>> barriers = instrument("border_barriers")
    >>> barriers.title, [e.lever for e in barriers.effects][:2]
    ('Physical border control', ['open_passage', 'passage_price'])
    >>> barriers.effect("open_passage").evidence
    ('E013', 'E016')
    """

    id: str
    title: str
    what: str
    intensity_one: str
    seed: Seed
    family: Literal["border", "interior", "networks", "diplomacy", "root causes", "labour", "protection"]
    actor: Literal["destination", "origin", "transit", "both"]
    partner: Literal["optional", "required", "none"]
    conflicts_with: tuple[str, ...] = ()
    effects: tuple[Effect, ...] = Field(min_length=1)
    anticipation: Anticipation | None = None
    substitution: Substitution
    speed: Speed
    cost: Cost | Literal["not known"]
    rights: Rights
    caveats: tuple[str, ...]
    transfer: str
    evidence: tuple[Cited, ...]

    @model_validator(mode="after")
    def _one_effect_a_lever(self) -> Instrument:
        levers = [e.lever for e in self.effects]
        if len(levers) != len(set(levers)):
            raise ValueError("a lever stands twice")
        return self

    def effect(self, lever: str) -> Effect:
        """The effect on one lever.

        Raises
        ------
        ZholError
            If the instrument does not move it.
        """
        for one in self.effects:
            if one.lever == lever:
                return one
        raise ZholError(
            f"{self.id} does not move this lever", found=lever, expected=", ".join(e.lever for e in self.effects)
        )

    def system_effects(
        self, effects: str = "evidence", without: Iterable[str] = (), recalled: bool = False
    ) -> tuple[SystemEffect, ...]:
        """Effects as the engine takes them.

        Parameters
        ----------
        effects : {"evidence", "neutral", "held_out"}
            From the evidence; centred on zero and narrow, so that nothing is predicted by itself; or from the evidence
            without the rows ``without``.
        without : iterable of str
            Rows left out when ``effects`` is ``held_out``.
        recalled : bool
            Whether rows recalled from memory count.

        Raises
        ------
        ZholError
            If ``effects`` is none of the three.
        """
        if effects not in EFFECTS:
            raise ZholError("unknown choice of effects", found=effects, expected=" | ".join(EFFECTS))
        barred = tuple(without) if effects == "held_out" else ()
        neutral = rules()["neutral"]
        flat = ((1.0, float(neutral["mean"]), float(neutral["sd"])),)
        return tuple(
            SystemEffect(e.lever, flat if effects == "neutral" else e.parts(barred, recalled), e.side)
            for e in self.effects
        )

    def system_anticipation(self) -> SystemEffect | None:
        """Effect between announcement and start as the engine takes it."""
        if self.anticipation is None:
            return None
        prior = rules()["anticipation"]
        return SystemEffect(
            self.anticipation.lever, ((1.0, float(prior["mean"]), float(prior["sd"])),), self.anticipation.side
        )


def _folder() -> Any:
    return resources.files("zhol") / "packs" / "shared"


@cache
def rules() -> Mapping[str, Any]:
    """How evidence becomes priors: ``packs/shared/effects.yaml``."""
    return dict(yaml.safe_load((_folder() / "effects.yaml").read_text(encoding="utf-8")))


@cache
def evidence() -> pl.DataFrame:
    """The table of evidence, recalled rows included.

    Examples
    --------
    >>> evidence().filter(pl.col("evidence_id") == "E013")["value"].item()
    -27.0
    """
    numbers = dict.fromkeys(("value", "low", "high"), pl.Float64())
    text = (_folder() / "evidence.csv").read_text(encoding="utf-8")
    return pl.read_csv(text.encode(), infer_schema=False, schema_overrides=numbers)


@cache
def recalled_rows() -> frozenset[str]:
    """Ids of rows recalled from memory, off by default.

    Examples
    --------
    >>> sorted(recalled_rows())
    ['E004', 'E005', 'E024']
    """
    return frozenset(evidence().filter(pl.col("status") == "recalled")["evidence_id"])


@cache
def rows_of_evidence() -> frozenset[str]:
    """Ids of all rows of evidence.

    Examples
    --------
    >>> len(rows_of_evidence()) > 80
    True
    """
    return frozenset(evidence()["evidence_id"])


@cache
def instruments() -> Mapping[str, Instrument]:
    """Every instrument by its id, in alphabetical order.

    Examples
    --------
    >>> "visa_requirement" in instruments()
    True

    Raises
    ------
    ZholError
        If a file does not fit the schema, one line that says where.
    """
    files = sorted((f for f in (_folder() / "instruments").iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    found = [read_instrument(f.read_text(encoding="utf-8"), f.name) for f in files]
    return {one.id: one for one in found}


def read_instrument(text: str, name: str) -> Instrument:
    """One instrument from the text of its file.

    Raises
    ------
    ZholError
        If the text does not fit the schema, or its id is not the name of the file.
    """
    try:
        found = Instrument.model_validate(yaml.safe_load(text))
    except ValidationError as error:
        first = error.errors()[0]
        raise ZholError(first["msg"].lower(), file=name, column=".".join(str(p) for p in first["loc"])) from error
    if f"{found.id}.yaml" != name:
        raise ZholError("the id is not the name of the file", file=name, found=found.id)
    return found


def instrument(name: str) -> Instrument:
    """One instrument.

    Raises
    ------
    ZholError
        If there is none of this name; the nearest one is named.

    Examples
    --------
    >>> instrument("patents").seed.recommendation
    'L'
    """
    known = instruments()
    if name not in known:
        raise ZholError("unknown instrument", found=name, hint=nearest(name, known))
    return known[name]


def nearest(name: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest of the known names.

    Examples
    --------
    >>> nearest("patent", ["patents", "visas"])
    "did you mean 'patents'?"
    """
    close = difflib.get_close_matches(str(name), list(known), n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else "`zhol instruments list` names them all"


def table() -> pl.DataFrame:
    """All instruments, one row each.

    Examples
    --------
    >>> table().columns[:4]
    ['instrument', 'title', 'recommendation', 'family']
    """
    return pl.DataFrame([_line(one) for one in instruments().values()])


def _line(one: Instrument) -> dict[str, Any]:
    grades = sorted({c.grade for c in one.evidence if c.use == "effect"})
    return {
        "instrument": one.id,
        "title": one.title,
        "recommendation": one.seed.recommendation,
        "family": one.family,
        "actor": one.actor,
        "partner": one.partner,
        "levers": ", ".join(e.lever for e in one.effects),
        "evidence": ", ".join(c.id for c in one.evidence if c.use == "effect") or "none",
        "grades": "".join(grades) or "none",
        "breaks": ", ".join(b.floor for b in one.rights.may_break if b.verdict == "breaks"),
    }


def effects_table(one: Instrument, level: float = 0.8) -> pl.DataFrame:
    """Effects of an instrument as factors on its levers, with the interval of the mixture and what it rests on.

    Parameters
    ----------
    one : Instrument
    level : float
        Coverage of the interval.

    Examples
    --------
    >>> effects_table(instrument("border_barriers")).columns
    ['lever', 'meaning', 'median', 'low', 'high', 'rests_on', 'how']
    """
    rows = []
    for e in one.effects:
        low, median, high = (quantile(e.parts(), q) for q in ((1 - level) / 2, 0.5, (1 + level) / 2))
        rows.append(
            {
                "lever": e.lever,
                "meaning": LEVERS[e.lever].meaning,
                "median": round(math.exp(median), 3),
                "low": round(math.exp(low), 3),
                "high": round(math.exp(high), 3),
                "rests_on": "definition" if e.definition else ", ".join(_believed(e)) or "no evidence: wide prior",
                "how": "; ".join(p.why or p.derivation or "" for p in e.distribution if _on(p)),
            }
        )
    return pl.DataFrame(rows)


def quantile(parts: Iterable[tuple[float, float, float]], q: float) -> float:
    """Quantile of a mixture of normal distributions given as (weight, mean, sd), by bisection.

    Examples
    --------
    >>> round(quantile([(1.0, 0.0, 1.0)], 0.9), 4)
    1.2816
    """
    mixture = list(parts)
    low = min(m - 10 * s for _, m, s in mixture)
    high = max(m + 10 * s for _, m, s in mixture)
    for _ in range(80):
        middle = (low + high) / 2
        below = sum(w * _normal_cdf((middle - m) / s) if s else w * float(middle >= m) for w, m, s in mixture)
        low, high = (middle, high) if below < q else (low, middle)
    return (low + high) / 2


def _normal_cdf(x: float) -> float:
    return 0.5 * math.erfc(-x / math.sqrt(2))


def _on(part: Part) -> bool:
    return not recalled_rows() & set(part.evidence)


def _believed(effect: Effect) -> list[str]:
    return sorted({i for p in effect.distribution if _on(p) for i in p.evidence})
