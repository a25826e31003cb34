"""The event loop of the kit: what a clause calls runs there, step by step."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import CancelledError
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import anyio
import pytest
from anyio.lowlevel import checkpoint

from course_domain.testing.loops import SCOPE, TASK, Loop, SyncView
from course_domain.testing.rivals import Rival, all_at_once


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> Iterator[Loop]:
    """Give a loop that runs, of each kind."""
    with Loop(request.param) as running:
        yield running


class Busy:
    """An adapter that counts how many of its calls are under way."""

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0

    async def call(self) -> None:
        """Wait once."""
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await checkpoint()
        self.under_way -= 1


def test_crowd_begins_in_one_turn_of_the_loop(loop: Loop) -> None:
    """Calls that are let go together are all under way before the first of them goes on."""
    for _ in range(10):
        busy = Busy()
        all_at_once([SyncView(busy, loop).call] * 16)

        assert 16 == busy.most


def test_rival_goes_first_where_the_call_waits(loop: Loop) -> None:
    """A rival met by a decision is done before its call goes on, though nothing blocks the loop."""
    done: list[str] = []

    async def rival() -> None:
        for _ in range(5):
            await checkpoint()
        done.append("rival")

    async def call() -> None:
        met = Rival(partial(loop.call, rival)).meet(10)
        done.append(f"decided, {met}")
        await checkpoint()
        done.append("call")

    loop.call(call)

    assert ["decided, None", "rival", "call"] == done


def test_rival_is_waited_for_in_a_worker_thread(loop: Loop) -> None:
    """A decision beside the loop may wait for its rival, as it does without a loop."""

    async def call() -> bool | None:
        return await anyio.to_thread.run_sync(Rival(partial(loop.call, checkpoint)).meet, 10)

    assert True is loop.call(call)


@pytest.mark.parametrize(
    "kind", [OSError, KeyboardInterrupt, SystemExit, GeneratorExit, StopIteration]
)
def test_what_a_call_raises_comes_out_as_it_is(loop: Loop, kind: type[BaseException]) -> None:
    """Whatever a call raises is raised where it was asked, and the loop goes on."""
    raised = kind("raised")

    async def call() -> None:
        await checkpoint()
        raise raised

    with pytest.raises(kind) as caught:
        loop.call(call)

    assert raised is caught.value
    assert threading.get_ident() != loop.call(thread)


async def thread() -> int:
    """Tell the thread of the loop."""
    return threading.get_ident()


def test_call_is_cancelled_at_each_of_its_waits(loop: Loop) -> None:
    """The nth wait is where the cancellation comes, and what is beyond the last is not reached."""
    steps: list[int] = []

    async def call() -> str:
        steps.clear()
        for number in range(3):
            await checkpoint()
            steps.append(number)
        return "done"

    ends: list[tuple[Any, ...]] = []
    for at in (1, 2, 3, 4):
        ended = loop.interrupted(call, at=at)
        ends.append((len(steps), ended.was_reached, ended.was_delivered, ended.was_passed_on))

    assert [(0, True, True, True), (1, True, True, True), (2, True, True, True)] == ends[:3]
    assert (3, False, False, False) == ends[3]


def test_shielded_call_does_not_hear_of_its_cancellation(loop: Loop) -> None:
    """What an adapter shields runs on, and its answer is told."""

    async def call() -> str:
        with anyio.CancelScope(shield=True):
            await checkpoint()
        return "done"

    ended = loop.interrupted(call, at=1)

    assert (True, False, "done") == (ended.was_reached, ended.was_delivered, ended.outcome.answer)


def test_time_limit_of_an_adapter_is_no_cancellation(loop: Loop) -> None:
    """What an adapter cancels by a time limit of its own is not taken for what reached it."""

    async def call() -> str:
        with anyio.move_on_after(0.001):
            await anyio.sleep(10)
        return "done"

    ended = loop.interrupted(call, at=9)

    assert (False, False, "done") == (
        ended.was_reached,
        ended.was_delivered,
        ended.outcome.answer,
    )


def test_swallowed_cancellation_is_told(loop: Loop) -> None:
    """A call that answers although its cancellation was delivered has not passed it on."""

    async def call() -> str:
        try:
            await checkpoint()
        except anyio.get_cancelled_exc_class():
            return "swallowed"
        return "done"

    ended = loop.interrupted(call, at=1)

    assert (True, False) == (ended.was_delivered, ended.was_passed_on)
    assert "swallowed" == ended.outcome.answer


def test_task_s_own_cancel_comes_once() -> None:
    """Asyncio's own cancel stops one wait, and the next ones go on; a scope's stops them all."""
    told: list[str] = []

    async def call(by: str) -> None:
        try:
            await checkpoint()
        finally:
            await checkpoint()
            told.append(by)

    with Loop("asyncio") as loop:
        ends = [loop.interrupted(partial(call, by), at=1, by=by) for by in (SCOPE, TASK)]
        assert threading.get_ident() != loop.call(thread)

    assert [True, True] == [each.was_passed_on for each in ends]
    assert [TASK] == told


@pytest.mark.parametrize("by", [SCOPE, TASK])
def test_cancellation_that_nobody_has_asked_for_is_none(by: str) -> None:
    """A call that raises a cancellation by itself is not taken for one that was cancelled."""

    async def call() -> None:
        raise asyncio.CancelledError

    with Loop("asyncio") as loop, pytest.raises(CancelledError):
        loop.interrupted(call, at=1, by=by)


def test_swallowed_cancel_of_the_task_is_told() -> None:
    """A call that answers although its task was cancelled has not passed that on."""

    async def call() -> str:
        with suppress(asyncio.CancelledError):
            await checkpoint()
        return "swallowed"

    with Loop("asyncio") as loop:
        ended = loop.interrupted(call, at=1, by=TASK)

    assert (True, False) == (ended.was_delivered, ended.was_passed_on)
    assert "swallowed" == ended.outcome.answer


def test_calls_that_were_begun_come_to_where_they_wait(loop: Loop) -> None:
    """Calls begin in the order in which they were asked, and are under way when it has turned."""
    begun: list[int] = []
    may_go_on = threading.Event()

    async def call(number: int) -> int:
        begun.append(number)
        while not may_go_on.is_set():
            await checkpoint()
        return number

    calls = [loop.begun(partial(call, number)) for number in range(3)]
    loop.turn()

    assert [0, 1, 2] == begun
    assert not any(each.done() for each in calls)
    may_go_on.set()
    assert [0, 1, 2] == [each.result().outcome.result() for each in calls]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_context_manager_is_left_when_the_loop_ends(backend: str) -> None:
    """What is made may be awaited, or entered; that is left on the same loop, before its end."""
    told: list[str] = []

    @asynccontextmanager
    async def pool() -> AsyncGenerator[str, None]:
        told.append("opened")
        yield "a pool"
        await checkpoint()
        told.append("closed")

    async def plain() -> str:
        await checkpoint()
        return "awaited"

    with Loop(backend) as loop:
        assert ["a pool", "awaited", "just so"] == list(map(loop.made, (pool, plain, just_so)))

    assert ["opened", "closed"] == told


def just_so() -> str:
    """Give something."""
    return "just so"


def test_loop_that_does_not_start_says_so() -> None:
    """A kind of loop that there is none of is told where the loop was to start."""
    with pytest.raises(LookupError, match="twisted"):
        Loop("twisted").__enter__()
