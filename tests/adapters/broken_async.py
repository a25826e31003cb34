"""Async adapters that are broken where their calls wait; alone, each keeps every promise.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

from collections.abc import Callable, Mapping
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
    Page,
    Participation,
    RenewalReminder,
    RepositoryUnavailable,
)

T = TypeVar("T")


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


BROKEN: Mapping[str, tuple[type[AsyncAskingAgainRepository], ...]] = {
    "RACE-1": (LastWriteWins, HoldsUpTheLoop),
    "RACE-2": (LastWriteWins, PutsRegistrationsBesideTheCourse),
    "RACE-5": (PutsRegistrationsBesideTheCourse,),
    "RACE-8": (PutsRegistrationsBesideTheCourse,),
    "RACE-9": (KeepsItsFirstAnswer,),
    "RACE-17": (StoresRemindersLater,),
    "CROWD-1": (LastWriteWins, DecidesOnWhatItLoadedEarlier),
    "CROWD-2": (LastWriteWins, DecidesOnWhatItLoadedEarlier),
    "DECIDE-2": (DecidesInATaskGroup,),
    "ASYNC-1": (StoresInTwoSteps,),
    "ASYNC-2": (ListsWhatItWasTold,),
    "ASYNC-3": (LocksUntilAnAnswer,),
    "ASYNC-4": (NeverGivesUp,),
}

HANGING = frozenset({HoldsUpTheLoop})
