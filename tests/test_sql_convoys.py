import gc
import sqlite3
import sys
import weakref
from collections.abc import Callable, Generator, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from threading import Event
from types import FrameType
from uuid import uuid4

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from builders import (
    COURSE_ID,
    NOW,
    ORGANIZATION_ID,
    certificate,
    course,
    participation,
    registration,
    reminder,
)
from course_domain import (
    Participation,
    PeerMentorCertificate,
    RenewalReminder,
    RepositoryUnavailable,
)
from course_domain.sql import SqlCourseRepository, convoys, create_schema, retries, statements
from course_domain.sql.changes import ParticipationChange, Seen
from course_domain.sql.convoys import Convoys, Ride

SECONDS = 20


def change() -> ParticipationChange:
    """Give what nobody decides here."""

    def decide(_seen: Participation) -> Participation:
        raise NotImplementedError

    return ParticipationChange(statements.keys(ORGANIZATION_ID, COURSE_ID, uuid4()), decide)


@attrs.define(eq=False)
class Waiting(Ride):
    """One who tells when it waits."""

    waits: Event = attrs.field(factory=Event)

    def wait(self, seconds: float = -1) -> bool:
        """Wait."""
        self.waits.set()
        return super().wait(seconds)


@attrs.define(eq=False)
class Impatient(Waiting):
    """One whose time is up once it has been taken, and who tells when it waits on."""

    taken: Event = attrs.field(factory=Event)
    waits_on: Event = attrs.field(factory=Event)

    def wait(self, seconds: float = -1) -> bool:
        """Wait."""
        if not self.waits.is_set():
            self.waits.set()
            return not self.taken.wait(SECONDS)
        self.waits_on.set()
        return super().wait(seconds)


def among_three(last: Waiting, drive: Callable[[list[Ride]], None]) -> list[list[int]]:
    """Let two more wait behind a first, and give the convoys that came of it."""
    convoys: list[list[Ride]] = []
    first, second = Ride(change()), Waiting(change())

    def decide_and_store(convoy: list[Ride], _behind_lock: bool) -> None:
        convoys.append(convoy)
        if convoy == [first]:
            for each in (second, last):
                running.append(threads.submit(meeting.join, "a course", each))
                assert each.waits.wait(SECONDS)
        else:
            drive(convoy)

    running: list[Future[None]] = []
    meeting = Convoys(decide_and_store)
    with ThreadPoolExecutor(2) as threads:
        meeting.join("a course", first)
        for each in running:
            each.result(SECONDS)
    return [[(first, second, last).index(ride) for ride in convoy] for convoy in convoys]


def test_those_who_wait_are_one_convoy() -> None:
    """Who comes while another stores waits, and is stored with all who wait."""
    assert [[0], [1, 2]] == among_three(Waiting(change()), lambda _: None)


def test_who_is_being_stored_waits_for_the_end() -> None:
    """Its time may be up: what is being written cannot be called off."""
    last = Impatient(change())

    def drive(_convoy: list[Ride]) -> None:
        last.taken.set()
        assert last.waits_on.wait(SECONDS)

    assert [[0], [1, 2]] == among_three(last, drive)
    assert last.error is None


