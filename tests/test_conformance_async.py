from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest

from adapters import broken_async
from adapters.async_asking_again import AsyncAskingAgainRepository
from adapters.async_locking import AsyncLockingRepository
from course_domain import RenewalReminder
from course_domain.aio import AsyncCourseRepository, AsyncReminderScheduler
from course_domain.aio_memory import AsyncInMemoryCourseRepository, AsyncInMemoryReminderScheduler
from course_domain.aio_threads import ThreadedCourseRepository, ThreadedReminderScheduler
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler
from course_domain.testing import clauses_async, conformance, rivals
from course_domain.testing.async_bench import async_repository_bench, async_scheduler_bench
from course_domain.testing.bounds import CallHung
from course_domain.testing.conformance import (
    ASYNC_REPOSITORY_CLAUSES,
    ASYNC_SCHEDULER_CLAUSES,
    AsyncCourseRepositoryContract,
    AsyncReminderSchedulerContract,
    run_async_contract,
)
from course_domain.testing.loops import Loop
from test_conformance import counts, run_host
from test_conformance_bites import expect_caught

CLAUSES: dict[str, Any] = {each.id: each for each in ASYNC_REPOSITORY_CLAUSES}
BACKENDS = ("asyncio", "trio")
each_backend = pytest.mark.parametrize("backend", BACKENDS)


# --- Right adapters of different kinds, on both loops


class TestInMemory(AsyncCourseRepositoryContract):
    @pytest.fixture
    def make_repository(self) -> Callable[[], AsyncCourseRepository]:
        """Give the in-memory repository."""
        return AsyncInMemoryCourseRepository


class TestInMemoryOnTrio(TestInMemory):
    backend = "trio"


class TestThreaded(AsyncCourseRepositoryContract):
    @pytest.fixture
    def make_repository(self) -> Callable[[], AsyncCourseRepository]:
        """Give a sync one by worker threads."""
        return lambda: ThreadedCourseRepository(InMemoryCourseRepository())


class TestThreadedOnTrio(TestThreaded):
    backend = "trio"


class TestAskingAgain(AsyncCourseRepositoryContract):
    capabilities = frozenset({"shared_store"})

    @pytest.fixture
    def make_repository(self) -> Callable[[], Any]:
        """Give one that waits everywhere, from an async context manager, as pools are."""

        @asynccontextmanager
        async def opened() -> AsyncGenerator[AsyncAskingAgainRepository, None]:
            yield AsyncAskingAgainRepository()

        return opened

    @pytest.fixture
    def reopen(self) -> Callable[[AsyncAskingAgainRepository], Any]:
        """Give another over the same store, which is awaited."""

        async def again(repository: AsyncAskingAgainRepository) -> AsyncAskingAgainRepository:
            return AsyncAskingAgainRepository(repository.store)

        return again


class TestAskingAgainOnTrio(TestAskingAgain):
    backend = "trio"


class TestLocking(AsyncCourseRepositoryContract):
    @pytest.fixture
    def make_repository(self) -> Callable[[], AsyncCourseRepository]:
        """Give one that locks a course while it waits."""
        return AsyncLockingRepository


class TestInMemoryScheduler(AsyncReminderSchedulerContract):
    @pytest.fixture
    def make_scheduler(self) -> Callable[[], AsyncReminderScheduler]:
        """Give the in-memory scheduler."""
        return AsyncInMemoryReminderScheduler

    @pytest.fixture
    def taken(self) -> Callable[[AsyncInMemoryReminderScheduler], Iterable[RenewalReminder]]:
        """Give what it will deliver."""
        return lambda scheduler: scheduler.scheduled


class TestThreadedScheduler(AsyncReminderSchedulerContract):
    backend = "trio"
    schedulers: ClassVar[dict[Any, InMemoryReminderScheduler]] = {}

    @pytest.fixture
    def make_scheduler(self) -> Callable[[], AsyncReminderScheduler]:
        """Give a sync one by worker threads."""

        def make() -> AsyncReminderScheduler:
            inner = InMemoryReminderScheduler()
            bridge = ThreadedReminderScheduler(inner)
            self.schedulers[bridge] = inner
            return bridge

        return make

    @pytest.fixture
    def taken(self) -> Callable[[AsyncReminderScheduler], Any]:
        """Give what it will deliver, awaited."""

        async def found(scheduler: AsyncReminderScheduler) -> Iterable[RenewalReminder]:
            return self.schedulers[scheduler].scheduled

        return found


