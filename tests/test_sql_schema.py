"""The tables on real engines: names, rules that a database holds, and what it keeps of a value."""

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import alembic.command
import attrs
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateTable

from builders import (
    COURSE_ID,
    FIRST,
    LAST,
    LAST_COMPUTED,
    NOW,
    START,
    TICK,
    certificate,
    course,
    course_fields,
    registration,
    reminder,
)
from course_domain import COURSE_INDEXES, Participation
from course_domain.sql import SqlCourseRepository, create_schema, metadata
from course_domain.sql.rows import new
from course_domain.sql.schema import certificates, courses, registrations, reminders
from engines import Databases, disposed

STORAGE_PAGE = Path(__file__).parents[1] / "docs" / "storage.md"

SEVENTEEN = [
    "id",
    "organization_id",
    "title",
    "description",
    "course_type",
    "status",
    "start_date",
    "end_date",
    "location",
    "is_virtual",
    "max_participants",
    "issues_certificate",
    "certificate_validity_months",
    "registration_deadline",
    "created_by",
    "created_at",
    "updated_at",
]
PAGE_INDEXES = {
    "ix_courses_page": ("organization_id", "status", "start_date", "id"),
    "ix_courses_page_all": ("organization_id", "start_date", "id"),
    "ix_registrations_page": ("organization_id", "registered_at", "id"),
    "ix_registrations_page_course": ("organization_id", "course_id", "registered_at", "id"),
    "ix_registrations_page_user": ("organization_id", "user_id", "registered_at", "id"),
    "ix_certificates_page": ("organization_id", "expires_at", "id"),
    "ix_certificates_page_course": ("organization_id", "course_id", "expires_at", "id"),
    "ix_certificates_page_user": ("organization_id", "peer_mentor_id", "expires_at", "id"),
    "ix_renewal_reminders_pending": (
        "is_scheduled",
        "remind_at",
        "organization_id",
        "certificate_id",
    ),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "galera"])
def databases(request: pytest.FixtureRequest) -> Databases:
    """Give databases of each engine in turn."""
    found: Databases = request.getfixturevalue(f"{request.param}_databases")
    return found


@pytest.fixture(scope="module")
def engine(databases: Databases) -> Iterator[sa.Engine]:
    """Give a database with the tables; a test works in an organization of its own."""
    with databases.lent() as urls, disposed(urls[0]) as engine:
        yield engine


@pytest.fixture
def repository(engine: sa.Engine) -> SqlCourseRepository:
    """Give the adapter over that database, which sets its connections up."""
    return SqlCourseRepository(engine)


@pytest.fixture
def empty(databases: Databases) -> Iterator[sa.Engine]:
    """Give a database without any tables."""
    with disposed(databases.create()[0]) as engine:
        yield engine


@pytest.fixture
def ours() -> UUID:
    """Give an organization that nobody else has."""
    return uuid4()


def columns_of(record: Any) -> dict[str, Any]:
    """Give a record as the adapter writes it, by the names of its columns."""
    return {name.removeprefix("new_"): value for name, value in new(record).items()}


def insert(engine: sa.Engine, table: sa.Table, **fields: object) -> None:
    """Insert a row as somebody does who knows nothing of the library."""
    with engine.begin() as connection:
        connection.execute(sa.insert(table).values(**fields))


def indexes_of(engine: sa.Engine) -> dict[str | None, tuple[str | None, ...]]:
    """Give the indexes of all tables of the adapter."""
    found = sa.inspect(engine).get_multi_indexes(filter_names=list(metadata.tables))
    return {
        index["name"]: tuple(index["column_names"]) for table in found.values() for index in table
    }


# --- Names


def test_courses_have_the_seventeen_columns(engine: sa.Engine) -> None:
    """The table has the columns of a course by their names, and two of the adapter's own."""
    columns = [column["name"] for column in sa.inspect(engine).get_columns("courses")]

    assert sorted([*SEVENTEEN, "confirmed_count", "version"]) == sorted(columns)


@pytest.mark.parametrize(("name", "columns"), COURSE_INDEXES.items(), ids=list(COURSE_INDEXES))
def test_courses_have_the_index_of_the_owner(
    engine: sa.Engine, name: str, columns: tuple[str, ...]
) -> None:
    """Each of the five indexes of the domain owner is there by its name, on its columns."""
    assert columns == indexes_of(engine)[name]


