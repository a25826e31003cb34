"""Schedulers that are broken, each in one way, which its docstring tells.

`BROKEN` tells by which clauses each is caught.
"""

import time
from collections import deque
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import ClassVar
from uuid import UUID

import attrs

from course_domain import RenewalReminder


class Jobs:
    """Give these their ground: a scheduler that is right."""

    def __init__(self) -> None:
        """Begin without jobs."""
        self._jobs: dict[Hashable, RenewalReminder] = {}

    def name(self, reminder: RenewalReminder) -> Hashable:
        """Say which job a reminder is."""
        return reminder.certificate_id

    def kept(self, reminder: RenewalReminder) -> RenewalReminder:
        """Say what is stored of a reminder."""
        return reminder

    def schedule(self, reminder: RenewalReminder) -> None:
        """Store a job."""
        self._jobs.setdefault(self.name(reminder), self.kept(reminder))

    def jobs(self) -> tuple[RenewalReminder, ...]:
        """Give the reminders that will take effect."""
        return tuple(self._jobs.values())


class SentInPairs(Jobs):
    """Reminders are kept back until there are two to send."""

    def __init__(self) -> None:
        """Begin with nothing kept back."""
        super().__init__()
        self._kept_back: list[RenewalReminder] = []

    def schedule(self, reminder: RenewalReminder) -> None:
        """Wait for another."""
        self._kept_back.append(reminder)
        if len(self._kept_back) == 2:
            for each in self._kept_back:
                super().schedule(each)
            self._kept_back.clear()


class EachOfferIsAJob(Jobs):
    """A job is appended whenever a reminder is offered."""

    def name(self, reminder: RenewalReminder) -> Hashable:
        """Count the jobs."""
        del reminder
        return len(self._jobs)


class EachInstantIsAJob(Jobs):
    """A reminder that is offered for another time is another job."""

    def name(self, reminder: RenewalReminder) -> Hashable:
        """Add the time to the key."""
        return (reminder.certificate_id, reminder.remind_at)


class OneJobForAPerson(Jobs):
    """A person has one job."""

    def name(self, reminder: RenewalReminder) -> Hashable:
        """Take the person for the key."""
        return reminder.peer_mentor_id


class OneJobForAnInstant(Jobs):
    """Jobs are keyed by their time."""

    def name(self, reminder: RenewalReminder) -> Hashable:
        """Take the time for the key."""
        return reminder.remind_at


class PastIsRefused(Jobs):
    """What should have been delivered already is an error."""

    def schedule(self, reminder: RenewalReminder) -> None:
        """Refuse what is past."""
        if reminder.remind_at.timestamp() < time.time():
            raise ValueError("a job lies ahead")
        super().schedule(reminder)


class SecondsOf2038(Jobs):
    """Times are seconds since 1970 in 31 bits."""

    def schedule(self, reminder: RenewalReminder) -> None:
        """Refuse what does not fit."""
        if not 0 <= reminder.remind_at.timestamp() < 2**31:
            raise OverflowError("too far away")
        super().schedule(reminder)


class WholeSeconds(Jobs):
    """Times are kept to the second."""

    def kept(self, reminder: RenewalReminder) -> RenewalReminder:
        """Cut the time."""
        return attrs.evolve(reminder, remind_at=reminder.remind_at.replace(microsecond=0))


class JobsOfTheClass(Jobs):
    """The jobs belong to the class."""

    everywhere: ClassVar[dict[Hashable, RenewalReminder]] = {}

    def __init__(self) -> None:
        """Stand over the jobs of all."""
        self._jobs = self.everywhere


class LooksBeforeItSchedules(Jobs):
    """Whether there is such a job is looked up first, and then it is written."""

    def schedule(self, reminder: RenewalReminder) -> None:
        """Look, then write."""
        if reminder not in self.jobs():
            time.sleep(0.01)  # what a call to a database takes
            self._jobs[object()] = reminder


class DeliveredIsForgotten(Jobs):
    """A job is deleted when it is delivered: what is due and offered again goes out again."""

    def __init__(self) -> None:
        """Begin with nothing delivered."""
        super().__init__()
        self._delivered: list[RenewalReminder] = []

    def schedule(self, reminder: RenewalReminder) -> None:
        """Deliver at once what is due."""
        if reminder.remind_at <= datetime.now(UTC):
            self._delivered.append(reminder)
        else:
            super().schedule(reminder)

    def jobs(self) -> tuple[RenewalReminder, ...]:
        """Give what was delivered, and what will be."""
        return (*self._delivered, *super().jobs())


class SentIsKeptApart(Jobs):
    """What was sent is known, and what waits is known, but neither of the other."""

    def name(self, reminder: RenewalReminder) -> Hashable:
        """Add whether it is due to the key."""
        return (reminder.certificate_id, reminder.remind_at <= datetime.now(UTC))


class RemembersHundred(Jobs):
    """The last hundred certificates are known; one from before that is a job again."""

    def __init__(self) -> None:
        """Begin with nothing known."""
        super().__init__()
        self._known: deque[UUID] = deque(maxlen=100)

    def schedule(self, reminder: RenewalReminder) -> None:
        """Schedule what is not known."""
        if reminder.certificate_id not in self._known:
            self._known.append(reminder.certificate_id)
            self._jobs[object()] = reminder


class HoldsHundred(Jobs):
    """A queue has a length, and what is too much pushes out the oldest."""

    def schedule(self, reminder: RenewalReminder) -> None:
        """Drop the oldest."""
        super().schedule(reminder)
        if len(self._jobs) > 100:
            del self._jobs[next(iter(self._jobs))]


class NameIsCut(Jobs):
    """The name of a job has room for eight digits."""

    def name(self, reminder: RenewalReminder) -> Hashable:
        """Cut the id."""
        return reminder.certificate_id.hex[:8]


class NameIsTheTail(Jobs):
    """The name of a job has the last twelve digits, which tell apart what one machine makes."""

    def name(self, reminder: RenewalReminder) -> Hashable:
        """Take the tail of the id."""
        return reminder.certificate_id.hex[-12:]


BROKEN: dict[str, tuple[Callable[[], Jobs], ...]] = {
    "SCHEDULE-1": (SentInPairs,),
    "SCHEDULE-2": (
        EachOfferIsAJob,
        EachInstantIsAJob,
        DeliveredIsForgotten,
        SentIsKeptApart,
        RemembersHundred,
        HoldsHundred,
    ),
    "SCHEDULE-3": (OneJobForAPerson, OneJobForAnInstant, NameIsCut, NameIsTheTail),
    "SCHEDULE-4": (PastIsRefused, SecondsOf2038),
    "SCHEDULE-5": (WholeSeconds,),
    "SCHEDULE-6": (JobsOfTheClass,),
    "SCHEDULE-7": (LooksBeforeItSchedules,),
}
"""Which clauses catch which of them, by the clause's id."""
