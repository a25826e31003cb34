"""Adapters that are broken in who is shown what, and in what several courses share.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

import attrs

from adapters.batching import BatchingRepository, Key, Waiting, asked_in_turn
from adapters.broken import Decide, DecideCourse
from adapters.broken_races import Change, Conditional, LastWriteWins, round_trip
from adapters.broken_rarely import kept
from adapters.compare_and_ask_again import AskingAgainRepository, Document, DocumentStore
from course_domain import (
    Course,
    CourseDomainError,
    CourseNotFound,
    CourseRepository,
    Page,
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
    RepositoryUnavailable,
)
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


class CertificateBeforeTheLock(Locking):
    """What `decide` is shown holds the certificate as it was before the lock was taken."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Read the certificate, and lock the course then."""
        found = self.participations(organization_id, [course_id], user_id).get(course_id)
        early = None if found is None else found.certificate

        def torn(seen: Participation) -> Participation:
            return decide(attrs.evolve(seen, certificate=early))

        return super().change_participation(organization_id, course_id, user_id, torn)


# --- What is stored together


class WhatOneRaisesUndoesTheOthers(BatchingRepository):
    """What one of a batch raises rolls all of it back, and the others keep their answers."""

    def _try(self, key: Key, line: list[Waiting]) -> bool:
        round_trip()  # the next ones stand in line meanwhile
        asked_in_turn(line, key[1], self.log.read(key))
        errors = [each.error for each in line if each.error is not None]
        if all(isinstance(error, CourseDomainError) for error in errors):
            return super()._try(key, line)
        return True


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


class ConfirmedIsConfirmed(Conditional):
    """A registration that stays confirmed is stored on no condition, as it changes no count."""

    def is_outdated(self, found: Document, changed: Document, newest: Document) -> bool:
        """Compare the version where a seat, a certificate or the course changes."""
        is_bare = (changed.course, changed.certificates) == (found.course, found.certificates)
        if is_bare and _count(changed) == _count(found):
            return False
        return found.version != newest.version


class OnlyTouchedFieldsAreGuarded(AskingAgainRepository):
    """A conflict is one only where both have changed the same field of the course."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Write the fields that the answer has changed, unless others have changed them too."""
        while True:
            seen = self.get(organization_id, course_id)
            if seen is None:
                raise CourseNotFound(course_id)
            touched = _touched(seen, decide(seen))
            merged = partial(_merged, seen, touched)
            after = super().change_course(organization_id, course_id, merged)
            if touched.items() <= _touched(seen, after).items():
                return after


def _merged(seen: Course, touched: Mapping[str, Any], now: Course) -> Course:
    return now if _touched(seen, now).keys() & touched.keys() else attrs.evolve(now, **touched)


def _touched(before: Course, after: Course) -> dict[str, Any]:
    one, other = (attrs.asdict(each, recurse=False) for each in (before, after))
    return {name: value for name, value in other.items() if value != one[name]}


def _count(document: Document) -> int:
    statuses = [each.status for each in document.registrations.values()]
    return statuses.count(RegistrationStatus.CONFIRMED)


# --- What is given back, and what readers see


class AnswerIsReadAgain(Locking):
    """What `change_course` gives is read once the lock is gone: it may be another's answer."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Store, and read."""
        after = super().change_course(organization_id, course_id, decide)
        round_trip()
        return self.get(organization_id, course_id) or after


class CountOfTheFirstTry(AskingAgainRepository):
    """The count that is given back was read for the first try."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Count upon what was shown first."""
        shown: list[Participation] = []

        def noting(seen: Participation) -> Participation:
            shown.append(seen)
            return decide(seen)

        after = super().change_participation(organization_id, course_id, user_id, noting)
        taken = after.confirmed_count - shown[-1].confirmed_count
        return attrs.evolve(after, confirmed_count=max(0, shown[0].confirmed_count + taken))


class CourseIsReadApart(AskingAgainRepository):
    """A page reads the courses first, and what the person has on them then."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Read twice."""
        ids = tuple(course_ids)
        courses = {each: self.get(organization_id, each) for each in ids}
        round_trip()
        found = super().participations(organization_id, ids, user_id)
        return {
            key: attrs.evolve(each, course=courses[key] or each.course)
            for key, each in found.items()
        }


