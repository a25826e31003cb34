"""What a host plugs in, where it is not what its port says."""

from collections.abc import Callable, Generator
from typing import Any, Protocol

import anyio
import pytest

from builders import COURSE_ID, NOW, USER_ID, actor, course
from course_domain import CourseService, InvalidValue, RenewalReminder, Role, Rule, Violation
from course_domain.aio import AsyncCourseService
from course_domain.aio_bridge import CourseRepositoryBridge
from course_domain.aio_memory import AsyncInMemoryReminderScheduler
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler
from course_domain.ports import plugged
from course_domain.values import checked
from twins import AwaitedService, at_once

BOSS = actor(Role.ADMIN)
each_service = pytest.mark.parametrize("make", [CourseService, AwaitedService])


class Waker(Protocol):
    def wake(self) -> None:
        """Go on."""


class Sleeper(Waker, Protocol):
    def sleep(self) -> None:
        """Do nothing for a while."""


class Cat:
    def sleep(self) -> None:
        """Do nothing for a while."""

    def wake(self) -> None:
        """Go on."""


class Stone:
    def sleep(self) -> None:
        """Do nothing for ever."""


class Statue(Stone):
    wake = "never"


class Heir(Sleeper):
    """One that says what it is, and forgot a method."""

    def sleep(self) -> None:
        """Do nothing for a while."""


class Dreamer(Cat):
    async def sleep(self) -> None:  # type: ignore[override]
        """Do nothing while others go on."""


def the_violation(call: Callable[[], object]) -> Violation:
    """Give the one violation that a call raises."""
    with pytest.raises(InvalidValue) as raised:
        call()
    (violation,) = raised.value.violations
    return violation


def test_plugged_takes_whatever_has_the_methods() -> None:
    """A host's object is judged by its methods, not by its class."""
    cat = Cat()

    assert (cat,) == checked(value=(plugged(Sleeper), cat))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(object(), "Sleeper with sleep, wake", id="no-method"),
        pytest.param(Stone(), "Sleeper with wake", id="a-method-missing"),
        pytest.param(Statue(), "Sleeper with wake", id="not-callable"),
        pytest.param(
            Heir(),  # type: ignore[abstract]
            "Sleeper with wake",
            id="inherited-from-the-protocol",
        ),
        pytest.param(Dreamer(), "Sleeper with plain methods", id="async"),
        pytest.param(Cat, "Sleeper", id="class-in-place-of-an-object"),
    ],
)
def test_plugged_tells_what_an_object_lacks(value: object, expected: str) -> None:
    """An object that could not answer every call is refused at once, and it is told why."""
    violation = the_violation(lambda: checked(value=(plugged(Sleeper), value)))
    assert (Rule.WRONG_TYPE, expected) == (violation.rule, violation.params["expected"])


def test_plugged_requires_an_object() -> None:
    """None is no part."""
    violation = the_violation(lambda: checked(value=(plugged(Sleeper), None)))
    assert Rule.REQUIRED == violation.rule


ASKING: dict[str, list[Callable[[Any], object]]] = {
    "change_course": [
        lambda service: service.revise_course(BOSS, COURSE_ID, title="Another"),
        lambda service: service.unpublish_course(BOSS, COURSE_ID),
    ],
    "change_participation": [
        lambda service: service.register(actor(), COURSE_ID),
        lambda service: service.complete_registration(BOSS, COURSE_ID, user_id=USER_ID),
    ],
    "participations": [lambda service: service.offers(BOSS, [COURSE_ID])],
    "courses": [lambda service: service.courses(BOSS)],
    "registrations": [lambda service: service.registrations(BOSS)],
    "certificates": [lambda service: service.certificates(BOSS)],
    "pending_reminders": [lambda service: service.schedule_pending_reminders()],
}


