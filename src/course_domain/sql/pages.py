"""Pages by key: one statement, or two where a page reaches the rows without an instant."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import attrs
import sqlalchemy as sa

from course_domain.keyset import UNDATED, Place, cursor, microseconds, place_after
from course_domain.ports import Page, page_limit, unknown_cursor
from course_domain.sql.rows import (
    CERTIFICATE_COLUMNS,
    COURSE_COLUMNS,
    REGISTRATION_COLUMNS,
    REMINDER_COLUMNS,
)
from course_domain.sql.schema import certificates, courses, registrations, reminders
from course_domain.values import EARLIEST_INSTANT, LATEST_COMPUTED_INSTANT

T = TypeVar("T")

Read = Callable[[sa.Select[Any]], Sequence[sa.Row[Any]]]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = microseconds(EARLIEST_INSTANT), microseconds(LATEST_COMPUTED_INSTANT)


@attrs.frozen
class Listing:
    """Say what a list is made of: its name in cursors, its columns, and the order of its rows."""

    name: str
    columns: tuple[sa.ColumnElement[Any], ...]
    instant: sa.Column[Any]
    """What orders the rows; where it can be NULL, those rows come last."""

    ids: tuple[sa.Column[Any], ...]
    """What orders rows of the same instant."""


COURSES = Listing("courses", COURSE_COLUMNS, courses.c.start_date, (courses.c.id,))
REGISTRATIONS = Listing(
    "registrations",
    REGISTRATION_COLUMNS,
    registrations.c.registered_at,
    (registrations.c.id,),
)
CERTIFICATES = Listing(
    "certificates", CERTIFICATE_COLUMNS, certificates.c.expires_at, (certificates.c.id,)
)
REMINDERS = Listing(
    "reminders",
    REMINDER_COLUMNS,
    reminders.c.remind_at,
    (reminders.c.organization_id, reminders.c.certificate_id),
)


def page(
    read: Read,
    listing: Listing,
    conditions: Sequence[sa.ColumnElement[bool]],
    make: Callable[[sa.Row[Any]], T],
    *,
    after: str | None,
    limit: int,
    dated_only: bool = False,
) -> Page[T]:
    """Read one page; one row more than the limit tells whether anything follows.

    An OR over NULL, or a row value, finds no range on every engine: so the dated rows are read by
    the expanded condition, and the others in a step of their own.
    """
    limit = page_limit(limit)
    place = _place(listing, after)
    is_dated = place is None or place[0] != UNDATED
    query = sa.select(*listing.columns).where(*conditions)
    rows: list[sa.Row[Any]] = []
    if is_dated:
        behind = [] if place is None else [_behind(listing, place)]
        dated = query.where(listing.instant.is_not(None), *behind)
        rows += read(dated.order_by(listing.instant, *listing.ids).limit(limit + 1))
    if listing.instant.nullable and not dated_only and len(rows) <= limit:
        behind = [] if place is None or is_dated else [_behind_ids(listing, place)]
        undated = query.where(listing.instant.is_(None), *behind)
        # By the ids alone PostgreSQL would walk the primary key.
        ordered = undated.order_by(listing.instant, *listing.ids)
        rows += read(ordered.limit(limit + 1 - len(rows)))
    following = (
        cursor(listing.name, _place_of(listing, rows[limit - 1])) if len(rows) > limit else None
    )
    return Page(tuple(make(row) for row in rows[:limit]), following)


def _place(listing: Listing, after: str | None) -> Place | None:
    """Read a cursor: the instant and the ids of the row that it stands behind."""
    begin = place_after(listing.name, after, 1 + len(listing.ids))
    if not begin:
        return None
    place = (*begin[:-1], begin[-1] - 1)
    is_instant = place[0] == UNDATED or _FIRST <= place[0] <= _LAST
    if not is_instant or not all(0 <= number < 2**128 for number in place[1:]):
        raise unknown_cursor()
    return place


def _place_of(listing: Listing, row: sa.Row[Any]) -> Place:
    values = row._mapping  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  documented so
    return (microseconds(values[listing.instant]), *(values[each].int for each in listing.ids))


def _behind(listing: Listing, place: Place) -> sa.ColumnElement[bool]:
    instant = _EPOCH + timedelta(microseconds=place[0])
    later = listing.instant > instant
    return sa.and_(listing.instant >= instant, sa.or_(later, _behind_ids(listing, place)))


def _behind_ids(listing: Listing, place: Place) -> sa.ColumnElement[bool]:
    *leading, last = zip(listing.ids, map(_uuid, place[1:]), strict=True)
    condition = last[0] > last[1]
    for column, value in reversed(leading):
        condition = sa.or_(column > value, sa.and_(column == value, condition))
    return condition


def _uuid(number: int) -> UUID:
    return UUID(int=number)
