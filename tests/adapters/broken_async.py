"""Async adapters that are broken where their calls wait; alone, each keeps every promise.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from threading import Lock
from typing import Any, TypeVar
from uuid import UUID

import anyio
import attrs
from anyio.lowlevel import checkpoint

from adapters.async_asking_again import AsyncAskingAgainRepository, over_the_wire
from adapters.compare_and_ask_again import Change, Document, changed_participation
from course_domain import (
    Course,
    CourseNotFound,
    DuplicateCourse,
    Page,
    Participation,
    Registration,
    RenewalReminder,
    RepositoryUnavailable,
)
from course_domain.aio_bridge import CourseRepositoryBridge
from course_domain.aio_memory import AsyncInMemoryCourseRepository
from course_domain.testing.bounds import Outcome

T = TypeVar("T")

_ROUND_TRIP_SECONDS = 0.01


class LastWriteWins(AsyncAskingAgainRepository):
    """Load, decide, store: nobody looks whether something happened while they waited."""

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        changed, answer = change(await self._loaded(organization_id, course_id))
        await over_the_wire(self._written, changed)
        return answer

    async def _loaded(self, organization_id: UUID, course_id: UUID) -> Document:
        found = await over_the_wire(self.store.load, organization_id, course_id)
        if found is None:
            raise CourseNotFound(course_id)
        return found

    def _written(self, changed: Document) -> None:
        """Write a document, whatever version is there."""
        there = self.store.load(changed.course.organization_id, changed.course.id)
        assert there is not None
        assert self.store.replace(changed, there.version)


class DecidesOnWhatItLoadedEarlier(LastWriteWins):
    """Decide and store without a wait between them, but load a wait before."""

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        changed, answer = change(await self._loaded(organization_id, course_id))
        self._written(changed)
        return answer


class PutsRegistrationsBesideTheCourse(LastWriteWins):
    """Store a registration into the course as it is by then: the version is the course's alone."""

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        while True:
            found = await self._loaded(organization_id, course_id)
            changed, answer = change(found)
            there = await self._loaded(organization_id, course_id)
            if there.course == found.course:
                self._written(changed)
                return answer
            if changed.course == found.course:
                self._written(attrs.evolve(changed, course=there.course))
                return answer


class KeepsItsFirstAnswer(AsyncAskingAgainRepository):
    """Ask again, and then store what was answered first."""

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        answers: list[tuple[Document, T]] = []

        def first(found: Document) -> tuple[Document, T]:
            answers.append(change(found))
            return answers[0]

        return await super()._change(organization_id, course_id, first)


class DecidesInATaskGroup(AsyncAskingAgainRepository):
    """Run the change in a task group, which wraps whatever it raises."""

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        answers: list[T] = []

        async def run() -> None:
            answers.append(
                await super(DecidesInATaskGroup, self)._change(organization_id, course_id, change)
            )

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run)
        return answers[0]


class StoresInTwoSteps(AsyncAskingAgainRepository):
    """Store the registration first, then the certificate and its reminder."""

    async def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers, one after the other."""
        answers: list[Participation] = []

        def only_the_registration(seen: Participation) -> Participation:
            answers.append(decide(seen))
            return attrs.evolve(answers[-1], certificate=None, reminder=None)

        await self._change(
            organization_id, course_id, changed_participation(user_id, only_the_registration)
        )
        return await self._change(
            organization_id, course_id, changed_participation(user_id, lambda _seen: answers[-1])
        )


class StoresRemindersLater(AsyncAskingAgainRepository):
    """Store all but the reminder first, then the reminder."""

    async def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers, one after the other, a moment apart."""
        answers: list[Participation] = []

        def all_but_the_reminder(seen: Participation) -> Participation:
            answers.append(decide(seen))
            return attrs.evolve(answers[-1], reminder=None)

        after = await self._change(
            organization_id, course_id, changed_participation(user_id, all_but_the_reminder)
        )
        if answers[-1].reminder is None:
            return after
        await anyio.sleep(0.003)
        return await self._change(
            organization_id, course_id, changed_participation(user_id, lambda _seen: answers[-1])
        )


