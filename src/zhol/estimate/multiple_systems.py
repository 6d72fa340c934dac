"""How many are on no list: multiple systems estimation from the overlaps of several lists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.estimate._multiple_systems import answer, registry
from zhol.estimate._multiple_systems import opinions as second_opinions
from zhol.estimate._multiple_systems.answer import Settings
from zhol.estimate._multiple_systems.opinions import Opinion
from zhol.estimate._multiple_systems.result import ListsEstimate
from zhol.estimate._multiple_systems.rules import Rule, rule_for
from zhol.estimate._multiple_systems.stepwise import THRESHOLD
from zhol.estimate._multiple_systems.table import Histories, read_histories

MODELS = registry.MODELS
INTERVALS = registry.INTERVALS
THOROUGH = 3  # a latent-class model that was asked for runs this many times longer than a second opinion


def lists(
    table: Any,
    lists: Sequence[str] | None = None,
    count: str | None = None,
    model: str | Sequence[Sequence[str]] = "stepwise",
    interval: str = "bca",
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
    *,
    threshold: float = THRESHOLD,
    opinions: bool = True,
) -> ListsEstimate:
    """Estimate a population from several incomplete lists of it.

    Parameters
    ----------
    table : pandas, polars or Arrow table, mapping of columns, list of records, or a path
        One row a capture history, list columns 0 or 1 and a count; or one row a case without ``count``. Histories
        given twice are added, those not given have no cases.
    lists : sequence of str, optional
        Columns that are lists; by default all but ``count``. Up to 12.
    count : str, optional
        Column of counts. Without it every row is one case.
    model : str or sequence of pairs
        A name of ``MODELS``: ``main``, ``stepwise``, ``all`` (two-list effects), ``best_bic``, ``best_aic``,
        ``average`` (Bayesian, over decomposable graphs), ``latent_class``, ``M0``, ``Mh …``, ``Mth …``
        (heterogeneity); a formula such as ``"A*B + C"``; or pairs of lists, ``[("A", "B")]``.
    interval : {"bca", "profile", "wald"}
        Bootstrap with the model chosen again in each replicate; profile likelihood; log-normal from the curvature.
        The Bayesian models give their posterior interval.
    replicates : int
        Bootstrap replicates.
    seed : int
        Of the bootstrap and the chains.
    level : float
        Coverage that the interval claims.
    threshold : float
        p-value up to which an effect enters the stepwise model.
    opinions : bool
        Whether ``table`` holds the answers of other models besides the chosen one.

    Returns
    -------
    ListsEstimate
        ``population``, ``low``, ``high`` in persons; ``se`` includes the Poisson spread of the number on no list;
        ``table`` has one row a model; ``details`` holds coefficients (minus infinity for empty overlaps), deviance,
        AIC, BIC, fitted counts and what the interval is made of.

    Raises
    ------
    ZholError
        For tables that cannot be counted, models that do not exist or are not identified, and counts that set no
        upper bound.

    Notes
    -----
    Log-linear Poisson models of the 2^k − 1 observable histories; exp(intercept) is the number on no list. Stepwise
    choice, empty overlaps and BCa intervals as in Chan, Silverman and Vincent (2021, Journal of the American
    Statistical Association 116); existence by Fienberg and Rinaldo (2012, Annals of Statistics 40); profile
    likelihood by Cormack (1992, Biometrics 48); averages by Madigan and York (1997, Biometrika 84); latent classes
    by Manrique-Vallier (2016, Biometrics 72).

    Examples
    --------
    Two lists are Lincoln and Petersen: 60 · 50 / 20.

    >>> import zhol
    >>> table = {"police": [1, 1, 0], "clinic": [1, 0, 1], "n": [20, 40, 30]}
    >>> est = zhol.estimate.lists(table, count="n", interval="profile")
    >>> round(est.population, 6), round(est.low), round(est.high)
    (150.0, 117, 205)
    >>> est.table["model"].to_list()[:2]
    ['stepwise', 'best BIC']
    """
    settings = _settings(interval, replicates, seed, level, threshold)
    histories = read_histories(table, lists, count)
    rule = rule_for(model, histories, threshold)
    _refuse_no_overlap(histories)
    first = _opinion(rule, histories, settings, thorough=True)
    return ListsEstimate.build(
        Looker(histories, settings, threshold, first, opinions),
        population=first.population,
        low=first.low,
        high=first.high,
        se=first.se,
        title=f"Several lists, {first.row.title}",
        level=level,
        details={
            "observed": histories.observed,
            "unseen": first.population - histories.observed,
            **first.details,
            "interval": first.interval,
            "formula": first.formula,
            "lists": histories.names,
        },
        cites=first.row.cites + _interval_cites(first.interval),
    )


@dataclass(frozen=True, eq=False)
class Looker:
    """Second opinions on one table, called when the result is first looked at."""

    histories: Histories
    settings: Settings
    threshold: float
    first: Opinion
    wanted: bool

    def __call__(self) -> tuple[pl.DataFrame, tuple[str, ...]]:
        """Table and warnings."""
        rows: list[tuple[Opinion | ZholError, str, bool]] = [(self.first, self.first.row.title, True)]
        warnings = list(self.first.warnings)
        for name in second_opinions.SECOND if self.wanted else ():
            if name == self.first.row.name:
                continue
            second = self._second(name)
            rows.append((second, _title(name), False))
            if isinstance(second, Opinion):  # remarks on the data are the first opinion's business
                title = second.row.title
                warnings += [w for w in second.warnings if w.startswith(title)]
        table = second_opinions.opinion_table(rows)
        return table, (*second_opinions.disagreement(table), *warnings)

    def _second(self, name: str) -> Opinion | ZholError:
        settings = Settings("wald", seed=self.settings.seed, level=self.settings.level)
        try:
            return _opinion(rule_for(name, self.histories, self.threshold), self.histories, settings, thorough=False)
        except ZholError as error:
            return error


def _title(name: str) -> str:
    row = registry.find(name)
    assert row is not None
    return row.title


def _opinion(rule: Rule | registry.Model, histories: Histories, settings: Settings, *, thorough: bool) -> Opinion:
    if isinstance(rule, Rule):
        return answer.log_linear_opinion(rule, histories, settings)
    if rule.name == "average":
        return second_opinions.average_opinion(histories, settings.level, settings.seed)
    return second_opinions.latent_opinion(histories, settings.level, settings.seed, THOROUGH if thorough else 1)


def _settings(interval: str, replicates: int, seed: int, level: float, threshold: float) -> Settings:
    kind = str(interval).lower()
    if kind not in registry.INTERVALS:
        raise ZholError("no such interval", found=interval, expected=", ".join(registry.INTERVALS))
    if not isinstance(level, int | float) or not 0.0 < level < 1.0:
        raise ZholError("level is no share", found=level, expected="between 0 and 1, as 0.95")
    if not isinstance(replicates, int) or replicates < 20:
        raise ZholError("too few bootstrap replicates", found=replicates, expected="a whole number, 20 or more")
    if not isinstance(seed, int) or seed < 0:
        raise ZholError("seed is no whole number", found=seed, expected="0 or more")
    if not isinstance(threshold, int | float) or not 0.0 <= threshold <= 1.0:
        raise ZholError("threshold is no p-value", found=threshold, expected="between 0 and 1, as 0.02")
    return Settings(kind, replicates, seed, level)


def _refuse_no_overlap(histories: Histories) -> None:
    k = histories.k
    if any(histories.overlap(i, j) for i in range(k) for j in range(i)):
        return
    raise answer.no_overlap(histories)


def _interval_cites(interval: str) -> tuple[str, ...]:
    return {"bca": (registry.DICICCIO,), "profile": (registry.CORMACK,)}.get(interval, ())
