import logging
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import attrs
import pytest

from builders import (
    ADMIN_ID,
    COURSE_ID,
    DEADLINE,
    NOW,
    ORGANIZATION_ID,
    OTHER_ORGANIZATION_ID,
    OTHER_USER_ID,
    START,
    TICK,
    USER_ID,
    actor,
    cancelled,
    certificate,
    course,
    registration,
    reminder,
)
from course_domain import (
    Actor,
    Course,
    CourseNotFound,
    CourseService,
    CourseStatus,
    CourseType,
    InvalidCourse,
    InvalidTransition,
    InvalidValue,
    NotPermitted,
    Page,
    Participation,
    RegistrationNotFound,
    RegistrationRejected,
    RenewalReminder,
    RepositoryUnavailable,
    Role,
    Rule,
    StaleCourse,
)
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler

DRAFT, PUBLISHED, ARCHIVED = CourseStatus.DRAFT, CourseStatus.PUBLISHED, CourseStatus.ARCHIVED
ADMIN, COORDINATOR, PEER_MENTOR = Role.ADMIN, Role.COORDINATOR, Role.PEER_MENTOR
NOT_ADMINS = pytest.mark.parametrize("role", [COORDINATOR, PEER_MENTOR])

MENTOR, BOSS, STRANGER = actor(), actor(ADMIN), actor(COORDINATOR, user_id=OTHER_USER_ID)
FOREIGN_BOSS = actor(ADMIN, organization_id=OTHER_ORGANIZATION_ID)


def some_id(number: int) -> UUID:
    """Give one of many ids."""
    return UUID(int=number)


# The courses of `town`, by what is special about them.
OPEN, HIDDEN, GONE, FULL, LATE, LEFT, DONE, FOREIGN = map(some_id, range(1, 9))
MISSING = some_id(99)


class Clock:
    """A clock that a test sets, and that counts how often it is read."""

    def __init__(self) -> None:
        self.now: Any = NOW
        self.reads = 0

    def __call__(self) -> Any:
        """Tell the time that was set."""
        self.reads += 1
        return self.now


class AskingTwice(InMemoryCourseRepository):
    """A repository that asks each decision twice and keeps the last answer, as a retry does."""

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Ask, and ask again."""

        def again(seen: Course) -> Course:
            decide(seen)
            return decide(seen)

        return super().change_course(organization_id, course_id, again)

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Ask, and ask again."""

        def again(seen: Participation) -> Participation:
            decide(seen)
            return decide(seen)

        return super().change_participation(organization_id, course_id, user_id, again)


