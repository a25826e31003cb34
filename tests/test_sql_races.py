"""Eight processes of eight threads want the seats of one course, on real engines."""

import multiprocessing
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing.pool import Pool
from multiprocessing.synchronize import Barrier
from typing import Any, ClassVar
from uuid import UUID, uuid4

import attrs
import pytest
import sqlalchemy as sa

from builders import COURSE_ID, NOW, ORGANIZATION_ID, USER_ID, actor, course
from course_domain import (
    CourseService,
    Registration,
    RegistrationNotFound,
    RegistrationRejected,
    RegistrationStatus,
    Role,
)
from course_domain import RepositoryUnavailable as Unavailable
from course_domain.rules import Rule
from course_domain.sql import SqlCourseRepository
from engines import Databases, disposed

PROCESSES = 8
THREADS = 8  # of each process
SEATS = 50
READY_SECONDS = 60
RACE_SECONDS = 120


class Process:
    """What each process has of its own."""

    all_ready: ClassVar[Barrier]
    """Where every thread of every process waits for the others."""

    @classmethod
    def start(cls, all_ready: Barrier) -> None:
        """Keep what can only be given to a process at its start."""
        cls.all_ready = all_ready


@attrs.frozen
class Answer:
    """What one call was answered, and after how many seconds."""

    user_id: UUID
    given: Registration | RegistrationRejected | RegistrationNotFound | Unavailable
    seconds: float


Call = tuple[str, UUID]
"""The name of a method of the service, and the person who calls it."""


def everybody_registers() -> list[Call]:
    """Three people, of whom most will find the course full."""
    return [("register", uuid4()) for _ in range(3)]


def one_person_wavers() -> list[Call]:
    """One person who registers, cancels, and registers again."""
    person = uuid4()
    return [(name, person) for name in ("register", "cancel_registration", "register")]


def run_process(url: str, calls_of: Callable[[], list[Call]]) -> list[Answer]:
    """Run the threads of one process over one engine, and give all their answers."""
    with disposed(url) as engine, ThreadPoolExecutor(THREADS) as threads:
        service = CourseService(SqlCourseRepository(engine), clock=lambda: NOW)
        running = [threads.submit(run_thread, service, calls_of()) for _ in range(THREADS)]
        return [answer for each in running for answer in each.result(RACE_SECONDS)]


def run_thread(service: CourseService, calls: Sequence[Call]) -> list[Answer]:
    """Make calls one after the other, from the moment when every thread is ready."""
    service.course(actor(), COURSE_ID)
    Process.all_ready.wait(READY_SECONDS)
    return [answer(service, *call) for call in calls]


def answer(service: CourseService, name: str, person: UUID) -> Answer:
    """Make one call."""
    began = time.monotonic()
    given: Any  # as the method that is named
    try:
        given = getattr(service, name)(actor(user_id=person), COURSE_ID)
    except (RegistrationRejected, RegistrationNotFound, Unavailable) as error:
        given = error
    return Answer(person, given, time.monotonic() - began)


@pytest.fixture(scope="module")
def processes() -> Iterator[Pool]:
    """Processes that share nothing but what a test hands them, and a start."""
    server = multiprocessing.get_context("forkserver")  # which imports once for all of them
    server.set_forkserver_preload(["course_domain.sql", "psycopg", "pymysql", "pytest"])
    all_ready = server.Barrier(PROCESSES * THREADS)
    with server.Pool(PROCESSES, Process.start, (all_ready,)) as pool:
        yield pool
    pool.join()


