"""Courses for programs: JSON under /api, by a bearer token."""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict

from course_domain import MAX_PAGE_LIMIT, Actor, Course, CourseOffer, CourseStatus, CourseType, Page
from course_domain.aio import AsyncCourseService
from course_domain.serialization import (
    course_changes_from_json,
    course_details_from_json,
    course_to_dict,
    make_converter,
)
from fastapi_host.openapi import body, gives
from fastapi_host.people import Asking
from fastapi_host.problems import violation_document
from fastapi_host.words import language

_CONVERTER = make_converter()
plain = _CONVERTER.unstructure
_NEVER = datetime(1900, 1, 1, tzinfo=UTC)  # when no course of ours was updated
_ETAG = re.compile(r'"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z)"')


def service_of(request: Request) -> AsyncCourseService:
    """Give the service that the application made when it started."""
    service: AsyncCourseService = request.app.state.service
    return service


def instant_as_given(given: object) -> datetime:
    """Read an instant as the library does: pydantic takes 2027 for a moment of 1970."""
    return _CONVERTER.structure(given, datetime)


Instant = Annotated[datetime, BeforeValidator(instant_as_given)]
Service = Annotated[AsyncCourseService, Depends(service_of)]
After = Annotated[str | None, Query(description="The `next` of an earlier page.")]
Limit = Annotated[int, Query(json_schema_extra={"minimum": 1, "maximum": MAX_PAGE_LIMIT})]
IfMatch = Annotated[str | None, Header(description="The ETag that the author saw, or *.")]
Statuses = Annotated[list[CourseStatus] | None, Query(alias="status")]

Command = Literal["publish", "unpublish", "archive", "restore"]
MOVES: Mapping[Command, Callable[[AsyncCourseService, Actor, UUID], Awaitable[Course]]] = {
    "publish": AsyncCourseService.publish_course,
    "unpublish": AsyncCourseService.unpublish_course,
    "archive": AsyncCourseService.archive_course,
    "restore": AsyncCourseService.restore_course,
}

api = APIRouter(prefix="/api", tags=["courses"])


class Completion(BaseModel):
    """When a person completed a course: an earlier instant, or now."""

    model_config = ConfigDict(extra="forbid")
    completed_at: Instant | None = None


def etag(course: Course) -> str:
    """Tag a course by its last change: a strong tag, as each change is later by at least 1 µs."""
    moment = course.updated_at.replace(tzinfo=None).isoformat(timespec="microseconds")
    return f'"{moment}Z"'


def expected_updated_at(if_match: str | None) -> datetime | None:
    """Read the tag of If-Match; 428 without one, None for any course, and never for a foreign tag.

    A tag that we have not given, or a list of them, is one that no course has: the service
    answers, in its own order, that the course is not to be seen, not theirs or changed since.
    """
    if if_match is None:
        raise HTTPException(428)
    if if_match.strip() == "*":
        return None
    known = _ETAG.fullmatch(if_match.strip())
    try:
        return datetime.fromisoformat(known[1]) if known else _NEVER
    except ValueError:
        return _NEVER


def shown(course: Course, status: int = 200, **headers: str) -> Response:
    """Answer with a course and its tag."""
    return JSONResponse(course_to_dict(course), status, {"ETag": etag(course), **headers})


def listed(request: Request, page: Page[Any], items: Iterable[Any]) -> Response:
    """Answer with a page; the address of the next one stands in a Link header too (RFC 8288)."""
    headers: dict[str, str] = {}
    if page.next is not None:
        following = request.url.include_query_params(after=page.next)
        headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
    return JSONResponse({"items": list(items), "next": page.next}, headers=headers)


def offer_document(offer: CourseOffer, locale: str) -> dict[str, Any]:
    """Write a course as one person meets it."""
    return {
        "course": course_to_dict(offer.course),
        "seats_left": offer.seats_left,
        "registration": plain(offer.registration),
        "rejections": [violation_document(each, locale) for each in offer.rejections],
    }


