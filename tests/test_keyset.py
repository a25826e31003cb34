from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_domain import InvalidValue, Rule
from course_domain.keyset import (
    UNDATED,
    Rows,
    cursor,
    microseconds,
    page,
    place_after,
    place_of,
    until,
)
from course_domain.testing import strategies
from course_domain.values import LATEST_COMPUTED_INSTANT

ANY_LIST = settings(deadline=None)
PLACES = st.tuples(st.integers(-3, 3), st.integers(0, 3))


def rows_at(*places: tuple[int, ...]) -> Rows[str]:
    """Give rows in these places, each named by its place."""
    rows = Rows[str]()
    for place in places:
        rows.put(place, str(place))
    return rows


@pytest.mark.parametrize(
    ("instant", "count"),
    [
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), 0, id="the epoch"),
        pytest.param(datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC), 1, id="just after"),
        pytest.param(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1, id="just before"),
        pytest.param(datetime(1970, 1, 2, tzinfo=UTC), 86_400_000_000, id="a day later"),
        pytest.param(None, UNDATED, id="undated"),
    ],
)
def test_microseconds_count_from_1970(instant: datetime | None, count: int) -> None:
    """Instants are counted to the microsecond, on both sides of 1970."""
    assert count == microseconds(instant)


@given(strategies.instants(), strategies.instants())
@ANY_LIST
def test_microseconds_keep_the_order_of_instants(one: datetime, other: datetime) -> None:
    """Equal instants count the same, and the later of two counts more."""
    assert (one < other, one == other) == (
        microseconds(one) < microseconds(other),
        microseconds(one) == microseconds(other),
    )


def test_undated_comes_after_the_last_instant_there_is() -> None:
    """No expiry and no start come after every instant that a record can have."""
    assert microseconds(LATEST_COMPUTED_INSTANT) < microseconds(None)


@given(st.lists(st.tuples(st.sampled_from(["put", "drop", "read"]), PLACES)), PLACES)
@ANY_LIST
def test_rows_are_a_sorted_mapping(
    steps: list[tuple[str, tuple[int, int]]], begin: tuple[int, int]
) -> None:
    """However rows come and go, reading gives each that is there, in order, from a place on."""
    rows, expected = Rows[int](), dict[tuple[int, ...], int]()
    for number, (step, place) in enumerate(steps):
        if step == "put":
            rows.put(place, number)
            expected[place] = number
        elif step == "drop":
            rows.drop(place)
            expected.pop(place, None)
        else:
            assert sorted(expected.items()) == list(rows.from_place(()))

    assert sorted(item for item in expected.items() if item[0] >= begin) == list(
        rows.from_place(begin)
    )


def test_row_put_over_another_takes_its_place() -> None:
    """Two rows in one place are one: the later."""
    rows = rows_at((1,), (2,))

    rows.put((1,), "new")

    assert [((1,), "new"), ((2,), "(2,)")] == list(rows.from_place(()))


class Compared(tuple[int, ...]):
    """A place that notes each comparison."""

    noted: ClassVar[list[object]] = []

    def __lt__(self, other: Any) -> bool:
        """Note, and compare as tuples do."""
        self.noted.append(other)
        return super().__lt__(other)


@pytest.mark.parametrize("order", [range(3_200), range(3_200)[::-1]], ids=["in order", "backwards"])
def test_row_goes_in_and_out_of_many_by_a_few_comparisons(order: range) -> None:
    """A change among 3 200 rows halves its way to its place, though somebody reads each time."""
    rows = Rows[int]()
    for number in order:
        rows.put(Compared((number, 0)), number)
    assert list(range(3_200)) == [row for _, row in rows.from_place(())]
    Compared.noted.clear()

    rows.put(Compared((1_600, 1)), -1)
    assert ((1_600, 1), -1) == next(rows.from_place((1_600, 1)))
    rows.drop((1_600, 1))

    assert len(Compared.noted) <= 3 * 13 + 1


def test_cursor_is_of_its_alphabet() -> None:
    """A cursor is made of letters, digits and - . _ ~ also before 1970."""
    assert "courses.-5.7" == cursor("courses", (-5, 7))


