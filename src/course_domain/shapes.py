"""Values that need no second look, since a record took others of their types as they are.

Almost every record is made of values that are right. So that these do not pay for finding out
what is wrong, their types are compared as one, and only what a type leaves open is judged.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from course_domain.values import EARLIEST_INSTANT, LATEST_INSTANT

Check = tuple[Callable[..., bool], tuple[int, ...]]
"""What must hold of the one or two values at these places, unless one of them is None."""

_COMMON = 1_200  # up to here a number is in bounds for every field; any other is looked at


class Shapes:
    """Remember of which types the values were that one kind of record took as they are."""

    def __init__(self, checks: Iterable[Check]) -> None:
        """Begin with no shape; `checks` are held, beside what a type leaves open."""
        self._checks = tuple(checks)
        self._latest: tuple[list[type], tuple[Any, ...]] = ([], ())  # as the next often is, too
        self._left_open: dict[tuple[type, ...], tuple[Any, ...]] = {}

    def learn(self, given: tuple[Any, ...]) -> None:
        """Take note of values that were right, and kept as they are."""
        types = tuple(map(type, given))
        checks = [
            (holds, places)
            for holds, places in self._checks
            if all(given[place] is not None for place in places)
        ]
        self._left_open[types] = (
            *(tuple(i for i, each in enumerate(types) if each is t) for t in (datetime, str, int)),
            tuple((holds, *places) for holds, places in checks if len(places) == 1),
            tuple((holds, *places) for holds, places in checks if len(places) != 1),
        )

    def fit(self, given: tuple[Any, ...]) -> bool:  # noqa: C901, PLR0911, PLR0912  no calls: all courses pass here
        """Tell whether these values are surely right, and plain; False is no more than a doubt."""
        types = [*map(type, given)]
        known, left_open = self._latest
        if types != known:
            found = self._left_open.get(tuple(types))
            if found is None:
                return False
            self._latest = types, (left_open := found)
        instants, texts, numbers, of_one, of_two = left_open
        for place in instants:
            instant = given[place]
            if instant.tzinfo is not UTC or instant.fold:
                return False
            if not EARLIEST_INSTANT <= instant <= LATEST_INSTANT:
                return False
        for place in numbers:
            if not 0 <= given[place] <= _COMMON:
                return False
        for holds, place, other in of_two:
            if not holds(given[place], given[other]):
                return False
        for holds, place in of_one:
            if not holds(given[place]):
                return False
        for place in texts:
            text = given[place]
            if "\x00" in text:
                return False
            if not text.isascii():
                try:
                    text.encode()
                except UnicodeEncodeError:
                    return False
        return True
