import gc
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from uuid import uuid4

import attrs
import pytest
import sqlalchemy as sa

from builders import COURSE_ID, ORGANIZATION_ID, course
from course_domain import Participation, RepositoryUnavailable
from course_domain.sql import SqlCourseRepository, create_schema, retries, statements
from course_domain.sql.changes import ParticipationChange
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
        if seconds >= 0:
            self.waits.set()
            return not self.taken.wait(SECONDS)
        self.waits_on.set()
        return super().wait()


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

    running: list[Any] = []
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

    def decide_and_store(_convoy: list[Ride], _behind_lock: bool) -> None:
        with ThreadPoolExecutor(1) as threads:
            threads.submit(meeting.join, "a course", second).result(SECONDS)

    meeting = Convoys(decide_and_store)
    meeting.join("a course", Ride(change()))
    assert isinstance(second.error, RepositoryUnavailable)


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
