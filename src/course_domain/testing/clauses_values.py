"""Clauses: what is stored comes back equal, field by field."""

import pickle
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import attrs
from hypothesis import given
from hypothesis import strategies as st

from course_domain.course import Course
from course_domain.participation import Participation, RegistrationStatus
from course_domain.testing.bench import (
    RepositoryBench,
    change,
    completed,
    confirmed,
    course,
    items,
    shown,
    walk,
)
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_some
from course_domain.testing.strategies import (
    EDGE_INSTANTS,
    certificates,
    courses,
    registrations,
    reminders,
)
from course_domain.values import LATEST_COMPUTED_INSTANT


def _expect_same(expected: attrs.AttrsInstance, observed: object, what: str) -> None:
    """Compare field by field, with the types, and the zone of every instant; it pickles."""
    expect(type(expected), type(observed), f"{what}: its type")
    expect(expected, pickle.loads(pickle.dumps(observed)), f"{what}: its pickle")  # noqa: S301
    for field in attrs.fields(type(expected)):
        one: object = getattr(expected, field.name)
        other: object = getattr(observed, field.name)
        expect(one, other, f"{what}: {field.name}")
        expect(type(one), type(other), f"{what}: the type of {field.name}")
        if isinstance(other, datetime):
            expect(UTC, other.tzinfo, f"{what}: the zone of {field.name}")


@clause("VALUES-1")
def any_course_comes_back_equal(bench: RepositoryBench) -> None:
    """A course that is added is read back equal, whatever its texts, instants and numbers.

    A failure means that storing changes a course: a letter, a microsecond, a None.

    A correct adapter keeps text code point by code point at any length, instants in UTC to the
    microsecond from 1900 to 8999, and None apart from the empty text and from 0.
    """

    @bench.settings(2)
    @given(courses())
    def holds(drawn: Course) -> None:
        added = attrs.evolve(drawn, id=uuid4(), organization_id=uuid4())
        bench.repository.add(added)
        read = expect_some(bench.repository.get(added.organization_id, added.id), "what get finds")
        _expect_same(added, read, "get")
        (listed,) = bench.repository.courses(added.organization_id).items
        _expect_same(added, listed, "courses")
        _expect_same(added, shown(bench.repository, added, uuid4()).course, "participations")

    holds()


@clause("VALUES-2")
def any_revised_course_comes_back_equal(bench: RepositoryBench) -> None:
    """A course that is changed into any other is read back equal to that.

    A failure means that a change forgets a field, or cannot clear one.

    A correct adapter writes every field of the answer, None too.
    """

    @bench.settings()
    @given(courses(), courses())
    def holds(drawn: Course, target: Course) -> None:
        keys: dict[str, Any] = {"id": uuid4(), "organization_id": uuid4()}
        before = attrs.evolve(drawn, **keys)
        bench.repository.add(before)
        kept: dict[str, Any] = {"created_by": before.created_by, "created_at": before.created_at}
        after = attrs.evolve(target, **keys, **kept)
        answer = bench.repository.change_course(
            before.organization_id, before.id, lambda _seen: after
        )
        _expect_same(after, answer, "change_course")
        read = expect_some(
            bench.repository.get(before.organization_id, before.id), "what get finds"
        )
        _expect_same(after, read, "get")

    holds()


@clause("VALUES-3")
def any_record_comes_back_equal(bench: RepositoryBench) -> None:
    """Registration, certificate and reminder are read back equal, in every place they stand.

    A failure means that an instant or an id of a person's records is changed by storing.

    A correct adapter keeps instants to the microsecond, expiry and reminder up to 9099.
    """

    @bench.settings()
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        on = course()
        bench.repository.add(on)
        whose = uuid4()
        keys = {"course_id": on.id, "organization_id": on.organization_id}
        certificate = data.draw(certificates(id=uuid4(), peer_mentor_id=whose, **keys))
        registration = data.draw(registrations(id=uuid4(), user_id=whose, **keys))
        reminder = data.draw(reminders(certificate_id=certificate.id, peer_mentor_id=whose, **keys))
        answer = Participation(
            course=on,
            confirmed_count=0,
            user_id=whose,
            registration=registration,
            certificate=certificate,
            reminder=reminder,
        )
        after = change(bench.repository, on, whose, lambda _seen: answer)
        read = shown(bench.repository, on, whose)
        count = int(registration.status is RegistrationStatus.CONFIRMED)
        expect((count, count), (after.confirmed_count, read.confirmed_count), "the count")
        (listed,) = bench.repository.registrations(on.organization_id).items
        (certified,) = bench.repository.certificates(on.organization_id).items
        pending = items(walk(lambda after: bench.repository.pending_reminders(after=after)))
        for what, observed in (("answer", after.registration), ("list", listed)):
            _expect_same(registration, observed, f"the registration, {what}")
        for what, observed_certificate in (("answer", after.certificate), ("list", certified)):
            _expect_same(certificate, observed_certificate, f"the certificate, {what}")
        expect(registration, read.registration, "the registration, participations")
        expect(certificate, read.certificate, "the certificate, participations")
        (waiting,) = [each for each in pending if each.peer_mentor_id == whose]
        _expect_same(reminder, waiting, "the reminder")
        bench.repository.mark_reminder_scheduled(waiting)

    holds()


