"""Adapters that are broken in who is shown what, and in what several courses share.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar
from uuid import UUID

import attrs

from adapters.broken import Decide
from adapters.broken_races import Conditional
from adapters.compare_and_ask_again import Document
from course_domain import CourseRepository, Participation, RegistrationStatus
from course_domain.memory import InMemoryCourseRepository

T = TypeVar("T")


class Locking(InMemoryCourseRepository):
    """Give these their ground: an adapter that locks, and is right."""


# --- What decide is shown


class CourseBeforeTheLock(Locking):
    """What `decide` is shown holds the course as it was before the lock was taken."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Read the course, and lock it then."""
        early = self.get(organization_id, course_id)

        def torn(seen: Participation) -> Participation:
            return decide(attrs.evolve(seen, course=early or seen.course))

        return super().change_participation(organization_id, course_id, user_id, torn)


# --- What is compared


class CompletionRaisesNoVersion(Conditional):
    """The course and its count are compared, and a completion changes neither."""

    def is_outdated(self, found: Document, changed: Document, newest: Document) -> bool:
        """Compare the course and the count."""
        del changed
        return (found.course, _count(found)) != (newest.course, _count(newest))


class CancelIsUnguarded(Conditional):
    """A cancel is stored on no condition, as it frees a seat."""

    def is_outdated(self, found: Document, changed: Document, newest: Document) -> bool:
        """Compare the version, but for a cancel."""
        return _count(changed) >= _count(found) and found.version != newest.version


class OnlyWhatGrowsIsGuarded(Conditional):
    """The version is compared only for an answer that takes a seat, or changes the course."""

    def is_outdated(self, found: Document, changed: Document, newest: Document) -> bool:
        """Compare the version for these, and the registrations for others."""
        if _count(changed) > _count(found) or changed.course != found.course:
            return found.version != newest.version
        return found.registrations != newest.registrations


def _count(document: Document) -> int:
    statuses = [each.status for each in document.registrations.values()]
    return statuses.count(RegistrationStatus.CONFIRMED)


BROKEN: Mapping[str, tuple[Callable[[], CourseRepository], ...]] = {
    "RACE-5": (CourseBeforeTheLock,),
    "RACE-7": (CompletionRaisesNoVersion, CancelIsUnguarded),
    "RACE-8": (CourseBeforeTheLock,),
    "RACE-19": (CourseBeforeTheLock, OnlyWhatGrowsIsGuarded),
}
"""Which clauses catch which of them, by the clause's id."""
