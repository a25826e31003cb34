"""How the adapter uses an engine: set-up of connections, transactions, lines, and trying again."""

import time
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager, nullcontext, suppress
from threading import Lock
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

import attrs
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    wait_random_exponential,
)

from course_domain.errors import RepositoryUnavailable
from course_domain.sql.faults import Fault, fault_of

T = TypeVar("T")

# One wait for a lock, and the time after which nothing new is tried. On PostgreSQL one attempt can
# wait twice, for its place behind others and then for the row: all of it stays below 8 seconds.
LOCK_SECONDS = 2
TRYING_SECONDS = 3

_SET_UP = {
    "sqlite": (
        f"PRAGMA busy_timeout = {LOCK_SECONDS * 1000}",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
    ),
    "postgresql": (f"SET lock_timeout = '{LOCK_SECONDS}s'",),
    # Without the second (1 for reads, 2 for updates), what starts a transaction on another node of
    # a cluster can miss what is committed; elsewhere it is idle.
    "mysql": (
        f"SET SESSION innodb_lock_wait_timeout = {LOCK_SECONDS}",
        "SET SESSION wsrep_sync_wait = 3",
    ),
}
_SET_UP["mariadb"] = _SET_UP["mysql"]

_MARK = "course_domain"  # in the info of a connection that has been set up


class LostRace(Exception):
    """Tell that somebody changed the course first, so that nothing was written."""


class CommitNotKnown(Exception):
    """Tell that the answer to a COMMIT was lost: look before anything is written again."""

    def __init__(self, error: DBAPIError) -> None:
        super().__init__(error)
        self.error = error


def deadline() -> float:
    """Give the moment, of the monotonic clock, when a call that begins now tries nothing new."""
    return time.monotonic() + TRYING_SECONDS


class Lines:
    """Let threads that want the same wait in a line, so that they do not meet in the database."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._guard = Lock()
        self._waiting: dict[Hashable, tuple[Lock, int]] = {}

    @contextmanager
    def turn(self, key: Hashable, until: float) -> Generator[None, None, None]:
        """Wait for a turn until a deadline; `RepositoryUnavailable` when it does not come."""
        with self._guard:
            lock, waiting = self._waiting.get(key, (Lock(), 0))
            self._waiting[key] = (lock, waiting + 1)
        try:
            if not lock.acquire(timeout=max(0.0, until - time.monotonic())):
                msg = f"others were writing for {TRYING_SECONDS} seconds"
                raise RepositoryUnavailable(msg)
            try:
                yield
            finally:
                lock.release()
        finally:
            with self._guard:
                lock, waiting = self._waiting[key]
                self._waiting[key] = (lock, waiting - 1)
                if waiting == 1:
                    del self._waiting[key]


class Database:
    """Stand for one engine: all repositories over it share its lines and its set-up."""

    def __init__(self, engine: sa.Engine) -> None:
        """Have every connection of the engine set up once, when it is next used."""
        self.engine: sa.Engine = engine
        self.dialect: str = engine.dialect.name
        self.is_sqlite: bool = self.dialect == "sqlite"
        # One connection for all threads shows a reader what a writer has not committed.
        self._has_one_connection = isinstance(engine.pool, sa.StaticPool)
        self._lines = Lines()
        event.listen(engine, "checkout", self._set_up)

    def _set_up(self, dbapi_connection: Any, record: Any, _proxy: Any) -> None:
        if _MARK in record.info:
            return
        cursor = dbapi_connection.cursor()
        for statement in _SET_UP.get(self.dialect, ()):
            cursor.execute(statement)
        cursor.close()
        dbapi_connection.commit()
        record.info[_MARK] = True

    @contextmanager
    def line(self, key: Hashable, until: float) -> Generator[None, None, None]:
        """Wait for the turn to write: of one course, or on SQLite of the whole store."""
        with self._lines.turn("all" if self.is_sqlite else key, until):
            yield

    @contextmanager
    def reading(self) -> Generator[sa.Connection, None, None]:
        """Give a connection on which each statement sees what is committed, and nothing else."""
        autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        alone = self.line("all", deadline()) if self._has_one_connection else nullcontext()
        with alone, autocommit.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Generator[sa.Connection, None, None]:
        """Give a connection in a transaction, which is committed at the end.

        Raises `CommitNotKnown` where the answer to the COMMIT is lost; whatever is raised
        inside rolls back.
        """
        if not self.is_sqlite:
            with self.engine.connect() as connection:
                yield from _committed(connection, connection.begin())
            return
        # A transaction that begins as a writer never finds that it has read too early.
        autocommit = self.engine.execution_options(isolation_level="AUTOCOMMIT")
        with autocommit.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            yield from _committed(connection, _SqliteTransaction(connection))


@attrs.frozen
class _SqliteTransaction:
    """End a transaction that was begun by hand."""

    connection: sa.Connection

    def commit(self) -> None:
        self.connection.exec_driver_sql("COMMIT")

    def rollback(self) -> None:
        self.connection.exec_driver_sql("ROLLBACK")


def _committed(
    connection: sa.Connection, transaction: sa.RootTransaction | _SqliteTransaction
) -> Generator[sa.Connection, None, None]:
    try:
        yield connection
    except BaseException:
        with suppress(DBAPIError):  # a connection that is gone has nothing to roll back
            transaction.rollback()
        raise
    try:
        transaction.commit()
    except DBAPIError as error:
        with suppress(DBAPIError):
            transaction.rollback()
        if fault_of(error) is Fault.NOT_KNOWN:
            raise CommitNotKnown(error) from error
        raise


_DATABASES: WeakKeyDictionary[sa.Engine, Database] = WeakKeyDictionary()
_DATABASES_GUARD = Lock()


def database_of(engine: sa.Engine) -> Database:
    """Give what all repositories over one engine share."""
    with _DATABASES_GUARD:
        if engine not in _DATABASES:
            _DATABASES[engine] = Database(engine)
        return _DATABASES[engine]


def _may_be_tried_again(error: BaseException) -> bool:
    if isinstance(error, DBAPIError):
        return fault_of(error) is not Fault.FINAL
    return isinstance(error, LostRace)


def _is_late(state: RetryCallState) -> bool:
    until: float = state.args[1]
    return time.monotonic() >= until


_ATTEMPTS = Retrying(
    stop=_is_late,
    wait=wait_random_exponential(multiplier=0.004, max=0.25),
    retry=retry_if_exception(_may_be_tried_again),
    reraise=True,
)


def _called(call: Callable[[], T], _until: float) -> T:
    return call()


def _tried(call: Callable[[], T], until: float) -> T:
    """Call once, and only then begin with retries: to be ready for them costs half a decision."""
    try:
        return call()
    except (DBAPIError, LostRace) as error:
        if time.monotonic() >= until or not _may_be_tried_again(error):
            raise
    answer: T = _ATTEMPTS(_called, call, until)
    return answer


def trying(call: Callable[[], T], until: float | None = None) -> T:
    """Try a call again while its error certainly means that nothing was applied.

    With jitter, and until the `deadline` of its caller, or its own; then, or where trying again
    would not help, `RepositoryUnavailable` with the reason.
    """
    try:
        return _tried(call, deadline() if until is None else until)
    except LostRace as error:
        msg = f"others changed the course first for {TRYING_SECONDS} seconds"
        raise RepositoryUnavailable(msg) from error
    except DBAPIError as error:
        raise RepositoryUnavailable(str(error.orig)) from error
    except PoolTimeout as error:
        raise RepositoryUnavailable(str(error)) from error
