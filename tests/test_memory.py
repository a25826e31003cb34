import gc
import sys
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from threading import Barrier, Event, Thread
from typing import Any, NoReturn
from uuid import UUID

import attrs
import pytest

from builders import (
    COURSE_ID,
    NOW,
    ORGANIZATION_ID,
    OTHER_COURSE_ID,
    OTHER_ORGANIZATION_ID,
    OTHER_USER_ID,
    START,
    TICK,
    USER_ID,
    actor,
    cancelled,
    certificate,
    course,
    participation,
    registration,
    reminder,
)
from course_domain import (
    Course,
    CourseNotFound,
    CourseStatus,
    CourseType,
    DuplicateCourse,
    InvalidValue,
    Page,
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationRejected,
    RepositoryUnavailable,
    Rule,
    decisions,
    keyset,
    memory,
)
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler

DRAFT, PUBLISHED, ARCHIVED = CourseStatus.DRAFT, CourseStatus.PUBLISHED, CourseStatus.ARCHIVED
INSIDE: Any = memory
BOUND = 10  # seconds after which a thread that never answers is given up
MOMENT = 0.1  # seconds that a rival is given where it should not be able to go on


@pytest.fixture
def repository() -> InMemoryCourseRepository:
    """Give a repository that has `course()`."""
    repository = InMemoryCourseRepository()
    repository.add(course())
    return repository


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Give threads, and wait for them in the end."""
    with ThreadPoolExecutor(max_workers=50) as pool:
        yield pool


def user(number: int) -> UUID:
    """Give the id of one of many people."""
    return UUID(int=number)


def answers(**fields: Any) -> Callable[[Participation], Participation]:
    """Make a decision that answers these fields, whatever it sees."""
    return lambda seen: attrs.evolve(seen, **fields)


def store(
    repository: InMemoryCourseRepository, user_id: UUID = USER_ID, **fields: Any
) -> Participation:
    """Store an answer for a person on `course()`."""
    return repository.change_participation(ORGANIZATION_ID, COURSE_ID, user_id, answers(**fields))


def registers(user_id: UUID, *, meanwhile: Callable[[], object] = lambda: None) -> Any:
    """Make the decision to register that person at `NOW`."""

    def decide(seen: Participation) -> Participation:
        meanwhile()
        return decisions.register(seen, actor(user_id=user_id), NOW, user_id)

    return decide


def register(
    repository: InMemoryCourseRepository, user_id: UUID, *, course_id: UUID = COURSE_ID, **how: Any
) -> Participation:
    """Register a person for `course()` at `NOW`."""
    return repository.change_participation(
        ORGANIZATION_ID, course_id, user_id, registers(user_id, **how)
    )


def count(repository: InMemoryCourseRepository) -> int:
    """Give the confirmed count of `course()` that the repository keeps."""
    return repository.participations(ORGANIZATION_ID, [COURSE_ID], USER_ID)[
        COURSE_ID
    ].confirmed_count


def all_pages(listing: Callable[..., Page[Any]], limit: int = 1, **query: Any) -> list[Any]:
    """Read a listing to its end, page by page."""
    page = listing(**query, limit=limit)
    items = list(page.items)
    while page.next is not None:
        page = listing(**query, limit=limit, after=page.next)
        items += page.items
    return items


def list_courses(repository: InMemoryCourseRepository, **query: Any) -> list[Course]:
    """List the courses of the organization, page by page."""
    return all_pages(partial(repository.courses, ORGANIZATION_ID), **query)


# Keys


def test_course_is_known_by_organization_and_id(repository: InMemoryCourseRepository) -> None:
    """An id that another organization has is kept apart, and each finds its own."""
    other = course(organization_id=OTHER_ORGANIZATION_ID, title="Theirs")

    repository.add(other)

    assert (course(), other) == (
        repository.get(ORGANIZATION_ID, COURSE_ID),
        repository.get(OTHER_ORGANIZATION_ID, COURSE_ID),
    )


@pytest.mark.parametrize("title", [course().title, "Another title"])
def test_second_course_of_an_id_is_refused(
    repository: InMemoryCourseRepository, title: str
) -> None:
    """DuplicateCourse names the id, for an equal course too, and nothing is stored."""
    with pytest.raises(DuplicateCourse) as raised:
        repository.add(course(title=title, status=DRAFT))

    assert (COURSE_ID, [course()]) == (raised.value.course_id, list_courses(repository))


def test_only_courses_are_added(repository: InMemoryCourseRepository) -> None:
    """What is no course is of the wrong type."""
    thing: Any = "course"

    with pytest.raises(InvalidValue):
        repository.add(thing)


def never_asked(_seen: Any) -> NoReturn:
    """Fail: no decision was due."""
    pytest.fail("asked although there is no such course")


@pytest.mark.parametrize(
    ("organization_id", "course_id"),
    [
        pytest.param(ORGANIZATION_ID, OTHER_COURSE_ID, id="missing"),
        pytest.param(OTHER_ORGANIZATION_ID, COURSE_ID, id="foreign"),
    ],
)
def test_course_that_is_not_there(
    repository: InMemoryCourseRepository, organization_id: UUID, course_id: UUID
) -> None:
    """A missing course and a foreign one are CourseNotFound, and `decide` is not asked."""
    with pytest.raises(CourseNotFound) as of_course:
        repository.change_course(organization_id, course_id, never_asked)
    with pytest.raises(CourseNotFound) as of_participation:
        repository.change_participation(organization_id, course_id, USER_ID, never_asked)

    assert (course_id, course_id, None, {}) == (
        of_course.value.course_id,
        of_participation.value.course_id,
        repository.get(organization_id, course_id),
        repository.participations(organization_id, [course_id], USER_ID),
    )


def test_participations_are_of_one_person(repository: InMemoryCourseRepository) -> None:
    """Each course that there is has one entry, once, from any iterable, with its own count."""
    repository.add(course(id=OTHER_COURSE_ID))
    store(repository, registration=registration(), certificate=certificate(), reminder=reminder())
    asked = iter([COURSE_ID, user(7), OTHER_COURSE_ID, COURSE_ID])

    assert {
        COURSE_ID: participation(
            confirmed_count=1, registration=registration(), certificate=certificate()
        ),
        OTHER_COURSE_ID: participation(course=course(id=OTHER_COURSE_ID)),
    } == repository.participations(ORGANIZATION_ID, asked, USER_ID)


def test_ids_may_be_read_while_they_are_asked_for(repository: InMemoryCourseRepository) -> None:
    """The ids may come from any iterable, also one that reads the repository as it goes."""
    found: list[UUID] = []

    def ids() -> Iterator[UUID]:
        for each in list_courses(repository):
            yield each.id

    def ask() -> None:
        found.extend(repository.participations(ORGANIZATION_ID, ids(), USER_ID))

    asking = Thread(target=ask, daemon=True)
    asking.start()
    asking.join(2)

    assert [COURSE_ID] == found


# Deciding and storing


def test_change_course_gives_what_it_stores(repository: InMemoryCourseRepository) -> None:
    """The answer to a course is stored and comes back."""
    changed = repository.change_course(
        ORGANIZATION_ID, COURSE_ID, lambda seen: attrs.evolve(seen, title="Changed")
    )

    assert (course(title="Changed"), changed) == (
        changed,
        repository.get(ORGANIZATION_ID, COURSE_ID),
    )


def test_decision_sees_what_is_stored(repository: InMemoryCourseRepository) -> None:
    """A decision is shown course, count, registration and certificate, and no reminder."""
    store(repository, OTHER_USER_ID, registration=registration(user_id=OTHER_USER_ID, id=user(2)))
    store(repository, registration=registration(), certificate=certificate(), reminder=reminder())
    seen: list[Participation] = []

    def decide(now: Participation) -> Participation:
        seen.append(now)
        return now

    repository.change_participation(ORGANIZATION_ID, COURSE_ID, USER_ID, decide)

    assert [
        participation(confirmed_count=2, registration=registration(), certificate=certificate())
    ] == seen


def test_answer_comes_back_as_the_state_after(repository: InMemoryCourseRepository) -> None:
    """Course and count of an answer are ignored; its records come back, the reminder too."""
    after = store(
        repository,
        course=course(title="Not this way"),
        confirmed_count=11,
        registration=registration(),
        certificate=certificate(),
        reminder=reminder(),
    )

    assert (
        participation(
            confirmed_count=1,
            registration=registration(),
            certificate=certificate(),
            reminder=reminder(),
        ),
        course(),
    ) == (after, repository.get(ORGANIZATION_ID, COURSE_ID))


def test_none_in_an_answer_leaves_what_is_stored(repository: InMemoryCourseRepository) -> None:
    """Nothing is ever deleted."""
    store(repository, registration=registration(), certificate=certificate(), reminder=reminder())

    after = store(repository, registration=None, certificate=None)

    assert (
        participation(confirmed_count=1, registration=registration(), certificate=certificate()),
        (reminder(),),
    ) == (after, repository.pending_reminders().items)


@pytest.mark.parametrize(
    ("before", "after", "confirmed"),
    [
        pytest.param(None, registration(), 1, id="taken"),
        pytest.param(None, cancelled(), 0, id="never held"),
        pytest.param(registration(), registration(registered_at=NOW), 1, id="held on"),
        pytest.param(registration(), cancelled(), 0, id="freed"),
        pytest.param(registration(), registration(completed_at=NOW), 1, id="completed"),
        pytest.param(cancelled(), registration(), 1, id="taken again"),
        pytest.param(cancelled(), cancelled(cancelled_at=NOW), 0, id="freed again"),
    ],
)
def test_count_is_of_confirmed_registrations(
    repository: InMemoryCourseRepository, before: Any, after: Any, confirmed: int
) -> None:
    """Completed registrations count and cancelled ones do not, whatever came before."""
    store(repository, registration=before)

    changed = store(repository, registration=after)

    assert (confirmed, confirmed) == (changed.confirmed_count, count(repository))


def test_certificate_is_never_replaced(repository: InMemoryCourseRepository) -> None:
    """Another certificate in an answer is ignored, and its reminder; the registration is not."""
    store(repository, registration=registration(), certificate=certificate())

    after = store(
        repository,
        registration=registration(completed_at=NOW),
        certificate=certificate(id=user(9)),
        reminder=reminder(certificate_id=user(9)),
    )

    assert (registration(completed_at=NOW), certificate(), None, ()) == (
        after.registration,
        after.certificate,
        after.reminder,
        repository.pending_reminders().items,
    )


@pytest.mark.parametrize("beside", [None, certificate()], ids=["alone", "beside the certificate"])
def test_reminder_of_a_stored_certificate_is_taken(
    repository: InMemoryCourseRepository, beside: Any
) -> None:
    """A reminder that comes later than its certificate enters the outbox too."""
    store(repository, registration=registration(), certificate=certificate())

    after = store(repository, certificate=beside, reminder=reminder())

    assert (reminder(), (reminder(),)) == (after.reminder, repository.pending_reminders().items)


@pytest.mark.parametrize("marked", [False, True])
def test_reminder_enters_the_outbox_once(
    repository: InMemoryCourseRepository, marked: bool
) -> None:
    """A key that was ever in the outbox changes nothing, marked or not, and is not given back."""
    store(repository, certificate=certificate(), reminder=reminder())
    if marked:
        repository.mark_reminder_scheduled(reminder())

    after = store(repository, certificate=certificate(), reminder=reminder(remind_at=NOW))

    expected = () if marked else (reminder(),)
    assert (None, expected) == (after.reminder, repository.pending_reminders().items)


def test_reminders_of_two_organizations_are_apart(repository: InMemoryCourseRepository) -> None:
    """A reminder is known by organization and certificate: the same id elsewhere is another."""
    theirs = reminder(organization_id=OTHER_ORGANIZATION_ID)
    repository.add(course(organization_id=OTHER_ORGANIZATION_ID))
    store(repository, certificate=certificate(), reminder=reminder())
    repository.change_participation(
        OTHER_ORGANIZATION_ID, COURSE_ID, USER_ID, answers(reminder=theirs)
    )

    repository.mark_reminder_scheduled(reminder())

    assert (theirs,) == repository.pending_reminders().items


@pytest.mark.parametrize(
    ("marks", "left"),
    [
        pytest.param([reminder()], 1, id="known"),
        pytest.param([reminder(), reminder()], 1, id="marked already"),
        pytest.param([reminder(remind_at=NOW, peer_mentor_id=user(9))], 1, id="by its key alone"),
        pytest.param([reminder(certificate_id=user(9))], 2, id="unknown"),
        pytest.param([reminder(organization_id=OTHER_ORGANIZATION_ID)], 2, id="foreign"),
    ],
)
def test_marking_takes_a_reminder_out(
    repository: InMemoryCourseRepository, marks: list[Any], left: int
) -> None:
    """Marking is by the key; marked already or unknown, nothing happens."""
    store(repository, certificate=certificate(), reminder=reminder())
    store(repository, OTHER_USER_ID, reminder=reminder(certificate_id=user(8)))

    for mark in marks:
        repository.mark_reminder_scheduled(mark)

    assert left == len(repository.pending_reminders().items)


@pytest.mark.parametrize(
    "error",
    [
        StopIteration("stop"),
        KeyboardInterrupt(),
        GeneratorExit(),
        SystemExit(3),
        RuntimeError("generator raised StopIteration"),
        ValueError("no"),
        CourseNotFound(COURSE_ID),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("port", ["change_course", "change_participation"])
def test_whatever_a_decision_raises_passes_through(
    repository: InMemoryCourseRepository,
    monkeypatch: pytest.MonkeyPatch,
    port: str,
    error: BaseException,
) -> None:
    """The same object comes out, the decision was asked once, and nothing stays locked."""
    monkeypatch.setattr(INSIDE, "_LOCK_SECONDS", 0.01)
    asked: list[Any] = []

    def decide(seen: Any) -> NoReturn:
        asked.append(seen)
        raise error

    who = [USER_ID] if port == "change_participation" else []
    with pytest.raises(type(error)) as raised:
        getattr(repository, port)(ORGANIZATION_ID, COURSE_ID, *who, decide)

    assert error is raised.value
    assert (1, 1) == (len(asked), register(repository, USER_ID).confirmed_count)


@pytest.mark.parametrize("answer", [None, "course", registration()])
def test_answer_of_another_type_is_refused(
    repository: InMemoryCourseRepository, monkeypatch: pytest.MonkeyPatch, answer: Any
) -> None:
    """What is no course or participation is not stored, and nothing stays locked."""
    monkeypatch.setattr(INSIDE, "_LOCK_SECONDS", 0.01)

    with pytest.raises(InvalidValue):
        repository.change_course(ORGANIZATION_ID, COURSE_ID, lambda _: answer)
    with pytest.raises(InvalidValue):
        repository.change_participation(ORGANIZATION_ID, COURSE_ID, USER_ID, lambda _: answer)

    assert (course(), 1) == (
        repository.get(ORGANIZATION_ID, COURSE_ID),
        register(repository, USER_ID).confirmed_count,
    )


# Threads


def test_fifty_threads_and_one_seat(pool: ThreadPoolExecutor) -> None:
    """Of fifty who ask for the last seat at once, one has it and the others hear it is full."""
    repository = InMemoryCourseRepository()
    repository.add(course(max_participants=1))
    start = Barrier(50)

    def ask(number: int) -> list[Rule]:
        start.wait(BOUND)
        try:
            register(repository, user(number))
        except RegistrationRejected as error:
            return [violation.rule for violation in error.violations]
        return []

    heard = list(pool.map(ask, range(50)))

    held = repository.registrations(ORGANIZATION_ID, limit=200).items
    assert (49, 1) == (heard.count([Rule.MAX_PARTICIPANTS_CAP]), count(repository))
    assert [user(heard.index([]))] == [registration.user_id for registration in held]


def test_rival_for_the_last_seat_comes_too_late(pool: ThreadPoolExecutor) -> None:
    """A rival that asks while the last seat is being decided is decided afterwards."""
    repository = InMemoryCourseRepository()
    repository.add(course(max_participants=1))
    rivals: list[Any] = []
    rival_decides = Event()

    def start_rival() -> None:
        rivals.append(pool.submit(register, repository, OTHER_USER_ID, meanwhile=rival_decides.set))
        rival_decides.wait(0.1)  # in vain: it cannot decide yet

    register(repository, USER_ID, meanwhile=start_rival)

    assert isinstance(rivals[0].exception(BOUND), RegistrationRejected)
    assert 1 == count(repository)


def test_revise_waits_for_a_registration(
    repository: InMemoryCourseRepository, pool: ThreadPoolExecutor
) -> None:
    """All changes of a course are in one order: a revise is decided after what came before."""
    rivals: list[Any] = []
    order: list[str] = []
    rival_decides = Event()

    def revise(seen: Course) -> Course:
        order.append("revision")
        rival_decides.set()
        return seen

    def start_rival() -> None:
        rivals.append(pool.submit(repository.change_course, ORGANIZATION_ID, COURSE_ID, revise))
        rival_decides.wait(0.1)  # in vain
        order.append("registration")

    register(repository, USER_ID, meanwhile=start_rival)
    rivals[0].result(BOUND)

    assert ["registration", "revision"] == order


def test_courses_do_not_wait_for_each_other(
    repository: InMemoryCourseRepository, pool: ThreadPoolExecutor
) -> None:
    """A decision on one course runs on while another course is being decided."""
    repository.add(course(id=OTHER_COURSE_ID))
    first_decides, second_decides = Event(), Event()

    def wait_for_the_second() -> None:
        first_decides.set()
        assert second_decides.wait(BOUND), "the other course was held up"

    first = pool.submit(register, repository, USER_ID, meanwhile=wait_for_the_second)
    assert first_decides.wait(BOUND)
    register(repository, USER_ID, course_id=OTHER_COURSE_ID, meanwhile=second_decides.set)

    assert 1 == first.result(BOUND).confirmed_count


OTHER_CALLS: dict[str, Callable[[InMemoryCourseRepository], object]] = {
    "get": lambda repository: repository.get(ORGANIZATION_ID, COURSE_ID),
    "courses": lambda repository: repository.courses(ORGANIZATION_ID),
    "participations": count,
    "registrations": lambda repository: repository.registrations(ORGANIZATION_ID),
    "certificates": lambda repository: repository.certificates(ORGANIZATION_ID),
    "pending_reminders": lambda repository: repository.pending_reminders(),
    "mark": lambda repository: repository.mark_reminder_scheduled(reminder()),
    "add": lambda repository: repository.add(course(id=OTHER_COURSE_ID)),
}


@pytest.mark.parametrize("name", OTHER_CALLS)
def test_decision_holds_up_no_reader(
    repository: InMemoryCourseRepository, pool: ThreadPoolExecutor, name: str
) -> None:
    """Whoever reads, marks or adds is answered while a decision is being made."""

    def call_elsewhere() -> None:
        pool.submit(OTHER_CALLS[name], repository).result(BOUND)

    assert 1 == register(repository, USER_ID, meanwhile=call_elsewhere).confirmed_count


def test_reader_sees_the_state_before_until_it_is_stored(
    repository: InMemoryCourseRepository, pool: ThreadPoolExecutor
) -> None:
    """While a decision is being made, readers see nothing of its answer."""
    counts: list[int] = []

    register(
        repository,
        USER_ID,
        meanwhile=lambda: counts.append(pool.submit(count, repository).result(BOUND)),
    )

    assert ([0], 1) == (counts, count(repository))


def start_inside(
    monkeypatch: pytest.MonkeyPatch,
    places: list[Any],
    name: str,
    rival: Callable[[], Any],
    *,
    meets: type = object,
) -> list[Future[Any]]:
    """Start a rival once, inside a function whose last argument it meets, and wait a moment.

    A rival that has to wait for what goes on there is waiting still when the function goes on.
    """
    inner = getattr(places[0], name)
    turns, started = iter([True]), list[Future[Any]]()

    def inside(*given: Any) -> Any:
        if isinstance(given[-1], meets) and next(turns, False):
            pool = ThreadPoolExecutor(1)
            started.append(pool.submit(rival))
            pool.shutdown(wait=False)
            wait(started, MOMENT)
        return inner(*given)

    for place in places:
        monkeypatch.setattr(place, name, inside)
    return started


def completed(number: int, **fields: Any) -> dict[str, Any]:
    """Give what a completion stores for one of many people."""
    ids: dict[str, Any] = {"id": user(number)}
    return {
        "registration": registration(**ids, user_id=user(number), completed_at=NOW),
        "certificate": certificate(**ids, peer_mentor_id=user(number), **fields),
        "reminder": reminder(certificate_id=user(number), peer_mentor_id=user(number)),
    }


def archives(repository: InMemoryCourseRepository) -> None:
    """Move a course from one list to another."""
    repository.change_course(
        ORGANIZATION_ID, COURSE_ID, lambda seen: attrs.evolve(seen, status=ARCHIVED)
    )


def cancels(repository: InMemoryCourseRepository) -> None:
    """Take a registration out, and put what became of it in."""
    store(repository, user(1), registration=cancelled(id=user(1), user_id=user(1)))


def completes(repository: InMemoryCourseRepository) -> None:
    """Put a registration in, and then its certificate and reminder."""
    store(repository, user(1), **completed(1))


def certifies(repository: InMemoryCourseRepository) -> None:
    """Put a certificate before all others, and have the list put in order by who reads it."""
    store(repository, user(3), **completed(3, expires_at=NOW + TICK))
    repository.certificates(ORGANIZATION_ID)


def marks(repository: InMemoryCourseRepository) -> None:
    """Take a reminder out."""
    repository.mark_reminder_scheduled(completed(1)["reminder"])


READS: dict[str, Callable[[InMemoryCourseRepository], object]] = {
    "courses": lambda repository: repository.courses(ORGANIZATION_ID),
    "registrations": lambda repository: repository.registrations(ORGANIZATION_ID),
    "certificates": lambda repository: repository.certificates(ORGANIZATION_ID),
    "reminders": lambda repository: repository.pending_reminders(),
    "participations": lambda repository: repository.participations(
        ORGANIZATION_ID, [COURSE_ID], user(1)
    ),
}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("courses", archives),
        ("registrations", cancels),
        ("certificates", certifies),
        ("reminders", marks),
    ],
)
def test_nothing_moves_under_a_page(
    repository: InMemoryCourseRepository,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    change: Callable[[InMemoryCourseRepository], None],
) -> None:
    """A change that comes while a page is read neither shortens it nor shifts its rows."""
    repository.add(course(id=OTHER_COURSE_ID))
    for number in (1, 2):
        store(repository, user(number), **completed(number))
    before = READS[name](repository)
    rivals = start_inside(monkeypatch, [memory, keyset], "page", partial(change, repository))

    assert before == READS[name](repository)
    rivals[0].result(BOUND)
    assert before != READS[name](repository)


@pytest.mark.parametrize(
    ("name", "kind", "change"),
    [
        ("courses", Course, archives),
        ("registrations", Registration, cancels),
        ("participations", PeerMentorCertificate, completes),
    ],
    ids=["courses", "registrations", "participations"],
)
def test_nobody_reads_half_a_change(
    repository: InMemoryCourseRepository,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    kind: type,
    change: Callable[[InMemoryCourseRepository], None],
) -> None:
    """Who reads while a change is being stored finds all of it, or nothing."""
    store(repository, user(1), registration=registration(id=user(1), user_id=user(1)))
    before = READS[name](repository)
    rivals = start_inside(
        monkeypatch, [keyset.Rows], "put", partial(READS[name], repository), meets=kind
    )

    change(repository)

    assert rivals[0].result(BOUND) in (before, READS[name](repository))
    assert before != READS[name](repository)


def test_of_two_who_add_an_id_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who adds a course while another adds one of the same id neither replaces it nor joins it."""
    repository = InMemoryCourseRepository()
    theirs = partial(repository.add, course(title="Theirs"))
    rivals = start_inside(monkeypatch, [memory], "_Shelf", theirs)

    repository.add(course())

    with pytest.raises(DuplicateCourse):
        rivals[0].result(BOUND)
    assert [course()] == list_courses(repository)


