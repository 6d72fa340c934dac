"""Terms of the model: those of pairs (identified beside effects of origins and destinations) and those of places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from zhol.core.errors import ZholError

Array = NDArray[np.float64]

# Column of the covariates, term of the formula, words for readers.
PAIR_TERMS = (
    ("distance_km", "log(distance_km)", "distance (elasticity)"),
    ("contiguous", "contiguous", "shared border"),
    ("common_language", "common_language", "common language"),
    ("colonial_tie", "colonial_tie", "colonial tie"),
    ("common_coloniser", "common_coloniser", "common coloniser"),
    ("diaspora", "log1p(diaspora)", "diaspora (elasticity)"),
    ("diaspora_missing", "diaspora_missing", "diaspora not estimated"),
    ("visa_required", "visa_required", "visa required"),
)
PLACE_TERMS = (
    ("income", "log(income)", "income per head (elasticity)"),
    ("population", "log(population)", "population (elasticity)"),
    ("conflict", "log1p(conflict)", "deaths in conflict per million (log)"),
)
EFFECTS = ("origin_period", "destination_period")
WORDS = {term: words for _, term, words in (*PAIR_TERMS, *PLACE_TERMS)}


@dataclass(frozen=True)
class Formula:
    """Right-hand side, fixed effects, and the columns the terms need."""

    terms: str
    effects: tuple[str, ...]

    def text(self) -> str:
        """As a reader writes it."""
        return f"persons ~ {self.terms} | {' + '.join(self.effects)}"


def read_formula(formula: str | None, columns: list[str]) -> Formula:
    """The formula asked for, or every known pair term whose column is there.

    Examples
    --------
    >>> read_formula(None, ["distance_km", "contiguous"]).text()
    'persons ~ log(distance_km) + contiguous | origin_period + destination_period'
    >>> read_formula("contiguous", ["contiguous"]).effects
    ('origin_period', 'destination_period')
    """
    if formula is None:
        terms = [term for column, term, _ in PAIR_TERMS if column in columns]
        if not terms:
            known = ", ".join(c for c, _, _ in PAIR_TERMS)
            raise ZholError("covariates hold no known term", found=", ".join(columns), expected=known)
        return Formula(" + ".join(terms), EFFECTS)
    left, tilde, right = formula.partition("~")
    if tilde and left.strip() not in ("persons", "flow", ""):
        raise ZholError("left side of the formula is not persons", found=left.strip(), expected="persons ~ ...")
    body, _, effects = (right if tilde else left).partition("|")
    named = tuple(e.strip().replace("^", "_") for e in effects.split("+") if e.strip()) or EFFECTS
    known_effects = {*EFFECTS, "pair", "origin", "destination", "period", "origin_destination"}
    wrong = [e for e in named if e not in known_effects]
    if wrong:
        raise ZholError("unknown fixed effect", found=wrong[0], expected=" + ".join(EFFECTS))
    if not body.strip():
        raise ZholError("formula has no terms", found=formula, expected="persons ~ log(distance_km) + ...")
    named = tuple(dict.fromkeys("pair" if e == "origin_destination" else e for e in named))
    return Formula(body.strip(), named)


def needed(terms: str) -> list[str]:
    """Names of the columns that a right-hand side needs.

    Examples
    --------
    >>> needed("log(distance_km) + contiguous")
    ['contiguous', 'distance_km']
    """
    from formulaic import Formula as Parsed
    from formulaic.errors import FormulaicError

    try:
        return sorted(str(v) for v in Parsed(f"0 + {terms}").required_variables if "value" in v.roles)
    except (FormulaicError, SyntaxError, TypeError) as error:
        reason = str(error).strip().splitlines()
        raise ZholError("formula cannot be read", found=terms, hint=reason[0] if reason else "") from error


def design(panel: pl.DataFrame, terms: str) -> tuple[list[str], Array]:
    """Names and values of the columns of the model, without a constant."""
    from formulaic import model_matrix

    columns = needed(terms)
    for column in columns:
        if column not in panel.columns:
            raise ZholError(f"covariates have no column {column!r}", found=", ".join(panel.columns), expected=column)
    values: dict[str, Any] = {}
    for column in columns:
        series = panel[column]
        if series.dtype == pl.Boolean:
            series = series.cast(pl.Float64)
        elif not series.dtype.is_numeric() and series.dtype != pl.String:
            raise ZholError("covariate is not a number", column=column, found=series[0])
        elif series.dtype == pl.String:
            raise ZholError("covariate is text, not a number", column=column, found=series.drop_nulls()[0])
        values[column] = series.to_numpy()
    import pandas as pd

    with np.errstate(divide="ignore", invalid="ignore"):
        matrix = model_matrix(f"1 + {terms}", pd.DataFrame(values), context={"log1p": np.log1p}, na_action="ignore")
    names = [str(c) for c in matrix.columns if c != "Intercept"]
    found = np.ascontiguousarray(matrix[names].to_numpy(dtype=float))
    bad = ~np.isfinite(found)
    if bad.any():
        row, at = np.argwhere(bad)[0]
        pair = panel.row(int(row), named=True)
        raise ZholError(
            f"{names[at]} is not finite",
            found=f"{pair['origin']} to {pair['destination']}",
            hint="log needs numbers above 0",
        )
    return names, found
