"""Clauses: what the listings show, in which order, under which filters."""

from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.participation import PeerMentorCertificate, Registration, RegistrationStatus
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
from course_domain.testing.listings import certified
from course_domain.testing.oracle import (
    fits_certificate,
    fits_course,
    fits_registration,
    in_order_of_certificates,
    in_order_of_courses,
    in_order_of_registrations,
    tied_ids,
)
from course_domain.testing.plain import EPOCH
from course_domain.values import EARLIEST_INSTANT, LATEST_COMPUTED_INSTANT, LATEST_INSTANT

_TICK = timedelta(microseconds=1)
_DAY = timedelta(days=1)


@clause("COURSES-1")
def courses_come_by_start_then_id(bench: RepositoryBench) -> None:
    """Courses come by start_date, then by the hex digits of their id; undated ones last.

    A failure means that a page shows courses in another order than the page before it.

    A correct adapter orders by what it pages by, says itself where undated rows go, and keeps
    ids in a form that orders as their hex digits do.
    """
    organization_id = uuid4()
    last = LATEST_INSTANT
    starts = (None, last, NOW, last - _TICK, NOW + _TICK, EARLIEST_INSTANT, NOW - _DAY * 40_000)
    added = [
        bench.stored(organization_id=organization_id, start_date=EPOCH + _TICK * ticks)
        for ticks in (1, -1, 0, -2)
    ]
    added += [
        bench.stored(id=row_id, organization_id=organization_id, start_date=start)
        for start in starts
        for row_id in tied_ids()
    ]
    page = bench.repository.courses(organization_id, limit=200)
    expect(in_order_of_courses(added), list(page.items), "all courses of the organization")


@clause("COURSES-2")
def all_filters_of_courses_hold_together(bench: RepositoryBench) -> None:
    """Every combination of filters gives just the courses that pass each; None is no filter.

    A failure means that a list shows what was filtered out, or hides what was not. The edges are
    ``starts_from <= start_date < starts_before``; both leave out what has no start.

    A correct adapter joins the conditions by AND, and adds none for a filter that is None.
    """
    organization_id = uuid4()
    kinds = product(CourseStatus, CourseType, (True, False), (None, NOW, NOW + _TICK))
    added = [
        bench.stored(
            organization_id=organization_id,
            status=status,
            course_type=course_type,
            issues_certificate=issues,
            start_date=start,
        )
        for status, course_type, issues, start in kinds
    ]
    published, draft, _ = (CourseStatus.PUBLISHED, CourseStatus.DRAFT, CourseStatus.ARCHIVED)
    for statuses, course_type, issues, starts_from, starts_before in product(
        (None, (), (published,), (draft, published), tuple(CourseStatus)),
        (None, *CourseType),
        (None, True, False),
        (None, NOW, NOW + _TICK),
        (None, NOW, NOW + _TICK, NOW + _DAY),
    ):
        filters: dict[str, Any] = {
            "statuses": statuses,
            "course_type": course_type,
            "issues_certificate": issues,
            "starts_from": starts_from,
            "starts_before": starts_before,
        }
        page = bench.repository.courses(organization_id, **filters, limit=200)
        expected = in_order_of_courses(each for each in added if fits_course(each, **filters))
        expect(expected, list(page.items), f"courses with {filters}")


