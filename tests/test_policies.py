import csv
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import (
    DEADLINE,
    FIRST,
    LAST,
    MAX_INTEGER,
    NOW,
    OTHER_ORGANIZATION_ID,
    TICK,
    ZONES_WITHOUT_OFFSET,
    HostDatetime,
    HostInt,
    actor,
    broken,
    cancelled,
    certificate,
    course,
    refusals,
    registration,
    reminder,
    wrong_values,
)
from course_domain import (
    REMINDER_LEAD_DAYS,
    Actor,
    Course,
    CourseStatus,
    Registration,
    RegistrationStatus,
    Role,
    can_view,
    certificate_expires_at,
    is_registration_open,
    registration_rejections,
    renewal_reminder_at,
    seats_left,
    visible_statuses,
)
from course_domain.testing.strategies import (
    actors,
    courses,
    instants,
    instants_near,
    registrations,
    zones,
)

DRAFT, PUBLISHED, ARCHIVED = CourseStatus
UNPUBLISHED = [DRAFT, ARCHIVED]
PARTICIPANTS = [Role.PEER_MENTOR, Role.COORDINATOR]
DAY = timedelta(days=1)
OSLO = ZoneInfo("Europe/Oslo")
NEW_YORK = ZoneInfo("America/New_York")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")
APIA = ZoneInfo("Pacific/Apia")

FOREIGN = ["org_scoped_course_access: organization_id"]
HIDDEN = ["published_only_visible_to_users: status"]
LATE = ["registration_deadline_enforced: registration_deadline"]
FULL = ["max_participants_cap: max_participants"]
NOT_PUBLISHED = ["registration_requires_published: status"]


def rejected(
    asked: Course,
    asking: Actor,
    confirmed_count: int = 0,
    now: datetime = NOW,
    registration: Registration | None = None,
) -> list[str]:
    """Give the reasons why an actor may not register."""
    return broken(
        registration_rejections(asked, asking, confirmed_count, now, registration=registration)
    )


# Who may see


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (Role.PEER_MENTOR, {PUBLISHED}),
        (Role.COORDINATOR, {PUBLISHED}),
        (Role.ADMIN, {DRAFT, PUBLISHED, ARCHIVED}),
    ],
)
def test_role_sees_statuses(role: Role, expected: set[CourseStatus]) -> None:
    """``published_only_visible_to_users``: participants see published courses, admins all."""
    assert expected == visible_statuses(role)


def test_visible_statuses_cannot_be_changed() -> None:
    """The answer is a set that nobody can add to."""
    assert frozenset is type(visible_statuses(Role.PEER_MENTOR))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("status", CourseStatus)
def test_actor_views_by_role_and_status(role: Role, status: CourseStatus) -> None:
    """Inside the organization a course is there in the statuses that the role may see."""
    expected = role is Role.ADMIN or status is PUBLISHED

    assert expected is can_view(course(status=status), actor(role))


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("status", CourseStatus)
def test_nobody_views_a_foreign_course(role: Role, status: CourseStatus) -> None:
    """``org_scoped_course_access``: admins too see their own organization only."""
    foreign = course(status=status, organization_id=OTHER_ORGANIZATION_ID)

    assert False is can_view(foreign, actor(role))


@given(asked=courses(), asking=actors())
def test_course_of_another_organization_is_never_seen(asked: Course, asking: Actor) -> None:
    """Whatever the course and the actor, they meet only inside one organization."""
    same = asked.organization_id == asking.organization_id

    assert (same and asked.status in visible_statuses(asking.role)) is can_view(asked, asking)


# Who may register


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(DEADLINE - DAY, [], id="a-day-before"),
        pytest.param(DEADLINE - TICK, [], id="just-before"),
        pytest.param(DEADLINE, [], id="at"),
        pytest.param(DEADLINE.astimezone(OSLO), [], id="at-in-another-zone"),
        pytest.param(DEADLINE + TICK, LATE, id="just-after"),
        pytest.param((DEADLINE + TICK).astimezone(NEW_YORK), LATE, id="after-in-another-zone"),
        pytest.param(LAST, LATE, id="long-after"),
    ],
)
@pytest.mark.parametrize("role", Role)
def test_deadline_is_the_last_moment(role: Role, now: datetime, expected: list[str]) -> None:
    """``registration_deadline_enforced``: at the deadline one may register, later not."""
    assert expected == rejected(course(), actor(role), now=now)


