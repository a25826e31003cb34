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

# One kind of fault is the rules that it breaks, and what it puts into fields.
_Changes = Mapping[str, Any]
_Fault = tuple[frozenset[Rule], st.SearchStrategy[_Changes]]
_Faults = tuple[_Fault, ...]


def _kind(rules: set[Rule], *changes: _Changes) -> _Fault:
    return frozenset(rules), st.sampled_from(changes)


def _each(rule: Rule, name: str, *values: object) -> _Faults:
    return (_kind({rule}, *({name: value} for value in values)),)


def _required(name: str, *mistyped: object) -> _Faults:
    return _each(Rule.REQUIRED, name, None) + _each(Rule.WRONG_TYPE, name, *mistyped)


def _text(name: str) -> _Faults:
    return _each(Rule.WRONG_TYPE, name, 5, b"kurs") + _each(
        Rule.UNSTORABLE_TEXT, name, "kurs\x00", "kurs\ud800"
    )


def _instant(name: str) -> _Faults:
    naive = datetime(2026, 10, 25, 2, 30)  # noqa: DTZ001  naive is the fault
    past_the_end = LATEST_INSTANT.replace(year=9000)
    return (
        *_each(Rule.NAIVE_DATETIME, name, naive),
        *_each(Rule.WRONG_TYPE, name, date(2026, 10, 25), "2026-10-25T02:30:00Z", 1_792_895_400),
        *_each(Rule.OUT_OF_RANGE, name, EARLIEST_INSTANT - TICK, past_the_end),
    )


@st.composite
def _clash(draw: st.DrawFn, /, *, end: bool, deadline: bool) -> _Changes:
    """Have the start at or behind the end, or at or before the deadline, or both."""
    start = draw(instants())
    return {
        "start_date": start,
        "end_date": draw(st.just(start) | instants(latest=start)) if end else None,
        "registration_deadline": (
            draw(st.just(start) | instants(earliest=start)) if deadline else None
        ),
    }


_END_RULE, _DEADLINE_RULE = Rule.END_DATE_AFTER_START_DATE, Rule.REGISTRATION_DEADLINE_BEFORE_START
_CLASHES: _Faults = (
    (frozenset({_END_RULE}), _clash(end=True, deadline=False)),
    (frozenset({_DEADLINE_RULE}), _clash(end=False, deadline=True)),
    (frozenset({_END_RULE, _DEADLINE_RULE}), _clash(end=True, deadline=True)),
)

_UNDATED: _Changes = {"start_date": None, "end_date": None, "registration_deadline": None}


# Faults of different groups never touch each other, so that any of them add up.
_GROUPS: tuple[_Faults, ...] = (
    _required("id", "6b0d549b-6f03-475a-9600-a35a099950d8", 7),
    _required("organization_id", "6b0d549b-6f03-475a-9600-a35a099950d8"),
    _required("title", 5, b"kurs")
    + _each(Rule.TITLE_NOT_EMPTY, "title", "", " \t\n", "\u200b\ufeff", "\u00ad")
    + _each(Rule.UNSTORABLE_TEXT, "title", "kurs\x00", "kurs\udfff")
    + (
        _kind(
            {Rule.TITLE_NOT_EMPTY, Rule.UNSTORABLE_TEXT}, {"title": "\x00"}, {"title": " \ud800"}
        ),
    ),
    _text("description"),
    _required("course_type", "workshop"),
    _required("status", "draft"),
    3 * _CLASHES  # as often as the others of this group
    + tuple(
        (rules, changes.map(lambda change: {**_UNDATED, **change}))
        for name in _UNDATED
        for rules, changes in _instant(name)
    ),
    _text("location"),
    _required("is_virtual", 1, "true"),
    _each(Rule.MAX_PARTICIPANTS_POSITIVE, "max_participants", 0, -1)
    + _each(Rule.OUT_OF_RANGE, "max_participants", MAX_INTEGER + 1)
    + _each(Rule.WRONG_TYPE, "max_participants", True, 2.0, "2"),
    _required("issues_certificate", 0, "false"),
    _each(Rule.CERTIFICATE_VALIDITY_POSITIVE, "certificate_validity_months", 0, -12)
    + _each(
        Rule.OUT_OF_RANGE,
        "certificate_validity_months",
        MAX_CERTIFICATE_VALIDITY_MONTHS + 1,
    )
    + _each(Rule.WRONG_TYPE, "certificate_validity_months", False, 24.0, timedelta(days=730)),
    _required("created_by", "6b0d549b-6f03-475a-9600-a35a099950d8"),
    _instant("created_at") + _each(Rule.REQUIRED, "created_at", None),
    _instant("updated_at") + _each(Rule.REQUIRED, "updated_at", None),
)

# The kinds of fault that break each rule alone.
_ALONE: tuple[_Faults, ...] = tuple(
    tuple(fault for group in _GROUPS for fault in group if fault[0] == frozenset({rule}))
    for rule in Rule
    if any(rules == frozenset({rule}) for group in _GROUPS for rules, _ in group)
)


@st.composite
def invalid_course_fields(draw: st.DrawFn, /) -> tuple[dict[str, Any], frozenset[Rule]]:
    """Make all the fields of a course, some at fault, with exactly the rules that they break."""
    fields = attrs.asdict(draw(courses()), recurse=False)
    broken: frozenset[Rule] = frozenset()
    if draw(st.booleans()):
        chosen = draw(st.sets(st.sampled_from(range(len(_GROUPS))), min_size=1))
        groups = [_GROUPS[each] for each in chosen]
    else:
        groups = [draw(st.sampled_from(_ALONE))]
    for faults in groups:
        rules, changes = draw(st.sampled_from(faults))
        fields |= draw(changes)
        broken |= rules
    return fields, broken
