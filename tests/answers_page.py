"""Writes the page of lives and answers, and its pictures: ``python tests/answers_page.py``."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import answers
from answers import DONE, QUESTIONS, REGISTRATIONS, THE_SAME, Life
from answers_picture import picture
from course_domain import CourseStatus

DOCS = Path(__file__).parents[1] / "docs"

_BEGIN = """\
# Lives and answers

How a course and a registration live, and which answer a command gets. What the answers mean stands
with [the rules](rules.md#which-answer-comes-first).

This page and its pictures are written by `python tests/answers_page.py`, from `COURSE_TRANSITIONS`
and by asking the decisions.
"""
_COURSE = """
## The life of a course

![{title}. {words}](pictures/course.svg)

An admin of the organisation moves a course, and may revise it in any status. Registrations stay,
whatever its status is.

"""
_REGISTRATION = """
## The life of a registration

![{title}. {words}](pictures/registration.svg)

People register and cancel for themselves; an admin may cancel for somebody, and completes. After a
cancel the same registration is confirmed again, if every rule holds anew. Nothing leads out of a
completion, and who completed keeps the seat.

"""
_ORDER = """
## Which answer comes first

Each command was asked with everything wrong at once, and then again without what it had told,
until it was done:

"""


def pages() -> Mapping[Path, str]:
    """Give every file that this writes, and what stands in it."""
    course, registration = answers.life_of_a_course(), answers.life_of_a_registration()
    titles = "The life of a course", "The life of a registration"
    viewers = {status.value: f"seen by {answers.seen_by(status)}" for status in CourseStatus}
    seats = {
        state: "holds a seat" if answers.holds_a_seat(held) else "no seat"
        for state, held in REGISTRATIONS.items()
    }
    text = [
        _BEGIN,
        _COURSE.format(title=titles[0], words=answers.in_words(course)),
        *_table(course, "status"),
        _REGISTRATION.format(title=titles[1], words=answers.in_words(registration)),
        *_table(registration, "state"),
        _ORDER,
        *_order(),
    ]
    return {
        DOCS / "answers.md": "".join(text),
        DOCS / "pictures" / "course.svg": picture(titles[0], course, viewers, begins_with="create"),
        DOCS / "pictures" / "registration.svg": picture(titles[1], registration, seats),
    }


def _table(life: Life, word: str) -> Iterator[str]:
    commands = list(next(iter(life.values())))
    yield _row([word, *(f"`{name}`" for name in commands)])
    yield _row(["---"] * (len(commands) + 1))
    for state, ways in life.items():
        yield _row([state, *(_end(life, state, end) for end in ways.values())])


def _end(life: Life, state: str, end: str) -> str:
    if end not in life:
        return f"`{end}`"
    return THE_SAME if end == state else end


def _order() -> Iterator[str]:
    yield _row(["asked to", "answers, in this order"])
    yield _row(["---", "---"])
    for name, (question, faults) in QUESTIONS.items():
        told = answers.answers_in_order(question, faults)
        yield _row([name, ", ".join(_as_code(answer) for answer in told)])


def _as_code(answer: str) -> str:
    return answer if answer in {DONE, THE_SAME} else f"`{answer}`"


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


if __name__ == "__main__":
    for path, text in pages().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
