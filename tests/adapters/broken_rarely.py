"""Adapters that are right but in a corner: for some arguments, some rows, or some timing.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar, TypeVar
from uuid import UUID, uuid4

import attrs

from adapters.batching import BatchingRepository, Log
from adapters.broken import Altering, Bytes, Decide, DecideCourse
from adapters.broken_answers import Answering, Change, recounted, reminder_key
from adapters.broken_pages import Listing, Turning, whole
from adapters.broken_races import round_trip
from adapters.compare_and_ask_again import AskingAgainRepository, Document, DocumentStore
from adapters.stored_bytes import ByteStore
from course_domain import (
    Course,
    CourseNotFound,
    CourseRepository,
    CourseStatus,
    Page,
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
    RepositoryUnavailable,
    StaleCourse,
)
from course_domain.memory import InMemoryCourseRepository
from course_domain.ports import page_limit, unknown_cursor

T = TypeVar("T")

_THE_END = "the.end"
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)


def kept(page: Page[T], keep: Callable[[T], bool]) -> Page[T]:
    """Leave rows out of a page that is already cut."""
    return Page(tuple(each for each in page.items if keep(each)), page.next)


# --- Arguments


class LimitNoneIsUnlimited(Bytes):
    """None is taken for as many as there can be."""

    def courses(self, organization_id: UUID, *, limit: Any = 50, **query: Any) -> Page[Course]:
        """Take None."""
        return super().courses(organization_id, limit=200 if limit is None else limit, **query)


class MissingCourseIsAnsweredFirst(Bytes):
    """Limit and cursor are not looked at where the course is not there."""

    def registrations(
        self, organization_id: UUID, *, course_id: UUID | None = None, **query: Any
    ) -> Page[Registration]:
        """Answer first."""
        if course_id is not None and self.get(organization_id, course_id) is None:
            return Page(())
        return super().registrations(organization_id, course_id=course_id, **query)


class CrossedRangeIsAnsweredFirst(Bytes):
    """Limit and cursor are not looked at where `starts_before` is not behind `starts_from`."""

    def courses(
        self,
        organization_id: UUID,
        *,
        starts_from: datetime | None = None,
        starts_before: datetime | None = None,
        **query: Any,
    ) -> Page[Course]:
        """Answer first."""
        if starts_from and starts_before and starts_from >= starts_before:
            return Page(())
        return super().courses(
            organization_id, starts_from=starts_from, starts_before=starts_before, **query
        )


class CutCursorCrashes(Bytes):
    """A cursor of its own that has lost its last letters ends in an AssertionError."""

    def certificates(
        self, organization_id: UUID, *, after: str | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Look closely at what looks like a cursor."""
        if after is not None and set(after) <= set("0123456789abcdef") and len(after) > 40:
            assert len(after) in (68, 102)
        return super().certificates(organization_id, after=after, **query)


class CursorOverflows(Bytes):
    """A cursor of its own with nines for digits ends in an OverflowError."""

    def courses(
        self, organization_id: UUID, *, after: str | None = None, **query: Any
    ) -> Page[Course]:
        """Make an instant of any number."""
        if after is not None and after.startswith("9" * 36):
            raise OverflowError("date value out of range")
        return super().courses(organization_id, after=after, **query)


class StatusesLookedAtFirst(Bytes):
    """One status is taken off an iterator to see whether there is any."""

    def courses(
        self, organization_id: UUID, *, statuses: Iterable[CourseStatus] | None = None, **query: Any
    ) -> Page[Course]:
        """Look first."""
        if statuses is not None and not any(True for _ in statuses):
            statuses = ()
        return super().courses(organization_id, statuses=statuses, **query)


class FirstHundredIds(Bytes):
    """Only the first hundred ids are looked up."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Stop at a hundred."""
        return super().participations(organization_id, list(course_ids)[:100], user_id)


class DefaultLimitIsTwenty(Bytes):
    """Without a limit a page has 20 rows, not 50."""

    def registrations(
        self, organization_id: UUID, *, limit: int = 20, **query: Any
    ) -> Page[Registration]:
        """Have another default."""
        return super().registrations(organization_id, limit=limit, **query)


class CoursesAtMostHundred(Bytes):
    """A page of courses has at most 100."""

    def courses(self, organization_id: UUID, *, limit: int = 50, **query: Any) -> Page[Course]:
        """Give fewer than were asked for."""
        return super().courses(organization_id, limit=min(page_limit(limit), 100), **query)


# --- Keys