@pytest.mark.parametrize(("name", "columns"), PAGE_INDEXES.items(), ids=list(PAGE_INDEXES))
def test_lists_have_an_index_in_the_order_of_their_pages(
    engine: sa.Engine, name: str, columns: tuple[str, ...]
) -> None:
    """Each list that is read in pages has an index for the order that it is in."""
    assert columns == indexes_of(engine)[name]


def test_courses_have_no_further_index(engine: sa.Engine) -> None:
    """What every change of a course has to keep up is five indexes, and two for pages."""
    found = {index["name"] for index in sa.inspect(engine).get_indexes("courses")}

    assert {*COURSE_INDEXES, "ix_courses_page", "ix_courses_page_all"} == found


# --- Rules that a database can hold


@pytest.mark.parametrize(
    ("constraint", "fields"),
    [
        ("end_date_after_start_date", {"end_date": START}),
        ("end_date_after_start_date", {"end_date": START - TICK}),
        ("registration_deadline_before_start", {"registration_deadline": START}),
        ("registration_deadline_before_start", {"registration_deadline": START + TICK}),
        ("title_not_empty", {"title": ""}),
        ("title_not_empty", {"title": "  "}),
        ("max_participants_positive", {"max_participants": 0}),
        ("max_participants_positive", {"max_participants": -1}),
        ("certificate_validity_positive", {"certificate_validity_months": 0}),
        ("confirmed_count", {"confirmed_count": -1}),
        ("course_type", {"course_type": "lecture"}),
        ("status", {"status": "cancelled"}),
    ],
    ids=str,
)
def test_database_refuses_what_breaks_a_rule(
    engine: sa.Engine, ours: UUID, constraint: str, fields: dict[str, object]
) -> None:
    """A row that breaks a rule is refused by the constraint of its name, whoever writes it."""
    with pytest.raises(DBAPIError, match=f"ck_courses_{constraint}"):
        insert(engine, courses, **course_fields(organization_id=ours, **fields))


@pytest.mark.parametrize(
    "fields",
    [
        {"end_date": START + TICK, "registration_deadline": START - TICK},
        {"start_date": None},
        {"end_date": None, "registration_deadline": None},
        {"max_participants": 1, "certificate_validity_months": 1},
        {"max_participants": None, "certificate_validity_months": None},
        {"max_participants": 1, "confirmed_count": 2},
        {"title": "\u00a0x"},
    ],
    ids=["a-microsecond", "undated", "start-only", "ones", "nulls", "cap-lowered", "title"],
)
def test_database_takes_what_keeps_the_rules(
    engine: sa.Engine, ours: UUID, fields: dict[str, object]
) -> None:
    """Nothing that a course may be is refused, nor a cap below the confirmed count."""
    insert(engine, courses, **course_fields(organization_id=ours, **fields))


def test_database_refuses_a_status_of_registration_that_there_is_not(
    engine: sa.Engine, ours: UUID
) -> None:
    """A registration is confirmed or cancelled."""
    insert(engine, courses, **course_fields(organization_id=ours))
    row = {**columns_of(registration(organization_id=ours)), "status": "waiting"}

    with pytest.raises(DBAPIError, match="ck_registrations_status"):
        insert(engine, registrations, **row)


@pytest.mark.parametrize(
    ("table", "record"),
    [
        (registrations, registration()),
        (certificates, certificate()),
        (reminders, reminder()),
    ],
    ids=["registration", "certificate", "reminder"],
)
def test_what_hangs_on_a_course_needs_it(
    repository: SqlCourseRepository, engine: sa.Engine, ours: UUID, table: sa.Table, record: Any
) -> None:
    """A record of a course that this organization does not have is refused by a foreign key."""
    repository.add(course(organization_id=uuid4()))
    row = {**columns_of(attrs.evolve(record, organization_id=ours))}
    if table is reminders:
        row["is_scheduled"] = False

    with pytest.raises(DBAPIError, match=r"(?i)foreign key"):
        insert(engine, table, **row)


@pytest.mark.parametrize(
    ("table", "record"),
    [(registrations, registration()), (certificates, certificate())],
    ids=["registration", "certificate"],
)
def test_a_person_has_one_of_each_on_a_course(
    repository: SqlCourseRepository, engine: sa.Engine, ours: UUID, table: sa.Table, record: Any
) -> None:
    """A second registration or certificate of a person on a course is refused, whatever its id."""
    repository.add(course(organization_id=ours))
    row = columns_of(attrs.evolve(record, organization_id=ours))
    insert(engine, table, **row)

    with pytest.raises(DBAPIError, match=r"(?i)unique|duplicate"):
        insert(engine, table, **{**row, "id": uuid4()})


