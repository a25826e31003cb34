"""The JSON Schema of each document, held to the reader by the package jsonschema."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from builders import COURSE_ID, MAX_INTEGER, course
from course_domain import Course, CourseChanges, CourseDetails, InvalidDocument
from course_domain.serialization import (
    course_changes_from_json,
    course_changes_json_schema,
    course_details_from_json,
    course_details_json_schema,
    course_from_json,
    course_json_schema,
    course_to_dict,
    course_to_json,
    make_converter,
)
from course_domain.testing.strategies import course_changes, course_details, courses

DATA = Path(__file__).parent / "data"
DOCUMENT = course_to_dict(course())
NOT_AN_AUTHORS = ("id", "organization_id", "status", "created_by", "created_at", "updated_at")
AUTHORS = {name: value for name, value in DOCUMENT.items() if name not in NOT_AN_AUTHORS} | {
    "certificate_never_expires": False
}


class Kind(NamedTuple):
    """A document: its schema, its reader, and one that both take."""

    schema: Callable[[], dict[str, Any]]
    read: Callable[[str], object]
    sound: Mapping[str, Any]


KINDS = {
    "course": Kind(course_json_schema, course_from_json, DOCUMENT),
    "course-details": Kind(course_details_json_schema, course_details_from_json, AUTHORS),
    "course-changes": Kind(course_changes_json_schema, course_changes_from_json, AUTHORS),
}
VALIDATORS: dict[str, Any] = {
    name: Draft202012Validator(kind.schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
    for name, kind in KINDS.items()
}
CONVERTER = make_converter()
every_kind = pytest.mark.parametrize("kind", KINDS)


def takes(kind: str, document: Any) -> bool:
    """Tell whether the schema takes a document."""
    valid: bool = VALIDATORS[kind].is_valid(document)
    return valid


def reads(kind: str, document: object) -> bool:
    """Tell whether the reader takes a document, as text."""
    try:
        KINDS[kind].read(json.dumps(document))
    except InvalidDocument:
        return False
    return True


# --- What a schema is


@every_kind
def test_schema_is_one_of_the_dialect_it_names(kind: str) -> None:
    """A schema is sound by the meta-schema of 2020-12."""
    schema = KINDS[kind].schema()

    assert "https://json-schema.org/draft/2020-12/schema" == schema["$schema"]
    Draft202012Validator.check_schema(schema)


@every_kind
def test_schema_has_a_versioned_id(kind: str) -> None:
    """Each document has an id of its own, with its version."""
    assert f"urn:course-domain:schema:{kind}:1" == KINDS[kind].schema()["$id"]


@every_kind
def test_schema_stays_as_it_is_under_its_id(kind: str) -> None:
    """What a schema takes and refuses changes only together with the version in its id."""
    known = json.loads((DATA / "json_schemas.json").read_text(encoding="utf-8"))
    schema = KINDS[kind].schema()
    for each in (schema, *schema["properties"].values()):
        del each["title"], each["description"]

    assert known[schema["$id"]] == schema


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        ("course", Course.__annotations__),
        ("course-details", CourseDetails.__annotations__),
        ("course-changes", CourseChanges.__annotations__),
    ],
)
def test_schema_has_every_field_and_no_other(kind: str, fields: Mapping[str, object]) -> None:
    """The properties are the fields of the document in their order, each in words of its own."""
    schema = KINDS[kind].schema()
    words = {each["title"] + each["description"] for each in schema["properties"].values()}

    assert list(fields) == list(schema["properties"])
    assert len(fields) == len(words)
    assert schema["additionalProperties"] is False


@every_kind
def test_each_schema_is_the_callers_own(kind: str) -> None:
    """What a host changes of a schema is not in the next one."""
    first = KINDS[kind].schema()
    before = json.dumps(first)
    first["required"].append("x")
    for each in first["properties"].values():
        each["x"] = 1
        for inner in each.values():
            if isinstance(inner, list):
                inner.clear()

    assert before == json.dumps(KINDS[kind].schema())


# --- Held to the reader


@given(courses())
def test_every_course_written_is_valid(drawn: Course) -> None:
    """The schema takes whatever is written of any course."""
    assert takes("course", json.loads(course_to_json(drawn)))


def test_samples_are_valid() -> None:
    """The schema takes the twelve sample courses."""
    samples = json.loads((DATA / "courses.json").read_text(encoding="utf-8"))

    assert [True] * 12 == [takes("course", each) for each in samples]


@given(course_details(), course_changes())
def test_what_an_author_says_is_valid(details: CourseDetails, changes: CourseChanges) -> None:
    """The schemas take details and changes of every kind."""
    assert takes("course-details", CONVERTER.unstructure(details))
    assert takes("course-changes", CONVERTER.unstructure(changes))


NO_DATES = {"start_date": None, "end_date": None, "registration_deadline": None}
UUIDS = ("id", "organization_id", "created_by")
TEXTS = ("description", "location")
INSTANTS = ("start_date", "end_date", "registration_deadline", "created_at", "updated_at")
FLAGS = ("is_virtual", "issues_certificate", "certificate_never_expires")
NUMBERS = {"max_participants": MAX_INTEGER, "certificate_validity_months": 1_200}
NEVER_NULL = (*UUIDS, *FLAGS, "title", "course_type", "status", "created_at", "updated_at")


def each_of(names: Iterable[str], *values: object) -> list[tuple[str, object]]:
    """Give every value for every field."""
    return [(name, value) for name in names for value in values]


NO_DATE_TIMES: list[str] = json.loads(
    (DATA / "json_no_date_times.json").read_text(encoding="utf-8")
)
REFUSED = [
    *each_of(NEVER_NULL, None),
    *each_of(UUIDS, 7, "x", COURSE_ID.hex, f"{{{COURSE_ID}}}"),
    *each_of((*TEXTS, "title"), 7, True, [], "x\x00y"),
    *each_of(["title"], "", " ", "\n\t\u00a0\u2028"),
    *each_of(["course_type", "status"], "", "Draft", "open", 1),
    *each_of(FLAGS, 0, 1, "true", []),
    *each_of(NUMBERS, 0, -1, 1.5, True, "12", 10**30),
    *((name, greatest + 1) for name, greatest in NUMBERS.items()),
    *each_of(INSTANTS, 7, "2026-03-16T09:30:00"),
    # Python's regular expressions pass over one line end at the end.
    *each_of(["start_date"], *(text for text in NO_DATE_TIMES if not text.endswith("\n"))),
    ("x", 1),
]
TAKEN = [
    *each_of((*TEXTS, *NO_DATES, *NUMBERS), None),
    *each_of(TEXTS, ""),
    *each_of((*TEXTS, "title"), "x", " \u00e5\n", "\U0001f3a7"),
    *each_of(NUMBERS, 1),
    *NUMBERS.items(),
    *each_of(FLAGS, True, False),
    *each_of(UUIDS, str(COURSE_ID).upper()),
    *each_of(
        ["start_date"],
        "1900-01-01T00:00:00Z",
        "1899-12-31t23:30:00.000001-00:30",
        "9000-01-01T00:59:59.999999000+01:00",
        "2028-02-29T23:59:59z",
    ),
]


def with_one(kind: str, name: str, value: object) -> dict[str, Any]:
    """Give a sound document, with no dates to be in order, that has another value in one place."""
    return {**KINDS[kind].sound, **NO_DATES, name: value}


def verdicts(name: str, value: object) -> tuple[bool, bool]:
    """Tell whether schema and reader take this value, in a document that has the field."""
    kind = "course" if name in DOCUMENT else "course-details"
    document = with_one(kind, name, value)
    return takes(kind, document), reads(kind, document)


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_a_schema_can_say_it_says(name: str, value: object) -> None:
    """The schema refuses a field by itself wherever it has the words, and so does the reader."""
    assert (False, False) == verdicts(name, value)


@pytest.mark.parametrize(("name", "value"), TAKEN)
def test_what_the_reader_takes_the_schema_takes(name: str, value: object) -> None:
    """Values at their bounds and in every form are sound to both."""
    assert (True, True) == verdicts(name, value)


def test_formats_are_those_of_the_types() -> None:
    """UUIDs and instants carry the format that says so, and nothing else carries one."""
    properties = course_json_schema()["properties"]
    formats = {name: each["format"] for name, each in properties.items() if "format" in each}

    assert dict.fromkeys(UUIDS, "uuid") | dict.fromkeys(INSTANTS, "date-time") == formats


@pytest.mark.parametrize("name", [*UUIDS, *INSTANTS])
@pytest.mark.parametrize("value", ["x", "2026-03-16T09:30:00", "2026-03-16", COURSE_ID.hex])
def test_pattern_stands_in_for_the_format(name: str, value: str) -> None:
    """A validator that passes over formats, as the dialect allows, refuses a wrong form too."""
    validator: Any = Draft202012Validator(course_json_schema())

    assert validator.is_valid(with_one("course", name, DOCUMENT[name]))
    assert not validator.is_valid(with_one("course", name, value))


@pytest.mark.parametrize("name", ["title", "description", "location"])
@given(text=st.text(alphabet="a \n\u2003\u200b\x00ø", max_size=8))
def test_no_text_makes_a_validator_go_back(name: str, text: str) -> None:
    """A pattern that gives back nothing of what it took finds the same: a long text takes no time.

    One that goes back from each letter would have a server at work for minutes.
    """
    pattern: str = course_json_schema()["properties"][name]["pattern"]

    assert bool(re.search(pattern, text)) is bool(re.search(pattern.replace("*", "*+"), text))


def test_a_field_is_the_same_in_every_document() -> None:
    """What a course and the details or changes have in common is described once."""
    course_, details, changes = (KINDS[kind].schema()["properties"] for kind in KINDS)

    assert details == changes
    assert {**details, **course_} == {**course_, **details}


@every_kind
def test_required_fields_are_those_of_the_reader(kind: str) -> None:
    """The schema and the reader agree, field by field, on what may be absent."""
    sound = {**KINDS[kind].sound, **NO_DATES}
    less = [{other: sound[other] for other in sound if other != name} for name in sound]

    assert [takes(kind, each) for each in less] == [reads(kind, each) for each in less]
    assert takes(kind, {}) is (kind == "course-changes")


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}.{0,7}\Z")
    | st.from_regex(r"\A[12][0-9]{3}-[01][0-9]-[0-3][0-9][Tt][01][0-9]:00:00(\.[0-9]+)?[Zz]\Z")
    | st.from_regex(r"\A[ 0-9a-fA-G]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\s?\Z")
    | st.sampled_from(
        ["draft", "workshop", " ", "\u200b", "\x1f", "\u180e", "\ufeff", "\ud83d", 12.0]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


@every_kind
@given(st.data())
def test_what_a_schema_refuses_the_reader_refuses(kind: str, data: st.DataObject) -> None:
    """A document that has anything at all in one place is read only where the schema takes it."""
    names = st.sampled_from([*KINDS[kind].sound, *NOT_AN_AUTHORS, "x"])
    document = with_one(kind, data.draw(names), data.draw(JSON_VALUES))

    assert takes(kind, document) or not reads(kind, document)


@every_kind
@pytest.mark.parametrize("document", [None, True, 0, "", "{}", [], [{}]])
def test_a_document_is_an_object(kind: str, document: object) -> None:
    """What is no object is refused by both."""
    assert (False, False) == (takes(kind, document), reads(kind, document))
