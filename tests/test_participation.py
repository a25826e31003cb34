import copy
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any
from uuid import UUID

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    COURSE_ID,
    FIRST,
    LAST,
    LAST_COMPUTED,
    MAX_INTEGER,
    NOW,
    USER_ID,
    HostDatetime,
    HostInt,
    HostUUID,
    certificate,
    course,
    participation,
    refusals,
    registration,
    reminder,
    wrong_cases,
    wrong_values,
)
from course_domain import (
    Course,
    Participation,
    PeerMentorCertificate,
    Registration,
    RegistrationStatus,
    RenewalReminder,
)
from course_domain.testing.strategies import (
    certificates,
    instants,
    participations,
    registrations,
    reminders,
    zones,
)

Fields = dict[str, str | type[object]]

REGISTRATION: Fields = {
    "id": "uuid",
    "course_id": "uuid",
    "organization_id": "uuid",
    "user_id": "uuid",
    "status": RegistrationStatus,
    "registered_at": "instant",
    "cancelled_at": "instant",
    "completed_at": "instant",
}
CERTIFICATE: Fields = {
    "id": "uuid",
    "course_id": "uuid",
    "organization_id": "uuid",
    "peer_mentor_id": "uuid",
    "issued_at": "instant",
    "expires_at": "computed instant",
}
REMINDER: Fields = {
    "certificate_id": "uuid",
    "course_id": "uuid",
    "organization_id": "uuid",
    "peer_mentor_id": "uuid",
    "remind_at": "computed instant",
}
PARTICIPATION: Fields = {
    "course": Course,
    "confirmed_count": "count",
    "user_id": "uuid",
    "registration": Registration,
    "certificate": PeerMentorCertificate,
    "reminder": RenewalReminder,
}


def ended(**fields: Any) -> Registration:
    """Give a registration with every instant that it can have."""
    return registration(**{"cancelled_at": NOW, "completed_at": NOW} | fields)


RECORDS: list[tuple[Callable[..., Any], type, Fields, set[str]]] = [
    (ended, Registration, REGISTRATION, {"cancelled_at", "completed_at"}),
    (certificate, PeerMentorCertificate, CERTIFICATE, {"expires_at"}),
    (reminder, RenewalReminder, REMINDER, set()),
    (participation, Participation, PARTICIPATION, {"registration", "certificate", "reminder"}),
]
each_record = pytest.mark.parametrize(
    ("build", "kind", "fields", "optional"), RECORDS, ids=[kind.__name__ for _, kind, *_ in RECORDS]
)


def of_kind(*kinds: str) -> list[Any]:
    """Give a case of record and field for every field of these kinds."""
    return [
        pytest.param(build, name, id=f"{kind.__name__}-{name}")
        for build, kind, fields, _ in RECORDS
        for name, wanted in fields.items()
        if wanted in kinds
    ]


def records() -> st.SearchStrategy[Any]:
    """Make a record of any of the four classes."""
    return registrations() | certificates() | reminders() | participations()


def test_registration_is_confirmed_or_cancelled() -> None:
    """A registration has one of two statuses, under their names."""
    assert ["confirmed", "cancelled"] == [status.value for status in RegistrationStatus]


@each_record
def test_record_has_the_fields_of_the_design(
    build: Callable[..., Any], kind: Any, fields: Fields, optional: set[str]
) -> None:
    """A record has these fields in this order, and None in those that may be left out."""
    required = {name: getattr(build(), name) for name in fields if name not in optional}

    assert list(fields) == [field.name for field in attrs.fields(kind)]
    assert dict.fromkeys(optional) == {name: getattr(kind(**required), name) for name in optional}


@pytest.mark.parametrize(
    ("build", "name", "value", "expected"),
    [
        pytest.param(build, *case.values, id=f"{kind.__name__}-{case.id}")
        for build, kind, fields, optional in RECORDS
        for case in wrong_cases(fields, optional)
    ],
)
def test_record_refuses_a_wrong_field(
    build: Callable[..., Any], name: str, value: object, expected: list[str]
) -> None:
    """A field that cannot mean what its name says makes no record."""
    assert expected == refusals(build, **{name: value})


@each_record
def test_record_tells_every_wrong_field(
    build: Callable[..., Any], kind: type, fields: Fields, optional: set[str]
) -> None:
    """All wrong fields are told at once, in the order of the record."""
    wrong = {name: (value, rule) for name, _, value, rule in wrong_values(fields, optional)}

    assert [f"{rule}: {name}" for name, (_, rule) in wrong.items()] == refusals(
        build, **{name: value for name, (value, _) in wrong.items()}
    )
    assert set(fields) == set(wrong), kind


