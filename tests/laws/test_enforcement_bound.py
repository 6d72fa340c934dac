"""The enforcement bound against brute force on small networks: every allocation, roads by another library."""

import math
from dataclasses import dataclass
from itertools import pairwise, product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhol.policy._bound.network import Problem, evaluate
from zhol.policy._bound.search import Rule, answers

EXACT = Rule(gap=1e-8, seconds=60.0)


@dataclass(frozen=True)
class Small:
    """Legs (from, to, cents, cents a level, most levels) and demands (from, to, persons, spread, room)."""

    legs: tuple
    demands: tuple
    steps: bool

    def problem(self, whole=True) -> Problem:
        pairs = sorted({leg[:2] for leg in self.legs})
        origins = sorted({d[0] for d in self.demands})
        one = np.ones((len(origins), 1), dtype=np.int64)
        places = 1 + max(max(leg[:2]) for leg in self.legs)
        caps = {pair: max(leg[4] for leg in self.legs if leg[:2] == pair) for pair in pairs}
        return Problem(
            places=places,
            tail=np.array([leg[0] for leg in self.legs]),
            head=np.array([leg[1] for leg in self.legs]),
            pair=np.array([pairs.index(leg[:2]) for leg in self.legs]),
            caps=np.array([caps[pair] for pair in pairs]),
            origins=np.array(origins),
            base=one * np.array([leg[2] for leg in self.legs]),
            rise=one * np.array([leg[3] for leg in self.legs]),
            origin=np.array([origins.index(d[0]) for d in self.demands]),
            destination=np.array([d[1] for d in self.demands]),
            persons=np.array([d[2] for d in self.demands], dtype=float),
            spread=np.array([d[3] for d in self.demands], dtype=float),
            room=np.array([d[4] for d in self.demands]) if self.steps else None,
            whole=whole,
        )

    def kept(self, levels: dict) -> float:
        """Persons who stay at home, by Dijkstra of networkx and the formula of the page."""
        today, then = self._graph({}), self._graph(levels)
        total = 0.0
        for start, end, persons, spread, room in self.demands:
            rise = nx.dijkstra_path_length(then, start, end) - nx.dijkstra_path_length(today, start, end)
            total += persons * (float(rise > room) if self.steps else 1 - math.exp(-rise / spread))
        return total

    def _graph(self, levels: dict) -> nx.DiGraph:
        graph = nx.DiGraph()
        for a, b, cents, rise, _ in self.legs:
            cost = cents + rise * levels.get((a, b), 0)
            if not graph.has_edge(a, b) or graph[a][b]["weight"] > cost:
                graph.add_edge(a, b, weight=cost)
        return graph

    def brute(self, budget: int) -> float:
        most: dict = {}
        for a, b, _, _, cap in self.legs:
            most[a, b] = max(most.get((a, b), 0), cap)
        pairs = [pair for pair in sorted(most) if most[pair]]
        uses = product(*[range(most[pair] + 1) for pair in pairs])
        return max(self.kept(dict(zip(pairs, use, strict=True))) for use in uses if sum(use) <= budget)


@st.composite
def networks(draw, steps=None):
    places = draw(st.integers(3, 5))
    pairs = [(a, b) for a in range(places) for b in range(places) if a != b]
    ring = [(a, (a + 1) % places) for a in range(places)]  # so that every demand has a road
    chosen = sorted({*ring, *draw(st.lists(st.sampled_from(pairs), max_size=6))})
    acted = draw(st.lists(st.sampled_from(chosen), unique=True, min_size=1, max_size=4))
    caps = {pair: draw(st.integers(1, 2)) for pair in acted}
    cents = st.integers(0, 30_000)
    legs = [(*pair, draw(cents), draw(st.integers(0, 9_000)), caps.get(pair, 0)) for pair in chosen]
    legs += [(*pair, draw(cents), draw(st.integers(0, 9_000)), caps.get(pair, 0)) for pair in chosen[:1]]  # two modes
    ways = draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=5))
    demands = [
        (*way, draw(st.floats(0.5, 500.0)), draw(st.floats(500.0, 30_000.0)), draw(st.integers(0, 9_000)))
        for way in ways
    ]
    return Small(tuple(legs), tuple(demands), draw(st.booleans()) if steps is None else steps)


