from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations
from typing import Any, NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import (
    ADMIN_ID,
    CERTIFICATE_ID,
    COURSE_ID,
    FIRST,
    LAST,
    NOW,
    ORGANIZATION_ID,
    OTHER_ORGANIZATION_ID,
    OTHER_USER_ID,
    START,
    TICK,
    USER_ID,
    actor,
    cancelled,
    certificate,
    course,
    participation,
    registration,
    reminder,
)
from course_domain import (
    Actor,
    Course,
    CourseDomainError,
    CourseNotFound,
    CourseStatus,
    CourseType,
    InvalidCourse,
    InvalidTransition,
    InvalidValue,
    NotPermitted,
    Participation,
    RegistrationNotFound,
    RegistrationRejected,
    RegistrationStatus,
    Role,
    Rule,
    StaleCourse,
    Violation,
    decisions,
)
from course_domain.testing import strategies

DRAFT, PUBLISHED, ARCHIVED = CourseStatus.DRAFT, CourseStatus.PUBLISHED, CourseStatus.ARCHIVED
ADMIN, COORDINATOR, PEER_MENTOR = Role.ADMIN, Role.COORDINATOR, Role.PEER_MENTOR
CERTIFICATE_RULE = Rule.CERTIFICATE_VALIDITY_REQUIRED_WHEN_ISSUES_CERTIFICATE
NAIVE = NOW.replace(tzinfo=None)
FRESH_ID = UUID("00000000-0000-4000-8000-00000000f5e5")
EVERY_ROLE = pytest.mark.parametrize("role", Role)
NOT_ADMINS = pytest.mark.parametrize("role", [COORDINATOR, PEER_MENTOR])
EVERY_STATUS = pytest.mark.parametrize("status", CourseStatus)

MOVES: dict[str, Callable[[Course, Actor, datetime], Course]] = {
    "publish": decisions.publish,
    "unpublish": decisions.unpublish,
    "archive": decisions.archive,
    "restore": decisions.restore,
}


def details(**fields: Any) -> dict[str, Any]:
    """Give the least that an author says of a new course."""
    plain: dict[str, Any] = {
        "title": "Listening",
        "course_type": CourseType.WORKSHOP,
        "is_virtual": True,
        "issues_certificate": False,
    }
    return plain | fields


def create(role: Role = ADMIN, now: Any = NOW, **fields: Any) -> Course:
    """Create a course at `NOW`."""
    return decisions.create(actor(role), now, FRESH_ID, **details(**fields))


def author(
    command: str,
    *,
    now: Any = NOW,
    organization_id: UUID = ORGANIZATION_ID,
    role: Role = ADMIN,
    status: CourseStatus = PUBLISHED,
    expected: Any = None,
    **changes: Any,
) -> Course:
    """Revise or move a course at `NOW`."""
    who = actor(role, organization_id=organization_id)
    if command in MOVES:
        return MOVES[command](course(status=status), who, now)
    changed: Any = {"title": "Another title"} | changes
    return decisions.revise(
        course(status=status), who, now, expected_updated_at=expected, **changed
    )


def take_part(
    command: str,
    *,
    now: Any = NOW,
    organization_id: UUID = ORGANIZATION_ID,
    role: Role = PEER_MENTOR,
    who: UUID = USER_ID,
    held: Any = None,
    count: int = 0,
    completed_at: Any = None,
    **fields: Any,
) -> Participation:
    """Register, cancel or complete for `USER_ID` at `NOW`; `fields` are the course's."""
    seen = participation(course=course(**fields), registration=held, confirmed_count=count)
    person = actor(role, user_id=who, organization_id=organization_id)
    if command == "register":
        return decisions.register(seen, person, now, FRESH_ID)
    if command == "cancel":
        return decisions.cancel(seen, person, now)
    return decisions.complete(seen, person, now, CERTIFICATE_ID, completed_at=completed_at)


class Flaw(NamedTuple):
    """One reason why a command is refused: what to give, and the error it has by itself."""

    reason: str
    given: dict[str, Any]
    answer: CourseDomainError


def wrong(rule: Rule, field: str, **params: object) -> InvalidValue:
    """Give the refusal of one argument."""
    return InvalidValue([Violation(rule, (field,), params)])


def unfit(rule: Rule, field: str, value: object) -> RegistrationRejected:
    """Give the refusal of a registration for one reason, with the value that it meets."""
    return RegistrationRejected([Violation(rule, (field,), {field: value})])


NAIVE_NOW = Flaw("naive now", {"now": NAIVE}, wrong(Rule.NAIVE_DATETIME, "now"))
FOREIGN = Flaw("foreign", {"organization_id": OTHER_ORGANIZATION_ID}, CourseNotFound(COURSE_ID))
HIDDEN = Flaw("hidden", {"status": DRAFT, "role": COORDINATOR}, CourseNotFound(COURSE_ID))
ABSENT = Flaw("no registration", {"held": None}, RegistrationNotFound(COURSE_ID, USER_ID))
COMPLETED = registration(completed_at=NOW - TICK)