@pytest.mark.parametrize("now", [FIRST, NOW, LAST])
def test_course_without_a_deadline_never_closes(now: datetime) -> None:
    """``registration_deadline_enforced``: no deadline never passes, not even at the start."""
    assert [] == rejected(course(registration_deadline=None), actor(), now=now)
    assert is_registration_open(course(registration_deadline=None), now)


@pytest.mark.parametrize(
    ("cap", "confirmed_count", "expected"),
    [
        pytest.param(12, 0, [], id="nobody"),
        pytest.param(12, 11, [], id="one-seat-left"),
        pytest.param(12, 12, FULL, id="full"),
        pytest.param(12, 13, FULL, id="cap-lowered"),
        pytest.param(12, MAX_INTEGER, FULL, id="cap-lowered-far"),
        pytest.param(1, 0, [], id="the-only-seat"),
        pytest.param(1, 1, FULL, id="the-only-seat-taken"),
        pytest.param(None, 0, [], id="no-limit"),
        pytest.param(None, MAX_INTEGER, [], id="no-limit-and-many"),
    ],
)
@pytest.mark.parametrize("role", Role)
def test_cap_is_never_passed(
    role: Role, cap: int | None, confirmed_count: int, expected: list[str]
) -> None:
    """``max_participants_cap``: who registers must find fewer confirmed than seats."""
    assert expected == rejected(course(max_participants=cap), actor(role), confirmed_count)


@pytest.mark.parametrize(
    ("status", "now", "confirmed_count", "expected"),
    [
        (PUBLISHED, DEADLINE, 11, []),
        (PUBLISHED, DEADLINE, 12, FULL),
        (PUBLISHED, DEADLINE + TICK, 11, LATE),
        (PUBLISHED, DEADLINE + TICK, 12, LATE + FULL),
        (DRAFT, DEADLINE, 11, NOT_PUBLISHED),
        (DRAFT, DEADLINE, 12, FULL + NOT_PUBLISHED),
        (DRAFT, DEADLINE + TICK, 11, LATE + NOT_PUBLISHED),
        (DRAFT, DEADLINE + TICK, 12, LATE + FULL + NOT_PUBLISHED),
        (ARCHIVED, DEADLINE, 11, NOT_PUBLISHED),
        (ARCHIVED, DEADLINE, 12, FULL + NOT_PUBLISHED),
        (ARCHIVED, DEADLINE + TICK, 11, LATE + NOT_PUBLISHED),
        (ARCHIVED, DEADLINE + TICK, 12, LATE + FULL + NOT_PUBLISHED),
    ],
)
def test_every_reason_is_told_in_order(
    status: CourseStatus, now: datetime, confirmed_count: int, expected: list[str]
) -> None:
    """An admin hears all reasons at once: deadline, cap, not published."""
    assert expected == rejected(course(status=status), actor(Role.ADMIN), confirmed_count, now)


@pytest.mark.parametrize("held", [None, cancelled(), registration()], ids=["none", "ex", "held"])
@pytest.mark.parametrize(
    ("role", "unseen", "expected"),
    [
        *(
            (role, course(status=status, organization_id=OTHER_ORGANIZATION_ID), FOREIGN)
            for role, status in product(Role, CourseStatus)
        ),
        *(
            (role, course(status=status), HIDDEN)
            for role, status in product(PARTICIPANTS, UNPUBLISHED)
        ),
    ],
)
def test_course_that_is_not_seen_gives_only_why(
    role: Role, unseen: Course, expected: list[str], held: Registration | None
) -> None:
    """A foreign or hidden course tells that alone, first that it is foreign, to a holder too."""
    assert expected == rejected(unseen, actor(role), 0, NOW, held)
    assert expected == rejected(unseen, actor(role), 12, DEADLINE + TICK, held)


