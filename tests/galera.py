"""A MariaDB Galera cluster of three nodes on the loopback, from the Debian packages.

As a script it starts one, prints an URL for each node, and runs until it is interrupted::

    python tests/galera.py
"""

import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypedDict

import attrs
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

NODES = 3
START_SECONDS = 120  # one node takes 3 to 5, on a machine with nothing else to do
_POLL_SECONDS = 0.05
_LOOPBACK = "127.0.0.1"

# Below the ports that a system gives to outgoing connections, so that no client takes one.
_PORTS = range(20_000, 32_000)
_PORTS_OF_A_NODE = 4

_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
_PROVIDERS = ("/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so")
_PROGRAMS = ("mariadbd", "mariadb-install-db", "rsync")


def missing() -> str:
    """Say what is not installed that a cluster needs; empty when all is there."""
    absent = [name for name in _PROGRAMS if shutil.which(name, path=_PATH) is None]
    if not any(Path(name).exists() for name in _PROVIDERS):
        absent.append("libgalera_smm.so")
    if not absent:
        return ""
    packages = "Debian packages mariadb-server, galera-4 and rsync"
    return f"MariaDB Galera is not installed ({packages}): no {', '.join(absent)}"


class User(TypedDict, total=False):
    """Keywords of `subprocess` that say who runs a program."""

    user: int
    group: int
    extra_groups: list[int]


def unprivileged() -> User:
    """Give a user that database servers agree to run as: for root another one."""
    nobody = _another_user()
    if nobody is None:
        return {}
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def give_away(folder: Path) -> None:
    """Let that user own a folder and all that is in it."""
    if (nobody := _another_user()) is not None:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)


def _another_user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


@contextmanager
def server_folder(name: str) -> Generator[Path, None, None]:
    """Give a folder that the unprivileged user owns, with a path short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix=f"course-domain-{name}-") as made:
        give_away(Path(made))
        yield Path(made)


def wait_until(is_so: Callable[[], bool], seconds: float, what: str) -> None:
    """Look again and again until something is so; TimeoutError when it is not in time."""
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            msg = f"{what}: not in {seconds} seconds"
            raise TimeoutError(msg)
        time.sleep(_POLL_SECONDS)


def free_ports(count: int) -> list[int]:
    """Find ports of the loopback that nobody listens on."""
    candidates = iter(random.sample(_PORTS, len(_PORTS)))
    return [next(port for port in candidates if _is_free(port)) for _ in range(count)]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_LOOPBACK, port))
        except OSError:
            return False
        return True


@attrs.define
class Node:
    """One server of a cluster, with a data folder and ports of its own."""

    folder: Path
    port: int
    group_port: int
    state_port: int
    snapshot_port: int
    _process: subprocess.Popen[bytes] | None = attrs.field(default=None, init=False)

    @property
    def url(self) -> str:
        """Where SQLAlchemy reaches the node, without a database."""
        return f"mariadb+pymysql://root@{_LOOPBACK}:{self.port}"

    @property
    def log(self) -> Path:
        """What the server writes."""
        return self.folder / "log"

    def start(self, members: Iterable["Node"]) -> None:
        """Start the server as one of these members; without any, as the first of a new cluster."""
        group = ",".join(f"{_LOOPBACK}:{member.group_port}" for member in members)
        options = {
            "datadir": self.folder / "data",
            "socket": self.folder / "socket",
            "pid-file": self.folder / "pid",
            "tmpdir": self.folder,
            "log-error": self.log,
            "bind-address": _LOOPBACK,
            "port": self.port,
            "skip-name-resolve": 1,
            "max-connections": 400,
            "performance-schema": "OFF",
            "binlog-format": "ROW",
            "innodb-autoinc-lock-mode": 2,
            "innodb-buffer-pool-size": "64M",
            "innodb-log-file-size": "16M",
            # Not to the disk: the other nodes keep what one of them loses with its machine.
            "innodb-flush-log-at-trx-commit": 2,
            "wsrep-on": "ON",
            "wsrep-provider": next(name for name in _PROVIDERS if Path(name).exists()),
            "wsrep-cluster-address": f"gcomm://{group}",
            "wsrep-cluster-name": "course_domain",
            "wsrep-node-name": self.folder.name,
            "wsrep-node-address": f"{_LOOPBACK}:{self.group_port}",
            "wsrep-sst-method": "rsync",
            "wsrep-sst-receive-address": f"{_LOOPBACK}:{self.snapshot_port}",
            "wsrep-provider-options": ";".join(
                (
                    f"gmcast.listen_addr=tcp://{_LOOPBACK}:{self.group_port}",
                    f"ist.recv_addr={_LOOPBACK}:{self.state_port}",
                    "gcache.size=32M",
                )
            ),
        }
        self._process = subprocess.Popen(
            [
                _program("mariadbd"),
                "--no-defaults",
                *(f"--{name}={value}" for name, value in options.items()),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PATH": _PATH},
            cwd=self.folder,
            start_new_session=True,  # an interrupt at the terminal is for the one who started it
            **unprivileged(),
        )

    def wait_until_synced(self, members: int) -> None:
        """Wait until the node answers as one of so many members."""

        def is_synced() -> bool:
            if self._process is None or self._process.poll() is not None:
                msg = f"{self.folder.name} ended:\n{self.log.read_text(errors='replace')[-4000:]}"
                raise ChildProcessError(msg)
            status = self.status()
            return (
                status.get("wsrep_ready") == "ON"
                and status.get("wsrep_local_state_comment") == "Synced"
                and int(status.get("wsrep_cluster_size", 0)) >= members
            )

        wait_until(is_synced, START_SECONDS, f"{self.folder.name} is synced")

    def status(self) -> dict[str, str]:
        """Read what the node says of itself; nothing when it does not answer."""
        quickly = {"connect_timeout": 2, "read_timeout": 5}
        engine = sa.create_engine(self.url, poolclass=sa.NullPool, connect_args=quickly)
        try:
            with engine.connect() as connection:
                rows = connection.exec_driver_sql("SHOW GLOBAL STATUS LIKE 'wsrep%%'")
                return {str(name): str(value) for name, value in rows}
        except DBAPIError:
            return {}

    def stop(self) -> None:
        """Stop the server in good order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kill the server."""
        self._end(signal.SIGKILL)

    @contextmanager
    def hanging(self) -> Generator[None, None, None]:
        """Let the server keep its connections, and answer nobody."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            if self._process is not None:
                self._process.send_signal(signal.SIGCONT)

    def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(START_SECONDS)
            self._process = None


