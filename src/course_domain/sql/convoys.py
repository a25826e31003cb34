"""Convoys: the first in line decides and stores for all who wait for the same course."""

import time
from collections import deque
from collections.abc import Callable, Hashable
from threading import Event, Lock

import attrs

from course_domain.errors import RepositoryUnavailable
from course_domain.participation import Participation
from course_domain.sql.changes import ParticipationChange, Seen
from course_domain.sql.connections import TRYING_SECONDS, deadline


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
    _ready: Event = attrs.field(factory=Event, init=False)
    until: float = attrs.field(factory=deadline, init=False)
    """When nothing new is tried for this caller."""

    def reset(self) -> None:
        """Forget what was decided on a state that is gone."""
        self.answer = self.error = self.not_known = None
        self.goes_alone = False

    @property
    def is_late(self) -> bool:
        """Tell whether this caller has waited for as long as any may."""
        return time.monotonic() > self.until

    def wait(self) -> None:
        """Wait until it is decided, or is to lead."""
        self._ready.wait()

    def wake(self) -> None:
        """Let its caller go on."""
        self._ready.set()


class Convoys:
    """Bring together those who wait for the same course."""

    def __init__(self, drive: Callable[[list[Ride]], None]) -> None:
        """Take what decides and stores for a whole convoy; it raises nothing."""
        self._drive = drive
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
        if waiting is not None:
            ride.wait()
            if not ride.leads:
                return
        self._lead(key, ride)

    def _lead(self, key: Hashable, ride: Ride) -> None:
        with self._guard:
            convoy = [ride, *self._waiting[key]]
            self._waiting[key].clear()
        try:
            self._drive(_in_time(convoy))
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


def _in_time(convoy: list[Ride]) -> list[Ride]:
    late = [each for each in convoy if each.is_late]
    for each in late:
        each.error = RepositoryUnavailable(f"others were writing for {TRYING_SECONDS} seconds")
    return [each for each in convoy if not each.is_late and each.error is None]
