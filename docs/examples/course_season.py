"""Play a season of courses through the library, and tell what everybody met.

    python docs/examples/course_season.py
    python docs/examples/course_season.py --database postgresql+psycopg://me@localhost/season

Reads the twelve courses of courses.json, stores them in a SQLite file that is removed afterwards
or in the database that is given, and moves a clock of its own from November 2026 to May 2027. What
ought to happen is worked out by hand from the rules; the exit status is 1 when anything differs,
2 when it cannot be played there. Takes the extra `sql`. Times are those of a wall in Oslo, which
takes a time zone database: `pip install tzdata` on a machine that has none.
"""
# ruff: noqa: RUF001  the titles have dashes of their own

import argparse
import io
import logging
import sys
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Barrier
from typing import cast
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy
from sqlalchemy.exc import SQLAlchemyError

from course_domain import (
    Actor,
    CourseDomainError,
    CourseNotFound,
    CourseRepository,
    CourseService,
    Participation,
    RegistrationRejected,
    RenewalReminder,
    Role,
    Violation,
    registration_rejections,
)
from course_domain.memory import InMemoryReminderScheduler
from course_domain.serialization import courses_from_json
from course_domain.sql import SqlCourseRepository, create_schema, metadata

COURSES = Path(__file__).with_name("courses.json")

try:
    OSLO = ZoneInfo("Europe/Oslo")
except ZoneInfoNotFoundError:
    sys.exit("There is no time zone database on this machine: pip install tzdata")

# --- The people, and the courses that they meet

FAMILIES = UUID("d23f0824-128b-4f33-8c5c-7fd0a6a3a450")
HEARING = UUID("6513270e-269e-4d37-b2a7-4de452e6b438")


def person(number: int, organization_id: UUID, role: Role) -> Actor:
    """Make somebody who is signed in to one of the organizations."""
    return Actor(user_id=UUID(int=number), organization_id=organization_id, role=role)


ASTRID = person(1, FAMILIES, Role.ADMIN)
ARNE = person(2, FAMILIES, Role.ADMIN)
BERIT = person(3, FAMILIES, Role.COORDINATOR)
CLARA = person(4, FAMILIES, Role.PEER_MENTOR)
DAG = person(5, FAMILIES, Role.PEER_MENTOR)
HENRIK = person(6, HEARING, Role.ADMIN)
INGRID = person(7, HEARING, Role.PEER_MENTOR)
NINE_EARLY = [person(number, FAMILIES, Role.PEER_MENTOR) for number in range(101, 110)]
FIFTY = [person(number, FAMILIES, Role.PEER_MENTOR) for number in range(201, 251)]

TRAINING_2023 = UUID("6b0d549b-6f03-475a-9600-a35a099950d8")  # archived
TRAINING = UUID("8d116ece-1738-47d9-bd9c-172411e20b8f")  # a certificate for 24 months
FOLLOW_UP = UUID("90c192cf-d3ac-44af-8f21-ddb66cad4a26")  # a certificate for 24 months
INTRODUCTION = UUID("a170b338-3926-4059-b28c-105d1fb17c23")  # no cap; register until 17:00
GRIEF = UUID("0fd630f1-f29d-4da9-953f-48f1a09f76b5")  # ten seats; register until 2 February
SIBLINGS = UUID("0cb1e29c-658c-4a14-95e6-0af593bd04cf")  # a draft
TINNITUS = UUID("92276658-1e27-41c0-8a6a-63ec24ede6a4")  # of HEARING; no expiry, by design

ALL_OF_FAMILIES = (
    "02.09.2023 10:00  archived   Opplæringskurs for likepersoner",
    "20.01.2027 18:00  published  Introduksjon for nye likepersoner",
    "09.02.2027 17:30  published  Å stå i sorgen – gruppesamling for likepersoner",
    "13.03.2027 10:00  published  Opplæringskurs for likepersoner, våren 2027",
    "17.04.2027 10:00  published  Oppfølgingskurs for godkjente likepersoner",
    "never             draft      Samling for søsken som er likepersoner",
)
PUBLISHED_OF_FAMILIES = ALL_OF_FAMILIES[1:5]
ALL_OF_HEARING = (
    "24.10.2026 09:30  archived   Grunnkurs for hørselshjelpere, høsten 2026",
    "12.01.2027 18:00  published  Ny som likeperson i HLF",
    "27.02.2027 09:30  published  Grunnkurs for hørselshjelpere",
    "04.03.2027 11:00  published  Hjelpemidler i hjemmet: varsling og samtaleforsterkere",
    "08.05.2027 10:00  published  Tinnituslikeperson – sertifisering",
    "31.08.2027 17:00  draft      Menière – likepersonsamling",
)


