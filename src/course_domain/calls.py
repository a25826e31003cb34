"""What each call of the service asks for: its arguments checked, its decision bound.

Apart from the service, so that the sync and the async one ask the very same. Each function
raises `InvalidValue` for arguments that cannot mean what their names say.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from itertools import islice
from typing import Any
from uuid import UUID

import attrs

from course_domain import decisions, policies, values
from course_domain.actor import Actor, Role
from course_domain.course import Course, CourseStatus, CourseType
from course_domain.details import CourseChanges, CourseDetails, author_arguments
from course_domain.errors import CourseNotFound, NotPermitted
from course_domain.participation import Participation, Registration
from course_domain.ports import MAX_PAGE_LIMIT, told
from course_domain.rules import InvalidValue, Rule, Violation
from course_domain.values import Kind, checked, identifier, instant, optional, record

CourseCall = tuple[UUID, UUID, Callable[[Course], Course]]
"""Organization, course and decision: what `change_course` takes."""

ParticipationCall = tuple[UUID, UUID, UUID, Callable[[Participation], Participation]]
"""Organization, course, user and decision: what `change_participation` takes."""

_ACTOR = record(Actor)
_CURSOR = optional(values.text)
_LIMIT = values.whole_number(1, MAX_PAGE_LIMIT)


_OFFER_KINDS: Mapping[str, Kind[Any]] = {
    "course": record(Course),
    "seats_left": optional(values.count),
    "registration": optional(record(Registration)),
    "rejections": values.each(record(Violation)),
}


@attrs.frozen(kw_only=True)
class CourseOffer:
    """Hold a course as one person meets it: what a list, a detail page and a button need.

    Raises `InvalidValue` with every field that is refused.
    """

    course: Course
    seats_left: int | None
    """The free seats, never below 0; None where there is no limit."""

    registration: Registration | None
    """The person's own, cancelled or not."""

    rejections: tuple[Violation, ...]
    """Why they may not register now, as `registration_rejections`; empty when they may."""

    def __attrs_post_init__(self) -> None:
        values.settle(self, _OFFER_KINDS)


def now(clock: Callable[[], datetime]) -> datetime:
    """Read the clock that a host gave."""
    read: datetime
    (read,) = checked(clock=(instant, clock()))
    return read


def fresh_id(new_id: Callable[[], UUID]) -> UUID:
    """Take an id from the source that a host gave."""
    fresh: UUID
    (fresh,) = checked(new_id=(identifier, new_id()))
    return fresh


def creation(actor: Actor, now: datetime, course_id: UUID, details: CourseDetails) -> Course:
    """Give the course to add."""
    author_arguments("create_course", details, CourseDetails)
    return decisions.create(actor, now, course_id, **details)


def revision(
    actor: Actor,
    course_id: UUID,
    now: datetime,
    expected_updated_at: datetime | None,
    changes: CourseChanges,
) -> CourseCall:
    """Ask for a course to be revised."""
    _, never_expires = author_arguments("revise_course", changes, CourseChanges)
    actor, course_id, expected, _ = checked(
        actor=(_ACTOR, actor),
        course_id=(identifier, course_id),
        expected_updated_at=(optional(instant), expected_updated_at),
        certificate_never_expires=(values.flag, never_expires),
    )

    def decide(course: Course) -> Course:
        return decisions.revise(course, actor, now, expected_updated_at=expected, **changes)

    return actor.organization_id, course_id, decide


def move(
    decision: Callable[[Course, Actor, datetime], Course],
    actor: Actor,
    course_id: UUID,
    now: datetime,
) -> CourseCall:
    """Ask for a course to be published, unpublished, archived or restored."""
    actor, course_id = checked(actor=(_ACTOR, actor), course_id=(identifier, course_id))
    return actor.organization_id, course_id, lambda course: decision(course, actor, now)


def sight(actor: Actor, course_id: UUID) -> tuple[UUID, UUID]:
    """Ask for one course."""
    actor, course_id = checked(actor=(_ACTOR, actor), course_id=(identifier, course_id))
    return actor.organization_id, course_id


def seen(course: Course | None, actor: Actor, course_id: UUID) -> Course:
    """Give the course that was found where the actor may view it, else `CourseNotFound`."""
    if course is None or not policies.can_view(told("get", Course, course), actor):
        raise CourseNotFound(course_id)
    return course


def registration(
    actor: Actor, course_id: UUID, now: datetime, registration_id: UUID
) -> ParticipationCall:
    """Ask for a seat for the actor."""
    actor, course_id = checked(actor=(_ACTOR, actor), course_id=(identifier, course_id))

    def decide(participation: Participation) -> Participation:
        return decisions.register(participation, actor, now, registration_id)

    return actor.organization_id, course_id, actor.user_id, decide


