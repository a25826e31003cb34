"""A repository and a scheduler in memory: for tests, examples and small tools."""

import heapq
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import datetime
from operator import attrgetter
from threading import Lock
from uuid import UUID

import attrs

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.errors import CourseNotFound, DuplicateCourse, RepositoryUnavailable
from course_domain.keyset import (
    Ledger,
    Place,
    Rows,
    microseconds,
    page,
    place_after,
    place_of,
    until,
)
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from course_domain.ports import Page, page_limit
from course_domain.values import checked, record

_LOCK_SECONDS = 3  # between the 2 and 8 that the port allows


@attrs.define
class _Shelf:
    """One course, and all that hangs on it."""

    course: Course
    changing: Lock = attrs.field(factory=Lock)
    confirmed_count: int = 0
    registrations: dict[UUID, Registration] = attrs.Factory(dict[UUID, Registration])
    certificates: dict[UUID, PeerMentorCertificate] = attrs.Factory(
        dict[UUID, PeerMentorCertificate]
    )

    def participation(self, user_id: UUID) -> Participation:
        return Participation(
            course=self.course,
            confirmed_count=self.confirmed_count,
            user_id=user_id,
            registration=self.registrations.get(user_id),
            certificate=self.certificates.get(user_id),
        )


def _is_confirmed(registration: Registration | None) -> bool:
    return registration is not None and registration.status is RegistrationStatus.CONFIRMED


