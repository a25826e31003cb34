"""How much the hot paths do: in calls of Python functions, which no load can change."""

import sys
from collections.abc import Callable
from types import FrameType

import pytest

from builders import NOW, actor, course, course_fields
from course_domain import (
    Course,
    CourseStatus,
    Role,
    course_text,
    registration_rejections,
    renewal_reminder_at,
)
from course_domain.making import evolve
from course_domain.memory import InMemoryCourseRepository
from course_domain.serialization import course_from_json, course_to_json

FIELDS = course_fields()
COURSE = course()
TEXT = course_to_json(COURSE)
MENTOR, ADMIN = actor(role=Role.PEER_MENTOR), actor(role=Role.ADMIN)
DRAFT = course(status=CourseStatus.DRAFT, max_participants=1, registration_deadline=NOW)
LATE = NOW.replace(year=NOW.year + 1)
REPOSITORY = InMemoryCourseRepository()
REPOSITORY.add(COURSE)

READ = 3 if course_text.msgspec else 7

HOT: dict[str, tuple[int, Callable[[], object]]] = {
    "build": (4, lambda: Course(**FIELDS)),
    "change": (5, lambda: evolve(COURSE, status=CourseStatus.DRAFT)),
    "read": (READ, lambda: course_from_json(TEXT)),
    "read a line": (READ, lambda: course_from_json(f"{TEXT}\n")),
    "write": (19, lambda: course_to_json(COURSE)),
    "allowed": (2, lambda: registration_rejections(COURSE, MENTOR, 0, NOW)),
    "three reasons": (7, lambda: registration_rejections(DRAFT, ADMIN, 1, LATE)),
    "reminder": (11, lambda: renewal_reminder_at(NOW, 24)),
    "get": (3, lambda: REPOSITORY.get(COURSE.organization_id, COURSE.id)),
}


def calls(work: Callable[[], object]) -> int:
    """Count the functions of Python that a piece of work calls, once it is warm."""
    work()
    counted = 0

    def count(_: FrameType, event: str, __: object) -> None:
        nonlocal counted
        counted += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return counted - 1  # the work itself


@pytest.mark.parametrize(("most", "work"), HOT.values(), ids=HOT)
def test_hot_path_stays_short(most: int, work: Callable[[], object]) -> None:
    """What a list, a button or a file of courses does over and over calls few functions."""
    assert calls(work) <= most
