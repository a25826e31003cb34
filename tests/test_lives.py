"""Random lives of two organizations, run through the service and through a naive second reading.

The model below is written from the design, in dictionaries and loops, and shares no line with the
library but the names of its values.
"""

from calendar import monthrange
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from unicodedata import category
from uuid import UUID

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import NOW, ORGANIZATION_ID, OTHER_ORGANIZATION_ID, TICK, course_fields
from course_domain import (
    Actor,
    Course,
    CourseDomainError,
    CourseOffer,
    CourseService,
    CourseType,
    Page,
    Participation,
    PeerMentorCertificate,
    Registration,
    RenewalReminder,
    Role,
)
from course_domain.memory import InMemoryCourseRepository, InMemoryReminderScheduler
from twins import AwaitedService

DAY = timedelta(days=1)
NEVER = datetime(9999, 12, 31, tzinfo=UTC)
COURSE_IDS = [UUID(int=number) for number in range(1, 5)]
SEED = COURSE_IDS[0]
ANNA, BO, CILLE, DINA = (UUID(int=number) for number in range(11, 15))
# Anna leads the one organization and is a peer mentor in the other: two actors.
PEOPLE = [
    Actor(user_id=user_id, organization_id=organization_id, role=role)
    for organization_id, roles in {
        ORGANIZATION_ID: {
            ANNA: Role.ADMIN,
            BO: Role.PEER_MENTOR,
            CILLE: Role.PEER_MENTOR,
            DINA: Role.COORDINATOR,
        },
        OTHER_ORGANIZATION_ID: {BO: Role.ADMIN, ANNA: Role.PEER_MENTOR, CILLE: Role.COORDINATOR},
    }.items()
    for user_id, role in roles.items()
]


def seed(organization_id: UUID) -> dict[str, Any]:
    """Give the fields of a course that each organization has, under the same id."""
    return course_fields(
        id=SEED, organization_id=organization_id, max_participants=2, updated_at=NOW
    )


# The second reading of the design


class Refused(Exception):
    """Tell the name of the error, and the rules that it should list."""

    def __init__(self, error: str, *rules: str) -> None:
        super().__init__(error, *rules)
        self.outcome = (error, rules)


def months_later(instant: datetime, months: int) -> datetime:
    """Count calendar months; a day that the month lacks becomes its last."""
    year, month = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    day = min(instant.day, monthrange(year, month + 1)[1])
    return instant.replace(year=year, month=month + 1, day=day)


def is_blank(title: str) -> bool:
    """Tell whether no character can be seen."""
    return all(category(each) in {"Zs", "Zl", "Zp", "Cc", "Cf", "Cs"} for each in title)


