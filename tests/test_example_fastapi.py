"""The FastAPI host, by HTTP against a server that runs: answers, tags, lists, pages."""

import importlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import attrs
import httpx
import pytest
import sqlalchemy
import uvicorn
from openapi_spec_validator import validate

import course_domain
from course_domain import Actor, CourseDomainError, CourseService, DuplicateCourse, Role
from course_domain.serialization import (
    course_changes_json_schema,
    course_details_json_schema,
    course_json_schema,
)
from course_domain.sql import SqlCourseRepository
from engines import Databases, disposed
from galera import wait_until

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"
sys.path.insert(0, str(EXAMPLES))
main: Any = importlib.import_module("fastapi_host.main")
openapi: Any = importlib.import_module("fastapi_host.openapi")
people: Any = importlib.import_module("fastapi_host.people")
problems: Any = importlib.import_module("fastapi_host.problems")
words: Any = importlib.import_module("fastapi_host.words")

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
FAMILIES = UUID("d23f0824-128b-4f33-8c5c-7fd0a6a3a450")
TRAINING = "8d116ece-1738-47d9-bd9c-172411e20b8f"  # of FAMILIES, published
GRIEF = "0fd630f1-f29d-4da9-953f-48f1a09f76b5"  # the same; ten seats
SIBLINGS = "0cb1e29c-658c-4a14-95e6-0af593bd04cf"  # of FAMILIES, a draft
TINNITUS = "92276658-1e27-41c0-8a6a-63ec24ede6a4"  # of another organization
MISSING = "00000000-0000-4000-8000-00000000dead"
CLARA = str(UUID(int=4))
ADDRESS = re.compile(r"http://[0-9.]+:[0-9]+")
EVERYBODY: dict[str, Any] = dict(people.PEOPLE)
DETAILS: dict[str, Any] = {
    "title": "Å lytte",
    "course_type": "workshop",
    "is_virtual": False,
    "issues_certificate": False,
}

Answer = httpx.Response


def join(name: str, organization_id: UUID, role: Role = Role.PEER_MENTOR) -> str:
    """Let the host know one more person, and give their token."""
    token = f"{name}-{uuid4().hex}"
    actor = Actor(user_id=uuid4(), organization_id=organization_id, role=role)
    EVERYBODY[token] = people.Person(name, "Foreningen", actor)
    return token


@attrs.frozen
class Organization:
    """The tokens of an admin and two peer mentors, of an organization without courses."""

    admin: str
    kari: str
    ola: str


@contextmanager
def running(database_url: str) -> Generator[str, None, None]:
    """Run the host on a free port, and give its address; its clock stands at `NOW`."""
    app = main.create_app(database_url, people=EVERYBODY, clock=lambda: NOW)
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="on", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), 30, "the host answers")
        (listening,) = server.servers[0].sockets
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


@attrs.frozen
class Api:
    """Ask as somebody, with their bearer token."""

    client: httpx.Client

    def __call__(
        self, who: str, method: str, path: str, *, language: str = "nb", **more: Any
    ) -> Answer:
        """Send one request."""
        headers = {
            "Authorization": f"Bearer {who}",
            "Accept-Language": language,
            **more.pop("headers", {}),
        }
        return self.client.request(method, f"/api{path}", headers=headers, **more)

    def course(self, by: str = "astrid", *, publish: bool = True, **details: Any) -> Any:
        """Create a course, published unless it is to be a draft."""
        created = self(by, "POST", "/courses", json={**DETAILS, **details})
        assert 201 == created.status_code, created.text
        document = created.json()
        if publish:
            document = self(by, "POST", f"/courses/{document['id']}/publish").json()
        return document


@attrs.define
class Browser:
    """Visit pages as somebody: cookies kept, each form sent with the token that stands in it."""

    client: httpx.Client

    def get(self, path: str) -> Answer:
        """Visit a page."""
        return self.client.get(path, follow_redirects=True)

    def post(self, path: str, **form: Any) -> Answer:
        """Send a form of the page that is shown, and follow where it leads."""
        (token, *_) = re.findall('name="csrf" value="(.*?)"', self.get("/").text)
        return self.client.post(path, data={"csrf": token, **form}, follow_redirects=True)


@pytest.fixture
def ours() -> Organization:
    """Give an organization of one's own."""
    organization_id = uuid4()
    admin = join("Eva", organization_id, Role.ADMIN)
    return Organization(admin, join("Kari", organization_id), join("Ola", organization_id))


@pytest.fixture(scope="module")
def hosts(request: pytest.FixtureRequest) -> Iterator[Callable[[str], httpx.Client]]:
    """Give a client of the host on an engine, which is started when it is first asked for."""
    clients: dict[str, httpx.Client] = {}
    with ExitStack() as stack:

        def host(engine: str) -> httpx.Client:
            if engine not in clients:
                databases: Databases = request.getfixturevalue(f"{engine}_databases")
                (url, *_) = stack.enter_context(databases.lent())
                address = stack.enter_context(running(url))
                client = httpx.Client(base_url=address, verify=False)
                clients[engine] = stack.enter_context(client)
            return clients[engine]

        yield host


@pytest.fixture
def api(request: pytest.FixtureRequest, hosts: Callable[[str], httpx.Client]) -> Api:
    """Give the API of the host, on SQLite unless the test is `ON_BOTH`."""
    return Api(hosts(getattr(request, "param", "sqlite")))


ON_BOTH = pytest.mark.parametrize("api", ["sqlite", "postgresql"], indirect=True)
"""For what reaches the storage in a way of its own."""

Visit = Callable[..., Browser]


