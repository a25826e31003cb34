"""The words of the pages, beside those of the library; the reader's language; times in Oslo."""

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from fastapi import Request

from course_domain import Rule, Violation
from course_domain.messages import render

OSLO = ZoneInfo("Europe/Oslo")
LANGUAGES = {"nb": "Norsk", "en": "English"}

WORDS: Mapping[str, Mapping[str, str]] = {
    "nb": {
        "site": "Kurs for likepersoner",
        "to content": "Gå til innholdet",
        "sign in": "Logg inn",
        "sign in as": "Logg inn som",
        "sign in note": "Dette er en demonstrasjon: velg hvem du er. Det er ikke noe passord.",
        "sign out": "Logg ut",
        "admin": "administrator",
        "coordinator": "koordinator",
        "peer_mentor": "likeperson",
        "mine": "Mine kurs",
        "mine none": "Du er ikke påmeldt noe kurs.",
        "certificates": "Mine kursbevis",
        "hidden": "Et kurs som ikke lenger er publisert",
        "issued": "Utstedt",
        "expires": "Gyldig til",
        "expired": "Utløp",
        "never": "Utløper ikke",
        "courses": "Kurs i {organization}",
        "all": "Alle kurs",
        "courses none": "Det er ingen kurs å vise.",
        "next": "Flere kurs",
        "first": "Til første side",
        "certification": "Sertifisering",
        "onboarding": "Introduksjon",
        "workshop": "Samling",
        "draft": "Utkast",
        "published": "Publisert",
        "archived": "Arkivert",
        "open": "Åpent for påmelding",
        "closed": "Ikke åpent for påmelding",
        "registered": "Du er påmeldt",
        "completed": "Du har fullført",
        "start": "Starter",
        "end": "Slutter",
        "undated": "Tidspunktet er ikke bestemt",
        "place": "Sted",
        "online": "På nett",
        "deadline": "Frist",
        "seats": "Ledige plasser",
        "seats left": "{left} av {seats}",
        "unlimited": "Ubegrenset",
        "certificate": "Kursbevis",
        "months": "Gyldig i {months} måneder",
        "register": "Meld meg på",
        "cancel": "Meld meg av",
        "publish": "Publiser",
        "unpublish": "Avpubliser",
        "archive": "Arkiver",
        "restore": "Gjenopprett",
        "did register": "Du er påmeldt «{title}».",
        "did cancel": "Du er meldt av.",
        "did publish": "«{title}» er publisert.",
        "did unpublish": "«{title}» er nå et utkast.",
        "did archive": "«{title}» er arkivert.",
        "did restore": "«{title}» er nå et utkast.",
        "did create": "«{title}» er opprettet som et utkast.",
        "did complete": "{name} har fullført.",
        "new": "Nytt kurs",
        "participants": "Deltakere",
        "next participants": "Flere deltakere",
        "participants none": "Ingen er påmeldt.",
        "back": "Til kursene",
        "status": "Status",
        "confirmed": "Påmeldt",
        "cancelled": "Meldt av",
        "done": "Fullført {when}",
        "complete": "Registrer som fullført",
        "complete when": "Når (tomt felt betyr nå)",
        "create": "Opprett utkast",
        "form wrong": "Kurset er ikke opprettet. Rett det som er merket.",
        "oslo": "Tidene er norsk tid.",
        "title": "Tittel",
        "description": "Beskrivelse",
        "course_type": "Kurstype",
        "start_date": "Starter",
        "end_date": "Slutter",
        "registration_deadline": "Påmeldingsfrist",
        "location": "Sted",
        "is_virtual": "Kurset er på nett",
        "max_participants": "Antall plasser (tomt felt betyr ubegrenset)",
        "issues_certificate": "Kurset gir kursbevis",
        "certificate_validity_months": "Antall måneder kursbeviset er gyldig",
        "certificate_never_expires": "Kursbeviset utløper aldri",
        "problem": "Det gikk ikke",
        "401": "Du må være logget inn.",
        "403": "Skjemaet er for gammelt. Gå tilbake, last siden på nytt og prøv igjen.",
        "404": "Siden finnes ikke.",
        "405": "Det kan ikke gjøres her.",
        "428": "Send If-Match med kursets ETag, slik at du ikke overskriver andres endringer.",
        "CourseNotFound": "Kurset finnes ikke",
        "RegistrationNotFound": "Påmeldingen finnes ikke",
        "NotPermitted": "Ikke tillatt",
        "RegistrationRejected": "Påmeldingen ble ikke godtatt",
        "InvalidTransition": "Ikke mulig nå",
        "DuplicateCourse": "Kurset finnes allerede",
        "StaleCourse": "Kurset er endret i mellomtiden",
        "InvalidValue": "Ugyldig verdi",
        "InvalidCourse": "Ugyldig kurs",
        "InvalidDocument": "Ugyldig dokument",
        "RepositoryUnavailable": "Lageret svarer ikke",
    },
    "en": {
        "site": "Courses for peer mentors",
        "to content": "Skip to the content",
        "sign in": "Sign in",
        "sign in as": "Sign in as",
        "sign in note": "This is a demonstration: choose who you are. There is no password.",
        "sign out": "Sign out",
        "admin": "admin",
        "coordinator": "coordinator",
        "peer_mentor": "peer mentor",
        "mine": "My courses",
        "mine none": "You are not registered for any course.",
        "certificates": "My certificates",
        "hidden": "A course that is no longer published",
        "issued": "Issued",
        "expires": "Valid until",
        "expired": "Expired",
        "never": "Never expires",
        "courses": "Courses in {organization}",
        "all": "All courses",
        "courses none": "There are no courses to show.",
        "next": "More courses",
        "first": "To the first page",
        "certification": "Certification",
        "onboarding": "Introduction",
        "workshop": "Workshop",
        "draft": "Draft",
        "published": "Published",
        "archived": "Archived",
        "open": "Open for registration",
        "closed": "Not open for registration",
        "registered": "You are registered",
        "completed": "You have completed this",
        "start": "Starts",
        "end": "Ends",
        "undated": "The date is not set",
        "place": "Place",
        "online": "Online",
        "deadline": "Register by",
        "seats": "Seats left",
        "seats left": "{left} of {seats}",
        "unlimited": "No limit",
        "certificate": "Certificate",
        "months": "Valid for {months} months",
        "register": "Register",
        "cancel": "Cancel my registration",
        "publish": "Publish",
        "unpublish": "Unpublish",
        "archive": "Archive",
        "restore": "Restore",
        "did register": "You are registered for “{title}”.",
        "did cancel": "Your registration is cancelled.",
        "did publish": "“{title}” is published.",
        "did unpublish": "“{title}” is a draft now.",
        "did archive": "“{title}” is archived.",
        "did restore": "“{title}” is a draft now.",
        "did create": "“{title}” is created, as a draft.",
        "did complete": "{name} has completed the course.",
        "new": "New course",
        "participants": "Participants",
        "next participants": "More participants",
        "participants none": "Nobody is registered.",
        "back": "To the courses",
        "status": "Status",
        "confirmed": "Registered",
        "cancelled": "Cancelled",
        "done": "Completed {when}",
        "complete": "Mark as completed",
        "complete when": "When (empty means now)",
        "create": "Create a draft",
        "form wrong": "The course is not created. Correct what is marked.",
        "oslo": "Times are Norwegian time.",
        "title": "Title",
        "description": "Description",
        "course_type": "Type of course",
        "start_date": "Starts",
        "end_date": "Ends",
        "registration_deadline": "Register by",
        "location": "Place",
        "is_virtual": "The course is online",
        "max_participants": "Number of seats (empty means no limit)",
        "issues_certificate": "The course issues certificates",
        "certificate_validity_months": "Number of months that the certificate is valid",
        "certificate_never_expires": "The certificate never expires",
        "problem": "That did not work",
        "401": "You must be signed in.",
        "403": "The form is too old. Go back, reload the page and try again.",
        "404": "There is no such page.",
        "405": "That cannot be done here.",
        "428": "Send If-Match with the ETag of the course, so as not to overwrite what others did.",
        "CourseNotFound": "No such course",
        "RegistrationNotFound": "No such registration",
        "NotPermitted": "Not permitted",
        "RegistrationRejected": "Registration not accepted",
        "InvalidTransition": "Not possible now",
        "DuplicateCourse": "The course exists already",
        "StaleCourse": "The course has changed since",
        "InvalidValue": "Invalid value",
        "InvalidCourse": "Invalid course",
        "InvalidDocument": "Invalid document",
        "RepositoryUnavailable": "The storage does not answer",
    },
}

