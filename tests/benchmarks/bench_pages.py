"""A page of 50 for an organization with a tenth of all courses, as ratios.

    python -m benchmarks.bench_pages --engine sqlite --courses 1000000

First to what the driver does by itself: the same statement, with the same parameters, and all its
rows fetched, on a connection that stays open. Then to the page of an organization with a hundred
courses, each course read anew; where that has no fifty to give, ten are asked for on both sides.
"""

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from benchmarks.filling import Filled, fill
from benchmarks.rounds import MIN_ROUNDS, interleaved, ratio, repeated, report, table
from benchmarks.storage import READING, opened, reading_anew, storage, versions
from course_domain import CourseService, CourseStatus, CourseType, Role
from course_domain.sql import SqlCourseRepository
from engines import POSTGRESQL
from listening import listening

PAGES_A_ROUND = 40

_LATE = datetime(2027, 6, 1, tzinfo=UTC)

Ask = Callable[[int], object]
Filters = dict[str, Any]

# What is asked, and by whom.
ASKED: dict[str, tuple[Role, Filters]] = {
    "an admin's first page": (Role.ADMIN, {}),
    "a peer mentor's first page": (Role.PEER_MENTOR, {}),
    "an admin's first ten": (Role.ADMIN, {"limit": 10}),
    "an admin's first ten from a date on": (Role.ADMIN, {"limit": 10, "starts_from": _LATE}),
    "an admin's first ten drafts": (Role.ADMIN, {"limit": 10, "statuses": [CourseStatus.DRAFT]}),
    "an admin's first ten, drafts and archived": (
        Role.ADMIN,
        {"limit": 10, "statuses": [CourseStatus.DRAFT, CourseStatus.ARCHIVED]},
    ),
    "a peer mentor's first ten workshops": (
        Role.PEER_MENTOR,
        {"limit": 10, "course_type": CourseType.WORKSHOP},
    ),
    "an admin's, which nothing meets": (
        Role.ADMIN,
        {"course_type": CourseType.CERTIFICATION, "issues_certificate": False},
    ),
}


def cursors(service: CourseService, filled: Filled) -> tuple[list[str], str]:
    """Walk the large organization's list; give its places, and the last before the undated."""
    places: list[str] = []
    before_undated = ""
    after: str | None = None
    while True:
        page = service.courses(filled.large(), after=after)
        if after and not before_undated and page.items[-1].start_date is None:
            before_undated = after
        if page.next is None:
            return places, before_undated
        after = page.next
        places.append(after)


def pairs(service: CourseService, filled: Filled) -> Iterator[tuple[str, Ask, Ask]]:
    """Give each kind of page: its name, for the small organizations, and for the large one."""
    for name, (role, filters) in ASKED.items():

        def small(number: int, role: Role = role, filters: Filters = filters) -> object:
            return service.courses(filled.small(number, role), **filters)

        def large(_: int, role: Role = role, filters: Filters = filters) -> object:
            return service.courses(filled.large(role), **filters)

        yield name, small, large

    places, before_undated = cursors(service, filled)
    second = [service.courses(filled.small(number)).next for number in range(PAGES_A_ROUND)]

    def first_of_small(number: int) -> object:
        return service.courses(filled.small(number))

    def further_on(number: int) -> object:
        return service.courses(filled.large(), after=places[number * 83 % len(places)])

    def undated_of_small(number: int) -> object:
        number %= PAGES_A_ROUND
        return service.courses(filled.small(number), after=second[number])

    def undated(_: int) -> object:
        return service.courses(filled.large(), after=before_undated)

    yield "an admin's, further on", first_of_small, further_on
    yield "an admin's, that reaches the undated", undated_of_small, undated


def driver(engine: sa.Engine, until: ExitStack) -> Callable[[tuple[str, Any]], object]:
    """Give what fetches the rows of a statement, on a connection of the driver."""
    arguments, options = engine.dialect.create_connect_args(engine.url)
    loaded: Any = engine.dialect.loaded_dbapi
    connection: Any = loaded.connect(*arguments, **options)
    until.callback(connection.close)
    if engine.dialect.name == POSTGRESQL:
        connection.autocommit = True
    return lambda asked: connection.execute(*asked).fetchall()


def beside_the_driver(
    service: CourseService, filled: Filled, rounds: int, fetch: Callable[[tuple[str, Any]], object]
) -> Iterator[tuple[str, Ask, Ask]]:
    """Give pages of the large organization: their name, for the driver, and for the service.

    Of those further on there are as many as are asked for, so that none is read twice.
    """
    places: list[str | None] = [None]
    while len(places) <= (rounds + 1) * PAGES_A_ROUND:
        places.append(service.courses(filled.large(), after=places[-1]).next)
    with listening() as asked:
        for place in places:
            service.courses(filled.large(), after=place)

    def fetch_first(_: int) -> object:
        return fetch(asked[0])

    def first(_: int) -> object:
        return service.courses(filled.large())

    def fetch_another(number: int) -> object:
        return fetch(asked[1 + number])

    def another(number: int) -> object:
        return service.courses(filled.large(), after=places[1 + number])

    yield "the first page, which somebody has read before", fetch_first, first
    yield "another page each time, read for the first time", fetch_another, another


def main() -> None:
    """Print the ratios of one engine."""
    about = "A page for a large organization, as a ratio to the driver's, and to a small one's."
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--engine", choices=READING, default=READING[0])
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS)
    parser.add_argument("--courses", type=int, default=1_000_000)
    asked = parser.parse_args()
    with storage(asked.engine) as ((url,),), opened(url) as engine:
        filled = fill(engine, asked.courses)
        report(f"{versions(engine)}; {asked.courses} courses")
        service = CourseService(SqlCourseRepository(engine))
        rows: list[tuple[object, ...]] = [("a page of 50", "to the driver's own fetch")]
        with ExitStack() as until:
            fetch = driver(engine, until)
            for name, *asks in beside_the_driver(service, filled, asked.rounds, fetch):
                theirs, ours = (repeated(ask, PAGES_A_ROUND) for ask in asks)
                taken = interleaved({"driver": theirs, "service": ours}, asked.rounds)
                rows.append((name, ratio(taken["service"], taken["driver"])))
        report(table(*rows))
        rows = [("a page of 50", "to that of a small organization")]
        with reading_anew():
            for name, *asks in pairs(service, filled):
                small, large = (repeated(ask, PAGES_A_ROUND) for ask in asks)
                taken = interleaved({"small": small, "large": large}, asked.rounds)
                rows.append((name, ratio(taken["large"], taken["small"])))
    report(table(*rows))


if __name__ == "__main__":
    main()
