"""Clauses for an adapter that declares ``threads``: forced races, each seen from the final state."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain import decisions
from course_domain.actor import Actor, Role
from course_domain.course import Course, CourseStatus
from course_domain.errors import InvalidTransition, RegistrationRejected, StaleCourse
from course_domain.participation import Participation, RegistrationStatus
from course_domain.ports import CourseRepository
from course_domain.testing.bench import (
    NOW,
    SHARED_STORE,
    THREADS,
    RepositoryBench,
    cancelled,
    change,
    confirmed,
    shown,
)
from course_domain.testing.bounds import Outcome
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_true
from course_domain.testing.rivals import Rival, duel

_TICK = timedelta(microseconds=1)
_TURN_SECONDS = 1.6  # below the 2 seconds for which every adapter goes on trying
_RIVALS_IN_A_ROW = 6


def admin_of(on: Course) -> Actor:
    """Make an admin of the course's organization."""
    return Actor(user_id=uuid4(), organization_id=on.organization_id, role=Role.ADMIN)


def mentor_of(on: Course, user_id: UUID | None = None) -> Actor:
    """Make a peer mentor of the course's organization."""
    return Actor(
        user_id=user_id or uuid4(), organization_id=on.organization_id, role=Role.PEER_MENTOR
    )


def registering(actor: Actor) -> Callable[[Participation], Participation]:
    """Make the decision of the real rules about this person's registration."""
    registration_id = uuid4()
    return lambda seen: decisions.register(seen, actor, NOW, registration_id)


def change_course(
    repository: CourseRepository, on: Course, decide: Callable[[Course], Course]
) -> Course:
    """Change one course."""
    return repository.change_course(on.organization_id, on.id, decide)


def one_more_seat(seen: Course) -> Course:
    """Answer with a number that is one higher than what was seen."""
    return attrs.evolve(seen, max_participants=(seen.max_participants or 0) + 1)


def seats(repository: CourseRepository, on: Course) -> int | None:
    """Read that number back."""
    read = repository.get(on.organization_id, on.id)
    return None if read is None else read.max_participants


def expect_error_of(outcome: Outcome, kind: type[Exception] | None, what: str) -> None:
    """Compare what a call in a race raised."""
    expected = None if kind is None else kind.__name__
    observed = None if outcome.error is None else type(outcome.error).__name__
    expect(expected, observed, f"{what}: its error ({outcome.error!r})")


def _expect_no_lost_update(bench: RepositoryBench, other: CourseRepository) -> None:
    on = bench.stored(max_participants=1)
    ended = duel(
        lambda decide: change_course(bench.repository, on, decide),
        one_more_seat,
        lambda: change_course(other, on, one_more_seat),
    )
    expect_error_of(ended.first, None, "the first")
    expect_error_of(ended.rival, None, "the rival")
    expect(3, seats(bench.repository, on), "a number that two calls raised by one, from 1")


def _expect_one_seat_sold_once(bench: RepositoryBench, other: CourseRepository) -> None:
    on = bench.stored(max_participants=1)
    one, two = mentor_of(on), mentor_of(on)
    ended = duel(
        lambda decide: change(bench.repository, on, one.user_id, decide),
        registering(one),
        lambda: change(other, on, two.user_id, registering(two)),
    )
    entries = [shown(bench.repository, on, each.user_id) for each in (one, two)]
    holders = [each.registration for each in entries if each.registration is not None]
    expect(1, entries[0].confirmed_count, "the confirmed count of a course with one seat")
    expect(1, len(holders), f"who holds the one seat: {holders!r}")
    errors = [type(each.error) for each in (ended.first, ended.rival) if each.error is not None]
    expect([RegistrationRejected], errors, "the errors of the two who asked for one seat")


@clause("RACE-1", THREADS)
def no_update_is_lost(bench: RepositoryBench) -> None:
    """Two changes of one course at once are serialised: both are in the result.

    A failure means that one admin's revision silently undoes another's.

    A correct adapter locks the course before it reads it, or stores on condition of its version
    and asks again when it has changed.
    """
    _expect_no_lost_update(bench, bench.repository)


@clause("RACE-2", THREADS)
def the_last_seat_is_sold_once(bench: RepositoryBench) -> None:
    """Two people who ask for the last seat at once: one gets it (``max_participants_cap``).

    A failure means that a seat is sold twice.

    A correct adapter writes the course's row with every registration, its count or its version,
    so that two of them cannot pass each other.
    """
    _expect_one_seat_sold_once(bench, bench.repository)


