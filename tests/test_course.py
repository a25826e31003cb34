import copy
import pickle
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, get_type_hints
from unicodedata import category
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    ADMIN_ID,
    FIRST,
    LAST,
    MAX_INTEGER,
    NOW,
    ORGANIZATION_ID,
    START,
    TICK,
    ZONES_WITHOUT_OFFSET,
    HostDatetime,
    HostInt,
    HostText,
    HostUUID,
    broken,
    course,
    course_fields,
    refusals,
    wrong_cases,
    wrong_values,
)
from course_domain import (
    COURSE_INDEXES,
    COURSE_TRANSITIONS,
    MAX_CERTIFICATE_VALIDITY_MONTHS,
    Course,
    CourseStatus,
    CourseType,
    InvalidCourse,
    Violation,
    course_violations,
)
from course_domain.testing.strategies import courses, invalid_course_fields, zones

OSLO = ZoneInfo("Europe/Oslo")
EAST = timezone(timedelta(hours=14))
WEST = timezone(timedelta(hours=-12))

HINTS: dict[str, Any] = {
    "id": UUID,
    "organization_id": UUID,
    "title": str,
    "description": str | None,
    "course_type": CourseType,
    "status": CourseStatus,
    "start_date": datetime | None,
    "end_date": datetime | None,
    "location": str | None,
    "is_virtual": bool,
    "max_participants": int | None,
    "issues_certificate": bool,
    "certificate_validity_months": int | None,
    "registration_deadline": datetime | None,
    "created_by": UUID,
    "created_at": datetime,
    "updated_at": datetime,
}
KINDS: dict[str, str | type[object]] = {
    "id": "uuid",
    "organization_id": "uuid",
    "title": "text",
    "description": "text",
    "course_type": CourseType,
    "status": CourseStatus,
    "start_date": "instant",
    "end_date": "instant",
    "location": "text",
    "is_virtual": "flag",
    "max_participants": "seats",
    "issues_certificate": "flag",
    "certificate_validity_months": "validity",
    "registration_deadline": "instant",
    "created_by": "uuid",
    "created_at": "instant",
    "updated_at": "instant",
}
OPTIONAL = {
    "description",
    "start_date",
    "end_date",
    "location",
    "max_participants",
    "certificate_validity_months",
    "registration_deadline",
}
IDS = [name for name, kind in KINDS.items() if kind == "uuid"]
TEXTS = [name for name, kind in KINDS.items() if kind == "text"]
INSTANTS = [name for name, kind in KINDS.items() if kind == "instant"]

END_RULE = ["end_date_after_start_date: end_date, start_date"]
DEADLINE_RULE = ["registration_deadline_before_start: registration_deadline, start_date"]
TITLE_RULE = ["title_not_empty: title"]
SEATS_RULE = ["max_participants_positive: max_participants"]
VALIDITY_RULE = ["certificate_validity_positive: certificate_validity_months"]
NO_DATES: dict[str, Any] = {"start_date": None, "end_date": None, "registration_deadline": None}
OFTEN_BROKEN: dict[str, Any] = {
    "title": " ",
    "end_date": START,
    "registration_deadline": START,
    "max_participants": 0,
    "certificate_validity_months": 0,
}


def raised(fields: dict[str, Any]) -> tuple[Violation, ...]:
    """Give what the constructor refuses the fields for."""
    try:
        Course(**fields)
    except InvalidCourse as error:
        return error.violations
    return ()


def judged(fields: dict[str, Any]) -> list[str]:
    """Give what the fields break, as the constructor and the form's question say alike."""
    told = raised(fields)
    assert told == course_violations(**fields)
    return broken(told)


# The fields


def test_course_has_the_fields_of_the_design() -> None:
    """A course has the owner's seventeen fields, with their types."""
    assert HINTS == get_type_hints(Course)
    assert set(HINTS) == {field.name for field in attrs.fields(Course)}


