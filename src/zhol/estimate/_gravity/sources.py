"""Where covariates come from: a region pack, or a folder laid out like the shared data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from zhol.core.errors import ZholError
from zhol.core.frames import need_columns
from zhol.estimate._gravity.assemble import VISA, assemble

if TYPE_CHECKING:
    from zhol.region.load import Region

PERIODS = (1990, 1995, 2000, 2005, 2010, 2015)
FILES = {
    "distances": "cepii_geodist/dist_cepii.csv",
    "economy": "world_bank_wdi/wdi_country_year.csv",
    "people": "un_wpp2024/wpp2024_population_vital_1950_2023.csv",
    "deaths": "conflict_ucdp/battle_deaths_country_year.csv",
}
_TIES = {
    "contig": "contiguous",
    "comlang_off": "common_language",
    "colony": "colonial_tie",
    "comcol": "common_coloniser",
}


def covariates(
    region: Region, periods: Sequence[int] = PERIODS, *, length: int = 5, revision: int = 2020
) -> pl.DataFrame:
    """Covariates of every pair of a region pack, ready for ``gravity``.

    Parameters
    ----------
    region : Region
        A loaded pack; ``distances`` is needed, ``economy``, ``population``, ``conflict``, ``stocks`` and ``visas`` are
        used where present.
    periods : sequence of int
        First years of the periods.
    length : int
        Years in a period.
    revision : int
        UN revision whose stocks at the start of each period are the diaspora; never two in one panel.

    Returns
    -------
    polars.DataFrame
        origin, destination, period, distance_km, contiguous, common_language, colonial_tie, common_coloniser,
        income_origin, income_destination, income_gap, population_*, conflict_* (deaths a year per million), diaspora,
        diaspora_missing, visa_required (before the first snapshot, that snapshot).

    Examples
    --------
    >>> import zhol
    >>> table = covariates(zhol.load("central_asia"), [2015])
    >>> table.filter(pl.col("origin") == "UZB", pl.col("destination") == "RUS")["colonial_tie"].to_list()
    [1.0]
    """
    if "distances" not in region.tables:
        raise ZholError("covariates need the table 'distances'", found=", ".join(region.tables), expected="distances")
    pairs = region.table("distances").select(
        "origin",
        "destination",
        "distance_km",
        pl.col("contiguous").cast(pl.Float64),
        pl.col("common_language_official").cast(pl.Float64).alias("common_language"),
        pl.col("colonial_tie").cast(pl.Float64),
        pl.col("common_coloniser").cast(pl.Float64),
    )
    held = {name: region.table(name) for name in region.tables}

    def series(table: str, variable: str | None, value: str) -> pl.DataFrame | None:
        if table not in held:
            return None
        rows = held[table] if variable is None else held[table].filter(pl.col("variable") == variable)
        if "level" in rows.columns:
            rows = rows.filter(pl.col("level").is_null())
        return rows.select("place", "year", pl.col(value).cast(pl.Float64).alias("value"))

    stocks = held["stocks"].filter(pl.col("revision") == revision) if "stocks" in held else None
    if stocks is not None and stocks.is_empty():
        raise ZholError("stocks have no such revision", found=revision)
    visas = None
    if "visas" in held:
        rule = pl.col("requirement").replace_strict(VISA, default=None, return_dtype=pl.Float64)
        visas = held["visas"].select(
            "origin", "destination", pl.col("date").dt.year().alias("year"), visa_required=rule
        )
        visas = visas.drop_nulls("visa_required")
    return assemble(
        pairs,
        periods,
        length=length,
        economy=series("economy", "gdp_pc_ppp", "value"),
        people=series("population", "persons", "value"),
        deaths=series("conflict", None, "best"),
        stocks=stocks,
        visas=visas,
    )


def world_covariates(
    folder: str | Path, periods: Sequence[int] = PERIODS, *, length: int = 5, revision: int = 2020
) -> pl.DataFrame:
    """Covariates of every pair of the world from publishers' files in one folder.

    Parameters
    ----------
    folder : str or Path
        Holds cepii_geodist, world_bank_wdi, un_wpp2024, conflict_ucdp, undesa_ims and passport_index.
    periods, length, revision
        As in ``covariates``.

    Returns
    -------
    polars.DataFrame
        The columns of ``covariates``. Visa rules are those of one recent snapshot for every period.

    Raises
    ------
    ZholError
        If a file is missing or has lost a column.
    """
    base = Path(folder)
    tables = {name: _read(base / file) for name, file in FILES.items()}
    stocks = _read(base / "undesa_ims" / f"ims_bilateral_rev{revision}.csv")
    distances = tables["distances"]
    need_columns(distances, ["iso_o", "iso_d", "dist", *_TIES], name="dist_cepii.csv")
    pairs = distances.select(
        pl.col("iso_o").alias("origin"),
        pl.col("iso_d").alias("destination"),
        pl.col("dist").alias("distance_km"),
        *(pl.col(a).cast(pl.Float64).alias(b) for a, b in _TIES.items()),
    )

    def series(name: str, value: str) -> pl.DataFrame:
        need_columns(tables[name], ["iso3", "year", value], name=name)
        column = pl.col(value).cast(pl.Float64)
        return tables[name].select(pl.col("iso3").alias("place"), "year", column.alias("value")).drop_nulls()

    need_columns(stocks, ["year", "orig", "dest", "total"], name="stocks")
    return assemble(
        pairs,
        periods,
        length=length,
        economy=series("economy", "gdp_pc_ppp_2021"),
        people=series("people", "population"),
        deaths=series("deaths", "best"),
        stocks=stocks.rename({"orig": "origin", "dest": "destination", "total": "persons"}),
        visas=_world_visas(base / "passport_index"),
    )


def _world_visas(folder: Path) -> pl.DataFrame | None:
    """Snapshots of all passports, named by their date (``passport_index_YYYY-MM-DD.csv``)."""
    found = []
    for file in sorted(folder.glob("passport_index_2*-*-*.csv")):
        table = _read(file)
        need_columns(table, ["passport", "destination", "requirement"], name=file.name)
        words = pl.col("requirement").str.replace_all("[ -]", "_")
        days = words.str.contains(r"^\d+$")
        rule = pl.when(days).then(0.0).otherwise(words.replace_strict(VISA, default=None, return_dtype=pl.Float64))
        year = int(file.stem.rsplit("_", 1)[1][:4])
        found.append(
            table.select(
                pl.col("passport").alias("origin"),
                "destination",
                pl.lit(year, dtype=pl.Int64).alias("year"),
                rule.alias("visa_required"),
            )
        )
    return pl.concat(found).drop_nulls("visa_required") if found else None


def _read(path: Path) -> pl.DataFrame:
    """A CSV in which NA is Namibia, not a missing value."""
    if not path.is_file():
        raise ZholError("no such file", file=path, hint="pull the publishers' data first, or check the folder")
    return pl.read_csv(path, infer_schema_length=None)
