"""What the API says of itself: the library's own schemas, and the problems that it answers with."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import attrs
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter

from course_domain import PeerMentorCertificate, Registration
from course_domain.serialization import (
    course_changes_json_schema,
    course_details_json_schema,
    course_json_schema,
)

_PROBLEMS = (401, 403, 404, 409, 412, 422, 428, 503)


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _record(kind: type[Any]) -> dict[str, Any]:
    """Describe a record of the library by the types of its fields."""
    fields = {each.name: TypeAdapter(each.type).json_schema() for each in attrs.fields(kind)}
    return _object(**fields)


def _array(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _page(name: str) -> dict[str, Any]:
    return _object(items=_array(_ref(name)), next={"type": ["string", "null"]})


def _or_null(name: str) -> dict[str, Any]:
    return {"anyOf": [_ref(name), {"type": "null"}]}


_STRING = {"type": "string"}
_VIOLATION = _object(rule=_STRING, fields=_array(_STRING), sentence=_STRING)
_VIOLATION["properties"]["path"] = _STRING
_PROBLEM = _object(
    type={"type": "string", "format": "uri-reference"},
    title=_STRING,
    status={"type": "integer"},
    detail=_STRING,
    instance={"type": "string", "format": "uri-reference"},
)
_PROBLEM["properties"]["violations"] = _array(_ref("Violation"))

SCHEMAS: Mapping[str, dict[str, Any]] = {
    "Course": course_json_schema(),
    "CourseDetails": course_details_json_schema(),
    "CourseChanges": course_changes_json_schema(),
    "CourseOffer": _object(
        course=_ref("Course"),
        seats_left={"type": ["integer", "null"]},
        registration=_or_null("Registration"),
        rejections=_array(_ref("Violation")),
    ),
    "Registration": _record(Registration),
    "PeerMentorCertificate": _record(PeerMentorCertificate),
    "Completed": _object(
        registration=_ref("Registration"), certificate=_or_null("PeerMentorCertificate")
    ),
    **{
        f"{name}Page": _page(name)
        for name in ("Course", "CourseOffer", "Registration", "PeerMentorCertificate")
    },
    "Violation": _VIOLATION,
    "Problem": _PROBLEM,
}


def body(name: str) -> dict[str, Any]:
    """Say what a request carries."""
    content = {"application/json": {"schema": _ref(name)}}
    return {"requestBody": {"required": True, "content": content}}


def gives(status: int, name: str, *, request: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Say what an operation answers, for the decorator of a route."""
    problem = {"application/problem+json": {"schema": _ref("Problem")}}
    responses: dict[int, Any] = {
        each: {"description": HTTPStatus(each).phrase, "content": problem} for each in _PROBLEMS
    }
    responses[status] = {
        "description": HTTPStatus(status).phrase,
        "content": {"application/json": {"schema": _ref(name)}},
    }
    return {"status_code": status, "responses": responses, "openapi_extra": dict(request or {})}


def describe(app: FastAPI) -> None:
    """Put the schemas of the library among the components of the application."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=app.routes
            )
            document["components"]["schemas"] |= SCHEMAS
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # how FastAPI takes a document of one's own