def test_optional_fields_are_none_when_left_out() -> None:
    """What is left out of a course is None; each optional field may be."""
    left_out = Course(
        **{name: value for name, value in course_fields().items() if name not in OPTIONAL}
    )

    assert dict.fromkeys(OPTIONAL) == {name: getattr(left_out, name) for name in OPTIONAL}


@pytest.mark.parametrize("name", sorted(set(HINTS) - OPTIONAL))
def test_required_field_cannot_be_left_out(name: str) -> None:
    """A required field that is missing is a TypeError."""
    fields = course_fields()
    del fields[name]

    with pytest.raises(TypeError, match=name):
        Course(**fields)


def test_unknown_field_is_refused() -> None:
    """A name that is no field is a TypeError."""
    with pytest.raises(TypeError, match="price"):
        course(price=0)


def test_course_takes_keywords_only() -> None:
    """Seventeen values in a row cannot be mixed up."""
    build: Any = Course

    with pytest.raises(TypeError):
        build(*course_fields().values())


def test_course_keeps_what_it_is_given() -> None:
    """Every field comes back as it was given."""
    assert course_fields() == attrs.asdict(course())


def test_types_and_statuses_have_the_names_of_the_design() -> None:
    """Courses are of three types and in one of three statuses, under their names."""
    assert ["certification", "onboarding", "workshop"] == [kind.value for kind in CourseType]
    assert ["draft", "published", "archived"] == [status.value for status in CourseStatus]


@pytest.mark.parametrize("course_type", CourseType)
@pytest.mark.parametrize("issues_certificate", [True, False])
@pytest.mark.parametrize("months", [None, 24])
def test_type_constrains_no_other_field(
    course_type: CourseType, issues_certificate: bool, months: int | None
) -> None:
    """Any type of course may issue certificates or not, with or without an expiry."""
    assert [] == judged(
        course_fields(
            course_type=course_type,
            issues_certificate=issues_certificate,
            certificate_validity_months=months,
        )
    )


def test_indexes_are_the_owners_five() -> None:
    """Every host that stores courses finds the five indexes under their names, in their order."""
    assert [
        ("idx_courses_organization_id", ("organization_id",)),
        ("idx_courses_status", ("status",)),
        ("idx_courses_organization_status", ("organization_id", "status")),
        ("idx_courses_start_date", ("start_date",)),
        ("idx_courses_issues_certificate", ("issues_certificate",)),
    ] == list(COURSE_INDEXES.items())


def test_transitions_are_the_table_of_the_design() -> None:
    """Each status has the commands that lead out of it, or that find it there already."""
    draft, published, archived = CourseStatus
    assert {
        draft: {"publish": published, "unpublish": draft, "archive": archived, "restore": draft},
        published: {"publish": published, "unpublish": draft, "archive": archived},
        archived: {"archive": archived, "restore": draft},
    } == {status: dict(row) for status, row in COURSE_TRANSITIONS.items()}


@pytest.mark.parametrize(
    "table", [COURSE_INDEXES, COURSE_TRANSITIONS, *COURSE_TRANSITIONS.values()]
)
def test_tables_are_read_only(table: Any) -> None:
    """A host cannot change a table for everybody else."""
    with pytest.raises(TypeError):
        table["publish"] = ()


# The five rules


@pytest.mark.parametrize(
    ("end_date", "expected"),
    [
        pytest.param(START - timedelta(days=1), END_RULE, id="a-day-before"),
        pytest.param(START - TICK, END_RULE, id="just-before"),
        pytest.param(START, END_RULE, id="at"),
        pytest.param(START.astimezone(OSLO), END_RULE, id="at-in-another-zone"),
        pytest.param(START + TICK, [], id="just-after"),
        pytest.param((START + TICK).astimezone(WEST), [], id="just-after-in-another-zone"),
        pytest.param(None, [], id="absent"),
    ],
)
def test_end_date_is_after_start_date(end_date: datetime | None, expected: list[str]) -> None:
    """``end_date_after_start_date``: later than the start, if only by a microsecond."""
    assert expected == judged(course_fields(start_date=START, end_date=end_date))