class Model:
    """What the service should answer, told as plainly as can be."""

    def __init__(self) -> None:
        self.now = NOW
        self.fresh_id = UUID(int=0)
        self.courses: dict[tuple[UUID, UUID], dict[str, Any]] = {
            (organization_id, SEED): seed(organization_id)
            for organization_id in (ORGANIZATION_ID, OTHER_ORGANIZATION_ID)
        }
        self.registrations: dict[tuple[UUID, UUID, UUID], dict[str, Any]] = {}
        self.certificates: dict[tuple[UUID, UUID, UUID], dict[str, Any]] = {}
        self.outbox: list[dict[str, Any]] = []
        self.delivered: dict[UUID, dict[str, Any]] = {}
        self.trouble = "none"

    def sees(self, who: Actor, course: dict[str, Any]) -> bool:
        """Admins see all of their organization, others what is published."""
        return who.organization_id == course["organization_id"] and (
            who.role == "admin" or course["status"] == "published"
        )

    def found(self, who: Actor, course_id: UUID) -> dict[str, Any]:
        """Find a course that they may view."""
        course = self.courses.get((who.organization_id, course_id))
        if course is None or not self.sees(who, course):
            raise Refused("CourseNotFound")
        return course

    def confirmed(self, course: dict[str, Any]) -> int:
        """Count the seats that are taken."""
        return sum(
            each["status"] == "confirmed"
            for (organization_id, course_id, _), each in self.registrations.items()
            if (organization_id, course_id) == (course["organization_id"], course["id"])
        )

    def rejections(self, who: Actor, course: dict[str, Any]) -> tuple[str, ...]:
        """Tell why somebody who may view a course may not register."""
        held = self.registrations.get((who.organization_id, course["id"], who.user_id))
        if held is not None and held["status"] == "confirmed":
            return ()
        deadline, cap = course["registration_deadline"], course["max_participants"]
        reasons = {
            "registration_deadline_enforced": deadline is not None and self.now > deadline,
            "max_participants_cap": cap is not None and self.confirmed(course) >= cap,
            "registration_requires_published": course["status"] != "published",
        }
        return tuple(rule for rule, holds in reasons.items() if holds)

    def judge(self, course: dict[str, Any], never_expires: bool, stays: bool) -> None:
        """Refuse a course that would break a rule."""
        start, end = course["start_date"], course["end_date"]
        deadline, months = course["registration_deadline"], course["certificate_validity_months"]
        cap = course["max_participants"]
        broken = {
            "end_date_after_start_date": bool(start and end and end <= start),
            "registration_deadline_before_start": bool(start and deadline and deadline >= start),
            "title_not_empty": is_blank(course["title"]),
            "max_participants_positive": cap is not None and cap < 1,
            "certificate_validity_positive": months is not None and months < 1,
            "certificate_validity_required_when_issues_certificate": (
                course["issues_certificate"]
                and not (stays and months is None)
                and (months is None) != never_expires
            ),
        }
        if any(broken.values()):
            raise Refused("InvalidCourse", *sorted(rule for rule in broken if broken[rule]))

    def create_course(self, who: Actor, **details: Any) -> dict[str, Any]:
        """A draft, by an admin."""
        if who.role != "admin":
            raise Refused("NotPermitted")
        never_expires = details.pop("certificate_never_expires", False)
        course = dict.fromkeys(course_fields()) | details
        course |= {
            "id": self.fresh_id,
            "organization_id": who.organization_id,
            "status": "draft",
            "created_by": who.user_id,
            "created_at": self.now,
            "updated_at": self.now,
        }
        self.judge(course, never_expires, stays=False)
        if (who.organization_id, self.fresh_id) in self.courses:
            raise Refused("DuplicateCourse")
        self.courses[who.organization_id, self.fresh_id] = course
        return course

    def authored(self, who: Actor, course_id: UUID) -> dict[str, Any]:
        """Find a course that they may change."""
        course = self.found(who, course_id)
        if who.role != "admin":
            raise Refused("NotPermitted")
        return course

    def changed(self, course: dict[str, Any], **changes: Any) -> dict[str, Any]:
        """Store what differs, and let `updated_at` grow."""
        if course | changes == course:
            return course
        grown = max(self.now, course["updated_at"] + TICK)
        after = course | changes | {"updated_at": grown}
        self.courses[course["organization_id"], course["id"]] = after
        return after

    def revise_course(
        self,
        who: Actor,
        course_id: UUID,
        expected_updated_at: datetime | None = None,
        **changes: Any,
    ) -> dict[str, Any]:
        """By an admin, unless somebody else was faster."""
        course = self.authored(who, course_id)
        if expected_updated_at is not None and expected_updated_at != course["updated_at"]:
            raise Refused("StaleCourse")
        never_expires = changes.pop("certificate_never_expires", False)
        stays = course["issues_certificate"] and course["certificate_validity_months"] is None
        self.judge(course | changes, never_expires, stays)
        return self.changed(course, **changes)

    def moved(self, who: Actor, course_id: UUID, sources: str, target: str) -> dict[str, Any]:
        """By an admin; there already is there."""
        course = self.authored(who, course_id)
        if course["status"] not in (*sources.split(), target):
            raise Refused("InvalidTransition")
        return self.changed(course, status=target)

    def publish_course(self, who: Actor, course_id: UUID) -> dict[str, Any]:
        """Draft → published."""
        return self.moved(who, course_id, "draft", "published")

    def unpublish_course(self, who: Actor, course_id: UUID) -> dict[str, Any]:
        """Published → draft."""
        return self.moved(who, course_id, "published", "draft")

    def archive_course(self, who: Actor, course_id: UUID) -> dict[str, Any]:
        """Draft or published → archived."""
        return self.moved(who, course_id, "draft published", "archived")

    def restore_course(self, who: Actor, course_id: UUID) -> dict[str, Any]:
        """Archived → draft."""
        return self.moved(who, course_id, "archived", "draft")

    def course(self, who: Actor, course_id: UUID) -> dict[str, Any]:
        """One course."""
        return self.found(who, course_id)

    def courses_of(self, who: Actor) -> list[dict[str, Any]]:
        """List what they may view, by start and id."""
        return sorted(
            (course for course in self.courses.values() if self.sees(who, course)),
            key=lambda course: (course["start_date"] or NEVER, course["id"].hex),
        )

    def offers(self, who: Actor, course_ids: Iterable[UUID]) -> dict[UUID, Any]:
        """What they may view, as they meet it."""
        shown = {course["id"]: course for course in self.courses_of(who)}
        return {
            each: (
                shown[each],
                self.seats_left(shown[each]),
                self.registrations.get((who.organization_id, each, who.user_id)),
                self.rejections(who, shown[each]),
            )
            for each in course_ids
            if each in shown
        }

    def seats_left(self, course: dict[str, Any]) -> int | None:
        """Never below 0."""
        cap = course["max_participants"]
        return None if cap is None else max(0, cap - self.confirmed(course))

    def register(self, who: Actor, course_id: UUID) -> dict[str, Any]:
        """Whoever holds a seat keeps it; else all the rules."""
        course = self.found(who, course_id)
        key = (who.organization_id, course_id, who.user_id)
        held = self.registrations.get(key)
        if held is not None and held["status"] == "confirmed":
            return held
        reasons = self.rejections(who, course)
        if reasons:
            raise Refused("RegistrationRejected", *reasons)
        self.registrations[key] = {
            "id": held["id"] if held else self.fresh_id,
            "course_id": course_id,
            "organization_id": who.organization_id,
            "user_id": who.user_id,
            "status": "confirmed",
            "registered_at": self.now,
            "cancelled_at": None,
            "completed_at": None,
        }
        return self.registrations[key]

    def cancel_registration(
        self, who: Actor, course_id: UUID, user_id: UUID | None = None
    ) -> dict[str, Any]:
        """One's own also on a hidden course; another's for admins."""
        user_id = user_id or who.user_id
        key = (who.organization_id, course_id, user_id)
        held = self.registrations.get(key)
        if held is None or user_id != who.user_id:
            self.found(who, course_id)
        if user_id != who.user_id and who.role != "admin":
            raise Refused("NotPermitted")
        if held is None:
            raise Refused("RegistrationNotFound")
        if held["status"] == "confirmed":
            if held["completed_at"]:
                raise Refused("InvalidTransition")
            self.registrations[key] = held | {"status": "cancelled", "cancelled_at": self.now}
        return self.registrations[key]

    def complete_registration(
        self, who: Actor, course_id: UUID, user_id: UUID, completed_at: datetime | None = None
    ) -> tuple[Any, ...]:
        """By an admin; certificate and reminder follow the course as it is now."""
        course = self.authored(who, course_id)
        key = (who.organization_id, course_id, user_id)
        held = self.registrations.get(key)
        if held is None:
            raise Refused("RegistrationNotFound")
        reminder = None
        if held["completed_at"] is None:
            if held["status"] == "cancelled":
                raise Refused("InvalidTransition")
            if completed_at is not None and completed_at > self.now:
                raise Refused("InvalidValue", "out_of_range")
            issued_at = completed_at or self.now
            self.registrations[key] = held | {"completed_at": issued_at}
            if course["issues_certificate"]:
                reminder = self.certify(course, user_id, issued_at)
        if reminder is not None:
            self.outbox.append(reminder)
            self.schedule([reminder])
        return (self.registrations[key], self.certificates.get(key), reminder)

    def certify(
        self, course: dict[str, Any], user_id: UUID, issued_at: datetime
    ) -> dict[str, Any] | None:
        """Issue a certificate, and give its reminder if it expires."""
        owner = {
            "course_id": course["id"],
            "organization_id": course["organization_id"],
            "peer_mentor_id": user_id,
        }
        months = course["certificate_validity_months"]
        expires_at = None if months is None else months_later(issued_at, months)
        issued = {"id": self.fresh_id, "issued_at": issued_at, "expires_at": expires_at}
        self.certificates[course["organization_id"], course["id"], user_id] = owner | issued
        if expires_at is None:
            return None
        return owner | {"certificate_id": self.fresh_id, "remind_at": expires_at - 30 * DAY}

    def schedule(self, reminders: Sequence[dict[str, Any]]) -> int:
        """Schedule and mark each, as far as the trouble of the day allows."""
        for each in reminders:
            if self.trouble in ("none", "answer lost", "mark fails"):
                self.delivered.setdefault(each["certificate_id"], each)
            if self.trouble == "stop":
                raise Refused("Stop")
            if self.trouble == "none":
                self.outbox.remove(each)
        return len(reminders) if self.trouble == "none" else 0

    def schedule_pending_reminders(self) -> int:
        """Schedule the whole outbox."""
        return self.schedule(list(self.outbox))

    def records(
        self, who: Actor, kept: dict[Any, dict[str, Any]], user_id: UUID | None, **by: Any
    ) -> list[dict[str, Any]]:
        """One's own, or an admin's whole organization's; in the order of a time."""
        if who.role != "admin":
            if user_id not in (None, who.user_id):
                raise Refused("NotPermitted")
            user_id = who.user_id
        course_id, time = by["course_id"], by["time"]
        return sorted(
            (
                record
                for (organization, course, user), record in kept.items()
                if organization == who.organization_id
                and course_id in (None, course)
                and user_id in (None, user)
            ),
            key=lambda record: (record[time] or NEVER, record["id"].hex),
        )

    def registrations_of(
        self, who: Actor, course_id: UUID | None = None, user_id: UUID | None = None
    ) -> list[dict[str, Any]]:
        """By `registered_at`."""
        kept = self.registrations
        return self.records(who, kept, user_id, course_id=course_id, time="registered_at")

    def certificates_of(
        self, who: Actor, course_id: UUID | None = None, user_id: UUID | None = None
    ) -> list[dict[str, Any]]:
        """By `expires_at`."""
        kept = self.certificates
        return self.records(who, kept, user_id, course_id=course_id, time="expires_at")


