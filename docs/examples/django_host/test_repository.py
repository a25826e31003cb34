"""The repository of this host keeps every promise of the port: `pytest test_repository.py`.

Each test has copies of the empty database, in SQLite or PostgreSQL as the settings say.
"""

import os
import shutil
import sqlite3
import time
from contextlib import closing
from functools import wraps
from uuid import uuid4

import django
import pytest
from django.core.management import call_command
from django.core.management.color import no_style
from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from course_domain import Actor, CourseService, CourseType, RepositoryUnavailable, Role
from course_domain.ports import CourseRepository
from course_domain.testing.conformance import CourseRepositoryContract

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "host.settings")
django.setup()

from courses.repository import DjangoCourseRepository  # noqa: E402

ON_SQLITE = connections["default"].vendor == "sqlite"


def closed(method):
    """Close what a thread of the kit has opened, as Django does at the end of each request."""

    @wraps(method)
    def call(*arguments, **keywords):
        try:
            return method(*arguments, **keywords)
        finally:
            connections.close_all()

    return call


PORTS = [name for name in vars(CourseRepository) if not name.startswith("_")]
Repository = type(
    "Repository",
    (DjangoCourseRepository,),
    {name: closed(getattr(DjangoCourseRepository, name)) for name in PORTS},
)


def on_server(sql):
    """Run a statement that PostgreSQL takes outside of transactions only."""
    with connections["default"].cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture(scope="session")
def empty(tmp_path_factory):
    """Give the settings of a database that has the tables and no rows."""
    settings = {**connections.databases["default"]}
    if ON_SQLITE:
        settings["NAME"] = tmp_path_factory.mktemp("empty") / "courses.sqlite3"
        fast = settings["OPTIONS"]["init_command"].replace("FULL", "OFF")  # no test cuts the power
        settings["OPTIONS"] = {**settings["OPTIONS"], "init_command": fast}
    else:
        settings["NAME"] = f"empty_{uuid4().hex}"
        on_server(f"CREATE DATABASE {settings['NAME']}")
    connections.databases["empty"] = settings
    call_command("migrate", database="empty", verbosity=0)
    connections["empty"].close()
    return settings


def copy_of(empty, folder):
    """Copy the empty database, and give the alias of the copy."""
    alias = f"copy_{uuid4().hex}"
    name = folder / alias if ON_SQLITE else alias
    if ON_SQLITE:
        shutil.copy(empty["NAME"], name)
    else:
        on_server(f"CREATE DATABASE {name} TEMPLATE {empty['NAME']}")
    connections.databases[alias] = {**empty, "NAME": name}
    return alias


@pytest.fixture(scope="session")
def copies(empty, tmp_path_factory):
    """Lend empty databases; what comes back is emptied, which is faster than another copy."""
    free, made, folder = [], [], tmp_path_factory.mktemp("copies")

    def lend():
        if not free:
            free.append(copy_of(empty, folder))
            made.append(free[0])
        return free.pop()

    def take_back(alias):
        connection = connections[alias]
        tables = connection.introspection.django_table_names(only_existing=True)
        connection.ops.execute_sql_flush(connection.ops.sql_flush(no_style(), tables))
        free.append(alias)

    yield lend, take_back
    for alias in made:
        connections[alias].close()
        if not ON_SQLITE:
            on_server(f"DROP DATABASE {alias} WITH (FORCE)")
        del connections.databases[alias]
    connections.close_all()


@pytest.fixture
def make_repository(copies):
    """Make repositories, each over an empty database of its own."""
    lend, take_back = copies
    lent = []

    def make():
        lent.append(lend())
        return Repository(using=lent[-1])

    yield make
    for alias in lent:
        take_back(alias)
    connections.close_all()


class TestDjangoCourseRepository(CourseRepositoryContract):
    """Hold it to every clause of the contract."""

    capabilities = frozenset({"threads", "shared_store"})

    @pytest.fixture
    def reopen(self):
        """Open another over the same database."""
        return lambda repository: Repository(using=repository.using)


# --- What no other adapter can be held to

ADMIN = Actor(user_id=uuid4(), organization_id=uuid4(), role=Role.ADMIN)
DETAILS = {
    "title": "To listen",
    "course_type": CourseType.WORKSHOP,
    "is_virtual": True,
    "issues_certificate": False,
}


@pytest.fixture
def repository(make_repository):
    """Give a repository over an empty database."""
    return make_repository()