# --- Created once


def test_schema_is_created_twice(engine: sa.Engine, ours: UUID) -> None:
    """Creating it again leaves what is there as it is."""
    repository = SqlCourseRepository(engine)
    repository.add(course(organization_id=ours))
    create_schema(engine)

    assert course(organization_id=ours) == repository.get(ours, COURSE_ID)


def test_missing_index_is_created(empty: sa.Engine) -> None:
    """A schema that somebody created in part, or dropped an index of, is made whole."""
    create_schema(empty)
    whole = indexes_of(empty)
    with empty.begin() as connection:
        next(index for index in courses.indexes if index.name == "idx_courses_status").drop(
            connection
        )
        reminders.drop(connection)
    create_schema(empty)

    assert whole == indexes_of(empty)


def test_schema_is_created_by_several_at_once(databases: Databases) -> None:
    """The workers of a service that all create it when they start meet no error."""
    (url, *_) = databases.create()
    together = Barrier(4)

    def create(_: int) -> set[str | None]:
        with disposed(url) as worker:
            together.wait(10)
            create_schema(worker)
            return set(indexes_of(worker))

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(create, range(4)))

    assert [] == [each for each in found if not {*COURSE_INDEXES, *PAGE_INDEXES} <= each]


# --- What a value is afterwards


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a ",
        "A",
        "á",
        "a\u0301",
        " a\t\r\n",
        "Læring på nordsámegiella: čđŋŧž",
        "支援者、研修 🫂👩‍👩‍👧",
        "عربى עברית हिन्दी",
        "'; DROP TABLE courses; -- \\ % %s :id \u2028\ufeff\U0010ffff",
        "0" * 70_000,
        "🫂" * 70_000,
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_text_comes_back_as_it_was(repository: SqlCourseRepository, ours: UUID, text: str) -> None:
    """Any text of any length is the same afterwards, code point by code point."""
    kept = course(organization_id=ours, title=text, description=text, location=text)
    repository.add(kept)

    assert kept == repository.get(ours, COURSE_ID)


LOOK_ALIKE = ["a", "a ", "A", "á", "a\u0301", "\uff41"]


@pytest.mark.parametrize("title", LOOK_ALIKE, ids=ascii)
def test_text_is_compared_by_code_points(engine: sa.Engine, ours: UUID, title: str) -> None:
    """A host that looks for a title finds that one, not one that looks like it."""
    repository = SqlCourseRepository(engine)
    for each in LOOK_ALIKE:
        repository.add(course(organization_id=ours, id=uuid4(), title=each))
    alike = sa.select(courses.c.title).where(
        courses.c.organization_id == ours, courses.c.title == title
    )
    with engine.connect() as connection:
        assert [title] == list(connection.scalars(alike))


INSTANTS = [
    FIRST,
    FIRST + TICK,
    datetime.fromisoformat("1969-12-31T23:59:59.999999+00:00"),
    datetime.fromisoformat("1970-01-01T00:00:00+00:00"),
    datetime.fromisoformat("2026-10-25T00:30:00+00:00"),
    datetime.fromisoformat("2026-10-25T01:30:00+00:00"),
    datetime.fromisoformat("2038-01-19T03:14:08.100000+00:00"),
    LAST - TICK,
    LAST,
]


@pytest.mark.parametrize("instant", INSTANTS, ids=str)
def test_instant_comes_back_to_the_microsecond(
    repository: SqlCourseRepository, ours: UUID, instant: datetime
) -> None:
    """Any instant is the same afterwards, and in UTC."""
    kept = course(
        organization_id=ours, start_date=None, registration_deadline=instant, created_at=instant
    )
    repository.add(kept)
    found = repository.get(ours, COURSE_ID)

    assert kept == found
    assert found is not None
    assert timedelta(0) == found.created_at.utcoffset()


def test_expiry_of_the_longest_validity_comes_back(
    repository: SqlCourseRepository, ours: UUID
) -> None:
    """An instant that was computed may lie a century behind all others."""
    repository.add(course(organization_id=ours))
    issued = certificate(organization_id=ours, expires_at=LAST_COMPUTED)

    def completed(seen: Participation) -> Participation:
        return attrs.evolve(
            seen,
            certificate=issued,
            reminder=reminder(organization_id=ours, remind_at=LAST_COMPUTED),
        )

    repository.change_participation(ours, COURSE_ID, issued.peer_mentor_id, completed)

    assert (issued,) == repository.certificates(ours).items
    assert LAST_COMPUTED in [each.remind_at for each in repository.pending_reminders().items]


