"""Speed of Sobol's indices on the Central Asia pack at the coarse setting: 20,000 runs.

Run: python benchmarks/bench_sensitivity.py [--full]

Without --full a tenth of the runs is timed after a first that compiles, and the time of all is that many times as long:
nearly all of it goes into the runs. With --full all are made. Two lines: present policies, and a package beside them
(where two runs make one evaluation).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from typing import Any

import zhol
from zhol.policy import package, sensitivity
from zhol.policy._uncertain.coarse import coarse_model

RUNS = 20_000


def timed(full: bool, *args: Any, **settings: Any) -> dict[str, Any]:
    """Seconds of one analysis, after a small one."""
    sensitivity(*args, method="morris", runs=1000, **settings)
    start, processor = time.perf_counter(), time.process_time()
    found = sensitivity(*args, runs=RUNS if full else RUNS // 10, keep=12 if full else 4, **settings)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    name = "seconds for 20,000 runs" if full else "seconds for 20,000 runs, extrapolated"
    return {"what": found.what, "factors": found.details["factors"], "runs": found.runs, "seconds": seconds,
            "months": f"{found.details['start']} to {found.details['end']}", "seconds of processors": processor,
            "milliseconds a run": 1000.0 * seconds / found.runs, name: seconds * RUNS / found.runs}  # fmt: skip


def main(full: bool) -> None:
    """Time both and print one JSON object."""
    model, said = coarse_model(zhol.load("central_asia"))
    plan = package("protect_and_regularise", "KAZ", "2027-01")
    out: dict[str, Any] = {"setting": said, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    out["present policies"] = timed(full, None, model)
    out["package beside them"] = timed(full, plan, model, base="present policies")
    out["largest memory, MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(out, indent=1))


if __name__ == "__main__":
    main("--full" in sys.argv[1:])
