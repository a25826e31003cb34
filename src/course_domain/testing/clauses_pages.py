"""Clauses: pages that join without gaps or repeats, whatever their size and filter."""

from datetime import timedelta
from itertools import product
from typing import Any
from uuid import UUID, uuid4

from course_domain.course import CourseStatus, CourseType
from course_domain.testing.bench import (
    NOW,
    RepositoryBench,
    items,
    shown,
    walk,
)
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_true
from course_domain.testing.listings import (
    Listing,
    certified,
    expect_joined,
    filled,
    filtered,
    is_cursor,
    listings,
    spread,
)

_DAY = timedelta(days=1)
_HIGH = 0xFFFF << 112  # an id that begins with ffff is behind the others
_FULL_PAGES = {"default": 1, "thorough": 3}


@clause("PAGES-1")
def pages_join_without_gaps_or_repeats(bench: RepositoryBench) -> None:
    """Pages of any size, joined, are the whole list; each is full unless it is the last.

    A failure means that a reader who turns the pages misses rows, sees some twice, or finds an
    empty page at the end: `next` is None exactly when nothing follows.

    A correct adapter reads one row more than the limit to know whether anything follows, and goes
    on behind the last row that it gave, by the whole key of the order, from 1900 to 9099.
    """
    for organization_id, limits in ((filled(bench), range(1, 11)), (spread(bench), (1, 2, 3))):
        for name, listing in listings(bench.repository, organization_id).items():
            expect_joined(listing, limits, name)


@clause("PAGES-2")
def a_page_is_a_tuple_and_its_cursor_plain_text(bench: RepositoryBench) -> None:
    """Items are a tuple; a cursor is at most 500 letters, digits and ``- . _ ~``.

    A failure means that a cursor is damaged in a URL, or a page is changed by who reads it.

    A correct adapter writes its cursors in that alphabet, whatever the order is made of.
    """
    organization_id = filled(bench)
    bench.stored(organization_id=organization_id, status=CourseStatus.DRAFT)
    registered = bench.repository.registrations(organization_id).items[0]
    ids = (organization_id, registered.course_id, registered.user_id)
    queries = listings(bench.repository, organization_id) | filtered(bench.repository, *ids)
    for name, listing in queries.items():
        for page in walk(lambda after: listing(after=after, limit=1)):
            expect(tuple, type(page.items), f"{name}: the type of items")
            expect_true(
                page.next is None or is_cursor(page.next),
                f"{name}: a cursor\n  expected: letters, digits and - . _ ~, at most 500"
                f"\n  observed: {page.next!r}",
            )


@clause("PAGES-3")
def a_cursor_goes_with_any_limit(bench: RepositoryBench) -> None:
    """A cursor goes on at its place, with another limit, and as often as it is used.

    A failure means that a reader who changes the size of the page loses their place.

    A correct adapter puts the place into the cursor, not the number of a page or an offset.
    """
    organization_id = filled(bench)
    for name, listing in listings(bench.repository, organization_id).items():
        whole = list(listing(limit=200).items)
        first = listing(limit=2)
        for limit in (1, 3, 200, 3):
            rest = listing(after=first.next, limit=limit)
            expect(whole[2 : 2 + limit], list(rest.items), f"{name} behind two, limit={limit}")


