"""APScheduler behind `ReminderScheduler`: it fires, and what it has taken survives a restart.

A reminder is a job whose id is its certificate's. The job repeats, from when the reminder is due
until it has been delivered; then it is paused and stays. So its id is what remembers: a reminder
that is offered again finds it there, delivered or not.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import attrs
import sqlalchemy
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import ConflictingIdError
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.jobstores.sqlalchemy import SQLAlchemyJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from course_domain import RenewalReminder

LASTING, FLEETING = "default", "memory"  # job stores: of reminders, and of the host's own jobs


class Deliveries(ThreadPoolExecutor):
    """The threads that deliver."""

    def finish(self) -> None:
        """Take nothing more, and wait for what is under way."""
        self._pool.shutdown()


class ApschedulerReminders:
    """Take reminders into a database, and deliver each when it is due.

    `deliver` is called on a thread, at least once for each certificate: whatever it raises is
    logged, and it is called `again` later. Once it returns, it is called no more; only a process
    that dies in that very moment calls it a second time.

    There is one process that runs this; `name` is what its jobs find it by, after a restart too.
    """

    def __init__(
        self,
        name: str,
        url: str,
        deliver: Callable[[RenewalReminder], None],
        *,
        again: timedelta = timedelta(minutes=10),
    ) -> None:
        """Work on the database of this URL, as SQLAlchemy reads it."""
        self._name = name
        self._deliver = deliver
        self._again = again
        self._engine = sqlalchemy.create_engine(url)
        self._deliveries = Deliveries(max_workers=4)
        self._scheduler = BackgroundScheduler(
            executors={"default": self._deliveries},
            jobstores={
                LASTING: SQLAlchemyJobStore(engine=self._engine),
                FLEETING: MemoryJobStore(),
            },
            # However long nobody was there, what fell due is done, and once.
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
            timezone=UTC,
        )

    def start(self) -> None:
        """Begin to deliver: at once what fell due while nobody was there."""
        RUNNING[self._name] = self
        self._scheduler.start()

    def close(self) -> None:
        """Stop when what is being delivered has been."""
        self._scheduler.pause()
        # A job that ends needs the scheduler's lock, which shutdown() holds while it waits for it.
        self._deliveries.finish()
        self._scheduler.shutdown()
        self._engine.dispose()  # once more: the scheduler's thread looks into its store to the last
        del RUNNING[self._name]

    def repeat(self, job: Callable[[], object], every: timedelta) -> None:
        """Call a job of the host's now and then, as long as this process lives."""
        self._scheduler.add_job(
            job,
            "interval",
            seconds=every.total_seconds(),
            next_run_time=datetime.now(UTC),
            jobstore=FLEETING,
        )

    def schedule(self, reminder: RenewalReminder) -> None:
        """Take one reminder; a second of the same certificate changes nothing."""
        if not self._scheduler.running:
            raise RuntimeError("start() comes first: until then APScheduler stores nothing")
        try:
            self._scheduler.add_job(
                fire,
                "interval",
                id=str(reminder.certificate_id),
                args=[self._name],
                kwargs=attrs.asdict(reminder),  # it lies there for years: no classes of today's
                seconds=self._again.total_seconds(),
                start_date=reminder.remind_at,
                next_run_time=max(reminder.remind_at, datetime.now(UTC)),
            )
        except ConflictingIdError:
            return

    def deliver(self, reminder: RenewalReminder) -> None:
        """Deliver a reminder that is due, and never again."""
        self._deliver(reminder)
        # Here, on the job's own thread, and in no listener: one may be called while the scheduler
        # is about to write when the job runs next.
        self._scheduler.pause_job(str(reminder.certificate_id), LASTING)

    @property
    def taken(self) -> tuple[RenewalReminder, ...]:
        """All reminders that were taken, delivered or not."""
        jobs = self._scheduler.get_jobs(LASTING)
        return tuple(RenewalReminder(**job.kwargs) for job in jobs)


RUNNING: dict[str, ApschedulerReminders] = {}
"""What is started in this process: a job that was stored is the name of a function and plain
values, so this is where it finds what to do."""


def fire(name: str, **fields: object) -> None:
    """Deliver the reminder with these fields; APScheduler finds this function by its name."""
    RUNNING[name].deliver(RenewalReminder(**fields))
