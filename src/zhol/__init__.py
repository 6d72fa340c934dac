"""zhol (Kazakh: road): an open laboratory for irregular-migration policy.

Purpose: comparing policies and bodies, never finding people. Aggregates only.

Examples
--------
>>> import zhol
>>> region = zhol.load("central_asia")
>>> question = "select persons from stocks where origin = 'UZB' and destination = 'KAZ' and year = 2020 order by 1"
>>> region.sql(question)["persons"].to_list()
[296511, 689957]
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from zhol import estimate, policy, roads, system, trust
    from zhol.brief.write import write_brief
    from zhol.core.errors import ZholError, ZholWarning
    from zhol.region.load import Region, load

_HOMES = {
    "load": "zhol.region.load",
    "Region": "zhol.region.load",
    "write_brief": "zhol.brief.write",
    "ZholError": "zhol.core.errors",
    "ZholWarning": "zhol.core.errors",
}
_ROOMS = ("estimate", "roads", "system", "policy", "trust")

__all__ = [
    "Region",
    "ZholError",
    "ZholWarning",
    "__version__",
    "estimate",
    "load",
    "policy",
    "roads",
    "system",
    "trust",
    "write_brief",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return importlib.import_module(f"zhol.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zhol' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
