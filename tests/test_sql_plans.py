"""How engines find what is asked of 100 000 courses: by which index, and without sorting."""

import json
import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.schema import CreateTable

from builders import NOW
from course_domain import CourseStatus, Page
from course_domain.ports import CourseRepository
from course_domain.sql import SqlCourseRepository, create_schema, metadata
from engines import Databases, disposed

COURSES = 100_000
LARGE = UUID(int=0)  # an organization with a fifth of all courses; 40 others share the rest
HOT_COURSE = UUID(int=5 << 96)  # one of its courses, with 10 000 registrations
BUSY_USER = UUID(int=1)  # who is registered on every course of it

Query = Callable[[CourseRepository, str | None], Page[Any]]


# --- The rows, made by each engine in its own words


@attrs.frozen
class Words:
    """What the two engines say differently; ``{0}`` is a number."""

    numbers: str
    id: str
    hour: str

    def identifier(self, number: str) -> str:
        """Write an id whose first digits are this number."""
        return self.id.format(number)

    def instant(self, hours: str) -> str:
        """Write the instant so many hours after the beginning of 2020."""
        return self.hour.format(hours)


WORDS = {
    "sqlite": Words(
        numbers=(
            "(WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted"
            " WHERE n < {0}) SELECT n FROM counted) AS numbers"
        ),
        id="printf('%08x%024x', {0}, 0)",
        hour="strftime('%Y-%m-%d %H:%M:%S.000000', '2020-01-01', '+' || ({0}) || ' hours')",
    ),
    "postgresql": Words(
        numbers="generate_series(1, {0}) AS numbers(n)",
        id="CAST(rpad(lpad(to_hex({0}), 8, '0'), 32, '0') AS uuid)",
        hour="TIMESTAMPTZ '2020-01-01 00:00Z' + ({0}) * INTERVAL '1 hour'",
    ),
}


def fill(connection: sa.Connection) -> None:
    """Make courses, registrations, certificates and reminders."""
    words = WORDS[connection.dialect.name]
    # A step of a prime through the hours, so that no order of rows is the order of their ids.
    some_hour = words.instant("n * 7919 % 60013")
    rows = [
        f"""
        INSERT INTO courses
          (organization_id, id, title, course_type, status, start_date, is_virtual,
           issues_certificate, created_by, created_at, updated_at)
        SELECT {words.identifier("CASE WHEN n % 5 = 0 THEN 0 ELSE 1 + n % 40 END")},
          {words.identifier("n")}, 'A course', 'workshop',
          CASE WHEN n % 31 = 0 THEN 'draft' WHEN n % 3 = 0 THEN 'archived' ELSE 'published' END,
          CASE WHEN n % 11 <> 0 THEN {some_hour} END, FALSE,
          n % 53 = 0, {words.identifier("0")}, {words.instant("0")}, {words.instant("0")}
        FROM {words.numbers.format(COURSES)}
        """,
    ]
    for table, user, instant, more in (
        ("registrations", "user_id", "registered_at", "status"),
        ("certificates", "peer_mentor_id", "expires_at", "issued_at"),
    ):
        pass
    for statement in rows:
        connection.execute(sa.text(statement.replace(":", r"\:")))
