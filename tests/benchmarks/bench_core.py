"""Courses built, changed, read, written and decided on, beside what others take for it.

    python -m benchmarks.bench_core

A thousand different courses take turns. What is read and written without the extra ``fast`` runs
in the same process, by the same switch that the tests use.
"""

import argparse
import json
import platform
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import Any
from uuid import UUID, uuid4

import attrs
import msgspec
import pytest
from cattrs.preconf.json import make_converter
from dateutil.relativedelta import relativedelta
from pydantic import ValidationError

from benchmarks import by_hand, peers
from benchmarks.dataclass_course import DataclassCourse
from benchmarks.pydantic_course import PydanticCourse
from benchmarks.rounds import MIN_ROUNDS, Case, interleaved, ratio, repeated, report, table
from course_domain import (
    Actor,
    Course,
    CourseStatus,
    CourseType,
    InvalidDocument,
    Role,
    course_json,
    course_text,
    registration_rejections,
    renewal_reminder_at,
    serialization,
)
from course_domain.course import is_plain, keeps_rules
from course_domain.making import evolve, made_of, values_of

COURSES = 1_000
CALLS = 4_000  # of each case a round
PEERS = ("attrs", "cattrs", "msgspec", "pydantic", "python-dateutil", "rules")

Row = tuple[str, str, Case, Case]
"""What is done, beside what, by us, and by the peer."""

_ORGANIZATIONS = [uuid4() for _ in range(10)]
_ADMINS = [uuid4() for _ in range(30)]
_NOW = datetime(2027, 1, 1, 12, tzinfo=UTC)
_LATE = datetime(2028, 1, 1, 12, tzinfo=UTC)
_TEN_PROBLEMS: dict[str, Any] = {
    "id": "5",
    "organization_id": 5,
    "title": None,
    "course_type": "seminar",
    "status": "open",
    "is_virtual": "yes",
    "max_participants": "12",
    "issues_certificate": 1,
    "start_date": "tomorrow",
    "certificate_validity_months": 1.5,
}


def course_fields(number: int) -> dict[str, Any]:
    """Give the fields of one of the courses."""
    start = datetime(2027, 3, 1, 9, tzinfo=UTC) + timedelta(hours=number)
    created = datetime(2026, 11, 1, 8, 30, tzinfo=UTC) + timedelta(seconds=number)
    return {
        "id": uuid4(),
        "organization_id": _ORGANIZATIONS[number % len(_ORGANIZATIONS)],
        "title": f"Likepersonsopplæring, grunnkurs {number}",
        "description": "To dager om rollen, taushetsplikt, og å lytte og dele egne erfaringer.",
        "course_type": CourseType.CERTIFICATION,
        "status": CourseStatus.PUBLISHED,
        "start_date": start,
        "end_date": start + timedelta(days=1, hours=6),
        "location": "Gardermoen",
        "is_virtual": False,
        "max_participants": 24,
        "issues_certificate": True,
        "certificate_validity_months": 24,
        "registration_deadline": start - timedelta(days=10),
        "created_by": _ADMINS[number % len(_ADMINS)],
        "created_at": created,
        "updated_at": created + timedelta(days=1, microseconds=number),
    }


def each_of(given: Sequence[Any], work: Callable[[Any], object]) -> Case:
    """Do the work with one after the other."""
    return repeated(lambda number: work(given[number % len(given)]), CALLS)


def each_new_of(documents: Sequence[str], work: Callable[[str], object]) -> Case:
    """Do the work with one after the other, each a text that nobody has read before.

    One that was encoded once keeps its UTF-8, and is read without that from then on.
    """

    def case() -> float:
        texts = [documents[number % len(documents)].encode().decode() for number in range(CALLS)]
        return repeated(lambda number: work(texts[number]), CALLS)()

    return case


