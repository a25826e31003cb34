"""Rows of the tables, as an engine's driver gives them, as values of the domain, and back."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, TypeVar
from uuid import UUID

import attrs
import sqlalchemy as sa

from course_domain.course import Course, CourseStatus, CourseType, is_plain
from course_domain.errors import RepositoryUnavailable
from course_domain.making import made_of
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from course_domain.sql.schema import certificates, courses, registrations, reminders

Columns = tuple[sa.Column[Any], ...]
Row = tuple[Any, ...]

T = TypeVar("T")


def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind))


_NAMES: Mapping[type, tuple[str, ...]] = {
    kind: _names(kind) for kind in (Course, Registration, PeerMentorCertificate, RenewalReminder)
}
_PARAMETERS = {kind: [(f"new_{name}", name) for name in names] for kind, names in _NAMES.items()}

COURSE_COLUMNS: Columns = tuple(courses.c[name] for name in _NAMES[Course])
REGISTRATION_COLUMNS: Columns = tuple(registrations.c[name] for name in _NAMES[Registration])
CERTIFICATE_COLUMNS: Columns = tuple(certificates.c[name] for name in _NAMES[PeerMentorCertificate])
REMINDER_COLUMNS: Columns = tuple(reminders.c[name] for name in _NAMES[RenewalReminder])

# Of one person on one course: what the course and the person do not tell.
_OWN_REGISTRATION_NAMES = ("id", "status", "registered_at", "cancelled_at", "completed_at")
_OWN_CERTIFICATE_NAMES = ("id", "issued_at", "expires_at")
OWN_REGISTRATION_COLUMNS: Columns = tuple(registrations.c[name] for name in _OWN_REGISTRATION_NAMES)
OWN_CERTIFICATE_COLUMNS: Columns = tuple(certificates.c[name] for name in _OWN_CERTIFICATE_NAMES)

PARTICIPATION_COLUMNS: Columns = (
    courses.c.version,
    courses.c.confirmed_count,
    *COURSE_COLUMNS,
    *OWN_REGISTRATION_COLUMNS,
    *OWN_CERTIFICATE_COLUMNS,
)

_REGISTRATION_AT = 2 + len(COURSE_COLUMNS)
_CERTIFICATE_AT = _REGISTRATION_AT + len(OWN_REGISTRATION_COLUMNS)
_END = _CERTIFICATE_AT + len(OWN_CERTIFICATE_COLUMNS)
_COURSE_PART = slice(2, _REGISTRATION_AT)
_REGISTRATION_PART = slice(_REGISTRATION_AT, _CERTIFICATE_AT)
_CERTIFICATE_PART = slice(_CERTIFICATE_AT, _END)

_MEMBERS: Mapping[str, Callable[[Any], Any]] = {
    str(column): {member.value: member for member in kind}.__getitem__
    for column, kind in (
        (courses.c.course_type, CourseType),
        (courses.c.status, CourseStatus),
        (registrations.c.status, RegistrationStatus),
    )
}

_shared_identifier = lru_cache(1_000)(UUID)  # organizations and people stand in many rows

_MOST_KNOWN = 2_000  # courses, each with its row: some megabytes


_KEYS = ("organization_id", "id", "certificate_id")
_UNREADABLE = (LookupError, TypeError, ValueError)


class _Fields:
    """Read columns of a row, from the driver's types, as fields."""

    def __init__(self, columns: Columns, dialect: sa.Dialect) -> None:
        self._table = columns[0].table.name
        self._names = [column.name for column in columns]
        readers = [_reader(column, dialect) for column in columns]
        self._readers = [(place, read) for place, read in enumerate(readers) if read]

    def values(self, row: Sequence[Any]) -> list[Any]:
        """Give the values in the order of the columns."""
        values = list(row)
        for place, read in self._readers:
            values[place] = read(values[place])
        return values

    def read(self, kind: Callable[..., T], row: Sequence[Any], **known: Any) -> T:
        """Make a value of a row, and of what is known besides.

        Raises `RepositoryUnavailable`, which names the row, where it holds what cannot be: others
        can write to the tables, and who reads what they wrote has given no wrong value.
        """
        try:
            return kind(**known, **dict(zip(self._names, self.values(row), strict=True)))
        except _UNREADABLE as error:
            stored = dict(zip(self._names, row, strict=True)) | known
            keys = " ".join(f"{name}={stored[name]}" for name in _KEYS if name in stored)
            msg = f"a row of {self._table} cannot be read, {keys}: {type(error).__name__} {error}"
            raise RepositoryUnavailable(msg) from error


