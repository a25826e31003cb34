"""Where a clause works: an adapter of its own, fresh organizations, and courses to put in it."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID, uuid4

import attrs
from hypothesis import HealthCheck, Phase, settings

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.participation import (
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from course_domain.ports import CourseRepository, Page
from course_domain.testing.bounds import bounded, within
from course_domain.testing.expectations import expect_some, expect_true
from course_domain.testing.fixtures import made_by

T = TypeVar("T")

THREADS = "threads"
"""The adapter may be called from many threads at once."""

SHARED_STORE = "shared_store"
"""Two objects of the adapter may stand over one store."""

CAPABILITIES = frozenset({THREADS, SHARED_STORE})

CALL_SECONDS = 20.0  # far longer than the 8 that an adapter has: a busy disk stalls for seconds
RIVAL_SECONDS = 0.25  # how long a decision waits for a rival that may be waiting for it

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EXPIRY = NOW + timedelta(days=365)

EXAMPLES = {"default": 20, "thorough": 200}


@attrs.define(kw_only=True)
class RepositoryBench:
    """Make the repository that one clause works on, and what goes into it."""

    make_repository: Callable[[], CourseRepository]
    reopen: Callable[[Any], CourseRepository] | None = None
    capabilities: frozenset[str] = frozenset()
    profile: str = "default"
    call_seconds: float = CALL_SECONDS
    _raw: CourseRepository | None = attrs.field(default=None, init=False, repr=False)

    @property
    def repository(self) -> CourseRepository:
        """The clause's own repository, each of its calls bounded."""
        return self._bounded(self._own())

    def _own(self) -> CourseRepository:
        if self._raw is None:
            self._raw = made_by(self.make_repository, "make_repository", CourseRepository)
        return self._raw

    def in_one_thread(self, work: Callable[[CourseRepository], T]) -> T:
        """Let one thread make all the calls of some work, with a bound on the whole of it.

        The calls of `repository` come from a thread each where the adapter takes that, so that
        what it keeps for a thread never grows old.
        """
        made = partial(work, self._own())
        answer: T = within(self.call_seconds, made, "work in one thread", in_thread=True)
        return answer

    def another_repository(self) -> CourseRepository:
        """Make a second repository, apart from the first."""
        return self._bounded(made_by(self.make_repository, "make_repository", CourseRepository))

    def reopened(self) -> CourseRepository:
        """Make a second object over the store of the first; that one where none can be."""
        first = self.repository
        if self.reopen is None:
            return first
        return self._bounded(made_by(self.reopen, "reopen", CourseRepository, self._raw))

    def _bounded(self, adapter: CourseRepository) -> CourseRepository:
        made: CourseRepository = bounded(
            adapter, CourseRepository, self.call_seconds, in_thread=THREADS in self.capabilities
        )
        return made

    def settings(self, share: float = 1.0) -> settings:
        """Give the Hypothesis settings of the profile."""
        return settings_of(self.profile, share)

    def stored(self, **fields: Any) -> Course:
        """Make a course and put it into the repository."""
        made = course(**fields)
        self.repository.add(made)
        return made

    def register(
        self, on: Course, user_id: UUID | None = None, *, at: datetime = NOW
    ) -> Registration:
        """Confirm a seat for a person, whatever the rules would say."""
        whose = user_id or uuid4()
        answer = change(self.repository, on, whose, lambda seen: confirmed(seen, at=at))
        return expect_some(answer.registration, "the registration in the answer")

    def complete(
        self,
        on: Course,
        user_id: UUID | None = None,
        *,
        expires_at: datetime | None = EXPIRY,
    ) -> Participation:
        """Register and complete a person, with a certificate, and a reminder where it expires."""
        whose = user_id or uuid4()
        self.register(on, whose)
        return change(
            self.repository, on, whose, lambda seen: completed(seen, expires_at=expires_at)
        )