@pytest.fixture
def visit(api: Api) -> Iterator[Visit]:
    """Give a way to sign in with a browser of one's own."""
    with ExitStack() as stack:

        def visit(who: str | None, language: str = "nb-NO,nb;q=0.9,en;q=0.5") -> Browser:
            headers = {"Accept-Language": language}
            client = httpx.Client(base_url=api.client.base_url, headers=headers, verify=False)
            browser = Browser(stack.enter_context(client))
            if who is not None:
                browser.post("/sign-in", name=who)
            return browser

        yield visit


def problem(answer: Answer, status: int, name: str) -> Any:
    """Give the problem details of an answer, which are to be of this status and type."""
    document = answer.json()
    assert (status, "application/problem+json") == (
        answer.status_code,
        answer.headers["content-type"],
    ), answer.text
    kind = name if ":" in name else f"urn:course-domain:problem:{name}"
    assert (kind, status) == (document["type"], document["status"])
    assert document["title"]
    assert document["detail"]
    assert answer.request.url.path == document["instance"]
    return document


def broken(document: Any) -> list[tuple[str, str | None]]:
    """Give the rule and the path of each violation of a problem."""
    return [(each["rule"], each.get("path")) for each in document["violations"]]


def text(answer: Answer) -> str:
    """Give the words of a page as a person reads them."""
    return " ".join(unescape(re.sub("<[^>]*>", " ", answer.text)).split())


def card(answer: Answer, course_id: str) -> str:
    """Give the words that a page has about one course."""
    (found,) = re.findall(
        f'<article aria-labelledby="c{course_id}">.*?</article>', answer.text, re.S
    )
    return " ".join(unescape(re.sub("<[^>]*>", " ", found)).split())


# --- Who asks, and what there is


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic YXN0cmlkOg=="}],
    ids=["none", "unknown", "another-scheme"],
)
def test_api_asks_who_you_are(headers: dict[str, str], api: Api) -> None:
    """Without a token that somebody has, the answer is 401 and how to ask."""
    answer = api.client.get("/api/courses", headers=headers)

    problem(answer, 401, "about:blank")
    assert "Bearer" == answer.headers["www-authenticate"]


@ON_BOTH
def test_course_is_shown_as_it_is_stored(api: Api) -> None:
    """A course is the document that its schema describes."""
    shown = api("clara", "GET", f"/courses/{TRAINING}").json()

    assert list(course_json_schema()["properties"]) == list(shown)
    assert "2027-02-19T22:59:59Z" == shown["registration_deadline"]


@ON_BOTH
def test_what_is_hidden_foreign_and_missing_looks_the_same(api: Api) -> None:
    """A peer mentor cannot tell a draft or another's course from one that there is not."""
    told: set[str] = set()
    for course_id in (SIBLINGS, TINNITUS, MISSING):
        answer = api("clara", "GET", f"/courses/{course_id}")
        problem(answer, 404, "course-not-found")
        told.add(answer.text.replace(course_id, ""))

    assert 1 == len(told)


@pytest.mark.parametrize("call", ["/registrations", "/publish", "/offer"])
def test_every_call_hides_what_is_hidden(call: str, api: Api) -> None:
    """Registering, publishing and the offer find a hidden course as little as the look at it."""
    method = "GET" if call == "/offer" else "POST"

    problem(api("clara", method, f"/courses/{SIBLINGS}{call}"), 404, "course-not-found")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/courses/12", 404),
        ("GET", "/nothing", 404),
        ("PUT", "/courses", 405),
    ],
)
def test_what_the_api_does_not_have(method: str, path: str, status: int, api: Api) -> None:
    """An address that leads nowhere, and a method that is not taken, are problems too."""
    problem(api("clara", method, path), status, "about:blank")


# --- Authors


@ON_BOTH
def test_admin_creates_a_draft(api: Api) -> None:
    """A course that is created is a draft, stands at its Location, and has its tag."""
    created = api("astrid", "POST", "/courses", json=DETAILS)
    found = api.client.get(created.headers["location"], headers={"Authorization": "Bearer astrid"})

    assert (201, "draft") == (created.status_code, created.json()["status"])
    assert created.json() == found.json()
    assert created.headers["etag"] == found.headers["etag"]


def test_peer_mentor_may_not_create(api: Api) -> None:
    """Who is no admin is told so: 403."""
    problem(api("clara", "POST", "/courses", json=DETAILS), 403, "not-permitted")


def test_every_problem_of_a_document_comes_with_its_path(api: Api) -> None:
    """What the reader of the library finds wrong, the answer lists: 422."""
    sent = {**DETAILS, "title": " ", "is_virtual": "no", "max_participants": 0, "status": "draft"}
    answer = api("astrid", "POST", "/courses", json=sent, language="en")
    told = problem(answer, 422, "invalid-document")

    assert [
        ("wrong_type", "$.is_virtual"),
        ("title_not_empty", "$.title"),
        ("max_participants_positive", "$.max_participants"),
        ("unknown_field", "$.status"),
    ] == broken(told)
    assert "The title must have at least one visible character." in [
        each["sentence"] for each in told["violations"]
    ]
    assert ["title"] == told["violations"][1]["fields"]


@pytest.mark.parametrize("body", ["", "{", "[]", '{"title": NaN}', b"\xff"])
def test_what_is_no_document_is_refused(body: Any, api: Api) -> None:
    """A body that is no JSON object is a problem of the document as a whole: 422."""
    told = problem(api("astrid", "POST", "/courses", content=body), 422, "invalid-document")

    assert ["$"] == [each["path"] for each in told["violations"]]


