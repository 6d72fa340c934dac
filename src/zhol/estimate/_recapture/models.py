"""The models of one list: what each assumes, in frozen rows that documents, tests and the command line walk."""

from __future__ import annotations

from dataclasses import dataclass

from zhol.core.errors import ZholError

HEIJDEN = (
    "van der Heijden, Bustami, Cruyff, Engbersen & van Houwelingen (2003), Statistical Modelling 3(4), 305–322, "
    "doi:10.1191/1471082X03st057oa"
)
CHAO = "Chao (1987), Biometrics 43(4), 783–791, doi:10.2307/2531532"
ZELTERMAN = "Zelterman (1988), Journal of Statistical Planning and Inference 18(2), 225–237"
CHAO_REGRESSION = "Böhning et al. (2013), Biometrics 69(4), 1033–1042, doi:10.1111/biom.12082"
ZELTERMAN_REGRESSION = (
    "Böhning & van der Heijden (2009), Annals of Applied Statistics 3(2), 595–610, doi:10.1214/08-AOAS214"
)
NEGBIN = "Cruyff & van der Heijden (2008), Biometrical Journal 50(6), 1035–1050, doi:10.1002/bimj.200810455"
ZERO_ONE = "Böhning & van der Heijden (2019), Annals of Applied Statistics 13(2), 1198–1211, doi:10.1214/18-AOAS1232"
ONE_INFLATED = "Godwin & Böhning (2017), Journal of the Royal Statistical Society C 66(2), 425–448"
EQUIVALENCE = "Böhning (2022), Biometrical Journal, doi:10.1002/bimj.202100343"
ONE_INFLATED_CHAO = "Böhning, Kaskasamkul & van der Heijden (2019), Metrika 82, 361–384, doi:10.1007/s00184-018-0689-5"
PACKAGE = "Chlebicki & Beręsewicz (2025), singleRcapture, arXiv:2411.11032"


@dataclass(frozen=True)
class Model:
    """One model of repeated captures.

    Parameters
    ----------
    name : str
        Name that users know.
    family : str
        Distribution before truncation: ``poisson``, ``geometric``, ``negbin`` or ``pair`` (two neighbouring counts).
    truncation : int
        Largest count that the likelihood leaves out: 0 (zero-truncated) or 1 (zero-one-truncated).
    inflation : str
        How single captures are treated: ``none``, ``oizt``, ``ztoi``, ``ztHurdle`` or ``Hurdlezt``.
    parameters : tuple of str
        Parameters with a linear predictor, in order.
    first : int
        Smallest count in the likelihood.
    last : int or None
        Largest count in the likelihood; None for no limit.
    cites : tuple of str
        Papers.
    """

    name: str
    family: str
    truncation: int
    inflation: str
    parameters: tuple[str, ...]
    first: int
    last: int | None
    cites: tuple[str, ...]

    @property
    def likelihood_class(self) -> str:
        """Data that the likelihood is about; AIC compares only inside one class."""
        return f"counts {self.first} and {self.last}" if self.last else f"counts of {self.first} and more"

    def without(self, parameter: str) -> Model | None:
        """The model at the edge where ``parameter`` is zero, or None where there is no such model."""
        if parameter == "alpha":
            return MODELS[self.name.lower().replace("negbin", "poisson")]
        if parameter == "omega":
            return MODELS["zt" + self.name[4:].lower()]
        return None


_FAMILIES = {"poisson": "poisson", "geom": "geometric", "negbin": "negbin"}
_KINDS: dict[str, tuple[int, str, tuple[str, ...], tuple[str, ...]]] = {
    "zt": (0, "none", (), (HEIJDEN,)),
    "zot": (1, "none", (), (ZERO_ONE,)),
    "oizt": (0, "oizt", ("omega",), (ONE_INFLATED, EQUIVALENCE)),
    "ztoi": (0, "ztoi", ("omega",), (ONE_INFLATED, EQUIVALENCE)),
    "ztHurdle": (0, "ztHurdle", ("pi",), (PACKAGE,)),
    "Hurdlezt": (0, "Hurdlezt", ("pi",), (PACKAGE,)),
}


def _rows() -> list[Model]:
    rows = []
    for kind, (truncation, inflation, extra, cites) in _KINDS.items():
        for short, family in _FAMILIES.items():
            alpha = ("alpha",) if family == "negbin" else ()
            papers = cites + ((NEGBIN,) if alpha else ())
            first = 2 if truncation else 1
            parameters = ("lambda", *alpha, *extra)
            rows.append(Model(kind + short, family, truncation, inflation, parameters, first, None, papers))
    rows.append(Model("chao", "pair", 0, "none", ("lambda",), 1, 2, (CHAO, CHAO_REGRESSION)))
    rows.append(Model("oichao", "pair", 0, "none", ("lambda",), 2, 3, (ONE_INFLATED_CHAO,)))
    rows.append(Model("zelterman", "pair", 0, "none", ("lambda",), 1, 2, (ZELTERMAN, ZELTERMAN_REGRESSION)))
    return rows


MODELS: dict[str, Model] = {row.name.lower(): row for row in _rows()}


def find_model(name: object) -> Model:
    """The row of a model, by its name in any case.

    Examples
    --------
    >>> find_model("ZTPoisson").parameters
    ('lambda',)
    """
    row = MODELS.get(str(name).strip().lower())
    if row is None:
        known = " ".join(m.name for m in MODELS.values())
        raise ZholError("unknown model", found=name, hint=f"models: {known}")
    return row