def oslo(year: int, month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """Give the instant at which a wall clock in Oslo shows this."""
    return datetime(year, month, day, hour, minute, tzinfo=OSLO)


def local(instant: datetime | None) -> str:
    """Write an instant as a wall clock in Oslo shows it."""
    return "never" if instant is None else f"{instant.astimezone(OSLO):%d.%m.%Y %H:%M}"


def names(violations: Sequence[Violation]) -> str:
    """Write the rules that are broken."""
    return ", ".join(violation.rule for violation in violations)


def shown(thing: object) -> str:
    """Write a value for a person; several, each on its own line."""
    if isinstance(thing, tuple):
        return "".join(f"\n    {line}" for line in cast("tuple[str, ...]", thing)) or " none"
    return f" {local(thing) if isinstance(thing, datetime) else thing}"


# --- What the season runs on


class Clock:
    """Stand still until somebody moves it."""

    now = oslo(2026, 11, 25, 9)

    def __call__(self) -> datetime:
        """Read the clock, as the service does once a call."""
        return self.now


class Scheduler(InMemoryReminderScheduler):
    """Take reminders, unless it is down."""

    down = False

    def schedule(self, reminder: RenewalReminder) -> None:
        """Take one reminder, or fail as what does not answer."""
        if self.down:
            raise ConnectionError
        super().schedule(reminder)


class Season:
    """Run the service on a repository, and hold what it does against what the rules say."""

    def __init__(self, repository: CourseRepository) -> None:
        numbers = count(1000)  # ids that are the same in every run
        self.repository = repository
        self.scheduler = Scheduler()
        self.clock = Clock()
        self.service = CourseService(
            repository,
            self.scheduler,
            clock=self.clock,
            new_id=lambda: UUID(int=next(numbers)),
            zone=OSLO,
        )
        self.expectations = 0
        self.differences: list[str] = []

    def chapter(self, title: str, now: datetime) -> None:
        """Move the clock and print a heading."""
        self.clock.now = now
        print(f"\n{title} ({local(now)})")

    def expect(self, what: str, expected: object, observed: object) -> None:
        """Print what happened, and remember it where the rules say otherwise."""
        self.expectations += 1
        print(f"  {what}:{shown(observed)}")
        if expected != observed:
            self.differences.append(what)
            print(f"  DIFFERS, the rules say:{shown(expected)}")

    def answer(
        self, call: Callable[..., object], actor: Actor, course_id: UUID, **more: object
    ) -> str:
        """Make a call and tell the answer; what is not found, with the reason of the policy."""
        try:
            call(actor, course_id, **more)
        except RegistrationRejected as refusal:
            return f"refused, {names(refusal.violations)}"
        except CourseNotFound:
            course = self.service.course(ASTRID, course_id)
            reasons = registration_rejections(course, actor, 0, self.clock.now)
            return f"not found ({names(reasons)})"
        except CourseDomainError as refusal:
            return f"refused, {type(refusal).__name__}"
        return "done"

    def courses(self, actor: Actor) -> tuple[str, ...]:
        """Give the page that lists courses for somebody."""
        page = self.service.courses(actor)
        return tuple(f"{local(c.start_date):<16}  {c.status:<9}  {c.title}" for c in page.items)

    def button(self, actor: Actor, course_id: UUID) -> str:
        """Give what stands beside somebody's button to register; nothing without the course."""
        for offer in self.service.offers(actor, [course_id]).values():
            left = "no limit" if offer.seats_left is None else f"{offer.seats_left} left"
            mine = offer.registration.status if offer.registration else "open"
            return ", ".join(filter(None, [left, names(offer.rejections) or mine]))
        return "no button"

    def scheduled(self) -> tuple[str, ...]:
        """Give the reminders that will take effect."""
        return tuple(local(reminder.remind_at) for reminder in self.scheduler.scheduled)

    def waiting(self) -> tuple[str, ...]:
        """Give the reminders that are stored and not scheduled."""
        page = self.repository.pending_reminders()
        return tuple(local(reminder.remind_at) for reminder in page.items)


def dates(done: Participation) -> tuple[str, ...]:
    """Give the dates that a completion leads to."""
    certificate, reminder = done.certificate, done.reminder
    if certificate is None:
        return ()
    issued, expires = local(certificate.issued_at), local(certificate.expires_at)
    reminded = local(reminder.remind_at if reminder else None)
    return f"issued {issued}", f"expires {expires}", f"reminder {reminded}"


# --- The chapters


def courses_are_stored(season: Season) -> None:
    """Read the courses of both organizations, and store them."""
    season.chapter("The courses are stored", oslo(2026, 11, 25, 9))
    for course in courses_from_json(COURSES.read_bytes()):
        season.repository.add(course)
    stored = [season.repository.courses(each).items for each in (FAMILIES, HEARING)]
    season.expect("Courses of the families' organization", 6, len(stored[0]))
    season.expect("Courses of the hearing organization", 6, len(stored[1]))


def everybody_looks(season: Season) -> None:
    """Show each role its list, its buttons, and what stays hidden."""
    view = season.service.course
    season.chapter("Who sees what", oslo(2026, 11, 25, 10))
    season.expect("Astrid, admin, sees", ALL_OF_FAMILIES, season.courses(ASTRID))
    season.expect("Berit, coordinator, sees", PUBLISHED_OF_FAMILIES, season.courses(BERIT))
    season.expect("Clara, peer mentor, sees", PUBLISHED_OF_FAMILIES, season.courses(CLARA))
    season.expect("Henrik, a stranger, sees", ALL_OF_HEARING, season.courses(HENRIK))
    hidden = "not found (published_only_visible_to_users)"
    foreign = "not found (org_scoped_course_access)"
    season.expect("Astrid opens the draft", "done", season.answer(view, ASTRID, SIBLINGS))
    season.expect("Clara opens the draft", hidden, season.answer(view, CLARA, SIBLINGS))
    season.expect("Henrik opens the training", foreign, season.answer(view, HENRIK, TRAINING))
    season.expect("Clara, introduction", "no limit, open", season.button(CLARA, INTRODUCTION))
    season.expect("Clara, training", "24 left, open", season.button(CLARA, TRAINING))
    season.expect("Clara, draft", "no button", season.button(CLARA, SIBLINGS))
    unpublished = "no limit, registration_requires_published"
    season.expect("Astrid, draft", unpublished, season.button(ASTRID, SIBLINGS))


def seats_are_taken(season: Season) -> None:
    """Take the first seats, and refuse those that nobody may have."""
    register = season.service.register
    season.chapter("The first seats", oslo(2026, 11, 25, 12))
    first = register(CLARA, TRAINING)
    season.expect("Clara registers for the training", "confirmed", first.status.value)
    season.expect("Clara's button", "23 left, confirmed", season.button(CLARA, TRAINING))
    season.expect("Clara again; the same one", True, register(CLARA, TRAINING) == first)
    season.expect("Dag's button", "23 left, open", season.button(DAG, TRAINING))
    season.expect("Berit, for the follow-up", "done", season.answer(register, BERIT, FOLLOW_UP))
    season.expect("Ingrid, for tinnitus", "done", season.answer(register, INGRID, TINNITUS))
    draft = "refused, registration_requires_published"
    season.expect("Astrid, for the draft", draft, season.answer(register, ASTRID, SIBLINGS))
    old = "refused, registration_deadline_enforced, registration_requires_published"
    season.expect("Astrid, for that of 2023", old, season.answer(register, ASTRID, TRAINING_2023))
    hidden = "not found (published_only_visible_to_users)"
    season.expect("Clara, for the draft", hidden, season.answer(register, CLARA, SIBLINGS))
    foreign = "not found (org_scoped_course_access)"
    season.expect("Henrik, for the training", foreign, season.answer(register, HENRIK, TRAINING))


def deadline_passes(season: Season) -> None:
    """Register at the deadline, and a microsecond after it."""
    register = season.service.register
    season.chapter("The last moment for the introduction", oslo(2027, 1, 20, 17))
    season.expect("Clara, in time", "done", season.answer(register, CLARA, INTRODUCTION))
    season.clock.now = oslo(2027, 1, 20, 17).replace(microsecond=1)
    late = "refused, registration_deadline_enforced"
    season.expect("Dag, 1 µs later", late, season.answer(register, DAG, INTRODUCTION))
    closed = "no limit, registration_deadline_enforced"
    season.expect("Dag's button", closed, season.button(DAG, INTRODUCTION))


def fifty_ask_for_one_seat(season: Season) -> Actor:
    """Let fifty ask for the last seat at the same moment; give who has it."""
    register = season.service.register
    season.chapter("Fifty people and one seat", oslo(2027, 2, 1, 18))
    early = [season.answer(register, who, GRIEF) for who in NINE_EARLY]
    season.expect("Nine register for the group of ten", 9, early.count("done"))
    season.expect("Dag's button", "1 left, open", season.button(DAG, GRIEF))
    start = Barrier(len(FIFTY), timeout=30)

    def ask(who: Actor) -> str:
        start.wait()
        return season.answer(register, who, GRIEF)

    with ThreadPoolExecutor(len(FIFTY)) as threads:
        answers = list(threads.map(ask, FIFTY))
    full = "refused, max_participants_cap"
    season.expect("Of fifty, have the seat", 1, answers.count("done"))
    season.expect("Of fifty, are told that it is full", 49, answers.count(full))
    winner = FIFTY[answers.index("done")]
    season.expect("Dag's button", "0 left, max_participants_cap", season.button(DAG, GRIEF))
    season.expect("The winner's", "0 left, confirmed", season.button(winner, GRIEF))
    return winner


def seat_changes_hands(season: Season, winner: Actor) -> None:
    """Free the last seat, and let somebody else have it."""
    register, cancel = season.service.register, season.service.cancel_registration
    season.chapter("A seat changes hands", oslo(2027, 2, 1, 20))
    season.expect("The winner cancels", "done", season.answer(cancel, winner, GRIEF))
    season.expect("Dag's button", "1 left, open", season.button(DAG, GRIEF))
    season.expect("Dag registers", "done", season.answer(register, DAG, GRIEF))
    full = "refused, max_participants_cap"
    season.expect("The winner, again", full, season.answer(register, winner, GRIEF))
    season.chapter("The deadline has passed too", oslo(2027, 2, 2, 12, 1))
    both = "refused, registration_deadline_enforced, max_participants_cap"
    season.expect("The winner, again", both, season.answer(register, winner, GRIEF))


def two_admins_revise(season: Season) -> None:
    """Let two admins change what both have on their screens."""
    service, revise = season.service, season.service.revise_course
    season.chapter("Two admins, one course", oslo(2027, 2, 15, 10))
    seen = service.course(ARNE, FOLLOW_UP).updated_at
    raised = season.answer(revise, ASTRID, FOLLOW_UP, expected_updated_at=seen, max_participants=20)
    season.expect("Astrid gives it twenty seats", "done", raised)
    moved = season.answer(revise, ARNE, FOLLOW_UP, expected_updated_at=seen, location="Bodø")
    season.expect("Arne moves it, from an old page", "refused, StaleCourse", moved)
    season.expect("It is in", "Trondheim", service.course(ARNE, FOLLOW_UP).location)
    seen = service.course(ARNE, FOLLOW_UP).updated_at
    season.expect("Arne reads it again, updated at", oslo(2027, 2, 15, 10), seen)
    moved = season.answer(revise, ARNE, FOLLOW_UP, expected_updated_at=seen, location="Bodø")
    season.expect("Arne moves it", "done", moved)
    season.expect("Clara's button", "19 left, open", season.button(CLARA, FOLLOW_UP))


def training_is_completed(season: Season) -> None:
    """Enter on Monday what was completed on Sunday."""
    service, complete = season.service, season.service.complete_registration
    season.chapter("The training is completed", oslo(2027, 3, 15, 9))
    clara, sunday = CLARA.user_id, oslo(2027, 3, 14, 15)
    entered = season.answer(complete, BERIT, TRAINING, user_id=clara, completed_at=sunday)
    season.expect("Berit enters it", "refused, NotPermitted", entered)
    done = complete(ASTRID, TRAINING, user_id=clara, completed_at=sunday)
    two_years = ("issued 14.03.2027 15:00", "expires 14.03.2029 15:00", "reminder 12.02.2029 15:00")
    season.expect("Astrid enters it; Clara's certificate", two_years, dates(done))
    season.expect("Scheduled", ("12.02.2029 15:00",), season.scheduled())
    again = complete(ASTRID, TRAINING, user_id=clara)
    season.expect("Entered again, the same one", True, again.certificate == done.certificate)
    season.expect("Scheduled", ("12.02.2029 15:00",), season.scheduled())
    cancelled = season.answer(service.cancel_registration, CLARA, TRAINING)
    season.expect("Clara cancels after that", "refused, InvalidTransition", cancelled)
    season.expect("Certificates that Clara sees", 1, len(service.certificates(CLARA).items))
    season.expect("Certificates that Henrik sees", 0, len(service.certificates(HENRIK).items))


def scheduler_is_down(season: Season) -> None:
    """Complete while nothing can be scheduled, and lose no reminder."""
    deliver = season.service.schedule_pending_reminders
    season.chapter("The follow-up, and a scheduler that is down", oslo(2027, 4, 19, 9))
    season.scheduler.down = True
    sunday = oslo(2027, 4, 18, 14)
    done = season.service.complete_registration(
        ASTRID, FOLLOW_UP, user_id=BERIT.user_id, completed_at=sunday
    )
    # Issued in summer time, reminded in winter time: the same hour on the wall.
    two_years = ("issued 18.04.2027 14:00", "expires 18.04.2029 14:00", "reminder 19.03.2029 14:00")
    season.expect("The completion stands; Berit's certificate", two_years, dates(done))
    season.expect("Waiting", ("19.03.2029 14:00",), season.waiting())
    season.expect("The nightly job delivers", 0, deliver())
    season.chapter("The scheduler is back", oslo(2027, 4, 20, 9))
    season.scheduler.down = False
    season.expect("The nightly job delivers", 1, deliver())
    season.expect("The night after", 0, deliver())
    season.expect("Waiting", (), season.waiting())
    season.expect("Scheduled", ("12.02.2029 15:00", "19.03.2029 14:00"), season.scheduled())


def certificate_never_expires(season: Season) -> None:
    """Complete the course whose certificate has no expiry."""
    season.chapter("A certificate without expiry", oslo(2027, 5, 9, 15))
    done = season.service.complete_registration(HENRIK, TINNITUS, user_id=INGRID.user_id)
    forever = ("issued 09.05.2027 15:00", "expires never", "reminder never")
    season.expect("Ingrid's certificate", forever, dates(done))
    season.expect("Waiting", (), season.waiting())
    season.expect("Reminders scheduled, as before", 2, len(season.scheduled()))


def play(season: Season) -> int:
    """Play every chapter and give the exit status."""
    courses_are_stored(season)
    everybody_looks(season)
    seats_are_taken(season)
    deadline_passes(season)
    winner = fifty_ask_for_one_seat(season)
    seat_changes_hands(season, winner)
    two_admins_revise(season)
    training_is_completed(season)
    scheduler_is_down(season)
    certificate_never_expires(season)
    if season.differences:
        print(f"\n{len(season.differences)} of {season.expectations} things differ:")
        print(*season.differences, sep="\n")
        return 1
    print(f"\nAll {season.expectations} things are as the rules say.")
    return 0


@contextmanager
def storage(url: str | None) -> Generator[sqlalchemy.Engine, None, None]:
    """Open the database of this URL, or a SQLite file for as long as it is needed."""
    with TemporaryDirectory() as folder:
        engine = sqlalchemy.create_engine(url or f"sqlite:///{folder}/courses.db")
        try:
            yield engine
        finally:
            engine.dispose()


def has_courses(engine: sqlalchemy.Engine) -> bool:
    """Tell whether somebody keeps courses there: their reminders are not ours to deliver."""
    with engine.connect() as connection:
        return connection.execute(metadata.tables["courses"].select().limit(1)).first() is not None


def main(argv: Sequence[str] | None = None) -> int:
    """Play the season on a database."""
    parser = argparse.ArgumentParser(
        description="Play a season of courses, and tell what everybody met."
    )
    parser.add_argument(
        "--database",
        metavar="URL",
        help="an empty database, as SQLAlchemy writes it (default: a SQLite file, removed later)",
    )
    url = parser.parse_args(argv).database
    logging.basicConfig(format="  log: %(message)s", stream=sys.stdout)
    try:
        with storage(url) as engine:
            create_schema(engine)
            if has_courses(engine):
                parser.error("the database has courses already: give an empty one")
            return play(Season(SqlCourseRepository(engine)))
    except (ImportError, SQLAlchemyError) as error:
        parser.error(f"the database cannot be used: {error}")


if __name__ == "__main__":
    # A terminal that has no ø shows the rest.
    cast("io.TextIOWrapper", sys.stdout).reconfigure(errors="replace")
    sys.exit(main())
