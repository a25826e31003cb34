"""A course from JSON text while nothing is wrong: read without asking what could be.

With msgspec (extra ``fast``) JSON is decoded by it, to the same courses.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from course_domain.course import COURSE_KINDS, Course, is_plain
from course_domain.course_text import (
    STATUSES,
    TYPES,
    msgspec,
    read_by_msgspec,
    read_by_pattern,
    shared_uuids,
)
from course_domain.documents import instant_from_text, uuid_from_text
from course_domain.making import made_of
from course_domain.values import Refusal

_NAMES = tuple(COURSE_KINDS)
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
    return json.loads(document if isinstance(document, str) else bytes.decode(document))


_decode: Callable[[str | bytes], Any] = msgspec.json.Decoder().decode if msgspec else decode_by_json


def _instant(text: str | None) -> datetime | None:
    return None if text is None else instant_from_text(text).astimezone(UTC)


def _read(fields: Any) -> tuple[Course, int]:
    """Read an object; give the course, and how many quotation marks its text has if it is right."""
    given = (
        uuid_from_text(fields["id"]),
        shared_uuids[fields["organization_id"]],
        fields["title"],
        fields["description"],
        TYPES[fields["course_type"]],
        STATUSES[fields["status"]],
        _instant(fields["start_date"]),
        _instant(fields["end_date"]),
        fields["location"],
        fields["is_virtual"],
        fields["max_participants"],
        fields["issues_certificate"],
        fields["certificate_validity_months"],
        _instant(fields["registration_deadline"]),
        shared_uuids[fields["created_by"]],
        _instant(fields["created_at"]),
        _instant(fields["updated_at"]),
    )
    course = made_of(given, is_plain)
    if course is None or len(fields) != len(given):
        raise ValueError
    return course, _MOST_MARKS - 2 * [given[place] for place in _MAYBE_TEXT].count(None)


def _read_any(document: str | bytes) -> Course | None:
    """Read a course in whatever order and with whatever space and escapes it is written.

    A field that stands twice shows in the quotation marks: two for each key, two for each text.
    """
    course, marks = _read(_decode(document))
    return course if _quotation_marks(document) == marks else None


def _read_plainly(document: str | bytes) -> Course | None:
    return read_by_pattern(document) or _read_any(document)


PLAIN_READERS = (read_by_pattern, _read_any)
_readers = (read_by_msgspec, _read_plainly) if msgspec else PLAIN_READERS


def read_surely(document: Any) -> Course | None:
    """Read a course that is right beyond doubt; None is no more than a doubt."""
    read_own, read_other = _readers
    try:
        return read_own(document) or read_other(document)
    except _DOUBTS:
        return None


def read_all_surely(document: Any) -> tuple[Course, ...] | None:
    """Read an array of courses that are all right beyond doubt."""
    try:
        elements = _decode(document)
        read = [_read(fields) for fields in elements]
        is_right = _quotation_marks(document) == sum(marks for _, marks in read)
    except _DOUBTS:
        return None
    return tuple(course for course, _ in read) if is_right and type(elements) is list else None


def _quotation_marks(document: str | bytes) -> int:
    return document.count('"') if isinstance(document, str) else bytes.count(document, b'"')
