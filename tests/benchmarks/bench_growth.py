"""How the cost of a call grows with what is stored, as ratios to a small store.

    python -m benchmarks.bench_growth --engine postgresql --sizes 1000 100000 1000000

Of each size there are so many courses, registrations and reminders (see `filling`). Each course is
read anew: of few, all would soon be known.
"""

import argparse
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from itertools import count, cycle
from uuid import UUID, uuid4

import attrs

from benchmarks.filling import Filled, fill
from benchmarks.rounds import MIN_ROUNDS, Case, interleaved, ratio, repeated, report, table
from benchmarks.storage import READING, opened, reading_anew, storage, versions
from course_domain import Actor, CourseService, Role
from course_domain.sql import SqlCourseRepository

CALLS_A_ROUND = 40
WALKED_PAGES = 20


@attrs.frozen
class Store:
    """One filled database."""

    filled: Filled
    repository: SqlCourseRepository

    @property
    def service(self) -> CourseService:
        """A service over it."""
        return CourseService(self.repository)


def newcomer(actor: Actor) -> Actor:
    """Give somebody new of the same organization."""
    return attrs.evolve(actor, user_id=uuid4(), role=Role.PEER_MENTOR)


def calls(store: Store) -> dict[str, Case]:
    """Give what hosts do, each time for another organization of a hundred courses."""
    filled, service = store.filled, store.service
    numbers = count()

    def chosen(wanted: int) -> tuple[Actor, Sequence[UUID]]:
        number = next(numbers) * 7919
        return filled.small(number, Role.PEER_MENTOR), filled.published(number)[:wanted]

    # Prepared here, so that only the call is measured.
    prepared = [chosen(50) for _ in range(20 * CALLS_A_ROUND)]
    turns = {name: cycle(prepared) for name in ("get", "page", "offers", "register")}

    def get(_: int) -> object:
        actor, courses = next(turns["get"])
        return service.course(actor, courses[0])

    def page(_: int) -> object:
        return service.courses(next(turns["page"])[0])

    def offers(_: int) -> object:
        return service.offers(*next(turns["offers"]))

    def register(_: int) -> object:
        actor, courses = next(turns["register"])
        return service.register(newcomer(actor), courses[0])

    def waiting(_: int) -> object:
        return store.repository.pending_reminders()

    named = {
        "a get": get,
        "a page of 50 courses": page,
        "offers of 50 courses": offers,
        "a registration": register,
        "a page of 50 of the outbox": waiting,
    }
    return {name: repeated(call, CALLS_A_ROUND) for name, call in named.items()}


def busy(store: Store) -> dict[str, dict[str, Case]]:
    """Give the calls on a course with no, some and many confirmed registrations."""
    filled, service = store.filled, store.service
    cases: dict[str, dict[str, Case]] = {
        "a registration": {},
        "an offer": {},
        "a page of 50 of its registrations": {},
    }
    for which, confirmed in enumerate(filled.confirmed):
        admin, course_id = filled.busy(which)

        def register(_: int, admin: Actor = admin, course_id: UUID = course_id) -> object:
            return service.register(newcomer(admin), course_id)

        def offer(_: int, admin: Actor = admin, course_id: UUID = course_id) -> object:
            return service.offers(admin, [course_id])

        def listed(_: int, admin: Actor = admin, course_id: UUID = course_id) -> object:
            return service.registrations(admin, course_id=course_id)

        for name, call in zip(cases, (register, offer, listed), strict=True):
            cases[name][str(confirmed)] = repeated(call, CALLS_A_ROUND)
    return cases


def walked(store: Store) -> dict[str, Case]:
    """Walk the outbox from its beginning, from its middle and near its end."""
    places: list[str | None] = [None]
    while (following := store.repository.pending_reminders(after=places[-1]).next) is not None:
        places.append(following)
    begins = {
        "from its beginning": 0,
        "from its middle": len(places) // 2,
        "to its end": max(0, len(places) - WALKED_PAGES),
    }

    def walk(begin: int) -> Case:
        def page(number: int) -> object:
            return store.repository.pending_reminders(after=places[begin + number % WALKED_PAGES])

        return repeated(page, WALKED_PAGES)

    return {name: walk(begin) for name, begin in begins.items()}


def compared(name: str, cases: Mapping[str, Case], rounds: int) -> tuple[object, ...]:
    """Measure cases beside each other, and give a row of ratios to the first."""
    taken = interleaved(cases, rounds)
    first, *others = taken.values()
    return name, *(ratio(each, first) for each in others)


def main() -> None:
    """Print the ratios of one engine."""
    about = "How the cost of a call grows with what is stored, as ratios to a small store."
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--engine", choices=READING, default=READING[0])
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 100_000, 1_000_000])
    asked = parser.parse_args()
    with ExitStack() as stack:
        stack.enter_context(reading_anew())
        databases = stack.enter_context(storage(asked.engine, len(asked.sizes)))
        engines = [stack.enter_context(opened(url)) for (url,) in databases]
        stores = [
            Store(fill(engine, size), SqlCourseRepository(engine))
            for engine, size in zip(engines, asked.sizes, strict=True)
        ]
        report(versions(engines[0]))
        by_size = [calls(store) for store in stores]
        rows: list[tuple[object, ...]] = [(f"beside {asked.sizes[0]} of each", *asked.sizes[1:])]
        for name in by_size[0]:
            cases = dict(zip(map(str, asked.sizes), [each[name] for each in by_size], strict=True))
            rows.append(compared(name, cases, asked.rounds))
        report(table(*rows))
        largest = stores[-1]
        rows = [("beside a course with nobody confirmed", *largest.filled.confirmed[1:])]
        rows += [compared(name, each, asked.rounds) for name, each in busy(largest).items()]
        report(table(*rows))
        walks = walked(largest)
        rows = [("walking the outbox", *list(walks)[1:])]
        report(table(*rows, compared("beside its beginning", walks, asked.rounds)))


if __name__ == "__main__":
    main()