@clause("RACE-3", THREADS, SHARED_STORE)
def two_objects_lose_no_update_and_sell_no_seat_twice(bench: RepositoryBench) -> None:
    """The same holds when first and rival come through two objects over one store.

    A failure means that a lock or a version lives in the object: two processes oversell.

    A correct adapter lets the store decide who was first.
    """
    _expect_no_lost_update(bench, bench.reopened())
    _expect_one_seat_sold_once(bench, bench.reopened())


@clause("RACE-4", THREADS)
def one_person_registers_once(bench: RepositoryBench) -> None:
    """One person who registers twice at once has one registration and one seat.

    A failure means that a double click takes two seats.

    A correct adapter keeps course and user unique, and asks again when somebody was first.
    """
    on = bench.stored()
    actor = mentor_of(on)
    ended = duel(
        lambda decide: change(bench.repository, on, actor.user_id, decide),
        registering(actor),
        lambda: change(bench.repository, on, actor.user_id, registering(actor)),
    )
    expect_error_of(ended.first, None, "the first")
    expect_error_of(ended.rival, None, "the rival")
    read = shown(bench.repository, on, actor.user_id)
    expect(1, read.confirmed_count, "the confirmed count")
    for name, answer in (("first", ended.first.answer), ("rival", ended.rival.answer)):
        expect(read.registration, answer.registration, f"the registration that the {name} got")
    listed = bench.repository.registrations(on.organization_id).items
    expect((read.registration,), listed, "the registrations")


@clause("RACE-5", THREADS)
def nobody_registers_behind_an_archiving(bench: RepositoryBench) -> None:
    """Once a course is archived, no registration decided on its earlier status is stored.

    A failure means that people register for courses that were taken away.

    A correct adapter raises one version with every change of a course and of its registrations.
    """
    on = bench.stored()
    actor, admin = mentor_of(on), admin_of(on)
    ended = duel(
        lambda decide: change(bench.repository, on, actor.user_id, decide),
        registering(actor),
        lambda: change_course(
            bench.repository, on, lambda seen: decisions.archive(seen, admin, NOW)
        ),
    )
    expect_error_of(ended.rival, None, "the archiving")
    read = shown(bench.repository, on, actor.user_id)
    expect(CourseStatus.ARCHIVED, read.course.status, "the status of the course")
    took = ended.first.error is None
    expect(took, read.registration is not None, "a registration, where the call gave one")
    if ended.was_stored_behind_the_rival:
        status = ended.seen[-1].course.status
        expect(CourseStatus.ARCHIVED, status, "the status that the stored answer was decided on")


@clause("RACE-6", THREADS)
def of_two_revisions_one_is_stale(bench: RepositoryBench) -> None:
    """Two admins who revise what both saw: one is stored, the other gets StaleCourse.

    A failure means that `expected_updated_at` does not protect: two admins overwrite each other.

    A correct adapter asks `decide` about the course as it is when the answer is stored.
    """
    on = bench.stored(title="before")
    admin = admin_of(on)

    def revising(title: str) -> Callable[[Course], Course]:
        return lambda seen: decisions.revise(
            seen, admin, NOW, expected_updated_at=on.updated_at, title=title
        )

    ended = duel(
        lambda decide: change_course(bench.repository, on, decide),
        revising("first"),
        lambda: change_course(bench.repository, on, revising("rival")),
    )
    winners = [
        name
        for name, outcome in (("first", ended.first), ("rival", ended.rival))
        if outcome.error is None
    ]
    expect(1, len(winners), f"how many of two revisions were taken: {winners}")
    loser = ended.rival if winners == ["first"] else ended.first
    expect_error_of(loser, StaleCourse, "the other revision")
    read = bench.repository.get(on.organization_id, on.id)
    expect(winners[0], None if read is None else read.title, "the title that is stored")


