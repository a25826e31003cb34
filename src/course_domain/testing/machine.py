"""A machine that does the same to an adapter and to a naive model, and compares step by step."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    multiple,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]  its types are partial
)

from course_domain.course import Course, CourseStatus, CourseType
from course_domain.errors import DuplicateCourse
from course_domain.participation import Participation, RenewalReminder
from course_domain.ports import CourseRepository
from course_domain.testing.bench import (
    NOW,
    RepositoryBench,
    cancelled,
    change,
    completed,
    confirmed,
    course,
    items,
    walk,
)
from course_domain.testing.clause import clause
from course_domain.testing.expectations import expect, expect_error
from course_domain.testing.model import Model

_INSTANTS = st.integers(-3, 3).map(lambda days: NOW + timedelta(days=days))
_STARTS = st.none() | _INSTANTS
_LIMITS = st.sampled_from([1, 2, 3, 200])
_PEOPLE = st.integers(0, 3)
_COURSE_FILTERS = st.fixed_dictionaries(
    {
        "statuses": st.none() | st.sets(st.sampled_from(CourseStatus)),
        "course_type": st.none() | st.sampled_from(CourseType),
        "issues_certificate": st.none() | st.booleans(),
        "starts_from": _STARTS,
        "starts_before": _STARTS,
    }
)


class RepositoryMachine(RuleBasedStateMachine):
    """Do to an adapter and to the model the same things, and compare what they show."""

    bench: RepositoryBench

    courses: Bundle[Course] = Bundle("courses")
    reminders: Bundle[RenewalReminder] = Bundle("reminders")

    def __init__(self) -> None:
        """Begin with two organizations and four people of this run's own."""
        super().__init__()
        self.repository: CourseRepository = self.bench.repository
        self.model: Model = Model()
        self.organizations: tuple[UUID, UUID] = (uuid4(), uuid4())
        self.people: list[UUID] = [uuid4() for _ in range(4)]

    @rule(
        target=courses,
        organization=st.integers(0, 1),
        status=st.sampled_from(CourseStatus),
        course_type=st.sampled_from(CourseType),
        issues=st.booleans(),
        start=_STARTS,
    )
    def add(
        self,
        organization: int,
        status: CourseStatus,
        course_type: CourseType,
        issues: bool,
        start: datetime | None,
    ) -> Course:
        """Add a course."""
        made = course(
            organization_id=self.organizations[organization],
            status=status,
            course_type=course_type,
            issues_certificate=issues,
            start_date=start,
        )
        self.repository.add(made)
        self.model.courses[made.id] = made
        return made

    @rule(on=courses)
    def add_again(self, on: Course) -> None:
        """Add what is there."""
        expect_error(DuplicateCourse, lambda: self.repository.add(on), "add of what is there")

    @rule(on=courses, status=st.sampled_from(CourseStatus), start=_STARTS, seats=_PEOPLE)
    def revise(self, on: Course, status: CourseStatus, start: datetime | None, seats: int) -> None:
        """Change a course in what its lists go by."""

        def decide(seen: Course) -> Course:
            return attrs.evolve(
                seen, status=status, start_date=start, max_participants=seats or None
            )

        expected = decide(self.model.courses[on.id])
        self.model.courses[on.id] = expected
        answer = self.repository.change_course(on.organization_id, on.id, decide)
        expect(expected, answer, "change_course")

    @rule(on=courses, person=_PEOPLE, at=_INSTANTS)
    def register(self, on: Course, person: int, at: datetime) -> None:
        """Confirm a seat."""
        fresh = uuid4()
        self._change(on, person, lambda seen: confirmed(seen, at=at, registration_id=fresh))

    @rule(on=courses, person=_PEOPLE, at=_INSTANTS)
    def cancel(self, on: Course, person: int, at: datetime) -> None:
        """Cancel what is there."""
        self._change(on, person, lambda seen: cancelled(seen, at=at) if seen.registration else seen)

    @rule(target=reminders, on=courses, person=_PEOPLE, at=_INSTANTS, expires_at=_STARTS)
    def complete(
        self, on: Course, person: int, at: datetime, expires_at: datetime | None
    ) -> MultipleResults[RenewalReminder]:
        """Complete what is there, with a certificate, and a reminder where it expires."""
        fresh = uuid4()

        def decide(seen: Participation) -> Participation:
            if seen.registration is None:
                return seen
            return completed(seen, at=at, expires_at=expires_at, certificate_id=fresh)

        reminder = self._change(on, person, decide).reminder
        return multiple(*([] if reminder is None else [reminder]))

    def _change(
        self, on: Course, person: int, decide: Callable[[Participation], Participation]
    ) -> Participation:
        whose = self.people[person]
        expected_seen = self.model.participation(on.id, whose)
        expected = self.model.store(decide(expected_seen))
        asked: list[Participation] = []

        def decide_and_tell(seen: Participation) -> Participation:
            asked.append(seen)
            return decide(seen)

        answer = change(self.repository, on, whose, decide_and_tell)
        expect(expected_seen, asked[-1], "what decide is shown")
        expect(expected, answer, "change_participation")
        return answer

    @rule(reminder=consumes(reminders))
    def mark(self, reminder: RenewalReminder) -> None:
        """Mark a reminder."""
        self.repository.mark_reminder_scheduled(reminder)
        self.model.pending.pop(reminder.certificate_id, None)

    @rule(person=_PEOPLE)
    def look_at_participations(self, person: int) -> None:
        """Compare what one person has, over all courses of each organization."""
        whose = self.people[person]
        for organization_id in self.organizations:
            expected = {
                course_id: self.model.participation(course_id, whose)
                for course_id, each in self.model.courses.items()
                if each.organization_id == organization_id
            }
            found = self.repository.participations(organization_id, self.model.courses, whose)
            expect(expected, dict(found), "participations")

    @rule(filters=_COURSE_FILTERS, limit=_LIMITS)
    def look_at_courses(self, filters: dict[str, Any], limit: int) -> None:
        """Compare a list of courses of each organization, in pages."""
        for organization_id in self.organizations:
            pages = walk(
                lambda after: self.repository.courses(
                    organization_id, **filters, after=after, limit=limit
                )
            )
            expected = self.model.courses_of(organization_id, **filters)
            expect(expected, items(pages), f"courses with {filters}")

    @rule(on=st.none() | courses, person=st.none() | _PEOPLE, before=_STARTS, limit=_LIMITS)
    def look_at_records(
        self, on: Course | None, person: int | None, before: datetime | None, limit: int
    ) -> None:
        """Compare the registrations and certificates of each organization, in pages."""
        filters: dict[str, Any] = {
            "course_id": None if on is None else on.id,
            "user_id": None if person is None else self.people[person],
        }
        certificate_filters: dict[str, Any] = {**filters, "expires_before": before}
        for organization_id in self.organizations:
            registrations = walk(
                lambda after: self.repository.registrations(
                    organization_id, **filters, after=after, limit=limit
                )
            )
            expected = self.model.registrations_of(organization_id, **filters)
            expect(expected, items(registrations), "registrations")
            certificates = walk(
                lambda after: self.repository.certificates(
                    organization_id, **certificate_filters, after=after, limit=limit
                )
            )
            certified = self.model.certificates_of(organization_id, **certificate_filters)
            expect(certified, items(certificates), "certificates")

    @rule(limit=_LIMITS)
    def look_at_the_outbox(self, limit: int) -> None:
        """Compare the reminders of these two organizations that wait."""
        pages = walk(
            lambda after: self.repository.pending_reminders(after=after, limit=max(limit, 20))
        )
        observed = [each for each in items(pages) if each.organization_id in self.organizations]
        expect(len(self.model.pending), len(observed), "how many reminders wait")
        expect(set(self.model.pending.values()), set(observed), "the reminders that wait")


@clause("MODEL-1")
def any_program_gives_what_the_model_gives(bench: RepositoryBench) -> None:
    """Whatever is called in whatever order, the adapter answers as a naive model of the port does.

    A failure means that some combination breaks a promise; the program printed is the shortest
    that was found, and shows how.

    A correct adapter keeps every other clause, also in combination.
    """

    class Machine(RepositoryMachine):
        pass

    Machine.bench = bench
    run_state_machine_as_test(Machine, settings=bench.settings())


CLAUSES = (any_program_gives_what_the_model_gives,)
