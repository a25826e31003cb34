"""The application: a database, the service, the job that delivers reminders, pages and API.

    uvicorn --app-dir docs/examples --factory fastapi_host.main:create_app

COURSES_DATABASE_URL names another database than courses.db in the present folder, and
COURSES_SECRET signs cookies that outlive a restart, in all workers alike.
"""

import logging
import os
import secrets
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import sqlalchemy
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware

from course_domain import CourseDomainError, DuplicateCourse, RenewalReminder
from course_domain.aio import AsyncCourseService
from course_domain.aio_threads import ThreadedCourseRepository
from course_domain.serialization import courses_from_json
from course_domain.service import utc_now
from course_domain.sql import SqlCourseRepository, create_schema, metadata
from fastapi_host import admin_pages, pages
from fastapi_host.api import api
from fastapi_host.openapi import describe
from fastapi_host.people import PEOPLE, Person, SignInFirst
from fastapi_host.problems import domain_error, domain_problem, http_problem
from fastapi_host.showing import domain_page, http_page
from fastapi_host.words import OSLO

FOLDER = Path(__file__).parent
SAMPLE = FOLDER.with_name("courses.json")
THREADS = 20  # and as many connections
DELIVER_EVERY_SECONDS = 60
LOG = logging.getLogger("uvicorn.error")  # which uvicorn shows


class LoggingScheduler:
    """Stand for a scheduler that delivers: this one only tells what it was given."""

    async def schedule(self, reminder: RenewalReminder) -> None:
        """Take one reminder."""
        LOG.info("reminder of %s at %s", reminder.certificate_id, reminder.remind_at)


async def deliver_reminders(service: AsyncCourseService) -> None:
    """Deliver, again and again, what a completion left in the outbox."""
    while True:
        try:
            await service.schedule_pending_reminders()
        except CourseDomainError:
            LOG.exception("reminders stay in the outbox")
        await anyio.sleep(DELIVER_EVERY_SECONDS)


def prepare(engine: sqlalchemy.Engine, repository: SqlCourseRepository) -> None:
    """Make the tables, and put the sample courses into a database that has none."""
    create_schema(engine)
    with engine.connect() as connection:
        has_courses = connection.execute(metadata.tables["courses"].select().limit(1)).first()
    if has_courses is None:
        for course in courses_from_json(SAMPLE.read_bytes()):
            with suppress(DuplicateCourse):  # of another worker that starts
                repository.add(course)


def create_app(
    database_url: str | None = None,
    *,
    people: Mapping[str, Person] = PEOPLE,
    clock: Callable[[], datetime] = utc_now,
) -> FastAPI:
    """Make the application; it opens the database when it starts."""
    url = database_url or os.environ.get("COURSES_DATABASE_URL", "sqlite:///courses.db")

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        engine = sqlalchemy.create_engine(
            url, pool_size=THREADS, pool_timeout=3, pool_use_lifo=True
        )
        try:
            repository = SqlCourseRepository(engine)
            await anyio.to_thread.run_sync(prepare, engine, repository)
            threaded = ThreadedCourseRepository(repository, threads=THREADS)
            service = AsyncCourseService(threaded, LoggingScheduler(), clock=clock, zone=OSLO)
            async with anyio.create_task_group() as jobs:
                jobs.start_soon(deliver_reminders, service)
                app.state.service = service
                yield
                jobs.cancel_scope.cancel()
        finally:
            engine.dispose()

    app = FastAPI(title="Courses for peer mentors", version="1", lifespan=lifespan, redoc_url=None)
    app.state.people, app.state.clock = people, clock
    app.add_middleware(
        SessionMiddleware,
        secret_key=os.environ.get("COURSES_SECRET") or secrets.token_urlsafe(),
        # Behind TLS, where it belongs: https_only=True.
    )
    app.include_router(api)
    for router in (pages.pages, pages.posts, admin_pages.pages, admin_pages.posts):
        app.include_router(router)
    app.mount("/static", StaticFiles(directory=FOLDER / "static"))
    app.add_exception_handler(CourseDomainError, _refused)
    app.add_exception_handler(RequestValidationError, _misread)
    app.add_exception_handler(HTTPException, _answered)
    app.add_exception_handler(SignInFirst, lambda *_: RedirectResponse("/sign-in", 303))
    describe(app)
    return app


def _for_a_program(request: Request) -> bool:
    return request.url.path.startswith("/api/")


async def _refused(request: Request, error: Any) -> Response:
    return (domain_problem if _for_a_program(request) else domain_page)(request, error)


async def _misread(request: Request, error: Any) -> Response:
    known = domain_error(error)
    if known is None:
        return (http_problem if _for_a_program(request) else http_page)(request, 404)
    return await _refused(request, known)


async def _answered(request: Request, error: Any) -> Response:
    answer = http_problem if _for_a_program(request) else http_page
    return answer(request, error.status_code, error.headers)
