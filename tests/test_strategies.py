import ast
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from random import Random
from typing import Any, TypeVar
from unicodedata import category
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import Phase, find, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import NoSuchExample

from builders import NOW, ORGANIZATION_ID, OTHER_COURSE_ID, TICK, USER_ID, course, registration
from course_domain import (
    Actor,
    Course,
    CourseStatus,
    CourseType,
    InvalidCourse,
    InvalidValue,
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
    Role,
    Rule,
    course_violations,
    create,
    registration_rejections,
)
from course_domain.details import CourseChanges, CourseDetails
from course_domain.testing import faults, plain, records, strategies
from course_domain.testing.strategies import (
    EDGE_INSTANTS,
    actors,
    archived_courses,
    certificate_validities,
    certificates,
    course_changes,
    course_details,
    courses,
    draft_courses,
    identifiers,
    instants,
    instants_near,
    invalid_course_fields,
    max_participants,
    participations,
    published_courses,
    registrations,
    reminders,
    texts,
    titles,
    zones,
)
from course_domain.values import EARLIEST_INSTANT, LATEST_INSTANT

T = TypeVar("T")

some = settings(max_examples=50, deadline=None)
few = settings(max_examples=10, deadline=None)

OSLO = ZoneInfo("Europe/Oslo")
DAY = timedelta(days=1)
PLAIN_INSTANT = datetime(2027, 1, 1, tzinfo=UTC)
PLAIN_ID = UUID(int=1)

MAKERS: dict[str, tuple[Callable[..., Any], type]] = {
    "courses": (courses, Course),
    "actors": (actors, Actor),
    "registrations": (registrations, Registration),
    "certificates": (certificates, PeerMentorCertificate),
    "reminders": (reminders, RenewalReminder),
    "participations": (participations, Participation),
}
each_maker = pytest.mark.parametrize(("make", "kind"), MAKERS.values(), ids=MAKERS)
each_field = pytest.mark.parametrize(
    ("make", "name"),
    [
        pytest.param(make, field.name, id=f"{made}-{field.name}")
        for made, (make, kind) in MAKERS.items()
        for field in attrs.fields(kind)
    ],
)
RULES_OF_A_COURSE = (
    Rule.END_DATE_AFTER_START_DATE,
    Rule.REGISTRATION_DEADLINE_BEFORE_START,
    Rule.TITLE_NOT_EMPTY,
    Rule.MAX_PARTICIPANTS_POSITIVE,
    Rule.CERTIFICATE_VALIDITY_POSITIVE,
    Rule.REQUIRED,
    Rule.WRONG_TYPE,
    Rule.NAIVE_DATETIME,
    Rule.UNSTORABLE_TEXT,
    Rule.OUT_OF_RANGE,
)


def found(
    strategy: st.SearchStrategy[T],
    wanted: Callable[[T], object],
    *phases: Phase,
    tries: int = 5_000,
) -> T:
    """Give the first value of some kind that a strategy makes, the same in every run."""
    limits = settings(
        max_examples=tries, phases=(Phase.generate, *phases), deadline=None, database=None
    )
    return find(strategy, lambda made: bool(wanted(made)), settings=limits, random=Random(0))


def plainest(strategy: st.SearchStrategy[T], wanted: Callable[[T], object]) -> T:
    """Give the value of some kind that a failure would be shown with."""
    return found(strategy, wanted, Phase.shrink)


def anything(_made: object) -> bool:
    """Want no more than that something is made."""
    return True


# What is made is valid, and of the right class


@pytest.mark.parametrize(
    ("strategy", "kind"),
    [
        *((make(), kind) for make, kind in MAKERS.values()),
        (draft_courses(), Course),
        (published_courses(), Course),
        (archived_courses(), Course),
        (identifiers(), UUID),
        (instants(), datetime),
        (instants_near(NOW, None), datetime),
        (texts(), str),
        (titles(), str),
        (max_participants(), int | None),
        (certificate_validities(), int | None),
        (zones(), tzinfo),
        (course_details(), dict),
        (course_changes(), dict),
        (invalid_course_fields(), tuple),
    ],
    ids=str,
)
@some
@given(data=st.data())
def test_strategy_makes_what_it_is_named_for(strategy: Any, kind: Any, data: st.DataObject) -> None:
    """Each strategy makes valid values of one class, fast enough for every health check."""
    made = data.draw(strategy)

    assert isinstance(made, kind)
    assert not attrs.has(kind) or made == attrs.evolve(made)


