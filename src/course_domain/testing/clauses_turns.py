"""Clauses for an adapter that declares ``threads``: whose answer counts, who waits, who reads."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

import attrs

from course_domain.course import Course
from course_domain.participation import Participation, RegistrationStatus
from course_domain.testing.bench import (
    NOW,
    THREADS,
    RepositoryBench,
    cancelled,
    change,
    confirmed,
    shown,
)
from course_domain.testing.clause import clause
from course_domain.testing.contestants import (
    change_course,
    changing,
    changing_course,
    expect_error_of,
    one_more_seat,
    seats,
)
from course_domain.testing.differences import brief
from course_domain.testing.expectations import expect, expect_some, expect_true
from course_domain.testing.rivals import Rival, duel

_TICK = timedelta(microseconds=1)
_TURN_SECONDS = 1.6  # below the 2 seconds for which every adapter goes on trying
_RIVALS_IN_A_ROW = 6


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
        if opponent is not None and opponent.meet() is False:
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
        waiting.meet(_TURN_SECONDS)
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
    expect(int(holds), seen.confirmed_count, f"{where}: the count beside {brief(held)}")
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
    the_last_answer_counts,
    the_last_answer_about_a_person_counts,
    rivals_in_a_row_are_outlasted,
    a_call_waits_its_turn,
    a_reader_sees_one_state,
    a_decision_holds_up_no_reader,
)