@clause("RACE-7", THREADS)
def a_registration_is_completed_or_cancelled(bench: RepositoryBench) -> None:
    """Complete against cancel: one of them is stored, and the other is an InvalidTransition.

    A failure means that somebody without a seat holds a certificate.

    A correct adapter serialises the changes of one course, also those of one person.
    """
    on = bench.stored(certificate_validity_months=12)
    actor, admin = mentor_of(on), admin_of(on)
    bench.register(on, actor.user_id)
    ended = duel(
        lambda decide: change(bench.repository, on, actor.user_id, decide),
        lambda seen: decisions.complete(seen, admin, NOW, uuid4()),
        lambda: change(
            bench.repository, on, actor.user_id, lambda seen: decisions.cancel(seen, actor, NOW)
        ),
    )
    completes = ended.first.error is None
    loser = ended.rival if completes else ended.first
    expect_error_of(loser, InvalidTransition, "the one that came second")
    read = shown(bench.repository, on, actor.user_id)
    held = read.registration
    status = RegistrationStatus.CONFIRMED if completes else RegistrationStatus.CANCELLED
    expect(status, None if held is None else held.status, "the status of the registration")
    expect(completes, read.certificate is not None, "a certificate, where it was completed")
    expect(int(completes), read.confirmed_count, "the confirmed count")
    pending = bench.repository.pending_reminders().items
    expect(int(completes), len(pending), "how many reminders wait")


@clause("RACE-8", THREADS)
def nobody_registers_behind_a_lowered_cap(bench: RepositoryBench) -> None:
    """Once the cap is lowered, no registration decided on the earlier cap is stored.

    A failure means that a registration is taken while the count is at or above the cap in force.

    A correct adapter raises one version with every change of a course and of its registrations.
    """
    on = bench.stored(max_participants=2)
    bench.register(on)
    actor = mentor_of(on)
    ended = duel(
        lambda decide: change(bench.repository, on, actor.user_id, decide),
        registering(actor),
        lambda: change_course(
            bench.repository, on, lambda seen: attrs.evolve(seen, max_participants=1)
        ),
    )
    expect_error_of(ended.rival, None, "the lowering of the cap")
    expect(1, seats(bench.repository, on), "the cap")
    took = ended.first.error is None
    read = shown(bench.repository, on, actor.user_id)
    expect(1 + took, read.confirmed_count, "the confirmed count")
    if ended.was_stored_behind_the_rival:
        cap = ended.seen[-1].course.max_participants
        expect(1, cap, "the cap that the stored answer was decided on")


@clause("RACE-9", THREADS)
def the_last_answer_counts(bench: RepositoryBench) -> None:
    """Where `decide` is asked again, its last answer is stored and given back, and no earlier one.

    A failure means that what is stored was decided on a state that is gone.

    A correct adapter forgets an answer that it could not store.
    """
    on = bench.stored(description="before")
    asked: list[int] = []

    def numbered(seen: Course) -> Course:
        asked.append(len(asked) + 1)
        return attrs.evolve(seen, title=f"answer {len(asked)}")

    ended = duel(
        lambda decide: change_course(bench.repository, on, decide),
        numbered,
        lambda: change_course(
            bench.repository, on, lambda seen: attrs.evolve(seen, description="rival")
        ),
    )
    read = bench.repository.get(on.organization_id, on.id)
    expect(True, read is not None, "get finds it")
    expected = attrs.evolve(on, title=f"answer {len(asked)}", description="rival")
    expect(expected, read, "the course after both")
    expect(f"answer {len(asked)}", ended.first.answer.title, "the answer given back")


@clause("RACE-10", THREADS)
def the_last_answer_about_a_person_counts(bench: RepositoryBench) -> None:
    """The same for a participation: last answer stored, and two people's seats both counted.

    A failure means that a count is written that another registration has outdated.

    A correct adapter changes its count in the store, or on condition that nothing has changed.
    """
    on = bench.stored()
    whose, other = uuid4(), uuid4()
    asked: list[int] = []

    def numbered(seen: Participation) -> Participation:
        asked.append(len(asked) + 1)
        return confirmed(seen, at=NOW + len(asked) * _TICK)

    ended = duel(
        lambda decide: change(bench.repository, on, whose, decide),
        numbered,
        lambda: change(bench.repository, on, other, confirmed),
    )
    read = shown(bench.repository, on, whose)
    expect(2, read.confirmed_count, "the confirmed count after two registrations")
    at = None if read.registration is None else read.registration.registered_at
    expect(NOW + len(asked) * _TICK, at, "registered_at of the last answer")
    expect(read.registration, ended.first.answer.registration, "the answer given back")


