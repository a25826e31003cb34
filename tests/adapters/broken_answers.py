"""Adapters that are broken in how they ask a decision, and in what they do with its answer.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from threading import Lock
from uuid import UUID

import attrs

from adapters.broken import Bytes, Decide, DecideCourse, placeheld
from adapters.stored_bytes import ByteStore, Transaction
from course_domain import (
    Course,
    CourseRepository,
    Page,
    Participation,
    RegistrationStatus,
    RenewalReminder,
    RepositoryUnavailable,
)


@attrs.frozen
class Change:
    """Hold what became of an answer, and the open store."""

    rows: Transaction
    seen: Participation
    answer: Participation
    after: Participation


class Answering(Bytes):
    """Give adapters that alter what is shown to a decision, or its answer, their ground."""

    def shown(self, seen: Participation) -> Participation:
        """Alter what a decision is shown."""
        return seen

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Alter what is stored."""
        del seen
        return answer

    def settled(self, change: Change) -> Participation:
        """Alter afterwards what is stored, and what the caller gets."""
        return change.after

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Change a participation, altered."""
        asked: list[tuple[Participation, Participation]] = []

        def altered(seen: Participation) -> Participation:
            answer = self.answered(seen, decide(self.shown(seen)))
            asked.append((seen, answer))
            return answer

        after = super().change_participation(organization_id, course_id, user_id, altered)
        with self.store.transaction() as rows:
            return self.settled(Change(rows, *asked[-1], after))


def key(kind: str, of: Participation) -> str:
    """Give the key of one of a person's records."""
    return f"{course_key(kind, of.course)}/{of.user_id.hex}"


def course_key(kind: str, course: Course) -> str:
    """Give the key of a course, or of its count."""
    return f"{kind}/{course.organization_id.hex}/{course.id.hex}"


def reminder_key(reminder: RenewalReminder) -> str:
    """Give the key of a reminder."""
    return f"reminder/{reminder.organization_id.hex}/{reminder.certificate_id.hex}"


def recounted(rows: Transaction, after: Participation, count: int) -> Participation:
    """Store another count."""
    rows.put(course_key("count", after.course), count)
    return attrs.evolve(after, confirmed_count=count)


def holds_a_seat(of: Participation) -> bool:
    """Tell whether the person is confirmed."""
    held = of.registration
    return held is not None and held.status is RegistrationStatus.CONFIRMED


# --- What a decision is shown, and what it raises


class CountsTheOthers(Answering):
    """A decision is shown how many others are confirmed, without the person."""

    def shown(self, seen: Participation) -> Participation:
        """Leave the person out."""
        return attrs.evolve(seen, confirmed_count=seen.confirmed_count - holds_a_seat(seen))


class CertificateIsNotShown(Answering):
    """The certificate was forgotten when the state was put together."""

    def shown(self, seen: Participation) -> Participation:
        """Forget the certificate."""
        return attrs.evolve(seen, certificate=None)


class WrapsWhatDecideRaises(Bytes):
    """Whatever happens inside a transaction is told as the storage's failure."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Wrap errors."""
        try:
            return super().change_course(organization_id, course_id, decide)
        except (ArithmeticError, OSError) as error:
            raise RepositoryUnavailable(str(error)) from error


class CopiesWhatDecideRaises(Bytes):
    """An error crosses from a worker as a copy."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Copy errors."""
        try:
            return super().change_participation(organization_id, course_id, user_id, decide)
        except (RuntimeError, OSError) as error:
            raise type(error)(*error.args) from None


class AsksAgainAfterAnError(Bytes):
    """Errors are taken for passing ones, and the decision is asked three times."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Try three times."""
        for _ in range(2):
            try:
                return super().change_participation(organization_id, course_id, user_id, decide)
            except TimeoutError:
                pass
        return super().change_participation(organization_id, course_id, user_id, decide)


class SwallowsInterrupts(Bytes):
    """A KeyboardInterrupt ends the change, and the caller gets the course as it was."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Go on as if nothing had happened."""

        def decide_or_not(seen: Course) -> Course:
            try:
                return decide(seen)
            except KeyboardInterrupt:
                return seen

        return super().change_course(organization_id, course_id, decide_or_not)


class DecidesInAGenerator(Bytes):
    """The transaction is a generator, in which a StopIteration becomes a RuntimeError."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Decide while generating."""

        def answers(seen: Course) -> Iterator[Course]:
            yield decide(seen)

        return super().change_course(organization_id, course_id, lambda seen: next(answers(seen)))


