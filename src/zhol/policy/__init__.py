"""Judges it: instruments of policy as data, scenarios, rights floors, and what scenarios do beside each other."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhol.policy.comparison import Comparison, compare
    from zhol.policy.contributions import Contribution, contribution
    from zhol.policy.delays import Delay, delay
    from zhol.policy.enforcement import EnforcementBound, enforcement_bound
    from zhol.policy.global_sensitivity import Sensitivity, sensitivity
    from zhol.policy.information_value import InformationValue, value_of_information
    from zhol.policy.instruments import Instrument, instrument
    from zhol.policy.ready_made import history, package, packages
    from zhol.policy.rights import judge
    from zhol.policy.scenario import Measure, Scenario
    from zhol.policy.targets import Target, target
    from zhol.policy.tradeoff_frontier import Frontier, frontier

_HOMES = {
    "Comparison": "zhol.policy.comparison",
    "compare": "zhol.policy.comparison",
    "Contribution": "zhol.policy.contributions",
    "contribution": "zhol.policy.contributions",
    "Delay": "zhol.policy.delays",
    "delay": "zhol.policy.delays",
    "Sensitivity": "zhol.policy.global_sensitivity",
    "sensitivity": "zhol.policy.global_sensitivity",
    "InformationValue": "zhol.policy.information_value",
    "value_of_information": "zhol.policy.information_value",
    "Frontier": "zhol.policy.tradeoff_frontier",
    "frontier": "zhol.policy.tradeoff_frontier",
    "Target": "zhol.policy.targets",
    "target": "zhol.policy.targets",
    "Instrument": "zhol.policy.instruments",
    "EnforcementBound": "zhol.policy.enforcement",
    "enforcement_bound": "zhol.policy.enforcement",
    "instrument": "zhol.policy.instruments",
    "Measure": "zhol.policy.scenario",
    "Scenario": "zhol.policy.scenario",
    "history": "zhol.policy.ready_made",
    "judge": "zhol.policy.rights",
    "package": "zhol.policy.ready_made",
    "packages": "zhol.policy.ready_made",
}

__all__ = [
    "Comparison",
    "Contribution",
    "Delay",
    "EnforcementBound",
    "Frontier",
    "InformationValue",
    "Instrument",
    "Measure",
    "Scenario",
    "Sensitivity",
    "Target",
    "compare",
    "contribution",
    "delay",
    "enforcement_bound",
    "frontier",
    "history",
    "instrument",
    "judge",
    "package",
    "packages",
    "sensitivity",
    "target",
    "value_of_information",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zhol.policy' has no attribute {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return __all__
