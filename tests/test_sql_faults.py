"""Faults of real engines: processes killed, connections cut, answers lost, full disks, locks."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import attrs
import psycopg
import psycopg.errors
import pymysql
import pytest
import sqlalchemy as sa
from sqlalchemy import event

import crashing
import engines
import galera
from builders import (
    COURSE_ID,
    NOW,
    ORGANIZATION_ID,
    OTHER_COURSE_ID,
    OTHER_USER_ID,
    TICK,
    USER_ID,
    actor,
    course,
)
from course_domain import (
    Course,
    CourseService,
    InvalidValue,
    Participation,
    Registration,
    RegistrationRejected,
    RegistrationStatus,
    RepositoryUnavailable,
    Role,
    decisions,
)
from course_domain.sql import (
    SqlCourseRepository,
    create_schema,
    retries,
    rows,
    statements,
)
from course_domain.sql.changes import CourseChange, ParticipationChange
from course_domain.sql.convoys import Convoys, Ride
from course_domain.sql.postgresql import RegistrationConvoys
from course_domain.sql.schema import certificates, courses, registrations, reminders
from course_domain.sql.sqlite import ParticipationConvoys
from course_domain.sql.writing import writer_of
from crashing import CANCEL, COMPLETION, REGISTRATION, When, Wire
from engines import Databases, disposed

CHILD_SECONDS = 60


@pytest.fixture
def until() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as stack:
        yield stack


def service_over(engine: sa.Engine) -> CourseService:
    """Give a service whose clock stands still."""
    return CourseService(SqlCourseRepository(engine), clock=lambda: NOW)


def assert_agrees(engine: sa.Engine) -> None:
    """Hold that counts, registrations, certificates and outbox tell the same."""
    confirmed = sa.select(sa.func.count()).where(
        registrations.c.course_id == courses.c.id,
        registrations.c.status == RegistrationStatus.CONFIRMED.value,
    )
    with engine.connect() as connection:
        counts = connection.execute(
            sa.select(courses.c.confirmed_count, confirmed.scalar_subquery())
        )
        assert all(kept == counted for kept, counted in counts)
        completed = sa.select(registrations.c.user_id).where(
            registrations.c.completed_at.is_not(None)
        )
        issued = sa.select(certificates.c.peer_mentor_id)
        assert sorted(connection.scalars(completed)) == sorted(connection.scalars(issued))
        expiring = sa.select(certificates.c.id).where(certificates.c.expires_at.is_not(None))
        reminded = sa.select(reminders.c.certificate_id)
        assert sorted(connection.scalars(expiring)) == sorted(connection.scalars(reminded))
        if engine.dialect.name == "sqlite":
            assert "ok" == connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()


def stored_records(engine: sa.Engine) -> dict[str, str]:
    """Give what is stored, as `crashing` acknowledges it: by person and kind."""
    given = sa.literal("registration"), registrations.c.id, registrations.c.status
    issued = sa.literal("certificate"), certificates.c.id, sa.literal("")
    with engine.connect() as connection:
        rows = [
            *connection.execute(sa.select(registrations.c.user_id, *given)),
            *connection.execute(sa.select(certificates.c.peer_mentor_id, *issued)),
        ]
    return {f"{row[0]} {row[1]}": f"{row[2]} {row[3]}".strip() for row in rows}


# --- A process is killed

_COMPLETION_POINTS = [
    ("after load", COMPLETION, False),
    ("after course", COMPLETION, False),
    ("after registration", COMPLETION, False),
    ("after certificate", COMPLETION, False),
    ("after reminder", COMPLETION, False),
    ("before commit", COMPLETION, False),
    ("after commit", COMPLETION, True),
]
_POINTS = {
    "sqlite": [
        ("after begin", REGISTRATION, False),
        ("after load", REGISTRATION, False),
        ("after course", REGISTRATION, False),
        ("after registration", REGISTRATION, False),
        ("before commit", REGISTRATION, False),
        ("after commit", REGISTRATION, True),
        ("after registration", CANCEL, False),
        ("after commit", CANCEL, True),
        *_COMPLETION_POINTS,
    ],
    "postgresql": [
        ("after load", REGISTRATION, False),
        ("before convoy", REGISTRATION, False),
        ("after convoy", REGISTRATION, True),
        ("after convoy", CANCEL, True),
        *_COMPLETION_POINTS,
    ],
}


@pytest.fixture(scope="module")
def program() -> Iterator[Pipe]:
    """A process whose forks are there to be killed."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=crashing.serve, args=(theirs,))
    child.start()
    yield ours
    ours.send(None)
    child.join(CHILD_SECONDS)