class InMemoryCourseRepository:
    """Keep courses in memory, with every promise of `CourseRepository`.

    Safe to share between threads. The changes of one course wait for each other; a decision
    holds up no reader and no other course. A change that waits for 3 seconds raises
    `RepositoryUnavailable`. An id that another organization has is kept apart. An interrupt of
    a thread that changes something (KeyboardInterrupt) may leave half of it, or its course locked.
    """

    def __init__(self) -> None:
        """Begin empty."""
        self._storing = Lock()
        self._shelves: dict[tuple[UUID, UUID], _Shelf] = {}
        self._courses: dict[tuple[UUID, CourseStatus], Rows[Course]] = defaultdict(Rows)
        self._registrations: Ledger[Registration] = Ledger(
            "registrations",
            instant_of=attrgetter("registered_at"),
            person_of=attrgetter("user_id"),
        )
        self._certificates: Ledger[PeerMentorCertificate] = Ledger(
            "certificates",
            instant_of=attrgetter("expires_at"),
            person_of=attrgetter("peer_mentor_id"),
        )
        self._outbox: Rows[RenewalReminder] = Rows()
        self._reminder_numbers: dict[tuple[UUID, UUID], int] = {}

    def add(self, course: Course) -> None:
        """Store a new course; `DuplicateCourse` when this organization has the id."""
        (course,) = checked(course=(record(Course), course))
        key = (course.organization_id, course.id)
        with self._storing:
            if key in self._shelves:
                raise DuplicateCourse(course.id)
            self._shelves[key] = _Shelf(course)
            self._index(course)

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization, None when it has no such course."""
        shelf = self._shelves.get((organization_id, course_id))
        return None if shelf is None else shelf.course

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
        limit = page_limit(limit)
        begin = place_after("courses", after, 2)
        if starts_from is not None:
            begin = max(begin, (microseconds(starts_from),))
        dated = starts_from is not None or starts_before is not None
        end = microseconds(starts_before) if dated else None
        wanted = CourseStatus if statuses is None else frozenset(statuses)
        with self._storing:
            lists = [
                self._courses[organization_id, status].from_place(begin)
                for status in wanted
                if (organization_id, status) in self._courses
            ]
            rows = (
                row
                for row in until(end, heapq.merge(*lists, key=place_of))
                if course_type in (None, row[1].course_type)
                and issues_certificate in (None, row[1].issues_certificate)
            )
            return page("courses", rows, limit)

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course, and give it back."""
        with self._changing(organization_id, course_id) as shelf:
            answer: Course
            (answer,) = checked(answer=(record(Course), decide(shelf.course)))
            with self._storing:
                before = shelf.course
                self._courses[organization_id, before.status].drop(_course_place(before))
                shelf.course = answer
                self._index(answer)
            return answer

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses that there are."""
        ids = frozenset(course_ids)  # before the lock: it may be a generator that reads here too
        with self._storing:
            return {
                course_id: shelf.participation(user_id)
                for course_id in ids
                if (shelf := self._shelves.get((organization_id, course_id))) is not None
            }

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""
        with self._changing(organization_id, course_id) as shelf:
            seen = shelf.participation(user_id)
            (answer,) = checked(answer=(record(Participation), decide(seen)))
            with self._storing:
                reminder = self._store(shelf, seen, answer)
                return attrs.evolve(shelf.participation(user_id), reminder=reminder)

    def registrations(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Registration]:
        """List registrations, cancelled ones too, by `registered_at`, then id."""
        with self._storing:
            return self._registrations.page(
                organization_id, course_id, user_id, after=after, limit=limit
            )

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
        with self._storing:
            return self._certificates.page(
                organization_id,
                course_id,
                user_id,
                before=expires_before,
                after=after,
                limit=limit,
            )

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders that are not marked, in the order in which they were added."""
        limit = page_limit(limit)
        begin = place_after("reminders", after, 1)
        with self._storing:
            return page("reminders", self._outbox.from_place(begin), limit)

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox; marked already or unknown, nothing happens."""
        with self._storing:
            number = self._reminder_numbers.get((reminder.organization_id, reminder.certificate_id))
            if number is not None:
                self._outbox.drop((number,))

    @contextmanager
    def _changing(self, organization_id: UUID, course_id: UUID) -> Generator[_Shelf, None, None]:
        shelf = self._shelves.get((organization_id, course_id))
        if shelf is None:
            raise CourseNotFound(course_id)
        if not shelf.changing.acquire(timeout=_LOCK_SECONDS):
            msg = f"course {course_id} was being changed by others for {_LOCK_SECONDS} seconds"
            raise RepositoryUnavailable(msg)
        try:
            yield shelf
        finally:
            shelf.changing.release()

    def _index(self, course: Course) -> None:
        self._courses[course.organization_id, course.status].put(_course_place(course), course)

    def _store(
        self, shelf: _Shelf, seen: Participation, answer: Participation
    ) -> RenewalReminder | None:
        """Store all of an answer; give its reminder back where the outbox takes it."""
        user_id = seen.user_id
        registration, certificate = answer.registration, answer.certificate
        if registration is not None and registration != seen.registration:
            self._registrations.put(registration, seen.registration)
            shelf.registrations[user_id] = registration
            shelf.confirmed_count += _is_confirmed(registration) - _is_confirmed(seen.registration)
        if None not in (certificate, seen.certificate) and certificate != seen.certificate:
            return None
        if certificate is not None and seen.certificate is None:
            self._certificates.put(certificate)
            shelf.certificates[user_id] = certificate
        reminder = answer.reminder
        if reminder is None:
            return None
        key = (reminder.organization_id, reminder.certificate_id)
        if key in self._reminder_numbers:
            return None
        self._reminder_numbers[key] = len(self._reminder_numbers)
        self._outbox.put((self._reminder_numbers[key],), reminder)
        return reminder


def _course_place(course: Course) -> Place:
    return (microseconds(course.start_date), course.id.int)


class InMemoryReminderScheduler:
    """Take reminders into memory, from any thread; the first of a `certificate_id` takes effect."""

    def __init__(self) -> None:
        """Begin empty."""
        self._taken: dict[UUID, RenewalReminder] = {}

    @property
    def scheduled(self) -> tuple[RenewalReminder, ...]:
        """The reminders that will take effect, in the order in which they came."""
        return tuple(self._taken.values())

    def schedule(self, reminder: RenewalReminder) -> None:
        """Take one reminder; a second of the same certificate changes nothing."""
        (reminder,) = checked(reminder=(record(RenewalReminder), reminder))
        self._taken.setdefault(reminder.certificate_id, reminder)
