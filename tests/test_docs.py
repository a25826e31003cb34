"""The pages that people read: examples run, links lead somewhere, nothing is left out."""

import re
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.example import Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

import course_domain
from course_domain import Rule
from test_architecture import ORDER

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
INDEX = ROOT / "docs" / "index.md"
FENCE = re.compile(r"^[ \t>]*```([^`\n]+)$", re.MULTILINE)
RULE = re.compile(r"`(\w+)`\n(.*)", re.DOTALL)

# Blocks that do not run where they stand, each with what becomes of them.
SHOWN = "a test finds it word for word in the example, which is run"
ELSEWHERE = {
    ("README.md", "shell"): "CI runs them, each in a fresh clone",
    ("host-django.md", "shell"): "test_example_django runs its last line",
    ("host-django.md", 'python title="courses/indexes.py"'): SHOWN,
    ("host-django.md", 'python title="courses/models.py"'): SHOWN,
    ("host-django.md", 'python title="courses/repository.py"'): SHOWN,
    ("host-django.md", 'python title="courses/views.py"'): SHOWN,
    ("host-django.md", 'python title="test_repository.py"'): SHOWN,
    ("host-fastapi.md", "shell"): "test_example_fastapi runs its last line",
    ("performance.md", "shell"): "these take half an hour, and a machine of their own",
    ("scaling.md", "shell"): "these take minutes, and a machine of their own",
    ("scaling.md", "sql"): "this needs a cluster of Citus, and was tried by hand",
    ("storage.md", "mako"): "test_sql_schema puts it into the files of Alembic, and runs them",
    ("storage.md", "py"): "test_sql_schema puts it into the files of Alembic, and runs them",
    ("wire-a-scheduler.md", "shell"): "test_example_apscheduler runs its last line",
    ("wire-a-scheduler.md", 'python title="season.py"'): SHOWN,
    ("write-an-adapter.md", "console"): "test_write_an_adapter compares it with what is printed",
    ("write-an-adapter.md", 'python title="sqlite_courses.py"'): "test_write_an_adapter runs it",
    (
        "write-an-adapter.md",
        'python title="test_sqlite_courses.py"',
    ): "test_write_an_adapter runs it",
    (
        "write-an-adapter.md",
        'python title="test_two_processes.py"',
    ): "test_write_an_adapter runs it",
}


def name(page: Path) -> str:
    """Name a page in the id of a test."""
    return page.name


def read(page: Path) -> str:
    """Read a page, or say what is missing."""
    assert page.is_file(), f"{page} is missing: README.md, docs/ and tests/ belong together"
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[tuple[str, str]]:
    """Give the fenced blocks of a page that name a language, each with it."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", read(page), re.DOTALL | re.MULTILINE)


def shell_blocks() -> list[str]:
    """Give the shell blocks of the README, as CI finds them."""
    languages = {"bash", "console", "sh", "shell"}
    return [source for language, source in blocks(ROOT / "README.md") if language in languages]


def rows(page: Path) -> dict[str, str]:
    """Give the rows of all tables on a page that begin with a name in backticks."""
    return dict(re.findall(r"^\| `(\w+)` (\|.*)$", read(page), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_examples_of_a_page_run(page: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every Python block runs, in the order of the page, and prints what the page shows."""
    read(page)

    def printed(example: Example) -> None:
        assert str(example.parsed) == capsys.readouterr().out

    sybil = Sybil(parsers=[PythonCodeBlockParser(), CodeBlockParser("text", printed)])
    for example in sybil.parse(page):
        example.evaluate()


def test_block_that_does_not_run_has_a_reason() -> None:
    """Each block on a page runs, or is what was printed, or it is told what becomes of it."""
    blocks = {(page.name, info) for page in PAGES for info in FENCE.findall(read(page))}
    left_out = {
        (page, info)
        for page, info in blocks
        if info not in {"python", "text"} and not info.startswith("{")
    }

    assert set(ELSEWHERE) == left_out


