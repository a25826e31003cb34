import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, ClassVar

import pytest

import course_domain
from adapters.batching import BatchingRepository
from adapters.compare_and_ask_again import AskingAgainRepository
from adapters.single_thread import SqliteReminderScheduler, SqliteRepository
from adapters.stored_bytes import StoredBytesRepository
from course_domain import CourseRepository, ReminderScheduler, RenewalReminder
from course_domain.aio_memory import AsyncInMemoryCourseRepository
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler
from course_domain.testing import conformance
from course_domain.testing.bench import RepositoryBench
from course_domain.testing.conformance import (
    REPOSITORY_CLAUSES,
    SCHEDULER_CLAUSES,
    CourseRepositoryContract,
    ReminderSchedulerContract,
    Report,
    Result,
    run_contract,
)

THREADS = frozenset({"threads"})
THREADS_AND_STORE = frozenset({"threads", "shared_store"})
UNKNOWN_CAPABILITY: Any = frozenset({"teleport"})
NO_SET_OF_CAPABILITIES: Any = "threads"


def opened_again(repository: AskingAgainRepository) -> CourseRepository:
    """Give another over the same store."""
    return AskingAgainRepository(repository.store)


# --- Right adapters of different kinds: each is all that a host would write


class TestInMemory(CourseRepositoryContract):
    capabilities = THREADS

    @pytest.fixture
    def make_repository(self) -> Callable[[], CourseRepository]:
        """Give the in-memory repository."""
        return InMemoryCourseRepository


class TestStoredBytes(CourseRepositoryContract):
    capabilities = THREADS_AND_STORE

    @pytest.fixture
    def make_repository(self) -> Callable[[], CourseRepository]:
        """Give one that stores bytes under one lock."""
        return StoredBytesRepository

    @pytest.fixture
    def reopen(self) -> Callable[[StoredBytesRepository], CourseRepository]:
        """Give another over the same store."""
        return lambda repository: StoredBytesRepository(repository.store)


class TestAskingAgain(CourseRepositoryContract):
    capabilities = THREADS_AND_STORE

    @pytest.fixture
    def make_repository(self) -> Callable[[], CourseRepository]:
        """Give one that never locks, but compares and asks again."""
        return AskingAgainRepository

    @pytest.fixture
    def reopen(self) -> Callable[[AskingAgainRepository], CourseRepository]:
        """Give another over the same store."""
        return opened_again


class TestBatching(CourseRepositoryContract):
    capabilities = THREADS_AND_STORE

    @pytest.fixture
    def make_repository(self) -> Callable[[], CourseRepository]:
        """Give one whose first caller in line decides and stores for all."""
        return BatchingRepository

    @pytest.fixture
    def reopen(self) -> Callable[[BatchingRepository], CourseRepository]:
        """Give another over the same log."""
        return lambda repository: BatchingRepository(repository.log)


def single_threaded(until: ExitStack) -> SqliteRepository:
    """Make one that lets go of its database in the end."""
    return until.enter_context(closing(SqliteRepository()))


class TestSingleThread(CourseRepositoryContract):
    @pytest.fixture
    def make_repository(self) -> Iterator[Callable[[], CourseRepository]]:
        """Give one that only the thread that made it may use."""
        with ExitStack() as until:
            yield lambda: single_threaded(until)


class TestInMemoryScheduler(ReminderSchedulerContract):
    capabilities = THREADS

    @pytest.fixture
    def make_scheduler(self) -> Callable[[], ReminderScheduler]:
        """Give the in-memory scheduler."""
        return InMemoryReminderScheduler

    @pytest.fixture
    def taken(self) -> Callable[[InMemoryReminderScheduler], Iterable[RenewalReminder]]:
        """Give what it will deliver."""
        return lambda scheduler: scheduler.scheduled


class TestSingleThreadScheduler(ReminderSchedulerContract):
    @pytest.fixture
    def make_scheduler(self) -> Iterator[Callable[[], ReminderScheduler]]:
        """Give one that keeps the later of two offers, in tables of its own."""
        with ExitStack() as until:
            yield lambda: until.enter_context(closing(SqliteReminderScheduler()))

    @pytest.fixture
    def taken(self) -> Callable[[SqliteReminderScheduler], Iterable[RenewalReminder]]:
        """Give what it will deliver."""
        return lambda scheduler: scheduler.jobs()


