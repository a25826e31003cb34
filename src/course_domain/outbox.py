"""How reminders leave the outbox of a repository: scheduled first, and then marked."""

from importlib import import_module
from typing import Any

from course_domain.participation import RenewalReminder
from course_domain.ports import CourseRepository, Page, ReminderScheduler, done, told


def log_failure(reminder: RenewalReminder, error: Exception) -> None:
    """Tell that a reminder stays in the outbox, and why, with no data about a person."""
    # Loaded here, as it would be a twelfth of `import course_domain`, and most never need it.
    logging: Any = import_module("logging")
    logging.getLogger(__name__).warning(
        "renewal reminder stays in the outbox: certificate_id=%s error=%s",
        reminder.certificate_id,
        type(error).__name__,
    )


def schedule(
    repository: CourseRepository, scheduler: ReminderScheduler, reminder: RenewalReminder
) -> bool:
    """Schedule a reminder, then mark it; tell whether both succeeded.

    Whoever stops between the two offers it again, and loses none
    (``certificate_renewal_reminder_triggered``). What fails is logged and stays pending.
    """
    try:
        done("schedule", scheduler.schedule, reminder)
        done("mark_reminder_scheduled", repository.mark_reminder_scheduled, reminder)
    except Exception as error:  # noqa: BLE001  logged whatever it is, and offered again
        log_failure(reminder, error)
        return False
    return True


def schedule_all(repository: CourseRepository, scheduler: ReminderScheduler, limit: int) -> int:
    """Schedule all that waits, in pages of `limit`, and count what succeeded."""
    scheduled = 0
    after: str | None = None
    while True:
        page = told(
            "pending_reminders", Page, repository.pending_reminders(after=after, limit=limit)
        )
        scheduled += sum(schedule(repository, scheduler, each) for each in page.items)
        after = page.next
        if after is None:
            return scheduled
