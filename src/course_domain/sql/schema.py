"""The tables of the adapter, as SQLAlchemy metadata: a host's Alembic sees them there."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateIndex, CreateTable

from course_domain.course import COURSE_INDEXES, CourseStatus, CourseType
from course_domain.participation import RegistrationStatus
from course_domain.values import checked, record

# Names that Alembic finds again on every engine.
metadata: sa.MetaData = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)
"""All tables, indexes and constraints of the adapter."""

# A plain comparison by code points, in which 'a' is not 'a '; each spelling for its own dialect.
_MYSQL_OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (
        ("engine", "InnoDB"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_nopad_bin"),
    )
}


def _utc(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


class Instant(sa.TypeDecorator[datetime]):
    """Keep an aware instant to the microsecond, in UTC, on every engine."""

    impl: Any = sa.DateTime
    cache_ok: bool | None = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Give each engine a type that keeps microseconds."""
        if dialect.name == "postgresql":
            return dialect.type_descriptor(sa.DateTime(timezone=True))
        if dialect.name in {"mysql", "mariadb"}:
            return dialect.type_descriptor(mysql.DATETIME(fsp=6))
        return dialect.type_descriptor(sa.DateTime())

    def bind_processor(self, dialect: sa.Dialect) -> Any:
        """Write; what PostgreSQL's driver is given, it writes as it is."""
        return None if dialect.name == "postgresql" else super().bind_processor(dialect)

    def result_processor(self, dialect: sa.Dialect, coltype: object) -> Any:
        """Read; what PostgreSQL's driver gives is right, and SQLite keeps text."""
        if dialect.name == "sqlite":
            return _utc
        return None if dialect.name == "postgresql" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Write UTC; without its zone where the engine would drop that anyway."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Read UTC."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.replace(tzinfo=UTC)


def _id(name: str, **options: Any) -> sa.Column[UUID]:
    # Native only where the engine orders a UUID as its text: MariaDB does not.
    kind = sa.Uuid(native_uuid=False).with_variant(sa.Uuid(native_uuid=True), "postgresql")
    return sa.Column(name, kind, nullable=False, **options)


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    kind = sa.Text().with_variant(mysql.LONGTEXT(), "mysql", "mariadb")
    return sa.Column(name, kind, nullable=nullable)


def _name(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(20), nullable=False)


def _instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, Instant(), nullable=nullable)


def _one_of(
    column: str, names: type[CourseType | CourseStatus | RegistrationStatus]
) -> sa.CheckConstraint:
    listed = ", ".join(f"'{each.value}'" for each in names)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=column)


courses: sa.Table = sa.Table(
    "courses",
    metadata,
    _id("organization_id", primary_key=True),
    _id("id", primary_key=True),
    _text("title"),
    _text("description", nullable=True),
    _name("course_type"),
    _name("status"),
    _instant("start_date", nullable=True),
    _instant("end_date", nullable=True),
    _text("location", nullable=True),
    sa.Column("is_virtual", sa.Boolean(), nullable=False),
    sa.Column("max_participants", sa.Integer()),
    sa.Column("issues_certificate", sa.Boolean(), nullable=False),
    sa.Column("certificate_validity_months", sa.Integer()),
    _instant("registration_deadline", nullable=True),
    _id("created_by"),
    _instant("created_at"),
    _instant("updated_at"),
    # The confirmed registrations, and a number that every change of the course or of a
    # registration raises: both in one row, so that no two writers can pass each other.
    sa.Column("confirmed_count", sa.Integer(), nullable=False, server_default="0"),
    sa.Column("version", sa.BigInteger(), nullable=False, server_default="0"),
    sa.CheckConstraint("end_date > start_date", name="end_date_after_start_date"),
    sa.CheckConstraint(
        "registration_deadline < start_date", name="registration_deadline_before_start"
    ),
    sa.CheckConstraint("trim(title) <> ''", name="title_not_empty"),
    sa.CheckConstraint("max_participants >= 1", name="max_participants_positive"),
    sa.CheckConstraint("certificate_validity_months >= 1", name="certificate_validity_positive"),
    sa.CheckConstraint("confirmed_count >= 0", name="confirmed_count"),
    _one_of("course_type", CourseType),
    _one_of("status", CourseStatus),
    *(sa.Index(name, *columns) for name, columns in COURSE_INDEXES.items()),
    # Pages by key: of one status, as most people ask, and of all, as admins do.
    sa.Index("ix_courses_page", "organization_id", "status", "start_date", "id"),
    sa.Index("ix_courses_page_all", "organization_id", "start_date", "id"),
    **_MYSQL_OPTIONS,
)
"""The seventeen columns of a course by their names, its confirmed count and its version."""


