"""Candidates: adapters that break a promise of "Ports" and may pass the whole kit all the same."""

import time
from typing import Any, ClassVar

import attrs

from adapters.broken import Altering, Bytes
from adapters.broken_answers import Answering, course_key, key, recounted, reminder_key
from adapters.broken_outbox import Bytes as _B  # noqa: F401
from adapters.broken_pages import Turning, whole
from adapters.broken_races import round_trip
from adapters.compare_and_ask_again import AskingAgainRepository
from adapters.stored_bytes import ByteStore, StoredBytesRepository
from course_domain import (
    CourseNotFound,
    CourseStatus,
    DuplicateCourse,
    InvalidValue,
    Page,
    RegistrationStatus,
    RepositoryUnavailable,
    StaleCourse,
)
from course_domain.ports import page_limit, unknown_cursor

# --- Arguments


class LimitNoneIsUnlimited(Bytes):
    def courses(self, organization_id, *, limit=50, **query):
        return super().courses(organization_id, limit=200 if limit is None else limit, **query)


class MissingCourseIsAnsweredFirst(Bytes):
    """Limit and cursor unchecked where the course is not there."""

    def registrations(self, organization_id, *, course_id=None, **query):
        if course_id is not None and self.get(organization_id, course_id) is None:
            return Page(())
        return super().registrations(organization_id, course_id=course_id, **query)


class CrossedRangeIsAnsweredFirst(Bytes):
    def courses(self, organization_id, *, starts_from=None, starts_before=None, **query):
        if starts_from and starts_before and starts_from >= starts_before:
            return Page(())
        return super().courses(
            organization_id, starts_from=starts_from, starts_before=starts_before, **query
        )


class CutCursorCrashes(Bytes):
    """What is hex, but no place, is an IndexError."""

    def certificates(self, organization_id, *, after=None, **query):
        if after is not None:
            try:
                place = bytes.fromhex(after).decode()
            except ValueError:
                raise unknown_cursor() from None
            if "/" not in place:
                raise unknown_cursor()
            assert len(place.split("/")[1]) == 32, "a damaged cursor"
        return super().certificates(organization_id, after=after, **query)


class CutCursorBeginsAnew(Bytes):
    """A real cursor that lost a letter is read as None."""

    def courses(self, organization_id, *, after=None, **query):
        if after is not None and len(after) > 20:
            try:
                return super().courses(organization_id, after=after, **query)
            except InvalidValue:
                return super().courses(organization_id, **query)
        return super().courses(organization_id, after=after, **query)


class CursorNumberOverflows(Turning):
    """Cursors are numbers; one of thirty digits is an OverflowError."""

    def turn(self, listing, after, limit):
        if after is not None and len(after) == 102 and after[:36] > "34" * 18:
            raise OverflowError("too large to convert")
        return super().turn(listing, after, limit)


class StatusesOneShot(Bytes):
    def courses(self, organization_id, *, statuses=None, **query):
        if statuses is not None and not any(True for _ in statuses):
            statuses = ()
        return super().courses(organization_id, statuses=statuses, **query)


class FirstHundredIds(Bytes):
    """Silently only the first hundred ids are looked up."""

    def participations(self, organization_id, course_ids, user_id):
        return super().participations(organization_id, list(course_ids)[:100], user_id)


class DefaultLimitIsTwenty(Bytes):
    def registrations(self, organization_id, *, limit=20, **query):
        return super().registrations(organization_id, limit=limit, **query)


class CoursesAtMostHundred(Bytes):
    def courses(self, organization_id, *, limit=50, **query):
        return super().courses(organization_id, limit=min(page_limit(limit), 100), **query)


# --- Keys


class RemindersKeyedByCertificate(Answering):
    """A key that another organization has in the outbox keeps this one out."""

    def settled(self, change):
        reminder = change.after.reminder
        if reminder is None:
            return change.after
        same = [
            each
            for each, _ in change.rows.under("reminder/")
            if each.certificate_id == reminder.certificate_id
        ]
        if len(same) > 1:
            change.rows.put(reminder_key(reminder), None)
            return attrs.evolve(change.after, reminder=None)
        return change.after


