"""The benches for async adapters: the same clauses, by a sync view of what lives on a loop."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, cast

import attrs

from course_domain.aio_ports import AsyncCourseRepository, AsyncReminderScheduler
from course_domain.participation import RenewalReminder
from course_domain.testing.bench import CALL_SECONDS, THREADS, RepositoryBench
from course_domain.testing.bounds import within
from course_domain.testing.clauses_scheduler import SchedulerBench
from course_domain.testing.fixtures import a_callable, made_by
from course_domain.testing.loops import Interruption, Loop, SyncView


@attrs.define(kw_only=True)
class AsyncRepositoryBench(RepositoryBench):
    """Make the async repository that one clause works on; its tasks are what ``threads`` asks for.

    What `make_repository` and `reopen` give may be awaitable, or an async context manager.
    """

    loop: Loop

    def interrupted(self, name: str, *arguments: Any, at: int) -> Interruption:
        """Make a call of the clause's repository, and cancel it where it waits the nth time."""
        method: Callable[..., Any] = getattr(self.repository, name)
        assert callable(method)
        adapter = cast("SyncView", self._raw).adapter
        asked = partial(getattr(adapter, name), *arguments)
        call = partial(self.loop.interrupted, asked, at=at)
        ended: Interruption = within(self.call_seconds, call, name, in_thread=True)
        return ended


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


def async_scheduler_bench(
    loop: Loop,
    make_scheduler: Callable[[], Any],
    taken: Callable[[Any], Any],
    *,
    profile: str = "default",
) -> SchedulerBench:
    """Put an async scheduler on the bench."""

    def taken_on_loop(view: Any) -> Iterable[RenewalReminder]:
        found: Iterable[RenewalReminder] = loop.made(partial(taken, view.adapter))
        return found

    return SchedulerBench(
        make_scheduler=partial(
            _made, loop, make_scheduler, "make_scheduler", AsyncReminderScheduler
        ),
        taken=taken_on_loop,
        capabilities=frozenset({THREADS}),
        profile=profile,
    )
