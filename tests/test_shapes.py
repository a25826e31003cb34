from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs
import pytest
from hypothesis import given

from builders import NOW, HostText, course, course_fields
from course_domain import Course, CourseType, InvalidCourse
from course_domain.course import COURSE_KINDS, restored, values_of
from course_domain.shapes import Shapes
from course_domain.testing.strategies import courses

GIVEN: tuple[Any, ...] = (NOW, "Grunnkurs, våren", 12, None, CourseType.WORKSHOP)


def shapes(*checks: Any) -> Shapes:
    """Give shapes that know the one of `GIVEN`."""
    made = Shapes(checks)
    made.learn(GIVEN)
    return made


def test_values_of_a_known_shape_fit() -> None:
    """What was learned fits, and so do other values of the same types."""
    other = (NOW + timedelta(days=1), "", 1200, None, CourseType.ONBOARDING)

    assert [True, True] == list(map(shapes().fit, (GIVEN, other)))


def test_nothing_fits_before_it_was_learned() -> None:
    """Values of types that nobody has judged are in doubt."""
    assert not Shapes(()).fit(GIVEN)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, datetime(1899, 12, 31, 23, 59, 59, 999_999, UTC)),
        (0, datetime(9000, 1, 1, tzinfo=UTC)),
        (0, NOW.replace(tzinfo=None)),
        (0, NOW.astimezone(timezone(timedelta(hours=1)))),
        (0, NOW.replace(fold=1)),
        (0, None),
        (1, "\x00"),
        (1, "å\x00"),
        (1, "\ud800"),
        (1, HostText("Grunnkurs")),
        (2, -1),
        (2, 1201),
        (2, True),
        (3, "text"),
        (4, "workshop"),
    ],
    ids=repr,
)
def test_value_that_may_be_wrong_is_in_doubt(place: int, value: object) -> None:
    """Of another type, out of the common bounds or not plain: somebody else has to look."""
    given = (*GIVEN[:place], value, *GIVEN[place + 1 :])

    assert not shapes().fit(given)


def longer(text: str, number: int) -> bool:
    """Tell whether a text has more characters than a number says."""
    return len(text) > number


def shorter(text: str, number: int) -> bool:
    """Tell whether it has fewer."""
    return len(text) < number


def never(*_: object) -> bool:
    """Hold for nothing."""
    return False


@pytest.mark.parametrize(
    ("check", "fits"),
    [
        ((str.isalpha, (1,)), False),
        ((str.isprintable, (1,)), True),
        ((longer, (1, 2)), True),
        ((shorter, (1, 2)), False),
        ((never, (3,)), True),
        ((never, (3, 1)), True),
    ],
)
def test_checks_are_held_unless_a_value_is_none(check: Any, fits: bool) -> None:
    """A check of one value or of two is asked of the values at its places."""
    assert fits == shapes(check).fit(GIVEN)


def test_values_stand_in_the_order_of_the_fields() -> None:
    """A course tells its values as they stand in the table of its fields."""
    fields = course_fields()

    assert [fields[name] for name in COURSE_KINDS] == list(values_of(Course(**fields)))


@given(courses())
def test_course_is_restored_from_its_values(drawn: Course) -> None:
    """The values of a course make it again; only numbers that are not common are in doubt."""
    numbers = (drawn.max_participants, drawn.certificate_validity_months)
    is_common = all(number is None or number <= 1_200 for number in numbers)

    assert (drawn if is_common else None) == restored(values_of(Course(**attrs.asdict(drawn))))


def test_course_that_breaks_a_rule_is_not_restored() -> None:
    """Values of a known shape that break a rule are in doubt, and the constructor refuses them."""
    fields = course_fields()
    wrong = fields | {"end_date": fields["start_date"]}

    assert restored(tuple(fields[name] for name in COURSE_KINDS)) == course()
    assert restored(tuple(wrong[name] for name in COURSE_KINDS)) is None
    with pytest.raises(InvalidCourse):
        Course(**wrong)
