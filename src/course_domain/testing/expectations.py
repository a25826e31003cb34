"""How a clause says what it expected and what it observed.

It raises by itself rather than by ``assert``: so it says the same with and without pytest, says
it once, and holds under ``python -O``.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from course_domain.rules import InvalidValue, Rule
from course_domain.testing.differences import brief, differing

__tracebackhide__ = True  # pytest then shows the line of the clause

E = TypeVar("E", bound=BaseException)
T = TypeVar("T")


def broken(what: str, expected: str, observed: str) -> AssertionError:
    """Make the error of a promise that is not kept."""
    return AssertionError(f"{what}\n  expected: {expected}\n  observed: {observed}")


def expect(expected: object, observed: object, what: str) -> None:
    """Fail unless the two are equal."""
    if observed != expected:
        raise broken(what, *differing(expected, observed))


def expect_true(holds: object, what: str) -> None:
    """Fail unless something holds; `what` says it with the values that matter."""
    if not holds:
        raise AssertionError(what)


def expect_some(observed: T | None, what: str) -> T:
    """Fail where there is nothing, and give what there is."""
    if observed is None:
        raise broken(what, "not None", "None")
    return observed


def expect_error(kind: type[E], call: Callable[[], Any], what: str) -> E:
    """Fail unless the call raises this error, and give it."""
    try:
        answer = call()
    except kind as error:
        return error
    except Exception as error:
        raise broken(what, kind.__name__, f"{type(error).__name__}: {error}") from error
    raise broken(what, kind.__name__, f"the answer {brief(answer)}")


def expect_invalid(rules: frozenset[Rule], field: str, call: Callable[[], Any], what: str) -> None:
    """Fail unless the call raises InvalidValue with one of these rules on the field."""
    error = expect_error(InvalidValue, call, what)
    told = {violation.rule for violation in error.violations if field in violation.fields}
    if not rules & told:
        raise broken(what, f"{' or '.join(sorted(rules))} on {field}", repr(error.violations))
