"""Clauses: what is kept whatever a rule would say, and whatever becomes of the course."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course, CourseStatus
from course_domain.errors import DuplicateCourse
from course_domain.participation import Participation
from course_domain.testing.bench import (
    NOW,
    THREADS,
    RepositoryBench,
    cancelled,
    change,
    completed,
    confirmed,
    shown,
)
from course_domain.testing.clause import clause
from course_domain.testing.contestants import (
    change_course,
    changing,
    changing_course,
    expect_error_of,
    one_more_seat,
)
from course_domain.testing.expectations import expect, expect_error, expect_some
from course_domain.testing.rivals import duel

_DAY = timedelta(days=1)
_OVER = NOW - 9_000 * _DAY  # has passed on any clock

_AGAINST_A_RULE: tuple[dict[str, Any], ...] = (
    {"status": CourseStatus.DRAFT},
    {"status": CourseStatus.ARCHIVED},
    {"issues_certificate": False},
    {"max_participants": 1},
    {"registration_deadline": NOW - _DAY},
    {"start_date": _OVER, "end_date": _OVER + _DAY},
)
"""Courses on which somebody registers or is certified against a rule of the domain."""

_CHANGES: tuple[dict[str, Any], ...] = (
    {"certificate_validity_months": 1},
    {"certificate_validity_months": None},
    {"issues_certificate": False},
    {"max_participants": 1},
    {"start_date": _OVER, "end_date": _OVER + _DAY},
    {"status": CourseStatus.DRAFT},
    {"status": CourseStatus.ARCHIVED},
    {"status": CourseStatus.PUBLISHED, "issues_certificate": True},
)
"""What an author makes of a course on which people are certified, one after the other."""


@clause("STORE-7")
def an_adapter_judges_no_rule(bench: RepositoryBench) -> None:
    """What `decide` answers is stored and listed, also past the cap, the deadline and the status.

    A failure means that a rule is decided twice, and some day differently.

    A correct adapter has no condition of its own about seats, dates or statuses.
    """
    on = bench.stored(max_participants=2)
    for _ in range(3):
        bench.register(on)
    lowered = change_course(
        bench.repository, on, lambda seen: attrs.evolve(seen, max_participants=1)
    )
    expect(1, lowered.max_participants, "a cap below the confirmed count")
    expect(3, shown(bench.repository, on, uuid4()).confirmed_count, "the count above the cap")
    _expect_all_stored_and_listed(bench)
    _expect_stored_in_any_order(bench)


def _expect_all_stored_and_listed(bench: RepositoryBench) -> None:
    repository, organization_id = bench.repository, uuid4()
    courses: list[Course] = []
    expected: set[object] = set()
    for fields in _AGAINST_A_RULE:
        on = bench.stored(organization_id=organization_id, **fields)
        registered = bench.register(on)
        done = bench.complete(on)
        expect_some(done.certificate, f"the certificate on a course with {fields}")
        read = shown(repository, on, done.user_id)
        stored = attrs.evolve(done, course=on, confirmed_count=2, reminder=None)
        expect(stored, read, f"the participation in a course with {fields}")
        records = {registered, done.registration, done.certificate}
        found = {
            *repository.registrations(organization_id, course_id=on.id).items,
            *repository.certificates(organization_id, course_id=on.id).items,
        }
        expect(records, found, f"the lists of a course with {fields}")
        courses.append(on)
        expected |= {*records, done.reminder}
    everything = {
        *repository.registrations(organization_id).items,
        *repository.certificates(organization_id).items,
        *repository.pending_reminders().items,
    }
    expect(expected, everything, "the lists of the organization, and the outbox")
    for statuses in (list(CourseStatus), *([each] for each in CourseStatus)):
        there = {each.id for each in courses if each.status in statuses}
        listed = repository.courses(organization_id, statuses=statuses).items
        expect(there, {each.id for each in listed}, f"the courses of {statuses}")


def _expect_stored_in_any_order(bench: RepositoryBench) -> None:
    """Register, cancel and complete a person over and over, each time at another instant."""
    on, whose = bench.stored(), uuid4()
    steps: tuple[tuple[Callable[..., Participation], int], ...] = (
        (confirmed, 0),
        (confirmed, 2),
        (cancelled, 3),
        (cancelled, 4),
        (confirmed, 5),
        (confirmed, 1),
        (completed, 6),
        (confirmed, 7),
        (completed, 8),
    )
    for decide, days in steps:
        answers: list[Participation] = []

        def decide_and_tell(seen: Participation) -> Participation:
            answers.append(decide(seen, at=NOW + days * _DAY))
            return answers[-1]

        change(bench.repository, on, whose, decide_and_tell)
        observed = shown(bench.repository, on, whose).registration
        expect(answers[-1].registration, observed, f"after {decide.__name__}, day {days}")


@clause("STORE-9")
def a_change_of_the_course_leaves_its_records(bench: RepositoryBench) -> None:
    """Whatever is made of a course, or refused: its registrations, certificates, reminders stay.

    A failure means that an author who revises a course takes a certificate from somebody, moves
    its expiry, or has its reminder forgotten. Expiry is fixed when a certificate is issued.

    A correct adapter writes the course in `change_course`, and nothing else; and nothing at all
    in an `add` that it refuses.
    """
    on = bench.stored(certificate_validity_months=12)
    done = bench.complete(on)
    left = uuid4()
    bench.register(on, left)
    change(bench.repository, on, left, cancelled)
    before = _records(bench, on, done.user_id)
    expect(1, shown(bench.repository, on, left).confirmed_count, "the confirmed count")
    for fields in _CHANGES:
        change_course(bench.repository, on, lambda seen: attrs.evolve(seen, **fields))
        expect(before, _records(bench, on, done.user_id), f"the records after {fields}")
        expect_error(DuplicateCourse, lambda: bench.repository.add(on), "add of its id again")
        expect(before, _records(bench, on, done.user_id), "the records after a refused add")


def _records(bench: RepositoryBench, on: Course, whose: UUID) -> tuple[object, ...]:
    repository, organization_id = bench.repository, on.organization_id
    entry = shown(repository, on, whose)
    return (
        (entry.confirmed_count, entry.registration, entry.certificate),
        repository.registrations(organization_id).items,
        repository.certificates(organization_id).items,
        repository.pending_reminders().items,
    )


@clause("OUTBOX-10", THREADS)
def a_mark_outlives_what_it_meets(bench: RepositoryBench) -> None:
    """A mark that meets a change of its course, or of somebody on it, is not undone by that.

    A failure means that a reminder which was scheduled is back in the outbox, and offered again.

    A correct adapter writes of the outbox only the reminder that an answer adds, never what it
    read of others before `decide` was asked.
    """
    repository, on = bench.repository, bench.stored()
    changes: dict[str, Callable[[Callable[[Any], Any]], Any]] = {
        "a change of the course": changing_course(repository, on),
        "a change of another person": changing(repository, on, uuid4()),
    }
    answers: tuple[Callable[[Any], Any], ...] = (one_more_seat, confirmed)
    for (name, first), decide in zip(changes.items(), answers, strict=True):
        reminder = expect_some(bench.complete(on).reminder, "the reminder in the answer")
        met = duel(first, decide, lambda: repository.mark_reminder_scheduled(reminder))
        expect_error_of(met.first, None, name)
        expect_error_of(met.rival, None, f"a mark from inside {name}")
        pending = repository.pending_reminders().items
        expect((), pending, f"the outbox after a mark from inside {name}")


CLAUSES = (
    an_adapter_judges_no_rule,
    a_change_of_the_course_leaves_its_records,
    a_mark_outlives_what_it_meets,
)