@each_maker
@some
@given(data=st.data())
def test_fields_are_of_plain_classes(make: Any, kind: Any, data: st.DataObject) -> None:
    """Each field of a record is of the very class that it names; instants are in UTC."""
    made = data.draw(make())

    for field in attrs.fields(kind):
        value = getattr(made, field.name)
        classes = getattr(field.type, "__args__", (field.type,))
        assert type(value) in classes
        assert not isinstance(value, datetime) or value.tzinfo is UTC


def test_every_strategy_is_exported() -> None:
    """The vocabulary is one module, and its ``__all__`` has every name of it."""
    makers = {
        name
        for module in (faults, plain, records)
        for name, member in vars(module).items()
        if inspect.isfunction(member) or callable(member)
        if getattr(member, "__module__", "") == module.__name__ and not name.startswith("_")
    }

    assert {*makers, "EDGE_INSTANTS"} == set(strategies.__all__)


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (draft_courses, CourseStatus.DRAFT),
        (published_courses, CourseStatus.PUBLISHED),
        (archived_courses, CourseStatus.ARCHIVED),
    ],
    ids=["draft", "published", "archived"],
)
@some
@given(data=st.data())
def test_strategy_of_one_status_takes_other_pins(
    make: Any, status: CourseStatus, data: st.DataObject
) -> None:
    """Courses of one status have that status, and their other fields can be pinned."""
    made = data.draw(make(title="To listen"))

    assert (status, "To listen") == (made.status, made.title)


@some
@given(made=registrations())
def test_registrations_are_as_decisions_leave_them(made: Registration) -> None:
    """A registration is cancelled at some time, or is confirmed and perhaps completed."""
    is_cancelled = made.status is RegistrationStatus.CANCELLED

    assert is_cancelled is (made.cancelled_at is not None)
    assert not (is_cancelled and made.completed_at is not None)


@some
@given(made=certificates())
def test_certificates_expire_after_their_issue(made: PeerMentorCertificate) -> None:
    """A certificate expires at least some weeks after its issue, or never."""
    assert made.expires_at is None or made.expires_at >= made.issued_at + 28 * DAY


@some
@given(made=participations())
def test_participations_hold_together(made: Participation) -> None:
    """The records are of that course and person, and who is confirmed is among the counted."""
    registration, certificate = made.registration, made.certificate
    course_key = (made.course.organization_id, made.course.id, made.user_id)

    assert made.reminder is None
    if registration is not None:
        assert course_key == (
            registration.organization_id,
            registration.course_id,
            registration.user_id,
        )
        assert made.confirmed_count >= (registration.status is RegistrationStatus.CONFIRMED)
    if certificate is not None:
        assert course_key == (
            certificate.organization_id,
            certificate.course_id,
            certificate.peer_mentor_id,
        )
        assert made.course.issues_certificate
        assert registration is not None
        assert registration.completed_at is not None


@some
@given(details=course_details(), admin=actors(role=Role.ADMIN), now=instants(), new=identifiers())
def test_details_are_what_an_admin_may_create(
    details: CourseDetails, admin: Actor, now: datetime, new: UUID
) -> None:
    """An admin can create a course of any details, the never-expires flag included."""
    made = create(admin, now, new, **details)

    assert details["title"] == made.title
    assert CourseStatus.DRAFT is made.status


@some
@given(changes=course_changes())
def test_changes_break_no_rule_by_themselves(changes: CourseChanges) -> None:
    """What is changed names only what an author may change, and is valid as far as it goes."""
    assert CourseChanges.__optional_keys__.issuperset(changes)
    assert () == course_violations(**changes)


@pytest.mark.parametrize("name", sorted(CourseChanges.__optional_keys__))
def test_any_field_is_changed_or_left_alone(name: str) -> None:
    """Changes come with and without each of the fields that an author may change."""
    assert name in found(course_changes(), lambda made: name in made)
    assert name not in found(course_changes(), lambda made: made and name not in made)


