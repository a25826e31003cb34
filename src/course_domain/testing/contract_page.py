"""The page of the contract, written from the clauses.

``python -m course_domain.testing.contract_page > docs/contract.md``
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any

from course_domain.testing import clauses_async
from course_domain.testing.clause import Clause
from course_domain.testing.conformance import ASYNC_SCHEDULER_CLAUSES, REPOSITORY_CLAUSES

_BEGINNING = """\
# The contract

What a storage promises when it stands behind `CourseRepository`, and a scheduler behind
`ReminderScheduler`, or behind [their async twins](async.md): one clause for each promise. The
docstrings of these protocols are the contract in one piece; the clauses are what
[the kit](testing.md) holds your adapter to, and it holds it to nothing else. To build one, begin
with [Write an adapter](write-an-adapter.md).

Each clause says what is promised, what a failure means for the people who use your service, and
what a correct adapter does.

**Ids are stable.** A failure shows the id of its clause, a skipped test names it, and
`known_defects` declares a defect by it. A clause that is dropped leaves its number unused.
`pytest -k KEYS-2-` runs one clause alone; with the hyphen behind, as `RACE-1` begins `RACE-10` too.

**Some clauses need a capability** that your test class declares in `capabilities`. Where it is not
declared they are skipped, each with its id.

- `threads`: many threads may call one object at once. Whatever a server uses must be able to.
  Many tasks always call an async adapter at once, so there it is no question and not declared.
- `shared_store`: two objects can stand over one store. The kit has both in one process: what they
  share there beside the store, as a lock of a module, it does not see. So there is
  [a test for two processes](write-an-adapter.md#11-two-processes), to be made your own.

This page is written by `python -m course_domain.testing.contract_page`.
"""

# The groups of clauses: a heading, and what its clauses have in common.
_GROUPS = {
    "ARGUMENTS": (
        "Arguments",
        "What a call may be given, and what is refused before anything is looked at.",
    ),
    "KEYS": (
        "Keys",
        "A course is known by organization and id; the organization is the boundary of the tenant.",
    ),
    "VALUES": (
        "Values",
        "What comes back is what was stored. These clauses try many values, nasty ones above all.",
    ),
    "COURSES": ("Lists of courses", "In order of their start, under any filters."),
    "REGISTRATIONS": (
        "Lists of registrations",
        "In order of the time at which the seat was taken.",
    ),
    "CERTIFICATES": (
        "Lists of certificates",
        "In order of their expiry, for whoever asks who is to be renewed.",
    ),
    "PAGES": ("Pages", "How any list is read page by page, while others write."),
    "DECIDE": (
        "Decisions",
        "What `decide` is shown, and what becomes of what it raises or answers.",
    ),
    "STORE": (
        "What is stored of an answer",
        "Of an answer about a participation three records are stored, as one, and nothing else.",
    ),
    "OUTBOX": (
        "The outbox",
        "Nothing is lost between a certificate that is stored and a reminder that is scheduled.",
    ),
    "SHARED": (
        "Two objects over one store",
        "What one object promises holds across all that stand over its store, here in one process.",
    ),
    "MODEL": (
        "All of it together",
        "Everything is called in any order, and each answer compared with that of a naive model.",
    ),
    "RACE": (
        "Forced races",
        (
            "A rival is started from inside the first call's decision, in a thread of its own, so"
            " that the two are certain to meet. An adapter that locks makes the rival wait, one"
            " that compares asks again. Both are right: the verdict is read from the final state."
            " On an event loop a decision must not wait, so the first call waits instead, where its"
            " adapter gives the loop away for the first time after the decision."
        ),
    ),
    "CROWD": ("Crowds", "The same promises, with many calls let go together."),
    "SCHEDULE": (
        "Reminders that are scheduled",
        "A reminder is offered at least once, and takes effect once.",
    ),
    "ASYNC": (
        "Cancelled calls",
        (
            "For an async adapter, beside all of the above. Each call is made again and again, and"
            " cancelled where it waits for the first time, for the second, and so on to its end;"
            " ASYNC-6 alone cancels nothing."
        ),
    ),
}

_PORTS: tuple[tuple[str, tuple[Clause[Any], ...]], ...] = (
    ("CourseRepository", REPOSITORY_CLAUSES),
    ("ReminderScheduler", ASYNC_SCHEDULER_CLAUSES),
    ("AsyncCourseRepository", clauses_async.CLAUSES),
)


def contract_page() -> str:
    """Write the page that lists every clause, as Markdown."""
    return "\n".join([_BEGINNING, *_contents(), *_sections()])


def _groups(clauses: Iterable[Clause[Any]]) -> Iterator[tuple[str, list[Clause[Any]]]]:
    for group, members in groupby(clauses, key=lambda each: each.id.rpartition("-")[0]):
        yield group, sorted(members, key=_number)


def _number(clause: Clause[Any]) -> int:
    return int(clause.id.rpartition("-")[2])


def _contents() -> Iterator[str]:
    yield "| port | group | clauses |"
    yield "|---|---|---|"
    for port, clauses in _PORTS:
        for group, members in _groups(clauses):
            heading, _ = _GROUPS[group]
            anchor = heading.lower().replace(" ", "-").replace(",", "")
            first, last = members[0].id, _number(members[-1])
            ids = first if len(members) == 1 else f"{first} to {last}"
            yield f"| `{port}` | [{heading}](#{anchor}) | {ids} |"
    yield ""


def _sections() -> Iterator[str]:
    for _, clauses in _PORTS:
        for group, members in _groups(clauses):
            heading, sentence = _GROUPS[group]
            yield f"## {heading}\n\n{sentence}\n"
            yield from map(_section, members)


def _section(clause: Clause[Any]) -> str:
    promise, failure, remedy = (text.replace("``", "`") for text in clause.paragraphs)
    needed = " and ".join(f"`{each}`" for each in sorted(clause.needs))
    needs = f" Needs {needed}." if needed else ""
    failure = failure.replace("A failure means", "**A failure means**", 1)
    remedy = remedy.replace("A correct adapter", "**A correct adapter**", 1)
    name = clause.name[0].upper() + clause.name[1:]
    return f"### {clause.id}: {name}\n\n{promise}{needs}\n\n- {failure}\n- {remedy}\n"


if __name__ == "__main__":
    sys.stdout.write(contract_page())
