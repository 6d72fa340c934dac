"""Published tables of several lists, as the tests use them."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
from shared_data import shared


@cache
def published() -> dict[str, Any]:
    return json.loads(shared("cases", "estimation", "mse_data.json").read_text(encoding="utf-8"))


def rows(name: str) -> tuple[list[dict[str, int]], list[str]]:
    """Records with 0/1 columns and a count ``n``, and the names of the lists."""
    data = published()[name]
    names = data["lists"]
    records = [{**dict(zip(names, r, strict=True)), "n": c} for r, c in zip(data["rows"], data["counts"], strict=True)]
    return records, names


def counts(name: str) -> tuple[np.ndarray, int]:
    """Cases by history (2^k − 1,), list j being bit j, and the number of lists."""
    records, names = rows(name)
    table = np.zeros(2 ** len(names) - 1)
    for record in records:
        table[sum(record[name] << j for j, name in enumerate(names)) - 1] += record["n"]
    return table, len(names)
