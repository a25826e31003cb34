"""Adapters that are broken in what tells rows apart, and in what a course's change takes with it.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Semaphore
from typing import Any, ClassVar
from uuid import UUID, uuid4

import attrs

from adapters.broken import Bytes, Decide, DecideCourse
from adapters.broken_answers import Answering, Change, course_key, key, reminder_key
from adapters.broken_outbox import OutboxPages
from adapters.compare_and_ask_again import AskingAgainRepository, DocumentStore
from adapters.stored_bytes import ByteStore, Transaction
from course_domain import (
    Course,
    CourseNotFound,
    CourseRepository,
    CourseStatus,
    DuplicateCourse,
    Page,
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
    RepositoryUnavailable,
    certificate_expires_at,
)

# --- Courses, and what hangs on them, by half of their key


class RefusedAddResets(Bytes):
    """`add` begins with the count of a new course, and then finds the id taken."""

    def add(self, course: Course) -> None:
        """Write the count first."""
        try:
            super().add(course)
        except DuplicateCourse:
            with self.store.transaction() as rows:
                rows.put(course_key("count", course), 0)
            raise


class ArchivedIdsAreFree(Bytes):
    """The id of a course that is archived may be used again."""

    def add(self, course: Course) -> None:
        """Write over what is archived."""
        try:
            super().add(course)
        except DuplicateCourse:
            held = self.get(course.organization_id, course.id)
            if held is None or held.status is not CourseStatus.ARCHIVED:
                raise
            super().change_course(course.organization_id, course.id, lambda _seen: course)


class CertificatesKeyedByCourseAndUser(AskingAgainRepository):
    """Courses of one id are kept apart by organization, one person's certificates are not."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Leave out a certificate that the other has."""
        taken = any(
            document.course.id == course_id
            and document.course.organization_id != organization_id
            and user_id in document.certificates
            for document in self.store.load_all()
        )

        def decide_and_look(seen: Participation) -> Participation:
            answer = decide(seen)
            return attrs.evolve(answer, certificate=None) if taken else answer

        return super().change_participation(organization_id, course_id, user_id, decide_and_look)


class RegistrationsOfATwin(AskingAgainRepository):
    """That the course is ours is looked up first, and then its id is enough."""

    def registrations(
        self, organization_id: UUID, *, course_id: UUID | None = None, **query: Any
    ) -> Page[Registration]:
        """Give those of whatever course has the id."""
        page = super().registrations(organization_id, course_id=course_id, **query)
        if course_id is None or self.get(organization_id, course_id) is None:
            return page
        return Page(page.items + tuple(_of_twins(self, organization_id, course_id)), page.next)


def _of_twins(
    repository: AskingAgainRepository, organization_id: UUID, course_id: UUID
) -> Iterator[Registration]:
    for document in repository.store.load_all():
        course = document.course
        if course.id == course_id and course.organization_id != organization_id:
            yield from document.registrations.values()


class Owners(Bytes):
    """Give adapters that ask whose a course is their ground."""

    def owner(self, course_id: UUID) -> UUID | None:
        """Give the organization that has the id."""
        with self.store.transaction() as rows:
            found: UUID | None = rows.get(f"owner/{course_id.hex}")
            return found


class RegistrationsByCourseAndUser(Owners):
    """A registration is looked up by course and person, whosever course that is."""

    def registrations(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        **query: Any,
    ) -> Page[Registration]:
        """Look in whatever organization has the course."""
        if course_id is not None and user_id is not None:
            organization_id = self.owner(course_id) or organization_id
        return super().registrations(organization_id, course_id=course_id, user_id=user_id, **query)


class CertificatesByCourseAndUser(Owners):
    """A certificate is looked up by course and person, whosever course that is."""

    def certificates(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        **query: Any,
    ) -> Page[PeerMentorCertificate]:
        """Look in whatever organization has the course."""
        if course_id is not None and user_id is not None:
            organization_id = self.owner(course_id) or organization_id
        return super().certificates(organization_id, course_id=course_id, user_id=user_id, **query)


# --- Connections that are not given back


