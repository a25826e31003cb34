"""The ports of a host that lives on an event loop.

What an adapter promises is what `CourseRepository` and `ReminderScheduler` say, method by method;
the docstrings here say what differs. The async pair in `course_domain.testing.conformance` holds
one to it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from inspect import isawaitable
from typing import Any, Protocol, TypeVar
from uuid import UUID

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
)
from course_domain.ports import Page, told
from course_domain.rules import InvalidValue, Rule, Violation

T = TypeVar("T")


class AsyncCourseRepository(Protocol):
    """Keep courses as `CourseRepository` does, with every promise of it, on an event loop.

    **Tasks.** Every method is a coroutine function. Many tasks of one loop may call one object at
    once. A call that waits lets the loop go on.

    **Decisions.** `decide` stays a plain function: never awaited, and as quick on the thread of
    the loop as on any other. What it raises comes out as the same object, in no exception group;
    only a StopIteration, which no coroutine can raise, is the cause of a RuntimeError.

    **Cancellation.** A call may be cancelled wherever it awaits. All of its change is stored then,
    or nothing of it; nothing stays locked, and the cancellation passes through. Who was cancelled
    does not know which, and may ask again as after `RepositoryUnavailable`.
    """

    async def add(self, course: Course) -> None:
        """Store a new course; `DuplicateCourse` when this organization has the id."""
        ...

    async def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization, None when it has no such course."""
        ...

    async def courses(
        self,
        organization_id: UUID,
        *,
        statuses: Iterable[CourseStatus] | None = None,
        course_type: CourseType | None = None,
        issues_certificate: bool | None = None,
        starts_from: datetime | None = None,
        starts_before: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Course]:
        """List courses by `start_date`, then id, undated ones last."""
        ...

    async def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course, and give it back."""
        ...

    async def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses that there are."""
        ...

    async def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""
        ...

    async def registrations(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Registration]:
        """List registrations, cancelled ones too, by `registered_at`, then id."""
        ...

    async def certificates(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        expires_before: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[PeerMentorCertificate]:
        """List certificates by `expires_at`, then id, those without expiry last."""
        ...

    async def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders that are not marked, in a stable order of the adapter's own."""
        ...

    async def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox; marked already or unknown, nothing happens."""
        ...


class AsyncReminderScheduler(Protocol):
    """Take reminders as `ReminderScheduler` does, on an event loop."""

    async def schedule(self, reminder: RenewalReminder) -> None:
        """Take one reminder; once this returns, it will be delivered.

        Idempotent on `certificate_id`. Cancelled, it has taken the reminder or not; it stays in
        the outbox and is offered again.
        """
        ...


async def awaited(method: str, kind: Any, asked: Awaitable[T]) -> T:
    """Await what a method of a host's gives; `InvalidValue` names it where that is no `kind`.

    So it does where there is nothing to await: a plain method has done its work by then.
    """
    if not isawaitable(asked):
        params = {"expected": "an async method's answer", "actual": type(asked).__name__}
        raise InvalidValue([Violation(Rule.WRONG_TYPE, (method,), params)])
    return told(method, kind, await asked)
