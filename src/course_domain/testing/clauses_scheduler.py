"""Clauses of the reminder scheduler."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import attrs
from hypothesis import given

from course_domain.participation import RenewalReminder
from course_domain.ports import ReminderScheduler
from course_domain.testing.bench import CALL_SECONDS, NOW, THREADS, settings_of
from course_domain.testing.bounds import bounded
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect
from course_domain.testing.fixtures import made_by
from course_domain.testing.rivals import TIMES, all_at_once
from course_domain.testing.strategies import reminders

_DAY = timedelta(days=1)
_LONG_PAST = NOW - 40_000 * _DAY
_TO_COME = NOW.replace(year=2036)  # while seconds still go into 32 bits
_MANY = 201  # more than a page of the outbox holds
_DIGITS = (1, 1 << 52, 1 << 124)  # the last digit of an id, one in its middle, and the first


@attrs.define(kw_only=True)
class SchedulerBench:
    """Make the scheduler that one clause works on, and look at what it has taken."""

    make_scheduler: Callable[[], ReminderScheduler]
    taken: Callable[[Any], Iterable[RenewalReminder]]
    capabilities: frozenset[str] = frozenset()
    profile: str = "default"
    call_seconds: float = CALL_SECONDS
    _raw: ReminderScheduler | None = attrs.field(default=None, init=False, repr=False)

    @property
    def scheduler(self) -> ReminderScheduler:
        """The clause's own scheduler, each of its calls bounded."""
        made: ReminderScheduler = bounded(
            self._adapter(),
            ReminderScheduler,
            self.call_seconds,
            in_thread=THREADS in self.capabilities,
        )
        return made

    def taken_now(self) -> list[RenewalReminder]:
        """Give the reminders that will take effect, in the order of their certificates."""
        return sorted(self.taken(self._adapter()), key=lambda each: each.certificate_id.hex)

    def _adapter(self) -> ReminderScheduler:
        if self._raw is None:
            self._raw = made_by(self.make_scheduler, "make_scheduler", ReminderScheduler)
        return self._raw


def a_reminder(**fields: Any) -> RenewalReminder:
    """Make a reminder of somebody."""
    plain: dict[str, Any] = {
        "certificate_id": uuid4(),
        "course_id": uuid4(),
        "organization_id": uuid4(),
        "peer_mentor_id": uuid4(),
        "remind_at": _TO_COME,
    }
    return RenewalReminder(**plain | fields)


@clause("SCHEDULE-1")
def what_is_scheduled_takes_effect(bench: SchedulerBench) -> None:
    """Once `schedule` returns, the reminder will take effect, field by field as it was given.

    A failure means that a reminder is lost, or reaches somebody else at another time.

    A correct adapter has stored the reminder before it returns, or raises.
    """
    scheduler = bench.scheduler
    given_ones = [a_reminder(), a_reminder(), a_reminder()]
    for each in given_ones:
        scheduler.schedule(each)
    expected = sorted(given_ones, key=lambda each: each.certificate_id.hex)
    expect(expected, bench.taken_now(), "the reminders that will take effect")


@clause("SCHEDULE-2")
def a_reminder_takes_effect_once(bench: SchedulerBench) -> None:
    """A reminder that is offered again takes effect once: idempotent on certificate_id.

    A failure means that a person is reminded as often as a host was restarted.

    A correct adapter keys its jobs by certificate_id; which of two offers it keeps is its own. It
    knows what it has delivered as it knows what is to come, however many came between.
    """
    scheduler = bench.scheduler
    first = a_reminder()
    moved = attrs.evolve(first, remind_at=first.remind_at + _DAY)
    due = a_reminder(remind_at=_LONG_PAST)
    for each in (first, first, moved, due, first, due):
        scheduler.schedule(each)
    _expect_certificates(bench, (first, due), "one of them due")
    was_due = attrs.evolve(due, remind_at=first.remind_at)
    is_due = attrs.evolve(first, remind_at=_LONG_PAST)
    for each in (was_due, is_due, was_due, is_due):
        scheduler.schedule(each)
    _expect_certificates(bench, (first, due), "each offered as due and as one to come")
    many = [a_reminder(remind_at=first.remind_at + number * _DAY) for number in range(_MANY)]
    for each in (*many, first, due, *many[:3]):
        scheduler.schedule(each)
    _expect_certificates(bench, (first, due, *many), "some of them again after many others")


