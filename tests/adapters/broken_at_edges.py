"""Adapters that are right but at an edge: of text, of time, of how much there is.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, ClassVar
from urllib.parse import unquote
from uuid import UUID

import attrs

from adapters.broken import Altering, Bytes, DecideCourse
from adapters.broken_answers import Answering
from adapters.broken_pages import Listing, Turning, whole
from adapters.stored_bytes import ByteStore
from course_domain import (
    Course,
    CourseRepository,
    CourseStatus,
    Page,
    Participation,
    PeerMentorCertificate,
    Registration,
)
from course_domain.ports import page_limit, unknown_cursor

TICK = timedelta(microseconds=1)
FIRST = datetime(1900, 1, 1, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


# --- Texts


class Reading(Altering):
    """Give adapters that read something into a text their ground."""

    def text(self, text: str) -> str | None:
        """Say what is kept of a text."""
        return text

    def altered(self, course: Course) -> Course:
        """Alter the description."""
        kept = None if course.description is None else self.text(course.description)
        return attrs.evolve(course, description=kept)


class BlanksAreOne(Reading):
    """Blanks that follow each other are one."""

    def text(self, text: str) -> str | None:
        """Join blanks."""
        return re.sub(" +", " ", text)


class SeparatorsEndLines(Reading):
    """The separators of lines and paragraphs are newlines."""

    def text(self, text: str) -> str | None:
        """Replace them."""
        return re.sub("[\u2028\u2029\x85]", "\n", text)


class QuotesAreStraight(Reading):
    """Quotes and dashes are those of a typewriter."""

    def text(self, text: str) -> str | None:
        """Straighten them."""
        return text.translate({0x201C: '"', 0x201D: '"', 0x2019: "'", 0x2013: "-"})


class PercentIsDecoded(Reading):
    """Text is read as a part of a URL."""

    def text(self, text: str) -> str | None:
        """Decode it."""
        return unquote(text)


class PlusIsABlank(Reading):
    """Text is read as a field of a form."""

    def text(self, text: str) -> str | None:
        """Decode it."""
        return text.replace("+", " ")


class FormulasAreEscaped(Reading):
    """A text that a spreadsheet would compute is quoted."""

    def text(self, text: str) -> str | None:
        """Put a quote before it."""
        return f"'{text}" if text.startswith(("=", "-", "+", "@")) else text


class DollarsAreNames(Reading):
    """A name behind a dollar is a variable, which nobody has set."""

    def text(self, text: str) -> str | None:
        """Put nothing in its place."""
        return re.sub(r"\$\w+", "", text)


class CapitalNullIsNone(Reading):
    """The text NULL is read back as None."""

    def text(self, text: str) -> str | None:
        """Read text as SQL does."""
        return None if text == "NULL" else text


class NonCharactersDropped(Reading):
    """Code points that stand for no character are left out."""

    def text(self, text: str) -> str | None:
        """Leave them out."""
        return text.replace("\uffff", "")


class BlanksBreak(Reading):
    """A blank that holds words together is a blank like others."""

    def text(self, text: str) -> str | None:
        """Replace it."""
        return text.replace("\xa0", " ")


class SoftHyphensDropped(Reading):
    """Hyphens that nobody sees are left out."""

    def text(self, text: str) -> str | None:
        """Leave them out."""
        return text.replace("\xad", "")


# --- Instants


def unless_zero(instant: datetime | None) -> datetime | None:
    """Give None for what is 0 as a number."""
    return None if instant == EPOCH else instant


class StartAtZeroIsNone(Altering):
    """A start that is 0 as a number is none."""

    def altered(self, course: Course) -> Course:
        """Lose the start."""
        return attrs.evolve(course, start_date=unless_zero(course.start_date))


class NewStartAtZeroIsNone(Bytes):
    """A start that is 0 as a number is none, where it is changed."""

    def change_course(self, organization_id: UUID, course_id: UUID, decide: DecideCourse) -> Course:
        """Lose the start."""

        def lost(seen: Course) -> Course:
            answer = decide(seen)
            return attrs.evolve(answer, start_date=unless_zero(answer.start_date))

        return super().change_course(organization_id, course_id, lost)


class EndAtZeroIsNone(Altering):
    """An end that is 0 as a number is none."""

    def altered(self, course: Course) -> Course:
        """Lose the end."""
        return attrs.evolve(course, end_date=unless_zero(course.end_date))


class DeadlineAtZeroIsNone(Altering):
    """A deadline that is 0 as a number is none."""

    def altered(self, course: Course) -> Course:
        """Lose the deadline."""
        deadline = unless_zero(course.registration_deadline)
        return attrs.evolve(course, registration_deadline=deadline)


class InstantsAtZero(Answering):
    """Give adapters that lose an instant of a registration their ground."""

    field: ClassVar[str]

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Lose the instant."""
        del seen
        held = answer.registration
        if held is None:
            return answer
        kept: dict[str, Any] = {self.field: unless_zero(getattr(held, self.field))}
        return attrs.evolve(answer, registration=attrs.evolve(held, **kept))


