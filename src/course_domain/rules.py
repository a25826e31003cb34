"""Every rule by its name, what a broken rule looks like, and the errors that carry such."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import attrs


class Rule(StrEnum):
    """Name a rule of the domain; the name is stable, and what a host translates by."""

    # What makes a course valid
    END_DATE_AFTER_START_DATE = "end_date_after_start_date"
    REGISTRATION_DEADLINE_BEFORE_START = "registration_deadline_before_start"
    TITLE_NOT_EMPTY = "title_not_empty"
    MAX_PARTICIPANTS_POSITIVE = "max_participants_positive"
    CERTIFICATE_VALIDITY_POSITIVE = "certificate_validity_positive"

    # What the business holds to
    REGISTRATION_DEADLINE_ENFORCED = "registration_deadline_enforced"
    MAX_PARTICIPANTS_CAP = "max_participants_cap"
    CERTIFICATE_VALIDITY_REQUIRED_WHEN_ISSUES_CERTIFICATE = (
        "certificate_validity_required_when_issues_certificate"
    )
    ORG_SCOPED_COURSE_ACCESS = "org_scoped_course_access"
    PUBLISHED_ONLY_VISIBLE_TO_USERS = "published_only_visible_to_users"
    CERTIFICATE_RENEWAL_REMINDER_TRIGGERED = "certificate_renewal_reminder_triggered"
    REGISTRATION_REQUIRES_PUBLISHED = "registration_requires_published"

    # What any value must be
    REQUIRED = "required"
    WRONG_TYPE = "wrong_type"
    NAIVE_DATETIME = "naive_datetime"
    UNSTORABLE_TEXT = "unstorable_text"
    OUT_OF_RANGE = "out_of_range"
    UNKNOWN_CURSOR = "unknown_cursor"

    # What a JSON document must be
    UNKNOWN_FIELD = "unknown_field"
    MALFORMED_DOCUMENT = "malformed_document"


SENTENCES: Mapping[Rule, str] = MappingProxyType(
    {
        Rule.END_DATE_AFTER_START_DATE: "The end must be later than the start.",
        Rule.REGISTRATION_DEADLINE_BEFORE_START: (
            "The registration deadline must be earlier than the start."
        ),
        Rule.TITLE_NOT_EMPTY: "The title must have at least one visible character.",
        Rule.MAX_PARTICIPANTS_POSITIVE: (
            "The number of participants must be at least 1, or absent for no limit."
        ),
        Rule.CERTIFICATE_VALIDITY_POSITIVE: (
            "The certificate must be valid for at least 1 month, or have no expiry."
        ),
        Rule.REGISTRATION_DEADLINE_ENFORCED: (
            "The registration deadline passed on {registration_deadline}."
        ),
        Rule.MAX_PARTICIPANTS_CAP: (
            "All seats are taken ({max_participants} of {max_participants})."
        ),
        Rule.CERTIFICATE_VALIDITY_REQUIRED_WHEN_ISSUES_CERTIFICATE: (
            "A course that issues certificates needs either the months that they are valid, or the"
            " statement that they never expire, and not both."
        ),
        Rule.ORG_SCOPED_COURSE_ACCESS: "The course belongs to another organization.",
        Rule.PUBLISHED_ONLY_VISIBLE_TO_USERS: "The course is not published.",
        Rule.CERTIFICATE_RENEWAL_REMINDER_TRIGGERED: (
            "The holder is reminded before the certificate expires."
        ),
        Rule.REGISTRATION_REQUIRES_PUBLISHED: (
            "Only a published course takes registrations; this one has status {status}."
        ),
        Rule.REQUIRED: "{field} is required.",
        Rule.WRONG_TYPE: "{field} must be {expected}, not {actual}.",
        Rule.NAIVE_DATETIME: "{field} must have a time zone or an offset from UTC.",
        Rule.UNSTORABLE_TEXT: (
            "{field} has a character that cannot be stored: NUL, or half a surrogate pair."
        ),
        Rule.OUT_OF_RANGE: "{field} must be from {minimum} to {maximum}.",
        Rule.UNKNOWN_CURSOR: "{field} is not the cursor of an earlier page of this query.",
        Rule.UNKNOWN_FIELD: "{field} is not a field of this document.",
        Rule.MALFORMED_DOCUMENT: "The document cannot be read as JSON: {reason}.",
    }
)
"""The English sentence of each rule, with the names of its parameters in braces."""


class _Shown(dict[str, object]):
    """What stands in the braces of a sentence; a parameter that nobody gave is a question mark."""

    def __missing__(self, name: str) -> str:
        return "?"


def _names(value: Any) -> tuple[str, ...]:
    names = tuple(value)
    if isinstance(value, str) or not all(isinstance(name, str) for name in names):
        raise TypeError
    return names


def _read_only(value: Any) -> Mapping[str, Any]:
    return MappingProxyType(dict(value))


_PARTS: Mapping[str, tuple[Callable[[Any], object], str]] = {
    "rule": (Rule, "Rule"),
    "fields": (_names, "tuple of str"),
    "params": (_read_only, "Mapping"),
}
_NO_PARAMS: dict[str, Any] = {}


@attrs.frozen(init=False)
class Violation:
    """Tell one broken rule: which, of which fields, and what its sentence needs.

    Every violation is an error; there is no other severity. ``str()`` of it is an English
    sentence, behind the JSON path where `params` has a ``path``.

    Raises `InvalidValue` with each part that is refused.
    """

    rule: Rule
    """The rule that is broken; its name, as plain text, becomes it."""

    fields: tuple[str, ...]
    """The fields or arguments that break it, the one at fault first."""

    params: Mapping[str, Any] = attrs.field(hash=False)
    """What the sentence needs, read-only; never the text of a field, so that it can be logged."""

    def __init__(
        self, rule: Rule, fields: tuple[str, ...] = (), params: Mapping[str, Any] = _NO_PARAMS
    ) -> None:
        if not (
            type(rule) is Rule
            and type(params) is dict
            and type(fields) is tuple
            and len(fields) == 1
            and type(fields[0]) is str
        ):  # not as the library makes almost all of them
            rule, fields, params = _parts(rule=rule, fields=fields, params=params)
        keep = object.__setattr__
        keep(self, "rule", rule)
        keep(self, "fields", fields)
        keep(self, "params", _read_only(params))

    def __str__(self) -> str:
        """Say in English what is wrong, instants in UTC."""
        shown = _Shown(field=", ".join(self.fields))
        for name, value in self.params.items():
            shown[name] = value.isoformat(" ") if isinstance(value, datetime) else value
        sentence = SENTENCES[self.rule].format_map(shown)
        return f"{self.params['path']}: {sentence}" if "path" in self.params else sentence

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle and copy by the plain parts; a read-only mapping has no pickle of its own."""
        return Violation, (self.rule, self.fields, dict(self.params))


