"""A course as the one JSON text that this library writes: written, and read back.

With msgspec (extra ``fast``) the text is the very same.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from importlib import import_module
from importlib.util import find_spec
from types import NoneType
from typing import Annotated, Any, get_args
from uuid import UUID

import attrs

from course_domain.course import (
    MAX_CERTIFICATE_VALIDITY_MONTHS,
    Course,
    CourseStatus,
    CourseType,
    Unsealed,
    keeps_rules,
)
from course_domain.documents import UUID_PATTERN, uuid_from_text
from course_domain.making import made_of, values_of
from course_domain.values import (
    EARLIEST_INSTANT,
    LATEST_INSTANT,
    MAX_INTEGER,
    has_visible_character,
)

msgspec: Any = import_module("msgspec") if find_spec("msgspec") else None

TYPES = {each.value: each for each in CourseType}
STATUSES = {each.value: each for each in CourseStatus}

# As we write them; larger numbers, and texts with a backslash, are read in another way.
_PATTERNS: dict[Any, str] = {
    UUID: f'"({UUID_PATTERN})"',
    str: r'"([^"\\\x00-\x1f]*+)"',
    CourseType: f'"({"|".join(TYPES)})"',
    CourseStatus: f'"({"|".join(STATUSES)})"',
    datetime: '"((?:19|[2-8][0-9])[0-9]{2}-[01][0-9]-[0-3][0-9]'
    r'T(?!24)[0-2][0-9]:[0-5][0-9]:[0-5][0-9](?:\.[0-9]{6})?+Z)"',
    bool: "(true|false)",
    int: "([1-9][0-9]{0,2})",
}


def _pattern(field: Any) -> str:
    """Give the pattern of a field, after its name; a space is what the standard library adds."""
    kinds = get_args(field.type) or (field.type,)
    values = "|".join("null" if kind is NoneType else _PATTERNS[kind] for kind in kinds)
    return f'"{field.name}": ?+(?:{values})'


_match_own = re.compile(
    rf"\{{{', ?+'.join(map(_pattern, attrs.fields(Course)))}\}}[ \t\r\n]*+"
).fullmatch


def _make_fields() -> Any:
    def from_one_to(bound: int) -> Any:
        number: Any = Annotated[int, msgspec.Meta(ge=1, le=bound)]
        return number | None

    kinds = {each.name: each.type for each in attrs.fields(Course)} | {
        "organization_id": str,
        "title": msgspec.Raw,
        "description": msgspec.Raw,
        "location": msgspec.Raw,
        "created_by": str,
        "max_participants": from_one_to(MAX_INTEGER),
        "certificate_validity_months": from_one_to(MAX_CERTIFICATE_VALIDITY_MONTHS),
    }
    return msgspec.defstruct("_Fields", kinds.items(), gc=False)


_Fields: Any = msgspec and _make_fields()
_decode_fields: Any = msgspec and msgspec.json.Decoder(_Fields).decode
_decode_text: Any = msgspec and msgspec.json.Decoder(str).decode
_decode_maybe_text: Any = msgspec and msgspec.json.Decoder(str | None).decode
_values_of_fields: Any = msgspec and msgspec.structs.astuple
_encode: Any = msgspec and msgspec.json.Encoder().encode
_encode_into: Any = msgspec and msgspec.json.Encoder().encode_into


class _SharedUUIDs(dict[str, UUID]):
    """UUIDs that many courses have in common: whose they are, and who made them."""

    def __missing__(self, text: str) -> UUID:
        if len(self) >= _MOST_SHARED:
            self.clear()
        made = self[text] = uuid_from_text(text)
        return made


_MOST_SHARED = 1024
shared_uuids: Mapping[str, UUID] = _SharedUUIDs()
_text_of_shared: Callable[[UUID], str] = lru_cache(_MOST_SHARED)(UUID.__str__)

_MOST_KEPT = 8192
_buffers: list[Any] = []  # no call has one now; kept, since one that is new has to grow

_BACKSLASH = ord("\\")
_FIRST, _LAST = EARLIEST_INSTANT, LATEST_INSTANT


def read_by_msgspec(document: str | bytes) -> Course | None:
    """Read what is, byte for byte, as we write it; msgspec alone would take more than that.

    Texts are decoded after that: a text that is encoded keeps its UTF-8 beside it.
    """
    text = document if isinstance(document, bytes) else str.encode(document)
    own = _decode_fields(text)
    try:
        encoded = _buffers.pop()
    except IndexError:
        encoded = bytearray()
    _encode_into(own, encoded)
    if encoded != text and not text.startswith(bytes(encoded)):  # after which white space may stand
        return None
    if len(encoded) < _MOST_KEPT:
        _buffers.append(encoded)
    if _BACKSLASH in text and b"\\u0000" in text:
        return None
    course: Any = Unsealed()
    (
        course.id,
        organization_id,
        title,
        description,
        course.course_type,
        course.status,
        start,
        end,
        location,
        course.is_virtual,
        course.max_participants,
        course.issues_certificate,
        course.certificate_validity_months,
        deadline,
        created_by,
        created_at,
        updated_at,
    ) = _values_of_fields(own)
    course.title = title = _decode_text(title)
    if not (  # the rules and the bounds in one; what falls between them is read in another way
        created_at.tzinfo is updated_at.tzinfo is UTC
        and _FIRST <= created_at <= updated_at <= _LAST
        and (start is None or (start.tzinfo is UTC and _FIRST <= start <= _LAST))
        and (end is None or (end.tzinfo is UTC and (start or _FIRST) < end <= _LAST))
        and (deadline is None or (deadline.tzinfo is UTC and _FIRST <= deadline < (start or _LAST)))
        and (title[:1].isalnum() or has_visible_character(title))
    ):
        return None
    course.organization_id = shared_uuids[organization_id]
    course.description = _decode_maybe_text(description)
    course.start_date = start
    course.end_date = end
    course.location = _decode_maybe_text(location)
    course.registration_deadline = deadline
    course.created_by = shared_uuids[created_by]
    course.created_at = created_at
    course.updated_at = updated_at
    course.__class__ = Course
    made: Course = course
    return made


def read_by_pattern(document: str | bytes) -> Course | None:
    """Read what is as we write it, or as the standard library writes the same."""
    text = document if isinstance(document, str) else bytes.decode(document)
    own = _match_own(text)
    if own is None:
        return None
    text.encode()  # a ValueError, for a lone surrogate
    (
        id_,
        organization_id,
        title,
        description,
        course_type,
        status,
        start,
        end,
        location,
        is_virtual,
        seats,
        issues_certificate,
        months,
        deadline,
        created_by,
        created_at,
        updated_at,
    ) = own.groups()
    read = datetime.fromisoformat
    return made_of(
        (
            UUID(id_),
            shared_uuids[organization_id],
            title,
            description,
            TYPES[course_type],
            STATUSES[status],
            start and read(start),
            end and read(end),
            location,
            is_virtual == "true",
            seats and int(seats),
            issues_certificate == "true",
            months and int(months),
            deadline and read(deadline),
            shared_uuids[created_by],
            read(created_at),
            read(updated_at),
        ),
        keeps_rules,
    )


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
        f',"organization_id":"{_text_of_shared(course.organization_id)}"'
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
        f',"created_by":"{_text_of_shared(course.created_by)}"'
        f',"created_at":{_date_time(course.created_at)}'
        f',"updated_at":{_date_time(course.updated_at)}}}'
    )


def write_by_msgspec(course: Course) -> str:
    """Write the same text."""
    try:
        text: str = _encode(_Fields(*values_of(course))).decode()
    except TypeError:  # a class of its own, as a clock that stands still in tests may give
        return write_by_json(course)
    return text


write: Callable[[Course], str] = write_by_msgspec if msgspec else write_by_json
"""Write a course as JSON text, its fields in their order."""
