"""A right adapter: everything is bytes in one store, behind one lock, also while `decide` runs."""

import pickle
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
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

_FIRST = datetime(1900, 1, 1, tzinfo=UTC)
_UNDATED = "~"  # behind every digit
_PLACE = re.compile(r"([0-9]{18}|~|[0-9a-f]{32})/[0-9a-f]{32}")


class ByteStore:
    """Keep bytes under text keys; what a transaction puts is stored at its end, or not at all."""

    patience_seconds: float = 6

    def __init__(self) -> None:
        """Begin empty."""
        self._lock = Lock()
        self._rows: dict[str, bytes] = {}

    @contextmanager
    def transaction(self) -> Generator["Transaction", None, None]:
        """Have the store alone; an error leaves it as it was."""
        if not self._lock.acquire(timeout=self.patience_seconds):
            raise RepositoryUnavailable("the store was busy")
        try:
            opened = Transaction(self._rows)
            yield opened
            self._rows.update(opened.changes)
        finally:
            self._lock.release()


class Transaction:
    """Read what is stored, and collect what to put."""

    def __init__(self, rows: Mapping[str, bytes]) -> None:
        """Begin with nothing to put."""
        self._rows = rows
        self.changes: dict[str, bytes] = {}

    def get(self, key: str) -> Any:
        """Give a fresh copy of what is stored under a key, None where nothing is."""
        stored = self._rows.get(key)
        return None if stored is None else pickle.loads(stored)

    def put(self, key: str, value: object) -> None:
        """Store a copy under a key when the transaction ends; None is as good as nothing."""
        self.changes[key] = pickle.dumps(value)

    def under(self, prefix: str) -> Iterator[Any]:
        """Give fresh copies of all that is stored under a prefix."""
        rows = (pickle.loads(row) for key, row in self._rows.items() if key.startswith(prefix))
        return (row for row in rows if row is not None)