class ReminderInAFirstCommit(AskingAgainRepository):
    """The reminder is committed first, and registration and certificate then."""

    def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        done: list[tuple[Document, T]] = []

        def first(found: Document) -> tuple[Document, None]:
            done.append(change(found))
            return attrs.evolve(found, reminders=done[-1][0].reminders), None

        def second(found: Document) -> tuple[Document, T]:
            changed, answer = done[-1]
            return attrs.evolve(changed, reminders=found.reminders), answer

        super()._change(organization_id, course_id, first)
        changed, _ = done[-1]
        if changed.certificates:
            round_trip()
        return super()._change(organization_id, course_id, second)


class SnapshotStore(DocumentStore):
    """Show each thread what was there as it first read, until it writes."""

    def __init__(self) -> None:
        """Begin with no snapshot."""
        super().__init__()
        self._own = threading.local()

    def load(self, organization_id: UUID, course_id: UUID) -> Document | None:
        """Look into the snapshot."""
        return self._snapshot().get((organization_id, course_id))

    def load_all(self) -> tuple[Document, ...]:
        """Give all that is in the snapshot."""
        return tuple(self._snapshot().values())

    def replace(self, document: Document, version: int) -> bool:
        """Write, and end the snapshot."""
        self._own.documents = None
        return super().replace(document, version)

    def _snapshot(self) -> Mapping[tuple[UUID, UUID], Document]:
        if getattr(self._own, "documents", None) is None:
            self._own.documents = dict(self._documents)
        documents: dict[tuple[UUID, UUID], Document] = self._own.documents
        return documents


class ThreadReadsOneSnapshot(AskingAgainRepository):
    """A thread keeps its connection, whose reads are one transaction until it writes."""

    def __init__(self, store: DocumentStore | None = None) -> None:
        """Stand over a store with snapshots."""
        super().__init__(store or SnapshotStore())


# --- How long a call waits


class RegistrationTriesTwentyTimes(AskingAgainRepository):
    """Twenty tries were always enough for a registration."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Count the tries."""
        tries = iter(range(20))

        def counting(seen: Participation) -> Participation:
            if next(tries, None) is None:
                raise RepositoryUnavailable("twenty tries were not enough")
            return decide(seen)

        return super().change_participation(organization_id, course_id, user_id, counting)


class RevisionWaitsForOneSecond(Locking):
    """Who changes a course waits for it for one second only, a registration for longer."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Wait for one second."""
        self.waited_for(organization_id, course_id)
        return super().change_course(organization_id, course_id, decide)

    def waited_for(self, organization_id: UUID, course_id: UUID) -> None:
        """Give up where the course is not free within a second."""
        shelf = self._shelves.get((organization_id, course_id))
        if shelf is not None:
            if not shelf.changing.acquire(timeout=1):
                raise RepositoryUnavailable("the course was busy for a second")
            shelf.changing.release()


class RegistrationWaitsForOneSecond(RevisionWaitsForOneSecond):
    """A registration waits for one second only where another is being decided."""

    def __init__(self) -> None:
        """Begin with nobody to be registered."""
        super().__init__()
        self._registering: set[UUID] = set()

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Wait as long as is right."""
        return Locking.change_course(self, organization_id, course_id, decide)

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Wait for one second behind another of these."""
        if course_id in self._registering:
            self.waited_for(organization_id, course_id)

        def noting(seen: Participation) -> Participation:
            self._registering.add(course_id)
            return decide(seen)

        try:
            return super().change_participation(organization_id, course_id, user_id, noting)
        finally:
            self._registering.discard(course_id)


class LockGoesWithItsHolder(LastWriteWins):
    """The lock of a course goes when its holder has stored: who comes then makes another.

    Who waited for the first has it still, and meets nobody.
    """

    def __init__(self, store: DocumentStore | None = None) -> None:
        """Begin without locks."""
        super().__init__(store)
        self._locks: dict[tuple[UUID, UUID], Lock] = {}

    def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        key = (organization_id, course_id)
        lock = self._locks.setdefault(key, Lock())
        if not lock.acquire(timeout=3):
            raise RepositoryUnavailable("the course was busy")
        try:
            return super()._change(organization_id, course_id, change)
        finally:
            self._locks.pop(key, None)
            lock.release()


