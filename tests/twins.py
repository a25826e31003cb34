"""The async service asked as if it were the sync one, so that one test holds both.

Its adapters are sync ones that run at once: nothing ever waits, and no event loop is needed.
"""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from course_domain import CourseRepository, ReminderScheduler
from course_domain.aio import AsyncCourseService
from course_domain.aio_bridge import CourseRepositoryBridge, ReminderSchedulerBridge

T = TypeVar("T")
P = ParamSpec("P")


async def at_once(call: Callable[P, T], /, *args: P.args, **keywords: P.kwargs) -> T:
    """Run a call where it is awaited."""
    return call(*args, **keywords)


def finished(coroutine: Coroutine[Any, Any, T]) -> T:
    """Give what a coroutine gives that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        answer: T = stop.value
        return answer
    raise AssertionError("it waited")


class AwaitedService:
    """Take what `CourseService` takes, and answer by `AsyncCourseService`."""

    def __init__(
        self,
        repository: CourseRepository,
        reminders: ReminderScheduler | None = None,
        **sources: Any,
    ) -> None:
        bridge = None if reminders is None else ReminderSchedulerBridge(reminders, at_once)
        self._service = AsyncCourseService(
            CourseRepositoryBridge(repository, at_once), bridge, **sources
        )

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Give a method of the async service, awaited."""
        method = getattr(self._service, name)

        @wraps(method)
        def awaited(*args: Any, **given: Any) -> Any:
            return finished(method(*args, **given))

        return awaited