class Scheduler(InMemoryReminderScheduler):
    """A scheduler that fails as a test wants it, and counts how often it is called."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.down: BaseException | None = None
        self.down_for: set[UUID] = set()

    def schedule(self, reminder: RenewalReminder) -> None:
        """Take the reminder, or fail."""
        self.calls += 1
        if self.down is not None:
            raise self.down
        if reminder.certificate_id in self.down_for:
            raise OSError
        super().schedule(reminder)


class Stop(BaseException):
    """The process stops here."""


@pytest.fixture(params=[InMemoryCourseRepository, AskingTwice], ids=["once", "twice"])
def repository(request: pytest.FixtureRequest) -> InMemoryCourseRepository:
    """Give an empty repository, one that asks once and one that asks twice."""
    made: InMemoryCourseRepository = request.param()
    return made


@pytest.fixture
def clock() -> Clock:
    """Give a clock that says `NOW`."""
    return Clock()


@pytest.fixture
def scheduler() -> Scheduler:
    """Give a scheduler that works."""
    return Scheduler()


@pytest.fixture
def service(
    repository: InMemoryCourseRepository, scheduler: Scheduler, clock: Clock
) -> CourseService:
    """Give a service at `NOW` whose ids count from 1 000."""
    ids = count(1_000)
    return CourseService(repository, scheduler, clock=clock, new_id=lambda: some_id(next(ids)))


def put(repository: InMemoryCourseRepository, stored: Course, *records: Mapping[str, Any]) -> None:
    """Store a course and the records of people on it."""
    repository.add(stored)
    owned: dict[str, Any] = {
        "course_id": stored.id,
        "organization_id": stored.organization_id,
    }
    for each in records:
        held = attrs.evolve(each["registration"], **owned)
        issued = each.get("certificate")
        due = each.get("reminder")
        after: dict[str, Any] = {
            "registration": held,
            "certificate": issued and attrs.evolve(issued, **owned),
            "reminder": due and attrs.evolve(due, **owned),
        }
        InMemoryCourseRepository.change_participation(
            repository, stored.organization_id, stored.id, held.user_id, answering(after)
        )


def answering(fields: dict[str, Any]) -> Callable[[Participation], Participation]:
    """Make a decision that answers these fields, whatever it sees."""
    return lambda seen: attrs.evolve(seen, **fields)


def seat(number: int, user_id: UUID = USER_ID, **fields: Any) -> dict[str, Any]:
    """Give the records of one who holds a seat."""
    return {"registration": registration(id=some_id(number), user_id=user_id, **fields)}


@pytest.fixture
def town(repository: InMemoryCourseRepository) -> InMemoryCourseRepository:
    """Give the repository with courses and people in every state there is."""
    other = seat(21, OTHER_USER_ID)
    done = {
        "registration": registration(id=some_id(16), completed_at=NOW - TICK),
        "certificate": certificate(id=some_id(26)),
        "reminder": reminder(certificate_id=some_id(26)),
    }
    past = {"registration_deadline": NOW - TICK}
    put(repository, course(id=OPEN), seat(11), other)
    put(repository, course(id=HIDDEN, status=DRAFT), seat(12))
    put(repository, course(id=GONE, status=ARCHIVED))
    put(repository, course(id=FULL, max_participants=1), seat(14, OTHER_USER_ID))
    put(repository, course(id=LATE, **past), seat(13))
    put(repository, course(id=LEFT), {"registration": cancelled(id=some_id(15))})
    put(repository, course(id=DONE), done)
    put(repository, course(id=FOREIGN, organization_id=OTHER_ORGANIZATION_ID), seat(18))
    return repository


def dump(repository: InMemoryCourseRepository) -> list[object]:
    """Give all that a repository holds, counts and outbox too."""
    everything: list[object] = [repository.pending_reminders(limit=200)]
    for organization_id in (ORGANIZATION_ID, OTHER_ORGANIZATION_ID):
        courses = repository.courses(organization_id, limit=200)
        ids = [each.id for each in courses.items]
        everything += [
            courses,
            repository.registrations(organization_id, limit=200),
            repository.certificates(organization_id, limit=200),
            repository.participations(organization_id, ids, USER_ID),
        ]
    return everything


def new_course(**fields: Any) -> Any:
    """Give the least that an author says of a new course."""
    return {
        "title": "Listening",
        "course_type": CourseType.WORKSHOP,
        "is_virtual": True,
        "issues_certificate": False,
    } | fields


# What is refused, by whom it was asked

Ask = Callable[[CourseService], object]
REFUSED: dict[str, tuple[type[Exception], Ask]] = {
    "create by a coordinator": (
        NotPermitted,
        lambda service: service.create_course(STRANGER, **new_course()),
    ),
    "create of an invalid course": (
        InvalidCourse,
        lambda service: service.create_course(BOSS, **new_course(title="")),
    ),
    "create without expiry, not said": (
        InvalidCourse,
        lambda service: service.create_course(BOSS, **new_course(issues_certificate=True)),
    ),
    "revise by a peer mentor": (
        NotPermitted,
        lambda service: service.revise_course(MENTOR, OPEN, title="Mine"),
    ),
    "revise of a stale course": (
        StaleCourse,
        lambda service: service.revise_course(BOSS, OPEN, expected_updated_at=NOW, title="Mine"),
    ),
    "revise that changes nothing, stale": (
        StaleCourse,
        lambda service: service.revise_course(BOSS, OPEN, expected_updated_at=NOW),
    ),
    "revise to an invalid course": (
        InvalidCourse,
        lambda service: service.revise_course(BOSS, OPEN, end_date=START),
    ),
    "revise with the flag beside months that stay": (
        InvalidCourse,
        lambda service: service.revise_course(BOSS, OPEN, certificate_never_expires=True),
    ),
    "publish by a coordinator, published already": (
        NotPermitted,
        lambda service: service.publish_course(STRANGER, OPEN),
    ),
    "publish of an archived course": (
        InvalidTransition,
        lambda service: service.publish_course(BOSS, GONE),
    ),
    "unpublish of an archived course": (
        InvalidTransition,
        lambda service: service.unpublish_course(BOSS, GONE),
    ),
    "restore of a published course": (
        InvalidTransition,
        lambda service: service.restore_course(BOSS, OPEN),
    ),
    "archive by a peer mentor": (
        NotPermitted,
        lambda service: service.archive_course(MENTOR, OPEN),
    ),
    "register after the deadline": (
        RegistrationRejected,
        lambda service: service.register(STRANGER, LATE),
    ),
    "register on a full course": (
        RegistrationRejected,
        lambda service: service.register(MENTOR, FULL),
    ),
    "register by an admin on a draft": (
        RegistrationRejected,
        lambda service: service.register(BOSS, HIDDEN),
    ),
    "register by a holder on a course since hidden": (
        CourseNotFound,
        lambda service: service.register(MENTOR, HIDDEN),
    ),
    "cancel for another, registered": (
        NotPermitted,
        lambda service: service.cancel_registration(STRANGER, OPEN, user_id=USER_ID),
    ),
    "cancel for another, not registered": (
        NotPermitted,
        lambda service: service.cancel_registration(STRANGER, OPEN, user_id=ADMIN_ID),
    ),
    "cancel for another on a hidden course": (
        CourseNotFound,
        lambda service: service.cancel_registration(STRANGER, HIDDEN, user_id=USER_ID),
    ),
    "cancel without a registration": (
        RegistrationNotFound,
        lambda service: service.cancel_registration(STRANGER, LEFT),
    ),
    "cancel without a registration on a hidden course": (
        CourseNotFound,
        lambda service: service.cancel_registration(STRANGER, HIDDEN),
    ),
    "cancel by an admin, not registered": (
        RegistrationNotFound,
        lambda service: service.cancel_registration(BOSS, OPEN, user_id=ADMIN_ID),
    ),
    "cancel after completion": (
        InvalidTransition,
        lambda service: service.cancel_registration(MENTOR, DONE),
    ),
    "complete by the participant": (
        NotPermitted,
        lambda service: service.complete_registration(MENTOR, OPEN, user_id=USER_ID),
    ),
    "complete by a coordinator": (
        NotPermitted,
        lambda service: service.complete_registration(STRANGER, OPEN, user_id=USER_ID),
    ),
    "complete without a registration": (
        RegistrationNotFound,
        lambda service: service.complete_registration(BOSS, GONE, user_id=USER_ID),
    ),
    "complete after a cancel": (
        InvalidTransition,
        lambda service: service.complete_registration(BOSS, LEFT, user_id=USER_ID),
    ),
    "complete in time to come": (
        InvalidValue,
        lambda service: service.complete_registration(
            BOSS, OPEN, user_id=USER_ID, completed_at=NOW + TICK
        ),
    ),
    "registrations of another": (
        NotPermitted,
        lambda service: service.registrations(STRANGER, user_id=USER_ID),
    ),
    "certificates of another": (
        NotPermitted,
        lambda service: service.certificates(STRANGER, user_id=USER_ID),
    ),
    "a course that is hidden": (CourseNotFound, lambda service: service.course(MENTOR, HIDDEN)),
}


@pytest.mark.parametrize(("error", "ask"), REFUSED.values(), ids=REFUSED)
def test_refused_call_has_changed_nothing(
    town: InMemoryCourseRepository,
    service: CourseService,
    scheduler: Scheduler,
    error: type[Exception],
    ask: Ask,
) -> None:
    """A refusal is one error, and everything is as it was before."""
    before = dump(town)

    with pytest.raises(error) as raised:
        ask(service)

    assert (error, before, 0) == (raised.type, dump(town), scheduler.calls)


@pytest.mark.parametrize("name", ["registrations", "certificates"])
def test_records_of_another_tell_what_the_role_may_not(service: CourseService, name: str) -> None:
    """The refusal to show another's records tells what was asked for, and the role that asked."""
    with pytest.raises(NotPermitted) as raised:
        getattr(service, name)(STRANGER, user_id=USER_ID)

    assert {"command": "see what another person has", "role": STRANGER.role} == vars(raised.value)


BY_COURSE: dict[str, Callable[[CourseService, UUID], object]] = {
    "revise": lambda service, each: service.revise_course(
        BOSS, each, expected_updated_at=NOW, title=""
    ),
    "publish": lambda service, each: service.publish_course(BOSS, each),
    "unpublish": lambda service, each: service.unpublish_course(BOSS, each),
    "archive": lambda service, each: service.archive_course(BOSS, each),
    "restore": lambda service, each: service.restore_course(BOSS, each),
    "course": lambda service, each: service.course(MENTOR, each),
    "register": lambda service, each: service.register(MENTOR, each),
    "cancel": lambda service, each: service.cancel_registration(MENTOR, each),
    "cancel for another": lambda service, each: service.cancel_registration(
        STRANGER, each, user_id=USER_ID
    ),
    "complete": lambda service, each: service.complete_registration(
        BOSS, each, user_id=USER_ID, completed_at=NOW + TICK
    ),
    "complete by a peer mentor": lambda service, each: service.complete_registration(
        MENTOR, each, user_id=USER_ID
    ),
}