# The reasons of each command in the order of the design: of two, the earlier one is the answer.
FLAWS: dict[str, Sequence[Flaw]] = {
    "revise": (
        NAIVE_NOW,
        Flaw(
            "naive expectation",
            {"expected": NAIVE},
            wrong(Rule.NAIVE_DATETIME, "expected_updated_at"),
        ),
        Flaw(
            "expectation after 8999",
            {"expected": LAST + TICK},
            wrong(Rule.OUT_OF_RANGE, "expected_updated_at", minimum=FIRST, maximum=LAST),
        ),
        Flaw(
            "flag of another type",
            {"certificate_never_expires": 1},
            wrong(Rule.WRONG_TYPE, "certificate_never_expires", expected="bool", actual="int"),
        ),
        FOREIGN,
        HIDDEN,
        Flaw("no admin", {"role": COORDINATOR}, NotPermitted("revise a course", COORDINATOR)),
        Flaw("stale", {"expected": NOW}, StaleCourse(COURSE_ID, NOW, course().updated_at)),
        Flaw(
            "invalid",
            {"title": " "},
            InvalidCourse([Violation(Rule.TITLE_NOT_EMPTY, ("title",))]),
        ),
    ),
    **{
        command: (
            NAIVE_NOW,
            FOREIGN,
            Flaw("hidden", {"role": COORDINATOR}, CourseNotFound(COURSE_ID)),
            Flaw(
                "no way out", {"status": ARCHIVED}, InvalidTransition(command, "course", ARCHIVED)
            ),
        )
        for command in ("publish", "unpublish")
    },
    "restore": (
        NAIVE_NOW,
        FOREIGN,
        Flaw(
            "no way out", {"status": PUBLISHED}, InvalidTransition("restore", "course", PUBLISHED)
        ),
    ),
    "archive": (NAIVE_NOW, FOREIGN, HIDDEN),
    "register": (
        NAIVE_NOW,
        FOREIGN,
        Flaw("hidden", {"status": DRAFT}, CourseNotFound(COURSE_ID)),
        Flaw(
            "stranger",
            {"who": OTHER_USER_ID},
            NotPermitted("register another person", PEER_MENTOR),
        ),
        Flaw(
            "late",
            {"registration_deadline": NOW - TICK},
            unfit(Rule.REGISTRATION_DEADLINE_ENFORCED, "registration_deadline", NOW - TICK),
        ),
        Flaw("full", {"count": 12}, unfit(Rule.MAX_PARTICIPANTS_CAP, "max_participants", 12)),
    ),
    "cancel": (
        NAIVE_NOW,
        FOREIGN,
        Flaw(
            "hidden from a stranger",
            {"status": DRAFT, "who": OTHER_USER_ID},
            CourseNotFound(COURSE_ID),
        ),
        Flaw(
            "hidden and no registration",
            {"status": DRAFT, "held": None},
            CourseNotFound(COURSE_ID),
        ),
        Flaw(
            "stranger",
            {"who": OTHER_USER_ID},
            NotPermitted("cancel another person's registration", PEER_MENTOR),
        ),
        ABSENT,
        Flaw(
            "no registration of another",
            {"held": None, "who": ADMIN_ID, "role": ADMIN},
            RegistrationNotFound(COURSE_ID, USER_ID),
        ),
        Flaw(
            "completed",
            {"held": COMPLETED},
            InvalidTransition("cancel", "registration", "completed"),
        ),
    ),
    "complete": (
        NAIVE_NOW,
        Flaw(
            "naive completion",
            {"completed_at": NAIVE},
            wrong(Rule.NAIVE_DATETIME, "completed_at"),
        ),
        Flaw(
            "completion after 8999",
            {"completed_at": LAST + TICK},
            wrong(Rule.OUT_OF_RANGE, "completed_at", minimum=FIRST, maximum=LAST),
        ),
        FOREIGN,
        HIDDEN,
        Flaw(
            "no admin",
            {"role": COORDINATOR},
            NotPermitted("complete registrations of a course", COORDINATOR),
        ),
        ABSENT,
        Flaw(
            "cancelled",
            {"held": cancelled()},
            InvalidTransition("complete", "registration", "cancelled"),
        ),
        Flaw(
            "to come",
            {"completed_at": NOW + TICK},
            wrong(Rule.OUT_OF_RANGE, "completed_at", minimum=FIRST, maximum=NOW),
        ),
    ),
}
# What a command needs so as not to be refused.
GROUNDS: dict[str, dict[str, Any]] = {
    "publish": {"status": DRAFT},
    "unpublish": {"status": DRAFT},
    "restore": {"status": ARCHIVED},
    "cancel": {"held": registration()},
    "complete": {"held": registration(), "role": ADMIN, "who": ADMIN_ID},
}


