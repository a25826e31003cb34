"""How engines find what is asked of 100 000 courses: by which index, and without a sort."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import attrs
import pytest
import sqlalchemy as sa
from sqlalchemy.schema import CreateTable

from course_domain import COURSE_INDEXES, CourseStatus
from course_domain.keyset import UNDATED, cursor, microseconds
from course_domain.sql import SqlCourseRepository, create_schema, metadata
from course_domain.sql.driver import Compiled
from course_domain.sql.schema import courses
from engines import Databases, disposed
from listening import Asked, listening

# --- The rows, which each engine makes in its own words


def digits(number: int) -> UUID:
    """Give the id that begins with these digits, as `Words.id` writes it."""
    return UUID(int=number << 96)


LARGE = digits(0)  # an organization with a fifth of all courses
SMALLER = digits(2)  # one of 32 that share the others
HOT_COURSE = digits(5)  # a course of the large one, with 10 000 registrations
BUSY_USER = digits(1)  # who is registered on every course of it
MIDDLE = datetime(2023, 6, 1, tzinfo=UTC)  # of the instants, which lie in seven years


@attrs.frozen
class Words:
    """What the engines say differently; ``{0}`` is a number."""

    numbers: str
    id: str
    hour: str


WORDS = {
    "sqlite": Words(
        numbers=(
            "(WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted"
            " WHERE n < {0}) SELECT n FROM counted) AS numbers"
        ),
        id="printf('%08x%024x', {0}, 0)",
        hour="strftime('%Y-%m-%d %H:%M:00.000000', '2020-01-01', '+' || ({0}) || ' hours')",
    ),
    "postgresql": Words(
        numbers="generate_series(1, {0}) AS numbers(n)",
        id="CAST(rpad(lpad(to_hex({0}), 8, '0'), 32, '0') AS uuid)",
        hour="TIMESTAMPTZ '2020-01-01 00:00Z' + ({0}) * INTERVAL '1 hour'",
    ),
}


def fill(connection: sa.Connection) -> None:
    """Make 100 000 courses, and 30 000 registrations with their certificates and reminders."""
    words = WORDS[connection.dialect.name]
    numbers, write, hour = words.numbers.format, words.id.format, words.hour.format
    # A stride through the hours, so that the order of time is not that of the ids.
    some_hour = hour("n * 7919 % 60013")
    for statement in (
        f"""
        INSERT INTO courses (organization_id, id, title, course_type, status, start_date,
          is_virtual, issues_certificate, created_by, created_at, updated_at)
        SELECT {write("CASE WHEN n % 5 = 0 THEN 0 ELSE 1 + n % 40 END")}, {write("n")},
          'A course', 'workshop',
          CASE WHEN n % 31 = 0 THEN 'draft' WHEN n % 3 = 0 THEN 'archived' ELSE 'published' END,
          CASE WHEN n % 11 <> 0 THEN {some_hour} END,
          FALSE, n % 53 = 0, {write("0")}, {hour("0")}, {hour("0")}
        FROM {numbers(100_000)}""",
        f"""
        INSERT INTO registrations
          (organization_id, course_id, user_id, id, status, registered_at)
        SELECT {write("0")}, {write("5")}, {write("100000 + n")}, {write("200000 + n")},
          'confirmed', {some_hour}
        FROM {numbers(10_000)}""",
        f"""
        INSERT INTO registrations
          (organization_id, course_id, user_id, id, status, registered_at)
        SELECT organization_id, id, {write("1")}, id, 'confirmed', coalesce(start_date, created_at)
        FROM courses WHERE organization_id = {write("0")}""",
        f"""
        INSERT INTO certificates
          (organization_id, course_id, peer_mentor_id, id, issued_at, expires_at)
        SELECT organization_id, course_id, user_id, id, registered_at,
          CASE WHEN id BETWEEN {write("10000")} AND {write("209000")} THEN registered_at END
        FROM registrations""",
        f"""
        INSERT INTO renewal_reminders
          (organization_id, certificate_id, course_id, peer_mentor_id, remind_at, is_scheduled)
        SELECT organization_id, id, course_id, peer_mentor_id, expires_at, id > {write("20000")}
        FROM certificates WHERE expires_at IS NOT NULL""",
    ):
        connection.execute(sa.text(statement))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest) -> Iterator[sa.Engine]:
    """Give an engine with the rows; its indexes are made behind them, which is faster."""
    databases: Databases = request.getfixturevalue(f"{request.param}_databases")
    with disposed(databases.create()[0]) as engine:
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                connection.execute(CreateTable(table))
            fill(connection)
        create_schema(engine)
        with engine.begin() as connection:
            connection.exec_driver_sql("ANALYZE")
        yield engine


# --- What an engine says that it will do


@attrs.frozen
class Plan:
    """The indexes that a statement uses, whether it sorts, and whether it reads a whole table."""

    indexes: frozenset[str]
    sorts: bool = False
    reads_all: bool = False


def plans(engine: sa.Engine, call: Callable[[], object]) -> list[Plan]:
    """Give the plans of all statements of a call; on PostgreSQL those for any parameters, too."""
    with listening() as asked:
        call()
    return explained(engine, asked)


def explained(engine: sa.Engine, asked: Asked) -> list[Plan]:
    """Give the plans of statements."""
    explain = {"sqlite": _explained_by_sqlite, "postgresql": _explained_by_postgresql}
    with engine.connect() as connection:
        return [
            plan
            for statement, parameters in asked
            for plan in explain[engine.dialect.name](connection, statement, parameters)
        ]


def _explained_by_sqlite(connection: sa.Connection, statement: str, parameters: Any) -> list[Plan]:
    rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
    lines = [str(row.detail) for row in rows]
    return [
        Plan(
            frozenset(re.findall(r"INDEX (\w+)", "\n".join(lines))),
            sorts=any("TEMP B-TREE" in line for line in lines),
            reads_all=any(line.startswith("SCAN") for line in lines),
        )
    ]


def _explained_by_postgresql(
    connection: sa.Connection, statement: str, parameters: Any
) -> list[Plan]:
    """Explain it for its parameters, and as it is planned once it has been executed often."""
    names = list(parameters)
    numbered = re.sub(r"%\((\w+)\)s", lambda found: f"${1 + names.index(found[1])}", statement)
    found = (
        connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters),
        connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON, GENERIC_PLAN) {numbered}"),
    )
    return [_plan_of(json.dumps(each.scalar_one())) for each in found]


def _plan_of(explained: str) -> Plan:
    nodes = re.findall(r'"Node Type": "([\w ]+)"', explained)
    return Plan(
        frozenset(re.findall(r'"Index Name": "(\w+)"', explained)),
        sorts=any("Sort" in node for node in nodes),
        reads_all="Seq Scan" in nodes,
    )


# --- The five indexes of the domain owner


@pytest.mark.parametrize(
    ("index", "condition"),
    [
        ("idx_courses_organization_id", courses.c.organization_id == SMALLER),
        ("idx_courses_status", courses.c.status == "draft"),
        (
            "idx_courses_organization_status",
            sa.and_(courses.c.organization_id == SMALLER, courses.c.status == "draft"),
        ),
        (
            "idx_courses_start_date",
            courses.c.start_date.between(MIDDLE, MIDDLE + timedelta(days=7)),
        ),
        ("idx_courses_issues_certificate", courses.c.issues_certificate == sa.true()),
    ],
    ids=list(COURSE_INDEXES),
)
def test_query_on_the_columns_of_an_index_uses_it(
    engine: sa.Engine, index: str, condition: sa.ColumnElement[bool]
) -> None:
    """Who asks by the columns of one of the owner's indexes is answered by it."""
    asked = Compiled(sa.select(courses.c.title).where(condition), engine.dialect)
    plan, *_ = explained(engine, [(asked.text, asked.parameters({}))])

    assert Plan(frozenset({index})) == plan