def test_change_that_waits_too_long_is_given_up(
    repository: InMemoryCourseRepository,
    pool: ThreadPoolExecutor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """RepositoryUnavailable says why; nothing of that call is stored, and the next one works."""
    monkeypatch.setattr(INSIDE, "_LOCK_SECONDS", 0.01)
    errors: list[BaseException | None] = []

    def ask_elsewhere() -> None:
        errors.append(pool.submit(register, repository, OTHER_USER_ID).exception(BOUND))

    register(repository, USER_ID, meanwhile=ask_elsewhere)

    (error,) = errors
    assert isinstance(error, RepositoryUnavailable)
    assert (True, 1, 2) == (
        str(COURSE_ID) in error.reason,
        count(repository),
        register(repository, OTHER_USER_ID).confirmed_count,
    )


# Pages


@pytest.fixture
def listings() -> dict[str, Callable[..., Page[Any]]]:
    """Give every listing of a repository that has two rows in each."""
    repository = InMemoryCourseRepository()
    for number in (1, 2):
        repository.add(course(id=COURSE_ID if number == 1 else OTHER_COURSE_ID))
        store(
            repository,
            user(number),
            registration=registration(id=user(number), user_id=user(number)),
            certificate=certificate(id=user(number), peer_mentor_id=user(number)),
            reminder=reminder(certificate_id=user(number), peer_mentor_id=user(number)),
        )

    return {
        "courses": partial(repository.courses, ORGANIZATION_ID),
        "registrations": partial(repository.registrations, ORGANIZATION_ID),
        "certificates": partial(repository.certificates, ORGANIZATION_ID),
        "pending_reminders": repository.pending_reminders,
    }


LISTINGS = ("courses", "registrations", "certificates", "pending_reminders")
EVERY_LISTING = pytest.mark.parametrize("name", LISTINGS)


@EVERY_LISTING
def test_two_pages_are_the_whole_listing(
    listings: dict[str, Callable[..., Page[Any]]], name: str
) -> None:
    """`next` leads to what follows, and is None when nothing does, at any limit."""
    listing = listings[name]
    first = listing(limit=1)
    second = listing(limit=1, after=first.next)

    assert (listing().items, 2, None, None) == (
        first.items + second.items,
        len(listing(limit=2).items),
        second.next,
        listing(limit=2).next,
    )


@EVERY_LISTING
@pytest.mark.parametrize("limit", [0, 201, True, "1", None])
def test_limit_is_checked(
    listings: dict[str, Callable[..., Page[Any]]], name: str, limit: Any
) -> None:
    """A limit that is none is out_of_range, before the cursor is looked at."""
    with pytest.raises(InvalidValue) as raised:
        listings[name](limit=limit, after="garbage")

    assert [Rule.OUT_OF_RANGE] == [violation.rule for violation in raised.value.violations]


@EVERY_LISTING
def test_limit_of_200_is_taken(listings: dict[str, Callable[..., Page[Any]]], name: str) -> None:
    """The highest limit that there is gives all rows."""
    assert 2 == len(listings[name](limit=200).items)


@EVERY_LISTING
@pytest.mark.parametrize(
    "after",
    [
        pytest.param("", id="empty"),
        pytest.param("garbage", id="garbage"),
        pytest.param("{name}.1.2.3", id="too long a place"),
        pytest.param("{name}.x.2", id="no number"),
        pytest.param("{name}.\u0661.\u0662", id="arabic digits"),
        pytest.param("{cursor}\n", id="a line end behind"),
        pytest.param(" {cursor}", id="a blank before"),
        pytest.param("{name}." + "1" * 500, id="more than 500 characters"),
        pytest.param(5, id="a number"),
        pytest.param(b"courses.1.2", id="bytes"),
    ],
)
def test_cursor_that_is_none_is_refused(
    listings: dict[str, Callable[..., Page[Any]]], name: str, after: Any
) -> None:
    """What cannot be read back whole is unknown_cursor."""
    cursor = listings[name](limit=1).next
    if isinstance(after, str):
        after = after.format(name=name.removeprefix("pending_"), cursor=cursor)

    with pytest.raises(InvalidValue) as raised:
        listings[name](after=after)

    assert [Rule.UNKNOWN_CURSOR] == [violation.rule for violation in raised.value.violations]


@pytest.mark.parametrize(
    ("name", "other"), [(name, other) for name in LISTINGS for other in LISTINGS if name != other]
)
def test_cursor_of_another_query_is_refused(
    listings: dict[str, Callable[..., Page[Any]]], name: str, other: str
) -> None:
    """A cursor that another listing gave is unknown here."""
    cursor = listings[other](limit=1).next

    with pytest.raises(InvalidValue):
        listings[name](after=cursor)


EDGES = (
    datetime(1900, 1, 1, tzinfo=UTC),
    datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    START,
    START + TICK,
    None,
)
# The later the earlier in the order of ids, so that neither order is mistaken for the other.
PLACES = [
    (instant, UUID(int=2**127 - 10 * position + number))
    for position, instant in enumerate(EDGES)
    for number in range(3)
]


@pytest.mark.parametrize("limit", [1, 2, 5, 18, 200])
def test_courses_are_in_order_of_start_then_id(limit: int) -> None:
    """By start, before 1970 too, then by the digits of the id, undated last; at any page size."""
    repository = InMemoryCourseRepository()
    in_order = [
        course(id=id, start_date=start, end_date=None, registration_deadline=None, status=status)
        for (start, id), status in zip(PLACES, list(CourseStatus) * len(EDGES), strict=True)
    ]
    for each in reversed(in_order):
        repository.add(each)
        repository.add(attrs.evolve(each, organization_id=OTHER_ORGANIZATION_ID))

    assert in_order == list_courses(repository, limit=limit)


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_registrations_are_in_order_of_time_then_id(
    repository: InMemoryCourseRepository, limit: int
) -> None:
    """By `registered_at`, then by the digits of the id."""
    in_order = [
        registration(id=id, user_id=id, registered_at=at) for at, id in PLACES if at is not None
    ]
    for each in reversed(in_order):
        store(repository, each.user_id, registration=each)

    assert in_order == all_pages(partial(repository.registrations, ORGANIZATION_ID), limit)


@pytest.mark.parametrize("limit", [1, 2, 200])
def test_certificates_are_in_order_of_expiry_then_id(
    repository: InMemoryCourseRepository, limit: int
) -> None:
    """By `expires_at`, then by the digits of the id, those without expiry last."""
    in_order = [certificate(id=id, peer_mentor_id=id, expires_at=at) for at, id in PLACES]
    for each in reversed(in_order):
        store(repository, each.peer_mentor_id, certificate=each)

    assert in_order == all_pages(partial(repository.certificates, ORGANIZATION_ID), limit)


def test_reminders_are_in_order_of_their_coming(repository: InMemoryCourseRepository) -> None:
    """The outbox gives reminders in the order in which they were added, due or not."""
    in_order = [reminder(certificate_id=user(9 - each)) for each in range(5)]
    for each in in_order:
        store(repository, each.certificate_id, reminder=each)

    assert in_order == all_pages(repository.pending_reminders)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        pytest.param({}, [1, 2, 3, 4], id="none"),
        pytest.param({"statuses": [DRAFT]}, [1], id="a status"),
        pytest.param({"statuses": (PUBLISHED, DRAFT)}, [1, 2, 4], id="two statuses"),
        pytest.param({"statuses": [DRAFT, DRAFT]}, [1], id="a status twice"),
        pytest.param({"statuses": ()}, [], id="no status"),
        pytest.param({"course_type": CourseType.WORKSHOP}, [2, 3], id="a type"),
        pytest.param({"issues_certificate": True}, [1, 2], id="a certificate"),
        pytest.param({"issues_certificate": False}, [3, 4], id="no certificate"),
        pytest.param({"starts_from": START}, [1, 2, 3], id="from the first start"),
        pytest.param({"starts_from": START + TICK}, [2, 3], id="from just after"),
        pytest.param({"starts_before": START + TICK}, [1], id="before the second start"),
        pytest.param({"starts_before": START + 2 * TICK}, [1, 2], id="before just after"),
        pytest.param(
            {"starts_from": START + TICK, "starts_before": START + TICK}, [], id="an empty range"
        ),
        pytest.param(
            {"starts_from": START + 2 * TICK, "starts_before": START}, [], id="a crossed range"
        ),
        pytest.param(
            {
                "statuses": [PUBLISHED, ARCHIVED],
                "course_type": CourseType.WORKSHOP,
                "issues_certificate": True,
                "starts_from": START,
            },
            [2],
            id="all together",
        ),
    ],
)
@pytest.mark.parametrize("limit", [1, 200])
def test_filters_of_courses_hold_together(
    query: dict[str, Any], numbers: list[int], limit: int
) -> None:
    """Each filter leaves out what it should, what has no date too, and cursors keep to it."""
    repository = InMemoryCourseRepository()
    for number, status, course_type, issues in [
        (1, DRAFT, CourseType.CERTIFICATION, True),
        (2, PUBLISHED, CourseType.WORKSHOP, True),
        (3, ARCHIVED, CourseType.WORKSHOP, False),
        (4, PUBLISHED, CourseType.ONBOARDING, False),
    ]:
        start = None if number == 4 else START + (number - 1) * TICK
        dates = {"start_date": start, "end_date": None, "registration_deadline": None}
        kinds = {"status": status, "course_type": course_type, "issues_certificate": issues}
        repository.add(course(id=user(number), **dates, **kinds))

    assert [user(number) for number in numbers] == [
        each.id for each in list_courses(repository, limit=limit, **query)
    ]


