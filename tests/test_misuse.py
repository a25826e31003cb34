import inspect
from collections.abc import Callable
from datetime import UTC
from functools import partial
from typing import Any, NamedTuple

import attrs
import pytest

import course_domain
from builders import (
    COURSE_ID,
    NOW,
    ORGANIZATION_ID,
    actor,
    course,
    participation,
    registration,
)
from course_domain import (
    Actor,
    CourseOffer,
    CourseService,
    CourseStatus,
    CourseType,
    InvalidCourse,
    InvalidValue,
    Page,
    Participation,
    Role,
    Rule,
    decisions,
    policies,
)
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler
from twins import AwaitedService

ADMIN = actor(Role.ADMIN)

# What is given in the place of each argument, by a name for the report.
WRONG: dict[str, Any] = {
    "None": None,
    "5": 5,
    "2.5": 2.5,
    "text": "x",
    "bytes": b"x",
    "an object": object(),
    "a naive datetime": NOW.replace(tzinfo=None),
    "a date": NOW.date(),
    "True": True,
    "a list": [],
    "a dict": {},
    "a class": Actor,
    "a function": len,
}


class Argument(NamedTuple):
    """A value that is right for an argument, and which of the wrong ones are right for it too."""

    right: Any
    also_right: tuple[str, ...] = ()
    is_instant: bool = False

    def rule_for(self, wrong: str) -> Rule:
        """Tell which rule a wrong value breaks."""
        if wrong == "None":
            return Rule.REQUIRED
        if wrong == "a naive datetime" and self.is_instant:
            return Rule.NAIVE_DATETIME
        return Rule.WRONG_TYPE


def argument(right: Any, *also_right: str) -> Argument:
    """Make an argument that is no instant."""
    return Argument(right, also_right)


NOTHING = "None"
ID = argument(COURSE_ID)
OPTIONAL_ID = argument(COURSE_ID, NOTHING)
INSTANT = Argument(NOW, (), is_instant=True)
OPTIONAL_INSTANT = Argument(None, (NOTHING,), is_instant=True)
WHO = argument(ADMIN)
COURSE = argument(course())
SEEN = argument(participation(registration=registration()))
OPTIONAL_REGISTRATION = argument(registration(), NOTHING)
COUNT = argument(0, "5")
MONTHS = argument(12, NOTHING, "5")
ZONE = argument(UTC)
FLAG = argument(False, "True")
LIMIT = argument(50, "5")
CURSOR = argument(None, NOTHING, "text")
IDS = argument([COURSE_ID], "a list", "a dict")
STATUSES = argument([CourseStatus.DRAFT], NOTHING, "a list", "a dict")

# What an author says: the wrong values are judged with the course that would result.
DETAILS = {
    "title": argument("Listening", "text"),
    "description": argument("Two days.", NOTHING, "text"),
    "course_type": argument(CourseType.WORKSHOP),
    "start_date": OPTIONAL_INSTANT,
    "end_date": OPTIONAL_INSTANT,
    "location": argument("Oslo", NOTHING, "text"),
    "is_virtual": FLAG,
    "max_participants": argument(12, NOTHING, "5"),
    "issues_certificate": FLAG,
    "certificate_validity_months": MONTHS,
    "registration_deadline": OPTIONAL_INSTANT,
}
NEVER_EXPIRES = {"certificate_never_expires": FLAG}

