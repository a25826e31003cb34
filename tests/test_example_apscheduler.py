"""APScheduler as a scheduler: the kit, a clock that runs, and processes that are killed."""

import importlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from uuid import UUID, uuid4

import attrs
import pytest

import course_domain
from builders import actor
from course_domain import CourseService, CourseType, RenewalReminder, Role
from course_domain.memory import InMemoryCourseRepository
from course_domain.testing.conformance import ReminderSchedulerContract
from galera import wait_until

EXAMPLE = Path(__file__).parents[1] / "docs" / "examples" / "apscheduler_host"
PAGE = EXAMPLE.parents[1] / "wire-a-scheduler.md"
SOURCES = Path(course_domain.__file__).parents[1]
SECONDS = 30
"""The longest that a test waits for what must come."""

# A stored job is found by the name of its function, so the module is imported as a host's is.
sys.path.append(str(EXAMPLE))
STATE_RUNNING = 1  # of APScheduler
apscheduler_reminders = importlib.import_module("apscheduler_reminders")

Deliver = Callable[[RenewalReminder], None]


def reminder(*, due_in: timedelta = timedelta(0), certificate_id: UUID | None = None) -> Any:
    """Make a reminder."""
    return RenewalReminder(
        certificate_id=certificate_id or uuid4(),
        course_id=uuid4(),
        organization_id=uuid4(),
        peer_mentor_id=uuid4(),
        remind_at=datetime.now(UTC) + due_in,
    )


def nothing(_: RenewalReminder) -> None:
    """Deliver to nobody."""


