"""Who asks. A host puts its own sign-in in the place of this module."""

from collections.abc import Mapping
from secrets import compare_digest, token_urlsafe
from typing import Annotated
from uuid import UUID

import attrs
from fastapi import Depends, Form, HTTPException, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from course_domain import Actor, Role


@attrs.frozen
class Person:
    """Hold what a host knows of somebody: a name to show, and who they are to the library."""

    name: str
    organization: str
    actor: Actor


def _person(name: str, number: int, organization: str, role: Role) -> Person:
    actor = Actor(user_id=UUID(int=number), organization_id=_ORGANIZATIONS[organization], role=role)
    return Person(name, organization, actor)


_FAMILIES, _HEARING = "Familieforeningen", "Hørselsforeningen"
_ORGANIZATIONS = {  # the two of courses.json
    _FAMILIES: UUID("d23f0824-128b-4f33-8c5c-7fd0a6a3a450"),
    _HEARING: UUID("6513270e-269e-4d37-b2a7-4de452e6b438"),
}

PEOPLE: Mapping[str, Person] = {
    "astrid": _person("Astrid Lunde", 1, _FAMILIES, Role.ADMIN),
    "berit": _person("Berit Moen", 3, _FAMILIES, Role.COORDINATOR),
    "clara": _person("Clara Nilsen", 4, _FAMILIES, Role.PEER_MENTOR),
    "dag": _person("Dag Solberg", 5, _FAMILIES, Role.PEER_MENTOR),
    "henrik": _person("Henrik Vik", 6, _HEARING, Role.ADMIN),
    "ingrid": _person("Ingrid Aas", 7, _HEARING, Role.PEER_MENTOR),
}
"""Everybody in the demonstration. The key is the bearer token, and there is no password."""


class SignInFirst(Exception):
    """Send a visitor of a page to the sign-in."""


_bearer = HTTPBearer(auto_error=False, description="In the demonstration: astrid, clara, …")


def api_actor(
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)],
) -> Actor:
    """Give the actor behind a bearer token: verify a JWT here, or ask an identity provider."""
    people: Mapping[str, Person] = request.app.state.people
    person = people.get(credentials.credentials) if credentials else None
    if person is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return person.actor


def page_person(request: Request) -> Person:
    """Give the person behind the cookie, whom the sign-in put there."""
    people: Mapping[str, Person] = request.app.state.people
    try:
        return people[request.session["person"]]
    except KeyError:
        raise SignInFirst from None


def csrf_token(request: Request) -> str:
    """Give what each form of this session carries."""
    token: str = request.session.setdefault("csrf", token_urlsafe())
    return token


def from_our_form(request: Request, csrf: Annotated[str, Form()] = "") -> None:
    """Refuse a form that another site made a browser send."""
    if not compare_digest(csrf.encode(), request.session.get("csrf", token_urlsafe()).encode()):
        raise HTTPException(403)


SignedIn = Annotated[Person, Depends(page_person)]
Asking = Annotated[Actor, Depends(api_actor)]