def killed(program: Pipe, *job: object) -> list[str]:
    """Let a fork run the script until it is killed, and give what it acknowledged."""
    program.send(job)
    lines: list[str] = []
    while program.poll(CHILD_SECONDS):
        line = program.recv()
        if isinstance(line, int):
            assert signal.SIGKILL == os.WTERMSIG(line)
            return lines
        lines.append(line)
    raise TimeoutError


@pytest.mark.parametrize(
    ("engine_name", "point", "call", "is_stored"),
    [(name, *each) for name, points in _POINTS.items() for each in points],
)
def test_a_killed_process_leaves_nothing_half_written(
    request: pytest.FixtureRequest,
    program: Pipe,
    engine_name: str,
    point: str,
    call: int,
    *,
    is_stored: bool,
) -> None:
    """All that was acknowledged is stored, and the call that died is wholly, or not at all."""
    databases: Databases = request.getfixturevalue(f"{engine_name}_databases")
    with databases.lent() as (url, *_), disposed(url) as engine:
        SqlCourseRepository(engine).add(course())
        lines = killed(program, url, point, call)
        assert call - 1 == len(lines)
        assert_agrees(engine)
        acknowledged = {" ".join(line.split()[:2]): " ".join(line.split()[2:]) for line in lines}
        stored = stored_records(engine)
        assert acknowledged.keys() <= stored.keys()
        unanswered = [key for key in stored if stored[key] != acknowledged.get(key)]
        assert int(is_stored) == len(unanswered)
        for each in crashing.SCRIPT:
            each(service_over(engine))
        assert_agrees(engine)


# --- A connection is cut, or the answer to a COMMIT is lost


@attrs.frozen
class Store:
    """A database with a course, and a repository over a wire that can fail."""

    url: str
    wire: Wire
    engine: sa.Engine
    repository: SqlCourseRepository
    watching: sa.Engine
    """An engine of its own, for the test."""

    @property
    def service(self) -> CourseService:
        """A service whose clock stands still, a moment after the course was changed."""
        return CourseService(self.repository, clock=lambda: NOW)

    def at(self, point: str, action: Callable[[Any], None]) -> None:
        """Act on the driver's connection once, at the first of these steps that comes."""
        when, *steps = point.split()

        def hook(now: When, step: str, connection: Any) -> None:
            if now == when and step in steps:
                self.wire.hook = crashing.nothing
                action(connection)

        self.wire.hook = hook

    def lose_commits(self, when: When, times: int) -> Callable[[], int]:
        """Lose the connection at so many COMMITs, and give what tells how many were lost.

        That of a new connection's set-up is none of them.
        """
        lost = 0
        worked: set[Any] = set()

        def hook(now: When, step: str, connection: Any) -> None:
            nonlocal lost
            if step not in ("", "connect", "commit"):
                worked.add(connection)
            elif step == "commit" and now is when and connection in worked and lost < times:
                lost += 1
                lose(connection)

        self.wire.hook = hook
        return lambda: lost

    def cut(self, connection: Any) -> None:
        """Have the server end a connection, and wait until it has."""
        with self.watching.connect().execution_options(isolation_level="AUTOCOMMIT") as admin:
            if admin.dialect.name == "postgresql":
                ended = sa.func.pg_terminate_backend(connection.info.backend_pid, 10_000)
                assert admin.scalar(sa.select(ended))
                return
            number = connection.thread_id()
            admin.exec_driver_sql(f"KILL {number}")
            alive = f"SELECT count(*) FROM information_schema.processlist WHERE id = {number}"
            galera.wait_until(
                lambda: admin.exec_driver_sql(alive).scalar_one() == 0, 10, "a connection is gone"
            )


def lose(connection: Any) -> None:
    """Lose a connection, as a driver tells when no answer comes."""
    if isinstance(connection, psycopg.Connection):
        connection.pgconn.finish()
        raise psycopg.OperationalError("server closed the connection unexpectedly")
    connection._force_close()
    raise pymysql.err.OperationalError(2013, "Lost connection to MySQL server during query")


def refuse(engine: sa.Engine) -> None:
    """Refuse a new connection, as a server that is not up yet does."""
    if engine.dialect.name == "postgresql":
        raise psycopg.errors.CannotConnectNow("the database system is starting up")
    raise pymysql.err.OperationalError(2003, "Can't connect to MySQL server")


