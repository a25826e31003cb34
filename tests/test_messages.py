"""Sentences for people: both catalogues, times as people write them, forms, errors."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from itertools import chain
from string import Formatter
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import course_domain
from builders import (
    COURSE_ID,
    LAST,
    MAX_INTEGER,
    NOW,
    START,
    USER_ID,
    ZONES_WITHOUT_OFFSET,
    course_fields,
    refusals,
)
from course_domain import (
    COURSE_TRANSITIONS,
    CourseDomainError,
    CourseNotFound,
    CourseStatus,
    DuplicateCourse,
    InvalidCourse,
    InvalidDocument,
    InvalidTransition,
    InvalidValue,
    NotPermitted,
    RegistrationNotFound,
    RegistrationRejected,
    RepositoryUnavailable,
    Rule,
    StaleCourse,
    Violation,
    course_violations,
)
from course_domain.course import COURSE_KINDS
from course_domain.documents import DOCUMENTS
from course_domain.messages import ENGLISH, NORWEGIAN, render, render_error, render_fields
from course_domain.rules import SENTENCES
from course_domain.serialization import course_from_json, courses_from_json
from course_domain.testing.strategies import instants, invalid_course_fields, zones

OSLO = ZoneInfo("Europe/Oslo")
CATALOGUES = pytest.mark.parametrize("catalogue", [ENGLISH, NORWEGIAN], ids=["en", "nb"])
FULL = Violation(Rule.MAX_PARTICIPANTS_CAP, ("max_participants",), {"max_participants": 12})


def closed(deadline: datetime) -> Violation:
    """Give what a registration after this deadline breaks."""
    return Violation(
        Rule.REGISTRATION_DEADLINE_ENFORCED,
        ("registration_deadline",),
        {"registration_deadline": deadline},
    )


def placeholders(sentence: str) -> list[str]:
    """Give the names in the braces of a sentence, each once."""
    return sorted({name for _, name, _, _ in Formatter().parse(sentence) if name is not None})


# --- Languages


@pytest.mark.parametrize("locale", ["nb", "nb-NO", "nb_NO", "no", "NB-no", "no_NO", "nb-Latn-NO"])
def test_norwegian_by_each_of_its_names(locale: str) -> None:
    """Bokmål is said for every way to write its locale, and where none is given."""
    expected = "Det er ingen ledige plasser (12 av 12 er tatt)."

    assert [expected] * 2 == [render(FULL, locale), render(FULL)]


@pytest.mark.parametrize("locale", ["en", "en-GB", "sv", "nn", "n", "nbx", "x-nb", ""])
def test_any_other_locale_is_english(locale: str) -> None:
    """A language without a catalogue falls back to English."""
    assert "All seats are taken (12 of 12)." == render(FULL, locale)


def test_catalogues_have_the_same_keys() -> None:
    """Whatever one language can say, the other can."""
    assert list(ENGLISH) == list(NORWEGIAN)


@pytest.mark.parametrize("key", ENGLISH)
def test_catalogues_have_the_same_parameters(key: str) -> None:
    """A sentence has the same names in braces, and as many numbers, everywhere."""
    assert placeholders(ENGLISH[key]) == placeholders(NORWEGIAN[key])
    assert ENGLISH[key].count("#") == NORWEGIAN[key].count("#") <= key.count("#")


def test_english_sentence_of_a_rule_is_the_one_beside_it() -> None:
    """No second English sentence of a rule stands anywhere."""
    assert {rule.value: SENTENCES[rule] for rule in Rule}.items() <= ENGLISH.items()


# --- Times

BEFORE, AFTER = "(før klokka stilles tilbake)", "(etter at klokka er stilt tilbake)"


def test_deadline_as_a_coordinator_reads_it() -> None:
    """The last moment to register is written by the clock on the wall of the host's zone."""
    violation = closed(datetime(2027, 2, 19, 22, 59, tzinfo=UTC))

    assert "Påmeldingsfristen gikk ut 19. februar 2027 kl. 23.59." == render(violation, "nb", OSLO)
    assert "The registration deadline passed on 19 February 2027 at 23:59." == render(
        violation, "en", OSLO
    )


