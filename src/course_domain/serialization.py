"""Courses, and what authors say of them, from strict JSON and back.

Nothing is coerced or rounded, no key is passed over. What is wrong with a document comes as one
`InvalidDocument` with *every* problem: each is a violation whose ``params["path"]`` tells the place
(``$`` the document, ``$.start_date`` a field, ``$[3].title`` a field of an element).
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from operator import is_
from typing import Any, cast
from uuid import UUID

from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn

from course_domain import values
from course_domain.course import Course
from course_domain.course_json import read_all_surely, read_surely
from course_domain.course_text import write
from course_domain.details import CourseChanges, CourseDetails
from course_domain.documents import (
    DOCUMENTS,
    decode,
    invalid_document,
    read_as,
    read_document,
    wrong_type,
)
from course_domain.errors import InvalidDocument
from course_domain.rules import Rule, Violation
from course_domain.schema import (
    course_changes_json_schema,
    course_details_json_schema,
    course_json_schema,
)
from course_domain.values import Refusal

__all__ = [
    "course_changes_from_json",
    "course_changes_json_schema",
    "course_details_from_json",
    "course_details_json_schema",
    "course_from_dict",
    "course_from_json",
    "course_json_schema",
    "course_to_dict",
    "course_to_json",
    "courses_from_json",
    "courses_to_json",
    "make_converter",
]


_COURSE = values.record(Course)


def course_from_json(document: str | bytes) -> Course:
    """Read a course from JSON text, or from its UTF-8 bytes without a byte order mark.

    Fields that may be None may be absent. UUIDs have hyphens; date-times are RFC 3339 with an
    offset, to the microsecond; true and 12.0 are no integers. Raises `InvalidDocument` with every
    problem: ``malformed_document`` (no JSON, or a field that stands twice), ``required``,
    ``wrong_type``, ``naive_datetime``, ``unstorable_text`` and ``out_of_range`` in the order of the
    fields, the five validation rules of `Course`, and ``unknown_field``. None repeats a value.
    """
    return read_surely(document) or read_document(decode(document), Course)


def course_to_json(course: Course) -> str:
    """Write `course_to_dict` as JSON text; `course_from_json` reads an equal course from it.

    Raises `InvalidValue` (``wrong_type``) for what is no course.
    """
    if type(course) is not Course:
        (course,) = values.checked(course=(_COURSE, course))
    return write(course)


def course_from_dict(document: Mapping[str, Any]) -> Course:
    """Read a course from what JSON text decodes to, as strictly as `course_from_json`.

    Raises `InvalidDocument` with every problem and its place.
    """
    return read_document(document, Course)


def course_to_dict(course: Course) -> dict[str, Any]:
    """Write a course as what JSON has: UUIDs, enums and instants, in UTC, become text.

    Raises `InvalidValue` (``wrong_type``) for what is no course.
    """
    (known,) = values.checked(course=(_COURSE, course))
    return _write_course(known)


def courses_from_json(document: str | bytes) -> tuple[Course, ...]:
    """Read a JSON array of courses; `InvalidDocument` has every problem of every one."""
    right = read_all_surely(document)
    if right is not None:
        return right
    elements = decode(document)
    if not isinstance(elements, list):
        raise invalid_document(wrong_type(elements, "an array"))
    courses: list[Course] = []
    problems: list[Violation] = []
    for place, element in enumerate(cast("list[object]", elements)):
        try:
            courses.append(read_document(element, Course, f"$[{place}]"))
        except InvalidDocument as refused:
            problems += refused.violations
    if problems:
        raise InvalidDocument(problems)
    return tuple(courses)


def courses_to_json(courses: Iterable[Course]) -> str:
    """Write courses as a JSON array; `InvalidValue` (``wrong_type``) for what are no courses."""
    (known,) = values.checked(courses=(values.each(_COURSE), courses))
    return f"[{','.join(map(write, known))}]"


def course_details_from_json(document: str | bytes) -> CourseDetails:
    """Read what a client says of a new course: an author's eleven fields and one flag, no others.

    The result has what stands in the document. Raises `InvalidDocument` as `course_from_json`;
    ``certificate_validity_required_when_issues_certificate`` is judged at the create.
    """
    return read_document(decode(document), CourseDetails)


def course_changes_from_json(document: str | bytes) -> CourseChanges:
    """Read what a client changes of a course: absent means unchanged, null means cleared.

    As `course_details_from_json`, but no field is required; the rules judge those that are given.
    """
    return read_document(decode(document), CourseChanges)


def _given(value: Any) -> Any:
    if value is None:
        raise Refusal(Rule.REQUIRED)
    return value


def _structure(value: Any, kind: Any) -> Any:
    try:
        return read_as(kind, _given)(value)
    except Refusal as refusal:
        raise invalid_document(refusal) from None


def _write_instant(moment: datetime) -> str:
    (plain,) = values.checked(instant=(values.computed_instant, moment))
    return f"{plain.replace(tzinfo=None).isoformat()}Z"


def _plain_converter() -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for base in (str, int, bool):  # and what derives from them, enumerations above all
        converter.register_structure_hook(base, _structure)
    for kind in (UUID, datetime):
        converter.register_structure_hook_func(partial(is_, kind), _structure)
    converter.register_unstructure_hook(str, str.__str__)
    converter.register_unstructure_hook(UUID, str)
    converter.register_unstructure_hook(datetime, _write_instant)
    return converter


_write_course = make_dict_unstructure_fn(Course, _plain_converter())


def make_converter() -> Converter:
    """Make a cattrs converter as strict as this module, for a host to extend; each is its own.

    `Course`, `CourseDetails` and `CourseChanges` keep this form, whatever the host registers. They,
    and UUID, datetime, str, int, bool, StrEnum and IntEnum, raise `InvalidDocument`, with paths
    from that value on; inside a host's class cattrs gathers it into its `ClassValidationError`.
    """
    converter = _plain_converter()
    for kind in DOCUMENTS:
        converter.register_structure_hook_func(partial(is_, kind), read_document)
    converter.register_unstructure_hook_func(partial(is_, Course), _write_course)
    return converter