# --- The file that a host writes

HOST = """
import pytest
from course_domain.aio_memory import AsyncInMemoryCourseRepository
from course_domain.testing.conformance import AsyncCourseRepositoryContract

class TestMyRepository(AsyncCourseRepositoryContract):
    @pytest.fixture
    def make_repository(self):
        return AsyncInMemoryCourseRepository
"""


def test_a_host_s_file_is_six_lines(tmp_path: Path) -> None:
    """Six lines run under strict pytest, by two workers in any order."""
    groups = ("KEYS-", "SHARED-", "ASYNC-")
    chosen = [each for each in ASYNC_REPOSITORY_CLAUSES if each.id.startswith(groups)]
    skipped = sum("shared_store" in each.needs for each in chosen)
    printed = run_host(tmp_path, HOST, "-p", "randomly", "-n", "2", "-k", " or ".join(groups))

    assert {"passed": len(chosen) - skipped, "skipped": skipped} == counts(printed)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"capabilities": frozenset({"threads"})}, "capabilities"),
        ({"capabilities": "shared_store"}, "capabilities"),
        ({"profile": "endless"}, "profile"),
        ({"backend": "twisted"}, "backend"),
    ],
)
def test_what_there_is_none_of_is_refused(declared: dict[str, Any], told: str) -> None:
    """A capability, profile or loop that there is none of is a ValueError, however declared."""
    with pytest.raises(ValueError, match=told):
        run_async_contract(AsyncInMemoryCourseRepository, **declared)
    with pytest.raises(ValueError, match=told):
        type("Declaring", (AsyncCourseRepositoryContract,), declared)


@each_backend
def test_run_async_contract_reports(monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    """Without pytest too, what is kept, broken or not declared stands under each clause's id."""
    ids = ("KEYS-1", "RACE-1", "RACE-3", "ASYNC-1")
    monkeypatch.setattr(conformance, "ASYNC_REPOSITORY_CLAUSES", [CLAUSES[each] for each in ids])

    report = run_async_contract(broken_async.StoresInTwoSteps, backend=backend)

    outcomes = ("passed", "passed", "skipped", "failed")
    assert list(zip(ids, outcomes, strict=True)) == [
        (each.clause_id, each.outcome) for each in report.results
    ]


@pytest.mark.parametrize("nothing", [None, lambda: None])
def test_run_async_contract_needs_a_repository(nothing: Any) -> None:
    """Where `make_repository` is None, or gives None, there is nothing to report on."""
    with pytest.raises(TypeError, match="make_repository"):
        run_async_contract(nothing)


@each_backend
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (InMemoryCourseRepository(), "is an object of InMemoryCourseRepository, where a callable"),
        (lambda: AsyncInMemoryCourseRepository, "gave the class AsyncInMemoryCourseRepository"),
        (InMemoryCourseRepository, "gave an object of InMemoryCourseRepository, which is sync"),
    ],
    ids=["object", "class", "sync"],
)
def test_run_async_contract_needs_an_async_repository(make: Any, told: str, backend: str) -> None:
    """What is no async repository is told by the fixture that gave it, and breaks no clause."""
    with pytest.raises(TypeError, match=f"^make_repository {told}") as refused:
        run_async_contract(make, backend=backend)
    assert not hasattr(refused.value, "__notes__")


@each_backend
def test_what_an_async_factory_raises_passes_as_it_is(backend: str) -> None:
    """An error of `make_repository` on the loop breaks no clause, and is told once."""

    async def without_a_database() -> AsyncCourseRepository:
        raise ConnectionError("no database")

    with pytest.raises(ConnectionError, match="no database") as refused:
        run_async_contract(without_a_database, backend=backend)
    assert ["make_repository raised this: no clause is broken by it"] == refused.value.__notes__


def test_one_method_that_cannot_be_awaited_breaks_its_clauses() -> None:
    """An async repository with one sync method is no fixture's fault."""

    class Mixed(AsyncInMemoryCourseRepository):
        def get(self, organization_id: UUID, course_id: UUID) -> Any:
            """Give nothing to await."""

    with Loop("asyncio") as loop, pytest.raises(TypeError) as refused:
        CLAUSES["KEYS-1"].run(async_repository_bench(loop, Mixed))
    assert "Clause KEYS-1" in refused.value.__notes__[0]