@pytest.mark.parametrize("ask", BY_COURSE.values(), ids=BY_COURSE)
def test_foreign_course_is_a_missing_course(
    town: InMemoryCourseRepository, service: CourseService, ask: Callable[..., object]
) -> None:
    """A course of another organization gives the same error and text as one that is not there."""
    empty = CourseService(InMemoryCourseRepository(), clock=lambda: NOW)
    before = dump(town)

    with pytest.raises(CourseNotFound) as foreign:
        ask(service, FOREIGN)
    with pytest.raises(CourseNotFound) as missing:
        ask(empty, FOREIGN)

    assert (missing.type, str(missing.value), FOREIGN) == (
        foreign.type,
        str(foreign.value),
        foreign.value.course_id,
    )
    assert before == dump(town)


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("who", "course_id", "rules"),
    [
        pytest.param(STRANGER, LATE, [Rule.REGISTRATION_DEADLINE_ENFORCED], id="late"),
        pytest.param(MENTOR, FULL, [Rule.MAX_PARTICIPANTS_CAP], id="full"),
        pytest.param(BOSS, HIDDEN, [Rule.REGISTRATION_REQUIRES_PUBLISHED], id="not published"),
    ],
)
def test_register_is_refused_for_what_the_offer_shows(
    service: CourseService, who: Actor, course_id: UUID, rules: list[Rule]
) -> None:
    """The command and the offer give the same reasons."""
    shown = service.offers(who, [course_id])[course_id].rejections

    with pytest.raises(RegistrationRejected) as raised:
        service.register(who, course_id)

    assert (shown, rules) == (raised.value.violations, [each.rule for each in shown])


# What is answered


REPEATED: dict[str, Ask] = {
    "publish": lambda service: service.publish_course(BOSS, OPEN),
    "unpublish": lambda service: service.unpublish_course(BOSS, HIDDEN),
    "archive": lambda service: service.archive_course(BOSS, GONE),
    "restore": lambda service: service.restore_course(BOSS, HIDDEN),
    "revise nothing": lambda service: service.revise_course(BOSS, OPEN),
    "revise to the same": lambda service: service.revise_course(BOSS, OPEN, title=course().title),
    "register": lambda service: service.register(MENTOR, OPEN),
    "register, late": lambda service: service.register(MENTOR, LATE),
    "register, completed": lambda service: service.register(MENTOR, DONE),
    "cancel": lambda service: service.cancel_registration(MENTOR, LEFT),
    "complete": lambda service: service.complete_registration(
        BOSS, DONE, user_id=USER_ID, completed_at=NOW + timedelta(days=9)
    ),
}


@pytest.mark.parametrize("ask", REPEATED.values(), ids=REPEATED)
def test_repeated_call_writes_nothing(
    town: InMemoryCourseRepository,
    service: CourseService,
    clock: Clock,
    scheduler: Scheduler,
    ask: Ask,
) -> None:
    """Asked again, later, the same comes back; nothing is written or scheduled."""
    before = dump(town)
    first = ask(service)
    clock.now = NOW + timedelta(days=1)

    assert (first, before, 0) == (ask(service), dump(town), scheduler.calls)


def test_create_stores_a_draft(service: CourseService) -> None:
    """A new course is a draft with a new id, made now by the admin, in their organization."""
    made = service.create_course(BOSS, **new_course())

    assert (
        Course(
            **new_course(),
            id=some_id(1_000),
            organization_id=ORGANIZATION_ID,
            status=DRAFT,
            created_by=ADMIN_ID,
            created_at=NOW,
            updated_at=NOW,
        )
        == made
    )
    assert made == service.course(BOSS, made.id)


def test_flag_holds_also_when_the_decision_is_asked_again(service: CourseService) -> None:
    """A course may be created, and made to be, without expiry by design."""
    made = service.create_course(
        BOSS, **new_course(issues_certificate=True, certificate_never_expires=True)
    )
    with_months = service.revise_course(BOSS, made.id, certificate_validity_months=12)
    without = service.revise_course(
        BOSS, made.id, certificate_validity_months=None, certificate_never_expires=True
    )

    assert (None, 12, None) == (
        made.certificate_validity_months,
        with_months.certificate_validity_months,
        without.certificate_validity_months,
    )


MOVED: dict[CourseStatus, Callable[[CourseService], list[Course]]] = {
    PUBLISHED: lambda service: [service.publish_course(BOSS, HIDDEN)],
    DRAFT: lambda service: [
        service.unpublish_course(BOSS, OPEN),
        service.restore_course(BOSS, GONE),
    ],
    ARCHIVED: lambda service: [
        service.archive_course(BOSS, OPEN),
        service.archive_course(BOSS, HIDDEN),
    ],
}


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("status", CourseStatus)
def test_moved_course_is_stored(service: CourseService, status: CourseStatus) -> None:
    """A move comes back as it is stored, updated now."""
    for moved in MOVED[status](service):
        stored = service.course(BOSS, moved.id)
        assert (status, NOW, stored) == (moved.status, moved.updated_at, moved)


@pytest.mark.usefixtures("town")
def test_unpublishing_keeps_registrations(service: CourseService) -> None:
    """Registrations outlive the unpublishing and the archiving of their course."""
    before = service.registrations(BOSS, course_id=OPEN)

    service.unpublish_course(BOSS, OPEN)
    service.archive_course(BOSS, OPEN)

    assert before == service.registrations(BOSS, course_id=OPEN)


def test_two_admins_never_overwrite_each_other(
    town: InMemoryCourseRepository, service: CourseService
) -> None:
    """The second who revises what both have read is told that it is stale."""
    read = service.course(BOSS, OPEN)
    service.revise_course(BOSS, OPEN, expected_updated_at=read.updated_at, title="First")

    with pytest.raises(StaleCourse):
        service.revise_course(BOSS, OPEN, expected_updated_at=read.updated_at, title="Second")

    first = town.get(ORGANIZATION_ID, OPEN)
    assert "First" == (first and first.title)


@pytest.mark.usefixtures("town")
def test_lowered_cap_cancels_nobody(service: CourseService) -> None:
    """Who holds a seat keeps it under a lower cap, and nobody else gets one."""
    before = service.registrations(BOSS, course_id=OPEN)
    service.revise_course(BOSS, OPEN, max_participants=1)

    with pytest.raises(RegistrationRejected):
        service.register(BOSS, OPEN)

    assert (before, 0) == (
        service.registrations(BOSS, course_id=OPEN),
        service.offers(BOSS, [OPEN])[OPEN].seats_left,
    )


