"""The plain values that strategies are composed of: ids, instants, zones, texts, numbers."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from uuid import UUID
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import strategies as st

from course_domain import values
from course_domain.course import MAX_CERTIFICATE_VALIDITY_MONTHS
from course_domain.values import EARLIEST_INSTANT, LATEST_INSTANT, MAX_INTEGER

TICK = timedelta(microseconds=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
"""Where databases begin to count; before it, their numbers are negative."""

EDGE_INSTANTS: tuple[datetime, ...] = tuple(
    datetime.fromisoformat(text).astimezone(UTC)
    for text in (
        "2026-01-31T12:00:00+01:00",  # a day that most months lack
        "2026-02-28T23:59:59.999999+01:00",
        "2027-03-28T01:59:59+01:00",  # the last second before Oslo skips an hour
        "2028-02-29T00:00:00+01:00",  # the leap day
        "2026-08-31T17:00:00+02:00",
        "2026-10-25T02:30:00+02:00",  # the hour that Oslo repeats, first pass
        "2026-10-25T02:30:00+01:00",  # and second
        "2026-12-31T23:59:59.999999+00:00",  # the year's end in UTC, past it in Oslo
        "1900-01-01T00:00:00+00:00",  # the first instant that is taken
        "1969-12-31T23:59:59.999999+00:00",  # just before databases begin to count
        "1970-01-01T00:00:00+00:00",  # where they do: as a number it is 0, as good as nothing
        "8999-12-31T23:59:59.999999+00:00",  # the last instant that is taken
    )
)
"""Instants at which programs go wrong, in UTC."""

_PLAINEST = datetime(2027, 1, 1, tzinfo=UTC)  # what an instant shrinks to

_NAMED_ZONES = (
    "Europe/Oslo",
    "America/New_York",
    "Australia/Lord_Howe",  # repeats half an hour
    "Pacific/Apia",  # once skipped a whole day
    "Asia/Kathmandu",
)


def identifiers() -> st.SearchStrategy[UUID]:
    """Make UUIDs of any version."""
    return st.integers(1, 2**128 - 1).map(lambda number: UUID(int=number))


def instants(
    earliest: datetime = EARLIEST_INSTANT, latest: datetime = LATEST_INSTANT
) -> st.SearchStrategy[datetime]:
    """Make instants in UTC between two, both allowed, often at an edge; none if they cross.

    Raises `InvalidValue` for a bound that is naive, or that nothing in the library can be.
    """
    kind = values.computed_instant
    return _instants_between(*values.checked(earliest=(kind, earliest), latest=(kind, latest)))


# Bounds are in UTC: only there are equal ones one key of the cache, and compared as instants.
@lru_cache(maxsize=256)
def _instants_between(earliest: datetime, latest: datetime) -> st.SearchStrategy[datetime]:
    if earliest > latest:
        return st.nothing()
    plainest = min(max(_PLAINEST, earliest), latest)
    steps = st.integers((earliest - plainest) // TICK, (latest - plainest) // TICK)
    edges = [edge for edge in (*EDGE_INSTANTS, earliest, latest) if earliest <= edge <= latest]
    return steps.map(lambda step: plainest + step * TICK) | st.sampled_from(edges)


def instants_near(*centres: datetime | None) -> st.SearchStrategy[datetime]:
    """Make instants just before, at and just after these (None is passed over), or anywhere."""
    given = [centre for centre in centres if centre is not None]
    (in_utc,) = values.checked(centres=(values.each(values.computed_instant), given))
    near = [
        centre + step
        for centre in in_utc
        for step in (timedelta(0), -TICK, TICK)
        if EARLIEST_INSTANT <= centre + step <= LATEST_INSTANT
    ]
    return st.sampled_from(near) | instants() if near else instants()


def zones() -> st.SearchStrategy[tzinfo]:
    """Make time zones: UTC, fixed offsets, and places whose clocks skip and repeat."""
    named = [ZoneInfo(name) for name in _NAMED_ZONES if name in available_timezones()]
    offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
        lambda minutes: timezone(timedelta(minutes=minutes))
    )
    return st.sampled_from([UTC, *named]) | offsets


def texts() -> st.SearchStrategy[str]:
    """Make any text that every storage keeps, the empty one too."""
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"))


def titles() -> st.SearchStrategy[str]:
    """Make titles: some character is visible, whatever stands around it."""
    visible = st.characters(exclude_categories=["Zs", "Zl", "Zp", "Cc", "Cf", "Cs"])
    nasty = st.sampled_from(["Å være likeperson", "Ære\u0301", "\u200bkurs\ufeff", " x ", "🎧"])
    return visible | st.builds("{}{}{}".format, texts(), visible, texts()) | nasty


def max_participants() -> st.SearchStrategy[int | None]:
    """Make caps: none, a few seats, or as many as there can be."""
    return st.none() | st.integers(1, 3) | st.integers(1, MAX_INTEGER)


def certificate_validities() -> st.SearchStrategy[int | None]:
    """Make validities in months, None for no expiry."""
    usual = st.sampled_from([12, 24, 36, 1, MAX_CERTIFICATE_VALIDITY_MONTHS])
    return st.none() | usual | st.integers(1, MAX_CERTIFICATE_VALIDITY_MONTHS)
