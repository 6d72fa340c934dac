"""What may be done, how strongly and from when: a design is a strength and a delay for each option."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import numpy as np

from zhol.core.errors import ZholError
from zhol.policy.instruments import instruments, nearest
from zhol.policy.ready_made import package, packages
from zhol.policy.scenario import Measure, Scenario
from zhol.system.instruments import month_number

STEP = 0.05  # of strengths: a finer number would be false precision
_NEAR = 1e-9
START = "2027-01"


@dataclass(frozen=True)
class Option:
    """Something that may be done at any strength from none to what its scenario gives it.

    Attributes
    ----------
    name : str
    scenario : Scenario
        At full strength, from its earliest start.
    """

    name: str
    scenario: Scenario

    @property
    def start(self) -> str:
        """First month of its earliest measure."""
        return min((m.points()[0][0] for m in self.scenario.measures), key=month_number)

    def at(self, strength: float, delay: int) -> Scenario:
        """The option at a strength, some years later than its earliest start."""
        return self.scenario.scaled(round(strength, 4)).shifted(12 * delay)


def options_of(given: Any, actor: str | None, start: str | None, region: str) -> tuple[Option, ...]:
    """Options from a scenario (one an instrument), names of packages or instruments, measures, or several of these.

    Raises
    ------
    ZholError
        If there is nothing to choose, something is unknown, or two options have one name.
    """
    several = [given] if isinstance(given, str | Scenario | Measure) else list(given)
    found = [option for one in several for option in _from(one, actor, start, region)]
    names = [o.name for o in found]
    for name in names:
        if names.count(name) > 1:
            raise ZholError("two options of one name", found=name, hint="give one scenario with both measures")
    if not found:
        raise ZholError("there is nothing to choose from", expected="instruments, packages or a scenario")
    return tuple(sorted(found, key=lambda o: o.name))


def _from(one: Any, actor: str | None, start: str | None, region: str) -> Iterable[Option]:
    if isinstance(one, Measure):
        return [Option(one.instrument, Scenario(one.instrument, measures=(one,), region=region))]
    if isinstance(one, str):
        if one in packages()["package"].to_list():
            one = package(one, actor, start, region=region)
        elif one in instruments():
            measure = Measure(one, actor or "KAZ", start or START)
            return [Option(one, Scenario(one, measures=(measure,), region=region))]
        else:
            hint = nearest(one, [*instruments(), *packages()["package"]])
            raise ZholError("neither an instrument nor a package", found=one, hint=hint)
    if not isinstance(one, Scenario):
        raise ZholError("not an option", found=type(one).__name__, expected="a scenario, a measure, or a name")
    return [Option(name, one.only(name)) for name in one.instruments]


def contradictions(options: Sequence[Option], delays: Sequence[int]) -> list[tuple[int, int]]:
    """Pairs of options that cannot go together from some of their starts; such a pair never stands together."""
    begun = [[o.at(1.0, d) for d in delays] for o in options]
    pairs = combinations(range(len(options)), 2)
    return [(i, j) for i, j in pairs if any(_clash(a, b) for a in begun[i] for b in begun[j])]


def _clash(a: Scenario, b: Scenario) -> bool:
    try:
        a.plus(b)
    except ZholError:
        return True
    return False


@dataclass(frozen=True)
class Space:
    """All designs that may be tried.

    Attributes
    ----------
    options : tuple of Option
    delays : tuple of int
        Years after the earliest start.
    use : (options, delays) array
        What each option takes of the budget at full strength.
    budget : float
        Infinity where there is none.
    apart : list of (int, int)
        Options that contradict each other.
    step : float
        Of strengths.
    """

    options: tuple[Option, ...]
    delays: tuple[int, ...]
    use: np.ndarray
    budget: float
    apart: tuple[tuple[int, int], ...]
    step: float = STEP

    @property
    def count(self) -> int:
        """How many designs there are on the grid of strengths, budget and contradictions aside."""
        return (1 + round(1.0 / self.step) * len(self.delays)) ** len(self.options)

    def every(self) -> tuple[np.ndarray, np.ndarray]:
        """Every design within the budget and without contradictions; few options only, see ``count``."""
        levels = [(k * self.step, d) for k in range(1, round(1.0 / self.step) + 1) for d in range(len(self.delays))]
        found = list(product([(0.0, 0), *levels], repeat=len(self.options)))
        strength = np.array([[x for x, _ in row] for row in found]).round(4)
        late = np.array([[d for _, d in row] for row in found], dtype=int)
        fair = self.spent(strength, late) <= self.budget + _NEAR
        for i, j in self.apart:
            fair &= (strength[:, i] == 0) | (strength[:, j] == 0)
        return strength[fair], late[fair]

    @property
    def size(self) -> int:
        """Numbers between 0 and 1 that say a design: strengths, and delays where there is a choice."""
        return len(self.options) * (2 if len(self.delays) > 1 else 1)

    def decode(self, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Strengths (n, options) on a grid, within the budget and without contradictions, and delays (n, options)."""
        count = len(self.options)
        strength = np.clip(np.asarray(unit, dtype=float)[:, :count], 0.0, 1.0)
        late = np.zeros(strength.shape, dtype=int)
        if len(self.delays) > 1:
            late = np.minimum((np.clip(unit[:, count:], 0, 1) * len(self.delays)).astype(int), len(self.delays) - 1)
        for i, j in self.apart:
            weaker = np.where(strength[:, i] < strength[:, j], i, j)
            strength[np.arange(len(strength)), weaker] = 0.0
        strength = np.round(strength / self.step) * self.step
        spent = self.spent(strength, late)
        over = spent > self.budget + _NEAR
        if over.any():
            smaller = strength[over] * (self.budget / spent[over])[:, None]
            strength[over] = np.floor(smaller / self.step + _NEAR) * self.step
        return np.round(strength, 4), np.where(strength > 0, late, 0)

    def encode(self, strength: np.ndarray, late: np.ndarray) -> np.ndarray:
        """The numbers that `decode` turns into these strengths and delays."""
        if len(self.delays) == 1:
            return np.asarray(strength, dtype=float)
        return np.concatenate([strength, (late + 0.5) / len(self.delays)], axis=1)

    def spent(self, strength: np.ndarray, late: np.ndarray) -> np.ndarray:
        """What designs take of the budget, (n,)."""
        use = np.take_along_axis(self.use[None], late[..., None], axis=2)[..., 0]
        return np.asarray((strength * use).sum(axis=1))

    def scenario(self, strength: Sequence[float], late: Sequence[int], name: str) -> Scenario:
        """A design as a scenario, to be compared, written or changed."""
        parts = [
            option.at(float(x), self.delays[d])
            for option, x, d in zip(self.options, strength, late, strict=True)
            if x > 0
        ]
        region = self.options[0].scenario.region
        return Scenario(name, measures=tuple(m for part in parts for m in part.measures), region=region)


