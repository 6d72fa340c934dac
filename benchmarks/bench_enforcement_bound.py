"""Enforcement bound on the Central Asia pack: seconds of the exact search and the gap proven.

Run: python benchmarks/bench_enforcement_bound.py
"""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np

import zhol
from zhol.policy._bound.costs import caps_of, ground, problems
from zhol.policy._bound.search import Rule, answers
from zhol.policy._bound.travellers import of_the_system
from zhol.policy.instruments import instrument

YEAR, DRAWS, BUDGET = 2024, 5, 30  # a budget of 3 in tenths
CASES = {
    "Kazakhstan": ("KAZ",),
    "Russia": ("RUS",),
    "Türkiye": ("TUR",),
    "Kazakhstan, Kyrgyzstan, Uzbekistan": ("KAZ", "KGZ", "UZB"),
    "all places": None,
}


def main() -> None:
    model = zhol.system.Model(zhol.load("central_asia"))
    begin = time.process_time()
    people = of_the_system(model, YEAR, DRAWS, 1, None)
    print(f"Travellers from the moving system, {DRAWS} draws (with compilation): {time.process_time() - begin:.1f} s")
    begin = time.process_time()
    found, _ = ground(model, people, YEAR)
    print(f"Legs, roads and prices of {len(found.travellers.pairs)} demands: {time.process_time() - begin:.1f} s\n")
    print("Processor seconds a draw, median (longest):\n")
    print("| who acts | pairs of countries | budget 3 | eight budgets | widest gap, % |")
    print("|---|--:|--:|--:|--:|")
    options = {"levels": 10, "whole": True, "draws": DRAWS, "seed": 1, "parameters": None}
    for name, actors in CASES.items():
        caps = caps_of(found, actors or found.places, 10)
        one, curve, gaps = [], [], []
        for draw in problems(model, found, instrument("border_officers"), **options):
            problem = replace(draw.problem, caps=caps)
            begin = time.process_time()
            answers(problem, [BUDGET], Rule())
            one.append(time.process_time() - begin)
            full = int(caps.sum())
            budgets = sorted({0, BUDGET // 4, BUDGET // 2, BUDGET, 2 * BUDGET, 4 * BUDGET, full // 2, full})
            begin = time.process_time()
            solved = answers(problem, budgets, Rule())
            curve.append(time.process_time() - begin)
            gaps += [100 * (a.bound - a.state.value) / max(a.state.value, 1e-12) for a in solved]
        seconds = [f"{np.median(s):.2f} ({max(s):.2f})" for s in (one, curve)]
        print(f"| {name} | {(caps > 0).sum()} | {seconds[0]} | {seconds[1]} | {max(gaps):.3f} |")


if __name__ == "__main__":
    main()
