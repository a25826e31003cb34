"""The kinds of value that fields and arguments take, and how each is checked.

A kind is a function: it gives the value back in its plain base type, or raises `Refusal`.
Nothing is coerced; a subclass, as database drivers give, becomes the plain type.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, TypeGuard, TypeVar
from unicodedata import category
from uuid import UUID

from course_domain.rules import InvalidValue, Rule, Violation

T = TypeVar("T")

Kind = Callable[[Any], T]

MAX_INTEGER = 2_147_483_647  # what every database keeps in a plain integer column

EARLIEST_INSTANT = datetime(1900, 1, 1, tzinfo=UTC)
LATEST_INSTANT = datetime(8999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = EARLIEST_INSTANT.year, LATEST_INSTANT.year
_IN_ANY_ZONE = datetime(2000, 1, 1, tzinfo=UTC)  # when none is on the mean time of a place
# A certificate of the longest validity, issued at the latest instant, expires here.
LATEST_COMPUTED_INSTANT = LATEST_INSTANT.replace(year=9099)


class Refusal(Exception):
    """Tell why a value is refused; `typed` is the value itself where its type was right."""

    def __init__(self, rule: Rule, *, typed: object = None, **params: object) -> None:
        self.rule = rule
        self.typed = typed
        self.params = params


def wrong_type(value: object, expected: str) -> Refusal:
    """Give the refusal of a value that is not what is expected."""
    if value is None:
        return Refusal(Rule.REQUIRED)
    return Refusal(Rule.WRONG_TYPE, expected=expected, actual=type(value).__name__)


def identifier(value: Any) -> UUID:
    """Take a UUID."""
    if type(value) is UUID:
        return value
    if isinstance(value, UUID):
        return UUID(int=value.int)
    raise wrong_type(value, "UUID")


def is_storable(value: str) -> bool:
    """Tell whether every storage keeps this text: no NUL, no lone surrogate."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
    return "\x00" not in value


def text(value: Any) -> str:
    """Take text that every storage keeps: no NUL, no lone surrogate."""
    if not isinstance(value, str):
        raise wrong_type(value, "str")
    plain = str.__str__(value)
    if not is_storable(plain):
        raise Refusal(Rule.UNSTORABLE_TEXT, typed=plain)
    return plain


def has_visible_character(value: str) -> bool:
    """Tell whether there is anything to see in a text."""
    return any(kind[0] != "Z" and kind not in {"Cc", "Cf", "Cs"} for kind in map(category, value))


def flag(value: Any) -> bool:
    """Take a bool."""
    if value is True or value is False:
        return value
    raise wrong_type(value, "bool")