@pytest.mark.parametrize(
    ("status", "now", "confirmed_count"),
    [
        (PUBLISHED, NOW, 1),
        (PUBLISHED, DEADLINE + TICK, 12),
        (DRAFT, NOW, 1),
        (ARCHIVED, DEADLINE + TICK, 13),
    ],
)
@pytest.mark.parametrize("completed_at", [None, NOW])
def test_who_holds_a_seat_keeps_it(
    status: CourseStatus, now: datetime, confirmed_count: int, completed_at: datetime | None
) -> None:
    """Nothing stands against a confirmed registration, completed or not."""
    held = registration(completed_at=completed_at)

    assert [] == rejected(course(status=status), actor(Role.ADMIN), confirmed_count, now, held)


def test_who_cancelled_is_judged_like_anyone() -> None:
    """After a cancel every rule runs again."""
    late, asking = DEADLINE + TICK, actor()

    assert [] == rejected(course(), asking, 11, NOW, cancelled())
    assert LATE + FULL == rejected(course(), asking, 12, late, cancelled())


def test_rejection_comes_with_what_its_sentence_needs() -> None:
    """Each reason carries the deadline, the cap or the status."""
    told = registration_rejections(
        course(status=DRAFT), actor(Role.ADMIN), 12, DEADLINE.astimezone(OSLO) + TICK
    )

    assert [
        {"registration_deadline": DEADLINE},
        {"max_participants": 12},
        {"status": "draft"},
    ] == [dict(violation.params) for violation in told]
    assert str is type(told[2].params["status"])
    assert "?" not in " ".join(map(str, told))


@given(data=st.data(), asked=courses(), asking=actors())
def test_list_button_and_command_agree(data: st.DataObject, asked: Course, asking: Actor) -> None:
    """Who may view an open course with a seat left may register, and nobody else may."""
    if data.draw(st.booleans()):
        asking = actor(asking.role, organization_id=asked.organization_id)
    now = data.draw(instants_near(asked.registration_deadline))
    cap = asked.max_participants or 3
    count = data.draw(st.sampled_from([0, cap - 1, cap, min(cap + 1, MAX_INTEGER)]))
    held = data.draw(st.none() | registrations())

    seated = held is not None and held.status is RegistrationStatus.CONFIRMED
    has_room = is_registration_open(asked, now) and seats_left(asked, count) != 0
    expected = can_view(asked, asking) and (seated or has_room)
    assert expected is (() == registration_rejections(asked, asking, count, now, registration=held))


@pytest.mark.parametrize(
    ("status", "now", "expected"),
    [
        (PUBLISHED, DEADLINE - TICK, True),
        (PUBLISHED, DEADLINE, True),
        (PUBLISHED, DEADLINE + TICK, False),
        (DRAFT, DEADLINE, False),
        (DRAFT, DEADLINE + TICK, False),
        (ARCHIVED, DEADLINE, False),
        (ARCHIVED, DEADLINE + TICK, False),
    ],
)
def test_registration_is_open_until_the_deadline(
    status: CourseStatus, now: datetime, expected: bool
) -> None:
    """A published course is open until its deadline, that moment included."""
    assert expected is is_registration_open(course(status=status), now)


@pytest.mark.parametrize(
    ("cap", "confirmed_count", "expected"),
    [
        pytest.param(12, 0, 12, id="nobody"),
        pytest.param(12, 11, 1, id="one-left"),
        pytest.param(12, 12, 0, id="full"),
        pytest.param(12, 13, 0, id="cap-lowered"),
        pytest.param(1, MAX_INTEGER, 0, id="cap-lowered-far"),
        pytest.param(MAX_INTEGER, 0, MAX_INTEGER, id="as-many-as-can-be"),
        pytest.param(None, 0, None, id="no-limit"),
        pytest.param(None, MAX_INTEGER, None, id="no-limit-and-many"),
    ],
)
def test_seats_left_are_never_negative(
    cap: int | None, confirmed_count: int, expected: int | None
) -> None:
    """The free seats are cap less confirmed, at least 0; None without a limit."""
    assert expected == seats_left(course(max_participants=cap), confirmed_count)