@clause("VALUES-4")
def long_text_comes_back_whole(bench: RepositoryBench) -> None:
    """Text of any length and script comes back whole, trailing blanks and letter case too.

    A failure means that a description is cut, folded or trimmed without a word.

    A correct adapter has columns without a limit, in a character set that holds all of Unicode,
    compared code point by code point.
    """
    long = "Å være likeperson 🎧 \u202eabc\u202c " * 4_000
    blank = (" ", "", "\ufeff", "\r\n\t")
    worded = (long, "a ", "A ", "e\u0301", "ß İ ﬁ", "null", "None", "true", "0012", "1.50", "1e3")
    signs = ("'", '"', "\\", "\\n", "%s", "%", "_", "{}", "[]", "<b>&amp;", "; --", "2027-01-01")
    for number, description in enumerate((*blank, *worded, *signs)):
        title = f"{number} " if description in blank else description
        stored = bench.stored(description=description, location=description, title=title)
        read = expect_some(
            bench.repository.get(stored.organization_id, stored.id), "what get finds"
        )
        _expect_same(stored, read, f"text of {len(description)} characters")


@clause("VALUES-5")
def the_edges_of_time_come_back_whole(bench: RepositoryBench) -> None:
    """The first and the last instant, and those where clocks and calendars turn, come back equal.

    A failure means that a date is refused, or moved, that every program can meet.

    A correct adapter keeps instants in UTC to the microsecond, from 1900 to 8999, and what is
    computed from them to 9099; no column of seconds, of local time, or of a shorter range does.
    """
    for at in EDGE_INSTANTS:
        on = bench.stored(start_date=at, created_at=at, updated_at=at)
        read = bench.repository.get(on.organization_id, on.id)
        _expect_same(on, read, f"a course that starts at {at}")
        (listed,) = bench.repository.courses(on.organization_id, starts_from=at).items
        _expect_same(on, listed, f"the course listed from {at} on")
        expect((), bench.repository.courses(on.organization_id, starts_before=at).items, "before")
        for expires_at in (at, LATEST_COMPUTED_INSTANT):
            _expect_record_whole(bench, on, at, expires_at)


def _expect_record_whole(
    bench: RepositoryBench, on: Course, at: datetime, expires_at: datetime
) -> None:
    """Complete a person at some instant, with a reminder at the instant of the expiry."""

    def decide(seen: Participation) -> Participation:
        answer = completed(confirmed(seen, at=at), at=at, expires_at=LATEST_COMPUTED_INSTANT)
        certificate = expect_some(answer.certificate, "the certificate that the kit has made")
        reminder = expect_some(answer.reminder, "the reminder that the kit has made")
        return attrs.evolve(
            answer,
            certificate=attrs.evolve(certificate, expires_at=expires_at),
            reminder=attrs.evolve(reminder, remind_at=expires_at),
        )

    repository, whose = bench.repository, uuid4()
    answer = change(repository, on, whose, decide)
    certificate = expect_some(answer.certificate, "the certificate in the answer")
    reminder = expect_some(answer.reminder, "the reminder in the answer")
    registration = expect_some(answer.registration, "the registration in the answer")
    expected = (at, at, at, expires_at, expires_at)
    observed = (
        registration.registered_at,
        registration.completed_at,
        certificate.issued_at,
        certificate.expires_at,
        reminder.remind_at,
    )
    expect(expected, observed, "the instants in the answer")
    read = attrs.evolve(answer, reminder=None)
    expect(read, shown(repository, on, whose), "participations")
    registrations = repository.registrations(on.organization_id, user_id=whose).items
    expect((registration,), registrations, "the registrations")
    certified = repository.certificates(on.organization_id, user_id=whose).items
    expect((certificate,), certified, "the certificates")
    expect((reminder,), repository.pending_reminders().items, "the outbox")
    repository.mark_reminder_scheduled(reminder)


CLAUSES = (
    any_course_comes_back_equal,
    any_revised_course_comes_back_equal,
    any_record_comes_back_equal,
    long_text_comes_back_whole,
    the_edges_of_time_come_back_whole,
)