def give(command: str, **flaws: Any) -> Any:
    """Give a command what it needs, and flaws over it."""
    asked: Callable[..., Course | Participation]
    asked = take_part if command in {"register", "cancel", "complete"} else author
    return asked(command, **GROUNDS.get(command, {}) | flaws)


PAIRS = [
    pytest.param(command, first, second, id=f"{command}: {first.reason}, {second.reason}")
    for command, flaws in FLAWS.items()
    for first, second in combinations(flaws, 2)
    if first.given.keys().isdisjoint(second.given)
]
SINGLES = [
    pytest.param(command, flaw, id=f"{command}: {flaw.reason}")
    for command, flaws in FLAWS.items()
    for flaw in flaws
]


# Which answer comes first


@pytest.mark.parametrize("command", FLAWS)
def test_command_without_a_flaw_is_answered(command: str) -> None:
    """Without a flaw, each command of the table below goes through."""
    assert isinstance(give(command), Course | Participation)


@pytest.mark.parametrize(("command", "flaw"), SINGLES)
def test_each_flaw_has_its_error(command: str, flaw: Flaw) -> None:
    """One reason by itself is answered with its own error, and all that this tells."""
    with pytest.raises(CourseDomainError) as raised:
        give(command, **flaw.given)

    assert (type(flaw.answer), vars(flaw.answer)) == (raised.type, vars(raised.value))


@pytest.mark.parametrize(("command", "first", "second"), PAIRS)
def test_earlier_of_two_flaws_is_the_answer(command: str, first: Flaw, second: Flaw) -> None:
    """Two reasons at once are answered in the order of the design."""
    with pytest.raises(CourseDomainError) as raised:
        give(command, **first.given, **second.given)

    assert type(first.answer) is raised.type


@NOT_ADMINS
@pytest.mark.parametrize("command", ["revise", *MOVES])
def test_authoring_is_for_admins(command: str, role: Role) -> None:
    """Who may view a course and is no admin may not author it, not even to no effect."""
    with pytest.raises(NotPermitted) as raised:
        author(command, role=role, status=PUBLISHED)

    assert {"command": f"{command} a course", "role": role} == vars(raised.value)


@NOT_ADMINS
def test_create_is_for_admins(role: Role) -> None:
    """Nobody but an admin creates a course, and hears that before what is wrong with it."""
    with pytest.raises(NotPermitted) as raised:
        create(role, title="")

    assert {"command": "create courses", "role": role} == vars(raised.value)


def test_create_refuses_a_naive_now_first() -> None:
    """A naive now is refused before the role is looked at."""
    with pytest.raises(InvalidValue) as raised:
        create(PEER_MENTOR, now=NAIVE)

    assert (Rule.NAIVE_DATETIME, ("now",)) == (
        raised.value.violations[0].rule,
        raised.value.violations[0].fields,
    )


def test_wrong_flag_is_told_beside_other_arguments() -> None:
    """A flag that is no bool and a naive now are told in one answer."""
    with pytest.raises(InvalidValue) as raised:
        create(now=NAIVE, certificate_never_expires=1)

    assert [("now",), ("certificate_never_expires",)] == [
        violation.fields for violation in raised.value.violations
    ]


def test_stale_is_stale_also_when_nothing_would_change() -> None:
    """Revising to what is there already is refused all the same when it is stale."""
    with pytest.raises(StaleCourse):
        author("revise", expected=NOW, title=course().title)


@pytest.mark.parametrize(
    ("command", "given"),
    [
        pytest.param("register", {"registration_deadline": NOW - TICK}, id="register late"),
        pytest.param("register", {"count": 12}, id="register on a full course"),
        pytest.param("register", {"status": ARCHIVED, "role": ADMIN}, id="register, archived"),
        pytest.param("register", {"held": COMPLETED}, id="register after completion"),
        pytest.param("cancel", {"held": cancelled()}, id="cancel"),
        pytest.param("cancel", {"held": cancelled(), "status": DRAFT}, id="cancel, hidden"),
        pytest.param("complete", {"held": COMPLETED}, id="complete"),
        pytest.param(
            "complete", {"held": COMPLETED, "completed_at": NOW + TICK}, id="complete, to come"
        ),
    ],
)
def test_repeated_command_gives_the_same(command: str, given: dict[str, Any]) -> None:
    """A repeated command gives back what is there, before any rule is asked."""
    held = given.get("held", registration())

    answer = give(command, **{"held": held} | given)

    assert (held, given.get("count", 0), None, None) == (
        answer.registration,
        answer.confirmed_count,
        answer.certificate,
        answer.reminder,
    )


# Authoring, by create


def test_create_gives_a_draft() -> None:
    """A new course is a draft of the admin's organization, made by them, now."""
    assert (
        Course(
            **details(),
            id=FRESH_ID,
            organization_id=ORGANIZATION_ID,
            status=DRAFT,
            created_by=ADMIN_ID,
            created_at=NOW,
            updated_at=NOW,
        )
        == create()
    )


