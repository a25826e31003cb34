import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum, IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, NewType
from uuid import UUID

import attrs
import pytest
from cattrs import ClassValidationError, Converter
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    COURSE_ID,
    MAX_INTEGER,
    NOW,
    HostText,
    broken,
    course,
    course_fields,
    refusals,
    registration,
    reminder,
)
from course_domain import (
    Course,
    CourseChanges,
    CourseDetails,
    CourseStatus,
    CourseType,
    InvalidDocument,
    Registration,
    RenewalReminder,
    Violation,
    course_violations,
)
from course_domain.serialization import (
    course_changes_from_json,
    course_details_from_json,
    course_from_dict,
    course_from_json,
    course_to_dict,
    course_to_json,
    courses_from_json,
    courses_to_json,
    make_converter,
)
from course_domain.testing.strategies import courses, invalid_course_fields

DATA = Path(__file__).parent / "data"
SAMPLES = DATA / "courses.json"

DOCUMENT: dict[str, Any] = {
    "id": "00000000-0000-4000-8000-0000000000c1",
    "organization_id": "00000000-0000-4000-8000-00000000000a",
    "title": "Basic course for peer mentors",
    "description": "Two days on listening.",
    "course_type": "certification",
    "status": "published",
    "start_date": "2026-03-16T09:30:00Z",
    "end_date": "2026-03-17T09:30:00Z",
    "location": "Storgata 1, Oslo",
    "is_virtual": False,
    "max_participants": 12,
    "issues_certificate": True,
    "certificate_validity_months": 24,
    "registration_deadline": "2026-03-09T09:30:00Z",
    "created_by": "00000000-0000-4000-8000-0000000000ad",
    "created_at": "2026-01-01T09:30:00Z",
    "updated_at": "2026-01-31T09:30:00Z",
}
"""What `course()` of the builders is as a document."""

OPTIONAL = {
    "description",
    "start_date",
    "end_date",
    "location",
    "max_participants",
    "certificate_validity_months",
    "registration_deadline",
}
UUIDS = ("id", "organization_id", "created_by")
INSTANTS = ("start_date", "end_date", "registration_deadline", "created_at", "updated_at")
TEXTS = ("title", "description", "location")
AUTHORS = {
    name: DOCUMENT[name]
    for name in (
        "title",
        "description",
        "course_type",
        "start_date",
        "end_date",
        "location",
        "is_virtual",
        "max_participants",
        "issues_certificate",
        "certificate_validity_months",
        "registration_deadline",
    )
}
NO_DATES = {"start_date": None, "end_date": None, "registration_deadline": None}

A_UUID = "a UUID with hyphens"
A_DATE_TIME = "an RFC 3339 date-time with an offset"
A_TYPE = "one of certification, onboarding, workshop"
A_STATUS = "one of draft, published, archived"


def table(name: str) -> list[str]:
    """Give the cases that a file of `DATA` lists."""
    cases: list[str] = json.loads((DATA / name).read_text(encoding="utf-8"))
    return cases


def violations(read: Callable[[Any], object], document: object) -> tuple[Violation, ...]:
    """Give the problems that reading a document raises."""
    with pytest.raises(InvalidDocument) as raised:
        read(document)
    return raised.value.violations


def problems(read: Callable[[Any], object], document: object) -> list[str]:
    """Give rule and path of each problem, as ``required $.title``."""
    return [f"{each.rule} {each.params['path']}" for each in violations(read, document)]


def of_course(**fields: object) -> list[str]:
    """Give the problems of a course document that has these fields."""
    return problems(course_from_json, json.dumps(DOCUMENT | fields))


def of_text(text: str | bytes) -> list[str]:
    """Give the problems of a text that should be a course document."""
    return problems(course_from_json, text)


def with_raw(name: str, raw: str) -> str:
    """Give a course document, as text, that has this raw text in the place of one value."""
    return json.dumps(DOCUMENT | {name: "<here>"}).replace('"<here>"', raw)


# --- Writing and reading back


def test_course_is_written_field_by_field() -> None:
    """A course becomes its seventeen fields, in their order, as what JSON has."""
    assert list(DOCUMENT.items()) == list(course_to_dict(course()).items())
    assert DOCUMENT == json.loads(course_to_json(course()))


def test_what_is_written_has_only_plain_values() -> None:
    """A dict from a course holds no enumeration and no subclass: any JSON library writes it."""
    plain = {str, int, bool, type(None)}

    assert set() == {type(value) for value in course_to_dict(course()).values()} - plain


def test_document_is_read_field_by_field() -> None:
    """The document of a course is read as that course."""
    assert course() == course_from_json(json.dumps(DOCUMENT))
    assert course() == course_from_dict(MappingProxyType(DOCUMENT))


def test_absent_optional_fields_are_none() -> None:
    """A field that may be None may be absent, or null."""
    present = {name: value for name, value in DOCUMENT.items() if name not in OPTIONAL}
    expected = course(**dict.fromkeys(OPTIONAL))

    assert expected == course_from_dict(present)
    assert expected == course_from_dict(present | dict.fromkeys(OPTIONAL))


def test_order_and_space_in_a_document_mean_nothing() -> None:
    """Keys may come in any order, with any white space around."""
    backwards = dict(reversed(DOCUMENT.items()))

    assert course() == course_from_json("\r\n\t " + json.dumps(backwards, indent=3) + "\n")


@pytest.mark.parametrize(
    "moment",
    [datetime(2026, 3, 2, 9, 30, 0, 7, UTC), datetime(1900, 1, 1, tzinfo=UTC)],
)
def test_instants_are_written_in_utc(moment: datetime) -> None:
    """An instant is written in UTC with a Z, and with microseconds where it has any."""
    there = moment.astimezone(timezone(timedelta(hours=5, minutes=45)))
    expected = moment.isoformat().replace("+00:00", "Z")

    assert expected == course_to_dict(course(created_at=there))["created_at"]


@given(courses())
def test_course_stays_equal_through_json(drawn: Course) -> None:
    """What is written is read back equal, as text, as bytes and as a dict."""
    text = course_to_json(drawn)

    assert drawn == course_from_json(text)
    assert drawn == course_from_json(text.encode())
    assert drawn == course_from_dict(course_to_dict(drawn))


