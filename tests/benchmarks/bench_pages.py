"""A page of 50 for an organization with a tenth of all courses, as a ratio to one with a hundred.

    python -m benchmarks.bench_pages --engine sqlite --courses 1000000
"""

import argparse
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from typing import Any

from benchmarks.filling import Filled, fill
from benchmarks.rounds import MIN_ROUNDS, Case, interleaved, ratio, repeated, table
from benchmarks.storage import READING, opened, storage, versions
from course_domain import CourseService, CourseStatus, CourseType, Role
from course_domain.sql import SqlCourseRepository

PAGES_A_ROUND = 40

_LATE = datetime(2028, 1, 1, tzinfo=UTC)

# What is asked, by whom; None: an admin.
ASKED: dict[str, tuple[Role, dict[str, Any]]] = {
    "an admin's first page": (Role.ADMIN, {}),
    "a peer mentor's first page": (Role.PEER_MENTOR, {}),
    "an admin's, from a date": (Role.ADMIN, {"starts_from": _LATE}),
    "an admin's, drafts": (Role.ADMIN, {"statuses": [CourseStatus.DRAFT]}),
    "an admin's, drafts and archived": (
        Role.ADMIN,
        {"statuses": [CourseStatus.DRAFT, CourseStatus.ARCHIVED]},
    ),
    "a peer mentor's, workshops": (Role.PEER_MENTOR, {"course_type": CourseType.WORKSHOP}),
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


def pairs(service: CourseService, filled: Filled) -> Iterator[tuple[str, Case, Case]]:
    """Give each kind of page: its name, for the small organizations, and for the large one."""
    for name, (role, filters) in ASKED.items():
        yield (
            name,
            repeated(lambda n, r=role, f=filters: service.courses(filled.small(n, r), **f), 40),
            repeated(lambda _, r=role, f=filters: service.courses(filled.large(r), **f), 40),
        )
    places, before_undated = cursors(service, filled)
    further = cycle(places[7::83])
    yield (
        "an admin's, further on",
        repeated(lambda n: service.courses(filled.small(n)), PAGES_A_ROUND),
        repeated(lambda _: service.courses(filled.large(), after=next(further)), PAGES_A_ROUND),
    )
    second = [service.courses(filled.small(number)).next for number in range(PAGES_A_ROUND)]
    yield (
        "an admin's, that reaches the undated",
        repeated(
            lambda n: service.courses(
                filled.small(n % PAGES_A_ROUND), after=second[n % PAGES_A_ROUND]
            ),
            PAGES_A_ROUND,
        ),
        repeated(lambda _: service.courses(filled.large(), after=before_undated), PAGES_A_ROUND),
    )


def main() -> None:
    """Print the ratios of one engine."""
    about = "A page for a large organization among many courses, as a ratio to a small one's."
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--engine", choices=READING, default=READING[0])
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS)
    parser.add_argument("--courses", type=int, default=1_000_000)
    asked = parser.parse_args()
    with storage(asked.engine) as ((url,),), opened(url) as engine:
        filled = fill(engine, asked.courses)
        print(f"{versions(engine)}; {asked.courses} courses", end="\n\n")
        service = CourseService(SqlCourseRepository(engine))
        rows: list[tuple[object, ...]] = [("a page of 50", "to that of a small organization")]
        for name, small, large in pairs(service, filled):
            taken = interleaved({"small": small, "large": large}, asked.rounds)
            rows.append((name, ratio(taken["large"], taken["small"])))
    print(table(*rows))


if __name__ == "__main__":
    main()