def test_create_takes_every_field_of_an_author() -> None:
    """All eleven fields that are an author's arrive as they were given."""
    given = {name: getattr(course(), name) for name in AUTHOR_FIELDS}

    created = create(**given)

    assert given == {name: getattr(created, name) for name in AUTHOR_FIELDS}


def test_create_lists_every_violation() -> None:
    """What is wrong with the fields and with the certificate comes in one error."""
    with pytest.raises(InvalidCourse) as raised:
        create(title="", max_participants=0, issues_certificate=True, start_date=NAIVE)

    assert {
        Rule.TITLE_NOT_EMPTY,
        Rule.MAX_PARTICIPANTS_POSITIVE,
        Rule.NAIVE_DATETIME,
        CERTIFICATE_RULE,
    } == {violation.rule for violation in raised.value.violations}


@pytest.mark.parametrize("name", ["id", "organization_id", "status", "created_by", "updated_at"])
@pytest.mark.parametrize(
    "command",
    [
        pytest.param(partial(decisions.create, actor(ADMIN), NOW, FRESH_ID), id="create"),
        pytest.param(partial(decisions.revise, course(), actor(ADMIN), NOW), id="revise"),
    ],
)
def test_author_gives_only_what_is_theirs(command: partial[Course], name: str) -> None:
    """A field that is not an author's is a TypeError that names it, and the command."""
    with pytest.raises(TypeError, match=rf"^{command.func.__name__}\(\) .*'{name}'"):
        command(**details(**{name: getattr(course(), name)}))


@pytest.mark.parametrize("name", ["title", "course_type", "is_virtual", "issues_certificate"])
def test_create_needs_what_a_course_cannot_lack(name: str) -> None:
    """A required field that is missing is a TypeError that names it, and the command."""
    given = details()
    del given[name]

    with pytest.raises(TypeError, match=rf"^create\(\) .*'{name}'"):
        decisions.create(actor(ADMIN), NOW, FRESH_ID, **given)


@pytest.mark.parametrize(
    ("issues", "months", "flag", "refused"),
    [
        pytest.param(True, None, False, True, id="neither months nor the flag"),
        pytest.param(True, None, True, False, id="the flag"),
        pytest.param(True, 12, False, False, id="months"),
        pytest.param(True, 12, True, True, id="both"),
        pytest.param(False, None, False, False, id="no certificate"),
        pytest.param(False, None, True, False, id="no certificate: the flag means nothing"),
        pytest.param(False, 12, False, False, id="no certificate: months"),
        pytest.param(False, 12, True, False, id="no certificate: both"),
    ],
)
def test_certificate_validity_required_when_issues_certificate_on_create(
    issues: bool, months: int | None, flag: bool, refused: bool
) -> None:
    """A new course that issues certificates has months or the flag, and not both."""
    given: Any = {"issues_certificate": issues, "certificate_validity_months": months}

    rules = broken_rules(lambda: create(**given, certificate_never_expires=flag))

    assert ([CERTIFICATE_RULE] if refused else []) == rules


def broken_rules(command: Callable[[], Course]) -> list[Rule]:
    """List the rules for which a command is refused."""
    try:
        command()
    except InvalidCourse as error:
        return [violation.rule for violation in error.violations]
    return []


# Authoring, by revise

OTHER_VALUES: dict[str, Any] = {
    "title": "Å lytte",
    "description": None,
    "course_type": CourseType.ONBOARDING,
    "start_date": START + TICK,
    "end_date": None,
    "location": None,
    "is_virtual": True,
    "max_participants": None,
    "issues_certificate": False,
    "certificate_validity_months": 1,
    "registration_deadline": None,
}
AUTHOR_FIELDS = tuple(OTHER_VALUES)


@EVERY_STATUS
@pytest.mark.parametrize("name", AUTHOR_FIELDS)
def test_revise_changes_what_is_given(name: str, status: CourseStatus) -> None:
    """An author changes each of their fields in any status, and only the time beside it."""
    before = course(status=status)

    revised = decisions.revise(before, actor(ADMIN), NOW, **{name: OTHER_VALUES[name]})

    assert attrs.evolve(before, updated_at=NOW, **{name: OTHER_VALUES[name]}) == revised


@pytest.mark.parametrize("name", AUTHOR_FIELDS)
def test_revise_with_nothing_to_change_gives_the_course_back(name: str) -> None:
    """What is as it was already leaves the course as it is, `updated_at` too."""
    before = course()

    assert before == decisions.revise(before, actor(ADMIN), NOW, **{name: getattr(before, name)})


def test_revise_of_nothing_gives_the_course_back() -> None:
    """No change at all leaves the course as it is."""
    assert course() == decisions.revise(course(), actor(ADMIN), NOW)


def test_equal_instants_in_another_zone_change_nothing() -> None:
    """The same start told in another zone is no change."""
    start = START.astimezone(ZoneInfo("Europe/Oslo"))

    assert course() == author("revise", title=course().title, start_date=start)