# --- Pages

Ask = Callable[[SqlCourseRepository, str | None], object]

MIDDLE_ID = digits(50_000)
# Where a page begins: what a cursor says of the instant.
DATED = {"first": None, "behind": microseconds(MIDDLE)}
ALL = {**DATED, "undated": UNDATED}

LISTS: list[tuple[str, str, dict[str, int | None], Ask]] = [
    (
        "courses-of-a-status",
        "ix_courses_page",
        ALL,
        lambda all_, after: all_.courses(LARGE, statuses=[CourseStatus.PUBLISHED], after=after),
    ),
    (
        "courses-of-a-status-between",
        "ix_courses_page",
        DATED,
        lambda all_, after: all_.courses(
            LARGE,
            statuses=[CourseStatus.PUBLISHED],
            starts_from=MIDDLE - timedelta(days=300),
            starts_before=MIDDLE + timedelta(days=300),
            after=after,
        ),
    ),
    (
        "courses",
        "ix_courses_page_all",
        ALL,
        lambda all_, after: all_.courses(LARGE, after=after),
    ),
    (
        "courses-of-statuses",
        "ix_courses_page_all",
        ALL,
        lambda all_, after: all_.courses(LARGE, statuses=CourseStatus, after=after),
    ),
    (
        "registrations",
        "ix_registrations_page",
        DATED,
        lambda all_, after: all_.registrations(LARGE, after=after),
    ),
    (
        "registrations-on-a-course",
        "ix_registrations_page_course",
        DATED,
        lambda all_, after: all_.registrations(LARGE, course_id=HOT_COURSE, after=after),
    ),
    (
        "registrations-of-a-person",
        "ix_registrations_page_user",
        DATED,
        lambda all_, after: all_.registrations(LARGE, user_id=BUSY_USER, after=after),
    ),
    (
        "certificates",
        "ix_certificates_page",
        ALL,
        lambda all_, after: all_.certificates(LARGE, after=after),
    ),
    (
        "certificates-that-expire",
        "ix_certificates_page",
        DATED,
        lambda all_, after: all_.certificates(
            LARGE, expires_before=MIDDLE + timedelta(days=300), after=after
        ),
    ),
    (
        "certificates-of-a-course",
        "ix_certificates_page_course",
        ALL,
        lambda all_, after: all_.certificates(LARGE, course_id=HOT_COURSE, after=after),
    ),
    (
        "certificates-of-a-person",
        "ix_certificates_page_user",
        ALL,
        lambda all_, after: all_.certificates(LARGE, user_id=BUSY_USER, after=after),
    ),
    (
        "reminders",
        "ix_renewal_reminders_pending",
        DATED,
        lambda all_, after: all_.pending_reminders(after=after),
    ),
]


