import json
import sys
import tracemalloc
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from builders import NOW, course, course_fields
from course_domain import Course, InvalidDocument, course_json, course_text
from course_domain.documents import decode, read_document
from course_domain.serialization import course_from_json, course_to_dict, courses_from_json
from course_domain.testing.strategies import courses

Decoder = Callable[[str | bytes], Any]

DECODERS: dict[str, Decoder] = {"json": course_json.decode_by_json}
WRITERS: dict[str, Callable[[Course], str]] = {"json": course_text.write_by_json}
if course_text.msgspec:
    DECODERS["msgspec"] = course_text.msgspec.json.Decoder().decode
    WRITERS["msgspec"] = course_text.write_by_msgspec

each_decoder = pytest.mark.parametrize("decoder", DECODERS.values(), ids=DECODERS)
each_writer = pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)

PLAIN = course()
TEXT = course_text.write_by_json(PLAIN)
SPLICES = ["", "NaN", "\\u0000", '"', "\\", "{", "]", ",", "\ufeff", "9" * 50, '"id":1,', "1.0"]
# What one decoder or another takes for something that it is not.
ODD_INSTANTS = [
    '"2026-03-16T09:30:00.123000"',
    '"2026-03-16T09:30:00+00:00"',
    '"2026-03-16T09:30:00+01:00"',
    '"1899-12-31T23:59:59Z"',
    '"1900-01-01T00:00:00Z"',
    '"8999-12-31T23:59:59Z"',
    '"9000-01-01T00:00:00Z"',
    '"2026-02-29T09:30:00Z"',
    '"2026-03-16 09:30:00Z"',
    '"2026-03-16T09:30:00+0100"',
    '"2026-03-16T09:30:00.1234567Z"',
    '"2026-03-16T09:30:00.123Z"',
    '"2026-03-16T09:30:00,123456Z"',
    '"2026-03-16T24:00:00Z"',
    '"2026-03-16T09:30:60Z"',
    '"2026-W12-1T09:30:00Z"',
    '"2026-03-16T09:30:00ZZ"',
    '"2026-03-16T09:30:00"',
    '"0001-01-01T00:00:00+23:59"',
    "1773653400",
    "[]",
]
ODD_TEXTS = [
    '"a\\u0000"',
    '"\\\\u0000"',
    '"\ud800"',
    '"\\ud800"',
    '"\\u0000"',
    '"say \\"hi\\""',
    '"\\u0022id\\u0022:"',
    '"\\/\\u00e5\\ud83d\\ude00"',
    '"\x7f\u2028å"',
    '"a\tb"',
    '"',
    "1",
    "[]",
]
NEAR = (None, "2027-03-16T09:30:00Z", "2027-03-16T09:30:00.000001Z", "2027-03-16T09:30:01Z")
MAYBE_INSTANTS = ("start_date", "end_date", "registration_deadline")
ODD: dict[str, list[str]] = {
    "id": ['"6b0d549b6f03475a9600a35a099950d8"', '"6_0d549b-6f03-475a-9600-a35a099950d8"'],
    "certificate_validity_months": ["0", "01", "999", "1200", "1201"],
    "max_participants": [
        "0",
        "1000",
        "2147483647",
        "2147483648",
        "1.0",
        "1e1",
        "true",
        '"1"',
        "-0",
        "12345678901234567890123",
    ],
    "is_virtual": ["1", '"true"', "null"],
    "course_type": ['"CERTIFICATION"', "[]", "{}", "null"],
    **dict.fromkeys(("created_at", "updated_at", *MAYBE_INSTANTS), ODD_INSTANTS),
    "description": ["null", *ODD_TEXTS],
    "location": ["null", *ODD_TEXTS],
    "title": ["null", '" "', *ODD_TEXTS],
}


def outcome(read: Callable[[Any], Course], document: str | bytes) -> object:
    """Give the course that is read, to the last zone, or what is told of each problem."""
    try:
        return repr(read(document))
    except InvalidDocument as refused:
        return [(str(each), each.fields) for each in refused.violations]


def explained(document: str | bytes) -> Course:
    """Read by the reader that explains what is wrong, and by no other."""
    return read_document(decode(document), Course)


def decode_with(patched: pytest.MonkeyPatch, decoder: Decoder) -> None:
    """Read as where this decoder is what there is."""
    patched.setattr(course_json, "_decode", decoder)
    if decoder is course_json.decode_by_json:
        patched.setattr(course_json, "_readers", course_json.PLAIN_READERS)