@pytest.mark.parametrize(
    ("moment", "zone", "expected"),
    [
        (datetime(2027, 2, 19, 23, 59, 59, 999_999, UTC), UTC, "19. februar 2027 kl. 23.59"),
        (datetime(2027, 2, 20, tzinfo=UTC), UTC, "20. februar 2027 kl. 00.00"),
        (datetime(2027, 12, 31, 23, 0, tzinfo=UTC), OSLO, "1. januar 2028 kl. 00.00"),
        (datetime(2027, 5, 17, 7, 5, tzinfo=UTC), OSLO, "17. mai 2027 kl. 09.05"),
        (datetime(2027, 5, 17, 7, 5, tzinfo=UTC), timezone.max, "18. mai 2027 kl. 07.04"),
        (datetime(2027, 5, 17, 9, 5, tzinfo=OSLO), UTC, "17. mai 2027 kl. 07.05"),
        (datetime(2026, 10, 25, 0, 59, tzinfo=UTC), OSLO, f"25. oktober 2026 kl. 02.59 {BEFORE}"),
        (datetime(2026, 10, 25, 1, 0, tzinfo=UTC), OSLO, f"25. oktober 2026 kl. 02.00 {AFTER}"),
        (datetime(2026, 10, 24, 23, 59, tzinfo=UTC), OSLO, "25. oktober 2026 kl. 01.59"),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), OSLO, "25. oktober 2026 kl. 03.00"),
        (datetime(2026, 10, 25, 0, 59, tzinfo=UTC), UTC, "25. oktober 2026 kl. 00.59"),
        (datetime(2027, 3, 28, 1, 0, tzinfo=UTC), OSLO, "28. mars 2027 kl. 03.00"),
        (datetime.max.replace(tzinfo=UTC), OSLO, "31. desember 9999 kl. 23.59"),
        (datetime(2027, 2, 19, 12, 30), OSLO, "19. februar 2027 kl. 12.30"),
    ],
)  # fmt: skip
def test_time_is_the_minute_on_the_wall(moment: datetime, zone: Any, expected: str) -> None:
    """A time is the minute it lies in, in the zone; where an hour repeats, it says which one."""
    assert f"Påmeldingsfristen gikk ut {expected}." == render(closed(moment), zone=zone)


@pytest.mark.parametrize("month", range(1, 13))
@CATALOGUES
def test_every_month_has_its_name(month: int, catalogue: Mapping[str, str]) -> None:
    """The twelve months are written in words, in their order."""
    name = f"{datetime(2027, month, 1):%B}"

    assert catalogue[name] in render(closed(NOW.replace(month=month)), catalogue=catalogue)


@given(instants(), zones())
def test_any_instant_is_written_in_any_zone(moment: datetime, zone: Any) -> None:
    """Year, day and time are those of the zone's clock, at every edge of the calendar."""
    wall = moment.astimezone(zone)
    text = render(closed(moment), "en", zone)

    assert f"on {wall.day} {wall:%B} {wall.year} at {wall:%H:%M}" in text


# --- Numbers, names and values


@pytest.mark.parametrize(
    ("locale", "maximum", "expected"),
    [
        ("nb", 1_200, "Antall plasser må være fra 1 til 1200."),
        ("nb", 9_999, "Antall plasser må være fra 1 til 9999."),
        ("nb", 10_000, "Antall plasser må være fra 1 til 10\u00a0000."),
        ("nb", MAX_INTEGER, "Antall plasser må være fra 1 til 2\u00a0147\u00a0483\u00a0647."),
        ("en", MAX_INTEGER, "The number of participants must be from 1 to 2,147,483,647."),
    ],
)
def test_long_numbers_are_parted(locale: str, maximum: int, expected: str) -> None:
    """A number of five digits or more is parted in thousands."""
    params = {"minimum": 1, "maximum": maximum}

    assert expected == render(Violation(Rule.OUT_OF_RANGE, ("max_participants",), params), locale)


