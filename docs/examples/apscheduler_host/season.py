"""See a reminder fire: a season in miniature, whose courses were completed eleven months ago.

    python docs/examples/apscheduler_host/season.py

A service without a scheduler completes a course, as the workers of a site would; the reminder waits
in the outbox. Another process (here: another part of this one) runs the scheduler, whose job takes
what waits there. The exit status is 1 when the reminder does not come.
"""

import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from uuid import uuid4

import sqlalchemy

from apscheduler_reminders import ApschedulerReminders
from course_domain import (
    Actor,
    CourseRepository,
    CourseService,
    CourseType,
    RenewalReminder,
    Role,
    renewal_reminder_at,
)
from course_domain.sql import SqlCourseRepository, create_schema

MONTHS = 12
PATIENCE = 30  # seconds, until a reminder that does not come is given up


def completed_when(due: datetime) -> datetime:
    """Give the latest day on which a completion is reminded of at this moment, or just before."""
    days = (due - timedelta(days=number) for number in range(330, 340))
    return next(day for day in days if renewal_reminder_at(day, MONTHS) <= due)


def complete_a_course(repository: CourseRepository, clock: Callable[[], datetime]) -> None:
    """Let Clara complete a course, on a site that has no scheduler."""
    service = CourseService(repository, clock=clock)
    astrid = Actor(user_id=uuid4(), organization_id=uuid4(), role=Role.ADMIN)
    clara = Actor(user_id=uuid4(), organization_id=astrid.organization_id, role=Role.PEER_MENTOR)
    course = service.create_course(
        astrid,
        title="Opplæringskurs for likepersoner",
        course_type=CourseType.CERTIFICATION,
        is_virtual=False,
        issues_certificate=True,
        certificate_validity_months=MONTHS,
    )
    service.publish_course(astrid, course.id)
    service.register(clara, course.id)
    completed = service.complete_registration(astrid, course.id, user_id=clara.user_id)
    print(f"{clock():%Y-%m-%d}  Clara completes {course.title}.")
    if completed.certificate is not None and completed.reminder is not None:
        print(
            f"            Her certificate expires on {completed.certificate.expires_at:%Y-%m-%d},"
        )
        print(f"            and she is to be reminded at {completed.reminder.remind_at}.")


def main() -> int:
    """Play it."""
    delivered = Event()

    def deliver(reminder: RenewalReminder) -> None:
        print(f"{datetime.now(UTC):%Y-%m-%d}  To {reminder.peer_mentor_id}: time to renew.")
        delivered.set()

    then = completed_when(datetime.now(UTC) + timedelta(seconds=1))
    with TemporaryDirectory() as folder:
        engine = sqlalchemy.create_engine(f"sqlite:///{Path(folder) / 'courses.db'}")
        create_schema(engine)
        repository = SqlCourseRepository(engine)
        complete_a_course(repository, lambda: then)
        waiting = repository.pending_reminders().items
        print(f"            Waiting in the outbox: {len(waiting)}")

        reminders = ApschedulerReminders(
            "season", f"sqlite:///{Path(folder) / 'reminders.db'}", deliver
        )
        service = CourseService(repository, reminders)
        reminders.start()
        reminders.repeat(service.schedule_pending_reminders, timedelta(minutes=5))
        is_delivered = delivered.wait(PATIENCE)
        reminders.close()
        left = len(repository.pending_reminders().items)
        engine.dispose()
    print(f"            Left in the outbox: {left}")
    if is_delivered and left == 0:
        return 0
    print("The reminder DID NOT COME.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
