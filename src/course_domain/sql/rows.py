"""Rows of the tables as values of the domain, and back."""

from collections.abc import Mapping, Sequence
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
COURSE_PART = slice(2, _REGISTRATION_AT)
_CERTIFICATE_AT = _REGISTRATION_AT + len(OWN_REGISTRATION_COLUMNS)


def course_of(row: Sequence[Any]) -> Course:
    """Read a course."""
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

    Where the course of this row has been read already, it is given and not read again.
    """
    course = course or course_of(row[COURSE_PART])
    registration = certificate = None
    if row[_REGISTRATION_AT] is not None:
        fields = dict(zip(_OWN_REGISTRATION_NAMES, row[_REGISTRATION_AT:], strict=False))
        fields["status"] = RegistrationStatus(fields["status"])
        registration = Registration(
            course_id=course.id,
            organization_id=course.organization_id,
            user_id=user_id,
            **fields,
        )
    if row[_CERTIFICATE_AT] is not None:
        certificate = PeerMentorCertificate(
            course_id=course.id,
            organization_id=course.organization_id,
            peer_mentor_id=user_id,
            **dict(zip(_OWN_CERTIFICATE_NAMES, row[_CERTIFICATE_AT:], strict=True)),
        )
    return Participation(
        course=course,
        confirmed_count=row[1],
        user_id=user_id,
        registration=registration,
        certificate=certificate,
    )


_NAMES: Mapping[type, tuple[str, ...]] = {
    kind: _names(kind) for kind in (Course, Registration, PeerMentorCertificate, RenewalReminder)
}


def columns_of(
    value: Course | Registration | PeerMentorCertificate | RenewalReminder,
) -> Mapping[str, Any]:
    """Write a value as its columns; the member of an enumeration as plain text."""
    return {
        name: str(column) if isinstance(column := getattr(value, name), str) else column
        for name in _NAMES[type(value)]
    }
