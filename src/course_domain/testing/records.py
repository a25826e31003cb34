"""Courses, people and their records, valid by construction.

Each takes the fields of what it makes as keywords, a value or a strategy each, to pin them; the
others are drawn to fit. A failing example shrinks to the plainest value and the field at fault.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from hypothesis import strategies as st

from course_domain import values
from course_domain.actor import Actor, Role
from course_domain.course import COURSE_KINDS, Course, CourseStatus, CourseType
from course_domain.details import CourseChanges, CourseDetails
from course_domain.errors import InvalidCourse
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from course_domain.policies import certificate_expires_at, renewal_reminder_at
from course_domain.testing.plain import (
    TICK,
    certificate_validities,
    identifiers,
    instants,
    max_participants,
    texts,
    titles,
)
from course_domain.values import EARLIEST_INSTANT, LATEST_INSTANT, MAX_INTEGER

# A course updated at the very last instant could never be changed again.
_LATEST_UPDATE = LATEST_INSTANT - timedelta(days=1)


def _drawn(draw: st.DrawFn, pins: Mapping[str, object]) -> dict[str, Any]:
    """Draw the pins that are strategies."""
    return {
        name: draw(cast(Any, pin)) if isinstance(pin, st.SearchStrategy) else pin
        for name, pin in pins.items()
    }


def _fixed(draw: st.DrawFn, fixed: dict[str, Any], name: str, made: st.SearchStrategy[Any]) -> Any:
    """Fix a field that others depend on."""
    if name not in fixed:
        fixed[name] = draw(made)
    return fixed[name]


def _filled(
    draw: st.DrawFn, fixed: dict[str, Any], free: Mapping[str, st.SearchStrategy[Any]]
) -> dict[str, Any]:
    """Draw what is not fixed; a name that is no field is a TypeError of the value's own."""
    return fixed | {name: draw(made) for name, made in free.items() if name not in fixed}


def _instants_between(earliest: datetime, latest: datetime) -> st.SearchStrategy[datetime]:
    """Make instants between two; none if they cross, which a step off an edge does."""
    return instants(earliest, latest) if earliest <= latest else st.nothing()


@st.composite
def _course_dates(draw: st.DrawFn, pinned: Mapping[str, Any]) -> dict[str, datetime | None]:
    """Draw a start between a pinned deadline and a pinned end, then what is free around it."""
    deadline, end = pinned.get("registration_deadline"), pinned.get("end_date")
    first = EARLIEST_INSTANT if deadline is None else deadline + TICK
    last = LATEST_INSTANT if end is None else end - TICK
    start = (
        pinned["start_date"]
        if "start_date" in pinned
        else draw(st.none() | _instants_between(first, last))
    )
    ends = instants() if start is None else _instants_between(start + TICK, LATEST_INSTANT)
    deadlines = instants() if start is None else _instants_between(EARLIEST_INSTANT, start - TICK)
    free = {"end_date": st.none() | ends, "registration_deadline": st.none() | deadlines}
    return _filled(draw, {"start_date": start}, free)


@st.composite
def courses(draw: st.DrawFn, /, **pins: object) -> Course:
    """Make any valid course; ``courses(status=…, max_participants=2)`` pins fields.

    Raises what `Course` raises for pins that no course can have.
    """
    fixed = _drawn(draw, pins)
    known = [(name, pin) for name, pin in fixed.items() if name in COURSE_KINDS]
    plain, violations = values.judge(COURSE_KINDS, known)
    if violations:
        raise InvalidCourse(violations)
    fixed |= plain
    dates = draw(_course_dates(fixed))
    created_at = _fixed(
        draw, fixed, "created_at", instants(latest=fixed.get("updated_at", _LATEST_UPDATE))
    )
    free: dict[str, st.SearchStrategy[Any]] = {
        "id": identifiers(),
        "organization_id": identifiers(),
        "title": titles(),
        "description": st.none() | texts(),
        "course_type": st.sampled_from(CourseType),
        "status": st.sampled_from(CourseStatus),
        "location": st.none() | texts(),
        "is_virtual": st.booleans(),
        "max_participants": max_participants(),
        "issues_certificate": st.booleans(),
        "certificate_validity_months": certificate_validities(),
        "created_by": identifiers(),
        "updated_at": instants(created_at, max(created_at, _LATEST_UPDATE)),
    }
    return Course(**_filled(draw, dates | fixed, free))


def draft_courses(**pins: object) -> st.SearchStrategy[Course]:
    """Make courses that only admins see."""
    return courses(status=CourseStatus.DRAFT, **pins)


def published_courses(**pins: object) -> st.SearchStrategy[Course]:
    """Make courses that everybody in the organization sees."""
    return courses(status=CourseStatus.PUBLISHED, **pins)


def archived_courses(**pins: object) -> st.SearchStrategy[Course]:
    """Make courses that have been put away."""
    return courses(status=CourseStatus.ARCHIVED, **pins)


def actors(**pins: object) -> st.SearchStrategy[Actor]:
    """Make people of any organization in any role; ``actors(role=Role.ADMIN)``."""
    return _records(
        Actor,
        pins,
        user_id=identifiers(),
        organization_id=identifiers(),
        role=st.sampled_from(Role),
    )


