from collections.abc import Iterator

import pytest

from builders import ORGANIZATION_ID
from course_domain import InvalidValue
from course_domain.keyset import UNDATED
from course_domain.rules import Rule
from course_domain.sql import SqlCourseRepository
from course_domain.sql.pages import COURSES
from engines import Databases, disposed

LATEST = 253_000_000_000_000_000  # microseconds: in the year 9987


@pytest.fixture
def repository(sqlite_databases: Databases) -> Iterator[SqlCourseRepository]:
    """A repository without rows."""
    with sqlite_databases.lent() as (url,), disposed(url) as engine:
        yield SqlCourseRepository(engine)


@pytest.mark.parametrize(
    "after",
    [
        pytest.param("courses.0.-2", id="an id below none"),
        pytest.param(f"courses.0.{2**128}", id="an id of more than 128 bits"),
        pytest.param(f"courses.{LATEST}.1", id="later than any instant"),
        pytest.param(f"courses.{-LATEST}.1", id="earlier than any instant"),
        pytest.param(f"courses.{UNDATED + 1}.1", id="later than the undated"),
    ],
)
def test_cursor_of_no_row_is_unknown(repository: SqlCourseRepository, after: str) -> None:
    """What looks like a cursor and can be behind no row is refused, whatever the engine takes."""
    with pytest.raises(InvalidValue) as refused:
        repository.courses(ORGANIZATION_ID, after=after)
    assert [Rule.UNKNOWN_CURSOR] == [each.rule for each in refused.value.violations]


@pytest.mark.parametrize("instant", [-2_208_988_800_000_000, 0, UNDATED])
@pytest.mark.parametrize("number", [0, 2**128 - 1])
def test_cursor_of_a_row_that_could_be_is_a_place(
    repository: SqlCourseRepository, instant: int, number: int
) -> None:
    """The first and the last instant, and the first and the last id, are places in the list."""
    after = f"{COURSES.name}.{instant}.{number}"
    assert () == repository.courses(ORGANIZATION_ID, after=after).items