@pytest.fixture(params=["sqlite", "postgresql", "galera"])
def urls(request: pytest.FixtureRequest) -> Iterator[tuple[str, ...]]:
    """A course with `SEATS` seats on this engine, and an URL for each of its nodes."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    with databases.lent() as lent:
        with disposed(lent[0]) as engine:
            SqlCourseRepository(engine).add(course(max_participants=SEATS))
        yield lent


def race(processes: Pool, urls: Sequence[str], calls_of: Callable[[], list[Call]]) -> list[Answer]:
    """Let all processes go at once, spread over the nodes, and watch the count meanwhile."""
    over_all = [urls[number % len(urls)] for number in range(PROCESSES)]
    running = processes.map_async(partial(run_process, calls_of=calls_of), over_all, chunksize=1)
    end = time.monotonic() + RACE_SECONDS
    with disposed(urls[-1]) as engine:
        repository = SqlCourseRepository(engine)
        while not running.ready() and time.monotonic() < end:
            assert count_of(repository) <= SEATS
            running.wait(0.05)
    return [answer for each in running.get(0) for answer in each]


def count_of(repository: SqlCourseRepository) -> int:
    """Read the confirmed count of the course."""
    shown = repository.participations(ORGANIZATION_ID, [COURSE_ID], USER_ID)
    return shown[COURSE_ID].confirmed_count


def stored(url: str) -> tuple[int, Mapping[UUID, Registration]]:
    """Read the confirmed count of the course, and every registration, on one node."""
    with disposed(url) as engine:
        repository = SqlCourseRepository(engine)
        page = repository.registrations(ORGANIZATION_ID, course_id=COURSE_ID, limit=200)
        assert page.next is None
        return count_of(repository), {each.user_id: each for each in page.items}


def confirmed(registrations: Mapping[UUID, Registration]) -> int:
    """Count the seats that are taken."""
    return sum(each.status is RegistrationStatus.CONFIRMED for each in registrations.values())


def given_last(answers: Sequence[Answer]) -> dict[UUID, Registration]:
    """Give what each person holds, of all who know: those whom the adapter never gave up.

    It must have tried for two seconds before it does.
    """
    gave_up = {each.user_id: each for each in answers if isinstance(each.given, Unavailable)}
    assert [] == [each for each in gave_up.values() if each.seconds < 2]
    return {
        each.user_id: each.given
        for each in answers
        if isinstance(each.given, Registration) and each.user_id not in gave_up
    }


def test_no_seat_is_sold_twice_and_none_is_left(processes: Pool, urls: tuple[str, ...]) -> None:
    """Nobody gets a seat past the cap, and nobody is refused as full while one is free."""
    answers = race(processes, urls, everybody_registers)
    held = given_last(answers)
    refusals = [each.given for each in answers if isinstance(each.given, RegistrationRejected)]
    rules = {tuple(each.rule for each in refusal.violations) for refusal in refusals}
    assert {(Rule.MAX_PARTICIPANTS_CAP,)} == rules
    for url in urls:
        count, registrations = stored(url)
        assert SEATS == count == confirmed(registrations) == len(registrations)
        assert held == {user_id: registrations.get(user_id) for user_id in held}


def test_the_count_is_right_while_people_come_and_go(
    processes: Pool, urls: tuple[str, ...]
) -> None:
    """After cancels and new registrations the count, the rows and the last answers agree."""
    answers = race(processes, urls, one_person_wavers)
    held = given_last(answers)
    for url in urls:
        count, registrations = stored(url)
        assert count == confirmed(registrations)
        assert held == {user_id: registrations.get(user_id) for user_id in held}


def test_a_node_waits_for_what_another_has_committed(galera_databases: Databases) -> None:
    """Behind a large transaction, what one node has stored is read and marked through others."""
    with galera_databases.lent() as urls, ExitStack() as stack:
        engines = [stack.enter_context(disposed(url)) for url in urls]
        first, second, third = map(SqlCourseRepository, engines)
        service = CourseService(first, clock=lambda: NOW)
        first.add(course())
        assert second.pending_reminders() == third.pending_reminders()  # both are connected
        service.register(actor(), COURSE_ID)
        with applied_late(engines[0]):
            completed = service.complete_registration(actor(Role.ADMIN), COURSE_ID, user_id=USER_ID)
            assert completed.reminder is not None
            second.mark_reminder_scheduled(completed.reminder)
            assert (completed.certificate,) == third.certificates(ORGANIZATION_ID).items
            assert () == first.pending_reminders().items


@contextmanager
def applied_late(engine: sa.Engine) -> Generator[None, None, None]:
    """Keep the other nodes busy with a transaction that takes them a while to apply."""
    rows = sa.Table("many_rows", sa.MetaData(), sa.Column("text", sa.String(200)))
    rows.create(engine)
    with engine.begin() as connection:
        many = sa.select(sa.func.repeat("x", 200)).select_from(sa.table("seq_1_to_30000"))
        connection.execute(sa.insert(rows).from_select(["text"], many))
    yield
    rows.drop(engine)