@pytest.mark.parametrize(
    ("deadline", "expected"),
    [
        pytest.param(START - TICK, [], id="just-before"),
        pytest.param((START - TICK).astimezone(EAST), [], id="just-before-in-another-zone"),
        pytest.param(START, DEADLINE_RULE, id="at"),
        pytest.param(START.astimezone(OSLO), DEADLINE_RULE, id="at-in-another-zone"),
        pytest.param(START + TICK, DEADLINE_RULE, id="just-after"),
        pytest.param(None, [], id="absent"),
    ],
)
def test_registration_deadline_is_before_start(
    deadline: datetime | None, expected: list[str]
) -> None:
    """``registration_deadline_before_start``: earlier than the start, if only by a microsecond."""
    assert expected == judged(course_fields(registration_deadline=deadline))


def test_dates_without_a_start_break_no_rule() -> None:
    """Without a start, neither an end nor a deadline can be on the wrong side of it."""
    assert [] == judged(course_fields(start_date=None, end_date=FIRST, registration_deadline=LAST))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        pytest.param(("02:30", 0), ("02:30", 1), [], id="same-wall-time-an-hour-later"),
        pytest.param(("02:45", 0), ("02:15", 1), [], id="earlier-on-the-wall-but-later"),
        pytest.param(("02:15", 1), ("02:45", 0), END_RULE, id="later-on-the-wall-but-earlier"),
        pytest.param(("02:30", 1), ("02:30", 1), END_RULE, id="second-pass-twice"),
    ],
)
def test_dates_in_the_hour_that_repeats(
    start: tuple[str, int], end: tuple[str, int], expected: list[str]
) -> None:
    """In the hour that Oslo repeats, instants are compared and not what the clock shows."""
    start_date, end_date = (
        datetime.fromisoformat(f"2026-10-25T{wall}").replace(tzinfo=OSLO, fold=fold)
        for wall, fold in (start, end)
    )

    assert expected == judged(
        course_fields(start_date=start_date, end_date=end_date, registration_deadline=None)
    )


def test_deadline_in_the_first_pass_is_before_a_start_in_the_second() -> None:
    """A deadline an hour before the start is in time, though the clock shows the same."""
    first = datetime(2026, 10, 25, 2, 30, tzinfo=OSLO)
    second = first.replace(fold=1)

    dates = course_fields(start_date=second, registration_deadline=first, end_date=None)
    assert [] == judged(dates)
    assert DEADLINE_RULE == judged(dates | {"start_date": first, "registration_deadline": second})


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        pytest.param("", TITLE_RULE, id="empty"),
        pytest.param(" \t\r\n", TITLE_RULE, id="blanks"),
        pytest.param("\u00a0\u2003\u3000", TITLE_RULE, id="wide-and-unbreakable-blanks"),
        pytest.param("\u2028\u2029", TITLE_RULE, id="line-and-paragraph-separators"),
        pytest.param("\u200b\u200d\u2060", TITLE_RULE, id="zero-width"),
        pytest.param("\ufeff", TITLE_RULE, id="byte-order-mark"),
        pytest.param("\u00ad", TITLE_RULE, id="soft-hyphen"),
        pytest.param("\u202e\U000e0041", TITLE_RULE, id="directions-and-tags"),
        pytest.param("\x1b\x7f\x85", TITLE_RULE, id="controls"),
        pytest.param("\x00", ["unstorable_text: title", *TITLE_RULE], id="nul-alone"),
        pytest.param(" \ud800", ["unstorable_text: title", *TITLE_RULE], id="surrogate-alone"),
        pytest.param("x\x00", ["unstorable_text: title"], id="nul-and-more"),
        pytest.param("\udfffx", ["unstorable_text: title"], id="surrogate-and-more"),
        pytest.param("\u3164", [], id="hangul-filler-is-a-letter"),
        pytest.param("\u0301", [], id="combining-mark"),
        pytest.param("\u2800", [], id="braille-blank-is-a-symbol"),
        pytest.param("\ue000", [], id="private-use"),
        pytest.param("\uffff", [], id="not-assigned"),
        pytest.param(".", [], id="a-full-stop"),
        pytest.param("\u200b\u00a0Å\ufeff", [], id="one-letter-among-them"),
        pytest.param("🎧", [], id="beyond-the-basic-plane"),
    ],
)
def test_title_is_not_empty(title: str, expected: list[str]) -> None:
    """``title_not_empty``: at least one character that is no blank and not invisible."""
    assert expected == judged(course_fields(title=title))


