"""Scenarios: which instruments, by whom, toward whom, from when to when, how strongly."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from zhol.core.errors import ZholError
from zhol.policy.instruments import instrument, instruments, nearest, rows_of_evidence
from zhol.policy.places import Places, places_of
from zhol.system.instruments import Action, month_number

_KEYS = ("instrument", "actor", "partner", "from", "to", "intensity", "ramp_months", "announced", "path")
_TOP = ("name", "description", "region", "measures", "events", "observed", "own_evidence")
_FOREVER = 10**6


@dataclass(frozen=True)
class Measure:
    """One instrument used by one actor: a line of a scenario.

    Parameters
    ----------
    instrument : str
        Id of an instrument.
    actor : str
        Place or group; a group is each of its members.
    start : str
        Month from which it acts, ``2026-01`` (``from`` in a file).
    end : str, optional
        Last month of full strength (``to`` in a file); None is for good.
    partner : str, optional
        Place or group toward which it acts; None is everybody.
    intensity : float
        0 to 1.
    ramp_months : int, optional
        Months until full strength; None takes the instrument's own speed.
    announced : str, optional
        Month from which people know that it comes.
    path : tuple of (month, intensity)
        A path of its own instead of ``start``, ``end``, ``intensity`` and ramp; linear between points.

    Examples
    --------
    >>> Measure("patents", "KAZ", "2026-01", end="2026-12", intensity=0.5, ramp_months=2).points()
    (('2026-01', 0.0), ('2026-03', 0.5), ('2026-12', 0.5), ('2027-01', 0.0))
    """

    instrument: str
    actor: str
    start: str
    end: str | None = None
    partner: str | None = None
    intensity: float = 1.0
    ramp_months: int | None = None
    announced: str | None = None
    path: tuple[tuple[str, float], ...] = ()

    def points(self) -> tuple[tuple[str, float], ...]:
        """The dated path of intensity that the engine takes."""
        if self.path:
            return self.path
        speed = instrument(self.instrument).speed
        ramp = speed.introduce_months if self.ramp_months is None else self.ramp_months
        first, top = month_number(self.start), self.intensity
        points = [(first, 0.0), (first + ramp, top)] if ramp else [(first, top)]
        if self.end is not None:
            last = month_number(self.end)
            if last < first + ramp:  # it ends before it acts in full
                points, top = points[:1], top * (last - first) / ramp
            points += [(last, top), (last + max(1, speed.remove_months), 0.0)]
        return tuple((month_text(n), x) for n, x in points)

    def span(self) -> tuple[int, int]:
        """First and last month, as numbers, in which it may act."""
        points = self.points()
        last = month_number(points[-1][0]) if points[-1][1] == 0 else _FOREVER
        return month_number(points[0][0]), last if self.end is None else month_number(self.end)

    def moved(self, months: int) -> Measure:
        """The same some months later (or earlier, if negative)."""

        def later(month: str | None) -> str | None:
            return None if month is None else month_text(month_number(month) + months)

        return replace(
            self,
            start=str(later(self.start)),
            end=later(self.end),
            announced=later(self.announced),
            path=tuple((str(later(m)), x) for m, x in self.path),
        )

    def to_dict(self) -> dict[str, Any]:
        """As it stands in a file; what is not said is left out."""
        out: dict[str, Any] = {"instrument": self.instrument, "actor": self.actor, "partner": self.partner}
        if self.path:
            out["path"] = [[m, x] for m, x in self.path]
        else:
            out |= {"from": self.start, "to": self.end, "intensity": self.intensity, "ramp_months": self.ramp_months}
        out["announced"] = self.announced
        return {key: value for key, value in out.items() if value is not None}


@dataclass(frozen=True)
class Scenario:
    """A set of dated measures.

    Parameters
    ----------
    name, description : str
    measures : sequence of Measure or mappings with the keys of a file
    region : str
        Name or folder of the pack whose places it names.
    events, observed : sequence of str
        Rows of the tables ``events`` and ``figures`` to be put beside it, where it is a piece of history.
    own_evidence : sequence of str
        Rows of evidence that come from that piece of history itself.
    file : str
        Where it was read, for errors.

    Raises
    ------
    ZholError
        One line a mistake: unknown key, instrument, actor or row, intensity outside 0 to 1, a date before the data, an
        end before its start, a missing partner, measures that contradict each other.

    Examples
    --------
    >>> visas = Scenario("visas", measures=[
    ...     {"instrument": "visa_requirement", "actor": "KAZ", "partner": "UZB", "from": "2027-01", "intensity": 0.8}])
    >>> visas.instruments, visas.shifted(12).measures[0].start
    (('visa_requirement',), '2028-01')
    >>> [(a.actor, a.partner, a.path[-1]) for a in visas.actions()]
    [('KAZ', 'UZB', ('2028-01', 0.8))]
    """

    name: str
    description: str = ""
    measures: tuple[Measure, ...] = ()
    region: str = "central_asia"
    events: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    own_evidence: tuple[str, ...] = ()
    file: str = ""

    def __post_init__(self) -> None:
        where = self.file or None
        found = tuple(
            m if isinstance(m, Measure) else measure_from(m, number, where)
            for number, m in enumerate(self.measures, start=1)
        )
        object.__setattr__(self, "measures", found)
        for name in ("events", "observed", "own_evidence"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check(self)

    @classmethod
    def load(cls, path: str | Path) -> Scenario:
        """A scenario from a YAML file.

        Parameters
        ----------
        path : path
            A YAML file.

        Raises
        ------
        ZholError
            If there is no such file, it is no YAML, or holds a mistake.
        """
        file = Path(path)
        if not file.is_file():
            raise ZholError("no such scenario", found=str(path), hint="give the path of a YAML file")
        return cls.from_yaml(file.read_text(encoding="utf-8"), file.name)

    @classmethod
    def from_yaml(cls, text: str, file: str = "") -> Scenario:
        """A scenario from the text of a file.

        Examples
        --------
        >>> Scenario.from_yaml("{name: nothing, measures: []}").measures
        ()
        """
        try:
            raw = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise ZholError("not a YAML file", file=file or None, hint=str(error)) from error
        if not isinstance(raw, dict):
            raise ZholError("not a scenario", file=file or None, expected="name and measures")
        _known(raw, _TOP, "", file or None)
        if "name" not in raw:
            raise ZholError("the scenario has no name", file=file or None, expected="name: ...")
        for key in ("measures", "events", "observed", "own_evidence"):
            if not isinstance(raw.get(key, []), list):
                raise ZholError(f"{key} is not a list", file=file or None, found=raw[key])
        return cls(**{"description": "", **raw, "file": file})

    def to_yaml(self, path: str | Path | None = None) -> str:
        """The text of its file; written too, if a path is given.

        Examples
        --------
        >>> one = Scenario("s", measures=[{"instrument": "patents", "actor": "KAZ", "from": "2026-01"}])
        >>> Scenario.from_yaml(one.to_yaml()) == one
        True
        """
        out = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in ("file", "measures")}
        out = {key: list(v) if isinstance(v, tuple) else v for key, v in out.items() if v or key == "name"}
        text = yaml.safe_dump(
            {**out, "measures": [m.to_dict() for m in self.measures]},
            sort_keys=False, allow_unicode=True, width=110, default_flow_style=None,
        )  # fmt: skip
        if path is not None:
            Path(path).write_text(text, encoding="utf-8")
        return text

    @property
    def instruments(self) -> tuple[str, ...]:
        """Ids of its instruments, each once."""
        return tuple(dict.fromkeys(m.instrument for m in self.measures))

    def actions(self, model: Any = None, *, effects: str = "evidence", recalled: bool = False) -> list[Action]:
        """What the engine does: one action for each measure, actor and partner.

        Parameters
        ----------
        model : Model, optional
            Places that it does not have are left out of groups.
        effects : {"evidence", "neutral", "held_out"}
            Effects from the evidence; centred on zero, so that nothing is predicted by itself; or from the evidence
            without ``own_evidence``.
        recalled : bool
            Whether rows recalled from memory count.
        """
        places = places_of(model.region if hasattr(model, "region") else self.region)
        known = None if model is None else set(model.places)
        out = []
        for m in self.measures:
            one = instrument(m.instrument)
            what = one.system_effects(effects, self.own_evidence, recalled)
            waiting = one.system_anticipation() if m.announced else None
            for actor in places.expand(m.actor, known):
                for partner in places.partners(m.partner, known):
                    if actor != partner:
                        out.append(Action(m.instrument, actor, partner, m.points(), what, m.announced, waiting))
        return out

    def using(self, effects: str, recalled: bool = False) -> _Chosen:
        """The scenario with another choice of effects, for ``model.simulate(scenario=...)``.

        Examples
        --------
        >>> one = Scenario("s", measures=[{"instrument": "patents", "actor": "KAZ", "from": "2026-01"}])
        >>> one.using("neutral").actions()[0].effects[0].components
        ((1.0, 0.0, 0.3),)
        """
        return _Chosen(self, effects, recalled)

    def shifted(self, months: int) -> Scenario:
        """The same measures some months later."""
        return self._with(m.moved(months) for m in self.measures)

    def scaled(self, factor: float) -> Scenario:
        """The same measures at another strength: every intensity times ``factor``."""
        return self._with(
            replace(m, intensity=m.intensity * factor, path=tuple((t, x * factor) for t, x in m.path))
            for m in self.measures
        )

    def without(self, *names: str) -> Scenario:
        """The scenario without some instruments."""
        self._used(names)
        return self._with(m for m in self.measures if m.instrument not in names)

    def only(self, *names: str) -> Scenario:
        """The scenario with some of its instruments alone."""
        self._used(names)
        return self._with(m for m in self.measures if m.instrument in names)

    def with_intensities(self, intensities: Sequence[float]) -> Scenario:
        """The same measures, each at its own new intensity from 0 to 1."""
        if len(intensities) != len(self.measures):
            raise ZholError("one intensity for each measure", found=len(intensities), expected=str(len(self.measures)))
        return self._with(
            replace(m, intensity=float(x), path=()) for m, x in zip(self.measures, intensities, strict=True)
        )

    def plus(self, other: Scenario) -> Scenario:
        """Both together."""
        return replace(self, name=f"{self.name} + {other.name}", measures=(*self.measures, *other.measures))

    def _used(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.instruments:
                raise ZholError(f"scenario {self.name} does not use this instrument", found=name,
                                expected=", ".join(self.instruments) or "none")  # fmt: skip

    def _with(self, measures: Iterable[Measure]) -> Scenario:
        return replace(self, measures=tuple(measures))


@dataclass(frozen=True)
class _Chosen:
    """A scenario with a choice of effects."""

    scenario: Scenario
    effects: str
    recalled: bool = False

    @property
    def name(self) -> str:
        return self.scenario.name

    def actions(self, model: Any = None) -> list[Action]:
        return self.scenario.actions(model, effects=self.effects, recalled=self.recalled)


def measure_from(raw: Any, number: int, file: str | None = None) -> Measure:
    """One measure from a mapping with the keys of a file.

    Raises
    ------
    ZholError
        If a key is unknown or missing, or a value is not what it should be.
    """
    at = f"measure {number}: "
    if not isinstance(raw, Mapping):
        raise ZholError(f"{at}not a measure", file=file, found=raw, expected="instrument, actor, from, ...")
    _known(raw, _KEYS, at, file)
    path = _path(raw["path"], at, file) if raw.get("path") else ()
    if path and {"from", "to", "intensity", "ramp_months"} & set(raw):
        raise ZholError(f"{at}a path stands instead of from, to, intensity and ramp_months", file=file)
    for key in ("instrument", "actor", *(() if path else ("from",))):
        if raw.get(key) in (None, ""):
            raise ZholError(f"{at}{key} is missing", file=file)
    return Measure(
        instrument=str(raw["instrument"]),
        actor=str(raw["actor"]),
        start=path[0][0] if path else _month(raw["from"], at, file),
        end=None if raw.get("to") is None else _month(raw["to"], at, file, last=True),
        partner=None if raw.get("partner") is None else str(raw["partner"]),
        intensity=_number(raw.get("intensity", 1.0), at, "intensity", file),
        ramp_months=None if raw.get("ramp_months") is None else _whole(raw["ramp_months"], at, "ramp_months", file),
        announced=None if raw.get("announced") is None else _month(raw["announced"], at, file),
        path=path,
    )  # fmt: skip


def check(scenario: Scenario) -> None:
    """Raise one clear line if a scenario holds a mistake."""
    places, file = places_of(scenario.region), scenario.file or None
    for what, known in (("events", places.events), ("observed", places.figures), ("own_evidence", rows_of_evidence())):
        for row in getattr(scenario, what):
            if row not in known:
                raise ZholError(f"{what}: no such row", file=file, found=row)
    for number, m in enumerate(scenario.measures, start=1):
        at = f"measure {number}: "
        if m.instrument not in instruments():
            hint = nearest(m.instrument, instruments())
            raise ZholError(f"{at}unknown instrument", file=file, found=m.instrument, hint=hint)
        places.need(m.actor, f"{at}unknown actor", file, acts=True)
        if m.partner is not None:
            places.need(m.partner, f"{at}unknown partner", file)
        _check_partner(m, at, file, places)
        _check_strength(m, at, file)
        _check_dates(m, at, file, places)
    _check_pairs(scenario, places, file)


def _check_partner(m: Measure, at: str, file: str | None, places: Places) -> None:
    rule = instrument(m.instrument).partner
    if rule == "required" and m.partner is None:
        raise ZholError(f"{at}{m.instrument} needs a partner", file=file, expected="partner: a place or group")
    if rule == "none" and m.partner is not None:
        raise ZholError(f"{at}{m.instrument} acts toward nobody in particular", file=file, found=m.partner,
                        hint="leave partner out")  # fmt: skip
    if m.partner == m.actor and len(places.expand(m.actor)) < 2:
        raise ZholError(f"{at}actor and partner are the same", file=file, found=m.actor)


def _check_strength(m: Measure, at: str, file: str | None) -> None:
    for x in (m.intensity, *(x for _, x in m.path)):
        if not 0.0 <= x <= 1.0:
            raise ZholError(f"{at}intensity outside 0 to 1", file=file, found=x, expected="0 to 1")
    if m.ramp_months is not None and m.ramp_months < 0:
        raise ZholError(f"{at}ramp_months is negative", file=file, found=m.ramp_months, expected="0 or more")


def _check_dates(m: Measure, at: str, file: str | None, places: Places) -> None:
    months = [m.start, *([m.end] if m.end else []), *(t for t, _ in m.path)]
    numbers = [month_number(t) for t in months]
    if m.end is not None and numbers[1] < numbers[0]:
        raise ZholError(f"{at}the end lies before the start", file=file, found=f"{m.start} to {m.end}")
    if m.path and any(b < a for a, b in pairwise(numbers)):
        raise ZholError(f"{at}the path runs back in time", file=file, found=", ".join(t for t, _ in m.path))
    if min(numbers) < month_number(places.first_month):
        raise ZholError(f"{at}a date before the data", file=file, found=months[numbers.index(min(numbers))],
                        expected=f"{places.first_month} or later")  # fmt: skip
    if m.announced is not None and month_number(m.announced) > numbers[0]:
        raise ZholError(f"{at}announced after it starts", file=file, found=m.announced, expected=f"{m.start} or before")


def _check_pairs(scenario: Scenario, places: Places, file: str | None) -> None:
    """No two measures may contradict each other, and no instrument may be used twice on the same people at once."""
    for j, b in enumerate(scenario.measures):
        for i, a in enumerate(scenario.measures[:j]):
            same = a.instrument == b.instrument
            clash = b.instrument in instrument(a.instrument).conflicts_with
            clash = clash or a.instrument in instrument(b.instrument).conflicts_with
            if not (same or clash) or not _meet(a, b, places):
                continue
            said = "the same instrument twice" if same else f"{a.instrument} and {b.instrument} contradict each other"
            toward = f" toward {b.partner or a.partner}" if b.partner or a.partner else ""
            raise ZholError(f"measures {i + 1} and {j + 1}: {said}, by {b.actor}{toward} at the same time", file=file,
                            hint="change actor, partner or dates, or leave one out")  # fmt: skip


def _meet(a: Measure, b: Measure, places: Places) -> bool:
    """Whether two measures act on the same people at the same time."""
    first, last = max(a.span()[0], b.span()[0]), min(a.span()[1], b.span()[1])
    partners = a.partner is None or b.partner is None
    partners = partners or bool(set(places.partners(a.partner)) & set(places.partners(b.partner)))
    return first <= last and partners and bool(set(places.expand(a.actor)) & set(places.expand(b.actor)))


def month_text(number: int) -> str:
    """A month from its number since the year 0.

    Examples
    --------
    >>> month_text(2026 * 12)
    '2026-01'
    """
    return f"{number // 12:04d}-{number % 12 + 1:02d}"


def _month(value: Any, at: str, file: str | None, last: bool = False) -> str:
    """A month as written: ``2026-01``, a whole year, or a date."""
    if isinstance(value, dt.date):
        return f"{value.year:04d}-{value.month:02d}"
    text = str(value)
    if len(text) == 4 and text.isdigit():
        return f"{text}-{'12' if last else '01'}"
    try:
        month_number(text)
    except ZholError as error:
        raise ZholError(f"{at}not a month", file=file, found=text, expected="YYYY-MM, such as 2026-01") from error
    return text


def _path(value: Any, at: str, file: str | None) -> tuple[tuple[str, float], ...]:
    if not isinstance(value, list) or not all(isinstance(p, list | tuple) and len(p) == 2 for p in value):
        raise ZholError(f"{at}not a path", file=file, found=value, expected="[[2026-01, 0.0], [2027-01, 0.8]]")
    return tuple((_month(month, at, file), _number(x, at, "path", file)) for month, x in value)


def _number(value: Any, at: str, key: str, file: str | None) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise ZholError(f"{at}{key} is not a number", file=file, found=value)
    return float(value)


def _whole(value: Any, at: str, key: str, file: str | None) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ZholError(f"{at}{key} is not a whole number", file=file, found=value)
    return value


def _known(raw: Mapping[Any, Any], keys: Sequence[str], at: str, file: str | None) -> None:
    for key in raw:
        if key not in keys:
            close = nearest(str(key), keys)
            hint = close if close and close.startswith("did") else None
            raise ZholError(f"{at}unknown key", file=file, found=str(key), expected=", ".join(keys), hint=hint)
