"""Clauses: what is stored of an answer about a person, and what is not."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs

from course_domain.participation import Participation, PeerMentorCertificate
from course_domain.testing.bench import (
    NOW,
    RepositoryBench,
    cancelled,
    change,
    completed,
    confirmed,
    shown,
)
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_some

_DAY = timedelta(days=1)

_Step = tuple[str, UUID, Callable[[Participation], Participation], int]


@clause("STORE-1")
def the_count_follows_the_registrations(bench: RepositoryBench) -> None:
    """The confirmed count is the number of confirmed registrations of the course, at every step.

    A failure means that seats are lost or sold twice. Completed ones count, cancelled ones do
    not, and other courses' never.

    A correct adapter changes its count by the difference between what was and what is stored.
    """
    on = bench.stored()
    other = bench.stored(organization_id=on.organization_id)
    first, second = uuid4(), uuid4()
    steps: tuple[_Step, ...] = (
        ("register", first, confirmed, 1),
        ("register again", first, confirmed, 1),
        ("register another", second, confirmed, 2),
        ("cancel", first, cancelled, 1),
        ("cancel again", first, cancelled, 1),
        ("register after a cancel", first, confirmed, 2),
        ("complete", second, completed, 2),
        ("cancel at last", first, cancelled, 1),
    )
    for name, whose, decide, expected in (*steps, *_first_steps()):
        answer = change(bench.repository, on, whose, decide)
        expect(expected, answer.confirmed_count, f"the count that {name} gives")
        read = shown(bench.repository, on, uuid4())
        expect(expected, read.confirmed_count, f"the count after: {name}")
        entry = shown(bench.repository, other, whose)
        expect(0, entry.confirmed_count, f"the other course's count after: {name}")


def _first_steps() -> tuple[_Step, ...]:
    """Give people whose first record is not just a confirmed one."""
    return (
        ("a first record that is cancelled", uuid4(), lambda seen: cancelled(confirmed(seen)), 1),
        ("a first record that is completed", uuid4(), lambda seen: completed(confirmed(seen)), 2),
    )


@clause("STORE-2")
def none_leaves_what_is_stored(bench: RepositoryBench) -> None:
    """None in an answer leaves what is stored: the port never deletes.

    A failure means that a decision about one record loses another.

    A correct adapter writes the records that the answer has, and no others.
    """
    on = bench.stored()
    done = bench.complete(on)
    expected = attrs.evolve(done, reminder=None)
    omissions: tuple[dict[str, Any], ...] = (
        {"registration": None},
        {"certificate": None},
        {"reminder": None},
    )
    for fields in omissions:
        answer = change(
            bench.repository, on, done.user_id, lambda seen: attrs.evolve(seen, **fields)
        )
        expect(expected, answer, f"the answer to {fields}")
        expect(expected, shown(bench.repository, on, done.user_id), f"stored after {fields}")
    pending = bench.repository.pending_reminders().items
    expect((done.reminder,), pending, "the outbox")
    _expect_stored_one_by_one(bench)


def _expect_stored_one_by_one(bench: RepositoryBench) -> None:
    """Fail where a record is stored only together with another one."""
    on = bench.stored()
    whose = uuid4()
    registered = bench.register(on, whose)
    answer = completed(
        Participation(course=on, confirmed_count=1, user_id=whose, registration=registered),
        expires_at=NOW + 400 * _DAY,
    )
    records: tuple[dict[str, Any], ...] = (
        {"certificate": answer.certificate},
        {"reminder": answer.reminder},
    )
    for fields in records:
        after = change(bench.repository, on, whose, lambda seen: attrs.evolve(seen, **fields))
        for name, expected in fields.items():
            expect(expected, getattr(after, name), f"the {name} in an answer that adds it alone")
    read = shown(bench.repository, on, whose)
    expect((registered, answer.certificate), (read.registration, read.certificate), "stored")
    pending = bench.repository.pending_reminders().items
    expect(True, answer.reminder in pending, "whether the reminder is in the outbox")


@clause("STORE-3")
def a_second_certificate_is_ignored_with_its_reminder(bench: RepositoryBench) -> None:
    """Where a certificate is stored, another one in an answer is ignored, and its reminder too.

    A failure means that a person's expiry moves after it was issued, or that they are reminded
    twice.

    A correct adapter inserts a certificate where there is none, and never updates one: another
    has another id, or the same id and another expiry.
    """
    on = bench.stored()
    done = bench.complete(on)
    issued = expect_some(done.certificate, "the certificate in the answer")
    registered = expect_some(done.registration, "the registration in the answer")
    for days, certificate_id in ((1, uuid4()), (2, issued.id)):
        at, expires_at = NOW + days * _DAY, NOW + (900 + days) * _DAY
        answer = change(
            bench.repository,
            on,
            done.user_id,
            lambda seen: completed(
                seen, at=at, expires_at=expires_at, certificate_id=certificate_id
            ),
        )
        held = attrs.evolve(registered, completed_at=at)
        expected = attrs.evolve(done, registration=held, reminder=None)
        expect(expected, answer, "the answer, its registration stored")
        expect(expected, shown(bench.repository, on, done.user_id), "what is stored")
        listed = bench.repository.certificates(on.organization_id).items
        expect((issued,), listed, "the certificates")
        pending = bench.repository.pending_reminders().items
        expect((done.reminder,), pending, "the outbox")


@clause("STORE-4")
def the_rest_of_an_answer_is_ignored(bench: RepositoryBench) -> None:
    """The course, the count and the user in a participation's answer are not stored.

    A failure means that a decision about a person can change the course, or the count of seats.

    A correct adapter keeps its own count, and writes a course only in `change_course`.
    """
    on = bench.stored()
    whose = uuid4()

    def decide(seen: Participation) -> Participation:
        other = attrs.evolve(seen.course, title="not stored", updated_at=NOW + _DAY)
        return attrs.evolve(confirmed(seen), course=other, confirmed_count=41)

    answer = change(bench.repository, on, whose, decide)
    expect((on, 1), (answer.course, answer.confirmed_count), "course and count in the answer")
    read = shown(bench.repository, on, whose)
    expect((on, 1), (read.course, read.confirmed_count), "course and count as stored")
    expect(on, bench.repository.get(on.organization_id, on.id), "the course")


@clause("STORE-5")
def registrations_never_touch_the_course(bench: RepositoryBench) -> None:
    """Register, cancel and complete leave the course as it is, its `updated_at` too.

    A failure means that an admin's revision is refused as stale because somebody registered.

    A correct adapter keeps the version that guards its writes apart from `updated_at`.
    """
    on = bench.stored()
    whose = uuid4()
    for decide in (confirmed, cancelled, confirmed, completed):
        change(bench.repository, on, whose, decide)
        expect(on, bench.repository.get(on.organization_id, on.id), f"after {decide.__name__}")


@clause("STORE-6")
def a_completion_is_stored_as_one(bench: RepositoryBench) -> None:
    """Registration, certificate and reminder of one answer are all there afterwards.

    A failure means that somebody is certified and never reminded: a reminder was lost.

    A correct adapter stores all three in the transaction of the change.
    """
    on = bench.stored()
    done = bench.complete(on)
    certificate = expect_some(done.certificate, "the certificate in the answer")
    expect(certificate.id, getattr(done.reminder, "certificate_id", None), "the reminder")
    read = shown(bench.repository, on, done.user_id)
    expect(attrs.evolve(done, reminder=None), read, "participations")
    organization_id = on.organization_id
    expect((done.registration,), bench.repository.registrations(organization_id).items, "listed")
    expect((done.certificate,), bench.repository.certificates(organization_id).items, "listed")
    expect((done.reminder,), bench.repository.pending_reminders().items, "the outbox")


@clause("STORE-8")
def each_person_and_course_has_records_of_its_own(bench: RepositoryBench) -> None:
    """One person on two courses, and two people on one, never share a record.

    A failure means that a registration or a certificate stands under somebody else.

    A correct adapter keys both by course and user.
    """
    organization_id, whose = uuid4(), uuid4()
    first, second = (bench.stored(organization_id=organization_id) for _ in range(2))
    done: dict[UUID, Participation] = {on.id: bench.complete(on, whose) for on in (first, second)}
    other = bench.complete(first)
    found = bench.repository.participations(organization_id, [first.id, second.id], whose)
    for on, count in ((first, 2), (second, 1)):
        expected = attrs.evolve(done[on.id], confirmed_count=count, reminder=None)
        expect(expected, found[on.id], "the person's participation")
    read = shown(bench.repository, first, other.user_id)
    expect(attrs.evolve(other, reminder=None), read, "the other person's participation")
    certificates: list[PeerMentorCertificate] = list(
        bench.repository.certificates(organization_id, user_id=whose).items
    )
    expect(2, len(certificates), "the person's certificates")


CLAUSES = (
    the_count_follows_the_registrations,
    none_leaves_what_is_stored,
    a_second_certificate_is_ignored_with_its_reminder,
    the_rest_of_an_answer_is_ignored,
    registrations_never_touch_the_course,
    a_completion_is_stored_as_one,
    each_person_and_course_has_records_of_its_own,
)