class ApartButRegistrationsByCourseAndUser(AskingAgainRepository):
    """Courses are kept apart by organization, registrations of one id and user are not."""

    def participations(self, organization_id, course_ids, user_id):
        found = dict(super().participations(organization_id, course_ids, user_id))
        for document in self.store.load_all():
            cid = document.course.id
            if (
                cid in found
                and found[cid].registration is None
                and user_id in document.registrations
            ):
                found[cid] = attrs.evolve(found[cid], registration=document.registrations[user_id])
        return found


class ForeignAddHidesTheOther(AskingAgainRepository):
    """The list index is keyed by id alone: the first organization's course leaves its lists."""

    def add(self, course):
        super().add(course)
        self.store.__dict__.setdefault("owner", {})[course.id] = course.organization_id

    def courses(self, organization_id, **query):
        page = super().courses(organization_id, **query)
        owner = self.store.__dict__.get("owner", {})
        return Page(tuple(e for e in page.items if owner[e.id] == organization_id), page.next)


class SecondOrganizationCannotChange(AskingAgainRepository):
    """An id kept apart: the change of the second goes to the first's row."""

    def change_course(self, organization_id, course_id, decide):
        owners = [
            d.course.organization_id for d in self.store.load_all() if d.course.id == course_id
        ]
        if organization_id in owners and len(owners) > 1:
            super().change_course(
                owners[0],
                course_id,
                lambda seen: attrs.evolve(decide(seen), organization_id=owners[0]),
            )
        return super().change_course(organization_id, course_id, decide)


# --- Statuses judged


class GetHidesArchived(Bytes):
    def get(self, organization_id, course_id):
        found = super().get(organization_id, course_id)
        return None if found and found.status is CourseStatus.ARCHIVED else found


class ArchivedCannotBeChanged(Bytes):
    def change_course(self, organization_id, course_id, decide):
        found = super().get(organization_id, course_id)
        if found and found.status is CourseStatus.ARCHIVED:
            raise CourseNotFound(course_id)
        return super().change_course(organization_id, course_id, decide)


class ArchivedTakesNobody(Bytes):
    def change_participation(self, organization_id, course_id, user_id, decide):
        found = super().get(organization_id, course_id)
        if found and found.status is not CourseStatus.PUBLISHED:
            raise CourseNotFound(course_id)
        return super().change_participation(organization_id, course_id, user_id, decide)


class RegistrationsOfArchivedHidden(Bytes):
    def registrations(self, organization_id, **query):
        page = super().registrations(organization_id, **query)
        return Page(
            tuple(
                e
                for e in page.items
                if Bytes.get(self, organization_id, e.course_id).status is CourseStatus.PUBLISHED
            ),
            page.next,
        )


class CertificatesOfArchivedHidden(Bytes):
    def certificates(self, organization_id, **query):
        page = super().certificates(organization_id, **query)
        return Page(
            tuple(
                e
                for e in page.items
                if Bytes.get(self, organization_id, e.course_id).status is CourseStatus.PUBLISHED
            ),
            page.next,
        )


class RemindersOfArchivedHidden(Bytes):
    def pending_reminders(self, **query):
        page = super().pending_reminders(**query)
        return Page(
            tuple(
                e
                for e in page.items
                if Bytes.get(self, e.organization_id, e.course_id).status is CourseStatus.PUBLISHED
            ),
            page.next,
        )


class RemindersOfCancelledHidden(Bytes):
    """The outbox is joined with confirmed registrations."""

    def pending_reminders(self, **query):
        page = super().pending_reminders(**query)

        def holds(e):
            part = Bytes.participations(self, e.organization_id, [e.course_id], e.peer_mentor_id)[
                e.course_id
            ]
            return (
                part.registration is None
                or part.registration.status is RegistrationStatus.CONFIRMED
            )

        return Page(tuple(e for e in page.items if holds(e)), page.next)


# --- Decide