def by(decoder: Decoder, document: str | bytes) -> object:
    """Give what the public reader makes of a document with one of the decoders."""
    with pytest.MonkeyPatch.context() as patched:
        decode_with(patched, decoder)
        return outcome(course_from_json, document)


def as_ours(document: dict[str, Any]) -> str:
    """Write a document, whether it is right or not, as a course is written."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def as_others_write(document: dict[str, Any], order: list[str], **how: Any) -> str:
    """Write a document with its keys in another order, and spaces and escapes of another kind."""
    return json.dumps({name: document[name] for name in order}, **how)


@each_decoder
@given(courses(), st.permutations(list(course_to_dict(PLAIN))), st.booleans(), st.booleans())
def test_course_is_read_however_it_is_written(
    decoder: Decoder, drawn: Course, order: list[str], spaced: bool, escaped: bool
) -> None:
    """Order, space and escapes mean nothing, in text and in bytes."""
    separators = (" , ", " :\n") if spaced else (",", ":")
    text = as_others_write(
        course_to_dict(drawn), order, separators=separators, ensure_ascii=escaped
    )

    assert [repr(drawn)] * 2 == [by(decoder, text), by(decoder, text.encode())]


@each_decoder
@pytest.mark.parametrize("separators", [(",", ":"), (", ", ": ")], ids=["as ours", "spaced"])
@pytest.mark.parametrize(
    ("name", "raw"), [(name, raw) for name, every in ODD.items() for raw in every]
)
def test_odd_value_is_read_or_refused_as_ever(
    decoder: Decoder, separators: tuple[str, str], name: str, raw: str
) -> None:
    """What a decoder is generous with is told as the reader that explains tells it."""
    alone = dict.fromkeys(MAYBE_INSTANTS if name in MAYBE_INSTANTS else ())  # of no order to others
    late = {"updated_at": "8999-12-31T23:59:59Z"} if name == "created_at" else {}
    odd = course_to_dict(PLAIN) | alone | late | {name: "<here>"}
    text = json.dumps(odd, separators=separators).replace('"<here>"', raw)

    assert outcome(explained, text) == by(decoder, text)


@each_decoder
@pytest.mark.parametrize("start", NEAR)
@pytest.mark.parametrize("end", NEAR)
@pytest.mark.parametrize("deadline", NEAR)
@pytest.mark.parametrize("updated", NEAR[1:])
def test_instants_are_judged_by_their_order_as_ever(
    decoder: Decoder, start: str | None, end: str | None, deadline: str | None, updated: str
) -> None:
    """What is before, at and after another instant, or has none to compare, is told the same."""
    instants = [start, end, deadline, NEAR[2], updated]
    names = ["start_date", "end_date", "registration_deadline", "created_at", "updated_at"]
    text = as_ours(course_to_dict(PLAIN) | dict(zip(names, instants, strict=True)))

    assert outcome(explained, text) == by(decoder, text)


@each_decoder
@pytest.mark.parametrize("name", sorted(course_to_dict(PLAIN)))
def test_field_that_stands_twice_is_found(decoder: Decoder, name: str) -> None:
    """A key given twice is refused wherever it stands, also with quotation marks in a text."""
    text = TEXT.replace("Basic course", "\\u0022Basic\\u0022 course")
    twice = f'{{"{name}":{json.dumps(course_to_dict(PLAIN)[name])},{text[1:]}'

    assert outcome(explained, twice) == by(decoder, twice)
    assert isinstance(by(decoder, text), str)


@each_decoder
@given(st.integers(0, len(TEXT)), st.integers(0, 5), st.sampled_from(SPLICES))
@example(0, 0, "\ufeff")
def test_damaged_document_is_read_or_refused_as_ever(
    decoder: Decoder, place: int, cut: int, splice: str
) -> None:
    """Whatever is cut out or put in, the quick reader sees what the other sees."""
    damaged = TEXT[:place] + splice + TEXT[place + cut :]

    assert [outcome(explained, damaged)] * 2 == [
        by(decoder, damaged),
        by(decoder, damaged.encode()),
    ]


@each_decoder
def test_array_is_read_at_once(decoder: Decoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """An array without a fault is read, one with a field twice is told, an object is refused."""
    decode_with(monkeypatch, decoder)

    assert (PLAIN, PLAIN) == courses_from_json(f"[{TEXT},{TEXT}]")
    assert () == courses_from_json(b" [ ] ")
    for wrong in (f'[{TEXT},{{"id":"x",{TEXT[1:]}]', "{}", f'{{"a":{TEXT}}}', "[1]"):
        with pytest.raises(InvalidDocument):
            courses_from_json(wrong)


def test_array_is_read_though_a_field_is_absent() -> None:
    """What is in doubt for the quick reader, and right, is read by the one that explains."""
    short = {name: value for name, value in course_to_dict(PLAIN).items() if name != "description"}

    assert (course(description=None), PLAIN) == courses_from_json(f"[{json.dumps(short)},{TEXT}]")


@pytest.mark.parametrize(
    "wrong", [None, 5, bytearray(TEXT.encode()), [TEXT], TEXT.encode("utf-16")]
)
def test_document_of_another_kind_is_in_doubt(wrong: object) -> None:
    """Only text and UTF-8 are read; all else is left to the reader that explains."""
    assert (None, None) == (course_json.read_surely(wrong), course_json.read_all_surely(wrong))


@each_decoder
def test_plain_document_needs_no_explaining(
    decoder: Decoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is written by us, or with an offset of another zone, is read without a doubt."""
    decode_with(monkeypatch, decoder)
    local = NOW.astimezone(timezone(timedelta(hours=2))).isoformat()
    theirs = json.dumps(course_to_dict(PLAIN) | {"updated_at": local})

    assert [PLAIN, course(updated_at=NOW)] == list(map(course_json.read_surely, (TEXT, theirs)))