@given(title=st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_title_is_empty_by_the_categories_of_its_characters(title: str) -> None:
    """For any text, the Unicode categories Z*, Cc and Cf alone make an empty title."""
    seen = [kind for kind in map(category, title) if kind not in ("Zs", "Zl", "Zp", "Cc", "Cf")]

    assert ([] if seen else TITLE_RULE) == judged(course_fields(title=title))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        pytest.param("max_participants", -MAX_INTEGER - 2, SEATS_RULE, id="seats-far-below"),
        pytest.param("max_participants", -1, SEATS_RULE, id="seats-negative"),
        pytest.param("max_participants", 0, SEATS_RULE, id="seats-none"),
        pytest.param("max_participants", 1, [], id="seats-one"),
        pytest.param("max_participants", MAX_INTEGER, [], id="seats-most"),
        pytest.param(
            "max_participants", MAX_INTEGER + 1, ["out_of_range: max_participants"], id="seats-more"
        ),
        pytest.param("max_participants", None, [], id="seats-unlimited"),
        pytest.param("certificate_validity_months", -1, VALIDITY_RULE, id="months-negative"),
        pytest.param("certificate_validity_months", 0, VALIDITY_RULE, id="months-none"),
        pytest.param("certificate_validity_months", 1, [], id="months-one"),
        pytest.param("certificate_validity_months", 1_200, [], id="months-most"),
        pytest.param(
            "certificate_validity_months",
            1_201,
            ["out_of_range: certificate_validity_months"],
            id="months-more",
        ),
        pytest.param("certificate_validity_months", None, [], id="months-no-expiry"),
    ],
)
def test_numbers_are_positive_and_bounded(
    name: str, value: int | None, expected: list[str]
) -> None:
    """``max_participants_positive`` and ``certificate_validity_positive``: at least 1, or None."""
    assert expected == judged(course_fields(**{name: value}))


@pytest.mark.parametrize(
    ("name", "maximum"),
    [("max_participants", MAX_INTEGER), ("certificate_validity_months", 1_200)],
)
def test_bounds_of_a_number_are_told(name: str, maximum: int) -> None:
    """A number that is too large is refused with both of its bounds."""
    (violation,) = course_violations(**{name: maximum + 1})

    assert {"minimum": 1, "maximum": maximum} == violation.params


def test_longest_validity_is_a_century() -> None:
    """A host can read how long a certificate may be valid."""
    assert 100 * 12 == MAX_CERTIFICATE_VALIDITY_MONTHS


def test_every_broken_rule_is_told() -> None:
    """All five rules at once, in their order, and not just the first."""
    assert [
        *END_RULE,
        *DEADLINE_RULE,
        *TITLE_RULE,
        *SEATS_RULE,
        *VALIDITY_RULE,
    ] == judged(course_fields(**OFTEN_BROKEN))


def test_every_wrong_field_is_told() -> None:
    """All seventeen fields at once, in their order, and the rules that can still be judged."""
    wrong = {name: (value, rule) for name, _, value, rule in wrong_values(KINDS, OPTIONAL)}
    fields = {name: value for name, (value, _) in wrong.items()}

    assert [f"{rule}: {name}" for name, (_, rule) in wrong.items()] + [
        *END_RULE,
        *DEADLINE_RULE,
    ] == refusals(Course, **fields)


