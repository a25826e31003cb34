"""How a change is written: in its turn, and never blindly again."""

from collections.abc import Callable, Hashable
from functools import partial
from threading import Lock
from typing import TypeVar

import sqlalchemy as sa

from course_domain.errors import CourseNotFound, RepositoryUnavailable
from course_domain.participation import Participation
from course_domain.sql import statements
from course_domain.sql.changes import Change, FromDecision, ParticipationChange, Seen
from course_domain.sql.connections import CommitNotKnown, Database
from course_domain.sql.convoys import Convoys, Ride
from course_domain.sql.driver import Cursor
from course_domain.sql.postgresql import RegistrationConvoys
from course_domain.sql.retries import deadline, trying
from course_domain.sql.sqlite import ParticipationConvoys

S = TypeVar("S")
T = TypeVar("T")


class Writer:
    """Write the changes of one engine's store."""

    def __init__(self, engine: sa.Engine) -> None:
        """Choose how registrations go: in convoys where the engine and its driver can."""
        self.database: Database = Database(engine)
        self._convoys: Convoys | None = None
        if self.database.is_sqlite:
            self._convoys = Convoys(ParticipationConvoys(self.database).decide_and_store)
        elif (engine.dialect.name, engine.dialect.driver) == ("postgresql", "psycopg"):
            self._convoys = Convoys(RegistrationConvoys(self.database).decide_and_store)

    def change_participation(self, change: ParticipationChange) -> Participation:
        """Change a participation; raises what its decision raises."""
        if self._convoys is None:
            return self.change(change)
        return self._registered(change, self._convoys)

    def change(
        self,
        change: Change[S],
        not_known: tuple[Seen[S], S] | None = None,
        until: float | None = None,
    ) -> S:
        """Make a change in its turn; raises what its decision raises.

        `not_known` is what was seen and answered, where the answer to storing it was lost.
        """
        key = self.database.key_of(change.keys)
        until = deadline() if until is None else until
        try:
            with self.database.line(key, until):
                after = None if not_known is None else self._looked_up(change, *not_known)
                return trying(partial(self._changed, change), until) if after is None else after
        except FromDecision as carrier:
            raised = carrier.error
        raise raised

    def in_line(self, key: Hashable, call: Callable[[], T]) -> T:
        """Call in the turn of a key, and again while its error means that nothing was applied."""
        until = deadline()
        with self.database.line(key, until):
            return trying(call, until)

    def _registered(self, change: ParticipationChange, convoys: Convoys) -> Participation:
        """Let the first in line decide and store for all who wait for this course."""
        ride = Ride(change)
        convoys.join(self.database.key_of(change.keys), ride)
        if ride.error is not None:
            raise ride.error
        if ride.answer is not None:
            return ride.answer
        return self.change(change, ride.not_known, ride.until)

    def _changed(self, change: Change[S]) -> S:
        """Load, decide and store, as one transaction that locks the course first."""
        answered: list[tuple[Seen[S], S]] = []
        try:
            with self.database.writing() as cursor:
                seen = self._loaded(change, cursor)
                if seen is None:
                    raise CourseNotFound(change.keys["of_course"])
                answer = change.decided(seen.state)
                answered.append((seen, answer))
                return answer if answer == seen.state else change.store(cursor, seen, answer)
        except CommitNotKnown as lost:
            after = self._looked_up(change, *answered[-1])
            if after is None:
                raise lost.error from None  # certainly not applied: tried again
            return after

    def _loaded(self, change: Change[S], cursor: Cursor) -> Seen[S] | None:
        if not self.database.is_sqlite:
            cursor.fetch(statements.LOCK_COURSE, change.keys)
        return change.load(cursor)

    def _looked_up(self, change: Change[S], seen: Seen[S], answer: S) -> S | None:
        """Find out what became of an answer whose COMMIT was not answered.

        Tried for itself, as nothing may be decided or written before this is known. If the answer
        is what is stored, gives the state after; None if nothing has changed: it was not applied,
        nor will it be, as its transaction would hold the lock. Else nobody can know.
        """
        now = trying(partial(self._now, change))
        after = None if now is None else change.after(seen, answer, now.state)
        if after is None and (now is None or now.version != seen.version):
            msg = "the answer to a COMMIT was lost, and others have changed the course since"
            raise RepositoryUnavailable(msg)
        return after

    def _now(self, change: Change[S]) -> Seen[S] | None:
        try:
            with self.database.writing() as cursor:
                return self._loaded(change, cursor)
        except CommitNotKnown as lost:
            raise lost.error from None  # it has written nothing: tried again


_OPTION = "course_domain_writer"
_MAKING = Lock()


def writer_of(engine: sa.Engine) -> Writer:
    """Give the one writer of an engine, so that all repositories over it wait in the same lines.

    The engine keeps it, and both are forgotten together.
    """
    with _MAKING:
        writer: Writer | None = engine.get_execution_options().get(_OPTION)
        if writer is None:
            writer = Writer(engine)
            engine.update_execution_options(**{_OPTION: writer})
        return writer
