"""Speed and memory of ``registers``, ``residual``, ``multiplier``, ``tabulate`` and of protecting tables.

Run: python benchmarks/bench_registers.py [folder of the reference cases]
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

from zhol.core.draws import generator
from zhol.core.small_cells import margins, round_controlled, suppress
from zhol.estimate import multiplier, registers, residual
from zhol.estimate.tabulation import tabulate

RECORDS = 3_000_000


def best_of(times: int, call: Callable[[], object]) -> float:
    """Shortest of a few runs, the first (imports) left out."""
    spent = []
    for _ in range(times + 1):
        begin = time.perf_counter()
        call()
        spent.append(time.perf_counter() - begin)
    return min(spent[1:])


def write_records(path: Path) -> None:
    """Records of 1.5 million made-up units, in pieces."""
    rng = generator(1, "records")
    with path.open("w", encoding="utf-8") as file:
        file.write("case_key,sex,origin\n")
        for _ in range(RECORDS // 500_000):
            unit = rng.integers(0, 1_500_000, 500_000)
            sex, origin = np.array(["f", "m"])[unit % 2], np.array(["UZB", "TJK", "KGZ", "TKM"])[unit % 4]
            pl.DataFrame({"k": unit, "s": sex, "o": origin}).write_csv(file, include_header=False)


def tables() -> None:
    rng = generator(1, "tables")
    for shape, mean in (((6, 8), 30), ((20, 25), 30), ((4, 3, 5), 40), ((6, 2, 3, 6), 40)):
        cells = rng.poisson(rng.gamma(0.6, mean / 0.6, shape))
        by = [f"d{i}" for i in range(len(shape))]
        rows = [(*map(str, at), int(cells[at])) for at in np.ndindex(*shape)]
        frame = pl.DataFrame(rows, schema=[*by, "n"], orient="row")
        _, table = margins(frame, by, "n", deepest=1 if len(shape) > 2 else None)
        begin = time.perf_counter()
        blank = suppress(table)
        middle = time.perf_counter()
        round_controlled(table)
        end = time.perf_counter()
        name = " × ".join(map(str, shape))
        small, hidden = int((table.values < 10).sum()), int(blank.sum())
        print(f"| suppress {name}, {small} small, {hidden} blank | {middle - begin:.2f} |")
        print(f"| round {name} | {end - middle:.2f} |", flush=True)


def main() -> None:
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ZHOL_SHARED", "../shared")) / "cases/estimation"
    poland = pl.read_csv(folder / "irregular_migration_poland.csv.gz")
    print("| Poland 2019–2024, 1,382 rows, 145 countries | s |")
    print("|---|--:|")
    asks = {
        "Poisson, analytic (uncounted in R: 0.03)": {"gamma": 0.005},
        "Poisson, offset estimated, by country": {"by": "country"},
        "negative binomial, offset estimated": {"model": "negbin"},
        "Poisson, jackknife over 145 countries": {"cluster": "country_code"},
        "Poisson, 500 bootstrap replicates by country": {"interval": "bootstrap"},
        "negative binomial, 500 bootstrap replicates by country": {"interval": "bootstrap", "model": "negbin"},
        "negative binomial, 500 parametric replicates": {"interval": "parametric", "model": "negbin"},
    }
    for name, ask in asks.items():
        print(f"| {name} | {best_of(2, lambda ask=ask: registers(poland, **ask)):.2f} |", flush=True)  # type: ignore[misc]
    arrivals = dict.fromkeys(range(1980, 2018), 1e6)
    inputs = {"emigration": (0.01, 0.004, 0.02), "mortality": (0.008, 0.006, 0.01), "year": 2018}
    print(f"| residual, 38 cohorts, 20,000 draws | {best_of(2, lambda: residual(36.1e6, arrivals, **inputs)):.2f} |")  # type: ignore[arg-type]
    print(f"| multiplier, three benchmarks | {best_of(2, lambda: multiplier([1e3, 2e3, 500], [0.2, 0.4, 0.1])):.3f} |")
    tables()
    with tempfile.TemporaryDirectory() as room:
        path = Path(room) / "records.csv"
        write_records(path)
        print(
            f"| tabulate {RECORDS:,} records ({path.stat().st_size / 2**20:.0f} MiB) by sex and origin | "
            f"{best_of(1, lambda: tabulate(path, 'case_key', ['sex', 'origin'])):.1f} |"
        )
    print(f"\nLargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
