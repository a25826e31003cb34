"""The async service: the same calls and answers as the sync one, awaited."""

import inspect
import logging
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import anyio
import pytest
from anyio.lowlevel import checkpoint

from adapters.async_asking_again import AsyncAskingAgainRepository
from builders import (
    COURSE_ID,
    NOW,
    ORGANIZATION_ID,
    OTHER_USER_ID,
    TICK,
    USER_ID,
    actor,
    course,
)
from course_domain import (
    Course,
    CourseDomainError,
    CourseRepository,
    CourseService,
    CourseStatus,
    CourseType,
    InvalidValue,
    Page,
    PeerMentorCertificate,
    Registration,
    ReminderScheduler,
    RenewalReminder,
    Role,
    Rule,
)
from course_domain.aio import AsyncCourseRepository, AsyncCourseService, AsyncReminderScheduler
from course_domain.aio_memory import AsyncInMemoryCourseRepository, AsyncInMemoryReminderScheduler
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler
from course_domain.testing.loops import Loop
from twins import AwaitedService

PAIRS: list[tuple[type, type]] = [
    (CourseService, AsyncCourseService),
    (CourseRepository, AsyncCourseRepository),
    (ReminderScheduler, AsyncReminderScheduler),
    (InMemoryCourseRepository, AsyncInMemoryCourseRepository),
    (InMemoryReminderScheduler, AsyncInMemoryReminderScheduler),
]

each_backend = pytest.mark.parametrize("backend", ["asyncio", "trio"])


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


@each_backend
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


@pytest.mark.parametrize("service_of", [CourseService, AwaitedService])
def test_completion_without_a_reminder_schedules_none(service_of: Any) -> None:
    """What ends without a certificate that expires leaves the scheduler alone."""
    repository, reminders = InMemoryCourseRepository(), InMemoryReminderScheduler()
    service = service_of(repository, reminders, clock=lambda: NOW)
    repository.add(course(certificate_validity_months=None))
    mentor = actor()
    service.register(mentor, COURSE_ID)

    done = service.complete_registration(actor(Role.ADMIN), COURSE_ID, user_id=mentor.user_id)

    assert done.certificate is not None
    assert (None, ()) == (done.reminder, reminders.scheduled)


# One life, asked of both