def test_seat_is_taken_freed_and_taken_again(
    town: InMemoryCourseRepository, service: CourseService, clock: Clock
) -> None:
    """A cancel frees the seat at once; the same record is confirmed again, later."""
    first = service.register(BOSS, LEFT)
    clock.now = NOW + TICK
    freed = service.cancel_registration(BOSS, LEFT)
    clock.now = NOW + 2 * TICK
    again = service.register(BOSS, LEFT)

    expected = attrs.evolve(first, registered_at=NOW + 2 * TICK)
    assert (NOW, NOW + TICK, expected) == (first.registered_at, freed.cancelled_at, again)
    assert [again] == list(service.registrations(BOSS, course_id=LEFT, user_id=ADMIN_ID).items)
    assert 1 == town.participations(ORGANIZATION_ID, [LEFT], USER_ID)[LEFT].confirmed_count


@pytest.mark.usefixtures("town")
def test_cancel_gives_the_last_seat_to_the_next(service: CourseService) -> None:
    """Once the only seat is free, the next who asks has it."""
    service.cancel_registration(BOSS, FULL, user_id=OTHER_USER_ID)

    assert USER_ID == service.register(MENTOR, FULL).user_id


@pytest.mark.usefixtures("town")
def test_own_registration_is_cancelled_on_a_hidden_course(service: CourseService) -> None:
    """A person cancels their own on a course that they can no longer see."""
    assert (some_id(12), NOW) == (
        service.cancel_registration(MENTOR, HIDDEN, user_id=USER_ID).id,
        service.cancel_registration(MENTOR, HIDDEN).cancelled_at,
    )


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("course_id", [OPEN, HIDDEN, LATE])
def test_complete_gives_and_stores_all_three(
    town: InMemoryCourseRepository,
    service: CourseService,
    scheduler: Scheduler,
    course_id: UUID,
) -> None:
    """All three come back and are stored, and the reminder is scheduled."""
    before = town.pending_reminders()

    completed = service.complete_registration(BOSS, course_id, user_id=USER_ID)

    issued = certificate(id=some_id(1_000), course_id=course_id)
    due = reminder(certificate_id=some_id(1_000), course_id=course_id)
    assert (NOW, issued, due, (due,), before) == (
        completed.registration and completed.registration.completed_at,
        completed.certificate,
        completed.reminder,
        scheduler.scheduled,
        town.pending_reminders(),
    )
    stored = town.participations(ORGANIZATION_ID, [course_id], USER_ID)[course_id]
    assert attrs.evolve(completed, reminder=None) == stored


@pytest.mark.usefixtures("town")
def test_completing_keeps_the_seat(service: CourseService) -> None:
    """Who completed still counts among the confirmed."""
    service.complete_registration(BOSS, FULL, user_id=OTHER_USER_ID)

    assert 0 == service.offers(MENTOR, [FULL])[FULL].seats_left


@pytest.mark.usefixtures("town")
def test_certificate_follows_the_course_at_entry(service: CourseService) -> None:
    """The months are the course's when the completion is entered, counted from `completed_at`."""
    service.revise_course(BOSS, OPEN, certificate_validity_months=36)
    friday = NOW - timedelta(days=3)

    completed = service.complete_registration(BOSS, OPEN, user_id=USER_ID, completed_at=friday)

    service.revise_course(BOSS, OPEN, certificate_validity_months=1)
    (issued,) = service.certificates(BOSS, course_id=OPEN).items
    assert (completed.certificate, friday, friday.replace(year=2029)) == (
        issued,
        issued.issued_at,
        issued.expires_at,
    )


@pytest.mark.usefixtures("town")
def test_course_that_issued_none_gives_none_later(
    service: CourseService, scheduler: Scheduler
) -> None:
    """Who completed while the course issued no certificates gets none once it does."""
    service.revise_course(BOSS, OPEN, issues_certificate=False)
    first = service.complete_registration(BOSS, OPEN, user_id=USER_ID)
    service.revise_course(BOSS, OPEN, issues_certificate=True)

    again = service.complete_registration(BOSS, OPEN, user_id=USER_ID)

    assert (first.registration, None, None, 0) == (
        again.registration,
        again.certificate,
        again.reminder,
        scheduler.calls,
    )


def test_registrations_do_not_touch_the_course(
    town: InMemoryCourseRepository, service: CourseService
) -> None:
    """Registering, cancelling and completing leave the course and its `updated_at` alone."""
    service.register(BOSS, OPEN)
    service.cancel_registration(BOSS, OPEN)
    service.complete_registration(BOSS, OPEN, user_id=USER_ID)

    assert course(id=OPEN) == town.get(ORGANIZATION_ID, OPEN)


@pytest.mark.parametrize(
    ("zone", "expires_at"),
    [
        pytest.param("UTC", "2026-02-28T23:30Z", id="utc"),
        pytest.param("Europe/Oslo", "2026-02-27T23:30Z", id="oslo"),
    ],
)
def test_certificates_count_in_the_zone_of_the_service(zone: str, expires_at: str) -> None:
    """Months are counted on the wall clock of the zone that the host gave."""
    repository = InMemoryCourseRepository()
    put(repository, course(certificate_validity_months=1), seat(1))
    at = datetime(2026, 1, 30, 23, 30, tzinfo=UTC)  # the 31st in Oslo
    service = CourseService(repository, clock=lambda: at, zone=ZoneInfo(zone))

    completed = service.complete_registration(BOSS, COURSE_ID, user_id=USER_ID)

    issued = completed.certificate
    assert datetime.fromisoformat(expires_at) == (issued and issued.expires_at)


# Lists

STATUSES = {HIDDEN: DRAFT, GONE: ARCHIVED}


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(
    "statuses",
    [
        None,
        (),
        (DRAFT,),
        (PUBLISHED,),
        (ARCHIVED,),
        (DRAFT, ARCHIVED),
        (PUBLISHED, DRAFT),
        tuple(CourseStatus),
    ],
)
def test_courses_are_those_that_the_role_may_see(
    service: CourseService, role: Role, statuses: Iterable[CourseStatus] | None
) -> None:
    """Everybody sees published courses, admins all; a status that one may not see shows none."""
    visible = set(CourseStatus) if role is ADMIN else {PUBLISHED}
    asked = visible if statuses is None else visible & set(statuses)
    courses = [OPEN, HIDDEN, GONE, FULL, LATE, LEFT, DONE]

    listed = service.courses(actor(role), statuses=statuses)

    assert [each for each in courses if STATUSES.get(each, PUBLISHED) in asked] == [
        each.id for each in listed.items
    ]


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("role", Role)
def test_course_is_seen_by_whom_it_is_listed_for(service: CourseService, role: Role) -> None:
    """A course is found by id exactly when it stands in the list of the same person."""
    found: list[UUID] = []
    for each in (OPEN, HIDDEN, GONE, FULL, LATE, LEFT, DONE, FOREIGN, MISSING):
        with suppress(CourseNotFound):
            found.append(service.course(actor(role), each).id)

    assert found == [each.id for each in service.courses(actor(role)).items]


