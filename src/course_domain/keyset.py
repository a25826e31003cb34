"""Rows in the order of a key, and cursors into them: the pages of the in-memory repository."""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Generic, TypeVar
from uuid import UUID

from course_domain.participation import PeerMentorCertificate, Registration
from course_domain.ports import MAX_CURSOR_LENGTH, Page, page_limit, unknown_cursor

T = TypeVar("T")
R = TypeVar("R", Registration, PeerMentorCertificate)

# A row's place: microseconds since 1970 and the digits of its id, or its number in the outbox.
Place = tuple[int, ...]
UNDATED = 2**63  # later than any instant
_FEW = 100  # new rows that are put between the others; of more, sorting all is faster
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def microseconds(instant: datetime | None) -> int:
    """Count from 1970; no instant at all comes after every other."""
    return UNDATED if instant is None else (instant - _EPOCH) // timedelta(microseconds=1)


class Rows(Generic[T]):
    """Rows in the order of their places; what is new is sorted in when somebody reads."""

    def __init__(self) -> None:
        self._places: set[Place] = set()
        self._sorted: list[tuple[Place, T]] = []
        self._unsorted: list[tuple[Place, T]] = []

    def put(self, place: Place, row: T) -> None:
        """Put a row in its place, over the one that is there."""
        self.drop(place)
        self._places.add(place)
        is_last = not self._sorted or self._sorted[-1][0] < place
        (self._sorted if is_last else self._unsorted).append((place, row))

    def drop(self, place: Place) -> None:
        """Take the row out of this place, if there is one."""
        if place in self._places:
            self._places.remove(place)
            self._sort()
            del self._sorted[self._index(place)]

    def from_place(self, place: Place) -> Iterator[tuple[Place, T]]:
        """Give the rows from this place on, in order."""
        self._sort()
        return map(self._sorted.__getitem__, range(self._index(place), len(self._sorted)))

    def _index(self, place: Place) -> int:
        return bisect_left(self._sorted, place, key=place_of)

    def _sort(self) -> None:
        if len(self._unsorted) > _FEW:
            self._sorted += self._unsorted
            self._sorted.sort(key=place_of)
        else:
            for each in self._unsorted:
                insort(self._sorted, each, key=place_of)
        self._unsorted.clear()


def cursor(query: str, place: Place) -> str:
    """Write a place of a query as the text that a page hands out."""
    return ".".join([query, *map(str, place)])


def place_after(query: str, after: Any, length: int) -> Place:
    """Give the first place behind a cursor; what does not read back whole is refused."""
    if after is None:
        return ()
    if not isinstance(after, str) or len(after) > MAX_CURSOR_LENGTH:
        raise unknown_cursor()
    _, *digits = after.split(".")
    try:
        place = tuple(map(int, digits))
    except ValueError:
        raise unknown_cursor() from None
    if len(place) != length or cursor(query, place) != after:
        raise unknown_cursor()
    return (*place[:-1], place[-1] + 1)


def page(query: str, rows: Iterator[tuple[Place, T]], limit: int) -> Page[T]:
    """Take a page off the rows, and look whether one more follows."""
    taken = list(islice(rows, limit + 1))
    following = cursor(query, taken[limit - 1][0]) if len(taken) > limit else None
    return Page(tuple(row for _, row in taken[:limit]), following)


def place_of(row: tuple[Place, Any]) -> Place:
    """Give the place of a row, to merge several lists by."""
    return row[0]


def until(end: int | None, rows: Iterator[tuple[Place, T]]) -> Iterator[tuple[Place, T]]:
    """Give the rows in front of an instant, in microseconds, and no further; None for no end."""
    if end is None:
        yield from rows
    else:
        for row in rows:
            if row[0][0] >= end:
                return
            yield row


class Ledger(Generic[R]):
    """The records of people, in their order, by organization, by course and by person."""

    def __init__(
        self,
        query: str,
        *,
        instant_of: Callable[[R], datetime | None],
        person_of: Callable[[R], UUID],
    ) -> None:
        """Begin empty; the instant of a record is what orders it, before its id."""
        self._query = query
        self._instant_of: Callable[[R], datetime | None] = instant_of
        self._person_of: Callable[[R], UUID] = person_of
        self._rows: dict[tuple[UUID, UUID | None, UUID | None], Rows[R]] = defaultdict(Rows)

    def put(self, row: R, before: R | None = None) -> None:
        """Put a record in, in place of what it was before."""
        organization_id, person = row.organization_id, self._person_of(row)
        for course_id, user_id in ((None, None), (row.course_id, None), (None, person)):
            rows = self._rows[organization_id, course_id, user_id]
            if before is not None:
                rows.drop(self._place(before))
            rows.put(self._place(row), row)

    def page(
        self,
        organization_id: UUID,
        course_id: UUID | None,
        user_id: UUID | None,
        *,
        before: datetime | None = None,
        after: str | None,
        limit: int,
    ) -> Page[R]:
        """Give a page of what an organization has, on this course and of this person."""
        limit = page_limit(limit)
        begin = place_after(self._query, after, 2)
        end = None if before is None else microseconds(before)
        # A person has few records, so those on one course are sought among them.
        scope = (organization_id, None if user_id is not None else course_id, user_id)
        kept = self._rows.get(scope, Rows[R]()).from_place(begin)
        rows = (row for row in until(end, kept) if course_id in (None, row[1].course_id))
        return page(self._query, rows, limit)

    def _place(self, row: R) -> Place:
        return (microseconds(self._instant_of(row)), row.id.int)
