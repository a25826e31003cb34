"""The conformance kit: what an adapter promises, as clauses that hold it to each promise.

A host's test file is six lines::

    class TestMyRepository(CourseRepositoryContract):
        @pytest.fixture
        def make_repository(self):
            return MyRepository  # a callable: each call gives an empty repository of its own

What is optional is declared in `capabilities`: ``threads`` for an adapter that many threads may
call at once, and ``shared_store``, with a fixture `reopen`, for one whose objects can stand over
one store. An async adapter is held to the same by `AsyncCourseRepositoryContract`. Without a test
runner the same clauses run by `run_contract` and `run_async_contract`.
"""

from collections.abc import Callable, Generator, Iterable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, ClassVar

try:
    import pytest
except ModuleNotFoundError as _error:
    _msg = "course_domain.testing.conformance needs pytest: pip install 'course-domain[testing]'"
    raise ModuleNotFoundError(_msg, name=_error.name) from _error

from course_domain.participation import RenewalReminder
from course_domain.ports import CourseRepository, ReminderScheduler
from course_domain.testing import (
    clauses_arguments,
    clauses_async,
    clauses_crowds,
    clauses_cursors,
    clauses_decide,
    clauses_edges,
    clauses_fresh,
    clauses_kept,
    clauses_keys,
    clauses_lists,
    clauses_outbox,
    clauses_pages,
    clauses_races,
    clauses_readers,
    clauses_scheduler,
    clauses_store,
    clauses_storing,
    clauses_traffic,
    clauses_turns,
    clauses_values,
    clauses_waits,
    machine,
)
from course_domain.testing.async_bench import (
    AsyncRepositoryBench,
    AsyncSchedulerBench,
    async_repository_bench,
    async_scheduler_bench,
)
from course_domain.testing.bench import THREADS, RepositoryBench
from course_domain.testing.clause import Clause
from course_domain.testing.clauses_scheduler import SchedulerBench
from course_domain.testing.contracts import (
    AsyncContract,
    Contract,
    check_declared,
    check_declared_async,
    check_reopen,
    reopen_of,
    result_of,
)
from course_domain.testing.loops import Loop
from course_domain.testing.report import Report, Result

__all__ = [
    "ASYNC_REPOSITORY_CLAUSES",
    "ASYNC_SCHEDULER_CLAUSES",
    "REPOSITORY_CLAUSES",
    "SCHEDULER_CLAUSES",
    "AsyncCourseRepositoryContract",
    "AsyncReminderSchedulerContract",
    "CourseRepositoryContract",
    "ReminderSchedulerContract",
    "Report",
    "Result",
    "run_async_contract",
    "run_contract",
]

__tracebackhide__ = True  # pytest then begins with the clause

REPOSITORY_CLAUSES: tuple[Clause[RepositoryBench], ...] = (
    *clauses_arguments.CLAUSES,
    *clauses_keys.CLAUSES,
    *clauses_values.CLAUSES,
    *clauses_edges.CLAUSES,
    *clauses_lists.CLAUSES,
    *clauses_pages.CLAUSES,
    *clauses_cursors.CLAUSES,
    *clauses_decide.CLAUSES,
    *clauses_storing.CLAUSES,
    *clauses_kept.CLAUSES,
    *clauses_outbox.CLAUSES,
    *clauses_store.CLAUSES,
    *machine.CLAUSES,
    *clauses_races.CLAUSES,
    *clauses_turns.CLAUSES,
    *clauses_readers.CLAUSES,
    *clauses_fresh.CLAUSES,
    *clauses_waits.CLAUSES,
    *clauses_crowds.CLAUSES,
    *clauses_traffic.CLAUSES,
)
"""Every promise of `CourseRepository`."""

SCHEDULER_CLAUSES: tuple[Clause[SchedulerBench], ...] = clauses_scheduler.CLAUSES
"""Every promise of `ReminderScheduler`."""


ASYNC_REPOSITORY_CLAUSES: tuple[Clause[Any], ...] = (
    *REPOSITORY_CLAUSES,
    *clauses_async.CLAUSES,
)
"""Every promise of `AsyncCourseRepository`."""

ASYNC_SCHEDULER_CLAUSES: tuple[Clause[Any], ...] = (
    *SCHEDULER_CLAUSES,
    *clauses_async.SCHEDULER_CLAUSES,
)
"""Every promise of `AsyncReminderScheduler`."""


def _title(held: Clause[Any]) -> str:
    return f"{held.id}-{held.check.__name__}"


class CourseRepositoryContract(Contract):
    """Hold a `CourseRepository` to every clause; a host gives the fixture `make_repository`.

    That is a callable: each call gives an empty repository of its own; ids may repeat between
    them. With ``shared_store``, a fixture `reopen` is a callable that takes a repository and
    gives another over the same store.
    """

    clauses: ClassVar[tuple[Clause[Any], ...]] = REPOSITORY_CLAUSES

    @pytest.mark.parametrize("held", REPOSITORY_CLAUSES, ids=_title)
    def test_promise(
        self,
        held: Clause[RepositoryBench],
        make_repository: Callable[[], CourseRepository],
        request: pytest.FixtureRequest,
    ) -> None:
        """Keep this promise of the port."""
        self._skip_unless_declared(held)
        reopen = reopen_of(request, self.capabilities)
        bench = RepositoryBench(
            make_repository=make_repository,
            reopen=reopen,
            capabilities=self.capabilities,
            profile=self.profile,
        )
        self._hold(held, bench, request)