@given(asked=courses(), count=st.integers(0, 5) | st.integers(0, MAX_INTEGER))
def test_seats_left_and_confirmed_fill_the_cap(asked: Course, count: int) -> None:
    """Free and taken seats are the cap together, or more are taken and none is free."""
    left = seats_left(asked, count)

    assert (asked.max_participants is None) is (left is None)
    assert left is None or (left >= 0 and max(asked.max_participants or 0, count) == left + count)


# Arguments

Arguments = dict[str, Any]

COURSE: Arguments = {"course": course()}
ACTOR: Arguments = {"actor": actor()}
ISSUE: Arguments = {"issued_at": NOW, "months": 24, "zone": UTC}
KINDS: dict[str, str | type[object]] = {
    "course": Course,
    "actor": Actor,
    "role": Role,
    "confirmed_count": "count",
    "now": "instant",
    "registration": Registration,
    "issued_at": "instant",
    "months": "months",
    "zone": "zone",
}
POLICIES: list[tuple[Callable[..., Any], Arguments]] = [
    (visible_statuses, {"role": Role.ADMIN}),
    (can_view, COURSE | ACTOR),
    (
        registration_rejections,
        COURSE | ACTOR | {"confirmed_count": 0, "now": NOW, "registration": None},
    ),
    (is_registration_open, COURSE | {"now": NOW}),
    (seats_left, COURSE | {"confirmed_count": 0}),
    (certificate_expires_at, ISSUE),
    (renewal_reminder_at, ISSUE),
]


def wrong_arguments(arguments: Arguments) -> list[tuple[str, str, Any, str]]:
    """List what each argument of a policy must not be."""
    return wrong_values({name: KINDS[name] for name in arguments}, {"registration", "months"})


@pytest.mark.parametrize(
    ("policy", "arguments", "expected"),
    [
        pytest.param(
            policy,
            arguments | {name: value},
            [f"{rule}: {name}"],
            id=f"{policy.__name__}-{name}-{what}",
        )
        for policy, arguments in POLICIES
        for name, what, value, rule in wrong_arguments(arguments)
    ],
)
def test_policy_refuses_a_wrong_argument(
    policy: Callable[..., Any], arguments: Arguments, expected: list[str]
) -> None:
    """An argument that cannot mean what its name says is refused before anything is answered."""
    assert expected == refusals(policy, **arguments)


@pytest.mark.parametrize(
    ("policy", "arguments"), [pytest.param(*each, id=each[0].__name__) for each in POLICIES]
)
def test_policy_tells_every_wrong_argument(
    policy: Callable[..., Any], arguments: Arguments
) -> None:
    """All wrong arguments are told at once, in their order."""
    wrong = {name: (value, rule) for name, _, value, rule in wrong_arguments(arguments)}

    assert [f"{rule}: {name}" for name, (_, rule) in wrong.items()] == refusals(
        policy, **{name: value for name, (value, _) in wrong.items()}
    )


@pytest.mark.parametrize(
    ("policy", "arguments"), [pytest.param(*each, id=each[0].__name__) for each in POLICIES]
)
def test_policy_takes_right_arguments(policy: Callable[..., Any], arguments: Arguments) -> None:
    """By position or by name, right arguments have an answer; a missing one is a TypeError."""
    by_position = [value for name, value in arguments.items() if name != "registration"]

    assert policy(*by_position) == policy(**arguments)
    with pytest.raises(TypeError):
        policy()


def test_policy_takes_subclasses_of_plain_types() -> None:
    """A count and an instant of a database driver's own types are as good as plain ones."""
    late = HostDatetime.of(DEADLINE + TICK)

    assert LATE + FULL == rejected(course(), actor(), HostInt(12), late)
    assert int is type(seats_left(course(), HostInt(1)))
    assert datetime is type(certificate_expires_at(late, HostInt(12)))


