"""Second opinions: averages over decomposable graphs and latent classes, against slow, exact or simulated answers."""

from __future__ import annotations

import itertools
from math import log
from pathlib import Path

import numpy as np
import pytest
from scipy.special import gammaln

import zhol
from zhol.estimate._multiple_systems import decomposable, latent_class
from zhol.estimate._multiple_systems.registry import MODELS, find


def has_long_hole(edges: np.ndarray, k: int) -> bool:
    """A cycle of four or more without a chord, by trying all."""
    joined = {frozenset(p) for p, on in zip(itertools.combinations(range(k), 2), edges, strict=True) if on}
    for size in range(4, k + 1):
        for ring in itertools.permutations(range(k), size):
            if ring[0] != min(ring):
                continue
            near = {frozenset((ring[i], ring[(i + 1) % size])) for i in range(size)}
            every = {frozenset(p) for p in itertools.combinations(ring, 2)}
            if near <= joined and not (every - near) & joined:
                return True
    return False


def test_numbers_of_decomposable_graphs() -> None:
    """Known counts of labelled chordal graphs (sequence A058862 of the encyclopedia of integer sequences)."""
    assert [len(decomposable.decomposable_graphs(k)[0]) for k in range(2, 7)] == [2, 8, 61, 822, 18154]


def test_decomposable_means_no_hole() -> None:
    for k in (4, 5):
        edges = (np.arange(2 ** (k * (k - 1) // 2))[:, None] >> np.arange(k * (k - 1) // 2) & 1).astype(bool)
        if k == 5:
            edges = edges[::7]
        chordal, _ = decomposable.factorise(edges, k)
        assert [not has_long_hole(e, k) for e in edges] == chordal.tolist()


def dirichlet_multinomial(cells: list[float], prior: float) -> float:
    a, n = prior * len(cells), sum(cells)
    return float(gammaln(a) - gammaln(a + n) + sum(gammaln(c + prior) - gammaln(prior) for c in cells))


def log_evidence(counts: dict[tuple[int, ...], float], unseen: int, graph: str, delta: float) -> float:
    """Three lists, with cliques and separators written out (Madigan and York 1997)."""
    cliques, separators = {
        "": ([(0,), (1,), (2,)], [(), ()]),
        "01": ([(0, 1), (2,)], [()]),
        "02": ([(0, 2), (1,)], [()]),
        "12": ([(1, 2), (0,)], [()]),
        "01 02": ([(0, 1), (0, 2)], [(0,)]),
        "01 12": ([(0, 1), (1, 2)], [(1,)]),
        "02 12": ([(0, 2), (1, 2)], [(2,)]),
        "01 02 12": ([(0, 1, 2)], []),
    }[graph]
    full = {**counts, (0, 0, 0): float(unseen)}
    total = sum(full.values())

    def margin(members: tuple[int, ...]) -> float:
        cells = [
            sum(n for h, n in full.items() if tuple(h[m] for m in members) == values)
            for values in itertools.product((0, 1), repeat=len(members))
        ]
        return dirichlet_multinomial(cells, delta * 2 ** (3 - len(members)))

    value = sum(map(margin, cliques)) - sum(map(margin, separators))
    return value + float(gammaln(total + 1) - gammaln(unseen + 1)) - log(total)


def test_average_against_every_integer_and_every_graph() -> None:
    """The spina bifida data of Madigan and York (1997), unseen numbers up to 1,500 one by one.

    The tail beyond holds less than 1e-5, all of it under the complete graph.
    """
    histories = [(1, 0, 0), (0, 1, 0), (1, 1, 0), (0, 0, 1), (1, 0, 1), (0, 1, 1), (1, 1, 1)]
    table = np.array([60.0, 49, 4, 247, 112, 142, 12])
    counts = dict(zip(histories, table, strict=True))
    graphs = ["", "01", "02", "12", "01 02", "01 12", "02 12", "01 02 12"]
    joint = np.array([[log_evidence(counts, u, g, 1.0) for u in range(0, 1500)] for g in graphs])
    weight = np.exp(joint - joint.max())
    weight /= weight.sum()
    result = decomposable.average(table, 3, np.random.default_rng(0), prior_cases=1.0)
    assert result.graph_weight[:4] == pytest.approx(np.sort(weight.sum(1))[::-1][:4], abs=2e-5)
    slow = np.cumsum(weight.sum(0))
    for share in (0.025, 0.5, 0.975):
        assert decomposable.quantile(result, share) == pytest.approx(np.searchsorted(slow, share), abs=1.0)


def test_walks_over_graphs_agree_with_the_full_count(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(12)
    table = rng.poisson(6, 15).astype(float)
    full = decomposable.average(table, 4, rng)
    monkeypatch.setattr(decomposable, "MOST_EXACT", 3)
    walked = decomposable.average(table, 4, rng)
    assert full.exhaustive and not walked.exhaustive
    for share in (0.1, 0.5, 0.9):
        assert decomposable.quantile(walked, share) == pytest.approx(decomposable.quantile(full, share), rel=0.03)


def test_trial_numbers_stand_for_every_integer_once() -> None:
    points, width = decomposable.trial_numbers(250.0)
    assert width.sum() == pytest.approx(points[-1] + 1)
    assert (np.diff(points) > 0).all()


def joint_draws(rng: np.random.Generator, chains: int, k: int) -> latent_class.State:
    """Exact draws from the prior."""
    alpha = np.exp(latent_class._log_gamma(np.full(chains, latent_class.SHAPE), rng)) / latent_class.RATE
    sticks = np.ones((chains, latent_class.CLASSES - 1))
    share = latent_class._break(sticks, np.repeat(alpha[:, None], sticks.shape[1], axis=1), rng)
    capture = np.clip(rng.random((chains, k, latent_class.CLASSES)), 1e-9, 1 - 1e-9)
    return latent_class.State(capture, share, alpha)


def summaries(state: latent_class.State) -> np.ndarray:
    """Quantities whose distribution under the prior must not move (chains, quantities)."""
    share = np.exp(state.log_share)
    none = (np.exp(np.log1p(-state.capture).sum(1)) * share).sum(1)
    parts = [
        share[:, 0],
        share[:, 3],
        (share**2).sum(1),
        none,
        np.log1p(state.alpha),
        (share * state.capture[:, 0]).sum(1),
    ]
    return np.column_stack([*parts, parts[2] * none])


@pytest.mark.parametrize("part", ["moves", "gibbs"])
def test_sampler_leaves_the_joint_distribution_alone(part: str) -> None:
    """Data drawn given parameters, parameters updated given data, again and again: the prior stays (Geweke 2004)."""
    rng = np.random.default_rng(17)
    lists = (np.arange(1, 8)[:, None] >> np.arange(3) & 1).astype(float)
    sampler = latent_class.Sampler(lists, rng)
    state = joint_draws(rng, 3000, 3)
    before = summaries(joint_draws(rng, 30_000, 3))
    for _ in range(60):
        history = np.exp(sampler.logs(state)[0]).sum(2)
        cases = rng.multinomial(12, history / history.sum(1, keepdims=True))
        if part == "gibbs":
            state, _, _ = sampler.gibbs(state, cases)
        else:
            state = sampler.swap(sampler.ridge(state, cases))
            state = sampler.stretch(state, cases, several=True)
            state = sampler.stretch(state, cases, several=False)
    after = summaries(state)
    spread = np.sqrt(before.var(0) / len(before) + after.var(0) / len(after))
    assert np.abs(after.mean(0) - before.mean(0)) / spread == pytest.approx(np.zeros(before.shape[1]), abs=4.0)


def test_latent_classes_recover_two_kinds_of_cases() -> None:
    rng = np.random.default_rng(3)
    kind = rng.random(6000) < 0.3
    on = (rng.random((6000, 4)) < np.where(kind[:, None], 0.5, 0.12)).astype(int)
    on = on[on.any(1)]
    counts = np.bincount(on @ [1, 2, 4, 8], minlength=16)[1:].astype(float)
    found = latent_class.sample(counts, 4, rng, chains=16, warm_up=300, sweeps=300)
    low, high = np.quantile(counts.sum() + found.unseen, [0.025, 0.975])
    assert low < 6000 < high


def test_split_r_tells_chains_that_disagree() -> None:
    draws = np.random.default_rng(0).normal(size=(400, 8))
    assert latent_class.split_r(draws) < 1.02
    assert latent_class.split_r(draws + 3.0 * np.arange(8)) > 2.0


def test_every_model_of_the_registry_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latent_class, "SWEEPS", 100)
    table = {"A": [1, 1, 0, 1, 0, 1, 0], "B": [1, 0, 1, 1, 0, 0, 1], "C": [0, 1, 1, 1, 1, 0, 0]}
    table["n"] = [34, 41, 37, 22, 110, 150, 130]
    assert len({m.name for m in MODELS}) == len({m.title for m in MODELS}) == len(MODELS)
    for model in MODELS:
        name = "A*B + C" if model.name == "formula" else model.name
        est = zhol.estimate.lists(table, count="n", model=name, interval="wald", opinions=False)
        assert 524 <= est.low < est.population < est.high < 1e5, model.name
        assert est.table.height == 1 and est.table["model"][0] == model.title
        assert est.cites and model.needs and model.distrust
    assert find("mth-chao") is find("MTH CHAO") is not None


def test_opinions_that_cannot_be_had_say_why() -> None:
    est = zhol.estimate.lists({"A": [1, 1, 0], "B": [1, 0, 1], "n": [20, 40, 30]}, count="n", interval="wald")
    row = est.table.filter(model="latent classes").row(0, named=True)
    assert row["population"] is None
    assert row["note"] == "model latent_class needs more lists; found 2, expected at least 3"


def test_the_page_on_several_lists_names_every_model() -> None:
    page = (Path(__file__).parents[2] / "docs" / "explanation" / "several-lists.md").read_text(encoding="utf-8")
    for model in MODELS:
        assert model.name == "formula" or f"`{model.name}`" in page, model.name