@clause("PAGES-7")
def filtered_pages_join_too(bench: RepositoryBench) -> None:
    """Pages of a filtered list, joined, are the whole filtered list, undated rows too.

    A failure means that a filter is applied after the page is cut, that the step from dated to
    undated rows loses some, or that a last page that is full promises another.

    A correct adapter has the filters in the query that it pages through.
    """
    organization_id = uuid4()
    starts = (NOW, None, NOW + _DAY, None, NOW)
    courses = [
        bench.stored(
            organization_id=organization_id,
            start_date=starts[number % 5],
            status=tuple(CourseStatus)[number % 3],
            course_type=tuple(CourseType)[number // 2 % 3],
            issues_certificate=number % 2 == 0,
        )
        for number in range(18)
    ]
    people = [uuid4() for _ in range(3)]
    expiries = (None, NOW + _DAY, NOW + _DAY * 2)
    for number, (on, whose) in enumerate(product(courses[:3], people)):
        certified(bench, on, whose, expires_at=expiries[number % 3])
        certified(bench, on, at=NOW - _DAY, expires_at=expiries[number % 2])
    for name, listing in filtered(
        bench.repository, organization_id, courses[0].id, people[0]
    ).items():
        expect_joined(listing, (1, 2, 3), name)


@clause("PAGES-8")
def a_page_holds_up_to_two_hundred(bench: RepositoryBench) -> None:
    """A page takes 200 items, and one more stands on the next; without a limit it takes 50.

    A failure means that the longest page is cut, that one more than fits is lost, that a row
    behind as many is not found by a filter, or that a count is made of one page, or kept where
    little fits.

    A correct adapter asks its storage for limit + 1 rows that match, also at the limit of 200, and
    counts without a bound.
    """
    organization_id = uuid4()
    on = bench.stored(organization_id=organization_id)
    full = _FULL_PAGES[bench.profile]
    for _ in range(200 * full):
        bench.stored(organization_id=organization_id)
        certified(bench, on, expires_at=NOW + _DAY * 90)
    answer = certified(bench, on, expires_at=NOW + _DAY * 90)
    count = 200 * full + 1
    expect(count, answer.confirmed_count, "the confirmed count in the answer")
    expect(count, shown(bench.repository, on, uuid4()).confirmed_count, "the confirmed count")
    for name, listing in listings(bench.repository, organization_id).items():
        expect(50, len(listing().items), f"{name}: a page without a limit")
        pages = walk(lambda after: listing(limit=200, after=after))
        sizes = [len(page.items) for page in pages]
        expect([200] * full + [1], sizes, f"{name}: the sizes of pages of 200")
        expect(count, len(set(items(pages))), f"{name}: how many different rows they hold")
    _expect_found_behind(bench, organization_id)


def _expect_found_behind(bench: RepositoryBench, organization_id: UUID) -> None:
    """Look by filters, on a page for one, for what stands behind all else."""
    sought = bench.stored(
        id=UUID(int=uuid4().int | _HIGH),
        organization_id=organization_id,
        status=CourseStatus.DRAFT,
        course_type=CourseType.ONBOARDING,
        issues_certificate=False,
    )
    whose = uuid4()
    answer = certified(bench, sought, whose, at=NOW + _DAY, expires_at=None)
    queries: tuple[tuple[Listing, object, dict[str, Any]], ...] = (
        (bench.repository.courses, sought, {"statuses": [CourseStatus.DRAFT]}),
        (bench.repository.courses, sought, {"course_type": CourseType.ONBOARDING}),
        (bench.repository.courses, sought, {"issues_certificate": False}),
        (bench.repository.registrations, answer.registration, {"course_id": sought.id}),
        (bench.repository.registrations, answer.registration, {"user_id": whose}),
        (bench.repository.certificates, answer.certificate, {"course_id": sought.id}),
        (bench.repository.certificates, answer.certificate, {"user_id": whose}),
    )
    for listing, expected, query in queries:
        page = listing(organization_id, limit=1, **query)
        what = f"a page for one, with {query}, of what is behind all other rows"
        expect(((expected,), None), (page.items, page.next), what)


@clause("PAGES-9")
def pages_join_among_ids_that_are_alike(bench: RepositoryBench) -> None:
    """Rows of one instant whose ids differ in one digit, any digit, come page by page.

    A failure means that rows are skipped whose ids have a beginning, or an end, in common: ids
    that grow with time have.

    A correct adapter has every digit of the id in its order and in its cursors.
    """
    organization_id = uuid4()
    ids = _ids_alike()
    on, *_ = [
        bench.stored(id=row_id, organization_id=organization_id, start_date=NOW) for row_id in ids
    ]
    for row_id in ids:
        certified(bench, on, expires_at=NOW + _DAY * 90, record_id=row_id)
    for name, listing in listings(bench.repository, organization_id).items():
        expect_joined(listing, (1, 2), f"{name} whose ids are alike")
        if name != "pending_reminders":  # the order of the outbox is the adapter's own
            found = [each.id for each in listing().items]
            expect(sorted(ids), found, f"{name} whose ids are alike, in order")


def _ids_alike() -> list[UUID]:
    """Give ids of which each differs from the first in one of the 32 hex digits."""
    first = uuid4().int
    return [UUID(int=first), *(UUID(int=first ^ 1 << 4 * digit) for digit in range(32))]


CLAUSES = (
    pages_join_without_gaps_or_repeats,
    a_page_is_a_tuple_and_its_cursor_plain_text,
    a_cursor_goes_with_any_limit,
    filtered_pages_join_too,
    a_page_holds_up_to_two_hundred,
    pages_join_among_ids_that_are_alike,
)
