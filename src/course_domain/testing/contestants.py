"""Who takes part in a race, and what each of them does."""

from collections.abc import Callable
from functools import partial
from uuid import UUID, uuid4

import attrs

from course_domain import decisions
from course_domain.actor import Actor, Role
from course_domain.course import Course
from course_domain.participation import Participation
from course_domain.ports import CourseRepository
from course_domain.testing.bench import NOW, change
from course_domain.testing.bounds import Outcome
from course_domain.testing.expectations import expect


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


def completing(admin: Actor) -> Callable[[Participation], Participation]:
    """Make the decision of the real rules that completes a registration."""
    certificate_id = uuid4()
    return lambda seen: decisions.complete(seen, admin, NOW, certificate_id)


def change_course(
    repository: CourseRepository, on: Course, decide: Callable[[Course], Course]
) -> Course:
    """Change one course."""
    return repository.change_course(on.organization_id, on.id, decide)


def changing_course(
    repository: CourseRepository, on: Course
) -> Callable[[Callable[[Course], Course]], Course]:
    """Give the change of a course, for a decision yet to come."""
    return partial(change_course, repository, on)


def changing(
    repository: CourseRepository, on: Course, user_id: UUID
) -> Callable[[Callable[[Participation], Participation]], Participation]:
    """Give the change of a person's participation, for a decision yet to come."""
    return partial(change, repository, on, user_id)


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
