"""Adapters that are broken in what they take, whose it is, how they keep it and what they list.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any
from uuid import UUID, uuid4

import attrs

from adapters.stored_bytes import ByteStore, StoredBytesRepository
from course_domain import (
    Course,
    CourseRepository,
    CourseStatus,
    DuplicateCourse,
    InvalidValue,
    Page,
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)

Decide = Callable[[Participation], Participation]
DecideCourse = Callable[[Course], Course]

TICK = timedelta(microseconds=1)


class Bytes(StoredBytesRepository):
    """Give these their ground: an adapter that is right."""


# --- Arguments


class LimitIsClamped(Bytes):
    """A limit out of bounds is moved to the nearest one."""

    def courses(
        self, organization_id: UUID, *, limit: Any = 50, after: str | None = None, **query: Any
    ) -> Page[Course]:
        """Take any limit."""
        within = min(max(int(limit), 1), 200)
        return super().courses(organization_id, limit=within, after=after, **query)


class LimitMayBeTrue(Bytes):
    """A bool is read as the number 1."""

    def registrations(
        self, organization_id: UUID, *, limit: Any = 50, **query: Any
    ) -> Page[Registration]:
        """Take True for 1."""
        number = 1 if limit is True else limit
        return super().registrations(organization_id, limit=number, **query)


class NothingToFindIsNothingToCheck(Bytes):
    """An empty set of statuses is answered before limit and cursor are looked at."""

    def courses(
        self, organization_id: UUID, *, statuses: Iterable[CourseStatus] | None = None, **query: Any
    ) -> Page[Course]:
        """Answer first, check later."""
        if statuses == ():
            return Page(())
        return super().courses(organization_id, statuses=statuses, **query)


class EmptyCursorBeginsAnew(Bytes):
    """The empty text is read as no cursor."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Take the empty text for None."""
        return super().pending_reminders(after=after or None, limit=limit)


