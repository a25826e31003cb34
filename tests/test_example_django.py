"""The Django host: its tables, its repository, and what people meet over HTTP."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener
from uuid import uuid4

import attrs
import pytest

import course_domain
import engines
from course_domain import COURSE_INDEXES
from course_domain.testing.conformance import REPOSITORY_CLAUSES

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "host-django.md"
HOST = ROOT / "docs" / "examples" / "django_host"
OWN_TESTS = HOST / "test_repository.py"
SOURCES = Path(course_domain.__file__).parents[1]


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """Give the environment of a process of the host, whose file lies in this folder."""
    assert HOST.is_dir(), f"{HOST} is missing: docs/ belongs beside tests/"
    own = {"COURSES_FILE": str(folder / "courses.sqlite3"), "PYTHONPATH": str(SOURCES)}
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONUTF8": "1", **own, **variables}


def ran(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of Python's to its end."""
    return subprocess.run(
        [sys.executable, "-W", "error", *command],
        check=False,
        capture_output=True,
        cwd=ROOT,
        encoding="utf-8",
        env=environment(folder, **variables),
    )


def manage(folder: Path, *command: str, **variables: str) -> str:
    """Run a command of the host's, which succeeds, and give what it prints."""
    ended = ran(folder, str(HOST / "manage.py"), *command, **variables)
    assert ("", 0) == (ended.stderr, ended.returncode)
    return ended.stdout


# --- The page


def test_page_shows_the_code_of_the_host() -> None:
    """Each block of Python that names a file stands in that file, word for word."""
    shown = re.findall(
        r'^```python title="(.+?)"\n(.*?)^```$',
        PAGE.read_text(encoding="utf-8"),
        re.DOTALL | re.MULTILINE,
    )

    assert 5 <= len(shown)
    for file, block in shown:
        assert block in (HOST / file).read_text(encoding="utf-8"), file


