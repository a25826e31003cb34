"""What goes wrong, told to a program as problem details (RFC 9457) in the reader's language."""

import re
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from course_domain import (
    CourseDomainError,
    CourseNotFound,
    DuplicateCourse,
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
)
from course_domain.messages import render, render_error
from fastapi_host.words import OSLO, WORDS, language

STATUSES: Mapping[type[CourseDomainError], int] = {
    NotPermitted: 403,
    CourseNotFound: 404,
    RegistrationNotFound: 404,
    DuplicateCourse: 409,
    InvalidTransition: 409,
    RegistrationRejected: 409,
    StaleCourse: 412,
    InvalidValue: 422,  # and InvalidCourse and InvalidDocument below it
    RepositoryUnavailable: 503,
}
RETRY_AFTER_SECONDS = 5

# What FastAPI calls a value of the wrong type, and what it should have been.
_EXPECTED = {
    "int_parsing": "an integer",
    "bool_parsing": "a boolean",
    "uuid_parsing": "a UUID with hyphens",
    "enum": "one of {}",
    "model_attributes_type": "an object",
}
_JSON_TYPES: Mapping[type, str] = {
    bool: "boolean",
    int: "number",
    float: "number",
    list: "array",
}


def status_of(error: CourseDomainError) -> int:
    """Give the HTTP status of an error, by its class or the nearest one above."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def headers_of(error: CourseDomainError) -> dict[str, str]:
    """Tell when to ask again, where that helps."""
    known = isinstance(error, RepositoryUnavailable)
    return {"Retry-After": str(RETRY_AFTER_SECONDS)} if known else {}


def violation_document(violation: Violation, locale: str) -> dict[str, Any]:
    """Write a broken rule: its name for a program, its sentence for a person."""
    path = violation.params.get("path")
    return {
        "rule": violation.rule.value,
        "fields": list(violation.fields),
        **({} if path is None else {"path": path}),
        "sentence": render(violation, locale, OSLO),
    }


def domain_problem(request: Request, error: CourseDomainError) -> JSONResponse:
    """Write an error of the library, with every violation that it carries."""
    locale, name = language(request), type(error).__name__
    slug = re.sub("(?<!^)(?=[A-Z])", "-", name).lower()
    return _problem(
        request,
        status_of(error),
        kind=f"urn:course-domain:problem:{slug}",
        title=WORDS[locale][name],
        detail=render_error(error, locale, OSLO),
        violations=getattr(error, "violations", ()),
        headers=headers_of(error),
    )


def http_problem(
    request: Request, status: int, headers: Mapping[str, str] | None = None
) -> JSONResponse:
    """Write what HTTP itself has a name for."""
    title = HTTPStatus(status).phrase
    detail = WORDS[language(request)].get(str(status), title)
    return _problem(request, status, title=title, detail=detail, headers=headers or {})


def domain_error(refused: RequestValidationError) -> CourseDomainError | None:
    """Say in the library's words what FastAPI refuses; None for a path that leads nowhere."""
    errors: list[dict[str, Any]] = list(refused.errors())
    places = {each["loc"][0] for each in errors}
    if "path" in places:
        return None
    kind = InvalidDocument if "body" in places else InvalidValue
    return kind(_violation(each, str(refused.body)) for each in errors)


def _violation(error: Mapping[str, Any], body: str) -> Violation:
    place, *steps = error["loc"]
    kind, field = error["type"], str(steps[0]) if steps else "document"
    path: dict[str, Any] = {}
    if place == "body":
        path = {"path": f"$.{field}" if steps and kind != "json_invalid" else "$"}
    if kind == "json_invalid":
        before = body[: steps[0]]
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        reason = f"the syntax is wrong at line {line}, column {column}"
        return Violation(Rule.MALFORMED_DOCUMENT, ("document",), {**path, "reason": reason})
    if kind == "extra_forbidden":
        return Violation(Rule.UNKNOWN_FIELD, (field,), path)
    if kind == "missing":
        return Violation(Rule.REQUIRED, (field,), path)
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, InvalidDocument):  # what the library was asked to read
        (found,) = cause.violations
        without_path = {name: each for name, each in found.params.items() if name != "path"}
        return Violation(found.rule, (field,), {**without_path, **path})
    members = re.findall("'([a-z]+)'", str(error.get("ctx", {}).get("expected", "")))
    expected = _EXPECTED.get(kind, "of another form")
    actual = _JSON_TYPES.get(type(error["input"]), "string")
    params = {"expected": expected.format(", ".join(members)), "actual": actual, **path}
    return Violation(Rule.WRONG_TYPE, (field,), params)


def _problem(
    request: Request,
    status: int,
    *,
    title: str,
    detail: str,
    headers: Mapping[str, str],
    kind: str = "about:blank",
    violations: Iterable[Violation] = (),
) -> JSONResponse:
    locale = language(request)
    document: dict[str, Any] = {
        "type": kind,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    if listed := [violation_document(each, locale) for each in violations]:
        document["violations"] = listed
    return JSONResponse(
        document,
        status,
        {"Content-Language": locale, "Vary": "Accept-Language", **headers},
        media_type="application/problem+json",
    )