class DamagedCursorBeginsAnew(Bytes):
    """A cursor that cannot be read gives the first page."""

    def certificates(
        self, organization_id: UUID, *, after: str | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Fall back to the beginning."""
        try:
            return super().certificates(organization_id, after=after, **query)
        except InvalidValue:
            return super().certificates(organization_id, **query)


class DamagedCursorCrashes(Bytes):
    """What reading a cursor raises is not caught."""

    def registrations(
        self, organization_id: UUID, *, after: str | None = None, **query: Any
    ) -> Page[Registration]:
        """Read hex digits, whatever is there."""
        if after is not None:
            bytes.fromhex(after)
        return super().registrations(organization_id, after=after, **query)


class StatusesReadTwice(Bytes):
    """`statuses` is looked through once to see whether there are any, and then again."""

    def courses(
        self, organization_id: UUID, *, statuses: Iterable[CourseStatus] | None = None, **query: Any
    ) -> Page[Course]:
        """Look first."""
        if statuses is not None and not list(statuses):
            statuses = ()
        return super().courses(organization_id, statuses=statuses, **query)


class IdsNeedALength(Bytes):
    """A mark for each id is written by counting them, which not every iterable allows."""

    def participations(
        self, organization_id: UUID, course_ids: Any, user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Count the ids."""
        assert len(course_ids) >= 0
        return super().participations(organization_id, course_ids, user_id)


class AtMostHundredIds(Bytes):
    """A statement takes a hundred parameters, and nobody thought of more ids."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Refuse what is too much."""
        ids = tuple(course_ids)
        if len(ids) > 100:
            raise OverflowError("too many parameters")
        return super().participations(organization_id, ids, user_id)


# --- Keys


class AnyOrganizationGets(Bytes):
    """`get` goes by the id alone."""

    def get(self, organization_id: UUID, course_id: UUID) -> Course | None:
        """Look in whatever organization has the id."""
        with self.store.transaction() as rows:
            owner = rows.get(f"owner/{course_id.hex}")
        return super().get(owner or organization_id, course_id)


class AddOverwrites(Bytes):
    """`add` is an insert or an update, as the storage likes."""

    def add(self, course: Course) -> None:
        """Write over what is there."""
        try:
            super().add(course)
        except DuplicateCourse:
            super().change_course(course.organization_id, course.id, lambda _seen: course)
            raise


class EqualCourseMayBeAddedAgain(Bytes):
    """`add` of an equal course is taken for a retry of the first."""

    def add(self, course: Course) -> None:
        """Say nothing where the same is there."""
        if self.get(course.organization_id, course.id) != course:
            super().add(course)


class DuplicateNamesTheOrganization(Bytes):
    """The error carries the wrong id."""

    def add(self, course: Course) -> None:
        """Tell the organization in place of the course."""
        try:
            super().add(course)
        except DuplicateCourse:
            raise DuplicateCourse(course.organization_id) from None


class AddTakesOverForeignIds(Bytes):
    """The id is the whole key: adding it elsewhere takes the course away from who had it."""

    def add(self, course: Course) -> None:
        """Write the new course over the other's."""
        with self.store.transaction() as rows:
            owner = rows.get(f"owner/{course.id.hex}")
            if owner not in (None, course.organization_id):
                rows.put(f"owner/{course.id.hex}", None)
                rows.put(f"course/{owner.hex}/{course.id.hex}", course)
        super().add(course)


class ForeignIdHasAnotherError(Bytes):
    """An id of another organization ends in an error of the storage."""

    def add(self, course: Course) -> None:
        """Let the storage's own error out."""
        with self.store.transaction() as rows:
            owner = rows.get(f"owner/{course.id.hex}")
        if owner not in (None, course.organization_id):
            raise KeyError(course.id)
        super().add(course)


class AsksAboutNoCourse(Bytes):
    """`decide` is asked before it is known whether there is the course."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Ask about nothing."""
        course: Any = self.get(organization_id, course_id)
        decide(course)
        return super().change_course(organization_id, course_id, decide)


class ForeignCoursesCanBeChanged(Bytes):
    """`change_participation` goes by the course's id alone."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Change in whatever organization has the id."""
        with self.store.transaction() as rows:
            owner = rows.get(f"owner/{course_id.hex}")
        return super().change_participation(owner or organization_id, course_id, user_id, decide)


class InnerJoin(Bytes):
    """`participations` joins the registration from inside."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Leave out who has no registration."""
        found = super().participations(organization_id, course_ids, user_id)
        return {key: each for key, each in found.items() if each.registration is not None}


class OffersOnlyPublished(Bytes):
    """`participations` knows what people may see, and judges it again."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Leave out drafts and what is archived."""
        found = super().participations(organization_id, course_ids, user_id)
        published = CourseStatus.PUBLISHED
        return {key: each for key, each in found.items() if each.course.status is published}


class ReadingMakesARow(Bytes):
    """Whoever is looked up and not there is made, cancelled for the time being."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Get or create."""
        found = super().participations(organization_id, course_ids, user_id)
        for course_id, each in found.items():
            if each.registration is None:
                super().change_participation(organization_id, course_id, user_id, placeheld)
        return found


def placeheld(seen: Participation) -> Participation:
    """Answer with a row that holds no seat."""
    row = Registration(
        id=uuid4(),
        course_id=seen.course.id,
        organization_id=seen.course.organization_id,
        user_id=seen.user_id,
        status=RegistrationStatus.CANCELLED,
        registered_at=seen.course.created_at,
    )
    return _with(seen, row)


def _with(seen: Participation, row: Registration) -> Participation:
    return attrs.evolve(seen, registration=row)


class PeopleOfAnyOrganization(Bytes):
    """Registrations of a user are found wherever that user has some."""

    def registrations(
        self, organization_id: UUID, *, user_id: UUID | None = None, **query: Any
    ) -> Page[Registration]:
        """Forget the organization where there is a user."""
        if user_id is None:
            return super().registrations(organization_id, **query)
        with self.store.transaction() as rows:
            owners: set[UUID] = set(rows.under("owner/"))
        pages = [Bytes.registrations(self, each, user_id=user_id, **query) for each in owners]
        return Page(tuple(row for page in pages for row in page.items))


class CertificatesGoByCourse(Bytes):
    """Certificates of a course are found whoever asks."""

    def certificates(
        self, organization_id: UUID, *, course_id: UUID | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Take the organization from the course."""
        owner = None
        if course_id is not None:
            with self.store.transaction() as rows:
                owner = rows.get(f"owner/{course_id.hex}")
        return super().certificates(owner or organization_id, course_id=course_id, **query)


class OneStoreForAll(Bytes):
    """The store belongs to the class."""

    everywhere = ByteStore()

    def __init__(self, store: ByteStore | None = None) -> None:
        """Stand over the one store."""
        super().__init__(store or self.everywhere)


# --- Values


class Altering(Bytes):
    """Give adapters that alter a course as they store it their ground."""

    def altered(self, course: Course) -> Course:
        """Say what is stored in the place of a course."""
        return course

    def add(self, course: Course) -> None:
        """Store something else."""
        super().add(self.altered(course))

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Store something else here too."""
        return super().change_course(
            organization_id, course_id, lambda seen: self.altered(decide(seen))
        )


class WholeMilliseconds(Altering):
    """Instants are kept to the millisecond."""

    def altered(self, course: Course) -> Course:
        """Cut instants."""
        return attrs.evolve(course, updated_at=_cut(course.updated_at, 1_000))


def _cut(instant: datetime, microseconds: int) -> datetime:
    return instant - TICK * (instant.microsecond % microseconds)


class EmptyTextIsNone(Altering):
    """The empty text is kept as None, as one well-known database does."""

    def altered(self, course: Course) -> Course:
        """Lose the empty text."""
        return attrs.evolve(course, description=course.description or None)


class NoneIsEmptyText(Altering):
    """None is kept as the empty text."""

    def altered(self, course: Course) -> Course:
        """Lose None."""
        return attrs.evolve(course, location=course.location or "")


class NoSeatsIsUnlimited(Altering):
    """Unlimited is kept as a number that nobody reaches."""

    def altered(self, course: Course) -> Course:
        """Lose None."""
        return attrs.evolve(course, max_participants=course.max_participants or 999_999)


class ComposedText(Altering):
    """Text is brought to normal form C."""

    def altered(self, course: Course) -> Course:
        """Compose letters and their marks."""
        return _evolve_description(course, lambda text: unicodedata.normalize("NFC", text))


class CutAt255(Altering):
    """A column takes 255 characters, and the rest is dropped without a word."""

    def altered(self, course: Course) -> Course:
        """Cut text."""
        return _evolve_description(course, lambda text: text[:255])


class TrailingBlanksDropped(Altering):
    """A column of fixed width loses the blanks at the end."""

    def altered(self, course: Course) -> Course:
        """Trim text."""
        return _evolve_description(course, lambda text: text.rstrip(" "))


class OneKindOfNewline(Altering):
    """Text goes through a file that is opened as text."""

    def altered(self, course: Course) -> Course:
        """Change the ends of lines."""
        return _evolve_description(course, lambda text: text.replace("\r\n", "\n"))


def _evolve_description(course: Course, alter: Callable[[str], str]) -> Course:
    description = None if course.description is None else alter(course.description)
    return attrs.evolve(course, description=description)


class ForgetsAColumn(Bytes):
    """The update of a course lacks a column that the insert has."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Keep the location that was."""
        return super().change_course(
            organization_id,
            course_id,
            lambda seen: attrs.evolve(decide(seen), location=seen.location),
        )


class CannotClear(Bytes):
    """None in an update means unchanged."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Keep what was where None comes."""

        def coalesced(seen: Course) -> Course:
            answer = decide(seen)
            return attrs.evolve(answer, description=answer.description or seen.description)

        return super().change_course(organization_id, course_id, coalesced)


class WholeSecondsOfPeople(Bytes):
    """A registration's instant is kept to the second."""

    def change_participation(
        self, organization_id: UUID, course_id: UUID, user_id: UUID, decide: Decide
    ) -> Participation:
        """Cut the instant."""

        def cut(seen: Participation) -> Participation:
            answer = decide(seen)
            held = answer.registration
            if held is None:
                return answer
            return _with(answer, attrs.evolve(held, registered_at=_cut(held.registered_at, 10**6)))

        return super().change_participation(organization_id, course_id, user_id, cut)


class ReminderAtMidnight(Bytes):
    """A reminder's instant is kept as a date."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Forget the time of day."""
        page = super().pending_reminders(after=after, limit=limit)
        return Page(tuple(map(_dated, page.items)), page.next)


def _dated(reminder: RenewalReminder) -> RenewalReminder:
    midnight = reminder.remind_at.replace(hour=0, minute=0, second=0, microsecond=0)
    return attrs.evolve(reminder, remind_at=midnight)


# --- Lists


class Reordered(Bytes):
    """Give adapters that order a page of courses in their own way their ground."""

    def place(self, course: Course) -> Any:
        """Say where a course stands."""
        return course.id.hex

    def courses(self, organization_id: UUID, **query: Any) -> Page[Course]:
        """Order the page otherwise."""
        page = super().courses(organization_id, **query)
        return Page(tuple(sorted(page.items, key=self.place)), page.next)


class OrderedById(Reordered):
    """Courses are ordered by their id alone."""


class UndatedFirst(Reordered):
    """The database sorts NULL before everything."""

    def place(self, course: Course) -> Any:
        """Order by start, none first."""
        return (course.start_date is not None, course.start_date, course.id.hex)


class TiesBySwappedBytes(Reordered):
    """Ids are kept as bytes in the order that one well-known database has."""

    def place(self, course: Course) -> Any:
        """Order by start, then by other bytes first."""
        return (course.start_date is None, course.start_date, course.id.bytes_le)


class FalseIsNoFilter(Bytes):
    """A filter is left out where it is falsy."""

    def courses(
        self, organization_id: UUID, *, issues_certificate: bool | None = None, **query: Any
    ) -> Page[Course]:
        """Take False for None."""
        filtered = issues_certificate or None
        return super().courses(organization_id, issues_certificate=filtered, **query)


class NoStatusIsEveryStatus(Bytes):
    """No statuses at all are no filter."""

    def courses(
        self, organization_id: UUID, *, statuses: Iterable[CourseStatus] | None = None, **query: Any
    ) -> Page[Course]:
        """Take none for all."""
        wanted = None if statuses is None else tuple(statuses) or None
        return super().courses(organization_id, statuses=wanted, **query)


class StartsBeforeIsInclusive(Bytes):
    """Between is between, both ends included."""

    def courses(
        self, organization_id: UUID, *, starts_before: datetime | None = None, **query: Any
    ) -> Page[Course]:
        """Include the end."""
        end = None if starts_before is None else starts_before + TICK
        return super().courses(organization_id, starts_before=end, **query)


class StartsFromKeepsUndated(Bytes):
    """What has no start is found under `starts_from`."""

    def courses(
        self, organization_id: UUID, *, starts_from: datetime | None = None, **query: Any
    ) -> Page[Course]:
        """Let undated ones pass."""
        page = super().courses(organization_id, starts_from=starts_from, **query)
        if starts_from is None or page.next or query.get("starts_before"):
            return page
        every = super().courses(organization_id, **query).items
        return Page((*page.items, *(each for each in every if each.start_date is None)))


class TypeFilterForgotten(Bytes):
    """A filter that came later never reached the query."""

    def courses(
        self, organization_id: UUID, *, course_type: object = None, **query: Any
    ) -> Page[Course]:
        """Forget a filter."""
        del course_type
        return super().courses(organization_id, **query)


class StaleIndex(Bytes):
    """Lists go by the status that a course was added with."""

    def courses(
        self, organization_id: UUID, *, statuses: Iterable[CourseStatus] | None = None, **query: Any
    ) -> Page[Course]:
        """Look in the old index."""
        wanted = None if statuses is None else tuple(statuses)
        page = super().courses(organization_id, **query)
        with self.store.transaction() as rows:
            return Page(
                tuple(
                    each
                    for each in page.items
                    if wanted is None or rows.get(f"added/{each.id.hex}") in wanted
                ),
                page.next,
            )

    def add(self, course: Course) -> None:
        """Write the index."""
        super().add(course)
        with self.store.transaction() as rows:
            rows.put(f"added/{course.id.hex}", course.status)


class CancelledAreHidden(Bytes):
    """A list of registrations shows those that hold a seat."""

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Hide who cancelled."""
        page = super().registrations(organization_id, **query)
        confirmed = RegistrationStatus.CONFIRMED
        return Page(tuple(each for each in page.items if each.status is confirmed), page.next)


class UserFilterOrCourseFilter(Bytes):
    """The filter by user is left out where there is one by course."""

    def registrations(
        self,
        organization_id: UUID,
        *,
        course_id: UUID | None = None,
        user_id: UUID | None = None,
        **query: Any,
    ) -> Page[Registration]:
        """Filter by one of the two."""
        whose = user_id if course_id is None else None
        return super().registrations(organization_id, course_id=course_id, user_id=whose, **query)


class FirstRegistrationCounts(Bytes):
    """Registrations stand in the order in which their rows were made."""

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Order by the age of the row."""
        page = super().registrations(organization_id, **query)
        with self.store.transaction() as rows:
            made: list[Registration] = list(rows.under(f"registration/{organization_id.hex}"))
        ids = [each.id for each in made]
        return Page(tuple(sorted(page.items, key=lambda each: ids.index(each.id))), page.next)


class ExpiredAreHidden(Bytes):
    """Certificates that have expired are left out."""

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Hide what has expired."""
        page = super().certificates(organization_id, **query)
        return Page(
            tuple(e for e in page.items if e.expires_at is None or e.expires_at >= e.issued_at),
            page.next,
        )


class WithoutExpiryFirst(Bytes):
    """The database sorts NULL before everything."""

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Order by expiry, none first."""
        page = super().certificates(organization_id, **query)
        return Page(tuple(sorted(page.items, key=lambda e: e.expires_at is not None)), page.next)


class NeverExpiresBeforeAnything(Bytes):
    """`expires_before` keeps what has no expiry."""

    def certificates(
        self, organization_id: UUID, *, expires_before: datetime | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Let those without expiry pass."""
        page = super().certificates(organization_id, expires_before=expires_before, **query)
        if expires_before is None:
            return page
        every = super().certificates(organization_id, **query).items
        return Page((*page.items, *(each for each in every if each.expires_at is None)))


class CertificatesTiedByAge(Bytes):
    """Certificates that expire together stand as they were issued."""

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Order ties by the age of the row."""
        page = super().certificates(organization_id, **query)
        with self.store.transaction() as rows:
            made: list[Any] = list(rows.under(f"certificate/{organization_id.hex}"))
        ids = [each.id for each in made]
        aged = sorted(page.items, key=lambda each: ids.index(each.id))
        dated = sorted((e for e in aged if e.expires_at), key=attrgetter("expires_at"))
        return Page((*dated, *(e for e in aged if e.expires_at is None)), page.next)


BROKEN: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "ARGUMENTS-1": (LimitIsClamped, LimitMayBeTrue, NothingToFindIsNothingToCheck),
    "ARGUMENTS-2": (
        EmptyCursorBeginsAnew,
        DamagedCursorBeginsAnew,
        DamagedCursorCrashes,
        NothingToFindIsNothingToCheck,
    ),
    "ARGUMENTS-3": (StatusesReadTwice, IdsNeedALength),
    "ARGUMENTS-4": (AtMostHundredIds,),
    "KEYS-1": (AnyOrganizationGets,),
    "KEYS-2": (AddOverwrites, EqualCourseMayBeAddedAgain, DuplicateNamesTheOrganization),
    "KEYS-3": (AddTakesOverForeignIds, ForeignIdHasAnotherError),
    "KEYS-4": (AsksAboutNoCourse, ForeignCoursesCanBeChanged),
    "KEYS-5": (InnerJoin, OffersOnlyPublished),
    "KEYS-6": (ReadingMakesARow,),
    "KEYS-7": (PeopleOfAnyOrganization, CertificatesGoByCourse),
    "KEYS-8": (OneStoreForAll,),
    "VALUES-1": (WholeMilliseconds, NoneIsEmptyText, NoSeatsIsUnlimited),
    "VALUES-2": (ForgetsAColumn,),
    "VALUES-6": (CannotClear,),
    "VALUES-3": (WholeSecondsOfPeople, ReminderAtMidnight),
    "VALUES-4": (CutAt255, TrailingBlanksDropped, ComposedText, OneKindOfNewline, EmptyTextIsNone),
    "COURSES-1": (OrderedById, UndatedFirst, TiesBySwappedBytes),
    "COURSES-2": (
        FalseIsNoFilter,
        NoStatusIsEveryStatus,
        StartsBeforeIsInclusive,
        StartsFromKeepsUndated,
        TypeFilterForgotten,
    ),
    "COURSES-3": (StaleIndex,),
    "REGISTRATIONS-1": (CancelledAreHidden, UserFilterOrCourseFilter),
    "REGISTRATIONS-2": (FirstRegistrationCounts,),
    "CERTIFICATES-1": (ExpiredAreHidden, WithoutExpiryFirst, NeverExpiresBeforeAnything),
    "CERTIFICATES-2": (CertificatesTiedByAge,),
}
"""Which clauses catch which of them, by the clause's id."""
