import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from course_domain.testing.clause import Clause
from course_domain.testing.conformance import ASYNC_REPOSITORY_CLAUSES, SCHEDULER_CLAUSES
from course_domain.testing.contract_page import contract_page

PAGE = Path(__file__).parents[1] / "docs" / "contract.md"
CLAUSES: tuple[Clause[Any], ...] = (*ASYNC_REPOSITORY_CLAUSES, *SCHEDULER_CLAUSES)
each_clause = pytest.mark.parametrize("clause", CLAUSES, ids=lambda clause: clause.id)


def test_page_is_up_to_date() -> None:
    """The page in the docs is what the clauses say now."""
    command = "python -m course_domain.testing.contract_page > docs/contract.md"

    assert contract_page() == PAGE.read_text(encoding="utf-8"), f"out of date: {command}"


def test_page_is_written_by_its_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Run as a program, the module prints the page."""
    name = "course_domain.testing.contract_page"
    monkeypatch.delitem(sys.modules, name)
    runpy.run_module(name, run_name="__main__")

    assert contract_page() == capsys.readouterr().out


@each_clause
def test_clause_has_its_section(clause: Clause[Any]) -> None:
    """Each clause has one section, with its promise, its failure and its remedy."""
    sections = re.split(r"^###? ", contract_page(), flags=re.MULTILINE)
    (section,) = [each for each in sections if each.startswith(f"{clause.id}: ")]
    promise, failure, remedy = section.replace("**", "").strip().split("\n- ")

    assert promise.split("\n\n")[0].lower() == f"{clause.id}: {clause.name}".lower()
    assert failure.startswith("A failure means that ")
    assert remedy.startswith("A correct adapter ")
    assert {each for each in ("threads", "shared_store") if f"`{each}`" in promise} == clause.needs


def test_ids_are_unique() -> None:
    """No id stands for two clauses, and each is a group and a number from 1 on."""
    ids = [clause.id for clause in CLAUSES]

    assert len(ids) == len(set(ids))
    assert [] == [each for each in ids if not re.fullmatch(r"[A-Z]+(-[A-Z]+)*-[1-9][0-9]?", each)]


def test_contents_lead_to_the_sections() -> None:
    """Each row of the contents leads to a heading of the page."""
    page = contract_page()
    anchors = set(re.findall(r"\]\(#([a-z-]+)\)", page))
    headings = re.findall(r"^## (.*)$", page, re.MULTILINE)

    assert anchors == {heading.lower().replace(" ", "-") for heading in headings}


@each_clause
def test_contents_tell_every_clause(clause: Clause[Any]) -> None:
    """The row of a group tells its ids from the first to the last, in whatever order they run."""
    group, _, number = clause.id.rpartition("-")
    (row,) = re.findall(rf"^\|.*\| {group}-1(?: to (\d+))? \|$", contract_page(), re.MULTILINE)

    assert 1 <= int(number) <= int(row or 1)