@pytest.fixture(params=["postgresql", "galera"])
def store(request: pytest.FixtureRequest, until: ExitStack) -> Store:
    """A course on this engine; `USER_ID` is registered for it."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    (url, *_) = until.enter_context(databases.lent())
    return store_over(url, until)


@pytest.fixture
def postgresql_store(postgresql_databases: Databases, until: ExitStack) -> Store:
    """The same on PostgreSQL."""
    (url, *_) = until.enter_context(postgresql_databases.lent())
    return store_over(url, until)


def store_over(url: str, until: ExitStack) -> Store:
    """Add a course and register `USER_ID` for it."""
    wire = Wire()
    engine = wire.engine(url)
    until.callback(engine.dispose)
    watching = until.enter_context(disposed(url))
    made = Store(url, wire, engine, SqlCourseRepository(engine), watching)
    made.repository.add(course())
    made.service.register(actor(), COURSE_ID)
    return made


Call = Callable[[Store], object]


def register(store: Store) -> object:
    """Register the other user."""
    given = store.service.register(actor(user_id=OTHER_USER_ID), COURSE_ID)
    page = store.repository.registrations(ORGANIZATION_ID, user_id=OTHER_USER_ID)
    assert (given,) == page.items
    return given.status


def cancel(store: Store) -> object:
    """Cancel the registration that there is."""
    given = store.service.cancel_registration(actor(), COURSE_ID)
    assert (given,) == store.repository.registrations(ORGANIZATION_ID).items
    return given.status


def complete(store: Store) -> object:
    """Complete the registration that there is."""
    given = store.service.complete_registration(actor(Role.ADMIN), COURSE_ID, user_id=USER_ID)
    assert (given.certificate,) == store.repository.certificates(ORGANIZATION_ID).items
    assert (given.reminder,) == store.repository.pending_reminders().items
    return given.registration is not None and given.registration.completed_at


def revise(store: Store) -> object:
    """Change the title for one who has seen the latest."""
    given = store.service.revise_course(
        actor(Role.ADMIN),
        COURSE_ID,
        expected_updated_at=course().updated_at,
        title="Another title",
    )
    assert given == store.repository.get(ORGANIZATION_ID, COURSE_ID)
    return given.title


def add(store: Store) -> object:
    """Add another course."""
    store.repository.add(course(id=OTHER_COURSE_ID))
    assert course(id=OTHER_COURSE_ID) == store.repository.get(ORGANIZATION_ID, OTHER_COURSE_ID)
    return len(store.repository.courses(ORGANIZATION_ID).items)


CALLS: dict[Call, object] = {
    register: RegistrationStatus.CONFIRMED,
    cancel: RegistrationStatus.CANCELLED,
    complete: NOW,
    revise: "Another title",
    add: 2,
}
"""Calls that change something and hold that it is stored once, and what they give."""

each_call = pytest.mark.parametrize(
    ("call", "given"), [pytest.param(*each, id=each[0].__name__) for each in CALLS.items()]
)


@pytest.mark.parametrize("point", ["after convoy commit", "before convoy commit"])
@each_call
def test_a_lost_answer_to_a_commit_is_looked_up(
    store: Store, call: Call, given: object, point: str
) -> None:
    """Applied or not, the change is stored once, and answered as if nothing had been lost."""
    store.at(point, lose)
    assert given == call(store)
    assert crashing.nothing is store.wire.hook
    assert_agrees(store.watching)


@pytest.mark.parametrize("point", ["after convoy commit", "before convoy commit"])
@each_call
def test_a_lost_answer_is_looked_up_once_the_server_is_back(
    store: Store, call: Call, given: object, point: str
) -> None:
    """The same where the server refuses connections for a while after it has lost the answer."""
    refusals = iter(range(3))

    def refusing(_when: When, step: str, _connection: Any) -> None:
        if step == "connect" and next(refusals, None) is not None:
            refuse(store.watching)

    def lose_all(connection: Any) -> None:
        store.wire.hook = refusing
        lose(connection)

    store.at(point, lose_all)
    assert given == call(store)
    assert next(refusals, None) is None
    assert_agrees(store.watching)


@each_call
def test_an_answer_that_stays_lost_is_unavailable(
    store: Store, call: Call, given: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the server stays away nobody can know, and nothing is said or written again."""
    monkeypatch.setattr(retries, "TRYING_SECONDS", 0.2)
    before = stored_records(store.watching)

    def refusing(_when: When, step: str, _connection: Any) -> None:
        if step == "connect":
            refuse(store.watching)

    def lose_all(connection: Any) -> None:
        store.wire.hook = refusing
        lose(connection)

    store.at("before convoy commit", lose_all)
    with pytest.raises(RepositoryUnavailable):
        call(store)
    assert before == stored_records(store.watching)
    store.wire.hook = crashing.nothing
    assert given == call(store)
    assert_agrees(store.watching)


