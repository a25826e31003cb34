import copy
import pickle
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest

from builders import course, course_fields
from course_domain import InvalidCourse, InvalidValue, Rule, Violation
from course_domain.rules import SENTENCES

OWNERS_RULES = {
    "end_date_after_start_date",
    "registration_deadline_before_start",
    "title_not_empty",
    "max_participants_positive",
    "certificate_validity_positive",
    "registration_deadline_enforced",
    "max_participants_cap",
    "certificate_validity_required_when_issues_certificate",
    "org_scoped_course_access",
    "published_only_visible_to_users",
    "certificate_renewal_reminder_triggered",
    "registration_requires_published",
}
OWN_RULES = {
    "required",
    "wrong_type",
    "naive_datetime",
    "unstorable_text",
    "out_of_range",
    "unknown_cursor",
    "unknown_field",
    "malformed_document",
}
PARAMETERS = {
    "field",
    "expected",
    "actual",
    "minimum",
    "maximum",
    "registration_deadline",
    "max_participants",
    "status",
    "reason",
}

VIOLATIONS = [
    pytest.param(Violation(Rule.TITLE_NOT_EMPTY, ("title",)), id="plain"),
    pytest.param(Violation(Rule.REQUIRED), id="no-fields"),
    pytest.param(
        Violation(
            Rule.OUT_OF_RANGE,
            ("limit", "offset"),
            {"minimum": datetime(1900, 1, 1, tzinfo=UTC), "maximum": 200, "path": "$[3]"},
        ),
        id="params",
    ),
    pytest.param(Violation(Rule.WRONG_TYPE, ("id",), {"seen": ["un", "hashable"]}), id="a-list"),
]


def placeholders(rule: Rule) -> set[str]:
    """Read the names in the braces of a rule's sentence."""
    return {name for _, name, _, _ in Formatter().parse(SENTENCES[rule]) if name is not None}


def test_rules_have_the_names_of_the_design() -> None:
    """The rules are the domain owner's twelve and the library's own, under their names."""
    assert OWNERS_RULES | OWN_RULES == {rule.value for rule in Rule}


def test_every_rule_has_a_sentence() -> None:
    """No rule is without its English sentence."""
    assert [] == [rule for rule in Rule if not SENTENCES[rule].endswith(".")]


@pytest.mark.parametrize("rule", Rule)
def test_sentence_needs_only_known_parameters(rule: Rule) -> None:
    """The braces of a sentence hold only parameters that violations come with."""
    assert set() == placeholders(rule) - PARAMETERS


def test_sentences_are_read_only() -> None:
    """A host cannot change a sentence for everybody else."""
    sentences: Any = SENTENCES

    with pytest.raises(TypeError):
        sentences[Rule.REQUIRED] = "?"


@pytest.mark.parametrize(
    ("violation", "shown"),
    [
        (Violation(Rule.REQUIRED, ("title",)), ["title"]),
        (
            Violation(Rule.WRONG_TYPE, ("id",), {"expected": "UUID", "actual": "str"}),
            ["id", "UUID", "str"],
        ),
        (
            Violation(Rule.OUT_OF_RANGE, ("limit",), {"minimum": 1, "maximum": 200}),
            ["limit", "1", "200"],
        ),
        (Violation(Rule.MAX_PARTICIPANTS_CAP, (), {"max_participants": 12}), ["12 of 12"]),
        (Violation(Rule.REGISTRATION_REQUIRES_PUBLISHED, (), {"status": "draft"}), ["draft"]),
        (Violation(Rule.MALFORMED_DOCUMENT, (), {"reason": "{ at 7"}), ["{ at 7"]),
        (
            Violation(
                Rule.REGISTRATION_DEADLINE_ENFORCED,
                (),
                {"registration_deadline": datetime(2026, 3, 9, 9, 30, tzinfo=UTC)},
            ),
            ["2026-03-09 09:30:00+00:00"],
        ),
    ],
)
def test_str_fills_in_the_parameters(violation: Violation, shown: list[str]) -> None:
    """``str()`` of a violation is its sentence with every parameter in its place."""
    assert [] == [part for part in shown if part not in str(violation)]
    assert "?" not in str(violation)


def test_str_without_parameters_is_the_sentence() -> None:
    """A sentence that needs no parameters is said as it stands."""
    rule = Rule.TITLE_NOT_EMPTY

    assert SENTENCES[rule] == str(Violation(rule, ("title",), {"unused": 1}))


def test_str_marks_a_parameter_that_nobody_gave() -> None:
    """A violation made without its parameters still has a sentence."""
    assert "limit must be from ? to ?." == str(Violation(Rule.OUT_OF_RANGE, ("limit",)))


def test_str_names_every_field() -> None:
    """A sentence about several fields names them all."""
    assert "title, status is required." == str(Violation(Rule.REQUIRED, ("title", "status")))


