"""Plain valid values that tests start from: fixed ids, one fixed moment, any field by keyword.

Fields are ``Any`` on purpose: a test may also give what the library is to refuse.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest

from course_domain import (
    Actor,
    Course,
    CourseStatus,
    CourseType,
    InvalidValue,
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
    Role,
    Violation,
)

ORGANIZATION_ID = UUID("00000000-0000-4000-8000-00000000000a")
OTHER_ORGANIZATION_ID = UUID("00000000-0000-4000-8000-00000000000b")
COURSE_ID = UUID("00000000-0000-4000-8000-0000000000c1")
OTHER_COURSE_ID = UUID("00000000-0000-4000-8000-0000000000c2")
USER_ID = UUID("00000000-0000-4000-8000-0000000000e1")
OTHER_USER_ID = UUID("00000000-0000-4000-8000-0000000000e2")
ADMIN_ID = UUID("00000000-0000-4000-8000-0000000000ad")
REGISTRATION_ID = UUID("00000000-0000-4000-8000-0000000000f1")
CERTIFICATE_ID = UUID("00000000-0000-4000-8000-0000000000cf")

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""A Monday. The course of `course()` closes for registration a week later."""

DEADLINE = NOW + timedelta(days=7)
START = NOW + timedelta(days=14)
END = NOW + timedelta(days=15)
TICK = timedelta(microseconds=1)
"""The least time between two instants."""


def course_fields(**fields: Any) -> dict[str, Any]:
    """Give all seventeen fields of a published course that takes registrations at `NOW`."""
    plain = {
        "id": COURSE_ID,
        "organization_id": ORGANIZATION_ID,
        "title": "Basic course for peer mentors",
        "description": "Two days on listening.",
        "course_type": CourseType.CERTIFICATION,
        "status": CourseStatus.PUBLISHED,
        "start_date": START,
        "end_date": END,
        "location": "Storgata 1, Oslo",
        "is_virtual": False,
        "max_participants": 12,
        "issues_certificate": True,
        "certificate_validity_months": 24,
        "registration_deadline": DEADLINE,
        "created_by": ADMIN_ID,
        "created_at": NOW - timedelta(days=60),
        "updated_at": NOW - timedelta(days=30),
    }
    return plain | fields


def course(**fields: Any) -> Course:
    """Give a published course that takes registrations at `NOW`."""
    return Course(**course_fields(**fields))


def actor(role: Any = Role.PEER_MENTOR, **fields: Any) -> Actor:
    """Give a person of the organization: `USER_ID`, or `ADMIN_ID` for an admin."""
    plain: dict[str, Any] = {
        "user_id": ADMIN_ID if role is Role.ADMIN else USER_ID,
        "organization_id": ORGANIZATION_ID,
        "role": role,
    }
    return Actor(**plain | fields)


def registration(**fields: Any) -> Registration:
    """Give the confirmed registration of `USER_ID` for `course()`."""
    plain: dict[str, Any] = {
        "id": REGISTRATION_ID,
        "course_id": COURSE_ID,
        "organization_id": ORGANIZATION_ID,
        "user_id": USER_ID,
        "status": RegistrationStatus.CONFIRMED,
        "registered_at": NOW - timedelta(days=1),
    }
    return Registration(**plain | fields)


def cancelled(**fields: Any) -> Registration:
    """Give the registration of `registration()` after a cancel."""
    plain: dict[str, Any] = {
        "status": RegistrationStatus.CANCELLED,
        "cancelled_at": NOW - timedelta(hours=1),
    }
    return registration(**plain | fields)


def certificate(**fields: Any) -> PeerMentorCertificate:
    """Give the certificate of `USER_ID` for `course()`, issued at `NOW` for 24 months."""
    plain: dict[str, Any] = {
        "id": CERTIFICATE_ID,
        "course_id": COURSE_ID,
        "organization_id": ORGANIZATION_ID,
        "peer_mentor_id": USER_ID,
        "issued_at": NOW,
        "expires_at": NOW.replace(year=2028),
    }
    return PeerMentorCertificate(**plain | fields)


def reminder(**fields: Any) -> RenewalReminder:
    """Give the reminder of `certificate()`, 30 days before it expires."""
    plain: dict[str, Any] = {
        "certificate_id": CERTIFICATE_ID,
        "course_id": COURSE_ID,
        "organization_id": ORGANIZATION_ID,
        "peer_mentor_id": USER_ID,
        "remind_at": NOW.replace(year=2028) - timedelta(days=30),
    }
    return RenewalReminder(**plain | fields)


def participation(**fields: Any) -> Participation:
    """Give `USER_ID` on `course()`: no seat taken, no registration, no certificate."""
    plain: dict[str, Any] = {"course": course(), "confirmed_count": 0, "user_id": USER_ID}
    return Participation(**plain | fields)


