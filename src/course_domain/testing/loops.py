"""An event loop beside the clauses, so that they call an async adapter as if it were a sync one.

The loop runs in a thread of its own. A call waits there wherever its adapter waits; at the first
such point behind a decision that met a rival, it waits for that rival too.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Generator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from functools import partial
from inspect import isawaitable
from types import TracebackType
from typing import Any

try:
    import anyio
    from anyio import to_thread
    from anyio.from_thread import BlockingPortal
except ModuleNotFoundError as _error:
    _msg = "course_domain.testing.loops needs anyio: pip install 'course-domain[testing]'"
    raise ModuleNotFoundError(_msg, name=_error.name) from _error

import attrs

from course_domain.testing.bounds import CallHung, Outcome, in_background, within
from course_domain.testing.fixtures import awaitable_of
from course_domain.testing.rivals import CROWD, LOOP_CALL, Crowd, LoopCall

__tracebackhide__ = True  # pytest then shows the adapter

_END_SECONDS = 10.0
_TURNS = 20

SCOPE, TASK = "scope", "task"
WAYS: dict[str, tuple[str, ...]] = {"asyncio": (SCOPE, TASK), "trio": (SCOPE,)}
"""How a call can be cancelled on each kind of loop."""


@attrs.define
class Interruption:
    """Hold what became of a call that was to be cancelled where it waits for the nth time."""

    at: int
    """Which of its waits, counted from 1; 0 for none."""

    by: str
    """By a scope, which cancels every wait from then on, or by its task, which does so once."""

    was_reached: bool = False
    """Whether it waited that often at all."""

    was_delivered: bool = False
    """Whether the cancellation reached the adapter, which may shield itself from it."""

    was_passed_on: bool = False
    """Whether the adapter let it through."""

    outcome: Outcome = attrs.field(factory=Outcome)


@attrs.define
class _Steps:
    """Await a coroutine step by step, to act wherever it waits."""

    coroutine: Coroutine[Any, Any, Any]
    call: LoopCall
    interruption: Interruption
    cancel: Callable[[], object]
    _waits: int = attrs.field(default=0, init=False)

    def __await__(self) -> Generator[Any, Any, Any]:
        cancelled = anyio.get_cancelled_exc_class()
        step: Callable[[Any], Any] = self.coroutine.send
        value: Any = None
        while True:
            try:
                waits_for = step(value)
            except StopIteration as stop:
                return stop.value
            self._interrupt()
            try:
                # Given on at once: a loop may have the task in a line for just this.
                value = yield waits_for
                step = self.coroutine.send
            except BaseException as error:  # noqa: BLE001  thrown into the adapter's coroutine
                value = error
                step = self.coroutine.throw
            # trio sends the error with the outcome instead of throwing it.
            if isinstance(getattr(value, "error", value), cancelled):
                # One that comes before is of the adapter's own making, as each sleep of trio ends.
                self.interruption.was_delivered = self.interruption.was_reached
            elif step == self.coroutine.send:
                yield from self._met().__await__()

    def _interrupt(self) -> None:
        self._waits += 1
        if self._waits == self.interruption.at:
            self.interruption.was_reached = True
            self.cancel()

    async def _met(self) -> None:
        """Let the rivals whom the last decision has met go first, for a bounded moment."""
        while self.call.waits:
            wait, seconds = self.call.waits.pop()
            with anyio.CancelScope(shield=True):
                await to_thread.run_sync(wait, seconds)


async def _arrive(crowd: Crowd | None) -> None:
    """Wait until all of a crowd have come, so that they begin in one turn of the loop."""
    if crowd is None:
        return
    if crowd.gate is None:
        crowd.gate = anyio.Event()
    crowd.arrived += 1
    if crowd.arrived >= crowd.size:
        crowd.gate.set()
    await crowd.gate.wait()


class Loop:
    """Run an event loop while a clause is held, and everything of its adapter on it."""

    def __init__(self, backend: str) -> None:
        """Choose the kind of loop: ``asyncio`` or ``trio``."""
        self.backend = backend
        self._started: Future[BlockingPortal] = Future()
        self._contexts = ExitStack()

    def __enter__(self) -> "Loop":
        """Start it; whatever it raises as it starts is raised here."""
        self._thread, _ = in_background(self._run)
        self._portal = self._started.result()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Leave what was entered on it, and end it; one that hangs is left to itself."""
        if isinstance(error, CallHung):
            in_background(lambda: self._portal.call(self._portal.stop, True))
        else:
            within(_END_SECONDS, self._end, "the end of the loop", in_thread=True)

    def made(self, make: Callable[[], Any]) -> Any:
        """Give what `make` gives on the loop: it may be awaitable, or an async context manager."""
        given = self._portal.call(partial(_settled, make))
        if not hasattr(given, "__aenter__"):
            return given
        return self._contexts.enter_context(self._portal.wrap_async_context_manager(given))

    def call(self, method: Callable[..., Awaitable[Any]], *arguments: Any, **keywords: Any) -> Any:
        """Await a call on the loop, and give or raise what it does."""
        asked = partial(method, *arguments, **keywords)
        return self.begun(asked).result().outcome.result()

    def interrupted(
        self, asked: Callable[[], Awaitable[Any]], *, at: int, by: str = SCOPE
    ) -> Interruption:
        """Await a call on the loop, and cancel it where it waits for the nth time."""
        return self.begun(asked, at=at, by=by).result()

    def begun(
        self, asked: Callable[[], Awaitable[Any]], *, at: int = 0, by: str = SCOPE
    ) -> Future[Interruption]:
        """Begin such a call on the loop, behind all that was begun before."""
        interruption = Interruption(at, by)
        crowd = CROWD.get()

        async def run() -> Interruption:
            call = LoopCall(threading.get_ident())
            LOOP_CALL.set(call)
            await _arrive(crowd)
            with _cancelling(interruption) as cancel:
                interruption.outcome = await _outcome(
                    _Steps(_awaited(asked), call, interruption, cancel)
                )
            return interruption

        return self._portal.start_task_soon(run)

    def turn(self) -> None:
        """Let the loop turn, so that all calls that were begun come to where they wait."""

        async def turns() -> None:
            for _ in range(_TURNS):
                await anyio.sleep(0.001)

        self._portal.call(turns)

    def _run(self) -> None:
        try:
            anyio.run(self._serve, backend=self.backend)
        except BaseException as error:
            if self._started.done():
                raise
            self._started.set_exception(error)

    async def _serve(self) -> None:
        async with BlockingPortal() as portal:
            self._started.set_result(portal)
            await portal.sleep_until_stopped()

    def _end(self) -> None:
        try:
            self._contexts.close()
        finally:
            self._portal.call(self._portal.stop)
            self._thread.join()