def test_command_of_the_page_is_the_one_that_is_tested() -> None:
    """The page installs the package and Django, and ends in the command of `site`."""
    (block,) = re.findall("```shell\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    *_, installs, starts = block.splitlines()

    assert installs.endswith(" . django tzdata")
    assert ".venv-django/bin/python docs/examples/django_host/manage.py serve" == starts


# --- The tables


def test_migrations_are_those_of_the_models(tmp_path: Path) -> None:
    """Nothing of the models waits for a migration, and Django finds nothing wrong with them."""
    assert "No changes detected\n" == manage(tmp_path, "makemigrations", "--check", "--dry-run")
    assert "no issues" in manage(tmp_path, "check")


def test_indexes_have_their_exact_names(tmp_path: Path) -> None:
    """The migrated database has the five indexes by name and columns, and one for pages."""
    manage(tmp_path, "migrate", "--verbosity", "0")
    with closing(sqlite3.connect(tmp_path / "courses.sqlite3")) as db:
        names = [name for _, name, *_ in db.execute("PRAGMA index_list(courses)")]
        found = {
            name: tuple(column for *_, column in db.execute(f"PRAGMA index_info({name})"))
            for name in names
        }

    assert dict(COURSE_INDEXES).items() <= found.items()
    assert ("organization_id", "status", "start_date", "id") == found["ix_courses_page"]


# --- The repository


def expect_all_passed(ended: subprocess.CompletedProcess[str], *, skipped: int) -> None:
    """See that the kit and the host's own tests ran, every one."""
    own = len(re.findall(r"^def test_", OWN_TESTS.read_text(encoding="utf-8"), re.MULTILINE))
    assert 0 == ended.returncode, ended.stdout
    *_, summary = ended.stdout.splitlines()
    outcomes = {word: int(count) for count, word in re.findall(r"(\d+) (\w+)", summary)}
    more = 3  # parameters of three tests
    assert len(REPOSITORY_CLAUSES) + own + more - skipped == outcomes["passed"]
    assert skipped == outcomes.get("skipped", 0)


def test_repository_keeps_every_clause(tmp_path: Path) -> None:
    """The host's own tests pass: the whole kit, and what becomes of a lost COMMIT."""
    expect_all_passed(ran(tmp_path, "-m", "pytest", "-q", str(OWN_TESTS)), skipped=0)


def test_repository_keeps_every_clause_on_a_server(tmp_path: Path) -> None:
    """The same on PostgreSQL, by the environment of its driver alone."""
    (server,) = engines.shared(engines.POSTGRESQL)
    libpq = {
        "PGHOST": server.partition("host=")[2],
        "PGUSER": "postgres",
        "PGDATABASE": "postgres",
    }
    expect_all_passed(ran(tmp_path, "-m", "pytest", "-q", str(OWN_TESTS), **libpq), skipped=1)


# --- What people meet


@attrs.define
class Browser:
    """Keep the cookies of one person."""

    url: str
    cookies: CookieJar = attrs.field(factory=CookieJar)

    def ask(
        self, path: str, data: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, str]:
        """Give the status and the text of an answer, redirects followed."""
        opener: OpenerDirector = build_opener(HTTPCookieProcessor(self.cookies))
        request = Request(self.url + path, data, headers or {})
        try:
            with opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def submit(self, path: str, **fields: str) -> tuple[int, str]:
        """Send a form, as its page would."""
        return self.ask(path, urlencode(fields | {"csrfmiddlewaretoken": self.token}).encode())

    def call(self, path: str, document: object = None, *, post: bool = False) -> tuple[int, Any]:
        """Ask as a program does, for JSON."""
        headers = {"Accept": "application/json"}
        data = None
        if post or document is not None:
            headers |= {"X-CSRFToken": self.token, "Content-Type": "application/json"}
            data = json.dumps(document).encode()
        status, text = self.ask(path, data, headers)
        return status, json.loads(text)

    @property
    def token(self) -> str:
        """Give the secret that only pages of the host can know."""
        return next(each.value or "" for each in self.cookies if each.name == "csrftoken")


@attrs.define
class Site:
    """The host as it runs, and who is signed in to it."""

    url: str
    password: str
    _people: dict[str, tuple[Browser, str]] = attrs.field(
        factory=dict[str, tuple[Browser, str]], init=False
    )

    def person(self, name: str) -> tuple[Browser, str]:
        """Give somebody's browser, signed in, and the address of their organization's courses."""
        if name not in self._people:
            browser = Browser(self.url)
            browser.ask("/login/")
            fields = {"username": name, "password": self.password, "next": "/"}
            _, page = browser.submit("/login/", **fields)
            (courses,) = re.findall(r'href="(/organizations/[^"]+/courses/)"', page)
            self._people[name] = (browser, courses)
        return self._people[name]

    def offers(self, name: str) -> dict[str, Any]:
        """Give what somebody is offered, by title."""
        browser, courses = self.person(name)
        offers: list[dict[str, Any]] = []
        after = ""
        while after is not None:
            _, answer = browser.call(f"{courses}?{urlencode({'after': after} if after else {})}")
            offers += answer["offers"]
            after = answer["next"]
        return {offer["course"]["title"]: offer for offer in offers}

    def published(self, **details: Any) -> tuple[str, str]:
        """Let the admin publish a course of a title of its own; give its title and address."""
        browser, courses = self.person("astrid")
        title = f"Course {uuid4()}"
        plain: dict[str, Any] = {
            "title": title,
            "course_type": "workshop",
            "is_virtual": True,
            "issues_certificate": False,
        }
        status, course = browser.call(f"{courses}new/", plain | details)
        assert 201 == status
        address = f"{courses}{course['id']}/"
        assert 200 == browser.call(f"{address}publish/", post=True)[0]
        return title, address


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site, None, None]:
    """Start the host by its one command, on a free port; it logs no error until it ends."""
    folder = tmp_path_factory.mktemp("django")
    log = folder / "log"
    command = [sys.executable, "-W", "error", str(HOST / "manage.py"), "serve", "127.0.0.1:0"]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=environment(folder), text=True
        ) as server,
    ):
        assert server.stdout is not None
        printed = ""
        while "Quit the server" not in printed:
            line = server.stdout.readline()
            assert line != "", log.read_text()
            printed += line
        found = re.search(r"the password: (.+)\n(?:.*\n)*?.* at (http://[\d.:]+)/", printed)
        assert found is not None, printed
        yield Site(url=found[2], password=found[1])
        server.terminate()
        server.wait(20)
    assert "Traceback" not in log.read_text()


