"""Commands: the state now, in; the state after, out, or an exception with every reason why not.

Pure and without a clock, so that a repository may ask again, on any thread. Each checks its
arguments first (`InvalidValue`, or TypeError for a name that is none), then in this order:
`CourseNotFound`, `NotPermitted`, `RegistrationNotFound`, `StaleCourse`; then a repeated command
gives what is there; then `InvalidTransition`, and at last `InvalidCourse`,
`RegistrationRejected`, or `InvalidValue` for a ``completed_at`` that is still to come.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Unpack
from uuid import UUID

import attrs

from course_domain import policies, values
from course_domain.actor import Actor, Role
from course_domain.course import COURSE_TRANSITIONS, Course, CourseStatus, course_violations
from course_domain.details import CourseChanges, CourseDetails, author_arguments
from course_domain.errors import (
    CourseNotFound,
    InvalidCourse,
    InvalidTransition,
    NotPermitted,
    RegistrationNotFound,
    RegistrationRejected,
    StaleCourse,
)
from course_domain.making import evolve, fields_of
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from course_domain.values import checked, optional, record

_NOW = values.instant
_ACTOR = record(Actor)
_COURSE = record(Course)
_PARTICIPATION = record(Participation)


def create(
    actor: Actor, now: datetime, course_id: UUID, **details: Unpack[CourseDetails]
) -> Course:
    """Create a draft in the organization of an admin.

    Raises `NotPermitted` for anyone else, and `InvalidCourse` with every rule that it would
    break, ``certificate_validity_required_when_issues_certificate`` among them.
    """
    fields, flag = author_arguments("create", details, CourseDetails)
    actor, now, course_id, never_expires = checked(
        actor=(_ACTOR, actor),
        now=(_NOW, now),
        course_id=(values.identifier, course_id),
        certificate_never_expires=(values.flag, flag),
    )
    if actor.role is not Role.ADMIN:
        raise NotPermitted("create courses", actor.role)
    fields |= {
        "id": course_id,
        "organization_id": actor.organization_id,
        "status": CourseStatus.DRAFT,
        "created_by": actor.user_id,
        "created_at": now,
        "updated_at": now,
    }
    _hold_valid(fields, never_expires=never_expires)
    return Course(**fields)


def revise(
    course: Course,
    actor: Actor,
    now: datetime,
    *,
    expected_updated_at: datetime | None = None,
    **changes: Unpack[CourseChanges],
) -> Course:
    """Change what an author may change, in any status; nothing to change gives the course back.

    Raises `CourseNotFound`, `NotPermitted`, `StaleCourse` where `expected_updated_at` is given and
    differs, and `InvalidCourse` with every rule that the result would break. A course that already
    issues certificates without expiry stays so without ``certificate_never_expires`` being said
    again.
    """
    fields, flag = author_arguments("revise", changes, CourseChanges)
    course, actor, now, expected_updated_at, never_expires = checked(
        course=(_COURSE, course),
        actor=(_ACTOR, actor),
        now=(_NOW, now),
        expected_updated_at=(optional(values.instant), expected_updated_at),
        certificate_never_expires=(values.flag, flag),
    )
    _require_author(course, actor, "revise")
    if expected_updated_at is not None and expected_updated_at != course.updated_at:
        raise StaleCourse(course.id, expected_updated_at, course.updated_at)
    result = fields_of(course) | fields
    stays_without_expiry = (
        course.issues_certificate
        and course.certificate_validity_months is None
        and result["certificate_validity_months"] is None
    )
    _hold_valid(result, never_expires=never_expires or stays_without_expiry)
    revised = evolve(course, **fields)
    return course if revised == course else _updated(revised, now)


def publish(course: Course, actor: Actor, now: datetime) -> Course:
    """Show a draft to everybody in the organization; where it is already, it is given back.

    Raises `CourseNotFound`, `NotPermitted`, and `InvalidTransition` for an archived course.
    """
    return _moved("publish", course, actor, now)


def unpublish(course: Course, actor: Actor, now: datetime) -> Course:
    """Take a published course back to draft; its registrations stay. Raises as `publish`."""
    return _moved("unpublish", course, actor, now)


def archive(course: Course, actor: Actor, now: datetime) -> Course:
    """Put a course away; its registrations stay. Raises `CourseNotFound` and `NotPermitted`."""
    return _moved("archive", course, actor, now)


def restore(course: Course, actor: Actor, now: datetime) -> Course:
    """Take an archived course back to draft. Raises as `publish`, but for a published course."""
    return _moved("restore", course, actor, now)


def register(
    participation: Participation, actor: Actor, now: datetime, registration_id: UUID
) -> Participation:
    """Confirm a seat for the actor; who holds one keeps it, unchanged.

    After a cancel every rule runs again and the same record is confirmed anew. Raises
    `CourseNotFound` where the actor may not view the course, `NotPermitted` where the participation
    is another person's, and `RegistrationRejected` with all of `registration_rejections`.
    """
    participation, actor, now, registration_id = checked(
        participation=(_PARTICIPATION, participation),
        actor=(_ACTOR, actor),
        now=(_NOW, now),
        registration_id=(values.identifier, registration_id),
    )
    course: Course = participation.course
    held: Registration | None = participation.registration
    if not policies.can_view(course, actor):
        raise CourseNotFound(course.id)
    if participation.user_id != actor.user_id:
        raise NotPermitted("register another person", actor.role)
    if held is not None and held.status is RegistrationStatus.CONFIRMED:
        return participation
    rejections = policies.registration_rejections(
        course, actor, participation.confirmed_count, now, registration=held
    )
    if rejections:
        raise RegistrationRejected(rejections)
    registration = Registration(
        id=registration_id if held is None else held.id,
        course_id=course.id,
        organization_id=course.organization_id,
        user_id=actor.user_id,
        status=RegistrationStatus.CONFIRMED,
        registered_at=now,
    )
    count = participation.confirmed_count + 1
    return attrs.evolve(participation, registration=registration, confirmed_count=count)


def cancel(participation: Participation, actor: Actor, now: datetime) -> Participation:
    """Free the seat at once; for the participant, or an admin. Cancelled is cancelled, unchanged.

    The participant can cancel also on a course that has since been hidden. Raises `CourseNotFound`,
    `NotPermitted`, `RegistrationNotFound`, and `InvalidTransition` once the course is completed.
    """
    participation, actor, now = checked(
        participation=(_PARTICIPATION, participation), actor=(_ACTOR, actor), now=(_NOW, now)
    )
    course: Course = participation.course
    held: Registration | None = participation.registration
    is_own = participation.user_id == actor.user_id
    is_inside = course.organization_id == actor.organization_id
    if not policies.can_view(course, actor) and not (is_inside and is_own and held is not None):
        raise CourseNotFound(course.id)
    if not is_own and actor.role is not Role.ADMIN:
        raise NotPermitted("cancel another person's registration", actor.role)
    if held is None:
        raise RegistrationNotFound(course.id, participation.user_id)
    if held.status is RegistrationStatus.CANCELLED:
        return participation
    if held.completed_at is not None:
        raise InvalidTransition("cancel", "registration", "completed")
    return attrs.evolve(
        participation,
        registration=attrs.evolve(held, status=RegistrationStatus.CANCELLED, cancelled_at=now),
        confirmed_count=max(0, participation.confirmed_count - 1),
    )


def complete(
    participation: Participation,
    actor: Actor,
    now: datetime,
    certificate_id: UUID,
    *,
    completed_at: datetime | None = None,
    zone: tzinfo = UTC,
) -> Participation:
    """Tell that the person completed the course, now or at an earlier `completed_at`.

    For admins, in any status of the course. The certificate follows the course as it is now;
    where it expires, the answer has its reminder too
    (``certificate_renewal_reminder_triggered``), both counted on the wall clock of `zone`.
    Completed already: the same registration and certificate, and no reminder.
    Raises `CourseNotFound`, `NotPermitted`, `RegistrationNotFound`, `InvalidTransition` after a
    cancel, and `InvalidValue` for a `completed_at` later than `now`.
    """
    participation, actor, now, certificate_id, completed_at, zone = checked(
        participation=(_PARTICIPATION, participation),
        actor=(_ACTOR, actor),
        now=(_NOW, now),
        certificate_id=(values.identifier, certificate_id),
        completed_at=(optional(values.instant), completed_at),
        zone=(values.zone, zone),
    )
    course: Course = participation.course
    held: Registration | None = participation.registration
    _require_author(course, actor, "complete registrations of")
    if held is None:
        raise RegistrationNotFound(course.id, participation.user_id)
    if held.completed_at is not None:
        return attrs.evolve(participation, reminder=None)
    if held.status is RegistrationStatus.CANCELLED:
        raise InvalidTransition("complete", "registration", "cancelled")
    (completed_at,) = checked(completed_at=(optional(values.instant_until(now)), completed_at))
    issued_at = now if completed_at is None else completed_at
    completed = attrs.evolve(
        participation, registration=attrs.evolve(held, completed_at=issued_at), reminder=None
    )
    if not course.issues_certificate or participation.certificate is not None:
        return completed
    return _certified(completed, certificate_id, issued_at, zone)


def _certified(
    completed: Participation, certificate_id: UUID, issued_at: datetime, zone: tzinfo
) -> Participation:
    course = completed.course
    months = course.certificate_validity_months
    owner = {
        "course_id": course.id,
        "organization_id": course.organization_id,
        "peer_mentor_id": completed.user_id,
    }
    certificate = PeerMentorCertificate(
        id=certificate_id,
        issued_at=issued_at,
        expires_at=policies.certificate_expires_at(issued_at, months, zone),
        **owner,
    )
    remind_at = policies.renewal_reminder_at(issued_at, months, zone)
    reminder = None
    if remind_at is not None:
        reminder = RenewalReminder(certificate_id=certificate_id, remind_at=remind_at, **owner)
    return attrs.evolve(completed, certificate=certificate, reminder=reminder)


def _require_author(course: Course, actor: Actor, command: str) -> None:
    if not policies.can_view(course, actor):
        raise CourseNotFound(course.id)
    if actor.role is not Role.ADMIN:
        raise NotPermitted(f"{command} a course", actor.role)


def _hold_valid(fields: Mapping[str, Any], *, never_expires: bool) -> None:
    violations = course_violations(**fields, certificate_never_expires=never_expires)
    if violations:
        raise InvalidCourse(violations)


def _updated(course: Course, now: datetime) -> Course:
    """Let `updated_at` grow also where the clock stood still or went back."""
    grown = max(now, course.updated_at + timedelta(microseconds=1))
    return evolve(course, updated_at=grown)


def _moved(command: str, course: Course, actor: Actor, now: datetime) -> Course:
    course, actor, now = checked(course=(_COURSE, course), actor=(_ACTOR, actor), now=(_NOW, now))
    _require_author(course, actor, command)
    target = COURSE_TRANSITIONS[course.status].get(command)
    if target is None:
        raise InvalidTransition(command, "course", course.status)
    if target is course.status:
        return course
    return _updated(evolve(course, status=target), now)
