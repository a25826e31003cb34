"""Clauses for two objects over one store: the adapter declares ``shared_store``."""

from datetime import timedelta
from uuid import uuid4

import attrs

from course_domain.course import CourseStatus
from course_domain.errors import DuplicateCourse
from course_domain.testing.bench import (
    NOW,
    SHARED_STORE,
    RepositoryBench,
    cancelled,
    change,
    confirmed,
    shown,
)
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_error
from course_domain.testing.listings import listings_and_an_empty_one

_DAY = timedelta(days=1)


@clause("SHARED-1", SHARED_STORE)
def a_change_is_seen_through_every_object(bench: RepositoryBench) -> None:
    """When a call returns, every read of every object over the store sees its change.

    A failure means that one process of a host shows what another has long changed.

    A correct adapter caches nothing between calls, and commits before it returns.
    """
    first, second = bench.repository, bench.reopened()
    on = bench.stored(start_date=NOW)
    expect(on, second.get(on.organization_id, on.id), "a course added through the other")
    for fields in ({"title": "other"}, {"status": CourseStatus.ARCHIVED}, {"start_date": None}):
        changed = first.change_course(
            on.organization_id, on.id, lambda seen: attrs.evolve(seen, **fields)
        )
        expect(changed, second.get(on.organization_id, on.id), f"a course changed by {fields}")
        expect((changed,), second.courses(on.organization_id).items, "the list there")
    whose = uuid4()
    for decide in (confirmed, cancelled, confirmed):
        answer = change(first, on, whose, decide)
        expect(answer, shown(second, on, whose), f"a participation after {decide.__name__}")
    bench.complete(on)
    for name, listing in listings_and_an_empty_one(first, on.organization_id).items():
        there = listings_and_an_empty_one(second, on.organization_id)[name]
        expect(listing(limit=50), there(limit=50), f"{name} through the other object")
    for reminder in first.pending_reminders().items:
        second.mark_reminder_scheduled(reminder)
    expect((), first.pending_reminders().items, "the outbox marked through the other")


@clause("SHARED-2", SHARED_STORE)
def both_objects_write_to_one_store(bench: RepositoryBench) -> None:
    """Changes through two objects in turn add up, and an id taken through one is taken.

    A failure means that each object keeps a count, a version or a set of ids of its own.

    A correct adapter has all its state in the store.
    """
    first, second = bench.repository, bench.reopened()
    on = bench.stored(max_participants=1)
    expect_error(DuplicateCourse, lambda: second.add(on), "add of an id taken through the other")
    for number, repository in enumerate((first, second, first, second), start=1):
        answer = change(repository, on, uuid4(), confirmed)
        expect(number, answer.confirmed_count, "the count, through the two in turn")
        seats = repository.change_course(
            on.organization_id,
            on.id,
            lambda seen: attrs.evolve(seen, max_participants=(seen.max_participants or 0) + 1),
        ).max_participants
        expect(number + 1, seats, "a number raised by one through the two in turn")


@clause("SHARED-3", SHARED_STORE)
def a_cursor_is_good_on_every_object(bench: RepositoryBench) -> None:
    """A cursor that one object gave goes on at its place on another over the same store.

    A failure means that a reader whose next request meets another process begins anew.

    A correct adapter writes all that a cursor means into its text.
    """
    first, second = bench.repository, bench.reopened()
    on = bench.stored()
    for _ in range(4):
        bench.stored(organization_id=on.organization_id)
        bench.complete(on)
    there = listings_and_an_empty_one(second, on.organization_id)
    for name, listing in listings_and_an_empty_one(first, on.organization_id).items():
        page = listing(limit=2)
        if page.next is not None:
            expected = listing(after=page.next, limit=200)
            expect(expected, there[name](after=page.next, limit=200), f"{name} behind two")


CLAUSES = (
    a_change_is_seen_through_every_object,
    both_objects_write_to_one_store,
    a_cursor_is_good_on_every_object,
)
