"""Reads `roads.yaml`: the judgements that ship, and how a pack's own cited prices are read."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from zhol.core.errors import ZholError
from zhol.roads.network import MODES, Costs

if TYPE_CHECKING:
    from zhol.region.load import Region

LIMIT = 100_000  # bytes
Positive = Annotated[float, Field(gt=0, le=1e9)]
Text = Annotated[str, Field(min_length=1, max_length=500)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Factor(_Part):
    """Cost of a kilometre by one mode."""

    factor: Annotated[float, Field(gt=0, le=100)]
    basis: Text
    figures: list[Text] = []


class Normal(_Part):
    """A normal prior."""

    mean: float
    sd: Positive
    basis: Text
    meaning: Text


class Error(_Part):
    """Prior of the standard deviation that the law of prices leaves."""

    sd: Positive
    weight: Annotated[float, Field(gt=2, le=1000)]
    basis: Text
    meaning: Text


class Number(_Part):
    """One number that somebody judged."""

    value: Annotated[float, Field(ge=0, le=1e6)]
    basis: Text
    meaning: Text = "see above"


class Price(_Part):
    """Priors of the law of prices."""

    unit: Text
    level: Normal
    slope: Normal
    air: Normal
    shared: Number
    same_corridor: Number
    error: Error


class Capacity(_Part):
    """Prior of the capacity of a road, in persons a month."""

    unit: Text
    share_of_stock: Positive
    least_stock: Positive
    log_sd: Positive
    basis: Text


class Spread(_Part):
    """A log-normal prior."""

    median: Positive
    log_sd: Positive
    basis: Text
    evidence: list[Text] = []
    unit: Text = "ratio"


class Settings(_Part):
    """All judgements about roads."""

    status: Text
    border_km: Number
    cost_per_km: dict[str, Factor]
    price: Price
    capacity: Capacity
    exponent: Spread
    half_life: Spread
    choice: Spread

    def costs(self) -> Costs:
        """What a leg costs."""
        return Costs({mode: self.cost_per_km[mode].factor for mode in MODES}, self.border_km.value)


class Reading(_Part):
    """One price that a row of `figures` prints, in its cells or in its note; an empty field is as in the row."""

    figure: Text
    mode: Literal["land", "air", "any"] = "any"
    origin: Text | None = None
    destination: Text | None = None
    value: Positive | None = None
    low: Positive | None = None
    high: Positive | None = None
    note: Text = ""


class _Readings(_Part):
    readings: list[Reading] = []


@cache
def settings() -> Settings:
    """The judgements that ship with zhol.

    Examples
    --------
    >>> settings().capacity.basis
    'none'
    """
    with as_file(files("zhol.packs").joinpath("shared", "roads.yaml")) as file:
        return Settings.model_validate(_parse(file))


def readings(region: Region) -> list[Reading]:
    """How the pack's cited prices are read; empty where the pack does not say.

    Raises
    ------
    ZholError
        For a file that is no YAML, an unknown key, or a value that cannot be.

    Examples
    --------
    >>> import zhol
    >>> readings(zhol.load("central_asia"))[0].mode
    'air'
    """
    path = getattr(region, "path", None)
    file = Path(path) / "roads.yaml" if path else None
    if file is None or not file.is_file():
        return []
    try:
        return _Readings.model_validate(_parse(file)).readings
    except ValidationError as error:
        raise _first(error, file) from None


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
    at = ".".join(str(step) for step in finding["loc"])
    if finding["type"] == "extra_forbidden":
        known = Reading if len(finding["loc"]) > 1 else _Readings
        return ZholError(f"unknown key {at!r}", file=file, expected=f"one of {', '.join(known.model_fields)}")
    if finding["type"] == "missing":
        return ZholError(f"key {at!r} is missing", file=file)
    expected = finding["msg"].removeprefix("Input should be ").removeprefix("a ")
    what = f"key {at!r} is wrong" if at else "not a map of keys"
    return ZholError(what, file=file, found=finding["input"], expected=expected)
