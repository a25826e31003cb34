import os
from contextlib import ExitStack
from pathlib import Path

import pytest

import engines
import galera
from engines import Databases

# Servers take minutes to start and to fill: COURSE_DOMAIN_ENGINES=all runs the tests on them.
ON_SERVERS = os.environ.get("COURSE_DOMAIN_ENGINES") == "all"

collect_ignore = (
    []
    if ON_SERVERS
    else [
        "test_sql_faults.py",
        "test_sql_plans.py",
        "test_sql_races.py",
        "test_sql_schema.py",
        "test_sql_statements.py",
    ]
)

_SERVERS = {"postgresql_databases", "galera_databases"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a server, unless servers are asked for."""
    if ON_SERVERS:
        return
    left_out = [
        each
        for each in items
        if _SERVERS & set(getattr(each, "fixturenames", ())) or "on_a_server" in each.name
    ]
    items[:] = [each for each in items if each not in left_out]
    config.hook.pytest_deselected(items=left_out)


def pytest_configure(config: pytest.Config) -> None:
    """Let xdist's workers share the servers of the process that starts them."""
    if not engines.is_in_session():
        stack = ExitStack()
        stack.enter_context(engines.session())
        config.add_cleanup(stack.close)


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """SQLite in files."""
    folder: Path = tmp_path_factory.mktemp("sqlite")
    return Databases(lambda: engines.sqlite_database(folder))


@pytest.fixture(scope="session")
def postgresql_databases() -> Databases:
    """One PostgreSQL server."""
    (server,) = engines.shared(engines.POSTGRESQL)
    return Databases(lambda: engines.postgresql_database(server))


@pytest.fixture(scope="session")
def galera_databases() -> Databases:
    """Three MariaDB nodes; skipped where they are not installed, unless that must not be."""
    if reason := galera.missing():
        if os.environ.get("COURSE_DOMAIN_REQUIRE_GALERA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    nodes = engines.shared(engines.GALERA)
    return Databases(lambda: engines.galera_database(nodes))
