"""A right adapter: a course is a document with a version, and who came second asks again."""

import base64
import binascii
import hashlib
import json
import random
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

import attrs

from course_domain import (
    Course,
    CourseNotFound,
    CourseStatus,
    CourseType,
    DuplicateCourse,
    Page,
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
    RepositoryUnavailable,
)
from course_domain.ports import page_limit, unknown_cursor

T = TypeVar("T")

_PATIENCE_SECONDS = 4
_LONGEST_PAUSE_SECONDS = 0.02
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_Place = tuple[int, ...]


@attrs.frozen(kw_only=True)
class Document:
    """Hold one course and all that hangs on it; never changed, only replaced."""

    course: Course
    version: int = 1
    registrations: Mapping[UUID, Registration] = attrs.field(factory=dict[UUID, Registration])
    certificates: Mapping[UUID, PeerMentorCertificate] = attrs.field(
        factory=dict[UUID, PeerMentorCertificate]
    )
    reminders: Mapping[UUID, tuple[RenewalReminder, bool]] = attrs.field(
        factory=dict[UUID, tuple[RenewalReminder, bool]]
    )
    """By certificate, each with whether it waits."""

    def participation(self, user_id: UUID) -> Participation:
        """Put together what one person has here."""
        statuses = [each.status for each in self.registrations.values()]
        return Participation(
            course=self.course,
            confirmed_count=statuses.count(RegistrationStatus.CONFIRMED),
            user_id=user_id,
            registration=self.registrations.get(user_id),
            certificate=self.certificates.get(user_id),
        )


class DocumentStore:
    """Keep documents by organization and course; the lock is held to compare, never to decide."""

    def __init__(self) -> None:
        """Begin empty."""
        self._swapping = Lock()
        self._documents: dict[tuple[UUID, UUID], Document] = {}

    def load(self, organization_id: UUID, course_id: UUID) -> Document | None:
        """Give the document of a course."""
        return self._documents.get((organization_id, course_id))

    def load_all(self) -> tuple[Document, ...]:
        """Give every document, as they were at one moment."""
        with self._swapping:
            return tuple(self._documents.values())

    def replace(self, document: Document, version: int) -> bool:
        """Store a document where this version is still the one that is there; 0 is none."""
        key = (document.course.organization_id, document.course.id)
        with self._swapping:
            held = self._documents.get(key)
            if (0 if held is None else held.version) != version:
                return False
            self._documents[key] = attrs.evolve(document, version=version + 1)
            return True


Change = Callable[[Document], tuple[Document, T]]
"""What becomes of a document, and what the call gives."""


def changed_course(decide: Callable[[Course], Course]) -> Change[Course]:
    """Change a document by a decision about its course."""

    def change(found: Document) -> tuple[Document, Course]:
        answer = decide(found.course)
        return attrs.evolve(found, course=answer), answer

    return change


def changed_participation(
    user_id: UUID, decide: Callable[[Participation], Participation]
) -> Change[Participation]:
    """Change a document by a decision about one person on its course."""

    def change(found: Document) -> tuple[Document, Participation]:
        answer = decide(found.participation(user_id))
        registrations, certificates = dict(found.registrations), dict(found.certificates)
        reminders, reminder = dict(found.reminders), answer.reminder
        if answer.registration is not None:
            registrations[user_id] = answer.registration
        if answer.certificate is not None:
            held = certificates.setdefault(user_id, answer.certificate)
            reminder = reminder if held == answer.certificate else None
        if reminder is not None and reminder.certificate_id in reminders:
            reminder = None
        if reminder is not None:
            reminders[reminder.certificate_id] = (reminder, True)
        changed = attrs.evolve(
            found, registrations=registrations, certificates=certificates, reminders=reminders
        )
        return changed, attrs.evolve(changed.participation(user_id), reminder=reminder)

    return change


def marked(certificate_id: UUID) -> Change[None]:
    """Change a document by taking a reminder out of its outbox."""

    def change(found: Document) -> tuple[Document, None]:
        reminder, _ = found.reminders[certificate_id]
        reminders = {**found.reminders, certificate_id: (reminder, False)}
        return attrs.evolve(found, reminders=reminders), None

    return change