def _reader(column: sa.Column[Any], dialect: sa.Dialect) -> Callable[[Any], Any] | None:
    if str(column) in _MEMBERS:
        return _MEMBERS[str(column)]
    read = column.type.dialect_impl(dialect).result_processor(dialect, None)
    if read is not None and isinstance(column.type, sa.Uuid):
        return UUID if column.name == "id" else _shared_identifier
    return read


class Rows:
    """Read the rows of one engine."""

    def __init__(self, dialect: sa.Dialect) -> None:
        """Begin with no course known."""
        self._course = _Fields(COURSE_COLUMNS, dialect)
        self._registration = _Fields(REGISTRATION_COLUMNS, dialect)
        self._certificate = _Fields(CERTIFICATE_COLUMNS, dialect)
        self._reminder = _Fields(REMINDER_COLUMNS, dialect)
        self._own_registration = _Fields(OWN_REGISTRATION_COLUMNS, dialect)
        self._own_certificate = _Fields(OWN_CERTIFICATE_COLUMNS, dialect)
        self._known: dict[Any, tuple[Row, Course]] = {}

    def course(self, row: Row) -> Course:
        """Read a course; while its row stays the same, it is the same course.

        It is judged when it is read first: between two readings it seldom changes.
        """
        known = self._known.get(row[0])
        if known is not None and known[0] == row:
            return known[1]
        course = self._read_plain(row) or self._course.read(Course, row)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[row[0]] = (row, course)
        return course

    def _read_plain(self, row: Row) -> Course | None:
        try:
            return made_of(self._course.values(row), is_plain)
        except _UNREADABLE:
            return None

    def registration(self, row: Row) -> Registration:
        """Read a registration."""
        return self._registration.read(Registration, row)

    def certificate(self, row: Row) -> PeerMentorCertificate:
        """Read a certificate."""
        return self._certificate.read(PeerMentorCertificate, row)

    def reminder(self, row: Row) -> RenewalReminder:
        """Read a reminder."""
        return self._reminder.read(RenewalReminder, row)

    def participation(self, row: Row, user_id: UUID, count: int | None = None) -> Participation:
        """Read what stands in `PARTICIPATION_COLUMNS`; a record that is not there has no id.

        `count` is how many are confirmed where that is known to have changed since.
        """
        course = self.course(row[_COURSE_PART])
        registration = certificate = None
        if row[_REGISTRATION_AT] is not None:
            registration = self._own_registration.read(
                Registration,
                row[_REGISTRATION_PART],
                course_id=course.id,
                organization_id=course.organization_id,
                user_id=user_id,
            )
        if row[_CERTIFICATE_AT] is not None:
            certificate = self._own_certificate.read(
                PeerMentorCertificate,
                row[_CERTIFICATE_PART],
                course_id=course.id,
                organization_id=course.organization_id,
                peer_mentor_id=user_id,
            )
        return Participation(
            course=course,
            confirmed_count=row[1] if count is None else count,
            user_id=user_id,
            registration=registration,
            certificate=certificate,
        )


def new(
    value: Course | Registration | PeerMentorCertificate | RenewalReminder,
) -> dict[str, Any]:
    """Write a value as the parameters of its columns; the member of an enumeration as text."""
    kind = next(each for each in type(value).__mro__ if each in _PARAMETERS)  # or a host's own
    return {
        parameter: str(column) if isinstance(column := getattr(value, name), str) else column
        for parameter, name in _PARAMETERS[kind]
    }
