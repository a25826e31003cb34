"""Clauses for an adapter that declares ``threads``: what is read once a change has returned."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course
from course_domain.participation import Participation
from course_domain.ports import CourseRepository
from course_domain.testing.bench import (
    EXPIRY,
    THREADS,
    RepositoryBench,
    change,
    completed,
    shown,
    waiting_for,
)
from course_domain.testing.clause import clause
from course_domain.testing.contestants import change_course, expect_error_of, one_more_seat
from course_domain.testing.expectations import expect, expect_some
from course_domain.testing.rivals import Rival

# How long a read may be under way when what it reads is changed: some are quick, some are not.
_MOMENTS = (0.0, 0.001, 0.003, 0.01, 0.03)


def _reads(own: CourseRepository, on: Course, whose: UUID) -> Mapping[str, Callable[[], Any]]:
    """Give every way to read what there is of a person on a course that has no other."""
    organization_id = on.organization_id
    return {
        "get": lambda: own.get(organization_id, on.id),
        "courses": lambda: own.courses(organization_id).items,
        "participations": lambda: attrs.evolve(shown(own, on, whose), reminder=None),
        "registrations": lambda: own.registrations(organization_id).items,
        "certificates": lambda: own.certificates(organization_id).items,
        "pending_reminders": lambda: waiting_for(own, on),
    }


def _expect_read(reads: Mapping[str, Callable[[], Any]], done: Participation, where: str) -> None:
    """Read in every way what there is of a person who is completed."""
    expected = {
        "get": done.course,
        "courses": (done.course,),
        "participations": attrs.evolve(done, reminder=None),
        "registrations": (done.registration,),
        "certificates": (done.certificate,),
        "pending_reminders": [done.reminder],
    }
    for name, each in expected.items():
        expect(each, reads[name](), f"{name}, {where}")


@clause("RACE-18", THREADS)
def a_thread_that_reads_again_sees_what_has_changed(bench: RepositoryBench) -> None:
    """A thread that lives on, and has read before, sees what other threads have changed since.

    A failure means that a worker of a web server shows for ever what it has once read, or decides
    on it.

    A correct adapter ends with each call what it began for it: a transaction, a snapshot or a
    session that belongs to the thread.
    """
    on = bench.stored(max_participants=1)
    whose = uuid4()

    def look_again(own: CourseRepository) -> None:
        reads = _reads(own, on, whose)
        for read in reads.values():
            read()
        change_course(bench.repository, on, one_more_seat)
        done = bench.complete(on, whose)
        _expect_read(reads, done, "in a thread that had read before the change")
        reminder = expect_some(done.reminder, "the reminder in the answer")
        bench.repository.mark_reminder_scheduled(reminder)
        left = reads["pending_reminders"]()
        expect([], left, "the outbox, in a thread that had read before")
        change_course(bench.repository, on, one_more_seat)
        given = change_course(own, on, one_more_seat)
        expect(4, given.max_participants, "a number that was raised by one three times, from 1")

    bench.in_one_thread(look_again)


@clause("RACE-20", THREADS)
def nothing_is_kept_that_was_read_beside_a_change(bench: RepositoryBench) -> None:
    """Once a change has returned, every read shows it, also where others read meanwhile.

    A failure means that a cache took the earlier state in behind the change: everybody is shown
    it for as long as the cache lives.

    A correct adapter reads from the store, or keeps only what nothing has changed since it was
    read.
    """
    where = "read again behind a change, beside which somebody read"
    for moment in _MOMENTS:
        on, whose = bench.stored(max_participants=1), uuid4()
        done = bench.complete(on, whose)
        reads = _reads(bench.repository, on, whose)
        raising = partial(change_course, bench.repository, on)
        raised = _changed_beside(reads, moment, raising, one_more_seat)
        _expect_read(reads, attrs.evolve(done, course=raised), where)
        on = bench.stored()
        bench.register(on, whose)
        reads = _reads(bench.repository, on, whose)
        completing = partial(change, bench.repository, on, whose)
        done = _changed_beside(reads, moment, completing, partial(completed, expires_at=EXPIRY))
        _expect_read(reads, done, where)


def _changed_beside(
    reads: Mapping[str, Callable[[], Any]],
    moment: float,
    changing: Callable[[Callable[[Any], Any]], Any],
    decide: Callable[[Any], Any],
) -> Any:
    """Let others read while a change decides, and go on before they may have ended."""
    readers = [Rival(read) for read in reads.values()]

    def decide_beside(seen: Any) -> Any:
        for each in readers:
            each.start()
        readers[-1].meet(moment)
        return decide(seen)

    answer = changing(decide_beside)
    for each in readers:
        expect_error_of(each.outcome(), None, "who read meanwhile")
    return answer


CLAUSES = (
    a_thread_that_reads_again_sees_what_has_changed,
    nothing_is_kept_that_was_read_beside_a_change,
)
