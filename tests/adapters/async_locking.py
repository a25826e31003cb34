"""A right async adapter that locks: a call has its course to itself until its answer is stored."""

from typing import TypeVar
from uuid import UUID

import anyio

from adapters.async_asking_again import AsyncAskingAgainRepository
from adapters.compare_and_ask_again import Change
from course_domain import RepositoryUnavailable

T = TypeVar("T")

_PATIENCE_SECONDS = 3


class AsyncLockingRepository(AsyncAskingAgainRepository):
    """Keep courses behind a lock each, which belongs to this object."""

    def __init__(self) -> None:
        """Begin empty."""
        super().__init__()
        self._locks: dict[tuple[UUID, UUID], anyio.Lock] = {}

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        """Wait for the course, a bounded time, and give it back whatever is raised."""
        lock = self._locks.setdefault((organization_id, course_id), anyio.Lock())
        try:
            with anyio.fail_after(_PATIENCE_SECONDS):
                await lock.acquire()
        except TimeoutError:
            msg = f"course {course_id} was being changed for {_PATIENCE_SECONDS} seconds"
            raise RepositoryUnavailable(msg) from None
        try:
            return await super()._change(organization_id, course_id, change)
        finally:
            lock.release()