def test_statuses_are_read_once(repository: InMemoryCourseRepository) -> None:
    """The statuses may come from any iterable, also one that can be read only once."""
    page = repository.courses(ORGANIZATION_ID, statuses=iter([DRAFT, PUBLISHED]))

    assert (course(),) == page.items


RECORD_FILTERS = [
    pytest.param({}, [1, 2, 3, 4], id="none"),
    pytest.param({"course_id": COURSE_ID}, [1, 2], id="a course"),
    pytest.param({"user_id": user(1)}, [1, 3], id="a person"),
    pytest.param({"course_id": COURSE_ID, "user_id": user(1)}, [1], id="both"),
    pytest.param({"course_id": user(5)}, [], id="no such course"),
    pytest.param({"user_id": user(5)}, [], id="no such person"),
]


@pytest.fixture
def kept() -> InMemoryCourseRepository:
    """Give records 1 to 4 of two people on two courses, the same again in another organization."""
    repository = InMemoryCourseRepository()
    for organization_id in (OTHER_ORGANIZATION_ID, ORGANIZATION_ID):
        for course_id in (COURSE_ID, OTHER_COURSE_ID):
            repository.add(course(id=course_id, organization_id=organization_id))
            for number in (1, 2):
                sequel = number + 2 * (course_id == OTHER_COURSE_ID)
                owned: dict[str, Any] = {
                    "id": user(sequel),
                    "course_id": course_id,
                    "organization_id": organization_id,
                }
                after = sequel * TICK
                records = answers(
                    registration=registration(
                        **owned, user_id=user(number), registered_at=NOW + after
                    ),
                    certificate=certificate(
                        **owned,
                        peer_mentor_id=user(number),
                        expires_at=None if sequel == 4 else NOW + after,
                    ),
                )
                repository.change_participation(organization_id, course_id, user(number), records)
    return repository