def test_expected_updated_at_that_agrees_lets_a_revise_through() -> None:
    """The expected instant may come in any zone."""
    expected = course().updated_at.astimezone(ZoneInfo("Europe/Oslo"))

    assert NOW == author("revise", expected=expected).updated_at


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"max_participants": 1}, id="the cap below the confirmed count"),
        pytest.param({"registration_deadline": NOW - timedelta(days=9)}, id="the deadline past"),
        pytest.param(
            {
                "start_date": NOW - timedelta(days=1),
                "registration_deadline": NOW - timedelta(days=2),
            },
            id="the start past",
        ),
    ],
)
def test_revise_may_close_a_course_to_newcomers(change: dict[str, Any]) -> None:
    """Lowering the cap, or moving the deadline or the start into the past, is allowed."""
    revised = author("revise", **change)

    assert change == {name: getattr(revised, name) for name in change}


def test_revise_lists_every_violation_of_the_result() -> None:
    """What would result is judged as one, with fields that stay and fields that change."""
    with pytest.raises(InvalidCourse) as raised:
        author(
            "revise", end_date=START, registration_deadline=START, certificate_never_expires=True
        )

    assert [
        Rule.END_DATE_AFTER_START_DATE,
        Rule.REGISTRATION_DEADLINE_BEFORE_START,
        CERTIFICATE_RULE,
    ] == [violation.rule for violation in raised.value.violations]


NOT_GIVEN: dict[str, Any] = {}
MONTHS_AND_FLAG: list[dict[str, Any]] = [
    months | {"certificate_never_expires": flag}
    for months in (
        NOT_GIVEN,
        {"certificate_validity_months": None},
        {"certificate_validity_months": 24},
    )
    for flag in (False, True)
]

# Refused (x) or not (.), by the course before and by the change of issues_certificate; across:
# months not given, None or 24, each without the flag and with it.
CERTIFICATE_TABLE = {
    (False, None, None): "......",
    (False, None, False): "......",
    (False, None, True): "x.x..x",
    (False, 12, None): "......",
    (False, 12, False): "......",
    (False, 12, True): ".xx..x",
    (True, None, None): ".....x",
    (True, None, False): "......",
    (True, None, True): ".....x",
    (True, 12, None): ".xx..x",
    (True, 12, False): "......",
    (True, 12, True): ".xx..x",
}


@pytest.mark.parametrize(
    ("issues", "months", "now_issues", "row"),
    [
        pytest.param(*before, row, id=f"{before[0]}-{before[1]}-to-{before[2]}")
        for before, row in CERTIFICATE_TABLE.items()
    ],
)
def test_certificate_validity_required_when_issues_certificate_on_revise(
    issues: bool, months: int | None, now_issues: bool | None, row: str
) -> None:
    """The course that would result is judged: one that stays without expiry need not say so."""
    before = course(issues_certificate=issues, certificate_validity_months=months)
    change = NOT_GIVEN if now_issues is None else {"issues_certificate": now_issues}

    def revise(given: Any) -> Course:
        return decisions.revise(before, actor(ADMIN), NOW, **change, **given)

    refused = {"x": [CERTIFICATE_RULE], ".": []}

    assert [refused[mark] for mark in row] == [
        broken_rules(partial(revise, given)) for given in MONTHS_AND_FLAG
    ]


def test_flag_is_not_stored() -> None:
    """A course without expiry is one whose months are None, and no more."""
    revised = author(
        "revise",
        title=course().title,
        certificate_validity_months=None,
        certificate_never_expires=True,
    )

    assert course(certificate_validity_months=None, updated_at=NOW) == revised


# Authoring, by publish, unpublish, archive and restore


@pytest.mark.parametrize(
    ("command", "source", "target"),
    [
        pytest.param(command, source, target, id=f"{command}-{source}")
        for command, targets in {
            "publish": (PUBLISHED, PUBLISHED, None),
            "unpublish": (DRAFT, DRAFT, None),
            "archive": (ARCHIVED, ARCHIVED, ARCHIVED),
            "restore": (DRAFT, None, DRAFT),
        }.items()
        for source, target in zip((DRAFT, PUBLISHED, ARCHIVED), targets, strict=True)
    ],
)
def test_course_moves_by_the_table(
    command: str, source: CourseStatus, target: CourseStatus | None
) -> None:
    """A command leads to its target; there already the course is unchanged; else it is refused."""
    before = course(status=source)

    if target is None:
        with pytest.raises(InvalidTransition) as raised:
            MOVES[command](before, actor(ADMIN), NOW)
        assert source == raised.value.state
    else:
        stays = target is source
        after = course(status=target, updated_at=before.updated_at if stays else NOW)
        assert after == MOVES[command](before, actor(ADMIN), NOW)


