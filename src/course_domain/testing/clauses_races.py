"""Clauses for an adapter that declares ``threads``: forced races, judged by how they end."""

from collections.abc import Callable
from functools import partial
from itertools import product

import attrs

from course_domain import decisions
from course_domain.course import Course, CourseStatus
from course_domain.errors import InvalidTransition, RegistrationRejected, StaleCourse
from course_domain.participation import RegistrationStatus
from course_domain.ports import CourseRepository
from course_domain.testing.bench import (
    NOW,
    SHARED_STORE,
    THREADS,
    RepositoryBench,
    change,
    shown,
    waiting_for,
)
from course_domain.testing.clause import clause
from course_domain.testing.contestants import (
    admin_of,
    change_course,
    changing,
    changing_course,
    completing,
    expect_error_of,
    mentor_of,
    one_more_seat,
    registering,
    seats,
)
from course_domain.testing.differences import brief
from course_domain.testing.expectations import expect
from course_domain.testing.meetings import EITHER_FIRST
from course_domain.testing.rivals import duel


def _expect_no_lost_update(bench: RepositoryBench, other: CourseRepository) -> None:
    on = bench.stored(max_participants=1)
    ended = duel(
        changing_course(bench.repository, on),
        one_more_seat,
        lambda: change_course(other, on, one_more_seat),
    )
    expect_error_of(ended.first, None, "the first")
    expect_error_of(ended.rival, None, "the rival")
    expect(3, seats(bench.repository, on), "a number that two calls raised by one, from 1")


def _expect_one_seat_sold_once(bench: RepositoryBench, other: CourseRepository) -> None:
    on = bench.stored(max_participants=1)
    one, two = mentor_of(on), mentor_of(on)
    ended = duel(
        changing(bench.repository, on, one.user_id),
        registering(one),
        lambda: change(other, on, two.user_id, registering(two)),
    )
    entries = [shown(bench.repository, on, each.user_id) for each in (one, two)]
    holders = [each.registration for each in entries if each.registration is not None]
    expect(1, entries[0].confirmed_count, "the confirmed count of a course with one seat")
    expect(1, len(holders), f"who holds the one seat: {brief(holders)}")
    errors = [type(each.error) for each in (ended.first, ended.rival) if each.error is not None]
    expect([RegistrationRejected], errors, "the errors of the two who asked for one seat")


@clause("RACE-1", THREADS)
def no_update_is_lost(bench: RepositoryBench) -> None:
    """Two changes of one course at once are serialised: both are in the result.

    A failure means that one admin's revision silently undoes another's.

    A correct adapter locks the course before it reads it, or stores on condition of its version
    and asks again when it has changed.
    """
    _expect_no_lost_update(bench, bench.repository)


@clause("RACE-2", THREADS)
def the_last_seat_is_sold_once(bench: RepositoryBench) -> None:
    """Two people who ask for the last seat at once: one gets it (``max_participants_cap``).

    A failure means that a seat is sold twice.

    A correct adapter writes the course's row with every registration, its count or its version,
    so that two of them cannot pass each other.
    """
    _expect_one_seat_sold_once(bench, bench.repository)


@clause("RACE-3", THREADS, SHARED_STORE)
def two_objects_lose_no_update_and_sell_no_seat_twice(bench: RepositoryBench) -> None:
    """The same holds when first and rival come through two objects over one store.

    A failure means that a lock or a version lives in the object: two of them oversell.

    A correct adapter lets the store decide who was first. A lock of the process does the same
    here, where both objects are in one, and not between two processes.
    """
    _expect_no_lost_update(bench, bench.reopened())
    _expect_one_seat_sold_once(bench, bench.reopened())


@clause("RACE-4", THREADS)
def one_person_registers_once(bench: RepositoryBench) -> None:
    """One person who registers twice at once has one registration and one seat.

    A failure means that a double click takes two seats.

    A correct adapter keeps course and user unique, and asks again when somebody was first.
    """
    on = bench.stored()
    actor = mentor_of(on)
    ended = duel(
        changing(bench.repository, on, actor.user_id),
        registering(actor),
        lambda: change(bench.repository, on, actor.user_id, registering(actor)),
    )
    expect_error_of(ended.first, None, "the first")
    expect_error_of(ended.rival, None, "the rival")
    read = shown(bench.repository, on, actor.user_id)
    expect(1, read.confirmed_count, "the confirmed count")
    for name, answer in (("first", ended.first.answer), ("rival", ended.rival.answer)):
        expect(read.registration, answer.registration, f"the registration that the {name} got")
    listed = bench.repository.registrations(on.organization_id).items
    expect((read.registration,), listed, "the registrations")


@clause("RACE-5", THREADS)
def nobody_registers_behind_an_archiving(bench: RepositoryBench) -> None:
    """Once a course is archived, no registration decided on its earlier status is stored.

    A failure means that people register for courses that were taken away.

    A correct adapter raises one version with every change of a course and of its registrations,
    or locks the course before it reads anything that `decide` is shown.
    """
    for race in EITHER_FIRST:
        on = bench.stored()
        actor, admin = mentor_of(on), admin_of(on)
        archive = partial(decisions.archive, actor=admin, now=NOW)
        read = race(bench, on, actor.user_id, registering(actor), archive)
        expect(CourseStatus.ARCHIVED, read.course.status, "the status of the course")