class TenConnections(Bytes):
    """Give adapters that have ten connections their ground."""

    kept: ClassVar[tuple[type[BaseException], ...]] = ()
    """The errors after which a connection is not given back."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with all of them."""
        super().__init__(store)
        self._free = Semaphore(10)

    @contextmanager
    def connection(self) -> Generator[None, None, None]:
        """Have one of them."""
        if not self._free.acquire(blocking=False):
            raise RepositoryUnavailable("no connection was free")
        try:
            yield
        except self.kept:
            raise
        except BaseException:
            self._free.release()
            raise
        self._free.release()

    def add(self, course: Course) -> None:
        """Add over one of them."""
        with self.connection():
            super().add(course)

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Change over one of them."""
        with self.connection():
            return super().change_course(organization_id, course_id, decide)


class DuplicateKeepsAConnection(TenConnections):
    """An `add` that is refused keeps its connection."""

    kept = (DuplicateCourse,)


class NotFoundKeepsAConnection(TenConnections):
    """A change of a course that is not there keeps its connection."""

    kept = (CourseNotFound,)


class InterruptKeepsAConnection(TenConnections):
    """A change that is interrupted keeps its connection."""

    kept = (KeyboardInterrupt,)


# --- Reminders of one person


class MarkTakesThePerson(Bytes):
    """A mark takes out all reminders of the person."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Mark by organization and person where the reminder is known."""
        waiting = self.pending_reminders(limit=200).items
        ids = (reminder.organization_id, reminder.certificate_id)
        for known in waiting:
            if (known.organization_id, known.certificate_id) == ids:
                for each in waiting:
                    if each.peer_mentor_id == known.peer_mentor_id:
                        super().mark_reminder_scheduled(each)


class OneReminderAnInstant(Answering):
    """A unique index on person and instant leaves out a person's second reminder."""

    def settled(self, change: Change) -> Participation:
        """Take out what was added beside another of that person and instant."""
        added = change.after.reminder
        there: Iterator[tuple[RenewalReminder, bool]] = change.rows.under("reminder/")
        if added is None or 2 > sum(_by_person(each) == _by_person(added) for each, _ in there):
            return change.after
        change.rows.put(reminder_key(added), None)
        return attrs.evolve(change.after, reminder=None)


class OutboxPagesByPerson(OutboxPages):
    """The outbox is ordered, and paged, by instant and person."""

    def place_of(self, reminder: RenewalReminder) -> tuple[object, ...]:
        """Leave the certificate out."""
        return _by_person(reminder)


def _by_person(reminder: RenewalReminder) -> tuple[Any, ...]:
    return reminder.organization_id, reminder.remind_at, reminder.peer_mentor_id


class ChangesWriteTheOutbox(AskingAgainRepository):
    """What waited of a course when a person was decided about is written back with them."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Take marks back that were made meanwhile."""
        waiting: list[RenewalReminder] = []

        def look_and_decide(seen: Participation) -> Participation:
            waiting.extend(_waiting(self.store, organization_id, course_id))
            return decide(seen)

        answer = super().change_participation(organization_id, course_id, user_id, look_and_decide)
        _write_back(self.store, organization_id, course_id, waiting)
        return answer


class RevisionsWriteTheOutbox(AskingAgainRepository):
    """What waited of a course when it was decided about is written back with it."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Take marks back that were made meanwhile."""
        before = list(_waiting(self.store, organization_id, course_id))
        answer = super().change_course(organization_id, course_id, decide)
        _write_back(self.store, organization_id, course_id, before)
        return answer


def _waiting(
    store: DocumentStore, organization_id: UUID, course_id: UUID
) -> Iterator[RenewalReminder]:
    found = store.load(organization_id, course_id)
    if found is not None:
        yield from (each for each, waits in found.reminders.values() if waits)


def _write_back(
    store: DocumentStore, organization_id: UUID, course_id: UUID, waiting: list[RenewalReminder]
) -> None:
    found = store.load(organization_id, course_id)
    while found is not None:
        reminders = {**found.reminders, **{each.certificate_id: (each, True) for each in waiting}}
        if store.replace(attrs.evolve(found, reminders=reminders), found.version):
            break
        found = store.load(organization_id, course_id)