@CATALOGUES
def test_every_field_has_a_name_in_words(catalogue: Mapping[str, str]) -> None:
    """No sentence shows a person the identifier of a field."""
    names = {name for fields in DOCUMENTS.values() for name in fields}
    shown = {name: render(Violation(Rule.REQUIRED, (name,)), catalogue=catalogue) for name in names}

    assert set() == names - set(catalogue)
    assert [] == [said for said in shown.values() if "_" in said or not said[0].isupper()]
    assert len(names) == len(set(shown.values()))


def broken_documents() -> list[Violation]:
    """Give every violation of a document that has each wrong type in each field."""
    wrong: tuple[object, ...] = (
        None,
        True,
        7,
        7.5,
        "x",
        [],
        {},
        10**12,
        "x\x00",
        "1700-01-01T00:00:00Z",
    )
    found: list[Violation] = []
    for value in wrong:
        with pytest.raises(InvalidDocument) as raised:
            course_from_json(json.dumps(dict.fromkeys(COURSE_KINDS, value)))
        found += raised.value.violations
    for text in ("", "[]", '{"x": NaN}', "[" * 100_000, "\xff".encode("latin-1"), None):
        unread: Any = text
        with pytest.raises(InvalidDocument) as raised:
            course_from_json(unread)
        found += raised.value.violations
    return found


def broken_values() -> list[Violation]:
    """Give every violation of a course that has each wrong value in each field."""
    naive = NOW.replace(tzinfo=None)
    wrong: tuple[Any, ...] = (None, True, 7, 7.5, "x", [], {}, NOW, NOW.date(), naive, COURSE_ID)
    return [
        violation
        for value in wrong
        for violation in course_violations(**dict.fromkeys(course_fields(), value))
    ]


def test_nothing_is_said_half_in_english() -> None:
    """Norwegian has every word that a violation of a course or a document comes with."""
    violations = [*broken_documents(), *broken_values()]
    words = {
        re.sub("[0-9]+", "#", word)
        for violation in violations
        for name, word in violation.params.items()
        if isinstance(word, str) and name != "path"
    }

    assert {} == {word: word for word in words if word not in NORWEGIAN}
    assert len(words) > 15


def test_unknown_field_is_shown_as_the_client_wrote_it() -> None:
    """A key that a document does not have is none of our names, also where it reads like one."""
    violation = Violation(Rule.UNKNOWN_FIELD, ("status",), {"path": "$.status"})

    assert "Feltet «status» finnes ikke i dette dokumentet." == render(violation)
    assert "status is not a field of this document." == render(violation, "en")


def test_name_that_no_catalogue_has_stays() -> None:
    """A field, or a type, of the host's own is shown by its name."""
    violation = Violation(Rule.WRONG_TYPE, ("room",), {"expected": "Room", "actual": "str"})

    assert "Room må være Room, ikke tekst." == render(violation)


def test_several_fields_are_all_named() -> None:
    """A sentence about several fields names each."""
    violation = Violation(Rule.REQUIRED, ("title", "location"))

    assert "Tittelen, stedet må fylles ut." == render(violation)


@pytest.mark.parametrize("locale", ["nb", "en"])
@pytest.mark.parametrize("rule", Rule)
def test_violation_without_its_parameters_still_has_a_sentence(rule: Rule, locale: str) -> None:
    """What a host made itself, and left incomplete, is told with question marks."""
    said = render(Violation(rule), locale)

    assert said.endswith(".")
    assert not {"{", "}"} & set(said)
    assert ("?" in said) is ("{" in SENTENCES[rule])


@pytest.mark.parametrize("value", ["{field}", "#", "a\\1b", True, 7.5, None, ["x"], COURSE_ID])
def test_value_is_shown_once_and_as_it_is(value: object) -> None:
    """What stands in a parameter is never read as a sentence."""
    violation = Violation(Rule.MALFORMED_DOCUMENT, (), {"reason": value})

    assert f"Dokumentet kan ikke leses som JSON: {value}." == render(violation)


