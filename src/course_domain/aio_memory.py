"""An async repository and scheduler in memory: for tests, examples and small tools."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from course_domain.aio_bridge import CourseRepositoryBridge, ReminderSchedulerBridge
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler
from course_domain.participation import RenewalReminder

T = TypeVar("T")
P = ParamSpec("P")


async def _at_once(call: Callable[P, T], /, *args: P.args, **keywords: P.kwargs) -> T:
    return call(*args, **keywords)


class AsyncInMemoryCourseRepository(CourseRepositoryBridge):
    """Keep courses in memory, with every promise of `AsyncCourseRepository`, on any loop.

    A call never gives the loop away before it is done: no other task comes between, and there is
    no point at which it could be cancelled.
    """

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__(InMemoryCourseRepository(), _at_once)


class AsyncInMemoryReminderScheduler(ReminderSchedulerBridge):
    """Take reminders into memory; the first of a `certificate_id` takes effect."""

    def __init__(self) -> None:
        """Begin empty."""
        self._taken = InMemoryReminderScheduler()
        super().__init__(self._taken, _at_once)

    @property
    def scheduled(self) -> tuple[RenewalReminder, ...]:
        """The reminders that will take effect, in the order in which they came."""
        return self._taken.scheduled
