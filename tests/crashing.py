"""Act at a named point between the adapter and its driver: fail there, or die there by SIGKILL."""

import os
import signal
import sqlite3
from collections.abc import Callable
from enum import StrEnum
from multiprocessing.connection import Connection as Pipe
from typing import Any
from uuid import UUID

import attrs
import psycopg
import pymysql
import pymysql.connections
import pymysql.cursors
import sqlalchemy as sa
from sqlalchemy import event

from builders import COURSE_ID, NOW, actor
from course_domain import CourseService, Role
from course_domain.sql import SqlCourseRepository

STEPS = {
    "begin": ("BEGIN",),
    "load": ("SELECT",),
    "course": ("UPDATE courses", "INSERT INTO courses"),
    "registration": ("INSERT INTO registrations", "UPDATE registrations"),
    "certificate": ("INSERT INTO certificates",),
    "reminder": ("INSERT INTO renewal_reminders", "UPDATE renewal_reminders"),
    "convoy": ("WITH",),
    "commit": ("COMMIT",),
}
"""How the statement of each step begins.

A driver's own COMMIT is a step too, and ``connect``, which has no connection yet.
"""


class When(StrEnum):
    """Tell whether the server has been asked yet."""

    BEFORE = "before"
    AFTER = "after"


Hook = Callable[[When, str, Any], None]


def nothing(_when: When, _step: str, _connection: Any) -> None:
    """Let everything happen."""


@attrs.define
class Wire:
    """Stand between an engine and its driver, and call `hook` around each statement."""

    hook: Hook = nothing
    """Called with the driver's connection; what it raises comes in place of the answer."""

    last: Any = None
    """The driver's connection that was used last."""

    def around(self, connection: Any, statement: object, call: Callable[[], Any]) -> Any:
        """Make a call of the driver, with the hook before and after it."""
        text = str(statement)
        step = next((name for name, starts in STEPS.items() if text.startswith(starts)), "")
        self.last = connection
        self.hook(When.BEFORE, step, connection)
        answer = call()
        self.hook(When.AFTER, step, connection)
        return answer

    def engine(self, url: str, **options: Any) -> sa.Engine:
        """Make an engine whose driver is watched."""
        engine = sa.create_engine(url, **options)
        connect = {
            "sqlite": self._sqlite,
            "postgresql": self._postgresql,
            "mysql": self._mariadb,
            "mariadb": self._mariadb,
        }[engine.dialect.name]

        def watched(_dialect: Any, _record: Any, arguments: Any, options: Any) -> Any:
            self.hook(When.BEFORE, "connect", None)
            return connect(*arguments, **options)

        event.listen(engine, "do_connect", watched)
        return engine

    def _sqlite(self, *arguments: Any, **options: Any) -> Any:
        around = self.around

        class Cursor(sqlite3.Cursor):
            def execute(self, sql: Any, *rest: Any) -> Any:
                return around(self.connection, sql, lambda: super(Cursor, self).execute(sql, *rest))

            def executemany(self, sql: Any, *rest: Any) -> Any:
                send = super().executemany
                return around(self.connection, sql, lambda: send(sql, *rest))

        class Connection(sqlite3.Connection):
            def cursor(self, factory: Any = Cursor) -> Any:
                return super().cursor(factory)

            def commit(self) -> None:
                around(self, "COMMIT", super().commit)

        return sqlite3.connect(*arguments, **options, factory=Connection)

    def _postgresql(self, *arguments: Any, **options: Any) -> Any:
        around = self.around

        class Cursor(psycopg.Cursor[Any]):
            def execute(self, query: Any, *rest: Any, **options: Any) -> Any:
                send = super().execute
                return around(self.connection, query, lambda: send(query, *rest, **options))

            def executemany(self, query: Any, *rest: Any, **options: Any) -> Any:
                send = super().executemany
                return around(self.connection, query, lambda: send(query, *rest, **options))

        class Connection(psycopg.Connection[Any]):
            def commit(self) -> None:
                around(self, "COMMIT", super().commit)

        return Connection.connect(*arguments, **options, cursor_factory=Cursor)

    def _mariadb(self, *arguments: Any, **options: Any) -> Any:
        around = self.around

        class Cursor(pymysql.cursors.Cursor):
            def execute(self, query: Any, args: Any = None) -> Any:
                send = super().execute
                return around(self.connection, query, lambda: send(query, args))

        class Connection(pymysql.connections.Connection):
            def commit(self) -> None:
                around(self, "COMMIT", super().commit)

        return Connection(*arguments, **options, cursorclass=Cursor)


FIRST_USER, SECOND_USER, THIRD_USER = (
    UUID(f"00000000-0000-4000-8000-0000000000{number:02x}") for number in (0xE4, 0xE5, 0xE6)
)

Call = Callable[[CourseService], str]


def register(user_id: UUID) -> Call:
    """Register, and tell which registration was given."""

    def call(service: CourseService) -> str:
        given = service.register(actor(user_id=user_id), COURSE_ID)
        return f"{user_id} registration {given.id} {given.status}"

    return call


def cancel(user_id: UUID) -> Call:
    """Cancel, and tell which registration was cancelled."""

    def call(service: CourseService) -> str:
        given = service.cancel_registration(actor(user_id=user_id), COURSE_ID)
        return f"{user_id} registration {given.id} {given.status}"

    return call


def complete(user_id: UUID) -> Call:
    """Complete, and tell which certificate was issued."""

    def call(service: CourseService) -> str:
        given = service.complete_registration(actor(Role.ADMIN), COURSE_ID, user_id=user_id)
        assert given.certificate is not None
        return f"{user_id} certificate {given.certificate.id}"

    return call


SCRIPT = (
    register(FIRST_USER),
    register(SECOND_USER),
    complete(FIRST_USER),
    cancel(SECOND_USER),
    register(THIRD_USER),
    complete(THIRD_USER),
)
"""What a process does, one after the other."""

CANCEL, REGISTRATION, COMPLETION = 4, 5, 6
"""The numbers of calls of the script."""


def serve(pipe: Pipe) -> None:
    """Run the script in a fork for each URL, point and number of a call, until None comes.

    A point is ``before`` or ``after`` and one of `STEPS`. The fork dies there in its call of that
    number, and sends a line for each call before: a person, a kind of record and what was given.
    What comes last is how the fork ended, as `os.waitpid` tells it.
    """
    while (job := pipe.recv()) is not None:
        fork = os.fork()
        if fork == 0:
            url, point, number = job
            _run(url, point, number, pipe)
            os._exit(0)
        pipe.send(os.waitpid(fork, 0)[1])


def _run(url: str, point: str, number: int, acknowledged: Pipe) -> None:
    wire = Wire()
    service = CourseService(SqlCourseRepository(wire.engine(url)), clock=lambda: NOW)
    service.course(actor(), COURSE_ID)

    def die(when: When, step: str, _connection: Any) -> None:
        if point == f"{when} {step}":
            os.kill(os.getpid(), signal.SIGKILL)

    for count, call in enumerate(SCRIPT, start=1):
        if count == number:
            wire.hook = die
        acknowledged.send(call(service))
