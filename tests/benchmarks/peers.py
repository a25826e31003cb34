"""What a host would take instead: the same course by other libraries, and the same policies."""

from datetime import datetime
from importlib import import_module
from typing import Annotated, Any
from uuid import UUID

import attrs
import msgspec

from benchmarks.by_hand import hold_rules
from course_domain import Actor, Course, CourseStatus, CourseType, Role

AwareInstant = Annotated[datetime, msgspec.Meta(tz=True)]


class MsgspecCourse(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Frozen; its types are checked where it is read, and not where it is made."""

    id: UUID
    organization_id: UUID
    title: str
    description: str | None = None
    course_type: CourseType
    status: CourseStatus
    start_date: AwareInstant | None = None
    end_date: AwareInstant | None = None
    location: str | None = None
    is_virtual: bool
    max_participants: int | None = None
    issues_certificate: bool
    certificate_validity_months: int | None = None
    registration_deadline: AwareInstant | None = None
    created_by: UUID
    created_at: AwareInstant
    updated_at: AwareInstant

    def __post_init__(self) -> None:
        """Hold it to the five rules."""
        hold_rules(self)


@attrs.frozen(kw_only=True)
class AttrsCourse:
    """Bare: nothing is checked at all."""

    id: UUID
    organization_id: UUID
    title: str
    description: str | None = None
    course_type: CourseType
    status: CourseStatus
    start_date: datetime | None = None
    end_date: datetime | None = None
    location: str | None = None
    is_virtual: bool
    max_participants: int | None = None
    issues_certificate: bool
    certificate_validity_months: int | None = None
    registration_deadline: datetime | None = None
    created_by: UUID
    created_at: datetime
    updated_at: datetime


rules: Any = import_module("rules")  # which tells no types

REASONS = (
    "org_scoped_course_access",
    "published_only_visible_to_users",
    "registration_deadline_enforced",
    "max_participants_cap",
    "registration_requires_published",
)


def names_of_reasons(
    course: Course, actor: Actor, confirmed_count: int, now: datetime
) -> tuple[str, ...]:
    """Tell why somebody may not register, as a plain function of one's own would."""
    if course.organization_id != actor.organization_id:
        return ("org_scoped_course_access",)
    published = course.status is CourseStatus.PUBLISHED
    if not published and actor.role is not Role.ADMIN:
        return ("published_only_visible_to_users",)
    reasons: list[str] = []
    if course.registration_deadline is not None and now > course.registration_deadline:
        reasons.append("registration_deadline_enforced")
    if course.max_participants is not None and confirmed_count >= course.max_participants:
        reasons.append("max_participants_cap")
    if not published:
        reasons.append("registration_requires_published")
    return tuple(reasons)


def django_rules(confirmed_count: int, now: datetime) -> Any:
    """Make the rules as predicates of django-rules: each by its name, and all as ``register``."""

    def is_in_organization(actor: Actor, course: Course) -> bool:
        return course.organization_id == actor.organization_id

    def may_view(actor: Actor, course: Course) -> bool:
        return course.status is CourseStatus.PUBLISHED or actor.role is Role.ADMIN

    def is_in_time(_: Actor, course: Course) -> bool:
        return course.registration_deadline is None or now <= course.registration_deadline

    def has_seat(_: Actor, course: Course) -> bool:
        return course.max_participants is None or confirmed_count < course.max_participants

    def is_published(_: Actor, course: Course) -> bool:
        return course.status is CourseStatus.PUBLISHED

    made = rules.RuleSet()
    in_organization, viewed, in_time, seat, published = map(
        rules.predicate, (is_in_organization, may_view, is_in_time, has_seat, is_published)
    )
    made.add_rule("register", in_organization & viewed & in_time & seat & published)
    for name, predicate in zip(
        REASONS, (in_organization, viewed, in_time, seat, published), strict=True
    ):
        made.add_rule(name, predicate)
    return made


def reasons_by_django_rules(ruleset: Any, course: Course, actor: Actor) -> tuple[str, ...]:
    """Tell every reason, as `names_of_reasons`: each rule is asked by its name."""
    for name in REASONS[:2]:
        if not ruleset.test_rule(name, actor, course):
            return (name,)
    return tuple([name for name in REASONS[2:] if not ruleset.test_rule(name, actor, course)])
