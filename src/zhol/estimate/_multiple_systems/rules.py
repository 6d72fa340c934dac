"""A rule turns tables of counts into fitted models: the same model for every table, or one chosen anew for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from zhol.core.errors import ZholError
from zhol.estimate._multiple_systems import registry
from zhol.estimate._multiple_systems.design import Array, Design, Flags, design, main_terms, pairs_design
from zhol.estimate._multiple_systems.existence import Check, Unseen, check, two_list_identified
from zhol.estimate._multiple_systems.heterogeneity import fit_heterogeneity, heterogeneity_design
from zhol.estimate._multiple_systems.model_formula import looks_like_formula, read_formula
from zhol.estimate._multiple_systems.search import Ranking, rank
from zhol.estimate._multiple_systems.stepwise import Selection, fit_given, select
from zhol.estimate._multiple_systems.table import Histories

Chooser = Callable[[Array], Selection]


@dataclass(eq=False)
class Rule:
    """How a model is got from a table.

    Attributes
    ----------
    row : registry.Model
    design : Design
    choose : callable
        Tables (rows, cells) to fitted models.
    selects : bool
        Whether each table gets a model of its own choice.
    """

    row: registry.Model
    design: Design
    choose: Chooser
    selects: bool = False
    memory: dict[bytes, Check] = field(default_factory=dict)

    def check(self, counts: Array, chosen: Selection, i: int) -> Check:
        """Existence and identifiability of one row; the answer depends on the zero pattern and the model only."""
        key = np.packbits(np.concatenate([counts > 0, chosen.finite[i], chosen.keep[i]])).tobytes()
        if key not in self.memory:
            self.memory[key] = check(self.design, counts, chosen.finite[i], chosen.keep[i])
        return self.memory[key]

    def populations(self, counts: Array) -> Array:
        """Population for each table; infinite where the data set no upper bound."""
        chosen = self.choose(counts)
        total = counts.sum(1) + chosen.fits.unseen
        doubtful = np.flatnonzero(~(chosen.fits.positive & identified(self.design, counts, chosen)))
        for i in doubtful:
            found = self.check(counts[i], chosen, int(i))
            if found.unseen is Unseen.ZERO:
                total[i] = counts[i].sum()
            elif found.unseen is not Unseen.FINITE:
                total[i] = np.inf
        return np.asarray(total)


def identified(model: Design, counts: Array, chosen: Selection) -> Flags:
    """Whether each row's coefficients are told apart by its cells; models with larger effects get the rank test."""
    if all(t >= 0 and t.bit_count() <= 2 for t in model.terms):
        return two_list_identified(model, counts, chosen.active)
    patterns = np.concatenate([chosen.finite, chosen.keep], axis=1)
    unique, back = np.unique(patterns, axis=0, return_inverse=True)
    terms = chosen.finite.shape[1]
    full_rank = [np.linalg.matrix_rank(model.matrix[np.ix_(u[terms:], u[:terms])]) == u[:terms].sum() for u in unique]
    return np.array(full_rank)[back.ravel()]


def rule_for(model: str | Sequence[Sequence[str]], histories: Histories, threshold: float) -> Rule | registry.Model:
    """Rule of a named model, a formula or a sequence of pairs; the row itself for the Bayesian ones.

    Raises
    ------
    ZholError
        If there is no such model, or too few lists for it.
    """
    row = registry.find(model) if isinstance(model, str) else None
    if row is None:
        return _given(model, histories)
    if histories.k < row.fewest_lists:
        raise ZholError(
            f"model {row.name} needs more lists", found=histories.k, expected=f"at least {row.fewest_lists}"
        )
    if row.bayesian:
        return row
    k = histories.k
    if row.name[0] == "M":
        name = row.name.lower()
        shape = heterogeneity_design(k, name)
        return Rule(row, shape, lambda counts: fit_heterogeneity(shape, counts, bound=name.endswith("chao")))
    if row.name == "main":
        return _fixed(row, design(k, main_terms(k)))
    if row.name == "all":
        return _fixed(row, pairs_design(k))
    pairs = pairs_design(k)
    if row.name == "stepwise":
        return Rule(row, pairs, lambda counts: select(pairs, counts, threshold), selects=True)
    return Rule(row, pairs, lambda counts: _best(pairs, counts, row.name, threshold), selects=True)


def ranking(pairs: Design, counts: Array, criterion: str, threshold: float, best: int = 10) -> Ranking:
    """Best two-list models of one table by ``best_bic`` or ``best_aic``."""
    penalty = 2.0 if criterion == "best_aic" else float(np.log(counts.sum()))
    start = select(pairs, counts[None], threshold).active[0, pairs.k + 1 :]
    return rank(pairs, counts, penalty, [start], best)


def _best(pairs: Design, counts: Array, criterion: str, threshold: float) -> Selection:
    active = np.ones((counts.shape[0], len(pairs.terms)), dtype=bool)
    best = 10 if len(counts) == 1 else 1  # the runners-up of bootstrap replicates are of no use
    found = tuple(ranking(pairs, table, criterion, threshold, best) for table in counts)
    for i, ranked in enumerate(found):
        active[i, pairs.k + 1 :] = ranked.pairs[0] if len(ranked.pairs) else False
    chosen = fit_given(pairs, counts, active)
    return replace(chosen, found=found)


def _fixed(row: registry.Model, model: Design) -> Rule:
    return Rule(
        row, model, lambda counts: fit_given(model, counts, np.ones((len(counts), len(model.terms)), dtype=bool))
    )


def _given(model: str | Sequence[Sequence[str]], histories: Histories) -> Rule:
    row = next(m for m in registry.MODELS if m.name == "formula")
    text = model if isinstance(model, str) else _pairs_formula(model, histories)
    if not looks_like_formula(text) and text not in histories.names:
        names = ", ".join(m.name for m in registry.MODELS)
        raise ZholError("no such model", found=model, expected=f"{names} (as in ~ A + B + C + A:B)")
    return _fixed(row, design(histories.k, read_formula(text, histories.names)))


def _pairs_formula(pairs: Sequence[Sequence[str]], histories: Histories) -> str:
    try:
        crossed = [":".join(f"`{name}`" for name in pair) for pair in pairs if not isinstance(pair, str)]
    except TypeError:
        crossed = []
    if len(crossed) != len(pairs):
        raise ZholError("model is neither a name, a formula nor pairs of lists", found=pairs)
    return "~ " + " + ".join([f"`{name}`" for name in histories.names] + crossed)