# The library, run the same way


class Stop(BaseException):
    """The process stops here."""


class World:
    """A service over the adapters in memory, with a clock, ids and trouble that a life sets."""

    def __init__(self, make_service: Callable[..., Any] = CourseService) -> None:
        self.now = NOW
        self.fresh_id = UUID(int=0)
        self.trouble = "none"
        self.taken = InMemoryReminderScheduler()
        self.repository = Repository(self)
        for organization_id in (ORGANIZATION_ID, OTHER_ORGANIZATION_ID):
            self.repository.add(Course(**seed(organization_id)))
        self.service = make_service(
            self.repository, self, clock=lambda: self.now, new_id=lambda: self.fresh_id
        )

    def schedule(self, reminder: RenewalReminder) -> None:
        """Take a reminder, as far as the trouble of the day allows."""
        if self.trouble == "down":
            raise OSError
        if self.trouble == "stop":
            raise Stop
        self.taken.schedule(reminder)
        if self.trouble == "answer lost":
            raise OSError

    def ask(self, method: str, *args: Any, **given: Any) -> Any:
        """Call the service, and read a list to its end."""
        name = method.removesuffix("_of")
        asked: Callable[..., Any] = getattr(self.service, name)
        answer = asked(*args, **given)
        return everything(asked, answer, *args, **given) if name != method else answer


