"""The words for people in English, and with that the keys of every catalogue."""

from collections.abc import Mapping
from types import MappingProxyType

from course_domain.rules import SENTENCES

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        # The sentence of each rule
        **{rule.value: sentence for rule, sentence in SENTENCES.items()},
        # The sentence of each error that lists no rules, with what it carries in braces
        "CourseDomainError": "Something went wrong.",
        "CourseNotFound": "There is no such course.",
        "RegistrationNotFound": "There is no such registration.",
        "DuplicateCourse": "The course already exists.",
        "NotPermitted": "You are not allowed to do this.",
        "InvalidTransition": "You cannot {command} a {subject} that is {state}.",
        "StaleCourse": (
            "The course was changed on {updated_at}, after you opened it. Open it again and try"
            " once more."
        ),
        "RepositoryUnavailable": (
            "The storage does not answer just now. Your change may not be stored: check before you"
            " try again."
        ),
        # How a time is written
        "instant": "{day} {month} {year} at {hour}:{minute}",
        "instant before the clocks go back": "{instant} (before the clocks go back)",
        "instant after the clocks go back": "{instant} (after the clocks go back)",
        "January": "January",
        "February": "February",
        "March": "March",
        "April": "April",
        "May": "May",
        "June": "June",
        "July": "July",
        "August": "August",
        "September": "September",
        "October": "October",
        "November": "November",
        "December": "December",
        # What parts the thousands of a number
        "thousands": ",",
        # What a field or an argument is called
        "id": "the id of the course",
        "organization_id": "the organization",
        "title": "the title",
        "description": "the description",
        "course_type": "the type of course",
        "status": "the status",
        "start_date": "the start",
        "end_date": "the end",
        "location": "the location",
        "is_virtual": "the field \u201cvirtual\u201d",
        "max_participants": "the number of participants",
        "issues_certificate": "the field \u201cissues a certificate\u201d",
        "certificate_validity_months": "the number of months that the certificate is valid",
        "registration_deadline": "the registration deadline",
        "created_by": "the field \u201ccreated by\u201d",
        "created_at": "the time of creation",
        "updated_at": "the time of the last change",
        "certificate_never_expires": "the field \u201cnever expires\u201d",
        "completed_at": "the time of completion",
        "document": "the document",
        "after": "the place in the list",
        "limit": "the length of a page",
        # What is done, to what, and the states that it can be in
        "publish": "publish",
        "unpublish": "unpublish",
        "archive": "archive",
        "restore": "restore",
        "cancel": "cancel",
        "complete": "complete",
        "course": "course",
        "registration": "registration",
        "draft": "draft",
        "published": "published",
        "archived": "archived",
        "completed": "completed",
        "cancelled": "cancelled",
        # What a value must be, and what it is
        "UUID": "a UUID",
        "str": "text",
        "bool": "yes or no",
        "int": "a whole number",
        "float": "a decimal number",
        "datetime": "a date and time",
        "date": "a date",
        "list": "a list",
        "dict": "an object",
        "CourseType": "a type of course",
        "CourseStatus": "a status",
        "a UUID with hyphens": "a UUID with hyphens",
        "a string": "text",
        "a boolean": "yes or no",
        "an integer": "a whole number",
        "an RFC # date-time with an offset": "a date and time with an offset from UTC",
        "one of certification, onboarding, workshop": (
            "one of certification, onboarding and workshop"
        ),
        "one of draft, published, archived": "one of draft, published and archived",
        "an object": "an object",
        "an array": "a list",
        "JSON in str or bytes": "JSON",
        "null": "nothing",
        "string": "text",
        "boolean": "yes or no",
        "number": "a number",
        "object": "an object",
        "array": "a list",
        # Why a document is no JSON; # stands for a number
        "it is not UTF-# at byte #": "it is not UTF-# at byte #",
        "the syntax is wrong at line #, column #": "the syntax is wrong at line #, column #",
        "NaN and Infinity are no numbers": "NaN and Infinity are no numbers",
        "it is nested too deeply": "it is nested too deeply",
        "the field stands twice": "the field stands twice",
    }
)
"""What is to be said, and how English says it."""
