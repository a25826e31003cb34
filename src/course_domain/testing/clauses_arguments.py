"""Clauses: the arguments that an adapter checks, and those it takes as they come."""

import re
from collections.abc import Callable, Iterable
from uuid import UUID, uuid4

from course_domain.course import CourseStatus
from course_domain.ports import MAX_CURSOR_LENGTH, Page
from course_domain.rules import InvalidValue, Rule
from course_domain.testing.bench import RepositoryBench
from course_domain.testing.clause import clause
from course_domain.testing.differences import brief
from course_domain.testing.expectations import (
    broken,
    expect,
    expect_invalid,
    expect_some,
    expect_true,
)
from course_domain.testing.listings import (
    certified,
    filled,
    listings,
    listings_and_empty_ones,
)

_OWN_RECORDS = 110  # more than any usual bound

# A limit that is no int at all may be told as a value of the wrong type as well.
_OUT_OF_RANGE = frozenset({Rule.OUT_OF_RANGE})
_NO_LIMIT = frozenset({Rule.OUT_OF_RANGE, Rule.WRONG_TYPE})
_NO_CURSORS = (
    *("", " ", "å", "a b", "!", "\x00", "\ud800"),
    "a" * (MAX_CURSOR_LENGTH + 1),
    "9" * 5_000,  # more digits than Python reads
)
_HARDLY_CURSORS = (
    *("nonsense", "~", "0", "-1", "courses.1", "...", "2027-01-01"),
    *(sign + "9" * 40 + "." + "0" * 32 for sign in ("", "-")),
)
_UNKNOWN_CURSOR = frozenset({Rule.UNKNOWN_CURSOR})


@clause("ARGUMENTS-1")
def a_limit_out_of_bounds_is_refused(bench: RepositoryBench) -> None:
    """Every listing refuses a limit that is no int from 1 to 200, and takes 1 and 200.

    A failure means that a caller can ask for a page without end, or gets a page of True items.

    A correct adapter begins each listing with `page_limit(limit)`, before it looks at anything.
    """
    stored = bench.stored()
    for organization_id in (stored.organization_id, uuid4()):
        for name, listing in listings_and_empty_ones(bench.repository, organization_id).items():
            for limit in (0, -1, 201):
                what = f"{name} with limit={limit!r}"
                expect_invalid(_OUT_OF_RANGE, "limit", lambda: listing(limit=limit), what)
            for mistyped in (True, None, "50", 1.5):
                what = f"{name} with limit={mistyped!r}"
                expect_invalid(_NO_LIMIT, "limit", lambda: listing(limit=mistyped), what)
            for limit in (1, 200):
                expect_true(_is_page(listing(limit=limit)), f"{name} takes limit={limit}")


def _is_page(answer: object) -> bool:
    return isinstance(answer, Page)


@clause("ARGUMENTS-2")
def what_is_no_cursor_is_refused(bench: RepositoryBench) -> None:
    """Every listing refuses an `after` that it cannot read back whole, the empty text too.

    A failure means that a damaged cursor crashes the caller, or begins the list anew unnoticed.

    A correct adapter reads the whole cursor, strictly, before anything else, and raises
    `unknown_cursor()` for what it never wrote.
    """
    stored = bench.stored()
    for organization_id in (stored.organization_id, uuid4()):
        for name, listing in listings_and_empty_ones(bench.repository, organization_id).items():
            for after in _NO_CURSORS:
                what = f"{name} with after={brief(after)}"
                expect_invalid(_UNKNOWN_CURSOR, "after", lambda: listing(after=after), what)
            for after in _HARDLY_CURSORS:
                _expect_cursor_or_refusal(lambda: listing(after=after), f"{name}, {after!r}")
    for name, listing in listings(bench.repository, filled(bench)).items():
        cursor = expect_some(listing(limit=2).next, f"{name}: the cursor behind two")
        for after in _damaged(cursor):
            _expect_cursor_or_refusal(lambda: listing(after=after), f"{name}, {after!r}")


