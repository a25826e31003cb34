"""Clauses for an async adapter alone: its calls are cancelled wherever they wait."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any
from uuid import uuid4

import attrs

from course_domain.course import Course
from course_domain.errors import DuplicateCourse
from course_domain.participation import Participation, Registration, RegistrationStatus
from course_domain.testing.async_bench import AsyncRepositoryBench
from course_domain.testing.bench import (
    NOW,
    cancelled,
    change,
    completed,
    confirmed,
    course,
    shown,
    waiting_for,
)
from course_domain.testing.clause import clause
from course_domain.testing.contestants import change_course, one_more_seat
from course_domain.testing.differences import brief
from course_domain.testing.expectations import broken, expect, expect_true
from course_domain.testing.loops import SCOPE, Interruption

MOST_WAITS = 40  # more than any call that has been seen; what waits longer is tried so far
_ROUNDS = 4  # a pool of twenty is empty then
_EXPIRY = NOW.replace(year=2028)

_Make = Callable[[AsyncRepositoryBench], "_Call"]


@attrs.frozen
class _Call:
    """One call of the adapter, and what it is about."""

    name: str
    arguments: tuple[Any, ...]
    on: Course
    whose: Any = None
    held: Registration | None = None
    """The registration before."""

    answers: list[Participation] = attrs.Factory(list[Participation])
    """What was answered about a person, each time that it was asked."""


def _about_a_person(
    bench: AsyncRepositoryBench,
    decide: Callable[[Participation], Participation],
    *before: Callable[[Participation], Participation],
) -> _Call:
    on, whose = bench.stored(certificate_validity_months=12), uuid4()
    held = None
    for each in before:
        held = change(bench.repository, on, whose, each).registration
    answers: list[Participation] = []

    def noted(seen: Participation) -> Participation:
        answers.append(decide(seen))
        return answers[-1]

    arguments = (on.organization_id, on.id, whose, noted)
    return _Call("change_participation", arguments, on, whose, held, answers)


def _registering(bench: AsyncRepositoryBench) -> _Call:
    return _about_a_person(bench, confirmed)


def _giving_up(bench: AsyncRepositoryBench) -> _Call:
    return _about_a_person(bench, cancelled, confirmed)


def _coming_back(bench: AsyncRepositoryBench) -> _Call:
    return _about_a_person(bench, confirmed, confirmed, cancelled)


def _completing(bench: AsyncRepositoryBench) -> _Call:
    return _about_a_person(bench, partial(completed, expires_at=_EXPIRY), confirmed)


def _changing(bench: AsyncRepositoryBench) -> _Call:
    on = bench.stored(max_participants=1)
    return _Call("change_course", (on.organization_id, on.id, one_more_seat), on)


def _adding(_bench: AsyncRepositoryBench) -> _Call:
    new = course()
    return _Call("add", (new,), new)


def _marking(bench: AsyncRepositoryBench) -> _Call:
    on = bench.stored()
    done = bench.complete(on)
    return _Call("mark_reminder_scheduled", (done.reminder,), on, done.user_id)


def _reads(bench: AsyncRepositoryBench) -> list[_Make]:
    """Give every read, all of one course."""
    on, whose = bench.stored(), uuid4()
    key = (on.organization_id, on.id)
    calls = (
        _Call("get", key, on),
        _Call("participations", (on.organization_id, [on.id], whose), on),
        _Call("pending_reminders", (), on),
        *(_Call(name, key[:1], on) for name in ("courses", "registrations", "certificates")),
    )
    return [_always(each) for each in calls]


def _always(call: _Call) -> _Make:
    return lambda _bench: call


_OF_A_PERSON = (_registering, _giving_up, _coming_back, _completing)
_WRITES = (*_OF_A_PERSON, _changing, _adding, _marking)


def _cancelled_at_each_wait(
    bench: AsyncRepositoryBench, make: _Make, by: str = SCOPE
) -> Iterator[tuple[_Call, Interruption, str]]:
    """Make a fresh call for each of its waits, cancel it there, and say so."""
    for at in range(1, MOST_WAITS + 1):
        call = make(bench)
        ended = bench.interrupted(call.name, *call.arguments, at=at, by=by)
        raise_what_it_did_not_bring(ended)
        yield call, ended, f"{call.name}, cancelled at wait {at}"
        if not ended.was_reached:
            return


def raise_what_it_did_not_bring(ended: Interruption) -> None:
    """Raise the error of a call whose cancellation has not reached it."""
    if ended.outcome.error is not None and not ended.was_delivered:
        raise ended.outcome.error


@clause("ASYNC-1")
def what_is_cancelled_about_a_person_is_stored_as_one(bench: AsyncRepositoryBench) -> None:
    """A registration or completion that is cancelled is stored as one, or not at all.

    A failure means that somebody has completed without a certificate, that a reminder or a seat
    is lost, or that nobody sits on a seat that counts, because a browser was closed. An answer,
    where one is given, means that it is stored.

    A correct adapter stores registration, count, certificate and reminder in one transaction, and
    rolls back whatever is raised where it waits.
    """
    for make in _OF_A_PERSON:
        for call, ended, what in _cancelled_at_each_wait(bench, make):
            bench.register(call.on)
            entry = shown(bench.repository, call.on, call.whose)
            asked_for = [each.registration for each in call.answers[-1:]]
            possible = asked_for if ended.outcome.answer is not None else [call.held, *asked_for]
            told = f"{brief(entry.registration)}, expected of {brief(possible)}"
            expect_true(entry.registration in possible, f"{what}: {told}")
            listed = bench.repository.registrations(
                call.on.organization_id, user_id=call.whose
            ).items
            reminders = waiting_for(bench.repository, call.on) if make is _completing else []
            later = shown(bench.repository, call.on, call.whose)
            observed = (listed, len(reminders))
            if observed != _beside(entry, what):
                expect(_beside(later, what), observed, f"{what}: the lists of who is shown so")


def _beside(entry: Participation, what: str) -> tuple[tuple[Registration, ...], int]:
    """Give the registrations and the number of reminders that stand beside an entry."""
    held = entry.registration
    sits = held is not None and held.status is RegistrationStatus.CONFIRMED
    expect(1 + sits, entry.confirmed_count, f"{what}: the confirmed count with another person")
    is_completed = held is not None and held.completed_at is not None
    is_certified = entry.certificate is not None
    expect(is_completed, is_certified, f"{what}: whether who has completed has a certificate")
    return (() if held is None else (held,)), int(is_completed)


@clause("ASYNC-2")
def a_cancelled_change_is_stored_as_a_whole(bench: AsyncRepositoryBench) -> None:
    """What a cancelled call adds, changes or marks is as before, or as it asked, and can be asked.

    A failure means that lists and look-ups disagree from then on, that what is not there cannot
    be added, or that a reminder is offered again that was marked.

    A correct adapter writes a course, and all that it keeps about it, in one transaction.
    """
    for call, _, what in _cancelled_at_each_wait(bench, _changing):
        _expect_one_of(bench, call.on, (call.on, one_more_seat(call.on)), what)
    for call, _, what in _cancelled_at_each_wait(bench, _adding):
        _expect_one_of(bench, call.on, (None, call.on), what)
        with suppress(DuplicateCourse):
            bench.repository.add(call.on)
        _expect_one_of(bench, call.on, (call.on,), f"{what}, and added again")
    for call, _, what in _cancelled_at_each_wait(bench, _marking):
        here, there = waiting_for(bench.repository, call.on), waiting_for(bench.reopened(), call.on)
        expect_true(here or not there, f"{what}: another object offers the reminder that is gone")
        (reminder,) = call.arguments
        bench.repository.mark_reminder_scheduled(reminder)
        offer = partial(attrs.evolve, reminder=reminder)
        change(bench.repository, call.on, call.whose, offer)
        expect([], waiting_for(bench.repository, call.on), f"{what}, marked, and offered again")


def _expect_one_of(
    bench: AsyncRepositoryBench, on: Course, expected: Sequence[Course | None], what: str
) -> None:
    """Fail unless a course is one of these, and listed so, be it stored a moment later."""
    read = bench.repository.get(on.organization_id, on.id)
    expect_true(read in expected, f"{what}: {brief(read)}, expected of {brief(expected)}")
    listed = bench.repository.courses(on.organization_id).items
    if listed != _listed(read):
        later = bench.repository.get(on.organization_id, on.id)
        expect(_listed(later), listed, f"{what}: the list of courses")


def _listed(read: Course | None) -> tuple[Course, ...]:
    return () if read is None else (read,)


@clause("ASYNC-3")
def a_cancelled_call_leaves_nothing_locked(bench: AsyncRepositoryBench) -> None:
    """After any call was cancelled, the next calls about the same course or organization answer.

    A failure means that a browser that was closed blocks a course, or a connection of the pool.

    A correct adapter gives its lock and its connection back, whatever is raised where it waits.
    """
    for make in (_completing, _changing, _adding, _marking):
        for call, _, what in _cancelled_at_each_wait(bench, make):
            another = bench.stored(organization_id=call.on.organization_id)
            _expect_open(bench, another if make is _adding else call.on, what)
            if make is _marking:
                bench.repository.mark_reminder_scheduled(*call.arguments)
    for read in _reads(bench) * _ROUNDS:
        *_, (call, _, what) = _cancelled_at_each_wait(bench, read)
        _expect_open(bench, call.on, what)


def _expect_open(bench: AsyncRepositoryBench, on: Course, what: str) -> None:
    """Fail unless a course can be changed, and what hangs on it."""
    title = f"After {what}"
    change_course(bench.repository, on, partial(attrs.evolve, title=title))
    read = bench.repository.get(on.organization_id, on.id)
    expect(title, None if read is None else read.title, f"{what}: a title that was changed next")
    bench.register(on)


@clause("ASYNC-4")
def a_cancellation_passes_through(bench: AsyncRepositoryBench) -> None:
    """A cancellation that reaches the adapter comes out of its call, which gives no answer.

    A failure means that a server cannot stop, or that a call goes on for nobody.

    A correct adapter catches it at most to clean up, and raises it again; asyncio's comes once.
    """
    for make in (*_WRITES, *_reads(bench)):
        for by in bench.ways:
            for _, ended, what in _cancelled_at_each_wait(bench, make, by):
                if ended.was_delivered and not ended.was_passed_on:
                    answered = brief(ended.outcome.error or ended.outcome.answer)
                    told = f"what comes out of {what} by its {by}"
                    raise broken(told, "the cancellation", answered)


CLAUSES = (
    what_is_cancelled_about_a_person_is_stored_as_one,
    a_cancelled_change_is_stored_as_a_whole,
    a_cancelled_call_leaves_nothing_locked,
    a_cancellation_passes_through,
)
