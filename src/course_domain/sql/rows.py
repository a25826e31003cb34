"""Rows of the tables as values of the domain, and back."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from course_domain.sql.schema import certificates, courses, registrations, reminders

Columns = tuple[sa.Column[Any], ...]


def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in attrs.fields(kind))


_COURSE_NAMES = _names(Course)
_REGISTRATION_NAMES = _names(Registration)
_CERTIFICATE_NAMES = _names(PeerMentorCertificate)
_REMINDER_NAMES = _names(RenewalReminder)

COURSE_COLUMNS: Columns = tuple(courses.c[name] for name in _COURSE_NAMES)
REGISTRATION_COLUMNS: Columns = tuple(registrations.c[name] for name in _REGISTRATION_NAMES)
CERTIFICATE_COLUMNS: Columns = tuple(certificates.c[name] for name in _CERTIFICATE_NAMES)
REMINDER_COLUMNS: Columns = tuple(reminders.c[name] for name in _REMINDER_NAMES)

PARTICIPATION_COLUMNS: Columns = (
    courses.c.version,
    courses.c.confirmed_count,
    *COURSE_COLUMNS,
    *REGISTRATION_COLUMNS,
    *CERTIFICATE_COLUMNS,
)

_REGISTRATION_AT = 2 + len(COURSE_COLUMNS)
_CERTIFICATE_AT = _REGISTRATION_AT + len(REGISTRATION_COLUMNS)


def course_of(row: Sequence[Any]) -> Course:
    """Read a course."""
    return _course_of(*row)


# A course is judged when it is made, and most rows have been read before: the same row is the same
# course, until it has not been among those that were read last.
@lru_cache(maxsize=1_000)
def _course_of(*row: Any) -> Course:
    fields = dict(zip(_COURSE_NAMES, row, strict=True))
    fields["course_type"] = CourseType(fields["course_type"])
    fields["status"] = CourseStatus(fields["status"])
    return Course(**fields)


def registration_of(row: Sequence[Any]) -> Registration:
    """Read a registration."""
    fields = dict(zip(_REGISTRATION_NAMES, row, strict=True))
    fields["status"] = RegistrationStatus(fields["status"])
    return Registration(**fields)


def certificate_of(row: Sequence[Any]) -> PeerMentorCertificate:
    """Read a certificate."""
    return PeerMentorCertificate(**dict(zip(_CERTIFICATE_NAMES, row, strict=True)))


def reminder_of(row: Sequence[Any]) -> RenewalReminder:
    """Read a reminder."""
    return RenewalReminder(**dict(zip(_REMINDER_NAMES, row, strict=True)))


def participation_of(
    row: Sequence[Any], user_id: UUID, course: Course | None = None
) -> Participation:
    """Read what stands in `PARTICIPATION_COLUMNS`; a record that is not there has no id.

    Rows of one statement share their course: it is read once and given for the others.
    """
    registration = row[_REGISTRATION_AT:_CERTIFICATE_AT]
    certificate = row[_CERTIFICATE_AT:]
    return Participation(
        course=course or course_of(row[2:_REGISTRATION_AT]),
        confirmed_count=row[1],
        user_id=user_id,
        registration=None if registration[0] is None else registration_of(registration),
        certificate=None if certificate[0] is None else certificate_of(certificate),
    )


def columns_of(
    value: Course | Registration | PeerMentorCertificate | RenewalReminder,
) -> Mapping[str, Any]:
    """Write a value as its columns."""
    return {
        field.name: str(column) if isinstance(column := getattr(value, field.name), str) else column
        for field in attrs.fields(type(value))
    }