class ListsWhatItWasTold(AsyncAskingAgainRepository):
    """Keep an index in a list of its own, written after the course."""

    def __init__(self) -> None:
        """Begin with nothing listed."""
        super().__init__()
        self.listed: list[UUID] = []

    async def add(self, course: Course) -> None:
        """Store a course, and then list it."""
        await super().add(course)
        self.listed.append(course.id)

    async def courses(self, organization_id: UUID, **query: Any) -> Page[Course]:
        """Give of a page what is listed."""
        page = await super().courses(organization_id, **query)
        return Page(tuple(each for each in page.items if each.id in self.listed), page.next)


class LocksUntilAnAnswer(AsyncAskingAgainRepository):
    """Take a lock, and give it back after an answer or an error, which a cancellation is not."""

    def __init__(self) -> None:
        """Begin with nothing taken."""
        super().__init__()
        self.taken: set[UUID] = set()

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        for _ in range(100):
            if course_id not in self.taken:
                break
            await checkpoint()
        else:
            raise RepositoryUnavailable("the course is taken")
        self.taken.add(course_id)
        try:
            answer = await super()._change(organization_id, course_id, change)
        except Exception:
            self.taken.discard(course_id)
            raise
        self.taken.discard(course_id)
        return answer


class NeverGivesUp(AsyncAskingAgainRepository):
    """Take a cancellation for one of the errors after which it tries again."""

    async def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Try as often as it takes."""
        for _ in range(3):
            try:
                await super().mark_reminder_scheduled(reminder)
            except BaseException:  # noqa: BLE001  that it is every one is the defect
                continue
            return


class HoldsUpTheLoop(AsyncAskingAgainRepository):
    """Take a lock of threads, and wait with it: the next call stops the loop for everybody."""

    def __init__(self) -> None:
        """Begin with the lock open."""
        super().__init__()
        self.changing = Lock()

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        with self.changing:
            return await super()._change(organization_id, course_id, change)


class _Locks(AsyncAskingAgainRepository):
    """Take locks that are given back after an answer or an error, which a cancellation is not."""

    def __init__(self) -> None:
        """Begin with nothing taken."""
        super().__init__()
        self.taken: set[Any] = set()

    async def _while_locked(self, key: Any, call: Callable[[], Awaitable[T]]) -> T:
        await self._taken_from_others(key)
        self.taken.add(key)
        try:
            answer = await call()
        except Exception:
            self.taken.discard(key)
            raise
        self.taken.discard(key)
        return answer

    async def _taken_from_others(self, key: Any) -> None:
        for _ in range(100):
            if key not in self.taken:
                return
            await checkpoint()
        raise RepositoryUnavailable("it is taken")


class LocksToAddUntilAnAnswer(_Locks):
    """Lock an organization to add a course, and leave it so when cancelled."""

    async def add(self, course: Course) -> None:
        """Store a course behind a lock."""
        await self._while_locked(course.organization_id, lambda: super(_Locks, self).add(course))


class LocksToMarkUntilAnAnswer(_Locks):
    """Lock an organization to mark a reminder, and leave it so when cancelled."""

    async def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Mark a reminder behind a lock."""
        await self._while_locked(
            reminder.organization_id,
            lambda: super(_Locks, self).mark_reminder_scheduled(reminder),
        )


class LocksToReadUntilAnAnswer(_Locks):
    """Keep writers out of a course that is read, and for ever when the read is cancelled."""

    async def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """List registrations behind a lock."""
        return await self._while_locked(
            organization_id, lambda: super(_Locks, self).registrations(organization_id, **query)
        )

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        await self._taken_from_others(organization_id)
        return await super()._change(organization_id, course_id, change)


