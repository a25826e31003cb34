"""Threads that are interrupted while they wait for a database: by Ctrl-C, or a time limit."""

import sqlite3
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import count
from threading import RLock
from typing import Any

import attrs
import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from pymysql.constants import COMMAND
from sqlalchemy import event

from builders import COURSE_ID, NOW, ORGANIZATION_ID, OTHER_USER_ID, USER_ID, actor, course
from course_domain import CourseService, Role
from course_domain.sql import SqlCourseRepository, connections
from course_domain.sql.driver import Cursor, Statement
from course_domain.sql.writing import writer_of
from engines import Databases

ADMIN = actor(Role.ADMIN)


class TimeLimit(Exception):
    """What a worker raises in a task that takes too long."""


@pytest.fixture
def until() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as stack:
        yield stack


def service_of(databases: Databases, until: ExitStack) -> tuple[CourseService, sa.Engine]:
    """Give a service over an engine of one connection, with a course for which one registered."""
    (url, *_) = until.enter_context(databases.lent())
    engine = sa.create_engine(url, pool_size=1, max_overflow=0, pool_timeout=1)
    until.callback(engine.dispose)
    repository = SqlCourseRepository(engine)
    repository.add(course())
    service = CourseService(repository, clock=lambda: NOW)
    service.register(actor(), COURSE_ID)
    return service, engine