@pytest.mark.parametrize(("query", "numbers"), RECORD_FILTERS)
@pytest.mark.parametrize("listing", ["registrations", "certificates"])
@pytest.mark.parametrize("limit", [1, 200])
def test_filters_of_records_hold_together(
    kept: InMemoryCourseRepository,
    listing: str,
    query: dict[str, Any],
    numbers: list[int],
    limit: int,
) -> None:
    """Records are found by course and by person, in their own organization only."""
    found = all_pages(partial(getattr(kept, listing), ORGANIZATION_ID), limit, **query)

    assert [(ORGANIZATION_ID, user(number)) for number in numbers] == [
        (each.organization_id, each.id) for each in found
    ]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        pytest.param({"expires_before": NOW + TICK}, [], id="at the first expiry"),
        pytest.param({"expires_before": NOW + 2 * TICK}, [1], id="just after the first"),
        pytest.param({"expires_before": NOW.replace(year=9099)}, [1, 2, 3], id="far off"),
        pytest.param(
            {"expires_before": NOW + 4 * TICK, "user_id": user(1)}, [1, 3], id="and a person"
        ),
        pytest.param(
            {"expires_before": NOW + 4 * TICK, "course_id": COURSE_ID}, [1, 2], id="and a course"
        ),
    ],
)
@pytest.mark.parametrize("limit", [1, 200])
def test_certificates_are_found_by_expiry(
    kept: InMemoryCourseRepository, query: dict[str, Any], numbers: list[int], limit: int
) -> None:
    """`expires_before` leaves out what expires then or later, and what never does."""
    found = all_pages(partial(kept.certificates, ORGANIZATION_ID), limit, **query)

    assert [user(number) for number in numbers] == [each.id for each in found]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"status": ARCHIVED}, id="its status"),
        pytest.param({"start_date": START + 9 * TICK}, id="its start, to later"),
        pytest.param(
            {"start_date": NOW, "registration_deadline": None}, id="its start, to earlier"
        ),
        pytest.param({"start_date": None}, id="its start, to none"),
        pytest.param({"title": "Changed", "issues_certificate": False}, id="neither"),
    ],
)
def test_listings_follow_a_change(change: dict[str, Any]) -> None:
    """A changed course stands once, as it is now, and only where its status and start say."""
    repository = InMemoryCourseRepository()
    neighbours = [course(id=user(1)), course(id=user(3), start_date=START + 5 * TICK)]
    for each in (*neighbours, course(id=user(2))):
        repository.add(each)

    changed = repository.change_course(
        ORGANIZATION_ID, user(2), lambda seen: attrs.evolve(seen, **change)
    )

    for status in CourseStatus:
        expected = {each.id: each for each in (*neighbours, changed) if each.status is status}
        listed = repository.courses(ORGANIZATION_ID, statuses=[status]).items
        assert expected == {each.id: each for each in listed}
        assert len(expected) == len(listed)
    starts = [each.start_date for each in list_courses(repository) if each.start_date is not None]
    assert sorted(starts) == starts


