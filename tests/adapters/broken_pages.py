"""Adapters that are broken in how they turn pages.

Each is broken in one way, as real ones are, and its docstring says how. `BROKEN` tells by which
clauses each is caught.
"""

from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

from adapters.stored_bytes import ByteStore, StoredBytesRepository
from course_domain import (
    Course,
    CourseRepository,
    CourseStatus,
    Page,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
)
from course_domain.ports import page_limit, unknown_cursor

Listing = Callable[..., Page[Any]]

_THE_END = "the.end"
_DEEPEST_OFFSET = 60


def whole(listing: Listing) -> list[Any]:
    """Read a right list to its end."""
    page = listing(limit=200)
    rows = [*page.items]
    while page.next is not None:
        page = listing(limit=200, after=page.next)
        rows += page.items
    return rows


class Turning(StoredBytesRepository):
    """Give adapters that turn the pages of all their lists in their own way their ground."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Cut a page out of a list."""
        return listing(after=after, limit=limit)

    def courses(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **filters: Any
    ) -> Page[Course]:
        """Turn the pages of courses."""
        return self.turn(partial(super().courses, organization_id, **filters), after, limit)

    def registrations(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **filters: Any
    ) -> Page[Registration]:
        """Turn the pages of registrations."""
        return self.turn(partial(super().registrations, organization_id, **filters), after, limit)

    def certificates(
        self, organization_id: UUID, *, after: str | None = None, limit: int = 50, **filters: Any
    ) -> Page[PeerMentorCertificate]:
        """Turn the pages of certificates."""
        return self.turn(partial(super().certificates, organization_id, **filters), after, limit)

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Turn the pages of the outbox."""
        return self.turn(super().pending_reminders, after, limit)


class Offset(Turning):
    """A cursor is the number of rows to skip, and skipping many is refused."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Skip rows."""
        limit, begin = page_limit(limit), _number(after)
        if begin > _DEEPEST_OFFSET:
            raise OverflowError("too many rows to skip")
        rows = whole(listing)
        following = str(begin + limit) if len(rows) > begin + limit else None
        return Page(tuple(rows[begin : begin + limit]), following)


class PageNumber(Turning):
    """A cursor is the number of the page."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Skip pages."""
        limit, number = page_limit(limit), _number(after)
        rows = whole(listing)[number * limit :]
        return Page(tuple(rows[:limit]), str(number + 1) if len(rows) > limit else None)


def _number(after: str | None) -> int:
    if after is None:
        return 0
    if not (after.isascii() and after.isdecimal() and len(after) < 20):
        raise unknown_cursor()
    return int(after)


class FullPageHasNext(Turning):
    """A page that is full is thought to have another one behind it."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Look at the size of the page only."""
        if after == _THE_END:
            return Page(())
        page = listing(after=after, limit=limit)
        return Page(page.items, page.next or (_THE_END if len(page.items) == limit else None))


class NextIsAlwaysThere(Turning):
    """A page always has a next one, which is empty at the end."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Give a cursor behind the last row too."""
        if after == _THE_END:
            return Page(())
        page = listing(after=after, limit=limit)
        return Page(page.items, page.next or _THE_END)


class LastRowOfAPageAgain(Turning):
    """The next page begins with the row that the cursor names."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Go one row back."""
        page = listing(after=after, limit=limit)
        if page.next is None or limit == 1:
            return page
        return Page(page.items, listing(after=after, limit=limit - 1).next)


class CursorInBase64(Turning):
    """Cursors are padded, and have letters that a URL reads as something else."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Pad the cursor."""
        page = listing(after=after.rstrip("=") if after else after, limit=limit)
        return Page(page.items, None if page.next is None else page.next + "==")


class CursorHoldsTheRow(Turning):
    """Cursors carry a whole row with them."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Write more than a place."""
        page = listing(after=after.rstrip(".") if after else after, limit=limit)
        return Page(page.items, None if page.next is None else page.next.ljust(600, "."))


class CursorIsTheRow(Turning):
    """A cursor names a row, and once that has left the list, nothing is found behind it."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Look for the row."""
        limit, rows = page_limit(limit), whole(listing)
        names = [_name(row) for row in rows]
        if after is not None and (len(after) != 32 or set(after) - set("0123456789abcdef")):
            raise unknown_cursor()
        if after in names:
            rows = rows[names.index(after) + 1 :]
        elif after is not None:
            rows = []
        return Page(tuple(rows[:limit]), _name(rows[limit - 1]) if len(rows) > limit else None)


