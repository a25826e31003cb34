"""Registrations on PostgreSQL: a whole convoy loaded and stored in one statement each.

Core builds a description of each result, which costs as much as the statement; so the
statements are written in Core, compiled once, and executed on the pooled driver connection.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from course_domain.course import Course
from course_domain.errors import CourseNotFound, RepositoryUnavailable
from course_domain.participation import Participation, Registration
from course_domain.sql import statements
from course_domain.sql.changes import FromDecision, Seen
from course_domain.sql.connections import LostRace, trying
from course_domain.sql.convoy_statements import (
    LOAD_CONVOY,
    LOAD_ONE,
    REGISTRATION_NAMES,
    STORE_CONVOY,
    STORE_ONE,
)
from course_domain.sql.convoys import Ride
from course_domain.sql.faults import Fault, fault_of
from course_domain.sql.rows import (
    COURSE_PART,
    columns_of,
    course_of,
    participation_of,
)

_MOST_KNOWN = 1_000  # courses, each with its row


@attrs.define
class _Decided:
    """Hold what a convoy was shown and has answered, as the state that grows."""

    version: int
    count: int
    """The confirmed registrations, those of this convoy among them."""

    states: dict[UUID, Participation]
    seats: int = 0
    """By how much the count has changed."""

    registrations: dict[UUID, Registration] = attrs.Factory(dict[UUID, Registration])
    seen: dict[Ride, Seen[Participation]] = attrs.Factory(dict[Ride, Seen[Participation]])

    def ask(self, ride: Ride) -> None:
        """Ask one decision, about the state with all earlier answers of this convoy."""
        ride.reset()
        user_id = ride.change.user_id
        own = self.states[user_id]
        if own.confirmed_count != self.count:
            own = attrs.evolve(own, confirmed_count=self.count)
        seen = Seen(self.version, own)
        try:
            answer = ride.change.decided(seen.state)
        except FromDecision as carrier:
            ride.error = carrier.error
            return
        if answer == seen.state:
            ride.answer = answer
            return
        if not _is_registration_alone(seen.state, answer):
            ride.goes_alone = True
            return
        ride.answer = ride.change.stored(seen, answer)
        self.seen[ride] = seen
        self.seats += ride.answer.confirmed_count - self.count
        self.count = ride.answer.confirmed_count
        self.states[user_id] = ride.answer
        self.registrations[user_id] = _registration(ride.answer)

    def leave_open(self, ride: Ride) -> None:
        """Let a ride look up its own answer, and be asked again where it only saw others'."""
        seen, answer = self.seen.get(ride), ride.answer
        ride.reset()
        if seen is not None and answer is not None:
            ride.not_known = (seen, answer)
        else:
            ride.goes_alone = True


def _is_registration_alone(seen: Participation, answer: Participation) -> bool:
    return (
        answer.registration is not None
        and answer.certificate in (None, seen.certificate)
        and answer.reminder is None
    )


def _registration(answer: Participation) -> Registration:
    assert answer.registration is not None  # noqa: S101  such an answer was told apart before
    return answer.registration


class RegistrationConvoys:
    """Decide and store a convoy on the driver's own connection."""

    def __init__(self, engine: sa.Engine) -> None:
        """Compile the statements for this engine's driver."""
        self._engine = engine
        self._driver: Any = engine.dialect.loaded_dbapi
        # A course is judged when it is read, and between two registrations it seldom changes.
        self._known: dict[UUID, tuple[tuple[Any, ...], Course]] = {}

        def compiled(statement: sa.ClauseElement) -> str:
            return str(statement.compile(dialect=engine.dialect))

        self._lock = compiled(statements.LOCK_COURSE)
        self._load, self._load_one = compiled(LOAD_CONVOY), compiled(LOAD_ONE)
        self._store, self._store_one = compiled(STORE_CONVOY), compiled(STORE_ONE)

    def drive(self, convoy: list[Ride]) -> None:
        """Decide and store for all; each ride then has its answer, or why not."""
        if not convoy:
            return
        lost = False

        def attempt() -> None:
            nonlocal lost
            try:
                self._decide_and_store(convoy, behind_lock=lost)
            except LostRace:
                lost = True
                raise

        try:
            trying(attempt, convoy[0].until)  # who is first has waited longest
        except RepositoryUnavailable as error:
            for ride in convoy:
                ride.error = RepositoryUnavailable(error.reason)
        except BaseException:
            for ride in convoy:  # nobody takes for stored what may not be
                ride.reset()
            raise

    def _decide_and_store(self, convoy: list[Ride], *, behind_lock: bool) -> None:
        keys = convoy[0].change.keys
        users = list({ride.change.user_id for ride in convoy})
        with self._cursor(autocommit=not behind_lock) as cursor:
            if behind_lock:
                cursor.execute(self._lock, keys)
            if len(users) == 1:
                cursor.execute(self._load_one, keys)
            else:
                cursor.execute(self._load, {**keys, "of_users": users})
            rows = cursor.fetchall()
            if not rows:
                for ride in convoy:
                    ride.error = CourseNotFound(keys["of_course"])
                return
            decided = self._read(rows)
            for ride in convoy:
                decided.ask(ride)
            if decided.registrations:
                self._write(cursor, convoy, decided)

    def _read(self, rows: list[Any]) -> _Decided:
        columns = rows[0][COURSE_PART]
        known, course = self._known.get(columns[0], (None, None))
        if course is None or known != columns:
            course = course_of(columns)
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[course.id] = (columns, course)
        states = {row[-1]: participation_of(row[:-1], row[-1], course) for row in rows}
        return _Decided(version=rows[0][0], count=rows[0][1], states=states)

    def _write(self, cursor: Any, convoy: list[Ride], decided: _Decided) -> None:
        """Store what was decided; `LostRace` when somebody was first."""
        keys = convoy[0].change.keys
        parameters: dict[str, Any] = {
            **keys,
            "seen_version": decided.version,
            "seats": decided.seats,
        }
        new = [columns_of(each) for each in decided.registrations.values()]
        is_one = len(new) == 1
        for name in REGISTRATION_NAMES:
            parameters["new_" + name] = new[0][name] if is_one else [each[name] for each in new]
        try:
            store = self._store_one if is_one else self._store
            stored = cursor.execute(store, parameters).rowcount
            if not cursor.connection.autocommit:
                cursor.connection.commit()
        except self._driver.Error as error:
            if fault_of(DBAPIError("", None, error)) is not Fault.NOT_KNOWN:
                raise
            for ride in convoy:
                decided.leave_open(ride)
            return
        if not stored:
            raise LostRace

    @contextmanager
    def _cursor(self, *, autocommit: bool) -> Generator[Any, None, None]:
        """Give a cursor; with `autocommit`, each statement is a transaction of its own."""
        pooled = self._connected()
        driver: Any = pooled.driver_connection
        try:
            driver.autocommit = autocommit
            try:
                with driver.cursor() as cursor:
                    yield cursor
            finally:
                if not driver.closed:
                    if not autocommit:
                        driver.rollback()
                    driver.autocommit = False
        except self._driver.Error as error:
            if self._engine.dialect.is_disconnect(error, driver, None):
                pooled.invalidate(error)
            raise DBAPIError("", None, error) from error
        finally:
            if pooled.is_valid and driver.closed:
                pooled.invalidate()
            pooled.close()

    def _connected(self) -> sa.PoolProxiedConnection:
        try:
            return self._engine.raw_connection()
        except self._driver.Error as error:
            raise DBAPIError("", None, error) from error