# --- The file that a host writes

HOST = """
import pytest
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler
from course_domain.testing.conformance import CourseRepositoryContract, ReminderSchedulerContract

class TestMyRepository(CourseRepositoryContract):
    @pytest.fixture
    def make_repository(self):
        return InMemoryCourseRepository

class TestMyScheduler(ReminderSchedulerContract):
    @pytest.fixture
    def make_scheduler(self):
        return InMemoryReminderScheduler

    @pytest.fixture
    def taken(self):
        return lambda scheduler: scheduler.scheduled
"""
ANOTHER_CLASS = """
class TestAnother(CourseRepositoryContract):
    capabilities = frozenset({"threads"})

    @pytest.fixture
    def make_repository(self):
        return InMemoryCourseRepository
"""
BROKEN_CLASS = """
class AnybodyGets(InMemoryCourseRepository):
    def get(self, organization_id, course_id):
        found = (self._shelves[key].course for key in self._shelves if key[1] == course_id)
        return next(found, None)

class TestBroken(CourseRepositoryContract):
    {declared}

    @pytest.fixture
    def make_repository(self):
        return AnybodyGets
"""


def run_python(
    folder: Path, *arguments: str, fails: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run a Python of its own in a folder, with this package and none of these tests."""
    paths = [str(Path(course_domain.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert fails == bool(done.returncode), done.stdout + done.stderr
    return done


def run_host(folder: Path, source: str, *options: str, fails: bool = False) -> str:
    """Run pytest on a host's file, and give what it prints."""
    (folder / "test_host.py").write_text(source, encoding="utf-8")
    strictly = ("--strict-markers", "-W", "error", "-p", "no:cacheprovider", "-rsxX")
    return run_python(folder, "-m", "pytest", *strictly, *options, fails=fails).stdout


def counts(printed: str) -> dict[str, int]:
    """Give the numbers in the last line of what pytest prints."""
    pairs = re.findall(r"(\d+) (passed|failed|skipped|xfailed|errors?)", printed.splitlines()[-1])
    return {outcome: int(number) for number, outcome in pairs}


@pytest.mark.parametrize(
    "options",
    [
        pytest.param(["-p", "no:randomly"], id="plain"),
        pytest.param(["-p", "no:randomly", "-n", "4"], id="four-workers"),
        pytest.param(["-p", "randomly"], id="in-random-order"),
    ],
)
def test_a_host_s_file_is_six_lines(tmp_path: Path, options: list[str]) -> None:
    """Six lines run under strict pytest, however it runs, and for several adapters at once."""
    chosen = [each for each in REPOSITORY_CLAUSES if each.id.startswith(("KEYS-", "OUTBOX-"))]
    skipped = sum(bool(each.needs - has) for has in (set[str](), {"threads"}) for each in chosen)
    scheduled = sum(not each.needs for each in SCHEDULER_CLAUSES)
    printed = run_host(
        tmp_path, HOST + ANOTHER_CLASS, *options, "-k", "KEYS- or OUTBOX- or SCHEDULE-"
    )
    assert counts(printed) == {
        "passed": 2 * len(chosen) - skipped + scheduled,
        "skipped": skipped + len(SCHEDULER_CLAUSES) - scheduled,
    }


def test_what_is_not_declared_is_skipped_by_its_id(tmp_path: Path) -> None:
    """A clause whose capability is not declared is skipped, and the reason names the clause."""
    printed = run_host(tmp_path, HOST, "-k", "RACE-3 or SCHEDULE-7")
    assert {"skipped": 2} == counts(printed)
    needed = "clause RACE-3 needs shared_store, threads, which is not declared"
    assert needed in " ".join(printed.split())
    needed = "clause SCHEDULE-7 needs threads, which is not declared"
    assert needed in " ".join(printed.split())


def test_a_known_defect_is_an_expected_failure(tmp_path: Path) -> None:
    """A declared defect fails as expected, and the reason stands beside the clause's id."""
    declared = "known_defects = {'KEYS-1': 'ids are unique over all organizations'}"
    source = HOST + BROKEN_CLASS.format(declared=declared)
    printed = run_host(tmp_path, source, "-k", "TestBroken and KEYS-1")
    assert {"xfailed": 1} == counts(printed)
    assert "KEYS-1: ids are unique over all organizations" in " ".join(printed.split())


def test_a_defect_that_is_gone_fails(tmp_path: Path) -> None:
    """A declared defect that the adapter does not have any more is a failure."""
    declared = "known_defects = {'KEYS-2': 'adding twice overwrites'}"
    source = HOST + BROKEN_CLASS.format(declared=declared)
    printed = run_host(tmp_path, source, "-k", "TestBroken and KEYS-2", fails=True)
    assert {"failed": 1} == counts(printed)
    assert "XPASS(strict)" in printed


def test_a_failure_says_what_to_do(tmp_path: Path) -> None:
    """A failure names the clause, shows expected and observed, and says what to do."""
    source = HOST + BROKEN_CLASS.format(declared="pass")
    printed = run_host(tmp_path, source, "-k", "TestBroken and KEYS-1", fails=True)
    clause = next(each for each in REPOSITORY_CLAUSES if each.id == "KEYS-1")
    told = " ".join(printed.split())
    for shown in (
        "Clause KEYS-1, get gives what was added.",
        "get from another organization expected: None observed: Course(",
        *clause.paragraphs,
    ):
        assert shown in told.replace("E ", ""), printed


def test_a_clause_cannot_be_overridden_away() -> None:
    """A subclass with a `test_promise` of its own is refused as it is made."""
    with pytest.raises(TypeError, match="known_defects"):
        type("Weaker", (CourseRepositoryContract,), {"test_promise": print})


@pytest.mark.parametrize("capabilities", [UNKNOWN_CAPABILITY, NO_SET_OF_CAPABILITIES])
def test_an_unknown_capability_is_refused(capabilities: Any) -> None:
    """A capability that there is none of is a ValueError, on a class and in a call."""
    with pytest.raises(ValueError, match="capabilities"):
        run_contract(InMemoryCourseRepository, capabilities=capabilities)
    with pytest.raises(ValueError, match="capabilities"):
        type("Declaring", (CourseRepositoryContract,), {"capabilities": capabilities})


def test_an_unknown_profile_is_refused() -> None:
    """A profile that there is none of is a ValueError, on a class and in a call."""
    with pytest.raises(ValueError, match="profile"):
        run_contract(InMemoryCourseRepository, profile="endless")
    with pytest.raises(ValueError, match="profile"):
        type("Declaring", (ReminderSchedulerContract,), {"profile": "endless"})


def test_a_shared_store_must_be_opened_again() -> None:
    """`shared_store` without `reopen` is a ValueError."""
    with pytest.raises(ValueError, match="reopen"):
        run_contract(InMemoryCourseRepository, capabilities=frozenset({"shared_store"}))


@pytest.mark.parametrize("contract", [CourseRepositoryContract, ReminderSchedulerContract])
def test_a_defect_of_no_clause_is_refused(contract: type[Any]) -> None:
    """A known defect whose id no clause has is a ValueError that names it."""
    with pytest.raises(ValueError, match="KEYS-99"):
        type("Declaring", (contract,), {"known_defects": {"KEYS-99": "no such clause"}})


NOTHING = """
class TestNothing(CourseRepositoryContract):
    capabilities = frozenset({declared})

    @pytest.fixture
    def make_repository(self):
        {make}

    @pytest.fixture
    def reopen(self):
        {reopen}
"""


@pytest.mark.parametrize(
    ("declared", "make", "reopen", "told"),
    [
        ((), "pass", "pass", "NothingMade: make_repository is None, where a callable"),
        ((), "return lambda: None", "pass", "NothingMade: make_repository gave None"),
        ((), "return lambda: 1 / 0", "pass", "ZeroDivisionError: division by zero"),
        (
            ("shared_store",),
            "return InMemoryCourseRepository",
            "return lambda repository: None",
            "NothingMade: reopen gave None",
        ),
        (
            ("shared_store",),
            "return InMemoryCourseRepository",
            "pass",
            "ValueError: shared_store needs reopen",
        ),
    ],
    ids=["no-factory", "no-repository", "raising", "nothing-reopened", "no-reopen"],
)
def test_a_fixture_that_gives_nothing_breaks_no_clause(
    tmp_path: Path, declared: tuple[str, ...], make: str, reopen: str, told: str
) -> None:
    """A fixture that gives None is told by its name, and no clause is told to be broken."""
    source = HOST + NOTHING.format(declared=declared, make=make, reopen=reopen)
    printed = run_host(
        tmp_path,
        source,
        "-k",
        "TestNothing and SHARED-1 or TestNothing and KEYS-1",
        "--tb=short",
        fails=True,
    )
    assert told in printed
    assert "Clause" not in printed


async def awaited() -> CourseRepository:
    """Give a repository to whoever awaits it."""
    return InMemoryCourseRepository()


class Awaitable:
    """A repository to come, as a pool gives it."""

    def __await__(self) -> Iterator[Any]:
        """Give it without a wait."""
        return iter(())


class Named(InMemoryCourseRepository):
    """A repository whose factory must say how it is called."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name


def without_a_database() -> CourseRepository:
    """Raise what a driver does."""
    raise ConnectionError("no database")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (None, "is None, where a callable that gives an adapter is to be"),
        (InMemoryCourseRepository(), "is an object of InMemoryCourseRepository, where a callable"),
        (lambda: None, "gave None, where it is to give an adapter"),
        (lambda: InMemoryCourseRepository, "gave the class InMemoryCourseRepository, where it is"),
        (awaited, "gave an object of coroutine, which only an async contract awaits"),
        (Awaitable, "gave an object of Awaitable, which only an async contract awaits"),
        (ExitStack, "gave an object of ExitStack, which has no method of CourseRepository"),
        (AsyncInMemoryCourseRepository, "gave an object of AsyncInMemoryCourseRepository, which"),
    ],
    ids=["none", "object", "no-one", "class", "coroutine", "awaitable", "no-methods", "async"],
)
def test_run_contract_needs_a_repository(make: Any, told: str) -> None:
    """Where `make_repository` makes none, there is nothing to report on, and it says why."""
    with pytest.raises(TypeError, match=f"^make_repository {told}") as refused:
        run_contract(make)
    assert not hasattr(refused.value, "__notes__")


@pytest.mark.parametrize(
    ("make", "error"),
    [(without_a_database, "no database"), (Named, "missing 1 required positional argument")],
)
def test_what_a_factory_raises_passes_as_it_is(make: Any, error: str) -> None:
    """An error of `make_repository` itself breaks no clause, and a note says where it is from."""
    with pytest.raises((ConnectionError, TypeError), match=error) as refused:
        run_contract(make)
    assert ["make_repository raised this: no clause is broken by it"] == refused.value.__notes__


@pytest.mark.parametrize(
    "declared",
    [["threads"], ("threads",), iter(["threads"])],
    ids=["list", "tuple", "iterator"],
)
def test_capabilities_are_any_names(declared: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list, a tuple or an iterator declares what a frozenset does."""
    crowd = next(each for each in REPOSITORY_CLAUSES if each.needs == THREADS)
    monkeypatch.setattr(conformance, "REPOSITORY_CLAUSES", [crowd])
    report = run_contract(InMemoryCourseRepository, capabilities=declared)
    assert ["passed"] == [each.outcome for each in report.results]


def test_capabilities_of_a_class_are_any_names() -> None:
    """A contract that declares a list has what a frozenset would declare."""
    declaring: Any = type("Listed", (CourseRepositoryContract,), {"capabilities": ["threads"]})
    assert THREADS == declaring.capabilities


def test_the_thorough_profile_looks_longer() -> None:
    """The thorough profile tries several times as many examples as the default one."""
    default: Any
    thorough: Any
    default, thorough = (
        RepositoryBench(make_repository=InMemoryCourseRepository, profile=profile).settings()
        for profile in ("default", "thorough")
    )
    assert thorough.max_examples >= 5 * default.max_examples


# --- Without a test runner


def asking_again(_until: ExitStack) -> AskingAgainRepository:
    """Make one that has nothing to let go of."""
    return AskingAgainRepository()


@pytest.mark.parametrize(
    ("make", "options"),
    [
        pytest.param(single_threaded, {}, id="no-capabilities"),
        pytest.param(
            asking_again,
            {"capabilities": THREADS_AND_STORE, "reopen": opened_again},
            id="all-capabilities",
        ),
    ],
)
def test_run_contract_reports_a_right_adapter(
    make: Callable[[ExitStack], CourseRepository], options: dict[str, Any]
) -> None:
    """A right adapter passes every clause of what it declares, and the others are skipped."""
    with ExitStack() as until:
        report = run_contract(lambda: make(until), **options)
    assert report.passed, str(report)
    assert () == report.failures
    declared = options.get("capabilities", frozenset())
    assert [
        (each.id, "passed" if each.needs <= declared else "skipped") for each in REPOSITORY_CLAUSES
    ] == [(each.clause_id, each.outcome) for each in report.results]


class TestReport:
    results: ClassVar[list[Result]] = [
        Result(clause_id="KEYS-1", name="get gives what was added", outcome="passed"),
        Result(clause_id="KEYS-2", name="taken is refused", outcome="failed", message="told why"),
        Result(clause_id="RACE-1", name="no update", outcome="skipped", message="not declared"),
    ]

    def test_a_failure_is_not_passed(self) -> None:
        """A report with a failure has not passed, and gives just that one as a failure."""
        report = Report(self.results)
        assert not report.passed
        assert ["KEYS-2"] == [each.clause_id for each in report.failures]

    def test_a_skipped_clause_is_no_failure(self) -> None:
        """What is skipped is not counted against the adapter."""
        assert Report([self.results[0], self.results[2]]).passed

    def test_it_is_json(self) -> None:
        """`to_dict` gives plain values, in the order of the clauses."""
        written = json.loads(json.dumps(Report(self.results).to_dict()))
        assert written["passed"] is False
        assert ["KEYS-1", "KEYS-2", "RACE-1"] == [each["clause_id"] for each in written["results"]]
        assert {
            "clause_id": "KEYS-2",
            "name": "taken is refused",
            "outcome": "failed",
            "message": "told why",
        } == written["results"][1]

    def test_it_is_for_people(self) -> None:
        """`str()` has a line for each clause, what is wrong, and the sum."""
        told = str(Report(self.results))
        assert "failed  KEYS-2" in told
        assert "told why" in told
        assert "1 passed, 1 failed, 1 skipped" in told


WITHOUT_PYTEST = """
import json
from course_domain.memory import InMemoryCourseRepository
from course_domain.testing.conformance import run_contract

class Forgetful(InMemoryCourseRepository):
    def pending_reminders(self, **page):
        return type(super().pending_reminders(**page))(())

report = run_contract(Forgetful)
print(json.dumps(report.to_dict()))
"""


def test_run_contract_needs_no_test_runner(tmp_path: Path) -> None:
    """A script that pytest does not run gets the report, with the reason of each failure."""
    report = json.loads(run_python(tmp_path, "-c", WITHOUT_PYTEST).stdout)
    failed = {each["clause_id"]: each for each in report["results"] if each["outcome"] == "failed"}
    assert not report["passed"]
    assert {"STORE-2", "STORE-6", "OUTBOX-1", "OUTBOX-7"} <= set(failed)
    told = failed["OUTBOX-1"]["message"]
    assert "Clause OUTBOX-1, reminders wait whether due or not." in told
    assert "expected:" in told
    assert "A correct adapter looks at the mark and at nothing else." in told


def test_the_kit_names_its_extra(tmp_path: Path) -> None:
    """Where pytest is not installed, the kit says which extra brings it."""
    code = "import sys; sys.modules['pytest'] = None; import course_domain.testing.conformance"
    done = run_python(tmp_path, "-c", code, fails=True)
    assert "pip install 'course-domain[testing]'" in done.stderr
