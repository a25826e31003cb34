"""Registrations on PostgreSQL: a whole convoy loaded and stored in one statement each."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

import attrs

from course_domain.errors import CourseNotFound
from course_domain.participation import Participation, Registration
from course_domain.sql import statements
from course_domain.sql.changes import FromDecision, Seen
from course_domain.sql.connections import CommitNotKnown, Database
from course_domain.sql.convoy_statements import (
    LOAD_CONVOY,
    LOAD_ONE,
    STORE_CONVOY,
    STORE_ONE,
    together,
)
from course_domain.sql.convoys import Ride
from course_domain.sql.driver import Cursor
from course_domain.sql.retries import LostRace
from course_domain.sql.rows import new


@attrs.define
class _Decided:
    """Hold what a convoy was shown and has answered, as the state that grows."""

    version: int
    count: int
    """The confirmed registrations, those of this convoy among them."""

    shown: Callable[[UUID, int], Participation]
    """Reads what was loaded of a person, on a course with so many confirmed."""

    states: dict[UUID, Participation] = attrs.Factory(dict[UUID, Participation])
    """Those that have changed."""

    seats: int = 0
    """By how much the count has changed."""

    registrations: dict[UUID, Registration] = attrs.Factory(dict[UUID, Registration])
    seen: dict[Ride, Seen[Participation]] = attrs.Factory(dict[Ride, Seen[Participation]])

    def ask(self, ride: Ride) -> None:
        """Ask one decision, about the state with all earlier answers of this convoy."""
        ride.reset()
        user_id = ride.change.user_id
        seen = Seen(self.version, self._state_of(user_id))
        try:
            answer = ride.change.decided(seen.state)
        except FromDecision as carrier:
            ride.error = carrier.error
            return
        if answer.registration == seen.state.registration and answer == seen.state:
            ride.answer = answer
            return
        registration = _registration_alone(seen.state, answer)
        if registration is None:
            return  # left open
        ride.answer = ride.change.stored(seen, answer)
        self.seen[ride] = seen
        self.seats += ride.answer.confirmed_count - self.count
        self.count = ride.answer.confirmed_count
        self.states[user_id] = ride.answer
        self.registrations[user_id] = registration

    def _state_of(self, user_id: UUID) -> Participation:
        changed = self.states.get(user_id)
        if changed is None:
            return self.shown(user_id, self.count)
        return attrs.evolve(changed, confirmed_count=self.count)

    def leave_open(self, ride: Ride) -> None:
        """Let a ride look up its own answer, and be asked again where it only saw others'."""
        seen, answer = self.seen.get(ride), ride.answer
        ride.reset()
        if seen is not None and answer is not None:
            ride.not_known = (seen, answer)


def _registration_alone(seen: Participation, answer: Participation) -> Registration | None:
    """Give the registration of an answer that adds nothing else; None of any other."""
    adds_more = answer.certificate not in (None, seen.certificate) or answer.reminder is not None
    return None if adds_more else answer.registration


class RegistrationConvoys:
    """Decide and store a convoy, with one statement to load and one to store for all."""

    def __init__(self, database: Database) -> None:
        """Work on this database."""
        self._database = database

    def decide_and_store(self, convoy: list[Ride], behind_lock: bool) -> None:
        """Decide and store for all that only register or cancel; the others are left open.

        Raises `LostRace` when somebody was first.
        """
        keys = convoy[0].change.keys
        asked: list[_Decided] = []
        database = self._database
        try:
            with database.writing() if behind_lock else database.autocommitting() as cursor:
                if behind_lock:
                    cursor.fetch(statements.LOCK_COURSE, keys)
                decided = _loaded(cursor, convoy)
                asked.append(decided)
                for ride in convoy:
                    decided.ask(ride)
                if decided.registrations:
                    _store(cursor, keys, decided)
        except CourseNotFound as error:
            for ride in convoy:
                ride.error = CourseNotFound(error.course_id)
        except CommitNotKnown:
            for ride in convoy:
                asked[-1].leave_open(ride)


def _loaded(cursor: Cursor, convoy: list[Ride]) -> _Decided:
    keys = convoy[0].change.keys
    users = list({ride.change.user_id for ride in convoy})
    if len(users) == 1:
        rows = cursor.fetch(LOAD_ONE, keys)
    else:
        rows = cursor.fetch(LOAD_CONVOY, {**keys, "of_users": users})
    if not rows:
        raise CourseNotFound(keys["of_course"])
    own = {row[-1]: row for row in rows}

    def shown(user_id: UUID, count: int) -> Participation:
        return cursor.rows.participation(own[user_id], user_id, count)

    return _Decided(version=rows[0][0], count=rows[0][1], shown=shown)


def _store(cursor: Cursor, keys: Mapping[str, Any], decided: _Decided) -> None:
    parameters = {**keys, "seen_version": decided.version, "seats": decided.seats}
    registrations = list(decided.registrations.values())
    if len(registrations) == 1:
        stored = cursor.write(STORE_ONE, parameters | new(registrations[0]))
    else:
        stored = cursor.write(STORE_CONVOY, parameters | together(registrations))
    if not stored:
        raise LostRace
