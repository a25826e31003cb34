"""Clauses: keys, and the boundary between organizations."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.course import Course, CourseStatus
from course_domain.errors import CourseNotFound, DuplicateCourse
from course_domain.participation import Participation
from course_domain.ports import CourseRepository
from course_domain.testing.bench import RepositoryBench, cancelled, change, confirmed, shown
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_error, expect_some
from course_domain.testing.listings import listings_and_empty_ones

_TIMES = 16  # one more than the connections that a pool usually has


@clause("KEYS-1")
def get_gives_what_was_added(bench: RepositoryBench) -> None:
    """`get` gives the course that this organization added, else None.

    A failure means that a course is lost, or shown under a key that is not its own.

    A correct adapter looks a course up by organization and id together.
    """
    stored = bench.stored()
    get = bench.repository.get
    expect(stored, get(stored.organization_id, stored.id), "get by both keys")
    expect(None, get(stored.organization_id, uuid4()), "get of an unknown id")
    expect(None, get(uuid4(), stored.id), "get from another organization")


@clause("KEYS-2")
def an_id_that_is_taken_is_refused(bench: RepositoryBench) -> None:
    """`add` raises DuplicateCourse, with the id, when this organization has it; nothing changes.

    A failure means that adding twice overwrites a course, or loses what hangs on it.

    A correct adapter relies on the storage's own uniqueness, for an equal course and for one that
    is archived too. It gives its connection back each time.
    """
    repository, organization_id = bench.repository, uuid4()
    courses: list[Course] = []
    for status in CourseStatus:
        stored = bench.stored(organization_id=organization_id, status=status, title="first")
        courses.append(stored)
        for again in [stored, attrs.evolve(stored, title="second")] * (_TIMES // 2):
            error = expect_error(
                DuplicateCourse, lambda: repository.add(again), f"add of a {status} course's id"
            )
            expect(stored.id, error.course_id, "the error's course_id")
        found = repository.get(organization_id, stored.id)
        expect(stored, found, f"the {status} course after a refused add")
    listed_ids = {each.id for each in repository.courses(organization_id).items}
    expect({each.id for each in courses}, listed_ids, "the list")


@clause("KEYS-3")
def an_id_of_another_organization_is_refused_or_kept_apart(bench: RepositoryBench) -> None:
    """`add` of an id that another organization has is a DuplicateCourse, or a course of its own.

    A failure means that one organization can overwrite or hide what another has.

    A correct adapter has the organization in its key, or the id unique over all of them.
    """
    theirs = bench.stored(title="theirs")
    whose = uuid4()
    done = bench.complete(theirs, whose)
    entry = attrs.evolve(done, reminder=None)
    ours = attrs.evolve(theirs, organization_id=uuid4(), title="ours")
    try:
        bench.repository.add(ours)
    except DuplicateCourse as error:
        expect(theirs.id, error.course_id, "the error's course_id")
        expected: Course | None = None
    else:
        expected = ours
    get = bench.repository.get
    expect(expected, get(ours.organization_id, ours.id), "the second organization's course")
    if expected is not None:
        _expect_kept_apart(bench, ours, whose)
    expect(theirs, get(theirs.organization_id, theirs.id), "the first organization's course")
    expect((theirs,), bench.repository.courses(theirs.organization_id).items, "its list")
    expect(entry, shown(bench.repository, theirs, whose), "a person's participation in it")
    for records in _records_of(bench.repository, theirs, whose):
        expect((entry.registration, entry.certificate), records, "the first one's records")
    pending = bench.repository.pending_reminders().items
    expect(True, done.reminder in pending, "whether the first one's reminder waits")


def _expect_kept_apart(bench: RepositoryBench, ours: Course, whose: UUID) -> None:
    """Fail where a second course with one id has something of the first; change all of it."""
    empty = Participation(course=ours, confirmed_count=0, user_id=whose)
    expect(empty, shown(bench.repository, ours, whose), "the second organization's participation")
    for records in _records_of(bench.repository, ours, whose):
        expect((), records, "its records of that person")
    changed = bench.repository.change_course(
        ours.organization_id, ours.id, lambda seen: attrs.evolve(seen, title="changed")
    )
    expect((changed,), bench.repository.courses(ours.organization_id).items, "its list")
    bench.register(ours, whose)
    change(bench.repository, ours, whose, cancelled)
    bench.register(ours)
    count = shown(bench.repository, ours, whose).confirmed_count
    expect(1, count, "the second organization's confirmed count")
    done = bench.complete(ours, whose)
    expect_some(done.certificate, "the second organization's certificate for that person")
    expected = attrs.evolve(done, reminder=None)
    expect(expected, shown(bench.repository, ours, whose), "that person, completed there too")
    pending = bench.repository.pending_reminders().items
    expect(True, done.reminder in pending, "whether the second one's reminder waits")


def _records_of(
    repository: CourseRepository, on: Course, whose: UUID
) -> Iterator[tuple[object, ...]]:
    """Give a person's registrations and certificates, as each filter that fits finds them."""
    queries: tuple[dict[str, Any], ...] = (
        {"user_id": whose},
        {"course_id": on.id},
        {"course_id": on.id, "user_id": whose},
    )
    for query in queries:
        yield (
            *repository.registrations(on.organization_id, **query).items,
            *repository.certificates(on.organization_id, **query).items,
        )