def unstarted(folder: Path, deliver: Deliver = nothing, **options: Any) -> Any:
    """Make a scheduler on a new file."""
    name = uuid4().hex
    url = f"sqlite:///{folder / name}.db"
    return apscheduler_reminders.ApschedulerReminders(name, url, deliver, **options)


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Give a function that starts a scheduler on a new file; each is closed at the end."""
    with ExitStack() as until:

        def start(deliver: Deliver = nothing, **options: Any) -> Any:
            made = unstarted(tmp_path, deliver, **options)
            made.start()
            until.callback(made.close)
            return made

        yield start


class TestApschedulerReminders(ReminderSchedulerContract):
    capabilities = frozenset({"threads"})

    @pytest.fixture
    def make_scheduler(self, started: Callable[..., Any]) -> Callable[..., Any]:
        """Make schedulers that run."""
        return started

    @pytest.fixture
    def taken(self) -> Callable[[Any], Iterable[RenewalReminder]]:
        """Ask what the store has."""
        return lambda scheduler: scheduler.taken


def next_of(delivered: "SimpleQueue[Any]") -> Any:
    """Give what is delivered next."""
    return delivered.get(timeout=SECONDS)


def test_reminder_is_delivered_when_it_is_due(started: Callable[..., Any]) -> None:
    """A running scheduler delivers what it was given, and not before its time."""
    delivered: SimpleQueue[Any] = SimpleQueue()
    due = reminder(due_in=timedelta(seconds=0.3))

    def deliver(given: RenewalReminder) -> None:
        delivered.put((given, datetime.now(UTC)))

    started(deliver).schedule(due)
    given, at = next_of(delivered)

    assert due == given
    assert due.remind_at <= at


def test_what_is_long_due_is_delivered_at_once(started: Callable[..., Any]) -> None:
    """A reminder of years ago goes out now, once for all the times that nobody was there."""
    delivered: SimpleQueue[Any] = SimpleQueue()
    scheduler = started(delivered.put)
    long_due, sentinel = reminder(due_in=timedelta(days=-9_999)), reminder()
    scheduler.schedule(long_due)
    first = next_of(delivered)
    scheduler.schedule(sentinel)

    assert [long_due, sentinel] == [first, next_of(delivered)]


def test_delivered_reminder_is_not_delivered_again(started: Callable[..., Any]) -> None:
    """The outbox may offer again what has been delivered: nobody is reminded twice."""
    delivered: SimpleQueue[Any] = SimpleQueue()
    scheduler = started(delivered.put, again=timedelta(seconds=0.05))
    due, sentinel = reminder(), reminder(due_in=timedelta(seconds=0.3))
    scheduler.schedule(due)
    first = next_of(delivered)
    scheduler.schedule(due)
    scheduler.schedule(sentinel)

    assert [due, sentinel] == [first, next_of(delivered)]


def test_delivery_that_fails_is_tried_again(started: Callable[..., Any]) -> None:
    """A mail server that is down delays a reminder, and loses none."""
    attempts: SimpleQueue[Any] = SimpleQueue()
    is_down = iter([True, True, False])

    def deliver(it: RenewalReminder) -> None:
        attempts.put(it)
        if next(is_down):
            raise ConnectionError

    due = reminder()
    started(deliver, again=timedelta(seconds=0.05)).schedule(due)

    assert [due] * 3 == [next_of(attempts) for _ in range(3)]


def test_closing_waits_for_what_is_being_delivered(tmp_path: Path) -> None:
    """Whoever is being reminded when the process is to stop is reminded to the end."""
    begun, ended = threading.Event(), threading.Event()

    def deliver(_: RenewalReminder) -> None:
        begun.set()
        wait_until(lambda: scheduler._scheduler.state != STATE_RUNNING, SECONDS, "it is to stop")
        ended.set()

    scheduler = unstarted(tmp_path, deliver)
    scheduler.start()
    scheduler.schedule(reminder())
    assert begun.wait(SECONDS)
    closing = threading.Thread(target=scheduler.close, daemon=True)
    closing.start()
    closing.join(SECONDS)

    assert not closing.is_alive()
    assert ended.is_set()


def test_scheduler_that_is_not_started_takes_nothing(tmp_path: Path) -> None:
    """What APScheduler would keep in memory only is refused, and waits in the outbox."""
    with pytest.raises(RuntimeError, match=r"start\(\) comes first"):
        unstarted(tmp_path).schedule(reminder())


def test_job_of_the_host_takes_what_waits_in_the_outbox(started: Callable[..., Any]) -> None:
    """A site without a scheduler completes a course; the process with one reminds of it."""
    admin, mentor = actor(Role.ADMIN), actor()
    repository = InMemoryCourseRepository()
    site = CourseService(repository, clock=lambda: datetime(2020, 1, 31, tzinfo=UTC))
    course = site.create_course(
        admin,
        title="To listen",
        course_type=CourseType.WORKSHOP,
        is_virtual=True,
        issues_certificate=True,
        certificate_validity_months=12,
    )
    site.publish_course(admin, course.id)
    site.register(mentor, course.id)
    site.complete_registration(admin, course.id, user_id=mentor.user_id)
    (pending,) = repository.pending_reminders().items
    delivered: SimpleQueue[Any] = SimpleQueue()
    scheduler = started(delivered.put)
    service = CourseService(repository, scheduler)
    scheduler.repeat(service.schedule_pending_reminders, timedelta(minutes=5))

    assert pending == next_of(delivered)


# --- Processes

PROCESS = """
import os, signal, sys
from datetime import UTC, datetime, timedelta
from uuid import UUID

from apscheduler_reminders import ApschedulerReminders
from course_domain import RenewalReminder

def say(*words):
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())  # whole, whichever thread says it

def deliver(reminder):
    say("delivered", reminder.certificate_id)
    if "dies" in sys.argv:
        os.kill(os.getpid(), signal.SIGKILL)

reminders = ApschedulerReminders("test", sys.argv[1], deliver, again=timedelta(seconds=0.1))
reminders.start()
for line in sys.stdin:
    certificate_id, due_in = line.split()
    other = UUID(int=1)
    reminders.schedule(RenewalReminder(
        certificate_id=UUID(certificate_id), course_id=other, organization_id=other,
        peer_mentor_id=other, remind_at=datetime.now(UTC) + timedelta(seconds=float(due_in)),
    ))
    say("taken", certificate_id)
