"""A right async adapter: it waits before and after all it does, compares, and asks again."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar
from uuid import UUID

import anyio
from anyio.lowlevel import checkpoint

from adapters.compare_and_ask_again import (
    AskingAgainRepository,
    Change,
    DocumentStore,
    changed_course,
    changed_participation,
    marked,
)
from course_domain import (
    Course,
    CourseNotFound,
    Participation,
    RenewalReminder,
    RepositoryUnavailable,
)
from course_domain.aio_bridge import CourseRepositoryBridge

T = TypeVar("T")
P = ParamSpec("P")

_PATIENCE_SECONDS = 4


async def over_the_wire(call: Callable[P, T], /, *arguments: P.args, **keywords: P.kwargs) -> T:
    """Do something in a storage that is a round trip away."""
    await checkpoint()
    answer = call(*arguments, **keywords)
    await checkpoint()
    return answer


class AsyncAskingAgainRepository(CourseRepositoryBridge):
    """Keep courses in a `DocumentStore`, over which several of these may stand."""

    def __init__(self, store: DocumentStore | None = None) -> None:
        """Stand over a store, a new one where none is given."""
        self.store = store or DocumentStore()
        super().__init__(AskingAgainRepository(self.store), over_the_wire)

    async def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course."""
        return await self._change(organization_id, course_id, changed_course(decide))

    async def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""
        change = changed_participation(user_id, decide)
        return await self._change(organization_id, course_id, change)

    async def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox."""
        key = reminder.certificate_id
        for each in await over_the_wire(self.store.load_all):
            if each.course.organization_id == reminder.organization_id and key in each.reminders:
                await self._change(each.course.organization_id, each.course.id, marked(key))

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        """Store on condition of the version that was seen, or ask again for some seconds."""
        until = anyio.current_time() + _PATIENCE_SECONDS
        while anyio.current_time() < until:
            found = await over_the_wire(self.store.load, organization_id, course_id)
            if found is None:
                raise CourseNotFound(course_id)
            changed, answer = change(found)
            if changed == found:
                return answer
            if await over_the_wire(self.store.replace, changed, found.version):
                return answer
        raise RepositoryUnavailable("others were always faster")
