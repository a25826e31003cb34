"""Sentences for people: broken rules and errors in a language, times in a zone.

A catalogue is a mapping from what is to be said to how it is said: `ENGLISH` and `NORWEGIAN`
have the same keys, with the same parameters in braces. A host hands in its own, whole for another
language or with a few entries to say those in another way; what it lacks is said as in `locale`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

import attrs

from course_domain import values
from course_domain.english import ENGLISH
from course_domain.errors import RegistrationRejected
from course_domain.norwegian import NORWEGIAN
from course_domain.rules import CourseDomainError, InvalidValue, Rule, Violation
from course_domain.values import Kind

__all__ = ["ENGLISH", "NORWEGIAN", "Catalogue", "render", "render_error", "render_fields"]

Catalogue = Mapping[str, str] | Mapping[Rule, str]
"""What is to be said, by the keys of `ENGLISH`, and how it is said."""

_LANGUAGES: Mapping[str, Mapping[str, str]] = {"nb": NORWEGIAN, "no": NORWEGIAN}
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_LEAST_NUMBER_WITH_THOUSANDS = 10_000


def _catalogue(value: Any) -> Mapping[str, str]:
    """Take a mapping of text to text."""
    words: Mapping[str, str] = values.record(Mapping)(value)
    values.each(values.text)((*words, *words.values()))
    return words


def _words(locale: str, catalogue: Mapping[str, str] | None) -> Mapping[str, str]:
    language = re.split("[-_]", locale)[0].lower()
    words = _LANGUAGES.get(language, ENGLISH)
    return words if catalogue is None else {**words, **catalogue}


def _filled(sentence: str, say: Callable[[str], str]) -> str:
    """Fill in the parameters of a sentence; one of which nothing is known is a question mark."""
    return re.sub(r"\{(\w+)\}", lambda name: say(name[1]) or "?", sentence)


@attrs.frozen
class _Speaker:
    """Say things with the words of one catalogue, and times in one zone."""

    words: Mapping[str, str]
    zone: tzinfo

    def word(self, text: str) -> str:
        """Translate text, whose numbers stay; what the catalogue lacks stays as it is."""
        numbers = iter(re.findall("[0-9]+", text))
        known = self.words.get(re.sub("[0-9]+", "#", text))
        return text if known is None else re.sub("#", lambda _: next(numbers, "?"), known)

    def instant(self, moment: datetime) -> str:
        """Write the minute that an instant lies in, as the clock on a wall of the zone shows it."""
        try:
            wall = moment if moment.utcoffset() is None else moment.astimezone(self.zone)
        except OverflowError:  # at an end of the calendar
            wall = moment
        parts = {
            "day": f"{wall.day}",
            "month": self.words[_MONTHS[wall.month - 1]],
            "year": f"{wall.year}",
            "hour": f"{wall.hour:02}",
            "minute": f"{wall.minute:02}",
        }
        shown = _filled(self.words["instant"], lambda name: parts.get(name, ""))
        if wall.utcoffset() == wall.replace(fold=1 - wall.fold).utcoffset():
            return shown
        which = "after" if wall.fold else "before"
        return _filled(self.words[f"instant {which} the clocks go back"], lambda _: shown)

    def value(self, value: object) -> str:
        if isinstance(value, datetime):
            return self.instant(value)
        if isinstance(value, int) and abs(value) >= _LEAST_NUMBER_WITH_THOUSANDS:
            return f"{value:,}".replace(",", self.words["thousands"])
        return self.word(str(value))

    def violation(self, violation: Violation) -> str:
        params, is_ours = violation.params, violation.rule is not Rule.UNKNOWN_FIELD

        def say(name: str) -> str:
            if name in params:
                return self.value(params[name])
            names = violation.fields if name == "field" else ()
            return ", ".join(map(self.word, names) if is_ours else names)

        sentence = _filled(self.words[violation.rule], say)
        return sentence[:1].upper() + sentence[1:] if is_ours else sentence

    def error(self, error: CourseDomainError) -> str:
        if isinstance(error, InvalidValue | RegistrationRejected):
            return " ".join(map(self.violation, error.violations))
        data = vars(error)
        names = (kind.__name__ for kind in type(error).__mro__)
        sentence = next(self.words[name] for name in names if name in self.words)
        return _filled(sentence, lambda name: self.value(data[name]) if name in data else "")


def render(
    violation: Violation,
    locale: str = "nb",
    zone: tzinfo = UTC,
    *,
    catalogue: Catalogue | None = None,
) -> str:
    """Say in a sentence which rule is broken.

    `locale` is nb, nb-NO, nb_NO or no, in any case, for Norwegian bokmål; any other is English.
    Times are written by the minute on the wall clock of `zone`; in the hour that it repeats, they
    tell whether it is before or after the clocks go back. A parameter that the violation lacks is
    a question mark. A JSON path is left out: `render_fields` tells the places.

    Raises `InvalidValue` for an argument of the wrong type, and for a zone without an offset.
    """
    violation, speaker = _asked(
        locale, zone, catalogue, violation=(values.record(Violation), violation)
    )
    return speaker.violation(violation)


def render_fields(
    violations: Iterable[Violation],
    locale: str = "nb",
    zone: tzinfo = UTC,
    *,
    catalogue: Catalogue | None = None,
) -> dict[str, list[str]]:
    """Say what is wrong with each field of a form: its name, and its sentences in their order.

    A violation of several fields stands at the first, which is the one at fault; one of none, or
    of a document as a whole, under the empty text. Where it has a JSON path, that is its place:
    ``title`` for ``$.title``, and ``[3].title`` in an array. Otherwise as `render`.
    """
    known, speaker = _asked(
        locale, zone, catalogue, violations=(values.each(values.record(Violation)), violations)
    )
    sentences: dict[str, list[str]] = {}
    for violation in known:
        sentences.setdefault(_place(violation), []).append(speaker.violation(violation))
    return sentences


def render_error(
    error: CourseDomainError,
    locale: str = "nb",
    zone: tzinfo = UTC,
    *,
    catalogue: Catalogue | None = None,
) -> str:
    """Say in a sentence what an error of this library means, or all that it carries violations of.

    A class of the host's own is said by its name in `catalogue`, or else as the nearest class
    above it. The reason of a `RepositoryUnavailable` is for the log and left out. Otherwise as
    `render`.
    """
    error, speaker = _asked(
        locale, zone, catalogue, error=(values.record(CourseDomainError), error)
    )
    return speaker.error(error)


def _asked(
    locale: str,
    zone: tzinfo,
    catalogue: Catalogue | None,
    **what: tuple[Kind[Any], object],
) -> tuple[Any, _Speaker]:
    said, locale, zone, words = values.checked(
        **what,
        locale=(values.text, locale),
        zone=(values.zone, zone),
        catalogue=(values.optional(_catalogue), catalogue),
    )
    return said, _Speaker(_words(locale, words), zone)


def _place(violation: Violation) -> str:
    path = violation.params.get("path")
    if isinstance(path, str):
        return path.removeprefix("$").removeprefix(".")
    return violation.fields[0] if violation.fields else ""
