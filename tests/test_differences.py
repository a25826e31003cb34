"""How the kit shows two values that are not equal."""

from typing import Any

import attrs
import pytest

from course_domain.testing.bench import course
from course_domain.testing.differences import brief, differing

ONE = course(title="before", description="x" * 300)
OTHER = attrs.evolve(ONE, title="after")
ID = f"id={ONE.id!r}"


@pytest.mark.parametrize(
    ("shown", "expected", "observed"),
    [
        (("1", "2"), 1, 2),
        (("None", f"Course({ID}, ...)"), None, ONE),
        ((f"Course({ID}, title='before', ...)", f"Course({ID}, title='after', ...)"), ONE, OTHER),
        (
            (
                f"2 in all, [1]: Course({ID}, title='before', ...)",
                f"2 in all, [1]: Course({ID}, title='after', ...)",
            ),
            [ONE, ONE],
            [ONE, OTHER],
        ),
        ((f"1 in all, [0]: Course({ID}, ...)", "0 in all, [0]: nothing"), [ONE], []),
        (("0 in all, [0]: nothing", f"1 in all, [0]: Course({ID}, ...)"), (), (ONE,)),
        (
            (f"1 in all, only here: Course({ID}, ...)", "0 in all, only here: none"),
            {ONE},
            set[Any](),
        ),
        (
            (f"a=1, x=Course({ID}, ...)", f"a=2, y=Course({ID}, ...)"),
            {"a": 1, "x": ONE},
            {"a": 2, "y": ONE},
        ),
        (("no other", f"y=Course({ID}, ...)"), {"a": 1}, {"a": 1, "y": ONE}),
        (
            (
                f"301 in all, around [300]: '{'x' * 40}a'",
                f"301 in all, around [300]: '{'x' * 40}b'",
            ),
            "x" * 300 + "a",
            "x" * 300 + "b",
        ),
        ((repr(10**300), repr(10**300 + 1)), 10**300, 10**300 + 1),
    ],
)
def test_only_what_differs_is_shown(shown: tuple[str, str], expected: Any, observed: Any) -> None:
    """Long values are shown by what differs in them, records with their ids."""
    assert shown == differing(expected, observed)


def test_long_value_without_ids_is_cut() -> None:
    """What is long and no record is cut."""
    assert f"'{'x' * 199}... (302 characters)" == brief("x" * 300)