@given(st.lists(courses(), max_size=3))
def test_courses_stay_equal_through_json(drawn: list[Course]) -> None:
    """An array of courses is read back equal and in its order."""
    assert tuple(drawn) == courses_from_json(courses_to_json(iter(drawn)))


@pytest.mark.parametrize(
    "title", ["\u2028x\u2029", "\U0001f3a7", "\ufeffx", "a\u0308 \u00e4", '"\\']
)
def test_text_is_kept_code_point_for_code_point(title: str) -> None:
    """Text is neither normalised nor trimmed, escaped or not."""
    assert title == course_from_json(course_to_json(course(title=title))).title
    assert title == course_from_json(json.dumps(DOCUMENT | {"title": title})).title


def test_samples_are_read() -> None:
    """The twelve courses of two organizations are read from their bytes, instants in UTC."""
    read = courses_from_json(SAMPLES.read_bytes())

    assert (12, 2) == (len(read), len({each.organization_id for each in read}))
    assert datetime(2023, 9, 2, 8, 0, tzinfo=UTC) == read[0].start_date
    assert read == courses_from_json(SAMPLES.read_text(encoding="utf-8"))
    assert read == courses_from_json(courses_to_json(read))


@pytest.mark.parametrize("write", [course_to_json, course_to_dict])
@pytest.mark.parametrize("value", [None, "course", {"title": "x"}, Course])
def test_only_a_course_is_written(write: Callable[[Any], object], value: object) -> None:
    """Writing what is no course is refused."""
    assert refusals(write, value)[0].endswith(": course")


@pytest.mark.parametrize("value", [None, course(), [course(), DOCUMENT], "courses", 5])
def test_only_courses_are_written(value: Any) -> None:
    """Writing an array of what are no courses is refused."""
    assert refusals(courses_to_json, value)[0].endswith(": courses")


def test_course_of_a_hosts_own_class_is_written_as_a_course() -> None:
    """The fields that a host adds to a course of its own are none of the document."""

    @attrs.frozen(kw_only=True)
    class HostCourse(Course):
        room: str

    assert DOCUMENT == course_to_dict(HostCourse(**course_fields(), room="2 B"))


# --- One value


def typed(names: tuple[str, ...], expected: str, *cases: tuple[object, str]) -> list[Any]:
    """Make the cases of values of a wrong type, for the first of the fields, and one for each."""
    rest = [(name, value, expected, actual) for name in names[1:] for value, actual in cases[:1]]
    return [(names[0], value, expected, actual) for value, actual in cases] + rest


@pytest.mark.parametrize(
    ("name", "value", "expected", "actual"),
    [
        *typed(UUIDS, A_UUID, (7, "number"), ("seven", "string"), ([], "array")),
        *typed(TEXTS, "a string", (7, "number"), (False, "boolean"), ({}, "object")),
        *typed(INSTANTS, A_DATE_TIME, (1_772_443_800, "number"), ("today", "string")),
        *typed(("course_type",), A_TYPE, ("course", "string"), (0, "number"), (True, "boolean")),
        *typed(("status",), A_STATUS, ("Draft", "string"), ("workshop", "string"), ([], "array")),
        *typed(("is_virtual", "issues_certificate"), "a boolean", (0, "number"), ("", "string")),
        *typed(
            ("max_participants", "certificate_validity_months"),
            "an integer",
            (True, "boolean"),
            (False, "boolean"),
            ("12", "string"),
            (12.0, "number"),
            (12.5, "number"),
            ({"value": 12}, "object"),
        ),
    ],
)
def test_value_of_a_wrong_type_is_refused(
    name: str, value: object, expected: str, actual: str
) -> None:
    """What a field cannot be is ``wrong_type``, which says what it must be and what it is."""
    (violation,) = violations(course_from_json, json.dumps(DOCUMENT | {name: value}))

    assert ("wrong_type", (name,)) == (violation.rule, violation.fields)
    assert {"expected": expected, "actual": actual, "path": f"$.{name}"} == violation.params
    assert f"$.{name}: {name} must be {expected}, not {actual}." == str(violation)


@pytest.mark.parametrize(
    ("name", "value", "actual"),
    [
        ("id", COURSE_ID, "UUID"),
        ("start_date", NOW, "datetime"),
        ("start_date", NOW.date(), "date"),
        ("title", b"title", "bytes"),
        ("is_virtual", None, None),
    ],
)
def test_dict_is_read_as_strictly_as_text(name: str, value: object, actual: str | None) -> None:
    """A dict holds what JSON has: an object in the place of its text is refused."""
    (violation,) = violations(course_from_dict, DOCUMENT | {name: value})

    assert (f"$.{name}", actual) == (violation.params["path"], violation.params.get("actual"))


def test_text_of_a_hosts_own_class_is_kept_plain() -> None:
    """Text in a dict may be of a subclass of str; the course has plain text."""

    class Word(str, Enum):  # noqa: UP042  whose str() is not its text
        TITLE = "Words"

    assert "Words" == course_from_dict(DOCUMENT | {"title": Word.TITLE}).title
    assert str is type(course_from_dict(DOCUMENT | {"title": HostText("Words")}).title)
    assert COURSE_ID == course_from_dict(DOCUMENT | {"id": HostText(COURSE_ID)}).id


@pytest.mark.parametrize("name", sorted(DOCUMENT.keys() - OPTIONAL))
def test_required_field_is_neither_absent_nor_null(name: str) -> None:
    """A field that a course cannot be without is ``required``, told once."""
    absent = {other: value for other, value in DOCUMENT.items() if other != name}

    assert [f"required $.{name}"] == of_course(**{name: None})
    assert [f"required $.{name}"] == problems(course_from_dict, absent)


@pytest.mark.parametrize(
    "text",
    ["6b0d549b-6f03-475a-9600-a35a099950d8", "6B0D549B-6F03-475A-9600-A35A099950D8"],
)
def test_uuid_has_hyphens_in_either_case(text: str) -> None:
    """A UUID is read in lower and upper case."""
    expected = UUID(int=0x6B0D549B6F03475A9600A35A099950D8)

    assert expected == course_from_dict(DOCUMENT | {"id": text}).id


