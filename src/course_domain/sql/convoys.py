"""Convoys: the first in line decides and stores for all who wait for the same course."""

import time
from collections import deque
from collections.abc import Callable, Hashable
from threading import Lock

import attrs

from course_domain.errors import RepositoryUnavailable
from course_domain.participation import Participation
from course_domain.sql.changes import ParticipationChange, Seen
from course_domain.sql.retries import LostRace, deadline, late, trying


def _closed() -> Lock:
    """Give a gate that one other thread opens: an Event costs ten times as much."""
    gate = Lock()
    gate.acquire()
    return gate


@attrs.define(eq=False)
class Ride:
    """Hold one caller's change while somebody else may decide it, and what came of it."""

    change: ParticipationChange
    answer: Participation | None = None
    error: BaseException | None = None
    """What the decision raised, or why nothing could be stored: for this caller alone."""

    goes_alone: bool = False
    """The answer is more than a registration, or who was first is gone: done behind a lock."""

    not_known: tuple[Seen[Participation], Participation] | None = None
    """What was decided, where the answer of the database to storing it was lost."""

    leads: bool = False
    _gate: Lock = attrs.field(factory=_closed, init=False)
    until: float = attrs.field(factory=deadline, init=False)
    """When nothing new is tried for this caller."""

    def reset(self) -> None:
        """Forget what was decided on a state that is gone."""
        self.answer = self.error = self.not_known = None
        self.goes_alone = False

    @property
    def seconds_left(self) -> float:
        """For how long this caller may still wait; below 0 when no longer."""
        return self.until - time.monotonic()

    def wait(self, seconds: float = -1) -> bool:
        """Wait until it is decided, or is to lead; False where that takes too long."""
        return self._gate.acquire(timeout=seconds)

    def wake(self) -> None:
        """Let its caller go on; once."""
        self._gate.release()


DecideAndStore = Callable[[list[Ride], bool], None]
"""Tries once, behind a lock where a race was lost; each ride then has its answer, or why not.

Raises `LostRace`, or what the database does, where nothing is stored.
"""


class Convoys:
    """Bring together those who wait for the same course."""

    def __init__(self, decide_and_store: DecideAndStore) -> None:
        """Take what decides and stores for a whole convoy."""
        self._decide_and_store = decide_and_store
        self._guard = Lock()
        self._waiting: dict[Hashable, deque[Ride]] = {}

    def join(self, key: Hashable, ride: Ride) -> None:
        """Come back when the ride is decided, by this thread or by another.

        Each leader takes one convoy, all who wait at that moment, and hands over to the next.
        """
        with self._guard:
            waiting = self._waiting.get(key)
            if waiting is None:
                self._waiting[key] = deque()
            else:
                waiting.append(ride)
        if waiting is not None and not self._leads(key, ride):
            return
        self._lead(key, ride)

    def _leads(self, key: Hashable, ride: Ride) -> bool:
        """Wait, and tell whether this ride is to lead; not for a place that never comes.

        Who asks again from inside a decision would wait for its own end.
        """
        if not ride.wait(max(0.0, ride.seconds_left)):
            with self._guard:
                if ride in (waiting := self._waiting.get(key, deque())):
                    waiting.remove(ride)
                    ride.error = late()
                    return False
            ride.wait()
        return ride.leads

    def _lead(self, key: Hashable, ride: Ride) -> None:
        with self._guard:
            convoy = [ride, *self._waiting[key]]
            self._waiting[key].clear()
        try:
            self.drive(convoy)
        finally:
            with self._guard:
                waiting = self._waiting[key]
                if waiting:
                    following = waiting.popleft()
                    following.leads = True
                    following.wake()
                else:
                    del self._waiting[key]
            for each in convoy[1:]:
                each.wake()

    def drive(self, convoy: list[Ride]) -> None:
        """Decide and store for all; each ride then has its answer, or why not."""
        is_lost = False

        def attempt() -> None:
            nonlocal is_lost
            try:
                self._decide_and_store(convoy, is_lost)
            except LostRace:
                is_lost = True
                raise

        try:
            trying(attempt, convoy[0].until)  # who is first has waited longest
        except RepositoryUnavailable as error:
            for ride in convoy:
                ride.reset()
                ride.error = RepositoryUnavailable(error.reason)
        except BaseException:
            for ride in convoy:  # nobody takes for stored what may not be
                ride.reset()
            raise
