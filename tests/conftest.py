import os
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

import engines
import galera
from engines import Databases

# A busy machine is no failure; what else a profile says, as on CI, stays.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


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
        pytest.skip(reason)  # a cluster comes from Debian packages, which pip cannot bring
    nodes = engines.shared(engines.GALERA)
    return Databases(lambda: engines.galera_database(nodes))
