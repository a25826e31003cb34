import copy
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

import course_domain
from builders import COURSE_ID, NOW, START, TICK, USER_ID, actor, course, registration
from course_domain import (
    CourseDomainError,
    CourseNotFound,
    DuplicateCourse,
    InvalidCourse,
    InvalidDocument,
    InvalidTransition,
    InvalidValue,
    NotPermitted,
    RegistrationNotFound,
    RegistrationRejected,
    RepositoryUnavailable,
    Role,
    Rule,
    StaleCourse,
    Violation,
)
from course_domain.rules import ErrorWithViolations

SECRET = "Kari Nordmann, Storgata 1"
VIOLATIONS = (
    Violation(Rule.TITLE_NOT_EMPTY, ("title",)),
    Violation(Rule.OUT_OF_RANGE, ("limit",), {"minimum": 1, "maximum": 200}),
)
ERRORS: list[tuple[CourseDomainError, dict[str, object]]] = [
    (InvalidValue(VIOLATIONS), {"violations": VIOLATIONS}),
    (InvalidCourse(VIOLATIONS), {"violations": VIOLATIONS}),
    (InvalidDocument(VIOLATIONS), {"violations": VIOLATIONS}),
    (RegistrationRejected(VIOLATIONS), {"violations": VIOLATIONS}),
    (CourseNotFound(COURSE_ID), {"course_id": COURSE_ID}),
    (RegistrationNotFound(COURSE_ID, USER_ID), {"course_id": COURSE_ID, "user_id": USER_ID}),
    (DuplicateCourse(COURSE_ID), {"course_id": COURSE_ID}),
    (
        NotPermitted("publish a course", Role.COORDINATOR),
        {"command": "publish a course", "role": "coordinator"},
    ),
    (
        InvalidTransition("publish", "course", "archived"),
        {"command": "publish", "subject": "course", "state": "archived"},
    ),
    (
        StaleCourse(COURSE_ID, NOW, NOW + TICK),
        {"course_id": COURSE_ID, "expected_updated_at": NOW, "updated_at": NOW + TICK},
    ),
    (RepositoryUnavailable("locked"), {"reason": "locked"}),
]
each_error = pytest.mark.parametrize(
    ("error", "attributes"), ERRORS, ids=[type(error).__name__ for error, _ in ERRORS]
)

ABOVE = {
    "CourseDomainError": set[str](),
    "InvalidValue": {"CourseDomainError", "ValueError"},
    "InvalidCourse": {"CourseDomainError", "InvalidValue", "ValueError"},
    "InvalidDocument": {"CourseDomainError", "InvalidValue", "ValueError"},
    "RegistrationRejected": {"CourseDomainError"},
    "CourseNotFound": {"CourseDomainError", "LookupError"},
    "RegistrationNotFound": {"CourseDomainError", "LookupError"},
    "DuplicateCourse": {"CourseDomainError"},
    "NotPermitted": {"CourseDomainError"},
    "InvalidTransition": {"CourseDomainError"},
    "StaleCourse": {"CourseDomainError"},
    "RepositoryUnavailable": {"CourseDomainError"},
}


def test_errors_are_flat() -> None:
    """Every public error stands right below the one base, two below `InvalidValue`."""
    public = {name: getattr(course_domain, name) for name in course_domain.__all__}
    errors = {
        name: {above.__name__ for above in value.mro()[1:] if above is not ErrorWithViolations}
        for name, value in public.items()
        if isinstance(value, type) and issubclass(value, Exception)
    }

    assert ABOVE == {
        name: above - {"Exception", "BaseException", "object"} for name, above in errors.items()
    }


def test_table_holds_every_error() -> None:
    """The tests of this module see every error but the base, which is never raised."""
    assert set(ABOVE) - {"CourseDomainError"} == {type(error).__name__ for error, _ in ERRORS}


@each_error
def test_error_carries_its_arguments(
    error: CourseDomainError, attributes: dict[str, object]
) -> None:
    """What an error was raised for stands in its attributes."""
    assert attributes == {name: getattr(error, name) for name in attributes}


@each_error
def test_error_pickles_and_copies(error: CourseDomainError, attributes: dict[str, object]) -> None:
    """An error crosses a process boundary as what it is, with its attributes and its text."""
    for again in pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error):
        assert (type(error), str(error)) == (type(again), str(again))
        assert attributes == {name: getattr(again, name) for name in attributes}


