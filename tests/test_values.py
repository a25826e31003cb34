from datetime import UTC, datetime, timedelta, timezone, tzinfo
from enum import IntEnum
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given

from builders import (
    COURSE_ID,
    FIRST,
    LAST,
    LAST_COMPUTED,
    MAX_INTEGER,
    NOW,
    TICK,
    ZONES_WITHOUT_OFFSET,
    HostDatetime,
    HostInt,
    HostText,
    HostUUID,
    Nowhere,
    broken,
    refusals,
    wrong_values,
)
from course_domain import CourseStatus, InvalidValue, Rule, Violation, values
from course_domain.testing.strategies import instants, zones
from course_domain.values import (
    anything,
    checked,
    each,
    judge,
    optional,
    record,
    settle,
    whole_number,
)

OSLO = ZoneInfo("Europe/Oslo")

KINDS: dict[str, Any] = {
    "uuid": values.identifier,
    "text": values.text,
    "flag": values.flag,
    "count": values.count,
    "months": whole_number(1, 1_200),
    "instant": values.instant,
    "computed instant": values.computed_instant,
    "zone": values.zone,
}


class Seats(IntEnum):
    FEW = 3


def taken(kind: Any, value: object) -> Any:
    """Give what a kind makes of a value."""
    (plain,) = checked(value=(kind, value))
    return plain


def refusal(kind: Any, value: object) -> Violation:
    """Give the one violation of a value that a kind refuses."""
    with pytest.raises(InvalidValue) as raised:
        checked(value=(kind, value))
    (violation,) = raised.value.violations
    return violation


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        pytest.param(name, value, rule, id=f"{name}-{what}")
        for name, what, value, rule in wrong_values({name: name for name in KINDS})
    ],
)
def test_kind_refuses_what_it_is_not(name: str, value: object, rule: str) -> None:
    """A value of another type, or out of bounds, is refused by the rule that says so."""
    assert rule == refusal(KINDS[name], value).rule


@pytest.mark.parametrize(
    ("kind", "value", "plain"),
    [
        pytest.param("uuid", COURSE_ID, COURSE_ID, id="uuid"),
        pytest.param("uuid", HostUUID(int=COURSE_ID.int), COURSE_ID, id="uuid-subclass"),
        pytest.param("text", "Å", "Å", id="text"),
        pytest.param("text", "", "", id="empty-text"),
        pytest.param("text", "🎧\n", "🎧\n", id="text-beyond-the-basic-plane"),
        pytest.param("text", HostText("kurs"), "kurs", id="text-subclass"),
        pytest.param("text", CourseStatus.DRAFT, "draft", id="text-of-an-enumeration"),
        pytest.param("flag", True, True, id="true"),
        pytest.param("flag", False, False, id="false"),
        pytest.param("count", 0, 0, id="least-count"),
        pytest.param("count", MAX_INTEGER, MAX_INTEGER, id="largest-count"),
        pytest.param("count", HostInt(3), 3, id="int-subclass"),
        pytest.param("count", Seats.FEW, 3, id="int-of-an-enumeration"),
        pytest.param("months", 1, 1, id="least-months"),
        pytest.param("months", 1_200, 1_200, id="most-months"),
        pytest.param("instant", NOW, NOW, id="instant"),
        pytest.param("instant", FIRST, FIRST, id="first-instant"),
        pytest.param("instant", LAST, LAST, id="last-instant"),
        pytest.param("computed instant", FIRST, FIRST, id="first-computed-instant"),
        pytest.param("computed instant", LAST_COMPUTED, LAST_COMPUTED, id="last-computed-instant"),
        pytest.param("instant", HostDatetime.of(NOW), NOW, id="datetime-subclass"),
        pytest.param("zone", UTC, UTC, id="utc"),
        pytest.param("zone", OSLO, OSLO, id="place"),
    ],
)
def test_kind_takes_a_value_as_the_plain_type(kind: str, value: object, plain: object) -> None:
    """A right value comes back equal, and a subclass of its type as the type itself."""
    assert (plain, type(plain)) == (taken(KINDS[kind], value), type(taken(KINDS[kind], value)))


