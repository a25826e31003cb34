import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, START, TICK, HostText, actor, broken, course, course_fields
from course_domain import Course, InvalidCourse, Role, decisions
from course_domain.course import COURSE_KINDS, broken_rules, is_plain, keeps_rules
from course_domain.making import evolve, made_of, values_of
from course_domain.testing.strategies import courses, invalid_course_fields

FIELDS = course_fields()


def in_order(fields: dict[str, Any]) -> list[Any]:
    """Give all fields of a course in their order; those that are absent are None."""
    return [fields.get(name) for name in COURSE_KINDS]


def test_values_stand_in_the_order_of_the_fields() -> None:
    """A course tells its values as they stand in the table of its fields."""
    assert in_order(FIELDS) == list(values_of(Course(**FIELDS)))


@given(courses())
def test_every_course_is_made_of_its_values(drawn: Course) -> None:
    """No course is in doubt, and it is the same when it is made of what it holds."""
    assert [drawn, drawn] == [made_of(values_of(drawn), each) for each in (is_plain, keeps_rules)]


def test_course_that_is_made_is_like_any_other() -> None:
    """It is a `Course`, hashes and pickles as one, and nobody can change it."""
    made: Any = made_of(in_order(FIELDS), is_plain)

    assert (Course, hash(course())) == (type(made), hash(made))
    assert course() == pickle.loads(pickle.dumps(made))
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made.title = "Another title"
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del made.title
    with pytest.raises(AttributeError):
        object.__setattr__(made, "colour", "red")


@given(invalid_course_fields())
def test_course_that_is_invalid_is_in_doubt(wrong: Any) -> None:
    """Nothing is made of values that the constructor refuses."""
    assert made_of(in_order(wrong[0]), is_plain) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("id", value) for value in (None, str(FIELDS["id"]), FIELDS["id"].int)),
        *(("organization_id", value) for value in (None, "")),
        *(("created_by", value) for value in (None, b"")),
        *(("title", value) for value in (None, "", " ", "\u200b", "\x00", "a\x00", "\ud800", 5)),
        *(("title", value) for value in (b"a", HostText("Grunnkurs"))),
        *(("description", value) for value in ("å\x00", "å\udfff", HostText(""), 5)),
        *(("location", value) for value in ("\x00", "\ud800", HostText(""), 5)),
        *(("course_type", value) for value in (None, "workshop", "draft")),
        *(("status", value) for value in (None, "draft", FIELDS["course_type"])),
        *((name, value) for name in ("is_virtual", "issues_certificate") for value in (None, 1, 0)),
        *(("max_participants", value) for value in (0, -1, 2_147_483_648, True, 1.0, "1")),
        *(("certificate_validity_months", value) for value in (0, -1, 1_201, True, 1.0, "1")),
        *((name, None) for name in ("created_at", "updated_at")),
        *(
            (name, value)
            for name in FIELDS
            if name.endswith(("_date", "_at", "_deadline"))
            for value in (
                datetime(1899, 12, 31, 23, 59, 59, 999_999, UTC),
                datetime(9000, 1, 1, tzinfo=UTC),
                NOW.replace(tzinfo=None),
                NOW.astimezone(timezone(timedelta(hours=1))),
                NOW.replace(fold=1),
                NOW.date(),
                NOW.isoformat(),
            )
        ),
        ("end_date", FIELDS["start_date"]),
        ("registration_deadline", FIELDS["start_date"]),
    ],
    ids=repr,
)
def test_value_that_may_be_wrong_is_in_doubt(name: str, value: object) -> None:
    """Of another type, out of its bounds, not plain, or against a rule: somebody has to look."""
    assert made_of(in_order(FIELDS | {name: value}), is_plain) is None


_OF_ITS_KIND = {
    "title": st.sampled_from(["", " ", "\u200b", "\u200bå", "(!)", "Grunnkurs"]),
    "max_participants": st.none() | st.integers(-1, 2),
    "certificate_validity_months": st.none() | st.integers(-1, 2),
    **{
        name: st.none() | st.integers(-1, 1).map(lambda ticks: START + ticks * TICK)
        for name in ("start_date", "end_date", "registration_deadline")
    },
}


@given(st.fixed_dictionaries(_OF_ITS_KIND))
def test_rules_are_kept_as_their_table_says(fields: dict[str, Any]) -> None:
    """The quick look at values of the right kinds and the table of rules see the same."""
    fields = FIELDS | fields
    is_kept = made_of(in_order(fields), keeps_rules) is not None

    assert is_kept == (broken_rules(fields) == [])
    assert is_kept == (made_of(in_order(fields), is_plain) is not None)


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


def test_course_of_a_hosts_own_class_is_revised() -> None:
    """A command changes what the library knows of it, and keeps the rest."""
    own, boss = HostCourse(**course_fields(), room="A"), actor(Role.ADMIN)

    assert own is decisions.revise(own, boss, NOW)
    revised = decisions.revise(own, boss, NOW, title="Another title")
    assert HostCourse(**course_fields(title="Another title", updated_at=NOW), room="A") == revised


def test_only_hosts_make_classes_of_courses() -> None:
    """What looks for all of them, as converters do, finds none of the library's."""
    assert not [each for each in Course.__subclasses__() if each.__module__.startswith("course_")]
