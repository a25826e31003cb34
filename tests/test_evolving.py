from collections.abc import Callable
from datetime import datetime
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import START, TICK, broken, course, course_fields
from course_domain import Course, InvalidCourse
from course_domain.evolving import evolve
from course_domain.testing.strategies import courses, invalid_course_fields


def anew(of: Course, **changes: Any) -> Course:
    """Change by the constructor."""
    return attrs.evolve(of, **changes)


def outcome(change: Callable[..., Course], of: Course, changes: dict[str, Any]) -> object:
    """Give the course, or what it would break."""
    try:
        return change(of, **changes)
    except InvalidCourse as refused:
        return refused.violations


@given(courses(), courses(), st.sets(st.sampled_from(sorted(course_fields()))))
def test_course_evolves_as_if_made_anew(first: Course, second: Course, names: set[str]) -> None:
    """A change of any fields gives what the constructor gives, or what it tells."""
    changes = {name: getattr(second, name) for name in names}

    assert outcome(anew, first, changes) == outcome(evolve, first, changes)


@given(courses(), invalid_course_fields())
def test_wrong_change_is_told_as_the_constructor_tells_it(first: Course, wrong: Any) -> None:
    """Every violation of the whole course comes, in its order."""
    with pytest.raises(InvalidCourse) as made:
        attrs.evolve(first, **wrong[0])
    with pytest.raises(InvalidCourse) as evolved:
        evolve(first, **wrong[0])

    assert made.value.violations == evolved.value.violations


def test_rule_about_two_fields_is_judged_by_either() -> None:
    """A start moved behind the end that stays is refused."""
    with pytest.raises(InvalidCourse) as raised:
        evolve(course(end_date=START + TICK), start_date=START + 2 * TICK)

    assert ["end_date_after_start_date: end_date, start_date"] == broken(raised.value.violations)


def test_unknown_field_is_a_type_error() -> None:
    """A name that is no field is refused as by the constructor."""
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        evolve(course(), colour="red")


def test_course_that_evolves_stays_what_it_was() -> None:
    """A change is a new value; instants are kept in UTC."""
    before = course()
    local = START.astimezone(tz=None)
    after = evolve(before, start_date=local - TICK)

    assert (course(), START - TICK) == (before, after.start_date)
    assert isinstance(after.start_date, datetime)
    assert after.start_date.tzinfo is START.tzinfo


@attrs.frozen(kw_only=True)
class HostCourse(Course):
    """A course that a host knows more of."""

    room: str


def test_course_of_a_hosts_own_class_stays_one() -> None:
    """What a host has added to a course is still there when it changes."""
    evolved = evolve(HostCourse(**course_fields(), room="A"), title="Another title")

    assert HostCourse(**course_fields(title="Another title"), room="A") == evolved