def test_instants_are_in_order_of_time(repository: SqlCourseRepository, ours: UUID) -> None:
    """The order that an engine gives rows in is that of their instants, whatever the year."""
    for instant in reversed(INSTANTS):
        dated = {"start_date": instant, "end_date": None, "registration_deadline": None}
        repository.add(course(organization_id=ours, id=uuid4(), **dated))

    assert INSTANTS == [each.start_date for each in repository.courses(ours).items]


@pytest.mark.parametrize("hours", [-11, 14])
def test_instant_of_another_zone_is_kept_as_that_instant(
    engine: sa.Engine, ours: UUID, hours: int
) -> None:
    """A host that writes through the tables may give an instant in any zone."""
    there = NOW.astimezone(timezone(timedelta(hours=hours)))
    insert(engine, courses, **course_fields(organization_id=ours, created_at=there))
    query = sa.select(courses.c.created_at).where(courses.c.organization_id == ours)
    with engine.connect() as connection:
        assert NOW == connection.scalar(query)


@pytest.mark.parametrize("zone", ["Europe/Amsterdam", "Africa/Monrovia", "Pacific/Apia"])
def test_time_zone_of_a_session_does_not_matter(
    postgresql_databases: Databases, ours: UUID, zone: str
) -> None:
    """PostgreSQL shows instants in the zone of its session, with offsets in seconds long ago."""
    with postgresql_databases.lent() as urls:
        url = sa.make_url(urls[0])
        options = f"{url.query['options']} -ctimezone={zone}"
        there = url.update_query_dict({"options": options}).render_as_string(hide_password=False)
        with disposed(there) as engine:
            repository = SqlCourseRepository(engine)
            kept = course(organization_id=ours, created_at=FIRST, updated_at=LAST)
            repository.add(kept)

            assert kept == repository.get(ours, COURSE_ID)
            assert kept == repository.courses(ours).items[0]


def test_ids_are_in_order_of_their_digits(engine: sa.Engine, ours: UUID) -> None:
    """ORDER BY id is the order of the text of an id, which MariaDB's own type does not give."""
    ids = [UUID(int=digit << shift) for digit in (1, 9, 10, 15) for shift in range(0, 128, 20)]
    with engine.begin() as connection:
        rows = [course_fields(organization_id=ours, id=each) for each in reversed(ids)]
        connection.execute(sa.insert(courses), rows)
        query = sa.select(courses.c.id).where(courses.c.organization_id == ours)
        found = list(connection.scalars(query.order_by(courses.c.id)))

    assert sorted(ids, key=str) == found


# --- MariaDB


@pytest.mark.parametrize("scheme", ["mysql+pymysql", "mariadb+pymysql"])
@pytest.mark.parametrize("table", metadata.tables.values(), ids=str)
def test_mariadb_is_told_how_to_keep_text(scheme: str, table: sa.Table) -> None:
    """Under either spelling of its URL, each table names its engine, its script and its order."""
    dialect = sa.create_engine(f"{scheme}://").dialect
    written = str(CreateTable(table).compile(dialect=dialect))

    assert "ENGINE=InnoDB" in written
    assert "CHARSET=utf8mb4" in written
    assert "COLLATE utf8mb4_nopad_bin" in written


@pytest.mark.parametrize("scheme", ["mysql+pymysql", "mariadb+pymysql"])
def test_mariadb_keeps_text_as_it_was_told(galera_databases: Databases, scheme: str) -> None:
    """Each text column compares by code points and without padding, whatever the database does."""
    url = sa.make_url(galera_databases.create()[0]).set(drivername=scheme)
    query = (
        "SELECT DISTINCT collation_name FROM information_schema.columns"
        " WHERE table_schema = DATABASE() AND collation_name IS NOT NULL"
    )
    with disposed(str(url)) as engine:
        with engine.begin() as connection:
            connection.exec_driver_sql("ALTER DATABASE CHARACTER SET latin1")
        create_schema(engine)
        with engine.connect() as connection:
            assert ["utf8mb4_nopad_bin"] == list(connection.exec_driver_sql(query).scalars())


# --- Alembic, set up as docs/storage.md says