@pytest.mark.parametrize(
    "text",
    [
        "",
        "6b0d549b6f03475a9600a35a099950d8",
        "6b0d549b6f03475a9600-a35a099950d8",
        "{6b0d549b-6f03-475a-9600-a35a099950d8}",
        "urn:uuid:6b0d549b-6f03-475a-9600-a35a099950d8",
        "6b0d549b-6f03-475a-9600-a35a099950d",
        "6b0d549b-6f03-475a-9600-a35a099950d88",
        "6b0d549b-6f03-475a-9600a-35a099950d8",
        "6b0d549b-6f03475a-9600-a35a0999-50d8",
        "-6b0d549b6f03-475a-9600-a35a099950d8",
        "6b0d549g-6f03-475a-9600-a35a099950d8",
        "6b0d549\u096a-6f03-475a-9600-a35a099950d8",
        " 6b0d549b-6f03-475a-9600-a35a099950d8",
        "6b0d549b-6f03-475a-9600-a35a099950d8\n",
    ],
)
def test_uuid_in_another_form_is_refused(text: str) -> None:
    """A UUID has five groups of hexadecimal digits and nothing else."""
    assert ["wrong_type $.id"] == of_course(id=text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1963-06-19T08:30:06.283185Z", (1963, 6, 19, 8, 30, 6, 283_185)),
        ("1963-06-19T08:30:06Z", (1963, 6, 19, 8, 30, 6)),
        ("1963-06-19t08:30:06.283185z", (1963, 6, 19, 8, 30, 6, 283_185)),
        ("1937-01-01T12:00:27.87+00:20", (1937, 1, 1, 11, 40, 27, 870_000)),
        ("1990-12-31T15:59:50.123-08:00", (1990, 12, 31, 23, 59, 50, 123_000)),
        ("2026-01-01T00:00:00+23:59", (2025, 12, 31, 0, 1)),
        ("2026-01-01T00:00:00-23:59", (2026, 1, 1, 23, 59)),
        ("2026-01-01T00:00:00-00:00", (2026, 1, 1)),
        ("2028-02-29T23:59:59.999999Z", (2028, 2, 29, 23, 59, 59, 999_999)),
        ("2026-01-01T00:00:00.1Z", (2026, 1, 1, 0, 0, 0, 100_000)),
        ("2026-01-01T00:00:00.000001Z", (2026, 1, 1, 0, 0, 0, 1)),
        ("2026-01-01T00:00:00.123456000Z", (2026, 1, 1, 0, 0, 0, 123_456)),
        ("1900-01-01T01:00:00+01:00", (1900, 1, 1)),
        ("9000-01-01T00:59:59.999999+01:00", (8999, 12, 31, 23, 59, 59, 999_999)),
    ],
)
def test_date_time_is_an_instant(text: str, expected: tuple[int, int, int]) -> None:
    """A date-time of RFC 3339 is read as its instant, to the microsecond."""
    assert (
        datetime(*expected, tzinfo=UTC)
        == course_from_dict(DOCUMENT | {"created_at": text}).created_at
    )


@pytest.mark.parametrize("text", table("json_no_date_times.json"))
def test_date_time_in_another_form_is_refused(text: str) -> None:
    """What is no date-time of RFC 3339, or more exact than a datetime, is ``wrong_type``."""
    assert ["wrong_type $.created_at"] == of_course(created_at=text)


@pytest.mark.parametrize("text", ["2026-03-16T09:30:00", "2026-03-16t09:30:00.5"])
@pytest.mark.parametrize("name", INSTANTS)
def test_date_time_without_an_offset_is_naive(name: str, text: str) -> None:
    """A date-time that tells no offset is ``naive_datetime``."""
    (violation,) = violations(course_from_json, json.dumps(DOCUMENT | {name: text}))

    assert ("naive_datetime", (name,)) == (violation.rule, violation.fields)
    assert {"path": f"$.{name}"} == violation.params


@pytest.mark.parametrize(
    "text",
    [
        "1899-12-31T23:59:59.999999Z",
        "9000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59.999999-23:59",
    ],
)
def test_instant_far_off_is_out_of_range(text: str) -> None:
    """An instant before 1900 or after 8999 is ``out_of_range``, also at the calendar's ends."""
    (violation,) = violations(course_from_dict, DOCUMENT | {"updated_at": text})

    assert "out_of_range" == violation.rule
    assert (1900, 8999) == (violation.params["minimum"].year, violation.params["maximum"].year)


@pytest.mark.parametrize(
    ("name", "raw", "rule"),
    [
        ("max_participants", str(MAX_INTEGER + 1), "out_of_range"),
        ("max_participants", "1" + "0" * 30, "out_of_range"),
        ("max_participants", "9" * 5_000, "out_of_range"),
        ("max_participants", "0", "max_participants_positive"),
        ("max_participants", "-0", "max_participants_positive"),
        ("max_participants", "-" + "9" * 5_000, "max_participants_positive"),
        ("max_participants", "1e3", "wrong_type"),
        ("max_participants", "12.0", "wrong_type"),
        ("max_participants", "1e400", "wrong_type"),
        ("certificate_validity_months", "1201", "out_of_range"),
        ("certificate_validity_months", "9" * 5_000, "out_of_range"),
        ("certificate_validity_months", "-1", "certificate_validity_positive"),
        ("title", "9" * 5_000, "wrong_type"),
        ("title", '"x\\u0000"', "unstorable_text"),
        ("title", '"x\\ud83d"', "unstorable_text"),
        ("location", '"\\udfa7\\ud83c"', "unstorable_text"),
        ("description", '"\udc00"', "unstorable_text"),
    ],
)
def test_value_out_of_bounds_is_refused(name: str, raw: str, rule: str) -> None:
    """What no course keeps is refused at its field, however many digits it has."""
    assert [f"{rule} $.{name}"] == of_text(with_raw(name, raw))


@pytest.mark.parametrize("digits", [str(MAX_INTEGER), "1"])
def test_greatest_and_least_integers_are_read(digits: str) -> None:
    """An integer at its bound is kept exactly."""
    read = course_from_json(with_raw("max_participants", digits))

    assert int(digits) == read.max_participants


