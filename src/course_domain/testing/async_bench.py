"""The benches for async adapters: the same clauses, by a sync view of what lives on a loop."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import partial
from typing import Any, cast

import attrs

from course_domain.aio_ports import AsyncCourseRepository, AsyncReminderScheduler
from course_domain.participation import RenewalReminder
from course_domain.testing.bench import CALL_SECONDS, THREADS, RepositoryBench
from course_domain.testing.bounds import within
from course_domain.testing.clauses_scheduler import SchedulerBench
from course_domain.testing.fixtures import a_callable, made_by
from course_domain.testing.loops import SCOPE, WAYS, Interruption, Loop, SyncView


@attrs.define(kw_only=True)
class AsyncRepositoryBench(RepositoryBench):
    """Make the async repository that one clause works on; its tasks are what ``threads`` asks for.

    What `make_repository` and `reopen` give may be awaitable, or an async context manager.
    """

    loop: Loop

    @property
    def ways(self) -> tuple[str, ...]:
        """How a call can be cancelled on this loop."""
        return WAYS[self.loop.backend]

    @property
    def adapter(self) -> Any:
        """The clause's own repository itself, for what is awaited on the loop."""
        return cast("SyncView", self._own()).adapter

    def interrupted(self, name: str, *arguments: Any, at: int, by: str = SCOPE) -> Interruption:
        """Make a call of the clause's repository, and cancel it where it waits the nth time."""
        ended: Interruption = self.ended(self.begun(name, *arguments, at=at, by=by), name)
        return ended

    def begun(
        self, name: str, *arguments: Any, at: int = 0, by: str = SCOPE
    ) -> Future[Interruption]:
        """Begin such a call."""
        asked = partial(getattr(self.adapter, name), *arguments)
        return self.loop.begun(asked, at=at, by=by)

    def ended(self, call: Future[Any], name: str) -> Any:
        """Wait, a bounded time, for what was begun."""
        return within(self.call_seconds, call.result, name, in_thread=True)


def async_repository_bench(
    loop: Loop,
    make_repository: Callable[[], Any],
    *,
    reopen: Callable[[Any], Any] | None = None,
    capabilities: frozenset[str] = frozenset(),
    profile: str = "default",
    call_seconds: float = CALL_SECONDS,
) -> AsyncRepositoryBench:
    """Put an async repository on the bench."""

    def reopened(view: SyncView) -> Any:
        again = partial(a_callable(reopen, "reopen"), view.adapter)
        return _made(loop, again, "reopen", AsyncCourseRepository)

    return AsyncRepositoryBench(
        loop=loop,
        make_repository=partial(
            _made, loop, make_repository, "make_repository", AsyncCourseRepository
        ),
        reopen=None if reopen is None else reopened,
        capabilities=capabilities | {THREADS},
        profile=profile,
        call_seconds=call_seconds,
    )


def _made(loop: Loop, make: Callable[[], Any] | None, name: str, port: type) -> Any:
    """Give a sync view of what a fixture of the host makes on the loop."""
    on_loop = partial(loop.made, a_callable(make, name))
    return SyncView(made_by(on_loop, name, port), loop, name)


@attrs.define(kw_only=True)
class AsyncSchedulerBench(SchedulerBench):
    """Make the async scheduler that one clause works on."""

    loop: Loop

    @property
    def ways(self) -> tuple[str, ...]:
        """How a call can be cancelled on this loop."""
        return WAYS[self.loop.backend]

    def interrupted(self, reminder: RenewalReminder, *, at: int, by: str) -> Interruption:
        """Offer a reminder, and cancel that where it waits the nth time."""
        adapter = cast("SyncView", self._adapter()).adapter
        asked = partial(adapter.schedule, reminder)
        call = partial(self.loop.interrupted, asked, at=at, by=by)
        ended: Interruption = within(self.call_seconds, call, "schedule", in_thread=True)
        return ended


def async_scheduler_bench(
    loop: Loop,
    make_scheduler: Callable[[], Any],
    taken: Callable[[Any], Any],
    *,
    profile: str = "default",
) -> AsyncSchedulerBench:
    """Put an async scheduler on the bench."""

    def taken_on_loop(view: Any) -> Iterable[RenewalReminder]:
        found: Iterable[RenewalReminder] = loop.made(partial(taken, view.adapter))
        return found

    return AsyncSchedulerBench(
        loop=loop,
        make_scheduler=partial(
            _made, loop, make_scheduler, "make_scheduler", AsyncReminderScheduler
        ),
        taken=taken_on_loop,
        capabilities=frozenset({THREADS}),
        profile=profile,
    )