class KeyErrorIsNotFound(Bytes):
    def change_course(self, organization_id, course_id, decide):
        try:
            return super().change_course(organization_id, course_id, decide)
        except KeyError:
            raise CourseNotFound(course_id) from None


class ValueErrorIsWrapped(Bytes):
    def change_participation(self, *arguments):
        try:
            return super().change_participation(*arguments)
        except ValueError as error:
            raise RepositoryUnavailable(str(error)) from error


class UnavailableIsAskedAgain(Bytes):
    def change_participation(self, *arguments):
        for _ in range(3):
            try:
                return super().change_participation(*arguments)
            except RepositoryUnavailable as e:
                error = e
        raise error


class StaleIsAskedAgain(Bytes):
    def change_course(self, *arguments):
        for _ in range(3):
            try:
                return super().change_course(*arguments)
            except StaleCourse as e:
                error = e
        raise error


class DuplicateFromDecideIsAskedAgain(Bytes):
    def change_participation(self, *arguments):
        for _ in range(3):
            try:
                return super().change_participation(*arguments)
            except DuplicateCourse as e:
                error = e
        raise error


class SystemExitSwallowed(Bytes):
    def change_course(self, organization_id, course_id, decide):
        try:
            return super().change_course(organization_id, course_id, decide)
        except SystemExit:
            return self.get(organization_id, course_id)


# --- Storing


class ReminderOnlyWithItsCertificate(Answering):
    """A reminder enters only where the answer's certificate is new."""

    def answered(self, seen, answer):
        return attrs.evolve(answer, reminder=None) if seen.certificate is not None else answer


class CertificateOnlyWithARegistration(Answering):
    """Where the registration has not changed, nothing is written."""

    def answered(self, seen, answer):
        if answer.registration in (None, seen.registration):
            return attrs.evolve(answer, certificate=None, reminder=None)
        return answer


class CountsAtInsert(Answering):
    """A row that is inserted counts, whatever its status."""

    def settled(self, change):
        held = change.after.registration
        if (
            change.seen.registration is None
            and held is not None
            and held.status is RegistrationStatus.CANCELLED
        ):
            return recounted(change.rows, change.after, change.after.confirmed_count + 1)
        return change.after


class CompletedAtIsLost(Answering):
    """completed_at is not stored, nor shown; the answer has it."""

    def settled(self, change):
        held = change.after.registration
        if held is not None and held.completed_at is not None:
            change.rows.put(
                key("registration", change.after), attrs.evolve(held, completed_at=None)
            )
        return change.after


class CompletedAtIsLostEverywhere(Answering):
    def answered(self, seen, answer):
        held = answer.registration
        return (
            answer
            if held is None
            else attrs.evolve(answer, registration=attrs.evolve(held, completed_at=None))
        )


class CancelledAtStays(Answering):
    def answered(self, seen, answer):
        held, before = answer.registration, seen.registration
        if held is None or before is None or held.cancelled_at is not None:
            return answer
        return attrs.evolve(
            answer, registration=attrs.evolve(held, cancelled_at=before.cancelled_at)
        )


class SecondCertificateKeepsTheRegistration(Answering):
    """Where the certificate is ignored, the registration of that answer is too."""

    def answered(self, seen, answer):
        if seen.certificate is not None and answer.certificate not in (None, seen.certificate):
            return attrs.evolve(answer, registration=None)
        return answer


class IssuedAtFollowsTheClock(Answering):
    """issued_at is set to the registration's completed_at... of the first answer: cut to the day."""

    def answered(self, seen, answer):
        c = answer.certificate
        return (
            answer
            if c is None
            else attrs.evolve(
                answer, certificate=attrs.evolve(c, issued_at=c.issued_at.replace(hour=0))
            )
        )


class MarkForgetsOnNextAnswer(Answering):
    """An equal answer by who has a marked reminder puts it back."""

    def settled(self, change):
        for each, waits in list(change.rows.under("reminder/")):
            if (
                each.peer_mentor_id == change.after.user_id
                and not waits
                and change.answer == change.seen
            ):
                change.rows.put(reminder_key(each), (each, True))
        return change.after