class CourseDomainError(Exception):
    """Stand above every error of this library; never raised itself."""


class ErrorWithViolations(Exception):
    """Carry every reason at once, in the order of the rules; `InvalidValue` for what is none."""

    violations: tuple[Violation, ...]

    def __init__(self, violations: Iterable[Violation]) -> None:
        self.violations = _all_violations(violations)
        super().__init__(self.violations)

    def __str__(self) -> str:
        return " ".join(
            f"[{violation.rule}: {', '.join(violation.fields)}] {violation}"
            for violation in self.violations
        )


class InvalidValue(ErrorWithViolations, CourseDomainError, ValueError):
    """Refuse values that cannot mean what their names say; `violations` lists them all."""


def _all_violations(given: Any) -> tuple[Violation, ...]:
    try:
        told: tuple[Any, ...] = tuple(given)
    except TypeError:
        told = (None,)
    if not all(isinstance(each, Violation) for each in told):
        params = {"expected": "iterable of Violation", "actual": type(given).__name__}
        raise InvalidValue([Violation(Rule.WRONG_TYPE, ("violations",), params)])
    return told


def _parts(**given: Any) -> list[Any]:
    """Give the parts of a violation as they are kept."""
    parts: list[Any] = []
    refused: list[Violation] = []
    for name, (kind, expected) in _PARTS.items():
        try:
            parts.append(kind(given[name]))
        except (TypeError, ValueError):
            told = {"expected": expected, "actual": type(given[name]).__name__}
            refused.append(Violation(Rule.WRONG_TYPE, (name,), told))
    if refused:
        raise InvalidValue(refused)
    return parts