@clause("KEYS-4")
def a_change_of_no_course_asks_nobody(bench: RepositoryBench) -> None:
    """Both changes raise CourseNotFound, with the id, for a missing and for a foreign course.

    A failure means that a decision is made about nothing, or that another organization's course
    can be changed.

    A correct adapter loads by organization and id, and asks `decide` only about what it found. It
    gives its connection back each time.
    """
    stored = bench.stored()
    asked: list[object] = []

    def decide_course(seen: Course) -> Course:
        asked.append(seen)
        return seen

    def decide_participation(seen: Participation) -> Participation:
        asked.append(seen)
        return confirmed(seen)

    for organization_id, course_id in ((stored.organization_id, uuid4()), (uuid4(), stored.id)):
        for call in (
            lambda: bench.repository.change_course(organization_id, course_id, decide_course),
            lambda: bench.repository.change_participation(
                organization_id, course_id, uuid4(), decide_participation
            ),
        ):
            for _ in range(_TIMES):
                error = expect_error(CourseNotFound, call, "a change of a course that is not there")
                expect(course_id, error.course_id, "the error's course_id")
    expect([], asked, "what decide was asked")
    expect(0, shown(bench.repository, stored, uuid4()).confirmed_count, "the confirmed count")


@clause("KEYS-5")
def a_person_without_a_registration_has_an_entry(bench: RepositoryBench) -> None:
    """`participations` leaves out only courses that this organization does not have.

    A failure means that a course without a registration, a draft or an archived one, vanishes
    from the offers.

    A correct adapter joins the registration from outside, and judges no status.
    """
    organization_id, user_id = uuid4(), uuid4()
    courses = [bench.stored(organization_id=organization_id, status=each) for each in CourseStatus]
    foreign = bench.stored()
    bench.register(courses[0])
    ids = [*(each.id for each in courses), foreign.id, uuid4()]
    expected = {
        each.id: Participation(
            course=each, confirmed_count=int(each == courses[0]), user_id=user_id
        )
        for each in courses
    }
    found = bench.repository.participations(organization_id, ids, user_id)
    expect(expected, dict(found), "participations of somebody without a registration")


@clause("KEYS-6")
def reading_stores_nothing(bench: RepositoryBench) -> None:
    """No read leaves a trace: not of people, courses or organizations that were only asked for.

    A failure means that looking at a list fills it.

    A correct adapter writes in `add`, in the two changes and in the mark, and nowhere else.
    """
    stored = bench.stored()
    organization_id, stranger = stored.organization_id, uuid4()
    for _ in range(2):
        entry = shown(bench.repository, stored, stranger)
        expect((0, None), (entry.confirmed_count, entry.registration), "a stranger's entry")
        bench.repository.get(organization_id, uuid4())
        for name, listing in listings_and_empty_ones(bench.repository, organization_id).items():
            expected = (stored,) if name == "courses" else ()
            expect(expected, listing(limit=50).items, f"{name} after reading")


@clause("KEYS-7")
def no_organization_sees_another(bench: RepositoryBench) -> None:
    """Nothing of one organization stands in an answer to another: ``org_scoped_course_access``.

    A failure means that the data of one patient organization leaks into another's.

    A correct adapter has the organization in the condition of every query but the outbox's.
    """
    user_id = uuid4()
    theirs = bench.stored()
    done = bench.complete(theirs, user_id)
    ours = bench.stored(created_by=theirs.created_by)
    for name, listing in listings_and_empty_ones(bench.repository, ours.organization_id).items():
        if name == "pending_reminders":
            continue
        expected = (ours,) if name == "courses" else ()
        expect(expected, listing(limit=50).items, f"{name} of another organization")
    expect(0, shown(bench.repository, ours, user_id).confirmed_count, "the confirmed count")
    as_if_ours = attrs.evolve(theirs, organization_id=ours.organization_id)
    for found in (
        *_records_of(bench.repository, as_if_ours, user_id),
        tuple(bench.repository.participations(ours.organization_id, [theirs.id], user_id)),
    ):
        expect((), found, "what another organization finds")
    expect_some(done.reminder, "the reminder in the answer")
    change(bench.repository, ours, user_id, confirmed)
    expect(1, shown(bench.repository, theirs, user_id).confirmed_count, "the count over there")


@clause("KEYS-8")
def two_repositories_are_apart(bench: RepositoryBench) -> None:
    """Each repository that is made is empty and of its own; the same ids may be in both.

    A failure means that tests, or tenants with a store each, see each other's data.

    A correct adapter keeps its state in the object or its store, never in the class or module.
    """
    second = bench.another_repository()
    stored = bench.stored()
    done = bench.complete(stored)
    expect(None, second.get(stored.organization_id, stored.id), "the course in the second")
    for name, listing in listings_and_empty_ones(second, stored.organization_id).items():
        expect((), listing(limit=50).items, f"{name} of the second repository")
    second.add(stored)
    expect(0, shown(second, stored, done.user_id).confirmed_count, "the count in the second")
    again = change(second, stored, done.user_id, lambda _seen: done)
    expect(done, again, "the same completion in the second")
    second.mark_reminder_scheduled(expect_some(done.reminder, "the reminder in the answer"))
    pending = bench.repository.pending_reminders().items
    expect((done.reminder,), pending, "the outbox of the first after a mark in the second")


CLAUSES = (
    get_gives_what_was_added,
    an_id_that_is_taken_is_refused,
    an_id_of_another_organization_is_refused_or_kept_apart,
    a_change_of_no_course_asks_nobody,
    a_person_without_a_registration_has_an_entry,
    reading_stores_nothing,
    no_organization_sees_another,
    two_repositories_are_apart,
)
