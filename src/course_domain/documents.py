"""A document as strict JSON has it, read into values: every problem at once, each with its path."""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from types import NoneType
from typing import Any, TypeVar, cast, get_args
from uuid import UUID

import attrs

from course_domain import values
from course_domain.course import COURSE_KINDS, Course, CourseStatus, CourseType, broken_rules
from course_domain.details import CourseChanges, CourseDetails
from course_domain.errors import InvalidDocument
from course_domain.rules import Rule, Violation
from course_domain.values import Kind, Refusal

T = TypeVar("T")
Form = tuple[type, Callable[[Any], Any], str]
"""The type that a value has in JSON, how it is taken from there, and how to say so."""

_MAX_SHOWN_KEY_LENGTH = 50  # in characters; violations go into logs
_MAX_DIGITS = 20  # more than any range has, few enough for int()

UUID_PATTERN = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
# RFC 3339, but for the leap second, which no datetime keeps; below the microsecond only zeros.
LOCAL_PATTERN = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6}0*)?"
)
OFFSET_PATTERN = "(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"

_UUID = re.compile(UUID_PATTERN)
_DATE_TIME = re.compile(f"{LOCAL_PATTERN}{OFFSET_PATTERN}?")
_MICROSECONDS = re.compile(r"\.[0-9]{6}Z")
_PLAIN_KEY = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_TYPE_NAMES: Mapping[type, str] = {
    NoneType: "null", str: "string", bool: "boolean", int: "number", float: "number",
    dict: "object", list: "array",
}  # fmt: skip
_TWICE = object()  # in the place of a value: the object has this key more than once


def uuid_from_text(text: str) -> UUID:
    """Read a UUID with its hyphens, or raise ValueError."""
    if not _UUID.fullmatch(text):
        raise ValueError
    return UUID(text)


def instant_from_text(text: str) -> datetime:
    """Read a date-time of RFC 3339, or raise ValueError, or `Refusal` where no offset is told."""
    is_plain = text[4:19:3] == "--T::" and (text[19:] == "Z" or _MICROSECONDS.fullmatch(text, 19))
    if is_plain and text[11:13] < "24":  # which a later Python takes for the midnight after
        return datetime.fromisoformat(text)
    if not _DATE_TIME.fullmatch(text):
        raise ValueError
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is None:
        raise Refusal(Rule.NAIVE_DATETIME)
    return moment


def _member_of(kind: type[CourseType | CourseStatus]) -> Form:
    members = {member.value: member for member in kind}

    def member(text: str) -> CourseType | CourseStatus:
        if text not in members:
            raise ValueError
        return members[text]

    return str, member, f"one of {', '.join(members)}"


_FORMS: Mapping[type, Form] = {
    UUID: (str, uuid_from_text, "a UUID with hyphens"),
    datetime: (str, instant_from_text, "an RFC 3339 date-time with an offset"),
    str: (str, str.__str__, "a string"),
    int: (int, int.__int__, "an integer"),
    bool: (bool, bool, "a boolean"),
    CourseType: _member_of(CourseType),
    CourseStatus: _member_of(CourseStatus),
}


def _form_of(kind: Any) -> Form:
    """Find the form of a type; that of an enumeration, or of another subclass, is made."""
    if kind in _FORMS:
        return _FORMS[kind]
    members = [str(member.value) for member in kind] if issubclass(kind, Enum) else []
    expected = f"one of {', '.join(members)}" if members else kind.__name__
    return str if issubclass(kind, str) else int, kind, expected


def wrong_type(value: object, expected: str) -> Refusal:
    """Refuse a value by what JSON calls its type."""
    actual = _TYPE_NAMES.get(type(value)) or type(value).__name__
    return Refusal(Rule.WRONG_TYPE, expected=expected, actual=actual)


