"""The JSON Schema, 2020-12, of a course and of what authors say of one.

What a schema refuses, the reader refuses. The reader refuses more: what a schema cannot say, such
as the order of two dates.
"""

from collections.abc import Mapping
from copy import deepcopy
from enum import StrEnum
from typing import Any

from course_domain.course import MAX_CERTIFICATE_VALIDITY_MONTHS, Course, CourseStatus, CourseType
from course_domain.details import CourseChanges, CourseDetails
from course_domain.documents import DOCUMENTS, LOCAL_PATTERN, OFFSET_PATTERN, UUID_PATTERN
from course_domain.values import MAX_INTEGER

_VERSION = 1  # in each $id; it grows when a schema takes or refuses other documents than before

_Form = dict[str, Any]

_NO_NUL = r"[^\u0000]"
_UUID: _Form = {"type": "string", "format": "uuid", "pattern": f"^{UUID_PATTERN}$"}
_TEXT: _Form = {"type": "string", "pattern": f"^{_NO_NUL}*$"}
_INSTANT: _Form = {
    "type": "string",
    "format": "date-time",
    "pattern": f"^{LOCAL_PATTERN}{OFFSET_PATTERN}$",
}
_FLAG: _Form = {"type": "boolean"}


def _positive(maximum: int) -> _Form:
    return {"type": "integer", "minimum": 1, "maximum": maximum}


def _one_of(names: type[StrEnum]) -> _Form:
    return {"type": "string", "enum": [name.value for name in names]}


def _or_null(form: _Form) -> _Form:
    return {**form, "type": [form["type"], "null"]}


# What each field is in JSON, what it is called, and what its value means.
_FIELDS: Mapping[str, tuple[_Form, str, str]] = {
    "id": (_UUID, "Id", "Which course this is; it never changes."),
    "organization_id": (_UUID, "Organization", "Whose people may see the course."),
    "title": (
        # A title of white space alone is empty; more that cannot be seen is left to the reader.
        # Each part takes what the one before cannot: no text makes a validator go back.
        {**_TEXT, "minLength": 1, "pattern": rf"^\s*[^\s\u0000]{_NO_NUL}*$"},
        "Title",
        "At least one visible character.",
    ),
    "description": (_or_null(_TEXT), "Description", "What the course is about."),
    "course_type": (
        _one_of(CourseType),
        "Type",
        "To issue peer mentor certificates, to train new peer mentors, or to meet as a group.",
    ),
    "status": (
        _one_of(CourseStatus),
        "Status",
        "Where it is in its life; only admins see one that is not published.",
    ),
    "start_date": (_or_null(_INSTANT), "Start", "When it starts, from 1900 to 8999 in UTC."),
    "end_date": (_or_null(_INSTANT), "End", "When it ends, later than the start."),
    "location": (_or_null(_TEXT), "Location", "Where people meet, a place or a virtual room."),
    "is_virtual": (_FLAG, "Virtual", "Whether people meet online."),
    "max_participants": (
        _or_null(_positive(MAX_INTEGER)),
        "Seats",
        "How many may take part; null for no limit.",
    ),
    "issues_certificate": (_FLAG, "Certificate", "Whether who completes it gets a certificate."),
    "certificate_validity_months": (
        _or_null(_positive(MAX_CERTIFICATE_VALIDITY_MONTHS)),
        "Validity",
        "For how many calendar months a certificate is valid; null for no expiry.",
    ),
    "registration_deadline": (
        _or_null(_INSTANT),
        "Registration deadline",
        "The last moment to register, earlier than the start; null for none.",
    ),
    "created_by": (_UUID, "Created by", "The admin who created the course."),
    "created_at": (_INSTANT, "Created at", "When that was."),
    "updated_at": (_INSTANT, "Updated at", "When it was last changed; each change makes it later."),
    "certificate_never_expires": (
        _FLAG,
        "Never expires",
        "True where a course issues certificates that never expire: they have no months by design.",
    ),
}


def _schema(kind: Any, name: str, title: str, description: str) -> dict[str, Any]:
    required = DOCUMENTS[kind]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:course-domain:schema:{name}:{_VERSION}",
        "title": title,
        "description": description,
        "type": "object",
        "properties": {each: _property(*_FIELDS[each]) for each in required},
        "required": [each for each in required if required[each]],
        "additionalProperties": False,
    }


def _property(form: _Form, title: str, description: str) -> dict[str, Any]:
    """Describe one field, sharing nothing with the next call."""
    return {"title": title, "description": description, **deepcopy(form)}


def course_json_schema() -> dict[str, Any]:
    """Give the JSON Schema of a course: what `course_to_json` writes, and of what it can read.

    Each call gives a fresh dict, for a host to change. Formats stand beside patterns, so that a
    validator that does not check ``format`` finds most of it. What `course_from_json` refuses
    beyond it: rules about two fields, titles of invisible characters, lone surrogates, days that
    no month has where formats are not checked, instants before 1900 or after 8999, ``12.0``, and
    keys that stand twice.
    """
    return _schema(Course, "course", "Course", "A course as it is stored and shown.")


def course_details_json_schema() -> dict[str, Any]:
    """Give the JSON Schema of what a client sends to create a course: `course_details_from_json`.

    As `course_json_schema`. Which months a course that issues certificates needs is judged at the
    create.
    """
    return _schema(
        CourseDetails,
        "course-details",
        "Course details",
        "What an author gives to create a course; an absent field is null, the flag false.",
    )


def course_changes_json_schema() -> dict[str, Any]:
    """Give the JSON Schema of what a client sends to revise a course: `course_changes_from_json`.

    As `course_details_json_schema`, but no field is required.
    """
    return _schema(
        CourseChanges,
        "course-changes",
        "Course changes",
        "What an author changes of a course: absent means unchanged, null means cleared.",
    )
