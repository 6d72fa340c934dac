"""Judges it: instruments of policy as data, scenarios, rights floors, and what scenarios do beside each other."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhol.policy.instruments import Instrument, instrument
    from zhol.policy.ready_made import history, package, packages
    from zhol.policy.rights import judge
    from zhol.policy.scenario import Measure, Scenario

_HOMES = {
    "Instrument": "zhol.policy.instruments",
    "instrument": "zhol.policy.instruments",
    "Measure": "zhol.policy.scenario",
    "Scenario": "zhol.policy.scenario",
    "history": "zhol.policy.ready_made",
    "judge": "zhol.policy.rights",
    "package": "zhol.policy.ready_made",
    "packages": "zhol.policy.ready_made",
}

__all__ = ["Instrument", "Measure", "Scenario", "history", "instrument", "judge", "package", "packages"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zhol.policy' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
