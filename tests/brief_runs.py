"""Runs of the system made by hand, for the sections of a brief that are composed from runs."""

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import polars as pl
from brief_pages import region

from zhol.brief.model_runs import Outlook
from zhol.brief.sections import projection
from zhol.system.names import FLOWS

DRAWS = 40
YEARS = tuple(str(y) for y in range(2000, 2041))


@cache
def model():
    from zhol.system.model import Model

    return Model(region())


def a_run(growth=0.0, spread=0.1, scale=1000.0, seed=1):
    """A run in which every status of every corridor has about ``scale`` people, growing by ``growth`` a year."""
    from zhol.system.run import assemble

    rng, size, k = np.random.default_rng(seed), len(model().corridors), 3
    level = scale * np.exp(spread * rng.standard_normal((DRAWS, 1, 1, 1)) + growth * np.arange(41)[None, :, None, None])
    level = level * np.exp(0.01 * rng.standard_normal((DRAWS, 41, 1, 1)))
    places = np.ones((DRAWS, 41, len(model().places)))
    arrays = {
        "people": np.broadcast_to(level, (DRAWS, 41, size, 10)) * np.arange(1, 11),
        "entries": np.broadcast_to(level, (DRAWS, 41, size, 5)),
        "flows": np.broadcast_to(level, (DRAWS, 41, size, len(FLOWS))),
        "protection_gap": np.broadcast_to(level[..., 0], (DRAWS, 41, size)),
        "volume": np.broadcast_to(level, (DRAWS, 41, size, k)) / 10.0,
        "revenue": np.broadcast_to(level, (DRAWS, 41, size, k)) * 50.0,
        "transit": 100.0 * places,
        "unfilled_demand": places,
        "home": 1e6 * places,
    }
    return assemble(model(), arrays, [f"{y}-12" for y in YEARS], every="year", parameters="made", notes=(), scenario="")


def meeting(run, place="KAZ"):
    """The run with as many residents, refugees and claims at a place, and from it elsewhere, as are published."""
    people = run.arrays["people"].copy()
    for i, table, column, year in (
        (0, "stocks", "persons", 2020),
        (3, "refugees", "refugees", 2025),
        (4, "refugees", "asylum_seekers", 2025),
    ):
        for end, side in ((1, "destination"), (0, "origin")):
            here = np.array([pair[end] == place for pair in run.corridors])
            rows = region().table(table).filter(pl.col(side) == place, pl.col("year") == year)
            total = rows.group_by("source_id").agg(pl.col(column).sum())[column].max()
            now = np.median(people[:, run.time.index(str(year))][:, here, i].sum(axis=1))
            people[:, :, here, i] *= total / now
    return replace(run, arrays={**run.arrays, "people": people})


def a_view(run, prior=None, fitted=True):
    fit = None
    if fitted:
        table = pl.DataFrame({"well_identified": [True, False, False]})
        figures = pl.DataFrame(
            [
                ("un_stock", "un_stock", "UZB"),
                ("refugees", "protection", "AFG"),
                ("kazakh_irregular", "irregular", "WLD"),
            ],
            schema=["series", "kind", "origin"],
            orient="row",
        ).with_columns(destination=pl.lit("KAZ"))
        fit = SimpleNamespace(meta={"figures": 7}, identified=table, figures=figures)
    variants = dict.fromkeys(projection.WORDS, run)
    return Outlook(model(), run, prior, variants, fit, "2024", ("UNDESA2020", "UNDESA2024"))
