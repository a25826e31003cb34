"""Clauses: pages without gaps or repeats, and cursors that keep their place."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import attrs

from course_domain.course import Course, CourseStatus
from course_domain.testing.bench import NOW, RepositoryBench, items, walk
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_true
from course_domain.testing.listings import filled, is_cursor, listings, rows_or_none

_DAY = timedelta(days=1)


@clause("PAGES-1")
def pages_join_without_gaps_or_repeats(bench: RepositoryBench) -> None:
    """Pages of any size, joined, are the whole list; each is full unless it is the last.

    A failure means that a reader who turns the pages misses rows, sees some twice, or finds an
    empty page at the end: `next` is None exactly when nothing follows.

    A correct adapter reads one row more than the limit to know whether anything follows, and goes
    on behind the last row that it gave, by the whole key of the order.
    """
    organization_id = filled(bench)
    for name, listing in listings(bench.repository, organization_id).items():
        whole = listing(limit=200)
        expect(None, whole.next, f"{name}: next of a page that holds all")
        for limit in range(1, len(whole.items) + 2):
            pages = walk(lambda after: listing(after=after, limit=limit))
            expect(list(whole.items), items(pages), f"{name} joined, limit={limit}")
            sizes = [len(page.items) for page in pages]
            last = (len(whole.items) - 1) % limit + 1
            expected = [limit] * (len(pages) - 1) + [last]
            expect(expected, sizes, f"{name}: the sizes of its pages, limit={limit}")


@clause("PAGES-2")
def a_page_is_a_tuple_and_its_cursor_plain_text(bench: RepositoryBench) -> None:
    """Items are a tuple; a cursor is at most 500 letters, digits and ``- . _ ~``.

    A failure means that a cursor is damaged in a URL, or a page is changed by who reads it.

    A correct adapter writes its cursors in that alphabet, whatever the order is made of.
    """
    organization_id = filled(bench)
    for name, listing in listings(bench.repository, organization_id).items():
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


@clause("PAGES-4")
def rows_that_stay_are_seen_once_while_others_come_and_go(bench: RepositoryBench) -> None:
    """While rows come and go between the pages, one that stays is seen exactly once.

    A failure means that somebody's course is skipped because another one was archived meanwhile.

    A correct adapter pages by key and never by OFFSET.
    """
    organization_id = filled(bench, courses=12)
    query: dict[str, Any] = {"statuses": [CourseStatus.PUBLISHED]}
    before = bench.repository.courses(organization_id, **query).items
    going = {each.id for each in before[::3]}
    seen: list[Course] = []
    page = bench.repository.courses(organization_id, **query, limit=2)
    while True:
        seen += page.items
        for each in before:
            if each.id in going:
                bench.repository.change_course(
                    organization_id,
                    each.id,
                    lambda course: attrs.evolve(course, status=CourseStatus.ARCHIVED),
                )
                going.discard(each.id)
                break
        bench.stored(organization_id=organization_id, start_date=NOW - _DAY)
        bench.stored(organization_id=organization_id, start_date=NOW + _DAY / 2)
        if page.next is None:
            break
        page = bench.repository.courses(organization_id, **query, after=page.next, limit=2)
    staying = [each.id for each in before if each.id not in {gone.id for gone in before[::3]}]
    ids = [each.id for each in seen]
    expect(staying, [each for each in ids if each in staying], "the courses that stayed, as seen")
    expect(len(ids), len(set(ids)), "how many different courses were seen")


@clause("PAGES-5")
def a_cursor_outlives_its_row(bench: RepositoryBench) -> None:
    """A cursor keeps its place after its row has left the list, or moved in it.

    A failure means that a reader whose last course was archived must begin anew.

    A correct adapter finds what comes behind a key, whether or not a row has that key.
    """
    organization_id = filled(bench)
    query: dict[str, Any] = {"statuses": [CourseStatus.PUBLISHED]}
    whole = bench.repository.courses(organization_id, **query).items
    for index, fields in ((1, {"status": CourseStatus.ARCHIVED}), (3, {"start_date": None})):
        page = bench.repository.courses(organization_id, **query, limit=index + 1)
        gone = page.items[-1]
        bench.repository.change_course(
            organization_id, gone.id, lambda seen: attrs.evolve(seen, **fields)
        )
        rest = bench.repository.courses(organization_id, **query, after=page.next)
        found = [each.id for each in rest.items if each.id != gone.id]
        expected = [each.id for each in whole[whole.index(gone) + 1 :]]
        expect(expected, found, f"the courses behind one that changed {fields}")
        whole = bench.repository.courses(organization_id, **query).items
    first = bench.repository.pending_reminders(limit=2)
    second = bench.repository.pending_reminders(after=first.next, limit=200)
    for reminder in first.items:
        bench.repository.mark_reminder_scheduled(reminder)
    again = bench.repository.pending_reminders(after=first.next, limit=200)
    expect(second.items, again.items, "the reminders behind two that were marked")


@clause("PAGES-6")
def a_cursor_of_another_query_shows_nothing_outside(bench: RepositoryBench) -> None:
    """A cursor of another query is refused, or is a place in this one.

    A failure means that a cursor carries a filter or an organization with it, and opens a list
    that the caller was not asked for.

    A correct adapter takes from a cursor only where to go on, never whose or which rows.
    """
    organization_id = filled(bench)
    other_id = filled(bench)
    cursors = [
        page.next
        for listing in listings(bench.repository, other_id).values()
        for page in walk(lambda after: listing(after=after, limit=2))
        if page.next is not None
    ]
    for name, listing in listings(bench.repository, organization_id).items():
        whole = listing(limit=200).items
        for cursor in cursors:
            found = rows_or_none(lambda: listing(after=cursor, limit=200))
            outside = [each for each in found if each not in whole]
            expect([], outside, f"{name} with {cursor!r}: rows outside the query")
    for cursor in cursors:
        found = rows_or_none(
            lambda: bench.repository.courses(
                organization_id, statuses=[CourseStatus.DRAFT], after=cursor
            )
        )
        expect((), tuple(found), f"drafts, of which there are none, with {cursor!r}")
        found = rows_or_none(
            lambda: bench.repository.registrations(organization_id, user_id=uuid4(), after=cursor)
        )
        expect((), tuple(found), f"registrations of a stranger with {cursor!r}")


@clause("PAGES-7")
def filtered_pages_join_too(bench: RepositoryBench) -> None:
    """Pages of a filtered list, joined, are the whole filtered list, undated rows too.

    A failure means that a filter is applied after the page is cut, or that the step from dated
    to undated rows loses some.

    A correct adapter has the filters in the query that it pages through.
    """
    organization_id = uuid4()
    starts = (NOW, None, NOW + _DAY, None, NOW)
    for number in range(15):
        bench.stored(
            organization_id=organization_id,
            start_date=starts[number % 5],
            status=tuple(CourseStatus)[number % 3],
            issues_certificate=number % 2 == 0,
        )
    queries: tuple[dict[str, Any], ...] = (
        {"statuses": [CourseStatus.PUBLISHED]},
        {"statuses": [CourseStatus.DRAFT, CourseStatus.ARCHIVED]},
        {"issues_certificate": True},
        {"starts_from": NOW},
        {"starts_before": NOW + _DAY, "issues_certificate": False},
    )
    for query in queries:
        whole = bench.repository.courses(organization_id, **query, limit=200)
        for limit in (1, 2, 3):
            pages = walk(
                lambda after: bench.repository.courses(
                    organization_id, **query, after=after, limit=limit
                )
            )
            expect(list(whole.items), items(pages), f"courses with {query}, limit={limit}")
            full = [len(page.items) for page in pages[:-1]]
            expect([limit] * len(full), full, f"the sizes of all pages but the last, {query}")


@clause("PAGES-8")
def a_page_holds_up_to_two_hundred(bench: RepositoryBench) -> None:
    """A page takes 200 items, and one more stands on the next.

    A failure means that the longest page is cut, or that one more than fits is lost.

    A correct adapter asks its storage for limit + 1 rows, also at the limit of 200.
    """
    organization_id = uuid4()
    on = bench.stored(organization_id=organization_id)
    for _ in range(201):
        bench.register(on)
    first = bench.repository.registrations(organization_id, limit=200)
    expect(200, len(first.items), "the first page")
    second = bench.repository.registrations(organization_id, limit=200, after=first.next)
    expect((1, None), (len(second.items), second.next), "the second page, and its next")


CLAUSES = (
    pages_join_without_gaps_or_repeats,
    a_page_is_a_tuple_and_its_cursor_plain_text,
    a_cursor_goes_with_any_limit,
    rows_that_stay_are_seen_once_while_others_come_and_go,
    a_cursor_outlives_its_row,
    a_cursor_of_another_query_shows_nothing_outside,
    filtered_pages_join_too,
    a_page_holds_up_to_two_hundred,
)