@given(st.lists(st.integers(), min_size=1, max_size=3))
@ANY_LIST
def test_cursor_leads_right_behind_its_place(numbers: list[int]) -> None:
    """A cursor reads back as the first place behind its own."""
    place = tuple(numbers)

    behind = place_after("rows", cursor("rows", place), len(place))

    assert ((*place[:-1], place[-1] + 1), True) == (behind, place < behind)


def test_no_cursor_begins_before_every_place() -> None:
    """Without a cursor a listing begins at its first row."""
    assert () == place_after("rows", None, 2)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param("", id="empty"),
        pytest.param("rows", id="no place"),
        pytest.param("rows.1", id="too short"),
        pytest.param("rows.1.2.3", id="too long"),
        pytest.param("rows.1.2.", id="one dot more"),
        pytest.param("rows..2", id="a number missing"),
        pytest.param("rows.1.x", id="no number"),
        pytest.param("rows.1.2.5", id="a fraction"),
        pytest.param("rows.1,2", id="another separator"),
        pytest.param("other.1.2", id="another query"),
        pytest.param("ROWS.1.2", id="another case"),
        pytest.param(".1.2", id="no query"),
        pytest.param("1.2", id="numbers alone"),
        pytest.param("rows.1.+2", id="a plus"),
        pytest.param("rows.1.02", id="a leading zero"),
        pytest.param("rows.-0.2", id="minus zero"),
        pytest.param("rows.1.2_0", id="an underscore"),
        pytest.param("rows.1. 2", id="a blank"),
        pytest.param("rows.1.2\n", id="a line end"),
        pytest.param("rows.1.\u0663", id="an arabic digit"),
        pytest.param("rows.1.\uff12", id="a wide digit"),
        pytest.param("rows.1.\ud800", id="half a surrogate pair"),
        pytest.param("rows.1.2\x00", id="NUL"),
        pytest.param("rows.1." + "2" * 494, id="501 characters"),
        pytest.param("rows.1." + "2" * 10_000, id="more digits than Python reads"),
    ],
)
def test_cursor_that_does_not_read_back_whole_is_refused(after: str) -> None:
    """What is no cursor of this query is unknown_cursor on after."""
    with pytest.raises(InvalidValue) as raised:
        place_after("rows", after, 2)

    (violation,) = raised.value.violations
    assert (Rule.UNKNOWN_CURSOR, ("after",)) == (violation.rule, violation.fields)


def test_cursor_of_500_characters_is_read() -> None:
    """500 characters are as many as a cursor may have."""
    after = "rows.1." + "2" * 493

    assert (500, (1, int("2" * 493) + 1)) == (len(after), place_after("rows", after, 2))


@pytest.mark.parametrize(
    ("limit", "items", "following"),
    [
        pytest.param(1, ("(1,)",), "rows.1", id="the first"),
        pytest.param(2, ("(1,)", "(2,)"), "rows.2", id="one left"),
        pytest.param(3, ("(1,)", "(2,)", "(3,)"), None, id="exactly all"),
        pytest.param(4, ("(1,)", "(2,)", "(3,)"), None, id="fewer than asked for"),
    ],
)
def test_page_tells_whether_more_follows(
    limit: int, items: tuple[str, ...], following: str | None
) -> None:
    """A page is full unless it is the last, and `next` is None exactly when nothing follows."""
    taken = page("rows", rows_at((2,), (3,), (1,)).from_place(()), limit)

    assert (items, following) == (taken.items, taken.next)


def test_page_of_nothing_is_empty() -> None:
    """No rows give an empty page that nothing follows."""
    assert ((), None) == (page("rows", Rows[str]().from_place(()), 5).items, None)


def test_until_stops_in_front_of_an_instant() -> None:
    """Rows at the end or behind it are left out, and what follows is not even looked at."""
    rows = rows_at((1, 9), (2, 9), (3, 0), (4, 0)).from_place(())

    assert ([(1, 9), (2, 9)], [((4, 0), "(4, 0)")]) == (
        [place_of(row) for row in until(3, rows)],
        list(rows),
    )


def test_pages_tell_instants_apart_to_the_microsecond() -> None:
    """Two rows a microsecond apart are two places."""
    instant = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    rows = rows_at(*((microseconds(instant + timedelta(microseconds=step)), 0) for step in (0, 1)))

    first = page("rows", rows.from_place(()), 1)

    begin = place_after("rows", first.next, 2)
    assert [(microseconds(instant) + 1, 0)] == [place for place, _ in rows.from_place(begin)]