@each_error
def test_error_made_by_keywords_pickles(
    error: CourseDomainError, attributes: dict[str, Any]
) -> None:
    """However an error is made, it crosses a process boundary whole."""
    kind: Any = type(error)
    made = kind(**attributes)

    assert str(error) == str(pickle.loads(pickle.dumps(made)))
    assert tuple(attributes.values()) == made.args


@pytest.mark.parametrize(
    ("error", "named"),
    [
        (CourseNotFound(COURSE_ID), [COURSE_ID]),
        (RegistrationNotFound(COURSE_ID, USER_ID), [COURSE_ID, USER_ID]),
        (DuplicateCourse(COURSE_ID), [COURSE_ID]),
        (NotPermitted("publish a course", Role.COORDINATOR), ["publish a course", "coordinator"]),
        (InvalidTransition("publish", "course", "archived"), ["publish", "course", "archived"]),
        (StaleCourse(COURSE_ID, NOW, NOW + TICK), [COURSE_ID, NOW, NOW + TICK]),
        (RepositoryUnavailable("locked"), ["locked"]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_str_tells_what_the_error_is_about(error: CourseDomainError, named: list[object]) -> None:
    """The text of an error is a sentence that has every one of its attributes."""
    assert [] == [part for part in named if str(part) not in str(error)]
    assert str(error) not in (str(error.args), str(error.args[0]))


@pytest.mark.parametrize(
    "kind", [InvalidValue, InvalidCourse, InvalidDocument, RegistrationRejected]
)
def test_str_tells_every_violation(
    kind: Callable[[tuple[Violation, ...]], CourseDomainError],
) -> None:
    """The text of a refusal has rule, field and sentence of each violation, in their order."""
    parts = [f"{each.rule}: {each.fields[0]}] {each}" for each in VIOLATIONS]

    assert parts == str(kind(VIOLATIONS)).removeprefix("[").split(" [")


def test_violations_are_read_once() -> None:
    """Violations given as a generator are all kept, after a pickle too."""
    error = InvalidValue(each for each in VIOLATIONS)

    assert VIOLATIONS == error.violations == pickle.loads(pickle.dumps(error)).violations


@pytest.mark.parametrize(
    "name", ["id", "course_type", "start_date", "is_virtual", "max_participants"]
)
def test_text_of_the_wrong_type_is_never_told(name: str) -> None:
    """A refused text is in no part of the error, so that it can be logged."""
    with pytest.raises(InvalidCourse) as raised:
        course(**{name: SECRET})

    told = "".join(traceback.format_exception(raised.value)) + repr(raised.value.violations)
    assert SECRET not in told
    assert name in str(raised.value)


@pytest.mark.parametrize(
    "kind", [InvalidValue, InvalidCourse, InvalidDocument, RegistrationRejected]
)
@pytest.mark.parametrize("given", ["full", [1], None, Violation(Rule.REQUIRED, ("title",))])
def test_reasons_are_violations(kind: Any, given: object) -> None:
    """What is none is told where the error is made, not when somebody reads its text at night."""
    with pytest.raises(InvalidValue) as raised:
        kind(given)

    assert [(Rule.WRONG_TYPE, ("violations",))] == [
        (each.rule, each.fields) for each in raised.value.violations
    ]


@pytest.mark.parametrize("name", ["title", "description", "location"])
@pytest.mark.parametrize("unstorable", ["\x00", "\ud800"])
def test_unstorable_text_is_never_told(name: str, unstorable: str) -> None:
    """A text that cannot be stored is in no part of the error either."""
    with pytest.raises(InvalidCourse) as raised:
        course(**{name: SECRET + unstorable})

    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert raised.value.__context__ is None
    assert f"unstorable_text: {name}" in str(raised.value)


def test_one_except_catches_every_refusal() -> None:
    """`CourseDomainError` catches what a course, an actor and a registration refuse alike."""
    builds: list[Callable[..., Any]] = [
        lambda: course(end_date=START),
        lambda: actor(user_id=1),
        lambda: registration(id=1),
    ]
    for build in builds:
        with pytest.raises(CourseDomainError):
            build()