def test_who_is_not_taken_in_time_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose turn does not come leaves the line, and hears of it."""
    monkeypatch.setattr(retries, "TRYING_SECONDS", 0.05)
    second = Ride(change())

    def decide_and_store(convoy: list[Ride], _behind_lock: bool) -> None:
        if not decided:
            with ThreadPoolExecutor(1) as threads:
                threads.submit(meeting.join, "a course", second).result(SECONDS)
        decided.extend(convoy)

    decided: list[Ride] = []
    meeting = Convoys(decide_and_store)
    meeting.join("a course", first := Ride(change()))
    assert isinstance(second.error, RepositoryUnavailable)
    with ThreadPoolExecutor(1) as threads:
        threads.submit(meeting.join, "a course", third := Ride(change())).result(SECONDS)
    assert [first, third] == decided


@attrs.define(eq=False)
class Interrupted(Waiting):
    """One whose thread is interrupted while it waits, or when its wait is over."""

    is_over: bool = False
    goes: Event = attrs.field(factory=Event)

    def wait(self, seconds: float = -1) -> bool:
        """Wait."""
        self.waits.set()
        if self.is_over:
            assert super().wait(seconds)
        else:
            assert self.goes.wait(SECONDS)
        raise KeyboardInterrupt


@pytest.mark.parametrize("is_over", [False, True])
def test_who_is_interrupted_in_the_line_holds_nobody_up(is_over: bool) -> None:
    """Neither who waits behind, nor who comes later, waits for one that has gone."""
    gone, behind, later = Interrupted(change(), is_over=is_over), Waiting(change()), Ride(change())
    decided: list[Ride] = []

    def decide_and_store(convoy: list[Ride], _behind_lock: bool) -> None:
        if not decided:
            running.append(threads.submit(meeting.join, "a course", gone))
            assert gone.waits.wait(SECONDS)
            if not is_over:
                gone.goes.set()
                assert isinstance(running[0].exception(SECONDS), KeyboardInterrupt)
            running.append(threads.submit(meeting.join, "a course", behind))
            assert behind.waits.wait(SECONDS)
        decided.extend(convoy)

    running: list[Future[None]] = []
    meeting = Convoys(decide_and_store)
    with ThreadPoolExecutor(2) as threads:
        meeting.join("a course", first := Ride(change()))
        running[1].result(SECONDS)
        assert isinstance(running[0].exception(SECONDS), KeyboardInterrupt)
        threads.submit(meeting.join, "a course", later).result(SECONDS)
    assert [first, behind, later] == decided


def test_who_is_interrupted_while_it_is_decided_keeps_nobody_asleep() -> None:
    """Each who wakes wakes the next; one that has gone is passed over."""
    gone = Interrupted(change(), is_over=False)
    waiting = [Waiting(change()), gone, Waiting(change()), Waiting(change())]
    led: list[list[Ride]] = []
    for each in waiting:
        each.until += 10 * SECONDS  # so that only who is woken comes back

    def decide_and_store(convoy: list[Ride], _behind_lock: bool) -> None:
        led.append(convoy)
        if len(led) == 1:
            for each in waiting:
                running.append(threads.submit(meeting.join, "a course", each))
                assert each.waits.wait(SECONDS)
        else:
            gone.goes.set()
            assert isinstance(running[1].exception(SECONDS), KeyboardInterrupt)

    running: list[Future[None]] = []
    meeting = Convoys(decide_and_store)
    with ThreadPoolExecutor(len(waiting)) as threads:
        meeting.join("a course", first := Ride(change()))
        for number in (0, 2, 3):
            running[number].result(SECONDS)
    assert [[first], waiting] == led


@attrs.define(eq=False)
class Unwoken(Impatient):
    """One whom nobody wakes, since who should have was interrupted, and who tells when it looks."""

    looks: Event = attrs.field(factory=Event)

    def wait(self, seconds: float = -1) -> bool:
        """Wait."""
        if self.waits_on.is_set():
            self.looks.set()
        return super().wait(seconds)

    def wake(self) -> None:
        """Do nothing."""


@attrs.define
class Interruption:
    """Interrupts its thread in the convoys' code, at one of the points where Python does."""

    point: int
    comes: int = 0

    def look(self, frame: FrameType, event: str, called: object) -> None:
        """Count the points: a function begins, or something written in C has returned.

        There is none between a lock that is taken by `with` and what follows.
        """
        name = getattr(called, "__name__", "")
        if frame.f_code.co_filename != convoys.__file__ or name in {"__enter__", "__exit__"}:
            return
        self.comes += event in {"call", "c_return"}
        if self.comes == self.point:
            sys.setprofile(None)
            raise KeyboardInterrupt

    @contextmanager
    def held_off(self) -> Generator[None, None, None]:
        """Let something be done that is not interrupted."""
        profile = sys.getprofile()
        sys.setprofile(None)
        yield
        sys.setprofile(profile)


