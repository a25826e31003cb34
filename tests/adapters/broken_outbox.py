"""Adapters that are broken in their outbox, or between two objects over one store.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

from collections import defaultdict
from collections.abc import Callable
from threading import Lock
from uuid import UUID

import attrs

from adapters.broken import Bytes, Decide, DecideCourse
from adapters.broken_answers import Answering, Change, recounted, reminder_key
from adapters.stored_bytes import ByteStore
from course_domain import (
    Course,
    CourseRepository,
    DuplicateCourse,
    Page,
    Participation,
    RenewalReminder,
)


class OnlyWhatIsDue(Bytes):
    """The outbox shows what is due within the year."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Hide what is to come."""
        page = super().pending_reminders(after=after, limit=limit)
        return Page(tuple(each for each in page.items if each.remind_at.year < 2100), page.next)


class EachReadInAnotherOrder(Bytes):
    """The outbox has no order: it comes as the storage likes, this time forwards, then back."""

    backwards = True

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Turn around at each beginning."""
        page = super().pending_reminders(after=after, limit=limit)
        if after is None:
            self.backwards = not self.backwards
        return Page(page.items[:: -1 if self.backwards else 1], page.next)


class MarkTakesTheOrganization(Bytes):
    """A mark forgets the certificate in its condition."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Mark all of an organization."""
        for each in self.pending_reminders(limit=200).items:
            if each.organization_id == reminder.organization_id:
                super().mark_reminder_scheduled(each)


class UnknownMarkRaises(Bytes):
    """A mark that finds no row is an error."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Insist on a row."""
        ids = {each.certificate_id for each in self.pending_reminders(limit=200).items}
        if reminder.certificate_id not in ids:
            raise LookupError(reminder.certificate_id)
        super().mark_reminder_scheduled(reminder)


class UnknownMarkIsKept(Bytes):
    """A mark is an insert or an update: of what is unknown it leaves a row that is marked."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Write a row, whether or not there is one."""
        with self.store.transaction() as rows:
            rows.put(reminder_key(reminder), (reminder, False))


class OutboxPages(Bytes):
    """Give outboxes whose order, and whose pages, do not tell all reminders apart their ground."""

    def place_of(self, reminder: RenewalReminder) -> tuple[object, ...]:
        """Give what the outbox is ordered by."""
        raise NotImplementedError  # each that stands on this orders by something else

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Go on behind every row of the same place."""
        page = super().pending_reminders(after=after, limit=limit)
        while page.next is not None:
            following = super().pending_reminders(after=page.next, limit=1)
            if self.place_of(following.items[0]) != self.place_of(page.items[-1]):
                break
            page = Page(page.items, following.next)
        return page


class OutboxPagesByCertificate(OutboxPages):
    """The outbox is ordered, and paged, by an instant and a certificate alone."""

    def place_of(self, reminder: RenewalReminder) -> tuple[object, ...]:
        """Leave the organization out."""
        return reminder.remind_at, reminder.certificate_id


class MarkIsToggled(Bytes):
    """A second mark takes the first one back."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Turn the mark over."""
        with self.store.transaction() as rows:
            stored = rows.get(reminder_key(reminder))
            if stored is not None:
                rows.put(reminder_key(reminder), (stored[0], not stored[1]))


class MarkGoesByCertificate(Bytes):
    """A mark forgets the organization in its condition."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Mark whosever it is."""
        for each in self.pending_reminders(limit=200).items:
            if each.certificate_id == reminder.certificate_id:
                super().mark_reminder_scheduled(each)


class MarkComparesAll(Bytes):
    """A mark finds its row by every field."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Compare all fields."""
        if reminder in self.pending_reminders(limit=200).items:
            super().mark_reminder_scheduled(reminder)


class ReentersAfterTheMark(Bytes):
    """A mark deletes the row, and with it the memory that it was ever there."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Delete the row."""
        with self.store.transaction() as rows:
            rows.put(reminder_key(reminder), None)


class OfferedAgainMoves(Answering):
    """A reminder that is offered again is written over the one that waits."""

    def settled(self, change: Change) -> Participation:
        """Write over it."""
        offered = change.answer.reminder
        if offered is not None and (stored := change.rows.get(reminder_key(offered))) is not None:
            change.rows.put(reminder_key(offered), (offered, stored[1]))
        return change.after


class ReminderIsEchoed(Answering):
    """The caller gets the reminder of the answer, whether or not it was added."""

    def settled(self, change: Change) -> Participation:
        """Give back what was answered."""
        return attrs.evolve(change.after, reminder=change.answer.reminder)


