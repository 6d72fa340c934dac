"""The models of `zhol.estimate.lists`, one row each, for whoever walks them: help, documentation, tests."""

from __future__ import annotations

from dataclasses import dataclass

FIENBERG = (
    "Fienberg 1972, The multiple recapture census for closed populations and incomplete 2^k contingency tables, "
    "Biometrika 59"
)
CHAN = (
    "Chan, Silverman and Vincent 2021, Multiple systems estimation for sparse capture data, "
    "Journal of the American Statistical Association 116"
)
RINALDO = "Fienberg and Rinaldo 2012, Maximum likelihood estimation in log-linear models, Annals of Statistics 40"
MADIGAN = "Madigan and York 1997, Bayesian methods for estimation of the size of a closed population, Biometrika 84"
MANRIQUE = "Manrique-Vallier 2016, Bayesian population size estimation using Dirichlet process mixtures, Biometrics 72"
RIVEST = (
    "Baillargeon and Rivest 2007, Rcapture: loglinear models for capture-recapture in R, "
    "Journal of Statistical Software 19"
)
CHAO = "Chao 1987, Estimating the population size for capture-recapture data with unequal catchability, Biometrics 43"
DICICCIO = "DiCiccio and Efron 1996, Bootstrap confidence intervals, Statistical Science 11"
CORMACK = "Cormack 1992, Interval estimation for mark-recapture studies of closed populations, Biometrics 48"


@dataclass(frozen=True)
class Model:
    """One model.

    Attributes
    ----------
    name : str
        What ``model=`` takes.
    title : str
        What a reader is shown.
    needs : str
        What the data must have.
    distrust : str
        When not to believe it.
    cites : tuple of str
        Papers.
    fewest_lists : int
        Lists it needs.
    bayesian : bool
        The interval is a posterior one; ``interval=`` has no effect.
    """

    name: str
    title: str
    needs: str
    distrust: str
    cites: tuple[str, ...]
    fewest_lists: int = 2
    bayesian: bool = False


_SPREAD = "cases on three lists; the form of heterogeneity cannot be told from the data"
_SHAPES = "another form of heterogeneity fits as well and gives another number"

MODELS: tuple[Model, ...] = (
    Model("main", "independent lists", "two lists that overlap", "lists refer cases to one another", (FIENBERG,)),
    Model("stepwise", "stepwise", "three lists for any effect to enter", "another model fits as well", (CHAN, RINALDO)),
    Model("all", "all two-list effects", "three lists that overlap two by two", "few overlaps", (CHAN, RINALDO), 3),
    Model("best_bic", "best BIC", "two lists that overlap", "models within a few points differ", (RIVEST, RINALDO)),
    Model("best_aic", "best AIC", "two lists that overlap", "models within a few points differ", (RIVEST, RINALDO)),
    Model(
        "average",
        "decomposable average",
        "two lists that overlap",
        "the posterior has several humps",
        (MADIGAN,),
        bayesian=True,
    ),
    Model("latent_class", "latent classes", "three lists", "chains disagree", (MANRIQUE,), 3, bayesian=True),
    Model("M0", "equal lists", "two lists that overlap", "lists differ in size", (RIVEST,)),
    Model("Mh Chao", "equal lists, lower bound", "three lists", "lists differ in size", (CHAO, RIVEST), 3),
    Model("Mh Poisson", "equal lists, Poisson heterogeneity", _SPREAD, _SHAPES, (RIVEST,), 3),
    Model("Mh Darroch", "equal lists, normal heterogeneity", _SPREAD, _SHAPES, (RIVEST,), 3),
    Model("Mh Gamma", "equal lists, gamma heterogeneity", _SPREAD, _SHAPES, (RIVEST,), 3),
    Model("Mth Chao", "lower bound", "three lists", "lists refer cases to one another", (CHAO, RIVEST), 3),
    Model("Mth Poisson", "Poisson heterogeneity", _SPREAD, _SHAPES, (RIVEST,), 3),
    Model("Mth Darroch", "normal heterogeneity", _SPREAD, _SHAPES, (RIVEST,), 3),
    Model("Mth Gamma", "gamma heterogeneity", _SPREAD, _SHAPES, (RIVEST,), 3),
    Model("formula", "given model", "every effect it names", "it was chosen after looking", (FIENBERG, RINALDO)),
)

INTERVALS: dict[str, str] = {
    "wald": "log-normal, from the curvature of the likelihood",
    "profile": "profile likelihood of the population size",
    "bca": "bias-corrected and accelerated bootstrap, the model chosen again in every replicate",
}


def find(name: str) -> Model | None:
    """Row with that name, whatever the case and whether words are joined by a blank, a hyphen or an underscore.

    Examples
    --------
    >>> find("STEPWISE").title, find("mth_chao").name
    ('stepwise', 'Mth Chao')
    """
    wanted = _plain(name)
    return next((m for m in MODELS if _plain(m.name) == wanted and m.name != "formula"), None)


def _plain(name: str) -> str:
    return " ".join(name.lower().replace("_", " ").replace("-", " ").split())
