"""Clauses for an adapter that declares ``threads``: whose answer counts, and what readers see."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course
from course_domain.errors import RegistrationNotFound
from course_domain.participation import Participation, RegistrationStatus
from course_domain.testing.bench import (
    NOW,
    THREADS,
    RepositoryBench,
    cancelled,
    change,
    completed,
    confirmed,
    items,
    shown,
    walk,
)
from course_domain.testing.clause import clause
from course_domain.testing.contestants import (
    change_course,
    changing,
    changing_course,
    expect_error_of,
)
from course_domain.testing.differences import brief
from course_domain.testing.expectations import broken, expect, expect_some, expect_true
from course_domain.testing.rivals import Rival, duel, switching_often

_TICK = timedelta(microseconds=1)
_EXPIRY = NOW + timedelta(days=365)
_LOOK_SECONDS = 0.02  # how long a decision waits for a look, which may be waiting for it


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
        changing_course(bench.repository, on),
        numbered,
        lambda: change_course(
            bench.repository, on, lambda seen: attrs.evolve(seen, description="rival")
        ),
    )
    expect_error_of(ended.rival, None, "the rival")
    read = expect_some(bench.repository.get(on.organization_id, on.id), "what get finds")
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
        changing(bench.repository, on, whose),
        numbered,
        lambda: change(bench.repository, on, other, confirmed),
    )
    expect_error_of(ended.rival, None, "the rival")
    read = shown(bench.repository, on, whose)
    expect(2, read.confirmed_count, "the confirmed count after two registrations")
    at = None if read.registration is None else read.registration.registered_at
    expect(NOW + len(asked) * _TICK, at, "registered_at of the last answer")
    expect(read.registration, ended.first.answer.registration, "the answer given back")


@clause("RACE-13", THREADS)
def a_reader_sees_one_state(bench: RepositoryBench) -> None:
    """Each entry of `participations`, and what `decide` is shown, is one committed state.

    A failure means that a page shows a person without a seat on a course that counts them, or
    one who has completed and has no certificate.

    A correct adapter reads course, count, registration and certificate in one statement or one
    snapshot, and commits them as one.
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
    _look_while_people_complete(
        bench, lambda on, whose: _expect_whole_completion(shown(bench.repository, on, whose))
    )


def _expect_one_state(seen: Participation, where: str) -> Participation:
    held = seen.registration
    holds = held is not None and held.status is RegistrationStatus.CONFIRMED
    expect(int(holds), seen.confirmed_count, f"{where}: the count beside {brief(held)}")
    return seen


def _look_while_people_complete(
    bench: RepositoryBench, look: Callable[[Course, UUID], None]
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
    bench: RepositoryBench, on: Course, whose: UUID, look: Callable[[], None]
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
        return completed(seen, expires_at=_EXPIRY)

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


def _expect_whole_completion(seen: Participation) -> None:
    held = expect_some(seen.registration, "the registration of who is completed")
    is_certified = seen.certificate is not None
    what = f"whether there is a certificate beside {brief(held)}"
    expect(held.completed_at is not None, is_certified, what)


@clause("RACE-17", THREADS)
def no_certificate_is_seen_before_its_reminder(bench: RepositoryBench) -> None:
    """Who reads a certificate that expires, and the outbox after it, finds its reminder there.

    A failure means that a reminder is stored after its certificate: a host that stops between
    the two leaves somebody whom nobody will tell.

    A correct adapter commits certificate and reminder as one.
    """

    def look(on: Course, whose: UUID) -> None:
        certificates = bench.repository.certificates(on.organization_id, user_id=whose).items
        pending = items(walk(lambda after: bench.repository.pending_reminders(after=after)))
        reminded = {each.certificate_id for each in pending}
        missing = [each for each in certificates if each.id not in reminded]
        expect([], missing, "certificates that were seen before their reminders")

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


@clause("RACE-15", THREADS)
def what_a_decision_raises_behind_a_rival_passes_through(bench: RepositoryBench) -> None:
    """What `decide` raises passes through, and it is not asked again, also when it came second.

    A failure means that a refusal is asked for again and again on a busy course.

    A correct adapter looks at its version or its locks only for an answer that it has to store.
    """
    on = bench.stored(description="before")
    whose = uuid4()
    raised = RegistrationNotFound(on.id, whose)

    def refuse(_seen: Any) -> Any:
        raise raised

    calls: list[Callable[..., Any]] = [
        changing_course(bench.repository, on),
        changing(bench.repository, on, whose),
    ]
    for number, first in enumerate(calls):
        description = f"rival {number}"
        ended = duel(
            first,
            refuse,
            lambda: change_course(
                bench.repository, on, lambda seen: attrs.evolve(seen, description=description)
            ),
        )
        if ended.first.error is not raised:
            what = "what the call raises when decide raises behind a rival"
            raise broken(what, f"the same object, {raised!r}", repr(ended.first.error))
        expect(1, len(ended.seen), "how often decide was asked")
        expect_error_of(ended.rival, None, "the rival")
        read = shown(bench.repository, on, whose)
        observed = (read.course.description, read.registration)
        expect((description, None), observed, "what is stored after both")


CLAUSES = (
    the_last_answer_counts,
    the_last_answer_about_a_person_counts,
    a_reader_sees_one_state,
    no_certificate_is_seen_before_its_reminder,
    a_decision_holds_up_no_reader,
    what_a_decision_raises_behind_a_rival_passes_through,
)
