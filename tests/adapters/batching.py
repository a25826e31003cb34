"""A right adapter: a log of entries, to which the first in line adds for all who wait."""

import base64
import binascii
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from threading import Condition, Lock
from typing import Any, Never, TypeVar
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

_PATIENCE_SECONDS = 3
_LAST = "9999"  # behind every year
_PLACE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9T:.+-]{24}|9999) [0-9a-f]{32}|[0-9]{20}")

Key = tuple[UUID, UUID]
_Entry = Course | Registration | PeerMentorCertificate | RenewalReminder


@attrs.define
class Shown:
    """What the entries of one course come to."""

    entries: tuple[_Entry, ...]
    course: Course
    registrations: dict[UUID, Registration] = attrs.field(factory=dict[UUID, Registration])
    certificates: dict[UUID, PeerMentorCertificate] = attrs.field(
        factory=dict[UUID, PeerMentorCertificate]
    )
    reminders: dict[UUID, RenewalReminder] = attrs.field(factory=dict[UUID, RenewalReminder])

    @classmethod
    def of(cls, entries: tuple[_Entry, ...]) -> "Shown":
        """Read entries from the first, which is the course as it was added, to the last."""
        first, *rest = entries
        assert isinstance(first, Course)
        shown = cls(entries, first)
        for each in rest:
            match each:
                case Course():
                    shown.course = each
                case Registration():
                    shown.registrations[each.user_id] = each
                case PeerMentorCertificate():
                    shown.certificates[each.peer_mentor_id] = each
                case RenewalReminder():
                    shown.reminders[each.certificate_id] = each
        return shown

    def participation(self, user_id: UUID) -> Participation:
        """Put together what one person has here."""
        confirmed = [
            each
            for each in self.registrations.values()
            if each.status is RegistrationStatus.CONFIRMED
        ]
        return Participation(
            course=self.course,
            confirmed_count=len(confirmed),
            user_id=user_id,
            registration=self.registrations.get(user_id),
            certificate=self.certificates.get(user_id),
        )


class Log:
    """Keep the entries of each course, in order, and which reminders are marked."""

    def __init__(self) -> None:
        """Begin empty."""
        self._adding = Lock()
        self._entries: dict[Key, tuple[_Entry, ...]] = {}
        self._outbox: list[RenewalReminder] = []
        self._marked: set[Key] = set()

    def read(self, key: Key) -> Shown | None:
        """Give what the entries of a course come to."""
        entries = self._entries.get(key)
        return None if entries is None else Shown.of(entries)

    def read_all(self, organization_id: UUID) -> Iterator[Shown]:
        """Give all of an organization, as it was at one moment."""
        with self._adding:
            logs = [each for key, each in self._entries.items() if key[0] == organization_id]
        return map(Shown.of, logs)

    def append(self, key: Key, added: tuple[_Entry, ...], *, behind: int) -> bool:
        """Add entries to those of a course, as one, where they are still so many."""
        with self._adding:
            entries = self._entries.get(key, ())
            if len(entries) != behind:
                return False
            self._entries[key] = entries + added
            self._outbox += [each for each in added if isinstance(each, RenewalReminder)]
            return True

    def mark(self, key: Key) -> None:
        """Remember the mark of a reminder that is known."""
        with self._adding:
            if any(_reminder_key(each) == key for each in self._outbox):
                self._marked.add(key)

    def waiting(self) -> list[tuple[str, RenewalReminder]]:
        """Give the reminders that are not marked, each behind its number."""
        with self._adding:
            return [
                (f"{number:020}", each)
                for number, each in enumerate(self._outbox)
                if _reminder_key(each) not in self._marked
            ]


@attrs.define(eq=False)
class Waiting:
    """One caller's decision: it is asked about a state, and says what to add to that."""

    ask: Callable[[Shown], tuple[tuple[_Entry, ...], Any]]
    is_done: bool = False
    answer: Any = None
    error: BaseException | None = None

    def ask_about(self, course_id: UUID, shown: Shown | None) -> Shown:
        """Give what the state is after the answer."""
        if shown is None:
            raise CourseNotFound(course_id)
        added, self.answer = self.ask(shown)
        return Shown.of((*shown.entries, *added))