@api.get("/courses", **gives(200, "CoursePage"))
async def list_courses(
    *,
    request: Request,
    actor: Asking,
    service: Service,
    statuses: Statuses = None,
    course_type: CourseType | None = None,
    issues_certificate: bool | None = None,
    starts_from: Instant | None = None,
    starts_before: Instant | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """List the courses that you may view, by start; undated ones last."""
    page = await service.courses(
        actor,
        statuses=statuses,
        course_type=course_type,
        issues_certificate=issues_certificate,
        starts_from=starts_from,
        starts_before=starts_before,
        after=after,
        limit=limit,
    )
    return listed(request, page, map(course_to_dict, page.items))


@api.get("/offers", **gives(200, "CourseOfferPage"))
async def list_offers(
    request: Request, actor: Asking, service: Service, after: After = None, limit: Limit = 50
) -> Response:
    """List the same courses as you meet them: seats left, your registration, or why not."""
    page = await service.courses(actor, after=after, limit=limit)
    offers = await service.offers(actor, [course.id for course in page.items])
    locale = language(request)
    return listed(request, page, (offer_document(each, locale) for each in offers.values()))


@api.post("/courses", **gives(201, "Course", request=body("CourseDetails")))
async def create_course(request: Request, actor: Asking, service: Service) -> Response:
    """Create a draft; for admins."""
    details = course_details_from_json(await request.body())
    course = await service.create_course(actor, **details)
    return shown(course, 201, Location=f"/api/courses/{course.id}")


@api.get("/courses/{course_id}", **gives(200, "Course"))
async def show_course(actor: Asking, service: Service, course_id: UUID) -> Response:
    """Show a course, with the ETag to revise it by."""
    return shown(await service.course(actor, course_id))


@api.patch("/courses/{course_id}", **gives(200, "Course", request=body("CourseChanges")))
async def revise_course(
    request: Request,
    actor: Asking,
    service: Service,
    course_id: UUID,
    if_match: IfMatch = None,
) -> Response:
    """Change what is given: absent means unchanged, null means cleared; for admins."""
    expected = expected_updated_at(if_match)
    changes = course_changes_from_json(await request.body())
    course = await service.revise_course(actor, course_id, expected_updated_at=expected, **changes)
    return shown(course)


@api.get("/courses/{course_id}/offer", **gives(200, "CourseOffer"))
async def show_offer(
    request: Request, actor: Asking, service: Service, course_id: UUID
) -> Response:
    """Show a course as you meet it."""
    await service.course(actor, course_id)
    offers = await service.offers(actor, [course_id])
    return JSONResponse(offer_document(offers[course_id], language(request)))


@api.post("/courses/{course_id}/registrations", **gives(201, "Registration"))
async def register(actor: Asking, service: Service, course_id: UUID) -> Response:
    """Take a seat for yourself; asked again, you are given the same registration."""
    return JSONResponse(plain(await service.register(actor, course_id)), 201)


@api.post("/courses/{course_id}/{command}", **gives(200, "Course"))
async def move_course(
    actor: Asking, service: Service, course_id: UUID, command: Command
) -> Response:
    """Publish, unpublish, archive or restore a course; for admins."""
    return shown(await MOVES[command](service, actor, course_id))


@api.post("/courses/{course_id}/registrations/{user_id}/cancel", **gives(200, "Registration"))
async def cancel(actor: Asking, service: Service, course_id: UUID, user_id: UUID) -> Response:
    """Free your seat, or as an admin somebody else's."""
    freed = await service.cancel_registration(actor, course_id, user_id=user_id)
    return JSONResponse(plain(freed))


@api.post("/courses/{course_id}/registrations/{user_id}/complete", **gives(200, "Completed"))
async def complete(
    actor: Asking,
    service: Service,
    course_id: UUID,
    user_id: UUID,
    completion: Completion | None = None,
) -> Response:
    """Tell that a person completed a course; for admins."""
    done = await service.complete_registration(
        actor,
        course_id,
        user_id=user_id,
        completed_at=completion.completed_at if completion else None,
    )
    return JSONResponse(
        {"registration": plain(done.registration), "certificate": plain(done.certificate)}
    )


@api.get("/registrations", **gives(200, "RegistrationPage"))
async def list_registrations(
    *,
    request: Request,
    actor: Asking,
    service: Service,
    course_id: UUID | None = None,
    user_id: UUID | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """List your registrations, or as an admin those of the organization."""
    page = await service.registrations(
        actor, course_id=course_id, user_id=user_id, after=after, limit=limit
    )
    return listed(request, page, map(plain, page.items))


@api.get("/certificates", **gives(200, "PeerMentorCertificatePage"))
async def list_certificates(
    *,
    request: Request,
    actor: Asking,
    service: Service,
    course_id: UUID | None = None,
    user_id: UUID | None = None,
    expires_before: Instant | None = None,
    after: After = None,
    limit: Limit = 50,
) -> Response:
    """List your certificates, or as an admin those of the organization."""
    page = await service.certificates(
        actor,
        course_id=course_id,
        user_id=user_id,
        expires_before=expires_before,
        after=after,
        limit=limit,
    )
    return listed(request, page, map(plain, page.items))