@pytest.mark.usefixtures("town")
def test_lists_stop_at_the_organization(service: CourseService) -> None:
    """An admin of another organization sees theirs and nothing else."""
    assert ([FOREIGN], [some_id(18)], ()) == (
        [each.id for each in service.courses(FOREIGN_BOSS).items],
        [each.id for each in service.registrations(FOREIGN_BOSS).items],
        service.certificates(FOREIGN_BOSS).items,
    )


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        pytest.param({}, [1, 2, 3], id="none"),
        pytest.param({"statuses": [DRAFT]}, [2], id="a status"),
        pytest.param({"course_type": CourseType.WORKSHOP}, [2], id="a type"),
        pytest.param({"issues_certificate": True}, [1, 2], id="certificates"),
        pytest.param({"issues_certificate": False}, [3], id="no certificates"),
        pytest.param({"starts_from": START + TICK}, [2], id="from a start"),
        pytest.param({"starts_before": START + TICK}, [1], id="before a start"),
        pytest.param(
            {"starts_from": (START + TICK).astimezone(ZoneInfo("Europe/Oslo"))}, [2], id="a zone"
        ),
        pytest.param({"issues_certificate": True, "starts_before": START + TICK}, [1], id="two"),
    ],
)
def test_filters_of_courses_are_passed_on(
    repository: InMemoryCourseRepository,
    service: CourseService,
    query: dict[str, Any],
    numbers: list[int],
) -> None:
    """Each filter of courses leaves out what it should."""
    repository.add(course(id=some_id(1)))
    repository.add(
        course(
            id=some_id(2),
            status=DRAFT,
            course_type=CourseType.WORKSHOP,
            start_date=START + TICK,
        )
    )
    repository.add(course(id=some_id(3), issues_certificate=False, start_date=None, end_date=None))

    assert numbers == [each.id.int for each in service.courses(BOSS, **query).items]


OWN = [11, 12, 13, 15, 16]
"""The registrations of `USER_ID` in `town`."""
ALL = sorted([*OWN, 14, 21])


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("who", "query", "numbers"),
    [
        pytest.param(MENTOR, {}, OWN, id="a participant's own"),
        pytest.param(MENTOR, {"user_id": USER_ID}, OWN, id="their own, named"),
        pytest.param(MENTOR, {"course_id": OPEN}, [11], id="on one course"),
        pytest.param(MENTOR, {"course_id": HIDDEN}, [12], id="on a course since hidden"),
        pytest.param(MENTOR, {"course_id": FULL}, [], id="where only others are"),
        pytest.param(STRANGER, {}, [14, 21], id="a coordinator's own"),
        pytest.param(BOSS, {}, ALL, id="the whole organization's"),
        pytest.param(BOSS, {"user_id": OTHER_USER_ID}, [14, 21], id="one user's"),
        pytest.param(BOSS, {"user_id": ADMIN_ID}, [], id="the admin's own"),
        pytest.param(BOSS, {"course_id": OPEN}, [11, 21], id="one course's"),
        pytest.param(BOSS, {"course_id": OPEN, "user_id": USER_ID}, [11], id="both"),
        pytest.param(BOSS, {"course_id": FOREIGN}, [], id="a foreign course's"),
        pytest.param(BOSS, {"course_id": MISSING}, [], id="a missing course's"),
        pytest.param(MENTOR, {"course_id": FOREIGN}, [], id="one's own on a foreign course"),
    ],
)
def test_registrations_are_ones_own_or_all_for_an_admin(
    service: CourseService, who: Any, query: dict[str, Any], numbers: list[int]
) -> None:
    """People list their own registrations, admins all of the organization."""
    listed = service.registrations(who, **query)

    assert numbers == sorted(each.id.int for each in listed.items)


@pytest.mark.parametrize(
    ("who", "query", "numbers"),
    [
        pytest.param(MENTOR, {}, [1, 2], id="a participant's own"),
        pytest.param(MENTOR, {"user_id": USER_ID}, [1, 2], id="their own, named"),
        pytest.param(MENTOR, {"course_id": HIDDEN}, [2], id="on a course since hidden"),
        pytest.param(STRANGER, {}, [3], id="a coordinator's own"),
        pytest.param(BOSS, {}, [1, 2, 3], id="the whole organization's"),
        pytest.param(BOSS, {"user_id": OTHER_USER_ID}, [3], id="one user's"),
        pytest.param(BOSS, {"course_id": OPEN}, [1, 3], id="one course's"),
        pytest.param(BOSS, {"expires_before": NOW + 2 * TICK}, [1], id="by expiry"),
        pytest.param(BOSS, {"expires_before": NOW + 9 * TICK}, [1, 2], id="not without expiry"),
        pytest.param(MENTOR, {"expires_before": NOW.replace(year=9099)}, [1, 2], id="far off"),
        pytest.param(BOSS, {"course_id": FOREIGN}, [], id="a foreign course's"),
        pytest.param(BOSS, {"course_id": MISSING}, [], id="a missing course's"),
    ],
)
def test_certificates_are_ones_own_or_all_for_an_admin(
    repository: InMemoryCourseRepository,
    service: CourseService,
    who: Any,
    query: dict[str, Any],
    numbers: list[int],
) -> None:
    """People list their own certificates, admins all of the organization, by expiry."""

    def holder(number: int, user_id: UUID, expires_at: datetime | None) -> dict[str, Any]:
        issued = certificate(id=some_id(number), peer_mentor_id=user_id, expires_at=expires_at)
        return seat(number, user_id) | {"certificate": issued}

    foreign = course(id=FOREIGN, organization_id=OTHER_ORGANIZATION_ID)
    put(repository, course(id=OPEN), holder(3, OTHER_USER_ID, None), holder(1, USER_ID, NOW + TICK))
    put(repository, course(id=HIDDEN, status=DRAFT), holder(2, USER_ID, NOW + 2 * TICK))
    put(repository, foreign, holder(4, USER_ID, NOW))

    assert numbers == [each.id.int for each in service.certificates(who, **query).items]


