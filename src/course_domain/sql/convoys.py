"""Convoys: the first in line decides and stores for all who wait for the same course."""

import time
from collections import deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from threading import Lock

import attrs
from sqlalchemy.exc import DBAPIError

from course_domain.errors import RepositoryUnavailable
from course_domain.participation import Participation
from course_domain.sql.changes import ParticipationChange, Seen
from course_domain.sql.faults import Fault, fault_of
from course_domain.sql.retries import LostRace, deadline, late, trying

_LOOK_SECONDS = 1  # after which one who was not woken sees by itself whether it is decided


def _closed() -> Lock:
    """Give a gate that one other thread opens: an Event costs ten times as much."""
    gate = Lock()
    gate.acquire()
    return gate


@attrs.define(eq=False)
class Ride:
    """Hold one caller's change while somebody else may decide it, and what came of it.

    Without an answer or an error, its caller does it alone.
    """

    change: ParticipationChange
    answer: Participation | None = None
    error: BaseException | None = None
    """What the decision raised, or why nothing could be stored: for this caller alone."""

    not_known: tuple[Seen[Participation], Participation] | None = None
    """What was decided, where the answer of the database to storing it was lost."""

    leads: bool | None = None
    """Whether it decides and stores for others, or another for it; None before one of the two."""

    ending: "_Ending | None" = None
    """How its convoy ends; None until it is decided."""

    has_left: bool = False
    """Whether its caller waits no more, also where its thread was interrupted."""

    _gate: Lock = attrs.field(factory=_closed, init=False)
    until: float = attrs.field(factory=deadline, init=False)
    """When nothing new is tried for this caller."""

    def reset(self) -> None:
        """Forget what was decided on a state that is gone."""
        self.answer = self.error = self.not_known = None

    @property
    def seconds_left(self) -> float:
        """For how long this caller may still wait; below 0 when no longer."""
        return self.until - time.monotonic()

    def wait(self, seconds: float = -1) -> bool:
        """Wait until it is decided, or is to lead; False where that takes too long."""
        return self._gate.acquire(timeout=seconds)

    def wake(self) -> None:
        """Let its caller go on."""
        with suppress(RuntimeError):  # it is let go already
            self._gate.release()


@attrs.define(eq=False)
class _Ending:
    """Hold who led a convoy that is decided, and those who are still to be woken."""

    leader: Ride
    asleep: deque[Ride]

    def wake_next(self) -> bool:
        """Wake one who is still there; tell whether nobody is left to be woken."""
        with suppress(IndexError):
            while (following := self.asleep.popleft()).has_left:
                pass
            following.wake()
        return not self.asleep


DecideAndStore = Callable[[list[Ride], bool], None]
"""Tries once, behind a lock where a race was lost; what it leaves open is done alone.

Raises `LostRace`, or what the database does, where nothing is stored.
"""


class Convoys:
    """Bring together those who wait for the same course."""

    def __init__(self, decide_and_store: DecideAndStore) -> None:
        """Take what decides and stores for a whole convoy."""
        self._decide_and_store = decide_and_store
        self._guard = Lock()
        self._waiting: dict[Hashable, deque[Ride]] = {}
        """Who waits, by what they wait for: a line, though an empty one, while somebody leads."""

    def join(self, key: Hashable, ride: Ride) -> None:
        """Come back when the ride is decided, by this thread or by another.

        Each leader takes one convoy, all who wait at that moment. Who has ridden wakes the next,
        as all at once they would stand in each other's way before the one interpreter; and the
        last to be woken is followed by the next leader, so that those who come again ride with it.
        All this also where the thread of a leader, or of one who waits, is interrupted.
        """
        convoy: list[Ride] = []
        try:
            if not self._line_up(key, ride):
                self._wait(key, ride)
            if ride.leads:
                self._gather(key, convoy)
                self.drive([ride, *convoy])
        finally:
            ride.has_left = True
            if convoy:
                ride.ending = _Ending(ride, deque(convoy))
                for each in convoy:
                    each.ending = ride.ending
            if ride.ending is None or ride.ending.wake_next():
                leaving = ride if ride.ending is None else ride.ending.leader
                try:
                    self._leave(key, leaving)
                except BaseException:  # interrupted on the way out: nobody else would do it
                    self._leave(key, leaving)
                    raise

    def _line_up(self, key: Hashable, ride: Ride) -> bool:
        """Tell whether it is the first; who is not may be taken, or lead, as soon as it stands."""
        with self._guard:
            waiting = self._waiting.get(key)
            if waiting is None:
                ride.leads = True
                self._waiting[key] = deque()
                return True
            waiting.append(ride)
            return False

    def _wait(self, key: Hashable, ride: Ride) -> None:
        """Wait to be decided, or to lead; not for a place that never comes.

        Who asks again from inside a decision would wait for its own end.
        """
        if ride.wait(max(0.0, ride.seconds_left)):
            return
        with self._guard:
            if ride.leads is None:
                self._waiting[key].remove(ride)
                ride.leads = False
                ride.error = late()
                return
        while not ride.leads and ride.ending is None and not ride.wait(_LOOK_SECONDS):
            pass

    def _gather(self, key: Hashable, convoy: list[Ride]) -> None:
        behind: deque[Ride] = deque()
        with self._guard:
            convoy += self._waiting[key]  # no calls, at whose end an interrupt is raised
            self._waiting[key] = behind
            for each in convoy:
                each.leads = False

    def _leave(self, key: Hashable, ride: Ride) -> None:
        """Leave the place in the line, or, once, hand over that of the leader.

        Interrupted, it can be called again: nothing is called between what must not part.
        """
        if ride.leads is False:
            return
        with self._guard:
            waiting = self._waiting.get(key, deque())
            if not ride.leads:
                with suppress(ValueError):  # interrupted before it stood in the line
                    waiting.remove(ride)
            elif waiting:
                following = waiting[0]
                following.leads = True
                following.wake()
                del waiting[0]
            else:
                self._waiting.pop(key, None)
            ride.leads = False

    def drive(self, convoy: list[Ride]) -> None:
        """Decide and store for all; each ride then has its answer, or why not, or is left open."""
        is_lost = False

        def attempt() -> None:
            nonlocal is_lost
            try:
                self._try(convoy, is_lost)
            except LostRace:
                is_lost = True
                raise

        try:
            trying(attempt, convoy[0].until)  # who is first has waited longest
        except RepositoryUnavailable as error:
            if len(convoy) == 1:
                raise
            for ride in convoy:
                ride.reset()
                if ride.seconds_left <= 0:
                    ride.error = RepositoryUnavailable(error.reason)
        except BaseException as error:
            for ride in convoy:  # nobody takes for stored what may not be
                ride.reset()
            if len(convoy) == 1 or not isinstance(error, Exception):
                raise

    def _try(self, convoy: list[Ride], behind_lock: bool) -> None:
        """Try once; what the database has against one of many says nothing about the others."""
        try:
            self._decide_and_store(convoy, behind_lock)
        except DBAPIError as error:
            if len(convoy) > 1 and fault_of(error) in {Fault.FIRST_COME, Fault.FINAL}:
                raise RepositoryUnavailable(str(error.orig)) from error
            raise