def rules(violations: Iterable[dict[str, Any]]) -> list[str]:
    """Name the rules that are broken."""
    return [each["rule"] for each in violations]


def test_stranger_is_asked_to_sign_in(site: Site) -> None:
    """Nobody sees courses before they have said who they are."""
    _, courses = site.person("clara")
    status, page = Browser(site.url).ask(courses)

    assert (200, True) == (status, "Password" in page)


def test_page_tells_what_is_open_and_why_not(site: Site) -> None:
    """A peer mentor reads seats and reasons, and finds a button where there is something to do."""
    browser, courses = site.person("dag")
    status, page = browser.ask(courses)
    shown = {each.partition("</h2>")[0]: each for each in re.split("<h2>", page)[1:]}

    assert 200 == status
    assert "Søsken som likepersoner" not in shown
    assert "24 seats left" in shown["Opplæringskurs for likepersoner"]
    assert "/register/" in shown["Opplæringskurs for likepersoner"]
    assert "You have a seat." in shown["Å stå i sorgen"]
    assert "/cancel/" in shown["Å stå i sorgen"]
    assert "The registration deadline passed on " in shown["Ny som likeperson"]
    assert "<button>" not in shown["Ny som likeperson"]


def test_admin_sees_drafts(site: Site) -> None:
    """The list of an admin has what is not published, with the reason why nobody registers."""
    draft = site.offers("astrid")["Søsken som likepersoner"]

    assert ["registration_requires_published"] == rules(draft["rejections"])
    assert "Søsken som likepersoner" not in site.offers("clara")


def test_registering_takes_a_seat_once(site: Site) -> None:
    """Twice is the same registration, and one seat fewer."""
    browser, _ = site.person("clara")
    title, address = site.published(max_participants=5)
    first = browser.call(f"{address}register/", post=True)
    again = browser.call(f"{address}register/", post=True)

    assert (200, "confirmed") == (first[0], first[1]["status"])
    assert first == again
    assert 4 == site.offers("dag")[title]["seats_left"]


def test_button_takes_a_seat(site: Site) -> None:
    """The form of the page leads back to the list, which says so."""
    browser, courses = site.person("clara")
    _, address = site.published()
    status, page = browser.submit(f"{address}register/")

    assert (200, 1) == (status, page.count("<strong>You have a seat.</strong>"))
    assert f'action="{courses}{address.split("/")[-2]}/cancel/"' in page


def test_form_of_another_site_is_refused(site: Site) -> None:
    """Without the secret of the page, nothing is done in somebody's name."""
    browser, _ = site.person("clara")
    title, address = site.published()

    assert 403 == browser.ask(f"{address}register/", b"")[0]
    assert site.offers("clara")[title]["registration"] is None


def test_closed_course_is_refused_with_its_reason(site: Site) -> None:
    """A refused registration is 409, with the rules for a program and a sentence for a person."""
    browser, _ = site.person("clara")
    _, address = site.published(registration_deadline="2020-01-01T12:00:00Z")
    status, problem = browser.call(f"{address}register/", post=True)
    _, page = browser.submit(f"{address}register/")

    assert (409, "RegistrationRejected") == (status, problem["title"])
    assert ["registration_deadline_enforced"] == rules(problem["violations"])
    assert "<h1>That did not work</h1>" in page
    assert 'class="reason">The registration deadline ' in page


def test_last_seat_is_sold_once(site: Site) -> None:
    """Three people who ask for one seat at once are one registration and two refusals."""
    title, address = site.published(max_participants=1)
    browsers = [site.person(name)[0] for name in ("astrid", "clara", "dag")]

    def asked(browser: Browser) -> tuple[int, Any]:
        return browser.call(f"{address}register/", post=True)

    with ThreadPoolExecutor(3) as pool:
        answers = [*pool.map(asked, browsers)]
    refused = [problem for status, problem in answers if status == 409]

    assert [200, 409, 409] == sorted(status for status, _ in answers)
    assert [["max_participants_cap"]] * 2 == [rules(each["violations"]) for each in refused]
    assert 0 == site.offers("clara")[title]["seats_left"]


