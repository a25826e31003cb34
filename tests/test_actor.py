import copy
import pickle
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given

from builders import (
    ORGANIZATION_ID,
    USER_ID,
    HostUUID,
    actor,
    refusals,
    wrong_cases,
)
from course_domain import Actor, Role
from course_domain.testing.strategies import actors

FIELDS: dict[str, str | type[object]] = {
    "user_id": "uuid",
    "organization_id": "uuid",
    "role": Role,
}


def test_roles_have_the_names_of_the_design() -> None:
    """A person is a peer mentor, a coordinator or an admin."""
    assert ["peer_mentor", "coordinator", "admin"] == [role.value for role in Role]


@pytest.mark.parametrize("role", Role)
def test_actor_is_a_person_in_a_role(role: Role) -> None:
    """An actor says who, of which organization, in which role."""
    asking = Actor(user_id=USER_ID, organization_id=ORGANIZATION_ID, role=role)

    assert (USER_ID, ORGANIZATION_ID, role) == (
        asking.user_id,
        asking.organization_id,
        asking.role,
    )


@pytest.mark.parametrize(("name", "value", "expected"), wrong_cases(FIELDS))
def test_actor_refuses_a_wrong_field(name: str, value: object, expected: list[str]) -> None:
    """A field of another type, or none at all, makes no actor."""
    assert expected == refusals(actor, **{name: value})


def test_actor_tells_every_wrong_field() -> None:
    """All wrong fields are told at once."""
    assert ["wrong_type: user_id", "required: organization_id", "wrong_type: role"] == refusals(
        actor, user_id="x", organization_id=None, role="admin"
    )


@pytest.mark.parametrize("name", ["user_id", "organization_id"])
def test_actor_keeps_plain_ids(name: str) -> None:
    """An id of a subclass, as a database driver gives, is kept as a UUID."""
    asking = actor(**{name: HostUUID(int=USER_ID.int)})

    assert UUID is type(getattr(asking, name))
    assert USER_ID == getattr(asking, name)


@pytest.mark.parametrize("name", FIELDS)
def test_actor_needs_every_field(name: str) -> None:
    """A field that is left out is a TypeError."""
    fields: dict[str, Any] = {"user_id": USER_ID, "organization_id": USER_ID, "role": Role.ADMIN}
    del fields[name]

    with pytest.raises(TypeError, match=name):
        Actor(**fields)


def test_actor_takes_keywords_only() -> None:
    """Two ids that stand side by side cannot be mixed up."""
    build: Any = Actor

    with pytest.raises(TypeError):
        build(USER_ID, ORGANIZATION_ID, Role.ADMIN)


@pytest.mark.parametrize("name", FIELDS)
def test_actor_is_frozen(name: str) -> None:
    """No field of an actor can be set again."""
    asking = actor()

    with pytest.raises(AttributeError):
        setattr(asking, name, getattr(asking, name))


@given(asking=actors())
def test_actor_pickles_and_copies(asking: Actor) -> None:
    """An actor is the same after a pickle and a copy, in a set too."""
    again = pickle.loads(pickle.dumps(asking))

    assert {asking} == {again, copy.copy(asking), copy.deepcopy(asking)}
    assert not hasattr(asking, "__dict__")
