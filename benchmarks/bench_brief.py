"""Time and memory of the commands that an analyst waits for, each as a whole process.

Run: python benchmarks/bench_brief.py
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time

COMMANDS = {
    "zhol --help": ["--help"],
    "zhol brief KAZ (HTML and PDF)": ["brief", "KAZ", "--out", "{folder}", "--quiet"],
    "zhol brief UZB (HTML and PDF)": ["brief", "UZB", "--out", "{folder}", "--quiet"],
    "zhol roles": ["roles", "--csv", "--quiet"],
    "zhol data sql (one corridor)": ["data", "sql", "select persons from stocks where origin = 'UZB' and year = 2020"],
    "zhol region check central_asia": ["region", "check", "{pack}"],
}


def main() -> None:
    import zhol

    pack = str(zhol.load("central_asia").path)
    print("| command | seconds, median of 5 | shortest | longest |\n|---|--:|--:|--:|")
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            spent = []
            for _ in range(6):
                words = [a.format(folder=folder, pack=pack) for a in arguments]
                begin = time.perf_counter()
                subprocess.run([sys.executable, "-m", "zhol", *words], check=True, capture_output=True)
                spent.append(time.perf_counter() - begin)
            counted = sorted(spent[1:])
            print(f"| {name} | {counted[2]:.2f} | {counted[0]:.2f} | {counted[-1]:.2f} |")
    print(f"\nLargest memory of one command: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
