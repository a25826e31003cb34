"""What each error of a driver means: whether anything was written, and whether to try again."""

import sqlite3
from typing import Any

import psycopg
import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from course_domain.sql.faults import Fault, fault_of

NOT_APPLIED, FIRST_COME, NOT_KNOWN, FINAL = Fault


class ConnectorError(Exception):
    """Stand for an error of MariaDB's own driver, which has a number and a state."""

    def __init__(self, errno: int, sqlstate: str) -> None:
        super().__init__("text alone")
        self.errno = errno
        self.sqlstate = sqlstate


def wrapped(original: BaseException, *, is_invalidated: bool = False) -> DBAPIError:
    """Wrap an error of a driver as SQLAlchemy does."""
    return DBAPIError("", None, original, connection_invalidated=is_invalidated)


def by_sqlite(code: int) -> DBAPIError:
    """Give the error of SQLite with this extended code."""
    error: Any = sqlite3.OperationalError("text")
    error.sqlite_errorcode = code
    return wrapped(error)


def by_postgresql(state: str) -> DBAPIError:
    """Give the error of PostgreSQL with this state."""
    return wrapped(psycopg.errors.lookup(state)("text"))


def by_mariadb(number: int) -> DBAPIError:
    """Give the error of MariaDB with this number."""
    return wrapped(pymysql.err.OperationalError(number, "text"))


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        pytest.param(5, NOT_APPLIED, id="busy"),
        pytest.param(261, NOT_APPLIED, id="busy-recovery"),
        pytest.param(517, NOT_APPLIED, id="busy-snapshot"),
        pytest.param(6, NOT_APPLIED, id="locked"),
        pytest.param(262, NOT_APPLIED, id="locked-shared-cache"),
        pytest.param(1555, FIRST_COME, id="primary-key"),
        pytest.param(2067, FIRST_COME, id="unique"),
        pytest.param(1, FINAL, id="error"),
        pytest.param(8, FINAL, id="read-only"),
        pytest.param(1032, FINAL, id="read-only-moved"),
        pytest.param(10, FINAL, id="io"),
        pytest.param(778, FINAL, id="io-write"),
        pytest.param(11, FINAL, id="corrupt"),
        pytest.param(13, FINAL, id="full"),
        pytest.param(14, FINAL, id="cannot-open"),
        pytest.param(26, FINAL, id="no-database"),
        pytest.param(275, FINAL, id="check"),
        pytest.param(787, FINAL, id="foreign-key"),
        pytest.param(1299, FINAL, id="not-null"),
    ],
)
def test_code_of_sqlite(code: int, fault: Fault) -> None:
    """A file that another process writes to is tried again, whatever kind of busy it is."""
    assert fault is fault_of(by_sqlite(code))


@pytest.mark.parametrize(
    ("state", "fault"),
    [
        pytest.param("40001", NOT_APPLIED, id="serialization"),
        pytest.param("40P01", NOT_APPLIED, id="deadlock"),
        pytest.param("55P03", NOT_APPLIED, id="lock-not-available"),
        pytest.param("0A000", NOT_APPLIED, id="cached-plan"),
        pytest.param("23505", FIRST_COME, id="unique"),
        pytest.param("08000", NOT_KNOWN, id="connection"),
        pytest.param("08003", NOT_KNOWN, id="no-connection"),
        pytest.param("08006", NOT_KNOWN, id="connection-failure"),
        pytest.param("08007", NOT_KNOWN, id="transaction-resolution-unknown"),
        pytest.param("57P01", NOT_KNOWN, id="admin-shutdown"),
        pytest.param("57P02", NOT_KNOWN, id="crash-shutdown"),
        pytest.param("57P03", NOT_KNOWN, id="cannot-connect-now"),
        pytest.param("22001", FINAL, id="too-long"),
        pytest.param("23503", FINAL, id="foreign-key"),
        pytest.param("23514", FINAL, id="check"),
        pytest.param("25006", FINAL, id="read-only"),
        pytest.param("42501", FINAL, id="privilege"),
        pytest.param("42P01", FINAL, id="no-table"),
        pytest.param("42703", FINAL, id="no-column"),
        pytest.param("53100", FINAL, id="disk-full"),
        pytest.param("57014", FINAL, id="cancelled"),
    ],
)
def test_state_of_postgresql(state: str, fault: Fault) -> None:
    """A connection that went away may have taken the answer to a COMMIT with it."""
    assert fault is fault_of(by_postgresql(state))


