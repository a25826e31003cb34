"""The service of a host that lives on an event loop: the same questions, awaited."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Unpack
from uuid import UUID, uuid4

from course_domain import calls, decisions, outbox, values
from course_domain.actor import Actor
from course_domain.aio_ports import AsyncCourseRepository, AsyncReminderScheduler, awaited
from course_domain.calls import CourseOffer, ParticipationCall
from course_domain.course import Course, CourseStatus, CourseType
from course_domain.details import CourseChanges, CourseDetails
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
)
from course_domain.ports import Page, plugged
from course_domain.service import utc_now
from course_domain.values import checked, optional, record

__all__ = ["AsyncCourseRepository", "AsyncCourseService", "AsyncReminderScheduler"]


class AsyncCourseService:
    """Run courses as `CourseService` does, on storage that is awaited.

    Each method takes, gives and raises what the one of the same name there does, and asks the
    very same decisions. A call may be cancelled wherever it awaits: its change is stored then, all
    of it or nothing, and a reminder that is stored waits in the outbox until it is marked. Safe to
    share between the tasks of a loop where its parts are.
    """

    def __init__(
        self,
        repository: AsyncCourseRepository,
        reminders: AsyncReminderScheduler | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], UUID] = uuid4,
        zone: tzinfo = UTC,
    ) -> None:
        """Join a repository and a scheduler; without one, reminders wait in the outbox.

        `clock`, `new_id` and `zone` are those of `CourseService`: plain functions, never awaited.
        """
        self._repository: AsyncCourseRepository
        self._repository, self._reminders, clock, new_id, self._zone = checked(
            repository=(plugged(AsyncCourseRepository), repository),
            reminders=(optional(plugged(AsyncReminderScheduler)), reminders),
            clock=(record(Callable), clock),
            new_id=(record(Callable), new_id),
            zone=(values.zone, zone),
        )
        self._now = partial(calls.now, clock)
        self._fresh_id = partial(calls.fresh_id, new_id)

    async def create_course(self, actor: Actor, **details: Unpack[CourseDetails]) -> Course:
        """Create a draft in the admin's organization."""
        course = calls.creation(actor, self._now(), self._fresh_id(), details)
        await awaited("add", object, self._repository.add(course))
        return course

    async def revise_course(
        self,
        actor: Actor,
        course_id: UUID,
        *,
        expected_updated_at: datetime | None = None,
        **changes: Unpack[CourseChanges],
    ) -> Course:
        """Change what is given of a course: absent means unchanged, None means cleared."""
        call = calls.revision(actor, course_id, self._now(), expected_updated_at, changes)
        return await awaited("change_course", Course, self._repository.change_course(*call))

    async def publish_course(self, actor: Actor, course_id: UUID) -> Course:
        """Show a draft to everybody in the organization."""
        return await self._move(decisions.publish, actor, course_id)

    async def unpublish_course(self, actor: Actor, course_id: UUID) -> Course:
        """Take a published course back to draft; its registrations stay."""
        return await self._move(decisions.unpublish, actor, course_id)

    async def archive_course(self, actor: Actor, course_id: UUID) -> Course:
        """Put a draft or published course away."""
        return await self._move(decisions.archive, actor, course_id)

    async def restore_course(self, actor: Actor, course_id: UUID) -> Course:
        """Take an archived course back to draft."""
        return await self._move(decisions.restore, actor, course_id)

    async def course(self, actor: Actor, course_id: UUID) -> Course:
        """Give a course that the actor may view, else `CourseNotFound`."""
        asked = self._repository.get(*calls.sight(actor, course_id))
        found = await awaited("get", object, asked)
        return calls.seen(found, actor, course_id)

    async def courses(
        self,
        actor: Actor,
        *,
        statuses: Iterable[CourseStatus] | None = None,
        course_type: CourseType | None = None,
        issues_certificate: bool | None = None,
        starts_from: datetime | None = None,
        starts_before: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Course]:
        """List the courses that the actor may view, by start and then id, undated ones last."""
        organization_id, query = calls.course_listing(
            actor,
            statuses=statuses,
            course_type=course_type,
            issues_certificate=issues_certificate,
            starts_from=starts_from,
            starts_before=starts_before,
            after=after,
            limit=limit,
        )
        return await awaited("courses", Page, self._repository.courses(organization_id, **query))

    async def offers(self, actor: Actor, course_ids: Iterable[UUID]) -> Mapping[UUID, CourseOffer]:
        """Give those of the courses that the actor may view, each as they meet it."""
        now = self._now()
        actor, batches = calls.batches(actor, course_ids)
        offers: dict[UUID, CourseOffer] = {}
        for batch in batches:
            asked = self._repository.participations(actor.organization_id, batch, actor.user_id)
            found = await awaited("participations", Mapping, asked)
            offers.update(calls.offers(found, batch, actor, now))
        return offers

    async def register(self, actor: Actor, course_id: UUID) -> Registration:
        """Take a seat for the actor; who holds one gets the same registration back."""
        call = calls.registration(actor, course_id, self._now(), self._fresh_id())
        return await self._change_registration(call)

    async def cancel_registration(
        self, actor: Actor, course_id: UUID, *, user_id: UUID | None = None
    ) -> Registration:
        """Free a seat at once: the actor's own, or for an admin that of `user_id`."""
        call = calls.cancellation(actor, course_id, self._now(), user_id)
        return await self._change_registration(call)

    async def complete_registration(
        self,
        actor: Actor,
        course_id: UUID,
        *,
        user_id: UUID,
        completed_at: datetime | None = None,
    ) -> Participation:
        """Tell that a person completed a course, now or at an earlier `completed_at`.

        Cancelled once the completion is stored, it leaves the reminder in the outbox, or scheduled
        and marked (``certificate_renewal_reminder_triggered``).
        """
        call = calls.completion(
            actor,
            course_id,
            now=self._now(),
            certificate_id=self._fresh_id(),
            user_id=user_id,
            completed_at=completed_at,
            zone=self._zone,
        )
        asked = self._repository.change_participation(*call)
        completed = await awaited("change_participation", Participation, asked)
        if completed.reminder is not None and self._reminders is not None:
            await self._schedule(self._reminders, completed.reminder)
        return completed

    async def registrations(
        self,
        actor: Actor,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Registration]:
        """List registrations by `registered_at`, cancelled ones too."""
        organization_id, query = calls.record_listing(
            actor, course_id=course_id, user_id=user_id, after=after, limit=limit
        )
        asked = self._repository.registrations(organization_id, **query)
        return await awaited("registrations", Page, asked)

    async def certificates(
        self,
        actor: Actor,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        expires_before: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[PeerMentorCertificate]:
        """List certificates by `expires_at`, expired ones too, those without expiry last."""
        organization_id, query = calls.record_listing(
            actor,
            course_id=course_id,
            user_id=user_id,
            expires_before=expires_before,
            after=after,
            limit=limit,
        )
        asked = self._repository.certificates(organization_id, **query)
        return await awaited("certificates", Page, asked)

    async def schedule_pending_reminders(self, *, limit: int = 50) -> int:
        """Schedule all that waits in the outbox, in pages of `limit`, and count what succeeded."""
        limit = calls.page_size(limit)
        if self._reminders is None:
            return 0
        scheduled = 0
        after: str | None = None
        while True:
            asked = self._repository.pending_reminders(after=after, limit=limit)
            page = await awaited("pending_reminders", Page, asked)
            for each in page.items:
                scheduled += await self._schedule(self._reminders, each)
            after = page.next
            if after is None:
                return scheduled

    async def _schedule(self, reminders: AsyncReminderScheduler, reminder: RenewalReminder) -> bool:
        """Schedule a reminder, then mark it; tell whether both succeeded."""
        try:
            await awaited("schedule", object, reminders.schedule(reminder))
            marked = self._repository.mark_reminder_scheduled(reminder)
            await awaited("mark_reminder_scheduled", object, marked)
        except Exception as error:  # noqa: BLE001  logged whatever it is, and offered again
            outbox.log_failure(reminder, error)
            return False
        return True

    async def _move(
        self,
        decision: Callable[[Course, Actor, datetime], Course],
        actor: Actor,
        course_id: UUID,
    ) -> Course:
        call = calls.move(decision, actor, course_id, self._now())
        return await awaited("change_course", Course, self._repository.change_course(*call))

    async def _change_registration(self, call: ParticipationCall) -> Registration:
        asked = self._repository.change_participation(*call)
        return calls.answered(await awaited("change_participation", object, asked))