def test_course_that_would_break_its_rules_is_refused(api: Api) -> None:
    """What is judged at the create is told in the same way: 422."""
    sent = {**DETAILS, "issues_certificate": True}
    told = problem(api("astrid", "POST", "/courses", json=sent), 422, "invalid-course")

    rule = "certificate_validity_required_when_issues_certificate"
    assert [(rule, None)] == broken(told)


def test_archived_course_is_not_published(api: Api) -> None:
    """A move that the status has no way for is 409; the course stays as it is."""
    course = api.course()
    archived = api("astrid", "POST", f"/courses/{course['id']}/archive")
    told = problem(
        api("astrid", "POST", f"/courses/{course['id']}/publish"), 409, "invalid-transition"
    )

    assert "Du kan ikke publisere et kurs som er arkivert." == told["detail"]
    assert archived.json() == api("astrid", "GET", f"/courses/{course['id']}").json()


@pytest.mark.parametrize(
    ("moves", "status"),
    [
        (["publish"], "published"),
        (["publish", "unpublish"], "draft"),
        (["archive"], "archived"),
        (["archive", "restore"], "draft"),
    ],
)
def test_admin_moves_a_course(moves: list[str], status: str, api: Api) -> None:
    """Each move gives the course as it is then, and its new tag."""
    course = api.course(publish=False)
    answers = [api("astrid", "POST", f"/courses/{course['id']}/{move}") for move in moves]

    assert status == answers[-1].json()["status"]
    assert len(moves) == len({answer.headers["etag"] for answer in answers})


# --- Tags


def revise(
    api: Api, course: Any, if_match: str | None, who: str = "astrid", **changes: Any
) -> Answer:
    """Revise a course under an If-Match."""
    headers = {} if if_match is None else {"If-Match": if_match}
    return api(who, "PATCH", f"/courses/{course['id']}", headers=headers, json=changes)


def tag(api: Api, course: Any) -> str:
    """Read the tag of a course."""
    return str(api("astrid", "GET", f"/courses/{course['id']}").headers["etag"])


def test_author_revises_what_they_saw(api: Api) -> None:
    """With the tag that was read, a change is stored, and the tag is another one."""
    course = api.course(location="Bodø")
    seen = tag(api, course)
    revised = revise(api, course, seen, title="Å høre", location=None)

    assert 200 == revised.status_code
    assert ("Å høre", None) == (revised.json()["title"], revised.json()["location"])
    assert seen != revised.headers["etag"] == tag(api, course)


@ON_BOTH
def test_author_does_not_overwrite_what_they_did_not_see(api: Api) -> None:
    """With an older tag nothing is stored: 412, though both changes came in one microsecond."""
    course = api.course()
    seen = tag(api, course)
    revise(api, course, seen, title="Astrid was first")
    told = problem(revise(api, course, seen, title="Too late"), 412, "stale-course")

    assert "26. november 2026 kl. 13.00" in told["detail"]
    assert "Astrid was first" == api("astrid", "GET", f"/courses/{course['id']}").json()["title"]


def test_revision_names_what_it_is_of(api: Api) -> None:
    """Without If-Match a change is not taken: 428."""
    course = api.course()
    told = problem(revise(api, course, None, title="Blind"), 428, "about:blank")

    assert "If-Match" in told["detail"]
    assert course == api("astrid", "GET", f"/courses/{course['id']}").json()


def test_revision_of_whatever_there_is(api: Api) -> None:
    """If-Match: * asks for no more than that there is a course."""
    assert 200 == revise(api, api.course(), "*", title="Whatever").status_code
    problem(revise(api, {"id": MISSING}, "*", title="Whatever"), 404, "course-not-found")


@pytest.mark.parametrize(
    "given",
    [
        'W/"{}"',
        '"{}", "other"',
        "{}",
        '"{}0"',
        '"2026-11-31T12:00:00.000000Z"',
        '"other"',
        "",
    ],
    ids=["weak", "list", "bare", "longer", "no-day", "foreign", "empty"],
)
def test_tag_that_was_not_given_matches_no_course(given: str, api: Api) -> None:
    """Any other tag is that of no course: 412."""
    course = api.course()
    if_match = given.format(tag(api, course).strip('"'))

    problem(revise(api, course, if_match, title="No"), 412, "stale-course")


def test_who_may_not_revise_is_told_so_before_the_tag_is_compared(api: Api) -> None:
    """A precondition counts only where the answer would be good without it (RFC 9110, 13.2.1)."""
    course = api.course()

    problem(revise(api, course, '"old"', who="clara", title="No"), 403, "not-permitted")
    problem(revise(api, course, '"old"', who="henrik", title="No"), 404, "course-not-found")


# --- Seats


@ON_BOTH
def test_person_takes_a_seat_and_frees_it(api: Api) -> None:
    """A seat that is taken is one less for all, one that is freed one more; twice is once."""
    course = api.course(max_participants=2)
    path = f"/courses/{course['id']}"
    first, again = (api("clara", "POST", f"{path}/registrations") for _ in range(2))
    assert (201, first.json()) == (first.status_code, again.json())
    assert 1 == api("dag", "GET", f"{path}/offer").json()["seats_left"]

    freed = api("clara", "POST", f"{path}/registrations/{CLARA}/cancel")

    assert "cancelled" == freed.json()["status"]
    assert 2 == api("dag", "GET", f"{path}/offer").json()["seats_left"]


