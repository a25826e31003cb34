import inspect
import pickle
from copy import deepcopy
from typing import Any

import attrs
import pytest

from builders import course, refusals
from course_domain import (
    MAX_CURSOR_LENGTH,
    MAX_PAGE_LIMIT,
    CourseRepository,
    InvalidValue,
    Page,
    Rule,
    page_limit,
    unknown_cursor,
)
from course_domain.memory import InMemoryCourseRepository


def test_bounds_of_pages_and_cursors() -> None:
    """A page holds at most 200 items, a cursor at most 500 characters."""
    assert (200, 500) == (MAX_PAGE_LIMIT, MAX_CURSOR_LENGTH)


@pytest.mark.parametrize("limit", [1, 2, 50, 199, 200])
def test_page_limit_gives_an_allowed_limit_back(limit: int) -> None:
    """A limit from 1 to 200 is taken as it is."""
    assert limit == page_limit(limit)


@pytest.mark.parametrize("limit", [0, -1, 201, 2**64, True, 50.0, "50", None, object()])
def test_page_limit_refuses_any_other(limit: Any) -> None:
    """What is no int from 1 to 200 is out_of_range on limit; a bool is no int."""
    with pytest.raises(InvalidValue) as raised:
        page_limit(limit)

    (violation,) = raised.value.violations
    assert (Rule.OUT_OF_RANGE, ("limit",), {"minimum": 1, "maximum": 200}) == (
        violation.rule,
        violation.fields,
        dict(violation.params),
    )


def test_unknown_cursor_is_of_after() -> None:
    """The error for a cursor that cannot be read names `after`."""
    (violation,) = unknown_cursor().violations

    assert (Rule.UNKNOWN_CURSOR, ("after",)) == (violation.rule, violation.fields)


def test_page_keeps_its_items_in_a_tuple() -> None:
    """The items of a page are a tuple, whatever iterable they came in."""
    given: Any = (item for item in "abc")

    page: Any = Page(given)

    assert (("a", "b", "c"), None) == (page.items, page.next)


@pytest.mark.parametrize("items", ["abc", b"abc", 3], ids=repr)
def test_page_of_what_holds_no_items_is_refused(items: Any) -> None:
    """Text is no list of its characters: like a number, it is wrong_type on items."""
    assert ["wrong_type: items"] == refusals(Page, items)


def test_page_cannot_be_changed() -> None:
    """A page is a value."""
    page: Any = Page(())

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        page.next = "more"


def test_page_pickles_and_copies() -> None:
    """A page comes back equal from a pickle and a copy."""
    page = Page((course(),), "courses.1.2")

    assert (page, page) == (pickle.loads(pickle.dumps(page)), deepcopy(page))


@pytest.mark.parametrize(
    "name",
    [
        "add",
        "get",
        "courses",
        "change_course",
        "participations",
        "change_participation",
        "registrations",
        "certificates",
        "pending_reminders",
        "mark_reminder_scheduled",
    ],
)
def test_memory_is_called_as_the_port_says(name: str) -> None:
    """Each method of the in-memory repository takes what the port names, with its defaults."""
    port: Any = getattr(CourseRepository, name)
    adapter: Any = getattr(InMemoryCourseRepository, name)

    assert inspect.signature(port) == inspect.signature(adapter)