def test_courses_cursor_outlives_its_row() -> None:
    """A cursor is good after its course has moved elsewhere: what followed still follows."""
    repository = InMemoryCourseRepository()
    for number in range(1, 5):
        repository.add(course(id=user(number)))
    first = repository.courses(ORGANIZATION_ID, statuses=[PUBLISHED], limit=2)
    repository.change_course(
        ORGANIZATION_ID, user(2), lambda seen: attrs.evolve(seen, status=ARCHIVED)
    )
    repository.add(course(id=user(0)))

    second = repository.courses(ORGANIZATION_ID, statuses=[PUBLISHED], after=first.next)

    assert [user(3), user(4)] == [each.id for each in second.items]


def test_registrations_cursor_outlives_its_row(repository: InMemoryCourseRepository) -> None:
    """A registration that is confirmed anew moves behind, once, in every listing it is in."""
    for number in (1, 2, 3):
        store(repository, user(number), registration=placed(number))
    first = repository.registrations(ORGANIZATION_ID, limit=1)

    store(repository, user(1), registration=placed(1, registered_at=NOW + 9 * TICK))

    assert [2, 3, 1] == [
        each.user_id.int
        for each in repository.registrations(ORGANIZATION_ID, after=first.next).items
    ]
    scopes: list[Any] = [{"user_id": user(1)}, {"course_id": COURSE_ID, "user_id": user(1)}]
    for scope in scopes:
        assert [placed(1, registered_at=NOW + 9 * TICK)] == list(
            repository.registrations(ORGANIZATION_ID, **scope).items
        )


