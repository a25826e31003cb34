from typing import Any

import pytest

from builders import (
    COURSE_ID,
    NOW,
    START,
    actor,
    course,
    course_fields,
)
from course_domain import (
    Course,
    CourseChanges,
    CourseDetails,
    CourseType,
    Role,
    create,
    revise,
)
from course_domain.details import author_arguments

AUTHORS_FIELDS = {
    "title",
    "description",
    "course_type",
    "start_date",
    "end_date",
    "location",
    "is_virtual",
    "max_participants",
    "issues_certificate",
    "certificate_validity_months",
    "registration_deadline",
}
NOT_THE_AUTHORS = sorted({*course_fields(), "course_id", "expires"} - AUTHORS_FIELDS)
LEAST: CourseDetails = {
    "title": "Introduction",
    "course_type": CourseType.WORKSHOP,
    "is_virtual": True,
    "issues_certificate": False,
}
SHAPES = pytest.mark.parametrize(
    "shape", [CourseDetails, CourseChanges], ids=["details", "changes"]
)


@SHAPES
def test_author_gives_eleven_fields_and_a_flag(shape: Any) -> None:
    """What an author may say is eleven fields of the course and ``certificate_never_expires``."""
    assert AUTHORS_FIELDS | {"certificate_never_expires"} == set(shape.__annotations__)


def test_new_course_needs_what_has_no_none() -> None:
    """To create a course takes title, type and the two flags; a revision takes nothing."""
    assert set(LEAST) == CourseDetails.__required_keys__
    assert set() == CourseChanges.__required_keys__


def test_details_can_be_the_least() -> None:
    """What is left out of the details is not in the fields either, and the flag is False."""
    assert (dict(LEAST), False) == author_arguments("create", LEAST, CourseDetails)


def test_changes_can_be_none() -> None:
    """A revision may change nothing."""
    assert ({}, False) == author_arguments("revise", {}, CourseChanges)


@SHAPES
@pytest.mark.parametrize("never_expires", [True, False])
def test_flag_is_parted_from_the_fields(shape: Any, never_expires: bool) -> None:
    """The flag is no field of a course and comes apart; what was given stays as it was."""
    given = {**LEAST, "start_date": START, "certificate_never_expires": never_expires}
    before = dict(given)

    assert ({**LEAST, "start_date": START}, never_expires) == author_arguments("do", given, shape)
    assert before == given


@SHAPES
@pytest.mark.parametrize("name", NOT_THE_AUTHORS)
def test_name_that_is_no_authors_is_refused(shape: Any, name: str) -> None:
    """A name that an author may not set is a TypeError that tells command and name."""
    with pytest.raises(TypeError, match=rf"do\(\) .*unexpected.*'{name}'"):
        author_arguments("do", {**LEAST, name: 1}, shape)


@pytest.mark.parametrize("name", sorted(LEAST))
def test_missing_name_is_refused(name: str) -> None:
    """A required field that is left out is a TypeError that tells command and name."""
    given = {other: value for other, value in LEAST.items() if other != name}

    with pytest.raises(TypeError, match=rf"do\(\) missing.*'{name}'"):
        author_arguments("do", given, CourseDetails)


@SHAPES
def test_wrong_flag_is_left_to_the_command(shape: Any) -> None:
    """A flag that is no bool is judged by the command, beside its other arguments."""
    assert (LEAST, "true") == author_arguments(
        "do", {**LEAST, "certificate_never_expires": "true"}, shape
    )


@pytest.mark.parametrize("name", sorted(AUTHORS_FIELDS))
def test_wrong_field_is_left_to_the_course(name: str) -> None:
    """A wrong course field is no matter of the arguments; it is judged with the others later."""
    given = {**LEAST, name: object()}

    assert (given, False) == author_arguments("do", given, CourseDetails)


@pytest.mark.parametrize("name", NOT_THE_AUTHORS)
def test_no_command_takes_what_is_not_the_authors(name: str) -> None:
    """Neither create nor revise lets an author set id, organization, status or who and when."""
    surplus: dict[str, Any] = {name: None}
    details: dict[str, Any] = {**LEAST, **surplus}
    with pytest.raises(TypeError, match=name):
        create(actor(Role.ADMIN), NOW, COURSE_ID, **details)
    with pytest.raises(TypeError, match=name):
        revise(course(), actor(Role.ADMIN), NOW, **surplus)


def test_created_course_has_what_the_author_left_out_as_none() -> None:
    """What an author does not give is None in the course."""
    made: Course = create(actor(Role.ADMIN), NOW, COURSE_ID, **LEAST)

    absent = AUTHORS_FIELDS - set(LEAST)
    assert dict.fromkeys(absent) == {name: getattr(made, name) for name in absent}