FIRST = datetime(1900, 1, 1, tzinfo=UTC)
LAST = datetime(8999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
LAST_COMPUTED = datetime(9099, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
MAX_INTEGER = 2_147_483_647

_WRONG_INTEGERS = (
    ("bool", True, "wrong_type"),
    ("float", 3.0, "wrong_type"),
    ("text", "3", "wrong_type"),
)
_WRONG_INSTANTS = (
    ("text", "2026-03-02T09:30:00Z", "wrong_type"),
    ("date", NOW.date(), "wrong_type"),
    ("timestamp", 1_772_443_800, "wrong_type"),
    ("naive", NOW.replace(tzinfo=None), "naive_datetime"),
    ("before-1900", FIRST - TICK, "out_of_range"),
)
_WRONG: dict[str, tuple[tuple[str, object, str], ...]] = {
    "uuid": (
        ("text", str(COURSE_ID), "wrong_type"),
        ("int", COURSE_ID.int, "wrong_type"),
        ("bytes", COURSE_ID.bytes, "wrong_type"),
    ),
    "text": (
        ("int", 3, "wrong_type"),
        ("bytes", b"text", "wrong_type"),
        ("nul", "te\x00xt", "unstorable_text"),
        ("high-surrogate", "te\ud83dxt", "unstorable_text"),
        ("low-surrogate", "te\udc00xt", "unstorable_text"),
    ),
    "flag": (
        ("one", 1, "wrong_type"),
        ("zero", 0, "wrong_type"),
        ("text", "true", "wrong_type"),
    ),
    "seats": (*_WRONG_INTEGERS, ("too-many", MAX_INTEGER + 1, "out_of_range")),
    "validity": (*_WRONG_INTEGERS, ("too-many", 1_201, "out_of_range")),
    "months": (
        *_WRONG_INTEGERS,
        ("zero", 0, "out_of_range"),
        ("negative", -1, "out_of_range"),
        ("too-many", 1_201, "out_of_range"),
    ),
    "count": (
        *_WRONG_INTEGERS,
        ("negative", -1, "out_of_range"),
        ("too-many", MAX_INTEGER + 1, "out_of_range"),
    ),
    "instant": (*_WRONG_INSTANTS, ("after-8999", LAST + TICK, "out_of_range")),
    "computed instant": (*_WRONG_INSTANTS, ("after-9099", LAST_COMPUTED + TICK, "out_of_range")),
    "zone": (
        ("text", "Europe/Oslo", "wrong_type"),
        ("offset", timedelta(hours=1), "wrong_type"),
    ),
}


def _wrong_for(kind: str | type[object]) -> tuple[tuple[str, object, str], ...]:
    if isinstance(kind, str):
        return _WRONG[kind]
    named = next(iter(kind)).value if issubclass(kind, StrEnum) else kind.__name__
    return (("text", named, "wrong_type"), ("class", kind, "wrong_type"))


def wrong_values(
    kinds: Mapping[str, str | type[object]], optional: Collection[str] = ()
) -> list[tuple[str, str, Any, str]]:
    """List field, what is wrong, value and rule, for fields of a kind or of a class."""
    table: list[tuple[str, str, Any, str]] = []
    for field, kind in kinds.items():
        table += [(field, what, value, rule) for what, value, rule in _wrong_for(kind)]
        if field not in optional:
            table.append((field, "none", None, "required"))
    return table


def wrong_cases(
    kinds: Mapping[str, str | type[object]], optional: Collection[str] = ()
) -> list[Any]:
    """Give the same as cases of field, value and the one violation to come."""
    return [
        pytest.param(field, value, [f"{rule}: {field}"], id=f"{field}-{what}")
        for field, what, value, rule in wrong_values(kinds, optional)
    ]


def broken(violations: Iterable[Violation]) -> list[str]:
    """Give the rule and the fields of each violation, as ``title_not_empty: title``."""
    return [f"{each.rule}: {', '.join(each.fields)}" for each in violations]


def refusals(call: Callable[..., object], *arguments: object, **fields: object) -> list[str]:
    """Give what is `broken` by the `InvalidValue` that a call raises."""
    with pytest.raises(InvalidValue) as raised:
        call(*arguments, **fields)
    return broken(raised.value.violations)


class HostUUID(UUID):
    """Stand for what a database driver gives in place of a UUID."""


class HostText(str):
    """Stand for what a template engine gives in place of a str."""

    __slots__ = ()


class HostInt(int):
    """Stand for what a database driver gives in place of an int."""


class HostDatetime(datetime):
    """Stand for what a database driver gives in place of a datetime."""

    @classmethod
    def of(cls, moment: datetime) -> "HostDatetime":
        """Give a moment in this class, zone and fold included."""
        return cls.combine(moment.date(), moment.timetz())


class Nowhere(tzinfo):
    """A zone that does not know its offset."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Give no offset."""

    def dst(self, dt: datetime | None) -> timedelta | None:
        """Give no summer time."""

    def tzname(self, dt: datetime | None) -> str | None:
        """Give no name."""


class Lost(Nowhere):
    """A zone that fails when it is asked."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Look the zone up in a file that is gone."""
        raise OSError(dt)


class Beyond(Nowhere):
    """A zone further away than there are any."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Give more than a day."""
        return timedelta(hours=25) if dt else None


_NO_METHOD: Any = tzinfo
ZONES_WITHOUT_OFFSET = [
    pytest.param(Nowhere(), id="offset-none"),
    pytest.param(_NO_METHOD(), id="offset-not-implemented"),
    pytest.param(Lost(), id="offset-fails"),
    pytest.param(Beyond(), id="offset-of-more-than-a-day"),
]
