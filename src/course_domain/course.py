"""The course, and the rules that make one valid."""

import operator
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import attrs

from course_domain import values
from course_domain.errors import InvalidCourse
from course_domain.rules import Rule, Violation
from course_domain.values import FIRST_YEAR, LAST_YEAR, MAX_INTEGER, Kind, optional, whole_number

MAX_CERTIFICATE_VALIDITY_MONTHS = 1_200
"""The longest validity of a certificate: a century."""


class CourseType(StrEnum):
    """Name what a course is for; it constrains no other field."""

    CERTIFICATION = "certification"
    """Issues peer mentor certificates."""

    ONBOARDING = "onboarding"
    """Trains new peer mentors."""

    WORKSHOP = "workshop"
    """A group mentoring session."""


class CourseStatus(StrEnum):
    """Name where a course is in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


COURSE_TRANSITIONS: Mapping[CourseStatus, Mapping[str, CourseStatus]] = MappingProxyType(
    {
        CourseStatus.DRAFT: MappingProxyType(
            {
                "publish": CourseStatus.PUBLISHED,
                "unpublish": CourseStatus.DRAFT,
                "archive": CourseStatus.ARCHIVED,
                "restore": CourseStatus.DRAFT,
            }
        ),
        CourseStatus.PUBLISHED: MappingProxyType(
            {
                "publish": CourseStatus.PUBLISHED,
                "unpublish": CourseStatus.DRAFT,
                "archive": CourseStatus.ARCHIVED,
            }
        ),
        CourseStatus.ARCHIVED: MappingProxyType(
            {"archive": CourseStatus.ARCHIVED, "restore": CourseStatus.DRAFT}
        ),
    }
)
"""Where each command leads from each status; a command that is missing is refused."""

COURSE_INDEXES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "idx_courses_organization_id": ("organization_id",),
        "idx_courses_status": ("status",),
        "idx_courses_organization_status": ("organization_id", "status"),
        "idx_courses_start_date": ("start_date",),
        "idx_courses_issues_certificate": ("issues_certificate",),
    }
)
"""The indexes of every table of courses: name to columns, in order."""

COURSE_KINDS: Mapping[str, Kind[Any]] = MappingProxyType(
    {
        "id": values.identifier,
        "organization_id": values.identifier,
        "title": values.text,
        "description": optional(values.text),
        "course_type": values.record(CourseType),
        "status": values.record(CourseStatus),
        "start_date": optional(values.instant),
        "end_date": optional(values.instant),
        "location": optional(values.text),
        "is_virtual": values.flag,
        "max_participants": optional(whole_number(1, MAX_INTEGER, minimum_is_a_rule=True)),
        "issues_certificate": values.flag,
        "certificate_validity_months": optional(
            whole_number(1, MAX_CERTIFICATE_VALIDITY_MONTHS, minimum_is_a_rule=True)
        ),
        "registration_deadline": optional(values.instant),
        "created_by": values.identifier,
        "created_at": values.instant,
        "updated_at": values.instant,
    }
)


def _at_least_one(number: int) -> bool:
    return number >= 1


# Each rule holds when its check of these fields does; one that is None or not given breaks none.
VALIDATION_RULES: tuple[tuple[Rule, tuple[str, ...], Callable[..., bool]], ...] = (
    (Rule.END_DATE_AFTER_START_DATE, ("end_date", "start_date"), operator.gt),
    (
        Rule.REGISTRATION_DEADLINE_BEFORE_START,
        ("registration_deadline", "start_date"),
        operator.lt,
    ),
    (Rule.TITLE_NOT_EMPTY, ("title",), values.has_visible_character),
    (Rule.MAX_PARTICIPANTS_POSITIVE, ("max_participants",), _at_least_one),
    (Rule.CERTIFICATE_VALIDITY_POSITIVE, ("certificate_validity_months",), _at_least_one),
)


def broken_rules(plain: Mapping[str, Any]) -> list[Violation]:
    """List the validation rules that values of the right types break, in their order."""
    broken: list[Violation] = []
    for rule, names, holds in VALIDATION_RULES:
        judged = [*map(plain.get, names)]
        if None not in judged and not holds(*judged):
            broken.append(Violation(rule, names))
    return broken


def _judged(fields: Mapping[str, object]) -> tuple[dict[str, Any], list[Violation]]:
    plain, violations = values.judge(COURSE_KINDS, fields.items())
    return plain, violations + broken_rules(plain)


def course_violations(**fields: object) -> tuple[Violation, ...]:
    """List every rule that these fields of a course break, without raising: for a form.

    A field that is not given is not judged; None in a required field is ``required``. With
    ``certificate_never_expires`` given, a course that issues certificates is also held to
    ``certificate_validity_required_when_issues_certificate``: either it has months, or the
    flag is True; neither, or both, is a violation.

    Raises TypeError for a name that is no field of a course.
    """
    for name in fields:
        if name not in COURSE_KINDS and name != "certificate_never_expires":
            msg = f"course_violations() got an unexpected keyword argument {name!r}"
            raise TypeError(msg)
    course_fields = {name: fields[name] for name in COURSE_KINDS if name in fields}
    plain, violations = _judged(course_fields)
    if len(course_fields) < len(fields):
        flags, refused = values.judge(
            {"certificate_never_expires": values.flag},
            [("certificate_never_expires", fields["certificate_never_expires"])],
        )
        violations += refused
        violations += _certificate_violations(course_fields, plain | flags)
    return tuple(violations)


def _certificate_violations(
    given: Mapping[str, object], plain: Mapping[str, Any]
) -> list[Violation]:
    """Judge certificate_validity_required_when_issues_certificate, unless a value is refused."""
    months_are_refused = (
        given.get("certificate_validity_months") is not None
        and "certificate_validity_months" not in plain
    )
    if (
        not plain.get("issues_certificate")
        or "certificate_never_expires" not in plain
        or months_are_refused
    ):
        return []
    has_months = plain.get("certificate_validity_months") is not None
    if has_months is not plain["certificate_never_expires"]:
        return []
    return [
        Violation(
            Rule.CERTIFICATE_VALIDITY_REQUIRED_WHEN_ISSUES_CERTIFICATE,
            ("certificate_validity_months", "issues_certificate"),
        )
    ]


class Unsealed(values.Referable):
    """A course while its fields are put in, as into any object; then it becomes a `Course`."""

    __slots__ = tuple(COURSE_KINDS)


@attrs.frozen(kw_only=True)
class Course(Unsealed):
    """Hold one course; a course that exists is valid.

    Raises `InvalidCourse` with every violation: the five validation rules, and ``required``,
    ``wrong_type``, ``naive_datetime``, ``unstorable_text`` and ``out_of_range`` for values that
    cannot mean what their field says. Instants are aware, lie from 1900 to 8999, and are kept
    in UTC, so that equal instants give equal courses. Integers are at most 2 147 483 647.
    """

    id: UUID
    organization_id: UUID
    """The organization whose people may see the course: ``org_scoped_course_access``."""

    title: str
    """At least one visible character: ``title_not_empty``."""

    description: str | None = None
    course_type: CourseType
    status: CourseStatus
    """Peer mentors and coordinators see ``published`` only: ``published_only_visible_to_users``."""

    start_date: datetime | None = None
    end_date: datetime | None = None
    """Later than the start where both are set: ``end_date_after_start_date``."""

    location: str | None = None
    """Where people meet, a place or a virtual room."""

    is_virtual: bool
    max_participants: int | None = None
    """The seats, at least 1 (``max_participants_positive``); None for no limit."""

    issues_certificate: bool
    certificate_validity_months: int | None = None
    """Calendar months, 1 to 1 200 (``certificate_validity_positive``); None for no expiry."""

    registration_deadline: datetime | None = None
    """The last moment to register, itself included (``registration_deadline_enforced``).

    Earlier than the start where both are set: ``registration_deadline_before_start``.
    None for no deadline.
    """

    created_by: UUID
    """The admin who created the course."""

    created_at: datetime
    updated_at: datetime
    """When the course was last revised or moved; each change makes it later by at least 1 µs."""

    def __attrs_post_init__(self) -> None:
        if is_plain(self):
            return
        plain, violations = _judged({name: getattr(self, name) for name in COURSE_KINDS})
        if violations:
            raise InvalidCourse(violations)
        for name, value in plain.items():
            object.__setattr__(self, name, value)


def is_plain(course: Course) -> bool:
    """Tell whether a course is surely valid, and as it is kept; False is no more than a doubt."""
    if not (
        type(course.id) is type(course.organization_id) is type(course.created_by) is UUID
        and type(course.title) is str
        and type(course.course_type) is CourseType
        and type(course.status) is CourseStatus
        and type(course.is_virtual) is type(course.issues_certificate) is bool
        and type(course.created_at) is type(course.updated_at) is datetime
    ):
        return False
    start, end, deadline = course.start_date, course.end_date, course.registration_deadline
    for instant in (start, end, deadline, course.created_at, course.updated_at):
        if instant is not None and not (  # as `values.is_plain_instant`, without its five calls
            type(instant) is datetime
            and instant.tzinfo is UTC
            and not instant.fold
            and FIRST_YEAR <= instant.year <= LAST_YEAR
        ):
            return False
    for text in (course.title, course.description, course.location):
        if text is not None and not (
            type(text) is str
            and "\x00" not in text
            and (text.isascii() or values.is_storable(text))
        ):
            return False
    seats, months = course.max_participants, course.certificate_validity_months
    return (
        (seats is None or (type(seats) is int and seats <= MAX_INTEGER))
        and (months is None or (type(months) is int and months <= MAX_CERTIFICATE_VALIDITY_MONTHS))
        and keeps_rules(course)
    )


def keeps_rules(course: Course) -> bool:
    """Tell whether values of the right kinds keep the `VALIDATION_RULES`; all courses pass here."""
    start, end, deadline = course.start_date, course.end_date, course.registration_deadline
    seats, months = course.max_participants, course.certificate_validity_months
    return (
        (start is None or end is None or end > start)
        and (start is None or deadline is None or deadline < start)
        and (seats is None or seats >= 1)
        and (months is None or months >= 1)
        and (course.title[:1].isalnum() or values.has_visible_character(course.title))
    )
