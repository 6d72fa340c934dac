"""What each instrument of a package contributes, and which of them help or hinder each other.

The Shapley value shares the effect of a package out among its instruments: the mean, over all orders in which they
could be brought in, of what each adds. The shares add up to the whole effect, in every draw.

References
----------
Shapley L. S. (1953) A value for n-person games. In: Contributions to the Theory of Games II, Princeton, 307-317.
Castro J., Gómez D., Tejada J. (2009) Polynomial calculation of the Shapley value based on sampling. Computers &
Operations Research 36(5):1726-1730.
Grabisch M., Roubens M. (1999) An axiomatic approach to the concept of interaction among players in cooperative games.
International Journal of Game Theory 28:547-565.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.errors import ZholError
from zhol.policy.measured import reader, remarks, scope_for, units, usable
from zhol.policy.outcomes import Outcome, chosen
from zhol.policy.paired import END, START, Paired, pair

if TYPE_CHECKING:
    from zhol.region.load import Region
    from zhol.system.model import Model

MOST_EXACT = 6  # instruments for which every combination is run


@dataclass(frozen=True)
class Contribution:
    """Shares of the instruments of a package in its effect; frozen.

    Attributes
    ----------
    instruments : tuple of str
    outcomes : tuple of Outcome
    shares : mapping of outcome to (draw, instrument) array
        They add up to ``effect`` in every draw.
    effect : mapping of outcome to (draw,) array
        The whole package beside the base.
    interactions : mapping of outcome to (draw, instrument, instrument) array
        Shapley interaction index where every combination was run, else what two do together beyond what each does
        alone. Negative: they overlap. Empty if not asked for.
    exact : bool
        Whether every combination was run; else orders were drawn at random.
    units, level, warnings, notes
    """

    instruments: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    shares: Mapping[str, np.ndarray]
    effect: Mapping[str, np.ndarray]
    interactions: Mapping[str, np.ndarray]
    exact: bool
    units: Mapping[str, str]
    level: float
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def table(self) -> pl.DataFrame:
        """One row an outcome and instrument: mean contribution, interval over draws, error of the sampled mean.

        Means add up to the mean effect of the package, which stands in the row ``together``; medians would not.
        """
        rows = []
        for one in self.outcomes:
            parts = [(name, self.shares[one.id][:, i]) for i, name in enumerate(self.instruments)]
            for name, values in [*parts, ("together", self.effect[one.id])]:
                rows.append(
                    {
                        "outcome": one.id,
                        "instrument": name,
                        "mean": float(values.mean()),
                        **_ends(values, self.level),
                        "error_of_mean": float(values.std(ddof=1) / np.sqrt(len(values))),
                        "unit": self.units[one.id],
                        "better": one.direction,
                    }
                )
        return pl.DataFrame(rows)

    @property
    def pairs(self) -> pl.DataFrame:
        """Interaction of each pair of instruments: mean and interval over draws."""
        rows = []
        for one in self.outcomes if self.interactions else ():
            for i, j in combinations(range(len(self.instruments)), 2):
                values = self.interactions[one.id][:, i, j]
                names = {"first": self.instruments[i], "second": self.instruments[j]}
                ends = _ends(values, self.level)
                rows.append(
                    {"outcome": one.id, **names, "mean": float(values.mean()), **ends, "unit": self.units[one.id]}
                )
        text, number = pl.String(), pl.Float64()
        schema = {
            "outcome": text,
            "first": text,
            "second": text,
            "mean": number,
            "low": number,
            "high": number,
            "unit": text,
        }
        return pl.DataFrame(rows, schema=schema)


def contribution(
    package: Any,
    model: Region | Model | str = "central_asia",
    *,
    base: Any = None,
    outcomes: Sequence[str] | None = None,
    draws: int = 50,
    seed: int = 1,
    start: str = START,
    end: str = END,
    orders: int = 4,
    interactions: bool = True,
    exact: int | None = None,
    level: float = 0.8,
    parameters: Any = None,
    drivers: Mapping[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Contribution:
    """Share out the effect of a package among its instruments.

    Parameters
    ----------
    package : Scenario, or actions
        The instruments; each is taken with all its measures.
    base : Scenario, optional
        What the package is added to; present policies if not given.
    orders : int
        Above ``exact`` instruments: orders drawn at random for each draw, in pairs of an order and its reverse.
    interactions : bool
        Whether pairs are run too.
    exact : int, optional
        Up to so many instruments every combination is run; six if not given.
    outcomes, draws, seed, start, end, level, parameters, drivers
        As in `compare`.

    Returns
    -------
    Contribution

    Raises
    ------
    ZholError
        A package without instruments that act in the window.

    Examples
    --------
    >>> from zhol.policy import package
    >>> from zhol.policy.contributions import contribution
    >>> networks = package("r3_networks", "KAZ", "2027-01")
    >>> found = contribution(networks, start="2027", end="2028", draws=16, parameters="prior")
    >>> found.exact, bool(abs(found.shares["attempts"].sum(axis=1) - found.effect["attempts"]).max() < 1e-6)
    (True, True)
    """
    wanted = chosen(outcomes)
    paired = pair(
        [base, package if base is None else base.plus(package)],
        model,
        start=start,
        end=end,
        draws=draws,
        seed=seed,
        parameters=parameters,
        drivers=drivers,
    )
    names = tuple(n for n in paired.plans[1].instruments if base is None or n not in base.instruments)
    if not names:
        raise ZholError("no instrument of the package acts in the window", found=paired.plans[1].name)
    before = paired.run(0)
    game = _Game(paired, names, reader(wanted, scope_for(paired, before)), progress)
    whole = len(names) <= (MOST_EXACT if exact is None else exact)
    shares, effect, pairs, notes = _exact(game, interactions) if whole else _sampled(game, orders, interactions)
    return Contribution(
        names,
        tuple(o for o in wanted if o.id in effect),
        shares,
        effect,
        pairs,
        whole,
        units(before, wanted),
        level,
        (*notes, *remarks(paired)),
        paired.notes,
    )


@dataclass(frozen=True)
class _Game:
    """Instruments that may be in or out of the package, and what is read from a run."""

    paired: Paired
    names: tuple[str, ...]
    read: Any
    progress: Callable[[int, int], None] | None

    def values(self, members: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray, tuple[str, ...]]:
        """Outcomes with these members, (run, n) or (run, draw, n); instruments of the base are always in."""
        every = self.paired.plans[1].instruments
        factors = np.ones((*members.shape[:-1], len(every)))
        factors[..., [every.index(n) for n in self.names]] = members
        return usable(self.paired.many(1, factors, self.read, self.progress))


Shared = tuple[dict[str, np.ndarray], dict[str, np.ndarray], dict[str, np.ndarray], tuple[str, ...]]


def _corners(n: int) -> np.ndarray:
    """Every combination of n instruments, (2^n, n): row s holds the bits of s."""
    return (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(float)


def _exact(game: _Game, interactions: bool) -> Shared:
    """Shapley values and interactions from every combination."""
    n = len(game.names)
    values, _, notes = game.values(_corners(n))
    return (
        {name: _shapley(v, n) for name, v in values.items()},
        {name: v[-1] - v[0] for name, v in values.items()},
        {name: _index(v, n) for name, v in values.items()} if interactions else {},
        notes,
    )


def _shapley(values: np.ndarray, n: int) -> np.ndarray:
    """Shapley value (draw, n) from the values of all combinations (2^n, draw)."""
    sets = np.arange(2**n)
    size = _corners(n).sum(axis=1).astype(int)
    out = np.zeros((values.shape[1], n))
    for i in range(n):
        without = sets[(sets >> i & 1) == 0]
        weight = np.array([1.0 / (n * comb(n - 1, size[s])) for s in without])
        out[:, i] = weight @ (values[without | 1 << i] - values[without])
    return out


def _index(values: np.ndarray, n: int) -> np.ndarray:
    """Shapley interaction index (draw, n, n) from the values of all combinations."""
    sets = np.arange(2**n)
    size = _corners(n).sum(axis=1).astype(int)
    out = np.zeros((values.shape[1], n, n))
    for i, j in combinations(range(n), 2):
        a, b = 1 << i, 1 << j
        without = sets[(sets & (a | b)) == 0]
        weight = np.array([1.0 / ((n - 1) * comb(n - 2, size[s])) for s in without])
        both = values[without | a | b] - values[without | a] - values[without | b] + values[without]
        out[:, i, j] = out[:, j, i] = weight @ both
    return out


def _sampled(game: _Game, orders: int, interactions: bool) -> Shared:
    """Shapley values from random orders: each draw has its own, and the sums along an order telescope to the effect."""
    n, draws = len(game.names), game.paired.draws
    ranks = _ranks(draws, n, orders, game.paired.seed)
    steps = [(ranks < k).astype(float) for k in range(n + 1)]  # who has come by step k: (order, draw, n)
    some = [c for size in (1, 2) for c in combinations(range(n), size)] if interactions else []
    members = np.concatenate([steps[0][:1], steps[n][:1], *steps[1:n], *(_only(draws, n, c) for c in some)])
    values, good, notes = game.values(members)
    ranks = ranks[:, good]
    shares, effect, pairs = {}, {}, {}
    for name, v in values.items():
        inner, last = v[2 : 2 + (n - 1) * orders].reshape(n - 1, orders, -1), 2 + (n - 1) * orders
        whole = [np.broadcast_to(v[i], (1, orders, v.shape[1])) for i in (0, 1)]
        gains = np.diff(np.concatenate([whole[0], inner, whole[1]]), axis=0).transpose(1, 2, 0)
        shares[name] = np.take_along_axis(gains, ranks, axis=-1).mean(axis=0)
        effect[name] = v[1] - v[0]
        if interactions:
            pairs[name] = _beyond(v[last:], v[0], n)
    how = f"contributions from {orders} random orders in each draw: their intervals hold that noise too"
    return shares, effect, pairs, (how, *notes)


def _ranks(draws: int, n: int, orders: int, seed: int) -> np.ndarray:
    """Place of each instrument in each order, (orders, draw, n); every second order is the one before, reversed."""
    rng = generator(seed, "orders of instruments")
    out = []
    for _ in range(-(-orders // 2)):
        rank = rng.random((draws, n)).argsort(axis=-1).argsort(axis=-1)
        out += [rank, n - 1 - rank]
    return np.stack(out[:orders])


def _only(draws: int, n: int, which: tuple[int, ...]) -> np.ndarray:
    out = np.zeros((1, draws, n))
    out[..., list(which)] = 1.0
    return out


def _beyond(values: np.ndarray, nothing: np.ndarray, n: int) -> np.ndarray:
    """What two do together beyond what each does alone, (draw, n, n)."""
    out = np.zeros((values.shape[1], n, n))
    for row, (i, j) in enumerate(combinations(range(n), 2), start=n):
        out[:, i, j] = out[:, j, i] = values[row] - values[i] - values[j] + nothing
    return out


def _ends(values: np.ndarray, level: float) -> dict[str, float]:
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return {"low": float(low), "high": float(high)}
