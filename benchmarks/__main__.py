"""Run every measurement of this folder, one process each, and print what they print.

Run: make bench (or python -m benchmarks bench_recapture … for some of them)
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    """Run the scripts named, or all of them; 1 if one failed."""
    known = {p.stem: p for p in sorted(HERE.glob("*.py")) if p.stem.startswith(("bench_", "coverage_"))}
    wanted = sys.argv[1:] or list(known)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no such measurement: {unknown[0]}; there are {', '.join(known)}", file=sys.stderr)
        return 2
    failed = False
    for name in wanted:
        print(f"\n## {name}\n", flush=True)
        failed |= subprocess.run([sys.executable, str(known[name])], check=False).returncode != 0
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