@pytest.mark.parametrize("name", sorted(CourseDetails.__optional_keys__))
def test_details_leave_out_what_may_be_left_out(name: str) -> None:
    """Details come with and without each of the fields that need not be given."""
    assert name in found(course_details(), lambda made: name in made)
    assert name not in found(course_details(), lambda made: name not in made)


# Pins


@each_field
@few
@given(data=st.data())
def test_any_field_is_pinned(make: Any, name: str, data: st.DataObject) -> None:
    """Each field keeps the value that it is pinned to, None too, or has one of a strategy's."""
    pin, other = (getattr(data.draw(make()), name) for _ in range(2))

    assert pin == getattr(data.draw(make(**{name: pin})), name)
    assert getattr(data.draw(make(**{name: st.sampled_from([pin, other])})), name) in (pin, other)


@each_maker
@some
@given(data=st.data())
def test_any_fields_are_pinned_together(make: Any, kind: Any, data: st.DataObject) -> None:
    """Whatever fields of one value are pinned together, there is a value that has them all."""
    names = data.draw(st.sets(st.sampled_from([field.name for field in attrs.fields(kind)])))
    whole = data.draw(make())
    pins = {name: getattr(whole, name) for name in names}

    made = data.draw(make(**pins))

    assert pins == {name: getattr(made, name) for name in names}


@pytest.mark.parametrize(
    "pins",
    [
        {"registration_deadline": NOW},
        {"registration_deadline": EARLIEST_INSTANT},
        {"registration_deadline": LATEST_INSTANT},
        {"end_date": NOW},
        {"end_date": EARLIEST_INSTANT},
        {"end_date": LATEST_INSTANT},
        {"registration_deadline": NOW, "end_date": NOW + 2 * TICK},
        {"registration_deadline": NOW, "end_date": NOW + TICK},
        {"registration_deadline": NOW, "end_date": NOW},
        {"registration_deadline": NOW, "end_date": NOW - DAY},
        {"registration_deadline": LATEST_INSTANT, "end_date": EARLIEST_INSTANT},
        {"start_date": EARLIEST_INSTANT},
        {"start_date": LATEST_INSTANT},
        {"start_date": NOW, "end_date": NOW + TICK},
        {"start_date": NOW, "registration_deadline": NOW - TICK},
        {"start_date": None, "registration_deadline": NOW, "end_date": NOW},
        {"created_at": EARLIEST_INSTANT},
        {"created_at": LATEST_INSTANT},
        {"updated_at": EARLIEST_INSTANT},
        {"updated_at": LATEST_INSTANT},
        {"created_at": NOW, "updated_at": NOW - DAY},
    ],
    ids=",".join,
)
@some
@given(data=st.data())
def test_dates_are_drawn_around_the_pinned(pins: dict[str, Any], data: st.DataObject) -> None:
    """Whatever dates are pinned that a course can have, the free ones are drawn to fit."""
    made = data.draw(courses(**pins))

    assert pins == {name: getattr(made, name) for name in pins}
    assert made.created_at <= made.updated_at or len(pins) == 2


def test_start_is_found_between_deadline_and_end() -> None:
    """Where a pinned deadline and a pinned end leave one instant, a start can only be there."""
    pinned = courses(registration_deadline=NOW, end_date=NOW + 2 * TICK)

    assert NOW + TICK == found(pinned, lambda made: made.start_date).start_date


@pytest.mark.parametrize("fold", [0, 1], ids=["first pass", "second pass"])
@some
@given(data=st.data())
def test_pinned_start_counts_in_its_own_zone(fold: int, data: st.DataObject) -> None:
    """A start in the hour that repeats is the instant that it names, and the rest fits to that."""
    start = datetime(2026, 10, 25, 2, 30, tzinfo=OSLO, fold=fold)

    assert start.astimezone(UTC) == data.draw(courses(start_date=start)).start_date


