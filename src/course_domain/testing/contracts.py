"""What the contracts of the kit have in common: one clause as one test, and what is declared."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from course_domain.testing.bench import CAPABILITIES, EXAMPLES, SHARED_STORE, THREADS
from course_domain.testing.clause import Clause
from course_domain.testing.fixtures import is_of_a_fixture
from course_domain.testing.report import FAILED, PASSED, SKIPPED, Result

__tracebackhide__ = True  # pytest then begins with the clause

BACKENDS = frozenset({"asyncio", "trio"})
_KIT = "course_domain.testing."


def missing(needed: Clause[Any], capabilities: frozenset[str]) -> str:
    """Say what a clause needs that is not declared; empty when it can run."""
    undeclared = needed.needs - capabilities
    if not undeclared:
        return ""
    return f"clause {needed.id} needs {', '.join(sorted(undeclared))}, which is not declared"


def check_declared(
    capabilities: Iterable[str], profile: str, known: frozenset[str] = CAPABILITIES
) -> frozenset[str]:
    """Give the capabilities; ValueError for one, or for a profile, that there is none of."""
    declared = frozenset([capabilities] if isinstance(capabilities, str) else capabilities)
    if declared - known or isinstance(capabilities, str):
        msg = f"capabilities are names of {sorted(known)}, not {capabilities!r}"
        raise ValueError(msg)
    if profile not in EXAMPLES:
        msg = f"a profile is one of {sorted(EXAMPLES)}, not {profile!r}"
        raise ValueError(msg)
    return declared


def check_declared_async(capabilities: Iterable[str], profile: str, backend: str) -> frozenset[str]:
    """Do the same for an async adapter, and refuse a loop that there is none of."""
    declared = check_declared(capabilities, profile, CAPABILITIES - {THREADS})
    if backend not in BACKENDS:
        msg = f"a backend is one of {sorted(BACKENDS)}, not {backend!r}"
        raise ValueError(msg)
    return declared


def reopen_of(request: pytest.FixtureRequest, capabilities: frozenset[str]) -> Any:
    """Give the fixture `reopen` of a host that declares ``shared_store``."""
    if SHARED_STORE not in capabilities:
        return None
    reopen = request.getfixturevalue("reopen")
    check_reopen(reopen, capabilities)
    return reopen


def check_reopen(reopen: Callable[[Any], Any] | None, capabilities: frozenset[str]) -> None:
    """Refuse with ValueError a ``shared_store`` that cannot be opened again."""
    if SHARED_STORE in capabilities and reopen is None:
        msg = "shared_store needs reopen: a callable that takes a repository and gives another"
        raise ValueError(msg)


def result_of(
    held: Clause[Any],
    bench: Callable[[], AbstractContextManager[Any]],
    capabilities: frozenset[str],
) -> Result:
    """Hold what is on a bench to a clause without pytest, and tell what came of it."""
    told = missing(held, capabilities)
    if told:
        return Result(clause_id=held.id, name=held.name, outcome=SKIPPED, message=told)
    try:
        with bench() as made:
            held.run(made)
    except Exception as error:  # whatever the adapter does goes into the report
        if is_of_a_fixture(error):
            raise
        notes = "\n".join(getattr(error, "__notes__", []))
        message = f"{type(error).__name__}: {error}\n{notes}"
        return Result(clause_id=held.id, name=held.name, outcome=FAILED, message=message)
    return Result(clause_id=held.id, name=held.name, outcome=PASSED)


class Contract:
    """Run one clause as one test; what a host may declare about its adapter."""

    clauses: ClassVar[tuple[Clause[Any], ...]] = ()
    """Every promise that it holds an adapter to."""

    capabilities: ClassVar[frozenset[str]] = frozenset()
    """What the adapter can: ``threads``, ``shared_store``."""

    known_defects: ClassVar[Mapping[str, str]] = {}
    """Clause ids that the adapter is known to break, each with the reason: strict failures."""

    profile: ClassVar[str] = "default"
    """How long to look: ``default`` or ``thorough``."""

    def __init_subclass__(cls) -> None:
        """Refuse a subclass that would not be held to every clause."""
        super().__init_subclass__()
        cls._check_declared()
        unknown = set(cls.known_defects) - {each.id for each in cls.clauses}
        if unknown:
            msg = f"known_defects has ids of no clause: {', '.join(sorted(unknown))}"
            raise ValueError(msg)
        for base in cls.__mro__:
            if "test_promise" in vars(base) and not base.__module__.startswith(_KIT):
                msg = f"{cls.__name__} overrides test_promise: declare known_defects instead"
                raise TypeError(msg)

    @classmethod
    def _check_declared(cls) -> None:
        cls.capabilities = check_declared(cls.capabilities, cls.profile)

    def _able(self) -> frozenset[str]:
        return self.capabilities

    def _skip_unless_declared(self, held: Clause[Any]) -> None:
        if told := missing(held, self._able()):
            pytest.skip(told)  # what is not declared is not promised, and the reason names it

    def _hold(self, held: Clause[Any], bench: Any, request: pytest.FixtureRequest) -> None:
        if held.id in self.known_defects:
            reason = f"{held.id}: {self.known_defects[held.id]}"
            request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
        # Then pytest prints the source of a clause that fails, down to the line.
        docstring_is_shown = request.config.getoption("tbstyle") in {"auto", "long"}
        held.run(bench, docstring_is_shown=docstring_is_shown)


class AsyncContract(Contract):
    """Run one clause as one test, on an event loop of its own."""

    capabilities: ClassVar[frozenset[str]] = frozenset()
    """What the adapter can: ``shared_store``. That many tasks call it at once is no question."""

    backend: ClassVar[str] = "asyncio"
    """The loop to run on: ``asyncio`` or ``trio``."""

    @classmethod
    def _check_declared(cls) -> None:
        cls.capabilities = check_declared_async(cls.capabilities, cls.profile, cls.backend)

    def _able(self) -> frozenset[str]:
        return self.capabilities | {THREADS}