@pytest.mark.parametrize("policy", [certificate_expires_at, renewal_reminder_at])
@pytest.mark.parametrize("zone", ZONES_WITHOUT_OFFSET)
def test_renewal_refuses_a_zone_without_an_offset(policy: Callable[..., Any], zone: tzinfo) -> None:
    """No wall clock can be read in a zone that cannot tell its offset."""
    assert ["zone"] == [told.split(": ")[1] for told in refusals(policy, NOW, 24, zone)]


# Renewal


def dates(issued_at: datetime, months: int | None, zone: tzinfo = UTC) -> list[str]:
    """Give expiry and reminder as text in UTC."""
    answers = (
        certificate_expires_at(issued_at, months, zone),
        renewal_reminder_at(issued_at, months, zone),
    )
    assert {UTC} == {answer.tzinfo for answer in answers if answer is not None} | {UTC}
    return [str(answer).removesuffix("+00:00") for answer in answers]


def by_calendar(day: datetime, months: int) -> datetime:
    """Count months by the calendar: a day that the month lacks becomes its last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last))


def reference_rows() -> list[dict[str, str]]:
    """Read what PostgreSQL computed."""
    path = Path(__file__).parent / "data" / "renewal-dates.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_renewal_dates_are_those_of_the_reference() -> None:
    """All 1 112 expiries and reminders are to the microsecond what PostgreSQL computes."""
    rows = reference_rows()
    differing: list[dict[str, str]] = []
    for row in rows:
        issued_at, expires_at, remind_at = (
            datetime.fromisoformat(row[name]) for name in ("issued_at", "expires_at", "remind_at")
        )
        asked = issued_at, int(row["certificate_validity_months"]), ZoneInfo(row["zone"])
        if (expires_at, remind_at) != (certificate_expires_at(*asked), renewal_reminder_at(*asked)):
            differing.append(row)

    assert [] == differing
    assert {"UTC": 556, "Europe/Oslo": 556} == {
        zone: sum(row["zone"] == zone for row in rows) for zone in ("UTC", "Europe/Oslo")
    }
    assert 1_112 == len(rows)


def test_reminder_leads_by_thirty_days() -> None:
    """A host can read how long before the expiry its people are reminded."""
    assert 30 == REMINDER_LEAD_DAYS


@pytest.mark.parametrize("zone", [UTC, OSLO], ids=str)
def test_no_expiry_needs_no_reminder(zone: tzinfo) -> None:
    """Without months, a certificate neither expires nor is its holder reminded."""
    assert ["None", "None"] == dates(NOW, None, zone)


@pytest.mark.parametrize(
    ("issued_at", "months", "expected"),
    [
        pytest.param(
            "2026-03-02 09:30", 24, ["2028-03-02 09:30:00", "2028-02-01 09:30:00"], id="plain"
        ),
        pytest.param(
            "2026-01-31 12:00", 1, ["2026-02-28 12:00:00", "2026-01-29 12:00:00"], id="31st-to-28th"
        ),
        pytest.param(
            "2027-01-31 12:00", 13, ["2028-02-29 12:00:00", "2028-01-30 12:00:00"], id="to-leap-day"
        ),
        pytest.param(
            "2026-01-31 12:00", 2, ["2026-03-31 12:00:00", "2026-03-01 12:00:00"], id="no-drift"
        ),
        pytest.param(
            "2026-08-31 00:00", 3, ["2026-11-30 00:00:00", "2026-10-31 00:00:00"], id="31st-to-30th"
        ),
        pytest.param(
            "2028-02-29 12:00", 12, ["2029-02-28 12:00:00", "2029-01-29 12:00:00"], id="leap-day"
        ),
        pytest.param(
            "2028-02-29 12:00", 48, ["2032-02-29 12:00:00", "2032-01-30 12:00:00"], id="leap-days"
        ),
        pytest.param(
            "2096-02-29 12:00", 48, ["2100-02-28 12:00:00", "2100-01-29 12:00:00"], id="no-leap"
        ),
        pytest.param(
            "2026-03-31 12:00", 1, ["2026-04-30 12:00:00", "2026-03-31 12:00:00"], id="at-issue"
        ),
        pytest.param(
            "2026-02-28 12:00", 1, ["2026-03-28 12:00:00", "2026-02-26 12:00:00"], id="before-issue"
        ),
        pytest.param(
            "2026-12-31 23:59:59.999999",
            2,
            ["2027-02-28 23:59:59.999999", "2027-01-29 23:59:59.999999"],
            id="year-end",
        ),
        pytest.param(
            "1900-01-31 00:00", 1, ["1900-02-28 00:00:00", "1900-01-29 00:00:00"], id="first-year"
        ),
    ],
)
def test_months_are_counted_before_days(issued_at: str, months: int, expected: list[str]) -> None:
    """Calendar months in one step from the issue, to a last day if need be; then 30 days back."""
    assert expected == dates(datetime.fromisoformat(issued_at).replace(tzinfo=UTC), months)


@pytest.mark.parametrize(
    ("zone", "issued_at", "months", "expected"),
    [
        pytest.param(
            OSLO,
            "2026-01-29 02:30+01:00",
            2,  # 29 March 02:30 is skipped and becomes 03:30, and so does the day it is counted to
            ["2026-03-29 01:30:00", "2026-02-27 02:30:00"],
            id="oslo-expiry-in-the-gap",
        ),
        pytest.param(
            OSLO,
            "2026-01-28 02:30+01:00",
            3,
            ["2026-04-28 00:30:00", "2026-03-29 01:30:00"],
            id="oslo-reminder-in-the-gap",
        ),
        pytest.param(
            OSLO,
            "2026-08-25 02:30+02:00",
            2,
            ["2026-10-25 00:30:00", "2026-09-25 00:30:00"],
            id="oslo-expiry-in-the-overlap",
        ),
        pytest.param(
            OSLO,
            "2026-08-24 02:30+02:00",
            3,
            ["2026-11-24 01:30:00", "2026-10-25 00:30:00"],
            id="oslo-reminder-in-the-overlap",
        ),
        pytest.param(
            OSLO,
            "2026-10-25 02:30+01:00",
            132,
            ["2037-10-25 00:30:00", "2037-09-25 00:30:00"],
            id="oslo-from-second-pass-to-first",
        ),
        pytest.param(
            OSLO,
            "2026-01-31 00:30+01:00",
            1,  # in UTC it is still the 30th
            ["2026-02-27 23:30:00", "2026-01-28 23:30:00"],
            id="oslo-local-date",
        ),
        pytest.param(
            NEW_YORK,
            "2026-01-08 02:30-05:00",
            2,
            ["2026-03-08 07:30:00", "2026-02-06 08:30:00"],
            id="new-york-gap",
        ),
        pytest.param(
            NEW_YORK,
            "2026-09-01 01:30-04:00",
            2,
            ["2026-11-01 05:30:00", "2026-10-02 05:30:00"],
            id="new-york-overlap",
        ),
        pytest.param(
            LORD_HOWE,
            "2026-08-04 02:15+10:30",
            2,  # half an hour is skipped: 02:15 becomes 02:45
            ["2026-10-03 15:45:00", "2026-09-03 16:15:00"],
            id="lord-howe-gap",
        ),
        pytest.param(
            LORD_HOWE,
            "2026-02-05 01:45+11:00",
            2,
            ["2026-04-04 14:45:00", "2026-03-05 14:45:00"],
            id="lord-howe-overlap",
        ),
        pytest.param(
            APIA,
            "2011-11-30 12:00-10:00",
            1,  # 30 December never was: a day later
            ["2011-12-30 22:00:00", "2011-12-01 22:00:00"],
            id="apia-expiry-on-the-skipped-day",
        ),
        pytest.param(
            APIA,
            "2011-10-29 12:00-10:00",
            3,
            ["2012-01-28 22:00:00", "2011-12-30 22:00:00"],
            id="apia-reminder-on-the-skipped-day",
        ),
    ],
)
def test_wall_clock_of_a_zone_counts(
    zone: tzinfo, issued_at: str, months: int, expected: list[str]
) -> None:
    """A time that the zone skips moves on by the gap, one that it repeats is its first pass."""
    assert expected == dates(datetime.fromisoformat(issued_at), months, zone)


def test_zone_is_utc_unless_named() -> None:
    """The zone that an instant is written in does not decide; the zone that is asked for does."""
    local = datetime(2026, 1, 31, 0, 30, tzinfo=OSLO)

    assert datetime(2026, 2, 28, 23, 30, tzinfo=UTC) == certificate_expires_at(local, 1)
    assert datetime(2026, 2, 27, 23, 30, tzinfo=UTC) == certificate_expires_at(local, 1, OSLO)
    assert datetime(2026, 1, 29, 23, 30, tzinfo=UTC) == renewal_reminder_at(local, 1)
    assert datetime(2026, 1, 28, 23, 30, tzinfo=UTC) == renewal_reminder_at(local, 1, OSLO)


@given(issued_at=instants(), months=st.integers(1, 1_200))
def test_renewal_follows_the_calendar(issued_at: datetime, months: int) -> None:
    """In UTC every expiry is the same day and time months later, the reminder 720 hours before."""
    expires_at = by_calendar(issued_at, months)

    assert expires_at == certificate_expires_at(issued_at, months)
    assert expires_at - timedelta(hours=720) == renewal_reminder_at(issued_at, months)


@given(issued_at=instants(), months=st.integers(1, 1_200), written=zones(), zone=zones())
def test_equal_instants_give_equal_dates(
    issued_at: datetime, months: int, written: tzinfo, zone: tzinfo
) -> None:
    """The zone that an instant is written in never changes a date, whatever zone is asked for."""
    assert dates(issued_at, months, zone) == dates(issued_at.astimezone(written), months, zone)
    assert dates(issued_at, months) == dates(issued_at.astimezone(written), months)


@given(issued_at=instants(), months=st.integers(1, 36), zone=zones())
@example(datetime(2026, 10, 25, 1, 30, tzinfo=UTC), 29, OSLO)  # repeated there, skipped at the end
def test_dates_in_a_zone_are_real_and_first(issued_at: datetime, months: int, zone: tzinfo) -> None:
    """On the wall of any zone, expiry and reminder are the counted time, or on by the gap."""
    wall = by_calendar(issued_at.astimezone(zone).replace(tzinfo=None), months)
    expires_at = shown(wall, zone)
    remind_at = shown(expires_at.replace(tzinfo=None) - timedelta(days=30), zone)

    assert expires_at.astimezone(UTC) == certificate_expires_at(issued_at, months, zone)
    assert remind_at.astimezone(UTC) == renewal_reminder_at(issued_at, months, zone)


def shown(wall: datetime, zone: tzinfo) -> datetime:
    """Give what a zone's clock really shows for a wall time, in the first pass."""
    first, second = (wall.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    before, after = first.utcoffset(), second.utcoffset()
    assert before is not None
    assert after is not None
    return first + max(after - before, timedelta(0))


@pytest.mark.parametrize("issued_at", [FIRST, LAST], ids=["first", "last"])
@pytest.mark.parametrize("months", [1, 1_200])
def test_no_zone_overflows(issued_at: datetime, months: int) -> None:
    """From the first instant and to the last, in every zone, records take what is computed."""
    offsets = [timezone(timedelta(minutes=minutes)) for minutes in (-1439, -720, 840, 1439)]
    for zone in (*offsets, *map(ZoneInfo, sorted(available_timezones()))):
        expires_at = certificate_expires_at(issued_at, months, zone)
        remind_at = renewal_reminder_at(issued_at, months, zone)

        assert expires_at == certificate(expires_at=expires_at).expires_at, zone
        assert remind_at == reminder(remind_at=remind_at).remind_at, zone


def test_last_expiry_is_a_century_after_the_last_instant() -> None:
    """The longest validity from the last instant ends with the year 9099."""
    expected = ["9099-12-31 23:59:59.999999", "9099-12-01 23:59:59.999999"]

    assert expected == dates(LAST, 1_200)
    assert expected == dates(LAST, 1_200, timezone(timedelta(hours=14)))
