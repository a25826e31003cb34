"""How a clause says what it expected and what it observed."""

from collections.abc import Callable
from typing import Any, TypeVar

from course_domain.errors import InvalidValue
from course_domain.rules import Rule

E = TypeVar("E", bound=BaseException)


def expect(expected: object, observed: object, what: str) -> None:
    """Fail unless the two are equal."""
    assert observed == expected, f"{what}\n  expected: {expected!r}\n  observed: {observed!r}"


def expect_true(holds: object, what: str) -> None:
    """Fail unless something holds; `what` says it with the values that matter."""
    assert holds, what


def expect_error(kind: type[E], call: Callable[[], Any], what: str) -> E:
    """Fail unless the call raises this error, and give it."""
    try:
        answer = call()
    except kind as error:
        return error
    except Exception as error:
        shown = f"{type(error).__name__}: {error}"
        raise AssertionError(f"{what}\n  expected: {kind.__name__}\n  observed: {shown}") from error
    raise AssertionError(f"{what}\n  expected: {kind.__name__}\n  observed: the answer {answer!r}")


def expect_invalid(rules: frozenset[Rule], field: str, call: Callable[[], Any], what: str) -> None:
    """Fail unless the call raises InvalidValue with one of these rules on the field."""
    error = expect_error(InvalidValue, call, what)
    told = {violation.rule for violation in error.violations if field in violation.fields}
    names = " or ".join(sorted(rules))
    expect_true(
        rules & told, f"{what}\n  expected: {names} on {field}\n  observed: {error.violations!r}"
    )