class AddAgainResetsTheCount(Bytes):
    def add(self, course):
        try:
            super().add(course)
        except DuplicateCourse:
            with self.store.transaction() as rows:
                rows.put(course_key("count", course), 0)
            raise


class ReviseResetsTheCount(Bytes):
    """change_course writes the whole row, the count as it was when the course was added."""

    def change_course(self, organization_id, course_id, decide):
        answer = super().change_course(organization_id, course_id, decide)
        with self.store.transaction() as rows:
            rows.put(course_key("count", answer), 0)
        return answer


class ReviseToDraftDropsRegistrations(Bytes):
    def change_course(self, organization_id, course_id, decide):
        answer = super().change_course(organization_id, course_id, decide)
        if answer.status is not CourseStatus.PUBLISHED:
            for each in whole(
                lambda **p: Bytes.registrations(self, organization_id, course_id=course_id, **p)
            ):
                with self.store.transaction() as rows:
                    rows.put(f"{course_key('registration', answer)}/{each.user_id.hex}", None)
                    rows.put(course_key("count", answer), 0)
        return answer


# --- Pages


def filtered(page, keep):
    return Page(tuple(e for e in page.items if keep(e)), page.next)


class RegistrationsFilteredAfterTheCut(Bytes):
    def registrations(self, organization_id, *, course_id=None, user_id=None, **query):
        return filtered(
            super().registrations(organization_id, **query),
            lambda e: course_id in (None, e.course_id) and user_id in (None, e.user_id),
        )


class CertificatesFilteredAfterTheCut(Bytes):
    def certificates(self, organization_id, *, expires_before=None, **query):
        return filtered(
            super().certificates(organization_id, **query),
            lambda e: (
                expires_before is None
                or (e.expires_at is not None and e.expires_at < expires_before)
            ),
        )


class TypeFilteredAfterTheCut(Bytes):
    def courses(self, organization_id, *, course_type=None, **query):
        return filtered(
            super().courses(organization_id, **query),
            lambda e: course_type in (None, e.course_type),
        )


class MarkedLeftOutAfterTheCut(Bytes):
    """Pages of the outbox are cut first, and lose what is marked then."""

    def pending_reminders(self, *, after=None, limit=50):
        limit = page_limit(limit)
        marked = self.store.__dict__.setdefault("marked", {})
        page = super().pending_reminders(after=after, limit=limit)
        return filtered(page, lambda e: reminder_key(e) not in marked)

    def mark_reminder_scheduled(self, reminder):
        self.store.__dict__.setdefault("marked", {})[reminder_key(reminder)] = True


class DeepOffset(Turning):
    def turn(self, listing, after, limit):
        limit = page_limit(limit)
        if after is not None and not (after.isascii() and after.isdecimal() and len(after) < 9):
            raise unknown_cursor()
        begin, rows = int(after or 0), whole(listing)
        return Page(
            tuple(rows[begin : begin + limit]),
            str(begin + limit) if len(rows) > begin + limit else None,
        )


class RegistrationsByOffset(Bytes):
    def registrations(self, organization_id, **query):
        return DeepOffset(self.store).registrations(organization_id, **query)


class CertificatesByOffset(Bytes):
    def certificates(self, organization_id, **query):
        return DeepOffset(self.store).certificates(organization_id, **query)


class RegistrationCursorIsTheRow(Bytes):
    """A cursor names a registration, whose present place is looked up."""

    def registrations(self, organization_id, *, after=None, limit=50, **query):
        inner = None
        if after is not None:
            if len(after) != 32 or set(after) - set("0123456789abcdef"):
                raise unknown_cursor()
            with self.store.transaction() as rows:
                found = [e for e in rows.under("registration/") if e.id.hex == after]
            if not found:
                raise unknown_cursor()
            from adapters.stored_bytes import _place

            inner = _place(found[0].registered_at, found[0].id).encode().hex()
        page = super().registrations(organization_id, after=inner, limit=limit, **query)
        return Page(page.items, page.items[-1].id.hex if page.next else None)