@pytest.mark.parametrize(
    "pins",
    [
        {"start_date": NOW, "end_date": NOW},
        {"start_date": NOW, "registration_deadline": NOW},
        {"start_date": EARLIEST_INSTANT, "registration_deadline": EARLIEST_INSTANT},
        {"title": "\u200b"},
        {"max_participants": 0},
        {"start_date": NOW.replace(tzinfo=None)},
        {"end_date": NOW.replace(tzinfo=None)},
        {"registration_deadline": "2026-03-09"},
        {"created_at": NOW.replace(tzinfo=None)},
        {"updated_at": None},
        {"updated_at": LATEST_INSTANT + TICK},
    ],
    ids=",".join,
)
def test_pins_that_no_course_can_have_raise(pins: dict[str, Any]) -> None:
    """What no course can have is told by the course itself, with the rule."""
    with pytest.raises(InvalidCourse):
        found(courses(**pins), anything)


@each_maker
def test_unknown_pin_is_a_type_error(make: Any, kind: Any) -> None:
    """A name that is no field is refused as the class itself refuses it."""
    with pytest.raises(TypeError, match=r"colour"):
        found(make(colour="red"), anything)
    with pytest.raises(TypeError, match=r"colour"):
        kind(colour="red")


def test_pins_of_details_reach_the_details() -> None:
    """Details keep what they are pinned to, also where that is None."""
    made = found(course_details(title="To listen", location=None), anything)

    assert ("To listen", None) == (made["title"], made.get("location", "left out"))


def test_pinned_records_are_kept_as_they_are() -> None:
    """A participation can have another's registration pinned, for what must refuse it."""
    foreign = registration(course_id=OTHER_COURSE_ID)

    assert foreign == found(participations(registration=foreign), anything).registration


def test_status_follows_from_a_pinned_time() -> None:
    """What was cancelled at some time is cancelled, and what was completed is confirmed."""
    for pins, status in (
        ({"cancelled_at": NOW}, RegistrationStatus.CANCELLED),
        ({"cancelled_at": None}, RegistrationStatus.CONFIRMED),
        ({"completed_at": NOW}, RegistrationStatus.CONFIRMED),
    ):
        with pytest.raises(NoSuchExample):
            found(registrations(**pins), lambda made: made.status is not status, tries=50)


# Edges


def is_repeated(instant: datetime) -> bool:
    """Tell whether the clocks of Oslo show this time twice."""
    local = instant.astimezone(OSLO)
    return local.utcoffset() != local.replace(fold=1 - local.fold).utcoffset()


def is_month_end(instant: datetime | None) -> bool:
    """Tell whether the next day is in another month."""
    return instant is not None and instant < LATEST_INSTANT and (instant + DAY).day == 1


def has_invisible(text: str) -> bool:
    """Tell whether a text has a character that nobody sees."""
    return any(category(character) in {"Cf", "Cc", "Zs", "Zl", "Zp"} for character in text)


