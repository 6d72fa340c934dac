"""Gravity on the full world panel: seconds, memory, coefficients by flow method and with or without the diaspora.

Flows are the published five-year estimates of Abel and Cohen, test input only.

Run: ZHOL_SHARED=../shared python benchmarks/bench_gravity.py
"""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path

import polars as pl

from zhol.estimate.gravity_model import Gravity, gravity, world_covariates

SHARED = Path(os.environ.get("ZHOL_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
METHODS = ("da_pb_closed", "da_min_closed", "da_min_open", "mig_rate", "sd_rev_neg")
TERMS = "log(distance_km) + contiguous + common_language + colonial_tie + common_coloniser + visa_required"


def flows_of(method: str) -> pl.DataFrame:
    """Published flows by one method; a pair that is not listed is zero or unknown, here zero."""
    table = pl.read_csv(SHARED / "abel_cohen_flows" / "abel_cohen_flows_5yr.csv", infer_schema_length=None)
    chosen = table.select("orig", "dest", "year0", pl.col(method).cast(pl.Float64).alias("persons"))
    return chosen.drop_nulls()


def line(name: str, found: Gravity) -> str:
    """One row of the table: coefficient and interval of every term."""
    cells = [
        f"{r['value']:.2f} ({r['low']:.2f} to {r['high']:.2f})"
        for r in found.coefficients.iter_rows(named=True)
        if r["term"] != "diaspora_missing"
    ]
    return f"| {name} | {found.fit['deviance_explained']:.1%} | {' | '.join(cells)} |"


def main() -> None:
    begin = time.perf_counter()
    table = world_covariates(SHARED)
    print(f"Covariates of {table.height:,} pairs and periods read in {time.perf_counter() - begin:.1f} s")
    flows = flows_of(METHODS[0])
    gravity(
        flows.filter(pl.col("year0") == 2015), table, absent="zero", alternatives=False
    )  # imports and first compile
    for alternatives in (False, True):
        begin = time.perf_counter()
        full = gravity(flows, table, absent="zero", alternatives=alternatives)
        spent = time.perf_counter() - begin
        print(f"{full.fit['used']:,} flows, 6 periods, alternatives {alternatives}: {spent:.1f} s")
    begin = time.perf_counter()
    change = {"visa_required": 0.0}
    full.counterfactual(change, where={"origin": "UZB", "destination": "KOR", "period": "2015"}, draws=100)
    print(f"Counterfactual with 100 draws: {time.perf_counter() - begin:.1f} s")
    names = [
        f"{r['term']}{'' if r['step'] == 'pair' else ' ' + r['step']}"
        for r in full.coefficients.iter_rows(named=True)
        if r["term"] != "diaspora_missing"
    ]
    print(f"\n| flows by | deviance explained | {' | '.join(names)} |\n|---|--:|{'--:|' * len(names)}")
    for method in METHODS:
        print(line(method, gravity(flows_of(method), table, absent="zero", alternatives=False)))
    short = gravity(flows, table, TERMS, absent="zero", alternatives=False)
    print("\nWithout the diaspora:\n")
    for row in short.coefficients.iter_rows(named=True):
        print(f"{row['term']} ({row['step']}): {row['value']:.3f} ({row['low']:.3f} to {row['high']:.3f})")
    for model in full.alternatives["model"].unique(maintain_order=True):
        own = full.alternatives.filter(pl.col("model") == model)
        print(f"{model}: " + ", ".join(f"{r['term']} {r['value']:.3f}" for r in own.iter_rows(named=True)))
    print(f"\nLargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
