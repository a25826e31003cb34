"""The listings of a repository by name, and an organization that has something on each."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from course_domain.errors import InvalidValue
from course_domain.ports import MAX_CURSOR_LENGTH, CourseRepository, Page
from course_domain.testing.bench import NOW, RepositoryBench

Listing = Callable[..., Page[Any]]
"""A listing that takes `after` and `limit`."""

_ALPHABET = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_DAY = timedelta(days=1)


def listings(repository: CourseRepository, organization_id: UUID) -> dict[str, Listing]:
    """Give the four listings by name."""
    return {
        "courses": partial(repository.courses, organization_id),
        "registrations": partial(repository.registrations, organization_id),
        "certificates": partial(repository.certificates, organization_id),
        "pending_reminders": repository.pending_reminders,
    }


def listings_and_an_empty_one(
    repository: CourseRepository, organization_id: UUID
) -> dict[str, Listing]:
    """Give the four listings by name, and one that nothing can match."""
    of_no_status = partial(repository.courses, organization_id, statuses=())
    return {**listings(repository, organization_id), "courses of no status": of_no_status}


def filled(bench: RepositoryBench, courses: int = 9) -> UUID:
    """Fill an organization: dated, tied and undated courses, and people on the first of them."""
    organization_id = uuid4()
    starts = (NOW, NOW, NOW + _DAY, None)
    added = [
        bench.stored(organization_id=organization_id, start_date=starts[number % 4])
        for number in range(courses)
    ]
    expiries = (NOW + _DAY, NOW + _DAY, NOW + 2 * _DAY, None)
    for number in range(7):
        bench.complete(added[0], expires_at=expiries[number % 4])
    return organization_id


def rows_or_none(listing: Callable[[], Page[Any]]) -> tuple[Any, ...]:
    """Give the items of a page, none where its cursor is refused."""
    try:
        return listing().items
    except InvalidValue:
        return ()


def is_cursor(text: str) -> bool:
    """Tell whether a text looks as a cursor must."""
    return 0 < len(text) <= MAX_CURSOR_LENGTH and _ALPHABET.issuperset(text)
