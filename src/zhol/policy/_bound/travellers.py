"""Who travels without papers, and how many a year: a table that the user gives, or the moving system's own answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from zhol.core.disclosure import refuse_personal
from zhol.core.errors import ZholError
from zhol.core.frames import need_columns, to_polars

if TYPE_CHECKING:
    from zhol.system.model import Model

Array = Any
_WARM_UP = 5  # years that the system runs to settle before the year that is read


@dataclass(frozen=True, eq=False)
class Travellers:
    """Demands of passage.

    Parameters
    ----------
    pairs : list of (origin, destination)
    persons : (draws, D) array
        A year; one row where all draws share them.
    reservation : (D,) array or None
        Most that people of the demand pay, USD; None: people differ, as the system's response to cost says.
    source : str
        Where they come from, in words.
    """

    pairs: list[tuple[str, str]]
    persons: Array
    reservation: Array | None
    source: str


def given(demand: Any, model: Model) -> Travellers:
    """Travellers of a table with columns origin, destination, persons and perhaps reservation, in one fixed order.

    Raises
    ------
    ZholError
        A missing column, an unknown place, a number that cannot be, a column about single persons.
    """
    frame = to_polars(demand, name="demand")
    refuse_personal(frame.columns)
    need_columns(frame, ["origin", "destination", "persons"], name="demand")
    numbers: list[str] = [c for c in ("persons", "reservation") if c in frame.columns]
    for column in numbers:
        _check_numbers(frame, column)
    for i, row in enumerate(frame.select("origin", "destination").iter_rows()):
        for column, place in zip(("origin", "destination"), row, strict=True):
            if place not in model.places:
                raise ZholError("unknown place", row=i + 2, column=column, found=place,
                                expected="a country or block of the pack")  # fmt: skip
        if row[0] == row[1]:
            raise ZholError("nobody travels from a place to itself", row=i + 2, found=row[0])
    keys = ["origin", "destination", *numbers[1:]]
    table = frame.group_by(keys).agg(pl.col("persons").cast(pl.Float64).sort().sum()).sort(keys)
    reserve = table["reservation"].cast(pl.Float64).to_numpy() if "reservation" in numbers else None
    pairs = list(table.select("origin", "destination").iter_rows())
    return Travellers(pairs, table["persons"].to_numpy()[None, :], reserve, "the table given")


def _check_numbers(frame: pl.DataFrame, column: str) -> None:
    if not frame[column].dtype.is_numeric():
        raise ZholError("not numbers", column=column, found=str(frame[column].dtype), expected="0 or more")
    values = frame[column].cast(pl.Float64).fill_null(np.nan).to_numpy()
    bad = ~(np.isfinite(values) & (values >= 0))
    if bad.any():
        row = int(np.argmax(bad))
        raise ZholError("not a number of 0 or more", row=row + 2, column=column, found=frame[column][row])


def of_the_system(model: Model, year: int, draws: int, seed: int, parameters: Any) -> Travellers:
    """Clandestine departures of one year as the moving system has them, with every draw."""
    first = year
    if "stocks" in model.region.tables:
        first = int(model.region.table("stocks")["year"].min())  # type: ignore[arg-type]
    start = max(year - _WARM_UP + 1, min(first, year))
    run = model.simulate(
        start=f"{start}-01", end=f"{year}-12", draws=draws, seed=seed, every="year", parameters=parameters
    )
    array, labels = run.draws("entries", ["corridor"], {"channel": "passage"})
    pairs = [tuple(label.split(">")) for label in labels["corridor"]]
    words = (
        f"entries by clandestine passage in {year}, the moving system with parameters from the {run.meta['parameters']}"
    )
    return Travellers(pairs, np.maximum(array[:, -1, :], 0.0), None, words)  # type: ignore[arg-type]
