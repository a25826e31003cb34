"""Clauses: the edges of what a field takes come back whole, instants, numbers and None."""

import pickle
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import attrs

from course_domain.course import (
    MAX_CERTIFICATE_VALIDITY_MONTHS,
    Course,
    CourseStatus,
    CourseType,
)
from course_domain.participation import Participation
from course_domain.testing.bench import (
    NOW,
    RepositoryBench,
    cancelled,
    change,
    completed,
    confirmed,
    shown,
)
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_some
from course_domain.testing.plain import EDGE_INSTANTS, EPOCH, TICK
from course_domain.values import (
    EARLIEST_INSTANT,
    LATEST_COMPUTED_INSTANT,
    LATEST_INSTANT,
    MAX_INTEGER,
)


def expect_same(expected: attrs.AttrsInstance, observed: object, what: str) -> None:
    """Compare field by field, with the types, and the zone of every instant; it pickles."""
    expect(type(expected), type(observed), f"{what}: its type")
    copied: object = pickle.loads(pickle.dumps(observed))  # noqa: S301  dumped just here
    expect(expected, copied, f"{what}: its pickle")
    for field in attrs.fields(type(expected)):
        one: object = getattr(expected, field.name)
        other: object = getattr(observed, field.name)
        expect(one, other, f"{what}: {field.name}")
        expect(type(one), type(other), f"{what}: the type of {field.name}")
        if isinstance(other, datetime):
            expect(UTC, other.tzinfo, f"{what}: the zone of {field.name}")


@clause("VALUES-5")
def the_edges_of_time_come_back_whole(bench: RepositoryBench) -> None:
    """The first and the last instant, and those where clocks and calendars turn, come back equal.

    A failure means that a date is refused, moved or lost that every program can meet, or that as
    a bound of a list it is taken for none.

    A correct adapter keeps instants in UTC to the microsecond, from 1900 to 8999, and what is
    computed from them to 9099; no column of seconds, of local time, or of a shorter range does.
    It asks whether a date is None, never whether it is 0.
    """
    for at in EDGE_INSTANTS:
        on = bench.stored(start_date=at, created_at=at, updated_at=at)
        organization_id = on.organization_id
        read = bench.repository.get(organization_id, on.id)
        expect_same(on, read, f"a course that starts at {at}")
        ended = bench.stored(organization_id=organization_id, end_date=at, registration_deadline=at)
        read = bench.repository.get(organization_id, ended.id)
        expect_same(ended, read, f"a course that ends at {at}, and has no start")
        found = bench.repository.courses(organization_id, starts_from=at).items
        expect((on,), found, f"the courses from {at} on")
        expect_same(on, found[0], f"the course listed from {at} on")
        found = bench.repository.courses(organization_id, starts_before=at).items
        expect((), found, f"the courses before {at}")
        for expires_at in (at, LATEST_COMPUTED_INSTANT):
            _expect_record_whole(bench, on, at, expires_at)
        _expect_cancelled_whole(bench, on, at)