@contextmanager
def _cancelling(interruption: Interruption) -> Generator[Callable[[], object], None, None]:
    """Give what cancels the call inside, and note whether that came out of it."""
    with anyio.CancelScope() as scope:
        if interruption.by == SCOPE:
            yield scope.cancel
        else:
            task = asyncio.current_task()
            assert task is not None
            try:
                yield task.cancel
            except asyncio.CancelledError:
                if not task.cancelling():
                    raise
                interruption.was_passed_on = True
            while task.cancelling():
                task.uncancel()
    interruption.was_passed_on |= scope.cancelled_caught


async def _settled(make: Callable[[], Any]) -> Any:
    given = make()
    return await given if isawaitable(given) else given


async def _awaited(asked: Callable[[], Awaitable[Any]]) -> Any:
    return await asked()


async def _outcome(steps: _Steps) -> Outcome:
    """Catch what the adapter raises before the loop sees it: some of it would end the loop."""
    try:
        return Outcome(await steps)
    except anyio.get_cancelled_exc_class():
        raise
    except BaseException as error:  # noqa: BLE001  `Outcome.result` raises it off the loop
        # No coroutine can raise a StopIteration; Python raises a RuntimeError from it.
        cause = error.__cause__
        return Outcome(error=cause if isinstance(cause, StopIteration) else error)


@attrs.frozen
class SyncView:
    """Give an async adapter's methods as plain ones, each awaited on the loop."""

    adapter: Any
    loop: Loop
    made_by: str = "make_repository"
    """The fixture that gave the adapter."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Give the method of this name, for a thread that is not the loop's."""
        method = getattr(self.adapter, name)
        return partial(self.loop.call, partial(awaitable_of, self.adapter, self.made_by, method))