@pytest.mark.parametrize(
    ("now", "grown"),
    [
        pytest.param(NOW - timedelta(days=9), NOW + TICK, id="the clock went back"),
        pytest.param(NOW - TICK, NOW + TICK, id="back by the least"),
        pytest.param(NOW, NOW + TICK, id="it stands still"),
        pytest.param(NOW + TICK, NOW + TICK, id="on by the least"),
        pytest.param(NOW + 2 * TICK, NOW + 2 * TICK, id="on by more"),
    ],
)
@pytest.mark.parametrize("command", ["revise", "publish"])
def test_updated_at_always_grows(command: str, now: datetime, grown: datetime) -> None:
    """`updated_at` is now, or 1 µs later than it was where the clock does not go on."""
    before = course(status=DRAFT, updated_at=NOW)
    author = actor(ADMIN)

    if command == "revise":
        changed = decisions.revise(before, author, now, title="Another title")
    else:
        changed = decisions.publish(before, author, now)

    assert grown == changed.updated_at


# Registering


@EVERY_ROLE
def test_register_confirms_a_seat(role: Role) -> None:
    """Whoever may view a published course takes a seat, now, under the fresh id."""
    answer = take_part("register", role=role, count=11)

    assert (
        participation(registration=registration(id=FRESH_ID, registered_at=NOW), confirmed_count=12)
        == answer
    )


def test_register_after_a_cancel_confirms_the_same_record() -> None:
    """The same record is confirmed again: a new `registered_at`, no `cancelled_at`."""
    answer = take_part("register", held=cancelled(), count=3)

    assert (registration(registered_at=NOW), 4) == (answer.registration, answer.confirmed_count)


@pytest.mark.parametrize("held", [None, cancelled()], ids=["new", "after a cancel"])
@pytest.mark.parametrize(
    ("given", "rules"),
    [
        pytest.param({"registration_deadline": NOW}, [], id="at the deadline"),
        pytest.param({"registration_deadline": None}, [], id="no deadline"),
        pytest.param(
            {"registration_deadline": NOW - TICK},
            [Rule.REGISTRATION_DEADLINE_ENFORCED],
            id="after the deadline",
        ),
        pytest.param({"count": 11}, [], id="the last seat"),
        pytest.param({"count": 99, "max_participants": None}, [], id="no cap"),
        pytest.param({"count": 12}, [Rule.MAX_PARTICIPANTS_CAP], id="full"),
        pytest.param({"count": 13}, [Rule.MAX_PARTICIPANTS_CAP], id="over a lowered cap"),
        pytest.param(
            {"role": ADMIN, "status": DRAFT},
            [Rule.REGISTRATION_REQUIRES_PUBLISHED],
            id="an admin and a draft",
        ),
        pytest.param(
            {
                "role": ADMIN,
                "status": ARCHIVED,
                "count": 12,
                "registration_deadline": NOW - TICK,
            },
            [
                Rule.REGISTRATION_DEADLINE_ENFORCED,
                Rule.MAX_PARTICIPANTS_CAP,
                Rule.REGISTRATION_REQUIRES_PUBLISHED,
            ],
            id="everything at once",
        ),
    ],
)
def test_register_is_refused_with_every_reason(
    given: dict[str, Any], rules: list[Rule], held: Any
) -> None:
    """A registration is refused with all its reasons, new or after a cancel."""
    violations: Sequence[Violation] = ()
    try:
        take_part("register", held=held, **given)
    except RegistrationRejected as error:
        violations = error.violations

    assert rules == [violation.rule for violation in violations]


# Cancelling


@pytest.mark.parametrize(
    ("role", "who"),
    [
        pytest.param(PEER_MENTOR, USER_ID, id="the participant"),
        pytest.param(COORDINATOR, USER_ID, id="a coordinator, their own"),
        pytest.param(ADMIN, USER_ID, id="an admin, their own"),
        pytest.param(ADMIN, ADMIN_ID, id="an admin, another's"),
    ],
)
def test_cancel_frees_the_seat(role: Role, who: UUID) -> None:
    """The participant or an admin cancels, and the seat is free at once."""
    answer = take_part("cancel", role=role, who=who, held=registration(), count=3)

    assert participation(registration=cancelled(cancelled_at=NOW), confirmed_count=2) == answer


@pytest.mark.parametrize("status", [DRAFT, ARCHIVED])
def test_cancel_of_ones_own_works_on_a_hidden_course(status: CourseStatus) -> None:
    """A person's own registration can be cancelled on a course that has since been hidden."""
    answer = take_part("cancel", held=registration(), count=1, status=status)

    assert cancelled(cancelled_at=NOW) == answer.registration


@pytest.mark.parametrize("status", [DRAFT, ARCHIVED])
def test_completed_is_told_to_its_holder_on_a_hidden_course(status: CourseStatus) -> None:
    """On a hidden course the holder hears why their completed one cannot be cancelled."""
    with pytest.raises(InvalidTransition):
        take_part("cancel", held=COMPLETED, status=status)