_ALIKE = {"nb": "nb", "no": "nb", "nn": "nb", "da": "nb", "sv": "nb", "en": "en"}
_INSTANT = Rule.REGISTRATION_DEADLINE_ENFORCED  # a rule whose sentence has a time in it
_ONLY_THE_INSTANT = {_INSTANT: "{registration_deadline}"}


def preferred(accept_language: str) -> str:
    """Choose by an Accept-Language header: the first of the most wanted that we have, else nb."""
    wanted: list[tuple[float, str]] = []
    for each in accept_language.split(","):
        found = re.fullmatch(
            r"\s*([a-zA-Z]+)(?:-[\w-]+)?\s*(?:;\s*q\s*=\s*([01](?:\.\d*)?)\s*)?", each
        )
        if found and found[1].lower() in _ALIKE:
            wanted.append((float(found[2] or 1), _ALIKE[found[1].lower()]))
    best = max(wanted, key=lambda each: each[0], default=(1, "nb"))
    return best[1] if best[0] > 0 else "nb"


def language(request: Request) -> str:
    """Choose the language of an answer; on pages the reader's own choice goes first."""
    accepted = preferred(request.headers.get("accept-language", ""))
    if request.url.path.startswith("/api/"):
        return accepted
    asked = request.query_params.get("lang")
    if asked in LANGUAGES:
        request.session["lang"] = asked
    chosen: str = request.session.get("lang", accepted)
    return chosen


def instant(moment: datetime, locale: str) -> str:
    """Write a time as the library does in its sentences, by the clock on a wall in Oslo."""
    sentence = Violation(_INSTANT, params={"registration_deadline": moment})
    return render(sentence, locale, OSLO, catalogue=_ONLY_THE_INSTANT)
