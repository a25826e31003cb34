"""The page of lives and answers, its pictures, and the order of answers among the rules."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

import answers
from answers import DONE, QUESTIONS, THE_SAME
from answers_page import DOCS, pages

SVG = "{http://www.w3.org/2000/svg}"


def name(path: Path) -> str:
    """Name a file in the id of a test."""
    return path.name


@pytest.mark.parametrize("path", pages(), ids=name)
def test_page_and_pictures_are_up_to_date(path: Path) -> None:
    """The page and its pictures are what the code says now."""
    command = "python tests/answers_page.py"

    assert pages()[path] == path.read_text(encoding="utf-8"), f"out of date: {command}"


@pytest.mark.parametrize(
    ("picture", "states", "commands"),
    [
        (
            "course.svg",
            ["draft", "published", "archived"],
            ["create", "publish", "archive", "unpublish", "archive", "restore"],
        ),
        (
            "registration.svg",
            ["not registered", "confirmed", "completed", "cancelled"],
            ["register", "cancel", "complete", "register"],
        ),
    ],
)
def test_picture_shows_a_whole_life(picture: str, states: list[str], commands: list[str]) -> None:
    """A picture has every state, every command that leads on, and words for who cannot see it."""
    root = ElementTree.fromstring((DOCS / "pictures" / picture).read_text(encoding="utf-8"))
    texts = [(each.get("class"), each.text) for each in root.iter(f"{SVG}text")]

    assert states == [text for kind, text in texts if kind == "name"]
    assert sorted(commands) == sorted(text or "" for kind, text in texts if kind == "command")
    assert "title desc" == root.get("aria-labelledby")
    assert all(root.findtext(f"{SVG}{each}") for each in ("title", "desc"))


@pytest.mark.parametrize("asked", QUESTIONS)
def test_rules_tell_the_order_of_answers(asked: str) -> None:
    """The table among the rules has the answers to each command in the order that it has them."""
    rules = (DOCS / "rules.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [1-7] \|.*\| (.*) \|$", rules, re.MULTILINE)
    # A revise is judged first: whether it changes anything shows only in the course that results.
    apart = {DONE, THE_SAME} if asked == "revise it" else {DONE}
    told = [each for each in answers.answers_in_order(*QUESTIONS[asked]) if each not in apart]
    places = [
        next(place for place, row in enumerate(rows) if each.removesuffix(" again") in row)
        for each in told
    ]

    assert sorted(places) == places