def test_escaped_pair_of_surrogates_is_one_character() -> None:
    """An escaped character beyond the basic plane is read as what it is."""
    assert "\U0001f3a7" == course_from_json(with_raw("title", '"\\ud83c\\udfa7"')).title


# --- The rules, and everything at once


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"end_date": DOCUMENT["start_date"]}, ["end_date_after_start_date $.end_date"]),
        ({"end_date": "2026-03-16T10:30:00+01:00"}, ["end_date_after_start_date $.end_date"]),
        (
            {"registration_deadline": DOCUMENT["start_date"]},
            ["registration_deadline_before_start $.registration_deadline"],
        ),
        ({"title": " \u200b\t"}, ["title_not_empty $.title"]),
        ({"title": ""}, ["title_not_empty $.title"]),
        ({"max_participants": 0}, ["max_participants_positive $.max_participants"]),
        (
            {"certificate_validity_months": 0},
            ["certificate_validity_positive $.certificate_validity_months"],
        ),
    ],
)
def test_broken_rule_is_told_with_its_path(fields: dict[str, object], expected: list[str]) -> None:
    """A validation rule stands at the first of its fields."""
    assert expected == of_course(**fields)


def test_broken_rule_names_all_its_fields() -> None:
    """A violation of a rule about two fields keeps both, the one at fault first."""
    bad = DOCUMENT | {"end_date": DOCUMENT["start_date"]}
    (violation,) = violations(course_from_dict, bad)

    assert ("end_date", "start_date") == violation.fields
    assert "$.end_date: The end must be later than the start." == str(violation)


def test_rules_are_judged_beside_values_out_of_range() -> None:
    """A value of the right type that is out of range can break a rule too; each is told once."""
    assert [
        "out_of_range $.start_date",
        "out_of_range $.end_date",
        "end_date_after_start_date $.end_date",
    ] == of_course(
        start_date="9001-01-01T00:00:00Z",
        end_date="9000-01-01T00:00:00Z",
        registration_deadline=None,
    )


def test_every_problem_is_told_at_once() -> None:
    """Problems come by field in the order of the fields, then rules, then unknown keys."""
    document: dict[str, object] = {
        "unknown": 1,
        "updated_at": "now",
        "created_at": "2026-01-01T09:30:00",
        "registration_deadline": "2026-03-17T09:30:00Z",
        "certificate_validity_months": 0,
        "issues_certificate": 1,
        "max_participants": 10**30,
        "is_virtual": None,
        "location": "\x00",
        "end_date": "2026-03-15T09:30:00Z",
        "start_date": "2026-03-16T09:30:00Z",
        "status": "open",
        "course_type": 3,
        "description": [],
        "title": " ",
        "organization_id": "a",
        "also unknown": None,
    }

    assert [
        "required $.id",
        "wrong_type $.organization_id",
        "wrong_type $.description",
        "wrong_type $.course_type",
        "wrong_type $.status",
        "unstorable_text $.location",
        "required $.is_virtual",
        "out_of_range $.max_participants",
        "wrong_type $.issues_certificate",
        "required $.created_by",
        "naive_datetime $.created_at",
        "wrong_type $.updated_at",
        "end_date_after_start_date $.end_date",
        "registration_deadline_before_start $.registration_deadline",
        "title_not_empty $.title",
        "certificate_validity_positive $.certificate_validity_months",
        "unknown_field $.unknown",
        'unknown_field $["also unknown"]',
    ] == problems(course_from_json, json.dumps(document))


FAULTS: dict[str, list[tuple[object, str]]] = {
    **{name: [(None, "required"), ("x", "wrong_type")] for name in UUIDS},
    "title": [(None, "required"), (3, "wrong_type"), ("x\x00", "unstorable_text")],
    "description": [(3, "wrong_type"), ("\ud800", "unstorable_text")],
    "course_type": [(None, "required"), ("party", "wrong_type")],
    "status": [(None, "required"), ("lost", "wrong_type")],
    **{
        name: [
            (None, "required") if name not in OPTIONAL else ({}, "wrong_type"),
            ("2026-02-30T00:00:00Z", "wrong_type"),
            ("2026-02-03T00:00:00", "naive_datetime"),
            ("1812-02-03T00:00:00Z", "out_of_range"),
        ]
        for name in ("start_date", "created_at", "updated_at")
    },
    "location": [(True, "wrong_type"), ("\x00", "unstorable_text")],
    "is_virtual": [(None, "required"), (0, "wrong_type")],
    "max_participants": [(1.0, "wrong_type"), (10**50, "out_of_range")],
    "issues_certificate": [(None, "required"), ("true", "wrong_type")],
    "certificate_validity_months": [(True, "wrong_type"), (1_201, "out_of_range")],
}


@given(st.sets(st.sampled_from(sorted(FAULTS)), min_size=1), st.data())
def test_problems_add_up(names: set[str], data: st.DataObject) -> None:
    """The problems of a document are those of each of its fields, in the order of the fields."""
    ordered = [name for name in DOCUMENT if name in names]
    faults = {name: data.draw(st.sampled_from(FAULTS[name]), label=name) for name in ordered}
    fields = {name: value for name, (value, _) in faults.items()}

    assert [f"{rule} $.{name}" for name, (_, rule) in faults.items()] == of_course(
        **NO_DATES | fields
    )


def as_document(value: object) -> object:
    """Give what a document has in the place of the value of a field."""
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case _:
            return value


@given(invalid_course_fields())
def test_document_breaks_the_rules_that_its_course_breaks(
    drawn: tuple[dict[str, Any], frozenset[str]],
) -> None:
    """Values of the right type are judged as `course_violations` judges them, in its order."""
    fields, _ = drawn
    sound = course_fields(**NO_DATES)
    mistyped = [each.fields[0] for each in course_violations(**fields) if "expected" in each.params]
    fields |= {name: sound[name] for name in mistyped} | {"is_virtual": None}
    document = {name: as_document(value) for name, value in fields.items()}

    assert broken(course_violations(**fields)) == broken(violations(course_from_dict, document))


# --- Keys that should not be there, or not twice