@pytest.fixture
def service(repository):
    """Give a service on it."""
    return CourseService(repository)


@pytest.fixture
def commit(monkeypatch):
    """Give a function that replaces how the next transaction ends."""
    real = BaseDatabaseWrapper.commit

    def ends_by(ending):
        def once(connection):
            monkeypatch.setattr(BaseDatabaseWrapper, "commit", real)
            ending(connection, real)

        monkeypatch.setattr(BaseDatabaseWrapper, "commit", once)

    return ends_by


def unanswered(connection, real):
    """Commit, and lose the answer."""
    real(connection)
    raise OperationalError("the answer is lost")


def unheard(_connection, _real):
    """Lose the COMMIT itself."""
    raise OperationalError("the server is gone")


@pytest.mark.parametrize("ending", [unanswered, unheard])
def test_course_is_added_once_whatever_becomes_of_the_commit(ending, commit, service):
    """A COMMIT without an answer is looked up: the course is no duplicate of itself."""
    commit(ending)
    course = service.create_course(ADMIN, **DETAILS)

    assert (course,) == service.courses(ADMIN).items


@pytest.mark.parametrize("ending", [unanswered, unheard])
def test_course_is_changed_once_whatever_becomes_of_the_commit(ending, commit, service):
    """A revision does not meet its own `updated_at` as somebody else's."""
    course = service.create_course(ADMIN, **DETAILS)
    commit(ending)
    changes = {"title": "To hear", "expected_updated_at": course.updated_at}
    revised = service.revise_course(ADMIN, course.id, **changes)

    assert ("To hear", revised) == (revised.title, service.course(ADMIN, course.id))


@pytest.mark.parametrize("ending", [unanswered, unheard])
def test_completion_keeps_its_reminder_whatever_becomes_of_the_commit(
    ending, commit, service, repository
):
    """Registration, certificate and reminder are the answer, and each is stored once."""
    certified = DETAILS | {"issues_certificate": True, "certificate_validity_months": 24}
    course = service.create_course(ADMIN, **certified)
    service.publish_course(ADMIN, course.id)
    service.register(ADMIN, course.id)
    commit(ending)
    completed = service.complete_registration(ADMIN, course.id, user_id=ADMIN.user_id)

    assert (completed.reminder,) == repository.pending_reminders().items
    assert (completed.certificate,) == service.certificates(ADMIN).items


def test_commit_is_not_known_once_others_have_changed_the_course(commit, service, repository):
    """Where nobody can tell any more, that is the answer, and nothing is written over."""
    course = service.create_course(ADMIN, **DETAILS)

    def overtaken(connection, real):
        connection.rollback()
        rival = CourseService(DjangoCourseRepository(using="rival"))
        rival.archive_course(ADMIN, course.id)
        connections["rival"].close()
        unheard(connection, real)

    connections.databases["rival"] = connections.databases[repository.using]
    commit(overtaken)
    with pytest.raises(RepositoryUnavailable, match="the server is gone"):
        service.publish_course(ADMIN, course.id)

    assert "archived" == service.course(ADMIN, course.id).status
    del connections.databases["rival"]


def test_change_within_a_transaction_of_the_host_is_refused(service, repository):
    """What could still be rolled back is not said to be stored."""
    with (
        transaction.atomic(using=repository.using),
        pytest.raises(RuntimeError, match="durable"),
    ):
        service.create_course(ADMIN, **DETAILS)

    assert () == service.courses(ADMIN).items


def test_error_of_the_database_passes_if_it_is_the_decisions(service, repository):
    """What `decide` raises is its own, even where the database raises the same kind."""
    course = service.create_course(ADMIN, **DETAILS)
    raised = OperationalError("database is locked")

    def decide(_seen):
        raise raised

    with pytest.raises(OperationalError) as refused:
        repository.change_course(ADMIN.organization_id, course.id, decide)

    assert raised is refused.value


@pytest.mark.skipif(not ON_SQLITE, reason="PostgreSQL has no lock on the whole database")
def test_locked_file_is_unavailable(service, repository):
    """While another process writes, a change waits for 2 to 8 seconds, and says why."""
    course = service.create_course(ADMIN, **DETAILS)
    path = connections.databases[repository.using]["NAME"]
    with closing(sqlite3.connect(path, isolation_level=None)) as another:
        another.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(RepositoryUnavailable, match="database is locked"):
            service.publish_course(ADMIN, course.id)

    assert 2 <= time.monotonic() - began <= 8