class RemindersKeyedByCertificate(Answering):
    """A certificate_id that is in the outbox of another organization keeps a reminder out."""

    def settled(self, change: Change) -> Participation:
        """Take out what has a twin."""
        added = change.after.reminder
        there: list[tuple[RenewalReminder, bool]] = list(change.rows.under("reminder/"))
        twins = [each for each, _ in there if added and each.certificate_id == added.certificate_id]
        if added is None or len(twins) < 2:
            return change.after
        change.rows.put(reminder_key(added), None)
        return attrs.evolve(change.after, reminder=None)


class RegistrationsKeyedByCourseAndUser(AskingAgainRepository):
    """Courses of one id are kept apart by organization, one person's registrations are not."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Show whichever registration there is."""
        found = dict(super().participations(organization_id, course_ids, user_id))
        for document in self.store.load_all():
            held = document.registrations.get(user_id)
            mine = found.get(document.course.id)
            if held is not None and mine is not None and mine.registration is None:
                found[document.course.id] = attrs.evolve(mine, registration=held)
        return found


class ForeignAddHidesTheOther(AskingAgainRepository):
    """The index of the lists has one owner for an id: adding it elsewhere hides the first."""

    def __init__(self, store: DocumentStore | None = None) -> None:
        """Begin with an empty index."""
        super().__init__(store)
        self._owners: dict[UUID, UUID] = {}

    def add(self, course: Course) -> None:
        """Write the index."""
        super().add(course)
        self._owners[course.id] = course.organization_id

    def courses(self, organization_id: UUID, **query: Any) -> Page[Course]:
        """Go by the index."""
        page = super().courses(organization_id, **query)
        return kept(
            page, lambda each: self._owners.get(each.id, organization_id) == organization_id
        )


class ForeignChangeReachesTheOther(AskingAgainRepository):
    """Of two courses with one id, a change of either is written to both."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Update by the id alone."""
        answer = super().change_course(organization_id, course_id, decide)
        for document in self.store.load_all():
            twin = document.course
            if twin.id == course_id and twin.organization_id != organization_id:
                written = attrs.evolve(answer, organization_id=twin.organization_id)
                super().change_course(twin.organization_id, course_id, lambda _seen: written)
        return answer


# --- Statuses that are judged where none should be


class CertificatesOfArchivedHidden(Bytes):
    """Certificates are joined with courses that are published."""

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Hide those of courses that have left the list."""
        page = super().certificates(organization_id, **query)
        return kept(page, lambda each: _is_published(self, organization_id, each.course_id))


class RegistrationsOfArchivedHidden(Bytes):
    """Registrations are joined with courses that are published."""

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Hide those of courses that have left the list."""
        page = super().registrations(organization_id, **query)
        return kept(page, lambda each: _is_published(self, organization_id, each.course_id))


class RemindersOfArchivedHidden(Bytes):
    """The outbox is joined with courses that are published."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Hide those of courses that have left the list."""
        page = super().pending_reminders(after=after, limit=limit)
        return kept(page, lambda each: _is_published(self, each.organization_id, each.course_id))


def _is_published(repository: Bytes, organization_id: UUID, course_id: UUID) -> bool:
    course = repository.get(organization_id, course_id)
    return course is not None and course.status is CourseStatus.PUBLISHED


# --- What decide raises


class KeyErrorIsNotFound(Bytes):
    """A KeyError inside is taken for a course that is not there, decide's own too."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Translate errors."""
        try:
            return super().change_course(organization_id, course_id, decide)
        except KeyError:
            raise CourseNotFound(course_id) from None


class ValueErrorIsWrapped(Bytes):
    """A ValueError inside is taken for what a driver says of bad data."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Translate errors."""
        try:
            return super().change_participation(organization_id, course_id, user_id, decide)
        except ValueError as error:
            raise RepositoryUnavailable(str(error)) from error


class UnavailableIsAskedAgain(Bytes):
    """A RepositoryUnavailable inside is taken for its own, decide's too."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Try twice."""
        try:
            return super().change_participation(organization_id, course_id, user_id, decide)
        except RepositoryUnavailable:
            return super().change_participation(organization_id, course_id, user_id, decide)


class StaleIsAskedAgain(Bytes):
    """A StaleCourse inside is taken for its own conflict."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Try twice."""
        try:
            return super().change_course(organization_id, course_id, decide)
        except StaleCourse:
            return super().change_course(organization_id, course_id, decide)


class ExitIsSwallowed(Bytes):
    """A SystemExit ends the change, and the process goes on."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Go on as if nothing had happened."""

        def decide_or_not(seen: Course) -> Course:
            try:
                return decide(seen)
            except SystemExit:
                return seen

        return super().change_course(organization_id, course_id, decide_or_not)


