"""Races that are forced: a rival starts from inside a decision, in a thread of its own."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import attrs

from course_domain.errors import CourseDomainError
from course_domain.testing.bench import CALL_SECONDS, RIVAL_SECONDS
from course_domain.testing.bounds import CallHung, Outcome, in_background

T = TypeVar("T")


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

    def meet(self) -> bool:
        """Start it, wait a bounded moment, and tell whether it is done.

        Against an adapter that locks, it is still waiting then, and the decision goes on.
        """
        thread = self.start()
        thread.join(RIVAL_SECONDS)
        return not thread.is_alive()

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

    rival_was_done: list[bool]
    """Whether the rival had returned by the time of each answer."""

    @property
    def was_stored_behind_the_rival(self) -> bool:
        """Tell whether the rival had returned before the answer that was stored was given.

        What that decision was shown must then have the rival's change.
        """
        return self.first.error is None and self.rival_was_done[-1]


def duel(
    first: Callable[[Callable[[T], T]], Any],
    decide: Callable[[T], T],
    rival: Callable[[], Any],
) -> Duel[T]:
    """Run `first` with a decision that starts `rival` before it answers with `decide`."""
    opponent = Rival(rival)
    seen: list[T] = []
    done: list[bool] = []

    def decide_and_meet(state: T) -> T:
        seen.append(state)
        done.append(opponent.meet())
        return decide(state)

    mine = Outcome()
    try:
        mine.answer = first(decide_and_meet)
    except CourseDomainError as error:
        mine.error = error
    return Duel(mine, opponent.outcome(), seen, done)


def all_at_once(calls: Sequence[Callable[[], Any]]) -> list[Outcome]:
    """Run calls in a thread each, let go together, and give what each gave or raised."""
    barrier = threading.Barrier(len(calls))

    def held(call: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> Any:
            barrier.wait(CALL_SECONDS)
            return call()

        return run

    running = [in_background(held(call)) for call in calls]
    for thread, _ in running:
        thread.join(CALL_SECONDS * 2)
        if thread.is_alive():
            raise CallHung("a call among many hung")
    return [outcome for _, outcome in running]
