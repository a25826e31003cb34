"""Courses made of values in their order, and of other courses."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import attrs

from course_domain.course import COURSE_KINDS, Course, Unsealed, keeps_rules
from course_domain.values import Refusal

values_of: Callable[[Course], tuple[Any, ...]] = attrgetter(*COURSE_KINDS)
"""Give the values of a course in the order of `COURSE_KINDS`."""


def fields_of(course: Course) -> dict[str, Any]:
    """Give the values of a course by their names; a host's own class has more."""
    return dict(zip(COURSE_KINDS, values_of(course), strict=True))


_PLACES = {name: place for place, name in enumerate(COURSE_KINDS)}


def made_of(given: Sequence[Any], is_right: Callable[[Course], bool]) -> Course | None:
    """Make a course of values in the order of `COURSE_KINDS`; None where it is not right."""
    course: Any = Unsealed()
    (  # written out, since each course is made so
        course.id,
        course.organization_id,
        course.title,
        course.description,
        course.course_type,
        course.status,
        course.start_date,
        course.end_date,
        course.location,
        course.is_virtual,
        course.max_participants,
        course.issues_certificate,
        course.certificate_validity_months,
        course.registration_deadline,
        course.created_by,
        course.created_at,
        course.updated_at,
    ) = given
    course.__class__ = Course
    made: Course = course
    return made if is_right(made) else None


def evolve(course: Course, **changes: Any) -> Course:
    """Give the course with these fields changed.

    Raises `InvalidCourse` with every rule that the result would break, and TypeError for a name
    that is no field.
    """
    if type(course) is Course:  # a host's own class has more fields
        given = list(values_of(course))
        try:
            for name, value in changes.items():
                given[_PLACES[name]] = COURSE_KINDS[name](value)
        except (KeyError, Refusal):
            pass  # the constructor tells what is wrong
        else:
            evolved = made_of(given, keeps_rules)
            if evolved is not None:
                return evolved
    return attrs.evolve(course, **changes)