class LeaksConnections(AsyncAskingAgainRepository):
    """Have a pool of nineteen connections, to which that of a cancelled call does not come back."""

    def __init__(self) -> None:
        """Begin with all of them in the pool."""
        super().__init__()
        self.connections = anyio.Semaphore(19)

    async def courses(self, organization_id: UUID, **query: Any) -> Page[Course]:
        """List courses by a connection of the pool."""
        return await self._connected(
            lambda: super(LeaksConnections, self).courses(organization_id, **query)
        )

    async def add(self, course: Course) -> None:
        """Store a course by a connection of the pool."""
        await self._connected(lambda: super(LeaksConnections, self).add(course))

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        return await self._connected(
            lambda: super(LeaksConnections, self)._change(organization_id, course_id, change)
        )

    async def _connected(self, call: Callable[[], Awaitable[T]]) -> T:
        await _in_time(self.connections.acquire)
        try:
            answer = await call()
        except Exception:
            self.connections.release()
            raise
        self.connections.release()
        return answer


class _OneAtATime(AsyncAskingAgainRepository):
    """Let one call at a time change or read registrations."""

    def __init__(self) -> None:
        """Begin with nobody at it."""
        super().__init__()
        self.alone = anyio.Lock()

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        return await self._while_alone(
            lambda: super(_OneAtATime, self)._change(organization_id, course_id, change)
        )

    async def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give one person's participation in each of these courses, alone."""
        return await self._while_alone(
            lambda: super(_OneAtATime, self).participations(organization_id, course_ids, user_id)
        )

    async def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """List registrations, alone."""
        return await self._while_alone(
            lambda: super(_OneAtATime, self).registrations(organization_id, **query)
        )

    async def _while_alone(self, call: Callable[[], Awaitable[T]]) -> T:
        await _in_time(self.alone.acquire)
        try:
            return await call()
        finally:
            self.alone.release()


async def _in_time(wait: Callable[[], Awaitable[object]]) -> None:
    """Wait as long as the contract wants, and no longer."""
    with anyio.move_on_after(2.5) as waiting:
        await wait()
    if waiting.cancelled_caught:
        raise RepositoryUnavailable("others were always first")


class CountsApart(_OneAtATime):
    """Keep the confirmed registrations of a course in a column, written a wait after them."""

    def __init__(self) -> None:
        """Begin with nobody counted."""
        super().__init__()
        self.counts: dict[UUID, int] = {}

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        more = 0

        def counted(found: Document) -> tuple[Document, T]:
            nonlocal more
            changed, answer = change(found)
            more = _confirmed(changed) - _confirmed(found)
            return changed, answer

        async def change_and_count() -> T:
            answer = await AsyncAskingAgainRepository._change(
                self, organization_id, course_id, counted
            )
            if more:
                await checkpoint()
                self.counts[course_id] = self.counts.get(course_id, 0) + more
            return answer

        return await self._while_alone(change_and_count)

    async def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give what was counted."""
        found = await super().participations(organization_id, course_ids, user_id)
        return {
            key: attrs.evolve(each, confirmed_count=self.counts.get(key, 0))
            for key, each in found.items()
        }


def _confirmed(document: Document) -> int:
    return document.participation(document.course.id).confirmed_count


class DeletesBeforeItInserts(_OneAtATime):
    """Write a registration again by deleting the row, and inserting it a wait later."""

    async def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Store what `decide` answers, a registration without what was there before."""
        key = (organization_id, course_id)
        answers: list[Participation] = []

        def deleted(found: Document) -> tuple[Document, None]:
            answers.append(decide(found.participation(user_id)))
            if answers[-1].registration is None or answers[-1].certificate is not None:
                return found, None
            others = {who: each for who, each in found.registrations.items() if who != user_id}
            return attrs.evolve(found, registrations=others), None

        async def delete_and_insert() -> Participation:
            insert = changed_participation(user_id, lambda _seen: answers[-1])
            await AsyncAskingAgainRepository._change(self, *key, deleted)
            return await AsyncAskingAgainRepository._change(self, *key, insert)

        return await self._while_alone(delete_and_insert)