@pytest.mark.parametrize(
    ("kind", "value", "params"),
    [
        ("uuid", "x", {"expected": "UUID", "actual": "str"}),
        ("text", 3, {"expected": "str", "actual": "int"}),
        ("flag", 1, {"expected": "bool", "actual": "int"}),
        ("count", True, {"expected": "int", "actual": "bool"}),
        ("count", -1, {"minimum": 0, "maximum": MAX_INTEGER}),
        ("months", 1_201, {"minimum": 1, "maximum": 1_200}),
        ("instant", NOW.date(), {"expected": "datetime", "actual": "date"}),
        ("instant", LAST + TICK, {"minimum": FIRST, "maximum": LAST}),
        ("computed instant", FIRST - TICK, {"minimum": FIRST, "maximum": LAST_COMPUTED}),
        ("zone", "Europe/Oslo", {"expected": "tzinfo", "actual": "str"}),
        ("uuid", None, {}),
        ("instant", NOW.replace(tzinfo=None), {}),
        ("text", "secret\x00", {}),
    ],
)
def test_refusal_tells_types_and_bounds(kind: str, value: object, params: object) -> None:
    """A refusal has the types or the bounds as parameters, and nothing of the value."""
    assert params == refusal(KINDS[kind], value).params


def test_minimum_can_be_left_to_a_rule() -> None:
    """A number that a rule of the owner will judge as too low is let through, too high is not."""
    seats = whole_number(1, 12, minimum_is_a_rule=True)

    assert [-5, 0, 1, 12] == [taken(seats, number) for number in (-5, 0, 1, 12)]
    assert Rule.OUT_OF_RANGE == refusal(seats, 13).rule


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(datetime(2026, 10, 25, 2, 30, tzinfo=OSLO, fold=1), id="second-pass"),
        pytest.param(datetime(2026, 10, 25, 1, 30, tzinfo=UTC, fold=1), id="fold-in-utc"),
        pytest.param(
            HostDatetime(2026, 10, 25, 2, 30, tzinfo=OSLO, fold=1), id="subclass-in-a-zone"
        ),
        pytest.param(HostDatetime(2026, 10, 25, 1, 30, tzinfo=UTC, fold=1), id="subclass-in-utc"),
        pytest.param(datetime(2026, 10, 25, 1, 30, tzinfo=ZoneInfo("UTC")), id="another-utc"),
    ],
)
def test_instant_is_kept_in_utc(value: datetime) -> None:
    """An instant in any zone, pass or class becomes the one plain datetime in UTC, fold 0."""
    plain = taken(values.instant, value)

    assert datetime(2026, 10, 25, 1, 30, tzinfo=UTC) == plain
    assert (datetime, UTC, 0) == (type(plain), plain.tzinfo, plain.fold)


@given(moment=instants(), zone=zones())
def test_instant_is_the_same_from_any_zone(moment: datetime, zone: tzinfo) -> None:
    """The same instant written in any zone is taken, as the same value."""
    assert moment == taken(values.instant, moment.astimezone(zone))


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), id="min-east"),
        pytest.param(datetime.min.replace(tzinfo=timezone(timedelta(hours=-12))), id="min-west"),
        pytest.param(datetime.min.replace(tzinfo=ZoneInfo("Asia/Tokyo")), id="min-tokyo"),
        pytest.param(datetime.max.replace(tzinfo=timezone(timedelta(hours=14))), id="max-east"),
        pytest.param(datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))), id="max-west"),
        pytest.param(
            datetime.max.replace(tzinfo=ZoneInfo("America/New_York"), fold=1), id="max-new-york"
        ),
    ],
)
def test_instant_at_the_end_of_the_calendar_is_out_of_range(value: datetime) -> None:
    """An instant that UTC cannot even express is refused, without an OverflowError."""
    assert Rule.OUT_OF_RANGE == refusal(values.instant, value).rule


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(FIRST.astimezone(timezone(timedelta(hours=-5))), [], id="first-in-1899"),
        pytest.param(LAST.astimezone(timezone(timedelta(hours=14))), [], id="last-in-9000"),
        pytest.param(
            (FIRST - TICK).astimezone(timezone(timedelta(hours=14))),
            ["out_of_range: at"],
            id="before-the-first-in-1900",
        ),
        pytest.param(
            (LAST + TICK).astimezone(timezone(timedelta(hours=-12))),
            ["out_of_range: at"],
            id="after-the-last-in-8999",
        ),
    ],
)
def test_bounds_of_instants_are_in_utc(value: datetime, expected: list[str]) -> None:
    """The year that a zone writes decides nothing; the instant does."""
    _, violations = judge({"at": values.instant}, [("at", value)])

    assert expected == broken(violations)