@given(invalid_course_fields(), st.sampled_from(["nb", "en"]))
def test_everything_wrong_with_a_course_has_a_whole_sentence(
    broken: tuple[dict[str, Any], Any], locale: str
) -> None:
    """No sentence about a course lacks anything."""
    fields, _ = broken

    for sentences in render_fields(course_violations(**fields), locale).values():
        assert [] == [said for said in sentences if "?" in said or not said.endswith(".")]


# --- Forms


def test_form_has_the_sentences_of_each_field() -> None:
    """Each field has its sentences, in the order in which they are told; a sound one has none."""
    violations = course_violations(
        title=" ", end_date=START, start_date=START, max_participants=0, location="Oslo"
    )

    assert {
        "end_date": ["Sluttidspunktet må være senere enn starttidspunktet."],
        "title": ["Tittelen må ha minst ett synlig tegn."],
        "max_participants": [
            "Antall plasser må være minst 1, eller stå tomt hvis det ikke er noen grense."
        ],
    } == render_fields(violations)


def test_field_can_have_several_sentences() -> None:
    """Everything that is wrong with a field is told."""
    late = LAST + timedelta(days=1)
    violations = course_violations(start_date=late, end_date=late)

    assert ["start_date", "end_date"] == list(render_fields(iter(violations)))
    assert [1, 2] == [len(sentences) for sentences in render_fields(violations).values()]


def test_form_speaks_as_one_sentence_does() -> None:
    """Language, zone and catalogue are those of `render`."""
    violation = closed(NOW)
    own = {"instant": "{hour}"}

    for options in ({}, {"locale": "en"}, {"zone": OSLO}, {"catalogue": own}):
        chosen: Any = options
        expected = {"registration_deadline": [render(violation, **chosen)]}
        assert expected == render_fields([violation], **chosen)


def test_sound_form_has_nothing_to_say() -> None:
    """Without violations there are no sentences."""
    assert {} == render_fields(())


@pytest.mark.parametrize(
    ("violation", "place"),
    [
        (Violation(Rule.REQUIRED), ""),
        (Violation(Rule.REQUIRED, ("title", "status")), "title"),
        (Violation(Rule.REQUIRED, ("document",), {"path": "$"}), ""),
        (Violation(Rule.REQUIRED, ("title",), {"path": "$.title"}), "title"),
        (Violation(Rule.REQUIRED, ("title",), {"path": "$[3].title"}), "[3].title"),
        (Violation(Rule.UNKNOWN_FIELD, ("x y",), {"path": '$["x y"]'}), '["x y"]'),
        (Violation(Rule.REQUIRED, ("title",), {"path": 3}), "title"),
    ],
)
def test_place_of_a_sentence(violation: Violation, place: str) -> None:
    """The field at fault, or the place in the document, leads to the sentence."""
    assert {place: [render(violation)]} == render_fields([violation])


def test_courses_of_an_array_are_told_apart() -> None:
    """The same problem of two courses stands in two places."""
    with pytest.raises(InvalidDocument) as raised:
        courses_from_json("[{}, {}]")

    places = render_fields(raised.value.violations)
    assert {"[0].title", "[1].title"} == {place for place in places if place.endswith("title")}


# --- Errors