def _expect_certificates(
    bench: SchedulerBench, offered: Iterable[RenewalReminder], which: str
) -> None:
    expected = sorted(each.certificate_id.hex for each in offered)
    observed = [each.certificate_id.hex for each in bench.taken_now()]
    expect(expected, observed, f"the certificates to be reminded of, {which}")


@clause("SCHEDULE-3")
def one_person_has_a_reminder_for_each_certificate(bench: SchedulerBench) -> None:
    """Reminders of one person, of one course, or of one instant stand beside each other.

    A failure means that one reminder pushes another out.

    A correct adapter keys its jobs by certificate_id, all of it, and by nothing else.
    """
    scheduler = bench.scheduler
    first = a_reminder()
    ids = [UUID(int=first.certificate_id.int ^ digit) for digit in _DIGITS]
    others = [attrs.evolve(first, certificate_id=each) for each in (uuid4(), uuid4(), *ids)]
    for each in (first, *others):
        scheduler.schedule(each)
    expected = sorted((first, *others), key=lambda each: each.certificate_id.hex)
    expect(expected, bench.taken_now(), "the reminders that will take effect")


@clause("SCHEDULE-4")
def what_is_due_is_taken_too(bench: SchedulerBench) -> None:
    """A reminder whose `remind_at` has passed, or lies a century ahead, is taken like any other.

    A failure means that the reminder of a short certificate is refused, and tried for ever.

    A correct adapter delivers at once what is due, and stores any instant up to 9099.
    """
    scheduler = bench.scheduler
    expected = {
        each.certificate_id: each
        for each in (
            a_reminder(remind_at=_LONG_PAST),
            a_reminder(remind_at=NOW),
            a_reminder(remind_at=NOW.replace(year=9099)),
        )
    }
    for each in expected.values():
        scheduler.schedule(each)
    observed = {each.certificate_id: each for each in bench.taken_now()}
    expect(expected, observed, "the reminders that will take effect")


@clause("SCHEDULE-5")
def any_reminder_is_taken_as_it_is(bench: SchedulerBench) -> None:
    """Any reminder takes effect equal to what was given, to the microsecond.

    A failure means that the scheduler's storage changes an instant or an id.

    A correct adapter keeps instants in UTC to the microsecond.
    """
    scheduler = bench.scheduler

    @settings_of(bench.profile)
    @given(reminders())
    def holds(drawn: RenewalReminder) -> None:
        offered = attrs.evolve(drawn, certificate_id=uuid4())
        scheduler.schedule(offered)
        found = [
            each for each in bench.taken_now() if each.certificate_id == offered.certificate_id
        ]
        expect([offered], found, "the reminder as it was taken")

    holds()


@clause("SCHEDULE-6")
def two_schedulers_are_apart(bench: SchedulerBench) -> None:
    """Each scheduler that is made is empty and of its own.

    A failure means that tests see each other's reminders.

    A correct adapter keeps its state in the object or its store, never in the class or module.
    """
    bench.scheduler.schedule(a_reminder())
    expect([], list(bench.taken(bench.make_scheduler())), "what a second scheduler has taken")


@clause("SCHEDULE-7", THREADS, times=TIMES)
def a_crowd_schedules_a_reminder_once(bench: SchedulerBench) -> None:
    """Sixteen threads that offer one reminder, and one each of their own, lose and double none.

    A failure means that two jobs of a host remind a person twice.

    A correct adapter lets its storage decide who was first.
    """
    scheduler = bench.scheduler
    shared = a_reminder()
    own = [a_reminder() for _ in range(8)]
    before = bench.taken_now()
    outcomes = all_at_once([partial(scheduler.schedule, each) for each in (*own, *[shared] * 8)])
    errors = [each.error for each in outcomes if each.error is not None]
    expect([], errors, "the errors")
    expected = sorted(each.certificate_id.hex for each in (*before, *own, shared))
    observed = [each.certificate_id.hex for each in bench.taken_now()]
    expect(expected, observed, "the certificates to be reminded of")


CLAUSES = (
    what_is_scheduled_takes_effect,
    a_reminder_takes_effect_once,
    one_person_has_a_reminder_for_each_certificate,
    what_is_due_is_taken_too,
    any_reminder_is_taken_as_it_is,
    two_schedulers_are_apart,
    a_crowd_schedules_a_reminder_once,
)
