"""The pages of admins: who takes part, a new course, and the moves of one."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from pydantic import BeforeValidator, NaiveDatetime

from course_domain import CourseType, InvalidValue, NotPermitted, Role
from course_domain.messages import render_fields
from course_domain.serialization import course_details_from_json
from fastapi_host.api import MOVES, After, Command, Service
from fastapi_host.people import SignedIn, from_our_form
from fastapi_host.showing import follow, show, title_of, told
from fastapi_host.words import OSLO, WORDS, language

_EMPTY_IS_NONE = BeforeValidator(lambda text: text or None)  # a browser sends each field

pages = APIRouter(include_in_schema=False)
posts = APIRouter(include_in_schema=False, dependencies=[Depends(from_our_form)])


@posts.post("/courses/{course_id}/{command}")
async def move(
    request: Request, person: SignedIn, service: Service, course_id: UUID, command: Command
) -> Response:
    """Publish, unpublish, archive or restore."""
    course = await service.course(person.actor, course_id)
    moving = MOVES[command](service, person.actor, course_id)
    return await told(request, moving, f"did {command}", title=title_of(course))


@pages.get("/courses/{course_id}")
async def show_participants(
    request: Request,
    person: SignedIn,
    service: Service,
    course_id: UUID,
    after: After = None,
) -> Response:
    """Show who is registered."""
    course = await service.course(person.actor, course_id)
    if person.actor.role is not Role.ADMIN:
        raise NotPermitted("see what another person has", person.actor.role)
    page = await service.registrations(person.actor, course_id=course_id, after=after)
    return show(request, "participants.html", course=course, page=page, names=_names(request))


def _names(request: Request) -> dict[UUID, str]:
    return {each.actor.user_id: each.name for each in request.app.state.people.values()}


@posts.post("/courses/{course_id}/participants/{user_id}/complete")
async def complete(
    *,
    request: Request,
    person: SignedIn,
    service: Service,
    course_id: UUID,
    user_id: UUID,
    completed_at: Annotated[NaiveDatetime | None, Form(), _EMPTY_IS_NONE] = None,
) -> Response:
    """Tell that somebody completed a course, now or when the form says."""
    when = completed_at and completed_at.replace(tzinfo=OSLO)
    completing = service.complete_registration(
        person.actor, course_id, user_id=user_id, completed_at=when
    )
    name = _names(request).get(user_id, str(user_id))
    return await told(request, completing, "did complete", f"/courses/{course_id}", name=name)


@pages.get("/new-course")
async def new_course(request: Request, person: SignedIn) -> Response:
    """Show an empty form."""
    return _form(request, person.actor.role, {})


@posts.post("/new-course")
async def create_course(request: Request, person: SignedIn, service: Service) -> Response:
    """Create a draft, or show the form again with a sentence at each field that is wrong."""
    form = {name: str(value) for name, value in (await request.form()).items() if value}
    try:
        details = course_details_from_json(json.dumps(_document(form)))
        course = await service.create_course(person.actor, **details)
    except InvalidValue as refused:
        wrong = render_fields(refused.violations, language(request), OSLO)
        return _form(request, person.actor.role, form, wrong)
    created = WORDS[language(request)]["did create"].format(title=title_of(course))
    return follow(request, "/", "status", created)


def _form(
    request: Request,
    role: Role,
    form: Mapping[str, str],
    wrong: Mapping[str, list[str]] | None = None,
) -> Response:
    if role is not Role.ADMIN:
        raise NotPermitted("create", role)
    return show(
        request,
        "new_course.html",
        status=422 if wrong else 200,
        form=form,
        wrong=wrong or {},
        types=[each.value for each in CourseType],
    )


def _document(form: Mapping[str, str]) -> dict[str, Any]:
    """Write what a form says as a client of the API would; what cannot be read stays text."""
    document: dict[str, Any] = {}
    for name in ("title", "description", "course_type", "location"):
        document[name] = form.get(name)
    for name in ("start_date", "end_date", "registration_deadline"):
        document[name] = _instant(form[name]) if name in form else None
    for name in ("max_participants", "certificate_validity_months"):
        text = form.get(name)
        document[name] = int(text) if text and text.isascii() and text.isdigit() else text
    for name in ("is_virtual", "issues_certificate", "certificate_never_expires"):
        document[name] = name in form
    return document


def _instant(text: str) -> str:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=OSLO).isoformat()
    except ValueError:
        return text
