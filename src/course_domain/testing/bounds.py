"""A bound on every call of an adapter, so that one that hangs is named and not waited for."""

import signal
import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from types import FrameType, SimpleNamespace
from typing import Any, Never

import attrs

__tracebackhide__ = True  # pytest then shows the adapter


class CallHung(AssertionError):
    """Tell that a call of the adapter did not return in time."""


def within(seconds: float, call: Callable[[], Any], name: str, *, in_thread: bool) -> Any:
    """Give what a call gives or raises; `CallHung` when it takes longer.

    In a thread of its own where the adapter takes that, else by an alarm where there is one: a
    connection may belong to the thread that opened it.
    """
    hung = f"{name} hung: no answer in {seconds} seconds"
    if in_thread:
        return _in_thread(seconds, call, hung)
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return _with_alarm(seconds, call, hung)
    return call()


@attrs.define
class Outcome:
    """Hold what a call in another thread gave or raised."""

    answer: Any = None
    error: BaseException | None = None

    def result(self) -> Any:
        """Give the answer, or raise the very object that was raised there."""
        if self.error is not None:
            raise self.error
        return self.answer


def in_background(call: Callable[[], Any]) -> tuple[threading.Thread, Outcome]:
    """Start a call in a thread of its own, in the context of whoever asks for it."""
    outcome = Outcome()
    context = copy_context()

    def run() -> None:
        try:
            outcome.answer = call()
        except BaseException as error:  # noqa: BLE001  `result` raises it in the asking thread
            outcome.error = error

    thread = threading.Thread(target=context.run, args=(run,), daemon=True)
    thread.start()
    return thread, outcome


def _in_thread(seconds: float, call: Callable[[], Any], hung: str) -> Any:
    thread, outcome = in_background(call)
    thread.join(seconds)
    if thread.is_alive():
        raise CallHung(hung)
    return outcome.result()


def _with_alarm(seconds: float, call: Callable[[], Any], hung: str) -> Any:
    def ring(_signal: int, _frame: FrameType | None) -> Never:
        raise CallHung(hung)

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return call()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def bounded(adapter: Any, port: type, seconds: float, *, in_thread: bool) -> Any:
    """Give an object with the methods of the port, each the adapter's with a bound."""

    def bound(name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            # Looked up only now: an adapter that is half written keeps what it can.
            asked = partial(getattr(adapter, name), *arguments, **keywords)
            return within(seconds, asked, name, in_thread=in_thread)

        return call

    methods = [name for name in vars(port) if not name.startswith("_")]
    return SimpleNamespace(**{name: bound(name) for name in methods})