def test_rule_is_judged_beside_a_wrong_type() -> None:
    """A field of the wrong type hides no rule about the other fields."""
    assert ["wrong_type: is_virtual", *END_RULE, *SEATS_RULE] == judged(
        course_fields(is_virtual="no", end_date=START, max_participants=0)
    )


def test_rule_is_judged_beside_an_instant_out_of_range() -> None:
    """An instant that is only out of range is still compared."""
    assert ["out_of_range: end_date", *END_RULE] == judged(
        course_fields(end_date=datetime.min.replace(tzinfo=EAST))
    )


def test_naive_date_is_not_compared() -> None:
    """A date without a zone is told as that, and breaks no rule about dates."""
    assert ["naive_datetime: end_date"] == judged(
        course_fields(end_date=START.replace(tzinfo=None) - timedelta(days=1))
    )


def test_refusal_is_an_invalid_course() -> None:
    """What the constructor raises is `InvalidCourse` itself, with whole violations."""
    with pytest.raises(InvalidCourse) as refusal:
        course(max_participants=True, title="")

    seats, title = refusal.value.violations
    assert {"expected": "int", "actual": "bool"} == seats.params
    assert ("title_not_empty", ("title",), {}) == (title.rule, title.fields, title.params)
    assert InvalidCourse is type(refusal.value)


# What a value can mean


@pytest.mark.parametrize(("name", "value", "expected"), wrong_cases(KINDS, OPTIONAL))
def test_no_value_is_coerced(name: str, value: object, expected: list[str]) -> None:
    """A value of another type, or out of bounds, is refused as it stands."""
    alone = NO_DATES | {name: value} if name in NO_DATES else {name: value}

    assert expected == judged(course_fields(**alone))


@pytest.mark.parametrize("name", IDS)
def test_ids_are_plain(name: str) -> None:
    """A subclass of UUID, as a database driver gives, is kept as a UUID."""
    kept = getattr(course(**{name: HostUUID(int=ADMIN_ID.int)}), name)

    assert (UUID, ADMIN_ID) == (type(kept), kept)


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [HostText("draft"), CourseStatus.DRAFT], ids=["str", "StrEnum"])
def test_texts_are_plain(name: str, value: str) -> None:
    """A subclass of str, an enumeration's member too, is kept as a str."""
    kept = getattr(course(**{name: value}), name)

    assert (str, "draft") == (type(kept), kept)


@pytest.mark.parametrize("name", ["max_participants", "certificate_validity_months"])
def test_numbers_are_plain(name: str) -> None:
    """A subclass of int is kept as an int."""
    kept = getattr(course(**{name: HostInt(3)}), name)

    assert (int, 3) == (type(kept), kept)


@pytest.mark.parametrize("name", INSTANTS)
@pytest.mark.parametrize("zone", [UTC, OSLO], ids=str)
@pytest.mark.parametrize("fold", [0, 1])
def test_instants_are_plain_and_in_utc(name: str, zone: tzinfo, fold: int) -> None:
    """A datetime of any class, zone and fold is kept as a datetime in UTC, fold 0."""
    given_as = HostDatetime(2026, 10, 25, 2, 30, tzinfo=zone, fold=fold)
    kept = getattr(course(**NO_DATES | {name: given_as}), name)

    assert given_as.astimezone(UTC) == kept
    assert (datetime, UTC, 0) == (type(kept), kept.tzinfo, kept.fold)


@pytest.mark.parametrize("name", INSTANTS)
@pytest.mark.parametrize("zone", [UTC, EAST, WEST], ids=str)
@pytest.mark.parametrize(
    ("value", "is_taken"),
    [(FIRST - TICK, False), (FIRST, True), (LAST, True), (LAST + TICK, False)],
    ids=["before-first", "first", "last", "after-last"],
)
def test_instants_are_from_1900_to_8999(
    name: str, zone: tzinfo, value: datetime, is_taken: bool
) -> None:
    """The first and last microsecond count in UTC, in whatever zone they are written."""
    expected = [] if is_taken else [f"out_of_range: {name}"]

    assert expected == judged(course_fields(**NO_DATES | {name: value.astimezone(zone)}))


