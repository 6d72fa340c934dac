"""The coarse setting: what many runs leave out, so that they end in minutes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.errors import ZholError
from zhol.policy.paired import model_of
from zhol.system.instruments import Action, month_number, month_range

if TYPE_CHECKING:
    from zhol.system.model import Model

SHARE = 0.998  # of the people in the pack's stocks whose corridors stay
YEARS = 10  # after the year of the first action
FIRST = "2025-01"  # start where nobody acts
_LEAST = 1000.0  # persons; no corridor smaller than in the fine setting


def coarse_model(given: Any) -> tuple[Model, str]:
    """A model without the smallest corridors, and what was left out in words; a model given as such stays as it is.

    Returns
    -------
    Model, str
        The words are empty if nothing was left out.
    """
    if hasattr(given, "corridors") and hasattr(given, "simulate"):
        return given, ""
    full = model_of(given)
    minimum, share = _minimum(full)
    if minimum <= full.minimum:
        return full, ""
    from zhol.system.model import Model

    model = Model(full.region, minimum=minimum)
    return model, (
        f"coarse setting: {len(model.corridors)} of {len(full.corridors)} corridors, those that ever held "
        f"{minimum:,.0f} people or have a cited labour figure; they hold {share:.1%} of all"
    )


def _minimum(model: Model) -> tuple[float, float]:
    if "stocks" not in model.region.tables:
        return 0.0, 1.0
    stocks = model.region.table("stocks").filter(pl.col("origin").is_in(model.places))
    most = stocks.group_by("origin", "destination").agg(pl.col("persons").max().alias("most"))
    sizes = np.sort(most["most"].drop_nulls().to_numpy().astype(float))[::-1]
    if not sizes.size:
        return 0.0, 1.0
    held = np.cumsum(sizes) / sizes.sum()
    last = int(np.searchsorted(held, SHARE))
    minimum = float(np.floor(sizes[min(last, len(sizes) - 1)] / _LEAST) * _LEAST)
    return max(minimum, _LEAST), float(held[sizes >= max(minimum, _LEAST)][-1]) if (sizes >= minimum).any() else 1.0


def window(actions: Iterable[Action], start: str | None, end: str | None) -> list[str]:
    """Months of whole years: from the year before the first action to ten years after it, unless given.

    Raises
    ------
    ZholError
        If the window is not made of whole years.
    """
    begun = [month_number(a.announced or a.path[0][0]) // 12 for a in actions if a.path]
    first = f"{min(begun) - 1}-01" if begun else FIRST
    first = first if start is None else _month(start, "01")
    years = [month_number(a.path[0][0]) // 12 for a in actions if a.path]
    year = min(years) + YEARS if years else int(first[:4]) + YEARS - 1
    last = f"{year}-12" if end is None else _month(end, "12")
    months = month_range(first, last)
    if not (first.endswith("-01") and last.endswith("-12")):
        raise ZholError("the window is made of whole years", found=f"{first} to {last}",
                        expected="January of a year to December of a year")  # fmt: skip
    return months


def _month(given: str, month: str) -> str:
    return f"{given}-{month}" if len(str(given)) == 4 else str(given)
