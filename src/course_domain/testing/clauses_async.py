"""Clauses for an async adapter alone: its calls are cancelled wherever they wait."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import attrs

from course_domain.course import Course
from course_domain.participation import Participation
from course_domain.testing.async_bench import AsyncRepositoryBench
from course_domain.testing.bench import NOW, completed, course, items, shown, walk
from course_domain.testing.clause import clause
from course_domain.testing.contestants import one_more_seat, seats
from course_domain.testing.differences import brief
from course_domain.testing.expectations import broken, expect, expect_true
from course_domain.testing.loops import Interruption

_MOST_WAITS = 40  # more than any call that has been seen; what waits longer is tried so far
_EXPIRY = NOW.replace(year=2028)


@attrs.frozen
class _Call:
    """One call of the adapter, and what it is about."""

    name: str
    arguments: tuple[Any, ...]
    on: Course
    whose: Any = None


def _completing(bench: AsyncRepositoryBench) -> _Call:
    on, whose = bench.stored(certificate_validity_months=12), uuid4()
    bench.register(on, whose)

    def decide(seen: Participation) -> Participation:
        return completed(seen, expires_at=_EXPIRY)

    return _Call("change_participation", (on.organization_id, on.id, whose, decide), on, whose)


def _changing(bench: AsyncRepositoryBench) -> _Call:
    on = bench.stored(max_participants=1)
    return _Call("change_course", (on.organization_id, on.id, one_more_seat), on)


def _adding(_bench: AsyncRepositoryBench) -> _Call:
    new = course()
    return _Call("add", (new,), new)


def _marking(bench: AsyncRepositoryBench) -> _Call:
    on = bench.stored()
    done = bench.complete(on)
    return _Call("mark_reminder_scheduled", (done.reminder,), on)


def _reading(bench: AsyncRepositoryBench) -> _Call:
    on = bench.stored()
    return _Call("participations", (on.organization_id, [on.id], uuid4()), on)


def _cancelled_at_each_wait(
    bench: AsyncRepositoryBench, make: Callable[[AsyncRepositoryBench], _Call]
) -> Iterator[tuple[_Call, Interruption, str]]:
    """Make a fresh call for each of its waits, cancel it there, and say so."""
    for at in range(1, _MOST_WAITS + 1):
        call = make(bench)
        ended = bench.interrupted(call.name, *call.arguments, at=at)
        if ended.outcome.error is not None and not ended.was_delivered:
            raise ended.outcome.error
        yield call, ended, f"{call.name}, cancelled at wait {at}"
        if not ended.was_reached:
            return


@clause("ASYNC-1")
def a_cancelled_completion_is_stored_as_one(bench: AsyncRepositoryBench) -> None:
    """A completion that is cancelled wherever it waits is stored as one, or not at all.

    A failure means that somebody has completed without a certificate, or that a reminder is lost,
    because a browser was closed. An answer, where one is given, means that it is stored.

    A correct adapter stores registration, certificate and reminder in one transaction, and rolls
    back whatever is raised where it waits.
    """
    for call, ended, what in _cancelled_at_each_wait(bench, _completing):
        bench.register(call.on)
        entry = shown(bench.repository, call.on, call.whose)
        held = entry.registration
        is_completed = held is not None and held.completed_at is not None
        pending = items(walk(lambda after: bench.repository.pending_reminders(after=after)))
        reminders = [each for each in pending if each.course_id == call.on.id]
        observed = (is_completed, entry.certificate is not None, len(reminders) == 1)
        expect((is_completed,) * 3, observed, f"{what}: completed, certified, to be reminded")
        expect(2, entry.confirmed_count, f"{what}: the confirmed count of two people")
        if ended.outcome.answer is not None:
            expect_true(is_completed, f"{what}: it gave an answer, so it is stored")


@clause("ASYNC-2")
def a_cancelled_change_is_stored_as_a_whole(bench: AsyncRepositoryBench) -> None:
    """A course that a cancelled call adds or changes is as before, or as was asked for.

    A failure means that lists and look-ups disagree about a course from then on.

    A correct adapter writes a course, and all that it keeps about it, in one transaction.
    """
    for make in (_changing, _adding):
        for call, _, what in _cancelled_at_each_wait(bench, make):
            on = call.on
            expected = (None, on) if make is _adding else (on, one_more_seat(on))
            read = bench.repository.get(on.organization_id, on.id)
            expect_true(read in expected, f"{what}: {brief(read)}, expected of {brief(expected)}")
            listed = bench.repository.courses(on.organization_id).items
            expect(() if read is None else (read,), listed, f"{what}: the list of courses")


@clause("ASYNC-3")
def a_cancelled_call_leaves_nothing_locked(bench: AsyncRepositoryBench) -> None:
    """After a call was cancelled, the next calls about the same course answer.

    A failure means that a browser that was closed blocks a course, or a connection of the pool.

    A correct adapter gives its lock and its connection back, whatever is raised where it waits.
    """
    for make in (_changing, _completing):
        for call, _, what in _cancelled_at_each_wait(bench, make):
            before = seats(bench.repository, call.on) or 0
            bench.repository.change_course(call.on.organization_id, call.on.id, one_more_seat)
            after = seats(bench.repository, call.on)
            expect(before + 1, after, f"{what}: a number that the next call raised by one")
            bench.register(call.on)


@clause("ASYNC-4")
def a_cancellation_passes_through(bench: AsyncRepositoryBench) -> None:
    """A cancellation that reaches the adapter comes out of its call, which gives no answer.

    A failure means that a server cannot stop, or that a call goes on for nobody.

    A correct adapter catches it at most to clean up, and raises it again.
    """
    for make in (_completing, _changing, _adding, _marking, _reading):
        for _, ended, what in _cancelled_at_each_wait(bench, make):
            if ended.was_delivered and not ended.was_passed_on:
                answered = brief(ended.outcome.error or ended.outcome.answer)
                raise broken(f"what comes out of {what}", "the cancellation", answered)


CLAUSES = (
    a_cancelled_completion_is_stored_as_one,
    a_cancelled_change_is_stored_as_a_whole,
    a_cancelled_call_leaves_nothing_locked,
    a_cancellation_passes_through,
)
