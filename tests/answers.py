"""The lives of a course and of a registration, and which answer comes first, as the code has them.

Nothing here is known beforehand: all of it is read off `COURSE_TRANSITIONS`, or off what the
decisions answer when they are asked.
"""

from collections.abc import Callable, Collection, Iterator, Mapping

import builders as plain
from course_domain import (
    COURSE_TRANSITIONS,
    Actor,
    CourseDomainError,
    CourseStatus,
    CourseType,
    InvalidTransition,
    Participation,
    Registration,
    RegistrationStatus,
    Role,
    cancel,
    complete,
    create,
    publish,
    register,
    revise,
    visible_statuses,
)

DONE = "done"
THE_SAME = "the same again"

Life = Mapping[str, Mapping[str, str]]
"""For each state, where each command leads from there, or the error that it is refused with."""

Faults = Collection[str]
"""The answers to provoke; without any, the answer is `DONE`."""

Question = Callable[[Faults], tuple[object, object]]
"""Ask a command, with something wrong for each fault; give the state before it and after it."""

REGISTRATIONS: Mapping[str, Registration | None] = {
    "not registered": None,
    "confirmed": plain.registration(),
    "completed": plain.registration(completed_at=plain.NOW),
    "cancelled": plain.cancelled(),
}
"""A registration in each of its states."""


def holds_a_seat(registration: Registration | None) -> bool:
    """Tell whether a registration counts against the cap."""
    return registration is not None and registration.status is RegistrationStatus.CONFIRMED


def seen_by(status: CourseStatus) -> str:
    """Say who of its organization sees a course in this status."""
    roles = [role for role in Role if status in visible_statuses(role)]
    return "everybody" if roles == list(Role) else f"{roles[0]}s only"


def life_of_a_course() -> Life:
    """Give the moves between the statuses of a course."""
    commands = dict.fromkeys(name for moves in COURSE_TRANSITIONS.values() for name in moves)
    return {
        status.value: {name: moves.get(name, InvalidTransition.__name__) for name in commands}
        for status, moves in COURSE_TRANSITIONS.items()
    }


def life_of_a_registration() -> Life:
    """Give the moves between the states of a registration."""
    person, admin = plain.actor(), plain.actor(Role.ADMIN)
    commands: Mapping[str, Callable[[Participation], Participation]] = {
        "register": lambda seen: register(seen, person, plain.NOW, plain.REGISTRATION_ID),
        "cancel": lambda seen: cancel(seen, person, plain.NOW),
        "complete": lambda seen: complete(seen, admin, plain.NOW, plain.CERTIFICATE_ID),
    }
    return {
        state: {
            name: _state_after(command, plain.participation(registration=registration))
            for name, command in commands.items()
        }
        for state, registration in REGISTRATIONS.items()
    }


def _state_after(command: Callable[[Participation], Participation], seen: Participation) -> str:
    try:
        registration = command(seen).registration
    except CourseDomainError as error:
        return type(error).__name__
    assert registration is not None
    return registration.status.value if registration.completed_at is None else "completed"


def onward(life: Life) -> Life:
    """Keep the commands that lead to another state."""
    return {
        state: {name: end for name, end in ways.items() if end in life and end != state}
        for state, ways in life.items()
    }


def in_words(life: Life) -> str:
    """Say where each command leads, for who does not see a picture of it."""
    return " ".join(
        f"From {state}, {', '.join(f'{name} leads to {end}' for name, end in ways.items())}."
        for state, ways in onward(life).items()
        if ways
    )


def _actor(faults: Faults, role: Role = Role.ADMIN) -> Actor:
    foreign = plain.OTHER_ORGANIZATION_ID
    return plain.actor(
        Role.COORDINATOR if "NotPermitted" in faults else role,
        user_id=plain.USER_ID if role is Role.PEER_MENTOR else plain.ADMIN_ID,
        organization_id=foreign if "CourseNotFound" in faults else plain.ORGANIZATION_ID,
    )


