"""How reminders leave the outbox of a repository: scheduled first, and then marked."""

import logging

from course_domain.participation import RenewalReminder
from course_domain.ports import CourseRepository, ReminderScheduler

_log = logging.getLogger(__name__)


def schedule(
    repository: CourseRepository, scheduler: ReminderScheduler, reminder: RenewalReminder
) -> bool:
    """Schedule a reminder, then mark it; tell whether both succeeded.

    Whoever stops between the two offers it again, and loses none
    (``certificate_renewal_reminder_triggered``). What fails is logged and stays pending.
    """
    try:
        scheduler.schedule(reminder)
        repository.mark_reminder_scheduled(reminder)
    except Exception as error:  # noqa: BLE001  whatever a host's scheduler raises
        _log.warning(
            "renewal reminder not scheduled: certificate_id=%s error=%s",
            reminder.certificate_id,
            type(error).__name__,
        )
        return False
    return True


def schedule_all(repository: CourseRepository, scheduler: ReminderScheduler, limit: int) -> int:
    """Schedule all that waits, in pages of `limit`, and count what succeeded."""
    scheduled = 0
    after: str | None = None
    while True:
        page = repository.pending_reminders(after=after, limit=limit)
        scheduled += sum(schedule(repository, scheduler, each) for each in page.items)
        after = page.next
        if after is None:
            return scheduled
