"""Clauses: the outbox, and that no reminder is lost wherever a host stops."""

from datetime import timedelta
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course, CourseStatus
from course_domain.participation import Participation, RenewalReminder
from course_domain.ports import CourseRepository
from course_domain.testing.bench import (
    NOW,
    SHARED_STORE,
    RepositoryBench,
    change,
    completed,
    items,
    shown,
    walk,
)
from course_domain.testing.bounds import CallHung
from course_domain.testing.clause import clause
from course_domain.testing.differences import brief
from course_domain.testing.expectations import expect, expect_some
from course_domain.testing.listings import expect_joined
from course_domain.testing.stops import expect_never_lost

_DAY = timedelta(days=1)


def _pending(repository: CourseRepository) -> list[RenewalReminder]:
    return items(walk(lambda after: repository.pending_reminders(after=after, limit=2)))


def _reminder_of(done: Participation) -> RenewalReminder:
    return expect_some(done.reminder, "the reminder in the answer")


@clause("OUTBOX-1")
def reminders_wait_whether_due_or_not(bench: RepositoryBench) -> None:
    """The outbox shows every reminder that is not marked, of all organizations, due or not.

    A failure means that a reminder is never scheduled.

    A correct adapter looks at the mark and at nothing else.
    """
    expected = [
        _reminder_of(bench.complete(bench.stored(), expires_at=expires_at))
        for expires_at in (NOW - 9_000 * _DAY, NOW, NOW + _DAY, NOW + 900_000 * _DAY)
    ]
    away = bench.stored()
    expected.append(_reminder_of(bench.complete(away)))
    bench.repository.change_course(
        away.organization_id,
        away.id,
        lambda seen: attrs.evolve(seen, status=CourseStatus.ARCHIVED),
    )
    observed = _pending(bench.repository)
    expect(set(expected), set(observed), "the reminders in the outbox")
    expect(len(expected), len(observed), "how many there are")
    expect(observed, _pending(bench.repository), "the same reminders in the same order")


@clause("OUTBOX-2")
def a_marked_reminder_is_gone_for_good(bench: RepositoryBench) -> None:
    """A mark takes one reminder out; a second mark of it, or of an unknown one, does nothing.

    A failure means that a person is reminded over and over, or that another is not at all.

    A correct adapter finds the reminder by organization and certificate_id, and writes nothing
    where there is none: one that enters later waits like any other.
    """
    first, second = (_reminder_of(bench.complete(bench.stored())) for _ in range(2))
    unknown = attrs.evolve(first, certificate_id=uuid4())
    for marked, left in ((unknown, {first, second}), (first, {second}), (first, {second})):
        bench.repository.mark_reminder_scheduled(marked)
        expect(
            left, set(_pending(bench.repository)), f"the outbox after the mark of {brief(marked)}"
        )
    on, whose = bench.stored(), uuid4()
    bench.register(on, whose)
    offered = _reminder_of(completed(shown(bench.repository, on, whose), expires_at=NOW + _DAY))
    bench.repository.mark_reminder_scheduled(offered)
    added = _completed_with(bench, on, whose, offered)
    expect(offered, added, "the reminder in the answer, which was marked before it was there")
    expect({second, offered}, set(_pending(bench.repository)), "the outbox with that reminder")


def _completed_with(
    bench: RepositoryBench, on: Course, whose: UUID, offered: RenewalReminder
) -> RenewalReminder | None:
    """Complete a person with the certificate of this reminder, which is then offered as it is."""
    return change(
        bench.repository,
        on,
        whose,
        lambda seen: completed(
            seen, expires_at=offered.remind_at + 30 * _DAY, certificate_id=offered.certificate_id
        ),
    ).reminder


@clause("OUTBOX-3")
def a_mark_goes_by_its_key(bench: RepositoryBench) -> None:
    """A mark goes by organization and certificate_id; other fields are not compared.

    A failure means that a mark is lost over a field that means nothing, that one organization
    marks, or hides, what another has, or one of a person's reminders another of theirs.

    A correct adapter has just these two in the condition of its update, and whatever it orders
    the outbox by tells apart all that differ in either.
    """
    _expect_one_for_each_course(bench)
    reminder = _reminder_of(bench.complete(bench.stored()))
    _expect_twin_beside(bench, reminder)
    foreign = attrs.evolve(reminder, organization_id=uuid4())
    bench.repository.mark_reminder_scheduled(foreign)
    expect([reminder], _pending(bench.repository), "the outbox after another organization's mark")
    altered = attrs.evolve(
        reminder, course_id=uuid4(), peer_mentor_id=uuid4(), remind_at=NOW + 77 * _DAY
    )
    bench.repository.mark_reminder_scheduled(altered)
    expect([], _pending(bench.repository), "the outbox after a mark by the key")


def _expect_one_for_each_course(bench: RepositoryBench) -> None:
    """Remind a person of two courses at one instant; mark the one, and then the other."""
    first, whose = bench.stored(), uuid4()
    second = bench.stored(organization_id=first.organization_id)
    one, other = (_reminder_of(bench.complete(on, whose)) for on in (first, second))
    expect({one, other}, set(_pending(bench.repository)), "the outbox with both of one person")
    expect_joined(bench.repository.pending_reminders, [1], "the outbox with both of one person")
    for marked, left in ((one, [other]), (other, [])):
        bench.repository.mark_reminder_scheduled(marked)
        expect(left, _pending(bench.repository), "the outbox after a mark of one person's")