def test_cancelling_frees_the_seat(site: Site) -> None:
    """Who was refused gets the seat that somebody else gives back."""
    (clara, _), (dag, _) = site.person("clara"), site.person("dag")
    _, address = site.published(max_participants=1)
    asked = [
        dag.call(f"{address}register/", post=True)[0],
        clara.call(f"{address}register/", post=True)[0],
        dag.call(f"{address}cancel/", post=True)[0],
        clara.call(f"{address}register/", post=True)[0],
    ]

    assert [200, 409, 200, 200] == asked


def test_hidden_foreign_and_missing_courses_are_the_same(site: Site) -> None:
    """A draft, another organization's course and none at all are not found, in the same words."""
    (clara, courses), (henrik, others) = site.person("clara"), site.person("henrik")
    draft = site.offers("astrid")["Søsken som likepersoner"]["course"]["id"]
    foreign = site.offers("henrik")["Grunnkurs for hørselshjelpere"]["course"]["id"]
    answers = [
        clara.call(f"{courses}{each}/register/", post=True) for each in (draft, foreign, uuid4())
    ]
    texts = {re.sub(r"[\da-f-]{36}", "", problem["detail"]) for _, problem in answers}

    assert [404] * 3 == [status for status, _ in answers]
    assert 1 == len(texts)
    assert 404 == clara.ask(others)[0]
    assert 404 == henrik.ask(courses)[0]


def test_peer_mentor_does_not_write_courses(site: Site) -> None:
    """Authoring is for admins: 403 for anyone else who may know of the course."""
    browser, courses = site.person("clara")
    _, address = site.published()
    details = {
        "title": "Mine",
        "course_type": "workshop",
        "is_virtual": True,
        "issues_certificate": False,
    }

    assert 403 == browser.call(f"{courses}new/", details)[0]
    assert 403 == browser.call(f"{address}archive/", post=True)[0]


def test_admin_archives_but_does_not_publish_what_is_archived(site: Site) -> None:
    """A command that the present state has no way out by is 409."""
    browser, _ = site.person("astrid")
    _, address = site.published()
    archived = browser.call(f"{address}archive/", post=True)
    status, problem = browser.call(f"{address}publish/", post=True)

    assert (200, "archived") == (archived[0], archived[1]["status"])
    assert (409, "InvalidTransition") == (status, problem["title"])


def test_form_of_a_course_shows_each_reason_beside_its_field(site: Site) -> None:
    """A course that would break rules is 422, and the form keeps what was written."""
    browser, courses = site.person("astrid")
    status, page = browser.submit(
        f"{courses}new/", title=" ", course_type="workshop", max_participants="0", location="Oslo"
    )

    assert (422, 2) == (status, page.count('class="errorlist"'))
    assert 'value="Oslo"' in page


def test_document_of_a_course_is_read_strictly(site: Site) -> None:
    """A program hears of every problem of its document at once."""
    browser, courses = site.person("astrid")
    status, problem = browser.call(f"{courses}new/", {"title": 1, "status": "published"})

    assert (422, "InvalidDocument") == (status, problem["title"])
    assert {"wrong_type", "required", "unknown_field"} == set(rules(problem["violations"]))


def test_unknown_page_is_refused(site: Site) -> None:
    """A cursor that the host never gave is 422, not a page."""
    browser, courses = site.person("clara")
    status, problem = browser.call(f"{courses}?after=nonsense")

    assert (422, ["unknown_cursor"]) == (status, rules(problem["violations"]))


def test_completing_gives_a_certificate(site: Site) -> None:
    """The admin finds who has a seat, and tells that they have completed."""
    (astrid, _), (clara, _) = site.person("astrid"), site.person("clara")
    _, address = site.published(issues_certificate=True, certificate_validity_months=24)
    clara.call(f"{address}register/", post=True)
    _, page = astrid.ask(f"{address}participants/")
    (complete,) = re.findall(r'action="([^"]+/complete/)"', page)
    status, completed = astrid.call(complete, post=True)

    assert "clara" in page
    assert 200 == status
    assert completed["certificate"]["id"] == completed["reminder"]["certificate_id"]
    assert 403 == clara.call(complete, post=True)[0]