@pytest.mark.parametrize(
    ("question", "pages"),
    [
        ("My user could not register: why?", ["why-not.md"]),
        ("How do I store this in my own database?", ["storage.md", "write-an-adapter.md"]),
    ],
)
def test_first_page_leads_to_the_answer(question: str, pages: list[str]) -> None:
    """Who comes with a question finds it on the first page, with a link to its answer."""
    (paragraph,) = [each for each in read(INDEX).split("\n\n") if question in each]

    assert pages == re.findall(r"\]\(([^)]+)\)", paragraph)


@pytest.mark.parametrize(
    "rule",
    [
        Rule.REGISTRATION_DEADLINE_ENFORCED,
        Rule.MAX_PARTICIPANTS_CAP,
        Rule.REGISTRATION_REQUIRES_PUBLISHED,
        Rule.ORG_SCOPED_COURSE_ACCESS,
        Rule.PUBLISHED_ONLY_VISIBLE_TO_USERS,
    ],
)
def test_page_of_why_not_has_every_reason(rule: Rule) -> None:
    """The page that answers why somebody could not register leads to each rule that says so."""
    assert f"](rules.md#{rule})" in read(ROOT / "docs" / "why-not.md")


def test_readme_has_an_example_that_can_be_pasted() -> None:
    """Behind its two commands, the README has a short Python block, and then what it prints."""
    languages, sources = zip(*blocks(ROOT / "README.md"), strict=True)

    assert ("shell", "shell", "python", "text", "shell") == languages
    assert len(sources[2].split("\n\n")[1].splitlines()) <= 10
    assert ">>>" not in sources[2]


@pytest.mark.parametrize(
    ("number", "venv", "command"),
    [
        (0, ".venv-season", "python docs/examples/course_season.py"),
        (1, ".venv", "python -m pytest --cov -n auto"),
    ],
    ids=["main-job", "tests"],
)
def test_readme_command_stands_on_its_own(number: int, venv: str, command: str) -> None:
    """The README's first two shell blocks: each makes an environment, fills it and ends in it."""
    first, *_, last = lines = shell_blocks()[number].splitlines()

    assert f"python3 -m venv {venv}" == first
    assert f"{venv}/bin/{command}" == last
    assert all(line.startswith(f"{venv}/bin/python ") for line in lines[1:])


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_of_a_page_lead_to_files(page: Path) -> None:
    """Every link leads to a file that stands beside the page, and none to another host."""
    targets = re.findall(r"\]\(([^)#]+)", read(page))

    assert [] == [target for target in targets if not (page.parent / target).is_file()]


def explained_rules() -> dict[str, str]:
    """Give what stands below the heading of each rule, on the page of rules."""
    sections = re.split(r"^##+ ", read(ROOT / "docs" / "rules.md"), flags=re.MULTILINE)
    return {match[1]: match[2] for each in sections if (match := RULE.fullmatch(each))}


@pytest.mark.parametrize("rule", Rule)
def test_page_of_rules_explains_every_rule(rule: Rule) -> None:
    """Each rule has a meaning, its edges, and tests that are there and are about it."""
    meaning, edges, held = explained_rules()[rule].strip().split("\n\n")
    tests = re.findall(r"\[(test_\w+)\]\(\.\./(tests/test_\w+\.py)\)", held)
    # A promise, which no violation carries, shows in what it gives.
    word = "reminder" if rule is Rule.CERTIFICATE_RENEWAL_REMINDER_TRIGGERED else rule.value

    assert "" != meaning
    assert edges.startswith("- ")
    assert held.count("[") == len(tests) > 0
    assert [] == [test for test, module in tests if f"\ndef {test}(" not in read(ROOT / module)]
    assert any(word in read(ROOT / module).lower() for _, module in tests)


def test_page_of_rules_names_no_other() -> None:
    """What the page calls a rule is one."""
    assert set(Rule) == set(explained_rules())


def test_page_of_the_design_lists_every_module() -> None:
    """The table of modules has each module of the package, in the order of their imports."""
    package = Path(course_domain.__file__).parent
    modules = {path.stem for path in package.glob("*.py")} - {"__init__"}

    assert sorted(modules, key=ORDER.index) == list(rows(ROOT / "docs" / "design.md"))