EDGES: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], object]]] = {
    "month end": (instants(), is_month_end),
    "last day of a long month": (instants(), lambda made: made.day == 31),
    "leap day": (instants(), lambda made: (made.month, made.day) == (2, 28) and made.year % 4 == 0),
    "leap day in Oslo": (
        instants(),
        lambda made: (
            (made.astimezone(OSLO).month, made.astimezone(OSLO).day) == (2, 29)
            if made.year > 1900
            else False
        ),
    ),
    "hour that repeats, first pass": (
        instants(),
        lambda made: is_repeated(made) and made.astimezone(OSLO).fold == 0,
    ),
    "hour that repeats, second pass": (
        instants(),
        lambda made: is_repeated(made) and made.astimezone(OSLO).fold == 1,
    ),
    "first instant": (instants(), lambda made: made == EARLIEST_INSTANT),
    "last instant": (instants(), lambda made: made == LATEST_INSTANT),
    "first instant of some": (instants(NOW, NOW + DAY), lambda made: made == NOW),
    "last instant of some": (instants(NOW, NOW + DAY), lambda made: made == NOW + DAY),
    "before 1970": (instants(), lambda made: made.year < 1970),
    "microsecond": (instants(), lambda made: made.microsecond % 1_000),
    "course that ends at a month end": (courses(), lambda made: is_month_end(made.end_date)),
    "course that starts in the hour that repeats": (
        courses(),
        lambda made: made.start_date is not None and is_repeated(made.start_date),
    ),
    "course at the first instant": (courses(), lambda made: made.created_at == EARLIEST_INSTANT),
    "course that starts last": (courses(), lambda made: made.start_date == LATEST_INSTANT),
    "undated course": (
        courses(),
        lambda made: made.start_date is made.end_date is made.registration_deadline is None,
    ),
    "end without a start": (courses(), lambda made: made.start_date is None and made.end_date),
    "all three dates": (
        courses(),
        lambda made: None not in (made.start_date, made.end_date, made.registration_deadline),
    ),
    "end just after the start": (
        courses(start_date=NOW),
        lambda made: made.end_date == NOW + TICK,
    ),
    "deadline just before the start": (
        courses(start_date=NOW),
        lambda made: made.registration_deadline == NOW - TICK,
    ),
    "never revised": (courses(), lambda made: made.created_at == made.updated_at),
    "one seat": (courses(), lambda made: made.max_participants == 1),
    "one month": (courses(), lambda made: made.certificate_validity_months == 1),
    "a century": (courses(), lambda made: made.certificate_validity_months == 1_200),
    "certificates that never expire": (
        courses(),
        lambda made: made.issues_certificate and made.certificate_validity_months is None,
    ),
    "invisible characters": (titles(), has_invisible),
    "invisible ends": (titles(), lambda made: has_invisible(made[0]) and has_invisible(made[-1])),
    "combining mark": (titles(), lambda made: any(category(each) == "Mn" for each in made)),
    "astral character": (titles(), lambda made: any(ord(each) > 0xFFFF for each in made)),
    "empty text beside None": (courses(), lambda made: made.description == ""),
    "full course": (
        participations(),
        lambda made: made.confirmed_count == made.course.max_participants,
    ),
    "one seat left": (
        participations(),
        lambda made: made.confirmed_count + 1 == made.course.max_participants,
    ),
    "oversubscribed course": (
        participations(),
        lambda made: made.confirmed_count - 1 == made.course.max_participants,
    ),
    "full of more than a few seats": (
        participations(),
        lambda made: (
            made.confirmed_count == made.course.max_participants and made.confirmed_count > 3
        ),
    ),
    "stranger": (participations(), lambda made: made.registration is None),
    "certified": (participations(), lambda made: made.certificate),
    "completed without a certificate": (
        participations(),
        lambda made: (
            made.registration
            and made.registration.completed_at
            and not made.course.issues_certificate
        ),
    ),
    "cancelled": (
        participations(),
        lambda made: made.registration and made.registration.cancelled_at,
    ),
    "without expiry": (certificates(), lambda made: made.expires_at is None),
    "expiry past 8999": (
        certificates(),
        lambda made: made.expires_at is not None and made.expires_at > LATEST_INSTANT,
    ),
    "reminder before the issue": (
        reminders(),
        lambda made: made.remind_at < EARLIEST_INSTANT + 31 * DAY,
    ),
    "zone that repeats half an hour": (zones(), lambda made: "Lord_Howe" in str(made)),
    "offset of minutes": (
        zones(),
        lambda made: (made.utcoffset(NOW) or DAY).total_seconds() % 3_600,
    ),
}


@pytest.mark.parametrize(("strategy", "is_edge"), EDGES.values(), ids=EDGES)
def test_edge_is_reached(strategy: Any, is_edge: Callable[[Any], object]) -> None:
    """What programs stumble over is really made, and not only possible."""
    assert is_edge(found(strategy, is_edge))


@pytest.mark.parametrize("edge", EDGE_INSTANTS, ids=str)
def test_every_edge_instant_is_reached(edge: datetime) -> None:
    """Each instant of the pool is drawn."""
    assert edge == found(instants(), lambda made: made == edge)


@pytest.mark.parametrize("kind", [CourseType, CourseStatus, Role, RegistrationStatus])
def test_every_member_is_reached(kind: Any) -> None:
    """Each type and status of a course, each role, each status of a registration is drawn."""
    makers: dict[Any, tuple[Any, str]] = {
        CourseType: (courses(), "course_type"),
        CourseStatus: (courses(), "status"),
        Role: (actors(), "role"),
        RegistrationStatus: (registrations(), "status"),
    }
    strategy, name = makers[kind]

    for member in kind:
        assert member is getattr(found(strategy, lambda made: getattr(made, name) is member), name)