def everything(listing: Callable[..., Page[Any]], page: Page[Any], *args: Any, **given: Any) -> Any:
    """Read a list to its end, from its first page on."""
    items = list(page.items)
    while page.next is not None:
        page = listing(*args, **given | {"after": page.next})
        items += page.items
    return items


class Repository(InMemoryCourseRepository):
    """A repository whose marking fails on bad days."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def mark_reminder_scheduled(self, reminder: RenewalReminder) -> None:
        """Mark, or fail."""
        if self._world.trouble == "mark fails":
            raise OSError
        super().mark_reminder_scheduled(reminder)


def plain(answer: Any) -> Any:
    """Give an answer of the service in the model's words."""
    if isinstance(answer, Participation):
        return tuple(map(plain, (answer.registration, answer.certificate, answer.reminder)))
    if isinstance(answer, CourseOffer):
        rules = tuple(violation.rule.value for violation in answer.rejections)
        return (plain(answer.course), answer.seats_left, plain(answer.registration), rules)
    if isinstance(answer, Course | Registration | PeerMentorCertificate | RenewalReminder):
        return attrs.asdict(answer, recurse=False)
    return answer


def asked_of_service(world: World, method: str, *args: Any, **given: Any) -> Any:
    """Give what the service answers or how it refuses."""
    try:
        answer = world.ask(method, *args, **given)
        if method == "offers":
            return {course_id: plain(offer) for course_id, offer in answer.items()}
        return list(map(plain, answer)) if method.endswith("_of") else plain(answer)
    except Stop:
        return ("Stop", ())
    except CourseDomainError as error:
        rules = [violation.rule.value for violation in getattr(error, "violations", ())]
        name = type(error).__name__
        return (name, tuple(sorted(rules) if name == "InvalidCourse" else rules))


