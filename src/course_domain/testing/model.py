"""A repository kept in the plainest way, to compare an adapter with."""

from typing import Any
from uuid import UUID

import attrs

from course_domain.course import Course
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from course_domain.testing.oracle import (
    fits_certificate,
    fits_course,
    fits_registration,
    in_order_of_certificates,
    in_order_of_courses,
    in_order_of_registrations,
)

_Key = tuple[UUID, UUID]


@attrs.define
class Model:
    """What a repository has to know, kept in the plainest way."""

    courses: dict[UUID, Course] = attrs.field(factory=dict[UUID, Course])
    registrations: dict[_Key, Registration] = attrs.field(factory=dict[_Key, Registration])
    certificates: dict[_Key, PeerMentorCertificate] = attrs.field(
        factory=dict[_Key, PeerMentorCertificate]
    )
    pending: dict[UUID, RenewalReminder] = attrs.field(factory=dict[UUID, RenewalReminder])

    def participation(self, course_id: UUID, user_id: UUID) -> Participation:
        """Put together what is known of one person on one course."""
        held = [each for each in self.registrations.values() if each.course_id == course_id]
        return Participation(
            course=self.courses[course_id],
            confirmed_count=sum(each.status is RegistrationStatus.CONFIRMED for each in held),
            user_id=user_id,
            registration=self.registrations.get((course_id, user_id)),
            certificate=self.certificates.get((course_id, user_id)),
        )

    def store(self, answer: Participation) -> Participation:
        """Keep an answer as the port says, and give the state after."""
        key = (answer.course.id, answer.user_id)
        if answer.registration is not None:
            self.registrations[key] = answer.registration
        reminder = None
        if answer.certificate is not None and key not in self.certificates:
            self.certificates[key] = answer.certificate
            reminder = answer.reminder
        if reminder is not None:
            self.pending[reminder.certificate_id] = reminder
        return attrs.evolve(self.participation(*key), reminder=reminder)

    def courses_of(self, organization_id: UUID, **filters: Any) -> list[Course]:
        """List the courses that pass the filters."""
        return in_order_of_courses(
            each
            for each in self.courses.values()
            if each.organization_id == organization_id and fits_course(each, **filters)
        )

    def registrations_of(self, organization_id: UUID, **filters: Any) -> list[Registration]:
        """List the registrations that pass the filters."""
        return in_order_of_registrations(
            each
            for each in self.registrations.values()
            if each.organization_id == organization_id and fits_registration(each, **filters)
        )

    def certificates_of(self, organization_id: UUID, **filters: Any) -> list[PeerMentorCertificate]:
        """List the certificates that pass the filters."""
        return in_order_of_certificates(
            each
            for each in self.certificates.values()
            if each.organization_id == organization_id and fits_certificate(each, **filters)
        )
