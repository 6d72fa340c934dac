"""The moving system: seconds by draws, corridors and months; compiled code at a second start; memory; PySD beside it.

Run: python benchmarks/bench_system.py [speed] [draws] [corridors] [months] [start] [memory] [peer=PYTHON] [quick]

Each figure comes from a process of its own, so that memory is that of the call alone (Python and JAX included) and
nothing is compiled already but what lies in the cache on disk. ``engine`` is the compiled run with its results copied
out; ``call`` is ``model.simulate`` as a user calls it, with drivers, regimes and draws made anew. ``quick`` runs
everything once at a small size, to see that it works. ``peer`` takes a Python that has PySD:
``python -m venv /tmp/peer && /tmp/peer/bin/pip install pysd``.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

START, END = "2021-01", "2040-12"  # 240 months
TARGETS = {1: 0.015, 50: 0.5, 500: 5.0}  # seconds, compiled, real pack
MEMORY = 2048.0  # MB, 500 draws to 2040
CHAIN = 50  # stocks of the peer's chain
STEPS = 240
# A chain of stocks in the language that PySD reads: each empties into the next at a tenth a month.
_STOCK = "stock {i} = INTEG ({before} - stock {i} * rate, {first})\n\t~ persons\n\t~ ~|\n\n"
_HEAD = """{stocks}rate = 0.1
\t~ 1/Month
\t~ ~|

INITIAL TIME = 0
\t~ Month
\t~ ~|

FINAL TIME = {steps}
\t~ Month
\t~ ~|

TIME STEP = 1
\t~ Month
\t~ ~|

SAVEPER = TIME STEP
\t~ Month
\t~ ~|

"""
_PEER = """
import sys, time, pysd
model = pysd.read_vensim(sys.argv[1])
model.run()
spent = []
for _ in range(int(sys.argv[2])):
    begin = time.perf_counter(); model.run(); spent.append(time.perf_counter() - begin)