reminders.close()
"""


@attrs.define
class Process:
    """A scheduler in a process of its own, told by lines what to take."""

    running: subprocess.Popen[str]

    def take(self, certificate_id: UUID, *, due_in: float = 0) -> None:
        """Let it take a reminder."""
        assert self.running.stdin is not None
        self.running.stdin.write(f"{certificate_id} {due_in}\n")
        self.running.stdin.flush()

    def says_until(self, *last: object) -> list[list[str]]:
        """Give the lines that it prints, in words, down to this one, or to its end."""
        assert self.running.stdout is not None
        lines: list[list[str]] = []
        for line in self.running.stdout:
            lines.append(line.split())
            if lines[-1] == [*map(str, last)]:
                break
        return lines


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., Any]:
    """Give a function that starts processes on one file."""

    @contextmanager
    def run(*how: str) -> Generator[Process, None, None]:
        url = f"sqlite:///{tmp_path / 'reminders.db'}"
        path = os.pathsep.join([str(EXAMPLE), str(SOURCES)])
        with subprocess.Popen(
            [sys.executable, "-W", "error", "-c", PROCESS, url, *how],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": path},
            text=True,
        ) as running:
            watchdog = threading.Timer(SECONDS, running.kill)
            watchdog.start()
            try:
                yield Process(running)
            finally:
                watchdog.cancel()
                running.kill()

    return run


def test_reminder_survives_a_process_that_is_killed(process: Callable[..., Any]) -> None:
    """What one process has taken, the next one delivers when it is due."""
    due = uuid4()
    with process() as first:
        first.take(due, due_in=1)
        assert [["taken", str(due)]] == first.says_until("taken", due)
        first.running.kill()
    with process() as second:
        assert [["delivered", str(due)]] == second.says_until("delivered", due)


def test_reminder_survives_its_own_delivery(process: Callable[..., Any]) -> None:
    """A process that is killed while it delivers is followed by one that delivers again, once."""
    due, sentinels = uuid4(), [uuid4(), uuid4()]
    delivered = ["delivered", str(due)]
    with process("dies") as first:
        first.take(due)
        assert delivered in first.says_until()
        assert -9 == first.running.wait(SECONDS)
    with process() as second:
        assert [delivered] == second.says_until(*delivered)
        second.take(due)
        second.take(sentinels[0], due_in=0.3)
        told = second.says_until("delivered", sentinels[0])
        assert ["taken", str(due)] in told
        assert delivered not in told
        second.running.communicate(timeout=SECONDS)
        assert 0 == second.running.returncode
    with process() as third:
        third.take(sentinels[1], due_in=0.3)
        told = third.says_until("delivered", sentinels[1])
        assert ["delivered", str(sentinels[1])] in told
        assert delivered not in told


def test_page_shows_the_code_of_the_season() -> None:
    """The block that names a file stands in it, word for word."""
    page = PAGE.read_text(encoding="utf-8")
    ((file, block),) = re.findall(r'```python title="(.+?)"\n(.*?)```', page, re.DOTALL)

    assert block in (EXAMPLE / file).read_text(encoding="utf-8")


def test_season_shows_a_reminder_that_fires(tmp_path: Path) -> None:
    """The one command of the page ends well, and tells what happened in its order."""
    (block,) = re.findall("```shell\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    _, script = block.splitlines()[-1].split()
    ended = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLE.parents[2] / script)],
        check=False,
        capture_output=True,
        cwd=tmp_path,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(SOURCES), "PYTHONUTF8": "1"},
        timeout=2 * SECONDS,
    )
    told = [line[12:] for line in ended.stdout.splitlines()]

    assert ("", 0) == (ended.stderr, ended.returncode)
    assert "Clara completes Opplæringskurs for likepersoner." == told[0]
    assert "Waiting in the outbox: 1" == told[-3]
    assert told[-2].startswith("To ")
    assert "Left in the outbox: 0" == told[-1]