ERRORS: list[tuple[CourseDomainError, str, str]] = [
    (CourseNotFound(COURSE_ID), "Kurset finnes ikke.", "There is no such course."),
    (
        RegistrationNotFound(COURSE_ID, USER_ID),
        "Påmeldingen finnes ikke.",
        "There is no such registration.",
    ),
    (DuplicateCourse(COURSE_ID), "Kurset finnes allerede.", "The course already exists."),
    (
        NotPermitted("publish a course", "coordinator"),
        "Du har ikke tilgang til å gjøre dette.",
        "You are not allowed to do this.",
    ),
    (
        InvalidTransition("publish", "course", "archived"),
        "Du kan ikke publisere et kurs som er arkivert.",
        "You cannot publish a course that is archived.",
    ),
    (
        InvalidTransition("cancel", "registration", "completed"),
        "Du kan ikke trekke tilbake en påmelding som er fullført.",
        "You cannot cancel a registration that is completed.",
    ),
    (
        StaleCourse(COURSE_ID, NOW - timedelta(days=1), NOW),
        (
            "Kurset ble endret 2. mars 2026 kl. 10.30, etter at du åpnet det. Åpne det på nytt"
            " og prøv igjen."
        ),
        (
            "The course was changed on 2 March 2026 at 10:30, after you opened it. Open it again"
            " and try once more."
        ),
    ),
    (
        RepositoryUnavailable("secret.host: timeout"),
        (
            "Lagringen svarer ikke akkurat nå. Endringen din er kanskje ikke lagret: sjekk det før"
            " du prøver igjen."
        ),
        (
            "The storage does not answer just now. Your change may not be stored: check before you"
            " try again."
        ),
    ),
    (
        RegistrationRejected([closed(NOW), FULL]),
        (
            "Påmeldingsfristen gikk ut 2. mars 2026 kl. 10.30. Det er ingen ledige plasser (12 av"
            " 12 er tatt)."
        ),
        (
            "The registration deadline passed on 2 March 2026 at 10:30. All seats are taken (12 of"
            " 12)."
        ),
    ),
    (
        InvalidValue([Violation(Rule.REQUIRED, ("title",))]),
        "Tittelen må fylles ut.",
        "The title is required.",
    ),
    (
        InvalidDocument([Violation(Rule.REQUIRED, ("title",), {"path": "$.title"})]),
        "Tittelen må fylles ut.",
        "The title is required.",
    ),
]


@pytest.mark.parametrize(
    ("error", "norwegian", "english"), ERRORS, ids=[type(each[0]).__name__ for each in ERRORS]
)
def test_error_is_told_to_a_person(error: CourseDomainError, norwegian: str, english: str) -> None:
    """Every error of the library has a sentence, or those of its violations."""
    assert norwegian == render_error(error, "nb", OSLO)
    assert english == render_error(error, "en", OSLO)


def every_error() -> set[type[CourseDomainError]]:
    """Give each class of error that a host can catch."""
    return {
        kind
        for kind in vars(course_domain).values()
        if isinstance(kind, type) and issubclass(kind, CourseDomainError)
    }


def test_every_class_of_error_is_told() -> None:
    """No error of the library falls back to the general sentence."""
    told = {type(error) for error, _, _ in ERRORS}

    assert {CourseDomainError, InvalidCourse} == every_error() - told


@pytest.mark.parametrize("command", sorted({*chain(*COURSE_TRANSITIONS.values())}))
def test_every_command_has_a_word(command: str) -> None:
    """What a course can be told to do, and the statuses that it is in, are words of a catalogue."""
    assert {command, *CourseStatus} <= NORWEGIAN.keys()


def test_error_of_a_hosts_own_is_the_nearest_one_above() -> None:
    """A class that the catalogue lacks is told as its parent, or by the general sentence."""

    class CourseHidden(CourseNotFound):
        """A host's own."""

    class Mishap(CourseDomainError):
        """Another one."""

    own = {"CourseHidden": "Kurs {course_id} er skjult. {reason}"}
    assert "Kurset finnes ikke." == render_error(CourseHidden(COURSE_ID))
    assert f"Kurs {COURSE_ID} er skjult. ?" == render_error(CourseHidden(COURSE_ID), catalogue=own)
    assert "Noe gikk galt." == render_error(Mishap())


# --- A catalogue of the host's


def test_host_says_one_thing_in_its_own_way() -> None:
    """An entry of the host's is said in the place of ours; the rest stays."""
    own = {Rule.MAX_PARTICIPANTS_CAP: "Fullt! {max_participants} plasser, {nothing}."}

    assert "Fullt! 12 plasser, ?." == render(FULL, catalogue=own)
    assert "Tittelen må fylles ut." == render(Violation(Rule.REQUIRED, ("title",)), catalogue=own)


