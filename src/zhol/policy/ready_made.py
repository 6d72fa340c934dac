"""Ready-made packages of instruments for any actor, and pieces of history written as scenarios."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field

from zhol.core.errors import ZholError
from zhol.policy.instruments import nearest
from zhol.policy.places import Places, places_of
from zhol.policy.scenario import Measure, Scenario, month_text
from zhol.system.instruments import month_number


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PackageMeasure(_Row):
    """A measure of a package: places may be ``$actor``, ``$others``, ``$partners`` or ``$region``."""

    instrument: str
    actor: str
    partner: str | None = None
    intensity: float = Field(1.0, gt=0, le=1)
    months: int | None = Field(None, ge=1)


class Package(_Row):
    """A ready-made package."""

    id: str
    title: str
    description: str
    passages: tuple[str, ...] = ()
    measures: tuple[PackageMeasure, ...] = ()


def _shared() -> Any:
    return resources.files("zhol") / "packs" / "shared"


@cache
def _defaults() -> Mapping[str, Any]:
    return dict(yaml.safe_load((_shared() / "packages.yaml").read_text(encoding="utf-8")))


@cache
def _packages() -> Mapping[str, Package]:
    files = sorted((f for f in (_shared() / "packages").iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    found = [Package.model_validate(yaml.safe_load(f.read_text(encoding="utf-8"))) for f in files]
    return {one.id: one for one in found}


def packages() -> pl.DataFrame:
    """The ready-made packages, one row each.

    Examples
    --------
    >>> packages().filter(pl.col("package") == "r3_networks")["instruments"].item()
    'network_disruption, joint_operations, trafficker_liability'
    """
    return pl.DataFrame(
        [
            {
                "package": p.id,
                "title": p.title,
                "description": p.description,
                "instruments": ", ".join(dict.fromkeys(m.instrument for m in p.measures)) or "none",
            }
            for p in _packages().values()
        ]
    )


def package(
    name: str,
    actor: str | None = None,
    start: str | None = None,
    *,
    intensity: float = 1.0,
    region: str = "central_asia",
) -> Scenario:
    """A ready-made package as a scenario.

    Parameters
    ----------
    name : str
        A name of `packages`.
    actor : str, optional
        The country that acts; Kazakhstan unless another is given.
    start : str, optional
        Month from which everything acts, each instrument at its own speed.
    intensity : float
        Every intensity is multiplied by it.
    region : str
        Pack whose places it names.

    Raises
    ------
    ZholError
        If there is no such package, or the actor is not in the pack.

    Examples
    --------
    >>> package("tool1_anti_corruption", "UZB", "2026-01").measures
    (Measure(instrument='anti_corruption', actor='UZB', start='2026-01', end=None, partner=None, intensity=1.0, \
ramp_months=None, announced=None, path=()),)
    """
    known = _packages()
    if name not in known:
        raise ZholError("unknown package", found=name, expected=", ".join(known), hint=_hint(name, known))
    actor, start = actor or str(_defaults()["actor"]), start or str(_defaults()["start"])
    places = places_of(region)
    places.need(actor, "unknown actor", acts=True)
    chosen = known[name]
    measures = [m for raw in chosen.measures for m in _measures(raw, actor, start, places)]
    made = Scenario(chosen.id, chosen.description, tuple(measures), region)
    return made if intensity == 1.0 else made.scaled(intensity)


def _hint(name: str, known: Iterable[str]) -> str | None:
    close = nearest(name, known)
    return close if close and close.startswith("did") else None


def _measures(raw: PackageMeasure, actor: str, start: str, places: Places) -> list[Measure]:
    """One measure for each actor and partner that the words of a package stand for."""
    end = None if raw.months is None else month_text(month_number(start) + raw.months - 1)
    out = []
    for a in _stand_for(raw.actor, actor, places):
        for b in [None] if raw.partner is None else _stand_for(raw.partner, actor, places):
            if a != b:
                out.append(Measure(raw.instrument, a, start, end, b, raw.intensity))
    return out


def _stand_for(word: str, actor: str, places: Places) -> list[str]:
    inside = set(places.expand(actor))
    others = [p for p in places.focus if p not in inside]
    if word == "$partners":
        groups = [set(places.members.get(g, ())) for g in _defaults()["free_movement_groups"]]
        fellows = {p for g in groups if inside <= g for p in g}
        return [p for p in others if p not in fellows]
    meant = {"$actor": [actor], "$others": others, "$region": list(places.focus)}
    return meant.get(word, [word])


def history(region: str = "central_asia") -> dict[str, Scenario]:
    """Dated events of a pack written as scenarios, by name.

    Each names the rows of ``events`` and ``figures`` to be put beside it, and the rows of evidence that come from the
    event itself: ``scenario.using("held_out")`` leaves those out, ``scenario.using("neutral")`` centres all on zero.

    Examples
    --------
    >>> history()["crackdown_russia_2024"].own_evidence
    ('E069', 'E070', 'E071')
    """
    folder = resources.files("zhol") / "packs" / region / "scenarios"
    if not folder.is_dir():
        raise ZholError("the pack holds no history written as scenarios", found=region)
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    found = [Scenario.from_yaml(f.read_text(encoding="utf-8"), f.name) for f in files]
    return {one.name: replace(one, file="") for one in found}