@contextmanager
def plain_install() -> Generator[None, None, None]:
    """Read and write as where msgspec is not installed."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(course_json, "_readers", course_json.PLAIN_READERS)
        patched.setattr(course_json, "_decode", course_json.decode_by_json)
        patched.setattr(serialization, "write", course_text.write_by_json)
        yield


def plainly(case: Case) -> Case:
    """Run a case as a plain install does."""

    def run() -> float:
        with plain_install():
            return case()

    return run


def with_their_enums(fields: dict[str, Any]) -> dict[str, Any]:
    """Give the fields of a course as the model of pydantic has them."""
    return fields | {
        "course_type": by_hand.CourseType(fields["course_type"]),
        "status": by_hand.CourseStatus(fields["status"]),
    }


def building(fields: list[dict[str, Any]]) -> Iterator[Row]:
    """Build from keywords, and change one field."""
    makers: dict[str, Callable[..., object]] = {
        "pydantic": PydanticCourse,
        "a msgspec Struct, types unchecked": peers.MsgspecCourse,
        "a dataclass, types unchecked": DataclassCourse,
        "attrs bare, nothing checked": peers.AttrsCourse,
    }
    for peer, make in makers.items():
        given = fields if make is not PydanticCourse else list(map(with_their_enums, fields))
        ours = each_of(fields, lambda each: Course(**each))
        yield "build a `Course`", peer, ours, each_of(given, lambda each: make(**each))
    courses = [Course(**each) for each in fields]
    for name, value in {"title": "Nytt kurs", "status": CourseStatus.DRAFT}.items():
        yield (
            f"change its {name}",
            "`attrs.evolve`",
            each_of(courses, lambda each: evolve(each, **{name: value})),
            each_of(courses, lambda each: attrs.evolve(each, **{name: value})),
        )


def reading(fields: list[dict[str, Any]]) -> Iterator[Row]:
    """Read from JSON, and write."""
    courses = [Course(**each) for each in fields]
    texts = list(map(serialization.course_to_json, courses))
    decoder = msgspec.json.Decoder(peers.MsgspecCourse)
    converter = make_converter()
    converter.register_structure_hook(UUID, lambda text, _: UUID(text))
    read = each_new_of(texts, serialization.course_from_json)
    by_pydantic = each_new_of(texts, PydanticCourse.model_validate_json)
    yield "JSON → `Course`", "pydantic", plainly(read), by_pydantic
    yield "the same with `fast`", "pydantic", read, by_pydantic
    yield "the same with `fast`", "msgspec", read, each_new_of(texts, decoder.decode)
    yield (
        "JSON → `Course`",
        "cattrs as it comes",
        plainly(read),
        each_new_of(texts, lambda each: converter.loads(each, peers.AttrsCourse)),
    )
    write = each_of(courses, serialization.course_to_json)
    models = list(map(PydanticCourse.model_validate_json, texts))
    by_pydantic = each_of(models, PydanticCourse.model_dump_json)
    yield "`Course` → JSON", "pydantic", plainly(write), by_pydantic
    yield "the same with `fast`", "pydantic", write, by_pydantic
    wrong = [json.dumps(json.loads(text) | _TEN_PROBLEMS) for text in texts]
    assert len(ours_told(wrong[0])) == len(theirs_told(wrong[0])) == len(_TEN_PROBLEMS)
    yield (
        "ten problems, all told",
        "pydantic",
        each_new_of(wrong, ours_told),
        each_new_of(wrong, theirs_told),
    )


def parts(fields: list[dict[str, Any]]) -> Iterator[Row]:
    """Do each part of a read by itself, beside the whole read of pydantic."""
    courses = [Course(**each) for each in fields]
    texts = list(map(serialization.course_to_json, courses))
    given = list(map(values_of, courses))
    objects = list(map(json.loads, texts))
    ids = [[each[name] for name in ("id", "organization_id", "created_by")] for each in objects]
    instants = [[each[name] for name in each if name.endswith(("date", "_at"))] for each in objects]
    msgspec_reads: Any = vars(course_text)["_decode_fields"]
    msgspec_writes: Any = vars(course_text)["_encode_into"]
    kept = bytearray()
    whole = each_new_of(texts, PydanticCourse.model_validate_json)
    of_one: dict[str, Case] = {
        "`json.loads`": each_of(texts, json.loads),
        "the pattern of our own text, matched": each_of(texts, vars(course_text)["_match_own"]),
        "msgspec's decoding to typed fields": each_of(texts, msgspec_reads),
        "its encoding of them again": each_of(
            list(map(msgspec_reads, texts)), lambda each: msgspec_writes(each, kept)
        ),
        "three `UUID(text)`": each_of(ids, lambda each: list(map(UUID, each))),
        "four `datetime.fromisoformat`": each_of(
            instants, lambda each: list(map(datetime.fromisoformat, each))
        ),
        "types, bounds and rules": each_of(courses, is_plain),
        "the rules alone": each_of(courses, keeps_rules),
        "the object, its seventeen slots": each_of(given, lambda each: made_of(each, bool)),
    }
    for name, case in of_one.items():
        yield f"{name}, alone", "pydantic's whole read", case, whole


def ours_told(text: str) -> Any:
    """Give our problems."""
    try:
        return serialization.course_from_json(text)
    except InvalidDocument as refused:
        return refused.violations


def theirs_told(text: str) -> Any:
    """Give pydantic's."""
    try:
        return PydanticCourse.model_validate_json(text)
    except ValidationError as refused:
        return refused.errors()


