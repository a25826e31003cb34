"""A large database, filled by the driver in bulk: the same rows on every engine.

Of `size` courses, a tenth belongs to one organization, and the others to organizations of a
hundred each. Three courses more, of an organization of their own, have no confirmed registration,
a hundredth of `size`, and a tenth. There are `size` registrations, and of the reminders of `size`
certificates all but a tenth have been scheduled.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any
from uuid import UUID

import attrs
import sqlalchemy as sa

from course_domain import Actor, Role
from course_domain.sql import create_schema, metadata

COURSES_OF_A_SMALL_ORGANIZATION = 100

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_STATUSES = ("published",) * 8 + ("draft", "archived")

Row = tuple[str | int | None, ...]


def _id(kind: str, number: int) -> str:
    return md5(f"{kind} {number}".encode()).hexdigest()


def _status(course: int) -> str:
    return _STATUSES[course * 31 % 97 % len(_STATUSES)]


def _is_published(course: int) -> bool:
    return _status(course) == _STATUSES[0]


def _instant(minutes: int) -> str:
    return f"{_BEGIN + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S.%f}"


@attrs.frozen
class Filled:
    """Say what is where in a database of this size."""

    size: int

    @property
    def small_organizations(self) -> int:
        """How many organizations have a hundred courses."""
        return (self.size - self.size // 10) // COURSES_OF_A_SMALL_ORGANIZATION

    @property
    def confirmed(self) -> tuple[int, int, int]:
        """How many seats of the three busy courses are taken."""
        return 0, self.size // 100, self.size // 10

    def large(self, role: Role = Role.ADMIN) -> Actor:
        """Give somebody of the organization that has a tenth of all courses."""
        return self._somebody(0, role)

    def small(self, number: int, role: Role = Role.ADMIN) -> Actor:
        """Give somebody of an organization that has a hundred, and for each number another."""
        return self._somebody(1 + number % self.small_organizations, role)

    def published(self, number: int) -> list[UUID]:
        """Give the published courses of that organization."""
        count = COURSES_OF_A_SMALL_ORGANIZATION
        first = self.size // 10 + number % self.small_organizations * count
        return [
            UUID(_id("course", each)) for each in range(first, first + count) if _is_published(each)
        ]

    def busy(self, which: int) -> tuple[Actor, UUID]:
        """Give an admin of the busy organization, and one of its three courses."""
        return self._somebody(-1, Role.ADMIN), UUID(_id("course", self.size + which))

    def _somebody(self, organization: int, role: Role) -> Actor:
        return Actor(
            user_id=UUID(_id("user", -1)),
            organization_id=UUID(_id("organization", organization)),
            role=role,
        )

    def _organization(self, course: int) -> int:
        if course >= self.size:
            return -1
        large = self.size // 10
        return max(0, course - large) // COURSES_OF_A_SMALL_ORGANIZATION + (course >= large)

    def courses(self) -> Iterator[Row]:
        """Give the rows of all courses, in the order of their columns."""
        spread = self.size - sum(self.confirmed)  # the courses that have one registration each
        for number in range(self.size + 3):
            minutes = number * 7919 % 1_500_000
            start = None if number % 20 == 0 else _instant(minutes)
            busy = number - self.size
            yield (
                _id("organization", self._organization(number)),
                _id("course", number),
                f"Opplæringskurs for likepersoner, nummer {number}",
                "Hva en likeperson gjør, og hva en likeperson ikke gjør.",
                ("certification", "onboarding", "workshop")[number % 3],
                _STATUSES[0] if busy >= 0 else _status(number),
                start,
                start and _instant(minutes + 240),
                "Storgata 1, Oslo",
                0,
                None,
                number % 3 == 0,
                24 if number % 3 == 0 else None,
                None,
                _id("user", -1),
                _instant(0),
                _instant(0),
                self.confirmed[busy] if busy >= 0 else int(number < spread),
                0,
            )

    def registrations(self) -> Iterator[Row]:
        """Give the rows of all registrations."""
        _, some, many = self.confirmed
        busy = [self.size + 1] * some + [self.size + 2] * many
        for number, course in enumerate([*busy, *range(self.size - len(busy))]):
            yield (
                _id("organization", self._organization(course)),
                _id("course", course),
                _id("user", number),
                _id("registration", number),
                "confirmed",
                _instant(number * 7919 % 500_000),
                None,
                None,
            )

    def reminders(self) -> Iterator[Row]:
        """Give the rows of the outbox."""
        for number in range(self.size):
            yield (
                _id("organization", self._organization(number)),
                _id("certificate", number),
                _id("course", number),
                _id("user", number),
                _instant(number * 7919 % 1_500_000),
                number % 10 != 0,
            )


def fill(engine: sa.Engine, size: int) -> Filled:
    """Create the schema and fill it; the indexes come last, as in any bulk load."""
    create_schema(engine)
    filled = Filled(size)
    tables = {
        "courses": filled.courses(),
        "registrations": filled.registrations(),
        "renewal_reminders": filled.reminders(),
    }
    for name, rows in tables.items():
        table = metadata.tables[name]
        for index in table.indexes:
            index.drop(engine)
        _load(engine, table, rows)
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            index.create(engine)
    if engine.dialect.name == "postgresql":  # as it does by itself after a while
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM ANALYZE")
    return filled


def _load(engine: sa.Engine, table: sa.Table, rows: Iterable[Row]) -> None:
    columns: Sequence[str] = [column.name for column in table.columns]
    pooled = engine.raw_connection()
    connection: Any = pooled.driver_connection
    cursor: Any = connection.cursor()
    if engine.dialect.name == "postgresql":
        cursor.execute("SET timezone = 'UTC'")
        cursor.execute("SET session_replication_role = replica")  # foreign keys are not looked up
        with cursor.copy(f"COPY {table.name} ({', '.join(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        cursor.execute("PRAGMA foreign_keys = OFF")
        marks = ", ".join("?" * len(columns))
        cursor.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)
    connection.commit()
    pooled.invalidate()