def _of_a_course() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["organization_id", "course_id"], ["courses.organization_id", "courses.id"]
    )


registrations: sa.Table = sa.Table(
    "registrations",
    metadata,
    _id("organization_id", primary_key=True),
    _id("course_id", primary_key=True),
    _id("user_id", primary_key=True),
    _id("id"),
    _name("status"),
    _instant("registered_at"),
    _instant("cancelled_at", nullable=True),
    _instant("completed_at", nullable=True),
    _one_of("status", RegistrationStatus),
    _of_a_course(),
    sa.Index("ix_registrations_page", "organization_id", "registered_at", "id"),
    sa.Index("ix_registrations_page_course", "organization_id", "course_id", "registered_at", "id"),
    sa.Index("ix_registrations_page_user", "organization_id", "user_id", "registered_at", "id"),
    **_MYSQL_OPTIONS,
)
"""One registration for a course and a user: its primary key."""

certificates: sa.Table = sa.Table(
    "certificates",
    metadata,
    _id("organization_id", primary_key=True),
    _id("course_id", primary_key=True),
    _id("peer_mentor_id", primary_key=True),
    _id("id"),
    _instant("issued_at"),
    _instant("expires_at", nullable=True),
    _of_a_course(),
    sa.Index("ix_certificates_page", "organization_id", "expires_at", "id"),
    sa.Index("ix_certificates_page_course", "organization_id", "course_id", "expires_at", "id"),
    sa.Index("ix_certificates_page_user", "organization_id", "peer_mentor_id", "expires_at", "id"),
    **_MYSQL_OPTIONS,
)
"""One certificate for a course and a peer mentor; never updated."""

reminders: sa.Table = sa.Table(
    "renewal_reminders",
    metadata,
    _id("organization_id", primary_key=True),
    _id("certificate_id", primary_key=True),
    _id("course_id"),
    _id("peer_mentor_id"),
    _instant("remind_at"),
    sa.Column("is_scheduled", sa.Boolean(), nullable=False),
    _of_a_course(),
    sa.Index(
        "ix_renewal_reminders_pending",
        "is_scheduled",
        "remind_at",
        "organization_id",
        "certificate_id",
    ),
    **_MYSQL_OPTIONS,
)
"""The outbox; a reminder that was scheduled keeps its row, so that it never enters twice."""


# What two that create at the same moment wait for on PostgreSQL: a number of the adapter's own.
_POSTGRESQL_LOCK = 0x636F757273657300


def create_schema(engine: sa.Engine) -> None:
    """Create what is missing of the tables and indexes; safe to run again, and by several at once.

    For a host without migrations of its own. What is there stays as it is. Raises `InvalidValue`
    for what is no engine, and what SQLAlchemy raises when the database cannot be reached or
    refuses.
    """
    (engine,) = checked(engine=(record(sa.Engine), engine))
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            # IF NOT EXISTS looks, and then creates: there two can look before either creates.
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRESQL_LOCK)))
        for table in metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in sorted(table.indexes, key=_widest_first):
                connection.execute(CreateIndex(index, if_not_exists=True))


def _widest_first(index: sa.Index) -> tuple[int, str]:
    # Of two indexes that would cost the same, PostgreSQL takes the one that was made last.
    return -len(index.columns), str(index.name)
