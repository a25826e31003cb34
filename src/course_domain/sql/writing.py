"""How a change is written: in its turn, and never blindly again."""

from collections.abc import Callable, Hashable
from functools import partial
from typing import TypeVar

import sqlalchemy as sa

from course_domain.errors import CourseNotFound, RepositoryUnavailable
from course_domain.participation import Participation
from course_domain.sql import statements
from course_domain.sql.changes import Change, FromDecision, ParticipationChange, Seen
from course_domain.sql.connections import CommitNotKnown, Database, database_of, trying
from course_domain.sql.convoys import Convoys, Ride
from course_domain.sql.postgresql import RegistrationConvoys

S = TypeVar("S")
T = TypeVar("T")


class Writer:
    """Write the changes of one engine's store."""

    def __init__(self, engine: sa.Engine) -> None:
        """Choose how registrations go: in convoys where the engine and its driver can."""
        self._database: Database = database_of(engine)
        is_psycopg = (engine.dialect.name, engine.dialect.driver) == ("postgresql", "psycopg")
        self._convoys = Convoys(RegistrationConvoys(engine).drive) if is_psycopg else None

    def change_participation(self, change: ParticipationChange) -> Participation:
        """Change a participation; raises what its decision raises."""
        if self._convoys is None:
            return self.change(change)
        return self._registered(change, self._convoys)

    def change(self, change: Change[S]) -> S:
        """Make a change in its turn; raises what its decision raises."""
        return self._in_turn(change, partial(self._changed, change))

    def in_line(self, key: Hashable, call: Callable[[], T]) -> T:
        """Call in the turn of a key, and again while its error means that nothing was applied."""
        with self._database.line(key):
            return trying(call)

    def _in_turn(self, change: Change[S], call: Callable[[], S]) -> S:
        key = (change.keys["of_organization"], change.keys["of_course"])
        try:
            return self.in_line(key, call)
        except FromDecision as carrier:
            raised = carrier.error
        raise raised

    def _registered(self, change: ParticipationChange, convoys: Convoys) -> Participation:
        """Let the first in line decide and store for all who wait for this course."""
        ride = Ride(change)
        convoys.join((change.keys["of_organization"], change.keys["of_course"]), ride)
        if ride.error is not None:
            raise ride.error
        if ride.goes_alone:
            return self.change(change)
        if ride.not_known is not None:
            return self._in_turn(change, partial(self._resolved, change, *ride.not_known))
        if ride.answer is None:
            raise RepositoryUnavailable("the thread that wrote for this one was stopped")
        return ride.answer

    def _changed(self, change: Change[S]) -> S:
        """Load, decide and store, as one transaction that locks the course first."""
        answered: list[tuple[Seen[S], S]] = []
        try:
            with self._database.writing() as connection:
                seen = self._loaded(change, connection)
                if seen is None:
                    raise CourseNotFound(change.keys["of_course"])
                answer = change.decided(seen.state)
                answered.append((seen, answer))
                return answer if answer == seen.state else change.store(connection, seen, answer)
        except CommitNotKnown:
            return self._resolved(change, *answered[-1])

    def _loaded(self, change: Change[S], connection: sa.Connection) -> Seen[S] | None:
        if not self._database.is_sqlite:
            connection.execute(statements.LOCK_COURSE, change.keys)
        return change.load(connection)

    def _resolved(self, change: Change[S], seen: Seen[S], answer: S) -> S:
        """Find out what became of an answer whose COMMIT was not answered.

        If it is what is stored, that is the result. If nothing has changed it was not applied,
        and the change is made again, which a late COMMIT would outrun and not double. Else
        nobody can know.
        """
        with self._database.writing() as connection:
            now = self._loaded(change, connection)
        after = None if now is None else change.after(seen, answer, now.state)
        if after is not None:
            return after
        if now is not None and now.version == seen.version:
            return self._changed(change)
        msg = "the answer to a COMMIT was lost, and others have changed the course since"
        raise RepositoryUnavailable(msg)
