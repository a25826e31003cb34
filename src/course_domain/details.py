"""What an author says of a course: the eleven fields that are theirs, and one flag."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from course_domain.course import CourseType


class CourseDetails(TypedDict):
    """Name what an author gives to create a course; what is absent is None, the flag False."""

    title: str
    description: NotRequired[str | None]
    course_type: CourseType
    start_date: NotRequired[datetime | None]
    end_date: NotRequired[datetime | None]
    location: NotRequired[str | None]
    is_virtual: bool
    max_participants: NotRequired[int | None]
    issues_certificate: bool
    certificate_validity_months: NotRequired[int | None]
    registration_deadline: NotRequired[datetime | None]
    certificate_never_expires: NotRequired[bool]


class CourseChanges(TypedDict, total=False):
    """Name what an author may change: absent means unchanged, None means cleared."""

    title: str
    description: str | None
    course_type: CourseType
    start_date: datetime | None
    end_date: datetime | None
    location: str | None
    is_virtual: bool
    max_participants: int | None
    issues_certificate: bool
    certificate_validity_months: int | None
    registration_deadline: datetime | None
    certificate_never_expires: bool


def author_arguments(
    command: str, given: Mapping[str, Any], shape: Any
) -> tuple[dict[str, Any], Any]:
    """Part what an author gave into the fields of the course and ``certificate_never_expires``.

    `shape` is `CourseDetails` or `CourseChanges`. No value is judged yet.

    Raises TypeError for a name that is missing or none of an author's.
    """
    required, optional_ = shape.__required_keys__, shape.__optional_keys__
    for name in given:
        if name not in required | optional_:
            msg = f"{command}() got an unexpected keyword argument {name!r}"
            raise TypeError(msg)
    for name in shape.__annotations__:
        if name in required and name not in given:
            msg = f"{command}() missing the keyword argument {name!r}"
            raise TypeError(msg)
    fields = dict(given)
    return fields, fields.pop("certificate_never_expires", False)
