"""A sync repository on an event loop, by worker threads."""

import inspect
import threading
from typing import Any
from uuid import UUID

import anyio
import pytest

from builders import COURSE_ID, ORGANIZATION_ID, course
from course_domain import Course, InvalidValue, Rule
from course_domain.aio import AsyncCourseRepository, AsyncReminderScheduler
from course_domain.aio_memory import AsyncInMemoryCourseRepository, AsyncInMemoryReminderScheduler
from course_domain.aio_threads import ThreadedCourseRepository, ThreadedReminderScheduler
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler
from test_aio import public_methods

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.mark.parametrize(
    ("port", "bridge"),
    [
        (AsyncCourseRepository, ThreadedCourseRepository),
        (AsyncReminderScheduler, ThreadedReminderScheduler),
    ],
    ids=["repository", "scheduler"],
)
def test_bridge_has_the_methods_of_the_port(port: type, bridge: type) -> None:
    """Every method of the port is one of the bridge, and takes and gives the same."""
    here, there = public_methods(port), public_methods(bridge)

    assert here.keys() == there.keys()
    for name, method in here.items():
        assert inspect.signature(method) == inspect.signature(there[name]), name


@BACKENDS
def test_calls_run_in_a_thread_of_their_own(backend: str) -> None:
    """A decision runs beside the loop, which goes on meanwhile."""
    inner = InMemoryCourseRepository()
    inner.add(course())
    bridge = ThreadedCourseRepository(inner)
    decided_in: list[int] = []

    def decide(seen: Any) -> Any:
        decided_in.append(threading.get_ident())
        return seen

    async def change() -> Any:
        return await bridge.change_course(ORGANIZATION_ID, COURSE_ID, decide)

    assert course() == anyio.run(change, backend=backend)
    assert [threading.get_ident()] != decided_in


@BACKENDS
def test_no_more_calls_run_at_once_than_threads(backend: str) -> None:
    """Of five calls at once over two threads, two run; one bridge may serve loop after loop."""
    at_once = threading.Barrier(2)
    running: list[int] = []
    most: list[int] = []

    class Counting(InMemoryCourseRepository):
        def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
            running.append(1)
            at_once.wait(10)
            most.append(len(running))
            at_once.wait(10)
            running.pop()
            return super().get(organization_id, course_id)

    bridge = ThreadedCourseRepository(Counting(), threads=2)

    async def read() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(6):
                tasks.start_soon(bridge.get, ORGANIZATION_ID, COURSE_ID)

    for _ in range(2):
        anyio.run(read, backend=backend)

    assert [2] * 12 == most


@pytest.mark.parametrize(
    ("bridge", "given", "rule", "name"),
    [
        (
            ThreadedCourseRepository,
            (AsyncInMemoryCourseRepository(),),
            Rule.WRONG_TYPE,
            "repository",
        ),
        (ThreadedCourseRepository, (None,), Rule.REQUIRED, "repository"),
        (
            ThreadedReminderScheduler,
            (AsyncInMemoryReminderScheduler(),),
            Rule.WRONG_TYPE,
            "scheduler",
        ),
        (ThreadedReminderScheduler, (5,), Rule.WRONG_TYPE, "scheduler"),
    ],
)
def test_bridge_refuses_what_is_no_sync_adapter(
    bridge: Any, given: tuple[Any, ...], rule: Rule, name: str
) -> None:
    """An async adapter needs no bridge, and gets none."""
    with pytest.raises(InvalidValue) as raised:
        bridge(*given)

    assert [(rule, (name,))] == [(each.rule, each.fields) for each in raised.value.violations]


@pytest.mark.parametrize(
    ("threads", "rule"),
    [
        (0, Rule.OUT_OF_RANGE),
        (-1, Rule.OUT_OF_RANGE),
        (True, Rule.WRONG_TYPE),
        (None, Rule.REQUIRED),
    ],
)
@pytest.mark.parametrize(
    ("bridge", "adapter"),
    [
        (ThreadedCourseRepository, InMemoryCourseRepository()),
        (ThreadedReminderScheduler, InMemoryReminderScheduler()),
    ],
    ids=["repository", "scheduler"],
)
def test_bridge_refuses_a_wrong_number_of_threads(
    bridge: Any, adapter: Any, threads: Any, rule: Rule
) -> None:
    """Fewer threads than one, and what is no number, are refused."""
    with pytest.raises(InvalidValue) as raised:
        bridge(adapter, threads=threads)

    assert [(rule, ("threads",))] == [(each.rule, each.fields) for each in raised.value.violations]