def read_as(kind: Any, keep: Kind[Any]) -> Kind[Any]:
    """Make what takes a value from JSON as the form of this type has it; nothing is coerced.

    `keep` judges it then, and whether it may be None.
    """
    base, take, expected = _form_of(kind)

    def read(value: Any) -> Any:
        if value is None:
            return keep(None)
        if value is _TWICE:
            raise Refusal(Rule.MALFORMED_DOCUMENT, reason="the field stands twice")
        if not isinstance(value, base) or (base is not bool and isinstance(value, bool)):
            raise wrong_type(value, expected)
        try:
            taken = take(value)
        except ValueError:
            raise wrong_type(value, expected) from None
        return keep(taken)

    return read


def _field_kind(declared: Any, keep: Kind[Any]) -> Kind[Any]:
    (kind,) = {*get_args(declared)} - {NoneType} or {declared}
    return read_as(kind, keep)


_KINDS: Mapping[str, Kind[Any]] = {
    **{each.name: _field_kind(each.type, COURSE_KINDS[each.name]) for each in attrs.fields(Course)},
    "certificate_never_expires": _field_kind(bool, values.flag),
}
DOCUMENTS: Mapping[Any, Mapping[str, bool]] = {
    Course: {each.name: each.default is attrs.NOTHING for each in attrs.fields(Course)},
    **{
        kind: {name: name in kind.__required_keys__ for name in kind.__annotations__}
        for kind in (CourseDetails, CourseChanges)
    },
}
"""The fields of each document in their order, and whether each must be there."""


def invalid_document(refusal: Refusal, path: str = "$") -> InvalidDocument:
    """Refuse a document as a whole, which stands at this path."""
    params = {**refusal.params, "path": path}
    return InvalidDocument([Violation(refusal.rule, ("document",), params)])


def _unknown_field(path: str, key: object) -> Violation:
    name = key if isinstance(key, str) else f"<{type(key).__name__}>"
    cut = "..." if len(name) > _MAX_SHOWN_KEY_LENGTH else ""
    shown = json.dumps(name[:_MAX_SHOWN_KEY_LENGTH])[1:-1] + cut
    step = f".{shown}" if _PLAIN_KEY.fullmatch(shown) else f'["{shown}"]'
    return Violation(Rule.UNKNOWN_FIELD, (shown,), {"path": path + step})


def read_document(document: Any, kind: type[T], path: str = "$") -> T:
    """Read an object as this kind of document, or raise every problem, unknown keys last."""
    if not isinstance(document, Mapping):
        raise invalid_document(wrong_type(document, "an object"), path)
    given = cast("Mapping[object, object]", document)
    required = DOCUMENTS[kind]
    judged = [
        (name, given.get(name))
        for name, must_be_there in required.items()
        if must_be_there or name in given
    ]
    plain, problems = values.judge(_KINDS, judged, path)
    problems += (
        Violation(each.rule, each.fields, {"path": f"{path}.{each.fields[0]}"})
        for each in broken_rules(plain)
    )
    problems += [_unknown_field(path, key) for key in given if key not in required]
    if problems:
        raise InvalidDocument(problems)
    return kind(**plain)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        fields.update((key, _TWICE) for key in counts if counts[key] > 1)
    return fields


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object,
    parse_int=lambda digits: int(digits[:_MAX_DIGITS]),
    parse_constant=int,  # a ValueError, for NaN and the infinities
)


def decode(document: object) -> Any:
    """Decode JSON text or its UTF-8 bytes; `InvalidDocument` for anything else."""
    if not isinstance(document, str | bytes):
        raise invalid_document(wrong_type(document, "JSON in str or bytes"))
    try:
        return _DECODER.decode(document if isinstance(document, str) else document.decode())
    except UnicodeDecodeError as error:
        reason = f"it is not UTF-8 at byte {error.start}"
    except json.JSONDecodeError as error:
        reason = f"the syntax is wrong at line {error.lineno}, column {error.colno}"
    except ValueError:
        reason = "NaN and Infinity are no numbers"
    except RecursionError:
        reason = "it is nested too deeply"
    raise invalid_document(Refusal(Rule.MALFORMED_DOCUMENT, reason=reason))
