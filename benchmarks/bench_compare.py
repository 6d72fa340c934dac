"""Speed of comparing scenarios on the Central Asia pack: four scenarios, 500 draws, 20 years.

Run: python benchmarks/bench_compare.py [draws] [repetitions]

The first comparison compiles (or reads what an earlier start compiled); the others are timed. Printed besides: a
contribution, a delay and a target, each once.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

import zhol
from zhol.policy import compare, contribution, delay, package, target
from zhol.system.model import Model


def timed(call: Any) -> tuple[float, float]:
    """Seconds on the clock and of the processors."""
    clock, processor = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - clock, time.process_time() - processor


def main(draws: int = 500, repetitions: int = 3) -> None:
    """Time everything and print one JSON object."""
    model = Model(zhol.load("central_asia"))
    four = [None, *(package(name) for name in ("control_only", "protect_and_regularise", "cooperate"))]
    window: dict[str, Any] = {"start": "2020", "end": "2039", "parameters": "prior"}
    out: dict[str, Any] = {"draws": draws, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    out["first"] = timed(lambda: compare(four, model, draws=16, **window))
    out["compare"] = [timed(lambda: compare(four, model, draws=draws, **window).table) for _ in range(repetitions)]
    out["contribution, 6 instruments, 16 draws"] = timed(
        lambda: contribution(package("protect_and_regularise"), model, draws=16, **window)
    )
    out["delay, 10 years, 50 draws"] = timed(
        lambda: delay(package("protect_and_regularise"), model=model, draws=50, **window)
    )
    two = package("r2_interior").only("employer_liability", "interior_task_forces")
    out["target, 2 instruments, 48 draws"] = timed(
        lambda: target("irregular_stock", 0.9, 2039, two, model, relative=True, start="2020", parameters="prior")
    )
    out["largest memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main(*(int(a) for a in sys.argv[1:]))
