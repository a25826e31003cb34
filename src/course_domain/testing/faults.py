"""Fields that no course can have, with exactly the rules that they break."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

import attrs
from hypothesis import strategies as st

from course_domain.course import MAX_CERTIFICATE_VALIDITY_MONTHS
from course_domain.rules import Rule
from course_domain.testing.plain import TICK, instants
from course_domain.testing.records import courses
from course_domain.values import EARLIEST_INSTANT, LATEST_INSTANT, MAX_INTEGER

# One fault is what it puts into fields, and the rules that these then break.
_Fault = tuple[Mapping[str, Any], frozenset[Rule]]


def _fault(rules: tuple[Rule, ...], **fields: object) -> st.SearchStrategy[_Fault]:
    return st.just((fields, frozenset(rules)))


def _each(rule: Rule, name: str, *values: object) -> st.SearchStrategy[_Fault]:
    return st.sampled_from([({name: value}, frozenset({rule})) for value in values])


def _required(name: str, *mistyped: object) -> st.SearchStrategy[_Fault]:
    return _each(Rule.REQUIRED, name, None) | _each(Rule.WRONG_TYPE, name, *mistyped)


def _text(name: str) -> st.SearchStrategy[_Fault]:
    return _each(Rule.WRONG_TYPE, name, 5, b"kurs") | _each(
        Rule.UNSTORABLE_TEXT, name, "kurs\x00", "kurs\ud800"
    )


def _instant(name: str) -> st.SearchStrategy[_Fault]:
    naive = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001  naive is the fault
    past_the_end = LATEST_INSTANT.replace(year=9000)
    return (
        _each(Rule.NAIVE_DATETIME, name, naive)
        | _each(Rule.WRONG_TYPE, name, date(2026, 10, 25), "2026-10-25T02:30:00Z", 1_792_895_400)
        | _each(Rule.OUT_OF_RANGE, name, EARLIEST_INSTANT - TICK, past_the_end)
    )


def _start_clashes(start: datetime) -> st.SearchStrategy[_Fault]:
    """Break one of the two rules about the start, or both, at the edge or far off."""
    ends = instants(latest=start)
    deadlines = instants(earliest=start)
    too_early = st.just(start) | ends
    too_late = st.just(start) | deadlines
    end_rule, deadline_rule = (
        Rule.END_DATE_AFTER_START_DATE,
        Rule.REGISTRATION_DEADLINE_BEFORE_START,
    )
    return st.one_of(
        too_early.map(
            lambda end: (
                {"start_date": start, "end_date": end, "registration_deadline": None},
                frozenset({end_rule}),
            )
        ),
        too_late.map(
            lambda deadline: (
                {"start_date": start, "end_date": None, "registration_deadline": deadline},
                frozenset({deadline_rule}),
            )
        ),
        st.tuples(too_early, too_late).map(
            lambda both: (
                {"start_date": start, "end_date": both[0], "registration_deadline": both[1]},
                frozenset({end_rule, deadline_rule}),
            )
        ),
    )


# Faults of different groups never touch each other, so that any of them add up.
_GROUPS: tuple[st.SearchStrategy[_Fault], ...] = (
    _required("id", "6b0d549b-6f03-475a-9600-a35a099950d8", 7),
    _required("organization_id", "6b0d549b-6f03-475a-9600-a35a099950d8"),
    _required("title", 5, b"kurs")
    | _each(Rule.TITLE_NOT_EMPTY, "title", "", " \t\n", "\u200b\ufeff", "\u00ad")
    | _each(Rule.UNSTORABLE_TEXT, "title", "kurs\x00", "kurs\udfff")
    | _fault((Rule.TITLE_NOT_EMPTY, Rule.UNSTORABLE_TEXT), title="\x00")
    | _fault((Rule.TITLE_NOT_EMPTY, Rule.UNSTORABLE_TEXT), title=" \ud800"),
    _text("description"),
    _required("course_type", "workshop"),
    _required("status", "draft"),
    instants().flatmap(_start_clashes)
    | st.sampled_from(["start_date", "end_date", "registration_deadline"])
    .flatmap(_instant)
    .map(
        lambda fault: (
            {"start_date": None, "end_date": None, "registration_deadline": None, **fault[0]},
            fault[1],
        )
    ),
    _text("location"),
    _required("is_virtual", 1, "true"),
    _each(Rule.MAX_PARTICIPANTS_POSITIVE, "max_participants", 0, -1)
    | _each(Rule.OUT_OF_RANGE, "max_participants", MAX_INTEGER + 1)
    | _each(Rule.WRONG_TYPE, "max_participants", True, 2.0, "2"),
    _required("issues_certificate", 0, "false"),
    _each(Rule.CERTIFICATE_VALIDITY_POSITIVE, "certificate_validity_months", 0, -12)
    | _each(
        Rule.OUT_OF_RANGE,
        "certificate_validity_months",
        MAX_CERTIFICATE_VALIDITY_MONTHS + 1,
    )
    | _each(Rule.WRONG_TYPE, "certificate_validity_months", False, 24.0, timedelta(days=730)),
    _required("created_by", "6b0d549b-6f03-475a-9600-a35a099950d8"),
    _instant("created_at") | _each(Rule.REQUIRED, "created_at", None),
    _instant("updated_at") | _each(Rule.REQUIRED, "updated_at", None),
)


@st.composite
def invalid_course_fields(draw: st.DrawFn, /) -> tuple[dict[str, Any], frozenset[Rule]]:
    """Make all the fields of a course, some at fault, with exactly the rules that they break."""
    fields = attrs.asdict(draw(courses()), recurse=False)
    rules: frozenset[Rule] = frozenset()
    for group in draw(st.sets(st.sampled_from(range(len(_GROUPS))), min_size=1)):
        fault, broken = draw(_GROUPS[group])
        fields |= fault
        rules |= broken
    return fields, rules