def cut_cursor(after):
    """Cut the microseconds of a place in a cursor."""
    if after is None:
        return None
    place = bytes.fromhex(after).decode()
    if place.startswith("~"):
        return after
    micros, _, digits = place.partition("/")
    return f"{int(micros) // 10**6 * 10**6:018}/{digits}".encode().hex()


class CourseCursorToTheSecond(Bytes):
    def courses(self, organization_id, **query):
        page = super().courses(organization_id, **query)
        return Page(page.items, cut_cursor(page.next))


class RegistrationCursorToTheSecond(Bytes):
    def registrations(self, organization_id, **query):
        page = super().registrations(organization_id, **query)
        return Page(page.items, cut_cursor(page.next))


class CertificateCursorToTheSecond(Bytes):
    def certificates(self, organization_id, **query):
        page = super().certificates(organization_id, **query)
        return Page(page.items, cut_cursor(page.next))


class CursorReplacesStartsFrom(Bytes):
    """Where there is a cursor, the list begins there, and starts_from is left out."""

    def courses(self, organization_id, *, starts_from=None, after=None, **query):
        if after is not None:
            page = super().courses(organization_id, after=after, starts_from=None, **query)
            if starts_from is not None:
                return filtered(page, lambda e: e.start_date is not None)
            return page
        return super().courses(organization_id, starts_from=starts_from, after=after, **query)


class FilteredFullPageHasNext(Bytes):
    """Under a filter, a last page that is full has a next."""

    def courses(self, organization_id, *, statuses=None, after=None, limit=50, **query):
        if after == "the.end":
            return Page(())
        page = super().courses(
            organization_id, statuses=statuses, after=after, limit=limit, **query
        )
        if statuses is None or page.next or len(page.items) < limit:
            return page
        return Page(page.items, "the.end")


class RegistrationsFilteredFullPageHasNext(Bytes):
    def registrations(self, organization_id, *, course_id=None, after=None, limit=50, **query):
        if after == "the.end":
            return Page(())
        page = super().registrations(
            organization_id, course_id=course_id, after=after, limit=limit, **query
        )
        if course_id is None or page.next or len(page.items) < limit:
            return page
        return Page(page.items, "the.end")


class CertificateCursorCarriesItsFilters(Bytes):
    carried: ClassVar[dict[str, Any]] = {}

    def certificates(self, organization_id, *, after=None, limit=50, **filters):
        if after in self.carried:
            organization_id, filters = self.carried[after]
        page = super().certificates(organization_id, after=after, limit=limit, **filters)
        if page.next:
            self.carried[page.next] = (organization_id, filters)
        return page


class FilteredCursorCarriesItsFilters(Bytes):
    """Only cursors of filtered queries carry their filters."""

    carried: ClassVar[dict[str, Any]] = {}

    def courses(self, organization_id, *, after=None, limit=50, **filters):
        if after in self.carried:
            filters = {**filters, **self.carried[after]}
        page = super().courses(organization_id, after=after, limit=limit, **filters)
        if page.next and filters:
            self.carried[page.next] = {
                **filters,
                "statuses": None if filters.get("statuses") is None else tuple(filters["statuses"]),
            }
        return page


class RegistrationTiesByAge(Bytes):
    def registrations(self, organization_id, **query):
        page = super().registrations(organization_id, **query)
        with self.store.transaction() as rows:
            ids = [e.id for e in rows.under(f"registration/{organization_id.hex}")]
        return Page(sorted(page.items, key=lambda e: (e.registered_at, ids.index(e.id))), page.next)


class BehindNoExpiryIsNothing(Bytes):
    """A cursor at a certificate without expiry has nothing behind it."""

    def certificates(self, organization_id, *, after=None, **query):
        page = super().certificates(organization_id, after=after, **query)
        return Page(()) if after and bytes.fromhex(after).decode().startswith("~") else page


