"""Storage in SQLite, PostgreSQL and MariaDB, with or without Galera (extra ``sql``)."""

from course_domain.sql.repository import SqlCourseRepository
from course_domain.sql.schema import create_schema, metadata

__all__ = ["SqlCourseRepository", "create_schema", "metadata"]