Call = tuple[Callable[..., object], dict[str, Argument]]
MOVE = {"course": COURSE, "actor": WHO, "now": INSTANT}
FUNCTIONS: dict[str, Call] = {
    "create": (
        decisions.create,
        {"actor": WHO, "now": INSTANT, "course_id": ID} | DETAILS | NEVER_EXPIRES,
    ),
    "revise": (
        decisions.revise,
        MOVE | {"expected_updated_at": OPTIONAL_INSTANT} | DETAILS | NEVER_EXPIRES,
    ),
    "publish": (decisions.publish, MOVE),
    "unpublish": (decisions.unpublish, MOVE),
    "archive": (decisions.archive, MOVE),
    "restore": (decisions.restore, MOVE),
    "register": (
        decisions.register,
        {"participation": SEEN, "actor": WHO, "now": INSTANT, "registration_id": ID},
    ),
    "cancel": (decisions.cancel, {"participation": SEEN, "actor": WHO, "now": INSTANT}),
    "complete": (
        decisions.complete,
        {
            "participation": SEEN,
            "actor": WHO,
            "now": INSTANT,
            "certificate_id": ID,
            "completed_at": OPTIONAL_INSTANT,
            "zone": ZONE,
        },
    ),
    "can_view": (policies.can_view, {"course": COURSE, "actor": WHO}),
    "visible_statuses": (policies.visible_statuses, {"role": argument(Role.ADMIN)}),
    "is_registration_open": (
        policies.is_registration_open,
        {"course": COURSE, "now": INSTANT},
    ),
    "seats_left": (policies.seats_left, {"course": COURSE, "confirmed_count": COUNT}),
    "registration_rejections": (
        policies.registration_rejections,
        {
            "course": COURSE,
            "actor": WHO,
            "confirmed_count": COUNT,
            "now": INSTANT,
            "registration": OPTIONAL_REGISTRATION,
        },
    ),
    "certificate_expires_at": (
        policies.certificate_expires_at,
        {"issued_at": INSTANT, "months": MONTHS, "zone": ZONE},
    ),
    "renewal_reminder_at": (
        policies.renewal_reminder_at,
        {"issued_at": INSTANT, "months": MONTHS, "zone": ZONE},
    ),
}
ELSEWHERE = {"course_violations", "page_limit", "unknown_cursor"}
"""Functions that answer with violations, take any value, or take nothing."""

BY_COURSE = {"actor": WHO, "course_id": ID}
PAGE = {"after": CURSOR, "limit": LIMIT}
METHODS: dict[str, dict[str, Argument]] = {
    "create_course": {"actor": WHO} | NEVER_EXPIRES,
    "revise_course": BY_COURSE | {"expected_updated_at": OPTIONAL_INSTANT} | NEVER_EXPIRES,
    "publish_course": BY_COURSE,
    "unpublish_course": BY_COURSE,
    "archive_course": BY_COURSE,
    "restore_course": BY_COURSE,
    "course": BY_COURSE,
    "courses": {
        "actor": WHO,
        "statuses": STATUSES,
        "course_type": argument(None, NOTHING),
        "issues_certificate": argument(None, NOTHING, "True"),
        "starts_from": OPTIONAL_INSTANT,
        "starts_before": OPTIONAL_INSTANT,
    }
    | PAGE,
    "offers": {"actor": WHO, "course_ids": IDS},
    "register": BY_COURSE,
    "cancel_registration": BY_COURSE | {"user_id": OPTIONAL_ID},
    "complete_registration": BY_COURSE | {"user_id": ID, "completed_at": OPTIONAL_INSTANT},
    "registrations": {"actor": WHO, "course_id": OPTIONAL_ID, "user_id": OPTIONAL_ID} | PAGE,
    "certificates": {
        "actor": WHO,
        "course_id": OPTIONAL_ID,
        "user_id": OPTIONAL_ID,
        "expires_before": OPTIONAL_INSTANT,
    }
    | PAGE,
    "schedule_pending_reminders": {"limit": LIMIT},
}


class Untouchable:
    """A repository that nobody may ask."""

    def __getattr__(self, name: str) -> Callable[..., object]:
        """Give a method of any name, one that fails."""

        def asked(*_args: object, **_query: object) -> object:
            pytest.fail(f"{name} was asked although an argument was wrong")

        return asked


# The async service asks the same checks, so one table holds both.
SERVICES: dict[str, Callable[..., Any]] = {"sync": CourseService, "async": AwaitedService}
each_service = pytest.mark.parametrize("make_service", SERVICES.values(), ids=SERVICES)


def untouchable_service(make_service: Callable[..., Any]) -> Any:
    """Give a service that may not look anything up."""
    return make_service(Untouchable(), InMemoryReminderScheduler(), clock=lambda: NOW)


def right(arguments: dict[str, Argument], **wrong: Any) -> dict[str, Any]:
    """Give what is right for each argument, but for these."""
    return {name: given.right for name, given in arguments.items()} | wrong


