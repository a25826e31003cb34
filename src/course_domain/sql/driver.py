"""Statements written in Core, compiled once for an engine, and executed by its driver.

Core looks a statement up and describes its result each time, which costs as much as a short
statement does. What stays SQLAlchemy's are the pool, the types, and each engine's own SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import sqlalchemy as sa

from course_domain.sql.rows import Rows

_Written = Callable[[Any], Any]


Statement = sa.Select[Any] | sa.Insert | sa.Update


class Compiled:
    """Hold what a driver is sent for a statement: its text, and its parameters as they are sent."""

    def __init__(self, statement: Statement, dialect: sa.Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        written: dict[str, _Written | None] = {
            name: bound.type.dialect_impl(dialect).bind_processor(dialect)
            for bound, name in compiled.bind_names.items()
        }
        self.text: str = str(compiled)
        # What the dialect itself puts in, as the OFFSET of SQLite, which has no LIMIT alone.
        self._fixed = {
            name: bound.value for bound, name in compiled.bind_names.items() if not bound.required
        }
        self._is_by_place = compiled.positional
        self._names = [(name, written[name]) for name in compiled.positiontup or written]

    def parameters(self, values: Mapping[str, Any]) -> Mapping[str, Any] | Sequence[Any]:
        """Write the values that the statement has a place for."""
        values = {**self._fixed, **values} if self._fixed else values
        if self._is_by_place:
            return tuple(
                [
                    values[name] if written is None else written(values[name])
                    for name, written in self._names
                ]
            )
        return {
            name: values[name] if written is None else written(values[name])
            for name, written in self._names
        }


@attrs.define
class Cursor:
    """Execute statements on the driver's cursor."""

    driver: "Driver"
    _cursor: Any
    has_written: bool = False
    """Whether anything may have been written."""

    is_waiting: bool = False
    """Whether the database was asked and has not answered; an interrupt leaves it so."""

    @property
    def rows(self) -> Rows:
        """How what is fetched is read."""
        return self.driver.rows

    def begin_as_writer(self) -> None:
        """Begin a transaction of SQLite that never finds that it has read too early.

        On this cursor, so that it ends a read that was interrupted: one that is open would hold
        the writer to the state that it saw.
        """
        self._cursor.execute("BEGIN IMMEDIATE")

    def fetch(
        self, statement: Statement, parameters: Mapping[str, Any]
    ) -> Sequence[tuple[Any, ...]]:
        """Give the rows that a statement finds, as the driver gives them."""
        self.execute(statement, parameters)
        rows: Sequence[tuple[Any, ...]] = self._cursor.fetchall()
        return rows

    def write(self, statement: Statement, parameters: Mapping[str, Any]) -> int:
        """Give the number of rows that a statement has written."""
        self.has_written = True
        self.execute(statement, parameters)
        count: int = self._cursor.rowcount
        return count

    def execute(self, statement: Statement, parameters: Mapping[str, Any]) -> None:
        """Execute a statement: the one way that all of them take."""
        compiled = self.driver.compiled(statement)
        self.ask(self._cursor.execute, compiled.text, compiled.parameters(parameters))

    def ask(self, call: Callable[..., object], *arguments: object) -> None:
        """Ask the database, and note that it has not answered until it has."""
        self.is_waiting = True
        call(*arguments)
        self.is_waiting = False


class Driver:
    """Keep what is known of an engine's driver: its statements, compiled, and its rows."""

    def __init__(self, dialect: sa.Dialect, rows: Rows) -> None:
        """Begin with nothing compiled."""
        self.rows: Rows = rows
        self._dialect = dialect
        self._compiled: dict[Statement, Compiled] = {}

    def compiled(self, statement: Statement) -> Compiled:
        """Compile a statement of this package, of which there are few."""
        compiled = self._compiled.get(statement)
        if compiled is None:
            compiled = self._compiled[statement] = Compiled(statement, self._dialect)
        return compiled