def on_the_page(language: str) -> str:
    """Give the only block of the page in this language."""
    page = STORAGE_PAGE.read_text(encoding="utf-8")
    (block,) = re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    found: str = block
    return found


@pytest.fixture
def alembic_config(tmp_path: Path, empty: sa.Engine) -> Config:
    """Make a folder of migrations for an empty database, and edit it as the page says."""
    folder = tmp_path / "migrations"
    made = Config(tmp_path / "alembic.ini", stdout=StringIO())
    alembic.command.init(made, str(folder))
    for name, before, after in [
        ("env.py", "target_metadata = None\n", on_the_page("py")),
        ("script.py.mako", "import sqlalchemy as sa\n", on_the_page("mako")),
    ]:
        template = (folder / name).read_text(encoding="utf-8")
        assert 1 == template.count(before)
        (folder / name).write_text(template.replace(before, after), encoding="utf-8")
    # Without its file, which would set up logging for all tests.
    config = Config(stdout=StringIO())
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    url = empty.url.render_as_string(hide_password=False)
    config.set_main_option("sqlalchemy.url", url.replace("%", "%%"))
    return config


def anatomy(engine: sa.Engine) -> list[str]:
    """Give all that can be read back of the tables, a line for each thing."""
    inspector = sa.inspect(engine)
    found: list[str] = []
    for name in metadata.tables:
        things: list[Any] = [
            inspector.get_pk_constraint(name),
            inspector.get_table_options(name),
            *inspector.get_columns(name),
            *inspector.get_indexes(name),
            *inspector.get_unique_constraints(name),
            *inspector.get_foreign_keys(name),
            *inspector.get_check_constraints(name),
        ]
        found += [f"{name}: {thing}" for thing in things]
    return sorted(found)


def differences(engine: sa.Engine) -> Sequence[object]:
    """Give what Alembic would migrate, types and defaults compared too."""
    options = {"compare_type": True, "compare_server_default": True}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        found: Sequence[object] = compare_metadata(context, metadata)
        return [each for each in found if "alembic_version" not in repr(each)]


def test_alembic_writes_a_migration_that_makes_the_tables(
    alembic_config: Config, empty: sa.Engine, engine: sa.Engine
) -> None:
    """The migration that it writes runs, and makes the tables of `create_schema`."""
    alembic.command.revision(alembic_config, message="Tables of courses", autogenerate=True)
    alembic.command.upgrade(alembic_config, "head")

    assert anatomy(engine) == anatomy(empty)


def test_alembic_finds_no_difference_behind_its_migration(
    alembic_config: Config, empty: sa.Engine
) -> None:
    """Once migrated, its check passes, and a closer look finds nothing either."""
    alembic.command.revision(alembic_config, message="Tables of courses", autogenerate=True)
    alembic.command.upgrade(alembic_config, "head")
    alembic.command.check(alembic_config)

    assert [] == differences(empty)


def test_alembic_finds_no_difference_behind_create_schema(engine: sa.Engine) -> None:
    """A host that began with `create_schema` can go over to migrations."""
    assert [] == differences(engine)


def test_alembic_takes_the_tables_away_again(alembic_config: Config, empty: sa.Engine) -> None:
    """A migration back leaves none of the tables."""
    alembic.command.revision(alembic_config, message="Tables of courses", autogenerate=True)
    alembic.command.upgrade(alembic_config, "head")
    alembic.command.downgrade(alembic_config, "base")

    assert ["alembic_version"] == sa.inspect(empty).get_table_names()


# --- The README's six lines


def test_six_lines_of_the_readme_store_a_registration(tmp_path: Path) -> None:
    """Copied into a shell, they leave a registration in SQLite."""
    readme = STORAGE_PAGE.parents[1] / "README.md"
    section = readme.read_text(encoding="utf-8").split("## Store it")[1].split("##")[0]
    (block,) = re.findall(r"^```shell\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)
    install, *lines = block.splitlines()
    python = tmp_path / ".venv-store" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    found = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    subprocess.run(["sh", "-ec", "\n".join(lines)], cwd=tmp_path, env=found, check=True, timeout=60)

    assert 5 == len(lines)
    assert install.startswith("python3 -m venv .venv-store && .venv-store/bin/python -m pip ")
    assert install.endswith(" '.[sql]'")
    with closing(sqlite3.connect(tmp_path / "courses.db")) as connection:
        assert [("confirmed",)] == connection.execute("SELECT status FROM registrations").fetchall()
