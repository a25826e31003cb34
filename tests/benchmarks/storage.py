"""What the scripts run on: a server or a file of its own, gone afterwards."""

import os
import platform
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import sqlalchemy as sa

import engines
import galera

SQLITE = "sqlite"
READING = (engines.POSTGRESQL, SQLITE)
ENGINES = (*READING, engines.GALERA)

_DRIVERS = {"psycopg": "psycopg", "pymysql": "PyMySQL"}


@contextmanager
def storage(name: str, databases: int = 1) -> Generator[list[tuple[str, ...]], None, None]:
    """Start an engine, and give the URLs of so many empty databases: of each node, on a cluster."""
    with ExitStack() as stack:
        if name == engines.POSTGRESQL:
            server = stack.enter_context(engines.postgresql()).url
            made = [engines.postgresql_database(server) for _ in range(databases)]
        elif name == engines.GALERA:
            nodes = [node.url for node in stack.enter_context(galera.cluster())]
            made = [engines.galera_database(nodes) for _ in range(databases)]
        else:
            folder = Path(stack.enter_context(TemporaryDirectory()))
            made = [engines.sqlite_database(folder) for _ in range(databases)]
        yield made


@contextmanager
def opened(url: str, connections: int = 1) -> Generator[sa.Engine, None, None]:
    """Give an engine as a busy host sets it up: a connection for each thread, warm ones first."""
    engine = sa.create_engine(url, pool_size=connections, pool_use_lifo=True)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def reading_anew() -> Generator[None, None, None]:
    """Have each course read as one that nobody has read before, however few they are."""
    with patch("course_domain.sql.rows._MOST_KNOWN", 0):
        yield


def versions(engine: sa.Engine) -> str:
    """Say what was measured, as figures mean little without it."""
    with engine.connect() as connection:
        server = ".".join(map(str, connection.dialect.server_version_info or ()))
    driver = _DRIVERS.get(engine.dialect.driver)
    return ", ".join(
        [
            f"{engine.dialect.name} {server}",
            *([f"{driver} {version(driver)}"] if driver else []),
            f"SQLAlchemy {version('sqlalchemy')}",
            f"Python {platform.python_version()}",
            f"{os.cpu_count()} cores",
        ]
    )