def settings_of(profile: str, share: float = 1.0) -> settings:
    """Give the Hypothesis settings of a profile; databases are slow, and that is no fault.

    The one failure that is shown is the shortest: all it has to say stands in the clause.
    """
    return settings(
        max_examples=max(1, int(EXAMPLES[profile] * share)),
        stateful_step_count=30,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.target, Phase.shrink],
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    )


def course(**fields: Any) -> Course:
    """Make a plain published course with ids of its own."""
    plain: dict[str, Any] = {
        "id": uuid4(),
        "organization_id": uuid4(),
        "title": "Kurs",
        "course_type": CourseType.WORKSHOP,
        "status": CourseStatus.PUBLISHED,
        "is_virtual": False,
        "issues_certificate": True,
        "created_by": uuid4(),
        "created_at": NOW,
        "updated_at": NOW,
    }
    return Course(**plain | fields)


def change(
    repository: CourseRepository,
    on: Course,
    user_id: UUID,
    decide: Callable[[Participation], Participation],
) -> Participation:
    """Change a person's participation in a course."""
    return repository.change_participation(on.organization_id, on.id, user_id, decide)


def shown(repository: CourseRepository, on: Course, user_id: UUID) -> Participation:
    """Give a person's participation in a course as it is read back."""
    return repository.participations(on.organization_id, [on.id], user_id)[on.id]


def confirmed(
    seen: Participation, *, at: datetime = NOW, registration_id: UUID | None = None
) -> Participation:
    """Answer with a confirmed registration, the same record where there is one."""
    held = seen.registration
    registration = Registration(
        id=held.id if held is not None else registration_id or uuid4(),
        course_id=seen.course.id,
        organization_id=seen.course.organization_id,
        user_id=seen.user_id,
        status=RegistrationStatus.CONFIRMED,
        registered_at=at,
    )
    return attrs.evolve(seen, registration=registration)


def cancelled(seen: Participation, *, at: datetime = NOW) -> Participation:
    """Answer with the registration cancelled."""
    held = attrs.evolve(_held(seen), status=RegistrationStatus.CANCELLED, cancelled_at=at)
    return attrs.evolve(seen, registration=held)


def completed(
    seen: Participation,
    *,
    at: datetime = NOW,
    expires_at: datetime | None = None,
    certificate_id: UUID | None = None,
) -> Participation:
    """Answer with the registration completed, a certificate, and a reminder where it expires."""
    held = attrs.evolve(_held(seen), completed_at=at)
    owner = {
        "course_id": seen.course.id,
        "organization_id": seen.course.organization_id,
        "peer_mentor_id": seen.user_id,
    }
    certificate = PeerMentorCertificate(
        id=certificate_id or uuid4(), issued_at=at, expires_at=expires_at, **owner
    )
    reminder = None
    if expires_at is not None:
        remind_at = expires_at - timedelta(days=30)
        reminder = RenewalReminder(certificate_id=certificate.id, remind_at=remind_at, **owner)
    return attrs.evolve(seen, registration=held, certificate=certificate, reminder=reminder)


def _held(seen: Participation) -> Registration:
    return expect_some(seen.registration, "the registration that decide is shown")


def walk(page_after: Callable[[str | None], Page[T]], *, most: int = 1_000) -> list[Page[T]]:
    """Read page after page to the end; an adapter that never ends fails."""
    pages = [page_after(None)]
    while pages[-1].next is not None:
        expect_true(len(pages) < most, "the pages never end")
        pages.append(page_after(pages[-1].next))
    return pages


def waiting_for(repository: CourseRepository, on: Course) -> list[RenewalReminder]:
    """Give the reminders of a course that wait in the outbox."""
    pages = walk(lambda after: repository.pending_reminders(after=after))
    return [each for each in items(pages) if each.course_id == on.id]


def items(pages: Iterable[Page[T]]) -> list[T]:
    """Give what stands on the pages, in order."""
    return [item for page in pages for item in page.items]