def ask(make_service: Callable[..., Any], name: str, **wrong: Any) -> object:
    """Call a method of a service that may not look anything up."""
    given = right(DETAILS) if name == "create_course" else {}
    method: Callable[..., object] = getattr(untouchable_service(make_service), name)
    return method(**given | right(METHODS[name], **wrong))


def arguments_of(calls: dict[str, dict[str, Argument]]) -> pytest.MarkDecorator:
    """Give each argument of each call."""
    return pytest.mark.parametrize(
        ("name", "given", "argument"),
        [
            pytest.param(name, given, argument, id=f"{name}-{given}")
            for name, arguments in calls.items()
            for given, argument in arguments.items()
        ],
    )


Told = list[tuple[Rule, tuple[str, ...]]]


def told(call: Callable[..., object], **wrong: Any) -> Told:
    """Tell which rules a call gives for what is wrong, and of which arguments."""
    try:
        call(**wrong)
    except InvalidValue as error:
        return [(violation.rule, violation.fields) for violation in error.violations]
    return []


def told_of_each(call: Callable[..., object], given: str, argument: Argument) -> dict[str, Told]:
    """Give a call every wrong value for an argument, and tell what it says of each."""
    return {
        wrong: told(call, **{given: value})
        for wrong, value in WRONG.items()
        if wrong not in argument.also_right
    }


def as_designed(given: str, argument: Argument) -> dict[str, Told]:
    """Tell what a call should say of every wrong value for an argument."""
    return {
        wrong: [(argument.rule_for(wrong), (given,))]
        for wrong in WRONG
        if wrong not in argument.also_right
    }


@arguments_of({name: arguments for name, (_, arguments) in FUNCTIONS.items()})
def test_function_refuses_a_wrong_argument(name: str, given: str, argument: Argument) -> None:
    """A wrong argument of a function is InvalidValue that names it, whatever it is."""
    function, arguments = FUNCTIONS[name]

    def call(**wrong: Any) -> object:
        return function(**right(arguments, **wrong))

    assert as_designed(given, argument) == told_of_each(call, given, argument)


@each_service
@arguments_of(METHODS)
def test_service_refuses_a_wrong_argument(
    make_service: Callable[..., Any], name: str, given: str, argument: Argument
) -> None:
    """A wrong argument of the service is InvalidValue that names it, before any look-up."""
    call = partial(ask, make_service, name)

    assert as_designed(given, argument) == told_of_each(call, given, argument)


@each_service
@arguments_of({"create_course": DETAILS, "revise_course": DETAILS})
def test_service_refuses_a_wrong_field(
    make_service: Callable[..., Any], name: str, given: str, argument: Argument
) -> None:
    """A wrong field of a course is an InvalidCourse that names it, and nothing is stored."""
    repository = InMemoryCourseRepository()
    repository.add(course())
    service = make_service(repository, clock=lambda: NOW)

    def call(**wrong: Any) -> None:
        with pytest.raises(InvalidCourse) as raised:
            getattr(service, name)(**right(METHODS[name] | DETAILS, **wrong))
        raise raised.value

    assert as_designed(given, argument) == told_of_each(call, given, argument)
    assert (course(),) == repository.courses(ORGANIZATION_ID).items


@each_service
@pytest.mark.parametrize(
    ("name", "given"), [("offers", "course_ids"), ("courses", "statuses")], ids=["ids", "statuses"]
)
@pytest.mark.parametrize(
    ("items", "rule"),
    [
        pytest.param([None], Rule.REQUIRED, id="None"),
        pytest.param(["draft"], Rule.WRONG_TYPE, id="text"),
        pytest.param([5], Rule.WRONG_TYPE, id="a number"),
        pytest.param([()], Rule.WRONG_TYPE, id="a tuple"),
    ],
)
def test_service_refuses_a_wrong_item(
    make_service: Callable[..., Any], name: str, given: str, items: Any, rule: Rule
) -> None:
    """One wrong item among many is refused as the argument it is in."""
    some = [*METHODS[name][given].right, *items]

    assert [(rule, (given,))] == told(partial(ask, make_service, name), **{given: some})


