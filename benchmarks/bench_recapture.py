"""Speed and memory of ``zhol.estimate.counts`` beside singleRcapture's times on two cores.

Run: python benchmarks/bench_recapture.py [folder of the reference cases]
"""

from __future__ import annotations

import os
import resource
import sys
import time
from pathlib import Path

import polars as pl

from zhol.estimate import counts

# Seconds of singleRcapture 1.1.0 (R 4.2.2, two cores): ztpoisson with covariates on the Dutch data, 500 replicates.
R_SECONDS = {"parametric": 44.5, "semiparametric": 19.7, "nonparametric": 16.4}
FORMULA = "capture ~ gender + age + nation"


def best_of(times: int, **ask: object) -> float:
    """Shortest of a few runs, the first (imports) left out."""
    spent = []
    for _ in range(times + 1):
        begin = time.perf_counter()
        counts(**ask)  # type: ignore[arg-type]
        spent.append(time.perf_counter() - begin)
    return min(spent[1:])


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ZHOL_SHARED", "../shared")) / "cases/estimation"
    dutch = pl.read_csv(folder / "netherlandsimmigrant.csv")
    print("| ztpoisson, 1,880 persons, 8 coefficients | R, s | zhol, s | times faster |")
    print("|---|--:|--:|--:|")
    for kind, seconds in R_SECONDS.items():
        ours = best_of(3, formula=FORMULA, data=dutch, interval=kind, replicates=500)
        print(f"| {kind} bootstrap, 500 replicates | {seconds} | {ours:.2f} | {seconds / ours:.0f} |")
    print(f"| analytic interval | 0.11 | {best_of(5, formula=FORMULA, data=dutch):.3f} | |")
    farm = pl.read_csv(folder / "farmsubmission.csv.gz")
    ask = {"formula": "TOTAL_SUB ~ log_size + log_distance + C_TYPE", "data": farm}
    print(f"| 12,036 farms, analytic | | {best_of(2, **ask):.2f} | |")
    print(f"| 12,036 farms, ztnegbin, analytic | | {best_of(1, **ask, model='ztnegbin'):.2f} | |")
    print(f"| 12,036 farms, parametric, 500 | | {best_of(1, **ask, interval='parametric'):.1f} | |")
    print(f"\nLargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