def test_every_reason_why_not_comes_at_once(api: Api) -> None:
    """The offer and the refusal (409) give the same reasons, in the reader's language."""
    deadline = (NOW - timedelta(seconds=1)).isoformat()
    course = api.course(max_participants=1)
    api("dag", "POST", f"/courses/{course['id']}/registrations")
    revise(api, course, "*", registration_deadline=deadline)
    offer = api("clara", "GET", f"/courses/{course['id']}/offer").json()
    answer = api("clara", "POST", f"/courses/{course['id']}/registrations")
    told = problem(answer, 409, "registration-rejected")

    sentences = [
        "Påmeldingsfristen gikk ut 26. november 2026 kl. 12.59.",
        "Det er ingen ledige plasser (1 av 1 er tatt).",
    ]
    assert sentences == [each["sentence"] for each in told["violations"]]
    assert offer["rejections"] == told["violations"]
    assert " ".join(sentences) == told["detail"]


@ON_BOTH
def test_fifty_ask_for_the_last_seat(api: Api) -> None:
    """Of fifty who ask at the same moment one has the seat, and forty-nine are told why not."""
    course, crowd = api.course(max_participants=1), [join("Per", FAMILIES) for _ in range(50)]
    start = threading.Barrier(len(crowd), timeout=30)

    def ask(who: str) -> int:
        start.wait()
        return api(who, "POST", f"/courses/{course['id']}/registrations").status_code

    with ThreadPoolExecutor(len(crowd)) as threads:
        answers = sorted(threads.map(ask, crowd))

    assert [201, *[409] * 49] == answers
    assert 0 == api("clara", "GET", f"/courses/{course['id']}/offer").json()["seats_left"]


def test_cancel_without_a_registration_finds_none(api: Api) -> None:
    """Who never registered has nothing to cancel: 404, but of another kind."""
    course = api.course()
    path = f"/courses/{course['id']}/registrations/{CLARA}/cancel"

    problem(api("clara", "POST", path), 404, "registration-not-found")


# --- Completions


def completed(api: Api, **sent: Any) -> tuple[Any, Answer]:
    """Let Clara take a course with a certificate for a year, and Astrid enter it."""
    course = api.course(issues_certificate=True, certificate_validity_months=12)
    registrations = f"/courses/{course['id']}/registrations"
    api("clara", "POST", registrations)
    return course, api("astrid", "POST", f"{registrations}/{CLARA}/complete", **sent)


@ON_BOTH
def test_admin_enters_on_monday_what_was_completed_on_sunday(api: Api) -> None:
    """A completion gives the certificate, which counts from the instant that the admin gave."""
    sunday = "2026-11-22T15:00:00+01:00"
    course, answer = completed(api, json={"completed_at": sunday})
    certificate = answer.json()["certificate"]

    assert "2026-11-22T14:00:00Z" == answer.json()["registration"]["completed_at"]
    assert "2027-11-22T14:00:00Z" == certificate["expires_at"]
    query = {"course_id": course["id"]}
    assert [certificate] == api("clara", "GET", "/certificates", params=query).json()["items"]


def test_completion_without_a_time_is_now(api: Api) -> None:
    """The body may be absent."""
    _, answer = completed(api)

    assert "2026-11-26T12:00:00Z" == answer.json()["registration"]["completed_at"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('{"completed_at": "soon"}', ("wrong_type", "$.completed_at")),
        ('{"completed_at": 2027}', ("wrong_type", "$.completed_at")),
        ('{"completed_at": "2027"}', ("wrong_type", "$.completed_at")),
        ('{"completed_at": "1700000000"}', ("wrong_type", "$.completed_at")),
        ('{"completed_at": "2026-11-22"}', ("wrong_type", "$.completed_at")),
        ('{"completed_at": "2026-11-22T15:00:00.123456789Z"}', ("wrong_type", "$.completed_at")),
        ('{"completed_at": "2026-11-22T15:00:00"}', ("naive_datetime", "$.completed_at")),
        ("[]", ("wrong_type", "$")),
        ('{"completed": null}', ("unknown_field", "$.completed")),
        ('{\n"completed_at"', ("malformed_document", "$")),
    ],
    ids=[
        "no-time",
        "number",
        "year",
        "seconds",
        "date",
        "nanoseconds",
        "naive",
        "no-object",
        "unknown",
        "broken",
    ],
)
def test_completion_that_cannot_be_read_is_refused(
    body: str, expected: tuple[str, str], api: Api
) -> None:
    """What FastAPI finds wrong is told in the library's words, with its path: 422."""
    headers = {"Content-Type": "application/json"}
    _, answer = completed(api, content=body, headers=headers)

    assert [expected] == broken(problem(answer, 422, "invalid-document"))


def test_completion_to_come_is_refused(api: Api) -> None:
    """Nobody has completed anything tomorrow: 422."""
    tomorrow = (NOW + timedelta(days=1)).isoformat()
    _, answer = completed(api, json={"completed_at": tomorrow})

    problem(answer, 422, "invalid-value")


def test_who_completed_keeps_the_seat(api: Api) -> None:
    """A completed registration has no way back: 409."""
    course, _ = completed(api)
    path = f"/courses/{course['id']}/registrations/{CLARA}/cancel"

    problem(api("clara", "POST", path), 409, "invalid-transition")


def test_others_are_not_for_a_peer_mentor_to_see(api: Api) -> None:
    """Asking for another person's registrations is 403; one's own come by themselves."""
    completed(api)
    listed = api("clara", "GET", "/registrations").json()["items"]

    problem(
        api("clara", "GET", "/registrations", params={"user_id": MISSING}), 403, "not-permitted"
    )
    assert {CLARA} == {each["user_id"] for each in listed}


# --- Lists