@pytest.mark.parametrize("zone", ZONES_WITHOUT_OFFSET)
def test_instant_in_a_zone_without_an_offset_is_naive(zone: tzinfo) -> None:
    """A zone that cannot tell its offset makes no instant."""
    assert Rule.NAIVE_DATETIME == refusal(values.instant, NOW.replace(tzinfo=zone)).rule


class Changeable(HostDatetime):
    def astimezone(self, tz: tzinfo | None = None) -> Any:
        """Give what is no datetime."""
        return tz


def test_subclass_has_no_say_in_what_an_instant_is() -> None:
    """What a host's datetime does in its own methods changes neither value nor class."""
    plain = taken(values.instant, Changeable.of(NOW.astimezone(OSLO)))

    assert (NOW, datetime, UTC) == (plain, type(plain), plain.tzinfo)


class WithoutSummerTime(Nowhere):
    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Give an hour, though no time can be moved into a zone without `dst`."""
        return timedelta(hours=1) if dt else None


@pytest.mark.parametrize(
    "zone", [*ZONES_WITHOUT_OFFSET, pytest.param(WithoutSummerTime(), id="dst-none")]
)
def test_zone_without_an_offset_is_naive(zone: tzinfo) -> None:
    """A zone that no instant can be moved into is refused before anything is counted in it."""
    assert Rule.NAIVE_DATETIME == refusal(values.zone, zone).rule


class MeanTime(Nowhere):
    """Stand for a zone of pytz: right for what is moved into it, wrong for what is joined to it."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Give the mean time of Oslo, as of before 1895."""
        return timedelta(minutes=43) if dt else None

    def fromutc(self, dt: datetime) -> datetime:
        """Give the time of today, in a zone of its own."""
        return dt.replace(tzinfo=UTC).astimezone(OSLO)


def test_zone_that_reads_another_clock_is_refused() -> None:
    """A zone whose wall clock is another when it is joined to a time would give wrong dates."""
    told = refusal(values.zone, MeanTime())

    assert Rule.WRONG_TYPE == told.rule
    assert "MeanTime" == told.params["actual"]


def test_record_takes_an_instance_only() -> None:
    """The text of a member is no member of its enumeration; the member comes back itself."""
    assert CourseStatus.DRAFT is taken(record(CourseStatus), CourseStatus.DRAFT)
    assert {"expected": "CourseStatus", "actual": "str"} == refusal(
        record(CourseStatus), "draft"
    ).params


@pytest.mark.parametrize("made", [list, tuple, iter], ids=["list", "tuple", "iterator"])
def test_each_reads_any_iterable_once(made: Any) -> None:
    """Any iterable becomes a tuple of plain values."""
    assert (1, 2) == taken(each(values.count), made([1, HostInt(2)]))
    assert int is type(taken(each(values.count), made([1, HostInt(2)]))[1])