def test_cancel_of_ones_own_stops_at_the_organization() -> None:
    """The same user as a person of another organization finds no course."""
    with pytest.raises(CourseNotFound):
        take_part(
            "cancel",
            held=registration(),
            status=DRAFT,
            organization_id=OTHER_ORGANIZATION_ID,
        )


@pytest.mark.parametrize("held", [None, registration(), cancelled(), COMPLETED])
@NOT_ADMINS
def test_stranger_learns_nothing_by_cancelling(role: Role, held: Any) -> None:
    """Cancelling for another is NotPermitted whether or not there is a registration."""
    with pytest.raises(NotPermitted):
        take_part("cancel", role=role, who=OTHER_USER_ID, held=held)


def test_count_never_falls_below_zero() -> None:
    """A count that an adapter keeps too low does not become negative."""
    assert 0 == take_part("cancel", held=registration(), count=0).confirmed_count


# Completing


@EVERY_STATUS
def test_complete_answers_with_all_three(status: CourseStatus) -> None:
    """A completion gives registration, certificate and reminder, in any status of the course."""
    answer = take_part("complete", held=registration(), role=ADMIN, count=3, status=status)

    assert (
        participation(
            course=course(status=status),
            confirmed_count=3,
            registration=registration(completed_at=NOW),
            certificate=certificate(),
            reminder=reminder(),
        )
        == answer
    )


@pytest.mark.parametrize(
    "completed_at",
    [
        pytest.param(NOW, id="now"),
        pytest.param(NOW - TICK, id="just before now"),
        pytest.param(NOW - timedelta(days=3), id="on Friday, before they registered"),
        pytest.param(datetime(1900, 1, 1, tzinfo=UTC), id="the first instant there is"),
    ],
)
def test_certificate_is_issued_when_the_course_was_completed(completed_at: datetime) -> None:
    """`completed_at` may be earlier than now, and is when the certificate is issued."""
    answer = take_part("complete", held=registration(), role=ADMIN, completed_at=completed_at)

    assert (completed_at, completed_at, completed_at.replace(year=completed_at.year + 2)) == (
        attrs.asdict(answer)["registration"]["completed_at"],
        attrs.asdict(answer)["certificate"]["issued_at"],
        attrs.asdict(answer)["certificate"]["expires_at"],
    )


def test_completion_to_come_names_its_argument() -> None:
    """A `completed_at` later than now is InvalidValue, with the latest that it may be."""
    with pytest.raises(InvalidValue) as raised:
        take_part("complete", held=registration(), role=ADMIN, completed_at=NOW + TICK)

    (violation,) = raised.value.violations
    assert (Rule.OUT_OF_RANGE, ("completed_at",), NOW) == (
        violation.rule,
        violation.fields,
        violation.params["maximum"],
    )


def test_certificate_without_expiry_has_no_reminder() -> None:
    """No months: a certificate that never expires, and nothing to be reminded of."""
    answer = take_part(
        "complete", held=registration(), role=ADMIN, certificate_validity_months=None
    )

    assert (certificate(expires_at=None), None) == (answer.certificate, answer.reminder)


@pytest.mark.parametrize("months", [None, 24])
def test_course_that_issues_none_gives_none(months: int | None) -> None:
    """A course that issues no certificate gives none, and no reminder."""
    answer = take_part(
        "complete",
        held=registration(),
        role=ADMIN,
        issues_certificate=False,
        certificate_validity_months=months,
    )

    assert (registration(completed_at=NOW), None, None) == (
        answer.registration,
        answer.certificate,
        answer.reminder,
    )


def test_who_completed_without_certificate_gets_none_later() -> None:
    """Completing again, once the course issues certificates, adds nothing."""
    answer = take_part("complete", held=COMPLETED, role=ADMIN, issues_certificate=True)

    assert participation(registration=COMPLETED) == answer


def test_completing_again_gives_the_same_without_a_reminder() -> None:
    """Completed already: registration and certificate as they are, and no reminder."""
    before = participation(
        registration=COMPLETED, certificate=certificate(), reminder=reminder(), confirmed_count=1
    )

    answer = decisions.complete(before, actor(ADMIN), NOW + TICK, FRESH_ID)

    assert attrs.evolve(before, reminder=None) == answer


def test_certificate_that_is_there_is_never_replaced() -> None:
    """A confirmed registration beside a certificate is completed; it stays, and reminds nobody."""
    before = participation(
        registration=registration(), certificate=certificate(), reminder=reminder()
    )

    answer = decisions.complete(before, actor(ADMIN), NOW + TICK, FRESH_ID)

    assert (NOW + TICK, certificate(), None) == (
        attrs.asdict(answer)["registration"]["completed_at"],
        answer.certificate,
        answer.reminder,
    )


