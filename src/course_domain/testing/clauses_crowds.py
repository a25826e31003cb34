"""Clauses for an adapter that declares ``threads``: the same promises under many threads."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from course_domain import decisions
from course_domain.course import Course
from course_domain.errors import (
    InvalidTransition,
    RegistrationRejected,
    StaleCourse,
)
from course_domain.participation import Participation, RegistrationStatus
from course_domain.testing.bench import (
    NOW,
    THREADS,
    RepositoryBench,
    change,
    shown,
    waiting_for,
)
from course_domain.testing.bounds import Outcome
from course_domain.testing.clause import clause
from course_domain.testing.contestants import (
    admin_of,
    change_course,
    changing,
    completing,
    mentor_of,
    one_more_seat,
    registering,
    seats,
)
from course_domain.testing.differences import brief
from course_domain.testing.expectations import expect
from course_domain.testing.rivals import TIMES, all_at_once

CROWD = 16
_EVERY = 4  # caller has a decision that raises


class _Unknown(Exception):
    """What a decision raises that no adapter knows."""


def _raise_unknown(_seen: Participation) -> Participation:
    raise _Unknown


def errors_of(outcomes: list[Outcome]) -> dict[str, int]:
    """Count the errors by name."""
    names = [type(each.error).__name__ for each in outcomes if each.error is not None]
    return {name: names.count(name) for name in set(names)}


def _registration_of(outcome: Outcome) -> Any:
    return None if outcome.answer is None else outcome.answer.registration


@clause("CROWD-1", THREADS, times=TIMES)
def a_crowd_fills_the_seats_and_no_more(bench: RepositoryBench) -> None:
    """Of sixteen who ask for five seats at once five get one; what others raise is for them alone.

    A failure means that seats are oversold, that somebody is refused while one is free, or that
    what one decision raises takes back what another caller was told.

    A correct adapter serialises the changes of one course, and asks again who came second; where
    it stores several answers as one, it tells nobody before they are.
    """
    on = bench.stored(max_participants=5)
    people = [mentor_of(on) for _ in range(CROWD)]
    calls = [
        partial(change, bench.repository, on, each.user_id, registering(each)) for each in people
    ]
    for place in range(0, CROWD, _EVERY):
        calls.insert(place, partial(change, bench.repository, on, uuid4(), _raise_unknown))
    outcomes = all_at_once(calls)
    expected = {RegistrationRejected.__name__: CROWD - 5, _Unknown.__name__: CROWD // _EVERY}
    expect(expected, errors_of(outcomes), "the errors")
    taken = {each.id for outcome in outcomes if (each := _registration_of(outcome)) is not None}
    listed = bench.repository.registrations(on.organization_id).items
    expect(taken, {each.id for each in listed}, "the registrations given and stored")
    expect(5, len(listed), "how many registrations are stored")
    expect(5, shown(bench.repository, on, uuid4()).confirmed_count, "the confirmed count")


@clause("CROWD-2", THREADS, times=TIMES)
def a_crowd_loses_no_update(bench: RepositoryBench) -> None:
    """Sixteen changes of one course at once are all in the result, and each gives its own back.

    A failure means that revisions undo each other under load, or that an admin is shown another's.

    A correct adapter serialises the changes of one course, and gives each caller the answer that
    it has stored, not what it reads after it has let the course go.
    """
    on = bench.stored(max_participants=1)
    outcomes = all_at_once([lambda: change_course(bench.repository, on, one_more_seat)] * CROWD)
    expect({}, errors_of(outcomes), "the errors")
    expect(1 + CROWD, seats(bench.repository, on), "a number that each raised by one")
    given = sorted(each.answer.max_participants for each in outcomes)
    expect([*range(2, 2 + CROWD)], given, "the numbers that the calls gave, each its own answer")


@clause("CROWD-3", THREADS, times=TIMES)
def a_person_in_a_hurry_registers_once(bench: RepositoryBench) -> None:
    """Sixteen registrations of one person at once give one registration to all of them.

    A failure means that one person takes several seats.

    A correct adapter keeps course and user unique, and asks again when somebody was first.
    """
    on = bench.stored(max_participants=1)
    actor = mentor_of(on)
    asking = changing(bench.repository, on, actor.user_id)
    outcomes = all_at_once([partial(asking, registering(actor)) for _ in range(CROWD)])
    expect({}, errors_of(outcomes), "the errors")
    listed = bench.repository.registrations(on.organization_id).items
    expect(1, len(listed), "how many registrations are stored")
    expect({listed[0]}, {_registration_of(each) for each in outcomes}, "what each call got")
    expect(1, shown(bench.repository, on, actor.user_id).confirmed_count, "the confirmed count")


@clause("CROWD-4", THREADS, times=TIMES)
def a_crowd_completes_or_cancels(bench: RepositoryBench) -> None:
    """For each of eight people, complete against cancel ends in one of the two.

    A failure means that certificates and seats come apart under load.

    A correct adapter serialises the changes of one course.
    """
    on = bench.stored(certificate_validity_months=12)
    admin = admin_of(on)
    people = [mentor_of(on) for _ in range(CROWD // 2)]
    calls: list[Callable[[], Participation]] = []
    for each in people:
        bench.register(on, each.user_id)
        asking = changing(bench.repository, on, each.user_id)
        calls.append(partial(asking, completing(admin)))
        calls.append(partial(asking, partial(decisions.cancel, actor=each, now=NOW)))
    outcomes = all_at_once(calls)
    expect({InvalidTransition.__name__: len(people)}, errors_of(outcomes), "the errors")
    entries = [shown(bench.repository, on, each.user_id) for each in people]
    for entry in entries:
        what = f"a certificate beside {brief(entry.registration)}"
        expect(_is_confirmed(entry), entry.certificate is not None, what)
    held = sum(_is_confirmed(entry) for entry in entries)
    expect(held, entries[0].confirmed_count, "the confirmed count")
    expected = {entry.certificate.id for entry in entries if entry.certificate is not None}
    waiting = {each.certificate_id for each in waiting_for(bench.repository, on)}
    expect(expected, waiting, "the reminders that wait")


def _is_confirmed(entry: Participation) -> bool:
    held = entry.registration
    return held is not None and held.status is RegistrationStatus.CONFIRMED


@clause("CROWD-5", THREADS, times=TIMES)
def of_a_crowd_of_revisions_one_is_taken(bench: RepositoryBench) -> None:
    """Of sixteen revisions of the same state, one is stored and fifteen are stale.

    A failure means that `expected_updated_at` does not protect under load.

    A correct adapter asks `decide` about the course as it is when the answer is stored.
    """
    on = bench.stored(title="before")
    admin = admin_of(on)

    def revise(title: str) -> Course:
        return change_course(
            bench.repository,
            on,
            lambda seen: decisions.revise(
                seen, admin, NOW, expected_updated_at=on.updated_at, title=title
            ),
        )

    outcomes = all_at_once([partial(revise, f"revision {number}") for number in range(CROWD)])
    expect({StaleCourse.__name__: CROWD - 1}, errors_of(outcomes), "the errors")
    (taken,) = [each.answer for each in outcomes if each.error is None]
    stored = bench.repository.get(on.organization_id, on.id)
    expect(taken, stored, "the revision that was taken, and what is stored")


@clause("CROWD-7", THREADS, times=TIMES)
def a_crowd_completes_one_person_once(bench: RepositoryBench) -> None:
    """Sixteen completions of one registration give one certificate, and one reminder once.

    A failure means that a person is certified twice, or reminded by two schedulers.

    A correct adapter shows the second decision what the first has stored.
    """
    on = bench.stored(certificate_validity_months=12)
    admin, actor = admin_of(on), mentor_of(on)
    bench.register(on, actor.user_id)
    asking = changing(bench.repository, on, actor.user_id)
    outcomes = all_at_once([partial(asking, completing(admin)) for _ in range(CROWD)])
    expect({}, errors_of(outcomes), "the errors")
    listed = bench.repository.certificates(on.organization_id).items
    expect(1, len(listed), "how many certificates are stored")
    expect({listed[0]}, {each.answer.certificate for each in outcomes}, "what each call got")
    reminders = [each.answer.reminder for each in outcomes if each.answer.reminder is not None]
    expect(1, len(reminders), "how many answers had the reminder")
    expect(reminders, waiting_for(bench.repository, on), "the reminders that wait")


CLAUSES = (
    a_crowd_fills_the_seats_and_no_more,
    a_crowd_loses_no_update,
    a_person_in_a_hurry_registers_once,
    a_crowd_completes_or_cancels,
    of_a_crowd_of_revisions_one_is_taken,
    a_crowd_completes_one_person_once,
)
