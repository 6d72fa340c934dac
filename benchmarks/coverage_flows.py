"""How often intervals of flows hold the flow of the true stocks, when stocks have errors of the fitted law.

The pack's stocks are taken as true; each replicate publishes them with errors, estimates flows from what was published,
and looks whether the interval holds the flow that the true stocks give. Run: python benchmarks/coverage_flows.py
"""

from __future__ import annotations

import sys

import numpy as np

from zhol import load
from zhol.estimate import flows, stock_error
from zhol.estimate._flows.missing import fill_pair
from zhol.estimate._flows.stock_draws import no_gaps, perturb, standard_errors
from zhol.estimate.flows_of_a_region import region_stocks


def coverage(method: dict[str, object], replicates: int, draws: int) -> tuple[float, float, float]:
    """Share of large corridors, of all corridors, and of totals whose interval holds the true flow."""
    region = load("central_asia")
    stocks = region_stocks(region, 2015, 2020, revision=2020)
    error = stock_error(region)
    law, width = error.law(stocks.places), error.widths(stocks.places)
    truth = []
    filled = fill_pair(stocks.start, stocks.end, "carried", stocks.unstated)
    for square, people in zip((f.stock for f in filled), stocks.residents, strict=True):
        np.fill_diagonal(square, np.maximum(people - square.sum(0), 0))
        truth.append(square)
    none = no_gaps(len(stocks.places))
    given = {"births": stocks.births, "deaths": stocks.deaths, "places": stocks.places, **method}
    true = flows(truth[0], truth[1], **given)
    off = ~np.eye(len(stocks.places), dtype=bool)
    large = off & (true.moves > 10_000)
    held, held_large, held_total = [], [], []
    for k in range(replicates):
        errors = standard_errors(stocks.places, law, 999, k, (0, 1))
        seen = [perturb(t, law, width, none, e, e) for t, e in zip(truth, errors, strict=True)]
        found = flows(seen[0], seen[1], draws=draws, stock_error=error, seed=k, **given)
        inside = (found.low <= true.matrix) & (true.matrix <= found.high)
        low, high = found.total_interval()
        held.append(inside[off].mean())
        held_large.append(inside[large].mean())
        held_total.append(low <= true.total <= high)
    return float(np.mean(held_large)), float(np.mean(held)), float(np.mean(held_total))


def main() -> None:
    """Two methods; the number of replicates may be given."""
    replicates = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    print("95% intervals, share that holds the flow of the true stocks")
    for name, method in (("fewest moves", {}), ("pseudo-Bayes", {"method": "pseudo_bayes"})):
        large, every, total = coverage(method, replicates, 100)
        print(f"{name:14} corridors above 10,000: {large:.0%}; all corridors: {every:.0%}; total: {total:.0%}")


if __name__ == "__main__":
    main()
