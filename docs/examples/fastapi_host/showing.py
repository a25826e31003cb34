"""How a page is shown, and how it tells what became of a form."""

from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.templating import Jinja2Templates

from course_domain import Course, CourseDomainError, RepositoryUnavailable
from course_domain.messages import render, render_error
from fastapi_host.people import csrf_token
from fastapi_host.problems import headers_of, status_of
from fastapi_host.words import LANGUAGES, OSLO, WORDS, instant, language

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


templates = Jinja2Templates(directory=Path(__file__).parent / "templates")


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
        return follow(request, back, "alert", render_error(refused, locale, OSLO))
    return follow(request, back, "status", WORDS[locale][success].format(**names))


def follow(request: Request, page: str, role: str, text: str) -> Response:
    """Go to a page, which says this text once."""
    request.session["notice"] = {"role": role, "text": text}
    return RedirectResponse(page, 303)


def title_of(course: Course) -> str:
    """Shorten a title for a notice, which travels in the cookie."""
    return course.title[:100]
