"""The five rules of a course as one would write them by hand, with the standard library alone."""

from enum import StrEnum
from typing import Any
from unicodedata import category

MAX_INTEGER = 2_147_483_647
MAX_MONTHS = 1_200


class CourseType(StrEnum):
    """What a course is for."""

    CERTIFICATION = "certification"
    ONBOARDING = "onboarding"
    WORKSHOP = "workshop"


class CourseStatus(StrEnum):
    """Where it is in its life."""

    DRAFT = "draft"
    PUBLISHED = "published"
    ARCHIVED = "archived"


def broken_rules(course: Any) -> list[str]:
    """Name the rules that a course breaks, as one would write them by hand."""
    broken: list[str] = []
    start = course.start_date
    if start is not None and course.end_date is not None and course.end_date <= start:
        broken.append("end_date_after_start_date")
    deadline = course.registration_deadline
    if start is not None and deadline is not None and deadline >= start:
        broken.append("registration_deadline_before_start")
    if not any(
        kind[0] != "Z" and kind not in {"Cc", "Cf", "Cs"} for kind in map(category, course.title)
    ):
        broken.append("title_not_empty")
    if course.max_participants is not None and course.max_participants < 1:
        broken.append("max_participants_positive")
    months = course.certificate_validity_months
    if months is not None and months < 1:
        broken.append("certificate_validity_positive")
    return broken


def hold_rules(course: Any) -> None:
    """Raise ValueError with the rules that are broken."""
    broken = broken_rules(course)
    if broken:
        raise ValueError(broken)