@pytest.mark.parametrize(
    ("key", "shown", "path"),
    [
        ("name", "name", "$.name"),
        ("Title", "Title", "$.Title"),
        ("_x9", "_x9", "$._x9"),
        ("certificate_never_expires", "certificate_never_expires", "$.certificate_never_expires"),
        ("k" * 50, "k" * 50, "$." + "k" * 50),
        ("k" * 51, "k" * 50 + "...", '$["' + "k" * 50 + '..."]'),
        ("", "", '$[""]'),
        ("9x", "9x", '$["9x"]'),
        ("a b", "a b", '$["a b"]'),
        ("title ", "title ", '$["title "]'),
        ("title\n", "title\\n", '$["title\\n"]'),
        ('"]', '\\"]', '$["\\"]"]'),
        ("\u00e5r", "\\u00e5r", '$["\\u00e5r"]'),
        ("\ud800", "\\ud800", '$["\\ud800"]'),
        ("\U0001f3a7" * 60, "\\ud83c\\udfa7" * 50 + "...", None),
    ],
)
def test_unknown_key_is_refused(key: str, shown: str, path: str | None) -> None:
    """A key that is no field is ``unknown_field``, shown in ASCII and at most so long."""
    (violation,) = violations(course_from_json, json.dumps(DOCUMENT | {key: None}))

    assert ("unknown_field", (shown,)) == (violation.rule, violation.fields)
    assert {"path": path or f'$["{shown}"]'} == violation.params
    assert f"{violation.params['path']}: {shown} is not a field of this document." == str(violation)


@pytest.mark.parametrize(
    ("key", "path"), [(7, '$["<int>"]'), (None, '$["<NoneType>"]'), (HostText("x"), "$.x")]
)
def test_key_that_is_no_text_is_refused(key: Any, path: str) -> None:
    """A dict, unlike an object of JSON, may have keys of any type: they are unknown fields."""
    assert [f"unknown_field {path}"] == problems(course_from_dict, {**DOCUMENT, key: 1})


@pytest.mark.parametrize("second", ["null", '"Basic course for peer mentors"', "[]"])
@pytest.mark.parametrize("name", ["title", "location"])
def test_field_that_stands_twice_is_refused(name: str, second: str) -> None:
    """A known field given twice is ``malformed_document`` there, whatever the values."""
    text = f'{{"{name}": {second}, {json.dumps(DOCUMENT)[1:]}'
    (violation,) = violations(course_from_json, text)

    assert ("malformed_document", (name,)) == (violation.rule, violation.fields)
    assert {"reason": "the field stands twice", "path": f"$.{name}"} == violation.params


def test_each_field_that_stands_twice_is_told_once() -> None:
    """Two fields may stand twice and three times, one of them written with an escape."""
    text = '{"title": "a", "\\u0074itle": "b", "title": "c", "id": 1, ' + json.dumps(DOCUMENT)[1:]

    assert ["malformed_document $.id", "malformed_document $.title"] == of_text(text)


def test_unknown_key_that_stands_twice_is_one_unknown_field() -> None:
    """A key that is no field is told once, however often it stands."""
    assert ["unknown_field $.x"] == of_text('{"x": 1, "x": 2, ' + json.dumps(DOCUMENT)[1:])


def test_repeated_keys_elsewhere_spoil_nothing_else() -> None:
    """What stands twice inside a value is no field; the value is judged as what it is."""
    assert ["wrong_type $.location"] == of_text(with_raw("location", '{"title": 1, "title": 2}'))


# --- What is no JSON, and what is JSON but no course


@pytest.mark.parametrize("text", table("json_malformed.json"))
def test_what_is_no_json_is_malformed(text: str) -> None:
    """Text that is no JSON is ``malformed_document`` as a whole, and nothing else."""
    assert ["malformed_document $"] == of_text(text)


JSON_BUT_NO_COURSE: list[tuple[str, list[str]]] = [
    ("null", ["wrong_type $"]),
    ("true", ["wrong_type $"]),
    ("0", ["wrong_type $"]),
    ("-0.1e-7", ["wrong_type $"]),
    ("1E400", ["wrong_type $"]),
    ("9" * 5_000, ["wrong_type $"]),
    ('"course"', ["wrong_type $"]),
    ('"\\u0022\\\\\\/\\b\\f\\n\\r\\t"', ["wrong_type $"]),
    ('"\x7f"', ["wrong_type $"]),
    ('"\\ud800"', ["wrong_type $"]),
    ("[]", ["wrong_type $"]),
    (" [ 1 , {} ]\n", ["wrong_type $"]),
    ("[" * 200 + "]" * 200, ["wrong_type $"]),
    ('{"": {"": 1}}', ['unknown_field $[""]']),
    ('{"\\u0000": 1}', ['unknown_field $["\\u0000"]']),
    ('{"a": [{"b": [[]]}]}', ["unknown_field $.a"]),
    ('{"x":' * 200 + "1" + "}" * 200, ["unknown_field $.x"]),
    ("{}", []),
]


@pytest.mark.parametrize(("text", "expected"), JSON_BUT_NO_COURSE)
@pytest.mark.parametrize("coded", [str, str.encode])
def test_json_that_is_no_course_is_not_malformed(
    coded: Callable[[str], str | bytes], text: str, expected: list[str]
) -> None:
    """JSON of any shape is read; what is wrong with it is the type or the fields."""
    absent = [f"required $.{name}" for name in DOCUMENT if name not in OPTIONAL]
    whole = text.strip()[0] != "{"

    assert expected if whole else absent + expected == of_text(coded(text))


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xef\xbb\xbf{}",
        b"{}\xff",
        b'{"\xe5r": 1}',
        b'["\xc0\xaf"]',
        b'["\xe2\x82"]',
        b'["\xed\xa0\x80"]',
        b'["\xf4\xbf\xbf\xbf"]',
        "{}".encode("utf-16"),
        "{}".encode("utf-16-le"),
        "{}".encode("utf-32-be"),
        json.dumps(DOCUMENT).encode("utf-16"),
        json.dumps(DOCUMENT | {"title": "\u00e5"}, ensure_ascii=False).encode("latin-1"),
    ],
)
def test_bytes_that_are_no_utf_8_are_malformed(document: bytes) -> None:
    """Bytes are UTF-8 without a byte order mark; nothing else is guessed."""
    assert ["malformed_document $"] == of_text(document)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ('{"title": "secret",\n "id" 7}', "the syntax is wrong at line 2, column 7"),
        (b'{"\xe5": 1}', "it is not UTF-8 at byte 2"),
        ('{"title": Infinity}', "NaN and Infinity are no numbers"),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"a":' * 100_000, "it is nested too deeply"),
    ],
)
def test_malformed_document_tells_where(document: str | bytes, reason: str) -> None:
    """The reason tells the place, and neither it nor the error keeps any of the document."""
    with pytest.raises(InvalidDocument) as raised:
        course_from_json(document)

    (violation,) = raised.value.violations
    assert {"reason": reason, "path": "$"} == violation.params
    assert f"$: The document cannot be read as JSON: {reason}." == str(violation)
    assert raised.value.__context__ is None