# --- What judges a rule


class DeadlineIsATrigger(Answering):
    """A trigger refuses a registration after the deadline of its course."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Compare the two instants."""
        held, deadline = answer.registration, seen.course.registration_deadline
        if held is not None and deadline is not None and held.registered_at > deadline:
            raise ValueError("registration_deadline")
        return answer


class EndedIsLocked(Bytes):
    """Whoever is on a course that has ended is no longer changed."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Find only what has not ended."""
        found = self.get(organization_id, course_id)
        if found is not None and _has_ended(found):
            raise CourseNotFound(course_id)
        return super().change_participation(organization_id, course_id, user_id, decide)


class RegistrationsOfEndedHidden(Bytes):
    """Registrations are joined with the courses that have not ended."""

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Leave out what is over."""
        page = super().registrations(organization_id, **query)
        found = ((each, self.get(organization_id, each.course_id)) for each in page.items)
        return Page(
            tuple(each for each, on in found if on is None or not _has_ended(on)), page.next
        )


def _has_ended(course: Course) -> bool:
    return course.end_date is not None and course.end_date < datetime.now(UTC)


class FullCoursesHidden(Bytes):
    """The list of published courses, which people choose from, leaves out what is full."""

    def courses(
        self, organization_id: UUID, *, statuses: Iterable[CourseStatus] | None = None, **query: Any
    ) -> Page[Course]:
        """Leave out what has no seat left."""
        wanted = None if statuses is None else list(statuses)
        page = super().courses(organization_id, statuses=wanted, **query)
        if wanted != [CourseStatus.PUBLISHED]:
            return page
        ids = [each.id for each in page.items]
        counts = {
            key: entry.confirmed_count
            for key, entry in self.participations(organization_id, ids, uuid4()).items()
        }
        return Page(
            tuple(
                each
                for each in page.items
                if each.max_participants is None or counts[each.id] < each.max_participants
            ),
            page.next,
        )


class CertificateOnlyWhereIssued(Answering):
    """A certificate is stored only where the course issues one."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Drop it elsewhere."""
        if seen.course.issues_certificate:
            return answer
        return attrs.evolve(answer, certificate=None, reminder=None)


class UpdatesWhatHasAnotherStatus(Answering):
    """A registration is written only where its status, or when it was completed, differs."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Compare these two."""
        held, given = seen.registration, answer.registration
        if held is None or given is None:
            return answer
        same = (held.status, held.completed_at) == (given.status, given.completed_at)
        return attrs.evolve(answer, registration=held) if same else answer


class CompletionIsForGood(Answering):
    """When somebody completed is written once, and None leaves it."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Keep what is there."""
        held, given = seen.registration, answer.registration
        if held is None or given is None or given.completed_at is not None:
            return answer
        return attrs.evolve(
            answer, registration=attrs.evolve(given, completed_at=held.completed_at)
        )


# --- What a course's change takes with it


class Revising(Bytes):
    """Give adapters that do more than change the course their ground."""

    def revised(self, rows: Transaction, course: Course) -> None:
        """Do more."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Change a course, and more."""
        answer = super().change_course(organization_id, course_id, decide)
        with self.store.transaction() as rows:
            self.revised(rows, answer)
        return answer


class DraftsRemindNobody(Revising):
    """A course that is a draft again takes its reminders out of the outbox."""

    def revised(self, rows: Transaction, course: Course) -> None:
        """Mark them."""
        if course.status is CourseStatus.DRAFT:
            _mark_all_of(rows, course)


class NothingIssuedNobodyReminded(Revising):
    """A course that issues no more certificates takes its reminders out of the outbox."""

    def revised(self, rows: Transaction, course: Course) -> None:
        """Mark them."""
        if not course.issues_certificate:
            _mark_all_of(rows, course)


def _mark_all_of(rows: Transaction, course: Course) -> None:
    stored: Iterator[tuple[RenewalReminder, bool]] = rows.under("reminder/")
    for each, _ in stored:
        if (each.organization_id, each.course_id) == (course.organization_id, course.id):
            rows.put(reminder_key(each), (each, False))