class AskingAgainRepository:
    """Keep courses in a `DocumentStore`, over which several of these may stand.

    An id that another organization has is kept apart. A cursor is good for its own query only.
    """

    def __init__(self, store: DocumentStore | None = None) -> None:
        """Stand over a store, a new one where none is given."""
        self.store = store or DocumentStore()

    def add(self, course: Course) -> None:
        """Store a new course."""
        if not self.store.replace(Document(course=course), 0):
            raise DuplicateCourse(course.id)

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization."""
        found = self.store.load(organization_id, course_id)
        return None if found is None else found.course

    def courses(
        self,
        organization_id: UUID,
        *,
        statuses: Iterable[CourseStatus] | None = None,
        course_type: CourseType | None = None,
        issues_certificate: bool | None = None,
        starts_from: datetime | None = None,
        starts_before: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Course]:
        """List courses by `start_date`, then id, undated ones last."""
        wanted = None if statuses is None else sorted(set(statuses))
        filters = (wanted, course_type, issues_certificate, starts_from, starts_before)

        def fits(course: Course) -> bool:
            start = course.start_date
            return (
                (wanted is None or course.status in wanted)
                and (course_type is None or course.course_type is course_type)
                and (issues_certificate is None or course.issues_certificate is issues_certificate)
                and (starts_from is None or (start is not None and start >= starts_from))
                and (starts_before is None or (start is not None and start < starts_before))
            )

        def find() -> Iterable[tuple[_Place, Course]]:
            found = (each.course for each in self._documents_of(organization_id))
            return ((_place(each.start_date, each.id), each) for each in found if fits(each))

        return _page(("courses", organization_id, *filters), find, after, limit)

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course."""
        return self._change(organization_id, course_id, changed_course(decide))

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses."""
        found = (self.store.load(organization_id, each) for each in frozenset(course_ids))
        return {each.course.id: each.participation(user_id) for each in found if each is not None}

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""
        return self._change(organization_id, course_id, changed_participation(user_id, decide))

    def registrations(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Registration]:
        """List registrations by `registered_at`, then id."""

        def find() -> Iterable[tuple[_Place, Registration]]:
            return (
                (_place(each.registered_at, each.id), each)
                for document in self._documents_of(organization_id, course_id)
                for whose, each in document.registrations.items()
                if user_id in (None, whose)
            )

        return _page(("registrations", organization_id, course_id, user_id), find, after, limit)

    def certificates(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        expires_before: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[PeerMentorCertificate]:
        """List certificates by `expires_at`, then id, those without expiry last."""
        query = ("certificates", organization_id, course_id, user_id, expires_before)

        def expires_in_time(expires_at: datetime | None) -> bool:
            return expires_before is None or (
                expires_at is not None and expires_at < expires_before
            )

        def find() -> Iterable[tuple[_Place, PeerMentorCertificate]]:
            return (
                (_place(each.expires_at, each.id), each)
                for document in self._documents_of(organization_id, course_id)
                for whose, each in document.certificates.items()
                if user_id in (None, whose) and expires_in_time(each.expires_at)
            )

        return _page(query, find, after, limit)

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders that are not marked, by certificate, then organization."""

        def find() -> Iterable[tuple[_Place, RenewalReminder]]:
            return (
                ((each.certificate_id.int, each.organization_id.int), each)
                for document in self.store.load_all()
                for each, waits in document.reminders.values()
                if waits
            )

        return _page(("reminders",), find, after, limit)

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox."""
        key = reminder.certificate_id
        for document in self._documents_of(reminder.organization_id):
            if key in document.reminders:
                self._change(document.course.organization_id, document.course.id, marked(key))

    def _documents_of(
        self, organization_id: UUID, course_id: UUID | None = None
    ) -> Iterable[Document]:
        for document in self.store.load_all():
            course = document.course
            if course.organization_id == organization_id and course_id in (None, course.id):
                yield document

    def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        """Store on condition of the version that was seen, or ask again for some seconds."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            found = self.store.load(organization_id, course_id)
            if found is None:
                raise CourseNotFound(course_id)
            changed, answer = change(found)
            if changed == found or self.store.replace(changed, found.version):
                return answer
            if time.monotonic() > until:
                raise RepositoryUnavailable("others were always faster")
            time.sleep(random.uniform(0, _LONGEST_PAUSE_SECONDS))


def _place(instant: datetime | None, row_id: UUID) -> _Place:
    """Order by the instant, none at all last, then by the hex digits of the id."""
    if instant is None:
        return (1, 0, row_id.int)
    return (0, (instant - _EPOCH) // timedelta(microseconds=1), row_id.int)


def _cursor(query: tuple[Any, ...], place: _Place) -> str:
    fingerprint = hashlib.sha256(repr(query).encode()).hexdigest()[:16]
    text = json.dumps([fingerprint, *place])
    return base64.b32encode(text.encode()).decode().rstrip("=").lower()


def _place_after(query: tuple[Any, ...], after: str) -> _Place:
    """Read a cursor of this very query."""
    padded = after.upper() + "=" * (-len(after) % 8)
    try:
        _fingerprint, *numbers = json.loads(base64.b32decode(padded))
        place = tuple(map(int, numbers))
    except (binascii.Error, TypeError, ValueError, OverflowError):
        raise unknown_cursor() from None
    if _cursor(query, place) != after:
        raise unknown_cursor()
    return place


def _page(
    query: tuple[Any, ...],
    find: Callable[[], Iterable[tuple[_Place, T]]],
    after: str | None,
    limit: int,
) -> Page[T]:
    limit = page_limit(limit)
    behind = () if after is None else _place_after(query, after)
    rows = {place: row for place, row in find() if place > behind}
    places = sorted(rows)
    following = _cursor(query, places[limit - 1]) if len(places) > limit else None
    return Page(tuple(rows[place] for place in places[:limit]), following)
