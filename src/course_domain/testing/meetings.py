"""A change of a course meets a decision about a person on it: who is second has seen the first."""

from collections.abc import Callable
from functools import partial
from uuid import UUID

from course_domain.course import Course
from course_domain.errors import CourseNotFound, RegistrationRejected
from course_domain.participation import Participation
from course_domain.testing.bench import RepositoryBench, change, shown
from course_domain.testing.bounds import Outcome
from course_domain.testing.contestants import change_course, changing, expect_error_of
from course_domain.testing.differences import brief
from course_domain.testing.expectations import expect, expect_true
from course_domain.testing.rivals import Rival, duel

Deciding = Callable[[Participation], Participation]
Altering = Callable[[Course], Course]

_REFUSALS = (RegistrationRejected, CourseNotFound)  # of the real rules, the latter once archived


def person_first(
    bench: RepositoryBench, on: Course, whose: UUID, decide: Deciding, alter: Altering
) -> Participation:
    """Change a course inside a decision about a person, which is not stored as it was behind that.

    Gives what is read back.
    """

    def alter_and_look() -> Participation:
        change_course(bench.repository, on, alter)
        return shown(bench.repository, on, whose)

    ended = duel(changing(bench.repository, on, whose), decide, alter_and_look)
    expect_error_of(ended.rival, None, "the change of the course")
    looked: Participation = ended.rival.answer
    read = _read_back(bench, on, whose, ended.first)
    if ended.first.error is None and looked.registration != read.registration:
        what = "the course that the answer stored behind its change was decided on"
        expect(looked.course, ended.seen[-1].course, what)
    return read


def course_first(
    bench: RepositoryBench, on: Course, whose: UUID, decide: Deciding, alter: Altering
) -> Participation:
    """Decide about a person inside a change of their course; who is asked after it has seen it."""
    seen: list[Participation] = []
    asked: list[str] = []

    def note_and_decide(state: Participation) -> Participation:
        asked.append("person")
        seen.append(state)
        return decide(state)

    rival = Rival(partial(change, bench.repository, on, whose, note_and_decide))

    def meet_and_alter(state: Course) -> Course:
        if rival.meet() is not None:
            asked.append("course")
        return alter(state)

    altered = change_course(bench.repository, on, meet_and_alter)
    read = _read_back(bench, on, whose, rival.outcome())
    if rival.outcome().error is None:
        given = rival.outcome().answer.course
        expect_true(given in (seen[-1].course, altered), f"an answer has the course {brief(given)}")
        if "course" in asked and asked[-1] == "person":
            expect(altered, seen[-1].course, "the course that decide is shown behind its change")
    return read


def _read_back(bench: RepositoryBench, on: Course, whose: UUID, outcome: Outcome) -> Participation:
    """Read a person back: what their call gave, or nothing where it was refused."""
    if not isinstance(outcome.error, _REFUSALS):
        expect_error_of(outcome, None, "the decision about the person")
    read = shown(bench.repository, on, whose)
    given = None if outcome.error is not None else outcome.answer.registration
    expect(given, read.registration, "the registration that the call gave, and what is stored")
    return read


EITHER_FIRST = (person_first, course_first)
