"""What a host plugs in: a repository of courses and a scheduler of reminders.

These docstrings are the whole contract of an adapter; `course_domain.testing.conformance`
holds one to it. An adapter judges no rule and stands below authorisation: what `decide`
answers is stored, and no actor is asked for.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from inspect import isawaitable, iscoroutinefunction
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import attrs

from course_domain import values
from course_domain.course import Course, CourseStatus, CourseType
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
)
from course_domain.rules import InvalidValue, Rule, Violation
from course_domain.values import Kind, checked, record, wrong_type

T = TypeVar("T")

MAX_PAGE_LIMIT = 200
"""The most items that one page holds."""

MAX_CURSOR_LENGTH = 500
"""The most characters that a cursor has."""


_PAGE_KINDS: Mapping[str, Kind[Any]] = {
    "items": values.each(values.anything),
    "next": values.optional(values.text),
}


@attrs.frozen
class Page(Generic[T]):
    """Hold one page of a list, in the order of its query; `items` may be given as any iterable.

    Raises `InvalidValue` with every field that is refused.
    """

    items: tuple[T, ...]
    next: str | None = None
    """The cursor to pass as ``after`` for what follows; None when nothing followed.

    Opaque text of letters, digits and ``- . _ ~``, at most 500 characters. It is good for the
    same query with any limit, on any object over the store, also after its row has gone.
    """

    def __attrs_post_init__(self) -> None:
        values.settle(self, _PAGE_KINDS)


def page_limit(limit: Any) -> int:
    """Give the limit of a page back, for an adapter to begin each listing with.

    Raises `InvalidValue` with ``out_of_range`` for what is no int from 1 to 200.
    """
    if isinstance(limit, int) and not isinstance(limit, bool) and 1 <= limit <= MAX_PAGE_LIMIT:
        return limit
    params = {"minimum": 1, "maximum": MAX_PAGE_LIMIT}
    raise InvalidValue([Violation(Rule.OUT_OF_RANGE, ("limit",), params)])


def unknown_cursor() -> InvalidValue:
    """Make the error that an adapter raises for an ``after`` it cannot read back whole."""
    return InvalidValue([Violation(Rule.UNKNOWN_CURSOR, ("after",))])


class CourseRepository(Protocol):
    """Keep courses, and what hangs on them, and run decisions atomically against what is kept.

    **Arguments.** Every listing checks `limit` (an int from 1 to 200) and `after` before
    anything else: `InvalidValue` with ``out_of_range`` on ``limit`` (see `page_limit`), or
    ``unknown_cursor`` on ``after`` (see `unknown_cursor`), the empty text included. For the rest
    an adapter may rely on its callers. `statuses` and `course_ids` are any iterable, read once.

    **Keys.** A course is known by its organization and id, a reminder by its organization and
    `certificate_id`. The organization comes first in every query but the outbox's: it is the
    boundary of the tenant (``org_scoped_course_access``) and the key to shard by. No call shows
    or changes what another organization has. Reading stores nothing.

    **Decisions.** `decide` is pure and synchronous and calls nothing of the repository. It may
    be run on any thread and more than once; only its last answer counts. It is shown one state:
    a committed one, or that plus earlier answers that are committed in one transaction with its
    own (nobody hears of them before that commit; if it fails, all are asked again). What it
    raises, also a KeyboardInterrupt, passes through as the same object: nothing is stored,
    nothing stays locked, and it is not asked again for that. It keeps all ids, `created_by` and
    `created_at`; an adapter may rely on it. An answer equal to what it was given writes nothing.

    **Order.** All changes of one course, `change_course` and every `change_participation`, are
    serialised in the order of their last decisions: what `decide` saw is still the latest when
    its answer is stored, else it is asked again. So ``max_participants_cap`` holds under any
    concurrency. Lock the course before reading, or store on condition that nothing of it has
    changed since, registrations included; one version that every change raises is the plainest.
    Keep trying for at least 2 and at most 8 seconds, with jitter, before `RepositoryUnavailable`.

    **Durability.** A change is durable, and seen by every read of every object over the store,
    when its call returns. Values come back equal, field by field: any text code point by code
    point, any instant to the microsecond. `RepositoryUnavailable` means that a change is not
    stored, or not known to be: look a commit up whose answer was lost, never write it blindly
    again.

    **Pages.** A page is full unless it is the last; `Page.next` is None exactly when nothing
    followed as the page was read. A cursor of another query is refused, or is a place in this
    one; it never shows rows outside it. A row that matches throughout and keeps its place is
    seen exactly once while others come and go. All filters hold together; None is no filter. A
    course that is missing or foreign gives an empty page. Ids are in order of their hex digits.
    """

    def add(self, course: Course) -> None:
        """Store a new course.

        Raises `DuplicateCourse` when this organization has the id, for an equal course too. An id
        that another organization has is refused in the same way or kept apart; the other's
        course stays as it is.
        """
        ...

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give the course of this organization, None when it has no such course."""
        ...

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
        """List courses by `start_date`, then id, undated ones last.

        No statuses at all (``statuses=()``) match nothing. ``starts_from <= start_date <
        starts_before``; either leaves out what has no start.
        """
        ...

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Store what `decide` answers to the course, and give it back.

        Raises `CourseNotFound`, without asking `decide`, only when this organization has no such
        course.
        """
        ...

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses, in no promised order.

        An entry is absent only when this organization has no such course; a person without a
        registration is a `Participation` with none. 200 ids in one call are fine, repeats count
        once. Each entry is one committed state: course, `confirmed_count` (the confirmed
        registrations of the course, completed ones too, cancelled ones not), registration and
        certificate. `reminder` is None.
        """
        ...

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers to one person's participation, as one.

        Registration, certificate and reminder of the answer are stored, all or none; None leaves
        what is stored, as nothing is ever deleted. Where another certificate is stored, the
        answer's is ignored, and its reminder with it. The answer's course and count are ignored,
        and the course's `updated_at` stays. The reminder enters the outbox once: a key that was
        ever there changes nothing (``certificate_renewal_reminder_triggered``).

        `decide` is shown what `participations` shows. Gives the state after, the count that the
        adapter keeps among it, with the reminder only where this answer added it. Raises
        `CourseNotFound`, without asking `decide`, only when this organization has no such course.
        """
        ...

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
        ...

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
        """List certificates, expired ones too, by `expires_at`, then id, those without expiry last.

        `user_id` is their `peer_mentor_id`. ``expires_at < expires_before``, which leaves out
        those without expiry.
        """
        ...

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """List the reminders of all organizations that are not marked, due or not.

        In a stable order of the adapter's own.
        """
        ...

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Take a reminder out of the outbox, by its organization and `certificate_id`.

        Its other fields are not compared. Marked already or unknown: nothing happens.
        """
        ...


