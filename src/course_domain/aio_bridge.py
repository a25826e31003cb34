"""The async ports over the sync ones: one method each, and one place that says how they run."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import ParamSpec, Protocol, TypeVar
from uuid import UUID

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
)
from course_domain.ports import CourseRepository, Page, ReminderScheduler

T = TypeVar("T")
P = ParamSpec("P")


class Run(Protocol):
    """Run a plain call, and give or raise what it does."""

    async def __call__(self, call: Callable[P, T], /, *args: P.args, **keywords: P.kwargs) -> T:
        """Run it with these arguments."""
        ...


class CourseRepositoryBridge:
    """Give `AsyncCourseRepository` over a `CourseRepository`, its calls run by `run`."""

    def __init__(self, repository: CourseRepository, run: Run) -> None:
        self._repository = repository
        self._run = run

    async def add(self, course: Course) -> None:
        """Store a new course; `DuplicateCourse` when this organization has the id."""
        await self._run(self._repository.add, course)

    async def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization, None when it has no such course."""
        return await self._run(self._repository.get, organization_id, course_id)

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
        return await self._run(
            self._repository.courses,
            organization_id,
            statuses=statuses,
            course_type=course_type,
            issues_certificate=issues_certificate,
            starts_from=starts_from,
            starts_before=starts_before,
            after=after,
            limit=limit,
        )

    async def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course, and give it back."""
        return await self._run(self._repository.change_course, organization_id, course_id, decide)

    async def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses that there are."""
        return await self._run(
            self._repository.participations, organization_id, course_ids, user_id
        )

    async def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""
        return await self._run(
            self._repository.change_participation, organization_id, course_id, user_id, decide
        )

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
        return await self._run(
            self._repository.registrations,
            organization_id,
            course_id=course_id,
            user_id=user_id,
            after=after,
            limit=limit,
        )

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
        return await self._run(
            self._repository.certificates,
            organization_id,
            course_id=course_id,
            user_id=user_id,
            expires_before=expires_before,
            after=after,
            limit=limit,
        )

    async def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders that are not marked, in the order of the repository below."""
        return await self._run(self._repository.pending_reminders, after=after, limit=limit)

    async def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox; marked already or unknown, nothing happens."""
        await self._run(self._repository.mark_reminder_scheduled, reminder)


class ReminderSchedulerBridge:
    """Give `AsyncReminderScheduler` over a `ReminderScheduler`, its calls run by `run`."""

    def __init__(self, scheduler: ReminderScheduler, run: Run) -> None:
        self._scheduler = scheduler
        self._run = run

    async def schedule(self, reminder: RenewalReminder) -> None:
        """Take one reminder, idempotent on `certificate_id`."""
        await self._run(self._scheduler.schedule, reminder)
