"""Cases measured beside each other: in rounds, as ratios, with how far these spread."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence

import attrs

MIN_ROUNDS = 9

Case = Callable[[], float]  # does its work, and gives the seconds that one piece of it took


@attrs.frozen
class Ratio:
    """Hold the median of the ratios of all rounds, and their quartiles."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{_short(self.median)} ({_short(self.low)} to {_short(self.high)})"


def _short(number: float) -> str:
    return f"{number:.2f}" if number < 10 else f"{number:.0f}"


def interleaved(cases: Mapping[str, Case], rounds: int) -> dict[str, list[float]]:
    """Run each case once a round, in an order that turns, so that what disturbs hits them alike.

    One round more, before the others, warms up.
    """
    names = list(cases)
    taken: dict[str, list[float]] = {name: [] for name in names}
    for number in range(-1, rounds):
        first = number % len(names)
        for name in names[first:] + names[:first]:
            seconds = cases[name]()
            if number >= 0:
                taken[name].append(seconds)
    return taken


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> Ratio:
    """Divide round by round."""
    each = [above / below for above, below in zip(numerators, denominators, strict=True)]
    if len(each) == 1:
        return Ratio(each[0], each[0], each[0])
    low, median, high = statistics.quantiles(each, n=4, method="inclusive")
    return Ratio(median, low, high)


def repeated(call: Callable[[int], object], times: int) -> Case:
    """Make a case of so many calls, each with its number, counted on from round to round."""
    done = 0

    def case() -> float:
        nonlocal done
        began = time.perf_counter()
        for number in range(done, done + times):
            call(number)
        done += times
        return (time.perf_counter() - began) / times

    return case


def table(*rows: Sequence[object]) -> str:
    """Write rows, the first of them the heading, as a table of Markdown."""
    heading, *others = [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([heading, "|---" * len(rows[0]) + "|", *others])


def report(block: str) -> None:
    """Tell one part of what was measured."""
    print(block, end="\n\n", flush=True)  # noqa: T201  what a script is run for
