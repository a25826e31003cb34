"""A right adapter for one thread: tables in a database that its own connection keeps in memory."""

import re
import sqlite3
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar, cast
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
)
from course_domain.ports import page_limit, unknown_cursor

T = TypeVar("T")

_INSTANT = "%Y%m%dT%H%M%S%f"  # as wide at any instant, so that text is in the order of time
_UNDATED = "~"  # behind every digit
_CURSOR = re.compile(r"([0-9]{8}T[0-9]{12}|~)\.([0-9a-f]{32}){1,2}")
_SCHEMA = """
CREATE TABLE courses (
    place TEXT, id TEXT, organization_id TEXT, title TEXT, description TEXT, course_type TEXT,
    status TEXT, start_date TEXT, end_date TEXT, location TEXT, is_virtual INTEGER,
    max_participants INTEGER, issues_certificate INTEGER, certificate_validity_months INTEGER,
    registration_deadline TEXT, created_by TEXT, created_at TEXT, updated_at TEXT,
    PRIMARY KEY (organization_id, id)
);
CREATE TABLE registrations (
    place TEXT, id TEXT, course_id TEXT, organization_id TEXT, user_id TEXT, status TEXT,
    registered_at TEXT, cancelled_at TEXT, completed_at TEXT,
    PRIMARY KEY (organization_id, course_id, user_id)
);
CREATE TABLE certificates (
    place TEXT, id TEXT, course_id TEXT, organization_id TEXT, user_id TEXT, issued_at TEXT,
    expires_at TEXT,
    PRIMARY KEY (organization_id, course_id, user_id)
);
CREATE TABLE reminders (
    place TEXT, certificate_id TEXT, course_id TEXT, organization_id TEXT, user_id TEXT,
    remind_at TEXT, waits INTEGER DEFAULT 1,
    PRIMARY KEY (organization_id, certificate_id)
);
"""