def answered(changed: Participation) -> Registration:
    """Give the registration that every decision here answers; `InvalidValue` if it was dropped."""
    registration = told("change_participation", Participation, changed).registration
    if registration is None:
        raise InvalidValue([Violation(Rule.REQUIRED, ("change_participation.registration",))])
    return registration


def cancellation(
    actor: Actor, course_id: UUID, now: datetime, user_id: UUID | None
) -> ParticipationCall:
    """Ask for a seat to be freed: the actor's own where no user is named."""
    actor, course_id, user_id = checked(
        actor=(_ACTOR, actor),
        course_id=(identifier, course_id),
        user_id=(optional(identifier), user_id),
    )

    def decide(participation: Participation) -> Participation:
        return decisions.cancel(participation, actor, now)

    whose = actor.user_id if user_id is None else user_id
    return actor.organization_id, course_id, whose, decide


def completion(
    actor: Actor,
    course_id: UUID,
    *,
    now: datetime,
    certificate_id: UUID,
    user_id: UUID,
    completed_at: datetime | None,
    zone: tzinfo,
) -> ParticipationCall:
    """Ask for a person's registration to be completed."""
    actor, course_id, user_id, completed_at = checked(
        actor=(_ACTOR, actor),
        course_id=(identifier, course_id),
        user_id=(identifier, user_id),
        completed_at=(optional(instant), completed_at),
    )

    def decide(participation: Participation) -> Participation:
        return decisions.complete(
            participation, actor, now, certificate_id, completed_at=completed_at, zone=zone
        )

    return actor.organization_id, course_id, user_id, decide


def course_listing(actor: Actor, **filters: object) -> tuple[UUID, dict[str, Any]]:
    """Ask for a page of the courses that the actor may view."""
    kinds: Mapping[str, Kind[Any]] = {
        "statuses": optional(values.each(record(CourseStatus))),
        "course_type": optional(record(CourseType)),
        "issues_certificate": optional(values.flag),
        "starts_from": optional(instant),
        "starts_before": optional(instant),
        "after": _CURSOR,
        "limit": _LIMIT,
    }
    arguments = {name: (kind, filters[name]) for name, kind in kinds.items()}
    actor, *plain = checked(actor=(_ACTOR, actor), **arguments)
    query = dict(zip(kinds, plain, strict=True))
    visible = policies.visible_statuses(actor.role)
    shown = visible if query["statuses"] is None else visible.intersection(query["statuses"])
    query["statuses"] = None if len(shown) == len(CourseStatus) else shown
    return actor.organization_id, query


def record_listing(actor: Actor, **filters: object) -> tuple[UUID, dict[str, Any]]:
    """Ask for a page of registrations or certificates: one's own, or any for an admin."""
    kinds: Mapping[str, Kind[Any]] = {
        "course_id": optional(identifier),
        "user_id": optional(identifier),
        "expires_before": optional(values.computed_instant),
        "after": _CURSOR,
        "limit": _LIMIT,
    }
    arguments = {name: (kinds[name], value) for name, value in filters.items()}
    actor, *plain = checked(actor=(_ACTOR, actor), **arguments)
    query = dict(zip(filters, plain, strict=True))
    if actor.role is not Role.ADMIN:
        if query["user_id"] not in (None, actor.user_id):
            raise NotPermitted("see what another person has", actor.role)
        query["user_id"] = actor.user_id
    return actor.organization_id, query


def batches(actor: Actor, course_ids: Iterable[UUID]) -> tuple[Actor, Iterator[list[UUID]]]:
    """Ask for courses in batches that one query takes, each course once."""
    actor, asked = checked(actor=(_ACTOR, actor), course_ids=(values.each(identifier), course_ids))
    ids = iter(dict.fromkeys(asked))
    return actor, iter(lambda: list(islice(ids, MAX_PAGE_LIMIT)), [])


def offers(
    found: Mapping[UUID, Participation], batch: Iterable[UUID], actor: Actor, now: datetime
) -> Iterator[tuple[UUID, CourseOffer]]:
    """Give what the actor may view of a batch, in its order."""
    for course_id in batch:
        if course_id in found and policies.can_view(found[course_id].course, actor):
            yield course_id, _offer(found[course_id], actor, now)


def _offer(participation: Participation, actor: Actor, now: datetime) -> CourseOffer:
    course, count = participation.course, participation.confirmed_count
    held = participation.registration
    return CourseOffer(
        course=course,
        seats_left=policies.seats_left(course, count),
        registration=held,
        rejections=policies.registration_rejections(course, actor, count, now, registration=held),
    )


def page_size(limit: int) -> int:
    """Check how many reminders a page of the outbox holds."""
    (limit,) = checked(limit=(_LIMIT, limit))
    return limit