@pytest.mark.parametrize("name", INSTANTS)
@pytest.mark.parametrize("zone", [EAST, WEST, ZoneInfo("Asia/Tokyo")], ids=str)
@pytest.mark.parametrize("value", [datetime.min, datetime.max], ids=["min", "max"])
def test_end_of_the_calendar_overflows_nothing(name: str, zone: tzinfo, value: datetime) -> None:
    """An instant that UTC cannot express is refused like any other that is out of range."""
    assert [f"out_of_range: {name}"] == judged(
        course_fields(**NO_DATES | {name: value.replace(tzinfo=zone)})
    )


@pytest.mark.parametrize("zone", ZONES_WITHOUT_OFFSET)
def test_zone_without_an_offset_makes_no_instant(zone: tzinfo) -> None:
    """A datetime whose zone cannot tell the offset is naive."""
    assert ["naive_datetime: updated_at"] == judged(
        course_fields(updated_at=NOW.replace(tzinfo=zone))
    )


def test_texts_may_be_empty_but_the_title() -> None:
    """An empty description or location is a text like any other."""
    assert [] == judged(course_fields(description="", location="\u200b\n"))


# A course as a value


@given(made=courses())
def test_every_course_keeps_the_five_rules(made: Course) -> None:
    """A course that exists is valid."""
    start, end, deadline = made.start_date, made.end_date, made.registration_deadline

    assert start is None or end is None or start < end
    assert start is None or deadline is None or deadline < start
    assert made.title.strip("\u200b\ufeff\xad \t\n")
    assert made.max_participants is None or 1 <= made.max_participants <= MAX_INTEGER
    assert made.certificate_validity_months is None or (
        1 <= made.certificate_validity_months <= 1_200
    )


@given(made=courses(), zone=zones())
def test_equal_instants_give_equal_courses(made: Course, zone: tzinfo) -> None:
    """A course whose times are written in any zone is the same course, with the same hash."""
    there: dict[str, Any] = {
        name: value.astimezone(zone) if isinstance(value, datetime) else value
        for name, value in attrs.asdict(made).items()
    }

    assert {made} == {Course(**there)}
    assert all(
        value.tzinfo is UTC
        for value in attrs.asdict(Course(**there)).values()
        if isinstance(value, datetime)
    )


def test_course_in_the_hour_that_repeats_is_equal_to_itself() -> None:
    """A time in the second pass of Oslo's autumn hour survives a round trip through UTC."""
    second = datetime(2026, 10, 25, 2, 30, tzinfo=OSLO, fold=1)
    here = course(**NO_DATES | {"start_date": second})

    assert here == course(**NO_DATES | {"start_date": second.astimezone(UTC)})
    assert here != course(**NO_DATES | {"start_date": second.replace(fold=0)})


@pytest.mark.parametrize("name", HINTS)
def test_courses_differ_by_each_field(name: str) -> None:
    """Two courses are equal only if every field is."""
    other: dict[str, Any] = {
        "id": ORGANIZATION_ID,
        "organization_id": ADMIN_ID,
        "course_type": CourseType.WORKSHOP,
        "status": CourseStatus.DRAFT,
        "start_date": START + TICK,
        "is_virtual": True,
        "issues_certificate": False,
        "created_by": ORGANIZATION_ID,
        "created_at": FIRST,
        "updated_at": LAST,
        "title": "Another",
    }

    assert course() != course(**{name: other.get(name)})