class ErrorsOnAnOldStateAreAskedAgain(AskingAgainRepository):
    """What decide raises is not passed on where the version has changed meanwhile."""

    def _change(
        self,
        organization_id: UUID,
        course_id: UUID,
        change: Callable[[Document], tuple[Document, T]],
    ) -> T:
        while True:
            before = self.store.load(organization_id, course_id)
            try:
                return super()._change(organization_id, course_id, change)
            except Exception:
                if self.store.load(organization_id, course_id) == before:
                    raise


# --- What becomes of an answer


class ReminderOnlyWithItsCertificate(Answering):
    """A reminder enters only where the same answer's certificate is new."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Drop a reminder that comes later."""
        return attrs.evolve(answer, reminder=None) if seen.certificate is not None else answer


class CertificateOnlyWithARegistration(Answering):
    """An answer whose registration is as it was is taken for one that changes nothing."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Drop the rest of it."""
        if answer.registration != seen.registration:
            return answer
        return attrs.evolve(answer, certificate=None, reminder=None)


class CountsAtInsert(Answering):
    """A row that is inserted takes a seat, also one that is cancelled from the first."""

    def settled(self, change: Change) -> Participation:
        """Count it."""
        held = change.after.registration
        if change.seen.registration is not None or held is None:
            return change.after
        extra = held.status is RegistrationStatus.CANCELLED
        return recounted(change.rows, change.after, change.after.confirmed_count + extra)


class CancelledAtStays(Answering):
    """None in an update means unchanged."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Keep the time of the cancel."""
        held, before = answer.registration, seen.registration
        if held is None or before is None or held.cancelled_at is not None:
            return answer
        merged = attrs.evolve(held, cancelled_at=before.cancelled_at)
        return attrs.evolve(answer, registration=merged)


class AnswerGetsAnotherId(Answering):
    """Who registers again gets a registration of another id than decide answered."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Make a new id."""
        held, before = answer.registration, seen.registration
        if held is None or before is None or before.status is held.status:
            return answer
        return attrs.evolve(answer, registration=attrs.evolve(held, id=uuid4()))


class IgnoredCertificateIgnoresAll(Answering):
    """Where an answer's certificate is ignored, its registration is too."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Drop the registration."""
        ignored = seen.certificate is not None and answer.certificate != seen.certificate
        return attrs.evolve(answer, registration=None) if ignored else answer


class MarkIsForgotten(Answering):
    """A repeated completion puts a reminder that is marked back into the outbox."""

    def settled(self, change: Change) -> Participation:
        """Take the mark off."""
        there: list[tuple[RenewalReminder, bool]] = list(change.rows.under("reminder/"))
        for each, _ in there:
            if each.peer_mentor_id == change.after.user_id and change.answer == change.seen:
                change.rows.put(reminder_key(each), (each, True))
        return change.after


class CountIsOnePage(Bytes):
    """The confirmed are counted on a page of at most fifty."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Count to fifty."""
        found = super().participations(organization_id, course_ids, user_id)
        return {
            key: attrs.evolve(each, confirmed_count=min(50, each.confirmed_count))
            for key, each in found.items()
        }


# --- Pages


class CountInOneByte(Answering):
    """The column of the count takes no more than 255."""

    def settled(self, change: Change) -> Participation:
        """Stop there."""
        return recounted(change.rows, change.after, min(change.after.confirmed_count, 255))


class AtMostFiveHundredRows(Bytes):
    """A query reads no more than five hundred rows of a table."""

    def registrations(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **query: Any
    ) -> Page[Registration]:
        """Find nothing beyond them."""
        listing = partial(super().registrations, organization_id, **query)
        page = listing(after=after, limit=limit)
        read = set(whole(listing)[:500])
        found = tuple(each for each in page.items if each in read)
        return Page(found, page.next if len(found) == len(page.items) else None)


class RegistrationsFilteredAfterTheCut(Bytes):
    """A page is cut first, and filtered by course and user then."""

    def registrations(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        **query: Any,
    ) -> Page[Registration]:
        """Filter what is on the page."""
        page = super().registrations(organization_id, **query)
        return kept(
            page,
            lambda each: course_id in (None, each.course_id) and user_id in (None, each.user_id),
        )