class Remembering(InMemoryCourseRepository):
    """A repository that remembers what its listings were asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[dict[str, Any]] = []

    def courses(self, organization_id: UUID, **query: Any) -> Page[Course]:
        """Give a page."""
        self.asked.append(query)
        return super().courses(organization_id, **query)

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Give a page."""
        self.asked.append(query)
        return super().registrations(organization_id, **query)

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Give a page."""
        self.asked.append(query)
        return super().certificates(organization_id, **query)


class DownAtFirst(InMemoryReminderScheduler):
    """A scheduler that does not take the first reminder that it is given."""

    is_up = False

    def schedule(self, reminder: RenewalReminder) -> None:
        """Take it, or fail."""
        if not self.is_up:
            self.is_up = True
            raise OSError
        super().schedule(reminder)


BOSS, MENTOR, OTHER = actor(Role.ADMIN), actor(), actor(user_id=OTHER_USER_ID)
FIRST_ID, SECOND_ID = UUID(int=1), UUID(int=2)
LATER = NOW + timedelta(days=999)
NEW_COURSE = {
    "course_type": CourseType.CERTIFICATION,
    "is_virtual": True,
    "issues_certificate": True,
    "certificate_validity_months": 6,  # from winter to summer: the zone counts
}
LIFE: list[tuple[str, dict[str, Any]]] = [
    ("create_course", {"actor": BOSS, "title": "Listening", **NEW_COURSE}),
    ("create_course", {"actor": BOSS, "title": "Asking", **NEW_COURSE}),
    (
        "revise_course",
        {"actor": BOSS, "course_id": FIRST_ID, "expected_updated_at": NOW, "location": "Oslo"},
    ),
    ("revise_course", {"actor": BOSS, "course_id": FIRST_ID, "expected_updated_at": NOW}),
    ("publish_course", {"actor": BOSS, "course_id": FIRST_ID}),
    ("register", {"actor": MENTOR, "course_id": FIRST_ID}),
    ("register", {"actor": OTHER, "course_id": FIRST_ID}),
    ("course", {"actor": MENTOR, "course_id": FIRST_ID}),
    ("offers", {"actor": MENTOR, "course_ids": [SECOND_ID, FIRST_ID]}),
    ("offers", {"actor": BOSS, "course_ids": [SECOND_ID, FIRST_ID]}),
    ("cancel_registration", {"actor": MENTOR, "course_id": FIRST_ID}),
    ("register", {"actor": MENTOR, "course_id": FIRST_ID}),
    ("cancel_registration", {"actor": BOSS, "course_id": FIRST_ID, "user_id": USER_ID}),
    ("register", {"actor": MENTOR, "course_id": FIRST_ID}),
    (
        "complete_registration",
        {"actor": BOSS, "course_id": FIRST_ID, "user_id": USER_ID, "completed_at": NOW},
    ),
    ("complete_registration", {"actor": BOSS, "course_id": FIRST_ID, "user_id": OTHER_USER_ID}),
    ("courses", {"actor": BOSS}),
    (
        "courses",
        {
            "actor": BOSS,
            "statuses": [CourseStatus.PUBLISHED],
            "course_type": CourseType.CERTIFICATION,
            "issues_certificate": True,
            "starts_from": NOW,
            "starts_before": LATER,
            "after": "x",
            "limit": 1,
        },
    ),
    ("registrations", {"actor": BOSS}),
    (
        "registrations",
        {"actor": BOSS, "course_id": FIRST_ID, "user_id": USER_ID, "after": "x", "limit": 1},
    ),
    ("certificates", {"actor": BOSS}),
    (
        "certificates",
        {
            "actor": BOSS,
            "course_id": FIRST_ID,
            "user_id": USER_ID,
            "expires_before": LATER,
            "after": "x",
            "limit": 1,
        },
    ),
    ("schedule_pending_reminders", {"limit": 1}),
    ("unpublish_course", {"actor": BOSS, "course_id": FIRST_ID}),
    ("archive_course", {"actor": BOSS, "course_id": FIRST_ID}),
    ("restore_course", {"actor": BOSS, "course_id": FIRST_ID}),
]


def lived(service_of: Any) -> list[tuple[object, ...]]:
    """Give what each call answers, or how it is refused, and all that it leaves behind."""
    repository, reminders = Remembering(), DownAtFirst()
    ids, ticks = count(1), count()
    service = service_of(
        repository,
        reminders,
        clock=lambda: NOW + next(ticks) * TICK,
        new_id=lambda: UUID(int=next(ids)),
        zone=ZoneInfo("Europe/Oslo"),
    )
    told: list[tuple[object, ...]] = []
    for name, given in LIFE:
        try:
            answer: object = getattr(service, name)(**given)
        except CourseDomainError as error:
            answer = (type(error), vars(error))
        asked = list(repository.asked)
        stored = (
            repository.courses(ORGANIZATION_ID),
            repository.registrations(ORGANIZATION_ID),
            repository.certificates(ORGANIZATION_ID),
            repository.pending_reminders(),
        )
        told.append((name, answer, asked, stored, reminders.scheduled))
    return told


def test_life_is_the_same_for_both() -> None:
    """Every method answers, asks, stores and schedules the same, awaited or not."""
    assert public_methods(CourseService).keys() == {name for name, _ in LIFE}
    for here, there in zip(lived(CourseService), lived(AwaitedService), strict=True):
        assert here == there


# The outbox


class Counting(InMemoryCourseRepository):
    """A repository that remembers how long the pages of its outbox were asked to be."""

    def __init__(self) -> None:
        super().__init__()
        self.limits: list[int] = []

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Give a page."""
        self.limits.append(limit)
        return super().pending_reminders(after=after, limit=limit)


class DownFor(InMemoryReminderScheduler):
    """A scheduler that takes no reminder of some certificates."""

    def __init__(self, *numbers: int) -> None:
        super().__init__()
        self.down_for = {UUID(int=number) for number in numbers}

    def schedule(self, reminder: RenewalReminder) -> None:
        """Take it, or fail."""
        if reminder.certificate_id in self.down_for:
            raise OSError
        super().schedule(reminder)