@given(made=courses())
def test_course_pickles_and_copies(made: Course) -> None:
    """A course is the same after a pickle, a copy and a deep copy, in a set too."""
    again = pickle.loads(pickle.dumps(made))

    assert {made} == {again, copy.copy(made), copy.deepcopy(made)}
    assert attrs.asdict(made) == attrs.asdict(again)


@pytest.mark.parametrize("name", [*HINTS, "price"])
def test_course_is_frozen(name: str) -> None:
    """No field of a course can be set or deleted, and none can be added."""
    made = course()

    with pytest.raises(AttributeError):
        setattr(made, name, None)
    with pytest.raises(AttributeError):
        delattr(made, name)
    assert course() == made


def test_course_has_no_dict() -> None:
    """A course is as small as its fields."""
    assert not hasattr(course(), "__dict__")


def test_changed_course_is_judged_again() -> None:
    """A change is a new value, valid too, and leaves the old one as it was."""
    made = course()

    assert SEATS_RULE == refusals(attrs.evolve, made, max_participants=0)
    assert 3 == attrs.evolve(made, max_participants=3).max_participants
    assert course() == made


# What a form asks


@given(made=courses())
def test_valid_course_has_no_violations(made: Course) -> None:
    """The fields of any course that exists break nothing."""
    assert () == course_violations(**attrs.asdict(made))


@given(case=invalid_course_fields())
def test_form_and_constructor_refuse_alike(case: tuple[dict[str, Any], frozenset[str]]) -> None:
    """Fields at fault give exactly the rules that they break, raised or not."""
    fields, rules = case

    assert rules == {violation.rule for violation in raised(fields)}
    assert raised(fields) == course_violations(**fields)


@given(data=st.data())
def test_form_and_constructor_agree(data: st.DataObject) -> None:
    """Of any fields, right and wrong in any mixture, both say the same."""
    faults: dict[str, list[object]] = {name: [course_fields()[name]] for name in HINTS}
    for name, _, value, _ in wrong_values(KINDS):
        faults[name].append(value)
    for name, value in OFTEN_BROKEN.items():
        faults[name].append(value)
    fields = {name: data.draw(st.sampled_from(values)) for name, values in faults.items()}

    assert raised(fields) == course_violations(**fields)


@given(names=st.permutations(list(HINTS)))
def test_order_of_the_keywords_decides_nothing(names: list[str]) -> None:
    """A form that names its fields in another order gets the same list as the constructor."""
    fields: dict[str, Any] = {name: object() for name in HINTS}

    assert raised(fields) == course_violations(**{name: fields[name] for name in names})


@pytest.mark.parametrize("name", HINTS)
def test_field_that_is_not_given_is_not_judged(name: str) -> None:
    """A form that asks about some fields hears nothing of the others."""
    fields = course_fields()
    del fields[name]

    assert () == course_violations(**fields)
    assert () == course_violations(**{name: course_fields()[name]})


def test_no_field_at_all_breaks_nothing() -> None:
    """An empty form has no violation."""
    assert () == course_violations()


@pytest.mark.parametrize("name", HINTS)
def test_none_is_required_only_where_a_value_must_be(name: str) -> None:
    """None in a required field is ``required``; in an optional one it is fine."""
    expected = [] if name in OPTIONAL else [f"required: {name}"]

    assert expected == broken(course_violations(**{name: None}))


@pytest.mark.parametrize("name", ["price", "certificate_never_expire", "rule"])
def test_unknown_name_in_a_form_is_a_type_error(name: str) -> None:
    """A name that is no field of a course is a mistake of the host's."""
    with pytest.raises(TypeError, match=rf"course_violations\(\) .*'{name}'"):
        course_violations(**{name: None})


def test_start_alone_is_compared_with_what_is_given() -> None:
    """A rule about two fields is judged once both are given."""
    assert [] == broken(course_violations(end_date=START))
    assert END_RULE == broken(course_violations(end_date=START, start_date=START))


NEVER_RULE = [
    (
        "certificate_validity_required_when_issues_certificate:"
        " certificate_validity_months, issues_certificate"
    )
]