class FarInstantsAreFloats(Bytes):
    """The order and the cursor hold seconds as a float, which loses microseconds far away."""

    def courses(self, organization_id, **query):
        page = super().courses(organization_id, **query)
        return Page(
            sorted(
                page.items,
                key=lambda e: (
                    e.start_date is None,
                    e.start_date.timestamp() if e.start_date else 0,
                    e.id.hex,
                ),
            ),
            page.next,
        )


# --- Values


class TitleCutAt255(Altering):
    def altered(self, course):
        return attrs.evolve(course, title=course.title[:255])


class ControlCharactersDropped(Altering):
    """What XML cannot hold is dropped."""

    def altered(self, course):
        bad = {c: None for c in range(32) if chr(c) not in "\r\n\t"} | {0xFFFE: None, 0xFFFF: None}
        return attrs.evolve(
            course, description=course.description and course.description.translate(bad)
        )


class NullIsNone(Altering):
    """The text null is read back as None."""

    def altered(self, course):
        return attrs.evolve(
            course,
            description=None
            if course.description in ("null", "NULL", "None")
            else course.description,
        )


class ThreeBytesOnly(Altering):
    """Letters outside the basic plane become question marks, in titles."""

    def altered(self, course):
        return attrs.evolve(
            course, title="".join("?" if ord(c) > 0xFFFF else c for c in course.title)
        )


class DescriptionCutAt64K(Altering):
    def altered(self, course):
        return attrs.evolve(
            course,
            description=course.description
            and course.description.encode()[:65535].decode(errors="ignore"),
        )


class LeadingZerosOfLocation(Altering):
    """A text of digits goes through a number."""

    def altered(self, course):
        return attrs.evolve(
            course,
            location=str(int(course.location))
            if course.location and course.location.isascii() and course.location.isdecimal()
            else course.location,
        )


class ExpiryAfter8999Cut(Answering):
    def answered(self, seen, answer):
        c = answer.certificate
        if c is None or c.expires_at is None or c.expires_at.year < 9000:
            return answer
        return attrs.evolve(
            answer, certificate=attrs.evolve(c, expires_at=c.expires_at.replace(year=8999))
        )


class CompletedAtToTheSecond(Answering):
    def answered(self, seen, answer):
        h = answer.registration
        if h is None or h.completed_at is None:
            return answer
        return attrs.evolve(
            answer, registration=attrs.evolve(h, completed_at=h.completed_at.replace(microsecond=0))
        )


# --- Two repositories, two objects


class ReminderKeysOfTheClass(Answering):
    """Which keys were ever in the outbox is remembered by the class."""

    ever: ClassVar[dict[Any, Any]] = {}

    def answered(self, seen, answer):
        r = answer.reminder
        if r is None:
            return answer
        first = self.ever.setdefault(reminder_key(r), self.store)
        return answer if first is self.store else attrs.evolve(answer, reminder=None)


class RegistrationsCachedByTheObject(Bytes):
    """A list once read is remembered until this object changes something."""

    def __init__(self, store=None):
        super().__init__(store)
        self.cache = {}

    def change_participation(self, *a):
        self.cache.clear()
        return super().change_participation(*a)

    def registrations(self, organization_id, **query):
        k = (organization_id, repr(sorted(query.items())))
        if k not in self.cache:
            self.cache[k] = super().registrations(organization_id, **query)
        return self.cache[k]


class CertificatesCachedByTheObject(Bytes):
    def __init__(self, store=None):
        super().__init__(store)
        self.cache = {}

    def change_participation(self, *a):
        self.cache.clear()
        return super().change_participation(*a)

    def certificates(self, organization_id, **query):
        k = (organization_id, repr(sorted(query.items())))
        if k not in self.cache:
            self.cache[k] = super().certificates(organization_id, **query)
        return self.cache[k]


class OutboxCachedByTheObject(Bytes):
    def __init__(self, store=None):
        super().__init__(store)
        self.cache = {}

    def change_participation(self, *a):
        self.cache.clear()
        return super().change_participation(*a)

    def mark_reminder_scheduled(self, r):
        self.cache.clear()
        return super().mark_reminder_scheduled(r)

    def pending_reminders(self, **query):
        k = repr(sorted(query.items()))
        if k not in self.cache:
            self.cache[k] = super().pending_reminders(**query)
        return self.cache[k]


