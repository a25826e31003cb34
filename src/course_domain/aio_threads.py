"""A sync repository and scheduler on an event loop, by worker threads (extra ``aio``)."""

from collections.abc import Callable
from functools import partial
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

try:
    from anyio import CapacityLimiter, to_thread
    from anyio.lowlevel import RunVar
except ModuleNotFoundError as _error:
    _msg = "course_domain.aio_threads needs anyio: pip install 'course-domain[aio]'"
    raise ModuleNotFoundError(_msg, name=_error.name) from _error

from course_domain import values
from course_domain.aio_bridge import CourseRepositoryBridge, ReminderSchedulerBridge
from course_domain.ports import CourseRepository, ReminderScheduler, plugged
from course_domain.values import checked

__all__ = ["DEFAULT_THREADS", "ThreadedCourseRepository", "ThreadedReminderScheduler"]

T = TypeVar("T")
P = ParamSpec("P")

DEFAULT_THREADS = 40
"""As many as anyio, and what is built on it, use by themselves."""


class _Threads:
    """Run calls in worker threads, a bounded number at once on each loop."""

    def __init__(self, threads: int) -> None:
        self._threads = threads

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **keywords: P.kwargs) -> T:
        asked = partial(call, *args, **keywords)
        answers, errors = await to_thread.run_sync(_caught, asked, limiter=self._limiter())
        for error in errors:
            raise error
        return answers[0]

    def _limiter(self) -> CapacityLimiter:
        """Give the limiter of this object on the loop that runs, which goes with either of them."""
        try:
            limiters = _LIMITERS.get()
        except LookupError:
            limiters = WeakKeyDictionary[_Threads, CapacityLimiter]()
            _LIMITERS.set(limiters)
        if self not in limiters:
            limiters[self] = CapacityLimiter(self._threads)
        return limiters[self]


_LIMITERS: RunVar[WeakKeyDictionary[_Threads, CapacityLimiter]] = RunVar("course_domain limiters")


def _caught(call: Callable[[], T]) -> tuple[tuple[T, ...], tuple[BaseException, ...]]:
    """Give what a call gives, or what it raises: a loop would treat some of that as its own."""
    try:
        return (call(),), ()
    except BaseException as error:  # noqa: BLE001  it is raised where the call is awaited
        return (), (error,)


class ThreadedCourseRepository(CourseRepositoryBridge):
    """Give `AsyncCourseRepository`, on asyncio or trio, over a sync repository in threads.

    The repository must take calls from any thread: the kit's capability ``threads``.

    **Cancellation.** A call that still waits for a thread has asked nothing when it is cancelled.
    One that has a thread runs there to its end: its change is stored as a whole, or refused as a
    whole. On trio, and by a cancel scope of anyio, the cancelled task waits for that end.
    asyncio's own cancel (``Task.cancel``, ``asyncio.timeout``) does not wait: the change may be
    stored a moment later, and the thread no longer counts.
    """

    def __init__(self, repository: CourseRepository, *, threads: int = DEFAULT_THREADS) -> None:
        """Stand in front of a sync repository, at most `threads` calls at once on each loop.

        As many as its connections are enough; what comes then waits without a thread. Raises
        `InvalidValue` for what is no sync repository, or a number of threads below 1.
        """
        repository, threads = checked(
            repository=(plugged(CourseRepository), repository),
            threads=(values.whole_number(1, values.MAX_INTEGER), threads),
        )
        super().__init__(repository, _Threads(threads))


class ThreadedReminderScheduler(ReminderSchedulerBridge):
    """Give `AsyncReminderScheduler`, on asyncio or trio, over a sync scheduler in threads.

    A cancelled call has asked nothing, or runs in its thread to its end, as for
    `ThreadedCourseRepository`. The reminder stays in the outbox, and is offered again.
    """

    def __init__(self, scheduler: ReminderScheduler, *, threads: int = DEFAULT_THREADS) -> None:
        """Stand in front of a sync scheduler, at most `threads` calls at once on each loop.

        Raises `InvalidValue` for what is no sync scheduler, or a number of threads below 1.
        """
        scheduler, threads = checked(
            scheduler=(plugged(ReminderScheduler), scheduler),
            threads=(values.whole_number(1, values.MAX_INTEGER), threads),
        )
        super().__init__(scheduler, _Threads(threads))
