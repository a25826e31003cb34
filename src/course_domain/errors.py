"""The errors that a host catches, all below `CourseDomainError`.

Data stands in attributes; the wording of ``str()`` may change. Every error pickles.
"""

from datetime import datetime
from uuid import UUID

from course_domain.rules import CourseDomainError, ErrorWithViolations, InvalidValue


class InvalidCourse(InvalidValue):
    """Refuse a course that would break its rules; `violations` lists every one."""


class InvalidDocument(InvalidValue):
    """Refuse a JSON document; each of `violations` has its place as ``params["path"]``."""


class RegistrationRejected(ErrorWithViolations, CourseDomainError):
    """Refuse a registration; `violations` are those of `registration_rejections`."""


class CourseNotFound(CourseDomainError, LookupError):
    """Tell that there is no such course for this actor: missing, foreign or not to be viewed."""

    def __init__(self, course_id: UUID) -> None:
        self.course_id = course_id
        super().__init__(course_id)

    def __str__(self) -> str:
        return f"No course {self.course_id} in this organization that the actor may view."


class RegistrationNotFound(CourseDomainError, LookupError):
    """Tell that this person was never registered for this course."""

    def __init__(self, course_id: UUID, user_id: UUID) -> None:
        self.course_id = course_id
        self.user_id = user_id
        super().__init__(course_id, user_id)

    def __str__(self) -> str:
        return f"User {self.user_id} has no registration for course {self.course_id}."


class DuplicateCourse(CourseDomainError):
    """Refuse to add a course under an id that is taken."""

    def __init__(self, course_id: UUID) -> None:
        self.course_id = course_id
        super().__init__(course_id)

    def __str__(self) -> str:
        return f"There is already a course {self.course_id}."


class NotPermitted(CourseDomainError):
    """Refuse what the actor's role does not allow, on something that they may know of.

    `command` is a part of the English sentence, as "publish a course": wording, no name to
    compare with.
    """

    def __init__(self, command: str, role: str) -> None:
        self.command = command
        self.role = role
        super().__init__(command, role)

    def __str__(self) -> str:
        return f"An actor with the role {self.role} may not {self.command}."


class InvalidTransition(CourseDomainError):
    """Refuse a command that the present state has no way out by."""

    def __init__(self, command: str, subject: str, state: str) -> None:
        self.command = command
        self.subject = subject
        self.state = state
        super().__init__(command, subject, state)

    def __str__(self) -> str:
        return f"Cannot {self.command} a {self.subject} that is {self.state}."


class StaleCourse(CourseDomainError):
    """Refuse to revise a course that somebody changed since `expected_updated_at` (UTC)."""

    def __init__(
        self, course_id: UUID, expected_updated_at: datetime, updated_at: datetime
    ) -> None:
        self.course_id = course_id
        self.expected_updated_at = expected_updated_at
        self.updated_at = updated_at
        super().__init__(course_id, expected_updated_at, updated_at)

    def __str__(self) -> str:
        return (
            f"Course {self.course_id} was updated at {self.updated_at}, not at"
            f" {self.expected_updated_at}: read it again before revising it."
        )


class RepositoryUnavailable(CourseDomainError):
    """Tell that the storage gave no sure answer: the change is not stored, or not known to be."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)

    def __str__(self) -> str:
        return f"The storage cannot take the call: {self.reason}"
