"""The service that a host calls: who is asking, the decision, the repository, the reminder."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from functools import partial
from typing import Unpack
from uuid import UUID, uuid4

from course_domain import calls, decisions, outbox, values
from course_domain.actor import Actor
from course_domain.calls import CourseOffer, ParticipationCall
from course_domain.course import Course, CourseStatus, CourseType
from course_domain.details import CourseChanges, CourseDetails
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
)
from course_domain.ports import CourseRepository, Page, ReminderScheduler, done, plugged, told
from course_domain.values import checked, optional, record


def utc_now() -> datetime:
    """Read the clock of the machine, in UTC."""
    return datetime.now(UTC)


class CourseService:
    """Run courses for the people of organizations, on the storage that a host plugs in.

    Every method but the last takes first the `Actor` who asks. Instants may come in any zone and
    are answered in UTC. `now` is read once, when the call starts: who asked in time is in time.
    Arguments that cannot mean what their names say raise `InvalidValue` before anything is looked
    up, names that do not exist TypeError; a refused call has changed nothing. What the storage
    raises, `RepositoryUnavailable` above all, passes through; where it answers what its port does
    not say, `InvalidValue` names the method. Safe to share between threads where its parts are.
    """

    def __init__(
        self,
        repository: CourseRepository,
        reminders: ReminderScheduler | None = None,
        *,
        clock: Callable[[], datetime] = utc_now,
        new_id: Callable[[], UUID] = uuid4,
        zone: tzinfo = UTC,
    ) -> None:
        """Join a repository and a scheduler; without one, reminders wait in the outbox.

        `clock` gives the aware instant that is now, `new_id` an id never given before, and `zone`
        is where certificates count their months (`certificate_expires_at`).
        """
        self._repository: CourseRepository
        self._repository, self._reminders, clock, new_id, self._zone = checked(
            repository=(plugged(CourseRepository), repository),
            reminders=(optional(plugged(ReminderScheduler)), reminders),
            clock=(record(Callable), clock),
            new_id=(record(Callable), new_id),
            zone=(values.zone, zone),
        )
        self._now = partial(calls.now, clock)
        self._fresh_id = partial(calls.fresh_id, new_id)

    def create_course(self, actor: Actor, **details: Unpack[CourseDetails]) -> Course:
        """Create a draft in the admin's organization.

        Raises `NotPermitted` for anyone else and `InvalidCourse` with every rule it would break.
        """
        course = calls.creation(actor, self._now(), self._fresh_id(), details)
        done("add", self._repository.add, course)
        return course

    def revise_course(
        self,
        actor: Actor,
        course_id: UUID,
        *,
        expected_updated_at: datetime | None = None,
        **changes: Unpack[CourseChanges],
    ) -> Course:
        """Change what is given of a course: absent means unchanged, None means cleared.

        Give the `updated_at` that the author saw as `expected_updated_at`, and two admins never
        overwrite each other: `StaleCourse` where it differs. Raises `CourseNotFound`,
        `NotPermitted`, and `InvalidCourse` with every rule that the result would break.
        """
        call = calls.revision(actor, course_id, self._now(), expected_updated_at, changes)
        return told("change_course", Course, self._repository.change_course(*call))

    def publish_course(self, actor: Actor, course_id: UUID) -> Course:
        """Show a draft to everybody in the organization.

        Raises `CourseNotFound`, `NotPermitted` for anyone but an admin, and `InvalidTransition`
        for an archived course. Published already: the same course, nothing written.
        """
        return self._move(decisions.publish, actor, course_id)

    def unpublish_course(self, actor: Actor, course_id: UUID) -> Course:
        """Take a published course back to draft; its registrations stay.

        Raises as `publish_course` does. A draft already: the same course, nothing written.
        """
        return self._move(decisions.unpublish, actor, course_id)

    def archive_course(self, actor: Actor, course_id: UUID) -> Course:
        """Put a draft or published course away; its registrations stay.

        Raises `CourseNotFound`, and `NotPermitted` for anyone but an admin. Archived already: the
        same course, nothing written.
        """
        return self._move(decisions.archive, actor, course_id)

    def restore_course(self, actor: Actor, course_id: UUID) -> Course:
        """Take an archived course back to draft.

        Raises `CourseNotFound`, `NotPermitted` for anyone but an admin, and `InvalidTransition`
        for a published course. A draft already: the same course, nothing written.
        """
        return self._move(decisions.restore, actor, course_id)

    def course(self, actor: Actor, course_id: UUID) -> Course:
        """Give a course that the actor may view, else `CourseNotFound`."""
        found = self._repository.get(*calls.sight(actor, course_id))
        return calls.seen(found, actor, course_id)

    def courses(
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
        """List the courses that the actor may view, by start and then id, undated ones last.

        All filters hold together, None is no filter; ``starts_from <= start_date <
        starts_before``. `after` is the `Page.next` of an earlier page, `limit` from 1 to 200.
        """
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
        return told("courses", Page, self._repository.courses(organization_id, **query))

    def offers(self, actor: Actor, course_ids: Iterable[UUID]) -> Mapping[UUID, CourseOffer]:
        """Give those of the courses that the actor may view, each as they meet it.

        In the order asked for. One query for each 200 courses.
        """
        now = self._now()
        actor, batches = calls.batches(actor, course_ids)
        offers: dict[UUID, CourseOffer] = {}
        for batch in batches:
            found = self._repository.participations(actor.organization_id, batch, actor.user_id)
            offers.update(calls.offers(told("participations", Mapping, found), batch, actor, now))
        return offers

    def register(self, actor: Actor, course_id: UUID) -> Registration:
        """Take a seat for the actor; who holds one gets the same registration back.

        Raises `CourseNotFound`, and `RegistrationRejected` with every reason at once
        (``registration_deadline_enforced``, ``max_participants_cap``,
        ``registration_requires_published``).
        """
        call = calls.registration(actor, course_id, self._now(), self._fresh_id())
        return self._change_registration(call)

    def cancel_registration(
        self, actor: Actor, course_id: UUID, *, user_id: UUID | None = None
    ) -> Registration:
        """Free a seat at once: the actor's own, or for an admin that of `user_id`.

        Raises `CourseNotFound` (but not for one's own on a course since hidden), `NotPermitted`,
        `RegistrationNotFound`, and `InvalidTransition` once completed. Cancelled already: the same
        registration, nothing written.
        """
        call = calls.cancellation(actor, course_id, self._now(), user_id)
        return self._change_registration(call)

    def complete_registration(
        self,
        actor: Actor,
        course_id: UUID,
        *,
        user_id: UUID,
        completed_at: datetime | None = None,
    ) -> Participation:
        """Tell that a person completed a course, now or at an earlier `completed_at`.

        Registration, certificate and reminder are stored as one; the reminder is then scheduled
        (``certificate_renewal_reminder_triggered``). If that fails it waits in the outbox, the
        failure is logged, and the completion stands. Completed already: the same again, and no
        reminder.

        Raises `CourseNotFound`, `NotPermitted` for anyone but an admin, `RegistrationNotFound`,
        `InvalidTransition` after a cancel, and `InvalidValue` for a `completed_at` to come.
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
        completed = self._repository.change_participation(*call)
        told("change_participation", Participation, completed)
        if completed.reminder is not None and self._reminders is not None:
            outbox.schedule(self._repository, self._reminders, completed.reminder)
        return completed

    def registrations(
        self,
        actor: Actor,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Registration]:
        """List registrations by `registered_at`, then id, cancelled ones too; pages as `courses`.

        A participant's own, or an admin's whole organization unless they name a user; another
        user's for anyone else is `NotPermitted`.
        """
        organization_id, query = calls.record_listing(
            actor, course_id=course_id, user_id=user_id, after=after, limit=limit
        )
        return told("registrations", Page, self._repository.registrations(organization_id, **query))

    def certificates(
        self,
        actor: Actor,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        expires_before: datetime | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[PeerMentorCertificate]:
        """List certificates by `expires_at`, then id, expired ones too, those without expiry last.

        Pages as for `courses`.

        Whose, as for `registrations`. With `expires_before` (at most in 9099), only those that
        expire earlier.
        """
        organization_id, query = calls.record_listing(
            actor,
            course_id=course_id,
            user_id=user_id,
            expires_before=expires_before,
            after=after,
            limit=limit,
        )
        return told("certificates", Page, self._repository.certificates(organization_id, **query))

    def schedule_pending_reminders(self, *, limit: int = 50) -> int:
        """Schedule all that waits in the outbox, in pages of `limit`, and count what succeeded.

        For a job of the host's. A reminder that fails stays pending and stops no other; each
        failure is logged. 0 without a scheduler.
        """
        limit = calls.page_size(limit)
        if self._reminders is None:
            return 0
        return outbox.schedule_all(self._repository, self._reminders, limit)

    def _move(
        self,
        decision: Callable[[Course, Actor, datetime], Course],
        actor: Actor,
        course_id: UUID,
    ) -> Course:
        call = calls.move(decision, actor, course_id, self._now())
        return told("change_course", Course, self._repository.change_course(*call))

    def _change_registration(self, call: ParticipationCall) -> Registration:
        return calls.answered(self._repository.change_participation(*call))
