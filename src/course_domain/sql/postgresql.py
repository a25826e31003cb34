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
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.exc import DBAPIError

from course_domain.errors import CourseNotFound, RepositoryUnavailable
from course_domain.participation import Participation, Registration
from course_domain.sql import statements
from course_domain.sql.changes import FromDecision, Seen
from course_domain.sql.connections import LostRace, trying
from course_domain.sql.convoys import Ride
from course_domain.sql.faults import Fault, fault_of
from course_domain.sql.rows import (
    COURSE_COLUMNS,
    OWN_CERTIFICATE_COLUMNS,
    OWN_REGISTRATION_COLUMNS,
    REGISTRATION_COLUMNS,
    Columns,
    columns_of,
    participation_of,
)
from course_domain.sql.schema import certificates, courses, registrations


def _array(column: sa.Column[Any], parameter: str) -> sa.BindParameter[Any]:
    return sa.bindparam(parameter, type_=ARRAY(column.type))


_USERS = (
    sa.func.unnest(_array(registrations.c.user_id, "of_users"))
    .table_valued(sa.column("user_id", registrations.c.user_id.type))
    .render_derived(name="asking")
)


def _own(columns: Columns, table: sa.Table, person: sa.Column[Any]) -> Any:
    """Look one person's row up by its key; without the limit, a join would read them all."""
    found = sa.select(*columns).where(
        table.c.organization_id == courses.c.organization_id,
        table.c.course_id == courses.c.id,
        person == _USERS.c.user_id,
    )
    return found.limit(sa.literal_column("1")).lateral(f"own_{table.name}")


_REGISTRATION = _own(OWN_REGISTRATION_COLUMNS, registrations, registrations.c.user_id)
_CERTIFICATE = _own(OWN_CERTIFICATE_COLUMNS, certificates, certificates.c.peer_mentor_id)

LOAD_CONVOY = (
    sa.select(
        courses.c.version,
        courses.c.confirmed_count,
        *COURSE_COLUMNS,
        *_REGISTRATION.c,
        *_CERTIFICATE.c,
        _USERS.c.user_id,
    )
    .select_from(
        courses.join(_USERS, sa.true())
        .outerjoin(_REGISTRATION, sa.true())
        .outerjoin(_CERTIFICATE, sa.true())
    )
    .where(statements.THIS_COURSE)
)
"""One row for each user who asks, all of one state, as `PARTICIPATION_COLUMNS` and the user."""

LOAD_ONE = statements.LOAD_PARTICIPATION.add_columns(statements.USER)
"""The same for one user: without a list to guess the length of, it is planned once and for all."""

_NEW_NAMES = tuple(each.name for each in REGISTRATION_COLUMNS)
_COUNTED = statements.COUNT_SEATS.returning(courses.c.version).cte("counted")
_NEW = (
    sa.func.unnest(*(_array(column, f"new_{column.name}") for column in REGISTRATION_COLUMNS))
    .table_valued(*(sa.column(column.name, column.type) for column in REGISTRATION_COLUMNS))
    .render_derived(name="new")
)


def _stored(new: sa.Select[Any]) -> sa.Insert:
    given = insert(registrations).from_select(_NEW_NAMES, new)
    others = [each.name for each in REGISTRATION_COLUMNS if not each.primary_key]
    return given.on_conflict_do_update(
        constraint=registrations.primary_key,
        set_={name: given.excluded[name] for name in others},
    )


STORE_CONVOY = _stored(sa.select(*_NEW.c).select_from(_NEW.join(_COUNTED, sa.true())))
"""Count the seats on condition of the version, and store the registrations if that was met."""

STORE_ONE = _stored(
    sa.select(
        *(sa.bindparam(f"new_{each.name}", type_=each.type) for each in REGISTRATION_COLUMNS)
    ).select_from(_COUNTED)
)
"""The same for one registration."""


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
            decided = _states_of(rows)
            for ride in convoy:
                decided.ask(ride)
            if decided.registrations:
                self._write(cursor, convoy, decided)

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
        for name in _NEW_NAMES:
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


def _states_of(rows: list[Any]) -> _Decided:
    states = {row[-1]: participation_of(row[:-1], row[-1]) for row in rows}
    return _Decided(version=rows[0][0], count=rows[0][1], states=states)
