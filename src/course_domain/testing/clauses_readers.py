"""Clauses for an adapter that declares ``threads``: what readers see, and when."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course
from course_domain.participation import Participation, RegistrationStatus
from course_domain.testing.bench import (
    EXPIRY,
    NOW,
    THREADS,
    RepositoryBench,
    cancelled,
    change,
    completed,
    confirmed,
    shown,
    waiting_for,
)
from course_domain.testing.clause import clause
from course_domain.testing.contestants import (
    change_course,
    changing,
    expect_error_of,
    one_more_seat,
)
from course_domain.testing.differences import brief
from course_domain.testing.expectations import expect, expect_some, expect_true
from course_domain.testing.rivals import Rival, duel, switching_often

_TICK = timedelta(microseconds=1)
_Deciding = Callable[[Participation], Participation]
_LOOK_SECONDS = 0.02  # how long a decision waits for a look, which may be waiting for it


@clause("RACE-13", THREADS)
def a_reader_sees_one_state(bench: RepositoryBench) -> None:
    """Each entry of `participations`, and what `decide` is shown, is one committed state.

    A failure means that a page shows a person without a seat on a course that counts them, or
    one who has completed and has no certificate.

    A correct adapter reads course, count, registration and certificate in one statement or one
    snapshot, and commits them as one.
    """
    on = bench.stored(max_participants=1)
    whose = uuid4()
    stop = threading.Event()

    def flip() -> None:
        while not stop.is_set():
            change_course(bench.repository, on, one_more_seat)
            change(bench.repository, on, whose, _confirmed_at_the_cap)
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
    _expect_whole_decisions(bench)
    _look_while_people_complete(
        bench, lambda on, whose: _expect_whole_completion(shown(bench.repository, on, whose))
    )


def _confirmed_at_the_cap(seen: Participation) -> Participation:
    """Tell by `registered_at` which cap the registration was decided on."""
    return confirmed(seen, at=NOW + (seen.course.max_participants or 0) * _TICK)


def _expect_one_state(seen: Participation, where: str) -> Participation:
    held = seen.registration
    holds = held is not None and held.status is RegistrationStatus.CONFIRMED
    expect(int(holds), seen.confirmed_count, f"{where}: the count beside {brief(held)}")
    cap = seen.course.max_participants or 0
    decided_on = 1 if held is None else (held.registered_at - NOW) // _TICK
    what = f"{where}: the cap is {cap} beside a registration at {decided_on}, the last or this one"
    expect_true(decided_on in (cap - 1, cap), what)
    return seen


def _expect_whole_decisions(bench: RepositoryBench) -> None:
    """Let who waits for a registration, and for a completion, look at what `decide` is shown."""
    on = bench.stored(max_participants=1)
    whose = uuid4()
    asking = changing(bench.repository, on, whose)
    pairs: tuple[tuple[_Deciding, _Deciding], ...] = (
        (_confirmed_at_the_cap, lambda seen: _expect_one_state(seen, "decide")),
        (partial(completed, expires_at=EXPIRY), _expect_whole_completion),
    )
    for decide, look in pairs:
        ended = duel(asking, decide, partial(asking, look))
        expect_error_of(ended.first, None, "the first")
        ended.rival.result()


def _look_while_people_complete(
    bench: RepositoryBench, look: Callable[[Course, UUID], object]
) -> None:
    """Look at a person again and again while they are completed, one person after another."""
    on = bench.stored()
    people = [uuid4() for _ in range(20)]
    for whose in people:
        bench.register(on, whose)
    with switching_often():
        for whose in people:
            _look_while_completed(bench, on, whose, partial(look, on, whose))


def _look_while_completed(
    bench: RepositoryBench, on: Course, whose: UUID, look: Callable[[], object]
) -> None:
    """Look at a person until they are completed, and once from behind the first commit.

    Somebody registers meanwhile, and looks as they are decided on. Where the completion locks the
    course they wait for it, and what it has left for a second commit waits for them.
    """
    looking = Rival(look)

    def register(seen: Participation) -> Participation:
        looking.meet(_LOOK_SECONDS)
        return confirmed(seen)

    registering = Rival(partial(change, bench.repository, on, uuid4(), register))

    def complete(seen: Participation) -> Participation:
        registering.start()
        return completed(seen, expires_at=EXPIRY)

    completing = Rival(partial(change, bench.repository, on, whose, complete))
    thread = completing.start()
    while True:
        was_running = thread.is_alive()
        look()
        if not was_running:
            break
    expect_error_of(completing.outcome(), None, "the completion")
    expect_error_of(registering.outcome(), None, "somebody's registration")
    looking.outcome().result()


def _expect_whole_completion(seen: Participation) -> Participation:
    held = expect_some(seen.registration, "the registration of who is completed")
    is_certified = seen.certificate is not None
    what = f"whether there is a certificate beside {brief(held)}"
    expect(held.completed_at is not None, is_certified, what)
    return seen


@clause("RACE-17", THREADS)
def no_certificate_is_seen_before_its_reminder(bench: RepositoryBench) -> None:
    """Who sees a certificate that expires, or its reminder, and then looks for both, finds both.

    A failure means that one is stored after the other: a host that stops between the two leaves
    somebody whom nobody will tell, or tells somebody of a certificate that is not there.

    A correct adapter commits certificate and reminder as one.
    """

    def reminded(on: Course, whose: UUID) -> set[UUID]:
        waiting = waiting_for(bench.repository, on)
        return {each.certificate_id for each in waiting if each.peer_mentor_id == whose}

    def look(on: Course, whose: UUID) -> None:
        before = reminded(on, whose)
        certificates = bench.repository.certificates(on.organization_id, user_id=whose).items
        after = reminded(on, whose)
        missing = [each for each in certificates if each.id not in after]
        expect([], missing, "certificates that were seen before their reminders")
        early = before - {each.id for each in certificates}
        expect(set[UUID](), early, "reminders that were seen before their certificates")

    _look_while_people_complete(bench, look)


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
    a_reader_sees_one_state,
    no_certificate_is_seen_before_its_reminder,
    a_decision_holds_up_no_reader,
)