def test_loss_that_postgresql_could_not_name() -> None:
    """A server that is gone gives no state: then nothing is known."""
    assert NOT_KNOWN is fault_of(wrapped(psycopg.OperationalError("server closed the connection")))


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        pytest.param(1213, NOT_APPLIED, id="deadlock"),
        pytest.param(1205, NOT_APPLIED, id="lock-wait"),
        pytest.param(1020, NOT_APPLIED, id="record-changed"),
        pytest.param(1047, NOT_APPLIED, id="node-not-ready"),
        pytest.param(2003, NOT_APPLIED, id="no-server"),
        pytest.param(1040, NOT_APPLIED, id="too-many-connections"),
        pytest.param(1203, NOT_APPLIED, id="too-many-of-a-user"),
        pytest.param(1062, FIRST_COME, id="duplicate"),
        pytest.param(2006, NOT_KNOWN, id="gone-away"),
        pytest.param(2013, NOT_KNOWN, id="lost"),
        pytest.param(1053, NOT_KNOWN, id="shutdown"),
        pytest.param(1927, NOT_KNOWN, id="killed"),
        pytest.param(1054, FINAL, id="no-column"),
        pytest.param(1114, FINAL, id="full"),
        pytest.param(1142, FINAL, id="privilege"),
        pytest.param(1146, FINAL, id="no-table"),
        pytest.param(1290, FINAL, id="read-only"),
        pytest.param(1406, FINAL, id="too-long"),
        pytest.param(1452, FINAL, id="foreign-key"),
        pytest.param(4025, FINAL, id="check"),
    ],
)
def test_number_of_mariadb(number: int, fault: Fault) -> None:
    """A number means the same from either driver: one has it as an argument, one by name."""
    assert fault is fault_of(by_mariadb(number))
    assert fault is fault_of(wrapped(ConnectorError(number, "HY000")))


def test_connection_that_sqlalchemy_gave_up() -> None:
    """An error without a known number is a loss where SQLAlchemy saw the connection go."""
    lost = pymysql.err.InterfaceError(0, "")

    assert NOT_KNOWN is fault_of(wrapped(lost, is_invalidated=True))
    assert FINAL is fault_of(wrapped(lost))


@pytest.mark.parametrize("arguments", [(), (None,), ("text",)], ids=repr)
def test_error_that_tells_nothing(arguments: tuple[object, ...]) -> None:
    """What no driver is known to raise is not tried again."""
    assert FINAL is fault_of(wrapped(Exception(*arguments)))


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        ("INSERT INTO kept (id, name) VALUES (1, 'b')", FIRST_COME),
        ("INSERT INTO kept (id, name) VALUES (2, 'a')", FIRST_COME),
        ("INSERT INTO kept (id, name) VALUES (2, '')", FINAL),
        ("INSERT INTO kept (id) VALUES (2)", FINAL),
        ("INSERT INTO lost (id) VALUES (1)", FINAL),
        ("INSERT", FINAL),
    ],
    ids=["primary-key", "unique", "check", "not-null", "no-table", "no-sentence"],
)
def test_error_that_sqlite_raised(statement: str, fault: Fault) -> None:
    """Errors of the engine itself are told apart as the fabricated ones are."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE kept (id INTEGER NOT NULL, name TEXT NOT NULL UNIQUE CHECK (name <> ''),"
            " PRIMARY KEY (id, id))"
        )
        connection.exec_driver_sql("INSERT INTO kept (id, name) VALUES (1, 'a')")
        with pytest.raises(DBAPIError) as raised:
            connection.exec_driver_sql(statement)
    engine.dispose()

    assert fault is fault_of(raised.value)