def complete_five(repository: CourseRepository) -> None:
    """Fill an outbox with the reminders of the certificates 1 to 5."""
    repository.add(course())
    ids = (UUID(int=number) for number in (101, 1, 102, 2, 103, 3, 104, 4, 105, 5))
    service = CourseService(repository, clock=lambda: NOW, new_id=lambda: next(ids))
    for number in range(1, 6):
        mentor = actor(user_id=UUID(int=number))
        service.register(mentor, COURSE_ID)
        service.complete_registration(actor(Role.ADMIN), COURSE_ID, user_id=mentor.user_id)


@pytest.mark.parametrize(("limit", "pages"), [(1, 5), (2, 3), (5, 1), (6, 1)])
def test_outbox_is_walked_in_pages(limit: int, pages: int) -> None:
    """The job asks for pages of its limit, to the end."""
    repository = Counting()
    complete_five(repository)
    service = AwaitedService(repository, InMemoryReminderScheduler())

    assert 5 == service.schedule_pending_reminders(limit=limit)
    assert [limit] * pages == repository.limits


def test_one_failure_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """A reminder that fails stays pending, is logged without its person, and stops no other."""
    repository, scheduler = InMemoryCourseRepository(), DownFor(2, 4)
    complete_five(repository)

    with caplog.at_level(logging.DEBUG, "course_domain"):
        assert 3 == AwaitedService(repository, scheduler).schedule_pending_reminders(limit=2)

    pending = [each.certificate_id for each in repository.pending_reminders().items]
    assert [UUID(int=2), UUID(int=4)] == pending
    assert [(UUID(int=2), "OSError"), (UUID(int=4), "OSError")] == [
        record.args for record in caplog.records
    ]


@pytest.mark.parametrize("service_of", [CourseService, AwaitedService])
def test_without_a_scheduler_reminders_wait(
    service_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """A service without a scheduler schedules none, marks nothing, and does not even look."""
    repository = Counting()
    complete_five(repository)

    with caplog.at_level(logging.DEBUG, "course_domain"):
        assert 0 == service_of(repository).schedule_pending_reminders()

    assert ([], []) == (repository.limits, caplog.records)
    assert 5 == len(repository.pending_reminders().items)


# Cancellation


class WaitingScheduler(AsyncInMemoryReminderScheduler):
    """A scheduler that waits before it takes a reminder, and after."""

    async def schedule(self, reminder: RenewalReminder) -> None:
        """Take one reminder."""
        await checkpoint()
        await super().schedule(reminder)
        await checkpoint()


@each_backend
def test_cancelled_completion_loses_no_reminder(backend: str) -> None:
    """Wherever a completion is cancelled, its reminder is not stored, pending, or taken once."""
    seen: set[tuple[int, int, int]] = set()
    mentor, admin = actor(), actor(Role.ADMIN)

    async def ready() -> tuple[AsyncCourseService, AsyncAskingAgainRepository, WaitingScheduler]:
        repository, scheduler = AsyncAskingAgainRepository(), WaitingScheduler()
        service = AsyncCourseService(repository, scheduler, clock=lambda: NOW)
        await repository.add(course())
        await service.register(mentor, COURSE_ID)
        return service, repository, scheduler

    with Loop(backend) as loop:
        for at in count(1):
            service, repository, scheduler = loop.call(ready)
            completing = partial(
                service.complete_registration, admin, COURSE_ID, user_id=mentor.user_id
            )
            ended = loop.interrupted(completing, at=at)
            issued = loop.call(repository.certificates, ORGANIZATION_ID).items
            pending = loop.call(repository.pending_reminders).items
            seen.add((len(issued), len(pending), len(scheduler.scheduled)))

            loop.call(service.schedule_pending_reminders)

            assert len(issued) == len(scheduler.scheduled)
            assert () == loop.call(repository.pending_reminders).items
            if not ended.was_reached:
                break

    nothing, stored, taken, marked = (0, 0, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1)
    assert {nothing, stored, taken, marked} == seen
