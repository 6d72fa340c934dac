"""Tests it: laws that must hold, backtests on history, comparison of versions."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from zhol.trust.backtesting import Backtest, backtest, load_backtest
    from zhol.trust.behaviours import CheckReport, check
    from zhol.trust.event_tests import EventTest, events, load_events
    from zhol.trust.versions import compare_versions, save_version

_HOMES = {
    "Backtest": "zhol.trust.backtesting",
    "backtest": "zhol.trust.backtesting",
    "load_backtest": "zhol.trust.backtesting",
    "CheckReport": "zhol.trust.behaviours",
    "check": "zhol.trust.behaviours",
    "EventTest": "zhol.trust.event_tests",
    "events": "zhol.trust.event_tests",
    "load_events": "zhol.trust.event_tests",
    "compare_versions": "zhol.trust.versions",
    "save_version": "zhol.trust.versions",
}

__all__ = [
    "Backtest",
    "CheckReport",
    "EventTest",
    "backtest",
    "check",
    "compare_versions",
    "events",
    "load_backtest",
    "load_events",
    "save_version",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'zhol.trust' has no attribute {name!r}; it has {', '.join(__all__)}")