class DecidesOnACachedRegistration(Answering):
    """The object remembers what a person had, and shows that to decide."""

    def __init__(self, store=None):
        super().__init__(store)
        self.held = {}

    def shown(self, seen):
        k = (seen.course.id, seen.user_id)
        return attrs.evolve(seen, registration=self.held[k]) if k in self.held else seen

    def settled(self, change):
        self.held[change.after.course.id, change.after.user_id] = change.after.registration
        return change.after


class DecidesOnACachedCourse(Answering):
    """change_participation shows the course as this object read it last by get."""

    def __init__(self, store=None):
        super().__init__(store)
        self.read = {}

    def get(self, o, c):
        self.read[c] = super().get(o, c)
        return self.read[c]

    def change_course(self, o, c, decide):
        self.read[c] = super().change_course(o, c, decide)
        return self.read[c]

    def shown(self, seen):
        return attrs.evolve(seen, course=self.read.get(seen.course.id) or seen.course)


class MarksOfTheObject(Bytes):
    """A mark is kept by the object for a second-level cache, and the store learns it on the next read."""

    def __init__(self, store=None):
        super().__init__(store)
        self.late = []

    def mark_reminder_scheduled(self, r):
        self.late.append(r)

    def pending_reminders(self, **query):
        for r in self.late:
            super().mark_reminder_scheduled(r)
        self.late = []
        return super().pending_reminders(**query)


class AddIsWrittenBehind(Bytes):
    """A course that is added is in the store at the object's next call."""

    def __init__(self, store=None):
        super().__init__(store)


# --- Threads


class ListsAreReadWithoutALock(AskingAgainRepository):
    """Lists go through the live documents, in which others write."""

    def _documents_of(self, organization_id, course_id=None):
        for document in self.store._documents.values():
            c = document.course
            if c.organization_id == organization_id and course_id in (None, c.id):
                yield document


class CompletionInTwoCommits(AskingAgainRepository):
    """The registration is committed first, certificate and reminder after it."""

    def _change(self, o, c, change):
        found = self.store.load(o, c)
        before = {} if found is None else found.certificates

        def first(found):
            nonlocal before
            changed, answer = change(found)
            self.rest = changed
            return attrs.evolve(
                changed, certificates=found.certificates, reminders=found.reminders
            ), (changed, answer)

        changed, answer = super()._change(o, c, first)
        if changed.certificates != before:
            round_trip()
            super()._change(
                o,
                c,
                lambda d: (
                    attrs.evolve(
                        d,
                        certificates={**changed.certificates, **d.certificates},
                        reminders={**changed.reminders, **d.reminders},
                    ),
                    None,
                ),
            )
        return answer


class WaitsForEver(StoredBytesRepository):
    def __init__(self, store=None):
        super().__init__(store or type("Patient", (ByteStore,), {"patience_seconds": 3600})())


class LockTimeoutIsRaw(StoredBytesRepository):
    """Who waited in vain hears of the storage's own error."""

    def change_course(self, *a):
        try:
            return super().change_course(*a)
        except RepositoryUnavailable:
            raise TimeoutError("database is locked") from None

    def change_participation(self, *a):
        try:
            return super().change_participation(*a)
        except RepositoryUnavailable:
            raise TimeoutError("database is locked") from None


class DecidesOnTwoReads(AskingAgainRepository):
    """decide is shown a count of one statement and a registration of the next; stored on condition of the second."""

    def change_participation(self, o, c, u, decide):
        def torn(seen):
            return decide(attrs.evolve(seen, confirmed_count=counted))

        before = self.store.load(o, c)
        counted = 0 if before is None else before.participation(u).confirmed_count
        round_trip()
        return super().change_participation(o, c, u, torn)


