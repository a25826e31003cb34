"""What the adapter must be allowed to do: no more than the notes on security say."""

from uuid import uuid4

import pytest
import sqlalchemy as sa

from builders import actor
from course_domain import (
    CourseService,
    CourseType,
    RegistrationStatus,
    RepositoryUnavailable,
    Role,
)
from course_domain.memory import InMemoryReminderScheduler
from course_domain.sql import SqlCourseRepository, metadata
from engines import Databases, disposed


def user_of(url: str, *privileges: str) -> str:
    """Make a user with these privileges on the tables, and give the URL that they come by."""
    name = f"u{uuid4().hex}"
    schema = str(sa.make_url(url).query["options"]).partition("search_path=")[2]
    with disposed(url) as engine, engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE ROLE {name} LOGIN")
        connection.exec_driver_sql(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        for table in metadata.tables:
            connection.exec_driver_sql(f"GRANT {', '.join(privileges)} ON {table} TO {name}")
    return str(sa.make_url(url).set(username=name))


def test_reading_inserting_and_updating_is_enough(postgresql_databases: Databases) -> None:
    """A course lives its whole life for a user who may neither delete nor change a table."""
    admin, mentor, scheduler = actor(Role.ADMIN), actor(), InMemoryReminderScheduler()
    with (
        postgresql_databases.lent() as (url, *_),
        disposed(user_of(url, "SELECT", "INSERT", "UPDATE")) as engine,
    ):
        service = CourseService(SqlCourseRepository(engine), scheduler)
        course = service.create_course(
            admin,
            title="To listen",
            course_type=CourseType.CERTIFICATION,
            is_virtual=True,
            issues_certificate=True,
            certificate_validity_months=24,
        )
        service.publish_course(admin, course.id)
        service.register(mentor, course.id)
        service.cancel_registration(mentor, course.id)
        service.register(mentor, course.id)
        service.complete_registration(admin, course.id, user_id=mentor.user_id)

        assert RegistrationStatus.CONFIRMED is service.registrations(mentor).items[0].status
        assert [course.id] == [each.course_id for each in service.certificates(admin).items]
        assert 1 == len(scheduler.scheduled)


def test_missing_privilege_is_told_at_once(postgresql_databases: Databases) -> None:
    """A user who may only read hears that the storage refused, and what it said."""
    with (
        postgresql_databases.lent() as (url, *_),
        disposed(user_of(url, "SELECT")) as engine,
    ):
        service = CourseService(SqlCourseRepository(engine))
        with pytest.raises(RepositoryUnavailable) as raised:
            service.create_course(
                actor(Role.ADMIN),
                title="To listen",
                course_type=CourseType.WORKSHOP,
                is_virtual=True,
                issues_certificate=False,
            )

    assert "permission denied" in raised.value.reason
