"""Questions about a course: may this actor see it, is a seat left, when does a certificate end?

Pure functions of what they are given. An argument that cannot mean what its name says raises
`InvalidValue`, before anything is answered.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from importlib import import_module
from typing import Any

from course_domain import values
from course_domain.actor import Actor, Role
from course_domain.course import MAX_CERTIFICATE_VALIDITY_MONTHS, Course, CourseStatus
from course_domain.participation import Registration, RegistrationStatus
from course_domain.rules import Rule, Violation
from course_domain.values import (
    EARLIEST_INSTANT,
    LATEST_INSTANT,
    MAX_INTEGER,
    checked,
    is_plain_instant,
    optional,
    record,
    whole_number,
)

REMINDER_LEAD_DAYS = 30
"""How long before the expiry its holder is reminded: time enough to take a follow-up course."""

_COURSE = record(Course)
_ACTOR = record(Actor)
_REGISTRATION = optional(record(Registration))
_ROLE = record(Role)

_VISIBLE_STATUSES: Mapping[Role, tuple[CourseStatus, ...]] = {
    Role.PEER_MENTOR: (CourseStatus.PUBLISHED,),
    Role.COORDINATOR: (CourseStatus.PUBLISHED,),
    Role.ADMIN: tuple(CourseStatus),
}


def visible_statuses(role: Role) -> frozenset[CourseStatus]:
    """Tell in which statuses a role sees the courses of its organization.

    Peer mentors and coordinators published ones, admins all
    (``published_only_visible_to_users``).
    """
    (role,) = checked(role=(_ROLE, role))
    return frozenset(_VISIBLE_STATUSES[role])


_FOREIGN = (Violation(Rule.ORG_SCOPED_COURSE_ACCESS, ("organization_id",)),)
_HIDDEN = (Violation(Rule.PUBLISHED_ONLY_VISIBLE_TO_USERS, ("status",)),)


def _reasons_hidden(course: Course, actor: Actor) -> tuple[Violation, ...]:
    if course.organization_id.int != actor.organization_id.int:  # plain UUIDs both, quickly told
        return _FOREIGN
    if course.status not in _VISIBLE_STATUSES[actor.role]:
        return _HIDDEN
    return ()


def can_view(course: Course, actor: Actor) -> bool:
    """Tell whether the course exists for this actor.

    Only inside their own organization (``org_scoped_course_access``), and there only in a status
    that their role may see (``published_only_visible_to_users``).
    """
    course, actor = checked(course=(_COURSE, course), actor=(_ACTOR, actor))
    return not _reasons_hidden(course, actor)


# A reason is a value: the same for all who meet it, and not made anew for each.
@lru_cache(maxsize=1024)
def _broken(rule: Rule, field: str, value: object) -> Violation:
    return Violation(rule, (field,), {field: value})


def _deadline_enforced(course: Course, _confirmed_count: int, now: datetime) -> Violation | None:
    deadline = course.registration_deadline
    if deadline is None or now <= deadline:
        return None
    return _broken(Rule.REGISTRATION_DEADLINE_ENFORCED, "registration_deadline", deadline)


def _participants_cap(course: Course, confirmed_count: int, _now: datetime) -> Violation | None:
    cap = course.max_participants
    if cap is None or confirmed_count < cap:
        return None
    return _broken(Rule.MAX_PARTICIPANTS_CAP, "max_participants", cap)


def _published(course: Course, _confirmed_count: int, _now: datetime) -> Violation | None:
    if course.status is CourseStatus.PUBLISHED:
        return None
    return _broken(Rule.REGISTRATION_REQUIRES_PUBLISHED, "status", course.status.value)


_REGISTRATION_RULES: tuple[Callable[[Course, int, datetime], Violation | None], ...] = (
    _deadline_enforced,
    _participants_cap,
    _published,
)


def registration_rejections(
    course: Course,
    actor: Actor,
    confirmed_count: int,
    now: datetime,
    *,
    registration: Registration | None = None,
) -> tuple[Violation, ...]:
    """Give every reason why this actor may not register now; none when they may.

    None either when `registration`, theirs, is confirmed: they hold a seat. For a course that
    they may not view, it gives only why not: ``org_scoped_course_access``, else
    ``published_only_visible_to_users``. Otherwise all that apply, in this order:
    ``registration_deadline_enforced`` (later than the deadline; at it is in time),
    ``max_participants_cap`` (as many confirmed as seats, or more), and
    ``registration_requires_published`` (an admin and an unpublished course).
    """
    if not (
        type(course) is Course
        and type(actor) is Actor
        and type(confirmed_count) is int
        and 0 <= confirmed_count <= MAX_INTEGER
        and type(now) is datetime
        and now.tzinfo is UTC
        and EARLIEST_INSTANT <= now <= LATEST_INSTANT
        and (registration is None or type(registration) is Registration)
    ):  # not as a service gives them, which needs no second look
        course, actor, confirmed_count, now, registration = checked(
            course=(_COURSE, course),
            actor=(_ACTOR, actor),
            confirmed_count=(values.count, confirmed_count),
            now=(values.instant, now),
            registration=(_REGISTRATION, registration),
        )
    hidden = _reasons_hidden(course, actor)
    if hidden or (registration is not None and registration.status is RegistrationStatus.CONFIRMED):
        return hidden
    deadline, cap = course.registration_deadline, course.max_participants
    if (  # as most courses of a list are: then no rule needs to be asked
        course.status is CourseStatus.PUBLISHED
        and (deadline is None or now <= deadline)
        and (cap is None or confirmed_count < cap)
    ):
        return ()
    reasons: tuple[Violation, ...] = ()
    for rule in _REGISTRATION_RULES:
        violation = rule(course, confirmed_count, now)
        if violation is not None:
            reasons = (*reasons, violation)
    return reasons


def is_registration_open(course: Course, now: datetime) -> bool:
    """Tell whether the course is published and its deadline not passed, whoever asks.

    Seats are another question: see `seats_left`.
    """
    course, now = checked(course=(_COURSE, course), now=(values.instant, now))
    return _published(course, 0, now) is None and _deadline_enforced(course, 0, now) is None


def seats_left(course: Course, confirmed_count: int) -> int | None:
    """Count the seats that are free, never below 0; None where there is no limit.

    A cap can be lowered below the confirmed count; nobody loses their seat by that.
    """
    course, confirmed_count = checked(
        course=(_COURSE, course), confirmed_count=(values.count, confirmed_count)
    )
    cap: int | None = course.max_participants
    return None if cap is None else max(0, cap - confirmed_count)


_ALLOWED_MONTHS = range(1, MAX_CERTIFICATE_VALIDITY_MONTHS + 1)
_MONTHS = optional(whole_number(1, MAX_CERTIFICATE_VALIDITY_MONTHS))


_days = lru_cache(maxsize=1)(timedelta)  # to make it takes longer than the step itself


@lru_cache(maxsize=MAX_CERTIFICATE_VALIDITY_MONTHS)
def _calendar_months(count: int) -> Any:
    # Loaded here: with calendar and locale it would be a tenth of `import course_domain`.
    dateutil: Any = import_module("dateutil.relativedelta")
    return dateutil.relativedelta(months=count)


def _on_the_wall(instant: datetime, step: Any, zone: tzinfo) -> datetime:
    """Step on the wall clock of a zone and give the instant in UTC.

    As fold 0, a wall time that the zone repeats is its first pass, and one that it skips is
    read by the offset before the gap: it moves forward by the gap's length.
    """
    if zone is UTC:
        plain: datetime = instant + step
        return plain
    wall: datetime = instant.astimezone(zone).replace(tzinfo=None) + step
    return wall.replace(tzinfo=zone, fold=0).astimezone(UTC)


def certificate_expires_at(
    issued_at: datetime, months: int | None, zone: tzinfo = UTC
) -> datetime | None:
    """Tell when a certificate issued then expires, in UTC; None where `months` is None.

    Calendar months (1 to 1 200), counted in one step; a day that the month lacks becomes its
    last. `zone` is whose wall clock counts, one that tells skipped and repeated hours apart by
    ``fold``, such as `zoneinfo.ZoneInfo` (one of pytz is refused): a wall time that it skips
    moves forward by the length of the gap, one that it repeats is its first pass.
    """
    if not (
        is_plain_instant(issued_at)
        and type(months) is int
        and months in _ALLOWED_MONTHS
        and zone is UTC
    ):
        issued_at, months, zone = checked(
            issued_at=(values.instant, issued_at),
            months=(_MONTHS, months),
            zone=(values.zone, zone),
        )
    if months is None:
        return None
    return _on_the_wall(issued_at, _calendar_months(months), zone)


def renewal_reminder_at(
    issued_at: datetime, months: int | None, zone: tzinfo = UTC
) -> datetime | None:
    """Tell when to remind the holder of a certificate issued then, in UTC.

    ``certificate_renewal_reminder_triggered``: 30 days before `certificate_expires_at`, counted
    back on the same wall clock. With a validity of one month that can lie before `issued_at`.
    None where `months` is None: what never expires needs no reminder.
    """
    expires_at = certificate_expires_at(issued_at, months, zone)
    if expires_at is None:
        return None
    return _on_the_wall(expires_at, _days(-REMINDER_LEAD_DAYS), zone)
