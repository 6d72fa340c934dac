"""`region.yaml`: what a pack says of itself. An unknown key is an error, and so is anything clever in the YAML."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from zhol.core.errors import ZholError

Text = Annotated[str, StringConstraints(min_length=1, max_length=5_000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class Manifest(BaseModel):
    """The keys that `region.yaml` may hold."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    title: Text
    description: Text
    focus: Annotated[list[Code], Field(min_length=1)]
    licence: Text
    version: Text
    horizon: Annotated[int, Field(ge=1950, le=2150)] | None = None
    title_ru: Text | None = None
    title_kk: Text | None = None
    description_ru: Text | None = None
    description_kk: Text | None = None
    attribution: Text | None = None
    tables: list[str] | None = None


class _PlainLoader(yaml.SafeLoader):
    """YAML without aliases (a small file could unfold into gigabytes) and without a key written twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem="aliases (*name) are not allowed", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.MarkedYAMLError(problem=f"key {key.value!r} stands twice", problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


# YAML reads 2024-06-30 as a date; in a pack it is text like any other version.
_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != "tag:yaml.org,2002:timestamp"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_manifest(text: str, file: Path) -> Manifest:
    """Turn the text of `region.yaml` into a checked manifest.

    Raises
    ------
    ZholError
        Naming the first key that is unknown, missing or of the wrong type, or the row where the YAML breaks.

    Examples
    --------
    >>> text = "name: a\\ntitle: A\\ndescription: B\\nfocus: [KAZ]\\nlicence: none\\nversion: 1"
    >>> read_manifest(text, Path("region.yaml")).focus
    ['KAZ']
    """
    document = _parse(text, file)
    if not isinstance(document, dict):
        raise ZholError("not a mapping of keys", file=file, found=type(document).__name__, expected="key: value")
    try:
        return Manifest.model_validate(document)
    except ValidationError as error:
        raise _first(error, file) from None


def _parse(text: str, file: Path) -> Any:
    try:
        return yaml.load(text, Loader=_PlainLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        row = mark.line + 1 if mark else None
        raise ZholError("not valid YAML", file=file, row=row, hint=error.problem or error.context) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ZholError("not valid YAML", file=file, hint=str(error).splitlines()[0]) from None
    except RecursionError:
        raise ZholError("not valid YAML", file=file, hint="it is nested too deeply") from None


def _first(error: ValidationError, file: Path) -> ZholError:
    """The first finding, in words; unknown keys before the rest, because they explain missing ones."""
    findings = error.errors(include_url=False, include_context=False)
    finding = next((f for f in findings if f["type"] == "extra_forbidden"), findings[0])
    key = str(finding["loc"][0])
    if finding["type"] == "extra_forbidden":
        return ZholError(f"unknown key {key!r}", file=file, expected=f"one of {', '.join(Manifest.model_fields)}")
    if finding["type"] == "missing":
        return ZholError(f"key {key!r} is missing", file=file)
    return ZholError(f"key {key!r} is wrong", file=file, found=finding["input"], expected=_EXPECTED.get(key, "text"))


_EXPECTED = {
    "name": "small letters, digits and underscores, first a letter, at most 40",
    "focus": "a list of country codes such as [KAZ, UZB]",
    "horizon": "a year from 1950 to 2150",
    "tables": "a list of table names",
}