LISTS = pytest.mark.parametrize("name", ["courses", "registrations", "certificates"])


@LISTS
def test_lists_pass_cursor_and_limit_on(
    repository: InMemoryCourseRepository, service: CourseService, name: str
) -> None:
    """A list is read page by page, in one order, and each row once."""
    for number in (3, 1, 2):
        put(
            repository,
            course(id=some_id(number)),
            seat(number) | {"certificate": certificate(id=some_id(number))},
        )
    listing: Callable[..., Page[Any]] = partial(getattr(service, name), MENTOR)

    first = listing(limit=2)
    second = listing(limit=2, after=first.next)

    assert ([1, 2], [3], None) == (
        [each.id.int for each in first.items],
        [each.id.int for each in second.items],
        second.next,
    )


@LISTS
@pytest.mark.parametrize(
    ("query", "rule"),
    [
        pytest.param({"limit": 0}, Rule.OUT_OF_RANGE, id="limit 0"),
        pytest.param({"limit": 201}, Rule.OUT_OF_RANGE, id="limit 201"),
        pytest.param({"limit": True}, Rule.WRONG_TYPE, id="limit True"),
        pytest.param({"after": ""}, Rule.UNKNOWN_CURSOR, id="the empty cursor"),
        pytest.param({"after": "garbage"}, Rule.UNKNOWN_CURSOR, id="no cursor"),
        pytest.param({"after": 5}, Rule.WRONG_TYPE, id="a number for a cursor"),
    ],
)
def test_lists_refuse_what_is_no_page(
    service: CourseService, name: str, query: dict[str, Any], rule: Rule
) -> None:
    """A limit or a cursor that is none is InvalidValue."""
    with pytest.raises(InvalidValue) as raised:
        getattr(service, name)(MENTOR, **query)

    assert [(rule, tuple(query))] == [(each.rule, each.fields) for each in raised.value.violations]


# Offers


class Counting(InMemoryCourseRepository):
    """A repository that notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[list[UUID]] = []
        self.limits: list[int] = []

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Note the courses, and answer."""
        self.asked.append(list(course_ids))
        return super().participations(organization_id, self.asked[-1], user_id)

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Note the limit, and answer."""
        self.limits.append(limit)
        return super().pending_reminders(after=after, limit=limit)


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("who", "held"),
    [
        pytest.param(MENTOR, 11, id="a holder"),
        pytest.param(actor(user_id=MISSING), None, id="a newcomer"),
        pytest.param(BOSS, None, id="an admin"),
    ],
)
def test_offer_is_a_course_as_one_person_meets_it(
    service: CourseService, who: Actor, held: int | None
) -> None:
    """An offer shows the course, the seats left of twelve, one's own registration, and why not."""
    offer = service.offers(who, [OPEN])[OPEN]

    assert (course(id=OPEN), 10, held, ()) == (
        offer.course,
        offer.seats_left,
        offer.registration and offer.registration.id.int,
        offer.rejections,
    )


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    ("course_id", "rules"),
    [
        pytest.param(FULL, [Rule.MAX_PARTICIPANTS_CAP], id="full"),
        pytest.param(LEFT, [], id="after a cancel"),
        pytest.param(LATE, [], id="late, by a holder"),
        pytest.param(DONE, [], id="completed"),
    ],
)
def test_offer_tells_why_not(service: CourseService, course_id: UUID, rules: list[Rule]) -> None:
    """The reasons of an offer are those of registering; who holds a seat has none."""
    offer = service.offers(MENTOR, [course_id])[course_id]

    assert rules == [violation.rule for violation in offer.rejections]


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("role", Role)
def test_offers_are_of_what_one_may_view(service: CourseService, role: Role) -> None:
    """What is hidden, foreign or missing has no offer; each course has one, in the order asked."""
    asked = [LEFT, MISSING, HIDDEN, OPEN, LEFT, FOREIGN, GONE]
    expected = [LEFT, HIDDEN, OPEN, GONE] if role is ADMIN else [LEFT, OPEN]

    assert expected == list(service.offers(actor(role), iter(asked)))


def test_offers_take_one_query_for_200_courses() -> None:
    """450 courses, some asked for twice, from any iterable, are three queries."""
    repository = Counting()
    for number in range(450):
        repository.add(course(id=some_id(number)))
    ids = [some_id(number) for number in range(450)]

    offers = CourseService(repository, clock=lambda: NOW).offers(MENTOR, iter([*ids, *ids]))

    assert (ids, [200, 200, 50]) == (list(offers), [len(batch) for batch in repository.asked])


def test_offers_of_nothing_are_none(service: CourseService) -> None:
    """No ids give no offers."""
    assert {} == dict(service.offers(MENTOR, []))


# Now

READS_THE_CLOCK: dict[str, Ask] = {
    "create": lambda service: service.create_course(BOSS, **new_course()),
    "revise": lambda service: service.revise_course(BOSS, OPEN, title="Another"),
    "publish": lambda service: service.publish_course(BOSS, HIDDEN),
    "unpublish": lambda service: service.unpublish_course(BOSS, OPEN),
    "archive": lambda service: service.archive_course(BOSS, OPEN),
    "restore": lambda service: service.restore_course(BOSS, GONE),
    "offers": lambda service: service.offers(MENTOR, map(some_id, range(450))),
    "register": lambda service: service.register(BOSS, OPEN),
    "cancel": lambda service: service.cancel_registration(MENTOR, OPEN),
    "complete": lambda service: service.complete_registration(BOSS, OPEN, user_id=USER_ID),
}


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("ask", READS_THE_CLOCK.values(), ids=READS_THE_CLOCK)
def test_now_is_read_once(service: CourseService, clock: Clock, ask: Ask) -> None:
    """One call has one now, also where the repository asks the decision again."""
    ask(service)

    assert 1 == clock.reads