@ON_BOTH
@pytest.mark.parametrize("path", ["/courses", "/offers"])
def test_pages_follow_each_other(path: str, api: Api) -> None:
    """The cursor in the page and the Link header lead to all that one long page has, once."""
    everything = api("henrik", "GET", path).json()
    found: list[Any] = []
    answer = api("henrik", "GET", path, params={"limit": 4})
    while True:
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            break
        assert answer.json()["next"] in answer.links["next"]["url"]
        following = answer.links["next"]["url"].removeprefix("/api")
        answer = api("henrik", "GET", following)

    assert (6, everything["items"]) == (len(found), found)
    assert "link" not in answer.headers


@ON_BOTH
def test_list_is_filtered(api: Api) -> None:
    """All filters hold together."""
    query = {
        "status": ["published", "draft"],
        "course_type": "certification",
        "issues_certificate": "true",
        "starts_from": "2027-02-27T09:30:00+01:00",
        "starts_before": "2027-05-08T10:00:00+02:00",
    }
    found = api("henrik", "GET", "/courses", params=query).json()["items"]

    assert ["Grunnkurs for hørselshjelpere"] == [each["title"] for each in found]


@pytest.mark.parametrize(
    ("query", "rule"),
    [
        ({"limit": 0}, "out_of_range"),
        ({"limit": 201}, "out_of_range"),
        ({"limit": "many"}, "wrong_type"),
        ({"after": "nonsense"}, "unknown_cursor"),
        ({"status": "open"}, "wrong_type"),
        ({"course_type": "party"}, "wrong_type"),
        ({"issues_certificate": "perhaps"}, "wrong_type"),
        ({"starts_from": "soon"}, "wrong_type"),
        ({"starts_from": "2027"}, "wrong_type"),
        ({"starts_before": "2027-01-01"}, "wrong_type"),
        ({"starts_from": "2027-01-01T00:00:00"}, "naive_datetime"),
    ],
    ids=str,
)
@pytest.mark.parametrize("language", ["nb", "en"])
def test_query_that_means_nothing_is_refused(
    query: dict[str, Any], rule: str, language: str, api: Api
) -> None:
    """A parameter of a wrong value is named, with a sentence without a gap: 422."""
    answer = api("clara", "GET", "/courses", params=query, language=language)
    told = problem(answer, 422, "invalid-value")

    assert [(rule, None)] == broken(told)
    assert list(query) == told["violations"][0]["fields"]
    assert "?" not in told["detail"]


def test_instants_of_certificates_are_read_as_strictly(api: Api) -> None:
    """A bare number of a query is no instant in any list: 422."""
    answer = api("clara", "GET", "/certificates", params={"expires_before": "1700000000"})

    assert ["expires_before"] == problem(answer, 422, "invalid-value")["violations"][0]["fields"]


def test_id_that_is_no_uuid_leads_nowhere(api: Api) -> None:
    """A path with a malformed id is 404, as one with an id that nobody has."""
    problem(api("clara", "GET", "/courses/2027"), 404, "about:blank")


# --- Words


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", "nb"),
        ("nb", "nb"),
        ("nb-NO,nb;q=0.9,en;q=0.8", "nb"),
        ("en", "en"),
        ("en-GB,en;q=0.9,nb;q=0.8", "en"),
        ("nb;q=0.2, EN;q=0.7", "en"),
        ("en;q=0, nb;q=0.1", "nb"),
        ("en;q=0", "nb"),
        ("nn-NO", "nb"),
        ("de, en;q=0.5", "en"),
        ("de", "nb"),
        ("*", "nb"),
        ("en;q=many", "nb"),
        ("nonsense;;;,", "nb"),
    ],
)
def test_reader_is_answered_in_their_language(header: str, expected: str, api: Api) -> None:
    """The most wanted language that there is, Norwegian where none of them is."""
    answer = api("clara", "GET", f"/courses/{MISSING}", language=header)
    detail = {"nb": "Kurset finnes ikke.", "en": "There is no such course."}[expected]

    assert detail == answer.json()["detail"]
    assert expected == answer.headers["content-language"]
    assert "Accept-Language" in answer.headers["vary"]


def test_both_languages_have_the_same_words() -> None:
    """Each word of a page is there in both, with the same gaps, and each template finds its own."""
    gaps = {
        language: {key: sorted(re.findall(r"\{\w+\}", word)) for key, word in each.items()}
        for language, each in words.WORDS.items()
    }
    pages = (EXAMPLES / "fastapi_host" / "templates").glob("*.html")
    used = {key for page in pages for key in re.findall(r'words\["(.+?)"\]', page.read_text())}

    assert gaps["nb"] == gaps["en"]
    assert set() == used - set(gaps["nb"])


def errors(above: type[CourseDomainError] = CourseDomainError) -> Iterator[type[CourseDomainError]]:
    """Give every error that the library may raise."""
    for each in above.__subclasses__():
        yield from errors(each)
        if each.__module__ == CourseDomainError.__module__ and not each.__name__.startswith("_"):
            yield each


@pytest.mark.parametrize("error", sorted(errors(), key=str))
def test_every_error_has_a_status_and_a_title(error: type[CourseDomainError]) -> None:
    """What the library may raise has its place among the answers."""
    assert any(kind in problems.STATUSES for kind in error.__mro__)
    assert all(error.__name__ in words.WORDS[language] for language in ("nb", "en"))


def test_taken_id_is_a_conflict() -> None:
    """An id that another course has, which no client can choose here, would be 409."""
    assert 409 == problems.status_of(DuplicateCourse(UUID(int=1)))


# --- What the API says of itself