def mark(store: Store) -> object:
    """Mark the reminder of a person who has completed the course."""
    given = service_over(store.watching).complete_registration(
        actor(Role.ADMIN), COURSE_ID, user_id=USER_ID
    )
    assert given.reminder is not None
    store.repository.mark_reminder_scheduled(given.reminder)
    return store.repository.pending_reminders().items


@pytest.mark.parametrize("when", When)
@pytest.mark.parametrize("call", [complete, revise, add, mark])
def test_answers_that_are_lost_again_are_looked_up_again(
    store: Store, call: Call, when: When
) -> None:
    """Whether its COMMIT, that of a look at what came of it, or that of another try is lost."""
    lost = store.lose_commits(when, 3)
    assert (CALLS | {mark: ()})[call] == call(store)
    assert 3 >= lost() >= 1
    assert_agrees(store.watching)


@pytest.mark.parametrize("call", [complete, revise, add, mark])
def test_answers_that_are_always_lost_are_unavailable_in_time(
    store: Store, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that loses every COMMIT is tried for a time, not a number of times."""
    monkeypatch.setattr(retries, "TRYING_SECONDS", 0.3)
    lost = store.lose_commits(When.BEFORE, sys.maxsize)
    with pytest.raises(RepositoryUnavailable):
        call(store)
    assert lost() > 1
    assert_agrees(store.watching)


@pytest.mark.parametrize(
    "point",
    [
        "after load",
        "after course",
        "after registration",
        "after certificate",
        "after reminder",
        "before commit",
    ],
)
def test_a_connection_cut_in_a_completion_costs_another_try(store: Store, point: str) -> None:
    """A transaction whose connection the server ends is rolled back, and made again."""
    store.at(point, store.cut)
    assert NOW == complete(store)
    assert crashing.nothing is store.wire.hook
    assert_agrees(store.watching)


@each_call
def test_a_connection_cut_before_its_commit_costs_another_try(
    store: Store, call: Call, given: object
) -> None:
    """The COMMIT of a connection that has ended is not taken for done."""
    store.at("before convoy commit", store.cut)
    assert given == call(store)
    assert crashing.nothing is store.wire.hook
    assert_agrees(store.watching)


def test_a_connection_cut_while_it_is_decided_costs_another_decision(store: Store) -> None:
    """A decision whose connection ends meanwhile is asked again on what is then stored."""
    asked: list[Course] = []

    def decide(seen: Course) -> Course:
        asked.append(seen)
        if len(asked) == 1:
            store.cut(store.wire.last)
        return attrs.evolve(seen, title="Another title", updated_at=NOW + TICK)

    given = store.repository.change_course(ORGANIZATION_ID, COURSE_ID, decide)
    assert [course(), course()] == asked
    assert given == store.repository.get(ORGANIZATION_ID, COURSE_ID)


def ride(asked: list[Participation], user_id: UUID) -> Ride:
    """Let a person join a convoy that registers."""

    def decide(seen: Participation) -> Participation:
        asked.append(seen)
        own = actor(user_id=user_id)
        return decisions.register(seen, own, NOW, registration_id=uuid4())

    keys = statements.keys(ORGANIZATION_ID, COURSE_ID, user_id)
    return Ride(ParticipationChange(keys, decide))


def test_what_is_known_of_a_course_is_what_is_stored(
    postgresql_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A decision is shown the course as it is, also by a writer that has read it before."""
    monkeypatch.setattr(rows, "_MOST_KNOWN", 1)
    repository = postgresql_store.repository
    repository.add(course(id=OTHER_COURSE_ID))
    titles: list[str] = []

    def register_on(course_id: UUID) -> None:
        person = actor(user_id=uuid4())

        def decide(seen: Participation) -> Participation:
            titles.append(seen.course.title)
            return decisions.register(seen, person, NOW, registration_id=uuid4())

        repository.change_participation(ORGANIZATION_ID, course_id, person.user_id, decide)

    for course_id in (COURSE_ID, COURSE_ID, OTHER_COURSE_ID, COURSE_ID):
        register_on(course_id)
    revise(postgresql_store)
    register_on(COURSE_ID)
    assert [course().title] * 4 + ["Another title"] == titles


def convoys_over(engine: sa.Engine) -> Convoys:
    """Give what decides and stores for all who wait, apart from who waits."""
    kind = ParticipationConvoys if engine.dialect.name == "sqlite" else RegistrationConvoys
    return Convoys(kind(writer_of(engine).database).decide_and_store)


def test_nobody_hears_of_a_convoy_whose_answer_was_lost(postgresql_store: Store) -> None:
    """Who was answered or refused on ground of what may not be stored is asked again."""
    admin = actor(Role.ADMIN)
    postgresql_store.service.revise_course(admin, COURSE_ID, max_participants=2)
    first, again, refused = (
        ride([], user_id) for user_id in (OTHER_USER_ID, OTHER_USER_ID, uuid4())
    )
    convoys = convoys_over(postgresql_store.engine)
    postgresql_store.at("before convoy", lose)
    convoys.drive([first, again, refused])
    assert first.not_known is not None
    for each in (again, refused):
        assert (None, None, None) == (each.answer, each.error, each.not_known)


REFUSING = {
    "sqlite": """
        CREATE TRIGGER refuse BEFORE INSERT ON registrations
        WHEN NEW.user_id = '{0.hex}' BEGIN SELECT RAISE(ABORT, 'no entry'); END
    """,
    "postgresql": """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'no entry'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON registrations FOR EACH ROW
        WHEN (NEW.user_id = '{0}') EXECUTE FUNCTION refuse()
    """,
}


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_one_whom_the_database_refuses_is_refused_alone(
    request: pytest.FixtureRequest, until: ExitStack, engine_name: str
) -> None:
    """What a database has against one of those who share a transaction is not for the others."""
    databases: Databases = request.getfixturevalue(f"{engine_name}_databases")
    (url, *_) = databases.create()  # not one that another test is lent afterwards
    create_schema(until.enter_context(disposed(url)))
    store, refused = store_over(url, until), uuid4()
    with store.engine.begin() as connection:
        connection.exec_driver_sql(REFUSING[engine_name].format(refused))
    convoy = [ride([], refused), ride([], OTHER_USER_ID)]
    convoys_over(store.engine).drive(convoy)

    for each in convoy:
        assert (None, None, None) == (each.answer, each.error, each.not_known)
    with pytest.raises(RepositoryUnavailable, match="no entry"):
        store.service.register(actor(user_id=refused), COURSE_ID)
    store.service.register(actor(user_id=OTHER_USER_ID), COURSE_ID)
    assert_agrees(store.engine)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_who_asks_from_inside_a_decision_is_unavailable_in_time(
    request: pytest.FixtureRequest,
    until: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
    engine_name: str,
) -> None:
    """A change inside a decision about the same course would wait for itself: it gives up."""
    monkeypatch.setattr(retries, "TRYING_SECONDS", 0.2)
    databases: Databases = request.getfixturevalue(f"{engine_name}_databases")
    (url, *_) = until.enter_context(databases.lent())
    store = store_over(url, until)

    def decide(seen: Participation) -> Participation:
        with pytest.raises(RepositoryUnavailable, match="others were writing"):
            store.service.cancel_registration(actor(), COURSE_ID)
        return decisions.register(seen, actor(user_id=OTHER_USER_ID), NOW, uuid4())

    keys = (ORGANIZATION_ID, COURSE_ID, OTHER_USER_ID)
    given = store.repository.change_participation(*keys, decide)
    assert (
        given
        == store.repository.participations(ORGANIZATION_ID, [COURSE_ID], OTHER_USER_ID)[COURSE_ID]
    )


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
def test_riders_of_one_convoy_are_each_told_their_own(
    request: pytest.FixtureRequest, until: ExitStack, engine_name: str
) -> None:
    """What one decision raises, or answers amiss, is its caller's; the others have their seats."""
    databases: Databases = request.getfixturevalue(f"{engine_name}_databases")
    (url, *_) = until.enter_context(databases.lent())
    store = store_over(url, until)

    def wrong(_: Participation) -> Any:
        return None

    keys = statements.keys(ORGANIZATION_ID, COURSE_ID, OTHER_USER_ID)
    rides = [ride([], OTHER_USER_ID), Ride(ParticipationChange(keys, wrong)), ride([], uuid4())]
    convoys_over(store.engine).drive(rides)
    assert [True, False, True] == [each.answer is not None for each in rides]
    assert isinstance(rides[1].error, InvalidValue)
    assert_agrees(store.watching)
    assert 3 == len(store.repository.registrations(ORGANIZATION_ID).items)


def test_nobody_is_answered_when_the_one_who_stores_is_stopped(postgresql_store: Store) -> None:
    """An interrupt of the thread that stores for others gives nobody a seat that is not stored."""

    def interrupt(_connection: Any) -> None:
        raise KeyboardInterrupt

    rides = [ride([], uuid4()) for _ in range(3)]
    convoys = convoys_over(postgresql_store.engine)
    postgresql_store.at("before convoy", interrupt)
    with pytest.raises(KeyboardInterrupt):
        convoys.drive(rides)
    assert [None, None, None] == [each.answer for each in rides]
    assert RegistrationStatus.CONFIRMED == register(postgresql_store)


@pytest.mark.parametrize("call", [complete, revise, add])
def test_a_commit_that_is_refused_costs_another_try(store: Store, call: Call) -> None:
    """A COMMIT whose error says that nothing was applied is no lost answer: all is made again."""

    def refuse_commit(connection: Any) -> None:
        connection.rollback()
        if store.engine.dialect.name == "postgresql":
            raise psycopg.errors.SerializationFailure
        raise pymysql.err.OperationalError(1213, "Deadlock found when trying to get lock")

    store.at("before commit", refuse_commit)
    assert CALLS[call] == call(store)
    assert crashing.nothing is store.wire.hook
    assert_agrees(store.watching)


@pytest.mark.parametrize("call", [register, cancel, complete, revise])
def test_a_lost_answer_behind_which_others_wrote_is_unavailable(store: Store, call: Call) -> None:
    """Where the course has changed since, nobody can know, and nothing is written again."""
    before = stored_records(store.watching)

    def lose_to_a_rival(connection: Any) -> None:
        try:
            lose(connection)
        finally:
            rival = service_over(store.watching)
            rival.revise_course(actor(Role.ADMIN), COURSE_ID, location="Elsewhere")

    store.at("before convoy commit", lose_to_a_rival)
    with pytest.raises(RepositoryUnavailable, match="others have changed the course since"):
        call(store)
    assert before == stored_records(store.watching)


@each_call
def test_a_connection_cut_in_the_pool_costs_another_try(
    store: Store, call: Call, given: object
) -> None:
    """A connection that ended while nobody used it is found out before anything is written."""
    store.at("before begin load", store.cut)
    assert given == call(store)
    assert crashing.nothing is store.wire.hook
    assert_agrees(store.watching)


def test_one_lost_connection_tells_of_all_in_the_pool(store: Store) -> None:
    """After a restart of the server a call fails once, and not once for each that it had."""
    with ExitStack() as opened:
        pooled = [opened.enter_context(store.engine.connect()) for _ in range(4)]
        drivers = [each.connection.driver_connection for each in pooled]
    for each in drivers:
        store.cut(each)
    loads: list[Any] = []

    def count(when: When, step: str, connection: Any) -> None:
        if (when, step) == (When.BEFORE, "load"):
            loads.append(connection)

    store.wire.hook = count
    assert course() == store.repository.get(ORGANIZATION_ID, COURSE_ID)
    assert 2 == len(loads)


@each_call
def test_a_server_that_is_away_for_a_while_is_waited_for(
    store: Store, call: Call, given: object
) -> None:
    """While it refuses connections the call is tried again, and then is as any other."""
    refusals = iter(range(3))

    def refusing(_when: When, step: str, _connection: Any) -> None:
        if step == "connect" and next(refusals, None) is not None:
            refuse(store.watching)

    store.engine.dispose()
    store.wire.hook = refusing
    assert given == call(store)
    assert next(refusals, None) is None


def test_a_pool_without_a_free_connection_is_unavailable(
    sqlite_databases: Databases, until: ExitStack
) -> None:
    """Who finds no connection in time is told so, and can ask again."""
    (url,) = until.enter_context(sqlite_databases.lent())
    engine = sa.create_engine(
        url, poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01
    )
    until.callback(engine.dispose)
    repository = SqlCourseRepository(engine)
    with engine.connect(), pytest.raises(RepositoryUnavailable, match="QueuePool limit"):
        repository.add(course())
    repository.add(course())


def test_a_course_that_others_always_change_first_is_unavailable(
    sqlite_databases: Databases, until: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer to what is no longer the latest is not stored; that ends after a while."""
    monkeypatch.setattr(retries, "TRYING_SECONDS", 0.05)
    (url,) = until.enter_context(sqlite_databases.lent())
    engine = until.enter_context(disposed(url))
    SqlCourseRepository(engine).add(course())
    keys = statements.keys(ORGANIZATION_ID, COURSE_ID)
    change = CourseChange(keys, lambda seen: attrs.evolve(seen, title="Another title"))
    database = writer_of(engine).database

    def store_what_is_stale() -> None:
        with database.writing() as cursor:
            seen = change.load(cursor)
            assert seen is not None
            stale = attrs.evolve(seen, version=seen.version - 1)
            change.store(cursor, stale, change.decided(seen.state))

    with pytest.raises(RepositoryUnavailable, match="others changed the course first"):
        retries.trying(store_what_is_stale)
    assert course() == SqlCourseRepository(engine).get(ORGANIZATION_ID, COURSE_ID)


# --- A full disk, a store that may only be read, and one without a schema

_OVERFLOWING = 200  # registrations: some need a page more


def test_a_full_disk_is_unavailable_and_stores_nothing(
    sqlite_databases: Databases, until: ExitStack
) -> None:
    """What does not fit is refused with the reason, and fits when there is room again."""
    (url,) = sqlite_databases.create()  # a file that was lent before has room of its own
    room = [1_000_000_000]
    engine = until.enter_context(disposed(url))
    create_schema(engine)

    @event.listens_for(engine, "checkout")
    def limit(connection: Any, _record: Any, _proxy: Any) -> None:
        connection.execute(f"PRAGMA max_page_count = {room[0]}")

    repository = SqlCourseRepository(engine)
    service = CourseService(repository, clock=lambda: NOW)
    repository.add(course(max_participants=None))
    room[0] = 1  # SQLite takes it for as many as there are
    too_long = course(id=OTHER_COURSE_ID, description="x" * 100_000)
    with pytest.raises(RepositoryUnavailable, match="full"):
        repository.add(too_long)
    assert repository.get(ORGANIZATION_ID, OTHER_COURSE_ID) is None
    given: list[Registration] = []
    people = (actor(user_id=uuid4()) for _ in range(_OVERFLOWING))
    with pytest.raises(RepositoryUnavailable, match="full"):
        given.extend(service.register(person, COURSE_ID) for person in people)
    assert_agrees(engine)
    stored = repository.registrations(ORGANIZATION_ID, limit=200).items
    assert {each.id for each in given} == {each.id for each in stored}
    room[0] = 1_000_000_000
    repository.add(too_long)
    service.register(actor(), COURSE_ID)
    assert_agrees(engine)


def read_only_url(url: str) -> str:
    """Make an URL one that may only read."""
    made = sa.make_url(url)
    if made.get_backend_name() == "sqlite":
        return f"sqlite:///file:{made.database}?mode=ro&uri=true"
    options = f"{made.query['options']} -cdefault_transaction_read_only=on"
    return made.update_query_dict({"options": options}).render_as_string(hide_password=False)


@pytest.mark.parametrize("engine_name", ["sqlite", "postgresql"])
@pytest.mark.parametrize("call", [register, complete, revise, add])
def test_a_store_that_may_only_be_read_is_unavailable_for_changes(
    request: pytest.FixtureRequest, until: ExitStack, engine_name: str, call: Call
) -> None:
    """A change is refused with the reason and stores nothing; reading goes on."""
    databases: Databases = request.getfixturevalue(f"{engine_name}_databases")
    (url, *_) = until.enter_context(databases.lent())
    writable = store_over(url, until)
    engine = until.enter_context(disposed(read_only_url(url)))
    read_only = attrs.evolve(writable, repository=SqlCourseRepository(engine))
    before = stored_records(writable.watching)
    with pytest.raises(RepositoryUnavailable, match=r"read-?only"):
        call(read_only)
    assert before == stored_records(writable.watching)
    assert (course(),) == read_only.repository.courses(ORGANIZATION_ID).items
    assert CALLS[call] == call(writable)


@pytest.fixture(params=[engines.POSTGRESQL, engines.GALERA, "sqlite"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a schema."""
    if request.param == "sqlite":
        return engines.sqlite_database(tmp_path)[0]
    request.getfixturevalue(f"{request.param}_databases")
    servers = engines.shared(request.param)
    if request.param == engines.GALERA:
        return engines.galera_database(servers)[0]
    return engines.postgresql_database(servers[0])[0]


def test_a_store_without_a_schema_is_unavailable(empty_url: str) -> None:
    """Reading and changing tell which table is missing."""
    with disposed(empty_url) as engine:
        repository = SqlCourseRepository(engine)
        with pytest.raises(RepositoryUnavailable, match="courses"):
            repository.get(ORGANIZATION_ID, COURSE_ID)
        with pytest.raises(RepositoryUnavailable, match="courses"):
            repository.add(course())
        with pytest.raises(RepositoryUnavailable, match="courses"):
            CourseService(repository).register(actor(), COURSE_ID)
        create_schema(engine)
        repository.add(course())


# --- Somebody else holds a lock

_LOCKS = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": "SELECT id FROM courses FOR UPDATE",
    "galera": "SELECT id FROM courses FOR UPDATE",
}
_IN_LINE = 4


@pytest.mark.parametrize("engine_name", _LOCKS)
def test_a_lock_that_stays_is_unavailable_in_time(
    request: pytest.FixtureRequest, until: ExitStack, engine_name: str
) -> None:
    """Each of those who wait hears of it after 2 to 8 seconds, and nothing of theirs is stored."""
    databases: Databases = request.getfixturevalue(f"{engine_name}_databases")
    (url, *_) = until.enter_context(databases.lent())
    store = store_over(url, until)

    def seconds(call: Callable[[CourseService], object]) -> float:
        began = time.monotonic()
        with pytest.raises(RepositoryUnavailable):
            call(store.service)
        return time.monotonic() - began

    calls: list[Callable[[CourseService], object]]
    calls = [crashing.register(uuid4()) for _ in range(_IN_LINE)]
    before = stored_records(store.watching)
    with store.watching.connect() as holding, ThreadPoolExecutor(2 * _IN_LINE) as threads:
        holding.exec_driver_sql(_LOCKS[engine_name])
        waited = list(threads.map(seconds, [*calls, revise_title]))
        holding.rollback()
    assert all(2 <= each <= 8.5 for each in waited), waited
    assert before == stored_records(store.watching)
    assert RegistrationStatus.CONFIRMED == register(store)
    assert_agrees(store.watching)


def revise_title(service: CourseService) -> Course:
    """Change the title."""
    return service.revise_course(actor(Role.ADMIN), COURSE_ID, title="Another title")


# --- A node of a cluster is stopped, and started again

_THREADS = 6
_SEATS = 150
_BOUND_SECONDS = 12  # for a call, on a busy machine


@attrs.define
class Load:
    """Register one person after the other, and keep what was answered."""

    urls: tuple[str, ...]
    acknowledged: list[Registration] = attrs.field(factory=list[Registration])
    given_up: int = 0
    slowest: float = 0.0
    is_over: bool = False

    def run(self, number: int) -> None:
        """Register on one of the nodes until the load is over."""
        with disposed(self.urls[number % len(self.urls)]) as engine:
            service = service_over(engine)
            while not self.is_over:
                began = time.monotonic()
                try:
                    given = service.register(actor(user_id=uuid4()), COURSE_ID)
                    self.acknowledged.append(given)
                except RegistrationRejected:
                    pass
                except RepositoryUnavailable:
                    self.given_up += 1
                self.slowest = max(self.slowest, time.monotonic() - began)

    def wait_for_more(self) -> None:
        """Wait until a few more have been answered, or the course is full."""
        enough = min(len(self.acknowledged) + _THREADS, _SEATS)
        galera.wait_until(lambda: len(self.acknowledged) >= enough, 60, "more are registered")

    def wait_until_one_gives_up(self) -> None:
        """Wait until a call has tried for as long as it does."""
        before = self.given_up
        galera.wait_until(lambda: self.given_up > before, 60, "a call gives up")


def test_a_node_that_stops_or_hangs_under_load_loses_nothing() -> None:
    """Nothing acknowledged is lost, no seat is sold twice, and no call is without an end."""
    with cluster_of_its_own() as nodes, ThreadPoolExecutor(_THREADS) as threads:
        # Such a node leaves calls without an answer, so the wait for one is bounded.
        databases = engines.galera_database([node.url for node in nodes])
        urls = tuple(f"{url}?read_timeout=4" for url in databases)
        with disposed(urls[0]) as engine:
            create_schema(engine)
            SqlCourseRepository(engine).add(course(max_participants=_SEATS))
        load = Load(urls)
        running = [threads.submit(load.run, number) for number in range(_THREADS)]
        try:
            load.wait_for_more()
            nodes[2].stop()
            load.wait_for_more()
            nodes[2].start(nodes[:2])
            nodes[2].wait_until_synced(len(nodes))
            load.wait_for_more()
            with nodes[2].hanging():
                load.wait_until_one_gives_up()
            nodes[2].wait_until_synced(len(nodes))
            load.wait_for_more()
        finally:
            load.is_over = True
        for each in running:
            each.result(_BOUND_SECONDS)
        assert load.slowest < _BOUND_SECONDS
        for url in urls:
            with disposed(url) as engine:
                assert_agrees(engine)
                stored = SqlCourseRepository(engine).registrations(ORGANIZATION_ID, limit=200)
                assert {each.id for each in load.acknowledged} <= {each.id for each in stored.items}
                assert len(stored.items) <= _SEATS


@contextmanager
def cluster_of_its_own() -> Generator[tuple[galera.Node, ...], None, None]:
    """Run a cluster whose nodes this test may stop."""
    if reason := galera.missing():
        if os.environ.get("COURSE_DOMAIN_REQUIRE_GALERA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    with galera.cluster() as nodes:
        yield nodes
