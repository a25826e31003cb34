"""Courses for people: pages by a cookie, without a script."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from course_domain import COURSE_TRANSITIONS, Course, RegistrationStatus, Role
from fastapi_host.api import After, Service
from fastapi_host.people import SignedIn, from_our_form
from fastapi_host.showing import show, title_of, told

COURSES_ON_A_PAGE = 20
MOST = 200  # registrations and certificates of one's own that are shown

pages = APIRouter(include_in_schema=False)
posts = APIRouter(include_in_schema=False, dependencies=[Depends(from_our_form)])


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