@pytest.mark.parametrize(
    ("read", "value", "expected", "actual"),
    [
        (course_from_json, None, "JSON in str or bytes", "null"),
        (course_from_json, DOCUMENT, "JSON in str or bytes", "object"),
        (courses_from_json, [DOCUMENT], "JSON in str or bytes", "array"),
        (course_details_from_json, bytearray(b"{}"), "JSON in str or bytes", "bytearray"),
        (course_changes_from_json, SAMPLES, "JSON in str or bytes", type(SAMPLES).__name__),
        (course_from_dict, None, "an object", "null"),
        (course_from_dict, json.dumps(DOCUMENT), "an object", "string"),
        (course_from_dict, [DOCUMENT], "an object", "array"),
        (course_from_dict, list(DOCUMENT.items()), "an object", "array"),
        (course_from_dict, course(), "an object", "Course"),
        (courses_from_json, "{}", "an array", "object"),
        (courses_from_json, "null", "an array", "null"),
        (courses_from_json, '"[]"', "an array", "string"),
        (course_changes_from_json, "[]", "an object", "array"),
        (course_details_from_json, "1", "an object", "number"),
    ],
)
def test_document_of_a_wrong_type_is_refused(
    read: Callable[[Any], object], value: object, expected: str, actual: str
) -> None:
    """What cannot be the document as a whole is ``wrong_type`` at its root."""
    (violation,) = violations(read, value)

    assert ("wrong_type", ("document",)) == (violation.rule, violation.fields)
    assert {"expected": expected, "actual": actual, "path": "$"} == violation.params


# --- Arrays


def test_empty_array_has_no_courses() -> None:
    """An empty array is read as no courses, and written from none."""
    assert () == courses_from_json("[]")
    assert "[]" == courses_to_json([])


def test_every_problem_of_every_course_is_told() -> None:
    """Problems come course by course, each path with the place in the array."""
    array: list[object] = [
        DOCUMENT,
        DOCUMENT | {"title": " ", "x y": 1},
        None,
        DOCUMENT | {"id": None},
        [],
        {},
    ]

    assert [
        "title_not_empty $[1].title",
        'unknown_field $[1]["x y"]',
        "wrong_type $[2]",
        "required $[3].id",
        "wrong_type $[4]",
        "required $[5].id",
    ] == problems(courses_from_json, json.dumps(array))[:6]


def test_array_that_is_no_json_is_malformed() -> None:
    """An array that breaks off is ``malformed_document``; no course of it is read."""
    text = json.dumps([DOCUMENT, DOCUMENT])[:-1]

    assert ["malformed_document $"] == problems(courses_from_json, text)


def test_field_that_stands_twice_in_an_element_is_told_there() -> None:
    """A repeated key is a problem of its own object alone."""
    text = f'[{json.dumps(DOCUMENT)}, {{"id": 1, {json.dumps(DOCUMENT)[1:]}]'

    assert ["malformed_document $[1].id"] == problems(courses_from_json, text)


# --- What an author may say

REQUIRED_DETAILS = ["title", "course_type", "is_virtual", "issues_certificate"]
readers = pytest.mark.parametrize("read", [course_details_from_json, course_changes_from_json])


@readers
def test_all_that_an_author_may_say_is_read(read: Callable[[str], Mapping[str, Any]]) -> None:
    """The eleven fields and the flag are read as values of their types."""
    fields = course_fields()
    expected = {name: fields[name] for name in AUTHORS} | {"certificate_never_expires": True}

    assert expected == read(json.dumps(AUTHORS | {"certificate_never_expires": True}))


@readers
def test_only_what_is_given_is_in_the_result(read: Callable[[str], Mapping[str, Any]]) -> None:
    """What is absent stays absent, what is null is None; instants are kept in UTC."""
    given_fields = {name: AUTHORS[name] for name in REQUIRED_DETAILS} | {
        "location": None,
        "end_date": "2026-03-17T10:30:00+01:00",
    }
    result = read(json.dumps(given_fields))

    assert given_fields.keys() == result.keys()
    assert (None, "2026-03-17T09:30:00+00:00") == (
        result["location"],
        result["end_date"].isoformat(),
    )


def test_changes_may_be_none_at_all() -> None:
    """No field is required of changes."""
    assert {} == course_changes_from_json(b"{}")


def test_details_demand_what_a_course_needs() -> None:
    """Details without the fields that every course has are refused, each told in its order."""
    expected = [f"required $.{name}" for name in REQUIRED_DETAILS]

    assert expected == problems(course_details_from_json, "{}")


@readers
@pytest.mark.parametrize("name", [*REQUIRED_DETAILS, "certificate_never_expires"])
def test_author_cannot_clear_what_a_course_needs(read: Callable[[str], object], name: str) -> None:
    """Null in a field that is never None is ``required``."""
    assert [f"required $.{name}"] == problems(read, json.dumps(AUTHORS | {name: None}))


@readers
@pytest.mark.parametrize("name", sorted(DOCUMENT.keys() - AUTHORS.keys()))
def test_author_cannot_set_what_is_not_theirs(read: Callable[[str], object], name: str) -> None:
    """A client that sends id, organization_id, status or the like is refused."""
    document = AUTHORS | {name: DOCUMENT[name]}

    assert [f"unknown_field $.{name}"] == problems(read, json.dumps(document))