@pytest.mark.parametrize(
    ("zone", "months", "expires_at", "remind_at"),
    [
        pytest.param("UTC", 1, "2026-02-28T23:30Z", "2026-01-29T23:30Z", id="utc"),
        pytest.param("Europe/Oslo", 1, "2026-02-27T23:30Z", "2026-01-28T23:30Z", id="oslo"),
        pytest.param("UTC", 6, "2026-07-30T23:30Z", "2026-06-30T23:30Z", id="utc, in summer"),
        pytest.param("Europe/Oslo", 6, "2026-07-30T22:30Z", "2026-06-30T22:30Z", id="in summer"),
        pytest.param("Europe/Oslo", 3, "2026-04-29T22:30Z", "2026-03-30T22:30Z", id="in spring"),
        pytest.param("Europe/Oslo", 2, "2026-03-30T22:30Z", "2026-02-28T23:30Z", id="over a gap"),
    ],
)
def test_months_are_counted_in_the_zone(
    zone: str, months: int, expires_at: str, remind_at: str
) -> None:
    """Expiry and reminder are counted on the wall clock of the zone, months first, then days."""
    seen = participation(
        course=course(certificate_validity_months=months), registration=registration()
    )
    at = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)  # the 31st in Oslo

    answer = decisions.complete(seen, actor(ADMIN), at, FRESH_ID, zone=ZoneInfo(zone))

    assert (datetime.fromisoformat(expires_at), datetime.fromisoformat(remind_at)) == (
        attrs.asdict(answer)["certificate"]["expires_at"],
        attrs.asdict(answer)["reminder"]["remind_at"],
    )


# For all courses and people


def every_decision(seen: Participation, who: Actor, now: datetime) -> list[Callable[[], Any]]:
    """Give every command on what a participation holds, ready to run."""
    return [
        lambda: decisions.revise(seen.course, who, now, title="Another title", location=None),
        *(lambda move=move: move(seen.course, who, now) for move in MOVES.values()),
        lambda: decisions.register(seen, who, now, FRESH_ID),
        lambda: decisions.cancel(seen, who, now),
        lambda: decisions.complete(seen, who, now, FRESH_ID),
    ]


def outcome(command: Callable[[], Any]) -> tuple[str, str]:
    """Give what a command answers, or how it is refused, as text."""
    try:
        return ("answer", repr(command()))
    except CourseDomainError as error:
        return (type(error).__name__, str(error))


# No deadline: how long an example takes says nothing about a rule.
ANY_SITUATION = settings(deadline=None, max_examples=50)
SITUATIONS = strategies.participations().flatmap(
    lambda seen: st.tuples(
        st.just(seen),
        strategies.actors(
            organization_id=st.sampled_from([seen.course.organization_id, OTHER_ORGANIZATION_ID]),
            user_id=st.sampled_from([seen.user_id, ADMIN_ID]),
        ),
        strategies.instants_near(seen.course.registration_deadline, seen.course.updated_at),
    )
)


@ANY_SITUATION
@given(SITUATIONS)
def test_decisions_are_pure(situation: tuple[Participation, Actor, datetime]) -> None:
    """Asked twice a command answers the same, and what it was given stays as it was."""
    before = repr(situation)

    first = [outcome(command) for command in every_decision(*situation)]

    assert (first, before) == (
        [outcome(command) for command in every_decision(*situation)],
        repr(situation),
    )


@ANY_SITUATION
@given(SITUATIONS)
def test_foreign_course_is_never_answered(situation: tuple[Participation, Actor, datetime]) -> None:
    """Nothing about a course of another organization is told but that there is none."""
    seen, who, now = situation
    stranger = attrs.evolve(who, organization_id=UUID(int=seen.course.organization_id.int ^ 1))

    told = {outcome(command) for command in every_decision(seen, stranger, now)}

    assert {("CourseNotFound", str(CourseNotFound(seen.course.id)))} == told


@ANY_SITUATION
@given(SITUATIONS)
def test_ids_and_birth_never_change(situation: tuple[Participation, Actor, datetime]) -> None:
    """What a decision answers keeps the ids, `created_by` and `created_at` of what it was given."""
    seen, who, now = situation
    kept = ("id", "organization_id", "created_by", "created_at")

    for command in every_decision(seen, who, now):
        try:
            answer = command()
        except CourseDomainError:
            continue
        changed = answer.course if isinstance(answer, Participation) else answer
        assert [getattr(seen.course, name) for name in kept] == [
            getattr(changed, name) for name in kept
        ]


@ANY_SITUATION
@given(SITUATIONS)
def test_count_follows_the_seat(situation: tuple[Participation, Actor, datetime]) -> None:
    """The count that an answer shows differs by the one seat that was taken or freed."""
    seen, who, now = situation

    for command in every_decision(seen, who, now)[-3:]:
        try:
            answer = command()
        except CourseDomainError:
            continue
        taken = holds_seat(answer) - holds_seat(seen)
        assert (seen.confirmed_count + taken, seen.course) == (
            answer.confirmed_count,
            answer.course,
        )


def holds_seat(seen: Participation) -> bool:
    """Tell whether the person has a confirmed registration."""
    held = seen.registration
    return held is not None and held.status is RegistrationStatus.CONFIRMED
