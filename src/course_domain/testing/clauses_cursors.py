"""Clauses: cursors that keep their place, while rows come and go, and in any query."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.testing.bench import NOW, RepositoryBench, walk
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_some
from course_domain.testing.listings import (
    Listing,
    certified,
    filled,
    filtered,
    listings,
    rows_or_none,
)

_DAY = timedelta(days=1)
_MOST_PAGES = 40


@clause("PAGES-4")
def rows_that_stay_are_seen_once_while_others_come_and_go(bench: RepositoryBench) -> None:
    """While rows come and go between the pages, one that stays is seen exactly once.

    A failure means that somebody's course is skipped because another one was archived meanwhile.

    A correct adapter pages by key and never by OFFSET, also through undated rows.
    """
    for start in (NOW, None):
        _expect_courses_seen_once(bench, start is None)
    on = bench.stored()
    organization_id = on.organization_id
    people = [uuid4() for _ in range(9)]
    for number, whose in enumerate(people):
        at = NOW + _DAY * number
        certified(bench, on, whose, at=at, expires_at=at + _DAY * 400)
    going = iter(people[::3])

    def disturb_registrations() -> None:
        whose = next(going, None)
        if whose is not None:
            bench.register(on, whose, at=NOW + _DAY * 90)
        bench.register(on, at=NOW - _DAY)

    registrations = partial(bench.repository.registrations, organization_id)
    _expect_seen_once(
        registrations, lambda each: each.user_id not in people[::3], disturb_registrations
    )
    certificates = partial(bench.repository.certificates, organization_id)
    _expect_seen_once(
        certificates, lambda _each: True, lambda: certified(bench, on, expires_at=NOW + _DAY)
    )


def _expect_courses_seen_once(bench: RepositoryBench, undated: bool) -> None:
    organization_id = uuid4()
    for number in range(12):
        start = None if undated else NOW + _DAY * (number // 2)
        bench.stored(organization_id=organization_id, start_date=start)
    courses = partial(bench.repository.courses, organization_id, statuses=[CourseStatus.PUBLISHED])
    leaving = courses().items[::3]
    going = iter(leaving)

    def disturb() -> None:
        each = next(going, None)
        if each is not None:
            _change_course(bench, each, status=CourseStatus.ARCHIVED)
        for start in (NOW - _DAY, NOW + _DAY / 2, None if undated else NOW + _DAY):
            bench.stored(organization_id=organization_id, start_date=start)

    _expect_seen_once(courses, lambda each: each not in leaving, disturb)


def _change_course(bench: RepositoryBench, on: Course, **fields: Any) -> Course:
    return bench.repository.change_course(
        on.organization_id, on.id, lambda seen: attrs.evolve(seen, **fields)
    )


def _expect_seen_once(
    listing: Listing, stays: Callable[[Any], bool], disturb: Callable[[], object]
) -> None:
    """Turn the pages, with something happening between them; look at the rows that stay."""
    staying = [each.id for each in listing(limit=200).items if stays(each)]
    seen: list[UUID] = []
    page = listing(limit=2)
    for _ in range(_MOST_PAGES):
        seen += [each.id for each in page.items]
        if page.next is None:
            break
        disturb()
        page = listing(after=page.next, limit=2)
    observed = [each for each in seen if each in staying]
    expect(staying, observed, "the rows that stayed, as seen page by page")


@clause("PAGES-5")
def a_cursor_outlives_its_row(bench: RepositoryBench) -> None:
    """A cursor keeps its place after its row has left the list, or moved in it.

    A failure means that a reader whose last course was archived must begin anew.

    A correct adapter finds what comes behind a key, whether or not a row has that key.
    """
    organization_id = filled(bench)
    courses = partial(bench.repository.courses, organization_id, statuses=[CourseStatus.PUBLISHED])
    changes: tuple[tuple[int, dict[str, Any]], ...] = (
        (1, {"status": CourseStatus.ARCHIVED}),
        (3, {"start_date": None}),
        (0, {"start_date": NOW + _DAY * 3}),
        (-2, {"status": CourseStatus.DRAFT}),
    )
    for index, fields in changes:
        _expect_place_kept(
            courses, index, lambda gone: _change_course(bench, gone, **fields), f"changed {fields}"
        )
    registrations = partial(bench.repository.registrations, organization_id)
    (on,) = {each.course_id for each in registrations().items}
    course = expect_some(bench.repository.get(organization_id, on), "the course of all people")
    for index in (1, 4):
        _expect_place_kept(
            registrations,
            index,
            lambda gone: bench.register(course, gone.user_id, at=NOW + _DAY),
            "confirmed anew",
        )
    first = bench.repository.pending_reminders(limit=2)
    second = bench.repository.pending_reminders(after=first.next, limit=200)
    for reminder in first.items:
        bench.repository.mark_reminder_scheduled(reminder)
    again = bench.repository.pending_reminders(after=first.next, limit=200)
    expect(second.items, again.items, "the reminders behind two that were marked")


def _expect_place_kept(
    listing: Listing, index: int, move: Callable[[Any], object], what: str
) -> None:
    """Move the row that a cursor was made of; what stood behind it stands behind the cursor."""
    whole = listing(limit=200).items
    gone = whole[index]
    place = whole.index(gone)
    page = listing(limit=place + 1)
    move(gone)
    rest = listing(after=page.next, limit=200)
    found = [each.id for each in rest.items if each.id != gone.id]
    expected = [each.id for each in whole[place + 1 :]]
    expect(expected, found, f"what stands behind a row that was {what}")


@clause("PAGES-6")
def a_cursor_of_another_query_shows_nothing_outside(bench: RepositoryBench) -> None:
    """A cursor of another query is refused, or is a place in this one.

    A failure means that a cursor carries a filter or an organization with it, and opens a list
    that the caller was not asked for.

    A correct adapter takes from a cursor only where to go on, never whose or which rows.
    """
    queries = [*_queries(bench), *_queries(bench)]
    cursors = {
        page.next
        for _, listing in queries
        for page in walk(lambda after: listing(after=after, limit=3))
        if page.next is not None
    }
    for name, listing in queries:
        whole = listing(limit=200).items
        for cursor in sorted(cursors):
            found = rows_or_none(lambda: listing(after=cursor, limit=200))
            what = f"{name} with {cursor!r}: the last rows of the query, from some place on"
            expect(whole[len(whole) - len(found) :], found, what)


def _queries(bench: RepositoryBench) -> Iterator[tuple[str, Listing]]:
    """Fill an organization, and give every kind of listing of it."""
    organization_id = filled(bench)
    bench.stored(
        organization_id=organization_id,
        status=CourseStatus.DRAFT,
        course_type=CourseType.ONBOARDING,
        issues_certificate=False,
        start_date=NOW - _DAY,
    )
    registered = bench.repository.registrations(organization_id).items[1]
    yield from listings(bench.repository, organization_id).items()
    yield from filtered(
        bench.repository, organization_id, registered.course_id, registered.user_id
    ).items()
    stranger = partial(bench.repository.registrations, organization_id, user_id=uuid4())
    yield ("registrations of a stranger", stranger)


CLAUSES = (
    rows_that_stay_are_seen_once_while_others_come_and_go,
    a_cursor_outlives_its_row,
    a_cursor_of_another_query_shows_nothing_outside,
)