@clause("COURSES-3")
def a_changed_course_moves_in_the_lists(bench: RepositoryBench) -> None:
    """A course that changes status, start, type or certificate leaves its old lists for the new.

    A failure means that an index is stale: an archived course is still offered, a published one
    cannot be found.

    A correct adapter updates every index with the row, in one transaction.
    """
    stored = bench.stored(status=CourseStatus.DRAFT, start_date=NOW)
    other = bench.stored(organization_id=stored.organization_id, start_date=NOW + _DAY)
    changes: tuple[dict[str, Any], ...] = (
        {"status": CourseStatus.PUBLISHED},
        {"start_date": NOW + _DAY * 2},
        {"start_date": None},
        {"course_type": CourseType.ONBOARDING, "issues_certificate": False},
        {"status": CourseStatus.ARCHIVED, "start_date": NOW - _DAY},
    )
    queries: list[dict[str, Any]] = [
        *({"statuses": [status]} for status in CourseStatus),
        *({"course_type": course_type} for course_type in CourseType),
        *({"issues_certificate": issues} for issues in (True, False)),
        *({bound: NOW + _DAY} for bound in ("starts_from", "starts_before")),
        *(
            {"statuses": [status], "course_type": course_type}
            for status, course_type in product(CourseStatus, CourseType)
        ),
    ]
    now = stored
    for changed in changes:
        now = bench.repository.change_course(
            stored.organization_id, stored.id, lambda seen: attrs.evolve(seen, **changed)
        )
        for query in queries:
            page = bench.repository.courses(stored.organization_id, **query)
            fitting = (each for each in (now, other) if fits_course(each, **query))
            what = f"courses with {query} after {changed}"
            expect(in_order_of_courses(fitting), list(page.items), what)


@clause("REGISTRATIONS-1")
def registrations_come_by_time_and_filter(bench: RepositoryBench) -> None:
    """Registrations, cancelled ones too, come by registered_at, then id, under both filters.

    A failure means that a participant list lacks people, or shows those of another course.

    A correct adapter filters by course and by user together, and judges no status.
    """
    organization_id = uuid4()
    courses = [bench.stored(organization_id=organization_id) for _ in range(3)]
    people = [uuid4() for _ in range(5)]
    made: list[Registration] = []
    ids = _ids_backwards(10)
    early = (EARLIEST_INSTANT, EPOCH - _DAY, EPOCH - _TICK, EPOCH, NOW, NOW, NOW + _TICK)
    ats = (*early, NOW + _TICK * 2, LATEST_INSTANT - _TICK, LATEST_INSTANT)
    pairs = zip(product(people, courses[:2]), ats, strict=True)
    for number, ((whose, on), at) in enumerate(pairs):
        answer = change(
            bench.repository,
            on,
            whose,
            lambda seen: confirmed(seen, at=at, registration_id=ids[number]),
        )
        made.append(expect_some(answer.registration, "the registration in the answer"))
        if number % 4 == 1:
            answer = change(bench.repository, on, whose, cancelled)
            made[-1] = expect_some(answer.registration, "the registration in the answer")
    for status in (CourseStatus.PUBLISHED, CourseStatus.ARCHIVED, CourseStatus.DRAFT):
        _set_status(bench, courses[0], status)
        for course_id, user_id in product(
            (None, *(each.id for each in courses), uuid4()), (None, *people)
        ):
            filters: dict[str, Any] = {"course_id": course_id, "user_id": user_id}
            page = bench.repository.registrations(organization_id, **filters)
            fitting = (each for each in made if fits_registration(each, **filters))
            what = f"registrations with {filters}, the first course being {status}"
            expect(in_order_of_registrations(fitting), list(page.items), what)
    expect((), bench.repository.registrations(uuid4(), course_id=courses[0].id).items, "foreign")


def _ids_backwards(count: int) -> list[UUID]:
    """Make ids that are against the order of rows that are not told apart."""
    return sorted((uuid4() for _ in range(count)), reverse=True)


def _set_status(bench: RepositoryBench, on: Course, status: CourseStatus) -> None:
    bench.repository.change_course(
        on.organization_id, on.id, lambda seen: attrs.evolve(seen, status=status)
    )