def _expect_twin_beside(bench: RepositoryBench, reminder: RenewalReminder) -> None:
    """Offer the same certificate and instant elsewhere: an error, or a reminder of its own."""
    on, whose = bench.stored(), uuid4()
    bench.register(on, whose)
    try:
        added = _completed_with(bench, on, whose, reminder)
    except CallHung:
        raise
    except Exception:  # noqa: BLE001  storage may refuse the twin, by whatever error is its own
        expect([reminder], _pending(bench.repository), "the outbox after a twin was refused")
        return
    twin = expect_some(added, "the reminder in the answer")
    expect({reminder, twin}, set(_pending(bench.repository)), "the outbox with both of one id")
    expect_joined(bench.repository.pending_reminders, [1], "the outbox with both of one id")
    bench.repository.mark_reminder_scheduled(twin)
    expect([reminder], _pending(bench.repository), "the outbox after the mark of the twin")


@clause("OUTBOX-4")
def a_reminder_enters_once(bench: RepositoryBench) -> None:
    """A reminder enters the outbox once; a key that was ever there changes nothing, marked or not.

    A failure means that a reminder that was scheduled is offered again and again. What comes back
    has the reminder only where this answer added it.

    A correct adapter inserts where the key is not, and keeps marked reminders' keys.
    """
    on = bench.stored()
    done = bench.complete(on)
    reminder = _reminder_of(done)
    later = attrs.evolve(reminder, remind_at=reminder.remind_at + _DAY)

    for expected in ([reminder], []):
        for offered in (reminder, later):
            answer = change(
                bench.repository,
                on,
                done.user_id,
                lambda seen: attrs.evolve(seen, reminder=offered),
            )
            expect(None, answer.reminder, "the reminder in the answer, which adds none")
            expect(expected, _pending(bench.repository), "the outbox")
        bench.repository.mark_reminder_scheduled(reminder)
    change(bench.repository, on, done.user_id, lambda seen: seen)
    expect([], _pending(bench.repository), "the outbox after a call that changes nothing")


@clause("OUTBOX-5")
def a_reminder_is_never_read_back(bench: RepositoryBench) -> None:
    """The reminder is None in all that `participations` and `decide` are shown.

    A failure means that a repeated completion schedules a second time.

    A correct adapter never joins the outbox to a participation.
    """
    on = bench.stored()
    done = bench.complete(on)
    seen: list[object] = []

    def decide(participation: Participation) -> Participation:
        seen.append(participation.reminder)
        return participation

    answer = change(bench.repository, on, done.user_id, decide)
    expect(None, seen[-1], "the reminder that decide is shown")
    expect(None, answer.reminder, "the reminder in the answer, which adds none")
    read = shown(bench.repository, on, done.user_id)
    expect(None, read.reminder, "the reminder in participations")


@clause("OUTBOX-6")
def the_outbox_is_walked_while_it_is_marked(bench: RepositoryBench) -> None:
    """A job that marks each page before it reads the next sees every reminder once.

    A failure means that a job skips every second page: reminders wait for another run, or for
    ever.

    A correct adapter goes on behind the last key, not behind a number of rows.
    """
    reminders = [_reminder_of(bench.complete(bench.stored())) for _ in range(11)]
    for reminder in reminders[1::3]:
        bench.repository.mark_reminder_scheduled(reminder)
    expect_joined(bench.repository.pending_reminders, (1, 2, 3), "what waits beside marked ones")
    expected = [each for each in reminders if each not in reminders[1::3]]
    seen: list[RenewalReminder] = []
    page = bench.repository.pending_reminders(limit=2)
    while True:
        seen += page.items
        for reminder in page.items:
            bench.repository.mark_reminder_scheduled(reminder)
        if page.next is None:
            break
        page = bench.repository.pending_reminders(after=page.next, limit=2)
    expect(len(expected), len(seen), "how many reminders were seen")
    expect(set(expected), set(seen), "the reminders that were seen")
    expect([], _pending(bench.repository), "what is left")


@clause("OUTBOX-7")
def a_host_that_stops_loses_no_reminder(bench: RepositoryBench) -> None:
    """A host that stops before a reminder is scheduled, or before it is marked, finds it again.

    A failure means that somebody's certificate expires and nobody told them.

    A correct adapter stores the reminder with the certificate, and takes it out when it is marked
    and not before.
    """
    for stops in ("before", "after"):
        expect_never_lost(bench, stops)


@clause("OUTBOX-8", SHARED_STORE)
def a_host_that_comes_back_finds_its_reminders(bench: RepositoryBench) -> None:
    """Another object over the store finds the reminder that a stopped host left.

    A failure means that a reminder lived in an object that is gone.

    A correct adapter has the outbox in its store.
    """
    for stops in ("before", "after"):
        expect_never_lost(bench, stops, reopened=bench.reopened())


@clause("OUTBOX-9")
def certificates_without_a_reminder_leave_the_outbox_alone(bench: RepositoryBench) -> None:
    """A completion without a reminder adds none.

    A failure means that the adapter makes reminders itself, for certificates that never expire.

    A correct adapter stores what is in the answer.
    """
    on = bench.stored()
    whose = uuid4()
    bench.register(on, whose)
    answer = change(bench.repository, on, whose, lambda seen: completed(seen, expires_at=None))
    expect(None, answer.reminder, "the reminder in the answer")
    expect([], _pending(bench.repository), "the outbox")


CLAUSES = (
    reminders_wait_whether_due_or_not,
    a_marked_reminder_is_gone_for_good,
    a_mark_goes_by_its_key,
    a_reminder_enters_once,
    a_reminder_is_never_read_back,
    the_outbox_is_walked_while_it_is_marked,
    a_host_that_stops_loses_no_reminder,
    a_host_that_comes_back_finds_its_reminders,
    certificates_without_a_reminder_leave_the_outbox_alone,
)
