"""Clauses for an async adapter alone: who waits, and what one task sees of another."""

import threading
from concurrent.futures import Future
from functools import partial
from typing import Any
from uuid import uuid4

import anyio
import attrs

from course_domain.course import Course
from course_domain.testing import clauses_cancelled
from course_domain.testing.async_bench import AsyncRepositoryBench, AsyncSchedulerBench
from course_domain.testing.bench import NOW, completed, confirmed, course
from course_domain.testing.clause import Clause, clause
from course_domain.testing.clauses_cancelled import MOST_WAITS, raise_what_it_did_not_bring
from course_domain.testing.clauses_scheduler import a_reminder
from course_domain.testing.contestants import one_more_seat, seats
from course_domain.testing.expectations import broken, expect
from course_domain.testing.loops import Interruption
from course_domain.testing.rivals import hold_up

_EXPIRY = NOW.replace(year=2028)


@clause("ASYNC-5")
def who_was_cancelled_in_a_line_lets_the_others_on(bench: AsyncRepositoryBench) -> None:
    """Of three calls about a course one is cancelled: the others, and the next, are stored.

    A failure means that a browser that was closed takes the turn of who waits behind it, or that
    two hold a course at once from then on.

    A correct adapter takes who was cancelled out of its line, and wakes the next one.
    """
    for place in (0, 1):
        for at in range(1, MOST_WAITS + 1):
            if not _cancelled_in_a_line(bench, place, at):
                break


def _cancelled_in_a_line(bench: AsyncRepositoryBench, place: int, at: int) -> bool:
    """Let two calls come while the first one has decided; tell whether one waited that often."""
    on = bench.stored(max_participants=1)
    has_decided, may_go_on = threading.Event(), threading.Event()

    def decide(seen: Course) -> Course:
        if not has_decided.is_set():
            has_decided.set()
            hold_up(may_go_on.wait, bench.call_seconds)
        return one_more_seat(seen)

    calls: list[Future[Interruption]] = []
    try:
        for number in range(3):
            interrupted_at = at if number == place else 0
            asked = one_more_seat if number else decide
            arguments = (on.organization_id, on.id, asked)
            calls.append(bench.begun("change_course", *arguments, at=interrupted_at))
            calls[0].add_done_callback(lambda _: has_decided.set())
            has_decided.wait(bench.call_seconds)
            bench.loop.turn()
    finally:
        may_go_on.set()
    ended: list[Interruption] = [bench.ended(each, "change_course") for each in calls]
    for each in ended:
        raise_what_it_did_not_bring(each)
    bench.repository.change_course(on.organization_id, on.id, one_more_seat)
    most = 1 + len(calls) + 1
    least = most - (ended[place].outcome.answer is None)
    what = f"call {place + 1} of 3, cancelled at wait {at}: a number that each raised by one"
    observed = seats(bench.repository, on)
    if observed not in (least, most):
        raise broken(what, f"{least} to {most}", str(observed))
    return ended[place].was_reached


@clause("ASYNC-6")
def a_task_sees_at_once_what_was_stored(bench: AsyncRepositoryBench) -> None:
    """A task that goes on after a call, without a pause, sees what was stored, whoever stored it.

    A failure means that a list lacks what a person has just entered, or that a long task shows
    what it has read once.

    A correct adapter has stored a change when the call returns, and keeps nothing for a task.
    """
    adapter, (on, whose) = bench.adapter, (course(title="before"), uuid4())
    key = (on.organization_id, on.id)
    expected: list[Any] = []
    observed: list[Any] = []

    async def in_one_task() -> None:
        await adapter.add(on)
        page = await adapter.courses(on.organization_id)
        observed.append(page.items)
        expected.append((on,))
        changed = await adapter.change_course(*key, partial(attrs.evolve, title="after"))
        observed.append(await adapter.get(*key))
        expected.append(changed)
        seated = await adapter.change_participation(*key, whose, confirmed)
        entries = await adapter.participations(on.organization_id, [on.id], whose)
        observed.append(entries[on.id])
        expected.append(seated)
        complete = partial(completed, expires_at=_EXPIRY)
        done = await adapter.change_participation(*key, whose, complete)
        page = await adapter.pending_reminders()
        observed.append(page.items)
        expected.append((done.reminder,))
        await adapter.mark_reminder_scheduled(done.reminder)
        page = await adapter.pending_reminders()
        observed.append(page.items)
        expected.append(())

    bench.ended(bench.loop.begun(in_one_task), "a task of many calls").outcome.result()
    expect(expected, observed, "what a task read behind each of its changes")
    _expect_to_see_what_another_task_does(bench)


def _expect_to_see_what_another_task_does(bench: AsyncRepositoryBench) -> None:
    adapter, (on, whose) = bench.adapter, (bench.stored(title="before"), uuid4())
    key = (on.organization_id, on.id)
    read: list[tuple[Any, ...]] = []

    async def look() -> None:
        entries = await adapter.participations(on.organization_id, [on.id], whose)
        courses = await adapter.courses(on.organization_id)
        seats = await adapter.registrations(on.organization_id)
        titles = [(await adapter.get(*key)).title, *[each.title for each in courses.items]]
        read.append((titles, entries[on.id].confirmed_count, len(seats.items)))

    async def look_before_and_after() -> None:
        may_change, has_changed = anyio.Event(), anyio.Event()

        async def change() -> None:
            await may_change.wait()
            await adapter.change_course(*key, partial(attrs.evolve, title="after"))
            await adapter.change_participation(*key, whose, confirmed)
            has_changed.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(change)
            await look()
            may_change.set()
            await has_changed.wait()
            await look()

    bench.ended(bench.loop.begun(look_before_and_after), "two tasks").outcome.result()
    expected = [(["before"] * 2, 0, 0), (["after"] * 2, 1, 1)]
    expect(expected, read, "titles, count and registrations before and after another's change")


@clause("SCHEDULE-8")
def a_cancelled_offer_can_be_made_again(bench: AsyncSchedulerBench) -> None:
    """An async `schedule` that is cancelled passes that on; offered again, it takes effect once.

    A failure means that a person is never reminded, because a server was stopped.

    A correct adapter has stored a reminder before it calls it known, and lets nothing be locked.
    """
    offered: list[str] = []
    for by in bench.ways:
        for at in range(1, MOST_WAITS + 1):
            reminder, another = a_reminder(), a_reminder()
            what = f"schedule, cancelled at wait {at} by its {by}"
            ended = bench.interrupted(reminder, at=at, by=by)
            raise_what_it_did_not_bring(ended)
            if ended.was_delivered and not ended.was_passed_on:
                answered = repr(ended.outcome.error or ended.outcome.answer)
                raise broken(f"what comes out of {what}", "the cancellation", answered)
            for each in (another, reminder):
                bench.scheduler.schedule(each)
                offered.append(each.certificate_id.hex)
            taken = [each.certificate_id.hex for each in bench.taken_now()]
            expect(sorted(offered), taken, f"{what}, and again: the certificates to be reminded of")
            if not ended.was_reached:
                break


CLAUSES: tuple[Clause[Any], ...] = (
    *clauses_cancelled.CLAUSES,
    who_was_cancelled_in_a_line_lets_the_others_on,
    a_task_sees_at_once_what_was_stored,
)

SCHEDULER_CLAUSES: tuple[Clause[Any], ...] = (a_cancelled_offer_can_be_made_again,)
