"""The way of a registration on PostgreSQL: loaded and stored in one statement each.

Core builds a description of each result, which costs as much as the statement; so the two
statements are written in Core, compiled once, and executed on the pooled driver connection.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError

from course_domain.participation import Participation
from course_domain.sql import statements
from course_domain.sql.changes import ParticipationChange, Seen, seats_taken
from course_domain.sql.connections import CommitNotKnown, LostRace
from course_domain.sql.faults import Fault, fault_of
from course_domain.sql.rows import REGISTRATION_COLUMNS, columns_of, participation_of
from course_domain.sql.schema import courses, registrations

_COUNTED = statements.COUNT_SEATS.returning(courses.c.version).cte("counted")

_GIVEN = insert(registrations).from_select(
    [column.name for column in REGISTRATION_COLUMNS],
    sa.select(
        *(
            sa.bindparam(f"new_{column.name}", type_=column.type).label(column.name)
            for column in REGISTRATION_COLUMNS
        )
    ).select_from(_COUNTED),
)

STORE_IN_ONE = _GIVEN.on_conflict_do_update(
    constraint=registrations.primary_key,
    set_={
        column.name: _GIVEN.excluded[column.name]
        for column in REGISTRATION_COLUMNS
        if not column.primary_key
    },
)
"""Count the seats on condition of the version, and store the registration if that was met."""


class RegistrationsInOne:
    """Load a participation and store its registration on the driver's own connection."""

    def __init__(self, engine: sa.Engine) -> None:
        """Compile the two statements for this engine's driver."""
        self._engine = engine
        self._driver: Any = engine.dialect.loaded_dbapi
        self._load = str(statements.LOAD_PARTICIPATION.compile(dialect=engine.dialect))
        self._store = str(STORE_IN_ONE.compile(dialect=engine.dialect))

    def load(self, change: ParticipationChange) -> Seen[Participation] | None:
        """Load one committed state; None when the organization has no such course."""
        with self._cursor() as cursor:
            row = cursor.execute(self._load, change.keys).fetchone()
        return None if row is None else Seen(row[0], participation_of(row, change.user_id))

    def takes(self, seen: Participation, answer: Participation) -> bool:
        """Tell whether the answer changes the registration and nothing else."""
        return (
            answer.registration is not None
            and answer.certificate in (None, seen.certificate)
            and answer.reminder is None
        )

    def store(
        self, change: ParticipationChange, seen: Seen[Participation], answer: Participation
    ) -> Participation:
        """Store the registration and its seat, and give the state after.

        Raises `LostRace` when somebody was first, and `CommitNotKnown` where the answer of the
        database is lost.
        """
        registration = {} if answer.registration is None else columns_of(answer.registration)
        parameters: dict[str, Any] = {
            **change.keys,
            "seen_version": seen.version,
            "seats": seats_taken(seen.state, answer),
            **{f"new_{name}": value for name, value in registration.items()},
        }
        try:
            with self._cursor() as cursor:
                stored = cursor.execute(self._store, parameters).rowcount
        except DBAPIError as error:
            if fault_of(error) is Fault.NOT_KNOWN:
                raise CommitNotKnown from error
            raise
        if not stored:
            raise LostRace
        return change.stored(seen, answer)

    @contextmanager
    def _cursor(self) -> Generator[Any, None, None]:
        """Give a cursor on which each statement is a transaction of its own."""
        pooled = self._engine.raw_connection()
        try:
            driver: Any = pooled.driver_connection
            driver.autocommit = True
            try:
                with driver.cursor() as cursor:
                    yield cursor
            finally:
                if not driver.closed:
                    driver.autocommit = False
        except self._driver.Error as error:
            if self._engine.dialect.is_disconnect(error, pooled.driver_connection, None):
                pooled.invalidate(error)
            raise DBAPIError("", None, error) from error
        finally:
            pooled.close()