class SeatReservedFirst(Answering):
    """The seat is counted before the decision is asked, and not given back when that raises."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Count first."""
        try:
            return super().change_participation(organization_id, course_id, user_id, decide)
        except BaseException:
            seen = self.participations(organization_id, [course_id], user_id)[course_id]
            with self.store.transaction() as rows:
                recounted(rows, seen, seen.confirmed_count + 1)
            raise


class LockKeptByAnInterrupt(Bytes):
    """The lock is given back after an Exception, and after nothing else."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with a lock of its own."""
        super().__init__(store)
        self._deciding = Lock()

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Lock, and unlock in most cases."""
        self._deciding.acquire()
        try:
            answer = super().change_course(organization_id, course_id, decide)
        except Exception:
            self._deciding.release()
            raise
        self._deciding.release()
        return answer


# --- What becomes of an answer


class StampsTheCourse(Bytes):
    """The storage knows best when a course was updated."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Stamp what is stored."""
        return super().change_course(
            organization_id,
            course_id,
            lambda seen: _stamped(decide(seen)),
        )


def _stamped(course: Course) -> Course:
    return attrs.evolve(course, updated_at=course.updated_at + timedelta(milliseconds=1))


class GivesBackWhatWas(Bytes):
    """The caller gets the course as it was read, before it was changed."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Give the state before."""
        before = self.get(organization_id, course_id)
        after = super().change_course(organization_id, course_id, decide)
        return before or after


class EveryAnswerTakesASeat(Answering):
    """A confirmed answer raises the count, whether or not the seat was held before."""

    def settled(self, change: Change) -> Participation:
        """Count once more."""
        again = holds_a_seat(change.seen) and holds_a_seat(change.answer)
        return recounted(change.rows, change.after, change.after.confirmed_count + again)


class AnswersMakeARow(Answering):
    """Who was asked about has a row afterwards, also where the answer has none."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Make a row."""
        return answer if answer.registration or seen.registration else placeheld(answer)


class CancelledKeepTheirSeat(Answering):
    """The count goes up and never down."""

    def settled(self, change: Change) -> Participation:
        """Keep the higher count."""
        return recounted(
            change.rows,
            change.after,
            max(change.seen.confirmed_count, change.after.confirmed_count),
        )


class CompletedFreeTheirSeat(Answering):
    """Who has completed is no longer counted."""

    def settled(self, change: Change) -> Participation:
        """Free the seat."""
        held = change.answer.registration
        free = holds_a_seat(change.answer) and held is not None and held.completed_at is not None
        return recounted(change.rows, change.after, change.after.confirmed_count - free)


class NoneDeletesTheRegistration(Answering):
    """Where an answer has no registration, the row is deleted."""

    def settled(self, change: Change) -> Participation:
        """Delete what is not there."""
        if change.answer.registration is not None:
            return change.after
        change.rows.put(key("registration", change.after), None)
        return attrs.evolve(change.after, registration=None)


class NoneDeletesTheCertificate(Answering):
    """Where an answer has no certificate, the row is deleted."""

    def settled(self, change: Change) -> Participation:
        """Delete what is not there."""
        if change.answer.certificate is not None:
            return change.after
        change.rows.put(key("certificate", change.after), None)
        return attrs.evolve(change.after, certificate=None)


class CertificateIsOverwritten(Answering):
    """The newest certificate is the one that counts."""

    def settled(self, change: Change) -> Participation:
        """Write over it."""
        certificate = change.answer.certificate or change.after.certificate
        change.rows.put(key("certificate", change.after), certificate)
        return attrs.evolve(change.after, certificate=certificate)


class IgnoredCertificateReminds(Answering):
    """The certificate of an answer is ignored where there is one, but not its reminder."""

    def settled(self, change: Change) -> Participation:
        """Let the reminder in."""
        if (
            change.answer.reminder is not None
            and change.answer.certificate != change.after.certificate
        ):
            change.rows.put(reminder_key(change.answer.reminder), (change.answer.reminder, True))
        return change.after


class CountAsAnswered(Answering):
    """The count of an answer is stored as it is."""

    def settled(self, change: Change) -> Participation:
        """Believe the answer."""
        return recounted(change.rows, change.after, change.answer.confirmed_count)


