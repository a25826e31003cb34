"""Adapters that are broken where callers meet; alone, each keeps every promise.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught. A pause stands for what a call to a database takes.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import TypeVar
from uuid import UUID

import attrs

from adapters.broken import Decide, DecideCourse
from adapters.compare_and_ask_again import AskingAgainRepository, Document, DocumentStore
from adapters.stored_bytes import ByteStore, StoredBytesRepository
from course_domain import (
    Course,
    CourseNotFound,
    CourseRepository,
    DuplicateCourse,
    Participation,
    Registration,
    RepositoryUnavailable,
)

T = TypeVar("T")

Change = Callable[[Document], tuple[Document, T]]


def round_trip() -> None:
    """Pause as long as a call to a database takes."""
    time.sleep(0.01)


class LastWriteWins(AskingAgainRepository):
    """Load, decide, store: nobody looks whether something happened in between."""

    def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        found = self._loaded(organization_id, course_id)
        changed, answer = change(found)
        self._written(found, changed)
        return answer

    def _loaded(self, organization_id: UUID, course_id: UUID) -> Document:
        found = self.store.load(organization_id, course_id)
        if found is None:
            raise CourseNotFound(course_id)
        round_trip()
        return found

    def _written(self, found: Document, changed: Document) -> None:
        """Write a document, whatever version is there."""
        del found
        key = (changed.course.organization_id, changed.course.id)
        while not self.store.replace(changed, self._loaded(*key).version):
            pass


class RowsWithoutCondition(LastWriteWins):
    """Each row of an answer is written by itself, and none on a condition: lock and count."""

    def _written(self, found: Document, changed: Document) -> None:
        key = (changed.course.organization_id, changed.course.id)
        while True:
            newest = self._loaded(*key)
            course = newest.course if changed.course == found.course else changed.course
            merged = attrs.evolve(
                newest,
                course=course,
                registrations={**newest.registrations, **_new(found, changed)},
                certificates={**changed.certificates, **newest.certificates},
                reminders={**newest.reminders, **changed.reminders},
            )
            if self.store.replace(merged, newest.version):
                return


def _new(found: Document, changed: Document) -> Mapping[UUID, Registration]:
    """Give the registrations that an answer wrote."""
    return {
        whose: each
        for whose, each in changed.registrations.items()
        if found.registrations.get(whose) != each
    }


class Conditional(RowsWithoutCondition):
    """Give adapters whose condition is not the whole version their ground."""

    def is_outdated(self, found: Document, changed: Document, newest: Document) -> bool:
        """Tell whether to ask again."""
        del changed
        return found.version != newest.version

    def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        while True:
            found = self._loaded(organization_id, course_id)
            changed, answer = change(found)
            if not self.is_outdated(found, changed, self._loaded(organization_id, course_id)):
                self._written(found, changed)
                return answer


class VersionOfTheCourseOnly(Conditional):
    """The version is the course's, and registrations do not raise it."""

    def is_outdated(self, found: Document, changed: Document, newest: Document) -> bool:
        """Compare the course."""
        del changed
        return found.course != newest.course


class VersionOfThePersonOnly(Conditional):
    """What one person has is guarded, and not the course."""

    def is_outdated(self, found: Document, changed: Document, newest: Document) -> bool:
        """Compare what the person has; a course is compared with itself."""
        if changed.course != found.course:
            return found.course != newest.course
        new = _new(found, changed)
        return any(newest.registrations.get(each) != found.registrations.get(each) for each in new)


class CourseChangesAreNotSeen(Conditional):
    """Registrations raise the version, and revisions of the course do not."""

    def is_outdated(self, found: Document, changed: Document, newest: Document) -> bool:
        """Compare the registrations."""
        if changed.course != found.course:
            return found.course != newest.course
        return found.registrations != newest.registrations


class SecondIsAnError(AskingAgainRepository):
    """Who comes second hears of the storage's own error, and is not asked again."""

    def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        found = self.store.load(organization_id, course_id)
        if found is None:
            raise CourseNotFound(course_id)
        changed, answer = change(found)
        if not self.store.replace(changed, found.version):
            raise ConnectionError("could not serialize access due to concurrent update")
        return answer


class FirstAnswerIsKept(AskingAgainRepository):
    """The decision is asked again, and its first answer stored."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Keep the first answer."""
        answers: list[Course] = []

        def first(seen: Course) -> Course:
            answers.append(decide(seen))
            return answers[0]

        return super().change_course(organization_id, course_id, first)

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Keep the first answer."""
        answers: list[Participation] = []

        def first(seen: Participation) -> Participation:
            answers.append(decide(seen))
            return answers[0]

        return super().change_participation(organization_id, course_id, user_id, first)


class ThreeTries(AskingAgainRepository):
    """Three tries were always enough where this was written."""

    def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        for _ in range(3):
            found = self.store.load(organization_id, course_id)
            if found is None:
                raise CourseNotFound(course_id)
            changed, answer = change(found)
            if self.store.replace(changed, found.version):
                return answer
        raise RepositoryUnavailable("three tries were not enough")


class ReadsWhatIsNotCommitted(AskingAgainRepository):
    """A course that somebody is changing is shown as blank as it is just then."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Blank the course while it is decided."""
        found = self.store.load(organization_id, course_id)
        if found is None:
            raise CourseNotFound(course_id)
        blank = attrs.evolve(found, course=attrs.evolve(found.course, title="being changed"))
        self.store.replace(blank, found.version)
        try:
            answer = decide(found.course)
        except BaseException:
            self.store.replace(found, found.version + 1)
            raise
        self.store.replace(attrs.evolve(found, course=answer), found.version + 1)
        return answer


