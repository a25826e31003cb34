"""Races that are forced: a rival starts from inside a decision, in a thread of its own.

A decision that runs on an event loop must not wait there; the call it belongs to waits instead,
at the next point where it gives the loop away (`course_domain.testing.loops`).
"""

import sys
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

import attrs

from course_domain.rules import CourseDomainError
from course_domain.testing.bench import CALL_SECONDS, RIVAL_SECONDS
from course_domain.testing.bounds import CallHung, Outcome, in_background

T = TypeVar("T")

TIMES = 4
"""How often a crowd is sent: on a busy machine one in ten may not meet."""

_SWITCH_SECONDS = 1e-5  # calls that take no time must meet too


@attrs.define
class LoopCall:
    """Hold what a call on an event loop is to wait for, each with how long at most."""

    thread_id: int
    """The thread of the loop."""

    waits: list[tuple[Callable[[float], Any], float]] = attrs.Factory(
        list[tuple[Callable[[float], Any], float]]
    )


@attrs.define
class Crowd:
    """Hold how many calls begin together, and how many of them have come to the event loop."""

    size: int
    arrived: int = 0
    gate: Any = None


LOOP_CALL: ContextVar[LoopCall | None] = ContextVar("LOOP_CALL", default=None)
"""The call on an event loop, if any, that a decision is part of."""

CROWD: ContextVar[Crowd | None] = ContextVar("CROWD", default=None)
"""The crowd, if any, that a call is part of."""


def hold_up(wait: Callable[[float], Any], seconds: float) -> bool:
    """Wait inside a decision, and tell whether that was done: on an event loop it comes after."""
    call = LOOP_CALL.get()
    if call is not None and call.thread_id == threading.get_ident():
        call.waits.append((wait, seconds))
        return False
    wait(seconds)
    return True


@attrs.define
class Rival:
    """Start one call once, when a decision asks for it, and tell how far it has come."""

    call: Callable[[], Any]
    _thread: threading.Thread | None = attrs.field(default=None, init=False)
    _outcome: Outcome = attrs.field(factory=Outcome, init=False)
    _once: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    @property
    def was_started(self) -> bool:
        """Tell whether a decision has asked for it."""
        return self._thread is not None

    def start(self) -> threading.Thread:
        """Start the call if it has not been; it is known to run when this returns."""
        with self._once:
            if self._thread is None:
                started = threading.Event()

                def run() -> Any:
                    started.set()
                    return self.call()

                self._thread, self._outcome = in_background(run)
                started.wait(CALL_SECONDS)
        return self._thread

    def meet(self, seconds: float | None = None) -> bool | None:
        """Start it, wait a bounded moment, and tell whether it is done.

        Against an adapter that locks, it is still waiting then, and the decision goes on. None
        where that cannot be told: on an event loop the call waits after the decision.
        """
        thread = self.start()
        moment = RIVAL_SECONDS if seconds is None else seconds
        return not thread.is_alive() if hold_up(thread.join, moment) else None

    def outcome(self) -> Outcome:
        """Wait for the rival's answer or error."""
        if self._thread is None:
            raise AssertionError("the decision was never asked, so no rival was started")
        self._thread.join(CALL_SECONDS)
        if self._thread.is_alive():
            raise CallHung(f"the rival's call hung: no answer in {CALL_SECONDS} seconds")
        return self._outcome


@attrs.define
class Duel(Generic[T]):
    """Let a first call and its rival meet inside the first one's decision."""

    first: Outcome
    rival: Outcome
    seen: list[T]
    """What the first decision was shown, each time that it was asked."""


def duel(
    first: Callable[[Callable[[T], T]], Any],
    decide: Callable[[T], T],
    rival: Callable[[], Any],
) -> Duel[T]:
    """Run `first` with a decision that starts `rival` before it answers with `decide`."""
    opponent = Rival(rival)
    seen: list[T] = []

    def decide_and_meet(state: T) -> T:
        seen.append(state)
        opponent.meet()
        return decide(state)

    mine = Outcome()
    try:
        mine.answer = first(decide_and_meet)
    except CourseDomainError as error:
        mine.error = error
    return Duel(mine, opponent.outcome(), seen)


@contextmanager
def switching_often() -> Generator[None, None, None]:
    """Let Python switch between threads far more often than it does."""
    switching = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(switching)


def all_at_once(calls: Sequence[Callable[[], Any]]) -> list[Outcome]:
    """Run calls in a thread each, let go together, and give what each gave or raised."""
    barrier = threading.Barrier(len(calls))
    crowd = Crowd(len(calls))

    def held(call: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            CROWD.set(crowd)
            barrier.wait(CALL_SECONDS)
            return call()

        return run

    with switching_often():
        running = [in_background(held(call)) for call in calls]
        for thread, _ in running:
            thread.join(CALL_SECONDS * 2)
            if thread.is_alive():
                raise CallHung("a call among many hung")
    return [outcome for _, outcome in running]