@each_service
@pytest.mark.parametrize("name", METHODS)
def test_service_lists_every_wrong_argument(make_service: Callable[..., Any], name: str) -> None:
    """Several wrong arguments are told at once."""
    names = [each for each in METHODS[name] if each != "certificate_never_expires"]

    assert [(Rule.WRONG_TYPE, (each,)) for each in names] == told(
        partial(ask, make_service, name), **dict.fromkeys(names, object())
    )


EVERY_CALL: dict[str, Call] = FUNCTIONS | {
    f"{kind}-{name}": (getattr(untouchable_service(make_service), name), arguments)
    for kind, make_service in SERVICES.items()
    for name, arguments in METHODS.items()
}


@pytest.mark.parametrize(("call", "arguments"), EVERY_CALL.values(), ids=EVERY_CALL)
def test_unknown_argument_is_a_type_error(
    call: Callable[..., object], arguments: dict[str, Argument]
) -> None:
    """A name that no call takes is a TypeError that tells it."""
    with pytest.raises(TypeError, match="'colour'"):
        call(**right(arguments, colour="red"))


@pytest.mark.parametrize(("call", "arguments"), EVERY_CALL.values(), ids=EVERY_CALL)
def test_surplus_argument_is_a_type_error(
    call: Callable[..., object], arguments: dict[str, Argument]
) -> None:
    """More arguments by position than a call takes are a TypeError."""
    with pytest.raises(TypeError, match="positional argument"):
        call(*[None] * (len(arguments) + 1))


def required(call: Callable[..., object]) -> list[str]:
    """List the arguments that a call cannot do without."""
    return [
        name
        for name, parameter in inspect.signature(call).parameters.items()
        if parameter.default is parameter.empty and parameter.kind is not parameter.VAR_KEYWORD
    ]


@pytest.mark.parametrize(
    ("call", "arguments", "missing"),
    [
        pytest.param(call, arguments, missing, id=f"{name}-{missing}")
        for name, (call, arguments) in EVERY_CALL.items()
        for missing in required(call)
    ],
)
def test_missing_argument_is_a_type_error(
    call: Callable[..., object], arguments: dict[str, Argument], missing: str
) -> None:
    """An argument that is not given is a TypeError that names it."""
    given = right(arguments)
    del given[missing]

    with pytest.raises(TypeError, match=f"'{missing}'"):
        call(**given)


def test_no_function_is_forgotten() -> None:
    """Every public function of the root stands in the table above."""
    functions = {
        name for name in course_domain.__all__ if inspect.isfunction(getattr(course_domain, name))
    }

    assert functions == FUNCTIONS.keys() | ELSEWHERE


def test_no_method_is_forgotten() -> None:
    """Every public method of the service stands in the table above."""
    methods = {name for name, _ in inspect.getmembers(CourseService, inspect.isfunction)}

    assert METHODS.keys() == {name for name in methods if not name.startswith("_")}


VALUES: dict[str, tuple[Callable[..., object], dict[str, Any]]] = {
    "offer": (
        CourseOffer,
        {"course": course(), "seats_left": 3, "registration": None, "rejections": ()},
    ),
    "page": (Page, {"items": (), "next": None}),
}


@pytest.mark.parametrize(
    ("name", "field"), [(name, field) for name, (_, fields) in VALUES.items() for field in fields]
)
def test_value_refuses_a_wrong_field(name: str, field: str) -> None:
    """A public value made of a wrong part is InvalidValue that names the part."""
    value, fields = VALUES[name]

    assert [(Rule.WRONG_TYPE, (field,))] == told(value, **fields | {field: object()})


class Forgetful(InMemoryCourseRepository):
    """A repository of a host that drops the registration from what it gives back."""

    def change_participation(self, *call: Any, **named: Any) -> Participation:
        """Store, and answer without it."""
        return attrs.evolve(super().change_participation(*call, **named), registration=None)


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
def test_repository_that_drops_the_registration_is_named(service: Callable[..., Any]) -> None:
    """The host's developer is told which method answered without what."""
    repository = Forgetful()
    repository.add(course())

    with pytest.raises(InvalidValue, match=r"change_participation\.registration is required"):
        service(repository, clock=lambda: NOW).register(actor(), COURSE_ID)