@pytest.mark.parametrize("step", [-TICK, timedelta(0), TICK], ids=["before", "at", "after"])
def test_now_is_drawn_near_a_deadline(step: timedelta) -> None:
    """`instants_near` finds the moment just before, at, and just after what it is given."""
    open_until_now = course(registration_deadline=NOW, max_participants=None)
    now = found(instants_near(open_until_now.registration_deadline), lambda at: at == NOW + step)
    asking = Actor(user_id=USER_ID, organization_id=ORGANIZATION_ID, role=Role.PEER_MENTOR)

    rejections = registration_rejections(open_until_now, asking, 0, now)

    assert (step > timedelta(0)) is bool(rejections)


@pytest.mark.parametrize(
    "centres", [(None,), (), (EARLIEST_INSTANT,), (LATEST_INSTANT,), (NOW, None, LATEST_INSTANT)]
)
@some
@given(data=st.data())
def test_instants_near_stay_in_range(
    centres: tuple[datetime | None, ...], data: st.DataObject
) -> None:
    """Around the extremes, and around nothing at all, instants are still those that are taken."""
    assert EARLIEST_INSTANT <= data.draw(instants_near(*centres)) <= LATEST_INSTANT


@some
@given(data=st.data())
def test_instants_lie_between_their_bounds(data: st.DataObject) -> None:
    """Instants lie between two, both of them allowed, also where the two are one."""
    earliest, latest = sorted(data.draw(st.tuples(instants(), instants())))

    assert earliest <= data.draw(instants(earliest, latest)) <= latest
    assert earliest == data.draw(instants(earliest, earliest))


def test_no_instant_lies_between_bounds_that_cross() -> None:
    """Between bounds that cross there is nothing to draw."""
    assert instants(NOW, NOW - TICK).is_empty


@some
@given(data=st.data())
def test_bounds_of_instants_count_in_their_own_zone(data: st.DataObject) -> None:
    """Bounds may be given in any zone, also in the hour that repeats; what is made is in UTC."""
    first, second = (datetime(2026, 10, 25, 2, 30, tzinfo=OSLO, fold=fold) for fold in (0, 1))

    made = data.draw(instants(first, second))

    assert made.tzinfo is UTC
    assert first.astimezone(UTC) <= made <= second.astimezone(UTC)


@pytest.mark.parametrize("fold", [0, 1])
def test_bounds_that_read_alike_are_two_instants(fold: int) -> None:
    """Two passes of one wall time are told apart, though Python takes them for equal."""
    wall = datetime(2026, 10, 25, 2, 30, tzinfo=OSLO)
    instants(wall.replace(fold=1 - fold), wall.replace(fold=1 - fold))
    there = wall.replace(fold=fold)

    assert there.astimezone(UTC) == plainest(instants(there, there), anything)
    assert UTC is plainest(instants_near(there), anything).tzinfo


def test_a_naive_bound_is_refused() -> None:
    """A bound without a zone is refused, as everywhere."""
    naive = NOW.replace(tzinfo=None)
    with pytest.raises(InvalidValue):
        instants(naive)
    with pytest.raises(InvalidValue):
        instants_near(naive)


# Shrinking