class WhoGaveUpStaysInLine(Locking):
    """A course has a line, in which who gave up stays: everybody behind waits for them."""

    def __init__(self) -> None:
        """Begin with nobody in line."""
        super().__init__()
        self._lines: dict[UUID, list[object]] = defaultdict(list)

    @contextmanager
    def _changing(self, organization_id: UUID, course_id: UUID) -> Generator[Any, None, None]:
        line, me = self._lines[course_id], object()
        line.append(me)
        until = time.monotonic() + 2.2
        while line[0] is not me:
            if time.monotonic() > until:
                raise RepositoryUnavailable("the line was long")
            round_trip()
        try:
            with super()._changing(organization_id, course_id) as shelf:
                yield shelf
        finally:
            line.remove(me)


# --- What several courses share


class SharingRows(Locking):
    """Keep lists as rows that many courses share, which nobody locks to write one."""

    def __init__(self) -> None:
        """Begin with no rows."""
        super().__init__()
        self.rows: dict[object, frozenset[object]] = {}

    def listed(self, row: object, entry: object) -> None:
        """Read a row, and write it with one more."""
        held = self.rows.get(row, frozenset())
        round_trip()
        self.rows[row] = held | {entry}

    def whole(self, page: Page[T], row: object) -> Page[T]:
        """Leave out what the row has lost."""
        return kept(page, lambda each: each in self.rows.get(row, ()))


class OutboxIsOneRow(SharingRows):
    """The outbox is one row, which completions on two courses write over each other."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """List what the answer added."""
        after = super().change_participation(organization_id, course_id, user_id, decide)
        if after.reminder is not None:
            self.listed("outbox", after.reminder)
        return after

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Go by the row."""
        return self.whole(super().pending_reminders(after=after, limit=limit), "outbox")


class CertificatesAreOneRow(SharingRows):
    """An organization's certificates are one row, which two courses write over each other."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """List what the answer added."""
        after = super().change_participation(organization_id, course_id, user_id, decide)
        if after.certificate is not None:
            self.listed(organization_id, after.certificate)
        return after

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Go by the row."""
        return self.whole(super().certificates(organization_id, **query), organization_id)


class CoursesOfAPersonAreOneRow(SharingRows):
    """The courses of a person are one row: who registers on two at once is missed on one."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """List the course."""
        after = super().change_participation(organization_id, course_id, user_id, decide)
        if course_id not in self.rows.get(user_id, ()) and after.certificate is None:
            self.listed(user_id, course_id)
        return after

    def registrations(
        self, organization_id: UUID, *, user_id: UUID | None = None, **query: Any
    ) -> Page[Registration]:
        """Go by the row, for a person."""
        page = super().registrations(organization_id, user_id=user_id, **query)
        if user_id is None:
            return page
        return kept(page, lambda each: each.course_id in self.rows.get(user_id, ()))


class CoursesOfAStatusAreOneRow(SharingRows):
    """The courses of a status are one row: of two that are archived at once one is missed."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """List the course under its new status."""
        before = self.get(organization_id, course_id)
        after = super().change_course(organization_id, course_id, decide)
        if before is not None and before.status is not after.status:
            self.listed((organization_id, after.status), after.id)
        return after

    def courses(self, organization_id: UUID, *, statuses: Any = None, **query: Any) -> Page[Course]:
        """Go by the rows, for a status that a course has come to."""
        wanted = None if statuses is None else frozenset(statuses)
        page = super().courses(organization_id, statuses=wanted, **query)
        if wanted is None:
            return page
        rows = {each: self.rows.get((organization_id, each)) for each in wanted}
        return kept(page, lambda each: (row := rows[each.status]) is None or each.id in row)


# --- Who waits for whom


class MarksLockInAnotherOrder(Locking):
    """A completion locks its course and then the outbox, a mark the outbox and then the course."""

    def __init__(self) -> None:
        """Begin with a lock for the outbox."""
        super().__init__()
        self._marking = Lock()

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Lock the outbox for an answer with a reminder."""
        taken: list[Lock] = []

        def locking(seen: Participation) -> Participation:
            answer = decide(seen)
            round_trip()
            if answer.reminder is not None:
                self._outbox_taken()
                taken.append(self._marking)
            return answer

        try:
            return super().change_participation(organization_id, course_id, user_id, locking)
        finally:
            for each in taken:
                each.release()

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Lock the outbox, then the course."""
        self._outbox_taken()
        try:
            round_trip()
            self.change_course(reminder.organization_id, reminder.course_id, lambda seen: seen)
            super().mark_reminder_scheduled(reminder)
        except CourseNotFound:
            return
        finally:
            self._marking.release()

    def _outbox_taken(self) -> None:
        if not self._marking.acquire(timeout=3):
            raise RepositoryUnavailable("the outbox was busy")


class PagesLockAsTheyCome(Locking):
    """A page locks its courses in the order in which it has them: two wait for each other."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Lock them all, and read."""
        ids = [each for each in dict.fromkeys(course_ids) if self.get(organization_id, each)]
        with ExitStack() as locked:
            for each in ids:
                locked.enter_context(self._changing(organization_id, each))
                round_trip()
            return super().participations(organization_id, ids, user_id)


