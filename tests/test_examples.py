"""The main job: as the rules say on every storage, and it notices a library that differs."""

import importlib.util
import os
import pkgutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import attrs
import pytest

import course_domain
from course_domain import CourseStatus, Page, Rule
from course_domain.memory import InMemoryCourseRepository
from course_domain.sql import create_schema
from engines import Databases, disposed

SEASON = Path(__file__).parents[1] / "docs" / "examples" / "course_season.py"
SOURCES = Path(course_domain.__file__).parents[1]


def play(
    folder: Path, *arguments: str, before: Sequence[Path] = ()
) -> subprocess.CompletedProcess[str]:
    """Run the season as a person would, from a folder of its own."""
    assert SEASON.is_file(), f"{SEASON} is missing: docs/ belongs beside tests/"
    path = os.pathsep.join(map(str, [*before, SOURCES]))
    return subprocess.run(
        [sys.executable, "-W", "error", str(SEASON), *arguments],
        check=False,
        capture_output=True,
        cwd=folder,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": path, "PYTHONUTF8": "1", "TMPDIR": str(folder)},
    )


def season() -> Any:
    """Import the season as it is in docs/."""
    spec = importlib.util.spec_from_file_location("course_season", SEASON)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """Give one run of the season."""
    return play(tmp_path_factory.mktemp("played"))


def test_season_goes_as_the_rules_say(played: subprocess.CompletedProcess[str]) -> None:
    """The season ends with status 0, and says so."""
    assert ("", 0) == (played.stderr, played.returncode)
    assert "DIFFERS" not in played.stdout
    assert played.stdout.endswith(" things are as the rules say.\n")


@pytest.mark.parametrize(
    "line",
    [
        "20.01.2027 18:00  published  Introduksjon for nye likepersoner",
        "Henrik opens the training: not found (org_scoped_course_access)",
        "Clara opens the draft: not found (published_only_visible_to_users)",
        "Astrid, for the draft: refused, registration_requires_published",
        "Dag, 1 µs later: refused, registration_deadline_enforced",
        "Of fifty, have the seat: 1",
        "Arne moves it, from an old page: refused, StaleCourse",
        "expires 14.03.2029 15:00",
        "reminder 12.02.2029 15:00",
        "The night after: 0",
    ],
)
def test_season_tells_what_people_met(line: str, played: subprocess.CompletedProcess[str]) -> None:
    """The season prints what each person met, in their own time."""
    assert line in [printed.strip() for printed in played.stdout.splitlines()]