class StoredBytesRepository:
    """Keep courses in a `ByteStore`, over which several of these may stand.

    An id that another organization has is a `DuplicateCourse`.
    """

    def __init__(self, store: ByteStore | None = None) -> None:
        """Stand over a store, a new one where none is given."""
        self.store = store or ByteStore()

    def add(self, course: Course) -> None:
        """Store a new course."""
        with self.store.transaction() as rows:
            if rows.get(f"owner/{course.id.hex}") is not None:
                raise DuplicateCourse(course.id)
            rows.put(f"owner/{course.id.hex}", course.organization_id)
            rows.put(_key("course", course.organization_id, course.id), course)

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization."""
        with self.store.transaction() as rows:
            found: Course | None = rows.get(_key("course", organization_id, course_id))
            return found

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
        limit, behind = page_limit(limit), _behind(after)
        wanted = frozenset(CourseStatus if statuses is None else statuses)
        earliest = "" if starts_from is None else _instant(starts_from)
        dated = starts_from is not None or starts_before is not None
        latest = _instant(starts_before) if dated else _UNDATED + _UNDATED

        def fits(course: Course) -> bool:
            return (
                course.status in wanted
                and course_type in (None, course.course_type)
                and issues_certificate in (None, course.issues_certificate)
                and earliest <= _instant(course.start_date) < latest
            )

        with self.store.transaction() as rows:
            found: Iterator[Course] = rows.under(_key("course", organization_id))
            placed = {_place(each.start_date, each.id): each for each in found if fits(each)}
            return _page(placed, behind, limit)

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course."""
        key = _key("course", organization_id, course_id)
        with self.store.transaction() as rows:
            course = rows.get(key)
            if course is None:
                raise CourseNotFound(course_id)
            answer = decide(course)
            rows.put(key, answer)
            return answer

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses."""
        with self.store.transaction() as rows:
            found = (_participation(rows, organization_id, each, user_id) for each in course_ids)
            return {each.course.id: each for each in found if each is not None}

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""
        with self.store.transaction() as rows:
            seen = _participation(rows, organization_id, course_id, user_id)
            if seen is None:
                raise CourseNotFound(course_id)
            answer = decide(seen)
            registration = answer.registration or seen.registration
            certificate, reminder = seen.certificate or answer.certificate, answer.reminder
            if answer.certificate is not None and answer.certificate != certificate:
                reminder = None
            taken = _is_confirmed(registration) - _is_confirmed(seen.registration)
            count = seen.confirmed_count + taken
            ids = (organization_id, course_id, user_id)
            rows.put(_key("registration", *ids), registration)
            rows.put(_key("certificate", *ids), certificate)
            rows.put(_key("count", organization_id, course_id), count)
            if reminder is not None:
                key = _key("reminder", organization_id, reminder.certificate_id)
                if rows.get(key) is not None:
                    reminder = None
                else:
                    rows.put(key, (reminder, True))
            return attrs.evolve(
                seen,
                confirmed_count=count,
                registration=registration,
                certificate=certificate,
                reminder=reminder,
            )

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
        limit, behind = page_limit(limit), _behind(after)
        with self.store.transaction() as rows:
            found: Iterator[Registration] = rows.under(_key("registration", organization_id))
            placed = {
                _place(each.registered_at, each.id): each
                for each in found
                if course_id in (None, each.course_id) and user_id in (None, each.user_id)
            }
            return _page(placed, behind, limit)

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
        limit, behind = page_limit(limit), _behind(after)
        latest = _UNDATED + _UNDATED if expires_before is None else _instant(expires_before)
        with self.store.transaction() as rows:
            found: Iterator[PeerMentorCertificate] = rows.under(
                _key("certificate", organization_id)
            )
            placed = {
                _place(each.expires_at, each.id): each
                for each in found
                if course_id in (None, each.course_id)
                and user_id in (None, each.peer_mentor_id)
                and _instant(each.expires_at) < latest
            }
            return _page(placed, behind, limit)

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders that are not marked, by organization and certificate."""
        limit, behind = page_limit(limit), _behind(after)
        with self.store.transaction() as rows:
            found: Iterator[tuple[RenewalReminder, bool]] = rows.under("reminder/")
            placed = {
                f"{each.organization_id.hex}/{each.certificate_id.hex}": each
                for each, waits in found
                if waits
            }
            return _page(placed, behind, limit)

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox."""
        key = _key("reminder", reminder.organization_id, reminder.certificate_id)
        with self.store.transaction() as rows:
            if rows.get(key) is not None:
                rows.put(key, (reminder, False))


def _participation(
    rows: Transaction, organization_id: UUID, course_id: UUID, user_id: UUID
) -> Participation | None:
    course = rows.get(_key("course", organization_id, course_id))
    if course is None:
        return None
    ids = (organization_id, course_id, user_id)
    return Participation(
        course=course,
        confirmed_count=rows.get(_key("count", organization_id, course_id)) or 0,
        user_id=user_id,
        registration=rows.get(_key("registration", *ids)),
        certificate=rows.get(_key("certificate", *ids)),
    )


def _is_confirmed(registration: Registration | None) -> bool:
    return registration is not None and registration.status is RegistrationStatus.CONFIRMED


def _key(kind: str, *ids: UUID) -> str:
    return "/".join([kind, *(each.hex for each in ids)])


def _instant(instant: datetime | None) -> str:
    if instant is None:
        return _UNDATED
    return f"{(instant - _FIRST) // timedelta(microseconds=1):018}"


def _place(instant: datetime | None, row_id: UUID) -> str:
    return f"{_instant(instant)}/{row_id.hex}"


def _behind(after: str | None) -> str:
    """Read a cursor, the place of a row as hex digits; whatever query it is of, it is a place."""
    if after is None:
        return ""
    try:
        place = bytes.fromhex(after).decode()
    except ValueError:
        raise unknown_cursor() from None
    if not _PLACE.fullmatch(place) or place.encode().hex() != after:
        raise unknown_cursor()
    return place


def _page(placed: Mapping[str, T], behind: str, limit: int) -> Page[T]:
    places = sorted(place for place in placed if place > behind)
    following = places[limit - 1].encode().hex() if len(places) > limit else None
    return Page(tuple(placed[place] for place in places[:limit]), following)