@readers
@pytest.mark.parametrize("value", [0, "true", []])
def test_flag_is_true_or_false(read: Callable[[str], object], value: object) -> None:
    """certificate_never_expires is a boolean."""
    document = AUTHORS | {"certificate_never_expires": value}
    (violation,) = violations(read, json.dumps(document))

    assert "$.certificate_never_expires" == violation.params["path"]
    assert "a boolean" == violation.params["expected"]


@readers
@pytest.mark.parametrize("flag", [{}, {"certificate_never_expires": False}])
def test_certificate_rule_is_left_to_the_decision(
    read: Callable[[str], Mapping[str, Any]], flag: dict[str, bool]
) -> None:
    """Whether a certificate needs months depends on the course that would result."""
    document = AUTHORS | {"certificate_validity_months": None} | flag

    assert read(json.dumps(document))["certificate_validity_months"] is None


@readers
def test_every_problem_of_what_an_author_says_is_told(read: Callable[[str], object]) -> None:
    """Problems come by field, the flag last, then the rules, then unknown keys."""
    document = AUTHORS | {
        "certificate_never_expires": 1,
        "end_date": AUTHORS["start_date"],
        "title": "",
        "course_type": "x",
        "status": "draft",
    }

    assert [
        "wrong_type $.course_type",
        "wrong_type $.certificate_never_expires",
        "end_date_after_start_date $.end_date",
        "title_not_empty $.title",
        "unknown_field $.status",
    ] == problems(read, json.dumps(document))


def test_rules_judge_the_changes_that_are_given() -> None:
    """A rule about two fields is judged only where both are given."""
    start, end = AUTHORS["start_date"], "2026-03-01T00:00:00Z"

    assert {"end_date"} == course_changes_from_json(json.dumps({"end_date": end})).keys()
    assert ["end_date_after_start_date $.end_date"] == problems(
        course_changes_from_json, json.dumps({"start_date": start, "end_date": end})
    )


# --- Whatever comes

ALL_READERS: list[Callable[[Any], object]] = [
    course_from_json,
    courses_from_json,
    course_details_from_json,
    course_changes_from_json,
]
ODD_VALUES = st.sampled_from(
    [*DOCUMENT.values(), " ", "\x00", "\ud800", 0, -1, 2**63, 1e308, "2026-03-16T09:30:00"]
)
JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | ODD_VALUES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.text(max_size=4) | st.sampled_from(sorted(DOCUMENT)), inner, max_size=6
        )
    ),
    max_leaves=20,
)
SPLICES = ["", "NaN", "\x00", '"', "\\", "{", "]", ",", "\ufeff", "\ud800", "9" * 50, '"id":1,']


def told(read: Callable[[Any], object], document: object) -> list[str]:
    """Give the problems of a document, none where it is read; any other error passes."""
    try:
        read(document)
    except InvalidDocument as refused:
        found = refused.violations
    else:
        return []
    return [f"{each.rule} {each.params['path']}" for each in found] or ["refused for no reason"]


@pytest.mark.parametrize("read", ALL_READERS)
@given(st.text() | st.binary())
def test_any_text_and_bytes_are_read_or_refused(
    read: Callable[[Any], object], document: str | bytes
) -> None:
    """Noise raises `InvalidDocument`, and nothing else."""
    found = told(read, document)

    assert all(" $" in problem for problem in found)


@pytest.mark.parametrize("read", ALL_READERS)
@given(JSON_VALUES)
def test_any_json_is_read_or_refused(read: Callable[[Any], object], value: object) -> None:
    """JSON of any shape is never malformed, and no problem is told twice."""
    found = told(read, json.dumps(value))

    assert len(set(found)) == len(found)
    assert [] == [problem for problem in found if problem.startswith("malformed_document")]


@given(st.dictionaries(st.sampled_from(sorted(DOCUMENT)), ODD_VALUES | JSON_VALUES, max_size=4))
def test_any_values_in_a_course_are_read_or_refused(fields: dict[str, object]) -> None:
    """A course with any values is refused for these fields alone, or read and written back."""
    document = DOCUMENT | fields
    found = told(course_from_dict, document)

    assert found == told(course_from_json, json.dumps(document))
    assert {problem.split(" $.")[1] for problem in found} <= fields.keys() | set(INSTANTS)
    if not found:
        read = course_from_dict(document)
        assert read == course_from_json(course_to_json(read))


@given(st.integers(0, 700), st.integers(0, 5), st.sampled_from(SPLICES))
def test_any_damage_to_a_course_is_read_or_refused(place: int, cut: int, splice: str) -> None:
    """A document with something cut out or put in is read or refused, as text and as bytes."""
    text = json.dumps(DOCUMENT)
    damaged = text[:place] + splice + text[place + cut :]
    found = told(course_from_json, damaged)

    if splice != "\ud800":
        assert found == told(course_from_json, damaged.encode())
    assert all(" $" in problem for problem in found)


@pytest.mark.parametrize("name", sorted(DOCUMENT))
def test_no_value_is_told(name: str) -> None:
    """An error can be logged: nothing that a document says is in it."""
    for value in ("confidential", ["confidential"], {"confidential": 1}, "confidential\x00"):
        told_of = violations(course_from_dict, DOCUMENT | {name: value, "x": "confidential"})

        assert "confidential" not in repr(told_of) + str(InvalidDocument(told_of))


# --- The converter of a host


class Colour(str, Enum):  # noqa: UP042  hosts have this kind too
    RED = "red"


class Level(IntEnum):
    LOW = 1


class Mail(str):
    __slots__ = ()


Nick = NewType("Nick", str)


@attrs.frozen(kw_only=True)
class Booking:
    """What a host keeps around a course."""

    course: Course
    other: Course | None
    more: list[Course]
    details: CourseDetails
    at: datetime | None
    by: UUID
    status: CourseStatus
    colour: Colour
    level: Level
    mail: Mail
    nick: Nick
    seats: int
    paid: bool = False


