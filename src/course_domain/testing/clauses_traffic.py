"""Clauses for an adapter that declares ``threads``: many threads at different rows."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

import attrs

from course_domain.errors import DuplicateCourse
from course_domain.testing.bench import (
    THREADS,
    RepositoryBench,
    change,
    confirmed,
    shown,
)
from course_domain.testing.clause import clause
from course_domain.testing.clauses_crowds import CROWD, errors_of
from course_domain.testing.contestants import change_course, one_more_seat
from course_domain.testing.expectations import expect, expect_some
from course_domain.testing.rivals import TIMES, all_at_once


@clause("CROWD-6", THREADS, times=TIMES)
def a_crowd_adds_a_course_once(bench: RepositoryBench) -> None:
    """Of sixteen courses added under one id at once, one is stored and fifteen are duplicates.

    A failure means that an id is given twice, or that an error of the storage reaches the host.

    A correct adapter turns the storage's violation of its key into DuplicateCourse.
    """
    on = bench.stored()
    ids = uuid4()
    added = [attrs.evolve(on, id=ids, title=f"added {number}") for number in range(CROWD)]
    outcomes = all_at_once([partial(bench.repository.add, each) for each in added])
    expect({DuplicateCourse.__name__: CROWD - 1}, errors_of(outcomes), "the errors")
    (taken,) = [course for course, each in zip(added, outcomes, strict=True) if each.error is None]
    expect(taken, bench.repository.get(on.organization_id, ids), "what is stored")


@clause("CROWD-8", THREADS, times=TIMES)
def courses_do_not_stand_in_each_others_way(bench: RepositoryBench) -> None:
    """Changes of many courses at once are all stored, whatever their order.

    A failure means that changes of different courses lock each other out, or get mixed up.

    A correct adapter locks one course for a call, and no second one.
    """
    organization_id = uuid4()
    courses = [bench.stored(organization_id=organization_id, max_participants=1) for _ in range(4)]
    calls: list[Callable[[], Any]] = []
    for on in courses * 2:
        calls.append(partial(change_course, bench.repository, on, one_more_seat))
        calls.append(partial(change, bench.repository, on, uuid4(), confirmed))
    expect({}, errors_of(all_at_once(calls)), "the errors")
    for on in courses:
        read = shown(bench.repository, on, uuid4())
        observed = (read.course.max_participants, read.confirmed_count)
        expect((3, 2), observed, "the number raised twice, and the count")


@clause("CROWD-9", THREADS, times=TIMES)
def a_crowd_adds_and_others_read(bench: RepositoryBench) -> None:
    """Of courses that are added at once, none is lost, and who reads meanwhile gets an answer.

    A failure means that two admins who add a course each make one vanish from the list, or that
    a reader meets an error because somebody writes.

    A correct adapter adds a row of its own for each course, and reads from a snapshot.
    """
    organization_id = uuid4()
    on = bench.stored(organization_id=organization_id)
    added = [attrs.evolve(on, id=uuid4(), title=f"added {number}") for number in range(CROWD)]
    reading: tuple[Callable[[], Any], ...] = (
        partial(bench.repository.courses, organization_id),
        partial(bench.repository.registrations, organization_id),
        bench.repository.pending_reminders,
        partial(change, bench.repository, on, uuid4(), confirmed),
    )
    calls: list[Callable[[], Any]] = []
    for number, each in enumerate(added):
        calls += [partial(bench.repository.add, each), reading[number % 4]]
    expect({}, errors_of(all_at_once(calls)), "the errors")
    listed = bench.repository.courses(organization_id).items
    expect({on, *added}, set(listed), "the courses that are listed")
    expect(len(added) + 1, len(listed), "how many there are")


@clause("CROWD-10", THREADS, times=TIMES)
def a_crowd_marks_and_registers(bench: RepositoryBench) -> None:
    """Reminders of one course that are marked at once, while people register, are all marked.

    A failure means that a mark is lost and a person reminded twice, or that a mark undoes a
    registration.

    A correct adapter changes the one row of the reminder, and no other.
    """
    on = bench.stored()
    done = [bench.complete(on) for _ in range(CROWD // 2)]
    people = [uuid4() for _ in range(CROWD // 2)]
    calls: list[Callable[[], Any]] = []
    for each, whose in zip(done, people, strict=True):
        reminder = expect_some(each.reminder, "the reminder in the answer")
        calls.append(partial(bench.repository.mark_reminder_scheduled, reminder))
        calls.append(partial(change, bench.repository, on, whose, confirmed))
    expect({}, errors_of(all_at_once(calls)), "the errors")
    expect((), bench.repository.pending_reminders().items, "the outbox, all of it marked")
    listed = bench.repository.registrations(on.organization_id).items
    expected = {each.user_id for each in done} | set(people)
    expect(expected, {each.user_id for each in listed}, "who is registered")
    count = shown(bench.repository, on, uuid4()).confirmed_count
    expect(len(expected), count, "the confirmed count")


CLAUSES = (
    a_crowd_adds_a_course_once,
    courses_do_not_stand_in_each_others_way,
    a_crowd_adds_and_others_read,
    a_crowd_marks_and_registers,
)