def test_openapi_document_is_valid(api: Api) -> None:
    """The document is OpenAPI 3.1, and every reference in it leads somewhere."""
    document = api.client.get("/openapi.json").json()
    validate(document)
    names = re.findall("#/components/schemas/([A-Za-z_]+)", str(document))

    assert "3.1.0" == document["openapi"]
    assert set() == set(names) - set(document["components"]["schemas"])


def test_openapi_shows_the_schemas_of_the_library(api: Api) -> None:
    """A course, and what authors send, are described by the library, not a second time here."""
    schemas = api.client.get("/openapi.json").json()["components"]["schemas"]

    assert course_json_schema() == schemas["Course"]
    assert course_details_json_schema() == schemas["CourseDetails"]
    assert course_changes_json_schema() == schemas["CourseChanges"]


def test_records_are_described_as_they_are_written(api: Api) -> None:
    """A registration and a certificate have the fields that the document promises."""
    schemas = api.client.get("/openapi.json").json()["components"]["schemas"]
    _, answer = completed(api)

    assert list(schemas["Registration"]["properties"]) == list(answer.json()["registration"])
    assert list(schemas["PeerMentorCertificate"]["properties"]) == list(
        answer.json()["certificate"]
    )


# --- Storage and reminders


def test_storage_that_does_not_answer_is_told_and_when_to_ask_again(
    sqlite_databases: Databases,
) -> None:
    """Where the tables are gone, program and person are told that the service is busy: 503."""
    (url,) = sqlite_databases.create()
    with running(url) as base_url, httpx.Client(base_url=base_url, verify=False) as client:
        browser = Browser(client)
        browser.post("/sign-in", name="clara")
        with disposed(url) as engine, engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
            connection.exec_driver_sql("DROP TABLE courses")
        answer, page = Api(client)("clara", "GET", "/courses"), browser.get("/")
        form = browser.post(f"/courses/{TRAINING}/cancel")

    problem(answer, 503, "repository-unavailable")
    assert "courses" not in answer.json()["detail"]
    assert ("5", "5") == (answer.headers["retry-after"], page.headers["retry-after"])
    assert 503 == page.status_code
    assert (503, []) == (form.status_code, form.history)
    assert "Lageret svarer ikke" in text(page)


def test_reminder_that_waits_is_delivered_when_the_host_starts(
    sqlite_databases: Databases,
) -> None:
    """What another process left in the outbox, the job takes out."""
    with sqlite_databases.lent() as (url,), disposed(url) as engine:
        main.prepare(engine, SqlCourseRepository(engine))
        repository = SqlCourseRepository(engine)
        service = CourseService(repository, clock=lambda: NOW)
        astrid, clara = (people.PEOPLE[name].actor for name in ("astrid", "clara"))
        service.register(clara, UUID(TRAINING))
        service.complete_registration(astrid, UUID(TRAINING), user_id=clara.user_id)
        assert 1 == len(repository.pending_reminders().items)

        with running(url):
            wait_until(lambda: repository.pending_reminders().items == (), 10, "it is delivered")


def test_command_of_the_page_starts_the_host(tmp_path: Path) -> None:
    """The last line of the block that a reader pastes is a server with the sample courses."""
    page = (EXAMPLES.parent / "host-fastapi.md").read_text(encoding="utf-8")
    (block,) = re.findall("```shell\n(.*?)```", page, re.DOTALL)
    *_, last = block.splitlines()
    program, *arguments = last.replace("docs/examples", str(EXAMPLES)).split()
    assert ".venv-fastapi/bin/python" == program
    command = [sys.executable, "-W", "error", *arguments, "--port", "0"]
    path = str(Path(course_domain.__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": path, "COURSES_DATABASE_URL": "sqlite:///courses.db"}
    with subprocess.Popen(
        command, cwd=tmp_path, stderr=subprocess.PIPE, encoding="utf-8", env=environment
    ) as server:
        assert server.stderr is not None
        address = next(found[0] for line in server.stderr if (found := ADDRESS.search(line)))
        answer = httpx.get(f"{address}/api/courses", headers={"Authorization": "Bearer clara"})
        server.terminate()
        server.communicate(timeout=30)

    assert 4 == len(answer.json()["items"])
    assert (tmp_path / "courses.db").is_file()


def test_second_start_adds_no_course(sqlite_databases: Databases) -> None:
    """The sample is for a database that has no course."""
    with sqlite_databases.lent() as (url,), disposed(url) as engine:
        repository = SqlCourseRepository(engine)
        for _ in range(2):
            main.prepare(engine, repository)
        with engine.begin() as connection:
            connection.execute(
                sqlalchemy.text("DELETE FROM courses WHERE id <> (SELECT MIN(id) FROM courses)")
            )
        main.prepare(engine, repository)

        with engine.connect() as connection:
            assert 1 == connection.scalar(sqlalchemy.text("SELECT count(*) FROM courses"))


# --- Pages


def test_visitor_signs_in_first(visit: Visit) -> None:
    """A page leads who is not signed in to the sign-in, and there they are asked who they are."""
    browser = visit(None)

    assert "/sign-in" == browser.client.get("/").headers["location"]
    assert "Astrid Lunde administrator, Familieforeningen" in text(browser.get("/"))


def test_visitor_who_is_nobody_is_not_signed_in(visit: Visit) -> None:
    """A name that nobody has opens no page."""
    assert "/sign-in" == visit("nobody").get("/").url.path


def test_visitor_signs_out(visit: Visit) -> None:
    """After the sign-out, a page leads to the sign-in."""
    browser = visit("clara")
    browser.post("/sign-out")

    assert "/sign-in" == browser.get("/").url.path


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "nb",
            (
                "Starter 9. februar 2027 kl. 17.30 Slutter 9. februar 2027 kl. 20.30"
                " Sted Tollbugata 35, Oslo Frist 2. februar 2027 kl. 12.00"
                " Ledige plasser 10 av 10 Åpent for påmelding Meld meg på Å stå"
            ),
        ),
        (
            "en",
            (
                "Starts 9 February 2027 at 17:30 Ends 9 February 2027 at 20:30"
                " Place Tollbugata 35, Oslo Register by 2 February 2027 at 12:00"
                " Seats left 10 of 10 Open for registration Register Å stå"
            ),
        ),
    ],
)
def test_page_tells_what_is_open_in_both_languages(
    language: str, expected: str, visit: Visit
) -> None:
    """A card has what a person decides by, with times in Oslo and a button."""
    page = visit("clara", language).get("/")

    assert f'<html lang="{language}">' in page.text
    assert language == page.headers["content-language"]
    assert expected in card(page, GRIEF)


