"""Participations on SQLite: a whole convoy decided and stored in one transaction."""

from course_domain.errors import CourseNotFound
from course_domain.sql.changes import FromDecision
from course_domain.sql.connections import Database
from course_domain.sql.convoys import Ride
from course_domain.sql.driver import Cursor


class ParticipationConvoys:
    """Decide and store a convoy, each ride on what the rides before it have stored.

    One writer has the whole file, and one flush to the disk is what costs most: so those who
    wait share it, whatever their courses are.
    """

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def decide_and_store(self, convoy: list[Ride], _behind_lock: bool) -> None:
        """Decide and store for all; each ride then has its answer, or why not."""
        first = convoy[0]
        line = self._database.line(self._database.key_of(first.change.keys), first.until)
        with line, self._database.writing() as cursor:
            for ride in convoy:
                _decide_and_store(cursor, ride)


def _decide_and_store(cursor: Cursor, ride: Ride) -> None:
    ride.reset()
    change = ride.change
    seen = change.load(cursor)
    if seen is None:
        ride.error = CourseNotFound(change.keys["of_course"])
        return
    try:
        answer = change.decided(seen.state)
    except FromDecision as carrier:
        ride.error = carrier.error
        return
    ride.answer = answer if answer == seen.state else change.store(cursor, seen, answer)