def asked_of_model(model: Model, method: str, *args: Any, **given: Any) -> Any:
    """Give what the model answers or how it refuses."""
    given.pop("limit", None)
    try:
        return getattr(model, method)(*args, **given)
    except Refused as refused:
        return refused.outcome


# Lives


class Step(NamedTuple):
    """One thing that happens: somebody asks for something, or a setting changes."""

    method: str
    who: Actor | None
    args: tuple[Any, ...]
    given: dict[str, Any]


def steps(
    who: st.SearchStrategy[Actor],
    methods: Sequence[str],
    *args: st.SearchStrategy[Any],
    needed: dict[str, Any] | None = None,
    **optional: Any,
) -> st.SearchStrategy[Step]:
    """Make steps of some methods; what is optional is sometimes left out."""
    given = st.fixed_dictionaries(needed or {}, optional=optional)
    return st.builds(Step, st.sampled_from(methods), who, st.tuples(*args), given)


def settings_of(name: str, values: Iterable[Any]) -> st.SearchStrategy[Step]:
    """Make steps that change a setting."""
    return st.sampled_from([Step(name, None, (value,), {}) for value in values])


INSTANTS = st.none() | st.sampled_from([NOW + days * DAY for days in (-1, 0, 1, 2, 20)])
FIELDS: dict[str, Any] = {
    "title": st.sampled_from(["Å lytte", "Basics", "Basics", " \u200b\u2028"]),
    "course_type": st.sampled_from(CourseType),
    "is_virtual": st.booleans(),
    "issues_certificate": st.booleans(),
    "start_date": INSTANTS,
    "end_date": INSTANTS,
    "registration_deadline": INSTANTS,
    "max_participants": st.sampled_from([None, 1, 1, 2, 0]),
    "certificate_validity_months": st.sampled_from([None, 1, 12, 13, 0]),
    "certificate_never_expires": st.booleans(),
}
NEEDED = ("title", "course_type", "is_virtual", "issues_certificate")
TITLED = {name: FIELDS.pop(name) for name in NEEDED}
ANYBODY = st.sampled_from(PEOPLE)
ADMINS = st.sampled_from([each for each in PEOPLE if each.role == "admin"])
MOSTLY_ADMINS = ADMINS | ADMINS | ANYBODY
COURSES = st.sampled_from([SEED] * 4 + COURSE_IDS)
USERS = st.sampled_from([ANNA, BO, CILLE, DINA])
LIMITS = st.integers(1, 3)
MOVES = ["publish"] * 4 + ["restore"] * 2 + ["archive", "unpublish"]
DAYS_AGO = st.sampled_from([-3 * DAY, 0 * DAY, TICK])
STEPS = st.one_of(
    steps(ANYBODY, ["register"], COURSES),
    steps(ANYBODY, ["register"], st.just(SEED)),
    steps(ANYBODY, ["cancel_registration"], COURSES),
    steps(MOSTLY_ADMINS, ["cancel_registration"], COURSES, needed={"user_id": USERS}),
    steps(ADMINS, ["complete_registration"], st.just(SEED), needed={"user_id": USERS}),
    steps(
        MOSTLY_ADMINS,
        ["complete_registration"],
        COURSES,
        needed={"user_id": USERS},
        completed_at=DAYS_AGO,
    ),
    steps(MOSTLY_ADMINS, ["create_course"], needed=TITLED, **FIELDS),
    steps(
        MOSTLY_ADMINS,
        ["revise_course"],
        COURSES,
        expected_updated_at=st.sampled_from([True, True, NOW - DAY]),
        **TITLED,
        **FIELDS,
    ),
    steps(MOSTLY_ADMINS, [f"{move}_course" for move in MOVES], COURSES),
    steps(ANYBODY, ["course"], COURSES),
    steps(ANYBODY, ["courses_of"], limit=LIMITS),
    steps(ANYBODY, ["offers"], st.lists(COURSES, max_size=5, unique=True)),
    steps(
        MOSTLY_ADMINS,
        ["registrations_of", "certificates_of"],
        course_id=COURSES,
        user_id=USERS,
        limit=LIMITS,
    ),
    settings_of("now", [0 * DAY, TICK, DAY, 9 * DAY, -DAY]),
    settings_of("trouble", ["none", "none", "down", "stop", "answer lost", "mark fails"]),
    st.just(Step("schedule_pending_reminders", None, (), {})),
)
# Lists of lists are longer than lists, and shrink as well.
LIVES = st.lists(st.lists(STEPS), max_size=12).map(
    lambda days: [step for day in days for step in day]
)
ANY_LIFE = settings(deadline=None, max_examples=100)