class ReminderScheduler(Protocol):
    """Take reminders, and deliver each when it is due."""

    def schedule(self, reminder: RenewalReminder) -> None:
        """Take one reminder; once this returns, it will be delivered.

        Idempotent on `certificate_id`: a reminder is offered at least once, and takes effect
        once. One whose `remind_at` has passed is delivered at once. Whatever it raises leaves
        the reminder in the outbox, to be offered again.
        """
        ...


def plugged(port: Any) -> Kind[Any]:
    """Make the kind of what has every method of a protocol, whatever its class.

    One whose methods are async is none for a sync protocol, nor the other way round: what nobody
    awaits is never stored. A class, given in the place of an object of it, is none either; and a
    method that is inherited from the protocol is missing, as it does nothing.
    """
    names = [name for name in dir(port) if not name.startswith("_")]
    is_async = any(iscoroutinefunction(getattr(port, name)) for name in names)

    def instance(value: Any) -> Any:
        if value is None or isinstance(value, type):
            raise wrong_type(value, port.__name__)
        methods = {name: getattr(value, name, None) for name in names}
        missing = [
            name
            for name, method in methods.items()
            if not callable(method) or getattr(method, "__func__", None) is getattr(port, name)
        ]
        if missing:
            raise wrong_type(value, f"{port.__name__} with {', '.join(missing)}")
        if any(map(iscoroutinefunction, methods.values())) is not is_async:
            how = "async" if is_async else "plain"
            raise wrong_type(value, f"{port.__name__} with {how} methods")
        return value

    return instance


def told(method: str, kind: Any, answer: T) -> T:
    """Give what a method of a host's answered; `InvalidValue` names it where that is no `kind`."""
    if not isinstance(answer, kind):
        checked(**{method: (record(kind), answer)})
    return answer


def _nothing_to_await(value: Any) -> Any:
    if isawaitable(value):
        raise wrong_type(value, "a plain method's answer")
    return value


def done(method: str, call: Callable[[T], object], argument: T) -> None:
    """Call a host's method that answers nothing.

    `InvalidValue` names it where it gives something to await: nobody will, so it is not done.
    """
    checked(**{method: (_nothing_to_await, call(argument))})
