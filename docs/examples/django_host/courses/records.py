"""Rows of the host's tables as records of the domain, and back."""

from typing import Any, TypeVar
from uuid import UUID

import attrs
from django.db.models import Model

from course_domain import (
    Course,
    CourseStatus,
    CourseType,
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from courses import models

S = TypeVar("S", Course, Participation)
T = TypeVar("T")


def columns_of(record: Any) -> dict[str, Any]:
    """Give the fields of a record, which are the columns of its table."""
    return attrs.asdict(record, recurse=False)


def record_of(kind: type[T], row: Model, **fields: Any) -> T:
    """Make a record from the columns that have its fields' names, and from what is given."""
    names = attrs.fields_dict(kind).keys() - fields.keys()
    return kind(**{name: getattr(row, name) for name in names}, **fields)


def course_of(row: models.Course) -> Course:
    """Make the course of a row."""
    course_type, status = CourseType(row.course_type), CourseStatus(row.status)
    return record_of(Course, row, course_type=course_type, status=status)


def registration_of(row: models.Registration) -> Registration:
    """Make the registration of a row."""
    return record_of(Registration, row, status=RegistrationStatus(row.status))


def certificate_of(row: models.Certificate) -> PeerMentorCertificate:
    """Make the certificate of a row."""
    return record_of(PeerMentorCertificate, row)


def reminder_of(row: models.Reminder) -> RenewalReminder:
    """Make the reminder of a row."""
    return record_of(RenewalReminder, row)


def participation_of(row: models.Course, user_id: UUID) -> Participation:
    """Make the participation of a row that was read with what one person has there."""
    held, earned = getattr(row, "held", None), getattr(row, "earned", None)
    return Participation(
        course=course_of(row),
        confirmed_count=row.confirmed_count,
        user_id=user_id,
        registration=None if held is None else registration_of(held),
        certificate=None if earned is None else certificate_of(earned),
    )


def is_confirmed(registration: Registration | None) -> bool:
    """Tell whether somebody has a seat."""
    return registration is not None and registration.status is RegistrationStatus.CONFIRMED


def state_after(seen: Participation, answer: Participation) -> Participation:
    """Give what is stored once an answer is: nothing is deleted, no certificate replaced."""
    registration = answer.registration or seen.registration
    certificate = seen.certificate or answer.certificate
    is_ignored = answer.certificate not in (None, certificate)
    return attrs.evolve(
        seen,
        confirmed_count=seen.confirmed_count
        + is_confirmed(registration)
        - is_confirmed(seen.registration),
        registration=registration,
        certificate=certificate,
        reminder=None if is_ignored else answer.reminder,
    )


def unread(state: S) -> S:
    """Give a state as it is read again: without its reminder, which only an answer has."""
    return attrs.evolve(state, reminder=None) if isinstance(state, Participation) else state