@attrs.define
class Meeting(Convoys):
    """Where two more come while the first of all leads: before it gathers, or while it decides."""

    interruption: Interruption
    more_come: str
    waiting: list[Waiting] = attrs.field(factory=lambda: [Waiting(change()) for _ in range(2)])
    running: list[Future[None]] = attrs.Factory(list[Future[None]])
    threads: ThreadPoolExecutor = attrs.field(factory=lambda: ThreadPoolExecutor(2))

    def __attrs_post_init__(self) -> None:
        """Meet nobody yet."""
        super().__init__(self._decide)

    def _line_up(self, key: Hashable, ride: Ride) -> bool:
        is_first = super()._line_up(key, ride)
        self._at("before it gathers")
        return is_first

    def _decide(self, convoy: list[Ride], _behind_lock: bool) -> None:
        self._at("while it decides")
        for ride in convoy:
            ride.error = RepositoryUnavailable("decided")

    def _at(self, moment: str) -> None:
        if moment == self.more_come:
            self.more_come = "never"  # again
            with self.interruption.held_off():
                for each in self.waiting:
                    self.running.append(self.threads.submit(self.join, "a course", each))
                    assert each.waits.wait(SECONDS)


def is_late(ride: Ride) -> bool:
    """Tell whether its turn did not come; without an error its caller does it alone."""
    return isinstance(ride.error, RepositoryUnavailable) and ride.error.reason != "decided"