PLAINEST: dict[str, dict[str, Any]] = {
    "courses": {
        "id": PLAIN_ID,
        "organization_id": PLAIN_ID,
        "title": "0",
        "description": None,
        "course_type": CourseType.CERTIFICATION,
        "status": CourseStatus.DRAFT,
        "start_date": None,
        "end_date": None,
        "location": None,
        "is_virtual": False,
        "max_participants": None,
        "issues_certificate": False,
        "certificate_validity_months": None,
        "registration_deadline": None,
        "created_by": PLAIN_ID,
        "created_at": PLAIN_INSTANT,
        "updated_at": PLAIN_INSTANT,
    },
    "actors": {"user_id": PLAIN_ID, "organization_id": PLAIN_ID, "role": Role.PEER_MENTOR},
    "registrations": {
        "id": PLAIN_ID,
        "course_id": PLAIN_ID,
        "organization_id": PLAIN_ID,
        "user_id": PLAIN_ID,
        "status": RegistrationStatus.CONFIRMED,
        "registered_at": PLAIN_INSTANT,
        "cancelled_at": None,
        "completed_at": None,
    },
    "certificates": {
        "id": PLAIN_ID,
        "course_id": PLAIN_ID,
        "organization_id": PLAIN_ID,
        "peer_mentor_id": PLAIN_ID,
        "issued_at": PLAIN_INSTANT,
        "expires_at": None,
    },
    "participations": {
        "course": Course(
            id=PLAIN_ID,
            organization_id=PLAIN_ID,
            title="0",
            course_type=CourseType.CERTIFICATION,
            status=CourseStatus.DRAFT,
            is_virtual=False,
            issues_certificate=False,
            created_by=PLAIN_ID,
            created_at=PLAIN_INSTANT,
            updated_at=PLAIN_INSTANT,
        ),
        "confirmed_count": 0,
        "user_id": PLAIN_ID,
        "registration": None,
        "certificate": None,
        "reminder": None,
    },
}


def fields_of(made: Any) -> dict[str, Any]:
    """Give the fields of a record."""
    return attrs.asdict(made, recurse=False)


@pytest.mark.parametrize("made", PLAINEST)
def test_value_shrinks_to_the_plain_one(made: str) -> None:
    """Where nothing matters, every field is at its plainest."""
    make, _ = MAKERS[made]

    assert PLAINEST[made] == fields_of(plainest(make(), anything))


FAULTS: dict[str, tuple[str, Callable[[Any], object], dict[str, Any]]] = {
    "id": ("courses", lambda made: made.id.int > 7, {"id": UUID(int=8)}),
    "title": ("courses", lambda made: "\U00010000" <= max(made.title), {"title": "\U00010000"}),
    "description": ("courses", lambda made: made.description == "", {"description": ""}),
    "course_type": (
        "courses",
        lambda made: made.course_type is CourseType.WORKSHOP,
        {"course_type": CourseType.WORKSHOP},
    ),
    "status": (
        "courses",
        lambda made: made.status is CourseStatus.ARCHIVED,
        {"status": CourseStatus.ARCHIVED},
    ),
    "start_date": ("courses", lambda made: made.start_date, {"start_date": PLAIN_INSTANT}),
    "end_date": ("courses", lambda made: made.end_date, {"end_date": PLAIN_INSTANT}),
    "end_date after start_date": (
        "courses",
        lambda made: made.start_date and made.end_date,
        {"start_date": PLAIN_INSTANT, "end_date": PLAIN_INSTANT + TICK},
    ),
    "registration_deadline": (
        "courses",
        lambda made: made.registration_deadline,
        {"registration_deadline": PLAIN_INSTANT},
    ),
    "location": ("courses", lambda made: made.location, {"location": "0"}),
    "is_virtual": ("courses", lambda made: made.is_virtual, {"is_virtual": True}),
    "max_participants": ("courses", lambda made: made.max_participants, {"max_participants": 1}),
    "max_participants of many": (
        "courses",
        lambda made: (made.max_participants or 0) > 99,
        {"max_participants": 100},
    ),
    "issues_certificate": (
        "courses",
        lambda made: made.issues_certificate,
        {"issues_certificate": True},
    ),
    "certificate_validity_months": (
        "courses",
        lambda made: made.certificate_validity_months,
        {"certificate_validity_months": 12},
    ),
    "updated_at": (
        "courses",
        lambda made: made.updated_at > made.created_at,
        {"updated_at": PLAIN_INSTANT + TICK},
    ),
    "role": ("actors", lambda made: made.role is Role.ADMIN, {"role": Role.ADMIN}),
    "cancelled": (
        "registrations",
        lambda made: made.cancelled_at,
        {"status": RegistrationStatus.CANCELLED, "cancelled_at": PLAIN_INSTANT},
    ),
    "completed": (
        "registrations",
        lambda made: made.completed_at,
        {"completed_at": PLAIN_INSTANT},
    ),
    "expiry": (
        "certificates",
        lambda made: made.expires_at,
        {"expires_at": PLAIN_INSTANT.replace(year=2028)},
    ),
    "count": ("participations", lambda made: made.confirmed_count > 1, {"confirmed_count": 2}),
}