def test_season_is_the_same_in_every_run(
    played: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    """Two runs print the same, whoever of the fifty got the seat."""
    assert played.stdout == play(tmp_path).stdout


def test_season_says_what_to_install_without_a_time_zone_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a machine that knows no Oslo, the season says what is missing."""
    (tmp_path / "tzdata.py").write_text("raise ImportError", encoding="utf-8")
    monkeypatch.setenv("PYTHONTZPATH", "")
    ran = play(tmp_path, before=[tmp_path])

    assert (1, "") == (ran.returncode, ran.stdout)
    assert "pip install tzdata" in ran.stderr


# --- The databases that it is played on


def test_season_leaves_no_file_behind(tmp_path: Path) -> None:
    """The file of a season that was given no database is gone afterwards."""
    play(tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_season_is_the_same_in_memory(
    played: subprocess.CompletedProcess[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a database, everybody meets the same."""
    module = season()

    assert 0 == module.play(module.Season(InMemoryCourseRepository()))
    told = [line for line in played.stdout.splitlines() if not line.startswith("  log: ")]
    assert told == capsys.readouterr().out.splitlines()


def test_season_is_the_same_in_a_file_that_is_given(
    played: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    """A SQLite file that is given is kept."""
    given = tmp_path / "given.db"

    assert played.stdout == play(tmp_path, "--database", f"sqlite:///{given}").stdout
    assert given.is_file()


@pytest.mark.parametrize("engine", ["postgresql", "galera"])
def test_season_is_the_same_on_a_server(
    engine: str,
    request: pytest.FixtureRequest,
    played: subprocess.CompletedProcess[str],
    tmp_path: Path,
) -> None:
    """On PostgreSQL, and on a node of a Galera cluster, everybody meets the same."""
    databases: Databases = request.getfixturevalue(f"{engine}_databases")
    ran = play(tmp_path, "--database", databases.create()[-1])

    assert ("", 0) == (ran.stderr, ran.returncode)
    assert played.stdout == ran.stdout


def test_season_leaves_the_courses_of_others_alone(tmp_path: Path) -> None:
    """A database that has courses is not played on: their reminders are not the season's."""
    database = f"sqlite:///{tmp_path / 'played.db'}"
    first, second = play(tmp_path, "--database", database), play(tmp_path, "--database", database)

    assert (0, 2) == (first.returncode, second.returncode)
    assert "" == second.stdout
    assert "the database has courses already: give an empty one" in second.stderr
    assert "Traceback" not in second.stderr


def test_season_takes_a_schema_that_is_there(
    played: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    """A database whose tables a host has made, and left empty, is as good as a new one."""
    database = f"sqlite:///{tmp_path / 'made.db'}"
    with disposed(database) as engine:
        create_schema(engine)

    assert played.stdout == play(tmp_path, "--database", database).stdout


@pytest.mark.parametrize(
    ("database", "reason"),
    [
        ("courses.db", "Could not parse SQLAlchemy URL"),
        ("nonsense://courses", "Can't load plugin"),
        ("sqlite:////missing/folder/courses.db", "unable to open database file"),
        ("sqlite+missing_driver:///courses.db", "missing_driver"),
    ],
    ids=["no-url", "no-dialect", "no-file", "no-driver"],
)
def test_season_says_why_a_database_cannot_be_used(
    database: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the season cannot be played, it says so and ends with status 2."""
    with pytest.raises(SystemExit, match="2"):
        season().main(["--database", database])

    out, err = capsys.readouterr()
    assert "" == out
    assert "the database cannot be used: " in err
    assert reason in err


# --- A library that breaks a rule

Remake = Callable[[Any], Any]


def but(change: Callable[[Any], Any]) -> Remake:
    """Make a function that answers as the real one does, changed."""

    def remake(real: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments, **more: change(real(*arguments, **more))

    return remake


def without(rule: Rule) -> Remake:
    """Leave one rule out of the reasons that are given."""
    return but(lambda violations: tuple(each for each in violations if each.rule is not rule))


def one_more(days: int) -> int:
    """Count one day more."""
    return days + 1


def never_stale(real: Callable[..., Any]) -> Callable[..., Any]:
    """Revise whatever the author had on the screen."""
    return lambda *state, **changes: real(*state, **changes | {"expected_updated_at": None})


def never_marking(_: object) -> Callable[..., None]:
    """Leave every reminder in the outbox."""
    return lambda *_: None


def of_every_organization(real: Callable[..., Any]) -> Callable[..., Any]:
    """List the courses of one organization after those of another."""

    def courses(self: Any, _: object, **filters: Any) -> Page[Any]:
        everybody = season()
        pages = [real(self, each, **filters) for each in (everybody.FAMILIES, everybody.HEARING)]
        return Page(tuple(course for page in pages for course in page.items))

    return courses


STORAGE = "course_domain.sql:SqlCourseRepository"
REASONS = "course_domain.policies:registration_rejections"


@pytest.mark.parametrize(
    ("broken", "remake", "differs"),
    [
        (REASONS, without(Rule.REGISTRATION_DEADLINE_ENFORCED), "Dag, 1 µs later"),
        (REASONS, without(Rule.MAX_PARTICIPANTS_CAP), "Of fifty, have the seat"),
        (REASONS, without(Rule.REGISTRATION_REQUIRES_PUBLISHED), "Astrid, for the draft"),
        (
            "course_domain.policies:visible_statuses",
            but(lambda _: frozenset(CourseStatus)),
            "Clara, peer mentor, sees",
        ),
        (
            "course_domain.policies:certificate_expires_at",
            but(lambda expires_at: expires_at and expires_at + timedelta(days=1)),
            "Astrid enters it; Clara's certificate",
        ),
        ("course_domain.policies:REMINDER_LEAD_DAYS", one_more, "Scheduled"),
        ("course_domain.decisions:revise", never_stale, "Arne moves it, from an old page"),
        (f"{STORAGE}.courses", of_every_organization, "Henrik, a stranger, sees"),
        (f"{STORAGE}.pending_reminders", but(lambda _: Page(())), "The nightly job delivers"),
        (f"{STORAGE}.mark_reminder_scheduled", never_marking, "The night after"),
        (
            "course_domain.sql.rows:Rows.participation",  # the repository sells a seat too many
            but(lambda seen: attrs.evolve(seen, confirmed_count=max(0, seen.confirmed_count - 1))),
            "Of fifty, have the seat",
        ),
    ],
)
def test_season_notices_a_broken_library(
    broken: str,
    remake: Remake,
    differs: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A library that breaks a rule makes the season end with status 1, and name what differs."""
    monkeypatch.setattr(broken.replace(":", "."), remake(pkgutil.resolve_name(broken)))

    assert 1 == season().main([])
    _, _, differing = capsys.readouterr().out.rpartition(" things differ:\n")
    assert differs in differing.splitlines()


def test_season_refuses_unknown_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    """What is misspelt is refused, not passed over."""
    with pytest.raises(SystemExit, match="2"):
        season().main(["--unknown"])

    assert "unrecognized arguments: --unknown" in capsys.readouterr().err
