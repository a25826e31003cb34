"""The reference has every public name, and the page about versions the modules they are in."""

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from test_architecture import ORDER

DOCS = Path(__file__).parents[1] / "docs"
PUBLIC = {
    "course_domain",
    "course_domain.aio",
    "course_domain.aio_memory",
    "course_domain.aio_threads",
    "course_domain.memory",
    "course_domain.messages",
    "course_domain.serialization",
    "course_domain.sql",
    "course_domain.testing.conformance",
    "course_domain.testing.strategies",
}
"""The modules that a host imports from."""

INSIDE = {
    "aio_bridge", "aio_ports", "course_json", "course_text", "documents", "english", "keyset",
    "norwegian", "schema",
}  # fmt: skip
"""The modules behind the root that only others of the library import from."""


def documented() -> list[str]:
    """Give the full name of everything that a page of the reference documents."""
    pages = sorted((DOCS / "reference").glob("*.md"))
    directive = re.compile(r"^\.\. auto(?:class|data|exception|function):: (\S+)$", re.MULTILINE)
    return [name for page in pages for name in directive.findall(page.read_text(encoding="utf-8"))]


def public_names(module: ModuleType) -> Iterator[str]:
    """Yield what a module exports by its ``__all__``, else the classes and functions it makes."""
    if hasattr(module, "__all__"):
        yield from module.__all__
        return
    for name, value in vars(module).items():
        is_made = inspect.isclass(value) or inspect.isfunction(value)
        if is_made and value.__module__ == module.__name__ and not name.startswith("_"):
            yield name


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_in_the_reference(name: str) -> None:
    """Each public name of a module is documented, once, under the path it is imported by."""
    names = [f"{name}.{each}" for each in public_names(import_module(name))]

    assert [] != names
    assert [] == [each for each in names if documented().count(each) != 1]


@pytest.mark.parametrize("name", documented())
def test_reference_has_what_a_host_can_import(name: str) -> None:
    """What the reference documents is exported by a module that hosts import from."""
    module, _, attribute = name.rpartition(".")

    assert module in PUBLIC
    assert attribute in public_names(import_module(module))


def test_page_about_versions_names_the_public_modules() -> None:
    """What the page promises is what the reference has."""
    page = (DOCS / "versions.md").read_text(encoding="utf-8")
    promised = re.findall(r"`(course_domain[\w.]*)`", page.split("## What is not")[0])

    assert sorted(PUBLIC) == sorted(set(promised))


def test_every_module_is_public_or_inside() -> None:
    """A module behind the root is one that hosts import from, or is said not to be."""
    behind = ORDER[ORDER.index("__init__") + 1 :]
    public = {name.split(".")[1] for name in PUBLIC - {"course_domain"}}

    assert sorted(behind) == sorted(public | INSIDE)