@pytest.mark.parametrize(("made", "is_fault", "fault"), FAULTS.values(), ids=FAULTS)
def test_failing_value_shrinks_to_the_fault(
    made: str, is_fault: Callable[[Any], object], fault: dict[str, Any]
) -> None:
    """A failing value is the plain one and the field at fault."""
    make, _ = MAKERS[made]

    assert PLAINEST[made] | fault == fields_of(plainest(make(), is_fault))


def test_certified_person_shrinks_to_what_it_takes() -> None:
    """The plainest certified person completed the plainest course that issues certificates."""
    made = plainest(participations(), lambda made: made.certificate)
    plain_course = PLAINEST["participations"]["course"]

    assert attrs.evolve(plain_course, issues_certificate=True) == made.course
    assert PLAINEST["registrations"] | {"completed_at": PLAIN_INSTANT} == fields_of(
        made.registration
    )
    assert PLAINEST["certificates"] == fields_of(made.certificate)


def test_fields_at_fault_shrink_to_one() -> None:
    """Among many faults, the one that matters is left, in a course that is plain otherwise."""
    fields, rules = plainest(
        invalid_course_fields(), lambda made: Rule.MAX_PARTICIPANTS_POSITIVE in made[1]
    )

    assert PLAINEST["courses"] | {"max_participants": 0} == fields
    assert {Rule.MAX_PARTICIPANTS_POSITIVE} == rules


# How they are made


@pytest.mark.parametrize("module", [plain, records, faults], ids=lambda module: module.__name__)
def test_nothing_is_drawn_to_be_thrown_away(module: Any) -> None:
    """Strategies are valid by construction: they filter nothing and assume nothing."""
    called = [
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(node, ast.Attribute | ast.Name)
    ]

    assert [] == [name for name in called if name in {"assume", "filter", "reject"}]


# Fields that no course can have


@some
@given(made=invalid_course_fields())
def test_rules_told_are_those_broken(made: tuple[dict[str, Any], frozenset[Rule]]) -> None:
    """The rules told beside the fields are just those that these fields break."""
    fields, rules = made

    assert set(fields) == {field.name for field in attrs.fields(Course)}
    assert rules == {violation.rule for violation in course_violations(**fields)}
    with pytest.raises(InvalidCourse) as refused:
        Course(**fields)
    assert rules == {violation.rule for violation in refused.value.violations}


Faulty = tuple[dict[str, Any], frozenset[Rule]]


@cache
def batch_at_fault(number: int) -> list[Faulty]:
    """Give some fields of the strategy, the same in every run."""
    batch: list[Faulty] = []

    @seed(number)
    @settings(max_examples=100, phases=[Phase.generate], deadline=None, database=None)
    @given(made=invalid_course_fields())
    def collect(made: Faulty) -> None:
        batch.append(made)

    collect()
    return batch


def at_fault() -> Iterator[Faulty]:
    """Give fields of the strategy, drawn once for all tests that look for some among them."""
    for number in range(50):
        yield from batch_at_fault(number)


@pytest.mark.parametrize("rule", RULES_OF_A_COURSE)
def test_every_rule_is_broken_alone(rule: Rule) -> None:
    """Each rule that a course can break is broken alone."""
    assert any({rule} == rules for _, rules in at_fault())


@pytest.mark.parametrize("rule", RULES_OF_A_COURSE)
def test_every_rule_is_broken_among_others(rule: Rule) -> None:
    """Each rule that a course can break is broken together with another."""
    assert any({rule} < rules for _, rules in at_fault())


@some
@given(made=invalid_course_fields())
def test_no_other_rule_is_broken(made: tuple[dict[str, Any], frozenset[Rule]]) -> None:
    """Only the rules that judge a course by itself are told."""
    assert made[1] <= set(RULES_OF_A_COURSE)


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(Course)])
def test_every_field_is_at_fault(name: str) -> None:
    """Each field of a course is at fault at some time."""
    assert any(
        name in violation.fields
        for fields, _ in at_fault()
        for violation in course_violations(**fields)
    )
