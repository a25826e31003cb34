"""Clauses for an adapter that declares ``threads``: whose answer counts."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import attrs

from course_domain.course import Course
from course_domain.errors import RegistrationNotFound
from course_domain.participation import Participation
from course_domain.testing.bench import (
    NOW,
    THREADS,
    RepositoryBench,
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
)
from course_domain.testing.expectations import broken, expect, expect_some, expect_true
from course_domain.testing.rivals import duel

_TICK = timedelta(microseconds=1)
_Deciding = Callable[[Participation], Participation]
_LOOK_SECONDS = 0.02  # how long a decision waits for a look, which may be waiting for it


@clause("RACE-9", THREADS)
def the_last_answer_counts(bench: RepositoryBench) -> None:
    """Where `decide` is asked again, its last answer is stored and given back, and no earlier one.

    A failure means that what is stored was decided on a state that is gone, if only in a field
    that the answer left alone.

    A correct adapter forgets an answer that it could not store, whatever has changed meanwhile,
    and gives back the one that it has stored.
    """
    on = bench.stored(title="before", description="before")
    answers: list[Course] = []
    rival_saw: list[str] = []

    def numbered(seen: Course) -> Course:
        answers.append(attrs.evolve(seen, title=f"answer {len(answers) + 1}"))
        return answers[-1]

    def describe(seen: Course) -> Course:
        rival_saw.append(seen.title)
        return attrs.evolve(seen, description="rival")

    ended = duel(
        changing_course(bench.repository, on),
        numbered,
        lambda: change_course(bench.repository, on, describe),
    )
    expect_error_of(ended.rival, None, "the rival")
    read = expect_some(bench.repository.get(on.organization_id, on.id), "what get finds")
    expected = attrs.evolve(on, title=answers[-1].title, description="rival")
    expect(expected, read, "the course after both")
    expect(answers[-1], ended.first.answer, "the answer given back")
    is_second = ended.seen[-1].description == "rival"
    expected_title = "before" if is_second else answers[-1].title
    expect(expected_title, rival_saw[-1], "the title that the rival was shown at last")
    expect(expected_title, ended.rival.answer.title, "the title that the rival was given back")


@clause("RACE-10", THREADS)
def the_last_answer_about_a_person_counts(bench: RepositoryBench) -> None:
    """The same for a participation: last answer stored, and two people's seats both counted.

    A failure means that a count is written that another registration has outdated, or that a
    caller is told of a state that never was.

    A correct adapter changes its count in the store, or on condition that nothing has changed,
    and gives back the state after that, not the one that it decided on first.
    """
    on = bench.stored()
    whose, other = uuid4(), uuid4()
    answers: list[Participation] = []
    rival_saw: list[int] = []

    def numbered(seen: Participation) -> Participation:
        answers.append(confirmed(seen, at=NOW + (len(answers) + 1) * _TICK))
        return answers[-1]

    def register(seen: Participation) -> Participation:
        rival_saw.append(seen.confirmed_count)
        return confirmed(seen)

    ended = duel(
        changing(bench.repository, on, whose),
        numbered,
        lambda: change(bench.repository, on, other, register),
    )
    expect_error_of(ended.rival, None, "the rival")
    read = shown(bench.repository, on, whose)
    expect(2, read.confirmed_count, "the confirmed count after two registrations")
    expect(answers[-1].registration, read.registration, "the registration of the last answer")
    counts = (ended.seen[-1].confirmed_count, rival_saw[-1])
    expect([0, 1], sorted(counts), "the counts that the two were shown at last")
    for outcome, count in zip((ended.first, ended.rival), counts, strict=True):
        given = outcome.answer.confirmed_count
        expect_true(given in {count + 1, 2}, f"the count in an answer is {given}, after {count}")
    given = attrs.evolve(ended.first.answer, confirmed_count=answers[-1].confirmed_count)
    expect(answers[-1], given, "the answer given back, but for the count")


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
    what_a_decision_raises_behind_a_rival_passes_through,
)