class ReminderSchedulerContract(Contract):
    """Hold a `ReminderScheduler` to every clause; a host gives `make_scheduler` and `taken`.

    The first is a callable: each call gives an empty scheduler of its own. The second takes a
    scheduler and gives the reminders that will take effect, since the protocol shows nothing.
    """

    clauses: ClassVar[tuple[Clause[Any], ...]] = SCHEDULER_CLAUSES

    @pytest.mark.parametrize("held", SCHEDULER_CLAUSES, ids=_title)
    def test_promise(
        self,
        held: Clause[SchedulerBench],
        make_scheduler: Callable[[], ReminderScheduler],
        taken: Callable[[Any], Iterable[RenewalReminder]],
        request: pytest.FixtureRequest,
    ) -> None:
        """Keep this promise of the port."""
        self._skip_unless_declared(held)
        bench = SchedulerBench(
            make_scheduler=make_scheduler,
            taken=taken,
            capabilities=self.capabilities,
            profile=self.profile,
        )
        self._hold(held, bench, request)


class AsyncCourseRepositoryContract(AsyncContract):
    """Hold an `AsyncCourseRepository` to every clause of `CourseRepositoryContract`, and more.

    A host gives the fixture `make_repository`, and `reopen` with ``shared_store``, as there. What
    they give may also be awaitable, or an async context manager that gives the repository and is
    left when the clause has ended. Both are called on the loop, which each clause has afresh.
    """

    clauses: ClassVar[tuple[Clause[Any], ...]] = ASYNC_REPOSITORY_CLAUSES

    @pytest.mark.parametrize("held", ASYNC_REPOSITORY_CLAUSES, ids=_title)
    def test_promise(
        self,
        held: Clause[AsyncRepositoryBench],
        make_repository: Callable[[], Any],
        request: pytest.FixtureRequest,
    ) -> None:
        """Keep this promise of the port."""
        self._skip_unless_declared(held)
        reopen = reopen_of(request, self.capabilities)
        with Loop(self.backend) as loop:
            bench = async_repository_bench(
                loop,
                make_repository,
                reopen=reopen,
                capabilities=self.capabilities,
                profile=self.profile,
            )
            self._hold(held, bench, request)


class AsyncReminderSchedulerContract(AsyncContract):
    """Hold an `AsyncReminderScheduler` to every clause of `ReminderSchedulerContract`, and more.

    A host gives `make_scheduler` and `taken`, as there; what they give may also be awaitable.
    """

    clauses: ClassVar[tuple[Clause[Any], ...]] = ASYNC_SCHEDULER_CLAUSES

    @pytest.mark.parametrize("held", ASYNC_SCHEDULER_CLAUSES, ids=_title)
    def test_promise(
        self,
        held: Clause[AsyncSchedulerBench],
        make_scheduler: Callable[[], Any],
        taken: Callable[[Any], Any],
        request: pytest.FixtureRequest,
    ) -> None:
        """Keep this promise of the port."""
        self._skip_unless_declared(held)
        with Loop(self.backend) as loop:
            bench = async_scheduler_bench(loop, make_scheduler, taken, profile=self.profile)
            self._hold(held, bench, request)


def run_contract(
    make_repository: Callable[[], CourseRepository],
    *,
    capabilities: Iterable[str] = (),
    reopen: Callable[[Any], CourseRepository] | None = None,
    profile: str = "default",
) -> Report:
    """Hold a repository to every clause without pytest, and report.

    `make_repository` gives an empty repository of its own at each call; `reopen` takes one and
    gives another over the same store, for ``shared_store``. Raises ValueError for a capability or
    profile that there is none of, and for ``shared_store`` without `reopen`; TypeError where
    either gives no adapter; and whatever one of them raises itself.
    """
    able = check_declared(capabilities, profile)
    check_reopen(reopen, able)

    def bench() -> AbstractContextManager[RepositoryBench]:
        return nullcontext(
            RepositoryBench(
                make_repository=make_repository,
                reopen=reopen,
                capabilities=able,
                profile=profile,
            )
        )

    return Report(result_of(held, bench, able) for held in REPOSITORY_CLAUSES)


def run_async_contract(
    make_repository: Callable[[], Any],
    *,
    backend: str = "asyncio",
    capabilities: Iterable[str] = (),
    reopen: Callable[[Any], Any] | None = None,
    profile: str = "default",
) -> Report:
    """Hold an async repository to every clause without pytest, and report.

    As `run_contract`, on an event loop of its own for each clause: ``asyncio`` or ``trio``.
    """
    able = check_declared_async(capabilities, profile, backend)
    check_reopen(reopen, able)

    @contextmanager
    def bench() -> Generator[AsyncRepositoryBench, None, None]:
        with Loop(backend) as loop:
            yield async_repository_bench(
                loop, make_repository, reopen=reopen, capabilities=able, profile=profile
            )

    return Report(result_of(held, bench, able | {THREADS}) for held in ASYNC_REPOSITORY_CLAUSES)
