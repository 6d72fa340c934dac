"""Speed and memory of ``zhol.estimate.lists`` beside SparseMSE's and Rcapture's times on two cores.

Run: python benchmarks/bench_multiple_systems.py [shared folder]
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from zhol.estimate import lists
from zhol.estimate._multiple_systems.design import pairs_design
from zhol.estimate._multiple_systems.stepwise import fit_given
from zhol.estimate._multiple_systems.table import read_histories

Case = tuple[str, float, Callable[[], object]]


def best_of(times: int, call: Callable[[], object]) -> float:
    """Shortest of a few runs, the first (imports) left out."""
    spent = []
    for _ in range(times + 1):
        begin = time.perf_counter()
        call()
        spent.append(time.perf_counter() - begin)
    return min(spent[1:])


def table(data: dict[str, Any]) -> dict[str, Any]:
    """Arguments of ``lists`` for one published table."""
    columns = dict(zip(data["lists"], zip(*data["rows"], strict=True), strict=True))
    return {"table": {**{k: list(v) for k, v in columns.items()}, "n": data["counts"]}, "count": "n"}


def every_model(ask: dict[str, Any]) -> np.ndarray:
    """Population under each of the two-list models of five lists, fitted in one batch."""
    histories = read_histories(ask["table"], None, ask["count"])
    model = pairs_design(histories.k)
    pairs = (np.arange(1024)[:, None] >> np.arange(10) & 1).astype(bool)
    active = np.concatenate([np.ones((1024, histories.k + 1), dtype=bool), pairs], axis=1)
    counts = np.repeat(histories.counts[None], 1024, axis=0)
    return np.asarray(histories.observed + fit_given(model, counts, active).fits.unseen)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ZHOL_SHARED", "../shared")) / "cases/estimation"
    data = json.loads((folder / "mse_data.json").read_text(encoding="utf-8"))
    uk, orleans, western = (table(data[name]) for name in ("UKdat", "NewOrl", "Western"))
    cases: list[Case] = [
        ("stepwise, UK, 6 lists", 1.2, lambda: lists(**uk, interval="wald")),
        ("stepwise, BCa, UK, 6 lists, 100 replicates", 81.0, lambda: lists(**uk, replicates=100)),
        ("stepwise, BCa, New Orleans, 8 lists, 50 replicates", 118.0, lambda: lists(**orleans, replicates=50)),
        ("stepwise, BCa, Western, 5 lists, 1,000 replicates", 90.466, lambda: lists(**western, replicates=1000)),
        ("1,024 models of 5 lists, every one", 8.49, lambda: every_model(western)),
        ("best BIC of 1,024 models, by bounds", 8.49, lambda: lists(**western, model="best_bic", interval="wald")),
    ]
    print("| | R, s | zhol, s | times faster |\n|---|--:|--:|--:|")
    for label, theirs, call in cases:
        ours = best_of(5, call)
        print(f"| {label} | {theirs:g} | {ours:.4f} | {theirs / ours:,.0f} |")
    more: list[tuple[str, Callable[[], object]]] = [
        ("stepwise, BCa, UK, 6 lists, 1,000 replicates", lambda: lists(**uk)),
        ("profile likelihood, UK, 6 lists", lambda: lists(**uk, interval="profile")),
        ("second opinions (all four), UK, 6 lists", lambda: lists(**uk, interval="wald").table),
        ("average over 18,154 graphs, UK, 6 lists", lambda: lists(**uk, model="average")),
        ("second opinions, New Orleans, 8 lists", lambda: lists(**orleans, interval="wald").table),
    ]  # fmt: skip
    for label, call in more:
        print(f"| {label} | | {best_of(1, call):.3f} | |")
    print(f"\nLargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