def start_cluster(folder: Path) -> tuple[Node, ...]:
    """Start a cluster in this folder, one node after the other, and wait for each.

    Whoever starts it ends each node; `cluster` does that by itself.
    """
    _run_as_server("mariadb-install-db", folder, f"--datadir={folder / 'template'}")
    ports = iter(free_ports(NODES * _PORTS_OF_A_NODE))
    nodes: list[Node] = []
    try:
        for number in range(1, NODES + 1):
            own = folder / f"node-{number}"
            own.mkdir()
            shutil.copytree(folder / "template", own / "data")
            give_away(own)
            node = Node(own, *(next(ports) for _ in range(_PORTS_OF_A_NODE)))
            node.start(nodes)
            nodes.append(node)
            node.wait_until_synced(len(nodes))
    except BaseException:
        kill(nodes)
        raise
    return tuple(nodes)


def kill(nodes: Sequence[Node]) -> None:
    """End a cluster that nobody needs any more."""
    for node in nodes:
        node.kill()


@contextmanager
def cluster() -> Generator[tuple[Node, ...], None, None]:
    """Run a cluster in a folder of its own, and leave nothing behind."""
    with server_folder("galera") as folder:
        nodes = start_cluster(folder)
        try:
            yield nodes
        finally:
            kill(nodes)


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    if found is None:
        raise FileNotFoundError(missing())
    return found


def _run_as_server(name: str, folder: Path, *options: str) -> None:
    done = subprocess.run(
        [
            _program(name),
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            *options,
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        # With files of its own in between: two that run at once take each other's away.
        env={**os.environ, "PATH": _PATH, "TMPDIR": str(folder)},
        cwd=folder,
        timeout=START_SECONDS,
        **unprivileged(),
    )
    if done.returncode:
        msg = f"{name}: {done.stdout.decode()}{done.stderr.decode()}"
        raise ChildProcessError(msg)


def main() -> None:
    """Run a cluster until an interrupt."""
    if reason := missing():
        sys.exit(reason)
    began = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), cluster() as nodes:
        sys.stdout.write(f"up after {time.monotonic() - began:.1f} s; an interrupt ends it\n")
        sys.stdout.writelines(f"{node.url} {node.folder}\n" for node in nodes)
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
