"""A course as JSON text while nothing is wrong: read and written without asking what could be.

With msgspec (extra ``fast``) JSON is decoded and encoded by it, to the same courses and the very
same text.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any
from uuid import UUID

import attrs

from course_domain.course import COURSE_KINDS, Course, CourseStatus, CourseType, restored, values_of
from course_domain.documents import instant_from_text, uuid_from_text
from course_domain.values import Refusal

msgspec: Any = import_module("msgspec") if find_spec("msgspec") else None

_NAMES = tuple(COURSE_KINDS)
_MICROSECONDS = re.compile(r"\.[0-9]{6}Z")
_TYPES = {each.value: each for each in CourseType}
_STATUSES = {each.value: each for each in CourseStatus}
_MAYBE_TEXT = [
    _NAMES.index(name)
    for name in ("description", "start_date", "end_date", "location", "registration_deadline")
]
_MOST_MARKS = 2 * (len(_NAMES) + 8 + len(_MAYBE_TEXT))  # eight fields are always texts

_DOUBTS: tuple[type[Exception], ...] = (
    ValueError, TypeError, KeyError, OverflowError, RecursionError, Refusal,
    *([msgspec.MsgspecError] if msgspec else []),
)  # fmt: skip


def decode_by_json(document: str | bytes) -> Any:
    """Decode by the standard library."""
    return json.loads(document if isinstance(document, str) else document.decode())


_decode: Callable[[str | bytes], Any] = msgspec.json.Decoder().decode if msgspec else decode_by_json


_Fields: Any = msgspec and msgspec.defstruct(
    "_Fields", [(each.name, each.type) for each in attrs.fields(Course)]
)
_decode_fields: Any = msgspec and msgspec.json.Decoder(_Fields).decode
_encode: Any = msgspec and msgspec.json.Encoder().encode


# Many courses have in common whose they are, and who made them.
_shared_uuid = lru_cache(maxsize=1024)(uuid_from_text)


@lru_cache(maxsize=1024)
def _shared_uuid_of(number: int) -> UUID:
    return UUID(int=number)


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    is_plain = text[4:19:3] == "--T::" and (text[19:] == "Z" or _MICROSECONDS.fullmatch(text, 19))
    if is_plain and text[11:13] < "24":  # which a later Python takes for the midnight after
        return datetime.fromisoformat(text)
    return instant_from_text(text).astimezone(UTC)


def _lean(text: str | None) -> str | None:
    """Give the text without its UTF-8, which Python keeps beside what was once encoded."""
    return text if text is None or text.isascii() else text.encode().decode()


def _read_own(document: str | bytes) -> Course | None:
    """Read what is, byte for byte, as we write it; msgspec alone would take more than that."""
    text = document if isinstance(document, bytes) else document.encode()
    if not text.startswith(b'{"id":"'):
        return None
    fields = _decode_fields(text)
    if _encode(fields) != text.rstrip():  # a line of a file has its end
        return None
    fields.title = _lean(fields.title)
    fields.description = _lean(fields.description)
    fields.location = _lean(fields.location)
    fields.organization_id = _shared_uuid_of(fields.organization_id.int)
    fields.created_by = _shared_uuid_of(fields.created_by.int)
    return restored(msgspec.structs.astuple(fields))


def _read(fields: Any) -> tuple[Course, int]:
    """Read an object; give the course, and how many quotation marks its text has if it is right."""
    given = (
        uuid_from_text(fields["id"]),
        _shared_uuid(fields["organization_id"]),
        fields["title"],
        fields["description"],
        _TYPES[fields["course_type"]],
        _STATUSES[fields["status"]],
        _instant(fields["start_date"]),
        _instant(fields["end_date"]),
        fields["location"],
        fields["is_virtual"],
        fields["max_participants"],
        fields["issues_certificate"],
        fields["certificate_validity_months"],
        _instant(fields["registration_deadline"]),
        _shared_uuid(fields["created_by"]),
        _instant(fields["created_at"]),
        _instant(fields["updated_at"]),
    )
    course = restored(given)
    if course is None or len(fields) != len(given):
        raise ValueError
    return course, _MOST_MARKS - 2 * [given[place] for place in _MAYBE_TEXT].count(None)


def read_surely(document: object) -> Course | None:
    """Read a course that is right beyond doubt; None is no more than a doubt.

    A field that stands twice shows in the quotation marks: two for each key, two for each text.
    """
    if not isinstance(document, str | bytes):
        return None
    try:
        own = _read_own(document) if _decode_fields else None
        if own is not None:
            return own
        course, marks = _read(_decode(document))
    except _DOUBTS:
        return None
    return course if _quotation_marks(document) == marks else None


def read_all_surely(document: object) -> tuple[Course, ...] | None:
    """Read an array of courses that are all right beyond doubt, as `read_surely`."""
    if not isinstance(document, str | bytes):
        return None
    try:
        elements = _decode(document)
        read = [_read(fields) for fields in elements]
    except _DOUBTS:
        return None
    if type(elements) is not list or _quotation_marks(document) != sum(m for _, m in read):
        return None
    return tuple(course for course, _ in read)


def _quotation_marks(document: str | bytes) -> int:
    return document.count('"') if isinstance(document, str) else document.count(b'"')


_quoted = json.JSONEncoder(ensure_ascii=False).encode


def _text(value: str | None) -> str:
    return "null" if value is None else _quoted(value)


_TWO = [f"{number:02}" for number in range(60)]


def _date_time(value: datetime | None) -> str:
    """Write an instant in UTC, from its parts: half as long as by way of `isoformat`."""
    if value is None:
        return "null"
    date = f"{value.year}-{_TWO[value.month]}-{_TWO[value.day]}"
    time = f"{_TWO[value.hour]}:{_TWO[value.minute]}:{_TWO[value.second]}"
    fraction = f".{value.microsecond:06}" if value.microsecond else ""
    return f'"{date}T{time}{fraction}Z"'


def _flag(value: bool) -> str:
    return "true" if value else "false"


def _number(value: int | None) -> str:
    return "null" if value is None else str(value)


def write_by_json(course: Course) -> str:
    """Write a course as JSON text, its fields in their order."""
    return (
        f'{{"id":"{course.id!s}"'
        f',"organization_id":"{course.organization_id!s}"'
        f',"title":{_quoted(course.title)}'
        f',"description":{_text(course.description)}'
        f',"course_type":"{course.course_type!s}"'
        f',"status":"{course.status!s}"'
        f',"start_date":{_date_time(course.start_date)}'
        f',"end_date":{_date_time(course.end_date)}'
        f',"location":{_text(course.location)}'
        f',"is_virtual":{_flag(course.is_virtual)}'
        f',"max_participants":{_number(course.max_participants)}'
        f',"issues_certificate":{_flag(course.issues_certificate)}'
        f',"certificate_validity_months":{_number(course.certificate_validity_months)}'
        f',"registration_deadline":{_date_time(course.registration_deadline)}'
        f',"created_by":"{course.created_by!s}"'
        f',"created_at":{_date_time(course.created_at)}'
        f',"updated_at":{_date_time(course.updated_at)}}}'
    )


def write_by_msgspec(course: Course) -> str:
    """Write the same text."""
    text: str = _encode(_Fields(*values_of(course))).decode()
    return text


write: Callable[[Course], str] = write_by_msgspec if msgspec else write_by_json
"""Write a course as JSON text, its fields in their order."""
