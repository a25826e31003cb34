"""Two values that are not equal, shown by what differs: nobody compares whole courses by eye."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any

import attrs

_LONG = 200  # characters; what is shorter is shown whole
_AROUND = 40  # characters of a long text, on either side of where it differs
_IDS = ("id", "certificate_id", "user_id")  # what a record is known by

_Pair = tuple[str, str]


def brief(value: Any) -> str:
    """Show a value, cut where it is long, and a long record by its ids."""
    whole = repr(value)
    if len(whole) <= _LONG:
        return whole
    ids = [f"{name}={each!r}" for name, each in _fields(value).items() if name in _IDS]
    if ids:
        return f"{type(value).__name__}({', '.join(ids)}, ...)"
    return f"{whole[:_LONG]}... ({len(whole)} characters)"


def differing(expected: Any, observed: Any) -> _Pair:
    """Show two values, long ones without the parts in which they are alike."""
    shown = _differing(expected, observed)
    return shown if shown[0] != shown[1] else (repr(expected), repr(observed))


def _differing(one: Any, other: Any) -> _Pair:
    short = len(repr(one) + repr(other)) <= _LONG
    if one != other and type(one) is type(other) and not short:
        for kind, show in _LONG_KINDS:
            if isinstance(one, kind):
                return show(one, other)
        if _fields(one):
            return _records(one, other)
    return brief(one), brief(other)


def _fields(value: object) -> dict[str, Any]:
    """Give the fields of a record; what is none has none."""
    kind = type(value)
    if not attrs.has(kind):
        return {}
    return {field.name: getattr(value, field.name) for field in attrs.fields(kind)}


def _records(one: object, other: object) -> _Pair:
    mine, theirs = _named(_fields(one), _fields(other))
    name = type(one).__name__
    return f"{name}({mine}, ...)", f"{name}({theirs}, ...)"


def _named(one: Mapping[Any, Any], other: Mapping[Any, Any]) -> _Pair:
    """Show what is under the same name and differs, with the ids; what only one has, too."""
    mine: list[str] = []
    theirs: list[str] = []
    for name in {**one, **other}:
        if name not in one:
            theirs.append(f"{name}={brief(other[name])}")
        elif name not in other:
            mine.append(f"{name}={brief(one[name])}")
        elif name in _IDS or one[name] != other[name]:
            shown = _differing(one[name], other[name])
            mine.append(f"{name}={shown[0]}")
            theirs.append(f"{name}={shown[1]}")
    return ", ".join(mine) or "no other", ", ".join(theirs) or "no other"


def _members(one: Set[Any], other: Set[Any]) -> _Pair:
    """Show what only one of two sets has."""
    mine, theirs = (sorted(map(brief, members)) for members in (one - other, other - one))
    return (
        f"{len(one)} in all, only here: {', '.join(mine) or 'none'}",
        f"{len(other)} in all, only here: {', '.join(theirs) or 'none'}",
    )


def _texts(one: str, other: str) -> _Pair:
    """Show what stands around the first character that differs."""
    at = _first_difference(one, other)
    around = slice(max(0, at - _AROUND), at + _AROUND)
    return (
        f"{len(one)} in all, around [{at}]: {one[around]!r}",
        f"{len(other)} in all, around [{at}]: {other[around]!r}",
    )


def _places(one: Sequence[Any], other: Sequence[Any]) -> _Pair:
    """Show the first place where two lists differ."""
    at = _first_difference(one, other)
    if at == len(one):
        mine, theirs = "nothing", brief(other[at])
    elif at == len(other):
        mine, theirs = brief(one[at]), "nothing"
    else:
        mine, theirs = _differing(one[at], other[at])
    return f"{len(one)} in all, [{at}]: {mine}", f"{len(other)} in all, [{at}]: {theirs}"


def _first_difference(one: Sequence[Any], other: Sequence[Any]) -> int:
    shorter = min(len(one), len(other))
    return next((at for at in range(shorter) if one[at] != other[at]), shorter)


_LONG_KINDS: tuple[tuple[type[Any], Callable[[Any, Any], _Pair]], ...] = (
    (str, _texts),
    (Mapping, _named),
    (Set, _members),
    (Sequence, _places),
)