def _expect_record_whole(
    bench: RepositoryBench, on: Course, at: datetime, expires_at: datetime
) -> None:
    """Complete a person at some instant, with a reminder at the instant of the expiry."""

    def decide(seen: Participation) -> Participation:
        answer = completed(confirmed(seen, at=at), at=at, expires_at=LATEST_COMPUTED_INSTANT)
        certificate = expect_some(answer.certificate, "the certificate that the kit has made")
        reminder = expect_some(answer.reminder, "the reminder that the kit has made")
        return attrs.evolve(
            answer,
            certificate=attrs.evolve(certificate, expires_at=expires_at),
            reminder=attrs.evolve(reminder, remind_at=expires_at),
        )

    repository, whose = bench.repository, uuid4()
    answer = change(repository, on, whose, decide)
    certificate = expect_some(answer.certificate, "the certificate in the answer")
    reminder = expect_some(answer.reminder, "the reminder in the answer")
    registration = expect_some(answer.registration, "the registration in the answer")
    expected = (at, at, at, expires_at, expires_at)
    observed = (
        registration.registered_at,
        registration.completed_at,
        certificate.issued_at,
        certificate.expires_at,
        reminder.remind_at,
    )
    expect(expected, observed, "the instants in the answer")
    read = attrs.evolve(answer, reminder=None)
    expect(read, shown(repository, on, whose), "participations")
    registrations = repository.registrations(on.organization_id, user_id=whose).items
    expect((registration,), registrations, "the registrations")
    certified = repository.certificates(on.organization_id, user_id=whose).items
    expect((certificate,), certified, "the certificates")
    before = repository.certificates(
        on.organization_id, user_id=whose, expires_before=expires_at
    ).items
    expect((), before, f"the certificates that expire before {expires_at}")
    expect((reminder,), repository.pending_reminders().items, "the outbox")
    repository.mark_reminder_scheduled(reminder)


def _expect_cancelled_whole(bench: RepositoryBench, on: Course, at: datetime) -> None:
    """Cancel a registration at some instant."""
    whose = uuid4()
    answer = change(
        bench.repository, on, whose, lambda seen: cancelled(confirmed(seen, at=at), at=at)
    ).registration
    registration = expect_some(answer, "the registration in the answer")
    expect(at, registration.cancelled_at, "when it was cancelled, in the answer")
    read = shown(bench.repository, on, whose).registration
    expect(registration, read, "the cancelled registration, participations")
    listed = bench.repository.registrations(on.organization_id, user_id=whose).items
    expect((registration,), listed, "the cancelled registration, listed")


@clause("VALUES-6")
def every_field_of_a_course_is_kept_and_cleared(bench: RepositoryBench) -> None:
    """A course with every field at its edge is kept, by `add` and by a change; so is one without.

    A failure means that a number is cut, a flag lost, or a field forgotten that is rarely set.

    A correct adapter has a column as wide as the field for each of them, None apart from 0 and
    from the empty text, and writes them all whenever it writes a course.
    """
    most: dict[str, Any] = {
        "title": "Ære\u0301 🎧 " * 20,
        "description": " 🎧\r\n",
        "location": "",
        "start_date": LATEST_INSTANT - TICK,
        "end_date": LATEST_INSTANT,
        "registration_deadline": EARLIEST_INSTANT,
        "is_virtual": True,
        "max_participants": MAX_INTEGER,
        "issues_certificate": True,
        "certificate_validity_months": MAX_CERTIFICATE_VALIDITY_MONTHS,
    }
    least: dict[str, Any] = {
        **dict.fromkeys(most),
        "title": "0",
        "is_virtual": False,
        "issues_certificate": False,
    }
    few = {**most, "max_participants": 1, "certificate_validity_months": 1, "end_date": None}
    zero = {**most, "start_date": EPOCH, "registration_deadline": None}
    times = {"updated_at": NOW.replace(microsecond=999_999)}
    for fields in (most, least, few, zero):
        added = bench.stored(**fields)
        expect_same(added, bench.repository.get(added.organization_id, added.id), "get")
    on = bench.stored()
    revisions = (most, few, least, zero, least | times)
    kinds = zip(revisions, (*CourseStatus, *CourseStatus), (*CourseType, *CourseType), strict=False)
    for fields, status, course_type in kinds:
        after = attrs.evolve(on, **fields, status=status, course_type=course_type)
        answer = bench.repository.change_course(on.organization_id, on.id, lambda _seen: after)
        expect_same(after, answer, "change_course")
        expect_same(after, bench.repository.get(on.organization_id, on.id), "get after a change")
        (listed,) = bench.repository.courses(on.organization_id).items
        expect_same(after, listed, "courses after a change")


CLAUSES = (the_edges_of_time_come_back_whole, every_field_of_a_course_is_kept_and_cleared)