def whole_number(minimum: int, maximum: int, *, minimum_is_a_rule: bool = False) -> Kind[int]:
    """Make the kind of an int between two bounds, both allowed; a bool is no int.

    `minimum_is_a_rule` leaves what is too low to the rule of the domain owner that judges it.
    """

    def bounded(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise wrong_type(value, "int")
        plain = int.__int__(value)
        if plain > maximum or (plain < minimum and not minimum_is_a_rule):
            raise Refusal(Rule.OUT_OF_RANGE, typed=plain, minimum=minimum, maximum=maximum)
        return plain

    return bounded


count: Kind[int] = whole_number(0, MAX_INTEGER)


def _has_offset(value: datetime) -> bool:
    try:
        return value.utcoffset() is not None
    except Exception:  # noqa: BLE001  whatever a host's tzinfo raises, it tells no offset
        return False


def _plain(value: datetime) -> datetime:
    if type(value) is datetime:
        return value
    return datetime.combine(datetime.date(value), datetime.timetz(value))


def is_plain_instant(value: Any) -> TypeGuard[datetime]:
    """Tell whether a value is surely an instant in bounds, and just as records keep it."""
    return (
        type(value) is datetime
        and value.tzinfo is UTC
        and not value.fold
        and EARLIEST_INSTANT <= value <= LATEST_INSTANT
    )


def instant_until(latest: datetime) -> Kind[datetime]:
    """Make the kind of an aware datetime from 1900 to `latest`; it becomes one in UTC."""

    def bounded(value: Any) -> datetime:
        if is_plain_instant(value) and value <= latest:
            return value
        if not isinstance(value, datetime):
            raise wrong_type(value, "datetime")
        plain = _plain(value)
        if not _has_offset(plain):
            raise Refusal(Rule.NAIVE_DATETIME)
        if not EARLIEST_INSTANT <= plain <= latest:
            raise Refusal(Rule.OUT_OF_RANGE, typed=plain, minimum=EARLIEST_INSTANT, maximum=latest)
        there = plain.astimezone(UTC)
        return there.replace(fold=0) if there.fold else there

    return bounded


instant: Kind[datetime] = instant_until(LATEST_INSTANT)
computed_instant: Kind[datetime] = instant_until(LATEST_COMPUTED_INSTANT)


def record(kind: Any) -> Kind[Any]:
    """Make the kind of what is an instance of a class.

    The text of an enumeration's member is no member of it.
    """

    def instance(value: Any) -> Any:
        if isinstance(value, kind):
            return value
        raise wrong_type(value, kind.__name__)

    return instance


def anything(value: Any) -> Any:
    """Take whatever it is."""
    return value


def each(kind: Kind[T]) -> Kind[tuple[T, ...]]:
    """Make the kind of an iterable, read once into a tuple, all of one kind."""

    def every(value: Any) -> tuple[T, ...]:
        if isinstance(value, str | bytes):
            raise wrong_type(value, "iterable of values")
        try:
            items = iter(value)
        except TypeError:
            raise wrong_type(value, "iterable of values") from None
        return tuple(kind(item) for item in items)

    return every


def optional(kind: Kind[T]) -> Kind[T | None]:
    """Make the kind that also takes None."""

    def unless_none(value: Any) -> T | None:
        return None if value is None else kind(value)

    return unless_none


def zone(value: Any) -> tzinfo:
    """Take a time zone that tells its offset from UTC, and reads its own wall clock.

    A zone of pytz does not: joined to a wall time it is the mean time of before the railways,
    and certificates would expire some minutes off.
    """
    if value is UTC:
        return value
    if not isinstance(value, tzinfo):
        raise wrong_type(value, "tzinfo")
    try:
        back = _IN_ANY_ZONE.astimezone(value).replace(tzinfo=value).astimezone(UTC)
    except Exception:  # noqa: BLE001  a tzinfo that raises is no zone to reckon by
        raise Refusal(Rule.NAIVE_DATETIME) from None
    if back != _IN_ANY_ZONE:
        raise wrong_type(value, "tzinfo of PEP 495, such as ZoneInfo")
    return value


def judge(
    kinds: Mapping[str, Kind[Any]], values: Iterable[tuple[str, object]], path: str | None = None
) -> tuple[dict[str, Any], list[Violation]]:
    """Give the values of the right type, plain, and a violation for each that is refused.

    A value that is only out of its bounds stands in both, so that further rules can judge it.
    With the `path` of a document, each violation has that of its field.
    """
    plain: dict[str, Any] = {}
    violations: list[Violation] = []
    for name, value in values:
        try:
            plain[name] = kinds[name](value)
        except Refusal as refusal:
            if path is not None:
                refusal.params["path"] = f"{path}.{name}"
            violations.append(Violation(refusal.rule, (name,), refusal.params))
            if refusal.typed is not None:
                plain[name] = refusal.typed
    return plain, violations


def settle(owner: object, kinds: Mapping[str, Kind[Any]]) -> None:
    """Hold a new record to the kinds of its fields, and keep its values plain.

    Raises `InvalidValue` with every field that is refused.
    """
    violations: list[Violation] = []
    for name, kind in kinds.items():
        value = getattr(owner, name)
        try:
            plain = kind(value)
        except Refusal as refusal:
            violations.append(Violation(refusal.rule, (name,), refusal.params))
        else:
            if plain is not value:
                object.__setattr__(owner, name, plain)
    if violations:
        raise InvalidValue(violations)


def checked(**arguments: tuple[Kind[Any], object]) -> tuple[Any, ...]:
    """Give the arguments of a call, plain and in their order.

    Raises `InvalidValue` with every argument that is refused.
    """
    plain: list[Any] = []
    violations: list[Violation] = []
    for name, (kind, value) in arguments.items():
        try:
            plain.append(kind(value))
        except Refusal as refusal:
            violations.append(Violation(refusal.rule, (name,), refusal.params))
    if violations:
        raise InvalidValue(violations)
    return tuple(plain)


class Referable:
    """Keep the place of weak references before the fields: classes of the same are then alike."""

    __slots__ = ("__weakref__",)