def placed(number: int, **fields: Any) -> Registration:
    """Give a person's registration of that microsecond."""
    plain: dict[str, Any] = {"registered_at": NOW + number * TICK} | fields
    return registration(id=user(number), user_id=user(number), **plain)


def test_outbox_cursor_outlives_its_row(repository: InMemoryCourseRepository) -> None:
    """Marking the reminders of one page does not hide those of the next."""
    reminders = [reminder(certificate_id=user(number)) for number in range(4)]
    for each in reminders:
        store(repository, each.certificate_id, reminder=each)
    first = repository.pending_reminders(limit=2)

    for each in first.items:
        repository.mark_reminder_scheduled(each)

    assert tuple(reminders[2:]) == repository.pending_reminders(after=first.next).items


# What a page costs


class Place(tuple[int, ...]):
    """A place that is compared in Python, so that comparisons are among the calls."""

    def __lt__(self, other: Any) -> bool:
        """Compare as tuples do."""
        return super().__lt__(other)

    def __gt__(self, other: Any) -> bool:
        """Compare as tuples do."""
        return super().__gt__(other)


@contextmanager
def counting_calls(calls: list[str]) -> Generator[None, None, None]:
    """Note the name of each call of a function, also of those in C and of a generator's steps."""
    others, was_enabled = sys.getprofile(), gc.isenabled()
    gc.disable()  # what it calls back would be counted too
    sys.setprofile(lambda _frame, event, _argument: calls.append(event))
    try:
        yield
    finally:
        sys.setprofile(others)
        if was_enabled:
            gc.enable()