@pytest.mark.parametrize("more_come", ["never", "before it gathers", "while it decides"])
def test_a_leader_that_is_interrupted_anywhere_holds_nobody_up(
    more_come: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At whatever point it is: those who wait come back, and who comes later is decided."""
    monkeypatch.setattr(retries, "TRYING_SECONDS", 2)
    monkeypatch.setattr(convoys, "_LOOK_SECONDS", 0.01)
    point = 0
    is_over = False
    while not is_over:
        point += 1
        interruption = Interruption(point)
        meeting = Meeting(interruption, more_come)
        with meeting.threads:
            sys.setprofile(interruption.look)
            try:
                meeting.join("a course", Ride(change()))
                is_over = True
            except KeyboardInterrupt:
                pass
            finally:
                sys.setprofile(None)
            for each in meeting.running:
                each.result(SECONDS)
        assert not any(map(is_late, meeting.waiting)), point
        meeting.more_come = "never"
        meeting.join("a course", later := Ride(change()))
        assert not is_late(later), point
        assert later.error is not None, point
    assert point > 10


@attrs.define
class Hasty(Convoys):
    """Where the second to come is taken before it can look whether it is."""

    second: Ride
    threads: ThreadPoolExecutor
    stands: Event = attrs.field(factory=Event)
    running: list[Future[None]] = attrs.Factory(list[Future[None]])
    is_back: bool = False

    def __attrs_post_init__(self) -> None:
        """Meet nobody yet."""
        super().__init__(self._decide)

    def _line_up(self, key: Hashable, ride: Ride) -> bool:
        is_first = super()._line_up(key, ride)
        if ride is self.second:
            self.stands.set()
            while ride.leads is None:
                assert not ride.wait(0.001)
        else:
            self.running.append(self.threads.submit(self.join, key, self.second))
            assert self.stands.wait(SECONDS)
        return is_first

    def _decide(self, _convoy: list[Ride], _behind_lock: bool) -> None:
        done, _ = wait(self.running, 0.1)
        self.is_back = bool(done)


def test_who_is_taken_at_once_waits_until_it_is_decided() -> None:
    """Who came back undecided would decide it again, alone: a completion without its reminder."""
    with ThreadPoolExecutor(1) as threads:
        meeting = Hasty(Ride(change()), threads)
        meeting.join("a course", Ride(change()))
        meeting.running[0].result(SECONDS)

    assert not meeting.is_back


def test_who_is_not_woken_sees_that_it_is_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks from time to time, once it has waited as long as for its turn."""
    monkeypatch.setattr("course_domain.sql.convoys._LOOK_SECONDS", 0.01)
    last = Unwoken(change())

    def drive(_convoy: list[Ride]) -> None:
        last.taken.set()
        assert last.looks.wait(SECONDS)

    assert [[0], [1, 2]] == among_three(last, drive)


def test_who_leads_and_is_interrupted_leaves_the_others_to_themselves() -> None:
    """Those who rode with it have neither answer nor error, and those behind go on."""
    led: list[list[Ride]] = []

    def decide_and_store(convoy: list[Ride], _behind_lock: bool) -> None:
        led.append(convoy)
        for each in waiting[:2] if len(led) == 1 else waiting[2:] if len(led) == 2 else []:
            running.append(threads.submit(meeting.join, "a course", each))
            assert each.waits.wait(SECONDS)
        if len(led) == 2:
            raise KeyboardInterrupt

    first, waiting = Ride(change()), [Waiting(change()) for _ in range(3)]
    running: list[Future[None]] = []
    meeting = Convoys(decide_and_store)
    with ThreadPoolExecutor(3) as threads:
        meeting.join("a course", first)
        assert isinstance(running[0].exception(SECONDS), KeyboardInterrupt)
        for each in running[1:]:
            each.result(SECONDS)
    assert [[first], waiting[:2], waiting[2:]] == led
    assert (None, None, None) == (waiting[1].answer, waiting[1].error, waiting[1].not_known)


def test_who_came_late_is_not_told_that_the_time_of_the_first_is_up() -> None:
    """Each tries until its own time is up: who has some left goes on alone."""
    first, late = Ride(change()), Ride(change())
    first.until = 0

    def decide_and_store(_convoy: list[Ride], _behind_lock: bool) -> None:
        raise retries.LostRace

    Convoys(decide_and_store).drive([first, late])
    assert isinstance(first.error, RepositoryUnavailable)
    assert (None, None) == (late.answer, late.error)


def taken() -> DBAPIError:
    """Give what SQLite has against a key that is there already."""
    error = sqlite3.IntegrityError("taken")
    error.sqlite_errorcode = sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
    return DBAPIError("", None, error)


def test_key_that_one_finds_taken_is_not_for_the_others() -> None:
    """A convoy that meets it again would meet it each time: all are left to themselves at once."""
    tries: list[list[Ride]] = []

    def decide_and_store(convoy: list[Ride], _behind_lock: bool) -> None:
        tries.append(convoy)
        raise taken()

    rides = [Ride(change()), Ride(change())]
    Convoys(decide_and_store).drive(rides)
    assert [rides] == tries
    assert [(None, None)] * 2 == [(each.answer, each.error) for each in rides]


def test_who_has_no_time_left_is_told_what_the_database_said() -> None:
    """Whose time is up when one of many is refused hears the reason, as plain text."""

    def decide_and_store(_convoy: list[Ride], _behind_lock: bool) -> None:
        raise taken()

    first, late = Ride(change()), Ride(change())
    late.until = 0
    Convoys(decide_and_store).drive([first, late])
    assert first.error is None
    assert isinstance(late.error, RepositoryUnavailable)
    assert {"reason": "taken"} == vars(late.error)


def test_key_that_one_alone_finds_taken_is_looked_at_again() -> None:
    """Somebody was first: with nobody to be held up by it, the next try sees what is there."""
    tries: list[list[Ride]] = []

    def decide_and_store(convoy: list[Ride], _behind_lock: bool) -> None:
        tries.append(convoy)
        if len(tries) == 1:
            raise taken()

    ride = Ride(change())
    Convoys(decide_and_store).drive([ride])
    assert [[ride], [ride]] == tries


@pytest.mark.parametrize(
    ("stored", "told"), [(None, reminder()), (certificate(), None)], ids=["new", "there before"]
)
def test_looked_up_answer_has_the_reminder_of_its_own_certificate(
    stored: PeerMentorCertificate | None, told: RenewalReminder | None
) -> None:
    """A reminder for a certificate that was there before is not told as added by this call."""
    state = participation(registration=registration(), certificate=stored)
    now = attrs.evolve(
        state, registration=registration(completed_at=NOW), certificate=certificate()
    )
    answer = attrs.evolve(now, reminder=reminder())

    assert attrs.evolve(now, reminder=told) == change().after(Seen(1, state), answer, now)


def test_what_goes_wrong_with_one_is_not_for_the_others() -> None:
    """An error that is nobody's answer leaves all to themselves, and whose it is meets it again."""

    def decide_and_store(convoy: list[Ride], _behind_lock: bool) -> None:
        convoy[0].error = LookupError()  # on ground of what is rolled back
        raise ZeroDivisionError

    convoys = Convoys(decide_and_store)
    rides = [Ride(change()), Ride(change())]
    convoys.drive(rides)
    assert [(None, None)] * 2 == [(each.answer, each.error) for each in rides]
    with pytest.raises(ZeroDivisionError):
        convoys.drive(rides[:1])


def test_what_is_kept_for_an_engine_goes_with_it() -> None:
    """A host that makes an engine for each organization, or test, keeps none of them."""
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    create_schema(engine)
    SqlCourseRepository(engine).add(course())
    gone = weakref.ref(engine)
    engine.dispose()
    del engine
    gc.collect()
    assert gone() is None