class NotesTheIdFirst(AsyncAskingAgainRepository):
    """Note the id of a course as taken, and then store the course."""

    def __init__(self) -> None:
        """Begin with no id noted."""
        super().__init__()
        self.ids: set[tuple[UUID, UUID]] = set()

    async def add(self, course: Course) -> None:
        """Store a course whose id is not noted."""
        key = (course.organization_id, course.id)
        if key in self.ids:
            raise DuplicateCourse(course.id)
        self.ids.add(key)
        await super().add(course)


class MarksInTwoSteps(AsyncAskingAgainRepository):
    """Move a marked reminder to another table, from which it is missing for a wait."""

    async def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Delete it, and insert it there."""
        key = (reminder.organization_id, reminder.course_id)
        found = self.store.load(*key)
        if found is None or reminder.certificate_id not in found.reminders:
            return

        def deleted(found: Document) -> tuple[Document, None]:
            kept = {k: v for k, v in found.reminders.items() if k != reminder.certificate_id}
            return attrs.evolve(found, reminders=kept), None

        def inserted(found: Document) -> tuple[Document, None]:
            more = {**found.reminders, reminder.certificate_id: (reminder, False)}
            return attrs.evolve(found, reminders=more), None

        await self._change(*key, deleted)
        await self._change(*key, inserted)


class HidesBeforeItMarks(AsyncAskingAgainRepository):
    """Take a reminder out of an index of its own, and then out of the store."""

    def __init__(self) -> None:
        """Begin with nothing hidden."""
        super().__init__()
        self.hidden: set[tuple[UUID, UUID]] = set()

    async def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Hide a reminder that is there, and mark it."""
        if any(reminder.certificate_id in each.reminders for each in self.store.load_all()):
            self.hidden.add((reminder.organization_id, reminder.certificate_id))
        await super().mark_reminder_scheduled(reminder)

    async def pending_reminders(self, **query: Any) -> Page[RenewalReminder]:
        """Give of a page what is not hidden."""
        page = await super().pending_reminders(**query)
        left = (e for e in page.items if (e.organization_id, e.certificate_id) not in self.hidden)
        return Page(tuple(left), page.next)


class ListsNothingWhenCancelled(AsyncAskingAgainRepository):
    """Take a cancellation for an empty list."""

    async def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """List what comes in time."""
        try:
            return await super().registrations(organization_id, **query)
        except BaseException as error:
            if isinstance(error, Exception):
                raise
            return Page((), None)