# --- What a cache takes in


class Caching(Locking):
    """Keep what was read until something is changed; what a read brings behind that stays."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        super().__init__()
        self._read: dict[object, Any] = {}

    @contextmanager
    def _changing(self, organization_id: UUID, course_id: UUID) -> Generator[Any, None, None]:
        with super()._changing(organization_id, course_id) as shelf:
            yield shelf
        self._read.clear()

    def add(self, course: Course) -> None:
        """Add, and forget."""
        super().add(course)
        self._read.clear()

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Mark, and forget."""
        super().mark_reminder_scheduled(reminder)
        self._read.clear()

    def once(self, read: Callable[[], T], *key: object) -> T:
        """Read what is not kept."""
        if key not in self._read:
            found = read()
            round_trip()
            self._read[key] = found
            return found
        known: T = self._read[key]
        return known


class CourseReadBesideAChangeIsKept(Caching):
    """A course that is read while it is changed is kept as it was."""

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Read it once."""
        read = partial(super().get, organization_id, course_id)
        return self.once(read, organization_id, course_id)


class ParticipationReadBesideAChangeIsKept(Caching):
    """What a person has on a course is kept, though it was changed while it was read."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Read it once."""
        ids = frozenset(course_ids)
        read = partial(super().participations, organization_id, ids, user_id)
        return self.once(read, organization_id, ids, user_id)


class ListsReadBesideAChangeAreKept(Caching):
    """Lists of people are kept, though somebody came while they were read."""

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Read each once."""
        read = partial(super().registrations, organization_id, **query)
        return self.once(read, "registrations", organization_id, *sorted(query.items()))

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Read each once."""
        read = partial(super().certificates, organization_id, **query)
        return self.once(read, "certificates", organization_id, *sorted(query.items()))


class OutboxReadBesideAChangeIsKept(Caching):
    """A page of the outbox is kept, though a reminder came while it was read."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Read it once."""
        read = partial(super().pending_reminders, after=after, limit=limit)
        return self.once(read, after, limit)


BROKEN: Mapping[str, tuple[Callable[[], CourseRepository], ...]] = {
    "RACE-5": (CourseBeforeTheLock,),
    "RACE-7": (CompletionRaisesNoVersion, CancelIsUnguarded, ConfirmedIsConfirmed),
    "RACE-8": (CourseBeforeTheLock,),
    "RACE-9": (OnlyTouchedFieldsAreGuarded,),
    "RACE-10": (CountOfTheFirstTry,),
    "RACE-11": (RegistrationTriesTwentyTimes,),
    "RACE-12": (RevisionWaitsForOneSecond, RegistrationWaitsForOneSecond),
    "RACE-13": (CertificateBeforeTheLock, CourseIsReadApart),
    "RACE-16": (WhoGaveUpStaysInLine,),
    "RACE-17": (ReminderInAFirstCommit,),
    "RACE-18": (ThreadReadsOneSnapshot,),
    "RACE-19": (CourseBeforeTheLock, OnlyWhatGrowsIsGuarded),
    "RACE-20": (
        CourseReadBesideAChangeIsKept,
        ParticipationReadBesideAChangeIsKept,
        ListsReadBesideAChangeAreKept,
        OutboxReadBesideAChangeIsKept,
    ),
    "RACE-21": (LockGoesWithItsHolder,),
    "CROWD-1": (WhatOneRaisesUndoesTheOthers,),
    "CROWD-2": (AnswerIsReadAgain,),
    "CROWD-8": (
        OutboxIsOneRow,
        CertificatesAreOneRow,
        CoursesOfAPersonAreOneRow,
        CoursesOfAStatusAreOneRow,
    ),
    "CROWD-9": (PagesLockAsTheyCome,),
    "CROWD-10": (MarksLockInAnotherOrder,),
}
"""Which clauses catch which of them, by the clause's id."""