class CertificatesFilteredAfterTheCut(Bytes):
    """A page is cut first, and filtered by person then."""

    def certificates(
        self, organization_id: UUID, *, user_id: UUID | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Filter what is on the page."""
        page = super().certificates(organization_id, **query)
        return kept(page, lambda each: user_id in (None, each.peer_mentor_id))


class TypeFilteredAfterTheCut(Bytes):
    """A page is cut first, and filtered by course_type then."""

    def courses(
        self, organization_id: UUID, *, course_type: object = None, **query: Any
    ) -> Page[Course]:
        """Filter what is on the page."""
        page = super().courses(organization_id, **query)
        return kept(page, lambda each: course_type in (None, each.course_type))


class MarkedLeftOutAfterTheCut(Bytes):
    """A page of the outbox is cut first, and what is marked is left out then: short pages."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin with no marks."""
        super().__init__(store)
        self._marked: set[str] = set()

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Remember the mark."""
        with self.store.transaction() as rows:
            rows.put(f"mark/{reminder_key(reminder)}", reminder_key(reminder))

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Leave out what is marked."""
        page = super().pending_reminders(after=after, limit=limit)
        with self.store.transaction() as rows:
            marks = set(rows.under("mark/"))
        return kept(page, lambda each: reminder_key(each) not in marks)


class DeepOffset(Turning):
    """Cut pages by the number of rows to skip, however many."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Skip rows."""
        limit = page_limit(limit)
        if after is not None and not (after.isascii() and after.isdecimal() and len(after) < 9):
            raise unknown_cursor()
        begin, rows = int(after or 0), whole(listing)
        following = str(begin + limit) if len(rows) > begin + limit else None
        return Page(tuple(rows[begin : begin + limit]), following)


class RegistrationsByOffset(Bytes):
    """Registrations are paged by OFFSET."""

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Skip rows."""
        return DeepOffset(self.store).registrations(organization_id, **query)


class CertificatesByOffset(Bytes):
    """Certificates are paged by OFFSET."""

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Skip rows."""
        return DeepOffset(self.store).certificates(organization_id, **query)


class UndatedByOffset(Bytes):
    """Undated courses have no key, and so are paged by OFFSET."""

    def courses(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **query: Any
    ) -> Page[Course]:
        """Skip rows once the dated ones are behind."""
        if after is None or not after.startswith("u"):
            page = super().courses(organization_id, after=after, limit=limit, **query)
            if page.next is None or page.items[-1].start_date is not None:
                return page
            undated = self._undated(organization_id, query)
            return Page(page.items, f"u{undated.index(page.items[-1]) + 1}")
        limit, begin = page_limit(limit), int(after[1:])
        rest = self._undated(organization_id, query)[begin:]
        return Page(tuple(rest[:limit]), f"u{begin + limit}" if len(rest) > limit else None)

    def _undated(self, organization_id: UUID, query: Mapping[str, Any]) -> list[Course]:
        def listing(**page: Any) -> Page[Course]:
            return Bytes.courses(self, organization_id, **query, **page)

        return [each for each in whole(listing) if each.start_date is None]


class RegistrationCursorIsTheRow(Bytes):
    """A cursor names a registration, and stands where that stands now."""

    def registrations(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **query: Any
    ) -> Page[Registration]:
        """Look the row up."""
        limit = page_limit(limit)
        if after is not None and not (len(after) == 32 and set(after) <= set("0123456789abcdef")):
            raise unknown_cursor()

        def listing(**page: Any) -> Page[Registration]:
            return Bytes.registrations(self, organization_id, **{**query, **page})

        rows = whole(listing)
        ids = [each.id.hex for each in rows]
        rest = rows[ids.index(after) + 1 if after in ids else 0 :]
        return Page(tuple(rest[:limit]), rest[limit - 1].id.hex if len(rest) > limit else None)


class CursorToTheSecond(Turning):
    """Cursors hold whole seconds."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Cut the microseconds of the place."""
        page = listing(after=after, limit=limit)
        return Page(page.items, None if page.next is None else _to_the_second(page.next))


def _to_the_second(cursor: str) -> str:
    instant, _, digits = bytes.fromhex(cursor).decode().partition("/")
    if len(instant) != 18:
        return cursor
    return f"{int(instant) // 10**6 * 10**6:018}/{digits}".encode().hex()


class Overtaking(Turning):
    """Give adapters whose cursors leave a part of the id out their ground."""

    def part(self, row: Any) -> str:
        """Say what a cursor tells of the id of a row: all of it."""
        row_id: UUID = row.certificate_id if isinstance(row, RenewalReminder) else row.id
        return row_id.hex

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Begin behind every row of the same instant that looks the same."""
        page = listing(after=after, limit=limit)
        while page.next is not None:
            following = listing(after=page.next, limit=1)
            if self.part(following.items[0]) != self.part(page.items[-1]):
                break
            page = Page(page.items, following.next)
        return page


class CursorHoldsHalfTheId(Overtaking):
    """A cursor has the first sixteen digits of the id."""

    def part(self, row: Any) -> str:
        """Cut the end off."""
        return super().part(row)[:16]


class CursorIgnoresTheFirstDigits(Overtaking):
    """A cursor has the last twelve digits of the id, which tell apart what one machine makes."""

    def part(self, row: Any) -> str:
        """Cut the beginning off."""
        return super().part(row)[20:]


class CursorReplacesStartsFrom(Bytes):
    """Where there is a cursor, `starts_from` is left out: one of another query goes before it."""

    def courses(
        self,
        organization_id: UUID,
        *,
        starts_from: datetime | None = None,
        after: str | None = None,
        **query: Any,
    ) -> Page[Course]:
        """Begin at the cursor."""
        begin = starts_from if after is None or starts_from is None else _FIRST
        return super().courses(organization_id, starts_from=begin, after=after, **query)


class FilteredFullPageHasNext(Bytes):
    """Under a filter, a last page that is full has a next, and that is empty."""

    def courses(
        self,
        organization_id: UUID,
        *,
        statuses: Iterable[CourseStatus] | None = None,
        after: str | None = None,
        limit: int = 50,
        **query: Any,
    ) -> Page[Course]:
        """Look at the size of the page only."""
        if after == _THE_END:
            return Page(())
        page = super().courses(
            organization_id, statuses=statuses, after=after, limit=limit, **query
        )
        if statuses is None or page.next is not None or len(page.items) < limit:
            return page
        return Page(page.items, _THE_END)


class RegistrationsOfACourseHaveNext(Bytes):
    """The same for the registrations of a course."""

    def registrations(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        after: str | None = None,
        limit: int = 50,
        **query: Any,
    ) -> Page[Registration]:
        """Look at the size of the page only."""
        if after == _THE_END:
            return Page(())
        page = super().registrations(
            organization_id, course_id=course_id, after=after, limit=limit, **query
        )
        if course_id is None or page.next is not None or len(page.items) < limit:
            return page
        return Page(page.items, _THE_END)


class CertificateCursorCarriesItsFilters(Bytes):
    """A cursor of certificates brings the filters of its query."""

    carried: ClassVar[dict[str, dict[str, Any]]] = {}

    def certificates(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Go on with the filters of the cursor."""
        filters = query if after is None else self.carried.get(after, query)
        page = super().certificates(organization_id, after=after, limit=limit, **filters)
        if page.next is not None:
            self.carried[page.next] = filters
        return page


class FilteredCursorCarriesItsFilters(Bytes):
    """A cursor of a filtered query brings its filters."""

    carried: ClassVar[dict[str, dict[str, Any]]] = {}

    def courses(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **query: Any
    ) -> Page[Course]:
        """Go on with the filters of the cursor."""
        if query.get("statuses") is not None:
            query["statuses"] = tuple(query["statuses"])
        filters = query if after is None else self.carried.get(after) or query
        page = super().courses(organization_id, after=after, limit=limit, **filters)
        if page.next is not None:
            self.carried[page.next] = filters
        return page


class BehindNoExpiryIsNothing(Bytes):
    """Nothing is found behind a certificate without expiry."""

    def certificates(
        self, organization_id: UUID, *, after: str | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Compare with NULL."""
        page = super().certificates(organization_id, after=after, **query)
        is_behind_none = after is not None and bytes.fromhex(after).startswith(b"~")
        return Page(()) if is_behind_none else page


class FarInstantsAreFloats(Bytes):
    """Courses are ordered by seconds as a float, which has no microseconds in the year 8999."""

    def courses(self, organization_id: UUID, **query: Any) -> Page[Course]:
        """Order by floats."""
        page = super().courses(organization_id, **query)
        return Page(tuple(sorted(page.items, key=_float_place)), page.next)


def _float_place(course: Course) -> tuple[float, str]:
    start = course.start_date
    return (math.inf if start is None else start.timestamp(), course.id.hex)


# --- Values


class TitleCutAt255(Altering):
    """A title has 255 characters."""

    def altered(self, course: Course) -> Course:
        """Cut the title."""
        return attrs.evolve(course, title=course.title[:255])


class SeatsInTwoBytes(Altering):
    """A column of two bytes takes the largest number that it can."""

    def altered(self, course: Course) -> Course:
        """Cut a number."""
        seats = course.max_participants
        return attrs.evolve(course, max_participants=seats and min(seats, 32_767))


class EndIsNotCleared(Bytes):
    """An end that is taken away stays where the start is kept."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Keep the end."""

        def kept_end(seen: Course) -> Course:
            answer = decide(seen)
            if answer.end_date is None and answer.start_date == seen.start_date:
                return attrs.evolve(answer, end_date=seen.end_date)
            return answer

        return super().change_course(organization_id, course_id, kept_end)


class NullIsNone(Altering):
    """The text null is read back as None."""

    def altered(self, course: Course) -> Course:
        """Read text as a literal."""
        return attrs.evolve(
            course, location=None if course.location in ("null", "None") else course.location
        )


class DigitsAreANumber(Altering):
    """A text of digits loses its zeros: 0012 is 12."""

    def altered(self, course: Course) -> Course:
        """Read text as a number."""
        place = course.location or ""
        is_number = place.isascii() and place.isdecimal()
        return attrs.evolve(course, location=str(int(place)) if is_number else course.location)


class NothingExpiresAfter8999(Answering):
    """An expiry later than 8999 is brought back."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Bring it back."""
        del seen
        certificate = answer.certificate
        if certificate is None or certificate.expires_at is None:
            return answer
        latest = min(certificate.expires_at, datetime(8999, 12, 31, 23, tzinfo=UTC))
        return attrs.evolve(answer, certificate=attrs.evolve(certificate, expires_at=latest))


# --- Two repositories, and two objects over one store


class ReminderKeysOfTheClass(Answering):
    """Which reminders were ever in an outbox is known to the class."""

    ever: ClassVar[dict[str, ByteStore]] = {}

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Drop what was in another's outbox."""
        del seen
        if answer.reminder is None:
            return answer
        first = self.ever.setdefault(reminder_key(answer.reminder), self.store)
        return answer if first is self.store else attrs.evolve(answer, reminder=None)


class RegistrationsAreCached(Bytes):
    """An object remembers the lists of registrations it has read, until it changes some itself."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin to remember."""
        super().__init__(store)
        self._read: dict[str, Page[Registration]] = {}

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Forget what was read."""
        self._read.clear()
        return super().change_participation(organization_id, course_id, user_id, decide)

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Read once."""
        name = repr((organization_id, sorted(query.items())))
        if name not in self._read:
            self._read[name] = super().registrations(organization_id, **query)
        return self._read[name]


class DecidesOnACachedRegistration(Answering):
    """An object remembers what a person had, and shows that to the next decision."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin to remember."""
        super().__init__(store)
        self._held: dict[tuple[UUID, UUID], Registration | None] = {}

    def shown(self, seen: Participation) -> Participation:
        """Show what was."""
        held = self._held.get((seen.course.id, seen.user_id), seen.registration)
        return attrs.evolve(seen, registration=held)

    def settled(self, change: Change) -> Participation:
        """Remember it."""
        after = change.after
        self._held[after.course.id, after.user_id] = after.registration
        return after


class DecidesOnACachedCourse(Answering):
    """A decision about a person is shown the course as this object has read it last."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin to remember."""
        super().__init__(store)
        self._read: dict[UUID, Course | None] = {}

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Remember what was read."""
        self._read[course_id] = super().get(organization_id, course_id)
        return self._read[course_id]

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Remember what was stored."""
        answer = super().change_course(organization_id, course_id, decide)
        self._read[course_id] = answer
        return answer

    def shown(self, seen: Participation) -> Participation:
        """Show what was."""
        return attrs.evolve(seen, course=self._read.get(seen.course.id) or seen.course)


# --- Where callers meet


class LiveStore(DocumentStore):
    """Hand out what others are writing to."""

    def load_all(self) -> Any:
        """Give the documents as they come, and change."""
        return self._live()

    def _live(self) -> Iterator[Document]:
        for each in self._documents.values():
            round_trip()
            yield each


class ListsAreReadWithoutALock(AskingAgainRepository):
    """Lists go through a dict that an add makes larger: RuntimeError."""

    def __init__(self, store: DocumentStore | None = None) -> None:
        """Stand over a store that is read while it is written."""
        super().__init__(store or LiveStore())


class CompletionInTwoCommits(AskingAgainRepository):
    """The registration is committed first, and the certificate then."""

    def _change(
        self,
        organization_id: UUID,
        course_id: UUID,
        change: Callable[[Document], tuple[Document, T]],
    ) -> T:
        def first(found: Document) -> tuple[Document, tuple[Mapping[UUID, Any], T]]:
            changed, answer = change(found)
            new = {
                whose: each
                for whose, each in changed.certificates.items()
                if whose not in found.certificates
            }
            return attrs.evolve(changed, certificates=found.certificates), (new, answer)

        def second(found: Document) -> tuple[Document, None]:
            return attrs.evolve(found, certificates={**new, **found.certificates}), None

        new, answer = super()._change(organization_id, course_id, first)
        if new:
            round_trip()
            super()._change(organization_id, course_id, second)
        return answer


class ReminderInASecondCommit(AskingAgainRepository):
    """Registration and certificate are committed first, and the reminder then."""

    def _change(
        self,
        organization_id: UUID,
        course_id: UUID,
        change: Callable[[Document], tuple[Document, T]],
    ) -> T:
        def first(found: Document) -> tuple[Document, tuple[Mapping[UUID, Any], T]]:
            changed, answer = change(found)
            new = {
                key: each for key, each in changed.reminders.items() if key not in found.reminders
            }
            return attrs.evolve(changed, reminders=found.reminders), (new, answer)

        def second(found: Document) -> tuple[Document, None]:
            return attrs.evolve(found, reminders={**new, **found.reminders}), None

        new, answer = super()._change(organization_id, course_id, first)
        if new:
            round_trip()
            super()._change(organization_id, course_id, second)
        return answer


class ReminderBehindTheLock(InMemoryCourseRepository):
    """The lock of the course is let go between the certificate and its reminder."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Store all but the reminder, and then the reminder."""
        key = (organization_id, course_id, user_id)
        asked: list[Participation] = []

        def without(seen: Participation) -> Participation:
            asked.append(decide(seen))
            return attrs.evolve(asked[-1], reminder=None)

        after = super().change_participation(*key, without)
        answer = asked[-1]
        if answer.reminder is None or answer.certificate not in (None, after.certificate):
            return after
        round_trip()
        added = super().change_participation(
            *key, lambda now: attrs.evolve(now, reminder=answer.reminder)
        )
        return attrs.evolve(after, reminder=added.reminder)


class PatientStore(ByteStore):
    """Let everybody wait for an hour."""

    patience_seconds = 3600


class WaitsForEver(Bytes):
    """A lock has no timeout: nobody gives up after 8 seconds."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Stand over a store that is patient."""
        super().__init__(store or PatientStore())


class BriefStore(ByteStore):
    """Let nobody wait for longer than must be."""

    patience_seconds = 2.2


class LockTimeoutIsRaw(Bytes):
    """Who has waited in vain hears of the storage's own error, no RepositoryUnavailable."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Stand over a store with a short timeout."""
        super().__init__(store or BriefStore())

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Let the error out, unless it is the decision's."""
        asked: list[Participation] = []

        def ask(seen: Participation) -> Participation:
            asked.append(seen)
            return decide(seen)

        try:
            return super().change_participation(organization_id, course_id, user_id, ask)
        except RepositoryUnavailable:
            if asked:
                raise
            raise ConnectionError("database is locked") from None


class AddsLoseEachOther(AskingAgainRepository):
    """The ids of a list are one row, which `add` reads, and writes with one more."""

    ids: ClassVar[dict[UUID, tuple[UUID, ...]]] = {}

    def add(self, course: Course) -> None:
        """Read and write the row."""
        super().add(course)
        ids = self.ids.get(course.organization_id, ())
        round_trip()
        self.ids[course.organization_id] = (*ids, course.id)

    def courses(self, organization_id: UUID, **query: Any) -> Page[Course]:
        """Go by the row."""
        ids = self.ids.get(organization_id, ())
        return kept(super().courses(organization_id, **query), lambda each: each.id in ids)


class MarkWritesTheWholeDocument(AskingAgainRepository):
    """A mark writes back what it read, and a registration that came in between is lost."""

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Write the document, whatever version is there."""
        for document in self.store.load_all():
            course, key = document.course, reminder.certificate_id
            if course.organization_id != reminder.organization_id or key not in document.reminders:
                continue
            round_trip()
            waited, _ = document.reminders[key]
            marked = attrs.evolve(document, reminders={**document.reminders, key: (waited, False)})
            now = self.store.load(course.organization_id, course.id) or document
            while not self.store.replace(marked, now.version):
                now = self.store.load(course.organization_id, course.id) or document


class OneRowOfMarks(Log):
    """Keep all marks in one row."""

    def mark(self, key: tuple[UUID, UUID]) -> None:
        """Read the row, and write it with one more."""
        marked = set(self._marked)
        round_trip()
        self._marked = {*marked, key}


class MarksLoseEachOther(BatchingRepository):
    """All marks are one row, which a mark reads, and writes with one more."""

    def __init__(self, log: Log | None = None) -> None:
        """Stand over a log of that kind."""
        super().__init__(log or OneRowOfMarks())


class TenTries(AskingAgainRepository):
    """Ten tries were always enough."""

    def _change(
        self,
        organization_id: UUID,
        course_id: UUID,
        change: Callable[[Document], tuple[Document, T]],
    ) -> T:
        for _ in range(10):
            found = self.store.load(organization_id, course_id)
            if found is None:
                raise CourseNotFound(course_id)
            changed, answer = change(found)
            if self.store.replace(changed, found.version):
                return answer
        raise RepositoryUnavailable("ten tries were not enough")


BROKEN: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "ARGUMENTS-1": (
        LimitNoneIsUnlimited,
        MissingCourseIsAnsweredFirst,
        CrossedRangeIsAnsweredFirst,
    ),
    "ARGUMENTS-2": (MissingCourseIsAnsweredFirst, CutCursorCrashes, CursorOverflows),
    "ARGUMENTS-3": (StatusesLookedAtFirst,),
    "ARGUMENTS-4": (FirstHundredIds,),
    "KEYS-3": (
        RegistrationsKeyedByCourseAndUser,
        ForeignAddHidesTheOther,
        ForeignChangeReachesTheOther,
    ),
    "KEYS-8": (ReminderKeysOfTheClass,),
    "VALUES-4": (TitleCutAt255, NullIsNone, DigitsAreANumber),
    "VALUES-5": (NothingExpiresAfter8999,),
    "VALUES-6": (SeatsInTwoBytes, EndIsNotCleared),
    "COURSES-1": (FarInstantsAreFloats,),
    "REGISTRATIONS-1": (RegistrationsOfArchivedHidden,),
    "REGISTRATIONS-2": (CancelledAtStays, AnswerGetsAnotherId),
    "CERTIFICATES-1": (CertificatesOfArchivedHidden,),
    "PAGES-1": (BehindNoExpiryIsNothing, CursorToTheSecond),
    "PAGES-4": (RegistrationsByOffset, CertificatesByOffset, UndatedByOffset),
    "PAGES-5": (RegistrationCursorIsTheRow,),
    "PAGES-6": (
        CursorReplacesStartsFrom,
        CertificateCursorCarriesItsFilters,
        FilteredCursorCarriesItsFilters,
    ),
    "PAGES-7": (
        RegistrationsFilteredAfterTheCut,
        CertificatesFilteredAfterTheCut,
        TypeFilteredAfterTheCut,
        FilteredFullPageHasNext,
        RegistrationsOfACourseHaveNext,
    ),
    "PAGES-9": (CursorHoldsHalfTheId, CursorIgnoresTheFirstDigits),
    "PAGES-8": (DefaultLimitIsTwenty, CoursesAtMostHundred, CountIsOnePage),
    "DECIDE-2": (
        KeyErrorIsNotFound,
        ValueErrorIsWrapped,
        UnavailableIsAskedAgain,
        StaleIsAskedAgain,
        ExitIsSwallowed,
    ),
    "STORE-1": (CountsAtInsert,),
    "STORE-2": (ReminderOnlyWithItsCertificate, CertificateOnlyWithARegistration),
    "STORE-3": (IgnoredCertificateIgnoresAll,),
    "OUTBOX-1": (RemindersOfArchivedHidden,),
    "OUTBOX-3": (RemindersKeyedByCertificate,),
    "OUTBOX-4": (MarkIsForgotten,),
    "OUTBOX-6": (MarkedLeftOutAfterTheCut,),
    "SHARED-1": (RegistrationsAreCached,),
    "SHARED-2": (DecidesOnACachedRegistration, DecidesOnACachedCourse),
    "RACE-11": (TenTries,),
    "RACE-13": (CompletionInTwoCommits,),
    "RACE-15": (ErrorsOnAnOldStateAreAskedAgain,),
    "RACE-17": (ReminderInASecondCommit, ReminderBehindTheLock),
    "RACE-16": (WaitsForEver, LockTimeoutIsRaw),
    "CROWD-9": (AddsLoseEachOther, ListsAreReadWithoutALock),
    "CROWD-10": (MarkWritesTheWholeDocument, MarksLoseEachOther),
}
"""Which clauses catch which of them, by the clause's id."""

BROKEN_FAR_OUT: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "PAGES-8": (CountInOneByte, AtMostFiveHundredRows),
}
"""Which clauses catch those that only the thorough profile reaches, by the clause's id."""

HANGING: frozenset[Callable[[], CourseRepository]] = frozenset()
