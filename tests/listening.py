"""What the adapter has its driver execute, which SQLAlchemy's events do not show."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from course_domain.sql.driver import Cursor, Statement

Asked = list[tuple[str, Any]]
"""Texts of statements, each with its parameters, as the driver is given them."""


@contextmanager
def listening() -> Generator[Asked, None, None]:
    """Give what the adapter has executed inside, when it has."""
    asked: Asked = []
    execute = Cursor.execute

    def listen(cursor: Cursor, statement: Statement, parameters: Mapping[str, Any]) -> None:
        compiled = cursor.driver.compiled(statement)
        asked.append((compiled.text, compiled.parameters(parameters)))
        execute(cursor, statement, parameters)

    with patch.object(Cursor, "execute", listen):
        yield asked
