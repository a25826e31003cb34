"""Clauses for two objects over one store: the adapter declares ``shared_store``."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course, CourseStatus
from course_domain.errors import DuplicateCourse
from course_domain.participation import Participation
from course_domain.ports import CourseRepository
from course_domain.testing.bench import (
    NOW,
    SHARED_STORE,
    RepositoryBench,
    cancelled,
    change,
    completed,
    confirmed,
    shown,
)
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_error
from course_domain.testing.listings import listings_and_empty_ones

_DAY = timedelta(days=1)


@clause("SHARED-1", SHARED_STORE)
def a_change_is_seen_through_every_object(bench: RepositoryBench) -> None:
    """When a call returns, every read of every object over the store sees its change.

    A failure means that one object shows what another has long changed.

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
        _read_everything(second, on, whose)
        answer = change(first, on, whose, decide)
        expect(answer, shown(second, on, whose), f"a participation after {decide.__name__}")
        listed = second.registrations(on.organization_id, user_id=whose).items
        expect((answer.registration,), listed, f"the person's list after {decide.__name__}")
        listed = second.registrations(on.organization_id, course_id=on.id).items
        expect((answer.registration,), listed, f"the course's list after {decide.__name__}")
    _read_everything(second, on, whose)
    bench.complete(on, whose)
    bench.complete(on)
    for name, listing in listings_and_empty_ones(first, on.organization_id).items():
        there = listings_and_empty_ones(second, on.organization_id)[name]
        expect(listing(limit=50), there(limit=50), f"{name} through the other object")
    for reminder in first.pending_reminders().items:
        second.mark_reminder_scheduled(reminder)
    expect((), first.pending_reminders().items, "the outbox marked through the other")


def _read_everything(repository: CourseRepository, on: Course, whose: UUID) -> None:
    """Let an object that remembers what it has read remember it."""
    shown(repository, on, whose)
    change(repository, on, whose, lambda seen: seen)
    for listing in listings_and_empty_ones(repository, on.organization_id).values():
        listing(limit=50)
    queries: tuple[dict[str, Any], ...] = ({"user_id": whose}, {"course_id": on.id})
    for filters in queries:
        repository.registrations(on.organization_id, **filters)
        repository.certificates(on.organization_id, **filters)


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
    whose = uuid4()
    for decide in (confirmed, cancelled, confirmed, completed):
        stored = attrs.evolve(change(first, on, whose, decide), reminder=None)
        for repository in (second, first):
            seen = _shown_to_decide(repository, on, whose)
            expect(stored, seen, f"what decide is shown after {decide.__name__} elsewhere")
        first.change_course(
            on.organization_id,
            on.id,
            lambda seen: attrs.evolve(seen, title=f"before {decide.__name__}"),
        )


def _shown_to_decide(repository: CourseRepository, on: Course, whose: UUID) -> Participation:
    asked: list[Participation] = []

    def decide(seen: Participation) -> Participation:
        asked.append(seen)
        return seen

    change(repository, on, whose, decide)
    return asked[-1]


@clause("SHARED-3", SHARED_STORE)
def a_cursor_is_good_on_every_object(bench: RepositoryBench) -> None:
    """A cursor that one object gave goes on at its place on another over the same store.

    A failure means that a reader whose next request meets another object begins anew.

    A correct adapter writes all that a cursor means into its text.
    """
    first, second = bench.repository, bench.reopened()
    on = bench.stored()
    for _ in range(4):
        bench.stored(organization_id=on.organization_id)
        bench.complete(on)
    there = listings_and_empty_ones(second, on.organization_id)
    for name, listing in listings_and_empty_ones(first, on.organization_id).items():
        page = listing(limit=2)
        if page.next is not None:
            expected = listing(after=page.next, limit=200)
            expect(expected, there[name](after=page.next, limit=200), f"{name} behind two")


CLAUSES = (
    a_change_is_seen_through_every_object,
    both_objects_write_to_one_store,
    a_cursor_is_good_on_every_object,
)