class CertificatesOfOthersHidden(Bytes):
    """Certificates are listed of courses that issue them."""

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Leave out the others."""
        page = super().certificates(organization_id, **query)
        found = ((each, self.get(organization_id, each.course_id)) for each in page.items)
        return Page(
            tuple(each for each, on in found if on is None or on.issues_certificate), page.next
        )


class CertificateIsWrittenOver(Answering):
    """A certificate is an insert or an update by its id."""

    def settled(self, change: Change) -> Participation:
        """Update one of the same id."""
        held, given = change.seen.certificate, change.answer.certificate
        if held is None or given is None or held.id != given.id:
            return change.after
        change.rows.put(key("certificate", change.after), given)
        return attrs.evolve(change.after, certificate=given)


class ExpiryFollowsTheCourse(Revising):
    """Expiry is computed anew from the months of the course when these change."""

    def revised(self, rows: Transaction, course: Course) -> None:
        """Move every expiry."""
        months = course.certificate_validity_months
        held: Iterator[PeerMentorCertificate] = rows.under(course_key("certificate", course))
        for each in held:
            if months is not None:
                expires_at = certificate_expires_at(each.issued_at, months)
                moved = attrs.evolve(each, expires_at=expires_at)
                owner = each.peer_mentor_id.hex
                rows.put(f"{course_key('certificate', course)}/{owner}", moved)


class RecountsTheCancelled(Revising):
    """A revision counts the registrations again, and takes all there are."""

    def revised(self, rows: Transaction, course: Course) -> None:
        """Count rows."""
        held = rows.under(course_key("registration", course))
        rows.put(course_key("count", course), sum(1 for _ in held))


# --- What an object remembers, where others write too


class FilteredListsAreCached(Bytes):
    """An object remembers its filtered lists of courses until it writes itself."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with nothing remembered."""
        super().__init__(store)
        self._pages: dict[str, Page[Course]] = {}

    def courses(
        self, organization_id: UUID, *, statuses: Iterable[CourseStatus] | None = None, **query: Any
    ) -> Page[Course]:
        """Remember a page."""
        if statuses is None:
            return super().courses(organization_id, **query)
        wanted = sorted(set(statuses))
        name = repr((organization_id, wanted, sorted(query.items())))
        if name not in self._pages:
            self._pages[name] = super().courses(organization_id, statuses=wanted, **query)
        return self._pages[name]

    def add(self, course: Course) -> None:
        """Forget what is remembered."""
        super().add(course)
        self._pages.clear()

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Forget what is remembered."""
        answer = super().change_course(organization_id, course_id, decide)
        self._pages.clear()
        return answer


class MissingIsRemembered(Bytes):
    """An object remembers which courses it did not find, until it adds them itself."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with nothing remembered."""
        super().__init__(store)
        self._missing: set[tuple[UUID, UUID]] = set()

    def add(self, course: Course) -> None:
        """Forget that it was missing."""
        super().add(course)
        self._missing.discard((course.organization_id, course.id))

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Look only once."""
        ids = (organization_id, course_id)
        found = None if ids in self._missing else super().get(*ids)
        if found is None:
            self._missing.add(ids)
        return found


class MissingIsRememberedByChanges(MissingIsRemembered):
    """An object remembers which courses it could not change, until it adds them itself."""

    get = Bytes.get

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Look only once."""
        ids = (organization_id, course_id)
        if ids in self._missing or self.get(*ids) is None:
            self._missing.add(ids)
            raise CourseNotFound(course_id)
        return super().change_course(organization_id, course_id, decide)


class OwnWriteIsRemembered(Bytes):
    """An object gives back of a course what it wrote itself last."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with nothing written."""
        super().__init__(store)
        self._written: dict[tuple[UUID, UUID], Course] = {}

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Remember what was changed."""
        answer = super().change_course(organization_id, course_id, decide)
        self._written[organization_id, course_id] = answer
        return answer

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Look there first."""
        written = self._written.get((organization_id, course_id))
        return written or super().get(organization_id, course_id)