def told(step: Step, number: int, reader: World | Model, now: datetime) -> dict[str, Any]:
    """Set what a step begins with; give what it passes, with instants counted from now."""
    create = step.method == "create_course"
    reader.fresh_id = COURSE_IDS[number % 4] if create else UUID(int=1_000 + number)
    given = dict(step.given)
    if "completed_at" in given:
        given["completed_at"] = now + given["completed_at"]
    return given


def live(reader: World | Model, life: Iterable[tuple[int, Step]]) -> list[tuple[int, Any]]:
    """Run a life, and give the answer to each of its steps, by number."""
    ask: Callable[..., Any] = asked_of_model if isinstance(reader, Model) else asked_of_service
    answers: list[tuple[int, Any]] = []
    for number, step in life:
        if step.method == "now":
            reader.now += step.args[0]
        elif step.method == "trouble":
            reader.trouble = step.args[0]
        else:
            given = told(step, number, reader, reader.now)
            who = () if step.who is None else (step.who,)
            if given.get("expected_updated_at") is True:
                read = ask(reader, "course", *who, *step.args)
                given["expected_updated_at"] = read["updated_at"] if "id" in read else None
            answers.append((number, ask(reader, step.method, *who, *step.args, **given)))
    return answers


# In the end everybody looks at everything.
LAST_LOOK = [
    Step(method, who, args, {})
    for who in PEOPLE
    for method, args in [
        ("courses_of", ()),
        ("registrations_of", ()),
        ("certificates_of", ()),
        ("offers", (COURSE_IDS,)),
    ]
]


@given(LIVES)
@ANY_LIFE
def test_service_answers_as_the_design_reads(life: list[Step]) -> None:
    """Every answer, refusal, list and offer of any life is what a second reading says."""
    whole = [*life, *LAST_LOOK]

    assert live(Model(), enumerate(whole)) == live(World(), enumerate(whole))