def test_reader_switches_the_language(visit: Visit) -> None:
    """The choice is kept, whatever the browser wants."""
    browser = visit("clara", "nb")
    assert '<html lang="en">' in browser.get("/?lang=en").text
    assert '<html lang="en">' in browser.get("/").text
    assert '<html lang="nb">' in browser.get("/?lang=nb").text


@ON_BOTH
def test_person_registers_and_cancels_by_the_page(
    ours: Organization, visit: Visit, api: Api
) -> None:
    """The buttons do what they say, and the page tells it once."""
    course = api.course(ours.admin, title="Fjelltur", max_participants=3)
    browser = visit(ours.kari)
    registered = browser.post(f"/courses/{course['id']}/register")

    assert "Du er påmeldt «Fjelltur»." in text(registered)
    assert "Ledige plasser 2 av 3 Du er påmeldt Meld meg av" in card(registered, course["id"])
    assert "Du er påmeldt «Fjelltur»." not in text(browser.get("/"))
    cancelled = browser.post(f"/courses/{course['id']}/cancel")
    assert "Du er meldt av." in text(cancelled)
    assert "Du er ikke påmeldt noe kurs." in text(cancelled)
    assert "Ledige plasser 3 av 3 Åpent for påmelding" in card(cancelled, course["id"])


def test_page_tells_why_not(ours: Organization, visit: Visit, api: Api) -> None:
    """A course that is closed has every reason in the place of the button; a form is refused so."""
    course = api.course(ours.admin, max_participants=1)
    api(ours.ola, "POST", f"/courses/{course['id']}/registrations")
    deadline = (NOW - timedelta(hours=1)).isoformat()
    revise(api, course, "*", ours.admin, registration_deadline=deadline)
    browser, reasons = (
        visit(ours.kari, "en"),
        ("The registration deadline passed on 26 November 2026 at 12:00."),
    )
    shown = card(browser.get("/"), course["id"])

    assert f"Not open for registration {reasons} All seats are taken (1 of 1)." in shown
    assert "Register Å lytte" not in shown
    assert f"{reasons} All seats are taken" in text(
        browser.post(f"/courses/{course['id']}/register")
    )


def test_course_since_hidden_is_still_mine_to_cancel(
    ours: Organization, visit: Visit, api: Api
) -> None:
    """Who is registered sees that a course is gone, and not which; they may cancel."""
    course = api.course(ours.admin, title="Hemmelig")
    browser = visit(ours.kari)
    browser.post(f"/courses/{course['id']}/register")
    api(ours.admin, "POST", f"/courses/{course['id']}/unpublish")
    page = text(browser.get("/"))

    assert "Et kurs som ikke lenger er publisert" in page
    assert "Hemmelig" not in page
    assert "Du er meldt av." in text(browser.post(f"/courses/{course['id']}/cancel"))


def test_title_is_text(ours: Organization, visit: Visit, api: Api) -> None:
    """What an author writes is shown, never run."""
    title = "<script>alert('Ærlig')</script> & «co»"
    course = api.course(ours.admin, title=title)
    page = visit(ours.kari).post(f"/courses/{course['id']}/register")

    assert "<script" not in page.text
    assert title in unescape(page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize(
    "token", [{}, {"csrf": ""}, {"csrf": "guessed"}, {"csrf": "gjettet-æ"}], ids=str
)
@pytest.mark.parametrize("form", [f"/courses/{TRAINING}/register", "/new-course", "/sign-in"])
def test_form_of_another_site_is_refused(token: dict[str, str], form: str, visit: Visit) -> None:
    """A form without the token of this session does nothing: 403."""
    browser = visit("astrid")
    answer = browser.client.post(form, data=token)

    assert 403 == answer.status_code
    assert "Skjemaet er for gammelt." in text(answer)


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        (f"/courses/{SIBLINGS}", 404, "Kurset finnes ikke"),
        (f"/courses/{TINNITUS}", 404, "Kurset finnes ikke"),
        (f"/courses/{MISSING}", 404, "Kurset finnes ikke"),
        (f"/courses/{TRAINING}", 403, "Ikke tillatt"),
        ("/new-course", 403, "Ikke tillatt"),
        ("/courses/12", 404, "Siden finnes ikke."),
        ("/nothing", 404, "Siden finnes ikke."),
        ("/?after=nonsense", 422, "Ugyldig verdi"),
    ],
)
def test_page_that_is_not_for_a_peer_mentor(
    path: str, status: int, expected: str, visit: Visit
) -> None:
    """A page that cannot be shown says so to a person, with its status and the way back."""
    answer = visit("clara").get(path)

    assert status == answer.status_code
    assert expected in text(answer)
    assert "Til kursene" in text(answer)


