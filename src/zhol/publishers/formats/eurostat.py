"""Eurostat, annual tables on asylum and enforcement: SDMX 2.1 through sdmx1.

The order of the dimensions, which the address of a query needs, is read from Eurostat's own data structure with
sdmx1, and with it the labels of the codes. Seen in files that were downloaded from Eurostat: SDMX-CSV begins with
``DATAFLOW,LAST UPDATE``, then one column a dimension in lower case
(``freq,reason,apprehen,citizen,sex,age,unit,geo`` for migr_eipre), ``TIME_PERIOD,OBS_VALUE,OBS_FLAG`` and sometimes
``CONF_STATUS``; cells hold codes, labels, or "code:label". Country codes are ISO alpha-2 except EL (Greece), UK and
XK (Kosovo). Eurostat answers a large query later, with a short XML instead of the table, and a too large one with
413.

What could not be seen: the code of "Third country" in ``c_dest`` of migr_eirtn. Both the code THRD and the label
are taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from zhol.core.errors import ZholError
from zhol.publishers.catalogue import Dataset
from zhol.publishers.download import check_kind
from zhol.publishers.formats import Get, Reading
from zhol.publishers.formats.codes import by_alpha2, code_of_name, names
from zhol.publishers.formats.tables import counts, no_bad_numbers, no_negatives, number, one_row_a_key, some_rows

TIME, VALUE = "TIME_PERIOD", "OBS_VALUE"
ALONGSIDE = {
    "DATAFLOW",
    "STRUCTURE",
    "STRUCTURE_ID",
    "STRUCTURE_NAME",
    "ACTION",
    "LAST UPDATE",
    "OBS_FLAG",
    "CONF_STATUS",
}
FREE = {"citizen", "geo", TIME}
# Citizens that are no country, by label: kept without a code where the layout has names, else under the code said here.
NO_COUNTRY = {
    "STLS": ("Stateless", "STL"),
    "UNK": ("Unknown", "OOO"),
    "RNC": ("Recognised non-citizens", None),
    "UK_OCT": ("British overseas countries and territories", None),
}
NAMES = {code: label for code, (label, _) in NO_COUNTRY.items()} | {"XK": "Kosovo*"}
EU = ("EU27_2020", "European Union - 27 countries (from 2020)")

Labels = dict[str, dict[str, str]]


def fetch(dataset: Dataset, get: Get) -> list[Path]:
    """Download the structure, build the key of the query from it, download the table."""
    flow = dataset.options["flow"]
    structure = get(
        f"{dataset.endpoint}/datastructure/ESTAT/{flow}/latest?references=descendants", "structure.xml", "xml"
    )
    labels = _labels(structure)
    key = ".".join(_wanted_code(name, codes, dataset, structure) for name, codes in labels.items())
    return [structure, get(f"{dataset.endpoint}/data/{flow}/{key}?format=SDMX-CSV", "table.csv", "csv")]


def read(paths: Sequence[Path], dataset: Dataset) -> Reading:
    """Read SDMX-CSV or SDMX-ML in the layout of the dataset (with names, with codes, or totals by country).

    Raises
    ------
    ZholError
        Not SDMX, a dimension missing or new, no row of the wanted kind, an unknown country, text for a number, two
        figures for one key.
    """
    structures = [path for path in paths if _is_structure(path)]
    tables = [path for path in paths if path not in structures]
    if len(tables) != 1:
        raise ZholError(f"{dataset.id} is one table", found=f"{len(tables)} files", expected="one file, .csv or .xml")
    labels = _labels(structures[0]) if structures else {}
    path = tables[0]
    frame = _select(_open(path, structures), labels, dataset, path)
    frame = frame.with_columns(number(VALUE).alias("n")).with_columns(counts("n"))
    no_negatives(frame, ["n"], file=path)
    table = LAYOUTS[dataset.options["layout"]](frame, labels, path)
    some_rows(table, file=path, what="figures of countries")
    key = [name for name in table.columns if name != "n"]
    return Reading(one_row_a_key(table, key, file=path).sort(key))


def _is_structure(path: Path) -> bool:
    if path.suffix.lower() != ".xml":
        return False
    with path.open("rb") as file:
        return b"Structures" in file.read(20_000)


def _labels(path: Path) -> Labels:
    """Codes and English labels of each dimension but time, in the order of the key."""
    import sdmx

    check_kind(path, "xml")
    try:
        message: Any = sdmx.read_sdmx(path)
        structure = next(iter(message.structure.values()))
        dimensions = [d for d in structure.dimensions.components if d.id != TIME]
        return {d.id: _codelist(d) for d in dimensions}
    except Exception as error:
        raise ZholError("not the data structure of an SDMX table", file=path, found=_reason(error)) from error


def _codelist(dimension: Any) -> dict[str, str]:
    enumerated = getattr(dimension.local_representation, "enumerated", None)
    if enumerated is None:
        return {}
    return {code.id: str(code.name.localizations.get("en") or code.name) for code in enumerated}


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def _wanted_code(name: str, codes: dict[str, str], dataset: Dataset, path: Path) -> str:
    """Code to ask for in a dimension; empty asks for all."""
    wanted = dataset.options["select"].get(name)
    if wanted is None:
        if name in FREE:
            return ""
        raise ZholError(
            f"{dataset.id} has a new dimension {name!r}", file=path, hint="the catalogue must say which of its codes"
        )
    low = {w.casefold() for w in wanted}
    found = [code for code, label in codes.items() if code.casefold() in low] or [
        code for code, label in codes.items() if label.casefold() in low
    ]
    return found[0] if found else wanted[0]


def _open(path: Path, structures: list[Path]) -> pl.DataFrame:
    """All cells as text, one column a dimension."""
    kind = check_kind(path, "csv", "xml")
    frame = _read_xml(path, structures) if kind == "xml" else _read_csv(path)
    for column in ("geo", TIME, VALUE):
        if column not in frame.columns:
            raise ZholError(f"column {column!r} is missing", file=path, found=", ".join(frame.columns))
    bad = frame.with_row_index("row", 2).filter(~pl.col(TIME).fill_null("").str.contains(r"^\d{4}$"))
    if bad.height:
        found = bad[TIME][0] or "nothing"
        raise ZholError(
            "not a year", file=path, row=int(bad["row"][0]), column=TIME, found=found, expected="annual figures"
        )
    no_bad_numbers(frame, VALUE, file=path, first_row=2)
    return frame


def _read_csv(path: Path) -> pl.DataFrame:
    try:
        return pl.read_csv(path, infer_schema=False, encoding="utf8")
    except Exception as error:
        raise ZholError("the CSV is damaged or cut short", file=path, found=_reason(error)) from error


def _read_xml(path: Path, structures: list[Path]) -> pl.DataFrame:
    import sdmx

    try:
        dsd = next(iter(sdmx.read_sdmx(structures[0]).structure.values())) if structures else None  # type: ignore[attr-defined]
        message: Any = sdmx.read_sdmx(path, structure=dsd) if dsd is not None else sdmx.read_sdmx(path)
        series: Any = sdmx.to_pandas(message.data[0])
        series = series.rename(VALUE).reset_index()
        frame = pl.from_pandas(series.astype(object).where(series.notna(), None).astype("string"))
    except Exception as error:
        raise ZholError(
            "no table in the SDMX-ML",
            file=path,
            found=_reason(error),
            hint="Eurostat answers a large query later: ask again in some minutes",
        ) from error
    return frame.rename({name: name.lower() for name in frame.columns if name not in (TIME, VALUE)})


def _select(frame: pl.DataFrame, labels: Labels, dataset: Dataset, path: Path) -> pl.DataFrame:
    """Rows of the wanted kind; a dimension that nobody thought of must not make double counts."""
    select = dataset.options["select"]
    dimensions = [c for c in frame.columns if c not in ALONGSIDE | {TIME, VALUE} and not c.startswith("_duplicated")]
    for name in dimensions:
        code = pl.col(name).str.split_exact(":", 1).struct.field("field_0").str.strip_chars()
        label = pl.col(name).str.split_exact(":", 1).struct.field("field_1").str.strip_chars()
        frame = frame.with_columns(code.alias(name), label.alias(f"{name} label"))
        if name in FREE and name not in select:
            continue
        if name not in select:
            several = frame[name].drop_nulls().unique().sort().to_list()
            if len(several) > 1:
                raise ZholError(
                    f"a new dimension {name!r}", file=path, found=", ".join(several), expected="one code of it"
                )
            continue
        wanted = _accepted(name, select[name], labels)
        kept = frame.filter(pl.col(name).str.to_lowercase().is_in(wanted))
        if kept.height == 0:
            found = ", ".join(frame[name].drop_nulls().unique().sort().to_list()[:8])
            raise ZholError(
                f"no row with the wanted {name}", file=path, found=found, expected=" or ".join(select[name])
            )
        frame = kept
    return frame.with_columns(pl.col(TIME).cast(pl.Int64).alias("year"))


def _accepted(name: str, wanted: list[str], labels: Labels) -> list[str]:
    low = {w.casefold() for w in wanted}
    return sorted(low | {c.casefold() for c, label in labels.get(name, {}).items() if label.casefold() in low})


def _country(value: str | None) -> str | None:
    """Alpha-3 code of a Eurostat code or label; None for an aggregate, "" for a country that is not known."""
    if value is None:
        return None
    if len(value) == 2 and value.isupper():
        return by_alpha2().get(value, "")
    return code_of_name(value)


def _with_codes(frame: pl.DataFrame, column: str, path: Path, special: dict[str, str]) -> pl.DataFrame:
    """Adds ``<column>_iso3`` and drops aggregates (continents, EU, TOTAL)."""
    values = frame[column].unique().to_list()
    codes = {value: special.get(value, _country(value)) for value in values if value is not None}
    unknown = sorted(v for v, c in codes.items() if c == "" and v not in special)
    if unknown:
        raise ZholError("unknown country code", file=path, column=column, found=unknown[0])
    known = {value: code for value, code in codes.items() if code is not None}
    mapped = pl.col(column).replace_strict(known, default=None, return_dtype=pl.String)
    return frame.with_columns(mapped.alias(f"{column}_iso3")).filter(pl.col(f"{column}_iso3").is_not_null())


def _name(column: str, labels: Labels) -> pl.Expr:
    """Eurostat's own label where there is one, else the name of ISO 3166, else what the cell says."""
    known = pl.col(column).replace_strict(NAMES | labels.get(column, {}), default=None, return_dtype=pl.String)
    label = pl.when(~pl.col(column).str.contains(r"^[A-Z0-9_]+$")).then(pl.col(column))
    iso = pl.col(f"{column}_iso3").replace_strict(names(), default=None, return_dtype=pl.String)
    return pl.coalesce(f"{column} label", known, label, iso, column).alias(column)


def _named(frame: pl.DataFrame, labels: Labels, path: Path) -> pl.DataFrame:
    special = {word: "" for code, (label, _) in NO_COUNTRY.items() for word in (code, label)}
    frame = _with_codes(_with_codes(frame, "citizen", path, special), "geo", path, {})
    return frame.select(
        "year",
        _name("citizen", labels),
        pl.col("citizen_iso3").replace("", None),
        _name("geo", labels),
        "geo_iso3",
        "n",
    )


def _codes(frame: pl.DataFrame, labels: Labels, path: Path) -> pl.DataFrame:
    special = {word: ours for code, (label, ours) in NO_COUNTRY.items() if ours for word in (code, label)}
    frame = _with_codes(_with_codes(frame, "citizen", path, special), "geo", path, dict.fromkeys(EU, "EU27"))
    return frame.select("year", "citizen_iso3", "geo_iso3", "n")


def _totals(frame: pl.DataFrame, labels: Labels, path: Path) -> pl.DataFrame:
    frame = _with_codes(frame, "geo", path, {})
    return frame.select("year", _name("geo", labels), "n")


LAYOUTS = {"named": _named, "codes": _codes, "totals": _totals}