class CompletionAtZeroIsNone(InstantsAtZero):
    """A completion that is 0 as a number is none."""

    field = "completed_at"


class CancellationAtZeroIsNone(InstantsAtZero):
    """A cancellation that is 0 as a number is none."""

    field = "cancelled_at"


class ExpiryAtZeroIsNone(Answering):
    """An expiry that is 0 as a number is none."""

    def answered(self, seen: Participation, answer: Participation) -> Participation:
        """Lose the expiry."""
        del seen
        held = answer.certificate
        if held is None:
            return answer
        kept = attrs.evolve(held, expires_at=unless_zero(held.expires_at))
        return attrs.evolve(answer, certificate=kept)


class StartsFromZeroIsNoFilter(Bytes):
    """A bound that is 0 as a number is none."""

    def courses(
        self, organization_id: UUID, *, starts_from: datetime | None = None, **query: Any
    ) -> Page[Course]:
        """Lose the bound."""
        return super().courses(organization_id, starts_from=unless_zero(starts_from), **query)


class StartsFromTheFirstIsNoFilter(Bytes):
    """Everything starts behind the first instant, also what has no start."""

    def courses(
        self, organization_id: UUID, *, starts_from: datetime | None = None, **query: Any
    ) -> Page[Course]:
        """Lose the bound."""
        earliest = None if starts_from == FIRST else starts_from
        return super().courses(organization_id, starts_from=earliest, **query)