BOOKING = Booking(
    course=course(),
    other=course(title="Other"),
    more=[course(location=None), course(start_date=None)],
    details={
        "title": "New",
        "course_type": CourseType.WORKSHOP,
        "is_virtual": True,
        "issues_certificate": False,
        "start_date": NOW,
    },
    at=NOW,
    by=COURSE_ID,
    status=CourseStatus.ARCHIVED,
    colour=Colour.RED,
    level=Level.LOW,
    mail=Mail("ida@example.org"),
    nick=Nick("ida"),
    seats=10**30,
)


@pytest.fixture
def converter() -> Converter:
    """Give a converter as a host gets it."""
    return make_converter()


@pytest.mark.parametrize("other", [None, course(title="Other")])
def test_converter_writes_and_reads_a_hosts_class(
    converter: Converter, other: Course | None
) -> None:
    """A class around courses goes through JSON and back; each value keeps its own class."""
    booking = attrs.evolve(BOOKING, other=other)
    written = json.loads(json.dumps(converter.unstructure(booking)))
    read = converter.structure(written, Booking)

    assert DOCUMENT == written["course"]
    assert booking == read
    assert [Mail, Colour, Level] == [type(read.mail), type(read.colour), type(read.level)]


def test_converter_writes_plain_values(converter: Converter) -> None:
    """Enumerations, UUIDs and instants become plain text, subclasses of text too."""
    written = converter.unstructure(BOOKING)
    texts = ("at", "by", "status", "colour", "mail", "nick")

    assert {str} == {type(written[name]) for name in texts}
    assert ("2026-03-02T09:30:00Z", "archived") == (written["at"], written["status"])


@pytest.mark.parametrize("record", [registration(completed_at=NOW), reminder()])
def test_converter_carries_the_librarys_records(
    converter: Converter, record: Registration | RenewalReminder
) -> None:
    """A reminder on its way through a queue comes out equal."""
    written = json.dumps(converter.unstructure(record))

    assert record == converter.structure(json.loads(written), type(record))


@pytest.mark.parametrize(
    ("kind", "value", "expected", "actual"),
    [
        (UUID, COURSE_ID.hex, A_UUID, "string"),
        (datetime, "2026-03-02", A_DATE_TIME, "string"),
        (datetime, 5, A_DATE_TIME, "number"),
        (str, 5, "a string", "number"),
        (int, "5", "an integer", "string"),
        (int, 5.0, "an integer", "number"),
        (int, True, "an integer", "boolean"),
        (bool, 1, "a boolean", "number"),
        (CourseStatus, "open", A_STATUS, "string"),
        (Colour, "blue", "one of red", "string"),
        (Colour, 1, "one of red", "number"),
        (Level, 2, "one of 1", "number"),
        (Level, True, "one of 1", "boolean"),
        (Level, "1", "one of 1", "string"),
        (Mail, 5, "Mail", "number"),
        (Course, "course", "an object", "string"),
        (CourseDetails, [], "an object", "array"),
    ],
)
def test_converter_is_strict(
    converter: Converter, kind: Any, value: object, expected: str, actual: str
) -> None:
    """A converter coerces nothing: a wrong type is `InvalidDocument`, as in a course."""
    (violation,) = violations(lambda given: converter.structure(given, kind), value)

    assert ("wrong_type", ("document",)) == (violation.rule, violation.fields)
    assert {"expected": expected, "actual": actual, "path": "$"} == violation.params


@pytest.mark.parametrize("kind", [UUID, datetime, str, int, bool, CourseStatus])
def test_converter_takes_null_only_where_a_class_does(converter: Converter, kind: Any) -> None:
    """Null is ``required`` where a type does not allow None, and None where it does."""
    assert ["required $"] == problems(lambda value: converter.structure(value, kind), None)
    or_none: Any = kind | None

    assert converter.structure(None, or_none) is None


def test_converter_refuses_an_instant_without_an_offset(converter: Converter) -> None:
    """A naive datetime is refused in both directions."""
    naive = NOW.replace(tzinfo=None)

    assert ["naive_datetime: instant"] == refusals(converter.unstructure, naive)
    assert ["naive_datetime $"] == problems(
        lambda text: converter.structure(text, datetime), naive.isoformat()
    )


def test_converter_reads_documents_of_authors(converter: Converter) -> None:
    """Details and changes inside a host's class are as strict as on their own."""
    read: Callable[[Any], object] = lambda value: converter.structure(value, CourseChanges)  # noqa: E731

    assert {"location": None} == read({"location": None})
    assert ["unknown_field $.status"] == problems(read, {"status": "draft"})


def test_problems_of_a_course_reach_the_host_that_holds_it(converter: Converter) -> None:
    """Inside a host's class, `InvalidDocument` stands in the group that cattrs raises."""
    written = converter.unstructure(BOOKING)
    written["course"] |= {"title": " ", "id": 1}
    with pytest.raises(ClassValidationError) as raised:
        converter.structure(written, Booking)

    (refused,) = raised.value.exceptions
    assert isinstance(refused, InvalidDocument)
    assert ["wrong_type: id", "title_not_empty: title"] == broken(refused.violations)


def test_converter_refuses_unknown_keys_of_a_hosts_class(converter: Converter) -> None:
    """A key that a host's class does not have is not passed over."""
    with pytest.raises(ClassValidationError):
        converter.structure(converter.unstructure(BOOKING) | {"extra": 1}, Booking)


def test_course_keeps_its_form_whatever_a_host_registers(converter: Converter) -> None:
    """Hooks of a host's own change its classes, not the documents of this library."""
    converter.register_unstructure_hook(datetime, datetime.timestamp)
    converter.register_structure_hook(str, lambda value, _: str(value))
    written = converter.unstructure(BOOKING)

    assert (NOW.timestamp(), DOCUMENT) == (written["at"], written["course"])
    assert [str(NOW.year)] == converter.structure([NOW.year], list[str])
    assert ["wrong_type $.title"] == problems(
        lambda value: converter.structure(value, Course), DOCUMENT | {"title": 5}
    )


def test_each_converter_is_its_own() -> None:
    """What a host registers on one converter reaches neither another nor the library."""
    make_converter().register_unstructure_hook(UUID, lambda value: value.hex)

    assert str(COURSE_ID) == make_converter().unstructure(COURSE_ID)
    assert DOCUMENT == course_to_dict(course())
