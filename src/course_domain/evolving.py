"""One course made of another, where only what changes is judged again."""

from typing import Any

import attrs

from course_domain.course import COURSE_KINDS, VALIDATION_RULES, Course, made_of, values_of
from course_domain.values import Refusal

_RULES_OF = {
    name: [(names, holds) for _, names, holds in VALIDATION_RULES if name in names]
    for name in COURSE_KINDS
}


def evolve(course: Course, **changes: Any) -> Course:
    """Give the course with these fields changed.

    Raises `InvalidCourse` with every rule that the result would break, and TypeError for a name
    that is no field.
    """
    if type(course) is not Course:  # a host's own, which has more than these fields
        return attrs.evolve(course, **changes)
    evolved = made_of(values_of(course))
    try:
        for name, value in changes.items():
            object.__setattr__(evolved, name, COURSE_KINDS[name](value))
    except (KeyError, Refusal):
        return _judged_whole(course, changes)
    for name in changes:
        for names, holds in _RULES_OF[name]:
            judged = [getattr(evolved, each) for each in names]
            if None not in judged and not holds(*judged):
                return _judged_whole(course, changes)
    return evolved


def _judged_whole(course: Course, changes: dict[str, Any]) -> Course:
    """Make the course from all its fields, which tells everything that is wrong."""
    return Course(**dict(zip(COURSE_KINDS, values_of(course), strict=True)) | changes)