class ReminderIsReadBack(Answering):
    """The outbox is joined to what a decision is shown."""

    def shown(self, seen: Participation) -> Participation:
        """Show what waits."""
        for each in self._waiting:
            if each.peer_mentor_id == seen.user_id and each.course_id == seen.course.id:
                return attrs.evolve(seen, reminder=each)
        return seen

    def settled(self, change: Change) -> Participation:
        """Remember what waits."""
        self._waiting += [each for each in (change.after.reminder,) if each is not None]
        return change.after

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with nothing that waits."""
        super().__init__(store)
        self._waiting: list[RenewalReminder] = []


class ReadingTakesOut(Bytes):
    """The outbox is a queue: what is read is gone."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Mark what is shown."""
        page = super().pending_reminders(after=after, limit=limit)
        for each in page.items:
            self.mark_reminder_scheduled(each)
        return page


class GivenMeansScheduled(Bytes):
    """What the caller got needs not wait in the outbox."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Hide what was given to a caller."""
        super().pending_reminders(after=after, limit=limit)
        return Page(())


class OutboxOfTheObject(Bytes):
    """The outbox is kept in the object that stored the completion."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with an outbox of its own."""
        super().__init__(store)
        self._own: set[UUID] = set()

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Remember what was added."""
        after = super().change_participation(organization_id, course_id, user_id, decide)
        if after.reminder is not None:
            self._own.add(after.reminder.certificate_id)
        return after

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Show its own."""
        page = super().pending_reminders(after=after, limit=limit)
        return Page(tuple(e for e in page.items if e.certificate_id in self._own), page.next)


class MakesReminders(Answering):
    """A certificate without expiry gets a reminder of the adapter's own."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Make a reminder."""
        certificate = answer.certificate
        if certificate in (None, seen.certificate) or answer.reminder is not None:
            return answer
        reminder = RenewalReminder(
            certificate_id=certificate.id,
            course_id=certificate.course_id,
            organization_id=certificate.organization_id,
            peer_mentor_id=certificate.peer_mentor_id,
            remind_at=certificate.issued_at,
        )
        return attrs.evolve(answer, reminder=reminder)


# --- Two objects over one store


class CourseIsCached(Bytes):
    """An object remembers the courses that it has read, until it changes them itself."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin to remember."""
        super().__init__(store)
        self._read: dict[UUID, Course | None] = {}

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Read once."""
        if self._read.get(course_id) is None:
            self._read[course_id] = super().get(organization_id, course_id)
        return self._read[course_id]

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Forget what was read."""
        self._read.pop(course_id, None)
        return super().change_course(organization_id, course_id, decide)


class IdsOfTheObject(Bytes):
    """An object remembers the ids that it has added, and looks nowhere else."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin to remember."""
        super().__init__(store)
        self._added: set[UUID] = set()

    def add(self, course: Course) -> None:
        """Look in memory."""
        if course.id in self._added:
            raise DuplicateCourse(course.id)
        with self.store.transaction() as rows:
            rows.put(f"owner/{course.id.hex}", None)
        try:
            super().add(course)
        except DuplicateCourse:
            super().change_course(course.organization_id, course.id, lambda _seen: course)
        self._added.add(course.id)


class WaitsForItsTwin(Bytes):
    """A certificate's id that is known waits for a lock that nobody gives back."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with no id known."""
        super().__init__(store)
        self._locks: dict[UUID, Lock] = defaultdict(Lock)

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Lock the id for good."""

        def decide_and_lock(seen: Participation) -> Participation:
            answer = decide(seen)
            if answer.reminder is not None:
                self._locks[answer.reminder.certificate_id].acquire()
            return answer

        return super().change_participation(organization_id, course_id, user_id, decide_and_lock)


class CountOfTheObject(Answering):
    """An object counts the registrations that it has stored."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin to count."""
        super().__init__(store)
        self._counts: dict[UUID, int] = {}

    def settled(self, change: Change) -> Participation:
        """Count on from the last count."""
        rise = change.after.confirmed_count - change.seen.confirmed_count
        count = self._counts.get(change.after.course.id, 0) + rise
        self._counts[change.after.course.id] = count
        return recounted(change.rows, change.after, max(count, 0))


BROKEN: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "OUTBOX-1": (OnlyWhatIsDue, EachReadInAnotherOrder, ReadingTakesOut),
    "OUTBOX-2": (
        MarkTakesTheOrganization,
        UnknownMarkRaises,
        UnknownMarkIsKept,
        MarkIsToggled,
    ),
    "OUTBOX-3": (
        MarkGoesByCertificate,
        MarkComparesAll,
        OutboxPagesByCertificate,
        WaitsForItsTwin,
    ),
    "OUTBOX-4": (ReentersAfterTheMark, OfferedAgainMoves, ReminderIsEchoed),
    "OUTBOX-5": (ReminderIsReadBack,),
    "OUTBOX-7": (GivenMeansScheduled,),
    "OUTBOX-8": (OutboxOfTheObject,),
    "OUTBOX-9": (MakesReminders,),
    "SHARED-1": (CourseIsCached,),
    "SHARED-2": (IdsOfTheObject, CountOfTheObject),
}
"""Which clauses catch which of them, by the clause's id."""

HANGING: frozenset[Callable[[], CourseRepository]] = frozenset({WaitsForItsTwin})
"""Those that are caught because a call of theirs never ends."""