class Waiting(InMemoryCourseRepository):
    """A repository that is busy for a day before it asks a decision."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def change_course(
        self, organization_id: UUID, course_id: UUID, decide: Callable[[Course], Course]
    ) -> Course:
        """Wait, and go on."""
        self.clock.now += timedelta(days=1)
        return super().change_course(organization_id, course_id, decide)

    def change_participation(
        self,
        organization_id: UUID,
        course_id: UUID,
        user_id: UUID,
        decide: Callable[[Participation], Participation],
    ) -> Participation:
        """Wait, and go on."""
        self.clock.now += timedelta(days=1)
        return super().change_participation(organization_id, course_id, user_id, decide)


def test_who_asked_in_time_is_in_time(clock: Clock) -> None:
    """After a wait for storage, now is still when the call began."""
    repository = Waiting(clock)
    repository.add(course())
    service = CourseService(repository, clock=clock)
    clock.now = DEADLINE

    assert DEADLINE == service.register(MENTOR, COURSE_ID).registered_at
    assert DEADLINE + timedelta(days=1) == service.archive_course(BOSS, COURSE_ID).updated_at
    with pytest.raises(InvalidValue):
        service.complete_registration(
            BOSS, COURSE_ID, user_id=USER_ID, completed_at=DEADLINE + timedelta(days=2, seconds=1)
        )


def test_service_reads_the_clock_and_makes_ids_by_itself() -> None:
    """Without a clock or ids of the host's, it is now and ids are random."""
    service = CourseService(InMemoryCourseRepository())
    before = datetime.now(UTC)

    made = [service.create_course(BOSS, **new_course()) for _ in range(2)]

    assert before <= made[0].created_at <= made[1].created_at <= datetime.now(UTC)
    assert [4, 4] == [each.id.version for each in made]
    assert made[0].id != made[1].id


# Reminders


def failing_mark(error: BaseException) -> Callable[[RenewalReminder], None]:
    """Make a mark that fails."""

    def mark(_reminder: RenewalReminder) -> None:
        raise error

    return mark


DUE = reminder(certificate_id=some_id(1_000), course_id=OPEN)


@pytest.fixture
def outbox(repository: InMemoryCourseRepository) -> InMemoryCourseRepository:
    """Give the repository with `OPEN` and a seat of `USER_ID`, and nothing in its outbox."""
    put(repository, course(id=OPEN), seat(11))
    return repository


def complete(service: CourseService) -> Participation:
    """Complete `OPEN` for `USER_ID`."""
    return service.complete_registration(BOSS, OPEN, user_id=USER_ID)


@pytest.mark.parametrize("fails", ["schedule", "mark"])
def test_failure_leaves_the_reminder_pending(
    outbox: InMemoryCourseRepository,
    service: CourseService,
    scheduler: Scheduler,
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
) -> None:
    """The completion stands and is returned; the reminder waits, and is then delivered once."""
    with monkeypatch.context() as broken:
        if fails == "schedule":
            broken.setattr(scheduler, "down", LookupError())
        else:
            broken.setattr(outbox, "mark_reminder_scheduled", failing_mark(CourseNotFound(OPEN)))
        completed = complete(service)
        assert (DUE, (DUE,)) == (completed.reminder, outbox.pending_reminders().items)
        assert 0 == service.schedule_pending_reminders()

    assert (1, 0) == (service.schedule_pending_reminders(), service.schedule_pending_reminders())
    assert ((DUE,), ()) == (scheduler.scheduled, outbox.pending_reminders().items)


@pytest.mark.parametrize("stops", ["schedule", "mark"])
def test_process_that_stops_loses_no_reminder(
    outbox: InMemoryCourseRepository,
    service: CourseService,
    scheduler: Scheduler,
    monkeypatch: pytest.MonkeyPatch,
    stops: str,
) -> None:
    """A stop passes through; after it the completion is stored and the reminder comes once."""
    with monkeypatch.context() as broken:
        if stops == "schedule":
            broken.setattr(scheduler, "down", Stop())
        else:
            broken.setattr(outbox, "mark_reminder_scheduled", failing_mark(Stop()))
        with pytest.raises(Stop):
            complete(service)
    restarted = CourseService(outbox, scheduler, clock=lambda: NOW)

    again = complete(restarted)

    assert (some_id(1_000), None) == (again.certificate and again.certificate.id, again.reminder)
    assert (1, (DUE,), ()) == (
        restarted.schedule_pending_reminders(),
        scheduler.scheduled,
        outbox.pending_reminders().items,
    )


def test_stop_in_the_job_loses_no_reminder(
    outbox: InMemoryCourseRepository, service: CourseService, scheduler: Scheduler
) -> None:
    """The job that stops in the middle is simply run again."""
    scheduler.down = OSError()
    complete(service)
    scheduler.down = Stop()
    with pytest.raises(Stop):
        service.schedule_pending_reminders()
    scheduler.down = None

    assert (1, (DUE,)) == (service.schedule_pending_reminders(), scheduler.scheduled)
    assert () == outbox.pending_reminders().items


def test_without_a_scheduler_reminders_wait(outbox: InMemoryCourseRepository) -> None:
    """A service without a scheduler fills the outbox, schedules none, and marks nothing."""
    service = CourseService(outbox, clock=lambda: NOW, new_id=lambda: some_id(1_000))

    completed = complete(service)

    assert (DUE, 0, (DUE,)) == (
        completed.reminder,
        service.schedule_pending_reminders(),
        outbox.pending_reminders().items,
    )


def fill_outbox(repository: InMemoryCourseRepository, numbers: Iterable[int]) -> None:
    """Store one completed person with a reminder for each number, in both organizations."""
    for number in numbers:
        organization_id = ORGANIZATION_ID if number % 2 else OTHER_ORGANIZATION_ID
        holder = some_id(number)
        put(
            repository,
            course(id=some_id(number), organization_id=organization_id),
            seat(number, holder) | {"reminder": reminder(certificate_id=some_id(number))},
        )


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 200])
def test_one_failure_never_stops_the_others(
    repository: InMemoryCourseRepository,
    service: CourseService,
    scheduler: Scheduler,
    limit: int,
) -> None:
    """The job counts what it scheduled, in all organizations; what failed stays pending."""
    fill_outbox(repository, range(1, 7))
    scheduler.down_for = {some_id(1), some_id(4)}

    first = service.schedule_pending_reminders(limit=limit)

    pending = [each.certificate_id.int for each in repository.pending_reminders().items]
    assert (4, [1, 4], [2, 3, 5, 6]) == (
        first,
        pending,
        [each.certificate_id.int for each in scheduler.scheduled],
    )
    scheduler.down_for = set()
    assert (2, 0) == (
        service.schedule_pending_reminders(limit=limit),
        service.schedule_pending_reminders(limit=limit),
    )


@pytest.mark.parametrize(("limit", "pages"), [(1, 5), (2, 3), (5, 1), (6, 1)])
def test_outbox_is_walked_in_pages(limit: int, pages: int) -> None:
    """The job asks for pages of its limit, to the end."""
    repository = Counting()
    fill_outbox(repository, range(1, 6))
    service = CourseService(repository, Scheduler())

    assert (5, [limit] * pages) == (
        service.schedule_pending_reminders(limit=limit),
        repository.limits,
    )


