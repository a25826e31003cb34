"""Answers for people and for programs: a page, or JSON for who does not take pages."""

from collections.abc import Mapping

from django.contrib import messages
from django.http import JsonResponse
from django.shortcuts import redirect, render

from course_domain import (
    CourseDomainError,
    CourseNotFound,
    DuplicateCourse,
    InvalidTransition,
    InvalidValue,
    NotPermitted,
    RegistrationNotFound,
    RegistrationRejected,
    RepositoryUnavailable,
    StaleCourse,
)
from course_domain.serialization import make_converter
from courses.words import refusal, sentence

STATUSES: Mapping[type[CourseDomainError], int] = {
    CourseNotFound: 404,
    RegistrationNotFound: 404,
    NotPermitted: 403,
    DuplicateCourse: 409,
    InvalidTransition: 409,
    RegistrationRejected: 409,
    StaleCourse: 412,
    InvalidValue: 422,  # an invalid course or document is one
    RepositoryUnavailable: 503,
}

to_json = make_converter().unstructure


def wants_json(request):
    """Tell whether a program asks."""
    return not request.accepts("text/html")


def done(request, value, said, *, status=200):
    """Tell that a command has been done: what came of it, or a sentence above the list."""
    if wants_json(request):
        return JsonResponse(to_json(value), status=status)
    messages.success(request, said)
    return redirect("courses", request.resolver_match.kwargs["organization_id"])


class RefusalMiddleware:
    """Answer what the domain refuses, whichever view it was asked by."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        """Answer a request."""
        return self.get_response(request)

    def process_exception(self, request, error):
        """Answer with the status that fits, and with every reason."""
        if not isinstance(error, CourseDomainError):
            return None
        status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
        reasons = getattr(error, "violations", ())
        if not wants_json(request):
            context = {"reasons": [sentence(each) for each in reasons] or [refusal(error)]}
            return render(request, "courses/refused.html", context, status=status)
        problem = {
            "title": type(error).__name__,
            "status": status,
            "detail": refusal(error),
            "violations": [
                {"rule": each.rule, "fields": each.fields, "sentence": sentence(each)}
                for each in reasons
            ],
        }
        kind = "application/problem+json"
        return JsonResponse(problem, status=status, content_type=kind)
