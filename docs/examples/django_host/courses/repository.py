"""The host's tables behind the port: a `CourseRepository` over Django's models.

A change reads the course with its version in one statement, asks `decide` with nothing open and
nothing locked, and stores on condition that the version is still the one it read.
"""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import attrs
from django.core.signing import BadSignature, Signer
from django.db import (
    DEFAULT_DB_ALIAS,
    IntegrityError,
    InterfaceError,
    OperationalError,
    connections,
    transaction,
)
from django.db.models import F, FilteredRelation, Q, QuerySet

from course_domain import (
    Course,
    CourseNotFound,
    CourseStatus,
    CourseType,
    DuplicateCourse,
    Page,
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
    RepositoryUnavailable,
    page_limit,
    unknown_cursor,
)
from courses import models
from courses.records import (
    certificate_of,
    columns_of,
    course_of,
    participation_of,
    registration_of,
    reminder_of,
    state_after,
    unread,
)

PATIENCE = 2.5  # seconds; with a wait for a lock before and after it, between 2 and 8 in all

S = TypeVar("S", Course, Participation)
T = TypeVar("T")


def tries() -> Iterator[list[Exception]]:
    """Begin again for a while, with pauses of random length; then say what went wrong last."""
    errors: list[Exception] = []
    until, pause = time.monotonic() + PATIENCE, 0.002
    while time.monotonic() < until:
        yield errors
        time.sleep(random.uniform(0, pause))  # noqa: S311  nobody's secret
        pause = min(2 * pause, 0.1)
    raise RepositoryUnavailable(str(errors[-1]) if errors else "others changed the course first")


