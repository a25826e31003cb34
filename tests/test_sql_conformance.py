"""The conformance kit, unchanged, on every engine; each object over an engine of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import attrs
import pytest
import sqlalchemy as sa

from course_domain.ports import CourseRepository
from course_domain.sql import SqlCourseRepository, create_schema
from course_domain.testing.conformance import CourseRepositoryContract
from engines import Databases, disposed

Make = Callable[[], CourseRepository]
Reopen = Callable[[CourseRepository], CourseRepository]


@attrs.define
class Stores:
    """Make repositories over databases that are lent until the test ends."""

    databases: Databases
    until: ExitStack
    _urls: dict[int, tuple[str, ...]] = attrs.field(factory=dict[int, tuple[str, ...]], init=False)

    def make(self) -> CourseRepository:
        """Make one over an empty database."""
        urls = self.until.enter_context(self.databases.lent())
        made = self._over(urls[0])
        self._urls[id(made)] = urls
        return made

    def reopen(self, made: CourseRepository) -> CourseRepository:
        """Make another over the same database: of a cluster, on the second node."""
        return self._over(self._urls[id(made)][:2][-1])

    def _over(self, url: str) -> CourseRepository:
        return SqlCourseRepository(self.until.enter_context(disposed(url)))


@pytest.fixture
def until() -> Iterator[ExitStack]:
    """What ends with the test."""
    with ExitStack() as stack:
        yield stack


class OnServers(CourseRepositoryContract):
    """An adapter that many threads use, and many objects over one store."""

    capabilities = frozenset({"threads", "shared_store"})

    @pytest.fixture
    def make_repository(self, stores: Stores) -> Make:
        """Each call gives one over a database of its own."""
        return stores.make

    @pytest.fixture
    def reopen(self, stores: Stores) -> Reopen:
        """A second object over the first one's database."""
        return stores.reopen


class TestSqliteFile(OnServers):
    @pytest.fixture
    def stores(self, sqlite_databases: Databases, until: ExitStack) -> Stores:
        """Files."""
        return Stores(sqlite_databases, until)


class TestPostgresql(OnServers):
    @pytest.fixture
    def stores(self, postgresql_databases: Databases, until: ExitStack) -> Stores:
        """Schemas of one server."""
        return Stores(postgresql_databases, until)


class TestGalera(OnServers):
    @pytest.fixture
    def stores(self, galera_databases: Databases, until: ExitStack) -> Stores:
        """Databases of one cluster."""
        return Stores(galera_databases, until)


class TestSqliteMemory(CourseRepositoryContract):
    capabilities = frozenset({"threads"})

    @pytest.fixture
    def make_repository(self, until: ExitStack) -> Make:
        """Each call gives one over a connection that all its threads share."""

        def make() -> CourseRepository:
            engine = sa.create_engine(
                "sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False}
            )
            until.callback(engine.dispose)
            create_schema(engine)
            return SqlCourseRepository(engine)

        return make