class IsUnavailableWhenCancelled(AsyncAskingAgainRepository):
    """Take a cancellation for a storage that is out of reach."""

    async def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give a course, if the storage can be reached."""
        try:
            return await super().get(organization_id, course_id)
        except anyio.get_cancelled_exc_class() as error:
            raise RepositoryUnavailable("lost the connection") from error


class TriesOnceMore(AsyncAskingAgainRepository):
    """Take a cancellation for a lost connection, and try once more."""

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        try:
            return await super()._change(organization_id, course_id, change)
        except anyio.get_cancelled_exc_class():
            return await super()._change(organization_id, course_id, change)


class _Turns(AsyncAskingAgainRepository):
    """Let one call at a time have a course, in the order in which they came."""

    def __init__(self) -> None:
        """Begin with nobody in line."""
        super().__init__()
        self.lines: dict[UUID, deque[anyio.Event]] = defaultdict(deque)

    async def _come(self, line: "deque[anyio.Event]") -> None:
        mine = anyio.Event()
        line.append(mine)
        if line[0] is not mine:
            try:
                await _in_time(mine.wait)
            except RepositoryUnavailable:
                line.remove(mine)
                raise

    def _go(self, line: "deque[anyio.Event]") -> None:
        line.popleft()
        if line:
            line[0].set()


class KeepsTheTurnOfWhoWasCancelled(_Turns):
    """Leave who was cancelled in the line, and give the course to them."""

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        line = self.lines[course_id]
        await self._come(line)
        try:
            return await super()._change(organization_id, course_id, change)
        finally:
            self._go(line)


class FreesWhatItHasNotTaken(LastWriteWins):
    """Free a course also when cancelled before it was taken, while somebody else has it."""

    def __init__(self) -> None:
        """Begin with nothing taken."""
        super().__init__()
        self.free: dict[UUID, anyio.Semaphore] = {}

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        free = self.free.setdefault(course_id, anyio.Semaphore(1))
        try:
            await _in_time(free.acquire)
            return await super()._change(organization_id, course_id, change)
        finally:
            free.release()


class DropsALockThatOthersWaitFor(LastWriteWins):
    """Drop the lock of a course when its holder has stored: who comes then makes another."""

    def __init__(self) -> None:
        """Begin without locks."""
        super().__init__()
        self.locks: dict[UUID, anyio.Lock] = {}

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        lock = self.locks.setdefault(course_id, anyio.Lock())
        await _in_time(lock.acquire)
        try:
            return await super()._change(organization_id, course_id, change)
        finally:
            self.locks.pop(course_id, None)
            lock.release()


class StoresForAllWhoWait(AsyncAskingAgainRepository):
    """Let the first call store for those who come meanwhile, who wait when it is cancelled."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        super().__init__()
        self.waiting: dict[UUID, deque[Callable[[], Awaitable[None]]]] = {}

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        outcomes: list[Outcome] = []
        is_done = anyio.Event()

        async def run() -> None:
            try:
                outcome = Outcome(
                    await super(StoresForAllWhoWait, self)._change(
                        organization_id, course_id, change
                    )
                )
            except Exception as error:  # noqa: BLE001  it is raised in the call that it belongs to
                outcome = Outcome(error=error)
            outcomes.append(outcome)
            is_done.set()

        if course_id in self.waiting:
            self.waiting[course_id].append(run)
            await _in_time(is_done.wait)
        else:
            line = self.waiting[course_id] = deque([run])
            try:
                while line:
                    await line.popleft()()
            finally:
                del self.waiting[course_id]
        answer: T = outcomes[0].result()
        return answer


_OF_THIS_TASK: ContextVar[dict[Any, Any] | None] = ContextVar("_OF_THIS_TASK", default=None)


