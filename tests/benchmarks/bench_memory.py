"""A page of 50 from the repository in memory: out of a million courses, beside one of a thousand.

python -m benchmarks.bench_memory
"""

import argparse
import platform
from datetime import timedelta
from uuid import UUID, uuid4

from benchmarks.bench_core import course_fields
from benchmarks.rounds import MIN_ROUNDS, Case, interleaved, ratio, repeated, report, table
from course_domain import Course
from course_domain.making import evolve
from course_domain.memory import InMemoryCourseRepository

CALLS = 400
IN_ONE_ORGANIZATION = 1_000


def filled(courses: int) -> tuple[InMemoryCourseRepository, list[UUID]]:
    """Fill a repository, a thousand courses to an organization; give these too."""
    repository = InMemoryCourseRepository()
    plain = Course(**course_fields(0))
    organizations: list[UUID] = []
    for number in range(courses):
        if number % IN_ONE_ORGANIZATION == 0:
            organizations.append(uuid4())
        repository.add(
            evolve(
                plain,
                id=uuid4(),
                organization_id=organizations[-1],
                registration_deadline=None,
                start_date=plain.created_at + timedelta(minutes=number * 7919 % courses),
                end_date=None,
            )
        )
    return repository, organizations


def pages(repository: InMemoryCourseRepository, organizations: list[UUID]) -> Case:
    """Ask for the first page of one organization after the other."""
    return repeated(
        lambda number: repository.courses(organizations[number * 31 % len(organizations)]), CALLS
    )


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description="Pages out of many courses in memory.")
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS)
    parser.add_argument("--courses", type=int, default=1_000_000)
    asked = parser.parse_args()
    (many, organizations), few = filled(asked.courses), filled(IN_ONE_ORGANIZATION)
    cases = {
        "of one organization again": pages(many, organizations[-1:]),
        "of ten in turn": pages(many, organizations[-10:]),
        "of all in turn": pages(many, organizations),
        "few": pages(*few),
    }
    taken = interleaved(cases, asked.rounds)
    report(f"Python {platform.python_version()}")
    rows = [(name, ratio(taken[name], taken["few"])) for name in cases if name != "few"]
    heading = (f"a page of 50 out of {asked.courses} courses", "to one out of 1000")
    report(table(heading, *rows))


if __name__ == "__main__":
    main()
