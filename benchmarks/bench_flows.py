"""Speed and memory of flows from stocks: N = 200 beside R, growth with N, the world with draws.

Run: python benchmarks/bench_flows.py [N200] [growth] [world] [folder of the data]

Each figure comes from a process of its own, so that memory is that of the call alone (Python and NumPy included).
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
# Seconds that R's migest 2.0.5 took for the same kind of data, N = 200, on the machine of the reference cases.
R_SECONDS = {
    "default": 17.6,
    "independence": 14.1,
    "open": 4.2,
    "open, deaths by accounting": 6.8,
    "births in proportion": 55.0,
}
CHOICES: dict[str, dict[str, Any]] = {
    "default": {},
    "independence": {"stayers": False},
    "open": {"closed": False},
    "open, deaths by accounting": {"closed": False, "deaths_method": "accounting"},
    "births in proportion": {"births_method": "proportion"},
    "pseudo-Bayes": {"method": "pseudo_bayes"},
    "seed": {"seed_matrix": True},
}
SIZES = (50, 100, 200, 400, 700, 1000)


def made_up_world(size: int, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Two stocks with heavy tails and many zeros, births and deaths."""
    rng = np.random.default_rng(seed)
    people = np.exp(rng.normal(15, 2, size))
    stocks = []
    foreign = np.exp(rng.normal(5, 2.5, (size, size))) * np.sqrt(np.outer(people, people)) / people.mean()
    foreign[rng.random((size, size)) < 0.4] = 0
    for growth, noise in ((1.0, 0.0), (1.06, 0.15)):
        table, residents = foreign * np.exp(noise * rng.normal(size=foreign.shape)), growth * people
        np.fill_diagonal(table, 0)
        table *= np.minimum(1, 0.4 * residents / table.sum(0))
        np.fill_diagonal(table, residents - table.sum(0))
        stocks.append(table.round())
    return stocks[0], stocks[1], (0.1 * people).round(), (0.04 * people).round()


def one_call(size: int, name: str, repeats: int) -> dict[str, float]:
    """Shortest of a few runs and the largest memory of this process."""
    from zhol.estimate import flows

    start, end, births, deaths = made_up_world(size)
    choices = dict(CHOICES[name])
    if "seed_matrix" in choices:
        choices["seed_matrix"] = np.exp(np.random.default_rng(1).normal(size=(size, size)))
    spent = []
    for _ in range(repeats):
        begin = time.perf_counter()
        flows(start, end, births=births, deaths=deaths, **choices)
        spent.append(time.perf_counter() - begin)
    return {"first": spent[0], "best": min(spent), "megabytes": _peak()}


def world_call(folder: str, draws: int) -> dict[str, float]:
    """Six periods and two sexes of all countries."""
    from zhol.estimate import world_flows

    begin = time.perf_counter()
    found = world_flows(folder, sexes=("men", "women"), draws=draws)
    size = len(next(iter(found.results.values())).places)
    return {"seconds": time.perf_counter() - begin, "megabytes": _peak(), "places": size}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def apart(*arguments: object) -> dict[str, float]:
    """The same file in a process of its own; its answer is one line of JSON."""
    command = [sys.executable, str(Path(__file__)), "--inside", *map(str, arguments)]
    answer: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def beside_r() -> None:
    """N = 200: seconds of the first and the best call, times faster than R, memory."""
    print("N = 200                      first s   best s   R s   faster   MB")
    for name in CHOICES:
        got, theirs = apart("call", 200, name, 5), R_SECONDS.get(name)
        ratio = "" if theirs is None else f"{theirs / got['first']:,.0f} to {theirs / got['best']:,.0f}"
        print(
            f"{name:28} {got['first']:7.3f} {got['best']:8.3f}  {theirs or '':>5} {ratio:>12} {got['megabytes']:6.0f}"
        )


def growth() -> None:
    """Seconds by number of places, printed and drawn."""
    from zhol.core import charts

    rows = []
    for size in SIZES:
        for name in ("default", "open", "independence"):
            got = apart("call", size, name, 3)
            rows.append({"year": size, "value": got["best"], "series": name})
            print(f"N = {size:5}  {name:14} {got['best']:8.3f} s  {got['megabytes']:6.0f} MB")
    title = "Seconds of one call by number of places (two cores)"
    chart = charts.lines(rows, unit="seconds", title=title, points=True)
    path = ROOT / "docs" / "images" / "flows-by-number-of-places.svg"
    path.write_text(charts.to_svg(chart), "utf-8")
    print(f"drawn: {path.relative_to(ROOT)}")


def main(arguments: list[str]) -> None:
    """Everything, or what is named."""
    if arguments[:1] == ["--inside"]:
        if arguments[1] == "call":
            answer = one_call(int(arguments[2]), arguments[3], int(arguments[4]))
        else:
            answer = world_call(arguments[2], int(arguments[3]))
        print(json.dumps(answer))
        return
    wanted = {a for a in arguments if a in ("N200", "growth", "world")} or {"N200", "world"}
    if "N200" in wanted:
        beside_r()
    if "growth" in wanted:
        growth()
    folder = next((a for a in arguments if Path(a).is_dir()), str(ROOT.parent / "shared" / "data"))
    if "world" in wanted and Path(folder).is_dir():
        got = apart("world", folder, 100)
        size = f"{got['places']:.0f} places, 6 periods, 2 sexes, 100 draws"
        print(f"world: {size}: {got['seconds']:.0f} s, {got['megabytes']:.0f} MB")


if __name__ == "__main__":
    main(sys.argv[1:])
