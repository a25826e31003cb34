"""What an error of a database means: not applied, somebody was first, or not known."""

from enum import Enum
from typing import Any

from sqlalchemy.exc import DBAPIError


class Fault(Enum):
    """Tell what became of a statement that failed."""

    NOT_APPLIED = "not applied"
    """Certainly nothing was written: a new transaction may be tried."""

    FIRST_COME = "somebody was first"
    """A key is taken: look again at what is there."""

    NOT_KNOWN = "not known"
    """The connection was lost: only before a COMMIT is it certain that nothing was written."""

    FINAL = "final"
    """Trying again would not help."""


# serialization_failure, deadlock_detected, lock_not_available, and a plan older than the table
_POSTGRESQL_AGAIN = frozenset({"40001", "40P01", "55P03", "0A000"})
_POSTGRESQL_TAKEN = frozenset({"23505"})
# admin_shutdown, crash_shutdown, cannot_connect_now; the class of connection errors is 08
_POSTGRESQL_LOST = frozenset({"57P01", "57P02", "57P03"})

# deadlock (by certification too), lock wait timeout, record changed, node not ready, no server,
# too many connections: of all, or of the user
_MARIADB_AGAIN = frozenset({1213, 1205, 1020, 1047, 2003, 1040, 1203})
_MARIADB_TAKEN = frozenset({1062})
# gone away, lost in a query, server shutdown, connection killed
_MARIADB_LOST = frozenset({2006, 2013, 1053, 1927})

_SQLITE_AGAIN = frozenset({5, 6})  # busy, locked; the low byte of an extended code
_SQLITE_TAKEN = frozenset({1555, 2067})  # primary key, unique


def fault_of(error: DBAPIError) -> Fault:
    """Tell what an error that SQLAlchemy has wrapped means."""
    original: Any = error.orig
    sqlite_code = getattr(original, "sqlite_errorcode", None)
    if sqlite_code is not None:
        return _by_code(sqlite_code & 0xFF, _SQLITE_AGAIN, sqlite_code, _SQLITE_TAKEN)
    number = _number_of(original)
    if number is None and hasattr(original, "sqlstate"):  # drivers of MariaDB have both
        state: str | None = original.sqlstate
        if state is None or state.startswith("08") or state in _POSTGRESQL_LOST:
            return Fault.NOT_KNOWN
        return _by_code(state, _POSTGRESQL_AGAIN, state, _POSTGRESQL_TAKEN)
    if number in _MARIADB_LOST or error.connection_invalidated:
        return Fault.NOT_KNOWN
    return _by_code(number, _MARIADB_AGAIN, number, _MARIADB_TAKEN)


def _number_of(original: Any) -> int | None:
    """Find MariaDB's number of an error: an attribute in one driver, an argument in another."""
    arguments: tuple[Any, ...] = getattr(original, "args", ())
    number = getattr(original, "errno", arguments[0] if arguments else None)
    return number if isinstance(number, int) else None


def _by_code(
    again_code: object, again: frozenset[object], taken_code: object, taken: frozenset[object]
) -> Fault:
    if again_code in again:
        return Fault.NOT_APPLIED
    return Fault.FIRST_COME if taken_code in taken else Fault.FINAL