class DjangoCourseRepository:
    """Keep courses in a database of the host, with every promise of `CourseRepository`.

    A change is a transaction of its own: within one of the host's it is refused (RuntimeError),
    since it would not be durable when the call returns.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        """Work on the database of this alias."""
        self.using = using

    def add(self, course: Course) -> None:
        """Store a new course; `DuplicateCourse` where its id is taken, by whomever."""
        may_be_stored = False
        for errors in tries():
            try:
                added, is_lost = self._write(
                    lambda: models.Course.objects.using(self.using).create(**columns_of(course)),
                    errors,
                )
            except IntegrityError:
                if may_be_stored and self.get(course.organization_id, course.id) == course:
                    return
                raise DuplicateCourse(course.id) from None
            if added is not None:
                return
            may_be_stored = may_be_stored or is_lost

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization, None when it has no such course."""
        found = self._course(organization_id, course_id)
        return None if found is None else found[1]

    def courses(
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
        filters = {
            "status__in": None if statuses is None else {*statuses},
            "course_type": course_type,
            "issues_certificate": issues_certificate,
            "start_date__gte": starts_from,
            "start_date__lt": starts_before,
        }
        rows = models.Course.objects.filter(organization_id=organization_id)
        is_dated = starts_from is not None or starts_before is not None
        return self._page(
            rows, course_of, "start_date", filters, after=after, limit=limit, is_dated=is_dated
        )

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course, and give it back."""

        def load() -> tuple[int, Course] | None:
            return self._course(organization_id, course_id)

        def store(version: int, _seen: Course, answer: Course) -> Course | None:
            return answer if self._raise_version(answer, version, columns_of(answer)) else None

        return self._change(course_id, load, decide, lambda _seen, answer: answer, store)

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses that there are."""
        found = self._participations(organization_id, course_ids, user_id)
        return {course_id: seen for course_id, (_, seen) in found.items()}

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one."""

        def load() -> tuple[int, Participation] | None:
            return self._participations(organization_id, [course_id], user_id).get(course_id)

        return self._change(course_id, load, decide, state_after, self._store_participation)

    def registrations(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Registration]:
        """List registrations, cancelled ones too, by `registered_at`, then id."""
        filters = {"course_id": course_id, "user_id": user_id}
        rows = models.Registration.objects.filter(organization_id=organization_id)
        by = "registered_at"
        return self._page(rows, registration_of, by, filters, after=after, limit=limit)

    def certificates(
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
        filters = {
            "course_id": course_id,
            "peer_mentor_id": user_id,
            "expires_at__lt": expires_before,
        }
        rows = models.Certificate.objects.filter(organization_id=organization_id)
        is_dated = expires_before is not None
        return self._page(
            rows, certificate_of, "expires_at", filters, after=after, limit=limit, is_dated=is_dated
        )

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders that are not marked, by `remind_at`, then in the order they came."""
        rows = models.Reminder.objects.filter(is_scheduled=False)
        return self._page(rows, reminder_of, "remind_at", {}, after=after, limit=limit)

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox; marked already or unknown, nothing happens."""
        rows = models.Reminder.objects.using(self.using).filter(
            organization_id=reminder.organization_id, certificate_id=reminder.certificate_id
        )
        for errors in tries():
            marked, _ = self._write(lambda: rows.update(is_scheduled=True), errors)
            if marked is not None:
                return

    # --- Reading: each statement sees one committed state

    def _read(self, rows: QuerySet[Any]) -> list[Any]:
        for errors in tries():
            try:
                return list(rows.using(self.using))
            except (OperationalError, InterfaceError) as error:
                self._note(error, errors)
        raise AssertionError

    def _course(self, organization_id: UUID, course_id: UUID) -> tuple[int, Course] | None:
        rows = models.Course.objects.filter(organization_id=organization_id, id=course_id)
        return next(((row.version, course_of(row)) for row in self._read(rows)), None)

    def _participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> dict[UUID, tuple[int, Participation]]:
        rows = (
            models.Course.objects.filter(organization_id=organization_id, id__in={*course_ids})
            .annotate(
                held=FilteredRelation("registrations", condition=Q(registrations__user_id=user_id)),
                earned=FilteredRelation(
                    "certificates", condition=Q(certificates__peer_mentor_id=user_id)
                ),
            )
            .select_related("held", "earned")
        )
        return {row.id: (row.version, participation_of(row, user_id)) for row in self._read(rows)}

    def _page(
        self,
        rows: QuerySet[Any],
        make: Callable[[Any], T],
        instant: str,
        filters: Mapping[str, Any],
        *,
        after: str | None,
        limit: int,
        is_dated: bool = True,
    ) -> Page[T]:
        """Read the rows with an instant, and behind them those without, from behind a key.

        The cursor is that key, signed, so that it comes back as it was given or not at all.
        """
        limit = page_limit(limit)
        signer = Signer(salt=f"{__name__}.{instant}", sep="~")
        place: list[str | None] = [None, None]
        try:
            if after is not None:
                place = signer.unsign_object(after)
        except (BadSignature, UnicodeError):
            raise unknown_cursor() from None
        given = {name: value for name, value in filters.items() if value is not None}
        rows = rows.filter(**given).order_by(instant, "pk")
        behind = Q() if after is None else Q(pk__gt=place[1])
        found: list[Any] = []
        if after is None or place[0] is not None:
            dated = rows.filter(**{f"{instant}__isnull": False})
            if place[0] is not None:
                reached = datetime.fromisoformat(place[0])
                dated = dated.filter(
                    behind | Q(**{f"{instant}__gt": reached}), **{f"{instant}__gte": reached}
                )
                behind = Q()
            found = self._read(dated[: limit + 1])
        if not is_dated and len(found) <= limit:
            undated = rows.filter(behind, **{f"{instant}__isnull": True})
            found += self._read(undated[: limit + 1 - len(found)])
        following = None
        if len(found) > limit:
            last = found[limit - 1]
            reached = getattr(last, instant)
            following = signer.sign_object(
                [None if reached is None else reached.isoformat(), str(last.pk)]
            )
        return Page(tuple(make(row) for row in found[:limit]), following)

    # --- Writing

    def _change(
        self,
        course_id: UUID,
        load: Callable[[], tuple[int, S] | None],
        decide: Callable[[S], S],
        after: Callable[[S, S], S],
        store: Callable[[int, S, S], S | None],
    ) -> S:
        """Load, decide, and store unless anything of the course has changed; else again.

        A COMMIT whose answer was lost is looked up: stored just as it was asked for, it is the
        result; where nothing has changed, it is asked for again; else nobody can know.
        """
        lost: tuple[int, S] | None = None
        for errors in tries():
            loaded = load()
            if loaded is None:
                raise CourseNotFound(course_id)
            version, seen = loaded
            if lost is not None and version != lost[0]:
                if loaded == (lost[0] + 1, unread(lost[1])):
                    return lost[1]
                raise RepositoryUnavailable(str(errors[-1]))
            answer = decide(seen)
            if answer == seen:
                return answer
            expected = after(seen, answer)
            stored, is_lost = self._write(partial(store, version, seen, expected), errors)
            if stored is not None:
                return stored
            if is_lost:
                lost = (version, expected)
        raise AssertionError

    def _write(self, store: Callable[[], T], errors: list[Exception]) -> tuple[T | None, bool]:
        """Give what was stored, None where it was not; and whether a COMMIT went unanswered."""
        is_committing = False
        try:
            with transaction.atomic(using=self.using, durable=True):
                stored = store()
                is_committing = True
        except (OperationalError, InterfaceError) as error:
            self._note(error, errors)
            return None, is_committing
        return stored, False

    def _note(self, error: Exception, errors: list[Exception]) -> None:
        errors.append(error)
        connections[self.using].close_if_unusable_or_obsolete()

    def _raise_version(self, course: Course, version: int, columns: Mapping[str, Any]) -> bool:
        rows = models.Course.objects.using(self.using).filter(
            organization_id=course.organization_id, id=course.id, version=version
        )
        return rows.update(version=F("version") + 1, **columns) == 1

    def _store_participation(
        self, version: int, seen: Participation, after: Participation
    ) -> Participation | None:
        columns = {"confirmed_count": after.confirmed_count}
        if not self._raise_version(seen.course, version, columns):
            return None
        if after.registration is not None and after.registration != seen.registration:
            rows = models.Registration.objects.using(self.using)
            rows.update_or_create(id=after.registration.id, defaults=columns_of(after.registration))
        if after.certificate is not None and seen.certificate is None:
            models.Certificate.objects.using(self.using).create(**columns_of(after.certificate))
        if after.reminder is None:
            return after
        _, is_new = models.Reminder.objects.using(self.using).get_or_create(
            organization_id=after.reminder.organization_id,
            certificate_id=after.reminder.certificate_id,
            defaults=columns_of(after.reminder),
        )
        return after if is_new else attrs.evolve(after, reminder=None)
