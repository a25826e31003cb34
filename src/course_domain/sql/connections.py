"""How the adapter uses an engine: the set-up of connections, transactions, and lines."""

import time
from collections.abc import Generator, Hashable, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from threading import Lock, RLock
from typing import Any
from weakref import WeakValueDictionary

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, InvalidatePoolError

from course_domain.sql.driver import Cursor, Driver
from course_domain.sql.faults import Fault, fault_of
from course_domain.sql.retries import deadline, late
from course_domain.sql.rows import Rows

LOCK_SECONDS = 2  # for one wait, of which an attempt has two at most

_SET_UP = {
    "sqlite": (
        f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
    ),
    "postgresql": (
        f"SET lock_timeout = '{LOCK_SECONDS}s'",
        "SET timezone = 'UTC'",  # so that what is read need not be converted
    ),
    # Without the second (1 for reads, 2 for updates), what starts a transaction on another node of
    # a cluster can miss what is committed; elsewhere it is idle.
    "mysql": (
        f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}",
        "SET SESSION wsrep_sync_wait = 3",
    ),
}
_SET_UP["mariadb"] = _SET_UP["mysql"]

_ALL = "all"  # names the whole store
_CURSOR = "course_domain"  # in the info of a connection that has been set up


class CommitNotKnown(Exception):
    """Tell that the answer to a COMMIT was lost: look before anything is written again."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__(error)
        self.error = error


class Lines:
    """Let threads that want the same wait in a line, so that they do not meet in the database.

    A thread that asks again within its turn waits for itself in the database, and gives up.
    """

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._guard = Lock()
        self._locks: WeakValueDictionary[Hashable, Any] = WeakValueDictionary()
        """Each is there while somebody holds it or waits for it."""

    @contextmanager
    def turn(self, key: Hashable, until: float) -> Generator[None, None, None]:
        """Wait for a turn until a deadline; `RepositoryUnavailable` when it does not come."""
        with self._guard:
            lock = self._locks.setdefault(key, RLock())
        try:
            if not lock.acquire(timeout=max(0.0, until - time.monotonic())):
                raise late()
            yield
        finally:
            # An interrupt may come before anything could be noted: the lock knows whose it is.
            try:  # noqa: SIM105  interrupted in a call of `suppress`, it would never be released
                lock.release()
            except RuntimeError:
                pass


class Database:
    """Stand for one engine: all repositories over it share its lines and its set-up."""

    def __init__(self, engine: sa.Engine) -> None:
        """Have every connection of the engine set up once, when it is next used."""
        self.engine: sa.Engine = engine
        self._dialect: Any = engine.dialect
        self._error: type[Exception] = self._dialect.loaded_dbapi.Error
        self.is_sqlite: bool = engine.dialect.name == "sqlite"
        self._is_postgresql = engine.dialect.name == "postgresql"
        # One connection for all threads shows a reader what a writer has not committed.
        self._has_one_connection = isinstance(engine.pool, sa.StaticPool)
        self.rows: Rows = Rows(engine.dialect)
        self._driver = Driver(engine.dialect, self.rows)
        self._lines = Lines()
        self._has_lost_one = False
        event.listen(engine, "checkout", self._set_up)

    def _set_up(self, dbapi_connection: Any, record: Any, _proxy: Any) -> None:
        if _CURSOR in record.info:  # else it is new, and not suspected
            if self._has_lost_one:
                self._has_lost_one = False
                raise InvalidatePoolError  # those that wait in the pool may be gone too
            return
        cursor = dbapi_connection.cursor()
        for statement in _SET_UP.get(self.engine.dialect.name, ()):
            cursor.execute(statement)
        dbapi_connection.commit()
        record.info[_CURSOR] = cursor  # kept, as it knows types by then that a new one looks up

    def key_of(self, keys: Mapping[str, Any]) -> Hashable:
        """Tell what has one writer at a time: a course, or on SQLite the whole store."""
        return _ALL if self.is_sqlite else (keys["of_organization"].int, keys["of_course"].int)

    def line(self, key: Hashable, until: float) -> AbstractContextManager[None]:
        """Wait for the turn to write: of what is named, or on SQLite of the whole store."""
        return self._lines.turn(_ALL if self.is_sqlite else key, until)

    @contextmanager
    def reading(self) -> Generator[Cursor, None, None]:
        """Give a cursor to read with: each statement sees what is committed, and nothing else."""
        alone = self.line(_ALL, deadline()) if self._has_one_connection else nullcontext()
        with alone, self.autocommitting() as cursor:
            yield cursor

    @contextmanager
    def autocommitting(self) -> Generator[Cursor, None, None]:
        """Give a cursor of which each statement is a transaction of its own, on PostgreSQL.

        Elsewhere nothing has to be sent for a single statement that only reads. Raises
        `CommitNotKnown` where the answer to one that writes is lost.
        """
        has_written = False
        try:
            with self._connected() as (connection, cursor):
                if self._is_postgresql:
                    connection.autocommit = True
                try:
                    yield cursor
                finally:
                    has_written = cursor.has_written
                    if self._is_postgresql:
                        # One that is gone, or was interrupted in a statement, is not for the pool.
                        with suppress(self._error):
                            connection.autocommit = False
        except DBAPIError as error:
            if has_written and fault_of(error) is Fault.NOT_KNOWN:
                raise CommitNotKnown(error) from error
            raise

    @contextmanager
    def writing(self) -> Generator[Cursor, None, None]:
        """Give a cursor in a transaction, which is committed at the end.

        Raises `CommitNotKnown` where the answer to the COMMIT is lost; whatever is raised
        inside rolls back.
        """
        is_ending = False
        try:
            with self._connected() as (connection, cursor):
                try:
                    if self.is_sqlite:
                        cursor.begin_as_writer()
                    yield cursor
                    is_ending = True
                    cursor.ask(connection.commit)
                except BaseException as error:
                    was_answered = isinstance(error, self._error) or not cursor.is_waiting
                    if was_answered or self.is_sqlite:  # else it is thrown away as it is
                        with suppress(self._error):  # one that is gone has nothing to roll back
                            cursor.ask(connection.rollback)
                    raise
        except DBAPIError as error:
            if is_ending and fault_of(error) is Fault.NOT_KNOWN:
                raise CommitNotKnown(error) from error
            raise

    @contextmanager
    def _connected(self) -> Generator[tuple[Any, Cursor], None, None]:
        """Give the driver's own connection, and the cursor that is kept with it.

        What the driver raises becomes a `DBAPIError`.
        """
        try:
            pooled = self.engine.raw_connection()
        except self._error as error:
            raise DBAPIError("", None, error) from error
        connection: Any = pooled.driver_connection
        cursor = Cursor(self._driver, pooled.info[_CURSOR])
        try:
            yield connection, cursor
        except self._error as error:
            is_lost = self._dialect.is_disconnect(error, connection, None)
            if is_lost:
                self._has_lost_one = True
                pooled.invalidate(error)
            raise DBAPIError("", None, error, connection_invalidated=is_lost) from error
        except BaseException as error:
            is_amid = self._is_postgresql and connection.autocommit
            if is_amid or (cursor.is_waiting and not self.is_sqlite):
                # Interrupted: an answer that is still to come would be taken for the next one.
                pooled.invalidate(error)
            raise
        finally:
            pooled.close()
