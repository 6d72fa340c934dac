"""Reads `observations.yaml`: which rows of a pack measure what in the system, and how far they may be off."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import polars as pl
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zhol.core.errors import ZholError
from zhol.region.schema import tables as schemas
from zhol.system.names import CHANNELS, FLOWS, STATUSES

if TYPE_CHECKING:
    from zhol.region.load import Region

# What a flow may be compared with: entries by channel, and the accounts of the model.
ACCOUNTS = (*(f"entries:{channel}" for channel in CHANNELS), *FLOWS)
LIMIT = 200_000  # bytes
FIELDS = ("origin", "destination", "revision")

Positive = Annotated[float, Field(gt=0, le=10)]
Freedom = Annotated[float, Field(gt=0, le=1000)]
Values = str | int | float | list[str | int | float] | dict[Literal["from", "to"], float]
Text = Annotated[str, Field(min_length=1, max_length=2_000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Bias(_Part):
    """A factor that all observations of a group share; normal prior on the log scale."""

    group: Text
    sd: Positive
    only: Literal["rival_revisions"] | None = None


class Trend(_Part):
    """Recording that improves by the same factor each year until a year; half-normal prior of the yearly log step."""

    group: Text
    until: int
    sd: Positive


class Override(_Part):
    """What holds for some rows of a series only."""

    where: dict[str, Values]
    statuses: dict[str, float] | None = None
    log_sd: Positive | None = None
    note: Text | None = None


class Series(_Part):
    """One series: the rows it selects, what the model adds up to be compared with them, and their error."""

    title: Text
    kind: Text
    table: Text
    where: dict[str, Values] = {}
    without: dict[str, Values] = {}
    origin_column: Text | None = None
    destination_column: Text | None = None
    origin: Text | None = None
    destination: Text | None = None
    value: Text = "value"
    scale: Annotated[float, Field(gt=0)] = 1.0
    at_least: Annotated[float, Field(ge=0)] = 0.0
    add_rows: bool = False
    when: Literal["period", "year", "mid_year", "end_year"] = "period"
    measure: Literal["stock", "flow", "remittances"]
    statuses: dict[str, float] = {}
    accounts: list[str] = []
    log_sd: Positive | Literal["revisions", "grade"]
    otherwise: Positive = 0.25
    df: Freedom | Literal["revisions"] = 4.0
    bias: Bias | None = None
    trend: Trend | None = None
    overrides: list[Override] = []
    event: Text | None = None
    note: Text = ""


class LeftOut(_Part):
    """Rows of `figures` that no series uses, and why: by figure, else by concept."""

    figures: dict[str, Text] = {}
    concepts: dict[str, Text] = {}


class _File(_Part):
    unit: Text = "log points"
    status: Text = "assumption"
    series: Annotated[dict[str, Series], Field(min_length=1)]
    left_out: LeftOut = LeftOut()


@dataclass(frozen=True)
class ObservationMap:
    """The definition map of a pack.

    Parameters
    ----------
    file : Path
        Where it stands.
    own : bool
        Whether it is the pack's own; the shipped default serves packs without one.
    series : dict of str to Series
        By name.
    left_out : LeftOut
        Figures not used, and why.
    """

    file: Path
    own: bool
    series: dict[str, Series]
    left_out: LeftOut


def observation_map(region: Region) -> ObservationMap:
    """Read and check the definition map of a pack, or the shipped default where the pack has none.

    Raises
    ------
    ZholError
        For the first unknown key, table, column, word, status or account, naming it and what is known.

    Examples
    --------
    >>> import zhol
    >>> observation_map(zhol.load("central_asia")).series["un_stock"].statuses
    {'resident': 1.0, 'protected': 1.0}
    """
    own = Path(region.path) / "observations.yaml"
    if own.is_file():
        return _checked(region, own, own=True)
    with as_file(files("zhol.packs").joinpath("shared", "observations.yaml")) as shipped:
        return _checked(region, shipped, own=False)


def _checked(region: Region, file: Path, own: bool) -> ObservationMap:
    try:
        read = _File.model_validate(_parse(file))
    except ValidationError as error:
        raise _first(error, file) from None
    for name, series in read.series.items():
        _check_names(file, name, series)
        _check_places(region, file, name, series)
        _check_columns(region, file, name, series, own)
    return ObservationMap(file, own, read.series, read.left_out)


def _parse(file: Path) -> Any:
    """Plain YAML only: an alias could unfold a small file into gigabytes."""
    try:
        if file.stat().st_size > LIMIT:
            raise ZholError("file is too large", file=file, expected=f"at most {LIMIT:,} bytes")
        text = file.read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader)):
            raise ZholError("not valid YAML", file=file, hint="aliases (*name) are not allowed")
        return yaml.safe_load(text) or {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        row = mark.line + 1 if mark else None
        raise ZholError("not valid YAML", file=file, row=row, hint=error.problem or error.context) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise ZholError("not valid YAML", file=file, hint=str(error).splitlines()[0]) from None


def _first(error: ValidationError, file: Path) -> ZholError:
    findings = error.errors(include_url=False, include_context=True)
    finding = next((f for f in findings if f["type"] == "extra_forbidden"), findings[0])
    path = [str(step) for step in finding["loc"]]
    if finding["type"] == "extra_forbidden":
        known = ", ".join(_keys_at(path[:-1]))
        return ZholError(f"unknown key {'.'.join(path)!r}", file=file, expected=f"one of {known}")
    if finding["type"] == "missing":
        return ZholError(f"key {'.'.join(path)!r} is missing", file=file)
    at = ".".join(path[:3] if path[:1] == ["series"] and len(path) > 2 else path)
    expected = finding["msg"].removeprefix("Input should be ").removeprefix("a ")
    return ZholError(
        f"key {at!r} is wrong" if at else "not a map of keys", file=file, found=finding["input"], expected=expected
    )


def _keys_at(path: list[str]) -> list[str]:
    """Keys that may stand at a place of the file."""
    kinds: dict[str, type[BaseModel]] = {"bias": Bias, "trend": Trend, "overrides": Override, "left_out": LeftOut}
    named = next((kinds[step] for step in reversed(path) if step in kinds), None)
    if named is not None:
        return list(named.model_fields)
    return list((Series if path[:1] == ["series"] else _File).model_fields)


def _check_names(file: Path, name: str, series: Series) -> None:
    key = f"series.{name}"
    sums = [("statuses", series.statuses)] + [("overrides", o.statuses or {}) for o in series.overrides]
    for where, weights in sums:
        for status, weight in weights.items():
            if status not in STATUSES:
                raise ZholError(
                    f"unknown status at {key}.{where}", file=file, found=status, expected=", ".join(STATUSES)
                )
            if not 0 < weight <= 1:
                raise ZholError(
                    f"weight of {status} at {key}.{where}", file=file, found=weight, expected="0 to 1, not 0"
                )
    for account in series.accounts:
        if account not in ACCOUNTS:
            raise ZholError(
                f"unknown account at {key}.accounts", file=file, found=account, expected=", ".join(ACCOUNTS)
            )
    needs, other = ("statuses", "accounts") if series.measure == "stock" else ("accounts", "statuses")
    if not getattr(series, needs) or getattr(series, other):
        raise ZholError(
            f"{key} measures a {series.measure}", file=file, found=other, expected=f"{needs} and no {other}"
        )


def _check_places(region: Region, file: Path, name: str, series: Series) -> None:
    """Codes that the map itself names, and the words in braces that a group's name may hold."""
    known = {*region.places["place"].to_list(), "WLD"}
    for side in ("origin", "destination"):
        code = getattr(series, side)
        if code is not None and code not in known:
            expected = "a code of places.csv"
            raise ZholError(f"unknown place at series.{name}.{side}", file=file, found=code, expected=expected)
    for key, part in (("bias", series.bias), ("trend", series.trend)):
        for word in re.findall(r"{(.*?)}", part.group if part else ""):
            if word not in FIELDS:
                at = f"unknown word in braces at series.{name}.{key}.group"
                raise ZholError(at, file=file, found=word, expected=", ".join(FIELDS))


