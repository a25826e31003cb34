"""A host that stops between a completion and its reminder, and the run after that."""

from uuid import uuid4

from course_domain.participation import RenewalReminder
from course_domain.ports import CourseRepository
from course_domain.service import CourseService
from course_domain.testing.bench import NOW, RepositoryBench, shown
from course_domain.testing.contestants import admin_of
from course_domain.testing.expectations import expect, expect_some, expect_true


class _Stop(BaseException):
    """Stand for a host that is stopped just there."""


class _Scheduler:
    """Take reminders, or stop before or after taking one."""

    def __init__(self, *, stops: str = "") -> None:
        self.stops = stops
        self.taken: list[RenewalReminder] = []

    def schedule(self, reminder: RenewalReminder) -> None:
        if self.stops == "before":
            raise _Stop
        self.taken.append(reminder)
        if self.stops == "after":
            raise _Stop


def expect_never_lost(
    bench: RepositoryBench, stops: str, reopened: CourseRepository | None = None
) -> None:
    """Stop a host before or after it schedules, and look at what its next run finds."""
    on = bench.stored(certificate_validity_months=12)
    admin = admin_of(on)
    whose = uuid4()
    bench.register(on, whose)
    first = _Scheduler(stops=stops)
    service = CourseService(bench.repository, first, clock=lambda: NOW)
    stopped = False
    try:
        service.complete_registration(admin, on.id, user_id=whose)
    except _Stop:
        stopped = True
    expect_true(stopped, "the host stops while it schedules")
    repository = reopened or bench.repository
    entry = shown(repository, on, whose)
    certificate = expect_some(entry.certificate, "the certificate, although the host has stopped")
    second = _Scheduler()
    again = CourseService(repository, second, clock=lambda: NOW)
    expect(1, again.schedule_pending_reminders(), "how many reminders the next run schedules")
    taken = {each.certificate_id for each in second.taken}
    expect({certificate.id}, taken, "what the next run schedules")
    expect(0, again.schedule_pending_reminders(), "how many the run after that schedules")