@clause("RACE-6", THREADS)
def of_two_revisions_one_is_stale(bench: RepositoryBench) -> None:
    """Two admins who revise what both saw: one is stored, the other gets StaleCourse.

    A failure means that `expected_updated_at` does not protect: two admins overwrite each other.

    A correct adapter asks `decide` about the course as it is when the answer is stored.
    """
    on = bench.stored(title="before")
    admin = admin_of(on)

    def revising(title: str) -> Callable[[Course], Course]:
        return lambda seen: decisions.revise(
            seen, admin, NOW, expected_updated_at=on.updated_at, title=title
        )

    ended = duel(
        changing_course(bench.repository, on),
        revising("first"),
        lambda: change_course(bench.repository, on, revising("rival")),
    )
    winners = [
        name
        for name, outcome in (("first", ended.first), ("rival", ended.rival))
        if outcome.error is None
    ]
    expect(1, len(winners), f"how many of two revisions were taken: {winners}")
    loser = ended.rival if winners == ["first"] else ended.first
    expect_error_of(loser, StaleCourse, "the other revision")
    read = bench.repository.get(on.organization_id, on.id)
    expect(winners[0], None if read is None else read.title, "the title that is stored")


@clause("RACE-7", THREADS)
def a_registration_is_completed_or_cancelled(bench: RepositoryBench) -> None:
    """Complete against cancel: one of them is stored, and the other is an InvalidTransition.

    A failure means that somebody without a seat holds a certificate, or has completed.

    A correct adapter serialises the changes of one course, also those of one person, and those
    that change no count.
    """
    for completes_first, issues in product((True, False), repeat=2):
        months = 12 if issues else None
        on = bench.stored(issues_certificate=issues, certificate_validity_months=months)
        actor = mentor_of(on)
        bench.register(on, actor.user_id)
        asking = changing(bench.repository, on, actor.user_id)
        pair = (completing(admin_of(on)), partial(decisions.cancel, actor=actor, now=NOW))
        first, second = pair if completes_first else pair[::-1]
        ended = duel(asking, first, partial(asking, second))
        completing_one, cancelling = (
            (ended.first, ended.rival) if completes_first else (ended.rival, ended.first)
        )
        completes = completing_one.error is None
        loser = cancelling if completes else completing_one
        expect_error_of(loser, InvalidTransition, "the one that came second")
        read = shown(bench.repository, on, actor.user_id)
        held = read.registration
        status = RegistrationStatus.CONFIRMED if completes else RegistrationStatus.CANCELLED
        expect(status, None if held is None else held.status, "the status of the registration")
        is_certified = completes and issues
        expect(is_certified, read.certificate is not None, "a certificate, where it was completed")
        expect(int(completes), read.confirmed_count, "the confirmed count")
        waiting = waiting_for(bench.repository, on)
        expect(int(is_certified), len(waiting), "how many reminders wait")


@clause("RACE-8", THREADS)
def nobody_registers_behind_a_lowered_cap(bench: RepositoryBench) -> None:
    """Once the cap is lowered, no registration decided on the earlier cap is stored.

    A failure means that a registration is taken while the count is at or above the cap in force.

    A correct adapter raises one version with every change of a course and of its registrations,
    or locks the course before it reads anything that `decide` is shown.
    """
    for race in EITHER_FIRST:
        on = bench.stored(max_participants=2)
        bench.register(on)
        actor = mentor_of(on)
        lower = partial(attrs.evolve, max_participants=1)
        read = race(bench, on, actor.user_id, registering(actor), lower)
        expect(1, read.course.max_participants, "the cap")
        took = read.registration is not None
        expect(1 + took, read.confirmed_count, "the confirmed count")


@clause("RACE-19", THREADS)
def nobody_is_certified_behind_a_revision(bench: RepositoryBench) -> None:
    """Once a course issues no certificate, no completion decided on its earlier state is stored.

    A failure means that somebody holds a certificate which the course in force does not issue.

    A correct adapter compares its version for every answer that it stores, also for one that
    takes no seat.
    """
    for race in EITHER_FIRST:
        on = bench.stored(certificate_validity_months=12)
        actor, admin = mentor_of(on), admin_of(on)
        bench.register(on, actor.user_id)
        revise = partial(attrs.evolve, issues_certificate=False, certificate_validity_months=None)
        read = race(bench, on, actor.user_id, completing(admin), revise)
        expect(False, read.course.issues_certificate, "whether the course issues certificates")


CLAUSES = (
    no_update_is_lost,
    the_last_seat_is_sold_once,
    two_objects_lose_no_update_and_sell_no_seat_twice,
    one_person_registers_once,
    nobody_registers_behind_an_archiving,
    of_two_revisions_one_is_stale,
    a_registration_is_completed_or_cancelled,
    nobody_registers_behind_a_lowered_cap,
    nobody_is_certified_behind_a_revision,
)
