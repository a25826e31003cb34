"""The async service: the same calls and answers as the sync one, awaited."""

import inspect
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from builders import COURSE_ID, NOW, ORGANIZATION_ID, actor, course
from course_domain import (
    CourseRepository,
    CourseService,
    InvalidValue,
    ReminderScheduler,
    Role,
    Rule,
)
from course_domain.aio import AsyncCourseRepository, AsyncCourseService, AsyncReminderScheduler
from course_domain.aio_memory import AsyncInMemoryCourseRepository, AsyncInMemoryReminderScheduler
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler

PAIRS: list[tuple[type, type]] = [
    (CourseService, AsyncCourseService),
    (CourseRepository, AsyncCourseRepository),
    (ReminderScheduler, AsyncReminderScheduler),
    (InMemoryCourseRepository, AsyncInMemoryCourseRepository),
    (InMemoryReminderScheduler, AsyncInMemoryReminderScheduler),
]


def public_methods(kind: type) -> dict[str, Callable[..., Any]]:
    """Give the methods of a class that a host may call."""
    return {
        name: method
        for name, method in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


@pytest.mark.parametrize(("sync", "twin"), PAIRS, ids=lambda kind: kind.__name__)
def test_twin_has_the_same_methods_and_signatures(sync: type, twin: type) -> None:
    """Every method of the one is a method of the other, and takes and gives the same."""
    here, there = public_methods(sync), public_methods(twin)

    assert here.keys() == there.keys()
    for name, method in here.items():
        assert inspect.signature(method) == inspect.signature(there[name]), name


@pytest.mark.parametrize("twin", [twin for _, twin in PAIRS], ids=lambda kind: kind.__name__)
def test_every_method_of_a_twin_is_awaited(twin: type) -> None:
    """No method of an async class is a plain one."""
    assert [] == [
        name
        for name, method in public_methods(twin).items()
        if not inspect.iscoroutinefunction(method)
    ]


@pytest.mark.parametrize(
    ("service", "given", "name"),
    [
        (AsyncCourseService, {"repository": InMemoryCourseRepository()}, "repository"),
        (CourseService, {"repository": AsyncInMemoryCourseRepository()}, "repository"),
        (
            AsyncCourseService,
            {
                "repository": AsyncInMemoryCourseRepository(),
                "reminders": InMemoryReminderScheduler(),
            },
            "reminders",
        ),
        (
            CourseService,
            {
                "repository": InMemoryCourseRepository(),
                "reminders": AsyncInMemoryReminderScheduler(),
            },
            "reminders",
        ),
    ],
    ids=["sync-repository", "async-repository", "sync-scheduler", "async-scheduler"],
)
def test_service_refuses_the_adapter_of_the_other(
    service: type, given: dict[str, Any], name: str
) -> None:
    """A sync adapter is none of the async service, nor the other way round: told at once."""
    with pytest.raises(InvalidValue) as raised:
        service(**given)

    assert [(Rule.WRONG_TYPE, (name,))] == [
        (each.rule, each.fields) for each in raised.value.violations
    ]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_service_runs_on_any_loop(backend: str) -> None:
    """A seat is taken, completed and certified, and the reminder scheduled, on each loop."""
    repository, reminders = AsyncInMemoryCourseRepository(), AsyncInMemoryReminderScheduler()
    service = AsyncCourseService(repository, reminders, clock=lambda: NOW)
    mentor, admin = actor(), actor(Role.ADMIN)

    async def life() -> tuple[Any, Any]:
        await repository.add(course())
        registered = await service.register(mentor, COURSE_ID)
        done = await service.complete_registration(admin, COURSE_ID, user_id=mentor.user_id)
        return registered, done

    registered, done = anyio.run(life, backend=backend)

    assert registered.id == done.registration.id
    assert (done.reminder,) == reminders.scheduled
    page = anyio.run(lambda: repository.certificates(ORGANIZATION_ID), backend=backend)
    assert (done.certificate,) == page.items
