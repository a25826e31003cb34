"""The adapter: a `CourseRepository` over a database that SQLAlchemy reaches."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.errors import DuplicateCourse, RepositoryUnavailable
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
)
from course_domain.ports import Page
from course_domain.sql import pages, statements
from course_domain.sql.changes import CourseChange, ParticipationChange
from course_domain.sql.connections import CommitNotKnown, Database
from course_domain.sql.faults import Fault, fault_of
from course_domain.sql.retries import trying
from course_domain.sql.rows import Row, Rows, new
from course_domain.sql.writing import Writer, writer_of
from course_domain.values import checked, record

S = TypeVar("S")
T = TypeVar("T")

_MOST_AT_ONCE = 256  # courses that one statement reads: more than a page has


class SqlCourseRepository:
    """Keep courses in SQLite, PostgreSQL, or MariaDB with or without Galera.

    Keeps every promise of `CourseRepository`, also between processes and on every node of a
    cluster: each change of a participation writes the course's row, its count and version, in the
    transaction that stores the rest. A decision may run on the thread of another caller, who waits
    for the same course. All repositories over one engine are as one.

    `engine` reaches SQLite, PostgreSQL by psycopg, or MariaDB by PyMySQL, and does not commit by
    itself (AUTOCOMMIT). The adapter sets it up, a connection at a time; its pool should give up
    within seconds (see the page about storage), and a process that forks makes another. The tables
    are those of `create_schema`. Raises `InvalidValue` for what is no engine.
    """

    def __init__(self, engine: sa.Engine) -> None:
        """Work on the database of this engine."""
        (engine,) = checked(engine=(record(sa.Engine), engine))
        self._writer: Writer = writer_of(engine)
        self._database: Database = self._writer.database

    def add(self, course: Course) -> None:
        """Store a new course; `DuplicateCourse` when this organization has the id."""
        (course,) = checked(course=(record(Course), course))
        is_not_known = False  # whether an earlier try may be stored, or be stored yet

        def taken() -> DBAPIError | None:
            nonlocal is_not_known
            try:
                with self._database.writing() as cursor:
                    cursor.write(statements.ADD_COURSE, new(course))
            except CommitNotKnown as lost:
                is_not_known = True
                raise lost.error from None  # the same again finds out
            except DBAPIError as error:
                if fault_of(error) is not Fault.FIRST_COME:
                    raise
                return error
            return None

        error = self._writer.in_line((course.organization_id, course.id), taken)
        if error is None:
            return
        stored = self.get(course.organization_id, course.id)
        if stored is None:  # what is taken is a key of the host's own
            raise RepositoryUnavailable(str(error.orig)) from error
        if not is_not_known or course != stored:
            raise DuplicateCourse(course.id)

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization, None when it has no such course."""
        keys = statements.keys(organization_id, course_id)
        rows = self._read(statements.LOAD_COURSE, keys)
        return self._rows.course(rows[0][1:]) if rows else None

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
        filters: dict[str, Any] = {
            "organization_id": organization_id,
            "course_type": None if course_type is None else course_type.value,
            "issues_certificate": issues_certificate,
            "starts_from": starts_from,
            "starts_before": starts_before,
        }
        if statuses is not None:
            filters[pages.of_statuses(statuses)] = True
        return pages.page(
            self._read,
            pages.COURSES,
            filters,
            self._rows.course,
            after=after,
            limit=limit,
            dated_only=starts_from is not None or starts_before is not None,
        )

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course, and give it back."""
        change = CourseChange(statements.keys(organization_id, course_id), decide)
        return self._writer.change(change)

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses that there are."""
        ids = sorted(set(course_ids))
        found: dict[UUID, Participation] = {}
        for first in range(0, len(ids), _MOST_AT_ONCE):
            some = ids[first : first + _MOST_AT_ONCE]
            statement, which = statements.load_participations(some)
            keys = {"of_organization": organization_id, "of_user": user_id, **which}
            for row in self._read(statement, keys):
                entry = self._rows.participation(row, user_id)
                found[entry.course.id] = entry
        return found

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""
        change = ParticipationChange(statements.keys(organization_id, course_id, user_id), decide)
        return self._writer.change_participation(change)

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
        return pages.page(
            self._read,
            pages.REGISTRATIONS,
            {"organization_id": organization_id, "course_id": course_id, "user_id": user_id},
            self._rows.registration,
            after=after,
            limit=limit,
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
        filters = {
            "organization_id": organization_id,
            "course_id": course_id,
            "user_id": user_id,
            "expires_before": expires_before,
        }
        return pages.page(
            self._read,
            pages.CERTIFICATES,
            filters,
            self._rows.certificate,
            after=after,
            limit=limit,
            dated_only=expires_before is not None,
        )

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders that are not marked, by `remind_at`, organization and certificate."""
        return pages.page(
            self._read,
            pages.REMINDERS,
            {"is_waiting": True},
            self._rows.reminder,
            after=after,
            limit=limit,
        )

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox; marked already or unknown, nothing happens."""
        keys = {
            "of_organization": reminder.organization_id,
            "of_certificate": reminder.certificate_id,
        }
        self._writer.in_line(("reminders", reminder.certificate_id), lambda: self._marked(keys))

    def _marked(self, keys: Mapping[str, Any]) -> None:
        try:
            with self._database.writing() as cursor:
                cursor.write(statements.MARK_REMINDER, keys)
        except CommitNotKnown as lost:
            raise lost.error from None  # the same again does no harm

    def _read(self, statement: sa.Select[Any], parameters: Mapping[str, Any]) -> Sequence[Row]:
        def read() -> Sequence[Row]:
            with self._database.reading() as cursor:
                return cursor.fetch(statement, parameters)

        return trying(read)

    @property
    def _rows(self) -> Rows:
        return self._database.rows