class ExpiresBeforeZeroIsNoFilter(Bytes):
    """A bound that is 0 as a number is none."""

    def certificates(
        self, organization_id: UUID, *, expires_before: datetime | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Lose the bound."""
        bound = unless_zero(expires_before)
        return super().certificates(organization_id, expires_before=bound, **query)


class ExpiresBeforeTheLastIsNoFilter(Bytes):
    """Everything expires before a bound far out, also what never expires."""

    def certificates(
        self, organization_id: UUID, *, expires_before: datetime | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Lose the bound."""
        is_far = expires_before is not None and expires_before.year > 8999
        bound = None if is_far else expires_before
        return super().certificates(organization_id, expires_before=bound, **query)


# --- The order of instants


def from_zero(instant: datetime | None) -> float:
    """Give how far an instant is from where numbers begin, whatever the direction."""
    return float("inf") if instant is None else abs((instant - EPOCH) // TICK)


def in_seconds(instant: datetime | None) -> float:
    """Give an instant as a float, which has no microseconds far out."""
    return float("inf") if instant is None else (instant - EPOCH) / timedelta(seconds=1)


class RegistrationsBeforeZeroRunBackwards(Bytes):
    """Registrations are ordered by a number that has lost its sign."""

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Order by it."""
        page = super().registrations(organization_id, **query)
        rows = sorted(page.items, key=lambda each: (from_zero(each.registered_at), each.id.hex))
        return Page(tuple(rows), page.next)


class CertificatesBeforeZeroRunBackwards(Bytes):
    """Certificates are ordered by a number that has lost its sign."""

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Order by it."""
        page = super().certificates(organization_id, **query)
        rows = sorted(page.items, key=lambda each: (from_zero(each.expires_at), each.id.hex))
        return Page(tuple(rows), page.next)


class FarRegistrationsAreFloats(Bytes):
    """Registrations are ordered by seconds as a float."""

    def registrations(self, organization_id: UUID, **query: Any) -> Page[Registration]:
        """Order by it."""
        page = super().registrations(organization_id, **query)
        rows = sorted(page.items, key=lambda each: (in_seconds(each.registered_at), each.id.hex))
        return Page(tuple(rows), page.next)


class FarCertificatesAreFloats(Bytes):
    """Certificates are ordered by seconds as a float."""

    def certificates(self, organization_id: UUID, **query: Any) -> Page[PeerMentorCertificate]:
        """Order by it."""
        page = super().certificates(organization_id, **query)
        rows = sorted(page.items, key=lambda each: (in_seconds(each.expires_at), each.id.hex))
        return Page(tuple(rows), page.next)


class AtAnotherPlace(Turning):
    """Give adapters whose cursors tell an instant wrongly their ground."""

    def told(self, instant: int) -> int:
        """Say what a cursor tells of an instant, in microseconds from 1970."""
        return instant

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Write the cursor anew."""
        page = listing(after=after, limit=limit)
        return Page(page.items, None if page.next is None else self._written(page.next))

    def _written(self, cursor: str) -> str:
        instant, _, digits = bytes.fromhex(cursor).decode().partition("/")
        if len(instant) != 18:  # an undated row, or one of the outbox
            return cursor
        zero = (EPOCH - FIRST) // TICK
        return f"{zero + self.told(int(instant) - zero):018}/{digits}".encode().hex()


class CursorLosesItsSign(AtAnotherPlace):
    """A cursor tells a number without its sign."""

    def told(self, instant: int) -> int:
        """Lose the sign."""
        return abs(instant)


class CursorIsAFloat(AtAnotherPlace):
    """A cursor tells seconds as a float."""

    def told(self, instant: int) -> int:
        """Lose the microseconds far out."""
        return round(instant / 1e6 * 1e6)


class FilteredCursorNamesItsFilter(Bytes):
    """A cursor of some statuses begins with them, joined by what a URL reads as a blank."""

    def courses(
        self,
        organization_id: UUID,
        *,
        statuses: Iterable[CourseStatus] | None = None,
        after: str | None = None,
        **query: Any,
    ) -> Page[Course]:
        """Write the statuses before the place."""
        wanted = None if statuses is None else sorted(statuses)
        place = after if after is None else after.rpartition("+")[2]
        page = super().courses(organization_id, statuses=wanted, after=place, **query)
        if page.next is None or wanted is None:
            return page
        return Page(page.items, "+".join([*wanted, page.next]))


# --- Arguments


class StrangersRegistrationsAreAnsweredFirst(Bytes):
    """Limit and cursor are not looked at where the person has no registration."""

    def registrations(
        self, organization_id: UUID, *, user_id: UUID | None = None, **query: Any
    ) -> Page[Registration]:
        """Answer first."""
        if user_id and not super().registrations(organization_id, user_id=user_id).items:
            return Page(())
        return super().registrations(organization_id, user_id=user_id, **query)


class StrangersCertificatesAreAnsweredFirst(Bytes):
    """Limit and cursor are not looked at where the person has no certificate."""

    def certificates(
        self, organization_id: UUID, *, user_id: UUID | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Answer first."""
        if user_id and not super().certificates(organization_id, user_id=user_id).items:
            return Page(())
        return super().certificates(organization_id, user_id=user_id, **query)


class FarCursorOverflows(Bytes):
    """A cursor with a number that no instant has ends in an OverflowError."""

    def courses(
        self, organization_id: UUID, *, after: str | None = None, **query: Any
    ) -> Page[Course]:
        """Make an instant of any number."""
        number = re.fullmatch(r"(-?[0-9]{1,60})\.[0-9a-f]{32}", after or "")
        if number is not None:
            assert EPOCH + int(number[1]) * TICK > FIRST
        return super().courses(organization_id, after=after, **query)


class LongCursorIsNoNumber(Bytes):
    """A cursor of more digits than Python reads ends in a ValueError of its own."""

    def registrations(
        self, organization_id: UUID, *, after: str | None = None, **query: Any
    ) -> Page[Registration]:
        """Read any number."""
        if after is not None and after.isdecimal():
            int(after)
        return super().registrations(organization_id, after=after, **query)


class SurrogateCursorIsNoUtf8(Bytes):
    """A cursor with half a character ends in a UnicodeEncodeError."""

    def certificates(
        self, organization_id: UUID, *, after: str | None = None, **query: Any
    ) -> Page[PeerMentorCertificate]:
        """Encode any text."""
        if after is not None and not after.encode():
            raise unknown_cursor()
        return super().certificates(organization_id, after=after, **query)


class EmptyIteratorIsNoFilter(Bytes):
    """`statuses` is asked whether it is empty, which an iterator does not tell."""

    def courses(
        self, organization_id: UUID, *, statuses: Iterable[CourseStatus] | None = None, **query: Any
    ) -> Page[Course]:
        """Ask, and then take nothing for no filter."""
        wanted = list(statuses) if statuses else statuses
        return super().courses(organization_id, statuses=None if wanted == [] else wanted, **query)


class AHundredCoursesAreShown(Bytes):
    """Of what `participations` finds, a hundred are given."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Give no more."""
        found = super().participations(organization_id, course_ids, user_id)
        return dict([*found.items()][:100])


class OwnRegistrationsAreOnePage(Bytes):
    """`participations` reads a person's registrations from a page without a limit."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Join what stands on the page."""
        page = self.registrations(organization_id, user_id=user_id)
        own = {each.course_id: each for each in page.items}
        found = super().participations(organization_id, course_ids, user_id)
        return {key: attrs.evolve(entry, registration=own.get(key)) for key, entry in found.items()}


class OwnCertificatesAreAHundred(Bytes):
    """`participations` reads a hundred of a person's certificates."""

    def participations(
        self, organization_id: UUID, course_ids: Iterable[UUID], user_id: UUID
    ) -> Mapping[UUID, Participation]:
        """Join those."""
        page = self.certificates(organization_id, user_id=user_id, limit=100)
        own = {each.course_id: each for each in page.items}
        found = super().participations(organization_id, course_ids, user_id)
        return {key: attrs.evolve(entry, certificate=own.get(key)) for key, entry in found.items()}


# --- Filters


def within_reach(listing: Listing, page: Page[Any], after: str | None, limit: int) -> Page[Any]:
    """Leave out of a page what is not among the rows that were fetched to fill it."""
    reach = whole(partial(_behind, listing, after))[: (page_limit(limit) + 1) * 20]
    found = tuple(each for each in page.items if each in reach)
    return Page(found, page.next if len(found) == len(page.items) else None)


def _behind(listing: Listing, place: str | None, *, limit: int, after: str | None = None) -> Any:
    return listing(after=after or place, limit=limit)


class CoursesAmongTwentyTimesAsMany(Bytes):
    """Twenty times as many courses as fit are fetched, and filtered then."""

    def courses(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **filters: Any
    ) -> Page[Course]:
        """Look no further."""
        page = super().courses(organization_id, after=after, limit=limit, **filters)
        return within_reach(partial(super().courses, organization_id), page, after, limit)


class RegistrationsAmongTwentyTimesAsMany(Bytes):
    """Twenty times as many registrations as fit are fetched, and filtered then."""

    def registrations(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **filters: Any
    ) -> Page[Registration]:
        """Look no further."""
        page = super().registrations(organization_id, after=after, limit=limit, **filters)
        return within_reach(partial(super().registrations, organization_id), page, after, limit)


class CertificatesAmongTwentyTimesAsMany(Bytes):
    """Twenty times as many certificates as fit are fetched, and filtered then."""

    def certificates(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **filters: Any
    ) -> Page[PeerMentorCertificate]:
        """Look no further."""
        page = super().certificates(organization_id, after=after, limit=limit, **filters)
        return within_reach(partial(super().certificates, organization_id), page, after, limit)


class FilteredAsAdded(Bytes):
    """Give adapters that write an index only as a course is added their ground."""

    fields: ClassVar[frozenset[str]]

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin an index beside the store."""
        super().__init__(store)
        self._added = Bytes()

    def add(self, course: Course) -> None:
        """Write the index too."""
        super().add(course)
        self._added.add(course)

    def courses(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **filters: Any
    ) -> Page[Course]:
        """Look in the index where a filter stands alone."""
        if not filters or not self.fields.issuperset(filters):
            return super().courses(organization_id, after=after, limit=limit, **filters)
        page = self._added.courses(organization_id, after=after, limit=limit, **filters)
        found = (self.get(organization_id, each.id) for each in page.items)
        return Page(tuple(each for each in found if each is not None), page.next)


class StatusAsAdded(FilteredAsAdded):
    """Courses of a status are those that were added with it."""

    fields = frozenset({"statuses"})


class TypeAsAdded(FilteredAsAdded):
    """Courses of a type are those that were added with it."""

    fields = frozenset({"course_type"})


class CertificateAsAdded(FilteredAsAdded):
    """Courses with a certificate are those that were added with one."""

    fields = frozenset({"issues_certificate"})


class StartAsAdded(FilteredAsAdded):
    """Courses of a time are those that were added with it."""

    fields = frozenset({"starts_from", "starts_before"})


BROKEN: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "ARGUMENTS-1": (StrangersRegistrationsAreAnsweredFirst, StrangersCertificatesAreAnsweredFirst),
    "ARGUMENTS-2": (
        StrangersRegistrationsAreAnsweredFirst,
        FarCursorOverflows,
        LongCursorIsNoNumber,
        SurrogateCursorIsNoUtf8,
    ),
    "ARGUMENTS-3": (EmptyIteratorIsNoFilter,),
    "ARGUMENTS-4": (
        AHundredCoursesAreShown,
        OwnRegistrationsAreOnePage,
        OwnCertificatesAreAHundred,
    ),
    "VALUES-4": (
        BlanksAreOne,
        SeparatorsEndLines,
        QuotesAreStraight,
        PercentIsDecoded,
        PlusIsABlank,
        FormulasAreEscaped,
        DollarsAreNames,
        CapitalNullIsNone,
        NonCharactersDropped,
        BlanksBreak,
        SoftHyphensDropped,
    ),
    "VALUES-5": (
        StartAtZeroIsNone,
        EndAtZeroIsNone,
        DeadlineAtZeroIsNone,
        CompletionAtZeroIsNone,
        CancellationAtZeroIsNone,
        ExpiryAtZeroIsNone,
        StartsFromZeroIsNoFilter,
        StartsFromTheFirstIsNoFilter,
        ExpiresBeforeZeroIsNoFilter,
        ExpiresBeforeTheLastIsNoFilter,
    ),
    "VALUES-6": (NewStartAtZeroIsNone,),
    "COURSES-3": (StatusAsAdded, TypeAsAdded, CertificateAsAdded, StartAsAdded),
    "REGISTRATIONS-1": (RegistrationsBeforeZeroRunBackwards, FarRegistrationsAreFloats),
    "CERTIFICATES-1": (
        CertificatesBeforeZeroRunBackwards,
        FarCertificatesAreFloats,
        ExpiresBeforeZeroIsNoFilter,
    ),
    "PAGES-1": (CursorLosesItsSign, CursorIsAFloat),
    "PAGES-2": (FilteredCursorNamesItsFilter,),
    "PAGES-8": (
        CoursesAmongTwentyTimesAsMany,
        RegistrationsAmongTwentyTimesAsMany,
        CertificatesAmongTwentyTimesAsMany,
    ),
}
"""Which clauses catch which of them, by the clause's id."""
