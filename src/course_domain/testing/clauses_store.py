"""Clauses for two objects over one store: the adapter declares ``shared_store``."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course, CourseStatus
from course_domain.errors import CourseNotFound, DuplicateCourse
from course_domain.participation import Participation, RenewalReminder
from course_domain.ports import CourseRepository
from course_domain.testing.bench import (
    NOW,
    SHARED_STORE,
    RepositoryBench,
    cancelled,
    change,
    completed,
    confirmed,
    course,
    shown,
)
from course_domain.testing.clause import clause
from course_domain.testing.contestants import change_course, one_more_seat
from course_domain.testing.expectations import expect, expect_error, expect_some
from course_domain.testing.listings import (
    Listing,
    certified,
    filled,
    filtered,
    listings,
)

_DAY = timedelta(days=1)


@clause("SHARED-1", SHARED_STORE)
def a_change_is_seen_through_every_object(bench: RepositoryBench) -> None:
    """When a call returns, every read of every object over the store sees its change.

    A failure means that one object shows what another has long changed.

    A correct adapter caches nothing between calls, neither what it read, nor what it wrote, nor
    that something was not there, and commits before it returns.
    """
    both = bench.repository, bench.reopened()
    on, whose = course(start_date=NOW), uuid4()
    _expect_not_there(both[1], on)
    both[0].add(on)
    steps: tuple[dict[str, Any], ...] = (
        {"title": "other", "issues_certificate": False},
        {"status": CourseStatus.ARCHIVED},
        {"status": CourseStatus.PUBLISHED, "start_date": None},
    )
    _read_everything(both, on, whose)
    for number, fields in enumerate(steps):
        changed = change_course(both[number % 2], on, lambda seen: attrs.evolve(seen, **fields))
        for repository in both:
            expect(changed, repository.get(on.organization_id, on.id), f"changed by {fields}")
            courses = repository.courses(on.organization_id, statuses=[changed.status]).items
            expect((changed,), courses, f"the list after a change by {fields}")
        _expect_the_same(both, on, whose, f"after {fields}")
    for number, decide in enumerate((confirmed, cancelled, confirmed)):
        answer = change(both[number % 2], on, whose, decide)
        for repository in both:
            expect(answer, shown(repository, on, whose), f"after {decide.__name__}")
            listed = repository.registrations(on.organization_id, user_id=whose).items
            expect((answer.registration,), listed, f"the person's list after {decide.__name__}")
            listed = repository.registrations(on.organization_id, course_id=on.id).items
            expect((answer.registration,), listed, f"the course's list after {decide.__name__}")
        _expect_the_same(both, on, whose, f"after {decide.__name__}")
    bench.complete(on, whose)
    bench.complete(on)
    _expect_the_same(both, on, whose, "after two completions")


def _expect_not_there(repository: CourseRepository, on: Course) -> None:
    """Ask for a course that is yet to be added by every call that names it."""
    ids = (on.organization_id, on.id)
    expect(None, repository.get(*ids), "a course that is yet to be added")
    expect((), tuple(repository.participations(ids[0], [on.id], uuid4())), "participations in it")
    expect((), repository.courses(on.organization_id).items, "the courses")
    for call in (
        lambda: change_course(repository, on, lambda seen: seen),
        lambda: change(repository, on, uuid4(), confirmed),
    ):
        expect_error(CourseNotFound, call, "a change of a course that is yet to be added")


def _lists(repository: CourseRepository, on: Course, whose: UUID) -> dict[str, Listing]:
    return {
        **listings(repository, on.organization_id),
        **filtered(repository, on.organization_id, on.id, whose),
    }


def _read_everything(repositories: Iterable[CourseRepository], on: Course, whose: UUID) -> None:
    """Let objects that remember what they have read remember it."""
    for repository in repositories:
        repository.get(on.organization_id, on.id)
        shown(repository, on, whose)
        change(repository, on, whose, lambda seen: seen)
        for listing in _lists(repository, on, whose).values():
            listing(limit=50)


def _expect_the_same(
    both: tuple[CourseRepository, CourseRepository], on: Course, whose: UUID, when: str
) -> None:
    """Fail unless every read gives the same through both objects, which may remember it."""
    expect(shown(both[0], on, whose), shown(both[1], on, whose), f"a participation {when}")
    there = _lists(both[1], on, whose)
    for name, listing in _lists(both[0], on, whose).items():
        expect(listing(limit=50).items, there[name](limit=50).items, f"{name} {when}")


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
        there = change_course(repository, on, one_more_seat).max_participants
        expect(number + 1, there, "a number raised by one through the two in turn")
    whose = uuid4()
    for decide in (confirmed, cancelled, confirmed, completed):
        stored = attrs.evolve(change(first, on, whose, decide), reminder=None)
        for repository in (second, first):
            seen = _shown_to_decide(repository, on, whose)
            expect(stored, seen, f"what decide is shown after {decide.__name__} elsewhere")
        title = f"before {decide.__name__}"
        change_course(first, on, lambda seen: attrs.evolve(seen, title=title))
    _expect_one_outbox(bench, first, second)


def _shown_to_decide(repository: CourseRepository, on: Course, whose: UUID) -> Participation:
    asked: list[Participation] = []

    def decide(seen: Participation) -> Participation:
        asked.append(seen)
        return seen

    change(repository, on, whose, decide)
    return asked[-1]


def _expect_one_outbox(
    bench: RepositoryBench, first: CourseRepository, second: CourseRepository
) -> None:
    """Add reminders through the two in turn, mark each through the other, and offer it again."""
    on, expires_at = bench.stored(), NOW + 365 * _DAY
    waiting: list[RenewalReminder] = []

    def expect_waiting(when: str) -> None:
        for repository in (first, second):
            pending = repository.pending_reminders().items
            expect(set(waiting), set(pending), f"the outbox {when}")
            expect(len(waiting), len(pending), f"how many wait {when}")

    def complete_through(repository: CourseRepository) -> None:
        done = change(
            repository, on, uuid4(), lambda seen: completed(confirmed(seen), expires_at=expires_at)
        )
        waiting.append(expect_some(done.reminder, "the reminder in the answer"))
        expect_waiting("after a completion through one of the two")

    for here in (first, second, first, second):
        complete_through(here)
    for here, other in ((first, second), (second, first)):
        reminder = waiting.pop(0)
        other.mark_reminder_scheduled(reminder)
        expect_waiting("after a mark through the other")
        complete_through(here)
        for repository in (here, other):
            again = change(
                repository,
                on,
                reminder.peer_mentor_id,
                lambda seen: attrs.evolve(seen, reminder=reminder),
            )
            expect(None, again.reminder, "the reminder in an answer that offers it again")
            expect_waiting("after a marked one was offered again")


@clause("SHARED-3", SHARED_STORE)
def a_cursor_is_good_on_every_object(bench: RepositoryBench) -> None:
    """A cursor that one object gave goes on at its place on another over the same store.

    A failure means that a reader whose next request meets another object begins anew.

    A correct adapter writes all that a cursor means into its text.
    """
    first, second = bench.repository, bench.reopened()
    organization_id = filled(bench)
    on, *others = first.courses(organization_id).items
    whose = uuid4()
    for each in (on, *others[:3]):
        certified(bench, each, whose, expires_at=NOW)
    there = _lists(second, on, whose)
    for name, listing in _lists(first, on, whose).items():
        page = listing(limit=2)
        if page.next is not None:
            expected = listing(after=page.next, limit=200)
            expect(expected, there[name](after=page.next, limit=200), f"{name} behind two")


CLAUSES = (
    a_change_is_seen_through_every_object,
    both_objects_write_to_one_store,
    a_cursor_is_good_on_every_object,
)
