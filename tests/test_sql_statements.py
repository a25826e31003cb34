"""How many statements each call sends, counted where the driver hands them to its engine."""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from tempfile import TemporaryFile
from threading import Semaphore
from typing import IO, Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from psycopg.pq import Trace
from sqlalchemy import event

from builders import NOW, actor, course
from course_domain import Actor, CourseService, CourseStatus, Participation, Role
from course_domain import calls as calls_of
from course_domain.sql import SqlCourseRepository
from course_domain.sql.connections import Lines
from course_domain.sql.convoys import Ride
from engines import Databases, disposed

# What only begins, ends or sets up; PostgreSQL's driver sends BEGIN with its first statement's.
FRAME = {"BEGIN", "COMMIT", "PRAGMA", "ROLLBACK", "SET"}

# What PostgreSQL's library writes of a message that it sends, with the first words of its texts.
_MESSAGE = re.compile(r'^F\t\d+\t(Query|Parse|Bind)\t "(\w*)[^"\n]*"?(?: "(\w*))?', re.MULTILINE)

SECONDS = 20

Call = Callable[[], object]


class Heard:
    """Every statement that an engine is sent by its driver, by its first word.

    SQLAlchemy's own events miss what the adapter executes on the driver, and BEGIN and COMMIT.
    """

    def __init__(self, engine: sa.Engine, wire: IO[str]) -> None:
        """Listen on every connection from its beginning; on PostgreSQL by way of a file."""
        self._words: list[str] = []
        listen = {
            "sqlite": self._listen_to_sqlite,
            "postgresql": self._listen_to_postgresql,
            "mariadb": self._listen_to_mariadb,
        }[engine.dialect.name]
        event.listen(engine, "connect", listen)
        self._wire = wire
        self._prepared: dict[str, str] = {}

    def during(self, call: Call) -> list[str]:
        """Give the words of what is sent during a call."""
        self._take()
        call()
        return self._take()

    def _take(self) -> list[str]:
        self._wire.seek(0)
        for message, name, text in _MESSAGE.findall(self._wire.read()):
            if message == "Parse":
                self._prepared[name] = text
            else:  # a Query is sent as its text, a Bind begins to execute what was parsed
                self._words.append(self._prepared[text] if message == "Bind" else name)
        self._wire.seek(0)
        self._wire.truncate()
        taken, self._words = self._words, []
        return taken

    def _listen_to_sqlite(self, connection: Any, _record: object) -> None:
        connection.set_trace_callback(self._hear)

    def _listen_to_postgresql(self, connection: Any, _record: object) -> None:
        connection.pgconn.trace(self._wire.fileno())
        connection.pgconn.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)

    def _listen_to_mariadb(self, connection: Any, _record: object) -> None:
        send = connection._execute_command

        def heard(command: int, text: Any) -> object:
            self._hear(text.decode() if isinstance(text, bytes) else text)
            return send(command, text)

        connection._execute_command = heard

    def _hear(self, text: str) -> None:
        self._words.append(text.split(maxsplit=1)[0])


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "galera"])
def engine(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """Give each engine in turn."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    with databases.lent() as urls, disposed(urls[0]) as engine:
        yield engine


@pytest.fixture(scope="module")
def heard(engine: sa.Engine) -> Iterator[Heard]:
    """Listen to that engine."""
    with TemporaryFile("w+") as wire:
        yield Heard(engine, wire)


@pytest.fixture
def ours(engine: sa.Engine, heard: Heard) -> "Ours":
    """Give an organization with a published course."""
    return Ours(SqlCourseRepository(engine), heard, str(engine.dialect.name))


class Ours:
    """An organization of its own on an engine that is listened to."""

    def __init__(self, repository: SqlCourseRepository, heard: Heard, kind: str) -> None:
        """Begin with one published course that takes registrations, and issues certificates."""
        self.repository = repository
        self.service = CourseService(repository, clock=lambda: NOW)
        self.kind = kind
        self._heard = heard
        self.id = uuid4()
        self.course_id = self.add()
        self.admin = actor(Role.ADMIN, organization_id=self.id)

    def add(self, **fields: object) -> UUID:
        """Add a course."""
        plain = {"organization_id": self.id, "id": uuid4(), "max_participants": None}
        added = course(**plain | fields)
        self.repository.add(added)
        return added.id

    def statements(self, call: Call) -> list[str]:
        """Give the statements of a call, without what only begins, ends or sets up."""
        return [word for word in self._heard.during(call) if word not in FRAME]

    def register(self) -> Actor:
        """Register somebody new."""
        someone = actor(organization_id=self.id, user_id=uuid4())
        self.service.register(someone, self.course_id)
        return someone

    def registration(self) -> tuple[UUID, UUID, UUID, Callable[[Participation], Participation]]:
        """Give what a repository is asked for somebody new's registration."""
        someone = actor(organization_id=self.id, user_id=uuid4())
        return calls_of.registration(someone, self.course_id, NOW, uuid4())

    def everything(self, call: Call) -> list[str]:
        """Give all that is sent during a call."""
        return self._heard.during(call)


def calls(ours: Ours, call: Call) -> list[list[str]]:
    """Give the statements of the same call, many times: a driver may change its ways in between."""
    return [ours.statements(call) for _ in range(8)]


# --- Reading


def test_get_is_one_statement(ours: Ours) -> None:
    """A course is read at once, and so is one that there is not."""
    known = calls(ours, lambda: ours.service.course(ours.admin, ours.course_id))
    unknown = calls(ours, lambda: ours.repository.get(ours.id, uuid4()))

    assert [["SELECT"]] * 16 == known + unknown


@pytest.mark.parametrize("count", [1, 50, 200])
def test_offer_is_one_statement(ours: Ours, count: int) -> None:
    """An offer for a page of courses is read at once, however many they are."""
    some = [ours.course_id, *(ours.add() for _ in range(count - 1))]
    asked = calls(ours, lambda: ours.service.offers(ours.admin, some))

    assert count == len(ours.service.offers(ours.admin, some))
    assert [["SELECT"]] * 8 == asked


def test_offer_for_no_course_asks_nothing(ours: Ours) -> None:
    """An empty page asks the database nothing."""
    assert [] == ours.everything(lambda: ours.service.offers(ours.admin, []))


def test_page_is_one_statement_or_two(ours: Ours) -> None:
    """A page is one statement, and two where it reaches the undated; behind those, one again."""
    dated = [ours.course_id, *(ours.add() for _ in range(3))]
    undated = [ours.add(start_date=None, end_date=None) for _ in range(3)]
    read: list[UUID] = []
    counts: list[int] = []
    after: str | None = None

    def page() -> None:
        nonlocal after
        found = ours.service.courses(ours.admin, after=after, limit=2)
        read.extend(each.id for each in found.items)
        after = found.next

    while after is not None or not read:
        counts.append(len(ours.statements(page)))

    assert [*sorted(dated), *sorted(undated)] == read
    assert [1, 2, 2, 1] == counts


@pytest.mark.parametrize(
    ("filters", "statements"),
    [
        ({}, 2),
        ({"statuses": [CourseStatus.PUBLISHED]}, 2),
        ({"statuses": CourseStatus}, 2),
        ({"starts_from": NOW}, 1),
        ({"starts_before": NOW}, 1),
        ({"limit": 1}, 1),
    ],
    ids=["all", "published", "statuses", "from", "before", "full"],
)
def test_page_that_cannot_reach_the_undated_is_one_statement(
    ours: Ours, filters: Any, statements: int
) -> None:
    """The undated are asked for only where the query has them and the page has room."""
    ours.add()
    asked = ours.statements(lambda: ours.repository.courses(ours.id, **filters))

    assert ["SELECT"] * statements == asked


def test_pages_of_records_are_one_statement(ours: Ours) -> None:
    """Registrations and reminders all have their instant; of certificates some never expire."""
    ours.register()

    assert ["SELECT"] == ours.statements(lambda: ours.repository.registrations(ours.id))
    assert ["SELECT"] == ours.statements(ours.repository.pending_reminders)
    assert ["SELECT"] * 2 == ours.statements(lambda: ours.repository.certificates(ours.id))
    assert ["SELECT"] == ours.statements(
        lambda: ours.repository.certificates(ours.id, expires_before=NOW)
    )


# --- Writing, by nobody else at the same time

REGISTRATION = {
    "sqlite": ["SELECT", "UPDATE", "INSERT"],
    "postgresql": ["SELECT", "WITH"],
    "mariadb": ["SELECT", "SELECT", "UPDATE", "INSERT"],
}
CANCELLATION = {
    "sqlite": ["SELECT", "UPDATE", "UPDATE"],
    "postgresql": ["SELECT", "WITH"],
    "mariadb": ["SELECT", "SELECT", "UPDATE", "UPDATE"],
}
REPETITION = {
    "sqlite": ["SELECT"],
    "postgresql": ["SELECT"],
    "mariadb": ["SELECT", "SELECT"],
}
COMPLETION = {
    "sqlite": ["SELECT", "UPDATE", "UPDATE", "INSERT", "SELECT", "INSERT"],
    "postgresql": [
        "SELECT",  # as for a registration; then it turns out to be more
        "SELECT",
        "SELECT",
        "UPDATE",
        "UPDATE",
        "INSERT",
        "SELECT",
        "INSERT",
    ],
    "mariadb": ["SELECT", "SELECT", "UPDATE", "UPDATE", "INSERT", "SELECT", "INSERT"],
}


def test_registration_is_a_fixed_number_of_statements(ours: Ours) -> None:
    """A registration costs the same whoever came before: two statements on PostgreSQL."""
    assert [REGISTRATION[ours.kind]] * 8 == calls(ours, ours.register)


def test_cancellation_is_a_fixed_number_of_statements(ours: Ours) -> None:
    """Freeing a seat costs what taking one does, and so does taking it again."""
    someone = ours.register()

    def cancel() -> None:
        ours.service.cancel_registration(someone, ours.course_id)

    def again() -> None:
        ours.service.register(someone, ours.course_id)

    found = [ours.statements(call) for call in (cancel, again) * 4]

    assert [CANCELLATION[ours.kind]] * 8 == found


def test_registration_that_is_there_is_only_read(ours: Ours) -> None:
    """Asking for a seat that one has writes nothing."""
    someone = ours.register()
    again = calls(ours, lambda: ours.service.register(someone, ours.course_id))

    assert [REPETITION[ours.kind]] * 8 == again


def test_completion_is_a_fixed_number_of_statements(ours: Ours) -> None:
    """Registration, certificate and reminder are stored in one transaction."""
    people = [ours.register() for _ in range(8)]

    def complete() -> None:
        user_id = people.pop().user_id
        ours.service.complete_registration(ours.admin, ours.course_id, user_id=user_id)

    assert [COMPLETION[ours.kind]] * 8 == calls(ours, complete)


REVISION = {
    "sqlite": ["SELECT", "UPDATE"],
    "postgresql": ["SELECT", "SELECT", "UPDATE"],
    "mariadb": ["SELECT", "SELECT", "UPDATE"],
}


def test_revision_is_a_fixed_number_of_statements(ours: Ours) -> None:
    """A course is read, behind its lock where the engine locks rows, and written at once."""
    titles = iter("ABCDEFGH")

    def revise() -> None:
        ours.service.revise_course(ours.admin, ours.course_id, title=next(titles))

    assert [REVISION[ours.kind]] * 8 == calls(ours, revise)


def test_what_is_new_is_one_statement(ours: Ours) -> None:
    """A course is added, and a reminder marked, without a look before."""
    someone = ours.register()
    completed = ours.service.complete_registration(
        ours.admin, ours.course_id, user_id=someone.user_id
    )
    reminder = completed.reminder
    assert reminder is not None

    assert ["INSERT"] == ours.statements(ours.add)
    assert ["UPDATE"] == ours.statements(lambda: ours.repository.mark_reminder_scheduled(reminder))


# --- With all that begins, ends and sets up

READ_IN_FULL = {
    "sqlite": ["SELECT"],
    "postgresql": ["SELECT"],
    "mariadb": ["SELECT", "ROLLBACK"],
}
REGISTRATION_IN_FULL = {
    "sqlite": ["BEGIN", "SELECT", "UPDATE", "INSERT", "COMMIT"],
    "postgresql": ["SELECT", "WITH"],
    "mariadb": ["SELECT", "SELECT", "UPDATE", "INSERT", "COMMIT", "ROLLBACK"],
}


def test_nothing_else_is_sent_to_read(ours: Ours) -> None:
    """On a server each thing that is sent costs a round trip."""
    assert READ_IN_FULL[ours.kind] == ours.everything(
        lambda: ours.repository.get(ours.id, ours.course_id)
    )


def test_nothing_else_is_sent_to_register(ours: Ours) -> None:
    """On a server each thing that is sent costs a round trip, while others wait for the course."""
    assert REGISTRATION_IN_FULL[ours.kind] == ours.everything(ours.register)


CONVOY_IN_FULL: dict[str, Callable[[int], list[str]]] = {
    "sqlite": lambda riders: ["BEGIN", *["SELECT", "UPDATE", "INSERT"] * riders, "COMMIT"],
    "postgresql": lambda _: ["SELECT", "WITH"],
    "mariadb": lambda riders: REGISTRATION_IN_FULL["mariadb"] * riders,  # each on its own
}


@pytest.mark.parametrize("riders", [2, 8])
def test_those_who_wait_together_share_what_is_sent(
    ours: Ours, engine: sa.Engine, riders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits for a course is stored with all who do, whichever repository each of them asks."""
    in_line = Semaphore(0)

    def telling(wait: Callable[..., Any]) -> Callable[..., Any]:
        def tell_and_wait(*args: Any) -> Any:
            in_line.release()
            return wait(*args)

        return tell_and_wait

    def together() -> None:
        organization_id, course_id, user_id, decide = ours.registration()

        def decide_when_all_wait(seen: Participation) -> Participation:
            monkeypatch.setattr(Ride, "wait", telling(Ride.wait))
            monkeypatch.setattr(Lines, "turn", telling(Lines.turn))  # where there are no convoys
            for _ in range(riders):
                own = SqlCourseRepository(engine)
                running.append(threads.submit(own.change_participation, *ours.registration()))
                assert in_line.acquire(timeout=SECONDS)
            monkeypatch.undo()
            return decide(seen)

        running: list[Future[Participation]] = []
        with ThreadPoolExecutor(riders) as threads:
            ours.repository.change_participation(
                organization_id, course_id, user_id, decide_when_all_wait
            )
            given = [each.result(SECONDS).confirmed_count for each in running]
        assert [*range(2, riders + 2)] == sorted(given)

    assert REGISTRATION_IN_FULL[ours.kind] + CONVOY_IN_FULL[ours.kind](riders) == ours.everything(
        together
    )


PAGE_IN_FULL = {
    "sqlite": ["SELECT"],
    "postgresql": ["SELECT"],
    "mariadb": ["SELECT", "ROLLBACK"],
}


def test_nothing_else_is_sent_for_a_page(ours: Ours) -> None:
    """A full page is one round trip on PostgreSQL, again and again."""
    ours.add()

    assert [PAGE_IN_FULL[ours.kind]] * 8 == [
        ours.everything(lambda: ours.repository.courses(ours.id, limit=1)) for _ in range(8)
    ]


def test_connection_is_set_up_once(ours: Ours, engine: sa.Engine) -> None:
    """What the adapter sets on a connection is sent when that is new, and not again."""
    engine.dispose()
    first, second = (
        ours.everything(lambda: ours.repository.get(ours.id, ours.course_id)) for _ in range(2)
    )

    assert len(second) < len(first)
    assert READ_IN_FULL[ours.kind] == second