class ReadsInTwoSteps(AskingAgainRepository):
    """The count is read by one statement, and the registration by the next."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Read twice."""
        ids = tuple(course_ids)
        counted = super().participations(organization_id, ids, user_id)
        round_trip()
        found = super().participations(organization_id, ids, user_id)
        return {
            key: attrs.evolve(each, confirmed_count=counted[key].confirmed_count)
            for key, each in found.items()
        }


class LooksBeforeItAdds(AskingAgainRepository):
    """`add` looks whether the id is free, and then writes."""

    def add(self, course: Course) -> None:
        """Look, then write."""
        if self.get(course.organization_id, course.id) is not None:
            raise DuplicateCourse(course.id)
        round_trip()
        if not self.store.replace(Document(course=course), 0):
            self.change_course(course.organization_id, course.id, lambda _seen: course)


class CallIsKeptInTheObject(AskingAgainRepository):
    """The course that a call works on stands in the object, where another call puts its own."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Work on what stands in the object."""
        self._course = self.get(organization_id, course_id)
        if self._course is None:
            raise CourseNotFound(course_id)
        round_trip()
        working_on = self._course.id
        return super().change_course(organization_id, working_on, decide)


class LockOfTheObject(LastWriteWins):
    """Changes are serialised by a lock that each object has for itself."""

    def __init__(self, store: DocumentStore | None = None) -> None:
        """Begin with a lock."""
        super().__init__(store)
        self._deciding = Lock()

    def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        with self._deciding:
            return super()._change(organization_id, course_id, change)


class LocksInBothOrders(StoredBytesRepository):
    """Courses and people have a lock each, which the two changes take in different order."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with two locks."""
        super().__init__(store)
        self._courses_lock, self._people_lock = Lock(), Lock()

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Lock courses, then people."""
        with self._courses_lock, self._people_lock:
            return super().change_course(organization_id, course_id, decide)

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Lock people, then courses for what was decided."""
        with self._people_lock:
            seen = self.participations(organization_id, [course_id], user_id).get(course_id)
            if seen is None:
                raise CourseNotFound(course_id)
            answer = decide(seen)
            with self._courses_lock:
                return super().change_participation(
                    organization_id, course_id, user_id, lambda _seen: answer
                )


class HastyStore(ByteStore):
    """Let nobody wait for long."""

    patience_seconds = 0.5


class GivesUpSoon(StoredBytesRepository):
    """Who has waited for half a second is sent away."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Stand over a store that is hasty."""
        super().__init__(store or HastyStore())


BROKEN: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "RACE-1": (LastWriteWins, SecondIsAnError),
    "RACE-2": (LastWriteWins, RowsWithoutCondition, VersionOfTheCourseOnly, VersionOfThePersonOnly),
    "RACE-3": (LockOfTheObject,),
    "RACE-4": (RowsWithoutCondition, VersionOfTheCourseOnly, SecondIsAnError),
    "RACE-5": (LastWriteWins, CourseChangesAreNotSeen, VersionOfThePersonOnly, LocksInBothOrders),
    "RACE-6": (LastWriteWins, RowsWithoutCondition),
    "RACE-7": (RowsWithoutCondition, VersionOfTheCourseOnly),
    "RACE-8": (CourseChangesAreNotSeen, VersionOfThePersonOnly),
    "RACE-9": (LastWriteWins, FirstAnswerIsKept),
    "RACE-10": (LastWriteWins, FirstAnswerIsKept, SecondIsAnError),
    "RACE-11": (ThreeTries,),
    "RACE-12": (GivesUpSoon, SecondIsAnError),
    "RACE-13": (ReadsInTwoSteps,),
    "RACE-14": (ReadsWhatIsNotCommitted,),
    "CROWD-1": (LastWriteWins, RowsWithoutCondition, VersionOfTheCourseOnly),
    "CROWD-2": (LastWriteWins,),
    "CROWD-3": (RowsWithoutCondition, VersionOfTheCourseOnly),
    "CROWD-4": (RowsWithoutCondition, VersionOfTheCourseOnly),
    "CROWD-5": (LastWriteWins,),
    "CROWD-6": (LooksBeforeItAdds,),
    "CROWD-7": (RowsWithoutCondition, VersionOfTheCourseOnly),
    "CROWD-8": (CallIsKeptInTheObject, LastWriteWins),
}
"""Which clauses catch which of them, by the clause's id."""

HANGING: frozenset[Callable[[], CourseRepository]] = frozenset({LocksInBothOrders})
"""Those that are caught because a call of theirs never ends."""
