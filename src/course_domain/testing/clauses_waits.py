"""Clauses for an adapter that declares ``threads``: how long a call goes on trying."""

import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import attrs

from course_domain.course import Course
from course_domain.errors import RepositoryUnavailable
from course_domain.testing.bench import THREADS, RepositoryBench, change, confirmed, shown
from course_domain.testing.clause import clause
from course_domain.testing.contestants import (
    change_course,
    expect_error_of,
    one_more_seat,
    seats,
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
    on = bench.stored(max_participants=1)
    rivals = [
        Rival(lambda: change_course(bench.repository, on, one_more_seat))
        for _ in range(_MOST_RIVALS)
    ]
    waiting = iter(rivals)
    until = time.monotonic() + _TURN_SECONDS / 2

    def meet_and_answer(seen: Course) -> Course:
        opponent = next(waiting, None) if time.monotonic() < until else None
        if opponent is not None and opponent.meet() is False:
            for rest, _ in zip(waiting, range(5), strict=False):
                rest.start()  # against a lock one rival after another queues up
        return one_more_seat(seen)

    change_course(bench.repository, on, meet_and_answer)
    met = [each for each in rivals if each.was_started]
    for each in met:
        expect_error_of(each.outcome(), None, "a rival")
    expect(2 + len(met), seats(bench.repository, on), "a number that each call raised by one")


@clause("RACE-12", THREADS)
def a_call_waits_its_turn(bench: RepositoryBench) -> None:
    """A call that finds the course taken for less than 2 seconds does not give up.

    A failure means that one slow caller makes others fail.

    A correct adapter goes on trying for at least 2 and at most 8 seconds.
    """
    on = bench.stored()
    waiting = Rival(lambda: change(bench.repository, on, uuid4(), confirmed))

    def slow(seen: Course) -> Course:
        waiting.meet(_TURN_SECONDS)
        return attrs.evolve(seen, title="slow")

    change_course(bench.repository, on, slow)
    expect_error_of(waiting.outcome(), None, "the call that waited")
    read = shown(bench.repository, on, uuid4())
    observed = (read.course.title, read.confirmed_count)
    expect(("slow", 1), observed, "the title and the count after both")


@clause("RACE-16", THREADS)
def a_call_gives_up_in_the_end(bench: RepositoryBench) -> None:
    """A call that cannot have its turn for 8 seconds raises RepositoryUnavailable, stores nothing.

    A failure means that one caller that hangs takes a host's threads with it, one after another,
    or that the storage's own error reaches the host.

    A correct adapter goes on trying for at least 2 and at most 8 seconds, and then says so.
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


CLAUSES = (rivals_in_a_row_are_outlasted, a_call_waits_its_turn, a_call_gives_up_in_the_end)
