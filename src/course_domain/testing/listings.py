"""The listings of a repository by name, and an organization that has something on each."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.participation import Participation
from course_domain.ports import MAX_CURSOR_LENGTH, CourseRepository, Page
from course_domain.rules import InvalidValue
from course_domain.testing.bench import (
    NOW,
    RepositoryBench,
    change,
    completed,
    confirmed,
    items,
    walk,
)
from course_domain.testing.expectations import expect
from course_domain.testing.plain import EPOCH
from course_domain.values import EARLIEST_INSTANT, LATEST_COMPUTED_INSTANT, LATEST_INSTANT

Listing = Callable[..., Page[Any]]
"""A listing that takes `after` and `limit`."""

_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
_EARLY = (EARLIEST_INSTANT + _DAY * 40, EARLIEST_INSTANT + _DAY * 40 + _TICK)


def listings(repository: CourseRepository, organization_id: UUID) -> dict[str, Listing]:
    """Give the four listings by name."""
    return {
        "courses": partial(repository.courses, organization_id),
        "registrations": partial(repository.registrations, organization_id),
        "certificates": partial(repository.certificates, organization_id),
        "pending_reminders": repository.pending_reminders,
    }


def listings_and_empty_ones(
    repository: CourseRepository, organization_id: UUID
) -> dict[str, Listing]:
    """Give the four listings by name, and those that nothing can match."""
    courses, unknown = partial(repository.courses, organization_id), uuid4()
    records: dict[str, Callable[..., Page[Any]]] = {
        "registrations": repository.registrations,
        "certificates": repository.certificates,
    }
    return {
        **listings(repository, organization_id),
        "courses of no status": partial(courses, statuses=()),
        "courses of no time": partial(courses, starts_from=NOW + _DAY, starts_before=NOW),
        **{
            f"{kind} of {whose}": partial(listing, organization_id, **query)
            for kind, listing in records.items()
            for whose, query in (
                ("no course", {"course_id": unknown}),
                ("nobody", {"user_id": unknown}),
            )
        },
    }


def filtered(
    repository: CourseRepository, organization_id: UUID, course_id: UUID, user_id: UUID
) -> dict[str, Listing]:
    """Give listings with filters, by name: of a course, of a person, of a time, of a kind."""
    drafts = (CourseStatus.DRAFT, CourseStatus.ARCHIVED)
    courses: dict[str, dict[str, Any]] = {
        "published courses": {"statuses": [CourseStatus.PUBLISHED]},
        "drafts and archived courses": {"statuses": drafts},
        "workshops": {"course_type": CourseType.WORKSHOP},
        "courses with a certificate": {"issues_certificate": True},
        "courses from a start on": {"starts_from": NOW + _TICK},
        "courses before a start": {"starts_before": NOW + _DAY, "issues_certificate": False},
    }
    records: dict[str, dict[str, Any]] = {
        "of a course": {"course_id": course_id},
        "of a person": {"user_id": user_id},
        "of a person on a course": {"course_id": course_id, "user_id": user_id},
    }
    expiring: dict[str, Any] = {"expires_before": NOW + _DAY * 2}
    kinds: tuple[tuple[str, Callable[..., Page[Any]], dict[str, dict[str, Any]]], ...] = (
        ("", repository.courses, courses),
        ("registrations ", repository.registrations, records),
        ("certificates ", repository.certificates, {**records, "that expire early": expiring}),
    )
    return {
        f"{kind}{name}": partial(listing, organization_id, **query)
        for kind, listing, queries in kinds
        for name, query in queries.items()
    }


def filled(bench: RepositoryBench, courses: int = 9) -> UUID:
    """Fill an organization: dated, tied and undated courses, and people on the first of them.

    Of rows that are not tied, some differ by a microsecond.
    """
    organization_id = uuid4()
    starts = (None, NOW, NOW, NOW + _TICK, NOW + _DAY)
    added = [
        bench.stored(organization_id=organization_id, start_date=starts[number % 5])
        for number in range(courses)
    ]
    expiries = (None, NOW + _DAY, NOW + _DAY, NOW + _DAY + _TICK)
    for number in range(9):
        certified(bench, added[0], at=NOW + _TICK * (number % 3), expires_at=expiries[number % 4])
    return organization_id


def spread(bench: RepositoryBench) -> UUID:
    """Fill an organization with rows from the first instants to the last, some a tick apart.

    Their ids are against their order, for what does not tell them apart.
    """
    instants = (*_EARLY, EPOCH - _TICK, EPOCH, LATEST_INSTANT - _TICK, LATEST_INSTANT)
    last = LATEST_COMPUTED_INSTANT
    expiries = (*instants[:-2], last - _TICK, last)
    ids = sorted((uuid4() for _ in instants), reverse=True)
    organization_id = uuid4()
    for row_id, at in zip(ids, instants, strict=True):
        bench.stored(id=row_id, organization_id=organization_id, start_date=at)
    on = bench.stored(organization_id=organization_id)
    for row_id, at, expires_at in zip(ids, instants, expiries, strict=True):
        certified(bench, on, at=at, expires_at=expires_at, record_id=row_id)
    return organization_id


def certified(
    bench: RepositoryBench,
    on: Course,
    user_id: UUID | None = None,
    *,
    at: datetime = NOW,
    expires_at: datetime | None = None,
    record_id: UUID | None = None,
) -> Participation:
    """Register and complete a person in one change, both records with one id if it is given."""

    def decide(seen: Participation) -> Participation:
        registered = confirmed(seen, at=at, registration_id=record_id)
        return completed(registered, at=at, expires_at=expires_at, certificate_id=record_id)

    return change(bench.repository, on, user_id or uuid4(), decide)


def expect_joined(listing: Listing, limits: Iterable[int], what: str) -> None:
    """Fail unless pages of any size, joined, are the whole list, and full but for the last."""
    whole = listing(limit=200)
    expect(None, whole.next, f"{what}: next of a page that holds all")
    for limit in limits:
        pages = walk(lambda after: listing(after=after, limit=limit))
        expect(list(whole.items), items(pages), f"{what} joined, limit={limit}")
        sizes = [len(page.items) for page in pages]
        full, rest = divmod(len(whole.items), limit)
        expected = [limit] * full + [rest] * (rest > 0 or full == 0)
        expect(expected, sizes, f"{what}: the sizes of its pages, limit={limit}")


def rows_or_none(listing: Callable[[], Page[Any]]) -> tuple[Any, ...]:
    """Give the items of a page, none where its cursor is refused."""
    try:
        return listing().items
    except InvalidValue:
        return ()


def is_cursor(text: str) -> bool:
    """Tell whether a text looks as a cursor must."""
    return 0 < len(text) <= MAX_CURSOR_LENGTH and _ALPHABET.issuperset(text)