@clause("RACE-11", THREADS)
def rivals_in_a_row_are_outlasted(bench: RepositoryBench) -> None:
    """A change that meets one rival after another is stored in the end.

    A failure means that on a busy course people are told to come back, without need.

    A correct adapter goes on trying by time, at least 2 seconds, and not by a number of tries.
    """
    on = bench.stored(max_participants=1)
    rivals = [
        Rival(lambda: change_course(bench.repository, on, one_more_seat))
        for _ in range(_RIVALS_IN_A_ROW)
    ]
    waiting = iter(rivals)

    def meet_and_answer(seen: Course) -> Course:
        opponent = next(waiting, None)
        if opponent is not None and not opponent.meet():
            for rest in waiting:  # against a lock one rival after another queues up
                rest.start()
        return one_more_seat(seen)

    change_course(bench.repository, on, meet_and_answer)
    met = [each for each in rivals if each.was_started]
    for each in met:
        expect_error_of(each.outcome(), None, "a rival")
    expect(2 + len(met), seats(bench.repository, on), "a number that each call raised by one")


@clause("RACE-12", THREADS)
def a_call_waits_its_turn(bench: RepositoryBench) -> None:
    """A call that finds the course taken for less than 2 seconds does not give up.

    A failure means that one slow caller makes others fail.

    A correct adapter goes on trying for at least 2 and at most 8 seconds.
    """
    on = bench.stored()
    waiting = Rival(lambda: change(bench.repository, on, uuid4(), confirmed))

    def slow(seen: Course) -> Course:
        until = time.monotonic() + _TURN_SECONDS
        while not waiting.meet() and time.monotonic() < until:
            pass
        return attrs.evolve(seen, title="slow")

    change_course(bench.repository, on, slow)
    expect_error_of(waiting.outcome(), None, "the call that waited")
    read = shown(bench.repository, on, uuid4())
    observed = (read.course.title, read.confirmed_count)
    expect(("slow", 1), observed, "the title and the count after both")


@clause("RACE-13", THREADS)
def a_reader_sees_one_state(bench: RepositoryBench) -> None:
    """Each entry of `participations`, and what `decide` is shown, is one committed state.

    A failure means that a page shows a person without a seat on a course that counts them.

    A correct adapter reads course, count, registration and certificate in one statement or one
    snapshot.
    """
    on = bench.stored()
    whose = uuid4()
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            change(bench.repository, on, whose, confirmed)
            change(bench.repository, on, whose, cancelled)

    flipping = Rival(flip)
    try:
        flipping.start()
        for _ in range(60):
            _expect_one_state(shown(bench.repository, on, whose), "participations")
        change(bench.repository, on, whose, lambda seen: _expect_one_state(seen, "decide"))
    finally:
        stop.set()
    expect_error_of(flipping.outcome(), None, "the writer")


def _expect_one_state(seen: Participation, where: str) -> Participation:
    held = seen.registration
    holds = held is not None and held.status is RegistrationStatus.CONFIRMED
    expect(int(holds), seen.confirmed_count, f"{where}: the count beside {held!r}")
    return seen


@clause("RACE-14", THREADS)
def a_decision_holds_up_no_reader(bench: RepositoryBench) -> None:
    """While a decision runs, a read of its course answers: with the state before, or after it.

    A failure means that a reader sees what is not committed, or hangs behind a writer.

    A correct adapter shows a reader only what is committed; if it makes the reader wait, then no
    longer than the decision.
    """
    on = bench.stored(title="before")
    reader = Rival(lambda: bench.repository.get(on.organization_id, on.id))

    def decide(seen: Course) -> Course:
        reader.meet()
        return attrs.evolve(seen, title="after")

    change_course(bench.repository, on, decide)
    read: Any = reader.outcome().result()
    titles = ("before", "after")
    expect_true(read.title in titles, f"what a reader saw: {read.title!r}, expected of {titles}")


CLAUSES = (
    no_update_is_lost,
    the_last_seat_is_sold_once,
    two_objects_lose_no_update_and_sell_no_seat_twice,
    one_person_registers_once,
    nobody_registers_behind_an_archiving,
    of_two_revisions_one_is_stale,
    a_registration_is_completed_or_cancelled,
    nobody_registers_behind_a_lowered_cap,
    the_last_answer_counts,
    the_last_answer_about_a_person_counts,
    rivals_in_a_row_are_outlasted,
    a_call_waits_its_turn,
    a_reader_sees_one_state,
    a_decision_holds_up_no_reader,
)
