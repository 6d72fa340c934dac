"""Moves it: the migration system month by month, its calibration, its runs."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhol.system.calibration import Fit, calibrate, load_fit
    from zhol.system.instruments import Action, Effect
    from zhol.system.model import Model
    from zhol.system.place_roles import roles
    from zhol.system.run import Run, load_run

_HOMES = {
    "Model": "zhol.system.model",
    "Action": "zhol.system.instruments",
    "Effect": "zhol.system.instruments",
    "Run": "zhol.system.run",
    "load_run": "zhol.system.run",
    "Fit": "zhol.system.calibration",
    "calibrate": "zhol.system.calibration",
    "load_fit": "zhol.system.calibration",
    "roles": "zhol.system.place_roles",
}

__all__ = ["Action", "Effect", "Fit", "Model", "Run", "calibrate", "load_fit", "load_run", "roles"]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        module = importlib.import_module(_HOMES[name])
        value = getattr(module, name)
        globals()[name] = value  # a module of the same name may stand in the way otherwise
        return value
    raise AttributeError(f"module 'zhol.system' has no attribute {name!r}; it has {', '.join(__all__)}")
