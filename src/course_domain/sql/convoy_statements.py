"""The statements of a convoy on PostgreSQL: one loads for all who ride, one stores for all."""

from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from course_domain.participation import Registration
from course_domain.sql import statements
from course_domain.sql.rows import (
    COURSE_COLUMNS,
    OWN_CERTIFICATE_COLUMNS,
    OWN_REGISTRATION_COLUMNS,
    REGISTRATION_COLUMNS,
    Columns,
)
from course_domain.sql.schema import certificates, courses, registrations


class _Array(sa.TypeDecorator[list[Any]]):
    """Write ids, instants and statuses, in whose texts nothing has to be quoted, as an array.

    The driver would look for that in each of them.
    """

    impl: Any = ARRAY
    cache_ok: bool | None = True

    def bind_processor(self, dialect: sa.Dialect) -> Any:  # noqa: ARG002  the signature is SQLAlchemy's
        """Write the array that PostgreSQL reads."""
        return _array_text


def _array_text(elements: Iterable[Any]) -> str:
    return f"{{{','.join(['NULL' if each is None else str(each) for each in elements])}}}"


def _array(column: sa.Column[Any], parameter: str) -> sa.BindParameter[Any]:
    return sa.bindparam(parameter, type_=_Array(column.type))


_USERS = (
    sa.func.unnest(_array(registrations.c.user_id, "of_users"))
    .table_valued(sa.column("user_id", registrations.c.user_id.type))
    .render_derived(name="asking")
)


def _own(columns: Columns, table: sa.Table, person: sa.Column[Any]) -> Any:
    """Look one person's row up by its key; without the limit, a join would read them all."""
    found = sa.select(*columns).where(
        table.c.organization_id == courses.c.organization_id,
        table.c.course_id == courses.c.id,
        person == _USERS.c.user_id,
    )
    return found.limit(sa.literal_column("1")).lateral(f"own_{table.name}")


_REGISTRATION = _own(OWN_REGISTRATION_COLUMNS, registrations, registrations.c.user_id)
_CERTIFICATE = _own(OWN_CERTIFICATE_COLUMNS, certificates, certificates.c.peer_mentor_id)

_LOADED: tuple[sa.ColumnElement[Any], ...] = (
    courses.c.version,
    courses.c.confirmed_count,
    *COURSE_COLUMNS,
    *_REGISTRATION.c,
    *_CERTIFICATE.c,
    _USERS.c.user_id,
)

LOAD_CONVOY = (
    sa.select(*_LOADED)
    .select_from(
        courses.join(_USERS, sa.true())
        .outerjoin(_REGISTRATION, sa.true())
        .outerjoin(_CERTIFICATE, sa.true())
    )
    .where(statements.THIS_COURSE)
)
"""One row for each user who asks, all of one state, as `PARTICIPATION_COLUMNS` and the user."""

LOAD_ONE = statements.LOAD_PARTICIPATION.add_columns(statements.USER)
"""The same for one user: without a list to guess the length of, it is planned once and for all."""

_REGISTRATION_NAMES = tuple(each.name for each in REGISTRATION_COLUMNS)
_COUNTED = statements.COUNT_SEATS.returning(courses.c.version).cte("counted")
_IN_COMMON = {"organization_id": "of_organization", "course_id": "of_course"}
_OF_EACH = {
    f"new_{each.name}": each for each in REGISTRATION_COLUMNS if each.name not in _IN_COMMON
}
_NEW = (
    sa.func.unnest(*(_array(column, name) for name, column in _OF_EACH.items()))
    .table_valued(*(sa.column(column.name, column.type) for column in _OF_EACH.values()))
    .render_derived(name="new")
)


def _new(column: sa.Column[Any]) -> sa.ColumnElement[Any]:
    if column.name in _IN_COMMON:
        return sa.bindparam(_IN_COMMON[column.name], type_=column.type)
    return _NEW.c[column.name]


def _stored(new: sa.Select[Any]) -> sa.Insert:
    given = insert(registrations).from_select(_REGISTRATION_NAMES, new)
    others = [each.name for each in REGISTRATION_COLUMNS if not each.primary_key]
    return given.on_conflict_do_update(
        constraint=registrations.primary_key,
        set_={name: given.excluded[name] for name in others},
    )


STORE_CONVOY = _stored(
    sa.select(*map(_new, REGISTRATION_COLUMNS)).select_from(_NEW.join(_COUNTED, sa.true()))
)
"""Count the seats on condition of the version, and store the registrations if that was met."""

STORE_ONE = _stored(
    sa.select(
        *(sa.bindparam(f"new_{each.name}", type_=each.type) for each in REGISTRATION_COLUMNS)
    ).select_from(_COUNTED)
)
"""The same for one registration."""

_READERS = {name: attrgetter(column.name) for name, column in _OF_EACH.items()}


def together(registrations: Collection[Registration]) -> dict[str, Any]:
    """Write registrations as the parameters of `STORE_CONVOY`, column by column."""
    return {name: list(map(read, registrations)) for name, read in _READERS.items()}