@each_decoder
def test_text_that_is_read_is_kept_once(decoder: Decoder) -> None:
    """No text keeps its UTF-8 beside it, which would be as long again."""
    given = {"title": "Å lytte", "description": "Å dele", "location": "Tromsø"}
    with pytest.MonkeyPatch.context() as patched:
        decode_with(patched, decoder)
        read = course_from_json(course_text.write_by_json(course(**given)).encode())

    for name, text in given.items():
        assert sys.getsizeof("".join(list(text))) == sys.getsizeof(getattr(read, name))


@each_decoder
def test_reading_leaves_little_behind(decoder: Decoder) -> None:
    """Of thousands of organizations, and of a long text, next to nothing is kept."""
    with pytest.MonkeyPatch.context() as patched:
        decode_with(patched, decoder)
        course_from_json(TEXT)
        tracemalloc.start()
        try:
            for _ in range(5_000):
                course_from_json(TEXT.replace(str(PLAIN.organization_id), str(uuid4())))
            course_from_json(as_ours(course_to_dict(PLAIN) | {"description": "å" * 1_000_000}))
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert kept < 700_000


@each_writer
@given(courses())
def test_text_is_the_document(write: Callable[[Course], str], drawn: Course) -> None:
    """What is written is the document of the course, its fields in their order."""
    assert list(course_to_dict(drawn).items()) == list(json.loads(write(drawn)).items())


@given(courses())
def test_every_writer_writes_the_same_text(drawn: Course) -> None:
    """The text does not tell whether msgspec was there."""
    assert 1 == len({write(drawn) for write in WRITERS.values()})


@pytest.mark.parametrize("microsecond", [0, 1, 999_999])
@each_writer
def test_instant_is_written_to_the_microsecond(
    write: Callable[[Course], str], microsecond: int
) -> None:
    """Microseconds are written where there are any, with six digits."""
    moment = datetime(1900, 1, 1, tzinfo=NOW.tzinfo).replace(microsecond=microsecond)
    expected = "1900-01-01T00:00:00" + (f".{microsecond:06}" if microsecond else "") + "Z"

    assert expected == json.loads(write(course(created_at=moment)))["created_at"]


class StillTime(datetime):
    """What stands for `datetime` in every module while a test lets the clock stand still."""


@each_writer
def test_course_of_a_still_clock_is_written(
    write: Callable[[Course], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A course that was made meanwhile is written as any other."""
    monkeypatch.setattr("course_domain.course.datetime", StillTime)
    instants = {
        name: StillTime.fromisoformat(value.isoformat())
        for name, value in course_fields().items()
        if isinstance(value, datetime)
    }
    made = course(**instants)
    assert StillTime is type(made.created_at)
    assert TEXT == write(made)
