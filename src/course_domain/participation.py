"""One person on one course: registration, certificate, and the reminder to renew it."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import attrs

from course_domain import values
from course_domain.course import Course
from course_domain.values import MAX_INTEGER, is_plain_instant, optional, record


class RegistrationStatus(StrEnum):
    """Name whether a registration holds a seat."""

    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


_REGISTRATION_KINDS = {
    "id": values.identifier,
    "course_id": values.identifier,
    "organization_id": values.identifier,
    "user_id": values.identifier,
    "status": record(RegistrationStatus),
    "registered_at": values.instant,
    "cancelled_at": optional(values.instant),
    "completed_at": optional(values.instant),
}


@attrs.frozen(kw_only=True)
class Registration:
    """Hold a person's place on a course; there is one for a course and a user.

    Instants are what the clock said, in UTC. Raises `InvalidValue` with every field that is
    refused.
    """

    id: UUID
    course_id: UUID
    organization_id: UUID
    user_id: UUID
    status: RegistrationStatus
    """Only ``confirmed`` takes a seat, also once the course is completed."""

    registered_at: datetime
    """When the seat was taken; a registration confirmed again after a cancel has a new one."""

    cancelled_at: datetime | None = None
    """When the seat was freed; None again once it is confirmed anew."""

    completed_at: datetime | None = None
    """When the person completed the course, as the admin gave it."""

    def __attrs_post_init__(self) -> None:
        if not (
            type(self.id) is type(self.course_id) is type(self.organization_id) is UUID
            and type(self.user_id) is UUID
            and type(self.status) is RegistrationStatus
            and is_plain_instant(self.registered_at)
            and (self.cancelled_at is None or is_plain_instant(self.cancelled_at))
            and (self.completed_at is None or is_plain_instant(self.completed_at))
        ):  # not surely right, and as it is kept
            values.settle(self, _REGISTRATION_KINDS)


_CERTIFICATE_KINDS = {
    "id": values.identifier,
    "course_id": values.identifier,
    "organization_id": values.identifier,
    "peer_mentor_id": values.identifier,
    "issued_at": values.instant,
    "expires_at": optional(values.computed_instant),
}


@attrs.frozen(kw_only=True)
class PeerMentorCertificate:
    """Hold what a person was certified for; its expiry is fixed at issue.

    Raises `InvalidValue` with every field that is refused.
    """

    id: UUID
    course_id: UUID
    organization_id: UUID
    peer_mentor_id: UUID
    """Whoever completed the course."""

    issued_at: datetime
    """When the course was completed, in UTC."""

    expires_at: datetime | None = None
    """When it ceases to be valid, in UTC, at most in 9099; None for no expiry."""

    def __attrs_post_init__(self) -> None:
        values.settle(self, _CERTIFICATE_KINDS)


_REMINDER_KINDS = {
    "certificate_id": values.identifier,
    "course_id": values.identifier,
    "organization_id": values.identifier,
    "peer_mentor_id": values.identifier,
    "remind_at": values.computed_instant,
}


@attrs.frozen(kw_only=True)
class RenewalReminder:
    """Tell whom to remind of which certificate, and when.

    Known by its organization and `certificate_id`. Raises `InvalidValue` with every field that
    is refused.
    """

    certificate_id: UUID
    course_id: UUID
    organization_id: UUID
    peer_mentor_id: UUID
    remind_at: datetime
    """In UTC; 30 days before the expiry, which can lie before the issue. What is due goes out."""

    def __attrs_post_init__(self) -> None:
        values.settle(self, _REMINDER_KINDS)


_PARTICIPATION_KINDS = {
    "course": record(Course),
    "confirmed_count": values.count,
    "user_id": values.identifier,
    "registration": optional(record(Registration)),
    "certificate": optional(record(PeerMentorCertificate)),
    "reminder": optional(record(RenewalReminder)),
}


@attrs.frozen(kw_only=True)
class Participation:
    """Hold what a decision about one person on one course needs to see, and what it answers.

    Raises `InvalidValue` with every field that is refused.
    """

    course: Course
    confirmed_count: int
    """How many confirmed registrations the course has, this person's among them."""

    user_id: UUID
    registration: Registration | None = None
    certificate: PeerMentorCertificate | None = None
    reminder: RenewalReminder | None = None
    """What a completion adds; never read back."""

    def __attrs_post_init__(self) -> None:
        if not (
            type(self.course) is Course
            and type(self.confirmed_count) is int
            and 0 <= self.confirmed_count <= MAX_INTEGER
            and type(self.user_id) is UUID
            and (self.registration is None or type(self.registration) is Registration)
            and (self.certificate is None or type(self.certificate) is PeerMentorCertificate)
            and (self.reminder is None or type(self.reminder) is RenewalReminder)
        ):  # not surely right, and as it is kept
            values.settle(self, _PARTICIPATION_KINDS)