@pytest.fixture(params=["sqlite", "postgresql", "galera"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Databases of each kind."""
    lent: Databases = request.getfixturevalue(f"{request.param}_databases")
    return lent


CALLS: dict[str, Callable[[CourseService], object]] = {
    "course": lambda service: service.course(ADMIN, COURSE_ID),
    "offers": lambda service: service.offers(ADMIN, [COURSE_ID]),
    "register": lambda service: service.register(actor(user_id=OTHER_USER_ID), COURSE_ID),
    "complete": lambda service: service.complete_registration(ADMIN, COURSE_ID, user_id=USER_ID),
    "revise": lambda service: service.revise_course(ADMIN, COURSE_ID, title="Nytt"),
}


def send_unanswered(cursor: Any) -> None:
    """Send a statement whose answer nobody has read yet."""
    connection = cursor.connection
    if isinstance(cursor, psycopg.Cursor):
        connection.pgconn.send_query(b"SELECT 'an answer'")
    elif isinstance(cursor, pymysql.cursors.Cursor):
        connection._execute_command(COMMAND.COM_QUERY, "DO 0")  # answered as an UPDATE is


@attrs.define
class Interrupting:
    """A driver's cursor whose caller is interrupted before it has the answer."""

    cursor: Any
    interrupt: BaseException

    def execute(self, text: str, parameters: Any) -> None:
        """Execute; a statement of SQLite is done when it returns, and its rows are to come."""
        if isinstance(self.cursor, sqlite3.Cursor):
            self.cursor.execute(text, parameters)
        else:
            send_unanswered(self.cursor)
        raise self.interrupt


@contextmanager
def interrupted(number: int, interrupt: BaseException) -> Generator[None, None, None]:
    """Interrupt whoever executes the statement of this number."""
    execute, executed = Cursor.execute, count(1)

    def counting(self: Any, statement: Statement, parameters: Mapping[str, Any]) -> None:
        if next(executed) == number:
            self._cursor = Interrupting(self._cursor, interrupt)
        execute(self, statement, parameters)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Cursor, "execute", counting)
        yield


def assert_is_whole(service: CourseService, engine: sa.Engine) -> None:
    """Hold that reads are right, and count, certificate and reminder tell the same."""
    repository = SqlCourseRepository(engine)
    listed = repository.registrations(ORGANIZATION_ID).items
    (offer,) = service.offers(ADMIN, [COURSE_ID]).values()
    certificates = repository.certificates(ORGANIZATION_ID).items
    reminded = [each.certificate_id for each in repository.pending_reminders().items]

    assert COURSE_ID == offer.course.id == service.course(ADMIN, COURSE_ID).id
    assert 12 - len(listed) == offer.seats_left
    assert [each.id for each in certificates] == reminded
    assert len(reminded) == len([each for each in listed if each.completed_at])


@pytest.mark.parametrize("kind", [KeyboardInterrupt, TimeLimit])
@pytest.mark.parametrize("call", CALLS)
def test_interrupt_passes_through_and_leaves_nothing_half_done(
    databases: Databases, until: ExitStack, call: str, kind: type[BaseException]
) -> None:
    """At each statement that is sent and not answered; what is asked next is answered right."""
    service, engine = service_of(databases, until)
    sent: list[BaseException] = []
    raised: list[BaseException] = []
    while len(sent) == len(raised):
        sent.append(kind())
        try:
            with interrupted(len(sent), sent[-1]):
                CALLS[call](service)
        except kind as error:
            raised.append(error)
        assert_is_whole(service, engine)
    assert raised
    assert sent[:-1] == raised


@pytest.mark.parametrize("call", ["course", "register"])
def test_connection_of_postgresql_is_never_left_in_autocommit(
    postgresql_databases: Databases, until: ExitStack, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted as it ends a read: a transaction on it would be none."""
    service, engine = service_of(postgresql_databases, until)
    plain: Any = psycopg.Connection.autocommit

    def interrupted_at_the_end(self: object, value: bool) -> None:
        if not value:
            raise KeyboardInterrupt
        plain.fset(self, value)

    with monkeypatch.context() as patched:
        ending = property(plain.fget, interrupted_at_the_end)
        patched.setattr(psycopg.Connection, "autocommit", ending)
        with pytest.raises(KeyboardInterrupt):
            CALLS[call](service)

    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    assert connection.autocommit is False
    pooled.close()
    assert_is_whole(service, engine)


def test_read_that_is_interrupted_holds_no_later_writer_up(
    sqlite_databases: Databases, until: ExitStack
) -> None:
    """A statement of SQLite that is not read to its end keeps the state that it saw."""
    service, engine = service_of(sqlite_databases, until)
    other = sa.create_engine(engine.url)
    until.callback(other.dispose)

    with interrupted(1, KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        service.course(ADMIN, COURSE_ID)
    CourseService(SqlCourseRepository(other), clock=lambda: NOW).revise_course(
        ADMIN, COURSE_ID, title="Nytt"
    )

    assert service.revise_course(ADMIN, COURSE_ID, title="Nyere").title == "Nyere"


def test_connections_that_are_lost_at_once_are_all_made_anew(
    sqlite_databases: Databases, until: ExitStack
) -> None:
    """Another that is found lost while one is made anew does not reach who asks for one."""
    service, engine = service_of(sqlite_databases, until)
    database: Any = writer_of(engine).database
    until.callback(lambda: event.remove(engine, "connect", lose))

    def lose(*_: object) -> None:
        database._has_lost_one = True

    event.listen(engine, "connect", lose)
    database._has_lost_one = True

    assert service.course(ADMIN, COURSE_ID).id == COURSE_ID


@attrs.define
class Interrupted:
    """A lock whose taker is interrupted once it has it."""

    lock: Any = attrs.field(factory=RLock)
    has_come: bool = False

    def acquire(self, timeout: float) -> bool:
        """Acquire."""
        taken: bool = self.lock.acquire(timeout=timeout)
        if not self.has_come:
            self.has_come = True
            raise KeyboardInterrupt
        return taken

    def release(self) -> None:
        """Release."""
        self.lock.release()


def test_turn_is_given_on_where_its_thread_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also between taking the lock and noting that it is taken."""
    lock, lines = Interrupted(), connections.Lines()
    monkeypatch.setattr(connections, "RLock", lambda: lock)

    with pytest.raises(KeyboardInterrupt), lines.turn("a course", time.monotonic()):
        raise AssertionError("it has no turn")

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(lock.lock.acquire, blocking=False).result()
