"""The two kinds of change: what each loads, decides, stores, and recognises as its own work."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import attrs

from course_domain.course import Course
from course_domain.participation import Participation, Registration, RegistrationStatus
from course_domain.sql import statements
from course_domain.sql.driver import Cursor
from course_domain.sql.retries import LostRace
from course_domain.sql.rows import new
from course_domain.values import Kind, checked, record

S = TypeVar("S")

_COURSE = record(Course)
_PARTICIPATION = record(Participation)


@attrs.frozen
class Seen(Generic[S]):
    """Hold what was loaded, with the version of the course that it was loaded at."""

    version: int
    state: S


class Change(Protocol[S]):
    """Tell the adapter how one kind of change is loaded and stored."""

    @property
    def keys(self) -> Mapping[str, Any]:
        """The parameters that say which course, and which person's participation."""
        ...

    def decided(self, state: S) -> S:
        """Ask the decision; what it raises is carried by `FromDecision`."""
        ...

    def load(self, cursor: Cursor) -> Seen[S] | None:
        """Load one committed state; None when the organization has no such course."""
        ...

    def store(self, cursor: Cursor, seen: Seen[S], answer: S) -> S:
        """Store an answer on condition of the version, and give the state after.

        Raises `LostRace` when somebody was first.
        """
        ...

    def after(self, seen: Seen[S], answer: S, now: S, /) -> S | None:
        """Give the state after, if what is stored now is this answer; else None."""
        ...


class FromDecision(Exception):  # a step on the way out, which no caller sees
    """Carry what a decision raised past the retries, which are for the database's errors."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(error)
        self.error = error


def _asked(decide: Callable[[S], S], state: S, kind: Kind[S]) -> S:
    try:
        answer: S
        (answer,) = checked(answer=(kind, decide(state)))
    except BaseException as error:  # noqa: BLE001  carried past the retries to its own caller
        raise FromDecision(error) from None
    return answer


def _expect_one(count: int) -> None:
    if count != 1:
        raise LostRace


@attrs.frozen
class CourseChange:
    """Change one course."""

    keys: Mapping[str, Any]
    decide: Callable[[Course], Course]

    def decided(self, state: Course) -> Course:
        """Ask the decision."""
        return _asked(self.decide, state, _COURSE)

    def load(self, cursor: Cursor) -> Seen[Course] | None:
        """Load the course."""
        rows = cursor.fetch(statements.LOAD_COURSE, self.keys)
        return Seen(rows[0][0], cursor.rows.course(rows[0][1:])) if rows else None

    def store(self, cursor: Cursor, seen: Seen[Course], answer: Course) -> Course:
        """Store every column of the answer."""
        stored = {**self.keys, **new(answer), "seen_version": seen.version}
        _expect_one(cursor.write(statements.STORE_COURSE, stored))
        return answer

    def after(self, _seen: Seen[Course], answer: Course, now: Course) -> Course | None:
        """Recognise the answer by all its fields."""
        return answer if now == answer else None


def seats_taken(seen: Participation, answer: Participation) -> int:
    """Give by how much the confirmed count changes."""
    if answer.registration is None:
        return 0
    return _is_confirmed(answer.registration) - _is_confirmed(seen.registration)


def _is_confirmed(registration: Registration | None) -> bool:
    return registration is not None and registration.status is RegistrationStatus.CONFIRMED


@attrs.frozen
class ParticipationChange:
    """Change one person's participation in a course."""

    keys: Mapping[str, Any]
    decide: Callable[[Participation], Participation]

    def decided(self, state: Participation) -> Participation:
        """Ask the decision."""
        return _asked(self.decide, state, _PARTICIPATION)

    @property
    def user_id(self) -> UUID:
        """The person."""
        user_id: UUID = self.keys["of_user"]
        return user_id

    def load(self, cursor: Cursor) -> Seen[Participation] | None:
        """Load course, count, registration and certificate in one statement."""
        rows = cursor.fetch(statements.LOAD_PARTICIPATION, self.keys)
        if not rows:
            return None
        return Seen(rows[0][0], cursor.rows.participation(rows[0], self.user_id))

    def store(
        self, cursor: Cursor, seen: Seen[Participation], answer: Participation
    ) -> Participation:
        """Store registration, certificate and reminder; the course's row first, as the guard."""
        state = seen.state
        counted = {**self.keys, "seen_version": seen.version, "seats": seats_taken(state, answer)}
        _expect_one(cursor.write(statements.COUNT_SEATS, counted))
        if answer.registration is not None and answer.registration != state.registration:
            is_there = state.registration is not None
            store = statements.STORE_REGISTRATION if is_there else statements.ADD_REGISTRATION
            cursor.write(store, {**self.keys, **new(answer.registration)})
        if answer.certificate is not None and state.certificate is None:
            cursor.write(statements.ADD_CERTIFICATE, new(answer.certificate))
        return self._after(state, answer, is_added=self._add_reminder(cursor, state, answer))

    def stored(self, seen: Seen[Participation], answer: Participation) -> Participation:
        """Give the state after an answer that adds no reminder."""
        return self._after(seen.state, answer, is_added=False)

    def after(
        self, seen: Seen[Participation], answer: Participation, now: Participation
    ) -> Participation | None:
        """Recognise the answer by the records that it stores."""
        expected = self.stored(seen, answer)
        if (now.registration, now.certificate) != (expected.registration, expected.certificate):
            return None
        is_new = seen.state.certificate is None and answer.certificate is not None
        return attrs.evolve(now, reminder=answer.reminder if is_new else None)

    def _add_reminder(self, cursor: Cursor, state: Participation, answer: Participation) -> bool:
        """Put the reminder into the outbox, unless it was ever there or its certificate is not."""
        reminder, stored = answer.reminder, state.certificate
        if reminder is None or (stored is not None and answer.certificate not in (None, stored)):
            return False
        key = {**self.keys, "of_certificate": reminder.certificate_id}
        if cursor.fetch(statements.FIND_REMINDER, key):
            return False
        cursor.write(statements.ADD_REMINDER, new(reminder))
        return True

    def _after(
        self, state: Participation, answer: Participation, *, is_added: bool
    ) -> Participation:
        return Participation(
            course=state.course,
            confirmed_count=state.confirmed_count + seats_taken(state, answer),
            user_id=state.user_id,
            registration=answer.registration or state.registration,
            certificate=state.certificate or answer.certificate,
            reminder=answer.reminder if is_added else None,
        )