# --- Pages of admins


FORM = {"title": "Ny", "course_type": "onboarding", "start_date": "2027-03-13T10:00"}


def test_admin_creates_and_publishes_by_the_page(
    ours: Organization, visit: Visit, api: Api
) -> None:
    """A form makes a draft, its times read by the clock in Oslo; a button publishes it."""
    browser = visit(ours.admin)
    assert "«Ny» er opprettet som et utkast." in text(
        browser.post("/new-course", **FORM, is_virtual="on", max_participants="8")
    )
    found = api(ours.admin, "GET", "/courses", params={"limit": 200}).json()["items"]
    course = next(each for each in found if each["title"] == "Ny")

    assert ("2027-03-13T09:00:00Z", True, 8) == (
        course["start_date"],
        course["is_virtual"],
        course["max_participants"],
    )
    assert "«Ny» er publisert." in text(browser.post(f"/courses/{course['id']}/publish"))


def test_form_keeps_what_was_written_and_marks_what_is_wrong(visit: Visit) -> None:
    """Each field that is wrong has its sentence; what is right stays: 422."""
    answer = visit("astrid").post(
        "/new-course",
        course_type="workshop",
        description="Om å <lytte>",
        start_date="2027-03-13T10:00",
        registration_deadline="2027-03-14T10:00",
        end_date="soon",
        max_participants="many",
    )

    assert 422 == answer.status_code
    for sentence in (
        "Tittelen må fylles ut.",
        "Påmeldingsfristen må være tidligere enn starttidspunktet.",
        "Antall plasser må være et heltall, ikke tekst.",
        "Sluttidspunktet må være et tidspunkt med avvik fra UTC, ikke tekst.",
    ):
        assert sentence in text(answer)
    assert "Om å &lt;lytte&gt;</textarea>" in answer.text
    assert 'value="2027-03-13T10:00"' in answer.text
    assert 'aria-describedby="title-wrong"' in answer.text


def test_form_asks_how_long_certificates_are_valid(visit: Visit) -> None:
    """What is judged at the create stands at its field too."""
    answer = visit("astrid").post("/new-course", **FORM, issues_certificate="on")

    assert 422 == answer.status_code
    assert "Oppgi enten hvor mange måneder kursbeviset er gyldig" in text(answer)


@ON_BOTH
def test_admin_completes_and_the_person_has_a_certificate(
    ours: Organization, visit: Visit, api: Api
) -> None:
    """What an admin enters on the page of participants, the participant sees on theirs."""
    course = api.course(
        ours.admin, title="Kurs nå", issues_certificate=True, certificate_validity_months=24
    )
    api(ours.kari, "POST", f"/courses/{course['id']}/registrations")
    kari = EVERYBODY[ours.kari].actor.user_id
    browser, path = visit(ours.admin), f"/courses/{course['id']}"
    assert "Kari Påmeldt" in text(browser.get(path))
    answer = browser.post(f"{path}/participants/{kari}/complete", completed_at="2026-11-22T15:00")

    assert "Kari har fullført." in text(answer)
    assert "Kari Fullført 22. november 2026 kl. 15.00" in text(answer)
    assert (
        "Kurs nå Utstedt 22. november 2026 kl. 15.00 Gyldig til 22. november 2028 kl. 15.00"
        in text(visit(ours.kari).get("/"))
    )


def test_completion_by_the_page_may_be_refused(ours: Organization, visit: Visit, api: Api) -> None:
    """A time that cannot be read is 422; who never registered is told on the page."""
    course, kari = api.course(ours.admin), EVERYBODY[ours.kari].actor.user_id
    browser, path = visit(ours.admin), f"/courses/{course['id']}/participants/{kari}/complete"

    assert 422 == browser.post(path, completed_at="soon").status_code
    assert "Påmeldingen finnes ikke." in text(browser.post(path, completed_at=""))


@pytest.mark.parametrize(
    ("moves", "expected"),
    [
        ([], "Utkast Å lytte Deltakere Publiser Arkiver"),
        (["publish"], "Publisert Å lytte Deltakere Avpubliser Arkiver"),
        (["archive"], "Arkivert Å lytte Deltakere Gjenopprett"),
    ],
)
def test_page_of_admins_has_the_moves_that_there_are(
    moves: list[str], expected: str, ours: Organization, visit: Visit, api: Api
) -> None:
    """A course has a button for each move that would change it, and says why nobody registers."""
    course = api.course(ours.admin, publish=False)
    browser = visit(ours.admin)
    for move in moves:
        browser.post(f"/courses/{course['id']}/{move}")
    shown = card(browser.get("/"), course["id"])

    assert set(expected.split()) <= set(shown.split())
    assert ("Bare publiserte kurs tar imot" in shown) is (moves != ["publish"])
    assert 403 == visit(ours.kari).get("/new-course").status_code


def test_pages_of_courses_follow_each_other(ours: Organization, visit: Visit, api: Api) -> None:
    """The twenty-first course stands on the second page, with the way back to the first."""
    for number in range(21):
        api.course(ours.admin, title=f"Kurs nr. {number:02}.")
    browser = visit(ours.kari)
    first = browser.get("/")
    (following,) = re.findall('href="(.*?)" rel="next"', first.text)
    second = browser.get(unescape(following))

    titles = re.findall(r"Kurs nr\. \d\d\.(?=</h3>)", first.text + second.text)
    assert (21, 21) == (len(titles), len(set(titles)))
    assert "Til første side" in text(second)