@pytest.mark.parametrize(
    ("issues_certificate", "months", "never_expires", "expected"),
    [
        (True, None, False, NEVER_RULE),
        (True, None, True, []),
        (True, 24, False, []),
        (True, 24, True, NEVER_RULE),
        (False, None, False, []),
        (False, None, True, []),
        (False, 24, False, []),
        (False, 24, True, []),
    ],
)
def test_certificate_needs_months_or_the_flag(
    issues_certificate: bool, months: int | None, never_expires: bool, expected: list[str]
) -> None:
    """Given the flag, a course that issues certificates has either months or the flag True."""
    assert expected == broken(
        course_violations(
            issues_certificate=issues_certificate,
            certificate_validity_months=months,
            certificate_never_expires=never_expires,
        )
    )


def test_certificate_rule_is_judged_only_with_the_flag() -> None:
    """Without the flag, no expiry is by design."""
    assert () == course_violations(issues_certificate=True, certificate_validity_months=None)


def test_certificate_rule_needs_to_know_of_certificates() -> None:
    """A form that does not say whether certificates are issued is not held to the rule."""
    assert () == course_violations(certificate_never_expires=False)
    assert () == course_violations(certificate_validity_months=24, certificate_never_expires=True)


def test_months_left_out_are_no_months() -> None:
    """An author who says nothing of months has to say that certificates never expire."""
    assert NEVER_RULE == broken(
        course_violations(issues_certificate=True, certificate_never_expires=False)
    )
    assert () == course_violations(issues_certificate=True, certificate_never_expires=True)


@pytest.mark.parametrize(
    ("months", "never_expires", "expected"),
    [
        pytest.param(0, False, VALIDITY_RULE, id="zero"),
        pytest.param(0, True, VALIDITY_RULE + NEVER_RULE, id="zero-and-never"),
        pytest.param(
            1_201,
            False,
            ["out_of_range: certificate_validity_months"],
            id="too-many",
        ),
        pytest.param(
            "24",
            True,
            ["wrong_type: certificate_validity_months"],
            id="text-and-never",
        ),
        pytest.param("24", False, ["wrong_type: certificate_validity_months"], id="text"),
        pytest.param(24, 1, ["wrong_type: certificate_never_expires"], id="flag-int"),
        pytest.param(None, "no", ["wrong_type: certificate_never_expires"], id="flag-text"),
        pytest.param(None, None, ["required: certificate_never_expires"], id="flag-none"),
    ],
)
def test_certificate_rule_beside_wrong_values(
    months: object, never_expires: object, expected: list[str]
) -> None:
    """Months that are wrong are told once; the rule is judged where its values can be read."""
    assert expected == broken(
        course_violations(
            issues_certificate=True,
            certificate_validity_months=months,
            certificate_never_expires=never_expires,
        )
    )


def test_certificate_rule_comes_after_the_five() -> None:
    """The rule of the flag is told together with every other."""
    fields = OFTEN_BROKEN | {
        "certificate_validity_months": None,
        "start_date": START,
        "issues_certificate": True,
        "certificate_never_expires": False,
    }

    assert [*END_RULE, *DEADLINE_RULE, *TITLE_RULE, *SEATS_RULE, *NEVER_RULE] == broken(
        course_violations(**fields)
    )


@given(made=courses(issues_certificate=True), never_expires=st.booleans())
def test_certificate_rule_holds_for_every_course(made: Course, never_expires: bool) -> None:
    """Whatever else a course is, either it has months or the flag says never."""
    told = course_violations(**attrs.asdict(made), certificate_never_expires=never_expires)
    has_months = made.certificate_validity_months is not None

    assert ([] if has_months != never_expires else NEVER_RULE) == broken(told)


def test_indexed_columns_are_fields_of_a_course() -> None:
    """An index names only columns that a course has."""
    assert set() == {name for columns in COURSE_INDEXES.values() for name in columns} - set(HINTS)