class BatchingRepository:
    """Keep courses in a `Log`, over which several of these may stand.

    Callers who meet on one course form a line. The first one asks the decisions of all who stand
    in it, one upon the other, adds what they answer as one transaction, and only then tells them.
    """

    def __init__(self, log: Log | None = None) -> None:
        """Stand over a log, a new one where none is given."""
        self.log = log or Log()
        self._moving = Condition()
        self._lines: dict[Key, list[Waiting]] = {}
        self._led: set[Key] = set()

    def add(self, course: Course) -> None:
        """Store a new course."""
        if not self.log.append((course.organization_id, course.id), (course,), behind=0):
            raise DuplicateCourse(course.id)

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization."""
        shown = self.log.read((organization_id, course_id))
        return None if shown is None else shown.course

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
        found = [each.course for each in self.log.read_all(organization_id)]
        if statuses is not None:
            wanted = tuple(statuses)
            found = [each for each in found if each.status in wanted]
        if course_type is not None:
            found = [each for each in found if each.course_type is course_type]
        if issues_certificate is not None:
            found = [each for each in found if each.issues_certificate is issues_certificate]
        if starts_from is not None:
            found = [each for each in found if each.start_date and each.start_date >= starts_from]
        if starts_before is not None:
            found = [each for each in found if each.start_date and each.start_date < starts_before]
        return _page([(_place(each.start_date, each.id), each) for each in found], behind, limit)

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course."""

        def ask(shown: Shown) -> tuple[tuple[_Entry, ...], Course]:
            answer = decide(shown.course)
            return (() if answer == shown.course else (answer,)), answer

        changed: Course = self._change((organization_id, course_id), ask)
        return changed

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses."""
        found = {each: self.log.read((organization_id, each)) for each in course_ids}
        return {key: each.participation(user_id) for key, each in found.items() if each is not None}

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""

        def ask(shown: Shown) -> tuple[tuple[_Entry, ...], Participation]:
            seen = shown.participation(user_id)
            answer = decide(seen)
            certificate, reminder = answer.certificate, answer.reminder
            if seen.certificate is not None:
                reminder = reminder if certificate in (None, seen.certificate) else None
                certificate = None
            if reminder is not None and reminder.certificate_id in shown.reminders:
                reminder = None
            is_same = answer.registration == seen.registration
            answered = (None if is_same else answer.registration, certificate, reminder)
            added = tuple(each for each in answered if each is not None)
            after = Shown.of((*shown.entries, *added)).participation(user_id)
            return added, attrs.evolve(after, reminder=reminder)

        changed: Participation = self._change((organization_id, course_id), ask)
        return changed

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
        found = [
            (_place(each.registered_at, each.id), each)
            for shown in self.log.read_all(organization_id)
            for each in shown.registrations.values()
            if course_id in (None, each.course_id) and user_id in (None, each.user_id)
        ]
        return _page(found, behind, limit)

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
        found = [
            (_place(each.expires_at, each.id), each)
            for shown in self.log.read_all(organization_id)
            for each in shown.certificates.values()
            if course_id in (None, each.course_id) and user_id in (None, each.peer_mentor_id)
        ]
        if expires_before is not None:
            end = expires_before.isoformat(timespec="microseconds")
            found = [(place, each) for place, each in found if each.expires_at and place < end]
        return _page(found, behind, limit)

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders that are not marked, as they came."""
        limit, behind = page_limit(limit), _behind(after)
        return _page(self.log.waiting(), behind, limit)

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox."""
        self.log.mark(_reminder_key(reminder))

    def _change(self, key: Key, ask: Callable[[Shown], tuple[tuple[_Entry, ...], Any]]) -> Any:
        """Stand in line until somebody has asked this decision, oneself perhaps."""
        mine = Waiting(ask)
        until = time.monotonic() + _PATIENCE_SECONDS
        with self._moving:
            self._lines.setdefault(key, []).append(mine)
            while not mine.is_done and key in self._led:
                if not self._moving.wait(until - time.monotonic()) and not mine.is_done:
                    return self._give_up(key, mine)
            if not mine.is_done:
                self._led.add(key)
        if not mine.is_done:
            self._lead(key, until)
        if mine.error is not None:
            raise mine.error
        return mine.answer

    def _give_up(self, key: Key, mine: Waiting) -> Never:
        """Leave the line; whoever leads may just be storing this, which is not known here."""
        self._lines[key] = [each for each in self._lines.get(key, []) if each is not mine]
        raise RepositoryUnavailable("the line was too long")

    def _lead(self, key: Key, until: float) -> None:
        """Ask and store for all in line; where another object was faster, ask all again."""
        with self._moving:
            line = self._lines.pop(key, [])
        error: Exception | None = RepositoryUnavailable("whoever led the line was stopped")
        try:
            while not (is_stored := self._try(key, line)) and time.monotonic() < until:
                pass
            error = None if is_stored else RepositoryUnavailable("others were always faster")
        finally:
            with self._moving:
                for each in line:
                    each.error = error or each.error
                    each.is_done = True
                self._led.discard(key)
                self._moving.notify_all()

    def _try(self, key: Key, line: list[Waiting]) -> bool:
        """Ask all in line, one upon the other, and add what they answer as one."""
        shown = self.log.read(key)
        behind = 0 if shown is None else len(shown.entries)
        after = asked_in_turn(line, key[1], shown)
        added_by_all = () if after is None else after.entries[behind:]
        return self.log.append(key, added_by_all, behind=behind) if added_by_all else True


def asked_in_turn(line: list[Waiting], course_id: UUID, shown: Shown | None) -> Shown | None:
    """Ask one upon the other, and give the state after all; each keeps its answer or error."""
    for each in line:
        each.answer, each.error = None, None
        try:
            shown = each.ask_about(course_id, shown)
        except BaseException as error:  # noqa: BLE001  raised to the caller whose decision it is
            each.error = error
    return shown


def _reminder_key(reminder: RenewalReminder) -> Key:
    return (reminder.organization_id, reminder.certificate_id)


def _place(instant: datetime | None, row_id: UUID) -> str:
    """Order as text: years have four digits, and UTC is the only zone."""
    moment = _LAST if instant is None else instant.isoformat(timespec="microseconds")
    return f"{moment} {row_id.hex}"


def _behind(after: str | None) -> str:
    """Read a cursor, the place of a row in the URL-safe letters of base64, without padding."""
    if after is None:
        return ""
    try:
        place = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise unknown_cursor() from None
    if not _PLACE.fullmatch(place) or _cursor(place) != after:
        raise unknown_cursor()
    return place


def _cursor(place: str) -> str:
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _page(found: list[tuple[str, T]], behind: str, limit: int) -> Page[T]:
    rows = sorted(((place, row) for place, row in found if place > behind), key=lambda row: row[0])
    following = _cursor(rows[limit - 1][0]) if len(rows) > limit else None
    return Page(tuple(row for _, row in rows[:limit]), following)
