"""Clauses for an adapter that declares ``threads``: many threads at different rows."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from uuid import uuid4

import attrs

from course_domain.course import CourseStatus
from course_domain.errors import DuplicateCourse
from course_domain.testing.bench import (
    EXPIRY,
    THREADS,
    RepositoryBench,
    change,
    completed,
    confirmed,
    shown,
    waiting_for,
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
    """Changes of many courses at once are all stored and listed, whatever their order.

    A failure means that changes of different courses lock each other out, get mixed up, or write
    over each other what they share: a reminder or a place in a list is lost for good.

    A correct adapter locks one course for a call, and no second one; what several courses share
    it keeps as a row of its own for each entry.
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
    _expect_whole_lists(bench)


def _expect_whole_lists(bench: RepositoryBench) -> None:
    """Change all of an organization's courses at once, and find every change in every list."""
    organization_id, whose = uuid4(), uuid4()
    courses = [bench.stored(organization_id=organization_id) for _ in range(CROWD // 2)]
    people = [(on, each) for on in courses for each in (whose, uuid4())]
    _answers(partial(change, bench.repository, *each, confirmed) for each in people)
    done = _answers(partial(change, bench.repository, *each, _certified) for each in people)
    archived = _answers(partial(change_course, bench.repository, on, _archived) for on in courses)
    registrations = {each.registration for each in done}
    certificates = {each.certificate for each in done}
    registrations_of = partial(bench.repository.registrations, organization_id)
    certificates_of = partial(bench.repository.certificates, organization_id)
    courses_of = partial(bench.repository.courses, organization_id)
    own = {each.registration for each in done if each.user_id == whose}
    own_certificates = {each.certificate for each in done if each.user_id == whose}
    waiting = [each for on in courses for each in waiting_for(bench.repository, on)]
    lists: tuple[tuple[set[Any], Iterable[Any], str], ...] = (
        (registrations, registrations_of().items, "the registrations"),
        (own, registrations_of(user_id=whose).items, "the registrations of one person"),
        (certificates, certificates_of().items, "the certificates"),
        (own_certificates, certificates_of(user_id=whose).items, "the certificates of one person"),
        ({each.reminder for each in done}, waiting, "the reminders that wait"),
        (set(archived), courses_of().items, "the courses"),
        (set(archived), courses_of(statuses=[CourseStatus.ARCHIVED]).items, "the archived ones"),
        (set(), courses_of(statuses=[CourseStatus.PUBLISHED]).items, "the published ones"),
    )
    for expected, observed, what in lists:
        expect(expected, set(observed), what)


_certified = partial(completed, expires_at=EXPIRY)
_archived = partial(attrs.evolve, status=CourseStatus.ARCHIVED)


def _answers(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    outcomes = all_at_once(list(calls))
    expect({}, errors_of(outcomes), "the errors")
    return [each.answer for each in outcomes]


@clause("CROWD-9", THREADS, times=TIMES)
def a_crowd_adds_and_others_read(bench: RepositoryBench) -> None:
    """Of courses that are added at once, none is lost, and who reads meanwhile gets an answer.

    A failure means that two admins who add a course each make one vanish from the list, or that
    a reader meets an error because somebody writes.

    A correct adapter adds a row of its own for each course, and reads from a snapshot; one that
    locks what it reads does so in one order, whatever the order in which it is asked.
    """
    organization_id = uuid4()
    held = [bench.stored(organization_id=organization_id) for _ in range(4)]
    on, ids = held[0], [each.id for each in held]
    participations = partial(bench.repository.participations, organization_id)
    added = [attrs.evolve(on, id=uuid4(), title=f"added {number}") for number in range(CROWD)]
    reading: tuple[Callable[[], Any], ...] = (
        partial(bench.repository.courses, organization_id),
        partial(bench.repository.registrations, organization_id),
        partial(participations, ids, uuid4()),
        bench.repository.pending_reminders,
        partial(participations, ids[::-1], uuid4()),
        partial(change, bench.repository, on, uuid4(), confirmed),
    )
    calls: list[Callable[[], Any]] = []
    for number, each in enumerate(added):
        calls += [partial(bench.repository.add, each), reading[number % len(reading)]]
    expect({}, errors_of(all_at_once(calls)), "the errors")
    listed = bench.repository.courses(organization_id).items
    expect({*held, *added}, set(listed), "the courses that are listed")
    expect(len(held) + len(added), len(listed), "how many there are")


@clause("CROWD-10", THREADS, times=TIMES)
def a_crowd_marks_and_registers(bench: RepositoryBench) -> None:
    """Reminders that are marked while people of their course register and complete are all marked.

    A failure means that a mark is lost and a person reminded twice, that a mark undoes what
    somebody was told, or that marks and completions wait for each other.

    A correct adapter changes the one row of the reminder, and no other; it locks nothing else,
    or in the order of a completion.
    """
    on = bench.stored()
    done = [bench.complete(on) for _ in range(CROWD // 2)]
    people = [uuid4() for _ in range(CROWD // 2)]
    graduates = people[::2]
    for whose in graduates:
        bench.register(on, whose)
    calls: list[Callable[[], Any]] = []
    for each, whose in zip(done, people, strict=True):
        reminder = expect_some(each.reminder, "the reminder in the answer")
        decide = _certified if whose in graduates else confirmed
        calls.append(partial(bench.repository.mark_reminder_scheduled, reminder))
        calls.append(partial(change, bench.repository, on, whose, decide))
    outcomes = all_at_once(calls)
    expect({}, errors_of(outcomes), "the errors")
    entered = {each.answer.reminder for each in outcomes if each.answer is not None} - {None}
    expect(len(graduates), len(entered), "how many answers had a reminder")
    waiting = set(waiting_for(bench.repository, on))
    expect(entered, waiting, "the outbox, all of it marked but what was added meanwhile")
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