@st.composite
def _records(
    draw: st.DrawFn, /, kind: Any, pins: Mapping[str, object], **free: st.SearchStrategy[Any]
) -> Any:
    return kind(**_filled(draw, _drawn(draw, pins), free))


def _possible_statuses(fixed: Mapping[str, Any]) -> list[RegistrationStatus]:
    if fixed.get("cancelled_at") is not None:
        return [RegistrationStatus.CANCELLED]
    if "cancelled_at" in fixed or fixed.get("completed_at") is not None:
        return [RegistrationStatus.CONFIRMED]
    return list(RegistrationStatus)


@st.composite
def registrations(draw: st.DrawFn, /, **pins: object) -> Registration:
    """Make registrations as decisions leave them: confirmed, completed or cancelled."""
    fixed = _drawn(draw, pins)
    status = _fixed(draw, fixed, "status", st.sampled_from(_possible_statuses(fixed)))
    is_cancelled = status is RegistrationStatus.CANCELLED
    free: dict[str, st.SearchStrategy[Any]] = {
        "id": identifiers(),
        "course_id": identifiers(),
        "organization_id": identifiers(),
        "user_id": identifiers(),
        "registered_at": instants(),
        "cancelled_at": instants() if is_cancelled else st.none(),
        "completed_at": st.none() if is_cancelled else st.none() | instants(),
    }
    return Registration(**_filled(draw, fixed, free))


@st.composite
def certificates(draw: st.DrawFn, /, **pins: object) -> PeerMentorCertificate:
    """Make certificates that expire months after their issue, or never."""
    fixed = _drawn(draw, pins)
    issued_at = fixed.setdefault("issued_at", draw(instants()))
    expiries = certificate_validities().map(
        lambda months: certificate_expires_at(issued_at, months)
    )
    free: dict[str, st.SearchStrategy[Any]] = {
        "id": identifiers(),
        "course_id": identifiers(),
        "organization_id": identifiers(),
        "peer_mentor_id": identifiers(),
        "expires_at": expiries,
    }
    return PeerMentorCertificate(**_filled(draw, fixed, free))


def reminders(**pins: object) -> st.SearchStrategy[RenewalReminder]:
    """Make reminders to renew a certificate."""
    months = certificate_validities().map(lambda months: months or 1)
    return _records(
        RenewalReminder,
        pins,
        certificate_id=identifiers(),
        course_id=identifiers(),
        organization_id=identifiers(),
        peer_mentor_id=identifiers(),
        remind_at=st.builds(renewal_reminder_at, instants(), months),
    )


def _counts(course: Course, registration: Registration | None) -> st.SearchStrategy[int]:
    """Make counts around the cap; who is confirmed is among them."""
    least = int(registration is not None and registration.status is RegistrationStatus.CONFIRMED)
    cap = course.max_participants or 0
    near = [count for count in (cap, cap - 1, cap + 1) if least <= count <= MAX_INTEGER]
    return st.integers(least, least + 3) | st.sampled_from(near or [least])


@st.composite
def participations(draw: st.DrawFn, /, **pins: object) -> Participation:
    """Make what a decision sees: a course, its count near the cap, and a person's own records.

    The records are of that course and person, and only who completed has a certificate.
    """
    fixed = _drawn(draw, pins)
    course: Course = _fixed(draw, fixed, "course", courses())
    owned = {"course_id": course.id, "organization_id": course.organization_id}
    user_id = _fixed(draw, fixed, "user_id", identifiers())
    own = registrations(user_id=user_id, **owned)
    held: Registration | None = _fixed(draw, fixed, "registration", st.none() | own)
    is_certified = held is not None and held.completed_at is not None and course.issues_certificate
    free: dict[str, st.SearchStrategy[Any]] = {
        "confirmed_count": _counts(course, held),
        "certificate": certificates(peer_mentor_id=user_id, **owned) if is_certified else st.none(),
    }
    return Participation(**_filled(draw, fixed, free))


AUTHOR_FIELDS = tuple(sorted(CourseChanges.__optional_keys__ - {"certificate_never_expires"}))


@st.composite
def course_details(draw: st.DrawFn, /, **pins: object) -> CourseDetails:
    """Make what an author gives to create a course, the never-expires flag as it must be."""
    course = draw(courses(**pins))
    details: dict[str, Any] = {name: getattr(course, name) for name in AUTHOR_FIELDS}
    if course.issues_certificate and course.certificate_validity_months is None:
        details["certificate_never_expires"] = True
    left_out = draw(st.sets(st.sampled_from(AUTHOR_FIELDS)))
    for name in left_out - set(pins) - CourseDetails.__required_keys__:
        if details[name] is None:
            del details[name]
    return cast(CourseDetails, details)


@st.composite
def course_changes(draw: st.DrawFn, /) -> CourseChanges:
    """Make some of what an author may change, valid as far as it goes by itself."""
    details: Mapping[str, Any] = draw(course_details())
    chosen = draw(st.sets(st.sampled_from(sorted(details))))
    return cast(CourseChanges, {name: details[name] for name in sorted(chosen)})
