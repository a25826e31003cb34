"""Clauses for an adapter that declares ``threads``: how long a call goes on trying."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import attrs

from course_domain.course import Course
from course_domain.errors import RepositoryUnavailable
from course_domain.participation import Participation
from course_domain.testing.bench import THREADS, RepositoryBench, change, confirmed, shown
from course_domain.testing.clause import clause
from course_domain.testing.contestants import (
    change_course,
    expect_error_of,
    one_more_seat,
)
from course_domain.testing.expectations import expect, expect_true
from course_domain.testing.rivals import Rival

_TURN_SECONDS = 1.6  # below the 2 seconds for which every adapter goes on trying
MOST_SECONDS = 8.7  # above the 8 after which every adapter has given up, on a busy machine
_MOST_RIVALS = 40


@clause("RACE-11", THREADS)
def rivals_in_a_row_are_outlasted(bench: RepositoryBench) -> None:
    """A change that meets one rival after another for less than 2 seconds is stored in the end.

    A failure means that on a busy course people are told to come back, without need.

    A correct adapter goes on trying by time, at least 2 seconds, and not by a number of tries.
    """
    for changes in (_seat_added, _somebody_registered):
        on = bench.stored(max_participants=1)
        _expect_outlasted(bench, on, partial(changes, bench, on))


def _seat_added(
    bench: RepositoryBench, on: Course, meet: Callable[[], object] = lambda: None
) -> Any:
    """Change the course, and meet whom there is to meet inside the decision."""

    def decide(seen: Course) -> Course:
        meet()
        return one_more_seat(seen)

    return change_course(bench.repository, on, decide)


def _somebody_registered(
    bench: RepositoryBench, on: Course, meet: Callable[[], object] = lambda: None
) -> Any:
    """Register somebody new, and meet whom there is to meet inside the decision."""

    def decide(seen: Participation) -> Participation:
        meet()
        return confirmed(seen)

    return change(bench.repository, on, uuid4(), decide)


def _expect_outlasted(
    bench: RepositoryBench, on: Course, changed: Callable[[Callable[[], None]], Any]
) -> None:
    kinds = (_seat_added, _somebody_registered)
    rivals = [Rival(partial(kinds[number % 2], bench, on)) for number in range(_MOST_RIVALS)]
    waiting = iter(rivals)
    until = time.monotonic() + _TURN_SECONDS / 2

    def meet() -> None:
        opponent = next(waiting, None) if time.monotonic() < until else None
        if opponent is not None and opponent.meet() is False:
            for rest, _ in zip(waiting, range(5), strict=False):
                rest.start()  # against a lock one rival after another queues up

    changed(meet)
    met = [each for each in rivals if each.was_started]
    for each in met:
        expect_error_of(each.outcome(), None, "a rival")
    _expect_all_stored(bench, on, 1 + len(met))


def _expect_all_stored(bench: RepositoryBench, on: Course, calls: int) -> None:
    """Find what each call has raised by one: the cap, which was 1, or the count, which was 0."""
    read = shown(bench.repository, on, uuid4())
    observed = (read.course.max_participants or 0) + read.confirmed_count
    expect(1 + calls, observed, f"the cap and the count, one of which each of {calls} raised by 1")


@clause("RACE-12", THREADS)
def a_call_waits_its_turn(bench: RepositoryBench) -> None:
    """A call that finds the course taken for less than 2 seconds does not give up.

    A failure means that one slow caller makes others fail.

    A correct adapter goes on trying for at least 2 and at most 8 seconds, whoever is waiting and
    for whom.
    """
    for changed in (_seat_added, _somebody_registered):
        on = bench.stored(max_participants=1)
        waiting = [Rival(partial(each, bench, on)) for each in (_seat_added, _somebody_registered)]
        until = time.monotonic() + _TURN_SECONDS

        def meet() -> None:
            waiting[0].start()
            waiting[1].meet(max(0.0, until - time.monotonic()))  # asked again, it waits no longer

        changed(bench, on, meet)
        for each in waiting:
            expect_error_of(each.outcome(), None, "a call that waited")
        _expect_all_stored(bench, on, 3)


@clause("RACE-21", THREADS)
def who_comes_later_waits_too(bench: RepositoryBench) -> None:
    """Of three changes, the second of which waits and the third of which comes then, none is lost.

    A failure means that a course is free for whoever comes while one who waited for it decides.

    A correct adapter keeps the lock of a course while anybody waits for it, or stores on condition
    of its version.
    """
    for changed in (_seat_added, _somebody_registered):
        on = bench.stored(max_participants=1)
        third = Rival(partial(changed, bench, on))
        second = Rival(partial(changed, bench, on, third.meet))
        changed(bench, on, second.meet)
        for each in (second, third):
            expect_error_of(each.outcome(), None, "a call that came later")
        _expect_all_stored(bench, on, 3)


@clause("RACE-16", THREADS)
def a_call_gives_up_in_the_end(bench: RepositoryBench) -> None:
    """A call that cannot have its turn for 8 seconds raises RepositoryUnavailable, stores nothing.

    A failure means that one caller that hangs takes a host's threads with it, one after another,
    that the storage's own error reaches the host, or that nobody has a turn after that.

    A correct adapter goes on trying for at least 2 and at most 8 seconds, and then says so, and
    leaves the line in which it stood.
    """
    on = bench.stored()
    seconds: list[float] = []

    def timed(call: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            began = time.monotonic()
            try:
                return call()
            finally:
                seconds.append(time.monotonic() - began)

        return run

    waiting = (
        Rival(timed(lambda: change(bench.repository, on, uuid4(), confirmed))),
        Rival(timed(lambda: change_course(bench.repository, on, one_more_seat))),
    )

    def hang(seen: Course) -> Course:
        for each in waiting:
            each.start()
        until = time.monotonic() + MOST_SECONDS
        for each in waiting:
            each.meet(max(0.0, until - time.monotonic()))
        return attrs.evolve(seen, title="slow")

    change_course(bench.repository, on, hang)
    for each in waiting:
        if not isinstance(each.outcome().error, RepositoryUnavailable):
            expect_error_of(each.outcome(), None, "the call that waited")
    slowest = max(seconds)
    expect_true(slowest <= MOST_SECONDS, f"a call waited for {slowest:.1f} seconds, 8 at most")
    took = [each.outcome().error is None for each in waiting]
    read = shown(bench.repository, on, uuid4())
    observed = (read.course.title, read.confirmed_count, read.course.max_participants or 0)
    expect(("slow", *map(int, took)), observed, "the title, the count and the cap after all")
    change(bench.repository, on, uuid4(), confirmed)
    change_course(bench.repository, on, one_more_seat)


CLAUSES = (
    rivals_in_a_row_are_outlasted,
    a_call_waits_its_turn,
    who_comes_later_waits_too,
    a_call_gives_up_in_the_end,
)
