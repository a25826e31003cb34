"""A sync repository on an event loop, by worker threads."""

import asyncio
import gc
import inspect
import subprocess
import sys
import threading
import weakref
from importlib import import_module
from typing import Any
from uuid import UUID

import anyio
import anyio.to_thread
import attrs
import pytest
from anyio import wait_all_tasks_blocked

from builders import COURSE_ID, ORGANIZATION_ID, course
from course_domain import Course, InvalidValue, Rule, aio_threads
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


@BACKENDS
def test_bridge_that_is_dropped_leaves_nothing_on_its_loop(
    backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that makes a bridge for each request keeps none of what bounds its threads."""
    made: list[weakref.ref[anyio.CapacityLimiter]] = []

    def limiter(threads: int) -> anyio.CapacityLimiter:
        limiter = anyio.CapacityLimiter(threads)
        made.append(weakref.ref(limiter))
        return limiter

    monkeypatch.setattr(aio_threads, "CapacityLimiter", limiter)

    async def read() -> int:
        for _ in range(3):
            bridge = ThreadedCourseRepository(InMemoryCourseRepository())
            await bridge.get(ORGANIZATION_ID, COURSE_ID)
        gc.collect()
        return sum(each() is not None for each in made)

    assert 1 == anyio.run(read, backend=backend)
    assert 3 == len(made)


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


# Cancellation: a decision that a test holds up in its thread


class HeldUp:
    """A decision that says when it is asked, and answers when it may."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.may_answer = threading.Event()

    def __call__(self, seen: Course) -> Course:
        """Wait, and answer with another title."""
        self.asked.set()
        assert self.may_answer.wait(10)
        return attrs.evolve(seen, title="after")


def title(repository: InMemoryCourseRepository) -> str:
    """Read the title of the course."""
    found = repository.get(ORGANIZATION_ID, COURSE_ID)
    assert found is not None
    return found.title


@pytest.fixture
def inner() -> InMemoryCourseRepository:
    """Give a sync repository with one course."""
    repository = InMemoryCourseRepository()
    repository.add(course(title="before"))
    return repository


@BACKENDS
def test_cancelled_call_runs_to_its_end(backend: str, inner: InMemoryCourseRepository) -> None:
    """A cancel scope waits for the call in its thread, whose change is stored as a whole."""
    decide = HeldUp()
    titles: list[str] = []

    async def change(scope: anyio.CancelScope) -> None:
        with scope:
            await ThreadedCourseRepository(inner).change_course(ORGANIZATION_ID, COURSE_ID, decide)
        titles.append(title(inner))

    async def cancel() -> None:
        scope = anyio.CancelScope()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(change, scope)
            assert await anyio.to_thread.run_sync(decide.asked.wait, 10)
            scope.cancel()
            await wait_all_tasks_blocked()
            titles.append(title(inner))
            decide.may_answer.set()

    anyio.run(cancel, backend=backend)

    assert ["before", "after"] == titles


def test_task_of_asyncio_does_not_wait_for_its_end(inner: InMemoryCourseRepository) -> None:
    """The cancel of asyncio ends the task at once; the change is stored whole a moment later."""
    decide, bridge = HeldUp(), ThreadedCourseRepository(inner)

    async def cancel() -> None:
        task = asyncio.create_task(bridge.change_course(ORGANIZATION_ID, COURSE_ID, decide))
        assert await anyio.to_thread.run_sync(decide.asked.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert "before" == title(inner)
        decide.may_answer.set()
        # The next change stands in line behind the one that goes on.
        seen = await bridge.change_course(ORGANIZATION_ID, COURSE_ID, lambda seen: seen)
        assert "after" == seen.title

    anyio.run(cancel, backend="asyncio")


@BACKENDS
def test_call_that_waits_for_a_thread_is_never_made(
    backend: str, inner: InMemoryCourseRepository
) -> None:
    """A call that is cancelled while all threads are taken has asked nothing."""
    decide, late = HeldUp(), HeldUp()
    bridge = ThreadedCourseRepository(inner, threads=1)

    async def change_late(scope: anyio.CancelScope) -> None:
        with scope:
            await bridge.change_course(ORGANIZATION_ID, COURSE_ID, late)

    async def cancel() -> bool:
        scope = anyio.CancelScope()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bridge.change_course, ORGANIZATION_ID, COURSE_ID, decide)
            assert await anyio.to_thread.run_sync(decide.asked.wait, 10)
            tasks.start_soon(change_late, scope)
            await wait_all_tasks_blocked()
            scope.cancel()
            await wait_all_tasks_blocked()
            decide.may_answer.set()
        return scope.cancelled_caught

    assert anyio.run(cancel, backend=backend)
    assert not late.asked.is_set()
    assert "after" == title(inner)


@BACKENDS
@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, OSError, SystemExit])
def test_what_a_decision_raises_comes_out_as_it_is(
    backend: str, kind: type[BaseException], inner: InMemoryCourseRepository
) -> None:
    """Whatever is raised in the thread is the very object that the caller gets."""
    raised = kind("raised by decide")
    caught: list[BaseException] = []

    def decide(_seen: Course) -> Course:
        raise raised

    async def change() -> None:
        try:
            await ThreadedCourseRepository(inner).change_course(ORGANIZATION_ID, COURSE_ID, decide)
        except BaseException as error:  # noqa: BLE001  compared below; raised on, some would end the loop
            caught.append(error)

    anyio.run(change, backend=backend)

    assert [raised] == caught
    assert raised is caught[0]


def test_bridge_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where anyio is not installed, the bridge says which extra brings it."""
    monkeypatch.setitem(sys.modules, "anyio", None)
    monkeypatch.delitem(sys.modules, "course_domain.aio_threads")

    with pytest.raises(ModuleNotFoundError, match=r"pip install 'course-domain\[aio\]'"):
        import_module("course_domain.aio_threads")


def test_async_service_needs_no_extra() -> None:
    """Service, ports and memory bring in no anyio."""
    code = "import sys, course_domain.aio_memory, course_domain.aio; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert set() == {"anyio", "trio", "asyncio"} & set(done.stdout.split())
