"""Clauses: what a decision is shown, and what becomes of its answer."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course
from course_domain.errors import CourseNotFound, DuplicateCourse, RepositoryUnavailable, StaleCourse
from course_domain.participation import Participation
from course_domain.rules import CourseDomainError, InvalidValue, Rule, Violation
from course_domain.testing.bench import NOW, RepositoryBench, change, shown
from course_domain.testing.clause import clause
from course_domain.testing.expectations import broken, expect

_DAY = timedelta(days=1)
_TIMES = 16  # one more than the connections that a pool usually has


class _Refused(Exception):
    """What a decision of the kit raises."""


# What an adapter might catch for the sake of its storage, or of itself; and what ends a process.
_KINDS: tuple[type[BaseException], ...] = (
    _Refused,
    ArithmeticError,
    AssertionError,
    AttributeError,
    KeyError,
    OSError,
    RuntimeError,
    StopIteration,
    TimeoutError,
    TypeError,
    ValueError,
    GeneratorExit,
    KeyboardInterrupt,
    SystemExit,
)


def _asked(
    bench: RepositoryBench, on: Course, user_id: UUID
) -> tuple[list[Participation], Participation]:
    """Give what `decide` is shown, and what the call gives when the answer is just that."""
    seen: list[Participation] = []

    def decide(participation: Participation) -> Participation:
        seen.append(participation)
        return participation

    return seen, change(bench.repository, on, user_id, decide)


@clause("DECIDE-1")
def a_decision_is_shown_what_is_stored(bench: RepositoryBench) -> None:
    """`decide` is shown the course, the count, registration and certificate as they are stored.

    A failure means that a decision is made on something that is not so. The reminder is None: it
    is something an answer adds, never something read.

    A correct adapter loads all four inside the same transaction that stores the answer.
    """
    on = bench.stored(max_participants=3)
    done = bench.complete(on)
    bench.register(on)
    stranger = uuid4()
    for whose, expected in (
        (done.user_id, attrs.evolve(done, confirmed_count=2, reminder=None)),
        (stranger, Participation(course=on, confirmed_count=2, user_id=stranger)),
    ):
        seen, answer = _asked(bench, on, whose)
        expect(expected, seen[-1], "what decide is shown")
        expect(expected, answer, "the state after an answer that changes nothing")
        expect(expected, shown(bench.repository, on, whose), "participations")
    courses: list[Course] = []

    def decide_course(seen: Course) -> Course:
        courses.append(seen)
        return seen

    bench.repository.change_course(on.organization_id, on.id, decide_course)
    expect(on, courses[-1], "what decide of a course is shown")


@clause("DECIDE-2")
def what_a_decision_raises_passes_through(bench: RepositoryBench) -> None:
    """What `decide` raises comes out as the same object, a KeyboardInterrupt too.

    A failure means that a refusal reaches the caller as something else, or not at all, and that
    nobody can stop a process. It is not asked again for that.

    A correct adapter rolls back and raises on; it wraps and retries only what its storage raised.
    """
    on = bench.stored()
    for raised in (*(each("raised by decide") for each in _KINDS), *_own_errors(on)):
        for name, call in _raising_calls(bench, on, raised).items():
            what = f"what {name} raises when decide raises {type(raised).__name__}"
            asked, error = call()
            if error is not raised:
                raise broken(what, f"the same object, {raised!r}", repr(error))
            expect(1, asked, f"{name}: how often decide was asked")


def _own_errors(on: Course) -> tuple[CourseDomainError, ...]:
    """Make what an adapter raises by itself, or takes for its own."""
    return (
        RepositoryUnavailable("raised by decide"),
        StaleCourse(on.id, NOW, NOW),
        CourseNotFound(on.id),
        DuplicateCourse(on.id),
        InvalidValue([Violation(Rule.OUT_OF_RANGE, ("raised by decide",))]),
    )


def _raising_calls(
    bench: RepositoryBench, on: Course, raised: BaseException
) -> dict[str, Callable[[], tuple[int, BaseException | None]]]:
    asked: list[object] = []

    def decide(seen: Any) -> Any:
        asked.append(seen)
        raise raised

    def caught(call: Callable[[], object]) -> tuple[int, BaseException | None]:
        asked.clear()
        try:
            call()
        except BaseException as error:  # noqa: BLE001  it is what the clause looks at
            return len(asked), error
        return len(asked), None

    repository = bench.repository
    return {
        "change_course": lambda: caught(
            lambda: repository.change_course(on.organization_id, on.id, decide)
        ),
        "change_participation": lambda: caught(lambda: change(repository, on, uuid4(), decide)),
    }


@clause("DECIDE-3")
def a_decision_that_raises_stores_nothing_and_locks_nothing(bench: RepositoryBench) -> None:
    """After `decide` raised, nothing is stored, nothing is locked, and the next call works.

    A failure means that a refused call leaves half of its work, or a lock that nobody opens.

    A correct adapter ends its transaction, and gives back its lock and its connection, whatever
    is raised.
    """
    on = bench.stored()
    done = bench.complete(on)
    before = (
        bench.repository.get(on.organization_id, on.id),
        shown(bench.repository, on, done.user_id),
        bench.repository.registrations(on.organization_id),
        bench.repository.pending_reminders(),
    )
    for raised in (_Refused("raised by decide"), KeyboardInterrupt("raised by decide")):
        for name, call in _raising_calls(bench, on, raised).items():
            for _ in range(_TIMES):
                _, error = call()
                if error is not raised:
                    raise broken(f"what {name} raises", f"the same {raised!r}", repr(error))
        after = (
            bench.repository.get(on.organization_id, on.id),
            shown(bench.repository, on, done.user_id),
            bench.repository.registrations(on.organization_id),
            bench.repository.pending_reminders(),
        )
        expect(before, after, f"what is stored after decide raised {raised!r}")
    title = bench.repository.change_course(
        on.organization_id, on.id, lambda seen: attrs.evolve(seen, title="next")
    ).title
    expect("next", title, "the next change of the course")
    bench.register(on)
    entry = shown(bench.repository, on, done.user_id)
    expect(2, entry.confirmed_count, "the count after the next registration")


@clause("DECIDE-4")
def the_answer_about_a_course_is_stored_and_given_back(bench: RepositoryBench) -> None:
    """`change_course` stores what `decide` answers, as it is, and gives it back.

    A failure means that an author is told something else than what is stored.

    A correct adapter judges nothing and stamps nothing: `updated_at` is the decision's.
    """
    on = bench.stored(max_participants=5)
    for fields in ({"title": "other", "updated_at": NOW + _DAY}, {"max_participants": None}):
        expected = attrs.evolve(bench.repository.get(on.organization_id, on.id) or on, **fields)
        answer = bench.repository.change_course(
            on.organization_id, on.id, lambda seen: attrs.evolve(seen, **fields)
        )
        expect(expected, answer, "what change_course gives")
        expect(expected, bench.repository.get(on.organization_id, on.id), "what is stored")


@clause("DECIDE-5")
def an_answer_that_changes_nothing_writes_nothing(bench: RepositoryBench) -> None:
    """An answer equal to what `decide` was given leaves everything as it is.

    A failure means that a repeated call takes a second seat, or moves a record.

    A correct adapter may compare or not: writing the same again must change nothing.
    """
    on = bench.stored()
    done = bench.complete(on)
    expected = attrs.evolve(done, reminder=None)
    pending = bench.repository.pending_reminders()
    for _ in range(2):
        _seen, answer = _asked(bench, on, done.user_id)
        expect(expected, answer, "the answer")
        expect(expected, shown(bench.repository, on, done.user_id), "participations")
        same = bench.repository.change_course(on.organization_id, on.id, lambda seen: seen)
        expect(on, same, "the course")
    expect(pending, bench.repository.pending_reminders(), "the outbox")
    _seen, answer = _asked(bench, on, uuid4())
    expect(None, answer.registration, "the registration of somebody without one")
    listed = bench.repository.registrations(on.organization_id).items
    expect((done.registration,), listed, "the registrations")


CLAUSES = (
    a_decision_is_shown_what_is_stored,
    what_a_decision_raises_passes_through,
    a_decision_that_raises_stores_nothing_and_locks_nothing,
    the_answer_about_a_course_is_stored_and_given_back,
    an_answer_that_changes_nothing_writes_nothing,
)