class KeepsWhatItsTaskHasRead(AsyncAskingAgainRepository):
    """Keep for each task what it has read, until it writes."""

    async def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give a course as this task knows it."""
        known = _OF_THIS_TASK.get() or {}
        key = (id(self), organization_id, course_id)
        if key not in known:
            found = await super().get(organization_id, course_id)
            _OF_THIS_TASK.set({**known, key: found})
            return found
        course: Course | None = known[key]
        return course

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        _OF_THIS_TASK.set(None)
        return await super()._change(organization_id, course_id, change)


class KeepsWhatItReadBesideAChange(AsyncAskingAgainRepository):
    """Keep a course that was read until it is changed; what a read brings behind that stays."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        super().__init__()
        self.known: dict[tuple[UUID, UUID], Course | None] = {}

    async def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Give a course as it is known."""
        key = (organization_id, course_id)
        if key not in self.known:
            found = await super().get(organization_id, course_id)
            await anyio.sleep(_ROUND_TRIP_SECONDS)
            self.known[key] = found
        return self.known[key]

    async def _change(self, organization_id: UUID, course_id: UUID, change: Change[T]) -> T:
        answer = await super()._change(organization_id, course_id, change)
        self.known.pop((organization_id, course_id), None)
        return answer


class ListsInTheNextTurn(AsyncInMemoryCourseRepository):
    """List a course one turn of the loop after it was stored."""

    def __init__(self) -> None:
        """Begin with nothing listed."""
        super().__init__()
        self.listed: set[UUID] = set()

    async def add(self, course: Course) -> None:
        """Store a course, and have it listed."""
        await super().add(course)
        asyncio.get_running_loop().call_soon(self.listed.add, course.id)

    async def courses(self, organization_id: UUID, **query: Any) -> Page[Course]:
        """Give of a page what is listed."""
        page = await super().courses(organization_id, **query)
        return Page(tuple(each for each in page.items if each.id in self.listed), page.next)


class _Scheduler:
    """Keep jobs by certificate, a round trip away."""

    def __init__(self) -> None:
        """Begin empty."""
        self.jobs: dict[UUID, RenewalReminder] = {}
        self.known: set[UUID] = set()

    async def schedule(self, reminder: RenewalReminder) -> None:
        """Store a job."""
        await over_the_wire(self.jobs.setdefault, reminder.certificate_id, reminder)


class NotesJobsFirst(_Scheduler):
    """Note a reminder as known, and then store it."""

    async def schedule(self, reminder: RenewalReminder) -> None:
        """Store a job that is not known."""
        if reminder.certificate_id not in self.known:
            self.known.add(reminder.certificate_id)
            await super().schedule(reminder)


class SchedulesNothingWhenCancelled(_Scheduler):
    """Answer a cancellation as if the reminder were stored."""

    async def schedule(self, reminder: RenewalReminder) -> None:
        """Store a job, if there is time."""
        try:
            await super().schedule(reminder)
        except anyio.get_cancelled_exc_class():
            return


class LocksJobsUntilAnAnswer(_Scheduler):
    """Lock all jobs to store one, and leave them so when cancelled."""

    async def schedule(self, reminder: RenewalReminder) -> None:
        """Store a job behind a lock."""
        if self.known:
            raise TimeoutError
        self.known.add(reminder.certificate_id)
        await super().schedule(reminder)
        self.known.clear()


BROKEN: Mapping[str, tuple[type[CourseRepositoryBridge], ...]] = {
    "RACE-1": (LastWriteWins, HoldsUpTheLoop),
    "RACE-2": (LastWriteWins, PutsRegistrationsBesideTheCourse),
    "RACE-5": (PutsRegistrationsBesideTheCourse,),
    "RACE-8": (PutsRegistrationsBesideTheCourse,),
    "RACE-9": (KeepsItsFirstAnswer,),
    "RACE-17": (StoresRemindersLater,),
    "CROWD-1": (LastWriteWins, DecidesOnWhatItLoadedEarlier),
    "CROWD-2": (LastWriteWins, DecidesOnWhatItLoadedEarlier),
    "RACE-20": (KeepsWhatItReadBesideAChange,),
    "RACE-21": (DropsALockThatOthersWaitFor,),
    "DECIDE-2": (DecidesInATaskGroup,),
    "ASYNC-1": (StoresInTwoSteps, CountsApart, DeletesBeforeItInserts),
    "ASYNC-2": (ListsWhatItWasTold, NotesTheIdFirst, MarksInTwoSteps, HidesBeforeItMarks),
    "ASYNC-3": (
        LocksUntilAnAnswer,
        LocksToAddUntilAnAnswer,
        LocksToMarkUntilAnAnswer,
        LocksToReadUntilAnAnswer,
        LeaksConnections,
    ),
    "ASYNC-4": (
        NeverGivesUp,
        ListsNothingWhenCancelled,
        IsUnavailableWhenCancelled,
        TriesOnceMore,
    ),
    "ASYNC-5": (KeepsTheTurnOfWhoWasCancelled, FreesWhatItHasNotTaken, StoresForAllWhoWait),
    "ASYNC-6": (KeepsWhatItsTaskHasRead, ListsInTheNextTurn),
}

ON_ASYNCIO = frozenset({TriesOnceMore, ListsInTheNextTurn})
"""Those that are broken, or run, on asyncio alone."""

SCHEDULERS: Mapping[str, tuple[type[_Scheduler], ...]] = {
    "SCHEDULE-8": (NotesJobsFirst, SchedulesNothingWhenCancelled, LocksJobsUntilAnAnswer),
}

HANGING = frozenset({HoldsUpTheLoop})