def _damaged(cursor: str) -> set[str]:
    """Give what might become of a cursor in a URL that somebody cuts or edits."""
    edited = {re.sub(pattern, to, cursor) for pattern in ("[0-9]", "[a-z]") for to in "09fz-"}
    cut = {cursor[: len(cursor) // 2], cursor[:-1], cursor[1:], cursor[::-1], cursor.swapcase()}
    edited.add(re.sub("[0-9]+", "9" * 40, cursor, count=1))
    return {each for each in edited | cut | {cursor + "0", cursor + cursor[-4:]} if each}


def _expect_cursor_or_refusal(listing: Callable[[], Page[object]], what: str) -> None:
    """Let an adapter read a text as a place of its own, as long as it does not stumble."""
    try:
        observed: object = listing()
    except InvalidValue as error:
        observed = {violation.rule for violation in error.violations}
        expect(set(_UNKNOWN_CURSOR), observed, f"{what}: the rule")
    except Exception as error:
        raise broken(
            f"{what}: a text that is no cursor",
            "InvalidValue with unknown_cursor",
            f"{type(error).__name__}: {error}",
        ) from error


@clause("ARGUMENTS-3")
def ids_and_statuses_come_in_any_iterable(bench: RepositoryBench) -> None:
    """`statuses` and `course_ids` may be any iterable, read once; repeats count once.

    A failure means that a caller who passes a generator or a set gets a wrong answer.

    A correct adapter makes a tuple or a set of what it is given, once, and then works on that: an
    iterator does not tell whether there is anything in it.
    """
    stored = bench.stored()
    organization_id, user_id = stored.organization_id, uuid4()
    published = (CourseStatus.PUBLISHED, CourseStatus.PUBLISHED)
    for statuses in (
        list(published),
        set(published),
        iter(published),
        iter(published[:1]),
        dict.fromkeys(published),
    ):
        page = bench.repository.courses(organization_id, statuses=statuses)
        expect((stored,), page.items, f"courses with statuses as {type(statuses).__name__}")
    no_statuses: tuple[Iterable[CourseStatus], ...] = ((), set(), iter(()), filter(None, ()))
    for nothing in no_statuses:
        page = bench.repository.courses(organization_id, statuses=nothing)
        expect((), page.items, f"courses of no status, as {type(nothing).__name__}")
    ids = (stored.id, uuid4(), stored.id)
    for course_ids in (list(ids), set(ids), iter(ids), iter(ids[:1]), dict.fromkeys(ids)):
        found = bench.repository.participations(organization_id, course_ids, user_id)
        what = f"participations with course_ids as {type(course_ids).__name__}"
        expect({stored.id}, set(found), what)
    no_courses: tuple[Iterable[UUID], ...] = ([], iter(()))
    for no_ids in no_courses:
        found = bench.repository.participations(organization_id, no_ids, user_id)
        expect({}, dict(found), f"participations of no ids, as {type(no_ids).__name__}")


@clause("ARGUMENTS-4")
def two_hundred_participations_come_in_one_call(bench: RepositoryBench) -> None:
    """`participations` takes 200 ids in one call and gives every one that there is, whole.

    A failure means that a full page of courses cannot be shown with its offers.

    A correct adapter asks its storage in parts where a statement takes fewer parameters, and for
    all rows that match, whatever a page is elsewhere.
    """
    organization_id, user_id = uuid4(), uuid4()
    courses = [bench.stored(organization_id=organization_id) for _ in range(200)]
    known = [each.id for each in courses]
    taken = known[-_OWN_RECORDS:]
    for on in courses[-_OWN_RECORDS:]:
        certified(bench, on, user_id)
    for ids, some in (
        (known, "200 ids"),
        ([*known[:10], *(uuid4() for _ in range(180)), *known[-10:]], "20 ids among others"),
    ):
        found = bench.repository.participations(organization_id, ids, user_id)
        expect(set(known) & set(ids), set(found), f"the courses found of {some}")
        registered = {key for key, entry in found.items() if entry.registration is not None}
        expect(set(taken) & set(ids), registered, f"those of {some} with a registration")
        complete = {key for key, entry in found.items() if entry.certificate is not None}
        expect(set(taken) & set(ids), complete, f"those of {some} with a certificate")


CLAUSES = (
    a_limit_out_of_bounds_is_refused,
    what_is_no_cursor_is_refused,
    ids_and_statuses_come_in_any_iterable,
    two_hundred_participations_come_in_one_call,
)
