"""Whole processes: what an import adds, a file of many courses read, and many kept in memory.

    python -m benchmarks.bench_process

Each figure is of processes of their own, ours and the peer's in turn.
"""

import argparse
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench_core import course_fields
from benchmarks.rounds import MIN_ROUNDS, Ratio, ratio, report, table
from course_domain import Course
from course_domain.serialization import course_to_json

_TESTS = Path(__file__).parent.parent
_OURS = "from course_domain.serialization import course_from_json as read"
_PYDANTIC = """
from benchmarks.pydantic_course import PydanticCourse
read = PydanticCourse.model_validate_json
"""
_DATACLASS = "from benchmarks.dataclass_course import read"
_PEAK = """
import sys
from pathlib import Path
def peak():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0])
"""
_READ = """
{load}
with open(sys.argv[1], "rb") as lines:
    assert sum(read(line) is not None for line in lines) == int(sys.argv[2])
print(peak())
"""
_KEEP = """
{load}
before = peak()
with open(sys.argv[1], "rb") as lines:
    kept = [read(line) for line in lines]
assert len(kept) == int(sys.argv[2])
print(peak() - before)
"""
_WITHOUT_FAST = """
import sys
sys.modules["msgspec"] = None
import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "msgspec" else found(name)
"""


def process(code: str, *arguments: object) -> tuple[float, str]:
    """Run a Python of its own; give its seconds, and what it printed."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=_TESTS,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return time.perf_counter() - began, done.stdout


def imports(rounds: int) -> Iterator[tuple[str, str, object]]:
    """Compare what an import adds to a bare Python, of each round by the least of fifteen."""
    ours, attrs, pydantic = "course_domain", "attrs", "benchmarks.pydantic_course"
    codes = {name: f"import {name}" for name in (ours, attrs, pydantic)} | {"": ""}
    added: dict[str, list[float]] = {name: [] for name in codes}
    for _ in range(rounds):
        turns = [{name: process(code)[0] for name, code in codes.items()} for _ in range(15)]
        least = {name: min(turn[name] for turn in turns) for name in codes}
        for name, seconds in least.items():
            added[name].append(seconds - least[""])
    yield "`import course_domain`", "`import attrs`", ratio(added[ours], added[attrs])
    yield "`import course_domain`", "pydantic with its model", ratio(added[ours], added[pydantic])


def in_turn(
    first: str, second: str, arguments: Sequence[object], rounds: int
) -> tuple[Ratio, Ratio]:
    """Run two codes in turn; give the ratios of the time and of the memory that they print."""
    pairs = [[process(_PEAK + code, *arguments) for code in (first, second)] for _ in range(rounds)]
    ours, theirs = zip(*pairs, strict=True)
    return (
        ratio([seconds for seconds, _ in ours], [seconds for seconds, _ in theirs]),
        ratio([int(peak) for _, peak in ours], [int(peak) for _, peak in theirs]),
    )


def main() -> None:
    """Print the ratios: less is better."""
    about = "Whole processes, as ratios to others."
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--kept", type=int, default=1_000_000)
    asked = parser.parse_args()
    report(f"Python {platform.python_version()}, pydantic {version('pydantic')}")
    rows: list[tuple[object, ...]] = [("work", "beside", "ratio"), *imports(asked.rounds)]
    with TemporaryDirectory() as folder:
        file = Path(folder) / "courses.jsonl"

        def fill(lines: int) -> tuple[Path, int]:
            with file.open("w", encoding="utf-8") as into:
                for number in range(lines):
                    print(course_to_json(Course(**course_fields(number))), file=into)
            return file, lines

        given = fill(asked.lines)
        theirs = _READ.format(load=_PYDANTIC)
        for install, code in {"with `fast`": "", "plain": _WITHOUT_FAST}.items():
            ours = code + _READ.format(load=_OURS)
            seconds, peak = in_turn(ours, theirs, given, asked.rounds)
            rows += [
                (f"{asked.lines} lines, {install}: time", "pydantic", seconds),
                (f"{asked.lines} lines, {install}: peak memory", "pydantic", peak),
            ]
        given = fill(asked.kept)
        for install, code in {"with `fast`": "", "plain": _WITHOUT_FAST}.items():
            ours, theirs = code + _KEEP.format(load=_OURS), _KEEP.format(load=_DATACLASS)
            _, kept = in_turn(ours, theirs, given, 1)
            rows.append((f"memory a course of {asked.kept}, {install}", "a dataclass", kept))
    report(table(*rows))


if __name__ == "__main__":
    main()