@clause("REGISTRATIONS-2")
def a_registration_that_is_confirmed_again_moves(bench: RepositoryBench) -> None:
    """A registration that is confirmed anew stands once, in the place of its new registered_at.

    A failure means that a list shows a person twice, in the order of what was, or as cancelled
    at some time who is confirmed.

    A correct adapter has one registration for a course and a user, and updates every field of it.
    """
    on = bench.stored()
    first, second = uuid4(), uuid4()
    before = bench.register(on, first, at=NOW)
    later = bench.register(on, second, at=NOW + _DAY)
    left = attrs.evolve(before, status=RegistrationStatus.CANCELLED, cancelled_at=NOW + _DAY)
    answer = change(bench.repository, on, first, lambda seen: cancelled(seen, at=NOW + _DAY))
    expect(left, answer.registration, "the registration in the answer to a cancel")
    expect(left, shown(bench.repository, on, first).registration, "the cancelled registration")
    expected = attrs.evolve(before, registered_at=NOW + _DAY * 2)
    again = bench.register(on, first, at=NOW + _DAY * 2)
    expect(expected, again, "the registration in the answer")
    queries: tuple[dict[str, Any], ...] = ({}, {"course_id": on.id})
    for filters in queries:
        page = bench.repository.registrations(on.organization_id, **filters)
        expect((later, expected), page.items, f"registrations with {filters}")
    own = bench.repository.registrations(on.organization_id, user_id=first)
    expect((expected,), own.items, "the person's own")


@clause("CERTIFICATES-1")
def certificates_come_by_expiry_and_filter(bench: RepositoryBench) -> None:
    """Certificates, expired ones too, come by expires_at, then id, those without expiry last.

    A failure means that a renewal list lacks people. ``expires_at < expires_before``, which
    leaves out those without expiry; a certificate's `user_id` is its peer_mentor_id.

    A correct adapter joins the conditions by AND and says itself where None goes.
    """
    organization_id = uuid4()
    courses = [bench.stored(organization_id=organization_id) for _ in range(2)]
    people = [uuid4() for _ in range(5)]
    last = LATEST_COMPUTED_INSTANT
    early = (NOW - _DAY * 40_000, EPOCH - _DAY, None, EPOCH - _TICK, EPOCH, NOW, NOW + _TICK)
    expiries = (*early, last - _TICK, last, None)
    ids = iter(_ids_backwards(10))
    made: list[PeerMentorCertificate] = []
    for (whose, on), expires_at in zip(product(people, courses), expiries, strict=True):
        certificate = certified(
            bench, on, whose, expires_at=expires_at, record_id=next(ids)
        ).certificate
        made.append(expect_some(certificate, "the certificate in the answer"))
    _set_status(bench, courses[0], CourseStatus.ARCHIVED)
    _set_status(bench, courses[1], CourseStatus.DRAFT)
    for course_id, user_id, before in product(
        (None, courses[0].id, uuid4()),
        (None, *people[:3]),
        (None, EPOCH, NOW, NOW + _TICK, NOW + _TICK * 2, last),
    ):
        filters: dict[str, Any] = {
            "course_id": course_id,
            "user_id": user_id,
            "expires_before": before,
        }
        page = bench.repository.certificates(organization_id, **filters)
        fitting = (each for each in made if fits_certificate(each, **filters))
        what = f"certificates with {filters}"
        expect(in_order_of_certificates(fitting), list(page.items), what)


@clause("CERTIFICATES-2")
def certificates_that_expire_together_come_by_id(bench: RepositoryBench) -> None:
    """Certificates with the same expiry, or none, come by the hex digits of their id.

    A failure means that pages of a renewal list repeat or skip people.

    A correct adapter has the id as the last part of the order, as hex digits order it.
    """
    on = bench.stored()
    made: list[PeerMentorCertificate] = []
    rows = ((expiry, row_id) for expiry in (NOW + _DAY * 90, None) for row_id in tied_ids())
    for expires_at, row_id in rows:
        whose = uuid4()
        bench.register(on, whose)
        certificate = change(
            bench.repository,
            on,
            whose,
            lambda seen: completed(seen, expires_at=expires_at, certificate_id=row_id),
        ).certificate
        made.append(expect_some(certificate, "the certificate in the answer"))
    page = bench.repository.certificates(on.organization_id)
    expect(in_order_of_certificates(made), list(page.items), "the certificates in order")


CLAUSES = (
    courses_come_by_start_then_id,
    all_filters_of_courses_hold_together,
    a_changed_course_moves_in_the_lists,
    registrations_come_by_time_and_filter,
    a_registration_that_is_confirmed_again_moves,
    certificates_come_by_expiry_and_filter,
    certificates_that_expire_together_come_by_id,
)
