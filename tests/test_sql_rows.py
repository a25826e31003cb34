"""Rows that others have written, and values of a host's own classes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import attrs
import pytest
import sqlalchemy as sa

import engines
from builders import (
    COURSE_ID,
    NOW,
    ORGANIZATION_ID,
    OTHER_COURSE_ID,
    USER_ID,
    actor,
    course,
    course_fields,
)
from course_domain import (
    Course,
    CourseRepository,
    CourseService,
    InvalidValue,
    Participation,
    Registration,
    RepositoryUnavailable,
    Role,
    decisions,
)
from course_domain.memory import InMemoryReminderScheduler
from course_domain.sql import SqlCourseRepository, create_schema
from listening import listening

BOSS = actor(Role.ADMIN)
NOBODY = cast(UUID, None)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[sa.Engine]:
    """Give a database of its own, in which a check may be got round."""
    (url,) = engines.sqlite_database(tmp_path)
    with engines.disposed(url) as engine:
        create_schema(engine)
        yield engine


@pytest.fixture
def service(engine: sa.Engine) -> CourseService:
    """Give a service with one course, which one person has completed; the reminder waits."""
    repository = SqlCourseRepository(engine)
    repository.add(course())
    without_scheduler = CourseService(repository, clock=lambda: NOW)
    without_scheduler.register(actor(), COURSE_ID)
    without_scheduler.complete_registration(BOSS, COURSE_ID, user_id=USER_ID)
    return CourseService(repository, InMemoryReminderScheduler(), clock=lambda: NOW)


Spoil = Callable[[str, str, object], CourseService]


@pytest.fixture
def spoil(service: CourseService, engine: sa.Engine) -> Spoil:
    """Write what the library never would into a column, and give the service."""

    def spoilt(table: str, column: str, value: object) -> CourseService:
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
            connection.exec_driver_sql(f"UPDATE {table} SET {column} = ?", (value,))
            connection.exec_driver_sql("PRAGMA ignore_check_constraints = OFF")
        return service

    return spoilt


READING: list[Callable[[CourseService], object]] = [
    lambda service: service.course(BOSS, COURSE_ID),
    lambda service: service.courses(BOSS),
    lambda service: service.offers(BOSS, [COURSE_ID]),
    lambda service: service.register(actor(user_id=uuid4()), COURSE_ID),
    lambda service: service.revise_course(BOSS, COURSE_ID, title="Mended"),
]


@pytest.mark.parametrize("ask", READING)
@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("title", "\u00a0", "title_not_empty"),
        ("course_type", "talk", "talk"),
        ("created_by", "nobody", "UUID"),
        ("updated_at", "yesterday", "yesterday"),
        ("max_participants", 0, "max_participants_positive"),
    ],
    ids=["rule", "enumeration", "uuid", "instant", "bound"],
)
def test_course_that_others_have_spoilt_is_told_by_its_row(
    spoil: Spoil,
    ask: Callable[[CourseService], object],
    column: str,
    value: object,
    reason: str,
) -> None:
    """It is no wrong value of who reads: the storage is at fault, and the row is named."""
    service = spoil("courses", column, value)
    with pytest.raises(RepositoryUnavailable, match="a row of courses cannot be read") as raised:
        ask(service)
    assert str(COURSE_ID.hex) in raised.value.reason
    assert str(ORGANIZATION_ID.hex) in raised.value.reason
    assert reason in raised.value.reason


RECORDS: list[tuple[str, str, Callable[[CourseService], object]]] = [
    ("registrations", "status", lambda service: service.registrations(BOSS)),
    ("registrations", "status", lambda service: service.offers(actor(), [COURSE_ID])),
    ("certificates", "issued_at", lambda service: service.certificates(BOSS)),
    ("certificates", "issued_at", lambda service: service.offers(actor(), [COURSE_ID])),
    ("renewal_reminders", "remind_at", lambda service: service.schedule_pending_reminders()),
]


@pytest.mark.parametrize(("table", "column", "ask"), RECORDS)
def test_record_that_others_have_spoilt_is_told_by_its_row(
    spoil: Spoil, table: str, column: str, ask: Callable[[CourseService], object]
) -> None:
    """So is each other record."""
    service = spoil(table, column, "soon")
    with pytest.raises(RepositoryUnavailable, match=f"a row of {table} cannot be read"):
        ask(service)


@attrs.frozen(kw_only=True)
class HostCourse(Course):
    """A host's own class of course."""

    colour: str = "red"


@attrs.frozen(kw_only=True)
class HostRegistration(Registration):
    """A host's own class of registration."""

    paid: bool = True


def test_own_classes_of_a_host_are_stored_as_what_they_also_are(engine: sa.Engine) -> None:
    """What a host has added stays with the host."""
    repository = SqlCourseRepository(engine)
    repository.add(HostCourse(**course_fields()))
    assert course() == repository.get(ORGANIZATION_ID, COURSE_ID)
    keys = (ORGANIZATION_ID, COURSE_ID, USER_ID)

    def decide(seen: Participation) -> Participation:
        decided = decisions.register(seen, actor(), NOW, uuid4())
        assert decided.registration is not None
        own = HostRegistration(**attrs.asdict(decided.registration, recurse=False))
        return attrs.evolve(decided, registration=own)

    assert isinstance(repository.change_participation(*keys, decide).registration, HostRegistration)
    (stored,) = repository.registrations(ORGANIZATION_ID).items
    assert (Registration, USER_ID) == (type(stored), stored.user_id)


LISTING: list[Callable[[CourseRepository], Any]] = [
    lambda repository: repository.courses(NOBODY),
    lambda repository: repository.courses(NOBODY, statuses=[course().status]),
    lambda repository: repository.registrations(NOBODY),
    lambda repository: repository.certificates(NOBODY),
    lambda repository: repository.certificates(NOBODY, expires_before=NOW),
]


@pytest.mark.parametrize("ask", LISTING)
def test_nothing_is_listed_without_an_organization(
    service: CourseService, engine: sa.Engine, ask: Callable[[CourseRepository], Any]
) -> None:
    """What a host has forgotten to fill in is no licence to see all."""
    assert service.courses(BOSS).items
    assert () == ask(SqlCourseRepository(engine)).items


def test_key_of_a_host_is_no_duplicate_course(service: CourseService, engine: sa.Engine) -> None:
    """What an index of the host's own refuses is told with the reason of the database."""
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX one_of_a_title ON courses (title)")
    with pytest.raises(RepositoryUnavailable, match="title"):
        SqlCourseRepository(engine).add(course(id=OTHER_COURSE_ID))
    assert 1 == len(service.courses(BOSS).items)


def test_schema_is_created_over_an_engine() -> None:
    """An URL is none."""
    with pytest.raises(InvalidValue, match="engine"):
        create_schema(cast(sa.Engine, "sqlite://"))


def test_participations_of_any_number_of_courses_take_few_statements(engine: sa.Engine) -> None:
    """A statement that is kept for each number of ids would fill a host's memory."""
    repository = SqlCourseRepository(engine)
    known = [course(id=uuid4()) for _ in range(3)]
    for each in known:
        repository.add(each)
    others = [uuid4() for _ in range(600)]
    with listening() as asked:
        for many in [*range(12), 255, 256, 257, 600]:
            ids = [*others[:many], *(each.id for each in known)]
            found = repository.participations(ORGANIZATION_ID, ids, USER_ID)
            assert {each.id: each for each in known} == {
                key: entry.course for key, entry in found.items()
            }
    assert 9 >= len({text for text, _ in asked})
