"""Measures it: hidden populations, rival figures, flows from stocks, roles of places.

Each public function lives in its own file and is imported on first use, so that asking for one does not load
the machinery of the others.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhol.estimate.flows_from_stocks import flows
    from zhol.estimate.flows_of_a_region import region_flows, region_methods
    from zhol.estimate.flows_of_the_world import world_flows
    from zhol.estimate.gravity_model import covariates, gravity, world_covariates
    from zhol.estimate.methods_side_by_side import flow_methods
    from zhol.estimate.migration_indices import indices
    from zhol.estimate.multiple_systems import lists
    from zhol.estimate.multiplier_method import multiplier
    from zhol.estimate.place_roles import roles
    from zhol.estimate.recapture import average_counts, compare_counts, counts
    from zhol.estimate.reconciliation import reconcile
    from zhol.estimate.register_ratio import registers
    from zhol.estimate.residual_method import residual
    from zhol.estimate.rival_stocks import stock_error

_HOMES = {
    "counts": "recapture",
    "compare_counts": "recapture",
    "average_counts": "recapture",
    "lists": "multiple_systems",
    "registers": "register_ratio",
    "residual": "residual_method",
    "multiplier": "multiplier_method",
    "reconcile": "reconciliation",
    "flows": "flows_from_stocks",
    "stock_error": "rival_stocks",
    "world_flows": "flows_of_the_world",
    "region_flows": "flows_of_a_region",
    "region_methods": "flows_of_a_region",
    "flow_methods": "methods_side_by_side",
    "gravity": "gravity_model",
    "covariates": "gravity_model",
    "world_covariates": "gravity_model",
    "indices": "migration_indices",
    "roles": "place_roles",
}

__all__ = [
    "average_counts",
    "compare_counts",
    "counts",
    "covariates",
    "flow_methods",
    "flows",
    "gravity",
    "indices",
    "lists",
    "multiplier",
    "reconcile",
    "region_flows",
    "region_methods",
    "registers",
    "residual",
    "roles",
    "stock_error",
    "world_covariates",
    "world_flows",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'zhol.estimate' has no attribute {name!r}; it has {', '.join(__all__)}")
    return getattr(importlib.import_module(f"zhol.estimate.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
