"""Courses for people: pages by a cookie, without a script, in Norwegian and English."""

import json
from collections.abc import Awaitable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates
from pydantic import BeforeValidator, NaiveDatetime

from course_domain import (
    COURSE_TRANSITIONS,
    Course,
    CourseDomainError,
    CourseType,
    InvalidValue,
    NotPermitted,
    RegistrationStatus,
    RepositoryUnavailable,
    Role,
)
from course_domain.messages import render, render_error, render_fields
from course_domain.serialization import course_details_from_json
from fastapi_host.api import After, Service
from fastapi_host.people import SignedIn, csrf_token, from_our_form
from fastapi_host.problems import headers_of, status_of
from fastapi_host.words import LANGUAGES, OSLO, WORDS, instant, language

COURSES_ON_A_PAGE = 20
MOST = 200  # registrations and certificates of one's own that are shown
HEADERS = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": (
        "default-src 'none'; img-src data:; style-src 'self'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Vary": "Accept-Language",
    "X-Content-Type-Options": "nosniff",
}

_EMPTY_IS_NONE = BeforeValidator(lambda text: text or None)  # a browser sends each field

templates = Jinja2Templates(directory=Path(__file__).parent / "templates")
pages = APIRouter(include_in_schema=False)
posts = APIRouter(dependencies=[Depends(from_our_form)])


def show(
    request: Request,
    template: str,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **shown: Any,
) -> Response:
    """Render a page in the reader's language."""
    locale = language(request)
    return templates.TemplateResponse(
        request,
        template,
        {
            "locale": locale,
            "languages": LANGUAGES,
            "words": WORDS[locale],
            "csrf": csrf_token(request),
            "person": request.app.state.people.get(request.session.get("person")),
            "notice": request.session.pop("notice", None),
            "instant": lambda moment: instant(moment, locale),
            "sentence": lambda violation: render(violation, locale, OSLO),
            **shown,
        },
        status_code=status,
        headers={**HEADERS, "Content-Language": locale, **(headers or {})},
    )


def domain_page(request: Request, error: CourseDomainError) -> Response:
    """Show an error of the library."""
    locale = language(request)
    detail = render_error(error, locale, OSLO)
    return show(
        request,
        "problem.html",
        status=status_of(error),
        headers=headers_of(error),
        heading=WORDS[locale][type(error).__name__],
        detail=detail,
    )


def http_page(request: Request, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Show what HTTP itself has a name for."""
    words = WORDS[language(request)]
    detail = words.get(str(status), "")
    return show(
        request,
        "problem.html",
        status=status,
        headers=headers,
        heading=words["problem"],
        detail=detail,
    )


async def told(
    request: Request, command: Awaitable[object], success: str, back: str = "/", **names: str
) -> Response:
    """Run a command, and tell on the page that follows how it went."""
    locale = language(request)
    try:
        await command
    except RepositoryUnavailable:
        raise
    except CourseDomainError as refused:
        return _follow(request, back, "alert", render_error(refused, locale, OSLO))
    return _follow(request, back, "status", WORDS[locale][success].format(**names))


def _follow(request: Request, page: str, role: str, text: str) -> Response:
    request.session["notice"] = {"role": role, "text": text}
    return RedirectResponse(page, 303)


def title_of(course: Course) -> str:
    """Shorten a title for a notice, which travels in the cookie."""
    return course.title[:200]


# --- Signing in


@pages.get("/sign-in")
async def sign_in_page(request: Request) -> Response:
    """Let a visitor choose who they are."""
    return show(request, "sign_in.html", people=request.app.state.people)


@posts.post("/sign-in")
async def sign_in(request: Request, name: Annotated[str, Form()]) -> Response:
    """Begin a session of this person's, with a CSRF token of its own."""
    kept = {key: request.session[key] for key in ("lang",) if key in request.session}
    request.session.clear()
    request.session.update(kept, person=name)
    return RedirectResponse("/", 303)


@posts.post("/sign-out")
async def sign_out(request: Request) -> Response:
    """End the session."""
    request.session.clear()
    return RedirectResponse("/sign-in", 303)


# --- For everybody


@pages.get("/")
async def list_courses(
    request: Request, person: SignedIn, service: Service, after: After = None
) -> Response:
    """Show the courses, what is open and why not, and what this person has."""
    actor = person.actor
    page = await service.courses(actor, after=after, limit=COURSES_ON_A_PAGE)
    held = await service.registrations(actor, user_id=actor.user_id, limit=MOST)
    mine = [each for each in held.items if each.status is RegistrationStatus.CONFIRMED]
    earned = (await service.certificates(actor, user_id=actor.user_id, limit=MOST)).items
    listed = [course.id for course in page.items]
    ids = [*listed, *(each.course_id for each in mine), *(each.course_id for each in earned)]
    offers = await service.offers(actor, ids)
    return show(
        request,
        "courses.html",
        page=page,
        is_first=after is None,
        listed=[offers[course_id] for course_id in listed if course_id in offers],
        offers=offers,
        mine=mine,
        certificates=earned,
        now=request.app.state.clock(),
        moves=_moves if actor.role is Role.ADMIN else lambda _: [],
    )


def _moves(course: Course) -> list[str]:
    """List the commands that would change the status of a course."""
    leads_to = COURSE_TRANSITIONS[course.status]
    return [command for command, status in leads_to.items() if status is not course.status]


@posts.post("/courses/{course_id}/register")
async def register(
    request: Request, person: SignedIn, service: Service, course_id: UUID
) -> Response:
    """Take a seat."""
    course = await service.course(person.actor, course_id)
    command = service.register(person.actor, course_id)
    return await told(request, command, "did register", title=title_of(course))


@posts.post("/courses/{course_id}/cancel")
async def cancel(request: Request, person: SignedIn, service: Service, course_id: UUID) -> Response:
    """Free one's seat."""
    command = service.cancel_registration(person.actor, course_id)
    return await told(request, command, "did cancel")


# --- For admins


@posts.post("/courses/{course_id}/{command}")
async def move(
    request: Request, person: SignedIn, service: Service, course_id: UUID, command: str
) -> Response:
    """Publish, unpublish, archive or restore."""
    moves = {
        "publish": service.publish_course,
        "unpublish": service.unpublish_course,
        "archive": service.archive_course,
        "restore": service.restore_course,
    }
    if command not in moves:
        return http_page(request, 404)
    course = await service.course(person.actor, course_id)
    moving = moves[command](person.actor, course_id)
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
    return _follow(request, "/", "status", created)


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


pages.include_router(posts)