def test_host_says_everything_in_its_own_language() -> None:
    """Sentences, names, words and times come from a whole catalogue."""
    swedish = {
        **ENGLISH,
        "registration_deadline_enforced": "Anmälan stängde {registration_deadline}.",
        "instant": "{day} {month} {year} kl. {hour}:{minute}",
        "February": "februari",
    }

    assert "Anmälan stängde 19 februari 2027 kl. 23:59." == render(
        closed(datetime(2027, 2, 19, 23, 59, tzinfo=UTC)), "sv", catalogue=swedish
    )


@pytest.mark.parametrize(
    "sentence", ["{", "}", "{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{{a}}", "%s", "\\1"]
)
def test_sentence_of_a_host_never_fails(sentence: str) -> None:
    """Only a name in braces is filled in; whatever else stands there is said as it is."""
    said = render(Violation(Rule.TITLE_NOT_EMPTY), catalogue={"title_not_empty": f"X {sentence}"})

    assert f"X {sentence}".replace("{0}", "?").replace("{a}", "?") == said


def test_number_that_is_not_there_is_a_question_mark() -> None:
    """Words of a host's own may ask for more numbers than there are."""
    violation = Violation(Rule.MALFORMED_DOCUMENT, (), {"reason": "line 7"})

    assert "Dokumentet kan ikke leses som JSON: linje 7, tegn ?." == render(
        violation, catalogue={"line #": "linje #, tegn #"}
    )


def test_catalogues_are_read_only() -> None:
    """A host cannot change a word for everybody else."""
    for catalogue in (ENGLISH, NORWEGIAN):
        words: Any = catalogue
        with pytest.raises(TypeError):
            words["title"] = "x"


# --- Arguments

SPEAKERS = [
    partial(render, FULL),
    partial(render_fields, [FULL]),
    partial(render_error, CourseNotFound(COURSE_ID)),
]


@pytest.mark.parametrize(
    ("speak", "name"),
    [(render, "violation"), (render_fields, "violations"), (render_error, "error")],
)
def test_what_cannot_be_said_is_refused(speak: Callable[..., object], name: str) -> None:
    """What is no violation, no iterable of them, or no error of ours is ``wrong_type``."""
    others = ["x", 5, b"nb", object(), Violation, ValueError("x"), [Rule.REQUIRED]]

    assert [f"required: {name}"] == refusals(speak, None)
    assert [f"wrong_type: {name}"] * len(others) == [refusals(speak, each)[0] for each in others]


@pytest.mark.parametrize("speak", SPEAKERS)
@pytest.mark.parametrize(
    ("argument", "value", "rule"),
    [
        ("locale", None, "required"),
        ("locale", 5, "wrong_type"),
        ("locale", b"nb", "wrong_type"),
        ("zone", None, "required"),
        ("zone", "Europe/Oslo", "wrong_type"),
        ("zone", timedelta(hours=1), "wrong_type"),
        ("catalogue", "nb", "wrong_type"),
        ("catalogue", [("title", "x")], "wrong_type"),
        ("catalogue", {"title": 5}, "wrong_type"),
        ("catalogue", {"title": None}, "required"),
        ("catalogue", {5: "x"}, "wrong_type"),
    ],
)
def test_argument_of_a_wrong_type_is_refused(
    speak: Callable[..., object], argument: str, value: object, rule: str
) -> None:
    """A locale is text, a zone a tzinfo, a catalogue a mapping of text to text."""
    assert [f"{rule}: {argument}"] == refusals(speak, **{argument: value})


@pytest.mark.parametrize("zone", ZONES_WITHOUT_OFFSET)
def test_zone_without_an_offset_is_refused(zone: Any) -> None:
    """A zone that cannot tell its offset is ``naive_datetime``."""
    assert ["naive_datetime: zone"] == refusals(render, FULL, zone=zone)


def test_everything_wrong_with_the_arguments_is_told_at_once() -> None:
    """No argument hides another."""
    assert ["required: violation", "required: locale", "required: zone"] == refusals(
        render, None, None, None
    )