@pytest.mark.parametrize("limit", [0, 201, True, None, "50"])
@pytest.mark.parametrize("reminders", [None, Scheduler()], ids=["no scheduler", "a scheduler"])
def test_job_refuses_a_limit_that_is_none(limit: Any, reminders: Any) -> None:
    """A limit that is no int from 1 to 200 is InvalidValue, with a scheduler or without."""
    service = CourseService(InMemoryCourseRepository(), reminders)

    with pytest.raises(InvalidValue):
        service.schedule_pending_reminders(limit=limit)


LEAK = ConnectionRefusedError("Kari Nordmann at 10.0.0.7")


@pytest.fixture(params=["schedule", "mark"])
def leaking(
    request: pytest.FixtureRequest,
    outbox: InMemoryCourseRepository,
    scheduler: Scheduler,
    monkeypatch: pytest.MonkeyPatch,
) -> Scheduler:
    """Give a scheduler; it fails, or the marking does, with an error that tells too much."""
    if request.param == "schedule":
        scheduler.down = LEAK
    else:
        monkeypatch.setattr(outbox, "mark_reminder_scheduled", failing_mark(LEAK))
    return scheduler


@pytest.mark.parametrize("by_job", [False, True], ids=["by the completion", "by the job"])
def test_log_tells_of_a_failure_and_of_nobody(
    outbox: InMemoryCourseRepository,
    leaking: Scheduler,
    caplog: pytest.LogCaptureFixture,
    by_job: bool,
) -> None:
    """A failure is logged with event, certificate id and exception class, and no more."""
    caplog.set_level(logging.DEBUG)
    ids = partial(some_id, 1_000)

    complete(CourseService(outbox, None if by_job else leaking, clock=lambda: NOW, new_id=ids))
    if by_job:
        CourseService(outbox, leaking).schedule_pending_reminders()

    (record,) = caplog.records
    assert ((some_id(1_000), "ConnectionRefusedError"), None, None) == (
        record.args,
        record.exc_info,
        record.stack_info,
    )
    told = record.getMessage()
    assert [] == [each for each in ("Kari", "10.0.0.7", str(USER_ID), str(OPEN)) if each in told]


def test_nothing_is_logged_when_all_is_well(
    outbox: InMemoryCourseRepository, service: CourseService, caplog: pytest.LogCaptureFixture
) -> None:
    """A completion whose reminder is scheduled is not worth a line."""
    with caplog.at_level(logging.DEBUG):
        complete(service)

    assert ([], ()) == (caplog.records, outbox.pending_reminders().items)


# What the host plugs in


@pytest.mark.parametrize("part", ["repository", "reminders", "clock", "new_id", "zone"])
@pytest.mark.parametrize("thing", [5, "x", object(), {}], ids=["5", "x", "object", "dict"])
def test_service_is_made_of_what_it_needs(part: str, thing: Any) -> None:
    """A part of another type is refused when the service is made, by its name."""
    parts: dict[str, Any] = {"repository": InMemoryCourseRepository()} | {part: thing}

    with pytest.raises(InvalidValue) as raised:
        CourseService(**parts)

    assert [(Rule.WRONG_TYPE, (part,))] == [
        (each.rule, each.fields) for each in raised.value.violations
    ]


def test_clock_without_a_zone_is_refused(
    town: InMemoryCourseRepository, service: CourseService, clock: Clock
) -> None:
    """A clock that says a naive time is InvalidValue before any look-up, and nothing happens."""
    before = dump(town)
    clock.now = NOW.replace(tzinfo=None)
    missing: Ask = partial(CourseService.register, actor=MENTOR, course_id=MISSING)

    for ask in (missing, *READS_THE_CLOCK.values()):
        with pytest.raises(InvalidValue):
            ask(service)

    assert before == dump(town)


def test_clock_of_any_zone_is_read_in_utc(service: CourseService, clock: Clock) -> None:
    """The host's clock may say the time of Oslo; what is kept is UTC."""
    clock.now = NOW.astimezone(ZoneInfo("Europe/Oslo"))

    made = service.create_course(BOSS, **new_course())

    assert (NOW, UTC) == (made.created_at, made.created_at.tzinfo)


@pytest.mark.parametrize(
    "ask",
    [
        READS_THE_CLOCK["create"],
        partial(CourseService.register, actor=MENTOR, course_id=MISSING),
        partial(
            CourseService.complete_registration, actor=BOSS, course_id=MISSING, user_id=USER_ID
        ),
    ],
    ids=["create", "register", "complete"],
)
def test_id_that_is_none_is_refused(town: InMemoryCourseRepository, ask: Ask) -> None:
    """A host's `new_id` that gives no UUID is InvalidValue before any look-up."""
    not_an_id: Any = partial(str, "b7")
    service = CourseService(town, clock=lambda: NOW, new_id=not_an_id)
    before = dump(town)

    with pytest.raises(InvalidValue):
        ask(service)

    assert before == dump(town)


@pytest.mark.parametrize("name", ["create_course", "revise_course"])
def test_unknown_field_is_told_by_the_method_that_was_called(
    service: CourseService, name: str
) -> None:
    """The TypeError for a name that is no author's tells the method of the service."""
    given = {"actor": BOSS} | ({"course_id": OPEN} if name == "revise_course" else new_course())

    with pytest.raises(TypeError, match=rf"{name}\(\).*'status'"):
        getattr(service, name)(**given, status=DRAFT)


ASKS_THE_STORAGE: list[tuple[str, Ask]] = [
    ("add", READS_THE_CLOCK["create"]),
    ("change_course", READS_THE_CLOCK["revise"]),
    ("change_course", READS_THE_CLOCK["publish"]),
    ("get", lambda service: service.course(MENTOR, OPEN)),
    ("courses", lambda service: service.courses(MENTOR)),
    ("participations", READS_THE_CLOCK["offers"]),
    ("change_participation", READS_THE_CLOCK["register"]),
    ("change_participation", READS_THE_CLOCK["complete"]),
    ("registrations", lambda service: service.registrations(MENTOR)),
    ("certificates", lambda service: service.certificates(MENTOR)),
    ("pending_reminders", lambda service: service.schedule_pending_reminders()),
]


@pytest.mark.parametrize(("port", "ask"), ASKS_THE_STORAGE)
def test_what_the_storage_raises_passes_through(
    town: InMemoryCourseRepository,
    service: CourseService,
    monkeypatch: pytest.MonkeyPatch,
    port: str,
    ask: Ask,
) -> None:
    """RepositoryUnavailable reaches the host as the same object."""
    error = RepositoryUnavailable("busy")

    def unavailable(*_args: object, **_query: object) -> None:
        raise error

    monkeypatch.setattr(town, port, unavailable)
    with pytest.raises(RepositoryUnavailable) as raised:
        ask(service)

    assert error is raised.value