class CourseAsAnswered(Answering):
    """The course of an answer is stored with the rest."""

    def settled(self, change: Change) -> Participation:
        """Believe the answer."""
        change.rows.put(course_key("course", change.after.course), change.answer.course)
        return attrs.evolve(change.after, course=change.answer.course)


class RegistrationsTouchTheCourse(Answering):
    """A trigger stamps the course's row whenever it is written, and a count is written there."""

    def settled(self, change: Change) -> Participation:
        """Stamp the course."""
        course = _stamped(change.after.course)
        change.rows.put(course_key("course", course), course)
        return attrs.evolve(change.after, course=course)


class RemindersAreNotStored(Bytes):
    """The caller gets the reminder, and nobody else ever does."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Find nothing."""
        super().pending_reminders(after=after, limit=limit)
        return Page(())


class CompletedAtIsNotStored(Answering):
    """A completion writes the certificate and the reminder, and no completed_at."""

    def settled(self, change: Change) -> Participation:
        """Leave the registration as it was."""
        if change.seen.certificate is None and change.after.certificate is not None:
            change.rows.put(key("registration", change.after), change.seen.registration)
        return change.after


class JudgesTheCap(Answering):
    """A constraint of the database holds the count to the cap."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Judge what was decided."""
        cap = seen.course.max_participants
        if cap is not None and seen.confirmed_count >= cap:
            raise ValueError("the course is full")
        return answer


class JudgesALoweredCap(Bytes):
    """A constraint of the database refuses a cap below the count."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Judge what was decided."""
        held = self.registrations(organization_id, course_id=course_id, limit=200).items

        def judged(seen: Course) -> Course:
            answer = decide(seen)
            if answer.max_participants is not None and answer.max_participants < len(held):
                raise ValueError("more are confirmed")
            return answer

        return super().change_course(organization_id, course_id, judged)


class OneRegistrationForAPerson(Answering):
    """Registrations are keyed by the person alone: the last course counts."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Show the one that there is."""
        found = super().participations(organization_id, course_ids, user_id)
        with self.store.transaction() as rows:
            latest = rows.get(f"latest/{user_id.hex}")
        return {name: attrs.evolve(each, registration=latest) for name, each in found.items()}

    def settled(self, change: Change) -> Participation:
        """Remember the last."""
        change.rows.put(f"latest/{change.after.user_id.hex}", change.after.registration)
        return change.after


class OneCertificateForACourse(Answering):
    """Certificates are keyed by the course alone: the last person has it."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Show the one that there is."""
        found = super().participations(organization_id, course_ids, user_id)
        with self.store.transaction() as rows:
            return {
                name: attrs.evolve(each, certificate=rows.get(f"last/{name.hex}"))
                for name, each in found.items()
            }

    def settled(self, change: Change) -> Participation:
        """Remember the last."""
        if change.after.certificate is not None:
            change.rows.put(f"last/{change.after.course.id.hex}", change.after.certificate)
        return change.after


BROKEN: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "DECIDE-1": (CountsTheOthers, CertificateIsNotShown),
    "DECIDE-2": (
        WrapsWhatDecideRaises,
        CopiesWhatDecideRaises,
        AsksAgainAfterAnError,
        SwallowsInterrupts,
        DecidesInAGenerator,
    ),
    "DECIDE-3": (SeatReservedFirst, LockKeptByAnInterrupt),
    "DECIDE-4": (StampsTheCourse, GivesBackWhatWas),
    "DECIDE-5": (EveryAnswerTakesASeat, AnswersMakeARow, StampsTheCourse),
    "STORE-1": (CancelledKeepTheirSeat, CompletedFreeTheirSeat, EveryAnswerTakesASeat),
    "STORE-2": (NoneDeletesTheRegistration, NoneDeletesTheCertificate),
    "STORE-3": (CertificateIsOverwritten, IgnoredCertificateReminds),
    "STORE-4": (CountAsAnswered, CourseAsAnswered),
    "STORE-5": (RegistrationsTouchTheCourse,),
    "STORE-6": (RemindersAreNotStored, CompletedAtIsNotStored),
    "STORE-7": (JudgesTheCap, JudgesALoweredCap),
    "STORE-8": (OneRegistrationForAPerson, OneCertificateForACourse),
    "MODEL-1": (CountAsAnswered,),
}
"""Which clauses catch which of them, by the clause's id."""

HANGING: frozenset[Callable[[], CourseRepository]] = frozenset({LockKeptByAnInterrupt})
"""Those that are caught because a call of theirs never ends."""
