"""zhol beside each R package on every documented data set: point, interval, log-likelihood, seconds, in one table.

Run: python benchmarks/bench_beside_r.py [folder of the reference cases]
R's numbers and seconds are those stored with the cases (R 4.2.2, two cores of the same class of machine).
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl

from zhol.estimate import counts, lists, registers

FOLDER = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("ZHOL_SHARED", "../shared")) / "cases/estimation"
Row = tuple[str, str, float, float | None, float | None, float | None, float]


def cases(name: str) -> list[dict[str, Any]]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["cases"]


def one_list() -> Iterator[tuple[Row, Callable[[], Any]]]:
    for case in cases("singlercapture_analytic"):
        data = pl.read_csv(next(FOLDER.glob(f"{case['data']}.csv*")))
        bounds = case["ci"]["logNormal"]
        numbers = (case["N"], bounds["lowerBound"], bounds["upperBound"], case["logLik"], case["seconds"])
        yield (
            ("singleRcapture", f"{case['data']}, {case['model']}, {case['formula'].split('~')[1].strip()}", *numbers),
            lambda case=case, data=data: counts(case["formula"], data, model=case["model"]),
        )


def several_lists() -> Iterator[tuple[Row, Callable[[], Any]]]:
    tables = json.loads((FOLDER / "mse_data.json").read_text(encoding="utf-8"))
    models = {"main": "main", "stepwise": "stepwise", "all_two_list": "all"}
    for case in cases("sparsemse"):
        table = tables[case["data"]]
        names = table["lists"]
        rows = [
            dict(zip([*names, "n"], [*r, c], strict=True)) for r, c in zip(table["rows"], table["counts"], strict=True)
        ]
        kind = case["id"].removeprefix(case["data"] + "_")
        if kind in models and "estimate" in case:
            found = case["estimate"]
            numbers = (found["point est."], found["2.5%"], found["97.5%"], None, case["seconds"])
            yield (
                ("SparseMSE", f"{case['data']}, {kind.replace('_', ' ')}, Wald", *numbers),
                lambda r=rows, n=names, m=models[kind]: lists(r, n, "n", model=m, interval="wald", opinions=False),
            )


# Rcapture's models of a closed population and their names here.
CLOSED = {
    "M0": "M0",
    "Mt": "main",
    "Mh Chao (LB)": "Mh Chao",
    "Mh Poisson2": "Mh Poisson",
    "Mh Darroch": "Mh Darroch",
    "Mth Chao (LB)": "Mth Chao",
    "Mth Poisson2": "Mth Poisson",
    "Mth Darroch": "Mth Darroch",
}


def closed_population() -> Iterator[tuple[Row, Callable[[], Any]]]:
    table = json.loads((FOLDER / "mse_data.json").read_text(encoding="utf-8"))["Western"]
    names = table["lists"]
    rows = [dict(zip([*names, "n"], [*r, c], strict=True)) for r, c in zip(table["rows"], table["counts"], strict=True)]
    case = cases("rcapture_loglinear")[0]
    for theirs, ours in CLOSED.items():
        found = case["results"][case["models"].index(theirs)]
        yield (
            ("Rcapture", f"Western, {theirs}", found["abundance"], None, None, None, case["seconds"]),
            lambda m=ours: lists(rows, names, "n", model=m, interval="wald", opinions=False),
        )


def register_counts() -> Iterator[tuple[Row, Callable[[], Any]]]:
    case = cases("uncounted_zhang")[0]
    data = pl.read_csv(FOLDER / "irregular_migration_poland.csv.gz")
    total = sum(row["estimate"] for row in case["popsize"])
    yield (
        ("uncounted", "Poland 2019–2024, Poisson", total, None, None, case["logLik"], case["seconds"]),
        lambda: registers(data, gamma=case["gamma"], by="year"),
    )


HEADS = "package|data and model|N there|N here|interval there|interval here|log-lik. there|here|s there|s here"


def main() -> None:
    print(f"|{HEADS}|")
    print("|---|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    for source in (one_list, several_lists, closed_population, register_counts):
        for (package, what, n, low, high, loglik, seconds), run in source():
            run()  # imports and caches
            begin = time.perf_counter()
            est = run()
            spent = time.perf_counter() - begin
            cells = [package, what, f"{n:,.2f}", f"{est.population:,.2f}"]
            cells += ["–" if low is None else f"{low:,.1f} to {high:,.1f}", f"{est.low:,.1f} to {est.high:,.1f}"]
            cells += ["–" if x is None else f"{x:.4f}" for x in (loglik, est.details.get("loglik"))]
            print(f"|{'|'.join([*cells, f'{seconds:.3f}', f'{spent:.4f}'])}|")


if __name__ == "__main__":
    main()
