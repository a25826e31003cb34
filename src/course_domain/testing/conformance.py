"""The conformance kit: what an adapter promises, as clauses that hold it to each promise.

A host's test file is six lines::

    class TestMyRepository(CourseRepositoryContract):
        @pytest.fixture
        def make_repository(self):
            return MyRepository  # a callable: each call gives an empty repository of its own

What is optional is declared in `capabilities`: ``threads`` for an adapter that many threads may
call at once, and ``shared_store``, with a fixture `reopen`, for one whose objects can stand over
one store. Without a test runner the same clauses run by `run_contract`.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar

try:
    import pytest
except ModuleNotFoundError as _error:
    _msg = "course_domain.testing.conformance needs pytest: pip install 'course-domain[testing]'"
    raise ModuleNotFoundError(_msg, name=_error.name) from _error

from course_domain.participation import RenewalReminder
from course_domain.ports import CourseRepository, ReminderScheduler
from course_domain.testing import (
    clauses_arguments,
    clauses_crowds,
    clauses_decide,
    clauses_keys,
    clauses_lists,
    clauses_outbox,
    clauses_pages,
    clauses_races,
    clauses_scheduler,
    clauses_store,
    clauses_storing,
    clauses_turns,
    clauses_values,
    machine,
)
from course_domain.testing.bench import CAPABILITIES, EXAMPLES, SHARED_STORE, RepositoryBench
from course_domain.testing.clause import Clause
from course_domain.testing.clauses_scheduler import SchedulerBench
from course_domain.testing.report import FAILED, PASSED, SKIPPED, Report, Result

__tracebackhide__ = True  # pytest then begins with the clause

REPOSITORY_CLAUSES: tuple[Clause[RepositoryBench], ...] = (
    *clauses_arguments.CLAUSES,
    *clauses_keys.CLAUSES,
    *clauses_values.CLAUSES,
    *clauses_lists.CLAUSES,
    *clauses_pages.CLAUSES,
    *clauses_decide.CLAUSES,
    *clauses_storing.CLAUSES,
    *clauses_outbox.CLAUSES,
    *clauses_store.CLAUSES,
    *machine.CLAUSES,
    *clauses_races.CLAUSES,
    *clauses_turns.CLAUSES,
    *clauses_crowds.CLAUSES,
)
"""Every promise of `CourseRepository`."""

SCHEDULER_CLAUSES: tuple[Clause[SchedulerBench], ...] = clauses_scheduler.CLAUSES
"""Every promise of `ReminderScheduler`."""


def _missing(needed: Clause[Any], capabilities: frozenset[str]) -> str:
    """Say what a clause needs that is not declared; empty when it can run."""
    undeclared = needed.needs - capabilities
    if not undeclared:
        return ""
    return f"clause {needed.id} needs {', '.join(sorted(undeclared))}, which is not declared"


def _check_declared(capabilities: Iterable[str], profile: str) -> None:
    unknown = set(capabilities) - CAPABILITIES
    if unknown or isinstance(capabilities, str):
        msg = f"capabilities are of {sorted(CAPABILITIES)}, not {capabilities!r}"
        raise ValueError(msg)
    if profile not in EXAMPLES:
        msg = f"a profile is one of {sorted(EXAMPLES)}, not {profile!r}"
        raise ValueError(msg)


class _Contract:
    """Run one clause as one test; what a host may declare about its adapter."""

    capabilities: ClassVar[frozenset[str]] = frozenset()
    """What the adapter can: ``threads``, ``shared_store``."""

    known_defects: ClassVar[Mapping[str, str]] = {}
    """Clause ids that the adapter is known to break, each with the reason: strict failures."""

    profile: ClassVar[str] = "default"
    """How long to look: ``default`` or ``thorough``."""

    def __init_subclass__(cls) -> None:
        """Refuse a subclass that would not be held to every clause."""
        super().__init_subclass__()
        _check_declared(cls.capabilities, cls.profile)
        for base in cls.__mro__:
            if "test_promise" in vars(base) and base.__module__ != __name__:
                msg = f"{cls.__name__} overrides test_promise: declare known_defects instead"
                raise TypeError(msg)

    def _hold(self, held: Clause[Any], bench: Any, request: pytest.FixtureRequest) -> None:
        if held.id in self.known_defects:
            reason = f"{held.id}: {self.known_defects[held.id]}"
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
        # Then pytest prints the source of a clause that fails, down to the line.
        docstring_is_shown = request.config.getoption("tbstyle") in {"auto", "long"}
        held.run(bench, docstring_is_shown=docstring_is_shown)


class CourseRepositoryContract(_Contract):
    """Hold a `CourseRepository` to every clause; a host gives the fixture `make_repository`.

    That is a callable: each call gives an empty repository of its own; ids may repeat between
    them. With ``shared_store``, a fixture `reopen` is a callable that takes a repository and
    gives another over the same store.
    """

    @pytest.mark.parametrize(
        "held", REPOSITORY_CLAUSES, ids=lambda held: f"{held.id}-{held.check.__name__}"
    )
    def test_promise(
        self,
        held: Clause[RepositoryBench],
        make_repository: Callable[[], CourseRepository],
        request: pytest.FixtureRequest,
    ) -> None:
        """Keep this promise of the port."""
        missing = _missing(held, self.capabilities)
        if missing:
            pytest.skip(missing)
        reopen = request.getfixturevalue("reopen") if SHARED_STORE in self.capabilities else None
        bench = RepositoryBench(
            make_repository=make_repository,
            reopen=reopen,
            capabilities=self.capabilities,
            profile=self.profile,
        )
        self._hold(held, bench, request)


class ReminderSchedulerContract(_Contract):
    """Hold a `ReminderScheduler` to every clause; a host gives `make_scheduler` and `taken`.

    The first is a callable: each call gives an empty scheduler of its own. The second takes a
    scheduler and gives the reminders that will take effect, since the protocol shows nothing.
    """

    @pytest.mark.parametrize(
        "held", SCHEDULER_CLAUSES, ids=lambda held: f"{held.id}-{held.check.__name__}"
    )
    def test_promise(
        self,
        held: Clause[SchedulerBench],
        make_scheduler: Callable[[], ReminderScheduler],
        taken: Callable[[Any], Iterable[RenewalReminder]],
        request: pytest.FixtureRequest,
    ) -> None:
        """Keep this promise of the port."""
        missing = _missing(held, self.capabilities)
        if missing:
            pytest.skip(missing)
        bench = SchedulerBench(
            make_scheduler=make_scheduler,
            taken=taken,
            capabilities=self.capabilities,
            profile=self.profile,
        )
        self._hold(held, bench, request)


def run_contract(
    make_repository: Callable[[], CourseRepository],
    *,
    capabilities: frozenset[str] = frozenset(),
    reopen: Callable[[Any], CourseRepository] | None = None,
    profile: str = "default",
) -> Report:
    """Hold a repository to every clause without pytest, and report.

    `make_repository` gives an empty repository of its own at each call; `reopen` takes one and
    gives another over the same store, for ``shared_store``. Raises ValueError for a capability or
    profile that there is none of, and for ``shared_store`` without `reopen`.
    """
    _check_declared(capabilities, profile)
    if SHARED_STORE in capabilities and reopen is None:
        msg = "shared_store needs reopen: a callable that takes a repository and gives another"
        raise ValueError(msg)

    def result(held: Clause[RepositoryBench]) -> Result:
        missing = _missing(held, capabilities)
        if missing:
            return Result(clause_id=held.id, name=held.name, outcome=SKIPPED, message=missing)
        bench = RepositoryBench(
            make_repository=make_repository,
            reopen=reopen,
            capabilities=capabilities,
            profile=profile,
        )
        try:
            held.run(bench)
        except Exception as error:  # noqa: BLE001  whatever the adapter does goes into the report
            notes = "\n".join(getattr(error, "__notes__", []))
            message = f"{type(error).__name__}: {error}\n{notes}"
            return Result(clause_id=held.id, name=held.name, outcome=FAILED, message=message)
        return Result(clause_id=held.id, name=held.name, outcome=PASSED)

    return Report(result(held) for held in REPOSITORY_CLAUSES)
