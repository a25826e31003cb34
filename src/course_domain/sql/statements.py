"""The statements of the adapter, written once for every engine."""

from collections.abc import Sequence
from functools import cache
from itertools import repeat
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from course_domain.sql.rows import (
    CERTIFICATE_COLUMNS,
    COURSE_COLUMNS,
    PARTICIPATION_COLUMNS,
    REGISTRATION_COLUMNS,
    REMINDER_COLUMNS,
    Columns,
)
from course_domain.sql.schema import certificates, courses, registrations, reminders

_ORGANIZATION = sa.bindparam("of_organization", type_=courses.c.organization_id.type)
_COURSE = sa.bindparam("of_course", type_=courses.c.id.type)
USER = sa.bindparam("of_user", type_=registrations.c.user_id.type)

THIS_COURSE = sa.and_(courses.c.organization_id == _ORGANIZATION, courses.c.id == _COURSE)


def _own(table: sa.Table, person: sa.Column[UUID]) -> sa.ColumnElement[bool]:
    return sa.and_(
        table.c.organization_id == courses.c.organization_id,
        table.c.course_id == courses.c.id,
        person == USER,
    )


_PARTICIPATIONS = sa.select(*PARTICIPATION_COLUMNS).select_from(
    courses.outerjoin(registrations, _own(registrations, registrations.c.user_id)).outerjoin(
        certificates, _own(certificates, certificates.c.peer_mentor_id)
    )
)

LOCK_COURSE = sa.select(courses.c.version).where(THIS_COURSE).with_for_update()
"""Make other writers of this course wait, on engines that lock rows."""

LOAD_COURSE = sa.select(courses.c.version, *COURSE_COLUMNS).where(THIS_COURSE)

LOAD_PARTICIPATION = _PARTICIPATIONS.where(THIS_COURSE)
"""Course, count, registration and certificate of one person, as one state."""


@cache
def _load_participations(count: int) -> sa.Select[Any]:
    some = [sa.bindparam(name, type_=courses.c.id.type) for name in _numbered(count)]
    return _PARTICIPATIONS.where(courses.c.organization_id == _ORGANIZATION, courses.c.id.in_(some))


def load_participations(course_ids: Sequence[UUID]) -> tuple[sa.Select[Any], dict[str, Any]]:
    """Load one person's participation in these courses; give the parameters that say which.

    As many as a power of two, the last again and again: each number is a statement of its own.
    """
    count = 1 << (len(course_ids) - 1).bit_length()
    padded = [*course_ids, *repeat(course_ids[-1], count - len(course_ids))]
    return _load_participations(count), dict(zip(_numbered(count), padded, strict=True))


def _numbered(count: int) -> list[str]:
    return [f"of_course_{number}" for number in range(count)]


def _new(columns: Columns) -> dict[str, sa.BindParameter[Any]]:
    return {each.name: sa.bindparam(f"new_{each.name}", type_=each.type) for each in columns}


ADD_COURSE = sa.insert(courses).values(_new(COURSE_COLUMNS))

_UNCHANGED = sa.and_(THIS_COURSE, courses.c.version == sa.bindparam("seen_version"))

STORE_COURSE = (
    sa.update(courses)
    .where(_UNCHANGED)
    .values(_new(COURSE_COLUMNS) | {"version": courses.c.version + sa.literal_column("1")})
)
"""What every change of a course writes; no row means that somebody was first."""

COUNT_SEATS = (
    sa.update(courses)
    .where(_UNCHANGED)
    .values(
        version=courses.c.version + sa.literal_column("1"),
        confirmed_count=courses.c.confirmed_count + sa.bindparam("seats", type_=sa.Integer()),
    )
)
"""What every change of a participation writes; no row means that somebody was first."""

_OWN_REGISTRATION_ROW = sa.and_(
    registrations.c.organization_id == _ORGANIZATION,
    registrations.c.course_id == _COURSE,
    registrations.c.user_id == USER,
)

ADD_REGISTRATION = sa.insert(registrations).values(_new(REGISTRATION_COLUMNS))

STORE_REGISTRATION = (
    sa.update(registrations).where(_OWN_REGISTRATION_ROW).values(_new(REGISTRATION_COLUMNS))
)

ADD_CERTIFICATE = sa.insert(certificates).values(_new(CERTIFICATE_COLUMNS))

ADD_REMINDER = sa.insert(reminders).values(_new(REMINDER_COLUMNS) | {"is_scheduled": sa.false()})

FIND_REMINDER = sa.select(reminders.c.is_scheduled).where(
    reminders.c.organization_id == _ORGANIZATION,
    reminders.c.certificate_id
    == sa.bindparam("of_certificate", type_=reminders.c.certificate_id.type),
)

MARK_REMINDER = (
    sa.update(reminders)
    .where(
        reminders.c.organization_id == _ORGANIZATION,
        reminders.c.certificate_id
        == sa.bindparam("of_certificate", type_=reminders.c.certificate_id.type),
    )
    .values(is_scheduled=sa.true())
)


def keys(organization_id: UUID, course_id: UUID, user_id: UUID | None = None) -> dict[str, Any]:
    """Give the parameters that say which course, and which person's participation."""
    found = {"of_organization": organization_id, "of_course": course_id}
    return found if user_id is None else {**found, "of_user": user_id}