class AddsLoseEachOther(AskingAgainRepository):
    """The ids of an organization are one row, which add reads, and writes with one more."""

    def add(self, course):
        super().add(course)
        index = self.store.__dict__.setdefault("index", {})
        ids = index.get(course.organization_id, ())
        round_trip()
        index[course.organization_id] = (*ids, course.id)

    def courses(self, organization_id, **query):
        ids = self.store.__dict__.get("index", {}).get(organization_id, ())
        return filtered(super().courses(organization_id, **query), lambda e: e.id in ids)


class MarksLoseEachOther(AskingAgainRepository):
    """The marks are one row, which a mark reads, and writes with one more."""

    def mark_reminder_scheduled(self, r):
        marks = self.store.__dict__.get("marks", frozenset())
        round_trip()
        self.store.__dict__["marks"] = marks | {(r.organization_id, r.certificate_id)}

    def pending_reminders(self, **query):
        page = super().pending_reminders(**query)
        return filtered(
            page,
            lambda e: (
                (e.organization_id, e.certificate_id) not in self.store.__dict__.get("marks", ())
            ),
        )


class MarkWritesTheWholeDocument(AskingAgainRepository):
    """A mark loads the document and writes it back, whatever has come in between."""

    def mark_reminder_scheduled(self, r):
        for d in self._documents_of(r.organization_id):
            if r.certificate_id in d.reminders:
                round_trip()
                changed = attrs.evolve(
                    d,
                    reminders={
                        **d.reminders,
                        r.certificate_id: (d.reminders[r.certificate_id][0], False),
                    },
                )
                while not self.store.replace(
                    changed, self.store.load(d.course.organization_id, d.course.id).version
                ):
                    pass


class ChangeCourseWritesTheCount(Bytes):
    """change_course writes back the count that it read before it decided."""

    def change_course(self, o, c, decide):
        course = self.get(o, c)
        if course is None:
            raise CourseNotFound(c)
        with self.store.transaction() as rows:
            count = rows.get(course_key("count", course)) or 0
        while True:
            answer = decide(course)
            with self.store.transaction() as rows:
                now = rows.get(course_key("course", course))
                if now == course:
                    rows.put(course_key("course", answer), answer)
                    rows.put(course_key("count", answer), count)
                    return answer
            course = self.get(o, c)
            with self.store.transaction() as rows:
                count = rows.get(course_key("count", course)) or 0


class AskedAgainThoughItRaised(AskingAgainRepository):
    """What decide raised on a state that has changed since is asked again."""

    def _change(self, o, c, change):
        while True:
            found = self.store.load(o, c)
            try:
                return super()._change(o, c, change)
            except Exception:
                now = self.store.load(o, c)
                if now is None or now.version == found.version:
                    raise


class EqualAnswerIsStale(AskingAgainRepository):
    """An equal answer is given back from the snapshot, decided long ago (allowed?)."""


class CourseSeenByRegistrationsIsOld(AskingAgainRepository):
    """decide of a participation is shown the course of a snapshot that is 50 ms old at most."""

    def change_participation(self, o, c, u, decide):
        cache = self.store.__dict__.setdefault("cache", {})
        now = time.monotonic()
        if (o, c) not in cache or now - cache[o, c][0] > 0.05:
            found = self.store.load(o, c)
            if found is not None:
                cache[o, c] = (now, found.course)

        def old(seen):
            return decide(attrs.evolve(seen, course=cache[o, c][1]) if (o, c) in cache else seen)

        return super().change_participation(o, c, u, old)


class CrowdedOut(AskingAgainRepository):
    """Only ten tries, quick ones."""

    def _change(self, o, c, change):
        for _ in range(10):
            found = self.store.load(o, c)
            if found is None:
                raise CourseNotFound(c)
            changed, answer = change(found)
            if self.store.replace(changed, found.version):
                return answer
        raise RepositoryUnavailable("ten tries")


class InterruptInADecisionOfOthers(Bytes): ...


class ReadsWaitForEver(Bytes): ...


HOLES = [v for v in list(globals().values()) if isinstance(v, type) and v.__module__ == __name__]
