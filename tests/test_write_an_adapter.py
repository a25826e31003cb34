import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Never

import pytest

from builders import COURSE_ID, ORGANIZATION_ID, USER_ID, course
from course_domain import Course, InvalidValue, RepositoryUnavailable
from course_domain.testing.conformance import REPOSITORY_CLAUSES

PAGE = Path(__file__).parents[1] / "docs" / "write-an-adapter.md"


def page() -> str:
    """Read the page, or say what is missing."""
    assert PAGE.is_file(), f"{PAGE} is missing: docs/ and tests/ belong together"
    return PAGE.read_text(encoding="utf-8")


def steps() -> list[str]:
    """Give the steps of the page, each with its heading."""
    return re.split(r"^## ", page(), flags=re.MULTILINE)[1:]


def blocks(text: str, language: str) -> str:
    """Join the blocks of a language, or of a file that is told behind it."""
    return "".join(
        re.findall(rf"^```{re.escape(language)}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    )


ADAPTER = 'python title="sqlite_courses.py"'
TEST = 'python title="test_sqlite_courses.py"'
TEST_OF_PROCESSES = 'python title="test_two_processes.py"'
LOCK_OF_THE_MODULE = """

import threading

_LOCK = threading.RLock()


class SqliteCourseRepository(SqliteCourseRepository):
    def change_course(self, *call):
        with _LOCK:
            return super().change_course(*call)

    def change_participation(self, *call):
        with _LOCK:
            return super().change_participation(*call)
"""
CLAUSES_THAT_PASS = {
    number: re.findall(r"[A-Z]+-\d+", told)
    for number, step in enumerate(steps(), start=1)
    for told in re.findall(r"^By now these pass.*$", step, re.MULTILINE)
}


def hold(folder: Path, adapter: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the test file of the page on an adapter, as a host would."""
    (folder / "sqlite_courses.py").write_text(adapter, encoding="utf-8")
    (folder / "test_sqlite_courses.py").write_text(blocks(page(), TEST), encoding="utf-8")
    processes = blocks(page(), TEST_OF_PROCESSES)
    (folder / "test_two_processes.py").write_text(processes, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--strict-markers", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def repository(tmp_path: Path) -> Any:
    """Give the adapter of the page over a new file, with one course in it."""
    source = tmp_path / "sqlite_courses.py"
    source.write_text(blocks(page(), ADAPTER), encoding="utf-8")
    spec = spec_from_file_location("sqlite_courses", source)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    made = module.SqliteCourseRepository(tmp_path / "courses.db")
    made.add(course())
    return made


@pytest.fixture
def another_process(repository: Any) -> Iterator[sqlite3.Connection]:
    """Give a connection of somebody else to the file of the repository."""
    with closing(sqlite3.connect(repository.path, isolation_level=None)) as connection:
        yield connection


def test_adapter_of_the_page_keeps_every_clause(tmp_path: Path) -> None:
    """The blocks of the page below each other are an adapter that passes the tests of the page."""
    ended = hold(tmp_path, blocks(page(), ADAPTER))

    assert 0 == ended.returncode, ended.stdout
    assert f"{len(REPOSITORY_CLAUSES) + 1} passed in" in ended.stdout


def test_lock_of_the_module_is_seen_by_two_processes_alone(tmp_path: Path) -> None:
    """As the page says, such a lock passes the kit's race of two objects, and not two processes."""
    without_condition = blocks(page(), ADAPTER).replace("version = ?", "version >= ?")
    adapter = without_condition + LOCK_OF_THE_MODULE
    by_the_kit = hold(tmp_path, adapter, "-k", "RACE-3-")
    by_processes = hold(tmp_path, adapter, "-k", "two_processes")

    assert "1 passed" in by_the_kit.stdout, by_the_kit.stdout
    assert "1 failed" in by_processes.stdout, by_processes.stdout
    assert "assert 21 == " in by_processes.stdout


@pytest.mark.parametrize("number", CLAUSES_THAT_PASS)
def test_clauses_pass_after_the_step_that_names_them(number: int, tmp_path: Path) -> None:
    """What a step says to pass by then does pass, with what has been written so far."""
    so_far = "".join(blocks(step, ADAPTER) for step in steps()[:number])
    named = CLAUSES_THAT_PASS[number]
    ended = hold(tmp_path, so_far, "-k", " or ".join(f"{each}-" for each in named))

    assert 0 == ended.returncode, ended.stdout
    assert f"{len(named)} passed" in ended.stdout


def test_method_that_is_still_to_be_written_is_named(tmp_path: Path) -> None:
    """A clause that calls a method which no step has written yet fails, and names the method."""
    without_lists = "".join(blocks(step, ADAPTER) for step in steps()[:5])
    ended = hold(tmp_path, without_lists, "-k", "COURSES-1-")

    assert "1 failed" in ended.stdout, ended.stdout
    assert "'SqliteCourseRepository' object has no attribute 'courses'" in ended.stdout


def test_failure_looks_as_the_page_shows_it(tmp_path: Path) -> None:
    """The mistake that the page describes fails as it shows."""
    broken = blocks(page(), ADAPTER).replace("version = ?", "version >= ?")
    ended = hold(tmp_path, broken, "-k", "RACE-1-", "--tb=short")
    shown = [line for line in ended.stdout.splitlines() if line.startswith("E  ")]

    assert blocks(page(), "console").splitlines() == shown


def retitled(_seen: Course) -> Course:
    """Answer with another title."""
    return course(title="other")


def test_locked_file_is_unavailable(repository: Any, another_process: sqlite3.Connection) -> None:
    """While another process writes, a change waits for 2 to 8 seconds, and says why it gave up."""
    another_process.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    with pytest.raises(RepositoryUnavailable) as refused:
        repository.change_course(ORGANIZATION_ID, COURSE_ID, retitled)

    assert 2 <= time.monotonic() - began <= 8
    assert "database is locked" == refused.value.reason


def test_course_that_never_holds_still_is_unavailable(
    repository: Any, another_process: sqlite3.Connection
) -> None:
    """A course that changes under each answer is tried again for 2 to 8 seconds."""

    def be_too_slow(seen: Course) -> Course:
        another_process.execute("UPDATE courses SET version = version + 1")
        return retitled(seen)

    began = time.monotonic()
    with pytest.raises(RepositoryUnavailable, match=r"changed by others"):
        repository.change_course(ORGANIZATION_ID, COURSE_ID, be_too_slow)

    assert 2 <= time.monotonic() - began <= 8
    assert course() == repository.get(ORGANIZATION_ID, COURSE_ID)


def test_error_of_the_storage_passes_if_it_is_the_decisions(repository: Any) -> None:
    """What `decide` raises is its own, even where the storage raises the same kind."""
    raised = sqlite3.OperationalError("database is locked")

    def refuse(_seen: Course) -> Never:
        raise raised

    with pytest.raises(sqlite3.OperationalError) as refused:
        repository.change_course(ORGANIZATION_ID, COURSE_ID, refuse)

    assert raised is refused.value


@pytest.mark.parametrize(
    "key",
    [
        pytest.param(("change_course", ORGANIZATION_ID, COURSE_ID), id="course"),
        pytest.param(("change_participation", ORGANIZATION_ID, COURSE_ID, USER_ID), id="person"),
    ],
)
def test_answer_that_was_forgotten_is_an_invalid_value(repository: Any, key: Any) -> None:
    """A decision that answers None is told so, as by the adapters that come with the library."""
    name, *ids = key

    def forget(_seen: Any) -> None:
        """Answer nothing."""

    with pytest.raises(InvalidValue, match="answer must be"):
        getattr(repository, name)(*ids, forget)

    assert course() == repository.get(ORGANIZATION_ID, COURSE_ID)


def test_pages_are_read_from_an_index(
    repository: Any, another_process: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page far down is looked up in the index of its order, and nothing is sorted for it."""
    statements: list[str] = []
    connect = repository._open

    def traced() -> sqlite3.Connection:
        opened: sqlite3.Connection = connect()
        opened.set_trace_callback(statements.append)
        return opened

    monkeypatch.setattr(repository, "_open", traced)
    place = {"after": f"7.{COURSE_ID.hex}"}
    repository.courses(ORGANIZATION_ID, **place)
    repository.registrations(ORGANIZATION_ID, **place)
    repository.certificates(ORGANIZATION_ID, **place)
    repository.pending_reminders(**place)
    queries = [each for each in statements if each.startswith("SELECT")]
    plans = [another_process.execute(f"EXPLAIN QUERY PLAN {each}").fetchall() for each in queries]

    assert 4 == len(plans)
    for ((*_, step),) in plans:
        assert "_in_order (" in step
        assert ">" in step