def space_of(
    options: Sequence[Option],
    delays: Sequence[int],
    months: Sequence[str],
    budget: float | None,
    costs: Mapping[str, float] | None,
    step: float = STEP,
) -> Space:
    """The designs within a budget.

    Without costs the budget is one of strength: 1 is one instrument at full intensity over the whole time from the
    earliest start to the end, the mean over those who act. With costs it is in their unit.

    Raises
    ------
    ZholError
        A negative budget, a delay that is not a whole number of years or passes the end, costs for some options only,
        a step that does not divide 1.
    """
    if not delays or any(d < 0 or int(d) != d for d in delays) or len(set(delays)) != len(delays):
        raise ZholError("delays are whole years, each once", found=str(tuple(delays)), expected="such as (0, 3, 6)")
    if budget is not None and not budget > 0:
        raise ZholError("a budget is above zero", found=budget)
    if not 0.0 < step <= 1.0 or abs(1.0 / step - round(1.0 / step)) > _NEAR:
        raise ZholError("a step of strengths divides 1", found=step, expected="such as 0.05 or 0.25")
    if costs is not None:
        missing = [o.name for o in options if o.name not in costs]
        unknown = sorted(set(costs) - {o.name for o in options})
        if unknown:
            raise ZholError("a cost of no option", found=unknown[0], expected=", ".join(o.name for o in options))
        if missing:
            raise ZholError("costs are given for all options or for none", found=f"none for {', '.join(missing)}")
        below = [f"{n}: {c}" for n, c in costs.items() if not 0.0 <= c < np.inf]
        if below:
            raise ZholError("a cost is a number of at least zero", found=below[0])
    first = min(month_number(o.start) for o in options)
    acting = [m for m in months if month_number(m) >= first]
    if not acting:
        raise ZholError("nothing acts before the end", found=months[-1])
    use = np.array([[_use(o, d, acting) for d in delays] for o in options])
    late = [(o.name, d) for o, row in zip(options, use, strict=True) for d, x in zip(delays, row, strict=True)
            if x == 0.0 < row.max()]  # fmt: skip
    if late:
        name, years = late[0]
        raise ZholError(f"{name} would begin after the end", found=f"{years} years late, end {months[-1]}",
                        hint="give a later end or shorter delays")  # fmt: skip
    if costs is not None:
        full = np.array([[_use(o, 0, acting)] for o in options])
        use = use / np.where(full > 0, full, 1.0) * np.array([[float(costs[o.name])] for o in options])
    limit = np.inf if budget is None else float(budget)
    return Space(
        tuple(options), tuple(int(d) for d in delays), use, limit, tuple(contradictions(options, delays)), step
    )


def _use(option: Option, delay: int, months: Sequence[str]) -> float:
    """Mean intensity of an option at full strength over those who act and the months of the window."""
    paths = [a.intensity(months) for a in option.at(1.0, delay).actions()]
    return float(np.mean(paths)) if paths else 0.0