print(pysd.__version__, min(spent))
"""


def measured(draws: int, minimum: float, end: str, repeats: int, every: str = "year") -> dict[str, float]:
    """First and best seconds of the engine and of a whole call, compiled pieces asked for and found, memory."""
    import jax.monitoring
    import numpy as np

    import zhol
    from zhol.system.driver_paths import driver_paths
    from zhol.system.instruments import compile_actions, month_range
    from zhol.system.regimes import regime_paths
    from zhol.system.simulate import parameter_vectors, run_engine

    seen: dict[str, int] = {}

    def count(event: str, **more: str | int) -> None:
        seen[event] = seen.get(event, 0) + 1

    jax.monitoring.register_event_listener(count)
    begin = time.perf_counter()
    model = zhol.system.Model(zhol.load("central_asia"), minimum=minimum)
    build = time.perf_counter() - begin
    names = ("working_age", "income_ppp", "income_usd", "employment", "conflict", "death_rate")
    months = month_range(START, end)
    paths = driver_paths(model.region, model.places, start=START, end=end, draws=draws, seed=1, dtype=np.float32)
    drivers = {n: getattr(paths, n) for n in names}
    regimes = np.asarray(regime_paths(model.region, model.corridors, START, end).index)
    vectors, _ = parameter_vectors(model, None, draws, 1)
    hooks = compile_actions((), model, months, draws, 1)
    engine, whole = [], []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        run_engine(model, vectors, hooks, drivers, regimes, START, months=12 if every == "year" else 1)
        engine.append(time.perf_counter() - begin)
    for _ in range(repeats):
        begin = time.perf_counter()
        model.simulate(start=START, end=end, draws=draws, every=every)
        whole.append(time.perf_counter() - begin)
    base = "/jax/compilation_cache/"
    return {
        "build": build,
        "first": engine[0],
        "engine": min(engine[1:]),
        "call": min(whole),
        "asked": seen.get(base + "compile_requests_use_cache", 0),
        "found": seen.get(base + "cache_hits", 0),
        "written": seen.get(base + "cache_misses", 0),
        "corridors": len(model.corridors),
        "stocks": len(model.corridors) * 10 + len(model.places),
        "months": len(months),
        "megabytes": _peak(),
    }


def remembered(draws: int, start: str) -> dict[str, float]:
    """Largest memory of one run to 2040, as a user calls it."""
    import zhol

    begin = time.perf_counter()
    model = zhol.system.Model(zhol.load("central_asia"))
    run = model.simulate(start=start, end=END, draws=draws)
    run.table("irregular_stock", by=["destination"])
    return {"seconds": time.perf_counter() - begin, "megabytes": _peak(), "draws": draws}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(*arguments: object, cache: str | None = None) -> dict[str, float]:
    """The same file in a process of its own; its answer is one line of JSON."""
    command = [sys.executable, str(Path(__file__)), "--inside", *map(str, arguments)]
    there = {**os.environ, **({"ZHOL_CACHE": cache} if cache else {})}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=there)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def speed(quick: bool) -> None:
    """One, 50 and 500 draws of 240 months on the real pack, beside the targets."""
    print("| draws, 240 months | engine, s | whole call, s | target, s | first run, s |\n|--:|--:|--:|--:|--:|")
    for draws, target in TARGETS.items():
        if quick and draws > 1:
            continue
        got = apart("run", draws, 1000, END, 1 if quick else 5)
        print(f"| {draws} | {got['engine']:.3f} | {got['call']:.2f} | {target:g} | {got['first']:.1f} |", flush=True)


def scaling(what: str, quick: bool) -> None:
    """Seconds by draws, by corridors (the least stock that makes one) or by months."""
    cases: dict[str, list[tuple[int, float, str]]] = {
        "draws": [(d, 1000.0, END) for d in (16, 32, 64, 128, 256, 512)],
        "corridors": [(50, m, END) for m in (100_000.0, 10_000.0, 1_000.0, 100.0)],
        "months": [(50, 1000.0, e) for e in ("2025-12", "2030-12", "2040-12", "2060-12")],
    }
    chosen = cases[what][:1] if quick else cases[what]
    print(f"\n| {what} | engine, s | milliseconds a draw | microseconds a corridor, draw and month | MB |")
    print("|--:|--:|--:|--:|--:|")
    for draws, minimum, end in chosen:
        got = apart("run", draws, minimum, end, 1 if quick else 3)
        shown = {"draws": draws, "corridors": int(got["corridors"]), "months": int(got["months"])}[what]
        each = got["engine"] / draws
        unit = each / got["corridors"] / got["months"] * 1e6
        print(f"| {shown} | {got['engine']:.2f} | {each * 1e3:.1f} | {unit:.3f} | {got['megabytes']:.0f} |", flush=True)


def second_start(quick: bool) -> None:
    """Two fresh processes that share an empty cache: what the second has to compile."""
    with tempfile.TemporaryDirectory() as folder:
        starts = [apart("run", 1 if quick else 50, 1000, END, 1, cache=folder) for _ in range(2)]
    print("\n| start | first run, s | pieces asked for | found on disk | compiled and kept |\n|---|--:|--:|--:|--:|")
    for name, got in zip(("first", "second"), starts, strict=True):
        print(f"| {name} | {got['first']:.1f} | {got['asked']} | {got['found']} | {got['written']} |")
    print("Pieces that compile in less than 0.2 s are not kept.")


def memory(quick: bool) -> None:
    """Largest memory of 500 draws to 2040, from 2021 and from 2000."""
    print("\n| run | MB | target |\n|---|--:|--:|")
    for start in (START,) if quick else (START, "2000-01"):
        got = apart("memory", 16 if quick else 500, start)
        print(f"| {got['draws']:.0f} draws, {start} to {END} | {got['megabytes']:.0f} | {MEMORY:.0f} |", flush=True)


def beside_peer(python: str, quick: bool) -> None:
    """PySD on a chain of 50 stocks, 240 steps, one run: seconds a stock and step beside ours."""
    rows = [_STOCK.format(i=i, before="0" if i == 1 else f"stock {i - 1} * rate", first=1000 if i == 1 else 0)
            for i in range(1, CHAIN + 1)]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.mdl"
        path.write_text("{UTF-8}\n" + _HEAD.format(stocks="".join(rows), steps=STEPS), encoding="utf-8")
        command = [python, "-c", _PEER, str(path), "2" if quick else "20"]
        version, said = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-2:]
    theirs = float(said) / (CHAIN * STEPS)
    print("\n| one stock, one step | microseconds | times |\n|---|--:|--:|")
    print(f"| PySD {version}, {CHAIN} stocks, {STEPS} steps in {float(said) * 1e3:.0f} ms | {theirs * 1e6:.2f} | 1 |")
    for draws in (1,) if quick else (1, 500):
        got = apart("run", draws, 1000, END, 1 if quick else 5)
        ours = got["engine"] / (draws * got["stocks"] * got["months"])
        words = f"zhol, {got['stocks']:.0f} stocks, {got['months']:.0f} months, {draws} draws"
        print(f"| {words} | {ours * 1e6:.4f} | {theirs / ours:,.0f} |", flush=True)


def main(arguments: list[str]) -> None:
    """Everything, or what is named."""
    if arguments[:1] == ["--inside"]:
        if arguments[1] == "run":
            answer = measured(int(arguments[2]), float(arguments[3]), arguments[4], int(arguments[5]))
        else:
            answer = remembered(int(arguments[2]), arguments[3])
        print(json.dumps(answer))
        return
    quick = "quick" in arguments
    peer = next((a.split("=", 1)[1] for a in arguments if a.startswith("peer=")), "")
    named = [a for a in arguments if a != "quick"]
    calls: dict[str, Any] = {
        "speed": speed,
        **{what: partial(scaling, what) for what in ("draws", "corridors", "months")},
        "start": second_start,
        "memory": memory,
    }
    for name, step in calls.items():
        if not named or name in named:
            step(quick)
    if peer:
        beside_peer(peer, quick)


if __name__ == "__main__":
    main(sys.argv[1:])
