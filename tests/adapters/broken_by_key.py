"""Adapters that are broken in what tells rows apart, and in what a course's change takes with it.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

from collections.abc import Callable, Iterator
from typing import Any

import attrs

from adapters.broken import Bytes
from adapters.broken_answers import Answering, Change, reminder_key
from course_domain import CourseRepository, Page, Participation, RenewalReminder

# --- Reminders of one person


class MarkTakesThePerson(Bytes):
    """A mark takes out all reminders of the person."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Mark by organization and person where the reminder is known."""
        waiting = self.pending_reminders(limit=200).items
        ids = (reminder.organization_id, reminder.certificate_id)
        for known in waiting:
            if (known.organization_id, known.certificate_id) == ids:
                for each in waiting:
                    if each.peer_mentor_id == known.peer_mentor_id:
                        super().mark_reminder_scheduled(each)


class OneReminderAnInstant(Answering):
    """A unique index on person and instant leaves out a person's second reminder."""

    def settled(self, change: Change) -> Participation:
        """Take out what was added beside another of that person and instant."""
        added = change.after.reminder
        there: Iterator[tuple[RenewalReminder, bool]] = change.rows.under("reminder/")
        if added is None or 2 > sum(_by_person(each) == _by_person(added) for each, _ in there):
            return change.after
        change.rows.put(reminder_key(added), None)
        return attrs.evolve(change.after, reminder=None)


class OutboxPagesByPerson(Bytes):
    """The outbox is ordered, and paged, by instant and person."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Go on behind every row of the same person and instant."""
        page = super().pending_reminders(after=after, limit=limit)
        while page.next is not None:
            following = super().pending_reminders(after=page.next, limit=1)
            if _by_person(following.items[0]) != _by_person(page.items[-1]):
                break
            page = Page(page.items, following.next)
        return page


def _by_person(reminder: RenewalReminder) -> tuple[Any, ...]:
    return reminder.organization_id, reminder.remind_at, reminder.peer_mentor_id


BROKEN: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "OUTBOX-3": (MarkTakesThePerson, OneReminderAnInstant, OutboxPagesByPerson),
}
"""Which clauses catch which of them, by the clause's id."""