@each_service
@pytest.mark.parametrize(
    ("method", "ask"), [(method, ask) for method, asks in ASKING.items() for ask in asks]
)
@pytest.mark.parametrize(
    ("answer", "rule"), [(None, Rule.REQUIRED), ("done", Rule.WRONG_TYPE)], ids=["none", "text"]
)
def test_answer_of_another_kind_is_told_by_its_method(
    make: Any, method: str, ask: Callable[[Any], object], answer: object, rule: Rule
) -> None:
    """Who forgot to return what the port says is told where, also where it is stored by then."""
    repository = InMemoryCourseRepository()
    repository.add(course())
    CourseService(repository, clock=lambda: NOW).register(actor(), COURSE_ID)
    tell = getattr(repository, method)

    def forgetful(*args: Any, **keywords: Any) -> object:
        tell(*args, **keywords)
        return answer

    setattr(repository, method, forgetful)
    service = make(repository, InMemoryReminderScheduler(), clock=lambda: NOW)
    violation = the_violation(lambda: ask(service))
    assert (rule, (method,)) == (violation.rule, violation.fields)


@each_service
def test_what_is_got_is_a_course(make: Any) -> None:
    """Only a course, or None, is what a repository gets."""
    repository = InMemoryCourseRepository()
    repository.get = lambda *_: "a course"  # type: ignore[assignment,method-assign]
    violation = the_violation(lambda: make(repository).course(BOSS, COURSE_ID))
    assert (Rule.WRONG_TYPE, ("get",)) == (violation.rule, violation.fields)


class Later:
    """What would be done by whoever awaits it: an async method behind a decorator gives such."""

    def __init__(self, *_: object) -> None:
        pass

    def __await__(self) -> Generator[None, None, None]:
        raise NotImplementedError


@pytest.mark.parametrize("part", ["schedule", "mark_reminder_scheduled"])
def test_reminder_that_nobody_awaits_stays_in_the_outbox(
    part: str, caplog: pytest.LogCaptureFixture
) -> None:
    """What a hidden coroutine would do is not done (certificate_renewal_reminder_triggered)."""
    repository, scheduler = InMemoryCourseRepository(), InMemoryReminderScheduler()
    repository.add(course())
    owner: Any = scheduler if part == "schedule" else repository
    setattr(owner, part, Later)
    service = CourseService(repository, scheduler, clock=lambda: NOW)
    service.register(actor(), COURSE_ID)
    reminder = service.complete_registration(BOSS, COURSE_ID, user_id=USER_ID).reminder

    assert isinstance(reminder, RenewalReminder)
    assert (reminder,) == repository.pending_reminders().items
    assert 0 == service.schedule_pending_reminders()
    assert "InvalidValue" in caplog.text


def test_course_that_nobody_awaits_to_be_added_is_not_created() -> None:
    """A hidden coroutine has stored nothing, and who creates hears of it."""
    repository = InMemoryCourseRepository()
    repository.add = Later  # type: ignore[assignment,method-assign]
    service = CourseService(repository, clock=lambda: NOW)
    details: Any = {"title": "A course", "course_type": course().course_type}
    violation = the_violation(
        lambda: service.create_course(BOSS, **details, is_virtual=False, issues_certificate=False)
    )
    assert (Rule.WRONG_TYPE, ("add",)) == (violation.rule, violation.fields)


AWAITED: dict[str, Callable[[Any], Any]] = {
    "add": lambda service: service.create_course(
        BOSS,
        title="A course",
        course_type=course().course_type,
        is_virtual=False,
        issues_certificate=False,
    ),
    "get": lambda service: service.course(BOSS, COURSE_ID),
    **{method: asks[0] for method, asks in ASKING.items()},
}


@pytest.mark.parametrize("method", AWAITED)
def test_plain_method_among_async_ones_is_told(method: str) -> None:
    """Whoever forgot an `async` is told where, though the method has done its work by then."""
    plain = InMemoryCourseRepository()
    plain.add(course())
    repository: Any = CourseRepositoryBridge(plain, at_once)
    setattr(repository, method, getattr(plain, method))
    service = AsyncCourseService(repository, AsyncInMemoryReminderScheduler(), clock=lambda: NOW)

    violation = the_violation(lambda: anyio.run(lambda: AWAITED[method](service)))

    assert (Rule.WRONG_TYPE, (method,)) == (violation.rule, violation.fields)