class OutboxIsRememberedAfterAMark(Bytes):
    """An object remembers the outbox that a mark of its own left, until it writes again."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with nothing remembered."""
        super().__init__(store)
        self._left: Page[RenewalReminder] | None = None

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Remember what is left."""
        super().mark_reminder_scheduled(reminder)
        self._left = super().pending_reminders()

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Forget it."""
        self._left = None
        return super().change_participation(organization_id, course_id, user_id, decide)

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Give what is remembered."""
        if self._left is not None and after is None and len(self._left.items) <= limit:
            return self._left
        return super().pending_reminders(after=after, limit=limit)


class NumbersOfTheObject(Answering):
    """An object numbers its reminders by itself, and writes over what has the number."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin to count."""
        super().__init__(store)
        self._number = 0

    def settled(self, change: Change) -> Participation:
        """Take out what has the next number."""
        added = change.after.reminder
        if added is not None:
            self._number += 1
            taken = change.rows.get(f"numbered/{self._number}")
            if taken is not None:
                change.rows.put(reminder_key(taken), (taken, False))
            change.rows.put(f"numbered/{self._number}", added)
        return change.after


class KnownRemindersOfTheObject(Answering):
    """Marked reminders are deleted; which there were is remembered by the object."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with none."""
        super().__init__(store)
        self._known: set[str] = set()

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Leave out what is known."""
        del seen
        if answer.reminder is None or reminder_key(answer.reminder) in self._known:
            return attrs.evolve(answer, reminder=None)
        self._known.add(reminder_key(answer.reminder))
        return answer

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Delete the row."""
        with self.store.transaction() as rows:
            rows.put(reminder_key(reminder), None)


class FilteredCursorsOfTheObject(Bytes):
    """The cursor of a filtered list is the number of a place that the object remembers."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with no place."""
        super().__init__(store)
        self._places: list[str] = []

    def courses(
        self,
        organization_id: UUID,
        *,
        statuses: Iterable[CourseStatus] | None = None,
        after: str | None = None,
        **query: Any,
    ) -> Page[Course]:
        """Look the place up."""
        if statuses is None:
            return super().courses(organization_id, after=after, **query)
        if after is not None and after.isdecimal() and int(after) < len(self._places):
            after = self._places[int(after)]
        page = super().courses(organization_id, statuses=statuses, after=after, **query)
        if page.next is None:
            return page
        self._places.append(page.next)
        return Page(page.items, str(len(self._places) - 1))


BROKEN: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "KEYS-2": (ArchivedIdsAreFree, DuplicateKeepsAConnection),
    "KEYS-3": (CertificatesKeyedByCourseAndUser, RegistrationsOfATwin),
    "KEYS-4": (NotFoundKeepsAConnection,),
    "KEYS-7": (RegistrationsByCourseAndUser, CertificatesByCourseAndUser),
    "DECIDE-3": (InterruptKeepsAConnection,),
    "STORE-3": (CertificateIsWrittenOver,),
    "STORE-7": (
        DeadlineIsATrigger,
        EndedIsLocked,
        RegistrationsOfEndedHidden,
        FullCoursesHidden,
        CertificateOnlyWhereIssued,
        UpdatesWhatHasAnotherStatus,
        CompletionIsForGood,
    ),
    "STORE-9": (
        DraftsRemindNobody,
        NothingIssuedNobodyReminded,
        CertificatesOfOthersHidden,
        ExpiryFollowsTheCourse,
        RecountsTheCancelled,
        RefusedAddResets,
    ),
    "OUTBOX-3": (MarkTakesThePerson, OneReminderAnInstant, OutboxPagesByPerson),
    "OUTBOX-10": (ChangesWriteTheOutbox, RevisionsWriteTheOutbox),
    "SHARED-1": (
        FilteredListsAreCached,
        MissingIsRemembered,
        MissingIsRememberedByChanges,
        OwnWriteIsRemembered,
    ),
    "SHARED-2": (OutboxIsRememberedAfterAMark, NumbersOfTheObject, KnownRemindersOfTheObject),
    "SHARED-3": (FilteredCursorsOfTheObject,),
}
"""Which clauses catch which of them, by the clause's id."""