def deciding(fields: list[dict[str, Any]]) -> Iterator[Row]:
    """Ask the policies."""
    courses = [Course(**each) for each in fields]
    drafts = [evolve(each, status=CourseStatus.DRAFT) for each in courses]
    actors = {
        (organization, role): Actor(user_id=uuid4(), organization_id=organization, role=role)
        for organization in _ORGANIZATIONS
        for role in Role
    }

    def asked(role: Role, confirmed: int, now: datetime, ask: Callable[..., Any]) -> Any:
        def ask_of(course: Course) -> Any:
            return ask(course, actors[course.organization_id, role], confirmed, now)

        return ask_of

    for reasons, given, how in (
        ("allowed", courses, (Role.PEER_MENTOR, 3, _NOW)),
        ("three reasons", drafts, (Role.ADMIN, 24, _LATE)),
    ):
        ours = asked(*how, registration_rejections)
        theirs = asked(*how, peers.names_of_reasons)
        assert [each.rule for each in ours(given[0])] == list(theirs(given[0]))
        yield (
            f"`registration_rejections`, {reasons}",
            "a plain function",
            each_of(given, ours),
            each_of(given, theirs),
        )
    ruleset = peers.django_rules(3, _NOW)

    def all_reasons(course: Course, actor: Actor, *_: object) -> Any:
        return peers.reasons_by_django_rules(ruleset, course, actor)

    def yes_or_no(course: Course, actor: Actor, *_: object) -> Any:
        return ruleset.test_rule("register", actor, course)

    allowed = asked(Role.PEER_MENTOR, 3, _NOW, registration_rejections)
    for told, by_ruleset in (("as reasons", all_reasons), ("yes or no", yes_or_no)):
        yield (
            "`registration_rejections`, allowed",
            f"django-rules, {told}",
            each_of(courses, allowed),
            each_of(courses, asked(Role.PEER_MENTOR, 3, _NOW, by_ruleset)),
        )
    instants = [each["created_at"] for each in fields]
    yield (
        "`renewal_reminder_at`",
        "dateutil as it comes",
        each_of(instants, lambda each: renewal_reminder_at(each, 24)),
        each_of(instants, lambda each: each + relativedelta(months=24) - timedelta(days=30)),
    )


def main() -> None:
    """Print the ratios: less is better."""
    about = "Building, reading, writing and deciding, as ratios to what others take for it."
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS)
    asked = parser.parse_args()
    named = [f"{name} {version(name)}" for name in PEERS]
    report(f"Python {platform.python_version()}, {', '.join(named)}")
    fields = list(map(course_fields, range(COURSES)))
    rows: list[tuple[object, ...]] = [("work", "beside", "ratio")]
    for part in (building, reading, parts, deciding):
        for work, peer, ours, theirs in part(fields):
            taken = interleaved({"ours": ours, "theirs": theirs}, asked.rounds)
            rows.append((work, peer, ratio(taken["ours"], taken["theirs"])))
    report(table(*rows))


if __name__ == "__main__":
    main()