def test_reopen_that_cannot_be_called_is_named() -> None:
    """A repository where `reopen` is to be breaks no clause."""
    reopen: Any = AsyncAskingAgainRepository()
    with Loop("asyncio") as loop, pytest.raises(TypeError, match=r"^reopen is an object"):
        CLAUSES["SHARED-1"].run(
            async_repository_bench(loop, AsyncAskingAgainRepository, reopen=reopen)
        )


def test_run_async_contract_needs_reopen_for_a_shared_store() -> None:
    """`shared_store` without `reopen` is a ValueError."""
    with pytest.raises(ValueError, match="reopen"):
        run_async_contract(AsyncAskingAgainRepository, capabilities=frozenset({"shared_store"}))


# --- Broken ones


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a rival finish on a busy machine too: these adapters do not make it wait."""
    monkeypatch.setattr(rivals, "RIVAL_SECONDS", 2.0)


def hold(clause_id: str, make: Callable[[], Any], backend: str) -> None:
    """Hold an adapter to one clause."""
    seconds = 0.5 if make in broken_async.HANGING else 5
    with Loop(backend) as loop:
        bench = async_repository_bench(loop, make, reopen=reopened, call_seconds=seconds)
        CLAUSES[clause_id].run(bench)


def reopened(repository: Any) -> AsyncCourseRepository:
    """Give a right object over the same store."""
    return AsyncAskingAgainRepository(repository.store)


def runs_on(make: Any, backend: str) -> bool:
    """Tell whether there is this kind of adapter on this kind of loop."""
    return backend == "asyncio" or make not in broken_async.ON_ASYNCIO


def cases(table: Mapping[str, tuple[type, ...]]) -> list[Any]:
    """Give each clause id with each adapter that it catches, on each kind of loop."""
    return [
        pytest.param(clause_id, make, backend, id=f"{clause_id}-{make.__name__}-{backend}")
        for clause_id, makes in table.items()
        for make in makes
        for backend in BACKENDS
        if runs_on(make, backend)
    ]


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize(("clause_id", "make", "backend"), cases(broken_async.BROKEN))
def test_a_clause_catches_the_repository_that_breaks_it(
    clause_id: str, make: Callable[[], Any], backend: str
) -> None:
    """A clause catches an adapter that is broken in just this, and says which it is."""
    expect_caught(lambda: hold(clause_id, make, backend), clause_id)


def scheduler_hold(clause_id: str, make: Callable[[], Any], backend: str) -> None:
    """Hold a scheduler to one clause."""
    clauses: dict[str, Any] = {each.id: each for each in ASYNC_SCHEDULER_CLAUSES}
    with Loop(backend) as loop:
        bench = async_scheduler_bench(loop, make, lambda made: list(made.jobs.values()))
        clauses[clause_id].run(bench)


@pytest.mark.parametrize(("clause_id", "make", "backend"), cases(broken_async.SCHEDULERS))
def test_a_clause_catches_the_scheduler_that_breaks_it(
    clause_id: str, make: Callable[[], Any], backend: str
) -> None:
    """A clause catches a scheduler that is broken where its calls wait, and right elsewhere."""
    for each in ("SCHEDULE-1", "SCHEDULE-2", "SCHEDULE-6"):
        scheduler_hold(each, make, backend)
    expect_caught(lambda: scheduler_hold(clause_id, make, backend), clause_id)


@pytest.mark.parametrize(
    ("make", "backend"),
    sorted({tuple(each.values[1:]) for each in cases(broken_async.BROKEN)}, key=repr),
)
def test_a_broken_repository_is_right_elsewhere(make: Callable[[], Any], backend: str) -> None:
    """Alone, a broken adapter keeps its promises: only who waits beside it finds it out."""
    for clause_id in ("KEYS-5", "STORE-2", "DECIDE-4", "OUTBOX-2"):
        hold(clause_id, make, backend)


def test_a_loop_that_is_held_up_is_named() -> None:
    """A call that stops the loop is named as hung, and nobody waits for the loop's end."""
    with pytest.raises(CallHung, match="hung: no answer in 0"):
        hold("RACE-1", broken_async.HoldsUpTheLoop, "asyncio")


def test_every_async_clause_has_a_broken_adapter() -> None:
    """There is a broken adapter for every clause that is for async ones alone."""
    assert {each.id for each in clauses_async.CLAUSES} <= broken_async.BROKEN.keys()
    assert {each.id for each in clauses_async.SCHEDULER_CLAUSES} == broken_async.SCHEDULERS.keys()
