"""Choices behind the drivers, from ``packs/shared/drivers.yaml``."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml


@cache
def _rows() -> dict[str, dict[str, object]]:
    file = resources.files("zhol") / "packs" / "shared" / "drivers.yaml"
    return dict(yaml.safe_load(file.read_text(encoding="utf-8")))


def setting(name: str) -> float:
    """One choice by name."""
    return float(str(_rows()[name]["value"]))
