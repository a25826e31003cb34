import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, find, settings
from hypothesis import strategies as st

import course_domain
from course_domain import (
    Actor,
    Course,
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
)
from course_domain.testing import hypothesis_hook

RECORDS = (
    Actor,
    Course,
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
)
each_shape = pytest.mark.parametrize("name", ["CourseChanges", "CourseDetails"])
each_record = pytest.mark.parametrize("name", [record.__name__ for record in RECORDS])

# What the plugins of others bring, such as that of trio, or Hypothesis for anybody who registers
# a strategy, is no matter of ours.
PLUGINS_OF_OTHERS = """
import hypothesis, course_domain
hypothesis.strategies.register_type_strategy(type("Others", (), {}), hypothesis.strategies.none())
from importlib.metadata import entry_points

for each in entry_points(group="hypothesis"):
    if each.name != "course_domain":
        each.load()()
"""

# A finder that stands first refuses a module, however that is installed.
MISSING = """
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import {module}
"""


@pytest.fixture(scope="session")
def installed() -> None:
    """Require that the package is installed, as hosts have it: an entry point is found so."""
    names = {each.name for each in entry_points(group="hypothesis")}
    assert "course_domain" in names, (
        "course_domain is not installed in this environment, so Hypothesis cannot find its entry"
        " point: pip install -e '.[dev]'"
    )


def python(folder: Path, code: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a process of its own, which imports only what is installed."""
    return subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", code],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def modules(folder: Path, code: str, **variables: str) -> set[str]:
    """Give the modules that a program has imported in the end."""
    ended = python(folder, f"{code}\nimport sys\nprint(*sys.modules)", **variables)
    assert "" == ended.stderr
    return set(ended.stdout.split())


@pytest.mark.usefixtures("installed")
@each_record
def test_strategy_is_found_for_a_record(name: str, tmp_path: Path) -> None:
    """`from_type` makes valid records, without an import of ours but that of the class."""
    code = f"""
from course_domain import {name}
from hypothesis import given, settings, strategies as st

@settings(deadline=None)
@given(st.from_type({name}))
def is_made(made):
    assert type(made) is {name}

is_made()
"""

    assert "" == python(tmp_path, code).stderr


@pytest.mark.usefixtures("installed")
@each_shape
def test_strategy_is_found_for_what_an_author_gives(name: str, tmp_path: Path) -> None:
    """`from_type` makes details and changes that are valid, and not any dictionary of the shape."""
    code = f"""
import course_domain
from hypothesis import given, settings, strategies as st

@settings(deadline=None)
@given(st.from_type(course_domain.{name}))
def is_valid(made):
    assert () == course_domain.course_violations(**made)

is_valid()
"""

    assert "" == python(tmp_path, code).stderr


@pytest.mark.usefixtures("installed")
def test_values_are_given_by_annotation(tmp_path: Path) -> None:
    """A test that says what it takes is given it, by a bare ``@given(...)``."""
    script = tmp_path / "given_by_annotation.py"
    script.write_text(
        """
from course_domain import Actor, Course, can_view
from hypothesis import given, settings

@settings(deadline=None)
@given(...)
def nobody_sees_a_foreign_course(course: Course, actor: Actor):
    assert not can_view(course, actor) or course.organization_id == actor.organization_id

nobody_sees_a_foreign_course()
print("held")
""",
        encoding="utf-8",
    )
    ended = python(tmp_path, f"import runpy; runpy.run_path({str(script)!r})")

    assert ("held\n", "") == (ended.stdout, ended.stderr)


@pytest.mark.usefixtures("installed")
def test_hook_imports_no_more_than_the_package(tmp_path: Path) -> None:
    """Importing Hypothesis brings in `course_domain` and the hook, and nothing that they share."""
    with_hook = modules(tmp_path, "import hypothesis")
    without = modules(tmp_path, PLUGINS_OF_OTHERS, HYPOTHESIS_NO_PLUGINS="1")
    brought = {name for name in with_hook - without if not name.startswith("hypothesis.")}

    assert {"course_domain.testing", "course_domain.testing.hypothesis_hook"} == brought


@pytest.mark.usefixtures("installed")
def test_strategies_do_not_bring_in_the_kit(tmp_path: Path) -> None:
    """Asking for a type imports the strategies, and neither the kit, cattrs nor pytest."""
    asked = "import course_domain.testing.hypothesis_hook as hook\nhook.register()\n"
    code = f"{asked}hook.st.from_type(course_domain.Course)"
    loaded = modules(tmp_path, f"import course_domain\n{code}", HYPOTHESIS_NO_PLUGINS="1")

    assert "course_domain.testing.strategies" in loaded
    assert set() == {"cattrs", "pytest", "_pytest", "course_domain.testing.conformance"} & loaded


def test_page_names_each_type_that_has_a_strategy() -> None:
    """The page on testing names the values for which `from_type` is ours, and only these."""
    page = (Path(__file__).parents[1] / "docs" / "testing.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"`from_type\((.*?) and the enumerations\.", page, re.DOTALL)

    known = {*(record.__name__ for record in RECORDS), "CourseChanges", "CourseDetails"}
    assert known == set(re.findall("[A-Z][A-Za-z]+", told))


@pytest.mark.parametrize(
    "kind", [*RECORDS, course_domain.CourseChanges, course_domain.CourseDetails]
)
def test_registered_strategy_is_ours(kind: Any) -> None:
    """Registering again changes nothing, and each type is made by the strategy of its name."""
    hypothesis_hook.register()
    limits = settings(max_examples=10, phases=[Phase.generate], deadline=None, database=None)

    made = find(st.from_type(kind), lambda _made: True, settings=limits)

    assert isinstance(made, kind if kind in RECORDS else dict)


@pytest.mark.parametrize(
    ("missing", "module"),
    [
        ("hypothesis", "course_domain.testing"),
        ("hypothesis", "course_domain.testing.strategies"),
        ("hypothesis", "course_domain.testing.conformance"),
        ("pytest", "course_domain.testing.conformance"),
    ],
)
def test_missing_extra_is_named(missing: str, module: str) -> None:
    """Without what the extra brings, the import says which extra to install."""
    code = MISSING.format(missing=missing, module=module)
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert 1 == ended.returncode
    assert "pip install 'course-domain[testing]'" in ended.stderr.splitlines()[-1]


def test_strategies_do_without_pytest() -> None:
    """Strategies need Hypothesis only: a host may run its tests by another runner."""
    code = MISSING.format(missing="pytest", module="course_domain.testing.strategies")

    subprocess.run([sys.executable, "-c", code], check=True)