def _name(row: Any) -> str:
    name: UUID = row.certificate_id if isinstance(row, RenewalReminder) else row.id
    return name.hex


class CursorsOfTheObject(Turning):
    """Cursors are numbers of places that the object remembers."""

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin to remember."""
        super().__init__(store)
        self._known: dict[str, str] = {}
        self._numbers = count(1)

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Remember the place, and hand out its number."""
        if after is not None and after not in self._known:
            raise unknown_cursor()
        page = listing(after=None if after is None else self._known[after], limit=limit)
        if page.next is None:
            return page
        number = str(next(self._numbers))
        self._known[number] = page.next
        return Page(page.items, number)


class CursorCarriesTheQuery(CursorsOfTheObject):
    """A cursor stands for the query that it came from, whatever query it is passed to."""

    def turn(self, listing: Listing, after: str | None, limit: int) -> Page[Any]:
        """Go on with the query of the cursor."""
        if after is not None and after in self._queries:
            listing = self._queries[after]
        page = super().turn(listing, after, limit)
        if page.next is not None:
            self._queries[page.next] = listing
        return page

    def __init__(self, store: ByteStore | None = None) -> None:
        """Begin to remember queries too."""
        super().__init__(store)
        self._queries: dict[str, Listing] = {}


class FilterAfterTheCut(StoredBytesRepository):
    """A page is cut first and filtered then, and so is not full."""

    def courses(self, organization_id: UUID, *, statuses: Any = None, **query: Any) -> Page[Course]:
        """Filter what is on the page."""
        wanted = tuple(CourseStatus) if statuses is None else tuple(statuses)
        page = super().courses(organization_id, **query)
        return Page(tuple(each for each in page.items if each.status in wanted), page.next)


class UndatedAreNeverReached(StoredBytesRepository):
    """Comparing with NULL is never true: behind a dated row there are only dated ones."""

    def courses(
        self, organization_id: UUID, *, after: str | None = None, **query: Any
    ) -> Page[Course]:
        """Compare as SQL does."""
        page = super().courses(organization_id, after=after, **query)
        if after is None:
            return page
        dated = tuple(each for each in page.items if each.start_date is not None)
        return Page(dated, page.next if len(dated) == len(page.items) else None)


class OneTooManyIsTooMuch(StoredBytesRepository):
    """The row more that is asked for falls under the limit of 200 itself."""

    def registrations(
        self, organization_id: UUID, *, limit: int = 50, **query: Any
    ) -> Page[Registration]:
        """See nothing behind 200 rows."""
        page = super().registrations(organization_id, limit=limit, **query)
        return Page(page.items) if limit == 200 else page


class AtMostHundredRows(StoredBytesRepository):
    """The storage gives no more than a hundred rows at once."""

    def registrations(
        self, organization_id: UUID, *, limit: int = 50, **query: Any
    ) -> Page[Registration]:
        """Give fewer than were asked for."""
        return super().registrations(organization_id, limit=min(page_limit(limit), 100), **query)


class OutboxByOffset(StoredBytesRepository):
    """The outbox skips as many rows as were read."""

    def pending_reminders(
        self, *, after: str | None = None, limit: int = 50
    ) -> Page[RenewalReminder]:
        """Skip rows."""
        return Offset(self.store).pending_reminders(after=after, limit=limit)


BROKEN: dict[str, tuple[Callable[[], CourseRepository], ...]] = {
    "PAGES-1": (FullPageHasNext, NextIsAlwaysThere, LastRowOfAPageAgain, UndatedAreNeverReached),
    "PAGES-2": (CursorInBase64, CursorHoldsTheRow),
    "PAGES-3": (PageNumber,),
    "PAGES-4": (Offset,),
    "PAGES-5": (CursorIsTheRow, Offset),
    "PAGES-6": (CursorCarriesTheQuery,),
    "PAGES-7": (FilterAfterTheCut, UndatedAreNeverReached),
    "PAGES-8": (OneTooManyIsTooMuch, AtMostHundredRows),
    "OUTBOX-6": (OutboxByOffset,),
    "SHARED-3": (CursorsOfTheObject,),
}
"""Which clauses catch which of them, by the clause's id."""
