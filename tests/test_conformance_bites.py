from collections.abc import Callable, Mapping
from functools import wraps
from itertools import chain
from typing import Any

import attrs
import pytest
from hypothesis import Phase, settings

from adapters import (
    broken,
    broken_answers,
    broken_at_edges,
    broken_by_key,
    broken_in_turn,
    broken_outbox,
    broken_pages,
    broken_races,
    broken_rarely,
    broken_schedulers,
)
from course_domain import CourseRepository
from course_domain.testing import clauses_waits, rivals
from course_domain.testing.bench import RepositoryBench
from course_domain.testing.clauses_scheduler import SchedulerBench
from course_domain.testing.conformance import REPOSITORY_CLAUSES, SCHEDULER_CLAUSES

Make = Callable[[], Any]

REPOSITORIES: list[Mapping[str, tuple[Make, ...]]] = [
    broken.BROKEN,
    broken_pages.BROKEN,
    broken_answers.BROKEN,
    broken_outbox.BROKEN,
    broken_races.BROKEN,
    broken_rarely.BROKEN,
    broken_at_edges.BROKEN,
    broken_by_key.BROKEN,
    broken_in_turn.BROKEN,
]
CLAUSES: dict[str, Any] = {each.id: each for each in REPOSITORY_CLAUSES}
SCHEDULE: dict[str, Any] = {each.id: each for each in SCHEDULER_CLAUSES}
HANGING: frozenset[Make] = (
    broken_answers.HANGING | broken_outbox.HANGING | broken_races.HANGING | broken_rarely.HANGING
)

# What everybody passes who is not broken just there, and what takes no time.
QUICK = ("KEYS-1", "KEYS-5", "STORE-7", "DECIDE-4", "OUTBOX-2")


class UnshrunkBench(RepositoryBench):
    """Let a property fail by its first example; that it fails is enough here."""

    def settings(self, share: float = 1.0) -> settings:
        """Give the settings of the profile without shrinking."""
        return settings(super().settings(share), phases=[Phase.generate])


def reopened(repository: Any) -> CourseRepository:
    """Give another object over the same store."""
    again: CourseRepository = type(repository)(repository.store)
    return again


def bench(make: Make, capabilities: frozenset[str], profile: str = "default") -> RepositoryBench:
    """Put a broken repository on the bench."""
    return UnshrunkBench(
        make_repository=make,
        reopen=reopened,
        capabilities=capabilities,
        profile=profile,
        call_seconds=0.5 if make in HANGING else 5,
    )


def scheduler_bench(make: Make) -> SchedulerBench:
    """Put a broken scheduler on the bench."""
    return SchedulerBench(make_scheduler=make, taken=lambda scheduler: scheduler.jobs())


def cases(tables: list[Mapping[str, tuple[Make, ...]]]) -> list[Any]:
    """Give each clause id with each adapter that it catches."""
    return [
        pytest.param(clause_id, make, id=f"{clause_id}-{getattr(make, '__name__', make)}")
        for table in tables
        for clause_id, adapters in table.items()
        for make in adapters
    ]


def everybody(tables: list[Mapping[str, tuple[Make, ...]]]) -> list[Make]:
    """Give every adapter once."""
    found = (table.values() for table in tables)
    return list(dict.fromkeys(chain.from_iterable(chain.from_iterable(found))))


def expect_caught(call: Callable[[], object], clause_id: str) -> None:
    """Fail unless the call raises what carries the explanation of this clause."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  an adapter may raise anything
        call()
    assert [f"Clause {clause_id}"] == [
        note.partition(",")[0] for note in caught.value.__notes__ if note.startswith("Clause")
    ]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a rival finish on a busy machine too: these adapters do not make it wait."""
    monkeypatch.setattr(rivals, "RIVAL_SECONDS", 2.0)
    monkeypatch.setattr(clauses_waits, "MOST_SECONDS", 3.0)


def test_every_clause_has_a_broken_adapter() -> None:
    """There is a broken adapter for every clause, and a clause for each of them."""
    assert {*CLAUSES, *SCHEDULE} == {
        each for table in (*REPOSITORIES, broken_schedulers.BROKEN) for each in table
    }


@pytest.mark.parametrize(("clause_id", "make"), cases(REPOSITORIES))
def test_a_clause_catches_the_repository_that_breaks_it(clause_id: str, make: Make) -> None:
    """A clause catches an adapter that is broken in just this, and says which it is."""
    clause = CLAUSES[clause_id]
    expect_caught(lambda: clause.run(bench(make, clause.needs)), clause_id)


@pytest.mark.parametrize(("clause_id", "make"), cases([broken_rarely.BROKEN_FAR_OUT]))
def test_a_thorough_look_catches_what_breaks_far_out(clause_id: str, make: Make) -> None:
    """With the thorough profile a clause catches what is right for as many as are usual."""
    clause = CLAUSES[clause_id]
    clause.run(bench(make, clause.needs))
    expect_caught(lambda: clause.run(bench(make, clause.needs, "thorough")), clause_id)


@pytest.mark.parametrize(("clause_id", "make"), cases([broken_schedulers.BROKEN]))
def test_a_clause_catches_the_scheduler_that_breaks_it(clause_id: str, make: Make) -> None:
    """A clause catches a scheduler that is broken in just this, and says which it is."""
    expect_caught(lambda: SCHEDULE[clause_id].run(scheduler_bench(make)), clause_id)


def keeps(clause: Any, made: Any) -> bool:
    """Tell whether an adapter keeps one promise."""
    try:
        clause.run(made)
    except Exception:  # noqa: BLE001  a broken adapter may fail by any error: it keeps no promise
        return False
    return True


@pytest.mark.parametrize("make", everybody(REPOSITORIES))
def test_a_broken_repository_is_right_elsewhere(make: Make) -> None:
    """A broken adapter keeps another promise: it is no wreck that anything would catch."""
    assert any(keeps(CLAUSES[each], bench(make, frozenset())) for each in QUICK)


@pytest.mark.parametrize("make", everybody([broken_schedulers.BROKEN]))
def test_a_broken_scheduler_is_right_elsewhere(make: Make) -> None:
    """A broken scheduler keeps another promise."""
    others = ("SCHEDULE-1", "SCHEDULE-2", "SCHEDULE-5", "SCHEDULE-6")
    assert any(keeps(SCHEDULE[each], scheduler_bench(make)) for each in others)


CROWDS = [
    each for each in (*CLAUSES, *SCHEDULE) if each.startswith("CROWD") or each == "SCHEDULE-7"
]


@pytest.mark.parametrize("clause_id", CROWDS)
def test_what_a_crowd_meets_the_last_time_is_caught(clause_id: str) -> None:
    """Who is called together may not meet at once, so each crowd is sent more than once."""
    clause = (CLAUSES | SCHEDULE)[clause_id]
    turns = iter(range(1, clause.times))

    def meet(_bench: object) -> None:
        assert next(turns, None), "they met"

    assert clause.times > 1
    expect_caught(
        lambda: attrs.evolve(clause, check=wraps(clause.check)(meet)).run(None), clause_id
    )
