"""The words for people in Norwegian bokmål, under the keys of `english`."""

from collections.abc import Mapping
from types import MappingProxyType

NORWEGIAN: Mapping[str, str] = MappingProxyType(
    {
        "end_date_after_start_date": "Sluttidspunktet må være senere enn starttidspunktet.",
        "registration_deadline_before_start": (
            "Påmeldingsfristen må være tidligere enn starttidspunktet."
        ),
        "title_not_empty": "Tittelen må ha minst ett synlig tegn.",
        "max_participants_positive": (
            "Antall plasser må være minst 1, eller stå tomt hvis det ikke er noen grense."
        ),
        "certificate_validity_positive": (
            "Kursbeviset må være gyldig i minst 1 måned, eller være uten utløpsdato."
        ),
        "registration_deadline_enforced": "Påmeldingsfristen gikk ut {registration_deadline}.",
        "max_participants_cap": (
            "Det er ingen ledige plasser ({max_participants} av {max_participants} er tatt)."
        ),
        "certificate_validity_required_when_issues_certificate": (
            "Oppgi enten hvor mange måneder kursbeviset er gyldig, eller at det aldri utløper, og"
            " ikke begge deler."
        ),
        "org_scoped_course_access": "Kurset tilhører en annen organisasjon.",
        "published_only_visible_to_users": "Kurset er ikke publisert.",
        "certificate_renewal_reminder_triggered": (
            "Den som har kursbeviset, får en påminnelse før det utløper."
        ),
        "registration_requires_published": (
            "Bare publiserte kurs tar imot påmeldinger, og dette er {status}."
        ),
        "required": "{field} må fylles ut.",
        "wrong_type": "{field} må være {expected}, ikke {actual}.",
        "naive_datetime": "{field} mangler tidssone.",
        "unstorable_text": "{field} inneholder et tegn som ikke kan lagres.",
        "out_of_range": "{field} må være fra {minimum} til {maximum}.",
        "unknown_cursor": "{field} hører ikke til denne listen.",
        "unknown_field": "Feltet «{field}» finnes ikke i dette dokumentet.",
        "malformed_document": "Dokumentet kan ikke leses som JSON: {reason}.",
        "CourseDomainError": "Noe gikk galt.",
        "CourseNotFound": "Kurset finnes ikke.",
        "RegistrationNotFound": "Påmeldingen finnes ikke.",
        "DuplicateCourse": "Kurset finnes allerede.",
        "NotPermitted": "Du har ikke tilgang til å gjøre dette.",
        "InvalidTransition": "Du kan ikke {command} {subject} som er {state}.",
        "StaleCourse": (
            "Kurset ble endret {updated_at}, etter at du åpnet det. Åpne det på nytt og prøv igjen."
        ),
        "RepositoryUnavailable": (
            "Lagringen svarer ikke akkurat nå. Endringen din er kanskje ikke lagret: sjekk det før"
            " du prøver igjen."
        ),
        "instant": "{day}. {month} {year} kl. {hour}.{minute}",
        "instant before the clocks go back": "{instant} (før klokka stilles tilbake)",
        "instant after the clocks go back": "{instant} (etter at klokka er stilt tilbake)",
        "January": "januar",
        "February": "februar",
        "March": "mars",
        "April": "april",
        "May": "mai",
        "June": "juni",
        "July": "juli",
        "August": "august",
        "September": "september",
        "October": "oktober",
        "November": "november",
        "December": "desember",
        "thousands": "\u00a0",
        "id": "kursets id",
        "organization_id": "organisasjonen",
        "title": "tittelen",
        "description": "beskrivelsen",
        "course_type": "kurstypen",
        "status": "statusen",
        "start_date": "starttidspunktet",
        "end_date": "sluttidspunktet",
        "location": "stedet",
        "is_virtual": "feltet «digitalt kurs»",
        "max_participants": "antall plasser",
        "issues_certificate": "feltet «gir kursbevis»",
        "certificate_validity_months": "antall måneder kursbeviset er gyldig",
        "registration_deadline": "påmeldingsfristen",
        "created_by": "feltet «opprettet av»",
        "created_at": "tidspunktet for opprettelsen",
        "updated_at": "tidspunktet for siste endring",
        "certificate_never_expires": "feltet «utløper aldri»",
        "completed_at": "tidspunktet for fullføringen",
        "document": "dokumentet",
        "after": "plassen i listen",
        "limit": "antallet på hver side",
        "publish": "publisere",
        "unpublish": "avpublisere",
        "archive": "arkivere",
        "restore": "gjenopprette",
        "cancel": "trekke tilbake",
        "complete": "fullføre",
        "course": "et kurs",
        "registration": "en påmelding",
        "draft": "et utkast",
        "published": "publisert",
        "archived": "arkivert",
        "completed": "fullført",
        "cancelled": "trukket tilbake",
        "UUID": "en UUID",
        "str": "tekst",
        "bool": "ja eller nei",
        "int": "et heltall",
        "float": "et desimaltall",
        "datetime": "et tidspunkt",
        "date": "en dato",
        "list": "en liste",
        "dict": "et objekt",
        "CourseType": "en kurstype",
        "CourseStatus": "en status",
        "a UUID with hyphens": "en UUID med bindestreker",
        "a string": "tekst",
        "a boolean": "ja eller nei",
        "an integer": "et heltall",
        "an RFC # date-time with an offset": "et tidspunkt med avvik fra UTC",
        "one of certification, onboarding, workshop": (
            "en av certification, onboarding og workshop"
        ),
        "one of draft, published, archived": "en av draft, published og archived",
        "an object": "et objekt",
        "an array": "en liste",
        "JSON in str or bytes": "JSON",
        "null": "ingenting",
        "string": "tekst",
        "boolean": "ja eller nei",
        "number": "et tall",
        "object": "et objekt",
        "array": "en liste",
        "it is not UTF-# at byte #": "det er ikke UTF-# ved byte #",
        "the syntax is wrong at line #, column #": "syntaksen er feil i linje #, kolonne #",
        "NaN and Infinity are no numbers": "NaN og Infinity er ikke tall",
        "it is nested too deeply": "det er nøstet for dypt",
        "the field stands twice": "feltet står to ganger",
    }
)
"""What is to be said, and how Norwegian bokmål says it."""