@each_record
def test_record_needs_its_required_fields(
    build: Callable[..., Any], kind: Any, fields: Fields, optional: set[str]
) -> None:
    """A field that is left out is a TypeError, and so is one that is unknown."""
    plain = {name: getattr(build(), name) for name in fields}
    for name in set(fields) - optional:
        with pytest.raises(TypeError, match=name):
            kind(**{other: plain[other] for other in fields if other != name})
    with pytest.raises(TypeError, match="surplus"):
        kind(**plain, surplus=1)
    with pytest.raises(TypeError):
        kind(*plain.values())


@pytest.mark.parametrize(
    ("build", "name", "value"),
    [
        pytest.param(*case.values, bound, id=f"{case.id}-{bound.year}")
        for kind, bounds in [
            ("instant", (FIRST, LAST)),
            ("computed instant", (FIRST, LAST_COMPUTED)),
        ]
        for case in of_kind(kind)
        for bound in bounds
    ],
)
def test_record_takes_instants_at_the_bounds(
    build: Callable[..., Any], name: str, value: datetime
) -> None:
    """The first and the last instant of a field are taken; what is computed ends in 9099."""
    assert value == getattr(build(**{name: value}), name)


@pytest.mark.parametrize("count", [0, 1, MAX_INTEGER])
def test_participation_takes_counts_at_the_bounds(count: int) -> None:
    """Nobody, one and as many as a database can count are confirmed counts."""
    assert count == participation(confirmed_count=count).confirmed_count


@pytest.mark.parametrize("status", RegistrationStatus)
def test_registration_has_a_status(status: RegistrationStatus) -> None:
    """Either status is taken and kept as the member itself."""
    assert status is registration(status=status).status


@pytest.mark.parametrize(("build", "name"), of_kind("uuid"))
def test_record_keeps_plain_ids(build: Callable[..., Any], name: str) -> None:
    """An id of a subclass is kept as a UUID."""
    made = build(**{name: HostUUID(int=USER_ID.int)})

    assert (UUID, USER_ID) == (type(getattr(made, name)), getattr(made, name))


@pytest.mark.parametrize(("build", "name"), of_kind("instant", "computed instant"))
def test_record_keeps_plain_instants(build: Callable[..., Any], name: str) -> None:
    """A datetime of a subclass is kept as a datetime in UTC."""
    kept = getattr(build(**{name: HostDatetime.of(NOW)}), name)

    assert (datetime, UTC, NOW) == (type(kept), kept.tzinfo, kept)


def test_participation_keeps_a_plain_count() -> None:
    """A count of a subclass is kept as an int."""
    count = participation(confirmed_count=HostInt(3)).confirmed_count

    assert (int, 3) == (type(count), count)


@pytest.mark.parametrize(("build", "name"), of_kind("instant", "computed instant"))
@given(moment=instants(), zone=zones())
def test_record_is_equal_for_equal_instants(
    build: Callable[..., Any], name: str, moment: datetime, zone: tzinfo
) -> None:
    """The same instant in any zone gives an equal record with an equal hash, kept in UTC."""
    there = build(**{name: moment.astimezone(zone)})

    assert {build(**{name: moment})} == {there}
    assert UTC is getattr(there, name).tzinfo


def test_participation_holds_its_records() -> None:
    """What a participation is made of comes back as it was given."""
    parts = {
        "course": course(),
        "registration": registration(),
        "certificate": certificate(),
        "reminder": reminder(),
    }

    assert parts == {name: getattr(participation(**parts), name) for name in parts}
    assert COURSE_ID == participation(**parts).course.id


@each_record
def test_record_is_frozen(
    build: Callable[..., Any], kind: type, fields: Fields, optional: set[str]
) -> None:
    """No field of a record can be set again, and none can be added."""
    made = build()
    for name in (*fields, "surplus"):
        with pytest.raises(AttributeError):
            setattr(made, name, None)
    assert build() == made, (kind, optional)
    assert not hasattr(made, "__dict__")


@given(made=records())
def test_record_pickles_and_copies(made: Any) -> None:
    """A record is the same after a pickle and a copy, in a set too."""
    again = pickle.loads(pickle.dumps(made))

    assert {made} == {again, copy.copy(made), copy.deepcopy(made)}
    assert type(made) is type(again)