class Endless:
    def __iter__(self) -> Any:
        """Give what is no iterator."""
        return self


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        pytest.param([1, "2"], Rule.WRONG_TYPE, id="item"),
        pytest.param([1, None], Rule.REQUIRED, id="none-inside"),
        pytest.param([-1], Rule.OUT_OF_RANGE, id="item-out-of-range"),
        pytest.param("12", Rule.WRONG_TYPE, id="text"),
        pytest.param(b"12", Rule.WRONG_TYPE, id="bytes"),
        pytest.param(12, Rule.WRONG_TYPE, id="no-iterable"),
        pytest.param(list, Rule.WRONG_TYPE, id="class-of-an-iterable"),
        pytest.param(Endless(), Rule.WRONG_TYPE, id="no-iterator"),
        pytest.param(None, Rule.REQUIRED, id="none"),
    ],
)
def test_each_refuses_a_wrong_item(value: object, rule: Rule) -> None:
    """One wrong item, or what cannot be iterated over, refuses the whole."""
    assert rule == refusal(each(values.count), value).rule


def test_anything_is_taken_as_it_is() -> None:
    """What is anything, None too, comes back the very same."""
    things: list[object] = [None, object(), "x\x00", NOW.replace(tzinfo=None)]

    assert list(map(id, things)) == list(map(id, taken(each(anything), things)))


def test_optional_also_takes_none() -> None:
    """None is taken by an optional kind, and everything else as before."""
    kind = optional(values.count)

    assert [None, 3] == [taken(kind, None), taken(kind, HostInt(3))]
    assert int is type(taken(kind, HostInt(3)))
    assert Rule.OUT_OF_RANGE == refusal(kind, -1).rule


def test_judge_gives_values_and_violations() -> None:
    """Each value is either given back plain, or told by a violation that names it."""
    kinds = {"id": values.identifier, "count": values.count, "at": values.instant}
    plain, violations = judge(kinds, [("count", 3), ("id", "x"), ("at", None)])

    assert {"count": 3} == plain
    assert ["wrong_type: id", "required: at"] == broken(violations)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("text", "kurs\x00"), ("text", "\ud800"), ("count", -1), ("instant", LAST + TICK)],
)
def test_judge_lets_a_value_of_the_right_type_be_judged_further(kind: str, value: object) -> None:
    """A value that is only out of bounds stands in both, so that no violation is hidden."""
    plain, violations = judge({"value": KINDS[kind]}, [("value", value)])

    assert {"value": value} == plain
    assert 1 == len(violations)


def test_checked_gives_arguments_in_their_order() -> None:
    """The arguments of a call come back plain, in the order that they were named in."""
    at = NOW.astimezone(OSLO)
    plain: tuple[Any, ...] = checked(
        at=(values.instant, at), whose=(optional(values.identifier), None), count=(values.count, 3)
    )

    assert (NOW, None, 3) == plain
    assert UTC is plain[0].tzinfo


def test_checked_names_every_argument() -> None:
    """All wrong arguments are told at once, in their order."""
    assert ["wrong_type: whose", "naive_datetime: at", "out_of_range: count"] == refusals(
        checked,
        whose=(values.identifier, "x"),
        at=(values.instant, NOW.replace(tzinfo=None)),
        fine=(values.flag, True),
        count=(values.count, -1),
    )


@attrs.frozen
class Visit:
    id: Any
    count: Any


def test_settle_keeps_plain_values() -> None:
    """A record holds the plain values, though it is frozen."""
    visit = Visit(HostUUID(int=COURSE_ID.int), HostInt(3))
    settle(visit, {"id": values.identifier, "count": values.count})

    assert Visit(COURSE_ID, 3) == visit
    assert (UUID, int) == (type(visit.id), type(visit.count))


def test_settle_names_every_field() -> None:
    """All wrong fields are told at once, and the record is left as it was."""
    visit = Visit("x", -1)

    assert ["wrong_type: id", "out_of_range: count"] == refusals(
        settle, visit, {"id": values.identifier, "count": values.count}
    )
    assert Visit("x", -1) == visit
