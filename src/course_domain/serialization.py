"""Courses, and what authors say of them, from strict JSON and back.

Nothing is coerced or rounded, no key is passed over. What is wrong with a document comes as one
`InvalidDocument` with *every* problem: each is a violation whose ``params["path"]`` tells the place
(``$`` the document, ``$.start_date`` a field, ``$[3].title`` a field of an element).
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import Enum
from functools import partial
from operator import is_
from types import NoneType
from typing import Any, TypeVar, cast, get_args
from uuid import UUID

import attrs
from cattrs import Converter
from cattrs.gen import make_dict_unstructure_fn

from course_domain import values
from course_domain.course import COURSE_KINDS, Course, course_violations
from course_domain.details import CourseChanges, CourseDetails
from course_domain.errors import InvalidDocument
from course_domain.rules import Rule, Violation
from course_domain.values import Kind, Refusal

T = TypeVar("T")
_Form = tuple[type, Callable[[Any], Any], str]

_MAX_SHOWN_KEY_LENGTH = 50  # in characters; violations go into logs
_MAX_DIGITS = 20  # more than any range has, few enough for int()

_UUID = re.compile("[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# RFC 3339, but for the leap second, which no datetime keeps; below the microsecond only zeros.
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,6}0*)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])?"
)
_PLAIN_KEY = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_TYPE_NAMES: Mapping[type, str] = {
    NoneType: "null", str: "string", bool: "boolean", int: "number", float: "number",
    dict: "object", list: "array",
}  # fmt: skip
_TWICE = object()  # in the place of a value: the object has this key more than once


def _uuid(text: str) -> UUID:
    if not _UUID.fullmatch(text):
        raise ValueError
    return UUID(text)


def _instant(text: str) -> datetime:
    if not _DATE_TIME.fullmatch(text):
        raise ValueError
    moment = datetime.fromisoformat(text.upper())
    if moment.tzinfo is None:
        raise Refusal(Rule.NAIVE_DATETIME)
    return moment


# What a type is in JSON, how it is taken from there, and how to say so.
_FORMS: Mapping[type, _Form] = {
    UUID: (str, _uuid, "a UUID with hyphens"),
    datetime: (str, _instant, "an RFC 3339 date-time with an offset"),
    str: (str, str.__str__, "a string"),
    int: (int, int.__int__, "an integer"),
    bool: (bool, bool, "a boolean"),
}


def _form(kind: Any) -> _Form:
    """Find the form of a type; that of an enumeration, or of another subclass, is made."""
    if kind in _FORMS:
        return _FORMS[kind]
    members = [str(member.value) for member in kind] if issubclass(kind, Enum) else []
    expected = f"one of {', '.join(members)}" if members else kind.__name__
    return str if issubclass(kind, str) else int, kind, expected


def _wrong_type(value: object, expected: str) -> Refusal:
    actual = _TYPE_NAMES.get(type(value), type(value).__name__)
    return Refusal(Rule.WRONG_TYPE, expected=expected, actual=actual)


def _read(value: Any, form: _Form) -> Any:
    base, take, expected = form
    if value is None:
        raise Refusal(Rule.REQUIRED)
    if value is _TWICE:
        raise Refusal(Rule.MALFORMED_DOCUMENT, reason="the field stands twice")
    if isinstance(value, base) and (base is bool or not isinstance(value, bool)):
        with suppress(ValueError):
            return take(value)
    raise _wrong_type(value, expected)


def _field_kind(declared: Any, keep: Kind[Any]) -> Kind[Any]:
    """Join how a field is read and what it then takes, which knows whether it may be None."""
    (kind,) = {*get_args(declared)} - {NoneType} or {declared}
    form = _form(kind)
    return lambda value: keep(None if value is None else _read(value, form))


_KINDS: Mapping[str, Kind[Any]] = {
    **{each.name: _field_kind(each.type, COURSE_KINDS[each.name]) for each in attrs.fields(Course)},
    "certificate_never_expires": _field_kind(bool, values.flag),
}
# The fields of each document in their order, and whether each must be there.
_DOCUMENTS: Mapping[Any, Mapping[str, bool]] = {
    Course: {each.name: each.default is attrs.NOTHING for each in attrs.fields(Course)},
    **{
        kind: {name: name in kind.__required_keys__ for name in kind.__annotations__}
        for kind in (CourseDetails, CourseChanges)
    },
}


def _refused(refusal: Refusal, path: str = "$") -> InvalidDocument:
    params = {**refusal.params, "path": path}
    return InvalidDocument([Violation(refusal.rule, ("document",), params)])


def _unknown_field(path: str, key: object) -> Violation:
    name = key if isinstance(key, str) else f"<{type(key).__name__}>"
    cut = "..." if len(name) > _MAX_SHOWN_KEY_LENGTH else ""
    shown = json.dumps(name[:_MAX_SHOWN_KEY_LENGTH])[1:-1] + cut
    step = f".{shown}" if _PLAIN_KEY.fullmatch(shown) else f'["{shown}"]'
    return Violation(Rule.UNKNOWN_FIELD, (shown,), {"path": path + step})


def _document(document: Any, kind: type[T], path: str = "$") -> T:
    """Read an object as this kind of document, or raise every problem, unknown keys last."""
    if not isinstance(document, Mapping):
        raise _refused(_wrong_type(document, "an object"), path)
    given = cast("Mapping[object, object]", document)
    required = _DOCUMENTS[kind]
    names = [name for name in required if required[name] or name in given]
    plain, violations = values.judge(_KINDS, [(name, given.get(name)) for name in names])
    judged = course_violations(**{name: plain[name] for name in plain if name in COURSE_KINDS})
    violations += [each for each in judged if each not in violations]
    problems = [
        attrs.evolve(each, params={**each.params, "path": f"{path}.{each.fields[0]}"})
        for each in violations
    ]
    problems += (_unknown_field(path, key) for key in given if key not in required)
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


def _decoded(document: object) -> Any:
    if not isinstance(document, str | bytes):
        raise _refused(_wrong_type(document, "JSON in str or bytes"))
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
    raise _refused(Refusal(Rule.MALFORMED_DOCUMENT, reason=reason))


def course_from_json(document: str | bytes) -> Course:
    """Read a course from JSON text, or from its UTF-8 bytes without a byte order mark.

    Fields that may be None may be absent. UUIDs have hyphens; date-times are RFC 3339 with an
    offset, to the microsecond; true and 12.0 are no integers. Raises `InvalidDocument` with every
    problem: ``malformed_document`` (no JSON, or a field that stands twice), ``required``,
    ``wrong_type``, ``naive_datetime``, ``unstorable_text`` and ``out_of_range`` in the order of the
    fields, the five validation rules of `Course`, and ``unknown_field``. None repeats a value.
    """
    return _document(_decoded(document), Course)


def course_to_json(course: Course) -> str:
    """Write `course_to_dict` as JSON text; `course_from_json` reads an equal course from it."""
    return json.dumps(course_to_dict(course), ensure_ascii=False)


def course_from_dict(document: Mapping[str, Any]) -> Course:
    """Read a course from what JSON text decodes to, as strictly as `course_from_json`."""
    return _document(document, Course)


def course_to_dict(course: Course) -> dict[str, Any]:
    """Write a course as what JSON has: UUIDs, enums and instants, in UTC, become text.

    Raises `InvalidValue` (``wrong_type``) for what is no course.
    """
    (known,) = values.checked(course=(values.record(Course), course))
    return _write_course(known)


def courses_from_json(document: str | bytes) -> tuple[Course, ...]:
    """Read a JSON array of courses; `InvalidDocument` has every problem of every one."""
    elements = _decoded(document)
    if not isinstance(elements, list):
        raise _refused(_wrong_type(elements, "an array"))
    courses: list[Course] = []
    problems: list[Violation] = []
    for place, element in enumerate(cast("list[object]", elements)):
        try:
            courses.append(_document(element, Course, f"$[{place}]"))
        except InvalidDocument as refused:
            problems += refused.violations
    if problems:
        raise InvalidDocument(problems)
    return tuple(courses)


def courses_to_json(courses: Iterable[Course]) -> str:
    """Write courses as a JSON array; `InvalidValue` (``wrong_type``) for what are no courses."""
    (known,) = values.checked(courses=(values.each(values.record(Course)), courses))
    return json.dumps([_write_course(each) for each in known], ensure_ascii=False)


def course_details_from_json(document: str | bytes) -> CourseDetails:
    """Read what a client says of a new course: an author's eleven fields and one flag, no others.

    The result has what stands in the document. Raises `InvalidDocument` as `course_from_json`;
    ``certificate_validity_required_when_issues_certificate`` is judged at the create.
    """
    return _document(_decoded(document), CourseDetails)


def course_changes_from_json(document: str | bytes) -> CourseChanges:
    """Read what a client changes of a course: absent means unchanged, null means cleared.

    As `course_details_from_json`, but no field is required; the rules judge those that are given.
    """
    return _document(_decoded(document), CourseChanges)


def _structure(value: Any, kind: Any) -> Any:
    try:
        return _read(value, _form(kind))
    except Refusal as refusal:
        raise _refused(refusal) from None


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
    and UUID, datetime, str, int, bool and enumerations, raise `InvalidDocument`, with paths from
    that value on; inside a host's class cattrs gathers it into its `ClassValidationError`.
    """
    converter = _plain_converter()
    for kind in _DOCUMENTS:
        converter.register_structure_hook_func(partial(is_, kind), _document)
    converter.register_unstructure_hook_func(partial(is_, Course), _write_course)
    return converter