class SqliteRepository:
    """Keep courses for the thread that makes it; an id that another organization has is apart."""

    def __init__(self) -> None:
        """Begin with empty tables."""
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        self._database.row_factory = sqlite3.Row
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def add(self, course: Course) -> None:
        """Store a new course."""
        try:
            self._write("INSERT", "courses", _row_of_course(course))
        except sqlite3.IntegrityError:
            raise DuplicateCourse(course.id) from None

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization."""
        found = self._rows("courses", {"organization_id": organization_id, "id": course_id})
        return next(map(_course, found), None)

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
        wanted = tuple(CourseStatus if statuses is None else statuses)
        conditions: dict[str, object] = {
            f"status IN ({', '.join('?' * len(wanted))})": wanted,
            "start_date >= ?": starts_from,
            "start_date < ?": starts_before,
        }
        filters = {
            "organization_id": organization_id,
            "course_type": course_type,
            "issues_certificate": issues_certificate,
        }
        return _page(self._rows("courses", filters, conditions | behind, limit), _course, limit)

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course."""
        with self._transaction():
            course = self.get(organization_id, course_id)
            if course is None:
                raise CourseNotFound(course_id)
            answer = decide(course)
            self._write("REPLACE", "courses", _row_of_course(answer))
            return answer

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses."""
        found = (self._participation(organization_id, each, user_id) for each in course_ids)
        return {each.course.id: each for each in found if each is not None}

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""
        with self._transaction():
            seen = self._participation(organization_id, course_id, user_id)
            if seen is None:
                raise CourseNotFound(course_id)
            answer = decide(seen)
            certificate, reminder = answer.certificate, answer.reminder
            if answer.registration is not None:
                row = _row(answer.registration, at=answer.registration.registered_at)
                self._write("REPLACE", "registrations", row)
            if certificate is not None and seen.certificate is None:
                row = _row(certificate, at=certificate.expires_at)
                self._write("INSERT", "certificates", row)
            elif certificate not in (None, seen.certificate):
                reminder = None
            if reminder is not None:
                row = _row(reminder, at=reminder.remind_at)
                if not self._write("INSERT OR IGNORE", "reminders", row):
                    reminder = None
            after = self._participation(organization_id, course_id, user_id)
            return attrs.evolve(after or seen, reminder=reminder)

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
        ids = {"organization_id": organization_id, "course_id": course_id, "user_id": user_id}
        return _page(self._rows("registrations", ids, behind, limit), _registration, limit)

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
        behind |= {"expires_at < ?": expires_before}
        ids = {"organization_id": organization_id, "course_id": course_id, "user_id": user_id}
        return _page(self._rows("certificates", ids, behind, limit), _certificate, limit)

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders that are not marked, by `remind_at`, then by its key."""
        limit, behind = page_limit(limit), _behind(after)
        return _page(self._rows("reminders", {"waits": 1}, behind, limit), _reminder, limit)

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox."""
        key = (reminder.organization_id.hex, reminder.certificate_id.hex)
        mark = "UPDATE reminders SET waits = 0 WHERE organization_id = ? AND certificate_id = ?"
        self._database.execute(mark, key)

    @contextmanager
    def _transaction(self) -> Generator[None, None, None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._database.execute("COMMIT")
        except BaseException:
            self._database.execute("ROLLBACK")
            raise

    def _rows(
        self,
        table: str,
        equal: Mapping[str, object],
        conditions: Mapping[str, object] | None = None,
        limit: int = -2,
    ) -> list[sqlite3.Row]:
        """Give the rows under all conditions, one more than the limit; None is no condition."""
        wheres = {f"{name} = ?": value for name, value in equal.items()} | {**(conditions or {})}
        wheres = {where: value for where, value in wheres.items() if value is not None}
        parameters: list[Any] = []
        for value in wheres.values():
            parameters += map(_plain, _several(value))
        query = f"SELECT * FROM {table} WHERE {' AND '.join(wheres)} ORDER BY place LIMIT ?"
        return self._database.execute(query, [*parameters, limit + 1]).fetchall()

    def _write(self, command: str, table: str, row: Mapping[str, object]) -> bool:
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        written = self._database.execute(
            f"{command} INTO {table} ({names}) VALUES ({marks})", [*map(_plain, row.values())]
        )
        return written.rowcount > 0

    def _participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID
    ) -> Participation | None:
        course = self.get(organization_id, course_id)
        if course is None:
            return None
        on: dict[str, object] = {"organization_id": organization_id, "course_id": course_id}
        of_person = on | {"user_id": user_id}
        held = map(_registration, self._rows("registrations", of_person))
        certified = map(_certificate, self._rows("certificates", of_person))
        confirmed = self._rows("registrations", on | {"status": RegistrationStatus.CONFIRMED})
        return Participation(
            course=course,
            confirmed_count=len(confirmed),
            user_id=user_id,
            registration=next(held, None),
            certificate=next(certified, None),
        )


def _several(value: object) -> tuple[object, ...]:
    return cast("tuple[object, ...]", value) if isinstance(value, tuple) else (value,)


def _plain(value: Any) -> Any:
    """Give what a column keeps."""
    if isinstance(value, UUID):
        return value.hex
    return value.strftime(_INSTANT) if isinstance(value, datetime) else value


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.strptime(text, _INSTANT).replace(tzinfo=UTC)


def _row(record: Any, *, at: datetime | None) -> dict[str, object]:
    """Give the columns of a record, and its place: when, undated last, then which."""
    row = attrs.asdict(record, recurse=False)
    if "peer_mentor_id" in row:
        row["user_id"] = row.pop("peer_mentor_id")
    ids = ("id",) if "id" in row else ("certificate_id", "organization_id")
    digits = "".join(row[name].hex for name in ids)
    row["place"] = f"{_UNDATED if at is None else _plain(at)}.{digits}"
    return row


def _row_of_course(course: Course) -> dict[str, object]:
    return _row(course, at=course.start_date)


def _fields(row: sqlite3.Row, kind: Any) -> dict[str, Any]:
    """Give the columns that are fields of a kind, as their own types."""
    fields: dict[str, Any] = {}
    for field in attrs.fields(kind):
        value = row["user_id" if field.name == "peer_mentor_id" else field.name]
        if field.name.endswith(("_at", "_date", "_deadline")):
            value = _instant(value)
        elif field.name.endswith(("id", "_by")):
            value = UUID(value)
        fields[field.name] = value
    return fields


def _course(row: sqlite3.Row) -> Course:
    fields = _fields(row, Course)
    fields["course_type"] = CourseType(row["course_type"])
    fields["status"] = CourseStatus(row["status"])
    for name in ("is_virtual", "issues_certificate"):
        fields[name] = bool(row[name])
    return Course(**fields)


def _registration(row: sqlite3.Row) -> Registration:
    fields = _fields(row, Registration)
    fields["status"] = RegistrationStatus(row["status"])
    return Registration(**fields)


def _certificate(row: sqlite3.Row) -> PeerMentorCertificate:
    return PeerMentorCertificate(**_fields(row, PeerMentorCertificate))


def _reminder(row: sqlite3.Row) -> RenewalReminder:
    return RenewalReminder(**_fields(row, RenewalReminder))


def _behind(after: str | None) -> dict[str, object]:
    """Read a cursor, the place of a row as it stands; whatever query it is of, it is a place."""
    if after is not None and not _CURSOR.fullmatch(after):
        raise unknown_cursor()
    return {"place > ?": after}


def _page(rows: list[sqlite3.Row], made: Callable[[sqlite3.Row], T], limit: int) -> Page[T]:
    following = rows[limit - 1]["place"] if len(rows) > limit else None
    return Page(tuple(map(made, rows[:limit])), following)


class SqliteReminderScheduler:
    """Keep one job for each certificate; of two offers, the later one."""

    def __init__(self) -> None:
        """Begin without jobs."""
        self._database = sqlite3.connect(":memory:", isolation_level=None)
        self._database.executescript(_SCHEMA)
        self._database.row_factory = sqlite3.Row

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def schedule(self, reminder: RenewalReminder) -> None:
        """Write the job of this certificate, over the one that is there."""
        row = _row(reminder, at=reminder.remind_at)
        columns = {name: _plain(value) for name, value in row.items()}
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        job = "DELETE FROM reminders WHERE certificate_id = ?"
        self._database.execute(job, [columns["certificate_id"]])
        insert = f"INSERT INTO reminders ({names}) VALUES ({marks})"
        self._database.execute(insert, [*columns.values()])

    def jobs(self) -> tuple[RenewalReminder, ...]:
        """Give the reminders that will take effect."""
        return tuple(map(_reminder, self._database.execute("SELECT * FROM reminders")))
