"""Everything that the page about performance tells, measured again, by `python -m benchmarks`.

Half an hour on a quiet machine, and 6 GB of disk.
"""

import subprocess
import sys

RUNS = (
    ("bench_core",),
    ("bench_process",),
    ("bench_memory",),
    ("bench_seats", "--engine", "postgresql", "--rounds", "15"),
    ("bench_seats", "--engine", "sqlite", "--rounds", "15"),
    ("bench_pages", "--engine", "postgresql"),
    ("bench_pages", "--engine", "sqlite"),
)


def main() -> None:
    """Run one after the other, each in a process of its own."""
    for module, *arguments in RUNS:
        subprocess.run([sys.executable, "-m", f"benchmarks.{module}", *arguments], check=True)


if __name__ == "__main__":
    main()