@given(LIVES)
@ANY_LIFE
def test_async_service_answers_the_same(life: list[Step]) -> None:
    """Any life that is awaited gets the answers, and leaves the outbox, of one that is not."""
    whole = [*life, *LAST_LOOK]
    plain, awaited = World(), World(AwaitedService)

    assert live(plain, enumerate(whole)) == live(awaited, enumerate(whole))
    assert plain.repository.pending_reminders() == awaited.repository.pending_reminders()
    assert plain.taken.scheduled == awaited.taken.scheduled


@given(LIVES, st.sampled_from([ORGANIZATION_ID, OTHER_ORGANIZATION_ID]))
@ANY_LIFE
def test_no_answer_depends_on_another_organization(life: list[Step], organization_id: UUID) -> None:
    """Without the other organization's steps, everybody in this one hears the same."""
    own = [
        (number, step)
        for number, step in enumerate(life)
        if step.who is None or step.who.organization_id == organization_id
    ]
    asked = {number for number, step in own if step.who is not None}

    together = [answer for answer in live(World(), enumerate(life)) if answer[0] in asked]

    assert [answer for answer in live(World(), own) if answer[0] in asked] == together


@given(LIVES)
@ANY_LIFE
def test_no_reminder_is_lost_or_comes_twice(life: list[Step]) -> None:
    """Once the trouble is over, every certificate that expires has been reminded of, once."""
    world = World()
    live(world, enumerate(life))
    world.trouble = "none"

    world.service.schedule_pending_reminders(limit=1)

    due = {
        (issued.organization_id, issued.id): issued.expires_at - 30 * DAY
        for organization_id in (ORGANIZATION_ID, OTHER_ORGANIZATION_ID)
        for issued in world.repository.certificates(organization_id, limit=200).items
        if issued.expires_at is not None
    }
    scheduled = world.taken.scheduled
    assert len(due) == len(scheduled)
    assert due == {
        (each.organization_id, each.certificate_id): each.remind_at for each in scheduled
    }
    assert () == world.repository.pending_reminders().items


@given(LIVES)
@ANY_LIFE
def test_no_seat_is_sold_twice(life: list[Step]) -> None:
    """Whenever somebody new is confirmed, the seats taken are no more than the cap."""
    world = World()
    for number, step in enumerate(life):
        before = seats(world)
        live(world, [(number, step)])
        for key, (taken, cap) in seats(world).items():
            if key in before and taken > before[key][0]:
                assert taken <= (cap or taken)


def seats(world: World) -> dict[tuple[UUID, UUID], tuple[int, int | None]]:
    """Count the confirmed registrations of each course beside its cap."""
    counted: dict[tuple[UUID, UUID], tuple[int, int | None]] = {}
    for organization_id in (ORGANIZATION_ID, OTHER_ORGANIZATION_ID):
        for course in world.repository.courses(organization_id).items:
            held = world.repository.registrations(organization_id, course_id=course.id).items
            taken = sum(each.status == "confirmed" for each in held)
            counted[organization_id, course.id] = (taken, course.max_participants)
    return counted


def test_lives_reach_every_answer() -> None:
    """The lives above come by every error that a service has, and by certificates."""
    heard: set[str] = set()

    @given(LIVES)
    @settings(ANY_LIFE, max_examples=200, database=None, derandomize=True)
    def listen(life: list[Step]) -> None:
        for _, answer in live(Model(), enumerate(life)):
            if isinstance(answer, tuple) and isinstance(answer[0], str):
                heard.add(answer[0])
            elif isinstance(answer, tuple):
                heard.add("reminder" if answer[2] else "completion")

    listen()

    assert {
        "CourseNotFound",
        "NotPermitted",
        "RegistrationNotFound",
        "StaleCourse",
        "InvalidTransition",
        "InvalidCourse",
        "RegistrationRejected",
        "DuplicateCourse",
        "reminder",
        "completion",
    } <= heard
