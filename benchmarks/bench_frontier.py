"""Speed of the frontier of trade-offs on the Central Asia pack at the coarse setting: 50,000 runs.

Run: python benchmarks/bench_frontier.py [--full]

Without --full a tenth of the runs is timed after a first search that compiles, and the time of all is that many times
as long: a search does the same for every run. With --full all runs are made.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time

import zhol
from zhol.policy import frontier
from zhol.policy._uncertain.coarse import coarse_model

RUNS = 50_000
OPTIONS = (
    "regularisation",
    "patents",
    "safe_access_asylum",
    "border_officers",
    "employer_liability",
    "anti_corruption",
)


def main(full: bool) -> None:
    """Time a search and print one JSON object."""
    model, said = coarse_model(zhol.load("central_asia"))
    start = time.perf_counter()
    frontier(OPTIONS, model, budget=2.0, runs=1000, draws=32, points=2)
    first = time.perf_counter() - start
    runs = RUNS if full else RUNS // 10
    start, processor = time.perf_counter(), time.process_time()
    found = frontier(OPTIONS, model, budget=2.0, runs=runs, draws=32)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    print(json.dumps({
        "setting": said, "options": len(OPTIONS), "mixes": found.tried, "runs": found.runs,
        "months": f"{found.details['start']} to {found.details['end']}", "seconds of the first, small one": first,
        "seconds": seconds, "seconds of processors": processor,
        "milliseconds a run": 1000.0 * seconds / found.runs,
        "seconds for 50,000 runs" if full else "seconds for 50,000 runs, extrapolated": seconds * RUNS / found.runs,
        "cores": os.cpu_count(), "load": os.getloadavg()[0],
        "largest memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main("--full" in sys.argv[1:])