def _participation(faults: Faults, *, blocked: str = "", repeated: str) -> Participation:
    for fault, state in (
        ("RegistrationNotFound", "not registered"),
        (THE_SAME, repeated),
        ("InvalidTransition", blocked),
    ):
        if fault in faults:
            return plain.participation(registration=REGISTRATIONS[state])
    return plain.participation(registration=REGISTRATIONS["confirmed"])


def _create(faults: Faults) -> tuple[object, object]:
    course = create(
        _actor(faults),
        plain.NOW,
        plain.COURSE_ID,
        title="" if "InvalidCourse" in faults else "To listen",
        course_type=CourseType.WORKSHOP,
        is_virtual=True,
        issues_certificate=False,
    )
    return None, course


def _revise(faults: Faults) -> tuple[object, object]:
    course = plain.course()
    revised = revise(
        course,
        _actor(faults),
        plain.NOW,
        expected_updated_at=plain.NOW if "StaleCourse" in faults else None,
        title=course.title if THE_SAME in faults else "To listen",
        certificate_never_expires="InvalidCourse" in faults,  # beside months that stay
    )
    return course, revised


def _publish(faults: Faults) -> tuple[object, object]:
    status = CourseStatus.ARCHIVED if "InvalidTransition" in faults else CourseStatus.DRAFT
    course = plain.course(status=CourseStatus.PUBLISHED if THE_SAME in faults else status)
    return course, publish(course, _actor(faults), plain.NOW)


def _register(faults: Faults) -> tuple[object, object]:
    now = plain.DEADLINE + plain.TICK if "RegistrationRejected" in faults else plain.NOW
    held = REGISTRATIONS["confirmed" if THE_SAME in faults else "not registered"]
    seen = plain.participation(registration=held)
    return seen, register(seen, _actor(faults, Role.PEER_MENTOR), now, plain.REGISTRATION_ID)


def _cancel(faults: Faults) -> tuple[object, object]:
    seen = _participation(faults, blocked="completed", repeated="cancelled")
    return seen, cancel(seen, _actor(faults), plain.NOW)


def _complete(faults: Faults) -> tuple[object, object]:
    seen = _participation(faults, blocked="cancelled", repeated="completed")
    later = plain.NOW + plain.TICK if "InvalidValue" in faults else None
    actor = _actor(faults)
    return seen, complete(seen, actor, plain.NOW, plain.CERTIFICATE_ID, completed_at=later)


_ABOUT_A_COURSE = ("CourseNotFound", "NotPermitted")
_ABOUT_A_PERSON = (*_ABOUT_A_COURSE, "RegistrationNotFound", THE_SAME, "InvalidTransition")

QUESTIONS: Mapping[str, tuple[Question, tuple[str, ...]]] = {
    "create a course": (_create, ("NotPermitted", "InvalidCourse")),
    "revise it": (_revise, (*_ABOUT_A_COURSE, "StaleCourse", "InvalidCourse", THE_SAME)),
    "publish it": (_publish, (*_ABOUT_A_COURSE, THE_SAME, "InvalidTransition")),
    "register": (_register, ("CourseNotFound", THE_SAME, "RegistrationRejected")),
    "cancel for a person": (_cancel, _ABOUT_A_PERSON),
    "complete for a person": (_complete, (*_ABOUT_A_PERSON, "InvalidValue")),
}
"""Each command, how it is asked, and all that can be wrong with it."""


def answers_in_order(question: Question, faults: Faults) -> Iterator[str]:
    """Ask with everything wrong at once, then without what was told, until it is done."""
    left = set(faults)
    while True:
        told = _answer(question, left)
        yield told
        if told == DONE:
            return
        left.remove(told)


def _answer(question: Question, faults: Faults) -> str:
    try:
        before, after = question(faults)
    except CourseDomainError as error:
        return type(error).__name__
    return THE_SAME if before == after else DONE
