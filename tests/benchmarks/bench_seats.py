"""Seats a second, through service and adapter, as a ratio to what the driver does by itself.

    python -m benchmarks.bench_seats --engine postgresql

The peer sends BEGIN, UPDATE, INSERT, COMMIT and makes an id and an instant for each seat: it
decides nothing and knows no cap. On SQLite, where a peer with many threads would only wait for
itself, it has one; on a cluster it writes on one node, and the service on all of them.
"""

import argparse
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import attrs
import sqlalchemy as sa

import engines
from benchmarks.rounds import MIN_ROUNDS, Ratio, interleaved, ratio, report, table
from benchmarks.storage import ENGINES, SQLITE, opened, storage, versions
from course_domain import Actor, CourseService, CourseType, Role
from course_domain.sql import SqlCourseRepository, create_schema

COURSES = 1000
THREADS = (1, 8, 32)

_OURS = uuid4()
_ADMIN = Actor(user_id=uuid4(), organization_id=_OURS, role=Role.ADMIN)


@attrs.frozen
class Seat:
    """One seat that somebody asks for."""

    course_id: UUID
    actor: Actor


Worker = Callable[[Sequence[Seat]], None]
"""Takes these seats, one after the other, on one thread."""


def host(engine: sa.Engine) -> Worker:
    """Take seats as a host does."""
    service = CourseService(SqlCourseRepository(engine))

    def work(seats: Sequence[Seat]) -> None:
        for seat in seats:
            service.register(seat.actor, seat.course_id)

    return work


def peer(engine: sa.Engine, until: ExitStack) -> Worker:
    """Take seats on one connection of the driver, with no more than must be."""
    arguments, options = engine.dialect.create_connect_args(engine.url)
    driver: Any = engine.dialect.loaded_dbapi
    connection: Any = driver.connect(*arguments, **options)
    until.callback(connection.close)
    cursor: Any = connection.cursor()
    begin = {"sqlite": "BEGIN IMMEDIATE", "postgresql": None}.get(engine.dialect.name, "BEGIN")
    is_native = engine.dialect.name == "postgresql"
    if engine.dialect.name == SQLITE:
        connection.isolation_level = None
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
            cursor.execute(f"PRAGMA {pragma}")

    def key(value: UUID) -> UUID | str:
        return value if is_native else value.hex

    def now() -> datetime | str:
        instant = datetime.now(UTC)
        return instant if is_native else instant.replace(tzinfo=None).isoformat(" ")

    def written(statement: str) -> str:
        return statement.replace("%s", "?") if engine.dialect.name == SQLITE else statement

    count = written(
        "UPDATE courses SET confirmed_count = confirmed_count + 1, version = version + 1"
        " WHERE organization_id = %s AND id = %s"
    )
    store = written(
        "INSERT INTO registrations"
        " (organization_id, course_id, user_id, id, status, registered_at)"
        " VALUES (%s, %s, %s, %s, 'confirmed', %s)"
    )
    ours = key(_OURS)

    def work(seats: Sequence[Seat]) -> None:
        for seat in seats:
            course, user = key(seat.course_id), key(seat.actor.user_id)
            if begin:
                cursor.execute(begin)
            cursor.execute(count, (ours, course))
            cursor.execute(store, (ours, course, user, key(uuid4()), now()))
            connection.commit()

    return work


def seconds_a_seat(workers: Sequence[Worker], seats: Sequence[Seat]) -> float:
    """Let all workers begin at once, each with its share."""
    start = Barrier(len(workers) + 1)

    def run(worker: Worker, share: Sequence[Seat]) -> None:
        start.wait()
        worker(share)

    shares = [seats[number :: len(workers)] for number in range(len(workers))]
    with ThreadPoolExecutor(len(workers)) as threads:
        running = [threads.submit(run, *each) for each in zip(workers, shares, strict=True)]
        start.wait()
        began = time.perf_counter()
        for each in running:
            each.result()
        return (time.perf_counter() - began) / len(seats)


def make_courses(service: CourseService, count: int) -> list[UUID]:
    """Publish courses without a cap."""
    made = [
        service.create_course(
            _ADMIN,
            title="Opplæringskurs",
            course_type=CourseType.WORKSHOP,
            is_virtual=False,
            issues_certificate=False,
        )
        for _ in range(count)
    ]
    return [service.publish_course(_ADMIN, course.id).id for course in made]


def measured(
    nodes: Sequence[sa.Engine], courses: Sequence[UUID], threads: int, seats: int, rounds: int
) -> Ratio:
    """Compare the service with the peer; without courses, on one new course a round."""
    service = CourseService(SqlCourseRepository(nodes[0]))
    hosts = [host(node) for node in nodes]

    def asked() -> list[Seat]:
        among = courses or make_courses(service, 1)
        users = [attrs.evolve(_ADMIN, user_id=uuid4(), role=Role.PEER_MENTOR) for _ in range(seats)]
        return [Seat(random.choice(among), user) for user in users]

    with ExitStack() as until:
        peers = [
            peer(nodes[0], until) for _ in range(1 if nodes[0].dialect.name == SQLITE else threads)
        ]
        ours = [hosts[number % len(hosts)] for number in range(threads)]
        cases = {
            "peer": lambda: seconds_a_seat(peers, asked()),
            "ours": lambda: seconds_a_seat(ours, asked()),
        }
        taken = interleaved(cases, rounds)
    return ratio(taken["peer"], taken["ours"])


def main() -> None:
    """Print the ratios of one engine."""
    about = "Seats a second through service and adapter, as a ratio to the driver's own."
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--engine", choices=ENGINES, default=engines.POSTGRESQL)
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS)
    parser.add_argument("--seats", type=int, default=1600, help="a round; a quarter on one thread")
    parser.add_argument("--threads", type=int, nargs="+", default=THREADS)
    asked = parser.parse_args()
    with ExitStack() as stack:
        (urls,) = stack.enter_context(storage(asked.engine))
        nodes = [stack.enter_context(opened(url, max(asked.threads))) for url in urls]
        create_schema(nodes[0])
        report(versions(nodes[0]))
        courses = make_courses(CourseService(SqlCourseRepository(nodes[0])), COURSES)
        rows: list[tuple[object, ...]] = [("threads", "one hot course", f"{COURSES} courses")]
        for threads in asked.threads:
            seats = asked.seats // (4 if threads == 1 else 1)
            ratios = [measured(nodes, each, threads, seats, asked.rounds) for each in ([], courses)]
            rows.append((threads, *ratios))
    report(table(*rows))


if __name__ == "__main__":
    main()