def _check_columns(region: Region, file: Path, name: str, series: Series, own: bool) -> None:
    key = f"series.{name}"
    if series.table not in schemas():
        raise ZholError(f"unknown table at {key}.table", file=file, found=series.table, expected=", ".join(schemas()))
    frame = region.table(series.table)
    columns = [c for c in frame.columns if c != "_row"]
    wheres = [("where", series.where), ("without", series.without)]
    wheres += [("overrides.where", o.where) for o in series.overrides]
    asked = [(w, c) for w, chosen in wheres for c in chosen]
    asked += [("value", c) for c in value_columns(series)]
    asked += [(k, c) for k in ("origin_column", "destination_column") if (c := getattr(series, k)) is not None]
    for where, column in asked:
        if column not in columns:
            raise ZholError(f"unknown column at {key}.{where}", file=file, found=column, expected=", ".join(columns))
    if own and frame.height:  # a map written for this pack names words that stand in it
        for where, chosen in wheres:
            _check_words(frame, file, f"{key}.{where}", chosen)


def _check_words(frame: pl.DataFrame, file: Path, key: str, chosen: dict[str, Values]) -> None:
    for column, wanted in chosen.items():
        if frame.schema[column] != pl.String:
            continue
        known = set(frame[column].drop_nulls().to_list())
        for word in wanted if isinstance(wanted, list) else [wanted]:
            if word not in known:
                some = ", ".join(sorted(known)[:60])
                raise ZholError(f"no row of the table has this {column} at {key}", file=file, found=word, expected=some)


def value_columns(series: Series) -> list[str]:
    """Columns that are added up for the value of a row.

    Examples
    --------
    >>> value_columns(Series(title="t", kind="k", table="asylum", value="a + b", measure="flow", log_sd=1.0))
    ['a', 'b']
    """
    return [part.strip() for part in series.value.split("+")]