def pages() -> list[Any]:
    """Give each list with each place that its pages begin at."""
    return [
        pytest.param(name, index, place, ask, id=f"{name}-{where}")
        for name, index, places, ask in LISTS
        for where, place in places.items()
    ]


@pytest.mark.parametrize(("name", "index", "place", "ask"), pages())
def test_page_is_read_in_the_order_of_its_index(
    engine: sa.Engine, name: str, index: str, place: int | None, ask: Ask
) -> None:
    """Wherever a page begins, it is the next rows of an index: nothing is sorted or counted off."""
    listing, *_ = name.split("-")
    ids = (LARGE, MIDDLE_ID) if listing == "reminders" else (MIDDLE_ID,)
    after = None if place is None else cursor(listing, (place, *(each.int for each in ids)))
    found = plans(engine, lambda: ask(SqlCourseRepository(engine), after))

    assert {Plan(frozenset({index}))} == set(found)


# --- What is known by its keys


def test_what_is_known_by_its_keys_is_found_by_them(engine: sa.Engine) -> None:
    """No table is read as a whole for a course, nor for an offer."""
    repository = SqlCourseRepository(engine)
    fifty = [digits(5 * number) for number in range(1, 51)]
    found = [
        *plans(engine, lambda: repository.get(LARGE, HOT_COURSE)),
        *plans(engine, lambda: repository.participations(LARGE, fifty, BUSY_USER)),
        *plans(engine, lambda: repository.participations(LARGE, [HOT_COURSE], BUSY_USER)),
    ]

    assert [] == [plan for plan in found if plan.reads_all or plan.sorts]