def cost(repository: InMemoryCourseRepository, **query: Any) -> int:
    """Count the calls that a page of 50 costs, once it is in order."""
    repository.courses(ORGANIZATION_ID, **query)
    calls: list[str] = []
    with counting_calls(calls):
        page = repository.courses(ORGANIZATION_ID, **query)
    assert 50 == len(page.items)
    return len(calls)


@pytest.fixture
def _counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let places count their comparisons."""
    place_of_course = INSIDE._course_place

    def counted(course: Course) -> Place:
        return Place(place_of_course(course))

    monkeypatch.setattr(INSIDE, "_course_place", counted)


def add_many(repository: InMemoryCourseRepository, count: int, organization_id: UUID) -> None:
    """Add courses of one organization, in no order of their ids."""
    plain = course(organization_id=organization_id)
    for number in range(count):
        repository.add(attrs.evolve(plain, id=UUID(int=number * 7919 % 10_007)))


@pytest.mark.usefixtures("_counted")
@pytest.mark.parametrize("query", [{}, {"statuses": [PUBLISHED]}, {"starts_from": START}])
def test_page_costs_the_same_among_many_organizations(query: dict[str, Any]) -> None:
    """A page of 50 takes as many steps beside forty other organizations as alone."""
    repository = InMemoryCourseRepository()
    add_many(repository, 100, ORGANIZATION_ID)
    alone = cost(repository, **query)

    for number in range(40):
        add_many(repository, 20, UUID(int=number))

    assert alone == cost(repository, **query)


@pytest.mark.usefixtures("_counted")
@pytest.mark.parametrize("deep", [False, True], ids=["first page", "deep page"])
def test_page_costs_the_same_in_a_large_organization(deep: bool) -> None:
    """A page of 50 out of 3 200 takes hardly more steps than out of 100: five halvings."""
    costs: list[int] = []
    for count in (100, 3_200):
        repository = InMemoryCourseRepository()
        add_many(repository, count, ORGANIZATION_ID)
        after = None
        if deep:
            after = repository.courses(ORGANIZATION_ID, limit=49).next
        costs.append(cost(repository, after=after))
    few, many = costs

    assert many <= few + 5 * 8


# The scheduler


def test_scheduler_takes_a_certificate_once() -> None:
    """The first reminder of a certificate takes effect, in the order in which they came."""
    scheduler = InMemoryReminderScheduler()
    first, second = reminder(), reminder(certificate_id=user(1))

    for each in (first, second, first, reminder(remind_at=NOW)):
        scheduler.schedule(each)

    assert (first, second) == scheduler.scheduled


def test_scheduler_takes_nothing_but_reminders() -> None:
    """What is no reminder is of the wrong type."""
    scheduler = InMemoryReminderScheduler()
    thing: Any = certificate()

    with pytest.raises(InvalidValue):
        scheduler.schedule(thing)

    assert () == scheduler.scheduled
