"""Pages by key: one statement, or two where a page reaches the rows without an instant."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import combinations
from typing import Any, TypeVar
from uuid import UUID

import attrs
import sqlalchemy as sa

from course_domain.course import Course, CourseStatus
from course_domain.keyset import UNDATED, Place, cursor, microseconds, place_after
from course_domain.participation import PeerMentorCertificate, Registration, RenewalReminder
from course_domain.ports import Page, page_limit, unknown_cursor
from course_domain.sql.rows import (
    CERTIFICATE_COLUMNS,
    COURSE_COLUMNS,
    REGISTRATION_COLUMNS,
    REMINDER_COLUMNS,
    Columns,
    Row,
)
from course_domain.sql.schema import certificates, courses, registrations, reminders
from course_domain.values import EARLIEST_INSTANT, LATEST_COMPUTED_INSTANT

T = TypeVar("T", Course, Registration, PeerMentorCertificate, RenewalReminder)

Read = Callable[[sa.Select[Any], Mapping[str, Any]], Sequence[Row]]

_OWNER = "organization_id"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = microseconds(EARLIEST_INSTANT), microseconds(LATEST_COMPUTED_INSTANT)


@attrs.frozen(eq=False)
class Listing:
    """Say what a list is made of: its name in cursors, its columns, and the order of its rows."""

    name: str
    columns: Columns
    instant: sa.Column[Any]
    """What orders the rows; where it can be NULL, those rows come last."""

    ids: Columns
    """What orders rows of the same instant."""

    filters: Mapping[str, sa.ColumnElement[bool]]
    """What it may be held to, by name; a filter has a parameter of its name, or none."""

    def place_of(self, value: object) -> Place:
        """Give the place of what has been read of a row."""
        ids = (getattr(value, each.name) for each in self.ids)
        return (microseconds(getattr(value, self.instant.name)), *(each.int for each in ids))


def _equal(*columns: sa.Column[Any], **named: sa.Column[Any]) -> dict[str, sa.ColumnElement[bool]]:
    named = {column.name: column for column in columns} | named
    return {name: column == _parameter(name, column) for name, column in named.items()}


def _parameter(name: str, column: sa.Column[Any]) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=column.type)


def of_statuses(statuses: Iterable[CourseStatus]) -> str:
    """Name the filter of courses in one of these statuses."""
    return " or ".join(sorted({status.value for status in statuses})) or "no status"


def _status_filters() -> dict[str, sa.ColumnElement[bool]]:
    """Write a filter for each set of statuses, of which there are few."""
    status = courses.c.status
    found: dict[str, sa.ColumnElement[bool]] = {of_statuses([]): sa.false()}
    for number in range(1, len(CourseStatus) + 1):
        for some in combinations(CourseStatus, number):
            names: list[Any] = [sa.literal_column(f"'{each.value}'") for each in some]
            found[of_statuses(some)] = status.in_(names) if number > 1 else status == names[0]
    return found


COURSES = Listing(
    "courses",
    COURSE_COLUMNS,
    courses.c.start_date,
    (courses.c.id,),
    {
        **_equal(courses.c.organization_id, courses.c.course_type, courses.c.issues_certificate),
        **_status_filters(),
        "starts_from": courses.c.start_date >= _parameter("starts_from", courses.c.start_date),
        "starts_before": courses.c.start_date < _parameter("starts_before", courses.c.start_date),
    },
)
REGISTRATIONS = Listing(
    "registrations",
    REGISTRATION_COLUMNS,
    registrations.c.registered_at,
    (registrations.c.id,),
    _equal(registrations.c.organization_id, registrations.c.course_id, registrations.c.user_id),
)
CERTIFICATES = Listing(
    "certificates",
    CERTIFICATE_COLUMNS,
    certificates.c.expires_at,
    (certificates.c.id,),
    {
        **_equal(
            certificates.c.organization_id,
            certificates.c.course_id,
            user_id=certificates.c.peer_mentor_id,
        ),
        "expires_before": certificates.c.expires_at
        < _parameter("expires_before", certificates.c.expires_at),
    },
)
REMINDERS = Listing(
    "reminders",
    REMINDER_COLUMNS,
    reminders.c.remind_at,
    (reminders.c.organization_id, reminders.c.certificate_id),
    {"is_waiting": reminders.c.is_scheduled == sa.false()},
)


def page(
    read: Read,
    listing: Listing,
    filters: Mapping[str, Any],
    make: Callable[[Row], T],
    *,
    after: str | None,
    limit: int,
    dated_only: bool = False,
) -> Page[T]:
    """Read one page; one row more than the limit tells whether anything follows.

    A filter that is None is none, but for the organization, which nothing has. An OR over NULL,
    or a row value, finds no range on every engine: so the dated rows are read by the expanded
    condition, and the others in a step of their own.
    """
    limit = page_limit(limit)
    place = _place(listing, after)
    asked = {name: value for name, value in filters.items() if value is not None or name == _OWNER}
    names = tuple(asked)
    is_dated = place is None or place[0] != UNDATED
    rows: list[Row] = []
    if is_dated:
        behind = {} if place is None else _instant(place) | _ids(place)
        statement = _statement(listing, names, is_dated=True, is_behind=bool(behind))
        rows += read(statement, {**asked, **behind, "limit": limit + 1})
    if listing.instant.nullable and not dated_only and len(rows) <= limit:
        behind = {} if place is None or is_dated else _ids(place)
        statement = _statement(listing, names, is_dated=False, is_behind=bool(behind))
        rows += read(statement, {**asked, **behind, "limit": limit + 1 - len(rows)})
    items = tuple(map(make, rows[:limit]))
    following = cursor(listing.name, listing.place_of(items[-1])) if len(rows) > limit else None
    return Page(items, following)


@cache
def _statement(
    listing: Listing, filters: tuple[str, ...], *, is_dated: bool, is_behind: bool
) -> sa.Select[Any]:
    instant = listing.instant
    conditions = [listing.filters[name] for name in filters]
    conditions.append(instant.is_not(None) if is_dated else instant.is_(None))
    if is_behind:
        behind = _behind_ids(listing)
        conditions.append(_behind(instant, behind) if is_dated else behind)
    query = sa.select(*listing.columns).where(*conditions)
    # By the ids alone PostgreSQL would walk the primary key where there is no instant.
    ordered = query.order_by(instant, *listing.ids)
    return ordered.limit(sa.bindparam("limit", type_=sa.Integer()))


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


def _instant(place: Place) -> dict[str, Any]:
    return {"behind": _EPOCH + timedelta(microseconds=place[0])}


def _ids(place: Place) -> dict[str, Any]:
    return {f"behind_{at}": UUID(int=number) for at, number in enumerate(place[1:])}


def _behind(instant: sa.Column[Any], behind_ids: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    behind = _parameter("behind", instant)
    return sa.and_(instant >= behind, sa.or_(instant > behind, behind_ids))


def _behind_ids(listing: Listing) -> sa.ColumnElement[bool]:
    ids = [(column, _parameter(f"behind_{at}", column)) for at, column in enumerate(listing.ids)]
    *leading, last = ids
    condition = last[0] > last[1]
    for column, value in reversed(leading):
        condition = sa.or_(column > value, sa.and_(column == value, condition))
    return condition
