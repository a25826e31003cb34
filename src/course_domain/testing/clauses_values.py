"""Clauses: what is stored comes back equal, field by field."""

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
    course,
    shown,
    waiting_for,
)
from course_domain.testing.clause import clause
from course_domain.testing.clauses_edges import expect_same
from course_domain.testing.expectations import expect, expect_some
from course_domain.testing.strategies import (
    certificates,
    courses,
    registrations,
    reminders,
)


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
        expect_same(added, read, "get")
        (listed,) = bench.repository.courses(added.organization_id).items
        expect_same(added, listed, "courses")
        expect_same(added, shown(bench.repository, added, uuid4()).course, "participations")

    holds()


@clause("VALUES-2")
def any_revised_course_comes_back_equal(bench: RepositoryBench) -> None:
    """A course that is changed into any other is read back equal to that.

    A failure means that a change forgets a field, or cannot clear one.

    A correct adapter writes every field of the answer, None too.
    """

    @bench.settings(2)
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
        expect_same(after, answer, "change_course")
        read = expect_some(
            bench.repository.get(before.organization_id, before.id), "what get finds"
        )
        expect_same(after, read, "get")

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
        for what, observed in (("answer", after.registration), ("list", listed)):
            expect_same(registration, observed, f"the registration, {what}")
        for what, observed_certificate in (("answer", after.certificate), ("list", certified)):
            expect_same(certificate, observed_certificate, f"the certificate, {what}")
        expect(registration, read.registration, "the registration, participations")
        expect(certificate, read.certificate, "the certificate, participations")
        (waiting,) = waiting_for(bench.repository, on)
        expect_same(reminder, waiting, "the reminder")
        bench.repository.mark_reminder_scheduled(waiting)

    holds()


@clause("VALUES-4")
def long_text_comes_back_whole(bench: RepositoryBench) -> None:
    """Text of any length and script comes back whole, blanks, quotes and letter case too.

    A failure means that a description is cut, folded, trimmed, straightened, or read as something
    else than text: a formula, a form, a null.

    A correct adapter has columns without a limit, in a character set that holds all of Unicode,
    passes text as a parameter, and reads nothing into it.
    """
    long = "Å være likeperson 🎧 \u202eabc\u202c " * 4_000
    blank = (" ", "", "\ufeff", "\r\n\t")
    worded = (long, "a ", "A ", "e\u0301", "ß İ ﬁ", "null", "None", "true", "0012", "1.50", "1e3")
    signs = ("'", '"', "\\", "\\n", "%s", "%", "_", "{}", "[]", "<b>&amp;", "; --", "2027-01-01")
    read_into = ("NULL", "=1+1", "-1", "+1", "@a", "$a ${a}", "%20a+b", "  a  b", "\ta\tb")
    curly = "\u201ca\u201d \u2018b\u2019 \u2013 \u2026"
    rare = (curly, "a\u2028b\u2029c\x85d\x0be", "a\xa0b\u3000c", "a\xadb\u200bc", "a\uffff")
    for number, description in enumerate((*blank, *worded, *signs, *read_into, *rare)):
        title = f"{number} " if description in blank else description
        stored = bench.stored(description=description, location=description, title=title)
        read = expect_some(
            bench.repository.get(stored.organization_id, stored.id), "what get finds"
        )
        expect_same(stored, read, f"text of {len(description)} characters")


CLAUSES = (
    any_course_comes_back_equal,
    any_revised_course_comes_back_equal,
    any_record_comes_back_equal,
    long_text_comes_back_whole,
)