def close(a, b):
    return a == pytest.approx(b, rel=1e-6, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(networks(), st.integers(0, 6))
def test_the_bound_is_the_best_of_all_uses(small, budget):
    (found,) = answers(small.problem(), [budget], EXACT)
    best = small.brute(budget)
    assert found.proven and close(found.state.value, best) and close(found.bound, best)
    assert found.state.levels.sum() <= budget


@settings(max_examples=40, deadline=None)
@given(networks())
def test_nothing_spent_changes_nothing_and_more_never_does_less(small):
    problem = small.problem()
    found = answers(problem, list(range(7)), EXACT)
    assert found[0].bound == 0 and found[0].state.roads == problem.today.roads
    for less, more in pairwise(found):
        assert more.bound >= less.bound and more.state.value >= less.state.value
    assert close(found[-1].bound, small.brute(6))


@settings(max_examples=30, deadline=None)
@given(networks(), st.integers(1, 5), st.randoms(use_true_random=False))
def test_order_of_legs_and_demands_does_not_matter(small, budget, chance):
    legs, demands = list(small.legs), list(small.demands)
    chance.shuffle(legs)
    chance.shuffle(demands)
    one = answers(small.problem(), [budget], EXACT)[0]
    other = answers(Small(tuple(legs), tuple(demands), small.steps).problem(), [budget], EXACT)[0]
    assert close(one.bound, other.bound)


@settings(max_examples=30, deadline=None)
@given(networks(), st.integers(1, 5), st.data())
def test_more_actors_never_do_less(small, budget, data):
    kept = data.draw(st.lists(st.sampled_from(range(len(small.legs))), unique=True))
    pairs = {small.legs[i][:2] for i in kept}
    fewer = Small(
        tuple((*leg[:4], leg[4] if leg[:2] in pairs else 0) for leg in small.legs), small.demands, small.steps
    )
    alone = answers(fewer.problem(), [budget], EXACT)[0]
    together = answers(small.problem(), [budget], EXACT)[0]
    assert together.bound >= alone.bound - 1e-6


@settings(max_examples=30, deadline=None)
@given(networks(steps=False), st.integers(1, 4))
def test_any_intensity_does_at_least_what_whole_levels_do(small, budget):
    whole = answers(small.problem(), [budget], EXACT)[0]
    any_level = answers(small.problem(whole=False), [budget], Rule(gap=1e-5, seconds=60.0))[0]
    assert any_level.bound >= whole.state.value - 1e-6
    assert any_level.state.value <= small.problem().full.value + 1e-9


@settings(max_examples=30, deadline=None)
@given(networks(), st.integers(0, 6))
def test_without_time_the_bound_still_holds(small, budget):
    (found,) = answers(small.problem(), [budget], Rule(gap=1e-8, seconds=1e-9))
    assert found.bound >= small.brute(budget) - 1e-6
    assert found.state.value <= small.brute(budget) + 1e-6


@settings(max_examples=40, deadline=None)
@given(networks(), st.data())
def test_who_stays_at_home_under_given_intensities(small, data):
    problem = small.problem()
    pairs = sorted({leg[:2] for leg in small.legs})
    levels = [data.draw(st.integers(0, int(cap))) for cap in problem.caps]
    state = evaluate(problem, np.array(levels, dtype=float), problem.today)
    assert close(state.value, small.kept(dict(zip(pairs, levels, strict=True))))
    for road, demand in zip(state.roads, small.demands, strict=True):
        ends = [demand[0], *(int(problem.head[leg]) for leg in road)]
        assert ends[-1] == demand[1] and [int(problem.tail[leg]) for leg in road] == ends[:-1]


def test_two_roads_by_hand():
    """Another road is dearer by 300 cents: more than three levels on the cheap one keep nobody else at home."""
    small = Small(
        legs=((0, 1, 1000, 100, 9), (0, 2, 1300, 0, 0), (2, 1, 0, 0, 0)),
        demands=((0, 1, 80.0, 1000.0, 0),),
        steps=False,
    )
    found = answers(small.problem(), [2, 3, 9], EXACT)
    assert [a.bound for a in found] == pytest.approx([80 * -math.expm1(-r) for r in (0.2, 0.3, 0.3)], rel=1e-7)
    assert found[0].state.roads == ((0,),)
    assert found[2].state.levels.sum() == 3  # nothing is spent that keeps nobody at home