def test_str_begins_with_the_json_path() -> None:
    """The path of a problem in a document stands before its sentence."""
    violation = Violation(Rule.REQUIRED, ("title",), {"path": "$[3].title"})

    assert "$[3].title: title is required." == str(violation)


def test_every_violation_of_a_course_has_all_its_parameters() -> None:
    """What a course really breaks is told without a gap."""
    with pytest.raises(InvalidCourse) as raised:
        course(**dict.fromkeys(course_fields(), 10**10))

    gaps = [
        violation
        for violation in raised.value.violations
        if placeholders(violation.rule) - {"field", *violation.params}
    ]
    assert len(course_fields()) == len(raised.value.violations)
    assert [] == gaps


@pytest.mark.parametrize(
    ("part", "value"),
    [
        *[("rule", value) for value in ("bogus", "TITLE_NOT_EMPTY", "", None, 5, [5])],
        *[("fields", value) for value in ("title", "", 5, None, [5], (5,), [Rule.REQUIRED, b"id"])],
        *[("params", value) for value in ("minimum", 5, None, [1])],
    ],
    ids=repr,
)
def test_wrong_part_of_a_violation_is_refused(part: str, value: Any) -> None:
    """A violation made of a wrong part is InvalidValue that names the part, and its type."""
    parts: dict[str, Any] = {"rule": Rule.REQUIRED, "fields": ("title",), "params": {}}

    with pytest.raises(InvalidValue) as raised:
        Violation(**parts | {part: value})

    (violation,) = raised.value.violations
    assert (Rule.WRONG_TYPE, (part,), type(value).__name__) == (
        violation.rule,
        violation.fields,
        violation.params["actual"],
    )


def test_all_wrong_parts_of_a_violation_are_told() -> None:
    """Each wrong part of a violation has a violation of its own, in their order."""
    wrong: Any = 5

    with pytest.raises(InvalidValue) as raised:
        Violation(wrong, wrong, wrong)

    assert [("rule",), ("fields",), ("params",)] == [
        violation.fields for violation in raised.value.violations
    ]


@pytest.mark.parametrize("fields", [(), ("title",), ("title", "status")], ids=len)
def test_rule_by_its_name_becomes_the_rule(fields: tuple[str, ...]) -> None:
    """A rule given as plain text, as after JSON, is the very member, of however many fields."""
    name: Any = "title_not_empty"

    assert Rule.TITLE_NOT_EMPTY is Violation(name, fields).rule


def test_fields_become_a_tuple() -> None:
    """Fields given as a list are kept as a tuple."""
    fields: Any = ["title", "status"]

    assert ("title", "status") == Violation(Rule.REQUIRED, fields).fields


def test_params_are_read_only() -> None:
    """The parameters of a violation cannot be changed."""
    params: Any = Violation(Rule.OUT_OF_RANGE, ("limit",), {"minimum": 1}).params

    with pytest.raises(TypeError):
        params["minimum"] = 2


def test_params_stand_apart_from_what_was_given() -> None:
    """A later change of the dict that was given does not reach the violation."""
    given = {"minimum": 1}
    violation = Violation(Rule.OUT_OF_RANGE, ("limit",), given)
    given["minimum"] = 2

    assert {"minimum": 1} == violation.params


@pytest.mark.parametrize("name", ["rule", "fields", "params"])
def test_violation_is_frozen(name: str) -> None:
    """No part of a violation can be set again."""
    violation = Violation(Rule.REQUIRED, ("title",))

    with pytest.raises(AttributeError):
        setattr(violation, name, getattr(violation, name))


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_violation_pickles_and_copies(violation: Violation) -> None:
    """A violation is the same after a pickle, a copy and a deep copy, and still read-only."""
    again = pickle.loads(pickle.dumps(violation))

    assert [violation] * 3 == [again, copy.copy(violation), copy.deepcopy(violation)]
    assert type(violation.params) is type(again.params)


@pytest.mark.parametrize("violation", VIOLATIONS)
def test_equal_violations_have_equal_hashes(violation: Violation) -> None:
    """A violation can be put into a set, whatever its parameters hold."""
    assert {violation} == {violation, copy.deepcopy(violation)}


@pytest.mark.parametrize(
    "other",
    [
        Violation(Rule.WRONG_TYPE, ("limit",), {"minimum": 1}),
        Violation(Rule.OUT_OF_RANGE, ("after",), {"minimum": 1}),
        Violation(Rule.OUT_OF_RANGE, ("limit",), {"minimum": 2}),
        Violation(Rule.OUT_OF_RANGE, ("limit",)),
    ],
)
def test_violations_differ_by_each_part(other: Violation) -> None:
    """Two violations are equal only with the same rule, fields and parameters."""
    assert Violation(Rule.OUT_OF_RANGE, ("limit",), {"minimum": 1}) != other
